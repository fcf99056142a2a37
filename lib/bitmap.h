/* SPDX-License-Identifier: MIT */
/*
 * lib/bitmap.h - bits of a word and of an array of words.
 *
 * RV64GC has no count instructions and the compiler's builtins would call
 * libgcc, so the counting is spelled out.  Nothing here is atomic: the owner
 * of the map brings the lock, or uses atomic_fetch_or() on the word.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/types.h>

#define BITS_PER_WORD	64u
#define BITMAP_WORDS(n) (((n) + BITS_PER_WORD - 1) / BITS_PER_WORD)

static inline unsigned int popcount64(u64 x)
{
	x -= (x >> 1) & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (unsigned int)((x * 0x0101010101010101ULL) >> 56);
}

/* Zeroes below the lowest one; 64 for 0. */
static inline unsigned int ctz64(u64 x)
{
	return popcount64(~x & (x - 1));
}

/* Zeroes above the highest one; 64 for 0. */
static inline unsigned int clz64(u64 x)
{
	x |= x >> 1;
	x |= x >> 2;
	x |= x >> 4;
	x |= x >> 8;
	x |= x >> 16;
	x |= x >> 32;
	return 64 - popcount64(x);
}

/* Position of the lowest (highest) one counted from 1; 0 for none. */
static inline unsigned int ffs64(u64 x)
{
	return x ? ctz64(x) + 1 : 0;
}

static inline unsigned int fls64(u64 x)
{
	return 64 - clz64(x);
}

/* @x is not 0.  The largest n with 2^n <= x, the smallest with 2^n >= x. */
static inline unsigned int log2_floor(u64 x)
{
	return 63 - clz64(x);
}

static inline unsigned int log2_ceil(u64 x)
{
	return x > 1 ? 64 - clz64(x - 1) : 0;
}

static inline bool is_pow2(u64 x)
{
	return x && (x & (x - 1)) == 0;
}

static inline void set_bit(u64 bit, u64 *map)
{
	map[bit / BITS_PER_WORD] |= 1ULL << (bit % BITS_PER_WORD);
}

static inline void clear_bit(u64 bit, u64 *map)
{
	map[bit / BITS_PER_WORD] &= ~(1ULL << (bit % BITS_PER_WORD));
}

static inline bool test_bit(u64 bit, const u64 *map)
{
	return (map[bit / BITS_PER_WORD] >> (bit % BITS_PER_WORD)) & 1;
}

/* First bit >= @from that differs from @flip's bits; @nbits when none. */
static inline u64 find_next_flipped(const u64 *map, u64 nbits, u64 from,
				    u64 flip)
{
	while (from < nbits) {
		u64 w = map[from / BITS_PER_WORD] ^ flip;

		w >>= from % BITS_PER_WORD;
		if (w) {
			from += ctz64(w);
			return from < nbits ? from : nbits;
		}
		from = ALIGN_DOWN(from, BITS_PER_WORD) + BITS_PER_WORD;
	}
	return nbits;
}

/* First one (zero) at or behind @from; @nbits when there is none. */
static inline u64 find_next_bit(const u64 *map, u64 nbits, u64 from)
{
	return find_next_flipped(map, nbits, from, 0);
}

static inline u64 find_next_zero(const u64 *map, u64 nbits, u64 from)
{
	return find_next_flipped(map, nbits, from, ~0ULL);
}

static inline u64 find_first_bit(const u64 *map, u64 nbits)
{
	return find_next_bit(map, nbits, 0);
}

static inline u64 find_first_zero(const u64 *map, u64 nbits)
{
	return find_next_zero(map, nbits, 0);
}

#define for_each_set_bit(bit, map, nbits)                     \
	for (bit = find_first_bit(map, nbits); bit < (nbits); \
	     bit = find_next_bit(map, nbits, (u64)(bit) + 1))

#endif /* LIB_BITMAP_H */
