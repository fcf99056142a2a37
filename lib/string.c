/* SPDX-License-Identifier: MIT */
/*
 * lib/string.c - memory and strings.
 *
 * The compiler calls memcpy, memmove, memset and memcmp for its own purposes,
 * so they are always linked, and must not be turned into calls of themselves:
 * build with -ffreestanding; the pragma below does the rest for gcc.
 *
 * INVARIANTS
 *   I1  No access is misaligned: on the U74 each would trap to the firmware.
 *   I2  No byte outside of the given range is read or written.
 *
 * QEMU jumps from one translated block to the next directly only within a page of code: a
 * loop that lies across two takes twice as long.  So what has loops that matter here is
 * aligned to the next power of two of its size, and no page ends within.
 *
 * On the host every function that libc has too gets the prefix k_.
 */
#ifndef KERNEL
#define memcpy	k_memcpy
#define memmove k_memmove
#define memset	k_memset
#define memcmp	k_memcmp
#define memchr	k_memchr
#define strlen	k_strlen
#define strnlen k_strnlen
#define strcmp	k_strcmp
#define strncmp k_strncmp
#define strchr	k_strchr
#define strrchr k_strrchr
#define strstr	k_strstr
#define strlcat k_strlcat
#endif

#include <lib/string.h>

#include <lib/errno.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/* A word that may be any object, as memory is. */
typedef u64 __attribute__((may_alias)) word;

#define __in_one_page	 __attribute__((aligned(512)))
#define __in_one_page_1k __attribute__((aligned(1024)))

#define WORD  sizeof(word)
#define BLOCK (8 * WORD) /* one cache line per turn */

static inline bool word_aligned(const void *p)
{
	return IS_ALIGNED((uintptr_t)p, WORD);
}

/* Can both reach a word boundary in the same number of bytes? */
static inline bool same_phase(const void *a, const void *b)
{
	return IS_ALIGNED((uintptr_t)a ^ (uintptr_t)b, WORD);
}

/* Eight loads, then eight stores: the loads overlap in the pipeline. */
static inline void copy_block(word *d, const word *s)
{
	word a = s[0], b = s[1], c = s[2], e = s[3];
	word f = s[4], g = s[5], h = s[6], i = s[7];

	d[0] = a;
	d[1] = b;
	d[2] = c;
	d[3] = e;
	d[4] = f;
	d[5] = g;
	d[6] = h;
	d[7] = i;
}

/*
 * @d is on a word boundary, @s is not, and the bytes before @s in its word
 * may be read: each word for @d is put together from two of @s.  Returns the
 * bytes copied, which are all but the last two words of @n.
 */
static size_t copy_shifted(u8 *d, const u8 *s, size_t n)
{
	size_t skew = (uintptr_t)s % WORD, done = 0;
	const word *w = (const void *)(s - skew);
	size_t down = 8 * skew, up = 64 - down;
	word low = *w++, *to = (void *)d;

	for (; n - done >= 5 * WORD; done += 4 * WORD, w += 4, to += 4) {
		word a = w[0], b = w[1], c = w[2], e = w[3];

		to[0] = low >> down | a << up;
		to[1] = a >> down | b << up;
		to[2] = b >> down | c << up;
		to[3] = c >> down | e << up;
		low = e;
	}
	for (; n - done >= 2 * WORD; done += WORD) {
		word high = *w++;

		*to++ = low >> down | high << up;
		low = high;
	}
	return done;
}

#define SHIFT_MIN 48 /* shorter copies do not pay for the set-up */

/* Upwards; right for overlapping ranges when @d is below @s. */
static __in_one_page_1k void copy_up(u8 *d, const u8 *s, size_t n)
{
	if (n >= SHIFT_MIN && !same_phase(d, s)) {
		size_t head = 2 * WORD - (uintptr_t)d % WORD, done;

		for (n -= head; head; head--)
			*d++ = *s++;
		done = copy_shifted(d, s, n);
		d += done;
		s += done;
		n -= done;
	} else if (n >= 2 * WORD && same_phase(d, s)) {
		for (; !word_aligned(d); n--)
			*d++ = *s++;
		for (; n >= BLOCK; n -= BLOCK, d += BLOCK, s += BLOCK)
			copy_block((word *)(void *)d, (const void *)s);
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(word *)(void *)d = *(const word *)(const void *)s;
	}
	while (n--)
		*d++ = *s++;
}

/* Downwards from the ends; right for overlapping ranges, @d above @s. */
static __in_one_page void copy_down(u8 *d, const u8 *s, size_t n)
{
	d += n;
	s += n;
	if (n >= 2 * WORD && same_phase(d, s)) {
		for (; !word_aligned(d); n--)
			*--d = *--s;
		for (; n >= BLOCK; n -= BLOCK) {
			d -= BLOCK;
			s -= BLOCK;
			copy_block((word *)(void *)d, (const void *)s);
		}
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word *)(void *)d = *(const word *)(const void *)s;
		}
	}
	while (n--)
		*--d = *--s;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

__in_one_page void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		copy_up(dst, src, n);
	else
		copy_down(dst, src, n);
	return dst;
}

__in_one_page void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;

	if (n >= 2 * WORD) {
		word w = (u8)c * 0x0101010101010101ULL;

		for (; !word_aligned(d); n--)
			*d++ = (u8)c;
		for (; n >= BLOCK; n -= BLOCK, d += BLOCK) {
			word *p = (word *)(void *)d;

			p[0] = p[1] = p[2] = p[3] = w;
			p[4] = p[5] = p[6] = p[7] = w;
		}
		for (; n >= WORD; n -= WORD, d += WORD)
			*(word *)(void *)d = w;
	}
	while (n--)
		*d++ = (u8)c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	if (n >= 2 * WORD && same_phase(x, y)) {
		for (; !word_aligned(x) && *x == *y; n--, x++, y++)
			continue;
		/* Ends early on a difference; the byte loop finds it. */
		while (word_aligned(x) && n >= WORD &&
		       *(const word *)(const void *)x ==
			       *(const word *)(const void *)y) {
			n -= WORD;
			x += WORD;
			y += WORD;
		}
	}
	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++) {
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		continue;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)(uintptr_t)found;
	}
}

char *strstr(const char *s, const char *sub)
{
	size_t n = strlen(sub);

	for (;; s++) {
		if (strncmp(s, sub, n) == 0)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

long strscpy(char *dst, const char *src, size_t size)
{
	size_t n;

	if (size == 0)
		return -E2BIG;
	n = strnlen(src, size);
	if (n < size) {
		memcpy(dst, src, n + 1);
		return (long)n;
	}
	memcpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return -E2BIG;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);

	if (used < size)
		(void)strscpy(dst + used, src, size - used);
	return used + strlen(src);
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A') + 10;
	return ~0u;
}

/* Skip the prefix of base 0 and 16, and tell the base. */
static const char *take_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
		   digit_value(s[2]) < 16;

	if (hex && (*base == 0 || *base == 16)) {
		*base = 16;
		return s + 2;
	}
	if (*base == 0)
		*base = s[0] == '0' ? 8 : 10;
	return s;
}

/* Digits at @s, and where they end.  False when they do not fit. */
static bool take_digits(const char *s, const char **end, unsigned int base,
			u64 *out)
{
	bool fits = true;
	u64 v = 0;

	for (; digit_value(*s) < base; s++) {
		unsigned int digit = digit_value(*s);

		if (v > (UINT64_MAX - digit) / base)
			fits = false;
		v = v * base + digit;
	}
	*end = s;
	*out = fits ? v : UINT64_MAX;
	return fits;
}

int kstrtou64(const char *s, unsigned int base, u64 *out)
{
	const char *digits = take_prefix(s, &base);
	const char *end;
	bool fits;
	u64 v;

	fits = take_digits(digits, &end, base, &v);
	if (end == digits || *end)
		return -EINVAL;
	if (!fits)
		return -ERANGE;
	*out = v;
	return 0;
}

u64 parse_u64(const char *s, const char **end, unsigned int base)
{
	const char *digits = take_prefix(s, &base);
	const char *stop;
	u64 v;

	(void)take_digits(digits, &stop, base, &v);
	if (end)
		*end = stop == digits ? s : stop;
	return v;
}

const char *skip_spaces(const char *s)
{
	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	return s;
}

static const char *skip_separators(const char *s)
{
	while (*s == ',' || *s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	return s;
}

int parse_number_list(const char *s, u32 nr, u64 *mask)
{
	const char *end;

	*mask = 0;
	for (s = skip_separators(s); *s; s = skip_separators(end)) {
		u64 from = parse_u64(s, &end, 10), to = from;

		if (end == s)
			return -EINVAL;
		if (*end == '-') {
			s = end + 1;
			to = parse_u64(s, &end, 10);
			if (end == s || to < from)
				return -EINVAL;
		}
		if (*end && skip_separators(end) == end)
			return -EINVAL;
		if (to >= nr)
			return -ERANGE;
		*mask |= GENMASK(to, from);
	}
	return 0;
}

char *str_cut(char *s, char c)
{
	char *at = strchr(s, c);

	if (at)
		*at++ = '\0';
	return at;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
