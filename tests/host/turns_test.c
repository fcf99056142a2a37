/* SPDX-License-Identifier: MIT */
/* sources: kernel/relay/choose.c kernel/relay/turns.c */
/* cflags: -fno-sanitize=alignment */
/*
 * tests/host/turns_test.c - who has a hart, and for how long.
 *
 * One application hart, whose time is a variable (a cycle is a nanosecond), and
 * threads that compute for `burst` ns and are then away in a call for `away` ns, in
 * which they sleep, or do not.  What user.c and loop.c do around choose.c and
 * turns.c is run() here.  What is looked at is how much of the hart each had.
 */
#include <tests/host/cmocka.h>

#include <kernel/cgroup/cgroup.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>

#define US    1000ul
#define MS    (1000 * US)
#define NEVER (~0ul)
#define MOST  12u
#define HAND  500u /* ns for a change of threads */

struct sim {
	struct thread t;
	u64 burst; /* NEVER: it only computes */
	u64 away;
	bool sleeps; /* in its call; else that is long, and runs elsewhere */
	u32 weight;  /* of the group that it is alone in; 0: no groups */
	u64 left;    /* of the burst */
	u64 back;    /* when its call ends; 0: it is in none */
	u64 had, calls, since, longest;
};

static struct hart hart0;
static struct relay_hart relay0;
static struct sim sims[MOST];
static u32 nr_sims;
static u64 now, seed, late_most; /* the first thread is late by that */

struct hart *host_this_hart = &hart0;
u64 host_cycles;
u64 relay_slice_ns, sched_rr_ms;
u32 cgroup_nr_cpu;
u32 relay_watched;

/* ---- what it wants of the kernel */

struct thread *current_thread(void)
{
	return hart0.user;
}

u64 clock_mono_ns(void)
{
	return now;
}

u64 clock_cycles_to_ns(u64 cycles)
{
	return cycles;
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns)
{
	assert_ptr_equal(t, &relay0.slice);
	t->deadline_ns = deadline_ns;
	t->hart = &hart0;
}

bool ktimer_try_cancel(struct ktimer *t)
{
	bool was = ktimer_armed(t);

	t->hart = NULL;
	return was;
}

void timer_prepare_sleep(struct hart *h)
{
}

static u64 weight_of(const struct thread *t)
{
	return container_of(t, struct sim, t)->weight;
}

/* As kernel/cgroup/weight.c, for groups of one thread each. */
u64 cgroup_turn_ns(struct hart *h, const struct thread *t, u64 turn_ns)
{
	u64 sum = weight_of(t), nr = 1;
	const struct thread *o;

	if (h->user && h->user != t) {
		sum += weight_of(h->user);
		nr++;
	}
	list_for_each_entry(o, &h->runq, run_node) {
		if (o != t) {
			sum += weight_of(o);
			nr++;
		}
	}
	return clamp(turn_ns * nr * weight_of(t) / sum, turn_ns / 20,
		     turn_ns * 8);
}

void relay_fp_save(struct hart *h, struct thread *t)
{
}

void pmu_sw_slow(struct hart *h, struct thread *t, u32 what, u64 addr)
{
}

void rseq_lost_hart(struct thread *t)
{
}

void hart_ipi(u32 cpu)
{
}

void relay_take_interrupts(struct hart *h)
{
}

void relay_observe_slow(struct hart *h, struct thread *t, enum relay_event what,
			u32 arg)
{
}

/* ---- the hart */

static u32 rnd(u32 below)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)((seed >> 33) % below);
}

static void pass(u64 ns)
{
	now += ns;
	host_cycles = now;
}

static struct sim *add(u64 burst, u64 away, bool sleeps)
{
	struct sim *s = &sims[nr_sims++];

	assert_true(nr_sims <= MOST);
	*s = (struct sim){ .burst = burst, .away = away, .sleeps = sleeps };
	s->left = burst;
	s->t.tid = (int)nr_sims;
	s->t.home = &hart0;
	s->since = now;
	relay_user_ready(&hart0, &s->t, false);
	return s;
}

static struct sim *computes(void)
{
	return add(NEVER, 0, false);
}

static u64 next_back(void)
{
	u64 at = NEVER;

	for (u32 i = 0; i < nr_sims; i++) {
		if (sims[i].back)
			at = min(at, sims[i].back);
	}
	return at;
}

/* What loop.c does before user code: messages, the timer. */
static void take_events(void)
{
	for (u32 i = 0; i < nr_sims; i++) {
		struct sim *s = &sims[i];

		if (!s->back || s->back > now)
			continue;
		s->back = 0;
		s->left = s->burst;
		s->since = now;
		s->t.suspended_once = s->t.gave_up = s->sleeps;
		relay_user_ready(&hart0, &s->t, true);
		s->t.suspended_once = false;
	}
	if (ktimer_armed(&relay0.slice) && relay0.slice.deadline_ns <= now) {
		relay0.slice.hart = NULL;
		relay_slice_expired(&relay0.slice);
	}
}

/* Each thread that wants the hart is in one place. */
static void check(void)
{
	u32 queued = 0, wants = 0;
	const struct thread *t;

	list_for_each_entry(t, &hart0.runq, run_node) {
		assert_ptr_not_equal(t, hart0.user);
		assert_true(++queued <= MOST);
	}
	for (u32 i = 0; i < nr_sims; i++)
		wants += !sims[i].back;
	assert_int_equal(queued, hart0.nr_runq);
	assert_int_equal(queued + (hart0.user ? 1 : 0), wants);
}

/* As relay_run_user(); the thread that runs, or NULL. */
static struct sim *choose(void)
{
	const struct thread *was = hart0.user;

	if (hart0.nr_runq || (was && was->work) ||
	    relay0.preempt & PREEMPT_TURN)
		relay_choose(&hart0);
	check();
	if (!hart0.user)
		return NULL;
	if (hart0.user != was)
		pass(HAND);
	if (hart0.nr_runq)
		relay_slice_arm(&hart0, hart0.user);
	else if (ktimer_armed(&relay0.slice))
		relay_slice_unwanted(&hart0);
	return container_of(hart0.user, struct sim, t);
}

static void compute(struct sim *s, u64 until)
{
	u64 ns = min(s->left, until > now ? until - now : 0);

	if (late_most && s == &sims[0] && !rnd(20))
		ns += rnd((u32)late_most); /* the host had no time for us */
	s->longest = max(s->longest, now - s->since);
	s->had += ns;
	pass(ns);
	s->since = now;
	if (s->burst == NEVER)
		return;
	s->left -= min(s->left, ns);
	if (s->left)
		return;
	hart0.user = NULL;
	s->calls++;
	s->back = now + s->away;
}

static void run(u64 ns)
{
	u64 end = now + ns, until;

	while (now < end) {
		struct sim *s;

		take_events();
		s = choose();
		until = min(end, next_back());
		if (ktimer_armed(&relay0.slice))
			until = min(until, relay0.slice.deadline_ns);
		if (s)
			compute(s, until);
		else
			pass(until > now ? until - now : 1);
	}
}

static void forget(void)
{
	for (u32 i = 0; i < nr_sims; i++)
		sims[i].had = sims[i].calls = sims[i].longest = 0;
}

static int boot(void **state)
{
	memset(&hart0, 0, sizeof(hart0));
	memset(&relay0, 0, sizeof(relay0));
	hart0.relay = &relay0;
	list_init(&hart0.runq);
	list_init(&hart0.ready);
	list_init(&hart0.backlog);
	list_init(&relay0.later);
	list_init(&relay0.paid);
	relay0.slice.arg = &hart0;
	nr_sims = 0;
	now = host_cycles = 1000 * MS;
	seed = 1;
	late_most = 0;
	cgroup_nr_cpu = 0;
	relay_slice_ns = 10 * MS;
	sched_rr_ms = 100;
	return 0;
}

/* @s had about @percent of @all. */
static void had(const struct sim *s, u64 all, u64 percent, u64 off)
{
	u64 got = s->had * 100 / all;

	if (got + off < percent || got > percent + off)
		fail_msg("thread %d had %lu %%, not %lu", s->t.tid, got,
			 percent);
}

/* ---- shares */

static void alone_has_no_timer(void **state)
{
	struct sim *s = computes();

	run(100 * MS);
	assert_false(ktimer_armed(&relay0.slice));
	had(s, 100 * MS, 100, 1);
}

static void equals_have_equal_turns(void **state)
{
	struct sim *s[3] = { computes(), computes(), computes() };

	run(3000 * MS);
	for (int i = 0; i < 3; i++) {
		had(s[i], 3000 * MS, 33, 1);
		assert_true(s[i]->longest < 21 * MS);
	}
}

static void nice_has_less(void **state)
{
	struct sim *a = computes(), *b = computes();

	b->t.nice = 10;
	run(3000 * MS);
	had(a, 3000 * MS, 67, 2);
	had(b, 3000 * MS, 33, 2);
}

/* A turn lasts over calls: who computes gets the rest, and its own turns. */
static void caller_beside_one_that_computes(void **state)
{
	struct sim *a = add(20 * US, 100 * US, false), *b = computes();

	run(1000 * MS);
	/* In its turns 83 calls, in the other's one. */
	assert_in_range(a->calls, 3500, 4300);
	had(b, 1000 * MS, 91, 2);
}

/* Who comes back from a sleep goes first, whoever computes. */
static void sleepers_go_first(void **state)
{
	struct sim *s = add(50 * US, 5 * MS, true);

	for (int i = 0; i < 3; i++)
		computes();
	run(2000 * MS);
	assert_in_range(s->calls, 390, 396);
	assert_in_range(s->longest, 0, 10 * US);
}

/* What it leaves of its turns is for all others. */
static void what_sleepers_leave_is_shared(void **state)
{
	struct sim *s[4];

	add(50 * US, 5 * MS, true);
	for (int i = 0; i < 4; i++)
		s[i] = computes();
	run(500 * MS);
	forget();
	run(1500 * MS);
	for (int i = 0; i < 4; i++)
		had(s[i], 1500 * MS, 25, 3);
}

static void weights(void **state)
{
	static const u32 weight[] = { 100, 33, 33, 34 };
	struct sim *s[4];

	cgroup_nr_cpu = 1;
	add(50 * US, 5 * MS, true)->weight = 100;
	for (int i = 0; i < 4; i++) {
		s[i] = computes();
		s[i]->weight = weight[i];
	}
	run(500 * MS);
	forget();
	run(1500 * MS);
	had(s[0], 1500 * MS, 50, 7);
	for (int i = 1; i < 4; i++)
		had(s[i], 1500 * MS, 17, 5);
}

static void long_turns_are_owed(void **state)
{
	struct sim *s[3] = { computes(), computes(), computes() };

	late_most = 300 * MS;
	run(60000 * MS);
	for (int i = 0; i < 3; i++)
		had(s[i], now - 1000 * MS, 33, 3);
}

static void fifo_keeps_round_robin_changes(void **state)
{
	struct sim *s[4];

	s[0] = computes();
	for (int i = 1; i < 4; i++) {
		s[i] = computes();
		s[i]->t.own_prio = s[i]->t.rt_prio = i == 1 ? 20 : 10;
		s[i]->t.sched_policy = i == 1 ? SCHED_FIFO : SCHED_RR;
	}
	relay_sort_queue(&hart0);
	run(1000 * MS);
	had(s[1], 1000 * MS, 100, 1);
	s[1]->burst = s[1]->left = 1;
	s[1]->away = 100000 * MS;
	s[1]->sleeps = true;
	run(MS);
	forget();
	run(2000 * MS);
	had(s[0], 2000 * MS, 0, 0);
	had(s[2], 2000 * MS, 50, 5);
	had(s[3], 2000 * MS, 50, 5);
}

/* ---- any mixture */

static void add_some(void)
{
	switch (rnd(3)) {
	case 0:
		computes();
		return;
	case 1:
		add(1 + rnd(200 * US), 1 + rnd(2 * MS), false);
		return;
	default:
		add(1 + rnd(200 * US), 1 + rnd(30 * MS), true);
	}
}

/* Nobody starves, and who computes has as much as any other that does. */
static void any_mixture(void **state)
{
	for (u64 round = 1; round <= 300; round++) {
		u64 least = NEVER, most = 0;
		u32 nr = 2;

		boot(NULL);
		seed = round;
		nr += rnd(6);
		while (nr_sims < nr)
			add_some();
		run(500 * MS);
		forget();
		run(2000 * MS);
		for (u32 i = 0; i < nr; i++) {
			const struct sim *s = &sims[i];

			if (s->longest > 500 * MS || !s->had)
				fail_msg("seed %lu: thread %u waited %lu us",
					 round, i, s->longest / US);
			if (s->burst == NEVER) {
				least = min(least, s->had);
				most = max(most, s->had);
			}
		}
		if (most && most > least * 13 / 10)
			fail_msg("seed %lu: %lu to %lu us", round, least / US,
				 most / US);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(alone_has_no_timer, boot),
		cmocka_unit_test_setup(equals_have_equal_turns, boot),
		cmocka_unit_test_setup(nice_has_less, boot),
		cmocka_unit_test_setup(caller_beside_one_that_computes, boot),
		cmocka_unit_test_setup(sleepers_go_first, boot),
		cmocka_unit_test_setup(what_sleepers_leave_is_shared, boot),
		cmocka_unit_test_setup(weights, boot),
		cmocka_unit_test_setup(long_turns_are_owed, boot),
		cmocka_unit_test_setup(fifo_keeps_round_robin_changes, boot),
		cmocka_unit_test(any_mixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
