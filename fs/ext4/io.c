/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/io.c - block requests: put memory into them, and wait for one.
 *
 * ORDERING
 *   BIOEND   of kernel/dev/blk_poll.c, its other end.
 *   WROTE    a finished write is counted before anybody hears of its end, so
 *	      a flush that follows is not left out.
 */
#include <fs/ext4/io.h>

#include <fs/ext4/ext4.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

#define MEMORY_TRIES   2000u
#define MEMORY_WAIT_NS (5 * NSEC_PER_MSEC)

/* In the waiter's frame; the end of the request looks at it no more once done
 * is set. */
struct io_wait {
	struct ext4_sb *sbi;
	int status;
	u32 done;
};

bool ext4_bio_add(struct ext4_sb *sbi, struct bio *bio, void *addr, u32 len)
{
	u32 first = (u32)min_t(u64, len,
			       PAGE_SIZE - ((uintptr_t)addr & (PAGE_SIZE - 1)));
	u32 need = 1 + DIV_ROUND_UP(len - first, (u32)PAGE_SIZE);
	u32 max_segs = min(sbi->bdev->max_segs, BIO_MAX_SEGS);
	u8 *p = addr;

	if (bio->nr_segs &&
	    (bio->nr_segs + need > max_segs ||
	     bio->nr_sectors + (len >> SECTOR_SHIFT) > sbi->bdev->max_sectors))
		return false;
	bio->nr_sectors += len >> SECTOR_SHIFT;
	while (len) {
		bio->seg[bio->nr_segs].addr = p;
		bio->seg[bio->nr_segs].len = first;
		bio->nr_segs++;
		p += first;
		len -= first;
		first = (u32)min_t(u64, len, PAGE_SIZE);
	}
	return true;
}

void ext4_note_write(struct ext4_sb *sbi)
{
	/* WROTE (full) - pairs with the flush below. */
	atomic_inc(&sbi->nr_writes);
}

static void io_done(struct bio *bio)
{
	struct io_wait *w = bio->priv;
	struct ext4_sb *sbi = w->sbi;

	/* One with FUA is on the medium already. */
	if (bio->op == BIO_WRITE && !(bio->flags & BIO_FUA))
		ext4_note_write(sbi);
	w->status = bio->status;
	bio_free(bio);
	/* BIOEND (release) - pairs with blk_wait(). */
	store_release(&w->done, 1u);
	wake_up_all(&sbi->buf_wait);
	atomic_dec(&sbi->buf_io);
}

static void wait_for_memory(void)
{
	(void)sleep_until_ns(clock_mono_ns() + MEMORY_WAIT_NS, false);
}

static struct bio *alloc_bio(void)
{
	struct bio *bio = bio_alloc();
	u32 tries = MEMORY_TRIES;

	while (!bio && tries--) {
		wait_for_memory();
		bio = bio_alloc();
	}
	return bio;
}

int ext4_io(struct ext4_sb *sbi, u32 op, u32 flags, u64 blk, void *mem, u32 nr)
{
	u32 shift = sbi->block_bits - SECTOR_SHIFT;
	struct io_wait w = { .sbi = sbi };
	struct bio *bio = alloc_bio();

	if (!bio)
		return -ENOMEM;
	bio->op = op;
	bio->flags = flags;
	bio->end_io = io_done;
	bio->priv = &w;
	if (op != BIO_FLUSH) {
		bio->sector = blk << shift;
		bio->nr_sectors = nr << shift;
	}
	if (mem) {
		bio->nr_segs = 1;
		bio->seg[0].addr = mem;
		bio->seg[0].len = nr << sbi->block_bits;
	}
	atomic_inc(&sbi->buf_io);
	blk_submit(sbi->bdev, bio);
	/* one with FUA takes as long as a flush */
	blk_wait(sbi->bdev, flags & BIO_FUA ? BIO_FLUSH : op,
		 mem ? nr << shift : 0, &sbi->buf_wait, &w.done);
	return w.status;
}

int ext4_flush_device(struct ext4_sb *sbi)
{
	u64 seen;
	int err;

	if (!sbi->bdev->has_flush ||
	    (load_once(&sbi->opt.flags) & EXT4_OPT_NOBARRIER))
		return 0;
	/* WROTE (acquire) - pairs with ext4_note_write(). */
	seen = load_acquire(&sbi->nr_writes);
	if (seen == load_once(&sbi->nr_flushed))
		return 0;
	err = ext4_io(sbi, BIO_FLUSH, 0, 0, NULL, 0);
	/* Of two at a time the later store may be the smaller one: that costs
	 * a flush more. */
	if (!err)
		store_once(&sbi->nr_flushed, seen);
	return err;
}

void *ext4_alloc_wait(struct ext4_sb *sbi, size_t size)
{
	void *p = kzalloc(size);
	u32 tries = MEMORY_TRIES;

	while (!p && tries-- && !load_once(&sbi->aborted)) {
		wait_for_memory();
		p = kzalloc(size);
	}
	if (!p)
		ext4_give_up(sbi, -ENOMEM, "out of memory");
	return p;
}
