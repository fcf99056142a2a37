/* SPDX-License-Identifier: MIT */
/*
 * user/tests/direct.c - O_DIRECT on files, beside the page cache.
 */
#include "utest.h"

#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#define KIB   1024
#define TMPFS 0x01021994
#define BIG   (64 * KIB)

static unsigned char *buffer(int fill)
{
	unsigned char *p = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, fill, BIG);
	return p;
}

static int all(const unsigned char *p, int byte, size_t n)
{
	while (n && *p == byte) {
		p++;
		n--;
	}
	return !n;
}

/* A file of 64 KiB of @byte; *d: it with O_DIRECT.  -1: not here. */
static int make(int byte, int *d)
{
	unsigned char *p = buffer(byte);
	struct statfs fs;
	int fd = open("f", O_CREAT | O_TRUNC | O_RDWR, 0600);

	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type == TMPFS)
		return -1;
	*d = open("f", O_RDWR | O_DIRECT);
	if (*d < 0 || write(fd, p, BIG) != BIG)
		return -1;
	munmap(p, BIG);
	return fd;
}

TEST(files, direct_read)
{
	unsigned char *p = buffer(0);
	int d, fd = make('a', &d);

	if (fd < 0)
		return;
	/* what is dirty in the cache is seen */
	CHECK_EQ(pread(d, p, 8 * KIB, 4 * KIB), 8 * KIB);
	CHECK(all(p, 'a', 8 * KIB) && all(p + 8 * KIB, 0, KIB));
	CHECK_ERR(pread(d, p, 4 * KIB, 100), EINVAL);
	CHECK_ERR(pread(d, p + 1, 4 * KIB, 0), EINVAL);
	/* a hole, and an end within a sector */
	CHECK_OK(ftruncate(fd, 200 * KIB));
	CHECK_EQ(pwrite(fd, "end", 3, 200 * KIB), 3);
	CHECK_OK(fsync(fd));
	CHECK_EQ(pread(d, p, BIG, 196 * KIB), 4 * KIB + 3);
	CHECK(all(p, 0, 4 * KIB) && !memcmp(p + 4 * KIB, "end", 3));
	CHECK_EQ(pread(d, p, BIG, 32 * KIB), BIG);
	CHECK(all(p, 'a', 32 * KIB) && all(p + 32 * KIB, 0, 32 * KIB));
	CHECK_EQ(pread(d, p, BIG, 204 * KIB), 0);
	close(fd);
	close(d);
}

TEST(files, direct_write)
{
	unsigned char *p = buffer('b'), *q = buffer(0), *m;
	int d, fd = make('a', &d);

	if (fd < 0)
		return;
	CHECK_OK(fsync(fd));
	m = mmap(NULL, BIG, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(all(m, 'a', BIG));
	/* past the cache and a mapping, which then see it */
	CHECK_EQ(pwrite(d, p, 16 * KIB, 8 * KIB), 16 * KIB);
	CHECK(all(m + 8 * KIB, 'b', 16 * KIB));
	CHECK(all(m, 'a', 8 * KIB) && all(m + 24 * KIB, 'a', 40 * KIB));
	CHECK_EQ(pread(fd, q, BIG, 0), BIG);
	CHECK(all(q + 8 * KIB, 'b', 16 * KIB) && all(q, 'a', 8 * KIB));
	/* over the end, and far behind it */
	CHECK_EQ(pwrite(d, p, 16 * KIB, 56 * KIB), 16 * KIB);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 72 * KIB);
	CHECK_EQ(pwrite(d, p, 4 * KIB, 100 * KIB), 4 * KIB);
	CHECK_EQ(pread(fd, q, BIG, 52 * KIB), 52 * KIB);
	CHECK(all(q, 'a', 4 * KIB) && all(q + 4 * KIB, 'b', 16 * KIB));
	CHECK(all(q + 20 * KIB, 0, 28 * KIB) &&
	      all(q + 48 * KIB, 'b', 4 * KIB));
	/* a sector, dirty data around it */
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_EQ(pwrite(d, p, 512, 512), 512);
	CHECK_EQ(pread(fd, q, 4 * KIB, 0), 4 * KIB);
	CHECK(q[0] == 'x' && all(q + 512, 'b', 512) && q[1024] == 'a');
	CHECK_ERR(pwrite(d, p, 100, 0), EINVAL);
	munmap(m, BIG);
	close(fd);
	close(d);
}

/* Memory that is a mapping of the same file, and a file of reserved blocks. */
TEST(files, direct_odd)
{
	unsigned char *m, *q = buffer(0), *p = buffer('c');
	int d, fd = make('a', &d);

	if (fd < 0)
		return;
	m = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	m[0] = 'm';
	CHECK_EQ(pwrite(d, m, 4 * KIB, 8 * KIB), 4 * KIB);
	CHECK_EQ(m[8 * KIB], 'm');
	CHECK_EQ(pread(d, m + 16 * KIB, 4 * KIB, 8 * KIB), 4 * KIB);
	CHECK_EQ(m[16 * KIB], 'm');
	munmap(m, BIG);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_OK(posix_fallocate(fd, 0, BIG));
	CHECK_EQ(pread(d, q, BIG, 0), BIG);
	CHECK(all(q, 0, BIG));
	CHECK_EQ(pwrite(d, p, 8 * KIB, 4 * KIB), 8 * KIB);
	CHECK_EQ(pread(d, q, BIG, 0), BIG);
	CHECK(all(q, 0, 4 * KIB) && all(q + 4 * KIB, 'c', 8 * KIB));
	CHECK(all(q + 12 * KIB, 0, 52 * KIB));
	close(fd);
	close(d);
}

/* What is being read into memory when its process forks goes to the parent, which may
 * write beside it. */
TEST(files, direct_read_and_fork)
{
	struct iocb cb, *list = &cb;
	struct io_event ev;
	aio_context_t c = 0;
	int d, fd = make('r', &d);

	if (fd < 0)
		return;
	CHECK_OK(fsync(fd));
	CHECK_OK(syscall(SYS_io_setup, 1, &c));
	for (int round = 0; round < 20; round++) {
		unsigned char *p = buffer('-');
		pid_t pid;

		cb = (struct iocb){ .aio_lio_opcode = IOCB_CMD_PREAD,
				    .aio_fildes = d,
				    .aio_buf = (unsigned long)p,
				    .aio_nbytes = 60 * KIB };
		CHECK_EQ(syscall(SYS_io_submit, c, 1, &list), 1);
		pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		for (size_t at = 0; at < BIG; at += 4 * KIB)
			p[at + 4 * KIB - 1] = 'r';
		CHECK_EQ(syscall(SYS_io_getevents, c, 1, 1, &ev, NULL), 1);
		CHECK_EQ(ev.res, 60 * KIB);
		CHECK(all(p, 'r', 60 * KIB));
		CHECK_OK(kill(pid, SIGKILL));
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
		munmap(p, BIG);
	}
	CHECK_OK(syscall(SYS_io_destroy, c));
}
