/* SPDX-License-Identifier: MIT */
/*
 * fs/blkfile.c - read and write block devices through the page cache.
 *
 * One mapping per device, shared by all nodes that name it.  The cache of what is
 * mounted from the device is another one: when the device is opened, written, and
 * at BLKFLSBUF, the file system writes all it has and our clean pages are dropped.
 * What is written to a device that is mounted goes there at once.  Pages are read
 * and written with one bio for a run of pages; the pages of a bio are found
 * again from its segments when it ends.
 *
 * Locking: the node's inode lock is held for writing during a write; the pages'
 * own state does the rest.
 */
#include <fs/blkfile.h>
#include <fs/direct.h>
#include <kernel/dev/blk.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR_SIZE)

static struct mutex create_mutex = MUTEX_INIT(create_mutex);

static void read_done(struct bio *bio)
{
	u32 i;

	for (i = 0; i < bio->nr_segs; i++)
		page_end_read(addr_page(bio->seg[i].addr), bio->status);
	bio_free(bio);
}

static void write_done(struct bio *bio)
{
	u32 i;

	for (i = 0; i < bio->nr_segs; i++)
		page_end_writeback(addr_page(bio->seg[i].addr), bio->status);
	bio_free(bio);
}

/* One bio for the @nr consecutive pages at @pg.  NULL: no memory, or beyond the
 * end of the device. */
static struct bio *bio_for(struct blkdev *bd, enum bio_op op, struct page **pg,
			   unsigned int nr)
{
	u64 left, bytes, last = pg[0]->index + nr - 1;
	struct bio *bio;
	unsigned int i;

	if (last * SECTORS_PER_PAGE >= bd->nr_sectors)
		return NULL;
	bio = bio_alloc();
	if (!bio)
		return NULL;
	bio->op = op;
	bio->sector = pg[0]->index * SECTORS_PER_PAGE;
	left = (bd->nr_sectors - bio->sector) * SECTOR_SIZE;
	for (i = 0; i < nr; i++) {
		bytes = min_t(u64, left, PAGE_SIZE);
		if (op == BIO_READ && bytes < PAGE_SIZE)
			memset((char *)page_addr(pg[i]) + bytes, 0,
			       PAGE_SIZE - bytes);
		bio->seg[i].addr = page_addr(pg[i]);
		bio->seg[i].len = (u32)bytes;
		bio->nr_sectors += (u32)(bytes / SECTOR_SIZE);
		left -= bytes;
	}
	bio->nr_segs = nr;
	bio->end_io = op == BIO_READ ? read_done : write_done;
	return bio;
}

static unsigned int pages_per_bio(const struct blkdev *bd)
{
	unsigned int n = BIO_MAX_SEGS;

	if (bd->max_segs)
		n = min(n, bd->max_segs);
	if (bd->max_sectors)
		n = min_t(unsigned int, n, bd->max_sectors / SECTORS_PER_PAGE);
	return n ? n : 1;
}

static int blk_readpages(struct mapping *m, struct page **pg, unsigned int nr)
{
	struct blkdev *bd = m->host;
	unsigned int at, i, n;
	struct bio *bio;

	for (at = 0; at < nr; at += n) {
		n = min(nr - at, pages_per_bio(bd));
		bio = bio_for(bd, BIO_READ, pg + at, n);
		if (bio) {
			blk_submit(bd, bio);
			continue;
		}
		for (i = 0; i < n; i++)
			page_end_read(pg[at + i], -EIO);
	}
	return 0;
}

static int blk_readpage(struct mapping *m, struct page *pg)
{
	return blk_readpages(m, &pg, 1);
}

static int blk_writepages(struct mapping *m, struct page **pg, unsigned int nr)
{
	struct blkdev *bd = m->host;
	unsigned int at, i, n;
	struct bio *bio;

	for (at = 0; at < nr; at += n) {
		n = min(nr - at, pages_per_bio(bd));
		bio = bio_for(bd, BIO_WRITE, pg + at, n);
		for (i = 0; i < n; i++)
			page_unlock(pg[at + i]);
		if (bio) {
			blk_submit(bd, bio);
			continue;
		}
		for (i = 0; i < n; i++)
			page_end_writeback(pg[at + i], -EIO);
	}
	return 0;
}

static int blk_writepage(struct mapping *m, struct page *pg)
{
	return blk_writepages(m, &pg, 1);
}

static int blk_write_begin(struct mapping *m, struct page *pg,
			   unsigned int from, unsigned int to)
{
	u64 valid = min_t(u64, m->size - pg->index * PAGE_SIZE, PAGE_SIZE);
	struct blkdev *bd = m->host;

	if (load_once(&pg->flags) & PG_UPTODATE)
		return 0;
	if (from == 0 && to >= valid) {
		memset((char *)page_addr(pg) + to, 0, PAGE_SIZE - to);
		return 0;
	}
	/* Synchronously: the page stays locked for the caller. */
	memset((char *)page_addr(pg) + valid, 0, PAGE_SIZE - valid);
	return blk_read(bd, pg->index * SECTORS_PER_PAGE, page_addr(pg), valid);
}

static const struct mapping_ops blk_mapping_ops = {
	.readpage = blk_readpage,
	.readpages = blk_readpages,
	.writepage = blk_writepage,
	.writepages = blk_writepages,
	.write_begin = blk_write_begin,
};

struct mapping *blkdev_mapping(struct blkdev *bd)
{
	struct mapping *m;

	mutex_lock(&create_mutex);
	m = bd->mapping;
	if (!m) {
		m = kmalloc(sizeof(*m));
		if (m) {
			mapping_init(m, &blk_mapping_ops, bd);
			m->size = bd->nr_sectors * SECTOR_SIZE;
			m->ra_pages = &bd->ra_pages;
			bd->mapping = m;
		}
	}
	mutex_unlock(&create_mutex);
	return m;
}

/* --- the file */

/* Files are the device itself, so one run has all of it. */
static int map_device(void *ctx __unused, u64 pos, u64 bytes,
		      struct direct_run *run)
{
	*run = (struct direct_run){ .sector = pos >> SECTOR_SHIFT,
				    .bytes = bytes };
	return 0;
}

static s64 blkfile_direct(struct file *f, struct iov_iter *it, u64 pos,
			  bool write, struct aio_req *req)
{
	struct blkdev *bd = f->priv;
	u64 size = load_once(&bd->mapping->size);
	size_t len;
	s64 n;

	if (!it->is_user)
		return -ENOTBLK;
	if (write && blkdev_read_only(bd))
		return -EPERM;
	if (pos >= size)
		return write && iov_iter_count(it) ? -ENOSPC : 0;
	iov_iter_truncate(it, size - pos);
	len = iov_iter_count(it);
	if (!len)
		return 0;
	if (!direct_aligned(it, pos, bd->block_size))
		return -EINVAL;
	n = direct_begin(bd->mapping, pos, len, write);
	if (n)
		return n;
	n = direct_io(bd, it, pos, write, f->flags & O_DSYNC, map_device, NULL,
		      req);
	direct_end(bd->mapping, pos, len, write);
	return n;
}

static s64 blkfile_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct blkdev *bd = f->priv;

	if (f->flags & O_DIRECT) {
		s64 n = blkfile_direct(f, to, *pos, false, NULL);

		if (n > 0)
			*pos += (u64)n;
		if (n != -ENOTBLK)
			return n;
	}
	return mapping_file_read(bd->mapping, f, to, pos);
}

static bool is_mounted(const struct blkdev *bd)
{
	return bd->holder || bd->whole->holder || bd->nr_part_claims;
}

bool blkfile_held_by_others(const struct file *f)
{
	return !f->version && is_mounted(f->priv);
}

#define BOUNCE_BYTES 65536u

/* One piece of a write to a device that is mounted. */
static s64 write_piece(struct blkdev *bd, struct iov_iter *from, u64 pos,
		       u8 *bounce)
{
	u64 bs = bd->block_size, start = ALIGN_DOWN(pos, bs);
	size_t in = (size_t)(pos - start);
	size_t n = min(iov_iter_count(from), (size_t)BOUNCE_BYTES - in);
	size_t all = (size_t)ALIGN_UP(in + n, bs);
	size_t got;
	int err = 0;

	if (all != n)
		err = blk_read(bd, start >> SECTOR_SHIFT, bounce, all);
	if (err)
		return err;
	got = copy_from_iter(bounce + in, n, from);
	if (!got)
		return -EFAULT;
	if (all != n || got == n)
		err = blk_write(bd, start >> SECTOR_SHIFT, bounce, all);
	else
		err = -EFAULT; /* the rest of the piece is not known */
	return err ? err : (s64)got;
}

/*
 * Not through the cache, whose pages are larger than what is written and may be
 * older than what the file system has put beside it; and whoever has mounted it
 * is told.  What he has himself is on the device before.
 */
static s64 write_mounted(struct blkdev *bd, struct iov_iter *from, u64 pos)
{
	u8 *bounce = kmalloc(BOUNCE_BYTES);
	s64 n = 0, done = 0;

	if (!bounce)
		return -ENOMEM;
	(void)blkfile_refresh(bd);
	while (iov_iter_count(from) && n >= 0) {
		n = write_piece(bd, from, pos + (u64)done, bounce);
		done += max(n, (s64)0);
	}
	kfree(bounce);
	(void)mapping_invalidate(bd->mapping, pos >> PAGE_SHIFT,
				 DIV_ROUND_UP(pos + (u64)done, PAGE_SIZE) + 1);
	if (done)
		sb_bdev_written(bd, pos, (u64)done);
	return done ? done : n;
}

static s64 blkfile_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct blkdev *bd = f->priv;
	u64 size = load_once(&bd->mapping->size);
	s64 n;

	if (!iov_iter_count(from))
		return 0;
	if (blkdev_read_only(bd))
		return -EPERM;
	if (*pos >= size)
		return -ENOSPC;
	iov_iter_truncate(from, size - *pos);
	if (f->flags & O_DIRECT) {
		n = blkfile_direct(f, from, *pos, true, NULL);
		if (n > 0)
			*pos += (u64)n;
		if (n != -ENOTBLK)
			return n;
	}
	down_write(&f->inode->lock);
	if (is_mounted(bd)) {
		n = write_mounted(bd, from, *pos);
		*pos += (u64)max(n, (s64)0);
	} else {
		n = mapping_file_write(bd->mapping, f, from, pos);
	}
	up_write(&f->inode->lock);
	if (n > 0 && (f->flags & O_DSYNC)) {
		int err = f->ops->fsync(f, true);

		if (err)
			return err;
	}
	return n;
}

static s64 blkfile_llseek(struct file *f, s64 off, int whence)
{
	struct blkdev *bd = f->priv;
	s64 size = (s64)bd->mapping->size;

	if (whence == SEEK_CUR)
		off += (s64)f->pos;
	else if (whence == SEEK_END)
		off += size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0 || off > size)
		return -EINVAL;
	f->pos = (u64)off;
	return off;
}

static int blkfile_fsync(struct file *f, bool datasync __unused)
{
	struct blkdev *bd = f->priv;
	int err = mapping_fsync(bd->mapping, f, 0, ~0ull);

	if (!err && bd->has_flush)
		err = blk_flush(bd);
	return err;
}

static int blkfile_mmap(struct file *f, struct vma *vma)
{
	struct blkdev *bd = f->priv;

	return mapping_mmap(bd->mapping, f, vma);
}

static void blkfile_release(struct file *f)
{
	struct blkdev *bd = f->priv;

	if (f->version)
		blkdev_unclaim(bd, f);
	blkdev_close(bd);
}

static const struct file_ops blkfile_ops = {
	.read = blkfile_read,
	.write = blkfile_write,
	.llseek = blkfile_llseek,
	.ioctl = blkfile_ioctl,
	.mmap = blkfile_mmap,
	.fsync = blkfile_fsync,
	.fallocate = blkfile_fallocate,
	.direct = blkfile_direct,
	.release = blkfile_release,
};

struct mapping *blkfile_mapping(struct file *f)
{
	const struct blkdev *bd = f->priv;

	return f->ops == &blkfile_ops ? bd->mapping : NULL;
}

int blkfile_refresh(struct blkdev *bd)
{
	int err = 0;

	if (!is_mounted(bd))
		return 0;
	err = sb_settle_bdev(bd);
	(void)mapping_sync(bd->mapping, 0, ~0ull, true);
	(void)mapping_invalidate(bd->mapping, 0, ~0ull >> PAGE_SHIFT);
	return err;
}

/* Open it; for us alone with O_EXCL, which f->version remembers. */
static int hold(struct blkdev *bd, struct file *f)
{
	int err = blkdev_open(bd);

	if (err)
		return err;
	if (!blkdev_mapping(bd))
		err = -ENOMEM;
	else if (f->flags & O_EXCL)
		err = blkdev_claim(bd, f);
	f->version = !err && (f->flags & O_EXCL);
	/* An error is the file system's affair. */
	if (!err)
		(void)blkfile_refresh(bd);
	if (err)
		blkdev_close(bd);
	return err;
}

int blkfile_open(struct inode *inode, struct file *f)
{
	struct blkdev *bd = blkdev_find(inode->rdev);
	int err;

	if (!bd)
		return -ENXIO;
	err = hold(bd, f);
	if (err)
		return err;
	f->ops = &blkfile_ops;
	f->priv = bd;
	f->wb_seen = mapping_error_seen(bd->mapping);
	f->atomic_pos = true;
	return 0;
}
