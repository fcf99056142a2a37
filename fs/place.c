/* SPDX-License-Identifier: MIT */
/*
 * fs/place.c - where something is mounted on a name that is not cached.
 *
 * Directories of /proc and /sys ask their file system each time: a dentry there
 * is dead from birth, found by nobody.  A mount needs a place that everybody
 * finds, so while something is mounted on such a name, this name and those above
 * it are pinned: their dentries are alive and hashed, and lookup_locked() looks
 * for them first.  It asks the file system all the same (place_valid()): when
 * what was there is gone (a process), so is the place, and what is mounted there
 * is reached by nobody, as it is hidden.
 *
 * INVARIANT
 *   P1  nr_pins counts, for each mount on a name of a directory that does not
 *       cache names, the mountpoint and all above it up to and with the first
 *       whose own name is cached (or the root).
 *
 * Locking: nr_pins has dcache_lock; who mounts holds mount_mutex, so of two that
 * mount on one name at once the second finds what the first has pinned.
 *
 * Not here: the tree of mounts (mount.c, propagate.c).
 */
#include <fs/internal.h>
#include <kernel/assert.h>
#include <lib/errno.h>

bool place_uncached(const struct dentry *d)
{
	return d->parent != d && d->parent->inode->ops->no_dcache;
}

void place_pin(struct dentry *d)
{
	assert_held(&dcache_lock);
	if (!place_uncached(d))
		return;
	for (; place_uncached(d); d = d->parent)
		if (!d->nr_pins++)
			d_revive(d);
	d->nr_pins++;
}

void place_unpin(struct dentry *d)
{
	assert_held(&dcache_lock);
	if (!place_uncached(d))
		return;
	for (; place_uncached(d); d = d->parent)
		if (!--d->nr_pins)
			d_drop(d);
	d->nr_pins--;
}

bool place_valid(struct inode *dir, const struct dentry *d)
{
	struct inode *now = NULL;
	bool same;

	if (dir->ops->lookup(dir, d->name, d->name_len, &now) || !now)
		return false;
	same = now->ino == d->inode->ino &&
	       S_ISDIR(now->mode) == S_ISDIR(d->inode->mode);
	inode_put(now);
	return same;
}

/* The one on the way down to @d that is next below @above. */
static struct dentry *next_below(struct dentry *d, const struct dentry *above)
{
	while (d->parent != above)
		d = d->parent;
	return d;
}

/* File systems that do not cache names rename nothing, so the way up stays. */
struct dentry *place_again(struct dentry *d)
{
	struct dentry *old = d, *at, *down;

	while (place_uncached(old))
		old = old->parent;
	at = dentry_get(old);
	while (old != d) {
		old = next_below(d, old);
		down = lookup_child(at, old->name, old->name_len, old->hash);
		dentry_put(at);
		if (IS_ERR(down))
			return down;
		if (!down->inode) {
			dentry_put(down);
			return ERR_PTR(-ENOENT);
		}
		at = down;
	}
	return at;
}
