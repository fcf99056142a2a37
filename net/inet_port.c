/* SPDX-License-Identifier: MIT */
/*
 * net/inet_port.c - who has which port.
 *
  * Every socket with a port is on the list of that port's slot; connections that a listener
 * made are on one of their own, so that those who look for a listener do not pass over all
 * whom it has accepted.  A slot is all namespaces': each sees its own.
 *
 * Locking: inet_lock.
 */
#include <net/inet.h>

#include <kernel/assert.h>
#include <kernel/random.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <net/tcp/wire.h>

#define NR_SLOTS 1024u

struct spinlock inet_lock = SPINLOCK_INIT("inet", RANK_FILE);
enum table {
	OWN,	 /* who has bound or connected */
	ADOPTED, /* the connections of listeners */
	NR_TABLES
};
static struct list_head
	slots[NR_TABLES][NR_SLOTS]; /* [inet_lock] empty until first used */
static u32 last_port;		    /* [inet_lock] handed out */

static struct list_head *slot_of(enum table t, u16 port)
{
	struct list_head *l = &slots[t][port % NR_SLOTS];

	if (!l->next)
		list_init(l);
	return l;
}

static struct list_head *slot(u16 port)
{
	return slot_of(OWN, port);
}

/* Could something for an address of the one come for the other too? */
static bool overlap(const struct inet_sock *a, const struct inet_ep *ip,
		    const struct inet_sock *b)
{
	bool a4 = inet_is_v4(ip), b4 = inet_is_v4(&b->local);

	if (a4 != b4) {
		/* Only an open-minded "any" of IPv6 hears IPv4. */
		const struct inet_sock *six = a4 ? b : a;
		const struct inet_ep *ep = a4 ? &b->local : ip;

		return inet_is_any(ep) && !six->v6only;
	}
	return inet_is_any(ip) || inet_is_any(&b->local) ||
	       inet_same_ip(ip, &b->local);
}

static bool may_share(const struct inet_sock *a, const struct inet_sock *b)
{
	if (a->s.reuseport && b->s.reuseport && a->uid == b->uid)
		return true;
	return a->s.reuseaddr && b->s.reuseaddr && b->state != INET_LISTEN;
}

/* Is @o on @port, for the same protocol in the same namespace? */
static bool on_port(const struct inet_sock *o, const struct inet_sock *is,
		    u16 port)
{
	return o->local.port == port && o->proto == is->proto &&
	       o->s.net == is->s.net;
}

static bool conflicts_in(enum table t, const struct inet_sock *is,
			 const struct inet_ep *ep)
{
	const struct inet_sock *o;

	list_for_each_entry(o, slot_of(t, ep->port), port_node) {
		if (o != is && on_port(o, is, ep->port) && overlap(is, ep, o) &&
		    !may_share(is, o))
			return true;
	}
	return false;
}

static bool conflicts(const struct inet_sock *is, const struct inet_ep *ep)
{
	if (inet_is_stream(is) && !is->s.reuseaddr &&
	    tcp_port_waits(is->s.net, ep))
		return true;
	return conflicts_in(OWN, is, ep) || conflicts_in(ADOPTED, is, ep);
}

static void take_port(struct inet_sock *is, const struct inet_ep *ep)
{
	KASSERT(!is->bound);
	is->local = *ep;
	is->bound = true;
	list_add_tail(&is->port_node, slot(ep->port));
}

/* Is nobody at all on the port? */
static bool unused_in(enum table t, const struct inet_sock *is, u16 port)
{
	const struct inet_sock *o;

	list_for_each_entry(o, slot_of(t, port), port_node) {
		if (on_port(o, is, port))
			return false;
	}
	return true;
}

static bool unused(const struct inet_sock *is, u16 port)
{
	static const struct inet_ep any;
	struct inet_ep ep = any;

	ep.port = port;
	if (inet_is_stream(is) && tcp_port_waits(is->s.net, &ep))
		return false;
	return unused_in(OWN, is, port) && unused_in(ADOPTED, is, port);
}

/* The first one behind @from of @nr from @first on that is on no socket, when most are
 * taken: one look at all sockets instead of one for each port. */
static u16 search_port(const struct inet_sock *is, u32 first, u32 nr, u32 from)
{
	static u64 taken[65536 / 64]; /* [inet_lock] */
	const struct inet_sock *o;

	memset(taken, 0, sizeof(taken));
	for (u32 i = 0; i < NR_TABLES * NR_SLOTS; i++) {
		list_for_each_entry(o, slot_of(i / NR_SLOTS, (u16)i),
				    port_node) {
			u16 port = o->local.port;

			if (on_port(o, is, port))
				taken[port / 64] |= BIT(port % 64);
		}
	}
	for (u32 i = 0; i < nr; i++) {
		u32 port = first + (from + i) % nr;

		if (!(taken[port / 64] >> (port % 64) & 1))
			return (u16)port;
	}
	return 0;
}

#define PORT_TRIES 32u

static u16 free_port(const struct inet_sock *is)
{
	const struct net_sysctl *ctl = &is->s.net->ctl;
	u32 first = load_once(&ctl->port_first);
	u32 last = load_once(&ctl->port_last), nr;
	u32 own = load_once(&is->port_range);

	if (first <= (own & 0xffff) && (own & 0xffff) <= last)
		first = own & 0xffff;
	if (first <= own >> 16 && own >> 16 <= last)
		last = own >> 16;
	if (last < first)
		last = first; /* both are being set just now */
	nr = last - first + 1;

	if (!last_port)
		random_bytes(&last_port, sizeof(last_port));
	for (u32 i = 0; i < min(nr, PORT_TRIES); i++) {
		u16 port = (u16)(first + ++last_port % nr);

		if (unused(is, port))
			return port;
	}
	return search_port(is, first, nr, last_port % nr);
}

bool inet_same_group(const struct inet_sock *a, const struct inet_sock *b)
{
	if (inet_is_stream(b) && b->state == INET_CONNECTED)
		return false; /* it has the port of its listener */
	return a->s.reuseport && b->s.reuseport &&
	       on_port(b, a, a->local.port) && a->v6only == b->v6only &&
	       a->s.family == b->s.family && inet_same_ip(&a->local, &b->local);
}

/* Another one of the group, the first or the last; or NULL. */
static struct inet_sock *fellow(const struct inet_sock *is, bool want_last)
{
	struct inet_sock *o, *found = NULL;

	list_for_each_entry(o, slot(is->local.port), port_node) {
		if (o == is || !inet_same_group(is, o))
			continue;
		found = o;
		if (!want_last)
			break;
	}
	return found;
}

/* Leave the group: the last one takes its number, if it does not come before it. */
static void leave_group(struct inet_sock *is)
{
	struct inet_sock *last = is->bound ? fellow(is, true) : NULL;

	if (last) {
		list_del(&last->port_node);
		list_add(&last->port_node, &is->port_node);
	}
	inet_leave_group_locked(is);
}

int inet_bind_locked(struct inet_sock *is, const struct inet_ep *ep)
{
	struct inet_ep e = *ep;

	assert_held(&inet_lock);
	if (is->bound)
		return -EINVAL;
	if (!e.port)
		e.port = free_port(is);
	else if (e.port < load_once(&is->s.net->ctl.port_unprivileged) &&
		 !net_capable(is->s.net, CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (!e.port || conflicts(is, &e))
		return -EADDRINUSE;
	take_port(is, &e);
	if (is->s.reuseport) {
		struct inet_sock *with = fellow(is, false);

		if (with)
			inet_join_group_locked(is, with);
	}
	is->ip_fixed = !inet_is_any(&e);
	is->port_fixed = ep->port != 0;
	return 0;
}

int inet_autobind_locked(struct inet_sock *is, const struct inet_ep *to)
{
	struct inet_ep e = is->local;

	assert_held(&inet_lock);
	if (to && !is->ip_fixed)
		inet_source(is, to, &e);
	is->local = e;
	if (is->bound)
		return 0;
	e.port = free_port(is);
	if (!e.port)
		return -EADDRNOTAVAIL;
	take_port(is, &e);
	return 0;
}

void inet_set_any(struct inet_sock *is)
{
	memset(is->local.ip, 0, 16);
	if (is->s.family == AF_INET)
		is->local.ip[10] = is->local.ip[11] = 0xff;
}

void inet_forget_locked(struct inet_sock *is)
{
	if (!is->ip_fixed)
		inet_set_any(is);
	if (is->port_fixed)
		return;
	inet_unbind_locked(is);
	is->local.port = 0;
}

void inet_adopt_port_locked(struct inet_sock *is)
{
	is->bound = is->adopted = true;
	list_add_tail(&is->port_node, slot_of(ADOPTED, is->local.port));
}

void inet_unbind_locked(struct inet_sock *is)
{
	if (unlikely(is->chooser))
		leave_group(is);
	if (is->bound)
		list_del(&is->port_node);
	is->bound = is->adopted = false;
}

int inet_listen_check_locked(struct inet_sock *is)
{
	const struct inet_sock *o;

	list_for_each_entry(o, slot(is->local.port), port_node) {
		if (o != is && on_port(o, is, is->local.port) &&
		    o->state == INET_LISTEN && overlap(is, &is->local, o) &&
		    !(is->s.reuseport && o->s.reuseport))
			return -EADDRINUSE;
	}
	if (is->adopted) /* a connection that is over */
		list_move_tail(&is->port_node, slot(is->local.port));
	is->adopted = false;
	return 0;
}

/* 0: not for it; more: the better it fits. */
static int fit(const struct inet_sock *is, const struct inet_ep *to,
	       const struct inet_ep *from)
{
	int score = 1;

	if (inet_same_ip(&is->local, to))
		score += 2;
	else if (!inet_is_any(&is->local))
		return 0;
	else if (inet_is_v4(&is->local) != inet_is_v4(to) &&
		 (!inet_is_v4(to) || is->v6only))
		return 0;
	else if (inet_is_v4(&is->local) == inet_is_v4(to))
		score++;
	if (is->state != INET_CONNECTED)
		return score;
	if (is->remote.port != from->port || !inet_same_ip(&is->remote, from))
		return 0;
	return score + 4;
}

/* As fit(), of a socket of any port and kind. */
static int fit_any(const struct inet_sock *is, const struct net_ns *net,
		   u8 proto, const struct inet_ep *to,
		   const struct inet_ep *from)
{
	u32 dev = load_once(&is->s.bound_dev);
	int f;

	if (is->proto != proto || is->local.port != to->port || is->dead ||
	    is->s.net != net ||
	    (unlikely(dev) && dev != (to->scope ?: LOOPBACK_INDEX)))
		return 0;
	if (proto == IPPROTO_TCP && is->state != INET_LISTEN)
		return 0;
	f = fit(is, to, from);
	return f && unlikely(dev) ? f + 4 : f;
}

/* Of sockets that share a port by SO_REUSEPORT each has its part of the senders. */
struct inet_sock *inet_find_locked(const struct net_ns *net, u8 proto,
				   const struct inet_ep *to,
				   const struct inet_ep *from,
				   const struct inet_buf *b)
{
	u32 nth = ~0u;
	struct inet_sock *o, *best = NULL;
	int best_fit = 0;
	u32 nr = 0; /* that fit as well */

	assert_held(&inet_lock);
	list_for_each_entry(o, slot(to->port), port_node) {
		int f = fit_any(o, net, proto, to, from);

		if (f > best_fit) {
			best = o;
			best_fit = f;
			nr = 0;
		}
		if (f && f == best_fit && o->s.reuseport)
			nr++;
	}
	if (nr < 2 || best->state == INET_CONNECTED)
		return best;
	if (unlikely(best->chooser))
		nth = inet_choose_locked(best, b);
	nr = nth < nr ? nth : (u32)(hash_mem(from, INET_EP_NAME) % nr);
	list_for_each_entry(o, slot(to->port), port_node) {
		if (o->s.reuseport &&
		    fit_any(o, net, proto, to, from) == best_fit && nr-- == 0)
			return o;
	}
	return best;
}

void inet_for_port_locked(const struct net_ns *net, u16 port,
			  void (*fn)(struct inet_sock *is, void *arg),
			  void *arg)
{
	struct inet_sock *is;

	for (u32 t = 0; t < NR_TABLES; t++) {
		list_for_each_entry(is, slot_of(t, port), port_node) {
			if (is->s.net == net && is->local.port == port)
				fn(is, arg);
		}
	}
}

void inet_for_each(const struct net_ns *net,
		   void (*fn)(struct inet_sock *is, void *arg), void *arg)
{
	struct inet_sock *is;

	for (u32 i = 0; i < NR_TABLES * NR_SLOTS; i++) {
		spin_lock(&inet_lock);
		list_for_each_entry(is, slot_of(i / NR_SLOTS, (u16)i),
				    port_node) {
			if (is->s.net == net)
				fn(is, arg);
		}
		spin_unlock(&inet_lock);
		cond_resched();
	}
}
