/* SPDX-License-Identifier: MIT */
/*
 * fs/inotify.c - files that report what happens to other files.
 *
 *	watch	(inotify file, inode, mask, number): a mark that pins its inode
 *	event	queued at the inotify file until it is read
 *
 * Locking: notify_lock (fs/mark.h).
 */
#include <fs/mark.h>

#include <fs/internal.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define FIONREAD   0x541bu
#define NAME_ALIGN 16u

struct inotify {
	struct notify_group group; /* first */
	u64 bytes;		   /* [notify_lock] what a read would give */
	int last_wd;		   /* [notify_lock] */
};

struct watch {
	struct mark mark; /* first */
	int wd;		  /* [I] */
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

u64 inotify_max_instances = 128;

static struct inotify *inotify_of(const struct mark *m)
{
	return container_of(m->group, struct inotify, group);
}

static struct watch *watch_of(struct mark *m)
{
	return container_of(m, struct watch, mark);
}

/* --- queueing; notify_lock held */

static bool same_as_last(const struct inotify *in, const struct event *e)
{
	const struct event *last;

	if (list_empty(&in->group.events))
		return false;
	last = list_last_entry(&in->group.events, struct event, node);
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

	if (in->group.nr_events >= INOTIFY_MAX_EVENTS) {
		h = (struct event_head){ .wd = -1, .mask = IN_Q_OVERFLOW };
		len = 0;
	}
	e = event_new(&h, name, len);
	if (!e || same_as_last(in, e)) {
		kfree(e);
		return;
	}
	group_queue(&in->group, &e->node);
	in->bytes += sizeof(e->head) + e->head.len;
}

static void watch_ended(struct mark *m)
{
	struct event_head h = { .wd = watch_of(m)->wd, .mask = IN_IGNORED };

	queue_event(inotify_of(m), h, "", 0);
}

/* --- what the VFS says */

static void watch_told(struct mark *m, enum mark_on on,
		       const struct happening *h, struct fan *fan)
{
	u32 event = h->mask & (IN_ALL_EVENTS | IN_UNMOUNT);
	bool named = on == ON_PARENT || (h->mask & FS_NAME_EVENTS);
	struct event_head head = { .wd = watch_of(m)->wd,
				   .mask = h->mask & (IN_ALL_EVENTS |
						      IN_UNMOUNT | IN_ISDIR),
				   .cookie = h->cookie };

	if (on == ON_DIR2 || (h->mask & FS_RENAME) ||
	    (on == ON_PARENT && h->nameless && (m->mask & IN_EXCL_UNLINK)))
		return;
	if (event & (IN_DELETE_SELF | IN_MOVE_SELF))
		head.mask &= ~IN_ISDIR;
	if (!(m->mask & event) && event != IN_UNMOUNT)
		return;
	queue_event(inotify_of(m), head, named ? h->name : "",
		    named ? h->len : 0);
	if ((m->mask & IN_ONESHOT) &&
	    !(event & (IN_DELETE_SELF | IN_UNMOUNT))) {
		watch_ended(m);
		mark_unlink(m, &fan->gone);
	}
}

static const struct group_ops inotify_group = {
	.mark = watch_told,
	.ended = watch_ended,
};

/* --- the file */

/* The first event if it fits into @room: NULL: none; -EINVAL: it does not. */
static struct event *take(struct inotify *in, size_t room)
{
	struct event *e;

	spin_lock(&notify_lock);
	e = list_first_entry_or_null(&in->group.events, struct event, node);
	if (e && sizeof(e->head) + e->head.len > room) {
		e = ERR_PTR(-EINVAL);
	} else if (e) {
		list_del(&e->node);
		in->group.nr_events--;
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
				return r; /* and what was given is lost */
			done += r;
			continue;
		}
		if (done)
			return done;
		r = group_wait(f);
		if (r)
			return r;
	}
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
	struct event *e, *enext;

	group_end(&in->group);
	list_for_each_entry_safe(e, enext, &in->group.events, node) {
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
	const struct inode *i;
	struct mark *m;
	size_t len = 0;

	spin_lock(&notify_lock);
	list_for_each_entry(m, &in->group.marks, node) {
		i = m->obj;
		if (len + 160 > n)
			break;
		len += (size_t)scnprintf(
			buf + len, n - len,
			"inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0 ",
			watch_of(m)->wd, i->ino, i->sb->dev, m->mask);
		len += inode_handle_str(i, buf + len, n - len);
	}
	spin_unlock(&notify_lock);
	return len;
}

static const struct file_ops inotify_fops = {
	.fdinfo = inotify_fdinfo,
	.sigio = true,
	.read = inotify_read,
	.poll = group_poll,
	.stands = true,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
	.anon_name = "anon_inode:inotify",
};

struct file *inotify_create(bool nonblock)
{
	struct inotify *in = kzalloc(sizeof(*in));
	struct file *f;

	if (!in)
		return ERR_PTR(-ENOMEM);
	group_init(&in->group, &inotify_group);
	if (!group_enlist(&in->group, load_once(&inotify_max_instances))) {
		kfree(in);
		return ERR_PTR(-EMFILE);
	}
	f = file_alloc(&inotify_fops, O_RDONLY | (nonblock ? O_NONBLOCK : 0),
		       in);
	if (f)
		return f;
	group_end(&in->group);
	kfree(in);
	return ERR_PTR(file_no_alloc());
}

/* notify_lock held; @fresh is used (then NULL) if the inode is not watched yet. */
static int add_held(struct inotify *in, struct inode *inode, u32 mask,
		    struct watch **fresh)
{
	u32 keep = mask & (IN_ALL_EVENTS | KEPT_FLAGS);
	struct mark *m = mark_find(&in->group, inode);
	struct watch *w;

	if (m && (mask & IN_MASK_CREATE))
		return -EEXIST;
	if (m) {
		m->mask = mask & IN_MASK_ADD ? m->mask | keep : keep;
		return watch_of(m)->wd;
	}
	if (group_user_marks(&in->group) >= INOTIFY_MAX_WATCHES)
		return -ENOSPC;
	w = *fresh;
	*fresh = NULL;
	w->mark.kind = ON_INODE;
	w->mark.pins = true;
	w->mark.obj = inode;
	w->mark.mask = keep;
	in->last_wd = (in->last_wd & 0x7fffffff) + 1;
	w->wd = in->last_wd;
	mark_link(&w->mark, &in->group);
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
	struct mark *m, *next;
	int err = -EINVAL;

	if (f->ops != &inotify_fops)
		return -EINVAL;
	list_init(&gone);
	spin_lock(&notify_lock);
	list_for_each_entry_safe(m, next, &in->group.marks, node) {
		if (watch_of(m)->wd != wd)
			continue;
		watch_ended(m);
		mark_unlink(m, &gone);
		err = 0;
	}
	spin_unlock(&notify_lock);
	marks_free(&gone);
	return err;
}
