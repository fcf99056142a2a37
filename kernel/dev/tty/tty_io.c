/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/tty_io.c - read, write and poll of a terminal, with VMIN and
 * VTIME.
 *
 * One reader and one writer at a time have the line, so that the pieces of two
 * calls do not mix; the others wait, interruptibly.  Bytes cross to user memory
 * in chunks through the kernel stack, never with the tty's lock held.
 *
 * Not here: what the bytes mean (ldisc.c).
 */
#include <kernel/dev/tty/tty_int.h>

#include <kernel/file/iov.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

/* One post-processed character needs at most so much: an expanded tab. */
#define WRITE_MIN_ROOM 8u
/* poll() says writable from here on. */
#define POLL_ROOM     256u
#define VTIME_UNIT_NS (100 * NSEC_PER_MSEC)
/* Between looks at a transmitter that is sending its last bytes. */
#define DRAIN_POLL_NS (2 * NSEC_PER_MSEC)

/* --- one at a time */

static bool try_claim(struct tty *t, bool *busy)
{
	bool ok;

	tty_lock(t);
	ok = !*busy;
	*busy = true;
	tty_unlock(t);
	return ok;
}

static void count_claimant(struct tty *t, u32 by)
{
	tty_lock(t);
	t->nr_claimants += by;
	tty_unlock(t);
}

static int claim(struct tty *t, bool *busy, struct waitq *wq, struct file *f)
{
	int err;

	if (try_claim(t, busy))
		return 0;
	if (load_once(&f->flags) & O_NONBLOCK)
		return -EAGAIN;
	count_claimant(t, 1);
	err = wait_event_interruptible(wq, try_claim(t, busy));
	count_claimant(t, -1u);
	return err;
}

static void unclaim(struct tty *t, bool *busy, struct waitq *wq)
{
	bool wanted;

	tty_lock(t);
	*busy = false;
	wanted = t->nr_claimants > 0;
	tty_unlock(t);
	if (wanted)
		wake_up_all(wq);
}

/* --- reading */

/* When a read that has @got bytes may end or must wait (termios(3)). */
struct read_rule {
	u32 min;      /* bytes that suffice; 0: one look only */
	u64 first_ns; /* how long to wait for the first byte */
	u64 gap_ns;   /* and for each further one */
};

static void read_rule(struct tty *t, struct read_rule *r)
{
	const struct termios2 *m = &t->ld.t;

	*r = (struct read_rule){ 1, WAIT_FOREVER, WAIT_FOREVER };
	tty_lock(t);
	if (!(m->c_lflag & ICANON)) {
		r->min = m->c_cc[VMIN];
		if (r->min == 0)
			r->first_ns = m->c_cc[VTIME] * VTIME_UNIT_NS;
		else if (m->c_cc[VTIME])
			r->gap_ns = m->c_cc[VTIME] * VTIME_UNIT_NS;
	}
	tty_unlock(t);
}

static bool can_read(struct tty_file *tf)
{
	struct tty *t = tf->tty;
	bool yes;

	tty_lock(t);
	yes = tf->hung || ldisc_readable(&t->ld, 1);
	tty_unlock(t);
	return yes;
}

static int wait_input(struct tty_file *tf, struct file *f, u64 timeout_ns)
{
	u64 deadline = timeout_ns == WAIT_FOREVER
			       ? WAIT_FOREVER
			       : clock_mono_ns() + timeout_ns;

	if (timeout_ns == 0)
		return -ETIMEDOUT;
	if (load_once(&f->flags) & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible_timeout(&tf->tty->read_wq, can_read(tf),
						deadline);
}

/* Bytes moved, or -EFAULT.  *@done: the read is complete as it is. */
static s64 read_chunk(struct tty_file *tf, struct iov_iter *to, u32 still,
		      bool *done)
{
	u8 buf[TTY_CHUNK];
	struct tty *t = tf->tty;
	size_t max = min_t(size_t, sizeof(buf), iov_iter_count(to));
	size_t n = 0, copied;

	tty_lock(t);
	if (tf->hung) {
		*done = true;
	} else {
		n = ldisc_read(&t->ld, buf, max, done);
		/* Raw: all that is there counts as one piece. */
		if (n && !(t->ld.t.c_lflag & ICANON) && n >= still)
			*done = !ldisc_readable(&t->ld, 1);
	}
	tty_unlock(t);
	if (n == 0)
		return 0;
	copied = copy_to_iter(buf, n, to);
	if (copied < n) {
		*done = true;
		return copied ? (s64)copied : -EFAULT;
	}
	return (s64)n;
}

static s64 read_claimed(struct tty_file *tf, struct file *f,
			struct iov_iter *to)
{
	struct read_rule r;
	s64 got = 0;
	bool done = false;

	read_rule(tf->tty, &r);
	while (iov_iter_count(to) > 0) {
		u32 still = got < r.min ? r.min - (u32)got : 0;
		s64 n = read_chunk(tf, to, still, &done);
		int err;

		if (n < 0)
			return got ? got : n;
		got += n;
		if (done)
			break;
		if (n > 0)
			continue;
		if (got >= max_t(s64, r.min, 1))
			break;
		err = wait_input(tf, f, got ? r.gap_ns : r.first_ns);
		if (err == -ETIMEDOUT)
			break;
		/* As on Linux: who waited hears of it, later reads end. */
		if (!err && load_once(&tf->tty->gone))
			err = -EIO;
		if (err)
			return got ? got : err;
	}
	return got;
}

s64 tty_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	s64 ret;

	(void)pos;
	if (load_once(&tf->hung) || iov_iter_count(to) == 0)
		return 0;
	if (!tf->console) {
		ret = tty_check_change(t, SIGTTIN);
		if (ret)
			return ret;
	}
	ret = claim(t, &t->reading, &t->read_wq, f);
	if (ret)
		return ret;
	ret = read_claimed(tf, f, to);
	unclaim(t, &t->reading, &t->read_wq);
	return ret;
}

/* --- writing */

static bool can_write(struct tty_file *tf)
{
	struct tty *t = tf->tty;
	bool yes;

	tty_lock(t);
	yes = tf->hung || ldisc_write_room(&t->ld) >= WRITE_MIN_ROOM;
	tty_unlock(t);
	return yes;
}

/* Bytes of @buf written: all of them, or fewer with *@err set. */
static size_t write_chunk(struct tty_file *tf, struct file *f, const u8 *buf,
			  size_t len, int *err)
{
	struct tty *t = tf->tty;
	size_t done = 0;

	*err = 0;
	for (;;) {
		tty_lock(t);
		if (tf->hung)
			*err = -EIO;
		else
			done += ldisc_write(&t->ld, buf + done, len - done);
		tty_unlock(t);
		if (*err || done == len)
			return done;
		if (load_once(&f->flags) & O_NONBLOCK)
			*err = can_write(tf) ? 0 : -EAGAIN;
		else
			*err = wait_event_interruptible(&t->write_wq,
							can_write(tf));
		if (*err)
			return done;
	}
}

static s64 write_claimed(struct tty_file *tf, struct file *f,
			 struct iov_iter *from)
{
	u8 buf[TTY_CHUNK];
	s64 done = 0;

	while (iov_iter_count(from) > 0) {
		size_t len = min_t(size_t, sizeof(buf), iov_iter_count(from));
		size_t n = copy_from_iter(buf, len, from);
		int err = 0;

		if (n == 0)
			return done ? done : -EFAULT;
		done += (s64)write_chunk(tf, f, buf, n, &err);
		if (err)
			return done ? done : err;
		if (n < len)
			break;
		cond_resched();
		/* Also when there is always room: a megabyte takes seconds. */
		if (signal_pending_current())
			break;
	}
	return done;
}

static s64 write_line(struct tty_file *tf, struct file *f,
		      struct iov_iter *from)
{
	struct tty *t = tf->tty;
	s64 ret = claim(t, &t->writing, &t->write_wq, f);

	if (ret)
		return ret;
	ret = write_claimed(tf, f, from);
	unclaim(t, &t->writing, &t->write_wq);
	return ret;
}

s64 tty_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct tty_file *tf = f->priv;
	struct tty *other = tf->console ? console_redirect_get() : NULL;
	s64 ret;

	(void)pos;
	if (other) {
		/* As if written to the other terminal by a file of its own. */
		struct tty_file via = { .tty = other };

		ret = write_line(&via, f, from);
		tty_put(other);
		return ret;
	}
	if (load_once(&tf->hung))
		return -EIO;
	/* racy: as of some moment of the call */
	if (!tf->console && (load_once(&tf->tty->ld.t.c_lflag) & TOSTOP)) {
		ret = tty_check_change(tf->tty, SIGTTOU);
		if (ret)
			return ret;
	}
	if (iov_iter_count(from) == 0)
		return 0;
	return write_line(tf, f, from);
}

/* --- poll */

u32 tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	const u8 *cc = t->ld.t.c_cc;
	u32 mask = 0;

	poll_wait(pt, f, &t->read_wq);
	poll_wait(pt, f, &t->write_wq);
	tty_lock(t);
	if (ldisc_readable(&t->ld, cc[VTIME] || !cc[VMIN] ? 1 : cc[VMIN]))
		mask |= POLLIN | POLLRDNORM;
	if (ldisc_write_room(&t->ld) >= POLL_ROOM)
		mask |= POLLOUT | POLLWRNORM;
	if (tf->hung)
		mask = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM |
		       POLLWRNORM;
	tty_unlock(t);
	return mask;
}

/* --- draining */

static bool ring_drained(struct tty *t)
{
	bool yes;

	tty_lock(t);
	yes = ldisc_out_bytes(&t->ld) == 0;
	tty_unlock(t);
	return yes;
}

int tty_drain(struct tty *t, u64 deadline_ns)
{
	int err;

	if (t->is_pty) /* handed to the other side is as far as it goes */
		return 0;
	err = wait_event_interruptible_timeout(&t->write_wq, ring_drained(t),
					       deadline_ns);
	while (!err && t->ops->tx_done && !t->ops->tx_done(t)) {
		if (clock_mono_ns() >= deadline_ns)
			return 0;
		err = sleep_until_ns(clock_mono_ns() + DRAIN_POLL_NS, true);
	}
	return err == -ETIMEDOUT ? 0 : err;
}
