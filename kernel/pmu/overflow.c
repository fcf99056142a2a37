/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/overflow.c - samples by overflow interrupts (Sscofpmf); see pmu.h.
 *
 * Whether a sample is due is still decided by the sums of account.c.  A counter that
 * overflows only says when to look: it runs in all modes and for whoever is on the
 * hart, so it is never late, and when it was early (it has counted polling, or the
 * kernel's part of an event that is of user code) it is set again to what is left.
 * It is set when an interval of the thread begins on a hart whose counter would
 * come too late, which is so when the period went on on another hart meanwhile.
 *
 * Setting a counter is a firmware call, so a lateness of an eighth of what is left is
 * let pass; and none is set so close that the kernel's own way to user code could
 * make it overflow.
 */
#include <kernel/pmu/overflow.h>

#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/fmt.h>

#define LEAST_US 20ul /* between two interrupts of a counter */

u64 overflow_slots;
static u32 refs[PMU_SLOTS]; /* [mutex of event.c] */

/* --- counters */

void alarms_init(struct pmu_hart *p)
{
	for (u32 s = 0; s < FIRST_DYNAMIC; s++)
		p->alarm[s] = -1;
}

void alarms_map(struct pmu_hart *p, u64 *left, u64 programmable)
{
	const struct pmu_ops *ops = pmu_overflow_ops();

	for (u32 s = 0; ops && s < FIRST_DYNAMIC; s++) {
		u64 mask = *left & programmable;
		int idx;

		if (!(load_once(&overflow_slots) & BIT(s)) ||
		    popcount64(mask) < 2)
			continue;
		idx = ops->config(mask, PMU_HW(s + 1), 0);
		if (idx < 0)
			continue;
		p->alarm[s] = (s8)idx;
		*left &= ~BIT(idx);
	}
}

void alarms_unmap(struct pmu_hart *p)
{
	const struct pmu_ops *ops = pmu_overflow_ops();

	for (u32 s = 0; ops && s < FIRST_DYNAMIC; s++) {
		if (p->alarm[s] >= 0)
			ops->stop((u32)p->alarm[s]);
		p->alarm[s] = -1;
	}
}

bool overflow_get(u32 slot)
{
	if (!pmu_overflow_ops() || !pmu_slot_overflows(slot))
		return false;
	if (refs[slot]++)
		return true;
	store_once(&overflow_slots, overflow_slots | BIT(slot));
	if (slot >= FIRST_DYNAMIC)
		return true;
	pmu_map_again();
	/* All harts have the same counters. */
	if (load_once(&pmu_of(this_hart())->alarm[slot]) >= 0)
		return true;
	overflow_put(slot);
	return false;
}

void overflow_put(u32 slot)
{
	if (--refs[slot])
		return;
	store_once(&overflow_slots, overflow_slots & ~BIT(slot));
	if (slot < FIRST_DYNAMIC)
		pmu_map_again();
}

/* --- periods */

static u64 least(void)
{
	u64 us = NSEC_PER_SEC / load_once(&perf_max_rate) / NSEC_PER_USEC;

	return max(us, LEAST_US) * clock_cycles_per_us();
}

/* By frequency: as many cycles as the interval has, until more is known. */
static u64 period_of(const struct perf_event *e)
{
	u64 period = load_once(&e->period);

	if (period)
		return period;
	if (e->guess)
		return e->guess;
	period = load_once(&e->interval) * clock_cycles_per_us() / 1000;
	return max(e->slot < FIRST_DYNAMIC ? period : period / 64, 1ul);
}

static void adapt(struct perf_event *e, u64 n, u64 now)
{
	u64 took = now - e->next_ns, old = period_of(e), want = old;
	/* The product has 64 bits: an interval is less than 2^30. */
	u32 shift = n >> 33 ? 31u - (u32)clz64(n) : 0;

	took >>= shift;
	if (e->next_ns && took)
		want = (n >> shift) * load_once(&e->interval) / took;
	/* It may have slept; and nothing changes that fast for good. */
	e->guess = clamp(want, max(old / 8, 1ul), old * 8);
	e->next_ns = now;
}

u64 overflow_due(struct perf_event *e, u64 count, u64 now)
{
	u64 n = count - e->last, period = period_of(e);

	if (n < period)
		return 0;
	if (e->attr.flags & ATTR_FREQ) {
		e->last = count;
		adapt(e, n, now);
	} else {
		/* The phase stays. */
		n -= n % period;
		e->last += n;
	}
	/* A hart's own event goes on counting while nobody can be sampled. */
	return e->ctx->thread ? n : period;
}

/* --- setting them */

static int alarm_of(const struct pmu_hart *p, u32 slot)
{
	return pmu_slot_fixed(slot) ? p->alarm[slot % FIRST_DYNAMIC]
				    : p->ctr[slot];
}

static void set_alarm(struct hart *h, u32 slot, u32 idx, u64 left)
{
	bool shared = slot >= FIRST_DYNAMIC;

	if (shared)
		pmu_split_slot(h, slot);
	pmu_overflow_ops()->restart(idx, (0 - left) & pmu_counter_mask(idx));
	h->st.sbi_calls += 2;
	if (shared)
		pmu_slot_was_set(h, slot);
}

/* The least that is left of a period, by slot. */
static u64 what_is_left(const struct perf_set *set, const struct hart *h,
			u64 *left, u64 slots)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		const struct perf_event *e = set->ev[i];
		u64 period, n;

		if (!e->overflow || !load_once(&e->on) ||
		    (e->cpu >= 0 && (u32)e->cpu != h->cpu))
			continue;
		period = period_of(e);
		n = perf_now(e).count - e->last;
		n = n < period ? period - n : 0;
		left[e->slot] =
			slots & BIT(e->slot) ? min(left[e->slot], n) : n;
		slots |= BIT(e->slot);
	}
	return slots;
}

void overflow_arm(struct hart *h, const struct pmu_ctx *c)
{
	struct pmu_hart *p = pmu_of(h);
	u64 left[PMU_SLOTS], slots, floor;

	/* PMUSET (dependency) - pairs with perf_update_set(). */
	slots = c ? what_is_left(load_once(&c->set), h, left, 0) : 0;
	if (p->wide)
		slots = what_is_left(load_once(&p->wide->set), h, left, slots);
	for (floor = slots ? least() : 0; slots; slots &= slots - 1) {
		u32 s = ctz64(slots);
		int idx = alarm_of(p, s);
		u64 want, dist;

		if (idx < 0)
			continue;
		/* Of other events there are fewer than cycles. */
		want = max(left[s], s < FIRST_DYNAMIC ? floor : floor / 64);
		want = min(want, pmu_counter_mask((u32)idx) / 4);
		dist = (0 - pmu_read_counter((u32)idx)) &
		       pmu_counter_mask((u32)idx);
		if (dist - 1 > want + want / 8)
			set_alarm(h, s, (u32)idx, want);
	}
}

void overflow_show(void (*emit)(void *ctx, const char *text), void *ctx)
{
	char b[32];

	emit(ctx, "overflow interrupts of each hart:");
	for (u32 i = 0; i < nr_harts; i++) {
		snprintf(b, sizeof(b), " %lu",
			 load_once(&pmu_of(harts[i])->overflows));
		emit(ctx, b);
	}
	emit(ctx, "\n");
}
