/* SPDX-License-Identifier: MIT */
/*
 * net/link/bridge.h - bridges: frames go from port to port by where their receiver was heard.
 *
 * Each frame that a port hears is the bridge's (link.h's taker).  It learns who sent it, and
 * gives it to the port behind which the receiver is, or to all; to the bridge itself, which
 * is an interface like others, what is for its address or for many.  No spanning tree.
 *
 * Locking: rtnl_mutex: who is a port; bridge_lock (RANK_NET): what the data path reads.
 * Frames are sent without it, and with references.
 */
#ifndef NET_LINK_BRIDGE_H
#define NET_LINK_BRIDGE_H

#include <net/link/dev.h>

#define FDB_SLOTS 256u
#define FDB_MAX	  4096u /* addresses that one bridge knows */
#define PORTS_MAX 1023u

struct bridge_port {
	struct list_head node;	/* [bridge_lock] */
	struct net_device *dev; /* [I] owned reference */
	struct bridge *br;	/* [I] */
};

/* Behind which port is an address? */
struct fdb {
	struct list_head node; /* [bridge_lock] */
	u8 mac[ETH_ALEN];
	struct bridge_port *port; /* [bridge_lock] */
	u64 heard;		  /* [bridge_lock] CLOCK_MONOTONIC ns */
};

struct bridge {
	struct net_device dev;
	bool has_mac;		/* [rtnl_mutex] somebody gave it its address */
	struct list_head ports; /* [bridge_lock] */
	u32 nr_ports;		/* [bridge_lock] */
	u64 ageing_ns;		/* [a] */
	u32 forward_delay;	/* [rtnl_mutex] 1/100 s; kept */
	struct list_head slots[FDB_SLOTS]; /* [bridge_lock] of struct fdb */
	u32 nr_fdb;			   /* [bridge_lock] */
};

extern struct spinlock bridge_lock;
static inline struct bridge *bridge_of(const struct net_device *dev)
{
	return dev->priv;
}

/* --- bridge_fdb.c; bridge_lock held */
void bridge_learn(struct bridge_port *p, const u8 *mac);
struct bridge_port *bridge_find(struct bridge *br, const u8 *mac);
/* All that were heard by @p; NULL: by any. */
void bridge_forget(struct bridge *br, const struct bridge_port *p);
/* --- bridge_data.c */
void bridge_take(struct net_device *dev, struct netbuf *b); /* a port's taker */
bool bridge_xmit(struct net_device *dev, struct netbuf *b);

#endif /* NET_LINK_BRIDGE_H */
