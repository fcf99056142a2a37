/* SPDX-License-Identifier: MIT */
/*
 * user/tests/listener.c - system calls that another process answers.
 */
#include "utest.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define CLONE_FILES_ 0x400
#define MAGIC	     116983961184613L

/* A filter that asks about call @nr; what seccomp(2) says. */
static int listen_to(long nr, unsigned int flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };

	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int listener(unsigned int more)
{
	int fd =
		listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_NEW_LISTENER | more);

	CHECK_OK(fd);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	return fd;
}

static short events(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	CHECK_OK(poll(&p, 1, ms));
	return p.revents;
}

static struct seccomp_notif receive(int fd)
{
	struct seccomp_notif n;

	CHECK_EQ(events(fd, 5000), POLLIN);
	memset(&n, 0, sizeof(n));
	CHECK_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n));
	CHECK_EQ(n.data.nr, SYS_getppid);
	CHECK_EQ(events(fd, 0), POLLOUT);
	CHECK_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	return n;
}

static int answer(int fd, __u64 id, long val, int error, unsigned int flags)
{
	struct seccomp_notif_resp r = { id, val, error, flags };

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

TEST(seccomp, listener)
{
	int fd = listener(0);
	struct seccomp_notif n;
	pid_t pid, parent = getpid();
	__u16 sizes[3];

	CHECK_OK(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes));
	CHECK_EQ(sizes[0], sizeof(struct seccomp_notif));
	CHECK_EQ(sizes[1], sizeof(struct seccomp_notif_resp));
	CHECK_ERR(listen_to(SYS_getpid, SECCOMP_FILTER_FLAG_NEW_LISTENER),
		  EBUSY); /* one is enough */
	pid = fork();
	if (!pid) {
		if (syscall(SYS_getppid) != MAGIC)
			_exit(1);
		if (syscall(SYS_getppid) != -1 || errno != EBUSY)
			_exit(2);
		_exit(syscall(SYS_getppid) == parent ? 0 : 3);
	}
	n = receive(fd);
	CHECK_EQ(n.pid, pid);
	CHECK_ERR(answer(fd, n.id + 9, 0, 0, 0), ENOENT);
	CHECK_ERR(answer(fd, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE),
		  EINVAL);
	CHECK_OK(answer(fd, n.id, MAGIC, 0, 0));
	n = receive(fd);
	CHECK_OK(answer(fd, n.id, 0, -EBUSY, 0));
	n = receive(fd);
	CHECK_OK(answer(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(seccomp, listener_continue)
{
	int fd = listener(0);
	pid_t me = getpid(), pid = fork();

	if (!pid)
		_exit(syscall(SYS_getppid) == me ? 7 : 1);
	CHECK_OK(answer(fd, receive(fd).id, 0, 0,
			SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	CHECK_EQ(ut_wait(pid), 7);
}

/* Who waits for an answer gets ENOSYS when nobody can give one. */
TEST(seccomp, listener_closed)
{
	int fd = listener(0), pid = fork();

	if (!pid) {
		close(fd);
		_exit(syscall(SYS_getppid) == -1 ? errno : 255);
	}
	receive(fd);
	close(fd);
	CHECK_EQ(ut_wait(pid), ENOSYS);
	CHECK_ERR(syscall(SYS_getppid), ENOSYS);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A signal ends the wait, but not when the question was read and that was asked. */
static int interrupted(void *arg)
{
	struct sigaction sa = { .sa_handler = nothing };
	long r;

	(void)arg;
	sigaction(SIGUSR1, &sa, NULL);
	r = syscall(SYS_getppid);
	return r == MAGIC ? 9 : r == -1 ? errno : 255;
}

TEST(seccomp, listener_signals)
{
	int fd = listener(0);
	pid_t pid = ut_fork(interrupted, NULL);
	struct seccomp_notif n = receive(fd);

	CHECK_OK(kill(pid, SIGUSR1));
	CHECK_EQ(ut_wait(pid), EINTR);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), ENOENT);
	CHECK_ERR(answer(fd, n.id, 0, 0, 0), ENOENT);
}

TEST(seccomp, listener_killable)
{
	int fd = listener(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	pid_t pid = ut_fork(interrupted, NULL);
	struct seccomp_notif n = receive(fd);

	CHECK_OK(kill(pid, SIGUSR1));
	ut_sleep_ms(50);
	CHECK_OK(answer(fd, n.id, MAGIC, 0, 0));
	CHECK_EQ(ut_wait(pid), 9);
	pid = ut_fork(interrupted, NULL);
	receive(fd);
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGTERM));
}

static int wants_descriptor(void *arg)
{
	int fd = *(int *)arg, got;
	char c;

	close(fd);
	got = (int)syscall(SYS_getppid);
	if (fcntl(42, F_GETFD) != 0 || read(42, &c, 1) != 1 || c != 'a')
		return 1;
	if (fcntl(got, F_GETFD) != FD_CLOEXEC)
		return 2;
	return read(got, &c, 1) == 1 && c == 'b' ? 0 : 3;
}

TEST(seccomp, listener_gives_descriptors)
{
	int fd = listener(0), file = ut_open("f", "ab");
	pid_t pid = ut_fork(wants_descriptor, &fd);
	struct seccomp_notif n = receive(fd);
	struct seccomp_notif_addfd a = { .id = n.id, .srcfd = (__u32)file };

	a.newfd = 42;
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINVAL);
	a.flags = SECCOMP_ADDFD_FLAG_SETFD;
	CHECK_EQ(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a), 42);
	a.srcfd = 999;
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EBADF);
	a = (struct seccomp_notif_addfd){ .id = n.id,
					  .srcfd = (__u32)file,
					  .newfd_flags = O_CLOEXEC };
	a.flags = SECCOMP_ADDFD_FLAG_SEND;
	CHECK_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a));
	CHECK_EQ(ut_wait(pid), 0);
}

static int only_child(void *arg)
{
	int *p = arg,
	    fd = listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_NEW_LISTENER);

	/* to the parent, through a table that both have */
	return fd < 0 || write(p[1], &fd, sizeof(fd)) != sizeof(fd);
}

/* Nobody has the filter any more. */
TEST(seccomp, listener_without_users)
{
	struct seccomp_notif n;
	int p[2], fd = -1;
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES_ | SIGCHLD, 0, 0, 0, 0);
	CHECK_OK(pid);
	if (!pid)
		_exit(only_child(p));
	CHECK_EQ(read(p[0], &fd, sizeof(fd)), sizeof(fd));
	CHECK_EQ(events(fd, 5000) & POLLHUP, POLLHUP);
	CHECK_EQ(ut_wait(pid), 0);
	memset(&n, 0, sizeof(n));
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n), ENOENT);
}
