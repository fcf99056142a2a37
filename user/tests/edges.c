/* SPDX-License-Identifier: MIT */
/*
 * user/tests/edges.c - which errno, which bit: corners of calls on files and
 * memory where a kernel is easily nearly right.
 */
#include "utest.h"

#include <linux/futex.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027
#endif

TEST(edges, truncate_drops_setid)
{
	struct stat st;
	int fd = ut_open("f", "x");

	CHECK_OK(fchown(fd, 500, 500));
	CHECK_OK(setresgid(500, 500, 500));
	CHECK_OK(setresuid(500, 500, 500));
	CHECK_OK(chmod("f", 06777));
	CHECK_OK(ftruncate(fd, 0));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 07777, 0777);
}

TEST(edges, tmpfile)
{
	char p[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 && errno == EOPNOTSUPP)
		ut_skip("no O_TMPFILE here");
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_TMPFILE, O_TMPFILE);
	snprintf(p, sizeof(p), "/proc/self/fd/%d", fd);
	CHECK_OK(linkat(AT_FDCWD, p, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	CHECK((fd = open(".", O_TMPFILE | O_EXCL | O_RDWR, 0600)) >= 0);
	snprintf(p, sizeof(p), "/proc/self/fd/%d", fd);
	CHECK_ERR(linkat(AT_FDCWD, p, AT_FDCWD, "never", AT_SYMLINK_FOLLOW),
		  ENOENT);
	CHECK((fd = ut_open("gone", "x")) >= 0);
	CHECK_OK(unlink("gone"));
	snprintf(p, sizeof(p), "/proc/self/fd/%d", fd);
	CHECK_ERR(linkat(AT_FDCWD, p, AT_FDCWD, "back", AT_SYMLINK_FOLLOW),
		  ENOENT);
}

TEST(edges, readlink_empty)
{
	char b[8];
	int fd = ut_open("f", "x"), link;

	CHECK_ERR(readlink("", b, 8), ENOENT);
	CHECK_ERR(readlinkat(fd, "", b, 8), ENOENT);
	CHECK_OK(symlink("f", "l"));
	CHECK((link = open("l", O_PATH | O_NOFOLLOW)) >= 0);
	CHECK_EQ(readlinkat(link, "", b, 8), 1);
	CHECK_ERR(readlink("f", b, 8), EINVAL);
}

TEST(edges, xattr_names)
{
	static char big[65536];

	ut_open("f", "x");
	CHECK_ERR(setxattr("f", "user.", "1", 1, 0), EINVAL);
	CHECK_ERR(setxattr("f", "system.x", "1", 1, 0), EOPNOTSUPP);
	if (setxattr("f", "user.a", "1", 1, 0) == -1)
		ut_skip("no attributes here");
	CHECK_EQ(getxattr("f", "user.a", big, sizeof(big)), 1);
}

TEST(edges, copies)
{
	loff_t at = 0;
	off_t off = 0;
	int p[2], in = ut_open("a", "hello"), out = ut_open("b", "");
	int d = open(".", O_RDONLY), other = open("/proc/version", O_RDONLY);

	CHECK_OK(pipe(p));
	CHECK_ERR(sendfile(out, in, NULL, (size_t)-1), EINVAL);
	CHECK_ERR(sendfile(out, p[0], &off, 1), ESPIPE);
	CHECK_ERR(copy_file_range(in, NULL, d, NULL, 1, 0), EISDIR);
	CHECK_ERR(copy_file_range(d, NULL, out, NULL, 1, 0), EISDIR);
	CHECK_ERR(copy_file_range(other, NULL, out, NULL, 5, 0), EXDEV);
	CHECK_EQ(copy_file_range(in, &at, out, NULL, 5, 0), 5);
	CHECK_ERR(splice(d, NULL, p[1], NULL, 1, 0), EINVAL);
	CHECK_ERR(readahead(in, 0, (size_t)-1), EINVAL);
	CHECK_OK(readahead(in, -1, 1));
}

TEST(edges, dupfd_query)
{
	int a = ut_open("a", "x"), b = dup(a), c = open("a", O_RDONLY);

	if (fcntl(a, F_DUPFD_QUERY, a) == -1 && errno == EINVAL)
		ut_skip("no F_DUPFD_QUERY");
	CHECK_EQ(fcntl(a, F_DUPFD_QUERY, b), 1);
	CHECK_EQ(fcntl(a, F_DUPFD_QUERY, c), 0);
	CHECK_ERR(fcntl(a, F_DUPFD_QUERY, 999), EBADF);
}

TEST(edges, fstatat_flags)
{
	struct stat st;

	CHECK_OK(fstatat(AT_FDCWD, ".", &st, 0x2000 /* AT_STATX_FORCE_SYNC */));
	CHECK_ERR(fstatat(AT_FDCWD, ".", &st, 0x40), EINVAL);
}

TEST(edges, futex_addresses)
{
	int word = 0;
	struct timespec t = { 0, 0 };

	CHECK_ERR(syscall(SYS_futex, 8, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 1L, 8, 0),
		  EFAULT);
	CHECK_EQ(syscall(SYS_futex, 8, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL,
			 NULL, 0),
		 0);
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME,
			  0, &t, NULL, 0),
		  ENOSYS);
}

TEST(edges, mmap_validate)
{
	CHECK_EQ(mmap(NULL, 4096, PROT_READ,
		      MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0),
		 MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

TEST(edges, settime_range)
{
	struct timespec t = { 1LL << 62, 0 };

	CHECK_ERR(clock_settime(CLOCK_REALTIME, &t), EINVAL);
}

TEST(edges, timerslack)
{
	char b[32] = "";
	int fd = open("/proc/self/timerslack_ns", O_RDWR);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "60000\n", 6), 6);
	CHECK_EQ(pread(fd, b, sizeof(b), 0), 6);
	CHECK(!strcmp(b, "60000\n"));
	close(fd);
}

static void set_knob(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
	CHECK_OK(fd = open(path, O_WRONLY));
	CHECK_EQ(write(fd, value, 1), 1);
	close(fd);
}

/* What somebody else has put into a sticky directory. */
static void try_protected(bool on)
{
	int fd = open("link", O_RDONLY);

	CHECK_EQ(fd < 0 ? errno : 0, on ? EACCES : 0);
	CHECK_OK(open("mine", O_RDONLY));
	fd = open("theirs", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(fd < 0 ? errno : 0, on ? EACCES : 0);
	CHECK_OK(open("theirs", O_RDWR));
	CHECK_EQ(link("suid", "l") ? errno : 0, on ? EPERM : 0);
	CHECK_OK(link("theirs", "l2"));
}

static void forget_links(void)
{
	unlink("l");
	unlink("l2");
}

static int as_user(void *arg)
{
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
	try_protected(*(bool *)arg);
	return 0;
}

TEST(edges, protected_names)
{
	bool off = false, on = true;
	static const char *const knobs[] = { "protected_symlinks",
					     "protected_hardlinks",
					     "protected_regular" };

	if (getuid())
		ut_skip("not root");
	CHECK_OK(chmod(".", 01777));
	close(ut_open("theirs", ""));
	CHECK_OK(chmod("theirs", 0666));
	CHECK_OK(chown("theirs", 2000, 2000));
	close(ut_open("suid", ""));
	CHECK_OK(chmod("suid", 04777));
	CHECK_OK(symlink("theirs", "link"));
	CHECK_OK(lchown("link", 2000, 2000));
	CHECK_OK(symlink("theirs", "mine"));
	CHECK_OK(lchown("mine", 1000, 1000));
	for (int i = 0; i < 3; i++)
		set_knob(knobs[i], "0");
	CHECK_EQ(ut_wait(ut_fork(as_user, &off)), 0);
	forget_links();
	for (int i = 0; i < 3; i++)
		set_knob(knobs[i], "1");
	CHECK_EQ(ut_wait(ut_fork(as_user, &on)), 0);
	CHECK_ERR(open("link", O_RDONLY), EACCES); /* root too */
	for (int i = 0; i < 3; i++)
		set_knob(knobs[i], "0");
}
