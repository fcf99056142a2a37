/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/pty.h - what ptys want from the file system.
 */
#ifndef KERNEL_DEV_TTY_PTY_H
#define KERNEL_DEV_TTY_PTY_H

#include <lib/types.h>

struct file;

/*
 * Open "/dev/pts/N" for TIOCGPTPEER, so that the file has a name.  Set by fs/;
 * while NULL such a file has none.  Gives the file, NULL on any error.
 */
extern struct file *(*pty_open_slave_path)(const char *path, u32 flags);

#endif /* KERNEL_DEV_TTY_PTY_H */
