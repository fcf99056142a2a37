/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/iov.h - where the bytes of a read or write go or come from.
 *
 * One iterator over user segments, one kernel buffer or pieces of kernel memory (pages of a
 * pipe), consumed front to back.
 * Copies to and from user memory may fault and sleep; the number of bytes moved
 * is returned and the iterator advanced by as many.  A short return means that
 * user memory ended (-EFAULT if nothing at all was moved).
 */
#ifndef KERNEL_FILE_IOV_H
#define KERNEL_FILE_IOV_H

#include <lib/types.h>

struct iovec_user {
	uaddr_t base; /* iov_iter_pieces(): a kernel address */
	u64 len;
};

struct page;

/* What a reader has put into a kernel buffer, or given as pages of its own: in order. */
#define IOV_TAKEN_MAX \
	20u /* 64 KiB of pages, and a little that lies between them */
struct iov_taken {
	struct iovec_user piece[IOV_TAKEN_MAX];
	struct page *page[IOV_TAKEN_MAX]; /* held; NULL: in the buffer */
	unsigned int nr;
};

struct iov_iter {
	bool is_user;
	u8 rwf; /* IOV_*: how this one transfer differs from the file's flags */
	const struct iovec_user
		*iov;		 /* borrowed array; one kernel buffer: NULL */
	unsigned int nr_iov;	 /* segments left, first one current */
	size_t seg_off;		 /* consumed in the first segment */
	void *kbuf;		 /* one kernel buffer: next byte */
	size_t count;		 /* bytes left in all */
	struct iov_taken *taken; /* of one kernel buffer, or NULL */
};

#define IOV_NOWAIT   1u /* as with O_NONBLOCK */
#define IOV_APPEND   2u /* as with O_APPEND */
#define IOV_NOAPPEND 4u /* as without it */

static inline size_t iov_iter_count(const struct iov_iter *it)
{
	return it->count;
}
static inline void iov_iter_truncate(struct iov_iter *it, size_t max)
{
	if (it->count > max)
		it->count = max;
}
static inline void iov_iter_user(struct iov_iter *it,
				 const struct iovec_user *iov, unsigned int nr,
				 size_t count)
{
	it->is_user = true;
	it->rwf = 0;
	it->iov = iov;
	it->nr_iov = nr;
	it->seg_off = 0;
	it->kbuf = NULL;
	it->count = count;
	it->taken = NULL;
}
void iov_iter_kernel(struct iov_iter *it, void *buf, size_t len);
/* Likewise, but who has the bytes in pages may give those, which are not written to:
 * *taken, borrowed, tells where the bytes are. */
void iov_iter_taking(struct iov_iter *it, void *buf, size_t len,
		     struct iov_taken *taken);
void iov_taken_put(struct iov_taken *taken); /* the pages */
/* @count bytes of kernel memory in @nr pieces, which @iov, borrowed, names. */
void iov_iter_pieces(struct iov_iter *it, const struct iovec_user *iov,
		     unsigned int nr, size_t count);
/* Bytes moved, or 0 on a fault before the first byte (caller: -EFAULT). */
size_t copy_to_iter(const void *src, size_t len, struct iov_iter *it);
/* As copy_to_iter() of @len bytes at @off of @pg, which the caller holds. */
size_t copy_page_to_iter(struct page *pg, size_t off, size_t len,
			 struct iov_iter *it);
size_t copy_from_iter(void *dst, size_t len, struct iov_iter *it);
/* As copy_from_iter(), but never faults a page in nor sleeps: a short count
 * means "iov_iter_fault_in() and try again".  May be called with page locked. */
size_t copy_from_iter_nofault(void *dst, size_t len, struct iov_iter *it);
size_t zero_iter(size_t len, struct iov_iter *it);
/* Fault in the next @len bytes for reading from user.  0 or -EFAULT when not even
 * the first byte is readable. */
int iov_iter_fault_in(struct iov_iter *it, size_t len);
/* User: where the next bytes are, and how many in one piece; 0: the end. */
size_t iov_iter_piece(struct iov_iter *it, uaddr_t *at);
void iov_iter_advance(struct iov_iter *it, size_t n);
void iov_iter_revert(struct iov_iter *it,
		     size_t n); /* within one segment run */

#endif /* KERNEL_FILE_IOV_H */
