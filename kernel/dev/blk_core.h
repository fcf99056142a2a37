/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_core.h - what the files of the block core share.
 *
 * Not for drivers and file systems: kernel/dev/blk.h.
 */
#ifndef KERNEL_DEV_BLK_CORE_H
#define KERNEL_DEV_BLK_CORE_H

#include <kernel/dev/blk.h>
#include <kernel/relay/work.h>

#define BLK_FLOWS	   16u
#define BLK_NR_REQUESTS	   128u /* blkdev->nr_requests when the driver says none */
#define BLK_MERGED_SECTORS 1024u /* of a request made of several bios */

/* Bios of one process (or of several whose numbers collide). */
struct blk_flow {
	struct list_head bios; /* [queue lock] in the order of submission */
	struct list_head node; /* [queue lock] in ->turns while it has bios */
	u32 credit;	       /* [queue lock] sectors left of its turn */
};

struct blk_queue {
	struct hart_work work;	/* to the hart where the block layer lives */
	struct spinlock lock;	/* RANK_BLK */
	struct blkdev *disk;	/* [I] */
	u32 hwq;		/* [I] */
	struct list_head turns; /* [lock] flows with bios, the next one first */
	u32 nr_waiting;	  /* [lock] bios in flows or in the dispatcher's hand */
	u32 in_flight;	  /* [lock] the driver has them */
	bool dispatching; /* [lock] a hart moves bios to the driver */
	bool rerun;	  /* [lock] it shall look again */
	struct blk_flow flow[BLK_FLOWS];
} __aligned(64);

/* blk_queue.c */
/* The queues of @disk, before its first bio.  0 or -ENOMEM. */
int blk_queues_init(struct blkdev *disk);
/* Give @bio, sector of the whole disk, to @disk's driver, now or in its turn. */
void blk_queue(struct blkdev *disk, struct bio *bio);
/* A bio that was issued on @hwq has ended: there is room for another one. */
void blk_queue_ended(struct blkdev *disk, u32 hwq);
/* Try again what waits, on all queues. */
void blk_queues_run(struct blkdev *disk);
/* Queue that the calling hart uses. */
u32 blk_this_hwq(const struct blkdev *disk);

/* Index into blkdev->waits[][]. */
static inline u32 blk_size_class(u32 nr_sectors)
{
	u32 n = nr_sectors >> 4, class = 0;

	for (; n && class < BLK_SIZE_CLASSES - 1; n >>= 1)
		class ++;
	return class;
}

/* blk_merge.c: one bio for @first and those at the head of @more that continue
 * it, taken off; @first itself if there are none.  Called with the queue's lock.
 * @nr: how many it stands for. */
struct bio *blk_merge(const struct blkdev *disk, struct bio *first,
		      struct list_head *more, u32 *nr);

/* blk_split.c: is @bio more than @disk's driver takes at once? */
bool blk_must_split(const struct blkdev *disk, const struct bio *bio);
/* Do it piece by piece; ends with bio_done(bio). */
void blk_split(struct blkdev *disk, struct bio *bio);
/* Sectors that one request of kind @op may have; ~0u: no limit. */
u32 blk_max_sectors(const struct blkdev *disk, u32 op);

/* blkdev.c: the list, for blkpart.c. */
extern struct spinlock blk_list_lock; /* RANK_VFS */
int blkdev_add(struct blkdev *bd);    /* -EEXIST: name or number is taken */
kdev_t blkdev_ext_dev(void);
struct blkdev *blkdev_part_locked(const struct blkdev *disk, u32 nr);
/* The next partition of @disk behind @after (NULL: the first one). */
struct blkdev *blkdev_next_part_locked(const struct blkdev *disk,
				       const struct blkdev *after);
/* blkpart.c: partitions as the table on the disk has them. */
void blkdev_scan(struct blkdev *disk);
/* Nobody has one of them open. */
void blkdev_drop_partitions(struct blkdev *disk);

/* blk_sysfs.c: show @bd in /sys, or no more. */
void blk_sys_add(struct blkdev *bd);
void blk_sys_tell(struct blkdev *bd, const char *action); /* uevent.h */
void blk_sys_del(struct blkdev *bd);
/* blk_sysqueue.c: queue/ of a disk's directory. */
void blk_sys_add_queue(struct blkdev *disk);

#endif /* KERNEL_DEV_BLK_CORE_H */
