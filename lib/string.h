/* SPDX-License-Identifier: MIT */
/*
 * lib/string.h - memory and strings.
 *
 * Host builds take the standard names from libc, so that the sanitizers see
 * them; there lib/string.c defines its versions as k_memcpy and so on.
 *
 * Not here: user memory (kernel/mm/user.h), formatting (lib/fmt.h).
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <lib/types.h>

#ifndef KERNEL
#include <string.h>
#else
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *sub);
#endif

/* Copy and terminate.  The length, or -E2BIG when @src was cut. */
long strscpy(char *dst, const char *src, size_t size);

/* Append and terminate.  The length it would have had without @size. */
size_t strlcat(char *dst, const char *src, size_t size);

/*
 * All of @s is one number.  Base 0 knows 0x and a leading 0.  -EINVAL when
 * there is anything else in @s, -ERANGE when it does not fit.
 */
int kstrtou64(const char *s, unsigned int base, u64 *out) __must_check;

/*
 * The number at the start of @s; @end (may be NULL) is set behind it, or to
 * @s when there is none.  Too large a number becomes U64_MAX.
 */
u64 parse_u64(const char *s, const char **end, unsigned int base);

const char *skip_spaces(const char *s);

/*
 * All of @s is a list of numbers, "0-2,4", with commas or spaces between: bits of *@mask.
 * -EINVAL: it is no list; -ERANGE: of numbers from @nr on, which is 64 at most.
 */
int parse_number_list(const char *s, u32 nr, u64 *mask);

/* Does @s begin with @prefix? */
bool str_has_prefix(const char *s, const char *prefix);
/* End @s at the first @c; what stands behind it, or NULL: there is none. */
char *str_cut(char *s, char c);

#endif /* LIB_STRING_H */
