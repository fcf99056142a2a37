/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/trace.h - records of traces, as the kernel keeps them and as
 * /proc/relay/trace_raw hands them out (user/tools/relay_trace.c reads it).
 *
 * A read of trace_raw gives whole blocks and never waits: for each hart that has
 * something new a struct trace_block, then nr records of it in the order of time.
 * Nothing new: 0 bytes.  Tracing goes on as long as the file is open.
 */
#ifndef KERNEL_RELAY_TRACE_H
#define KERNEL_RELAY_TRACE_H

#include <kernel/sched/thread.h>
#include <lib/atomic.h>
#include <lib/types.h>

struct trace_record {
	u64 time; /* in the ring: a stamp (relay_stamp()); read: ns */
	u32 tid;  /* 0: about no thread */
	s16 nr;	  /* system call, -1: none */
	u8 what;  /* enum relay_event */
	u8 arg;	  /* see there */
};

#define TRACE_BLOCK_MAGIC 0x62547241u /* "ArTb" */

struct trace_block {
	u32 magic;
	u16 hart;   /* dense index */
	u8 role;    /* enum hart_role */
	u8 version; /* 1 */
	u32 nr;	    /* records that follow */
	u32 lost;   /* of this hart since its last block; saturates */
};

STATIC_ASSERT(sizeof(struct trace_record) == 16, "part of an interface");
STATIC_ASSERT(sizeof(struct trace_block) == 16, "part of an interface");

#define TRACE_RECORDS 16384u

/* Of one hart, which alone writes. */
struct trace_ring {
	u64 next; /* [H] how many were written: TRACE */
	struct trace_record rec[TRACE_RECORDS] __aligned(64);
};

static inline __attribute__((always_inline)) void trace_ring_put(
	struct trace_ring *g, const struct thread *t, s16 nr, u32 what, u32 arg,
	u64 stamp)
{
	u64 n = g->next;
	struct trace_record *r = &g->rec[n % TRACE_RECORDS];

	r->time = stamp;
	r->tid = t ? (u32)t->tid : 0;
	r->nr = nr;
	r->what = (u8)what;
	r->arg = (u8)arg;
	/* TRACE (release) - pairs with relay_trace_copy(). */
	store_release(&g->next, n + 1);
}

/* Coroutine. */
u64 relay_trace_end(u32 cpu);
/*
 * Copy up to @n records of hart @cpu from number *@pos on, and move *@pos behind
 * them; adds what was overwritten before to *@lost.  Returns how many.
 */
u32 relay_trace_copy(u32 cpu, u64 *pos, u64 *lost, struct trace_record *buf,
		     u32 n);

#endif /* KERNEL_RELAY_TRACE_H */
