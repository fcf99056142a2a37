/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/rdpmc.h - programs that read their counters themselves.
 *
 * The mapped page of an event says which CSR to add to `offset` (riscv: index - 1 behind
 * cycle).  It holds as long as the thread's user code runs on: so it is written anew
 * each time that it goes on, under the page's `lock`, which the program looks at before
 * and behind.  scounteren has the bits of what the thread may read.
 */
#ifndef KERNEL_PMU_RDPMC_H
#define KERNEL_PMU_RDPMC_H

#include <kernel/pmu/account.h>
#include <kernel/pmu/event.h>

/* /proc/sys/kernel/perf_user_access: 0 nobody reads counters, 1 who has mapped an event
 * of his own does, 2 everybody reads cycle and instret.  The clock is everybody's. */
extern u64 perf_user_access;	 /* [a] */
void rdpmc_access_changed(void); /* may sleep */

/* @e is one that a program can read so, once it is mapped. */
bool rdpmc_can(const struct perf_event *e);
/* User code of @c's thread goes on; c NULL: of one that is not counted. */
void rdpmc_enter(struct hart *h, const struct pmu_ctx *c);
/* @e, which is off and in nobody's set, is not to be read from a CSR. */
void rdpmc_stopped(struct perf_event *e);
/* Nothing is counted on this hart (any more), or the mode has changed. */
void rdpmc_reset(struct hart *h);

#endif /* KERNEL_PMU_RDPMC_H */
