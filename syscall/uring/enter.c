/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/enter.c - io_uring_enter(2): submit, and wait for events.
 */
#include <syscall/timeout.h>
#include <syscall/uring/uring.h>

#include <kernel/mm/user.h>
#include <kernel/time/clock.h>

struct waiting {
	u64 sigmask, sigmask_size;
	u64 deadline;
	u64 enough_at; /* till then whatever deadline is, then one will do; or 0 */
};

static int read_ext_arg(u32 flags, uaddr_t arg, u64 size, struct waiting *w)
{
	struct uring_getevents_arg a;
	s64 ts[2];
	u64 ns;

	if (size != sizeof(a))
		return -EINVAL;
	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	w->sigmask = a.sigmask;
	w->sigmask_size = a.sigmask_sz;
	if (a.min_wait_usec)
		w->enough_at = deadline_after(a.min_wait_usec * 1000ull);
	if (!a.ts)
		return 0;
	if (copy_from_user(ts, a.ts, sizeof(ts)))
		return -EFAULT;
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= 1000000000)
		return -EINVAL;
	ns = ts[0] >= INT64_MAX / 1000000000 - 1
		     ? INT64_MAX
		     : (u64)ts[0] * 1000000000u + (u64)ts[1];
	w->deadline = flags & ENTER_ABS_TIMER ? ns : deadline_after(ns);
	return 0;
}

static int read_arg(u32 flags, uaddr_t arg, u64 size, struct waiting *w)
{
	*w = (struct waiting){ .deadline = WAIT_FOREVER };
	if (flags & ENTER_EXT_ARG)
		return read_ext_arg(flags, arg, size, w);
	w->sigmask = arg;
	w->sigmask_size = size;
	return 0;
}

static bool enough(struct uring *r, u32 target, u32 timeouts)
{
	return load_once(&r->cq_timeouts) != timeouts ||
	       (s32)(load_once(&r->cq_tail) - target) >= 0 ||
	       !list_empty(&r->overflow);
}

/* Tell the posters which tail somebody waits for: the nearest. */
static void begin_wait(struct uring *r, u32 target)
{
	spin_lock(&r->lock);
	if (!r->nr_waiting++ || (s32)(target - r->wake_at) < 0)
		store_once(&r->wake_at, target);
	spin_unlock(&r->lock);
}

static void end_wait(struct uring *r)
{
	spin_lock(&r->lock);
	/* those who are left may wait for less than we did: wake_at stays */
	store_once(&r->nr_waiting, r->nr_waiting - 1);
	spin_unlock(&r->lock);
}

static int wait_until(struct uring *r, u32 target, u32 timeouts, u64 deadline)
{
	int err;

	begin_wait(r, target);
	err = wait_event_interruptible_timeout(
		&r->wq, enough(r, target, timeouts), deadline);
	end_wait(r);
	return err;
}

/* For @target events till w->enough_at, then for any. */
static int wait_twice(struct uring *r, u32 target, u32 timeouts,
		      const struct waiting *w)
{
	u32 one = load_once(&r->sh->cq_head) + 1;
	int err;

	if (!w->enough_at)
		return wait_until(r, target, timeouts, w->deadline);
	err = wait_until(r, target, timeouts, w->enough_at);
	if (err == -ETIMEDOUT)
		err = wait_until(r, one, timeouts, w->deadline);
	return err;
}

static s64 wait_events(struct uring *r, u32 min_complete,
		       const struct waiting *w)
{
	u32 target = load_once(&r->sh->cq_head) + min_complete;
	struct uring_pool *p;
	u32 timeouts;
	int err;

	p = uring_pool_of(current->proc);
	if (p)
		uring_help(p);
	uring_flush_overflow(r);
	if (min_complete > r->cq_entries)
		target = load_once(&r->sh->cq_head) + r->cq_entries;
	timeouts = load_once(&r->cq_timeouts);
	if (enough(r, target, timeouts))
		return 0;
	err = sigmask_enter(w->sigmask, (size_t)w->sigmask_size);
	if (err)
		return err;
	err = wait_twice(r, target, timeouts, w);
	uring_flush_overflow(r);
	err = err == -ETIMEDOUT ? -ETIME : err == -ERESTARTSYS ? -EINTR : 0;
	if (err && uring_ready(r))
		err = 0; /* not as many as wanted */
	sigmask_leave(err);
	return err;
}

/* The poller does it. */
static s64 leave_to_poller(struct uring *r, u32 to_submit, u32 flags)
{
	if (load_once(&r->sq_gone))
		return -EOWNERDEAD;
	if (flags & ENTER_SQ_WAKEUP) {
		store_once(&r->sq_kick, true);
		wake_up_all(&r->sq_wq);
	}
	if ((flags & ENTER_SQ_WAIT) &&
	    wait_event_interruptible(&r->sq_wq,
				     uring_sq_pending(r) < r->sq_entries ||
					     load_once(&r->sq_gone)))
		return -EINTR;
	return to_submit;
}

static s64 submit_self(struct uring *r, u32 to_submit)
{
	if (!to_submit)
		return 0;
	return uring_submit(r, to_submit);
}

static s64 enter(struct uring *r, u32 to_submit, u32 min_complete, u32 flags,
		 const struct waiting *w)
{
	s64 n, err = 0;

	if (load_once(&r->disabled))
		return -EBADFD;
	if ((r->flags & SETUP_SINGLE_ISSUER) && !(r->flags & SETUP_SQPOLL) &&
	    (to_submit || (r->flags & SETUP_DEFER_TASKRUN)) &&
	    r->submitter != uring_thread_id())
		return -EEXIST;
	n = r->flags & SETUP_SQPOLL ? leave_to_poller(r, to_submit, flags)
				    : submit_self(r, to_submit);
	if (n < 0)
		return n;
	if ((flags & ENTER_GETEVENTS) && (u32)n == to_submit)
		err = wait_events(r, min_complete, w);
	return n ? n : err;
}

/* The ring's file, referenced: by a descriptor, or by a registered one. */
struct file *uring_file(u32 fd, bool registered)
{
	struct uring_pool *p;
	struct file *f = NULL;

	if (!registered)
		return fd_get((int)fd);
	p = uring_pool_of(current->proc);
	if (!p || fd >= URING_RING_FDS)
		return NULL;
	mutex_lock(&p->fds_lock);
	if (p->fd[fd])
		f = file_get(p->fd[fd]);
	mutex_unlock(&p->fds_lock);
	return f;
}

SYSCALL6(426, io_uring_enter, u32, fd, u32, to_submit, u32, min_complete, u32,
	 flags, uaddr_t, arg, u64, size)
{
	struct waiting w = { .deadline = WAIT_FOREVER };
	struct uring_pool *p;
	struct file *f;
	s64 n;

	if (flags & ~ENTER_KNOWN)
		return -EINVAL;
	f = uring_file(fd, flags & ENTER_REGISTERED_RING);
	if (!f)
		return flags & ENTER_REGISTERED_RING ? -EINVAL : -EBADF;
	n = -EOPNOTSUPP;
	if (uring_of(f)) {
		n = flags & ENTER_GETEVENTS ? read_arg(flags, arg, size, &w)
					    : 0;
		if (!n)
			n = enter(uring_of(f), to_submit, min_complete, flags,
				  &w);
	}
	p = uring_pool_of(current->proc);
	if (p) {
		uring_help(p);
		uring_reap(p);
	}
	file_put(f);
	return n;
}
