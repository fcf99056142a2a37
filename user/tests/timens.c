/* SPDX-License-Identifier: MIT */
/*
 * user/tests/timens.c - time namespaces: who enters them when, and what the clocks
 * show inside.
 */
#include "utest.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define MONO_AHEAD 100000l /* seconds */
#define BOOT_AHEAD 200000l

/* By call, not by vDSO, which is compared with it. */
static long clock_sec(int clock)
{
	struct timespec t;

	CHECK_OK(syscall(SYS_clock_gettime, clock, &t));
	return t.tv_sec;
}

static ino_t ns_ino(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	CHECK_OK(stat(path, &st));
	return st.st_ino;
}

static int put_offsets(const char *text)
{
	int fd = open("/proc/self/timens_offsets", O_WRONLY), r, e;

	CHECK(fd >= 0);
	r = (int)write(fd, text, strlen(text));
	e = errno;
	close(fd);
	errno = e;
	return r;
}

static void get_offsets(char *buf, size_t size)
{
	int fd = open("/proc/self/timens_offsets", O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, size - 1);
	CHECK(n > 0);
	buf[n] = 0;
	close(fd);
}

/* From here on children are ahead. */
static void make_ahead(void)
{
	char text[80];

	if (unshare(CLONE_NEWTIME) < 0 && errno == EINVAL)
		ut_skip("no time namespaces");
	snprintf(text, sizeof(text), "monotonic %ld 0\nboottime %ld 0\n",
		 MONO_AHEAD, BOOT_AHEAD);
	CHECK_EQ(put_offsets(text), strlen(text));
}

static int in_child(int (*fn)(void *))
{
	return ut_wait(ut_fork(fn, NULL));
}

TEST(timens, unshare)
{
	ino_t first = ns_ino("time"), fresh;
	pid_t pid;

	CHECK_EQ(ns_ino("time_for_children"), first);
	make_ahead();
	fresh = ns_ino("time_for_children");
	CHECK_EQ(ns_ino("time"), first);
	CHECK(fresh != first);
	CHECK(clock_sec(CLOCK_MONOTONIC) < MONO_AHEAD);
	pid = fork();
	if (!pid) {
		CHECK_EQ(ns_ino("time"), fresh);
		CHECK_EQ(ns_ino("time_for_children"), fresh);
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
}

static int clocks_child(void *arg)
{
	long *was = arg;
	struct timespec t;
	struct sysinfo si;
	double up;
	FILE *f;

	for (int call = 0; call < 2; call++) {
		static const int mono[] = { CLOCK_MONOTONIC,
					    CLOCK_MONOTONIC_RAW,
					    CLOCK_MONOTONIC_COARSE };
		for (int i = 0; i < 3; i++) {
			CHECK_OK(call ? syscall(SYS_clock_gettime, mono[i], &t)
				      : clock_gettime(mono[i], &t));
			CHECK(t.tv_sec >= was[0] + MONO_AHEAD - 1 &&
			      t.tv_sec < was[0] + MONO_AHEAD + 9);
		}
		CHECK_OK(call ? syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &t)
			      : clock_gettime(CLOCK_BOOTTIME, &t));
		CHECK(t.tv_sec >= was[0] + BOOT_AHEAD - 1 &&
		      t.tv_sec < was[0] + BOOT_AHEAD + 9);
		CHECK_OK(call ? syscall(SYS_clock_gettime, CLOCK_REALTIME, &t)
			      : clock_gettime(CLOCK_REALTIME, &t));
		CHECK(t.tv_sec >= was[1] && t.tv_sec < was[1] + 9);
	}
	CHECK(time(NULL) >= was[1] && time(NULL) < was[1] + 9);
	CHECK_OK(sysinfo(&si));
	CHECK(si.uptime >= BOOT_AHEAD && si.uptime < was[0] + BOOT_AHEAD + 9);
	f = fopen("/proc/uptime", "r");
	CHECK(f && fscanf(f, "%lf", &up) == 1);
	CHECK(up >= BOOT_AHEAD && up < was[0] + BOOT_AHEAD + 9);
	fclose(f);
	return 0;
}

TEST(timens, clocks)
{
	long was[2] = { clock_sec(CLOCK_MONOTONIC), clock_sec(CLOCK_REALTIME) };

	make_ahead();
	CHECK_EQ(ut_wait(ut_fork(clocks_child, was)), 0);
}

/* The same program, started anew: "ahead" or "not". */
static int shell_says(const char *test)
{
	execl("/bin/sh", "sh", "-c", test, (char *)NULL);
	return 127;
}

static int exec_child(void *arg)
{
	return shell_says(arg);
}

/* An exec takes the caller over; until then, and in what shares memory, nothing changes. */
TEST(timens, exec)
{
	static char up[] = "read a b </proc/uptime; test ${a%.*} -ge 200000";
	pid_t pid;

	make_ahead();
	pid = vfork();
	if (!pid) {
		/* in the parent's memory: still in the parent's namespace */
		if (clock_sec(CLOCK_MONOTONIC) >= MONO_AHEAD)
			_exit(9);
		execl("/bin/sh", "sh", "-c", up, (char *)NULL);
		_exit(8);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK(clock_sec(CLOCK_MONOTONIC) < MONO_AHEAD);
	CHECK_EQ(ut_wait(ut_fork(exec_child, up)), 0);
	_exit(shell_says(up));
}

TEST(timens, offsets)
{
	char text[200];

	if (unshare(CLONE_NEWTIME) < 0 && errno == EINVAL)
		ut_skip("no time namespaces");
	get_offsets(text, sizeof(text));
	CHECK(!strcmp(text, "monotonic           0         0\n"
			    "boottime            0         0\n"));
	CHECK_ERR(put_offsets("monotonic 1"), EINVAL);
	CHECK_ERR(put_offsets("realtime 1 0\n"), EINVAL);
	CHECK_ERR(put_offsets("monotonic 1 1000000000\n"), EINVAL);
	CHECK_ERR(put_offsets("monotonic x 0\n"), EINVAL);
	CHECK_ERR(put_offsets("monotonic -4000000 0\n"), ERANGE);
	CHECK_ERR(put_offsets("boottime 9223372037 0\n"), ERANGE);
	CHECK_ERR(put_offsets("boottime 4611686019 0\n"), ERANGE);
	CHECK_EQ(put_offsets("7 10 5\n"), 7);
	CHECK_EQ(put_offsets("1 20 999999999 and more\n"), 24);
	get_offsets(text, sizeof(text));
	CHECK(!strcmp(text, "monotonic          20 999999999\n"
			    "boottime           10         5\n"));
	CHECK_EQ(put_offsets("monotonic 5 0\nboottime 6 0\nboottime 7 0\n"),
		 27);
	get_offsets(text, sizeof(text));
	CHECK(!strcmp(text, "monotonic           5         0\n"
			    "boottime            6         0\n"));
	/* a namespace made from it begins with its offsets */
	CHECK_OK(unshare(CLONE_NEWTIME));
	get_offsets(text, sizeof(text));
	CHECK(!strcmp(text, "monotonic           5         0\n"
			    "boottime            6         0\n"));
	if (!fork())
		_exit(0);
	wait(NULL);
	CHECK_ERR(put_offsets("monotonic 1 0\n"), EACCES);
}

TEST(timens, first_is_fixed)
{
	CHECK_ERR(put_offsets("monotonic 1 0\n"), EACCES);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(unshare(CLONE_NEWTIME), EPERM);
}

static volatile int rang;
static void ring(int sig)
{
	rang = sig;
}

static struct timespec mono_in(long ms)
{
	struct timespec t;

	CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &t));
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void check_took(struct timespec from, long ms)
{
	struct timespec t;
	long d;

	clock_gettime(CLOCK_MONOTONIC, &t);
	d = (t.tv_sec - from.tv_sec) * 1000 +
	    (t.tv_nsec - from.tv_nsec) / 1000000;
	CHECK(d >= ms - 1 && d < ms + 4000);
}

/* What is given as absolute time is the namespace's. */
static int absolute_child(void *arg __attribute__((unused)))
{
	struct itimerspec it = { .it_interval = { 0, 0 } }, left;
	struct timespec from = mono_in(0), t = mono_in(50);
	uint32_t word = 0;
	uint64_t n;
	timer_t id;
	int fd;

	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	check_took(from, 50);

	from = mono_in(0);
	it.it_value = mono_in(50);
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	CHECK_OK(timerfd_gettime(fd, &left));
	CHECK(left.it_value.tv_sec == 0);
	CHECK_EQ(read(fd, &n, sizeof(n)), sizeof(n));
	CHECK_EQ(n, 1);
	check_took(from, 50);

	signal(SIGALRM, ring);
	from = mono_in(0);
	it.it_value = mono_in(50);
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &id));
	CHECK_OK(timer_settime(id, TIMER_ABSTIME, &it, NULL));
	while (!rang)
		ut_sleep_ms(1);
	check_took(from, 50);

	from = mono_in(0);
	t = mono_in(50);
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &t, NULL, -1),
		  ETIMEDOUT);
	check_took(from, 50);

	/* before the machine was there: long past */
	t.tv_sec = 1;
	CHECK_EQ(clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL), 0);
	check_took(from, 50);
	return 0;
}

TEST(timens, absolute)
{
	make_ahead();
	CHECK_EQ(in_child(absolute_child), 0);
}

static int idle_child(void *arg __attribute__((unused)))
{
	pause();
	return 0;
}

TEST(timens, setns)
{
	struct timespec t;
	char path[64];
	pid_t pid;
	int fd, home, pidfd, status;

	make_ahead();
	home = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	pid = ut_fork(idle_child, NULL);
	snprintf(path, sizeof(path), "/proc/%d/ns/time", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(home >= 0 && fd >= 0);
	CHECK_ERR(setns(fd, CLONE_NEWNS), EINVAL);
	CHECK_OK(setns(fd, CLONE_NEWTIME));
	CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &t));
	CHECK(t.tv_sec >= MONO_AHEAD);
	CHECK_EQ(ns_ino("time"), ns_ino("time_for_children"));
	CHECK_OK(setns(home, 0));
	CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &t));
	CHECK(t.tv_sec < MONO_AHEAD);
	CHECK_OK(pidfd = (int)syscall(SYS_pidfd_open, pid, 0));
	CHECK_OK(setns(pidfd, CLONE_NEWTIME));
	CHECK_OK(clock_gettime(CLOCK_BOOTTIME, &t));
	CHECK(t.tv_sec >= BOOT_AHEAD);
	/* not out of memory that somebody shares */
	pid_t v = vfork();
	if (!v)
		_exit(setns(home, 0) < 0 && errno == EUSERS ? 0 : 1);
	CHECK_EQ(ut_wait(v), 0);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_OK(waitpid(pid, &status, 0));
}

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
		stack_size, tls;
};

TEST(timens, clone3)
{
	struct clone3_args a = { .flags = CLONE_NEWTIME,
				 .exit_signal = SIGCHLD };
	ino_t first = ns_ino("time");
	pid_t pid;

	pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (!pid)
		_exit(ns_ino("time") == first ||
		      ns_ino("time") != ns_ino("time_for_children"));
	if (pid < 0 && errno == EINVAL)
		ut_skip("no time namespaces");
	CHECK(pid > 0);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(ns_ino("time_for_children"), first);
	a.flags = 0x40;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
}
