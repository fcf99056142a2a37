/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/event.c - life of events, their values; see event.h.
 *
 * INVARIANTS
 *   E1  While e->on, its count is base + (what the context says now - at).
 *   E2  ctx->want is the union of what the context's enabled events want; it is
 *       published before `at` is taken, and every hart has seen it by then.
 *   E3  A set that samples is freed after every hart went through its loop.
 *
 * ORDERING
 *   PMUSET  a context, set or buffer is complete before its address is published
 *           (release); harts that count or sample find it by that address.
 *   SPENT   what an event had counted when the last sample was taken that was asked for
 *           (is_left(), sample.c), then that there are none left (release).
 */
#include <kernel/pmu/event.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/pmu/filter.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/overflow.h>
#include <kernel/pmu/rdpmc.h>
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>
#include <kernel/pmu/unit.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

struct mutex perf_mutex = MUTEX_INIT(perf_mutex);
static u64 next_id; /* [a] */

/* --- values */

static u64 acc_count(const struct perf_event *e, const struct pmu_acc *a)
{
	u32 slot = e->kind == KIND_SLOT ? e->slot : SLOT_CYCLES;
	u64 n = 0;

	if (e->kind == KIND_SW)
		return load_once(&a->sw[e->sw]);
	for (u32 s = 0; s < NR_SIDES; s++) {
		if (e->sides & BIT(s))
			n += load_once(&a->v[slot][s]);
	}
	return n;
}

static u64 acc_cycles(const struct pmu_acc *a)
{
	u64 n = 0;

	for (u32 s = 0; s < NR_SIDES; s++)
		n += load_once(&a->v[SLOT_CYCLES][s]);
	return n;
}

struct perf_value perf_now(const struct perf_event *e)
{
	const struct pmu_ctx *c = e->ctx;
	struct perf_value v = { 0 };

	for (u32 i = 0; c && i < c->nr; i++) {
		const struct pmu_acc *a = &c->acc[i];
		u64 cycles;

		if (e->cpu >= 0 && (u32)e->cpu != c->first + i)
			continue;
		cycles = acc_cycles(a);
		v.count += acc_count(e, a);
		v.enabled += cycles;
		v.running += e->kind == KIND_SLOT && e->slot >= FIRST_DYNAMIC
				     ? load_once(&a->run[e->slot])
				     : cycles;
	}
	if (e->kind == KIND_TRACE)
		v.count = load_once(&e->hits);
	else if (e->kind == KIND_NONE)
		v.count = 0;
	return v;
}

static struct perf_value minus(struct perf_value a, struct perf_value b)
{
	return (struct perf_value){ a.count - b.count, a.enabled - b.enabled,
				    a.running - b.running };
}

/* In units of the accumulators: times in cycles. */
struct perf_value perf_raw_own(const struct perf_event *e)
{
	struct perf_value now;

	if (!e->on)
		return e->base;
	now = perf_now(e);
	/* SPENT (acquire) - pairs with is_left() of sample.c. */
	if (load_acquire(&e->limit) < 0)
		now.count = load_once(&e->spent_at);
	return perf_value_plus(e->base, minus(now, e->at));
}

static struct perf_value convert(const struct perf_event *e,
				 struct perf_value v)
{
	v.enabled = clock_cycles_to_ns(v.enabled);
	v.running = clock_cycles_to_ns(v.running);
	if (e->kind == KIND_CLOCK)
		v.count = clock_cycles_to_ns(v.count);
	return v;
}

struct perf_value perf_value_own(const struct perf_event *e)
{
	return convert(e, perf_raw_own(e));
}

struct perf_value perf_value(const struct perf_event *e)
{
	struct perf_value v = perf_value_plus(perf_raw_own(e), e->dead);
	const struct perf_event *k;

	list_for_each_entry(k, &e->children, child_node)
		v = perf_value_plus(v, perf_raw_own(k));
	return convert(e, v);
}

void perf_reset(struct perf_event *e)
{
	struct perf_event *k;

	e->base.count = 0;
	e->dead.count = 0;
	if (e->on)
		e->at.count = perf_now(e).count;
	e->last = e->at.count;
	list_for_each_entry(k, &e->children, child_node)
		perf_reset(k);
}

static bool is_mine(const struct pmu_ctx *c)
{
	return c && c->thread && c->thread == current;
}

void perf_refresh_counts(struct perf_event *e)
{
	bool others = !list_empty(&e->children);

	if (is_mine(e->ctx))
		pmu_split_current();
	else if (e->ctx)
		others = true;
	if (others)
		pmu_sync_harts();
}

/* --- what contexts want */

/* The program may read it by itself (rdpmc.c). */
static bool perf_is_read(const struct perf_event *e)
{
	return e->rb && rdpmc_can(e);
}

/* It is the same to it whether its thread's hart is in user code or in a local call. */
static bool counts_both_or_none(const struct perf_event *e)
{
	bool user = e->sides & BIT(SIDE_USER), own = e->sides & BIT(SIDE_OWN);

	return (e->kind != KIND_SLOT && e->kind != KIND_CLOCK) || user == own;
}

void perf_update_want(struct pmu_ctx *c)
{
	struct perf_event *e;
	u64 want = 0;
	bool whole = true;

	list_for_each_entry(e, &c->events, node) {
		if (!e->on)
			continue;
		want |= BIT(SLOT_CYCLES);
		if (e->kind == KIND_SLOT)
			want |= BIT(e->slot);
		whole &= counts_both_or_none(e) && !perf_is_read(e);
	}
	store_once(&c->whole, whole && want);
	store_once(&c->want, want);
	this_hart()->watched_pmu = 1; /* if it is current's */
}

/* It is to be looked at when something happens. */
static bool in_set(const struct perf_event *e)
{
	return e->on && (e->samples || perf_traces(e) || perf_is_read(e));
}

struct perf_set *perf_update_set(struct pmu_ctx *c)
{
	struct perf_set *old = c->set, *s = NULL;
	struct perf_event *e;
	u32 n = 0;

	list_for_each_entry(e, &c->events, node)
		n += in_set(e);
	if (n)
		s = kmalloc(sizeof(*s) + n * sizeof(s->ev[0]));
	if (s) {
		s->nr = 0;
		list_for_each_entry(e, &c->events, node) {
			if (in_set(e))
				s->ev[s->nr++] = e;
		}
	}
	/* PMUSET (release) - pairs with the sampling hart: by the address. */
	store_release(&c->set, s);
	return old;
}

/* --- on and off */

static void switch_one(struct perf_event *e, bool on)
{
	if (e->on == on || (on && e->exited))
		return;
	if (!on)
		e->base = perf_raw_own(e);
	store_once(&e->on, on);
	e->exec_on &= !on;
}

void perf_begin_one(struct perf_event *e)
{
	e->at = perf_now(e);
	e->last = e->at.count;
	e->next_ns = 0;
	e->guess = 0;
}

static void switch_tree(struct perf_event *e, bool on)
{
	struct perf_event *k;
	bool was = e->on;

	switch_one(e, on);
	if (e->ctx)
		perf_update_want(e->ctx);
	if (e->on && !was)
		perf_begin_one(e);
	list_for_each_entry(k, &e->children, child_node)
		switch_tree(k, on);
}

static void begin_tree(struct perf_event *e)
{
	struct perf_event *k;

	if (e->on)
		perf_begin_one(e);
	list_for_each_entry(k, &e->children, child_node)
		begin_tree(k);
}

void perf_set_changed(struct perf_event *e)
{
	struct perf_set *old;

	if (!e->ctx)
		return;
	old = perf_update_set(e->ctx);
	if (old)
		pmu_sync_harts();
	kfree(old);
}

/* Only what samples needs its set made anew; false: nothing was to be freed. */
static void resample_tree(struct perf_event *e)
{
	struct perf_event *k;

	if (e->samples || perf_traces(e) || perf_is_read(e))
		perf_set_changed(e);
	if (!e->on && perf_is_read(e))
		rdpmc_stopped(e);
	list_for_each_entry(k, &e->children, child_node)
		resample_tree(k);
}

void perf_enable(struct perf_event *e, bool on)
{
	if (e->on == on)
		return;
	if (!on)
		perf_refresh_counts(e);
	switch_tree(e, on);
	if (on) {
		/* E2: from here on all harts read what it wants. */
		perf_refresh_counts(e);
		begin_tree(e);
	}
	resample_tree(e);
}

void perf_arm(struct perf_event *e, bool on)
{
	struct perf_event *s;

	e->armed = on;
	if (!on || e->leader == e || e->leader->on)
		perf_enable(e, on);
	list_for_each_entry(s, &e->siblings, sib_node) {
		if (s->armed)
			perf_enable(s, on);
	}
}

/* --- owners */

static struct list_head opened = LIST_HEAD_INIT(opened); /* [mutex] */

void perf_owned(struct perf_event *e)
{
	e->owner = current;
	list_add_tail(&e->all_node, &opened);
}

void perf_disowned(struct perf_event *e)
{
	list_del(&e->all_node);
}

void perf_owner_gone(const struct thread *t)
{
	struct perf_event *e;

	list_for_each_entry(e, &opened, all_node) {
		if (e->owner == t)
			e->owner = NULL;
	}
}

void perf_owner_enable(bool on)
{
	struct perf_event *e;

	mutex_lock(&perf_mutex);
	list_for_each_entry(e, &opened, all_node) {
		if (e->owner == current)
			perf_arm(e, on);
	}
	mutex_unlock(&perf_mutex);
}

/* --- life */

struct perf_event *perf_event_new(const struct perf_attr *attr)
{
	struct perf_event *e = kzalloc(sizeof(*e));

	if (!e)
		return NULL;
	e->attr = *attr;
	e->id = atomic_add_return(&next_id, 1);
	e->leader = e;
	e->cpu = -1;
	list_init(&e->node);
	list_init(&e->siblings);
	list_init(&e->sib_node);
	list_init(&e->children);
	list_init(&e->child_node);
	list_init(&e->rb_node);
	list_init(&e->all_node);
	waitq_init(&e->wq);
	return e;
}

void perf_event_free(struct perf_event *e)
{
	KASSERT(!e->ctx && !list_is_linked(&e->node));
	if (e->rb) {
		list_del(&e->rb_node);
		perf_rb_unref(e->rb);
	}
	perf_filter_free(e->filter);
	if (e->overflow && !e->parent)
		overflow_put(e->slot);
	if (e->kind == KIND_SLOT && !e->parent)
		pmu_slot_put(e->slot);
	owner_clear(&e->told);
	kfree(e);
}

static u32 find_member(const struct perf_event *leader,
		       const struct perf_event *e)
{
	u32 i = 0;

	while (i < PERF_GROUP_MAX && leader->member[i] != e)
		i++;
	return i;
}

bool perf_group_full(const struct perf_event *leader)
{
	return find_member(leader, NULL) == PERF_GROUP_MAX;
}

void perf_event_attach(struct perf_event *e, struct pmu_ctx *c,
		       struct perf_event *leader)
{
	e->ctx = c;
	list_add_tail(&e->node, &c->events);
	if (leader) {
		e->leader = leader;
		list_add_tail(&e->sib_node, &leader->siblings);
		/* PMUSET (release) - pairs with samples: by the address. */
		store_release(&leader->member[find_member(leader, NULL)], e);
	}
}

/* Siblings of a leader that goes stand alone. */
void perf_leave_group(struct perf_event *e)
{
	struct perf_event *s, *next, *leader = e->leader;

	if (leader == e)
		perf_regroup(e, true);
	list_for_each_entry_safe(s, next, &e->siblings, sib_node) {
		list_del(&s->sib_node);
		store_once(&s->leader, s);
	}
	if (list_is_linked(&e->sib_node)) {
		list_del(&e->sib_node);
		store_once(&leader->member[find_member(leader, e)], NULL);
		perf_regroup(leader, false);
	}
	store_once(&e->leader, e);
}

bool perf_is_listed(const struct perf_set *s, const struct perf_event *e)
{
	for (u32 i = 0; s && i < s->nr; i++) {
		if (s->ev[i] == e)
			return true;
	}
	return false;
}

/* Its value stays.  @sync: other harts may be sampling for it. */
void perf_event_detach(struct perf_event *e, bool sync)
{
	struct pmu_ctx *c = e->ctx;
	struct perf_set *old;
	bool listed;

	if (!c)
		return;
	listed = perf_is_listed(c->set, e);
	e->base = perf_raw_own(e);
	store_once(&e->on, false);
	list_del(&e->node);
	e->ctx = NULL;
	perf_update_want(c);
	if (!listed)
		return;
	old = perf_update_set(c);
	if (sync)
		pmu_sync_harts();
	kfree(old);
}
