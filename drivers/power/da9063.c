/* SPDX-License-Identifier: MIT */
/*
 * drivers/power/da9063.c - the power management chip of the HiFive Unmatched: turns
 * it off and on again where firmware cannot, and knows what time it is.
 *
 * The chip's pages 0 and 1 stay selected, and firmware selects what it needs.
 *
 * Context: probe in a thread; the reset handler in any.
 * Not here: regulators (left as the first stage set them), alarms.  A watchdog that
 * was started before us is stopped: nobody would feed it.
 */
#include <drivers/power/da9063_regs.h>

#include <kernel/dev/dt.h>
#include <kernel/dev/i2c.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

static struct {
	struct i2c_bus *bus; /* [I after boot] NULL: none */
	u32 addr;	     /* [I after boot] */
} chip;

static int read_regs(u8 reg, u8 *buf, u32 nr)
{
	return i2c_read(chip.bus, chip.addr, reg, buf, nr);
}

/* ---- power */

static void write_last(u8 reg, u64 v)
{
	(void)i2c_write_last(chip.bus, chip.addr, reg, (u8)v);
}

static void da9063_reset(enum reset_kind kind)
{
	if (!chip.bus)
		return;
	write_last(DA9063_PAGE_CON, DA9063_PAGES_0_1);
	write_last(DA9063_CONTROL_D, DA9063_CONTROL_D_NO_WATCHDOG);
	if (kind == RESET_POWEROFF) {
		write_last(DA9063_CONTROL_F, DA9063_CONTROL_F_SHUTDOWN);
	} else {
		/* down, and up again at once */
		write_last(DA9063_CONTROL_F, DA9063_CONTROL_F_WAKEUP);
		write_last(DA9063_CONTROL_A, DA9063_CONTROL_A_M_POWER1 |
						     DA9063_CONTROL_A_M_POWER |
						     DA9063_CONTROL_A_STANDBY);
	}
	udelay(500000); /* it takes its time */
}

/* ---- clock */

/* Days from 1970-01-01 to a day of 2000 to 2063. */
static u64 days_since_1970(u32 year, u32 month, u32 day)
{
	static const u16 before[12] = { 0,   31,  59,  90,  120, 151,
					181, 212, 243, 273, 304, 334 };
	u32 y = year - 1970;
	/* every fourth year from 1972 on is a leap year */
	u32 leaps = (y + 1) / 4 + (year % 4 == 0 && month > 2);

	return y * 365ull + leaps + before[month - 1] + day - 1;
}

static void set_clock(void)
{
	u8 c[DA9063_NR_COUNTS];
	u32 month, day;
	u64 s;
	int err = read_regs(DA9063_COUNT_S, c, sizeof(c));

	month = c[4] & 0x0f;
	day = c[3] & 0x1f;
	if (err || !(c[0] & DA9063_COUNT_S_VALID) || !day || !month ||
	    month > 12) {
		pr_warn("da9063: the clock cannot be read");
		return;
	}
	s = days_since_1970(2000 + (c[5] & 0x3f), month, day);
	s = (s * 24 + (c[2] & 0x1f)) * 60 + (c[1] & 0x3f);
	s = s * 60 + (c[0] & 0x3f);
	clock_set_real_ns(s * NSEC_PER_SEC);
	pr_info("da9063: %llu seconds since 1970", (unsigned long long)s);
}

/* ---- probe */

static void stop_watchdog(void)
{
	u8 v;

	if (read_regs(DA9063_CONTROL_D, &v, 1) ||
	    !(v & DA9063_CONTROL_D_WATCHDOG))
		return;
	if (i2c_write(chip.bus, chip.addr, DA9063_CONTROL_D,
		      v & (u8)~DA9063_CONTROL_D_WATCHDOG))
		pr_err("da9063: the watchdog does not stop");
	else
		pr_warn("da9063: the watchdog was on");
}

static int identify(struct i2c_bus *bus, u32 addr)
{
	u8 id;
	int err = i2c_write(bus, addr, DA9063_PAGE_CON, DA9063_PAGES_2_3);

	if (!err)
		err = i2c_read(bus, addr, DA9063_DEVICE_ID, &id, 1);
	if (!err)
		err = i2c_write(bus, addr, DA9063_PAGE_CON, DA9063_PAGES_0_1);
	if (err)
		return err;
	return id == DA9063_DEVICE_ID_VALUE ? 0 : -ENXIO;
}

static int da9063_probe(int node)
{
	struct i2c_bus *bus = i2c_bus_of(node);
	u32 addr;
	int err;

	if (!bus)
		return -EPROBE_DEFER;
	if (chip.bus || fdt_prop_u32(boot_fdt, node, "reg", &addr))
		return -EINVAL;
	err = identify(bus, addr);
	if (err)
		return err;
	chip.bus = bus;
	chip.addr = addr;
	reset_register(RESET_DRIVER, da9063_reset);
	stop_watchdog();
	set_clock();
	return 0;
}

static const char *const da9063_compatible[] = { "dlg,da9063", NULL };

DT_DRIVER(da9063) = {
	.name = "da9063",
	.compatible = da9063_compatible,
	.probe = da9063_probe,
	.stage = DT_DEVICE,
};
