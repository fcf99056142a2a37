/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/sud.h - system calls that become signals: PR_SET_SYSCALL_USER_DISPATCH.
 *
 * Calls from outside of one range of code are SIGSYS while a byte of the program's
 * says so: for programs that emulate another system's calls.
 *
 * Locking: task_lock to change it; its thread reads it without.
 */
#ifndef KERNEL_TASK_SUD_H
#define KERNEL_TASK_SUD_H

#include <lib/types.h>

struct thread;

/* Of the thread that makes calls; linux/ptrace.h's struct ptrace_sud_config. */
struct sud_config {
	u64 on; /* 0 or 1 */
	uaddr_t selector;
	u64 offset, len;
};
STATIC_ASSERT(sizeof(struct sud_config) == 32, "Linux's structure");

/* 0, -EINVAL or -EFAULT. */
int sud_check(const struct sud_config *c);
/* Of current; 0 or -errno. */
int sud_set(const struct sud_config *c);
/* Of a stopped tracee, which has an extension; task_lock held. */
void sud_get_locked(const struct thread *t, struct sud_config *c);
void sud_set_locked(struct thread *t, const struct sud_config *c);

/* Current's call, in its registers, has become a signal. */
bool sud_blocks(struct thread *t);

#endif /* KERNEL_TASK_SUD_H */
