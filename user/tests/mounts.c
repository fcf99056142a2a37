/* SPDX-License-Identifier: MIT */
/*
 * user/tests/mounts.c - the mount tree: who sees a mount, mounting in steps,
 * mounts by number, files by number.
 *
 * Each works on a private tmpfs on "m" and takes it away again.
 */
#include "utest.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#define F_EMPTY	 4 /* MOVE_MOUNT_F_EMPTY_PATH */
#define T_EMPTY	 0x40
#define BENEATH	 0x200
#define REC	 0x8000
#define SET_FLAG 0
#define SET_STR	 1
#define SETFLAGS 0x40086602
#define CREATE	 6
#define RECONF	 7

#define fsopen(t, f)		   syscall(430, t, f)
#define fsconfig(f, c, k, v, a)	   syscall(431, f, c, k, v, a)
#define fsmount_(f, c, a)	   syscall(432, f, c, a)
#define move_mount_(a, p, b, q, f) syscall(429, a, p, b, q, f)
#define open_tree_(d, p, f)	   syscall(428, d, p, f)
#define setattr(p, f, a)	   syscall(442, AT_FDCWD, p, f, a, sizeof(*(a)))

struct attr {
	uint64_t set, clear, kind, userns;
};

static void tmpfs_on(const char *dir)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		ut_fail(__FILE__, __LINE__, "mkdir %s: %d", dir, errno);
	CHECK_OK(mount("ut", dir, "tmpfs", 0, NULL));
}

static void begin(void)
{
	if (getuid())
		ut_skip("not root");
	tmpfs_on("m");
	CHECK_OK(mount(NULL, "m", NULL, MS_PRIVATE, NULL));
	CHECK_OK(chdir("m"));
}

static void end(void)
{
	CHECK_OK(chdir(".."));
	CHECK_OK(umount2("m", MNT_DETACH));
}

static uint64_t mount_of(const char *path)
{
	struct statx sx;

	CHECK_OK(syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000, &sx));
	if (!(sx.stx_mask & 0x4000))
		ut_skip("no unique numbers of mounts");
	return sx.stx_mnt_id;
}

static bool is_mount(const char *dir)
{
	return mount_of(dir) != mount_of(".");
}

TEST(mounts, peers_and_slaves)
{
	begin();
	tmpfs_on("a");
	CHECK_OK(mount(NULL, "a", NULL, MS_SHARED, NULL));
	CHECK_OK(mkdir("b", 0755));
	CHECK_OK(mkdir("c", 0755));
	CHECK_OK(mount("a", "b", NULL, MS_BIND, NULL));
	CHECK_OK(mount("a", "c", NULL, MS_BIND, NULL));
	CHECK_OK(mount(NULL, "c", NULL, MS_SLAVE, NULL));
	tmpfs_on("b/x");
	CHECK(mount_of("a/x") != mount_of("a"));
	CHECK(mount_of("c/x") != mount_of("c"));
	CHECK_OK(mkdir("c/y", 0755));
	tmpfs_on("c/y"); /* a slave gives nothing back */
	CHECK_EQ(mount_of("a/y"), mount_of("a"));
	/* one that is in use keeps all */
	CHECK_OK(chdir("c/x"));
	CHECK_ERR(umount("../../a/x"), EBUSY);
	CHECK_OK(chdir("../.."));
	CHECK_OK(umount("a/x"));
	CHECK_EQ(mount_of("b/x"), mount_of("b"));
	CHECK_EQ(mount_of("c/x"), mount_of("c"));
	end();
}

TEST(mounts, unbindable)
{
	begin();
	tmpfs_on("a");
	tmpfs_on("a/u");
	tmpfs_on("a/v");
	CHECK_OK(mkdir("b", 0755));
	CHECK_OK(mount(NULL, "a/u", NULL, MS_UNBINDABLE, NULL));
	CHECK_ERR(mount("a/u", "b", NULL, MS_BIND, NULL), EINVAL);
	CHECK_OK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	CHECK_EQ(mount_of("b/u"), mount_of("b"));
	CHECK(mount_of("b/v") != mount_of("b"));
	CHECK_ERR(mount(NULL, "a", NULL, MS_SHARED | MS_SLAVE, NULL), EINVAL);
	CHECK_ERR(mount(NULL, "a/v/..", NULL, MS_SHARED | MS_RDONLY, NULL),
		  EINVAL);
	CHECK_OK(mkdir("d", 0755));
	CHECK_ERR(mount(NULL, "d", NULL, MS_SHARED, NULL), EINVAL);
	end();
}

TEST(mounts, in_steps)
{
	struct statfs sf;
	char msg[200];
	int f, m;
	long n;

	begin();
	CHECK_OK(mkdir("d", 0755));
	NEED(f = (int)fsopen("tmpfs", 0));
	CHECK_ERR(fsopen("nofs", 0), ENODEV);
	CHECK_ERR(read(f, msg, sizeof(msg)), ENODATA);
	CHECK_ERR(fsconfig(f, SET_STR, "zork", "1", 0), EINVAL);
	CHECK((n = read(f, msg, sizeof(msg) - 1)) > 0);
	msg[n] = '\0';
	CHECK(!strcmp(msg, "e tmpfs: Unknown parameter 'zork'\n"));
	CHECK_ERR(fsconfig(f, SET_STR, "size", "much", 0), EINVAL);
	CHECK_OK(fsconfig(f, SET_STR, "size", "1m", 0));
	CHECK_OK(fsconfig(f, SET_STR, "source", "here", 0));
	CHECK_ERR(fsmount_(f, 0, 0), EINVAL);
	CHECK_OK(fsconfig(f, CREATE, NULL, NULL, 0));
	CHECK_ERR(fsconfig(f, SET_STR, "size", "2m", 0), EBUSY);
	CHECK_OK(m = (int)fsmount_(f, 0, 8 /* noexec */));
	CHECK_OK(move_mount_(m, "", AT_FDCWD, "d", F_EMPTY));
	CHECK_ERR(move_mount_(m, "", AT_FDCWD, "d", F_EMPTY), ELOOP);
	CHECK_OK(statfs("d", &sf));
	CHECK_EQ(sf.f_blocks * (unsigned long)sf.f_bsize, 1 << 20);
	CHECK(sf.f_flags & 8);
	close(f);
	CHECK_OK(f = (int)syscall(433, AT_FDCWD, "d", 0)); /* fspick */
	CHECK_OK(fsconfig(f, SET_STR, "size", "2m", 0));
	CHECK_OK(fsconfig(f, RECONF, NULL, NULL, 0));
	CHECK_OK(statfs("d", &sf));
	CHECK_EQ(sf.f_blocks * (unsigned long)sf.f_bsize, 2 << 20);
	end();
}

TEST(mounts, loose_tree)
{
	int t, fd;

	begin();
	tmpfs_on("a");
	tmpfs_on("a/x");
	CHECK_OK(mkdir("b", 0755));
	fd = ut_open("a/x/f", "text");
	close(fd);
	NEED(t = (int)open_tree_(AT_FDCWD, "a", 1 | REC));
	CHECK_OK(umount2("a", MNT_DETACH));
	CHECK_OK(faccessat(t, "x/f", R_OK, 0)); /* it can be walked */
	CHECK_OK(fd = openat(t, ".", O_PATH));
	close(t);
	/* it has fallen apart */
	CHECK_ERR(move_mount_(fd, "", AT_FDCWD, "b", F_EMPTY), EINVAL);
	close(fd);
	tmpfs_on("a");
	tmpfs_on("a/x");
	CHECK_OK(t = (int)open_tree_(AT_FDCWD, "a", 1 | REC));
	CHECK_OK(move_mount_(t, "", AT_FDCWD, "b", F_EMPTY));
	close(t);
	CHECK(is_mount("b"));
	CHECK(mount_of("b/x") != mount_of("b"));
	CHECK_ERR(open_tree_(AT_FDCWD, "a", REC), EINVAL);
	end();
}

TEST(mounts, beneath)
{
	int f, m;

	begin();
	tmpfs_on("a");
	close(ut_open("a/upper", ""));
	NEED(f = (int)fsopen("tmpfs", 0));
	CHECK_OK(fsconfig(f, CREATE, NULL, NULL, 0));
	CHECK_OK(m = (int)fsmount_(f, 0, 0));
	CHECK_OK(move_mount_(m, "", AT_FDCWD, "a", F_EMPTY | BENEATH));
	CHECK_OK(access("a/upper", F_OK));
	CHECK_OK(umount("a"));
	CHECK(is_mount("a"));
	CHECK_ERR(access("a/upper", F_OK), ENOENT);
	end();
}

TEST(mounts, attributes)
{
	struct attr a = { .set = 1 };
	int fd;

	begin();
	tmpfs_on("a");
	tmpfs_on("a/x");
	CHECK_OK(fd = open("a/x/f", O_RDWR | O_CREAT, 0600));
	NEED(setattr("a", 0, &a));
	CHECK_ERR(mkdir("a/d", 0755), EROFS);
	CHECK_OK(mkdir("a/x/d", 0755));
	a = (struct attr){ .clear = 1 };
	CHECK_OK(setattr("a", 0, &a));
	a = (struct attr){ .set = 1 };
	/* all or none: somebody writes below */
	CHECK_ERR(setattr("a", REC, &a), EBUSY);
	CHECK_OK(mkdir("a/d", 0755));
	CHECK_ERR(mount(NULL, "a/x", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
			NULL),
		  EBUSY);
	close(fd);
	CHECK_OK(setattr("a", REC, &a));
	CHECK_ERR(open("a/x/f", O_RDWR), EROFS);
	a = (struct attr){ .set = 0x200000 /* nosymfollow */, .clear = 1 };
	CHECK_OK(setattr("a", 0, &a));
	CHECK_OK(symlink("d", "a/l"));
	CHECK_ERR(open("a/l", O_RDONLY), ELOOP);
	a = (struct attr){ .set = 0x10 }; /* which way of access times? */
	CHECK_ERR(setattr("a", 0, &a), EINVAL);
	CHECK_ERR(setattr("a/d", 0, &((struct attr){ .set = 2 })), EINVAL);
	end();
}

TEST(mounts, numbers)
{
	struct {
		uint32_t size, spare;
		uint64_t id, param, ns;
	} req = { .size = 24 };
	uint64_t ids[8], out[256], a, x;
	const uint32_t *words = (const void *)out;

	begin();
	tmpfs_on("a");
	tmpfs_on("a/x");
	a = mount_of("a");
	x = mount_of("a/x");
	req.id = a;
	NEED(syscall(458, &req, ids, 8, 0));
	CHECK_EQ(syscall(458, &req, ids, 8, 0), 1);
	CHECK_EQ(ids[0], x);
	req.id = x;
	req.param = 2 | 0x10 | 0x20; /* basic, mount point, type */
	CHECK_ERR(syscall(457, &req, out, 8, 0), EOVERFLOW);
	CHECK_OK(syscall(457, &req, out, sizeof(out), 0));
	CHECK_EQ(out[1], req.param);
	CHECK_EQ(out[5], x);
	CHECK_EQ(out[6], a);
	CHECK(!strcmp((const char *)out + 512 + words[9], "tmpfs"));
	CHECK(strstr((const char *)out + 512 + words[27], "/m/a/x"));
	CHECK_OK(umount("a/x"));
	CHECK_ERR(syscall(457, &req, out, sizeof(out), 0), ENOENT);
	end();
}

TEST(mounts, expire)
{
	begin();
	tmpfs_on("a");
	CHECK_ERR(umount2("a", MNT_EXPIRE | MNT_DETACH), EINVAL);
	CHECK_ERR(umount2("a", MNT_EXPIRE), EAGAIN);
	CHECK_OK(access("a", F_OK)); /* it is used */
	CHECK_ERR(umount2("a", MNT_EXPIRE), EAGAIN);
	CHECK_OK(umount2("a", MNT_EXPIRE));
	CHECK(!is_mount("a"));
	end();
}

struct handle {
	unsigned bytes;
	int type;
	unsigned char data[128];
};

static int by_handle(struct handle *h, int flags)
{
	return (int)syscall(SYS_open_by_handle_at, AT_FDCWD, h, flags);
}

/* In a directory of what is mounted here. */
static void try_handles(void)
{
	struct handle h = { .bytes = 0 };
	char b[8] = "";
	int id, fd;

	close(ut_open("f", "text"));
	CHECK_ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &id, 0),
		  EOVERFLOW);
	CHECK(h.bytes > 0 && h.bytes <= 128);
	CHECK_OK(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &id, 0));
	CHECK_OK(rename("f", "g"));
	CHECK_OK(fd = by_handle(&h, O_RDWR));
	CHECK_EQ(read(fd, b, 4), 4);
	CHECK(!strcmp(b, "text"));
	close(fd);
	CHECK_OK(unlink("g"));
	CHECK_ERR(by_handle(&h, O_RDONLY), ESTALE);
	CHECK_OK(mkdir("d", 0700));
	close(ut_open("d/in", ""));
	h.bytes = 128;
	CHECK_OK(syscall(SYS_name_to_handle_at, AT_FDCWD, "d", &h, &id, 0));
	CHECK_OK(fd = by_handle(&h, O_RDONLY | O_DIRECTORY));
	CHECK_OK(faccessat(fd, "in", F_OK, 0));
	CHECK_OK(faccessat(fd, "../d/in", F_OK, 0));
	h.bytes = 200;
	CHECK_ERR(by_handle(&h, O_RDONLY), EINVAL);
}

TEST(mounts, handles)
{
	struct handle h = { .bytes = 128 };
	int id;

	if (getuid())
		ut_skip("not root");
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, ".", &h, &id, 0) == 0)
		try_handles(); /* what the tests are run on */
	begin();
	try_handles();
	h.bytes = 128;
	CHECK_ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/version", &h,
			  &id, 0),
		  EOPNOTSUPP);
	CHECK_OK(syscall(SYS_name_to_handle_at, AT_FDCWD, ".", &h, &id, 0));
	end();
	CHECK_OK(setuid(1000));
	CHECK_ERR(by_handle(&h, O_RDONLY), EPERM);
}

TEST(mounts, chattr)
{
	unsigned fl = 0x10; /* immutable */
	int fd;

	begin();
	fd = ut_open("f", "x");
	if (ioctl(fd, SETFLAGS, &fl) == -1 && errno == ENOTTY)
		ut_skip("no flags on tmpfs");
	CHECK_ERR(open("f", O_RDWR), EPERM);
	CHECK_ERR(unlink("f"), EPERM);
	fl = 0x20; /* append only */
	CHECK_OK(ioctl(fd, SETFLAGS, &fl));
	CHECK_ERR(open("f", O_WRONLY), EPERM);
	CHECK_OK(open("f", O_WRONLY | O_APPEND));
	fl = 4; /* compressed */
	CHECK_ERR(ioctl(fd, SETFLAGS, &fl), EOPNOTSUPP);
	end();
}

TEST(mounts, poll)
{
	struct pollfd p = { .events = POLLPRI };

	begin();
	CHECK_OK(p.fd = open("/proc/self/mountinfo", O_RDONLY));
	CHECK_EQ(poll(&p, 1, 0), 0);
	tmpfs_on("a");
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLPRI | POLLERR);
	CHECK_EQ(poll(&p, 1, 0), 0); /* told once */
	CHECK_OK(umount("a"));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_OK(seteuid(1000));
	CHECK_ERR(umount("a"), EPERM);
	CHECK_ERR(umount("b"), ENOENT);
	CHECK_ERR(mount("x", "a", "tmpfs", 0, NULL), EPERM);
	CHECK_ERR(mount("x", "b", "tmpfs", 0, NULL), ENOENT);
	CHECK_OK(seteuid(0));
	close(p.fd);
	end();
}

static int own_tree(void *arg)
{
	const int *p = arg;
	char c;

	if (unshare(CLONE_NEWNS))
		return errno;
	tmpfs_on("own");
	close(ut_open("own/f", ""));
	tmpfs_on("shared/x");
	/* it has a copy of what was there */
	CHECK_OK(umount("both"));
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(read(p[2], &c, 1), 1);
	return 0;
}

TEST(mounts, name_space)
{
	char path[64], c;
	int p[4], err;
	pid_t pid;

	begin();
	tmpfs_on("both");
	tmpfs_on("shared");
	CHECK_OK(mount(NULL, "shared", NULL, MS_SHARED, NULL));
	CHECK_OK(mkdir("own", 0755));
	CHECK_OK(pipe(p));
	CHECK_OK(pipe(p + 2));
	pid = ut_fork(own_tree, p);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_ERR(access("own/f", F_OK), ENOENT);
	CHECK(is_mount("both"));
	CHECK(mount_of("shared/x") != mount_of("shared")); /* peers */
	snprintf(path, sizeof(path), "/proc/%d/cwd/own", pid);
	CHECK_ERR(umount(path), EINVAL); /* not ours */
	CHECK_ERR(mount(path, "both", NULL, MS_BIND, NULL), EINVAL);
	CHECK_EQ(write(p[3], "x", 1), 1);
	err = ut_wait(pid);
	CHECK_EQ(err, 0);
	CHECK_OK(umount("shared/x"));
	end();
}

static void first_line(const char *path, char buf[32])
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	CHECK_OK(fd);
	n = read(fd, buf, 31);
	CHECK(n >= 0);
	buf[n < 0 ? 0 : n] = '\0';
	close(fd);
}

/* A file and a directory of /proc are covered, as those who make sandboxes do. */
static int cover_proc(void *arg)
{
	char buf[32], was[32], path[64];
	int fd;

	(void)arg;
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_PRIVATE | REC, ""))
		return errno;
	CHECK_OK(fd = open("/proc/sys/kernel/ostype", O_PATH));
	first_line("/proc/sys/kernel/ostype", was);
	/* the place by a descriptor, from before anybody mounted there */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(mount("f", path, NULL, MS_BIND, NULL));
	first_line("/proc/sys/kernel/ostype", buf);
	CHECK(!strcmp(buf, "mine"));
	CHECK_OK(mount("f", "/proc/self/comm", NULL, MS_BIND, NULL));
	snprintf(path, sizeof(path), "/proc/%d/comm", getpid());
	first_line(path, buf);
	CHECK(!strcmp(buf, "mine"));
	CHECK_OK(umount(path));
	CHECK_OK(mount("x", "/proc/sys/fs", "tmpfs", 0, NULL));
	CHECK_ERR(access("/proc/sys/fs/file-nr", F_OK), ENOENT);
	CHECK_ERR(mount("f", "/proc/sys/net", NULL, MS_BIND, NULL), ENOTDIR);
	CHECK_OK(umount("/proc/sys/fs"));
	CHECK_OK(access("/proc/sys/fs/file-nr", F_OK));
	CHECK_OK(umount("/proc/sys/kernel/ostype"));
	first_line("/proc/sys/kernel/ostype", buf);
	CHECK(!strcmp(buf, was));
	/* twice on one place, and left so: they go with the namespace */
	CHECK_OK(mount("x", "/proc/sys/fs", "tmpfs", 0, NULL));
	CHECK_OK(mount("y", "/proc/sys/fs", "tmpfs", 0, NULL));
	return 0;
}

TEST(mounts, on_names_of_proc)
{
	char buf[32];
	int f;

	begin();
	CHECK_OK(f = ut_open("f", "mine"));
	CHECK_EQ(ut_wait(ut_fork(cover_proc, NULL)), 0);
	CHECK_OK(access("/proc/sys/fs/file-nr", F_OK));
	first_line("/proc/sys/kernel/ostype", buf);
	CHECK(strcmp(buf, "mine"));
	close(f);
	end();
}

/* The old root on top of the new one, and away with it: no place is needed. */
static int pivots_in_place(void *arg)
{
	(void)arg;
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_PRIVATE | REC, ""))
		return errno;
	tmpfs_on("n");
	CHECK_OK(chdir("n"));
	CHECK_OK(mkdir("here", 0755));
	CHECK_OK(syscall(SYS_pivot_root, ".", "."));
	CHECK_OK(access("here", F_OK));
	CHECK_OK(umount2(".", MNT_DETACH));
	CHECK_OK(access("/here", F_OK));
	CHECK_ERR(access("/proc", F_OK), ENOENT);
	CHECK_OK(mount(NULL, "/", NULL, REC | MS_SHARED, NULL));
	CHECK_OK(mkdir("/n", 0755));
	CHECK_OK(mount("x", "/n", "tmpfs", 0, NULL));
	CHECK_OK(umount("/n"));
	return 0;
}

TEST(mounts, pivot_in_place)
{
	begin();
	CHECK_EQ(ut_wait(ut_fork(pivots_in_place, NULL)), 0);
	end();
}

static int cover_own_comm(void *arg)
{
	char path[64];

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%d/comm", getpid());
	return mount("f", path, NULL, MS_BIND, NULL) ? errno : 0;
}

static int covers_and_ends(void *arg)
{
	char path[64], shm[64];
	struct stat st;
	pid_t pid;

	(void)arg;
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_PRIVATE | REC, ""))
		return errno;
	pid = ut_fork(cover_own_comm, NULL);
	CHECK_EQ(ut_wait(pid), 0);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	CHECK_ERR(stat(path, &st), ENOENT);
	snprintf(shm, sizeof(shm), "/proc/%d/comm", pid);
	CHECK_ERR(stat(shm, &st), ENOENT);
	(void)umount2(shm, MNT_DETACH);
	return 0;
}

/* Who ends takes the name away from under the mount. */
TEST(mounts, on_a_name_of_a_process)
{
	int fd;

	begin();
	CHECK_OK(fd = ut_open("f", "mine"));
	CHECK_EQ(ut_wait(ut_fork(covers_and_ends, NULL)), 0);
	close(fd);
	end();
}
