/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/clock.c - time CSR to nanoseconds; see clock.h.
 *
 * Conversions are 64-bit multiply and shift with constants computed at boot.
 */
#include <arch/riscv/csr.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fdt.h>

static u64 timebase = 10000000; /* [I] Hz */
static u64 boot_ticks;		/* [I] */
static u64 tick_mult;	     /* [I] ns = ticks * mult >> 24 (in two halves) */
static u64 cycles_us = 1000; /* [I] */
static u64 cyc_mult;	     /* [I] ns = cycles * mult >> 20 */
static u64 real_offset_ns;   /* [a] */
static u64 *published;	     /* [I after boot] a copy for programs */

u64 clock_ticks_to_ns(u64 ticks)
{
	return (ticks >> 24) * tick_mult +
	       (((ticks & 0xffffff) * tick_mult) >> 24);
}

u64 clock_mono_ns(void)
{
	return clock_ticks_to_ns(rdtime() - boot_ticks);
}

u64 clock_ns_to_ticks(u64 ns)
{
	u64 sec = ns / NSEC_PER_SEC;

	if (sec > ~0ULL / 2 / timebase)
		return ~0ULL;
	/* Rounded up: never early. */
	return boot_ticks + sec * timebase +
	       (ns % NSEC_PER_SEC) * timebase / NSEC_PER_SEC + 1;
}

u64 clock_real_ns(void)
{
	return clock_mono_ns() + load_once(&real_offset_ns);
}

void clock_set_real_ns(u64 real_ns)
{
	u64 offset = real_ns - clock_mono_ns();

	clock_slew_real_ns((s64)(offset - load_once(&real_offset_ns)));
}

/* Both words are only ever added to, so that they stay the same. */
void clock_slew_real_ns(s64 delta_ns)
{
	(void)atomic_fetch_add(&real_offset_ns, (u64)delta_ns);
	if (published)
		(void)atomic_fetch_add(published, (u64)delta_ns);
}

u64 clock_mono_ticks(void)
{
	return rdtime();
}

u64 clock_timebase(void)
{
	return timebase;
}

void clock_publish(u64 *boot, u64 *mult, u64 *offset)
{
	*boot = boot_ticks;
	*mult = tick_mult;
	published = offset;
	store_once(offset, load_once(&real_offset_ns));
}

u64 clock_boot_real_ns(void)
{
	return load_once(&real_offset_ns);
}

u64 clock_res_ns(void)
{
	return 1;
}

u64 clock_cycles(void)
{
	return rdcycle();
}

u64 clock_cycles_per_us(void)
{
	return cycles_us;
}

u64 clock_cycles_to_ns(u64 cycles)
{
	return (cycles >> 20) * cyc_mult +
	       (((cycles & 0xfffff) * cyc_mult) >> 20);
}

void udelay(u32 us)
{
	u64 start = rdtime(), ticks = (u64)us * timebase / 1000000 + 1;

	while (rdtime() - start < ticks)
		cpu_relax();
}

int timespec_to_ns(const struct timespec64 *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || (u64)ts->tv_nsec >= NSEC_PER_SEC)
		return -1;
	if ((u64)ts->tv_sec >= ~0ULL / 2 / NSEC_PER_SEC)
		*ns = ~0ULL / 2;
	else
		*ns = (u64)ts->tv_sec * NSEC_PER_SEC + (u64)ts->tv_nsec;
	return 0;
}

static void calibrate_cycles(void)
{
	u64 t0 = rdtime(), c0 = rdcycle(), dt, dc;

	/* 5 ms: at 1 MHz a tick more or less is 0.02 %. */
	while (rdtime() - t0 < timebase / 200)
		cpu_relax();
	dc = rdcycle() - c0;
	dt = rdtime() - t0;
	cycles_us = dc * (timebase / 1000) / dt / 1000;
	if (!cycles_us)
		cycles_us = 1;
	cyc_mult = (dt * (NSEC_PER_SEC / 1000) << 20) / (timebase / 1000) / dc;
}

void clock_init(void)
{
	u32 hz;
	int cpus = fdt_path_offset(boot_fdt, "/cpus");

	boot_ticks = rdtime();
	if (cpus >= 0 &&
	    !fdt_prop_u32(boot_fdt, cpus, "timebase-frequency", &hz) &&
	    hz >= 1000)
		timebase = hz;
	tick_mult = (NSEC_PER_SEC << 24) / timebase;
	calibrate_cycles();
	pr_info("clock: time at %lu Hz, %lu cycles per microsecond",
		(unsigned long)timebase, (unsigned long)cycles_us);
}
