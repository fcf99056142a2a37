/* SPDX-License-Identifier: MIT */
/*
 * user/tests/loop.c - what ioctl(2) of loop devices answers.
 *
 * Not here: file systems on them, and Debian's tools (tests/qemu/test_loop.py).
 */
#include "utest.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#define MIB (1 << 20)

static int control(void)
{
	int fd = open("/dev/loop-control", O_RDWR);

	if (fd < 0)
		ut_skip("no /dev/loop-control");
	return fd;
}

static int backing(long size)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK_OK(ftruncate(fd, size));
	return fd;
}

/* A device that is bound to @fd, for us alone. */
static int bound(int fd, struct loop_config *c)
{
	char name[32];
	int nr, dev, tries = 10;

	do {
		nr = ioctl(control(), LOOP_CTL_GET_FREE);
		CHECK(nr >= 0);
		snprintf(name, sizeof(name), "/dev/loop%d", nr);
		dev = open(name, O_RDWR);
		CHECK(dev >= 0);
		c->fd = (unsigned int)fd;
		if (!ioctl(dev, LOOP_CONFIGURE, c))
			return dev;
		CHECK_EQ(errno, EBUSY);
		close(dev);
	} while (--tries);
	ut_fail(__FILE__, __LINE__, "no free device");
}

TEST(loop, numbers)
{
	int ctl = control(), nr = 700 + getpid() % 100;
	char name[32];
	int dev;

	snprintf(name, sizeof(name), "/dev/loop%d", nr);
	CHECK_EQ(ioctl(ctl, LOOP_CTL_ADD, nr), nr);
	CHECK_ERR(ioctl(ctl, LOOP_CTL_ADD, nr), EEXIST);
	dev = open(name, O_RDONLY);
	CHECK(dev >= 0);
	CHECK_ERR(ioctl(ctl, LOOP_CTL_REMOVE, nr), EBUSY);
	close(dev);
	CHECK_EQ(ioctl(ctl, LOOP_CTL_REMOVE, nr), 0);
	CHECK_ERR(open(name, O_RDONLY), ENOENT);
	CHECK_ERR(ioctl(ctl, LOOP_CTL_REMOVE, nr), ENODEV);
	CHECK_ERR(ioctl(ctl, LOOP_CTL_REMOVE, -1), EINVAL);
	CHECK_EQ(ioctl(ctl, LOOP_CTL_ADD, nr), nr);
	CHECK_EQ(ioctl(ctl, LOOP_CTL_REMOVE, nr), 0);
}

TEST(loop, unbound)
{
	int nr = ioctl(control(), LOOP_CTL_ADD, 850);
	struct loop_info64 i;
	uint64_t size = 1;
	int dev;

	CHECK(nr >= 0 || errno == EEXIST);
	dev = open("/dev/loop850", O_RDWR);
	CHECK(dev >= 0);
	CHECK_ERR(ioctl(dev, LOOP_GET_STATUS64, &i), ENXIO);
	CHECK_ERR(ioctl(dev, LOOP_CLR_FD), ENXIO);
	CHECK_ERR(ioctl(dev, LOOP_SET_CAPACITY), ENXIO);
	CHECK_ERR(ioctl(dev, LOOP_SET_FD, -1), EBADF);
	CHECK_OK(ioctl(dev, BLKGETSIZE64, &size));
	CHECK_EQ(size, 0);
	CHECK_EQ(read(dev, &i, sizeof(i)), 0);
	close(dev);
	CHECK_OK(ioctl(control(), LOOP_CTL_REMOVE, 850));
}

/* What a loop device does not know is EINVAL, not ENOTTY. */
TEST(loop, unknown)
{
	int dev = open("/dev/loop0", O_RDWR);

	if (dev < 0)
		ut_skip("no /dev/loop0");
	CHECK_ERR(ioctl(dev, 0x4c55, 0), EINVAL);
	CHECK_ERR(ioctl(dev, 0x5331, 0), EINVAL);
}

TEST(loop, data)
{
	struct loop_config c = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int fd = backing(MIB), dev = bound(fd, &c);
	uint64_t range[2] = { 65536, 65536 }, size;
	char buf[4096], want[4096];
	struct stat st;

	memset(want, 'x', sizeof(want));
	CHECK_OK(ioctl(dev, BLKGETSIZE64, &size));
	CHECK_EQ(size, MIB);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(pwrite(dev, want, 4096, i * 4096), 4096);
	CHECK_OK(fsync(dev));
	CHECK_EQ(pread(fd, buf, 4096, 63 * 4096), 4096);
	CHECK(!memcmp(buf, want, 4096));
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_blocks >= 512);
	if (ioctl(dev, BLKDISCARD, range)) {
		CHECK_EQ(errno, EOPNOTSUPP);
		return;
	}
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_blocks < 512);
	CHECK_EQ(pread(dev, buf, 4096, 65536), 4096);
	CHECK(!buf[0] && !memcmp(buf, buf + 1, 4095));
	CHECK_EQ(pread(dev, buf, 4096, 65536 - 4096), 4096);
	CHECK(!memcmp(buf, want, 4096));
}

/* What somebody has for himself, or has mounted, is not emptied by others. */
TEST(loop, held)
{
	struct loop_config c = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int dev = bound(backing(MIB), &c), own;
	uint64_t range[2] = { 65536, 65536 };
	char name[40], path[64], buf[4096], x[4096];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", dev);
	memset(path, 0, sizeof(path));
	CHECK(readlink(name, path, sizeof(path) - 1) > 0);
	memset(x, 'x', sizeof(x));
	CHECK_EQ(pwrite(dev, x, 4096, 65536), 4096);
	own = open(path, O_RDWR | O_EXCL);
	CHECK(own >= 0);
	CHECK_ERR(ioctl(dev, BLKDISCARD, range), EBUSY);
	CHECK_ERR(ioctl(dev, BLKZEROOUT, range), EBUSY);
	CHECK_ERR(fallocate(dev, FALLOC_FL_ZERO_RANGE, 65536, 65536), EBUSY);
	CHECK_EQ(pread(dev, buf, 4096, 65536), 4096);
	CHECK(!memcmp(buf, x, 4096));
	CHECK_OK(ioctl(own, BLKZEROOUT, range));
	CHECK_EQ(pread(dev, buf, 4096, 65536), 4096);
	CHECK_EQ(buf[0], 0);
	CHECK_OK(close(own));
	CHECK_EQ(pwrite(dev, x, 4096, 65536), 4096);
	CHECK_OK(ioctl(dev, BLKZEROOUT, range));
	CHECK_EQ(pread(dev, buf, 4096, 65536), 4096);
	CHECK_EQ(buf[0], 0);
}

TEST(loop, range_and_size)
{
	struct loop_config c = { .info = { .lo_offset = 4096,
					   .lo_sizelimit = 8192,
					   .lo_flags = LO_FLAGS_AUTOCLEAR } };
	int fd = backing(MIB), dev = bound(fd, &c);
	struct loop_info64 i;
	struct stat st;
	uint64_t size;
	char b = 'y';

	CHECK_OK(ioctl(dev, BLKGETSIZE64, &size));
	CHECK_EQ(size, 8192);
	CHECK_OK(ioctl(dev, LOOP_GET_STATUS64, &i));
	CHECK_EQ(i.lo_offset, 4096);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(i.lo_inode, st.st_ino);
	CHECK_EQ(i.lo_device, st.st_dev);
	CHECK_EQ(pwrite(dev, &b, 1, 8191), 1);
	CHECK_ERR(pwrite(dev, &b, 1, 8192), ENOSPC);
	CHECK_OK(fsync(dev));
	b = 0;
	CHECK_EQ(pread(fd, &b, 1, 4096 + 8191), 1);
	CHECK_EQ(b, 'y');
	i.lo_offset = i.lo_sizelimit = 0;
	CHECK_OK(ioctl(dev, LOOP_SET_STATUS64, &i));
	CHECK_OK(ioctl(dev, BLKGETSIZE64, &size));
	CHECK_EQ(size, MIB);
	i.lo_encrypt_type = LO_CRYPT_XOR;
	CHECK_ERR(ioctl(dev, LOOP_SET_STATUS64, &i), EINVAL);
	CHECK_OK(ftruncate(fd, 2 * MIB));
	CHECK_OK(ioctl(dev, LOOP_SET_CAPACITY));
	CHECK_OK(ioctl(dev, BLKGETSIZE64, &size));
	CHECK_EQ(size, 2 * MIB);
	i.lo_encrypt_type = LO_CRYPT_NONE;
	i.lo_offset = 1;
	CHECK_OK(ioctl(dev, LOOP_SET_STATUS64, &i));
	CHECK_ERR(ioctl(dev, LOOP_SET_DIRECT_IO, 1), EINVAL);
	CHECK_ERR(ioctl(dev, LOOP_SET_BLOCK_SIZE, 1000), EINVAL);
	CHECK_OK(ioctl(dev, LOOP_SET_BLOCK_SIZE, 4096));
	CHECK_OK(ioctl(dev, LOOP_SET_BLOCK_SIZE, 0));	   /* the usual one */
	CHECK_ERR(ioctl(dev, LOOP_CHANGE_FD, fd), EINVAL); /* not read-only */
	CHECK_ERR(ioctl(dev, LOOP_SET_FD, fd), EBUSY);
}

TEST(loop, lets_go)
{
	struct loop_config c = { .info.lo_flags = LO_FLAGS_READ_ONLY };
	int fd = backing(MIB), dev = bound(fd, &c), pipe_fd[2];
	struct loop_info64 i;
	char name[32], b = 0;
	int other, again;

	CHECK_OK(ioctl(dev, LOOP_GET_STATUS64, &i));
	snprintf(name, sizeof(name), "/dev/loop%u", i.lo_number);
	CHECK_ERR(write(dev, &b, 1), EPERM);
	other = open(name, O_RDONLY);
	CHECK(other >= 0);
	CHECK_OK(ioctl(dev, LOOP_CLR_FD)); /* when both have gone */
	close(dev);
	CHECK_OK(ioctl(other, LOOP_GET_STATUS64, &i));
	CHECK(i.lo_flags & LO_FLAGS_AUTOCLEAR);
	CHECK_OK(ioctl(other, LOOP_CHANGE_FD, fd));
	close(other);
	again = open(name, O_RDWR);
	CHECK(again >= 0);
	CHECK_ERR(ioctl(again, LOOP_GET_STATUS64, &i), ENXIO);
	CHECK_OK(pipe(pipe_fd));
	CHECK_ERR(ioctl(again, LOOP_SET_FD, pipe_fd[0]), EINVAL);
	CHECK_ERR(ioctl(again, LOOP_SET_FD, again), EBADF); /* itself */
	CHECK_OK(ioctl(again, LOOP_SET_FD, fd));
	CHECK_OK(ioctl(again, LOOP_CLR_FD));
	CHECK_ERR(open(name, O_RDONLY), ENXIO); /* it is about to go */
	CHECK_ERR(ioctl(again, LOOP_CLR_FD), ENXIO);
	CHECK_ERR(ioctl(again, LOOP_GET_STATUS64, &i), ENXIO);
	CHECK_ERR(ioctl(again, LOOP_SET_STATUS64, &i), ENXIO);
	CHECK_ERR(ioctl(again, LOOP_CHANGE_FD, fd), ENXIO);
	CHECK_ERR(ioctl(again, LOOP_SET_CAPACITY), ENXIO);
	CHECK_ERR(ioctl(again, LOOP_SET_FD, fd), EBUSY);
}
