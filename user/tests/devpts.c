/* SPDX-License-Identifier: MIT */
/*
 * user/tests/devpts.c - instances of devpts: each has terminals of its own.
 */
#include "utest.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define GET_PEER 0x5441 /* TIOCGPTPEER */

static void begin(void)
{
	if (getuid())
		ut_skip("needs root");
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void instance(const char *dir, const char *options)
{
	CHECK_OK(mkdir(dir, 0755));
	CHECK_OK(mount("devpts", dir, "devpts", MS_NOSUID, options));
}

static int number(int master)
{
	int nr = -1, off = 0;

	CHECK_OK(ioctl(master, TIOCGPTN, &nr));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &off));
	return nr;
}

static int open_master(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	CHECK_OK(fd);
	return fd;
}

TEST(devpts, instances)
{
	int a, b, sa, sb;
	struct statfs fs;
	struct stat st;
	char c = 0;

	begin();
	instance("a", "newinstance,ptmxmode=0666,mode=0620,gid=5");
	instance("b", "ptmxmode=600");
	CHECK_OK(statfs("a", &fs));
	CHECK_EQ(fs.f_type, 0x1cd1);
	CHECK_OK(stat("a/ptmx", &st));
	CHECK_EQ(st.st_mode, S_IFCHR | 0666);
	CHECK_EQ(st.st_rdev, makedev(5, 2));
	a = open_master("a/ptmx");
	b = open_master("b/ptmx");
	CHECK_EQ(number(a), 0);
	CHECK_EQ(number(b), 0);
	CHECK_EQ(number(open_master("a/ptmx")), 1);
	CHECK_ERR(stat("b/1", &st), ENOENT);
	CHECK_OK(stat("b/0", &st));
	CHECK_EQ(st.st_mode, S_IFCHR | 0600);
	CHECK_OK(stat("a/0", &st));
	CHECK_EQ(st.st_mode, S_IFCHR | 0620);
	CHECK_EQ(st.st_gid, 5);
	CHECK_EQ(st.st_rdev, makedev(136, 0));
	CHECK_OK(sa = open("a/0", O_RDWR | O_NOCTTY));
	CHECK_OK(sb = open("b/0", O_RDWR | O_NOCTTY));
	CHECK_EQ(write(sa, "A", 1), 1);
	CHECK_EQ(write(sb, "B", 1), 1);
	CHECK(read(a, &c, 1) == 1 && c == 'A');
	CHECK(read(b, &c, 1) == 1 && c == 'B');
	close(sa);
	close(a);
	CHECK_ERR(stat("a/0", &st), ENOENT);
	CHECK_OK(stat("b/0", &st));
	CHECK_EQ(number(open_master("a/ptmx")), 0);
	CHECK_OK(umount2("b", MNT_DETACH));
	CHECK_EQ(write(sb, "C", 1), 1);
	CHECK(read(b, &c, 1) == 1 && c == 'C');
}

/* Another ptmx is of what is mounted on "pts" beside it. */
TEST(devpts, beside)
{
	char path[64] = "", want[80] = "", at[64];
	int m, s;

	begin();
	CHECK_OK(mkdir("dev", 0755));
	CHECK_OK(mknod("dev/ptmx", S_IFCHR | 0666, makedev(5, 2)));
	CHECK_OK(mknod("dev/stray", S_IFCHR | 0666, makedev(136, 0)));
	CHECK_ERR(open("dev/ptmx", O_RDWR | O_NOCTTY), ENOENT);
	CHECK_OK(mkdir("dev/pts", 0755));
	CHECK_ERR(open("dev/ptmx", O_RDWR | O_NOCTTY), ENODEV);
	CHECK_OK(rmdir("dev/pts"));
	instance("dev/pts", "");
	m = open_master("dev/ptmx");
	CHECK_EQ(number(m), 0);
	CHECK_ERR(open("dev/stray", O_RDWR | O_NOCTTY), EIO);
	CHECK_OK(s = ioctl(m, GET_PEER, O_RDWR | O_NOCTTY));
	snprintf(at, sizeof(at), "/proc/self/fd/%d", s);
	CHECK(readlink(at, path, sizeof(path) - 1) > 0);
	CHECK(getcwd(want, sizeof(want) - 16));
	strcat(want, "/dev/pts/0");
	CHECK(!strcmp(path, want));
}

TEST(devpts, options)
{
	char line[512];
	bool seen = false;
	FILE *f;

	begin();
	instance("a", "uid=7,gid=5,mode=600,ptmxmode=666,max=1");
	(void)open_master("a/ptmx");
	CHECK_ERR(open("a/ptmx", O_RDWR | O_NOCTTY), ENOSPC);
	CHECK_OK(mount(NULL, "a", NULL, MS_REMOUNT, "max=2"));
	(void)open_master("a/ptmx");
	CHECK(f = fopen("/proc/self/mounts", "r"));
	while (fgets(line, sizeof(line), f))
		seen |= strstr(line, "/a devpts") &&
			strstr(line, ",mode=600,ptmxmode=000,max=2 ");
	CHECK(seen);
	CHECK_ERR(mount("x", "a", "devpts", 0, "mode=x"), EINVAL);
	CHECK_ERR(mount("x", "a", "devpts", 0, "max=9999999"), EINVAL);
	CHECK_ERR(mount("x", "a", "devpts", 0, "colour=red"), EINVAL);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK_OK(fd);
	CHECK_EQ(write(fd, text, strlen(text)), (long)strlen(text));
	close(fd);
}

/* Root of a user namespace has terminals, too. */
static int in_userns(void *arg)
{
	struct stat st;
	int m, s;
	char c = 0;

	(void)arg;
	CHECK_OK(setresgid(1234, 1234, 1234));
	CHECK_OK(setresuid(1234, 1234, 1234));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		ut_skip("user namespaces");
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 1234 1");
	put("/proc/self/gid_map", "0 1234 1");
	instance("a", "newinstance,ptmxmode=0666,mode=620");
	m = open_master("a/ptmx");
	CHECK_EQ(number(m), 0);
	CHECK_OK(stat("a/0", &st));
	CHECK_EQ(st.st_uid, 0);
	CHECK_OK(s = open("a/0", O_RDWR | O_NOCTTY));
	CHECK_EQ(write(m, "x\n", 2), 2);
	CHECK(read(s, &c, 1) == 1 && c == 'x');
	return 0;
}

TEST(devpts, userns)
{
	if (getuid())
		ut_skip("needs root");
	CHECK_OK(chmod(".", 0777));
	CHECK_EQ(ut_wait(ut_fork(in_userns, NULL)), 0);
}
