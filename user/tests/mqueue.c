/* SPDX-License-Identifier: MIT */
/* user/tests/mqueue.c - POSIX message queues. */
#include "utest.h"

#include <mqueue.h>
#include <sys/mount.h>
#include <poll.h>

static char name[40];

static mqd_t make(long maxmsg, long size, int flags)
{
	struct mq_attr a = { .mq_maxmsg = maxmsg, .mq_msgsize = size };
	mqd_t q;

	snprintf(name, sizeof(name), "/utest-%d", getpid());
	mq_unlink(name);
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &a);
	NEED(q);
	return q;
}

TEST(mqueue, order)
{
	mqd_t q = make(4, 16, 0);
	struct mq_attr a;
	unsigned int prio;
	char buf[16];

	CHECK_OK(mq_send(q, "low", 3, 1));
	CHECK_OK(mq_send(q, "high", 4, 9));
	CHECK_OK(mq_send(q, "low2", 4, 1));
	CHECK_OK(mq_getattr(q, &a));
	CHECK_EQ(a.mq_curmsgs, 3);
	CHECK_EQ(a.mq_maxmsg, 4);
	CHECK_EQ(mq_receive(q, buf, 16, &prio), 4);
	CHECK_EQ(prio, 9);
	CHECK_EQ(mq_receive(q, buf, 16, &prio), 3);
	CHECK_EQ(mq_receive(q, buf, 16, NULL), 4);
	CHECK(!memcmp(buf, "low2", 4));
	CHECK_ERR(mq_receive(q, buf, 15, NULL), EMSGSIZE);
	CHECK_ERR(mq_send(q, buf, 17, 0), EMSGSIZE);
	CHECK_ERR(mq_send(q, buf, 1, 32768), EINVAL);
	CHECK_OK(mq_unlink(name));
	CHECK_ERR(mq_unlink(name), ENOENT);
	CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
	CHECK_OK(mq_send(q, "x", 1, 0)); /* it lives on without a name */
	CHECK_OK(mq_close(q));
	CHECK_ERR(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
}

TEST(mqueue, limits)
{
	mqd_t q = make(1, 8, O_NONBLOCK);
	struct timespec past = { 1, 0 };
	struct pollfd p = { .fd = (int)q, .events = POLLIN | POLLOUT };
	struct mq_attr a = { 0 };
	char buf[8];

	CHECK_ERR(mq_receive(q, buf, 8, NULL), EAGAIN);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_OK(mq_send(q, "x", 1, 0));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_ERR(mq_send(q, "x", 1, 0), EAGAIN);
	CHECK_OK(mq_setattr(q, &a, NULL));
	CHECK_ERR(mq_timedsend(q, "x", 1, 0, &past), ETIMEDOUT);
	CHECK_OK(mq_unlink(name));
	a.mq_maxmsg = 0;
	a.mq_msgsize = 1;
	CHECK_ERR(mq_open(name, O_RDWR | O_CREAT, 0600, &a), EINVAL);
}

static volatile sig_atomic_t told;

static void on_message(int sig, siginfo_t *si, void *uc)
{
	told = si->si_code == SI_MESGQ ? si->si_value.sival_int : -1;
}

TEST(mqueue, notify)
{
	mqd_t q = make(2, 8, 0);
	struct sigaction sa = { .sa_sigaction = on_message,
				.sa_flags = SA_SIGINFO };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1,
			       .sigev_value.sival_int = 77 };

	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CHECK_OK(mq_notify(q, &ev));
	CHECK_ERR(mq_notify(q, &ev), EBUSY);
	CHECK_OK(mq_send(q, "x", 1, 0));
	CHECK_EQ(told, 77);
	told = 0;
	CHECK_OK(mq_send(q, "y", 1, 0)); /* once only */
	CHECK_EQ(told, 0);
	CHECK_OK(mq_unlink(name));
}

static int reader(void *arg)
{
	char buf[8];

	return mq_receive(*(mqd_t *)arg, buf, 8, NULL) == 1 ? buf[0] : 0;
}

TEST(mqueue, waits)
{
	mqd_t q = make(1, 8, 0);
	pid_t pid = ut_fork(reader, &q);

	ut_sleep_ms(30);
	CHECK_OK(mq_send(q, "*", 1, 0));
	CHECK_EQ(ut_wait(pid), '*');
	CHECK_OK(mq_unlink(name));
}

static volatile int called;

static void by_thread(union sigval v)
{
	called = v.sival_int;
}

/* The queues in a file system, and the notification that is a thread. */
TEST(mqueue, file_system)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD,
			       .sigev_notify_function = by_thread,
			       .sigev_value.sival_int = 42 };
	char buf[100], path[60];
	struct stat st;
	mqd_t q;
	int fd;

	CHECK_OK(mkdir("mq", 0700));
	CHECK_OK(mount("none", "mq", "mqueue", 0, NULL));
	q = make(4, 16, 0);
	snprintf(path, sizeof(path), "mq%s", name);
	CHECK_OK(stat(path, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_OK(mq_notify(q, &ev));
	CHECK_OK(mq_send(q, "abc", 3, 0));
	for (int i = 0; i < 500 && called != 42; i++)
		usleep(10000);
	CHECK_EQ(called, 42);
	fd = open(path, O_RDONLY);
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	CHECK(!strncmp(buf, "QSIZE:3 ", 8));
	CHECK_OK(close(fd));
	CHECK_OK(unlink(path));
	CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
	CHECK_OK(mq_close(q));
	CHECK_OK(umount("mq"));
}
