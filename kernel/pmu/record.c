/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/record.c - what is in a sample, in the order of the ABI.
 *
 * A record is put together on the stack and written as a whole: callchains are cut so
 * that it fits; one that does not all the same (the values of a large group) is lost, and
 * counted as such.
 */
#include <kernel/pmu/record.h>

#include <arch/riscv/trapframe.h>
#include <kernel/hart.h>
#include <kernel/mm/user_walk.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define RECORD_WORDS 112u /* on the stack of whoever is interrupted */
#define CHAIN_MAX    40u

struct record {
	u64 w[RECORD_WORDS];
	u32 n;
	bool cut;
};

static void put(struct record *r, u64 v)
{
	if (r->n < RECORD_WORDS)
		r->w[r->n++] = v;
	else
		r->cut = true;
}

static u64 pair(u32 lo, u32 hi)
{
	return lo | (u64)hi << 32;
}

static u64 id_of(const struct perf_event *e)
{
	return e->parent ? e->parent->id : e->id;
}

/* --- callchains */

static u64 user_word(struct mm *mm, u64 a, bool *ok)
{
	struct hart *h = this_hart();
	u64 *p, v = 0;

	*ok = false;
	/* We may have interrupted a copy: its announcement must stand. */
	if (!mm || (a & 7) || load_once(&h->ucopy))
		return 0;
	p = user_begin(h, mm, a, USER_READ);
	if (p) {
		v = *p;
		*ok = true;
		user_end(h);
	}
	return v;
}

static void user_chain(struct record *r, const struct sample *s, u32 *left)
{
	const struct trapframe *tf = &s->t->tf;
	u64 fp = tf->s0;
	bool ok;

	put(r, PERF_CONTEXT_USER);
	put(r, tf->pc);
	/* A frame is below the one that called it. */
	while (*left && fp > 16) {
		u64 ra = user_word(s->t->mm, fp - 8, &ok), next;

		if (!ok || !ra)
			break;
		next = user_word(s->t->mm, fp - 16, &ok);
		put(r, ra);
		(*left)--;
		if (!ok || next <= fp)
			break;
		fp = next;
	}
}

static void kernel_chain(struct record *r, const struct sample *s, u32 *left)
{
	u64 top = s->t->kstack_top, fp = s->tf->s0;

	put(r, PERF_CONTEXT_KERNEL);
	put(r, s->tf->pc);
	while (*left && IS_ALIGNED(fp, 8) && fp <= top &&
	       fp >= top - KSTACK_SIZE + 16) {
		u64 ra = ((u64 *)fp)[-1], next = ((u64 *)fp)[-2];

		if (!ra)
			break;
		put(r, ra);
		(*left)--;
		if (next <= fp)
			break;
		fp = next;
	}
}

static void put_chain(struct record *r, const struct perf_event *e,
		      const struct sample *s)
{
	u32 at = r->n, left = CHAIN_MAX;
	u64 max = e->attr.sample_max_stack;

	if (max && max < left)
		left = (u32)max;
	put(r, 0);
	if (!s->user && !(e->attr.flags & ATTR_NO_KERN_CHAIN))
		kernel_chain(r, s, &left);
	if (s->t->mm && !(e->attr.flags & ATTR_NO_USER_CHAIN))
		user_chain(r, s, &left);
	r->w[at] = r->n - at - 1;
}

/* --- fields */

static void put_raw(struct record *r, const struct sample *s)
{
	u32 size = ALIGN_UP(s->raw_size + 4, 8) - 4, words = (size + 4) / 8;

	if (r->n + words > RECORD_WORDS) {
		r->cut = true;
		return;
	}
	memset(&r->w[r->n], 0, words * 8ul);
	memcpy((char *)&r->w[r->n], &size, 4);
	if (s->raw)
		memcpy((char *)&r->w[r->n] + 4, s->raw, s->raw_size);
	r->n += words;
}

static void put_regs(struct record *r, const struct perf_event *e,
		     const struct sample *s)
{
	const u64 *regs = (const u64 *)&s->t->tf;
	u64 mask = e->attr.sample_regs_user;

	put(r, s->t->mm ? 2 : 0); /* PERF_SAMPLE_REGS_ABI_64 */
	for (u32 i = 0; i < 32 && s->t->mm; i++) {
		if (mask & BIT(i))
			put(r, regs[i]);
	}
}

static void put_value(struct record *r, const struct perf_event *e, u64 fmt)
{
	put(r, perf_value_own(e).count);
	if (fmt & PERF_FORMAT_ID)
		put(r, id_of(e));
	if (fmt & PERF_FORMAT_LOST)
		put(r, load_once(&e->lost));
}

static void put_times(struct record *r, const struct perf_event *e, u64 fmt)
{
	struct perf_value v = perf_value_own(e);

	if (fmt & PERF_FORMAT_ENABLED)
		put(r, v.enabled);
	if (fmt & PERF_FORMAT_RUNNING)
		put(r, v.running);
}

/* Members are freed after all harts went through their loops: not while we look. */
static void put_read(struct record *r, const struct perf_event *e)
{
	u64 fmt = e->attr.read_format;
	const struct perf_event *lead = load_once(&e->leader);
	u32 at = r->n;

	if (!(fmt & PERF_FORMAT_GROUP)) {
		put(r, perf_value_own(e).count);
		put_times(r, e, fmt);
		if (fmt & PERF_FORMAT_ID)
			put(r, id_of(e));
		if (fmt & PERF_FORMAT_LOST)
			put(r, load_once(&e->lost));
		return;
	}
	put(r, 0);
	put_times(r, lead, fmt);
	put_value(r, lead, fmt);
	r->w[at] = 1;
	for (u32 i = 0; i < PERF_GROUP_MAX; i++) {
		const struct perf_event *m = load_once(&lead->member[i]);

		if (!m)
			continue;
		put_value(r, m, fmt);
		r->w[at]++;
	}
}

static void put_head(struct record *r, const struct perf_event *e,
		     const struct sample *s)
{
	u64 st = e->attr.sample_type;

	if (st & PERF_SAMPLE_IDENTIFIER)
		put(r, id_of(e));
	if (st & PERF_SAMPLE_IP)
		put(r, s->ip);
	if (st & PERF_SAMPLE_TID)
		put(r, s->t->proc ? pair((u32)s->t->proc->pid, (u32)s->t->tid)
				  : 0);
	if (st & PERF_SAMPLE_TIME)
		put(r, s->now);
	if (st & PERF_SAMPLE_ADDR)
		put(r, s->addr);
	if (st & PERF_SAMPLE_ID)
		put(r, id_of(e));
	if (st & PERF_SAMPLE_STREAM_ID)
		put(r, e->id);
	if (st & PERF_SAMPLE_CPU)
		put(r, s->on->cpu);
	if (st & PERF_SAMPLE_PERIOD)
		put(r, s->period);
}

/* Apart from who has the record on its stack: that is deep enough. */
static __attribute__((noinline)) void fill(struct record *r,
					   struct perf_event *e,
					   const struct sample *s)
{
	u64 st = e->attr.sample_type;

	r->n = 1;
	r->cut = false;
	put_head(r, e, s);
	if (st & PERF_SAMPLE_READ)
		put_read(r, e);
	if (st & PERF_SAMPLE_CALLCHAIN)
		put_chain(r, e, s);
	if (st & PERF_SAMPLE_RAW)
		put_raw(r, s);
	if (st & PERF_SAMPLE_REGS_USER)
		put_regs(r, e, s);
	if (st & PERF_SAMPLE_WEIGHT)
		put(r, 0);
	if (st & PERF_SAMPLE_DATA_SRC)
		put(r, 0);
}

bool perf_write_sample(struct perf_event *e, const struct sample *s)
{
	struct perf_header h = { PERF_RECORD_SAMPLE, 0, 0 };
	struct record r;

	fill(&r, e, s);
	if (r.cut)
		return perf_rb_lose(e);
	h.misc = s->user ? PERF_MISC_USER : PERF_MISC_KERNEL;
	h.size = (u16)(r.n * sizeof(u64));
	memcpy(&r.w[0], &h, sizeof(h));
	return perf_rb_write(e, r.w, h.size, s->nmi);
}

u16 perf_sample_id(const struct perf_event *e, const struct thread *t,
		   const struct hart *h, u64 *out)
{
	u64 st = e->attr.sample_type;
	u32 n = 0;

	if (!(e->attr.flags & ATTR_SAMPLE_ID_ALL))
		return 0;
	if (st & PERF_SAMPLE_TID)
		out[n++] =
			t && t->proc ? pair((u32)t->proc->pid, (u32)t->tid) : 0;
	if (st & PERF_SAMPLE_TIME)
		out[n++] = clock_mono_ns();
	if (st & PERF_SAMPLE_ID)
		out[n++] = id_of(e);
	if (st & PERF_SAMPLE_STREAM_ID)
		out[n++] = e->id;
	if (st & PERF_SAMPLE_CPU)
		out[n++] = h->cpu;
	if (st & PERF_SAMPLE_IDENTIFIER)
		out[n++] = id_of(e);
	return (u16)(n * sizeof(u64));
}
