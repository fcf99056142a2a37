/* SPDX-License-Identifier: MIT */
/*
 * net/link/dev.h - what net/link/ keeps of an interface besides struct net_device, and what
 * its files ask of each other.
 *
 * Members are guarded by:
 *	R	rtnl_mutex		t	tx_lock
 *	b	the backlog's lock	a	atomic word
 *	I	immutable from registration on
 */
#ifndef NET_LINK_DEV_H
#define NET_LINK_DEV_H

#include <lib/atomic.h>
#include <net/link/link.h>

struct link;
struct sys_attr; /* kernel/dev/sysfs.h */
struct nl_out;
struct nlattr;

/* What is asked of a new one. */
struct link_new {
	const char *name;	   /* NETDEV_NAME bytes; "": chosen */
	const struct nlattr *data; /* IFLA_INFO_DATA, or NULL */
	const u8 *mac;		   /* ETH_ALEN bytes, or NULL: chosen */
	u32 mtu;		   /* 0: the usual one */
	u32 tx_queue_len;	   /* 0: likewise */
	s32 index;		   /* 0: the next one */
};

/* A kind of interface that programs make: IFLA_INFO_KIND. */
struct link_kind {
	const char *name;
	/*
	 * rtnl_mutex held.  A new one in @net, registered, named @name ("" or with %d:
	 * chosen); @data: IFLA_INFO_DATA, or NULL.  0 or -errno.  NULL: not by rtnetlink.
	 */
	int (*create)(struct net_ns *net, const struct link_new *how);
	/* It goes: link_unregister() is called for it, and for what goes with it. */
	void (*destroy)(struct net_device *dev);
	/* Its IFLA_INFO_DATA, into a nest that is open; NULL: none. */
	void (*fill)(const struct net_device *dev, struct nl_out *o);
	/* Where its other end is: a number, 0: it has none. */
	s32 (*peer_index)(const struct net_device *dev, struct net_ns **net);
	/* IFLA_INFO_DATA for one that is there; NULL: nothing can be changed. */
	int (*change)(struct net_device *dev, const struct nlattr *data);
	/* More files of its directory in /sys, or NULL. */
	const struct sys_attr *attrs;
	u32 nr_attrs;
	const char *devtype;  /* DEVTYPE of its uevents, or NULL */
	bool tells_later;     /* rtnl_link_told() of a new one is the kind's */
	bool carrier_is_kept; /* its carrier is what somebody says */
	/* Interfaces that are put under it (IFLA_MASTER); NULL: it has none. */
	int (*enslave)(struct net_device *master, struct net_device *dev);
	void (*release)(struct net_device *master, struct net_device *dev);
	/* One of them went up or down, or its link did. */
	void (*port_changed)(struct net_device *master);
};
void link_kind_register(const struct link_kind *k); /* initcalls */

struct link {
	struct net_device *dev;
	const struct link_kind *kind; /* [I] NULL: hardware, the loopback */
	bool watched; /* [a] its carrier has changed: a state other than unknown */
	bool told_carrier;		    /* [R] what listeners know of it */
	bool dying;			    /* [R] */
	bool was_up;			    /* [R] ever */
	u8 mode;			    /* [R] IFLA_LINKMODE, kept */
	u8 name_type;			    /* [R] name_assign_type */
	u8 addr_type;			    /* [R] addr_assign_type */
	u32 promisc, allmulti;		    /* [R] who asks for it */
	bool wants_promisc, wants_allmulti; /* [R] the administrator does */
	u32 carrier_up, carrier_down;	    /* [a] */
	u32 group;			    /* [R] kept */
	struct list_head groups;	    /* [R] of struct link_group */
	char *alias;			    /* [R] owned, or NULL */
	u8 broadcast[LINK_ADDR_MAX];	    /* [I] */
	struct net_device
		*master; /* [R] borrowed: it releases us before it goes */
	/* [a] Set by a master: takes what arrives.  Called by the worker. */
	void (*taker)(struct net_device *dev, struct netbuf *b);
	void *port;		 /* [R, link_lock] the master's own */
	struct sys_dir *sys;	 /* [R] */
	struct spinlock tx_lock; /* RANK_NET */
	struct list_head txq;	 /* [t] */
	u32 nr_txq;		 /* [t, a] */
	u32 nr_backlog;		 /* [b] */
	struct net_work tx_work, carrier_work;
};

static inline struct link *link_of(const struct net_device *dev)
{
	return dev->link;
}
static inline bool link_is_up(const struct net_device *dev)
{
	return load_once(&dev->flags) & IFF_UP;
}
static inline bool link_is_lo(const struct net_device *dev)
{
	return dev->type == ARPHRD_LOOPBACK;
}
static inline void link_count(u64 *which, u64 n)
{
	atomic_add_relaxed(which, n);
}

/* --- dev.c: rtnl_mutex held */
int link_register(struct net_device *dev, struct net_ns *net,
		  const struct link_kind *kind);
/* The caller's reference is netdev_put() by who calls. */
void link_unregister(struct net_device *dev);
/* @name, of NETDEV_NAME bytes, with a number for its %d.  0, -EINVAL, -EEXIST, -ENFILE. */
int link_name_choose(const struct net_ns *net, const char *want,
		     char name[NETDEV_NAME]);
int link_rename(struct net_device *dev, const char *name);
int link_set_mtu(struct net_device *dev, u32 mtu);
int link_set_mac(struct net_device *dev, const u8 *mac);
/* The interfaces of a namespace that ends go, or go back to the first one.  Takes
 * rtnl_mutex. */
void link_net_end(struct net_ns *net);
/* It goes down, and comes up in @net; @name "": keeps its own.  0 or -errno. */
int link_move(struct net_device *dev, struct net_ns *net, const char *name);
void link_random_mac(u8 mac[ETH_ALEN]);

/* --- updown.c: rtnl_mutex held */
void link_carrier_init(struct link *l);
/* One more that wants it (@by is 1), or one less (-1). */
void link_promisc(struct net_device *dev, int by);
void link_allmulti(struct net_device *dev, int by);
void link_rx_mode(struct net_device *dev); /* the driver is told */
/* As rtnetlink shows them: with IFF_RUNNING, IFF_LOWER_UP. */
u32 link_flags(const struct net_device *dev);
u8 link_operstate(const struct net_device *dev);
/* IFF_UP and kin of IFF_* as ioctl(2) sets them. */
int link_change_flags(struct net_device *dev, u32 flags);

/* --- queue.c */
/* Its EtherType, or ETH_P_802_*. */
u16 link_eth_proto(const u8 *h, u32 len);
/* A frame that came in by another interface: one that is cut by its device is cut here, if
 * this one's does not.  As link_transmit(). */
int link_forward(struct net_device *dev, struct netbuf *b);
/* A frame that was looked at, to link_input(). */
void link_pass_up(struct net_device *dev, struct netbuf *b);
/* A frame from the backlog; the worker */
void link_arrived(struct netbuf *b);
void link_queue_init(struct link *l);
void link_queue_flush(struct link *l);

/* --- group.c: rtnl_mutex held */
void link_groups_drop(struct link *l);
/* @fn with each, and how many want it. */
void link_group_for_each(const struct net_device *dev,
			 void (*fn)(const u8 *mac, u32 users, void *arg),
			 void *arg);

/* --- lo.c */
struct net_device *lo_new(struct net_ns *net);
/* --- sysfs.c: rtnl_mutex held */
void link_sysfs_add(struct net_device *dev);
void link_sysfs_remove(struct net_device *dev);
void link_sysfs_renamed(struct net_device *dev, const char *old);

/* --- show.c: rtnl_mutex held */
void link_stats(const struct net_device *dev, struct net_stats *st);
const char *link_qdisc(const struct net_device *dev);
/* The other end's number, or its own; *@net: where that is. */
s32 link_iflink(const struct net_device *dev, struct net_ns **net);
u32 link_addr_len(const struct net_device *dev);
/* Those who listen hear of it. */
void rtnl_link_told(struct net_device *dev, u32 change);
void rtnl_link_gone(struct net_device *dev);

#endif /* NET_LINK_DEV_H */
