/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/devices.c - /proc/devices, misc, partitions, tty/drivers: drivers and their numbers;
 * driver/rtc.
 */
#include <fs/proc/proc.h>

#include <kernel/dev/blk.h>
#include <kernel/dev/dev.h>
#include <kernel/dev/rtc.h>
#include <kernel/dev/tty/tty.h>
#include <lib/ctype.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MEM_MAJOR	1u
#define TTY_AUX_MAJOR	5u
#define MISC_MAJOR	10u
#define VIRTBLK_MAJOR	254u
#define BLOCK_EXT_MAJOR 259u

/* Drivers by their majors, in order, each name once. */
struct major_list {
	struct text *t;
	u32 major;     /* of which lines are written */
	u32 next;      /* the smallest above it */
	char last[32]; /* name written last */
};

/* The driver is called as its device is, but for the number. */
static void put_major(struct major_list *l, kdev_t dev, const char *dir,
		      const char *name)
{
	char buf[sizeof(l->last)];
	size_t len;

	if (MAJOR(dev) > l->major)
		l->next = min(l->next, MAJOR(dev));
	if (MAJOR(dev) != l->major)
		return;
	snprintf(buf, sizeof(buf), "%s%s", dir, name);
	for (len = strlen(buf); len && isdigit(buf[len - 1]); len--)
		buf[len - 1] = '\0';
	if (len && buf[len - 1] == '/') /* pts/0 */
		buf[len - 1] = '\0';
	if (strcmp(buf, l->last) != 0)
		text_printf(l->t, "%3u %s\n", l->major, buf);
	strscpy(l->last, buf, sizeof(l->last));
}

static void chr_line(struct chrdev *cd, void *ctx)
{
	u32 major = MAJOR(cd->dev);

	put_major(ctx, cd->dev, major == TTY_AUX_MAJOR ? "/dev/" : "",
		  major == MEM_MAJOR	? "mem"
		  : major == MISC_MAJOR ? "misc"
					: cd->name);
}

static void blk_line(struct blkdev *bd, void *ctx)
{
	u32 major = MAJOR(bd->dev);

	put_major(ctx, bd->dev, "",
		  major == VIRTBLK_MAJOR     ? "virtblk"
		  : major == BLOCK_EXT_MAJOR ? "blkext"
					     : bd->name);
}

/* Moves @l to the next major; false: there is none. */
static bool next_major(struct major_list *l)
{
	l->major = l->next;
	l->next = UINT32_MAX;
	l->last[0] = '\0';
	return l->major != UINT32_MAX;
}

static void misc_line(struct chrdev *cd, void *ctx)
{
	const char *slash = strrchr(cd->name, '/');

	if (MAJOR(cd->dev) == MISC_MAJOR)
		text_printf(ctx, "%3u %s\n", MINOR(cd->dev),
			    slash ? slash + 1 : cd->name);
}

int proc_show_misc(struct text *t, void *arg __unused)
{
	chrdev_for_each(misc_line, t);
	return 0;
}

int proc_show_devices(struct text *t, void *arg __unused)
{
	struct major_list chr = { .t = t }, blk = { .t = t };

	text_puts(t, "Character devices:\n");
	while (next_major(&chr))
		chrdev_for_each(chr_line, &chr);
	text_puts(t, "\nBlock devices:\n");
	while (next_major(&blk))
		blkdev_for_each(blk_line, &blk);
	return 0;
}

static void partition_line(struct blkdev *bd, void *ctx)
{
	if (!bd->nr_sectors) /* no medium */
		return;
	text_printf(ctx, "%4u %7u %10lu %s\n", MAJOR(bd->dev), MINOR(bd->dev),
		    bd->nr_sectors / 2, bd->name);
}

int proc_show_partitions(struct text *t, void *arg __unused)
{
	text_puts(t, "major minor  #blocks  name\n\n");
	blkdev_for_each(partition_line, t);
	return 0;
}

/* Those that are not always there: ports. */
static void port_line(struct chrdev *cd, void *ctx)
{
	u32 major = MAJOR(cd->dev);
	size_t len = strlen(cd->name);

	if (!cd->sys_class || strcmp(cd->sys_class, "tty") != 0 ||
	    major == TTY_AUX_MAJOR || major == PTS_MAJOR)
		return;
	while (len && isdigit(cd->name[len - 1]))
		len--;
	text_printf(ctx, "%-20s /dev/%-8.*s %3u %7u serial\n", "serial",
		    (int)len, cd->name, major, MINOR(cd->dev));
}

int proc_show_tty_drivers(struct text *t, void *arg __unused)
{
	text_puts(t, "/dev/tty             /dev/tty        5       0 "
		     "system:/dev/tty\n"
		     "/dev/console         /dev/console    5       1 "
		     "system:console\n"
		     "/dev/ptmx            /dev/ptmx       5       2 system\n");
	chrdev_for_each(port_line, t);
	text_printf(t, "%-20s /dev/%-8s %3u 0-%u pty:slave\n", "pty_slave",
		    "pts", PTS_MAJOR, PTY_MAX - 1);
	return 0;
}

#define DAY 86400u

/* A clock without alarms and periodic interrupts, as Linux shows one. */
int proc_show_rtc(struct text *t, void *arg __unused)
{
	struct rtc_date d;
	u64 s;
	int err = rtc_first_seconds(&s);

	if (err)
		return err;
	d = rtc_date_of(s / DAY);
	text_printf(t,
		    "rtc_time\t: %02u:%02u:%02u\nrtc_date\t: %04u-%02u-%02u\n",
		    (u32)(s / 3600 % 24), (u32)(s / 60 % 60), (u32)(s % 60),
		    d.year, d.month, d.day);
	text_puts(t, "update IRQ enabled\t: no\n"
		     "periodic IRQ enabled\t: no\n"
		     "periodic IRQ frequency\t: 1\n"
		     "max user IRQ frequency\t: 64\n"
		     "24hr\t\t: yes\n");
	return 0;
}
