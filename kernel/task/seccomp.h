/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/seccomp.h - a thread that gives up system calls: seccomp(2).
 *
 * Filters form a list from the newest to the oldest; a child has its parent's, and
 * the list never gets shorter.  Each is asked, and the strictest answer counts.
 * One filter of a list may have a listener: a file whose holder is asked what comes
 * of a call (seccomp_notify.c).
 *
 * A filter has users, threads and newer filters that have some, and refs: those and
 * open files.  Without users it is never asked again.
 *
 * Locking: task_lock for whom a list belongs to; the owner reads its own without.
 */
#ifndef KERNEL_TASK_SECCOMP_H
#define KERNEL_TASK_SECCOMP_H

#include <kernel/file/file.h>
#include <kernel/task/ext.h>
#include <lib/cbpf.h>

enum seccomp_mode {
	SECCOMP_OFF,
	SECCOMP_STRICT,
	SECCOMP_FILTER
};

/* What a filter returns: an action, and 16 bits for it. */
#define SECCOMP_KILL_PROCESS 0x80000000u
#define SECCOMP_KILL_THREAD  0x00000000u
#define SECCOMP_TRAP	     0x00030000u
#define SECCOMP_ERRNO	     0x00050000u
#define SECCOMP_USER_NOTIF   0x7fc00000u
#define SECCOMP_TRACE	     0x7ff00000u
#define SECCOMP_LOG	     0x7ffc0000u
#define SECCOMP_ALLOW	     0x7fff0000u
#define SECCOMP_ACTION	     0xffff0000u

/* linux/seccomp.h: what a filter sees. */
struct seccomp_data {
	s32 nr;
	u32 arch;
	u64 pc, args[6];
};
STATIC_ASSERT(sizeof(struct seccomp_data) == 64, "Linux's");

struct seccomp_listener;

struct seccomp_filter {
	u32 refs, users; /* [a] */
	u32 len;
	bool log;		     /* [I] asked for; there is no audit log */
	struct seccomp_filter *prev; /* [I] owned, and used */
	struct seccomp_listener *listener; /* [I] owned, or NULL */
	struct cbpf_insn insns[];	   /* [I] */
};

/* Room for @len instructions, for the caller to fill; NULL: no memory. */
struct seccomp_filter *seccomp_filter_new(u32 len);
struct seccomp_filter *seccomp_filter_get(struct seccomp_filter *f);
void seccomp_filter_put(struct seccomp_filter *f);   /* NULL is fine */
void seccomp_filter_unuse(struct seccomp_filter *f); /* and put; likewise */

/* Current gives up all but four calls. */
int seccomp_strict(void);
/* Current, or with @tsync all threads of its process, have @f too; takes it.  0, or
 * the tid of a thread that cannot follow, or -errno. */
int seccomp_add(struct seccomp_filter *f, bool tsync);

/* Filter @n of @t from the oldest on, with a reference, or ERR_PTR(); task_lock. */
struct seccomp_filter *seccomp_nth_locked(const struct thread *t, u64 n);

/* May current make the call in its registers?  False: its result is set. */
bool seccomp_enter(struct thread *t);
void seccomp_thread_exit(struct thread *t);
/* clone: @x, a child's, has what current has. */
void seccomp_inherit(struct thread_ext *x);
/* Has @child what current has?  task_lock held. */
bool seccomp_inherited_locked(const struct thread *child);
void seccomp_status(const struct thread *t, u32 *mode, u32 *filters);

/* The call in @t's registers, current's, becomes SIGSYS with @code and @data. */
void seccomp_sigsys(struct thread *t, int code, u32 data);

/* --- seccomp_notify.c */
/* @f, which nobody has yet, gets a listener; @killable: once the question was read
 * only a fatal signal ends the wait.  The open file, or NULL: no memory. */
struct file *seccomp_listen(struct seccomp_filter *f, bool killable);
void seccomp_listener_free(struct seccomp_listener *l); /* NULL is fine */
void seccomp_listener_unused(struct seccomp_listener *l);
/* Whoever listens decides: true when the call is to be made, else it has a result. */
bool seccomp_ask_listener(struct seccomp_filter *f, struct thread *t,
			  const struct seccomp_data *d);

#endif /* KERNEL_TASK_SECCOMP_H */
