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
#define BIO_ALONE   BIT(27) /* not to be merged: it was, and that failed */
#define BIO_ISSUED  BIT(28) /* counted in its queue's in_flight */
#define BIO_PART    BIT(29) /* sector is relative to the whole disk now */
#define BIO_PIECE   BIT(30) /* a piece of another bio: not accounted */
#define BIO_FLUSHES BIT(31) /* FUA write in its second step, a flush */

struct bio_seg {
	void *addr; /* direct map */
	u32 len;    /* multiple of the logical block size */
};

struct blkdev;
struct waitq;

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
	u32 flow;		   /* core's: who submitted it, for fairness */
	u16 hwq; /* queue of the driver, below blkdev->nr_hwq */
};

struct blkdev_ops {
	/*
	 * Start @bio (sector relative to the whole disk) on queue bio->hwq.  0: the
	 * driver owns it and will call bio_done(); -EBUSY: that queue is full, core
	 * retries after the next bio_done() of it.  Called with no lock held, for
	 * one queue by one hart at a time.
	 */
	int (*submit)(struct blkdev *bd, struct bio *bio);
	/* Several submits followed by one commit: ring the queue's doorbell. */
	void (*commit)(struct blkdev *bd, u32 hwq);
	/*
	 * Polling, optional, all or none.  Between begin and end (they nest) the
	 * queue raises no interrupt if the driver can help it, and somebody calls
	 * poll(), which ends what the device has done and says how many.
	 */
	u32 (*poll)(struct blkdev *bd, u32 hwq);
	void (*poll_begin)(struct blkdev *bd, u32 hwq);
	void (*poll_end)(struct blkdev *bd, u32 hwq);
	/* Optional; @can_write: of the open file. */
	s64 (*ioctl)(struct blkdev *bd, unsigned int cmd, u64 arg,
		     bool can_write);
	/* Optional: nobody has the disk or a partition of it open any more.  In a
	 * coroutine without locks; somebody may have opened it again already. */
	void (*idle)(struct blkdev *disk);
};

/* How a thread that waits for its bio waits. */
enum blk_wait {
	BLK_WAIT_AUTO, /* looks where bios end soon and the hart is there for that */
	BLK_WAIT_IRQ,	 /* sleeps; the interrupt ends the bio */
	BLK_WAIT_POLL,	 /* looks until it has ended (or takes very long) */
	BLK_WAIT_HYBRID, /* sleeps half of the usual time, then looks */
};
#define BLK_SIZE_CLASSES 8u /* bios by log2 of their sectors, in waits[] */

/* How a wait was begun, and what such waits for bios of a kind and size took. */
enum blk_way {
	BLK_SLEEP,
	BLK_LOOK,
	NR_BLK_WAYS
};
struct blk_waits {
	u32 mean_ns[NR_BLK_WAYS]; /* [a] relaxed: moving means; 0: not known */
	u32 nr;			  /* [a] relaxed: chosen so far */
};

struct blk_queue; /* blk_core.h */

struct blkdev {
	char name[32];		      /* "vda", "nvme0n1", "vda1" */
	kdev_t dev;		      /* [I] */
	const struct blkdev_ops *ops; /* [I] NULL for a partition */
	struct blkdev *whole;	      /* [I] partition: its disk, else self */
	u64 start_sector;	      /* [I] partition: offset */
	u64 nr_sectors;		      /* [a] blkdev_resize() */
	u32 block_size;		 /* [a] logical, bytes: 512 to 4096; changes
					 * only with another medium */
	u32 physical_block_size; /* [I] bytes; 0: as block_size */
	u32 min_io_bytes, opt_io_bytes; /* [I] hints; 0: none */
	u32 alignment_bytes;		/* [I] of the first aligned block */
	u32 discard_granularity;	/* [I] bytes; 0: as block_size */
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
	bool read_only;		 /* [I] the device is; ask blkdev_read_only() */
	bool ro_set;		 /* [a] somebody wants it so (BLKROSET) */
	bool has_flush;		 /* [I] volatile cache */
	bool has_fua;		 /* [I] else the core writes, then flushes */
	bool has_discard;	 /* [I] */
	bool has_write_zeroes;	 /* [I] */
	bool broken;		 /* [a] device lied or died: all requests EIO */
	void *priv;		 /* driver's */
	/* Queues of the driver, set by it: one for each service hart at most, so
	 * that no lock is shared on the way of a request.  0: one. */
	u32 nr_hwq;		 /* [I] */
	struct blk_queue *queue; /* [I] nr_hwq of them; whole disk */
	u32 nr_requests;	 /* [a] in flight on a queue at most */
	u32 nomerges;		 /* [a] 2: bios in a row stay apart; 1: kept */
	u32 wait_mode;		 /* [a] enum blk_wait */
	struct list_head node;	 /* [blk list lock] */
	/* Who uses it: blkdev_open(), blkdev_claim(). */
	u32 nr_open;	    /* [blk list lock] */
	u32 nr_users;	    /* [blk list lock] whole disk: and of partitions */
	const void *holder; /* [blk list lock] of an exclusive open, a mount */
	u32 nr_claims;	    /* [blk list lock] by holder */
	u32 nr_part_claims; /* [blk list lock] whole disk: claimed partitions */
	bool gone;	    /* [blk list lock] removed, or blkdev_shut() */
	bool no_scan;	    /* [a] partition tables are not looked at */
	u64 seq;	    /* [a] which medium, in the order of appearance */
	u32 ra_pages;	    /* [a] read-ahead of /dev/<name>; 0: none */
	/* [a] relaxed, statistics: read, write, discard and zeroes, flush. */
	u64 stat_ios[4], stat_merges[4], stat_sectors[4], stat_ns[4];
	u64 busy_ns;	/* [a] relaxed: some bio was in flight for so long */
	u64 busy_since; /* [a] relaxed */
	/* By op up to flush (or beyond), and size: kernel/dev/blk_poll.c. */
	struct blk_waits waits[BIO_FLUSH + 1][BLK_SIZE_CLASSES];
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
 * partitions (may sleep).  A disk may go (blkdev_unregister()), and be registered
 * again as it is; its memory, and that of partitions, which come and go, stays.
 */
int blkdev_register(struct blkdev *bd);
/* -EBUSY: it, or a partition of it, is in use. */
int blkdev_unregister(struct blkdev *disk);
/*
 * For drivers whose medium changes: if at most @users have the disk or a partition of
 * it open nobody more may (-ENXIO): true.  Until blkdev_reopen().
 */
bool blkdev_shut(struct blkdev *disk, u32 users);
void blkdev_reopen(struct blkdev *disk);
/* Another medium, of @nr_sectors (0: none), is in the disk.  Nobody uses partitions;
 * they go, as does what is cached.  Not scanned. */
void blkdev_new_medium(struct blkdev *disk, u64 nr_sectors);
static inline bool blkdev_read_only(const struct blkdev *bd)
{
	return bd->read_only || bd->ro_set || bd->whole->ro_set;
}

/*
 * Use of a device: while it is open a partition stays.  -ENXIO: it has just gone.
 * The last blkdev_close() writes what is dirty in its page cache (may sleep).
 */
int blkdev_open(struct blkdev *bd);
void blkdev_close(struct blkdev *bd);
/* For @holder alone (again and again): -EBUSY when another one has it, or the disk
 * of the partition, or partitions of the disk. */
int blkdev_claim(struct blkdev *bd, const void *holder);
void blkdev_unclaim(struct blkdev *bd, const void *holder);

/* Partitions of a whole disk.  -EBUSY: one of them is in use, or somebody but @by holds
 * the disk; -EINVAL: no_scan. */
int blkdev_rescan(struct blkdev *disk, const void *by);
/* Numbers in 512-byte sectors.  -EBUSY: overlaps, is there, is in use; -ENXIO: is
 * not there; -EINVAL: beyond the end, not whole blocks. */
int blkdev_add_partition(struct blkdev *disk, u32 nr, u64 start, u64 len);
int blkdev_del_partition(struct blkdev *disk, u32 nr);
int blkdev_resize_partition(struct blkdev *disk, u32 nr, u64 start, u64 len);
/* The k-th queue belongs to this hart (dense index): its interrupt goes there. */
unsigned int blk_hwq_cpu(u32 hwq);
/* How many queues are worth having: the number of service harts. */
u32 blk_max_hwq(void);
/* Driver: the capacity is another now.  Any context. */
void blkdev_resize(struct blkdev *bd, u64 nr_sectors);
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
 * Between plug and unplug (they nest) of one coroutine what it submits is kept
 * back, so that neighbours become one request and the doorbell rings once.  When
 * it suspends meanwhile the plug ends early.
 */
void blk_plug(void);
void blk_unplug(void);
/* For the scheduler: the running coroutine, which has a plug, leaves. */
void blk_plug_end(void);
/* Driver: @bio has ended. */
void bio_done(struct bio *bio, int status);
/* Driver: @bio, which it owns, has to be started again (after a reset). */
void bio_retry(struct bio *bio);
/* Driver: it may have room again although no bio has ended. */
void blkdev_kick(struct blkdev *bd);
/* enum blk_wait of "auto", "irq", "poll" or "hybrid"; -1: none of them. */
int blk_wait_mode_parse(const char *s);
/*
 * Coroutine that waits for a bio which it has just submitted (and which may be gone
 * by now): until @done is set, which is followed by a wake-up of @wq.  It looks for
 * the end, or sleeps, as the disk's wait_mode says.
 */
void blk_wait(struct blkdev *bd, u32 op, u32 nr_sectors, struct waitq *wq,
	      const u32 *done);

/* Synchronous helpers for coroutines.  @buf: direct-map memory. */
int blk_read(struct blkdev *bd, u64 sector, void *buf, size_t len);
int blk_write(struct blkdev *bd, u64 sector, const void *buf, size_t len);
int blk_flush(struct blkdev *bd);
/* DISCARD or WRITE_ZEROES. */
int blk_range(struct blkdev *bd, enum bio_op op, u64 sector, u32 nr_sectors);

struct bio *bio_alloc(void); /* zeroed, NULL: -ENOMEM */
void bio_free(struct bio *bio);

#endif /* KERNEL_DEV_BLK_H */
