/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/cubic.c - how much may be in the network: CUBIC [RFC 9438], and slow start.
 *
 * W(t) = C * (t - K)^3 + w_max, in segments and seconds, with C = 0.4, and beta = 0.7.
 */
#include <net/tcp/tcp.h>

#include <kernel/time/clock.h>

#define CWND_MAX (16u << 20)
#define DT_MAX	 50000 /* ms: no longer from K on */

/* The root of x, rounded down. */
static u32 cube_root(u64 x)
{
	u64 r = 0;

	for (u64 bit = 1u << 20; bit; bit >>= 1) {
		u64 c = r | bit;

		if (c * c * c <= x)
			r = c;
	}
	return (u32)r;
}

void cubic_restart(struct tcb *t)
{
	t->cubic.epoch_ns = 0;
}

static void begin_epoch(struct tcb *t, u64 now)
{
	struct tcp_cubic *c = &t->cubic;

	c->epoch_ns = now;
	c->w_est = c->w_epoch = t->cwnd;
	c->k_ms = 0;
	if (t->cwnd < c->w_max) {
		/* K^3 = (w_max - cwnd) / C; in ms: 1e9 / 0.4 */
		u64 d = c->w_max - t->cwnd;

		c->k_ms = cube_root(d * 2500000000ul / t->mss);
	} else {
		c->w_max = t->cwnd;
	}
}

/* W() of @ms after the epoch began, in bytes. */
static u64 w_cubic(const struct tcb *t, u64 ms)
{
	s64 dt = (s64)min(ms, (u64)INT32_MAX) - (s64)t->cubic.k_ms, w;

	dt = max(min(dt, (s64)DT_MAX), -(s64)DT_MAX);
	w = (s64)t->cubic.w_max +
	    dt * dt * dt / 1000000 * 4 * (s64)t->mss / 10000;
	return w < 0 ? 0 : (u64)w;
}

static void avoid(struct tcb *t, u32 bytes)
{
	struct tcp_cubic *c = &t->cubic;
	u64 now = clock_mono_ns(), ms, target;

	if (!c->epoch_ns)
		begin_epoch(t, now);
	ms = (now - c->epoch_ns + t->srtt) / NSEC_PER_MSEC;
	target = min(w_cubic(t, ms), (u64)t->cwnd * 3 / 2);
	/* as fast as Reno would be: alpha = 3 * (1 - beta) / (1 + beta) */
	c->w_est += (u32)((u64)bytes * t->mss / t->cwnd * 9 / 17);
	target = max(target, (u64)c->w_est);
	if (target > t->cwnd)
		t->cwnd += (u32)((target - t->cwnd) * bytes / t->cwnd);
}

void cubic_acked(struct tcb *t, u32 bytes)
{
	u32 most = t->cwnd < t->ssthresh ? t->cwnd * 2 : t->cwnd;

	/* what was not used says nothing */
	if (!t->cwnd_limited && t->snd_max - t->snd_una + bytes < most / 2)
		return;
	if (t->cwnd < t->ssthresh)
		t->cwnd += min(bytes, t->cwnd);
	else
		avoid(t, bytes);
	t->cwnd = min(t->cwnd, CWND_MAX);
}

void cubic_loss(struct tcb *t)
{
	struct tcp_cubic *c = &t->cubic;

	/* fast convergence: others need room */
	c->w_max = t->cwnd < c->w_max ? (u32)((u64)t->cwnd * 17 / 20) : t->cwnd;
	c->epoch_ns = 0;
	t->ssthresh = max((u32)((u64)t->cwnd * 7 / 10), 2 * t->mss);
}
