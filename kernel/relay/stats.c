/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/stats.c - /proc/relay/status and /proc/relay/syscalls.
 *
 * Every counter has one writer, the hart; readers add them up without a lock and
 * may see one a little before another.
 */
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>

static const char *const state_names[] = {
	[HART_ABSENT] = "absent", [HART_STARTING] = "starting",
	[HART_LOOP] = "loop",	  [HART_USER] = "user",
	[HART_CALL] = "call",	  [HART_POLL] = "poll",
	[HART_AWAIT] = "await",	  [HART_SLEEP] = "sleep",
	[HART_DEAD] = "dead",
};

static const char *role_name(u32 role)
{
	switch (role) {
	case ROLE_APP:
		return "app";
	case ROLE_SERVICE:
		return "service";
	case ROLE_APP | ROLE_SERVICE:
		return "both";
	default:
		return "none";
	}
}

void relay_stats_init(struct hart *h)
{
	struct hist *hist = vmalloc(NR_SYSCALLS * sizeof(struct hist));

	for (u32 nr = 0; hist && nr < NR_SYSCALLS; nr++)
		call_row_of(h, nr)->hist = &hist[nr];
}

void relay_stats_call(struct call_row *c, u64 all, u64 ran)
{
	u64 ns = clock_cycles_to_ns(all);

	c->slow = ns > CALL_SLOW_NS;
	c->last_ns = (u32)min(clock_cycles_to_ns(ran), 0xfffffffful);
	if (likely(c->hist))
		hist_add(c->hist, ns);
}

static u64 count_of(u64 nr)
{
	u64 n = 0;

	for (u32 i = 0; i < nr_harts; i++)
		n += call_row_of(harts[i], nr)->count;
	return n;
}

/* Since the last reset; returns their sum. */
static u64 times_us(const struct hart *h, u64 us[NR_RELAY_TIMES])
{
	const u64 *base = relay_of(h)->times_base;
	u64 sum = 0;

	relay_times(h, us);
	for (u32 i = 0; i < NR_RELAY_TIMES; i++) {
		us[i] = (us[i] - min(us[i], base[i])) / NSEC_PER_USEC;
		sum += us[i];
	}
	return sum;
}

void relay_show_status(relay_emit_fn *emit, void *ctx)
{
	char b[320];

	emit(ctx, "hart hartid role state requests completions posted local "
		  "poll_hit poll_miss sleeps wakeups ipi_sent ipi_recv timer "
		  "external batches messages ring_full switches migrations "
		  "rfences faults sbi_calls poll_us idle_us "
		  "wall_us user_us handler_us relay_us unseen_us queued "
		  "queue_ns put_off\n");
	for (u32 i = 0; i < nr_harts; i++) {
		struct hart *h = harts[i];
		struct hart_stats *s = &h->st;
		u64 us[NR_RELAY_TIMES], wall;
		int n;

		wall = times_us(h, us);
		n = snprintf(b, sizeof(b),
			     "%u %u %s %s %lu %lu %lu %lu %lu %lu %lu %lu %lu "
			     "%lu %lu %lu ",
			     h->cpu, h->hartid, role_name(h->role),
			     state_names[h->state], s->requests, s->completions,
			     s->posted, h->role & ROLE_APP ? s->requests : 0,
			     s->poll_hits, s->poll_misses, s->sleeps,
			     s->wakeups, s->ipis_sent, s->ipis_received,
			     s->timer_irqs, s->external_irqs);
		snprintf(b + n, sizeof(b) - (size_t)n,
			 "%lu %lu %lu %lu %lu %lu %lu %lu %lu %lu ", s->batches,
			 s->batch_msgs, s->ring_full, s->switches,
			 s->migrations, s->rfences, s->faults, s->sbi_calls,
			 us[TIME_POLL], us[TIME_IDLE]);
		emit(ctx, b);
		snprintf(b, sizeof(b), "%lu %lu %lu %lu %lu %lu %lu %lu\n",
			 wall, us[TIME_USER], us[TIME_HANDLER], us[TIME_RELAY],
			 us[TIME_UNSEEN], relay_of(h)->queued,
			 clock_cycles_to_ns(relay_of(h)->queue_cycles),
			 s->put_off);
		emit(ctx, b);
	}
}

static void merge(struct hist *sum, u64 nr)
{
	memset(sum, 0, sizeof(*sum));
	for (u32 i = 0; i < nr_harts; i++) {
		struct hist *h = call_row_of(harts[i], nr)->hist;

		if (!h || !h->nr)
			continue;
		for (u32 b = 0; b < HIST_BUCKETS; b++)
			sum->bucket[b] += h->bucket[b];
		if (!sum->nr || h->min < sum->min)
			sum->min = h->min;
		sum->max = max(sum->max, h->max);
		sum->nr += h->nr;
		sum->sum += h->sum;
	}
}

static void show_call(u64 nr, const char *name, struct hist *sum,
		      relay_emit_fn *emit, void *ctx)
{
	u64 count = count_of(nr);
	char b[160];

	/* The total of all calls from the timed ones. */
	snprintf(b, sizeof(b), "%lu %s %s %lu %lu %lu %lu %lu\n", nr, name,
		 relay_policy_name(relay_policy != POLICY_HYBRID ? relay_policy
				   : relay_traits_of(nr) & CALL_LOCAL_IN_HYBRID
					   ? POLICY_LOCAL
					   : POLICY_REMOTE),
		 count, hist_mean(sum) * count, hist_percentile(sum, 500),
		 hist_percentile(sum, 990), sum->max);
	emit(ctx, b);
}

void relay_show_syscalls(relay_emit_fn *emit, void *ctx)
{
	struct hist *sum = kmalloc(sizeof(*sum));
	u64 other;
	char b[96];

	if (!sum)
		return;
	emit(ctx, "nr name where count total_ns p50_ns p99_ns max_ns\n");
	for (u64 nr = 0; nr < NR_SYSCALLS; nr++) {
		const char *name = syscall_name(nr);

		merge(sum, nr);
		if (name)
			show_call(nr, name, sum, emit, ctx);
	}
	for (u64 nr = 0; nr < NR_SYSCALLS; nr++) {
		if (syscall_name(nr) || !count_of(nr))
			continue;
		snprintf(b, sizeof(b), "%lu unimplemented - %lu - - - -\n", nr,
			 count_of(nr));
		emit(ctx, b);
	}
	other = count_of(NR_SYSCALLS);
	if (other) {
		snprintf(b, sizeof(b), "%d+ unimplemented - %lu - - - -\n",
			 NR_SYSCALLS, other);
		emit(ctx, b);
	}
	kfree(sum);
}

void relay_reset_stats(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		/* A hart that counts meanwhile loses a count: statistics. */
		for (u32 nr = 0; nr <= NR_SYSCALLS; nr++) {
			struct call_row *c = call_row_of(harts[i], nr);

			c->count = 0;
			if (c->hist)
				memset(c->hist, 0, sizeof(*c->hist));
		}
		memset(&harts[i]->st, 0, sizeof(harts[i]->st));
		relay_times(harts[i], relay_of(harts[i])->times_base);
		relay_of(harts[i])->queued = 0;
		relay_of(harts[i])->queue_cycles = 0;
	}
	relay_legs_reset();
}

void relay_panic_dump(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		struct hart *h = harts[i];
		struct relay_hart *r = relay_of(h);

		if (!r)
			continue;
		log_raw("hart %u (hartid %u, %s): %s, notify %u, current %s/%d, user %s/%d, runq %u, away %ld\n",
			h->cpu, h->hartid, role_name(h->role),
			state_names[h->state], h->notify,
			h->cur ? h->cur->name : "-", h->cur ? h->cur->tid : 0,
			h->user ? h->user->name : "-",
			h->user ? h->user->tid : 0, h->nr_runq,
			(long)(r->away - r->left));
		for (u32 j = 0; j < nr_harts; j++) {
			struct msgring *g = r->in[j];

			if (g &&
			    (msgring_prod(g) != g->head || r->backlogged[j]))
				log_raw("  ring %u->%u: prod %u cons %u, backlog to it %u\n",
					j, i, msgring_prod(g), g->head,
					r->backlogged[j]);
		}
	}
}
