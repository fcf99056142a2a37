/* SPDX-License-Identifier: MIT */
/*
 * fs/loop/loop.h - block devices whose medium is a file: /dev/loop0 and on.
 *
 *	loop.c		devices, binding them to files and letting go
 *	loop_io.c	the worker: bios become reads and writes of the file
 *	loop_ioctl.c	linux/loop.h
 *	loop_sysfs.c	/sys/block/loopN/loop
 *
 * A device is unbound, or bound to a file; a bound one has a worker.  It becomes
 * unbound when nobody uses it any more and somebody has asked for that
 * (LOOP_CLR_FD, LO_FLAGS_AUTOCLEAR).  Names, numbers and flags are Linux's.
 *
 * WHO SERVES A BIO, AND WHAT IT MAY WAIT FOR
 *   A bio is queued from any context, loop context too, and reading or writing a
 *   file sleeps: so each bound device has a kernel thread of its own, a coroutine
 *   of a service hart, and it does one bio after the other.  Write-back of what lies
 *   on the device, the flusher's among it, ends only when the worker has moved on.
 *   So the worker waits for nothing above the device, directly or not:
 *     W1  It is not made to wait for the flusher (dirty_balance() knows kernel
 *	   threads).  A page that it makes dirty below replaces one that gets clean
 *	   above, and when writeback_pressed() it writes its file itself, which ends
 *	   without anybody's help.
 *     W2  It may use the part of memory that is kept from users (pmem.c I3); with
 *	   none left it waits for some, and W1 makes some.
 *     W3  Backing files form no cycle (loop_may_back()).
 *
 * Locking, outside in: loops_mutex (which devices there are); loop->mutex (binding
 * and settings); loop->io (the worker's while it does a bio: who holds it may change
 * the file under it); loop->lock (RANK_BLK).
 */
#ifndef FS_LOOP_LOOP_H
#define FS_LOOP_LOOP_H

#include <fs/vfs.h>
#include <kernel/dev/blk.h>

#define LO_NAME_SIZE 64u

#define LO_FLAGS_READ_ONLY 1u
#define LO_FLAGS_AUTOCLEAR 4u
#define LO_FLAGS_PARTSCAN  8u
#define LO_FLAGS_DIRECT_IO 16u

struct loop {
	struct blkdev bd;
	u32 nr;		       /* [I] N of loopN */
	bool visible;	       /* [loops_mutex] registered */
	struct list_head node; /* [loops_mutex] by nr */

	struct mutex mutex;
	struct file *file;	 /* [mutex, io and lock] owned; NULL: unbound */
	u64 offset, sizelimit;	 /* [mutex and io] bytes; 0: all */
	u32 flags;		 /* [a] LO_FLAGS_*, changed with mutex */
	char name[LO_NAME_SIZE]; /* [mutex] of the file, as its user says */
	struct sys_dir *sys;	 /* [mutex] loop/, while bound */
	bool leaving; /* [mutex] its only user lets go: no ioctl now */

	/* loop_io.c */
	struct mutex io;
	struct spinlock lock;	/* RANK_BLK */
	struct list_head queue; /* [lock] of bios, the first one first */
	u32 worker;		/* [lock] enum loop_worker */
	struct waitq wq;	/* worker, and who waits for its end */
};

/* What LOOP_CONFIGURE asks for. */
struct loop_setup {
	u64 offset, sizelimit;
	u32 flags;
	u32 block_size; /* 0: 512 */
	char name[LO_NAME_SIZE];
};

extern const struct blkdev_ops loop_ops;

/* --- loop.c; loop->mutex is held where there is a loop */
/* Takes its own reference to @file.  -EBUSY: bound already. */
int loop_bind(struct loop *lo, struct file *file, const struct loop_setup *s,
	      bool can_write);
/* Unbind when the last user goes; nobody may come if he is the only one. */
int loop_let_go(struct loop *lo);
/* -EBADF: @file is, or lies on, @lo itself; -EINVAL: nothing that can back it. */
int loop_may_back(const struct loop *lo, struct file *file);
u64 loop_file_sectors(struct file *file, u64 offset, u64 sizelimit);
/* Offset and limit, then partitions: what lies there is another thing now. */
void loop_set_range(struct loop *lo, u64 offset, u64 sizelimit);
int loop_change_file(struct loop *lo, struct file *file);
void loop_set_block_size(struct loop *lo, u32 size);
int loop_set_direct(struct loop *lo, bool on);
void loop_set_partscan(struct loop *lo);
/* Without the mutex.  @nr -1: any.  The number, or -errno. */
s64 loop_add(int nr);
int loop_remove(int nr);
s64 loop_get_free(void);

/* --- loop_io.c */
int loop_submit(struct blkdev *bd, struct bio *bio);
int loop_worker_start(struct loop *lo); /* lo->file is set */
void loop_worker_stop(struct loop *lo); /* all bios have ended */

/* --- loop_ioctl.c */
s64 loop_ioctl(struct blkdev *bd, unsigned int cmd, u64 arg, bool can_write);

/* --- loop_sysfs.c; loop->mutex is held */
void loop_sys_add(struct loop *lo);
void loop_sys_del(struct loop *lo);

/* Does it answer what is about its file?  The mutex is held. */
static inline bool loop_bound(const struct loop *lo)
{
	return lo->file && !lo->leaving;
}

static inline struct loop *loop_of(const struct blkdev *bd)
{
	return bd->whole->priv;
}

#endif /* FS_LOOP_LOOP_H */
