/* SPDX-License-Identifier: MIT */
/*
 * lib/fmt.c - printf formatting into a buffer.
 *
 * A conversion is parsed into struct spec, turned into a run of characters
 * (struct piece), and laid out.  Only put() touches the buffer.
 *
 * On the host the names that libc has too get the prefix k_.
 */
#ifndef KERNEL
#define vsnprintf k_vsnprintf
#define snprintf  k_snprintf
#endif

#include <lib/fmt.h>

#include <lib/string.h>

struct out {
	char *buf;
	size_t size;
	size_t len; /* that the text has so far, may exceed size */
};

enum length {
	LEN_INT,
	LEN_CHAR,
	LEN_SHORT,
	LEN_LONG
};

struct spec {
	bool left, zero, plus, space, alt;
	bool has_precision;
	int width;
	int precision;
	enum length length;
	char conv;
};

/* What a conversion shows: prefix, zeroes, body. */
struct piece {
	const char *prefix;
	int zeroes;
	const char *body;
	int len;
};

#define DIGITS_MAX 22 /* u64 in octal */

static void put(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void lay_out(struct out *o, const struct spec *s, const struct piece *p)
{
	int prefix_len = (int)strlen(p->prefix);
	int fill = s->width - prefix_len - p->zeroes - p->len;

	if (!s->left)
		pad(o, ' ', fill);
	for (int i = 0; i < prefix_len; i++)
		put(o, p->prefix[i]);
	pad(o, '0', p->zeroes);
	for (int i = 0; i < p->len; i++)
		put(o, p->body[i]);
	if (s->left)
		pad(o, ' ', fill);
}

/* Digits of @v, written to end before @end. */
static char *digits(u64 v, unsigned int base, bool upper, char *end)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; v; v /= base)
		*--end = set[v % base];
	return end;
}

static void put_number(struct out *o, const struct spec *s, u64 v,
		       unsigned int base, const char *prefix)
{
	char buf[DIGITS_MAX];
	char *end = buf + sizeof(buf);
	char *body = digits(v, base, s->conv == 'X', end);
	int len = (int)(end - body);
	int want = s->has_precision ? s->precision : 1;
	struct piece p = { prefix, 0, body, len };

	if (base == 8 && s->alt && want <= len)
		want = len + 1;
	if (!s->has_precision && s->zero && !s->left) {
		int room = s->width - (int)strlen(prefix);

		want = max(want, room);
	}
	p.zeroes = max(want - len, 0);
	lay_out(o, s, &p);
}

static void put_signed(struct out *o, const struct spec *s, s64 v)
{
	const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

	put_number(o, s, v < 0 ? 0 - (u64)v : (u64)v, 10, sign);
}

static void put_hex(struct out *o, const struct spec *s, u64 v)
{
	const char *prefix = s->conv == 'X' ? "0X" : "0x";

	put_number(o, s, v, 16, s->alt && v ? prefix : "");
}

static void put_string(struct out *o, const struct spec *s, const char *str)
{
	size_t max_len = s->has_precision ? (size_t)s->precision : INT32_MAX;
	struct piece p = { "", 0, str ? str : "(null)", 0 };

	p.len = (int)strnlen(p.body, max_len);
	lay_out(o, s, &p);
}

static void put_pointer(struct out *o, const struct spec *s, const void *ptr)
{
	struct spec hex = *s;

	hex.conv = 'x';
	hex.alt = true;
	if (ptr)
		put_hex(o, &hex, (uintptr_t)ptr);
	else
		put_string(o, s, "(nil)");
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			s->left = true;
			break;
		case '0':
			s->zero = true;
			break;
		case '+':
			s->plus = true;
			break;
		case ' ':
			s->space = true;
			break;
		case '#':
			s->alt = true;
			break;
		default:
			return f;
		}
	}
}

#define FIELD_MAX 65536 /* widths beyond this are cut to it */

static const char *parse_int(const char *f, int *out)
{
	int v = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		v = min(v * 10 + (*f - '0'), FIELD_MAX);
	*out = v;
	return f;
}

static const char *parse_length(const char *f, struct spec *s)
{
	if (*f == 'h') {
		s->length = f[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return f + (f[1] == 'h' ? 2 : 1);
	}
	if (*f == 'l') {
		s->length = LEN_LONG;
		return f + (f[1] == 'l' ? 2 : 1);
	}
	if (*f == 'z' || *f == 't' || *f == 'j') {
		s->length = LEN_LONG;
		return f + 1;
	}
	return f;
}

/* va_list is an array on some hosts; wrapped, it can be passed by address. */
struct args {
	va_list ap;
};

static void set_width(struct spec *s, int width)
{
	if (width < 0) {
		s->left = true;
		width = width < -FIELD_MAX ? FIELD_MAX : -width;
	}
	s->width = min(width, FIELD_MAX);
}

static void set_precision(struct spec *s, int precision)
{
	s->has_precision = precision >= 0;
	s->precision = min(precision, FIELD_MAX);
}

/* @f is behind the '%'.  Returns the place behind the conversion. */
static const char *parse_spec(const char *f, struct spec *s, struct args *a)
{
	int n;

	f = parse_flags(f, s);
	if (*f == '*') {
		set_width(s, va_arg(a->ap, int));
		f++;
	} else {
		f = parse_int(f, &n);
		set_width(s, n);
	}
	if (*f == '.' && f[1] == '*') {
		set_precision(s, va_arg(a->ap, int));
		f += 2;
	} else if (*f == '.') {
		f = parse_int(f + 1, &n);
		set_precision(s, n);
	}
	f = parse_length(f, s);
	s->conv = *f;
	return *f ? f + 1 : f;
}

static s64 take_signed(const struct spec *s, struct args *a)
{
	if (s->length == LEN_LONG)
		return va_arg(a->ap, long);
	if (s->length == LEN_SHORT)
		return (s16)va_arg(a->ap, int);
	if (s->length == LEN_CHAR)
		return (s8)va_arg(a->ap, int);
	return va_arg(a->ap, int);
}

static u64 take_unsigned(const struct spec *s, struct args *a)
{
	if (s->length == LEN_LONG)
		return va_arg(a->ap, unsigned long);
	if (s->length == LEN_SHORT)
		return (u16)va_arg(a->ap, unsigned int);
	if (s->length == LEN_CHAR)
		return (u8)va_arg(a->ap, unsigned int);
	return va_arg(a->ap, unsigned int);
}

static void put_char(struct out *o, const struct spec *s, char c)
{
	struct piece p = { "", 0, &c, 1 };

	lay_out(o, s, &p);
}

/* False when the conversion is unknown; no argument was taken for it. */
static bool convert(struct out *o, const struct spec *s, struct args *a)
{
	switch (s->conv) {
	case 'd':
	case 'i':
		put_signed(o, s, take_signed(s, a));
		return true;
	case 'u':
		put_number(o, s, take_unsigned(s, a), 10, "");
		return true;
	case 'x':
	case 'X':
		put_hex(o, s, take_unsigned(s, a));
		return true;
	case 'o':
		put_number(o, s, take_unsigned(s, a), 8, "");
		return true;
	case 'c':
		put_char(o, s, (char)va_arg(a->ap, int));
		return true;
	case 's':
		put_string(o, s, va_arg(a->ap, const char *));
		return true;
	case 'p':
		put_pointer(o, s, va_arg(a->ap, const void *));
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size, 0 };
	struct args a;

	va_copy(a.ap, ap);
	while (*fmt) {
		struct spec s = { .length = LEN_INT };
		const char *begin = fmt;

		if (*fmt++ != '%') {
			put(&o, *begin);
			continue;
		}
		fmt = parse_spec(fmt, &s, &a);
		if (!convert(&o, &s, &a)) {
			while (begin < fmt)
				put(&o, *begin++);
		}
	}
	va_end(a.ap);
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return (int)min(o.len, (size_t)INT32_MAX);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (size == 0)
		return 0;
	return (size_t)n < size ? n : (int)(size - 1);
}
