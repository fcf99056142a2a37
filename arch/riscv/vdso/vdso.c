/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/vdso/vdso.c - calls that a program can answer itself: the time of day and
 * what the harts can do.  Whatever is not plain goes to the kernel.
 *
 * Runs in the program, in user mode, without relocations, data or stack protector.
 */
#include <arch/riscv/vdso/vdso.h>

#define NR_clock_getres	 114
#define NR_clock_gettime 113
#define NR_getcpu	 168
#define NR_gettimeofday	 169
#define NR_hwprobe	 258
#define NR_flush_icache	 259
#define EFAULT		 14
#define NSEC_PER_SEC	 1000000000ul
#define PUBLIC		 __attribute__((visibility("default")))

enum {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_MONOTONIC_RAW = 4,
	CLOCK_REALTIME_COARSE = 5,
	CLOCK_MONOTONIC_COARSE = 6,
	CLOCK_BOOTTIME = 7,
};

struct timespec {
	long sec, nsec;
};
struct timeval {
	long sec, usec;
};
struct timezone {
	int minuteswest, dsttime;
};
struct hwprobe {
	long key;
	unsigned long value;
};

struct vdso_data vdso_data
	__attribute__((section(".vdata"), used,
		       visibility("hidden"))) = { 1, 0, 0, 0, 0, 0, 0, { 0 } };

PUBLIC int __vdso_clock_gettime(int clock, struct timespec *ts);
PUBLIC int __vdso_clock_getres(int clock, struct timespec *ts);
PUBLIC int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
PUBLIC int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *cache);
PUBLIC int __vdso_flush_icache(unsigned long start, unsigned long end,
			       unsigned long flags);
PUBLIC int __vdso_riscv_hwprobe(struct hwprobe *pairs, unsigned long nr,
				unsigned long size, unsigned long *cpus,
				unsigned int flags);

static long call(long nr, long a, long b, long c, long d, long e)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a7 __asm__("a7") = nr;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7)
			 : "memory");
	return a0;
}

static unsigned long mono_ns(void)
{
	unsigned long t;

	__asm__ volatile("rdtime %0" : "=r"(t));
	t -= vdso_data.boot_ticks;
	return (t >> 24) * vdso_data.tick_mult +
	       (((t & 0xffffff) * vdso_data.tick_mult) >> 24);
}

static unsigned long real_ns(void)
{
	return mono_ns() + *(volatile unsigned long *)&vdso_data.real_offset_ns;
}

static int by_call(int clock, struct timespec *ts)
{
	return (int)call(NR_clock_gettime, clock, (long)ts, 0, 0, 0);
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
	unsigned long ns;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		if (vdso_data.real_by_call)
			return by_call(clock, ts);
		ns = real_ns();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		ns = mono_ns() + (unsigned long)vdso_data.mono_offset;
		break;
	case CLOCK_BOOTTIME:
		ns = mono_ns() + (unsigned long)vdso_data.boot_offset;
		break;
	default:
		return by_call(clock, ts);
	}
	ts->sec = (long)(ns / NSEC_PER_SEC);
	ts->nsec = (long)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_clock_getres(int clock, struct timespec *ts)
{
	return (int)call(NR_clock_getres, clock, (long)ts, 0, 0, 0);
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	unsigned long ns;

	if (tz || vdso_data.real_by_call)
		return (int)call(NR_gettimeofday, (long)tv, (long)tz, 0, 0, 0);
	if (!tv)
		return 0;
	ns = real_ns();
	tv->sec = (long)(ns / NSEC_PER_SEC);
	tv->usec = (long)(ns % NSEC_PER_SEC / 1000);
	return 0;
}

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *cache)
{
	return (int)call(NR_getcpu, (long)cpu, (long)node, (long)cache, 0, 0);
}

int __vdso_flush_icache(unsigned long start, unsigned long end,
			unsigned long flags)
{
	return (int)call(NR_flush_icache, (long)start, (long)end, (long)flags,
			 0, 0);
}

/* All harts are alike to programs; a choice of harts is the kernel's to check. */
int __vdso_riscv_hwprobe(struct hwprobe *pairs, unsigned long nr,
			 unsigned long size, unsigned long *cpus,
			 unsigned int flags)
{
	if (flags || size || cpus)
		return (int)call(NR_hwprobe, (long)pairs, (long)nr, (long)size,
				 (long)cpus, (long)flags);
	for (; nr; nr--, pairs++) {
		if (pairs->key >= 0 &&
		    (unsigned long)pairs->key < vdso_data.nr_probes) {
			pairs->value = vdso_data.probe[pairs->key];
		} else {
			pairs->key = -1;
			pairs->value = 0;
		}
	}
	return 0;
}
