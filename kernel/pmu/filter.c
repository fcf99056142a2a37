/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/filter.c - see filter.h.
 *
 * The text becomes a list of comparisons and operators in the order in which they are
 * carried out on a stack of bits.  What fields there are is read from the description
 * of the record that programs read too.
 */
#include <kernel/pmu/filter.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_STEPS 256u
#define MAX_DEPTH 16u  /* of parentheses; the stack is no deeper */
#define MAX_TEXT  256u /* of one string, with its end */

enum step_kind {
	STEP_EQ,
	STEP_NE,
	STEP_LT,
	STEP_LE,
	STEP_GT,
	STEP_GE,
	STEP_BITS,
	STEP_GLOB,
	STEP_AND,
	STEP_OR,
	STEP_NOT
};

enum field_kind {
	FIELD_SIGNED,
	FIELD_UNSIGNED,
	FIELD_CPU,
	FIELD_TEXT,   /* so many bytes */
	FIELD_TEXT_AT /* place and length of them */
};

struct step {
	u8 kind;      /* enum step_kind */
	u8 field;     /* enum field_kind */
	bool comm;    /* FIELD_TEXT: of who hits it, not in the record */
	bool cpus;    /* value: set of harts */
	u16 at, size; /* of the field */
	u16 text;     /* of the constant, in f->text */
	u64 value;
};

struct perf_filter {
	u32 nr;
	u32 used; /* of text */
	char *text;
	struct step step[MAX_STEPS];
};

struct parser {
	const char *s;
	const char *format;
	u32 depth;
	int err;
	struct perf_filter *f;
};

static const struct {
	const char *text;
	u8 kind;
} compare[] = {
	/* the longer one first */
	{ "==", STEP_EQ },  { "!=", STEP_NE },	{ "<=", STEP_LE },
	{ ">=", STEP_GE },  { "<", STEP_LT },	{ ">", STEP_GT },
	{ "&", STEP_BITS }, { "~", STEP_GLOB },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       is_digit(c) || c == '_';
}

static bool at_end(struct parser *p)
{
	while (*p->s == ' ')
		p->s++;
	return !*p->s;
}

static bool take(struct parser *p, const char *what)
{
	size_t n = strlen(what);

	(void)at_end(p);
	if (strncmp(p->s, what, n))
		return false;
	p->s += n;
	return true;
}

static bool fail(struct parser *p, int err)
{
	if (!p->err)
		p->err = err;
	return false;
}

static bool add(struct parser *p, struct step step)
{
	if (p->f->nr == MAX_STEPS)
		return false;
	p->f->step[p->f->nr++] = step;
	return true;
}

/* --- fields */

static u32 number_behind(const char *s, const char *what)
{
	u32 v = 0;

	s = strstr(s, what);
	for (s = s ? s + strlen(what) : ""; is_digit(*s); s++)
		v = v * 10 + (u32)(*s - '0');
	return v;
}

/* @line: "char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n...", whose name ends at
 * @end. */
static bool describe(const char *line, const char *end, struct step *st)
{
	st->at = (u16)number_behind(end, "offset:");
	st->size = (u16)number_behind(end, "size:");
	if (!strncmp(line, "__data_loc char[]", 17))
		st->field = FIELD_TEXT_AT;
	else if (*end == '[')
		st->field = FIELD_TEXT;
	else
		st->field = number_behind(end, "signed:") ? FIELD_SIGNED
							  : FIELD_UNSIGNED;
	/* no arrays of anything else */
	return st->field != FIELD_TEXT || !strncmp(line, "char ", 5);
}

static bool in_record(const struct parser *p, const char *name, size_t n,
		      struct step *st)
{
	const char *l = p->format, *end, *stop;

	while ((l = strstr(l, "\tfield:"))) {
		l += 7;
		stop = strchr(l, ';');
		for (end = stop; end > l && *end != ' '; end--)
			;
		/* end: before the name */
		if (!strncmp(end + 1, name, n) && !word_char(end[1 + n]))
			return describe(l, end + 1 + n, st);
		l = stop;
	}
	return false;
}

static bool is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(s, word, n);
}

static bool field(struct parser *p, struct step *st)
{
	size_t n = 0;
	bool known;

	(void)at_end(p);
	while (word_char(p->s[n]))
		n++;
	known = n && in_record(p, p->s, n, st);
	if (!known && (is(p->s, n, "CPU") || is(p->s, n, "cpu"))) {
		known = true;
		st->field = FIELD_CPU;
	} else if (!known && (is(p->s, n, "COMM") || is(p->s, n, "comm"))) {
		known = true;
		st->field = FIELD_TEXT;
		st->size = 16;
		st->comm = true;
	}
	p->s += n;
	if (known && st->field >= FIELD_TEXT && *p->s == '.')
		return take(p, ".ustring");
	return known && *p->s != '.';
}

/* --- constants */

/* Decimal, or with 0x or 0 in front. */
static bool number(struct parser *p, struct step *st)
{
	bool minus = *p->s == '-';
	u64 v = 0, base = 10;

	p->s += minus;
	if (*p->s == '0') {
		base = p->s[1] == 'x' || p->s[1] == 'X' ? 16 : 8;
		p->s += base == 16 ? 2 : 0;
	}
	if (!word_char(*p->s))
		return false;
	for (; word_char(*p->s); p->s++) {
		char c = *p->s;
		u64 d = is_digit(c)	       ? (u64)(c - '0')
			: c >= 'a' && c <= 'f' ? (u64)(c - 'a') + 10
			: c >= 'A' && c <= 'F' ? (u64)(c - 'A') + 10
					       : 99;

		if (d >= base || v > (~0ull - d) / base)
			return false;
		v = v * base + d;
	}
	if (st->field == FIELD_SIGNED ? v >> 63 && !(minus && v << 1 == 0)
				      : minus && v)
		return false;
	st->value = minus ? -v : v;
	return true;
}

/* "CPUS{0-2,5}" */
static bool cpu_set(struct parser *p, struct step *st)
{
	u64 first, last;

	if (st->kind != STEP_EQ && st->kind != STEP_NE && st->kind != STEP_BITS)
		return false;
	st->cpus = true;
	do {
		struct step n = { .field = FIELD_UNSIGNED };

		if (!is_digit(*p->s) || !number(p, &n))
			return false;
		first = last = n.value;
		if (*p->s == '-') {
			p->s++;
			if (!is_digit(*p->s) || !number(p, &n))
				return false;
			last = n.value;
		}
		if (first > last || last > 63)
			return false;
		st->value |= (~0ull >> (63 - last)) & (~0ull << first);
	} while (take(p, ","));
	return take(p, "}");
}

static bool text(struct parser *p, struct step *st)
{
	char quote = *p->s, *to = p->f->text + p->f->used;
	u32 n = 0;

	if (st->kind != STEP_EQ && st->kind != STEP_NE && st->kind != STEP_GLOB)
		return false;
	if (quote != '"' && quote != '\'')
		return false;
	for (p->s++; *p->s != quote; p->s++) {
		if (!*p->s)
			return fail(p, -ESRCH);
		if (n == MAX_TEXT - 1)
			return false;
		to[n++] = *p->s;
	}
	p->s++;
	to[n] = '\0';
	st->text = (u16)p->f->used;
	p->f->used += n + 1;
	return true;
}

static bool constant(struct parser *p, struct step *st)
{
	(void)at_end(p);
	if (st->field >= FIELD_TEXT)
		return text(p, st);
	if (st->kind == STEP_GLOB)
		return false;
	return take(p, "CPUS{") ? cpu_set(p, st) : number(p, st);
}

/* --- expressions */

static bool comparison(struct parser *p)
{
	struct step st = { 0 };

	if (!field(p, &st))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(compare); i++) {
		if (!take(p, compare[i].text))
			continue;
		st.kind = compare[i].kind;
		return constant(p, &st) && add(p, st);
	}
	return false;
}

static bool either(struct parser *p);

static bool primary(struct parser *p)
{
	bool ok;

	if (p->depth == MAX_DEPTH)
		return false;
	p->depth++;
	if (take(p, "!"))
		ok = primary(p) && add(p, (struct step){ .kind = STEP_NOT });
	else if (take(p, "("))
		ok = either(p) &&
		     (take(p, ")") || fail(p, at_end(p) ? -ENOENT : -EPERM));
	else
		ok = comparison(p);
	p->depth--;
	return ok;
}

/* Linux takes an operator that nothing follows as none. */
static bool both(struct parser *p)
{
	if (!primary(p))
		return false;
	while (take(p, "&&") && !at_end(p)) {
		if (!primary(p) || !add(p, (struct step){ .kind = STEP_AND }))
			return false;
	}
	return true;
}

static bool either(struct parser *p)
{
	if (!both(p))
		return false;
	while (take(p, "||") && !at_end(p)) {
		if (!both(p) || !add(p, (struct step){ .kind = STEP_OR }))
			return false;
	}
	return true;
}

struct perf_filter *perf_filter_parse(const char *format, const char *s)
{
	struct parser p = { s, format, 0, 0, NULL };

	/* A string is shorter than with its quotes. */
	p.f = kzalloc(sizeof(*p.f) + strlen(s) + 1);
	if (!p.f)
		return ERR_PTR(-ENOMEM);
	p.f->text = (char *)(p.f + 1);
	if (either(&p) && (at_end(&p) || fail(&p, -EPERM)))
		return p.f;
	kfree(p.f);
	return ERR_PTR(p.err ? p.err : -EINVAL);
}

void perf_filter_free(struct perf_filter *f)
{
	kfree(f);
}

/* --- matching */

/* One of "[a-z]" at *@pat: is it @c?  Moves *@pat behind it; no end: not one. */
static bool in_class(const char **pat, char c)
{
	const char *s = *pat + 1;
	bool not = *s == '!', hit = false;

	s += not ;
	do {
		char a = *s, b = *s;

		if (!a)
			return false;
		if (s[1] == '-' && s[2] && s[2] != ']') {
			b = s[2];
			s += 2;
		}
		hit |= c >= a && c <= b;
		s++;
	} while (*s != ']');
	*pat = s + 1;
	return hit != not ;
}

/* Does one character of the pattern, which is not '*', fit @c? */
static bool one_fits(const char **pat, char c)
{
	char want = **pat;

	if (want == '[' && strchr(*pat + 1, ']'))
		return in_class(pat, c);
	if (want == '\\' && (*pat)[1])
		want = *++*pat;
	else if (want == '?')
		want = c;
	(*pat)++;
	return want == c;
}

/* @s has @n bytes, or ends before. */
static bool glob(const char *pat, const char *s, u32 n)
{
	const char *star = NULL, *back = NULL, *end = s + strnlen(s, n);

	while (s < end) {
		if (*pat == '*') {
			star = ++pat;
			back = s;
		} else if (*pat && one_fits(&pat, *s)) {
			s++;
		} else if (star) {
			pat = star; /* it swallows one more */
			s = ++back;
		} else {
			return false;
		}
	}
	while (*pat == '*')
		pat++;
	return !*pat;
}

static bool text_holds(const struct perf_filter *f, const struct step *st,
		       const struct perf_hit *hit)
{
	const char *want = f->text + st->text, *is_at;
	u32 n = st->size, place;

	if (st->comm) {
		is_at = hit->comm;
	} else if (st->field == FIELD_TEXT) {
		is_at = (const char *)hit->raw + st->at;
	} else {
		memcpy(&place, (const char *)hit->raw + st->at, sizeof(place));
		is_at = (const char *)hit->raw + (place & 0xffff);
		n = place >> 16;
	}
	if (st->kind == STEP_GLOB)
		return *want == '!' ? !glob(want + 1, is_at, n)
				    : glob(want, is_at, n);
	/* the same to its end, where the field has one */
	return (strnlen(is_at, n) == strlen(want) &&
		!memcmp(is_at, want, strlen(want))) == (st->kind == STEP_EQ);
}

static u64 value_of(const struct step *st, const struct perf_hit *hit)
{
	u32 bits = 64 - 8 * min((u32)st->size, 8u);
	u64 v = 0;

	if (st->field == FIELD_CPU)
		return hit->cpu;
	memcpy(&v, (const char *)hit->raw + st->at, min((u32)st->size, 8u));
	v <<= bits;
	return st->field == FIELD_SIGNED ? (u64)((s64)v >> bits) : v >> bits;
}

static bool cpus_hold(const struct step *st, u64 v)
{
	bool in = v < 64 && (st->value & BIT(v));
	bool alone = in && st->value == BIT(v);

	return st->kind == STEP_BITS ? in : alone == (st->kind == STEP_EQ);
}

static bool less(const struct step *st, u64 a, u64 b)
{
	return st->field == FIELD_SIGNED ? (s64)a < (s64)b : a < b;
}

static bool holds(const struct perf_filter *f, const struct step *st,
		  const struct perf_hit *hit)
{
	u64 v;

	if (st->field >= FIELD_TEXT)
		return text_holds(f, st, hit);
	v = value_of(st, hit);
	if (st->cpus)
		return cpus_hold(st, v);
	switch ((enum step_kind)st->kind) {
	case STEP_EQ:
		return v == st->value;
	case STEP_NE:
		return v != st->value;
	case STEP_LT:
		return less(st, v, st->value);
	case STEP_LE:
		return !less(st, st->value, v);
	case STEP_GT:
		return less(st, st->value, v);
	case STEP_GE:
		return !less(st, v, st->value);
	case STEP_BITS:
		return v & st->value;
	default:
		return false;
	}
}

bool perf_filter_match(const struct perf_filter *f, const struct perf_hit *hit)
{
	u64 stack = 0; /* the lowest bit is the top; two for each depth */

	for (u32 i = 0; i < f->nr; i++) {
		const struct step *st = &f->step[i];
		u64 top = stack & 1;

		if (st->kind == STEP_NOT)
			stack ^= 1;
		else if (st->kind == STEP_AND)
			stack = (stack >> 1) & (~1ull | top);
		else if (st->kind == STEP_OR)
			stack = (stack >> 1) | top;
		else
			stack = stack << 1 | holds(f, st, hit);
	}
	return stack & 1;
}
