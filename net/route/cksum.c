/* SPDX-License-Identifier: MIT */
/*
 * net/route/cksum.c - the Internet checksum [RFC 1071], eight bytes at a time.
 *
 * The sum does not care for the order of bytes in a word as long as it is the same one all
 * the time: so memory is added up as it is read, and the result is turned at the end.
 */
#include <net/ip.h>

static u32 fold(u64 s)
{
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (u32)s;
}

static u64 add(u64 s, u64 w)
{
	s += w;
	return s + (s < w);
}

/* @at is a multiple of 8. */
static u64 add_words(u64 s, const u8 **at, size_t *n)
{
	const u64 *w = (const void *)*at;

	for (; *n >= 32; *n -= 32, w += 4)
		s = add(add(add(add(s, w[0]), w[1]), w[2]), w[3]);
	for (; *n >= 8; *n -= 8)
		s = add(s, *w++);
	*at = (const void *)w;
	return s;
}

u16 ip_sum(u32 sum, const void *p, size_t n)
{
	const u8 *at = p;
	bool odd = (uintptr_t)at & 1 && n;
	u64 s = 0;
	u32 r;

	if (odd) { /* the second half of a word */
		s = (u64)*at++ << 8;
		n--;
	}
	for (; n >= 2 && (uintptr_t)at & 7; n -= 2, at += 2)
		s += *(const u16 *)(const void *)at;
	s = add_words(s, &at, &n);
	for (; n >= 2; n -= 2, at += 2)
		s = add(s, *(const u16 *)(const void *)at);
	if (n)
		s = add(s, *at);
	r = fold(s);
	if (!odd) /* to the order of the network; what was odd is there already */
		r = r >> 8 | (r & 0xff) << 8;
	return (u16)fold((u64)sum + r);
}
