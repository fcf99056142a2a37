/* SPDX-License-Identifier: MIT */
/*
 * fs/locks.c - advisory locks on files.
 *
 * All locks of an inode are on its list flocks.  flock() locks conflict among
 * themselves, record locks (of a process or of an open file description) among
 * themselves; their owners are the open file, the descriptor table and the open
 * file again.  Everybody who waits for a lock waits on one queue and looks
 * again when any lock was given up.  Files without an inode (epoll, eventfd ...) have one
 * list together, as on Linux.
 *
 * INVARIANTS
 *   L0  The list has owners in the order in which they came, and what is one's in the
 *       order of starts.
 *   L1  Record locks of one owner do not overlap, and neighbours of the same
 *       type are one lock.
 *   L2  Every waiter for a process's record lock is on the list `waiters' with
 *       the owner it waits for; a request that would close a circle of these is
 *       refused (-EDEADLK).
 *
 * Locking: flock_lock (RANK_INODE).  Memory is allocated before it is taken.
 */
#include <fs/anon.h>
#include <fs/internal.h>
#include <fs/locks.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

#define MAX_CHAIN 64 /* longest circle that is looked for */

enum lock_kind {
	KIND_FLOCK,
	KIND_POSIX,
	KIND_OFD,
};

struct file_lock {
	struct list_head node;	   /* [flock_lock] inode->flocks */
	struct list_head held;	   /* [flock_lock] all_locks, while on that */
	const struct inode *inode; /* [flock_lock] likewise */
	enum lock_kind kind;	   /* [I] */
	const void *owner;	   /* [I] */
	const struct file *file;   /* [I] by which it was set; not counted, and
				    * perhaps gone: only to be compared */
	int pid;		   /* [I] */
	int type;		   /* [flock_lock] F_RDLCK or F_WRLCK */
	u64 start, end;		   /* [flock_lock] inclusive */
};

struct lock_waiter {
	struct list_head node; /* [flock_lock] waiters */
	const void *owner, *blocker;
};

static struct spinlock flock_lock = SPINLOCK_INIT("flock", RANK_INODE);
static struct list_head waiters = LIST_HEAD_INIT(waiters);
static struct list_head all_locks = LIST_HEAD_INIT(all_locks);
static u32 nr_locks; /* [flock_lock] of all_locks */
static struct waitq flock_wq = WAITQ_INIT(flock_wq);
static u64 unlock_count; /* [flock_lock] grows when a lock was given up */

static bool same_family(enum lock_kind a, enum lock_kind b)
{
	return (a == KIND_FLOCK) == (b == KIND_FLOCK);
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

/* The first lock of @whose owner in its range, or NULL.  flock_lock held. */
static struct file_lock *own_lock(struct inode *i,
				  const struct file_lock *whose)
{
	struct file_lock *l;

	list_for_each_entry(l, &i->flocks, node) {
		if (same_owner(l, whose) && l->end >= whose->start &&
		    l->start <= whose->end)
			return l;
	}
	return NULL;
}

/* The first lock in the way of @want, or NULL.  flock_lock held. */
static struct file_lock *blocker_of(struct inode *i,
				    const struct file_lock *want)
{
	struct file_lock *l;

	list_for_each_entry(l, &i->flocks, node) {
		if (!same_family(l->kind, want->kind) || same_owner(l, want))
			continue;
		if (l->end < want->start || l->start > want->end)
			continue;
		if (l->type == F_WRLCK || want->type == F_WRLCK)
			return l;
	}
	return NULL;
}

/* Linux, too: owners as they came, what is one's by start.  F_GETLK tells the first. */
static void insert_sorted(struct inode *i, struct file_lock *fresh)
{
	struct list_head *before = &i->flocks;
	struct file_lock *l;

	list_for_each_entry(l, &i->flocks, node) {
		if (!same_owner(l, fresh))
			continue;
		before = l->start < fresh->start ? l->node.next : &l->node;
		if (l->start >= fresh->start)
			break;
	}
	list_add_tail(&fresh->node, before);
	fresh->inode = i;
	list_add(&fresh->held, &all_locks); /* Linux, too: the newest first */
	nr_locks++;
}

/* flock_lock held; the caller frees what is on @dead. */
static void bury(struct file_lock *l, struct list_head *dead)
{
	list_move(&l->node, dead);
	list_del(&l->held);
	nr_locks--;
}

/* Overlap, or same type and touching: @l changes when @want is applied. */
static bool affected(const struct file_lock *l, const struct file_lock *want)
{
	if (l->start <= want->end && want->start <= l->end)
		return true;
	return l->type == want->type &&
	       (l->end + 1 == want->start || want->end + 1 == l->start);
}

/*
 * Apply @want, which nobody blocks (type F_UNLCK: give the range up).  @spare
 * is used when a lock is cut in two, @want when it becomes a lock; both are
 * NULLed then.  What is no longer needed goes to @dead.
 */
static void apply(struct inode *i, struct file_lock **want_p,
		  struct file_lock **spare, struct list_head *dead)
{
	struct file_lock *want = *want_p, *l, *tmp;

	if (want->type != F_UNLCK) {
		insert_sorted(i, want);
		*want_p = NULL;
	}
	list_for_each_entry_safe(l, tmp, &i->flocks, node) {
		if (l == want || !same_owner(l, want) || !affected(l, want))
			continue;
		if (l->type == want->type) {
			want->start = min(want->start, l->start);
			want->end = max(want->end, l->end);
			bury(l, dead);
		} else if (l->start < want->start && l->end > want->end) {
			**spare = *l;
			(*spare)->start = want->end + 1;
			l->end = want->start - 1;
			list_init(&(*spare)->node);
			insert_sorted(i, *spare);
			*spare = NULL;
			break;
		} else if (l->start < want->start) {
			l->end = want->start - 1;
		} else if (l->end > want->end) {
			l->start = want->end + 1;
		} else {
			bury(l, dead);
		}
	}
}

static void free_dead(struct list_head *dead)
{
	struct file_lock *l;

	while (!list_empty(dead)) {
		l = list_first_entry(dead, struct file_lock, node);
		list_del(&l->node);
		kfree(l);
	}
}

/* Would waiting of @owner for @blocker close a circle (L2)? */
static bool deadlock(const void *owner, const void *blocker)
{
	struct lock_waiter *w;
	int hops;

	for (hops = 0; hops < MAX_CHAIN; hops++) {
		const void *next = NULL;

		if (blocker == owner)
			return true;
		list_for_each_entry(w, &waiters, node) {
			if (w->owner == blocker)
				next = w->blocker;
		}
		if (!next)
			return false;
		blocker = next;
	}
	return false;
}

/*
 * flock() that turns one type into the other gives up what was held before it
 * looks who is in the way: else two who share and want it alone would wait for
 * each other.  True: something was held.  flock_lock held.
 */
static bool give_up_other(struct inode *i, const struct file_lock *want,
			  struct list_head *dead)
{
	struct file_lock *old = own_lock(i, want);

	if (!old || old->type == want->type)
		return false;
	bury(old, dead);
	return true;
}

/* What flock() asks for is held already, and stays whose it was. */
static bool flocked(struct inode *i, const struct file_lock *want)
{
	const struct file_lock *old;

	if (want->kind != KIND_FLOCK || want->type == F_UNLCK)
		return false;
	old = own_lock(i, want);
	return old && old->type == want->type;
}

/* 0: applied; -EAGAIN: blocked, *@w says by whom and *@seen when. */
static int try_lock(struct inode *i, struct file_lock **want,
		    struct file_lock **spare, struct lock_waiter *w, u64 *seen)
{
	struct list_head dead = LIST_HEAD_INIT(dead);
	struct file_lock *blocker = NULL;
	bool released, lost = false;
	int err = 0;

	spin_lock(&flock_lock);
	if ((*want)->type != F_UNLCK)
		blocker = blocker_of(i, *want);
	if (blocker && (*want)->kind == KIND_FLOCK)
		lost = give_up_other(i, *want, &dead);
	if (blocker) {
		w->owner = (*want)->owner;
		w->blocker = blocker->owner;
		err = -EAGAIN;
		if ((*want)->kind == KIND_POSIX &&
		    deadlock(w->owner, w->blocker))
			err = -EDEADLK;
	} else if (!flocked(i, *want)) {
		apply(i, want, spare, &dead);
	}
	released = !err || lost; /* a downgrade frees as well */
	if (released)
		unlock_count++;
	*seen = unlock_count;
	spin_unlock(&flock_lock);
	free_dead(&dead);
	if (released)
		wake_up_all(&flock_wq);
	return err;
}

static u64 unlocks(void)
{
	u64 n;

	spin_lock(&flock_lock);
	n = unlock_count;
	spin_unlock(&flock_lock);
	return n;
}

/* Wait until something was unlocked since @seen. */
static int wait_unlock(struct lock_waiter *w, bool posix, u64 seen)
{
	int err;

	list_init(&w->node);
	if (posix) {
		spin_lock(&flock_lock);
		list_add(&w->node, &waiters);
		spin_unlock(&flock_lock);
	}
	err = wait_event_interruptible(&flock_wq, unlocks() != seen);
	spin_lock(&flock_lock);
	list_del(&w->node);
	spin_unlock(&flock_lock);
	return err;
}

/* Takes a copy of @proto and makes it a lock. */
static int set_lock(struct inode *i, const struct file_lock *proto, bool wait)
{
	struct file_lock *want = kmemdup(proto, sizeof(*proto));
	struct file_lock *spare = kmemdup(proto, sizeof(*proto));
	struct lock_waiter w;
	u64 seen = 0;
	int err;

	if (!want || !spare) {
		err = -ENOLCK;
		goto out;
	}
	list_init(&want->node);
	for (;;) {
		err = try_lock(i, &want, &spare, &w, &seen);
		if (err == -EDEADLK && !wait)
			err = -EAGAIN;
		if (err != -EAGAIN || !wait)
			break;
		err = wait_unlock(&w, proto->kind == KIND_POSIX, seen);
		if (err)
			break;
	}
out:
	kfree(want);
	kfree(spare);
	return err;
}

#define LOCK_MAND 32

int flock_file(struct file *f, int op)
{
	struct file_lock l = {
		.kind = KIND_FLOCK,
		.owner = f,
		.file = f,
		.pid = current_process()->pid,
		.end = FLOCK_EOF,
	};

	if (op & LOCK_MAND) /* as Linux since 5.5: nothing, and no error */
		return 0;
	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		l.type = F_RDLCK;
		break;
	case LOCK_EX:
		l.type = F_WRLCK;
		break;
	case LOCK_UN:
		l.type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	if (f->ops->lock) {
		struct flock_range r = { .type = l.type, .end = FLOCK_EOF };
		int err = f->ops->lock(
			f, &r, op & LOCK_NB ? LOCK_FLOCK : LOCK_FLOCK_WAIT, f);

		if (err != -ENOSYS)
			return err;
	}
	return set_lock(anon_inode_of(f), &l, !(op & LOCK_NB));
}

static void init_record(struct file_lock *l, struct file *f,
			const struct flock_range *r, bool ofd)
{
	*l = (struct file_lock){
		.kind = ofd ? KIND_OFD : KIND_POSIX,
		.owner = ofd ? (void *)f : (void *)current->files,
		.file = f,
		.pid = ofd ? -1 : current_process()->pid,
		.type = r->type,
		.start = r->start,
		.end = r->end,
	};
}

int locks_set(struct file *f, const struct flock_range *r, bool ofd, bool wait)
{
	struct file_lock l;

	if ((r->type == F_RDLCK && !f->can_read) ||
	    (r->type == F_WRLCK && !f->can_write))
		return -EBADF;
	init_record(&l, f, r, ofd);
	if (f->ops->lock) {
		struct flock_range want = *r;
		int err = f->ops->lock(
			f, &want, wait ? LOCK_SET_WAIT : LOCK_SET, l.owner);

		if (err != -ENOSYS)
			return err;
	}
	return set_lock(anon_inode_of(f), &l, wait);
}

int locks_get(struct file *f, struct flock_range *r, bool ofd)
{
	struct file_lock l, *blocker;

	init_record(&l, f, r, ofd);
	if (f->ops->lock) {
		int err = f->ops->lock(f, r, LOCK_GET, l.owner);

		if (err != -ENOSYS)
			return err;
	}
	spin_lock(&flock_lock);
	/* To give up what nobody has given asks for one's own. */
	blocker = l.type == F_UNLCK ? own_lock(anon_inode_of(f), &l)
				    : blocker_of(anon_inode_of(f), &l);
	r->type = F_UNLCK;
	if (blocker) {
		r->type = blocker->type;
		r->start = blocker->start;
		r->end = blocker->end;
		r->pid = blocker->pid;
	}
	spin_unlock(&flock_lock);
	return 0;
}

/* Drop every lock of @owner and @kind (and, of a file, both its kinds). */
static void drop_all(struct inode *i, const void *owner, bool posix)
{
	struct list_head dead = LIST_HEAD_INIT(dead);
	struct file_lock *l, *tmp;
	bool any;

	spin_lock(&flock_lock);
	list_for_each_entry_safe(l, tmp, &i->flocks, node) {
		if (l->owner == owner && (l->kind == KIND_POSIX) == posix)
			bury(l, &dead);
	}
	any = !list_empty(&dead);
	if (any)
		unlock_count++;
	spin_unlock(&flock_lock);
	free_dead(&dead);
	if (any)
		wake_up_all(&flock_wq);
}

/* Close of a descriptor: the process loses its record locks on the file. */
void posix_locks_release(struct file *f, void *owner)
{
	struct inode *i = anon_inode_of(f);

	if (unlikely(!list_empty(&i->flocks)))
		drop_all(i, owner, true);
}

/* The open file description is gone. */
void file_locks_release(struct file *f)
{
	struct inode *i = anon_inode_of(f);

	if (unlikely(!list_empty(&i->flocks)))
		drop_all(i, f, false);
}

static const char *const kind_names[] = {
	[KIND_FLOCK] = "FLOCK ",
	[KIND_POSIX] = "POSIX ",
	[KIND_OFD] = "OFDLCK",
};

static void tell(struct lock_info *to, const struct file_lock *l)
{
	*to = (struct lock_info){
		.kind = kind_names[l->kind],
		.state = "ADVISORY ",
		.type = l->type,
		.pid = l->pid,
		.dev = l->inode->sb->dev,
		.ino = l->inode->ino,
		.start = l->start,
		.end = l->end,
	};
}

/* Up to @room of them.  flock_lock held. */
static u32 copy_all(struct lock_info *to, u32 room)
{
	struct file_lock *l;
	u32 n = 0;

	list_for_each_entry(l, &all_locks, held) {
		if (n == room)
			break;
		tell(&to[n++], l);
	}
	return n;
}

static u32 copy_of(const struct file *f, const void *files,
		   struct lock_info *to, u32 room)
{
	struct file_lock *l;
	u32 n = 0;

	list_for_each_entry(l, &anon_inode_of(f)->flocks, node) {
		if (n < room && l->file == f &&
		    (l->owner == f || l->owner == files))
			tell(&to[n++], l);
	}
	return n;
}

static int show(const struct file *f, const void *files, lock_fn *fn, void *ctx)
{
	/* Those that come meanwhile are for the next reader. */
	u32 room = load_once(&nr_locks) + load_once(&nr_leases), n;
	struct lock_info *l;

	if (!room)
		return 0;
	l = kmalloc(room * sizeof(*l));
	if (!l)
		return -ENOMEM;
	spin_lock(&flock_lock);
	n = f ? copy_of(f, files, l, room) : copy_all(l, room);
	spin_unlock(&flock_lock);
	n += lease_copy(l + n, room - n, f);
	for (u32 i = 0; i < n; i++) {
		l[i].nr = i + 1;
		fn(&l[i], ctx);
	}
	kfree(l);
	return 0;
}

int locks_for_each(lock_fn *fn, void *ctx)
{
	return show(NULL, NULL, fn, ctx);
}

int locks_of_file(const struct file *f, const void *files, lock_fn *fn,
		  void *ctx)
{
	return show(f, files, fn, ctx);
}
