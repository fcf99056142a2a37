/* SPDX-License-Identifier: MIT */
/*
 * drivers/rtc/goldfish.c - Goldfish real-time clock of QEMU virt.  Nanoseconds since
 * the epoch; reading the low half latches the high one, writing it sets both.
 */
#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/rtc.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define RTC_TIME_LOW  0x00 /* RW 32 */
#define RTC_TIME_HIGH 0x04 /* RW 32 */

struct goldfish {
	struct rtc rtc;
	u8 __iomem *base; /* [I] */
};

static int goldfish_read(struct rtc *r, u64 *seconds)
{
	u8 __iomem *base = container_of(r, struct goldfish, rtc)->base;
	u64 ns = mmio_read32(base + RTC_TIME_LOW);

	ns |= (u64)mmio_read32(base + RTC_TIME_HIGH) << 32;
	*seconds = ns / NSEC_PER_SEC;
	return 0;
}

static int goldfish_set(struct rtc *r, u64 seconds)
{
	u8 __iomem *base = container_of(r, struct goldfish, rtc)->base;
	u64 ns = seconds * NSEC_PER_SEC;

	if (seconds > ~0ull / NSEC_PER_SEC)
		return -ERANGE;
	mmio_write32((u32)(ns >> 32), base + RTC_TIME_HIGH);
	mmio_write32((u32)ns, base + RTC_TIME_LOW);
	return 0;
}

static const struct rtc_ops goldfish_ops = {
	.read = goldfish_read,
	.set = goldfish_set,
};

static int goldfish_probe(int node)
{
	struct goldfish *g = kzalloc(sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	g->rtc.driver = "goldfish_rtc";
	g->rtc.ops = &goldfish_ops;
	g->base = dt_ioremap(node, 0, NULL);
	err = g->base ? rtc_register(&g->rtc) : -ENOMEM;
	if (!err)
		return 0;
	if (g->base)
		iounmap(g->base);
	kfree(g);
	return err;
}

static const char *const goldfish_compatible[] = { "google,goldfish-rtc",
						   NULL };

DT_DRIVER(goldfish) = {
	.name = "goldfish-rtc",
	.compatible = goldfish_compatible,
	.probe = goldfish_probe,
	.stage = DT_DEVICE,
};
