/* SPDX-License-Identifier: MIT */
/*
 * user/tests/freeze.c - FIFREEZE and FITHAW, and what waits in between.
 *
 * On file systems that can (UTEST_FREEZE names a directory of one that nobody else
 * uses; else they are skipped).
 */
#include "utest.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

static int victim(void)
{
	const char *dir = getenv("UTEST_FREEZE");
	int fd;

	if (!dir)
		ut_skip("UTEST_FREEZE names no directory");
	CHECK_OK(chdir(dir));
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	return fd;
}

static void by_write(int fd)
{
	CHECK_EQ(write(fd, "later", 5), 5);
}

static void by_store(int fd)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	p[0] = 'L';
}

static void by_name(int fd)
{
	(void)fd;
	CHECK_OK(mkdir("made", 0755));
	CHECK_OK(rmdir("made"));
}

static void by_truncation(int fd)
{
	CHECK_OK(ftruncate(fd, 100));
}

TEST(freeze, waits)
{
	static void (*const way[])(int) = { by_write, by_store, by_name,
					    by_truncation };
	int dir = victim(), fd = open("file", O_RDWR | O_CREAT, 0644);
	pid_t pid[4];
	int status;
	char b;

	CHECK_EQ(write(fd, "now", 3), 3);
	CHECK_OK(ioctl(dir, FIFREEZE, 0));
	CHECK_ERR(ioctl(dir, FIFREEZE, 0), EBUSY);
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			way[i](fd);
			_exit(0);
		}
	}
	usleep(300000);
	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	CHECK_EQ(pread(fd, &b, 1, 0), 1); /* reading goes on */
	CHECK_EQ(b, 'n');
	sync(); /* and ends: nothing is dirty */
	CHECK_OK(ioctl(dir, FITHAW, 0));
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(waitpid(pid[i], &status, 0), pid[i]);
		CHECK_EQ(status, 0);
	}
	CHECK_ERR(ioctl(dir, FITHAW, 0), EINVAL);
	CHECK_OK(unlink("file"));
}

TEST(freeze, only_the_owner)
{
	int dir = victim();

	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(ioctl(dir, FIFREEZE, 0), EPERM);
	CHECK_ERR(ioctl(dir, FITHAW, 0), EPERM);
}

TEST(freeze, not_everywhere)
{
	int dir = open("/proc", O_RDONLY | O_DIRECTORY);

	CHECK_ERR(ioctl(dir, FIFREEZE, 0), EOPNOTSUPP);
	CHECK_ERR(ioctl(dir, FITHAW, 0), EINVAL);
}

TEST(freeze, quotactl)
{
	CHECK_ERR(syscall(SYS_quotactl, 0x800007u << 8 | 7, NULL, 0, NULL),
		  EINVAL);
	CHECK_OK(syscall(SYS_quotactl, 0x800001u << 8, NULL, 0, NULL));
	CHECK_ERR(syscall(SYS_quotactl, 0x800007u << 8, NULL, 0, NULL), ENODEV);
	CHECK_ERR(syscall(SYS_quotactl, 0x800007u << 8, "/none", 0, NULL),
		  ENOENT);
	CHECK_ERR(syscall(SYS_quotactl, 0x800007u << 8, "/proc", 0, NULL),
		  ENOTBLK);
}
