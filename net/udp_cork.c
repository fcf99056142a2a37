/* SPDX-License-Identifier: MIT */
/*
 * net/udp_cork.c - datagrams that are put together from several sends (MSG_MORE,
 * UDP_CORK), and that are cut into several (UDP_SEGMENT) which a receiver may want in
 * one piece (UDP_GRO).
 *
 * Locking: is->rd_mutex guards what has begun.
 */
#include <net/inet.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define UDP_CORK	 1
#define UDP_ENCAP	 100
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#define UDP_SEGMENT	 103
#define UDP_GRO		 104
#define SEGMENTS_MAX	 128u

/* Does a send have to come here? */
static void settle(struct inet_sock *is)
{
	store_once(&is->slow_send, is->udp_cork || is->begun || is->segment);
}

/* @a and @b, which goes, as one. */
static struct inet_buf *joined(const struct inet_buf *a, struct inet_buf *b)
{
	struct inet_buf *j = kmalloc(sizeof(*j) + a->len + b->len);

	if (j) {
		memcpy(j, a, sizeof(*a) + a->len);
		list_init(&j->node);
		memcpy(j->data + a->len, b->data, b->len);
		j->len = j->cap = a->len + b->len;
	}
	kfree(b);
	return j;
}

static void drop_begun(struct inet_sock *is)
{
	kfree(is->begun);
	is->begun = NULL;
	settle(is);
}

static struct inet_buf *piece(const struct inet_buf *b, u32 at, u32 n)
{
	struct inet_buf *p = kmalloc(sizeof(*p) + n);

	if (!p)
		return NULL;
	memcpy(p, b, sizeof(*b));
	list_init(&p->node);
	memcpy(p->data, b->data + at, n);
	p->len = p->cap = n;
	p->segment = 0;
	return p;
}

/* Takes @b. */
static int send_pieces(struct inet_sock *is, struct inet_buf *b, u32 size)
{
	int err = 0;

	if (!size || b->len <= size)
		return udp_transmit(is, b);
	if (b->len > size * SEGMENTS_MAX) {
		kfree(b);
		return -EINVAL;
	}
	b->segment = (u16)size;
	if (udp_give_whole(is, b))
		return 0;
	for (u32 at = 0; !err && at < b->len; at += size) {
		struct inet_buf *p = piece(b, at, min(size, b->len - at));

		err = p ? udp_transmit(is, p) : -ENOBUFS;
	}
	kfree(b);
	return err;
}

s64 udp_send_slow(struct inet_sock *is, struct sock_msg *m)
{
	u32 segment = m->segment ?: is->segment;
	s64 len = (s64)iov_iter_count(m->it);
	struct inet_buf *b;
	int err = 0;

	mutex_lock(&is->rd_mutex);
	b = udp_read_datagram(is, m, is->begun);
	if (IS_ERR(b)) {
		drop_begun(is);
		mutex_unlock(&is->rd_mutex);
		return PTR_ERR(b);
	}
	if (is->begun) {
		b = joined(is->begun, b);
		drop_begun(is);
	}
	if (!b) {
		err = -ENOBUFS;
	} else if (is->udp_cork || m->flags & MSG_MORE) {
		is->begun = b;
		settle(is);
	} else {
		inet_stamp_sent(is, m, b);
		err = send_pieces(is, b, segment);
	}
	mutex_unlock(&is->rd_mutex);
	return err ? err : len;
}

static void uncork(struct inet_sock *is)
{
	struct inet_buf *b = is->begun;

	is->begun = NULL;
	if (b)
		(void)send_pieces(is, b, is->segment);
}

int udp_setopt(struct inet_sock *is, int opt, u32 v)
{
	switch (opt) {
	case UDP_CORK:
		mutex_lock(&is->rd_mutex);
		is->udp_cork = v != 0;
		if (!v)
			uncork(is);
		settle(is);
		mutex_unlock(&is->rd_mutex);
		return 0;
	case UDP_SEGMENT:
		if (v > 65535)
			return -EINVAL;
		mutex_lock(&is->rd_mutex);
		is->segment = (u16)v;
		settle(is);
		mutex_unlock(&is->rd_mutex);
		return 0;
	case UDP_GRO:
		is->gro = v != 0;
		is->describes |= is->gro;
		return 0;
	case UDP_ENCAP: /* only that there is none */
		return v ? -ENOPROTOOPT : 0;
	case UDP_NO_CHECK6_TX:
		is->no_check6[0] = v != 0;
		return 0;
	case UDP_NO_CHECK6_RX:
		is->no_check6[1] = v != 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int udp_getopt(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case UDP_ENCAP:
		*v = 0;
		return 0;
	case UDP_CORK:
		*v = is->udp_cork;
		return 0;
	case UDP_SEGMENT:
		*v = is->segment;
		return 0;
	case UDP_GRO:
		*v = is->gro;
		return 0;
	case UDP_NO_CHECK6_TX:
	case UDP_NO_CHECK6_RX:
		*v = is->no_check6[opt - UDP_NO_CHECK6_TX];
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}
