/* SPDX-License-Identifier: MIT */
/*
 * fs/direct.h - O_DIRECT: between user memory and a block device, without copies.
 *
 * The pages of the caller's buffer are held and given to the device.  Whoever calls
 * has made the page cache agree: what is dirty in the range was written, and for a
 * write what is cached was dropped (direct_begin(), direct_end()).
 *
 * Not for memory that is itself in the page cache of a file on a device: it would
 * change behind the cache's back.  Then -ENOTBLK: go through the cache instead.
 *
 * Context: coroutine.
 */
#ifndef FS_DIRECT_H
#define FS_DIRECT_H

#include <kernel/dev/blk.h>
#include <kernel/file/iov.h>
#include <kernel/mm/pagecache.h>

struct aio_req;

/* @bytes of the file from some position on: at @sector of the device, or nowhere. */
struct direct_run {
	u64 sector; /* of 512 bytes */
	u64 bytes;
	bool hole; /* reads as zeroes; a write does not go there: -ENOTBLK */
};
/* The run at @pos, at most @bytes long; a multiple of the block size: 0 or -errno. */
typedef int direct_map_fn(void *ctx, u64 pos, u64 bytes,
			  struct direct_run *run);

/* Are position, length and addresses multiples of @align? */
bool direct_aligned(const struct iov_iter *it, u64 pos, u32 align);

/* Bytes [pos, pos + len) of @m: written back, and for a write dropped. */
int direct_begin(struct mapping *m, u64 pos, u64 len, bool write);
/* After a write: what others have read into the cache meanwhile. */
void direct_end(struct mapping *m, u64 pos, u64 len, bool write);

/*
 * Move iov_iter_count(@it) bytes.  The number of bytes, or -errno; with @req
 * -EIOCBQUEUED: it ends later, by req->end().  @durable: on the medium then.
 */
s64 direct_io(struct blkdev *bd, struct iov_iter *it, u64 pos, bool write,
	      bool durable, direct_map_fn *map, void *ctx, struct aio_req *req);

#endif /* FS_DIRECT_H */
