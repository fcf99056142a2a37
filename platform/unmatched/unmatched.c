/* SPDX-License-Identifier: MIT */
/*
 * platform/unmatched/unmatched.c - SiFive HiFive Unmatched.
 *
 * What the device tree says is found by it: harts, memory, clocks, PCIe's lines
 * (power is line 5, PERST# line 8, the clock is 8 and the reset 4 of the PRCI) and
 * the slots.  Left over is how to switch the board off when neither firmware nor
 * tree says it.
 *
 * The order when it stops: disks, PCIe's slots into reset (drivers/pci/fu740.c),
 * then SBI's reset, the poweroff line, the PMIC.
 */
#include <platform/unmatched/unmatched.h>

#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/platform.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/fdt.h>

/* PMIC_SHDN of the schematics: low switches the board's supply off. */
#define SHUTDOWN_LINE 2u
#define EDGE_US	      100000u

static struct gpio shutdown_line; /* [I after boot] */

static void shutdown_by_line(enum reset_kind kind)
{
	if (kind != RESET_POWEROFF)
		return;
	gpio_output(&shutdown_line, true);
	udelay(EDGE_US);
	gpio_output(&shutdown_line, false);
	udelay(EDGE_US);
}

static void find_shutdown_line(void)
{
	int chip = fdt_next_compatible(boot_fdt, -1, "sifive,gpio0");

	if (fdt_next_compatible(boot_fdt, -1, "gpio-poweroff") >= 0)
		return;
	if (gpio_from_chip_node(chip, SHUTDOWN_LINE, &shutdown_line)) {
		pr_warn("unmatched: the poweroff line cannot be reached");
		return;
	}
	pr_info("unmatched: poweroff by the board's line %u", SHUTDOWN_LINE);
	reset_register(RESET_DRIVER, shutdown_by_line);
}

static void unmatched_late(void)
{
	find_shutdown_line();
	unmatched_print_facts();
}

PLATFORM(unmatched) = {
	.name = "HiFive Unmatched",
	.compatible = "sifive,hifive-unmatched-a00",
	.late = unmatched_late,
};
