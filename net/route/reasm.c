/* SPDX-License-Identifier: MIT */
/*
 * net/route/reasm.c - fragments wait for each other [RFC 791, RFC 8200 4.5, RFC 5722].
 *
 * A datagram has 30 seconds; pieces that overlap are dropped with all that belongs to
 * theirs, but for a copy of one that is there.  All that wait together have BYTES_MAX: the
 * oldest datagram goes.  When the time is over and the first piece is there, its sender is
 * told.
 *
 * Only the worker comes here, also when time is over (net_work): no lock.
 */
#include <net/route/reasm.h>
#include <net/route/route_int.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>

#define BYTES_MAX      (4u << 20)
#define PIECES_MAX     128u /* of one: 64 KiB over links of 576 bytes */
#define WAIT_NS	       (30 * NSEC_PER_SEC)
#define LENGTH_MAX     65535u /* that a header can say */
#define TIME_EXCEEDED4 11u
#define TIME_EXCEEDED6 3u
#define CODE_REASM     1u

struct piece {
	struct list_head node;
	struct netbuf *b;
	u32 head, off, len;
};

struct datagram {
	struct list_head node;	 /* oldest first */
	struct list_head pieces; /* by offset */
	struct net_device *dev;	 /* owned */
	u8 src[16], dst[16];
	u32 id, unfrag, end; /* end: 0, not known yet */
	u32 got, nr, cost;
	u8 proto;
	u64 until;
};

static struct list_head datagrams = LIST_HEAD_INIT(datagrams);
static u32 bytes;
static struct ktimer timer;
static struct net_work work;

static u32 cost_of(const struct netbuf *b)
{
	return b->cap + (u32)(sizeof(*b) + sizeof(struct piece));
}

static void forget(struct datagram *d)
{
	struct piece *p, *next;

	list_for_each_entry_safe(p, next, &d->pieces, node) {
		netbuf_free(p->b);
		kfree(p);
	}
	list_del(&d->node);
	bytes -= d->cost;
	netdev_put(d->dev);
	kfree(d);
}

static void failed(struct datagram *d)
{
	if (load_once(&d->dev->registered))
		net_count(d->dev->net,
			  ip_is_v4(d->dst) ? NET_REASM_FAILED
					   : NET_REASM6_FAILED,
			  1);
	forget(d);
}

static void timed_out(struct datagram *d)
{
	bool v4 = ip_is_v4(d->dst);
	struct piece *p =
		list_first_entry_or_null(&d->pieces, struct piece, node);

	if (load_once(&d->dev->registered))
		net_count(d->dev->net,
			  v4 ? NET_REASM_TIMEOUT : NET_REASM6_TIMEOUT, 1);
	if (p && !p->off && load_once(&d->dev->registered))
		icmp_send(d->dev->net, p->b,
			  v4 ? TIME_EXCEEDED4 : TIME_EXCEEDED6, CODE_REASM, 0);
	failed(d);
}

static void serve(struct net_work *w __unused)
{
	u64 now = clock_mono_ns();

	while (!list_empty(&datagrams)) {
		struct datagram *d =
			list_first_entry(&datagrams, struct datagram, node);

		if (d->until > now) {
			ktimer_arm(&timer, d->until);
			return;
		}
		timed_out(d);
	}
}

static void timer_fires(struct ktimer *t __unused)
{
	net_work_queue(&work);
}

static int reasm_init(void)
{
	ktimer_init(&timer, timer_fires, NULL);
	net_work_init(&work, serve);
	return 0;
}
INITCALL(INIT_CORE, reasm_init);

/* --- pieces */

static struct datagram *find(const struct reasm_piece *p)
{
	struct datagram *d;

	list_for_each_entry(d, &datagrams, node) {
		if (d->id == p->id && d->proto == p->proto &&
		    d->dev == p->b->dev && ip_same(d->src, p->src) &&
		    ip_same(d->dst, p->dst))
			return d;
	}
	return NULL;
}

static struct datagram *begin(const struct reasm_piece *p)
{
	struct datagram *d = kzalloc(sizeof(*d));

	if (!d)
		return NULL;
	list_init(&d->pieces);
	d->dev = netdev_get(p->b->dev);
	memcpy(d->src, p->src, 16);
	memcpy(d->dst, p->dst, 16);
	d->id = p->id;
	d->proto = p->proto;
	d->until = clock_mono_ns() + WAIT_NS;
	if (list_empty(&datagrams))
		ktimer_arm(&timer, d->until);
	list_add_tail(&d->node, &datagrams);
	return d;
}

enum fits {
	FITS,
	KNOWN,
	BAD
};

/* Where @p belongs among the pieces: *@before it. */
static enum fits place(struct datagram *d, const struct reasm_piece *p, u32 len,
		       struct list_head **before)
{
	struct piece *o;

	list_for_each_entry(o, &d->pieces, node) {
		if (o->off == p->off && o->len == len)
			return KNOWN;
		if (o->off >= p->off + len)
			break;
		if (o->off + o->len > p->off)
			return BAD;
	}
	*before = &o->node;
	return FITS;
}

/* Does it agree with what is known of the end? */
static bool end_ok(struct datagram *d, const struct reasm_piece *p, u32 len)
{
	u32 end = p->off + len;
	u32 head = ip_is_v4(p->dst) ? p->unfrag : p->unfrag - IP6_HEADER;

	if (head + end > LENGTH_MAX || (p->more && (len % 8 || !len)))
		return false;
	if (d->end && (end > d->end || (!p->more && end != d->end)))
		return false;
	if (!p->more && !list_empty(&d->pieces)) {
		const struct piece *last =
			list_last_entry(&d->pieces, struct piece, node);

		if (last->off + last->len > end)
			return false;
	}
	return true;
}

/* All of @d in one: it is complete. */
static struct netbuf *join(const struct datagram *d)
{
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, d->unfrag + d->end);
	const struct piece *first =
		list_first_entry(&d->pieces, struct piece, node);
	const struct piece *p;

	if (!b)
		return NULL;
	memcpy(netbuf_put(b, d->unfrag), first->b->data, d->unfrag);
	list_for_each_entry(p, &d->pieces, node)
		memcpy(netbuf_put(b, p->len), p->b->data + p->head, p->len);
	b->proto = first->b->proto;
	b->pkttype = first->b->pkttype;
	b->stamp_ns = first->b->stamp_ns;
	netbuf_set_dev(b, d->dev);
	return b;
}

static struct piece *new_piece(const struct reasm_piece *p, u32 len)
{
	struct piece *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	list_init(&n->node);
	n->b = p->b;
	n->head = p->head;
	n->off = p->off;
	n->len = len;
	return n;
}

/* Takes p->b; the datagram may be whole then. */
static enum fits insert(struct datagram *d, const struct reasm_piece *p)
{
	u32 len = p->b->len - p->head, cost = cost_of(p->b);
	struct list_head *before = NULL;
	enum fits f = end_ok(d, p, len) ? place(d, p, len, &before) : BAD;
	struct piece *n =
		f == FITS && d->nr < PIECES_MAX ? new_piece(p, len) : NULL;

	if (!n) {
		netbuf_free(p->b);
		return f == KNOWN ? KNOWN : BAD;
	}
	list_add_tail(&n->node, before);
	d->nr++;
	d->got += len;
	d->cost += cost;
	bytes += cost;
	if (!p->off)
		d->unfrag = p->unfrag;
	if (!p->more)
		d->end = p->off + len;
	return FITS;
}

/* Room for others: the oldest go, not @but. */
static void make_room(const struct datagram *but)
{
	struct datagram *d, *next;

	list_for_each_entry_safe(d, next, &datagrams, node) {
		if (bytes <= BYTES_MAX)
			return;
		if (d != but)
			failed(d);
	}
}

struct netbuf *reasm_add(const struct reasm_piece *p)
{
	struct net_ns *net = p->b->dev->net;
	bool v4 = ip_is_v4(p->dst);
	struct datagram *d = find(p) ?: begin(p);
	struct netbuf *b = NULL;

	net_count(net, v4 ? NET_REASM : NET_REASM6, 1);
	if (!d) {
		netbuf_free(p->b);
		return NULL;
	}
	if (insert(d, p) == BAD) {
		failed(d);
		return NULL;
	}
	if (d->end && d->got == d->end && d->unfrag) {
		b = join(d);
		if (b)
			net_count(net, v4 ? NET_REASM_OK : NET_REASM6_OK, 1);
		forget(d);
	} else {
		make_room(d);
	}
	return b;
}
