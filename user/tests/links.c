/* SPDX-License-Identifier: MIT */
/*
 * user/tests/links.c - network interfaces: made, changed, moved and taken away; frames on
 * them; who hears of it.
 */
#include "wire.h"
#include "rtnl.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct wire w;

static struct rt_request request(int type, int flags, int index)
{
	struct rt_request r = RT_REQUEST(type, flags, sizeof(struct ifinfomsg));

	r.link.ifi_index = index;
	return r;
}

static int make(const char *name, const char *kind, int flags)
{
	struct rt_request r = request(RTM_NEWLINK, flags, 0);
	struct rtattr *info;

	if (name)
		rt_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = rt_attr(&r, IFLA_LINKINFO, NULL, 0);
	rt_attr(&r, IFLA_INFO_KIND, kind, strlen(kind));
	rt_nest_end(&r, info);
	return rt_ask(&r);
}

static int del(int index)
{
	struct rt_request r = request(RTM_DELLINK, 0, index);

	return rt_ask(&r);
}

static void fresh_net(void)
{
	ut_own_net();
	if (make("x0", "veth", NLM_F_CREATE | NLM_F_EXCL) == -EOPNOTSUPP)
		ut_skip("no veth");
}

TEST(links, pair)
{
	struct ifreq r = { .ifr_name = "x0" };
	int s, a, b;

	fresh_net();
	a = wire_if_index("x0");
	b = wire_if_index("veth0");
	CHECK(a > 1 && b > 1 && a != b);
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	CHECK(!(r.ifr_flags & (IFF_UP | IFF_RUNNING)));
	wire_if_up("x0", 1);
	CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	CHECK_EQ(r.ifr_flags & (IFF_UP | IFF_RUNNING), IFF_UP);
	wire_if_up("veth0", 1);
	for (int n = 0; n < 100 && !(r.ifr_flags & IFF_RUNNING); n++) {
		ut_sleep_ms(20);
		CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	}
	CHECK_EQ(r.ifr_flags & (IFF_UP | IFF_RUNNING), IFF_UP | IFF_RUNNING);
	CHECK_EQ(del(b), 0); /* the other one goes, too */
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
	CHECK_EQ(del(a), -ENODEV);
}

TEST(links, errors)
{
	struct rt_request r;

	fresh_net();
	CHECK_EQ(make("x0", "veth", NLM_F_CREATE | NLM_F_EXCL), -EEXIST);
	CHECK_EQ(make("x1", "veth", 0), -ENODEV);
	CHECK_EQ(make("x1", "nosuchkind", NLM_F_CREATE), -EOPNOTSUPP);
	CHECK_EQ(make("a/b", "veth", NLM_F_CREATE), -EINVAL);
	CHECK_EQ(make("a b", "veth", NLM_F_CREATE), -EINVAL);
	CHECK_EQ(make("sixteen-letters-", "veth", NLM_F_CREATE), -ERANGE);
	CHECK_EQ(del(999999), -ENODEV);
	CHECK_EQ(del(1), -EOPNOTSUPP);
	r = request(RTM_SETLINK, 0, 999999);
	CHECK_EQ(rt_ask(&r), -ENODEV);
	r = request(RTM_SETLINK, 0, wire_if_index("x0"));
	rt_attr(&r, IFLA_MTU, &(int){ 10 }, 4);
	CHECK_EQ(rt_ask(&r), -EINVAL);
	r = request(RTM_SETLINK, 0, wire_if_index("x0"));
	rt_attr(&r, IFLA_ADDRESS, "\1\2\3\4\5\6", 6); /* a group's */
	CHECK_EQ(rt_ask(&r), -EADDRNOTAVAIL);
	r = request(RTM_SETLINK, 0, wire_if_index("x0"));
	rt_attr(&r, IFLA_NET_NS_FD, &(int){ 999 }, 4);
	CHECK_EQ(rt_ask(&r), -EBADF);
	r = request(RTM_SETLINK, 0, wire_if_index("x0"));
	rt_attr(&r, IFLA_NET_NS_FD, &(int){ open("/dev/null", O_RDONLY) }, 4);
	CHECK_EQ(rt_ask(&r), -EINVAL);
	r = request(RTM_SETLINK, 0, wire_if_index("x0"));
	rt_attr(&r, IFLA_IFNAME, "lo", 3);
	CHECK_EQ(rt_ask(&r), -EEXIST);
}

/* Who is not its administrator changes nothing. */
TEST(links, no_right)
{
	struct ifreq r = { .ifr_name = "x0", .ifr_flags = IFF_UP };
	int s;

	fresh_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_EQ(make("x1", "veth", NLM_F_CREATE | NLM_F_EXCL), -EPERM);
	CHECK_EQ(del(wire_if_index("x0")), -EPERM);
	CHECK_ERR(ioctl(s, SIOCSIFFLAGS, &r), EPERM);
	CHECK_ERR(ioctl(s, SIOCSIFMTU, &r), EPERM);
	CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	CHECK(!(r.ifr_flags & IFF_UP));
}

/* --- frames */

static int packet_at(int i, int type, int proto)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET };
	int s;

	wire_enter(&w, i);
	CHECK_OK(s = socket(AF_PACKET, type, 0));
	a.sll_protocol = htons((uint16_t)proto);
	a.sll_ifindex = w.index[i];
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	wire_enter(&w, 0);
	return s;
}

static struct sockaddr_ll name_of(int s)
{
	struct sockaddr_ll a;
	socklen_t len = sizeof(a);

	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_EQ(len, 18);
	return a;
}

/* Within a second. */
static long hear(int s, void *buf, size_t n, struct sockaddr_ll *from)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	socklen_t len = sizeof(*from);

	CHECK_EQ(poll(&p, 1, 1000), 1);
	return recvfrom(s, buf, n, 0, (void *)from, &len);
}

/* Both ends, with a link between them: Linux sees that a while later. */
static void linked(void)
{
	struct ifreq r = { .ifr_flags = 0 };
	int s;

	wire_setup(&w);
	for (int i = 0; i < 2; i++) {
		wire_enter(&w, i);
		CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
		strcpy(r.ifr_name, w.dev[i]);
		for (int n = 0; n < 100; n++) {
			CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
			if (r.ifr_flags & IFF_RUNNING)
				break;
			ut_sleep_ms(20);
		}
		CHECK(r.ifr_flags & IFF_RUNNING);
		close(s);
	}
	wire_enter(&w, 0);
}

#define TEST_PROTO 0x88b5 /* for experiments */

TEST(links, frames)
{
	struct sockaddr_ll mine, yours, from;
	unsigned char f[60] = { 0 }, got[100];
	int a, b;

	linked();
	a = packet_at(0, SOCK_RAW, TEST_PROTO);
	b = packet_at(1, SOCK_RAW, TEST_PROTO);
	mine = name_of(a);
	yours = name_of(b);
	CHECK_EQ(mine.sll_hatype, ARPHRD_ETHER);
	CHECK_EQ(mine.sll_halen, 6);
	for (int turn = 0; turn < 2; turn++) {
		memcpy(f, turn ? mine.sll_addr : yours.sll_addr, 6);
		memcpy(f + 6, turn ? yours.sll_addr : mine.sll_addr, 6);
		f[12] = TEST_PROTO >> 8;
		f[13] = TEST_PROTO & 0xff;
		f[14] = (unsigned char)turn;
		CHECK_EQ(send(turn ? b : a, f, sizeof(f), 0), sizeof(f));
		CHECK_EQ(hear(turn ? a : b, got, sizeof(got), &from),
			 sizeof(f));
		CHECK(!memcmp(got, f, sizeof(f)));
		CHECK_EQ(from.sll_pkttype, PACKET_HOST);
		CHECK_EQ(from.sll_ifindex, turn ? w.index[0] : w.index[1]);
		CHECK_EQ(ntohs(from.sll_protocol), TEST_PROTO);
		CHECK(!memcmp(from.sll_addr, f + 6, 6));
	}
	CHECK_ERR(send(a, f, 13, 0), EINVAL);
	CHECK_ERR(send(a, malloc(2000), 2000, 0), EMSGSIZE);
}

/* The kernel puts the header in front, and takes it away. */
TEST(links, cooked_frames)
{
	struct sockaddr_ll to, from;
	char got[100];
	int a, b;

	linked();
	a = packet_at(0, SOCK_DGRAM, TEST_PROTO);
	b = packet_at(1, SOCK_DGRAM, TEST_PROTO);
	to = name_of(b);
	to.sll_ifindex = w.index[0];
	memset(to.sll_addr, 0xff, 6);
	CHECK_EQ(sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(hear(b, got, sizeof(got), &from) >= 5);
	CHECK(!memcmp(got, "hello", 5));
	CHECK_EQ(from.sll_pkttype, PACKET_BROADCAST);
	to.sll_ifindex = 12345;
	CHECK_ERR(sendto(a, "x", 1, 0, (void *)&to, sizeof(to)), ENXIO);
	wire_up(&w, 0, 0);
	to.sll_ifindex = w.index[0];
	CHECK_ERR(recv(a, got, sizeof(got), MSG_DONTWAIT), ENETDOWN);
	CHECK_ERR(sendto(a, "x", 1, 0, (void *)&to, sizeof(to)), ENETDOWN);
}

/* What is for somebody else comes to who asked for everything. */
TEST(links, others_frames)
{
	struct packet_mreq m = { .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_ll to, from;
	char got[100];
	int a, b, all;

	linked();
	a = packet_at(0, SOCK_DGRAM, TEST_PROTO);
	all = packet_at(0, SOCK_DGRAM, ETH_P_ALL);
	b = packet_at(1, SOCK_DGRAM, TEST_PROTO);
	m.mr_ifindex = 12345;
	CHECK_ERR(setsockopt(b, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m,
			     sizeof(m)),
		  ENODEV);
	m.mr_ifindex = w.index[1];
	CHECK_OK(setsockopt(b, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m,
			    sizeof(m)));
	to = name_of(b);
	to.sll_ifindex = w.index[0];
	memcpy(to.sll_addr, "\2\0\0\0\0\1", 6);
	CHECK_EQ(sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(hear(b, got, sizeof(got), &from) >= 5);
	CHECK_EQ(from.sll_pkttype, PACKET_OTHERHOST);
	do
		CHECK(hear(all, got, sizeof(got), &from) >= 5);
	while (ntohs(from.sll_protocol) != TEST_PROTO);
	CHECK_EQ(from.sll_pkttype, PACKET_OUTGOING);
}

/* --- who is told */

static int listener(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK };
	int s;

	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

/* Until a message of @type about @index comes: its flags. */
static unsigned int await(int s, int type, int index)
{
	static char buf[8192];
	struct nlmsghdr *h = (void *)buf;
	struct ifinfomsg *i = NLMSG_DATA(h);
	struct pollfd p = { .fd = s, .events = POLLIN };

	do {
		CHECK_EQ(poll(&p, 1, 2000), 1);
		CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	} while (h->nlmsg_type != type || i->ifi_index != index);
	return i->ifi_flags;
}

TEST(links, told)
{
	struct rt_request r;
	int s, index;

	fresh_net();
	s = listener();
	CHECK_EQ(make("y0", "veth", NLM_F_CREATE | NLM_F_EXCL), 0);
	index = wire_if_index("y0");
	CHECK(!(await(s, RTM_NEWLINK, index) & IFF_UP));
	wire_if_up("y0", 1);
	CHECK(await(s, RTM_NEWLINK, index) & IFF_UP);
	r = request(RTM_SETLINK, 0, index);
	rt_attr(&r, IFLA_MTU, &(int){ 1400 }, 4);
	CHECK_EQ(rt_ask(&r), 0);
	(void)await(s, RTM_NEWLINK, index);
	CHECK_EQ(del(index), 0);
	(void)await(s, RTM_DELLINK, index);
}

/* --- ioctl(2) */

TEST(links, ioctls)
{
	struct ifreq r = { .ifr_name = "x0" };
	struct sockaddr_in *in = (void *)&r.ifr_addr;
	int s, index;

	fresh_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(ioctl(s, SIOCGIFINDEX, &r));
	index = r.ifr_ifindex;
	CHECK_EQ(index, wire_if_index("x0"));
	CHECK_ERR(ioctl(s, SIOCGIFADDR, &r), EADDRNOTAVAIL);
	r.ifr_mtu = 1400;
	CHECK_OK(ioctl(s, SIOCSIFMTU, &r));
	r.ifr_mtu = 0;
	CHECK_OK(ioctl(s, SIOCGIFMTU, &r));
	CHECK_EQ(r.ifr_mtu, 1400);
	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r.ifr_hwaddr.sa_data, "\2\0\0\0\0\7", 6);
	CHECK_OK(ioctl(s, SIOCSIFHWADDR, &r));
	memset(&r.ifr_hwaddr, 0, sizeof(r.ifr_hwaddr));
	CHECK_OK(ioctl(s, SIOCGIFHWADDR, &r));
	CHECK_EQ(r.ifr_hwaddr.sa_family, ARPHRD_ETHER);
	CHECK(!memcmp(r.ifr_hwaddr.sa_data, "\2\0\0\0\0\7", 6));
	*in = (struct sockaddr_in){ .sin_family = AF_INET };
	in->sin_addr.s_addr = htonl(0xac100105); /* 172.16.1.5: class B */
	CHECK_OK(ioctl(s, SIOCSIFADDR, &r));
	CHECK_OK(ioctl(s, SIOCGIFNETMASK, &r));
	CHECK_EQ(ntohl(in->sin_addr.s_addr), 0xffff0000);
	in->sin_addr.s_addr = htonl(0xffffff00);
	CHECK_OK(ioctl(s, SIOCSIFNETMASK, &r));
	CHECK_OK(ioctl(s, SIOCGIFBRDADDR, &r));
	CHECK_EQ(ntohl(in->sin_addr.s_addr), 0xac1001ff);
	in->sin_addr.s_addr = htonl(0xff00ff00);
	CHECK_ERR(ioctl(s, SIOCSIFNETMASK, &r), EINVAL);
	strcpy(r.ifr_newname, "x9");
	CHECK_OK(ioctl(s, SIOCSIFNAME, &r));
	CHECK_EQ(wire_if_index("x9"), index);
	strcpy(r.ifr_name, "nosuch");
	CHECK_ERR(ioctl(s, SIOCGIFINDEX, &r), ENODEV);
}

/* --- namespaces */

TEST(links, move)
{
	struct rt_request r;
	struct ifreq q = { .ifr_name = "x0" };
	int s, ns, home, index;
	pid_t pid;

	fresh_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(home = open("/proc/self/ns/net", O_RDONLY));
	index = wire_if_index("x0");
	wire_if_up("x0", 1);
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(ns = open("/proc/self/ns/net", O_RDONLY));
	CHECK_OK(setns(home, CLONE_NEWNET));
	r = request(RTM_SETLINK, 0, index);
	rt_attr(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	CHECK_EQ(rt_ask(&r), 0);
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &q), ENODEV);
	pid = fork();
	if (!pid) {
		CHECK_OK(setns(ns, CLONE_NEWNET));
		CHECK_EQ(wire_if_index("x0"), index); /* it keeps its number */
		CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
		CHECK_OK(ioctl(s, SIOCGIFFLAGS, &q));
		CHECK(!(q.ifr_flags & IFF_UP));
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
	close(ns); /* it ends, and both go */
	strcpy(q.ifr_name, "veth0");
	for (int i = 0; i < 200 && !ioctl(s, SIOCGIFFLAGS, &q); i++)
		ut_sleep_ms(20);
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &q), ENODEV);
}

#define MANY 300

TEST(links, many)
{
	char name[16];

	fresh_net();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		CHECK_EQ(make(name, "veth", NLM_F_CREATE | NLM_F_EXCL), 0);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		CHECK_EQ(del(wire_if_index(name)), 0);
	}
}

/* --- tun */

static int tun_open(struct ifreq *r, short flags)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ut_skip("no tun");
	r->ifr_flags = flags;
	CHECK_OK(ioctl(fd, TUNSETIFF, r));
	return fd;
}

/* A program that is a host, and answers. */
TEST(links, tun_ping)
{
	struct ifreq r = { .ifr_name = "" };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct icmphdr q = { .type = ICMP_ECHO };
	unsigned char p[200];
	int fd, s;
	long n;

	ut_own_net();
	fd = tun_open(&r, IFF_TUN | IFF_NO_PI);
	CHECK(!strcmp(r.ifr_name, "tun0"));
	wire_add_ip(wire_if_index("tun0"), "10.8.0.1", 24);
	wire_if_up("tun0", 1);
	inet_pton(AF_INET, "10.8.0.2", &to.sin_addr);
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	q.un.echo.id = 7;
	q.checksum = (uint16_t) ~(ICMP_ECHO + 7);
	CHECK_EQ(sendto(s, &q, sizeof(q), 0, (void *)&to, sizeof(to)),
		 sizeof(q));
	do /* others may speak, too */
		CHECK((n = read(fd, p, sizeof(p))) > 0);
	while (p[0] >> 4 != 4 || p[9] != IPPROTO_ICMP);
	CHECK_EQ(n, 28);
	CHECK(!memcmp(p + 16, &to.sin_addr, 4));
	memcpy(p + 16, p + 12, 4);
	memcpy(p + 12, &to.sin_addr, 4);
	p[20] = ICMP_ECHOREPLY;
	q.checksum = (uint16_t)~7;
	memcpy(p + 22, &q.checksum, 2);
	CHECK_EQ(write(fd, p, (size_t)n), n);
	CHECK_EQ(recv(s, p, sizeof(p), 0), 28);
	CHECK_EQ(p[20], ICMP_ECHOREPLY);
	CHECK_ERR(write(fd, "\1", 1), EINVAL);
}

TEST(links, tun_rules)
{
	struct ifreq r = { .ifr_name = "t0" }, q = r;
	char buf[60] = "";
	int fd, other, s;

	ut_own_net();
	fd = tun_open(&r, IFF_TAP | IFF_NO_PI);
	CHECK_ERR(ioctl(fd, TUNSETIFF, &r), EEXIST);
	CHECK_OK(other = open("/dev/net/tun", O_RDWR | O_NONBLOCK));
	CHECK_ERR(ioctl(other, TUNGETIFF, &q), EBADFD);
	q.ifr_flags = IFF_TAP | IFF_NO_PI;
	CHECK_ERR(ioctl(other, TUNSETIFF, &q), EBUSY);
	q.ifr_flags = IFF_TUN | IFF_NO_PI;
	CHECK_ERR(ioctl(other, TUNSETIFF, &q), EINVAL);
	CHECK_ERR(write(fd, "x", 1), EINVAL);
	CHECK_ERR(write(fd, buf, sizeof(buf)), EIO); /* it is down */
	CHECK_OK(ioctl(fd, TUNSETPERSIST, 1));
	close(fd);
	q.ifr_flags = IFF_TAP | IFF_NO_PI;
	CHECK_OK(ioctl(other, TUNSETIFF, &q));
	CHECK_ERR(read(other, &r, sizeof(r)), EAGAIN);
	CHECK_OK(ioctl(other, TUNSETPERSIST, 0));
	close(other);
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &q), ENODEV);
}
