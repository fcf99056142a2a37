/* SPDX-License-Identifier: MIT */
/*
 * user/tests/cgroup.h - groups for a test, and processes in them.
 */
#ifndef USER_TESTS_CGROUP_H
#define USER_TESTS_CGROUP_H

#include "utest.h"

#include <sched.h>
#include <sys/mount.h>

#define INTO_CGROUP 0x200000000ull

static char top[64]; /* where it is mounted: a directory of the test's own */

/* An own group "ut.<pid>" of the root's, in which the test works. */
static inline void enter_top(void)
{
	char root[32] = "cg";

	CHECK_OK(mkdir(root, 0755));
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mount("none", root, "cgroup2", 0, NULL))
		ut_skip("no cgroup2");
	snprintf(top, sizeof(top), "cg/ut.%d", getpid());
	CHECK_OK(mkdir(top, 0755));
}

static inline const char *at(const char *group, const char *file)
{
	static char buf[4][256];
	static int n;
	char *b = buf[n++ % 4];

	snprintf(b, sizeof(buf[0]), "%s%s%s/%s", top, *group ? "/" : "", group,
		 file);
	return b;
}

static inline int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static inline const char *get(const char *path)
{
	static char buf[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		ut_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return strerror(errno);
	buf[n] = 0;
	return buf;
}

static inline void is(const char *path, const char *want)
{
	const char *got = get(path);

	if (strcmp(got, want))
		ut_fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", path, got,
			want);
}

static inline long value(const char *path, const char *key)
{
	const char *s = strstr(get(path), key);

	return s ? atol(s + strlen(key)) : -1;
}

static inline void group(const char *name)
{
	CHECK_OK(mkdir(at("", name), 0755));
}

static inline void drop(const char *name)
{
	/* On Linux a group is empty shortly after its last process was reaped. */
	for (int i = 0; rmdir(at("", name)) && errno == EBUSY; i++) {
		CHECK(i < 200);
		ut_sleep_ms(5);
	}
}

static inline void put_pid(const char *name, pid_t pid)
{
	char s[16];

	snprintf(s, sizeof(s), "%d", pid);
	CHECK_EQ(put(at(name, "cgroup.procs"), s), 0);
}

static inline void nothing(int sig)
{
	(void)sig;
}

static inline int sleeper(void *arg)
{
	(void)arg;
	signal(SIGUSR1, nothing);
	for (;;)
		pause();
	return 0;
}

/* A child that sleeps in @name. */
static inline pid_t child_in(const char *name)
{
	pid_t pid = ut_fork(sleeper, NULL);

	CHECK(pid > 0);
	put_pid(name, pid);
	return pid;
}

static inline void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

static inline void leave(void)
{
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	drop("");
}

static inline void wait_frozen(const char *name, int want)
{
	for (int i = 0; value(at(name, "cgroup.events"), "frozen ") != want;
	     i++) {
		if (i == 400)
			ut_fail(__FILE__, __LINE__, "%s: not frozen %d", name,
				want);
		ut_sleep_ms(5);
	}
}

static volatile unsigned long *counter;

static inline int counts(void *arg)
{
	(void)arg;
	for (;;)
		++*counter;
	return 0;
}

struct clone_args3 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
		stack_size, tls, set_tid, set_tid_size, cgroup;
};

#endif /* USER_TESTS_CGROUP_H */
