/* SPDX-License-Identifier: MIT */
/*
 * user/tests/nsmounts.c - what one mount namespace may know and change of another,
 * and what /proc/loadavg says in a PID namespace.
 */
#include "utest.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define GET_MNTNS_ID 0x8008b705ul /* NS_GET_MNTNS_ID */
#define ROOT_OF_ALL  (~0ull)
#define NS_ID	     0x40u /* STATMOUNT_MNT_NS_ID */
#define BASIC	     0x02u /* STATMOUNT_MNT_BASIC */
#define SET_GROUP    (0x100 | 0x40 | 0x4)

struct req {
	uint32_t size, spare;
	uint64_t id, param, ns;
};

struct stat_of {
	uint32_t size, opts;
	uint64_t mask, more[64];
};
#define AT_NS_ID 12 /* of more[] */

static long list(uint64_t ns, uint64_t id, uint64_t *ids, int nr)
{
	struct req r = { .size = 32, .id = id, .ns = ns };

	return syscall(458, &r, ids, nr, 0);
}

static long look(uint64_t ns, uint64_t id, struct stat_of *out)
{
	struct req r = { .size = 32, .id = id, .ns = ns, .param = NS_ID };

	return syscall(457, &r, out, sizeof(*out), 0);
}

static uint64_t number_of(const char *path)
{
	int fd = open(path, O_RDONLY);
	uint64_t nr = 0;

	CHECK_OK(fd);
	if (ioctl(fd, GET_MNTNS_ID, &nr))
		ut_skip("NS_GET_MNTNS_ID");
	close(fd);
	return nr;
}

/* With a namespace of its own, and a mount more; says so and waits. */
static int other_ns(void *arg)
{
	int *p = arg;
	char c;

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("x", 0755));
	CHECK_OK(mount("none", "x", "tmpfs", 0, NULL));
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(read(p[2], &c, 1), 0);
	return 0;
}

static int asks_without_power(void *arg)
{
	uint64_t ids[64];

	CHECK_OK(setresuid(1234, 1234, 1234));
	CHECK_ERR(list(*(uint64_t *)arg, ROOT_OF_ALL, ids, 64), ENOENT);
	return 0;
}

TEST(nsmounts, of_another)
{
	uint64_t mine[64], theirs[64], number, own;
	char path[64], c;
	struct stat_of s;
	int p[4];
	pid_t pid;
	long a, b;

	if (getuid())
		ut_skip("needs root");
	own = number_of("/proc/self/ns/mnt");
	CHECK_OK(pipe(p));
	CHECK_OK(pipe2(p + 2, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		close(p[3]);
		_exit(other_ns(p));
	}
	close(p[2]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	number = number_of(path);
	CHECK(number && number != own);
	NEED(a = list(0, ROOT_OF_ALL, mine, 64));
	CHECK_EQ(list(own, ROOT_OF_ALL, theirs, 64), a);
	CHECK_EQ(theirs[0], mine[0]);
	CHECK_OK(look(0, mine[0], &s));
	CHECK_EQ(s.mask & NS_ID, NS_ID);
	CHECK_EQ(s.more[AT_NS_ID], own);
	b = list(number, ROOT_OF_ALL, theirs, 64);
	CHECK_EQ(b, a + 1);
	CHECK(theirs[0] != mine[0]);
	CHECK_OK(look(number, theirs[a], &s));
	CHECK_EQ(s.more[AT_NS_ID], number);
	CHECK_ERR(look(own, theirs[a], &s), ENOENT);
	CHECK_ERR(look(number, mine[0], &s), ENOENT);
	CHECK_ERR(list(number + 1000, ROOT_OF_ALL, theirs, 64), ENOENT);
	CHECK_EQ(ut_wait(ut_fork(asks_without_power, &number)), 0);
	close(p[3]);
	CHECK_EQ(ut_wait(pid), 0);
	ut_sleep_ms(50);
	CHECK_ERR(list(number, ROOT_OF_ALL, theirs, 64), ENOENT);
}

/* --- groups of mounts, from outside */

/* Leaves descriptor @to, on a mount of its own namespace, in the parent's table. */
static pid_t holds_mount(bool shared, int to, int *end)
{
	int p[2], q[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(p));
	CHECK_OK(pipe(q));
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    (shared && mount(NULL, "x", NULL, MS_SHARED, NULL)) ||
		    dup2(open("x", O_RDONLY), to) != to)
			_exit(1);
		(void)!write(p[1], "x", 1);
		(void)!read(q[0], &c, 1);
		_exit(0);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	*end = q[1];
	return pid;
}

TEST(nsmounts, groups)
{
	int end[2];
	pid_t a, b;

	if (getuid())
		ut_skip("needs root");
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("x", 0755));
	CHECK_OK(mount("none", "x", "tmpfs", 0, NULL));
	a = holds_mount(true, 40, &end[0]);
	b = holds_mount(false, 41, &end[1]);
	CHECK_ERR(syscall(429, 41, "", 40, "", SET_GROUP), EINVAL);
	CHECK_OK(syscall(429, 40, "", 41, "", SET_GROUP));
	CHECK_ERR(syscall(429, 40, "", 41, "", SET_GROUP), EINVAL);
	CHECK_OK(mount(NULL, "/proc/self/fd/41", NULL, MS_PRIVATE, NULL));
	CHECK_OK(syscall(429, 40, "", 41, "", SET_GROUP));
	CHECK_EQ(write(end[0], "x", 1), 1);
	CHECK_EQ(write(end[1], "x", 1), 1);
	CHECK_EQ(ut_wait(a), 0);
	CHECK_EQ(ut_wait(b), 0);
}

/* --- the last number, as it is here */

static int last_of_loadavg(void)
{
	char buf[128] = "";
	int fd = open("/proc/loadavg", O_RDONLY);

	CHECK(read(fd, buf, sizeof(buf) - 1) > 0);
	close(fd);
	return atoi(strrchr(buf, ' ') + 1);
}

static int does_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int first_here(void *arg)
{
	(void)arg;
	CHECK_EQ(last_of_loadavg(), 1);
	CHECK_EQ(ut_wait(ut_fork(does_nothing, NULL)), 0);
	CHECK_EQ(last_of_loadavg(), 2);
	return 0;
}

TEST(nsmounts, loadavg)
{
	if (getuid())
		ut_skip("needs root");
	CHECK_OK(unshare(CLONE_NEWPID));
	CHECK_EQ(ut_wait(ut_fork(first_here, NULL)), 0);
}
