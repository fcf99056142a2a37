/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/ntp.c - steering CLOCK_REALTIME; see ntp.h.
 *
 * The clock is the counter plus an offset.  While a rate other than the counter's is
 * wanted, or an offset is to be worked off, a timer changes the offset ten times a
 * second; else there is none.  The loop is that of RFC 1589 as Linux has it: each second
 * the 2^-(2 + constant)th part of the phase is taken away, and the frequency learns.
 *
 * CLOCK_MONOTONIC is not steered.  No leap seconds, no pulses.
 *
 * Locking: ntp_lock for all of it.
 */
#include <kernel/time/ntp.h>

#include <kernel/spinlock.h>
#include <kernel/task/process.h>
#include <kernel/time/posix.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>

enum {
	ADJ_OFFSET = 0x0001,
	ADJ_FREQUENCY = 0x0002,
	ADJ_MAXERROR = 0x0004,
	ADJ_ESTERROR = 0x0008,
	ADJ_STATUS = 0x0010,
	ADJ_TIMECONST = 0x0020,
	ADJ_TAI = 0x0080,
	ADJ_SETOFFSET = 0x0100,
	ADJ_MICRO = 0x1000,
	ADJ_NANO = 0x2000,
	ADJ_TICK = 0x4000,
	ADJ_ADJTIME = 0x8000,
	ADJ_READONLY = 0x2000, /* with ADJ_ADJTIME */
};
enum {
	STA_PLL = 0x0001,
	STA_UNSYNC = 0x0040,
	STA_CLOCKERR = 0x1000,
	STA_NANO = 0x2000,
	STA_RONLY = 0xff00,
};
#define TIME_OK	     0
#define TIME_ERROR   5
#define USER_TICK_US 10000	   /* USER_HZ is 100 */
#define MAX_FREQ     (500ll << 16) /* parts per million, 2^-16 */
#define MAX_PHASE_NS 500000000ll
#define MAX_CONSTANT 10
#define MAX_TAI	     100000
#define PHASE_LIMIT  16000000ll /* us */
#define ERROR_GROWTH 500	/* us in a second */
#define ADJTIME_US   500	/* of adjtime(3) in a second */
#define STEP_NS	     (100 * NSEC_PER_MSEC)
#define STEPS	     10 /* in a second */
#define PPM_SCALE    (1000ll << 16)

static struct spinlock ntp_lock = SPINLOCK_INIT("ntp", RANK_POLL);
static struct ktimer timer;
static bool timer_made;

static s64 freq;       /* 2^-16 parts per million */
static s64 phase_ns;   /* what is left of ADJ_OFFSET */
static s64 adjtime_us; /* what is left of adjtime(3) */
static s64 tick_us = USER_TICK_US;
static s64 constant = 2, esterror = PHASE_LIMIT;
static s64 maxerror = PHASE_LIMIT;
static u64 maxerror_at, offset_at,
	status_at; /* CLOCK_MONOTONIC when they were set */
static s64 rest;   /* of a step, in 2^-16 ns */
static s32 status = STA_UNSYNC, tai;
static u32 step;		     /* of a second */
static u64 last_ns;		     /* CLOCK_MONOTONIC of the last one */
static s64 phase_step, adjtime_step; /* ns in a step of this second */

static s64 clamp_s64(s64 v, s64 lo, s64 hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Faster than the counter by so many 2^-16 ns in a second. */
static s64 rate(void)
{
	/* ppm are us/s */
	return freq * 1000 + (tick_us - USER_TICK_US) * 100 * 1000 * (1 << 16);
}

/* What the rate makes of the time since the last step. */
static s64 drift(void)
{
	u64 now = clock_mono_ns();
	s64 us = (s64)min((now - last_ns) / NSEC_PER_USEC, 1000000ul);

	last_ns = now;
	return rate() * us / 1000000;
}

/* A second begins: what is worked off in it. */
static void plan_second(void)
{
	s64 part = phase_ns / (1ll << (2 + constant)), us;

	if (!part)
		part = phase_ns; /* less than a few ns */
	phase_ns -= part;
	phase_step = part / STEPS;
	rest += (part % STEPS) << 16;
	us = clamp_s64(adjtime_us, -ADJTIME_US, ADJTIME_US);
	adjtime_us -= us;
	adjtime_step = us * 1000 / STEPS;
}

static bool steering(void)
{
	return rate() || phase_ns || adjtime_us || phase_step || adjtime_step;
}

static void next_step(struct ktimer *k __unused)
{
	s64 delta;

	spin_lock(&ntp_lock);
	if (step++ % STEPS == 0)
		plan_second();
	rest += drift();
	delta = rest / (1 << 16);
	rest -= delta * (1 << 16);
	delta += phase_step + adjtime_step;
	clock_slew_real_ns(delta);
	if (steering())
		ktimer_arm(&timer, clock_mono_ns() + STEP_NS);
	spin_unlock(&ntp_lock);
}

static void start_steering(void)
{
	if (!timer_made)
		ktimer_init(&timer, next_step, NULL);
	timer_made = true;
	if (steering() && !ktimer_armed(&timer)) {
		step = 0;
		last_ns = clock_mono_ns();
		ktimer_arm(&timer, clock_mono_ns() + STEP_NS);
	}
}

static s64 maxerror_now(void)
{
	s64 grown = maxerror + (s64)((clock_mono_ns() - maxerror_at) /
				     NSEC_PER_SEC * ERROR_GROWTH);

	if (grown < PHASE_LIMIT)
		return grown;
	if (clock_mono_ns() - status_at >= NSEC_PER_SEC)
		status |= STA_UNSYNC;
	return PHASE_LIMIT;
}

/* --- what is asked for */

static int check(const struct timex *tx)
{
	u32 m = tx->modes;
	s64 second = m & ADJ_NANO ? (s64)NSEC_PER_SEC : 1000000;

	if (m & ADJ_ADJTIME) {
		if (!(m & ADJ_OFFSET))
			return -EINVAL;
		return m & ADJ_READONLY || capable(CAP_SYS_TIME) ? 0 : -EPERM;
	}
	if (m && !capable(CAP_SYS_TIME))
		return -EPERM;
	/* what does not fit into Linux's 2^-32 nanoseconds a second */
	if ((m & ADJ_FREQUENCY) && (tx->freq > INT64_MAX / PPM_SCALE ||
				    tx->freq < INT64_MIN / PPM_SCALE))
		return -EINVAL;
	if ((m & ADJ_TICK) && (tx->tick < USER_TICK_US * 9 / 10 ||
			       tx->tick > USER_TICK_US * 11 / 10))
		return -EINVAL;
	if ((m & ADJ_SETOFFSET) &&
	    (tx->time.tv_usec < 0 || tx->time.tv_usec >= second))
		return -EINVAL;
	return 0;
}

/* ADJ_OFFSET, in us or ns; only the loop uses it. */
static void set_phase(s64 offset)
{
	u64 now = clock_mono_ns();
	s64 secs;

	if (!(status & STA_PLL))
		return;
	if (!(status & STA_NANO))
		offset = clamp_s64(offset, -500000, 500000) * 1000;
	offset = clamp_s64(offset, -MAX_PHASE_NS, MAX_PHASE_NS);
	secs = offset_at ? (s64)((now - offset_at) / NSEC_PER_SEC) : 0;
	secs = clamp_s64(secs, 0, 1 << (4 + constant));
	offset_at = now;
	/* ns/s into 2^-16 ppm */
	freq += (offset * secs / (1ll << 2 * (4 + constant)) << 16) / 1000;
	freq = clamp_s64(freq, -MAX_FREQ, MAX_FREQ);
	phase_ns = offset;
}

static void set_status(s32 new)
{
	if ((status & STA_PLL) && !(new &STA_PLL))
		status = STA_UNSYNC;
	if (!(status & STA_PLL) && (new &STA_PLL))
		offset_at = clock_mono_ns();
	status = (status & STA_RONLY) | (new & ~(s32)STA_RONLY);
	status_at = clock_mono_ns(); /* for a second it stands */
}

static void set_constant(s64 v)
{
	constant = clamp_s64(v, 0, MAX_CONSTANT);
	if (!(status & STA_NANO))
		constant += 4;
	constant = clamp_s64(constant, 0, MAX_CONSTANT);
}

static void apply(const struct timex *tx)
{
	u32 m = tx->modes;

	if (m & ADJ_STATUS)
		set_status(tx->status);
	if (m & ADJ_NANO)
		status |= STA_NANO;
	if (m & ADJ_MICRO)
		status &= ~STA_NANO;
	if (m & ADJ_FREQUENCY)
		freq = clamp_s64(tx->freq, -MAX_FREQ, MAX_FREQ);
	if (m & ADJ_MAXERROR) {
		maxerror = clamp_s64(tx->maxerror, 0, PHASE_LIMIT);
		maxerror_at = clock_mono_ns();
	}
	if (m & ADJ_ESTERROR)
		esterror = clamp_s64(tx->esterror, 0, PHASE_LIMIT);
	if (m & ADJ_TIMECONST)
		set_constant(tx->constant);
	if ((m & ADJ_TAI) && tx->constant >= 0 && tx->constant <= MAX_TAI)
		tai = (s32)tx->constant;
	if (m & ADJ_OFFSET)
		set_phase(tx->offset);
	if (m & ADJ_TICK)
		tick_us = tx->tick;
}

static int tell(struct timex *tx)
{
	u64 now = clock_real_ns();
	s64 part = (s64)(now % NSEC_PER_SEC);

	tx->maxerror = maxerror_now();
	tx->freq = freq;
	tx->esterror = esterror;
	tx->status = status;
	tx->constant = constant;
	tx->precision = 1;
	tx->tolerance = MAX_FREQ;
	tx->tick = tick_us;
	tx->tai = tai;
	tx->ppsfreq = tx->jitter = tx->stabil = 0;
	tx->jitcnt = tx->calcnt = tx->errcnt = tx->stbcnt = 0;
	tx->shift = 0;
	tx->time.tv_sec = (s64)(now / NSEC_PER_SEC);
	tx->time.tv_usec = status & STA_NANO ? part : part / 1000;
	return status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : TIME_OK;
}

static int step_clock(const struct timex *tx)
{
	s64 ns = tx->time.tv_usec * (tx->modes & ADJ_NANO ? 1 : 1000), to;

	if (tx->time.tv_sec > 1ll << 33 || tx->time.tv_sec < -(1ll << 33))
		return -EINVAL;
	to = (s64)clock_real_ns() + tx->time.tv_sec * (s64)NSEC_PER_SEC + ns;
	if (to < (s64)clock_mono_ns())
		return -EINVAL;
	posix_set_real((u64)to);
	return 0;
}

int ntp_adjust(struct timex *tx)
{
	int err = check(tx);
	s64 left;

	if (!err && !(tx->modes & ADJ_ADJTIME) && (tx->modes & ADJ_SETOFFSET))
		err = step_clock(tx);
	if (err)
		return err;
	spin_lock(&ntp_lock);
	if (tx->modes & ADJ_ADJTIME) {
		left = adjtime_us;
		if (!(tx->modes & ADJ_READONLY))
			adjtime_us = tx->offset;
		tx->offset = left;
	} else {
		apply(tx);
		tx->offset = status & STA_NANO ? phase_ns : phase_ns / 1000;
	}
	start_steering();
	err = tell(tx);
	spin_unlock(&ntp_lock);
	return err;
}

void ntp_clock_was_set(void)
{
	spin_lock(&ntp_lock);
	phase_ns = phase_step = 0;
	adjtime_us = adjtime_step = 0;
	status |= STA_UNSYNC;
	maxerror = esterror = PHASE_LIMIT;
	maxerror_at = clock_mono_ns();
	spin_unlock(&ntp_lock);
}

s32 ntp_tai_seconds(void)
{
	return tai;
}
