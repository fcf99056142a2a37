/* SPDX-License-Identifier: MIT */
/*
 * user/tests/ns.c - namespaces: their files, and what is different inside.
 */
#include "utest.h"

#include <mqueue.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#define NS_GET_USERNS	 0xb701
#define NS_GET_PARENT	 0xb702
#define NS_GET_NSTYPE	 0xb703
#define NS_GET_OWNER_UID 0xb704
#define NSFS_MAGIC	 0x6e736673

static const struct {
	const char *name;
	int flag;
} types[] = {
	{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC },
	{ "mnt", CLONE_NEWNS },	 { "user", CLONE_NEWUSER },
	{ "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
};
#define NR_TYPES (sizeof(types) / sizeof(types[0]))

static int ns_open(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static ino_t ns_ino(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	CHECK_OK(stat(path, &st));
	return st.st_ino;
}

/* A child with @flags that waits for its killer. */
static pid_t sleeper(int flags)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void end(pid_t pid)
{
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

TEST(ns, links)
{
	for (size_t i = 0; i < NR_TYPES; i++) {
		char path[64], text[64], want[64];
		struct statfs sf;
		struct stat st, st2;
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", types[i].name);
		CHECK_OK(lstat(path, &st));
		CHECK_EQ(st.st_mode, S_IFLNK | 0777);
		fd = ns_open(getpid(), types[i].name);
		CHECK_OK(fstat(fd, &st));
		CHECK_EQ(st.st_mode, S_IFREG | 0444);
		CHECK_EQ(st.st_nlink, 1);
		CHECK_EQ(st.st_size, 0);
		n = readlink(path, text, sizeof(text) - 1);
		CHECK(n > 0);
		text[n] = 0;
		snprintf(want, sizeof(want), "%s:[%lu]", types[i].name,
			 (unsigned long)st.st_ino);
		CHECK(!strcmp(text, want));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = 0;
		CHECK(!strcmp(text, want));
		CHECK_OK(stat(path, &st2));
		CHECK(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
		CHECK_OK(fstatfs(fd, &sf));
		CHECK_EQ(sf.f_type, NSFS_MAGIC);
		CHECK_EQ(st.st_ino, ns_ino(getppid(), types[i].name));
		CHECK_ERR(read(fd, text, 1), EINVAL);
		close(fd);
	}
	CHECK_ERR(open("/proc/self/ns/nothing", O_RDONLY), ENOENT);
}

TEST(ns, ioctls)
{
	for (size_t i = 0; i < NR_TYPES; i++) {
		int fd = ns_open(getpid(), types[i].name), user;
		uid_t uid = 77;

		CHECK_EQ(ioctl(fd, NS_GET_NSTYPE), types[i].flag);
		CHECK_ERR(ioctl(fd, NS_GET_PARENT),
			  types[i].flag & (CLONE_NEWUSER | CLONE_NEWPID)
				  ? EPERM
				  : EINVAL);
		CHECK_ERR(ioctl(fd, 0xb7ff), ENOTTY);
		if (types[i].flag == CLONE_NEWUSER) {
			CHECK_OK(ioctl(fd, NS_GET_OWNER_UID, &uid));
			CHECK_EQ(uid, 0);
			CHECK_ERR(ioctl(fd, NS_GET_USERNS), EPERM);
		} else {
			struct stat st;

			CHECK_ERR(ioctl(fd, NS_GET_OWNER_UID, &uid), EINVAL);
			CHECK_OK(user = ioctl(fd, NS_GET_USERNS));
			CHECK_OK(fstat(user, &st));
			CHECK_EQ(st.st_ino, ns_ino(getpid(), "user"));
			CHECK_EQ(ioctl(user, NS_GET_NSTYPE), CLONE_NEWUSER);
			CHECK_EQ(fcntl(user, F_GETFD), FD_CLOEXEC);
			close(user);
		}
		close(fd);
	}
}

/* By descriptor of a process instead of by name; and no link can be written. */
TEST(ns, pidfd_ioctls)
{
	static const struct {
		int nr;
		const char *name;
	} of[] = { { 2, "ipc" },  { 3, "mnt" },
		   { 5, "pid" },  { 6, "pid_for_children" },
		   { 9, "user" }, { 10, "uts" } };
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0), fd;
	char path[64];
	struct stat a, b;

	CHECK_OK(pidfd);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", of[i].name);
		CHECK_OK(stat(path, &a));
		CHECK_OK(fd = ioctl(pidfd, 0xff00 | of[i].nr, 0));
		CHECK_OK(fstat(fd, &b));
		CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
		CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close(fd);
		CHECK_ERR(open(path, O_RDWR), EPERM);
	}
	CHECK_ERR(ioctl(pidfd, 0xff02, 1), EINVAL);
	CHECK_ERR(ioctl(pidfd, 0xff7f, 0), ENOTTY);
	close(pidfd);
}

static int end_when_told(void *arg __attribute__((unused)))
{
	pause();
	return 0;
}

TEST(ns, pidfd_ioctls_of_others)
{
	pid_t pid = ut_fork(end_when_told, NULL);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int first = (int)syscall(SYS_pidfd_open, 1, 0);
	siginfo_t si;

	CHECK_OK(ioctl(pidfd, 0xff0a, 0));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	CHECK_ERR(ioctl(pidfd, 0xff0a, 0), ESRCH);
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(ioctl(first, 0xff0a, 0), EACCES);
}

TEST(ns, errors)
{
	int fd = ns_open(getpid(), "uts"), p[2], pidfd;

	CHECK_ERR(setns(-1, 0), EBADF);
	CHECK_ERR(setns(fd, CLONE_NEWIPC), EINVAL);
	CHECK_OK(pipe(p));
	CHECK_ERR(setns(p[0], 0), EINVAL);
	CHECK_OK(pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0));
	CHECK_ERR(setns(pidfd, 0), EINVAL);
	CHECK_ERR(setns(pidfd, 1), EINVAL);
	CHECK_ERR(setns(pidfd, CLONE_NEWUTS | 1), EINVAL);
	CHECK_OK(setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS));
	CHECK_ERR(unshare(CLONE_NEWUTS | 1), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0,
			  0),
		  EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0,
			  0, 0, 0),
		  EINVAL);
	CHECK_OK(seteuid(1000));
	CHECK_ERR(setns(fd, 0), EPERM);
	CHECK_ERR(unshare(CLONE_NEWUTS), EPERM);
	CHECK_ERR(unshare(CLONE_NEWNS), EPERM);
	CHECK_ERR(unshare(CLONE_NEWUTS | 1), EINVAL);
	CHECK_ERR(sleeper(CLONE_NEWIPC), EPERM);
}

static void check_host(const char *want)
{
	char buf[80] = "";
	struct utsname u;
	int fd;

	CHECK_OK(uname(&u));
	CHECK(!strcmp(u.nodename, want));
	CHECK_OK(fd = open("/proc/sys/kernel/hostname", O_RDONLY));
	CHECK_EQ(read(fd, buf, sizeof(buf)), strlen(want) + 1);
	CHECK(!strncmp(buf, want, strlen(want)));
	close(fd);
}

TEST(ns, uts)
{
	struct utsname was;
	pid_t pid;
	int fd, own;

	CHECK_OK(uname(&was));
	CHECK_OK(own = ns_open(getpid(), "uts"));
	pid = sleeper(CLONE_NEWUTS);
	CHECK_OK(pid);
	CHECK(ns_ino(pid, "uts") != ns_ino(getpid(), "uts"));
	CHECK_EQ(ns_ino(pid, "ipc"), ns_ino(getpid(), "ipc"));
	fd = ns_open(pid, "uts");
	end(pid);
	CHECK_OK(setns(fd, CLONE_NEWUTS));
	check_host(was.nodename); /* begins as a copy */
	CHECK_OK(sethostname("inner", 5));
	check_host("inner");
	pid = ut_fork((int (*)(void *))pause, NULL);
	CHECK_EQ(ns_ino(pid, "uts"), ns_ino(getpid(), "uts"));
	CHECK_OK(setns(own, 0));
	check_host(was.nodename);
	close(fd);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK_OK(setns(fd, CLONE_NEWUTS));
	check_host("inner");
	CHECK_OK(unshare(CLONE_NEWUTS));
	CHECK_OK(sethostname("third", 5));
	check_host("third");
	CHECK_OK(setns(own, 0));
	check_host(was.nodename);
	end(pid);
	CHECK_ERR(setns(fd, CLONE_NEWUTS), ESRCH);
}

static int no_objects(void *arg)
{
	int *id = arg;
	mqd_t q;
	void *p;

	if (unshare(CLONE_NEWIPC))
		return 1;
	if (semget(77, 1, 0) != -1 || errno != ENOENT)
		return 2;
	if (msgget(78, 0) != -1 || errno != ENOENT)
		return 3;
	if (shmat(*id, NULL, 0) != (void *)-1 || errno != EINVAL)
		return 4;
	if (mq_open("/utest-ns", O_RDONLY) != (mqd_t)-1 || errno != ENOENT)
		return 5;
	if (semget(77, 2, IPC_CREAT | IPC_EXCL | 0600) != 0)
		return 6; /* the first of this namespace */
	q = mq_open("/utest-ns", O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
	if (q == (mqd_t)-1)
		return 7;
	*id = shmget(IPC_PRIVATE, 4096, 0600);
	p = shmat(*id, NULL, 0);
	if (p == (void *)-1)
		return 8;
	/* what is attached and open outlives the namespace */
	if (unshare(CLONE_NEWIPC))
		return 9;
	*(volatile char *)p = 1;
	if (mq_send(q, "x", 1, 0) || shmdt(p))
		return 10;
	return 0;
}

TEST(ns, ipc)
{
	int id, sem, msg;
	mqd_t q;

	mq_unlink("/utest-ns");
	CHECK_OK(sem = semget(77, 1, IPC_CREAT | 0600));
	CHECK_OK(msg = msgget(78, IPC_CREAT | 0600));
	CHECK_OK(id = shmget(79, 4096, IPC_CREAT | 0600));
	q = mq_open("/utest-ns", O_CREAT | O_RDWR, 0600, NULL);
	CHECK(q != (mqd_t)-1);
	CHECK_EQ(ut_wait(ut_fork(no_objects, &id)), 0);
	CHECK_EQ(semget(77, 1, 0), sem);
	CHECK_OK(semctl(sem, 0, IPC_RMID));
	CHECK_OK(msgctl(msg, IPC_RMID, NULL));
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_OK(mq_unlink("/utest-ns"));
}

/* Debts of SEM_UNDO are paid when the namespace is left. */
TEST(ns, ipc_undo)
{
	struct sembuf op = { 0, 3, SEM_UNDO };
	int own = ns_open(getpid(), "ipc"), id;

	CHECK_OK(id = semget(IPC_PRIVATE, 1, 0600));
	CHECK_OK(semop(id, &op, 1));
	CHECK_EQ(semctl(id, 0, GETVAL), 3);
	CHECK_OK(unshare(CLONE_NEWIPC));
	CHECK_OK(setns(own, 0));
	CHECK_EQ(semctl(id, 0, GETVAL), 0);
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

/* Each namespace has a file system of queues of its own. */
TEST(ns, mqueue_fs)
{
	struct stat a, b;
	mqd_t q;

	CHECK_OK(unshare(CLONE_NEWNS | CLONE_NEWIPC));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("q", 0755));
	CHECK_OK(mount("q", "q", "mqueue", 0, NULL));
	q = mq_open("/seen", O_CREAT | O_RDWR, 0600, NULL);
	CHECK(q != (mqd_t)-1);
	CHECK_OK(stat("q/seen", &a));
	CHECK_OK(unshare(CLONE_NEWIPC));
	CHECK_OK(stat("q/seen", &a)); /* whose namespace it was mounted in */
	CHECK_OK(mkdir("r", 0755));
	CHECK_OK(mount("r", "r", "mqueue", 0, NULL));
	CHECK_ERR(stat("r/seen", &b), ENOENT);
	CHECK_OK(stat("q", &a));
	CHECK_OK(stat("r", &b));
	CHECK(a.st_dev != b.st_dev);
	CHECK_OK(umount("r"));
	CHECK_OK(umount("q"));
}

static bool in_mounts(const char *what)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[512];
	bool found = false;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, what) != NULL;
	fclose(f);
	return found;
}

TEST(ns, mount_clone)
{
	int own = ns_open(getpid(), "mnt"), fd;
	char cwd[256];
	pid_t pid;

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	CHECK(getcwd(cwd, sizeof(cwd)));
	CHECK_OK(mount("utest-outer", "m", "tmpfs", 0, NULL));
	pid = sleeper(CLONE_NEWNS);
	CHECK_OK(pid);
	CHECK_OK(umount("m"));
	CHECK(!in_mounts("utest-outer"));
	fd = ns_open(pid, "mnt");
	end(pid);
	CHECK_OK(setns(fd, CLONE_NEWNS));
	CHECK(in_mounts("utest-outer"));
	CHECK(getcwd(cwd + 128, 128));
	CHECK(!strcmp(cwd + 128, "/"));
	CHECK_OK(setns(own, CLONE_NEWNS));
	CHECK(!in_mounts("utest-outer"));
}

static int share_fs(void *arg)
{
	for (;;)
		pause();
	return 0;
}

TEST(ns, setns_shared_fs)
{
	int own = ns_open(getpid(), "mnt");
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);

	CHECK_OK(pid);
	if (!pid)
		share_fs(NULL);
	CHECK_ERR(setns(own, 0), EINVAL);
	end(pid);
	CHECK_OK(setns(own, 0));
}

/* A namespace lives while its file is mounted. */
TEST(ns, bind)
{
	char want[64];
	struct stat st;
	pid_t pid;
	int fd;

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	close(ut_open("f", ""));
	pid = sleeper(CLONE_NEWUTS);
	CHECK_OK(pid);
	snprintf(want, sizeof(want), "/proc/%d/ns/uts", pid);
	CHECK_OK(stat(want, &st));
	CHECK_OK(mount(want, "f", NULL, MS_BIND, NULL));
	end(pid);
	snprintf(want, sizeof(want), " uts:[%lu] ", (unsigned long)st.st_ino);
	CHECK(in_mounts(want));
	CHECK(in_mounts(" - nsfs nsfs "));
	CHECK_OK(fd = open("f", O_RDONLY));
	CHECK_OK(setns(fd, 0));
	CHECK_EQ(ns_ino(getpid(), "uts"), st.st_ino);
	close(fd);
	CHECK_OK(umount("f"));
	/* not oneself, nor an older one */
	CHECK_ERR(mount("/proc/self/ns/mnt", "f", NULL, MS_BIND, NULL), EINVAL);
	pid = sleeper(CLONE_NEWNS);
	snprintf(want, sizeof(want), "/proc/%d/ns/mnt", pid);
	CHECK_OK(mount(want, "f", NULL, MS_BIND, NULL));
	CHECK(in_mounts(" mnt:["));
	CHECK_OK(unshare(CLONE_NEWNS)); /* such a mount is not copied */
	CHECK(!in_mounts(" mnt:["));
	end(pid);
}

TEST(ns, exit)
{
	char path[64], text[64];
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK_OK(
		waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	CHECK_ERR(readlink(path, text, sizeof(text)), ENOENT);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	CHECK(readlink(path, text, sizeof(text)) > 0);
	CHECK_EQ(ut_wait(pid), 0);
}
