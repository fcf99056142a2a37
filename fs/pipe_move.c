/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe_move.c - bytes of pipes for others than read and write: tee, splice.
 *
 * Context: coroutine.  Locking: p->lock; of two pipes, in the order of their addresses.
 */
#include <fs/pipe_int.h>

#include <lib/errno.h>
#include <lib/string.h>

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

size_t pipe_push(struct pipe *p, const void *data, size_t n)
{
	struct iov_iter it;
	s64 r = 0;

	iov_iter_kernel(&it, (void *)(uintptr_t)data, n);
	mutex_lock(&p->lock);
	n = min(n, room(p));
	if (n && p->readers)
		r = pipe_copy_in(p, &it, n);
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
		r = pipe_copy_in(out, &it, len);
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
