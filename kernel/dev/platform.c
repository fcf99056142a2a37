/* SPDX-License-Identifier: MIT */
/* kernel/dev/platform.c - find the board's row; see kernel/platform.h. */
#include <kernel/platform.h>

#include <kernel/init.h>
#include <kernel/log.h>
#include <lib/fdt.h>

extern const struct platform __platforms_start[], __platforms_end[];

static const struct platform *board; /* [I after INIT_VFS] NULL: none of ours */

static int platform_early(void)
{
	int root = fdt_root(boot_fdt);
	const char *model = fdt_prop_str(boot_fdt, root, "model");
	const struct platform *p;

	for (p = __platforms_start; p < __platforms_end && !board; p++) {
		if (fdt_compatible(boot_fdt, root, p->compatible))
			board = p;
	}
	pr_info("platform: %s (%s)", board ? board->name : "generic",
		model ? model : "no model");
	if (board && board->early)
		board->early();
	return 0;
}

static int platform_late(void)
{
	if (board && board->late)
		board->late();
	return 0;
}

INITCALL(INIT_VFS, platform_early);
INITCALL(INIT_LATE, platform_late);
