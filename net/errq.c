/* SPDX-License-Identifier: MIT */
/*
 * net/errq.c - errors that a datagram socket hears of: pending ones, and with
 * IP_RECVERR a queue of what went wrong with which datagram (MSG_ERRQUEUE); times of
 * what was sent stand there too (txstamp.c).
 *
 * An entry is an inet_buf that begins with a struct sock_extended_err; its "from" is
 * where the datagram went, its "to" who says so.
 */
#include <net/inet.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define IP_RECVERR   11
#define IPV6_RECVERR 25
#define ENTRIES_MAX  64u
#define QUOTED4	     520u /* bytes of a datagram that an error comes back with */
#define QUOTED6	     1184u

/* The datagram @b with what was said of it, or NULL. */
static struct inet_buf *entry(const struct inet_buf *b,
			      const struct inet_fault *f)
{
	bool v4 = inet_is_v4(&b->to);
	u32 n = min(b->len, v4 ? QUOTED4 : QUOTED6);
	struct extended_err *e;
	struct inet_buf *q = kzalloc(sizeof(*q) + sizeof(*e) + n);

	if (!q)
		return NULL;
	list_init(&q->node);
	q->len = q->cap = (u32)sizeof(*e) + n;
	q->from = b->to;
	q->to = b->to;
	q->to.port = 0;
	memcpy(q->to.ip, f->from, sizeof(q->to.ip));
	q->hops = 64;
	e = (void *)q->data;
	e->err = f->err;
	e->origin = f->origin;
	e->type = f->type;
	e->code = f->code;
	e->info = f->info;
	memcpy(e + 1, b->data, n);
	return q;
}

/* One that talks to somebody else than @to is not asked, as on Linux. */
static bool hears(const struct inet_sock *is, const struct inet_ep *to,
		  bool queues)
{
	bool yes = queues;

	spin_lock(&inet_lock);
	if (is->state == INET_CONNECTED)
		yes = is->remote.port == to->port &&
		      inet_same_ip(&is->remote, to);
	spin_unlock(&inet_lock);
	return yes;
}

bool inet_queue_error(struct inet_sock *is, struct inet_buf *q)
{
	bool ok;

	spin_lock(&is->lock);
	ok = is->nr_errors < ENTRIES_MAX && !load_once(&is->dead);
	if (ok) {
		list_add_tail(&q->node, &is->errors);
		is->nr_errors++;
	}
	spin_unlock(&is->lock);
	return ok;
}

/* The error that is pending with an entry: none with a time. */
static u32 pending(const struct inet_buf *q)
{
	const struct extended_err *e = q ? (const void *)q->data : NULL;

	return e && (e->origin == ORIGIN_ICMP || e->origin == ORIGIN_ICMP6)
		       ? e->err
		       : 0;
}

void inet_post_error(struct inet_sock *is, const struct inet_buf *b, u32 err,
		     u8 type, u8 code)
{
	const struct inet_fault f = {
		.err = err,
		.origin = inet_is_v4(&b->to) ? ORIGIN_ICMP : ORIGIN_ICMP6,
		.type = type,
		.code = code,
		.from = b->to.ip,
	};

	inet_post_fault(is, b, &f);
}

void inet_post_fault(struct inet_sock *is, const struct inet_buf *b,
		     const struct inet_fault *f)
{
	bool queues = load_once(&is->recverr);
	struct inet_buf *q;

	if (is->s.type != SOCK_RAW && !hears(is, &b->to, queues))
		return;
	if (f->soft && !queues)
		return;
	q = queues ? entry(b, f) : NULL;
	spin_lock(&is->lock);
	if (q && is->nr_errors < ENTRIES_MAX) {
		list_add_tail(&q->node, &is->errors);
		is->nr_errors++;
		q = NULL;
	}
	if (f->origin != ORIGIN_LOCAL) /* else it is what the call returns */
		store_once(&is->s.error, f->err);
	spin_unlock(&is->lock);
	kfree(q);
	inet_wake_all(is);
}

/* The first entry; the next one's error is pending then, as on Linux. */
static struct inet_buf *take_entry(struct inet_sock *is)
{
	struct inet_buf *q, *next;

	spin_lock(&is->lock);
	q = list_first_entry_or_null(&is->errors, struct inet_buf, node);
	if (q) {
		list_del(&q->node);
		is->nr_errors--;
		next = list_first_entry_or_null(&is->errors, struct inet_buf,
						node);
		if (pending(q) || pending(next))
			store_once(&is->s.error, pending(next));
	}
	spin_unlock(&is->lock);
	return q;
}

/* We said so ourselves, before it went. */
static bool is_of_us(const struct inet_buf *q)
{
	return ((const struct extended_err *)(const void *)q->data)->origin ==
	       ORIGIN_LOCAL;
}

static void tell(const struct inet_sock *is, const struct inet_buf *q,
		 struct sock_msg *m)
{
	bool six = is->s.family == AF_INET6;
	u8 data[sizeof(struct extended_err) + 28];
	struct sock_addr a;

	inet_addr_out(is, &q->to, &a);
	if (!pending(q)) { /* nobody says so but ourselves */
		a.family = AF_UNSPEC;
		memset(a.name, 0, a.len);
	}
	memcpy(data, q->data, sizeof(struct extended_err));
	memcpy(data + sizeof(struct extended_err), &a.family, 2);
	memcpy(data + sizeof(struct extended_err) + 2, a.name, a.len);
	sock_put_cmsg(m, six ? IPPROTO_IPV6 : IPPROTO_IP,
		      six ? IPV6_RECVERR : IP_RECVERR, data,
		      (u32)sizeof(struct extended_err) + 2 + a.len);
}

s64 inet_recv_error(struct inet_sock *is, struct sock_msg *m)
{
	struct inet_buf *q = take_entry(is);
	size_t skip = sizeof(struct extended_err), n, len;
	int err = 0;

	if (!q)
		return -EAGAIN;
	len = q->len - skip;
	n = min(len, iov_iter_count(m->it));
	tell(is, q, m);
	if (copy_to_iter(q->data + skip, n, m->it) < n)
		err = -EFAULT;
	m->out_flags |= MSG_ERRQUEUE | (n < len ? MSG_TRUNC : 0);
	m->stamp_ns = q->stamp_ns;
	if (m->from && (pending(q) || is_of_us(q)))
		inet_addr_out(is, &q->from, m->from);
	kfree(q);
	return err ? err : (s64)n;
}

/* One more than the last entry tells of; lock held. */
static bool extend_locked(struct inet_sock *is)
{
	struct inet_buf *last;
	struct extended_err *e;

	if (list_empty(&is->errors))
		return false;
	last = list_last_entry(&is->errors, struct inet_buf, node);
	e = (void *)last->data;
	if (e->origin != ORIGIN_ZEROCOPY || e->data + 1 != is->zerocopies)
		return false;
	e->data = is->zerocopies;
	return true;
}

/* A send is over, and its memory was copied; takes @q, the entry that may be needed. */
static void tell_zerocopy(struct inet_sock *is, struct inet_buf *q)
{
	struct extended_err *e = (void *)q->data;

	e->origin = ORIGIN_ZEROCOPY;
	e->code = ZEROCOPY_COPIED;
	spin_lock(&is->lock);
	if (!extend_locked(is)) {
		e->info = e->data = is->zerocopies;
		list_add_tail(&q->node, &is->errors);
		is->nr_errors++;
		q = NULL;
	}
	is->zerocopies++;
	spin_unlock(&is->lock);
	kfree(q);
	wake_up_all_key(&is->s.rd_wq, POLLERR);
}

s64 inet_send_zerocopy(struct inet_sock *is, struct sock_msg *m,
		       s64 (*send)(struct socket *s, struct sock_msg *m))
{
	struct inet_buf *q;
	s64 n;

	m->flags &= ~MSG_ZEROCOPY;
	if (!load_once(&is->s.zerocopy) || !iov_iter_count(m->it))
		return send(&is->s, m);
	if (load_once(&is->nr_errors) >= ENTRIES_MAX)
		return -ENOBUFS; /* nobody reads them */
	q = kzalloc(sizeof(*q) + sizeof(struct extended_err));
	if (!q)
		return -ENOBUFS;
	list_init(&q->node);
	q->len = q->cap = sizeof(struct extended_err);
	n = send(&is->s, m);
	if (n > 0)
		tell_zerocopy(is, q);
	else
		kfree(q);
	return n;
}

void inet_drop_errors(struct inet_sock *is)
{
	struct inet_buf *q;

	while ((q = take_entry(is)))
		kfree(q);
}
