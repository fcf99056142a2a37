/* SPDX-License-Identifier: MIT */
/*
 * lib/chacha20.c - the ChaCha20 block [RFC 8439, 2.3] and the generator.
 */
#include <lib/chacha20.h>

#include <lib/string.h>

#define DOUBLE_ROUNDS 10

static inline u32 rotl32(u32 v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

static inline void quarter_round(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b;
	*d = rotl32(*d ^ *a, 16);
	*c += *d;
	*b = rotl32(*b ^ *c, 12);
	*a += *b;
	*d = rotl32(*d ^ *a, 8);
	*c += *d;
	*b = rotl32(*b ^ *c, 7);
}

/* Spelled out, so that all sixteen words live in registers. */
static void permute(u32 x[16])
{
	for (int i = 0; i < DOUBLE_ROUNDS; i++) {
		/* columns */
		quarter_round(&x[0], &x[4], &x[8], &x[12]);
		quarter_round(&x[1], &x[5], &x[9], &x[13]);
		quarter_round(&x[2], &x[6], &x[10], &x[14]);
		quarter_round(&x[3], &x[7], &x[11], &x[15]);
		/* diagonals */
		quarter_round(&x[0], &x[5], &x[10], &x[15]);
		quarter_round(&x[1], &x[6], &x[11], &x[12]);
		quarter_round(&x[2], &x[7], &x[8], &x[13]);
		quarter_round(&x[3], &x[4], &x[9], &x[14]);
	}
}

void chacha20_block(const u32 key[8], u32 counter, const u32 nonce[3],
		    u8 out[CHACHA20_BLOCK_SIZE])
{
	/* "expand 32-byte k" */
	u32 in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	u32 x[16];

	memcpy(&in[4], key, CHACHA20_KEY_SIZE);
	in[12] = counter;
	memcpy(&in[13], nonce, 3 * sizeof(u32));
	memcpy(x, in, sizeof(x));
	permute(x);
	for (int i = 0; i < 16; i++) {
		u32 v = x[i] + in[i];

		out[4 * i] = (u8)v;
		out[4 * i + 1] = (u8)(v >> 8);
		out[4 * i + 2] = (u8)(v >> 16);
		out[4 * i + 3] = (u8)(v >> 24);
	}
}

static const u32 zero_nonce[3];

/* The key of the next request is the first half of block 0. */
static void rekey(struct drbg *d)
{
	u8 block[CHACHA20_BLOCK_SIZE];

	chacha20_block(d->key, 0, zero_nonce, block);
	memcpy(d->key, block, CHACHA20_KEY_SIZE);
}

/* xor the seed over the key piece by piece, with a one-way step after each. */
void drbg_mix(struct drbg *d, const void *seed, size_t len)
{
	const u8 *p = seed;

	while (len) {
		size_t n = min(len, (size_t)CHACHA20_KEY_SIZE);

		for (size_t i = 0; i < n; i++)
			((u8 *)d->key)[i] ^= p[i];
		rekey(d);
		p += n;
		len -= n;
	}
}

void drbg_generate(struct drbg *d, void *out, size_t len)
{
	u32 key[8], counter = 0;
	u8 block[CHACHA20_BLOCK_SIZE];
	u8 *p = out;
	size_t first;

	/* Block 0: half of it the next key, half the first bytes of output. */
	memcpy(key, d->key, sizeof(key));
	chacha20_block(key, 0, zero_nonce, block);
	memcpy(d->key, block, CHACHA20_KEY_SIZE);
	first = min(len, sizeof(block) - CHACHA20_KEY_SIZE);
	memcpy(p, block + CHACHA20_KEY_SIZE, first);
	p += first;
	len -= first;
	while (len) {
		size_t n = min(len, sizeof(block));

		/* 256 GiB in one request would wrap; nobody asks for that. */
		chacha20_block(key, ++counter, zero_nonce, block);
		memcpy(p, block, n);
		p += n;
		len -= n;
	}
	memset(block, 0, sizeof(block));
	memset(key, 0, sizeof(key));
	/* The compiler may not drop the two: it must think they are read. */
	__asm__ volatile("" ::"r"(block), "r"(key) : "memory");
}
