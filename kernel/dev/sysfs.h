/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/sysfs.h - the tree behind /sys, filled by whoever has something to show.
 *
 * A directory stands for an object: a device, a class, a disk's queue.  Its owner
 * gives it attributes, which are text made when it is read, or bytes.  The tree is
 * there from the first initcall on, whether /sys is mounted or not, and changes
 * when devices come and go.
 *
 *	d = sys_mkdir(parent, "nvme0", ctrl);
 *	sys_add(d, nvme_attrs, ARRAY_SIZE(nvme_attrs));
 *	sys_join("class/nvme", d);		-> /sys/class/nvme/nvme0
 *	...
 *	sys_rmdir(d);				d, all below, all links to them
 *
 * show(), store(), read() and write() run in the reader's coroutine without locks
 * and may sleep.  After sys_rmdir() has returned none of them runs or will run, so
 * the object may be freed; hence they must not call sys_rmdir() on their own
 * directory or one above it.
 *
 * Every function takes NULL for a directory and then does nothing (-ENOMEM, NULL):
 * a tree that could not be made in full is no reason to do without the device.
 *
 * Context: threads, may sleep.  Locking: sys_lock (RANK_VFS) inside.
 */
#ifndef KERNEL_DEV_SYSFS_H
#define KERNEL_DEV_SYSFS_H

#include <lib/types.h>

#define SYS_TEXT_MAX 4096u /* of show(), and of one store() */

struct sys_dir; /* opaque */

struct sys_attr {
	const char *name;
	u32 mode; /* permission bits: 0444, 0644 */
	/* Text of @obj into @buf, terminator included in @size (SYS_TEXT_MAX): its
	 * length (scnprintf() returns it) or -errno. */
	s64 (*show)(void *obj, const struct sys_attr *a, char *buf,
		    size_t size);
	/* @n bytes, terminated behind them: @n or -errno. */
	s64 (*store)(void *obj, const struct sys_attr *a, const char *buf,
		     size_t n);
	/* Bytes instead of text: how many were moved, 0 at the end, -errno. */
	s64 (*read)(void *obj, const struct sys_attr *a, void *buf, size_t n,
		    u64 off);
	s64 (*write)(void *obj, const struct sys_attr *a, const void *buf,
		     size_t n, u64 off);
	u64 arg;  /* the owner's: an offset, a number */
	u64 size; /* of bytes, as stat(2) has it; 0: not known */
};

/* What is below /sys: "bus/pci".  Missing directories are made, and what is named
 * like this is never removed. */
struct sys_dir *sys_path(const char *path);
/* The same below /proc, for what drivers have shown there since before /sys was:
 * "bus/pci". */
struct sys_dir *sys_proc_path(const char *path);
/* A directory for @obj; the name is copied.  NULL: no memory, or the name is
 * taken.  @parent NULL: none. */
struct sys_dir *sys_mkdir(struct sys_dir *parent, const char *name, void *obj);
/* @fill(@d, its object) will put in what is in @d when somebody first looks; it may make
 * directories and attributes of @d, and not remove anything. */
typedef void sys_fill_fn(struct sys_dir *d, void *obj);
void sys_fill_later(struct sys_dir *d, sys_fill_fn *fill);
/* Child @name of @parent, made (for no object) if it is not there. */
struct sys_dir *sys_subdir(struct sys_dir *parent, const char *name);
/* Attributes of the directory's object.  @a lives as long as the directory. */
int sys_add(struct sys_dir *d, const struct sys_attr *a, u32 nr);
/* One attribute, of @obj instead. */
int sys_add_for(struct sys_dir *d, const struct sys_attr *a, void *obj);
/* A symbolic link; gone with @d or @target. */
int sys_link(struct sys_dir *d, const char *name, struct sys_dir *target);
/* Remove one attribute or link of @d; waits as sys_rmdir(). */
void sys_remove(struct sys_dir *d, const char *name);
void sys_rmdir(struct sys_dir *d);

/*
 * Make the device @d a member: of a bus ("bus/pci": linked from its devices/) or a
 * class ("class/block": linked from it).  @d gets its link `subsystem`.
 */
int sys_join(const char *subsystem, struct sys_dir *d);
/* A driver of @bus has taken @d: bus/NAME/drivers/DRIVER, and link `driver`. */
int sys_bind(const char *bus, const char *driver, struct sys_dir *d);
/* /sys/dev/block/MAJOR:MINOR or /sys/dev/char/... -> @d. */
int sys_link_dev(bool block, u32 major, u32 minor, struct sys_dir *d);
const char *sys_dir_name(const struct sys_dir *d);
/* Where it is below /sys, from the slash on: length, or -ENOENT (removed),
 * -ENAMETOOLONG. */
s64 sys_dir_path(struct sys_dir *d, char *buf, size_t size);

/* show() of all harts (sysfs_cpu.c): as a list, as a mask. */
s64 sys_show_harts(void *obj, const struct sys_attr *a, char *buf, size_t size);
s64 sys_show_harts_mask(void *obj, const struct sys_attr *a, char *buf,
			size_t size);
/* store() helpers: one number and at most a newline, within the range. */
int sys_parse_u64(const char *buf, u64 min, u64 max, u64 *out) __must_check;

/*
 * For the file system (fs/sysfs.c): nodes with references.  A node that was
 * removed stays readable as an object; its attributes answer -ENODEV.
 */
enum sys_kind {
	SYS_DIR,
	SYS_ATTR,
	SYS_LINK
};
struct sys_node; /* opaque */
struct sys_node *sys_root_node(void);
struct sys_node *sys_proc_node(void);
struct sys_node *sys_dir_node(struct sys_dir *d); /* not NULL */
struct sys_node *sys_node_get(struct sys_node *n);
void sys_node_put(struct sys_node *n);
enum sys_kind sys_node_kind(const struct sys_node *n);
u32 sys_node_ino(const struct sys_node *n);
u32 sys_node_nlink(const struct sys_node *n);
const char *sys_node_name(const struct sys_node *n);
/* Of an attribute, else NULL. */
const struct sys_attr *sys_node_attr(const struct sys_node *n);
/* Child by name; first child with ino >= @ino.  Referenced, or NULL. */
struct sys_node *sys_node_lookup(struct sys_node *d, const char *name,
				 size_t len);
struct sys_node *sys_node_next(struct sys_node *d, u32 ino);
/* Relative text of a link: length or -errno. */
s64 sys_node_target(struct sys_node *n, char *buf, size_t size);
/* Between these two the attribute's object stays.  NULL: it has gone. */
bool sys_node_enter(struct sys_node *n, void **obj);
void sys_node_leave(struct sys_node *n);

#endif /* KERNEL_DEV_SYSFS_H */
