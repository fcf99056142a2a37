/* SPDX-License-Identifier: MIT */
/*
 * fs/propagate.c - changes of the mount tree, and who else sees them.
 *
 * Mounts with the same group are peers: what is mounted on or unmounted from
 * one of them happens to all.  A mount whose master is a group gets what
 * happens there, and gives nothing back; it may have peers of its own all the
 * same.  Groups are numbers; all mounts that have one are on one list, which is
 * looked through for the members.
 *
 * INVARIANTS
 *   G1  A mount is on `sharers' exactly when it has a group or a master.
 *   G2  A group that is somebody's master has a member.
 *   G3  Peers have the same master.
 *   G4  An unmounted mount has neither group nor master.
 *
 * Locking: mount_mutex over everything here; dcache_lock inside it where links
 * of the tree change.  References of what is taken away are put by mount_unlock():
 * they may be the last ones of a file system, or of a mount namespace, whose end
 * wants the mutex.
 */
#include <fs/internal.h>
#include <fs/mountns.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/thread.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct list_head sharers = LIST_HEAD_INIT(sharers);
static u32 last_group;

/* --- groups */

static void set_sharing(struct mount *m, u32 group, u32 master)
{
	m->group = group;
	m->master = master;
	if (!group && !master)
		list_del(&m->sharing);
	else if (!list_is_linked(&m->sharing))
		list_add_tail(&m->sharing, &sharers);
}

static struct mount *member_of(u32 group)
{
	struct mount *m;

	list_for_each_entry(m, &sharers, sharing)
		if (m->group == group)
			return m;
	return NULL;
}

/* The last one of @group has gone: its slaves are its master's now. */
static void inherit_slaves(u32 group, u32 master)
{
	struct mount *m, *next;

	list_for_each_entry_safe(m, next, &sharers, sharing)
		if (m->master == group)
			set_sharing(m, m->group, master);
}

static void leave_group(struct mount *m, bool as_slave)
{
	u32 group = m->group, master = m->master;

	if (group) {
		set_sharing(m, 0, master);
		if (member_of(group))
			master = group;
		else
			inherit_slaves(group, master);
	}
	set_sharing(m, 0, as_slave ? master : 0);
}

void mount_set_kind(struct mount *m, u64 kind)
{
	mounts_changed();
	if (kind == MS_SHARED) {
		if (!m->group)
			set_sharing(m, ++last_group, m->master);
		m->unbindable = false;
		return;
	}
	leave_group(m, kind == MS_SLAVE);
	if (kind != MS_SLAVE)
		m->unbindable = kind == MS_UNBINDABLE;
}

void mount_join(struct mount *m, const struct mount *peer)
{
	set_sharing(m, peer->group, peer->master);
}

void mount_lock_tree(struct mount *top)
{
	const u64 keep = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct mount *m;

	for (m = top; m; m = mount_next(m, top)) {
		m->locked_flags |= (m->flags & keep) | MNT_TIMES;
		m->locked = m != top;
	}
}

bool mount_has_unbindable(struct mount *top)
{
	struct mount *m;

	for (m = top; m; m = mount_next(m, top))
		if (m->unbindable)
			return true;
	return false;
}

u32 mount_dominator(struct mount *m, const struct path *root)
{
	const struct mount *peer;
	u32 group, seen = 0;

	mount_lock();
	for (group = m->master; group && !seen;) {
		u32 next = 0;

		list_for_each_entry(peer, &sharers, sharing) {
			if (peer->group != group)
				continue;
			next = peer->master;
			if (mount_is_below(peer, root->mnt))
				seen = group;
		}
		group = next;
	}
	mount_unlock();
	return seen;
}

/* --- copies */

struct mount *mount_copy(struct mount *old, struct dentry *root, u32 kind)
{
	struct mount *m;
	bool slave =
		(kind & COPY_SLAVE) || ((kind & COPY_ENSLAVE) && old->group);
	u32 group = slave ? 0 : old->group;

	sb_get(old->sb);
	m = mount_alloc(old->sb, root, old->devname, old->flags);
	if (!m)
		return NULL;
	if ((kind & COPY_SHARED) && !group)
		group = ++last_group;
	set_sharing(m, group, slave ? old->group : old->master);
	m->locked_flags = old->locked_flags;
	m->unbindable = (kind & COPY_UNBINDABLE) && old->unbindable;
	return m;
}

/* @m, whose parent has a copy, gets one at the same place of that. */
static int copy_below(struct mount *m, u32 kind)
{
	struct path at = { m->parent->copy, m->mountpoint };

	m->copy = mount_copy(m, m->root, kind);
	if (!m->copy)
		return -ENOMEM;
	m->copy->locked = m->locked;
	spin_lock(&dcache_lock);
	mount_link(m->copy, &at);
	spin_unlock(&dcache_lock);
	return 0;
}

/* Does @m belong to the copy?  1, 0, or -EPERM: it is not to be copied, and without
 * it the copy would show what it hides.  dcache_lock held. */
static int is_part(const struct mount *m, const struct mount *top,
		   const struct dentry *root, u32 kind)
{
	if (!m->parent->copy ||
	    (m->parent == top && !d_is_ancestor(root, m->mountpoint)))
		return 0;
	if (m->unbindable && !(kind & COPY_UNBINDABLE))
		return m->locked ? -EPERM : 0;
	return !(kind & COPY_NO_MNT_NS) || !nsfs_mnt_ns(m->root);
}

struct mount *mount_copy_tree(struct mount *top, struct dentry *root, u32 kind,
			      int *err)
{
	struct mount *m, *copy = NULL;
	int part;
	u32 nr = 0;

	for (m = top; m; m = mount_next(m, top)) {
		m->copy = NULL;
		nr++;
	}
	*err = mounts_full(nr) ? -ENOSPC : 0;
	if (!*err) {
		copy = top->copy = mount_copy(top, root, kind);
		*err = copy ? 0 : -ENOMEM;
	}
	for (m = mount_next(top, top); m && !*err; m = mount_next(m, top)) {
		spin_lock(&dcache_lock);
		part = is_part(m, top, root, kind);
		spin_unlock(&dcache_lock);
		*err = part > 0 ? copy_below(m, kind) : part;
	}
	if (*err && copy) {
		mount_dissolve(copy);
		mount_put(copy);
		copy = NULL;
	}
	return copy;
}

/* --- who sees it */

static void forget_copies(void)
{
	struct mount *m;

	list_for_each_entry(m, &sharers, sharing) {
		m->target = NULL;
		m->through = false;
	}
}

/*
 * From whom @m gets what happened: a peer, or one of its master group, that
 * has it already (->target).  A peer that only let it through, because its root
 * lies elsewhere, has no copy of its own.
 */
static struct mount *giver_of(const struct mount *m, bool *peer)
{
	struct mount *g, *found = NULL;

	*peer = false;
	list_for_each_entry(g, &sharers, sharing) {
		if (!g->target)
			continue;
		if (m->group && g->group == m->group && !g->through) {
			*peer = true;
			return g;
		}
		if (m->master && g->group == m->master)
			found = g;
		else if (!found && m->group && g->group == m->group)
			found = g;
	}
	return found;
}

/*
 * What spares looking through all sharers for each of them: groups that have been
 * reached (by a hash: some others seem to be), and a giver that serves all with the
 * same group, or with none and the same master.
 */
struct reach {
	u64 groups[64];
	u32 group, master;
	struct mount *giver; /* NULL: not known yet */
};

static void reach_add(struct reach *r, const struct mount *m)
{
	r->groups[m->group / 64 % 64] |= BIT(m->group % 64);
}

static bool reach_has(const struct reach *r, u32 group)
{
	return group && (r->groups[group / 64 % 64] & BIT(group % 64));
}

static struct mount *reach_giver(struct reach *r, const struct mount *m,
				 bool *peer)
{
	struct mount *g;

	if (!reach_has(r, m->group) && !reach_has(r, m->master))
		return NULL;
	*peer = m->group != 0;
	if (r->giver && r->group == m->group && r->master == m->master)
		return r->giver;
	g = giver_of(m, peer);
	if (g && (*peer || !m->group)) {
		r->group = m->group;
		r->master = m->master;
		r->giver = g;
	}
	return g;
}

/* The copy for @m of what its giver has, put on @out. */
static int give_copy(struct mount *m, struct mount *giver, bool peer,
		     const struct path *place, struct list_head *out)
{
	u32 kind = peer ? COPY_SHARED : COPY_SLAVE;
	const struct dentry *at = place->dentry;
	const struct mount *at_mnt = place->mnt;
	struct mount *from = giver->target;
	bool covers;
	int err;

	spin_lock(&dcache_lock);
	covers = m->root->sb == at->sb && d_is_ancestor(m->root, at);
	spin_unlock(&dcache_lock);
	if (!covers) {
		m->target = from;
		m->through = true;
		return 0;
	}
	if (m->group)
		kind |= COPY_SHARED;
	m->target = mount_copy_tree(from, from->root, kind, &err);
	if (!m->target)
		return err;
	if (mount_owner(m) != mount_owner(at_mnt))
		mount_lock_tree(m->target);
	m->target->was = (struct path){ m, NULL };
	list_add_tail(&m->target->pending, out);
	return 0;
}

/* Copies of the tree @src for all who see that it is mounted on @at. */
static int make_copies(struct mount *src, const struct path *at,
		       struct list_head *out)
{
	struct reach reach = { .giver = NULL };
	struct mount *m, *giver;
	bool again, peer;
	int err = 0;

	forget_copies();
	at->mnt->target = src;
	reach_add(&reach, at->mnt);
	do {
		again = false;
		list_for_each_entry(m, &sharers, sharing) {
			if (m->target || !mount_placed(m))
				continue;
			giver = reach_giver(&reach, m, &peer);
			if (!giver)
				continue;
			err = give_copy(m, giver, peer, at, out);
			again = true;
			if (err)
				return err;
			reach_add(&reach, m);
			cond_resched_lazy();
		}
	} while (again);
	return 0;
}

static void drop_copies(struct list_head *copies)
{
	struct mount *m;

	while (!list_empty(copies)) {
		m = list_first_entry(copies, struct mount, pending);
		list_del(&m->pending);
		mount_dissolve(m);
		mount_put(m);
	}
}

/* All of the tree at @top that has no group gets one. */
static void share_tree(struct mount *top)
{
	struct mount *m;

	for (m = top; m; m = mount_next(m, top))
		if (!m->group)
			set_sharing(m, ++last_group, m->master);
}

/* Groups that are newer than @last are left again. */
static void unshare_tree(struct mount *top, u32 last)
{
	struct mount *m;

	for (m = top; m; m = mount_next(m, top))
		if (m->group > last)
			leave_group(m, true);
}

/* Link @m on @p; what stands there already comes to stand on @m.  Under
 * dcache_lock; *@was is to be put. */
static void link_under(struct mount *m, const struct path *p, struct path *was)
{
	struct mount *upper = mount_find(p->mnt, p->dentry);
	struct path top = { m, m->root };

	if (upper)
		mount_unlink(upper, was);
	mount_link(m, p);
	if (upper)
		mount_link(upper, &top);
}

static void link_all(struct mount *m, const struct path *p,
		     struct list_head *copies)
{
	struct path was = { NULL, NULL }, over = { NULL, NULL }, at;
	struct mount *c;

	spin_lock(&dcache_lock);
	if (m->parent)
		mount_unlink(m, &was);
	link_under(m, p, &over);
	m->loose = false;
	spin_unlock(&dcache_lock);
	path_put(&was);
	path_put(&over);
	while (!list_empty(copies)) {
		c = list_first_entry(copies, struct mount, pending);
		list_del(&c->pending);
		at = (struct path){ c->was.mnt, p->dentry };
		over = (struct path){ NULL, NULL };
		spin_lock(&dcache_lock);
		link_under(c, &at, &over);
		spin_unlock(&dcache_lock);
		path_put(&over);
	}
}

/* May the tree @m be put on @p?  dcache_lock held. */
static int graft_check(const struct mount *m, const struct path *p)
{
	if (!mount_attached(p->mnt))
		return -EINVAL;
	if (d_dead(p->dentry) && !place_uncached(p->dentry))
		return -ENOENT;
	if (S_ISDIR(p->dentry->inode->mode) != S_ISDIR(m->root->inode->mode))
		return -ENOTDIR;
	return mounts_full(1) ? -ENOSPC : 0;
}

/* @at: where it is to stand, not crossed yet unless @beneath. */
static int graft_at(struct mount *m, const struct path *at, bool beneath)
{
	struct list_head copies = LIST_HEAD_INIT(copies);
	u32 last = last_group;
	struct path p = *at;
	int err;

	spin_lock(&dcache_lock);
	if (!beneath)
		path_cross_mounts(&p);
	err = graft_check(m, &p);
	spin_unlock(&dcache_lock);
	if (err)
		return err;
	if (p.mnt->group) {
		share_tree(m);
		err = make_copies(m, &p, &copies);
	}
	if (err) {
		drop_copies(&copies);
		unshare_tree(m, last);
		return err;
	}
	path_get(&p); /* a move may free the place that it is called by */
	link_all(m, &p, &copies);
	path_put(&p);
	mounts_changed();
	return 0;
}

int mount_graft(struct mount *m, const struct path *at, bool beneath)
{
	struct path p = *at;
	int err;

	if (beneath)
		p = (struct path){ at->mnt->parent, at->mnt->mountpoint };
	p.dentry = place_again(p.dentry);
	if (IS_ERR(p.dentry))
		return (int)PTR_ERR(p.dentry);
	err = graft_at(m, &p, beneath);
	dentry_put(p.dentry);
	return err;
}

/* --- taking away */

/* Do all children of @m go with it?  But one that stands on its root may stay:
 * it comes down. */
static bool may_go(const struct mount *m, struct mount **upper)
{
	struct mount *c;

	*upper = NULL;
	list_for_each_entry(c, &m->children, child) {
		if (c->doomed)
			continue;
		if (c->mountpoint != m->root)
			return false;
		*upper = c;
	}
	return true;
}

/* Who sees that @m is taken away: they have ->target. */
static void mark_witnesses(struct mount *m)
{
	struct reach reach = { .giver = NULL };
	struct mount *r;
	bool again, peer;

	forget_copies();
	m->parent->target = m;
	reach_add(&reach, m->parent);
	do {
		again = false;
		list_for_each_entry(r, &sharers, sharing) {
			if (r->target || !reach_giver(&reach, r, &peer))
				continue;
			r->target = m;
			reach_add(&reach, r);
			again = true;
			cond_resched_lazy();
		}
		cond_resched();
	} while (again);
}

/* Has the group of @m's parent anybody else in it, or behind it? */
static bool is_alone(const struct mount *m)
{
	const struct mount *r;
	u32 group = m->parent->group;

	list_for_each_entry(r, &sharers, sharing)
		if (r->master == group || (r->group == group && r != m->parent))
			return false;
	return true;
}

static void doom(struct mount *m, struct list_head *list)
{
	m->doomed = true;
	m->was = (struct path){ NULL, NULL };
	list_add(&m->pending, list);
}

/* What hangs at the place of @m at its parent's peers and slaves. */
static void doom_copies(struct mount *m, struct list_head *list)
{
	struct mount *r, *c, *upper;

	if (!m->parent || !m->parent->group || is_alone(m))
		return;
	mark_witnesses(m);
	list_for_each_entry(r, &sharers, sharing) {
		if (!r->target || r == m->parent)
			continue;
		spin_lock(&dcache_lock);
		c = mount_find(r, m->mountpoint);
		spin_unlock(&dcache_lock);
		if (c && !c->doomed && may_go(c, &upper))
			doom(c, list);
	}
}

/* dcache_lock held; nobody but the tree and who stands on it has them. */
static bool are_idle(const struct mount *top, const struct list_head *list)
{
	const struct mount *m, *c;

	list_for_each_entry(m, list, pending) {
		u32 expected = m == top ? 2 : 1; /* M1, and the caller's own */

		if (m != top)
			list_for_each_entry(c, &m->children, child)
				expected++;
		if (load_once(&m->refs) > expected)
			return false;
	}
	return true;
}

/* dcache_lock held.  m->was is to be put; ->through: so is what stood on it. */
static void unlink_one(struct mount *m)
{
	struct path top;
	struct mount *upper;

	may_go(m, &upper);
	m->through = upper != NULL;
	if (upper)
		mount_unlink(upper, &top); /* m, m->root */
	if (m->parent)
		mount_unlink(m, &m->was);
	if (upper)
		mount_link(upper, &m->was);
	m->doomed = false;
}

/* What is to go first, so that what comes down comes down far enough. */
static struct mount *deepest_doomed(struct mount *m)
{
	struct mount *c, *next = m;

	while (next) {
		m = next;
		next = NULL;
		list_for_each_entry(c, &m->children, child)
			if (c->doomed)
				next = c;
	}
	return m;
}

static void put_doomed(struct list_head *list)
{
	struct mount *m;

	while (!list_empty(list)) {
		m = list_first_entry(list, struct mount, pending);
		list_del(&m->pending);
		leave_group(m, false);
		mount_put_later(m);
	}
}

/* Take all on @list out of the tree, but only if @top and the others are not in
 * use when @idle: then nobody comes in between (M3). */
static int unlink_all(const struct mount *top, struct list_head *list,
		      bool idle)
{
	struct mount *m;
	bool busy;

	spin_lock(&dcache_lock);
	busy = idle && !are_idle(top, list);
	if (!busy)
		list_for_each_entry(m, list, pending)
			while (m->doomed)
				unlink_one(deepest_doomed(m));
	spin_unlock(&dcache_lock);
	return busy ? -EBUSY : 0;
}

int mount_detach(struct mount *top, bool lazy)
{
	struct list_head list = LIST_HEAD_INIT(list);
	struct list_head more = LIST_HEAD_INIT(more);
	struct mount *m;
	int err;

	for (m = top; m; m = lazy ? mount_next(m, top) : NULL)
		doom(m, &list); /* children come to stand before parents */
	list_for_each_entry(m, &list, pending) {
		doom_copies(m, &more);
		cond_resched();
	}
	list_splice_tail_init(&more, &list);
	err = unlink_all(top, &list, !lazy);
	if (!err) {
		mounts_changed();
		put_doomed(&list);
		return 0;
	}
	while (!list_empty(&list)) {
		m = list_first_entry(&list, struct mount, pending);
		m->doomed = false;
		list_del(&m->pending);
	}
	return err;
}

void mount_dissolve(struct mount *top)
{
	struct list_head list = LIST_HEAD_INIT(list);
	struct mount *m;

	for (m = top; m; m = mount_next(m, top))
		doom(m, &list);
	(void)unlink_all(top, &list, false);
	top->loose = false;
	put_doomed(&list);
}
