/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/ext.h - what only few threads have: a tracer, filters of their calls.
 *
 * thread->ext is NULL for an ordinary thread, so that a system call pays one load
 * and one branch for all of it.  It is made when first wanted and lives as long as
 * the thread: the thread itself looks at it without a lock.
 *
 * A tracee belongs to a process that traces (not to one thread of it).  While it
 * is in a stop its coroutine sleeps in trace_stop() and its registers are in
 * thread->tf; whoever wants them takes task_lock and finds `stopped` set, and
 * until the lock is let go the thread cannot leave.
 *
 * Locking: task_lock for every member not marked otherwise.
 */
#ifndef KERNEL_TASK_EXT_H
#define KERNEL_TASK_EXT_H

#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/sud.h>

/* wait status word of a stop, shifted down by 8: signal and event */
#define TRACE_SYSGOOD	    0x80
#define TRACE_CODE(sig, ev) ((sig) | (ev) << 8)

enum trace_event { /* PTRACE_EVENT_* */
	EVENT_FORK = 1,
	EVENT_VFORK = 2,
	EVENT_CLONE = 3,
	EVENT_EXEC = 4,
	EVENT_VFORK_DONE = 5,
	EVENT_EXIT = 6,
	EVENT_SECCOMP = 7,
	EVENT_STOP = 128,
};

/* PTRACE_O_*: the bit of an event is its number */
#define TRACE_O_SYSGOOD	  BIT(0)
#define TRACE_O(event)	  BIT(event)
#define TRACE_O_EXITKILL  BIT(20)
#define TRACE_O_NOSECCOMP BIT(21)
#define TRACE_O_KNOWN	  (0xff | TRACE_O_EXITKILL | TRACE_O_NOSECCOMP)

#define TRACE_MSG_ENTRY 1 /* message of a stop at a system call */
#define TRACE_MSG_EXIT	2

struct seccomp_filter;

#define TRAP_STOP   BIT(0) /* PTRACE_INTERRUPT; any other stop does as well */
#define TRAP_NOTIFY BIT(1) /* SIGCONT came */

struct tracee {
	struct thread *thread;	/* NULL: has ended, not waited for yet */
	struct process *tracer; /* [a] NULL: nobody traces it */
	struct list_head node;	/* in tracer->tracees */
	u32 options;		/* [a] TRACE_O* */
	bool seized;
	bool syscalls;	/* [a] stop at system calls */
	bool stopped;	/* [a] in a stop */
	bool reported;	/* the stop has been waited for */
	bool listening; /* in a group stop, PTRACE_LISTEN */
	u8 trap;	/* TRAP_*: why it is to stop with EVENT_STOP */
	bool dying;	/* stopped in EVENT_EXIT: only SIGKILL ends that */
	int code;	/* TRACE_CODE() of the stop */
	int resume_sig; /* given by the tracer */
	u64 message;
	struct siginfo si; /* of the stop */
	bool has_si;
	/* of a tracee that has ended: what wait says */
	int tid, status;
	int shown_tid; /* as the tracer has it */
	u32 uid;
};

struct thread_ext {
	struct tracee *trace; /* [O] NULL: was never traced */
	u8 seccomp_mode;      /* [a] enum seccomp_mode */
	u16 ioprio;	      /* [a] as ioprio_set(2) has it; 0: none */
	bool no_new_privs;    /* [a] as cred's: from a sibling's filter */
	u64 dl_runtime, dl_deadline, dl_period; /* SCHED_DEADLINE */
	u64 dl_next; /* [a] CLOCK_MONOTONIC: the next period begins */
	struct seccomp_filter *filter; /* [O] the newest; owned */
	struct sud_config sud;	       /* [O] sud.h */
	struct list_head spare;	       /* seccomp.c, before it is a thread's */
};

struct thread_ext *ext_alloc(bool traced); /* NULL: no memory */
void ext_free(struct thread_ext *x);	   /* NULL is fine */
/* Give @t of *@spare what it has not; what is left is the caller's to free. */
void ext_adopt_locked(struct thread *t, struct thread_ext **spare);
struct thread_ext *thread_ext_make(void); /* current's; NULL: no memory */
void thread_ext_free(struct thread *t);	  /* the thread object goes away */
/* clone: filters and policy of current for @child: 0 or -ENOMEM. */
int ext_inherit(struct thread *child);
int thread_set_ioprio(int tid, u16 prio); /* 0 or -errno */
u16 thread_ioprio_locked(const struct thread *t);

/* Of @t, which is current or cannot change now: exec gives it nothing new. */
static inline bool thread_no_new_privs(const struct thread *t)
{
	const struct thread_ext *x = load_once(&t->ext);

	return t->cred->no_new_privs || (x && load_once(&x->no_new_privs));
}

/* Is current, or a thread that cannot change now, traced? */
static inline struct tracee *thread_tracee(const struct thread *t)
{
	const struct thread_ext *x = load_once(&t->ext);
	struct tracee *tr = x ? load_once(&x->trace) : NULL;

	return tr && load_once(&tr->tracer) ? tr : NULL;
}
static inline bool thread_traced(const struct thread *t)
{
	return unlikely(load_once(&t->ext) != NULL) && thread_tracee(t) != NULL;
}

#endif /* KERNEL_TASK_EXT_H */
