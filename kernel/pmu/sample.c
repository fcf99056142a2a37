/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/sample.c - when samples are taken; see sample.h.
 *
 * INVARIANTS
 *   S1  Interrupts are on (sstatus.SIE) in a coroutine only between
 *       sample_call_begin() and sample_call_end(), and then `sie` has the timer's
 *       alone, or that of counters, or both.  It ends too when counting does on this hart (switch_on()): then
 *       the end of the coroutine does not tell us.
 *   S2  perf_kernel_interrupt() takes no lock, calls nobody who does, and leaves
 *       timer.c's queue alone: it sets the comparator itself and remembers that
 *       (stolen); sample_call_end() has timer.c set it anew.
 */
#include <kernel/pmu/sample.h>

#include <arch/riscv/csr.h>
#include <kernel/file/file.h>
#include <kernel/init.h>
#include <kernel/pmu/filter.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/overflow.h>
#include <kernel/pmu/record.h>
#include <kernel/pmu/ring.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>

static u64 tick_ns; /* [a] the shortest interval that anybody wants; 0: none */

bool pmu_irq_save(void)
{
	u64 was;

	__asm__ volatile("csrrci %0, sstatus, 2" : "=r"(was) : : "memory");
	return was & SSTATUS_SIE;
}

void pmu_irq_restore(bool on)
{
	/* unless sampling has ended meanwhile */
	if (on && pmu_of(this_hart())->sampling)
		csr_set(sstatus, SSTATUS_SIE);
}

/* --- readers */

void perf_wake_event(struct perf_event *e)
{
	struct perf_event *top = e->parent ? e->parent : e;

	store_once(&top->poll_events, POLLIN);
	wake_up_all(&top->wq);
}

void perf_hangup(struct perf_event *e)
{
	wake_up_all(&e->wq);
}

static void wake_set(struct perf_set *s)
{
	for (u32 i = 0; s && i < s->nr; i++) {
		struct perf_event *e = s->ev[i];

		struct perf_rb *rb;
		u32 sig;

		e = e->parent ? e->parent : e;
		rb = load_once(&e->rb);
		sig = atomic_xchg(&e->signal, 0);
		if (sig)
			perf_signal(e, sig);
		if (sig || (rb && perf_rb_readable(rb)))
			perf_wake_event(e);
	}
}

void perf_wake_readers(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);

	store_once(&p->wake, false);
	if (p->ctx)
		wake_set(load_once(&p->ctx->set));
	if (p->wide)
		wake_set(load_once(&p->wide->set));
}

/* --- the tick */

static bool samples_here(const struct pmu_hart *p, const struct pmu_ctx *c)
{
	return (c && load_once(&c->set)) ||
	       (p->wide && load_once(&p->wide->set));
}

/*
 * Ticks keep their phase whatever the hart does meanwhile, and those that nobody was
 * there for are dropped: so what runs is hit in proportion to how long it runs.
 */
static u64 next_tick(struct pmu_hart *p, u64 now, u64 ns)
{
	if (p->tick_at <= now)
		p->tick_at += ((now - p->tick_at) / ns + 1) * ns;
	return p->tick_at;
}

void sample_arm(struct hart *h, const struct pmu_ctx *c)
{
	struct pmu_hart *p = pmu_of(h);
	bool armed = ktimer_armed(&p->tick);
	u64 ns, now;

	if (likely(!samples_here(p, c)))
		return;
	if (load_once(&overflow_slots))
		overflow_arm(h, c);
	ns = load_once(&tick_ns);
	if (!ns)
		return;
	now = clock_mono_ns();
	if (armed && p->tick_at > now && p->tick_at - now <= ns)
		return;
	if (p->tick_at > now + ns)
		p->tick_at = now;
	ktimer_arm(&p->tick, next_tick(p, now, ns));
	if (armed) /* it may be pending already */
		timer_reprogram(h);
}

/* Counts since the last sample, if it is time for one; 0: it is not. */
static u64 due(struct perf_event *e, u64 now)
{
	u64 count, period = load_once(&e->period), n;

	if (e->kind == KIND_SW || e->kind == KIND_TRACE || e->kind == KIND_NONE)
		return 0;
	count = perf_now(e).count;
	if (e->overflow)
		return overflow_due(e, count, now);
	n = count - e->last;
	if (e->kind == KIND_CLOCK)
		n = clock_cycles_to_ns(n);
	if (!n)
		return 0;
	if (period) {
		if (n < period)
			return 0;
	} else {
		/* Half a tick early is better than one late. */
		if (now + load_once(&tick_ns) / 2 < e->next_ns)
			return 0;
		e->next_ns = now + load_once(&e->interval);
	}
	e->last = count;
	return n;
}

/* REFRESH: is one of those left that were asked for?  From the last one on the event
 * counts no more: perf_value_own() takes what was then. */
static bool is_left(struct perf_event *e, u32 *how)
{
	s64 limit = load_once(&e->limit);

	if (likely(!limit))
		return true;
	if (limit < 0)
		return false;
	if (limit > 1) {
		store_once(&e->limit, limit - 1);
		return true;
	}
	store_once(&e->spent_at, perf_now(e).count);
	/* SPENT (release) - pairs with perf_raw_own() of event.c. */
	store_release(&e->limit, -1);
	*how = PERF_POLL_HUP;
	return true;
}

static void sample_event(struct perf_event *e, const struct sample *s)
{
	struct perf_event *top = e->parent ? e->parent : e;
	u32 how = PERF_POLL_IN;
	bool wake;

	if (!is_left(e, &how))
		return;
	wake = perf_write_sample(e, s);
	if (unlikely(load_once(&top->async))) {
		store_once(&top->signal, how);
		wake = true;
	}
	if (!wake)
		return;
	/* An event of a thread is ours, one of a hart that hart's. */
	store_once(&pmu_of(this_hart())->wake, true);
	if (s->on != this_hart())
		store_once(&pmu_of(s->on)->wake, true);
}

/*
 * Linux stops an event that samples too often until the next tick.  Here no samples come
 * closer than they may, and each stands for as many periods as went by: the records
 * say when that begins and ends.
 */
static void tell_throttle(struct perf_event *e, const struct sample *s)
{
	u64 period = load_once(&e->period);
	bool held = e->kind == KIND_SLOT && period && s->period / period > 1;
	struct {
		struct perf_header h;
		u64 time, id, stream, more[8];
	} r;

	if (likely(held == e->throttled) ||
	    !load_once(
		    &(e->parent ? e->parent : e)->rb)) /* nowhere to say it */
		return;
	e->throttled = held;
	r.h.type = held ? PERF_RECORD_THROTTLE : PERF_RECORD_UNTHROTTLE;
	r.h.misc = 0;
	r.time = s->now;
	r.id = e->parent ? e->parent->id : e->id;
	r.stream = e->id;
	r.h.size = (u16)(offsetof(typeof(r), more) +
			 perf_sample_id(e, s->t, s->on, r.more));
	(void)perf_rb_write(e, &r, r.h.size, s->nmi);
}

static bool fits(const struct perf_event *e, const struct hart *h, u32 side)
{
	return load_once(&e->on) && (e->cpu < 0 || (u32)e->cpu == h->cpu) &&
	       (e->sides & BIT(side));
}

static void look_at(struct perf_set *set, struct hart *h, struct sample *s)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		struct perf_event *e = set->ev[i];

		if (!fits(e, h, s->user ? SIDE_USER : s->side))
			continue;
		s->period = due(e, s->now);
		if (!s->period)
			continue;
		tell_throttle(e, s);
		sample_event(e, s);
	}
}

static void take_samples(struct hart *h, struct thread *t, bool user,
			 const struct trapframe *tf, bool nmi)
{
	struct pmu_hart *p = pmu_of(h);
	struct sample s = {
		.t = t,
		.on = h,
		.tf = tf,
		.user = user,
		.side = t->home == h ? SIDE_OWN : SIDE_SERVICE,
		.nmi = nmi,
		.now = clock_mono_ns(),
		.ip = tf->pc,
	};

	pmu_split(h);
	/* PMUSET (dependency) - pairs with perf_update_set(). */
	if (t->pmu)
		look_at(load_once(&t->pmu->set), h, &s);
	if (p->wide)
		look_at(load_once(&p->wide->set), h, &s);
}

/* In the loop: straight from user code, or too late for a call that has ended. */
static void sample_user(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);

	if (!p->user_trap || !h->user || !h->pmu_on)
		return;
	take_samples(h, h->user, true, &h->user->tf, false);
	/* A signal to who is interrupted: before it goes on. */
	if (load_once(&p->wake))
		perf_wake_readers(h);
	/* armed again by who comes next */
}

static void tick(struct ktimer *k)
{
	sample_user(k->arg);
}

void pmu_overflow(struct hart *h)
{
	csr_clear(sip, SIP_LCOFIP);
	pmu_of(h)->overflows++;
	sample_user(h);
}

void sample_call_begin(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	u64 wanted = (load_once(&tick_ns) ? SIP_STIP : 0) |
		     (load_once(&overflow_slots) ? SIP_LCOFIP : 0);

	if (likely(!samples_here(p, t->pmu)) || !wanted)
		return;
	sample_arm(h, t->pmu);
	p->sampling = true;
	csr_write(sie, wanted);
	csr_set(sstatus, SSTATUS_SIE);
}

void sample_call_end(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);

	if (likely(!p->sampling))
		return;
	csr_clear(sstatus, SSTATUS_SIE);
	csr_write(sie, h->sie);
	p->sampling = false;
	if (p->stolen) {
		p->stolen = false;
		timer_reprogram(h);
	}
}

bool perf_kernel_interrupt(struct trapframe *tf)
{
	struct hart *h = this_hart();
	struct pmu_hart *p = pmu_of(h);
	u64 ns = load_once(&tick_ns), top = h->estack_top;
	bool overflow = tf->cause == CAUSE_OVERFLOW;

	if ((tf->cause != CAUSE_TIMER && !overflow) || !p || !p->sampling)
		return false;
	/* A page fault in here (a stale TLB entry) must not take our frame. */
	h->estack_top = (u64)tf;
	if (overflow) {
		csr_clear(sip, SIP_LCOFIP);
		p->overflows++;
	} else {
		p->stolen = true;
		timer_steal(h, next_tick(p, clock_mono_ns(),
					 ns ? ns : NSEC_PER_MSEC));
	}
	if (h->cur && h->pmu_on)
		take_samples(h, h->cur, false, tf, true);
	if (overflow && h->cur && h->pmu_on)
		overflow_arm(h, h->cur->pmu);
	h->estack_top = top;
	return true;
}

/* --- software events, tracepoints */

static void count_hit(struct perf_event *e, struct sample *s)
{
	u64 n = perf_now(e).count - e->last;

	if (e->attr.flags & ATTR_FREQ) {
		if (s->now < e->next_ns)
			return;
		e->next_ns = s->now + load_once(&e->interval);
	} else if (n < load_once(&e->period)) {
		return;
	}
	e->last += n;
	s->period = n;
	sample_event(e, s);
}

static bool filtered(const struct perf_event *e, const struct sample *s)
{
	const struct perf_hit hit = { s->raw, s->t->name, s->on->cpu };
	const struct perf_event *top = e->parent ? e->parent : e;
	/* PMUSET (dependency) - pairs with set_filter(). */
	const struct perf_filter *f = load_once(&top->filter);

	return f && !perf_filter_match(f, &hit);
}

static void hit_set(struct perf_set *set, struct hart *h, struct sample *s,
		    u32 kind, u32 what, u32 side)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		struct perf_event *e = set->ev[i];

		if (e->kind != kind || e->sw != what || !fits(e, h, side))
			continue;
		if (kind == KIND_TRACE) {
			if (filtered(e, s))
				continue;
			/* threads of several harts hit one event of a hart */
			atomic_add_relaxed(&e->hits, 1);
		}
		if (e->samples)
			count_hit(e, s);
	}
}

static void hit(struct hart *h, struct thread *t, u32 kind, u32 what,
		struct sample *s)
{
	struct pmu_hart *p = pmu_of(h);
	bool irq = pmu_irq_save();

	s->t = t;
	s->on = h;
	s->tf = &t->tf;
	s->user = true; /* where the program was */
	s->side = SIDE_OWN;
	s->now = clock_mono_ns();
	s->ip = t->tf.pc;
	if (t->pmu)
		hit_set(load_once(&t->pmu->set), h, s, kind, what, SIDE_USER);
	if (p->wide)
		hit_set(load_once(&p->wide->set), h, s, kind, what, SIDE_USER);
	pmu_irq_restore(irq);
}

void sample_sw(struct hart *h, struct thread *t, u32 what, u64 addr)
{
	struct sample s = { .addr = addr };

	hit(h, t, KIND_SW, what, &s);
}

void sample_trace(struct thread *t, u32 id, const void *raw, u32 n)
{
	sample_trace_on(t->home ? t->home : this_hart(), t, id, raw, n);
}

void sample_trace_on(struct hart *on, struct thread *t, u32 id, const void *raw,
		     u32 n)
{
	struct sample s = { .raw = raw, .raw_size = n };

	hit(on, t, KIND_TRACE, id, &s);
}

static void write_switch(struct perf_set *set, struct hart *h, struct thread *t,
			 enum switch_kind how, bool wide)
{
	struct {
		struct perf_header h;
		u64 more[9];
	} r;

	for (u32 i = 0; set && i < set->nr; i++) {
		struct perf_event *e = set->ev[i];
		u32 n = wide;

		if (!(e->attr.flags & ATTR_CONTEXT_SWITCH) ||
		    !load_once(&e->on) ||
		    (e->cpu >= 0 && (u32)e->cpu != h->cpu))
			continue;
		r.h.type =
			wide ? PERF_RECORD_SWITCH_CPU_WIDE : PERF_RECORD_SWITCH;
		r.h.misc = how == SWITCH_IN ? 0 : PERF_MISC_SWITCH_OUT;
		if (how == SWITCH_PREEMPT)
			r.h.misc |= PERF_MISC_SWITCH_OUT_PREEMPT;
		r.more[0] = 0; /* of a hart: nobody's before and behind */
		r.h.size = (u16)(sizeof(r.h) + n * sizeof(u64));
		r.h.size += perf_sample_id(e, t, h, r.more + n);
		if (perf_rb_write(e, &r, r.h.size, false))
			store_once(&pmu_of(this_hart())->wake, true);
	}
}

void sample_switch(struct hart *h, struct thread *t, enum switch_kind how)
{
	struct pmu_hart *p = pmu_of(h);
	bool irq = pmu_irq_save();

	/* PMUSET (dependency) - pairs with perf_update_set(). */
	if (t->pmu)
		write_switch(load_once(&t->pmu->set), h, t, how, false);
	if (p->wide)
		write_switch(load_once(&p->wide->set), h, t, how, true);
	pmu_irq_restore(irq);
}

/* --- rates */

/* @e samples: ticks come at least as often as it wants.  They stay that short until
 * no event is open at all. */
void sample_rate(const struct perf_event *e)
{
	u64 was = load_once(&tick_ns), want = load_once(&e->interval);

	if (e->samples && !e->overflow &&
	    (e->kind == KIND_SLOT || e->kind == KIND_CLOCK) &&
	    (!was || want < was))
		store_once(&tick_ns, want);
}

void sample_nobody_left(void)
{
	store_once(&tick_ns, 0);
}

static int sample_init(void)
{
	for (u32 i = 0; i < nr_harts; i++)
		ktimer_init(&pmu_of(harts[i])->tick, tick, harts[i]);
	return 0;
}
INITCALL(INIT_BUS, sample_init);
