/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/probe.c - another hart takes part in a measurement.
 *
 * The prober, a coroutine, sends MSG_PROBE; the other hart answers from its loop
 * until both are done.  Neither waits without an end: both look at the clock, and
 * when the prober gives up it says so and raises an IPI for who sleeps.  A probe
 * that is taken only after that finds nothing to do.  On an emulator that runs one
 * hart after the other for a hundred milliseconds (-icount) that is what happens.
 *
 * ORDERING
 *   PING    store of the turn on one side, load on the other.
 */
#include <arch/riscv/csr.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>

static struct {
	/* [a] of probers: one measurement at a time */
	u32 busy;
	struct hart *dst;
	enum probe_mode mode;
	u64 limit;		/* cycles */
	u64 until;		/* of the prober */
	u32 turn __aligned(64); /* [a] PING: odd = the prober has written */
	u64 clock;		/* PING: before the even turn */
	u32 open __aligned(64); /* [a] PING: the prober has not given up */
	u32 taken;		/* [a] somebody answers, or has */
	u32 done;		/* [a] PING: it has ended */
} probe;

void relay_probe_turn(u32 turn)
{
	/* PING (release) - pairs with reached(). */
	store_release(&probe.turn, turn);
}

static bool reached(u32 turn)
{
	/* PING (acquire) - pairs with relay_probe_turn(). */
	return load_acquire(&probe.turn) >= turn;
}

u32 relay_probe_at(void)
{
	/* PING (acquire) - pairs with relay_probe_turn(). */
	return load_acquire(&probe.turn);
}

bool relay_probe_wait(u32 turn)
{
	u32 spin = 0;

	while (!reached(turn)) {
		if ((++spin & 255) == 0 && rdcycle() > probe.until)
			return false;
	}
	return true;
}

u64 relay_probe_line(u32 *turn, u32 rounds)
{
	u64 start = rdcycle();

	for (u32 i = 0; i < rounds; i++, *turn += 2) {
		relay_probe_turn(*turn + 1);
		if (!relay_probe_wait(*turn + 2))
			return 0;
	}
	return rdcycle() - start;
}

u64 relay_probe_clock(void)
{
	return probe.clock;
}

bool relay_probe_send(struct hart *dst)
{
	struct hart *me = this_hart();

	if (relay_of(me)->backlogged[dst->cpu] ||
	    !msgring_push(relay_of(me)->out[dst->cpu], MSG_PROBE))
		return false;
	relay_doorbell(me, dst);
	return true;
}

bool relay_probe_begin(struct hart *dst, enum probe_mode mode, u32 us)
{
	if (atomic_cmpxchg(&probe.busy, 0, 1))
		return false;
	probe.dst = dst;
	probe.mode = mode;
	probe.limit = us * clock_cycles_per_us();
	probe.turn = 0;
	probe.taken = 0;
	probe.done = 0;
	probe.until = rdcycle() + probe.limit;
	/* PING (release) - pairs with relay_probe_answer(). */
	store_release(&probe.open, 1);
	if (relay_probe_send(dst)) {
		hart_ipi(dst->cpu); /* from user mode too */
		return true;
	}
	probe.open = 0;
	atomic_xchg(&probe.busy, 0);
	return false;
}

/* Who has begun to answer must have ended before the next one begins. */
bool relay_probe_end(void)
{
	u64 start = rdcycle();
	bool in_time = true;

	/* PING (release) - pairs with is_open(). */
	store_release(&probe.open, 0);
	if (atomic_xchg(&probe.taken, 1)) {
		hart_ipi(probe.dst->cpu);
		/* PING (acquire) - pairs with relay_probe_answer(). */
		while (!load_acquire(&probe.done) && in_time)
			in_time = rdcycle() - start < 4 * probe.limit;
	}
	if (in_time)
		atomic_xchg(&probe.busy, 0);
	return in_time;
}

static bool is_open(void)
{
	/* PING (acquire) - pairs with relay_probe_end(). */
	return load_acquire(&probe.open);
}

static bool answer_wait(u32 turn, u64 until)
{
	u32 spin = 0;

	while (!reached(turn)) {
		if ((++spin & 255) == 0 && (!is_open() || rdcycle() > until))
			return false;
	}
	return true;
}

static void answer_turns(u64 until)
{
	for (u32 i = 0; i < PROBE_ROUNDS; i++) {
		if (!answer_wait(2 * i + 1, until))
			return;
		relay_probe_turn(2 * i + 2);
	}
}

static void answer_clock(u64 until)
{
	for (u32 i = 0; i < PROBE_ROUNDS; i++) {
		if (!answer_wait(2 * i + 1, until))
			return;
		probe.clock = rdcycle();
		relay_probe_turn(2 * i + 2);
	}
}

/* Announces each sleep by an odd turn itself, and answers the IPI by an even one. */
static void answer_asleep(struct hart *h)
{
	for (u32 i = 0; is_open(); i++) {
		relay_probe_turn(2 * i + 1);
		while (!(csr_read(sip) & SIP_SSIP))
			__asm__ volatile("wfi" : : : "memory");
		csr_clear(sip, SIP_SSIP);
		h->st.ipis_received++;
		relay_probe_turn(2 * i + 2);
	}
	/* What else it may have been for. */
	store_once(&h->kick, 1);
	hart_ipi(h->cpu);
}

static void answer(struct hart *h)
{
	u64 until = rdcycle() + probe.limit;

	switch (probe.mode) {
	case PROBE_PING:
		answer_turns(until);
		break;
	case PROBE_CLOCK:
		answer_clock(until);
		break;
	case PROBE_WAKE:
		answer_asleep(h);
		break;
	case PROBE_STALL:
		while (rdcycle() < until)
			cpu_relax();
		break;
	case PROBE_ONCE:
		break;
	}
}

void relay_probe_answer(struct hart *h)
{
	bool stall;

	if (!is_open())
		return;
	if (probe.mode == PROBE_ONCE) {
		/* A message for each turn. */
		relay_probe_turn(probe.turn + 2);
		return;
	}
	if (atomic_xchg(&probe.taken, 1))
		return;
	stall = probe.mode == PROBE_STALL;
	answer(h);
	if (stall) { /* nobody waits for it */
		probe.open = 0;
		atomic_xchg(&probe.busy, 0);
		return;
	}
	/* PING (release) - pairs with relay_probe_end(). */
	store_release(&probe.done, 1);
}

#define SKEW_ROUNDS 32u
#define SKEW_US	    10000u

/*
 * How far @dst's cycle counter is behind this one's: its reading against the middle
 * of the round trip, of the fastest round.  Less than half of that is no
 * difference.
 */
static s64 skew_to(struct hart *dst)
{
	u64 best = ~0ULL;
	s64 skew = 0;

	if (!relay_probe_begin(dst, PROBE_CLOCK, SKEW_US))
		return 0;
	for (u32 i = 0; i < SKEW_ROUNDS; i++) {
		u64 before = rdcycle(), trip;

		relay_probe_turn(2 * i + 1);
		if (!relay_probe_wait(2 * i + 2))
			break;
		trip = rdcycle() - before;
		if (trip < best) {
			best = trip;
			skew = (s64)(before + trip / 2 - relay_probe_clock());
		}
	}
	relay_probe_end();
	return skew < 0 - (s64)best / 2 || skew > (s64)best / 2 ? skew : 0;
}

void relay_measure_skew(void)
{
	struct hart *me = this_hart();

	for (u32 i = 0; i < nr_harts; i++) {
		struct hart *h = harts[i];

		if (h != me && load_once(&h->online))
			store_once(&relay_of(h)->skew,
				   (u64)skew_to(h) + relay_of(me)->skew);
	}
}
