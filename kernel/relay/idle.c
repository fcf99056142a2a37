/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/idle.c - nothing to do: poll for a while, announce, look again,
 * sleep.
 *
 * A wake-up by IPI costs w; polling for a few w before sleeping is never much
 * dearer than knowing the future.  It must be more than w: with less, a hart whose
 * peer is just being woken gives up before the answer, is asleep when it comes, and
 * does the same to the peer.  The budget adapts between a floor
 * and the cap (`poll_us=`): a sleep that turned out shorter than some caps doubles
 * it, a longer one halves it.  A hart that waits for nobody does not poll.
 *
 * All that supposes that the other side goes on while this one polls.  Where harts
 * share a processor (a loaded host of an emulator) it does not, and whoever polls
 * delays what he waits for.  So a poll in vain, although the answer came soon after,
 * makes the next waits poll for the floor only: one of them, then 3, 7, ... 63; a
 * hit ends that.  Nothing is learned while somebody is in haste (kernel/dev/latency.c):
 * then a hart that has slept polls for the cap.
 *
 * ORDERING
 *   SLEEP   of relay.h, the receiver's end: relay_announce().
 *   ICACHE  of kernel/mm/fault.c: state says that h is awake, then icache_gen is read.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/jump.h>
#include <kernel/assert.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>

#define POLL_FLOOR_DIV 32  /* of the cap */
#define CLOCK_EVERY    512 /* looks between two at the clock and at sip */
#define LOOKS_MOST     (1ul << 20) /* cycles of these; more: it was disturbed */
#define SHORT_SLEEP    4	   /* caps */
#define MAX_BACKOFF    6u /* log2 of the waits between two long polls */

u32 relay_hasty;

/* Returns true when it is safe to wait for an interrupt. */
static bool relay_announce(struct hart *h)
{
	store_once(&h->notify, 1);
	/* SLEEP (full) - pairs with relay_doorbell(). */
	smp_mb();
	relay_delay(h);
	if (!relay_pending(relay_of(h)))
		return true;
	store_once(&h->notify, 0); /* relaxed: late means one spurious IPI */
	return false;
}

enum polled {
	POLL_NOTHING, /* the budget is spent */
	POLL_WORK,    /* interrupts were taken: look around */
};

/* From the first look at the clock on; EV_POLL tells it more exactly. */
static __cold u64 poll_begins(struct hart *h, u64 now)
{
	if (!(relay_watched & WATCH_LEGS))
		relay_account(h, TIME_POLL, now + relay_of(h)->skew);
	return now;
}

static void poll_ends(struct hart *h, u64 start, u64 now)
{
	h->poll_ns += now - start;
	relay_account(h, relay_time_awake(), now + relay_of(h)->skew);
}

/*
 * The message has come, @looks after the clock said @last: when is told by what looks
 * take, for the one who waits for the answer would wait for the clock as well.
 */
static u64 poll_hits(struct hart *h, u64 start, u64 last, u32 looks)
{
	u64 now = last + ((u64)relay_of(h)->look_cycles * looks) / CLOCK_EVERY;

	poll_ends(h, start, now);
	if (!h->poll_rest)
		h->poll_backoff = 0;
	return now;
}

static u64 least_budget(void)
{
	return relay_poll_cap / POLL_FLOOR_DIV;
}

/* For how long now: at least the floor. */
static u64 budget(const struct hart *h)
{
	return h->poll_rest ? least_budget() : h->poll_budget;
}

/*
 * A message, or an enum polled.  The clock, and what else needs a CSR, is looked
 * at only when the answer is not quick.  @when it came; 0: it was.
 */
static inline __attribute__((always_inline)) u64 poll(struct hart *h, u64 *when)
{
	struct relay_hart *r = relay_of(h);
	u64 start = 0, last = 0, length = budget(h), now, word;

	h->state = HART_POLL;
	relay_observe(h, NULL, EV_POLL, 0);
	for (u32 spin = 1;; spin++) {
		word = relay_next_message(r);
		if (word) {
			*when = start ? poll_hits(h, start, last,
						  spin % CLOCK_EVERY)
				      : 0;
			return word;
		}
		if (likely(spin % CLOCK_EVERY))
			continue;
		now = rdcycle();
		if (start)
			r->look_cycles = (u32)min(now - last, LOOKS_MOST);
		else
			start = poll_begins(h, now);
		last = now;
		if (csr_read(sip) & h->sie) {
			poll_ends(h, start, now);
			relay_take_interrupts(h);
			return POLL_WORK;
		}
		if (now - start >= length) {
			poll_ends(h, start, now);
			return POLL_NOTHING;
		}
	}
}

/* A sleep for @waited has followed a poll for budget(). */
static void adapt(struct hart *h, u64 waited)
{
	u64 cap = relay_poll_cap, least = least_budget();
	bool soon = waited < SHORT_SLEEP * cap;

	if (unlikely(load_once(&relay_hasty))) {
		h->poll_budget = cap;
		h->poll_rest = 0;
		return;
	}
	if (h->poll_rest) {
		h->poll_rest--;
		return;
	}
	if (soon && h->poll_budget > least) {
		h->poll_backoff = min(h->poll_backoff + 1, MAX_BACKOFF);
		h->poll_rest = (1u << h->poll_backoff) - 1;
	}
	if (soon)
		h->poll_budget = min(cap, max(2 * h->poll_budget, least * 4));
	else
		h->poll_budget = max(h->poll_budget / 2, least);
}

static __cold void sleep(struct hart *h)
{
	u64 start, woken;

	/* Somebody else's ring is full: the room may come without an IPI. */
	if (!list_empty(&h->backlog))
		return;
	if (unlikely(ktimer_armed(&relay_of(h)->slice)))
		relay_slice_disarm(h);
	relay_watch_begin(h);
	timer_prepare_sleep(h);
	if (!relay_announce(h)) {
		relay_watch_end(h);
		return;
	}
	relay_delay(h);
	store_once(&h->state, HART_SLEEP);
	relay_observe(h, NULL, EV_SLEEP, 0);
	h->st.sleeps++;
	start = rdcycle();
	relay_account(h, TIME_IDLE, start + relay_of(h)->skew);
	/* sie decides what ends it; sstatus.SIE is off, so nothing is taken here. */
	__asm__ volatile("wfi" : : : "memory");
	relay_observe(h, NULL, EV_WOKEN, 0);
	store_once(&h->state, HART_LOOP);
	/* ICACHE (full) - pairs with hart_fence_i_awake(). */
	smp_mb();
	woken = rdcycle();
	h->idle_ns += woken - start;
	relay_account(h, relay_time_awake(), woken + relay_of(h)->skew);
	store_once(&h->notify, 0); /* relaxed: late means one spurious IPI */
	if (csr_read(sip) & SIP_SSIP)
		h->st.wakeups++;
	adapt(h, rdcycle() - start);
	relay_take_interrupts(h);
	relay_watch_end(h);
}

u64 relay_idle(struct hart *h)
{
	bool waits = (h->role & ROLE_SERVICE) || relay_some_away(h);
	u64 found, when;

	KASSERT(list_empty(&h->ready) && !h->lock_depth);
	if (likely(waits && relay_poll_cap)) {
		found = poll(h, &when);
		if (found != POLL_NOTHING) {
			h->st.poll_hits++;
			return found == POLL_WORK ? 0 : found;
		}
		h->st.poll_misses++;
	}
	sleep(h);
	return 0;
}

/*
 * The same for a service hart that has looked in vain for as long as a short call takes,
 * and has counted what is to come: programs that also compute call every few
 * microseconds, and by way of the loop each of these calls would take as much longer as
 * a null call takes in all.
 */
__hotpath_loop void relay_poll_on(struct hart *h)
{
	u64 found, when;

	if (unlikely(!relay_poll_cap))
		jump_to(relay_no_message, h);
	found = poll(h, &when);
	if (likely(found > POLL_WORK))
		jump_to_3(relay_polled, h, found, when);
	relay_uncount_message(h);
	if (found == POLL_NOTHING) {
		h->st.poll_misses++;
		sleep(h);
	}
	hart_loop();
}

/* And for an application hart whose thread @t waits for more than a short call. */
__hotpath_loop void relay_await_on(struct hart *h, const struct thread *t)
{
	relay_late(h, t);
	jump_to(relay_poll_on, h);
}
