/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/mapquery.c - PROCMAP_QUERY: ask /proc/<pid>/maps about one address.
 *
 * [include/uapi/linux/fs.h: struct procmap_query]  A caller whose structure is shorter
 * gets what fits; what is behind ours has to be zero.  No build ids are told.
 */
#include <fs/proc/proc.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>
#include <lib/string.h>

#define PROCMAP_QUERY 0xc0686611u

enum {
	QUERY_READABLE = 0x01,
	QUERY_WRITABLE = 0x02,
	QUERY_EXECUTABLE = 0x04,
	QUERY_SHARED = 0x08,
	QUERY_OR_NEXT = 0x10,
	QUERY_FILE = 0x20,
	QUERY_ALL = 0x3f,
};

struct query {
	u64 size, flags, addr;
	u64 start, end, perm, page_size, offset, ino;
	u32 major, minor, name_size, id_size;
	u64 name, id;
};
STATIC_ASSERT(sizeof(struct query) == 104, "as in the ABI");

static u32 perm_of(const struct vma *v)
{
	return (v->flags & VM_READ ? QUERY_READABLE : 0) |
	       (v->flags & VM_WRITE ? QUERY_WRITABLE : 0) |
	       (v->flags & VM_EXEC ? QUERY_EXECUTABLE : 0) |
	       (v->flags & VM_SHARED ? QUERY_SHARED : 0);
}

/* mm->lock held. */
static struct vma *find(struct mm *mm, const struct query *q)
{
	u32 perm = (u32)q->flags & 0xf;
	struct vma *v;

	for (v = mm_find_vma(mm, q->addr); v; v = vma_next(v)) {
		bool fits = (perm_of(v) & perm) == perm &&
			    (v->file || !(q->flags & QUERY_FILE));

		if (fits && ((q->flags & QUERY_OR_NEXT) || v->start <= q->addr))
			return v;
		if (!(q->flags & QUERY_OR_NEXT))
			break;
	}
	return NULL;
}

static void describe(const struct vma *v, struct query *q)
{
	const struct inode *i = v->file ? v->file->inode : NULL;

	q->start = v->start;
	q->end = v->end;
	q->perm = perm_of(v);
	q->page_size = PAGE_SIZE;
	q->offset = v->file ? v->pgoff << PAGE_SHIFT : 0;
	q->ino = i ? i->ino : 0;
	q->major = i ? MAJOR(i->sb->dev) : 0;
	q->minor = i ? MINOR(i->sb->dev) : 0;
	q->id_size = 0;
}

/* The answer; the area's name is in @buf (a page), with its NUL. */
static int ask(struct mm *mm, struct query *q, char *buf)
{
	const char *name = NULL;
	struct vma *v;
	size_t n;

	down_read(&mm->lock);
	v = find(mm, q);
	if (v)
		describe(v, q);
	if (v && q->name_size)
		name = proc_vma_name(v, buf);
	n = name ? strlen(name) + 1 : 0;
	if (name && name != buf)
		memcpy(buf, name, min(n, PAGE_SIZE));
	up_read(&mm->lock);
	if (!v)
		return -ENOENT;
	if (n > min((u64)q->name_size, PAGE_SIZE))
		return -ENAMETOOLONG;
	q->name_size = (u32)n;
	return 0;
}

static int get_query(struct query *q, uaddr_t from, u64 *size)
{
	u8 byte;

	if (get_user_u64(size, from))
		return -EFAULT;
	if (*size > PAGE_SIZE)
		return -E2BIG;
	if (*size < offsetof(struct query, start))
		return -EINVAL;
	for (u64 i = sizeof(*q); i < *size; i++) {
		if (copy_from_user(&byte, from + i, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	memset(q, 0, sizeof(*q));
	*size = min(*size, sizeof(*q));
	if (copy_from_user(q, from, *size))
		return -EFAULT;
	if ((q->flags & ~(u64)QUERY_ALL) || !q->name != !q->name_size ||
	    !q->id != !q->id_size)
		return -EINVAL;
	return 0;
}

s64 proc_maps_ioctl(struct process *p, u32 cmd, uaddr_t arg)
{
	struct query q;
	struct mm *mm;
	u64 size;
	char *buf;
	int err;

	if (cmd != PROCMAP_QUERY)
		return -ENOTTY;
	err = get_query(&q, arg, &size);
	if (err)
		return err;
	buf = get_free_page(0);
	mm = buf ? process_mm(p) : NULL;
	err = mm ? ask(mm, &q, buf) : buf ? -ESRCH : -ENOMEM;
	if (mm)
		mm_put(mm);
	if (!err && (copy_to_user(q.name, buf, q.name_size) ||
		     copy_to_user(arg, &q, size)))
		err = -EFAULT;
	if (buf)
		free_page_addr(buf);
	return err;
}
