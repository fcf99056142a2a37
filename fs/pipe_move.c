/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe_move.c - bytes of pipes for others than read and write: tee, splice.
 *
 * Bytes are written to a file from the pages in which they lie, and pages that were read
 * into are put into the ring instead of what is in their place there, if the ring ends
 * at the edge of a page (an empty one begins again at one).
 *
 * INVARIANTS
 *   M1  A page in the ring belongs to its pipe alone: no page of a file, of a socket or of a
 *       program is ever put there, so who writes to a pipe may fill the last page
 *       up, and what lies in a pipe changes under nobody's hands.
 *   M2  A page is taken out of the ring or put into it only when no byte is in it.
 *
 * Context: coroutine.  Locking: p->lock; of two pipes, in the order of their addresses.
 */
#include <fs/pipe_int.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

s64 pipe_wait_room(struct pipe *p, bool nonblock)
{
	int err;

	for (;;) {
		if (!load_once(&p->readers))
			return pipe_broken();
		if (room(p))
			return (s64)room(p);
		if (nonblock)
			return -EAGAIN;
		err = pipe_wait_writable(p, 1);
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
		err = pipe_wait_readable(p);
		if (err)
			return err;
	}
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

/* Where @n bytes from the front lie, in @iov: how many pieces. */
static u32 pieces_of(const struct pipe *p, size_t n, struct iovec_user *iov)
{
	size_t done = 0, len;
	u32 nr = 0;

	for (; done < n; done += len, nr++) {
		iov[nr].base = (uaddr_t)span(p, p->tail + done, n - done, &len);
		iov[nr].len = len;
	}
	return nr;
}

/* The lock is held. */
static s64 give(struct pipe *p, size_t n, pipe_put_fn *put, void *arg)
{
	struct iovec_user *iov;
	struct iov_iter it;
	s64 r;

	n = min_t(u64, n, piece_end(p) - p->tail);
	if (!n)
		return 0;
	iov = kcalloc(n / PAGE_SIZE + 2, sizeof(*iov));
	if (!iov)
		return -ENOMEM;
	iov_iter_pieces(&it, iov, pieces_of(p, n, iov), n);
	r = put(arg, &it);
	if (r > 0)
		took_piece(p, (size_t)r);
	kfree(iov);
	return r;
}

s64 pipe_give(struct pipe *p, size_t n, pipe_put_fn *put, void *arg)
{
	s64 r;

	mutex_lock(&p->lock);
	r = give(p, n, put, arg);
	mutex_unlock(&p->lock);
	if (r > 0)
		wake_writers(p);
	return r;
}

/* --- from pipe to pipe; both locks held */

static void lock_both(struct pipe *a, struct pipe *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct pipe *a, struct pipe *b)
{
	mutex_unlock(a < b ? &b->lock : &a->lock);
	mutex_unlock(a < b ? &a->lock : &b->lock);
}

static void **slot(struct pipe *p, u64 pos)
{
	return &p->pages[((pos - p->base) >> PAGE_SHIFT) & (p->nr_pages - 1)];
}

static bool at_edge(const struct pipe *p, u64 pos)
{
	return IS_ALIGNED(pos - p->base, PAGE_SIZE);
}

/* The page at the front of @in goes to the end of @out, if it is a whole one, and the one
 * without bytes that lies there to @in (M2). */
static bool swap_page(struct pipe *in, struct pipe *out, size_t n)
{
	void **from = slot(in, in->tail), **to = slot(out, out->head);
	void *page = *from;

	if (n < PAGE_SIZE || !at_edge(in, in->tail) || !at_edge(out, out->head))
		return false;
	*from = *to;
	*to = page;
	store_once(&out->head, out->head + PAGE_SIZE);
	return true;
}

/* Some of @n bytes from @off behind the front to the end of @out, where there is room. */
static s64 copy_some(struct pipe *in, u64 off, struct pipe *out, size_t n)
{
	struct iov_iter it;
	size_t len;
	void *at = span(in, in->tail + off, n, &len);

	iov_iter_kernel(&it, at, len);
	return pipe_copy_in(out, &it, len);
}

s64 pipe_tee(struct pipe *in, struct pipe *out, size_t n)
{
	size_t done = 0;
	s64 r = 0;

	lock_both(in, out);
	n = out->readers ? min_t(u64, n, min(used(in), room(out))) : 0;
	while (done < n) {
		r = copy_some(in, done, out, n - done);
		if (r <= 0)
			break;
		done += (size_t)r;
	}
	unlock_both(in, out);
	if (done)
		wake_readers(out);
	return done ? (s64)done : r;
}

s64 pipe_move(struct pipe *in, struct pipe *out, size_t n)
{
	size_t done = 0;
	s64 r = 0;

	lock_both(in, out);
	n = out->readers
		    ? min_t(u64, n, min(piece_end(in) - in->tail, room(out)))
		    : 0;
	while (done < n) {
		r = swap_page(in, out, n - done)
			    ? (s64)PAGE_SIZE
			    : copy_some(in, 0, out, n - done);
		if (r <= 0)
			break;
		took_piece(in, (size_t)r);
		done += (size_t)r;
	}
	unlock_both(in, out);
	if (done) {
		wake_readers(out);
		wake_writers(in);
	}
	return done ? (s64)done : r;
}

/* --- pages that are lent; the lock is held */

/* The place of the @i-th page behind the last one with bytes; NULL: there are bytes. */
static void **free_slot(struct pipe *p, u32 i)
{
	u64 at = ALIGN_UP(p->head - p->base, PAGE_SIZE) + (u64)i * PAGE_SIZE;
	u64 first = ALIGN_DOWN(p->tail - p->base, PAGE_SIZE);

	return at + PAGE_SIZE - first > capacity(p) ? NULL
						    : slot(p, p->base + at);
}

static void *lend_page(struct pipe *p, u32 i)
{
	void **at = free_slot(p, i), *page = at ? *at : NULL;

	if (!page)
		return get_free_page(GFP_OBJECT);
	*at = NULL;
	return page;
}

s64 pipe_lend(struct pipe *p, struct pipe_loan *l, size_t n)
{
	u32 want = (u32)min_t(u64, PIPE_LOAN_MAX,
			      (n + PAGE_SIZE - 1) >> PAGE_SHIFT);
	void *page;

	mutex_lock(&p->lock);
	for (l->nr = 0; l->nr < want; l->nr++) {
		page = lend_page(p, l->nr);
		if (!page)
			break;
		l->piece[l->nr] =
			(struct iovec_user){ (uaddr_t)page, PAGE_SIZE };
	}
	mutex_unlock(&p->lock);
	return l->nr ? min_t(s64, (s64)n, (s64)l->nr * (s64)PAGE_SIZE)
		     : -ENOMEM;
}

static void land_page(struct pipe *p, struct pipe_loan *l, u32 i)
{
	void **at = free_slot(p, i);

	free_page_addr(*at);
	*at = (void *)l->piece[i].base;
	l->piece[i].base = 0;
}

bool pipe_land(struct pipe *p, struct pipe_loan *l, size_t n)
{
	u32 nr = (u32)((n + PAGE_SIZE - 1) >> PAGE_SHIFT);
	bool ok;

	mutex_lock(&p->lock);
	ok = p->readers && at_edge(p, p->head) && free_slot(p, nr - 1);
	for (u32 i = 0; ok && i < nr; i++)
		land_page(p, l, i);
	if (ok)
		store_once(&p->head, p->head + n);
	mutex_unlock(&p->lock);
	if (ok)
		wake_readers(p);
	return ok;
}

void pipe_repay(struct pipe *p, struct pipe_loan *l)
{
	void **at;

	mutex_lock(&p->lock);
	for (u32 i = 0, next = 0; i < l->nr; i++) {
		if (!l->piece[i].base)
			continue;
		at = free_slot(p, next++);
		if (at && !*at)
			*at = (void *)l->piece[i].base;
		else
			free_page_addr((void *)l->piece[i].base);
	}
	mutex_unlock(&p->lock);
}
