/* SPDX-License-Identifier: MIT */
/*
 * user/tests/anonfiles.c - files that have no inode of their own: what is asked of any file.
 *
 * All of them have one inode together, so locks meet, whatever the files are.
 */
#include "utest.h"

#include <linux/fs.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>

#define NR_KINDS 5
#define INOTIFY	 3

static void open_all(int *fd)
{
	sigset_t none;

	sigemptyset(&none);
	fd[0] = epoll_create1(0);
	fd[1] = eventfd(0, 0);
	fd[2] = timerfd_create(CLOCK_MONOTONIC, 0);
	fd[INOTIFY] = inotify_init();
	fd[4] = signalfd(-1, &none, 0);
	for (int i = 0; i < NR_KINDS; i++)
		CHECK(fd[i] >= 0);
}

TEST(anonfiles, flock)
{
	int fd[NR_KINDS];

	open_all(fd);
	for (int i = 0; i < NR_KINDS; i++) {
		int other = fd[(i + 1) % NR_KINDS];

		CHECK_OK(flock(fd[i], LOCK_EX | LOCK_NB));
		CHECK_ERR(flock(other, LOCK_EX | LOCK_NB), EAGAIN);
		CHECK_OK(flock(fd[i], LOCK_SH | LOCK_NB));
		CHECK_OK(flock(other, LOCK_SH | LOCK_NB));
		CHECK_OK(flock(other, LOCK_UN));
		CHECK_OK(flock(fd[i], LOCK_UN));
	}
	/* who closes it gives it up */
	CHECK_OK(flock(fd[1], LOCK_EX | LOCK_NB));
	CHECK_OK(close(fd[1]));
	CHECK_OK(flock(fd[0], LOCK_EX | LOCK_NB));
}

static int lock(int fd, int cmd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, cmd, &l);
}

TEST(anonfiles, records)
{
	int fd[NR_KINDS];
	pid_t pid;

	open_all(fd);
	for (int i = 0; i < NR_KINDS; i++) {
		CHECK_OK(lock(fd[i], F_SETLK, F_RDLCK));
		if (i == INOTIFY) /* can only be read */
			CHECK_ERR(lock(fd[i], F_SETLK, F_WRLCK), EBADF);
		else
			CHECK_OK(lock(fd[i], F_SETLK, F_WRLCK));
	}
	CHECK_ERR(lock(fd[0], F_OFD_SETLK, F_WRLCK), EAGAIN);
	pid = fork();
	if (!pid) {
		struct flock l = { .l_type = F_WRLCK };

		if (fcntl(fd[2], F_GETLK, &l) || l.l_type != F_WRLCK ||
		    l.l_pid != getppid())
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
	/* a process loses them when it closes any file of the inode */
	CHECK_OK(close(fd[4]));
	CHECK_OK(lock(fd[0], F_OFD_SETLK, F_WRLCK));
}

TEST(anonfiles, attributes)
{
	int fd[NR_KINDS];
	char b[16];

	open_all(fd);
	for (int i = 0; i < NR_KINDS; i++) {
		CHECK_ERR(fgetxattr(fd[i], "user.a", b, sizeof(b)), ENODATA);
		CHECK_ERR(fgetxattr(fd[i], "trusted.a", b, sizeof(b)),
			  EOPNOTSUPP);
		CHECK_ERR(fsetxattr(fd[i], "user.a", "x", 1, 0), EPERM);
		CHECK_ERR(fremovexattr(fd[i], "user.a"), EPERM);
		CHECK_EQ(flistxattr(fd[i], b, sizeof(b)), 0);
	}
}

TEST(anonfiles, positions)
{
	int fd[NR_KINDS];

	open_all(fd);
	for (int i = 0; i < NR_KINDS; i++) {
		CHECK_EQ(lseek(fd[i], 5, SEEK_SET), 0);
		CHECK_ERR(lseek(fd[i], 5, 99), EINVAL);
	}
}

/* Of the file system on which a file lies, whatever it is. */
TEST(anonfiles, volume)
{
	int fd[NR_KINDS + 2], size;

	open_all(fd);
	CHECK_OK(pipe(fd + NR_KINDS));
	for (int i = 0; i < NR_KINDS + 2; i++) {
		size = 0;
		CHECK_OK(ioctl(fd[i], FIGETBSZ, &size));
		CHECK_EQ(size, 4096);
		CHECK_ERR(ioctl(fd[i], FIFREEZE, 0), EOPNOTSUPP);
		CHECK_ERR(ioctl(fd[i], FITHAW, 0), EINVAL);
	}
}

/* read(2) of nothing takes no message, and asks no socket. */
TEST(anonfiles, read_of_nothing)
{
	char b[16];
	int s[2], t;

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
	CHECK_EQ(read(s[0], b, 0), 0);
	CHECK_EQ(write(s[1], "abc", 3), 3);
	CHECK_EQ(read(s[0], b, 0), 0);
	CHECK_EQ(read(s[0], b, sizeof(b)), 3);
	CHECK_ERR(recv(s[0], b, 0, 0), EAGAIN);
	t = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(t);
	CHECK_EQ(read(t, b, 0), 0);
	CHECK_ERR(recv(t, b, 0, 0), ENOTCONN);
}

/* Locks of two owners that are cut, and stay in order whoever looks for which. */
TEST(anonfiles, locks_are_cut)
{
	struct flock a = { .l_type = F_RDLCK, .l_start = 0, .l_len = 100 };
	struct flock b = { .l_type = F_RDLCK, .l_start = 10, .l_len = 10 };
	struct flock cut = { .l_type = F_UNLCK, .l_start = 0, .l_len = 50 };
	struct flock w = { .l_type = F_WRLCK, .l_start = 12, .l_len = 1 };
	int fd = open("f", O_RDWR | O_CREAT, 0600), other, third;

	other = open("f", O_RDWR);
	third = open("f", O_RDWR);
	CHECK(fd >= 0 && other >= 0 && third >= 0);
	CHECK_OK(fcntl(fd, F_OFD_SETLK, &a));
	CHECK_OK(fcntl(other, F_OFD_SETLK, &b));
	CHECK_OK(fcntl(fd, F_OFD_SETLK, &cut)); /* 50 to 99 */
	CHECK_ERR(fcntl(third, F_OFD_SETLK, &w), EAGAIN);
	w.l_start = 55;
	CHECK_ERR(fcntl(third, F_OFD_SETLK, &w), EAGAIN);
	w.l_start = 30;
	CHECK_OK(fcntl(third, F_OFD_SETLK, &w));
	/* what touches becomes one: b is [10, 30) */
	b.l_start = 20;
	CHECK_OK(fcntl(other, F_OFD_SETLK, &b));
	w = (struct flock){ .l_type = F_WRLCK, .l_start = 29, .l_len = 1 };
	CHECK_OK(fcntl(third, F_OFD_GETLK, &w));
	CHECK_EQ(w.l_type, F_RDLCK);
	CHECK_EQ(w.l_start, 10);
	CHECK_EQ(w.l_len, 20);
}
