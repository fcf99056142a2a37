/* SPDX-License-Identifier: MIT */
/* fs/coredump.h - where core files go: kernel/upcalls.h has the rest. */
#ifndef FS_COREDUMP_H
#define FS_COREDUMP_H

#define CORE_PATTERN_MAX 128
#include <lib/types.h>

extern u64 core_uses_pid;		    /* [a] */
extern char core_pattern[CORE_PATTERN_MAX]; /* [a] racy by nature */

#endif /* FS_COREDUMP_H */
