/* SPDX-License-Identifier: MIT */
/*
 * user/tests/neigh.c - neighbours of an interface: set, looked up, taken away, and who hears
 * of it.
 */
#include "wire.h"
#include "rtnl.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct wire w;
static const unsigned char mac[6] = { 2, 0, 0, 0, 0, 9 };

static int change(int type, int flags, const char *ip, unsigned int state)
{
	struct rt_request r = RT_REQUEST(type, flags, sizeof(struct ndmsg));
	int six = strchr(ip, ':') != NULL;
	unsigned char raw[16];

	CHECK_EQ(inet_pton(six ? AF_INET6 : AF_INET, ip, raw), 1);
	r.neigh = (struct ndmsg){
		.ndm_family = six ? AF_INET6 : AF_INET,
		.ndm_ifindex = w.index[0],
		.ndm_state = (unsigned short)state,
	};
	rt_attr(&r, NDA_DST, raw, six ? 16 : 4);
	if (type == RTM_NEWNEIGH)
		rt_attr(&r, NDA_LLADDR, mac, sizeof(mac));
	return rt_ask(&r);
}

/* What is heard next of @ip: its state, or -1 within a second; *@type. */
static int hear(int s, const char *ip, int *type)
{
	int six = strchr(ip, ':') != NULL;
	size_t len = six ? 16 : 4;
	unsigned char raw[16];
	char buf[1024];

	CHECK_EQ(inet_pton(six ? AF_INET6 : AF_INET, ip, raw), 1);
	while (recv(s, buf, sizeof(buf), 0) > 0) {
		const struct nlmsghdr *h = (void *)buf;
		const struct ndmsg *m = NLMSG_DATA(h);
		const struct rtattr *dst = rt_find(h, sizeof(*m), NDA_DST);
		const struct rtattr *ll = rt_find(h, sizeof(*m), NDA_LLADDR);

		CHECK(dst);
		if (m->ndm_ifindex != w.index[0] || RTA_PAYLOAD(dst) != len ||
		    memcmp(RTA_DATA(dst), raw, len))
			continue;
		*type = h->nlmsg_type;
		CHECK_EQ(!ll, m->ndm_state == NUD_FAILED);
		return m->ndm_state;
	}
	return -1;
}

TEST(neigh, told)
{
	static const char *const ips[] = { "10.9.0.77", "fd00::77" };
	int s, type;

	wire_setup(&w);
	s = rt_listen(RTMGRP_NEIGH);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(change(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, ips[i],
				NUD_PERMANENT),
			 0);
		CHECK_EQ(hear(s, ips[i], &type), NUD_PERMANENT);
		CHECK_EQ(type, RTM_NEWNEIGH);
		CHECK_EQ(change(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, ips[i],
				NUD_PERMANENT),
			 -EEXIST);
		CHECK_EQ(change(RTM_NEWNEIGH, NLM_F_REPLACE, ips[i], NUD_STALE),
			 0);
		CHECK_EQ(hear(s, ips[i], &type), NUD_STALE);
		CHECK_EQ(change(RTM_DELNEIGH, 0, ips[i], 0), 0);
		CHECK_EQ(hear(s, ips[i], &type), NUD_FAILED);
		CHECK_EQ(type, RTM_NEWNEIGH);
		CHECK_EQ(hear(s, ips[i], &type), NUD_FAILED);
		CHECK_EQ(type, RTM_DELNEIGH);
		CHECK_EQ(change(RTM_DELNEIGH, 0, ips[i], 0), -ENOENT);
	}
}

/* It answers, and goes with its interface. */
TEST(neigh, resolved)
{
	struct sockaddr_in to = wire_addr(1, 9);
	int s, u, type;

	wire_setup(&w);
	s = rt_listen(RTMGRP_NEIGH);
	CHECK_OK(u = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_EQ(sendto(u, "x", 1, 0, (void *)&to, sizeof(to)), 1);
	CHECK_EQ(hear(s, "10.9.0.2", &type), NUD_REACHABLE);
	CHECK_EQ(type, RTM_NEWNEIGH);
	wire_up(&w, 0, 0);
	do
		CHECK(hear(s, "10.9.0.2", &type) >= 0);
	while (type != RTM_DELNEIGH);
}

TEST(neigh, by_ioctl)
{
	struct arpreq a = { .arp_flags = ATF_PERM, .arp_dev = "wa" }, got;
	struct sockaddr_in ip = wire_addr(76, 0); /* 10.9.0.77 */
	int s;

	wire_setup(&w);
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	memcpy(&a.arp_pa, &ip, sizeof(ip));
	a.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(a.arp_ha.sa_data, mac, sizeof(mac));
	got = a;
	CHECK_ERR(ioctl(s, SIOCGARP, &got), ENXIO);
	CHECK_ERR(ioctl(s, SIOCDARP, &got), ENXIO);
	CHECK_OK(ioctl(s, SIOCSARP, &a));
	memset(&got.arp_ha, 0, sizeof(got.arp_ha));
	got.arp_flags = 0;
	CHECK_OK(ioctl(s, SIOCGARP, &got));
	CHECK_EQ(got.arp_flags, ATF_PERM | ATF_COM);
	CHECK_EQ(got.arp_ha.sa_family, ARPHRD_ETHER);
	CHECK(!memcmp(got.arp_ha.sa_data, mac, sizeof(mac)));
	a.arp_dev[0] = 0; /* by its route */
	CHECK_OK(ioctl(s, SIOCDARP, &a));
	CHECK_ERR(ioctl(s, SIOCGARP, &a), ENODEV);
	a.arp_pa.sa_family = AF_INET6;
	CHECK_ERR(ioctl(s, SIOCSARP, &a), EPFNOSUPPORT);
	strcpy(a.arp_dev, "nosuch");
	a.arp_pa.sa_family = AF_INET;
	CHECK_ERR(ioctl(s, SIOCSARP, &a), ENODEV);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(ioctl(s, SIOCSARP, &a), EPERM);
}
