/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/floor.c - what the machine itself costs: /proc/relay/floor.
 *
 *	h_ns	one cache line to another hart and back
 *	sbi_ns	one SBI call that does nothing (get_spec_version)
 *	w_ns	IPI to a hart in wfi, and its answer through memory
 *
 * The reader's coroutine (on a service hart) sends a probe to the application hart
 * that waits for it; that hart answers from its loop.  Both sides are bounded by
 * PROBE_LIMIT_US, so a hart that does not answer costs a line "h_ns -".
 *
 * ORDERING
 *   PING    store of the turn on one side, load on the other; both full.
 */
#include <arch/riscv/csr.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>

#define ROUNDS	       2000u
#define WAKE_ROUNDS    100u
#define PROBE_LIMIT_US 200000u

static struct {
	u32 busy;		/* [a] one measurement at a time */
	u32 turn __aligned(64); /* [a] PING: odd = prober has written */
	u32 mode __aligned(64); /* 1 ping, 2 wake; written before the probe */
	u32 done;		/* [a] */
} probe;

static bool wait_turn(u32 want, u64 limit)
{
	u64 start = rdcycle();
	u32 spin = 0;

	for (;;) {
		/* PING (acquire) - pairs with set_turn(). */
		if ((s32)(load_acquire(&probe.turn) - want) >= 0)
			return true;
		if ((++spin & 1023) == 0 && rdcycle() - start > limit)
			return false;
	}
}

static void set_turn(u32 v)
{
	/* PING (release) - pairs with wait_turn(). */
	store_release(&probe.turn, v);
}

static u64 limit_cycles(void)
{
	return PROBE_LIMIT_US * clock_cycles_per_us();
}

void relay_probe_answer(struct hart *h)
{
	u64 limit = limit_cycles();

	if (probe.mode == 1) {
		for (u32 i = 0; i < ROUNDS; i++) {
			if (!wait_turn(2 * i + 1, limit))
				break;
			set_turn(2 * i + 2);
		}
	} else {
		for (u32 i = 0; i < WAKE_ROUNDS; i++) {
			/* Announce, sleep, answer. */
			set_turn(2 * i + 1);
			while (!(csr_read(sip) & SIP_SSIP))
				__asm__ volatile("wfi" : : : "memory");
			csr_clear(sip, SIP_SSIP);
			set_turn(2 * i + 2);
		}
	}
	h->st.ipis_received += probe.mode == 2 ? WAKE_ROUNDS : 0;
	/* PING (release) - pairs with probe_hart(). */
	store_release(&probe.done, 1);
}

static bool send_probe(struct hart *me, struct hart *dst, u32 mode)
{
	struct relay_hart *r = relay_of(me);

	set_turn(0);
	store_once(&probe.done, 0);
	probe.mode = mode;
	if (r->backlogged[dst->cpu] ||
	    !msgring_push(r->out[dst->cpu], MSG_PROBE))
		return false;
	hart_ipi(dst->cpu);
	return true;
}

static bool finish_probe(void)
{
	u64 start = rdcycle();

	/* PING (acquire) - pairs with relay_probe_answer(). */
	while (!load_acquire(&probe.done)) {
		if (rdcycle() - start > 4 * limit_cycles())
			return false;
	}
	return true;
}

static u64 measure_line(struct hart *me, struct hart *dst)
{
	u64 limit = limit_cycles(), start = 0, ns;

	if (!send_probe(me, dst, 1))
		return 0;
	for (u32 i = 0; i < ROUNDS; i++) {
		if (i == 100)
			start = rdcycle();
		set_turn(2 * i + 1);
		if (!wait_turn(2 * i + 2, limit))
			return 0;
	}
	ns = clock_cycles_to_ns(rdcycle() - start) / (ROUNDS - 100);
	return finish_probe() ? ns : 0;
}

static u64 measure_wake(struct hart *me, struct hart *dst)
{
	u64 limit = limit_cycles(), best = ~0ULL;

	if (!send_probe(me, dst, 2))
		return 0;
	for (u32 i = 0; i < WAKE_ROUNDS; i++) {
		u64 start;

		if (!wait_turn(2 * i + 1, limit))
			return 0;
		udelay(100); /* let it fall asleep */
		start = rdcycle();
		hart_ipi(dst->cpu);
		if (!wait_turn(2 * i + 2, limit))
			return 0;
		best = min(best, rdcycle() - start);
	}
	return finish_probe() ? clock_cycles_to_ns(best) : 0;
}

static u64 measure_sbi(void)
{
	u64 start = rdcycle();

	for (u32 i = 0; i < 1000; i++)
		hart_null_call();
	return clock_cycles_to_ns(rdcycle() - start) / 1000;
}

static void line(const char *name, u64 ns, relay_emit_fn *emit, void *ctx)
{
	char b[48];

	if (ns)
		snprintf(b, sizeof(b), "%s %lu\n", name, ns);
	else
		snprintf(b, sizeof(b), "%s -\n", name);
	emit(ctx, b);
}

void relay_show_floor(relay_emit_fn *emit, void *ctx)
{
	struct hart *me = this_hart(), *dst = current->home;
	bool pair = dst && dst != me;

	if (atomic_cmpxchg(&probe.busy, 0, 1))
		return;
	for (u32 i = 0; !pair && i < nr_harts; i++) {
		dst = harts[i];
		pair = dst != me && dst->online;
	}
	line("h_ns", pair ? measure_line(me, dst) : 0, emit, ctx);
	line("sbi_ns", measure_sbi(), emit, ctx);
	line("w_ns", pair ? measure_wake(me, dst) : 0, emit, ctx);
	atomic_xchg(&probe.busy, 0);
}
