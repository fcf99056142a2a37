/* SPDX-License-Identifier: MIT */
/*
 * net/txstamp.c - SO_TIMESTAMPING of what is sent: when it was queued, when it went, and of
 * a stream when it was there, in the queue of errors.
 *
 * On a loopback these are one moment.  A datagram comes back with its headers, as on
 * Linux, unless only the time is wanted; a stream's bytes do not.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define TSTAMP_SND   0u /* SCM_TSTAMP_* */
#define TSTAMP_SCHED 1u
#define TSTAMP_ACK   2u

/* @b as a packet behind what a struct extended_err takes, or that alone; or NULL. */
static struct inet_buf *entry(const struct inet_sock *is,
			      const struct inet_buf *b)
{
	u32 skip = sizeof(struct extended_err), n = 0, headers = 0;
	u8 head[PACKET_HEADERS];
	struct inet_buf *q;

	if (b && !(load_once(&is->s.stamping) & SOF_TIMESTAMPING_OPT_TSONLY)) {
		headers = ip_packet_headers(is->s.type == SOCK_RAW, is->proto,
					    b, head);
		n = headers + b->len;
	}
	q = kzalloc(sizeof(*q) + skip + n);
	if (!q)
		return NULL;
	list_init(&q->node);
	q->len = q->cap = skip + n;
	if (n) {
		memcpy(q->data + skip, head, headers);
		memcpy(q->data + skip + headers, b->data, b->len);
	}
	return q;
}

static void tell(struct inet_sock *is, u32 what, u32 key,
		 const struct inet_buf *b)
{
	struct inet_buf *q = entry(is, b);
	struct extended_err *e;

	if (!q)
		return;
	e = (void *)q->data;
	e->err = ENOMSG;
	e->origin = ORIGIN_TIMESTAMPING;
	e->info = what;
	if (load_once(&is->s.stamping) & SOF_TIMESTAMPING_OPT_ID)
		e->data = key;
	q->stamp_ns = clock_real_ns();
	if (!inet_queue_error(is, q))
		kfree(q);
}

void inet_tell_sent(struct inet_sock *is, u32 which, const struct inet_buf *b,
		    u32 n)
{
	u32 key = 0;

	/* Of a stream the last byte's number; a datagram has one if it is told of. */
	if ((load_once(&is->s.stamping) & SOF_TIMESTAMPING_OPT_ID) &&
	    (which || !b))
		key = atomic_add_return(&is->s.stamp_key, n) - 1;
	if (which & SOF_TIMESTAMPING_TX_SCHED)
		tell(is, TSTAMP_SCHED, key, b);
	if (which & SOF_TIMESTAMPING_TX_SOFTWARE)
		tell(is, TSTAMP_SND, key, b);
	if (!b && which & SOF_TIMESTAMPING_TX_ACK)
		tell(is, TSTAMP_ACK, key, b);
	if (which)
		wake_up_all(&is->s.rd_wq);
}
