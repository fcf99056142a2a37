/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shim/kernel/init.h - initcalls that a test can run.
 *
 * The section's name is a C identifier here, so that the host's linker tells
 * where it begins; host_run_initcalls() runs all of a level.
 */
#ifndef KERNEL_INIT_H
#define KERNEL_INIT_H

#include <lib/types.h>

enum init_level {
	INIT_CORE,
	INIT_VFS,
	INIT_BUS,
	INIT_DRIVER,
	INIT_LATE,
	NR_INIT_LEVELS,
};

struct initcall {
	int (*fn)(void);
	const char *name;
	u64 level;
};

#define INITCALL(lvl, func)                                                 \
	static const struct initcall __used_initcall_##func                 \
		__attribute__((section("initcalls"), used, aligned(8))) = { \
			.fn = (func), .name = #func, .level = (lvl)         \
		}

extern const struct initcall __start_initcalls[], __stop_initcalls[];

static inline int host_run_initcalls(enum init_level level)
{
	const struct initcall *c;
	int err = 0;

	for (c = __start_initcalls; c < __stop_initcalls && !err; c++) {
		if (c->level == level)
			err = c->fn();
	}
	return err;
}

struct bootparam {
	const char *name;
	void (*fn)(const char *value);
};

#define BOOTPARAM(ident, str, func)                            \
	static const struct bootparam __used_bootparam_##ident \
		__attribute__((section("bootparams"), used,    \
			       aligned(8))) = { .name = (str), .fn = (func) }

extern const struct bootparam __start_bootparams[], __stop_bootparams[];

extern const char *boot_cmdline;
extern const void *boot_fdt;

#endif /* KERNEL_INIT_H */
