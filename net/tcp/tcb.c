/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/tcb.c - how a connection begins, is used and ends.
 *
 * t->lock is held for all of it.
 */
#include <net/tcp/tcp.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define RCV_WSCALE     7u
#define RTO_FIRST      (1 * NSEC_PER_SEC)
#define TIME_WAIT_NS   (60 * NSEC_PER_SEC)
#define INITIAL_WINDOW 10u
#define QUICK_FIRST    16u
#define MSS_MOST       65495u

void tcb_set_state(struct tcb *t, enum tcp_state state)
{
	store_once(&t->state, state);
}

void tcb_set_mss(struct tcb *t)
{
	u32 all = t->mtu > t->ip_head + TCP_HEAD + TCP_MSS_LEAST
			  ? t->mtu - t->ip_head - TCP_HEAD
			  : TCP_MSS_LEAST;

	all = min(all, (u32)t->peer_mss);
	if (t->conf.user_mss)
		all = min(all, (u32)t->conf.user_mss);
	all = max(all, TCP_MSS_LEAST);
	t->mss = all - (t->ts_on ? 12 : 0);
	t->rcv_mss = min(max(t->rcv_mss, TCP_MSS_LEAST), t->mss);
}

void tcb_init(struct tcb *t, u32 iss, u32 mtu, u32 ip_head, u32 ts_offset)
{
	u32 most = mtu - ip_head - TCP_HEAD;

	list_init(&t->txq);
	list_init(&t->ofo);
	tcb_set_state(t, TCP_CLOSED);
	t->iss = t->snd_una = t->snd_nxt = t->snd_max = iss;
	t->tx_end = iss + 1;
	t->recover = iss;
	t->mtu = mtu;
	t->ip_head = ip_head;
	t->ts_offset = ts_offset;
	t->peer_mss = TCP_MSS_DEFAULT4;
	t->adv_mss = (u16)min(most, MSS_MOST);
	if (t->conf.user_mss)
		t->adv_mss = min(t->adv_mss, t->conf.user_mss);
	t->ts_on = t->sack_on = t->ws_on = true;
	t->rcv_ws = RCV_WSCALE;
	t->rto = RTO_FIRST;
	t->ssthresh = UINT32_MAX;
	t->quick = QUICK_FIRST;
	tcb_set_mss(t);
	t->cwnd = INITIAL_WINDOW * t->mss;
}

/* The handshake began: a SYN of ours is out. */
static void syn_sent(struct tcb *t, enum tcp_state state)
{
	tcb_set_state(t, state);
	t->snd_nxt = t->snd_max = t->iss + 1;
	t->first_sent = t->time_at = clock_mono_ns();
	t->timing = true;
	t->time_seq = t->snd_nxt;
	tcb_arm(t, TT_REXMT, 0);
	tcb_arm_rexmt(t);
	tcb_send_syn(t);
	tcb_up_deadline(t);
}

void tcb_connect(struct tcb *t)
{
	syn_sent(t, TCP_SYN_SENT);
}

void tcb_take_syn(struct tcb *t, const struct tcp_seg *s)
{
	u32 mss = s->mss ? s->mss : TCP_MSS_DEFAULT4;

	t->irs = s->seq;
	t->rcv_nxt = t->acked_to = t->rcv_adv = s->seq + 1;
	t->rcv_up = s->seq;
	t->peer_mss = (u16)max(mss, TCP_MSS_LEAST);
	t->ts_on = t->ts_on && s->has_ts;
	t->sack_on = t->sack_on && s->sack_ok;
	t->ws_on = t->ws_on && s->has_wscale;
	t->snd_ws = t->ws_on ? s->wscale : 0;
	if (!t->ws_on)
		t->rcv_ws = 0;
	if (t->ts_on) {
		t->ts_recent = s->tsval;
		t->ts_recent_at = clock_mono_ns();
	}
	t->snd_wnd = s->wnd;
	t->max_wnd = max(t->max_wnd, t->snd_wnd);
	t->snd_wl1 = s->seq;
	t->snd_wl2 = t->iss;
	t->rcv_mss = TCP_MSS_DEFAULT4;
	tcb_set_mss(t);
	t->cwnd = INITIAL_WINDOW * t->mss;
	t->rcv_last = clock_mono_ns();
}

void tcb_accept(struct tcb *t, const struct tcp_seg *s)
{
	t->passive = true;
	tcb_take_syn(t, s);
	syn_sent(t, TCP_SYN_RECV);
}

/* --- sending */

u32 tcb_room(const struct tcb *t)
{
	u32 queued = t->tx_end - t->snd_una;

	if (!tcb_synchronized(t) || seq_lt(t->tx_end, t->snd_una))
		queued = 0;
	return t->conf.sndbuf > queued ? t->conf.sndbuf - queued : 0;
}

bool tcb_writable(const struct tcb *t)
{
	u32 low = t->conf.notsent_lowat;

	if (low && t->tx_end - t->snd_nxt >= low &&
	    seq_lt(t->snd_nxt, t->tx_end))
		return false;
	return tcb_room(t) >= t->conf.sndbuf / 3;
}

static void queued(struct tcb *t, u32 n, bool urgent, bool more)
{
	t->tx_end += n;
	t->more = more;
	if (urgent) {
		t->urgent_out = true;
		t->snd_up = t->tx_end;
	}
}

void tcb_write(struct tcb *t, struct tcp_tx *x, bool urgent, bool more)
{
	KASSERT(!t->no_more);
	x->seq = t->tx_end;
	list_add_tail(&x->node, &t->txq);
	queued(t, x->len, urgent, more);
	tcb_output(t);
}

bool tcb_append(struct tcb *t, const u8 *data, u32 n)
{
	struct tcp_tx *x;

	if (list_empty(&t->txq))
		return false;
	x = list_last_entry(&t->txq, struct tcp_tx, node);
	if (x->cap - x->len < n)
		return false;
	memcpy(x->data + x->len, data, n);
	x->len += n;
	t->tx_end += n;
	return true;
}

void tcb_push(struct tcb *t, bool more)
{
	t->more = more;
	tcb_output(t);
}

/* --- the end */

void tcb_drop_queues(struct tcb *t)
{
	while (!list_empty(&t->txq)) {
		struct tcp_tx *x =
			list_first_entry(&t->txq, struct tcp_tx, node);

		list_del(&x->node);
		kfree(x);
	}
	t->tx_at = NULL;
	tcb_drop_ofo(t);
}

void tcb_end(struct tcb *t, int err)
{
	if (t->state == TCP_CLOSED)
		return;
	tcb_set_state(t, TCP_CLOSED);
	for (u32 i = 0; i < TT_NR; i++)
		t->timers[i] = 0;
	tcb_drop_queues(t);
	tcb_up_deadline(t);
	tcb_up_ended(t, err);
}

void tcb_abort(struct tcb *t, int err)
{
	if (tcb_synchronized(t) && t->state != TCP_TIME_WAIT)
		tcb_send_reset(t);
	else if (t->state == TCP_SYN_RECV)
		tcb_send_reset(t);
	tcb_end(t, err);
}

void tcb_enter_time_wait(struct tcb *t)
{
	tcb_set_state(t, TCP_TIME_WAIT);
	for (u32 i = 0; i < TT_NR; i++)
		t->timers[i] = 0;
	tcb_drop_queues(t);
	tcb_arm(t, TT_END, clock_mono_ns() + TIME_WAIT_NS);
	tcb_up_time_wait(t);
}

void tcb_shutdown(struct tcb *t)
{
	if (t->no_more || t->state == TCP_CLOSED)
		return;
	t->no_more = true;
	t->fin_queued = true;
	t->more = false;
	if (t->state == TCP_ESTABLISHED)
		tcb_set_state(t, TCP_FIN_WAIT1);
	else if (t->state == TCP_CLOSE_WAIT)
		tcb_set_state(t, TCP_LAST_ACK);
	tcb_output(t);
}

/* Nobody is there to see the peer's FIN: not for ever. */
static void wait_alone(struct tcb *t)
{
	u32 s = t->conf.linger2;

	t->orphan = true;
	if (t->state != TCP_FIN_WAIT2)
		return;
	if (s == ~0u) {
		tcb_abort(t, 0);
		return;
	}
	tcb_arm(t, TT_END, clock_mono_ns() + s * NSEC_PER_SEC);
	tcb_up_deadline(t);
}

void tcb_close(struct tcb *t, bool unread)
{
	if (t->state == TCP_CLOSED)
		return;
	if (t->state == TCP_SYN_SENT) {
		tcb_end(t, 0);
		return;
	}
	if (unread) {
		tcb_abort(t, 0);
		return;
	}
	tcb_shutdown(t);
	if (t->state != TCP_CLOSED)
		wait_alone(t);
}

/* --- what the path takes */

void tcb_set_mtu(struct tcb *t, u32 mtu)
{
	u32 old = t->mss;

	if (mtu == t->mtu)
		return;
	t->mtu = mtu;
	tcb_set_mss(t);
	if (!tcb_synchronized(t) || t->mss >= old || t->snd_una == t->snd_max)
		return;
	/* what is out was too long: again, and nobody is to blame */
	t->snd_nxt = t->snd_una;
	t->lost_all = true;
	t->recovery = false;
	t->recover = t->snd_max;
	t->dupacks = 0;
	t->timing = false;
	tcb_output(t);
}
