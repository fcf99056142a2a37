/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/stats.h - what a thread, or all of a process, used: struct taskstats.
 *
 * Who asks, and who hears of threads that end, is net/taskstats.c's business.  Nobody
 * counts how long a thread waits for its hart, a disk or memory, nor memory over time:
 * these members are 0.
 *
 * Context: coroutine, no lock held: a file's and an address space's are taken.
 */
#ifndef KERNEL_TASK_STATS_H
#define KERNEL_TASK_STATS_H

#include <lib/types.h>

struct thread;

#define TASK_STATS_VERSION 14

/* [include/uapi/linux/taskstats.h]  Delays are ns, times us, memory KiB. */
struct task_stats {
	u16 version;
	u32 exitcode;
	u8 flag, nice;
	u64 cpu_count, cpu_delay; /* how often it ran, waited for that */
	u64 blkio_count, blkio_delay, swapin_count, swapin_delay;
	u64 cpu_run_real, cpu_run_virtual;
	char comm[32];
	u8 sched, pad[7];
	u32 uid, gid, pid, ppid, btime;
	u64 etime, utime, stime, minflt, majflt;
	u64 coremem, virtmem; /* over time */
	u64 hiwater_rss, hiwater_vm;
	u64 read_char, write_char, read_syscalls, write_syscalls;
	u64 read_bytes, write_bytes, cancelled_write_bytes;
	u64 nvcsw, nivcsw;
	u64 utimescaled, stimescaled, cpu_scaled_run_real;
	u64 freepages_count, freepages_delay, thrashing_count, thrashing_delay;
	u64 btime64;
	u64 compact_count, compact_delay;
	u32 tgid;
	u64 tgetime;
	u64 exe_dev, exe_inode;
	u64 wpcopy_count, wpcopy_delay, irq_count, irq_delay;
};
STATIC_ASSERT(sizeof(struct task_stats) == 432, "as in the ABI");
STATIC_ASSERT(offsetof(struct task_stats, uid) == 120, "as in the ABI");
STATIC_ASSERT(offsetof(struct task_stats, tgid) == 368, "as in the ABI");

/* [a] How many want to hear of ends; else nobody looks. */
extern u32 task_stats_heard;

/* Of the thread @tid, as current's namespace has it: 0, -ESRCH. */
int task_stats_of(int tid, struct task_stats *s);
/* Of all threads, living and dead, of the process that it is one of. */
int task_stats_of_group(int tid, struct task_stats *s);

/* Of current, which ends with the wait status @status, its process's @last one. */
void task_stats_end(int status, bool last, struct task_stats *s);
/* Of its process, whose last one it is; false: there never was another thread. */
bool task_stats_end_group(struct task_stats *s);

#endif /* KERNEL_TASK_STATS_H */
