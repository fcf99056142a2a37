/* SPDX-License-Identifier: MIT */
/*
 * user/tests/kmsg.c - the kernel's log: /dev/kmsg, /proc/kmsg, syslog(2).
 */
#include "utest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The next record: its length, or -1. */
static ssize_t record(int fd, unsigned long *prio, unsigned long *seq,
		      char *buf, size_t n)
{
	ssize_t got = read(fd, buf, n - 1);

	if (got < 0)
		return -1;
	buf[got] = '\0';
	CHECK_EQ(sscanf(buf, "%lu,%lu,", prio, seq), 2);
	return got;
}

static void say(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

/* Linux drops what a program says too often, unless it is told not to. */
static void say_much(void)
{
	int fd = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY);

	if (fd < 0)
		return;
	say(fd, "on\n");
	close(fd);
}

TEST(kmsg, records)
{
	unsigned long prio, seq, first;
	char buf[4096];
	int fd, late;

	if (geteuid())
		ut_skip("root only");
	say_much();
	CHECK_OK(syscall(SYS_syslog, 6, NULL, 0)); /* not on the console */
	CHECK_OK(fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK));
	CHECK_OK(lseek(fd, 0, SEEK_END));
	CHECK_ERR(record(fd, &prio, &seq, buf, sizeof(buf)), EAGAIN);
	say(fd, "<3>utest says\n");
	CHECK(record(fd, &prio, &first, buf, sizeof(buf)) > 0);
	CHECK_EQ(prio, 8 + 3); /* only the kernel is the kernel */
	CHECK(strstr(buf, ";utest says\n"));
	say(fd, "<30>utest says\n");
	CHECK(record(fd, &prio, &seq, buf, sizeof(buf)) > 0);
	CHECK_EQ(prio, 30);
	CHECK_EQ(seq, first + 1);
	say(fd, "utest says\n");
	CHECK_ERR(read(fd, buf, 1), EINVAL); /* it is lost */
	CHECK_ERR(record(fd, &prio, &seq, buf, sizeof(buf)), EAGAIN);
	say(fd, "utest says\n");
	CHECK(record(fd, &prio, &seq, buf, sizeof(buf)) > 0);
	CHECK_EQ(prio, 8 + 4);

	CHECK_OK(syscall(SYS_syslog, 5, NULL, 0)); /* clear */
	CHECK_OK(lseek(fd, 0, SEEK_DATA));
	CHECK_ERR(read(fd, buf, sizeof(buf)), EAGAIN);
	CHECK_OK(late = open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	CHECK_OK(lseek(fd, 0, SEEK_SET));
	CHECK(record(fd, &prio, &first, buf, sizeof(buf)) > 0);
	CHECK_OK(record(late, &prio, &seq, buf, sizeof(buf)));
	CHECK_EQ(seq, first);
	do { /* till what @late reads next is gone */
		for (int i = 0; i < 64; i++)
			say(fd, "<7>utest fills the log\n");
		CHECK_OK(lseek(fd, 0, SEEK_SET));
		CHECK(record(fd, &prio, &seq, buf, sizeof(buf)) > 0);
	} while (seq <= first + 1);
	CHECK_ERR(read(late, buf, sizeof(buf)), EPIPE);
	CHECK(record(late, &prio, &first, buf, sizeof(buf)) > 0);
	CHECK(first >= seq);
	CHECK_OK(syscall(SYS_syslog, 7, NULL, 0));
}

/* The log as a stream: what was read is not there again. */
TEST(kmsg, stream)
{
	char buf[8192];
	ssize_t n, all = 0;
	int fd, log;

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK));
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		all += n;
	CHECK(n < 0 && errno == EAGAIN);
	CHECK_OK(log = open("/dev/kmsg", O_WRONLY));
	CHECK(write(log, "<13>found in the stream\n", 24) == 24);
	CHECK_EQ(syscall(SYS_syslog, 9, NULL, 0) > 20, 1); /* SIZE_UNREAD */
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n] = 0;
	CHECK(buf[0] == '<' && strstr(buf, "] found in the stream\n"));
	CHECK_ERR(read(fd, buf, sizeof(buf)), EAGAIN);
	CHECK_EQ(syscall(SYS_syslog, 9, NULL, 0), 0);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(open("/proc/kmsg", O_RDONLY), EACCES);
}

/* A child that logs in 20 ms; when it did. */
static long log_later(const char *text)
{
	if (!fork()) {
		int fd = open("/dev/kmsg", O_WRONLY);

		usleep(20000);
		say(fd, text);
		_exit(0);
	}
	return ut_now_ms();
}

/* Who waits for a message is woken by it, and does not look now and then. */
TEST(kmsg, wakes)
{
	unsigned long prio, seq;
	long worst = 0, start;
	struct pollfd p = { .events = POLLIN };
	char buf[4096];

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(syscall(SYS_syslog, 6, NULL, 0));
	CHECK_OK(p.fd = open("/dev/kmsg", O_RDONLY));
	for (int i = 0; i < 4; i++) {
		CHECK_OK(lseek(p.fd, 0, SEEK_END));
		start = log_later("<7>utest wakes\n");
		if (i & 1)
			CHECK_EQ(poll(&p, 1, 5000), 1);
		CHECK(record(p.fd, &prio, &seq, buf, sizeof(buf)) > 0);
		if (ut_now_ms() - start > worst)
			worst = ut_now_ms() - start;
		CHECK_OK(wait(NULL));
	}
	CHECK(strstr(buf, ";utest wakes\n"));
	CHECK(worst < 150);
	CHECK_OK(syscall(SYS_syslog, 7, NULL, 0));
}

/* Long ones are kept whole, and no text looks like another record. */
TEST(kmsg, texts)
{
	unsigned long prio, seq;
	char text[1100], buf[4096];
	int fd;

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(syscall(SYS_syslog, 6, NULL, 0));
	CHECK_OK(fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK));
	CHECK_OK(lseek(fd, 0, SEEK_END));
	memset(text, 'x', sizeof(text));
	text[960] = '\n';
	CHECK_EQ(write(fd, text, 961), 961);
	CHECK(record(fd, &prio, &seq, buf, sizeof(buf)) > 960);
	CHECK_EQ(strspn(strchr(buf, ';') + 1, "x"), 960);
	CHECK_ERR(write(fd, text, sizeof(text)), EINVAL);
	say(fd, "<7>one\n3,1,1,-;\\two\001\n");
	CHECK(record(fd, &prio, &seq, buf, sizeof(buf)) > 0);
	CHECK(strstr(buf, ";one\\x0a3,1,1,-;\\x5ctwo\\x01\n"));
	CHECK_OK(syscall(SYS_syslog, 7, NULL, 0));
}
