/* SPDX-License-Identifier: MIT */
/*
 * lib/crc.c - cyclic redundancy checks, by table.
 *
 * A CRC is linear: the entry of a table for i is the sum (xor) of those for
 * the bits of i.  So eight numbers define a table of 256, and the compiler
 * expands it.  Table k of a polynomial holds what a byte becomes when k
 * further zero bytes follow: with four tables, four bytes are taken at once.
 *
 * Polynomials, reflected: 0xedb88320 (gzip), 0x82f63b78 (Castagnoli, ext4
 * metadata), 0xa001 (ext4 group descriptors without metadata checksums).  Not
 * reflected: 0x1021 (data of SD cards), 0x09 (their commands) shifted up by one,
 * 0x04c11db7 (journals of ext3).
 */
#include <lib/crc.h>

/* Twice as many entries each: the bit of @a is clear, then set. */
#define T1(x, a)	     (x), ((x) ^ (a))
#define T2(x, a, b)	     T1(x, a), T1((x) ^ (b), a)
#define T3(x, a, b, c)	     T2(x, a, b), T2((x) ^ (c), a, b)
#define T4(x, a, b, c, d)    T3(x, a, b, c), T3((x) ^ (d), a, b, c)
#define T5(x, a, b, c, d, e) T4(x, a, b, c, d), T4((x) ^ (e), a, b, c, d)
#define T6(x, a, b, c, d, e, f) \
	T5(x, a, b, c, d, e), T5((x) ^ (f), a, b, c, d, e)
#define T7(x, a, b, c, d, e, f, g) \
	T6(x, a, b, c, d, e, f), T6((x) ^ (g), a, b, c, d, e, f)
#define TABLE(a, b, c, d, e, f, g, h) \
	T7(0, a, b, c, d, e, f, g), T7(h, a, b, c, d, e, f, g)

static const u32 gzip_table[4][256] = {
	{ TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064,
		0x3b6e20c8, 0x76dc4190, 0xedb88320) },
	{ TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251,
		0x958424a2, 0xf0794f05, 0x3b83984b) },
	{ TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370,
		0x384d46e0, 0x709a8dc0, 0xe1351b80) },
	{ TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f,
		0xa032af3e, 0x9b14583d, 0xed59b63b) },
};

static const u32 castagnoli_table[4][256] = {
	{ TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f,
		0x20bd8ede, 0x417b1dbc, 0x82f63b78) },
	{ TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181,
		0x7f8be302, 0xff17c604, 0xfbc3faf9) },
	{ TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a,
		0xe144fb14, 0xc76580d9, 0x8b277743) },
	{ TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d,
		0xd725148b, 0xaba65fe7, 0x52a0c93f) },
};

static const u16 crc16_table[256] = { TABLE(0xc0c1, 0xc181, 0xc301, 0xc601,
					    0xcc01, 0xd801, 0xf001, 0xa001) };

static const u16 ccitt_table[256] = { TABLE(0x1021, 0x2042, 0x4084, 0x8108,
					    0x1231, 0x2462, 0x48c4, 0x9188) };

static const u8 crc7_table[256] = { TABLE(0x12, 0x24, 0x48, 0x90, 0x32, 0x64,
					  0xc8, 0x82) };

static const u32 be_table[256] = { TABLE(0x04c11db7, 0x09823b6e, 0x130476dc,
					 0x2608edb8, 0x4c11db70, 0x9823b6e0,
					 0x34867077, 0x690ce0ee) };

typedef u32 __attribute__((may_alias)) word32;

static inline u32 step(const u32 table[4][256], u32 crc, u8 byte)
{
	return (crc >> 8) ^ table[0][(crc ^ byte) & 0xff];
}

static u32 update(const u32 table[4][256], u32 crc, const u8 *p, size_t len)
{
	for (; len && !IS_ALIGNED((uintptr_t)p, 4); len--)
		crc = step(table, crc, *p++);
	for (; len >= 4; len -= 4, p += 4) {
		/* The low byte comes first: both CPUs are little-endian. */
		crc ^= *(const word32 *)(const void *)p;
		crc = table[3][crc & 0xff] ^ table[2][(crc >> 8) & 0xff] ^
		      table[1][(crc >> 16) & 0xff] ^ table[0][crc >> 24];
	}
	while (len--)
		crc = step(table, crc, *p++);
	return crc;
}

u32 crc32(u32 crc, const void *buf, size_t len)
{
	return ~update(gzip_table, ~crc, buf, len);
}

u32 crc32c(u32 seed, const void *buf, size_t len)
{
	return update(castagnoli_table, seed, buf, len);
}

u16 crc16(u16 seed, const void *buf, size_t len)
{
	const u8 *p = buf;
	u32 crc = seed;

	while (len--)
		crc = (crc >> 8) ^ crc16_table[(crc ^ *p++) & 0xff];
	return (u16)crc;
}

u16 crc16_ccitt(u16 seed, const void *buf, size_t len)
{
	const u8 *p = buf;
	u32 crc = seed;

	while (len--)
		crc = (crc << 8) ^ ccitt_table[((crc >> 8) ^ *p++) & 0xff];
	return (u16)crc;
}

u8 crc7(u8 seed, const void *buf, size_t len)
{
	const u8 *p = buf;
	u8 crc = seed;

	while (len--)
		crc = crc7_table[crc ^ *p++];
	return crc;
}

u32 crc32_be(u32 seed, const void *buf, size_t len)
{
	const u8 *p = buf;

	while (len--)
		seed = (seed << 8) ^ be_table[(seed >> 24) ^ *p++];
	return seed;
}
