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
 * Not here: what mount(2) may be asked (mount_ops.c), instances (super.c), all mounts in
 * order (mount_id.c).
 */
#include <fs/fsctx.h>
#include <fs/internal.h>
#include <fs/mountns.h>
#include <fs/notify.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define NR_BUCKETS 1024u
#define MAX_MOUNTS 100000u

static struct list_head buckets[NR_BUCKETS];		 /* [dcache_lock] */
static struct list_head mounts = LIST_HEAD_INIT(mounts); /* [dcache_lock] */
static u32 nr_mounts;					 /* [dcache_lock] */
/* Out of the tree, by ->pending: to be put. */
static struct list_head parted = LIST_HEAD_INIT(parted); /* [mount_mutex] */
static int next_id = 20;				 /* [a] */
static u64 next_unique = BIT(31) + 20;			 /* [a] */
static struct mount *root_mount;			 /* [I after boot] */

u32 mounts_event;
struct waitq mounts_wq = WAITQ_INIT(mounts_wq);

void mount_lock(void)
{
	mutex_lock(&mount_mutex);
}

void mount_put_later(struct mount *m)
{
	/* without either it had no place, and is the caller's */
	if (m->through || m->was.dentry)
		list_add_tail(&m->pending, &parted);
}

static void put_parted(struct mount *m)
{
	struct path was = m->was, top = { m, m->root };

	if (m->through)
		path_put(&top); /* what stood on it had these */
	if (!was.dentry)
		return;
	path_put(&was);
	mount_put(m);
}

void mount_unlock(void)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	struct mount *m;

	list_splice_tail_init(&parted, &gone);
	mutex_unlock(&mount_mutex);
	while (!list_empty(&gone)) {
		m = list_first_entry(&gone, struct mount, pending);
		list_del(&m->pending);
		put_parted(m);
		cond_resched();
	}
}

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
	if (!m)
		return;
	if (unlikely(load_once(&m->expiring)))
		store_once(&m->expiring, false);
	if (!atomic_dec_and_test(&m->refs))
		return;
	KASSERT(!m->parent && list_empty(&m->children));
	KASSERT(list_empty(&m->sharing));
	notify_drop_mount(m);
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
	m->unique_id = atomic_fetch_add(&next_unique, 1ul);
	m->sb = sb;
	m->root = dentry_get(root);
	m->flags = flags;
	list_init(&m->node);
	list_init(&m->hash_node);
	list_init(&m->children);
	list_init(&m->child);
	list_init(&m->sharing);
	list_init(&m->pending);
	return m;
}

/* What is put on `mounts`, and taken from it, is counted and has its number. */
static void count(struct mount *m)
{
	nr_mounts++;
	mount_id_add(m);
}

static void discount(struct mount *m)
{
	nr_mounts--;
	mount_id_del(m);
}

/* Link @m on @p, which is a top of mounts; dcache_lock held.  Takes the tree's
 * reference of @m from the caller and new ones on @p. */
void mount_link(struct mount *m, const struct path *p)
{
	m->parent = mount_get(p->mnt);
	m->mountpoint = dentry_get(p->dentry);
	m->mountpoint->nr_mounted++;
	place_pin(m->mountpoint);
	list_add(&m->hash_node, bucket_of(m->parent, m->mountpoint));
	list_add_tail(&m->child, &m->parent->children);
	list_add_tail(&m->node, &mounts);
	count(m);
}

/* The reverse; *@was gets the place with its references. */
void mount_unlink(struct mount *m, struct path *was)
{
	was->mnt = m->parent;
	was->dentry = m->mountpoint;
	m->mountpoint->nr_mounted--;
	place_unpin(m->mountpoint);
	m->parent = NULL;
	m->mountpoint = NULL;
	list_del(&m->hash_node);
	list_del(&m->child);
	list_del(&m->node);
	discount(m);
}

bool mount_is_below(const struct mount *m, const struct mount *top)
{
	for (; m; m = m->parent)
		if (m == top)
			return true;
	return false;
}

const struct mount *mount_top(const struct mount *m)
{
	while (m->parent)
		m = m->parent;
	return m;
}

bool mount_attached(const struct mount *m)
{
	const struct fs_ctx *c = current ? current->fs : NULL;

	return mount_top(m) == (c ? load_once(&c->ns)->top : root_mount);
}

const struct user_ns *mount_owner(const struct mount *m)
{
	const struct mnt_ns *ns = load_once(&mount_top(m)->ns);

	return ns ? ns->ns.owner : fs_cred()->user_ns;
}

int mount_may_regroup(const struct mount *m)
{
	if (!mount_placed(m))
		return -EINVAL;
	return ns_capable(mount_owner(m), CAP_SYS_ADMIN) ? 0 : -EPERM;
}

bool mount_placed(const struct mount *m)
{
	const struct mount *top = mount_top(m);

	return top == root_mount || load_once(&top->ns);
}

void mount_ns_start(struct mount *top, struct mnt_ns *ns)
{
	ns->top = top;
	spin_lock(&dcache_lock);
	store_once(&top->ns, ns);
	list_add(&top->node, &mounts);
	count(top);
	spin_unlock(&dcache_lock);
}

void mount_ns_end(struct mount *top)
{
	mount_lock();
	store_once(&top->ns, NULL);
	mount_dissolve(top);
	spin_lock(&dcache_lock);
	list_del(&top->node);
	discount(top);
	spin_unlock(&dcache_lock);
	mount_unlock();
	mount_put(top);
}

void mounts_changed(void)
{
	atomic_inc(&mounts_event);
	wake_up_all_key(&mounts_wq, POLLPRI | POLLERR);
}

bool vfs_mount_is_ours(struct mount *m)
{
	bool ours;

	spin_lock(&dcache_lock);
	ours = mount_attached(m);
	spin_unlock(&dcache_lock);
	return ours;
}

struct mnt_ns *mnt_ns_find(u64 number)
{
	struct mnt_ns *found = NULL;
	struct mount *m;

	spin_lock(&dcache_lock);
	list_for_each_entry(m, &mounts, node) {
		struct mnt_ns *n = load_once(&m->ns);

		/* One that ends is there until it has had this lock. */
		if (n && mnt_ns_number(n) == number && ns_try_get(&n->ns))
			found = n;
	}
	spin_unlock(&dcache_lock);
	return found;
}

bool vfs_mount_visible(struct mount *m, const struct path *root)
{
	struct dentry *d = m->root;
	bool below;

	spin_lock(&dcache_lock);
	while (m != root->mnt && m->parent) {
		d = m->mountpoint;
		m = m->parent;
	}
	below = m == root->mnt && d_is_ancestor(root->dentry, d);
	spin_unlock(&dcache_lock);
	return below;
}

/* Nothing that matters is hidden below @m. */
static bool shows_all(const struct mount *m)
{
	const struct mount *c;

	if (m->root != m->sb->root)
		return false;
	list_for_each_entry(c, &m->children, child)
		if (c->locked)
			return false;
	return true;
}

bool mount_reveals_nothing(const struct fs_type *t)
{
	struct mount *m, *top;
	bool yes = false;

	if (!current || !current->fs || in_first_user_ns())
		return true;
	top = current->fs->ns->top;
	spin_lock(&dcache_lock);
	for (m = top; m && !yes; m = mount_next(m, top))
		yes = m->sb->type == t && !(m->flags & MS_RDONLY) &&
		      shows_all(m);
	spin_unlock(&dcache_lock);
	return yes;
}

bool mounts_full(u32 more)
{
	return load_once(&nr_mounts) + more > MAX_MOUNTS;
}

struct mount *mount_next(struct mount *m, const struct mount *top)
{
	if (!list_empty(&m->children))
		return list_first_entry(&m->children, struct mount, child);
	for (; m != top; m = m->parent)
		if (m->child.next != &m->parent->children)
			return list_next_entry(m, child);
	return NULL;
}

/* Those of the trees that are somebody's; in one walk, however deep they are. */
static u32 take_all_locked(struct mount **all)
{
	struct mount *top, *m;
	u32 n = 0;

	list_for_each_entry(top, &mounts, node) {
		if (top->parent || !mount_placed(top))
			continue;
		for (m = top; m; m = mount_next(m, top))
			all[n++] = mount_get(m);
	}
	return n;
}

struct mount *mount_alloc_top(const struct fs_type *t, struct super_block *sb,
			      const char *dev, u64 flags)
{
	struct dentry *top = t->top ? t->top(sb) : dentry_get(sb->root);
	struct mount *m;

	if (IS_ERR(top)) {
		sb_put(sb);
		return ERR_PTR(PTR_ERR(top));
	}
	m = mount_alloc(sb, top, dev, flags);
	dentry_put(top);
	return m ? m : ERR_PTR(-ENOMEM);
}

u32 mount_count(void)
{
	return load_once(&nr_mounts);
}

/* All mounts of all trees, each referenced, or NULL: out of memory. */
struct mount **mount_snapshot(u32 *nr)
{
	struct mount **all = NULL;
	u32 room = 0;

	for (;;) {
		spin_lock(&dcache_lock);
		if (all && nr_mounts <= room) {
			*nr = take_all_locked(all);
			spin_unlock(&dcache_lock);
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

struct mount *mount_internal(struct fs_type *t)
{
	struct super_block *sb;
	struct mount *m;

	mount_lock();
	sb = sb_find_or_create(t, NULL, 0, "");
	mount_unlock();
	if (IS_ERR(sb))
		return ERR_PTR(PTR_ERR(sb));
	m = mount_alloc(sb, sb->root, t->name, 0);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->internal = true;
	return m;
}

int vfs_mount_root(const char *dev, const char *type, u64 flags,
		   const char *data)
{
	struct super_block *sb;
	struct fs_type *t;
	struct mount *m;

	KASSERT(!root_mount);
	mount_lock();
	t = fs_find_type(type);
	sb = t ? sb_find_or_create(t, dev, flags, data) : ERR_PTR(-ENODEV);
	mount_unlock();
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	m = mount_alloc(sb, sb->root, dev, 0);
	if (!m)
		return -ENOMEM;
	spin_lock(&dcache_lock);
	list_add(&m->node, &mounts);
	count(m);
	root_mount = m;
	m->ns = &init_mnt_ns;
	init_mnt_ns.top = m;
	spin_unlock(&dcache_lock);
	return 0;
}
