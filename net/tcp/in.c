/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/in.c - a segment arrives [RFC 9293 3.10.7], in the order that is written there;
 * resets and SYNs in a connection as RFC 5961 wants them, time stamps as RFC 7323.
 */
#include <net/tcp/tcp.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>

#define PAWS_AGE (24 * 86400ul * NSEC_PER_SEC)

/* --- SYN_SENT */

static void established(struct tcb *t)
{
	t->first_sent = 0;
	t->retries = t->backoff = 0;
	tcb_arm(t, TT_REXMT, 0);
	tcb_set_state(t, t->no_more ? TCP_FIN_WAIT1 : TCP_ESTABLISHED);
	tcb_arm_keep(t);
}

/* Our SYN is acknowledged by @s. */
static void syn_acked(struct tcb *t, const struct tcp_seg *s)
{
	t->snd_una = t->iss + 1;
	if (t->timing)
		tcb_rtt_sample(t, clock_mono_ns() - t->time_at);
	t->timing = false;
	t->snd_wnd = (u32)s->wnd << (s->flags & TCP_SYN ? 0 : t->snd_ws);
	t->max_wnd = max(t->max_wnd, t->snd_wnd);
	t->snd_wl1 = s->seq;
	t->snd_wl2 = s->ack;
}

/* A reset for what @s acknowledges, and we have never said. */
static void reset_for(struct tcb *t, const struct tcp_seg *s)
{
	struct netbuf *b = tcp_build(t, s->ack, TCP_RST, 0);

	if (b)
		(void)tcb_up_output(t, b);
}

static void in_syn_sent(struct tcb *t, struct tcp_seg *s)
{
	bool ack = s->flags & TCP_ACK;

	if (ack && s->ack != t->iss + 1) {
		if (!(s->flags & TCP_RST))
			reset_for(t, s);
		return;
	}
	if (s->flags & TCP_RST) {
		if (ack)
			tcb_end(t, ECONNREFUSED);
		return;
	}
	if (!(s->flags & TCP_SYN))
		return;
	if (ack && s->has_ts && t->ts_on && (s32)(tcp_ts_now(t) - s->tsecr) < 0)
		return; /* an answer to somebody else's [RFC 7323 3.2] */
	tcb_take_syn(t, s);
	if (!ack) { /* both at once */
		tcb_set_state(t, TCP_SYN_RECV);
		tcb_send_syn(t);
		return;
	}
	syn_acked(t, s);
	established(t);
	t->ack_now = true;
	(void)tcb_up_established(t);
	s->seq++;
	s->flags &= (u8)~TCP_SYN;
	if (s->len || (s->flags & TCP_FIN))
		t->rcv_adv = seq_max(t->rcv_adv, t->rcv_nxt);
}

/* --- all other states */

/* Does it come from before? */
static bool is_old(const struct tcb *t, const struct tcp_seg *s)
{
	return t->ts_on && s->has_ts && (s32)(s->tsval - t->ts_recent) < 0 &&
	       clock_mono_ns() - t->ts_recent_at < PAWS_AGE;
}

static u32 seg_end(const struct tcp_seg *s)
{
	return s->seq + s->len + !!(s->flags & TCP_SYN) +
	       !!(s->flags & TCP_FIN);
}

static bool in_window(const struct tcb *t, const struct tcp_seg *s)
{
	return seq_le(t->rcv_nxt, seg_end(s)) && seq_le(s->seq, t->rcv_adv);
}

static void answer_unacceptable(struct tcb *t, const struct tcp_seg *s)
{
	if (s->flags & TCP_RST)
		return;
	if (t->state == TCP_SYN_RECV && (s->flags & TCP_SYN) &&
	    s->seq == t->irs) {
		tcb_send_syn(t); /* ours got lost */
		return;
	}
	if (t->state == TCP_TIME_WAIT && (s->flags & TCP_FIN))
		tcb_enter_time_wait(t);
	if (s->len || (s->flags & TCP_FIN))
		t->ack_now = true;
	else
		tcb_challenge_ack(t);
}

static int reset_error(const struct tcb *t)
{
	switch (t->state) {
	case TCP_SYN_RECV:
		return ECONNREFUSED;
	case TCP_CLOSE_WAIT:
		return EPIPE;
	case TCP_TIME_WAIT:
		return 0;
	default:
		return ECONNRESET;
	}
}

static void take_reset(struct tcb *t, const struct tcp_seg *s)
{
	if (s->seq == t->rcv_nxt)
		tcb_end(t, reset_error(t));
	else
		tcb_challenge_ack(t);
}

/* True: go on with it, without its SYN. */
static bool take_stray_syn(struct tcb *t, struct tcp_seg *s)
{
	if (t->state == TCP_SYN_RECV && s->seq == t->irs) {
		s->seq++;
		s->flags &= (u8)~TCP_SYN;
		if (s->flags & TCP_ACK)
			return true; /* both at once, and this is the answer */
		tcb_send_syn(t);
		return false;
	}
	tcb_challenge_ack(t);
	return false;
}

/* In SYN_RECV: false, it is to be dropped. */
static bool take_third(struct tcb *t, const struct tcp_seg *s)
{
	if (s->ack != t->iss + 1) {
		reset_for(t, s);
		return false;
	}
	if (t->passive && !s->len && t->retries < t->conf.defer) {
		t->deferred = true; /* there is nothing to read yet */
		return false;
	}
	if (!tcb_up_established(t))
		return false;
	syn_acked(t, s);
	established(t);
	return true;
}

static void take_ts(struct tcb *t, const struct tcp_seg *s)
{
	if (!t->ts_on || !s->has_ts || seq_lt(t->acked_to, s->seq) ||
	    (s32)(s->tsval - t->ts_recent) < 0)
		return;
	t->ts_recent = s->tsval;
	t->ts_recent_at = clock_mono_ns();
}

/* Is our FIN acknowledged?  The state that follows.  False: that was all. */
static bool fin_acked(struct tcb *t)
{
	if (!t->fin_queued || t->snd_una != t->tx_end + 1)
		return true;
	switch (t->state) {
	case TCP_FIN_WAIT1:
		tcb_set_state(t, TCP_FIN_WAIT2);
		tcb_arm(t, TT_REXMT, 0);
		tcb_up_room(t); /* close(2) may wait for it */
		if (t->orphan && t->conf.linger2 == ~0u) {
			tcb_abort(t, 0);
			return false;
		}
		if (t->orphan)
			tcb_arm(t, TT_END,
				clock_mono_ns() +
					t->conf.linger2 * NSEC_PER_SEC);
		return true;
	case TCP_CLOSING:
		tcb_enter_time_wait(t);
		return true;
	case TCP_LAST_ACK:
		tcb_end(t, 0);
		return false;
	default:
		return true;
	}
}

/* The urgent pointer points behind the byte, as everybody has it. */
static void take_urgent(struct tcb *t, const struct tcp_seg *s)
{
	u32 up = s->seq + s->urg - 1;

	if (!s->urg || seq_le(up, t->rcv_up) || seq_lt(up, t->rcv_nxt))
		return;
	t->rcv_up = up;
	t->urgent_in = true;
	tcb_up_urgent(t, false);
}

static bool still_receives(const struct tcb *t)
{
	return t->state == TCP_ESTABLISHED || t->state == TCP_FIN_WAIT1 ||
	       t->state == TCP_FIN_WAIT2;
}

static void take_text(struct tcb *t, struct tcp_seg *s)
{
	if (!still_receives(t)) {
		if (t->state == TCP_TIME_WAIT && (s->flags & TCP_FIN))
			tcb_enter_time_wait(t); /* a minute from now on */
		if (s->len || (s->flags & TCP_FIN))
			t->ack_now = true;
		return;
	}
	if (t->orphan && s->len && seq_lt(t->rcv_nxt, s->seq + s->len)) {
		tcb_abort(t, 0); /* nobody will read it */
		return;
	}
	if (s->flags & TCP_URG)
		take_urgent(t, s);
	if (s->len || (s->flags & TCP_FIN))
		tcb_receive(t, s);
}

static void in_other(struct tcb *t, struct tcp_seg *s)
{
	if (is_old(t, s) && !(s->flags & TCP_RST)) {
		answer_unacceptable(t, s);
		return;
	}
	if (!in_window(t, s)) {
		answer_unacceptable(t, s);
		return;
	}
	if (s->flags & TCP_RST) {
		take_reset(t, s);
		return;
	}
	if ((s->flags & TCP_SYN) && !take_stray_syn(t, s))
		return;
	if (!(s->flags & TCP_ACK))
		return;
	if (t->state == TCP_SYN_RECV && !take_third(t, s))
		return;
	take_ts(t, s);
	if (!tcb_ack(t, s) || !fin_acked(t))
		return;
	take_text(t, s);
}

void tcb_take(struct tcb *t, struct tcp_seg *s)
{
	t->segs_in++;
	if (s->len)
		t->data_segs_in++;
	t->rcv_last = clock_mono_ns();
	t->keep_probes = 0;
	if (t->state == TCP_SYN_SENT)
		in_syn_sent(t, s);
	else
		in_other(t, s);
}

void tcb_answer(struct tcb *t)
{
	if (t->state != TCP_CLOSED)
		tcb_output(t);
	tcb_up_deadline(t);
}

void tcb_input(struct tcb *t, struct tcp_seg *s)
{
	if (t->state == TCP_CLOSED)
		return;
	tcb_take(t, s);
	tcb_answer(t);
}
