/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/ptimer.c - timers that a process makes with timer_create(2).
 *
 * A timer has at most one signal queued.  Expiries while it waits, and those that
 * came too fast to be looked at one by one, are its overrun.
 *
 * INVARIANTS
 *   I1  `due' is the first expiry that was not yet signalled nor counted.
 *   I2  A callback that finds its timer off, or armed again, does nothing.
 *   I3  A timer is freed after its callback has ended.
 *
 * Locking: ptimer_lock for the lists and the timers.  It is the innermost: signals
 * are sent after it was released.
 */
#include <kernel/time/posix.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/sigqueue.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>
#include <lib/string.h>

#define OVERRUN_MAX 0x7fffffffu

struct ptimer {
	struct list_head node;	/* [ptimer_lock] in process->posix_timers */
	struct ktimer timer;	/* [ptimer_lock] */
	struct process *proc;	/* [I] */
	int id, clock;		/* [I] */
	struct ptimer_event ev; /* [I] */
	bool on;		/* [ptimer_lock] */
	u64 due, interval;	/* [ptimer_lock] */
	u32 overrun;		/* [sighand->lock] of the last signal */
	u32 overrun_last;	/* [sighand->lock] of the one before */
};

static u32 add_overrun(u32 a, u64 b)
{
	return (u32)min_t(u64, (u64)a + b, OVERRUN_MAX);
}

/* The timer's signal, if it still is in @queue.  sighand->lock held. */
static struct sigqueue *find_queued(const struct ptimer *pt,
				    struct list_head *queue)
{
	struct sigqueue *q;

	list_for_each_entry(q, queue, node) {
		if (q->info.code == SI_TIMER && q->info.signo == pt->ev.signo &&
		    q->info.timer.tid == pt->id)
			return q;
	}
	return NULL;
}

/* Whom the signal is for: NULL: the process; ERR_PTR: they are gone.  task_lock
 * held. */
static struct thread *target_locked(const struct ptimer *pt)
{
	struct thread *t;

	if (pt->ev.notify != SIGEV_THREAD_ID)
		return NULL;
	t = thread_find(pt->ev.tid);
	return t && t->proc == pt->proc ? t : ERR_PTR(-ESRCH);
}

/* task_lock and sighand->lock held. */
static struct sigqueue *queued_signal(struct ptimer *pt)
{
	struct thread *t = target_locked(pt);

	if (IS_ERR(t))
		return NULL;
	return find_queued(pt, t ? &t->sig_queue : &pt->proc->sig_queue);
}

/* @nr expiries; task_lock held. */
static void signal_locked(struct ptimer *pt, u64 nr)
{
	struct process *p = pt->proc;
	struct thread *t = target_locked(pt);
	struct sigqueue *q;
	struct siginfo si;

	if (IS_ERR(t))
		return;
	spin_lock(&p->sighand->lock);
	q = queued_signal(pt);
	if (!q)
		pt->overrun_last = pt->overrun;
	pt->overrun = q ? add_overrun(pt->overrun, nr) : add_overrun(0, nr - 1);
	if (q)
		q->info.timer.overrun = (s32)pt->overrun;
	memset(&si, 0, sizeof(si));
	si.signo = pt->ev.signo;
	si.code = SI_TIMER;
	si.timer.tid = pt->id;
	si.timer.overrun = (s32)pt->overrun;
	si.timer.value = pt->ev.value;
	spin_unlock(&p->sighand->lock);
	if (q)
		return;
	if (t)
		(void)signal_thread_locked(t, si.signo, &si);
	else
		(void)signal_process_locked(p, si.signo, &si);
}

static void expired(struct ktimer *k)
{
	struct ptimer *pt = k->arg;
	u64 now = clock_mono_ns(), nr = 0;

	spin_lock(&ptimer_lock);
	if (pt->on && !ktimer_armed(k)) {
		nr = 1;
		if (pt->interval && now > pt->due)
			nr += (now - pt->due) / pt->interval;
		if (pt->interval) {
			pt->due += nr * pt->interval;
			ktimer_arm(k, max(pt->due, now + PTIMER_MIN_GAP_NS));
		} else {
			pt->on = false;
		}
	}
	spin_unlock(&ptimer_lock);
	if (!nr || pt->ev.notify == SIGEV_NONE)
		return;
	spin_lock(&task_lock);
	signal_locked(pt, nr);
	spin_unlock(&task_lock);
}

static struct ptimer *find(struct process *p, int id)
{
	struct ptimer *pt;

	assert_held(&ptimer_lock);
	list_for_each_entry(pt, &p->posix_timers, node) {
		if (pt->id == id)
			return pt;
	}
	return NULL;
}

/* A number that no timer of @p has, or -EAGAIN: too many. */
static int new_id(struct process *p)
{
	u64 nr = 0;
	struct ptimer *pt;

	list_for_each_entry(pt, &p->posix_timers, node)
		nr++;
	if (nr >= rlimit_cur(RLIMIT_SIGPENDING))
		return -EAGAIN;
	do {
		p->next_timer_id = (p->next_timer_id + 1) & 0x7fffffff;
	} while (find(p, p->next_timer_id));
	return p->next_timer_id;
}

int ptimer_create(int clock, const struct ptimer_event *ev)
{
	struct process *p = current->proc;
	struct ptimer *pt;
	int id;

	if (posix_clock_can_wait(clock))
		return posix_clock_can_wait(clock);
	pt = kzalloc(sizeof(*pt));
	if (!pt)
		return -EAGAIN;
	pt->proc = p;
	pt->clock = clock;
	pt->ev = *ev;
	ktimer_init(&pt->timer, expired, pt);
	spin_lock(&ptimer_lock);
	id = new_id(p);
	if (id >= 0) {
		pt->id = id;
		if (ev->value_is_id)
			pt->ev.value = (u32)id;
		list_add_tail(&pt->node, &p->posix_timers);
	}
	spin_unlock(&ptimer_lock);
	if (id < 0)
		kfree(pt);
	return id;
}

static void get_held(const struct ptimer *pt, struct itimerval_ns *out)
{
	u64 now = clock_mono_ns();

	out->interval = pt->interval;
	out->value = 0;
	if (!pt->on)
		return;
	if (pt->due > now)
		out->value = pt->due - now;
	else if (pt->interval)
		out->value = pt->interval - (now - pt->due) % pt->interval;
	else
		out->value = 1;
}

int ptimer_get(int id, struct itimerval_ns *out)
{
	struct ptimer *pt;

	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt)
		get_held(pt, out);
	spin_unlock(&ptimer_lock);
	return pt ? 0 : -EINVAL;
}

int ptimer_set(int id, bool absolute, const struct itimerval_ns *new,
	       struct itimerval_ns *old)
{
	struct ptimer *pt;

	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt) {
		get_held(pt, old);
		(void)ktimer_try_cancel(&pt->timer);
		pt->interval = new->interval;
		pt->on = new->value != 0;
		if (pt->on) {
			pt->due =
				posix_deadline(pt->clock, new->value, absolute);
			ktimer_arm(&pt->timer, pt->due);
		}
	}
	spin_unlock(&ptimer_lock);
	return pt ? 0 : -EINVAL;
}

/* Of the last signal that was taken. */
int ptimer_overrun(int id)
{
	struct process *p = current->proc;
	struct ptimer *pt;
	int r = -EINVAL;

	spin_lock(&task_lock);
	spin_lock(&p->sighand->lock);
	spin_lock(&ptimer_lock);
	pt = find(p, id);
	if (pt)
		r = (int)(queued_signal(pt) ? pt->overrun_last : pt->overrun);
	spin_unlock(&ptimer_lock);
	spin_unlock(&p->sighand->lock);
	spin_unlock(&task_lock);
	return r;
}

/* Unlinked: nobody finds it any more. */
static void destroy(struct ptimer *pt)
{
	(void)ktimer_cancel(&pt->timer); /* I3 */
	kfree(pt);
}

int ptimer_delete(int id)
{
	struct ptimer *pt;

	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt) {
		pt->on = false;
		list_del(&pt->node);
	}
	spin_unlock(&ptimer_lock);
	if (!pt)
		return -EINVAL;
	destroy(pt);
	return 0;
}

void process_timers_exec(struct process *p)
{
	struct ptimer *pt;

	for (;;) {
		spin_lock(&ptimer_lock);
		pt = list_first_entry_or_null(&p->posix_timers, struct ptimer,
					      node);
		if (pt) {
			pt->on = false;
			list_del(&pt->node);
		}
		spin_unlock(&ptimer_lock);
		if (!pt)
			return;
		destroy(pt);
	}
}

void process_timers_exit(struct process *p)
{
	process_timers_exec(p);
	itimers_exit(p);
	cpulimit_exit(p);
}
