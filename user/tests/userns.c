/* SPDX-License-Identifier: MIT */
/*
 * user/tests/userns.c - user namespaces: ids, capabilities, what root of one may do.
 */
#include "utest.h"

#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <linux/capability.h>

#define NS_GET_USERNS	 0xb701
#define NS_GET_PARENT	 0xb702
#define NS_GET_OWNER_UID 0xb704
#define OVERFLOW	 65534

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		err = n < 0 ? errno : 1000;
	close(fd);
	return err;
}

static void check_text(const char *path, const char *want)
{
	char buf[512];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n >= 0);
	buf[n] = 0;
	close(fd);
	if (strcmp(buf, want))
		ut_fail(__FILE__, __LINE__, "%s: %s", path, buf);
}

static uint64_t caps(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK_OK(syscall(SYS_capget, &h, d));
	return d[0].effective | (uint64_t)d[1].effective << 32;
}

/* Root of a new namespace, who is 1000 outside. */
static void enter(void)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	CHECK_OK(unshare(CLONE_NEWUSER));
	CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
	CHECK_EQ(write_file("/proc/self/uid_map", "0 1000 1"), 0);
	CHECK_EQ(write_file("/proc/self/gid_map", "0 1000 1\n"), 0);
}

TEST(userns, initial)
{
	check_text("/proc/self/uid_map", "         0          0 4294967295\n");
	check_text("/proc/self/gid_map", "         0          0 4294967295\n");
	check_text("/proc/self/setgroups", "allow\n");
	CHECK_EQ(write_file("/proc/self/uid_map", "0 0 1"), EPERM);
	CHECK_EQ(write_file("/proc/self/setgroups", "deny"), EPERM);
	CHECK_EQ(write_file("/proc/self/setgroups", "allow"), 0);
	CHECK_EQ(write_file("/proc/self/setgroups", "maybe"), EINVAL);
}

TEST(userns, unmapped)
{
	uid_t r, e, s;
	struct stat st;
	gid_t g;

	CHECK_OK(setgroups(1, &(gid_t){ 77 }));
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_EQ(caps(), 0);
	CHECK_OK(unshare(CLONE_NEWUSER));
	CHECK_EQ(getuid(), OVERFLOW);
	CHECK_EQ(getegid(), OVERFLOW);
	CHECK_OK(getresuid(&r, &e, &s));
	CHECK(r == OVERFLOW && e == OVERFLOW && s == OVERFLOW);
	CHECK_EQ(getgroups(1, &g), 1);
	CHECK_EQ(g, OVERFLOW);
	CHECK_OK(stat("/", &st));
	CHECK_EQ(st.st_uid, OVERFLOW);
	CHECK(caps() >> CAP_SYS_ADMIN & 1);
	CHECK(caps() >> CAP_SETUID & 1);
	CHECK_ERR(setuid(0), EINVAL);
	CHECK_ERR(setresuid(-1, 5, -1), EINVAL);
	CHECK_OK(setresuid(-1, -1, -1));
	CHECK_ERR(setgroups(0, NULL), EPERM);
	CHECK_ERR(chown(".", 0, -1), EINVAL);
	CHECK_ERR(sethostname("x", 1), EPERM); /* not this namespace's */
	check_text("/proc/self/uid_map", "");
	CHECK_ERR(unshare(CLONE_NEWUSER), EPERM); /* who is nobody */
}

TEST(userns, maps)
{
	char path[64];
	struct stat st;

	CHECK_OK(chmod(".", 0777));
	close(ut_open("f", "x"));
	CHECK_OK(chown("f", 1000, 2000));
	enter();
	CHECK_EQ(getuid(), 0);
	CHECK_EQ(geteuid(), 0);
	CHECK_EQ(getgid(), 0);
	check_text("/proc/self/uid_map", "         0       1000          1\n");
	check_text("/proc/self/setgroups", "deny\n");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", getppid());
	check_text(path, "         0 4294967295 4294967295\n");
	CHECK_EQ(write_file("/proc/self/uid_map", "0 1000 1"), EPERM);
	CHECK_EQ(write_file("/proc/self/setgroups", "allow"), EPERM);
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_gid, OVERFLOW);
	CHECK_OK(chmod("f", 0600));
	CHECK_ERR(chown("f", 1, -1), EINVAL);
	CHECK_OK(chown("f", 0, 0) ? chown("f", 0, -1) : 0);
	close(ut_open("g", "x"));
	CHECK_OK(stat("g", &st));
	CHECK(st.st_uid == 0 && st.st_gid == 0);
	CHECK_ERR(setuid(1), EINVAL);
	CHECK_ERR(setgroups(0, NULL), EPERM);
	CHECK_ERR(open("/proc/sysrq-trigger", O_WRONLY), EACCES);
	CHECK_ERR(mknod("dev", S_IFCHR | 0600, 0x103), EPERM);
	CHECK_ERR(kill(1, 0), EPERM);
	CHECK_ERR(settimeofday(&(struct timeval){ 1, 0 }, NULL), EPERM);
	CHECK_ERR(sethostname("x", 1), EPERM);
	CHECK_OK(unshare(CLONE_NEWUTS));
	CHECK_OK(sethostname("x", 1));
}

TEST(userns, map_syntax)
{
	static const struct {
		const char *text;
		int err;
	} maps[] = {
		{ "", 0 },
		{ "x", EINVAL },
		{ "0 1000", EINVAL },
		{ "0 1000 0", EINVAL },
		{ "0 1000 1 1", EINVAL },
		{ "-1 1000 1", EINVAL },
		{ "4294967295 1000 1", EINVAL },
		{ "4294967290 1000 10", EINVAL },
		{ "0 1000 2\n1 2000 1", EINVAL },
		{ "0 1000 2\n5 1001 1", EINVAL },
		{ "\n0 1000 1", EINVAL },
		{ "0 1000 10\n10 2000 5\n", 0 },
		{ "0 1000 10", EPERM }, /* once */
	};
	int to[2], from[2];
	char path[64], c;
	pid_t pid;

	CHECK_OK(pipe(to));
	CHECK_OK(pipe(from));
	pid = fork();
	if (!pid) {
		CHECK_OK(unshare(CLONE_NEWUSER));
		CHECK_EQ(write(from[1], "x", 1), 1);
		CHECK_EQ(read(to[0], &c, 1), 1);
		CHECK_EQ(getuid(), OVERFLOW); /* 0 is not mapped */
		CHECK_OK(setresuid(3, 3, 3));
		CHECK_EQ(getuid(), 3);
		CHECK_OK(setgroups(1, &(gid_t){ 12 }));
		CHECK_EQ(write(from[1], "x", 1), 1);
		CHECK_EQ(read(to[0], &c, 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(from[0], &c, 1), 1);
	for (size_t i = 1; i < sizeof(maps) / sizeof(maps[0]); i++) {
		int err;

		snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
		err = write_file(path, maps[i].text);
		if (err != maps[i].err)
			ut_fail(__FILE__, __LINE__, "map %zu: %d", i, err);
	}
	check_text(path, "         0       1000         10\n"
			 "        10       2000          5\n");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	CHECK_EQ(write_file(path, "0 0 100"), 0);
	CHECK_EQ(write(to[1], "x", 1), 1);
	CHECK_EQ(read(from[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	CHECK_EQ(write(to[1], "x", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
}

/* Who is nobody in the parent may map himself alone, his group after "deny". */
TEST(userns, map_rights)
{
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	CHECK_OK(unshare(CLONE_NEWUSER));
	CHECK_EQ(write_file("/proc/self/uid_map", "0 0 1"), EPERM);
	CHECK_EQ(write_file("/proc/self/uid_map", "0 1000 2"), EPERM);
	CHECK_EQ(write_file("/proc/self/uid_map", "0 1001 1"), EPERM);
	CHECK_EQ(write_file("/proc/self/uid_map", "5 1000 1"), 0);
	CHECK_EQ(write_file("/proc/self/gid_map", "5 1000 1"), EPERM);
	CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
	CHECK_EQ(write_file("/proc/self/gid_map", "5 1000 1"), 0);
	CHECK_EQ(getuid(), 5);
	CHECK_EQ(getgid(), 5);
}

static int echo(void *arg)
{
	return 0;
}

TEST(userns, capabilities)
{
	int own, fd, parent;
	uid_t uid = 7;
	pid_t pid;

	CHECK_OK(own = open("/proc/self/ns/user", O_RDONLY));
	enter();
	CHECK(caps() >> CAP_SYS_ADMIN & 1);
	CHECK_ERR(setns(own, 0), EPERM);
	CHECK_OK(fd = open("/proc/self/ns/user", O_RDONLY));
	CHECK_ERR(setns(fd, 0), EINVAL);
	CHECK_ERR(ioctl(fd, NS_GET_PARENT), EPERM);
	CHECK_OK(ioctl(fd, NS_GET_OWNER_UID, &uid));
	CHECK_EQ(uid, 0);
	/* a program that root runs has all, one of somebody else has none */
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	CHECK_OK(pid);
	if (!pid) {
		CHECK_EQ(getuid(), OVERFLOW);
		for (;;)
			pause();
	}
	{
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		CHECK_OK(fd = open(path, O_RDONLY));
	}
	CHECK_OK(parent = ioctl(fd, NS_GET_PARENT));
	{
		struct stat a, b;

		CHECK_OK(fstat(parent, &a));
		CHECK_OK(stat("/proc/self/ns/user", &b));
		CHECK_EQ(a.st_ino, b.st_ino);
	}
	CHECK_OK(setns(fd, CLONE_NEWUSER));
	CHECK_EQ(getuid(), OVERFLOW);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	/* no way back */
	CHECK_ERR(setns(parent, 0), EPERM);
	CHECK_EQ(ut_wait(ut_fork(echo, NULL)), 0);
}

/* What is said of groups is said before they are mapped, also for the second time. */
TEST(userns, denied_twice)
{
	enter();
	check_text("/proc/self/setgroups", "deny\n");
	CHECK_EQ(write_file("/proc/self/setgroups", "deny"), EPERM);
	CHECK_EQ(write_file("/proc/self/setgroups", "allow"), EPERM);
	check_text("/proc/self/setgroups", "deny\n");
}

TEST(userns, flags)
{
	CHECK_ERR(syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0,
			  0, 0),
		  EINVAL);
	CHECK_ERR(syscall(SYS_clone,
			  CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND |
				  CLONE_VM,
			  0, 0, 0, 0),
		  EINVAL);
	CHECK_OK(mkdir("r", 0755));
	CHECK_OK(chroot("r"));
	CHECK_ERR(unshare(CLONE_NEWUSER), EPERM);
}

/* Namespaces that are made together belong to the new user namespace. */
TEST(userns, owner)
{
	struct stat a, b;
	int fd, user;

	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(unshare(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWNS));
	CHECK_OK(fd = open("/proc/self/ns/uts", O_RDONLY));
	CHECK_OK(user = ioctl(fd, NS_GET_USERNS));
	CHECK_OK(fstat(user, &a));
	CHECK_OK(stat("/proc/self/ns/user", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_OK(sethostname("mine", 4));
}

TEST(userns, mounts)
{
	struct stat st;

	CHECK_OK(chmod(".", 0777));
	CHECK_OK(mkdir("ro", 0777));
	CHECK_OK(mkdir("hide", 0777));
	CHECK_OK(mkdir("hide/secret", 0777));
	CHECK_OK(mkdir("m", 0777));
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mount("t", "ro", "tmpfs", MS_RDONLY | MS_NOSUID, NULL));
	CHECK_OK(mount("t", "hide/secret", "tmpfs", 0, NULL));
	enter();
	/* the mounts are not ours yet */
	CHECK_ERR(mount("t", "m", "tmpfs", 0, NULL), EPERM);
	CHECK_ERR(umount("ro"), EPERM);
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount("t", "m", "tmpfs", 0, NULL));
	CHECK_OK(stat("m", &st));
	CHECK(st.st_uid == 0 && st.st_gid == 0);
	close(ut_open("m/f", "x"));
	CHECK_ERR(mknod("m/d", S_IFCHR | 0600, 0x103), EPERM);
	CHECK_OK(umount("m"));
	/* what came from outside stays as it is */
	CHECK_ERR(umount("ro"), EINVAL);
	CHECK_ERR(mount(NULL, "ro", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
	CHECK_ERR(mount(NULL, "ro", NULL, MS_REMOUNT, NULL), EPERM);
	CHECK_OK(mount(NULL, "ro", NULL,
		       MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
		       NULL));
	/* relatime is what it has, said or not */
	CHECK_OK(mount(NULL, "ro", NULL,
		       MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID |
			       MS_RELATIME,
		       NULL));
	CHECK_ERR(mount(NULL, "ro", NULL,
			MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID |
				MS_NOATIME,
			NULL),
		  EPERM);
	CHECK_ERR(mount("hide", "m", NULL, MS_BIND, NULL), EINVAL);
	CHECK_OK(mount("hide", "m", NULL, MS_BIND | MS_REC, NULL));
	CHECK_ERR(umount("m/secret"), EINVAL);
	CHECK_OK(umount2("m", MNT_DETACH));
	CHECK_ERR(mount("proc", "m", "proc", 0, NULL), EPERM);
	CHECK_ERR(mount("/dev/vda", "m", "ext4", 0, NULL), EPERM);
}

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
}

/* Credentials in messages and signals are those of who looks at them. */
TEST(userns, borders)
{
	struct sigaction sa = { .sa_sigaction = on_usr1,
				.sa_flags = SA_SIGINFO };
	int s[2], from[2], to[2], parent = getpid();
	struct ucred uc;
	socklen_t len = sizeof(uc);
	siginfo_t si;
	sigset_t set;
	pid_t pid;
	char c;

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(pipe(from));
	CHECK_OK(pipe(to));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid = fork();
	if (!pid) {
		enter();
		CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &uc, &len));
		CHECK_EQ(uc.uid, OVERFLOW);
		CHECK_EQ(write(from[1], "x", 1), 1);
		CHECK_EQ(sigwaitinfo(&set, &si), SIGUSR1);
		CHECK_EQ(si.si_pid, parent);
		CHECK_EQ(si.si_uid, OVERFLOW);
		CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &uc, &len));
		CHECK_EQ(uc.uid, 0);
		CHECK_ERR(kill(parent, 0), EPERM);
		_exit(3);
	}
	CHECK_EQ(read(from[0], &c, 1), 1);
	{
		char path[64], buf[2000];
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		CHECK_OK(fd = open(path, O_RDONLY));
		n = read(fd, buf, sizeof(buf) - 1);
		CHECK(n > 0);
		buf[n] = 0;
		CHECK(strstr(buf, "Uid:\t1000\t1000\t1000\t1000\n"));
	}
	CHECK_OK(kill(pid, SIGUSR1));
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED));
	CHECK_EQ(si.si_status, 3);
	CHECK_EQ(si.si_uid, 1000);
}

/* Set-user-id to somebody unknown inside does nothing. */
TEST(userns, exec)
{
	char *argv[] = { "/bin/sh", "-c", "exit 4", NULL }, *env[] = { NULL };
	int st;
	pid_t pid;

	enter();
	pid = fork();
	if (!pid) {
		execve(argv[0], argv, env);
		_exit(1);
	}
	CHECK_EQ(waitpid(pid, &st, 0), pid);
	CHECK_EQ(WEXITSTATUS(st), 4);
	CHECK(caps() >> CAP_SYS_ADMIN & 1);
}

TEST(userns, depth)
{
	int n = 0;

	while (!unshare(CLONE_NEWUSER)) {
		CHECK(++n < 100);
		CHECK_EQ(write_file("/proc/self/uid_map", "0 0 1"), 0);
		CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
		CHECK_EQ(write_file("/proc/self/gid_map", "0 0 1"), 0);
	}
	CHECK(errno == ENOSPC || errno == EUSERS);
	CHECK_EQ(n, 32 + 1);
}
