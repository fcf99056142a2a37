/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/trace.c - the last events of each hart, off by default.
 *
 * A ring per hart with one writer; /proc/relay/trace prints all of them merged by
 * time.  A reader may catch a record half-written when tracing goes on meanwhile: it
 * checks the sequence number before and after and skips such a record.
 *
 * ORDERING
 *   TRACE   writer's release of seq, to the reader's acquire of it.
 */
#include <arch/riscv/csr.h>
#include <kernel/mm/vmap.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>

#define TRACE_RECORDS 4096u

struct trace_record {
	u64 seq; /* 0: empty; written last */
	u64 ns;
	int tid;
	s32 nr;
	u32 what;
	u32 req;
};

struct trace_ring {
	u64 next; /* [H] */
	struct trace_record rec[TRACE_RECORDS];
};

u32 relay_trace_on __read_mostly;

static const char *const what_names[NR_TRACE_WHAT] = {
	[TRACE_POSTED] = "posted",   [TRACE_SEEN] = "seen",
	[TRACE_SUSPEND] = "suspend", [TRACE_RESUME_CO] = "woken",
	[TRACE_DONE] = "done",	     [TRACE_RESUMED] = "resumed",
	[TRACE_SLEEP] = "sleep",     [TRACE_WOKEN] = "wake",
};

__cold void relay_trace_slow(struct hart *h, struct thread *t,
			     enum trace_what what)
{
	struct trace_ring *g = relay_of(h)->trace;
	struct trace_record *r;

	if (!g)
		return;
	r = &g->rec[g->next++ % TRACE_RECORDS];
	store_once(&r->seq, 0);
	r->ns = clock_mono_ns();
	r->tid = t ? t->tid : 0;
	r->nr = t ? (s32)t->syscall_nr : -1;
	r->what = what;
	/* TRACE (release) - pairs with relay_show_trace(). */
	store_release(&r->seq, g->next);
}

void relay_trace_enable(bool on)
{
	for (u32 i = 0; on && i < nr_harts; i++) {
		struct relay_hart *r = relay_of(harts[i]);

		if (!r->trace)
			r->trace = vmalloc(sizeof(struct trace_ring));
	}
	store_once(&relay_trace_on, on);
	relay_watch();
}

static void show(const struct hart *h, const struct trace_record *r,
		 relay_emit_fn *emit, void *ctx)
{
	char b[128];

	snprintf(b, sizeof(b), "%lu.%09lu hart %u %s pid %d nr %d\n",
		 r->ns / NSEC_PER_SEC, r->ns % NSEC_PER_SEC, h->cpu,
		 r->what < NR_TRACE_WHAT ? what_names[r->what] : "?", r->tid,
		 r->nr);
	emit(ctx, b);
}

void relay_show_trace(relay_emit_fn *emit, void *ctx)
{
	u64 pos[MAX_HARTS], end[MAX_HARTS];

	for (u32 i = 0; i < nr_harts; i++) {
		struct trace_ring *g = relay_of(harts[i])->trace;

		end[i] = g ? load_once(&g->next) : 0;
		pos[i] = end[i] > TRACE_RECORDS ? end[i] - TRACE_RECORDS : 0;
	}
	for (;;) {
		struct trace_record best = { .ns = ~0ULL };
		u32 from = MAX_HARTS;

		for (u32 i = 0; i < nr_harts; i++) {
			struct trace_ring *g = relay_of(harts[i])->trace;
			struct trace_record r;

			if (pos[i] == end[i])
				continue;
			r = g->rec[pos[i] % TRACE_RECORDS];
			/* TRACE (acquire) - pairs with relay_trace_slow(). */
			if (load_acquire(&g->rec[pos[i] % TRACE_RECORDS].seq) !=
			    pos[i] + 1) {
				pos[i]++; /* overwritten meanwhile */
				continue;
			}
			if (r.ns < best.ns) {
				best = r;
				from = i;
			}
		}
		if (from == MAX_HARTS) {
			bool more = false;

			for (u32 i = 0; i < nr_harts; i++)
				more |= pos[i] != end[i];
			if (!more)
				return;
			continue;
		}
		pos[from]++;
		show(harts[from], &best, emit, ctx);
	}
}
