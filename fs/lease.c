/* SPDX-License-Identifier: MIT */
/*
 * fs/lease.c - leases: who holds one is told by a signal before somebody else opens
 * the file, or cuts it, in a way that the lease excludes.
 *
 * Leases are rare: they are on one list, and an open looks at it only while it is
 * not empty.  Who wants the file waits until the lease is given up or downgraded,
 * and takes it away after lease_break_time seconds.
 *
 * Locking: lease_lock.  Signals are sent without it.
 */
#include <fs/internal.h>
#include <fs/locks.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define POLL_MSG 3     /* si_code */
#define BAND_MSG 0x441 /* POLLIN, POLLRDNORM, POLLMSG */

struct lease {
	struct list_head node; /* [lease_lock] leases */
	struct file *file;     /* [I] not counted: its release() frees us */
	int pid;	       /* [lease_lock] who set it */
	int fd;		       /* [lease_lock] for the signal */
	int type;	       /* [lease_lock] F_RDLCK or F_WRLCK */
	int target;	       /* [lease_lock] what it shall become; or type */
	u64 until; /* [lease_lock] CLOCK_MONOTONIC, when it is broken */
};

u32 lease_break_time = 45; /* [a] seconds */
u32 nr_leases;		   /* [a] */
static struct spinlock lease_lock = SPINLOCK_INIT("lease", RANK_INODE);
static struct list_head leases = LIST_HEAD_INIT(leases);
static struct waitq lease_wq = WAITQ_INIT(lease_wq);

static struct lease *lease_of(const struct file *f)
{
	struct lease *l;

	list_for_each_entry(l, &leases, node) {
		if (l->file == f)
			return l;
	}
	return NULL;
}

static void remove_locked(struct lease *l)
{
	list_del(&l->node);
	atomic_dec(&nr_leases);
	wake_up_all(&lease_wq);
}

void lease_release(struct file *f)
{
	struct lease *l;

	spin_lock(&lease_lock);
	l = lease_of(f);
	if (l)
		remove_locked(l);
	spin_unlock(&lease_lock);
	kfree(l);
}

u32 lease_copy(struct lock_info *to, u32 room, const struct file *f)
{
	struct lease *l;
	u32 n = 0;

	spin_lock(&lease_lock);
	list_for_each_entry(l, &leases, node) {
		if (n == room || (f && l->file != f))
			continue;
		to[n++] = (struct lock_info){
			.kind = "LEASE ",
			.state = l->target == l->type ? "ACTIVE   "
						      : "BREAKING ",
			.type = l->target,
			.pid = l->pid,
			.dev = l->file->inode->sb->dev,
			.ino = l->file->inode->ino,
			.end = FLOCK_EOF,
		};
	}
	spin_unlock(&lease_lock);
	return n;
}

int lease_get(struct file *f)
{
	struct lease *l;
	int type = F_UNLCK;

	spin_lock(&lease_lock);
	l = lease_of(f);
	if (l)
		type = l->target;
	spin_unlock(&lease_lock);
	return type;
}

/* Is the file open as a lease of @type on @f excludes? */
static bool is_open_else(const struct file *f, int type)
{
	const struct inode *i = f->inode;

	if (type == F_RDLCK)
		return load_once(&i->writecount) > 0;
	return load_once(&i->writecount) != f->wrote ||
	       load_once(&i->readcount) != f->counted_read;
}

/* Another's lease that does not go with one of @type.  lease_lock held. */
static bool is_leased_else(const struct file *f, int type)
{
	struct lease *l;

	list_for_each_entry(l, &leases, node) {
		if (l->file->inode == f->inode && l->file != f &&
		    (type == F_WRLCK || l->type == F_WRLCK ||
		     l->target == F_UNLCK))
			return true;
	}
	return false;
}

static int set_locked(struct file *f, int fd, int type, struct lease **fresh)
{
	struct lease *l = lease_of(f);

	if (is_open_else(f, type) || is_leased_else(f, type))
		return -EAGAIN;
	if (l && l->target != l->type && type != l->target)
		return -EAGAIN; /* being broken: it can but be given up */
	if (!l) {
		l = *fresh;
		*fresh = NULL;
		l->file = f;
		list_add_tail(&l->node, &leases);
		atomic_inc(&nr_leases);
	}
	l->pid = current->proc->pid;
	l->fd = fd;
	l->type = l->target = type;
	wake_up_all(&lease_wq);
	return 0;
}

static int give_up(struct file *f)
{
	bool had;

	spin_lock(&lease_lock);
	had = lease_of(f) != NULL;
	spin_unlock(&lease_lock);
	lease_release(f);
	return had ? 0 : -EAGAIN;
}

int lease_set(struct file *f, int fd, int type)
{
	struct lease *fresh;
	int err;

	if (!f->inode || !S_ISREG(f->inode->mode))
		return -EINVAL;
	if (current_cred()->fsuid != f->inode->uid && !capable(CAP_LEASE))
		return -EACCES;
	if (type == F_UNLCK)
		return give_up(f);
	if (type != F_RDLCK && type != F_WRLCK)
		return -EINVAL;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&lease_lock);
	err = set_locked(f, fd, type, &fresh);
	if (!err)
		owner_default(&f->owner);
	spin_unlock(&lease_lock);
	kfree(fresh);
	return err;
}

/* The lease in the way of who wants to write (or only read) @i. */
static struct lease *in_the_way(const struct inode *i, bool write)
{
	struct lease *l;

	list_for_each_entry(l, &leases, node) {
		if (l->file->inode == i && (write || l->type == F_WRLCK))
			return l;
	}
	return NULL;
}

/* Tell the holder, once; false: nothing is in the way (any more). */
static bool ask(const struct inode *i, bool write, u64 *until)
{
	struct siginfo si = { .code = POLL_MSG, .poll.band = BAND_MSG };
	int want = write ? F_UNLCK : F_RDLCK, sig = 0;
	struct file_owner owner = { .pid = 0 };
	struct lease *l;

	spin_lock(&lease_lock);
	l = in_the_way(i, write);
	if (l && l->target == l->type) {
		l->until = clock_mono_ns() +
			   load_once(&lease_break_time) * NSEC_PER_SEC;
		owner_update(&owner, &l->file->owner);
		si.poll.fd = l->fd;
		sig = (int)l->file->owner_sig;
	}
	if (l && l->target != F_UNLCK)
		l->target = want;
	if (l && l->until <= clock_mono_ns()) {
		if (l->target == F_UNLCK) {
			remove_locked(l);
		} else {
			l->type = l->target;
			l = NULL;
		}
		spin_unlock(&lease_lock);
		owner_clear(&owner);
		kfree(l);
		return true; /* look again */
	}
	if (l)
		*until = l->until;
	spin_unlock(&lease_lock);
	(void)owner_signal(&owner, sig ? sig : SIGIO, &si);
	owner_clear(&owner);
	return l != NULL;
}

static bool is_blocked(const struct inode *i, bool write)
{
	bool b;

	spin_lock(&lease_lock);
	b = in_the_way(i, write) != NULL;
	spin_unlock(&lease_lock);
	return b;
}

int lease_break_slow(struct inode *i, bool write, bool nonblock)
{
	u64 until = 0;
	s64 err;

	while (ask(i, write, &until)) {
		if (nonblock)
			return -EAGAIN;
		err = wait_event_interruptible_timeout(
			&lease_wq, !is_blocked(i, write), until);
		if (err && err != -ETIMEDOUT)
			return (int)err;
	}
	return 0;
}
