/* SPDX-License-Identifier: MIT */
/*
 * user/tests/fsioctl.c - ioctl(2) on files and directories: what ext4 has of its own,
 * what all file systems are asked for; errors that pjdfstest and xfstests look at.
 */
#include "utest.h"

#include <grp.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define EXT4 0xef53
#define KIB  1024

struct move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};
#define EXT4_IOC_MOVE_EXT _IOWR('f', 15, struct move_extent)

static bool on_ext4(void)
{
	struct statfs fs;

	CHECK_OK(statfs(".", &fs));
	return fs.f_type == EXT4;
}

static void become(int id)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setegid(id));
	CHECK_OK(seteuid(id));
}

TEST(attrs, ext4_ioctls)
{
	struct {
		uint32_t len, flags;
		unsigned char uuid[16];
	} u = { 0 };
	uint32_t v = 4;
	int fd = ut_open("f", "data");

	if (!on_ext4() || geteuid())
		ut_skip("needs root on ext4");
	CHECK_OK(ioctl(fd, _IO('f', 18)));	     /* PRECACHE_EXTENTS */
	CHECK_OK(ioctl(fd, _IO('f', 12)));	     /* ALLOC_DA_BLKS */
	CHECK_OK(ioctl(fd, _IOW('f', 43, int), &v)); /* CHECKPOINT, dry run */
	for (v = 7; v < 9; v++)
		CHECK_ERR(ioctl(fd, _IOW('f', 43, int), &v), EINVAL);
	CHECK_OK(ioctl(fd, _IOR('f', 44, uint64_t), &u)); /* GETFSUUID */
	CHECK_EQ(u.len, 16);
	CHECK_OK(ioctl(fd, _IOR('f', 44, uint64_t), &u));
	u.len = 3;
	CHECK_ERR(ioctl(fd, _IOR('f', 44, uint64_t), &u), EINVAL);
	/* encryption and verity: known, and not to be had */
	CHECK_ERR(ioctl(fd, 0xc0506617, NULL), EOPNOTSUPP);
	CHECK_ERR(ioctl(fd, 0x40806685, NULL), EOPNOTSUPP);
	CHECK_ERR(ioctl(fd, 0x12345678, NULL), ENOTTY);
	become(1000);
	CHECK_ERR(ioctl(fd, _IO('f', 12)), EACCES);
	CHECK_ERR(ioctl(fd, _IOW('f', 4, long), &v), EPERM); /* SETVERSION */
	CHECK_ERR(ioctl(fd, _IOW('f', 43, int), &v), EPERM);
}

TEST(attrs, sharing_is_judged)
{
	struct file_dedupe_range d = { .src_length = 4096 };
	struct file_clone_range c = { 0 };
	int fd = ut_open("f", "data"), to = ut_open("g", "data");
	int ro = open("f", O_RDONLY), dir = open(".", O_RDONLY);
	int null = open("/dev/null", O_RDWR);

	CHECK_ERR(ioctl(to, FICLONE, fd), EOPNOTSUPP);
	CHECK_ERR(ioctl(to, FICLONE, -1), EBADF);
	CHECK_ERR(ioctl(to, FICLONE, dir), EISDIR);
	CHECK_ERR(ioctl(to, FICLONE, null), EXDEV);
	CHECK_ERR(ioctl(ro, FICLONE, to), EBADF);
	c.src_fd = fd;
	CHECK_ERR(ioctl(to, FICLONERANGE, &c), EOPNOTSUPP);
	CHECK_ERR(ioctl(to, FICLONERANGE, NULL), EFAULT);
	CHECK_ERR(ioctl(fd, FIDEDUPERANGE, &d), EOPNOTSUPP);
	CHECK_ERR(ioctl(dir, FIDEDUPERANGE, &d), EISDIR);
	d.reserved1 = 1;
	CHECK_ERR(ioctl(fd, FIDEDUPERANGE, &d), EINVAL);
}

/* The names that fallocate(2) had before it was a system call. */
TEST(attrs, old_reservations)
{
	struct {
		short type, whence;
		int64_t start, len;
		int sysid, pid, pad[4];
	} r = { .start = 4096, .len = 4096 };
	int fd = ut_open("f", "data");
	struct stat st;

	CHECK_OK(ioctl(fd, 0x4030582a, &r)); /* FS_IOC_RESVSP64 */
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_size == 4 && st.st_blocks >= 8);
	CHECK_OK(ioctl(fd, 0x4030582b, &r)); /* FS_IOC_UNRESVSP64 */
	r.whence = 3;
	CHECK_ERR(ioctl(fd, 0x4030582a, &r), EINVAL);
	CHECK_ERR(fallocate(-1, 0x80, 0, 1), EBADF);
	CHECK_ERR(pread(fd, &r, 2, INT64_MAX - 1), EINVAL);
}

TEST(attrs, odd_names)
{
	struct stat st;

	if (geteuid())
		ut_skip("needs root");
	CHECK_ERR(open(".", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK_ERR(open(".", O_CREAT | O_RDWR, 0600), EISDIR);
	CHECK_OK(mkfifo("p", 0));
	CHECK_OK(chmod("p", 06755));
	CHECK_OK(chown("p", 1000, 1000));
	CHECK_OK(stat("p", &st));
	CHECK_EQ(st.st_mode & 07777, 0755);
	CHECK_OK(chmod(".", 0777));
	become(1000);
	CHECK_OK(mknod("whiteout", S_IFCHR | 0600, 0));
	CHECK_ERR(mknod("null", S_IFCHR | 0600, 0x103), EPERM);
}

TEST(attrs, inherited_flags)
{
	int dir, fd, v = FS_SECRM_FL | FS_NODUMP_FL | FS_DIRSYNC_FL, got;

	if (!on_ext4())
		ut_skip("needs ext4");
	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(dir = open("d", O_RDONLY));
	CHECK_OK(ioctl(dir, FS_IOC_GETFLAGS, &got));
	v |= got;
	CHECK_OK(ioctl(dir, FS_IOC_SETFLAGS, &v));
	CHECK_OK(fd = open("d/f", O_CREAT | O_RDWR, 0600));
	CHECK_OK(ioctl(fd, FS_IOC_GETFLAGS, &got));
	CHECK_EQ(got & ~FS_EXTENT_FL, FS_SECRM_FL | FS_NODUMP_FL);
	CHECK_OK(mkdir("d/e", 0700));
	CHECK_OK(fd = open("d/e", O_RDONLY));
	CHECK_OK(ioctl(fd, FS_IOC_GETFLAGS, &got));
	CHECK_EQ(got & ~FS_EXTENT_FL, v & ~FS_EXTENT_FL);
}

TEST(attrs, bad_values)
{
	int fd = ut_open("f", "data");

	CHECK_ERR(setxattr("f", "security.capability", "x", 1, 0), EINVAL);
	CHECK_OK(mkfifo("p", 0600));
	CHECK_ERR(open("p", O_RDWR | O_DIRECT), EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd,
		   INT64_MAX & ~4095ll) == MAP_FAILED &&
	      errno == EOVERFLOW);
}

static int nr_extents(int fd)
{
	struct fiemap f = { .fm_length = ~0ull, .fm_flags = FIEMAP_FLAG_SYNC };

	CHECK_OK(ioctl(fd, FS_IOC_FIEMAP, &f));
	return (int)f.fm_mapped_extents;
}

/* One extent, or none; its flags. */
static int xattr_extent(int fd, unsigned int *flags, uint64_t *len)
{
	union {
		struct fiemap f;
		char room[sizeof(struct fiemap) +
			  2 * sizeof(struct fiemap_extent)];
	} x = { .f = { .fm_length = ~0ull,
		       .fm_flags = FIEMAP_FLAG_XATTR,
		       .fm_extent_count = 2 } };
	const struct fiemap_extent *e = x.f.fm_extents;

	CHECK_OK(ioctl(fd, FS_IOC_FIEMAP, &x));
	if (!x.f.fm_mapped_extents)
		return 0;
	CHECK(!e->fe_logical && e->fe_physical);
	*flags = e->fe_flags;
	*len = e->fe_length;
	return (int)x.f.fm_mapped_extents;
}

/* A small attribute lies in the inode, a large one in a block. */
TEST(attrs, fiemap_xattr)
{
	const unsigned int in = FIEMAP_EXTENT_DATA_INLINE |
				FIEMAP_EXTENT_NOT_ALIGNED | FIEMAP_EXTENT_LAST;
	struct statfs fs;
	unsigned int flags = 0;
	char big[900] = { 1 };
	uint64_t len = 0;
	int fd = ut_open("f", "");

	CHECK_OK(fstatfs(fd, &fs));
	if (fs.f_type != 0xef53)
		ut_skip("needs ext4");
	CHECK_EQ(xattr_extent(fd, &flags, &len), 0);
	CHECK_OK(fsetxattr(fd, "user.big", big, sizeof(big), 0));
	CHECK_EQ(xattr_extent(fd, &flags, &len), 1);
	CHECK_EQ(flags, FIEMAP_EXTENT_LAST);
	CHECK_EQ(len, fs.f_bsize);
	CHECK_OK(fsetxattr(fd, "user.a", "1", 1, 0));
	CHECK_EQ(xattr_extent(fd, &flags, &len), 1);
	CHECK_EQ(flags, in);
	CHECK(len && len < 200);
	CHECK_OK(fremovexattr(fd, "user.a"));
	CHECK_OK(fremovexattr(fd, "user.big"));
	CHECK_EQ(xattr_extent(fd, &flags, &len), 0);
}

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 13 + i / 4096);
}

static void check_data(int fd, size_t n)
{
	static unsigned char buf[1 << 20];

	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), n);
	for (size_t i = 0; i < n; i++)
		if (buf[i] != pattern(i))
			CHECK_EQ(i, -1);
}

/* As e4defrag does it. */
TEST(attrs, move_extents)
{
	enum {
		SIZE = 1000 * KIB + 100,
		PIECE = 8 * KIB
	};
	struct move_extent me = { 0 };
	unsigned char buf[PIECE], c;
	int fd = ut_open("f", ""), other = ut_open("g", "");
	int donor = ut_open("d", "");
	size_t at, i, n;
	struct statfs fs;

	if (!on_ext4())
		ut_skip("needs ext4");
	CHECK_OK(fstatfs(fd, &fs));
	/* two files that grow by turns are in pieces */
	for (at = 0; at < SIZE; at += n) {
		n = SIZE - at < PIECE ? SIZE - at : PIECE;
		for (i = 0; i < n; i++)
			buf[i] = pattern(at + i);
		CHECK_EQ(pwrite(fd, buf, n, at), n);
		CHECK_OK(fdatasync(fd));
		CHECK_EQ(pwrite(other, buf, n, at), n);
		CHECK_OK(fdatasync(other));
	}
	if (fallocate(donor, 0, 0, SIZE) && errno == EOPNOTSUPP)
		ut_skip("no extents");
	me.donor_fd = donor;
	me.len = (SIZE + fs.f_bsize - 1) / fs.f_bsize;
	CHECK_OK(ioctl(fd, EXT4_IOC_MOVE_EXT, &me));
	CHECK_EQ(me.moved_len, me.len);
	check_data(fd, SIZE);
	CHECK(nr_extents(fd) < 20);
	CHECK_OK(fsync(fd));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	check_data(fd, SIZE);
	/* the other one has what nobody reads */
	CHECK_EQ(pread(donor, &c, 1, SIZE / 2), 1);
	CHECK_EQ(ftruncate(donor, 0), 0);
	check_data(fd, SIZE);
	me.donor_fd = (uint32_t)-1;
	CHECK_ERR(ioctl(fd, EXT4_IOC_MOVE_EXT, &me), EBADF);
	me.donor_fd = fd;
	CHECK_ERR(ioctl(fd, EXT4_IOC_MOVE_EXT, &me), EINVAL);
	me.donor_fd = open("/dev/null", O_RDWR);
	CHECK_ERR(ioctl(fd, EXT4_IOC_MOVE_EXT, &me), EXDEV);
	CHECK_ERR(ioctl(open("f", O_RDONLY), EXT4_IOC_MOVE_EXT, &me), EBADF);
}

/* A direct write of what has its place waits for the disk only. */
TEST(attrs, direct_nowait)
{
	int fd = ut_open("f", ""), d = open("f", O_RDWR | O_DIRECT);
	struct iovec v = { .iov_len = 4096 };

	if (!on_ext4())
		ut_skip("needs ext4");
	v.iov_base = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(v.iov_base != MAP_FAILED);
	CHECK_OK(d);
	CHECK_ERR(pwritev2(d, &v, 1, 0, RWF_NOWAIT), EAGAIN);
	CHECK_EQ(pwrite(d, v.iov_base, 4096, 0), 4096);
	CHECK_EQ(pwritev2(d, &v, 1, 0, RWF_NOWAIT), 4096);
	CHECK_OK(fallocate(d, 0, 4096, 4096));
	CHECK_ERR(pwritev2(fd, &v, 1, 0, RWF_NOWAIT), EOPNOTSUPP);
	CHECK_ERR(pwritev2(d, &v, 1, 8192, RWF_NOWAIT), EAGAIN);
}

/* And so does a read, to the end of the file. */
TEST(attrs, direct_read_nowait)
{
	int fd = ut_open("f", ""), d = open("f", O_RDWR | O_DIRECT);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v = { .iov_base = p, .iov_len = 8192 };

	if (!on_ext4())
		ut_skip("needs ext4");
	CHECK(p != MAP_FAILED);
	CHECK_OK(d);
	memset(p, 'n', 8192);
	CHECK_EQ(pwrite(d, p, 8192, 0), 8192);
	memset(p, 0, 8192);
	CHECK_EQ(preadv2(d, &v, 1, 0, RWF_NOWAIT), 8192);
	CHECK(p[0] == 'n' && !memcmp(p, p + 1, 8191));
	CHECK_EQ(preadv2(d, &v, 1, 4096, RWF_NOWAIT), 4096);
	CHECK_EQ(preadv2(fd, &v, 1, 0, RWF_NOWAIT) < 0 ? errno : EAGAIN,
		 EAGAIN);
}

/* What is written and not on the disk yet has its blocks once. */
TEST(attrs, counted_once)
{
	static char b[65536];
	int fd = ut_open("f", "");
	struct stat st;

	CHECK_EQ(write(fd, b, sizeof(b)), sizeof(b));
	CHECK_OK(fallocate(fd, 0, 0, sizeof(b)));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_blocks, sizeof(b) / 512);
}

/* EXT4_IOC_SHUTDOWN: all that wants the disk is an I/O error from then on, and the
 * volume is not called read-only.  On one that may be lost: UTEST_VOLUME=/mnt. */
TEST(volume, shut_down)
{
	const char *top = getenv("UTEST_VOLUME");
	uint32_t how = 2;
	struct statfs fs;
	int fd, r;
	char *map, c;

	if (!top)
		ut_skip("no UTEST_VOLUME");
	CHECK_OK(chdir(top));
	fd = ut_open("f", "data");
	CHECK_OK(fsync(fd));
	CHECK_OK(mkdir("from", 0755));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	map[0] = 'D';
	CHECK_OK(r = open(".", O_RDONLY));
	CHECK_ERR(ioctl(r, _IOR('X', 125, uint32_t), NULL), EFAULT);
	CHECK_OK(ioctl(r, _IOR('X', 125, uint32_t), &how));
	CHECK_ERR(fsync(fd), EIO);
	map[1] = 'A';
	CHECK_ERR(pread(fd, &c, 1, 0), EIO);
	CHECK_ERR(pwrite(fd, &c, 1, 0), EIO);
	CHECK_ERR(ftruncate(fd, 0), EIO);
	CHECK_ERR(fallocate(fd, 0, 0, 65536), EIO);
	CHECK_ERR(fchmod(fd, 0600), EIO);
	CHECK_ERR(open("f", O_RDONLY), EIO);
	CHECK_ERR(open("new", O_RDWR | O_CREAT, 0600), EIO);
	CHECK_ERR(mkdir("e", 0755), EIO);
	CHECK_ERR(unlink("f"), EIO);
	CHECK_ERR(rename("from", "to"), EIO);
	CHECK_ERR(setxattr("f", "user.a", "b", 1, 0), EIO);
	CHECK_OK(statfs(".", &fs));
	CHECK_EQ(fs.f_flags & MS_RDONLY, 0);
	CHECK_OK(chdir("/"));
}

/* On a full volume what fallocate() gave can be written to, in splinters. */
TEST(volume, full)
{
	const char *top = getenv("UTEST_VOLUME");
	static char b[65536];
	const int given = 12 << 20; /* a tree of more than what is left */
	size_t n = sizeof(b);
	int fd, fill;

	if (!top)
		ut_skip("no UTEST_VOLUME");
	CHECK_OK(chdir(top));
	fd = ut_open("given", "");
	fill = ut_open("fill", "");
	CHECK_OK(fallocate(fd, 0, 0, given));
	while (n)
		if (write(fill, b, n) < 0) {
			CHECK_EQ(errno, ENOSPC);
			n = fsync(fill) ? 0 : n / 2;
		}
	CHECK_OK(fsync(fill));
	for (int i = 0; i < given; i += 2 * 4096)
		CHECK_EQ(pwrite(fd, b, 4096, i), 4096);
	CHECK_OK(fsync(fd));
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			   given));
	CHECK_EQ(pwrite(fd, b, 10, 0), 10);
	CHECK_OK(fsync(fd));
	CHECK_OK(unlink("given"));
	CHECK_OK(unlink("fill"));
	CHECK_OK(chdir("/"));
}

/* On tmpfs it binds who opens; who has the file open goes on, but for fallocate(). */
TEST(fsioctl, immutable_tmpfs)
{
	int flags = FS_IMMUTABLE_FL, fd;

	CHECK_OK(mkdir("t", 0700));
	if (mount("t", "t", "tmpfs", 0, NULL))
		ut_skip("may not mount");
	fd = open("t/f", O_RDWR | O_CREAT, 0600);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	CHECK_EQ(write(fd, "d", 1), 1);
	CHECK_OK(ftruncate(fd, 1));
	CHECK_ERR(fallocate(fd, 0, 0, 8192), EPERM);
	CHECK_ERR(truncate("t/f", 0), EPERM);
	CHECK_ERR(fchmod(fd, 0644), EPERM);
	CHECK_ERR(open("t/f", O_WRONLY), EPERM);
	flags = 0;
	CHECK_OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	CHECK_OK(close(fd));
	CHECK_OK(umount("t"));
}
