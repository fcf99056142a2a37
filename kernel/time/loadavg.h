/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/loadavg.h - how busy the machine was in the last 1, 5 and 15 minutes.
 *
 * Linux samples the number of runnable threads with a tick.  There is none here: the
 * averages are brought up to date when somebody looks, from the time that harts were
 * not asleep since the last look, and from who waits for a hart now.
 */
#ifndef KERNEL_TIME_LOADAVG_H
#define KERNEL_TIME_LOADAVG_H

#include <lib/types.h>

#define LOAD_FSHIFT 11
#define LOAD_ONE    (1ul << LOAD_FSHIFT)

/* In units of LOAD_ONE.  Context: any; may be called at the same time. */
void loadavg_get(u64 avg[3]);
/* Threads that run or wait for a hart now. */
u32 loadavg_running(void);

#endif /* KERNEL_TIME_LOADAVG_H */
