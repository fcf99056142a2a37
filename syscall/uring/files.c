/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/files.c - registered files: a table of them in the ring, so that a
 * request need not look at the process's descriptors.
 *
 * Locking: ring->tables.  Files are put after it was released.
 */
#include <syscall/uring/uring.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>

/* The file that a program may register under @fd: ref; ERR_PTR. */
static struct file *registrable(int fd)
{
	struct file *f = fd_get(fd);

	if (!f)
		return ERR_PTR(-EBADF);
	if (!uring_of(f)) /* it would keep itself */
		return f;
	file_put(f);
	return ERR_PTR(-EBADF);
}

struct file *uring_fixed_file(struct uring *r, u32 slot)
{
	struct file *f = NULL;

	mutex_lock(&r->tables);
	if (slot < r->files.nr && r->files.file[slot])
		f = file_get(r->files.file[slot]);
	mutex_unlock(&r->tables);
	return f;
}

/* ---- the whole table */

static void free_files(struct file **file, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		if (file[i])
			file_put(file[i]);
	}
	kfree(file);
}

static int fill(struct file **file, u64 fds, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		u32 fd;

		if (get_user_u32(&fd, fds + i * sizeof(fd)))
			return -EFAULT;
		if ((s32)fd == -1)
			continue;
		file[i] = registrable((int)fd);
		if (IS_ERR(file[i])) {
			int err = (int)PTR_ERR(file[i]);

			file[i] = NULL;
			return err;
		}
	}
	return 0;
}

int uring_files_register(struct uring *r, u64 fds, u32 nr, bool sparse)
{
	struct file **file;
	int err = 0;

	if (!nr)
		return -EINVAL;
	if (nr > URING_MAX_FILES || nr > rlimit_cur(RLIMIT_NOFILE))
		return -EMFILE;
	file = kcalloc(nr, sizeof(*file));
	if (!file)
		return -ENOMEM;
	if (!sparse)
		err = fill(file, fds, nr);
	mutex_lock(&r->tables);
	if (!err && r->files.nr)
		err = -EBUSY;
	if (!err)
		r->files = (struct uring_table){ nr, file, 0, nr };
	mutex_unlock(&r->tables);
	if (err)
		free_files(file, nr);
	return err;
}

int uring_files_drop(struct uring *r)
{
	struct uring_table t;

	mutex_lock(&r->tables);
	t = r->files;
	r->files = (struct uring_table){ 0 };
	mutex_unlock(&r->tables);
	if (!t.nr)
		return -ENXIO;
	free_files(t.file, t.nr);
	return 0;
}

/* ---- single slots */

/* @f, or NULL, into @slot: what was there in *@old. */
static int set_slot(struct uring *r, u32 slot, struct file *f,
		    struct file **old)
{
	int err = 0;

	*old = NULL;
	mutex_lock(&r->tables);
	if (!r->files.nr)
		err = -ENXIO;
	else if (slot >= r->files.nr)
		err = -EINVAL;
	if (!err) {
		*old = r->files.file[slot];
		r->files.file[slot] = f;
	}
	mutex_unlock(&r->tables);
	return err;
}

static int update_one(struct uring *r, u32 slot, u64 ufd)
{
	struct file *f = NULL, *old;
	u32 fd;
	int err;

	if (get_user_u32(&fd, ufd))
		return -EFAULT;
	if ((s32)fd == FILES_SKIP)
		return 0;
	if ((s32)fd != -1) {
		f = registrable((int)fd);
		if (IS_ERR(f))
			return (int)PTR_ERR(f);
	}
	err = set_slot(r, slot, f, &old);
	if (err)
		old = f;
	if (old)
		file_put(old);
	return err;
}

/* A free slot for @f. */
static s64 take_slot(struct uring *r, struct file *f)
{
	struct uring_table *t = &r->files;
	s64 n = -ENFILE;

	mutex_lock(&r->tables);
	if (!t->nr)
		n = -ENFILE;
	for (u32 i = t->alloc_from; i < t->alloc_to && n < 0; i++) {
		if (!t->file[i]) {
			t->file[i] = f;
			n = i;
		}
	}
	mutex_unlock(&r->tables);
	return n;
}

s64 uring_slot_put(struct uring *r, struct file *f, u32 slot)
{
	struct file *old = NULL;
	s64 n;

	if (slot == FILE_INDEX_ALLOC)
		n = take_slot(r, f);
	else
		n = set_slot(r, slot - 1, f, &old);
	if (n < 0)
		file_put(f);
	if (old)
		file_put(old);
	return n;
}

int uring_slot_close(struct uring *r, u32 slot)
{
	struct file *old;
	int err = set_slot(r, slot, NULL, &old);

	if (err)
		return err;
	if (!old)
		return -EBADF;
	file_put(old);
	return 0;
}

s64 uring_install(struct uring *r, s64 fd, u32 file_index)
{
	struct file *f;

	if (!file_index)
		return fd;
	f = fd_get((int)fd);
	(void)fd_close((int)fd);
	return f ? uring_slot_put(r, f, file_index) : -EBADF;
}

/* How many slots are as the program wants them. */
s64 uring_files_update(struct uring *r, u32 at, u64 fds, u32 nr)
{
	u32 done, have;
	int err = 0;

	mutex_lock(&r->tables);
	have = r->files.nr;
	mutex_unlock(&r->tables);
	if (!have)
		return -ENXIO;
	if ((u64)at + nr > have)
		return -EINVAL;
	for (done = 0; done < nr && !err; done += !err)
		err = update_one(r, at + done, fds + done * sizeof(u32));
	return done ? (s64)done : err;
}

s64 uring_files_add(struct uring *r, u64 fds, u32 nr)
{
	u32 done;
	s64 n = 0;

	for (done = 0; done < nr; done++) {
		u64 at = fds + done * sizeof(u32);
		struct file *f;
		u32 fd;

		if (get_user_u32(&fd, at)) {
			n = -EFAULT;
			break;
		}
		f = registrable((int)fd);
		n = IS_ERR(f) ? PTR_ERR(f)
			      : uring_slot_put(r, f, FILE_INDEX_ALLOC);
		if (n >= 0 && put_user_u32((u32)n, at)) {
			(void)uring_slot_close(r, (u32)n);
			n = -EFAULT;
		}
		if (n < 0)
			break;
	}
	return done ? (s64)done : n;
}

int uring_files_range(struct uring *r, u64 arg)
{
	struct uring_index_range c;
	int err = 0;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.resv)
		return -EINVAL;
	mutex_lock(&r->tables);
	if ((u64)c.off + c.len > UINT32_MAX)
		err = -EOVERFLOW;
	else if (c.off + c.len > r->files.nr)
		err = -EINVAL;
	if (!err) {
		r->files.alloc_from = c.off;
		r->files.alloc_to = c.off + c.len;
	}
	mutex_unlock(&r->tables);
	return err;
}
