/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/account.c - intervals and their counts; see account.h.
 *
 * INVARIANTS
 *   A1  p->last[] holds what the slots in p->mask read at the last boundary of this
 *       hart.
 *   A2  p->ctx is set exactly while the interval belongs to a thread that is
 *       counted, and then that thread is on this hart.
 *   A3  While p->whole, a trap from user code and the return to it are no boundaries,
 *       and nobody reads a counter there: all events of p->ctx count both sides or
 *       none of them, and it does not matter to which of them a count is added.
 *       Decided at each return to user code; what else is a boundary stays one.
 *   A4  While !h->watched_pmu, local calls of h->user take the short way that tells
 *       nobody of them, so p->in_user and p->side may still be of user code: who
 *       comes from elsewhere settles that first.
 *
 * Instructions of user code are exact: trap_entry_counted and user_return_counted
 * (arch/riscv/trap.S) read instret at a fixed distance from the change of mode, and
 * what lies in between is taken off here.
 */
#include <kernel/pmu/account.h>

#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/quick.h>
#include <kernel/pmu/rdpmc.h>
#include <kernel/pmu/sample.h>
#include <kernel/pmu/tracepoint.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

u32 pmu_active __read_mostly;
u32 pmu_tracing __read_mostly;

struct pmu_ctx *pmu_ctx_new(struct thread *t, u32 first, u32 nr)
{
	struct pmu_ctx *c = kzalloc(sizeof(*c) + nr * sizeof(c->acc[0]));

	if (!c)
		return NULL;
	c->thread = t;
	c->first = first;
	c->nr = nr;
	list_init(&c->events);
	return c;
}

/* What of the next interval's slots can be read here. */
static u64 wanted(const struct pmu_hart *p, const struct pmu_ctx *next)
{
	u64 want = next ? load_once(&next->want) : 0;

	if (p->wide)
		want |= load_once(&p->wide->want);
	return want & p->mapped;
}

static inline void add(struct pmu_hart *p, struct hart *h, u32 slot, u64 d)
{
	if (p->ctx)
		pmu_acc_of(p->ctx, h)->v[slot][p->side] += d;
	if (p->wide)
		p->wide->acc[0].v[slot][p->in_user ? SIDE_USER : SIDE_OWN] += d;
}

/* Slots that are not always there also know for how long they were. */
static void add_run(struct pmu_hart *p, struct hart *h, u64 slots, u64 cycles)
{
	for (; slots; slots &= slots - 1) {
		u32 s = ctz64(slots);

		if (p->ctx)
			pmu_acc_of(p->ctx, h)->run[s] += cycles;
		if (p->wide)
			p->wide->acc[0].run[s] += cycles;
	}
}

/* Slots that are counted in firmware's way, one by one. */
static void boundary_dynamic(struct hart *h, u64 was, u64 want, u64 cycles)
{
	struct pmu_hart *p = pmu_of(h);

	for (u64 m = (was | want) >> FIRST_DYNAMIC << FIRST_DYNAMIC; m;
	     m &= m - 1) {
		u32 s = ctz64(m);
		u64 now = pmu_read_slot(h, s);

		if (was & BIT(s))
			add(p, h, s, pmu_slot_delta(h, s, p->last[s], now));
		p->last[s] = now;
	}
	add_run(p, h, was >> FIRST_DYNAMIC << FIRST_DYNAMIC, cycles);
}

/* A boundary: the interval ends, one of @next begins. */
static inline __attribute__((always_inline)) void boundary_of(
	struct hart *h, struct pmu_ctx *next, bool instret)
{
	struct pmu_hart *p = pmu_of(h);
	u64 was = p->ctx || p->wide ? p->mask : 0;
	u64 want = wanted(p, next), both = was | want, now, cycles = 0;

	if (both & BIT(SLOT_CYCLES)) {
		now = rdcycle();
		cycles = now - p->last[SLOT_CYCLES];
		if (was & BIT(SLOT_CYCLES))
			add(p, h, SLOT_CYCLES, cycles);
		p->last[SLOT_CYCLES] = now;
	}
	if (instret && (both & BIT(SLOT_INSTRET))) {
		now = csr_read(instret);
		if (was & BIT(SLOT_INSTRET))
			add(p, h, SLOT_INSTRET, now - p->last[SLOT_INSTRET]);
		p->last[SLOT_INSTRET] = now;
	}
	if (unlikely(both >> FIRST_DYNAMIC))
		boundary_dynamic(h, was, want, cycles);
	p->mask = want;
	p->ctx = next;
}

static void boundary(struct hart *h, struct pmu_ctx *next)
{
	boundary_of(h, next, true);
}

/* Into and out of user mode trap.S reads instret itself. */
static void boundary_at_trap(struct hart *h, struct pmu_ctx *next)
{
	boundary_of(h, next, false);
}

/* The kernel runs; what let it in may have told nobody (pmu_decide_watch()). */
static void settle(struct pmu_hart *p)
{
	if (unlikely(p->in_user)) {
		p->in_user = false;
		p->side = SIDE_OWN;
	}
}

void pmu_split(struct hart *h)
{
	settle(pmu_of(h));
	boundary(h, pmu_of(h)->ctx);
}

void pmu_split_slot(struct hart *h, u32 s)
{
	struct pmu_hart *p = pmu_of(h);
	u64 now;

	if (!(p->mask & BIT(s)) || !(p->ctx || p->wide))
		return;
	now = pmu_read_slot(h, s);
	add(p, h, s, pmu_slot_delta(h, s, p->last[s], now));
	p->last[s] = now;
}

void pmu_slot_was_set(struct hart *h, u32 s)
{
	if (pmu_of(h)->mask & BIT(s))
		pmu_of(h)->last[s] = pmu_read_slot(h, s);
}

void pmu_split_current(void)
{
	struct hart *h = this_hart();
	struct pmu_hart *p = pmu_of(h);
	struct thread *t = current;
	bool irq = pmu_irq_save();

	settle(p);
	if (!p->ctx)
		p->side = t->home == h ? SIDE_OWN : SIDE_SERVICE;
	boundary(h, t->pmu);
	pmu_irq_restore(irq);
}

void pmu_forget(struct hart *h, const struct pmu_ctx *c)
{
	bool irq = pmu_irq_save();

	settle(pmu_of(h));
	if (pmu_of(h)->ctx == c)
		boundary(h, NULL);
	pmu_irq_restore(irq);
}

/*
 * Of the interval in user mode: [user_return_counted's read, trap_entry_counted's
 * read] less the instructions of both; what lies before and behind is the kernel's.
 */
static void leave_instret(struct hart *h, struct pmu_hart *p)
{
	u64 entered = h->pmu_enter + PMU_ENTER_INSNS;
	u64 left = h->pmu_trap - PMU_TRAP_INSNS;

	if (p->ctx)
		pmu_acc_of(p->ctx, h)->v[SLOT_INSTRET][SIDE_USER] +=
			left - entered;
	if (p->wide) {
		p->wide->acc[0].v[SLOT_INSTRET][SIDE_USER] += left - entered;
		p->wide->acc[0].v[SLOT_INSTRET][SIDE_OWN] +=
			entered - p->last[SLOT_INSTRET];
	}
	p->last[SLOT_INSTRET] = left;
}

void pmu_trap_vector(struct pmu_hart *p, bool plain)
{
	if (likely(p->plain_trap == plain))
		return;
	p->plain_trap = plain;
	csr_write(stvec, plain ? (u64)trap_entry : (u64)trap_entry_counted);
}

void pmu_user_leave_slow(struct hart *h, bool interrupt)
{
	struct pmu_hart *p = pmu_of(h);
	u64 instret;

	if (!p->in_user)
		return;
	if (p->whole) {
		p->in_user = false;
		p->side = SIDE_OWN;
		p->user_trap = interrupt;
		return;
	}
	instret = p->mask & BIT(SLOT_INSTRET);
	p->mask &= ~instret;
	if (instret)
		leave_instret(h, p);
	boundary_at_trap(h, p->ctx);
	/* instret of the trap itself was read by the entry. */
	if (p->mask & BIT(SLOT_INSTRET))
		p->last[SLOT_INSTRET] = h->pmu_trap - PMU_TRAP_INSNS;
	p->in_user = false;
	p->side = SIDE_OWN;
	p->user_trap = interrupt;
}

void pmu_user_enter_slow(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	struct pmu_ctx *c = t->pmu;

	settle(p);
	p->user_trap = false;
	if (unlikely(load_once(&p->wake)))
		perf_wake_readers(h);
	/* Of an interval that ends here instret is read; user code's begins with
	 * the read of user_return_counted. */
	p->whole = pmu_may_be_whole(h, p, c);
	pmu_trap_vector(p, p->whole);
	if (p->ctx || p->wide || p->whole)
		boundary(h, c);
	else
		boundary_at_trap(h, c);
	p->in_user = true;
	p->side = SIDE_USER;
	if (c && c->on != h) {
		if (c->on)
			pmu_sw_slow(h, t, SW_MIGRATIONS, 0);
		c->on = h;
	}
	if (unlikely(load_once(&pmu_tracing)))
		sched_trace_in(h, t);
	sample_arm(h, c);
	rdpmc_enter(h, c);
	pmu_decide_watch(h, p, t);
}

void pmu_posted_slow(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);

	settle(p);
	if (unlikely(load_once(&p->wake)))
		perf_wake_readers(h);
	/* The way to the service hart is nobody's, and so is polling.  A hart that
	 * is counted itself goes on. */
	if (p->whole && p->ctx)
		boundary(h, NULL);
	p->ctx = NULL;
	if (!p->wide)
		p->mask = 0;
}

void pmu_call_begin_slow(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	struct pmu_ctx *c = t->pmu;

	settle(p);
	p->user_trap = false;
	if (c || p->ctx) {
		/* A local call: the interval began with the trap. */
		if (p->ctx != c || p->side != SIDE_OWN)
			boundary(h, c);
		p->side = t->home == h ? SIDE_OWN : SIDE_SERVICE;
	}
	sample_call_begin(h, t);
}

void pmu_call_end_slow(struct hart *h, struct thread *t, int why)
{
	struct pmu_hart *p = pmu_of(h);

	settle(p);
	sample_call_end(h);
	if (unlikely(load_once(&p->wake)))
		perf_wake_readers(h);
	/* One that ended on its own hart goes back to user mode soon. */
	if (p->ctx && (why || t->home != h))
		boundary(h, NULL);
}

void pmu_sw_slow(struct hart *h, struct thread *t, u32 what, u64 addr)
{
	struct pmu_hart *p = pmu_of(h);
	struct pmu_ctx *c = t->pmu;

	if (c)
		pmu_acc_of(c, h)->sw[what]++;
	if (p->wide)
		p->wide->acc[0].sw[what]++;
	if ((c && c->set) || (p->wide && p->wide->set))
		sample_sw(h, t, what, addr);
	if (what == SW_SWITCHES && unlikely(load_once(&pmu_tracing)))
		sched_trace_out(h, t);
}
