/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/netrig.h - what is around net/route/ in a test: interfaces without
 * drivers, a clock that is set, sockets that count.
 */
#ifndef TESTS_HOST_FAKE_NETRIG_H
#define TESTS_HOST_FAKE_NETRIG_H

#include <net/route/route_int.h>

#define RIG_DEVS 3u

struct netrig {
	struct net_ns net;
	struct net_device dev[RIG_DEVS]; /* lo, eth0, eth1 */
	struct list_head sent;	   /* netbufs: dev is where, data the packet */
	u8 sent_to[LINK_ADDR_MAX]; /* of the last one */
	u32 nr_sent;
	u32 nr_udp, nr_tcp, nr_icmp; /* that sockets got */
	u32 last_len;		     /* of the last packet that one got */
	u8 last_data[65536];
	u32 last_err; /* that a socket was told of */
	u64 now;
	u32 nr_netbufs;
};
extern struct netrig rig;

void rig_begin(void);
void rig_end(void); /* nothing is left over */
/* Time goes on by @ns; what was to be done by then is done. */
void rig_pass(u64 ns);
/* The first that was sent, taken off; NULL: nothing was. */
struct netbuf *rig_sent(void);
void rig_drop_sent(void);
/* @n bytes arrive at @dev. */
void rig_arrive(struct net_device *dev, u16 proto, const void *p, u32 n);
/* "10.1.2.3" or "fe80::1" */
void rig_ip(const char *text, u8 ip[16]);
int rig_addr(struct net_device *dev, const char *text, u32 prefix);

#endif /* TESTS_HOST_FAKE_NETRIG_H */
