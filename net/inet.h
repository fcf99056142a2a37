/* SPDX-License-Identifier: MIT */
/*
 * net/inet.h - what the files of the internet families share.
 *
 * There is one interface, the loopback, so there are no packets: a connection is two
 * sockets that put bytes into each other's queue, a datagram is a message in the
 * receiver's.  What a program sees of TCP and UDP is kept: ports, backlogs, half
 * closes, resets, refused connections, options.
 *
 * An IPv4 address is kept as its v4-mapped IPv6 one.
 *
 * Locks that guard the members:
 *	i	inet_lock: states, names, who is connected to whom, backlogs
 *	q	is->lock: the receive queue
 *	r	is->rd_mutex: who reads; only a reader takes from the queue
 *	I	immutable		a	atomic word
 * Neither of the two locks is taken under the other.
 *
 * Context: coroutine.
 */
#ifndef NET_INET_H
#define NET_INET_H

#include <kernel/dev/netdev.h>
#include <kernel/spinlock.h>
#include <lib/list.h>
#include <net/socket.h>

#define IPPROTO_IP	0
#define IPPROTO_ICMP	1
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_IPV6	41
#define IPPROTO_ICMPV6	58
#define IPPROTO_UDPLITE 136

#define LOOPBACK_MTU 65536u

/* An address with its port, in host order. */
struct inet_ep {
	u8 ip[16];
	u16 port;
	u32 scope; /* index of the interface that it is of; 0: none, or the loopback */
};
#define INET_EP_NAME 18u /* bytes of it that are compared and hashed */

enum inet_state {
	INET_IDLE,
	INET_LISTEN,
	INET_CONNECTING, /* in a listener's list of those who wait for room */
	INET_CONNECTED,
	INET_CLOSED, /* a stream that was reset or refused */
};

struct inet_sock {
	struct socket s;
	u32 refs;		       /* [a] */
	u8 proto;		       /* [I] IPPROTO_TCP, _UDP or _ICMP */
	enum inet_state state;	       /* [i] */
	bool bound;		       /* [i] on a port's list */
	bool ip_fixed, port_fixed;     /* [i] by bind(2) */
	bool adopted;		       /* [i] a listener's connection */
	struct list_head port_node;    /* [i] */
	struct inet_ep local, remote;  /* [i] */
	struct inet_sock *peer;	       /* [i, a] owned; streams */
	struct list_head backlog;      /* [i] listener: to be accepted */
	struct list_head pending;      /* [i] listener: connecting to it */
	struct list_head backlog_node; /* [i] in one of a listener's lists */
	struct inet_sock *target;      /* [i] owned; while CONNECTING */
	u32 nr_backlog, max_backlog;   /* [i] */
	struct tcp_conn
		*conn; /* [i, a] owned; a stream over packets: net/tcp/ */
	struct list_head
		syns;	/* [i] listener: of those that begin; next is NULL:
				  * never any */
	u32 nr_syns;	/* [i] */
	bool lingers;	/* [i] no file, and its port is in use still */
	bool announced; /* [i] connect() that did not wait told */
	u32 shut;	/* [a] SHUT_* */
	bool dead;	/* [a] its file is gone */
	u32 uid;	/* [I] of who made it */
	struct spinlock lock;	 /* RANK_PIPE */
	struct list_head queue;	 /* [q] of inet_buf */
	u64 queued;		 /* [q] their cost */
	u64 bytes;		 /* [q] their unread bytes */
	u32 oob;		 /* [q] OOB_* and the urgent byte */
	u64 oob_at;		 /* [q] unread bytes before the mark */
	struct list_head errors; /* [q] errq.c */
	u32 nr_errors;		 /* [q] */
	struct mutex rd_mutex;
	/* options: [a] */
	bool v6only, nodelay, cork, recverr, inq;
	bool mc_own_only, mc6_own_only; /* mcast.c */
	u32 mcast_if, mcast_if6;	/* likewise: an index, or 0 */
	u32 unicast_if, unicast_if6;	/* IP_UNICAST_IF: an index, or 0 */
	u8 mcast_addr[4];		/* mcast.c */
	struct list_head mc_groups; /* [i] mcast.c; next is NULL: never any */
	u32 nr_groups;		    /* [i] */
	bool slow_send; /* udp_cork.c has something to do with each datagram */
	bool udp_cork, gro, no_check6[2]; /* udp_cork.c */
	bool describes; /* a read tells more than bytes: some option was on */
	u16 segment;	/* udp_cork.c */
	struct inet_buf *begun; /* [r] udp_cork.c; owned, or NULL */
	bool hdrincl;		/* raw.c */
	s32 cksum_at;		/* raw.c */
	u32 *icmp_filter;	/* [i] raw.c; owned, or NULL */
	u16 cscov[2];		/* UDP-Lite: sent, wanted */
	u32 keepidle, keepintvl, keepcnt, user_timeout;
	struct inet_chooser *chooser; /* [i] reuse.c; NULL: none */
	u32 fastopen;		      /* TCP_FASTOPEN: the queue, kept */
	bool fastopen_connect;
	u8 tos, ttl, mtu_discover, tclass, mcast_ttl;
	u8 mtu_discover6, mcast_hops;
	u64 kept;      /* inet_opt.c: switches that were turned */
	u32 told[2];   /* TELL_* of a packet of IPv4, of IPv6 */
	bool freebind; /* may have any address */
	u32 syncnt, linger2, window_clamp;    /* kept */
	u32 notsent_lowat;		      /* so much may wait; 0: any */
	u16 user_mss;			      /* kept */
	u8 defer_tries;			      /* tcp_opt.c: TCP_DEFER_ACCEPT */
	bool no_quickack, fastopen_no_cookie; /* kept */
	u8 min_ttl, min_hops, addr_prefs;     /* kept */
	u16 hops;	/* IPv6; 1 more than that, 0: default */
	u64 got_bytes;	/* [q] a stream's, ever */
	u32 got_segs;	/* [q] sends of them */
	u32 zerocopies; /* [q] MSG_ZEROCOPY: sends that were told of */
	u32 port_range; /* IP_LOCAL_PORT_RANGE: first, last << 16; 0s: any */
};

/* What is told with a packet. */
#define TELL_PKTINFO	 BIT(0)
#define TELL_TTL	 BIT(1)
#define TELL_TOS	 BIT(2)
#define TELL_DST	 BIT(3)
#define TELL_2292PKTINFO BIT(4)
#define TELL_2292TTL	 BIT(5)
#define TELL_FLOWINFO	 BIT(6)

#define OOB_NONE 0u
#define OOB_SET	 0x100u
#define OOB_READ 0x200u

/* Bytes on their way; a datagram knows whom from. */
struct inet_buf {
	struct list_head node; /* [q] */
	struct netbuf *
		frame; /* [I] streams: the bytes, and this, are in it; or NULL */
	u32 len, cap;  /* [q] used and allocated */
	u32 mark;      /* [I] datagrams: SO_MARK of the sender */
	u32 drops;     /* [q] datagrams: what the queue had lost before */
	u32 off;       /* [r] already read */
	struct inet_ep from; /* [I] datagrams */
	struct inet_ep to;   /* [I] datagrams */
	u64 stamp_ns;	     /* [q] of arrival, or 0; datagrams */
	u8 hops, class;	     /* [I] datagrams */
	u16 segment; /* [I] datagrams: so long are its parts; 0: it is one */
	bool peeked; /* [r] a peek with SO_PEEK_OFF saw that it is empty */
	u8 data[];
};

/* What it takes of memory. */
static inline u32 inet_buf_cost(const struct inet_buf *b)
{
	return b->frame ? b->frame->cap + (u32)sizeof(*b->frame)
			: b->cap + (u32)sizeof(*b);
}
static inline u8 *inet_buf_bytes(struct inet_buf *b)
{
	return b->frame ? b->frame->data : b->data;
}
void inet_buf_free(struct inet_buf *b);

extern struct spinlock inet_lock;

static inline struct inet_sock *to_inet(struct socket *s)
{
	return container_of(s, struct inet_sock, s);
}
static inline bool inet_is_stream(const struct inet_sock *is)
{
	return is->s.type == SOCK_STREAM;
}
/* Or NULL. */
struct inet_sock *inet_alloc(struct net_ns *net, u16 family, u16 type,
			     u8 proto);
struct inet_sock *inet_get(struct inet_sock *is);
void inet_put(struct inet_sock *is); /* no lock held; NULL is fine */
struct inet_sock *inet_get_peer(struct inet_sock *is);
void inet_wake_all(struct inet_sock *is);
void inet_purge(struct inet_sock *is);

/* --- inet_addr.c */
int inet_addr_in(const struct inet_sock *is, const struct sock_addr *a,
		 struct inet_ep *out);
/* The same where only addresses of the socket's own family will do. */
int inet_addr_own(const struct inet_sock *is, const struct sock_addr *a,
		  struct inet_ep *out);
void inet_addr_out(const struct inet_sock *is, const struct inet_ep *ep,
		   struct sock_addr *out);
bool inet_is_v4(const struct inet_ep *ep);
bool inet_is_any(const struct inet_ep *ep);
/* An address of this machine, as @net sees it. */
bool inet_is_local(const struct net_ns *net, const struct inet_ep *ep);
bool inet_is_loopback(const struct inet_ep *ep);
bool inet_same_ip(const struct inet_ep *a, const struct inet_ep *b);
/* "Any", as a destination, means the loopback address of its family. */
void inet_any_to_loopback(struct inet_ep *ep);
/* What @is, without a name, sends from when it sends to @to; inet_lock may be held. */
void inet_source(const struct inet_sock *is, const struct inet_ep *to,
		 struct inet_ep *from);
/* --- inet_reach.c */
/*
 * Where is @ep for @is?  ep->scope becomes the interface that leads there, or 0: it is on
 * this machine.  @m: the message to be sent, or NULL.  @src: what it is sent from if nobody
 * says; or NULL.  0, -ENETUNREACH, -EACCES (a broadcast) ...
 */
int inet_reach(const struct inet_sock *is, const struct sock_msg *m,
	       struct inet_ep *ep, u8 src[16]);
/* May @is be bound to @ep?  A link's address makes it the link's: *@dev. */
int inet_check_bind(const struct inet_sock *is, const struct inet_ep *ep,
		    u32 *dev);
/* Who connects to a link's address is the link's from now on. */
void inet_bind_scope(struct inet_sock *is, const struct inet_ep *ep);
/* The MTU of the way to the peer, as IP_MTU says it. */
u32 inet_mtu(const struct inet_sock *is);

/* --- inet_port.c; inet_lock held */
/* Does current's domain allow it (LANDLOCK_NET_*)?  0 or -EACCES. */
int inet_may(const struct socket *s, const struct inet_ep *ep, u32 what);
int inet_bind_locked(struct inet_sock *is, const struct inet_ep *ep);
int inet_autobind_locked(struct inet_sock *is, const struct inet_ep *to);
void inet_unbind_locked(struct inet_sock *is);
/* connect(AF_UNSPEC): forget what bind(2) did not fix. */
void inet_forget_locked(struct inet_sock *is);
/* A connection that a listener made: on its port's list, without a check. */
void inet_adopt_port_locked(struct inet_sock *is);
int inet_listen_check_locked(struct inet_sock *is);
/* Who takes what comes for @to from @from, without a reference, or NULL.  @b is the
 * datagram; NULL: it is about a connection. */
struct inet_sock *inet_find_locked(const struct net_ns *net, u8 proto,
				   const struct inet_ep *to,
				   const struct inet_ep *from,
				   const struct inet_buf *b);
/* Do they share a port by SO_REUSEPORT? */
bool inet_same_group(const struct inet_sock *a, const struct inet_sock *b);
/* All that have a port in @net; @fn under inet_lock, which is given up in between. */
void inet_for_each(const struct net_ns *net,
		   void (*fn)(struct inet_sock *is, void *arg), void *arg);
/* Those that have @port, inet_lock held. */
void inet_for_port_locked(const struct net_ns *net, u16 port,
			  void (*fn)(struct inet_sock *is, void *arg),
			  void *arg);

/* --- reuse.c: programs that choose among those who share a port */
struct sock_filter;
/* Takes @f, which is not checked yet; NULL: none from now on.  0, -EINVAL, -ENOENT ... */
int inet_set_chooser(struct socket *s, struct sock_filter *f);
/* inet_lock held */
void inet_join_group_locked(struct inet_sock *is, struct inet_sock *with);
void inet_leave_group_locked(struct inet_sock *is);
/* The number among those of the group of @is, which has a program; maybe too high. */
u32 inet_choose_locked(const struct inet_sock *is, const struct inet_buf *b);

/* --- inet.c: operations that kinds of sockets share */
int inet_name(struct socket *s, bool of_peer, struct sock_addr *out);
int inet_peer_creds(struct socket *s, struct sock_creds *out);
u32 inet_poll(struct socket *s, struct file *f, struct poll_table *pt);
u64 inet_inq(struct socket *s);
void inet_release(struct socket *s);
struct spinlock *inet_queue_lock(struct socket *s);
int udp_shutdown(struct socket *s, u32 how);
/* May a socket have that address? */
bool inet_may_have(const struct net_ns *net, const struct inet_ep *ep);
void inet_set_any(struct inet_sock *is); /* inet_lock held: no own address */

/* --- tcp.c */
int tcp_connect(struct socket *s, const struct sock_addr *addr, bool nonblock);
int tcp_listen(struct socket *s, int backlog);
struct socket *tcp_accept(struct socket *s, bool nonblock);
int tcp_shutdown(struct socket *s, u32 how);
/* --- tcp_end.c */
void tcp_close(struct inet_sock *is);
void tcp_disconnect(struct inet_sock *is); /* connect(AF_UNSPEC) */
/* The connection of @is is over; inet_lock held, and who waits is to be woken. */
void tcp_end_locked(struct inet_sock *is, u32 error);
u32 tcp_poll_bits(struct inet_sock *is);
/* A connection over packets has come for the listener @to: @fresh is its socket, in the
 * backlog.  False: there is no room, or nobody listens.  inet_lock held. */
bool tcp_join_wire_locked(struct inet_sock *to, struct inet_sock *fresh,
			  const struct inet_ep *local,
			  const struct inet_ep *remote);
/* --- tcp_opt.c: of socket_ops */
void tcp_changed(struct socket *s);
u64 tcp_outq(struct socket *s);
s64 tcp_ioctl(struct socket *s, unsigned int cmd, u64 arg);
/* --- tcp_data.c */
s64 tcp_send(struct socket *s, struct sock_msg *m);
s64 tcp_recv(struct socket *s, struct sock_msg *m);
void tcp_set_lowat(struct socket *s, u32 v); /* of socket_ops */
/* Is there what poll(2) waits for: SO_RCVLOWAT bytes? */
bool tcp_readable(const struct inet_sock *is);
bool tcp_has_room(const struct inet_sock *is, const struct inet_sock *peer);
/* --- udp.c */
int udp_connect(struct socket *s, const struct sock_addr *addr, bool nonblock);
s64 udp_send(struct socket *s, struct sock_msg *m);
s64 udp_recv(struct socket *s, struct sock_msg *m);
u32 udp_poll_bits(struct inet_sock *is);
/* Where @m goes from @is, and from what address; a socket without a port gets one. */
int inet_route(struct inet_sock *is, const struct sock_msg *m,
	       struct inet_ep *to, struct inet_ep *from);
/* The address of @a, checked to be one that we can reach. */
int inet_target(struct inet_sock *is, const struct sock_addr *a,
		struct inet_ep *ep);
/* Hop limit and traffic class of @b: of the message, or of the socket. */
void inet_mark(const struct inet_sock *is, const struct sock_msg *m,
	       struct inet_buf *b);
/* Queue @b, and wake who waits for it; false: no room, and @b stays the caller's. */
bool udp_enqueue(struct inet_sock *to, struct inet_buf *b);
/* To the socket that it is for, if there is one; takes it. */
void udp_deliver(struct net_ns *net, u8 proto, struct inet_buf *b);
/* A datagram of @m with its addresses: @before's if that is not NULL, behind which it
 * will be put; or ERR_PTR. */
struct inet_buf *udp_read_datagram(struct inet_sock *is, struct sock_msg *m,
				   const struct inet_buf *before);
/* On its way; takes it.  0 or -errno. */
int udp_transmit(struct inet_sock *is, struct inet_buf *b);
/* It came over an interface: to whom it is for.  False: nobody, and @b stays. */
bool udp_take(struct net_ns *net, u8 proto, struct inet_buf *b);
/* To a receiver that wants several in one, which takes it; false: it does not. */
bool udp_give_whole(struct inet_sock *is, struct inet_buf *b);
/* --- udp_cork.c */
s64 udp_send_slow(struct inet_sock *is, struct sock_msg *m);
int udp_setopt(struct inet_sock *is, int opt, u32 v);
int udp_getopt(const struct inet_sock *is, int opt, u32 *v);
/* --- mcast.c */
bool inet_is_multicast(const struct inet_ep *ep);
bool inet_is_broadcast(const struct inet_ep *ep);
/* May @is send to such an address over the loopback?  0, -EACCES or -ENETUNREACH. */
int inet_flood_target(const struct inet_sock *is, const struct inet_ep *ep);
/* The interface that groups are sent to, by IP_MULTICAST_IF: 0, none is named. */
u32 inet_mc_dev(const struct inet_sock *is, bool v4);
bool inet_mc_loops(const struct inet_sock *is, bool v4); /* inet_opt.c */
bool inet_dontfrag(const struct inet_sock *is); /* inet_opt.c: IPV6_DONTFRAG */
/* Copies of @b, which stays the caller's, to all that take it. */
void inet_flood(struct net_ns *net, u8 proto, const struct inet_buf *b);
/* Those that one packet is for, a reference of each: so copies are made and filters run
 * with no lock held, and others have their turn. */
struct inet_hearers {
	struct inet_sock **to, *few[8];
	u32 nr, room; /* nr > room: more than was thought */
};
/* In @find, which inet_lock is held around. */
void inet_hears(struct inet_hearers *h, struct inet_sock *is);
/* false: no memory.  @find may be asked again. */
bool inet_gather(struct inet_hearers *h,
		 void (*find)(struct inet_hearers *h, void *arg), void *arg);
void inet_drop_hearers(struct inet_hearers *h);
/* Takes the references; @copy_for: for one of them, or NULL. */
void inet_give_all(struct inet_hearers *h,
		   struct inet_buf *(*copy_for)(const struct inet_sock *is,
						const void *arg),
		   const void *arg);
/* IP_MULTICAST_IF says what address such a datagram is from. */
void inet_mc_source(const struct inet_sock *is, struct inet_ep *from);
/* @fn with each group that @is has joined; inet_lock held. */
void inet_mc_for_each(const struct inet_sock *is,
		      void (*fn)(const struct inet_ep *group, void *arg),
		      void *arg);
void inet_leave_all(struct inet_sock *is); /* its end */
/* -ENOPROTOOPT: none of these. */
int inet_mc_setopt(struct inet_sock *is, int level, int opt, const void *val,
		   u32 len);
int inet_mc_getopt(const struct inet_sock *is, int level, int opt, u32 *v);
/* --- inet_told.c: control messages about @b, which is read */
void inet_describe(const struct inet_sock *is, const struct inet_buf *b,
		   struct sock_msg *m);
/* --- errq.c */
/* @send (@is, @m) with MSG_ZEROCOPY, if the socket is for that: what is sent is told of in
 * the queue of errors. */
s64 inet_send_zerocopy(struct inet_sock *is, struct sock_msg *m,
		       s64 (*send)(struct socket *s, struct sock_msg *m));
struct extended_err { /* Linux's struct sock_extended_err */
	u32 err;
	u8 origin, type, code, pad;
	u32 info, data;
};
#define ORIGIN_LOCAL	    1
#define ORIGIN_ICMP	    2
#define ORIGIN_ICMP6	    3
#define ORIGIN_TIMESTAMPING 4
#define ORIGIN_ZEROCOPY	    5
#define ZEROCOPY_COPIED	    1
#define ICMP_UNREACH	    3 /* types and codes that an error tells of */
#define ICMP_UNREACH_PORT   3
#define ICMP6_UNREACH	    1
#define ICMP6_UNREACH_PORT  4
/* @is hears that @b, which it sent and which stays the caller's, was answered by that
 * error. */
void inet_post_error(struct inet_sock *is, const struct inet_buf *b, u32 err,
		     u8 type, u8 code);
struct inet_fault {
	u32 err;
	u8 origin, type, code;
	u32 info;
	const u8 *from; /* 16 bytes: who says so */
	bool soft;	/* not told but to those who ask for errors */
};
void inet_post_fault(struct inet_sock *is, const struct inet_buf *b,
		     const struct inet_fault *f);
/* Queue @q, which begins with a struct extended_err; false: no room, it stays the
 * caller's. */
bool inet_queue_error(struct inet_sock *is, struct inet_buf *q);
s64 inet_recv_error(struct inet_sock *is, struct sock_msg *m);
void inet_drop_errors(struct inet_sock *is);
/* --- txstamp.c */
void inet_tell_sent(struct inet_sock *is, u32 which, const struct inet_buf *b,
		    u32 n);
/* @b of @m is about to go, and stays the caller's: tell of it if that was asked for. */
static inline void inet_stamp_sent(struct inet_sock *is,
				   const struct sock_msg *m,
				   const struct inet_buf *b)
{
	if (unlikely(load_once(&is->s.stamping) | m->tx_stamps))
		inet_tell_sent(is, socket_tx_stamps(&is->s, m), b, 1);
}
/* @n bytes of a stream have gone. */
static inline void inet_stamp_stream(struct inet_sock *is,
				     const struct sock_msg *m, u32 n)
{
	if (unlikely(load_once(&is->s.stamping) | m->tx_stamps))
		inet_tell_sent(is, socket_tx_stamps(&is->s, m), NULL, n);
}
/* As /proc/net/tcp and TCP_INFO number it. */
int inet_tcp_state(const struct inet_sock *is);
/* --- icmp.c: a ping socket's datagram becomes a packet; -EINVAL: it is no request */
int icmp_prepare(const struct inet_sock *is, struct inet_buf *b);
/* --- inet_opt.c */
int inet_setopt(struct socket *s, int level, int opt, const void *val, u32 len);
int inet_getopt(struct socket *s, int level, int opt, void *val, u32 len);
#define TCP_INFO_SIZE 248u
/* inet_lock held */
void inet_tcp_info_locked(const struct inet_sock *is, u8 info[TCP_INFO_SIZE]);

#endif /* NET_INET_H */
