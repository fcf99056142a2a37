/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/send.c - send(2), reading's end of it, and readiness of connections over packets.
 *
 * Bytes are copied from the program into pieces of our own before the lock is taken.
 *
 * ORDERING
 *   TCPROOM  who wants room: t->full set, then looks again; who makes some: snd_una moved,
 *	     then looks at t->full
 */
#include <net/tcp/conn.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/tcp/wire.h>

#define PIECE_MAX   (32u * 1024u - sizeof(struct tcp_tx))
#define PIECE_SMALL (2048u - sizeof(struct tcp_tx))

/* Why nothing can be sent.  The error stays for who tells it: tcp_send(). */
static int send_error(const struct inet_sock *is, const struct tcp_conn *c)
{
	int err = socket_error(&is->s);

	if (err)
		return err;
	if ((load_once(&is->shut) & SHUT_WR) || load_once(&is->conn) != c)
		return -EPIPE;
	return 0;
}

static bool has_room(struct tcp_conn *c)
{
	if (tcb_writable(&c->t))
		return true;
	store_once(&c->t.full, 1);
	smp_mb(); /* TCPROOM (full) */
	return tcb_writable(&c->t);
}

static bool may_go_on(struct inet_sock *is, struct tcp_conn *c)
{
	enum inet_state state = load_once(&is->state);

	return (state == INET_CONNECTED && has_room(c)) ||
	       state == INET_CLOSED || state == INET_IDLE ||
	       (load_once(&is->shut) & SHUT_WR) || load_once(&is->s.error) ||
	       load_once(&is->conn) != c;
}

/* 0: there is some room. */
static s64 await_room(struct inet_sock *is, struct tcp_conn *c,
		      const struct sock_msg *m, u64 deadline)
{
	s64 err;

	for (;;) {
		err = send_error(is, c);
		if (err)
			return err;
		if (load_once(&is->state) == INET_CONNECTED &&
		    tcb_room(&c->t) && has_room(c))
			return 0;
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		err = wait_event_interruptible_timeout(
			&is->s.wr_wq, may_go_on(is, c), deadline);
		if (err)
			return socket_interrupted(err, is->s.snd_timeout_ns);
	}
}

/* Of a program's next bytes, @len at most; or ERR_PTR. */
static struct tcp_tx *new_piece(struct iov_iter *it, u32 len)
{
	u32 cap = max_t(u32, len, PIECE_SMALL);
	struct tcp_tx *x = kmalloc(sizeof(*x) + cap);

	if (!x && len > PIECE_SMALL) {
		cap = len = PIECE_SMALL;
		x = kmalloc(sizeof(*x) + cap);
	}
	if (!x)
		return ERR_PTR(-ENOBUFS);
	list_init(&x->node);
	x->seq = 0;
	x->cap = cap;
	x->len = (u32)copy_from_iter(x->data, len, it);
	if (x->len)
		return x;
	kfree(x);
	return ERR_PTR(-EFAULT);
}

/* Takes @x.  False: the connection is over. */
static bool queue(struct inet_sock *is, struct tcp_conn *c, struct tcp_tx *x,
		  bool urgent, bool more)
{
	bool ok, whole = false;

	tcp_conn_lock(c);
	ok = c->is == is && !c->t.no_more && tcb_synchronized(&c->t) &&
	     c->t.state != TCP_TIME_WAIT;
	if (ok && !urgent && x->len < PIECE_SMALL / 2)
		whole = tcb_append(&c->t, x->data, x->len);
	if (ok && whole)
		tcb_push(&c->t, more);
	else if (ok)
		tcb_write(&c->t, x, urgent, more);
	tcp_conn_unlock(c);
	if (!ok || whole)
		kfree(x);
	return ok;
}

static s64 send_some(struct inet_sock *is, struct tcp_conn *c,
		     struct sock_msg *m, u32 len, bool urgent, bool more)
{
	struct tcp_tx *x = new_piece(m->it, len);
	int err;

	if (IS_ERR(x))
		return PTR_ERR(x);
	len = x->len;
	if (queue(is, c, x, urgent, more))
		return len;
	err = send_error(is, c);
	return err ? err : -EPIPE;
}

s64 tcp_wire_send(struct inet_sock *is, struct tcp_conn *c, struct sock_msg *m)
{
	u64 deadline = socket_deadline(is->s.snd_timeout_ns);
	s64 done = 0, n = 0;

	while (iov_iter_count(m->it)) {
		size_t left = iov_iter_count(m->it);
		u32 len = (u32)min_t(size_t, left, PIECE_MAX);
		bool last = len == left;

		n = await_room(is, c, m, deadline);
		if (n)
			break;
		len = min(len, max(tcb_room(&c->t), 1u));
		last = len == left;
		n = send_some(is, c, m, len, last && (m->flags & MSG_OOB),
			      !last || (m->flags & MSG_MORE));
		if (n < 0)
			break;
		done += n;
	}
	return done ? done : n;
}

void tcp_wire_read(struct inet_sock *is, u64 n)
{
	struct tcp_conn *c = tcp_wire_get(is);

	if (!c)
		return;
	tcp_conn_lock(c);
	if (c->is == is)
		tcb_read_done(&c->t, (u32)n);
	tcp_conn_unlock(c);
	tcp_conn_put(c);
}

bool tcp_wire_writable(struct inet_sock *is)
{
	struct tcp_conn *c = tcp_wire_get(is);
	bool can = !c || has_room(c);

	tcp_conn_put(c);
	return can;
}

u64 tcp_wire_outq(struct inet_sock *is, bool unsent)
{
	struct tcp_conn *c = tcp_wire_get(is);
	u64 n = 0;

	if (!c)
		return 0;
	mutex_lock(&c->lock);
	if (c->t.state != TCP_CLOSED && tcb_synchronized(&c->t)) {
		u32 from = unsent ? c->t.snd_max : c->t.snd_una;

		if (seq_lt(from, c->t.tx_end))
			n = c->t.tx_end - from;
	}
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
	return n;
}
