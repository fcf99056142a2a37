/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/record.c - what is in a sample, in the order of the ABI.
 *
 * A record is put together in its hart's buffer, which has room for the largest group,
 * the longest callchain and all registers, and written as a whole; what was on the user's
 * stack is copied when the record is in its place.  One that does not fit all the same is
 * lost, and counted as such.
 *
 * Context: interrupts off, so that a hart makes one record at a time.
 */
#include <kernel/pmu/record.h>

#include <arch/riscv/trapframe.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user_walk.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define RECORD_WORDS 504u
#define CHAIN_MAX    127u

struct perf_record {
	u64 w[RECORD_WORDS];
	u32 n;
	bool cut;
	struct perf_hole hole; /* size 0: none */
};
STATIC_ASSERT(RECORD_WORDS > 3 * PERF_GROUP_MAX + CHAIN_MAX + 2 * 33 + 64,
	      "values, callchain, registers, the rest");

static void put(struct perf_record *r, u64 v)
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

static void user_chain(struct perf_record *r, const struct sample *s, u32 *left)
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

static void kernel_chain(struct perf_record *r, const struct sample *s,
			 u32 *left)
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

static void put_chain(struct perf_record *r, const struct perf_event *e,
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

static void put_raw(struct perf_record *r, const struct sample *s)
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

/* @tf NULL: there are none. */
static void put_regs(struct perf_record *r, u64 mask,
		     const struct trapframe *tf)
{
	const u64 *regs = (const u64 *)tf;

	put(r, tf ? 2 : 0); /* PERF_SAMPLE_REGS_ABI_64 */
	for (u32 i = 0; i < 32 && tf; i++) {
		if (mask & BIT(i))
			put(r, regs[i]);
	}
}

/* Up to the first page that is not there; then zeros. */
static u64 copy_stack(struct perf_rb *rb, u64 pos, const struct perf_hole *h)
{
	struct hart *hart = this_hart();
	static const u64 zeros[8];
	u64 done = 0, from = h->from;

	while (done < h->size && !load_once(&hart->ucopy)) {
		u32 n = (u32)min(h->size - done, PAGE_SIZE - from % PAGE_SIZE);
		const char *p = user_begin(hart, h->arg, from, USER_READ);

		if (!p)
			break;
		perf_rb_put(rb, pos + done, p, n);
		user_end(hart);
		from += n;
		done += n;
	}
	for (u64 at = done; at < h->size;) {
		u32 n = (u32)min(h->size - at, sizeof(zeros));

		perf_rb_put(rb, pos + at, zeros, n);
		at += n;
	}
	return done;
}

/* Its size, what was there, and how much of that is valid: the last two later. */
static void put_stack(struct perf_record *r, const struct perf_event *e,
		      const struct sample *s)
{
	u64 room = 0xffff - RECORD_WORDS * sizeof(u64); /* header.size */
	u64 n = min((u64)e->attr.sample_stack_user, ALIGN_DOWN(room, 8));

	if (!s->t->mm || !n) {
		put(r, 0);
		return;
	}
	put(r, n);
	r->hole.at = r->n * (u32)sizeof(u64);
	r->hole.size = (u32)n;
	r->hole.fill = copy_stack;
	r->hole.arg = s->t->mm;
	r->hole.from = s->t->tf.sp;
	put(r, 0);
}

/* Where user address @a is, and in how large a page; 0: nowhere. */
static u64 phys_of(const struct thread *t, u64 a, bool *there)
{
	struct hart *h = this_hart();
	const void *p;
	u64 phys = 0;

	*there = false;
	if (!a || !t->mm || load_once(&h->ucopy))
		return 0;
	p = user_begin(h, t->mm, a, USER_READ);
	if (p) {
		phys = virt_to_phys(p);
		*there = true;
		user_end(h);
	}
	return phys;
}

static void put_places(struct perf_record *r, const struct perf_event *e,
		       const struct sample *s)
{
	u64 st = e->attr.sample_type;
	bool there;
	u64 phys = phys_of(s->t, s->addr, &there);

	if (st & PERF_SAMPLE_PHYS_ADDR)
		put(r, phys);
	if (st & PERF_SAMPLE_DATA_PAGE)
		put(r, there ? PAGE_SIZE : 0);
	if (st & PERF_SAMPLE_CODE_PAGE) {
		(void)phys_of(s->t, s->ip, &there);
		put(r, there ? PAGE_SIZE : 0);
	}
}

/* When, by the clock that the event wants; @now by the monotonic one. */
static u64 stamp(const struct perf_event *e, u64 now)
{
	s32 clock = perf_clock_of(e);

	return clock == PERF_CLOCK_REALTIME || clock == PERF_CLOCK_TAI
		       ? clock_real_ns()
		       : now;
}

static void put_value(struct perf_record *r, const struct perf_event *e,
		      u64 fmt)
{
	put(r, perf_value_own(e).count);
	if (fmt & PERF_FORMAT_ID)
		put(r, id_of(e));
	if (fmt & PERF_FORMAT_LOST)
		put(r, load_once(&e->lost));
}

static void put_times(struct perf_record *r, const struct perf_event *e,
		      u64 fmt)
{
	struct perf_value v = perf_value_own(e);

	if (fmt & PERF_FORMAT_ENABLED)
		put(r, v.enabled);
	if (fmt & PERF_FORMAT_RUNNING)
		put(r, v.running);
}

/* Members are freed after all harts went through their loops: not while we look. */
static void put_read(struct perf_record *r, const struct perf_event *e)
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

static void put_head(struct perf_record *r, const struct perf_event *e,
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
		put(r, stamp(e, s->now));
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

/* Of what nothing is known here: weights, sources, transactions, the other buffer. */
static void put_tail(struct perf_record *r, const struct perf_event *e,
		     const struct sample *s)
{
	u64 st = e->attr.sample_type;

	if (st & (PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT))
		put(r, 0);
	if (st & PERF_SAMPLE_DATA_SRC)
		put(r, 0);
	if (st & PERF_SAMPLE_TRANSACTION)
		put(r, 0);
	if (st & PERF_SAMPLE_REGS_INTR)
		put_regs(r, e->attr.sample_regs_intr, s->tf);
	if (st & (PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_DATA_PAGE |
		  PERF_SAMPLE_CODE_PAGE))
		put_places(r, e, s);
	if (st & PERF_SAMPLE_AUX)
		put(r, 0);
}

static void begin(struct perf_record *r)
{
	r->n = 1;
	r->cut = false;
	r->hole.size = 0;
}

static void fill(struct perf_record *r, struct perf_event *e,
		 const struct sample *s)
{
	u64 st = e->attr.sample_type;

	begin(r);
	put_head(r, e, s);
	if (st & PERF_SAMPLE_READ)
		put_read(r, e);
	if (st & PERF_SAMPLE_CALLCHAIN)
		put_chain(r, e, s);
	if (st & PERF_SAMPLE_RAW)
		put_raw(r, s);
	if (st & PERF_SAMPLE_REGS_USER)
		put_regs(r, e->attr.sample_regs_user,
			 s->t->mm ? &s->t->tf : NULL);
	if (st & PERF_SAMPLE_STACK_USER)
		put_stack(r, e, s);
	put_tail(r, e, s);
}

static bool write_out(struct perf_event *e, struct perf_record *r, u32 type,
		      u32 misc, bool nmi)
{
	struct perf_hole *hole = r->hole.size ? &r->hole : NULL;
	struct perf_header h = { type, (u16)misc,
				 (u16)(r->n * sizeof(u64) + r->hole.size) };

	if (r->cut)
		return perf_rb_lose(e);
	memcpy(&r->w[0], &h, sizeof(h));
	return perf_rb_write_hole(e, r->w, r->n * (u32)sizeof(u64), hole, nmi);
}

bool perf_write_sample(struct perf_event *e, const struct sample *s)
{
	struct perf_record *r = pmu_of(this_hart())->record;
	u32 misc = s->user ? PERF_MISC_USER : PERF_MISC_KERNEL;

	fill(r, e, s);
	return write_out(e, r, PERF_RECORD_SAMPLE, misc, s->nmi);
}

bool perf_write_read(struct perf_event *e, const struct thread *t)
{
	struct perf_record *r;
	bool irq = pmu_irq_save(), wake;

	r = pmu_of(this_hart())->record;
	begin(r);
	put(r, pair((u32)t->proc->pid, (u32)t->tid));
	put_read(r, e);
	r->n += perf_sample_id(e, t, t->home ? t->home : this_hart(),
			       &r->w[r->n]) /
		sizeof(u64);
	wake = write_out(e, r, PERF_RECORD_READ, 0, false);
	pmu_irq_restore(irq);
	return wake;
}

struct perf_record *perf_record_new(void)
{
	return kzalloc(sizeof(struct perf_record));
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
		out[n++] = stamp(e, clock_mono_ns());
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
