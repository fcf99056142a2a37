/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/maps.c - /proc/<pid>/maps, smaps, mounts, mountinfo.
 */
#include <fs/proc/proc.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

struct map_ctx {
	struct text *t;
	char *buf; /* a page for paths */
	bool smaps;
};

static void show_name(struct vma *v, struct map_ctx *c)
{
	const char *name = v->label;

	if (!name && v->ops && v->ops->name)
		name = v->ops->name(v);
	if (!name && v->file && v->file->dentry) {
		struct path p = { v->file->mnt, v->file->dentry }, root;

		fs_ctx_get_root(&root);
		if (path_to_str(&p, &root, c->buf, PAGE_SIZE) > 0)
			name = c->buf;
		path_put(&root);
	}
	if (name)
		text_printf(c->t, " %*s%s", 0, "", name);
}

static void show_vma(struct vma *v, void *ctx)
{
	struct map_ctx *c = ctx;
	struct inode *i = v->file ? v->file->inode : NULL;
	kdev_t dev = i ? i->sb->dev : 0;
	size_t start = c->t->len, pad;

	text_printf(c->t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu", v->start,
		    v->end, v->flags & VM_READ ? 'r' : '-',
		    v->flags & VM_WRITE ? 'w' : '-',
		    v->flags & VM_EXEC ? 'x' : '-',
		    v->flags & VM_SHARED ? 's' : 'p',
		    v->file ? v->pgoff << PAGE_SHIFT : 0, MAJOR(dev),
		    MINOR(dev), i ? i->ino : 0);
	for (pad = c->t->len - start; pad < 72; pad++)
		text_puts(c->t, " ");
	show_name(v, c);
	text_puts(c->t, "\n");
	if (c->smaps)
		text_printf(c->t,
			    "Size:           %8lu kB\n"
			    "KernelPageSize:        4 kB\n",
			    (v->end - v->start) >> 10);
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

struct mount_ctx {
	struct text *t;
	struct path root;
	char *buf;
	bool info;
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

static void show_mount(struct mount *m, void *ctx)
{
	struct mount_ctx *c = ctx;
	struct path p = { m, m->root };
	const char *dev = m->devname && *m->devname ? m->devname : "none";
	char *opts = c->buf + PAGE_SIZE / 2;

	if (path_to_str(&p, &c->root, c->buf, PAGE_SIZE / 2) < 0)
		return; /* not below this root */
	mount_options_str(m, opts, PAGE_SIZE / 2);
	if (c->info) {
		text_printf(c->t, "%d %d %u:%u / ", m->id,
			    m->parent ? m->parent->id : m->id,
			    MAJOR(m->sb->dev), MINOR(m->sb->dev));
		put_escaped(c->t, c->buf);
		text_printf(c->t, " %s - %s ", opts, m->sb->type->name);
		put_escaped(c->t, dev);
		text_printf(c->t, " %s\n",
			    m->sb->flags & MS_RDONLY ? "ro" : "rw");
		return;
	}
	put_escaped(c->t, dev);
	text_puts(c->t, " ");
	put_escaped(c->t, c->buf);
	text_printf(c->t, " %s %s 0 0\n", m->sb->type->name, opts);
}

static int mounts(struct text *t, struct process *p, bool info)
{
	struct mount_ctx c = { .t = t, .info = info };
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
	return mounts(t, p, false);
}

int proc_show_mountinfo(struct text *t, struct process *p)
{
	return mounts(t, p, true);
}
