/* SPDX-License-Identifier: MIT */
/*
 * drivers/reset/syscon.c - power off and restart by one register write, as the
 * device tree's syscon-poweroff and syscon-reboot nodes say [syscon-poweroff.yaml].
 * Tried after the firmware's ways.
 */
#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <kernel/reset.h>
#include <lib/errno.h>
#include <lib/fdt.h>

struct action {
	u8 __iomem *reg; /* [I] */
	u32 value;	 /* [I] */
};
static struct action poweroff, reboot;

static void syscon_reset(enum reset_kind kind)
{
	struct action *a = kind == RESET_POWEROFF ? &poweroff : &reboot;

	if (a->reg)
		mmio_write32(a->value, a->reg);
}

static int probe(int node, struct action *a)
{
	u32 phandle, offset, value;
	u8 __iomem *base;
	int map;

	if (fdt_prop_u32(boot_fdt, node, "regmap", &phandle) ||
	    fdt_prop_u32(boot_fdt, node, "offset", &offset) ||
	    fdt_prop_u32(boot_fdt, node, "value", &value))
		return -EINVAL;
	map = fdt_by_phandle(boot_fdt, phandle);
	base = map < 0 ? NULL : dt_ioremap(map, 0, NULL);
	if (!base)
		return -ENODEV;
	a->value = value;
	a->reg = base + offset;
	return 0;
}

static int probe_poweroff(int node)
{
	return probe(node, &poweroff);
}

static int probe_reboot(int node)
{
	return probe(node, &reboot);
}

static int syscon_init(void)
{
	reset_register(RESET_DRIVER, syscon_reset);
	return 0;
}
INITCALL(INIT_DRIVER, syscon_init);

static const char *const poweroff_compatible[] = { "syscon-poweroff", NULL };
static const char *const reboot_compatible[] = { "syscon-reboot", NULL };

DT_DRIVER(syscon_poweroff) = {
	.name = "syscon-poweroff",
	.compatible = poweroff_compatible,
	.probe = probe_poweroff,
	.stage = DT_DEVICE,
};
DT_DRIVER(syscon_reboot) = {
	.name = "syscon-reboot",
	.compatible = reboot_compatible,
	.probe = probe_reboot,
	.stage = DT_DEVICE,
};
