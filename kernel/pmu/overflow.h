/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/overflow.h - samples by overflow interrupts; what hw.c and sample.c
 * share of it.  pmu.h has what others see.
 */
#ifndef KERNEL_PMU_OVERFLOW_H
#define KERNEL_PMU_OVERFLOW_H

#include <kernel/pmu/account.h>
#include <kernel/pmu/event.h>

/* hw.c: counters by their number; @idx is one that a hart has. */
u64 pmu_read_counter(u32 idx);
u64 pmu_counter_mask(u32 idx); /* its bits */
int pmu_counter_csr(u32 idx);  /* behind cycle; -1: firmware's */
bool pmu_slot_overflows(u32 slot);
const struct pmu_ops *pmu_overflow_ops(void); /* NULL: none interrupts */
void pmu_map_again(void);		      /* all harts; may sleep */

/* This hart's counters for cycles and instructions.  alarms_map() takes them off
 * @left, of which @programmable are no firmware's, and leaves one at least. */
void alarms_init(struct pmu_hart *p);
void alarms_map(struct pmu_hart *p, u64 *left, u64 programmable);
void alarms_unmap(struct pmu_hart *p);

/* An interval of @c begins, or a sample was taken in it: set the counters so that
 * they overflow when the next period is over. */
void overflow_arm(struct hart *h, const struct pmu_ctx *c);
/* What @e, which has @count now, has counted since its last sample if that is a
 * period; 0: not yet. */
u64 overflow_due(struct perf_event *e, u64 count, u64 now);
void overflow_show(void (*emit)(void *ctx, const char *text), void *ctx);

#endif /* KERNEL_PMU_OVERFLOW_H */
