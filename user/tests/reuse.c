/* SPDX-License-Identifier: MIT */
/*
 * user/tests/reuse.c - sockets that share a port (SO_REUSEPORT), and addresses of
 * another family than the socket's.
 *
 * On Linux the loopback must be up.
 */
#include "utest.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum {
	SHARERS = 3,
	SENDERS = 48
};

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
}

/* Sockets of one port, which is left in @a. */
static void sharers(int type, int s[SHARERS], struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int on = 1;

	*a = loopback();
	for (int i = 0; i < SHARERS; i++) {
		NEED(s[i] = socket(AF_INET, type | SOCK_NONBLOCK, 0));
		CHECK_OK(setsockopt(s[i], SOL_SOCKET, SO_REUSEPORT, &on,
				    sizeof(on)));
		CHECK_OK(bind(s[i], (void *)a, len));
		CHECK_OK(getsockname(s[i], (void *)a, &len));
		if (type == SOCK_STREAM)
			CHECK_OK(listen(s[i], SENDERS));
	}
}

TEST(reuse, datagrams_are_shared)
{
	int s[SHARERS], c, total = 0;
	struct sockaddr_in a;
	char byte;

	sharers(SOCK_DGRAM, s, &a);
	for (int i = 0; i < SENDERS; i++) {
		NEED(c = socket(AF_INET, SOCK_DGRAM, 0));
		CHECK_OK(connect(c, (void *)&a, sizeof(a)));
		/* of one sender all go to the same */
		CHECK_EQ(send(c, &byte, 1, 0), 1);
		CHECK_EQ(send(c, &byte, 1, 0), 1);
		close(c);
	}
	for (int i = 0; i < SHARERS; i++) {
		int n = 0;

		while (recv(s[i], &byte, 1, 0) == 1)
			n++;
		CHECK(n > 0);
		CHECK_EQ(n % 2, 0);
		total += n;
	}
	CHECK_EQ(total, 2 * SENDERS);
}

TEST(reuse, connections_are_shared)
{
	struct sockaddr_in a;
	int s[SHARERS], c, total = 0;

	sharers(SOCK_STREAM, s, &a);
	for (int i = 0; i < SENDERS; i++) {
		NEED(c = socket(AF_INET, SOCK_STREAM, 0));
		CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	}
	for (int i = 0; i < SHARERS; i++) {
		struct pollfd p = { .fd = s[i], .events = POLLIN };
		int n = 0;

		CHECK_EQ(poll(&p, 1, 5000), 1);
		while ((c = accept(s[i], NULL, NULL)) >= 0)
			n++;
		CHECK(n > 0);
		total += n;
	}
	CHECK_EQ(total, SENDERS);
}

/* Who takes what comes to a port that a connected socket has too. */
TEST(reuse, connected_comes_first)
{
	int s[SHARERS], c, len;
	struct sockaddr_in a, own = loopback();
	socklen_t size = sizeof(own);
	char byte;

	sharers(SOCK_DGRAM, s, &a);
	NEED(c = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(c, (void *)&own, size));
	CHECK_OK(getsockname(c, (void *)&own, &size));
	CHECK_OK(connect(s[1], (void *)&own, size));
	for (len = 0; len < 20; len++)
		CHECK_EQ(sendto(c, &byte, 1, 0, (void *)&a, sizeof(a)), 1);
	for (len = 0; recv(s[1], &byte, 1, 0) == 1;)
		len++;
	CHECK_EQ(len, 20);
}

TEST(reuse, family_of_address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct {
		struct sockaddr_in a;
		char rest[32];
	} four = { .a = loopback() };
	int s4, s6;

	NEED(s4 = socket(AF_INET, SOCK_STREAM, 0));
	NEED(s6 = socket(AF_INET6, SOCK_STREAM, 0));
	CHECK_ERR(bind(s6, (void *)&four, sizeof(four.a)), EINVAL);
	CHECK_ERR(bind(s6, (void *)&four, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERR(connect(s6, (void *)&four, sizeof(four.a)), EINVAL);
	CHECK_ERR(connect(s6, (void *)&four, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERR(bind(s4, (void *)&six, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERR(connect(s4, (void *)&six, sizeof(six)), EAFNOSUPPORT);
	four.a.sin_family = AF_UNSPEC;
	CHECK_ERR(bind(s4, (void *)&four, sizeof(four.a)), EAFNOSUPPORT);
	four.a.sin_addr.s_addr = INADDR_ANY;
	CHECK_OK(bind(s4, (void *)&four, sizeof(four.a)));
}

/* --- a program chooses */

static int choose(int s, struct sock_filter *f, int n)
{
	struct sock_fprog p = { .len = (unsigned short)n, .filter = f };

	return setsockopt(s, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &p,
			  sizeof(p));
}

static int choose_word(int s, int modulus)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (unsigned)modulus),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	return choose(s, f, 3);
}

static int always(int s, unsigned nr)
{
	struct sock_filter f = BPF_STMT(BPF_RET | BPF_K, nr);

	return choose(s, &f, 1);
}

static bool gets(int s, unsigned want)
{
	unsigned v;

	return recv(s, &v, sizeof(v), 0) == sizeof(v) && ntohl(v) == want;
}

static void send_word(const struct sockaddr_in *a, unsigned v)
{
	int c = socket(AF_INET, SOCK_DGRAM, 0);

	v = htonl(v);
	CHECK_EQ(sendto(c, &v, sizeof(v), 0, (void *)a, sizeof(*a)), 4);
	close(c);
}

TEST(reuse, program_of_datagrams)
{
	struct sockaddr_in a;
	int s[SHARERS], on = 1, late;

	ut_own_net();
	sharers(SOCK_DGRAM, s, &a);
	CHECK_OK(choose_word(s[1], SHARERS)); /* it is all the others' too */
	for (unsigned i = 0; i < 12; i++) {
		send_word(&a, i);
		CHECK(gets(s[i % SHARERS], i));
	}
	CHECK_OK(always(s[0], 2));
	send_word(&a, 1);
	CHECK(gets(s[2], 1));
	/* a number that nobody has: as if there were no program */
	CHECK_OK(always(s[0], SHARERS));
	send_word(&a, 5);
	CHECK(gets(s[0], 5) || gets(s[1], 5) || gets(s[2], 5));
	/* who comes later is of the group; who goes leaves its place to the last */
	CHECK_OK(choose_word(s[0], SHARERS));
	CHECK_OK(late = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	CHECK_OK(setsockopt(late, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	CHECK_OK(bind(late, (void *)&a, sizeof(a)));
	CHECK_OK(always(late, SHARERS));
	send_word(&a, 6);
	CHECK(gets(late, 6));
	CHECK_OK(choose_word(s[2], SHARERS));
	close(s[0]);
	for (unsigned i = 0; i < 6; i++) {
		send_word(&a, i);
		CHECK(gets(i % SHARERS ? s[i % SHARERS] : late, i));
	}
}

/* The program sees the headers too, where it looks for them. */
TEST(reuse, program_sees_headers)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 2),
	};
	struct sockaddr_in a;
	int s[SHARERS];

	ut_own_net();
	sharers(SOCK_DGRAM, s, &a);
	CHECK_OK(choose(s[0], f, 6));
	for (unsigned i = 0; i < 4; i++) {
		send_word(&a, i);
		CHECK(gets(s[1], i));
	}
}

TEST(reuse, program_of_connections)
{
	struct sockaddr_in a;
	int s[SHARERS], c[4];

	ut_own_net();
	sharers(SOCK_STREAM, s, &a);
	for (int k = SHARERS - 1; k >= 0; k--) {
		CHECK_OK(always(s[1], (unsigned)k));
		for (int i = 0; i < 4; i++) {
			struct pollfd p = { .fd = s[k], .events = POLLIN };

			CHECK_OK(c[i] = socket(AF_INET, SOCK_STREAM, 0));
			CHECK_OK(connect(c[i], (void *)&a, sizeof(a)));
			CHECK_EQ(poll(&p, 1, 5000), 1);
			CHECK_OK(close(accept(s[k], NULL, NULL)));
			close(c[i]);
		}
	}
}

TEST(reuse, program_errors)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	struct sock_filter bad = BPF_STMT(0xffff, 0);

	CHECK_ERR(always(s, 0), EINVAL);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	CHECK_ERR(choose(s, &bad, 1), EINVAL);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &on,
			     sizeof(on)),
		  EINVAL);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &on,
			     sizeof(on)),
		  ENOENT);
	CHECK_OK(always(s, 0));
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &on,
			    sizeof(on)));
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &on,
			     sizeof(on)),
		  ENOENT);
}
