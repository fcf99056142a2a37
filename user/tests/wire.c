/* SPDX-License-Identifier: MIT */
/*
 * user/tests/wire.c - see wire.h.
 */
#include "wire.h"
#include "rtnl.h"

#include <arpa/inet.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

struct rtattr *rt_attr(struct rt_request *r, int type, const void *data,
		       size_t len)
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

void rt_nest_end(struct rt_request *r, struct rtattr *at)
{
	at->rta_len = (unsigned short)((char *)r + r->h.nlmsg_len - (char *)at);
}

int rt_ask(struct rt_request *r)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char buf[4096];
	struct nlmsghdr *h = (void *)buf;

	CHECK(s >= 0);
	r->h.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	CHECK_EQ(send(s, r, r->h.nlmsg_len, 0), r->h.nlmsg_len);
	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	CHECK_OK(close(s));
	return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

int rt_listen(unsigned int groups)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };
	struct timeval second = { 1, 0 };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(s >= 0);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &second,
			    sizeof(second)));
	return s;
}

const struct rtattr *rt_find(const struct nlmsghdr *h, size_t size, int type)
{
	const struct rtattr *a =
		(const void *)((const char *)h + NLMSG_SPACE(size));
	int n = (int)(h->nlmsg_len - NLMSG_SPACE(size));

	for (; RTA_OK(a, n); a = RTA_NEXT(a, n)) {
		if (a->rta_type == type)
			return a;
	}
	return NULL;
}

/* About the interface of that index. */
static struct rt_request of_link(int type, int index)
{
	struct rt_request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.h.nlmsg_type = (unsigned short)type,
	};

	r.link.ifi_index = index;
	return r;
}

int wire_if_index(const char *name)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct rt_request r = of_link(RTM_GETLINK, 0);
	char buf[8192];
	struct nlmsghdr *h = (void *)buf;

	CHECK(s >= 0);
	rt_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
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
	struct rt_request r = of_link(RTM_GETLINK, wire_if_index(name));
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
	struct rt_request r = of_link(RTM_NEWLINK, wire_if_index(name));

	r.link.ifi_flags = up ? IFF_UP : 0;
	r.link.ifi_change = IFF_UP;
	CHECK_EQ(rt_ask(&r), 0);
}

void wire_add_ip(int index, const char *ip, int prefix)
{
	struct rt_request r = {
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
	rt_attr(&r, IFA_LOCAL, raw, six ? 16 : 4);
	rt_attr(&r, IFA_ADDRESS, raw, six ? 16 : 4);
	CHECK_EQ(rt_ask(&r), 0);
}

int wire_veth(const char *name, const char *peer_name, int ns)
{
	struct rt_request r = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.h.nlmsg_type = RTM_NEWLINK,
		.h.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
	};
	struct ifinfomsg none = { 0 };
	struct rtattr *info, *data, *peer;

	rt_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = rt_attr(&r, IFLA_LINKINFO, NULL, 0);
	rt_attr(&r, IFLA_INFO_KIND, "veth", 4);
	data = rt_attr(&r, IFLA_INFO_DATA, NULL, 0);
	peer = rt_attr(&r, VETH_INFO_PEER, &none, sizeof(none));
	rt_attr(&r, IFLA_IFNAME, peer_name, strlen(peer_name) + 1);
	rt_attr(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	rt_nest_end(&r, peer);
	rt_nest_end(&r, data);
	rt_nest_end(&r, info);
	return rt_ask(&r);
}

int wire_add_route(const char *dst, int prefix, const char *via)
{
	struct rt_request r = {
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
	rt_attr(&r, RTA_DST, raw, six ? 16 : 4);
	CHECK_EQ(inet_pton(six ? AF_INET6 : AF_INET, via, raw), 1);
	rt_attr(&r, RTA_GATEWAY, raw, six ? 16 : 4);
	return rt_ask(&r);
}

void wire_del_ip(int index, const char *ip, int prefix)
{
	struct rt_request r = {
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
	rt_attr(&r, IFA_LOCAL, raw, 4);
	CHECK_EQ(rt_ask(&r), 0);
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
	struct rt_request r = of_link(RTM_NEWLINK, index);

	rt_attr(&r, IFLA_MTU, &mtu, sizeof(mtu));
	CHECK_EQ(rt_ask(&r), 0);
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
