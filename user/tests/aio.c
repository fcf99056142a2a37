/* SPDX-License-Identifier: MIT */
/*
 * user/tests/aio.c - io_setup(2) and its family, on files and on a disk; O_DIRECT
 * and the ioctls of block devices.
 *
 * The suite `disk` needs a disk that may be overwritten: UTEST_DISK=/dev/vdb.
 */
#include "utest.h"

#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define DEPTH 32
#define BLOCK 4096

struct ring {
	unsigned int id, nr, head, tail, magic, compat, incompat, header;
	struct io_event ev[];
};

static int io_setup(unsigned int nr, aio_context_t *c)
{
	return syscall(SYS_io_setup, nr, c);
}

static int io_destroy(aio_context_t c)
{
	return syscall(SYS_io_destroy, c);
}

static long io_submit(aio_context_t c, long nr, struct iocb **cb)
{
	return syscall(SYS_io_submit, c, nr, cb);
}

static long io_getevents(aio_context_t c, long min, long nr,
			 struct io_event *ev, struct timespec *t)
{
	return syscall(SYS_io_getevents, c, min, nr, ev, t);
}

static struct iocb request(int op, int fd, void *buf, size_t n, long off)
{
	return (struct iocb){ .aio_data = (unsigned long)off + 7,
			      .aio_lio_opcode = op,
			      .aio_fildes = fd,
			      .aio_buf = (unsigned long)buf,
			      .aio_nbytes = n,
			      .aio_offset = off };
}

TEST(aio, contexts)
{
	aio_context_t c = 0, d = 0;
	struct io_event ev;

	NEED(io_setup(10, &c));
	CHECK(c != 0);
	CHECK_ERR(io_setup(10, &c), EINVAL);
	CHECK_OK(io_setup(1, &d));
	CHECK(c != d);
	CHECK_ERR(io_setup(0, (d = 0, &d)), EINVAL);
	CHECK_ERR(io_setup(1, (aio_context_t *)8), EFAULT);
	CHECK_ERR(io_destroy(c + 4096 * 1000), EINVAL);
	CHECK_OK(io_destroy(c));
	CHECK_ERR(io_destroy(c), EINVAL);
	CHECK_ERR(io_getevents(c, 0, 1, &ev, NULL), EINVAL);
	CHECK_ERR(io_submit(c, 0, NULL), EINVAL);
}

TEST(aio, files)
{
	struct iocb a, b, *cbs[2] = { &a, &b };
	struct io_event ev[2];
	aio_context_t c = 0;
	char buf[8] = "";
	int fd = ut_open("f", "0123456789");

	NEED(io_setup(4, &c));
	a = request(IOCB_CMD_PREAD, fd, buf, 4, 3);
	b = request(IOCB_CMD_PWRITE, fd, "xy", 2, 8);
	CHECK_EQ(io_submit(c, 2, cbs), 2);
	CHECK_EQ(io_getevents(c, 2, 2, ev, NULL), 2);
	CHECK_EQ(ev[0].res, 4);
	CHECK_EQ(ev[0].data, 10);
	CHECK_EQ(ev[0].obj, (unsigned long)&a);
	CHECK_EQ(ev[1].res, 2);
	CHECK_EQ(ev[1].data, 15);
	CHECK(!memcmp(buf, "3456", 4));
	CHECK_EQ(pread(fd, buf, 8, 6), 4);
	CHECK(!memcmp(buf, "67xy", 4));
	/* beyond the end */
	a = request(IOCB_CMD_PREAD, fd, buf, 4, 100);
	CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_EQ(io_getevents(c, 1, 1, ev, NULL), 1);
	CHECK_EQ(ev[0].res, 0);
	/* a bad buffer is the request's error */
	a = request(IOCB_CMD_PREAD, fd, (void *)8, 4, 0);
	CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_EQ(io_getevents(c, 1, 1, ev, NULL), 1);
	CHECK_EQ(ev[0].res, -EFAULT);
	CHECK_OK(io_destroy(c));
}

/*
 * Many transfers past the cache at a time, while others read the file, and one
 * makes it shorter.
 */
static void all_at_once(aio_context_t c, int op, int d, char *buf)
{
	struct iocb cb[DEPTH], *list[DEPTH];
	struct io_event ev[DEPTH];

	for (int i = 0; i < DEPTH; i++) {
		cb[i] = request(op, d, buf + i * BLOCK, BLOCK, i * BLOCK);
		list[i] = &cb[i];
	}
	CHECK_EQ(io_submit(c, DEPTH, list), DEPTH);
	if (op == IOCB_CMD_PWRITE) {
		char byte;

		/* whatever it sees, it must not stay in the cache */
		CHECK_EQ(pread(d, buf + DEPTH * BLOCK, BLOCK, 5 * BLOCK),
			 BLOCK);
		int fd = open("f", O_RDONLY);

		for (int i = 0; i < DEPTH; i++)
			CHECK_EQ(pread(fd, &byte, 1, i * BLOCK), 1);
		close(fd);
	}
	CHECK_EQ(io_getevents(c, DEPTH, DEPTH, ev, NULL), DEPTH);
	for (int i = 0; i < DEPTH; i++)
		CHECK_EQ(ev[i].res, BLOCK);
}

TEST(aio, direct_file)
{
	char *buf = mmap(NULL, (DEPTH + 1) * BLOCK, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iocb cb[DEPTH], *list[DEPTH];
	struct io_event ev[DEPTH];
	aio_context_t c = 0;
	int fd = ut_open("f", ""), d = open("f", O_RDWR | O_DIRECT);
	char byte;

	if (d < 0)
		ut_skip("no O_DIRECT");
	NEED(io_setup(DEPTH + 1, &c));
	for (int i = 0; i < DEPTH; i++)
		memset(buf + i * BLOCK, 'a' + i % 26, BLOCK);
	CHECK_EQ(pwrite(fd, buf, DEPTH * BLOCK, 0), DEPTH * BLOCK);
	CHECK_OK(fsync(fd));
	CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	memset(buf, 0, DEPTH * BLOCK);
	all_at_once(c, IOCB_CMD_PREAD, d, buf);
	for (int i = 0; i < DEPTH; i++)
		CHECK_EQ(buf[i * BLOCK + 17], 'a' + i % 26);
	for (int round = 0; round < 20; round++) {
		memset(buf, 'A' + round, DEPTH * BLOCK);
		CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
		all_at_once(c, IOCB_CMD_PWRITE, d, buf);
		for (int i = 0; i < DEPTH; i++) {
			CHECK_EQ(pread(fd, &byte, 1, i * BLOCK + 99), 1);
			CHECK_EQ(byte, 'A' + round);
		}
	}
	/* shorter while it is written: zeroes behind, and nobody else's blocks */
	CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	for (int i = 0; i < DEPTH; i++) {
		cb[i] = request(IOCB_CMD_PWRITE, d, buf, BLOCK, i * BLOCK);
		list[i] = &cb[i];
	}
	CHECK_EQ(io_submit(c, DEPTH, list), DEPTH);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(io_getevents(c, DEPTH, DEPTH, ev, NULL), DEPTH);
	CHECK_OK(ftruncate(fd, DEPTH * BLOCK));
	CHECK_EQ(pread(fd, &byte, 1, 7 * BLOCK), 1);
	CHECK_EQ(byte, 0);
	CHECK_OK(io_destroy(c));
}

TEST(aio, vectors_and_sync)
{
	struct iovec iov[2];
	struct iocb a, *cbs[1] = { &a };
	struct io_event ev;
	aio_context_t c = 0;
	char x[4] = "", y[4] = "";
	int fd = ut_open("f", "abcdefgh");

	NEED(io_setup(4, &c));
	iov[0] = (struct iovec){ x, 3 };
	iov[1] = (struct iovec){ y, 3 };
	a = request(IOCB_CMD_PREADV, fd, iov, 2, 1);
	CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_EQ(io_getevents(c, 1, 1, &ev, NULL), 1);
	CHECK_EQ(ev.res, 6);
	CHECK(!strcmp(x, "bcd") && !strcmp(y, "efg"));
	a = request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
	CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_EQ(io_getevents(c, 1, 1, &ev, NULL), 1);
	CHECK_EQ(ev.res, 0);
	CHECK_OK(io_destroy(c));
}

TEST(aio, wrong_requests)
{
	struct iocb a, *cbs[2] = { &a, (struct iocb *)8 };
	aio_context_t c = 0;
	char buf[8];
	int fd = ut_open("f", "abc"), ro = open("f", O_RDONLY);

	NEED(io_setup(4, &c));
	a = request(IOCB_CMD_PREAD, 999, buf, 1, 0);
	CHECK_ERR(io_submit(c, 1, cbs), EBADF);
	a = request(IOCB_CMD_PWRITE, ro, buf, 1, 0);
	CHECK_ERR(io_submit(c, 1, cbs), EBADF);
	a = request(77, fd, buf, 1, 0);
	CHECK_ERR(io_submit(c, 1, cbs), EINVAL);
	a = request(IOCB_CMD_PREADV, fd, buf, 5000, 0);
	CHECK_ERR(io_submit(c, 1, cbs), EINVAL);
	a = request(IOCB_CMD_PREADV, fd, (void *)8, 1, 0);
	CHECK_ERR(io_submit(c, 1, cbs), EFAULT);
	a = request(IOCB_CMD_PREAD, fd, buf, 1, 0);
	a.aio_reserved2 = 1;
	CHECK_ERR(io_submit(c, 1, cbs), EINVAL);
	a = request(IOCB_CMD_PREAD, fd, buf, 1, 0);
	a.aio_flags = IOCB_FLAG_RESFD;
	a.aio_resfd = fd;
	CHECK_ERR(io_submit(c, 1, cbs), EINVAL);
	CHECK_ERR(io_submit(c, -1, cbs), EINVAL);
	CHECK_EQ(io_submit(c, 0, cbs), 0);
	/* what comes before the bad one counts */
	a.aio_flags = 0;
	CHECK_EQ(io_submit(c, 2, cbs), 1);
	CHECK_ERR(io_submit(c, 1, cbs + 1), EFAULT);
	CHECK_OK(io_destroy(c));
}

static long done(aio_context_t c, struct iocb a, int rw_flags)
{
	struct iocb *cbs[1] = { &a };
	struct io_event ev;

	a.aio_rw_flags = rw_flags;
	a.aio_flags = 2; /* IOCB_FLAG_IOPRIO: none */
	CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_EQ(io_getevents(c, 1, 1, &ev, NULL), 1);
	return ev.res;
}

TEST(aio, flags)
{
	int fd = ut_open("f", "abc");
	struct iocb a, *cbs[1] = { &a };
	aio_context_t c = 0;
	char buf[8] = "";

	NEED(io_setup(4, &c));
	a = request(IOCB_CMD_PWRITE, fd, "d", 1, 0);
	CHECK_EQ(done(c, a, RWF_APPEND), 1);
	CHECK_EQ(done(c, a, RWF_DSYNC), 1);
	a = request(IOCB_CMD_PREAD, fd, buf, 8, 0);
	CHECK_EQ(done(c, a, RWF_HIPRI), 4);
	CHECK(!strcmp(buf, "dbcd"));
	a.aio_rw_flags = 0x8000;
	CHECK_ERR(io_submit(c, 1, cbs), EOPNOTSUPP);
	CHECK_OK(io_destroy(c));
}

TEST(aio, waiting)
{
	struct timespec t = { 0, 20000000 }, none = { 0, 0 };
	struct io_event ev;
	aio_context_t c = 0;
	long before;

	NEED(io_setup(4, &c));
	CHECK_EQ(io_getevents(c, 1, 1, &ev, &none), 0);
	before = ut_now_ms();
	CHECK_EQ(io_getevents(c, 1, 1, &ev, &t), 0);
	CHECK(ut_now_ms() - before >= 19);
	CHECK_ERR(io_getevents(c, 2, 1, &ev, NULL), EINVAL);
	CHECK_ERR(io_getevents(c, -1, 1, &ev, NULL), EINVAL);
	CHECK_OK(io_destroy(c));
}

TEST(aio, eventfd)
{
	struct iocb a, *cbs[1] = { &a };
	aio_context_t c = 0;
	int fd = ut_open("f", "abc"), efd = eventfd(0, EFD_NONBLOCK);
	uint64_t n;
	char b;

	NEED(io_setup(8, &c));
	a = request(IOCB_CMD_PREAD, fd, &b, 1, 1);
	a.aio_flags = IOCB_FLAG_RESFD;
	a.aio_resfd = efd;
	for (int i = 0; i < 3; i++)
		CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_EQ(read(efd, &n, 8), 8);
	CHECK_EQ(n, 3);
	CHECK_EQ(b, 'b');
	CHECK_OK(io_destroy(c));
}

/* The ring as libaio reads it, and full. */
TEST(aio, ring_in_memory)
{
	struct iocb a, *cbs[1] = { &a };
	struct io_event ev;
	aio_context_t c = 0;
	int fd = ut_open("f", "abc"), i, room;
	struct timespec none = { 0, 0 };
	struct ring *r;
	char b;

	NEED(io_setup(8, &c));
	r = (struct ring *)c;
	CHECK_EQ(r->magic, 0xa10a10a1u);
	CHECK_EQ(r->header, 32);
	CHECK(r->nr >= 8);
	CHECK_ERR(mprotect(r, 4096, PROT_READ | PROT_EXEC), EACCES);
	a = request(IOCB_CMD_PREAD, fd, &b, 1, 1);
	for (room = 0; io_submit(c, 1, cbs) == 1; room++)
		CHECK(room < 100000);
	CHECK_EQ(errno, EAGAIN);
	CHECK(room >= 8);
	CHECK_EQ(r->tail, (unsigned int)room);
	CHECK_EQ(r->ev[0].obj, (unsigned long)&a);
	/* take five without the kernel; then there is room for as many */
	r->head = 5;
	for (i = 0; i < 5; i++)
		CHECK_EQ(io_submit(c, 1, cbs), 1);
	CHECK_ERR(io_submit(c, 1, cbs), EAGAIN);
	for (i = 0; io_getevents(c, 1, 1, &ev, &none) == 1; i++)
		CHECK_EQ(ev.res, 1);
	CHECK_EQ(i, room);
	/* nonsense in the head hurts the program only */
	r->head = 0xfffffff0;
	(void)io_getevents(c, 1, 1, &ev, &none);
	CHECK_OK(io_destroy(c));
}

static int child(void *arg)
{
	struct timespec none = { 0, 0 };
	struct io_event ev;

	/* the context is the parent's */
	if (io_getevents(*(aio_context_t *)arg, 0, 1, &ev, &none) != -1 ||
	    errno != EINVAL)
		return 1;
	return 0;
}

TEST(aio, fork)
{
	aio_context_t c = 0;

	NEED(io_setup(4, &c));
	CHECK_EQ(ut_wait(ut_fork(child, &c)), 0);
	CHECK_OK(io_destroy(c));
}

/* ---- a disk */

static int disk(int flags)
{
	const char *path = getenv("UTEST_DISK");
	int fd;

	if (!path)
		ut_skip("no UTEST_DISK");
	fd = open(path, O_RDWR | flags);
	CHECK(fd >= 0);
	return fd;
}

static char *buffer(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(disk, direct_alignment)
{
	int fd = disk(O_DIRECT);
	char *p = buffer(3 * BLOCK);
	int bs;

	CHECK_OK(ioctl(fd, BLKSSZGET, &bs));
	CHECK_EQ(pwrite(fd, p, BLOCK, 0), BLOCK);
	CHECK_EQ(pread(fd, p, 2 * BLOCK, BLOCK), 2 * BLOCK);
	CHECK_EQ(pread(fd, p + bs, bs, 3 * bs), bs);
	CHECK_ERR(pread(fd, p, BLOCK, 1), EINVAL);
	CHECK_ERR(pread(fd, p, BLOCK - 1, 0), EINVAL);
	CHECK_ERR(pread(fd, p + 1, BLOCK, 0), EINVAL);
	CHECK_ERR(pread(fd, (char *)4096, BLOCK, 0), EFAULT);
}

TEST(disk, direct_and_cached)
{
	int d = disk(O_DIRECT), b = disk(0);
	char *p = buffer(4 * BLOCK), *m;

	/* what is written to the cache is read past it */
	memset(p, 1, 4 * BLOCK);
	CHECK_EQ(pwrite(b, p, 4 * BLOCK, 0), 4 * BLOCK);
	memset(p, 0, 4 * BLOCK);
	CHECK_EQ(pread(d, p, 4 * BLOCK, 0), 4 * BLOCK);
	CHECK(p[0] == 1 && p[4 * BLOCK - 1] == 1);
	/* and the other way round, in a mapping too */
	m = mmap(NULL, 4 * BLOCK, PROT_READ, MAP_SHARED, b, 0);
	CHECK(m != MAP_FAILED && m[BLOCK] == 1);
	memset(p, 2, BLOCK);
	CHECK_EQ(pwrite(d, p, BLOCK, BLOCK), BLOCK);
	CHECK_EQ(pread(b, p + BLOCK, BLOCK, BLOCK), BLOCK);
	CHECK_EQ(p[BLOCK], 2);
	CHECK_EQ(m[BLOCK], 2);
	CHECK_EQ(m[0], 1);
	CHECK_EQ(m[2 * BLOCK], 1);
}

/* Many pages, odd pieces: every byte where it belongs. */
TEST(disk, direct_vectors)
{
	int fd = disk(O_DIRECT);
	size_t n = 300 * BLOCK, i;
	char *p = buffer(n), *q = buffer(n);
	struct iovec iov[3];

	for (i = 0; i < n; i++)
		p[i] = (char)(i * 7 + i / BLOCK);
	CHECK_EQ(pwrite(fd, p, n, 512), (long)n);
	iov[0] = (struct iovec){ q + 1024, 512 };
	iov[1] = (struct iovec){ q + 2 * BLOCK, 0 };
	iov[2] = (struct iovec){ q + 2 * BLOCK + 512, n - 4 * BLOCK };
	CHECK_EQ(preadv(fd, iov, 3, 512), (long)(n - 4 * BLOCK + 512));
	CHECK(!memcmp(q + 1024, p, 512));
	CHECK(!memcmp(q + 2 * BLOCK + 512, p + 512, n - 4 * BLOCK));
}

static bool all_are(const char *p, size_t n, char c)
{
	while (n && *p == c) {
		p++;
		n--;
	}
	return !n;
}

/* fallocate(2) makes zeroes; a device has no other way to do it than asked for. */
TEST(disk, zero_range)
{
	int fd = disk(0), r;
	char *p = buffer(4 * BLOCK);
	uint64_t size;

	CHECK_OK(ioctl(fd, BLKGETSIZE64, &size));
	memset(p, 3, 4 * BLOCK);
	CHECK_EQ(pwrite(fd, p, 4 * BLOCK, 0), 4 * BLOCK);
	CHECK_OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, BLOCK, BLOCK));
	CHECK_EQ(pread(fd, p, 4 * BLOCK, 0), 4 * BLOCK);
	CHECK(all_are(p, BLOCK, 3) && all_are(p + BLOCK, BLOCK, 0) &&
	      all_are(p + 2 * BLOCK, 2 * BLOCK, 3));
	r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 512, 512);
	if (r < 0)
		CHECK_EQ(errno, EOPNOTSUPP);
	CHECK_EQ(pread(fd, p, BLOCK, 0), BLOCK);
	CHECK(all_are(p + 512, 512, r < 0 ? 3 : 0) && all_are(p, 512, 3));
	CHECK_ERR(fallocate(fd, 0, 0, BLOCK), EOPNOTSUPP);
	CHECK_ERR(fallocate(fd, FALLOC_FL_ZERO_RANGE, 1, BLOCK), EINVAL);
	CHECK_ERR(fallocate(fd, FALLOC_FL_ZERO_RANGE, size, BLOCK), EINVAL);
	CHECK_ERR(fallocate(fd, FALLOC_FL_ZERO_RANGE, size - 512, BLOCK),
		  EINVAL);
	CHECK_OK(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			   size - 512, BLOCK));
}

TEST(disk, direct_end)
{
	int fd = disk(O_DIRECT);
	char *p = buffer(2 * BLOCK);
	uint64_t size;

	CHECK_OK(ioctl(fd, BLKGETSIZE64, &size));
	CHECK_EQ(pread(fd, p, 2 * BLOCK, size - BLOCK), BLOCK);
	CHECK_EQ(pread(fd, p, BLOCK, size), 0);
	CHECK_EQ(pwrite(fd, p, 2 * BLOCK, size - BLOCK), BLOCK);
	CHECK_ERR(pwrite(fd, p, BLOCK, size), ENOSPC);
}

static void check_round(aio_context_t c, int fd, char *p, int round)
{
	struct iocb cb[DEPTH], *cbs[DEPTH];
	struct io_event ev[DEPTH];
	int i, got = 0;

	for (i = 0; i < DEPTH; i++) {
		cb[i] = request(round & 1 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
				fd, p + i * BLOCK, BLOCK,
				(long)((i * 37 + round / 2) % 512) * BLOCK);
		cbs[i] = &cb[i];
		if (!(round & 1))
			memset(p + i * BLOCK, i + round, BLOCK);
		else
			memset(p + i * BLOCK, 0xff, BLOCK);
	}
	CHECK_EQ(io_submit(c, DEPTH, cbs), DEPTH);
	while (got < DEPTH) {
		int n = io_getevents(c, 1, DEPTH, ev, NULL);

		CHECK(n > 0);
		for (i = 0; i < n; i++)
			CHECK_EQ(ev[i].res, BLOCK);
		got += n;
	}
	for (i = 0; i < DEPTH; i++)
		CHECK_EQ(p[i * BLOCK + 99], (char)(i + (round & ~1)));
}

TEST(disk, aio_depth)
{
	int fd = disk(O_DIRECT), round;
	char *p = buffer(DEPTH * BLOCK);
	aio_context_t c = 0;

	NEED(io_setup(DEPTH, &c));
	for (round = 0; round < 200; round++)
		check_round(c, fd, p, round);
	CHECK_OK(io_destroy(c));
}

static int leave_in_flight(void *arg)
{
	int fd = disk(O_DIRECT), i;
	char *p = buffer(DEPTH * BLOCK);
	struct iocb cb[DEPTH], *cbs[DEPTH];
	aio_context_t c = 0;

	CHECK_OK(io_setup(DEPTH, &c));
	for (i = 0; i < DEPTH; i++) {
		cb[i] = request(IOCB_CMD_PREAD, fd, p + i * BLOCK, BLOCK,
				(long)i * 7 * BLOCK);
		cbs[i] = &cb[i];
	}
	CHECK_EQ(io_submit(c, DEPTH, cbs), DEPTH);
	if (arg)
		munmap((void *)c, BLOCK);
	return 0;
}

/* The process goes while the device still writes into its memory. */
TEST(disk, aio_exit)
{
	(void)disk(0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(ut_wait(ut_fork(leave_in_flight, NULL)), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(ut_wait(ut_fork(leave_in_flight, "munmap")), 0);
}

TEST(disk, ioctls)
{
	int fd = disk(0), v, ro = open(getenv("UTEST_DISK"), O_RDONLY);
	uint64_t size, range[2] = { 0, BLOCK };
	unsigned long sectors;

	CHECK_OK(ioctl(fd, BLKGETSIZE64, &size));
	CHECK_OK(ioctl(fd, BLKGETSIZE, &sectors));
	CHECK_EQ(sectors, (long)(size / 512));
	CHECK_EQ(lseek(fd, 0, SEEK_END), (long)size);
	CHECK_OK(ioctl(fd, BLKSSZGET, &v));
	CHECK(v == 512 || v == 4096);
	CHECK_OK(ioctl(fd, BLKPBSZGET, &v));
	CHECK(v >= 512);
	CHECK_OK(ioctl(fd, BLKIOMIN, &v));
	CHECK_OK(ioctl(fd, BLKIOOPT, &v));
	CHECK_OK(ioctl(fd, BLKALIGNOFF, &v));
	CHECK_OK(ioctl(fd, BLKROGET, &v));
	CHECK_EQ(v, 0);
	CHECK_OK(ioctl(fd, BLKRASET, 512));
	CHECK_OK(ioctl(fd, BLKRAGET, &sectors));
	CHECK_EQ(sectors, 512);
	CHECK_OK(ioctl(fd, BLKRASET, 256));
	CHECK_OK(ioctl(fd, BLKFLSBUF, 0));
	CHECK_ERR(ioctl(ro, BLKZEROOUT, range), EBADF);
	range[0] = 1;
	CHECK_ERR(ioctl(fd, BLKZEROOUT, range), EINVAL);
	range[0] = size;
	CHECK_ERR(ioctl(fd, BLKZEROOUT, range), EINVAL);
	CHECK_ERR(ioctl(fd, 0x12ee, range), ENOTTY);
}

TEST(disk, zero_and_discard)
{
	int fd = disk(0);
	uint64_t range[2] = { 4 * BLOCK, 1 << 20 };
	char *p = buffer(BLOCK);

	memset(p, 7, BLOCK);
	CHECK_EQ(pwrite(fd, p, BLOCK, 4 * BLOCK), BLOCK);
	CHECK_EQ(pwrite(fd, p, BLOCK, 3 * BLOCK), BLOCK);
	CHECK_OK(fsync(fd));
	CHECK_OK(ioctl(fd, BLKZEROOUT, range));
	CHECK_EQ(pread(fd, p, BLOCK, 4 * BLOCK), BLOCK);
	CHECK_EQ(p[100], 0);
	CHECK_EQ(pread(fd, p, BLOCK, 3 * BLOCK), BLOCK);
	CHECK_EQ(p[100], 7);
	if (ioctl(fd, BLKDISCARD, range) < 0)
		CHECK_EQ(errno, EOPNOTSUPP);
}

TEST(disk, exclusive)
{
	const char *path = getenv("UTEST_DISK");
	int fd = disk(O_EXCL), other;

	CHECK_ERR(open(path, O_RDWR | O_EXCL), EBUSY);
	other = open(path, O_RDWR);
	CHECK(other >= 0);
	CHECK_OK(close(fd));
	fd = open(path, O_RDWR | O_EXCL);
	CHECK(fd >= 0);
}

TEST(disk, read_only)
{
	int fd = disk(0), one = 1, zero = 0, v;
	char *p = buffer(BLOCK);

	CHECK_OK(ioctl(fd, BLKROSET, &one));
	CHECK_OK(ioctl(fd, BLKROGET, &v));
	CHECK_EQ(v, 1);
	CHECK_EQ(pread(fd, p, BLOCK, 0), BLOCK);
	v = pwrite(fd, p, BLOCK, 0) < 0 ? errno : 0;
	CHECK_OK(ioctl(fd, BLKROSET, &zero));
	CHECK_EQ(v, EPERM);
	CHECK_EQ(pwrite(fd, p, BLOCK, 0), BLOCK);
}

static long aio_call(aio_context_t ctx, struct iocb *cb)
{
	return syscall(SYS_io_submit, ctx, 1, &cb);
}

static struct iocb poll_of(int fd, unsigned events)
{
	return (struct iocb){ .aio_lio_opcode = IOCB_CMD_POLL,
			      .aio_fildes = (unsigned)fd,
			      .aio_buf = events,
			      .aio_data = 7 };
}

static long one_event(aio_context_t ctx, struct io_event *e, int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	return syscall(SYS_io_getevents, ctx, 1, 1, e, &ts);
}

TEST(aio, poll)
{
	aio_context_t ctx = 0;
	struct io_event e;
	struct iocb cb, bad;
	int p[2], s[2];
	pid_t pid;
	char c;

	CHECK_OK(syscall(SYS_io_setup, 8, &ctx));
	CHECK_OK(pipe(p));
	cb = poll_of(p[1], POLLOUT); /* ready already */
	CHECK_EQ(aio_call(ctx, &cb), 1);
	CHECK_EQ(one_event(ctx, &e, 5000), 1);
	CHECK(e.data == 7 && e.res == POLLOUT && e.obj == (unsigned long)&cb);
	cb = poll_of(p[0], POLLIN);
	CHECK_EQ(aio_call(ctx, &cb), 1);
	CHECK_EQ(one_event(ctx, &e, 50), 0);
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		ut_sleep_ms(30);
		_exit(write(p[1], "x", 1) != 1);
	}
	CHECK_EQ(one_event(ctx, &e, 5000), 1);
	CHECK(e.res & POLLIN); /* others that are true may be with it */
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(read(p[0], &c, 1), 1);
	/* it is told once, and can be called back */
	CHECK_EQ(one_event(ctx, &e, 50), 0);
	CHECK_ERR(syscall(SYS_io_cancel, ctx, &cb, &e), EINVAL);
	CHECK_EQ(aio_call(ctx, &cb), 1);
	CHECK_ERR(syscall(SYS_io_cancel, ctx, &cb, &e), EINPROGRESS);
	CHECK_EQ(one_event(ctx, &e, 5000), 1);
	CHECK_EQ(e.res, 0);
	/* the other end goes; and a socket */
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	cb = poll_of(p[0], POLLIN);
	CHECK_EQ(aio_call(ctx, &cb), 1);
	close(p[1]);
	CHECK_EQ(one_event(ctx, &e, 5000), 1);
	CHECK_EQ(e.res, POLLHUP);
	bad = poll_of(p[0], 0x10000);
	CHECK_ERR(aio_call(ctx, &bad), EINVAL);
	bad = poll_of(p[0], POLLIN);
	bad.aio_nbytes = 1;
	CHECK_ERR(aio_call(ctx, &bad), EINVAL);
	/* a context ends although somebody waits */
	CHECK_OK(pipe(p));
	cb = poll_of(p[0], POLLIN);
	CHECK_EQ(aio_call(ctx, &cb), 1);
	CHECK_OK(syscall(SYS_io_destroy, ctx));
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(read(p[0], &c, 1), 1);
}

static int wait_in_poll(void *arg)
{
	aio_context_t ctx = 0;
	struct iocb cb = poll_of(*(int *)arg, POLLIN);

	CHECK_OK(syscall(SYS_io_setup, 8, &ctx));
	CHECK_EQ(aio_call(ctx, &cb), 1);
	return 0;
}

/* A process ends although it has such a request, and its file with it. */
TEST(aio, poll_at_end)
{
	int p[2];
	char c;

	CHECK_OK(pipe(p));
	CHECK_EQ(ut_wait(ut_fork(wait_in_poll, p)), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(read(p[0], &c, 1), 1);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
}
