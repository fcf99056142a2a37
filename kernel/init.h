/* SPDX-License-Identifier: MIT */
/*
 * kernel/init.h - initialisation that main.c runs without knowing it.
 *
 * INITCALL(level, fn) puts fn into a linker section; kernel/main.c runs the
 * levels in order on the boot hart inside the first kernel thread, so an
 * initcall may sleep.  Within a level the order is that of the link and nobody
 * may depend on it.  A failing initcall is reported and boot goes on.
 *
 * BOOTPARAM(name, fn): fn(value) is called for every `name=value` or `name`
 * (value "") on the command line, before any initcall and before memory
 * allocation works; it must only parse and store.
 */
#ifndef KERNEL_INIT_H
#define KERNEL_INIT_H

#include <lib/types.h>

enum init_level {
	INIT_CORE, /* caches, tables: needs memory and threads */
	INIT_VFS, /* file system types, the root tmpfs, /dev, /proc, /sys trees */
	INIT_BUS,    /* interrupt controllers, buses: before devices on them */
	INIT_DRIVER, /* driver registration and probe */
	INIT_LATE,   /* what wants all of it */
	NR_INIT_LEVELS,
};

struct initcall {
	int (*fn)(void); /* 0 or -errno */
	const char *name;
	u64 level;
};

#define INITCALL(lvl, func)                                                  \
	static const struct initcall __used_initcall_##func                  \
		__attribute__((section(".initcalls"), used, aligned(8))) = { \
			.fn = (func), .name = #func, .level = (lvl)          \
		}

struct bootparam {
	const char *name;
	void (*fn)(const char *value); /* value lives for ever */
};

#define BOOTPARAM(ident, str, func)                            \
	static const struct bootparam __used_bootparam_##ident \
		__attribute__((section(".bootparams"), used,   \
			       aligned(8))) = { .name = (str), .fn = (func) }

/* The whole command line as handed over (for /proc/cmdline). */
extern const char *boot_cmdline;
/* Flattened device tree (virtual address of our own copy). */
extern const void *boot_fdt;
/* initrd as direct-map pointer, or NULL and 0. */
extern const void *boot_initrd;
extern size_t boot_initrd_size;

#endif /* KERNEL_INIT_H */
