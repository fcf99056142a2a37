/* SPDX-License-Identifier: MIT */
/*
 * user/tests/whicherr.c - which of two errors comes first when a file is named:
 * links, renaming, times, extended attributes.
 */
#include "utest.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/xattr.h>

#define NOBODY 65534
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const char *too_long(void)
{
	static char name[NAME_MAX + 2];

	memset(name, 'n', NAME_MAX + 1);
	return name;
}

static int as_nobody(int (*fn)(void *))
{
	CHECK_OK(chmod(".", 0777));
	return ut_wait(ut_fork(fn, NULL));
}

/* A file that is not there is told before times that cannot be. */
TEST(whicherr, times)
{
	const struct timespec bad[2] = { { 1, 2000000000 }, { 1, 0 } };

	CHECK_ERR(utimensat(AT_FDCWD, "none", bad, 0), ENOENT);
	CHECK_ERR(utimensat(AT_FDCWD, too_long(), bad, 0), ENAMETOOLONG);
	CHECK_ERR(utimensat(99, "none", bad, 0), EBADF);
	CHECK_ERR(utimensat(AT_FDCWD, ".", bad, 0), EINVAL);
}

/* Names are as long as they may be when they are looked for: the old one first. */
TEST(whicherr, long_names)
{
	close(ut_open("file", ""));
	CHECK_ERR(rename("none", too_long()), ENOENT);
	CHECK_ERR(rename(too_long(), "file/x"), ENOTDIR);
	CHECK_ERR(rename("file", too_long()), ENAMETOOLONG);
	CHECK_ERR(rename(too_long(), "other"), ENAMETOOLONG);
	CHECK_ERR(unlink(too_long()), ENAMETOOLONG);
	CHECK_ERR(rmdir(too_long()), ENAMETOOLONG);
	CHECK_ERR(mkdir(too_long(), 0755), ENAMETOOLONG);
	CHECK_ERR(link("file", too_long()), ENAMETOOLONG);
	CHECK_ERR(mknod(too_long(), S_IFIFO | 0600, 0), ENAMETOOLONG);
}

static int link_path_only(void *arg)
{
	int fd = open("file", O_PATH), own;

	(void)arg;
	CHECK_OK(fd);
	CHECK_OK(setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_OK(own = open("own", O_CREAT | O_RDWR, 0600));
	CHECK_ERR(linkat(fd, "", AT_FDCWD, "b", AT_EMPTY_PATH), ENOENT);
	CHECK_ERR(linkat(fd, "", AT_FDCWD, "own", AT_EMPTY_PATH), ENOENT);
	CHECK_OK(linkat(own, "", AT_FDCWD, "c", AT_EMPTY_PATH));
	return 0;
}

/* What a descriptor without rights leads to gets no name by somebody else. */
TEST(whicherr, link_of_a_path)
{
	close(ut_open("file", ""));
	CHECK_OK(chmod("file", 0666));
	CHECK_EQ(as_nobody(link_path_only), 0);
	CHECK_ERR(access("b", F_OK), ENOENT);
}

static int link_there(void *arg)
{
	(void)arg;
	CHECK_OK(setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_ERR(link("file", "dir/new"), EPERM);
	CHECK_ERR(link("file", "dir/old"), EEXIST);
	CHECK_ERR(symlink("file", "dir/new"), EACCES);
	return 0;
}

/* Another one's file is not linked, wherever to (protected_hardlinks). */
TEST(whicherr, protected_link)
{
	static const char knob[] = "/proc/sys/fs/protected_hardlinks";
	int fd = open(knob, O_RDWR);
	char was = '0';
	int left;

	CHECK_OK(fd);
	CHECK_EQ(pread(fd, &was, 1, 0), 1);
	CHECK_EQ(pwrite(fd, "1", 1, 0), 1);
	CHECK_OK(mkdir("dir", 0755));
	close(ut_open("dir/old", ""));
	close(ut_open("file", ""));
	CHECK_OK(chmod("file", 0600));
	left = as_nobody(link_there);
	CHECK_EQ(pwrite(fd, &was, 1, 0), 1);
	CHECK_EQ(left, 0);
}

static int set_attributes(void *arg)
{
	static const char caps[20] = { 0, 0, 0, 2 };

	(void)arg;
	CHECK_OK(setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_ERR(setxattr("file", "user.", "v", 1, 0), EACCES);
	CHECK_ERR(setxattr("file", "user.a", "v", 1, 0), EACCES);
	CHECK_ERR(setxattr("file", "what", "v", 1, 0), EACCES);
	CHECK_ERR(setxattr("file", "trusted.", "v", 1, 0), EPERM);
	CHECK_ERR(setxattr("file", "security.", "v", 1, 0), EPERM);
	CHECK_ERR(setxattr("file", "security.capability", "v", 1, 0), EINVAL);
	CHECK_ERR(setxattr("file", "security.capability", caps, 20, 0), EPERM);
	CHECK_ERR(setxattr("none", "user.", "v", 1, 0), ENOENT);
	CHECK_ERR(getxattr("file", "trusted.", NULL, 0), ENODATA);
	return 0;
}

/* Rights are looked at before the name. */
TEST(whicherr, attributes)
{
	char v;

	close(ut_open("file", ""));
	CHECK_OK(chmod("file", 0644));
	CHECK_EQ(as_nobody(set_attributes), 0);
	CHECK_ERR(setxattr("file", "user.", "v", 1, 0), EINVAL);
	CHECK_ERR(setxattr("file", "trusted.", "v", 1, 0), EINVAL);
	CHECK_ERR(setxattr("file", "what", "v", 1, 0), EOPNOTSUPP);
	CHECK_ERR(getxattr("file", "what", &v, 1), EOPNOTSUPP);
}

/* A page map tells as much in one read as in many, and holes are zero. */
TEST(whicherr, pagemap_in_one)
{
	size_t pages = 2048, n = pages * 8;
	char *m = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	off_t at = (off_t)((uintptr_t)m / 4096 * 8);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t *all = malloc(n), one;

	CHECK_OK(fd);
	CHECK_OK(m);
	(void)madvise(m, pages * 4096, MADV_NOHUGEPAGE);
	m[0] = m[700 * 4096] = m[2047 * 4096] = 1;
	CHECK_OK(munmap(m + 800 * 4096, 900 * 4096));
	CHECK_EQ(pread(fd, all, n, at), (long)n);
	for (size_t i = 0; i < pages; i += 1 + i % 97) {
		CHECK_EQ(pread(fd, &one, 8, at + (off_t)i * 8), 8);
		CHECK(one == all[i]);
	}
	CHECK(all[0] >> 63 && all[700] >> 63 && all[2047] >> 63);
	CHECK(!(all[1] >> 63) && !all[800] && !all[1699]);
	CHECK_ERR(pread(fd, (void *)8, 8, at), EFAULT);
	CHECK_ERR(pread(fd, all, 7, at), EINVAL);
}

/* "" names any descriptor, also of what has no name anywhere. */
TEST(whicherr, files_without_a_name)
{
	const struct timespec when[2] = { { 5, 0 }, { 6, 0 } },
			      bad[2] = { { 1, 2000000000 }, { 1, 0 } };
	struct {
		struct file_handle h;
		char room[MAX_HANDLE_SZ];
	} h = { .h.handle_bytes = MAX_HANDLE_SZ };
	struct stat st;
	int p[2], id;

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(pipe(p));
	CHECK_OK(fchownat(p[0], "", 12, 34, AT_EMPTY_PATH));
	CHECK_OK(utimensat(p[0], "", when, AT_EMPTY_PATH));
	CHECK_ERR(utimensat(p[0], "", bad, AT_EMPTY_PATH), EINVAL);
	NEED(syscall(SYS_fchmodat2, p[0], "", 0640, AT_EMPTY_PATH));
	CHECK_OK(fstat(p[0], &st));
	CHECK_EQ(st.st_uid, 12);
	CHECK_EQ(st.st_gid, 34);
	CHECK_EQ(st.st_mode, S_IFIFO | 0640);
	CHECK_EQ(st.st_mtime, 6);
	CHECK_OK(syscall(SYS_faccessat2, p[0], "", R_OK, AT_EMPTY_PATH));
	CHECK_ERR(syscall(SYS_faccessat2, p[0], "", X_OK, AT_EMPTY_PATH),
		  EACCES);
	CHECK_ERR(name_to_handle_at(p[0], "", &h.h, &id, AT_EMPTY_PATH),
		  EOPNOTSUPP);
	CHECK_ERR(fchownat(p[0], "x", 0, 0, AT_EMPTY_PATH), ENOTDIR);
	CHECK_ERR(fchownat(99, "", 0, 0, AT_EMPTY_PATH), EBADF);
	CHECK_OK(id = eventfd(0, 0));
	CHECK_OK(syscall(SYS_faccessat2, id, "", R_OK | W_OK, AT_EMPTY_PATH));
	CHECK_ERR(syscall(SYS_faccessat2, id, "", X_OK, AT_EMPTY_PATH), EACCES);
	CHECK_OK(setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_OK(syscall(SYS_faccessat2, p[0], "", F_OK, AT_EMPTY_PATH));
	CHECK_ERR(syscall(SYS_faccessat2, p[0], "", R_OK, AT_EMPTY_PATH),
		  EACCES);
	CHECK_ERR(syscall(SYS_faccessat2, id, "", R_OK, AT_EMPTY_PATH), EACCES);
}
