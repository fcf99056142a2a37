/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/floor.c - what the machine itself costs: /proc/relay/floor.
 *
 *	h_ns	one cache line to another hart and back, both looking at it
 *	sbi_ns	one SBI call that does nothing (get_spec_version)
 *	w_ns	IPI to a hart in wfi, and its answer through memory: the best of some
 *		rows of ten, as whoever compares times calls, too
 *	least_w_ns	the single quickest of these wake-ups; on a shared host often
 *		half of w_ns
 *	ring_ns	a message through the ring to a hart that polls, and its answer
 *		from the loop through memory; best of some
 *	ipi_ns	the sending of an IPI alone, on the sender; best of some
 *
 * and the same in cycles (h_cycles ...).  "-": could not be measured, for want of a
 * second hart or because it did not answer in time (probe.c): under -icount harts
 * take turns, so no two of them are ever awake together.
 *
 * The reader's coroutine measures with the application hart that waits for it.
 */
#include <arch/riscv/csr.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>

#define BATCH	    100u /* rounds between two looks at the clock */
#define WAKE_ROWS   10u
#define WAKE_BATCH  10u
#define RING_ROUNDS 100u
/* All together less than what watch.c takes for a stall. */
#define LINE_US	 400000u
#define OTHER_US 200000u

/* All of these: cycles, 0 for not measured. */
static u64 measure_line(struct hart *dst)
{
	u64 best = ~0ULL, cycles = 1;
	u32 turn = 0;

	if (!relay_probe_begin(dst, PROBE_PING, LINE_US))
		return 0;
	/* On a busy host only the best is worth something. */
	for (u32 i = 0; i < PROBE_ROUNDS / BATCH && cycles; i++) {
		cycles = relay_probe_line(&turn, BATCH);
		if (i && cycles)
			best = min(best, cycles / BATCH);
	}
	return relay_probe_end() && best != ~0ULL ? best : 0;
}

/* One round: cycles, 0 when it did not answer in time. */
static u64 wake_once(struct hart *dst, u64 *ipi)
{
	u64 start, sent;
	u32 turn;

	if (!relay_probe_wait(1))
		return 0;
	/* Let it fall asleep, and wake up from the IPI that came with the probe:
	 * from then on its turns are ours. */
	udelay(100);
	turn = relay_probe_at() | 1;
	start = rdcycle();
	hart_ipi(dst->cpu);
	sent = rdcycle();
	if (!relay_probe_wait(turn + 1))
		return 0;
	*ipi = min(*ipi, sent - start);
	return rdcycle() - start;
}

struct wake {
	u64 row, least, ipi; /* cycles */
};

static void measure_wake(struct hart *dst, struct wake *w)
{
	struct wake best = { ~0ULL, ~0ULL, ~0ULL };

	if (!relay_probe_begin(dst, PROBE_WAKE, OTHER_US))
		return;
	for (u32 row = 0; row < WAKE_ROWS; row++) {
		u64 sum = 0, one = 1;

		for (u32 i = 0; i < WAKE_BATCH && one; i++) {
			one = wake_once(dst, &best.ipi);
			sum += one;
			best.least = min(best.least, one);
		}
		if (!one)
			break;
		best.row = min(best.row, sum / WAKE_BATCH);
	}
	if (relay_probe_end() && best.row != ~0ULL)
		*w = best;
}

static u64 measure_ring(struct hart *dst)
{
	u64 best = ~0ULL;
	u32 turn = 2;

	if (!relay_probe_begin(dst, PROBE_ONCE, OTHER_US))
		return 0;
	for (u32 i = 0; i < RING_ROUNDS && relay_probe_wait(turn); i++) {
		u64 start = rdcycle();

		turn += 2;
		if (!relay_probe_send(dst) || !relay_probe_wait(turn))
			break;
		best = min(best, rdcycle() - start);
	}
	return relay_probe_end() && best != ~0ULL ? best : 0;
}

static u64 measure_sbi(void)
{
	u64 start = rdcycle();

	for (u32 i = 0; i < 1000; i++)
		hart_null_call();
	return (rdcycle() - start) / 1000;
}

static void line(const char *name, u64 cycles, relay_emit_fn *emit, void *ctx)
{
	char b[80];

	if (cycles)
		snprintf(b, sizeof(b), "%s_ns %lu\n%s_cycles %lu\n", name,
			 max(clock_cycles_to_ns(cycles), 1ul), name, cycles);
	else
		snprintf(b, sizeof(b), "%s_ns -\n%s_cycles -\n", name, name);
	emit(ctx, b);
}

void relay_show_floor(relay_emit_fn *emit, void *ctx)
{
	struct hart *me = this_hart(), *dst = current->home;
	bool pair = dst && dst != me;
	struct wake w = { 0 };
	u64 h = 0, ring = 0;

	for (u32 i = 0; !pair && i < nr_harts; i++) {
		dst = harts[i];
		pair = dst != me && dst->online;
	}
	if (pair)
		h = measure_line(dst);
	if (h) {
		ring = measure_ring(dst);
		measure_wake(dst, &w);
	}
	line("h", h, emit, ctx);
	line("sbi", measure_sbi(), emit, ctx);
	line("w", w.row, emit, ctx);
	line("least_w", w.least, emit, ctx);
	line("ring", ring, emit, ctx);
	line("ipi", w.ipi, emit, ctx);
}
