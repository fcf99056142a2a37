/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/clock.h - what time it is.
 *
 * CLOCK_MONOTONIC counts from boot in nanoseconds, read from the time CSR (or,
 * where reading it traps, from the cycle CSR, calibrated: arch says which).
 * CLOCK_REALTIME is monotonic plus an offset.  No tick is involved.
 *
 * Context: any.  Locking: none; the offset is one atomic word.
 */
#ifndef KERNEL_TIME_CLOCK_H
#define KERNEL_TIME_CLOCK_H

#include <lib/types.h>

#define NSEC_PER_SEC  1000000000ul
#define NSEC_PER_MSEC 1000000ul
#define NSEC_PER_USEC 1000ul

u64 clock_mono_ns(void);
u64 clock_real_ns(void);
void clock_set_real_ns(u64 real_ns);
void clock_slew_real_ns(s64 delta_ns); /* adds; any context */
u64 clock_boot_real_ns(void);	       /* CLOCK_REALTIME at boot: btime */
u64 clock_res_ns(void);
/* Conversions of time-CSR ticks. */
u64 clock_ns_to_ticks(u64 ns); /* saturates */
u64 clock_ticks_to_ns(u64 ticks);
/* Cycle counter of this hart and its calibrated rate. */
u64 clock_cycles(void);
u64 clock_cycles_to_ns(u64 cycles);
u64 clock_cycles_per_us(void);
/* Busy wait; early boot too. */
void udelay(u32 us);

u64 clock_mono_ticks(void); /* the time CSR itself */
u64 clock_timebase(void);   /* ticks of the time CSR per second */
/* What a program needs to read the clocks itself (arch/riscv/vdso/vdso.h): constants, and
 * where the offset of CLOCK_REALTIME is kept from now on.  Once, at boot. */
void clock_publish(u64 *boot, u64 *mult, u64 *offset);

void clock_init(void);

/* Seconds and nanoseconds as in the ABI. */
struct timespec64 {
	s64 tv_sec;
	s64 tv_nsec;
};
struct timeval64 {
	s64 tv_sec;
	s64 tv_usec;
};
static inline struct timespec64 ns_to_timespec(u64 ns)
{
	return (struct timespec64){ (s64)(ns / NSEC_PER_SEC),
				    (s64)(ns % NSEC_PER_SEC) };
}
/* -1 if malformed (negative, nsec out of range); saturates. */
int timespec_to_ns(const struct timespec64 *ts, u64 *ns) __must_check;

#endif /* KERNEL_TIME_CLOCK_H */
