/* SPDX-License-Identifier: MIT */
/*
 * lib/hash.h - spread keys over hash tables.
 *
 * Not for anything that an enemy profits from colliding, unless a random
 * number was mixed into the key.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <lib/types.h>

/* Every bit of @x moves about half of the bits of the result. */
static inline u64 hash64(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

/* FNV-1a, then mixed so that the low bits are as good as the high ones. */
static inline u64 hash_mem(const void *p, size_t len)
{
	const u8 *b = p;
	u64 h = 0xcbf29ce484222325ULL;

	while (len--)
		h = (h ^ *b++) * 0x100000001b3ULL;
	return hash64(h);
}

/* Equal to hash_mem(s, strlen(s)). */
static inline u64 hash_str(const char *s)
{
	u64 h = 0xcbf29ce484222325ULL;

	while (*s)
		h = (h ^ (u8)*s++) * 0x100000001b3ULL;
	return hash64(h);
}

#endif /* LIB_HASH_H */
