/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/legs.c - /proc/relay/legs: the parts of a call's way, call by call.
 *
 *	seen	posted by the application hart, until the service hart takes it
 *	done	from there until the handler has ended, waiting included
 *	back	from there until the application hart has taken it
 *	wake	of a call that waited: woken, until its coroutine goes on
 *
 * and what the call costs each side in cycles and instructions: the application
 * hart from the trap to the post and from taking the thread back to user mode, the
 * service hart in the handler, without the time that it waited.  The few
 * instructions of trap.S, and those of the loops, are in neither.
 *
 * Stamps travel in the thread (struct leg_stamps); every counter is written by one
 * hart, in a table of its own: seen, done and wake by who runs the handler, back by
 * who takes the thread back.  A reader adds the tables up.
 */
#include <arch/riscv/csr.h>
#include <kernel/mm/vmap.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* Rows: the calls, what is beyond the table, and the other kinds of requests. */
#define ROW_KIND0 (NR_SYSCALLS + 1)
#define NR_ROWS	  (ROW_KIND0 + NR_REQUEST_KINDS)

enum leg {
	LEG_SEEN,
	LEG_DONE,
	LEG_BACK,
	LEG_WAKE,
	NR_LEGS,
};

struct leg_row {
	struct hist leg[NR_LEGS]; /* ns */
	u64 app_cycles, app_instr, nr_app;
	u64 svc_cycles, svc_instr, nr_svc;
} __aligned(64);

struct leg_table {
	struct leg_row row[NR_ROWS];
};

u32 relay_legs_epoch;

int relay_legs_alloc(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		struct relay_hart *r = relay_of(harts[i]);

		if (!r->legs)
			r->legs = vmalloc(sizeof(struct leg_table));
		if (!r->legs)
			return -ENOMEM;
	}
	return 0;
}

static u32 by_switch; /* [a] legs=1 holds it */

int relay_legs_enable(bool on)
{
	int r;

	if (atomic_xchg(&by_switch, (u32)on) == on)
		return 0;
	if (!on) {
		relay_observe_put(WATCH_LEGS);
		return 0;
	}
	r = relay_observe_get(WATCH_LEGS);
	if (r)
		store_once(&by_switch, 0);
	return r;
}

static u64 since(u64 now, u64 then)
{
	return now > then ? now - then : 0;
}

static void add_leg(struct leg_row *row, enum leg which, u64 cycles)
{
	hist_add(&row->leg[which], clock_cycles_to_ns(cycles));
}

static void side_begin(struct leg_stamps *l, u64 now)
{
	l->side_cycles = now;
	l->side_instr = rdinstret();
}

static void svc_end(struct leg_stamps *l, struct leg_row *row, u64 now)
{
	row->svc_cycles += since(now, l->side_cycles);
	row->svc_instr += since(rdinstret(), l->side_instr);
}

static void posted(struct thread *t, u64 now)
{
	struct leg_stamps *l = &t->legs;

	l->epoch = relay_legs_epoch;
	if (t->req_kind != REQ_SYSCALL)
		l->row = (u16)(ROW_KIND0 + t->req_kind);
	else
		l->row = (u16)min(t->tf.a7, (u64)NR_SYSCALLS);
	l->woken = 0;
	side_begin(l, now);
}

static void seen(struct hart *h, struct leg_row *row, struct leg_stamps *l,
		 u64 now)
{
	u64 waited = since(now, l->leg);

	add_leg(row, LEG_SEEN, waited);
	relay_of(h)->queued++;
	relay_of(h)->queue_cycles += waited;
	l->leg = now;
	side_begin(l, now);
}

static void to_user(struct leg_row *row, struct leg_stamps *l, u64 now)
{
	row->app_cycles += l->app_cycles + since(now, l->side_cycles);
	row->app_instr += l->app_instr + since(rdinstret(), l->side_instr);
	row->nr_app++;
	l->epoch = 0;
}

void relay_legs_event(struct hart *h, struct thread *t, enum relay_event what,
		      u64 now)
{
	struct leg_stamps *l = &t->legs;
	struct leg_table *table = relay_of(h)->legs;
	struct leg_row *row;

	if (what == EV_POSTED) {
		posted(t, now);
		return;
	}
	/* Posted before this observation began? */
	if (l->epoch != relay_legs_epoch || !table)
		return;
	row = &table->row[l->row];
	switch (what) {
	case EV_SENT:
		l->app_cycles = (u32)since(now, l->side_cycles);
		l->app_instr = (u32)since(rdinstret(), l->side_instr);
		l->leg = now;
		break;
	case EV_SEEN:
		seen(h, row, l, now);
		break;
	case EV_SUSPEND:
	case EV_YIELD:
	case EV_EXIT:
		svc_end(l, row, now);
		break;
	case EV_WAKE:
		l->woken = now;
		break;
	case EV_RESUME:
		if (l->woken)
			add_leg(row, LEG_WAKE, since(now, l->woken));
		l->woken = 0;
		side_begin(l, now);
		break;
	case EV_DONE:
		svc_end(l, row, now);
		row->nr_svc++;
		add_leg(row, LEG_DONE, since(now, l->leg));
		l->leg = now;
		break;
	case EV_RESUMED:
		add_leg(row, LEG_BACK, since(now, l->leg));
		side_begin(l, now);
		break;
	case EV_USER:
		to_user(row, l, now);
		break;
	default:
		break;
	}
}

void relay_legs_reset(void)
{
	/* A hart that counts meanwhile loses a count: statistics. */
	for (u32 i = 0; i < nr_harts; i++) {
		if (relay_of(harts[i])->legs)
			memset(relay_of(harts[i])->legs, 0,
			       sizeof(struct leg_table));
	}
}

static const char *row_name(u32 i)
{
	static const char *const kinds[NR_REQUEST_KINDS] = {
		[REQ_SYSCALL] = "?",
		[REQ_FAULT] = "[fault]",
		[REQ_TRAP] = "[trap]",
		[REQ_WORK] = "[work]",
	};
	const char *name;

	if (i >= ROW_KIND0)
		return kinds[i - ROW_KIND0];
	name = syscall_name(i);
	return name ? name : "unimplemented";
}

/* False: nobody made one. */
static bool merge(struct leg_row *sum, u32 i)
{
	memset(sum, 0, sizeof(*sum));
	for (u32 n = 0; n < nr_harts; n++) {
		const struct leg_table *table = relay_of(harts[n])->legs;
		const struct leg_row *row = table ? &table->row[i] : NULL;

		if (!row || !(row->leg[LEG_SEEN].nr || row->nr_app))
			continue;
		for (u32 leg = 0; leg < NR_LEGS; leg++)
			hist_merge(&sum->leg[leg], &row->leg[leg]);
		sum->app_cycles += row->app_cycles;
		sum->app_instr += row->app_instr;
		sum->nr_app += row->nr_app;
		sum->svc_cycles += row->svc_cycles;
		sum->svc_instr += row->svc_instr;
		sum->nr_svc += row->nr_svc;
	}
	return sum->leg[LEG_SEEN].nr;
}

static void show_row(const struct leg_row *row, u32 i, relay_emit_fn *emit,
		     void *ctx)
{
	u64 app = max(row->nr_app, 1ul), svc = max(row->nr_svc, 1ul);
	char b[96];

	snprintf(b, sizeof(b), "%d %s %lu", i < ROW_KIND0 ? (int)i : -1,
		 row_name(i), row->leg[LEG_SEEN].nr);
	emit(ctx, b);
	for (u32 leg = 0; leg < NR_LEGS; leg++) {
		const struct hist *h = &row->leg[leg];

		if (leg == LEG_WAKE) {
			snprintf(b, sizeof(b), " %lu", h->nr);
			emit(ctx, b);
		}
		snprintf(b, sizeof(b), " %lu %lu %lu", hist_percentile(h, 500),
			 hist_percentile(h, 990), h->max);
		emit(ctx, b);
	}
	snprintf(b, sizeof(b), " %lu %lu %lu %lu\n", row->app_cycles / app,
		 row->app_instr / app, row->svc_cycles / svc,
		 row->svc_instr / svc);
	emit(ctx, b);
}

static const char head[] =
	"# Legs of each call while observed (legs=1 in /proc/relay/policy, or\n"
	"# /proc/relay/observe held open).  Nanoseconds: p50, p99, maximum of\n"
	"#   seen  post to taken by the service hart    done  until the handler ended\n"
	"#   back  until the application hart took it   wake  woken to going on\n"
	"# woken: how many wake-ups.  Means of one call: app_* trap to post and\n"
	"# return to user mode on the application hart, svc_* the handler.\n"
	"nr name count seen_p50 seen_p99 seen_max done_p50 done_p99 done_max "
	"back_p50 back_p99 back_max woken wake_p50 wake_p99 wake_max "
	"app_cycles app_instr svc_cycles svc_instr\n";

void relay_show_legs(relay_emit_fn *emit, void *ctx)
{
	struct leg_row *sum = vmalloc(sizeof(*sum));

	if (!sum)
		return;
	emit(ctx, head);
	for (u32 i = 0; i < NR_ROWS; i++) {
		if (merge(sum, i))
			show_row(sum, i, emit, ctx);
	}
	vfree(sum);
}
