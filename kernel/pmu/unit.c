/* SPDX-License-Identifier: MIT */
/* kernel/pmu/unit.c - see unit.h. */
#include <kernel/pmu/unit.h>

#include <kernel/pmu/overflow.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define MAX_UNITS 32u

static struct {
	u64 mask;  /* [a] */
	u32 flags; /* [a] */
	u32 refs;  /* [mutex of event.c] */
} units[MAX_UNITS];

u64 pmu_unit(u32 i, u32 *flags)
{
	*flags = load_once(&units[i].flags);
	return load_once(&units[i].mask);
}

u32 pmu_units(void)
{
	return MAX_UNITS;
}

u32 pmu_unit_refs(u32 slot)
{
	u32 n = 0;

	for (u32 i = 0; i < MAX_UNITS; i++) {
		if (load_once(&units[i].mask) & BIT(slot))
			n += load_once(&units[i].refs);
	}
	return n;
}

static void change(u64 mask, u32 flags, int by)
{
	u32 at = MAX_UNITS;

	for (u32 i = 0; i < MAX_UNITS; i++) {
		if (units[i].refs && units[i].mask == mask &&
		    units[i].flags == flags) {
			at = i;
			break;
		}
		if (!units[i].refs && at == MAX_UNITS)
			at = i;
	}
	/* No place: its slots take turns one by one. */
	if (at == MAX_UNITS || (by < 0 && !units[at].refs))
		return;
	store_once(&units[at].refs, units[at].refs + (u32)by);
	store_once(&units[at].flags, flags);
	store_once(&units[at].mask, units[at].refs ? mask : 0);
}

static u64 slot_bit(const struct perf_event *e)
{
	return e->kind == KIND_SLOT && e->slot >= FIRST_DYNAMIC ? BIT(e->slot)
								: 0;
}

static u64 slots_of(const struct perf_event *leader)
{
	const struct perf_event *s;
	u64 mask = slot_bit(leader);

	list_for_each_entry(s, &leader->siblings, sib_node)
		mask |= slot_bit(s);
	return mask;
}

bool perf_group_fits(const struct perf_event *leader,
		     const struct perf_event *e)
{
	u64 mask = slot_bit(e), need = 0;

	if (leader)
		mask |= slots_of(leader);
	for (; mask; mask &= mask - 1)
		need += pmu_slot_overflows(ctz64(mask)); /* no firmware's */
	return need <= pmu_nr_programmable();
}

void perf_regroup(struct perf_event *leader, bool gone)
{
	/* An inherited group has the slots of the one it is from. */
	u64 mask = gone || leader->parent ? 0 : slots_of(leader);
	u32 flags = (leader->attr.flags & ATTR_PINNED ? UNIT_PINNED : 0) |
		    (leader->attr.flags & ATTR_EXCLUSIVE ? UNIT_EXCLUSIVE : 0);

	if (!flags && popcount64(mask) < 2)
		mask = 0;
	if (mask == leader->unit)
		return;
	if (leader->unit)
		change(leader->unit, flags, -1);
	if (mask)
		change(mask, flags, 1);
	leader->unit = mask;
	pmu_map_again();
}
