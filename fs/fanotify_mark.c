/* SPDX-License-Identifier: MIT */
/*
 * fs/fanotify_mark.c - marks on inodes, mounts and file systems.
 *
 * mark->flags are of FAN_MARK_IGNORED_SURV_MODIFY, FAN_MARK_IGNORE (which of the
 * two rules its ignored mask has) and FAN_MARK_EVICTABLE.
 */
#include <fs/fanotify.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

static enum mark_on kind_of(u32 flags)
{
	if (flags & FAN_MARK_MOUNT)
		return ON_MOUNT;
	return flags & FAN_MARK_FILESYSTEM ? ON_SB : ON_INODE;
}

static void *object_of(const struct path *p, enum mark_on kind)
{
	if (kind == ON_MOUNT)
		return p->mnt;
	return kind == ON_SB ? (void *)p->dentry->sb : (void *)p->dentry->inode;
}

/* Of a group with handles: what file system they are of, and whether it has
 * some. */
static int find_fsid(const struct path *p, enum mark_on kind, u64 *fsid)
{
	struct super_block *sb = p->dentry->sb;
	struct kstatfs st = { .fsid = sb->dev };
	int err = sb->ops->statfs ? sb->ops->statfs(sb, &st) : 0;

	if (err)
		return err;
	*fsid = st.fsid;
	if (kind == ON_INODE)
		return 0;
	if (!st.fsid)
		return -ENODEV;
	return sb->ops->fh_to_inode ? 0 : -EOPNOTSUPP;
}

/* What a mark has may be widened, not narrowed. */
static int may_update(const struct mark *m, u32 flags)
{
	if ((flags & FAN_MARK_EVICTABLE) && !(m->flags & FAN_MARK_EVICTABLE))
		return -EEXIST;
	if ((flags & FAN_MARK_IGNORED_MASK) && (m->flags & FAN_MARK_IGNORE))
		return -EEXIST;
	if ((flags & FAN_MARK_IGNORE) &&
	    !(flags & FAN_MARK_IGNORED_SURV_MODIFY) &&
	    (m->flags & FAN_MARK_IGNORED_SURV_MODIFY))
		return -EEXIST;
	return 0;
}

static void update(struct mark *m, u32 flags, u32 mask)
{
	if (flags & FAN_MARK_IGNORE_BITS) {
		m->ignored |= mask;
		m->flags |= flags &
			    (FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY);
	} else {
		m->mask |= mask;
	}
	if (m->kind == ON_INODE && !m->pins && !(flags & FAN_MARK_EVICTABLE)) {
		m->flags &= ~FAN_MARK_EVICTABLE;
		m->pins = true;
		(void)inode_get(m->obj);
	}
}

/* notify_lock held; *@fresh is used (then NULL) for a new mark. */
static int add_locked(struct fanotify *fa, void *obj, u32 flags, u32 mask,
		      struct fan_mark **fresh)
{
	struct mark *m = mark_find(&fa->group, obj);
	int err;

	if (m) {
		err = may_update(m, flags);
		if (!err)
			update(m, flags, mask);
		return err;
	}
	if (!(fa->flags & FAN_UNLIMITED_MARKS) &&
	    group_user_marks(&fa->group) >= load_once(&fanotify_max_marks))
		return -ENOSPC;
	m = &(*fresh)->mark;
	*fresh = NULL;
	m->kind = kind_of(flags);
	m->obj = obj;
	m->flags = flags & FAN_MARK_EVICTABLE;
	m->pins = m->kind == ON_INODE && !m->flags;
	mark_link(m, &fa->group);
	update(m, flags, mask);
	return 0;
}

int fanotify_add(struct fanotify *fa, const struct path *p, u32 flags, u32 mask)
{
	enum mark_on kind = kind_of(flags);
	struct fan_mark *fresh;
	u64 fsid = 0;
	int err = 0;

	if (fa->flags & FAN_FID_BITS)
		err = find_fsid(p, kind, &fsid);
	if (err)
		return err;
	/* It would end at once. */
	if ((flags & FAN_MARK_IGNORE_BITS) && kind == ON_INODE &&
	    !(flags & FAN_MARK_IGNORED_SURV_MODIFY) &&
	    load_once(&p->dentry->inode->writecount) > 0)
		return 0;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->fsid = fsid;
	spin_lock(&notify_lock);
	err = add_locked(fa, object_of(p, kind), flags, mask, &fresh);
	spin_unlock(&notify_lock);
	kfree(fresh);
	return err;
}

int fanotify_remove(struct fanotify *fa, const struct path *p, u32 flags,
		    u32 mask, u32 umask)
{
	struct list_head gone;
	struct mark *m;

	list_init(&gone);
	spin_lock(&notify_lock);
	m = mark_find(&fa->group, object_of(p, kind_of(flags)));
	if (m && (flags & FAN_MARK_IGNORE_BITS))
		m->ignored &= ~mask;
	else if (m)
		m->mask &= ~mask;
	if (m && !((m->mask | m->ignored) & ~umask))
		mark_unlink(m, &gone);
	spin_unlock(&notify_lock);
	marks_free(&gone);
	return m ? 0 : -ENOENT;
}

void fanotify_flush(struct fanotify *fa, u32 flags)
{
	struct list_head gone;
	struct mark *m, *next;

	list_init(&gone);
	spin_lock(&notify_lock);
	list_for_each_entry_safe(m, next, &fa->group.marks, node)
		if (m->kind == kind_of(flags))
			mark_unlink(m, &gone);
	spin_unlock(&notify_lock);
	marks_free(&gone);
}
