/* SPDX-License-Identifier: MIT */
/*
 * net/route/neigh.c - which link address has a neighbour?  For ARP and NDP alike [RFC 826,
 * RFC 4861 7.3].
 *
 *	nothing --(a packet is to go there)--> INCOMPLETE --(three questions)--> FAILED
 *	INCOMPLETE --(answer)--> REACHABLE --(30 s)--> STALE --(a packet)--> DELAY
 *	DELAY --(5 s, nothing heard)--> PROBE --(three questions)--> FAILED
 *	any --(it was heard of)--> STALE, or REACHABLE if it answered us
 *
 * Packets wait while the address is asked for: QUEUE_MAX for one neighbour, WAITING_MAX in
 * all; the oldest is dropped.  There are NEIGHS_MAX neighbours at most; to make room, one
 * that nobody has used for longest goes.
 *
 * Times are looked after by one timer, which wakes the worker (net_work), which goes over
 * all entries.  Those who listen are told of changes as on Linux: not of the first question,
 * nor of DELAY.
 *
 * Locking: route_lock guards all of it.  Nothing is sent with it held.
 */
#include <net/route/neigh_int.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>
#include <lib/hash.h>

#define NEIGHS_MAX  1024u
#define QUEUE_MAX   64u /* a long datagram in fragments has 45 */
#define WAITING_MAX 1024u
#define PROBES	    3u
#define LOCKTIME_NS NSEC_PER_SEC

struct list_head neigh_slots[NEIGH_SLOTS];
static u32 nr_neighs, nr_waiting;
static struct ktimer timer;
static struct net_work work;
static u64 timer_at = WAIT_FOREVER;

void neigh_todo_init(struct neigh_todo *t)
{
	memset(t, 0, sizeof(*t));
	list_init(&t->send);
	list_init(&t->failed);
}

static struct list_head *slot_of(const struct net_device *dev, const u8 ip[16])
{
	u64 h = hash_mem(ip, 16) ^ hash64((u64)(uintptr_t)dev);

	return &neigh_slots[h % NEIGH_SLOTS];
}

struct neigh *neigh_find_locked(const struct net_device *dev, const u8 ip[16])
{
	struct neigh *n;

	list_for_each_entry(n, slot_of(dev, ip), node) {
		if (n->i.dev == dev && ip_same(n->i.ip, ip))
			return n;
	}
	return NULL;
}

/* --- times */

static void timer_fires(struct ktimer *t __unused)
{
	net_work_queue(&work);
}

/* Something is to be done at @due; lock held. */
static void wants_time(u64 due)
{
	if (due >= timer_at)
		return;
	timer_at = due;
	ktimer_arm(&timer, due);
}

void neigh_set_state(struct neigh *n, u16 state, u64 after)
{
	u64 now = clock_mono_ns();

	n->i.state = state;
	n->i.updated = now;
	n->probes = 0;
	n->due = after == WAIT_FOREVER ? WAIT_FOREVER : now + after;
	if (state == NUD_REACHABLE)
		n->i.confirmed = now;
	if (n->due != WAIT_FOREVER)
		wants_time(n->due);
}

/* --- life; lock held */

void neigh_take_queue(struct neigh *n, struct list_head *to)
{
	nr_waiting -= n->nr_queue;
	n->nr_queue = 0;
	list_splice_tail_init(&n->queue, to);
}

void neigh_unlink(struct neigh *n, struct neigh_todo *t)
{
	list_del(&n->node);
	nr_neighs--;
	neigh_take_queue(n, &t->failed);
}

void neigh_tell(const struct neigh_info *n, bool gone)
{
	if (route_listener && route_listener->neigh)
		route_listener->neigh(load_once(&n->dev->net), n, gone);
}

void neigh_free(struct neigh *n)
{
	if (!n)
		return;
	if (n->i.state)
		neigh_tell(&n->i, true);
	netdev_put(n->i.dev);
	kfree(n);
}

static bool may_go(const struct neigh *n)
{
	return !(n->i.state & (NUD_PERMANENT | NUD_NOARP));
}

/* The one that was used least recently, unlinked; NULL: all are permanent. */
static struct neigh *evict_locked(struct neigh_todo *t)
{
	struct neigh *n, *oldest = NULL;

	for (u32 s = 0; s < NEIGH_SLOTS; s++) {
		list_for_each_entry(n, &neigh_slots[s], node) {
			if (may_go(n) &&
			    (!oldest || n->i.used < oldest->i.used))
				oldest = n;
		}
	}
	if (oldest)
		neigh_unlink(oldest, t);
	return oldest;
}

static struct neigh *new_neigh(struct net_device *dev, const u8 ip[16])
{
	struct neigh *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	list_init(&n->node);
	list_init(&n->queue);
	n->i.dev = netdev_get(dev);
	n->i.family = ip_is_v4(ip) ? AF_INET : AF_INET6;
	memcpy(n->i.ip, ip, 16);
	n->i.used = n->i.confirmed = n->i.updated = clock_mono_ns();
	n->due = WAIT_FOREVER;
	return n;
}

struct neigh *neigh_lock_entry(struct net_device *dev, const u8 ip[16],
			       struct neigh **old, struct neigh_todo *t)
{
	struct neigh *n, *fresh;

	*old = NULL;
	spin_lock(&route_lock);
	n = neigh_find_locked(dev, ip);
	if (likely(n))
		return n;
	spin_unlock(&route_lock);
	fresh = new_neigh(dev, ip);
	spin_lock(&route_lock);
	n = neigh_find_locked(dev, ip);
	if (n || !fresh) {
		*old = fresh;
		return n;
	}
	if (nr_neighs >= NEIGHS_MAX) {
		*old = evict_locked(t);
		if (!*old) {
			*old = fresh;
			return NULL;
		}
	}
	list_add_tail(&fresh->node, slot_of(dev, ip));
	nr_neighs++;
	return fresh;
}

/* --- doing it; no lock held */

static void send_all(struct net_device *dev, struct list_head *list,
		     const u8 *lladdr)
{
	while (!list_empty(list)) {
		struct netbuf *b = list_first_entry(list, struct netbuf, node);

		list_del(&b->node);
		(void)link_send(dev, b, lladdr);
	}
}

/* The sender of @b is told that nobody is there. */
static void fail(struct net_device *dev, struct netbuf *b)
{
	bool v4 = b->proto == ETH_P_IP;

	neigh_unreachable(dev, b, v4);
	netbuf_free(b);
}

void neigh_do(struct net_device *dev, const u8 ip[16], struct neigh_todo *t)
{
	if (t->tell)
		neigh_tell(&t->news, false);
	send_all(dev, &t->send, t->lladdr);
	while (!list_empty(&t->failed)) {
		struct netbuf *b =
			list_first_entry(&t->failed, struct netbuf, node);

		list_del(&b->node);
		fail(dev, b);
	}
	if (t->ask && ip_is_v4(ip))
		arp_ask(dev, ip, t->probe ? t->lladdr : NULL);
	else if (t->ask)
		ndp_ask(dev, ip, t->probe ? t->lladdr : NULL);
}

/* --- sending */

/* It waits for the answer; lock held. */
static void wait_locked(struct neigh *n, struct netbuf *b, struct neigh_todo *t)
{
	if (n->i.state != NUD_INCOMPLETE) {
		neigh_set_state(n, NUD_INCOMPLETE, RETRANS_NS);
		n->probes = 1;
		t->ask = true;
	}
	if (n->nr_queue >= QUEUE_MAX || nr_waiting >= WAITING_MAX) {
		struct netbuf *old = list_first_entry_or_null(
			&n->queue, struct netbuf, node);

		if (!old) {
			netbuf_free(b);
			return;
		}
		list_del(&old->node);
		netbuf_free(old);
		n->nr_queue--;
		nr_waiting--;
	}
	list_add_tail(&b->node, &n->queue);
	n->nr_queue++;
	nr_waiting++;
}

static int resolve_and_send(struct net_device *dev, const u8 next[16],
			    struct netbuf *b)
{
	struct neigh *old, *n;
	struct neigh_todo t;

	neigh_todo_init(&t);
	n = neigh_lock_entry(dev, next, &old, &t);
	if (!n) {
		netbuf_free(b);
	} else if (n->i.state & NUD_VALID) {
		memcpy(t.lladdr, n->i.lladdr, sizeof(t.lladdr));
		list_add_tail(&b->node, &t.send);
		if (n->i.state == NUD_STALE)
			neigh_set_state(n, NUD_DELAY, DELAY_NS);
	} else {
		wait_locked(n, b, &t);
	}
	if (n)
		n->i.used = clock_mono_ns();
	spin_unlock(&route_lock);
	neigh_free(old);
	neigh_do(dev, next, &t);
	return n ? 0 : -ENOBUFS;
}

int neigh_output(struct net_device *dev, enum route_type type,
		 const u8 next[16], struct netbuf *b)
{
	static const u8 ones[LINK_ADDR_MAX] = { 255, 255, 255, 255, 255, 255 };
	u8 to[LINK_ADDR_MAX] = { 0 };

	if ((load_once(&dev->flags) & (IFF_NOARP | IFF_LOOPBACK)) ||
	    dev->type != ARPHRD_ETHER)
		return link_send(dev, b, to);
	if (type == ROUTE_BROADCAST)
		return link_send(dev, b, ones);
	if (type == ROUTE_MULTICAST) {
		neigh_group_addr(next, to);
		return link_send(dev, b, to);
	}
	return resolve_and_send(dev, next, b);
}

void neigh_group_addr(const u8 ip[16], u8 to[LINK_ADDR_MAX])
{
	memset(to, 0, LINK_ADDR_MAX);
	if (ip_is_v4(ip)) { /* [RFC 1112 6.4] */
		to[0] = 0x01;
		to[2] = 0x5e;
		memcpy(to + 3, ip + 13, 3);
		to[3] &= 0x7f;
	} else { /* [RFC 2464 7] */
		to[0] = to[1] = 0x33;
		memcpy(to + 2, ip + 12, 4);
	}
}

/* --- hearing */

static void heard_locked(struct neigh *n, const u8 *lladdr,
			 enum neigh_heard how, bool override,
			 struct neigh_todo *t)
{
	bool differs = lladdr && memcmp(n->i.lladdr, lladdr, ETH_ALEN);
	bool valid = n->i.state & NUD_VALID;
	u16 was = n->i.state;

	if (n->i.state & (NUD_PERMANENT | NUD_NOARP))
		return;
	if (!valid && !lladdr)
		return;
	if (valid && differs && !override) {
		/* somebody else says that it is he: ask again before long */
		if (how == HEARD_ANSWER && n->i.state == NUD_REACHABLE) {
			neigh_set_state(n, NUD_STALE, UNUSED_NS);
			neigh_note(n, t);
		}
		return;
	}
	/* two answer: the first one's holds for a moment, as on Linux */
	if (valid && differs && how == HEARD_PASSING &&
	    clock_mono_ns() < n->i.updated + LOCKTIME_NS)
		return;
	if (lladdr)
		memcpy(n->i.lladdr, lladdr, ETH_ALEN);
	if (how == HEARD_ANSWER)
		neigh_set_state(n, NUD_REACHABLE, REACHABLE_NS);
	else if (!valid || differs)
		neigh_set_state(n, NUD_STALE, UNUSED_NS);
	if (differs || n->i.state != was)
		neigh_note(n, t);
	memcpy(t->lladdr, n->i.lladdr, sizeof(t->lladdr));
	neigh_take_queue(n, &t->send);
}

void neigh_heard(struct net_device *dev, const u8 ip[16], const u8 *lladdr,
		 enum neigh_heard how, bool override, bool create)
{
	struct neigh *old = NULL, *n;
	struct neigh_todo t;

	neigh_todo_init(&t);
	if (create) {
		n = neigh_lock_entry(dev, ip, &old, &t);
	} else {
		spin_lock(&route_lock);
		n = neigh_find_locked(dev, ip);
	}
	if (n)
		heard_locked(n, lladdr, how, override, &t);
	spin_unlock(&route_lock);
	neigh_free(old);
	neigh_do(dev, ip, &t);
}

/* --- what time brings; the worker */

static void ask_again(struct neigh *n, struct neigh_todo *t)
{
	n->probes++;
	n->due = clock_mono_ns() + RETRANS_NS;
	t->ask = true;
	t->probe = n->i.state == NUD_PROBE;
	memcpy(t->lladdr, n->i.lladdr, sizeof(t->lladdr));
}

/* Is it to go? */
static bool due_locked(struct neigh *n, struct neigh_todo *t)
{
	switch (n->i.state) {
	case NUD_INCOMPLETE:
	case NUD_PROBE:
		if (n->probes < PROBES) {
			ask_again(n, t);
			return false;
		}
		neigh_set_state(n, NUD_FAILED, UNUSED_NS);
		neigh_note(n, t);
		neigh_take_queue(n, &t->failed);
		return false;
	case NUD_REACHABLE:
		if (n->i.used > n->i.confirmed + REACHABLE_NS - DELAY_NS) {
			neigh_set_state(n, NUD_DELAY, DELAY_NS);
			return false;
		}
		neigh_set_state(n, NUD_STALE, UNUSED_NS);
		neigh_note(n, t);
		return false;
	case NUD_DELAY:
		neigh_set_state(n, NUD_PROBE, RETRANS_NS);
		neigh_note(n, t);
		ask_again(n, t);
		return false;
	default: /* unused for a while: a few may stay */
		n->due = clock_mono_ns() + UNUSED_NS;
		return n->i.state == NUD_FAILED || nr_neighs > NEIGHS_MAX / 8;
	}
}

/* The first of slot @s whose time has come is seen to: false, there is none. */
static bool serve_one(u32 s)
{
	struct net_device *dev = NULL;
	struct neigh *n, *gone = NULL;
	u64 now = clock_mono_ns();
	struct neigh_todo t;
	u8 ip[16];

	neigh_todo_init(&t);
	spin_lock(&route_lock);
	list_for_each_entry(n, &neigh_slots[s], node) {
		if (n->due > now)
			continue;
		dev = netdev_get(n->i.dev);
		memcpy(ip, n->i.ip, 16);
		if (due_locked(n, &t)) {
			neigh_unlink(n, &t);
			gone = n;
		}
		break;
	}
	spin_unlock(&route_lock);
	if (!dev)
		return false;
	neigh_free(gone);
	neigh_do(dev, ip, &t);
	netdev_put(dev);
	return true;
}

static void serve(struct net_work *w __unused)
{
	struct neigh *n;
	u64 first = WAIT_FOREVER;

	for (u32 s = 0; s < NEIGH_SLOTS; s++) {
		while (serve_one(s))
			;
	}
	spin_lock(&route_lock);
	for (u32 s = 0; s < NEIGH_SLOTS; s++) {
		list_for_each_entry(n, &neigh_slots[s], node)
			first = min(first, n->due);
	}
	timer_at = WAIT_FOREVER;
	if (first != WAIT_FOREVER)
		wants_time(first);
	spin_unlock(&route_lock);
}

static int neigh_init(void)
{
	for (u32 s = 0; s < NEIGH_SLOTS; s++)
		list_init(&neigh_slots[s]);
	ktimer_init(&timer, timer_fires, NULL);
	net_work_init(&work, serve);
	return 0;
}
INITCALL(INIT_CORE, neigh_init);
