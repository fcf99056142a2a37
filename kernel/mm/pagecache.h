/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pagecache.h - pages of files, for read, write, mmap and exec alike.
 *
 * A struct mapping is embedded in an inode (or block device).  Its pages are
 * found by index in a radix tree under mapping->lock and each has a reference
 * from the cache.  A page's content may be read by whoever has a reference while
 * PG_UPTODATE; it is filled, truncated and written back under PG_LOCKED.
 *
 * Write: page_lock, prepare (write_begin), copy, commit (write_end: dirty, size).
 * Dirty pages are written by the flusher thread after dirty_expire, by fsync, by
 * sync, and by memory pressure.
 *
 * Context: coroutine unless said.  Locking: mapping->lock (RANK_PAGECACHE).
 */
#ifndef KERNEL_MM_PAGECACHE_H
#define KERNEL_MM_PAGECACHE_H

#include <kernel/file/iov.h>
#include <kernel/mm/page.h>
#include <kernel/mm/radix.h>
#include <kernel/sched/wait.h>

struct file;
struct vma;
struct mapping;

struct mapping_ops {
	/* Fill @pg (locked, not uptodate) and unlock it when done: sets
	 * PG_UPTODATE or PG_ERROR (page_end_read()).  May return before the I/O
	 * has ended.  The page is unlocked in the end whatever is returned.
	 * NULL: pages that were never written are zeroes. */
	int (*readpage)(struct mapping *m, struct page *pg);
	/* Fill several consecutive new locked pages (read-ahead).  Optional. */
	int (*readpages)(struct mapping *m, struct page **pg, unsigned int nr);
	/* Write @pg (locked, dirty bit already cleared, PG_WRITEBACK set); calls
	 * page_end_writeback() when the device is done.  Unlocks it, at once or
	 * then.  Both happen whatever is returned. */
	int (*writepage)(struct mapping *m, struct page *pg);
	/* Batch form for consecutive pages.  Optional. */
	int (*writepages)(struct mapping *m, struct page **pg, unsigned int nr);
	/* Before bytes [from, to) of locked @pg are overwritten: allocate blocks,
	 * read (or clear) what is not overwritten.  0 or -errno.  Also called for a
	 * page that is about to be written through a mapping, with mm->lock held:
	 * must not take the inode's lock.  NULL: the rest is cleared. */
	int (*write_begin)(struct mapping *m, struct page *pg,
			   unsigned int from, unsigned int to);
	/* They have been, and the page is uptodate now; update the size, mark
	 * dirty (page_set_dirty). */
	int (*write_end)(struct mapping *m, struct page *pg, unsigned int from,
			 unsigned int to);
	/* A mapping is about to store into a page that it could not store into
	 * until now; context as write_begin(), but no page is locked.  Optional. */
	int (*store)(struct mapping *m);
	/* It may now, or not.  Optional; called when store() was and did not fail. */
	void (*stored)(struct mapping *m);
	/* A private page state is dropped (truncate, reclaim): page locked,
	 * mapping->lock held.  Optional. */
	void (*releasepage)(struct mapping *m, struct page *pg);
	bool no_writeback; /* tmpfs: pages live here only, never reclaimed */
};

struct mapping {
	struct spinlock lock;	       /* RANK_PAGECACHE */
	struct radix pages;	       /* [lock] by index, tags: radix.h */
	u64 nr_pages;		       /* [lock] */
	u64 nr_dirty;		       /* [lock] */
	const struct mapping_ops *ops; /* [I] */
	void *host;		     /* [I] struct inode * or struct blkdev * */
	u64 size;		     /* [a] bytes: end of file for reads */
	struct mutex i_mmap;	     /* guards vmas */
	struct list_head vmas;	     /* [i_mmap] of struct vma by map_node */
	struct list_head dirty_node; /* [dirty list lock] */
	u64 dirtied_when_ns;	     /* [dirty list lock] */
	bool flushing;	     /* [dirty list lock] the flusher is at it */
	u32 wb_errors;	     /* [a] of writing back: mapping_error_*() */
	const u32 *ra_pages; /* [I] largest read-ahead, its device's; or NULL */
};

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host);
/* Drop every page.  Nobody uses the mapping any more (inode eviction). */
void mapping_destroy(struct mapping *m);

/* Cached page with a reference or NULL; no I/O. */
struct page *mapping_find(struct mapping *m, u64 index);
/* The first one at or behind *@index, which becomes its. */
struct page *mapping_find_next(struct mapping *m, u64 *index);
/* Cached or new page, locked, with a reference; ERR_PTR(-ENOMEM). */
struct page *mapping_grab(struct mapping *m, u64 index);
/* Uptodate page with a reference (reads it if need be, with read-ahead when @f
 * is given); ERR_PTR(-EIO, -ENOMEM). */
struct page *mapping_read(struct mapping *m, u64 index, struct file *f);

void page_lock(struct page *pg); /* may sleep */
bool page_trylock(struct page *pg);
void page_unlock(struct page *pg); /* any context */
void page_wait_writeback(struct page *pg);
void page_end_writeback(struct page *pg, int status); /* any context */
void page_end_read(struct page *pg,
		   int status); /* sets flags, unlocks; any context */
void page_set_dirty(struct page *pg);

/* The usual file_ops over a mapping. */
s64 mapping_file_read(struct mapping *m, struct file *f, struct iov_iter *to,
		      u64 *pos);
/* Caller holds the inode's write lock.  Does not extend m->size itself: write_end
 * does.  Balances dirty pages. */
s64 mapping_file_write(struct mapping *m, struct file *f, struct iov_iter *from,
		       u64 *pos);
int mapping_mmap(struct mapping *m, struct file *f, struct vma *vma);

/* Truncate: drop pages beyond @size (and zero the tail of the last one in memory),
 * user mappings too.  Caller set m->size first. */
void mapping_truncate(struct mapping *m, u64 size);
/* Drop whole pages in [start, end) bytes, zero partial ones (hole punching). */
void mapping_punch(struct mapping *m, u64 start, u64 end);
/* Drop clean unused pages in [start,end) pages (fadvise, drop_caches). */
u64 mapping_invalidate(struct mapping *m, u64 start, u64 end);

/* Write dirty pages in bytes [start, end) and, if @wait, wait for them; reports
 * what failed meanwhile. */
int mapping_sync(struct mapping *m, u64 start, u64 end, bool wait);
/* Are pages dirty, or (perhaps) on their way?  Any lock below RANK_PAGECACHE. */
bool mapping_unsettled(struct mapping *m);
/* The same, waiting, for @f: also an error of earlier that it has not heard of. */
int mapping_fsync(struct mapping *m, struct file *f, u64 start, u64 end);

/*
 * Errors of writing back, so that each open file hears of each once.  A file that
 * is opened takes note of those that somebody has heard of (mapping_error_seen());
 * one that nobody has is news to it, too.
 */
void mapping_error_set(struct mapping *m, int err); /* any context */
u32 mapping_error_seen(const struct mapping *m);
/* The last error after *@seen, which moves on; or 0. */
int mapping_error_since(struct mapping *m, u32 *seen);
/* Start reading pages [first, first + nr); some of them, if there are too many. */
void mapping_readahead(struct mapping *m, u64 first, u64 nr);
void pagecache_sync_all(bool wait);
u64 pagecache_drop(void); /* all that is clean and not mapped; how many */

/* /proc/sys/vm: percent of what is free or cached, hundredths of a second. */
struct writeback_limits {
	u32 dirty_ratio;	    /* [a] writers wait above it */
	u32 dirty_background_ratio; /* [a] the flusher begins above it */
	u32 dirty_expire_cs;	    /* [a] how old a dirty file may become */
};
extern struct writeback_limits writeback_limits;
void writeback_limits_changed(void);
/* Dirty pages or free memory are at their limit: a kernel thread that makes pages
 * dirty, and is never made to wait for that, had better write them now. */
bool writeback_pressed(void);
/* Free clean pages for an allocation with @gfp; returns how many. */
u64 pagecache_reclaim(u64 nr_pages, u32 gfp);
void pagecache_init(void); /* starts the flusher thread */

#endif /* KERNEL_MM_PAGECACHE_H */
