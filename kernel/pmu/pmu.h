/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/pmu.h - hardware counters: what there is, and how it is shared.
 *
 * A *slot* is something that can be counted: cycles, instructions, or an event that
 * firmware knows.  Slots are the same on all harts; on each hart a slot has a counter
 * or, when there are more slots than counters, has one in turns.  A counter runs
 * freely from the time its slot is mapped: nobody stops it, sets it or filters by
 * mode.  Whoever counts reads it at the ends of what he counts (account.c) and adds
 * up differences.  So any number of events and threads share one counter, a counter
 * that wraps is no matter, and the cycle and instret CSRs, by which the kernel keeps
 * time, are never touched.
 *
 * Context and locking: pmu_slot_get() and pmu_slot_put() in a coroutine under the
 * mutex of event.c; the rest on the hart that it is about.
 */
#ifndef KERNEL_PMU_PMU_H
#define KERNEL_PMU_PMU_H

#include <kernel/hart.h>
#include <lib/types.h>

#define PMU_SLOTS     24u
#define SLOT_CYCLES   0u /* always read: time is made of it too */
#define SLOT_INSTRET  1u
#define FIRST_DYNAMIC 2u

/* Counted by a CSR of its own; what follows is one of those that need a counter. */
static inline bool pmu_slot_fixed(u32 slot)
{
	return slot < FIRST_DYNAMIC || slot >= PMU_SLOTS;
}

/* A counter of firmware's list. */
struct pmu_counter {
	u16 csr;  /* its number, 0xc00...; 0: read by a firmware call */
	u8 width; /* bits */
	bool firmware;
};

/* Filled by sbi/; every call is about the hart that makes it. */
struct pmu_ops {
	u32 nr_counters;
	int (*info)(u32 idx, struct pmu_counter *out); /* 0 or -errno */
	/* Find a counter among @mask for the event and start it.  Its index,
	 * -EOPNOTSUPP or another errno. */
	int (*config)(u64 mask, u64 event, u64 data);
	void (*stop)(u32 idx); /* and let go of it */
	u64 (*read)(u32 idx);  /* a firmware counter */
	/* Counters interrupt when they overflow (Sscofpmf). */
	bool overflow;
	/* Let a counter that is configured go on from @value; its next overflow
	 * interrupts. */
	void (*restart)(u32 idx, u64 value);
};
void pmu_ops_set(const struct pmu_ops *ops);

/* Event numbers of firmware [SBI 2.0, 11.2]. */
#define PMU_EVENT(type, code) ((u64)(type) << 16 | (code))
#define PMU_HW(code)	      PMU_EVENT(0, code)
#define PMU_CACHE(code)	      PMU_EVENT(1, code)
#define PMU_RAW		      PMU_EVENT(2, 0)
#define PMU_FW(code)	      PMU_EVENT(15, code)

/* A slot for the event: its number, -ENOENT (firmware has no counter for it),
 * -ENOSPC (too many at a time).  May sleep. */
int pmu_slot_get(u64 event, u64 data);
void pmu_slot_put(u32 slot);
/* Whether firmware could count it, found out by trying. */
bool pmu_can_count(u64 event, u64 data);

/* This hart's counter of @slot, as wide as it is; only if it has one. */
u64 pmu_read_slot(const struct hart *h, u32 slot);
/* Slots that have a counter on @h now. */
u64 pmu_mapped(const struct hart *h);
/* What @slot counted from @from to @to on @h. */
u64 pmu_slot_delta(const struct hart *h, u32 slot, u64 from, u64 to);

/* Every hart has gone through its loop since the call; what was written before it
 * is seen by all, and what somebody reads of his thread is up to date.  May sleep. */
void pmu_sync_harts(void);
/* For the loop: somebody called the above, or slots have changed. */
void pmu_hart_work(struct hart *h);

/* --- overflow.c: counters that tell when a period is over.
 *
 * A slot's own counter does, if it is a programmable one; cycles and instructions,
 * whose CSRs are not to be touched, have another one for it. */
extern u64 overflow_slots; /* [a] that somebody samples so */
/* Under event.c's mutex; false: it cannot be sampled so here. */
bool overflow_get(u32 slot);
void overflow_put(u32 slot);
/* For the loop: a counter has overflowed. */
void pmu_overflow(struct hart *h);

/* Text for /proc/relay/counters. */
void pmu_show(void (*emit)(void *ctx, const char *text), void *ctx);

#endif /* KERNEL_PMU_PMU_H */
