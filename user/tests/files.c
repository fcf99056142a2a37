/* SPDX-License-Identifier: MIT */
/*
 * user/tests/files.c - opening, reading, writing and describing files.
 *
 * Not here: names and directories (names.c), pipes (pipes.c).
 */
#include "utest.h"

#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/uio.h>

TEST(files, open_flags)
{
	struct stat st;
	int fd;

	CHECK_ERR(open("none", O_RDONLY), ENOENT);
	CHECK_OK(fd = open("f", O_CREAT | O_EXCL | O_WRONLY, 0640));
	CHECK_ERR(open("f", O_CREAT | O_EXCL | O_WRONLY, 0640), EEXIST);
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_OK(close(fd));
	CHECK_ERR(close(fd), EBADF);
	CHECK_OK(fd = open("f", O_RDWR | O_TRUNC));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
	CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERR(open(".", O_RDWR), EISDIR);
	CHECK_ERR(open("", O_RDONLY), ENOENT);
	CHECK_OK(symlink("f", "l"));
	CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_OK(open("l", O_RDONLY));
	CHECK_OK(symlink("dangling", "d"));
	CHECK_ERR(open("d", O_RDONLY), ENOENT);
	CHECK_OK(open("d", O_RDWR | O_CREAT, 0600));
	CHECK_OK(stat("dangling", &st));
}

TEST(files, access_mode)
{
	char c = 'x';
	int fd = ut_open("f", "abc");

	CHECK_OK(close(fd));
	CHECK_OK(fd = open("f", O_RDONLY));
	CHECK_ERR(write(fd, &c, 1), EBADF);
	CHECK_ERR(ftruncate(fd, 1), EINVAL);
	CHECK_OK(close(fd));
	CHECK_OK(fd = open("f", O_WRONLY));
	CHECK_ERR(read(fd, &c, 1), EBADF);
	CHECK_OK(fd = open(".", O_RDONLY));
	CHECK_ERR(read(fd, &c, 1), EISDIR);
	CHECK_ERR(read(-1, &c, 1), EBADF);
	CHECK_ERR(read(9999, &c, 1), EBADF);
}

TEST(files, seek_and_holes)
{
	int fd = ut_open("f", "0123456789");
	char buf[64];

	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQ(lseek(fd, 2, SEEK_CUR), 6);
	CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
	CHECK_EQ(read(fd, buf, 10), 1);
	CHECK_EQ(buf[0], '9');
	CHECK_EQ(read(fd, buf, 10), 0);
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, 0, 99), EINVAL);
	CHECK_EQ(lseek(fd, 100000, SEEK_SET), 100000);
	CHECK_EQ(write(fd, "z", 1), 1);
	CHECK_EQ(pread(fd, buf, 4, 50000), 4);
	CHECK(!memcmp(buf, "\0\0\0\0", 4));
	CHECK_EQ(pread(fd, buf, 20, 99999), 2);
	CHECK(buf[0] == 0 && buf[1] == 'z');
	CHECK_EQ(pwrite(fd, "AB", 2, 1), 2);
	CHECK_EQ(pread(fd, buf, 4, 0), 4);
	CHECK(!memcmp(buf, "0AB3", 4));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 100001);
	CHECK_ERR(pread(fd, buf, 4, -1), EINVAL);
}

TEST(files, append)
{
	int fd = ut_open("f", "abc"), a;
	char buf[16];

	CHECK_OK(a = open("f", O_WRONLY | O_APPEND));
	CHECK_EQ(lseek(a, 0, SEEK_SET), 0);
	CHECK_EQ(write(a, "def", 3), 3);
	CHECK_EQ(pread(fd, buf, 16, 0), 6);
	CHECK(!memcmp(buf, "abcdef", 6));
	CHECK_EQ(lseek(a, 0, SEEK_CUR), 6);
}

TEST(files, truncate)
{
	int fd = ut_open("f", "0123456789");
	struct stat st;
	char buf[8192];

	CHECK_OK(ftruncate(fd, 3));
	CHECK_EQ(pread(fd, buf, 10, 0), 3);
	CHECK_OK(ftruncate(fd, 5000));
	CHECK_EQ(pread(fd, buf, 8192, 0), 5000);
	CHECK(!memcmp(buf, "012\0\0\0", 6));
	CHECK_EQ(buf[4999], 0);
	CHECK_OK(truncate("f", 1));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_size, 1);
	CHECK_ERR(ftruncate(fd, -1), EINVAL);
	CHECK_ERR(truncate("none", 1), ENOENT);
	CHECK_ERR(truncate(".", 1), EISDIR);
}

TEST(files, vectors)
{
	int fd = ut_open("f", "");
	char a[4], b[8];
	struct iovec out[3] = { { "ab", 2 }, { NULL, 0 }, { "cdefg", 5 } };
	struct iovec in[2] = { { a, 4 }, { b, 8 } };

	CHECK_EQ(writev(fd, out, 3), 7);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(readv(fd, in, 2), 7);
	CHECK(!memcmp(a, "abcd", 4) && !memcmp(b, "efg", 3));
	CHECK_EQ(pwritev(fd, out, 1, 5), 2);
	CHECK_EQ(preadv(fd, in, 1, 3), 4);
	CHECK_ERR(preadv(fd, in, 1, INT64_MAX), EINVAL);
	CHECK_ERR(pwritev(fd, out, 1, INT64_MAX), EINVAL);
	CHECK(!memcmp(a, "deab", 4));
	CHECK_ERR(readv(fd, in, -1), EINVAL);
	CHECK_ERR(readv(fd, in, 1025), EINVAL);
	CHECK_EQ(readv(fd, in, 0), 0);
	in[1].iov_len = (size_t)-1;
	CHECK_ERR(readv(fd, in, 2), EINVAL);
}

TEST(files, large)
{
	static unsigned char buf[65536 + 7];
	int fd = ut_open("f", "");
	unsigned int n, i;

	for (n = 0; n < 48; n++) {
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = (i * 7 + n) >> 2;
		CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	}
	for (n = 48; n-- > 0;) {
		CHECK_EQ(pread(fd, buf, sizeof(buf), n * sizeof(buf)),
			 sizeof(buf));
		for (i = 0; i < sizeof(buf); i++)
			if (buf[i] != (unsigned char)((i * 7 + n) >> 2))
				CHECK_EQ(i, -1);
	}
	CHECK_OK(fsync(fd));
	CHECK_OK(fdatasync(fd));
}

TEST(files, stat_fields)
{
	struct stat a, b;
	int fd = ut_open("f", "12345");

	CHECK_OK(fstat(fd, &a));
	CHECK_OK(stat("f", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_dev, b.st_dev);
	CHECK_EQ(a.st_nlink, 1);
	CHECK_EQ(a.st_uid, getuid());
	CHECK_EQ(a.st_size, 5);
	CHECK(a.st_blksize >= 512);
	CHECK(a.st_mtime > 0);
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(lstat("l", &a));
	CHECK(S_ISLNK(a.st_mode));
	CHECK_EQ(a.st_size, 1);
	CHECK_OK(fstatat(AT_FDCWD, "l", &a, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISLNK(a.st_mode));
	CHECK_OK(fstatat(fd, "", &a, AT_EMPTY_PATH));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_OK(stat("/dev/null", &a));
	CHECK(S_ISCHR(a.st_mode));
	CHECK_EQ(a.st_rdev, 0x103);
	CHECK_ERR(fstatat(AT_FDCWD, "f", &a, 0x10000000), EINVAL);
}

TEST(files, statx)
{
	struct statx sx;

	ut_open("f", "12345");
	NEED(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
	CHECK_EQ(sx.stx_size, 5);
	CHECK_EQ(sx.stx_mode & S_IFMT, S_IFREG);
	CHECK_EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	/* what no file here can be is known not to be set */
	CHECK_EQ(sx.stx_attributes_mask & (STATX_ATTR_AUTOMOUNT | 0x200000),
		 STATX_ATTR_AUTOMOUNT | 0x200000 /* DAX */);
	CHECK_ERR(statx(AT_FDCWD, "none", 0, STATX_SIZE, &sx), ENOENT);
}

TEST(files, statfs)
{
	struct statfs fs;

	CHECK_OK(statfs(".", &fs));
	CHECK(fs.f_bsize >= 512 && fs.f_blocks > 0);
	CHECK(fs.f_bfree <= fs.f_blocks);
	CHECK(fs.f_namelen >= 255);
	CHECK_OK(statfs("/proc", &fs));
	CHECK_EQ(fs.f_type, 0x9fa0);
}

TEST(files, dup)
{
	int fd = ut_open("f", "abcdef"), d, pos;
	char c;

	CHECK_OK(d = dup(fd));
	CHECK_EQ(read(d, &c, 1), 1);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'b');
	CHECK_EQ(dup2(fd, 77), 77);
	CHECK_EQ(dup2(77, 77), 77);
	CHECK_ERR(dup2(55, 60), EBADF);
	CHECK_ERR(dup3(fd, fd, 0), EINVAL);
	CHECK_EQ(dup3(fd, 78, O_CLOEXEC), 78);
	CHECK_EQ(fcntl(78, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(77, F_GETFD), 0);
	CHECK_OK(fcntl(77, F_SETFD, FD_CLOEXEC));
	CHECK_EQ(fcntl(77, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_DUPFD, 200), 200);
	pos = fcntl(fd, F_GETFL);
	CHECK_EQ(pos & O_ACCMODE, O_RDWR);
	CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND));
	CHECK_EQ(fcntl(d, F_GETFL) & (O_NONBLOCK | O_APPEND),
		 O_NONBLOCK | O_APPEND);
	CHECK_ERR(fcntl(fd, 9999), EINVAL);
	CHECK_ERR(dup2(fd, -1), EBADF);
	CHECK_ERR(dup2(fd, 1 << 20), EBADF);
}

TEST(files, unlinked_lives)
{
	int fd = ut_open("f", "still here");
	struct stat st;
	char buf[16];

	CHECK_OK(unlink("f"));
	CHECK_ERR(stat("f", &st), ENOENT);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(read(fd, buf, 16), 10);
	CHECK_EQ(write(fd, "more", 4), 4);
}

TEST(files, times)
{
	struct timespec t[2] = { { 1000, 5 }, { 2000, 7 } };
	struct stat st;
	int fd = ut_open("f", "x");

	CHECK_OK(utimensat(AT_FDCWD, "f", t, 0));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK_EQ(st.st_mtim.tv_sec, 2000);
	CHECK_EQ(st.st_mtim.tv_nsec, 7);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_NOW;
	CHECK_OK(futimens(fd, t));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK(labs(st.st_mtim.tv_sec - time(NULL)) <= 2);
	t[1].tv_nsec = 2000000000;
	CHECK_ERR(futimens(fd, t), EINVAL);
	CHECK_EQ(pwrite(fd, "y", 1, 0), 1);
	CHECK_OK(stat("f", &st));
	CHECK(labs(st.st_mtim.tv_sec - time(NULL)) <= 2);
}

TEST(files, devices)
{
	char buf[64], zero[64] = { 0 };
	int fd;

	memset(buf, 1, sizeof(buf));
	CHECK_OK(fd = open("/dev/zero", O_RDWR));
	CHECK_EQ(read(fd, buf, 64), 64);
	CHECK(!memcmp(buf, zero, 64));
	CHECK_EQ(write(fd, buf, 64), 64);
	CHECK_OK(fd = open("/dev/null", O_RDWR));
	CHECK_EQ(read(fd, buf, 64), 0);
	CHECK_EQ(write(fd, buf, 64), 64);
	CHECK_OK(fd = open("/dev/full", O_RDWR));
	CHECK_EQ(read(fd, buf, 64), 64);
	CHECK_ERR(write(fd, buf, 64), ENOSPC);
	CHECK_OK(fd = open("/dev/urandom", O_RDONLY));
	CHECK_EQ(read(fd, buf, 64), 64);
	CHECK(memcmp(buf, zero, 64));
	CHECK_OK(fd = open("/dev/random", O_RDONLY));
	CHECK_EQ(read(fd, zero, 16), 16);
	CHECK(memcmp(buf, zero, 16));
	CHECK_EQ(syscall(SYS_getrandom, buf, 32, 0), 32);
	CHECK_ERR(syscall(SYS_getrandom, buf, 32, 0x100), EINVAL);
}

TEST(files, sendfile_and_copy)
{
	int fd = ut_open("f", "0123456789"), to;
	char buf[16];
	off_t off = 2;

	CHECK_OK(to = open("g", O_RDWR | O_CREAT, 0644));
	NEED(sendfile(to, fd, &off, 4));
	CHECK_EQ(off, 6);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(pread(to, buf, 16, 0), 4);
	CHECK(!memcmp(buf, "2345", 4));
	CHECK_EQ(sendfile(to, fd, NULL, 100), 10);
	CHECK_EQ(sendfile(to, fd, NULL, 100), 0);
	CHECK_ERR(sendfile(to, -1, NULL, 1), EBADF);
}

static int lock_child(void *arg)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open("f", O_RDWR);

	if (fcntl(fd, F_SETLK, &fl) != -1 ||
	    (errno != EAGAIN && errno != EACCES))
		return 1;
	if (fcntl(fd, F_GETLK, &fl) < 0 || fl.l_type != F_WRLCK ||
	    fl.l_pid != getppid())
		return 2;
	fl.l_type = F_WRLCK;
	return fcntl(fd, F_SETLKW, &fl) < 0 ? 3 : 0;
}

TEST(files, posix_locks)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = ut_open("f", "x");
	pid_t pid;

	if (fcntl(fd, F_SETLK, &fl) < 0 &&
	    (errno == ENOSYS || errno == EINVAL || errno == ENOLCK))
		ut_skip("no record locks");
	pid = ut_fork(lock_child, NULL);
	ut_sleep_ms(50);
	fl.l_type = F_UNLCK;
	CHECK_OK(fcntl(fd, F_SETLK, &fl));
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(files, flock)
{
	int a = ut_open("f", "x"), b;

	CHECK_OK(b = open("f", O_RDWR));
	NEED(flock(a, LOCK_EX));
	CHECK_ERR(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(flock(a, LOCK_UN));
	CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
	CHECK_OK(flock(a, LOCK_SH | LOCK_NB));
}

static int shared_then_alone(void *arg)
{
	int fd = open("f", O_RDWR);

	CHECK_OK(flock(fd, LOCK_SH));
	CHECK_EQ(write(*(int *)arg, "", 1), 1);
	alarm(5);
	return flock(fd, LOCK_EX) ? 1 : 0;
}

/* Who turns a lock into another has none while he waits, and if he cannot. */
TEST(files, flock_converted)
{
	int a = ut_open("f", "x"), b, c, p[2];
	char byte;
	pid_t pid;

	CHECK_OK(b = open("f", O_RDWR));
	CHECK_OK(c = open("f", O_RDWR));
	CHECK_OK(flock(a, LOCK_SH));
	CHECK_OK(flock(b, LOCK_SH));
	CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB)); /* nobody else has one */
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB)); /* the same again */
	CHECK_ERR(flock(c, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(flock(b, LOCK_SH)); /* one is down: both could wait for ever */
	CHECK_OK(pipe(p));
	pid = ut_fork(shared_then_alone, &p[1]);
	CHECK_EQ(read(p[0], &byte, 1), 1);
	ut_sleep_ms(20);
	alarm(5);
	CHECK_OK(flock(b, LOCK_EX));
	CHECK_OK(flock(b, LOCK_UN));
	CHECK_EQ(ut_wait(pid), 0);
}

/* How many lines of /proc/locks are the caller's. */
static int locks_held(const char *kind)
{
	FILE *f = fopen("/proc/locks", "r");
	char line[200], type[16];
	int n = 0, pid;

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f))
		n += sscanf(line, "%*d: %15s ADVISORY WRITE %d", type, &pid) ==
			     2 &&
		     pid == getpid() && !strcmp(type, kind);
	fclose(f);
	return n;
}

TEST(files, proc_locks)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = ut_open("f", "x");

	CHECK_OK(flock(fd, LOCK_EX));
	CHECK_OK(fcntl(fd, F_SETLK, &fl));
	fl.l_type = F_UNLCK;
	fl.l_start = 10;
	fl.l_len = 5;
	CHECK_OK(fcntl(fd, F_SETLK, &fl)); /* cuts it in two */
	CHECK_EQ(locks_held("FLOCK"), 1);
	CHECK_EQ(locks_held("POSIX"), 2);
	close(fd);
	CHECK_EQ(locks_held("FLOCK") + locks_held("POSIX"), 0);
}

TEST(files, size_limit)
{
	struct rlimit lim = { 8192, 8192 };
	int fd = ut_open("f", "");
	char buf[8192] = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &lim));
	CHECK_EQ(pwrite(fd, buf, 8192, 4096), 4096);
	CHECK_ERR(pwrite(fd, buf, 1, 8192), EFBIG);
	CHECK_ERR(ftruncate(fd, 10000), EFBIG);
}

TEST(files, fallocate)
{
	int fd = ut_open("f", "abc");
	struct stat st;

	if (fallocate(fd, 0, 0, 65536) < 0 &&
	    (errno == ENOSYS || errno == EOPNOTSUPP))
		ut_skip("no fallocate here");
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 65536);
	CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
}

TEST(files, shared_offset_fork)
{
	int fd = ut_open("f", "abcdef");
	char c;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(read(fd, &c, 1) == 1 && c == 'a' ? 0 : 1);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'b');
}

TEST(files, ioctl_not_tty)
{
	int fd = ut_open("f", "abc"), n = -1;

	CHECK_ERR(ioctl(fd, 0x5401, &n), ENOTTY);
	CHECK_EQ(isatty(fd), 0);
}

static unsigned long blocks_free(const char *path)
{
	struct statfs fs;

	CHECK_OK(statfs(path, &fs));
	return fs.f_bfree;
}

static void ignore_signal(int sig)
{
	(void)sig;
}

/* What does not fit is not begun, and what did not fit has taken nothing. */
TEST(files, fallocate_no_room)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	unsigned long before;
	int fd, other;

	NEED(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("t", 0755));
	CHECK_OK(mount("t", "t", "tmpfs", 0, "size=64m"));
	CHECK_OK(fd = open("t/f", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(write(fd, "x", 1), 1);
	before = blocks_free("t");
	signal(SIGALRM, ignore_signal);
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_ERR(fallocate(fd, 0, 0, (64l << 20) + 4096), ENOSPC);
	CHECK_EQ(blocks_free("t"), before);
	often = (struct itimerval){ 0 };
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));

	CHECK_OK(mount(NULL, "t", NULL, MS_REMOUNT, "size=64k"));
	CHECK_OK(other = open("t/g", O_RDWR | O_CREAT, 0600));
	CHECK_OK(fallocate(other, 0, 0, 32768));
	before = blocks_free("t");
	CHECK_ERR(fallocate(fd, 0, 0, 65536), ENOSPC);
	CHECK_EQ(blocks_free("t"), before);
	CHECK_OK(fallocate(fd, 0, 0, 16384));
}
