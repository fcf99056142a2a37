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
 * Context: the loop's functions run on the hart's own stack, not in a coroutine.
 */
#ifndef KERNEL_RELAY_RELAY_H
#define KERNEL_RELAY_RELAY_H

#include <kernel/hart.h>
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

#define CALL_SAMPLE  16u
#define CALL_SLOW_NS 20000u
struct call_stats {
	u64 count[NR_SYSCALLS];	  /* [H] */
	u32 last[NR_SYSCALLS];	  /* [H] cycles that the last timed one ran */
	u32 last_ns[NR_SYSCALLS]; /* [H] the same in ns */
	u8 slow[NR_SYSCALLS]; /* [H] it took more than CALL_SLOW_NS: time the next */
	struct hist *hist; /* [I] NR_SYSCALLS of them: service time, cycles */
	u64 nosys_other;   /* [H] numbers beyond the table */
};

/* Per-hart private part, behind hart->relay. */
struct relay_hart {
	struct msgring *in[MAX_HARTS];	/* [I] from hart i to this one */
	struct msgring *out[MAX_HARTS]; /* [I] from this one to hart i */
	u32 backlogged[MAX_HARTS];	/* [H] of hart->backlog, per receiver */
	u32 nr_in;			/* [I] */
	struct msgring *inv[MAX_HARTS]; /* [I] the rings to look at, dense */
	u64 posted, back;    /* [H] threads away = posted - back - left */
	u64 left;	     /* [a] homed here, went elsewhere or died */
	bool preempt;	     /* [H] a woken thread wants the hart */
	struct ktimer slice; /* [H] */
	struct call_stats calls;
	u32 rng;		  /* [H] delay injection */
	struct trace_ring *trace; /* [I] */
};

static inline struct relay_hart *relay_of(struct hart *h)
{
	return h->relay;
}

/* --- params.c: boot arguments and what /proc may change */
extern u8 relay_policy;	      /* [a] machine default */
extern u8 relay_fault_policy; /* [a] */
extern u64 relay_poll_cap;    /* [a] cycles */
extern u64 relay_poll_us;     /* [a] */
extern u64 relay_slice_ns;    /* [a] */
extern u32 relay_ring_shift;  /* [I] */
extern u32 relay_ring_start;  /* [I] first index */
extern u32
	relay_delay_max; /* [a] random delays of up to so many spins; 0: none */
extern const char *relay_service_arg; /* [I] */
void relay_params_init(void);	      /* clock and harts are known */
bool relay_call_is_local_in_hybrid(u64 nr);
const char *relay_policy_name(u8 policy);
int relay_policy_parse(const char *s); /* enum relay_policy or -EINVAL */
/* Where call @nr of @t runs: POLICY_REMOTE or POLICY_LOCAL. */
u8 relay_where(const struct thread *t, u64 nr);

/* --- ring.c */
void relay_rings_init(void);
/* Put @t into the ring to @dst and wake it if it asked for that. */
void relay_send(struct hart *h, struct hart *dst, struct thread *t, u32 kind);
/* As relay_send(), and always an IPI: @dst may be in user mode unannounced. */
void relay_send_urgent(struct hart *h, struct hart *dst, struct thread *t,
		       u32 kind);
void relay_flush_backlog(struct hart *h);
static inline bool relay_pending(const struct relay_hart *r)
{
	for (u32 i = 0; i < r->nr_in; i++) {
		if (msgring_pending(r->inv[i]))
			return true;
	}
	return false;
}
void relay_delay_slow(struct hart *h);
static inline void relay_delay(struct hart *h)
{
	if (unlikely(relay_delay_max))
		relay_delay_slow(h);
}

/* --- loop.c */
void hart_loop(void) __noreturn;
void relay_take_interrupts(struct hart *h);

/* --- call.c */
void relay_post(struct hart *h, struct thread *t);
void relay_run_request(struct hart *h, struct thread *t);
void relay_run_ready(struct hart *h);
void relay_user_ready(struct hart *h, struct thread *t, bool front);
void relay_yield(void); /* sched_yield(2) of current */

/* --- place.c */
struct hart *relay_pick_app(const struct thread *t, struct hart *prefer);
/* Current's affinity changed: the end of its request finds it another hart. */
void relay_leave_home(struct thread *t);
struct hart *relay_pick_service(const struct hart *app);
void relay_slice_arm(struct hart *h);
void relay_slice_disarm(struct hart *h);
void relay_slice_expired(struct ktimer *t);
void relay_push_away(struct hart *h);

/* --- idle.c */
void relay_idle(struct hart *h);

/* --- user.c */
/* Enter user mode if a thread of this hart can run; returns if none can. */
void relay_run_user(struct hart *h);
void relay_fp_save(struct hart *h, struct thread *t);
void relay_drop_user_mm(struct hart *h);

/* --- stats.c, trace.c, floor.c: text for /proc/relay, line by line */
typedef void relay_emit_fn(void *ctx, const char *text);
void relay_show_status(relay_emit_fn *emit, void *ctx);
void relay_show_syscalls(relay_emit_fn *emit, void *ctx);
void relay_show_trace(relay_emit_fn *emit, void *ctx);
void relay_show_floor(relay_emit_fn *emit, void *ctx);
void relay_show_policy(relay_emit_fn *emit, void *ctx);
int relay_write_policy(const char *line); /* "relay=local", "poll_us=20" ... */
int relay_show_process(struct process *p, char *buf, size_t n);
int relay_write_process(struct process *p, const char *line);
void relay_trace_enable(bool on);
void relay_reset_stats(void);
/* A timed call: @all cycles from begin to end, @ran of them not suspended. */
void relay_stats_call(struct hart *h, u64 nr, u64 all, u64 ran);
void relay_stats_init(struct hart *h);
void relay_panic_dump(void);

enum trace_what {
	TRACE_POSTED,
	TRACE_SEEN,
	TRACE_SUSPEND,
	TRACE_RESUME_CO,
	TRACE_DONE,
	TRACE_RESUMED,
	TRACE_SLEEP,
	TRACE_WOKEN,
	NR_TRACE_WHAT,
};
extern u32 relay_trace_on; /* [a] */
void relay_trace_slow(struct hart *h, struct thread *t, enum trace_what what);
static inline void relay_trace(struct hart *h, struct thread *t,
			       enum trace_what what)
{
	if (unlikely(relay_trace_on))
		relay_trace_slow(h, t, what);
}
void relay_probe_answer(struct hart *h);

#endif /* KERNEL_RELAY_RELAY_H */
