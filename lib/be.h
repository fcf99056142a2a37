/* SPDX-License-Identifier: MIT */
/*
 * lib/be.h - big-endian numbers as they lie in somebody else's format.
 *
 * They are structures of bytes, so that one cannot be used as a number by
 * mistake and need not be aligned.
 */
#ifndef LIB_BE_H
#define LIB_BE_H

#include <lib/types.h>

struct be16 {
	u8 b[2];
};
struct be32 {
	u8 b[4];
};
struct be64 {
	u8 b[8];
};

static inline u16 be16_get(struct be16 v)
{
	return (u16)(v.b[0] << 8 | v.b[1]);
}

static inline u32 be32_get(struct be32 v)
{
	return (u32)v.b[0] << 24 | (u32)v.b[1] << 16 | (u32)v.b[2] << 8 |
	       v.b[3];
}

static inline u64 be64_get(struct be64 v)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < 8; i++)
		n = n << 8 | v.b[i];
	return n;
}

static inline struct be16 be16_of(u16 n)
{
	return (struct be16){ { n >> 8 & 0xff, n & 0xff } };
}

static inline struct be32 be32_of(u32 n)
{
	return (struct be32){ { n >> 24 & 0xff, n >> 16 & 0xff, n >> 8 & 0xff,
				n & 0xff } };
}

static inline struct be64 be64_of(u64 n)
{
	struct be64 v;
	u32 i;

	for (i = 8; i > 0; i--) {
		v.b[i - 1] = n & 0xff;
		n >>= 8;
	}
	return v;
}

#endif /* LIB_BE_H */
