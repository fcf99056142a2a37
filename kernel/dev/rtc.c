/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/rtc.c - real-time clocks for programs; see rtc.h.
 *
 * The numbers of the ioctls and struct rtc_time are Linux's <linux/rtc.h>.
 */
#include <kernel/dev/rtc.h>

#include <kernel/dev/sysfs.h>
#include <kernel/log.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define RTC_MAJOR 250u

#define RTC_ALM_READ   0x80247008u
#define RTC_ALM_SET    0x40247007u
#define RTC_RD_TIME    0x80247009u
#define RTC_SET_TIME   0x4024700au
#define RTC_WKALM_SET  0x4028700fu
#define RTC_WKALM_RD   0x80287010u
#define RTC_NR(cmd)    ((cmd)&0xff)
#define RTC_LAST_ON_NR 6u /* AIE, UIE, PIE: on and off, 0x7001 to 0x7006 */

#define DAY 86400u

struct rtc_time {
	s32 sec, min, hour, mday, mon, year, wday, yday, isdst;
};
STATIC_ASSERT(sizeof(struct rtc_time) == 36, "Linux's struct rtc_time");

static u32 nr_rtcs;	  /* [boot] */
static struct rtc *first; /* [I after boot] the one that set CLOCK_REALTIME */

/* --- the calendar */

static bool is_leap(u32 year)
{
	return !(year % 4) && (year % 100 || !(year % 400));
}

static u32 days_in_month(u32 year, u32 month)
{
	static const u8 days[] = { 31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

struct rtc_date rtc_date_of(u64 days)
{
	struct rtc_date d = { .year = 1970, .month = 1 };

	while (days >= 365u + is_leap(d.year)) {
		days -= 365u + is_leap(d.year);
		d.year++;
	}
	d.yday = (u32)days;
	while (days >= days_in_month(d.year, d.month)) {
		days -= days_in_month(d.year, d.month);
		d.month++;
	}
	d.day = (u32)days + 1;
	return d;
}

bool rtc_days_of(u32 year, u32 month, u32 day, u64 *days)
{
	u64 n = 0;

	if (year < 1970 || year > 9999 || !month || month > 12 || !day ||
	    day > days_in_month(year, month))
		return false;
	for (u32 y = 1970; y < year; y++)
		n += 365u + is_leap(y);
	for (u32 m = 1; m < month; m++)
		n += days_in_month(year, m);
	*days = n + day - 1;
	return true;
}

/* --- one clock */

static int read_seconds(struct rtc *r, u64 *s)
{
	int err;

	mutex_lock(&r->lock);
	err = r->ops->read(r, s);
	mutex_unlock(&r->lock);
	return err;
}

int rtc_first_seconds(u64 *s)
{
	return first ? read_seconds(first, s) : -ENODEV;
}

static s64 read_time(struct rtc *r, uaddr_t to)
{
	struct rtc_time tm = { 0 };
	struct rtc_date d;
	u64 s;
	int err = read_seconds(r, &s);

	if (err)
		return err;
	d = rtc_date_of(s / DAY);
	tm.sec = (s32)(s % 60);
	tm.min = (s32)(s / 60 % 60);
	tm.hour = (s32)(s / 3600 % 24);
	tm.mday = (s32)d.day;
	tm.mon = (s32)d.month - 1;
	tm.year = (s32)d.year - 1900;
	tm.wday = (s32)((s / DAY + 4) % 7); /* 1970-01-01 was a Thursday */
	tm.yday = (s32)d.yday;
	return copy_to_user(to, &tm, sizeof(tm));
}

static s64 set_time(struct rtc *r, uaddr_t from)
{
	struct rtc_time tm;
	u64 days;
	int err;

	if (!capable(CAP_SYS_TIME))
		return -EACCES;
	if (!r->ops->set)
		return -EINVAL;
	if (copy_from_user(&tm, from, sizeof(tm)))
		return -EFAULT;
	if ((u32)tm.sec > 59 || (u32)tm.min > 59 || (u32)tm.hour > 23 ||
	    tm.year < 70 || tm.year > 8099 ||
	    !rtc_days_of((u32)tm.year + 1900, (u32)tm.mon + 1, (u32)tm.mday,
			 &days))
		return -EINVAL;
	mutex_lock(&r->lock);
	err = r->ops->set(r, days * DAY + (u32)tm.hour * 3600u +
				     (u32)tm.min * 60u + (u32)tm.sec);
	mutex_unlock(&r->lock);
	return err;
}

static s64 rtc_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct rtc *r = f->priv;

	switch (cmd) {
	case RTC_RD_TIME:
		return read_time(r, arg);
	case RTC_SET_TIME:
		return set_time(r, arg);
	case RTC_ALM_READ:
	case RTC_ALM_SET:
	case RTC_WKALM_RD:
	case RTC_WKALM_SET:
		return -EINVAL;
	default:
		return cmd >> 8 == 0x70 && RTC_NR(cmd) &&
				       RTC_NR(cmd) <= RTC_LAST_ON_NR
			       ? -EINVAL
			       : -ENOTTY;
	}
}

static int rtc_open(struct chrdev *cd, struct file *f)
{
	struct rtc *r = cd->priv;

	if (atomic_xchg(&r->open, 1))
		return -EBUSY;
	f->priv = r;
	return 0;
}

static void rtc_release(struct file *f)
{
	struct rtc *r = f->priv;

	if (r)
		atomic_xchg(&r->open, 0);
}

static const struct file_ops rtc_fops = {
	.ioctl = rtc_ioctl,
	.release = rtc_release,
};

/* --- /sys/class/rtc/rtc0 */

static s64 show_name(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%s\n", ((struct rtc *)obj)->driver);
}

static s64 show_hctosys(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	return scnprintf(buf, size, "%d\n", ((struct rtc *)obj)->hctosys);
}

enum rtc_text {
	TEXT_DATE,
	TEXT_TIME,
	TEXT_EPOCH,
};

static s64 show_now(void *obj, const struct sys_attr *a, char *buf, size_t size)
{
	struct rtc_date d;
	u64 s;
	int err = read_seconds(obj, &s);

	if (err)
		return err;
	switch ((enum rtc_text)a->arg) {
	case TEXT_DATE:
		d = rtc_date_of(s / DAY);
		return scnprintf(buf, size, "%04u-%02u-%02u\n", d.year, d.month,
				 d.day);
	case TEXT_TIME:
		return scnprintf(buf, size, "%02u:%02u:%02u\n",
				 (u32)(s / 3600 % 24), (u32)(s / 60 % 60),
				 (u32)(s % 60));
	case TEXT_EPOCH:
		break;
	}
	return scnprintf(buf, size, "%lu\n", s);
}

static const struct sys_attr rtc_attrs[] = {
	{ .name = "name", .mode = 0444, .show = show_name },
	{ .name = "hctosys", .mode = 0444, .show = show_hctosys },
	{ .name = "date", .mode = 0444, .show = show_now, .arg = TEXT_DATE },
	{ .name = "time", .mode = 0444, .show = show_now, .arg = TEXT_TIME },
	{ .name = "since_epoch",
	  .mode = 0444,
	  .show = show_now,
	  .arg = TEXT_EPOCH },
};

int rtc_register(struct rtc *r)
{
	u64 s;
	int err;

	mutex_init(&r->lock);
	err = read_seconds(r, &s);
	if (err)
		return err;
	scnprintf(r->name, sizeof(r->name), "rtc%u", nr_rtcs);
	r->chr = (struct chrdev){ .name = r->name,
				  .dev = MKDEV(RTC_MAJOR, nr_rtcs),
				  .mode = 0600,
				  .fops = &rtc_fops,
				  .open = rtc_open,
				  .priv = r,
				  .sys_class = "rtc" };
	r->hctosys = !nr_rtcs;
	if (r->hctosys)
		clock_set_real_ns(s * NSEC_PER_SEC);
	err = chrdev_register(&r->chr);
	if (err)
		return err;
	if (r->hctosys)
		first = r;
	nr_rtcs++;
	for (u32 i = 0; i < ARRAY_SIZE(rtc_attrs); i++)
		(void)sys_add_for(r->chr.sys, &rtc_attrs[i], r);
	pr_info("%s: %s, %lu seconds since 1970", r->name, r->driver, s);
	return 0;
}
