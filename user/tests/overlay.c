/* SPDX-License-Identifier: MIT */
/*
 * user/tests/overlay.c - a file system made of layers of others.
 *
 * Each works on a tmpfs of its own with the layers l1 (above) and l2, an upper
 * directory u, a work directory w, and m, where the union is seen.
 */
#include "utest.h"

#include <dirent.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define RW "lowerdir=l1:l2,upperdir=u,workdir=w"
#define RO "lowerdir=l1:l2"

static int overlay(const char *options)
{
	return mount("overlay", "m", "overlay", 0, options);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(close(fd));
}

static void check_text(const char *path, const char *want)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		ut_fail(__FILE__, __LINE__, "%s: errno %d", path, errno);
	CHECK(read(fd, buf, sizeof(buf) - 1) >= 0);
	if (strcmp(buf, want))
		ut_fail(__FILE__, __LINE__, "%s is \"%s\"", path, buf);
	CHECK_OK(close(fd));
}

static void check_mark(const char *path, const char *mark, const char *want)
{
	char buf[64] = "", name[64];
	long n;

	snprintf(name, sizeof(name), "trusted.overlay.%s", mark);
	n = lgetxattr(path, name, buf, sizeof(buf) - 1);
	if (!want && n < 0)
		return;
	if (!want || n < 0 || strcmp(buf, want))
		ut_fail(__FILE__, __LINE__, "%s of %s is \"%s\" (%ld)", mark,
			path, buf, n);
}

static bool is_whiteout(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISCHR(st.st_mode) && !st.st_rdev;
}

/* The names in @path, sorted, each with a space behind. */
static char *names(const char *path)
{
	static char all[256];
	char *list[32], *t;
	struct dirent *e;
	DIR *d = opendir(path);
	int n = 0;

	CHECK(d);
	while ((e = readdir(d)) && n < 32)
		if (e->d_name[0] != '.')
			list[n++] = strdup(e->d_name);
	closedir(d);
	for (int i = 0; i < n; i++)
		for (int k = i + 1; k < n; k++)
			if (strcmp(list[i], list[k]) > 0)
				t = list[i], list[i] = list[k], list[k] = t;
	*all = 0;
	for (int i = 0; i < n; i++)
		strcat(strcat(all, list[i]), " ");
	return all;
}

static void check_names(const char *path, const char *want)
{
	if (strcmp(names(path), want))
		ut_fail(__FILE__, __LINE__, "%s has \"%s\"", path, names(path));
}

/* Nothing was left where things are made, but a whiteout that Linux keeps. */
static void check_work(void)
{
	struct dirent *e;
	char path[300];
	DIR *d = opendir("w/work");

	CHECK(d);
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "w/work/%s", e->d_name);
		if (e->d_name[0] != '.' && !is_whiteout(path))
			ut_fail(__FILE__, __LINE__, "%s", path);
	}
	closedir(d);
}

static void layers(void)
{
	static const char *const dirs[] = { "l1",   "l2",      "u",
					    "w",    "m",       "l1/d",
					    "l2/d", "l2/only", "l2/e",
					    "l1/e", "l2/d/sub" };

	if (getuid())
		ut_skip("not root");
	NEED(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("t", 0755));
	CHECK_OK(mount("ut", "t", "tmpfs", 0, NULL));
	CHECK_OK(chdir("t"));
	umask(022);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK_OK(mkdir(dirs[i], 0755));
	put("l1/a", "upper a");
	put("l2/a", "lower a");
	put("l2/b", "b");
	put("l1/d/x", "x");
	put("l2/d/x", "hidden");
	put("l2/d/y", "y");
	put("l2/only/z", "z");
	CHECK_OK(symlink("b", "l2/s"));
	CHECK_OK(mknod("l1/e/gone", S_IFCHR, 0));
	put("l2/e/gone", "");
	put("l2/e/kept", "");
}

static void begin(const char *options)
{
	layers();
	if (overlay(options)) {
		if (errno == ENODEV)
			ut_skip("no overlay");
		ut_fail(__FILE__, __LINE__, "mount: errno %d", errno);
	}
}

static void end(void)
{
	CHECK_OK(umount("m"));
}

TEST(overlay, lookup)
{
	struct statfs fs;
	struct stat st;

	begin(RO);
	check_text("m/a", "upper a");
	check_text("m/b", "b");
	check_text("m/s", "b");
	check_text("m/d/x", "x");
	check_text("m/d/y", "y");
	CHECK_ERR(stat("m/e/gone", &st), ENOENT);
	check_names("m", "a b d e only s ");
	check_names("m/d", "sub x y ");
	check_names("m/e", "kept ");
	CHECK_OK(stat("m/d", &st));
	CHECK_EQ(st.st_nlink, 1);
	CHECK_OK(statfs("m", &fs));
	CHECK_EQ(fs.f_type, 0x794c7630);
	CHECK_ERR(open("m/new", O_CREAT | O_RDWR, 0600), EROFS);
	CHECK_ERR(open("m/a", O_RDWR), EROFS);
	CHECK_ERR(chmod("m/a", 0600), EROFS);
	CHECK_ERR(unlink("m/a"), EROFS);
	CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EROFS);
	end();
}

/* --- what copies a file up, and what that keeps */

static int by_write(const char *p)
{
	int fd = open(p, O_WRONLY);

	return fd < 0 ? -1 : close(fd);
}
static int by_read(const char *p)
{
	int fd = open(p, O_RDONLY);

	return fd < 0 ? -1 : close(fd);
}
static int by_chmod(const char *p)
{
	return chmod(p, 0640);
}
static int by_chown(const char *p)
{
	return chown(p, 12, 13);
}
static int by_times(const char *p)
{
	struct timespec ts[2] = { { 5, 0 }, { 6, 0 } };

	return utimensat(AT_FDCWD, p, ts, 0);
}
static int by_xattr(const char *p)
{
	return setxattr(p, "user.new", "v", 1, 0);
}
static int by_link(const char *p)
{
	return link(p, "m/other");
}
static int by_truncate(const char *p)
{
	return truncate(p, 4);
}
static int by_rename(const char *p)
{
	return rename(p, "m/moved") || rename("m/moved", p);
}
static int by_getxattr(const char *p)
{
	char c;

	return getxattr(p, "user.old", &c, 1) == 1 ? 0 : -1;
}
static int by_no_xattr(const char *p)
{
	return removexattr(p, "user.none") == -1 && errno == ENODATA ? 0 : -1;
}

static const struct {
	const char *name;
	int (*op)(const char *path);
	bool copies;
} ops[] = {
	{ "write", by_write, true },	    { "read", by_read, false },
	{ "chmod", by_chmod, true },	    { "chown", by_chown, true },
	{ "times", by_times, true },	    { "xattr", by_xattr, true },
	{ "link", by_link, true },	    { "truncate", by_truncate, true },
	{ "rename", by_rename, true },	    { "getxattr", by_getxattr, false },
	{ "no_xattr", by_no_xattr, false },
};

static void one_op(size_t i)
{
	struct timespec ts[2] = { { 1000, 1 }, { 2000, 2 } };
	char low[64], up[64], seen[64];
	struct stat before, after, is, parent;

	snprintf(low, sizeof(low), "l2/only/%s", ops[i].name);
	snprintf(up, sizeof(up), "u/only/%s", ops[i].name);
	snprintf(seen, sizeof(seen), "m/only/%s", ops[i].name);
	put(low, "some text");
	CHECK_OK(chown(low, 7, 8));
	CHECK_OK(chmod(low, 04755));
	CHECK_OK(setxattr(low, "user.old", "o", 1, 0));
	CHECK_OK(utimensat(AT_FDCWD, low, ts, 0));
	CHECK_OK(stat(seen, &before));
	CHECK_EQ(before.st_mode, S_IFREG | 04755);
	CHECK_OK(stat("m/only", &parent));
	if (ops[i].op(seen))
		ut_fail(__FILE__, __LINE__, "%s: errno %d", ops[i].name, errno);
	if (!stat(up, &is) != ops[i].copies)
		ut_fail(__FILE__, __LINE__, "%s", ops[i].name);
	CHECK_OK(stat(seen, &after));
	CHECK_EQ(after.st_ino, before.st_ino);
	CHECK_EQ(after.st_dev, before.st_dev);
	check_text(low, "some text");
	CHECK_OK(stat(low, &is));
	CHECK_EQ(is.st_mode, S_IFREG | 04755);
	if (!ops[i].copies)
		return;
	check_text(up, ops[i].op == by_truncate ? "some" : "some text");
	CHECK_EQ(lgetxattr(up, "user.old", low, 1), 1);
	CHECK_OK(stat(up, &is));
	CHECK_EQ(is.st_uid, ops[i].op == by_chown ? 12 : 7);
	CHECK_EQ(is.st_mode & 07777, ops[i].op == by_chmod   ? 0640
				     : ops[i].op == by_chown ? 0755
							     : 04755);
	if (ops[i].op != by_times && ops[i].op != by_truncate) {
		CHECK_EQ(is.st_mtim.tv_sec, 2000);
		CHECK_EQ(is.st_mtim.tv_nsec, 2);
	}
	CHECK(lgetxattr(up, "trusted.overlay.origin", NULL, 0) > 0);
	if (ops[i].op == by_chmod) { /* nothing happened to the directory */
		CHECK_OK(stat("m/only", &after));
		CHECK_EQ(after.st_mtim.tv_sec, parent.st_mtim.tv_sec);
		CHECK_EQ(after.st_mtim.tv_nsec, parent.st_mtim.tv_nsec);
	}
}

TEST(overlay, copy_up)
{
	begin(RW);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		one_op(i);
	check_mark("u/only", "impure", "y");
	check_work();
	end();
}

TEST(overlay, copy_up_kinds)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX,
				 .sun_path = "m/only/q" };
	struct stat st, is;
	char buf[8];
	int s, c;

	layers();
	CHECK_OK(mknod("l2/only/fifo", S_IFIFO | 0600, 0));
	CHECK_OK(mknod("l2/only/null", S_IFCHR | 0600, makedev(1, 3)));
	CHECK_OK(symlink("to", "l2/only/link"));
	if (overlay(RW) && errno == ENODEV)
		ut_skip("no overlay");
	CHECK_OK(chmod("m/only/fifo", 0640));
	CHECK_OK(chmod("m/only/null", 0640));
	CHECK_OK(lchown("m/only/link", 1, 1));
	CHECK_OK(stat("u/only/fifo", &st));
	CHECK_EQ(st.st_mode, S_IFIFO | 0640);
	CHECK_OK(stat("u/only/null", &st));
	CHECK_EQ(st.st_rdev, makedev(1, 3));
	CHECK_EQ(readlink("u/only/link", buf, 8), 2);
	CHECK_OK(chmod("m/d", 0700));
	CHECK_OK(stat("u/d", &st));
	CHECK_EQ(st.st_mode, S_IFDIR | 0700);
	check_names("u/d", "");
	check_names("m/d", "sub x y ");
	CHECK_OK(s = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(listen(s, 1));
	CHECK_OK(c = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	CHECK_OK(close(c));
	CHECK_OK(link("l2/b", "l2/b2")); /* other names keep the old file */
	CHECK_OK(stat("m/b2", &st));
	put("m/b2", "changed");
	check_text("m/b2", "changed");
	check_text("l2/b", "b");
	CHECK_OK(stat("m/b", &is));
	CHECK(is.st_ino != st.st_ino || is.st_nlink == 2);
	check_text("m/b", "b");
	CHECK_OK(close(s));
	end();
}

/* A descriptor that is older than the copy, holes, mappings. */
TEST(overlay, data)
{
	char buf[16] = "", *map, *old;
	struct stat st;
	int r, w, f;

	begin(RW);
	CHECK_OK(r = open("m/b", O_RDONLY));
	old = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r, 0);
	CHECK(old != MAP_FAILED && *old == 'b');
	CHECK_OK(w = open("m/b", O_RDWR));
	CHECK_EQ(write(w, "new", 3), 3);
	CHECK_EQ(read(r, buf, 8), 3);
	CHECK(!memcmp(buf, "new", 3) && *old == 'b');
	CHECK_OK(fstat(r, &st));
	CHECK_EQ(st.st_size, 3);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0);
	CHECK(map != MAP_FAILED);
	memcpy(map, "mem", 3);
	check_text("m/b", "mem");
	check_text("u/b", "mem");
	CHECK_OK(msync(map, 4096, MS_SYNC));
	CHECK_OK(fsync(w));
	CHECK_EQ(pwrite(w, "!", 1, 100), 1);
	CHECK_OK(fstat(w, &st));
	CHECK_EQ(st.st_size, 101);
	CHECK_EQ(lseek(w, 0, SEEK_END), 101);
	CHECK_OK(f = open("l2/sparse", O_CREAT | O_RDWR, 0600));
	CHECK_EQ(pwrite(f, "x", 1, 1 << 20), 1);
	CHECK_OK(ftruncate(f, 4 << 20));
	CHECK_OK(chmod("m/sparse", 0644));
	CHECK_OK(stat("u/sparse", &st));
	CHECK_EQ(st.st_size, 4 << 20);
	CHECK(st.st_blocks <= 2048);
	CHECK_OK(f = open("m/sparse", O_RDWR));
	CHECK_EQ(lseek(f, 0, SEEK_DATA), 1 << 20);
	CHECK_OK(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			   1 << 20, 1 << 20));
	CHECK_ERR(lseek(f, 0, SEEK_DATA), ENXIO);
	CHECK_OK(f = open("m/a", O_WRONLY | O_TRUNC));
	check_text("u/a", "");
	check_text("l1/a", "upper a");
	munmap(map, 4096);
	munmap(old, 4096);
	close(r);
	close(w);
	for (r = 3; r < 20; r++)
		close(r);
	end();
}

TEST(overlay, whiteouts)
{
	struct stat st;

	begin(RW);
	CHECK_OK(unlink("m/a"));
	CHECK(is_whiteout("u/a"));
	CHECK_ERR(stat("m/a", &st), ENOENT);
	check_names("m", "b d e only s ");
	check_text("l1/a", "upper a");
	put("m/a", "again");
	check_text("u/a", "again");
	CHECK_OK(unlink("m/a"));
	CHECK(is_whiteout("u/a"));
	CHECK_OK(mkdir("m/a", 0755));
	check_mark("u/a", "opaque", "y");
	CHECK_OK(rmdir("m/a"));
	CHECK(is_whiteout("u/a"));
	CHECK_OK(symlink("x", "m/a"));
	CHECK_OK(unlink("m/a"));
	put("m/pure", "");
	CHECK_OK(unlink("m/pure"));
	CHECK_ERR(lstat("u/pure", &st), ENOENT);
	CHECK_ERR(rmdir("m/d"), ENOTEMPTY);
	CHECK_OK(unlink("m/d/x"));
	CHECK(is_whiteout("u/d/x"));
	CHECK_OK(unlink("m/d/y"));
	CHECK_OK(rmdir("m/d/sub"));
	check_names("m/d", "");
	CHECK_OK(rmdir("m/d"));
	CHECK(is_whiteout("u/d"));
	CHECK_OK(mkdir("m/d", 0755));
	check_names("m/d", "");
	check_mark("u/d", "opaque", "y");
	put("m/b2", "");
	CHECK_OK(unlink("m/b"));
	CHECK_OK(link("m/b2", "m/b"));
	CHECK_OK(stat("m/b", &st));
	CHECK_EQ(st.st_nlink, 2);
	CHECK_ERR(mknod("m/white", S_IFCHR, 0), EPERM);
	CHECK_OK(mknod("m/null", S_IFCHR | 0600, makedev(1, 3)));
	check_work();
	end();
	CHECK_OK(overlay(RW)); /* it is all in the layers */
	check_names("m", "b b2 d e null only s ");
	check_names("m/d", "");
	end();
}

#define renameat2_(a, b, f) syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, f)

TEST(overlay, rename)
{
	struct stat st;

	begin(RW);
	CHECK_ERR(rename("m/d", "m/d2"), EXDEV);
	CHECK_ERR(rename("m/only", "m/d2"), EXDEV);
	CHECK_ERR(renameat2_("m/b", "m/d", RENAME_EXCHANGE), EXDEV);
	CHECK_ERR(renameat2_("m/b", "m/c", RENAME_WHITEOUT), EINVAL);
	CHECK_ERR(renameat2_("m/b", "m/a", RENAME_NOREPLACE), EEXIST);
	CHECK_OK(rename("m/b", "m/c"));
	CHECK(is_whiteout("u/b"));
	check_text("m/c", "b");
	CHECK_OK(rename("m/c", "m/b"));
	check_text("m/b", "b");
	CHECK_ERR(lstat("u/c", &st), ENOENT);
	CHECK_OK(renameat2_("m/a", "m/b", RENAME_EXCHANGE));
	check_text("m/a", "b");
	check_text("m/b", "upper a");
	CHECK_OK(rename("m/a", "m/d/x"));
	check_text("m/d/x", "b");
	CHECK(is_whiteout("u/a"));
	CHECK_OK(mkdir("m/new", 0755));
	put("m/new/in", "in");
	CHECK_ERR(rename("m/new", "m/d"), ENOTEMPTY);
	CHECK_OK(rename("m/new", "m/d/sub")); /* over an empty lower one */
	check_mark("u/d/sub", "opaque", "y");
	check_text("m/d/sub/in", "in");
	CHECK_OK(unlink("m/e/kept"));
	CHECK_OK(rename("m/d/sub", "m/e")); /* over one of whiteouts */
	check_names("m/e", "in ");
	CHECK(is_whiteout("u/d/sub"));
	check_work();
	end();
	CHECK_OK(overlay(RW));
	check_names("m", "b d e only s ");
	check_names("m/e", "in ");
	check_names("m/d", "x y ");
	end();
}

TEST(overlay, redirect)
{
	begin(RW ",redirect_dir=on");
	CHECK_OK(rename("m/d", "m/d2"));
	check_mark("u/d2", "redirect", "d");
	check_names("m/d2", "sub x y ");
	CHECK_OK(rename("m/d2/sub", "m/top"));
	check_mark("u/top", "redirect", "/d/sub");
	CHECK_OK(rename("m/only", "m/d2/only"));
	check_mark("u/d2/only", "redirect", "/only");
	check_text("m/d2/only/z", "z");
	end();
	CHECK_OK(overlay(RW)); /* which are followed by default */
	check_names("m", "a b d2 e s top ");
	check_names("m/d2", "only x y ");
	check_text("m/d2/only/z", "z");
	end();
}

static const struct {
	const char *options;
	int err;
} mounts[] = {
	{ "", EINVAL },
	{ "lowerdir=l1", EINVAL },
	{ "lowerdir=l1:none", ENOENT },
	{ "lowerdir=l1:l2/b", EINVAL },
	{ "lowerdir=l1:l1", ELOOP },
	{ "lowerdir=l2:l2/d", ELOOP },
	{ "lowerdir=l1,upperdir=u", EINVAL },
	{ "lowerdir=l1,upperdir=u,workdir=u", EINVAL },
	{ "lowerdir=l1,upperdir=u,workdir=l1", ELOOP },
	{ "lowerdir=u,upperdir=u,workdir=w", ELOOP },
	{ "lowerdir=l1,upperdir=l1/d,workdir=w", 0 },
	{ "lowerdir=l1,upperdir=u,workdir=other", EINVAL },
	{ "upperdir=u,workdir=w", EINVAL },
	{ RW ",nonsense", EINVAL },
	{ RW ",redirect_dir=maybe", EINVAL },
	{ RW ",userxattr,redirect_dir=on", EINVAL },
	{ RW ",index=off,metacopy=off,nfs_export=off,xino=off", 0 },
	{ RW ",redirect_dir=off", 0 },
	{ RW ",uuid=null,default_permissions", 0 },
	{ "lowerdir=l1:with\\:colon", 0 },
	{ "lowerdir=l1:l2,workdir=w", 0 },
};

TEST(overlay, options)
{
	int got;

	layers();
	CHECK_OK(mkdir("with:colon", 0755));
	CHECK_OK(mkdir("other", 0755));
	CHECK_OK(mount("ut", "other", "tmpfs", 0, NULL));
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		got = overlay(mounts[i].options) ? errno : 0;
		if (got == ENODEV)
			ut_skip("no overlay");
		if (got != mounts[i].err)
			ut_fail(__FILE__, __LINE__, "%s: errno %d",
				mounts[i].options, got);
		if (!got)
			end();
	}
}

static const struct {
	const char *options, *shown;
} shows[] = {
	{ RO, "ro,relatime,lowerdir=l1:l2,redirect_dir=on" },
	{ RW, "rw,relatime," RW ",uuid=on" }, /* it is new */
	{ RW ",redirect_dir=on,volatile",
	  "rw,relatime," RW ",redirect_dir=on,fsync=volatile" },
	{ "lowerdir=l1:with\\:colon\\,",
	  "ro,relatime,lowerdir=l1:with\\134:colon\\134\\054,redirect_dir=on" },
	{ "default_permissions," RW ",uuid=null,userxattr",
	  "rw,relatime," RW ",default_permissions,redirect_dir=nofollow,"
	  "uuid=null,userxattr" },
};

TEST(overlay, shown)
{
	char line[512], want[512], path[256];
	bool found;
	FILE *f;

	layers();
	CHECK_OK(mkdir("with:colon,", 0755));
	CHECK(getcwd(path, sizeof(path)));
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		if (overlay(shows[i].options)) {
			if (errno == ENODEV)
				ut_skip("no overlay");
			ut_fail(__FILE__, __LINE__, "%s: errno %d",
				shows[i].options, errno);
		}
		snprintf(want, sizeof(want), "overlay %s/m overlay %s 0 0\n",
			 path, shows[i].shown);
		f = fopen("/proc/mounts", "r");
		CHECK(f);
		found = false;
		while (fgets(line, sizeof(line), f)) {
			if (!strncmp(line, "overlay ", 8))
				found = !strcmp(line, want);
			if (!strncmp(line, "overlay ", 8) && !found)
				ut_fail(__FILE__, __LINE__, "%s", line);
		}
		fclose(f);
		CHECK(found);
		end();
		system("rm -rf w/work");
	}
}

TEST(overlay, xattrs)
{
	char buf[256];

	begin(RW);
	CHECK_OK(setxattr("m/b", "trusted.overlay.mine", "v", 1, 0));
	CHECK_EQ(getxattr("m/b", "trusted.overlay.mine", buf, 8), 1);
	CHECK_EQ(getxattr("u/b", "trusted.overlay.overlay.mine", buf, 8), 1);
	CHECK_ERR(getxattr("m/b", "trusted.overlay.origin", buf, 8), ENODATA);
	CHECK_EQ(listxattr("m/b", buf, sizeof(buf)), 21);
	CHECK(!strcmp(buf, "trusted.overlay.mine"));
	CHECK_OK(removexattr("m/b", "trusted.overlay.mine"));
	CHECK_EQ(listxattr("m/b", buf, sizeof(buf)), 0);
	end();
	/* whiteouts that are files, in a layer that says that it has some */
	CHECK_OK(setxattr("l1", "trusted.overlay.opaque", "x", 1, 0));
	CHECK_OK(setxattr("l1/e", "trusted.overlay.opaque", "x", 1, 0));
	put("l1/e/kept", "");
	CHECK_OK(setxattr("l1/e/kept", "trusted.overlay.whiteout", "", 0, 0));
	CHECK_OK(overlay(RO));
	check_names("m/e", "");
	CHECK_ERR(access("m/e/kept", F_OK), ENOENT);
	end();
	CHECK_OK(setxattr("l1/d", "trusted.overlay.opaque", "y", 1, 0));
	CHECK_OK(overlay(RO));
	check_names("m/d", "x ");
	end();
}

TEST(overlay, nested)
{
	begin(RO);
	CHECK_OK(mkdir("m2", 0755));
	CHECK_OK(mkdir("m3", 0755));
	CHECK_OK(mount("o2", "m2", "overlay", 0,
		       "lowerdir=m,upperdir=u,workdir=w"));
	put("m2/d/x", "mine");
	check_text("m2/d/x", "mine");
	check_text("m/d/x", "x");
	CHECK_OK(unlink("m2/a"));
	check_names("m2", "b d e only s ");
	CHECK_ERR(mount("o3", "m3", "overlay", 0, "lowerdir=m2:l1/d"), EINVAL);
	CHECK_ERR(mount("o3", "m3", "overlay", 0,
			"lowerdir=l1,upperdir=m2/d,workdir=m2/only"),
		  EINVAL);
	CHECK_OK(umount("m2"));
	end();
}

/* An offset is good whatever happens to the directory. */
TEST(overlay, readdir)
{
	char name[300], seen[64] = "";
	struct dirent *e;
	long at = 0;
	DIR *d;
	int n = 0;

	begin(RW);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%s/d/%02d", i & 1 ? "l2" : "m",
			 i);
		put(name, "");
	}
	CHECK(d = opendir("m/d"));
	while ((e = readdir(d))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		CHECK(!seen[atoi(e->d_name)]);
		seen[atoi(e->d_name)] = 1;
		if (++n == 20) {
			at = telldir(d);
			snprintf(name, sizeof(name), "m/d/%s", e->d_name);
			CHECK_OK(unlink(name));
			break;
		}
	}
	seekdir(d, at);
	while ((e = readdir(d))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		CHECK(!seen[atoi(e->d_name)]);
		seen[atoi(e->d_name)] = 1;
		n++;
	}
	CHECK_EQ(n, 40);
	rewinddir(d);
	for (n = 0; (e = readdir(d)); n++)
		;
	CHECK_EQ(n, 39 + 3 + 2);
	closedir(d);
	end();
}

/* What stat(2) says and what readdir(3) says are the same, copied up or not. */
TEST(overlay, numbers)
{
	struct dirent *e;
	struct stat st;
	char path[300];
	DIR *d;

	begin(RW);
	CHECK_OK(chmod("m/d/x", 0600));
	put("m/d/fresh", "");
	CHECK(d = opendir("m/d"));
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "m/d/%s", e->d_name);
		CHECK_OK(lstat(path, &st));
		CHECK_EQ(st.st_ino, e->d_ino);
	}
	closedir(d);
	end();
}

TEST(overlay, others)
{
	char buf[512], *argv[] = { "m/true", NULL };
	struct flock l = { .l_type = F_WRLCK };
	int fd, in, f2;
	pid_t pid;

	begin(RW);
	CHECK_OK(in = inotify_init1(IN_NONBLOCK));
	CHECK_OK(inotify_add_watch(in, "m/b", IN_MODIFY | IN_OPEN));
	CHECK_OK(fd = open("m/b", O_RDWR));
	CHECK_EQ(write(fd, "c", 1), 1);
	CHECK_EQ(read(in, buf, sizeof(buf)), 32);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	CHECK_OK(flock(fd, LOCK_EX));
	CHECK_OK(f2 = open("m/b", O_RDONLY));
	CHECK_ERR(flock(f2, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(f2 = open("m/d", O_TMPFILE | O_RDWR, 0600));
	CHECK_EQ(write(f2, "tmp", 3), 3);
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", f2);
	CHECK_OK(linkat(AT_FDCWD, buf, AT_FDCWD, "m/d/named",
			AT_SYMLINK_FOLLOW));
	check_text("u/d/named", "tmp");
	put("m/true", "#!/bin/true\n");
	CHECK_OK(chmod("m/true", 0755));
	pid = fork();
	if (!pid) {
		execv(argv[0], argv);
		_exit(99);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_OK(umount2("m", MNT_DETACH));
}

static void map_ids(void)
{
	char map[32];
	int fd;

	CHECK_OK(fd = open("/proc/self/uid_map", O_WRONLY));
	snprintf(map, sizeof(map), "0 %d 1\n", 1000);
	CHECK_EQ(write(fd, map, strlen(map)), strlen(map));
	close(fd);
	CHECK_OK(fd = open("/proc/self/setgroups", O_WRONLY));
	CHECK_EQ(write(fd, "deny", 4), 4);
	close(fd);
	CHECK_OK(fd = open("/proc/self/gid_map", O_WRONLY));
	CHECK_EQ(write(fd, map, strlen(map)), strlen(map));
	close(fd);
}

static int by_user(void *arg)
{
	(void)arg;
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	CHECK_OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	map_ids();
	CHECK_OK(overlay(RW ",userxattr"));
	check_text("m/b", "b");
	put("m/d/x", "mine");
	CHECK_OK(unlink("m/b"));
	CHECK(is_whiteout("u/b"));
	CHECK_ERR(open("m/secret", O_RDONLY), EACCES);
	CHECK_OK(unlink("m/a"));
	CHECK_OK(mkdir("m/a", 0755));
	CHECK_EQ(getxattr("u/a", "user.overlay.opaque", NULL, 0), 1);
	CHECK_OK(umount("m"));
	return 0;
}

TEST(overlay, user_namespace)
{
	layers();
	if (overlay(RW) && errno == ENODEV)
		ut_skip("no overlay");
	end();
	put("l2/secret", "");
	CHECK_OK(chmod("l2/secret", 0600));
	CHECK_OK(
		system("chown -R 1000:1000 l1 u w m; chown 1000:1000 l2 l2/?"));
	CHECK_OK(system("rm -rf w/work"));
	CHECK_EQ(ut_wait(ut_fork(by_user, NULL)), 0);
}

/* A copy that cannot be made: everything is as it was. */
TEST(overlay, no_room)
{
	struct stat st;
	int fd;

	layers();
	CHECK_OK(fd = open("l2/only/big", O_CREAT | O_RDWR, 0600));
	for (int i = 0; i < 64; i++)
		CHECK_EQ(pwrite(fd, "x", 1, i * 4096), 1);
	CHECK_OK(close(fd));
	CHECK_OK(mkdir("small", 0755));
	CHECK_OK(mount("ut", "small", "tmpfs", 0, "size=64k"));
	CHECK_OK(mkdir("small/u", 0755));
	CHECK_OK(mkdir("small/w", 0755));
	if (overlay("lowerdir=l1:l2,upperdir=small/u,workdir=small/w")) {
		if (errno == ENODEV)
			ut_skip("no overlay");
		ut_fail(__FILE__, __LINE__, "errno %d", errno);
	}
	CHECK_ERR(open("m/only/big", O_RDWR), ENOSPC);
	CHECK_ERR(chmod("m/only/big", 0644), ENOSPC);
	CHECK_ERR(rename("m/only/big", "m/only/b2"), ENOSPC);
	CHECK_OK(stat("m/only/big", &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(st.st_size, 63 * 4096 + 1);
	check_names("m/only", "big z ");
	CHECK_ERR(lstat("small/u/only/big", &st), ENOENT);
	check_names("small/w/work", "");
	CHECK_OK(fd = open("m/only/big", O_WRONLY | O_TRUNC));
	CHECK_OK(close(fd));
	CHECK_OK(stat("m/only/big", &st));
	CHECK_EQ(st.st_size, 0);
	end();
}
