/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/event.h - events as perf_event_open(2) makes them.
 *
 * An event reads a context's accumulators (account.h) and remembers what they were
 * when it was enabled; so it costs nothing while it counts.  Events that were opened
 * belong to their file; inherited ones to the context of their thread, and are folded
 * into the one that was opened when that thread ends.
 *
 * Locking: perf_mutex for all members not marked otherwise, and for the lists of
 * contexts.  What samples (sample.c) reads only [I] and [S] members: [S] are written
 * under the mutex with the event not in a set, or by the one hart that has the
 * context.
 */
#ifndef KERNEL_PMU_EVENT_H
#define KERNEL_PMU_EVENT_H

#include <kernel/file/owner.h>
#include <kernel/pmu/abi.h>
#include <kernel/pmu/account.h>
#include <kernel/sched/wait.h>

struct file;
struct perf_rb;

enum perf_kind {
	KIND_SLOT,  /* counts `slot` */
	KIND_CLOCK, /* nanoseconds */
	KIND_SW,    /* counts `sw` */
	KIND_TRACE, /* a tracepoint: counts its own hits */
	KIND_NONE,  /* dummy */
};

#define PERF_GROUP_MAX 64u /* siblings of a leader */

struct perf_value {
	u64 count, enabled, running;
};

static inline struct perf_value perf_value_plus(struct perf_value a,
						struct perf_value b)
{
	return (struct perf_value){ a.count + b.count, a.enabled + b.enabled,
				    a.running + b.running };
}

struct perf_event {
	struct perf_attr attr; /* [I] */
	u8 kind;	       /* [I] enum perf_kind */
	u8 sides;	       /* [I] mask of enum pmu_side */
	u32 slot;	       /* [I] KIND_SLOT; owned */
	u32 sw;		       /* [I] KIND_SW: enum pmu_sw; KIND_TRACE: id */
	s32 cpu;	       /* [I] hart, or -1 */
	u64 id;		       /* [I] */

	struct pmu_ctx *ctx;	   /* NULL: its thread has ended */
	struct list_head node;	   /* ctx->events */
	struct perf_event *leader; /* itself: none */
	struct list_head siblings; /* of leader */
	struct list_head sib_node;
	struct perf_event
		*member[PERF_GROUP_MAX]; /* [a] siblings, for samples */
	u64 unit; /* of a leader: slots that have counters together (unit.c) */
	struct perf_event *parent; /* [I] of an inherited one */
	struct list_head children; /* inherited from this one */
	struct list_head child_node;
	struct file *output; /* SET_OUTPUT: not owned, cleared by its release */

	bool on;		    /* [a] */
	bool armed;		    /* on, if its leader is */
	bool exited;		    /* its thread has */
	bool exec_on;		    /* to be enabled by exec */
	struct perf_value base, at; /* before `on`, and context's at `on` */
	struct perf_value dead;	    /* of children that have ended */
	u64 hits;		    /* [a] KIND_TRACE */
	u64 lost;		    /* [a] */
	struct perf_filter *filter; /* [a] KIND_TRACE: owned, or NULL */

	/* sampling */
	bool samples;	/* [I] */
	u64 period;	/* [a] in counts; 0: by frequency */
	u64 interval;	/* [a] ns between two looks */
	u64 next_ns;	/* [S] by frequency */
	bool throttled; /* [S] a sample stands for several periods */
	bool overflow;	/* [I] sampled by overflow, not by the tick */
	u64 guess;	/* [S] period that makes the frequency (overflow) */
	u64 last;	/* [S] count at the last sample */
	s64 limit;	/* [a] REFRESH: samples left, 0: no limit, -1: spent */
	u64 spent_at;	/* [a] what the context said then */
	u64 missed;	/* pinned: time without a counter, forgiven, */
	u64 missed_of;	/* of how much */
	struct perf_event *heir;    /* inherit.c: copy for who is being born */
	u32 unwoken;		    /* [S] samples since readers were woken */
	struct perf_rb *rb;	    /* [a] where it writes; owned reference */
	struct list_head rb_node;   /* rb->users */
	struct list_head all_node;  /* of those that were opened */
	const struct thread *owner; /* who opened it, while it lives */
	u32 areas;		    /* [a] of its file */
	u32 poll_events;	    /* [a] */
	struct waitq wq;

	/* O_ASYNC (signal.c); [a] */
	struct file_owner told;
	s32 async_fd;
	u32 owner_sig;
	bool async;
	u32 signal; /* to be sent: PERF_POLL_*, 0: none */
};

/* si_code of a signal */
#define PERF_POLL_IN  1u
#define PERF_POLL_HUP 6u

extern struct mutex perf_mutex;

/* attr.c: 0 or -errno; size and E2BIG as the ABI has it. */
int perf_read_attr(uaddr_t uattr, struct perf_attr *a);
int perf_check_attr(const struct perf_attr *a);

/* kernel/pmu/open.c */
struct file *perf_open(struct perf_attr *attr, int pid, int cpu, int group_fd,
		       u32 flags);

/* Hits or changes of threads are of interest to it: it counts in pmu_tracing, and is
 * in the set of its context. */
static inline bool perf_traces(const struct perf_event *e)
{
	return e->kind == KIND_TRACE || (e->attr.flags & ATTR_CONTEXT_SWITCH);
}

/* event.c; perf_mutex held */
/* @e is on since now. */
void perf_begin_one(struct perf_event *e);
struct perf_event *perf_event_new(const struct perf_attr *attr);
void perf_event_free(struct perf_event *e);
/* @leader has room: perf_group_full() was asked. */
bool perf_group_full(const struct perf_event *leader);
void perf_event_attach(struct perf_event *e, struct pmu_ctx *c,
		       struct perf_event *leader);
void perf_event_detach(struct perf_event *e, bool sync);
void perf_enable(struct perf_event *e, bool on);
/* As asked by the program: a member of a group counts while its leader does. */
void perf_arm(struct perf_event *e, bool on);
void perf_leave_group(struct perf_event *e);
/* What the context's accumulators say now for @e; also from a sample. */
struct perf_value perf_now(const struct perf_event *e);
/* The event's own value; in cycles, not nanoseconds; with those inherited from it. */
struct perf_value perf_raw_own(const struct perf_event *e);
struct perf_value perf_value_own(const struct perf_event *e);
struct perf_value perf_value(const struct perf_event *e);
void perf_reset(struct perf_event *e);
/* Make the next perf_value() of @e current. */
void perf_refresh_counts(struct perf_event *e);
/* What the events of @c want. */
void perf_update_want(struct pmu_ctx *c);
/* Sampling events of @c have changed: publish; the old set to be freed later. */
struct perf_set *perf_update_set(struct pmu_ctx *c);
/* The same, and wait until nobody uses the old one. */
void perf_set_changed(struct perf_event *e);
bool perf_is_listed(const struct perf_set *s, const struct perf_event *e);

/* An event that was opened begins, and ceases, to be one of its owner's. */
void perf_owned(struct perf_event *e);
void perf_disowned(struct perf_event *e);
/* @t has ended. */
void perf_owner_gone(const struct thread *t);

/* signal.c */
int perf_setfl(struct file *f, u32 flags);
/* Tell the owner of @e, which was opened. */
void perf_signal(struct perf_event *e, u32 how);

/* file.c */
extern const struct file_ops perf_fops;
void perf_open_failed(struct file *f);
struct perf_event *perf_event_of(struct file *f); /* NULL: another file */

/* By which clock its records are stamped; -1: as they come. */
static inline s32 perf_clock_of(const struct perf_event *e)
{
	return e->attr.flags & ATTR_USE_CLOCKID ? e->attr.clockid : -1;
}

/* Knobs of /proc/sys/kernel. */
extern u64 perf_paranoid;  /* [a] a signed number */
extern u64 perf_max_rate;  /* [a] samples per second */
extern u64 perf_mlock_kb;  /* [a] */
extern u64 perf_max_stack; /* [a] frames of a callchain */
/* Kept only: a sample costs what it costs, and a callchain has two contexts. */
extern u64 perf_cpu_percent, perf_max_contexts;
extern u64 kptr_restrict; /* [a] who sees addresses of the kernel */

#endif /* KERNEL_PMU_EVENT_H */
