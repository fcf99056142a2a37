/* SPDX-License-Identifier: MIT */
/*
 * user/tests/limits.c - limits that count what a user has in all processes, what
 * real-time threads may compute, and what memory may be promised.
 */
#include "utest.h"

#include <mqueue.h>
#include <sched.h>
#include <sys/resource.h>

#define UID 4242

static void put(const char *name, const char *val)
{
	int fd = open(name, O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, val, strlen(val)), strlen(val));
	close(fd);
}

static void limit(int which, unsigned long cur, unsigned long max)
{
	struct rlimit r = { cur, max };

	CHECK_OK(setrlimit(which, &r));
}

static int queue_rt(pid_t to)
{
	return sigqueue(to, SIGRTMIN, (union sigval){ .sival_int = 1 });
}

static int other_of_user(void *arg)
{
	timer_t t;

	CHECK_ERR(queue_rt(getppid()), EAGAIN);
	CHECK_ERR(timer_create(CLOCK_REALTIME, NULL, &t), EAGAIN);
	return 0;
}

TEST(limits, signals_of_a_user)
{
	struct timespec none = { 0 };
	siginfo_t si;
	sigset_t rt;
	timer_t t;

	if (geteuid())
		ut_skip("root only");
	sigemptyset(&rt);
	sigaddset(&rt, SIGRTMIN);
	CHECK_OK(sigprocmask(SIG_BLOCK, &rt, NULL));
	limit(RLIMIT_SIGPENDING, 3, 3);
	CHECK_OK(setresuid(UID, UID, UID));
	CHECK_OK(queue_rt(getpid()));
	CHECK_OK(queue_rt(getpid()));
	CHECK_OK(timer_create(CLOCK_REALTIME, NULL, &t));
	CHECK_ERR(queue_rt(getpid()), EAGAIN);
	CHECK_EQ(ut_wait(ut_fork(other_of_user, NULL)), 0);
	/* as on Linux: told that it came, but not how often */
	CHECK_OK(kill(getpid(), SIGRTMIN));
	CHECK_EQ(sigtimedwait(&rt, &si, &none), SIGRTMIN);
	CHECK_EQ(sigtimedwait(&rt, &si, &none), SIGRTMIN);
	CHECK_ERR(sigtimedwait(&rt, &si, &none), EAGAIN);
	CHECK_OK(timer_delete(t));
	for (int i = 0; i < 3; i++)
		CHECK_OK(queue_rt(getpid()));
	CHECK_ERR(queue_rt(getpid()), EAGAIN);
}

TEST(limits, message_queues)
{
	struct mq_attr a = { .mq_maxmsg = 10, .mq_msgsize = 1000 };
	char name[40];
	mqd_t q;

	limit(RLIMIT_MSGQUEUE, 12000, 12000);
	snprintf(name, sizeof(name), "/limit-%d", getpid());
	q = mq_open(name, O_CREAT | O_RDWR, 0600, &a);
	NEED(q);
	CHECK_OK(mq_unlink(name));
	CHECK_ERR(mq_open(name, O_CREAT | O_RDWR, 0600, &a), EMFILE);
	CHECK_OK(mq_close(q));
	CHECK_OK(q = mq_open(name, O_CREAT | O_RDWR, 0600, &a));
	CHECK_OK(mq_unlink(name));
}

static int fills(void *arg)
{
	int p[2], q[2];

	for (int i = 0; i < 3; i++) { /* root may */
		CHECK_OK(pipe(p));
		CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	}
	CHECK_OK(setresuid(UID + 1, UID + 1, UID + 1));
	CHECK_OK(pipe(q));
	CHECK_OK(pipe(p));
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	CHECK_OK(pipe(p));
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 8192);
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_ERR(fcntl(p[0], F_SETPIPE_SZ, 65536), EPERM);
	CHECK_ERR(pipe(p), ENFILE);
	CHECK_EQ(fcntl(q[0], F_SETPIPE_SZ, 4096), 4096);
	CHECK_OK(pipe(p)); /* room for a small one */
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 8192);
	return 0;
}

TEST(limits, pipes_of_a_user)
{
	int r;

	if (geteuid())
		ut_skip("root only");
	put("/proc/sys/fs/pipe-user-pages-soft", "32");
	put("/proc/sys/fs/pipe-user-pages-hard", "34");
	r = ut_wait(ut_fork(fills, NULL));
	put("/proc/sys/fs/pipe-user-pages-soft", "16384");
	put("/proc/sys/fs/pipe-user-pages-hard", "0");
	CHECK_EQ(r, 0);
}

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static void *map_all(size_t kb, int prot, int flags)
{
	return mmap(NULL, kb << 10, prot, flags, -1, 0);
}

static int computes(void *arg)
{
	struct sched_param p = { .sched_priority = 1 };

	limit(RLIMIT_RTTIME, 50000, arg ? 200000 : 5000000);
	if (arg)
		signal(SIGXCPU, SIG_IGN);
	CHECK_OK(sched_setscheduler(0, SCHED_RR, &p));
	for (;;)
		;
}

static int waits(void *arg)
{
	struct sched_param p = { .sched_priority = 1 };

	limit(RLIMIT_RTTIME, 1000000, 1000000);
	CHECK_OK(sched_setscheduler(0, SCHED_FIFO, &p));
	for (int i = 0; i < 70; i++) {
		long end = ut_now_ms() + 20;

		while (ut_now_ms() < end)
			;
		ut_sleep_ms(1);
	}
	return 0;
}

TEST(limits, real_time)
{
	if (geteuid())
		ut_skip("root only");
	CHECK_EQ(ut_wait(ut_fork(computes, NULL)), UT_SIGNALLED(SIGXCPU));
	CHECK_EQ(ut_wait(ut_fork(computes, "")), UT_SIGNALLED(SIGKILL));
	CHECK_EQ(ut_wait(ut_fork(waits, NULL)), 0);
}

static int spins(void *arg)
{
	const volatile int *done = arg;

	while (!*done)
		;
	return 0;
}

static int calls_and_spins(void *arg)
{
	struct sched_param p = { .sched_priority = 1 };
	volatile int *done = arg;
	cpu_set_t one;
	pid_t other;
	int fd;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	CHECK_OK(sched_setscheduler(0, SCHED_FIFO, &p));
	other = ut_fork(spins, arg);
	CHECK_OK(fd = open("/proc/self/stat", O_RDONLY));
	for (int i = 0; i < 1000; i++) {
		char buf[1000];

		CHECK(pread(fd, buf, sizeof(buf), 0) > 0);
		CHECK(getppid() > 0);
	}
	*done = 1;
	return ut_wait(other);
}

/* Who does not wait keeps its CPU from others of its priority, calls or not. */
TEST(limits, fifo_keeps_its_turn)
{
	void *done = map_all(4, RW, MAP_SHARED | MAP_ANONYMOUS);

	if (geteuid())
		ut_skip("root only");
	CHECK(done != MAP_FAILED);
	CHECK_EQ(ut_wait(ut_fork(calls_and_spins, done)), 0);
}

TEST(limits, voluntary_switches)
{
	struct rusage a, b;

	CHECK_OK(getrusage(RUSAGE_SELF, &a));
	for (int i = 0; i < 5; i++)
		ut_sleep_ms(1);
	CHECK_OK(getrusage(RUSAGE_SELF, &b));
	CHECK(b.ru_nvcsw >= a.ru_nvcsw + 5);
	CHECK(b.ru_nvcsw < a.ru_nvcsw + 50);
}

static int never_overcommits(void *arg)
{
	long limit = 0, used = 0;
	char line[200];
	FILE *f = fopen("/proc/meminfo", "r");
	char *p;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "CommitLimit: %ld", &limit);
		sscanf(line, "Committed_AS: %ld", &used);
	}
	fclose(f);
	CHECK(used > 0 && used < limit);
	CHECK_ERR(map_all(limit, RW, ANON), ENOMEM);
	CHECK_ERR(map_all(limit, RW, MAP_SHARED | MAP_ANONYMOUS), ENOMEM);
	CHECK_OK(p = map_all(limit, PROT_READ, ANON));
	CHECK_ERR(mprotect(p, limit << 10, RW), ENOMEM);
	CHECK_OK(munmap(p, limit << 10));
	CHECK_OK(p = map_all((limit - used) * 3 / 4, RW, ANON));
	CHECK_ERR(fork(), ENOMEM);
	CHECK_OK(munmap(p, ((limit - used) * 3 / 4) << 10));
	CHECK_EQ(ut_wait(fork() ?: (_exit(3), 0)), 3);
	return 0;
}

TEST(limits, overcommit_never)
{
	int r;

	if (geteuid())
		ut_skip("root only");
	put("/proc/sys/vm/overcommit_memory", "2");
	r = ut_wait(ut_fork(never_overcommits, NULL));
	put("/proc/sys/vm/overcommit_memory", "0");
	CHECK_EQ(r, 0);
}

/* Pages of a mapping as smaps has them: "Name:" of the area at @p, in KiB. */
static long smaps(const void *p, const char *name)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end, at = (unsigned long)p;
	bool here = false;
	char line[300];
	long v = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= at && at < end;
		else if (here && !strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), "%ld", &v);
	}
	fclose(f);
	return v;
}

TEST(limits, smaps_shares)
{
	char *p = map_all(64, RW, MAP_SHARED | MAP_ANONYMOUS);
	int go[2], back[2];
	char c;

	CHECK_OK(pipe(go));
	CHECK_OK(pipe(back));
	memset(p, 1, 64 << 10);
	CHECK_EQ(smaps(p, "Rss:"), 64);
	CHECK_EQ(smaps(p, "Pss:"), 64);
	CHECK_EQ(smaps(p, "Private_Dirty:"), 64);
	if (!fork()) {
		for (int i = 0; i < 8; i++)
			p[i << 12] = 2;
		CHECK_EQ(write(back[1], "x", 1), 1);
		CHECK_EQ(read(go[0], &c, 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(back[0], &c, 1), 1);
	CHECK_EQ(smaps(p, "Shared_Dirty:"), 32);
	CHECK_EQ(smaps(p, "Private_Dirty:"), 32);
	CHECK_EQ(smaps(p, "Pss:"), 48);
	CHECK_EQ(write(go[1], "x", 1), 1);
}

/* As many descriptors as nr_open says, and a child has them too. */
TEST(limits, a_million_descriptors)
{
	struct rlimit r = { 1048576, 1048576 };
	pid_t pid;

	if (setrlimit(RLIMIT_NOFILE, &r))
		ut_skip("not root");
	CHECK_EQ(dup2(1, 300000), 300000);
	CHECK_EQ(dup2(1, 1048575), 1048575);
	CHECK_ERR(dup2(1, 1048576), EBADF);
	CHECK_ERR(fcntl(1, F_DUPFD, 1048575), EMFILE);
	pid = fork();
	if (!pid)
		_exit(fcntl(1048575, F_GETFD) || close(300000));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_OK(close(300000));
	CHECK_OK(close(1048575));
}
