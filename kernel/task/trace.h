/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trace.h - one process watches threads of others: ptrace(2).
 *
 * trace_link.c	who traces whom: attach, detach, ends of both
 * trace_stop.c	a tracee stops and says why
 * trace_ctl.c	what a tracer does to a stopped tracee
 * trace_scope.c	whom it may attach to, besides
 *
 * A name in _locked wants task_lock.  Requests by tid answer -ESRCH when it is no
 * tracee of current's process or, where they need that, not in a stop.
 * Not here: numbers and structures of ptrace(2) (syscall/ptrace.c).
 */
#ifndef KERNEL_TASK_TRACE_H
#define KERNEL_TASK_TRACE_H

#include <kernel/task/ext.h>

struct clone_args;
struct mm;

/* --- trace_link.c */
int trace_me(void);
int trace_attach(int tid, bool seize, u32 options);
int trace_detach(int tid, int sig);
/* May current look into, or change, @p?  0, -EPERM.  @fs: by file system ids. */
int trace_may_access_locked(struct process *p, bool fs);
int trace_may_access(struct process *p, bool fs);

/* --- trace_scope.c */
#define TRACER_NONE 0
#define TRACER_ANY  (-1)
/* As trace_may_access(), for who takes hold of @p or its memory (PTRACE_MODE_ATTACH). */
int trace_may_attach_locked(struct process *p, bool fs);
int trace_may_attach(struct process *p, bool fs);
bool trace_parent_in_scope_locked(void); /* may it trace current? */
/* @pid, as current has it, or TRACER_*: who may attach to its process; 0, -EINVAL. */
int trace_name_tracer(int pid);
u32 trace_scope(void);
int trace_set_scope(u64 v); /* 0, -EPERM, -EINVAL */

/* Leader traced by somebody who is not the real parent. */
bool trace_reparented_locked(const struct process *p);

/* clone: the event that the tracer wants to see, or 0. */
int trace_clone_event(const struct clone_args *a);
int trace_child_prepare(struct thread *child, int event, u64 flags);
void trace_child_link_locked(struct thread *child);

/* Exit of a thread that is not its process's last; of a process. */
void trace_thread_exit_locked(struct thread *t, int status);
/* The process is a zombie: is its tracer told, and nobody else yet? */
bool trace_process_exit_locked(struct process *p);
/* Everything that @p traced is on its own; zombies for nobody go to @dead. */
void trace_tracer_exit_locked(struct process *p, struct list_head *dead);
void trace_unlink_locked(struct thread *t);
/* A zombie that its tracer has seen: true when it is off the table now. */
bool trace_zombie_release_locked(struct process *p);
void trace_ghost_free_locked(struct tracee *tr);
/* exit.c: tell the parent about zombie @p; true when it is to go at once. */
bool announce_death_locked(struct process *p);

/* --- trace_stop.c: all for current */
/* False: the call is not to be run, its result is set. */
bool trace_syscall_enter(struct thread *t);
void trace_syscall_exit(struct thread *t);
/* @sig was dequeued: what to deliver instead (0: nothing). */
int trace_signal(struct thread *t, int sig, struct siginfo *si);
void trace_event(int event, u64 message);
void trace_exec(int old_tid);
void trace_exit(int status);
/* A tracer without rights must not gain any by what it traces. */
bool trace_forbids_setid(void);
bool trace_wants_event(const struct thread *t, int event);
/* Stops while current's process is stopped; task_lock is let go meanwhile. */
void trace_group_stop_locked(struct thread *t, struct tracee *tr);
/* SIGCONT, PTRACE_INTERRUPT: another stop with EVENT_STOP. */
void trace_notify_locked(struct thread *t, struct tracee *tr, u8 trap);
void trace_release_locked(struct thread *t, struct tracee *tr);

/* --- trace_ctl.c */
int trace_resume(int tid, int sig, bool syscalls);
int trace_interrupt(int tid);
int trace_listen(int tid);
int trace_kill(int tid);
int trace_set_options(int tid, u32 options);
int trace_may_use(u32 options); /* 0 or -EPERM */
/* Run @fn under task_lock on a stopped tracee; returns what it returns. */
int trace_with(int tid,
	       int (*fn)(struct thread *t, struct tracee *tr, void *arg),
	       void *arg);
struct mm *trace_mm(int tid); /* ref, or ERR_PTR */
int trace_set_mask(struct thread *t, u64 mask);

#endif /* KERNEL_TASK_TRACE_H */
