/* SPDX-License-Identifier: MIT */
/*
 * user/tests/splices.c - bytes that go through a pipe by splice(2) and tee(2): all of them, in
 * order, as many as there are.
 */
#include "utest.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#define PIPE_SIZE 65536

static unsigned char pattern(long at)
{
	return (unsigned char)(at * 7 + (at >> 8) * 13 + (at >> 16));
}

static void fill(char *buf, long at, long n)
{
	for (long i = 0; i < n; i++)
		buf[i] = (char)pattern(at + i);
}

static void expect(const char *buf, long at, long n)
{
	for (long i = 0; i < n; i++)
		if ((unsigned char)buf[i] != pattern(at + i))
			ut_fail(__FILE__, __LINE__, "byte %ld is wrong",
				at + i);
}

/* Read @n bytes, the first of which is byte @at. */
static void drain(int fd, long at, long n)
{
	static char buf[PIPE_SIZE];
	long done = 0;

	while (done < n) {
		ssize_t r = read(fd, buf,
				 n - done < PIPE_SIZE ? n - done : PIPE_SIZE);

		CHECK(r > 0);
		expect(buf, at + done, r);
		done += r;
	}
}

static void socket_and_pipe(int s[2], int p[2])
{
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(pipe(p));
}

static const int sizes[] = { 1,	   4095, 4096, 4097,  8192, 3,	   12289,
			     4096, 100,	 4096, 61440, 5,    65531, 65536 };
#define NR_SIZES (int)(sizeof(sizes) / sizeof(sizes[0]))

/* A socket to a pipe in pieces of all kinds, between writes that fill pages up. */
TEST(splices, from_a_socket)
{
	static char buf[PIPE_SIZE];
	long in = 0, out = 0;
	int s[2], p[2];

	socket_and_pipe(s, p);
	for (int i = 0; i < NR_SIZES; i++) {
		fill(buf, in, sizes[i]);
		CHECK_EQ(write(s[0], buf, sizes[i]), sizes[i]);
		for (int left = sizes[i]; left;) {
			ssize_t n = splice(s[1], NULL, p[1], NULL, left, 0);

			CHECK(n > 0);
			left -= n;
			in += n;
			/* what is added lies behind it, not in it */
			fill(buf, in, 10);
			if (i % 3 == 0 && in - out + 10 <= PIPE_SIZE - left) {
				CHECK_EQ(write(p[1], buf, 10), 10);
				in += 10;
				fill(buf, in, left); /* of the queue's bytes */
				if (left)
					CHECK_EQ(recv(s[1], buf, left,
						      MSG_WAITALL),
						 left);
				left = 0;
			}
			if (in - out > PIPE_SIZE / 2 || i % 4 == 0) {
				drain(p[0], out, in - out);
				out = in;
			}
		}
	}
	drain(p[0], out, in - out);
}

/* Behind bytes that end in the middle of a page, and over the ring's end. */
TEST(splices, behind_a_part_of_a_page)
{
	static char buf[PIPE_SIZE];
	long in = 0, out = 0;
	int s[2], p[2];

	socket_and_pipe(s, p);
	fill(buf, 0, 5000);
	CHECK_EQ(write(p[1], buf, 5000), 5000);
	in = 5000;
	for (int i = 0; i < 40; i++) {
		fill(buf, in, 8192);
		CHECK_EQ(write(s[0], buf, 8192), 8192);
		CHECK_EQ(splice(s[1], NULL, p[1], NULL, 8192, 0), 8192);
		in += 8192;
		drain(p[0], out, 8192);
		out += 8192;
	}
	drain(p[0], out, in - out);
}

/* A pipe is emptied into another one by one call, whatever lies where. */
TEST(splices, pipe_to_pipe_at_once)
{
	static char buf[PIPE_SIZE];
	int p[2], q[2];

	CHECK_OK(pipe(p));
	CHECK_OK(pipe(q));
	fill(buf, 0, PIPE_SIZE);
	CHECK_EQ(write(p[1], buf, PIPE_SIZE), PIPE_SIZE);
	CHECK_EQ(splice(p[0], NULL, q[1], NULL, PIPE_SIZE, 0), PIPE_SIZE);
	CHECK_ERR(splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	drain(q[0], 0, PIPE_SIZE);
	/* not at the edge of a page */
	CHECK_EQ(write(p[1], buf, 20000), 20000);
	drain(p[0], 0, 100);
	CHECK_EQ(splice(p[0], NULL, q[1], NULL, PIPE_SIZE, 0), 19900);
	drain(q[0], 100, 19900);
	/* and only so much */
	CHECK_EQ(write(p[1], buf, 20000), 20000);
	CHECK_EQ(splice(p[0], NULL, q[1], NULL, 9000, 0), 9000);
	CHECK_EQ(splice(p[0], NULL, q[1], NULL, 9000, 0), 9000);
	drain(q[0], 0, 18000);
	drain(p[0], 18000, 2000);
}

TEST(splices, tee_leaves_all)
{
	static char buf[PIPE_SIZE];
	int p[2], q[2];

	CHECK_OK(pipe(p));
	CHECK_OK(pipe(q));
	fill(buf, 0, 50000);
	CHECK_EQ(write(p[1], buf, 50000), 50000);
	CHECK_EQ(tee(p[0], q[1], PIPE_SIZE, 0), 50000);
	drain(q[0], 0, 50000);
	CHECK_EQ(tee(p[0], q[1], 30000, 0), 30000);
	/* what is written to the copy does not come into the original */
	CHECK_EQ(write(q[1], "xxxx", 4), 4);
	drain(q[0], 0, 30000);
	drain(p[0], 0, 50000);
}

/* From pipe to file as far as the pipe has bytes. */
TEST(splices, to_a_file)
{
	static char buf[PIPE_SIZE];
	loff_t at = 3;
	int p[2], f;

	CHECK_OK(pipe(p));
	f = open("f", O_RDWR | O_CREAT, 0600);
	CHECK_OK(f);
	fill(buf, 3, 30000);
	CHECK_EQ(write(p[1], buf, 30000), 30000);
	CHECK_EQ(splice(p[0], NULL, f, &at, PIPE_SIZE, 0), 30000);
	CHECK_EQ(at, 30003);
	CHECK_EQ(lseek(f, 3, SEEK_SET), 3);
	drain(f, 3, 30000);
	/* and back, from the middle of a page */
	at = 1003;
	CHECK_EQ(splice(f, &at, p[1], NULL, 20000, 0), 20000);
	CHECK_EQ(at, 21003);
	drain(p[0], 1003, 20000);
	CHECK_EQ(splice(f, &at, p[1], NULL, PIPE_SIZE, 0), 9000);
	drain(p[0], 21003, 9000);
	CHECK_EQ(splice(f, &at, p[1], NULL, PIPE_SIZE, 0), 0);
}

/* What a socket has no room for comes later, and nothing of it is left out. */
TEST(splices, sendfile_to_who_is_slow)
{
	static char buf[PIPE_SIZE];
	long in = 0, out = 0, size = 24 * PIPE_SIZE, part = 4999;
	int f = open("sent", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int s[2];

	CHECK(f >= 0);
	for (long at = 0; at < size; at += PIPE_SIZE) {
		fill(buf, at, PIPE_SIZE);
		CHECK_EQ(write(f, buf, PIPE_SIZE), PIPE_SIZE);
	}
	CHECK_OK(lseek(f, 0, SEEK_SET));
	ut_tcp_pair(s);
	CHECK_OK(fcntl(s[0], F_SETFL, O_NONBLOCK)); /* does not wait */
	CHECK_EQ(write(s[0], buf, 241), 241);	    /* a head before it */
	CHECK_EQ(recv(s[1], buf, 241, MSG_WAITALL), 241);
	while (out < size) {
		ssize_t n = sendfile(s[0], f, NULL, (size_t)(size - in));

		if (n < 0)
			CHECK_EQ(errno, EAGAIN);
		else
			in += n;
		n = in - out < part ? in - out : part;
		drain(s[1], out, n);
		out += n;
		part = part * 5 % 65521;
	}
	close(f);
	close(s[0]);
	close(s[1]);
	unlink("sent");
}

#define HOLED 300000l

/* A file with holes of all sorts; what it says is returned as well. */
static int holed_file(const char *name, char *says)
{
	static char buf[40000];
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned int seed = 7;

	CHECK(fd >= 0);
	CHECK_OK(ftruncate(fd, HOLED));
	memset(says, 0, HOLED);
	for (long at = 100; at < HOLED - 40000; at += 40000) {
		long n = 1 + rand_r(&seed) % 20000;

		fill(buf, at, n);
		CHECK_EQ(pwrite(fd, buf, (size_t)n, at), n);
		memcpy(says + at, buf, (size_t)n);
	}
	return fd;
}

/* By the pages of the cache, and what has none; from and to any place. */
static void holes_by_sendfile(const char *dir)
{
	static char says[HOLED], got[HOLED];
	char name[64];
	unsigned int seed = 3;
	int in, out;

	snprintf(name, sizeof(name), "%s/holed", dir);
	in = holed_file(name, says);
	unlink(name);
	CHECK_OK(out = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600));
	for (int i = 0; i < 40; i++) {
		off_t from = rand_r(&seed) % HOLED, to = rand_r(&seed) % 9000;
		off_t at = from;
		long n = rand_r(&seed) % 150000, want = HOLED - from;

		want = n < want ? n : want;
		CHECK_OK(ftruncate(out, 0));
		CHECK_EQ(lseek(out, to, SEEK_SET), to);
		CHECK_EQ(sendfile(out, in, &at, (size_t)n), want);
		CHECK_EQ(at, from + want);
		CHECK_EQ(pread(out, got, HOLED, to), want);
		CHECK(!memcmp(got, says + from, (size_t)want));
	}
	close(in);
	close(out);
	unlink("copy");
}

TEST(splices, sendfile_of_holes)
{
	holes_by_sendfile(".");
	holes_by_sendfile("/dev/shm");
}

/* What is sent is what the file said when it was sent. */
TEST(splices, sendfile_then_write)
{
	static char buf[PIPE_SIZE], says[PIPE_SIZE];
	int s[2], fd;
	off_t at = 0;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	fill(says, 0, 20000);
	CHECK_EQ(write(fd, says, 20000), 20000);
	CHECK_EQ(sendfile(s[0], fd, &at, 20000), 20000);
	drain(s[1], 0, 20000);
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(pwrite(fd, buf, 20000, 0), 20000);
	at = 5000;
	CHECK_EQ(sendfile(s[0], fd, &at, 20000), 15000);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(recv(s[1], says, 15000, MSG_WAITALL), 15000);
	CHECK(!memcmp(says, buf, 15000));
	close(s[0]);
	close(s[1]);
	close(fd);
	unlink("f");
}

/* A file that sends to itself: as if by way of a buffer. */
TEST(splices, sendfile_to_itself)
{
	static char got[20000];
	off_t at = 0;
	int fd, out;

	CHECK_OK(fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	fill(got, 0, 10000);
	CHECK_EQ(write(fd, got, 10000), 10000);
	CHECK_OK(out = open("f", O_WRONLY));
	CHECK_EQ(lseek(out, 10000, SEEK_SET), 10000);
	CHECK_EQ(sendfile(out, fd, &at, 10000), 10000);
	CHECK_EQ(pread(fd, got, sizeof(got), 0), 20000);
	expect(got, 0, 10000);
	expect(got + 10000, 0, 10000);
	close(fd);
	close(out);
	unlink("f");
}
