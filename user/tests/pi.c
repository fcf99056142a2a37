/* SPDX-License-Identifier: MIT */
/*
 * user/tests/pi.c - PI futexes lend priorities: an owner is as urgent as who waits for it.
 *
 * All threads share one hart, and one in the middle never gives it away: without
 * inheritance the most urgent one waits for that.
 */
#include "utest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>

#define SPIN_MS 400

static unsigned int word[2];
static volatile int held[2], spins, got_tid;
static volatile long got_at;

static long futex(unsigned int *w, int op, const struct timespec *ts)
{
	return syscall(SYS_futex, w, op | FUTEX_PRIVATE_FLAG, 0, ts);
}

static void lock(int i)
{
	unsigned int none = 0;

	if (!__atomic_compare_exchange_n(&word[i], &none, gettid(), 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		CHECK_OK(futex(&word[i], FUTEX_LOCK_PI, NULL));
}

static void unlock(int i)
{
	unsigned int me = gettid();

	if (!__atomic_compare_exchange_n(&word[i], &me, 0, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		CHECK_OK(futex(&word[i], FUTEX_UNLOCK_PI, NULL));
}

static void burn(long ms)
{
	long end = ut_now_ms() + ms;

	while (ut_now_ms() < end)
		;
}

/* Holds the first one, and computes with it. */
static void *low(void *arg)
{
	lock(0);
	held[0] = 1;
	while (!spins) /* the others have come */
		usleep(1000);
	burn(20);
	unlock(0);
	return arg;
}

/* Holds the second one and waits for the first. */
static void *link_(void *arg)
{
	lock(1);
	held[1] = 1;
	lock(0);
	unlock(0);
	unlock(1);
	return arg;
}

static void *spinner(void *arg)
{
	spins = 1;
	burn(SPIN_MS);
	return arg;
}

static void *high(void *arg)
{
	long start = ut_now_ms();
	int i = (int)(intptr_t)arg;

	lock(i);
	got_at = ut_now_ms() - start;
	unlock(i);
	return NULL;
}

static void *sleeper(void *arg)
{
	struct timespec ts;

	got_tid = gettid();
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 100000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	CHECK_ERR(futex(&word[0], FUTEX_LOCK_PI, &ts), ETIMEDOUT);
	return arg;
}

static pthread_t start(void *(*fn)(void *), void *arg, int prio)
{
	struct sched_param p = { .sched_priority = prio };
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&a, SCHED_FIFO);
	pthread_attr_setschedparam(&a, &p);
	CHECK_EQ(pthread_create(&t, &a, fn, arg), 0);
	return t;
}

/* We are the most urgent one, and all are on one hart. */
static void prepare(void)
{
	struct sched_param p = { .sched_priority = 50 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	if (sched_setscheduler(0, SCHED_FIFO, &p))
		ut_skip("no real-time policies");
}

static void until(volatile int *what)
{
	while (!*what)
		usleep(2000);
}

/* The priority of a thread as /proc has it: below 0 if it is a real-time one. */
static long shown(int tid)
{
	char name[64], buf[512] = "", *at;
	long v;
	int fd;

	snprintf(name, sizeof(name), "/proc/self/task/%d/stat", tid);
	CHECK_OK(fd = open(name, O_RDONLY));
	CHECK(read(fd, buf, sizeof(buf) - 1) > 0);
	close(fd);
	at = strrchr(buf, ')');
	CHECK_EQ(sscanf(at + 2,
			"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
			"%*u %*u %ld",
			&v),
		 1);
	return v;
}

/* The urgent one wants word @i, before the spinner begins or after: not after it ends. */
static void race(int i, bool spinner_first)
{
	pthread_t s = 0, h;

	if (spinner_first) {
		s = start(spinner, NULL, 20);
		usleep(20000);
	}
	h = start(high, (void *)(intptr_t)i, 30);
	if (!spinner_first) {
		usleep(10000);
		s = start(spinner, NULL, 20);
	}
	pthread_join(h, NULL);
	CHECK(got_at < SPIN_MS / 2);
	pthread_join(s, NULL);
}

static pthread_t start_low(void)
{
	pthread_t l = start(low, NULL, 10);

	until(&held[0]);
	return l;
}

TEST(pi, inherits)
{
	pthread_t l;

	prepare();
	l = start_low();
	race(0, false);
	pthread_join(l, NULL);
}

/* The owner is queued behind the spinner when the urgent one comes. */
TEST(pi, overtakes)
{
	pthread_t l;

	prepare();
	l = start_low();
	race(0, true);
	pthread_join(l, NULL);
}

TEST(pi, through_others)
{
	pthread_t l, m;

	prepare();
	l = start_low();
	m = start(link_, NULL, 12);
	until(&held[1]);
	usleep(10000);
	race(1, false);
	pthread_join(m, NULL);
	pthread_join(l, NULL);
}

/* It is lent while somebody waits, and what the owner asked for stays. */
TEST(pi, given_back)
{
	struct sched_param p;
	int me = gettid();
	pthread_t t;

	prepare();
	p.sched_priority = 5;
	CHECK_OK(sched_setscheduler(0, SCHED_FIFO, &p));
	lock(0);
	CHECK_EQ(shown(me), -6);
	t = start(sleeper, NULL, 40);
	until(&got_tid);
	usleep(20000);
	CHECK_EQ(shown(me), -41);
	CHECK_OK(sched_getparam(0, &p));
	CHECK_EQ(p.sched_priority, 5);
	p.sched_priority = 45; /* more than is lent */
	CHECK_OK(sched_setscheduler(0, SCHED_FIFO, &p));
	CHECK_EQ(shown(me), -46);
	p.sched_priority = 0;
	CHECK_OK(sched_setscheduler(0, SCHED_OTHER, &p));
	CHECK_EQ(shown(me), -41);
	p.sched_priority = 60; /* the waiter: so it is lent, too */
	CHECK_OK(sched_setscheduler(got_tid, SCHED_FIFO, &p));
	CHECK_EQ(shown(me), -61);
	pthread_join(t, NULL);
	CHECK_EQ(shown(me), 20);
	unlock(0);
}

static void *other_way(void *arg)
{
	lock(1);
	held[1] = 1;
	lock(0); /* until it is unlocked */
	unlock(0);
	unlock(1);
	return arg;
}

TEST(pi, circle)
{
	pthread_t t;

	lock(0);
	CHECK_EQ(pthread_create(&t, NULL, other_way, NULL), 0);
	until(&held[1]);
	usleep(20000);
	CHECK_ERR(futex(&word[1], FUTEX_LOCK_PI, NULL), EDEADLK);
	CHECK_ERR(futex(&word[0], FUTEX_LOCK_PI, NULL), EDEADLK);
	unlock(0);
	pthread_join(t, NULL);
	lock(1);
	unlock(1);
}

static unsigned int cond;

/* Owns word 1, and wants word 0 when it is signalled; not for ever. */
static void *waits_by_cond(void *arg)
{
	struct timespec ts;

	lock(1);
	held[1] = 1;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 1;
	ts.tv_nsec -= ts.tv_nsec > 500000000 ? 500000000 : 0;
	CHECK_ERR(syscall(SYS_futex, &cond,
			  FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 0, &ts,
			  &word[0], 0),
		  ETIMEDOUT);
	unlock(1);
	return arg;
}

static void *owns_and_waits(void *arg)
{
	lock(0);
	held[0] = 1;
	lock(1);
	unlock(1);
	unlock(0);
	return arg;
}

/* Nor can a signal make one. */
TEST(pi, circle_by_requeue)
{
	pthread_t a, b;

	CHECK_EQ(pthread_create(&a, NULL, waits_by_cond, NULL), 0);
	until(&held[1]);
	CHECK_EQ(pthread_create(&b, NULL, owns_and_waits, NULL), 0);
	until(&held[0]);
	usleep(30000);
	CHECK_ERR(syscall(SYS_futex, &cond,
			  FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 0L,
			  &word[0], 0),
		  EDEADLK);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

static void *ends_with_it(void *arg)
{
	lock(0);
	held[0] = 1;
	usleep(30000);
	return arg;
}

/* Whose owner ends has the word next. */
TEST(pi, owner_ends)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, ends_with_it, NULL), 0);
	until(&held[0]);
	CHECK_OK(futex(&word[0], FUTEX_LOCK_PI, NULL));
	CHECK_EQ(word[0] & ~FUTEX_WAITERS, gettid() | FUTEX_OWNER_DIED);
	pthread_join(t, NULL);
}
