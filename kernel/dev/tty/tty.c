/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/tty.c - the life of a terminal: creation, opening, closing,
 * passing on what the line discipline reports.
 *
 * INVARIANTS
 *   I1  nr_open counts the elements of files.
 *   I2  ops->open has succeeded, and ops->close not run yet, while nr_open > 0
 *       and open_lock is free.
 *
 * Not here: reading and writing (tty_io.c), ioctls (tty_ioctl.c, tty_modes.c),
 * sessions and hang-up (jobctl.c), ptys (pty.c).
 */
#include <kernel/dev/tty/tty_int.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

/* How long the last close waits for output, as on Linux. */
#define CLOSE_DRAIN_NS (30 * NSEC_PER_SEC)

STATIC_ASSERT(LDISC_BUF == PAGE_SIZE, "buffers are pages");

int tty_init(struct tty *t, const char *name, kdev_t dev,
	     const struct tty_ops *ops)
{
	u8 *in = get_free_page(0);
	u8 *out = get_free_page(0);

	if (!in || !out) {
		if (in)
			free_page_addr(in);
		if (out)
			free_page_addr(out);
		return -ENOMEM;
	}
	spin_init(&t->lock, "tty", RANK_TTY);
	t->refs = 1;
	(void)strscpy(t->name, name, sizeof(t->name));
	t->dev = dev;
	t->ops = ops;
	ldisc_init(&t->ld, in, out);
	list_init(&t->files);
	mutex_init(&t->open_lock);
	waitq_init(&t->read_wq);
	waitq_init(&t->write_wq);
	return 0;
}

void tty_destroy(struct tty *t)
{
	KASSERT(list_empty(&t->files));
	free_page_addr(t->ld.in);
	free_page_addr(t->ld.out);
	t->ld.in = NULL;
	t->ld.out = NULL;
}

struct tty *tty_get(struct tty *t)
{
	atomic_inc(&t->refs);
	return t;
}

void tty_put(struct tty *t)
{
	if (t && atomic_dec_and_test(&t->refs)) {
		KASSERT(t->ops->free);
		t->ops->free(t);
	}
}

/* --- events */

void tty_signal(struct tty *t, int sig)
{
	int pgid =
		load_once(&t->pgid); /* racy: as of some moment of the call */

	if (pgid > 0)
		(void)signal_pgrp(pgid, sig, SEND_KERNEL);
}

static void send_signals(struct tty *t, u32 ev)
{
	if (ev & LD_SIGINT)
		tty_signal(t, SIGINT);
	if (ev & LD_SIGQUIT)
		tty_signal(t, SIGQUIT);
	if (ev & LD_SIGTSTP)
		tty_signal(t, SIGTSTP);
}

void tty_unlock(struct tty *t)
{
	u32 ev = ldisc_take_events(&t->ld);

	assert_held(&t->lock);
	if ((ev & (LD_TX | LD_START)) && t->ops->start_tx) {
		t->ops->start_tx(t);
		ev |= ldisc_take_events(&t->ld);
	}
	if ((ev & LD_IN_ROOM) && t->ops->rx_room)
		t->ops->rx_room(t);
	if (ev && t->ops->events)
		t->ops->events(t, ev);
	spin_unlock(&t->lock);
	if (ev & LD_READ)
		wake_up_all_key(&t->read_wq, POLLIN | POLLRDNORM);
	if (ev & LD_ROOM)
		wake_up_all_key(&t->write_wq, POLLOUT | POLLWRNORM);
	if (ev & LD_SIGNALS)
		send_signals(t, ev);
}

/* --- opening */

/* 0: counted as one more open file. */
static int open_count(struct tty *t, struct tty_file *tf)
{
	int err = 0;

	tty_lock(t);
	if (t->gone)
		err = -EIO;
	else if (t->exclusive && t->nr_open > 0 && !capable(CAP_SYS_ADMIN))
		err = -EBUSY;
	if (!err) {
		t->nr_open++;
		list_add_tail(&tf->node, &t->files);
	}
	tty_unlock(t);
	return err;
}

static u32 open_uncount(struct tty *t, struct tty_file *tf)
{
	u32 left;

	tty_lock(t);
	KASSERT(t->nr_open > 0);
	list_del(&tf->node);
	left = --t->nr_open;
	tty_unlock(t);
	return left;
}

static int open_line(struct tty *t, struct tty_file *tf)
{
	int err;

	mutex_lock(&t->open_lock);
	err = open_count(t, tf);
	if (!err && t->nr_open == 1 && t->ops->open) {
		err = t->ops->open(t);
		if (err)
			(void)open_uncount(t, tf);
	}
	mutex_unlock(&t->open_lock);
	return err;
}

int tty_open_file(struct tty *t, struct file *f, bool console)
{
	struct tty_file *tf = kzalloc(sizeof(*tf));
	int err;

	if (!tf)
		return -ENOMEM;
	tf->tty = tty_get(t);
	tf->console = console;
	list_init(&tf->node);
	err = open_line(t, tf);
	if (err) {
		tty_put(t);
		kfree(tf);
		return err;
	}
	f->priv = tf;
	f->ops = &tty_fops;
	if (!(f->flags & O_NOCTTY) && !console && f->can_read)
		tty_maybe_acquire(t);
	return 0;
}

/* --- closing */

static void close_line(struct tty *t)
{
	(void)tty_drain(t, clock_mono_ns() + CLOSE_DRAIN_NS);
	tty_release_session(t);
	tty_lock(t);
	ldisc_flush_input(&t->ld);
	if (!t->is_pty) /* there the master has yet to read it */
		ldisc_flush_output(&t->ld);
	ldisc_start(&t->ld, true);
	t->exclusive = false;
	tty_unlock(t);
	if (t->ops->close)
		t->ops->close(t);
}

static void tty_release(struct file *f)
{
	struct tty_file *tf = f->priv;
	struct tty *t;

	if (!tf)
		return;
	t = tf->tty;
	console_redirect_forget(tf);
	mutex_lock(&t->open_lock);
	if (open_uncount(t, tf) == 0)
		close_line(t);
	mutex_unlock(&t->open_lock);
	kfree(tf);
	tty_put(t);
}

const struct file_ops tty_fops = {
	.sigio = true,
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.release = tty_release,
};

/* --- lines that are there for ever */

static int line_open(struct chrdev *cd, struct file *f)
{
	return tty_open_file(cd->priv, f, false);
}

int tty_register(struct tty *t)
{
	t->cd = (struct chrdev){
		.name = t->name,
		.dev = t->dev,
		.mode = 0620,
		.gid = 5,
		.fops = &tty_fops,
		.open = line_open,
		.priv = t,
		.sys_class = "tty",
	};
	return chrdev_register(&t->cd);
}

struct tty *tty_by_name(const char *name)
{
	struct chrdev *cd = chrdev_by_name(name);

	return cd && cd->fops == &tty_fops && cd->open == line_open ? cd->priv
								    : NULL;
}
