/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/ack.c - what an acknowledgement does: windows, round trips [RFC 6298], recovery
 * [RFC 5681, 6582, 6675].
 *
 * ORDERING
 *   TCPROOM  of net/tcp/send.c
 */
#include <net/tcp/tcp.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>

#define RTO_MIN (200 * NSEC_PER_MSEC)
#define RTO_MAX (120 * NSEC_PER_SEC)

void tcb_rtt_sample(struct tcb *t, u64 rtt)
{
	u64 d;

	rtt = max(rtt, 1ul);
	if (!t->min_rtt || rtt < t->min_rtt)
		t->min_rtt = rtt;
	if (!t->srtt) {
		t->srtt = rtt;
		t->rttvar = rtt / 2;
	} else {
		d = t->srtt > rtt ? t->srtt - rtt : rtt - t->srtt;
		t->rttvar = (3 * t->rttvar + d) / 4;
		t->srtt = (7 * t->srtt + rtt) / 8;
	}
	t->rto = min(t->srtt + max(4 * t->rttvar, RTO_MIN), RTO_MAX);
}

/* Of the timed segment; or by time stamps, where something was sent again [Karn]. */
static void take_rtt(struct tcb *t, const struct tcp_seg *s)
{
	u32 ms;

	if (t->timing && seq_le(t->time_seq, s->ack)) {
		t->timing = false;
		tcb_rtt_sample(t, clock_mono_ns() - t->time_at);
	} else if (t->ts_on && s->has_ts && s->tsecr &&
		   (t->recovery || t->lost_all)) {
		ms = tcp_ts_now(t) - s->tsecr;
		if (ms < RTO_MAX / NSEC_PER_MSEC)
			tcb_rtt_sample(t, max(ms, 1u) * NSEC_PER_MSEC);
	}
}

static void drop_sent(struct tcb *t, u32 ack)
{
	while (!list_empty(&t->txq)) {
		struct tcp_tx *x =
			list_first_entry(&t->txq, struct tcp_tx, node);

		if (seq_lt(ack, x->seq + x->len))
			return;
		if (t->tx_at == x)
			t->tx_at = NULL;
		list_del(&x->node);
		kfree(x);
	}
}

static void leave_recovery(struct tcb *t)
{
	t->recovery = false;
	t->dupacks = 0;
	t->cwnd = max(min(t->ssthresh, tcb_flight(t) + t->mss), 2 * t->mss);
	t->cwnd = max(t->cwnd, t->ssthresh / 2);
}

static void enter_recovery(struct tcb *t)
{
	cubic_loss(t);
	t->cwnd = t->ssthresh;
	t->recovery = true;
	t->recover = t->snd_max;
	t->high_rxt = t->snd_una;
	t->timing = false;
	t->tlp = false;
	tcb_arm(t, TT_REXMT, 0);
}

static void maybe_recover(struct tcb *t)
{
	if (t->recovery || t->lost_all || t->snd_una == t->snd_max ||
	    !tcb_is_lost(t))
		return;
	enter_recovery(t);
}

/* Without SACK: it acknowledges a part of what was out when recovery began. */
static void partial_ack(struct tcb *t, u32 acked)
{
	u32 n = DIV_ROUND_UP(acked, t->mss);

	if (t->sack_on) {
		t->high_rxt = seq_max(t->high_rxt, t->snd_una);
		return;
	}
	t->dupacks = t->dupacks > n ? t->dupacks - n + 1 : 1;
	t->high_rxt = t->snd_una;
}

static void congestion(struct tcb *t, u32 acked)
{
	if (t->recovery) {
		if (seq_le(t->recover, t->snd_una))
			leave_recovery(t);
		else
			partial_ack(t, acked);
		return;
	}
	if (t->lost_all && seq_le(t->recover, t->snd_una))
		t->lost_all = false;
	t->dupacks = 0;
	cubic_acked(t, acked);
}

static void new_ack(struct tcb *t, const struct tcp_seg *s)
{
	u32 acked = s->ack - t->snd_una;

	take_rtt(t, s);
	t->snd_una = s->ack;
	if (seq_lt(t->snd_nxt, t->snd_una))
		t->snd_nxt = t->snd_una;
	if (t->urgent_out && seq_le(t->snd_up, t->snd_una))
		t->urgent_out = false;
	t->bytes_acked += acked - seq_lt(t->tx_end, s->ack);
	drop_sent(t, s->ack);
	tcb_sack_advance(t);
	t->retries = t->backoff = t->probes = 0;
	t->soft_error = 0;
	t->first_sent = t->snd_una == t->snd_max ? 0 : clock_mono_ns();
	if (t->tlp_out && seq_le(t->tlp_end, t->snd_una))
		t->tlp_out = false;
	congestion(t, acked);
	t->tlp = false;
	tcb_arm(t, TT_REXMT, 0); /* from now on again: tcb_output() */
	if (t->cwnd * 2 > t->conf.sndbuf)
		tcb_up_grow_snd(t, t->cwnd * 2);
	smp_mb(); /* TCPROOM (full) */
	if (load_once(&t->full) && tcb_writable(t)) {
		store_once(&t->full, 0);
		tcb_up_room(t);
	}
}

/* True: the window is another one. */
static bool take_window(struct tcb *t, const struct tcp_seg *s)
{
	u32 wnd = (u32)s->wnd << (s->flags & TCP_SYN ? 0 : t->snd_ws);
	bool changed = wnd != t->snd_wnd;

	if (!seq_lt(t->snd_wl1, s->seq) &&
	    !(t->snd_wl1 == s->seq && seq_le(t->snd_wl2, s->ack)))
		return false;
	t->snd_wl1 = s->seq;
	t->snd_wl2 = s->ack;
	t->snd_wnd = wnd;
	t->max_wnd = max(t->max_wnd, wnd);
	if (changed && wnd)
		tcb_arm(t, TT_PERSIST, 0);
	t->probes = 0; /* somebody is there */
	return changed;
}

static void old_ack(struct tcb *t, const struct tcp_seg *s, bool news,
		    bool new_window)
{
	if (s->ack != t->snd_una || t->snd_una == t->snd_max)
		return;
	if (t->sack_on ? news
		       : !s->len && !new_window &&
				 !(s->flags & (TCP_FIN | TCP_SYN)))
		t->dupacks++;
}

bool tcb_ack(struct tcb *t, const struct tcp_seg *s)
{
	bool news, new_window;

	if (seq_lt(t->snd_max, s->ack) ||
	    seq_lt(s->ack, t->snd_una - max(t->max_wnd, 65535u))) {
		tcb_challenge_ack(t); /* RFC 5961, 5.2 */
		return false;
	}
	if (seq_lt(s->ack, t->snd_una)) /* old news */
		return true;
	new_window = take_window(t, s);
	news = tcb_sack_update(t, s);
	if (s->ack == t->snd_una)
		old_ack(t, s, news, new_window);
	else
		new_ack(t, s);
	maybe_recover(t);
	return true;
}
