/* SPDX-License-Identifier: MIT */
/*
 * user/tests/pidns.c - PID namespaces: numbers, init, /proc, the end.
 */
#include "utest.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define NS_GET_PARENT	0xb702
#define NS_GET_PID_FROM 0x8004b706
#define NS_GET_PID_IN	0x8004b708

static int up[2], down[2]; /* from the child, to it */

static void tell(void)
{
	CHECK_EQ(write(up[1], "x", 1), 1);
}

static void hear(int fd)
{
	char c;

	CHECK_EQ(read(fd, &c, 1), 1);
}

/* The init of a new namespace, which runs @fn. */
static pid_t spawn(int flags, void (*fn)(void))
{
	pid_t pid;

	CHECK_OK(pipe(up));
	CHECK_OK(pipe(down));
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | flags | SIGCHLD, 0, 0, 0,
			     0);
	CHECK_OK(pid);
	if (!pid) {
		fn();
		_exit(0);
	}
	return pid;
}

static void field(pid_t pid, const char *name, char *out, size_t n)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	CHECK(f);
	out[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			snprintf(out, n, "%s", line + strlen(name));
	fclose(f);
}

static void numbers_inside(void)
{
	pid_t pid;
	int st;

	CHECK_EQ(getpid(), 1);
	CHECK_EQ(syscall(SYS_gettid), 1);
	CHECK_EQ(getppid(), 0);
	CHECK_EQ(getpgid(0), 0); /* outside */
	CHECK_EQ(getsid(0), 0);
	CHECK_ERR(kill(0x7ffe, 0), ESRCH);
	pid = fork();
	if (!pid) {
		CHECK_EQ(getpid(), 2);
		CHECK_EQ(getppid(), 1);
		CHECK_OK(setsid());
		CHECK_EQ(getsid(0), 2);
		CHECK_EQ(getpgrp(), 2);
		_exit(5);
	}
	CHECK_EQ(pid, 2);
	CHECK_EQ(waitpid(2, &st, 0), 2);
	CHECK_EQ(WEXITSTATUS(st), 5);
	pid = fork();
	if (!pid)
		_exit(0);
	CHECK_EQ(pid, 3);
	CHECK_EQ(setpgid(pid, pid) && errno != ESRCH && errno != EACCES, 0);
	CHECK_EQ(waitpid(-1, &st, 0), 3);
	CHECK_ERR(waitpid(-1, &st, 0), ECHILD);
	tell();
	hear(down[0]);
}

TEST(pidns, numbers)
{
	pid_t pid = spawn(0, numbers_inside);
	char buf[128], want[64];
	int fd, mine;

	hear(up[0]);
	snprintf(want, sizeof(want), "\t%d\t1\n", pid);
	field(pid, "NSpid:", buf, sizeof(buf));
	CHECK(!strcmp(buf, want));
	snprintf(want, sizeof(want), "\t%d\n", pid);
	field(pid, "Pid:", buf, sizeof(buf));
	CHECK(!strcmp(buf, want));
	snprintf(buf, sizeof(buf), "/proc/%d/ns/pid", pid);
	CHECK_OK(fd = open(buf, O_RDONLY));
	CHECK_EQ(ioctl(fd, NS_GET_PID_FROM, 1), pid);
	CHECK_EQ(ioctl(fd, NS_GET_PID_IN, pid), 1);
	CHECK_ERR(ioctl(fd, NS_GET_PID_IN, getpid()), ESRCH);
	CHECK_OK(mine = ioctl(fd, NS_GET_PARENT));
	CHECK_ERR(ioctl(mine, NS_GET_PARENT), EPERM);
	CHECK_EQ(write(down[1], "x", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	/* one whose init has ended takes nobody */
	CHECK_OK(setns(fd, CLONE_NEWPID));
	CHECK_ERR(fork(), ENOMEM);
	CHECK_OK(setns(mine, CLONE_NEWPID));
	CHECK_EQ(ut_wait(fork() ?: (_exit(0), 0)), 0);
}

static volatile sig_atomic_t got;

static void handler(int sig, siginfo_t *si, void *uc)
{
	got = si->si_pid + 1;
}

static void signals_inside(void)
{
	struct sigaction sa = { .sa_sigaction = handler,
				.sa_flags = SA_SIGINFO };
	pid_t pid;

	/* nothing from inside ends it */
	CHECK_OK(kill(1, SIGTERM));
	CHECK_OK(kill(1, SIGKILL));
	CHECK_OK(kill(1, SIGSTOP));
	pid = fork();
	if (!pid) {
		kill(1, SIGKILL);
		kill(1, SIGHUP);
		_exit(kill(-1, 0) && errno == ESRCH ? 0 : 1);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	pid = fork();
	if (!pid) {
		kill(1, SIGUSR1);
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(got, pid + 1);
	got = 0;
	tell();
	while (!got)
		ut_sleep_ms(1);
	CHECK_EQ(got, 0 + 1); /* somebody outside */
	tell();
	for (;;)
		pause();
}

TEST(pidns, signals)
{
	pid_t pid = spawn(0, signals_inside);

	hear(up[0]);
	CHECK_OK(kill(pid, SIGUSR1));
	hear(up[0]);
	CHECK_OK(kill(pid, SIGTERM)); /* no handler: from outside, too */
	ut_sleep_ms(20);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

static void end_inside(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (!pid) {
			signal(SIGTERM, SIG_IGN);
			if (i == 0)
				setsid();
			if (i == 1)
				raise(SIGSTOP);
			if (i == 2)
				_exit(0); /* nobody waits */
			for (;;)
				pause();
		}
	}
	ut_sleep_ms(20);
	tell();
	hear(down[0]);
}

/* All of a namespace ends with its init, before that does. */
TEST(pidns, end)
{
	pid_t pid = spawn(0, end_inside);
	struct pollfd p = { .events = POLLIN };

	hear(up[0]);
	CHECK_EQ(write(down[1], "x", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	close(up[1]);
	p.fd = up[0];
	CHECK_EQ(poll(&p, 1, 0), 1); /* nobody has the other end */
	CHECK_EQ(p.revents, POLLHUP);
}

static unsigned int reboot_cmd;

/* The grandchild restarts or stops what is to it the machine. */
static void reboot_inside(void)
{
	CHECK_ERR(syscall(SYS_reboot, 0xfee1deadu, 1, reboot_cmd, 0), EINVAL);
	CHECK_ERR(syscall(SYS_reboot, 0xfee1deadu, 0x28121969u, 0x89abcdefu, 0),
		  EINVAL); /* Ctrl-Alt-Del is the real one's */
	if (!fork()) {
		(void)syscall(SYS_reboot, 0xfee1deadu, 0x28121969u, reboot_cmd,
			      0);
		_exit(77);
	}
	for (;;)
		pause();
}

TEST(pidns, reboot)
{
	static const struct {
		unsigned int cmd;
		int sig;
	} c[] = { { 0x01234567u, SIGHUP },
		  { 0x4321fedcu, SIGINT },
		  { 0xcdef0123u, SIGINT } };

	if (getuid())
		return;
	for (unsigned int i = 0; i < 3; i++) {
		int st;
		pid_t pid;

		reboot_cmd = c[i].cmd;
		pid = spawn(0, reboot_inside);
		CHECK_EQ(waitpid(pid, &st, 0), pid);
		CHECK(WIFSIGNALED(st) && WTERMSIG(st) == c[i].sig);
	}
}

static void orphan_inside(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (!fork()) {
			while (getppid() != 1)
				ut_sleep_ms(1);
			_exit(7);
		}
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(ut_wait(pid + 1), 7);
}

TEST(pidns, orphans)
{
	CHECK_EQ(ut_wait(spawn(0, orphan_inside)), 0);
}

static void proc_inside(void)
{
	char buf[64], want[64];
	struct stat st;
	ssize_t n;

	/* the old one still shows the old numbers */
	n = readlink("/proc/self", buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n] = 0;
	CHECK(atoi(buf) > 1);
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mount("proc", "/proc", "proc", 0, NULL));
	n = readlink("/proc/self", buf, sizeof(buf) - 1);
	CHECK_EQ(n, 1);
	CHECK_EQ(buf[0], '1');
	CHECK_ERR(stat("/proc/2", &st), ENOENT);
	CHECK_OK(stat("/proc/1/task/1", &st));
	field(1, "NSpid:", buf, sizeof(buf));
	CHECK(!strcmp(buf, "\t1\n"));
	field(1, "PPid:", buf, sizeof(buf));
	CHECK(!strcmp(buf, "\t0\n"));
	snprintf(want, sizeof(want), "/proc/%d", fork() ?: (_exit(0), 0));
	CHECK(!strcmp(want, "/proc/2"));
	CHECK_OK(stat(want, &st));
	CHECK_EQ(ut_wait(2), 0);
	CHECK_ERR(stat(want, &st), ENOENT);
}

TEST(pidns, proc)
{
	CHECK_EQ(ut_wait(spawn(CLONE_NEWNS, proc_inside)), 0);
}

/* unshare() is for children; once, and no threads after it. */
TEST(pidns, unshare)
{
	char a[64], b[64];
	int st, fd;
	pid_t pid;

	CHECK_OK(fd = open("/proc/self/ns/pid", O_RDONLY));
	CHECK_OK(unshare(CLONE_NEWPID));
	CHECK(getpid() != 1);
	CHECK_ERR(readlink("/proc/self/ns/pid_for_children", a, sizeof(a)),
		  ENOENT);
	CHECK_ERR(unshare(CLONE_NEWPID), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0,
			  0, 0, 0),
		  EINVAL);
	pid = fork();
	if (!pid)
		_exit(getpid() == 1 ? 0 : 1);
	CHECK(pid > 1);
	CHECK(readlink("/proc/self/ns/pid", a, sizeof(a)) > 0);
	CHECK(readlink("/proc/self/ns/pid_for_children", b, sizeof(b)) > 0);
	CHECK(strncmp(a, b, 16));
	CHECK_EQ(waitpid(pid, &st, 0), pid);
	CHECK_EQ(st, 0);
	CHECK_ERR(fork(), ENOMEM);
	CHECK_OK(setns(fd, 0));
	CHECK_EQ(ut_wait(fork() ?: (_exit(0), 0)), 0);
}

static void borders_inside(void)
{
	struct ucred uc;
	socklen_t len = sizeof(uc);
	struct flock fl = { .l_type = F_WRLCK };
	int s[2], fd;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &uc, &len));
	CHECK_EQ(uc.pid, 1);
	CHECK_OK(fcntl(s[0], F_SETOWN, 1));
	CHECK_EQ(fcntl(s[0], F_GETOWN), 1);
	CHECK_ERR(fcntl(s[0], F_SETOWN, 77), ESRCH);
	CHECK_OK(fd = (int)syscall(SYS_pidfd_open, 1, 0));
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	CHECK_ERR(syscall(SYS_pidfd_open, 2, 0), ESRCH);
	CHECK_OK(fd = open("lock", O_RDWR));
	CHECK_OK(fcntl(fd, F_GETLK, &fl));
	CHECK_EQ(fl.l_type, F_WRLCK);
	CHECK_EQ(fl.l_pid, 0); /* of outside */
	CHECK_OK(sched_getscheduler(1));
	CHECK_ERR(sched_getscheduler(2), ESRCH);
	CHECK_OK(setns(open("/proc/self/ns/pid", O_RDONLY), 0)); /* stay */
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
}

TEST(pidns, borders)
{
	struct flock fl = { .l_type = F_WRLCK };
	int fd = ut_open("lock", "x");
	pid_t pid;
	siginfo_t si;

	CHECK_OK(fcntl(fd, F_SETLK, &fl));
	pid = spawn(0, borders_inside);
	CHECK_OK(waitid(P_ALL, 0, &si, WEXITED));
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, 0);
}

static void nested_inside(void)
{
	int p[2];
	char c = 0;
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		CHECK_EQ(getpid(), 1);
		CHECK_EQ(getppid(), 0);
		CHECK_EQ(write(p[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(pid, 2);
	CHECK_EQ(read(p[0], &c, 1), 1);
	tell();
	hear(down[0]);
	_exit(9); /* and takes the inner one with it */
}

TEST(pidns, nested)
{
	pid_t pid = spawn(0, nested_inside);
	char buf[128], path[64];
	int inner;
	FILE *f;

	hear(up[0]);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	if (f) {
		CHECK_EQ(fscanf(f, "%d", &inner), 1);
		fclose(f);
		snprintf(path, sizeof(path), "\t%d\t2\t1\n", inner);
		field(inner, "NSpid:", buf, sizeof(buf));
		CHECK(!strcmp(buf, path));
		CHECK_EQ(write(down[1], "x", 1), 1);
		CHECK_EQ(ut_wait(pid), 9);
		CHECK_ERR(kill(inner, 0), ESRCH);
	} else {
		CHECK_EQ(write(down[1], "x", 1), 1);
		CHECK_EQ(ut_wait(pid), 9);
	}
}

TEST(pidns, set_tid)
{
	pid_t want[2] = { 1, 0 }, pid;
	struct clone_args a = { .flags = CLONE_NEWPID,
				.exit_signal = SIGCHLD,
				.set_tid = (uintptr_t)want,
				.set_tid_size = 2 };

	want[1] = 20000;
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (!pid)
		_exit(getpid() == 1 ? 0 : 1);
	CHECK_EQ(pid, 20000);
	CHECK_EQ(ut_wait(pid), 0);
	want[0] = 5;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	want[0] = 1;
	a.set_tid_size = 3;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
}

/* Without privileges: a user namespace gives the right to the rest. */
TEST(pidns, with_userns)
{
	pid_t pid;

	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(unshare(CLONE_NEWPID), EPERM);
	CHECK_OK(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS));
	pid = fork();
	if (!pid) {
		CHECK_EQ(getpid(), 1);
		CHECK_OK(mount("proc", "/proc", "proc", 0, NULL));
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
}

/* Many that come and go: numbers are given again. */
TEST(pidns, churn)
{
	for (int i = 0; i < 60; i++) {
		pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0,
					   0, 0, 0);

		CHECK_OK(pid);
		if (!pid) {
			for (int k = 0; k < 4; k++)
				if (!fork())
					_exit(0);
			_exit(0);
		}
		CHECK_EQ(ut_wait(pid), 0);
	}
}
