/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/sock.c - what the engine does to a socket: data, state, the end; and how a
 * connection over packets is begun and given up by one.
 */
#include <net/tcp/conn.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/tcp/wire.h>

#define BUF_MAX	   (32u * 1024u - sizeof(struct inet_buf))
#define MERGE_MAX  256u /* so many bytes go into the last buffer */
#define MERGE_CAP  (2048u - sizeof(struct inet_buf))
#define RCVBUF_MAX (6u << 20)
#define SNDBUF_MAX (4u << 20)

static struct tcp_conn *conn_of(const struct tcb *t)
{
	return container_of((struct tcb *)(uintptr_t)t, struct tcp_conn, t);
}

/* --- data */

static void free_list(struct list_head *l)
{
	while (!list_empty(l)) {
		struct inet_buf *b = list_first_entry(l, struct inet_buf, node);

		list_del(&b->node);
		inet_buf_free(b);
	}
}

/* Buffers with the @n bytes, none of which is in the queue yet. */
static int copy_in(struct list_head *l, const u8 *data, u32 n, u32 *cost)
{
	while (n) {
		u32 len = min_t(u32, n, BUF_MAX);
		u32 cap = n <= MERGE_MAX ? MERGE_CAP : len;
		struct inet_buf *b = kmalloc(sizeof(*b) + cap);

		if (!b) {
			free_list(l);
			return -ENOMEM;
		}
		list_init(&b->node);
		b->frame = NULL;
		b->off = 0;
		b->cap = cap;
		b->len = len;
		memcpy(b->data, data, len);
		list_add_tail(&b->node, l);
		*cost += inet_buf_cost(b);
		data += len;
		n -= len;
	}
	return 0;
}

static void put_in(struct inet_sock *is, struct list_head *l, u32 n, u32 cost,
		   bool urgent)
{
	struct inet_buf *b;
	u64 stamp = socket_stamp(&is->s);

	list_for_each_entry(b, l, node)
		b->stamp_ns = stamp;
	list_splice_tail_init(l, &is->queue);
	store_once(&is->queued, is->queued + cost);
	store_once(&is->bytes, is->bytes + n);
	store_once(&is->got_bytes, is->got_bytes + n);
	store_once(&is->got_segs, is->got_segs + 1);
	if (unlikely(urgent)) {
		b = list_last_entry(&is->queue, struct inet_buf, node);
		is->oob = OOB_SET | inet_buf_bytes(b)[b->len - 1];
		is->oob_at = is->bytes - 1;
	}
}

/* Behind the last ones; is->lock held. */
static bool merge_in(struct inet_sock *is, const u8 *data, u32 n)
{
	struct inet_buf *b;

	if (n > MERGE_MAX || list_empty(&is->queue))
		return false;
	b = list_last_entry(&is->queue, struct inet_buf, node);
	if (b->cap - b->len < n)
		return false;
	memcpy(b->data + b->len, data, n);
	b->len += n;
	b->stamp_ns = socket_stamp(&is->s);
	return true;
}

/* The @n bytes stay where they are, and what describes them is put where the headers were.  Not
 * if half of the frame were not used: a peer could make the queue twice as dear as it is now
 * allowed to be, and no more. */
static bool keep_frame(struct list_head *l, const u8 *data, u32 n,
		       struct netbuf **frame, u32 *cost)
{
	struct netbuf *f = frame ? *frame : NULL;
	struct inet_buf *b;
	u32 at;

	if (!f || n < (f->cap + sizeof(*f)) / 2)
		return false;
	at = (u32)(data - f->mem);
	if (at < sizeof(*b))
		return false;
	netbuf_set_dev(f, NULL);
	f->data = f->mem + at;
	f->len = n;
	b = (void *)f->mem;
	list_init(&b->node);
	b->frame = f;
	b->off = 0;
	b->len = b->cap = n;
	*cost = inet_buf_cost(b);
	list_add_tail(&b->node, l);
	*frame = NULL;
	return true;
}

int tcb_up_data(struct tcb *t, const u8 *data, u32 n, struct netbuf **frame)
{
	bool urgent = t->urgent_in && t->rcv_up == t->rcv_nxt + n - 1, merged;
	struct inet_sock *is = conn_of(t)->is;
	struct list_head l = LIST_HEAD_INIT(l);
	u32 cost = 0;

	if (!is || t->orphan)
		return 0;
	spin_lock(&is->lock);
	merged = merge_in(is, data, n);
	if (merged)
		put_in(is, &l, n, 0, urgent);
	spin_unlock(&is->lock);
	if (!merged) {
		if (!keep_frame(&l, data, n, frame, &cost) &&
		    copy_in(&l, data, n, &cost))
			return -ENOMEM;
		spin_lock(&is->lock);
		put_in(is, &l, n, cost, urgent);
		spin_unlock(&is->lock);
	}
	conn_of(t)->news = true;
	return 0;
}

u32 tcb_up_space(const struct tcb *t, u32 *most)
{
	const struct tcp_conn *c = conn_of(t);
	const struct inet_sock *is = c->is ?: c->listener;
	u64 q = c->is ? load_once(&is->queued) : 0;

	*most = is ? load_once(&is->s.rcvbuf) : SOCK_RCVBUF_MIN;
	return q < *most ? (u32)(*most - q) : 0;
}

void tcb_up_grow_rcv(struct tcb *t, u32 n)
{
	struct inet_sock *is = conn_of(t)->is;

	n = min(n, RCVBUF_MAX);
	if (is && !(load_once(&is->s.buf_locks) & SOCK_RCVBUF_LOCK) &&
	    n > load_once(&is->s.rcvbuf))
		store_once(&is->s.rcvbuf, n);
}

void tcb_up_grow_snd(struct tcb *t, u32 n)
{
	struct inet_sock *is = conn_of(t)->is;

	n = min(n, SNDBUF_MAX);
	if (is && !(load_once(&is->s.buf_locks) & SOCK_SNDBUF_LOCK) &&
	    n > load_once(&is->s.sndbuf)) {
		store_once(&is->s.sndbuf, n);
		t->conf.sndbuf = n;
	}
}

void tcb_up_urgent(struct tcb *t, bool here)
{
	struct inet_sock *is = conn_of(t)->is;

	if (!is)
		return;
	if (!here)
		socket_urgent(&is->s);
	wake_up_all_key(&is->s.rd_wq, POLLIN | POLLRDNORM | POLLPRI);
}

void tcb_up_room(struct tcb *t)
{
	struct inet_sock *is = conn_of(t)->is;

	if (is)
		wake_up_all_key(&is->s.wr_wq, POLLOUT | POLLWRNORM);
}

/* --- states */

bool tcb_up_established(struct tcb *t)
{
	struct tcp_conn *c = conn_of(t);
	struct inet_sock *is = c->is;

	if (c->listener)
		return tcp_child_ready(c);
	if (!is)
		return false;
	spin_lock(&inet_lock);
	if (is->state == INET_CONNECTING)
		store_once(&is->state, INET_CONNECTED);
	spin_unlock(&inet_lock);
	net_count(c->e.net, NET_TCP_CONNECTIONS, 1);
	inet_wake_all(is);
	return true;
}

void tcb_up_fin(struct tcb *t)
{
	struct inet_sock *is = conn_of(t)->is;

	if (!is)
		return;
	(void)atomic_fetch_or(&is->shut, SHUT_RD);
	inet_wake_all(is);
}

void tcb_up_time_wait(struct tcb *t)
{
	conn_of(t)->waits = true;
}

void tcb_up_ended(struct tcb *t, int err)
{
	struct tcp_conn *c = conn_of(t);
	struct inet_sock *is = c->is;

	tcp_child_gone(c);
	tcp_table_del(c);
	if (!is)
		return;
	c->is = NULL;
	spin_lock(&inet_lock);
	if (is->conn == c)
		tcp_end_locked(is, (u32)err);
	if (is->dead)
		inet_unbind_locked(is);
	spin_unlock(&inet_lock);
	inet_wake_all(is);
	inet_put(is);
}

/* --- what a socket does */

struct tcp_conn *tcp_wire_get(struct inet_sock *is)
{
	struct tcp_conn *c;

	if (likely(!load_once(&is->conn)))
		return NULL;
	spin_lock(&inet_lock);
	c = is->conn ? tcp_conn_get(is->conn) : NULL;
	spin_unlock(&inet_lock);
	return c;
}

void tcp_wire_put(struct tcp_conn *c)
{
	tcp_conn_put(c);
}

/* 0: @is is connecting by @c from now on, and *@old is what it had before. */
static int claim(struct inet_sock *is, const struct inet_ep *ep,
		 struct tcp_conn *c, struct tcp_conn **old)
{
	int err = 0;

	spin_lock(&inet_lock);
	if (is->state == INET_CONNECTING)
		err = -EALREADY;
	else if ((is->state != INET_IDLE && is->state != INET_CLOSED) ||
		 is->peer)
		err = -EISCONN;
	if (!err)
		err = inet_autobind_locked(is, ep);
	if (!err) {
		is->remote = *ep;
		c->e.local = is->local;
		*old = is->conn;
		store_once(&is->conn, tcp_conn_get(c));
		store_once(&is->shut, 0);
		store_once(&is->state, INET_CONNECTING);
	}
	spin_unlock(&inet_lock);
	return err;
}

static void unclaim(struct inet_sock *is, struct tcp_conn *c)
{
	spin_lock(&inet_lock);
	if (is->conn == c) {
		store_once(&is->conn, NULL);
		store_once(&is->state, INET_CLOSED);
	} else {
		c = NULL;
	}
	spin_unlock(&inet_lock);
	tcp_conn_put(c);
}

/* Its addresses are its own. */
static int enter_table(struct tcp_conn *c, u32 *iss)
{
	int err = tcp_table_add(c);

	if (err && tcp_wait_reuse(c->e.net, &c->e.local, &c->e.remote, iss))
		err = tcp_table_add(c);
	return err ? -EADDRNOTAVAIL : 0;
}

static int start(struct inet_sock *is, struct tcp_conn *c)
{
	u32 iss = 0;
	int err = tcp_conn_route(c);

	if (err)
		return err;
	tcp_conn_lock_plain(c);
	err = enter_table(c, &iss);
	if (!err) {
		c->is = inet_get(is);
		tcp_conn_configure(c, is);
		tcp_conn_begin(c, iss);
		tcb_connect(&c->t);
	}
	tcp_conn_unlock(c);
	return err;
}

int tcp_wire_connect(struct inet_sock *is, const struct inet_ep *ep)
{
	struct tcp_conn *c = tcp_conn_new(is->s.net, ep, ep), *old = NULL;
	int err;

	if (!c)
		return -ENOMEM;
	c->oif = load_once(&is->s.bound_dev) ?: ep->scope;
	c->mark = is->s.mark;
	err = claim(is, ep, c, &old);
	tcp_conn_put(old);
	if (!err) {
		err = start(is, c);
		if (err)
			unclaim(is, c);
	}
	tcp_conn_put(c);
	return err ? err : -EINPROGRESS;
}

void tcp_wire_shutdown(struct inet_sock *is)
{
	struct tcp_conn *c = tcp_wire_get(is);

	if (!c)
		return;
	tcp_conn_lock(c);
	tcb_shutdown(&c->t);
	tcp_conn_unlock(c);
	tcp_conn_put(c);
}

/* SO_LINGER: until all that was sent is there, or the time is up. */
static void linger(struct inet_sock *is, struct tcp_conn *c)
{
	u64 deadline = socket_deadline(is->s.linger_s * NSEC_PER_SEC);

	(void)wait_event_interruptible_timeout(
		&is->s.wr_wq,
		load_once(&c->t.state) != TCP_FIN_WAIT1 &&
			load_once(&c->t.state) != TCP_CLOSING &&
			load_once(&c->t.state) != TCP_LAST_ACK,
		deadline);
}

bool tcp_wire_close(struct inet_sock *is, bool abort)
{
	struct tcp_conn *c = tcp_wire_get(is);
	bool alive;

	if (!c)
		return false;
	/* as on Linux, who ends does not wait */
	if (!abort && is->s.linger_on && is->s.linger_s && current->proc &&
	    !load_once(&current->proc->exiting)) {
		tcp_wire_shutdown(is);
		linger(is, c);
	}
	tcp_conn_lock(c);
	tcb_close(&c->t, abort);
	alive = c->is == is;
	tcp_conn_unlock(c);
	tcp_conn_put(c);
	return alive;
}

void tcp_wire_abort(struct inet_sock *is)
{
	struct tcp_conn *c = tcp_wire_get(is), *old;

	if (!c)
		return;
	tcp_conn_lock(c);
	tcb_abort(&c->t, 0);
	tcp_conn_unlock(c);
	spin_lock(&inet_lock);
	old = is->conn == c ? c : NULL;
	if (old)
		store_once(&is->conn, NULL);
	spin_unlock(&inet_lock);
	tcp_conn_put(old);
	tcp_conn_put(c);
}

void tcp_wire_changed(struct inet_sock *is)
{
	struct tcp_conn *c = tcp_wire_get(is);
	u32 timeout;
	bool was;

	if (!c)
		return;
	tcp_conn_lock_plain(c);
	was = c->t.conf.keepalive;
	timeout = c->t.conf.user_timeout;
	tcp_conn_configure(c, is);
	if (c->t.state != TCP_CLOSED) {
		if (c->t.conf.user_timeout != timeout &&
		    tcb_synchronized(&c->t))
			tcb_arm(&c->t, TT_REXMT, 0); /* anew, below */
		if (c->t.conf.keepalive != was || was)
			tcb_arm_keep(&c->t);
		tcb_set_mss(&c->t);
		tcb_output(&c->t);
	}
	tcp_conn_unlock(c);
	tcp_conn_put(c);
}
