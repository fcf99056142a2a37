/* SPDX-License-Identifier: MIT */
/*
 * user/tests/threads.c - threads, futexes and what they share.
 */
#include "utest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

static long futex(uint32_t *addr, int op, uint32_t val,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, addr, op, val, timeout, NULL, ~0u);
}

static void *add_one(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
	return arg;
}

TEST(threads, create_join)
{
	pthread_t t[32];
	int n = 0, i;
	void *ret;

	for (i = 0; i < 32; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, add_one, &n), 0);
	for (i = 0; i < 32; i++) {
		CHECK_EQ(pthread_join(t[i], &ret), 0);
		CHECK(ret == &n);
	}
	CHECK_EQ(n, 32);
}

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	sem_t sem;
	long total;
	int turn;
};

static struct shared sh = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.cond = PTHREAD_COND_INITIALIZER,
};

static void *locker(void *arg)
{
	int i;

	for (i = 0; i < 5000; i++) {
		pthread_mutex_lock(&sh.lock);
		sh.total++;
		pthread_mutex_unlock(&sh.lock);
		if (i % 512 == 0)
			sched_yield();
	}
	return NULL;
}

TEST(threads, mutex)
{
	pthread_t t[6];
	int i;

	for (i = 0; i < 6; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, locker, NULL), 0);
	for (i = 0; i < 6; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(sh.total, 30000);
}

static void *turner(void *arg)
{
	int me = (int)(long)arg, i;

	for (i = 0; i < 300; i++) {
		pthread_mutex_lock(&sh.lock);
		while (sh.turn % 3 != me)
			pthread_cond_wait(&sh.cond, &sh.lock);
		sh.turn++;
		pthread_cond_broadcast(&sh.cond);
		pthread_mutex_unlock(&sh.lock);
	}
	return NULL;
}

TEST(threads, condition)
{
	pthread_t t[3];
	long i;

	for (i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, turner, (void *)i), 0);
	for (i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(sh.turn, 900);
}

TEST(threads, futex_errors)
{
	struct timespec ts = { 0, 20000000 };
	uint32_t word = 7;

	CHECK_ERR(futex(&word, FUTEX_WAIT, 8, NULL), EAGAIN);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 7, &ts), ETIMEDOUT);
	CHECK_ERR(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 7, &ts),
		  ETIMEDOUT);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 5, NULL), 0);
	CHECK_ERR(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 7, &ts),
		  EINVAL);
	CHECK_ERR(futex((uint32_t *)8, FUTEX_WAIT, 7, &ts), EFAULT);
	ts.tv_nsec = 2000000000;
	CHECK_ERR(futex(&word, FUTEX_WAIT, 7, &ts), EINVAL);
	CHECK_ERR(futex(&word, 99, 7, NULL), ENOSYS);
}

static uint32_t word;

static void *waiter(void *arg)
{
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
		futex(&word, FUTEX_WAIT, 0, NULL);
	return NULL;
}

TEST(threads, futex_wake_count)
{
	pthread_t t[5];
	long woken = 0;
	int i;

	for (i = 0; i < 5; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, waiter, NULL), 0);
	ut_sleep_ms(200);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	woken += futex(&word, FUTEX_WAKE, 2, NULL);
	CHECK_EQ(woken, 2);
	woken += futex(&word, FUTEX_WAKE, 100, NULL);
	CHECK_EQ(woken, 5);
	for (i = 0; i < 5; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

TEST(threads, futex_shared)
{
	uint32_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(w != MAP_FAILED);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		while (__atomic_load_n(w, __ATOMIC_ACQUIRE) == 0)
			futex(w, FUTEX_WAIT, 0, NULL);
		_exit(0);
	}
	ut_sleep_ms(60);
	__atomic_store_n(w, 1, __ATOMIC_RELEASE);
	futex(w, FUTEX_WAKE, 1, NULL);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(threads, futex_requeue)
{
	static uint32_t other;
	pthread_t t[3];
	long n;
	int i;

	for (i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, waiter, NULL), 0);
	ut_sleep_ms(200);
	n = syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 2L, &other, 0);
	CHECK_EQ(n, 3);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	CHECK_EQ(futex(&other, FUTEX_WAKE, 100, NULL), 2);
	/* The one that was woken found 0 and waits on the first again. */
	futex(&word, FUTEX_WAKE, 100, NULL);
	for (i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

static void *barrier_thread(void *arg)
{
	int i;

	for (i = 0; i < 100; i++)
		pthread_barrier_wait(&sh.barrier);
	return NULL;
}

TEST(threads, barrier)
{
	pthread_t t[4];
	int i;

	pthread_barrier_init(&sh.barrier, NULL, 4);
	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, barrier_thread, NULL), 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

TEST(threads, sem_timeout)
{
	struct timespec ts;

	sem_init(&sh.sem, 0, 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 50000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	CHECK_ERR(sem_timedwait(&sh.sem, &ts), ETIMEDOUT);
}

static pid_t tids[2];

static void *ids(void *arg)
{
	tids[0] = gettid();
	tids[1] = getpid();
	return NULL;
}

TEST(threads, ids)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, ids, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(tids[1], getpid());
	CHECK(tids[0] != getpid());
	CHECK_EQ(gettid(), getpid());
}

static pthread_t hit;

static void on_usr1(int sig)
{
	hit = pthread_self();
}

static void *pauser(void *arg)
{
	pause();
	return NULL;
}

TEST(threads, tgkill)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	pthread_t t;

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CHECK_EQ(pthread_create(&t, NULL, pauser, NULL), 0);
	ut_sleep_ms(50);
	CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(pthread_equal(hit, t));
}

static void *spinner(void *arg)
{
	for (;;)
		__asm__ volatile("");
	return NULL;
}

static int group_child(void *arg)
{
	pthread_t t;
	int i;

	for (i = 0; i < 4; i++)
		if (pthread_create(&t, NULL, i & 1 ? spinner : pauser, NULL))
			return 1;
	ut_sleep_ms(20);
	exit(33);
}

TEST(threads, exit_group)
{
	CHECK_EQ(ut_wait(ut_fork(group_child, NULL)), 33);
}

static void *exec_thread(void *arg)
{
	execl("/bin/sh", "sh", "-c", "exit 21", (char *)NULL);
	return NULL;
}

static int exec_child(void *arg)
{
	pthread_t t[3];
	int i;

	for (i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, i ? spinner : pauser, NULL);
	pthread_create(&t[2], NULL, exec_thread, NULL);
	pthread_join(t[2], NULL);
	return 1;
}

TEST(threads, exec_from_thread)
{
	CHECK_EQ(ut_wait(ut_fork(exec_child, NULL)), 21);
}

static int crash_child(void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, pauser, NULL);
	ut_sleep_ms(10);
	*(volatile int *)arg = 1;
	return 0;
}

TEST(threads, crash_kills_all)
{
	CHECK_EQ(ut_wait(ut_fork(crash_child, (void *)16)),
		 UT_SIGNALLED(SIGSEGV));
}

static __thread int local = 5;

static void *tls(void *arg)
{
	return (void *)(long)(local += (int)(long)arg);
}

static void *float_loop(void *arg)
{
	double x = (long)arg, y = 0;
	int i;

	for (i = 0; i < 200000; i++) {
		y += x;
		if (i % 5000 == 0)
			sched_yield();
	}
	return (void *)(long)(y / 200000 == x);
}

TEST(threads, tls_and_float)
{
	pthread_t t[6];
	void *ret;
	long i;

	CHECK_EQ(pthread_create(&t[0], NULL, tls, (void *)3), 0);
	CHECK_EQ(pthread_join(t[0], &ret), 0);
	CHECK_EQ((long)ret, 8);
	CHECK_EQ(local, 5);
	for (i = 0; i < 6; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, float_loop,
					(void *)(i + 1)),
			 0);
	for (i = 0; i < 6; i++) {
		CHECK_EQ(pthread_join(t[i], &ret), 0);
		CHECK_EQ((long)ret, 1);
	}
}

static void *read_one(void *arg)
{
	char c;

	return (void *)(long)read(*(int *)arg, &c, 1);
}

TEST(threads, waiters_do_not_block_others)
{
	pthread_t t[64];
	int p[2], i;

	CHECK_OK(pipe(p));
	for (i = 0; i < 64; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, read_one, &p[0]), 0);
	for (i = 0; i < 10000; i++)
		syscall(SYS_getppid);
	for (i = 0; i < 64; i++)
		CHECK_EQ(write(p[1], "x", 1), 1);
	for (i = 0; i < 64; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}
