/* SPDX-License-Identifier: MIT */
/*
 * user/tests/lease.c - leases, owners of files, and flags of one transfer.
 */
#include "utest.h"

#include <sys/uio.h>

static volatile sig_atomic_t told;

static void on_io(int sig)
{
	told = sig;
}

static int opens_for_writing(void *arg)
{
	int fd = open("f", O_WRONLY | O_NONBLOCK);

	if (fd >= 0 || errno != EWOULDBLOCK)
		return 1;
	fd = open("f", O_WRONLY); /* waits */
	return fd < 0 ? 2 : 0;
}

TEST(lease, breaks)
{
	pid_t child;
	int fd, w = ut_open("f", "hello");

	CHECK_EQ(fcntl(w, F_GETLEASE), F_UNLCK);
	CHECK_OK(fcntl(w, F_SETLEASE, F_WRLCK));
	CHECK_ERR(fcntl(w, F_SETLEASE, F_RDLCK), EAGAIN);
	CHECK_EQ(fcntl(w, F_GETLEASE), F_WRLCK);
	close(w);
	fd = open("f", O_RDONLY);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK_ERR(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
	CHECK_ERR(fcntl(fd, F_SETLEASE, 7), EINVAL);
	CHECK_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
	signal(SIGIO, on_io);
	child = ut_fork(opens_for_writing, NULL);
	while (!told)
		ut_sleep_ms(1);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	ut_sleep_ms(20);
	CHECK_OK(fcntl(fd, F_SETLEASE, F_UNLCK));
	CHECK_EQ(ut_wait(child), 0);
}

static int cuts(void *arg)
{
	close(*(int *)arg);
	return truncate("f", 1) ? errno : 0;
}

TEST(lease, truncate_breaks)
{
	pid_t child;
	int fd;

	close(ut_open("f", "hello"));
	fd = open("f", O_RDONLY);
	CHECK_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
	CHECK_OK(fcntl(fd, F_SETSIG, SIGUSR1));
	signal(SIGUSR1, on_io);
	child = ut_fork(cuts, &fd);
	while (!told)
		ut_sleep_ms(1);
	close(fd);
	CHECK_EQ(ut_wait(child), 0);
}

TEST(lease, rights)
{
	int p[2], dir = open(".", O_RDONLY), fd = ut_open("f", "x");

	CHECK_OK(pipe(p));
	CHECK_ERR(fcntl(dir, F_SETLEASE, F_RDLCK), EINVAL);
	CHECK_ERR(fcntl(p[0], F_SETLEASE, F_RDLCK), EINVAL);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(fcntl(fd, F_SETLEASE, F_WRLCK), EACCES);
}

TEST(lease, owner)
{
	struct f_owner_ex o;
	uid_t ids[2] = { 9, 9 };
	int fd = ut_open("f", "x");

	CHECK_ERR(fcntl(fd, F_SETOWN, 999999), ESRCH);
	CHECK_OK(fcntl(fd, F_SETOWN, getpid()));
	CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
	CHECK_OK(fcntl(fd, F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_PID);
	CHECK_EQ(o.pid, getpid());
	o = (struct f_owner_ex){ .type = F_OWNER_PGRP, .pid = getpgrp() };
	CHECK_OK(fcntl(fd, F_SETOWN_EX, &o));
	CHECK_EQ(fcntl(fd, F_GETOWN), -getpgrp());
	o.type = 7;
	CHECK_ERR(fcntl(fd, F_SETOWN_EX, &o), EINVAL);
	o = (struct f_owner_ex){ .type = F_OWNER_TID, .pid = 999999 };
	CHECK_ERR(fcntl(fd, F_SETOWN_EX, &o), ESRCH);
	CHECK_OK(fcntl(fd, 17 /* F_GETOWNER_UIDS */, ids));
	CHECK_EQ(ids[0], getuid());
}

TEST(lease, transfer_flags)
{
	char buf[8] = "abcdefg";
	struct iovec v = { buf, 2 };
	int fd = ut_open("f", "0123456789"), p[2];

	CHECK_EQ(pwritev2(fd, &v, 1, 0, RWF_APPEND), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 12);
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	CHECK_EQ(pwritev2(fd, &v, 1, -1, RWF_APPEND), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 14);
	CHECK_ERR(pwritev2(fd, &v, 1, 0, 0x80000000), EOPNOTSUPP);
	CHECK_ERR(pwritev2(fd, &v, 1, -2, 0), EINVAL);
	CHECK_EQ(pwritev2(fd, &v, 1, 0, RWF_DSYNC), 2);
	CHECK_OK(pipe(p));
	CHECK_ERR(preadv2(p[0], &v, 1, -1, RWF_NOWAIT), EAGAIN);
	CHECK_EQ(pwritev2(p[1], &v, 1, -1, RWF_NOWAIT), 2);
	CHECK_EQ(preadv2(p[0], &v, 1, -1, RWF_NOWAIT), 2);
	CHECK_ERR(preadv2(p[0], &v, 1, 0, 0), ESPIPE);
}

static const char *slurp(const char *name)
{
	static char buf[8192];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	CHECK(n > 0);
	close(fd);
	buf[n] = 0;
	return buf;
}

/* What the descriptor holds of the file: not what was locked through another one. */
TEST(lease, shown_in_fdinfo)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 2, .l_len = 1 };
	struct flock ofd = { .l_type = F_WRLCK, .l_start = 7, .l_len = 2 };
	int fd = open("shown", O_RDWR | O_CREAT, 0600), other;
	char name[32];
	const char *s;

	CHECK_OK(fd);
	CHECK_OK(other = open("shown", O_RDWR));
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	CHECK(!strstr(slurp(name), "lock:"));
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	CHECK_OK(fcntl(fd, F_OFD_SETLK, &ofd));
	s = slurp(name);
	CHECK(strstr(s, "lock:\t1: "));
	CHECK(strstr(s, ": POSIX  ADVISORY  WRITE "));
	CHECK(strstr(s, ": OFDLCK ADVISORY  WRITE -1 "));
	CHECK(strstr(s, " 7 8\n"));
	/* All locks there are, the newest first. */
	s = slurp("/proc/locks");
	CHECK(strstr(s, " 7 8\n") < strstr(s, " 2 2\n"));
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", other);
	CHECK(!strstr(slurp(name), "lock:"));
	CHECK_OK(close(fd));
	CHECK_OK(fcntl(other, F_SETLEASE, F_WRLCK));
	CHECK(strstr(slurp(name), "lock:\t1: LEASE  ACTIVE    WRITE "));
	CHECK(strstr(slurp("/proc/locks"), " LEASE  ACTIVE    WRITE "));
	CHECK_OK(close(other));
}
