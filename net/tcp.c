/* SPDX-License-Identifier: MIT */
/*
 * net/tcp.c - streams: how connections come and go.
 *
 *	IDLE --listen--> LISTEN
 *	IDLE --connect--> CONNECTED			the backlog has room
 *	IDLE --connect--> CONNECTING --accept--> CONNECTED	it has none yet
 *	IDLE --connect--> CONNECTING --packets--> CONNECTED	elsewhere
 *	CONNECTED --reset--> CLOSED
 * connect() makes the server's socket and puts it into the listener's backlog; when
 * that is full, the caller itself waits in the listener's list of pending ones, and
 * accept() brings the first of them in.
 *
 * INVARIANTS
 *   T1  Connected sockets point at each other; the one that is closed first drops its
 *       pointer, the other keeps its own, to a dead socket, until it is closed too.
 *   T2  A socket in a backlog has no file; the listener's end frees it.
 *   T3  A CONNECTING socket is in target's list of pending ones, or has just left; or it
 *       has a connection over packets.
 *   T4  A socket has a peer or a connection over packets (is->conn), not both.
 *
 * Not here: data (tcp_data.c), how they end (tcp_end.c), what packets do (net/tcp/).
 */
#include <net/inet.h>

#include <kernel/assert.h>
#include <kernel/task/domain.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/tcp/wire.h>

/* --- connecting; inet_lock held */

/* What an accepted socket has from its listener. */
static void inherit(struct inet_sock *is, const struct inet_sock *from)
{
	is->s.reuseaddr = from->s.reuseaddr;
	is->s.reuseport = from->s.reuseport;
	is->s.keepalive = from->s.keepalive;
	is->s.rcvbuf = from->s.rcvbuf;
	is->s.sndbuf = from->s.sndbuf;
	is->s.lowat = from->s.lowat;
	is->s.peek_off = from->s.peek_off;
	is->s.buf_locks = from->s.buf_locks;
	is->s.rcv_timeout_ns = from->s.rcv_timeout_ns;
	is->s.snd_timeout_ns = from->s.snd_timeout_ns;
	is->v6only = from->v6only;
	is->s.linger_on = from->s.linger_on;
	is->s.linger_s = from->s.linger_s;
	is->s.oobinline = from->s.oobinline;
	is->nodelay = from->nodelay;
	is->keepidle = from->keepidle;
	is->keepintvl = from->keepintvl;
	is->keepcnt = from->keepcnt;
	is->s.priority = from->s.priority;
	is->s.mark = from->s.mark;
	is->s.kept = from->s.kept;
	is->s.zerocopy = from->s.zerocopy;
	is->s.pacing = from->s.pacing;
	is->s.bound_dev = from->s.bound_dev;
	is->tos = from->tos;
	is->tclass = from->tclass;
	is->ttl = from->ttl;
	is->hops = from->hops;
	is->kept = from->kept;
	is->user_mss = from->user_mss;
	is->user_timeout = from->user_timeout;
	is->syncnt = from->syncnt;
	is->linger2 = from->linger2;
	is->notsent_lowat = from->notsent_lowat;
	is->inq = from->inq;
	is->uid = from->uid;
}

/* @us and @fresh are one connection from now on; @fresh waits to be accepted. */
static void join_locked(struct inet_sock *us, struct inet_sock *to,
			struct inet_sock *fresh)
{
	inherit(fresh, to);
	fresh->s.family = to->s.family;
	fresh->local = us->remote;
	fresh->remote = us->local;
	inet_adopt_port_locked(fresh);
	store_once(&us->peer, inet_get(fresh));
	store_once(&fresh->peer, inet_get(us));
	us->state = fresh->state = INET_CONNECTED;
	list_add_tail(&fresh->backlog_node, &to->backlog);
	to->nr_backlog++;
	net_count(us->s.net, NET_TCP_CONNECTIONS, 1);
}

static bool backlog_full(const struct inet_sock *to)
{
	return to->nr_backlog > to->max_backlog;
}

bool tcp_join_wire_locked(struct inet_sock *to, struct inet_sock *fresh,
			  const struct inet_ep *local,
			  const struct inet_ep *remote)
{
	assert_held(&inet_lock);
	if (to->state != INET_LISTEN || backlog_full(to))
		return false;
	inherit(fresh, to);
	fresh->local = *local;
	fresh->remote = *remote;
	inet_adopt_port_locked(fresh);
	fresh->state = INET_CONNECTED;
	list_add_tail(&fresh->backlog_node, &to->backlog);
	to->nr_backlog++;
	net_count(to->s.net, NET_TCP_CONNECTIONS, 1);
	return true;
}

/*
 * 0: connected, and *@at is a reference on the listener.  -EINPROGRESS: waits for
 * room there.  @fresh is used in the first case only.
 */
static int begin_locked(struct inet_sock *us, const struct inet_ep *ep,
			struct inet_sock *fresh, struct inet_sock **at)
{
	struct inet_sock *to;
	int err;

	if (us->state == INET_CONNECTING)
		return -EALREADY;
	/* one that was reset has its peer still, and has to be disconnected */
	if ((us->state != INET_IDLE && us->state != INET_CLOSED) || us->peer)
		return -EISCONN;
	err = inet_autobind_locked(us, ep);
	if (err)
		return err;
	us->remote = *ep;
	to = inet_find_locked(us->s.net, IPPROTO_TCP, ep, &us->local, NULL);
	if (!to) {
		us->state = INET_CLOSED;
		net_count(us->s.net, NET_TCP_REFUSED, 1);
		return -ECONNREFUSED;
	}
	store_once(&us->shut, 0);
	if (!backlog_full(to)) {
		join_locked(us, to, fresh);
		*at = inet_get(to);
		return 0;
	}
	us->state = INET_CONNECTING;
	us->target = inet_get(to);
	list_add_tail(&us->backlog_node, &to->pending);
	return -EINPROGRESS;
}

/* --- connect(2) */

static struct inet_sock *new_server(struct inet_sock *us)
{
	return inet_alloc(us->s.net, us->s.family, SOCK_STREAM, IPPROTO_TCP);
}

static void discard(struct inet_sock *is)
{
	if (!is)
		return;
	is->dead = true;
	inet_put(is);
}

static int wait_connected(struct inet_sock *us)
{
	u64 timeout = us->s.snd_timeout_ns;
	s64 err;

	err = wait_event_interruptible_timeout(
		&us->s.wr_wq, load_once(&us->state) != INET_CONNECTING,
		socket_deadline(timeout));
	if (err == -ETIMEDOUT)
		return -EINPROGRESS;
	if (err)
		return (int)socket_interrupted(err, timeout);
	if (load_once(&us->state) == INET_CONNECTED)
		return 0;
	return socket_take_error(&us->s) ?: -ECONNABORTED;
}

/* A second call for a connection that the first one did not wait for. */
static int connect_again(struct inet_sock *us, bool nonblock)
{
	bool told = false;
	int err;

	if (load_once(&us->state) == INET_CONNECTING) {
		if (nonblock)
			return -EALREADY;
		return wait_connected(us);
	}
	err = socket_take_error(&us->s);
	spin_lock(&inet_lock);
	told = us->announced;
	us->announced = false;
	spin_unlock(&inet_lock);
	if (err)
		return err;
	return told && load_once(&us->state) == INET_CONNECTED ? 0 : -EISCONN;
}

/* A call that does not wait hears of the result later, as if it took a while. */
static int result_later(struct inet_sock *us, int err)
{
	if (err && err != -ECONNREFUSED)
		return err;
	if (err)
		store_once(&us->s.error, (u32)-err);
	spin_lock(&inet_lock);
	us->announced = true;
	spin_unlock(&inet_lock);
	inet_wake_all(us);
	return -EINPROGRESS;
}

/* 0: @ep is on this machine; 1: it is elsewhere; or -errno. */
static int check_target(struct inet_sock *us, const struct sock_addr *addr,
			struct inet_ep *ep)
{
	int err = inet_addr_own(us, addr, ep);

	if (err)
		return err;
	if (us->s.family == AF_INET6 && us->v6only && inet_is_v4(ep))
		return -ENETUNREACH;
	inet_any_to_loopback(ep);
	if (!inet_is_loopback(ep)) {
		err = inet_reach(us, NULL, ep, NULL);
		if (err || ep->scope)
			return err == -EACCES ? -ENETUNREACH : err ?: 1;
	} else if (load_once(&us->s.bound_dev) > LOOPBACK_INDEX) {
		return -ENODEV;
	}
	if (!load_once(&us->s.net->lo_up))
		return -ENETUNREACH;
	return ep->port ? 0 : -ECONNREFUSED;
}

/* Elsewhere.  Who does not wait hears of it later, as of a result that takes a while. */
static int connect_wire(struct inet_sock *us, const struct inet_ep *ep,
			bool nonblock)
{
	int err = tcp_wire_connect(us, ep);

	if (err != -EINPROGRESS)
		return err;
	if (!nonblock) {
		err = wait_connected(us);
		if (load_once(&us->state) != INET_CONNECTING)
			return err;
	}
	spin_lock(&inet_lock);
	us->announced = true;
	spin_unlock(&inet_lock);
	return err;
}

int tcp_connect(struct socket *s, const struct sock_addr *addr, bool nonblock)
{
	struct inet_sock *us = to_inet(s), *fresh, *at = NULL;
	struct inet_ep ep;
	int err;

	if (addr->family == AF_UNSPEC) {
		tcp_disconnect(us);
		return 0;
	}
	if (load_once(&us->state) == INET_CONNECTING || load_once(&s->error) ||
	    load_once(&us->announced))
		return connect_again(us, nonblock);
	err = inet_addr_in(us, addr, &ep);
	if (!err)
		err = inet_may(s, &ep, LANDLOCK_NET_CONNECT_TCP);
	if (!err)
		err = check_target(us, addr, &ep);
	if (err)
		return err < 0 ? err : connect_wire(us, &ep, nonblock);
	fresh = new_server(us);
	if (!fresh)
		return -ENOMEM;
	spin_lock(&inet_lock);
	err = begin_locked(us, &ep, fresh, &at);
	spin_unlock(&inet_lock);
	if (err)
		discard(fresh);
	else
		wake_up_all_key(&at->s.rd_wq, POLLIN | POLLRDNORM);
	inet_put(at);
	if (err == -EINPROGRESS)
		return nonblock ? err : wait_connected(us);
	return nonblock ? result_later(us, err) : err;
}

/* --- listen(2), accept(2) */

int tcp_listen(struct socket *s, int backlog)
{
	struct inet_sock *is = to_inet(s);
	int err = 0;

	spin_lock(&inet_lock);
	if ((is->state != INET_IDLE && is->state != INET_LISTEN &&
	     is->state != INET_CLOSED) ||
	    is->peer)
		err = -EINVAL;
	if (!err)
		err = inet_autobind_locked(is, NULL);
	if (!err && is->state != INET_LISTEN)
		err = inet_listen_check_locked(is);
	if (!err) {
		is->state = INET_LISTEN;
		is->max_backlog =
			min((u32)backlog, load_once(&s->net->ctl.somaxconn));
		store_once(&is->shut, 0);
		store_once(&s->listening, true);
	}
	spin_unlock(&inet_lock);
	return err;
}

/* The first of the backlog; *@in was let in for it with @fresh. */
static struct inet_sock *take_locked(struct inet_sock *is,
				     struct inet_sock **fresh,
				     struct inet_sock **in)
{
	struct inet_sock *e, *w;

	*in = NULL;
	e = list_first_entry_or_null(&is->backlog, struct inet_sock,
				     backlog_node);
	if (!e)
		return NULL;
	list_del(&e->backlog_node);
	is->nr_backlog--;
	w = list_first_entry_or_null(&is->pending, struct inet_sock,
				     backlog_node);
	if (!w || !*fresh || backlog_full(is))
		return e;
	list_del(&w->backlog_node);
	w->target = NULL; /* its reference on us goes with *in */
	join_locked(w, is, *fresh);
	*fresh = NULL;
	*in = inet_get(w);
	return e;
}

static struct inet_sock *leave_backlog(struct inet_sock *is)
{
	struct inet_sock *fresh = NULL, *in, *e;

	if (!list_empty(&is->pending))
		fresh = new_server(is);
	spin_lock(&inet_lock);
	e = take_locked(is, &fresh, &in);
	spin_unlock(&inet_lock);
	discard(fresh);
	if (in) {
		inet_wake_all(in);
		inet_put(in);
		inet_put(is); /* in->target */
	}
	return e;
}

struct socket *tcp_accept(struct socket *s, bool nonblock)
{
	struct inet_sock *is = to_inet(s), *e;
	u64 deadline = socket_deadline(s->rcv_timeout_ns);

	while (!(e = leave_backlog(is))) {
		int err;

		if (load_once(&is->state) != INET_LISTEN)
			return ERR_PTR(-EINVAL);
		if (nonblock)
			return ERR_PTR(-EAGAIN);
		err = wait_event_interruptible_timeout(
			&s->rd_wq,
			!list_empty(&is->backlog) ||
				load_once(&is->state) != INET_LISTEN,
			deadline);
		if (err)
			return ERR_PTR(
				socket_interrupted(err, s->rcv_timeout_ns));
	}
	return &e->s;
}

/* --- readiness */

static bool writable(struct inet_sock *is)
{
	struct inet_sock *peer = inet_get_peer(is);
	bool can = peer ? tcp_has_room(is, peer) : tcp_wire_writable(is);

	inet_put(peer);
	return can;
}

u32 tcp_poll_bits(struct inet_sock *is)
{
	u32 shut = load_once(&is->shut), ev = 0;
	enum inet_state state = load_once(&is->state);

	if (load_once(&is->s.error) || !list_empty(&is->errors))
		ev |= POLLERR;
	if (state == INET_LISTEN)
		return list_empty(&is->backlog) ? ev : ev | POLLIN | POLLRDNORM;
	if (state == INET_CONNECTING)
		return ev;
	if (shut == (SHUT_RD | SHUT_WR) || state == INET_IDLE ||
	    state == INET_CLOSED)
		ev |= POLLHUP;
	if (shut & SHUT_RD)
		ev |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (tcp_readable(is))
		ev |= POLLIN | POLLRDNORM;
	if (load_once(&is->oob) & OOB_SET)
		ev |= POLLPRI;
	if ((shut & SHUT_WR) || writable(is))
		ev |= POLLOUT | POLLWRNORM;
	return ev;
}

int inet_tcp_state(const struct inet_sock *is)
{
	u32 shut = load_once(&is->shut);
	int wire = tcp_wire_state(is);

	if (wire && load_once(&is->state) != INET_LISTEN)
		return wire;
	switch (load_once(&is->state)) {
	case INET_LISTEN:
		return 10;
	case INET_CONNECTING:
		return 2;
	case INET_CONNECTED:
		if (shut == SHUT_RD)
			return 8; /* CLOSE_WAIT */
		return shut == SHUT_WR ? 5 : shut ? 9 : 1;
	case INET_IDLE:
	case INET_CLOSED:
		break;
	}
	return 7;
}
