/* SPDX-License-Identifier: MIT */
/*
 * lib/sort.c - heap sort.
 *
 * INVARIANT  In [from, n) no element is less than its children 2i+1, 2i+2.
 */
#include <lib/sort.h>

/* A word that may be any object, as memory is. */
typedef u64 __attribute__((may_alias)) word;

static void swap_words(word *a, word *b, size_t size)
{
	for (; size; size -= sizeof(*a)) {
		word t = *a;

		*a++ = *b;
		*b++ = t;
	}
}

static void swap_bytes(u8 *a, u8 *b, size_t size)
{
	if (IS_ALIGNED((uintptr_t)a | (uintptr_t)b | size, sizeof(word))) {
		swap_words((word *)(void *)a, (word *)(void *)b, size);
		return;
	}
	while (size--) {
		u8 t = *a;

		*a++ = *b;
		*b++ = t;
	}
}

/* Let the element @i sink until the invariant holds from @i on. */
static void sink(u8 *base, size_t i, size_t n, size_t size, sort_cmp_fn *cmp)
{
	while (2 * i + 1 < n) {
		size_t c = 2 * i + 1;

		if (c + 1 < n &&
		    cmp(base + c * size, base + (c + 1) * size) < 0)
			c++;
		if (cmp(base + i * size, base + c * size) >= 0)
			break;
		swap_bytes(base + i * size, base + c * size, size);
		i = c;
	}
}

void sort(void *base, size_t n, size_t size, sort_cmp_fn *cmp)
{
	u8 *b = base;

	for (size_t i = n / 2; i-- > 0;)
		sink(b, i, n, size, cmp);
	for (size_t last = n; last-- > 1;) {
		swap_bytes(b, b + last * size, size);
		sink(b, 0, last, size, cmp);
	}
}
