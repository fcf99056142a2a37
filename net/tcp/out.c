/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/out.c - what is sent, and when [RFC 9293 3.7, 3.8.6; Nagle as of Minshall].
 *
 * A segment is made anew each time it is sent: from txq, with as much as there is and the
 * windows allow.  After a timeout snd_nxt goes back to snd_una, and what the peer is known
 * to have is passed over; in fast recovery what is lost is sent out of turn.
 */
#include <net/tcp/tcp.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define GSO_MAX	       61440u /* with headers it fits into 64 KiB */
#define INVALID_GAP    (500 * NSEC_PER_MSEC)
#define RETRY_NO_MEM   (50 * NSEC_PER_MSEC)
#define INITIAL_WINDOW 10u

u32 tcb_flight(const struct tcb *t)
{
	return t->snd_nxt - t->snd_una;
}

/* --- segments */

/* The piece of txq with @seq. */
static struct tcp_tx *find_tx(struct tcb *t, u32 seq)
{
	struct tcp_tx *x = t->tx_at;

	if (!x || seq_lt(seq, x->seq))
		x = list_first_entry(&t->txq, struct tcp_tx, node);
	while (seq_le(x->seq + x->len, seq))
		x = list_next_entry(x, node);
	return x;
}

static void copy_out(struct tcb *t, u32 seq, u8 *to, u32 len)
{
	struct tcp_tx *x = find_tx(t, seq);

	for (;;) {
		u32 at = seq - x->seq, n = min(x->len - at, len);

		memcpy(to, x->data + at, n);
		t->tx_at = x;
		to += n;
		seq += n;
		len -= n;
		if (!len)
			return;
		x = list_next_entry(x, node);
	}
}

/* Our acknowledgement goes with it. */
static void acknowledged(struct tcb *t)
{
	t->acked_to = t->rcv_nxt;
	t->unacked = 0;
	t->ack_now = false;
	tcb_arm(t, TT_DELACK, 0);
}

int tcb_send_at(struct tcb *t, u32 seq, u32 len, u8 flags)
{
	struct netbuf *b = tcp_build(t, seq, flags | TCP_ACK, len);

	if (!b)
		return -ENOMEM;
	if (len) {
		copy_out(t, seq, netbuf_put(b, len), len);
		if (len > t->mss) {
			b->gso_size = (u16)t->mss;
			if (t->ip_head == 40)
				b->flags |= NETBUF_GSO_V6;
		}
		t->data_segs_out += DIV_ROUND_UP(len, t->mss);
		t->bytes_sent += len;
		t->sent_last = clock_mono_ns();
		if (t->unacked)
			t->quick = 0; /* they talk: answers carry it */
	}
	t->segs_out++;
	acknowledged(t);
	return tcb_up_output(t, b);
}

/* Where a segment without data stands: behind all that was sent, where the peer takes it
 * also if snd_nxt has gone back; not beyond a window that shrank. */
static u32 bare_seq(const struct tcb *t)
{
	u32 edge = t->snd_una + t->snd_wnd;

	return seq_lt(edge, t->snd_max) ? edge : t->snd_max;
}

void tcb_send_ack(struct tcb *t)
{
	if (tcb_send_at(t, bare_seq(t), 0, 0) == -ENOMEM) {
		tcb_arm(t, TT_DELACK, clock_mono_ns() + RETRY_NO_MEM);
		t->unacked = max(t->unacked, 1u);
	}
}

void tcb_challenge_ack(struct tcb *t)
{
	u64 now = clock_mono_ns();

	if (t->invalid_at && now - t->invalid_at < INVALID_GAP)
		return;
	t->invalid_at = now;
	tcb_send_ack(t);
}

void tcb_send_syn(struct tcb *t)
{
	u8 flags = TCP_SYN | (t->state == TCP_SYN_RECV ? TCP_ACK : 0);
	struct netbuf *b = tcp_build(t, t->iss, flags, 0);

	if (!b)
		return;
	t->segs_out++;
	if (flags & TCP_ACK)
		acknowledged(t);
	(void)tcb_up_output(t, b);
}

/* A sequence number that the peer has already: it answers with what it has and wants. */
void tcb_send_probe(struct tcb *t)
{
	(void)tcb_send_at(t, t->snd_una - 1, 0, 0);
}

void tcb_send_reset(struct tcb *t)
{
	struct netbuf *b = tcp_build(t, bare_seq(t), TCP_RST | TCP_ACK, 0);

	if (!b)
		return;
	t->segs_out++;
	(void)tcb_up_output(t, b);
}

/* --- new data */

static u32 full_segment(const struct tcb *t)
{
	u32 sacks = tcp_options_len(t) - (t->ts_on ? 12 : 0);

	return t->mss - min(sacks, t->mss / 2);
}

/* As long as a segment may be that is cut by the device. */
static u32 longest(const struct tcb *t, u32 mss)
{
	u32 n = GSO_MAX / mss;

	if (!t->tso || mss != t->mss || n < 2)
		return mss;
	return max(1u, min(n, t->cwnd / mss / 4)) * mss;
}

/* May @len bytes go, @all that there is, though it is not a full segment? */
static bool may_be_small(const struct tcb *t, u32 len, bool all)
{
	bool idle = t->snd_nxt == t->snd_una;

	if (t->pushed_out)
		return true;
	if (!all) /* the peer has no room: not in silly pieces */
		return len >= t->max_wnd / 2;
	if (t->fin_queued)
		return true;
	if (t->conf.cork || t->more)
		return false;
	return t->conf.nodelay || idle || !seq_lt(t->snd_una, t->snd_small) ||
	       t->urgent_out;
}

/* Bytes that the congestion window has room for: whole segments, or all of @len. */
static u32 cwnd_room(struct tcb *t, u32 len, u32 mss)
{
	u32 pipe = tcb_pipe(t), room = t->cwnd > pipe ? t->cwnd - pipe : 0;

	if (!pipe)
		room = max(room, mss);
	if (room >= len)
		return len;
	t->cwnd_limited = true;
	return room / mss * mss;
}

static void sent(struct tcb *t, u32 len, bool fin)
{
	u64 now = clock_mono_ns();
	u32 end = t->snd_nxt + len + fin;

	if (seq_lt(t->snd_nxt, t->snd_max)) { /* again */
		u32 n = seq_min(end, t->snd_max) - t->snd_nxt;

		t->bytes_retrans += min(n, len);
		t->total_retrans++;
	} else if (!t->timing) {
		t->timing = true;
		t->time_seq = end;
		t->time_at = now;
	}
	if (!t->first_sent)
		t->first_sent = now;
	t->snd_nxt = end;
	t->snd_max = seq_max(t->snd_max, end);
	if (len % t->mss)
		t->snd_small = end;
	if (t->tlp || !t->timers[TT_REXMT]) {
		tcb_arm(t, TT_REXMT, 0);
		tcb_arm_rexmt(t);
	}
}

/* What is to go next, from snd_nxt on: how many bytes, and is it all? */
static u32 next_len(struct tcb *t, bool *all)
{
	struct tcp_range r = { t->snd_nxt, t->tx_end };
	u32 edge = t->snd_una + t->snd_wnd, mss = full_segment(t), len;

	if (seq_lt(t->snd_nxt, t->snd_max)) {
		tcb_skip_sacked(t, &r);
		t->snd_nxt = r.from;
	}
	if (seq_le(t->tx_end, t->snd_nxt))
		return 0;
	/* the first one goes again even if the window has been taken back, or the
	 * acknowledgements came in disorder */
	if (t->snd_nxt == t->snd_una && seq_lt(t->snd_nxt, t->snd_max))
		edge = seq_max(edge, seq_min(t->snd_una + mss, t->snd_max));
	if (!seq_lt(t->snd_nxt, edge))
		return 0;
	len = min(r.to - r.from, edge - t->snd_nxt);
	*all = t->snd_nxt + len == t->tx_end;
	len = cwnd_room(t, min(len, longest(t, mss)), mss);
	if (len < mss && seq_lt(t->snd_nxt, t->snd_max))
		return len; /* again: as it can be */
	*all = *all && t->snd_nxt + len == t->tx_end;
	if (len > mss && !*all)
		len = len / mss * mss;
	else if (len > mss && len % mss && !may_be_small(t, len % mss, true))
		len = len / mss * mss;
	if (len < mss && len && !may_be_small(t, len, *all))
		return 0;
	return len;
}

static bool no_memory(struct tcb *t)
{
	if (!t->timers[TT_REXMT])
		tcb_arm(t, TT_REXMT, clock_mono_ns() + RETRY_NO_MEM);
	return false;
}

static bool send_new(struct tcb *t)
{
	bool all = false, fin;
	u32 len = next_len(t, &all), edge = t->snd_una + t->snd_wnd;

	fin = t->fin_queued && t->snd_nxt + len == t->tx_end &&
	      (seq_lt(t->tx_end, edge) || seq_lt(t->tx_end, t->snd_max));
	if (!len && !fin)
		return false;
	if (tcb_send_at(t, t->snd_nxt, len,
			(fin ? TCP_FIN : 0) |
				(t->snd_nxt + len == t->tx_end ? TCP_PSH
							       : 0)) == -ENOMEM)
		return no_memory(t);
	sent(t, len, fin);
	t->pushed_out = false;
	return true;
}

/* --- what was lost */

static bool send_hole(struct tcb *t, const struct tcp_range *r)
{
	u32 mss = full_segment(t), pipe = tcb_pipe(t);
	bool first = t->high_rxt == t->snd_una, fin = false;
	u32 len = min(r->to - r->from, mss), data;

	if (!first && t->cwnd < pipe + min(len, mss)) {
		t->cwnd_limited = true;
		return false;
	}
	data = seq_lt(r->from, t->tx_end) ? min(len, t->tx_end - r->from) : 0;
	fin = t->fin_queued && r->from + data == t->tx_end &&
	      seq_lt(t->tx_end, t->snd_max);
	if (!data && !fin)
		return false;
	if (tcb_send_at(t, r->from, data, fin ? TCP_FIN : 0) == -ENOMEM)
		return no_memory(t);
	t->high_rxt = r->from + data + fin;
	t->timing = false;
	t->total_retrans++;
	t->bytes_retrans += data;
	return true;
}

static bool send_one(struct tcb *t)
{
	struct tcp_range hole;

	if (t->recovery && tcb_next_hole(t, &hole))
		return send_hole(t, &hole);
	return send_new(t);
}

/* It was silent for long: what the network can take is not known any more. */
static void after_idle(struct tcb *t)
{
	if (t->snd_nxt == t->snd_una && t->sent_last &&
	    clock_mono_ns() - t->sent_last > t->rto &&
	    t->cwnd > INITIAL_WINDOW * t->mss && t->tx_end != t->snd_nxt) {
		t->cwnd = INITIAL_WINDOW * t->mss;
		cubic_restart(t);
	}
}

/*
 * A peer's window that opens by a segment with each acknowledgement: new data waits until a
 * third is open, and goes in one batch.  What is out is more than that, so that the
 * acknowledgements of it are on their way.
 */
static bool waits_for_more_room(struct tcb *t)
{
	u32 pipe = tcb_pipe(t), cwnd, room;
	u32 edge = t->snd_una + t->snd_wnd;

	if (t->recovery || t->lost_all || seq_lt(t->snd_nxt, t->snd_max))
		return false;
	room = seq_lt(t->snd_nxt, edge) ? edge - t->snd_nxt : 0;
	cwnd = t->cwnd > pipe ? t->cwnd - pipe : 0;
	if (seq_le(t->tx_end, t->snd_nxt + min(room, cwnd)))
		return false; /* it is all that there is */
	return room <= cwnd && room < min(t->snd_wnd / 3, GSO_MAX);
}

void tcb_output(struct tcb *t)
{
	if (!tcb_synchronized(t))
		return;
	after_idle(t);
	t->cwnd_limited = false;
	if (t->state != TCP_TIME_WAIT && t->state != TCP_FIN_WAIT2 &&
	    !waits_for_more_room(t)) {
		while (send_one(t))
			;
	}
	if (t->ack_now)
		tcb_send_ack(t);
	tcb_arm_rexmt(t);
	tcb_up_deadline(t);
}
