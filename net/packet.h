/* SPDX-License-Identifier: MIT */
/*
 * net/packet.h - packet(7) sockets: what goes over the loopback, as frames.
 *
 * A frame is heard twice, as it leaves (by who wants all protocols) and as it arrives.
 * It is made when there is such a socket only.  TCP's are not made at all.
 *
 * Locking: packet_lock (RANK_FILE) guards the list and who wants what; ps->lock (RANK_PIPE)
 * the queue, the counters and the filter.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <kernel/sched/wait.h>
#include <net/ip.h>

#define ETH_P_ALL 3

#define PACKET_HOST	0
#define PACKET_OUTGOING 4

struct packet_ring; /* packet_ring.h */

struct packet_buf {
	struct list_head node;
	u32 len, whole; /* kept, and as it was */
	u64 stamp_ns;
	u16 proto;
	u8 pkttype;
	u32 drops; /* lost before it */
	u8 data[];
};

struct packet_sock {
	struct socket s;
	struct list_head node; /* [packet_lock] */
	u16 proto;	       /* [packet_lock] host order; 0: none */
	s32 ifindex;	       /* [packet_lock] 0: any */
	bool auxdata, origdev, ignore_outgoing; /* [a] */
	bool loss, has_off, bypass;		/* [a] kept */
	u32 copy_thresh, timestamp;		/* [a] kept */
	u32 version, reserve;	  /* [rd_mutex] of a ring to be made */
	struct packet_ring *ring; /* [rd_mutex and lock] owned, or NULL */
	struct spinlock lock;
	struct list_head queue; /* [lock] of struct packet_buf */
	u64 queued;		/* [lock] their cost */
	u32 heard, lost;	/* [lock] since they were asked for */
	u32 frozen; /* [lock] times that a ring of blocks was full */
	struct mutex rd_mutex;
};

static inline struct packet_sock *to_packet(struct socket *s)
{
	return container_of(s, struct packet_sock, s);
}

/* --- packet_tap.c */
extern struct spinlock packet_lock;
void packet_add(struct packet_sock *ps);
void packet_remove(struct packet_sock *ps);
/* @fn, under packet_lock, with each of @net. */
void packet_for_each(const struct net_ns *net,
		     void (*fn)(struct packet_sock *ps, void *arg), void *arg);
/* A frame of @n bytes that @from sends; it arrives where it should. */
void packet_inject(struct packet_sock *from, const u8 *frame, u32 n);

/* --- packet_opt.c */
int packet_setopt(struct socket *s, int level, int opt, const void *val,
		  u32 len);
int packet_getopt(struct socket *s, int level, int opt, void *val, u32 len);

#define SOL_PACKET     263
#define PACKET_AUXDATA 8
struct tpacket_auxdata {
	u32 status, len, snaplen;
	u16 mac, net, vlan_tci, vlan_tpid;
};

#endif /* NET_PACKET_H */
