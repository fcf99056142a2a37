/* SPDX-License-Identifier: MIT */
/*
 * fs/mount_ops.c - what mount(2), umount2(2) and pivot_root(2) do.
 *
 * ORDERING
 *   MNTRO  the read-only flag of a mount is set, then its writers are counted;
 *          who opens for writing counts himself, then looks at the flag.
 *
 * Locking: mount_mutex over each operation.  Everything is put after it.
 */
#include <fs/internal.h>
#include <fs/mountns.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MS_MGC_MASK	0xffff0000u
#define MS_MGC_VAL	0xc0ed0000u
#define MS_NOUSER	(1ull << 31)
#define MNT_FORCE	1u
#define MNT_DETACH	2u
#define MNT_EXPIRE	4u
#define UMOUNT_NOFOLLOW 8u

/* @data with what stands behind the dot of "type.x" as an option: to be freed; NULL, it
 * has none; ERR_PTR. */
static char *with_subtype(const char *type, const char *data)
{
	const char *dot = strchr(type, '.');
	size_t n;
	char *all;

	if (!dot)
		return NULL;
	n = strlen(data) + strlen(dot) + sizeof(",subtype=");
	all = kmalloc(n);
	if (!all)
		return ERR_PTR(-ENOMEM);
	scnprintf(all, n, "%s%ssubtype=%s", data, *data ? "," : "", dot + 1);
	return all;
}

static int mount_new(const char *dev, const struct path *at, const char *type,
		     u64 flags, const char *data)
{
	char *all;
	struct super_block *sb;
	struct fs_type *t;
	struct mount *m;
	int err;

	if (!type)
		return -EINVAL;
	data = data ? data : "";
	all = with_subtype(type, data);
	if (IS_ERR(all))
		return (int)PTR_ERR(all);
	mount_lock();
	t = fs_find_type(type);
	sb = t ? sb_find_or_create(t, dev, flags, all ? all : data)
	       : ERR_PTR(-ENODEV);
	mount_unlock();
	kfree(all);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	if (!t->single_stacks && at->mnt->sb == sb && at->dentry == sb->root &&
	    at->mnt->root == at->dentry) {
		sb_put(sb);
		return -EBUSY; /* the same thing twice on one place */
	}
	m = mount_alloc_top(t, sb, dev, flags & MNT_FLAGS);
	if (IS_ERR(m))
		return (int)PTR_ERR(m);
	mount_lock();
	err = mount_graft(m, at, false);
	mount_unlock();
	if (err)
		mount_put(m);
	return err;
}

/* What is to be mounted elsewhere: the name is not optional. */
static int lookup_source(const char *from, struct path *out)
{
	if (!from || !*from)
		return -EINVAL;
	return path_lookup(AT_FDCWD, from, LOOKUP_FOLLOW, out);
}

static int mount_bind(const char *from, const struct path *at, bool rec)
{
	struct mount *m = NULL;
	struct path old;
	int err = lookup_source(from, &old);

	if (err)
		return err;
	mount_lock();
	err = mount_bind_copy(&old, rec, &m);
	if (!err) {
		err = mount_graft(m, at, false);
		if (err) {
			mount_dissolve(m);
			mount_put(m);
		}
	}
	mount_unlock();
	path_put(&old);
	return err;
}

bool vfs_may_mount(void)
{
	const struct fs_ctx *c = current ? current->fs : NULL;

	return !c ||
	       fs_cred_capable(load_once(&c->ns)->ns.owner, CAP_SYS_ADMIN);
}

/* Would a copy of @p alone show what a locked mount hides? */
static bool hides_locked(const struct path *p)
{
	struct mount *m;
	bool yes = false;

	spin_lock(&dcache_lock);
	list_for_each_entry(m, &p->mnt->children, child)
		yes |= m->locked && d_is_ancestor(p->dentry, m->mountpoint);
	spin_unlock(&dcache_lock);
	return yes;
}

int mount_bind_copy(const struct path *old, bool rec, struct mount **out)
{
	const struct mnt_ns *inside = nsfs_mnt_ns(old->dentry);
	int err = 0;

	if (!rec && hides_locked(old))
		return -EINVAL;
	if (old->mnt->unbindable ||
	    (!mount_attached(old->mnt) && !nsfs_is(old->dentry)))
		return -EINVAL;
	/* A namespace must not keep itself, nor two each other. */
	if (inside && current->fs->ns->seq >= inside->seq)
		return -EINVAL;
	*out = rec ? mount_copy_tree(old->mnt, old->dentry, 0, &err)
		   : mount_copy(old->mnt, old->dentry, 0);
	if (!*out && !err)
		err = -ENOMEM;
	return err;
}

static bool is_current_root(const struct mount *m)
{
	struct path root;
	bool yes;

	spin_lock(&dcache_lock);
	borrow_root(&root);
	yes = root.mnt == m;
	spin_unlock(&dcache_lock);
	return yes;
}

/* May the mount whose root @from is go to @to, which is crossed? */
static int move_check(const struct path *from, const struct path *to,
		      bool beneath)
{
	struct mount *m = from->mnt, *base = to->mnt;

	if (from->dentry != m->root)
		return -EINVAL;
	if (m->parent ? !mount_attached(m) || m->parent->group : !m->loose)
		return -EINVAL;
	if (m->locked)
		return -EINVAL;
	if (S_ISDIR(m->root->inode->mode) != S_ISDIR(to->dentry->inode->mode))
		return -EINVAL;
	if (beneath) {
		if (to->dentry != base->root || !base->parent)
			return -EINVAL;
		if (mount_is_below(m, base) || is_current_root(base))
			return -EINVAL;
		base = base->parent;
	}
	if (!mount_attached(base))
		return -EINVAL;
	if (base->group && mount_has_unbindable(m))
		return -EINVAL;
	return mount_is_below(base, m) ? -ELOOP : 0;
}

int mount_move(const struct path *from, const struct path *at, bool beneath)
{
	struct path to = *at;
	bool loose;
	int err;

	mount_lock();
	spin_lock(&dcache_lock);
	path_cross_mounts(&to);
	spin_unlock(&dcache_lock);
	err = move_check(from, &to, beneath);
	if (!err) {
		loose = !from->mnt->parent;
		if (loose)
			mount_get(from->mnt); /* for its place */
		err = mount_graft(from->mnt, &to, beneath);
		if (err && loose)
			mount_put(from->mnt);
	}
	mount_unlock();
	return err;
}

static int move_old(const char *from, const struct path *at)
{
	struct path old;
	int err = lookup_source(from, &old);

	if (err)
		return err;
	err = old.mnt->parent ? mount_move(&old, at, false) : -EINVAL;
	path_put(&old);
	return err;
}

int mount_set_flags(struct mount *m, u64 flags)
{
	u64 old = load_once(&m->flags), locked = m->locked_flags;
	/* relatime is what is meant when none of the others is said */
	const u64 times = MNT_TIMES & ~(u64)MS_RELATIME;

	if (((locked & ~MNT_TIMES & ~flags) ||
	     ((locked & MNT_TIMES) && ((old ^ flags) & times))))
		return -EPERM;
	/* MNTRO (full) - pairs with open_inode(): it has counted itself, then
	 * looks at the flag. */
	atomic_xchg(&m->flags, flags & MNT_FLAGS);
	if ((flags & MS_RDONLY) && !(old & MS_RDONLY) &&
	    load_once(&m->writers)) {
		store_once(&m->flags, old);
		return -EBUSY;
	}
	mounts_changed();
	return 0;
}

static int mount_remount(const struct path *at, u64 flags, const char *data)
{
	struct mount *m = at->mnt;
	int err = 0;

	mount_lock();
	if (at->dentry != m->root || !mount_attached(m))
		err = -EINVAL;
	if (!err && !(flags & MS_BIND))
		err = sb_remount(m->sb, flags, data ? data : "");
	if (!(flags & MNT_TIMES)) /* said nothing of them: as they were */
		flags |= m->flags & MNT_TIMES;
	if (!err)
		err = mount_set_flags(m, flags);
	mount_unlock();
	return err;
}

static int change_kind(const struct path *at, u64 flags)
{
	u64 kind = flags & ~(u64)(MS_REC | MS_SILENT);
	struct mount *m, *top = at->mnt;
	int err;

	if ((kind & ~(u64)MNT_KINDS) || (kind & (kind - 1)))
		return -EINVAL;
	mount_lock();
	err = at->dentry != top->root ? -EINVAL : mount_may_regroup(top);
	for (m = top; m && !err; m = mount_next(m, top)) {
		mount_set_kind(m, kind);
		if (!(flags & MS_REC))
			break;
	}
	mount_unlock();
	return err;
}

int vfs_mount(const char *dev, const char *dir, const char *type, u64 flags,
	      const char *data)
{
	struct path at;
	int err;

	if ((flags & MS_MGC_MASK) == MS_MGC_VAL)
		flags &= ~(u64)MS_MGC_MASK;
	if (flags & MS_STRICTATIME) /* the strongest of them */
		flags &= ~(u64)(MS_NOATIME | MS_RELATIME);
	err = path_lookup(AT_FDCWD, dir, LOOKUP_FOLLOW, &at);
	if (err)
		return err;
	if (!vfs_may_mount())
		err = -EPERM;
	else if (flags & MS_NOUSER)
		err = -EINVAL;
	else if (flags & MS_REMOUNT)
		err = mount_remount(&at, flags, data);
	else if (flags & MS_BIND)
		err = mount_bind(dev, &at, flags & MS_REC);
	else if (flags & MNT_KINDS)
		err = change_kind(&at, flags);
	else if (flags & MS_MOVE)
		err = move_old(dev, &at);
	else
		err = mount_new(dev, &at, type, flags, data);
	path_put(&at);
	return err;
}

static int umount_locked(const struct path *p, u32 flags)
{
	struct mount *m = p->mnt;

	if (p->dentry != m->root)
		return -EINVAL;
	if (flags & MNT_EXPIRE) {
		if (is_current_root(m))
			return -EINVAL;
		if (load_once(&m->refs) > 2) /* M1, and p */
			return -EBUSY;
		if (!load_once(&m->expiring))
			return -EAGAIN;
	}
	if ((flags & MNT_FORCE) && m->sb->ops->umount_begin)
		m->sb->ops->umount_begin(m->sb);
	if (is_current_root(m) && !(flags & MNT_DETACH))
		return sb_remount(m->sb, m->sb->flags | MS_RDONLY, "");
	if (!m->parent || !mount_attached(m) || m->locked)
		return -EINVAL;
	/* path: one reference of the caller on the mount, as it expects. */
	return mount_detach(m, flags & MNT_DETACH);
}

/* To what is mounted on @p last, if the name's last component did not lead there: ".", "/". */
static void go_down(struct path *p)
{
	struct path down = *p;

	spin_lock(&dcache_lock);
	path_cross_mounts(&down);
	if (likely(down.mnt == p->mnt)) { /* not used: MNT_EXPIRE */
		spin_unlock(&dcache_lock);
		return;
	}
	path_get(&down);
	spin_unlock(&dcache_lock);
	path_put(p);
	*p = down;
}

int vfs_umount(const char *dir, u32 flags)
{
	struct path p;
	int err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
		return -EINVAL;
	err = path_lookup(AT_FDCWD, dir,
			  flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	mount_lock();
	go_down(&p);
	err = vfs_may_mount() ? umount_locked(&p, flags) : -EPERM;
	if (err == -EAGAIN) { /* in the tree, and mount_mutex keeps it there */
		path_put(&p);
		store_once(&p.mnt->expiring, true);
	}
	mount_unlock();
	if (err != -EAGAIN)
		path_put(&p);
	return err;
}

/* Everything checked: @new takes the place of @root, which goes to @put. */
static void pivot(struct mount *root, struct mount *new, const struct path *put,
		  struct path *was_root, struct path *was_new)
{
	new->locked = root->locked;
	root->locked = false;
	mount_unlink(new, was_new);
	mount_unlink(root, was_root);
	mount_link(root, put);
	mount_link(new, was_root);
}

static int pivot_check(const struct path *root, const struct path *new,
		       const struct path *put)
{
	if (!mount_attached(root->mnt) || !mount_attached(new->mnt) ||
	    put->mnt->group)
		return -EINVAL;
	if (new->mnt->locked)
		return -EINVAL;
	if (new->mnt == root->mnt || put->mnt == root->mnt)
		return -EBUSY;
	if (!root->mnt->parent || root->dentry != root->mnt->root ||
	    root->mnt->parent->group)
		return -EINVAL;
	if (new->dentry != new->mnt->root || !new->mnt->parent ||
	    new->mnt->parent->group)
		return -EINVAL;
	if (!mount_is_below(new->mnt, root->mnt) ||
	    !mount_is_below(put->mnt, new->mnt))
		return -EINVAL;
	return 0;
}

int vfs_pivot_root(const char *new_root, const char *put_old)
{
	struct path new, put, root, was_root = { NULL, NULL };
	struct path was_new = { NULL, NULL };
	int err = path_lookup(AT_FDCWD, new_root,
			      LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);

	if (err)
		return err;
	err = path_lookup(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY,
			  &put);
	if (err)
		goto out_new;
	fs_ctx_get_root(&root);
	mount_lock();
	spin_lock(&dcache_lock);
	err = pivot_check(&root, &new, &put);
	if (!err)
		pivot(root.mnt, new.mnt, &put, &was_root, &was_new);
	spin_unlock(&dcache_lock);
	mount_unlock();
	if (!err) {
		mounts_changed();
		fs_ctx_replace_all(&root, &new);
	}
	path_put(&was_root);
	path_put(&was_new);
	path_put(&root);
	path_put(&put);
out_new:
	path_put(&new);
	return err;
}
