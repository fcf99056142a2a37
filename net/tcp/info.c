/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/info.c - struct tcp_info of a connection over packets.
 *
 * Its lock is not taken: each word is true of some moment just now.  inet_lock is held.
 */
#include <net/tcp/conn.h>

#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/string.h>
#include <net/tcp/wire.h>

int tcp_wire_state(const struct inet_sock *is)
{
	const struct tcp_conn *c = load_once(&is->conn);

	return c ? (int)load_once(&c->t.state) : 0;
}

u32 tcp_wire_mss(const struct inet_sock *is)
{
	const struct tcp_conn *c = load_once(&is->conn);

	return c && c->t.state != TCP_CLOSED ? c->t.mss : 0;
}

u32 tcp_wire_unacked(const struct inet_sock *is)
{
	const struct tcp_conn *c = load_once(&is->conn);

	if (!c || !tcb_synchronized(&c->t) || seq_lt(c->t.tx_end, c->t.snd_una))
		return 0;
	return c->t.tx_end - c->t.snd_una;
}

static void put32(u8 *info, u32 at, u64 v)
{
	u32 w = (u32)min(v, (u64)UINT32_MAX);

	memcpy(info + at, &w, sizeof(w));
}

static void put64(u8 *info, u32 at, u64 v)
{
	memcpy(info + at, &v, sizeof(v));
}

static u32 us(u64 ns)
{
	return (u32)(ns / NSEC_PER_USEC);
}

static void tell_sender(const struct tcb *t, u8 *info)
{
	u64 now = clock_mono_ns();
	u32 mss = max(t->mss, 1u), flight = t->snd_max - t->snd_una;

	put32(info, 8, us(t->rto));
	put32(info, 16, t->mss);
	put32(info, 24, DIV_ROUND_UP(flight, mss));
	put32(info, 28, tcb_sacked_bytes(t) / mss);
	put32(info, 32, t->lost_all ? flight / mss : 0);
	put32(info, 44,
	      t->sent_last ? (now - t->sent_last) / NSEC_PER_MSEC : 0);
	put32(info, 68, us(t->srtt));
	put32(info, 72, us(t->rttvar));
	put32(info, 76,
	      t->ssthresh == UINT32_MAX ? INT32_MAX : t->ssthresh / mss);
	put32(info, 80, max(t->cwnd / mss, 1u));
	put32(info, 88, 3);
	put32(info, 100, t->total_retrans);
	put64(info, 120, t->bytes_acked);
	put32(info, 136, t->segs_out);
	put32(info, 144,
	      seq_lt(t->snd_max, t->tx_end) ? t->tx_end - t->snd_max : 0);
	put32(info, 148, us(t->min_rtt));
	put32(info, 156, t->data_segs_out);
	put64(info, 200, t->bytes_sent);
	put64(info, 208, t->bytes_retrans);
	put32(info, 192, t->data_segs_out);
	put32(info, 228, t->snd_wnd);
}

static void tell_receiver(const struct tcb *t, u8 *info)
{
	u64 now = clock_mono_ns();
	u32 since = (u32)((now - t->rcv_last) / NSEC_PER_MSEC);

	put32(info, 12, 40000);
	put32(info, 20, t->rcv_mss);
	put32(info, 52, since);
	put32(info, 56, since);
	put32(info, 60, t->mtu);
	put32(info, 64, t->rcv_adv - t->rcv_nxt);
	put32(info, 84, t->adv_mss);
	put64(info, 128, t->bytes_received);
	put32(info, 140, t->segs_in);
	put32(info, 152, t->data_segs_in);
	put32(info, 224, t->ofo_segs);
	put32(info, 232, t->rcv_adv - t->rcv_nxt);
}

void tcp_wire_info(const struct inet_sock *is, u8 *info)
{
	const struct tcp_conn *c = load_once(&is->conn);
	const struct tcb *t = &c->t;

	info[1] = t->recovery ? 3 : t->lost_all ? 4 : t->nr_sacks ? 1 : 0;
	info[2] = (u8)min(t->retries, 255u);
	info[3] = (u8)min(t->probes, 255u);
	info[4] = (u8)min(t->backoff, 255u);
	info[5] = (u8)((t->ts_on ? 1 : 0) | (t->sack_on ? 2 : 0) |
		       (t->ws_on ? 4 : 0));
	info[6] = (u8)(t->snd_ws | t->rcv_ws << 4);
	tell_sender(t, info);
	tell_receiver(t, info);
	put32(info, 96, load_once(&is->s.rcvbuf));
	put64(info, 104, ~0ul);
	put64(info, 112, load_once(&is->s.pacing));
}
