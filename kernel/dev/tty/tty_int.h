/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/tty_int.h - what the files of the tty core share.
 */
#ifndef KERNEL_DEV_TTY_TTY_INT_H
#define KERNEL_DEV_TTY_TTY_INT_H

#include <kernel/dev/tty/tty.h>

/* Bytes moved under the lock at a time, on the kernel stack. */
#define TTY_CHUNK 512u

/* One open file of a tty. */
struct tty_file {
	struct tty *tty;       /* [I] owned */
	struct list_head node; /* [tty->lock] in tty->files */
	bool hung;	       /* [tty->lock; read racily] after a hang-up */
	bool console;	       /* [I] opened as /dev/console */
};

extern const struct file_ops tty_fops;

/* tty.c: make @f an open file of @t.  0 or -errno; @f unchanged then. */
int tty_open_file(struct tty *t, struct file *f, bool console);

/* tty_io.c */
s64 tty_read(struct file *f, struct iov_iter *to, u64 *pos);
s64 tty_write(struct file *f, struct iov_iter *from, u64 *pos);
u32 tty_poll(struct file *f, struct poll_table *pt);
/* Wait until output has left, or @deadline_ns.  0 or -ERESTARTSYS. */
int tty_drain(struct tty *t, u64 deadline_ns);

/* tty_ioctl.c; @master: the other side of a pty. */
s64 tty_ioctl(struct file *f, unsigned int cmd, u64 arg);
s64 tty_common_ioctl(struct tty *t, unsigned int cmd, u64 arg, bool master);

/* tty_modes.c: -ENOIOCTLCMD (515) when @cmd is none of its own. */
#define ENOIOCTLCMD 515
s64 tty_modes_ioctl(struct tty *t, unsigned int cmd, u64 arg);

/* jobctl.c */
int tty_check_change(struct tty *t, int sig);
s64 tty_job_ioctl(struct tty *t, struct file *f, unsigned int cmd, u64 arg,
		  bool master);
/* Become the controlling terminal of current, if it is a leader without one. */
void tty_maybe_acquire(struct tty *t);
/* The session of @t has no terminal any more. */
void tty_release_session(struct tty *t);
/* Reference, or NULL. */
struct tty *tty_current(void);

/* hvc.c: the firmware's console, if it has one */
int hvc_register(void);

/* console.c */
struct tty *console_redirect_get(void); /* TIOCCONS target: reference, NULL */
s64 console_redirect(struct tty_file *tf);
void console_redirect_forget(struct tty_file *tf);

#endif /* KERNEL_DEV_TTY_TTY_INT_H */
