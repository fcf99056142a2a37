/* SPDX-License-Identifier: MIT */
/*
 * user/tests/tty.c - pseudo terminals: line discipline, job control, size.
 */
#include "utest.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void open_pair(void)
{
	char name[32];
	int n, unlock = 0;

	CHECK_OK(master = open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &unlock));
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	CHECK_OK(slave = open(name, O_RDWR | O_NOCTTY));
	CHECK(isatty(slave));
}

static void expect(int fd, const char *want)
{
	char buf[256];
	size_t len = strlen(want), got = 0;
	struct pollfd f = { fd, POLLIN, 0 };

	while (got < len) {
		CHECK_EQ(poll(&f, 1, 5000), 1);
		ssize_t n = read(fd, buf + got, len - got);

		CHECK(n > 0);
		got += n;
	}
	CHECK(!memcmp(buf, want, len));
}

static void say(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

static void set_flags(tcflag_t off, tcflag_t on)
{
	struct termios t;

	CHECK_OK(tcgetattr(slave, &t));
	t.c_lflag = (t.c_lflag & ~off) | on;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

TEST(tty, canonical)
{
	open_pair();
	say(master, "helloX\177\n");
	expect(slave, "hello\n");
	expect(master, "helloX\b \b\r\n");
	say(master, "gone\025kept\n");
	expect(slave, "kept\n");
}

TEST(tty, eof)
{
	char c;

	open_pair();
	set_flags(ECHO, 0);
	say(master, "ab\004");
	expect(slave, "ab");
	say(master, "\004");
	CHECK_EQ(read(slave, &c, 1), 0);
}

TEST(tty, raw)
{
	struct termios t;

	open_pair();
	CHECK_OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	CHECK_OK(tcsetattr(slave, TCSADRAIN, &t));
	say(master, "\003x\004\r");
	expect(slave, "\003x\004\r");
	say(slave, "a\nb");
	expect(master, "a\nb");
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	char c;
	CHECK_EQ(read(slave, &c, 1), 0);
}

TEST(tty, output_processing)
{
	open_pair();
	say(slave, "a\nb\n");
	expect(master, "a\r\nb\r\n");
}

TEST(tty, window_size)
{
	struct winsize ws = { 40, 132, 0, 0 }, got;

	open_pair();
	CHECK_OK(ioctl(master, TIOCSWINSZ, &ws));
	CHECK_OK(ioctl(slave, TIOCGWINSZ, &got));
	CHECK_EQ(got.ws_row, 40);
	CHECK_EQ(got.ws_col, 132);
}

static int interrupted(void *arg)
{
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	if (write(slave, "go", 2) != 2)
		return 2;
	for (;;)
		pause();
}

static void try_key(const char *key, int sig)
{
	pid_t pid;

	open_pair();
	set_flags(ECHO, 0);
	pid = ut_fork(interrupted, NULL);
	expect(master, "go");
	say(master, key);
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(sig));
	close(master);
	close(slave);
}

TEST(tty, keys_send_signals)
{
	try_key("\003", SIGINT);
	try_key("\034", SIGQUIT);
}

static int background(void *arg)
{
	char c;

	signal(SIGTTIN, SIG_IGN);
	setpgid(0, 0);
	return read(slave, &c, 1) == -1 && errno == EIO ? 0 : 1;
}

static int leader(void *arg)
{
	int status, c;
	pid_t pid;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	if (tcgetpgrp(slave) != getpid() || tcgetsid(slave) != getpid())
		return 2;
	pid = fork();
	if (pid == 0)
		_exit(background(NULL));
	if (waitpid(pid, &status, 0) != pid || status)
		return 3;
	/* A group of its own in the foreground, then back again. */
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(read(slave, &c, 1) < 0 ? 0 : 1);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTTIN)
		return 4;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (tcsetpgrp(slave, 99999) != -1)
		return 5;
	return 0;
}

TEST(tty, job_control)
{
	open_pair();
	CHECK_EQ(ut_wait(ut_fork(leader, NULL)), 0);
}

static int hung_up(void *arg)
{
	close(master);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	if (write(slave, "go", 2) != 2)
		return 2;
	for (;;)
		pause();
}

TEST(tty, hang_up)
{
	char c;
	pid_t pid;

	open_pair();
	pid = ut_fork(hung_up, NULL);
	expect(master, "go");
	close(master);
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGHUP));
	CHECK_EQ(read(slave, &c, 1), 0);
	CHECK_ERR(write(slave, "x", 1), EIO);
}

TEST(tty, slave_closed)
{
	char c;

	open_pair();
	close(slave);
	CHECK_ERR(read(master, &c, 1), EIO);
}

TEST(tty, poll_and_nonblock)
{
	struct pollfd f;
	char c;

	open_pair();
	CHECK_OK(fcntl(slave, F_SETFL, O_NONBLOCK | O_RDWR));
	CHECK_ERR(read(slave, &c, 1), EAGAIN);
	f = (struct pollfd){ slave, POLLIN, 0 };
	say(master, "half");
	CHECK_EQ(poll(&f, 1, 30), 0);
	say(master, "\n");
	CHECK_EQ(poll(&f, 1, 1000), 1);
	expect(slave, "half\n");
}
