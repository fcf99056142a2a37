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

#define ETH_P_802_3 1 /* without a type of its own: IPX, LLC */
#define ETH_P_802_2 4

struct packet_ring; /* packet_ring.h */
struct net_device;
struct netbuf;

/* Where a frame was heard: struct sockaddr_ll. */
struct packet_link {
	s32 ifindex;
	u16 hatype;
	u8 pkttype, halen;
	u8 addr[8]; /* the sender's */
};

struct packet_buf {
	struct list_head node;
	u32 len, whole; /* kept, and as it was */
	u64 stamp_ns;
	u16 proto;
	u8 head;   /* bytes of the link header, of what the socket gets */
	bool open; /* the checksum of the transport is not there yet */
	struct packet_link link;
	u32 drops; /* lost before it */
	u8 data[];
};

struct packet_sock {
	struct socket s;
	struct list_head node; /* [packet_lock] */
	u16 proto;	       /* [packet_lock] host order; 0: none */
	s32 ifindex;	       /* [packet_lock] 0: any; -1: it has gone */
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
	struct list_head members; /* [rtnl_mutex] packet_member.c */
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
/* Does anybody in @net listen?  Then the frame, whose data begin at its link header: as it
 * leaves, but for @but, who sends it; or as it comes, for those that want all (@all) only,
 * or everybody.  No spinlock held. */
static inline bool packet_taps(const struct net_ns *net)
{
	return load_once(&net->taps);
}
void packet_tap_out(struct net_device *dev, const struct netbuf *b,
		    const struct socket *but);
void packet_tap_in(struct net_device *dev, const struct netbuf *b, bool all);
/* It has gone down; it leaves its namespace.  rtnl_mutex held. */
void packet_link_down(struct net_device *dev);
void packet_link_gone(struct net_device *dev);

/* --- packet_member.c: PACKET_ADD_MEMBERSHIP, _DROP_ */
int packet_membership(struct packet_sock *ps, bool in, const void *val,
		      u32 len);
void packet_leave_all(struct packet_sock *ps);
/* Those of @dev, which goes: taken out under packet_lock, and dropped without it. */
void packet_members_of(struct packet_sock *ps, const struct net_device *dev,
		       struct list_head *out);
void packet_members_drop(struct list_head *gone);

/* A frame of @n bytes for the loopback that @from sends; it arrives where it should. */
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
