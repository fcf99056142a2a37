/* SPDX-License-Identifier: MIT */
/*
 * drivers/reset/gpio.c - power off by a line, as the device tree's gpio-poweroff
 * node says [gpio-poweroff.yaml].  Tried after the firmware's ways.
 */
#include <kernel/dev/dt.h>
#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define EDGE_US 100000u /* each level, for those who want an edge */

static struct gpio line; /* [I after boot] */

/* Never in a panic, which restarts: so the chip's lock is free. */
static void gpio_poweroff(enum reset_kind kind)
{
	if (kind != RESET_POWEROFF)
		return;
	for (u32 i = 0; i < 2; i++) {
		gpio_output(&line, line.active_low);
		udelay(EDGE_US);
		gpio_output(&line, !line.active_low);
		udelay(EDGE_US);
	}
}

static int gpio_poweroff_probe(int node)
{
	int err;

	if (line.chip)
		return -EBUSY;
	err = gpio_from_fdt(node, "gpios", 0, &line);
	if (!err)
		reset_register(RESET_DRIVER, gpio_poweroff);
	return err;
}

static const char *const gpio_poweroff_compatible[] = { "gpio-poweroff", NULL };

DT_DRIVER(gpio_poweroff) = {
	.name = "gpio-poweroff",
	.compatible = gpio_poweroff_compatible,
	.probe = gpio_poweroff_probe,
	.stage = DT_DEVICE,
};
