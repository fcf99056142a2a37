/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/script.h - the first line of a #! script.
 *
 * Pure; tested on the host (tests/host/script_test.c).
 */
#ifndef KERNEL_TASK_SCRIPT_H
#define KERNEL_TASK_SCRIPT_H

#include <lib/types.h>

#define SCRIPT_LINE_MAX 256

struct script_line {
	char interp[SCRIPT_LINE_MAX];
	char arg[SCRIPT_LINE_MAX]; /* "" when there is none */
};

/*
 * @buf holds the first @len (at most SCRIPT_LINE_MAX) bytes of the file.  0, or
 * -ENOEXEC: no script, no interpreter, or an interpreter's name that is cut.
 */
int script_parse(const char *buf, size_t len, struct script_line *out);

#endif /* KERNEL_TASK_SCRIPT_H */
