/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/rdpmc.c - see rdpmc.h.
 *
 * ORDERING
 *   PERFPAGE  `lock` odd, what the page says, `lock` even, each before the next
 *             (full); the program reads them in the other order.  Both are the same
 *             thread's on the same hart, or its move is between them.
 */
#include <kernel/pmu/rdpmc.h>

#include <arch/riscv/csr.h>
#include <kernel/pmu/overflow.h>
#include <kernel/pmu/ring.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define CSR_CYCLE     0xc00u
#define EVERYBODY     BIT(1) /* time */
#define CYCLE_INSTRET (BIT(0) | BIT(2))

u64 perf_user_access = 2;

bool rdpmc_can(const struct perf_event *e)
{
	return e->kind == KIND_SLOT && !e->parent && e->ctx && e->ctx->thread &&
	       (e->sides & BIT(SIDE_USER));
}

static u32 common_bits(void)
{
	return load_once(&perf_user_access) == 2 ? EVERYBODY | CYCLE_INSTRET
						 : EVERYBODY;
}

static void allow(struct pmu_hart *p, u32 bits)
{
	p->lent = bits != common_bits();
	if (likely(p->counteren == bits))
		return;
	p->counteren = bits;
	csr_write(scounteren, bits);
}

void rdpmc_reset(struct hart *h)
{
	allow(pmu_of(h), common_bits());
}

void rdpmc_access_changed(void)
{
	pmu_sync_harts();
}

/* The CSR that counts @slot here, less CSR_CYCLE; -1: none now. */
static int csr_of(const struct pmu_hart *p, u32 slot)
{
	if (pmu_slot_fixed(slot))
		return slot == SLOT_CYCLES ? 0 : 2;
	return p->ctr[slot] < 0 ? -1 : pmu_counter_csr((u32)p->ctr[slot]);
}

/* As the program extends what it reads. */
static u64 extend(u64 v, u32 width)
{
	return (u64)((s64)(v << (64 - width)) >> (64 - width));
}

static u32 width_of(const struct pmu_hart *p, u32 slot)
{
	return pmu_slot_fixed(slot)
		       ? 64
		       : (u32)popcount64(pmu_counter_mask((u32)p->ctr[slot]));
}

/* Where user code's interval begins; of instructions user_return_counted says that, a
 * few later than now, by which the program's own reading is ahead. */
static u64 starts_at(const struct pmu_hart *p, u32 slot)
{
	return slot == SLOT_INSTRET ? csr_read(instret) : p->last[slot];
}

static int write_page(struct pmu_hart *p, const struct perf_event *e,
		      struct perf_page *pg, u64 now)
{
	bool may = load_once(&perf_user_access) != 0;
	int csr = may && load_once(&e->on) ? csr_of(p, e->slot) : -1;
	struct perf_value v = perf_value_own(e);

	store_once(&pg->lock, pg->lock + 1);
	smp_mb(); /* PERFPAGE (full) - pairs with the program. */
	pg->index = (u32)(csr + 1);
	pg->offset = (s64)v.count;
	if (csr >= 0) {
		pg->pmc_width = (u16)width_of(p, e->slot);
		pg->offset -= (s64)extend(starts_at(p, e->slot), pg->pmc_width);
	}
	pg->time_enabled = v.enabled;
	pg->time_running = v.running;
	pg->time_offset = pg->time_zero - now;
	if (may)
		pg->capabilities |= PERF_CAP_USER_RDPMC;
	else
		pg->capabilities &= ~(u64)PERF_CAP_USER_RDPMC;
	smp_mb(); /* PERFPAGE (full) - pairs with the program. */
	store_once(&pg->lock, pg->lock + 1);
	return csr;
}

void rdpmc_stopped(struct perf_event *e)
{
	struct perf_page *pg = perf_rb_page(e->rb);

	store_once(&pg->lock, pg->lock + 1);
	smp_mb(); /* PERFPAGE (full) - pairs with the program. */
	pg->index = 0;
	pg->offset = (s64)perf_value_own(e).count;
	smp_mb(); /* PERFPAGE (full) - pairs with the program. */
	store_once(&pg->lock, pg->lock + 1);
}

void rdpmc_enter(struct hart *h, const struct pmu_ctx *c)
{
	struct pmu_hart *p = pmu_of(h);
	u32 bits = common_bits();
	/* PMUSET (dependency) - pairs with perf_update_set(). */
	struct perf_set *set = c ? load_once(&c->set) : NULL;

	for (u32 i = 0; set && i < set->nr; i++) {
		const struct perf_event *e = set->ev[i];
		struct perf_rb *rb = load_once(&e->rb);
		int csr;

		if (!rb || !load_once(&rb->maps) || !rdpmc_can(e) ||
		    (e->cpu >= 0 && (u32)e->cpu != h->cpu))
			continue;
		csr = write_page(p, e, perf_rb_page(rb), clock_mono_ns());
		if (csr >= 0)
			bits |= BIT((u32)csr);
	}
	allow(p, bits);
}
