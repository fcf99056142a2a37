/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/listen.c - connections that others begin: a SYN becomes a connection in SYN_RECV,
 * of which its listener has a list, no longer than the backlog; when the handshake is over it
 * gets a socket and goes into the backlog, together with those of this machine.
 */
#include <net/tcp/conn.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/tcp/wire.h>

static struct inet_sock *find_listener(struct net_ns *net,
				       const struct inet_ep *local,
				       const struct inet_ep *remote)
{
	struct inet_sock *l;

	spin_lock(&inet_lock);
	l = inet_find_locked(net, IPPROTO_TCP, local, remote, NULL);
	if (l)
		inet_get(l);
	spin_unlock(&inet_lock);
	return l;
}

/* @c is one of those that begin at @l; false: there are enough, or it does not listen. */
static bool begin_at(struct tcp_conn *c, struct inet_sock *l)
{
	bool ok;

	spin_lock(&inet_lock);
	if (!l->syns.next)
		list_init(&l->syns);
	ok = l->state == INET_LISTEN && l->nr_syns <= l->max_backlog &&
	     l->nr_backlog <= l->max_backlog;
	if (ok) {
		list_add_tail(&c->syn_node, &l->syns);
		l->nr_syns++;
		c->listener = inet_get(l);
	}
	spin_unlock(&inet_lock);
	return ok;
}

/* Under c->lock, or before anybody knows it. */
void tcp_child_gone(struct tcp_conn *c)
{
	struct inet_sock *l = c->listener;

	if (!l)
		return;
	spin_lock(&inet_lock);
	if (list_is_linked(&c->syn_node)) {
		list_del(&c->syn_node);
		l->nr_syns--;
	}
	c->listener = NULL;
	spin_unlock(&inet_lock);
	inet_put(l);
}

static void answer_syn(struct inet_sock *l, const struct inet_ep *local,
		       const struct inet_ep *remote, const struct tcp_seg *s,
		       u32 iss)
{
	struct tcp_conn *c = tcp_conn_new(l->s.net, local, remote);

	if (!c)
		return;
	c->oif = load_once(&l->s.bound_dev) ?: remote->scope;
	tcp_conn_configure(c, l);
	c->t.conf.defer = l->defer_tries;
	if (tcp_conn_route(c) || !begin_at(c, l)) {
		tcp_conn_put(c);
		return;
	}
	tcp_conn_begin(c, iss);
	if (tcp_table_add(c)) {
		tcp_child_gone(c);
		tcp_conn_put(c);
		return;
	}
	tcp_conn_lock(c);
	tcb_accept(&c->t, s);
	tcp_conn_unlock(c);
	tcp_conn_put(c);
}

void tcp_syn_input(struct net_ns *net, const struct inet_ep *local,
		   const struct inet_ep *remote, const struct tcp_seg *s,
		   u32 iss)
{
	struct inet_sock *l;

	if (s->flags & TCP_RST)
		return;
	l = s->flags & TCP_ACK ? NULL : find_listener(net, local, remote);
	if (!l)
		tcp_reply_reset(net, local, remote, s);
	else if (s->flags & TCP_SYN && !(s->flags & TCP_FIN))
		answer_syn(l, local, remote, s, iss);
	inet_put(l);
}

bool tcp_child_ready(struct tcp_conn *c)
{
	struct inet_sock *l = c->listener, *fresh;
	bool ok;

	fresh = inet_alloc(l->s.net, l->s.family, SOCK_STREAM, IPPROTO_TCP);
	if (!fresh)
		return false;
	spin_lock(&inet_lock);
	ok = tcp_join_wire_locked(l, fresh, &c->e.local, &c->e.remote);
	if (ok) {
		store_once(&fresh->conn, tcp_conn_get(c));
		list_del(&c->syn_node);
		l->nr_syns--;
		inet_get(fresh);
	}
	spin_unlock(&inet_lock);
	if (!ok) {
		fresh->dead = true;
		inet_put(fresh);
		return false;
	}
	c->is = fresh;
	c->listener = NULL;
	wake_up_all_key(&l->s.rd_wq, POLLIN | POLLRDNORM);
	inet_put(l);
	return true;
}

/* Its list is emptied one by one: ending a connection takes its lock. */
void tcp_wire_stop_listening(struct inet_sock *is)
{
	struct tcp_conn *c;

	if (!is->syns.next)
		return;
	for (;;) {
		spin_lock(&inet_lock);
		c = list_first_entry_or_null(&is->syns, struct tcp_conn,
					     syn_node);
		if (c) {
			list_del(&c->syn_node);
			is->nr_syns--;
			tcp_conn_get(c);
		}
		spin_unlock(&inet_lock);
		if (!c)
			return;
		tcp_conn_lock(c);
		if (c->listener)
			tcb_end(&c->t, 0);
		tcp_conn_unlock(c);
		tcp_conn_put(c);
	}
}
