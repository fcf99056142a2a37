/* SPDX-License-Identifier: MIT */
/*
 * net/tcp_end.c - streams: how connections and listeners end; tcp.c has the states.
 *
 * Who ends first drops its peer, and the other one hears of it.  A connection over packets
 * may live on without its file: is->lingers.
 */
#include <net/inet.h>

#include <kernel/assert.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/tcp/wire.h>

void tcp_end_locked(struct inet_sock *is, u32 error)
{
	assert_held(&inet_lock);
	if (error)
		store_once(&is->s.error, error);
	(void)atomic_fetch_or(&is->shut, SHUT_RD | SHUT_WR);
	is->state = INET_CLOSED;
}

/* Drop the connection of @is; the other side hears of it. */
static void hang_up(struct inet_sock *is, bool abort)
{
	struct inet_sock *peer;
	bool live;

	tcp_wire_abort(is);
	spin_lock(&inet_lock);
	peer = is->peer;
	store_once(&is->peer, NULL);
	live = peer && peer->peer == is && is->state == INET_CONNECTED;
	/* another thread may be quick to listen or to connect again */
	if (is->state != INET_LISTEN && is->state != INET_CONNECTING)
		tcp_end_locked(is, 0);
	if (live && abort) {
		net_count(is->s.net, NET_TCP_RESETS, 1);
		tcp_end_locked(peer, ECONNRESET);
	} else if (live) {
		(void)atomic_fetch_or(&peer->shut, SHUT_RD);
	}
	spin_unlock(&inet_lock);
	if (live)
		inet_wake_all(peer);
	inet_put(peer);
}

static void end_backlog(struct inet_sock *is)
{
	struct inet_sock *e, *w;

	for (;;) {
		spin_lock(&inet_lock);
		e = list_first_entry_or_null(&is->backlog, struct inet_sock,
					     backlog_node);
		w = list_first_entry_or_null(&is->pending, struct inet_sock,
					     backlog_node);
		if (e) {
			list_del(&e->backlog_node);
			e->dead = true;
			inet_unbind_locked(e);
		} else if (w) {
			list_del(&w->backlog_node);
			w->target = NULL;
			tcp_end_locked(w, ECONNREFUSED);
			inet_get(w);
		}
		is->nr_backlog = 0;
		spin_unlock(&inet_lock);
		if (e) {
			hang_up(e, true);
			inet_purge(e);
			inet_put(e);
		} else if (w) {
			inet_wake_all(w);
			inet_put(w);
			inet_put(is);
		} else {
			return;
		}
	}
}

/* Leave a listener's list of pending ones; who waits for that hears of @error. */
static void stop_connecting(struct inet_sock *is, u32 error)
{
	struct inet_sock *to;

	spin_lock(&inet_lock);
	to = is->target;
	is->target = NULL;
	if (to) {
		list_del(&is->backlog_node);
		tcp_end_locked(is, error);
	}
	spin_unlock(&inet_lock);
	if (to)
		inet_wake_all(is);
	inet_put(to);
}

static void stop_listening(struct inet_sock *is)
{
	spin_lock(&inet_lock);
	if (is->state == INET_LISTEN)
		is->state = INET_CLOSED;
	store_once(&is->s.listening, false);
	spin_unlock(&inet_lock);
	tcp_wire_stop_listening(is);
	end_backlog(is);
	inet_wake_all(is);
}

void tcp_close(struct inet_sock *is)
{
	bool abort;

	stop_connecting(is, 0);
	if (load_once(&is->state) == INET_LISTEN)
		stop_listening(is);
	spin_lock(&is->lock);
	abort = !list_empty(&is->queue) || (is->s.linger_on && !is->s.linger_s);
	spin_unlock(&is->lock);
	spin_lock(&inet_lock);
	store_once(&is->dead, true);
	is->lingers = is->conn;
	spin_unlock(&inet_lock);
	if (is->lingers)
		is->lingers = tcp_wire_close(is, abort);
	else
		hang_up(is, abort);
}

/* connect(AF_UNSPEC): back to the beginning, unless another thread is quick to begin
 * something else. */
void tcp_disconnect(struct inet_sock *is)
{
	stop_connecting(is, ECONNRESET);
	if (load_once(&is->state) == INET_LISTEN)
		stop_listening(is);
	hang_up(is, true);
	mutex_lock(&is->rd_mutex); /* a reader may be at the first buffer */
	inet_purge(is);
	mutex_unlock(&is->rd_mutex);
	spin_lock(&inet_lock);
	if (is->state == INET_CLOSED && !is->peer) {
		is->state = INET_IDLE;
		is->announced = false;
		inet_forget_locked(is);
		store_once(&is->s.error, 0);
		store_once(&is->shut, 0);
	}
	spin_unlock(&inet_lock);
	inet_wake_all(is);
}

static int shut_down(struct inet_sock *is, u32 how)
{
	struct inet_sock *peer = NULL;

	spin_lock(&inet_lock);
	if (is->state != INET_CONNECTED) {
		spin_unlock(&inet_lock);
		return -ENOTCONN;
	}
	(void)atomic_fetch_or(&is->shut, how);
	if (is->peer && is->peer->peer == is)
		peer = inet_get(is->peer);
	if (peer && (how & SHUT_WR))
		(void)atomic_fetch_or(&peer->shut, SHUT_RD);
	spin_unlock(&inet_lock);
	if (how & SHUT_WR)
		tcp_wire_shutdown(is);
	inet_wake_all(is);
	if (peer)
		inet_wake_all(peer);
	inet_put(peer);
	return 0;
}

int tcp_shutdown(struct socket *s, u32 how)
{
	struct inet_sock *is = to_inet(s);

	switch (load_once(&is->state)) {
	case INET_LISTEN:
		if (how & SHUT_RD)
			stop_listening(is);
		return 0;
	case INET_CONNECTING:
		stop_connecting(is, ECONNRESET);
		tcp_wire_abort(is);
		return 0;
	case INET_CONNECTED:
	case INET_IDLE:
	case INET_CLOSED:
		break;
	}
	return shut_down(is, how);
}
