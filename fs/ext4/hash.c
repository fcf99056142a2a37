/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/hash.c - the hashes of names by which directories are indexed.
 *
 * Which of the three is used stands in the index, and whether characters count
 * as signed in the super block (it is what the machine did that made the
 * first one).  The lowest bit of a hash is not part of it: in the index it says
 * that a run of equal hashes goes on in the next block.
 */
#include <fs/ext4/htree.h>

#define EOF_HASH (0x7fffffffu << 1)

static u32 rol(u32 x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

/* MD4's three functions. */
static u32 choose(u32 x, u32 y, u32 z)
{
	return z ^ (x & (y ^ z));
}
static u32 majority(u32 x, u32 y, u32 z)
{
	return (x & y) + ((x ^ y) & z);
}
static u32 parity(u32 x, u32 y, u32 z)
{
	return x ^ y ^ z;
}

/* @a with the function's value of the three others, a word and a constant. */
static u32 step(u32 a, u32 value, u32 word, unsigned int shift)
{
	return rol(a + value + word, shift);
}

/* MD4 with half of the steps of each round. */
static void half_md4(u32 buf[4], const u32 in[8])
{
	const u32 root2 = 0x5a827999, root3 = 0x6ed9eba1;
	u32 a = buf[0], b = buf[1], c = buf[2], d = buf[3];
	u32 i;

	for (i = 0; i < 8; i += 4) {
		a = step(a, choose(b, c, d), in[i], 3);
		d = step(d, choose(a, b, c), in[i + 1], 7);
		c = step(c, choose(d, a, b), in[i + 2], 11);
		b = step(b, choose(c, d, a), in[i + 3], 19);
	}
	for (i = 2; i-- > 0;) {
		a = step(a, majority(b, c, d), in[i] + root2, 3);
		d = step(d, majority(a, b, c), in[i + 2] + root2, 5);
		c = step(c, majority(d, a, b), in[i + 4] + root2, 9);
		b = step(b, majority(c, d, a), in[i + 6] + root2, 13);
	}
	for (i = 2; i-- > 0;) {
		const u32 *w = in + 2 * i;

		a = step(a, parity(b, c, d), w[1] + root3, 3);
		d = step(d, parity(a, b, c), w[5] + root3, 9);
		c = step(c, parity(d, a, b), w[0] + root3, 11);
		b = step(b, parity(c, d, a), w[4] + root3, 15);
	}
	buf[0] += a;
	buf[1] += b;
	buf[2] += c;
	buf[3] += d;
}

static void tea(u32 buf[4], const u32 in[4])
{
	u32 sum = 0, x = buf[0], y = buf[1], i;

	for (i = 0; i < 16; i++) {
		sum += 0x9e3779b9;
		x += ((y << 4) + in[0]) ^ (y + sum) ^ ((y >> 5) + in[1]);
		y += ((x << 4) + in[2]) ^ (x + sum) ^ ((x >> 5) + in[3]);
	}
	buf[0] += x;
	buf[1] += y;
}

static u32 char_at(const char *s, size_t i, bool is_unsigned)
{
	return is_unsigned ? (u32)(u8)s[i] : (u32)(s32)(s8)s[i];
}

static u32 legacy(const char *name, size_t len, bool is_unsigned)
{
	u32 hash, a = 0x12a3fe2d, b = 0x37abe8f9;
	size_t i;

	for (i = 0; i < len; i++) {
		hash = b + (a ^ (char_at(name, i, is_unsigned) * 7152373));
		if (hash & 0x80000000)
			hash -= 0x7fffffff;
		b = a;
		a = hash;
	}
	return a << 1;
}

/* The next @words words of the name, padded with its length. */
static void fill(const char *s, size_t len, u32 *out, u32 words,
		 bool is_unsigned)
{
	u32 pad = (u32)len | (u32)len << 8, val, n = 0;
	size_t i;

	pad |= pad << 16;
	len = min(len, (size_t)words * 4);
	val = pad;
	for (i = 0; i < len; i++) {
		val = char_at(s, i, is_unsigned) + (val << 8);
		if (i % 4 == 3) {
			out[n++] = val;
			val = pad;
		}
	}
	if (n < words)
		out[n++] = val;
	while (n < words)
		out[n++] = pad;
}

static u32 chained(const struct ext4_sb *sbi, const char *name, size_t len,
		   u32 version, bool is_unsigned, u32 *minor)
{
	u32 buf[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	bool md4 = version == EXT4_HASH_HALF_MD4;
	u32 in[8], words = md4 ? 8 : 4, i;

	for (i = 0; i < 4; i++) {
		if (sbi->hash_seed[i])
			break;
	}
	if (i < 4)
		memcpy(buf, sbi->hash_seed, sizeof(buf));
	for (;;) {
		fill(name, len, in, words, is_unsigned);
		if (md4)
			half_md4(buf, in);
		else
			tea(buf, in);
		if (len <= words * 4) {
			*minor = md4 ? buf[2] : buf[1];
			return md4 ? buf[1] : buf[0];
		}
		name += words * 4;
		len -= words * 4;
	}
}

u32 ext4_name_hash2(const struct ext4_sb *sbi, u32 version, const char *name,
		    size_t len, u32 *minor)
{
	bool is_unsigned = version >= EXT4_HASH_LEGACY_UNSIGNED;
	u32 hash;

	*minor = 0;
	if (is_unsigned)
		version -= EXT4_HASH_LEGACY_UNSIGNED;
	if (version == EXT4_HASH_LEGACY)
		hash = legacy(name, len, is_unsigned);
	else
		hash = chained(sbi, name, len, version, is_unsigned, minor);
	hash &= ~1u;
	return hash == EOF_HASH ? EOF_HASH - 2 : hash;
}

u32 ext4_name_hash(const struct ext4_sb *sbi, u32 version, const char *name,
		   size_t len)
{
	u32 minor;

	return ext4_name_hash2(sbi, version, name, len, &minor);
}
