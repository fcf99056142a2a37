/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/conn.h - a connection over packets as sockets see it: a control block with its
 * addresses, socket, route and timer.  Data flow, ownership and locking: tcp.h.
 *
 * Context: coroutine or the worker "net", no spinlock held, unless said otherwise.
 */
#ifndef NET_TCP_CONN_H
#define NET_TCP_CONN_H

#include <kernel/time/timer.h>
#include <net/inet.h>
#include <net/link/link.h>
#include <net/route/route.h>
#include <net/tcp/tcp.h>

/* What the table has: connections, and what is left of those that wait for their end. */
struct tcp_entry {
	struct list_head node; /* [tcp_lock] */
	struct net_ns *
		net; /* [I] owned by a connection's socket, not by one that waits */
	struct inet_ep local, remote; /* [I] */
	bool waits;		      /* [I] a struct tcp_wait */
};

struct tcp_conn {
	struct tcp_entry e;
	u32 refs; /* [a] */
	struct mutex lock;
	struct netdev_batch out; /* [lock] what is sent while it is held */
	struct tcb t;		 /* [lock] */
	struct inet_sock *is;	 /* [lock] owned, or NULL: not yet, no more */
	struct inet_sock *listener; /* [lock] owned; while SYN_RECV */
	struct list_head syn_node;  /* [inet_lock] of the listener's */
	u32 oif;	    /* [I] interface that it is bound to, or 0 */
	bool waits;	    /* [lock] TIME_WAIT is to begin */
	bool news;	    /* [lock] who reads is to be woken */
	struct route route; /* [lock] */
	bool routed;	    /* [lock] */
	u32 route_gen;	    /* [lock] */
	u8 tos, ttl;	    /* [lock] */
	u32 mark;	    /* [lock] */
	u32 path_mtu;	    /* [a] ICMP's; 0: nothing is to be done */
	u64 armed;	    /* [lock] deadline of timer; 0: it is not armed */
	struct ktimer timer;
	struct net_work work;
};

/* --- conn.c */
/* Between @local and @remote, with one reference, or NULL. */
struct tcp_conn *tcp_conn_new(struct net_ns *net, const struct inet_ep *local,
			      const struct inet_ep *remote);
struct tcp_conn *tcp_conn_get(struct tcp_conn *c);
void tcp_conn_put(struct tcp_conn *c); /* NULL is fine */
void tcp_conn_lock(struct tcp_conn *c);
/* The same, without a look at the options of its socket. */
void tcp_conn_lock_plain(struct tcp_conn *c);
/* What the lock's holder left to be done is done. */
void tcp_conn_unlock(struct tcp_conn *c);
/* The options of @is. */
void tcp_conn_configure(struct tcp_conn *c, const struct inet_sock *is);
/* It has a way to its peer: 0, or -ENETUNREACH ... */
int tcp_conn_route(struct tcp_conn *c);
u32 tcp_ip_head(const struct inet_ep *ep);
/* Its control block begins [RFC 6528]. */
void tcp_conn_begin(struct tcp_conn *c, u32 at_least);

/* --- table.c; any context, tcp_lock is inside of inet_lock */
extern struct spinlock tcp_lock;
/* -EADDRINUSE: there is one between these addresses. */
int tcp_table_add(struct tcp_conn *c);
void tcp_table_del(struct tcp_conn *c); /* and its reference */
/* With a reference; or *@waits is filled in, and NULL. */
struct tcp_wait;
struct tcp_conn *tcp_table_find(const struct net_ns *net,
				const struct inet_ep *local,
				const struct inet_ep *remote, bool *waits);
/* tcp_lock held */
struct tcp_entry *tcp_table_look_locked(const struct net_ns *net,
					const struct inet_ep *local,
					const struct inet_ep *remote);
void tcp_table_put_locked(struct tcp_entry *e);

/* --- wait.c: TIME_WAIT */
/* @c, which is in that state, becomes a small block; t->lock held. */
void tcp_wait_begin(struct tcp_conn *c);
/* A segment for one that waits.  True: it opens a new connection, whose first number is
 * *@iss at least; the old one is gone. */
bool tcp_wait_input(struct net_ns *net, const struct inet_ep *local,
		    const struct inet_ep *remote, const struct tcp_seg *s,
		    u32 *iss);
/* connect(2) wants these addresses again: true, they are free, with numbers from *@iss on. */
bool tcp_wait_reuse(const struct net_ns *net, const struct inet_ep *local,
		    const struct inet_ep *remote, u32 *iss);

/* --- reply.c: segments of nobody's connection */
void tcp_reply_reset(struct net_ns *net, const struct inet_ep *local,
		     const struct inet_ep *remote, const struct tcp_seg *s);
/* A bare acknowledgement; @ts: time stamps, or NULL. */
struct tcp_reply {
	u32 seq, ack;
	u16 wnd;
	u8 flags;
	bool has_ts;
	u32 tsval, tsecr;
	u8 tos;
};
void tcp_reply(struct net_ns *net, const struct inet_ep *local,
	       const struct inet_ep *remote, const struct tcp_reply *r);
/* Ports and checksum are put in, and it goes. */
int tcp_transmit(struct net_ns *net, const struct route *r,
		 const struct inet_ep *local, const struct inet_ep *remote,
		 const struct ip_opts *o, struct netbuf *b);

/* --- listen.c */
void tcp_syn_input(struct net_ns *net, const struct inet_ep *local,
		   const struct inet_ep *remote, const struct tcp_seg *s,
		   u32 iss);
/* c->lock held: the handshake that a listener began is over: a socket in its backlog. */
bool tcp_child_ready(struct tcp_conn *c);
/* It will not be: the listener forgets it. */
void tcp_child_gone(struct tcp_conn *c);

#endif /* NET_TCP_CONN_H */
