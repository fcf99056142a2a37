/* SPDX-License-Identifier: MIT */
/*
 * fs/eventfd.c - a counter that one can wait for.
 *
 * Locking: e->lock for the count; the queues' conditions are read without it and
 * checked again under it.
 */
#include <fs/event.h>

#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define COUNT_MAX (~0ull - 1)

struct eventfd {
	struct spinlock lock; /* RANK_PIPE */
	u64 count;	      /* [lock] COUNT_MAX at most by writing */
	bool semaphore;	      /* [I] reading takes one */
	u32 id;		      /* [I] for /proc */
	struct waitq rd_wq, wr_wq;
};

/* What a read gives; 0: nothing. */
static u64 take(struct eventfd *e)
{
	u64 n;

	spin_lock(&e->lock);
	n = e->semaphore ? min(e->count, (u64)1) : e->count;
	store_once(&e->count, e->count - n);
	spin_unlock(&e->lock);
	return n;
}

static s64 eventfd_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct eventfd *e = f->priv;
	u64 n;

	if (iov_iter_count(to) < sizeof(n))
		return -EINVAL;
	while (!(n = take(e))) {
		int err;

		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&e->rd_wq, load_once(&e->count));
		if (err)
			return err;
	}
	wake_up_all_key(&e->wr_wq, POLLOUT | POLLWRNORM);
	return copy_to_iter(&n, sizeof(n), to) == sizeof(n) ? (s64)sizeof(n)
							    : -EFAULT;
}

static bool fits(const struct eventfd *e, u64 n)
{
	u64 count = load_once(&e->count);

	return count <= COUNT_MAX && n <= COUNT_MAX - count;
}

static bool add(struct eventfd *e, u64 n)
{
	bool ok;

	spin_lock(&e->lock);
	ok = fits(e, n);
	if (ok)
		store_once(&e->count, e->count + n);
	spin_unlock(&e->lock);
	return ok;
}

static s64 eventfd_write(struct file *f, struct iov_iter *from,
			 u64 *pos __unused)
{
	struct eventfd *e = f->priv;
	u64 n;

	if (iov_iter_count(from) != sizeof(n))
		return -EINVAL;
	if (copy_from_iter(&n, sizeof(n), from) != sizeof(n))
		return -EFAULT;
	if (n > COUNT_MAX)
		return -EINVAL;
	while (!add(e, n)) {
		int err;

		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&e->wr_wq, fits(e, n));
		if (err)
			return err;
	}
	wake_up_all_key(&e->rd_wq, POLLIN | POLLRDNORM);
	return sizeof(n);
}

static u32 eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	u64 count;
	u32 ev = 0;

	poll_wait(pt, f, &e->rd_wq);
	poll_wait(pt, f, &e->wr_wq);
	count = load_once(&e->count);
	if (count)
		ev |= POLLIN | POLLRDNORM;
	if (count < COUNT_MAX)
		ev |= POLLOUT | POLLWRNORM;
	if (count > COUNT_MAX)
		ev |= POLLERR;
	return ev;
}

static void eventfd_release(struct file *f)
{
	kfree(f->priv);
}

static size_t eventfd_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct eventfd *e = f->priv;

	return (size_t)scnprintf(buf, n,
				 "eventfd-count: %16lx\n"
				 "eventfd-id: %u\neventfd-semaphore: %d\n",
				 load_once(&e->count), e->id, e->semaphore);
}

static const struct file_ops eventfd_fops = {
	.stands = true,
	.fdinfo = eventfd_fdinfo,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.anon_name = "anon_inode:[eventfd]",
};

bool is_eventfd(const struct file *f)
{
	return f->ops == &eventfd_fops;
}

void eventfd_signal(struct file *f, u64 key)
{
	struct eventfd *e = f->priv;

	spin_lock(&e->lock);
	if (e->count <= COUNT_MAX) /* one more than a write may make it */
		store_once(&e->count, e->count + 1);
	spin_unlock(&e->lock);
	wake_up_all_key(&e->rd_wq, POLLIN | POLLRDNORM | key);
}

struct file *eventfd_create(u64 count, bool semaphore, bool nonblock)
{
	static u32 ids; /* [a] */
	struct eventfd *e = kzalloc(sizeof(*e));
	struct file *f;

	if (!e)
		return ERR_PTR(-ENOMEM);
	spin_init(&e->lock, "eventfd", RANK_PIPE);
	waitq_init(&e->rd_wq);
	waitq_init(&e->wr_wq);
	e->count = count;
	e->id = atomic_add_return(&ids, 1) - 1;
	e->semaphore = semaphore;
	f = file_alloc(&eventfd_fops, O_RDWR | (nonblock ? O_NONBLOCK : 0), e);
	if (f)
		return f;
	kfree(e);
	return ERR_PTR(file_no_alloc());
}
