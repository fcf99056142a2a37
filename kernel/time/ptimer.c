/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/ptimer.c - timers that a process makes with timer_create(2).
 *
 * A timer has at most one signal queued.  Expiries while it waits, and those that
 * came too fast to be looked at one by one, are its overrun.
 *
 * INVARIANTS
 *   I1  `due' is the first expiry that was not yet signalled nor counted.  It is CPU
 *       time if the clock shows that; the ktimer then looks at the clock.
 *   I2  A callback that finds its timer off, or armed again, does nothing.
 *   I3  A timer is freed after its callback has ended.
 *   I4  `sent': a signal was queued; `overrun' is that one's, also after it was taken,
 *       until somebody notes that.
 *
 * Locking: ptimer_lock for the trees and the timers.  It is the innermost: signals
 * are sent after it was released.
 */
#include <kernel/time/posix.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/user_use.h>
#include <kernel/time/cpuclock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define OVERRUN_MAX 0x7fffffffu

struct ptimer {
	struct rb_node node; /* [ptimer_lock] in process->posix_timers, by id */
	struct ktimer timer; /* [ptimer_lock] */
	struct process *proc;	  /* [I] */
	int id, clock;		  /* [I] */
	u32 uid;		  /* [I] on whose account: a queued signal */
	struct cpuclock cpu;	  /* proc NULL: a clock of time, else [I] */
	struct clock_watch watch; /* if the clock can be set */
	struct ptimer_event ev;	  /* [I] */
	bool on;		  /* [ptimer_lock] */
	u64 due, interval; /* [ptimer_lock] CLOCK_MONOTONIC or CPU time */
	u64 real_due;	   /* [ptimer_lock] ... as it was given; 0: relative */
	u32 overrun;	   /* [sighand->lock] since the last signal, I4 */
	u32 overrun_last;  /* [sighand->lock] of the one that was taken last */
	bool sent;	   /* [sighand->lock] */
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

/* Its signal is not queued, perhaps not any more.  sighand->lock held. */
static void note_taken(struct ptimer *pt)
{
	if (!pt->sent)
		return;
	pt->overrun_last = pt->overrun;
	pt->overrun = 0;
	pt->sent = false;
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
		note_taken(pt);
	pt->overrun = add_overrun(pt->overrun, q ? nr : nr - 1);
	if (q)
		q->info.timer.overrun = (s32)pt->overrun;
	memset(&si, 0, sizeof(si));
	si.signo = pt->ev.signo;
	si.code = SI_TIMER;
	si.timer.tid = pt->id;
	si.timer.overrun = (s32)pt->overrun;
	si.timer.value = pt->ev.value;
	pt->sent = true;
	spin_unlock(&p->sighand->lock);
	if (q)
		return;
	if (t)
		(void)signal_thread_locked(t, si.signo, &si);
	else
		(void)signal_process_locked(p, si.signo, &si);
	if (!signal_ignored(p, si.signo))
		return;
	/* one more that nobody was told of, unless it is blocked */
	spin_lock(&p->sighand->lock);
	pt->sent = queued_signal(pt) != NULL;
	if (!pt->sent)
		pt->overrun = add_overrun(pt->overrun, 1);
	spin_unlock(&p->sighand->lock);
}

/* The clock of @pt, from which `due' is told. */
static u64 clock_now(const struct ptimer *pt)
{
	u64 now = 0;

	if (!pt->cpu.proc)
		return clock_mono_ns();
	(void)cpuclock_read(&pt->cpu, &now);
	return now;
}

/* At @now the timer has expired that often. */
static u64 take_expiries(struct ptimer *pt, u64 now)
{
	u64 nr = 1;

	if (!pt->interval) {
		pt->on = false;
		return nr;
	}
	if (pt->real_due) { /* perhaps long ago, before the machine was there */
		now = clock_real_ns();
		if (now > pt->real_due)
			nr += (now - pt->real_due) / pt->interval;
		pt->real_due += nr * pt->interval;
		pt->due = posix_deadline(pt->clock, pt->real_due, true);
		return nr;
	}
	if (now > pt->due)
		nr += (now - pt->due) / pt->interval;
	pt->due += nr * pt->interval;
	return nr;
}

static void expired(struct ktimer *k)
{
	struct ptimer *pt = k->arg;
	u64 now = clock_now(pt), nr = 0, again = 0;

	if (pt->cpu.proc) /* asks threads in: not under ptimer_lock */
		again = cpuclock_next_look(&pt->cpu, now, load_once(&pt->due));
	spin_lock(&ptimer_lock);
	if (pt->on && !ktimer_armed(k)) {
		if (!pt->cpu.proc || now >= pt->due)
			nr = take_expiries(pt, now);
		if (!pt->cpu.proc)
			again = max(pt->due, now + PTIMER_MIN_GAP_NS);
		if (pt->on)
			ktimer_arm(k, again);
	}
	spin_unlock(&ptimer_lock);
	if (!nr || pt->ev.notify == SIGEV_NONE)
		return;
	spin_lock(&task_lock);
	signal_locked(pt, nr);
	spin_unlock(&task_lock);
}

/* Somebody set the clock. */
static void moved(struct clock_watch *w)
{
	struct ptimer *pt = container_of(w, struct ptimer, watch);

	spin_lock(&ptimer_lock);
	if (pt->on && pt->real_due) {
		pt->due = posix_deadline(pt->clock, pt->real_due, true);
		(void)ktimer_try_cancel(&pt->timer);
		ktimer_arm(&pt->timer, pt->due);
	}
	spin_unlock(&ptimer_lock);
}

/* Where timer @id of @p is, or would hang below *@parent. */
static struct rb_node **place(struct process *p, int id,
			      struct rb_node **parent)
{
	struct rb_node **link = &p->posix_timers.node;

	assert_held(&ptimer_lock);
	*parent = NULL;
	while (*link) {
		const struct ptimer *at = rb_entry(*link, struct ptimer, node);

		if (at->id == id)
			break;
		*parent = *link;
		link = id < at->id ? &(*parent)->left : &(*parent)->right;
	}
	return link;
}

static struct ptimer *find(struct process *p, int id)
{
	struct rb_node *parent;

	return rb_entry_or_null(*place(p, id, &parent), struct ptimer, node);
}

static void insert(struct process *p, struct ptimer *pt)
{
	struct rb_node *parent, **link = place(p, pt->id, &parent);

	rb_link_node(&pt->node, parent, link);
	rb_insert_color(&pt->node, &p->posix_timers);
}

/* A number that no timer of @p has. */
static int new_id(struct process *p)
{
	do {
		p->next_timer_id = (p->next_timer_id + 1) & 0x7fffffff;
	} while (find(p, p->next_timer_id));
	return p->next_timer_id;
}

/* Unlinked: nobody finds it any more. */
static void destroy(struct ptimer *pt)
{
	if (pt->watch.moved)
		clock_watch_del(&pt->watch);
	(void)ktimer_cancel(&pt->timer); /* I3 */
	if (pt->cpu.proc)
		cpuclock_put(&pt->cpu);
	user_uncharge(pt->uid, USER_SIGNALS, 1);
	kfree(pt);
}

static struct ptimer *ptimer_alloc(int clock)
{
	struct ptimer *pt;
	int err = 0;

	if (!cpuclock_is(clock))
		err = posix_clock_can_wait(clock);
	if (err)
		return ERR_PTR(err);
	pt = kzalloc(sizeof(*pt));
	if (!pt)
		return ERR_PTR(-EAGAIN);
	if (cpuclock_is(clock))
		err = cpuclock_get(clock, &pt->cpu);
	if (err) {
		kfree(pt);
		return ERR_PTR(err);
	}
	pt->uid = current->cred->uid;
	if (!user_charge(pt->uid, USER_SIGNALS, 1,
			 rlimit_cur(RLIMIT_SIGPENDING))) {
		if (pt->cpu.proc)
			cpuclock_put(&pt->cpu);
		kfree(pt);
		return ERR_PTR(-EAGAIN);
	}
	pt->proc = current->proc;
	pt->clock = clock;
	ktimer_init(&pt->timer, expired, pt);
	if (posix_clock_is_real(clock)) {
		pt->watch.moved = moved;
		clock_watch_add(&pt->watch);
	}
	return pt;
}

int ptimer_create(int clock, const struct ptimer_event *ev)
{
	struct process *p = current->proc;
	struct ptimer *pt = ptimer_alloc(clock);
	int id;

	if (IS_ERR(pt))
		return (int)PTR_ERR(pt);
	pt->ev = *ev;
	spin_lock(&ptimer_lock);
	id = new_id(p);
	pt->id = id;
	if (ev->value_is_id)
		pt->ev.value = (u32)id;
	insert(p, pt);
	spin_unlock(&ptimer_lock);
	return id;
}

/* @now: what its clock shows. */
static void get_held(const struct ptimer *pt, u64 now, struct itimerval_ns *out)
{
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

/*
 * What the clock of timer @id shows: CPU time cannot be read with ptimer_lock held.
 * Only this process deletes its timers; a thread that does so meanwhile is found out
 * by the caller's find().
 */
static int read_clock_of(int id, u64 *now)
{
	struct cpuclock c = { .proc = NULL };
	struct ptimer *pt;

	*now = clock_mono_ns();
	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt && pt->cpu.proc) {
		c = pt->cpu;
		process_get(c.proc);
	}
	spin_unlock(&ptimer_lock);
	if (c.proc) {
		*now = 0;
		(void)cpuclock_read(&c, now);
		cpuclock_put(&c);
	}
	return pt ? 0 : -EINVAL;
}

int ptimer_get(int id, struct itimerval_ns *out)
{
	struct ptimer *pt;
	u64 now;

	if (read_clock_of(id, &now))
		return -EINVAL;
	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt)
		get_held(pt, now, out);
	spin_unlock(&ptimer_lock);
	return pt ? 0 : -EINVAL;
}

/* @now: what its clock shows. */
static void set_held(struct ptimer *pt, bool absolute, u64 now,
		     const struct itimerval_ns *new)
{
	u64 look;

	(void)ktimer_try_cancel(&pt->timer);
	pt->interval = new->value ? new->interval : 0;
	pt->on = new->value != 0;
	pt->real_due = 0;
	if (!pt->on)
		return;
	if (pt->cpu.proc) {
		pt->due = absolute ? new->value : now + new->value;
		look = clock_mono_ns() + PTIMER_MIN_GAP_NS;
	} else {
		pt->due = posix_deadline(pt->clock, new->value, absolute);
		look = pt->due;
		if (absolute && posix_clock_is_real(pt->clock))
			pt->real_due = new->value;
	}
	ktimer_arm(&pt->timer, look);
}

int ptimer_set(int id, bool absolute, const struct itimerval_ns *new,
	       struct itimerval_ns *old)
{
	struct ptimer *pt;
	u64 now;

	if (read_clock_of(id, &now))
		return -EINVAL;
	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt) {
		get_held(pt, now, old);
		set_held(pt, absolute, now, new);
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
	if (pt) {
		if (!queued_signal(pt))
			note_taken(pt);
		r = (int)pt->overrun_last;
	}
	spin_unlock(&ptimer_lock);
	spin_unlock(&p->sighand->lock);
	spin_unlock(&task_lock);
	return r;
}

int ptimer_delete(int id)
{
	struct ptimer *pt;

	spin_lock(&ptimer_lock);
	pt = find(current->proc, id);
	if (pt) {
		pt->on = false;
		rb_erase(&pt->node, &current->proc->posix_timers);
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
		pt = rb_entry_or_null(rb_first(&p->posix_timers), struct ptimer,
				      node);
		if (pt) {
			pt->on = false;
			rb_erase(&pt->node, &p->posix_timers);
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
	rtlimit_exit(p);
}
