/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/timer.c - a red-black tree of deadlines per hart; see timer.h.
 *
 * INVARIANTS
 *   T1  t->hart is the hart on whose tree t is, NULL when on none; changed under
 *       that hart's timer_lock.
 *   T2  The comparator of a hart holds a time <= its earliest deadline, except
 *       between arm's insertion and its programming (same hart: nothing runs).
 *
 * ORDERING
 *   TIMEREND  timer_running is set before t->hart becomes NULL (release); who sees
 *             NULL (acquire) then sees whether the callback still runs.
 */
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>

static const struct timer_ops *timer_ops;

void timer_ops_set(const struct timer_ops *ops)
{
	KASSERT(ops->set && ops->name);
	timer_ops = ops;
}

void timer_hart_init(struct hart *h)
{
	spin_init(&h->timer_lock, "timer", RANK_TIMER);
	h->timers = (struct rb_root){ 0 };
	h->timer_next = ~0ULL;
	h->timer_set = ~0ULL;
}

static void program(struct hart *h, u64 ns)
{
	h->timer_set = ns;
	timer_ops->set(ns == ~0ULL ? ~0ULL : clock_ns_to_ticks(ns));
}

static struct ktimer *first(struct hart *h)
{
	struct rb_node *n = rb_first(&h->timers);

	return n ? rb_entry(n, struct ktimer, node) : NULL;
}

static void insert(struct hart *h, struct ktimer *t)
{
	struct rb_node **p = &h->timers.node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = t->deadline_ns < rb_entry(parent, struct ktimer, node)
					     ->deadline_ns
			    ? &parent->left
			    : &parent->right;
	}
	rb_link_node(&t->node, parent, p);
	rb_insert_color(&t->node, &h->timers);
}

static void refresh_next(struct hart *h)
{
	struct ktimer *t = first(h);

	h->timer_next = t ? t->deadline_ns : ~0ULL;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *), void *arg)
{
	*t = (struct ktimer){ .fn = fn, .arg = arg };
}

bool ktimer_try_cancel(struct ktimer *t)
{
	/* TIMEREND (acquire) - pairs with timer_run_expired(). */
	struct hart *h = load_acquire(&t->hart);
	bool was;

	if (!h)
		return false;
	spin_lock(&h->timer_lock);
	was = t->hart == h;
	if (was) {
		rb_erase(&t->node, &h->timers);
		store_once(&t->hart, NULL);
		refresh_next(h);
	}
	spin_unlock(&h->timer_lock);
	return was;
}

/* Perhaps running on another hart: wait for its end. */
static void wait_callback(const struct ktimer *t)
{
	for (u32 i = 0; i < nr_harts; i++) {
		struct hart *o = harts[i];

		while (o != this_hart() && load_once(&o->timer_running) == t)
			cpu_relax();
	}
}

bool ktimer_cancel(struct ktimer *t)
{
	for (;;) {
		if (ktimer_try_cancel(t))
			return true;
		/* TIMEREND (acquire) - pairs with timer_run_expired(). */
		if (!load_acquire(&t->hart)) {
			wait_callback(t);
			return false;
		}
	}
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns)
{
	struct hart *h = this_hart();

	KASSERT(t->fn);
	while (t->hart)
		(void)ktimer_try_cancel(t);
	spin_lock(&h->timer_lock);
	t->deadline_ns = deadline_ns;
	store_once(&t->hart, h);
	insert(h, t);
	refresh_next(h);
	if (h->timer_next < h->timer_set)
		program(h, h->timer_next);
	spin_unlock(&h->timer_lock);
}

void timer_run_expired(void)
{
	struct hart *h = this_hart();
	struct ktimer *t;

	spin_lock(&h->timer_lock);
	while ((t = first(h)) && t->deadline_ns <= clock_mono_ns()) {
		rb_erase(&t->node, &h->timers);
		store_once(&h->timer_running, t);
		/* TIMEREND (release) - pairs with ktimer_cancel(). */
		store_release(&t->hart, NULL);
		refresh_next(h);
		spin_unlock(&h->timer_lock);
		t->fn(t);
		spin_lock(&h->timer_lock);
		/* t may be gone: only its address was compared. */
		store_once(&h->timer_running, NULL);
	}
	program(h, h->timer_next);
	spin_unlock(&h->timer_lock);
}

void timer_prepare_sleep(struct hart *h)
{
	/* relaxed: another hart's cancel only ever moves timer_next later */
	if (h->timer_set == load_once(&h->timer_next))
		return;
	spin_lock(&h->timer_lock);
	program(h, h->timer_next);
	spin_unlock(&h->timer_lock);
}

void timer_steal(struct hart *h, u64 ns)
{
	program(h, ns);
}

void timer_reprogram(struct hart *h)
{
	spin_lock(&h->timer_lock);
	program(h, h->timer_next);
	spin_unlock(&h->timer_lock);
}
