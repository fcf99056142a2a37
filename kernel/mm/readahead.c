/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/readahead.c - reads pages before they are asked for.
 *
 * A file that is read in order gets windows that double up to what its device says
 * (128 KiB, /sys/block/DISK/queue/read_ahead_kb; twice that after
 * POSIX_FADV_SEQUENTIAL).  The page in the middle of a window has PG_AHEAD: reaching
 * it starts the next window, so that the device is busy while the program works.  A
 * read elsewhere gets the pages that it asked for.  Faults have no order: they get
 * their 64 KiB neighbourhood.
 *
 * The state (file->ra_*) is a hint; a race over it costs a window.
 *
 * Context: coroutine.  Locking: none of its own.
 */
#include <kernel/mm/cache.h>
#include <kernel/mm/fault.h>

#include <kernel/dev/blk.h>
#include <kernel/file/file.h>
#include <lib/errno.h>

#define WINDOW_MIN   4u
#define RUN_MAX	     32u /* pages given to the file system at once */
#define RA_DEFAULT   32u /* pages, of what has no device */
#define FAULT_WINDOW 16u
#define ASKED_MAX    512u /* pages that a call gets that asks for more */

/* Pages of a run that are new, locked and consecutive. */
struct run {
	struct mapping *m;
	unsigned int nr;
	struct page *pg[RUN_MAX];
};

static void run_submit(struct run *r)
{
	struct mapping *m = r->m;

	current->io.read_bytes += r->nr * PAGE_SIZE;
	if (r->nr > 1 && m->ops->readpages) {
		(void)m->ops->readpages(m, r->pg, r->nr);
	} else {
		for (unsigned int i = 0; i < r->nr; i++)
			(void)m->ops->readpage(m, r->pg[i]);
	}
	for (unsigned int i = 0; i < r->nr; i++)
		page_put(r->pg[i]);
	r->nr = 0;
}

/* A new locked page at @index, NULL if there is one already; ERR_PTR. */
static struct page *add_page(struct mapping *m, u64 index)
{
	struct page *pg = mapping_find(m, index);

	if (pg) {
		page_put(pg);
		return NULL;
	}
	pg = cache_add_new(m, index);
	return pg == ERR_PTR(-EEXIST) ? NULL : pg;
}

/* Read what is not cached of [start, end); @mark gets PG_AHEAD. */
static int read_window(struct mapping *m, u64 start, u64 end, u64 mark)
{
	struct run r = { .m = m };
	int err = 0;

	blk_plug();
	for (u64 i = start; i < end; i++) {
		struct page *pg = add_page(m, i);

		if (IS_ERR(pg)) {
			err = (int)PTR_ERR(pg);
			break;
		}
		if (!pg) {
			run_submit(&r);
			continue;
		}
		if (i == mark)
			(void)page_set(pg, PG_AHEAD);
		r.pg[r.nr++] = pg;
		if (r.nr == RUN_MAX)
			run_submit(&r);
	}
	run_submit(&r);
	blk_unplug();
	return err;
}

static u64 end_index(struct mapping *m)
{
	return DIV_ROUND_UP(load_once(&m->size), PAGE_SIZE);
}

/* The largest window of @f; 0: none at all. */
static u64 window_max(const struct mapping *m, const struct file *f)
{
	u64 max = m->ra_pages ? load_once(m->ra_pages) : RA_DEFAULT;

	if (f->ra_advice == FILE_RA_RANDOM)
		return 0;
	return f->ra_advice == FILE_RA_SEQUENTIAL ? 2 * max : max;
}

static u64 next_window(const struct file *f, u64 max)
{
	return min(max(f->ra_size * 2, (u64)WINDOW_MIN), max);
}

/* The window for a miss at @index, and the page that will start the next one. */
static u64 choose_window(struct mapping *m, u64 index, struct file *f,
			 u64 *mark)
{
	u64 max = window_max(m, f), n, want = max(f->ra_want, 1u);

	*mark = ~0ull;
	if (max && (index == 0 || index == f->ra_next)) {
		n = max(next_window(f, max), min(want, max));
		*mark = index + n / 2;
		f->ra_size = n;
	} else {
		n = min(want, max((u64)RUN_MAX, max));
		f->ra_size = 0;
	}
	f->ra_next = index + n;
	return n;
}

int cache_read_around(struct mapping *m, u64 index, struct file *f)
{
	u64 start = index, n = FAULT_WINDOW, mark = ~0ull, last = end_index(m);
	int err;

	if (!m->ops->readpage) {
		struct page *pg = mapping_grab(m, index);

		if (IS_ERR(pg))
			return (int)PTR_ERR(pg);
		page_unlock(pg); /* mapping_read() clears it */
		page_put(pg);
		return 0;
	}
	if (f)
		n = choose_window(m, index, f, &mark);
	else
		start = ALIGN_DOWN(index, (u64)FAULT_WINDOW);
	err = read_window(m, start, max(index + 1, min(start + n, last)), mark);
	/* what was read ahead is a bonus; the page itself is needed */
	if (err && start != index)
		err = read_window(m, index, index + 1, ~0ull);
	return err;
}

void cache_read_on(struct mapping *m, struct file *f)
{
	u64 start = f->ra_next, last = end_index(m), max = window_max(m, f), n;

	if (start >= last || !max)
		return;
	n = next_window(f, max);
	f->ra_size = n;
	f->ra_next = start + n;
	(void)read_window(m, start, min(start + n, last), start + n / 2);
}

/* Is all of [start, start + n) cached?  @n: RUN_MAX at most. */
static bool have_all(struct mapping *m, u64 start, u64 n)
{
	struct page *pg[RUN_MAX];
	u64 have = 0;

	if (mapping_find_range(m, start, (unsigned int)n, pg) == 0)
		return false;
	for (u64 i = 0; i < n; i++) {
		if (!pg[i])
			continue;
		page_put(pg[i]);
		have++;
	}
	return have == n;
}

void mapping_readahead(struct mapping *m, u64 first, u64 nr)
{
	u64 end;

	if (!m->ops || !m->ops->readpage)
		return;
	nr = min(min(nr, pmem_free_pages() / 2), (u64)ASKED_MAX);
	end = min(first + nr, end_index(m));
	while (first < end) {
		u64 n = min(end - first, RUN_MAX - first % RUN_MAX);

		if (!have_all(m, first, n) &&
		    read_window(m, first, first + n, ~0ull))
			return;
		first += n;
		cond_resched();
	}
}
