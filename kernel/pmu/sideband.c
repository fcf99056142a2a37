/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/sideband.c - what else is in the buffer: names, areas, births, deaths.
 *
 * Without these perf(1) cannot say which program an address is in.  They are written
 * in a call of the thread that they are about, for the events of its application hart,
 * whoever executes the call: that is where its other records are.
 *
 * Context: coroutine; takes perf_mutex.
 */
#include <kernel/pmu/event.h>

#include <kernel/dev/dev.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/buildid.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>
#include <kernel/pmu/tracepoint.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/string.h>

#define NAME_MAX_BYTES 256u

struct side_record {
	struct perf_header h;
	u8 body[NAME_MAX_BYTES + 256];
	u32 n; /* of body */
};

static void put(struct side_record *r, const void *p, u32 n)
{
	memcpy(r->body + r->n, p, n);
	r->n += n;
}

static void put_u32(struct side_record *r, u32 v)
{
	put(r, &v, sizeof(v));
}

static void put_u64(struct side_record *r, u64 v)
{
	put(r, &v, sizeof(v));
}

static void put_name(struct side_record *r, const char *s)
{
	u32 n = (u32)min(strlen(s), (size_t)NAME_MAX_BYTES - 8) + 1;
	static const u8 zero[8];

	put(r, s, n - 1);
	put(r, zero, (u32)ALIGN_UP(n, 8) - (n - 1));
}

static const struct hart *hart_of(const struct thread *t)
{
	return t->home ? t->home : this_hart();
}

static void write_to(struct perf_event *e, struct side_record *r)
{
	u64 id[8];
	u16 n = perf_sample_id(e, current, hart_of(current), id);
	u32 body = r->n;
	bool irq, wake;

	put(r, id, n);
	r->h.size = (u16)(sizeof(r->h) + r->n);
	irq = pmu_irq_save();
	wake = perf_rb_write(e, r, r->h.size, false);
	pmu_irq_restore(irq);
	r->n = body;
	if (!wake)
		return;
	perf_wake_event(e);
	store_once(&pmu_of(this_hart())->wake, true); /* and a signal */
}

/* To events that have one of @want, and of @mask just @value. */
static void write_to_ctx(struct pmu_ctx *c, const struct hart *h, u64 want,
			 u64 mask, u64 value, struct side_record *r)
{
	struct perf_event *e;

	if (!c)
		return;
	list_for_each_entry(e, &c->events, node) {
		if (!e->on || !(e->attr.flags & want) ||
		    (e->attr.flags & mask) != value)
			continue;
		if (e->cpu >= 0 && (u32)e->cpu != h->cpu)
			continue;
		write_to(e, r);
	}
}

static void write_some(struct thread *t, u64 want, u64 mask, u64 value,
		       struct side_record *r)
{
	const struct hart *h = hart_of(t);

	write_to_ctx(t->pmu, h, want, mask, value, r);
	write_to_ctx(pmu_of(h)->wide, h, want, mask, value, r);
}

/* Every event that wants to know of current's doings. */
static void write_all(struct thread *t, u64 want, struct side_record *r)
{
	write_some(t, want, 0, 0, r);
}

static void tell_comm(struct thread *t, bool exec, struct side_record *r)
{
	r->h = (struct perf_header){ PERF_RECORD_COMM,
				     exec ? PERF_MISC_COMM_EXEC : 0, 0 };
	put_u32(r, (u32)t->proc->pid);
	put_u32(r, (u32)t->tid);
	put_name(r, t->name);
	write_all(t, ATTR_COMM, r);
}

static void tell_task(struct thread *t, u32 type, struct side_record *r)
{
	const struct process *p = t->proc;
	bool fork = type == PERF_RECORD_FORK;

	r->h = (struct perf_header){ type, 0, 0 };
	put_u32(r, (u32)p->pid);
	put_u32(r, fork ? (u32)current->proc->pid : p->ppid);
	put_u32(r, (u32)t->tid);
	put_u32(r, fork ? (u32)current->tid : p->ppid);
	put_u64(r, clock_mono_ns());
	/* the child's own events are of no use yet */
	write_all(fork ? current : t, ATTR_TASK | ATTR_MMAP | ATTR_COMM, r);
}

void perf_side_slow(u32 what, struct thread *t)
{
	struct side_record *r;

	if (!t->proc)
		return;
	if (load_once(&pmu_tracing))
		sched_trace_side(what, t);
	r = kmalloc(sizeof(*r));
	if (!r)
		return;
	r->n = 0;
	mutex_lock(&perf_mutex);
	switch (what) {
	case PERF_SIDE_COMM:
	case PERF_SIDE_EXEC:
		tell_comm(t, what == PERF_SIDE_EXEC, r);
		break;
	case PERF_SIDE_FORK:
	case PERF_SIDE_EXIT:
		tell_task(t,
			  what == PERF_SIDE_FORK ? PERF_RECORD_FORK
						 : PERF_RECORD_EXIT,
			  r);
		break;
	}
	mutex_unlock(&perf_mutex);
	kfree(r);
}

/* --- areas */

struct area {
	u64 start, len, pgoff;
	u32 flags;
	u32 dev;
	u64 ino;    /* 0: of no file */
	u32 id_len; /* build id; 0: none */
	u8 id[BUILD_ID_MAX];
};

enum area_kind {
	AREA_MMAP,
	AREA_MMAP2,
	AREA_BUILD_ID /* MMAP2 with a build id in the place of the file's number */
};

static void put_file(struct side_record *r, const struct area *a)
{
	put_u32(r, MAJOR(a->dev));
	put_u32(r, MINOR(a->dev));
	put_u64(r, a->ino);
	put_u64(r, 0); /* generation */
}

static void put_build_id(struct side_record *r, const struct area *a)
{
	put_u32(r, a->id_len); /* a byte; the rest is reserved */
	put(r, a->id, BUILD_ID_MAX);
}

static void put_area(struct side_record *r, const struct thread *t,
		     const struct area *a, enum area_kind kind,
		     const char *name)
{
	bool exec = a->flags & VM_EXEC, two = kind != AREA_MMAP,
	     id = kind == AREA_BUILD_ID && a->id_len;

	r->n = 0;
	r->h = (struct perf_header){ two ? PERF_RECORD_MMAP2 : PERF_RECORD_MMAP,
				     PERF_MISC_USER, 0 };
	if (!exec)
		r->h.misc |= PERF_MISC_MMAP_DATA;
	if (id)
		r->h.misc |= PERF_MISC_MMAP_BUILD_ID;
	put_u32(r, (u32)t->proc->pid);
	put_u32(r, (u32)t->tid);
	put_u64(r, a->start);
	put_u64(r, a->len);
	put_u64(r, a->pgoff << PAGE_SHIFT);
	if (two) {
		if (id)
			put_build_id(r, a);
		else
			put_file(r, a);
		put_u32(r, a->flags & 7);
		put_u32(r, a->flags & VM_SHARED ? 1 : 2);
	}
	put_name(r, name);
}

/* Nothing is read for it: of a program that begins that page is there. */
static void find_build_id(struct area *a, struct file *f)
{
	struct page *pg = exec_first_page(f);

	if (!pg)
		return;
	a->id_len = buildid_parse(page_addr(pg), PAGE_SIZE, a->id);
	page_put(pg);
}

/* May be called with areas locked: only copies. */
void perf_mmap_area(struct thread *t, u64 start, u64 len, u64 pgoff, u32 flags,
		    struct file *f, const char *label)
{
	struct area a = {
		.start = start, .len = len, .pgoff = pgoff, .flags = flags
	};
	const u64 two = ATTR_MMAP2, both = ATTR_MMAP2 | ATTR_BUILD_ID;
	u64 want = flags & VM_EXEC ? ATTR_MMAP | ATTR_MMAP2 : ATTR_MMAP_DATA;
	char name[NAME_MAX_BYTES];
	struct side_record *r = kmalloc(sizeof(*r));

	if (!r)
		return;
	if (!label)
		label = f && f->ops->anon_name ? f->ops->anon_name : "//anon";
	if (!f || !f->dentry || exec_path_str(f, name, sizeof(name)) < 0)
		(void)strscpy(name, label, sizeof(name));
	if (f && f->inode)
		exec_file_id(f, &a.dev, &a.ino);
	if (f && f->dentry && (flags & VM_EXEC))
		find_build_id(&a, f);
	mutex_lock(&perf_mutex);
	put_area(r, t, &a, AREA_MMAP, name);
	write_some(t, want, two, 0, r);
	put_area(r, t, &a, AREA_MMAP2, name);
	write_some(t, want, both, two, r);
	put_area(r, t, &a, AREA_BUILD_ID, name);
	write_some(t, want, both, both, r);
	mutex_unlock(&perf_mutex);
	kfree(r);
}

struct areas {
	u32 n;
	struct {
		u64 start, len, pgoff;
		u32 flags;
		struct file *f;
		const char *label;
	} v[32];
};

static void collect(struct vma *v, void *ctx)
{
	struct areas *a = ctx;

	if (a->n == ARRAY_SIZE(a->v) || !(v->flags & VM_EXEC))
		return;
	a->v[a->n].start = v->start;
	a->v[a->n].len = v->end - v->start;
	a->v[a->n].pgoff = v->pgoff;
	a->v[a->n].flags = v->flags;
	a->v[a->n].f = v->file ? file_get(v->file) : NULL;
	a->v[a->n++].label = v->label;
}

/* What exec has mapped: before the program was the thread's. */
void perf_exec_areas(struct thread *t)
{
	struct areas *a = kzalloc(sizeof(*a));

	if (!a)
		return;
	mm_for_each_vma(t->mm, collect, a);
	for (u32 i = 0; i < a->n; i++) {
		perf_mmap_area(t, a->v[i].start, a->v[i].len, a->v[i].pgoff,
			       a->v[i].flags, a->v[i].f, a->v[i].label);
		if (a->v[i].f)
			file_put(a->v[i].f);
	}
	kfree(a);
}
