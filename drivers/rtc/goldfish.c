/* SPDX-License-Identifier: MIT */
/*
 * drivers/rtc/goldfish.c - Goldfish real-time clock of QEMU virt: CLOCK_REALTIME
 * at boot.  Nanoseconds since the epoch; the low half latches the high one.
 */
#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/log.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define RTC_TIME_LOW  0x00 /* RO 32; latches RTC_TIME_HIGH */
#define RTC_TIME_HIGH 0x04 /* RO 32 */

static int goldfish_probe(int node)
{
	u8 __iomem *base = dt_ioremap(node, 0, NULL);
	u64 ns;

	if (!base)
		return -ENOMEM;
	ns = mmio_read32(base + RTC_TIME_LOW);
	ns |= (u64)mmio_read32(base + RTC_TIME_HIGH) << 32;
	clock_set_real_ns(ns);
	pr_info("rtc: %lu seconds since 1970", ns / NSEC_PER_SEC);
	iounmap(base);
	return 0;
}

static const char *const goldfish_compatible[] = { "google,goldfish-rtc",
						   NULL };

DT_DRIVER(goldfish) = {
	.name = "goldfish-rtc",
	.compatible = goldfish_compatible,
	.probe = goldfish_probe,
	.stage = DT_DEVICE,
};
