/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/unit.h - slots that have counters together or not at all: those of a group.
 *
 * Context and locking: changed under event.c's mutex, read by each hart when it gives
 * counters to slots (hw.c); a hart may see a change late, the caller maps again.
 */
#ifndef KERNEL_PMU_UNIT_H
#define KERNEL_PMU_UNIT_H

#include <kernel/pmu/event.h>

#define UNIT_PINNED    BIT(0) /* before others, and in no turns */
#define UNIT_EXCLUSIVE BIT(1) /* nothing else beside it */

/* @leader's group has changed, or it is leaving (@gone): harts map anew if that makes a
 * difference.  May sleep. */
void perf_regroup(struct perf_event *leader, bool gone);
/* Would @e make the group so large that it could never have its counters? */
bool perf_group_fits(const struct perf_event *leader,
		     const struct perf_event *e);

/* For hw.c: the @i-th unit's slots and flags, 0: none there; how many places. */
u64 pmu_unit(u32 i, u32 *flags);
u32 pmu_units(void);
/* How many groups use @slot: it is others' too if it has more references. */
u32 pmu_unit_refs(u32 slot);
u32 pmu_nr_programmable(void); /* hw.c */

#endif /* KERNEL_PMU_UNIT_H */
