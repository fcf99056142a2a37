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
 * Not here: tee and vmsplice (syscall/pipe.c), how a fifo is found (special.c).
 */
#include <fs/pipe.h>

#include <fs/anon.h>
#include <fs/internal.h>
#include <kernel/assert.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/user_use.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define DEF_PAGES (PIPE_DEF_SIZE / PAGE_SIZE)
#define FEW_PAGES 2u /* for who has too many */
#define MAX_SIZE  (256ul << 20)
#define FIONREAD  0x541b

u64 pipe_max_size = PIPE_MAX_SIZE;

struct packet {
	u64 start, end; /* positions */
};

struct pipe {
	struct mutex lock;
	u64 head, tail; /* [lock] bytes ever written, read; see P1 */
	u64 base;	/* [lock] position that is at the first page's start */
	u32 nr_pages;	/* [lock] power of two */
	void **pages;	/* [lock] NULL: not allocated yet */
	struct packet
		*packets; /* [lock] P5, a ring of nr_pages; NULL: none yet */
	u32 first_packet; /* [lock] */
	u32 nr_packets;	  /* [lock] */
	u32 readers, writers; /* [lock] open files that can read, write */
	u32 r_gen, w_gen;     /* [lock] readers and writers ever */
	u32 files;	      /* [fifo_lock] */
	u32 uid;	      /* [I] whose account has ... */
	u32 charged;	      /* [lock] pages: nr_pages */
	bool anon; /* [I] made by pipe2(): opening it waits for nobody */
	struct waitq rd_wq; /* wait for data or the last writer's end */
	struct waitq wr_wq; /* wait for room or the last reader's end */
	void *def_pages[DEF_PAGES];
};

/* Guards inode->fifo and the life of what it points to. */
static struct mutex fifo_lock = MUTEX_INIT(fifo_lock);

u64 pipe_user_pages_soft = 16384; /* [a] for those without privileges */
u64 pipe_user_pages_hard;	  /* [a] 0: none */

static bool privileged(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

/* Put @nr pages on the account of @p's user in place of what is there. */
static bool charge(struct pipe *p, u32 nr)
{
	if (nr > p->charged &&
	    !user_charge(p->uid, USER_PIPES, nr - p->charged, ~0ull))
		return false;
	if (nr < p->charged)
		user_uncharge(p->uid, USER_PIPES, p->charged - nr);
	p->charged = nr;
	return true;
}

/* Has @p's user, who is nobody special, more than @limit (0: none) in pipes? */
static bool too_many(const struct pipe *p, const u64 *limit)
{
	u64 max = load_once(limit);

	return max && !privileged() && user_used(p->uid, USER_PIPES) > max;
}

static void pipe_free(struct pipe *p)
{
	(void)charge(p, 0);
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
	if (!charge(p, nr)) {
		kfree(p);
		return ERR_PTR(-ENOMEM);
	}
	if (too_many(p, &pipe_user_pages_soft)) {
		nr = min(nr, FEW_PAGES);
		(void)charge(p, nr);
	}
	p->nr_pages = nr;
	if (too_many(p, &pipe_user_pages_hard)) {
		pipe_free(p);
		return ERR_PTR(-ENFILE);
	}
	return p;
}

static inline u64 capacity(const struct pipe *p)
{
	return (u64)load_once(&p->nr_pages) * PAGE_SIZE;
}

static inline u64 used(const struct pipe *p)
{
	u64 tail = load_once(&p->tail);

	/* relaxed: a racy answer is checked again under the lock */
	return load_once(&p->head) - tail;
}

static inline u64 room(const struct pipe *p)
{
	return capacity(p) - used(p);
}

static inline bool packets_full(const struct pipe *p)
{
	return load_once(&p->nr_packets) >= load_once(&p->nr_pages);
}

/* --- the ring; p->lock held */

/* Contiguous bytes at ring position @pos, at most @n; NULL: no page there. */
static void *span(const struct pipe *p, u64 pos, size_t n, size_t *len)
{
	u64 at = pos - p->base;
	size_t off = at & (PAGE_SIZE - 1);
	void *page = p->pages[(at >> PAGE_SHIFT) & (p->nr_pages - 1)];

	*len = min(n, PAGE_SIZE - off);
	return page ? (char *)page + off : NULL;
}

static void *span_alloc(struct pipe *p, u64 pos, size_t n, size_t *len)
{
	u64 at = pos - p->base;
	void **slot = &p->pages[(at >> PAGE_SHIFT) & (p->nr_pages - 1)];

	if (unlikely(!*slot))
		*slot = get_free_page(GFP_OBJECT);
	return *slot ? span(p, pos, n, len) : NULL;
}

/* Bytes [0, n) of the pipe were taken. */
static inline void took(struct pipe *p, size_t n)
{
	store_once(&p->tail, p->tail + n);
	if (p->tail == p->head)
		p->base = p->head;
}

/* These two after mutex_unlock(), whose exchange is WAKE's fence: the ring, then
 * the queue. */
static inline void wake_readers(struct pipe *p)
{
	if (!list_empty(&p->rd_wq.list))
		wake_up_all_key(&p->rd_wq, POLLIN | POLLRDNORM);
}

static inline void wake_writers(struct pipe *p)
{
	if (!list_empty(&p->wr_wq.list) && room(p) >= PIPE_BUF) /* P3 */
		wake_up_all_key(&p->wr_wq, POLLOUT | POLLWRNORM);
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

/* --- read and write */

/* Out of line: whoever does not wait need not save registers for it. */
static __attribute__((noinline)) int wait_readable(struct pipe *p)
{
	return wait_event_interruptible(&p->rd_wq,
					used(p) || !load_once(&p->writers));
}

static __attribute__((noinline)) int wait_writable(struct pipe *p, u64 want)
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
		r = wait_readable(p);
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

static s64 broken_pipe(void)
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
			r = wait_writable(p, min_t(u64, iov_iter_count(from),
						   PIPE_BUF));
		if (r == -EPIPE)
			r = broken_pipe();
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

/* --- size */

s64 pipe_get_size(struct file *f)
{
	struct pipe *p = pipe_of(f);

	return p ? (s64)capacity(p) : -EBADF;
}

/* Move the pages into @slots, the front first; the lock is held. */
static void change_slots(struct pipe *p, void **slots, u32 nr)
{
	u64 first = (p->tail - p->base) >> PAGE_SHIFT, kept;
	u64 off = (p->tail - p->base) & (PAGE_SIZE - 1);

	for (kept = 0; kept < p->nr_pages; kept++) {
		void **slot = &p->pages[(first + kept) & (p->nr_pages - 1)];

		if (kept < nr)
			slots[kept] = *slot;
		else if (*slot)
			free_page_addr(*slot);
	}
	if (p->pages != p->def_pages)
		kfree(p->pages);
	p->pages = slots;
	kfree(p->packets); /* there are none */
	p->packets = NULL;
	p->first_packet = 0;
	store_once(&p->nr_pages, nr);
	p->base = p->tail - off;
}

s64 pipe_set_size(struct file *f, u64 bytes)
{
	struct pipe *p = pipe_of(f);
	void **slots;
	s64 err = 0;
	u64 nr;
	u32 old;

	if (!p)
		return -EBADF;
	if (bytes > 1ul << 31)
		return -EINVAL;
	if (bytes > MAX_SIZE)
		return -ENOMEM;
	nr = DIV_ROUND_UP(max(bytes, PAGE_SIZE), PAGE_SIZE);
	if (nr & (nr - 1))
		nr = 1ull << (log2_floor(nr) + 1);
	if (nr * PAGE_SIZE > load_once(&pipe_max_size) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	slots = kcalloc(nr, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	mutex_lock(&p->lock);
	old = p->charged;
	/* Data that begins in the middle of a page may need one page more. */
	if (((p->tail - p->base) & (PAGE_SIZE - 1)) + used(p) >
		    nr * PAGE_SIZE ||
	    p->nr_packets)
		err = -EBUSY;
	else if (!charge(p, (u32)nr))
		err = -ENOMEM;
	else if (nr > old && (too_many(p, &pipe_user_pages_soft) ||
			      too_many(p, &pipe_user_pages_hard)))
		err = -EPERM;
	else
		change_slots(p, slots, (u32)nr);
	if (err)
		(void)charge(p, old);
	mutex_unlock(&p->lock);
	if (err) {
		kfree(slots);
		return err;
	}
	wake_writers(p);
	return (s64)(nr * PAGE_SIZE);
}

/* --- for tee */

s64 pipe_wait_room(struct pipe *p, bool nonblock)
{
	int err;

	for (;;) {
		if (!load_once(&p->readers))
			return broken_pipe();
		if (room(p))
			return (s64)room(p);
		if (nonblock)
			return -EAGAIN;
		err = wait_writable(p, 1);
		if (err)
			return err;
	}
}

s64 pipe_wait_data(struct pipe *p, bool nonblock)
{
	int err;

	for (;;) {
		if (used(p))
			return (s64)used(p);
		if (!load_once(&p->writers))
			return 0;
		if (nonblock)
			return -EAGAIN;
		err = wait_readable(p);
		if (err)
			return err;
	}
}

size_t pipe_push(struct pipe *p, const void *data, size_t n)
{
	struct iov_iter it;
	s64 r = 0;

	iov_iter_kernel(&it, (void *)(uintptr_t)data, n);
	mutex_lock(&p->lock);
	n = min(n, room(p));
	if (n && p->readers)
		r = copy_in(p, &it, n);
	mutex_unlock(&p->lock);
	if (r > 0)
		wake_readers(p);
	return r > 0 ? (size_t)r : 0;
}

/* Bytes from @off behind the front, at most @n; the lock is held. */
static size_t peek(const struct pipe *p, size_t off, void *buf, size_t n)
{
	size_t done = 0, len;

	while (done < n && off + done < p->head - p->tail) {
		const void *at =
			span(p, p->tail + off + done,
			     min(n - done, p->head - p->tail - off - done),
			     &len);

		memcpy((char *)buf + done, at, len);
		done += len;
	}
	return done;
}

size_t pipe_peek(struct pipe *p, size_t off, void *buf, size_t n)
{
	size_t done;

	mutex_lock(&p->lock);
	done = peek(p, off, buf, n);
	mutex_unlock(&p->lock);
	return done;
}

/* Behind what is taken in one piece: the first packet, or the bytes in front of it. */
static u64 piece_end(const struct pipe *p)
{
	const struct packet *k = &p->packets[p->first_packet];

	if (likely(!p->nr_packets))
		return p->head;
	return p->tail < k->start ? k->start : k->end;
}

/* The same for @n bytes of that piece, which may be a part of a packet. */
static void took_piece(struct pipe *p, size_t n)
{
	bool packet =
		p->nr_packets && p->tail + n == p->packets[p->first_packet].end;

	took(p, n);
	if (!packet)
		return;
	p->first_packet = (p->first_packet + 1) & (p->nr_pages - 1);
	store_once(&p->nr_packets, p->nr_packets - 1);
}

s64 pipe_give(struct pipe *p, void *buf, size_t n, pipe_put_fn *put, void *arg)
{
	s64 r = 0;

	mutex_lock(&p->lock);
	n = peek(p, 0, buf, min_t(u64, n, piece_end(p) - p->tail));
	if (n)
		r = put(arg, buf, n);
	if (r > 0)
		took_piece(p, (size_t)r);
	mutex_unlock(&p->lock);
	if (r > 0)
		wake_writers(p);
	return r;
}

s64 pipe_move(struct pipe *in, struct pipe *out, size_t n)
{
	struct pipe *first = in < out ? in : out;
	struct pipe *second = in < out ? out : in;
	struct iov_iter it;
	s64 r = 0;
	size_t len;
	void *at;

	mutex_lock(&first->lock);
	mutex_lock(&second->lock);
	n = min_t(u64, n, min(piece_end(in) - in->tail, room(out)));
	if (n && out->readers) {
		at = span(in, in->tail, n, &len);
		iov_iter_kernel(&it, at, len);
		r = copy_in(out, &it, len);
	}
	if (r > 0)
		took_piece(in, (size_t)r);
	mutex_unlock(&second->lock);
	mutex_unlock(&first->lock);
	if (r > 0) {
		wake_readers(out);
		wake_writers(in);
	}
	return r;
}
