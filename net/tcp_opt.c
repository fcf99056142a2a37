/* SPDX-License-Identifier: MIT */
/*
 * net/tcp_opt.c - options of the level TCP, and what struct tcp_info says of a connection
 * without packets (net/tcp/info.c: of one with).
 *
 * Refused: what would need a connection to be made of its parts (TCP_REPAIR and its kin),
 * packets to be kept (TCP_SAVE_SYN) or looked at (TCP_ULP, TCP_ZEROCOPY_RECEIVE).
 */
#include <net/inet_opt.h>

#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/netdev.h>
#include <net/tcp/wire.h>

enum {
	TCP_NODELAY = 1,
	TCP_MAXSEG = 2,
	TCP_CORK = 3,
	TCP_KEEPIDLE = 4,
	TCP_KEEPINTVL = 5,
	TCP_KEEPCNT = 6,
	TCP_SYNCNT = 7,
	TCP_LINGER2 = 8,
	TCP_DEFER_ACCEPT = 9,
	TCP_WINDOW_CLAMP = 10,
	TCP_INFO = 11,
	TCP_QUICKACK = 12,
	TCP_CONGESTION = 13,
	TCP_THIN_DUPACK = 17,
	TCP_USER_TIMEOUT = 18,
	TCP_REPAIR = 19,
	TCP_REPAIR_QUEUE = 20,
	TCP_QUEUE_SEQ = 21,
	TCP_REPAIR_OPTIONS = 22,
	TCP_FASTOPEN = 23,
	TCP_TIMESTAMP = 24,
	TCP_NOTSENT_LOWAT = 25,
	TCP_CC_INFO = 26,
	TCP_SAVED_SYN = 28,
	TCP_REPAIR_WINDOW = 29,
	TCP_FASTOPEN_CONNECT = 30,
	TCP_ULP = 31,
	TCP_FASTOPEN_KEY = 33,
	TCP_FASTOPEN_NO_COOKIE = 34,
	TCP_ZEROCOPY_RECEIVE = 35,
	TCP_INQ = 36,
	TCP_IS_MPTCP = 43,
};

#define SIOCOUTQNSD   0x894bu /* what was not sent yet */
#define MSS_MIN	      88u
#define MSS_MAX	      32767u
#define MSS_DEFAULT   536u
#define CLAMP_MIN     1152u
#define RTO_MAX_S     120u
#define LINGER2_MAX   120u
#define LINGER2_FIRST 60u

static const char congestion[16] = "cubic";

static int set_range(u32 *to, u32 v, u32 most)
{
	if (v < 1 || v > most)
		return -EINVAL;
	*to = v;
	return 0;
}

static int set_flag(bool *to, u32 v)
{
	if (v > 1)
		return -EINVAL;
	*to = v;
	return 0;
}

static bool is_early(const struct inet_sock *is)
{
	enum inet_state state = load_once(&is->state);

	return state == INET_IDLE || state == INET_CLOSED;
}

/* Kept: no packet could carry bytes before there is a connection. */
static int set_fastopen(struct inet_sock *is, int opt, u32 v)
{
	bool early = is_early(is) || load_once(&is->state) == INET_LISTEN;

	if (opt == TCP_FASTOPEN_CONNECT)
		return is_early(is) ? set_flag(&is->fastopen_connect, v)
				    : -EINVAL;
	if (opt == TCP_FASTOPEN_NO_COOKIE)
		return early ? set_flag(&is->fastopen_no_cookie, v) : -EINVAL;
	if ((s32)v < 0 || !early)
		return -EINVAL;
	is->fastopen = min(v, load_once(&is->s.net->ctl.somaxconn));
	return 0;
}

/*
 * TCP_DEFER_ACCEPT is a number of answers that are sent again, each after twice the time,
 * as on Linux: so many seconds that they take @s at least.
 */
static u32 seconds_of(u32 tries)
{
	u32 wait = 1, s = 0;

	for (u32 i = 0; i < tries; i++) {
		s += wait;
		wait = min(wait * 2, RTO_MAX_S);
	}
	return s;
}

static u32 tries_of(u32 s)
{
	u32 tries = 0;

	while ((s32)s > 0 && seconds_of(tries) < s && tries < 255)
		tries++;
	return tries;
}

static int set_clamp(struct inet_sock *is, u32 v)
{
	if (!v && !is_early(is))
		return -EINVAL;
	is->window_clamp = v ? max(v, CLAMP_MIN) : 0;
	return 0;
}

static int set_mss(struct inet_sock *is, u32 v)
{
	if (v && (v < MSS_MIN || v > MSS_MAX))
		return -EINVAL;
	is->user_mss = (u16)v;
	return 0;
}

static int set_linger2(struct inet_sock *is, u32 v)
{
	if ((s32)v < 0)
		is->linger2 = ~0u;
	else
		is->linger2 = v ? min(v, LINGER2_MAX) : LINGER2_FIRST;
	return 0;
}

/* A connection cannot be taken apart here. */
static int set_repair(const struct inet_sock *is, int opt, u32 v)
{
	bool may = net_capable(is->s.net, CAP_NET_ADMIN) &&
		   load_once(&is->state) != INET_LISTEN;

	if (opt == TCP_REPAIR && may) {
		if ((s32)v < -1 || (s32)v > 1)
			return -EINVAL;
		return v == 1 ? -EPERM : 0;
	}
	if (opt == TCP_REPAIR_OPTIONS || (opt == TCP_QUEUE_SEQ && is_early(is)))
		return -EINVAL;
	return -EPERM;
}

static int set_lowat(struct inet_sock *is, u32 v)
{
	store_once(&is->notsent_lowat, v);
	wake_up_all_key(&is->s.wr_wq, POLLOUT | POLLWRNORM);
	return 0;
}

static int set_timing(struct inet_sock *is, int opt, u32 v)
{
	switch (opt) {
	case TCP_KEEPIDLE:
		return set_range(&is->keepidle, v, 32767);
	case TCP_KEEPINTVL:
		return set_range(&is->keepintvl, v, 32767);
	case TCP_KEEPCNT:
		return set_range(&is->keepcnt, v, 127);
	case TCP_SYNCNT:
		return set_range(&is->syncnt, v, 127);
	case TCP_USER_TIMEOUT:
		if ((s32)v < 0)
			return -EINVAL;
		is->user_timeout = v;
		return 0;
	case TCP_LINGER2:
		return set_linger2(is, v);
	case TCP_DEFER_ACCEPT:
		store_once(&is->defer_tries, (u8)tries_of(v));
		return 0;
	default:
		return inet_set_switch(is, IPPROTO_TCP, opt, v);
	}
}

static int set_word(struct inet_sock *is, int opt, u32 v)
{
	switch (opt) {
	case TCP_NODELAY:
		is->nodelay = v != 0;
		return 0;
	case TCP_CORK:
		is->cork = v != 0;
		return 0;
	case TCP_INQ:
		return set_flag(&is->inq, v);
	case TCP_NOTSENT_LOWAT:
		return set_lowat(is, v);
	case TCP_QUICKACK:
		is->no_quickack = !v;
		return 0;
	case TCP_THIN_DUPACK: /* has no effect on Linux either */
		return v > 1 ? -EINVAL : 0;
	case TCP_WINDOW_CLAMP:
		return set_clamp(is, v);
	case TCP_MAXSEG:
		return set_mss(is, v);
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
	case TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(is, opt, v);
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_REPAIR_OPTIONS:
	case TCP_REPAIR_WINDOW:
	case TCP_TIMESTAMP:
		return set_repair(is, opt, v);
	default:
		return set_timing(is, opt, v);
	}
}

int tcp_setopt(struct inet_sock *is, int opt, const void *val, u32 len)
{
	u32 v;
	int err;

	if (opt == TCP_CONGESTION)
		return len < 1				      ? -EINVAL
		       : len == 5 && !memcmp(val, "cubic", 5) ? 0
							      : -ENOENT;
	if (opt == TCP_ULP)
		return len < 1 ? -EINVAL : -ENOENT;
	if (len < sizeof(v) || opt == TCP_FASTOPEN_KEY)
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	err = set_word(is, opt, v);
	if (!err && load_once(&is->conn))
		tcp_wire_changed(is);
	return err;
}

static int get_timing(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case TCP_KEEPIDLE:
		*v = is->keepidle;
		return 0;
	case TCP_KEEPINTVL:
		*v = is->keepintvl;
		return 0;
	case TCP_KEEPCNT:
		*v = is->keepcnt;
		return 0;
	case TCP_USER_TIMEOUT:
		*v = is->user_timeout;
		return 0;
	case TCP_SYNCNT:
		*v = is->syncnt;
		return 0;
	case TCP_LINGER2:
		*v = is->linger2;
		return 0;
	case TCP_DEFER_ACCEPT:
		*v = seconds_of(load_once(&is->defer_tries));
		return 0;
	case TCP_TIMESTAMP:
		*v = (u32)(clock_mono_ns() / NSEC_PER_MSEC);
		return 0;
	default:
		return inet_get_switch(is, IPPROTO_TCP, opt, v);
	}
}

static u32 mss_of(const struct inet_sock *is)
{
	enum inet_state state = load_once(&is->state);
	u32 mss = state == INET_CONNECTED ? TCP_MSS : MSS_DEFAULT;

	if (state == INET_CONNECTED && load_once(&is->conn))
		return tcp_wire_mss(is);

	if (!is->user_mss)
		return mss;
	return state == INET_CONNECTED ? min(mss, (u32)is->user_mss)
				       : is->user_mss;
}

static int get_word(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case TCP_NODELAY:
		*v = is->nodelay;
		return 0;
	case TCP_CORK:
		*v = is->cork;
		return 0;
	case TCP_INQ:
		*v = is->inq;
		return 0;
	case TCP_MAXSEG:
		*v = mss_of(is);
		return 0;
	case TCP_QUICKACK:
		*v = !is->no_quickack;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*v = is->notsent_lowat;
		return 0;
	case TCP_WINDOW_CLAMP:
		*v = is->window_clamp;
		return 0;
	case TCP_FASTOPEN:
		*v = is->fastopen;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*v = is->fastopen_connect;
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		*v = is->fastopen_no_cookie;
		return 0;
	case TCP_REPAIR:
	case TCP_THIN_DUPACK:
	case TCP_IS_MPTCP:
		*v = 0;
		return 0;
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_REPAIR_WINDOW:
	case TCP_ZEROCOPY_RECEIVE:
		return -EINVAL;
	default:
		return get_timing(is, opt, v);
	}
}

/* --- what else is asked of a stream */

void tcp_changed(struct socket *s)
{
	tcp_wire_changed(to_inet(s));
}

u64 tcp_outq(struct socket *s)
{
	return tcp_wire_outq(to_inet(s), false);
}

s64 tcp_ioctl(struct socket *s, unsigned int cmd, u64 arg)
{
	u32 n;

	if (cmd != SIOCOUTQNSD)
		return netdev_ioctl(s, cmd, arg);
	if (s->listening)
		return -EINVAL;
	n = (u32)tcp_wire_outq(to_inet(s), true);
	return copy_to_user(arg, &n, sizeof(n)) ? -EFAULT : 0;
}

/* --- TCP_INFO */

static void put32(u8 *info, u32 at, u32 v)
{
	memcpy(info + at, &v, sizeof(v));
}

static void put64(u8 *info, u32 at, u64 v)
{
	memcpy(info + at, &v, sizeof(v));
}

/* What has come, and what went to the peer, which counts it. */
static void tell_traffic(const struct inet_sock *is,
			 const struct inet_sock *peer, u8 *info)
{
	u64 space = load_once(&is->s.rcvbuf), q = load_once(&is->queued);

	put64(info, 128, load_once(&is->got_bytes));
	put32(info, 140, load_once(&is->got_segs));
	put32(info, 152, load_once(&is->got_segs));
	put32(info, 232, (u32)(space > q ? space - q : 0));
	if (!peer)
		return;
	space = load_once(&peer->s.rcvbuf);
	q = load_once(&peer->queued);
	put64(info, 120, load_once(&peer->got_bytes));
	put64(info, 200, load_once(&peer->got_bytes));
	put32(info, 136, load_once(&peer->got_segs));
	put32(info, 156, load_once(&peer->got_segs));
	put32(info, 192, load_once(&peer->got_segs));
	put32(info, 144, (u32)(q > space ? q - space : 0));
	put32(info, 228, (u32)(space > q ? space - q : 0));
}

/* Fields of struct tcp_info that say something of a loopback: offset in it, value. */
static void tell_path(const struct inet_sock *is, bool open, u8 *info)
{
	const struct {
		u32 at, open, closed;
	} words[] = {
		{ 8, 200000, 1000000 }, /* rto, us */
		{ 16, mss_of(is), MSS_DEFAULT },
		{ 20, open ? mss_of(is) : 0, 0 },
		{ 60, LOOPBACK_MTU, 0 },
		{ 64, 65483, 0 }, /* rcv_ssthresh */
		{ 68, 20, 0 },	  /* rtt: what a hand-over takes, about */
		{ 72, 10, 250000 },
		{ 76, INT32_MAX, INT32_MAX }, /* snd_ssthresh */
		{ 80, 10, 10 },		      /* cwnd */
		{ 84, TCP_MSS, 0 },	      /* advmss */
		{ 88, 3, 3 },		      /* reordering */
		{ 96, load_once(&is->s.rcvbuf), 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		put32(info, words[i].at,
		      open ? words[i].open : words[i].closed);
	put64(info, 104, ~0ul);
	put64(info, 112, load_once(&is->s.pacing));
}

void inet_tcp_info_locked(const struct inet_sock *is, u8 info[TCP_INFO_SIZE])
{
	bool open = load_once(&is->state) == INET_CONNECTED;

	memset(info, 0, TCP_INFO_SIZE);
	info[0] = (u8)inet_tcp_state(is);
	if (load_once(&is->state) == INET_LISTEN) {
		/* unacked, sacked: the backlog */
		put32(info, 24, is->nr_backlog);
		put32(info, 28, is->max_backlog);
		put32(info, 80, 10);
		put32(info, 88, 3);
	} else if (is->conn) {
		tcp_wire_info(is, info);
	} else {
		tell_path(is, open, info);
		tell_traffic(is, is->peer, info);
	}
}

int tcp_getopt(const struct inet_sock *is, int opt, void *val, u32 len)
{
	u8 info[TCP_INFO_SIZE];
	u32 v = 0;
	int err;

	switch (opt) {
	case TCP_INFO:
		spin_lock(&inet_lock);
		inet_tcp_info_locked(is, info);
		spin_unlock(&inet_lock);
		len = min(len, TCP_INFO_SIZE);
		memcpy(val, info, len);
		return (int)len;
	case TCP_CONGESTION:
		len = min(len, (u32)sizeof(congestion));
		memcpy(val, congestion, len);
		return (int)len;
	case TCP_CC_INFO: /* there is none */
	case TCP_SAVED_SYN:
	case TCP_ULP:
	case TCP_FASTOPEN_KEY:
		return 0;
	default:
		err = get_word(is, opt, &v);
		return err ? err : inet_opt_give(v, val, len);
	}
}
