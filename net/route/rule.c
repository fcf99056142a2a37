/* SPDX-License-Identifier: MIT */
/*
 * net/route/rule.c - which table of routes a packet is looked up in; see rule.h.
 *
 * Locking: rtnl_mutex for who changes, route_lock for who looks.
 */
#include <net/route/rule.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <net/route/route_int.h>

static const struct fib_rule usual[] = {
	{ .family = AF_INET, .table = RT_TABLE_LOCAL, .priority = 0 },
	{ .family = AF_INET, .table = RT_TABLE_MAIN, .priority = 32766 },
	{ .family = AF_INET, .table = RT_TABLE_DEFAULT, .priority = 32767 },
	{ .family = AF_INET6, .table = RT_TABLE_LOCAL, .priority = 0 },
	{ .family = AF_INET6, .table = RT_TABLE_MAIN, .priority = 32766 },
};

static struct fib_rule usual_rule(u32 i)
{
	struct fib_rule r = usual[i];

	r.action = RULE_TO_TABLE;
	r.protocol = RTPROT_KERNEL;
	r.suppress = -1;
	return r;
}

static struct list_head *list_of(struct route_ns *rn, u16 family)
{
	return &rn->rules[family != AF_INET];
}

/* --- looking; route_lock held */

static bool is_named(const char *name, const struct net_device *dev)
{
	return dev && !strncmp(name, dev->name, NETDEV_NAME);
}

static bool fits(const struct fib_rule *r, const struct route_query *q)
{
	static const u8 zeros[16];
	const u8 *src = q->src ?: zeros;

	if (r->src_len &&
	    !ip_same_prefix(src, r->src, ip_bits(r->family, r->src_len)))
		return false;
	if (r->dst_len &&
	    !ip_same_prefix(q->dst, r->dst, ip_bits(r->family, r->dst_len)))
		return false;
	/* what we send ourselves comes from the loopback */
	if (r->iif[0] &&
	    !(q->in ? is_named(r->iif, q->in) : !strcmp(r->iif, "lo")))
		return false;
	if (r->oif[0] && !is_named(r->oif, q->out))
		return false;
	return !((q->mark ^ r->mark) & r->mask) && r->tos == 0;
}

/* NULL: the next rule. */
static const struct fib_route *by_rule(const struct route_ns *rn,
				       const struct fib_rule *r,
				       const struct route_query *q)
{
	static const struct fib_route refusals[] = {
		{ .type = ROUTE_BLACKHOLE },
		{ .type = ROUTE_UNREACHABLE },
		{ .type = ROUTE_PROHIBIT },
	};
	const struct fib_route *f;

	if (r->action >= RULE_BLACKHOLE && r->action <= RULE_PROHIBIT)
		return &refusals[r->action - RULE_BLACKHOLE];
	if (r->action != RULE_TO_TABLE)
		return NULL;
	f = fib_find_in(rn, r->table, q->dst, q->oif);
	return f && (s32)f->dst_len <= r->suppress ? NULL : f;
}

const struct fib_route *rule_find_locked(const struct route_ns *rn,
					 const struct route_query *q)
{
	bool v6 = !ip_is_v4(q->dst);
	const struct fib_route *f = NULL;
	const struct fib_rule *r;

	assert_held(&route_lock);
	if (likely(!rn->own_rules)) {
		for (u32 i = 0; !f && i < 3; i++)
			f = fib_find_in(rn, usual[i].table, q->dst, q->oif);
		return f;
	}
	list_for_each_entry(r, &rn->rules[v6], node) {
		if (fits(r, q) != r->invert)
			f = by_rule(rn, r, q);
		if (f)
			break;
	}
	return f;
}

/* --- changes; rtnl_mutex held */

static void told(struct net_ns *net, const struct fib_rule *r, bool gone)
{
	route_changed(net);
	if (route_listener && route_listener->rule)
		route_listener->rule(net, r, gone);
}

static void insert(struct route_ns *rn, struct fib_rule *r)
{
	struct fib_rule *o;

	list_for_each_entry(o, list_of(rn, r->family), node) {
		if (r->priority < o->priority)
			break;
	}
	spin_lock(&route_lock);
	list_add_tail(&r->node, &o->node);
	spin_unlock(&route_lock);
}

static struct fib_rule *copy_of(const struct fib_rule *r)
{
	struct fib_rule *c = kmemdup(r, sizeof(*r));

	if (c)
		list_init(&c->node);
	return c;
}

void rule_free_all(struct route_ns *rn)
{
	for (u32 i = 0; i < 2; i++) {
		while (!list_empty(&rn->rules[i])) {
			struct fib_rule *r = list_first_entry(
				&rn->rules[i], struct fib_rule, node);

			list_del(&r->node);
			kfree(r);
		}
	}
}

/* What there is without a list, as a list. */
static int make_list(struct route_ns *rn)
{
	if (rn->own_rules)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(usual); i++) {
		struct fib_rule r = usual_rule(i), *c = copy_of(&r);

		if (!c) {
			rule_free_all(rn); /* nobody looks at them yet */
			return -ENOMEM;
		}
		insert(rn, c);
	}
	spin_lock(&route_lock);
	rn->own_rules = true;
	spin_unlock(&route_lock);
	return 0;
}

static bool same(const struct fib_rule *a, const struct fib_rule *b)
{
	return a->family == b->family && a->action == b->action &&
	       a->table == b->table && a->priority == b->priority &&
	       a->mark == b->mark && a->mask == b->mask && a->tos == b->tos &&
	       a->src_len == b->src_len && a->dst_len == b->dst_len &&
	       ip_same(a->src, b->src) && ip_same(a->dst, b->dst) &&
	       a->suppress == b->suppress && a->invert == b->invert &&
	       !strcmp(a->iif, b->iif) && !strcmp(a->oif, b->oif);
}

int rule_add(struct net_ns *net, const struct fib_rule *given, bool excl)
{
	struct route_ns *rn = route_ns_make(net);
	struct fib_rule *r;

	if (!rn || make_list(rn))
		return -ENOMEM;
	list_for_each_entry(r, list_of(rn, given->family), node) {
		if (excl && same(r, given))
			return -EEXIST;
	}
	r = copy_of(given);
	if (!r)
		return -ENOMEM;
	insert(rn, r);
	told(net, r, false);
	return 0;
}

/* Is @r what @l means? */
static bool meant(const struct fib_rule *r, const struct rule_like *l)
{
	const struct fib_rule *w = &l->r;

	return (!w->action || r->action == w->action) &&
	       (!w->table || r->table == w->table) &&
	       (!l->priority || r->priority == w->priority) &&
	       (!l->mark || r->mark == w->mark) &&
	       (!l->mask || r->mask == w->mask) &&
	       (!l->protocol || r->protocol == w->protocol) &&
	       (!l->suppress || r->suppress == w->suppress) &&
	       (!w->iif[0] || !strcmp(r->iif, w->iif)) &&
	       (!w->oif[0] || !strcmp(r->oif, w->oif)) &&
	       (!w->src_len ||
		(r->src_len == w->src_len && ip_same(r->src, w->src))) &&
	       (!w->dst_len ||
		(r->dst_len == w->dst_len && ip_same(r->dst, w->dst)));
}

int rule_del(struct net_ns *net, const struct rule_like *like)
{
	struct route_ns *rn = route_ns_make(net);
	struct fib_rule *r;

	if (!rn || make_list(rn))
		return -ENOMEM;
	list_for_each_entry(r, list_of(rn, like->r.family), node) {
		if (!meant(r, like))
			continue;
		spin_lock(&route_lock);
		list_del(&r->node);
		spin_unlock(&route_lock);
		told(net, r, true);
		kfree(r);
		return 0;
	}
	return -ENOENT;
}

struct listing {
	u32 nr, second;
};

static void look(const struct fib_rule *r, void *arg)
{
	struct listing *l = arg;

	if (l->nr++ == 1)
		l->second = r->priority;
}

/* As Linux has it: in front of the second. */
u32 rule_next_priority(const struct net_ns *net, u16 family)
{
	struct listing l = { 0, 0 };

	rule_for_each(net, family, look, &l);
	return l.second ? l.second - 1 : 0;
}

void rule_for_each(const struct net_ns *net, u16 family,
		   void (*fn)(const struct fib_rule *r, void *arg), void *arg)
{
	struct route_ns *rn = route_ns(net);
	const struct fib_rule *r;

	for (u32 i = 0; (!rn || !rn->own_rules) && i < ARRAY_SIZE(usual); i++) {
		struct fib_rule u = usual_rule(i);

		if (u.family == family)
			fn(&u, arg);
	}
	if (!rn || !rn->own_rules)
		return;
	list_for_each_entry(r, list_of(rn, family), node)
		fn(r, arg);
}
