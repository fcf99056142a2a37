/* SPDX-License-Identifier: MIT */
/*
 * fs/timerfd.c - a timer that one can wait for.
 *
 * Expiries are not counted as they happen: from when the first unread one was due,
 * and from the interval, a read computes how many there were.  So a timer that
 * nobody reads wakes nobody after its first expiry, whatever its interval.
 *
 * INVARIANTS
 *   I1  The ktimer is armed for `due' while that lies in the future.
 *
 * Locking: t->lock, also taken by the callback.
 */
#include <fs/event.h>

#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/posix.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>
#include <lib/fmt.h>

struct timerfd {
	struct spinlock lock; /* RANK_PIPE */
	struct ktimer timer;  /* [lock] */
	int clock;	      /* [I] */
	bool on;	      /* [lock] */
	u32 set_flags;	      /* [lock] timerfd_settime()'s last, for /proc */
	u64 due, interval;    /* [lock] */
	u64 real_due;	      /* [lock] of a clock that can be set; 0: none */
	bool may_cancel;      /* [lock] TFD_TIMER_CANCEL_ON_SET */
	bool cancelled;	      /* [lock] the clock was set, nobody has read it */
	struct clock_watch watch; /* if the clock can be set */
	struct waitq wq;
};

static void expired(struct ktimer *k)
{
	struct timerfd *t = k->arg;

	wake_up_all_key(&t->wq, POLLIN | POLLRDNORM);
}

/* Expiries since the last read; lock held. */
static u64 ticks(const struct timerfd *t)
{
	u64 now = clock_mono_ns();

	if (!t->on || now < t->due)
		return 0;
	if (t->interval &&
	    t->real_due) /* perhaps before the machine was there */
		return 1 + (max(clock_real_ns(), t->real_due) - t->real_due) /
				   t->interval;
	return t->interval ? 1 + (now - t->due) / t->interval : 1;
}

/* How often it expired, or -ECANCELED. */
static s64 take(struct timerfd *t)
{
	u64 n;

	spin_lock(&t->lock);
	n = ticks(t);
	if (t->cancelled) {
		t->cancelled = false;
		spin_unlock(&t->lock);
		return -ECANCELED;
	}
	if (n && t->interval) {
		t->due += n * t->interval;
		if (t->real_due) {
			t->real_due += n * t->interval;
			t->due = posix_deadline(t->clock, t->real_due, true);
		}
		ktimer_arm(&t->timer, t->due);
	} else if (n) {
		t->on = false;
	}
	spin_unlock(&t->lock);
	return (s64)n;
}

/* Somebody set the clock. */
static void moved(struct clock_watch *w)
{
	struct timerfd *t = container_of(w, struct timerfd, watch);
	bool wake = false;

	spin_lock(&t->lock);
	if (t->on && t->real_due) {
		t->due = posix_deadline(t->clock, t->real_due, true);
		(void)ktimer_try_cancel(&t->timer);
		ktimer_arm(&t->timer, t->due);
	}
	if (t->may_cancel)
		wake = t->cancelled = true;
	spin_unlock(&t->lock);
	if (wake)
		wake_up_all_key(&t->wq, POLLIN | POLLRDNORM);
}

static bool is_due(struct timerfd *t)
{
	bool due;

	spin_lock(&t->lock);
	due = t->cancelled || ticks(t) != 0;
	spin_unlock(&t->lock);
	return due;
}

static s64 timerfd_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct timerfd *t = f->priv;
	s64 n;

	if (iov_iter_count(to) < sizeof(n))
		return -EINVAL;
	while (!(n = take(t))) {
		int err;

		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&t->wq, is_due(t));
		if (err)
			return err;
	}
	if (n < 0)
		return n;
	return copy_to_iter(&n, sizeof(n), to) == sizeof(n) ? (s64)sizeof(n)
							    : -EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->priv;

	poll_wait(pt, f, &t->wq);
	return is_due(t) ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;

	if (t->watch.moved)
		clock_watch_del(&t->watch);
	(void)ktimer_cancel(&t->timer);
	kfree(t);
}

static void get_held(const struct timerfd *t, struct itimerval_ns *out)
{
	u64 now = clock_mono_ns();

	out->interval = t->interval;
	out->value = 0;
	if (!t->on)
		return;
	if (t->due > now)
		out->value = t->due - now;
	else if (t->interval)
		out->value = t->interval - (now - t->due) % t->interval;
}

static size_t timerfd_fdinfo(struct file *f, char *buf, size_t n)
{
	struct timerfd *t = f->priv;
	struct itimerval_ns left;
	u32 flags;
	u64 nr;

	spin_lock(&t->lock);
	get_held(t, &left);
	nr = ticks(t);
	flags = t->set_flags;
	spin_unlock(&t->lock);
	return (size_t)scnprintf(
		buf, n,
		"clockid: %d\nticks: %lu\nsettime flags: 0%o\n"
		"it_value: (%lu, %lu)\nit_interval: (%lu, %lu)\n",
		t->clock, nr, flags, left.value / NSEC_PER_SEC,
		left.value % NSEC_PER_SEC, left.interval / NSEC_PER_SEC,
		left.interval % NSEC_PER_SEC);
}

static const struct file_ops timerfd_fops = {
	.stands = true,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
	.fdinfo = timerfd_fdinfo,
	.anon_name = "anon_inode:[timerfd]",
};

static struct timerfd *timerfd_of(struct file *f)
{
	return f->ops == &timerfd_fops ? f->priv : NULL;
}

int timerfd_get(struct file *f, struct itimerval_ns *out)
{
	struct timerfd *t = timerfd_of(f);

	if (!t)
		return -EINVAL;
	spin_lock(&t->lock);
	get_held(t, out);
	spin_unlock(&t->lock);
	return 0;
}

int timerfd_set(struct file *f, u32 flags, const struct itimerval_ns *new,
		struct itimerval_ns *old)
{
	struct timerfd *t = timerfd_of(f);

	bool absolute = flags & TIMER_ABSTIME;
	bool real;

	if (!t)
		return -EINVAL;
	real = absolute && posix_clock_is_real(t->clock);
	spin_lock(&t->lock);
	get_held(t, old);
	t->may_cancel = real && (flags & TFD_TIMER_CANCEL_ON_SET);
	t->cancelled = false;
	t->set_flags = flags;
	t->real_due = real ? new->value : 0;
	(void)ktimer_try_cancel(&t->timer);
	t->interval = new->interval;
	t->on = new->value != 0;
	if (t->on) {
		t->due = posix_deadline(t->clock, new->value, absolute);
		ktimer_arm(&t->timer, t->due);
	}
	spin_unlock(&t->lock);
	return 0;
}

struct file *timerfd_create(int clock, bool nonblock)
{
	struct timerfd *t = kzalloc(sizeof(*t));
	struct file *f;

	if (!t)
		return ERR_PTR(-ENOMEM);
	spin_init(&t->lock, "timerfd", RANK_PIPE);
	ktimer_init(&t->timer, expired, t);
	waitq_init(&t->wq);
	t->clock = clock;
	f = file_alloc(&timerfd_fops, O_RDWR | (nonblock ? O_NONBLOCK : 0), t);
	if (!f) {
		kfree(t);
		return ERR_PTR(file_no_alloc());
	}
	if (posix_clock_is_real(clock)) {
		t->watch.moved = moved;
		clock_watch_add(&t->watch);
	}
	return f;
}
