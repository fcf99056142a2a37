/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/account.c - where the time goes, of harts and of threads.
 *
 * A hart is at any moment in one kind of time (enum relay_time) and says since
 * when, so a reader can add the stretch that is running: no tick brings a hart up
 * to date that computes, or sleeps, for long.  What is added up is complete: the
 * kinds together are the time since the hart came up.
 *
 * While nobody watches only sleeping, and polling for long, is told apart, and the
 * rest is TIME_UNSEEN.
 *
 * ORDERING
 *   ACCOUNT  the hart's change of seq to odd, the change, seq to even; the reader's
 *            seq, the account, seq again.
 */
#include <arch/riscv/csr.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>

void relay_account(struct hart *h, enum relay_time what, u64 now)
{
	struct relay_account *a = &relay_of(h)->account;

	store_once(&a->seq, a->seq + 1);
	/* ACCOUNT (full) - pairs with look(). */
	smp_mb();
	if (likely(now > a->since)) {
		a->cycles[a->now] += now - a->since;
		a->since = now;
	}
	a->now = what;
	/* ACCOUNT (release) - pairs with look(). */
	store_release(&a->seq, a->seq + 1);
}

enum relay_time relay_time_awake(void)
{
	return relay_watched & WATCH_LEGS ? TIME_RELAY : TIME_UNSEEN;
}

__cold void relay_unseen(struct hart *h)
{
	if (!(relay_watched & WATCH_LEGS))
		relay_account(h, TIME_UNSEEN, relay_stamp(h));
}

static void look(const struct relay_account *from, struct relay_account *a)
{
	u32 seq;

	do {
		/* ACCOUNT (acquire) - pairs with relay_account(). */
		seq = load_acquire(&from->seq);
		*a = *from;
		/* ACCOUNT (full) - pairs with relay_account(). */
		smp_mb();
	} while ((seq & 1) || seq != load_once(&from->seq));
}

void relay_times(const struct hart *h, u64 ns[NR_RELAY_TIMES])
{
	struct relay_account a;
	u64 now;

	look(&relay_of(h)->account, &a);
	now = relay_stamp(this_hart());
	if (now > a.since)
		a.cycles[a.now] += now - a.since;
	for (u32 i = 0; i < NR_RELAY_TIMES; i++)
		ns[i] = clock_cycles_to_ns(a.cycles[i]);
}

void relay_account_init(struct hart *h)
{
	relay_of(h)->account.since = rdcycle();
}

/*
 * A thread that waits for a service hart is not in user mode.  A hart that waits with it,
 * in relay_await(), is back so soon that it does not matter; one that goes on notes when it
 * left the thread, and sets right what clock_begin() took, or would take, for user time.
 */
__cold void relay_late(struct hart *h, const struct thread *t)
{
	relay_of(h)->late[relay_late_slot(t)] =
		(struct relay_late){ .t = t, .since = relay_stamp(h) };
}

/* @t, whose call has ended, was away for so long; it is this hart's again. */
static void set_right(struct hart *h, struct thread *t, u64 since, u64 now)
{
	const struct hart *by = t->acct_hart;
	u64 waited, over, ns, ran;

	now += relay_of(h)->skew - relay_of(by)->skew;
	since -= relay_of(by)->skew;
	if (t->timed) {
		/* From the last request's end to req_begin was user time, it said. */
		over = t->req_begin > since ? t->req_begin - since : 0;
		t->utime_ns -= min(clock_cycles_to_ns(over), t->utime_ns);
		t->acct_start = max(t->acct_start, now);
		return;
	}
	/* What its handler took is in untimed_ns. */
	waited = now > since ? now - since : 0;
	ns = clock_cycles_to_ns(waited);
	ran = load_once(&call_row_of(t->co_hart, t->tf.a7)->last_ns);
	if (ns > ran)
		t->acct_start =
			min(t->acct_start + waited - waited * ran / ns, now);
}

void relay_late_back(struct hart *h, struct thread *t, u64 when)
{
	struct relay_late *l = &relay_of(h)->late[relay_late_slot(t)];

	l->t = NULL;
	if (t->acct_hart)
		set_right(h, t, l->since, when ? when : rdcycle());
}

void relay_late_forget(struct hart *h, const struct thread *t)
{
	struct relay_late *l = &relay_of(h)->late[relay_late_slot(t)];

	if (l->t == t)
		l->t = NULL;
}

/* Since when @t is late; far in the future: it is not.  Racy. */
static u64 late_since(const struct thread *t)
{
	const struct hart *home = load_once(&t->home);
	const struct relay_late *l;

	if (!home)
		return ~0ull;
	l = &relay_of(home)->late[relay_late_slot(t)];
	return load_once(&l->t) == t ? load_once(&l->since) : ~0ull;
}

/*
 * What t's counters do not have yet, as clock_begin() (call.c) would find it now.
 * Racy: t's hart goes on meanwhile.
 */
static void running(const struct thread *t, u64 *ut, u64 *st)
{
	const struct hart *h = load_once(&t->acct_hart);
	bool timed = load_once(&t->in_coroutine) && load_once(&t->timed);
	u64 start = load_once(&t->acct_start), now, ns, queued, begin;

	if (!h || load_once(&t->state) == THREAD_DEAD)
		return;
	/* Its stamps are those of acct_hart. */
	now = relay_stamp(this_hart()) - relay_of(h)->skew;
	if (timed) {
		begin = load_once(&t->req_begin);
		if (load_once(&t->state) == THREAD_RUNNING && now > begin) {
			ns = now - begin;
			queued = load_once(&t->acct_off);
			*st += clock_cycles_to_ns(ns > queued ? ns - queued
							      : 0);
		}
		return;
	}
	queued = load_once(&t->queued_at);
	if (queued && queued < now)
		now = queued;
	/* One from before is of who had this memory, or of a hart that @t has left. */
	queued = late_since(t) - relay_of(h)->skew;
	if (queued < now && queued > start)
		now = queued;
	if (now <= start)
		return;
	ns = clock_cycles_to_ns(now - start);
	*st += min(ns, (u64)load_once(&t->untimed_ns));
	*ut += ns - min(ns, (u64)load_once(&t->untimed_ns));
}

void relay_thread_times(struct thread *t, u64 *utime_ns, u64 *stime_ns)
{
	/* These first: what is added to them meanwhile is not counted twice. */
	u64 ut = load_once(&t->utime_ns), st = load_once(&t->stime_ns);

	running(t, &ut, &st);
	/* Readers never see it run backwards. */
	*utime_ns = t->utime_shown = max(ut, t->utime_shown);
	*stime_ns = t->stime_shown = max(st, t->stime_shown);
}
