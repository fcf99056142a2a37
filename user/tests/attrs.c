/* SPDX-License-Identifier: MIT */
/*
 * user/tests/attrs.c - flags, set-id bits and times of files, whiteouts,
 * nameless files, where blocks are, positions in directories.
 *
 * What tmpfs of one of the two kernels lacks is skipped there.
 */
#include "utest.h"

#include <dirent.h>
#include <grp.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define EXT4 0xef53

#define EXTENTS 0x00080000

static bool on_ext4(void)
{
	struct statfs fs;

	CHECK_OK(statfs(".", &fs));
	return fs.f_type == EXT4;
}

static int flags_of(const char *path)
{
	int fd = open(path, O_RDONLY), v = 0;

	CHECK_OK(ioctl(fd, FS_IOC_GETFLAGS, &v));
	close(fd);
	return v;
}

static int set_flags(const char *path, int v)
{
	int fd = open(path, O_RDONLY), ret, err;

	ret = ioctl(fd, FS_IOC_SETFLAGS, &v);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static void touch(const char *path)
{
	close(ut_open(path, "data"));
}

static void become(int id)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setegid(id));
	CHECK_OK(seteuid(id));
}

static void root_again(void)
{
	CHECK_OK(seteuid(0));
	CHECK_OK(setegid(0));
}

static int mode_of(const char *path)
{
	struct stat st;

	CHECK_OK(lstat(path, &st));
	return st.st_mode & 07777;
}

TEST(attrs, immutable)
{
	int fd, old;

	if (!on_ext4() || geteuid())
		ut_skip("needs root on ext4");
	touch("f");
	touch("g");
	old = flags_of("f");
	fd = open("f", O_RDWR);
	CHECK_OK(set_flags("f", old | FS_IMMUTABLE_FL));
	CHECK_ERR(open("f", O_WRONLY), EPERM);
	CHECK_ERR(pwrite(fd, "x", 1, 0), EPERM);
	CHECK_ERR(ftruncate(fd, 1), EPERM);
	CHECK_ERR(fallocate(fd, 0, 0, 9000), EPERM);
	CHECK_ERR(unlink("f"), EPERM);
	CHECK_ERR(link("f", "h"), EPERM);
	CHECK_ERR(rename("f", "h"), EPERM);
	CHECK_ERR(rename("g", "f"), EPERM);
	CHECK_ERR(chmod("f", 0600), EPERM);
	CHECK_ERR(utimensat(AT_FDCWD, "f", NULL, 0), EPERM);
	CHECK_ERR(setxattr("f", "user.a", "b", 1, 0), EPERM);
	CHECK_ERR(set_flags("f", old | FS_IMMUTABLE_FL | FS_NODUMP_FL), EPERM);
	CHECK_OK(set_flags("f", old));
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_ERR(set_flags("f", old | FS_DIRSYNC_FL), EOPNOTSUPP);
	CHECK_ERR(set_flags("f", old | FS_NOCOW_FL), EOPNOTSUPP);
	CHECK_EQ(flags_of("f"), old);
}

TEST(attrs, append_only)
{
	int fd, app, old;

	if (!on_ext4() || geteuid())
		ut_skip("needs root on ext4");
	touch("f");
	old = flags_of("f");
	CHECK_OK(set_flags("f", old | FS_APPEND_FL));
	CHECK_ERR(open("f", O_WRONLY), EPERM);
	CHECK_ERR(open("f", O_WRONLY | O_APPEND | O_TRUNC), EPERM);
	CHECK_OK(app = open("f", O_RDWR | O_APPEND));
	CHECK_EQ(write(app, "more", 4), 4);
	CHECK_ERR(fcntl(app, F_SETFL, 0), EPERM);
	CHECK_OK(fallocate(app, 0, 0, 100));
	CHECK_ERR(fallocate(app, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			    4096),
		  EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, app, 0) ==
		      MAP_FAILED &&
	      errno == EACCES);
	CHECK_ERR(truncate("f", 0), EPERM);
	CHECK_ERR(chmod("f", 0600), EPERM);
	CHECK_OK(utimensat(AT_FDCWD, "f", NULL, 0)); /* now: of course */
	CHECK_ERR(unlink("f"), EPERM);
	CHECK_OK(set_flags("f", old));
	CHECK_OK(mkdir("d", 0700));
	touch("d/x");
	old = flags_of("d");
	CHECK_OK(set_flags("d", old | FS_APPEND_FL));
	CHECK_OK(fd = open("d/new", O_CREAT, 0600));
	CHECK_ERR(unlink("d/x"), EPERM);
	CHECK_ERR(rename("d/x", "x"), EPERM);
	CHECK_OK(set_flags("d", old));
}

TEST(attrs, xflags)
{
	struct fsxattr x;
	int fd;

	if (!on_ext4() || geteuid())
		ut_skip("needs root on ext4");
	fd = ut_open("f", "");
	CHECK_OK(ioctl(fd, FS_IOC_FSGETXATTR, &x));
	CHECK_EQ(x.fsx_xflags, 0);
	x.fsx_xflags = FS_XFLAG_APPEND | FS_XFLAG_NODUMP;
	CHECK_OK(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	CHECK_EQ(flags_of("f") & (FS_APPEND_FL | FS_NODUMP_FL),
		 FS_APPEND_FL | FS_NODUMP_FL);
	/* wanted of disks that are memory; kept for those */
	x.fsx_xflags = FS_XFLAG_DAX;
	CHECK_OK(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	CHECK_EQ(flags_of("f") & (FS_APPEND_FL | FS_DAX_FL), FS_DAX_FL);
	x.fsx_xflags = 0;
	CHECK_OK(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	x.fsx_projid = 7;
	CHECK_ERR(ioctl(fd, FS_IOC_FSSETXATTR, &x), EOPNOTSUPP);
}

TEST(attrs, xflags_in_memory)
{
	struct fsxattr x;
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);

	CHECK(fd >= 0);
	CHECK_OK(ioctl(fd, FS_IOC_FSGETXATTR, &x));
	CHECK_OK(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	x.fsx_projid = 7;
	CHECK_ERR(ioctl(fd, FS_IOC_FSSETXATTR, &x), EOPNOTSUPP);
	x.fsx_projid = 0;
	x.fsx_xflags = FS_XFLAG_EXTSIZE;
	x.fsx_extsize = 8192;
	CHECK_ERR(ioctl(fd, FS_IOC_FSSETXATTR, &x), EOPNOTSUPP);
}

TEST(attrs, setid_goes)
{
	int fd;

	if (geteuid())
		ut_skip("needs root");
	touch("s");
	CHECK_OK(chmod(".", 0777));
	CHECK_OK(chmod("s", 06777));
	CHECK_OK(chown("s", 1000, 1000));
	CHECK_EQ(mode_of("s"), 0777);
	CHECK_OK(chmod("s", 06777));
	CHECK_OK(chown("s", -1, -1));
	CHECK_EQ(mode_of("s"), 0777);
	CHECK_OK(chmod("s", 06777));
	become(1001);
	CHECK_OK(truncate("s", 1));
	root_again();
	CHECK_EQ(mode_of("s"), 0777);
	CHECK_OK(chmod("s", 06777));
	become(1001);
	CHECK_OK(fd = open("s", O_RDWR | O_TRUNC));
	root_again();
	CHECK_EQ(mode_of("s"), 0777);
	CHECK_OK(chmod("s", 06777));
	become(1001);
	CHECK_EQ(write(fd, "x", 1), 1);
	root_again();
	CHECK_EQ(mode_of("s"), 0777);
	/* nobody gets a group's right who is not of it */
	CHECK_OK(mkdir("sg", 0777));
	CHECK_OK(chown("sg", 0, 1234));
	CHECK_OK(chmod("sg", 02777));
	umask(0);
	become(1000);
	CHECK_OK(close(open("sg/x", O_CREAT | O_RDWR, 02755)));
	root_again();
	CHECK_EQ(mode_of("sg/x"), 0755);
	/* ... nor when the umask takes what made it one */
	umask(0010);
	become(1000);
	CHECK_OK(close(open("sg/y", O_CREAT | O_RDWR, 02777)));
	CHECK_OK(mknod("sg/z", S_IFREG | 02777, 0));
	root_again();
	CHECK_EQ(mode_of("sg/y"), 0767);
	CHECK_EQ(mode_of("sg/z"), 0767);
}

TEST(attrs, nameless)
{
	char path[64];
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0)
		ut_skip("no O_TMPFILE");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(linkat(AT_FDCWD, path, AT_FDCWD, "a", AT_SYMLINK_FOLLOW));
	CHECK_OK(linkat(AT_FDCWD, path, AT_FDCWD, "b", AT_SYMLINK_FOLLOW));
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERR(linkat(AT_FDCWD, path, AT_FDCWD, "c", AT_SYMLINK_FOLLOW),
		  ENOENT);
	/* and what has lost its name does not come back */
	fd = ut_open("gone", "x");
	CHECK_OK(unlink("gone"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERR(linkat(AT_FDCWD, path, AT_FDCWD, "c", AT_SYMLINK_FOLLOW),
		  ENOENT);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
}

/* A program that sets all flags to 0 turns a short file's extents into pointers. */
TEST(attrs, no_flags)
{
	char buf[5 * 4096], got[sizeof(buf)];
	int fd;

	if (!on_ext4() || geteuid())
		ut_skip("needs root on ext4");
	memset(buf, 'x', sizeof(buf));
	CHECK_OK(fd = open("few", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(pwrite(fd, buf, sizeof(buf), 4096), sizeof(buf));
	CHECK_OK(set_flags("few", EXTENTS | FS_IMMUTABLE_FL));
	CHECK_OK(set_flags("few", 0));
	CHECK_EQ(flags_of("few") & (EXTENTS | FS_IMMUTABLE_FL), 0);
	CHECK_EQ(pread(fd, got, sizeof(got), 4096), sizeof(got));
	CHECK(!memcmp(buf, got, sizeof(buf)));
	/* it grows, by tables of pointers too, and goes */
	CHECK_EQ(pwrite(fd, "end", 3, 4096 << 4), 3);
	CHECK_OK(fsync(fd));
	CHECK_EQ(pread(fd, got, 3, 4096 << 4), 3);
	CHECK(!memcmp(got, "end", 3));
	close(fd);
	CHECK_OK(unlink("few"));
	/* one that is longer keeps them, and changes the other flags */
	CHECK_OK(fd = open("more", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(pwrite(fd, "x", 1, 12 * 4096), 1);
	CHECK_OK(set_flags("more", EXTENTS | FS_NODUMP_FL));
	CHECK_ERR(set_flags("more", 0), EOPNOTSUPP);
	CHECK_EQ(flags_of("more") & (EXTENTS | FS_NODUMP_FL), EXTENTS);
	close(fd);
}

static int rename2(const char *from, const char *to, unsigned int flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

TEST(attrs, whiteout)
{
	struct stat st;

	if (geteuid())
		ut_skip("needs root");
	touch("f");
	touch("g");
	CHECK_OK(rename2("f", "h", RENAME_WHITEOUT));
	CHECK_OK(lstat("f", &st));
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_ERR(rename2("h", "g", RENAME_WHITEOUT | RENAME_NOREPLACE),
		  EEXIST);
	CHECK_ERR(rename2("h", "g", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
	CHECK_OK(rename2("h", "g", RENAME_WHITEOUT));
	CHECK_OK(lstat("h", &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_OK(unlink("h"));
	CHECK_OK(unlink("f"));
}

TEST(attrs, fiemap)
{
	static union {
		struct fiemap f;
		char room[sizeof(struct fiemap) +
			  8 * sizeof(struct fiemap_extent)];
	} x;
	static char buf[32768];
	const struct fiemap_extent *e = x.f.fm_extents;
	int fd = ut_open("f", "");

	if (!on_ext4()) {
		CHECK_ERR(ioctl(fd, FS_IOC_FIEMAP, &x), EOPNOTSUPP);
		return;
	}
	CHECK_EQ(pwrite(fd, buf, sizeof(buf), 65536), sizeof(buf));
	CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 65536));
	x.f.fm_length = ~0ull;
	x.f.fm_extent_count = 8;
	CHECK_OK(ioctl(fd, FS_IOC_FIEMAP, &x));
	CHECK(e[0].fe_logical == 65536 &&
	      (e[0].fe_flags & FIEMAP_EXTENT_DELALLOC));
	x.f.fm_flags = FIEMAP_FLAG_SYNC;
	CHECK_OK(ioctl(fd, FS_IOC_FIEMAP, &x));
	CHECK(e[0].fe_logical == 65536 && !e[0].fe_flags && e[0].fe_physical);
	CHECK_EQ(e[x.f.fm_mapped_extents - 1].fe_flags,
		 FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_LAST);
	x.f.fm_flags = 0x80;
	CHECK_ERR(ioctl(fd, FS_IOC_FIEMAP, &x), EBADR);
	x.f.fm_flags = 0;
	x.f.fm_length = 0;
	CHECK_ERR(ioctl(fd, FS_IOC_FIEMAP, &x), EINVAL);
}

/* A store through a mapping is a change like another. */
TEST(attrs, times_of_stores)
{
	struct stat a, b;
	int fd = ut_open("f", "data");
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (!on_ext4())
		ut_skip("needs ext4");
	CHECK_OK(fstat(fd, &a));
	ut_sleep_ms(20);
	m[0] = 'x';
	CHECK_OK(fstat(fd, &b));
	CHECK(b.st_mtim.tv_nsec != a.st_mtim.tv_nsec);
	CHECK_OK(msync(m, 4096, MS_SYNC));
	ut_sleep_ms(20);
	m[0] = 'y';
	CHECK_OK(fstat(fd, &a));
	CHECK(b.st_mtim.tv_nsec != a.st_mtim.tv_nsec);
}

static bool same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* What becomes "now" in one call becomes the same. */
TEST(attrs, now_is_one_moment)
{
	struct timespec t[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct stat st;

	touch("f");
	for (int i = 0; i < 3; i++) {
		CHECK_OK(utimensat(AT_FDCWD, "f", i ? t : NULL, 0));
		CHECK_OK(stat("f", &st));
		CHECK(same(st.st_atim, st.st_mtim));
		CHECK(same(st.st_mtim, st.st_ctim));
	}
	t[0].tv_nsec = UTIME_OMIT;
	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	CHECK_OK(stat("f", &st));
	CHECK(same(st.st_mtim, st.st_ctim));
	t[0].tv_nsec = 7;
	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	CHECK_OK(stat("f", &st));
	CHECK(st.st_atim.tv_sec == 0 && st.st_atim.tv_nsec == 7);
	CHECK(same(st.st_mtim, st.st_ctim));
	CHECK_OK(truncate("f", 10));
	CHECK_OK(stat("f", &st));
	CHECK(same(st.st_mtim, st.st_ctim));
	CHECK_OK(unlink("f"));
}

TEST(attrs, times_fit)
{
	struct timespec t[2] = { { -3000000000ll, 5 }, { 99999999999ll, 5 } };
	struct stat st;

	if (!on_ext4())
		ut_skip("needs ext4");
	touch("f");
	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_atime, -2147483648ll);
	CHECK_EQ(st.st_mtime, 15032385535ll);
	CHECK_EQ(st.st_mtim.tv_nsec, 0);
}

/* Others make names while we list: what was there is seen once. */
TEST(attrs, list_while_it_grows)
{
	char name[80];
	int seen[200] = { 0 }, made = 0;
	struct dirent *e;
	DIR *d;

	CHECK_OK(mkdir("d", 0700));
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "d/o%d-%050d", i, 0);
		touch(name);
	}
	d = opendir("d");
	while ((e = readdir(d))) {
		if (e->d_name[0] == 'o')
			seen[atoi(e->d_name + 1)]++;
		for (int i = 0; i < 10 && made < 2000; i++) {
			snprintf(name, sizeof(name), "d/n%d-%050d", made++, 0);
			touch(name);
		}
	}
	for (int i = 0; i < 200; i++)
		CHECK_EQ(seen[i], 1);
	closedir(d);
}

TEST(attrs, seekdir)
{
	char name[80], there[256];
	struct dirent *e;
	long pos = 0;
	DIR *d;

	CHECK_OK(mkdir("d", 0700));
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d/f%d-%050d", i, 0);
		touch(name);
	}
	d = opendir("d");
	for (int i = 0; i < 250; i++)
		CHECK(readdir(d));
	pos = telldir(d);
	CHECK(e = readdir(d));
	strcpy(there, e->d_name);
	while (readdir(d))
		;
	seekdir(d, pos);
	CHECK(e = readdir(d));
	CHECK(!strcmp(e->d_name, there));
	closedir(d);
}

TEST(attrs, small_errors)
{
	char b[8];

	touch("f");
	CHECK_ERR(readlink("", b, 8), ENOENT);
	CHECK_ERR(readlink("f", b, 8), EINVAL);
	CHECK_ERR(setxattr("f", "user.", "x", 1, 0), EINVAL);
	CHECK_ERR(open(".", O_RDONLY | O_DIRECT), EINVAL);
	CHECK_ERR(fallocate(open("f", O_RDWR),
			    FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0,
			    4096),
		  EOPNOTSUPP);
}
