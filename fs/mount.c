/* SPDX-License-Identifier: MIT */
/*
 * fs/mount.c - the tree of mounts.
 *
 * A mount puts the root of a super block (or, for a bind mount, any dentry of
 * it) on top of a dentry in another mount.
 *
 * INVARIANTS
 *   M1  A mount in the tree has one reference for that; its children have one
 *       each on it.  So refs == 1 means that nobody uses it.
 *   M2  mountpoint->nr_mounted counts the mounts hashed on that dentry, in
 *       whatever parent mount.
 *   M3  References from the tree are taken under dcache_lock only; so a mount
 *       that was found unused under it and taken out stays unused.
 *
 * Locking: mount_mutex serialises changes; dcache_lock guards the links.
 * Mounts and paths are put with neither held.
 *
 * Not here: what mount(2) may be asked (mount_ops.c), instances (super.c).
 */
#include <fs/internal.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define NR_BUCKETS 64u
#define MAX_MOUNTS 100000u

static struct list_head buckets[NR_BUCKETS];		 /* [dcache_lock] */
static struct list_head mounts = LIST_HEAD_INIT(mounts); /* [dcache_lock] */
static u32 nr_mounts;					 /* [dcache_lock] */
static int next_id = 20;				 /* [a] */
static struct mount *root_mount;			 /* [I after boot] */

static struct list_head *bucket_of(const struct mount *parent,
				   const struct dentry *d)
{
	u64 key = (u64)(uintptr_t)parent / 64 + (u64)(uintptr_t)d / 128;
	struct list_head *head = &buckets[key % NR_BUCKETS];

	if (unlikely(!head->next))
		list_init(head);
	return head;
}

struct mount *mount_find(const struct mount *parent, const struct dentry *d)
{
	struct list_head *head = bucket_of(parent, d);
	struct mount *m;

	list_for_each_entry(m, head, hash_node) {
		if (m->parent == parent && m->mountpoint == d)
			return m;
	}
	return NULL;
}

struct mount *mount_of_root(void)
{
	return root_mount;
}

struct mount *mount_get(struct mount *m)
{
	atomic_inc(&m->refs);
	return m;
}

void mount_put(struct mount *m)
{
	if (!m || !atomic_dec_and_test(&m->refs))
		return;
	KASSERT(!m->parent);
	dentry_put(m->root);
	sb_put(m->sb);
	kfree(m->devname);
	kfree(m);
}

/* A mount outside of the tree with one reference; takes one of @sb's. */
struct mount *mount_alloc(struct super_block *sb, struct dentry *root,
			  const char *dev, u64 flags)
{
	struct mount *m = kzalloc(sizeof(*m));

	if (m)
		m->devname = kstrdup(dev && *dev ? dev : "none");
	if (!m || !m->devname) {
		kfree(m);
		sb_put(sb);
		return NULL;
	}
	m->refs = 1;
	m->id = atomic_fetch_add(&next_id, 1);
	m->sb = sb;
	m->root = dentry_get(root);
	m->flags = flags;
	list_init(&m->node);
	list_init(&m->hash_node);
	return m;
}

/* Link @m on @p, which is a top of mounts; dcache_lock held.  Takes the tree's
 * reference of @m from the caller and new ones on @p. */
void mount_link(struct mount *m, const struct path *p)
{
	m->parent = mount_get(p->mnt);
	m->mountpoint = dentry_get(p->dentry);
	m->mountpoint->nr_mounted++;
	list_add(&m->hash_node, bucket_of(m->parent, m->mountpoint));
	list_add_tail(&m->node, &mounts);
	nr_mounts++;
}

/* The reverse; *@was gets the place with its references. */
void mount_unlink(struct mount *m, struct path *was)
{
	was->mnt = m->parent;
	was->dentry = m->mountpoint;
	m->mountpoint->nr_mounted--;
	m->parent = NULL;
	m->mountpoint = NULL;
	list_del(&m->hash_node);
	list_del(&m->node);
	nr_mounts--;
}

int mount_attach(struct mount *m, const struct path *at)
{
	struct path p = *at;
	int err = 0;

	spin_lock(&dcache_lock);
	path_cross_mounts(&p);
	if (d_dead(p.dentry)) /* removed, or nobody would find it again */
		err = p.dentry->inode->nlink ? -EINVAL : -ENOENT;
	else if (S_ISDIR(p.dentry->inode->mode) !=
		 S_ISDIR(m->root->inode->mode))
		err = -ENOTDIR;
	else if (nr_mounts >= MAX_MOUNTS)
		err = -ENOSPC;
	else
		mount_link(m, &p);
	spin_unlock(&dcache_lock);
	return err;
}

bool mount_is_below(const struct mount *m, const struct mount *top)
{
	for (; m; m = m->parent)
		if (m == top)
			return true;
	return false;
}

/* Take @top and all below it out of the tree; puts what that frees. */
static void detach_all(struct mount *top)
{
	struct mount *m, *found;
	struct path was;

	do {
		found = NULL;
		spin_lock(&dcache_lock);
		list_for_each_entry_reverse(m, &mounts, node) {
			if (mount_is_below(m, top)) {
				found = m; /* youngest first: children */
				break;
			}
		}
		if (found)
			mount_unlink(found, &was);
		spin_unlock(&dcache_lock);
		if (found) {
			path_put(&was);
			mount_put(found);
		}
	} while (found && found != top);
}

int mount_detach(struct mount *m, bool lazy)
{
	struct path was;
	bool busy;

	if (lazy) {
		detach_all(m);
		return 0;
	}
	spin_lock(&dcache_lock);
	busy = load_once(&m->refs) > 2; /* M1, and the caller's own */
	if (!busy)
		mount_unlink(m, &was);
	spin_unlock(&dcache_lock);
	if (busy)
		return -EBUSY;
	path_put(&was);
	mount_put(m);
	return 0;
}

/* All mounts, each referenced, or NULL: out of memory. */
struct mount **mount_snapshot(u32 *nr)
{
	struct mount **all = NULL, *m;
	u32 room = 0, n;

	for (;;) {
		n = 0;
		spin_lock(&dcache_lock);
		if (all && nr_mounts <= room) {
			list_for_each_entry(m, &mounts, node)
				all[n++] = mount_get(m);
			spin_unlock(&dcache_lock);
			*nr = n;
			return all;
		}
		room = nr_mounts + 8;
		spin_unlock(&dcache_lock);
		kfree(all);
		all = kcalloc(room, sizeof(*all));
		if (!all)
			return NULL;
	}
}

void mount_snapshot_free(struct mount **all, u32 nr)
{
	while (nr)
		mount_put(all[--nr]);
	kfree(all);
}

/* The root tmpfs, when the real root lies on it: nobody gets there. */
static bool is_hidden(struct mount *m)
{
	bool yes;

	if (m != root_mount)
		return false;
	spin_lock(&dcache_lock);
	yes = m->root->nr_mounted && mount_find(m, m->root);
	spin_unlock(&dcache_lock);
	return yes;
}

void mount_for_each(void (*fn)(struct mount *m, void *ctx), void *ctx)
{
	u32 nr = 0, i;
	struct mount **all = mount_snapshot(&nr);

	if (!all)
		return;
	for (i = 0; i < nr; i++)
		if (!is_hidden(all[i]))
			fn(all[i], ctx);
	mount_snapshot_free(all, nr);
}

struct mount *mount_internal(struct fs_type *t)
{
	struct super_block *sb;
	struct mount *m;

	mutex_lock(&mount_mutex);
	sb = sb_find_or_create(t, NULL, 0, "");
	mutex_unlock(&mount_mutex);
	if (IS_ERR(sb))
		return ERR_PTR(PTR_ERR(sb));
	m = mount_alloc(sb, sb->root, t->name, 0);
	return m ? m : ERR_PTR(-ENOMEM);
}

int vfs_mount_root(const char *dev, const char *type, u64 flags,
		   const char *data)
{
	struct super_block *sb;
	struct fs_type *t;
	struct mount *m;

	KASSERT(!root_mount);
	mutex_lock(&mount_mutex);
	t = fs_find_type(type);
	sb = t ? sb_find_or_create(t, dev, flags, data) : ERR_PTR(-ENODEV);
	mutex_unlock(&mount_mutex);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	m = mount_alloc(sb, sb->root, dev, 0);
	if (!m)
		return -ENOMEM;
	spin_lock(&dcache_lock);
	list_add(&m->node, &mounts);
	nr_mounts++;
	root_mount = m;
	spin_unlock(&dcache_lock);
	return 0;
}

static const struct {
	u64 flag;
	const char *name;
} option_names[] = {
	{ MS_SYNCHRONOUS, ",sync" },  { MS_NOSUID, ",nosuid" },
	{ MS_NODEV, ",nodev" },	      { MS_NOEXEC, ",noexec" },
	{ MS_NOATIME, ",noatime" },   { MS_NODIRATIME, ",nodiratime" },
	{ MS_RELATIME, ",relatime" },
};

size_t mount_options_str(struct mount *m, char *buf, size_t n)
{
	u64 flags = m->flags | (m->sb->flags & (MS_RDONLY | MS_SYNCHRONOUS));
	size_t len, i;

	strscpy(buf, flags & MS_RDONLY ? "ro" : "rw", n);
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	for (i = 0; i < ARRAY_SIZE(option_names); i++)
		if (flags & option_names[i].flag)
			strlcat(buf, option_names[i].name, n);
	len = strlen(buf);
	if (m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, buf + len, n - len);
	return strlen(buf);
}
