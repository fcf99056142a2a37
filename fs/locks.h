/* SPDX-License-Identifier: MIT */
/*
 * fs/locks.h - advisory locks: flock(2), POSIX record locks, OFD locks.
 *
 * Context: coroutine; the _wait forms suspend.
 */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H

#include <fs/vfs.h>
#include <lib/atomic.h>

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

/* A range; end is inclusive, FLOCK_EOF: to the end of the file. */
#define FLOCK_EOF 0x7fffffffffffffffull
struct flock_range {
	int type; /* F_RDLCK .. */
	u64 start, end;
	int pid; /* holder, from locks_get(); -1 for an OFD lock */
};

/* --- leases (lease.c) */
extern u32 lease_break_time;			 /* [a] seconds */
extern u32 nr_leases;				 /* [a] */
int lease_set(struct file *f, int fd, int type); /* F_RDLCK .. */
int lease_get(struct file *f);
void lease_release(struct file *f);
/* Somebody opens @i for writing, or cuts it, or only reads: 0, -EAGAIN, -ERESTARTSYS.
 */
int lease_break_slow(struct inode *i, bool write, bool nonblock);
static inline int lease_break(struct inode *i, bool write, bool nonblock)
{
	return likely(!load_once(&nr_leases))
		       ? 0
		       : lease_break_slow(i, write, nonblock);
}

int flock_file(struct file *f, int op);
int locks_set(struct file *f, const struct flock_range *r, bool ofd, bool wait);
/* Who is in the way of @r?  type becomes F_UNLCK when nobody is. */
int locks_get(struct file *f, struct flock_range *r, bool ofd);

struct lock_info {
	u32 nr; /* from 1 */
	const char *kind, *state;
	int type; /* F_RDLCK .. */
	int pid;  /* -1 for an OFD lock */
	kdev_t dev;
	u64 ino;
	u64 start, end;
};
typedef void lock_fn(const struct lock_info *l, void *ctx);
/* All locks and leases that are held, or those that are through @f by it or by the
 * descriptor table @files.  @fn without a lock held.  0 or -ENOMEM. */
int locks_for_each(lock_fn *fn, void *ctx);
int locks_of_file(const struct file *f, const void *files, lock_fn *fn,
		  void *ctx);
/* Leases, of @f or all (NULL), to @to: how many, at most @room. */
u32 lease_copy(struct lock_info *to, u32 room, const struct file *f);

#endif /* FS_LOCKS_H */
