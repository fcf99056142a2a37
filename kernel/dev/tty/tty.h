/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/tty.h - terminals: what drivers fill in and what the rest of
 * the kernel may ask of them.
 *
 * A struct tty is one terminal line with its line discipline.  Programs reach
 * it through files (several at a time); on the other side is a driver (a serial
 * port, the firmware's console) or the master file of a pty, which is no tty of
 * its own: it reads what the slave's discipline put out and writes what it
 * receives.
 *
 * ORDERING of events: whatever touches ld runs under tty->lock and ends with
 * tty_unlock(), which passes on what the discipline reported: start the
 * transmitter and note packet-mode status under the lock, then, without it,
 * wake sleepers and signal the foreground group (the task lock is outside of
 * ours).
 *
 * Locking: tty->lock (RANK_TTY) may be taken in loop context by drivers.
 * open_lock (mutex) serialises first open, last close and mode changes and is
 * outside of it; task_lock too.
 * Ownership: a file, a process's ctty and the table of ttys own a reference
 * each.
 */
#ifndef KERNEL_DEV_TTY_TTY_H
#define KERNEL_DEV_TTY_TTY_H

#include <kernel/dev/dev.h>
#include <kernel/dev/tty/ldisc.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <lib/list.h>
#include <lib/types.h>

struct tty;
struct process;
/* Slaves of ptys: device numbers, and how many there are at most. */
#define PTS_MAJOR 136u
#define PTY_MAX	  1024u

struct pty;

/* Modem lines of TIOCMGET. */
#define TIOCM_DTR  0x002u
#define TIOCM_RTS  0x004u
#define TIOCM_CTS  0x020u
#define TIOCM_CAR  0x040u
#define TIOCM_RNG  0x080u
#define TIOCM_DSR  0x100u
#define TIOCM_LOOP 0x8000u

/* All optional. */
struct tty_ops {
	/* First open, last close.  Coroutine, open_lock held, may sleep. */
	int (*open)(struct tty *t);
	void (*close)(struct tty *t);
	/* ld.xchar or output waits (ld.stopped: xchar only): send what fits
	 * and go on by interrupt.  t->lock held. */
	void (*start_tx)(struct tty *t);
	/* Input has room again after ldisc_receive() fell short.  t->lock. */
	void (*rx_room)(struct tty *t);
	/* t->ld.t has changed; adjust what the hardware cannot do.  t->lock
	 * held: must not sleep. */
	void (*set_termios)(struct tty *t, const struct termios2 *old);
	/* Has everything handed over left the hardware?  Any context. */
	bool (*tx_done)(struct tty *t);
	/* Modem lines.  Coroutine. */
	u32 (*get_modem)(struct tty *t);
	void (*set_modem)(struct tty *t, u32 set, u32 clear);
	void (*set_break)(struct tty *t, bool on);
	/* Other side of a pty: events, before they are passed on.  t->lock. */
	void (*events)(struct tty *t, u32 ev);
	/* Last reference gone.  Any context. */
	void (*free)(struct tty *t);
};

struct tty {
	struct spinlock lock;	   /* RANK_TTY */
	u32 refs;		   /* [a] */
	char name[16];		   /* [I] "ttyS0", "pts/3" */
	kdev_t dev;		   /* [I] */
	const struct tty_ops *ops; /* [I] */
	void *drv;		   /* [I] driver's */
	bool is_pty;		   /* [I] */
	struct ldisc ld;	   /* [lock] */
	struct winsize ws;	   /* [lock] */
	struct termios2 locked;	   /* [lock] bits and characters that stay */
	int pgid; /* [lock; read racily] foreground group, 0: none */
	int sid;  /* [lock] session it controls, 0: none */
	struct list_head files; /* [lock] of struct tty_file */
	u32 nr_open;		/* [lock] files that are not hung up, or were */
	bool exclusive;		/* [lock] TIOCEXCL */
	bool gone;		/* [lock] master closed: no more opens */
	bool reading, writing;	/* [lock] one read/write at a time */
	u32 nr_claimants;	/* [lock] who wait for reading or writing */
	struct mutex open_lock;
	struct waitq read_wq;  /* input, hang-up, end of somebody's read */
	struct waitq write_wq; /* output room, hang-up, end of a write */
	struct chrdev cd; /* [I] serial lines; ptys have theirs in a slot */
};

/* Fill in everything but the driver's members; refs 1.  -ENOMEM. */
int tty_init(struct tty *t, const char *name, kdev_t dev,
	     const struct tty_ops *ops);
void tty_destroy(struct tty *t); /* frees what tty_init() allocated */
/* Make it /dev/<name> for ever. */
int tty_register(struct tty *t);
struct tty *tty_by_name(const char *name); /* registered ones; no reference */

struct tty *tty_get(struct tty *t);
/* Context: any, also under task_lock.  NULL is fine. */
void tty_put(struct tty *t);

static inline void tty_lock(struct tty *t)
{
	spin_lock(&t->lock);
}
/* See ORDERING.  Drops the lock. */
void tty_unlock(struct tty *t);

/* A signal to the foreground group.  No lock held. */
void tty_signal(struct tty *t, int sig);

/*
 * The line is gone (carrier lost, master closed, vhangup): every open file of
 * it reads end of file and fails to write, and the session's leader gets SIGHUP
 * and SIGCONT.  Coroutine context.
 */
void tty_hangup(struct tty *t);

/* --- for kernel/task/: processes and their controlling terminal */

/* fork: what the child's ctty is (new reference or NULL).  task_lock held. */
struct tty *tty_inherit(struct process *parent);
/* setsid: @p has no controlling terminal any more.  task_lock held. */
void tty_forget(struct process *p);
/* exit of @p (its last thread, coroutine): a session leader hangs up. */
void tty_process_exit(struct process *p);
/* vhangup(2) of current. */
void tty_vhangup_current(void);
/* Fields tty_nr and tpgid of /proc/<pid>/stat.  task_lock held, for t's sake. */
static inline kdev_t tty_device(const struct tty *t)
{
	return t->dev;
}
int tty_foreground(const struct tty *t);

/* --- console= */

/* Does the command line (or, without console=, the DT) want messages there? */
bool console_wanted(const char *name, int fdt_node);
/* Is this node what /chosen/stdout-path names: the firmware's own port? */
bool console_is_stdout(int fdt_node);
/* @t is the terminal on that node's port: maybe /dev/console. */
void console_offer(struct tty *t, int fdt_node);
/* The line of /proc/consoles; 0: there is none. */
size_t console_show(char *buf, size_t size);

#endif /* KERNEL_DEV_TTY_TTY_H */
