/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/mapfiles.c - /proc/<pid>/map_files: a link to the file of each mapping, by
 * its bounds as in maps.
 *
 * An inode here is a code, process and first page, and holds no reference, as in
 * pid.c: a name whose mapping has gone answers -ENOENT.
 */
#include <fs/proc/proc.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define PAGE_BITS 26 /* of a user address: Sv39 */
STATIC_ASSERT(USER_TOP >> PAGE_SHIFT <= 1ul << PAGE_BITS, "room for a page");

struct bounds {
	u64 start, end;
	u32 mode; /* of the link */
};

/* The first area of a file that ends beyond @from. */
static bool next_file(struct process *p, u64 from, struct bounds *b)
{
	struct mm *mm = process_mm(p);
	struct vma *v;

	if (!mm)
		return false;
	down_read(&mm->lock);
	v = mm_find_vma(mm, from);
	while (v && !(v->file && v->file->dentry))
		v = vma_next(v);
	if (v)
		*b = (struct bounds){ v->start, v->end,
				      proc_link_mode(v->file, 0400, 0200) };
	up_read(&mm->lock);
	mm_put(mm);
	return v != NULL;
}

static u64 pack(u32 pid, u64 start)
{
	return 1ul << 63 | (u64)pid << PAGE_BITS | start >> PAGE_SHIFT;
}

/* --- the links */

static int map_path(struct inode *inode, struct path *out)
{
	u64 code = (u64)(uintptr_t)inode->priv;
	u64 start = (code & (BIT(PAGE_BITS) - 1)) << PAGE_SHIFT;
	struct process *p = process_find((int)(code << 1 >> 1 >> PAGE_BITS));
	struct mm *mm;
	struct vma *v;
	int r = -ENOENT;

	if (!p)
		return r;
	mm = proc_may_inspect(p) ? process_mm(p) : NULL;
	process_put(p);
	if (!mm)
		return r;
	down_read(&mm->lock);
	v = mm_find_vma(mm, start);
	if (v && v->start == start && v->file && v->file->dentry) {
		*out = (struct path){ v->file->mnt, v->file->dentry };
		path_get(out);
		r = 0;
	}
	up_read(&mm->lock);
	mm_put(mm);
	return r;
}

static int map_get_link(struct inode *inode, struct path *out)
{
	/* What cannot be opened by its name could be here. */
	return capable(CAP_SYS_ADMIN) ? map_path(inode, out) : -EPERM;
}

static s64 map_readlink(struct inode *inode, char *buf, size_t size)
{
	struct path p, root;
	s64 r = map_path(inode, &p);

	if (r)
		return r;
	fs_ctx_get_root(&root);
	r = path_to_str(&p, &root, buf, size);
	path_put(&root);
	path_put(&p);
	return r;
}

static const struct inode_ops map_iops = {
	.readlink = map_readlink,
	.get_link = map_get_link,
};

/* --- the directory */

static void name_of(const struct bounds *b, char name[40])
{
	(void)snprintf(name, 40, "%lx-%lx", b->start, b->end);
}

int proc_map_lookup(struct inode *dir, struct process *p, const char *name,
		    size_t len, struct inode **out)
{
	struct bounds b;
	char want[40];
	u64 start = 0;
	struct inode *i;
	size_t n;

	if (!proc_may_inspect(p))
		return -EACCES;
	for (n = 0; n < len && name[n] != '-'; n++) {
		u8 c = (u8)name[n];

		if (n == 16 ||
		    !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return 0;
		start = start << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (!next_file(p, start, &b))
		return 0;
	name_of(&b, want);
	if (strlen(want) != len || strncmp(want, name, len))
		return 0;
	i = inode_new(dir->sb);
	if (!i)
		return -ENOMEM;
	i->ino = pack((u32)p->pid, b.start);
	i->priv = (void *)(uintptr_t)i->ino;
	i->mode = b.mode;
	i->ops = &map_iops;
	proc_set_owner(i, p);
	*out = i;
	return 0;
}

/* A position is 2 more than the page before which nothing is left to tell. */
void proc_map_readdir(struct dir_ctx *ctx, struct process *p)
{
	struct bounds b;
	char name[40];

	while (next_file(p, (ctx->pos - 2) << PAGE_SHIFT, &b)) {
		name_of(&b, name);
		if (!ctx->emit(ctx, name, strlen(name),
			       pack((u32)p->pid, b.start), DT_LNK,
			       (b.end >> PAGE_SHIFT) + 2))
			return;
		ctx->pos = (b.end >> PAGE_SHIFT) + 2;
	}
}
