/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/rtc.h - clocks that go on without power: /dev/rtc0, /sys/class/rtc.
 *
 * A driver registers its clock; the first one's time becomes CLOCK_REALTIME at
 * boot.  Programs (hwclock) read and set it in UTC.  Alarms and periodic interrupts
 * are not there: EINVAL, as of a clock on Linux that has none.
 *
 * Context: rtc_register() in a thread; the ops in a coroutine or a thread, one at a
 * time.  Ownership: a struct rtc lives for ever.
 */
#ifndef KERNEL_DEV_RTC_H
#define KERNEL_DEV_RTC_H

#include <kernel/dev/dev.h>
#include <kernel/sched/wait.h>

struct rtc;

struct rtc_ops {
	/* Seconds since 1970, UTC; -EIO and the like. */
	int (*read)(struct rtc *r, u64 *seconds);
	int (*set)(struct rtc *r, u64 seconds); /* NULL: it cannot be set */
};

struct rtc {
	const char *driver;	   /* [I] */
	const struct rtc_ops *ops; /* [I] */
	/* --- rtc.c */
	struct chrdev chr;
	char name[8];	   /* [I] "rtc0" */
	struct mutex lock; /* around ops */
	u32 open;	   /* [a] one file at a time, as on Linux */
	bool hctosys;	   /* [I] it has set CLOCK_REALTIME */
};

int rtc_register(struct rtc *r);
/* What the clock that has set CLOCK_REALTIME says; -ENODEV: there is none. */
int rtc_first_seconds(u64 *s);

/* A day of the calendar, and back: days since 1970-01-01; @month and @day from 1. */
struct rtc_date {
	u32 year, month, day, yday; /* yday from 0 */
};
struct rtc_date rtc_date_of(u64 days);
/* False: there is no such day, or it is before 1970. */
bool rtc_days_of(u32 year, u32 month, u32 day, u64 *days);

#endif /* KERNEL_DEV_RTC_H */
