/* SPDX-License-Identifier: MIT */
/*
 * kernel/assert.h - checks that stay in every build of this kernel.
 *
 * A failed check is our own bug and stops the machine with a report.  A device
 * or a user that misbehaves is answered with an error instead.
 */
#ifndef KERNEL_ASSERT_H
#define KERNEL_ASSERT_H

#include <lib/types.h>

/* Print the report (registers, backtrace, harts, rings) and stop.  Any context. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

#define KASSERT(e)                                                     \
	do {                                                           \
		if (unlikely(!(e)))                                    \
			panic("%s:%d: assertion failed: %s", __FILE__, \
			      __LINE__, #e);                           \
	} while (0)

#endif /* KERNEL_ASSERT_H */
