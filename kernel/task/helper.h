/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/helper.h - a program that the kernel starts: as root, in the first
 * namespaces, with init's directories, no terminal and no environment but PATH and HOME.
 * It is init's child by name; nobody is told when it ends, and nobody has to wait.
 *
 * Context: coroutine, nothing held.
 */
#ifndef KERNEL_TASK_HELPER_H
#define KERNEL_TASK_HELPER_H

#include <lib/types.h>

struct file;
struct process;

/*
 * Start argv[0], with @in (owned: consumed in any case) as its descriptor 0 and
 * RLIMIT_CORE @core_limit, and wait till it is running that.  The process, referenced,
 * or ERR_PTR: why it could not be executed.
 */
struct process *helper_start(const char *const argv[], struct file *in,
			     u64 core_limit);
/* Until it has ended, or current is killed. */
void helper_wait(struct process *p);

#endif /* KERNEL_TASK_HELPER_H */
