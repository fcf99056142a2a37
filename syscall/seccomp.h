/* SPDX-License-Identifier: MIT */
/* syscall/seccomp.h - prctl(PR_SET_SECCOMP), prctl(PR_GET_SECCOMP). */
#ifndef SYSCALL_SECCOMP_H
#define SYSCALL_SECCOMP_H

#include <lib/types.h>

s64 seccomp_prctl_set(u64 mode, uaddr_t uprog);
s64 seccomp_prctl_get(void);

#endif /* SYSCALL_SECCOMP_H */
