/* SPDX-License-Identifier: MIT */
/* syscall/prctl_mm.h - PR_SET_MM of prctl(2). */
#ifndef SYSCALL_PRCTL_MM_H
#define SYSCALL_PRCTL_MM_H

#include <lib/types.h>

/* @a: the four arguments behind the operation.  0 or -errno.  May sleep. */
s64 prctl_set_mm(const u64 *a);

#endif
