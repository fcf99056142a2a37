/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/file.c - open file descriptions: birth, references, death.
 *
 * The last file_put() calls release(), then gives back what the fs/ layer hung
 * on the file (fs_file_release(), kernel/upcalls.h), then the opener's
 * credentials.
 *
 * Context: coroutine; the last put may sleep.
 */
#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static struct kmem_cache *file_cache; /* [I] */
static u64 nr_files;		      /* [a] open ones */
u64 files_max = 1ul << 20;

static int file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 8);
	return file_cache ? 0 : -ENOMEM;
}
INITCALL(INIT_CORE, file_init);

static struct cred *opener_cred(void)
{
	struct thread *t = current;

	return cred_get(t && t->cred ? t->cred : &init_cred);
}

static bool too_many(void)
{
	return unlikely(load_once(&nr_files) >= load_once(&files_max)) &&
	       !capable(CAP_SYS_ADMIN);
}

int file_no_alloc(void)
{
	return too_many() ? -ENFILE : -ENOMEM;
}

struct file *file_alloc(const struct file_ops *ops, u32 flags, void *priv)
{
	struct file *f;

	if (too_many())
		return NULL;
	f = kmem_cache_zalloc(file_cache);
	if (!f)
		return NULL;
	f->refs = 1;
	f->flags = flags;
	f->ops = ops;
	f->priv = priv;
	f->cred = opener_cred();
	mutex_init(&f->pos_lock);
	list_init(&f->epitems);
	f->can_read = (flags & O_ACCMODE) == O_RDONLY ||
		      (flags & O_ACCMODE) == O_RDWR;
	f->can_write = (flags & O_ACCMODE) == O_WRONLY ||
		       (flags & O_ACCMODE) == O_RDWR;
	atomic_add_relaxed(&nr_files, 1);
	return f;
}

struct file *file_get(struct file *f)
{
	atomic_inc(&f->refs);
	return f;
}

static void file_free(struct file *f)
{
	if (unlikely(!list_empty(&f->epitems)))
		epoll_file_gone(f);
	if (unlikely(f->async))
		file_async_gone(f);
	if (f->ops && f->ops->release)
		f->ops->release(f);
	if (f->inode)
		fs_file_release(f);
	else
		file_locks_release(f);
	if (unlikely(f->owner.domain))
		owner_clear(&f->owner);
	cred_put(f->cred);
	kmem_cache_free(file_cache, f);
	atomic_add_relaxed(&nr_files, (u64)-1);
}

void file_put(struct file *f)
{
	u32 left = atomic_add_return(&f->refs, (u32)-1);

	KASSERT(left != (u32)-1);
	if (!left)
		file_free(f);
}

u64 file_count(void)
{
	return load_once(&nr_files);
}
