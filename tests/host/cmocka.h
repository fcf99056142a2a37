/* SPDX-License-Identifier: MIT */
/*
 * tests/host/cmocka.h - cmocka with what it wants to be included before it,
 * and a generator of random numbers that is the same everywhere.
 */
#ifndef TESTS_HOST_CMOCKA_H
#define TESTS_HOST_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* xorshift64*; the state is not 0. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* In [0, n). */
static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	return next_random(state) % n;
}

/* All of a file; the caller frees it.  Fails the test when it cannot. */
static inline void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	char *p = NULL;
	size_t n = 0, got;

	assert_non_null(f);
	do {
		p = realloc(p, n + 65536);
		assert_non_null(p);
		got = fread(p + n, 1, 65536, f);
		n += got;
	} while (got);
	fclose(f);
	*size = n;
	return p;
}

/* Exactly @n bytes in an allocation of their own, so that ASan sees the end. */
static inline void *exact_copy(const void *p, size_t n)
{
	void *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, p, n);
	return copy;
}

#endif /* TESTS_HOST_CMOCKA_H */
