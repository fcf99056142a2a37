/* SPDX-License-Identifier: MIT */
/*
 * net/link/link.h - the interfaces of a network namespace: what net/ itself uses of them.
 * What drivers use is kernel/dev/netdev.h.
 *
 *	netdev_rx() ---> backlog ---> the worker "net" ---> taps (packet sockets)
 *						       ---> link_input(): by EtherType
 *	link_transmit() ---> taps ---> ops->xmit(), or the interface's queue
 *
 * The worker is one coroutine: what arrives is processed in order, and nothing of net/ is
 * entered twice from below.  It may sleep for a short while (locks), not for events.
 *
 * The loopback (index 1) is a struct net_device like others, but what a program sends to an
 * address of this machine never gets to it: tcp.c and udp.c hand it from one socket to the
 * other.
 *
 * Locking:
 *	rtnl_mutex	configuration: who is where, names, addresses, routes, up and down.
 *			Sleeps.  Outside of everything else in net/.
 *	link_lock	(RANK_NET) the lists of interfaces; what the data path looks up
 */
#ifndef NET_LINK_LINK_H
#define NET_LINK_LINK_H

#include <kernel/dev/netdev.h>
#include <kernel/ns/net.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>

extern struct mutex rtnl_mutex;
extern struct spinlock link_lock;

/* With a reference, or NULL.  Any context. */
struct net_device *link_by_index(const struct net_ns *net, s32 index);
struct net_device *link_by_name(const struct net_ns *net, const char *name);
/* @fn with each one of @net; rtnl_mutex held. */
void link_for_each(struct net_ns *net,
		   void (*fn)(struct net_device *dev, void *arg), void *arg);

/* rtnl_mutex held.  0, or what open() says; those who listen to rtnetlink hear of it. */
int link_set_up(struct net_device *dev, bool up);

/* rtnl_mutex held.  One more (or one less) that wants to hear the group of that link
 * address; the driver is told.  0, -ENOMEM. */
int link_mc_join(struct net_device *dev, const u8 mac[ETH_ALEN]);
void link_mc_leave(struct net_device *dev, const u8 mac[ETH_ALEN]);

/*
 * Send @b, a packet (b->data is its network header, b->proto its EtherType), to the link
 * address @to behind a header of ours.  Takes b.  0, -ENETDOWN, -ENOBUFS.  A coroutine or
 * the worker; no spinlock held.
 */
struct socket;
int link_send_from(struct net_device *dev, struct netbuf *b,
		   const u8 to[LINK_ADDR_MAX], const struct socket *from);
static inline int link_send(struct net_device *dev, struct netbuf *b,
			    const u8 to[LINK_ADDR_MAX])
{
	return link_send_from(dev, b, to, NULL);
}
/* The same of a whole frame; @from, a packet socket or NULL, does not hear it. */
int link_transmit_from(struct net_device *dev, struct netbuf *b,
		       const struct socket *from);
static inline int link_transmit(struct net_device *dev, struct netbuf *b)
{
	return link_transmit_from(dev, b, NULL);
}
/* @b, a packet without a link header, as if it had arrived at @dev: takes it. */
void link_input(struct net_device *dev, struct netbuf *b);

/* Something of the worker's: @fn runs in it soon, once for any number of calls. */
struct net_work {
	struct list_head node; /* [link_lock] empty: not queued */
	void (*fn)(struct net_work *w);
};
void net_work_init(struct net_work *w, void (*fn)(struct net_work *w));
void net_work_queue(struct net_work *w); /* any context */
/* It is neither queued nor running when this returns.  A coroutine that is not the worker. */
void net_work_cancel(struct net_work *w);

/* --- defined by net/route/: NETBUF_CSUM_PARTIAL, what a device was to add, is added here;
 * false: it cannot be. */
bool netbuf_finish_csum(struct netbuf *b);
/* --- defined by net/route/: a packet arrives at b->dev; takes it.  The worker. */
void ip4_input(struct net_ns *net, struct netbuf *b);
void ip6_input(struct net_ns *net, struct netbuf *b);
void arp_input(struct net_ns *net, struct netbuf *b);
/* The same of one that can wait for others of its connection, which are in the backlog: false,
 * it cannot, those that waited have gone up, and it is still the caller's. */
bool gro_hold(struct net_device *dev, struct netbuf *b);
void gro_flush(void); /* link_input() for all that wait */
/* A packet of IP with a gso_size, in segments: each is @send's.  Takes @b. */
int ip_cut(struct netbuf *b, int (*send)(struct netbuf *f, void *arg),
	   void *arg);
/* rtnl_mutex held: addresses, routes and neighbours follow. */
void route_link_changed(struct net_device *dev, bool up);
void route_link_gone(struct net_device *dev);
/* A namespace has ended: nobody refers to it, its interfaces have gone. */
void route_net_end(struct net_ns *net);

#endif /* NET_LINK_LINK_H */
