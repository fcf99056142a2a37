/* SPDX-License-Identifier: MIT */
/*
 * lib/hist.h - histogram of latencies, exact to a quarter of an octave.
 *
 * Values 0..3 have a bucket each; from there on every power of two has four
 * (the two bits below the highest one).  HIST_BUCKETS reach to 2^33 - 1, more
 * than eight seconds in nanoseconds; the last bucket takes all above.
 *
 * One writer.  A reader on another hart sees each counter whole and the sum
 * of them a little behind.
 */
#ifndef LIB_HIST_H
#define LIB_HIST_H

#include <lib/bitmap.h>
#include <lib/types.h>

#define HIST_SUB_BITS 2
#define HIST_SUB      (1u << HIST_SUB_BITS)
#define HIST_BUCKETS  128u

struct hist {
	u32 bucket[HIST_BUCKETS]; /* saturate at U32_MAX */
	u64 nr;
	u64 sum;
	u64 min; /* valid when nr is not 0 */
	u64 max;
};

static inline unsigned int hist_index(u64 v)
{
	unsigned int octave, i;

	if (v < HIST_SUB)
		return (unsigned int)v;
	octave = log2_floor(v) - HIST_SUB_BITS;
	i = octave * HIST_SUB + (unsigned int)(v >> octave);
	return min(i, HIST_BUCKETS - 1);
}

/* The smallest value of bucket @i. */
static inline u64 hist_floor(unsigned int i)
{
	unsigned int octave;

	if (i < 2 * HIST_SUB)
		return i;
	octave = i / HIST_SUB - 1;
	return (u64)(HIST_SUB + i % HIST_SUB) << octave;
}

static inline void hist_add(struct hist *h, u64 v)
{
	u32 *b = &h->bucket[hist_index(v)];

	if (*b != UINT32_MAX)
		(*b)++;
	if (!h->nr || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->sum += v;
	h->nr++;
}

static inline u64 hist_mean(const struct hist *h)
{
	return h->nr ? h->sum / h->nr : 0;
}

/*
 * The largest value of the bucket in which the @permille-th thousandth lies,
 * but never more than the maximum; 0 when nothing was added.
 */
static inline u64 hist_percentile(const struct hist *h, unsigned int permille)
{
	u64 total = 0, want, seen = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		total += h->bucket[i];
	want = DIV_ROUND_UP(total * permille, 1000);
	for (unsigned int i = 0; i < HIST_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen && seen >= want)
			return min(hist_floor(i + 1) - 1, h->max);
	}
	return h->max;
}

/* Add @from to @to. */
static inline void hist_merge(struct hist *to, const struct hist *from)
{
	if (!from->nr)
		return;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		u32 room = UINT32_MAX - to->bucket[i];

		to->bucket[i] += min(from->bucket[i], room);
	}
	to->min = to->nr ? min(to->min, from->min) : from->min;
	to->max = max(to->max, from->max);
	to->sum += from->sum;
	to->nr += from->nr;
}

#endif /* LIB_HIST_H */
