/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/quick.h - the hooks of hooks.h, inline, for the short way of a call.
 *
 * They do what account.c does where that is little: a thread whose events count
 * cycles and instructions and take no samples, on a hart that is not counted as a
 * whole; or one that is not counted at all.  Anything else is handed to account.c.
 *
 * Context: as hooks.h.
 */
#ifndef KERNEL_PMU_QUICK_H
#define KERNEL_PMU_QUICK_H

#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/pmu/account.h>
#include <kernel/pmu/hooks.h>
#include <kernel/relay/relay.h>

#define __quick static inline __attribute__((always_inline))

/* May user code's interval on @h, of @c, go on through local calls? (A3) */
__quick bool pmu_may_be_whole(const struct hart *h, const struct pmu_hart *p,
			      const struct pmu_ctx *c)
{
	return c && load_once(&c->whole) && !p->wide && !p->lent &&
	       h->policy != POLICY_REMOTE;
}

/*
 * @t's code goes on: do its calls have to be told of?  Not if it is not counted, nor if its
 * interval goes on through them and all of them are local.  A change of what decides here
 * is followed by a return on the watched way: of this hart's thread, because
 * perf_update_want() says so; of others by pmu_sync_harts().
 */
__quick void pmu_decide_watch(struct hart *h, const struct pmu_hart *p,
			      const struct thread *t)
{
	const struct pmu_ctx *c = t->pmu;
	bool watch =
		h->policy != POLICY_LOCAL ||
		(t->policy != POLICY_DEFAULT && t->policy != POLICY_LOCAL) ||
		p->wide || p->lent || load_once(&pmu_tracing) ||
		(c && (!p->whole || c->set));

	if (h->watched_pmu != watch)
		h->watched_pmu = watch;
}

/* account.c has to do it: more than the two fixed slots, or a hart's own counts. */
__quick bool pmu_not_quick(const struct pmu_hart *p, u64 want)
{
	return p->wide || ((p->mask | want) >> FIRST_DYNAMIC);
}

/* What the interval that ends now has counted. */
__quick void quick_end(struct hart *h, struct pmu_hart *p, u64 cycles)
{
	struct pmu_acc *acc = pmu_acc_of(p->ctx, h);

	if (p->mask & BIT(SLOT_CYCLES))
		acc->v[SLOT_CYCLES][p->side] += cycles - p->last[SLOT_CYCLES];
}

__quick void quick_end_instret(struct hart *h, struct pmu_hart *p, u64 instret)
{
	struct pmu_acc *acc = pmu_acc_of(p->ctx, h);

	if (p->mask & BIT(SLOT_INSTRET))
		acc->v[SLOT_INSTRET][p->side] +=
			instret - p->last[SLOT_INSTRET];
}

__quick void pmu_quick_user_leave(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);
	u64 now, out = h->pmu_trap - PMU_TRAP_INSNS;

	if (!h->pmu_on || !p->in_user)
		return;
	if (p->whole) {
		p->in_user = false;
		p->side = SIDE_OWN;
		p->user_trap = false;
		return;
	}
	if (unlikely(pmu_not_quick(p, 0))) {
		pmu_user_leave_slow(h, false);
		return;
	}
	if (p->mask & BIT(SLOT_CYCLES)) {
		now = rdcycle();
		quick_end(h, p, now);
		p->last[SLOT_CYCLES] = now;
	}
	if (p->mask & BIT(SLOT_INSTRET)) {
		p->last[SLOT_INSTRET] = h->pmu_enter + PMU_ENTER_INSNS;
		quick_end_instret(h, p, out);
		p->last[SLOT_INSTRET] = out;
	}
	p->in_user = false;
	p->side = SIDE_OWN;
	p->user_trap = false;
}

/* True: by way of user_return_counted(). */
__quick bool pmu_quick_user_enter(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	struct pmu_ctx *c = t->pmu;
	u64 now, want;
	bool whole;

	if (!h->pmu_on)
		return false;
	want = c ? load_once(&c->want) : 0;
	whole = pmu_may_be_whole(h, p, c);
	if (whole && likely(p->whole) && likely(p->ctx == c) &&
	    likely(p->mask == want) && likely(!c->set) &&
	    likely(!load_once(&p->wake)) && likely(c->on == h)) {
		p->in_user = true;
		p->side = SIDE_USER;
		pmu_decide_watch(h, p, t);
		return false;
	}
	if (unlikely(whole) || unlikely(p->whole)) { /* it begins, or ends */
		pmu_user_enter_slow(h, t);
		return true;
	}
	if (unlikely(pmu_not_quick(p, want)) || unlikely(load_once(&p->wake)) ||
	    unlikely(p->lent) || unlikely(c && (c->on != h || c->set))) {
		pmu_user_enter_slow(h, t);
		return true;
	}
	if ((p->mask | want) & BIT(SLOT_CYCLES)) {
		now = rdcycle();
		if (p->ctx)
			quick_end(h, p, now);
		p->last[SLOT_CYCLES] = now;
	}
	if (p->ctx && (p->mask & BIT(SLOT_INSTRET)))
		quick_end_instret(h, p, csr_read(instret));
	p->ctx = c;
	p->mask = want;
	p->in_user = true;
	p->side = SIDE_USER;
	p->user_trap = false;
	if (!c)
		pmu_decide_watch(h, p, t);
	return want & BIT(SLOT_INSTRET);
}

__quick void pmu_quick_posted(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);

	if (unlikely(p->wide) || unlikely(p->whole) ||
	    unlikely(load_once(&p->wake))) {
		pmu_posted(h);
		return;
	}
	p->ctx = NULL;
	p->mask = 0;
}

__quick void pmu_quick_call_begin(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	struct pmu_ctx *c = t->pmu;
	u64 want = c ? load_once(&c->want) : 0;

	if (!h->pmu_on)
		return;
	if (unlikely(pmu_not_quick(p, want)) || unlikely(c && c->set) ||
	    unlikely(p->ctx && (p->ctx != c || p->side != SIDE_OWN))) {
		pmu_call_begin_slow(h, t);
		return;
	}
	p->user_trap = false;
	if (!c || p->ctx)
		return;
	if (want & BIT(SLOT_CYCLES))
		p->last[SLOT_CYCLES] = rdcycle();
	if (want & BIT(SLOT_INSTRET))
		p->last[SLOT_INSTRET] = csr_read(instret);
	p->ctx = c;
	p->mask = want;
	p->side = t->home == h ? SIDE_OWN : SIDE_SERVICE;
}

/* Finished. */
__quick void pmu_quick_call_end(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);

	if (!h->pmu_on)
		return;
	if (unlikely(p->wide) || unlikely(p->sampling) ||
	    unlikely(p->mask >> FIRST_DYNAMIC) ||
	    unlikely(load_once(&p->wake))) {
		pmu_call_end(h, t, 0);
		return;
	}
	/* One that ended on its own hart goes back to user mode soon. */
	if (!p->ctx || t->home == h)
		return;
	if (p->mask & BIT(SLOT_INSTRET))
		quick_end_instret(h, p, csr_read(instret));
	if (p->mask & BIT(SLOT_CYCLES))
		quick_end(h, p, rdcycle());
	p->ctx = NULL;
	p->mask = 0;
}

#endif /* KERNEL_PMU_QUICK_H */
