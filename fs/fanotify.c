/* SPDX-License-Identifier: MIT */
/*
 * fs/fanotify.c - groups, which happenings they want, and their queues.
 *
 * Context: where fs/notify.h is used; notify_lock is held in the fan-out.
 */
#include <fs/fanotify.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MERGE_LOOKS 128 /* events at the end of the queue */

u64 fanotify_max_queued = 16384, fanotify_max_groups = 128,
    fanotify_max_marks = 8192;

/* --- which */

static bool applies(u32 mask, bool isdir, enum mark_on on)
{
	if (isdir && !(mask & IN_ISDIR))
		return false;
	return on != ON_PARENT || (mask & FS_ON_CHILD);
}

/* What a mark says to ignore.  Without FAN_MARK_IGNORE that is of directories
 * too, and of what is in them if the mark looks there. */
static u32 ignores(const struct mark *m, bool isdir, enum mark_on on)
{
	u32 mask = m->ignored, events = mask & ~(u32)FAN_EVENT_FLAGS;

	if (!events || (!isdir && on != ON_PARENT))
		return events;
	if (!(m->flags & FAN_MARK_IGNORE))
		mask = events | IN_ISDIR | (m->mask & FS_ON_CHILD);
	return applies(mask, isdir, on) ? events : 0;
}

u32 fanotify_wants(struct fanotify *fa, const struct happening *h, u32 *match)
{
	u32 fid = fa->flags & FAN_FID_BITS, want = 0, ignored = 0;
	u32 user = FAN_EVENTS | FAN_PERM_EVENTS | FAN_EVENT_FLAGS;
	bool isdir = h->mask & IN_ISDIR;
	u32 t = h->inode ? h->inode->mode : 0;

	*match = 0;
	if (!fid && (!h->path || (!S_ISREG(t) && !S_ISDIR(t))))
		return 0;
	if (fid && !(fid & FAN_REPORT_FID) && !h->dir && !isdir)
		return 0;
	for (u32 on = 0; on < NR_ON; on++) {
		struct mark *m = fa->group.hit[on];

		if (!m)
			continue;
		if ((h->mask & IN_MODIFY) &&
		    !(m->flags & FAN_MARK_IGNORED_SURV_MODIFY))
			m->ignored = 0;
		ignored |= ignores(m, isdir, (enum mark_on)on);
		if (!applies(m->mask, isdir, (enum mark_on)on))
			continue;
		want |= m->mask;
		if (m->mask & h->mask & ~(u32)FAN_EVENT_FLAGS)
			*match |= BIT(on);
	}
	want &= h->mask & ~ignored;
	if (!(want & ~(u32)FAN_EVENT_FLAGS))
		return 0;
	if (!fid)
		user &= ~(u32)FAN_EVENT_FLAGS;
	return want & user;
}

/* --- what is in an event */

static u64 fsid_of(const struct fanotify *fa)
{
	const struct mark *m;

	for (u32 on = 0; on < NR_ON; on++) {
		m = fa->group.hit[on];
		if (m)
			return container_of(m, struct fan_mark, mark)->fsid;
	}
	return 0;
}

/* The parts of an event with handles, before their place is known. */
struct parts {
	const struct inode *obj, *dir, *dir2;
	const char *name, *name2;
	u32 len, len2;
};

static bool tells_child(u32 fid, u32 mask)
{
	if (mask & FS_NAME_EVENTS)
		return fid & FAN_REPORT_TARGET_FID;
	return (fid & FAN_REPORT_FID) && !(mask & IN_ISDIR);
}

/* A rename tells of the old and of the new directory as they are watched. */
static void choose_sides(struct parts *p, const struct happening *h, u32 match)
{
	if (match & (BIT(ON_SB) | BIT(ON_DIR2))) {
		p->dir2 = h->dir2;
		p->name2 = h->name2;
		p->len2 = h->len2;
	}
	if (!(match & (BIT(ON_SB) | BIT(ON_INODE)))) {
		p->dir = NULL;
		p->len = 0;
	}
}

static void choose_parts(struct parts *p, u32 fid, const struct happening *h,
			 u32 mask, u32 match)
{
	bool names = mask & FS_NAME_EVENTS;
	const struct inode *id = h->inode, *dir = h->dir;

	if (names && !(fid & FAN_REPORT_TARGET_FID))
		id = h->dir;
	if (!names && h->inode && S_ISDIR(h->inode->mode))
		dir = h->inode;
	*p = (struct parts){ .obj = id };
	if (!(fid & FAN_REPORT_DIR_FID) || !dir || (mask & FS_ERROR))
		return;
	p->obj = tells_child(fid, mask) && id != dir ? id : NULL;
	if (!(fid & FAN_REPORT_NAME)) {
		p->dir = dir;
	} else if (names || !(mask & IN_ISDIR)) {
		p->dir = dir;
		p->name = h->name;
		p->len = h->len;
	}
	if (mask & FS_RENAME)
		choose_sides(p, h, match);
	if (!p->dir && !p->dir2) /* "." of a directory */
		p->obj = dir;
	else if (!p->obj && !(fid & FAN_REPORT_NAME)) {
		p->obj = p->dir;
		p->dir = NULL;
	}
}

static void set_handle(struct fhandle *to, const struct inode *i)
{
	if (i)
		inode_handle(i, to);
}

static void set_who(const struct fanotify *fa, struct fan_event *e)
{
	struct thread *t = current;

	if (!t || !t->proc)
		return;
	e->pid = (u32)(fa->flags & FAN_REPORT_TID ? t->tid : t->proc->pid);
	if (fa->flags & FAN_REPORT_PIDFD)
		e->proc = process_get(t->proc);
}

struct fan_event *fan_event_new(struct fanotify *fa, const struct happening *h,
				u32 mask, u32 match)
{
	u32 fid = fa->flags & FAN_FID_BITS;
	struct parts p = { 0 };
	struct fan_event *e;

	if (fid)
		choose_parts(&p, fid, h, mask, match);
	e = kzalloc(sizeof(*e) + p.len + p.len2);
	if (!e)
		return NULL;
	e->refs = 1;
	e->mask = mask;
	set_who(fa, e);
	if (!fid) {
		e->path.mnt = mount_get(h->path->mnt);
		e->path.dentry = dentry_get(h->path->dentry);
		return e;
	}
	e->fsid = fsid_of(fa);
	set_handle(&e->obj, p.obj);
	set_handle(&e->dir, p.dir);
	set_handle(&e->dir2, p.dir2);
	e->len = p.len;
	e->len2 = p.len2;
	memcpy(e->names, p.name, p.len);
	memcpy(e->names + p.len, p.name2, p.len2);
	if (mask & FS_ERROR) {
		e->error = h->error;
		e->error_count = 1;
		if (!p.obj)
			e->obj.type = FILEID_INVALID;
	}
	return e;
}

void fan_event_free(struct fan_event *e)
{
	if (!e)
		return;
	process_put(e->proc);
	if (e->path.mnt)
		path_put(&e->path);
	kfree(e);
}

/* --- the queue */

static bool same_handle(const struct fhandle *a, const struct fhandle *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool may_merge(const struct fan_event *a, const struct fan_event *b)
{
	if (a->pid != b->pid || a->state != ASK_NONE ||
	    ((a->mask ^ b->mask) & (IN_ISDIR | FS_RENAME | FS_ERROR)) ||
	    (a->mask & IN_Q_OVERFLOW))
		return false;
	if (a->mask & FS_ERROR)
		return a->fsid == b->fsid;
	return a->path.mnt == b->path.mnt && a->path.dentry == b->path.dentry &&
	       a->fsid == b->fsid && same_handle(&a->obj, &b->obj) &&
	       same_handle(&a->dir, &b->dir) &&
	       same_handle(&a->dir2, &b->dir2) && a->len == b->len &&
	       a->len2 == b->len2 &&
	       !memcmp(a->names, b->names, a->len + a->len2);
}

static bool merged(struct fanotify *fa, const struct fan_event *e)
{
	struct list_head *n = fa->group.events.prev;

	for (u32 k = 0; k < MERGE_LOOKS && n != &fa->group.events;
	     k++, n = n->prev) {
		struct fan_event *old = container_of(n, struct fan_event, node);

		if (!may_merge(old, e))
			continue;
		old->mask |= e->mask;
		if (e->mask & FS_ERROR)
			old->error_count++;
		return true;
	}
	return false;
}

static bool is_full(const struct fanotify *fa)
{
	return !(fa->flags & FAN_UNLIMITED_QUEUE) &&
	       fa->group.nr_events >= load_once(&fanotify_max_queued);
}

static void queue_overflow(struct fanotify *fa)
{
	struct fan_event *e = fa->overflowed ? NULL : kzalloc(sizeof(*e));

	if (!e)
		return;
	e->refs = 1;
	e->mask = IN_Q_OVERFLOW;
	fa->overflowed = true;
	group_queue(&fa->group, &e->node);
}

static void tell_group(struct notify_group *g, const struct happening *h)
{
	struct fanotify *fa = container_of(g, struct fanotify, group);
	u32 match, mask = fanotify_wants(fa, h, &match);
	struct fan_event *e;

	if (!mask || (mask & FAN_PERM_EVENTS))
		return;
	e = fan_event_new(fa, h, mask, match);
	if (!e) {
		queue_overflow(fa); /* something was lost */
		return;
	}
	if (merged(fa, e)) {
		/* The happening has references of its own: these are not the
		 * last ones, and nothing sleeps. */
		fan_event_free(e);
	} else if (is_full(fa)) {
		fan_event_free(e);
		queue_overflow(fa);
	} else {
		group_queue(&fa->group, &e->node);
	}
}

const struct group_ops fanotify_group = { .group = tell_group };

/* --- groups */

void fanotify_put(struct fanotify *fa)
{
	if (atomic_dec_and_test(&fa->refs))
		kfree(fa);
}

struct file *fanotify_create(u32 flags, u32 event_flags, bool unprivileged)
{
	struct fanotify *fa = kzalloc(sizeof(*fa));
	struct file *f;

	if (!fa)
		return ERR_PTR(-ENOMEM);
	list_init(&fa->asked);
	list_init(&fa->perm_node);
	fa->refs = 1;
	fa->flags = flags;
	fa->event_flags = event_flags;
	fa->unprivileged = unprivileged;
	group_init(&fa->group, &fanotify_group);
	if (!group_enlist(&fa->group, load_once(&fanotify_max_groups))) {
		kfree(fa);
		return ERR_PTR(-EMFILE);
	}
	f = file_alloc(&fanotify_fops,
		       O_RDWR | (flags & FAN_NONBLOCK ? O_NONBLOCK : 0), fa);
	if (!f) {
		group_end(&fa->group);
		kfree(fa);
		return ERR_PTR(file_no_alloc());
	}
	if (flags & FAN_CLASS)
		fanotify_perm_start(fa);
	return f;
}

struct fanotify *fanotify_of(struct file *f)
{
	return f->ops == &fanotify_fops ? f->priv : NULL;
}

u32 fanotify_flags(const struct fanotify *fa)
{
	return fa->flags;
}

bool fanotify_unprivileged(const struct fanotify *fa)
{
	return fa->unprivileged;
}
