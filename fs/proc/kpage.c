/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/kpage.c - /proc/kpageflags and /proc/kpagecount: a word for each frame.
 *
 * What is told of a frame is true of some moment: nothing is locked.
 */
#include <fs/proc/proc.h>
#include <kernel/file/iov.h>
#include <kernel/init.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define WORD 8u

/* Linux's bits [kernel-page-flags.h] and ours. */
enum {
	KPF_LOCKED = 0,
	KPF_ERROR = 1,
	KPF_REFERENCED = 2,
	KPF_UPTODATE = 3,
	KPF_DIRTY = 4,
	KPF_LRU = 5,
	KPF_SLAB = 7,
	KPF_WRITEBACK = 8,
	KPF_BUDDY = 10,
	KPF_ANON = 12,
	KPF_NOPAGE = 20,
};
static const struct {
	u32 ours;
	u8 theirs;
} map[] = {
	{ PG_LOCKED, KPF_LOCKED },
	{ PG_ERROR, KPF_ERROR },
	{ PG_REFERENCED, KPF_REFERENCED },
	{ PG_UPTODATE, KPF_UPTODATE },
	{ PG_DIRTY, KPF_DIRTY },
	{ PG_LRU, KPF_LRU },
	{ PG_SLAB, KPF_SLAB },
	{ PG_WRITEBACK, KPF_WRITEBACK },
	{ PG_BUDDY, KPF_BUDDY },
	{ PG_ANON, KPF_ANON },
};

static u64 flags_of(const struct page *pg)
{
	u32 flags = pg ? load_once(&pg->flags) : PG_RESERVED | PG_HOLE;
	u64 r = 0;

	if (flags & PG_HOLE)
		return BIT(KPF_NOPAGE);
	for (u32 i = 0; i < ARRAY_SIZE(map); i++) {
		if (flags & map[i].ours)
			r |= BIT(map[i].theirs);
	}
	return r;
}

static u64 count_of(const struct page *pg)
{
	return pg && !(load_once(&pg->flags) & (PG_RESERVED | PG_BUDDY))
		       ? load_once(&pg->refs)
		       : 0;
}

static s64 read_words(struct iov_iter *to, u64 *pos,
		      u64 (*word)(const struct page *pg))
{
	s64 done = 0;

	if (*pos % WORD || iov_iter_count(to) % WORD)
		return -EINVAL;
	while (iov_iter_count(to) && *pos / WORD < phys_ram_end >> PAGE_SHIFT) {
		u64 v = word(phys_page(*pos / WORD << PAGE_SHIFT));

		if (copy_to_iter(&v, WORD, to) != WORD)
			return done ? done : -EFAULT;
		done += WORD;
		*pos += WORD;
		cond_resched();
	}
	return done;
}

static s64 flags_read(struct file *f __unused, struct iov_iter *to, u64 *pos)
{
	return read_words(to, pos, flags_of);
}

static s64 count_read(struct file *f __unused, struct iov_iter *to, u64 *pos)
{
	return read_words(to, pos, count_of);
}

static const struct file_ops flags_fops = { .read = flags_read,
					    .llseek = endless_llseek };
static const struct file_ops count_fops = { .read = count_read,
					    .llseek = endless_llseek };

static int flags_open(struct inode *i __unused, struct file *f)
{
	f->ops = &flags_fops;
	return 0;
}

static int count_open(struct inode *i __unused, struct file *f)
{
	f->ops = &count_fops;
	return 0;
}

static int kpage_init(void)
{
	struct pnode *a =
		pseudo_file(proc_root, "kpageflags", 0400, NULL, NULL, NULL);
	struct pnode *b =
		pseudo_file(proc_root, "kpagecount", 0400, NULL, NULL, NULL);

	if (!a || !b)
		return -ENOMEM;
	a->open = flags_open;
	b->open = count_open;
	return 0;
}
INITCALL(INIT_LATE, kpage_init);
