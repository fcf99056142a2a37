/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/tracepoint.h - the few tracepoints that there are.
 *
 * Events of PERF_TYPE_TRACEPOINT name them by number; /sys/kernel/tracing/events has
 * number and format of each, as perf wants to read them.
 */
#ifndef KERNEL_PMU_TRACEPOINT_H
#define KERNEL_PMU_TRACEPOINT_H

#include <lib/types.h>

enum tracepoint {
	TP_SYS_ENTER = 1,
	TP_SYS_EXIT = 2,
	TP_SCHED_SWITCH,
	TP_SCHED_WAKEUP,
	TP_SCHED_WAKING,
	TP_SCHED_WAKEUP_NEW,
	TP_SCHED_MIGRATE,
	TP_SCHED_STAT_RUNTIME,
	TP_SCHED_FORK,
	TP_SCHED_EXEC,
	TP_SCHED_EXIT,
	NR_TRACEPOINTS,
	/* one for each system call: syscalls:sys_enter_NAME, sys_exit_NAME */
	TP_ENTER_CALL = 1000,
	TP_EXIT_CALL = 2000,
};

/* In front of every record. */
struct trace_common {
	u16 type;
	u8 flags, preempt_count;
	s32 pid;
};
extern const char tracepoint_common[]; /* its description */

bool tracepoint_exists(u64 id);
/* What tracefs says of it; how long that is. */
s64 tracepoint_format(u32 id, char *buf, size_t size);
s64 sched_format(u32 id, char *buf, size_t size);

/* sched_trace.c; see there.  @h is where the thread's user code goes on, or where its
 * call suspended or it gave way. */
struct hart;
struct thread;
void sched_trace_in(struct hart *h, struct thread *t);
void sched_trace_out(struct hart *h, struct thread *t);
void sched_trace_side(u32 what, struct thread *t);

#endif /* KERNEL_PMU_TRACEPOINT_H */
