/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/ntp.h - steering CLOCK_REALTIME: adjtimex(2).
 *
 * Context: coroutine.  Errors: -errno.
 */
#ifndef KERNEL_TIME_NTP_H
#define KERNEL_TIME_NTP_H

#include <kernel/time/clock.h>
#include <lib/types.h>

/* linux/timex.h */
struct timex {
	u32 modes, pad0;
	s64 offset, freq, maxerror, esterror;
	s32 status, pad1;
	s64 constant, precision, tolerance;
	struct timeval64 time;
	s64 tick, ppsfreq, jitter;
	s32 shift, pad2;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai;
	s32 pad3[11];
};
STATIC_ASSERT(sizeof(struct timex) == 208, "Linux's struct timex");

/* Does what tx->modes say and tells all: TIME_OK, TIME_ERROR or -errno. */
int ntp_adjust(struct timex *tx);
void ntp_clock_was_set(void); /* what was known of its errors is void */
s32 ntp_tai_seconds(void);    /* TAI minus UTC, as it was set */

#endif /* KERNEL_TIME_NTP_H */
