/* SPDX-License-Identifier: MIT */
/*
 * user/tests/watch.c - watch queues: keyctl(2) tells a pipe what happens to keys.
 */
#include "utest.h"

#include <linux/keyctl.h>
#include <poll.h>
#include <sys/ioctl.h>

#ifndef KEYCTL_WATCH_KEY
#define KEYCTL_WATCH_KEY 32
#endif
#define SESSION	   KEY_SPEC_SESSION_KEYRING
#define SET_SIZE   0x5760
#define SET_FILTER 0x5761

enum {
	INSTANTIATED,
	UPDATED,
	LINKED,
	UNLINKED,
	CLEARED,
	REVOKED,
	INVALIDATED,
	ATTR_SET,
};

struct note {
	uint32_t type : 24, subtype : 8;
	uint32_t info, key, aux;
};

struct filter {
	uint32_t nr, reserved, type, info, mask, subtypes[8];
};

static long ctl(int op, long a, long b, long c, long d)
{
	return syscall(SYS_keyctl, op, a, b, c, d);
}

static long add(const char *name, long ring)
{
	long k = syscall(SYS_add_key, "user", name, "x", 1L, ring);

	CHECK_OK(k);
	return k;
}

/* The end that is read, which does not wait, or a skipped test. */
static int queue(int size)
{
	int p[2], r = pipe2(p, O_EXCL | O_NONBLOCK);

	if (r < 0 && (errno == ENOPKG || errno == EINVAL))
		ut_skip("no watch queues here");
	CHECK_OK(r);
	CHECK_OK(ctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0));
	if (size)
		CHECK_OK(ioctl(p[0], SET_SIZE, size));
	return p[0];
}

static void expect(int fd, unsigned int subtype, long key, long aux,
		   unsigned int id)
{
	struct pollfd pf = { fd, POLLIN, 0 };
	struct note n = { 0 };

	CHECK_EQ(poll(&pf, 1, 1000), 1);
	CHECK_EQ(read(fd, &n, sizeof(n)), sizeof(n));
	CHECK_EQ(n.type, 1);
	CHECK_EQ(n.subtype, subtype);
	CHECK_EQ(n.info, sizeof(n) | id << 8);
	CHECK_EQ(n.key, (uint32_t)key);
	CHECK_EQ(n.aux, (uint32_t)aux);
}

static void nothing(int fd)
{
	struct note n;

	CHECK_ERR(read(fd, &n, sizeof(n)), EAGAIN);
}

TEST(watch, arguments)
{
	int fd = queue(0), p[2];
	long k = add("a", SESSION);
	struct stat st;

	CHECK_ERR(pipe2(p, O_EXCL | O_TRUNC), EINVAL);
	CHECK_ERR(ioctl(fd, SET_SIZE, 0), EINVAL);
	CHECK_ERR(ioctl(fd, SET_SIZE, 513), EINVAL);
	CHECK_OK(ioctl(fd, SET_SIZE, 1));
	CHECK_ERR(ioctl(fd, SET_SIZE, 1), EBUSY);
	CHECK_ERR(write(fd + 1, "x", 1), EXDEV);
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERR(ctl(KEYCTL_WATCH_KEY, k, fd, 256, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_WATCH_KEY, k, fd, -2, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_WATCH_KEY, k, 999, 1, 0), EBADF);
	CHECK_OK(pipe(p));
	CHECK_ERR(ctl(KEYCTL_WATCH_KEY, k, p[0], 1, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_WATCH_KEY, k, fd, -1, 0), EBADSLT);
	CHECK_OK(ctl(KEYCTL_WATCH_KEY, k, fd, 1, 0));
	CHECK_ERR(ctl(KEYCTL_WATCH_KEY, k, fd, 1, 0), EBUSY);
	nothing(fd);
}

TEST(watch, events)
{
	int fd = queue(8);
	long ring = ctl(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0);
	long k = add("a", SESSION), l;
	uint64_t gone[2];

	CHECK_OK(ctl(KEYCTL_WATCH_KEY, k, fd, 1, 0));
	CHECK_OK(ctl(KEYCTL_WATCH_KEY, SESSION, fd, 0xfe, 0));
	CHECK_OK(ctl(KEYCTL_UPDATE, k, (long)"yy", 2, 0));
	expect(fd, UPDATED, k, 0, 1);
	CHECK_EQ(add("a", SESSION), k);
	expect(fd, UPDATED, k, 0, 1);
	l = add("b", SESSION);
	expect(fd, LINKED, ring, l, 0xfe);
	CHECK_OK(ctl(KEYCTL_UNLINK, l, SESSION, 0, 0));
	expect(fd, UNLINKED, ring, l, 0xfe);
	CHECK_OK(ctl(KEYCTL_SETPERM, k, 0x3f3f0000, 0, 0));
	expect(fd, ATTR_SET, k, 0, 1);
	CHECK_OK(ctl(KEYCTL_SET_TIMEOUT, k, 100, 0, 0));
	expect(fd, ATTR_SET, k, 0, 1);
	CHECK_OK(ctl(KEYCTL_CHOWN, k, -1, getgid(), 0));
	expect(fd, ATTR_SET, k, 0, 1);
	CHECK_OK(ctl(KEYCTL_REVOKE, k, 0, 0, 0));
	expect(fd, REVOKED, k, 0, 1);
	nothing(fd);
	l = add("c", SESSION);
	expect(fd, LINKED, ring, l, 0xfe);
	CHECK_OK(ctl(KEYCTL_WATCH_KEY, l, fd, 2, 0));
	CHECK_OK(ctl(KEYCTL_INVALIDATE, l, 0, 0, 0));
	expect(fd, INVALIDATED, l, 0, 2);
	CHECK_OK(ctl(KEYCTL_CLEAR, SESSION, 0, 0, 0));
	CHECK_OK(ctl(KEYCTL_WATCH_KEY, SESSION, fd, -1, 0));
	/* cleared, and the ends of three watches, as they come */
	for (int i = 0, meta = 0; meta < 3; i++) {
		struct pollfd pf = { fd, POLLIN, 0 };

		CHECK(i < 4);
		CHECK_EQ(poll(&pf, 1, 8000), 1);
		CHECK_EQ(read(fd, gone, sizeof(gone)), sizeof(gone));
		meta += !(gone[0] & 0xffffff);
		if (!(gone[0] & 0xffffff))
			CHECK((long)gone[1] == k || (long)gone[1] == l ||
			      (long)gone[1] == ring);
		else
			CHECK_EQ((gone[0] >> 24) & 0xff, CLEARED);
	}
}

TEST(watch, filter)
{
	int fd = queue(1);
	long k = add("a", SESSION);
	struct filter f = { .nr = 1, .type = 1, .subtypes = { 1u << REVOKED } };

	CHECK_OK(ctl(KEYCTL_WATCH_KEY, k, fd, 1, 0));
	f.nr = 0;
	CHECK_ERR(ioctl(fd, SET_FILTER, &f), EINVAL);
	f.nr = 17;
	CHECK_ERR(ioctl(fd, SET_FILTER, &f), EINVAL);
	f.nr = f.reserved = 1;
	CHECK_ERR(ioctl(fd, SET_FILTER, &f), EINVAL);
	f.reserved = 0;
	f.info = 0x10000;
	CHECK_ERR(ioctl(fd, SET_FILTER, &f), EINVAL);
	f.info = 0;
	f.mask = 1;
	CHECK_ERR(ioctl(fd, SET_FILTER, &f), EINVAL);
	f.mask = 0;
	CHECK_ERR(ioctl(fd, SET_FILTER, 8L), EFAULT);
	CHECK_OK(ioctl(fd, SET_FILTER, &f));
	CHECK_OK(ctl(KEYCTL_UPDATE, k, (long)"y", 1, 0));
	nothing(fd);
	CHECK_OK(ioctl(fd, SET_FILTER, 0L));
	CHECK_OK(ctl(KEYCTL_UPDATE, k, (long)"y", 1, 0));
	expect(fd, UPDATED, k, 0, 1);
	CHECK_OK(ioctl(fd, SET_FILTER, &f));
	CHECK_OK(ctl(KEYCTL_REVOKE, k, 0, 0, 0));
	expect(fd, REVOKED, k, 0, 1);
}

/* One page of notes, 32 of them; who has read them hears that there were more. */
TEST(watch, loss)
{
	int fd = queue(1);
	long k = add("a", SESSION);
	uint32_t b[2];

	CHECK_OK(ctl(KEYCTL_WATCH_KEY, k, fd, 1, 0));
	for (int i = 0; i < 40; i++)
		CHECK_OK(ctl(KEYCTL_UPDATE, k, (long)"y", 1, 0));
	CHECK_ERR(read(fd, b, sizeof(b)), ENOBUFS);
	for (int i = 0; i < 32; i++)
		expect(fd, UPDATED, k, 0, 1);
	CHECK_EQ(read(fd, b, sizeof(b)), 8);
	CHECK_EQ(b[0], 1u << 24); /* META, loss */
	CHECK_EQ(b[1], 8);
	nothing(fd);
	CHECK_OK(ctl(KEYCTL_UPDATE, k, (long)"y", 1, 0));
	expect(fd, UPDATED, k, 0, 1);
}

/* The queue may end before the key, and the key while somebody waits. */
TEST(watch, ends)
{
	int fd = queue(1), fd2;
	long k = add("a", SESSION);
	char b[64];
	pid_t pid;

	CHECK_OK(ctl(KEYCTL_WATCH_KEY, k, fd, 1, 0));
	close(fd);
	close(fd + 1);
	CHECK_OK(ctl(KEYCTL_UPDATE, k, (long)"y", 1, 0));
	fd2 = queue(1);
	k = add("a", SESSION);
	CHECK_OK(fcntl(fd2, F_SETFL, 0));
	CHECK_OK(ctl(KEYCTL_WATCH_KEY, k, fd2, 1, 0));
	pid = fork();
	if (!pid)
		_exit(read(fd2, b, sizeof(b)) == 16 ? 0 : 1);
	ut_sleep_ms(50);
	CHECK_OK(ctl(KEYCTL_REVOKE, k, 0, 0, 0));
	CHECK_EQ(ut_wait(pid), 0);
}
