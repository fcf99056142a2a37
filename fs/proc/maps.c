/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/maps.c - /proc/<pid>/maps, smaps, mounts, mountinfo, mountstats.
 */
#include <fs/proc/proc.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

struct map_ctx {
	struct text *t;
	char *buf; /* a page for paths */
	bool smaps;
};

const char *proc_vma_name(struct vma *v, char *buf)
{
	const char *name = v->label;

	if (!name && v->ops && v->ops->name)
		name = v->ops->name(v);
	if (!name && v->file && v->file->dentry) {
		struct path p = { v->file->mnt, v->file->dentry }, root;

		fs_ctx_get_root(&root);
		if (path_to_str(&p, &root, buf, PAGE_SIZE) > 0)
			name = buf;
		path_put(&root);
	}
	return name;
}

#define PT_SPAN	  (512 * PAGE_SIZE) /* what one table of entries covers */
#define PSS_SHIFT 12 /* shares of a page are counted in parts of it */

/* Pages of an area by what they are; shares of them by how many map them. */
struct usage {
	u64 rss, anon, locked, size;
	u64 shared[2], private[2]; /* clean, dirty */
	u64 pss[3], pss_dirty; /* of anonymous memory, files, shared memory */
};

u64 proc_page_mappers(const struct page *pg)
{
	u32 refs = load_once(&pg->refs);

	if (!(load_once(&pg->flags) & PG_ANON) && load_once(&pg->mapping))
		refs--;
	return max(refs, 1u);
}

static bool is_memory(const struct page *pg, u32 flags)
{
	const struct mapping *m =
		flags & PG_ANON ? NULL : load_once(&pg->mapping);

	return m && m->ops->no_writeback;
}

bool proc_page_is_dirty(const struct page *pg)
{
	u32 flags = load_once(&pg->flags);

	return (flags & (PG_ANON | PG_DIRTY)) || is_memory(pg, flags);
}

void proc_vma_pages(struct vma *v, void (*fn)(const struct page *, void *),
		    void *ctx)
{
	struct mm *mm = v->mm;

	spin_lock(&mm->pt_lock);
	for (u64 va = v->start; va < v->end; va += PAGE_SIZE) {
		pte_t *p = pt_find(mm, va);

		if (!p) { /* no table: on to where the next one begins */
			va = ALIGN_DOWN(va, PT_SPAN) + PT_SPAN - PAGE_SIZE;
			continue;
		}
		if ((*p & PTE_V) && !(*p & PTE_SPECIAL))
			fn(pte_page(*p), ctx);
	}
	spin_unlock(&mm->pt_lock);
}

static void add_page(const struct page *pg, void *ctx)
{
	struct usage *u = ctx;
	u32 flags = load_once(&pg->flags);
	bool dirty = proc_page_is_dirty(pg);
	u64 n = proc_page_mappers(pg), share = (PAGE_SIZE << PSS_SHIFT) / n;

	u->rss++;
	if (flags & PG_ANON)
		u->anon++;
	if (n > 1)
		u->shared[dirty]++;
	else
		u->private[dirty]++;
	u->pss[flags & PG_ANON ? 0 : is_memory(pg, flags) ? 2 : 1] += share;
	if (dirty)
		u->pss_dirty += share;
}

static u64 pss_of(const struct usage *u)
{
	return u->pss[0] + u->pss[1] + u->pss[2];
}

static void add_usage(struct vma *v, struct usage *u)
{
	u64 before = pss_of(u);

	u->size += vma_pages(v);
	proc_vma_pages(v, add_page, u);
	if (v->flags & VM_LOCKED)
		u->locked += pss_of(u) - before;
}

#define KB_OF_PSS(pss) ((pss) >> (PSS_SHIFT + 10))

static void put_usage(struct text *t, const struct usage *u, bool parts)
{
	text_printf(t,
		    "Rss:            %8lu kB\nPss:            %8lu kB\n"
		    "Pss_Dirty:      %8lu kB\n",
		    u->rss * 4, KB_OF_PSS(pss_of(u)), KB_OF_PSS(u->pss_dirty));
	if (parts)
		text_printf(t,
			    "Pss_Anon:       %8lu kB\n"
			    "Pss_File:       %8lu kB\n"
			    "Pss_Shmem:      %8lu kB\n",
			    KB_OF_PSS(u->pss[0]), KB_OF_PSS(u->pss[1]),
			    KB_OF_PSS(u->pss[2]));
	text_printf(t,
		    "Shared_Clean:   %8lu kB\nShared_Dirty:   %8lu kB\n"
		    "Private_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n",
		    u->shared[0] * 4, u->shared[1] * 4, u->private[0] * 4,
		    u -> private[1] * 4);
	text_printf(t,
		    "Referenced:     %8lu kB\nAnonymous:      %8lu kB\n"
		    "KSM:            %8u kB\nLazyFree:       %8u kB\n"
		    "AnonHugePages:  %8u kB\nShmemPmdMapped: %8u kB\n"
		    "FilePmdMapped:  %8u kB\n",
		    u->rss * 4, u->anon * 4, 0, 0, 0, 0, 0);
	text_printf(t,
		    "Shared_Hugetlb: %8u kB\nPrivate_Hugetlb: %7u kB\n"
		    "Swap:           %8u kB\nSwapPss:        %8u kB\n"
		    "Locked:         %8lu kB\n",
		    0, 0, 0, 0, KB_OF_PSS(u->locked));
}

static void show_usage(struct vma *v, struct map_ctx *c)
{
	static const struct {
		u32 bit;
		const char *name;
	} flags[] = { { VM_READ, "rd" },	{ VM_WRITE, "wr" },
		      { VM_EXEC, "ex" },	{ VM_SHARED, "sh" },
		      { VM_MAYREAD, "mr" },	{ VM_MAYWRITE, "mw" },
		      { VM_MAYEXEC, "me" },	{ VM_GROWSDOWN, "gd" },
		      { VM_LOCKED, "lo" },	{ VM_DONTFORK, "dc" },
		      { VM_WIPEONFORK, "wf" },	{ VM_NORESERVE, "nr" },
		      { VM_LOCKONFAULT, "lf" }, { VM_IO, "io" },
		      { VM_DONTDUMP, "dd" },	{ VM_DROPPABLE, "dp" } };
	struct usage u = { 0 };

	add_usage(v, &u);
	text_printf(
		c->t,
		"Size:           %8lu kB\n"
		"KernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
		u.size * 4);
	put_usage(c->t, &u, false);
	text_puts(c->t, "THPeligible:           0\nVmFlags:");
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		if (v->flags & flags[i].bit)
			text_printf(c->t, " %s", flags[i].name);
	}
	text_puts(c->t, " \n");
}

static void sum_usage(struct vma *v, void *ctx)
{
	add_usage(v, ctx);
}

int proc_show_smaps_rollup(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	struct usage u = { 0 };

	if (!mm)
		return -ESRCH;
	mm_for_each_vma(mm, sum_usage, &u);
	text_printf(t, "%08x-%08lx ---p 00000000 00:00 0", 0, (u64)USER_TOP);
	text_printf(t, "%*s[rollup]\n", 27, "");
	put_usage(t, &u, true);
	mm_put(mm);
	return 0;
}

static void show_vma(struct vma *v, void *ctx)
{
	struct map_ctx *c = ctx;
	struct inode *i = v->file ? v->file->inode : NULL;
	kdev_t dev = i ? i->sb->dev : 0;
	size_t start = c->t->len, pad;
	const char *name;

	text_printf(c->t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu", v->start,
		    v->end, v->flags & VM_READ ? 'r' : '-',
		    v->flags & VM_WRITE ? 'w' : '-',
		    v->flags & VM_EXEC ? 'x' : '-',
		    v->flags & VM_SHARED ? 's' : 'p',
		    v->file ? v->pgoff << PAGE_SHIFT : 0, MAJOR(dev),
		    MINOR(dev), i ? i->ino : 0);
	name = proc_vma_name(v, c->buf);
	if (name) {
		for (pad = c->t->len - start; pad < 72; pad++)
			text_puts(c->t, " ");
		text_printf(c->t, " %s", name);
	}
	text_puts(c->t, "\n");
	if (c->smaps)
		show_usage(v, c);
}

static int show(struct text *t, struct process *p, bool smaps)
{
	struct mm *mm = process_mm(p);
	struct map_ctx c = { .t = t, .smaps = smaps };

	if (!mm)
		return 0;
	c.buf = get_free_page(0);
	if (c.buf) {
		mm_for_each_vma(mm, show_vma, &c);
		free_page_addr(c.buf);
	}
	mm_put(mm);
	return c.buf ? 0 : -ENOMEM;
}

int proc_show_maps(struct text *t, struct process *p)
{
	return show(t, p, false);
}

int proc_show_smaps(struct text *t, struct process *p)
{
	return show(t, p, true);
}

enum mount_form {
	FORM_MOUNTS,
	FORM_MOUNTINFO,
	FORM_MOUNTSTATS,
};
struct mount_ctx {
	struct text *t;
	struct path root;
	char *buf;
	enum mount_form form;
};

/* Space, tab, newline and backslash as octal, as getmntent() wants. */
static void put_escaped(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\\')
			text_printf(t, "\\%03o", (u8)*s);
		else
			text_write(t, s, 1);
	}
}

static void put_sharing(struct mount_ctx *c, struct mount *m)
{
	u32 from;

	if (load_once(&m->group))
		text_printf(c->t, " shared:%u", m->group);
	if (load_once(&m->master)) {
		text_printf(c->t, " master:%u", m->master);
		from = mount_dominator(m, &c->root);
		if (from && from != m->master)
			text_printf(c->t, " propagate_from:%u", from);
	}
	if (load_once(&m->unbindable))
		text_puts(c->t, " unbindable");
}

static void show_info(struct mount_ctx *c, struct mount *m, const char *dev)
{
	char *scratch = c->buf + PAGE_SIZE / 2;

	text_printf(c->t, "%d %d %u:%u ", m->id,
		    m->parent ? m->parent->id : m->id, MAJOR(m->sb->dev),
		    MINOR(m->sb->dev));
	if (mount_root_str(m, scratch, PAGE_SIZE / 2) > 0)
		put_escaped(c->t, scratch);
	text_puts(c->t, " ");
	put_escaped(c->t, c->buf);
	mount_flags_str(m, scratch, PAGE_SIZE / 2);
	text_printf(c->t, " %s", scratch);
	put_sharing(c, m);
	text_printf(c->t, " - %s ", sb_type_str(m->sb, scratch, PAGE_SIZE / 2));
	put_escaped(c->t, dev);
	sb_options_str(m->sb, scratch, PAGE_SIZE / 2);
	text_printf(c->t, " %s\n", scratch);
}

static void show_mount(struct mount *m, void *ctx)
{
	struct mount_ctx *c = ctx;
	struct path p = { m, m->root };
	const char *dev = m->devname && *m->devname ? m->devname : "none";
	char *opts = c->buf + PAGE_SIZE / 2, type[SB_TYPE_MAX];

	sb_type_str(m->sb, type, sizeof(type));
	if (path_below_str(&p, &c->root, c->buf, PAGE_SIZE / 2) < 0)
		return;
	if (c->form == FORM_MOUNTINFO) {
		show_info(c, m, dev);
		return;
	}
	if (c->form == FORM_MOUNTSTATS) {
		text_puts(c->t, "device ");
		put_escaped(c->t, dev);
		text_puts(c->t, " mounted on ");
		put_escaped(c->t, c->buf);
		text_printf(c->t, " with fstype %s\n", type);
		return;
	}
	mount_options_str(m, opts, PAGE_SIZE / 2);
	put_escaped(c->t, dev);
	text_puts(c->t, " ");
	put_escaped(c->t, c->buf);
	text_printf(c->t, " %s %s 0 0\n", type, opts);
}

static int mounts(struct text *t, struct process *p, enum mount_form form)
{
	struct mount_ctx c = { .t = t, .form = form };
	struct fs_ctx *fs = process_fs(p);

	if (!fs)
		return -EINVAL;
	c.buf = get_free_page(0);
	if (c.buf) {
		spin_lock(&fs->lock);
		c.root = fs->root;
		path_get(&c.root);
		spin_unlock(&fs->lock);
		mount_for_each(show_mount, &c);
		path_put(&c.root);
		free_page_addr(c.buf);
	}
	fs_ctx_put(fs);
	return c.buf ? 0 : -ENOMEM;
}

int proc_show_mounts(struct text *t, struct process *p)
{
	return mounts(t, p, FORM_MOUNTS);
}

int proc_show_mountinfo(struct text *t, struct process *p)
{
	return mounts(t, p, FORM_MOUNTINFO);
}

int proc_show_mountstats(struct text *t, struct process *p)
{
	return mounts(t, p, FORM_MOUNTSTATS);
}
