/* SPDX-License-Identifier: MIT */
/*
 * user/tests/afpacket.c - packet(7) sockets on the loopback.
 *
 * Each test has a network namespace of its own.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define HEAD (14 + 20 + 8) /* of a datagram in a frame */

static int packet(int type, int proto)
{
	int s = socket(AF_PACKET, type, htons((unsigned short)proto));

	CHECK(s >= 0);
	return s;
}

struct got {
	long n;
	struct sockaddr_ll a;
	socklen_t len;
	unsigned char b[256];
};

/* What comes within a moment; n < 0: nothing does. */
static struct got next(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	struct got g = { .n = -1, .len = sizeof(g.a) };

	if (poll(&p, 1, 300) == 1)
		CHECK_OK(g.n = recvfrom(s, g.b, sizeof(g.b), 0, (void *)&g.a,
					&g.len));
	return g;
}

/* A socket that is bound, and its address. */
static int receiver(struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(s >= 0);
	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(s, (void *)a, len));
	CHECK_OK(getsockname(s, (void *)a, &len));
	return s;
}

static void send_hello(const struct sockaddr_in *a)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(s >= 0);
	CHECK_EQ(sendto(s, "hello", 5, 0, (void *)a, sizeof(*a)), 5);
	close(s);
}

static void is_hello(const struct got *g, int pkttype, long skip)
{
	CHECK_EQ(g->n, HEAD + 5 - skip);
	CHECK(!memcmp(g->b + HEAD - skip, "hello", 5));
	CHECK_EQ(g->b[14 - skip], 0x45);
	CHECK_EQ(g->len, sizeof(g->a));
	CHECK_EQ(g->a.sll_family, AF_PACKET);
	CHECK_EQ(g->a.sll_protocol, htons(ETH_P_IP));
	CHECK_EQ(g->a.sll_ifindex, 1);
	CHECK_EQ(g->a.sll_hatype, ARPHRD_LOOPBACK);
	CHECK_EQ(g->a.sll_pkttype, pkttype);
	CHECK_EQ(g->a.sll_halen, 6);
}

/* Who wants all hears it go and come; who wants a protocol hears it come. */
TEST(afpacket, hears)
{
	struct sockaddr_in a;
	int all, ip, six, cooked;
	struct got g;

	ut_own_net();
	(void)receiver(&a);
	all = packet(SOCK_RAW, ETH_P_ALL);
	ip = packet(SOCK_RAW, ETH_P_IP);
	six = packet(SOCK_RAW, ETH_P_IPV6);
	cooked = packet(SOCK_DGRAM, ETH_P_IP);
	send_hello(&a);
	g = next(all);
	is_hello(&g, PACKET_OUTGOING, 0);
	CHECK(!memcmp(g.b, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0", 14));
	g = next(all);
	is_hello(&g, PACKET_HOST, 0);
	g = next(ip);
	is_hello(&g, PACKET_HOST, 0);
	g = next(cooked);
	is_hello(&g, PACKET_HOST, 14);
	CHECK_EQ(next(ip).n, -1);
	CHECK_EQ(next(six).n, -1);
}

TEST(afpacket, ignores_outgoing)
{
	struct sockaddr_in a;
	int all, on = 1;
	struct got g;

	ut_own_net();
	(void)receiver(&a);
	all = packet(SOCK_RAW, ETH_P_ALL);
	CHECK_OK(setsockopt(all, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, 4));
	send_hello(&a);
	g = next(all);
	is_hello(&g, PACKET_HOST, 0);
	CHECK_EQ(next(all).n, -1);
}

/* Of the @n bytes at @p, folded, on top of @sum. */
static unsigned add_up(unsigned sum, const unsigned char *p, long n)
{
	for (long i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (unsigned)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* A datagram from ::1 to there, as a frame, in @f: its length. */
static long hello6(unsigned char *f, in_port_t port)
{
	unsigned char *ip = f + 14, *udp = ip + 40;
	unsigned sum;

	memset(f, 0, 14 + 40 + 8);
	f[12] = 0x86;
	f[13] = 0xdd;
	ip[0] = 0x60;
	ip[5] = 8 + 5;
	ip[6] = IPPROTO_UDP;
	ip[7] = 64;
	ip[23] = ip[39] = 1;
	memcpy(udp + 2, &port, 2);
	udp[5] = 8 + 5;
	memcpy(udp + 8, "hello", 5);
	sum = add_up(IPPROTO_UDP + 8 + 5, ip + 8, 32);
	sum = ~add_up(sum, udp, 8 + 5);
	udp[6] = (unsigned char)(sum >> 8);
	udp[7] = (unsigned char)sum;
	return 14 + 40 + 8 + 5;
}

/* A frame of IPv6 that a program made arrives as any other, if it is sound. */
TEST(afpacket, sends)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(a);
	unsigned char f[128];
	int all, out, r;
	char b[16];
	long n;

	ut_own_net();
	CHECK_OK(r = socket(AF_INET6, SOCK_DGRAM, 0));
	CHECK_OK(bind(r, (void *)&a, len));
	CHECK_OK(getsockname(r, (void *)&a, &len));
	all = packet(SOCK_RAW, ETH_P_ALL);
	out = packet(SOCK_RAW, 0);
	n = hello6(f, a.sin6_port);
	CHECK_EQ(sendto(out, f, (size_t)n, 0, (void *)&to, sizeof(to)), n);
	CHECK_EQ(recv(r, b, sizeof(b), 0), 5);
	CHECK_EQ(next(all).a.sll_pkttype, PACKET_OUTGOING);
	CHECK_EQ(next(all).n, n);
	out = packet(SOCK_DGRAM, 0);
	to.sll_protocol = htons(ETH_P_IPV6);
	CHECK_EQ(sendto(out, f + 14, (size_t)n - 14, 0, (void *)&to,
			sizeof(to)),
		 n - 14);
	CHECK_EQ(recv(r, b, sizeof(b), 0), 5);
	CHECK(!memcmp(b, "hello", 5));
	CHECK_EQ(next(all).n, n);
	CHECK_EQ(next(all).n, n);
	f[n - 1] ^= 1;
	CHECK_EQ(sendto(out, f + 14, (size_t)n - 14, 0, (void *)&to,
			sizeof(to)),
		 n - 14);
	CHECK_EQ(next(all).n, n);
	CHECK_EQ(next(all).n, n);
	CHECK_ERR(recv(r, b, sizeof(b), MSG_DONTWAIT), EAGAIN);
}

/* Of IPv4 it is heard, but goes no further. */
TEST(afpacket, martians)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	struct sockaddr_in a;
	struct got g;
	int r, s;

	ut_own_net();
	r = receiver(&a);
	s = packet(SOCK_RAW, ETH_P_IP);
	send_hello(&a);
	CHECK_EQ(recv(r, g.b, 16, 0), 5);
	g = next(s);
	CHECK_EQ(sendto(s, g.b, (size_t)g.n, 0, (void *)&to, sizeof(to)), g.n);
	g = next(s);
	is_hello(&g, PACKET_HOST, 0);
	CHECK_ERR(recv(r, g.b, 16, MSG_DONTWAIT), EAGAIN);
}

/* What is no IP goes round all the same; but not to its sender as it leaves. */
TEST(afpacket, own_protocol)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons(0x88b5),
				 .sll_ifindex = 1 };
	static const char frame[] = "............\x88\xb5payload";
	struct got g;
	int s, all;

	ut_own_net();
	s = packet(SOCK_RAW, 0);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	all = packet(SOCK_RAW, ETH_P_ALL);
	CHECK_EQ(send(s, frame, sizeof(frame), 0), sizeof(frame));
	g = next(s);
	CHECK_EQ(g.n, sizeof(frame));
	CHECK(!memcmp(g.b, frame, sizeof(frame)));
	CHECK_EQ(g.a.sll_protocol, htons(0x88b5));
	CHECK_EQ(next(s).n, -1);
	CHECK_EQ(next(all).a.sll_pkttype, PACKET_OUTGOING);
	CHECK(next(all).n > 0);
	CHECK_EQ(next(all).n, -1);
	CHECK_EQ(send(all, frame, sizeof(frame), 0), -1);
	a.sll_protocol = htons(ETH_P_ALL);
	CHECK_OK(bind(all, (void *)&a, sizeof(a)));
	CHECK_EQ(send(all, frame, sizeof(frame), 0), sizeof(frame));
	CHECK(next(all).a.sll_pkttype != PACKET_OUTGOING);
	CHECK_EQ(next(all).n, -1);
}

TEST(afpacket, names)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET };
	socklen_t len = sizeof(a);
	int s;

	ut_own_net();
	s = packet(SOCK_DGRAM, ETH_P_IP);
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_EQ(len, 12);
	CHECK_EQ(a.sll_protocol, htons(ETH_P_IP));
	CHECK_EQ(a.sll_ifindex, 0);
	a.sll_ifindex = 1;
	CHECK_ERR(bind(s, (void *)&a, 12), EINVAL);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	len = sizeof(a);
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_EQ(len, 18);
	CHECK_EQ(a.sll_ifindex, 1);
	CHECK_EQ(a.sll_hatype, ARPHRD_LOOPBACK);
	CHECK_EQ(a.sll_halen, 6);
	a.sll_ifindex = 77;
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), ENODEV);
	a.sll_family = AF_INET;
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EINVAL);
	len = sizeof(a);
	CHECK_ERR(getpeername(s, (void *)&a, &len), EOPNOTSUPP);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EOPNOTSUPP);
	CHECK_ERR(listen(s, 1), EOPNOTSUPP);
}

TEST(afpacket, errors)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	static char big[70000];
	int s;

	ut_own_net();
	CHECK_ERR(socket(AF_PACKET, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	s = packet(SOCK_RAW, 0);
	CHECK_ERR(send(s, big, 20, 0), ENXIO);
	CHECK_ERR(sendto(s, big, 20, 0, (void *)&a, 12), EINVAL);
	CHECK_ERR(sendto(s, big, 9, 0, (void *)&a, sizeof(a)), EINVAL);
	a.sll_family = 0; /* nobody looks at it here */
	CHECK_EQ(sendto(s, big, 20, 0, (void *)&a, sizeof(a)), 20);
	a.sll_halen = 9;
	CHECK_ERR(sendto(s, big, 20, 0, (void *)&a, sizeof(a)), EINVAL);
	a.sll_halen = 0;
	CHECK_ERR(sendto(s, big, 65536 + 15, 0, (void *)&a, sizeof(a)),
		  EMSGSIZE);
	CHECK_ERR(recv(s, big, 1, MSG_OOB), EINVAL);
	CHECK_ERR(recv(s, big, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_OK(setuid(65534));
	CHECK_ERR(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
}

TEST(afpacket, down)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	struct ifreq r = { .ifr_name = "lo" };
	char b[20] = "";
	int s;

	ut_own_net();
	s = packet(SOCK_RAW, ETH_P_ALL);
	CHECK_OK(ioctl(s, SIOCSIFFLAGS, &r));
	CHECK_ERR(sendto(s, b, sizeof(b), 0, (void *)&a, sizeof(a)), ENETDOWN);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_ERR(recv(s, b, 1, MSG_DONTWAIT), ENETDOWN);
	CHECK_ERR(recv(s, b, 1, MSG_DONTWAIT), EAGAIN);
}

/* A program sees the frame from its header on, or from that of IP. */
TEST(afpacket, filters)
{
	struct sock_filter raw[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 30),
	};
	struct sock_filter comes[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
	};
	struct sock_fprog p = { 8, raw }, q = { 6, comes };
	struct sockaddr_in a;
	struct got g;
	int s, t;

	ut_own_net();
	(void)receiver(&a);
	s = packet(SOCK_RAW, ETH_P_ALL);
	t = packet(SOCK_DGRAM, ETH_P_ALL);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
	CHECK_OK(setsockopt(t, SOL_SOCKET, SO_ATTACH_FILTER, &q, sizeof(q)));
	send_hello(&a);
	CHECK_EQ(next(s).n, 30);
	CHECK_EQ(next(s).n, 30);
	g = next(t);
	is_hello(&g, PACKET_OUTGOING, 14);
	CHECK_EQ(next(t).n, -1);
}

static struct tpacket_stats stats(int s)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	CHECK_OK(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	CHECK_EQ(len, sizeof(st));
	return st;
}

TEST(afpacket, statistics)
{
	struct tpacket_stats st;
	struct sockaddr_in a;
	int s, small = 1, n = 0;
	char b[16];

	ut_own_net();
	(void)receiver(&a);
	s = packet(SOCK_RAW, ETH_P_IP);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	for (int i = 0; i < 100; i++)
		send_hello(&a);
	st = stats(s);
	CHECK_EQ(st.tp_packets, 100);
	CHECK(st.tp_drops > 0 && st.tp_drops < 100);
	while (recv(s, b, sizeof(b), MSG_DONTWAIT | MSG_TRUNC) == HEAD + 5)
		n++;
	CHECK_EQ(n, 100 - (int)st.tp_drops);
	CHECK_EQ(stats(s).tp_packets, 0);
}

TEST(afpacket, auxdata)
{
	char control[128], b[64];
	struct iovec iov = { b, sizeof(b) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct tpacket_auxdata aux;
	struct packet_mreq mr = { .mr_ifindex = 1,
				  .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_in a;
	struct cmsghdr *c;
	int s, on = 1;

	ut_own_net();
	(void)receiver(&a);
	s = packet(SOCK_RAW, ETH_P_IP);
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)));
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr,
			    sizeof(mr)));
	send_hello(&a);
	CHECK_EQ(recvmsg(s, &m, 0), HEAD + 5);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == SOL_PACKET &&
	      c->cmsg_type == PACKET_AUXDATA &&
	      c->cmsg_len == CMSG_LEN(sizeof(aux)));
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	CHECK(aux.tp_status & TP_STATUS_USER);
	CHECK_EQ(aux.tp_len, HEAD + 5);
	CHECK_EQ(aux.tp_snaplen, HEAD + 5);
	CHECK_EQ(aux.tp_net, 14);
	mr.mr_ifindex = 77;
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr,
			     sizeof(mr)),
		  ENODEV);
}
