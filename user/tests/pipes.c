/* SPDX-License-Identifier: MIT */
/*
 * user/tests/pipes.c - pipes, FIFOs, event files, and waiting on them.
 */
#include "utest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>

static volatile int got_signal;

static void note_signal(int sig)
{
	got_signal = sig;
}

static void catch_signal(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = note_signal, .sa_flags = flags };

	CHECK_OK(sigaction(sig, &sa, NULL));
}

TEST(pipes, basic)
{
	int p[2], n;
	char buf[16];

	CHECK_OK(pipe(p));
	CHECK_EQ(write(p[1], "hello", 5), 5);
	CHECK_OK(ioctl(p[0], FIONREAD, &n));
	CHECK_EQ(n, 5);
	CHECK_EQ(read(p[0], buf, 2), 2);
	CHECK_EQ(read(p[0], buf, 16), 3);
	CHECK_ERR(lseek(p[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERR(pread(p[0], buf, 1, 0), ESPIPE);
	CHECK_ERR(write(p[0], "x", 1), EBADF);
	CHECK_ERR(read(p[1], buf, 1), EBADF);
	CHECK_OK(close(p[1]));
	CHECK_EQ(read(p[0], buf, 16), 0);
}

TEST(pipes, broken)
{
	int p[2];

	CHECK_OK(pipe(p));
	CHECK_OK(close(p[0]));
	catch_signal(SIGPIPE, 0);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK_EQ(got_signal, SIGPIPE);
}

TEST(pipes, nonblock)
{
	static char buf[4096];
	int p[2], total = 0, n;

	CHECK_OK(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	CHECK_ERR(read(p[0], buf, 1), EAGAIN);
	while ((n = write(p[1], buf, sizeof(buf))) > 0)
		total += n;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(total, 65536);
	CHECK_EQ(read(p[0], buf, 100), 100);
	CHECK_ERR(write(p[1], buf, 4096), EAGAIN);
	CHECK_ERR(pipe2(p, 0x40000000), EINVAL);
}

static int reader(void *arg)
{
	int fd = *(int *)arg, n, i;
	unsigned int pos = 0;
	unsigned char buf[3001];

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++, pos++)
			if (buf[i] != (unsigned char)(pos % 251))
				return 2;
	return n < 0 ? 3 : pos == 4u << 20 ? 0 : 4;
}

TEST(pipes, stream_4m)
{
	static unsigned char buf[10007];
	unsigned int pos = 0, want = 4u << 20, i, n;
	int p[2];
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(p[1]);
		_exit(reader(&p[0]));
	}
	close(p[0]);
	while (pos < want) {
		n = want - pos < sizeof(buf) ? want - pos : sizeof(buf);
		for (i = 0; i < n; i++)
			buf[i] = (pos + i) % 251;
		CHECK_EQ(write(p[1], buf, n), n);
		pos += n;
	}
	close(p[1]);
	CHECK_EQ(ut_wait(pid), 0);
}

static int fifo_writer(void *arg)
{
	int fd = open("fifo", O_WRONLY);

	return fd < 0 || write(fd, "via fifo", 8) != 8;
}

TEST(pipes, fifo)
{
	char buf[16];
	pid_t pid;
	int fd;

	CHECK_OK(mkfifo("fifo", 0644));
	CHECK_ERR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid = ut_fork(fifo_writer, NULL);
	CHECK_OK(fd = open("fifo", O_RDONLY));
	CHECK_EQ(read(fd, buf, 16), 8);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(read(fd, buf, 16), 0);
}

/* Opens the fifo, writes and closes it for every byte that comes through the pipe. */
static int fifo_writers(void *arg)
{
	char c;

	while (read(*(int *)arg, &c, 1) == 1) {
		int fd = open("fifo", O_WRONLY);

		if (fd < 0 || write(fd, "via fifo", 8) != 8 || close(fd))
			return 1;
		if (c == 'q')
			return 0;
	}
	return 2;
}

/* A writer that was waited for may be gone again before the reader looks. */
TEST(pipes, fifo_comes_and_goes)
{
	char buf[16];
	int p[2], fd;
	pid_t pid;

	CHECK_OK(mkfifo("fifo", 0644));
	CHECK_OK(pipe(p));
	pid = ut_fork(fifo_writers, p);
	for (int i = 0; i < 500; i++) {
		CHECK_EQ(write(p[1], i == 499 ? "q" : "w", 1), 1);
		CHECK_OK(fd = open("fifo", O_RDONLY));
		CHECK_EQ(read(fd, buf, 16), 8);
		CHECK_EQ(read(fd, buf, 16), 0);
		CHECK_OK(close(fd));
	}
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(pipes, poll)
{
	struct pollfd f[2];
	int p[2];
	long t;

	CHECK_OK(pipe(p));
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	f[1] = (struct pollfd){ p[1], POLLOUT, 0 };
	CHECK_EQ(poll(f, 2, 1000), 1);
	CHECK_EQ(f[0].revents, 0);
	CHECK_EQ(f[1].revents, POLLOUT);
	t = ut_now_ms();
	CHECK_EQ(poll(f, 1, 60), 0);
	t = ut_now_ms() - t;
	CHECK(t >= 59 && t < 2000);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(poll(f, 1, -1), 1);
	CHECK_EQ(f[0].revents, POLLIN);
	close(p[1]);
	CHECK_EQ(poll(f, 1, -1), 1);
	CHECK_EQ(f[0].revents, POLLIN | POLLHUP);
	f[1] = (struct pollfd){ 9999, POLLIN, 0 };
	CHECK_EQ(poll(f + 1, 1, 0), 1);
	CHECK_EQ(f[1].revents, POLLNVAL);
	f[1].fd = -1;
	CHECK_EQ(poll(f + 1, 1, 0), 0);
	CHECK_EQ(poll(NULL, 0, 10), 0);
}

static int late_writer(void *arg)
{
	ut_sleep_ms(80);
	return write(*(int *)arg, "x", 1) != 1;
}

TEST(pipes, poll_wakes)
{
	struct pollfd f;
	int p[2];
	pid_t pid;
	long t = ut_now_ms();

	CHECK_OK(pipe(p));
	pid = ut_fork(late_writer, &p[1]);
	f = (struct pollfd){ p[0], POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 10000), 1);
	t = ut_now_ms() - t;
	CHECK(t >= 70 && t < 5000);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(pipes, select)
{
	struct timeval tv = { 0, 20000 };
	fd_set rd, wr;
	int p[2];

	CHECK_OK(pipe(p));
	FD_ZERO(&rd);
	FD_ZERO(&wr);
	FD_SET(p[0], &rd);
	FD_SET(p[1], &wr);
	CHECK_EQ(select(p[1] + 1, &rd, &wr, NULL, &tv), 1);
	CHECK(!FD_ISSET(p[0], &rd) && FD_ISSET(p[1], &wr));
	FD_SET(p[0], &rd);
	CHECK_EQ(select(p[0] + 1, &rd, NULL, NULL, &tv), 0);
	CHECK(!FD_ISSET(p[0], &rd));
	CHECK_EQ(write(p[1], "x", 1), 1);
	FD_SET(p[0], &rd);
	CHECK_EQ(select(p[0] + 1, &rd, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(p[0], &rd));
	FD_ZERO(&rd);
	FD_SET(60, &rd);
	CHECK_ERR(select(61, &rd, NULL, NULL, &tv), EBADF);
	CHECK_ERR(select(-1, NULL, NULL, NULL, &tv), EINVAL);
}

TEST(pipes, ppoll_mask)
{
	struct timespec ts = { 5, 0 };
	sigset_t block, none;
	struct pollfd f;
	int p[2];

	CHECK_OK(pipe(p));
	catch_signal(SIGUSR1, SA_RESTART);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &block, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(got_signal, 0);
	f = (struct pollfd){ p[0], POLLIN, 0 };
	CHECK_ERR(ppoll(&f, 1, &ts, &none), EINTR);
	CHECK_EQ(got_signal, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &none));
	CHECK(sigismember(&none, SIGUSR1));
}

TEST(pipes, eintr_and_restart)
{
	struct sigaction sa = { .sa_handler = note_signal };
	char c = 0;
	int p[2];
	pid_t pid;

	CHECK_OK(pipe(p));
	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
	alarm(1);
	CHECK_ERR(read(p[0], &c, 1), EINTR);
	CHECK_EQ(got_signal, SIGALRM);
	got_signal = 0;
	sa.sa_flags = SA_RESTART;
	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
	alarm(1);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		ut_sleep_ms(1500);
		_exit(write(p[1], "y", 1) != 1);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	CHECK_EQ(got_signal, SIGALRM);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(pipes, eventfd)
{
	uint64_t v = 3;
	int fd;

	NEED(fd = eventfd(2, EFD_NONBLOCK));
	CHECK_EQ(write(fd, &v, 8), 8);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 5);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
	CHECK_ERR(read(fd, &v, 4), EINVAL);
}

TEST(pipes, epoll)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 42 }, got;
	int ep, p[2];

	NEED(ep = epoll_create1(0));
	CHECK_OK(pipe(p));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
	CHECK_EQ(got.data.u64, 42);
	CHECK_EQ(got.events, EPOLLIN);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	CHECK_EQ(epoll_wait(ep, &got, 1, 10), 0);
}

TEST(pipes, token_ring)
{
	enum {
		PROCS = 8,
		ROUNDS = 200
	};
	int p[PROCS][2], i, r;
	pid_t pid[PROCS];
	char c;

	for (i = 0; i < PROCS; i++)
		CHECK_OK(pipe(p[i]));
	for (i = 1; i < PROCS; i++) {
		pid[i] = fork();
		CHECK(pid[i] >= 0);
		if (pid[i])
			continue;
		for (r = 0; r < ROUNDS; r++) {
			if (read(p[i - 1][0], &c, 1) != 1)
				_exit(1);
			c++;
			if (write(p[i][1], &c, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	for (r = 0; r < ROUNDS; r++) {
		c = r;
		CHECK_EQ(write(p[0][1], &c, 1), 1);
		CHECK_EQ(read(p[PROCS - 1][0], &c, 1), 1);
		CHECK_EQ((char)(r + PROCS - 1), c);
	}
	for (i = 1; i < PROCS; i++)
		CHECK_EQ(ut_wait(pid[i]), 0);
}

TEST(pipes, packets)
{
	char b[8192] = "";
	struct pollfd out;
	int p[2], n;

	CHECK_OK(pipe2(p, O_DIRECT | O_NONBLOCK));
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(write(p[1], "defg", 4), 4);
	CHECK_EQ(read(p[0], b, sizeof(b)), 3);
	CHECK_EQ(read(p[0], b, 2), 2); /* the rest of that is gone */
	CHECK_ERR(read(p[0], b, 2), EAGAIN);
	/* what is longer than a page becomes several */
	CHECK_EQ(write(p[1], b, 5000), 5000);
	CHECK_EQ(read(p[0], b, sizeof(b)), 4096);
	CHECK_EQ(read(p[0], b, sizeof(b)), 904);
	for (n = 0; write(p[1], "x", 1) == 1; n++)
		;
	CHECK_EQ(n, 16); /* one for each page */
	out = (struct pollfd){ .fd = p[1], .events = POLLOUT };
	CHECK_EQ(poll(&out, 1, 0), 0);
	CHECK_EQ(read(p[0], b, 9), 1);
	CHECK_EQ(poll(&out, 1, 0), 1);
	/* fcntl() turns it off for what comes now */
	CHECK_OK(fcntl(p[1], F_SETFL, O_NONBLOCK));
	while (read(p[0], b, sizeof(b)) > 0)
		;
	CHECK_EQ(write(p[1], "12", 2), 2);
	CHECK_EQ(write(p[1], "34", 2), 2);
	CHECK_EQ(read(p[0], b, sizeof(b)), 4);
}
