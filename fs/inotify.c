/* SPDX-License-Identifier: MIT */
/*
 * fs/inotify.c - files that report what happens to other files.
 *
 *	watch	(inotify file, inode, mask); holds the inode
 *	event	queued at the inotify file until it is read
 *
 * INVARIANTS
 *   I1  An inode has at most one watch of each inotify file.
 *   I2  A watch that is off the lists is seen by nobody; its inode is put without
 *       the lock.
 *
 * Locking: notify_lock for the lists of watches, and for all queues.
 */
#include <fs/notify.h>

#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/hash.h>
#include <lib/string.h>

#define FIONREAD   0x541bu
#define NR_BUCKETS 256u
#define NAME_ALIGN 16u

struct inotify {
	struct list_head events;   /* [notify_lock] of struct event */
	struct list_head watches;  /* [notify_lock] */
	u32 nr_events, nr_watches; /* [notify_lock] */
	u64 bytes;		   /* [notify_lock] what a read would give */
	int last_wd;		   /* [notify_lock] */
	u32 uid;		   /* [I] whose it counts as */
	struct list_head all;	   /* [notify_lock] in instances */
	struct waitq wq;
};

struct watch {
	struct list_head node;	 /* [notify_lock] in inotify->watches */
	struct list_head bucket; /* [notify_lock] by inode */
	struct inotify *in;	 /* [I] */
	struct inode *inode;	 /* [I] owned */
	u32 mask;		 /* [notify_lock] events and KEPT_FLAGS */
	int wd;			 /* [I] */
};

/* linux/inotify.h: struct inotify_event */
struct event_head {
	s32 wd;
	u32 mask, cookie, len;
};

struct event {
	struct list_head node; /* [notify_lock] */
	struct event_head head;
	char name[]; /* head.len bytes, padded with NULs */
};

#define KEPT_FLAGS (IN_ONESHOT | IN_EXCL_UNLINK)

u32 notify_nr_watches;
u64 inotify_max_instances = 128;

static struct list_head instances = LIST_HEAD_INIT(instances);
static struct spinlock notify_lock = SPINLOCK_INIT("inotify", RANK_PIPE);
static struct list_head buckets[NR_BUCKETS]; /* [notify_lock] */
static u32 cookies;			     /* [a] */

static int inotify_init(void)
{
	for (u32 i = 0; i < NR_BUCKETS; i++)
		list_init(&buckets[i]);
	return 0;
}
INITCALL(INIT_CORE, inotify_init);

u32 notify_new_cookie(void)
{
	return atomic_add_return(&cookies, 1u);
}

static struct list_head *bucket_of(const struct inode *i)
{
	return &buckets[hash64((u64)(uintptr_t)i) % NR_BUCKETS];
}

/* --- queueing; notify_lock held */

static bool same_as_last(const struct inotify *in, const struct event *e)
{
	const struct event *last;

	if (list_empty(&in->events))
		return false;
	last = list_last_entry(&in->events, struct event, node);
	return !memcmp(&last->head, &e->head, sizeof(e->head)) &&
	       !memcmp(last->name, e->name, e->head.len);
}

static struct event *event_new(const struct event_head *h, const char *name,
			       size_t len)
{
	u32 padded = len ? (u32)ALIGN_UP(len + 1, NAME_ALIGN) : 0;
	struct event *e = kzalloc(sizeof(*e) + padded);

	if (!e)
		return NULL;
	e->head = *h;
	e->head.len = padded;
	memcpy(e->name, name, len);
	return e;
}

static void queue_event(struct inotify *in, struct event_head h,
			const char *name, size_t len)
{
	struct event *e;

	if (in->nr_events >= INOTIFY_MAX_EVENTS) {
		h = (struct event_head){ .wd = -1, .mask = IN_Q_OVERFLOW };
		len = 0;
	}
	e = event_new(&h, name, len);
	if (!e || same_as_last(in, e)) {
		kfree(e);
		return;
	}
	list_add_tail(&e->node, &in->events);
	in->nr_events++;
	in->bytes += sizeof(e->head) + e->head.len;
	wake_up_all_key(&in->wq, POLLIN | POLLRDNORM);
}

/* Off the lists; the caller frees it and puts its inode. */
static void unlink_watch(struct watch *w, bool tell)
{
	struct event_head h = { .wd = w->wd, .mask = IN_IGNORED };

	list_del(&w->node);
	list_del(&w->bucket);
	w->in->nr_watches--;
	atomic_dec(&notify_nr_watches);
	if (tell)
		queue_event(w->in, h, "", 0);
}

static void free_watches(struct list_head *gone)
{
	struct watch *w, *next;

	list_for_each_entry_safe(w, next, gone, node) {
		list_del(&w->node);
		inode_put(w->inode);
		kfree(w);
	}
}

/* --- what the VFS says */

/* @skip: flags of watches that are not told. */
static void report_but(struct inode *inode, u32 event, u32 flags,
		       const char *name, size_t len, u32 cookie, u32 skip)
{
	struct watch *w, *next;
	struct list_head gone;

	if (unlikely(load_once(&nr_dnotify)))
		dnotify_report(inode, event);
	list_init(&gone);
	spin_lock(&notify_lock);
	list_for_each_entry_safe(w, next, bucket_of(inode), bucket) {
		struct event_head h = { w->wd, event | flags, cookie, 0 };
		bool ends = event & (IN_DELETE_SELF | IN_UNMOUNT);

		if (w->inode != inode || (w->mask & skip))
			continue;
		if ((w->mask & event) || event == IN_UNMOUNT)
			queue_event(w->in, h, name, len);
		if (ends || ((w->mask & event) && (w->mask & IN_ONESHOT))) {
			unlink_watch(w, true);
			list_add_tail(&w->node, &gone);
		}
	}
	spin_unlock(&notify_lock);
	free_watches(&gone);
}

static void report(struct inode *inode, u32 event, u32 flags, const char *name,
		   size_t len, u32 cookie)
{
	report_but(inode, event, flags, name, len, cookie, 0);
}

static u32 dir_flag(const struct inode *i)
{
	return i && S_ISDIR(i->mode) ? IN_ISDIR : 0;
}

void notify_self_slow(struct inode *inode, u32 event)
{
	report(inode, event, event == IN_ATTRIB ? dir_flag(inode) : 0, "", 0,
	       0);
}

void notify_unlinked_slow(struct dentry *d)
{
	struct inode *i = d->inode;

	if (!S_ISDIR(i->mode))
		notify_self_slow(i, IN_ATTRIB); /* its link count */
	/* In use otherwise: later, by notify_dentry_gone(). */
	if (!load_once(&i->nlink) && load_once(&d->refs) == (DREF_DEAD | 1))
		notify_self_slow(i, IN_DELETE_SELF);
}

void notify_name_slow(struct inode *dir, u32 event, const char *name,
		      size_t len, struct inode *inode, u32 cookie)
{
	report(dir, event, dir_flag(inode), name, len, cookie);
}

void notify_dentry_slow(struct dentry *d, u32 event)
{
	struct inode *dir, *inode = d->inode;
	char name[NAME_MAX + 1];
	u32 len, skip;

	spin_lock(&dcache_lock);
	skip = d_dead(d) ? IN_EXCL_UNLINK : 0;
	dir = d->parent != d ? d->parent->inode : NULL;
	if (dir)
		inode_get(dir);
	len = min(d->name_len, (u32)NAME_MAX);
	memcpy(name, d->name, len);
	spin_unlock(&dcache_lock);
	report(inode, event, dir_flag(inode), "", 0, 0);
	if (!dir)
		return;
	report_but(dir, event, dir_flag(inode), name, len, 0, skip);
	inode_put(dir);
}

void notify_inode_slow(struct inode *inode, u32 event)
{
	struct dentry *d = NULL;

	spin_lock(&dcache_lock);
	if (!list_empty(&inode->dentries))
		d = dentry_get(list_first_entry(&inode->dentries, struct dentry,
						alias));
	spin_unlock(&dcache_lock);
	if (!d) {
		report(inode, event, dir_flag(inode), "", 0, 0);
		return;
	}
	notify_dentry_slow(d, event);
	dentry_put(d);
}

/* A watched inode of @sb with a reference, or NULL. */
static struct inode *watched_inode(const struct super_block *sb)
{
	struct inode *found = NULL;
	struct watch *w;

	spin_lock(&notify_lock);
	for (u32 i = 0; i < NR_BUCKETS && !found; i++) {
		list_for_each_entry(w, &buckets[i], bucket) {
			if (w->inode->sb == sb) {
				found = inode_get(w->inode);
				break;
			}
		}
	}
	spin_unlock(&notify_lock);
	return found;
}

void notify_drop_sb(struct super_block *sb)
{
	struct inode *i;

	while (notify_active() && (i = watched_inode(sb))) {
		report(i, IN_UNMOUNT, 0, "", 0, 0);
		inode_put(i);
	}
}

/* --- the file */

/* The first event if it fits into @room: NULL: none; -EINVAL: it does not. */
static struct event *take(struct inotify *in, size_t room)
{
	struct event *e;

	spin_lock(&notify_lock);
	e = list_first_entry_or_null(&in->events, struct event, node);
	if (e && sizeof(e->head) + e->head.len > room) {
		e = ERR_PTR(-EINVAL);
	} else if (e) {
		list_del(&e->node);
		in->nr_events--;
		in->bytes -= sizeof(e->head) + e->head.len;
	}
	spin_unlock(&notify_lock);
	return e;
}

static s64 give(struct event *e, struct iov_iter *to)
{
	size_t n = sizeof(e->head) + e->head.len, moved;

	moved = copy_to_iter(&e->head, sizeof(e->head), to);
	moved += copy_to_iter(e->name, e->head.len, to);
	kfree(e);
	return moved == n ? (s64)n : -EFAULT;
}

static s64 inotify_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct inotify *in = f->priv;
	s64 done = 0, r;

	for (;;) {
		struct event *e = take(in, iov_iter_count(to));

		if (IS_ERR(e))
			return done ? done : PTR_ERR(e);
		if (e) {
			r = give(e, to);
			if (r < 0)
				return done ? done : r;
			done += r;
			continue;
		}
		if (done)
			return done;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&in->wq, !list_empty(&in->events));
		if (r)
			return r;
	}
}

static u32 inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *in = f->priv;

	poll_wait(pt, f, &in->wq);
	return list_empty(&in->events) ? 0 : POLLIN | POLLRDNORM;
}

static s64 inotify_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct inotify *in = f->priv;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user_u32((u32)load_once(&in->bytes), arg);
}

static void inotify_release(struct file *f)
{
	struct inotify *in = f->priv;
	struct list_head gone;
	struct watch *w, *wnext;
	struct event *e, *enext;

	list_init(&gone);
	spin_lock(&notify_lock);
	list_del(&in->all);
	list_for_each_entry_safe(w, wnext, &in->watches, node) {
		unlink_watch(w, false);
		list_add_tail(&w->node, &gone);
	}
	spin_unlock(&notify_lock);
	free_watches(&gone);
	list_for_each_entry_safe(e, enext, &in->events, node) {
		list_del(&e->node);
		kfree(e);
	}
	kfree(in);
}

/* As in /proc/<pid>/fdinfo/<n>: a line for each watch, as many as there is room
 * for. */
static size_t inotify_fdinfo(struct file *f, char *buf, size_t n)
{
	struct inotify *in = f->priv;
	struct watch *w;
	size_t len = 0;

	spin_lock(&notify_lock);
	list_for_each_entry(w, &in->watches, node) {
		if (len + 96 > n)
			break;
		len += (size_t)scnprintf(
			buf + len, n - len,
			"inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0\n",
			w->wd, w->inode->ino, w->inode->sb->dev, w->mask);
	}
	spin_unlock(&notify_lock);
	return len;
}

static const struct file_ops inotify_fops = {
	.fdinfo = inotify_fdinfo,
	.sigio = true,
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
	.anon_name = "anon_inode:inotify",
};

/* Put @in on the list, if its user may have one more. */
static bool enlist(struct inotify *in)
{
	const struct inotify *other;
	u64 nr = 0;

	spin_lock(&notify_lock);
	list_for_each_entry(other, &instances, all)
		nr += other->uid == in->uid;
	if (nr < load_once(&inotify_max_instances))
		list_add_tail(&in->all, &instances);
	spin_unlock(&notify_lock);
	return list_is_linked(&in->all);
}

struct file *inotify_create(bool nonblock)
{
	struct inotify *in = kzalloc(sizeof(*in));
	struct file *f;

	if (!in)
		return ERR_PTR(-ENOMEM);
	list_init(&in->events);
	list_init(&in->watches);
	list_init(&in->all);
	waitq_init(&in->wq);
	in->uid = fs_cred()->uid;
	if (!enlist(in)) {
		kfree(in);
		return ERR_PTR(-EMFILE);
	}
	f = file_alloc(&inotify_fops, O_RDONLY | (nonblock ? O_NONBLOCK : 0),
		       in);
	if (f)
		return f;
	spin_lock(&notify_lock);
	list_del(&in->all);
	spin_unlock(&notify_lock);
	kfree(in);
	return ERR_PTR(-ENOMEM);
}

static struct watch *find(struct inotify *in, const struct inode *inode)
{
	struct watch *w;

	list_for_each_entry(w, bucket_of(inode), bucket) {
		if (w->in == in && w->inode == inode)
			return w;
	}
	return NULL;
}

/* notify_lock held; @fresh is used (then NULL) if the inode is not watched yet. */
static int add_held(struct inotify *in, struct inode *inode, u32 mask,
		    struct watch **fresh)
{
	u32 keep = mask & (IN_ALL_EVENTS | KEPT_FLAGS);
	struct watch *w = find(in, inode);

	if (w && (mask & IN_MASK_CREATE))
		return -EEXIST;
	if (w) {
		w->mask = mask & IN_MASK_ADD ? w->mask | keep : keep;
		return w->wd;
	}
	if (in->nr_watches >= INOTIFY_MAX_WATCHES)
		return -ENOSPC;
	w = *fresh;
	*fresh = NULL;
	w->in = in;
	w->inode = inode_get(inode);
	w->mask = keep;
	in->last_wd = (in->last_wd & 0x7fffffff) + 1;
	w->wd = in->last_wd;
	list_add_tail(&w->node, &in->watches);
	list_add_tail(&w->bucket, bucket_of(inode));
	in->nr_watches++;
	atomic_inc(&notify_nr_watches);
	return w->wd;
}

int inotify_add(struct file *f, struct inode *inode, u32 mask)
{
	struct watch *fresh;
	int wd;

	if (f->ops != &inotify_fops)
		return -EINVAL;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&notify_lock);
	wd = add_held(f->priv, inode, mask, &fresh);
	spin_unlock(&notify_lock);
	kfree(fresh);
	return wd;
}

int inotify_remove(struct file *f, int wd)
{
	struct inotify *in = f->priv;
	struct list_head gone;
	struct watch *w, *next;
	int err = -EINVAL;

	if (f->ops != &inotify_fops)
		return -EINVAL;
	list_init(&gone);
	spin_lock(&notify_lock);
	list_for_each_entry_safe(w, next, &in->watches, node) {
		if (w->wd != wd)
			continue;
		unlink_watch(w, true);
		list_add_tail(&w->node, &gone);
		err = 0;
	}
	spin_unlock(&notify_lock);
	free_watches(&gone);
	return err;
}
