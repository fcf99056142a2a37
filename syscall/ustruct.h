/* SPDX-License-Identifier: MIT */
/*
 * syscall/ustruct.h - structures of user space that say how long they are.
 */
#ifndef SYSCALL_USTRUCT_H
#define SYSCALL_USTRUCT_H

#include <lib/types.h>

/*
 * @usize bytes at @from into the @ksize bytes at @dst: a shorter one is filled
 * up with zeroes, what a longer one has more must be zero (-E2BIG).  0, -E2BIG
 * or -EFAULT; limits of @usize are the caller's business.
 */
int ustruct_get(void *dst, size_t ksize, uaddr_t from, u64 usize);

#endif /* SYSCALL_USTRUCT_H */
