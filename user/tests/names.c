/* SPDX-License-Identifier: MIT */
/*
 * user/tests/names.c - directories, links, renames, permissions of names.
 */
#include "utest.h"

#include <dirent.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/xattr.h>

TEST(names, mkdir_rmdir)
{
	struct stat st;

	umask(022);
	CHECK_OK(mkdir("d", 0777));
	CHECK_OK(stat("d", &st));
	CHECK_EQ(st.st_mode, S_IFDIR | 0755);
	CHECK_ERR(mkdir("d", 0777), EEXIST);
	CHECK_ERR(mkdir("no/d", 0777), ENOENT);
	CHECK_OK(mkdir("d/e", 0700));
	CHECK_ERR(rmdir("d"), ENOTEMPTY);
	CHECK_ERR(unlink("d"), EISDIR);
	CHECK_OK(rmdir("d/e/"));
	CHECK_ERR(rmdir("d/."), EINVAL);
	CHECK_OK(rmdir("d"));
	CHECK_ERR(rmdir("d"), ENOENT);
	ut_open("f", "");
	CHECK_ERR(rmdir("f"), ENOTDIR);
	CHECK_ERR(mkdir("f/x", 0777), ENOTDIR);
}

TEST(names, links)
{
	struct stat a, b;

	ut_open("f", "abc");
	CHECK_OK(link("f", "g"));
	CHECK_OK(stat("f", &a));
	CHECK_OK(stat("g", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(b.st_nlink, 2);
	CHECK_ERR(link("f", "g"), EEXIST);
	CHECK_ERR(link(".", "h"), EPERM);
	CHECK_OK(unlink("f"));
	CHECK_OK(stat("g", &b));
	CHECK_EQ(b.st_nlink, 1);
	CHECK_ERR(unlink("f"), ENOENT);
}

TEST(names, symlinks)
{
	char buf[64];
	struct stat st;

	CHECK_OK(symlink("target/of/link", "l"));
	CHECK_EQ(readlink("l", buf, sizeof(buf)), 14);
	CHECK(!memcmp(buf, "target/of/link", 14));
	CHECK_EQ(readlink("l", buf, 3), 3);
	CHECK_ERR(readlink(".", buf, 3), EINVAL);
	CHECK_ERR(readlink("l", buf, 0), EINVAL);
	CHECK_ERR(symlink("x", "l"), EEXIST);
	CHECK_ERR(symlink("", "m"), ENOENT);
	CHECK_OK(symlink("b", "a"));
	CHECK_OK(symlink("a", "b"));
	CHECK_ERR(stat("a", &st), ELOOP);
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(symlink("../d", "d/self"));
	CHECK_OK(stat("d/self/self/self", &st));
	CHECK(S_ISDIR(st.st_mode));
}

TEST(names, rename)
{
	struct stat st;
	char buf[8];
	int fd;

	ut_open("a", "AAA");
	ut_open("b", "B");
	CHECK_OK(rename("a", "b"));
	CHECK_ERR(stat("a", &st), ENOENT);
	CHECK_OK(fd = open("b", O_RDONLY));
	CHECK_EQ(read(fd, buf, 8), 3);
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(mkdir("d/e", 0755));
	CHECK_ERR(rename("d", "d/e/f"), EINVAL);
	CHECK_ERR(rename("b", "d"), EISDIR);
	CHECK_ERR(rename("d", "b"), ENOTDIR);
	CHECK_OK(mkdir("x", 0755));
	CHECK_ERR(rename("x", "d"), ENOTEMPTY);
	CHECK_OK(rename("d", "x"));
	CHECK_OK(stat("x/e", &st));
	CHECK_OK(rename("b", "x/b"));
	CHECK_OK(rename("x/b", "x/b"));
	CHECK_OK(stat("x/b", &st));
	CHECK_ERR(rename("none", "y"), ENOENT);
	CHECK_OK(rename("x/e", "e2"));
	CHECK_OK(stat("e2/..", &st));
	CHECK_OK(stat("x", &st));
	CHECK_EQ(st.st_nlink, 2);
}

TEST(names, renameat2)
{
	struct stat st;

	ut_open("a", "AAA");
	ut_open("b", "B");
	NEED(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 0));
	CHECK_ERR(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b",
			  RENAME_NOREPLACE),
		  EEXIST);
	CHECK_ERR(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 64),
		  EINVAL);
	if (syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b",
		    RENAME_EXCHANGE) < 0 &&
	    errno == EINVAL)
		ut_skip("no RENAME_EXCHANGE");
	CHECK_OK(stat("b", &st));
	CHECK_EQ(st.st_size, 3);
}

/* What /proc/self/fd calls @fd, behind the last slash. */
static const char *called(int fd)
{
	static char buf[4096];
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK((n = readlink(link, buf, sizeof(buf) - 1)) > 0);
	buf[n] = '\0';
	CHECK(strrchr(buf, '/') != NULL);
	return strrchr(buf, '/') + 1;
}

/* Who has a file open sees the name that was taken from it. */
TEST(names, deleted)
{
	static const char a[] = "short",
			  b[] = "a name that is too long for the "
				"dentry's own memory";
	char want[64];
	int fd, dir;

	CHECK_OK(mkdir("old", 0755));
	CHECK_OK(mkdir(a, 0755));
	CHECK_OK(dir = open(a, O_RDONLY | O_DIRECTORY));
	CHECK_OK(rename("old", a));
	CHECK_EQ(strcmp(called(dir), "short (deleted)"), 0);
	close(dir);
	CHECK_OK(dir = open(a, O_RDONLY | O_DIRECTORY));
	CHECK_EQ(strcmp(called(dir), "short"), 0);
	close(dir);
	fd = ut_open(b, "1");
	CHECK_OK(link(b, "other"));
	close(ut_open("c", "2"));
	CHECK_OK(rename("c", b));
	CHECK_EQ(strcmp(called(fd),
			"a name that is too long for the dentry's own memory "
			"(deleted)"),
		 0);
	close(fd);
	CHECK_OK(fd = open("other", O_RDONLY));
	CHECK_OK(link("other", "third"));
	CHECK_OK(unlink("other"));
	CHECK_EQ(strcmp(called(fd), "other (deleted)"), 0);
	close(fd);
	CHECK_OK(rename(b, "d"));
	CHECK_OK(fd = open("d", O_RDONLY));
	CHECK_EQ(strcmp(called(fd), "d"), 0);
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		struct stat st;

		CHECK_OK(fstat(fd, &st));
		snprintf(want, sizeof(want), "#%llu (deleted)",
			 (unsigned long long)st.st_ino);
		CHECK_EQ(strcmp(called(fd), want), 0);
	}
}

TEST(names, long_names)
{
	char name[300], path[PATH_MAX + 10];
	struct stat st;

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	ut_open(name, "x");
	CHECK_OK(stat(name, &st));
	name[255] = 'n';
	name[256] = 0;
	CHECK_ERR(stat(name, &st), ENAMETOOLONG);
	CHECK_ERR(open(name, O_CREAT | O_RDWR, 0600), ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = 0;
	CHECK_ERR(stat(path, &st), ENAMETOOLONG);
	path[PATH_MAX - 1] = 0;
	CHECK_OK(stat(path, &st));
}

/* Count what getdents64 gives with a buffer of @size. */
static int count_entries(int dir, size_t size)
{
	char buf[4096];
	int nr = 0;
	long got, pos;

	CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
	while ((got = syscall(SYS_getdents64, dir, buf, size)) > 0) {
		for (pos = 0; pos < got; nr++) {
			struct dirent64 *d = (void *)(buf + pos);

			CHECK(d->d_reclen >= 24 && d->d_reclen % 8 == 0);
			CHECK(d->d_name[0]);
			pos += d->d_reclen;
		}
		CHECK_EQ(pos, got);
	}
	CHECK_EQ(got, 0);
	return nr;
}

TEST(names, getdents)
{
	char name[16], buf[8];
	int dir, i;

	CHECK_OK(mkdir("d", 0755));
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		close(ut_open(name, ""));
	}
	CHECK_OK(dir = open("d", O_RDONLY | O_DIRECTORY));
	CHECK_EQ(count_entries(dir, 4096), 302);
	CHECK_EQ(count_entries(dir, 64), 302);
	CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
	CHECK_ERR(syscall(SYS_getdents64, dir, buf, 8), EINVAL);
	for (i = 0; i < 300; i += 2) {
		snprintf(name, sizeof(name), "d/%d", i);
		CHECK_OK(unlink(name));
	}
	CHECK_EQ(count_entries(dir, 512), 152);
	CHECK_ERR(syscall(SYS_getdents64, 0x7fff, buf, 8), EBADF);
	CHECK_OK(i = open("d/1", O_RDONLY));
	CHECK_ERR(syscall(SYS_getdents64, i, buf, 8), ENOTDIR);
}

/* Who renames what he reads comes to an end, also where a name moves to the end of its
 * directory; a reader who starts again sees all. */
TEST(names, renamed_while_read)
{
	char top[] = "/dev/shm/utXXXXXX", buf[512], name[16];
	int dir, i, seen = 0;
	long got, pos;

	CHECK(mkdtemp(top));
	CHECK_OK(chdir(top));
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		close(ut_open(name, ""));
	}
	CHECK_OK(dir = open(".", O_RDONLY | O_DIRECTORY));
	do {
		got = syscall(SYS_getdents64, dir, buf, 96);
		CHECK_OK(got);
		for (pos = 0; pos < got; seen++) {
			struct dirent64 *d = (void *)(buf + pos);

			pos += d->d_reclen;
			if (d->d_name[0] == '.')
				continue;
			CHECK_OK(rename(d->d_name, "moved"));
			CHECK_OK(rename("moved", d->d_name));
		}
	} while (got && seen < 100);
	CHECK(seen < 100);
	CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
	CHECK_EQ(count_entries(dir, 96), 22);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		CHECK_OK(unlink(name));
	}
	CHECK_OK(rmdir(top));
}

TEST(names, at_calls)
{
	struct stat st;
	int dir, fd;

	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(dir = open("d", O_RDONLY | O_DIRECTORY));
	CHECK_OK(fd = openat(dir, "f", O_CREAT | O_RDWR, 0600));
	CHECK_OK(stat("d/f", &st));
	CHECK_OK(mkdirat(dir, "e", 0755));
	CHECK_OK(symlinkat("f", dir, "l"));
	CHECK_OK(linkat(dir, "f", AT_FDCWD, "g", 0));
	CHECK_OK(renameat(dir, "f", dir, "h"));
	CHECK_OK(unlinkat(dir, "e", AT_REMOVEDIR));
	CHECK_ERR(unlinkat(dir, "h", AT_REMOVEDIR), ENOTDIR);
	CHECK_ERR(unlinkat(dir, "h", 1), EINVAL);
	CHECK_OK(faccessat(dir, "h", R_OK, 0));
	CHECK_ERR(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_ERR(openat(-5, "x", O_RDONLY), EBADF);
	CHECK_OK(openat(-5, "/", O_RDONLY));
}

TEST(names, cwd)
{
	char a[PATH_MAX], b[PATH_MAX];
	int here;

	CHECK(getcwd(a, sizeof(a)));
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(here = open(".", O_RDONLY));
	CHECK_OK(chdir("d"));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strncmp(a, b, strlen(a)) && !strcmp(b + strlen(a), "/d"));
	CHECK_OK(rename("../d", "../e"));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strcmp(b + strlen(a), "/e"));
	CHECK_EQ(syscall(SYS_getcwd, b, 1), -1);
	CHECK_EQ(errno, ERANGE);
	CHECK_OK(fchdir(here));
	CHECK_ERR(chdir("none"), ENOENT);
	ut_open("f", "");
	CHECK_ERR(chdir("f"), ENOTDIR);
	CHECK_OK(chdir("/.."));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strcmp(b, "/"));
}

TEST(names, mode_bits)
{
	struct stat st;
	int fd = ut_open("f", "");

	CHECK_OK(chmod("f", 04751));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_mode, S_IFREG | 04751);
	CHECK_OK(fchmod(fd, 0600));
	CHECK_OK(chown("f", 12, 34));
	CHECK_OK(fchown(fd, -1, 56));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_uid, 12);
	CHECK_EQ(st.st_gid, 56);
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(lchown("l", 7, 8));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_uid, 12);
	CHECK_OK(lstat("l", &st));
	CHECK_EQ(st.st_uid, 7);
}

TEST(names, mknod)
{
	struct stat st;

	CHECK_OK(mkfifo("p", 0644));
	CHECK_OK(stat("p", &st));
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_OK(mknod("n", S_IFCHR | 0666, 0x103));
	CHECK_OK(stat("n", &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_rdev, 0x103);
	CHECK_OK(mknod("r", S_IFREG | 0600, 0));
	CHECK_OK(stat("r", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_ERR(mknod("r", S_IFREG | 0600, 0), EEXIST);
}

TEST(names, xattr_absent)
{
	char buf[8];

	ut_open("f", "");
	errno = 0;
	CHECK_EQ(getxattr("f", "user.none", buf, 8), -1);
	CHECK(errno == ENODATA || errno == EOPNOTSUPP || errno == ENOSYS);
}

TEST(names, many_in_one)
{
	struct stat st;
	char name[40];
	int i;

	for (i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "some-rather-long-name-%06d", i);
		close(ut_open(name, ""));
	}
	for (i = 0; i < 1500; i += 3) {
		snprintf(name, sizeof(name), "some-rather-long-name-%06d", i);
		CHECK_OK(unlink(name));
	}
	for (i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "some-rather-long-name-%06d", i);
		CHECK_EQ(stat(name, &st), i % 3 ? 0 : -1);
	}
}
