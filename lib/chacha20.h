/* SPDX-License-Identifier: MIT */
/*
 * lib/chacha20.h - the ChaCha20 block [RFC 8439] and a generator of random
 * bytes on top of it.
 *
 * The generator erases its key with every request (fast key erasure): what
 * has been handed out cannot be computed from a later state.
 *
 * Locking: the owner of the generator brings it.
 */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include <lib/types.h>

#define CHACHA20_KEY_SIZE   32
#define CHACHA20_BLOCK_SIZE 64

void chacha20_block(const u32 key[8], u32 counter, const u32 nonce[3],
		    u8 out[CHACHA20_BLOCK_SIZE]);

struct drbg {
	u32 key[8];
};

/* All zero is a valid, if predictable, generator; mix a seed into it. */
void drbg_mix(struct drbg *d, const void *seed, size_t len);
void drbg_generate(struct drbg *d, void *out, size_t len);

#endif /* LIB_CHACHA20_H */
