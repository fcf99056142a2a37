/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/cgroup.h - control groups (version 2): a tree of groups of threads.
 *
 *	tree.c		groups are made and removed; which controllers they have
 *	member.c	threads are born into groups, move, and end
 *	freeze.c	groups hold still; groups are killed
 *	cpu.c		CPU time of a group, and its limit (cpu.max)
 *	devprog.c	programs that guard devices
 *	weight.c	how groups share a hart (cpu.weight, cpu.idle)
 *	cpuset.c	on which harts a group runs
 *	memory.c	who pays for memory; kernel/mm/memcg.h has the rest
 *	ns.c		cgroup namespaces: from where on a process sees the tree
 *	fs/cgroup/	all of that as a file system
 *
 * thread->cgroup is NULL in the root group, where nothing is counted: a fork and an
 * exit there pay one look each, everything else nothing.
 *
 * OWNERSHIP
 *   thread ---> struct cgroup ---> its parent		each arrow a reference;
 *   inode, struct cgroup_ns ---> struct cgroup		and one while it is in the tree
 *   A leader keeps its group until it is waited for, as Linux's zombies do.
 *
 * LOCKING
 *   cgroup_mutex (sleeping): shape of the tree, controllers, moves.
 *   task_lock: who is where, all counts; the shape is changed under both, so either
 *   is enough to look at it.
 *   Names that end in _locked want task_lock.
 *
 * Happenings (cgroup.events, pids.events) are noted under task_lock; pollers are
 * woken there, and a kernel thread tells inotify.
 */
#ifndef KERNEL_CGROUP_CGROUP_H
#define KERNEL_CGROUP_CGROUP_H

#include <kernel/ns/ns.h>
#include <kernel/sched/thread.h>
#include <kernel/sched/wait.h>
#include <kernel/time/timer.h>

struct memcg;
struct process;

enum cgroup_ctl {
	CGROUP_CPUSET,
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	NR_CGROUP_CTL,
};
#define CGROUP_CTL_ALL (BIT(NR_CGROUP_CTL) - 1)
/* Those that threaded groups can have. */
#define CGROUP_CTL_THREADED \
	(BIT(CGROUP_CPUSET) | BIT(CGROUP_CPU) | BIT(CGROUP_PIDS))

#define CGROUP_MAX ~0ull /* "max": no limit */

/* Files that tell of happenings. */
enum cgroup_event {
	CGROUP_EV_EVENTS,     /* cgroup.events */
	CGROUP_EV_PIDS,	      /* pids.events */
	CGROUP_EV_PIDS_LOCAL, /* pids.events.local */
	CGROUP_EV_MEMORY,     /* memory.events */
	CGROUP_EV_MEMORY_LOCAL,
	NR_CGROUP_EV,
};

struct cgroup_time {
	u64 user, system; /* ns */
};

/* cpu.max and what comes of it: cpu.c. All [task_lock]. */
struct cgroup_bandwidth {
	u64 quota_ns, period_ns, burst_ns; /* quota: CGROUP_MAX */
	u64 period_end;			   /* CLOCK_MONOTONIC */
	s64 left;			   /* of the quota: may be below zero */
	u64 seen;			   /* use when it was last looked at */
	u64 throttled_at;
	u64 nr_periods, nr_throttled, throttled_ns;
	s64 filled;		      /* left when the period began */
	u64 nr_bursts, burst_used_ns; /* periods with more than a quota; that */
	bool throttled, kicked;
	struct ktimer timer;
};

struct cgroup {
	u32 refs;	       /* [a] */
	u32 level;	       /* [I] root: 0 */
	u64 id;		       /* [I] inode number of its directory */
	struct cgroup *parent; /* [I] owned; NULL: root */
	struct cgroup *dom;    /* [task_lock] whose resources these are: itself,
				    * or the root of a threaded tree above it */
	char *name;	       /* [I] */
	struct list_head children; /* [both] */
	struct list_head sibling;  /* [both] */
	bool dead;		   /* [both] removed */
	u32 controllers;	   /* [both] has: what its parent gives */
	u32 subtree_control;	   /* [both] gives to its children */
	u32 nr_threaded_children;  /* [both] */
	u64 nr_children;	   /* [both] */
	u64 nr_descendants, max_descendants, max_depth; /* [both] */
	u64 nr_dying;					/* [a] */

	/* [task_lock]; not counted in the root */
	u64 nr_tasks;	      /* threads in it that have not ended */
	u32 nr_populated_dom; /* children: domains, and */
	u32 nr_populated_thr; /* threaded ones */
	u64 nr_frozen;	      /* of nr_tasks */
	u64 nr_frozen_children;
	bool freeze, frozen; /* wanted; it and all below hold still */
	u32 e_freeze;	     /* wanted here and above */
	u32 e_throttle;	     /* throttled here and above */
	struct cgroup_time
		used; /* of it and all below, by who has ended or left */

	u64 nr_pids, peak_pids, max_pids; /* with all below, and zombies */
	u64 pids_events, pids_max_local, pids_fail_local;
	struct cgroup_bandwidth bw;
	u32 cpu_weight;	  /* [task_lock] 1 to 10000 */
	bool cpu_idle;	  /* [task_lock] it has the least weight there is */
	bool cpu_counted; /* [task_lock] in cgroup_nr_cpu */
	u64 cpu_round;	  /* [task_lock] weight.c: when it was weighed last */
	u64 cpus, cpus_effective; /* [task_lock] 0: as above */
	bool mems_set;		  /* [task_lock] node 0 was named */
	struct memcg *memcg; /* [both] owned, or NULL: has not the controller */

	u32 event[NR_CGROUP_EV]; /* [a] how often */
	struct waitq event_wq;
	u32 events_due; /* [task_lock] BIT(cgroup_event) to be told */
	struct list_head due_node;	/* [task_lock] */
	void *fs;			/* [fs/cgroup/] kfree()d with it */
	struct cgroup_devices *devices; /* [devprog_lock] owned; devprog.h */
};

extern struct cgroup cgroup_root;
extern struct mutex cgroup_mutex;

static inline struct cgroup *thread_cgroup(const struct thread *t)
{
	struct cgroup *cg = load_once(&t->cgroup);

	return cg ? cg : &cgroup_root;
}
static inline struct cgroup *cgroup_get(struct cgroup *cg)
{
	atomic_inc(&cg->refs);
	return cg;
}
void cgroup_put(struct cgroup *cg); /* NULL is fine; any context */
bool cgroup_is_below(const struct cgroup *cg, const struct cgroup *top);
/* The lowest that has both below it. */
struct cgroup *cgroup_common(struct cgroup *a, struct cgroup *b);
/* The next of the tree below @top, parents first; NULL at the end.  @at NULL: @top. */
struct cgroup *cgroup_next(struct cgroup *at, struct cgroup *top);
static inline bool cgroup_is_threaded(const struct cgroup *cg)
{
	return load_once(&cg->dom) != cg;
}
bool cgroup_populated_locked(const struct cgroup *cg);
bool cgroup_is_valid_domain(const struct cgroup *cg);
bool cgroup_is_thread_root(const struct cgroup *cg);
bool cgroup_can_be_thread_root(const struct cgroup *cg);

/* --- tree.c; cgroup_mutex is taken; 0, ERR_PTR or -errno as Linux's */
struct cgroup *cgroup_make(struct cgroup *parent, const char *name);
int cgroup_remove(struct cgroup *cg);
int cgroup_set_threaded(struct cgroup *cg);
int cgroup_set_subtree_control(struct cgroup *cg, u32 enable, u32 disable);
struct cgroup *cgroup_find_child(struct cgroup *cg, const char *name,
				 size_t len); /* with a reference */
/* Likewise: its child with the smallest number above @id; @prev is put: the last one
 * that was had, which spares a search, or NULL. */
struct cgroup *cgroup_child_after(struct cgroup *cg, struct cgroup *prev,
				  u64 id);
extern const char *const cgroup_ctl_name[NR_CGROUP_CTL];
/* Of @cg as seen from @from: "/", "/a/b", "/../c".  Length, or -ENAMETOOLONG. */
s64 cgroup_path(struct cgroup *cg, struct cgroup *from, char *buf, size_t n);

/* --- member.c */
int cgroup_fork_slow(struct thread *t, struct cgroup *cg);
int cgroup_fork_into(struct thread *t, struct cgroup *cg);
void cgroup_cancel_slow(struct thread *t);
void cgroup_exit_slow(struct thread *t);
void cgroup_release_slow(struct thread *t);

/* @t is about to be linked: it gets @into, or current's.  0, -EAGAIN, or why it may
 * not be there. */
static inline int cgroup_fork_locked(struct thread *t, struct cgroup *into)
{
	struct cgroup *cg = current->cgroup;

	if (unlikely(into != NULL))
		return cgroup_fork_into(t, into);
	return likely(!cg) ? 0 : cgroup_fork_slow(t, cg);
}
static inline void cgroup_cancel_locked(struct thread *t)
{
	if (unlikely(t->cgroup != NULL))
		cgroup_cancel_slow(t);
}
/* @t runs no more; its leader's numbers stay taken till it is released. */
static inline void cgroup_exit_locked(struct thread *t)
{
	if (unlikely(t->cgroup != NULL))
		cgroup_exit_slow(t);
}
static inline void cgroup_release_locked(struct thread *t)
{
	if (unlikely(t->cgroup != NULL))
		cgroup_release_slow(t);
}
/* May @from's threads go to @to?  @whole: a process. */
int cgroup_vet_locked(const struct cgroup *from, const struct cgroup *to,
		      bool whole);
/* All threads of @p, or only @tid; the leader, or it, is in @from.  cgroup_mutex. */
int cgroup_move(struct cgroup *from, struct cgroup *to, struct process *p,
		int tid);

/* --- freeze.c */
void cgroup_set_freeze(struct cgroup *cg, bool on);
void cgroup_kill(struct cgroup *cg);
/* Its group, or one above, became another one: what does @t have to do? */
void cgroup_hold_locked(struct thread *t);
void cgroup_update_frozen_locked(struct cgroup *cg);
void cgroup_count_frozen(struct thread *t, bool frozen);
/* Current sleeps in a stop, and counts as held still meanwhile, wherever it goes. */
static inline void cgroup_stopped_locked(struct thread *t, bool stopped)
{
	if (likely(!t->cgroup))
		t->cgroup_frozen = stopped;
	else
		cgroup_count_frozen(t, stopped);
}
bool cgroup_hold_slow(struct thread *t);
/* Must current, which is @t, hold still?  Then it does (task_lock is let go and taken
 * again), till something changes: look again. */
static inline bool cgroup_hold_once_locked(struct thread *t)
{
	return unlikely(t->cgroup != NULL) && cgroup_hold_slow(t);
}

/* --- cpu.c */
void cgroup_cpu_init(struct cgroup *cg);
void cgroup_cpu_end(struct cgroup *cg);
void cgroup_account_locked(struct thread *t, bool leave);
void cgroup_cpu_populated_locked(struct cgroup *cg); /* it was not */
void cgroup_usage(struct cgroup *cg, struct cgroup_time *out);
int cgroup_set_bandwidth(struct cgroup *cg, u64 quota_ns, u64 period_ns);
int cgroup_set_burst(struct cgroup *cg, u64 burst_ns);
void cgroup_throttle_wait(
	struct thread *t); /* current, at the end of a request */

/* --- weight.c */
extern u32 cgroup_nr_cpu; /* [task_lock; a] groups with the controller cpu */
/* How long @t, which is about to run on @h, may have it while others wait; @turn_ns:
 * without groups.  The loop of @h; takes task_lock. */
u64 cgroup_turn_ns(struct hart *h, const struct thread *t, u64 turn_ns);
void cgroup_weight_init(struct cgroup *cg);
void cgroup_weight_count_locked(struct cgroup *cg, bool on);
int cgroup_set_weight(struct cgroup *cg, u64 weight);
int cgroup_set_weight_nice(struct cgroup *cg, s32 nice);
int cgroup_set_idle(struct cgroup *cg, bool idle);
u32 cgroup_weight(struct cgroup *cg); /* as cpu.weight shows it */
s32 cgroup_weight_nice(struct cgroup *cg);

/* --- cpuset.c */
u64 cgroup_cpus_locked(const struct cgroup *cg); /* NULL: the root */
/* @t, in a group or asked for others, runs where it may. */
void cgroup_cpus_apply_locked(struct thread *t);
int cgroup_cpus_ask_locked(struct thread *t, u64 mask); /* 0, -EINVAL */
void cgroup_cpus_inherit_locked(struct cgroup *cg);	/* it is new */
void cgroup_cpus_end_locked(struct cgroup *cg);
int cgroup_set_cpus(struct cgroup *cg, u64 mask);
int cgroup_set_mems(struct cgroup *cg, u64 mask);

/* --- memory.c */
/* Who pays for the threads of @cg; NULL: the root. */
struct memcg *cgroup_memcg_locked(const struct cgroup *cg);
struct memcg *cgroup_memcg_get(struct cgroup *cg); /* its own, or NULL */
/* @cg gets the controller, or loses it. cgroup_mutex. */
int cgroup_memory_give(struct cgroup *cg); /* 0, -ENOMEM */
void cgroup_memory_take(struct cgroup *cg);

/* --- happenings, and what else fs/cgroup/ knows */
void cgroup_event_locked(struct cgroup *cg, enum cgroup_event ev);
/* fs/cgroup/: BIT(cgroup_ctl) whose file has that name, or 0. */
u32 cgroup_file_ctl(const char *name);
/* fs/cgroup/: tell inotify.  Coroutine, no locks. */
void cgroup_file_modified(struct cgroup *cg, enum cgroup_event ev);

/* --- ns.c */
struct cgroup_ns {
	struct ns_common ns;
	struct cgroup *root; /* [I] owned */
};
extern const struct ns_ops cgroup_ns_ops;
extern struct cgroup_ns init_cgroup_ns;
struct cgroup_ns *cgroup_ns_new(struct user_ns *owner); /* ERR_PTR */

#endif /* KERNEL_CGROUP_CGROUP_H */
