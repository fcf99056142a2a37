/* SPDX-License-Identifier: MIT */
/*
 * user/tests/timing.c - clocks, sleeping and timers.
 */
#include "utest.h"

#include <mqueue.h>
#include <semaphore.h>
#include <poll.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static volatile int ticks;

static void on_alarm(int sig)
{
	ticks++;
}

static void catch_alarm(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
}

TEST(timing, clocks)
{
	static const int ids[] = {
		CLOCK_REALTIME,		  CLOCK_MONOTONIC,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
		CLOCK_MONOTONIC_RAW,	  CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE,	  CLOCK_BOOTTIME
	};
	struct timespec a, b;
	unsigned int i;
	int n;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		CHECK_OK(syscall(SYS_clock_gettime, ids[i], &a));
		for (n = 0; n < 100; n++) {
			CHECK_OK(clock_gettime(ids[i], &b));
			CHECK(b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
			CHECK(b.tv_sec > a.tv_sec ||
			      (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
			a = b;
		}
		CHECK_OK(clock_getres(ids[i], &b));
	}
	CHECK_ERR(clock_gettime(999, &a), EINVAL);
	CHECK(time(NULL) > 0);
}

TEST(timing, nanosleep)
{
	struct timespec t = { 0, 50000000 };
	long before = ut_now_ms(), took;

	CHECK_OK(nanosleep(&t, NULL));
	took = ut_now_ms() - before;
	CHECK(took >= 49 && took < 2000);
	t.tv_nsec = 1000000000;
	CHECK_ERR(nanosleep(&t, NULL), EINVAL);
	t.tv_nsec = 0;
	t.tv_sec = -1;
	CHECK_ERR(nanosleep(&t, NULL), EINVAL);
}

TEST(timing, absolute_sleep)
{
	struct timespec t;
	long before = ut_now_ms(), took;

	clock_gettime(CLOCK_MONOTONIC, &t);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	t.tv_nsec += 60000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	took = ut_now_ms() - before;
	CHECK(took >= 59 && took < 2000);
	CHECK_EQ(clock_nanosleep(77, 0, &t, NULL), EINVAL);
}

TEST(timing, itimer)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, old;

	catch_alarm();
	CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
	while (ticks < 4)
		pause();
	memset(&it, 0, sizeof(it));
	CHECK_OK(setitimer(ITIMER_REAL, &it, &old));
	CHECK_EQ(old.it_interval.tv_usec, 20000);
	CHECK_OK(getitimer(ITIMER_REAL, &old));
	CHECK_EQ(old.it_value.tv_usec, 0);
	CHECK_ERR(setitimer(9, &it, NULL), EINVAL);
	it.it_value.tv_usec = 1000000;
	CHECK_ERR(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
}

TEST(timing, alarm)
{
	catch_alarm();
	CHECK_EQ(alarm(100) > 0, 1); /* the deadline of the test */
	CHECK_EQ(alarm(1), 100);
	pause();
	CHECK_EQ(ticks, 1);
}

TEST(timing, posix_timer)
{
	struct itimerspec its = { { 0, 10000000 }, { 0, 10000000 } };
	timer_t id;

	catch_alarm();
	NEED(timer_create(CLOCK_MONOTONIC, NULL, &id));
	CHECK_OK(timer_settime(id, 0, &its, NULL));
	while (ticks < 3)
		pause();
	CHECK_OK(timer_delete(id));
	CHECK_ERR(timer_delete(id), EINVAL);
}

TEST(timing, timerfd)
{
	struct itimerspec its = { { 0, 10000000 }, { 0, 10000000 } };
	struct pollfd f;
	uint64_t n;
	int fd;

	NEED(fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	CHECK_ERR(read(fd, &n, 8), EAGAIN);
	CHECK_OK(timerfd_settime(fd, 0, &its, NULL));
	f = (struct pollfd){ fd, POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 5000), 1);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 1);
}

TEST(timing, many_sleepers)
{
	int i, left = 40;
	long before = ut_now_ms();

	for (i = 0; i < 40; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			ut_sleep_ms(100 + i % 7 * 10);
			_exit(0);
		}
	}
	while (left--)
		CHECK(wait(NULL) > 0);
	CHECK(ut_now_ms() - before >= 150);
	CHECK(ut_now_ms() - before < 10000);
}

TEST(timing, settime)
{
	struct timespec now, set;

	CHECK_OK(clock_gettime(CLOCK_REALTIME, &now));
	set = now;
	set.tv_sec += 1000;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &set));
	CHECK(time(NULL) >= now.tv_sec + 1000);
	set.tv_sec -= 1000;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &set));
	CHECK_ERR(clock_settime(CLOCK_MONOTONIC, &set), EINVAL);
}

/* Two waits that would last an hour, and the clock is set to when they end. */
static int wait_an_hour(void *arg)
{
	struct timespec end;
	sem_t never;
	mqd_t q;
	char c;

	CHECK_OK(clock_gettime(CLOCK_REALTIME, &end));
	end.tv_sec += 3600;
	if (*(int *)arg) {
		struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 1 };

		q = mq_open("/ut-hour", O_CREAT | O_RDWR, 0600, &a);
		CHECK(q >= 0);
		CHECK_OK(mq_unlink("/ut-hour"));
		CHECK_ERR(mq_timedreceive(q, &c, 1, NULL, &end), ETIMEDOUT);
	} else {
		CHECK_OK(sem_init(&never, 0, 0));
		CHECK_ERR(sem_timedwait(&never, &end), ETIMEDOUT);
	}
	return 0;
}

TEST(timing, settime_ends_waits)
{
	struct timespec set;
	long before = ut_now_ms();
	pid_t pid[2];

	for (int i = 0; i < 2; i++)
		pid[i] = ut_fork(wait_an_hour, &i);
	ut_sleep_ms(100);
	CHECK_OK(clock_gettime(CLOCK_REALTIME, &set));
	set.tv_sec += 3590;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &set)); /* not yet */
	ut_sleep_ms(50);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), 0);
	set.tv_sec += 20;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &set));
	for (int i = 0; i < 2; i++)
		CHECK_EQ(ut_wait(pid[i]), 0);
	CHECK(ut_now_ms() - before < 8000);
	set.tv_sec -= 3610;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &set));
}

TEST(timing, slices_are_fair)
{
	volatile long *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[12];
	int i;

	CHECK(n != MAP_FAILED);
	for (i = 0; i < 12; i++) {
		pid[i] = fork();
		CHECK(pid[i] >= 0);
		while (pid[i] == 0)
			n[i]++;
	}
	ut_sleep_ms(1500);
	for (i = 0; i < 12; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < 12; i++) {
		CHECK_EQ(ut_wait(pid[i]), UT_SIGNALLED(SIGKILL));
		CHECK(n[i] > 0);
	}
}

/*
 * Placed on a hart that runs user code without a pause, which an interrupt has to
 * tell it: each comes to run, however many are told at once.
 */
TEST(timing, every_child_gets_a_turn)
{
	volatile long *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[12];
	int i, round;
	long limit;

	CHECK(n != MAP_FAILED);
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 12; i++) {
			n[i] = 0;
			pid[i] = fork();
			CHECK(pid[i] >= 0);
			while (pid[i] == 0)
				n[i]++;
		}
		limit = ut_now_ms() + 5000;
		for (i = 0; i < 12; i++) {
			while (!n[i] && ut_now_ms() < limit)
				ut_sleep_ms(1);
			CHECK(n[i] > 0);
		}
		for (i = 0; i < 12; i++)
			kill(pid[i], SIGKILL);
		for (i = 0; i < 12; i++)
			CHECK_EQ(ut_wait(pid[i]), UT_SIGNALLED(SIGKILL));
	}
}

/* Expiries that nobody was told of do not hide the overrun of the last signal. */
TEST(timing, overrun_of_ignored_signal)
{
	struct itimerspec its = { { 0, 1000000 }, { 0, 1000000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGCONT };
	sigset_t set;
	timer_t t;
	int n;

	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	CHECK_OK(timer_settime(t, 0, &its, NULL));
	ut_sleep_ms(100);
	CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	n = timer_getoverrun(t);
	CHECK(n >= 90);
	ut_sleep_ms(20);
	CHECK_EQ(timer_getoverrun(t), n);
}
