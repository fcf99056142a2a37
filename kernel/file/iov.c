/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/iov.c - move bytes between the kernel and an iterator.
 *
 * INVARIANTS
 *   I1  count is the sum of what the segments from the current one on hold,
 *       or less (truncated).
 *   I2  seg_off <= iov->len while nr_iov > 0; an exhausted segment is stepped
 *       over when the next byte is wanted, not before, so that a revert finds
 *       its way back.
 *
 * Locking: the iterator belongs to one coroutine.
 */
#include <kernel/file/iov.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>
#include <lib/string.h>

void iov_iter_kernel(struct iov_iter *it, void *buf, size_t len)
{
	*it = (struct iov_iter){ .kbuf = buf, .count = len };
}

void iov_iter_taking(struct iov_iter *it, void *buf, size_t len,
		     struct iov_taken *taken)
{
	taken->nr = 0;
	*it = (struct iov_iter){ .kbuf = buf, .count = len, .taken = taken };
}

void iov_taken_put(struct iov_taken *taken)
{
	for (unsigned int i = 0; i < taken->nr; i++) {
		if (taken->page[i])
			page_put(taken->page[i]);
	}
	taken->nr = 0;
}

/* @len bytes at @at, in @pg if that is not NULL, are what comes next. */
static void taken_add(struct iov_taken *t, const void *at, size_t len,
		      struct page *pg)
{
	struct iovec_user *last = t->nr ? &t->piece[t->nr - 1] : NULL;

	if (last && !pg && !t->page[t->nr - 1] &&
	    last->base + last->len == (uaddr_t)at) {
		last->len += len;
		return;
	}
	if (pg)
		page_get(pg);
	t->piece[t->nr] = (struct iovec_user){ (uaddr_t)at, len };
	t->page[t->nr++] = pg;
}

static void taken_revert(struct iov_taken *t, size_t len)
{
	while (len) {
		struct iovec_user *last = &t->piece[t->nr - 1];
		size_t n = min_t(size_t, len, last->len);

		last->len -= n;
		len -= n;
		if (last->len)
			continue;
		if (t->page[--t->nr])
			page_put(t->page[t->nr]);
	}
}

void iov_iter_pieces(struct iov_iter *it, const struct iovec_user *iov,
		     unsigned int nr, size_t count)
{
	*it = (struct iov_iter){ .iov = iov, .nr_iov = nr, .count = count };
}

/* Bytes at the current place of the current segment, at most @max; 0: the
 * end. */
static size_t seg_room(struct iov_iter *it, size_t max)
{
	if (max > it->count)
		max = it->count;
	if (!max)
		return 0;
	while (it->nr_iov && it->seg_off == it->iov->len) {
		it->iov++;
		it->nr_iov--;
		it->seg_off = 0;
	}
	if (!it->nr_iov)
		return 0;
	return min_t(size_t, max, it->iov->len - it->seg_off);
}

static uaddr_t seg_addr(const struct iov_iter *it)
{
	return it->iov->base + it->seg_off;
}

static void consume(struct iov_iter *it, size_t n)
{
	it->seg_off += n;
	it->count -= n;
}

/* All of @len is in the current segment: the common case. */
static inline bool in_segment(const struct iov_iter *it, size_t len)
{
	return it->is_user && it->nr_iov && len <= it->count &&
	       len <= it->iov->len - it->seg_off;
}

/* Take the next bytes of kernel memory, at most @len, that lie in one piece. */
static size_t kernel_part(struct iov_iter *it, size_t len, void **at)
{
	if (it->iov) {
		len = seg_room(it, len);
		*at = len ? (void *)seg_addr(it) : NULL;
		consume(it, len);
		return len;
	}
	if (len > it->count)
		len = it->count;
	if (it->taken && it->taken->nr == IOV_TAKEN_MAX)
		len = 0; /* a short read */
	*at = it->kbuf;
	if (it->taken && len)
		taken_add(it->taken, it->kbuf, len, NULL);
	it->kbuf = (char *)it->kbuf + len;
	it->count -= len;
	return len;
}

/* @len bytes at @from, or zeroes (NULL). */
static size_t kernel_fill(struct iov_iter *it, const char *from, size_t len)
{
	size_t done = 0, n;
	void *at;

	while (done < len && (n = kernel_part(it, len - done, &at)) != 0) {
		if (from)
			memcpy(at, from + done, n);
		else
			memset(at, 0, n);
		done += n;
	}
	return done;
}

static size_t kernel_fetch(struct iov_iter *it, char *to, size_t len)
{
	size_t done = 0, n;
	void *at;

	while (done < len && (n = kernel_part(it, len - done, &at)) != 0) {
		memcpy(to + done, at, n);
		done += n;
	}
	return done;
}

size_t copy_to_iter(const void *src, size_t len, struct iov_iter *it)
{
	size_t done = 0, n, moved;

	if (likely(in_segment(it, len))) {
		moved = copy_to_user_partial(seg_addr(it), src, len);
		consume(it, moved);
		return moved;
	}
	if (!it->is_user)
		return kernel_fill(it, src, len);
	while (done < len && (n = seg_room(it, len - done)) != 0) {
		moved = copy_to_user_partial(seg_addr(it),
					     (const char *)src + done, n);
		consume(it, moved);
		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

size_t copy_page_to_iter(struct page *pg, size_t off, size_t len,
			 struct iov_iter *it)
{
	char *from = (char *)page_addr(pg) + off;

	if (likely(!it->taken))
		return copy_to_iter(from, len, it);
	if (len > it->count)
		len = it->count;
	if (!len || it->taken->nr == IOV_TAKEN_MAX)
		return 0;
	taken_add(it->taken, from, len, pg);
	it->kbuf = (char *)it->kbuf + len;
	it->count -= len;
	return len;
}

size_t copy_from_iter(void *dst, size_t len, struct iov_iter *it)
{
	size_t done = 0, n, moved;

	if (likely(in_segment(it, len))) {
		moved = copy_from_user_partial(dst, seg_addr(it), len);
		consume(it, moved);
		return moved;
	}
	if (!it->is_user)
		return kernel_fetch(it, dst, len);
	while (done < len && (n = seg_room(it, len - done)) != 0) {
		moved = copy_from_user_partial((char *)dst + done, seg_addr(it),
					       n);
		consume(it, moved);
		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

size_t copy_from_iter_nofault(void *dst, size_t len, struct iov_iter *it)
{
	size_t done = 0, n, moved;

	if (!it->is_user)
		return copy_from_iter(dst, len, it);
	while (done < len && (n = seg_room(it, len - done)) != 0) {
		moved = copy_from_user_nofault((char *)dst + done, seg_addr(it),
					       n);
		consume(it, moved);
		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

static size_t zero_user(struct iov_iter *it, size_t len)
{
	static const char zeroes[256];
	size_t done = 0, n, moved;

	while (done < len) {
		n = min_t(size_t, len - done, sizeof(zeroes));
		moved = copy_to_iter(zeroes, n, it);
		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

size_t zero_iter(size_t len, struct iov_iter *it)
{
	size_t done = 0, n;

	if (!it->is_user)
		return kernel_fill(it, NULL, len);
	while (done < len && (n = seg_room(it, len - done)) != 0) {
		/* Not a partial copy: on a fault go bytewise to the edge. */
		if (clear_user(seg_addr(it), n))
			return done + zero_user(it, n);
		consume(it, n);
		done += n;
	}
	return done;
}

int iov_iter_fault_in(struct iov_iter *it, size_t len)
{
	struct iov_iter probe = *it;
	size_t n = seg_room(&probe, len);

	if (!it->is_user || !n)
		return 0;
	/* The first byte decides; what lies behind it is only a favour. */
	if (user_fault_in(seg_addr(&probe), 1, false))
		return -EFAULT;
	if (n > 1 && user_fault_in(seg_addr(&probe), n, false))
		return 0;
	return 0;
}

size_t iov_iter_piece(struct iov_iter *it, uaddr_t *at)
{
	size_t n = seg_room(it, it->count);

	if (n)
		*at = seg_addr(it);
	return n;
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
	size_t step;
	void *at;

	if (!it->iov) {
		(void)kernel_part(it, n, &at);
		return;
	}
	while (n && (step = seg_room(it, n)) != 0) {
		consume(it, step);
		n -= step;
	}
}

void iov_iter_revert(struct iov_iter *it, size_t n)
{
	it->count += n;
	if (!it->iov) {
		if (it->taken)
			taken_revert(it->taken, n);
		it->kbuf = (char *)it->kbuf - n;
		return;
	}
	while (n > it->seg_off) {
		n -= it->seg_off;
		it->iov--;
		it->nr_iov++;
		it->seg_off = it->iov->len;
	}
	it->seg_off -= n;
}
