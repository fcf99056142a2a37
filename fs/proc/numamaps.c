/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/numamaps.c - /proc/<pid>/numa_maps: policy and pages of each area, all on the
 * one node that there is; and clear_refs.
 */
#include <fs/proc/proc.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>
#include <lib/string.h>

struct numa_ctx {
	struct text *t;
	char *buf;	/* a page for paths */
	u8 task_policy; /* for areas without one */
};

struct counts {
	u64 pages, anon, dirty, writeback, mapmax;
};

static void count(const struct page *pg, void *ctx)
{
	u32 flags = load_once(&pg->flags);
	struct counts *n = ctx;

	n->pages++;
	n->anon += (flags & PG_ANON) != 0;
	n->dirty += proc_page_is_dirty(pg);
	n->writeback += (flags & PG_WRITEBACK) != 0;
	n->mapmax = max(n->mapmax, proc_page_mappers(pg));
}

/* Bits of the byte: mpolicy.c keeps it as syscall/numa.c made it. */
#define POLICY_MODE	0x07u
#define POLICY_NODE	0x08u
#define POLICY_RELATIVE 0x20u
#define POLICY_STATIC	0x40u

static void put_policy(struct text *t, u32 policy)
{
	static const char *const modes[] = { "default",
					     "prefer",
					     "bind",
					     "interleave",
					     "local",
					     "prefer (many)",
					     "weighted interleave",
					     "?" };

	text_puts(t, modes[policy & POLICY_MODE]);
	if (policy & POLICY_STATIC)
		text_puts(t, "=static");
	else if (policy & POLICY_RELATIVE)
		text_puts(t, "=relative");
	if (policy & POLICY_NODE)
		text_puts(t, ":0");
}

static void put_what(struct vma *v, struct numa_ctx *c)
{
	const char *name = proc_vma_name(v, c->buf);

	if (v->file)
		text_printf(c->t, " file=%s", name ? name : "");
	else if (name && !strcmp(name, "[heap]"))
		text_puts(c->t, " heap");
	else if (name && !strcmp(name, "[stack]"))
		text_puts(c->t, " stack");
}

static void put_count(struct text *t, const char *name, u64 n, u64 above)
{
	if (n > above)
		text_printf(t, " %s=%lu", name, n);
}

static void show_area(struct vma *v, void *ctx)
{
	struct numa_ctx *c = ctx;
	u32 policy = (v->flags & VM_POLICY) >> VM_POLICY_SHIFT;
	struct counts n = { 0 };

	text_printf(c->t, "%08lx ", v->start);
	put_policy(c->t, policy ? policy : c->task_policy);
	put_what(v, c);
	if (!(v->flags & VM_IO))
		proc_vma_pages(v, count, &n);
	if (n.pages) {
		put_count(c->t, "anon", n.anon, 0);
		put_count(c->t, "dirty", n.dirty, 0);
		if (n.pages != n.anon && n.pages != n.dirty)
			put_count(c->t, "mapped", n.pages, 0);
		put_count(c->t, "mapmax", n.mapmax, 1);
		put_count(c->t, "writeback", n.writeback, 0);
		text_printf(c->t, " N0=%lu kernelpagesize_kB=4", n.pages);
	}
	text_puts(c->t, "\n");
}

static u8 policy_of_leader(struct process *p)
{
	u8 policy;

	spin_lock(&task_lock);
	policy = p->leader->mempolicy;
	spin_unlock(&task_lock);
	return policy;
}

int proc_show_numa_maps(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	struct numa_ctx c = { .t = t, .task_policy = policy_of_leader(p) };

	if (!mm)
		return 0;
	c.buf = get_free_page(0);
	if (c.buf) {
		mm_for_each_vma(mm, show_area, &c);
		free_page_addr(c.buf);
	}
	mm_put(mm);
	return c.buf ? 0 : -ENOMEM;
}

/* --- clear_refs: marks of references are not kept, which "4" (nothing is kept that
 * could be cleared, as on Linux's riscv) and "5", the peak, do not need. */

s64 proc_write_clear_refs(struct process *p, char *buf, size_t n)
{
	size_t len = proc_line_len(buf);
	struct mm *mm;

	if (len != 1 || (*buf != '4' && *buf != '5'))
		return -EINVAL;
	mm = process_mm(p);
	if (!mm)
		return (s64)n;
	spin_lock(&mm->pt_lock);
	if (*buf == '5')
		mm->rss_max = mm_rss(mm);
	spin_unlock(&mm->pt_lock);
	mm_put(mm);
	return (s64)n;
}
