/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/netdev.h - network interfaces: what drivers fill in and call.
 *
 * net/ defines what is declared here (net/link/): the list of interfaces, the worker
 * that takes what arrives, the configuration.  A driver allocates a struct net_device,
 * fills in what is marked [D], registers it, and hands over frames.
 *
 *	driver                        net/
 *	netdev_register()      --->   a name, an index, /sys/class/net
 *	ops->open()            <---   the interface goes up
 *	netdev_rx(frame)       --->   backlog, and the worker "net" is woken
 *	ops->xmit(frame)       <---   a frame with its link header
 *	netdev_kick_later()    --->   must the device be told of it at once?
 *	ops->kick()	       <---   no more frames for now: tell it
 *	netdev_tx_ready()      --->   xmit() said "full" before
 *	ops->stop()            <---   it goes down: no frame is held after it
 *
 * Members are guarded by:
 *	D	the driver sets it before netdev_register(); constant then
 *	R	rtnl_mutex (net/link/link.h): configuration, which may sleep
 *	a	atomic word
 *
 * Lengths are bytes.  Errors: 0 or -errno.
 */
#ifndef KERNEL_DEV_NETDEV_H
#define KERNEL_DEV_NETDEV_H

#include <kernel/ns/netconf.h>
#include <lib/list.h>
#include <lib/types.h>

struct net_device;
struct net_ns;	/* kernel/ns/net.h */
struct sys_dir; /* kernel/dev/sysfs.h */

#define ETH_ALEN      6u
#define ETH_HEADER    14u
#define ETH_MTU	      1500u
#define NETDEV_NAME   16u /* with its NUL: IFNAMSIZ */
#define LINK_ADDR_MAX 8u

/* What a frame carries: netbuf.proto. */
#define ETH_P_IP   0x0800
#define ETH_P_ARP  0x0806
#define ETH_P_IPV6 0x86dd

/* To whom a frame is: netbuf.pkttype. */
#define PACKET_HOST	 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define PACKET_OUTGOING	 4

/* Types of hardware: ARPHRD_*. */
#define ARPHRD_ETHER	1u
#define ARPHRD_LOOPBACK 772u
#define ARPHRD_NONE	0xfffeu /* IP without a link header: tun */

/*
 * A frame, and packets on their way down or up.  One owner at a time.  Received segments of
 * one connection may have others behind them, which go where the first one goes: who takes
 * no notice of them loses them (net/route/gro.c).
 *
 *	mem[0 ...  | headroom |data ... data + len| ...]
 *
 * Its memory is physically contiguous (va_to_pa() of any byte is right up to the end).
 */
struct netbuf {
	struct list_head node;	/* owner's */
	struct net_device *dev; /* owned reference, or NULL: netbuf_set_dev() */
	struct netbuf *more;	/* owned, or NULL: what is behind it */
	u8 *data;
	u32 len;
	u32 cap;	 /* [I] bytes of mem */
	u16 proto;	 /* EtherType, host order */
	u8 pkttype;	 /* of struct sockaddr_ll: PACKET_HOST ... */
	u8 flags;	 /* NETBUF_* */
	u16 csum_start;	 /* NETBUF_CSUM_PARTIAL: from mem */
	u16 csum_offset; /* from csum_start: where the checksum goes */
	u16 gso_size;	 /* bytes of TCP in each segment; 0: it is one packet */
	u16 link, net; /* offsets of the headers in mem, once they are known */
	u64 stamp_ns;  /* CLOCK_REALTIME of arrival; 0: not asked for */
	u8 mem[] __aligned(8);
};
/* Received: somebody who knows has found the transport's checksum right. */
#define NETBUF_CSUM_GOOD BIT(0)
/* Sent: the field holds the pseudo header's sum; the rest is the device's to add. */
#define NETBUF_CSUM_PARTIAL BIT(1)
#define NETBUF_GSO_V6	    BIT(2) /* gso_size: of IPv6 */

#define NETBUF_HEADROOM 128u /* for all headers that are put in front */

/* Any context.  @len bytes behind @headroom, of which none is used; NULL: no memory. */
struct netbuf *netbuf_alloc(u32 headroom, u32 len);
void netbuf_free(struct netbuf *b); /* and what is behind it; NULL is fine */
/* A copy of it alone for another owner, or NULL. */
struct netbuf *netbuf_copy(const struct netbuf *b);
/* @b, or a copy instead of it (@b is freed then), with so much room in front; NULL: no
 * memory, and @b is gone. */
struct netbuf *netbuf_expand(struct netbuf *b, u32 headroom);
/* It is @dev's from now on: a reference is taken, the old one dropped. */
void netbuf_set_dev(struct netbuf *b, struct net_device *dev);
static inline u32 netbuf_headroom(const struct netbuf *b)
{
	return (u32)(b->data - b->mem);
}
static inline u32 netbuf_tailroom(const struct netbuf *b)
{
	return b->cap - netbuf_headroom(b) - b->len;
}
/* @n more bytes in front, of which there is room; they are not set. */
static inline u8 *netbuf_push(struct netbuf *b, u32 n)
{
	b->data -= n;
	b->len += n;
	return b->data;
}
/* The first @n go; NULL: there are fewer, and nothing has changed. */
static inline u8 *netbuf_pull(struct netbuf *b, u32 n)
{
	if (b->len < n)
		return NULL;
	b->data += n;
	b->len -= n;
	return b->data;
}
static inline u8 *netbuf_put(struct netbuf *b, u32 n) /* at the end */
{
	u8 *at = b->data + b->len;

	b->len += n;
	return at;
}

/* Flags of an interface: IFF_*. */
#define IFF_UP		0x1u
#define IFF_BROADCAST	0x2u
#define IFF_LOOPBACK	0x8u
#define IFF_POINTOPOINT 0x10u
#define IFF_RUNNING	0x40u
#define IFF_NOARP	0x80u
#define IFF_PROMISC	0x100u
#define IFF_ALLMULTI	0x200u
#define IFF_MULTICAST	0x1000u
#define IFF_LOWER_UP	0x10000u

/* What a device does itself. */
#define NETDEV_TX_CSUM BIT(0) /* NETBUF_CSUM_PARTIAL */
#define NETDEV_TSO4    BIT(1) /* gso_size, IPv4 */
#define NETDEV_TSO6    BIT(2)

/* Each [a], relaxed.  What xmit() took and netdev_rx() gave is counted by net/; errors, and
 * what the hardware dropped, by the driver. */
struct net_stats {
	u64 rx_packets, rx_bytes, rx_errors, rx_dropped;
	u64 tx_packets, tx_bytes, tx_errors, tx_dropped;
	u64 multicast;
};

struct net_device_ops {
	int (*open)(struct net_device *dev);  /* [R] */
	void (*stop)(struct net_device *dev); /* [R] */
	/*
	 * Send @b, a whole frame.  True: it is the driver's.  False: there is no room
	 * now, it stays the caller's, and netdev_tx_ready() will be called.
	 * Coroutine or loop context; takes locks of rank DEV and inner ones only.
	 */
	bool (*xmit)(struct net_device *dev, struct netbuf *b);
	/*
	 * The hardware is told of what xmit() took since netdev_kick_later() said true.
	 * A coroutine; no spinlock held.  NULL: xmit() never asks.
	 */
	void (*kick)(struct net_device *dev);
	/* [R] IFF_PROMISC, IFF_ALLMULTI or the list of groups changed; NULL: it hears all. */
	void (*set_rx_mode)(struct net_device *dev);
	/* [R] NULL: -EOPNOTSUPP */
	int (*set_mac)(struct net_device *dev, const u8 mac[ETH_ALEN]);
	int (*set_mtu)(struct net_device *dev, u32 mtu);
	/* The last reference is gone: free it. */
	void (*release)(struct net_device *dev);
};

struct net_device {
	/* [D] */
	char name[NETDEV_NAME]; /* "eth%d": the number is chosen; [R] then */
	const char *driver;	/* for ethtool */
	const struct net_device_ops *ops;
	void *priv;
	u16 type;	 /* ARPHRD_* */
	u16 link_header; /* bytes in front of the packet */
	u32 features;	 /* NETDEV_* */
	u32 mtu_min, mtu_max;
	u32 tx_queue_len;
	struct sys_dir *parent;	    /* directory of the hardware, or NULL */
	u8 perm_mac[LINK_ADDR_MAX]; /* as the hardware has it */

	/* net/link/ sets them; what the driver needs of them is noted.  0s at registration
	 * are the usual ones: flags of the type, ETH_MTU, the next index. */
	u8 mac[LINK_ADDR_MAX]; /* [R] the driver's first; then set_mac() */
	u32 mtu;	       /* [R, a] likewise; what set_mtu() agreed to */
	u32 flags;	       /* [R, a] IFF_* */
	s32 index;	       /* [I after registration] */
	u32 refs;	       /* [a] */
	bool carrier;	       /* [a] netdev_carrier() */
	bool registered;       /* [R] */
	u32 speed;	       /* [a] Mbit/s; 0: not known */
	bool full_duplex;      /* [a] */
	struct net_ns *net;    /* [R, a] where it is; no reference of its own */
	struct list_head node; /* [link_lock] of its namespace */
	struct net_stats stats;
	u32 conf[NET_NR_CONF]; /* [a] of net/route/conf.h */
	void *link;	       /* net/link/'s own */
};

/*
 * Both take rtnl_mutex, which guards [R].  A new interface, down, in @net (NULL: the first namespace); dev->refs becomes 1, which
 * netdev_unregister() drops.  May sleep.  0, -EEXIST, -ENFILE, -ENOMEM.
 */
int netdev_register(struct net_device *dev, struct net_ns *net);
/* It goes down, and nobody finds it any more; who holds a reference may still look at it. */
void netdev_unregister(struct net_device *dev);
struct net_device *netdev_get(struct net_device *dev);
void netdev_put(struct net_device *dev); /* NULL is fine; may free it */

/* set_rx_mode(): the groups that somebody wants to hear. */
void netdev_for_each_group(struct net_device *dev,
			   void (*fn)(const u8 mac[ETH_ALEN], void *arg),
			   void *arg);
/*
 * A frame came: b->data is its link header (if link_header is 0: b->proto is set).  Takes
 * it.  Loop context or coroutine; locks of rank DEV and outer ones may be held.  The
 * backlog has an end: what does not fit is counted (rx_dropped) and freed.
 */
void netdev_rx(struct net_device *dev, struct netbuf *b);
/* There is room again.  As netdev_rx(). */
void netdev_tx_ready(struct net_device *dev);
/*
 * xmit() asks, without a lock of its own: will kick() be called soon?  Then hardware that is
 * dear to reach is told once of several frames.  False: tell it now.
 */
bool netdev_kick_later(struct net_device *dev);

/*
 * A coroutine that may send several frames one after another says so around them: the
 * device is told of the first, and at the end of the others.  It may sleep in between if that is short.
 * Inside of another batch of the same coroutine a batch is nothing.
 */
struct netdev_batch {
	struct net_device *dev; /* owned reference; NULL: nothing waits */
	u32 nr;			/* of frames since it was kicked */
	bool inner;
};
void netdev_batch_begin(struct netdev_batch *s);
void netdev_batch_kick(struct netdev_batch *s); /* and it goes on */
void netdev_batch_end(struct netdev_batch *s);

/* The link came or went.  As netdev_rx(); also before registration. */
void netdev_carrier(struct net_device *dev, bool on);

#endif /* KERNEL_DEV_NETDEV_H */
