/* SPDX-License-Identifier: MIT */
/* syscall/ptrace.h - the requests of ptrace(2) that have a file of their own. */
#ifndef SYSCALL_PTRACE_H
#define SYSCALL_PTRACE_H

#include <lib/types.h>

/* Instructions of filter @n of a stopped tracee: their number, or -errno. */
s64 ptrace_seccomp_filter(int tid, u64 n, uaddr_t to);
/* Bytes of a struct seccomp_metadata, or -errno. */
s64 ptrace_seccomp_metadata(int tid, u64 size, uaddr_t data);

/* What becomes a signal of a stopped tracee's calls: get, or @change. */
s64 ptrace_sud(int tid, u64 size, uaddr_t data, bool change);

#endif /* SYSCALL_PTRACE_H */
