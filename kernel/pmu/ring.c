/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/ring.c - see ring.h.
 *
 * ORDERING
 *   PERFRING  the record, then data_head (release), which the program reads; the
 *             program's data_tail (acquire) before what it has read is overwritten.
 */
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

static u64 charged_pages; /* [a] of programs without CAP_IPC_LOCK */

struct perf_page *perf_rb_page(struct perf_rb *rb)
{
	return page_addr(rb->page[0]);
}

static void free_pages(struct perf_rb *rb)
{
	for (u32 i = 0; i <= rb->nr_pages; i++) {
		if (rb->page[i])
			page_put(rb->page[i]);
	}
	atomic_add_return(&charged_pages, -(u64)rb->charged);
	kfree(rb);
}

/* How programs make nanoseconds of the time CSR. */
static void describe(struct perf_rb *rb)
{
	struct perf_page *pg = perf_rb_page(rb);
	u64 hz = clock_timebase();

	*pg = (struct perf_page){
		.version = 0,
		.size = offsetof(struct perf_page, reserved),
		.capabilities = PERF_CAP_BIT0_DEPRECATED | PERF_CAP_USER_TIME |
				PERF_CAP_USER_TIME_ZERO |
				PERF_CAP_USER_TIME_SHORT,
		.time_mask = ~0ull,
		.time_shift = 20,
		.time_mult = (u32)((NSEC_PER_SEC << 20) / hz),
		.data_offset = PAGE_SIZE,
		.data_size = (u64)rb->nr_pages * PAGE_SIZE,
	};
	if ((NSEC_PER_SEC << 20) / hz > 0xffffffffu)
		pg->capabilities = PERF_CAP_BIT0_DEPRECATED;
	/* our clock begins at boot, the CSR before it */
	pg->time_zero =
		clock_mono_ns() -
		(u64)(((unsigned __int128)clock_mono_ticks() * pg->time_mult) >>
		      pg->time_shift);
}

struct perf_rb *perf_rb_new(u32 nr_pages, bool overwrite, bool backward,
			    u64 watermark)
{
	struct perf_rb *rb =
		kzalloc(sizeof(*rb) + (nr_pages + 1ul) * sizeof(rb->page[0]));

	if (!rb)
		return NULL;
	rb->refs = 1;
	list_init(&rb->users);
	rb->nr_pages = nr_pages;
	rb->overwrite = overwrite;
	rb->backward = backward;
	rb->watermark = min(watermark, (u64)nr_pages * PAGE_SIZE / 2);
	for (u32 i = 0; i <= nr_pages; i++) {
		rb->page[i] = page_alloc(0, GFP_ZERO | GFP_OBJECT);
		if (!rb->page[i]) {
			free_pages(rb);
			return NULL;
		}
	}
	describe(rb);
	return rb;
}

struct perf_rb *perf_rb_get(struct perf_rb *rb)
{
	atomic_inc(&rb->refs);
	return rb;
}

void perf_rb_unref(struct perf_rb *rb)
{
	if (atomic_dec_and_test(&rb->refs))
		free_pages(rb);
}

/* --- writing */

static u64 size_of(const struct perf_rb *rb)
{
	return (u64)rb->nr_pages * PAGE_SIZE;
}

void perf_rb_put(struct perf_rb *rb, u64 at, const void *p, u32 n)
{
	while (n) {
		u64 off = at & (size_of(rb) - 1);
		u32 step = (u32)min((u64)n, PAGE_SIZE - off % PAGE_SIZE);
		char *page = page_addr(rb->page[1 + off / PAGE_SIZE]);

		memcpy(page + off % PAGE_SIZE, p, step);
		p = (const char *)p + step;
		at += step;
		n -= step;
	}
}

static bool has_room(struct perf_rb *rb, u32 n)
{
	/* PERFRING (acquire) - pairs with the program's store of data_tail. */
	u64 tail = load_acquire(&perf_rb_page(rb)->data_tail);

	/* A tail that makes no sense makes no room. */
	return rb->overwrite || rb->head - tail + n <= size_of(rb);
}

static void put_parts(struct perf_rb *rb, u64 pos, const char *rec, u32 n,
		      const struct perf_hole *h)
{
	u64 word;

	if (!h) {
		perf_rb_put(rb, pos, rec, n);
		return;
	}
	perf_rb_put(rb, pos, rec, h->at);
	word = h->fill(rb, pos + h->at, h);
	pos += h->at + h->size;
	perf_rb_put(rb, pos, &word, sizeof(word));
	perf_rb_put(rb, pos + sizeof(word), rec + h->at + sizeof(word),
		    n - h->at - (u32)sizeof(word));
}

static void put_record(struct perf_rb *rb, const void *rec, u32 n,
		       const struct perf_hole *h)
{
	u32 all = n + (h ? h->size : 0);

	if (rb->backward)
		rb->head -= all;
	put_parts(rb, rb->head, rec, n, h);
	if (!rb->backward)
		rb->head += all;
}

static bool take(struct perf_rb *rb, bool nmi)
{
	/* Who holds it is on another hart (an interrupt never waits), and is
	 * done soon. */
	while (atomic_xchg(&rb->busy, 1)) {
		if (nmi)
			return false;
		cpu_relax();
	}
	return true;
}

static void tell_lost(struct perf_rb *rb, const struct perf_event *e)
{
	struct {
		struct perf_header h;
		u64 id, lost;
		u64 sample_id[8];
	} r;
	u64 lost = atomic_xchg(&rb->lost, 0);

	r.h = (struct perf_header){ PERF_RECORD_LOST, 0,
				    (u16)offsetof(typeof(r), sample_id) };
	r.id = e->parent ? e->parent->id : e->id;
	r.lost = lost;
	r.h.size += perf_sample_id(e, current, this_hart(), r.sample_id);
	if (has_room(rb, r.h.size))
		put_record(rb, &r, r.h.size, NULL);
	else
		atomic_add_return(&rb->lost, lost);
}

static bool wants_wakeup(struct perf_rb *rb, struct perf_event *e)
{
	struct perf_event *top = e->parent ? e->parent : e;

	if (rb->watermark) {
		if (rb->head - rb->woken_at < rb->watermark)
			return false;
		rb->woken_at = rb->head;
		return true;
	}
	if (!top->attr.wakeup || (top->attr.flags & ATTR_WATERMARK))
		return false;
	if (++top->unwoken < top->attr.wakeup)
		return false;
	top->unwoken = 0;
	return true;
}

bool perf_rb_write(struct perf_event *e, const void *rec, u32 n, bool nmi)
{
	return perf_rb_write_hole(e, rec, n, NULL, nmi);
}

bool perf_rb_write_hole(struct perf_event *e, const void *rec, u32 n,
			const struct perf_hole *hole, bool nmi)
{
	struct perf_event *top = e->parent ? e->parent : e;
	struct perf_rb *rb = load_once(&top->rb);
	u32 all = n + (hole ? hole->size : 0);
	bool wake = false;

	if (!rb || !rb->nr_pages || load_once(&rb->paused))
		return false;
	if (all > size_of(rb) || !take(rb, nmi)) {
		atomic_inc(&rb->lost);
		atomic_inc(&e->lost);
		return false;
	}
	if (unlikely(load_once(&rb->lost)))
		tell_lost(rb, e);
	if (has_room(rb, all)) {
		put_record(rb, rec, n, hole);
		/* PERFRING (release) - pairs with the program's load. */
		store_release(&perf_rb_page(rb)->data_head, rb->head);
		wake = wants_wakeup(rb, e);
	} else {
		atomic_inc(&rb->lost);
		atomic_inc(&e->lost);
		wake = true;
	}
	/* PERFRING (release) - pairs with take(). */
	store_release(&rb->busy, 0);
	if (wake && load_once(&top->async))
		(void)atomic_cmpxchg(&top->signal, 0, PERF_POLL_IN);
	return wake;
}

bool perf_rb_lose(struct perf_event *e)
{
	struct perf_rb *rb = load_once(&(e->parent ? e->parent : e)->rb);

	if (rb && rb->nr_pages && !load_once(&rb->paused)) {
		atomic_inc(&rb->lost);
		atomic_inc(&e->lost);
	}
	return false;
}

bool perf_rb_readable(const struct perf_rb *rb)
{
	struct perf_page *pg = page_addr(rb->page[0]);

	return load_once(&pg->data_head) != load_once(&pg->data_tail);
}

/* --- the area */

static int rb_fault(struct vma *v, u64 pgoff, bool write __unused,
		    struct page **out)
{
	struct perf_rb *rb = v->priv;

	if (pgoff > rb->nr_pages)
		return -EIO;
	*out = page_get(rb->page[pgoff]);
	return 0;
}

static void rb_open(struct vma *v)
{
	struct perf_rb *rb = v->priv;

	struct perf_event *e = v->file->priv;

	/* The address space is locked for writing; another one's area of the same event
	 * counts the same word. */
	atomic_inc(&e->areas);
	atomic_inc(&rb->maps);
	perf_rb_get(rb);
}

/*
 * Without an area of its own an event has no buffer; with the last area of a buffer those
 * lose it that others' samples went to.
 */
static void rb_close(struct vma *v)
{
	struct perf_rb *rb = v->priv;
	struct perf_event *e = v->file->priv, *next;

	mutex_lock(&perf_mutex);
	if (atomic_dec_and_test(&e->areas) && e->rb == rb)
		perf_rb_attach(e, NULL);
	if (atomic_dec_and_test(&rb->maps)) {
		store_once(&rb->paused, 1);
		list_for_each_entry_safe(e, next, &rb->users, rb_node)
			perf_rb_attach(e, NULL);
	}
	mutex_unlock(&perf_mutex);
	perf_rb_unref(rb);
}

void perf_rb_attach(struct perf_event *e, struct perf_rb *rb)
{
	struct perf_rb *old = e->rb;

	if (list_is_linked(&e->rb_node))
		list_del(&e->rb_node);
	if (rb)
		list_add_tail(&e->rb_node, &rb->users);
	/* PMUSET (release) - pairs with perf_rb_write(): by the address. */
	store_release(&e->rb, rb);
	if (!old)
		return;
	pmu_sync_harts();
	perf_rb_unref(old);
}

static const char *rb_name(struct vma *v __unused)
{
	return "anon_inode:[perf_event]";
}

static const struct vm_ops rb_vm_ops = {
	.fault = rb_fault,
	.open = rb_open,
	.close = rb_close,
	.name = rb_name,
	.whole = true,
};

/* Of everybody's share, and then of what the process may lock. */
static int charge(struct perf_rb *rb)
{
	u64 limit = load_once(&perf_mlock_kb) * 1024 / PAGE_SIZE * nr_harts;
	u64 pages = rb->nr_pages + 1;

	if (capable(CAP_IPC_LOCK) || (s64)load_once(&perf_paranoid) < 0)
		return 0;
	limit += rlimit_cur(RLIMIT_MEMLOCK) / PAGE_SIZE;
	if (atomic_add_return(&charged_pages, pages) > limit) {
		atomic_add_return(&charged_pages, -pages);
		return -EPERM;
	}
	rb->charged = (u32)pages;
	return 0;
}

/* perf_mutex held. */
static int make_rb(struct perf_event *e, struct vma *v, u64 pages)
{
	bool watermark = e->attr.flags & ATTR_WATERMARK;
	struct perf_rb *rb;
	int err;

	if (pages == 0 || pages - 1 > PERF_RB_MAX_PAGES ||
	    ((pages - 1) & (pages - 2) && pages > 1))
		return -EINVAL;
	rb = perf_rb_new((u32)pages - 1, !(v->flags & VM_WRITE),
			 e->attr.flags & ATTR_WRITE_BACKWARD,
			 watermark	  ? e->attr.wakeup
			 : e->attr.wakeup ? 0
					  : ~0ULL);
	if (!rb)
		return -ENOMEM;
	err = charge(rb);
	if (err) {
		perf_rb_unref(rb);
		return err;
	}
	perf_rb_attach(e, rb);
	return 0;
}

int perf_rb_mmap(struct perf_event *e, struct vma *v)
{
	u64 pages = (v->end - v->start) / PAGE_SIZE;
	int err = 0;

	if (!(v->flags & VM_SHARED) || v->pgoff)
		return -EINVAL;
	if (e->cpu < 0 && (e->attr.flags & ATTR_INHERIT))
		return -EINVAL;
	if (e->exited && !e->rb)
		return -EINVAL;
	if (!e->rb)
		err = make_rb(e, v, pages);
	else if (e->rb->nr_pages + 1 != pages)
		err = -EINVAL;
	if (err)
		return err;
	store_once(&e->rb->paused, 0);
	v->flags |= VM_DONTFORK | VM_DONTDUMP;
	v->ops = &rb_vm_ops;
	v->priv = e->rb;
	rb_open(v);
	return 0;
}
