/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/hooks.h - where the relay tells of its boundaries.
 *
 * All of them stand on the general way only, and cost a load and a branch there
 * when nothing is counted; hart->watched_pmu keeps calls off the short way while
 * what runs on the hart needs to be told of (pmu_decide_watch(), quick.h).
 *
 * Context: the hart's loop, interrupts off.
 */
#ifndef KERNEL_PMU_HOOKS_H
#define KERNEL_PMU_HOOKS_H

#include <kernel/hart.h>
#include <kernel/sched/thread.h>
#include <lib/atomic.h>

extern u32 pmu_active;	/* [a] events that are open; kernel/relay/params.c */
extern u32 pmu_tracing; /* [a] of them, tracepoints */

void pmu_user_leave_slow(struct hart *h, bool interrupt);
void pmu_user_enter_slow(struct hart *h, struct thread *t);
void pmu_call_begin_slow(struct hart *h, struct thread *t);
void pmu_call_end_slow(struct hart *h, struct thread *t, int why);
void pmu_posted_slow(struct hart *h);
void pmu_sw_slow(struct hart *h, struct thread *t, u32 what, u64 addr);
void pmu_syscall_slow(struct thread *t, bool enter);
void pmu_woken_slow(struct thread *t);

/* User code on @h has trapped: before anything else. */
static inline void pmu_user_leave(struct hart *h, bool interrupt)
{
	if (unlikely(h->pmu_on))
		pmu_user_leave_slow(h, interrupt);
}
/* It goes on; true: by user_return_counted(). */
static inline bool pmu_user_enter(struct hart *h, struct thread *t)
{
	if (likely(!h->pmu_on))
		return false;
	pmu_user_enter_slow(h, t);
	return true;
}
/* @t's coroutine begins or goes on here, and leaves. */
static inline void pmu_call_begin(struct hart *h, struct thread *t)
{
	if (unlikely(h->pmu_on))
		pmu_call_begin_slow(h, t);
}
static inline void pmu_call_end(struct hart *h, struct thread *t, int why)
{
	if (unlikely(h->pmu_on))
		pmu_call_end_slow(h, t, why);
}
/* The request of who trapped on @h goes to a service hart. */
static inline void pmu_posted(struct hart *h)
{
	if (unlikely(h->pmu_on))
		pmu_posted_slow(h);
}
/* A software event of @t, who is on @h. */
static inline void pmu_sw(struct hart *h, struct thread *t, u32 what, u64 addr)
{
	if (unlikely(h->pmu_on))
		pmu_sw_slow(h, t, what, addr);
}
/* A page fault of @t was answered: all of them are minor ones here. */
static inline void pmu_fault(struct hart *h, struct thread *t)
{
	pmu_sw(h, t, 2 /* PERF_COUNT_SW_PAGE_FAULTS */, t->tf.badaddr);
	pmu_sw(h, t, 5 /* ..._MIN */, t->tf.badaddr);
}
static inline void pmu_syscall(struct thread *t, bool enter)
{
	if (unlikely(load_once(&pmu_tracing)))
		pmu_syscall_slow(t, enter);
}

/* Where calls run has changed: some harts may have counted on it.  May sleep. */
void pmu_policy_changed(void);

/* @t, which waited, is to go on.  Any context. */
static inline void pmu_woken(struct thread *t)
{
	if (unlikely(load_once(&pmu_tracing)))
		pmu_woken_slow(t);
}

/* --- task/: a thread's life; each does nothing for one that is not counted. */
void perf_exit_slow(struct thread *t);
/* prctl(2): all events that current has opened go on, or stop. */
void perf_owner_enable(bool on);
void perf_exec_events(struct thread *t);
int perf_fork_slow(struct thread *child, u64 flags);
void perf_side_slow(u32 what, struct thread *t);

enum perf_side { /* what other events are told of */
	PERF_SIDE_COMM,
	PERF_SIDE_EXEC,
	PERF_SIDE_FORK,
	PERF_SIDE_EXIT,
};

static inline void perf_exit(struct thread *t)
{
	if (unlikely(load_once(&pmu_active)) || unlikely(t->pmu))
		perf_exit_slow(t);
}
/* 0 or -ENOMEM.  @child is not linked yet. */
static inline int perf_fork(struct thread *child, u64 flags)
{
	return unlikely(current->pmu) ? perf_fork_slow(child, flags) : 0;
}
static inline void perf_tell(u32 what, struct thread *t)
{
	if (unlikely(load_once(&pmu_active)))
		perf_side_slow(what, t);
}
/* An area was mapped: before it can be used. */
struct file;
void perf_mmap_area(struct thread *t, u64 start, u64 len, u64 pgoff, u32 flags,
		    struct file *f, const char *label);
void perf_exec_areas(struct thread *t);

/* Its program is a new one. */
static inline void perf_exec(struct thread *t)
{
	if (likely(!load_once(&pmu_active)))
		return;
	perf_exec_events(t);
	perf_side_slow(PERF_SIDE_EXEC, t);
	perf_exec_areas(t);
}

#endif /* KERNEL_PMU_HOOKS_H */
