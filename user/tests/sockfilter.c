/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sockfilter.c - SO_ATTACH_FILTER: a program says what a socket hears.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PROG(p)                                                  \
	{                                                        \
		.len = sizeof(p) / sizeof((p)[0]), .filter = (p) \
	}

static int udp_pair(int *tx)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int rx = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(rx >= 0);
	CHECK_OK(bind(rx, (void *)&a, len));
	CHECK_OK(getsockname(rx, (void *)&a, &len));
	CHECK_OK(*tx = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(connect(*tx, (void *)&a, len));
	return rx;
}

static int attach(int s, const struct sock_fprog *p)
{
	return setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, p, sizeof(*p));
}

static long next(int s, char *buf, size_t n)
{
	return recv(s, buf, n, MSG_DONTWAIT);
}

/* Data begin with the header of UDP; what is told of a length cuts. */
TEST(sockfilter, udp)
{
	struct sock_filter k[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 8 + 3),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'z', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = PROG(k);
	int tx, rx = udp_pair(&tx);
	char buf[64];

	CHECK_OK(attach(rx, &p));
	CHECK_EQ(send(tx, "no", 2, 0), 2);
	CHECK_EQ(send(tx, "yes, all", 8, 0), 8);
	CHECK_EQ(send(tx, "", 0, 0), 0); /* it reads behind the end */
	CHECK_EQ(send(tx, "z", 1, 0), 1);
	CHECK_EQ(send(tx, "y", 1, 0), 1);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 3);
	CHECK(!memcmp(buf, "yes", 3));
	CHECK_EQ(next(rx, buf, sizeof(buf)), 0);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 1);
	CHECK_ERR(next(rx, buf, sizeof(buf)), EAGAIN);
	CHECK_OK(setsockopt(rx, SOL_SOCKET, SO_DETACH_FILTER, &tx, sizeof(tx)));
	CHECK_ERR(setsockopt(rx, SOL_SOCKET, SO_DETACH_FILTER, &tx, sizeof(tx)),
		  ENOENT);
	CHECK_EQ(send(tx, "no", 2, 0), 2);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 2);
}

/* What a program sees: lengths, the IP header in front, what is known besides. */
TEST(sockfilter, sees)
{
	struct sock_filter k[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 8 + 4, 0, 15),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4), /* UDP's own */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 8 + 4, 0, 13),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_NET_OFF + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 20 + 8 + 4, 0, 11),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_NET_OFF + 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INADDR_LOOPBACK, 0, 9),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, SKF_NET_OFF),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, SKF_NET_OFF + 8 + 3),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, '4', 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 SKF_AD_OFF + SKF_AD_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_IFINDEX),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_IMM, 100),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = PROG(k);
	int tx, rx = udp_pair(&tx);
	char buf[64];

	CHECK_OK(attach(rx, &p));
	CHECK_EQ(send(tx, "1234", 4, 0), 4);
	CHECK_EQ(send(tx, "12345", 5, 0), 5);
	CHECK_EQ(send(tx, "1235", 4, 0), 4);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "1234", 4));
	CHECK_ERR(next(rx, buf, sizeof(buf)), EAGAIN);
}

/* Unix-domain messages have no header; who sends does not hear of it. */
TEST(sockfilter, unix)
{
	struct sock_filter k[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 2),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = PROG(k);
	char buf[64];
	int s[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK_OK(attach(s[1], &p));
	CHECK_EQ(send(s[0], "no", 2, 0), 2);
	CHECK_EQ(send(s[0], "yes", 3, 0), 3);
	CHECK_EQ(next(s[1], buf, sizeof(buf)), 2);
	CHECK_ERR(next(s[1], buf, sizeof(buf)), EAGAIN);
}

TEST(sockfilter, options)
{
	struct sock_filter k[] = { BPF_STMT(BPF_RET | BPF_K, 0xffff) }, got[4];
	struct sock_filter bad[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	struct sock_filter ad[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog p = PROG(k), none = { 0 }, pb = PROG(bad),
			  pa = PROG(ad);
	int tx, rx = udp_pair(&tx), on = 1, off = 0;
	socklen_t len = 4;

	CHECK_ERR(attach(rx, &none), EINVAL);
	CHECK_ERR(attach(rx, &pb), EINVAL);
	CHECK_ERR(attach(rx, &pa), EINVAL);
	CHECK_ERR(setsockopt(rx, SOL_SOCKET, SO_ATTACH_FILTER, &p, 8), EINVAL);
	CHECK_OK(getsockopt(rx, SOL_SOCKET, SO_GET_FILTER, got, &len));
	CHECK_EQ(len, 0);
	CHECK_OK(attach(rx, &p));
	len = 4;
	CHECK_OK(getsockopt(rx, SOL_SOCKET, SO_GET_FILTER, got, &len));
	CHECK_EQ(len, 1);
	CHECK(!memcmp(got, k, sizeof(k)));
	CHECK_OK(setsockopt(rx, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
	CHECK_ERR(setsockopt(rx, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)),
		  EPERM);
	CHECK_ERR(attach(rx, &p), EPERM);
	CHECK_ERR(setsockopt(rx, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)),
		  EPERM);
	len = sizeof(off);
	CHECK_OK(getsockopt(rx, SOL_SOCKET, SO_LOCK_FILTER, &off, &len));
	CHECK_EQ(off, 1);
}

/* Answers of the kernel, and what it tells groups, go by the filter too. */
TEST(sockfilter, netlink)
{
	struct {
		struct nlmsghdr h;
		struct rtgenmsg g;
	} ask = { .h = { .nlmsg_len = sizeof(ask),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	/* the type of the first message: new addresses, say */
	struct sock_filter k[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWADDR), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = PROG(k);
	struct nlmsghdr *h;
	char buf[8192];
	int s;

	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(attach(s, &p));
	CHECK_EQ(send(s, &ask, sizeof(ask), 0), (long)sizeof(ask));
	CHECK_ERR(next(s, buf, sizeof(buf)), EAGAIN);
	k[1].k = htons(RTM_NEWLINK);
	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(attach(s, &p));
	CHECK_EQ(send(s, &ask, sizeof(ask), 0), (long)sizeof(ask));
	CHECK(next(s, buf, sizeof(buf)) > (long)sizeof(*h));
	h = (void *)buf;
	CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
}
