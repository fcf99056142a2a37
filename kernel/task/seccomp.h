/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/seccomp.h - a thread that gives up system calls: seccomp(2).
 *
 * Filters form a list from the newest to the oldest; a child has its parent's, and
 * the list never gets shorter.  Each is asked, and the strictest answer counts.
 *
 * Locking: task_lock for whom a list belongs to; the owner reads its own without.
 */
#ifndef KERNEL_TASK_SECCOMP_H
#define KERNEL_TASK_SECCOMP_H

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

struct seccomp_filter {
	u32 refs; /* [a] */
	u32 len;
	struct seccomp_filter *prev; /* [I] owned */
	struct cbpf_insn insns[];    /* [I] */
};

/* Room for @len instructions, for the caller to fill; NULL: no memory. */
struct seccomp_filter *seccomp_filter_new(u32 len);
void seccomp_filter_put(struct seccomp_filter *f); /* NULL is fine */

/* Current gives up all but four calls. */
int seccomp_strict(void);
/* Current, or with @tsync all threads of its process, have @f too; takes it.  0, or
 * the tid of a thread that cannot follow, or -errno. */
int seccomp_add(struct seccomp_filter *f, bool tsync);

/* May current make the call in its registers?  False: its result is set. */
bool seccomp_enter(struct thread *t);
/* clone: @x, a child's, has what current has. */
void seccomp_inherit(struct thread_ext *x);
void seccomp_status(const struct thread *t, u32 *mode, u32 *filters);

#endif /* KERNEL_TASK_SECCOMP_H */
