/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/memcg_look.c - how much memory a group of threads has, and had; see
 * memcg.h.
 *
 * What harts have in stock is charged, but not used: it is taken off where somebody
 * asks, and given back (drain) before a limit is said to be exceeded.
 *
 * Context: any.  Locking: memcg_lock.
 */
#include <kernel/mm/memcg_int.h>

/* Of all stocks of @mc and below. */
static u64 in_stock_locked(const struct memcg *mc, s64 stat[NR_MEMCG_STATS])
{
	u64 nr = 0;

	for (u32 h = 0; h < nr_harts; h++)
		for (u32 i = 0; i < NR_STOCKS; i++) {
			const struct memcg_stock *s = &memcg_stocks[h].stock[i];

			if (!s->memcg || !memcg_is_below(s->memcg, mc))
				continue;
			nr += load_once(&s->nr);
			for (u32 k = 0; stat && k < NR_MEMCG_STATS; k++)
				stat[k] += load_once(&s->stat[k]);
		}
	return nr;
}

u64 memcg_usage(struct memcg *mc)
{
	u64 used, stock;

	spin_lock(&memcg_lock);
	used = mc->usage;
	stock = in_stock_locked(mc, NULL);
	spin_unlock(&memcg_lock);
	return used > stock ? used - stock : 0;
}

void memcg_stats(struct memcg *mc, s64 out[NR_MEMCG_STATS])
{
	spin_lock(&memcg_lock);
	for (u32 i = 0; i < NR_MEMCG_STATS; i++)
		out[i] = mc->stat[i];
	(void)in_stock_locked(mc, out);
	spin_unlock(&memcg_lock);
	for (u32 i = 0; i < NR_MEMCG_STATS; i++)
		out[i] = max(out[i], 0l);
}

/* --- peaks */

u64 memcg_peak(struct memcg *mc, struct memcg_peak *p)
{
	u64 v;

	spin_lock(&memcg_lock);
	v = p->memcg == mc ? max(p->value, mc->recent_peak) : mc->peak;
	spin_unlock(&memcg_lock);
	return v;
}

void memcg_peak_reset(struct memcg *mc, struct memcg_peak *p)
{
	struct memcg_peak *o;
	struct memcg *old;

	spin_lock(&memcg_lock);
	old = p->memcg;
	if (old)
		list_del(&p->node);
	list_for_each_entry(o, &mc->peaks, node)
		o->value = max(o->value, mc->recent_peak);
	memcg_drain_locked(mc);
	mc->recent_peak = mc->usage;
	*p = (struct memcg_peak){ .memcg = mc, .value = mc->usage };
	mc->refs++;
	list_add(&p->node, &mc->peaks);
	spin_unlock(&memcg_lock);
	memcg_put(old);
}

void memcg_peak_end(struct memcg_peak *p)
{
	struct memcg *mc;

	spin_lock(&memcg_lock);
	mc = p->memcg;
	p->memcg = NULL;
	if (mc)
		list_del(&p->node);
	spin_unlock(&memcg_lock);
	memcg_put(mc);
}

struct memcg *memcg_over_max(struct memcg *mc)
{
	spin_lock(&memcg_lock);
	while (mc && mc->usage <= load_once(&mc->max))
		mc = mc->parent;
	if (mc) {
		memcg_drain_locked(mc);
		if (mc->usage <= load_once(&mc->max))
			mc = NULL;
		else
			mc->refs++;
	}
	spin_unlock(&memcg_lock);
	return mc;
}

u64 memcg_take_debt(struct memcg *mc)
{
	u64 nr;

	spin_lock(&memcg_lock);
	nr = mc->debt;
	mc->debt = 0;
	spin_unlock(&memcg_lock);
	return nr;
}

void memcg_add_debt(struct memcg *mc, u64 nr)
{
	spin_lock(&memcg_lock);
	mc->debt += nr;
	spin_unlock(&memcg_lock);
}

void memcg_drain(struct memcg *mc)
{
	spin_lock(&memcg_lock);
	memcg_drain_locked(mc);
	spin_unlock(&memcg_lock);
}
