/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/tcp.h - TCP over packets: the control block of a connection [RFC 9293].
 *
 * A connection between two sockets of this machine has no packets and none of these; the
 * two are each other's peer (net/tcp.c).  A connection to or from elsewhere has a control
 * block instead, and shares with the others all that programs see: the receive queue, the
 * waits, errors and options of its struct inet_sock.
 *
 *	send(2)  bytes are copied into a struct tcp_tx (no lock held) --> tcb_write()
 *			--> txq --> tcb_output() --> tcb_up_output() --> ip_output()
 *	packets  ip_deliver() --> tcp_input() --> table --> tcb_take() for each, tcb_answer()
 *			--> ofo (what comes too early) --> tcb_up_data() --> is->queue
 *	recv(2)  takes from is->queue --> tcb_read_done(): the window opens
 *	timers   one ktimer, which queues one net_work --> tcb_timer()
 *
 * The protocol itself (this folder but for the files below) knows neither sockets nor
 * addresses: it calls the functions tcb_up_*() that the socket's side defines, and so does
 * a test (tests/host/tcp_test.c).  table.c, input.c, listen.c, sock.c and wait.c are that
 * side.
 *
 * Ownership.  t->refs: the table while it is listed, the socket (is->tcb), the timer while
 * it is armed or its work is queued, and who has looked it up.  t->is owns a reference to
 * the socket until the connection is over: a socket whose file is gone keeps its port as long
 * as its FIN is on the way.
 *
 * Locking, outer first: is->rd_mutex; t->lock (struct mutex), which guards all of the block
 * but what is marked; inet_lock or the table's spinlock.  is->lock (the receive queue) is
 * taken under t->lock.  ip_output() is called with t->lock held, tcb_up_*() likewise.
 *
 *	I immutable   a atomic word   others: t->lock
 *
 * INVARIANTS
 *   C1  snd_una <= snd_nxt <= snd_max <= tx_end + fin_queued, where fin_queued is 0 or 1
 *       and the queue txq holds the bytes from snd_una (or a byte before: none) to tx_end.
 *   C2  The right edge of the window that was told, rcv_adv, never moves to the left.
 *   C3  ofo is sorted, its pieces do not overlap, and all lie behind rcv_nxt.
 *   C4  sacks are sorted, do not touch, and lie in (snd_una, snd_max].
 *
 * Times are CLOCK_MONOTONIC in ns; a deadline of 0 is none.  Windows and cwnd are bytes.
 */
#ifndef NET_TCP_TCP_H
#define NET_TCP_TCP_H

#include <kernel/dev/netdev.h>
#include <lib/list.h>
#include <lib/types.h>

/* As Linux numbers them. */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSED,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
};

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

#define TCP_HEAD	 20u
#define TCP_HEAD_MAX	 60u
#define TCP_MSS_DEFAULT4 536u
#define TCP_MSS_MIN	 88u
#define TCP_MSS_LEAST	 48u /* of what a peer says, whatever it says */
#define TCP_SACKS_TOLD	 4u
#define TCP_SACKS_KEPT	 32u
#define TCP_WSCALE_MAX	 14u

static inline bool seq_lt(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}
static inline bool seq_le(u32 a, u32 b)
{
	return (s32)(a - b) <= 0;
}
static inline u32 seq_max(u32 a, u32 b)
{
	return seq_lt(a, b) ? b : a;
}
static inline u32 seq_min(u32 a, u32 b)
{
	return seq_lt(a, b) ? a : b;
}

struct tcp_range {
	u32 from, to; /* sequence numbers; to: the first one behind */
};

/* A segment that came, taken apart: its header's fields, in host order. */
struct tcp_seg {
	u16 sport, dport;
	u32 seq, ack;
	u32 len; /* of data, without SYN and FIN */
	u16 wnd, urg;
	u8 flags;
	bool has_ts, sack_ok, has_wscale;
	u8 wscale, nr_sacks;
	u16 mss; /* 0: not told */
	u32 tsval, tsecr;
	const u8 *data;
	struct netbuf *
		b; /* where data lies: who keeps it, sets it to NULL; or NULL */
	struct tcp_range sacks[TCP_SACKS_TOLD];
};

/* Bytes to be sent, in order.  Owned by the queue. */
struct tcp_tx {
	struct list_head node;
	u32 seq;
	u32 len, cap; /* used, allocated */
	u8 data[];
};

/* Bytes that came too early. */
struct tcp_ofo {
	struct list_head node;
	u32 seq, len;
	u32 off; /* of the first byte that is wanted */
	u8 data[];
};

/* What the socket's owner wants: copied from there by who sets it. */
struct tcp_conf {
	bool nodelay, cork, keepalive, no_quickack;
	u16 user_mss;
	u32 keepidle, keepintvl; /* s */
	u32 keepcnt, syncnt;
	u32 user_timeout; /* ms; 0: none */
	u32 linger2;	  /* s; ~0: none */
	u32 window_clamp;
	u32 defer; /* TCP_DEFER_ACCEPT: SYNs of ours that wait for data */
	u32 sndbuf, notsent_lowat;
};

struct tcp_cubic {
	u64 epoch_ns;	  /* when this stretch of growth began; 0: not yet */
	u32 w_max, w_est; /* bytes */
	u32 k_ms;	  /* how long until it is at w_max again */
	u32 w_epoch;	  /* cwnd then */
};

enum tcp_timer {
	TT_REXMT,   /* something in flight is not acknowledged */
	TT_PERSIST, /* nothing is, and the peer has no room */
	TT_DELACK,
	TT_KEEP,
	TT_END, /* FIN_WAIT2 of nobody, TIME_WAIT */
	TT_NR
};

struct tcb {
	enum tcp_state state; /* [a] others look at it */
	struct tcp_conf conf;
	bool orphan;   /* its socket is closed: nobody reads */
	bool passive;  /* it was opened by a SYN */
	bool deferred; /* the handshake is over but for data: conf.defer */
	bool no_more;  /* SHUT_WR: nothing is queued any more */

	/* what was agreed upon in the handshake */
	bool ts_on, sack_on, ws_on;
	u8 snd_ws, rcv_ws;
	u16 peer_mss; /* the peer's option, or the default */
	u16 adv_mss;  /* ours */
	u32 mtu;      /* of the path */
	u32 ip_head;  /* [I] bytes of IP's header */
	u32 mss;      /* bytes of data in a full segment (with time stamps) */
	bool tso;     /* the device cuts long segments */

	/* sending */
	u32 iss, snd_una, snd_nxt, snd_max, snd_wnd, snd_wl1, snd_wl2, snd_up;
	u32 snd_small; /* end of the last segment that was not full [Minshall] */
	u32 max_wnd;   /* the largest that the peer had */
	bool urgent_out; /* snd_up is set, and not acknowledged */
	bool fin_queued;
	u32 tx_end;	      /* behind the last byte of txq */
	struct list_head txq; /* of struct tcp_tx */
	struct tcp_tx *tx_at; /* where snd_nxt was last, or NULL */
	bool more;	      /* MSG_MORE with the last bytes */
	bool pushed_out; /* a piece that is not full may go: cork's time is up */
	u32 full;	 /* [a] somebody waits for room */

	/* loss */
	u32 cwnd, ssthresh;
	u32 dupacks;
	u32 recover;   /* snd_max when recovery began */
	bool recovery; /* fast recovery */
	bool lost_all; /* after a timeout, until recover is acknowledged */
	u32 high_rxt;  /* behind the last byte sent again in this recovery */
	u32 nr_sacks;
	struct tcp_range sacks[TCP_SACKS_KEPT];
	bool tlp;    /* TT_REXMT is the probe of a tail [RFC 8985] */
	u32 tlp_end; /* snd_max when one was made; snd_una: none */
	bool tlp_out;
	u64 sent_last; /* when data was sent */
	struct tcp_cubic cubic;
	bool cwnd_limited;

	/* round trips */
	u64 srtt, rttvar, rto, min_rtt;
	bool timing; /* a segment is timed: */
	u32 time_seq;
	u64 time_at;
	u32 backoff, retries, probes;
	u64 first_sent; /* the oldest that is not acknowledged; 0: none */
	int soft_error; /* what ICMP said */

	/* receiving */
	u32 irs, rcv_nxt, rcv_adv, rcv_up;
	u32 acked_to; /* what our last segment acknowledged */
	bool urgent_in;
	bool fin_rcvd;
	u32 fin_seq; /* of a FIN that came too early */
	bool fin_early;
	u32 rcv_mss; /* how long its segments are */
	u32 unacked; /* bytes since our last acknowledgement */
	u32 quick;   /* so many more are acknowledged at once */
	bool ack_now;
	struct list_head ofo; /* of struct tcp_ofo */
	u32 ofo_cost;
	u32 last_ofo; /* sequence number in the newest piece of it */
	u32 ts_recent;
	u64 ts_recent_at;
	u32 ts_offset;	/* [I] */
	u64 rcv_last;	/* when something came */
	u64 invalid_at; /* when something outside of the window was answered */

	/* how much a reader takes in a round trip */
	u32 drs_seq;
	u64 drs_at, drs_rtt;
	u64 read_bytes, drs_read;

	u64 timers[TT_NR];
	u32 keep_probes;

	/* TCP_INFO */
	u64 bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	u32 segs_out, segs_in, data_segs_out, data_segs_in, total_retrans;
	u32 ofo_segs;
};

/* --- options.c */
/* Of @n bytes at @p, which begin with the header: false, it is none. */
bool tcp_parse(const u8 *p, u32 n, struct tcp_seg *s);
/* A segment of @t with room for @len bytes of data behind its header; they are not set.
 * NULL: no memory. */
struct netbuf *tcp_build(struct tcb *t, u32 seq, u8 flags, u32 len);
/* So many bytes of options a segment of @t has (not a SYN). */
u32 tcp_options_len(const struct tcb *t);
u32 tcp_ts_now(const struct tcb *t);
void tcp_put_ports(struct netbuf *b, u16 sport, u16 dport);

/* --- tcb.c */
/* Of zeros before.  @ts_offset: where its time stamps begin. */
void tcb_init(struct tcb *t, u32 iss, u32 mtu, u32 ip_head, u32 ts_offset);
/* The SYN goes.  0 or -errno. */
void tcb_connect(struct tcb *t);
/* It was opened by the SYN @s, which is answered. */
void tcb_accept(struct tcb *t, const struct tcp_seg *s);
/* Takes @x. */
void tcb_write(struct tcb *t, struct tcp_tx *x, bool urgent, bool more);
/* The @n bytes go behind the last ones, into the room that their piece has; tcb_push() then.
 * False: there is none. */
bool tcb_append(struct tcb *t, const u8 *data, u32 n);
void tcb_push(struct tcb *t, bool more); /* all of it is there */
/* Bytes that may be queued now. */
u32 tcb_room(const struct tcb *t);
bool tcb_writable(const struct tcb *t); /* enough for poll(2) */
void tcb_shutdown(struct tcb *t);	/* SHUT_WR */
/* No socket any more.  @unread: it has bytes that nobody will read. */
void tcb_close(struct tcb *t, bool unread);
/* A reset is sent if the peer knows of us; the end, with @err for the socket. */
void tcb_abort(struct tcb *t, int err);
/* The end, without a word. */
void tcb_end(struct tcb *t, int err);
/* The path takes packets of @mtu. */
void tcb_set_mtu(struct tcb *t, u32 mtu);
/* A reader took @n bytes. */
void tcb_read_done(struct tcb *t, u32 n);
void tcb_set_mss(struct tcb *t);
void tcb_set_state(struct tcb *t, enum tcp_state state);
/* What the SYN @s of the peer says. */
void tcb_take_syn(struct tcb *t, const struct tcp_seg *s);
void tcb_enter_time_wait(struct tcb *t);
void tcb_drop_queues(struct tcb *t);
static inline bool tcb_synchronized(const struct tcb *t)
{
	return t->state != TCP_SYN_SENT && t->state != TCP_CLOSED &&
	       t->state != TCP_SYN_RECV;
}

/* --- in.c */
void tcb_input(struct tcb *t, struct tcp_seg *s);
/* The two halves of it, for several segments one after another that are answered together,
 * as long as the state is not TCP_CLOSED. */
void tcb_take(struct tcb *t, struct tcp_seg *s);
void tcb_answer(struct tcb *t);
/* --- out.c */
void tcb_output(struct tcb *t);
void tcb_send_ack(struct tcb *t);
/* To be answered although it is not acceptable; not too often. */
void tcb_challenge_ack(struct tcb *t);
/* @len bytes from @seq on; flags besides ACK.  0 or -errno: not sent. */
int tcb_send_at(struct tcb *t, u32 seq, u32 len, u8 flags);
void tcb_send_syn(struct tcb *t);
void tcb_send_probe(struct tcb *t);
void tcb_send_reset(struct tcb *t);
u32 tcb_flight(const struct tcb *t);
/* --- ack.c: false: the segment is to be dropped */
bool tcb_ack(struct tcb *t, const struct tcp_seg *s);
void tcb_rtt_sample(struct tcb *t, u64 rtt);
/* --- sack.c */
bool tcb_sack_update(struct tcb *t, const struct tcp_seg *s);
void tcb_sack_advance(struct tcb *t);
u32 tcb_pipe(const struct tcb *t);
/* What is next to be sent again: false, nothing is. */
bool tcb_next_hole(const struct tcb *t, struct tcp_range *hole);
bool tcb_is_lost(const struct tcb *t);
/* The part of @r in front of what the peer has, without what it has at its start. */
void tcb_skip_sacked(const struct tcb *t, struct tcp_range *r);
u32 tcb_sacked_bytes(const struct tcb *t);
/* --- cubic.c */
void cubic_acked(struct tcb *t, u32 bytes);
void cubic_loss(struct tcb *t);
void cubic_restart(struct tcb *t); /* after idle time */
/* --- rcv.c */
void tcb_receive(struct tcb *t, struct tcp_seg *s);
u32 tcb_window(struct tcb *t); /* to be told now: rcv_adv - rcv_nxt */
bool tcb_window_grew(const struct tcb *t);
u32 tcb_sacks_told(const struct tcb *t, struct tcp_range out[TCP_SACKS_TOLD]);
void tcb_drop_ofo(struct tcb *t);
/* --- timers.c */
void tcb_timer(struct tcb *t);
void tcb_arm(struct tcb *t, enum tcp_timer which, u64 deadline); /* 0: off */
/* What is in flight has a deadline, or there is something that waits for room. */
void tcb_arm_rexmt(struct tcb *t);
void tcb_arm_keep(struct tcb *t);
u64 tcb_next_deadline(const struct tcb *t); /* 0: none */

/* --- defined by the socket's side, or by a test */
/* Send @b, whose data is the TCP header, without ports and checksum; takes it. */
int tcb_up_output(struct tcb *t, struct netbuf *b);
/* Bytes for the reader, in *frame, which may be kept (then *frame is NULL), or elsewhere (frame
 * or *frame is NULL): 0 or -ENOMEM. */
int tcb_up_data(struct tcb *t, const u8 *data, u32 n, struct netbuf **frame);
/* What the receive queue has room for, and the most that it could have. */
u32 tcb_up_space(const struct tcb *t, u32 *most);
/* A reader is fast: let the queue be of @n bytes, if its owner did not choose. */
void tcb_up_grow_rcv(struct tcb *t, u32 n);
void tcb_up_grow_snd(struct tcb *t, u32 n);
/* It is established.  False: there is no room for it (a backlog), ask again. */
bool tcb_up_established(struct tcb *t);
void tcb_up_fin(struct tcb *t);	 /* the peer sends no more */
void tcb_up_room(struct tcb *t); /* more may be queued */
void tcb_up_urgent(struct tcb *t,
		   bool here); /* announced, or its byte is the last of
						* what was handed over */
void tcb_up_ended(struct tcb *t, int err);
void tcb_up_time_wait(struct tcb *t); /* perhaps again */
/* The deadline may be another one: tcb_next_deadline(). */
void tcb_up_deadline(struct tcb *t);

#endif /* NET_TCP_TCP_H */
