/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/relay.h - requests from application harts to service harts.
 *
 * docs/relay.md draws a call's way.  In short: user_trap() on hart A posts the
 * thread into the ring A->S; S's loop pops it and runs the request as a coroutine
 * on the thread's kernel stack; the coroutine may suspend and is made ready again
 * by thread_wake(); when it ends S pushes the thread into the ring S->A, and A
 * returns to user mode.  Under `relay=local` A runs the same coroutine itself.
 *
 * A message is a thread and a kind.  A thread is in at most one ring or list at a
 * time, so the message needs no memory of its own: when a ring is full the thread
 * itself is linked into the sender's backlog.
 *
 * ORDERING
 *   SLEEP     sender: message published, full fence, look at notify;
 *             receiver: notify set, full fence, look at the rings.
 *             One of the two sees the other's store, so a wake-up cannot be lost.
 *   IPICLEAR  receiver: SSIP cleared, full fence, then the rings are drained; the
 *             sender raises SSIP after it published (device end: SBI IPI).
 *   WAKE      thread_wake()'s exchange of state, with wait_prepare()'s.
 *
 * PROMISE.  An application hart that enters user mode while other threads of it are
 * in calls must be interrupted when one of them ends.  It need not announce that
 * (notify, SLEEP), which moves a cache line in both directions for every call, when
 * its service hart has promised an IPI with the next completion anyway: that was
 * said with the completion of the last request which this hart posted, so the
 * service hart has heard nothing from it since.  tests/model/promise.pml.
 *
 * Context: the loop's functions run on the hart's own stack, not in a coroutine.
 */
#ifndef KERNEL_RELAY_RELAY_H
#define KERNEL_RELAY_RELAY_H

#include <arch/riscv/csr.h>
#include <kernel/hart.h>
#include <kernel/relay/observe.h>
#include <kernel/sched/thread.h>
#include <kernel/time/timer.h>
#include <kernel/upcalls.h>
#include <lib/hist.h>
#include <lib/msgring.h>
#include <lib/types.h>

enum relay_policy {
	POLICY_DEFAULT, /* of the process: the machine's */
	POLICY_REMOTE,
	POLICY_LOCAL,
	POLICY_HYBRID, /* a table says call by call */
	NR_POLICIES,
};

/* Even, below 64: bits 1-5 of a message word. */
enum relay_msg {
	MSG_REQUEST = 2, /* run its request */
	MSG_DONE = 4,	 /* its request has ended: back to user mode */
	MSG_WAKE = 6,	 /* resume its coroutine */
	MSG_PLACE = 8,	 /* new or moved here: it may run user code */
	MSG_PROBE = 10,	 /* no thread: answer a measurement (floor.c) */
	MSG_DONE_PROMISE =
		12,    /* MSG_DONE, and what comes next will interrupt */
	MSG_CALL = 14, /* a plain call: it is in the registers alone */
	MSG_WORK = 16, /* no thread: a struct hart_work (work.h) */
};
#define MSG_KIND(w)   ((u32)((w)&62))
#define MSG_THREAD(w) ((struct thread *)((w) & ~63ULL))

/* Why a coroutine left its stack: co_start(), co_resume(). */
enum co_result {
	CO_FINISHED = 0,
	CO_SUSPENDED,
	CO_YIELDED,
	CO_EXITED,
};

#define CALL_SAMPLE  64u
#define CALL_SLOW_NS 20000u
/*
 * What a hart knows of one system call: a cache line that holds all that the way
 * of the call looks at.
 */
struct call_row {
	syscall_fn *fn; /* [I] its handler */
	u64 count;	/* [H] */
	u32 last_ns;	/* [H] how long the last timed one ran */
	u16 traits;	/* [I] CALL_* */
	u16 slow;	/* [H] it took more than CALL_SLOW_NS: time the next */
	u8 late;	/* [H] so many are not waited for: AWAIT_SKIP */
	struct hist *hist; /* [I] service time, ns; NULL: no memory */
} __aligned(64);

/* traits */
#define CALL_LOCAL_IN_HYBRID BIT(0)
#define CALL_LEAVES_MM	     BIT(1) /* its end needs no user memory */
#define CALL_HERE	     BIT(2) /* this hart is a service hart itself */
#define CALL_TIMED	     BIT(3) /* always: it ends or tells CPU time */
#define CALL_SIZED	     BIT(4) /* a2 says how many bytes it moves */

/* Whose turn it is in the hart's loop: loop.c, L2. */
enum loop_turn {
	TURN_MESSAGE,
	TURN_READY,
	TURN_USER,
};

/* What a service hart knows of an application hart.  All [H]. */
struct relay_peer {
	struct thread *last; /* whose request came last; only compared */
	bool promised; /* its next completion is sent with an IPI: PROMISE */
};

/* relay_hart.preempt */
#define PREEMPT_TURN 1u /* it is another thread's turn */
#define PREEMPT_LOOK 2u /* an IPI was taken: not before the rings are empty */
#define PREEMPT_BACK \
	4u /* it was, and is again, another real-time thread's turn */

#define PREEMPT_FIRST \
	8u /* who waited goes first, and who has the hart goes on after it */

/* A thread whose call this hart does not wait for, but goes on: account.c. */
#define NR_LATE 32u
struct relay_late {
	const struct thread *t; /* only compared; NULL: none */
	u64 since;		/* relay_stamp() */
};
/* The place of @t in a hart's table; who comes to one that is taken has it. */
static inline u32 relay_late_slot(const struct thread *t)
{
	return (u32)((u64)t >> 6 ^ (u64)t >> 12) % NR_LATE;
}

/* Per-hart private part, behind hart->relay. */
struct relay_hart {
	struct msgring *in[MAX_HARTS];	/* [I] from hart i to this one */
	struct msgring *out[MAX_HARTS]; /* [I] from this one to hart i */
	u32 backlogged[MAX_HARTS];	/* [H] of hart->backlog, per receiver */
	struct msgring *inv[MAX_HARTS]; /* [I] the rings to look at, dense */
	u32 nr_in;			/* [I] */
	u32 at;				/* [H] of inv: where to look next */
	u32 ring_turns;	 /* [H] messages left before the next ring's turn */
	u32 rounds;	 /* [H] of the loop */
	u32 look_cycles; /* [H] of the looks between two at the clock: idle.c */
	u8 turn;	 /* [H] enum loop_turn */
	struct list_head later; /* [H] coroutines whose turn is over: turns.c */
	bool favour; /* [a] short calls go before long ones: favour.c */
	struct list_head paid; /* [H] passed over, within relay_choose() */
	u8 passed;	       /* [H] messages since a coroutine had its turn */
	bool in_batch; /* [H] the rings were not empty at the last look */
	struct hart *service;	    /* [I] where this hart's requests go */
	struct msgring *to_service; /* [I] of out[] */
	struct relay_peer peer[MAX_HARTS];
	struct thread *last_posted; /* [H] only compared */
	bool promised; /* [H] the service hart interrupts us: PROMISE */
	u32 here;   /* [H] user threads of this hart that are suspended on it */
	u64 away;   /* [H] threads of this hart that went into calls and did not
		   * come back */
	u64 left;   /* [a] of them, those that went elsewhere or died */
	u8 resort;  /* [a] a priority changed: set by others */
	u8 preempt; /* [H] PREEMPT_*: before user code runs again */
	u64 turns;  /* [H] begun by real-time threads */
	struct ktimer slice;	/* [H] */
	struct thread *turn_of; /* [H] whose turn the slice is; only compared */
	u64 turn_ends;		/* [H] CLOCK_MONOTONIC */
	u64 lent_at;		/* [H] cycles, when borrower was set */
	bool lent_short;	/* [H] slice ends before turn_ends */
	struct thread *borrower; /* [H] took the hart while turn_of was away;
				  * only compared */
	u32 slice_alone;     /* [H] returns to user mode while nobody waits */
	struct ktimer watch; /* [H] watch.c */
	struct ktimer apps_watch; /* [H] likewise, of a service hart */
	u64 watch_progress; /* [H] of the service hart when it was armed */
	u32 watch_head[MAX_HARTS]; /* [H] of out[] when it was armed */
	u64 watch_apps;	 /* [H] harts that had not taken a message then */
	u64 watch_named; /* [H] harts named in the log, until they answer */
	struct call_row call[NR_SYSCALLS + 1]; /* last: beyond the table */
	struct relay_late late[NR_LATE];       /* [H] */
	u32 rng;			       /* [H] delay injection */
	/* --- observe.h */
	struct trace_ring *trace; /* [I once set] */
	struct leg_table *legs;	  /* [I once set] */
	struct thread *resumed;	  /* [H] has the hart since EV_RESUMED */
	u64 skew;		  /* [a] cycles of the boot hart - this one's */
	u64 queued, queue_cycles; /* [H] requests seen, and how long in rings */
	u64 times_base[NR_RELAY_TIMES]; /* [a] ns at the last reset */
	struct relay_account account __aligned(64);
};

static inline struct relay_hart *relay_of(const struct hart *h)
{
	return h->relay;
}

static inline struct call_row *call_row_of(const struct hart *h, u64 nr)
{
	struct relay_hart *r = h->relay;

	return &r->call[likely(nr < NR_SYSCALLS) ? nr : NR_SYSCALLS];
}

/* --- params.c: boot arguments and what /proc may change */
extern u8 relay_policy;	      /* [a] machine default; hart->policy has copies */
extern u8 relay_fault_policy; /* [a] */
extern u64 relay_poll_cap;    /* [a] cycles */
extern u64 relay_poll_us;     /* [a] */
extern u64 relay_slice_ns;    /* [a] */
extern u32 relay_ring_shift;  /* [I] */
extern u32 relay_ring_start;  /* [I] first index */
extern u32
	relay_delay_max; /* [a] random delays of up to so many spins; 0: none */
extern u32 relay_hasty;	 /* [a] idle.c: who waits polls for as long as it may */
extern const char *relay_service_arg; /* [I] */
extern const char *relay_block_arg;   /* [I] */
void relay_params_init(void);	      /* clock and harts are known */
void relay_watch(void); /* relay_delay_max has changed; coroutine */
void relay_watch_init(void);
const char *relay_policy_name(u8 policy);
int relay_policy_parse(const char *s); /* enum relay_policy or -EINVAL */
/* The traits that a call has on any hart. */
u16 relay_traits_of(u64 nr);
/* Where a call of @t on @h with @traits runs: POLICY_REMOTE or POLICY_LOCAL. */
static inline u8 relay_where(const struct hart *h, const struct thread *t,
			     u16 traits)
{
	u8 p = t->policy;

	if (likely(p == POLICY_DEFAULT))
		p = h->policy;
	if (unlikely(traits & CALL_HERE))
		return POLICY_LOCAL;
	if (likely(p != POLICY_HYBRID))
		return p;
	return traits & CALL_LOCAL_IN_HYBRID ? POLICY_LOCAL : POLICY_REMOTE;
}
bool relay_trap_is_local(const struct thread *t); /* of its req_kind */

/* --- ring.c */
size_t relay_rings_size(u32 n); /* of hotmem, at most */
void relay_rings_init(void);
/* Put @t into the ring to @dst and wake it if it asked for that. */
void relay_send(struct hart *h, struct hart *dst, struct thread *t, u32 kind);
/* As relay_send(), and always an IPI: @dst may be in user mode unannounced. */
void relay_send_urgent(struct hart *h, struct hart *dst, struct thread *t,
		       u32 kind);
/* @dst has a message: wake it if it asked for that. */
void relay_doorbell(struct hart *h, struct hart *dst);
/* @t's request has ended on @h: back to its home @dst. */
void relay_complete(struct hart *h, struct hart *dst, struct thread *t);
void relay_flush_backlog(struct hart *h);
static inline bool relay_pending(const struct relay_hart *r)
{
	for (u32 i = 0; i < r->nr_in; i++) {
		if (msgring_pending(r->inv[i]))
			return true;
	}
	return false;
}
/* At most this many from one ring before the next one: fairness. */
#define RING_TURNS 16u
/* The next word of any ring, or 0. */
static inline __attribute__((always_inline)) u64 relay_next_message(
	struct relay_hart *r)
{
	for (u32 n = r->nr_in; n; n--) {
		u64 word = msgring_pop(r->inv[r->at]);

		if (word && --r->ring_turns)
			return word;
		r->ring_turns = RING_TURNS;
		if (++r->at == r->nr_in)
			r->at = 0;
		if (word)
			return word;
	}
	return 0;
}
void relay_delay_slow(struct hart *h);
static inline void relay_delay(struct hart *h)
{
	if (unlikely(relay_delay_max))
		relay_delay_slow(h);
}

/* --- loop.c */
#define ROUNDS_BLIND 64u  /* turns of the loop between two looks at sip */
#define POLL_LOOKS   512u /* of a hart that has nothing else to do */
#define AWAIT_SKIP   16u  /* calls of a number whose answer was late */
void hart_loop(void) __noreturn;
void relay_poll(struct hart *h) __noreturn; /* h has nothing else to do */
/* Likewise, until @t's call of @c is answered. */
void relay_await(struct hart *h, struct thread *t,
		 struct call_row *c) __noreturn;
void relay_await_blind(struct hart *h, struct thread *t,
		       struct call_row *c) __noreturn;
/* From relay_poll(), and from relay_await(). */
void relay_poll_on(struct hart *h) __noreturn;
void relay_await_on(struct hart *h, const struct thread *t) __noreturn;
/* To them comes @word, @when by rdcycle (0: nobody looked). */
void relay_polled(struct hart *h, u64 word, u64 when) __noreturn;
void relay_no_message(struct hart *h) __noreturn; /* from these */
void relay_uncount_message(struct hart *h);
void relay_no_answer(struct hart *h, const struct thread *t) __noreturn;
/* Often does not return: the message started a coroutine. */
void relay_take_message(struct hart *h, u64 word);
void relay_take_interrupts(struct hart *h);

/* --- call.c */
void relay_post(struct hart *h, struct thread *t);
/* Where the short way (plain.h) goes when it cannot go on. */
void relay_call_slow(struct thread *t) __noreturn;
void relay_call_general(struct thread *t) __noreturn;
void relay_ring_and_loop(struct hart *dst) __noreturn;
void relay_post_and_ring(struct hart *dst, const struct thread *t) __noreturn;
void relay_post_and_loop(const struct thread *t) __noreturn;
void relay_return_general(struct hart *h) __noreturn;
void relay_call_ended_general(struct thread *t) __noreturn;
void relay_call_ended_timed(struct thread *t, struct call_row *c) __noreturn;
void relay_run_request(struct hart *h, struct thread *t) __noreturn;
void relay_run_ready(struct hart *h) __noreturn; /* one that is there */

/* --- watched.c: the same short way for calls that are counted or traced */
void relay_run_watched(struct hart *h, struct thread *t, struct call_row *c);
void relay_call_ended_slow(struct thread *t) __noreturn;
void relay_poll_watched(struct hart *h) __noreturn;
void relay_await_watched(struct hart *h, struct thread *t,
			 struct call_row *c) __noreturn;

/* --- work.c */
struct hart_work;
void relay_run_work(struct hart_work *w);

/* --- favour.c */
#define FAVOUR_MOST 16u /* messages that go before a coroutine that is ready */
/* @t's request is long, and others wait: it is ready, and has its turn behind them.
 * False: it is to run now. */
bool relay_put_off(struct hart *h, struct thread *t);

/* --- account.c: @t's call is late, and its wait not user time; and it is back, @when
 * by rdcycle, or now (0) */
void relay_late(struct hart *h, const struct thread *t);
void relay_late_back(struct hart *h, struct thread *t, u64 when);
/* @t is new on @h: what is noted of it is of another, or of long ago. */
void relay_late_forget(struct hart *h, const struct thread *t);

/* --- place.c */
struct hart *relay_pick_app(const struct thread *t, struct hart *prefer);
/* Current's affinity changed: the end of its request finds it another hart. */
void relay_leave_home(struct thread *t);
void relay_place_init(void); /* roles and rings are final */
void relay_push_away(struct hart *h);

/* @t is off its hart's run queue.  Time there is nobody's: move the edge that user
 * time begins at. */
static inline void relay_left_queue(struct thread *t)
{
	if (t->queued_at) {
		t->acct_start += rdcycle() - t->queued_at;
		t->queued_at = 0;
	}
}

/* --- choose.c */
/* Into the queue of @h: by priority, before or behind its equals. */
void relay_enqueue(struct hart *h, struct thread *t, bool front);
/* @t wants @h.  @back: from a call of its own. */
void relay_user_ready(struct hart *h, struct thread *t, bool back);
/* h->user is who has @h now; NULL: nobody wants it. */
void relay_choose(struct hart *h);
void relay_yield(void); /* sched_yield(2) of current */
/* A thread that is perhaps in the queue of @h has another priority: on that hart; and
 * from another one. */
void relay_sort_queue(struct hart *h);
void relay_ask_to_sort(struct hart *h);

/* --- turns.c */
void relay_slice_arm(struct hart *h, struct thread *t); /* @t's, unless armed */
void relay_slice_disarm(struct hart *h);
void relay_slice_unwanted(struct hart *h); /* nobody waits at this moment */
void relay_slice_expired(struct ktimer *k);
/* @t's turn is over: is the next one also its own, because all in the queue owe theirs?
 * If not, it is that of the first in the queue. */
bool relay_keeps_hart(struct hart *h, struct thread *t);
/* They paid, and go behind who had the turn. */
void relay_paid(struct hart *h);
/* A coroutine that gave way is ready again, or waits for its next turn. */
void relay_coroutine_yielded(struct hart *h, struct thread *t);
/* Those that wait for it have it. */
void relay_coroutines_turn(struct hart *h);
static inline bool relay_user_waits(const struct hart *h)
{
	return h->user || h->nr_runq;
}
/* Who of the queue, which is not empty, has the hart while another's turn goes on. */
struct thread *relay_borrower(struct hart *h);
/* @t, which only computes, took @h while another's turn goes on, and others wait. */
void relay_lend_less(struct hart *h, struct thread *t);
/* The borrower @t goes behind who comes back; before it is in the queue again. */
void relay_given_back(struct hart *h, struct thread *t);

/* --- idle.c */
/* Wait.  A message that came meanwhile, or 0. */
u64 relay_idle(struct hart *h);

/* --- watch.c: around a sleep */
void relay_watch_begin(struct hart *h);
void relay_watch_end(struct hart *h);
void relay_watch_expired(struct ktimer *k);
void relay_watch_apps_expired(struct ktimer *k);
/* Keep the application hart of current from its loop, without waiting for it.
 * -EBUSY: it is no other hart, or a probe is under way. */
int relay_watch_stall_app(u32 us);

/* --- user.c */
/* Enter user mode if a thread of this hart can run; returns if none can. */
void relay_run_user(struct hart *h);
void relay_fp_save(struct hart *h, struct thread *t);
/* An illegal instruction: true if it was @t's first use of floating point, which is
 * now on. */
bool relay_fp_first_use(struct thread *t);
void relay_drop_user_mm(struct hart *h);
/* The floating-point registers of @h are @t's, or @t uses none. */
static inline bool relay_fp_is_here(const struct hart *h,
				    const struct thread *t)
{
	return !(t->tf.status & SSTATUS_FS) ||
	       (h->fp_owner == t && t->fp_hart == h);
}
/* Threads of @h are in calls. */
static inline bool relay_some_away(const struct hart *h)
{
	const struct relay_hart *r = h->relay;

	return r->away != load_once(&r->left);
}
/* User code may run while they are: their end will interrupt it. */
static inline __attribute__((always_inline)) bool relay_will_interrupt(
	const struct hart *h)
{
	const struct relay_hart *r = h->relay;

	return !relay_some_away(h) || load_once(&h->notify) ||
	       (r->promised && !r->here && !relay_pending(r));
}

/* --- stats.c, legs.c, trace.c, floor.c: text for /proc/relay, line by line */
typedef void relay_emit_fn(void *ctx, const char *text);
void relay_show_status(relay_emit_fn *emit, void *ctx);
void relay_show_syscalls(relay_emit_fn *emit, void *ctx);
void relay_show_legs(relay_emit_fn *emit, void *ctx);
void relay_show_trace(relay_emit_fn *emit, void *ctx);
void relay_show_floor(relay_emit_fn *emit, void *ctx);
void relay_show_policy(relay_emit_fn *emit, void *ctx);
int relay_write_policy(const char *line); /* "relay=local", "poll_us=20" ... */
int relay_show_process(struct process *p, char *buf, size_t n);
int relay_write_process(struct process *p, const char *line);
int relay_trace_enable(bool on); /* coroutine; -ENOMEM */
void relay_reset_stats(void);
/* A timed call: @all cycles from begin to end, @ran of them not suspended. */
void relay_stats_call(struct call_row *c, u64 all, u64 ran);
void relay_stats_init(struct hart *h);
void relay_panic_dump(void);

/*
 * --- probe.c: another hart answers to a measurement from its loop
 *
 * relay_probe_begin() sends the probe; both sides then take turns, with numbers
 * that only grow, until relay_probe_end().  All of it within @us microseconds, while
 * which the prober's hart does nothing else: who finds the time spent gives up, on
 * both sides.  One at a time.
 */
enum probe_mode {
	PROBE_PING,  /* answers each odd turn with the next even one */
	PROBE_WAKE,  /* the same, and sleeps before each */
	PROBE_CLOCK, /* the same, with its cycle counter */
	PROBE_ONCE,  /* one turn only: how long a message takes */
	PROBE_STALL, /* does nothing for so long, and ends by itself: watch.c */
};
#define PROBE_ROUNDS 2000u
/* False: busy, or its ring is full. */
bool relay_probe_begin(struct hart *dst, enum probe_mode mode, u32 us);
bool relay_probe_send(struct hart *dst); /* another message, PROBE_ONCE */
bool relay_probe_wait(u32 turn);	 /* false: time is up */
void relay_probe_turn(u32 turn);
u32 relay_probe_at(void); /* the turn now */
/* So many times there and back from *@turn on: cycles; 0: time is up. */
u64 relay_probe_line(u32 *turn, u32 rounds);
u64 relay_probe_clock(void); /* of the other hart, at its last turn */
bool relay_probe_end(void);  /* false: the other hart did not answer */
void relay_measure_skew(void);
void relay_probe_answer(struct hart *h);

#endif /* KERNEL_RELAY_RELAY_H */
