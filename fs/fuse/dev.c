/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/dev.c - /dev/fuse: a daemon reads requests and writes answers.
 *
 * One read takes one request, whole.  First those that interrupt others, then by
 * turns names to be forgotten, many at once, and requests in their order.
 *
 * ORDERING
 *   FUSEDEV  the connection, then dev->fc; a reader takes the pointer, then what it
 *            leads to.
 *
 * Locking: conn->lock; nothing is copied under it.
 */
#include <fs/fuse/fuse.h>

#include <kernel/dev/dev.h>
#include <kernel/file/iov.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/string.h>

#define FUSE_DEV_IOC_CLONE 0x8004e500u /* _IOR(229, 0, u32) */
#define FORGETS_MAX	   48u

static struct fuse_conn *conn_of(const struct fuse_dev *d)
{
	/* FUSEDEV (acquire) - pairs with fuse_dev_join(). */
	return load_acquire(&d->fc);
}

int fuse_dev_join(struct fuse_dev *d, struct fuse_conn *fc)
{
	int err = 0;

	fuse_conn_get(fc);
	spin_lock(&fc->lock);
	/* FUSEDEV (full) - pairs with conn_of(). */
	if (atomic_cmpxchg(&d->fc, NULL, fc))
		err = -EINVAL;
	else
		list_add_tail(&d->node, &fc->devs);
	spin_unlock(&fc->lock);
	if (err)
		fuse_conn_put(fc);
	return err;
}

/* --- reading */

static bool has_work(struct fuse_conn *fc)
{
	return !list_empty(&fc->pending) || !list_empty(&fc->interrupts) ||
	       !list_empty(&fc->forgets);
}

static bool ready_to_read(struct fuse_conn *fc)
{
	bool yes;

	spin_lock(&fc->lock);
	yes = !fc->connected || has_work(fc);
	spin_unlock(&fc->lock);
	return yes;
}

static s64 put_bytes(const void *p, u32 n, struct iov_iter *to)
{
	return copy_to_iter(p, n, to) == n ? (s64)n : -EFAULT;
}

/* conn->lock is held, and given up. */
static s64 read_interrupt(struct fuse_conn *fc, struct iov_iter *to)
{
	struct fuse_req *r =
		list_first_entry(&fc->interrupts, struct fuse_req, intr);
	struct {
		struct fuse_in_header h;
		struct fuse_interrupt_in in;
	} m = { .h = { .len = sizeof(m), .opcode = FUSE_INTERRUPT } };

	list_del(&r->intr);
	m.in.unique = req_header(r)->unique;
	m.h.unique = m.in.unique | FUSE_INT_BIT;
	spin_unlock(&fc->lock);
	return put_bytes(&m, sizeof(m), to);
}

/* Likewise. */
static s64 read_forgets(struct fuse_conn *fc, struct iov_iter *to)
{
	size_t fixed = sizeof(struct fuse_in_header) +
		       sizeof(struct fuse_batch_forget_in);
	u32 room = (u32)((iov_iter_count(to) - fixed) /
			 sizeof(struct fuse_forget_one));
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct {
		struct fuse_in_header h;
		struct fuse_batch_forget_in b;
		struct fuse_forget_one one[FORGETS_MAX];
	} m = { .h = { .opcode = FUSE_BATCH_FORGET } };
	struct fuse_forget *g;
	u32 n = 0;

	room = min(room, min(fc->nr_forgets, FORGETS_MAX));
	if (fc->minor < 16 || room == 1)
		room = 1;
	while (n < room) {
		g = list_first_entry(&fc->forgets, struct fuse_forget, node);
		list_move(&g->node, &taken);
		m.one[n++] = g->one;
	}
	fc->nr_forgets -= n;
	m.h.unique = fc->next_unique;
	fc->next_unique += 2;
	spin_unlock(&fc->lock);
	while (!list_empty(&taken)) {
		g = list_first_entry(&taken, struct fuse_forget, node);
		list_del(&g->node);
		kfree(g);
	}
	if (n == 1) { /* the old form */
		m.h.opcode = FUSE_FORGET;
		m.h.nodeid = m.one[0].nodeid;
		memcpy(&m.b, &m.one[0].nlookup, sizeof(u64));
		m.h.len = sizeof(m.h) + sizeof(u64);
	} else {
		m.b.count = n;
		m.h.len = (u32)(fixed + n * sizeof(m.one[0]));
	}
	return put_bytes(&m, m.h.len, to);
}

/* @r was copied to the daemon: it waits for the answer, if there is to be one. */
static void read_done(struct fuse_dev *d, struct fuse_req *r)
{
	struct fuse_conn *fc = r->fc;
	bool over, tell = false;

	spin_lock(&fc->lock);
	over = r->no_reply || !fc->connected;
	if (!over) {
		r->state = REQ_SENT;
		list_add_tail(&r->node, &d->sent);
		tell = r->interrupted && !fc->no_interrupt;
		if (tell)
			list_add_tail(&r->intr, &fc->interrupts);
	}
	spin_unlock(&fc->lock);
	if (over)
		fuse_req_end(r, r->no_reply ? 0 : -ECONNABORTED);
	else if (tell)
		wake_up_all_key(&fc->wq, POLLIN | POLLRDNORM);
}

/* conn->lock is held, and given up.  0: the request did not fit. */
static s64 read_request(struct fuse_dev *d, struct fuse_conn *fc,
			struct iov_iter *to)
{
	struct fuse_req *r =
		list_first_entry(&fc->pending, struct fuse_req, node);
	u32 len = req_header(r)->len;

	list_del(&r->node);
	r->state = REQ_COPYING;
	spin_unlock(&fc->lock);
	if (len > iov_iter_count(to)) {
		fuse_req_end(r, req_header(r)->opcode == FUSE_SETXATTR ? -E2BIG
								       : -EIO);
		return 0;
	}
	if (copy_to_iter(r->in, len, to) != len) {
		fuse_req_end(r, -EIO);
		return -EFAULT;
	}
	read_done(d, r);
	return (s64)len;
}

static s64 read_one(struct fuse_dev *d, struct fuse_conn *fc,
		    struct iov_iter *to)
{
	spin_lock(&fc->lock);
	if (!fc->connected) {
		spin_unlock(&fc->lock);
		return fc->was_aborted && fc->abort_error ? -ECONNABORTED
							  : -ENODEV;
	}
	if (!list_empty(&fc->interrupts))
		return read_interrupt(fc, to);
	if (!list_empty(&fc->forgets) &&
	    (list_empty(&fc->pending) || fc->nr_forgets > FORGETS_MAX))
		return read_forgets(fc, to);
	if (!list_empty(&fc->pending))
		return read_request(d, fc, to);
	spin_unlock(&fc->lock);
	return 0;
}

static size_t least_buffer(const struct fuse_conn *fc)
{
	return max_t(size_t, FUSE_MIN_BUFFER,
		     sizeof(struct fuse_in_header) +
			     sizeof(struct fuse_write_in) +
			     load_once(&fc->max_write));
}

static s64 dev_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct fuse_dev *d = f->priv;
	struct fuse_conn *fc = conn_of(d);
	bool nowait = (f->flags & O_NONBLOCK) || (to->rwf & IOV_NOWAIT);
	s64 n;

	if (!fc)
		return -EPERM;
	if (iov_iter_count(to) < least_buffer(fc))
		return -EINVAL;
	for (;;) {
		n = read_one(d, fc, to);
		if (n)
			return n;
		if (ready_to_read(fc))
			continue;
		if (nowait)
			return -EAGAIN;
		n = wait_event_interruptible(&fc->wq, ready_to_read(fc));
		if (n)
			return n;
	}
}

/* --- writing */

/* The request with this number, which is ours to end, or NULL; @keep: it stays
 * where it is, and we have a reference. */
static struct fuse_req *take_sent(struct fuse_dev *d, struct fuse_conn *fc,
				  u64 unique, bool keep)
{
	struct fuse_req *r, *found = NULL;

	spin_lock(&fc->lock);
	list_for_each_entry(r, &d->sent, node) {
		if (req_header(r)->unique != unique)
			continue;
		found = r;
		break;
	}
	if (found && keep) {
		atomic_inc(&found->refs);
	} else if (found) {
		list_del(&found->node);
		list_del(&found->intr);
		found->state = REQ_COPYING;
	}
	spin_unlock(&fc->lock);
	return found;
}

/* What it says of an interrupt: it knows none, or has not met the request yet. */
static int interrupt_answered(struct fuse_dev *d, struct fuse_conn *fc,
			      const struct fuse_out_header *h)
{
	struct fuse_req *r =
		take_sent(d, fc, h->unique & ~(u64)FUSE_INT_BIT, true);
	bool tell = false;

	if (!r)
		return -ENOENT;
	if (h->len != sizeof(*h)) {
		fuse_req_put(r);
		return -EINVAL;
	}
	if (h->error == -ENOSYS)
		store_once(&fc->no_interrupt, true);
	spin_lock(&fc->lock);
	tell = h->error == -EAGAIN && r->state == REQ_SENT &&
	       !list_is_linked(&r->intr);
	if (tell)
		list_add_tail(&r->intr, &fc->interrupts);
	spin_unlock(&fc->lock);
	if (tell)
		wake_up_all_key(&fc->wq, POLLIN | POLLRDNORM);
	fuse_req_put(r);
	return 0;
}

/* The body of an answer: 0, or what the daemon hears. */
static int take_answer(struct fuse_req *r, const struct fuse_out_header *h,
		       struct iov_iter *from)
{
	u32 n = h->len - (u32)sizeof(*h);

	if (h->error)
		return n ? -EINVAL : 0;
	if (n > r->out_size || (n < r->out_size && !r->short_ok))
		return -EINVAL;
	if (n && copy_from_iter(r->out, n, from) != n)
		return -EFAULT;
	r->out_len = n;
	return 0;
}

/* Nobody waits for what @r has brought: the daemon gets it back. */
static void give_back(struct fuse_req *r)
{
	const struct fuse_entry_out *e = (void *)r->out;
	const struct fuse_open_out *o = (void *)r->out;
	bool dir = false;
	struct fuse_file *ff;
	u64 nodeid = req_header(r)->nodeid;

	switch (req_header(r)->opcode) {
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		o = (const void *)(e + 1);
		nodeid = e->nodeid;
		break;
	case FUSE_LOOKUP:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_LINK:
		fuse_forget(r->fc, e->nodeid, e->nodeid != 0);
		return;
	case FUSE_OPENDIR:
		dir = true;
		break;
	case FUSE_OPEN:
		break;
	default:
		return;
	}
	ff = fuse_file_new(r->fc, nodeid, O_RDONLY, dir);
	if (ff) {
		ff->fh = o->fh;
		fuse_file_put(ff);
	}
	if ((const void *)o != (const void *)e)
		fuse_forget(r->fc, nodeid, 1);
}

static s64 answered(struct fuse_dev *d, struct fuse_conn *fc,
		    const struct fuse_out_header *h, struct iov_iter *from)
{
	struct fuse_req *r;
	bool left;
	int err;

	if (h->error > 0 || h->error <= -512)
		return -EINVAL;
	if (h->unique & FUSE_INT_BIT) {
		err = interrupt_answered(d, fc, h);
		return err ? err : (s64)h->len;
	}
	r = take_sent(d, fc, h->unique, false);
	if (!r)
		return -ENOENT;
	err = take_answer(r, h, from);
	spin_lock(&fc->lock);
	left = r->left;
	spin_unlock(&fc->lock);
	if (left && !err && !h->error && r->out_len)
		give_back(r);
	fuse_req_end(r, err ? -EIO : h->error);
	return err ? err : (s64)h->len;
}

static s64 dev_write(struct file *f, struct iov_iter *from, u64 *pos __unused)
{
	struct fuse_dev *d = f->priv;
	struct fuse_conn *fc = conn_of(d);
	size_t n = iov_iter_count(from);
	struct fuse_out_header h;
	int err;

	if (!fc)
		return -EPERM;
	if (n < sizeof(h))
		return -EINVAL;
	if (copy_from_iter(&h, sizeof(h), from) != sizeof(h))
		return -EFAULT;
	if (h.len != n)
		return -EINVAL;
	if (h.unique)
		return answered(d, fc, &h, from);
	err = fuse_notified(fc, h.error, h.len - (u32)sizeof(h), from);
	return err ? err : (s64)n;
}

/* --- the rest */

static u32 dev_poll(struct file *f, struct poll_table *pt)
{
	struct fuse_conn *fc = conn_of(f->priv);
	u32 bits = POLLOUT | POLLWRNORM;

	if (!fc)
		return POLLERR;
	poll_wait(pt, f, &fc->wq);
	spin_lock(&fc->lock);
	if (!fc->connected)
		bits = POLLERR;
	else if (has_work(fc))
		bits |= POLLIN | POLLRDNORM;
	spin_unlock(&fc->lock);
	return bits;
}

/* One more way to read and write for the connection of @fd. */
static s64 clone_conn(struct fuse_dev *d, int fd)
{
	struct fdref r = fd_ref(fd);
	struct fuse_conn *fc = NULL;
	s64 err = -EINVAL;

	if (!r.f)
		return -EINVAL;
	if (r.f->ops == &fuse_dev_fops &&
	    r.f->cred->user_ns == current->cred->user_ns)
		fc = conn_of(r.f->priv);
	if (fc)
		err = fuse_dev_join(d, fc);
	fd_unref(r);
	return err;
}

static s64 dev_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	u32 fd;

	if (cmd != FUSE_DEV_IOC_CLONE)
		return -ENOTTY;
	if (get_user_u32(&fd, arg))
		return -EFAULT;
	return clone_conn(f->priv, (int)fd);
}

static int dev_open(struct chrdev *cd __unused, struct file *f)
{
	struct fuse_dev *d = kzalloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	list_init(&d->node);
	list_init(&d->sent);
	f->priv = d;
	return 0;
}

static void dev_release(struct file *f)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	struct fuse_dev *d = f->priv;
	struct fuse_conn *fc = conn_of(d);
	struct fuse_req *r;
	bool last;

	if (fc) {
		spin_lock(&fc->lock);
		list_del(&d->node);
		last = list_empty(&fc->devs);
		list_splice_tail_init(&d->sent, &doomed);
		list_for_each_entry(r, &doomed, node) {
			r->state = REQ_COPYING;
			list_del(&r->intr);
		}
		spin_unlock(&fc->lock);
		while (!list_empty(&doomed)) {
			r = list_first_entry(&doomed, struct fuse_req, node);
			list_del(&r->node);
			fuse_req_end(r, -ECONNABORTED);
		}
		if (last)
			fuse_abort(fc, false);
		fuse_conn_put(fc);
	}
	kfree(d);
}

const struct file_ops fuse_dev_fops = {
	.read = dev_read,
	.write = dev_write,
	.poll = dev_poll,
	.ioctl = dev_ioctl,
	.release = dev_release,
	.nowait = true,
	.messages = true,
};

static struct chrdev fuse_chrdev = {
	.name = "fuse",
	.dev = MKDEV(10, 229),
	.mode = 0666,
	.fops = &fuse_dev_fops,
	.open = dev_open,
	.sys_class = "misc",
};

static int fuse_dev_init(void)
{
	return chrdev_register(&fuse_chrdev);
}
INITCALL(INIT_DRIVER, fuse_dev_init);
