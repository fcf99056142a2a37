/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/trace.c - the last events of each hart, off by default.
 *
 * A ring of 16-byte records per hart with one writer, which publishes how many it
 * has written.  A reader copies records and looks at that number again: what may
 * have been overwritten meanwhile is dropped, and counted as lost.
 *
 * /proc/relay/trace prints all rings merged by time.  /proc/relay/trace_raw
 * (fs/proc/relay.c) hands them out in blocks: a struct trace_block, then its records,
 * whose time is CLOCK_MONOTONIC in nanoseconds.
 *
 * ORDERING
 *   TRACE   writer's release of next, after the record; the reader's acquire of it.
 */
#include <arch/riscv/csr.h>
#include <kernel/mm/vmap.h>
#include <kernel/relay/relay.h>
#include <kernel/relay/trace.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define TEXT_RECORDS 4096u /* of them /proc/relay/trace shows the newest */

static u32 by_switch; /* [a] trace=1 holds it */

static const char *const event_names[NR_RELAY_EV] = {
	[EV_POSTED] = "posted",	    [EV_SEEN] = "seen",
	[EV_SUSPEND] = "suspend",   [EV_RESUME] = "woken",
	[EV_DONE] = "done",	    [EV_RESUMED] = "resumed",
	[EV_SLEEP] = "sleep",	    [EV_WOKEN] = "wake",
	[EV_USER] = "user",	    [EV_TRAP] = "trap",
	[EV_POLL] = "poll",	    [EV_YIELD] = "yield",
	[EV_EXIT] = "exit",	    [EV_WAKE] = "wakes",
	[EV_IPI_SENT] = "ipi-sent", [EV_IPI] = "ipi",
	[EV_TIMER] = "timer",	    [EV_EXTERNAL] = "external",
	[EV_SENT] = "sent",
};

void relay_trace_put(struct hart *h, const struct thread *t,
		     enum relay_event what, u32 arg, u64 now)
{
	trace_ring_put(relay_of(h)->trace, t, t ? (s16)t->syscall_nr : -1, what,
		       arg, now);
}

int relay_trace_alloc(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		struct relay_hart *r = relay_of(harts[i]);

		if (!r->trace)
			r->trace = vmalloc(sizeof(struct trace_ring));
		if (!r->trace)
			return -ENOMEM;
	}
	return 0;
}

int relay_trace_enable(bool on)
{
	int r;

	if (atomic_xchg(&by_switch, (u32)on) == on)
		return 0;
	if (!on) {
		relay_observe_put(WATCH_TRACE);
		return 0;
	}
	r = relay_observe_get(WATCH_TRACE);
	if (r)
		store_once(&by_switch, 0);
	return r;
}

/* How many records hart @cpu has written. */
u64 relay_trace_end(u32 cpu)
{
	const struct trace_ring *g = relay_of(harts[cpu])->trace;

	/* TRACE (acquire) - pairs with relay_trace_put(). */
	return g ? load_acquire(&g->next) : 0;
}

u32 relay_trace_copy(u32 cpu, u64 *pos, u64 *lost, struct trace_record *buf,
		     u32 n)
{
	const struct trace_ring *g = relay_of(harts[cpu])->trace;
	u64 end = relay_trace_end(cpu), first = *pos, gone;

	if (!g || end == first)
		return 0;
	/* The oldest may be overwritten now. */
	if (end - first > TRACE_RECORDS - 1)
		first = end - (TRACE_RECORDS - 1);
	n = (u32)min(end - first, (u64)n);
	for (u32 i = 0; i < n; i++) {
		buf[i] = g->rec[(first + i) % TRACE_RECORDS];
		buf[i].time = relay_stamp_ns(buf[i].time);
	}
	/* TRACE (full) - pairs with relay_trace_put(): copied, then next. */
	smp_mb();
	end = relay_trace_end(cpu);
	gone = end > TRACE_RECORDS - 1 ? end - (TRACE_RECORDS - 1) : 0;
	gone = gone > first ? min(gone - first, (u64)n) : 0;
	*lost += first + gone - *pos;
	*pos = first + n;
	for (u32 i = 0; gone && i + gone < n; i++)
		buf[i] = buf[i + gone];
	return n - (u32)gone;
}

static void show(u32 cpu, const struct trace_record *r, relay_emit_fn *emit,
		 void *ctx)
{
	char b[128];

	snprintf(b, sizeof(b), "%lu.%09lu hart %u %s pid %u nr %d\n",
		 r->time / NSEC_PER_SEC, r->time % NSEC_PER_SEC, cpu,
		 r->what < NR_RELAY_EV ? event_names[r->what] : "?", r->tid,
		 r->nr);
	emit(ctx, b);
}

/* The newest records of one hart, and how far they have been shown. */
struct view {
	u32 at, nr;
	struct trace_record rec[TEXT_RECORDS];
};

/* Returns how many were lost. */
static u64 take(struct view *v, u32 cpu)
{
	u64 end = relay_trace_end(cpu), lost = 0;
	u64 pos = end > TEXT_RECORDS ? end - TEXT_RECORDS : 0, before = pos;

	v->at = 0;
	v->nr = relay_trace_copy(cpu, &pos, &lost, v->rec, TEXT_RECORDS);
	return before + lost;
}

static void show_merged(struct view *v[], relay_emit_fn *emit, void *ctx)
{
	for (;;) {
		u32 from = MAX_HARTS;

		for (u32 i = 0; i < nr_harts; i++) {
			if (v[i]->at == v[i]->nr)
				continue;
			if (from == MAX_HARTS ||
			    v[i]->rec[v[i]->at].time <
				    v[from]->rec[v[from]->at].time)
				from = i;
		}
		if (from == MAX_HARTS)
			return;
		show(from, &v[from]->rec[v[from]->at++], emit, ctx);
	}
}

void relay_show_trace(relay_emit_fn *emit, void *ctx)
{
	struct view *v[MAX_HARTS];
	u64 lost = 0;
	char b[64];
	u32 n;

	for (n = 0; n < nr_harts; n++) {
		v[n] = vmalloc(sizeof(struct view));
		if (!v[n])
			break;
		lost += take(v[n], n);
	}
	if (n == nr_harts) {
		show_merged(v, emit, ctx);
		snprintf(b, sizeof(b), "# %lu older ones are gone\n", lost);
		emit(ctx, b);
	}
	while (n--)
		vfree(v[n]);
}
