/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk.h - block devices and requests.
 *
 * A struct bio is one request: up to BIO_MAX_SEGS pages' worth of memory to or
 * from consecutive 512-byte sectors.  It belongs to the caller before
 * blk_submit() and after end_io() was called; in between to the device.  Many
 * bios are in flight at a time.  Segments are direct-map memory (kernel heap or
 * pages), never stack or vmap memory: blk_submit() asserts it.
 *
 * Context: blk_submit() - coroutine or loop context, may not sleep (a full
 * device queue keeps bios on the core's list).  end_io() - loop context of a
 * service hart or, in error cases, the submitter's: must not sleep.
 */
#ifndef KERNEL_DEV_BLK_H
#define KERNEL_DEV_BLK_H

#include <kernel/dev/dev.h>
#include <kernel/spinlock.h>
#include <lib/list.h>
#include <lib/types.h>

#define SECTOR_SHIFT 9
#define SECTOR_SIZE  512u
#define BIO_MAX_SEGS 32u

enum bio_op {
	BIO_READ,
	BIO_WRITE,
	BIO_FLUSH,
	BIO_DISCARD,
	BIO_WRITE_ZEROES,
};
#define BIO_FUA BIT(0) /* write is on the medium when it ends */
/* Set by the core only. */
#define BIO_PART    BIT(29) /* sector is relative to the whole disk now */
#define BIO_PIECE   BIT(30) /* a piece of another bio: not accounted */
#define BIO_FLUSHES BIT(31) /* FUA write in its second step, a flush */

struct bio_seg {
	void *addr; /* direct map */
	u32 len;    /* multiple of the logical block size */
};

struct blkdev;

struct bio {
	u32 op;		/* enum bio_op */
	u32 flags;	/* BIO_* */
	u64 sector;	/* in 512-byte units, of @dev */
	u32 nr_sectors; /* total; DISCARD and WRITE_ZEROES too */
	u32 nr_segs;
	struct bio_seg seg[BIO_MAX_SEGS];
	void (*end_io)(struct bio *bio); /* exactly once */
	void *priv;			 /* caller's */
	int status;			 /* 0 or -errno, valid in end_io */
	struct blkdev *dev;		 /* set by blk_submit() */
	struct list_head node; /* owner's while in flight: core or driver */
	u64 start_ns;
	u32 fua_segs, fua_sectors; /* core's, while BIO_FLUSHES */
};

struct blkdev_ops {
	/*
	 * Start @bio (sector relative to the whole disk).  0: the driver owns it
	 * and will call bio_done(); -EBUSY: queue full, core retries after the
	 * next bio_done() of this disk.  Called with no lock held.
	 */
	int (*submit)(struct blkdev *bd, struct bio *bio);
	/* Several submits followed by one commit: ring the doorbell. */
	void (*commit)(struct blkdev *bd);
	s64 (*ioctl)(struct blkdev *bd, unsigned int cmd,
		     u64 arg); /* or NULL */
};

struct blkdev {
	char name[32];		      /* "vda", "nvme0n1", "vda1" */
	kdev_t dev;		      /* [I] */
	const struct blkdev_ops *ops; /* [I] NULL for a partition */
	struct blkdev *whole;	      /* [I] partition: its disk, else self */
	u64 start_sector;	      /* [I] partition: offset */
	u64 nr_sectors;		      /* [I] */
	u32 block_size;		      /* [I] logical, bytes: 512 or 4096 */
	/* Limits of one request to the driver; the core splits larger bios. */
	u32 max_sectors;	 /* [I] 0: no limit */
	u32 max_segs;		 /* [I] 0: no limit */
	u32 max_seg_bytes;	 /* [I] 0: no limit */
	u32 max_discard_sectors; /* [I] 0: as max_sectors */
	u32 max_zero_sectors;	 /* [I] 0: as max_sectors */
	u32 nr_minors;		 /* [I] whole disk: minors from dev on that are
				     * its own; beyond: major 259 */
	u32 part_nr;		 /* [I] partition: its number, else 0 */
	char partuuid[40];	 /* [I] partition: as in PARTUUID=, or "" */
	bool read_only;		 /* [I] */
	bool has_flush;		 /* [I] volatile cache */
	bool has_fua;		 /* [I] else the core writes, then flushes */
	bool has_discard;	 /* [I] */
	bool has_write_zeroes;	 /* [I] */
	bool broken;		 /* [a] device lied or died: all requests EIO */
	void *priv;		 /* driver's */
	struct spinlock lock;	 /* RANK_BLK */
	struct list_head waiting; /* [lock] bios the driver had no room for */
	bool dispatching;      /* [lock] a hart moves waiting to the driver */
	bool rerun;	       /* [lock] it shall look again */
	struct list_head node; /* [blk list lock] */
	/* [a] relaxed, statistics: read, write, other.  ms is ns / 10^6. */
	u64 stat_ios[3], stat_sectors[3], stat_ns[3], stat_ms[3];
	u32 in_flight;		 /* [a] */
	struct mapping *mapping; /* [I] page cache of /dev/<name>, or NULL */
	/* /sys: the device that the disk is part of (link `device`), and the
	 * directory in which its own one is made; NULL: the device's, or
	 * devices/virtual/block.  Whole disks; [I], set by the driver. */
	struct sys_dir *device, *sys_parent;
	struct sys_dir *sys; /* [I] its own directory, or NULL */
};

/*
 * Register a disk that the driver has filled in (zeroed else) and scan its
 * partitions (may sleep).  Disks stay for ever.
 */
int blkdev_register(struct blkdev *bd);
/* Driver: the disk is dead.  All requests from now on and those on the core's
 * list end with -EIO; the driver ends the ones it owns. */
void blkdev_break(struct blkdev *bd);
struct blkdev *blkdev_find(kdev_t dev);
struct blkdev *blkdev_by_name(const char *name); /* "vda1" */
void blkdev_for_each(void (*fn)(struct blkdev *bd, void *ctx), void *ctx);
extern void (*blkdev_notify)(struct blkdev *bd, bool added);
/* The counters as in /sys/block/.../stat, without newline; their length. */
int blk_stat_text(const struct blkdev *bd, char *buf, size_t size);

void blk_submit(struct blkdev *bd, struct bio *bio);
/*
 * Between plug and unplug (they nest) of one coroutine no doorbell is rung for
 * what it submits.  When it suspends meanwhile the plug ends early.
 */
void blk_plug(void);
void blk_unplug(void);
/* For the scheduler: the running coroutine, which has a plug, leaves. */
void blk_plug_end(void);
/* Driver: @bio has ended. */
void bio_done(struct bio *bio, int status);

/* Synchronous helpers for coroutines.  @buf: direct-map memory. */
int blk_read(struct blkdev *bd, u64 sector, void *buf, size_t len);
int blk_write(struct blkdev *bd, u64 sector, const void *buf, size_t len);
int blk_flush(struct blkdev *bd);

struct bio *bio_alloc(void); /* zeroed, NULL: -ENOMEM */
void bio_free(struct bio *bio);

#endif /* KERNEL_DEV_BLK_H */
