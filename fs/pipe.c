/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe.c - pipes and fifos: bytes in, bytes out, in order.
 *
 * A ring of bytes over pages that are allocated when first written to and kept
 * until the pipe goes.  When the ring runs empty it begins again in its first page,
 * so that a pipe that is never full lives in one page: reading and writing a few
 * bytes allocates nothing.
 *
 * INVARIANTS
 *   P1  head - tail bytes are in the ring, at most nr_pages * PAGE_SIZE.
 *   P2  A write of at most PIPE_BUF bytes is put in as a whole.
 *   P3  Writers sleep while there is less room than the smaller of what they want
 *       and PIPE_BUF; whoever makes room wakes them when there is PIPE_BUF of it.
 *   P5  Packets (O_DIRECT) are parts of the ring, in order, at most one for each
 *       page; a read takes of one packet, and what is left of that is gone.
 *   P4  readers and writers count open files; the pipe lives while files > 0.
 *
 * Locking: p->lock (mutex: copies may fault).  The conditions of the wait queues are
 * read without it and checked again under it.
 *
 * Not here: sizes (pipe_size.c), tee and splice (pipe_move.c, syscall/), how a fifo is
 * found (special.c).
 */
#include <fs/pipe_int.h>

#include <fs/anon.h>
#include <fs/internal.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/bitmap.h>
#include <lib/errno.h>

#define FEW_PAGES 2u /* for who has too many */
#define FIONREAD  0x541b

/* Guards inode->fifo and the life of what it points to. */
static struct mutex fifo_lock = MUTEX_INIT(fifo_lock);

static void pipe_free(struct pipe *p)
{
	(void)pipe_charge(p, 0);
	for (u32 i = 0; i < p->nr_pages; i++) {
		if (p->pages[i])
			free_page_addr(p->pages[i]);
	}
	if (p->pages != p->def_pages)
		kfree(p->pages);
	kfree(p->packets);
	kfree(p);
}

static struct pipe *pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p));
	u32 nr = DEF_PAGES;

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->uid = current_cred()->uid;
	mutex_init(&p->lock);
	waitq_init(&p->rd_wq);
	waitq_init(&p->wr_wq);
	p->pages = p->def_pages;
	if (unlikely(load_once(&pipe_max_size) < PIPE_DEF_SIZE) &&
	    !capable(CAP_SYS_RESOURCE))
		nr = (u32)1
		     << log2_floor(load_once(&pipe_max_size) >> PAGE_SHIFT);
	if (!pipe_charge(p, nr)) {
		kfree(p);
		return ERR_PTR(-ENOMEM);
	}
	if (pipe_too_many(p, &pipe_user_pages_soft)) {
		nr = min(nr, FEW_PAGES);
		(void)pipe_charge(p, nr);
	}
	p->nr_pages = nr;
	if (pipe_too_many(p, &pipe_user_pages_hard)) {
		pipe_free(p);
		return ERR_PTR(-ENFILE);
	}
	return p;
}

/* --- the ring; p->lock held */

static void *span_alloc(struct pipe *p, u64 pos, size_t n, size_t *len)
{
	u64 at = pos - p->base;
	void **slot = &p->pages[(at >> PAGE_SHIFT) & (p->nr_pages - 1)];

	if (unlikely(!*slot))
		*slot = get_free_page(GFP_OBJECT);
	return *slot ? span(p, pos, n, len) : NULL;
}

/* What is in front of @end into @to: bytes, or -EFAULT when not one could be
 * moved. */
static s64 copy_out(struct pipe *p, struct iov_iter *to, u64 end)
{
	size_t done = 0, n, len, moved;

	while ((n = min(iov_iter_count(to), end - p->tail)) != 0) {
		void *at = span(p, p->tail, n, &len);

		moved = copy_to_iter(at, len, to);
		took(p, moved);
		done += moved;
		if (moved < len)
			break;
	}
	return done || !n ? (s64)done : -EFAULT;
}

/* At most @max bytes of @from to the end. */
static s64 copy_in(struct pipe *p, struct iov_iter *from, size_t max)
{
	size_t done = 0, len, moved;

	while (done < max) {
		void *at = span_alloc(p, p->head, max - done, &len);

		if (!at)
			return done ? (s64)done : -ENOMEM;
		moved = copy_from_iter(at, len, from);
		store_once(&p->head, p->head + moved);
		done += moved;
		if (moved < len)
			return done ? (s64)done : -EFAULT;
	}
	return (s64)done;
}

s64 pipe_copy_in(struct pipe *p, struct iov_iter *from, size_t max)
{
	return copy_in(p, from, max);
}

/* --- read and write */

/* Out of line: whoever does not wait need not save registers for it. */
__attribute__((noinline)) int pipe_wait_readable(struct pipe *p)
{
	return wait_event_interruptible(&p->rd_wq,
					used(p) || !load_once(&p->writers));
}

__attribute__((noinline)) int pipe_wait_writable(struct pipe *p, u64 want)
{
	return wait_event_interruptible(&p->wr_wq,
					(room(p) >= want && !packets_full(p)) ||
						!load_once(&p->readers));
}

/* Of the first packet, or of the bytes in front of it. */
static s64 read_packet(struct pipe *p, struct iov_iter *to)
{
	const struct packet *k = &p->packets[p->first_packet];
	s64 r;

	if (p->tail < k->start)
		return copy_out(p, to, k->start);
	r = copy_out(p, to, k->end);
	if (r < 0)
		return r;
	took(p, k->end - p->tail); /* P5 */
	p->first_packet = (p->first_packet + 1) & (p->nr_pages - 1);
	store_once(&p->nr_packets, p->nr_packets - 1);
	return r;
}

static s64 pipe_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct pipe *p = f->priv;
	s64 r;

	if (unlikely(!iov_iter_count(to)))
		return 0;
	mutex_lock(&p->lock);
	while (p->head == p->tail) {
		r = 0;
		if (!p->writers)
			goto out;
		r = -EAGAIN;
		if ((f->flags & O_NONBLOCK) || (to->rwf & IOV_NOWAIT))
			goto out;
		mutex_unlock(&p->lock);
		r = pipe_wait_readable(p);
		if (r)
			return r;
		mutex_lock(&p->lock);
	}
	r = likely(!p->nr_packets) ? copy_out(p, to, p->head)
				   : read_packet(p, to);
	mutex_unlock(&p->lock);
	if (r > 0)
		wake_writers(p);
	return r;
out:
	mutex_unlock(&p->lock);
	return r;
}

s64 pipe_broken(void)
{
	(void)signal_thread(current, SIGPIPE, SEND_KERNEL);
	return -EPIPE;
}

/* One round under the lock: bytes moved, -EAGAIN: no room. */
static s64 write_some(struct pipe *p, struct iov_iter *from, bool whole)
{
	u64 space = room(p), count = iov_iter_count(from);

	if (!p->readers)
		return -EPIPE;
	if (!space || (whole && space < count))
		return -EAGAIN;
	return copy_in(p, from, min(space, count));
}

/* The same for a file with O_DIRECT: one packet. */
static s64 write_packet(struct pipe *p, struct iov_iter *from)
{
	u64 n = min_t(u64, iov_iter_count(from), PAGE_SIZE), start = p->head;
	u32 at;
	s64 r;

	if (!p->readers)
		return -EPIPE;
	if (room(p) < n || packets_full(p))
		return -EAGAIN;
	if (!p->packets)
		p->packets = kcalloc(p->nr_pages, sizeof(*p->packets));
	if (!p->packets)
		return -ENOMEM;
	r = copy_in(p, from, n);
	if (r > 0) {
		at = (p->first_packet + p->nr_packets) & (p->nr_pages - 1);
		p->packets[at] = (struct packet){ start, p->head };
		store_once(&p->nr_packets, p->nr_packets + 1);
	}
	return r;
}

static s64 pipe_write(struct file *f, struct iov_iter *from, u64 *pos __unused)
{
	struct pipe *p = f->priv;
	bool whole = iov_iter_count(from) <= PIPE_BUF;
	s64 done = 0, r;

	while (iov_iter_count(from)) {
		mutex_lock(&p->lock);
		r = likely(!(f->flags & O_DIRECT)) ? write_some(p, from, whole)
						   : write_packet(p, from);
		mutex_unlock(&p->lock);
		if (likely(r > 0)) {
			done += r;
			wake_readers(p);
			continue;
		}
		if (r == -EAGAIN && !(f->flags & O_NONBLOCK) &&
		    !(from->rwf & IOV_NOWAIT))
			r = pipe_wait_writable(
				p, min_t(u64, iov_iter_count(from), PIPE_BUF));
		if (r == -EPIPE)
			r = pipe_broken();
		if (r)
			return done ? done : r;
	}
	return done;
}

static u32 pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	u32 ev = 0;

	if (f->can_read) {
		poll_wait(pt, f, &p->rd_wq);
		if (used(p))
			ev |= POLLIN | POLLRDNORM;
		/* A fifo opened without waiting: not before a writer came. */
		if (!load_once(&p->writers) && f->version != p->w_gen)
			ev |= POLLHUP;
	}
	if (f->can_write) {
		poll_wait(pt, f, &p->wr_wq);
		if (room(p) >= PIPE_BUF && !packets_full(p))
			ev |= POLLOUT | POLLWRNORM;
		if (!load_once(&p->readers))
			ev |= POLLERR;
	}
	return ev;
}

static s64 pipe_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct pipe *p = f->priv;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user_u32((u32)used(p), arg);
}

/* --- ends come and go */

/* Whom an end of a fifo found at the other one. */
struct others {
	u32 nr;	 /* now */
	u32 gen; /* ever */
};

/* The others as they were at that moment: once they are woken they may come and go. */
static struct others end_opened(struct pipe *p, struct file *f)
{
	struct others o;

	mutex_lock(&p->lock);
	o = f->can_read ? (struct others){ p->writers, p->w_gen }
			: (struct others){ p->readers, p->r_gen };
	if (f->can_read) {
		store_once(&p->readers, p->readers + 1);
		store_once(&p->r_gen, p->r_gen + 1);
	}
	if (f->can_write) {
		store_once(&p->writers, p->writers + 1);
		store_once(&p->w_gen, p->w_gen + 1);
	}
	mutex_unlock(&p->lock);
	wake_up_all(&p->rd_wq);
	wake_up_all(&p->wr_wq);
	return o;
}

static void end_closed(struct pipe *p, struct file *f)
{
	mutex_lock(&p->lock);
	if (f->can_read)
		store_once(&p->readers, p->readers - 1);
	if (f->can_write)
		store_once(&p->writers, p->writers - 1);
	mutex_unlock(&p->lock);
	if (f->can_write)
		wake_up_all_key(&p->rd_wq, POLLHUP | POLLIN | POLLRDNORM);
	if (f->can_read)
		wake_up_all_key(&p->wr_wq, POLLERR | POLLOUT | POLLWRNORM);
}

/* The file of @i, an anonymous pipe or a fifo, goes: drop its share of the pipe. */
static void pipe_drop(struct inode *i, struct pipe *p)
{
	bool last;

	mutex_lock(&fifo_lock);
	last = --p->files == 0;
	if (last)
		i->fifo = NULL;
	mutex_unlock(&fifo_lock);
	if (last)
		pipe_free(p);
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;

	end_closed(p, f);
	pipe_drop(f->inode, p);
}

static const struct file_ops pipe_fops = {
	.sigio = true,
	.nowait = true,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

struct pipe *pipe_of(struct file *f)
{
	return f->ops == &pipe_fops ? f->priv : NULL;
}

/* --- pipe2(2) */

int pipe_create(u32 flags, struct file **reader, struct file **writer)
{
	struct pipe *p = pipe_alloc();
	struct inode *i;
	struct file *r, *w;

	if (IS_ERR(p))
		return (int)PTR_ERR(p);
	i = anon_inode_new(S_IFIFO | 0600);
	flags &= O_NONBLOCK | O_DIRECT;
	r = file_alloc(&pipe_fops, O_RDONLY | flags, p);
	w = file_alloc(&pipe_fops, O_WRONLY | flags, p);
	if (!i || !r || !w)
		goto fail;
	i->fifo = p;
	r->inode = i;
	w->inode = inode_get(i);
	p->files = 2;
	p->anon = true;
	p->readers = p->writers = 1;
	p->r_gen = p->w_gen = 1;
	*reader = r;
	*writer = w;
	return 0;
fail:
	if (r) {
		r->ops = NULL;
		file_put(r);
	}
	if (w) {
		w->ops = NULL;
		file_put(w);
	}
	if (i)
		inode_put(i);
	pipe_free(p);
	return file_no_alloc();
}

/* --- fifos */

static struct pipe *fifo_get(struct inode *i)
{
	struct pipe *p;

	mutex_lock(&fifo_lock);
	p = i->fifo;
	if (!p) {
		p = pipe_alloc();
		if (!IS_ERR(p))
			i->fifo = p;
	}
	if (!IS_ERR(p))
		p->files++;
	mutex_unlock(&fifo_lock);
	return p;
}

/* Wait for the other end, as open(2) of a fifo does. */
static int fifo_wait(struct pipe *p, struct file *f, struct others o)
{
	if (p->anon || (f->can_read && f->can_write) || o.nr)
		return 0;
	if (f->can_read && (f->flags & O_NONBLOCK)) {
		f->version = o.gen;
		return 0;
	}
	if (f->can_read)
		return wait_event_interruptible(&p->rd_wq,
						load_once(&p->w_gen) != o.gen);
	return wait_event_interruptible(&p->wr_wq,
					load_once(&p->r_gen) != o.gen);
}

int fifo_open(struct inode *i, struct file *f)
{
	struct pipe *p = fifo_get(i);
	struct others o;
	int err = 0;

	if (IS_ERR(p))
		return (int)PTR_ERR(p);
	if (f->can_write && !f->can_read && (f->flags & O_NONBLOCK) &&
	    !p->anon && !load_once(&p->readers)) {
		pipe_drop(i, p);
		return -ENXIO;
	}
	f->ops = &pipe_fops;
	f->priv = p;
	f->version = ~0ull;
	o = end_opened(p, f);
	err = fifo_wait(p, f, o);
	if (err) {
		end_closed(p, f);
		pipe_drop(i, p);
		f->priv = NULL;
	}
	return err;
}
