/* SPDX-License-Identifier: MIT */
/*
 * user/tests/walks.c - what random walks through calls, with the same steps on Linux
 * beside them, found to be different: locks, identities, stops, pipes, attributes.
 */
#include "utest.h"

#include <linux/capability.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <termios.h>

#define PAGE	       4096
#define EVENT_STOP_(s) ((s) << 8 | 0x7f | PTRACE_EVENT_STOP << 16)

/* The process that /proc/locks names for a flock() of @fd. */
static int flock_pid(int fd)
{
	FILE *f = fopen("/proc/locks", "r");
	unsigned long ino;
	char line[200];
	struct stat st;
	int pid, found = 0;

	CHECK(f);
	CHECK_OK(fstat(fd, &st));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s FLOCK ADVISORY %*s %d %*x:%*x:%lu", &pid,
			   &ino) == 2 &&
		    ino == st.st_ino)
			found = pid;
	}
	fclose(f);
	return found;
}

static int lock_again(void *fd)
{
	return flock(*(int *)fd, LOCK_SH | LOCK_NB);
}

TEST(walks, flock_again)
{
	int fd = ut_open("f", "");

	CHECK_OK(flock(fd, LOCK_SH));
	CHECK_EQ(ut_wait(ut_fork(lock_again, &fd)), 0);
	CHECK_EQ(flock_pid(fd), getpid());
}

static int set_range(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock l = { .l_type = type,
			   .l_whence = SEEK_SET,
			   .l_start = start,
			   .l_len = len };

	return fcntl(fd, cmd, &l);
}

/* Of several locks in the way the first owner's is told, not the lowest. */
TEST(walks, first_lock)
{
	int early = ut_open("f", "x"), late = open("f", O_RDWR);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	CHECK_OK(late);
	CHECK_OK(set_range(early, F_OFD_SETLK, F_WRLCK, 30, 5));
	CHECK_OK(set_range(late, F_OFD_SETLK, F_WRLCK, 2, 5));
	CHECK_OK(set_range(early, F_OFD_SETLK, F_WRLCK, 20, 2));
	CHECK_OK(fcntl(open("f", O_RDWR), F_OFD_GETLK, &l));
	CHECK_EQ(l.l_start, 20);
	CHECK_OK(set_range(early, F_OFD_SETLK, F_UNLCK, 0, 25));
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_OK(fcntl(open("f", O_RDWR), F_OFD_GETLK, &l));
	CHECK_EQ(l.l_start, 30);
}

/* Nothing but a directory has a default list, whoever asks. */
TEST(walks, default_acl_of_a_file)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} e[3];
	} acl = { 2, { { 1, 6, -1u }, { 4, 4, -1u }, { 0x20, 0, -1u } } };
	const char *name = "system.posix_acl_default";

	if (getuid())
		ut_skip("not root");
	close(ut_open("f", ""));
	CHECK_OK(chmod(".", 0755));
	CHECK_EQ(setresuid(1, 1, 1), 0);
	CHECK_ERR(setxattr("f", name, &acl, sizeof(acl), 0), EACCES);
	CHECK_OK(removexattr("f", name));
	CHECK_ERR(setxattr("f", "system.posix_acl_access", &acl, sizeof(acl),
			   0),
		  EPERM);
}

TEST(walks, packets_in_other_pages)
{
	char buf[8];
	int p[2];

	CHECK_OK(pipe2(p, O_DIRECT | O_NONBLOCK));
	CHECK_EQ(write(p[1], "one", 3), 3);
	CHECK_EQ(write(p[1], "zero", 4), 4);
	CHECK_EQ(read(p[0], buf, 8), 3);
	CHECK_EQ(write(p[1], "two", 3), 3);
	CHECK_EQ(write(p[1], "three", 5), 5);
	CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 2 * PAGE), EBUSY);
	CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 4 * PAGE), 4 * PAGE);
	CHECK_EQ(write(p[1], "4", 1), 1);
	CHECK_ERR(write(p[1], "5", 1), EAGAIN);
	CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 32 * PAGE), 32 * PAGE);
	CHECK_EQ(write(p[1], "five", 4), 4);
	CHECK_EQ(read(p[0], buf, 8), 4);
	CHECK_EQ(read(p[0], buf, 8), 3);
	CHECK_EQ(read(p[0], buf, 8), 5);
	CHECK(!memcmp(buf, "three", 5));
	CHECK_EQ(read(p[0], buf, 8), 1);
	CHECK_EQ(read(p[0], buf, 8), 4);
	CHECK_ERR(read(p[0], buf, 8), EAGAIN);
}

/* A write that would make the file grow is refused whole. */
TEST(walks, sealed_in_part)
{
	static char buf[3 * PAGE];
	int fd = memfd_create("m", MFD_ALLOW_SEALING);

	CHECK_OK(fd);
	CHECK_OK(ftruncate(fd, PAGE + 100));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	memset(buf, 'x', sizeof(buf));
	CHECK_ERR(pwrite(fd, buf, 10, PAGE + 95), EPERM);
	CHECK_EQ(pwrite(fd, buf, 5, PAGE + 95), 5);
	CHECK_ERR(pwrite(fd, buf, 2 * PAGE, 10), EPERM);
	CHECK_EQ(pread(fd, buf, PAGE, PAGE), 100);
	CHECK_EQ(buf[0], 0);
}

/* The next event of @in, which is @mask; 0: there is none. */
static void next_is(int in, uint32_t mask)
{
	char buf[256] __attribute__((aligned(8)));
	struct inotify_event *e = (void *)buf;
	ssize_t n = read(in, buf, sizeof(*e));

	if (!mask)
		CHECK(n == -1 && errno == EAGAIN);
	else
		CHECK_EQ(n, sizeof(*e));
	if (mask)
		CHECK_EQ(e->mask, mask);
}

TEST(walks, attributes_are_told)
{
	int in = inotify_init1(IN_NONBLOCK);

	close(ut_open("f", ""));
	CHECK_OK(inotify_add_watch(in, "f", IN_ATTRIB));
	CHECK_OK(setxattr("f", "user.a", "1", 1, 0));
	next_is(in, IN_ATTRIB);
	CHECK_ERR(setxattr("f", "user.a", "1", 1, XATTR_CREATE), EEXIST);
	next_is(in, 0);
	CHECK_OK(removexattr("f", "user.a"));
	next_is(in, IN_ATTRIB);
}

static int exec_f(void *arg)
{
	(void)arg;
	execl("./f", "f", NULL);
	return errno;
}

/* One time alone is as the access that sets it; room that is made is a change. */
TEST(walks, times_are_told)
{
	struct timespec t[2] = { { 5, 0 }, { 0, UTIME_OMIT } };
	int in = inotify_init1(IN_NONBLOCK), fd = ut_open("f", "");

	CHECK_OK(inotify_add_watch(in, "f", IN_ATTRIB | IN_ACCESS | IN_MODIFY));
	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	next_is(in, IN_ACCESS);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = 0;
	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	next_is(in, IN_MODIFY);
	t[0].tv_nsec = 0;
	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	next_is(in, IN_ATTRIB);
	CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PAGE));
	next_is(in, IN_MODIFY);
	next_is(in, 0);
}

/* What could not be opened is not closed. */
TEST(walks, opened_in_vain)
{
	int in = inotify_init1(IN_NONBLOCK), fd = ut_open("f", "");

	if (getuid())
		ut_skip("not root");
	CHECK_OK(mkdir("m", 0700));
	CHECK_OK(mount("f", "m", "tmpfs", 0, NULL));
	close(fd);
	close(ut_open("m/f", ""));
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_OK(inotify_add_watch(in, "m/f", IN_CLOSE | IN_OPEN));
	CHECK_ERR(open("m/f", O_WRONLY), EROFS);
	CHECK_OK(mknod("m2", S_IFCHR | 0600, makedev(254, 77)));
	CHECK_OK(inotify_add_watch(in, "m2", IN_CLOSE | IN_OPEN));
	CHECK_ERR(open("m2", O_RDONLY), ENXIO);
	next_is(in, 0);
	CHECK_OK(umount("m"));
}

TEST(walks, nothing_to_read)
{
	int in = inotify_init1(IN_NONBLOCK);

	close(ut_open("f", ""));
	CHECK_OK(chmod("f", 0755));
	CHECK_OK(inotify_add_watch(in, "f", IN_ACCESS | IN_CLOSE_NOWRITE));
	CHECK_EQ(ut_wait(ut_fork(exec_f, NULL)), ENOEXEC);
	next_is(in, IN_CLOSE_NOWRITE);
	next_is(in, 0);
}

/* --- identities */

TEST(walks, ids_that_are_there)
{
	int sig = -1;

	if (getuid())
		ut_skip("not root");
	(void)setfsuid(1);
	(void)setfsgid(1);
	CHECK_OK(setresuid(0, -1, 0));
	CHECK_OK(setresgid(-1, -1, -1));
	CHECK_EQ(setfsuid(-1), 1);
	CHECK_EQ(setfsgid(-1), 1);
	CHECK_OK(setresuid(-1, 0, -1));
	CHECK_EQ(setfsuid(-1), 0);
	CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	CHECK_OK(setresuid(-1, 0, 2)); /* acts as before */
	CHECK_OK(prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, SIGUSR1);
	CHECK_OK(setresuid(-1, 2, -1));
	CHECK_OK(prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, 0);
}

static int hold_down(void *arg)
{
	(void)arg;
	if (setresuid(1, 0, 1) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 90;
	execl("/bin/busybox", "grep", "-q", "Uid:\t1\t1\t1\t1",
	      "/proc/self/status", NULL);
	return 91;
}

/* Without new privileges not even the effective id of before is kept. */
TEST(walks, no_borrowed_id)
{
	if (getuid())
		ut_skip("not root");
	CHECK_EQ(ut_wait(ut_fork(hold_down, NULL)), 0);
}

static void drop_cap(int cap, bool permitted)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK_OK(syscall(SYS_capget, &h, d));
	d[0].effective &= ~(1u << cap);
	if (permitted)
		d[0].permitted &= ~(1u << cap);
	CHECK_OK(syscall(SYS_capset, &h, d));
}

/* A program that has just been started; with a capability that its maker has not
 * got, if @gains. */
static pid_t started(bool gains)
{
	int p[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe2(p, O_CLOEXEC));
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		if (gains)
			drop_cap(CAP_CHOWN, true);
		execl("/bin/busybox", "sleep", "9", NULL);
		_exit(1);
	}
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 0); /* it has closed it by now */
	close(p[0]);
	return pid;
}

TEST(walks, who_gains_is_not_dumped)
{
	pid_t same, more;

	if (getuid())
		ut_skip("not root");
	same = started(false);
	more = started(true);
	drop_cap(CAP_SYS_PTRACE, false);
	CHECK_OK(ptrace(PTRACE_SEIZE, same, 0, 0));
	CHECK_ERR(ptrace(PTRACE_SEIZE, more, 0, 0), EPERM);
	kill(same, SIGKILL);
	kill(more, SIGKILL);
}

TEST(walks, group_of_none)
{
	int m = posix_openpt(O_RDWR | O_NOCTTY), s;

	CHECK_OK(m);
	CHECK_OK(unlockpt(m));
	CHECK_OK(s = open(ptsname(m), O_RDWR | O_NOCTTY));
	CHECK_ERR(tcsetpgrp(s, -5), EINVAL);
	CHECK_ERR(tcsetpgrp(s, getpgrp()), ENOTTY);
	CHECK_ERR(ioctl(m, TIOCSIG, SIGWINCH), EINVAL); /* not typed */
	CHECK_OK(ioctl(m, TIOCSIG, SIGQUIT));
}

/* --- stops */

static int stops(void *arg)
{
	(void)arg;
	setpgid(0, 0);
	raise(SIGSTOP);
	raise(SIGTSTP);
	raise(SIGUSR1);
	raise(SIGUSR2);
	return 7;
}

static int status_of(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

#define GOES_ON(pid, sig) CHECK_OK(ptrace(PTRACE_CONT, pid, 0, sig))

/* Each stop tells its own signal, also when the first was not ended by SIGCONT; what
 * is asked of a thread that delivers a signal comes before the next one. */
TEST(walks, stops_of_a_seized)
{
	pid_t pid = ut_fork(stops, NULL);
	int status;

	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
	CHECK_EQ(status_of(pid), EVENT_STOP_(SIGSTOP));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), W_STOPCODE(SIGTSTP));
	GOES_ON(pid, SIGTSTP);
	CHECK_EQ(status_of(pid), EVENT_STOP_(SIGTSTP));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), W_STOPCODE(SIGUSR1));
	CHECK_OK(kill(pid, SIGUSR2));
	CHECK_OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), EVENT_STOP_(SIGTSTP));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), W_STOPCODE(SIGUSR2));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), W_STOPCODE(SIGUSR2));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), 7 << 8);
}

static int calls(void *arg)
{
	(void)arg;
	raise(SIGSTOP);
	(void)syscall(SYS_getppid);
	raise(SIGUSR1);
	return 7;
}

/* The end of the call is the stop that was asked for at its beginning. */
TEST(walks, any_stop_will_do)
{
	pid_t pid = ut_fork(calls, NULL);
	struct __ptrace_syscall_info si;
	int status;

	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	CHECK_EQ(status_of(pid), EVENT_STOP_(SIGSTOP));
	do {
		CHECK_OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		CHECK_EQ(status_of(pid), W_STOPCODE(SIGTRAP | 0x80));
		CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(si), &si) >
		      0);
	} while (si.op != PTRACE_SYSCALL_INFO_ENTRY ||
		 si.entry.nr != SYS_getppid);
	CHECK_OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	CHECK_OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
	CHECK_EQ(status_of(pid), W_STOPCODE(SIGTRAP | 0x80));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), W_STOPCODE(SIGUSR1));
	GOES_ON(pid, 0);
	CHECK_EQ(status_of(pid), 7 << 8);
}
