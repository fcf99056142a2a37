/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/hw.c - slots and counters; see pmu.h.
 *
 * INVARIANTS
 *   H1  A hart changes its own counters only, between two intervals: pmu_split()
 *       before, and again behind it.
 *   H2  A slot's event does not change while refs > 0; a hart that has not seen the
 *       newest generation of the table has no interval that uses a newer slot,
 *       because pmu_slot_get() waits for all of them.
 *
 * ORDERING
 *   PMUSYNC  what the caller of pmu_sync_harts() wrote, pmu_seq advanced (full); the
 *            hart reads pmu_seq (acquire), does its work, publishes `passed`
 *            (release), which the caller reads (acquire).
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/pmu/account.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/overflow.h>
#include <kernel/pmu/rdpmc.h>
#include <kernel/pmu/record.h>
#include <kernel/pmu/sample.h>
#include <kernel/pmu/unit.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MUX_NS	     (4 * NSEC_PER_MSEC) /* as Linux's mux interval */
#define MAX_COUNTERS 64u

struct slot {
	u64 event, data; /* [mutex of event.c] */
	u32 refs;	 /* [likewise] */
};

static const struct pmu_ops *pmu_ops;		 /* [I] */
static struct pmu_counter counter[MAX_COUNTERS]; /* [I] */
static u64 usable;				 /* [I] counters we may take */
static u64 programmable;		/* [I] of them, no firmware's */
static u32 counters_max = MAX_COUNTERS; /* [I] boot argument */
static struct slot slots[PMU_SLOTS];	/* H2 */
static u64 slots_gen;			/* [a] */
static u64 slots_used;			/* [a] */
static u64 pmu_seq;			/* [a] PMUSYNC */
static struct waitq sync_wq = WAITQ_INIT(sync_wq);

static void param_counters(const char *v)
{
	u64 n;

	if (!kstrtou64(v, 0, &n) && n < MAX_COUNTERS)
		counters_max = (u32)n;
}
BOOTPARAM(pmu_counters, "pmu_counters", param_counters);

void pmu_ops_set(const struct pmu_ops *ops)
{
	pmu_ops = ops;
}

/* --- reading */

#define CSR_CASE(n) \
	case n:     \
		return csr_read(n)

static u64 read_csr(u32 csr)
{
	switch (csr) {
		CSR_CASE(0xc03);
		CSR_CASE(0xc04);
		CSR_CASE(0xc05);
		CSR_CASE(0xc06);
		CSR_CASE(0xc07);
		CSR_CASE(0xc08);
		CSR_CASE(0xc09);
		CSR_CASE(0xc0a);
		CSR_CASE(0xc0b);
		CSR_CASE(0xc0c);
		CSR_CASE(0xc0d);
		CSR_CASE(0xc0e);
		CSR_CASE(0xc0f);
		CSR_CASE(0xc10);
		CSR_CASE(0xc11);
		CSR_CASE(0xc12);
		CSR_CASE(0xc13);
		CSR_CASE(0xc14);
		CSR_CASE(0xc15);
		CSR_CASE(0xc16);
		CSR_CASE(0xc17);
		CSR_CASE(0xc18);
		CSR_CASE(0xc19);
		CSR_CASE(0xc1a);
		CSR_CASE(0xc1b);
		CSR_CASE(0xc1c);
		CSR_CASE(0xc1d);
		CSR_CASE(0xc1e);
		CSR_CASE(0xc1f);
	default:
		return 0;
	}
}

u64 pmu_read_slot(const struct hart *h, u32 slot)
{
	s8 idx;

	if (likely(slot == SLOT_CYCLES))
		return rdcycle();
	if (likely(slot == SLOT_INSTRET))
		return csr_read(instret);
	idx = pmu_of(h)->ctr[slot];
	if (idx < 0)
		return 0;
	return pmu_read_counter((u32)idx);
}

u64 pmu_read_counter(u32 idx)
{
	const struct pmu_counter *c = &counter[idx];

	return c->firmware ? pmu_ops->read(idx) : read_csr(c->csr);
}

u64 pmu_counter_mask(u32 idx)
{
	u32 width = counter[idx].width;

	return width == 64 ? ~0ull : BIT(width) - 1;
}

int pmu_counter_csr(u32 idx)
{
	return counter[idx].firmware ? -1 : counter[idx].csr - 0xc00;
}

const struct pmu_ops *pmu_overflow_ops(void)
{
	return pmu_ops && pmu_ops->overflow ? pmu_ops : NULL;
}

u64 pmu_mapped(const struct hart *h)
{
	return pmu_of(h)->mapped;
}

u64 pmu_slot_delta(const struct hart *h, u32 slot, u64 from, u64 to)
{
	bool fixed = slot < FIRST_DYNAMIC || slot >= PMU_SLOTS;
	s8 idx = fixed ? -1 : pmu_of(h)->ctr[slot];
	u32 width = idx < 0 ? 64 : counter[idx].width;

	return width == 64 ? to - from : (to - from) & (BIT(width) - 1);
}

/* --- mapping */

static void unmap_all(struct pmu_hart *p)
{
	for (u32 s = FIRST_DYNAMIC; s < PMU_SLOTS; s++) {
		if (p->ctr[s] >= 0)
			pmu_ops->stop((u32)p->ctr[s]);
		p->ctr[s] = -1;
	}
	p->mapped = BIT(SLOT_CYCLES) | BIT(SLOT_INSTRET);
	/* What last[] says of the others is of counters that are no more: the caller
	 * has split, and the next interval begins with what they read then. */
	p->mask &= p->mapped;
	alarms_unmap(p);
}

static bool map_slot(struct pmu_hart *p, u32 s, u64 *left)
{
	int idx = *left ? pmu_ops->config(*left, slots[s].event, slots[s].data)
			: -EOPNOTSUPP;

	if (idx < 0)
		return false;
	p->ctr[s] = (s8)idx;
	p->mapped |= BIT(s);
	*left &= ~BIT(idx);
	return true;
}

static void unmap_slot(struct pmu_hart *p, u32 s, u64 *left)
{
	pmu_ops->stop((u32)p->ctr[s]);
	*left |= BIT(p->ctr[s]);
	p->ctr[s] = -1;
	p->mapped &= ~BIT(s);
}

#define DYNAMIC (~(BIT(FIRST_DYNAMIC) - 1))

/* All of @mask or none.  False: nothing else is to be mapped. */
static bool map_unit(struct pmu_hart *p, u64 mask, u32 flags, u64 *left)
{
	u64 done = 0;

	if ((flags & UNIT_EXCLUSIVE) && (p->mapped & DYNAMIC & ~mask))
		return true;
	for (u64 m = mask & ~p->mapped; m; m &= m - 1) {
		if (map_slot(p, ctz64(m), left)) {
			done |= m & -m;
			continue;
		}
		for (; done; done &= done - 1)
			unmap_slot(p, ctz64(done), left);
		return true;
	}
	return !(flags & UNIT_EXCLUSIVE);
}

/* Units that have a slot of @with, and are pinned, or are not. */
static bool map_units(struct pmu_hart *p, u64 with, bool pinned, u64 *left)
{
	for (u32 i = 0; i < pmu_units(); i++) {
		u32 flags;
		u64 mask = pmu_unit(i, &flags);

		if ((mask & with) && !!(flags & UNIT_PINNED) == pinned &&
		    !map_unit(p, mask, flags, left))
			return false;
	}
	return true;
}

static void map_in_turn(struct pmu_hart *p, u32 first, u64 *left)
{
	u64 used = load_once(&slots_used) & DYNAMIC;

	if (!map_units(p, ~0ull, true, left))
		return;
	for (u32 i = 0; i < PMU_SLOTS; i++) {
		u32 s = (first + i) % PMU_SLOTS;

		if (!(used & BIT(s)))
			continue;
		if (!map_units(p, BIT(s), false, left))
			return;
		/* Somebody counts it outside of groups. */
		if (!(p->mapped & BIT(s)) && slots[s].refs > pmu_unit_refs(s))
			(void)map_slot(p, s, left);
	}
}

/* Give counters to the slots, beginning with @first (or the one behind it). */
static void map_from(struct hart *h, u32 first)
{
	struct pmu_hart *p = pmu_of(h);
	u64 left = usable;

	pmu_split(h); /* H1 */
	unmap_all(p);
	alarms_map(p, &left, programmable);
	map_in_turn(p, first, &left);
	p->slots_seen = load_once(&slots_gen);
	pmu_split(h);
}

u32 pmu_nr_programmable(void)
{
	return (u32)popcount64(programmable);
}

static void mux_arm(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);

	if ((load_once(&slots_used) & ~p->mapped) && !ktimer_armed(&p->mux))
		ktimer_arm(&p->mux, clock_mono_ns() + MUX_NS);
}

/* The next one's turn, in the loop. */
static void mux_expired(struct ktimer *k)
{
	struct hart *h = k->arg;
	struct pmu_hart *p = pmu_of(h);
	u64 used = load_once(&slots_used) & ~(BIT(FIRST_DYNAMIC) - 1);

	if (!used)
		return;
	do
		p->turn = (p->turn + 1) % PMU_SLOTS;
	while (!(used & BIT(p->turn)));
	map_from(h, p->turn);
	mux_arm(h);
}

/* --- all harts */

static void switch_on(struct hart *h, bool on)
{
	struct pmu_hart *p = pmu_of(h);

	rdpmc_reset(h);
	if (h->pmu_on == on)
		return;
	/* The call that runs may be what switches it off: nobody tells its end. */
	sample_call_end(h);
	p->ctx = NULL;
	p->mask = 0;
	p->in_user = false;
	p->whole = false;
	p->plain_trap = false;
	h->pmu_on = on;
	if (pmu_overflow_ops()) {
		h->sie = on ? h->sie | SIP_LCOFIP : h->sie & ~(u64)SIP_LCOFIP;
		csr_write(sie, h->sie);
	}
	csr_write(stvec, on ? (u64)trap_entry_counted : (u64)trap_entry);
}

void pmu_hart_work(struct hart *h)
{
	struct pmu_hart *p = pmu_of(h);
	/* PMUSYNC (acquire) - pairs with pmu_sync_harts(). */
	u64 seq = load_acquire(&pmu_seq);

	switch_on(h, load_once(&pmu_active) != 0);
	h->watched_pmu = h->pmu_on; /* until what runs next is known */
	if (p->slots_seen != load_once(&slots_gen)) {
		map_from(h, p->turn);
		mux_arm(h);
	} else {
		pmu_split(h);
	}
	/* PMUSYNC (release) - pairs with pmu_sync_harts(). */
	store_release(&p->passed, seq);
	wake_up_all(&sync_wq);
}

static bool all_passed(u64 seq)
{
	for (u32 i = 0; i < nr_harts; i++) {
		/* PMUSYNC (acquire) - pairs with pmu_hart_work(). */
		if (load_acquire(&pmu_of(harts[i])->passed) < seq)
			return false;
	}
	return true;
}

void pmu_sync_harts(void)
{
	/* PMUSYNC (full) - pairs with pmu_hart_work(). */
	u64 seq = atomic_add_return(&pmu_seq, 1);
	bool irq = pmu_irq_save();

	pmu_hart_work(this_hart());
	pmu_irq_restore(irq);
	for (u32 i = 0; i < nr_harts; i++) {
		if (harts[i] == this_hart())
			continue;
		store_once(&harts[i]->pmu_kick, 1);
		hart_ipi(i);
	}
	wait_event(&sync_wq, all_passed(seq));
}

void pmu_policy_changed(void)
{
	if (load_once(&pmu_active))
		pmu_sync_harts();
}

/* --- slots */

bool pmu_slot_overflows(u32 s)
{
	return pmu_slot_fixed(s) || slots[s].event < PMU_FW(0);
}

void pmu_map_again(void)
{
	store_once(&slots_gen, slots_gen + 1);
	pmu_sync_harts();
}

static int find_slot(u64 event, u64 data)
{
	for (u32 s = FIRST_DYNAMIC; s < PMU_SLOTS; s++) {
		if (slots[s].refs && slots[s].event == event &&
		    slots[s].data == data)
			return (int)s;
	}
	return -ENOENT;
}

bool pmu_can_count(u64 event, u64 data)
{
	struct hart *h = this_hart();
	struct pmu_hart *p = pmu_of(h);
	bool irq;
	int idx;

	if (!pmu_ops || !usable)
		return false;
	if (find_slot(event, data) >= 0)
		return true;
	irq = pmu_irq_save();
	pmu_split(h);
	unmap_all(p); /* another one may hold the only counter that can */
	idx = pmu_ops->config(usable, event, data);
	if (idx >= 0)
		pmu_ops->stop((u32)idx);
	map_from(h, p->turn);
	pmu_irq_restore(irq);
	return idx >= 0;
}

int pmu_slot_get(u64 event, u64 data)
{
	int s = find_slot(event, data);

	if (s >= 0) {
		slots[s].refs++;
		return s;
	}
	if (!pmu_can_count(event, data))
		return -ENOENT;
	for (s = FIRST_DYNAMIC; s < (int)PMU_SLOTS && slots[s].refs; s++)
		;
	if (s == (int)PMU_SLOTS)
		return -ENOSPC;
	slots[s] = (struct slot){ event, data, 1 };
	store_once(&slots_used, slots_used | BIT(s));
	pmu_map_again();
	return s;
}

void pmu_slot_put(u32 s)
{
	if (s < FIRST_DYNAMIC || s >= PMU_SLOTS || --slots[s].refs)
		return;
	store_once(&slots_used, slots_used & ~BIT(s));
	pmu_map_again();
}

/* --- boot */

static void learn_counters(void)
{
	u32 n = 0;

	for (u32 i = 0; pmu_ops && i < pmu_ops->nr_counters; i++) {
		struct pmu_counter *c = &counter[i];

		if (pmu_ops->info(i, c))
			continue;
		/* cycle, time and instret keep the kernel's time: not to be
		 * touched. */
		if (!c->firmware && (c->csr < 0xc03 || c->csr > 0xc1f))
			continue;
		if (!c->firmware && n++ >= counters_max)
			continue;
		usable |= BIT(i);
		if (!c->firmware)
			programmable |= BIT(i);
	}
}

static int pmu_init(void)
{
	u32 nr;

	learn_counters();
	for (u32 i = 0; i < nr_harts; i++) {
		struct pmu_hart *p = kzalloc(sizeof(*p));

		if (!p)
			return -ENOMEM;
		p->record = perf_record_new();
		if (!p->record)
			return -ENOMEM;
		for (u32 s = 0; s < PMU_SLOTS; s++)
			p->ctr[s] = -1;
		alarms_init(p);
		p->counteren = 7; /* kernel/smp.c */
		p->mapped = BIT(SLOT_CYCLES) | BIT(SLOT_INSTRET);
		p->turn = FIRST_DYNAMIC;
		ktimer_init(&p->mux, mux_expired, harts[i]);
		harts[i]->pmu = p;
	}
	nr = (u32)popcount64(programmable);
	pr_info("pmu: cycle, instret, %u programmable counters%s, %u of firmware",
		nr, pmu_overflow_ops() ? " that interrupt" : "",
		(u32)popcount64(usable) - nr);
	return 0;
}
INITCALL(INIT_CORE, pmu_init);

void pmu_show(void (*emit)(void *ctx, const char *text), void *ctx)
{
	char b[96];

	overflow_show(emit, ctx);
	emit(ctx, "slot event data refs counter_of_each_hart\n");
	for (u32 s = FIRST_DYNAMIC; s < PMU_SLOTS; s++) {
		if (!slots[s].refs)
			continue;
		snprintf(b, sizeof(b), "%u %#lx %#lx %u", s, slots[s].event,
			 slots[s].data, slots[s].refs);
		emit(ctx, b);
		for (u32 i = 0; i < nr_harts; i++) {
			snprintf(b, sizeof(b), " %d", pmu_of(harts[i])->ctr[s]);
			emit(ctx, b);
		}
		snprintf(b, sizeof(b), " here %lu\n",
			 pmu_read_slot(this_hart(), s));
		emit(ctx, b);
	}
}
