/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/wire.h - what net/tcp.c and its kin use of connections over packets: is->conn.
 *
 * Each call does nothing, and says so by what it returns, for a socket that has none.
 * Context: coroutine, no lock held unless said otherwise.
 */
#ifndef NET_TCP_WIRE_H
#define NET_TCP_WIRE_H

#include <net/inet.h>

#define TCP_TIME_WAIT_STATE 6 /* as inet_tcp_state() */

struct tcp_conn;

/* With a reference, or NULL. */
struct tcp_conn *tcp_wire_get(struct inet_sock *is);
void tcp_wire_put(struct tcp_conn *c);

/* Connect to @ep, which is not on this machine.  -EINPROGRESS: the SYN has gone. */
int tcp_wire_connect(struct inet_sock *is, const struct inet_ep *ep);
s64 tcp_wire_send(struct inet_sock *is, struct tcp_conn *c, struct sock_msg *m);
/* A reader took @n bytes. */
void tcp_wire_read(struct inet_sock *is, u64 n);
void tcp_wire_shutdown(struct inet_sock *is);
/* Its file goes: true, it keeps its port till the peer has all. */
bool tcp_wire_close(struct inet_sock *is, bool abort);
/* A reset, and no connection any more. */
void tcp_wire_abort(struct inet_sock *is);
/* The listener is to have no more that begin. */
void tcp_wire_stop_listening(struct inet_sock *is);
bool tcp_wire_writable(struct inet_sock *is);
/* Options have changed. */
void tcp_wire_changed(struct inet_sock *is);
/* Bytes that the peer has not acknowledged; those that were not sent yet. */
u64 tcp_wire_outq(struct inet_sock *is, bool unsent);

/* --- inet_lock held, or nobody else knows @is */
int tcp_wire_state(const struct inet_sock *is); /* 0: none */
void tcp_wire_info(const struct inet_sock *is, u8 *info);
u32 tcp_wire_mss(const struct inet_sock *is);	  /* 0: none */
u32 tcp_wire_unacked(const struct inet_sock *is); /* bytes */
/* Is @ep's port that of a connection which waits for its end? */
bool tcp_port_waits(const struct net_ns *net, const struct inet_ep *ep);
/* What is left of connections of @net, TIME_WAIT: @fn may not sleep, tcp_lock is held. */
struct tcp_wait_info {
	u16 family; /* of the socket that was */
	struct inet_ep local, remote;
	u64 left_ns;
};
void tcp_wait_for_each(const struct net_ns *net,
		       void (*fn)(const struct tcp_wait_info *i, void *arg),
		       void *arg);
/* The namespace ends. */
void tcp_net_end(struct net_ns *net);

#endif /* NET_TCP_WIRE_H */
