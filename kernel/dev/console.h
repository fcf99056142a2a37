/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/console.h - where kernel messages go.
 *
 * The early console (SBI) is registered first; a UART driver that takes over the
 * same port registers with replaces_early.  write() must work from any context,
 * also in panic with every lock in an unknown state: it polls and has a deadline.
 */
#ifndef KERNEL_DEV_CONSOLE_H
#define KERNEL_DEV_CONSOLE_H

#include <lib/list.h>
#include <lib/types.h>

struct console {
	const char *name; /* "ttyS0" */
	void (*write)(struct console *c, const char *s, size_t n);
	/* panic: as write(), but takes no lock at all.  NULL: write(). */
	void (*write_panic)(struct console *c, const char *s, size_t n);
	bool replaces_early;
	void *priv;
	struct list_head node;
};
void console_register(struct console *c);
void console_write(const char *s, size_t n);
void console_write_panic(const char *s, size_t n);

/* One-character early input/output filled by sbi/. */
struct early_console_ops {
	void (*putc)(char c);
	void (*write)(const char *s, size_t n); /* NULL: putc */
	int (*getc)(void);			/* -1: none */
};
void early_console_set(const struct early_console_ops *ops);
const struct early_console_ops *early_console(void);

#endif /* KERNEL_DEV_CONSOLE_H */
