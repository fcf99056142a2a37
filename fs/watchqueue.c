/* SPDX-License-Identifier: MIT */
/*
 * fs/watchqueue.c - pipe2(O_NOTIFICATION_PIPE): a pipe that the kernel writes to.
 *
 * Its ends are files of a fifo's type; nobody but keys (kernel/keys/watch.h) puts
 * anything in.  A read gives whole notes.
 */
#include <fs/watchqueue.h>

#include <fs/anon.h>
#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/keys/watch.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>

/* linux/watch_queue.h */
#define IOC_SET_SIZE   0x5760u
#define IOC_SET_FILTER 0x5761u

static bool has_some(const struct watch_queue *q)
{
	return load_once(&q->head) != load_once(&q->tail);
}

/* -EFAULT, -ENOBUFS: there is one, and it does not fit. */
static s64 give(struct iov_iter *to, const struct watch_note *n, size_t len)
{
	if (iov_iter_count(to) < len)
		return -ENOBUFS;
	return copy_to_iter((void *)n, len, to) == len ? (s64)len : -EFAULT;
}

static s64 give_loss(struct iov_iter *to)
{
	struct watch_note n = { .type = WATCH_META,
				.subtype = WATCH_META_LOSS,
				.info = WATCH_LOSS_LEN };

	return give(to, &n, WATCH_LOSS_LEN);
}

/* One note; 0: there is none. */
static s64 read_one(struct watch_queue *q, struct iov_iter *to)
{
	u32 at = q->tail & (q->nr - 1);
	s64 r;

	if (q->lost) {
		r = give_loss(to);
		q->lost = r < 0;
		return r;
	}
	if (!has_some(q))
		return 0;
	r = give(to, &q->notes[at], sizeof(q->notes[at]));
	if (r > 0) {
		q->lost = q->lossy[at];
		store_once(&q->tail, q->tail + 1);
	}
	return r;
}

static s64 wq_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct watch_queue *q = f->priv;
	s64 done = 0, r;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		mutex_lock(&q->lock);
		while ((r = read_one(q, to)) > 0)
			done += r;
		mutex_unlock(&q->lock);
		if (done || r)
			return done ? done : r;
		if ((f->flags & O_NONBLOCK) || (to->rwf & IOV_NOWAIT))
			return -EAGAIN;
		r = wait_event_interruptible(&q->wq, has_some(q));
		if (r)
			return r;
	}
}

static s64 wq_write(struct file *f __unused, struct iov_iter *from __unused,
		    u64 *pos __unused)
{
	return -EXDEV;
}

static u32 wq_poll(struct file *f, struct poll_table *pt)
{
	struct watch_queue *q = f->priv;

	if (!f->can_read)
		return 0;
	poll_wait(pt, f, &q->wq);
	return has_some(q) ? POLLIN | POLLRDNORM : 0;
}

struct filter_head {
	u32 nr, reserved;
};

/* Those of @f, of which there are @nr, that can ever be met move to the front: how
 * many, or -EINVAL. */
static s64 check_filters(struct watch_filter *f, u32 nr)
{
	u32 kept = 0;

	for (u32 i = 0; i < nr; i++) {
		if ((f[i].info_filter & ~f[i].info_mask) ||
		    (f[i].info_mask & WATCH_INFO_LENGTH))
			return -EINVAL;
		if (f[i].type < WATCH_TYPES)
			f[kept++] = f[i];
	}
	return kept;
}

static s64 set_filter(struct watch_queue *q, uaddr_t arg)
{
	struct filter_head h;
	struct watch_filter *f;
	s64 kept = -EFAULT;

	if (!arg) {
		watch_queue_set_filter(q, NULL, 0);
		return 0;
	}
	if (copy_from_user(&h, arg, sizeof(h)))
		return -EFAULT;
	if (!h.nr || h.nr > WATCH_FILTERS_MAX || h.reserved)
		return -EINVAL;
	f = kcalloc(h.nr, sizeof(*f));
	if (!f)
		return -ENOMEM;
	if (!copy_from_user(f, arg + sizeof(h), h.nr * sizeof(*f)))
		kept = check_filters(f, h.nr);
	if (kept < 0) {
		kfree(f);
		return kept;
	}
	watch_queue_set_filter(q, f, (u32)kept);
	return 0;
}

static s64 wq_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	switch (cmd) {
	case IOC_SET_SIZE:
		return watch_queue_set_size(f->priv, (u32)arg);
	case IOC_SET_FILTER:
		return set_filter(f->priv, arg);
	default:
		return -ENOTTY;
	}
}

static void wq_release(struct file *f)
{
	struct watch_queue *q = f->priv;

	if (atomic_dec_and_test(&q->files))
		watch_queue_drop(q);
}

static const struct file_ops wq_fops = {
	.read = wq_read,
	.write = wq_write,
	.poll = wq_poll,
	.ioctl = wq_ioctl,
	.release = wq_release,
};

struct watch_queue *watch_queue_of(struct file *f)
{
	return f->ops == &wq_fops ? f->priv : NULL;
}

/* An end of @q, or NULL. */
static struct file *end_new(struct watch_queue *q, u32 flags, struct inode *i)
{
	struct file *f = file_alloc(&wq_fops, flags, q);

	if (!f)
		return NULL;
	f->inode = inode_get(i);
	atomic_inc(&q->files);
	return f;
}

int watch_pipe_create(u32 flags, struct file **reader, struct file **writer)
{
	struct watch_queue *q = kzalloc(sizeof(*q));
	struct inode *i = anon_inode_new(S_IFIFO | 0600);

	if (!q || !i) {
		kfree(q);
		if (i)
			inode_put(i);
		return -ENOMEM;
	}
	watch_queue_init(q);
	q->files = 1; /* ours */
	flags &= O_NONBLOCK;
	*reader = end_new(q, O_RDONLY | flags, i);
	*writer = *reader ? end_new(q, O_WRONLY | flags, i) : NULL;
	inode_put(i);
	if (!*writer && *reader)
		file_put(*reader);
	if (atomic_dec_and_test(&q->files))
		watch_queue_drop(q);
	return *writer ? 0 : -ENOMEM;
}
