/* SPDX-License-Identifier: MIT */
/* fs/coredump.h - where core files go: kernel/upcalls.h has the rest. */
#ifndef FS_COREDUMP_H
#define FS_COREDUMP_H

#include <lib/types.h>

#define CORE_PATTERN_MAX 128

struct text;

extern u64 core_uses_pid; /* [a] */
extern u64
	core_pipe_limit; /* [a] programs that get one at a time, and are waited for; 0:
			     * any number, not waited for */
extern char core_pattern[CORE_PATTERN_MAX]; /* [a] racy by nature */

/* The pattern @p with the letters' meaning for current, which dies of @sig: the name, or
 * with @split words, which end with a 0 each.  How many words. */
u32 core_name(struct text *t, const char *p, int sig, bool split);

#endif /* FS_COREDUMP_H */
