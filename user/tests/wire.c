/* SPDX-License-Identifier: MIT */
/*
 * user/tests/wire.c - see wire.h.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

struct request {
	struct nlmsghdr h;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
	};
	char attrs[512];
};

static void *attr(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->h.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->h.nlmsg_len = NLMSG_ALIGN(r->h.nlmsg_len) +
			 (unsigned int)RTA_ALIGN(a->rta_len);
	return a;
}

static void nest_end(struct request *r, void *at)
{
	struct rtattr *a = at;

	a->rta_len = (unsigned short)((char *)r + r->h.nlmsg_len - (char *)a);
}

/* The answer: 0 or -errno. */
static int ask(struct request *r)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char buf[4096];
	struct nlmsghdr *h = (void *)buf;
	int err;

	CHECK(s >= 0);
	r->h.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	CHECK_EQ(send(s, r, r->h.nlmsg_len, 0), r->h.nlmsg_len);
	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	err = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
	CHECK_OK(close(s));
	return err;
}

/* About the interface of that index. */
static struct request of_link(int type, int index)
{
	struct request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.h.nlmsg_type = (unsigned short)type,
	};

	r.link.ifi_index = index;
	return r;
}

int wire_if_index(const char *name)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct request r = of_link(RTM_GETLINK, 0);
	char buf[8192];
	struct nlmsghdr *h = (void *)buf;

	CHECK(s >= 0);
	attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	r.h.nlmsg_flags = NLM_F_REQUEST;
	CHECK_EQ(send(s, &r, r.h.nlmsg_len, 0), r.h.nlmsg_len);
	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
	CHECK_OK(close(s));
	return ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
}

void wire_mac(const char *name, unsigned char mac[6])
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct request r = of_link(RTM_GETLINK, wire_if_index(name));
	char buf[8192];
	struct nlmsghdr *h = (void *)buf;
	struct rtattr *a;
	int n;

	CHECK(s >= 0);
	r.h.nlmsg_flags = NLM_F_REQUEST;
	CHECK_EQ(send(s, &r, r.h.nlmsg_len, 0), r.h.nlmsg_len);
	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK_OK(close(s));
	n = (int)IFLA_PAYLOAD(h);
	for (a = IFLA_RTA(NLMSG_DATA(h)); RTA_OK(a, n); a = RTA_NEXT(a, n)) {
		if (a->rta_type == IFLA_ADDRESS)
			memcpy(mac, RTA_DATA(a), 6);
	}
}

void wire_if_up(const char *name, int up)
{
	struct request r = of_link(RTM_NEWLINK, wire_if_index(name));

	r.link.ifi_flags = up ? IFF_UP : 0;
	r.link.ifi_change = IFF_UP;
	CHECK_EQ(ask(&r), 0);
}

void wire_add_ip(int index, const char *ip, int prefix)
{
	struct request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
		.h.nlmsg_type = RTM_NEWADDR,
		.h.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
	};
	unsigned char raw[16];
	int six = strchr(ip, ':') != NULL;

	CHECK_EQ(inet_pton(six ? AF_INET6 : AF_INET, ip, raw), 1);
	r.addr = (struct ifaddrmsg){
		.ifa_family = six ? AF_INET6 : AF_INET,
		.ifa_prefixlen = (unsigned char)prefix,
		.ifa_flags = six ? IFA_F_NODAD : 0,
		.ifa_index = (unsigned int)index,
	};
	attr(&r, IFA_LOCAL, raw, six ? 16 : 4);
	attr(&r, IFA_ADDRESS, raw, six ? 16 : 4);
	CHECK_EQ(ask(&r), 0);
}

int wire_veth(const char *name, const char *peer_name, int ns)
{
	struct request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.h.nlmsg_type = RTM_NEWLINK,
		.h.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
	};
	struct ifinfomsg none = { 0 };
	void *info, *data, *peer;

	attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = attr(&r, IFLA_LINKINFO, NULL, 0);
	attr(&r, IFLA_INFO_KIND, "veth", 4);
	data = attr(&r, IFLA_INFO_DATA, NULL, 0);
	peer = attr(&r, VETH_INFO_PEER, &none, sizeof(none));
	attr(&r, IFLA_IFNAME, peer_name, strlen(peer_name) + 1);
	attr(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	nest_end(&r, peer);
	nest_end(&r, data);
	nest_end(&r, info);
	return ask(&r);
}

int wire_add_route(const char *dst, int prefix, const char *via)
{
	struct request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
		.h.nlmsg_type = RTM_NEWROUTE,
		.h.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
	};
	int six = strchr(dst, ':') != NULL;
	unsigned char raw[16];

	r.route = (struct rtmsg){
		.rtm_family = six ? AF_INET6 : AF_INET,
		.rtm_dst_len = (unsigned char)prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	CHECK_EQ(inet_pton(six ? AF_INET6 : AF_INET, dst, raw), 1);
	attr(&r, RTA_DST, raw, six ? 16 : 4);
	CHECK_EQ(inet_pton(six ? AF_INET6 : AF_INET, via, raw), 1);
	attr(&r, RTA_GATEWAY, raw, six ? 16 : 4);
	return ask(&r);
}

void wire_del_ip(int index, const char *ip, int prefix)
{
	struct request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
		.h.nlmsg_type = RTM_DELADDR,
	};
	unsigned char raw[4];

	CHECK_EQ(inet_pton(AF_INET, ip, raw), 1);
	r.addr = (struct ifaddrmsg){
		.ifa_family = AF_INET,
		.ifa_prefixlen = (unsigned char)prefix,
		.ifa_index = (unsigned int)index,
	};
	attr(&r, IFA_LOCAL, raw, 4);
	CHECK_EQ(ask(&r), 0);
}

int wire_own_ns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

void wire_enter(const struct wire *w, int i)
{
	CHECK_OK(setns(w->ns[i], CLONE_NEWNET));
}

void wire_up(const struct wire *w, int i, int up)
{
	wire_enter(w, i);
	wire_if_up(w->dev[i], up);
	wire_enter(w, 0);
}

void wire_if_mtu(int index, int mtu)
{
	struct request r = of_link(RTM_NEWLINK, index);

	attr(&r, IFLA_MTU, &mtu, sizeof(mtu));
	CHECK_EQ(ask(&r), 0);
}

void wire_mtu(const struct wire *w, int i, int mtu)
{
	wire_enter(w, i);
	wire_if_mtu(w->index[i], mtu);
	wire_enter(w, 0);
}

void wire_setup(struct wire *w)
{
	int err;

	ut_own_net();
	w->ns[0] = wire_own_ns();
	CHECK_OK(unshare(CLONE_NEWNET));
	wire_if_up("lo", 1);
	w->ns[1] = wire_own_ns();
	wire_enter(w, 0);
	err = wire_veth("wa", "wb", w->ns[1]);
	if (err == -EOPNOTSUPP || err == -ENODEV)
		ut_skip("no veth");
	CHECK_EQ(err, 0);
	for (int i = 0; i < 2; i++) {
		strcpy(w->dev[i], i ? "wb" : "wa");
		wire_enter(w, i);
		w->index[i] = wire_if_index(w->dev[i]);
		wire_add_ip(w->index[i], i ? "10.9.0.2" : "10.9.0.1", 24);
		wire_if_up(w->dev[i], 1);
	}
	wire_enter(w, 0);
	err = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
	CHECK(err >= 0);
	CHECK(write(err, "0 2147483647\n", 13) == 13);
	CHECK_OK(close(err));
}

struct sockaddr_in wire_addr(int i, int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr =
					     htonl(0x0a090001u + (uint32_t)i) };
}
