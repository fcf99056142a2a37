/* SPDX-License-Identifier: MIT */
/*
 * syscall/timeout.h - timeouts and signal masks of calls that wait for files.
 */
#ifndef SYSCALL_TIMEOUT_H
#define SYSCALL_TIMEOUT_H

#include <lib/types.h>

/* Saturates below WAIT_FOREVER. */
u64 deadline_after(u64 ns);
/* A struct timespec in ns: 0, -EFAULT or -EINVAL. */
int timespec_read(uaddr_t uts, u64 *ns);
/* A relative struct timespec (NULL: none) as a deadline: 0 or -errno. */
int timeout_read(uaddr_t uts, u64 *deadline_ns);
/* Tell the caller how much was left, as Linux does; faults are of no interest. */
void timeout_write_left(uaddr_t uts, u64 deadline_ns);
/* Wait with the mask at @uset (0: as it is): 0 or -errno. */
int sigmask_enter(uaddr_t uset, size_t size);
/* The call returns @r: undo sigmask_enter(), unless a handler has to see it. */
void sigmask_leave(s64 r);

#endif /* SYSCALL_TIMEOUT_H */
