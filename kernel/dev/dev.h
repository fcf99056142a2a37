/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/dev.h - names and numbers of devices: /dev, /sys, /proc/devices.
 *
 * Drivers register what they have; fs/devfs and /sys show it.  Device numbers are
 * Linux's (major << 8 | minor in the kernel; fs/ encodes them for stat).
 *
 * Context: registration in a thread; may allocate.  Lock: dev_lock (RANK_VFS).
 */
#ifndef KERNEL_DEV_DEV_H
#define KERNEL_DEV_DEV_H

#include <kernel/file/file.h>
#include <lib/list.h>
#include <lib/types.h>

struct sys_dir; /* kernel/dev/sysfs.h */

typedef u32 kdev_t;
#define MKDEV(ma, mi) ((u32)(ma) << 20 | (u32)(mi))
#define MAJOR(d)      ((u32)(d) >> 20)
#define MINOR(d)      ((u32)(d)&0xfffff)
/* What user space sees in st_dev, st_rdev and mknod(2). */
static inline u64 dev_encode(kdev_t d)
{
	return (MINOR(d) & 0xff) | (u64)MAJOR(d) << 8 |
	       (u64)(MINOR(d) & ~0xffu) << 12;
}
static inline kdev_t dev_decode(u64 v)
{
	return MKDEV((v >> 8) & 0xfff, (v & 0xff) | ((v >> 12) & 0xfff00));
}

/*
 * A character device.  open() is called with f->priv NULL, may replace f->ops
 * and set f->priv; NULL open means just use fops.
 */
struct chrdev {
	const char *name;	     /* path below /dev, e.g. "tty", "pts/0" */
	kdev_t dev;		     /* [I] */
	u32 mode;		     /* [I] permission bits, e.g. 0666 */
	const struct file_ops *fops; /* [I] */
	int (*open)(struct chrdev *cd, struct file *f); /* [I] */
	void *priv;					/* [I] driver's */
	const char *sys_class; /* [I] "tty", "mem", ... or NULL */
	u32 uid, gid;	       /* [I] owner shown in /dev */
	struct sys_dir *sys;   /* [I] its directory in /sys, or NULL */
	struct list_head node; /* [dev_lock] */
};

int chrdev_register(struct chrdev *cd);
void chrdev_unregister(struct chrdev *cd);
struct chrdev *chrdev_find(kdev_t dev);
struct chrdev *chrdev_by_name(const char *name);
/* chr_sysfs.c: for the registry. */
void chrdev_sys_add(struct chrdev *cd);
void chrdev_sys_del(struct chrdev *cd);
/* Iterate, for devfs; @fn must not sleep. */
void chrdev_for_each(void (*fn)(struct chrdev *cd, void *ctx), void *ctx);
/* devfs asks to be told; called in registration context. */
extern void (*chrdev_notify)(struct chrdev *cd, bool added);

/* The /dev/console of `console=` (last one wins), set by the tty layer. */
extern struct chrdev *console_chrdev;

#endif /* KERNEL_DEV_DEV_H */
