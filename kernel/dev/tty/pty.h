/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/pty.h - what ptys want from the file system.
 *
 * A pty belongs to a home, an instance of devpts, where its number counts and its
 * slave has a name.  Which it is follows from how ptmx was opened.
 *
 * Context: calls, without locks; may sleep.
 */
#ifndef KERNEL_DEV_TTY_PTY_H
#define KERNEL_DEV_TTY_PTY_H

#include <kernel/dev/dev.h>
#include <lib/types.h>

#define PTMX_DEV MKDEV(5, 2)

struct file;

struct pty_home_ops {
	/* Of who opens ptmx as @f, with a reference; or ERR_PTR(-ENODEV),
	 * -ENOENT. */
	void *(*find)(const struct file *f);
	/* In which @f is a node, without a reference; NULL: in none. */
	void *(*of_node)(const struct file *f);
	void (*put)(void *home);
	/* The node of pty @index comes, 0 or -errno (-ENOSPC: enough), or goes. */
	int (*add)(void *home, u32 index, kdev_t dev);
	void (*del)(void *home, u32 index);
	/* The slave of @master by its name, or NULL: it cannot be reached. */
	struct file *(*open)(const struct file *master, void *home, u32 index,
			     u32 flags);
};
u32 pty_count(void);			    /* of all homes */
extern const struct pty_home_ops *pty_home; /* [I after init] fs/devpts.c's */

#endif /* KERNEL_DEV_TTY_PTY_H */
