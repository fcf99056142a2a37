/* SPDX-License-Identifier: MIT */
/*
 * user/tests/cputime.c - the time that processes use: who is told of it, and whose it is.
 */
#include "utest.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/times.h>

static int ends(void *arg)
{
	return arg != NULL;
}

TEST(procs, rusage)
{
	struct rusage ru;
	struct tms tms;
	pid_t pid = ut_fork(ends, NULL);
	volatile int i;

	for (i = 0; i < 10000000; i++)
		;
	CHECK_EQ(wait4(pid, NULL, 0, &ru), pid);
	CHECK_OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_utime.tv_sec || ru.ru_utime.tv_usec);
	CHECK_ERR(getrusage(55, &ru), EINVAL);
	CHECK_OK(times(&tms));
}

static long cpu_ms(const struct rusage *ru)
{
	return (ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * 1000 +
	       (ru->ru_utime.tv_usec + ru->ru_stime.tv_usec) / 1000;
}

static int computes(void *arg)
{
	struct rusage ru;

	do
		CHECK_OK(getrusage(RUSAGE_SELF, &ru));
	while (cpu_ms(&ru) < 100);
	return 0;
}

static int waits_for_one(void *arg)
{
	return ut_wait(ut_fork(computes, NULL));
}

/* wait4() tells of a child and of those that it has waited for. */
TEST(procs, rusage_of_family)
{
	struct rusage ru;
	pid_t pid = ut_fork(waits_for_one, NULL);
	int status;

	CHECK_EQ(wait4(pid, &status, 0, &ru), pid);
	CHECK_EQ(status, 0);
	CHECK(cpu_ms(&ru) >= 100);
}

static int calls_for_a_while(void *arg)
{
	long end = ut_now_ms() + 400;

	while (ut_now_ms() < end)
		for (int i = 0; i < 200; i++)
			(void)syscall(SYS_getppid);
	return 0;
}

/* There is no more time than there are harts, however many want it. */
TEST(procs, no_more_time_than_harts)
{
	long begin = ut_now_ms(), used = 0, passed;
	long harts = sysconf(_SC_NPROCESSORS_ONLN);
	struct rusage ru;
	pid_t pid[8];

	for (int i = 0; i < 8; i++)
		pid[i] = ut_fork(calls_for_a_while, NULL);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(wait4(pid[i], NULL, 0, &ru), pid[i]);
		used += cpu_ms(&ru);
	}
	passed = ut_now_ms() - begin;
	if (used > harts * passed * 5 / 4)
		ut_fail(__FILE__, __LINE__, "%ld ms of %ld harts in %ld ms",
			used, harts, passed);
}

static volatile sig_atomic_t xcpu;

static void on_xcpu(int sig)
{
	xcpu++;
}

static int burn(void *arg)
{
	struct rlimit lim = { 1, (rlim_t)(long)arg };

	signal(SIGXCPU, on_xcpu);
	if (setrlimit(RLIMIT_CPU, &lim))
		return 1;
	while (!xcpu)
		;
	return 7;
}

TEST(procs, cpu_limit)
{
	struct rlimit lim = { 1, 1 };
	pid_t pid;

	CHECK_EQ(ut_wait(ut_fork(burn, (void *)60L)), 7);
	/* A child has the limit too, and its own time. */
	CHECK_OK(setrlimit(RLIMIT_CPU, &lim));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		for (;;)
			;
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

static int sets_none(void *arg)
{
	struct rlimit lim = { 0, 60 };

	signal(SIGXCPU, on_xcpu);
	CHECK_OK(setrlimit(RLIMIT_CPU, &lim));
	while (!xcpu)
		;
	CHECK_OK(getrlimit(RLIMIT_CPU, &lim));
	CHECK_EQ(lim.rlim_cur, 1);
	/* Who goes on setting it does not put the signal off. */
	for (xcpu = 0; !xcpu; sched_yield()) {
		lim.rlim_cur = 0;
		CHECK_OK(setrlimit(RLIMIT_CPU, &lim));
	}
	return 7;
}

/* No second of CPU time is a limit that is reached at once; each signal raises the
 * soft limit. */
TEST(procs, cpu_limit_of_none)
{
	CHECK_EQ(ut_wait(ut_fork(sets_none, NULL)), 7);
}

static int only_spins(void *arg)
{
	(void)arg;
	for (;;)
		__asm__ volatile("");
	return 0;
}

static int only_waits(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

static long ticks_of(pid_t pid)
{
	char name[40], buf[512];
	long ut = -1, st = -1;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	CHECK_OK(fd = open(name, O_RDONLY));
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	CHECK(n > 0);
	buf[n] = '\0';
	CHECK(sscanf(strrchr(buf, ')') + 1,
		     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
		     &ut, &st) == 2);
	return ut + st;
}

/* A process that only computes is seen to, whoever was killed in a call before it. */
TEST(cputime, seen_after_a_kill)
{
	for (int i = 0; i < 6; i++) {
		pid_t waits = ut_fork(only_waits, NULL), spins;
		long t0;

		CHECK(waits > 0);
		ut_sleep_ms(3);
		kill(waits, SIGKILL);
		CHECK_EQ(waitpid(waits, NULL, 0), waits);
		spins = ut_fork(only_spins, NULL);
		CHECK(spins > 0);
		t0 = ut_now_ms();
		while (ticks_of(spins) < 3 && ut_now_ms() - t0 < 8000)
			ut_sleep_ms(10);
		CHECK(ticks_of(spins) >= 3);
		kill(spins, SIGKILL);
		CHECK_EQ(waitpid(spins, NULL, 0), spins);
	}
}
