/* SPDX-License-Identifier: MIT */
/* kernel/panic.h - stopping the machine with a report. */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <lib/types.h>

/* Stop this hart if another one has panicked: called while spinning. */
void panic_check(void);
/* Name and offset of the function that holds @addr; false if none. */
bool symbol_find(u64 addr, const char **name, u64 *off);
u64 symbol_address(const char *name); /* 0: none */
/* Symbols in address order for /proc/kallsyms: false beyond the last. */
bool symbol_nth(u32 n, const char **name, u64 *addr);
/* panic=N: reboot after N seconds, N < 0 at once, 0 (default) never. */
extern s64 panic_timeout;
/* A condition that ends user space, not a bug: prints and obeys panic=. */
void fatal(const char *fmt, ...) __printf(1, 2) __noreturn;

#endif /* KERNEL_PANIC_H */
