/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/pid.h - PID namespaces: the numbers that processes have inside.
 *
 * Inside the kernel every number of a thread, process, group or session is that of
 * the first namespace (kernel/task/pid.h).  A slot that was given in a namespace
 * below has besides a struct pid_nums: its number at each level from 1 on.  They go
 * when the slot is free again, so a group's number lives as long as its members, at
 * every level.  At the border to a program numbers are translated: pid_shown() on
 * their way out, pid_given() on their way in.
 *
 * The first process of a namespace is its init: orphans become its children, signals
 * from inside do not end it, and when it ends all others are killed, and nobody can be
 * made any more.
 *
 * OWNERSHIP
 *   struct process, struct pid_nums and struct nsproxy (for children) each own a
 *   reference of their namespace, a namespace one of its parent.  Its init is a
 *   plain pointer, gone before the process is.
 *
 * Locking: task_lock, where not said otherwise; numbers are changed under nums_lock
 * (RANK_VMA) besides, which is enough to look at them.
 */
#ifndef KERNEL_NS_PID_H
#define KERNEL_NS_PID_H

#include <kernel/ns/ns.h>
#include <kernel/sched/wait.h>
#include <kernel/task/pid.h>
#include <kernel/task/process.h>

#define PID_NS_LEVELS 32u
#define PID_CHUNK     64u
/* What pid_given() says of a number that nobody has: nobody can have it. */
#define PID_NOBODY 0x3fffffff

struct pid_ns {
	struct ns_common ns;
	struct pid_ns *parent; /* [I] owned; NULL: the first */
	u32 level;	       /* [I] 0: the first */
	struct process *init;  /* [task_lock] NULL: not yet, or gone */
	bool dead;	       /* [task_lock] its init has ended */
	int reboot_signal; /* [task_lock] what init is said to die of, or 0 */
	u32 nr_procs;	   /* [task_lock] here and below */
	struct waitq wq;   /* woken when nr_procs shrinks and it is dead */
	int last;	   /* [nums_lock, a] the last number that was given */
	u16 *chunk[PID_MAX / PID_CHUNK]; /* [nums_lock] first's numbers */
};
extern const struct ns_ops pid_ns_ops;
extern struct pid_ns init_pid_ns;

struct pid_nums {
	struct pid_ns *ns; /* [I] owned: the innermost */
	int nr[];	   /* [I] at level 1, 2 ... ns->level */
};

static inline struct pid_ns *current_pid_ns(void)
{
	const struct thread *t = current;

	return t && t->proc ? t->proc->pid_ns : &init_pid_ns;
}
/* The number of current's namespace that was given last. */
int pid_last_shown(void);
/* The same, but a number that was asked for does not count; the next one is to be behind
 * @nr: 0, -EPERM, -EINVAL. */
int pid_cursor_shown(void);
int pid_set_last(u64 nr);
bool pid_ns_below(const struct pid_ns *ns, const struct pid_ns *top);

/* --- numbers.  Under any lock up to RANK_FILE. */
/* Number @pid of the first namespace as @ns has it; 0: not there. */
int pid_nr_in(const struct pid_ns *ns, int pid);
/* Number @nr of @ns as the first has it, or PID_NOBODY; <= 0 stays as it is. */
int pid_global(struct pid_ns *ns, int nr);
static inline int pid_shown(int pid)
{
	struct pid_ns *ns = current_pid_ns();

	return likely(ns == &init_pid_ns) ? pid : pid_nr_in(ns, pid);
}
static inline int pid_given(int nr)
{
	struct pid_ns *ns = current_pid_ns();

	return likely(ns == &init_pid_ns) ? nr : pid_global(ns, nr);
}
/* A group's is negative. */
static inline int pid_or_group_given(int nr)
{
	return nr < -1 && nr != (int)0x80000000 ? -pid_given(-nr)
						: pid_given(nr);
}
static inline int pid_or_group_shown(int pid)
{
	return pid < 0 ? -pid_shown(-pid) : pid_shown(pid);
}

/* --- for kernel/task/: task_lock held */
/* Numbers that somebody wants, the innermost first; 0 of them: any. */
struct pid_wish {
	u32 nr;
	int want[PID_NS_LEVELS + 1];
};
/* A slot of the first namespace with numbers in @ns and all above it: its number,
 * or -EAGAIN, -EEXIST, -EINVAL, -ENOMEM (also: @ns is dead).  *@inner is that in
 * @ns. */
int pid_ns_alloc(struct pid_ns *ns, const struct pid_wish *wish, int *inner);
/* Somebody has left slot @pid: if it was the last, its numbers go. */
void pid_settle_locked(int pid);
void pid_ns_link_locked(struct process *p);   /* it has its number */
void pid_ns_unlink_locked(struct process *p); /* it is reaped */
/* Does a signal from current to @p, which is some namespace's init, count as one from
 * outside? */
bool pid_ns_from_outside(const struct process *p);
/* Current, the last thread of some namespace's init, ends: all others first.  No
 * lock held; waits. */
void pid_ns_zap(struct process *p);
/* reboot(2) from inside: the init of current's namespace, which is not the first, is
 * killed, and its parent is told that @sig did it.  Current ends as well. */
void pid_ns_reboot(int sig) __noreturn;

/* Below @parent; ERR_PTR: -EINVAL, -ENOSPC, -ENOMEM. */
struct pid_ns *pid_ns_new(struct pid_ns *parent, struct user_ns *owner);

#endif /* KERNEL_NS_PID_H */
