/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/sample.h - samples: when, of what, and what is in them.
 *
 * While an event that samples is on, each hart that runs something which it counts
 * has a timer, `tick`.  When it expires the events look at their counts and those
 * whose period has passed (or whose time has come, by frequency) write a record.
 * User code is interrupted for it anyway.  A call runs with interrupts off; while
 * somebody samples they are on for it, but only that of the timer, and what it runs
 * takes no lock and changes nothing of the kernel's but this hart's pmu state.
 */
#ifndef KERNEL_PMU_SAMPLE_H
#define KERNEL_PMU_SAMPLE_H

#include <kernel/pmu/account.h>
#include <kernel/pmu/event.h>

struct thread;
struct trapframe;

/* Hooks of account.c, on the general way. */
void sample_arm(struct hart *h, const struct pmu_ctx *c);
void sample_call_begin(struct hart *h, struct thread *t);
void sample_call_end(struct hart *h);
void sample_sw(struct hart *h, struct thread *t, u32 what, u64 addr);
/* A hit of a tracepoint, on the thread's application hart: a reader finds all records
 * about a thread in one place, in order. */
void sample_trace(struct thread *t, u32 id, const void *raw, u32 n);
/* The same, on that hart. */
void sample_trace_on(struct hart *on, struct thread *t, u32 id, const void *raw,
		     u32 n);
/* @e was opened, or its interval changed; and none is open any more. */
void sample_rate(const struct perf_event *e);
void sample_nobody_left(void);
/* Those who poll for an event of this hart. */
void perf_wake_readers(struct hart *h);
void perf_wake_event(struct perf_event *e);
void perf_hangup(struct perf_event *e);
/* From trap.S by way of kernel_trap(): true if it was ours. */
bool perf_kernel_interrupt(struct trapframe *tf);

/* The fields that stand behind every record with ATTR_SAMPLE_ID_ALL: how many bytes
 * at @out, which has room for 8 words.  @t NULL: nobody's. */
u16 perf_sample_id(const struct perf_event *e, const struct thread *t,
		   const struct hart *h, u64 *out);
/* Records of those who want to know when @t gets and loses its hart @h. */
enum switch_kind {
	SWITCH_IN,
	SWITCH_OUT,
	SWITCH_PREEMPT
};
void sample_switch(struct hart *h, struct thread *t, enum switch_kind how);

#endif /* KERNEL_PMU_SAMPLE_H */
