/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/uevent.h - saying that a device came, went or changed.
 *
 * What is said goes to whoever listens (net/uevent.c, for udev): lines of "KEY=value",
 * each ended by NUL, behind "ACTION@/path/below/sys".
 *
 * Context: threads, may sleep.
 */
#ifndef KERNEL_DEV_UEVENT_H
#define KERNEL_DEV_UEVENT_H

#include <lib/types.h>

struct sys_attr;
struct sys_dir;

/* Of the device that @d stands for, which is of @subsystem; @a is its file `uevent',
 * whose lines are said too, and @obj the file's object.  @d NULL: nothing. */
void uevent_send(struct sys_dir *d, const char *action, const char *subsystem,
		 const struct sys_attr *a, void *obj);
/* store() of that file: "ACTION [UUID [KEY=value ...]]".  @n or -EINVAL. */
s64 uevent_store(struct sys_dir *d, const char *subsystem,
		 const struct sys_attr *a, void *obj, const char *buf,
		 size_t n);

/* Takes a message; NULL: nobody can listen yet.  [set once at boot] */
extern void (*uevent_sink)(const char *msg, size_t n);

#endif /* KERNEL_DEV_UEVENT_H */
