/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/dt.h - drivers found by the device tree's compatible strings.
 *
 * DT_DRIVER puts a row in a linker section; at INIT_BUS (is_bus) and then at
 * INIT_DRIVER kernel/dev/dt.c walks the tree once for each row and calls probe
 * for every okay node that matches.  Probe runs in the init thread, may sleep,
 * and returns 0, -ENODEV (not ours after all: silent), -EPROBE_DEFER (517: tried
 * again at the end of the level) or another -errno (reported).
 */
#ifndef KERNEL_DEV_DT_H
#define KERNEL_DEV_DT_H

#include <lib/types.h>

#define EPROBE_DEFER 517

enum dt_stage {
	DT_IRQCHIP, /* at INIT_BUS, parents first */
	DT_BUS,	    /* at INIT_BUS, after the irqchips */
	DT_DEVICE,  /* at INIT_DRIVER */
};

struct dt_driver {
	const char *name;
	const char *const *compatible; /* NULL-terminated */
	int (*probe)(int fdt_node);
	u64 stage; /* enum dt_stage */
};

#define DT_DRIVER(ident)                                \
	static const struct dt_driver __used_dt_##ident \
		__attribute__((section(".dtdrivers"), used, aligned(8)))

/* Map registers: `reg` entry @idx of the node.  NULL on error. */
void __iomem *dt_ioremap(int fdt_node, unsigned int idx, u64 *size);
bool dt_node_ok(int fdt_node); /* status absent, "okay" or "ok" */

#endif /* KERNEL_DEV_DT_H */
