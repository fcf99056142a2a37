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
	NR_TRACEPOINTS,
};

static inline bool tracepoint_exists(u64 id)
{
	return id >= TP_SYS_ENTER && id < NR_TRACEPOINTS;
}

#endif /* KERNEL_PMU_TRACEPOINT_H */
