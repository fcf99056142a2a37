/* SPDX-License-Identifier: MIT */
/*
 * user/tests/rseq.c - restartable sequences.  The C library has registered its own
 * area for each thread: tests that want another start a thread by clone().
 */
#include "utest.h"

#include <sched.h>
#include <sys/auxv.h>

#define SIGNATURE 0x53053053u

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, node_id, mm_cid, pad;
} __attribute__((aligned(32)));

struct section {
	uint32_t version, flags;
	uint64_t start, len, abort;
} __attribute__((aligned(32)));

static struct area area;
static struct section section;

static long rseq(void *a, unsigned len, int flags, unsigned sig)
{
	return syscall(293, a, len, flags, sig);
}

/* Run @fn in a process that has no area. */
static int bare(int (*fn)(void *))
{
	static char stack[65536] __attribute__((aligned(16)));
	int pid = clone(fn, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	CHECK(pid > 0);
	return ut_wait(pid);
}

/* We may be moved between one look and the next, but not each time. */
static void check_cpu(const volatile struct area *a)
{
	for (int n = 0; (int)a->cpu_id != sched_getcpu(); n++)
		CHECK(n < 1000);
}

static int errors(void *arg)
{
	CHECK_ERR(rseq(&area, sizeof(area), 2, SIGNATURE), EINVAL);
	CHECK_ERR(rseq((char *)&area + 8, 32, 0, SIGNATURE), EINVAL);
	CHECK_ERR(rseq(&area, 16, 0, SIGNATURE), EINVAL);
	CHECK_ERR(rseq((void *)~31ul, 32, 0, SIGNATURE), EFAULT);
	CHECK_ERR(rseq(&area, 32, 1, SIGNATURE), EINVAL);
	CHECK_OK(rseq(&area, 32, 0, SIGNATURE));
	CHECK_ERR(rseq(&area, 32, 0, SIGNATURE), EBUSY);
	CHECK_ERR(rseq(&area, 32, 0, SIGNATURE + 1), EPERM);
	CHECK_ERR(rseq(&area + 1, 32, 0, SIGNATURE), EINVAL);
	CHECK_ERR(rseq(&area, 32, 1, SIGNATURE + 1), EPERM);
	CHECK_ERR(rseq(&area, 64, 1, SIGNATURE), EINVAL);
	check_cpu(&area);
	CHECK_OK(rseq(&area, 32, 1, SIGNATURE));
	CHECK_EQ((int)area.cpu_id, -1);
	CHECK_EQ(area.cpu_id_start, 0);
	CHECK_ERR(rseq(&area, 32, 1, SIGNATURE), EINVAL);
	return 0;
}

TEST(rseq, registration)
{
	CHECK_EQ(bare(errors), 0);
}

/*
 * Enter the section and stay in it until somebody sends us to the abort address:
 * returns how often it looped.
 */
static __attribute__((noinline)) long stay(struct area *a, struct section *s)
{
	long n = 0, tmp;

	__asm__ volatile("	la %[t], 1f\n"
			 "	sd %[t], 8(%[s])\n"
			 "	la %[t], 3f\n"
			 "	sd %[t], 24(%[s])\n"
			 "	addi %[t], zero, 8\n"
			 "	sd %[t], 16(%[s])\n"
			 "	sd %[s], 8(%[a])\n"
			 "	.option push\n"
			 "	.option norvc\n"
			 "1:	addi %[n], %[n], 1\n"
			 "	j 1b\n"
			 "2:	j 4f\n"
			 "	.word 0x53053053\n"
			 "3:	nop\n"
			 "4:\n"
			 "	.option pop\n"
			 : [n] "+r"(n), [t] "=&r"(tmp)
			 : [s] "r"(s), [a] "r"(a)
			 : "memory");
	return n;
}

static int preempted(void *arg)
{
	cpu_set_t one;
	pid_t other;

	CHECK_OK(rseq(&area, 32, 0, SIGNATURE));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	other = fork();
	if (!other)
		for (;;)
			;
	for (int i = 0; i < 5; i++) {
		CHECK(stay(&area, &section) > 0);
		CHECK_EQ(area.cs, 0);
	}
	kill(other, SIGKILL);
	ut_wait(other);
	return 0;
}

TEST(rseq, preempted)
{
	CHECK_EQ(bare(preempted), 0);
}

static volatile int alarms;

static void on_alarm(int sig)
{
	alarms++;
}

static int interrupted(void *arg)
{
	struct timespec t = { .tv_nsec = 20000000 };
	struct itimerspec its = { .it_value = t };
	timer_t id;

	signal(SIGALRM, on_alarm);
	CHECK_OK(rseq(&area, 32, 0, SIGNATURE));
	CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
	CHECK_OK(syscall(SYS_timer_settime, id, 0, &its, NULL));
	do
		CHECK(stay(&area, &section) > 0);
	while (!alarms);
	return 0;
}

TEST(rseq, interrupted)
{
	CHECK_EQ(bare(interrupted), 0);
}

static int wrong_interrupted(void *arg)
{
	/* again and again: the first may come before it is in the section */
	struct itimerspec its = { { 0, 20000000 }, { 0, 20000000 } };
	timer_t id;

	signal(SIGALRM, on_alarm);
	CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
	CHECK_OK(syscall(SYS_timer_settime, id, 0, &its, NULL));
	CHECK_OK(rseq(&area, 32, 0, SIGNATURE + 1));
	stay(&area, &section);
	return 0;
}

TEST(rseq, wrong_signature)
{
	CHECK_EQ(bare(wrong_interrupted), UT_SIGNALLED(SIGSEGV));
}

static int follows(void *arg)
{
	cpu_set_t all, one;

	CHECK_OK(sched_getaffinity(0, sizeof(all), &all));
	CHECK_OK(rseq(&area, 32, 0, SIGNATURE));
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
		CHECK_EQ(__atomic_load_n(&area.cpu_id, __ATOMIC_RELAXED), i);
		CHECK_EQ(area.cpu_id_start, i);
	}
	return 0;
}

TEST(rseq, follows)
{
	CHECK_EQ(bare(follows), 0);
}

static int child_has_it(void *arg)
{
	struct area *a = arg;

	/* forked: the child's copy is registered as ours is */
	check_cpu(a);
	CHECK_ERR(rseq(a, 32, 0, SIGNATURE), EBUSY);
	return 0;
}

static int forks(void *arg)
{
	CHECK_OK(rseq(&area, 32, 0, SIGNATURE));
	for (int i = 0; i < 10; i++)
		CHECK_EQ(ut_wait(ut_fork(child_has_it, &area)), 0);
	return 0;
}

TEST(rseq, inherited)
{
	if (getauxval(27)) {
		CHECK(getauxval(27) >= 20);
		CHECK_EQ(getauxval(28), 32);
	}
	CHECK_EQ(bare(forks), 0);
}

/* membarrier(2) that ends critical sections of other threads. */
#define MB_QUERY	 0
#define MB_RSEQ		 128
#define MB_REGISTER_RSEQ 256
#define MB_REGISTRATIONS 512

static volatile int left;

static int stays(void *arg)
{
	CHECK_OK(rseq(&area, 32, 0, SIGNATURE));
	for (;;) {
		stay(&area, &section);
		left++;
	}
	return 0;
}

TEST(rseq, membarrier)
{
	static char stack[65536] __attribute__((aligned(16)));
	long known = syscall(SYS_membarrier, MB_QUERY, 0, 0);
	int n;

	CHECK_EQ(known & (MB_RSEQ | MB_REGISTER_RSEQ),
		 MB_RSEQ | MB_REGISTER_RSEQ);
	CHECK_ERR(syscall(SYS_membarrier, MB_RSEQ, 0, 0), EPERM);
	CHECK_OK(syscall(SYS_membarrier, MB_REGISTER_RSEQ, 0, 0));
	CHECK_EQ(syscall(SYS_membarrier, MB_REGISTRATIONS, 0, 0) &
			 MB_REGISTER_RSEQ,
		 MB_REGISTER_RSEQ);
	CHECK_ERR(syscall(SYS_membarrier, MB_RSEQ, 2, 0), EINVAL);
	CHECK_OK(syscall(SYS_membarrier, MB_RSEQ, 1, 9999));
	CHECK(clone(stays, stack + sizeof(stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			    CLONE_THREAD,
		    NULL) > 0);
	while (!*(volatile uint64_t *)&area.cs)
		sched_yield();
	n = left;
	/* it has left, or will before it goes on */
	CHECK_OK(syscall(SYS_membarrier, MB_RSEQ, 0, 0));
	for (int i = 0; i < 1000 && left == n; i++)
		ut_sleep_ms(1);
	CHECK(left > n);
}
