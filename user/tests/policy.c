/* SPDX-License-Identifier: MIT */
/*
 * user/tests/policy.c - scheduling policies, their parameters and their effect.
 */
#include "utest.h"

#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int setattr(int tid, struct attr *a)
{
	return syscall(274, tid, a, 0);
}

static int getattr(int tid, struct attr *a)
{
	return syscall(275, tid, a, sizeof(*a), 0);
}

static int set(int policy, int prio)
{
	struct sched_param p = { .sched_priority = prio };

	return sched_setscheduler(0, policy, &p);
}

static int inherits(void *arg)
{
	return sched_getscheduler(0);
}

TEST(policy, real_time)
{
	struct sched_param p = { 0 };
	struct timespec ts;

	CHECK_OK(set(SCHED_FIFO, 10));
	CHECK_EQ(sched_getscheduler(0), SCHED_FIFO);
	CHECK_OK(sched_getparam(0, &p));
	CHECK_EQ(p.sched_priority, 10);
	CHECK_OK(sched_rr_get_interval(0, &ts));
	CHECK_EQ(ts.tv_nsec, 0);
	CHECK_EQ(ut_wait(ut_fork(inherits, NULL)), SCHED_FIFO);
	CHECK_ERR(set(SCHED_FIFO, 0), EINVAL);
	CHECK_ERR(set(SCHED_RR, 100), EINVAL);
	CHECK_ERR(set(SCHED_OTHER, 1), EINVAL);
	p.sched_priority = 7;
	CHECK_OK(sched_setparam(0, &p));
	CHECK_OK(set(SCHED_RR | SCHED_RESET_ON_FORK, 3));
	CHECK_OK(sched_rr_get_interval(0, &ts));
	CHECK_EQ(ts.tv_nsec, 100000000);
	CHECK_EQ(sched_getscheduler(0), SCHED_RR | SCHED_RESET_ON_FORK);
	CHECK_EQ(ut_wait(ut_fork(inherits, NULL)), SCHED_OTHER);
	CHECK_EQ(sched_get_priority_max(6), 0);
}

TEST(policy, rights)
{
	struct rlimit none = { 0, 0 };
	struct sched_param p = { 0 };

	CHECK_OK(setrlimit(RLIMIT_RTPRIO, &none));
	CHECK_OK(setrlimit(RLIMIT_NICE, &none));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(set(SCHED_FIFO, 1), EPERM);
	CHECK_ERR(sched_setscheduler(1, SCHED_OTHER, &p), EPERM);
	CHECK_ERR(sched_setparam(1, &p), EPERM);
	CHECK_OK(set(SCHED_BATCH, 0));
	CHECK_OK(set(SCHED_IDLE, 0));
	CHECK_ERR(set(SCHED_OTHER, 0), EPERM);
}

TEST(policy, attributes)
{
	struct attr a = { .size = sizeof(a), .nice = 5 }, got;

	CHECK_OK(setattr(0, &a));
	CHECK_OK(getattr(0, &got));
	CHECK_EQ(got.nice, 5);
	CHECK_EQ(got.size, sizeof(got));
	a.flags = 0x1000;
	CHECK_ERR(setattr(0, &a), EINVAL);
	a.flags = 0;
	a.size = 10;
	CHECK_ERR(setattr(0, &a), E2BIG);
	CHECK_EQ(a.size, 56);
	a = (struct attr){ .size = sizeof(a),
			   .policy = 6,
			   .runtime = 10000000,
			   .deadline = 30000000,
			   .period = 30000000 };
	CHECK_OK(setattr(0, &a));
	CHECK_OK(getattr(0, &got));
	CHECK_EQ(got.policy, 6);
	CHECK_EQ(got.runtime, 10000000);
	CHECK_ERR(fork(), EAGAIN);
	a.runtime = 40000000;
	CHECK_ERR(setattr(0, &a), EINVAL);
}

/* One hart for all of us: what a FIFO thread does not give away nobody gets. */
static volatile int *shared;

static int counts(void *arg)
{
	for (;;)
		shared[0]++;
	return 0;
}

#define PERIOD_NS 30000000u

TEST(policy, deadline_yields_till_its_period)
{
	struct attr a = { .size = sizeof(a),
			  .policy = 6,
			  .runtime = 2000000,
			  .deadline = PERIOD_NS,
			  .period = PERIOD_NS };
	struct timespec from, to;

	if (setattr(0, &a))
		ut_skip("SCHED_DEADLINE is not for us");
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 5; i++)
		CHECK_OK(sched_yield());
	clock_gettime(CLOCK_MONOTONIC, &to);
	a.period = 5000000000;
	CHECK_ERR(setattr(0, &a), EINVAL);
	a.deadline = a.period = 50000;
	a.runtime = 20000;
	CHECK_ERR(setattr(0, &a), EINVAL);
	CHECK_OK(set(SCHED_OTHER, 0));
	to.tv_sec -= from.tv_sec;
	to.tv_nsec -= from.tv_nsec;
	CHECK(to.tv_sec * 1000000000 + to.tv_nsec > 4 * PERIOD_NS);
}

TEST(policy, fifo_keeps_the_hart)
{
	cpu_set_t one;
	pid_t other;
	long end;
	int before;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	other = ut_fork(counts, NULL);
	ut_sleep_ms(50);
	CHECK(shared[0] > 0);
	CHECK_OK(set(SCHED_FIFO, 1));
	before = shared[0];
	for (end = ut_now_ms() + 100; ut_now_ms() < end;)
		;
	CHECK_EQ(shared[0], before);
	ut_sleep_ms(50);
	CHECK(shared[0] > before);
	kill(other, SIGKILL);
}

/* --- messages go to who is most urgent, not to who asked first */

static int receive(void *arg)
{
	char c;

	CHECK_OK(set(SCHED_FIFO, *(int *)arg));
	CHECK_EQ(mq_receive(3, &c, 1, NULL), 1);
	return c;
}

TEST(policy, message_order)
{
	static const int prio[3] = { 20, 40, 30 };
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	mqd_t q = mq_open("/ut-order", O_CREAT | O_RDWR, 0600, &a);
	pid_t pid[3];

	CHECK(q >= 0);
	CHECK_OK(mq_unlink("/ut-order"));
	if (q != 3)
		CHECK_EQ(dup2(q, 3), 3);
	CHECK_OK(set(SCHED_FIFO, 50));
	for (int i = 0; i < 3; i++) {
		pid[i] = ut_fork(receive, (void *)&prio[i]);
		ut_sleep_ms(30);
	}
	CHECK_OK(mq_send(3, "1", 1, 0));
	CHECK_EQ(ut_wait(pid[1]), '1');
	CHECK_OK(mq_send(3, "2", 1, 0));
	CHECK_EQ(ut_wait(pid[2]), '2');
	/* the next in the queue goes away: the last one's turn */
	pid[1] = ut_fork(receive, (void *)&prio[1]);
	ut_sleep_ms(30);
	CHECK_OK(kill(pid[1], SIGKILL));
	CHECK_EQ(ut_wait(pid[1]), UT_SIGNALLED(SIGKILL));
	CHECK_OK(mq_send(3, "3", 1, 0));
	CHECK_EQ(ut_wait(pid[0]), '3');
}

/* --- who waits for a futex is woken by priority */

static pthread_mutex_t lock;
static int order[3], nr_order;

static void *take_lock(void *arg)
{
	struct sched_param p = { .sched_priority = (int)(intptr_t)arg };

	CHECK_EQ(pthread_setschedparam(pthread_self(), SCHED_FIFO, &p), 0);
	CHECK_EQ(pthread_mutex_lock(&lock), 0);
	order[nr_order++] = p.sched_priority;
	CHECK_EQ(pthread_mutex_unlock(&lock), 0);
	return NULL;
}

static void by_priority(int protocol)
{
	static const int prio[3] = { 20, 40, 30 };
	pthread_mutexattr_t a;
	pthread_t t[3];

	CHECK_EQ(pthread_mutexattr_init(&a), 0);
	CHECK_EQ(pthread_mutexattr_setprotocol(&a, protocol), 0);
	CHECK_EQ(pthread_mutex_init(&lock, &a), 0);
	CHECK_EQ(pthread_mutex_lock(&lock), 0);
	nr_order = 0;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, take_lock,
					(void *)(intptr_t)prio[i]),
			 0);
		ut_sleep_ms(30); /* they come in this order */
	}
	CHECK_EQ(pthread_mutex_unlock(&lock), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(order[0], 40);
	CHECK_EQ(order[1], 30);
	CHECK_EQ(order[2], 20);
}

TEST(policy, futex_order)
{
	CHECK_OK(set(SCHED_FIFO, 50));
	by_priority(PTHREAD_PRIO_NONE);
	by_priority(PTHREAD_PRIO_INHERIT);
}
