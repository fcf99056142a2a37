/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/filter.c - see filter.h.
 *
 * The text becomes a list of comparisons and operators in the order in which they are
 * carried out on a stack of bits.
 */
#include <kernel/pmu/filter.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/pmu/tracepoint.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_STEPS 256u
#define MAX_DEPTH 16u /* of parentheses; the stack is no deeper */

enum step_kind {
	STEP_EQ,
	STEP_NE,
	STEP_LT,
	STEP_LE,
	STEP_GT,
	STEP_GE,
	STEP_BITS,
	STEP_AND,
	STEP_OR,
	STEP_NOT
};

struct step {
	u8 kind;
	u8 at, size; /* of the field */
	s64 value;
};
struct perf_filter {
	u32 nr;
	struct step step[MAX_STEPS];
};

struct parser {
	const char *s;
	u32 id, depth;
	struct perf_filter *f;
};

static const struct {
	u32 first, last; /* tracepoints */
	const char *name;
	u8 at, size;
} fields[] = {
	{ 0, ~0u, "common_pid", 4, 4 },
	{ 0, ~0u, "common_type", 0, 2 },
	{ TP_SYS_ENTER, TP_SYS_EXIT, "id", 8, 8 },
	{ TP_SYS_EXIT, TP_SYS_EXIT, "ret", 16, 8 },
	{ TP_EXIT_CALL, ~0u, "ret", 16, 8 },
	{ TP_ENTER_CALL, ~0u, "__syscall_nr", 8, 4 },
	{ TP_SCHED_SWITCH, TP_SCHED_SWITCH, "prev_pid", 24, 4 },
	{ TP_SCHED_SWITCH, TP_SCHED_SWITCH, "prev_prio", 28, 4 },
	{ TP_SCHED_SWITCH, TP_SCHED_SWITCH, "prev_state", 32, 8 },
	{ TP_SCHED_SWITCH, TP_SCHED_SWITCH, "next_pid", 56, 4 },
	{ TP_SCHED_SWITCH, TP_SCHED_SWITCH, "next_prio", 60, 4 },
	{ TP_SCHED_WAKEUP, TP_SCHED_STAT_RUNTIME, "pid", 24, 4 },
	{ TP_SCHED_WAKEUP, TP_SCHED_MIGRATE, "prio", 28, 4 },
	{ TP_SCHED_WAKEUP, TP_SCHED_WAKEUP_NEW, "target_cpu", 32, 4 },
	{ TP_SCHED_MIGRATE, TP_SCHED_MIGRATE, "orig_cpu", 32, 4 },
	{ TP_SCHED_MIGRATE, TP_SCHED_MIGRATE, "dest_cpu", 36, 4 },
	{ TP_SCHED_FORK, TP_SCHED_FORK, "parent_pid", 24, 4 },
	{ TP_SCHED_FORK, TP_SCHED_FORK, "child_pid", 44, 4 },
	{ TP_SCHED_EXEC, TP_SCHED_EXEC, "pid", 12, 4 },
	{ TP_SCHED_EXIT, TP_SCHED_EXIT, "pid", 24, 4 },
	{ TP_SCHED_EXIT, TP_SCHED_EXIT, "prio", 28, 4 },
};

static const struct {
	const char *text;
	u8 kind;
} compare[] = {
	/* the longer one first */
	{ "==", STEP_EQ },  { "!=", STEP_NE }, { "<=", STEP_LE },
	{ ">=", STEP_GE },  { "<", STEP_LT },  { ">", STEP_GT },
	{ "&", STEP_BITS },
};

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool take(struct parser *p, const char *what)
{
	size_t n = strlen(what);

	while (*p->s == ' ')
		p->s++;
	if (strncmp(p->s, what, n))
		return false;
	p->s += n;
	return true;
}

static bool add(struct parser *p, struct step step)
{
	if (p->f->nr == MAX_STEPS)
		return false;
	p->f->step[p->f->nr++] = step;
	return true;
}

static bool field(struct parser *p, struct step *st)
{
	size_t n = 0;

	while (word_char(p->s[n]))
		n++;
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		if (p->id < fields[i].first || p->id > fields[i].last ||
		    strlen(fields[i].name) != n ||
		    strncmp(fields[i].name, p->s, n))
			continue;
		st->at = fields[i].at;
		st->size = fields[i].size;
		p->s += n;
		return true;
	}
	return false;
}

static bool number(struct parser *p, s64 *out)
{
	bool minus = take(p, "-");
	bool hex = take(p, "0x");
	u32 base = hex ? 16 : 10, digits = 0;
	u64 v = 0;

	for (;; digits++) {
		char c = *p->s;
		u32 d = c >= '0' && c <= '9'	      ? (u32)(c - '0')
			: hex && c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10
						      : 99;

		if (d >= base)
			break;
		v = v * base + d;
		p->s++;
	}
	*out = minus ? -(s64)v : (s64)v;
	return digits && digits < 20;
}

static bool comparison(struct parser *p)
{
	struct step st = { 0 };

	if (!field(p, &st))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(compare); i++) {
		if (!take(p, compare[i].text))
			continue;
		st.kind = compare[i].kind;
		return take(p, "") && number(p, &st.value) && add(p, st);
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
		ok = either(p) && take(p, ")");
	else
		ok = comparison(p);
	p->depth--;
	return ok;
}

static bool both(struct parser *p)
{
	if (!primary(p))
		return false;
	while (take(p, "&&")) {
		if (!primary(p) || !add(p, (struct step){ .kind = STEP_AND }))
			return false;
	}
	return true;
}

static bool either(struct parser *p)
{
	if (!both(p))
		return false;
	while (take(p, "||")) {
		if (!both(p) || !add(p, (struct step){ .kind = STEP_OR }))
			return false;
	}
	return true;
}

struct perf_filter *perf_filter_parse(u32 id, const char *text)
{
	struct parser p = { text, id, 0, NULL };

	if (!strcmp(text, "0"))
		return NULL;
	p.f = kzalloc(sizeof(*p.f));
	if (!p.f)
		return ERR_PTR(-ENOMEM);
	if (either(&p) && take(&p, "") && !*p.s)
		return p.f;
	kfree(p.f);
	return ERR_PTR(-EINVAL);
}

void perf_filter_free(struct perf_filter *f)
{
	kfree(f);
}

static s64 value_of(const struct step *st, const void *raw)
{
	const char *at = (const char *)raw + st->at;
	s64 l;
	s32 w;
	u16 h;

	switch (st->size) {
	case 8:
		memcpy(&l, at, sizeof(l));
		return l;
	case 4:
		memcpy(&w, at, sizeof(w));
		return w;
	default:
		memcpy(&h, at, sizeof(h));
		return h;
	}
}

static bool holds(const struct step *st, const void *raw)
{
	s64 v = value_of(st, raw);

	switch ((enum step_kind)st->kind) {
	case STEP_EQ:
		return v == st->value;
	case STEP_NE:
		return v != st->value;
	case STEP_LT:
		return v < st->value;
	case STEP_LE:
		return v <= st->value;
	case STEP_GT:
		return v > st->value;
	case STEP_GE:
		return v >= st->value;
	case STEP_BITS:
		return v & st->value;
	default:
		return false;
	}
}

bool perf_filter_match(const struct perf_filter *f, const void *raw)
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
			stack = stack << 1 | holds(st, raw);
	}
	return stack & 1;
}
