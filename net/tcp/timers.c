/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/timers.c - what happens when nothing does: retransmission [RFC 6298], the probe of
 * a tail [RFC 8985], zero windows, delayed acknowledgements, keep-alive, the ends.
 */
#include <net/tcp/tcp.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>

#define RTO_MAX	    (120 * NSEC_PER_SEC)
#define RTO_MIN	    (200 * NSEC_PER_MSEC)
#define SYN_RTO_MAX (64 * NSEC_PER_SEC)
/* What Linux's tcp_retries2 and that of orphans come to. */
#define GIVE_UP	     (924600 * NSEC_PER_MSEC)
#define GIVE_UP_LONE (102200 * NSEC_PER_MSEC)
#define SYNACK_TRIES 5u
#define PROBES_LONE  8u

void tcb_arm(struct tcb *t, enum tcp_timer which, u64 deadline)
{
	t->timers[which] = deadline;
}

u64 tcb_next_deadline(const struct tcb *t)
{
	u64 first = 0;

	for (u32 i = 0; i < TT_NR; i++) {
		if (t->timers[i] && (!first || t->timers[i] < first))
			first = t->timers[i];
	}
	return first;
}

/* Not later than when its user has had enough. */
static u64 limit(const struct tcb *t, u64 deadline)
{
	u64 end;

	if (!t->conf.user_timeout || !t->first_sent)
		return deadline;
	end = t->first_sent + t->conf.user_timeout * NSEC_PER_MSEC;
	return min(deadline, end);
}

static u64 backed_off(const struct tcb *t, u32 n, u64 most)
{
	return min(t->rto << min(n, 10u), most);
}

/* Can the tail be probed?  Then when. */
static u64 tail_probe(const struct tcb *t)
{
	u64 wait = 2 * t->srtt;

	if (!t->sack_on || t->recovery || t->lost_all || t->tlp_out ||
	    t->backoff || !t->srtt || t->nr_sacks || !tcb_synchronized(t))
		return 0;
	wait += tcb_flight(t) <= t->mss ? RTO_MIN : 2 * NSEC_PER_MSEC;
	return wait < t->rto ? wait : 0;
}

static bool waits_for_room(const struct tcb *t)
{
	return seq_lt(t->snd_nxt, t->tx_end + t->fin_queued) &&
	       (t->state == TCP_ESTABLISHED || t->state == TCP_CLOSE_WAIT ||
		t->state == TCP_FIN_WAIT1 || t->state == TCP_LAST_ACK ||
		t->state == TCP_CLOSING);
}

void tcb_arm_rexmt(struct tcb *t)
{
	u64 now = clock_mono_ns(), wait;

	if (t->snd_una != t->snd_max) {
		tcb_arm(t, TT_PERSIST, 0);
		if (t->timers[TT_REXMT])
			return;
		wait = tail_probe(t);
		t->tlp = wait != 0;
		if (!wait)
			wait = backed_off(t, t->backoff, RTO_MAX);
		tcb_arm(t, TT_REXMT, limit(t, now + wait));
		return;
	}
	t->tlp = false;
	if (!waits_for_room(t)) {
		tcb_arm(t, TT_REXMT, 0);
		tcb_arm(t, TT_PERSIST, 0);
		t->first_sent = 0;
		return;
	}
	if (!t->first_sent)
		t->first_sent = now;
	if (!t->timers[TT_PERSIST] && !t->timers[TT_REXMT]) {
		wait = backed_off(t, t->probes, RTO_MAX);
		tcb_arm(t, TT_PERSIST, limit(t, now + max(wait, RTO_MIN)));
	}
}

void tcb_arm_keep(struct tcb *t)
{
	bool on = t->conf.keepalive && tcb_synchronized(t) &&
		  t->state != TCP_TIME_WAIT;

	tcb_arm(t, TT_KEEP,
		on ? clock_mono_ns() + t->conf.keepidle * NSEC_PER_SEC : 0);
	t->keep_probes = 0;
}

/* --- they fire */

static bool waited_enough(const struct tcb *t, u64 most)
{
	u64 now = clock_mono_ns(), user = t->conf.user_timeout;

	if (!t->first_sent)
		return false;
	if (user && now - t->first_sent >= user * NSEC_PER_MSEC)
		return true;
	return now - t->first_sent >= most;
}

static void give_up(struct tcb *t)
{
	tcb_end(t, t->soft_error ? t->soft_error : ETIMEDOUT);
}

static void syn_timeout(struct tcb *t)
{
	u32 tries = t->passive ? max(SYNACK_TRIES, t->conf.defer + 1)
			       : t->conf.syncnt;
	u64 wait;

	if (t->retries >= tries || waited_enough(t, ~0ul)) {
		give_up(t);
		return;
	}
	t->retries++;
	t->timing = false;
	wait = backed_off(t, t->retries, SYN_RTO_MAX);
	tcb_arm(t, TT_REXMT, limit(t, clock_mono_ns() + wait));
	if (t->deferred && t->retries < t->conf.defer)
		return;
	t->total_retrans++;
	tcb_send_syn(t);
}

/* One more segment, new or the last one again: its acknowledgement tells what is lost. */
static void probe_tail(struct tcb *t)
{
	u32 from = t->snd_max, len;

	t->tlp = false;
	t->tlp_out = true;
	t->tlp_end = t->snd_max;
	t->timing = false;
	len = min(seq_min(t->snd_max, t->tx_end) - t->snd_una, t->mss);
	if (seq_lt(t->tx_end, t->snd_una))
		len = 0;
	from = seq_min(t->snd_max, t->tx_end) - len;
	t->total_retrans++;
	t->bytes_retrans += len;
	(void)tcb_send_at(t, from, len,
			  seq_lt(t->tx_end, t->snd_max) ? TCP_FIN : 0);
	tcb_arm(t, TT_REXMT,
		limit(t, clock_mono_ns() + backed_off(t, t->backoff, RTO_MAX)));
}

static void retransmit(struct tcb *t)
{
	if (waited_enough(t, t->orphan ? GIVE_UP_LONE : GIVE_UP)) {
		give_up(t);
		return;
	}
	if (!t->lost_all || seq_lt(t->recover, t->snd_una) || !t->retries)
		cubic_loss(t);
	t->cwnd = t->mss;
	t->recovery = false;
	t->lost_all = true;
	t->recover = t->snd_max;
	t->nr_sacks = 0; /* the peer may have dropped what it said it had */
	t->dupacks = 0;
	t->timing = false;
	t->snd_nxt = t->snd_una;
	t->retries++;
	if (t->backoff < 16)
		t->backoff++;
}

static void rexmt_fires(struct tcb *t)
{
	if (!tcb_synchronized(t))
		syn_timeout(t);
	else if (t->snd_una == t->snd_max)
		return; /* there was no memory: try again */
	else if (t->tlp && !waited_enough(t, GIVE_UP))
		probe_tail(t);
	else
		retransmit(t);
}

static void persist_fires(struct tcb *t)
{
	u32 edge = t->snd_una + t->snd_wnd;

	if (waited_enough(t, GIVE_UP * 4) && t->conf.user_timeout) {
		give_up(t);
		return;
	}
	if (t->orphan && t->probes >= PROBES_LONE) {
		tcb_abort(t, ETIMEDOUT);
		return;
	}
	t->probes++;
	if (seq_lt(t->snd_nxt, edge))
		t->pushed_out = true; /* a small piece has waited enough */
	else
		tcb_send_probe(t);
}

static void keep_fires(struct tcb *t)
{
	u64 now = clock_mono_ns(), idle = now - t->rcv_last, wait;
	u64 user = t->conf.user_timeout * NSEC_PER_MSEC;

	wait = t->conf.keepidle * NSEC_PER_SEC;
	if (t->snd_una != t->snd_max || t->tx_end != t->snd_una) {
		tcb_arm(t, TT_KEEP, now + wait); /* others look */
		return;
	}
	if (!t->keep_probes && idle < wait) {
		tcb_arm(t, TT_KEEP, t->rcv_last + wait);
		return;
	}
	if (user ? t->keep_probes && idle >= user
		 : t->keep_probes >= t->conf.keepcnt) {
		tcb_abort(t, t->soft_error ? t->soft_error : ETIMEDOUT);
		return;
	}
	t->keep_probes++;
	tcb_send_probe(t);
	tcb_arm(t, TT_KEEP, now + t->conf.keepintvl * NSEC_PER_SEC);
}

static void fire(struct tcb *t, enum tcp_timer which)
{
	switch (which) {
	case TT_REXMT:
		rexmt_fires(t);
		break;
	case TT_PERSIST:
		persist_fires(t);
		break;
	case TT_DELACK:
		t->ack_now = true;
		break;
	case TT_KEEP:
		keep_fires(t);
		break;
	default: /* TT_END */
		tcb_end(t, 0);
		break;
	}
}

void tcb_timer(struct tcb *t)
{
	u64 now = clock_mono_ns();

	for (u32 i = 0; i < TT_NR && t->state != TCP_CLOSED; i++) {
		if (!t->timers[i] || t->timers[i] > now)
			continue;
		tcb_arm(t, (enum tcp_timer)i, 0);
		fire(t, (enum tcp_timer)i);
	}
	if (t->state != TCP_CLOSED)
		tcb_output(t);
	tcb_up_deadline(t);
}
