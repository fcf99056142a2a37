/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/shm.c - memory shared between processes without a file.
 *
 * MAP_SHARED|MAP_ANONYMOUS and a shared mapping of /dev/zero: an object with a page
 * cache of its own, which nothing writes back and nothing reclaims.  Every area
 * that shows it holds a reference.
 *
 * Context: coroutine.  Locking: the mapping's.
 */
#include <kernel/mm/shm.h>

#include <kernel/mm/mmap.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <lib/errno.h>

struct shm {
	u32 refs; /* [a] areas */
	struct mapping mapping;
};

static const struct mapping_ops shm_mapping_ops = { .no_writeback = true };

void shm_mapping_init(struct mapping *m, u64 size, void *host)
{
	mapping_init(m, &shm_mapping_ops, host);
	m->size = size;
}

int shm_mapping_fault(struct mapping *m, u64 pgoff, struct page **out)
{
	struct page *pg;

	if (pgoff >= DIV_ROUND_UP(m->size, PAGE_SIZE))
		return -EIO;
	pg = mapping_find(m, pgoff);
	if (!pg || !(load_once(&pg->flags) & PG_UPTODATE)) {
		if (pg)
			page_put(pg);
		pg = mapping_grab(m, pgoff);
		if (IS_ERR(pg))
			return (int)PTR_ERR(pg);
		if (!(load_once(&pg->flags) & PG_UPTODATE)) {
			clear_page(page_addr(pg));
			(void)atomic_fetch_or(&pg->flags, (u32)PG_UPTODATE);
		}
		page_unlock(pg);
	}
	*out = pg;
	return 0;
}

static int shm_fault(struct vma *v, u64 pgoff, bool write __unused,
		     struct page **out)
{
	struct shm *s = v->priv;

	return shm_mapping_fault(&s->mapping, pgoff, out);
}

static void shm_open(struct vma *v)
{
	struct shm *s = v->priv;

	atomic_inc(&s->refs);
}

static void shm_close(struct vma *v)
{
	struct shm *s = v->priv;

	if (!atomic_dec_and_test(&s->refs))
		return;
	pmem_account(PMEM_COMMITTED,
		     -(s64)DIV_ROUND_UP(s->mapping.size, PAGE_SIZE));
	mapping_destroy(&s->mapping);
	kfree(s);
}

static const char *shm_name(struct vma *v)
{
	return v->file ? NULL : "/dev/zero (deleted)";
}

static const struct vm_ops shm_vm_ops = {
	.fault = shm_fault,
	.open = shm_open,
	.close = shm_close,
	.name = shm_name,
};

int mm_mmap_zero(struct file *f __unused, struct vma *v)
{
	struct shm *s;

	if (!(v->flags & VM_SHARED))
		return 0; /* private and without ops: anonymous */
	if (!mm_commit_fits(vma_pages(v)))
		return -ENOMEM;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	shm_mapping_init(&s->mapping, v->end - v->start, s);
	pmem_account(PMEM_COMMITTED, (s64)vma_pages(v));
	v->pgoff = 0;
	v->mapping = &s->mapping;
	v->ops = &shm_vm_ops;
	v->priv = s;
	return 0;
}
