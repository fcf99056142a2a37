/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shim/kernel/dev/dt.h - drivers that a test can probe.
 *
 * The section's name is a C identifier here, so that the host's linker tells
 * where it begins; host_probe() finds the driver by a compatible string.
 */
#ifndef KERNEL_DEV_DT_H
#define KERNEL_DEV_DT_H

#include <lib/types.h>

#define EPROBE_DEFER 517

enum dt_stage {
	DT_IRQCHIP,
	DT_BUS,
	DT_DEVICE,
};

struct dt_driver {
	const char *name;
	const char *const *compatible;
	int (*probe)(int fdt_node);
	u64 stage;
};

#define DT_DRIVER(ident)                                \
	static const struct dt_driver __used_dt_##ident \
		__attribute__((section("dtdrivers"), used, aligned(8)))

/* Only in tests that probe something. */
extern const struct dt_driver __start_dtdrivers[] __attribute__((weak));
extern const struct dt_driver __stop_dtdrivers[] __attribute__((weak));

void __iomem *dt_ioremap(int fdt_node, unsigned int idx, u64 *size);
bool dt_node_ok(int fdt_node);

#endif /* KERNEL_DEV_DT_H */
