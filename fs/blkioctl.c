/* SPDX-License-Identifier: MIT */
/*
 * fs/blkioctl.c - ioctl(2) on block devices: linux/fs.h, linux/blkpg.h.
 *
 * Who may do what is as on Linux: questions are free, changes need CAP_SYS_ADMIN
 * (EACCES), discarding needs the device open for writing (EBADF).
 */
#include <fs/blkfile.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define BLKROSET	 0x125du
#define BLKROGET	 0x125eu
#define BLKRRPART	 0x125fu
#define BLKGETSIZE	 0x1260u
#define BLKFLSBUF	 0x1261u
#define BLKRASET	 0x1262u
#define BLKRAGET	 0x1263u
#define BLKFRASET	 0x1264u
#define BLKFRAGET	 0x1265u
#define BLKSECTGET	 0x1267u
#define BLKSSZGET	 0x1268u
#define BLKPG		 0x1269u
#define BLKDISCARD	 0x1277u
#define BLKIOMIN	 0x1278u
#define BLKIOOPT	 0x1279u
#define BLKALIGNOFF	 0x127au
#define BLKPBSZGET	 0x127bu
#define BLKDISCARDZEROES 0x127cu
#define BLKSECDISCARD	 0x127du
#define BLKROTATIONAL	 0x127eu
#define BLKZEROOUT	 0x127fu
#define BLKBSZGET	 0x80081270u
#define BLKBSZSET	 0x40081271u
#define BLKGETSIZE64	 0x80081272u
#define BLKGETDISKSEQ	 0x80081280u
#define HDIO_GETGEO	 0x0301u

/* linux/falloc.h */
#define FALLOC_KEEP_SIZE  0x01
#define FALLOC_PUNCH_HOLE 0x02
#define FALLOC_ZERO_RANGE 0x10

#define SECTORS_PER_PAGE (u32)(PAGE_SIZE / SECTOR_SIZE)
#define ZERO_BYTES	 (128ul << 10) /* written at once */
#define RANGE_SECTORS	 (1ul << 22)   /* of one bio: 2 GiB */

/* linux/blkpg.h */
struct blkpg_arg {
	u32 op;
	u32 flags;
	u32 datalen;
	u32 pad;
	u64 data;
};
#define BLKPG_ADD    1
#define BLKPG_DEL    2
#define BLKPG_RESIZE 3

struct blkpg_partition {
	s64 start;  /* bytes */
	s64 length; /* bytes */
	s32 nr;
	char devname[64];
	char volname[64];
	u32 pad;
};
STATIC_ASSERT(sizeof(struct blkpg_partition) == 152, "as in the ABI");

/* linux/hdreg.h */
struct hd_geometry {
	u8 heads;
	u8 sectors;
	u16 cylinders;
	u32 pad;
	u64 start;
};

static int put_u16(u16 v, uaddr_t a)
{
	return copy_to_user(a, &v, sizeof(v));
}

static bool admin(void)
{
	return capable(CAP_SYS_ADMIN);
}

/* ---- partitions */

static s64 blkpg(struct blkdev *bd, uaddr_t uarg)
{
	struct blkpg_partition p;
	struct blkpg_arg a;

	if (!admin())
		return -EACCES;
	if (copy_from_user(&a, uarg, sizeof(a)) ||
	    copy_from_user(&p, a.data, sizeof(p)))
		return -EFAULT;
	if (bd->whole != bd || p.nr <= 0)
		return -EINVAL;
	if (a.op == BLKPG_DEL)
		return blkdev_del_partition(bd, (u32)p.nr);
	if (p.start < 0 || p.length <= 0 ||
	    ((u64)(p.start | p.length) & (bd->block_size - 1)))
		return -EINVAL;
	if (a.op == BLKPG_ADD)
		return blkdev_add_partition(bd, (u32)p.nr,
					    (u64)p.start >> SECTOR_SHIFT,
					    (u64)p.length >> SECTOR_SHIFT);
	if (a.op == BLKPG_RESIZE)
		return blkdev_resize_partition(bd, (u32)p.nr,
					       (u64)p.start >> SECTOR_SHIFT,
					       (u64)p.length >> SECTOR_SHIFT);
	return -EINVAL;
}

static s64 reread(struct file *f, struct blkdev *bd)
{
	if (bd->whole != bd)
		return -EINVAL;
	return admin() ? blkdev_rescan(bd, f) : -EACCES;
}

/* ---- ranges */

static int range_op(struct blkdev *bd, enum bio_op op, u64 sector, u64 nr)
{
	int err = 0;

	while (nr && !err) {
		u32 n = (u32)min(nr, RANGE_SECTORS);

		err = blk_range(bd, op, sector, n);
		sector += n;
		nr -= n;
	}
	return err;
}

static int write_zeroes(struct blkdev *bd, u64 sector, u64 nr)
{
	void *buf;
	int err = -EOPNOTSUPP;

	if (bd->has_write_zeroes)
		err = range_op(bd, BIO_WRITE_ZEROES, sector, nr);
	if (err != -EOPNOTSUPP)
		return err;
	buf = alloc_pages_exact(ZERO_BYTES, GFP_ZERO);
	if (!buf)
		return -ENOMEM;
	for (err = 0; nr && !err;) {
		u64 n = min(nr, (u64)ZERO_BYTES >> SECTOR_SHIFT);

		err = blk_write(bd, sector, buf, n << SECTOR_SHIFT);
		sector += n;
		nr -= n;
	}
	free_pages_exact(buf, ZERO_BYTES);
	return err;
}

int blkfile_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct blkdev *bd = f->priv;
	u64 size = load_once(&bd->mapping->size);
	bool zero = mode & FALLOC_ZERO_RANGE;

	if (off >= size || (len > size - off && !(mode & FALLOC_KEEP_SIZE)))
		return -EINVAL;
	len = min(len, size - off);
	if ((off | len) & (bd->block_size - 1))
		return -EINVAL;
	if ((!zero && mode != (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE)) ||
	    (!zero && !bd->has_write_zeroes))
		return -EOPNOTSUPP;
	if (blkdev_read_only(bd))
		return -EPERM;
	if (blkfile_held_by_others(f))
		return -EBUSY;
	/* what is cached of it is not true any more */
	mapping_punch(bd->mapping, off, off + len);
	off >>= SECTOR_SHIFT;
	len >>= SECTOR_SHIFT;
	return zero ? write_zeroes(bd, off, len)
		    : range_op(bd, BIO_WRITE_ZEROES, off, len);
}

static s64 on_range(struct file *f, uaddr_t urange, unsigned int cmd)
{
	struct blkdev *bd = f->priv;
	u64 size = load_once(&bd->mapping->size), range[2];

	if (!f->can_write)
		return -EBADF;
	if (blkdev_read_only(bd))
		return -EPERM;
	if (cmd == BLKSECDISCARD || (cmd == BLKDISCARD && !bd->has_discard))
		return -EOPNOTSUPP;
	if (copy_from_user(range, urange, sizeof(range)))
		return -EFAULT;
	if ((range[0] | range[1]) & (bd->block_size - 1))
		return -EINVAL;
	if (!range[1] || range[0] > size || range[1] > size - range[0])
		return -EINVAL;
	if (blkfile_held_by_others(f))
		return -EBUSY;
	/* what is cached of it is not true any more */
	mapping_punch(bd->mapping, range[0], range[0] + range[1]);
	range[0] >>= SECTOR_SHIFT;
	range[1] >>= SECTOR_SHIFT;
	if (cmd == BLKZEROOUT)
		return write_zeroes(bd, range[0], range[1]);
	return range_op(bd, BIO_DISCARD, range[0], range[1]);
}

/* ---- one by one */

static s64 flush_buffers(struct file *f)
{
	struct blkdev *bd = f->priv;
	int err;

	if (!admin())
		return -EACCES;
	err = f->ops->fsync(f, false);
	(void)blkfile_refresh(bd);
	mapping_invalidate(bd->mapping, 0, ~0ull >> PAGE_SHIFT);
	return err;
}

static s64 set_read_only(struct blkdev *bd, uaddr_t arg)
{
	u32 v;

	if (!admin())
		return -EACCES;
	if (get_user_u32(&v, arg))
		return -EFAULT;
	store_once(&bd->ro_set, v != 0);
	return 0;
}

static s64 set_read_ahead(struct blkdev *bd, u64 sectors)
{
	if (!admin())
		return -EACCES;
	store_once(&bd->ra_pages,
		   (u32)min(sectors / SECTORS_PER_PAGE, (u64)1u << 20));
	return 0;
}

/* As the kernel's buffers are pages, any block size a program likes will do. */
static s64 set_block_size(uaddr_t arg)
{
	u32 v;

	if (!admin())
		return -EACCES;
	if (get_user_u32(&v, arg))
		return -EFAULT;
	return v >= SECTOR_SIZE && v <= PAGE_SIZE && !(v & (v - 1)) ? 0
								    : -EINVAL;
}

/* A disk has no such thing; what old tools divide by. */
static s64 get_geometry(const struct blkdev *bd, uaddr_t arg)
{
	struct hd_geometry g = {
		.heads = 16,
		.sectors = 63,
		.cylinders = (u16)(bd->whole->nr_sectors / (16 * 63)),
		.start = bd->start_sector,
	};

	return copy_to_user(arg, &g, sizeof(g));
}

static s64 questions(struct blkdev *bd, unsigned int cmd, u64 arg)
{
	u64 nr_sectors = load_once(&bd->nr_sectors);

	switch (cmd) {
	case BLKROGET:
		return put_user_u32(blkdev_read_only(bd), arg);
	case BLKGETSIZE:
		return put_user_u64(nr_sectors, arg);
	case BLKGETSIZE64:
		return put_user_u64(nr_sectors * SECTOR_SIZE, arg);
	case BLKSSZGET:
		return put_user_u32(bd->block_size, arg);
	case BLKPBSZGET:
		return put_user_u32(bd->physical_block_size, arg);
	case BLKIOMIN:
		return put_user_u32(bd->min_io_bytes, arg);
	case BLKIOOPT:
		return put_user_u32(bd->opt_io_bytes, arg);
	case BLKALIGNOFF:
		return put_user_u32(bd->whole->alignment_bytes, arg);
	case BLKBSZGET:
		return put_user_u32(PAGE_SIZE, arg);
	case BLKDISCARDZEROES:
		return put_user_u32(0, arg);
	case BLKROTATIONAL:
		return put_u16(0, arg);
	case BLKSECTGET:
		return put_u16((u16)min(bd->whole->max_sectors, 0xffffu), arg);
	case BLKRAGET:
	case BLKFRAGET:
		return put_user_u64(
			load_once(&bd->ra_pages) * (u64)SECTORS_PER_PAGE, arg);
	case BLKGETDISKSEQ:
		return put_user_u64(bd->whole->seq, arg);
	case HDIO_GETGEO:
		return get_geometry(bd, arg);
	default:
		return -ENOTTY;
	}
}

s64 blkfile_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct blkdev *bd = f->priv;
	s64 r;

	switch (cmd) {
	case BLKROSET:
		return set_read_only(bd, arg);
	case BLKRASET:
	case BLKFRASET:
		return set_read_ahead(bd, arg);
	case BLKBSZSET:
		return set_block_size(arg);
	case BLKFLSBUF:
		return flush_buffers(f);
	case BLKRRPART:
		return reread(f, bd);
	case BLKPG:
		return blkpg(bd, arg);
	case BLKDISCARD:
	case BLKSECDISCARD:
	case BLKZEROOUT:
		return on_range(f, arg, cmd);
	default:
		r = questions(bd, cmd, arg);
	}
	if (r == -ENOTTY && bd->whole->ops->ioctl)
		r = bd->whole->ops->ioctl(bd, cmd, arg, f->can_write);
	return r;
}
