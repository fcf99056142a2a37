/* SPDX-License-Identifier: MIT */
/*
 * user/tests/landlock.c - landlock_create_ruleset(2) and its sisters: what a
 * program may forbid itself.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>

struct attr {
	uint64_t fs, net, scoped;
};
struct beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));
struct port {
	uint64_t access, port;
};

#define EXECUTE	    (1u << 0)
#define WRITE	    (1u << 1)
#define READ	    (1u << 2)
#define READ_DIR    (1u << 3)
#define REMOVE_DIR  (1u << 4)
#define REMOVE_FILE (1u << 5)
#define MAKE_DIR    (1u << 7)
#define MAKE_REG    (1u << 8)
#define MAKE_SYM    (1u << 12)
#define REFER	    (1u << 13)
#define TRUNC	    (1u << 14)
#define IOCTL_DEV   (1u << 15)
#define BIND	    1u
#define CONNECT	    2u
#define ABSTRACT    1u
#define SIGNALS	    2u

static int create(struct attr a)
{
	int fd = (int)syscall(444, &a, sizeof(a), 0);

	NEED(fd);
	return fd;
}

static int allow(int set, const char *path, uint64_t access)
{
	struct beneath b = { access, open(path, O_PATH | O_CLOEXEC) };
	int err;

	CHECK(b.fd >= 0);
	err = (int)syscall(445, set, 1, &b, 0);
	close(b.fd);
	return err;
}

static void enter(int set)
{
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_OK(syscall(446, set, 0));
	close(set);
}

TEST(landlock, refuses)
{
	struct attr a = { .fs = READ };
	uint64_t big[4] = { READ, 0, 0, 1 };
	struct beneath b = { READ, -1 };
	struct port p = { BIND, 70000 };
	int set, fd, pipefd[2];

	NEED(syscall(444, NULL, 0, 1));
	CHECK(syscall(444, NULL, 0, 1) >= 6);
	CHECK_ERR(syscall(444, &a, 0, 1), EINVAL);
	CHECK_ERR(syscall(444, NULL, 8, 1), EINVAL);
	CHECK_ERR(syscall(444, &a, sizeof(a), 8), EINVAL);
	CHECK_ERR(syscall(444, NULL, sizeof(a), 0), EFAULT);
	CHECK_ERR(syscall(444, &a, 7, 0), EINVAL);
	CHECK_ERR(syscall(444, &a, 5000, 0), E2BIG);
	CHECK_ERR(syscall(444, big, 32, 0), E2BIG);
	a.fs = 1ull << 40;
	CHECK_ERR(syscall(444, &a, 8, 0), EINVAL);
	a.fs = 0;
	CHECK_ERR(syscall(444, &a, 24, 0), ENOMSG);
	set = create((struct attr){ READ | TRUNC, BIND, 0 });
	CHECK_EQ(fcntl(set, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(syscall(445, set, 1, &b, 1), EINVAL);
	CHECK_ERR(syscall(445, set, 9, &b, 0), EINVAL);
	CHECK_ERR(syscall(445, -1, 1, &b, 0), EBADF);
	CHECK_ERR(syscall(445, 0, 1, &b, 0), EBADFD);
	CHECK_ERR(syscall(445, set, 1, &b, 0), EBADF);
	b.fd = set;
	CHECK_ERR(syscall(445, set, 1, &b, 0), EBADFD);
	CHECK_OK(pipe(pipefd));
	b.fd = pipefd[0];
	CHECK_ERR(syscall(445, set, 1, &b, 0), EBADFD);
	b.access = WRITE;
	CHECK_ERR(syscall(445, set, 1, &b, 0), EINVAL);
	b.access = 0;
	CHECK_ERR(syscall(445, set, 1, &b, 0), ENOMSG);
	CHECK_ERR(syscall(445, set, 1, NULL, 0), EFAULT);
	CHECK_ERR(syscall(445, set, 2, &p, 0), EINVAL);
	p.access = CONNECT;
	CHECK_ERR(syscall(445, set, 2, &p, 0), EINVAL);
	set = create((struct attr){ READ_DIR | READ, 0, 0 });
	close(ut_open("f", ""));
	CHECK_ERR(allow(set, "f", READ_DIR | READ), EINVAL);
	CHECK_OK(allow(set, "f", READ));
	CHECK_ERR(syscall(446, set, 1), EINVAL);
	CHECK_ERR(syscall(446, 0, 0), EBADFD);
	fd = open("f", O_RDONLY);
	CHECK_ERR(syscall(446, fd, 0), EBADFD);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(syscall(446, set, 0), EPERM);
}

TEST(landlock, paths)
{
	char buf[8];
	int set, fd;

	CHECK_OK(mkdir("in", 0755));
	CHECK_OK(mkdir("in/sub", 0755));
	CHECK_OK(mkdir("out", 0755));
	close(ut_open("in/sub/f", "hello"));
	close(ut_open("out/f", "hello"));
	fd = open("out/f", O_RDWR);
	set = create((struct attr){ .fs = READ | WRITE | READ_DIR | MAKE_REG |
					  REMOVE_FILE | MAKE_DIR | EXECUTE });
	CHECK_OK(allow(set, "in", READ | READ_DIR | MAKE_REG | REMOVE_FILE));
	CHECK_OK(allow(set, "in/sub/f", WRITE));
	enter(set);
	CHECK_EQ(read(fd, buf, 5), 5); /* what is open stays open */
	CHECK_OK(open("in/sub/f", O_RDWR));
	CHECK_ERR(open("out/f", O_RDONLY), EACCES);
	CHECK_ERR(open("out", O_RDONLY), EACCES);
	CHECK_OK(open("in/sub", O_RDONLY));
	CHECK_OK(open("out/f", O_PATH));
	CHECK_OK(open("in/new", O_CREAT | O_RDONLY, 0600));
	CHECK_ERR(open("in/new", O_WRONLY), EACCES);
	CHECK_ERR(open("out/new", O_CREAT | O_RDONLY, 0600), EACCES);
	CHECK_ERR(mkdir("in/d", 0755), EACCES);
	CHECK_OK(symlink("x", "out/l")); /* not handled */
	CHECK_ERR(unlink("out/f"), EACCES);
	CHECK_OK(unlink("in/new"));
	CHECK_OK(rmdir("out") == -1 && errno == ENOTEMPTY ? 0 : -1);
	CHECK_ERR(execl("out/f", "f", NULL), EACCES);
	CHECK_ERR(mount("x", "out", "tmpfs", 0, NULL), EPERM);
	CHECK_ERR(umount("/proc"), EPERM);
	CHECK_OK(chmod("out/f", 0600)); /* nor is that */
}

TEST(landlock, layers)
{
	int set;

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("a/b", 0755));
	close(ut_open("a/f", "x"));
	close(ut_open("a/b/f", "x"));
	set = create((struct attr){ .fs = READ });
	CHECK_OK(allow(set, "a", READ));
	enter(set);
	CHECK_OK(open("a/f", O_RDONLY));
	set = create((struct attr){ .fs = READ | WRITE });
	CHECK_OK(allow(set, "a/b", READ));
	CHECK_OK(allow(set, ".", WRITE)); /* does not widen */
	enter(set);
	CHECK_ERR(open("a/f", O_RDONLY), EACCES);
	CHECK_OK(open("a/b/f", O_RDWR));
	for (int n = 2; n < 16; n++)
		CHECK_OK(syscall(446, create((struct attr){ .fs = WRITE }), 0));
	CHECK_ERR(syscall(446, create((struct attr){ .fs = WRITE }), 0), E2BIG);
	CHECK_ERR(open("a/b/f", O_RDWR), EACCES);
}

static void tree(void)
{
	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("b", 0755));
	CHECK_OK(mkdir("a/s", 0755));
	close(ut_open("a/f", "x"));
	close(ut_open("b/g", "x"));
}

TEST(landlock, refer_denied)
{
	int set;

	tree();
	set = create((struct attr){ .fs = READ });
	CHECK_OK(allow(set, ".", READ));
	enter(set);
	/* never from one directory to another, unless it is said */
	CHECK_ERR(rename("a/f", "b/f"), EXDEV);
	CHECK_ERR(link("a/f", "b/f"), EXDEV);
	CHECK_OK(rename("a/f", "a/h"));
	CHECK_OK(link("a/h", "a/i"));
}

TEST(landlock, refer_rules)
{
	uint64_t all = REFER | READ | MAKE_REG | REMOVE_FILE | WRITE;
	int set;

	tree();
	set = create((struct attr){ .fs = all });
	CHECK_OK(allow(set, "a", REFER | READ | REMOVE_FILE | MAKE_REG));
	CHECK_OK(
		allow(set, "b", REFER | READ | REMOVE_FILE | MAKE_REG | WRITE));
	CHECK_OK(allow(set, "a/s", REFER | MAKE_REG));
	enter(set);
	/* it would be writable there */
	CHECK_ERR(rename("a/f", "b/f"), EXDEV);
	CHECK_ERR(link("a/f", "b/f"), EXDEV);
	CHECK_OK(rename("b/g", "a/g"));
	CHECK_OK(link("a/g", "a/s/g"));
	CHECK_OK(rename("a/g", "a/f"));
	CHECK_ERR(rename("a/s", "b/s"), EXDEV); /* for what is in it */
}

TEST(landlock, no_make)
{
	int set;

	tree();
	set = create((struct attr){ .fs = REFER | MAKE_REG | REMOVE_FILE });
	CHECK_OK(allow(set, "a", REFER | REMOVE_FILE));
	CHECK_OK(allow(set, "b", REFER));
	enter(set);
	CHECK_ERR(rename("a/f", "b/f"), EACCES);
	CHECK_ERR(link("a/f", "b/f"), EACCES);
	CHECK_ERR(link("a/f", "a/g"), EACCES);
	CHECK_ERR(rename("a/f", "a/g"), EACCES);
}

TEST(landlock, truncation)
{
	int set, fd, ro;

	close(ut_open("f", "hello"));
	close(ut_open("g", "hello"));
	fd = open("f", O_RDWR);
	set = create((struct attr){ .fs = TRUNC | WRITE });
	CHECK_OK(allow(set, "f", WRITE));
	CHECK_OK(allow(set, "g", WRITE | TRUNC));
	enter(set);
	CHECK_OK(ftruncate(fd, 3)); /* opened before */
	CHECK_ERR(truncate("f", 1), EACCES);
	CHECK_OK(truncate("g", 1));
	CHECK_ERR(open("f", O_WRONLY | O_TRUNC), EACCES);
	CHECK_OK(open("g", O_WRONLY | O_TRUNC));
	CHECK_OK(ro = open("f", O_WRONLY));
	CHECK_ERR(ftruncate(ro, 0), EACCES);
	CHECK_EQ(write(ro, "x", 1), 1);
}

TEST(landlock, ioctls)
{
	int set, before, after, n, p[2];

	before = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	CHECK(before >= 0);
	CHECK_OK(pipe(p));
	set = create((struct attr){ .fs = IOCTL_DEV });
	enter(set);
	after = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	CHECK(after >= 0);
	CHECK_OK(ioctl(before, 0x80045430 /* TIOCGPTN */, &n));
	CHECK_ERR(ioctl(after, 0x80045430, &n), EACCES);
	n = 1;
	CHECK_OK(ioctl(after, FIONBIO, &n));
	CHECK_OK(ioctl(p[0], FIONREAD, &n));
}

static int tcp_to(int port, bool do_bind)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int s = socket(AF_INET, SOCK_STREAM, 0), err;

	err = do_bind ? bind(s, (void *)&a, sizeof(a))
		      : connect(s, (void *)&a, sizeof(a));
	if (err) {
		err = errno;
		close(s);
		errno = err;
		return -1;
	}
	return s;
}

TEST(landlock, ports)
{
	struct port p = { BIND | CONNECT, 4711 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int set, s, udp = socket(AF_INET, SOCK_DGRAM, 0);

	set = create((struct attr){ .net = BIND | CONNECT });
	CHECK_OK(syscall(445, set, 2, &p, 0));
	enter(set);
	CHECK_ERR(tcp_to(4712, true), EACCES);
	CHECK_ERR(tcp_to(4712, false), EACCES);
	CHECK_OK(s = tcp_to(4711, true));
	CHECK_OK(listen(s, 1));
	/* on Linux the loopback has to be brought up first */
	CHECK(tcp_to(4711, false) >= 0 || errno == ENETUNREACH);
	CHECK_ERR(tcp_to(0, true), EACCES);
	CHECK_OK(bind(udp, (void *)&a, sizeof(a)));
	CHECK_OK(open("/", O_RDONLY)); /* nothing about files */
	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mount("x", "a", "tmpfs", 0, NULL));
	CHECK_OK(umount("a"));
}

static int waits(void *arg)
{
	pause();
	return 0;
}

static int abstract(bool do_bind)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 9;
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(a.sun_path + 1, "landlock", 8);
	if (do_bind)
		return bind(s, (void *)&a, len) || listen(s, 4) ? -1 : s;
	return connect(s, (void *)&a, len);
}

TEST(landlock, scopes)
{
	pid_t before = ut_fork(waits, NULL), after;
	int s;

	CHECK_OK(s = abstract(true));
	enter(create((struct attr){ .scoped = ABSTRACT | SIGNALS }));
	CHECK_ERR(abstract(false), EPERM);
	close(s);
	CHECK_OK(abstract(true));
	CHECK_OK(abstract(false)); /* of the same domain */
	after = ut_fork(waits, NULL);
	CHECK_ERR(kill(before, 0), EPERM);
	CHECK_ERR(kill(before, SIGTERM), EPERM);
	CHECK_OK(kill(after, SIGTERM));
	CHECK_OK(kill(getpid(), 0));
	CHECK_EQ(ut_wait(after), UT_SIGNALLED(SIGTERM));
}

static int confined(void *arg)
{
	enter(create((struct attr){ .fs = READ }));
	pause();
	return 0;
}

static int confined_traces(void *arg)
{
	enter(create((struct attr){ .fs = WRITE }));
	errno = 0;
	return ptrace(PTRACE_ATTACH, *(pid_t *)arg, 0, 0) < 0 ? errno : 0;
}

TEST(landlock, tracing)
{
	pid_t free = ut_fork(waits, NULL), caged = ut_fork(confined, NULL);

	ut_sleep_ms(50);
	CHECK_OK(ptrace(PTRACE_SEIZE, caged, 0, 0)); /* downwards: yes */
	CHECK_EQ(ut_wait(ut_fork(confined_traces, &free)), EPERM);
	kill(free, SIGKILL);
	kill(caged, SIGKILL);
}

TEST(landlock, unmount)
{
	int set;

	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("x", "m", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("m/d", 0755));
	set = create((struct attr){ .fs = READ });
	CHECK_OK(allow(set, "m/d", READ));
	CHECK_OK(umount("m")); /* rules do not hold it */
	close(ut_open("f", "x"));
	enter(set);
	CHECK_ERR(open("f", O_RDONLY), EACCES);
}

/* Which security modules there are. */
TEST(landlock, lsm_calls)
{
	uint64_t ids[8] = { 0 }, ctx[4] = { 110, 0, 32, 0 };
	uint32_t size = sizeof(ids);
	bool has = false;
	long nr;

	NEED(nr = syscall(461, ids, &size, 0));
	CHECK_EQ(size, (size_t)nr * 8);
	CHECK_EQ(ids[0], 100); /* capabilities come first */
	for (int i = 0; i < nr; i++)
		has |= ids[i] == 110;
	CHECK(has);
	size = 8;
	CHECK_ERR(syscall(461, ids, &size, 0), E2BIG);
	CHECK_EQ(size, (size_t)nr * 8);
	CHECK_ERR(syscall(461, ids, &size, 1), EINVAL);
	CHECK_ERR(syscall(461, ids, NULL, 0), EFAULT);
	CHECK_ERR(syscall(461, NULL, &size, 0), EFAULT);
	CHECK_ERR(syscall(459, 0, NULL, &size, 0), EINVAL);
	CHECK_ERR(syscall(459, 100, NULL, NULL, 0), EINVAL);
	CHECK_ERR(syscall(459, 100, NULL, 8, 0), EFAULT);
	CHECK_ERR(syscall(459, 100, NULL, &size, 1), EINVAL);
	CHECK_ERR(syscall(459, 100, ctx, &size, 2), EINVAL);
	size = sizeof(ctx);
	CHECK_ERR(syscall(459, 100, ctx, &size, 1), EOPNOTSUPP);
	CHECK_ERR(syscall(460, 100, ctx, 16, 0), EINVAL);
	CHECK_ERR(syscall(460, 100, ctx, 8192, 0), E2BIG);
	CHECK_ERR(syscall(460, 100, ctx, sizeof(ctx), 1), EINVAL);
	CHECK_ERR(syscall(460, 100, ctx, sizeof(ctx), 0), EOPNOTSUPP);
	ctx[3] = 8;
	CHECK_ERR(syscall(460, 100, ctx, sizeof(ctx), 0), EINVAL);
}
