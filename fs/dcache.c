/* SPDX-License-Identifier: MIT */
/*
 * fs/dcache.c - the cache of names: a tree of dentries and a hash over it.
 *
 * INVARIANTS
 *   D1  A hashed dentry is alive, on its parent's list of children and on the
 *       LRU list; what names it has is what the file system would answer.
 *   D2  A dentry holds a reference on its parent and on its inode.
 *   D3  References go from 0 to 1 only under dcache_lock, and only on a live
 *       dentry.  So a live dentry without references that is seen under the
 *       lock stays without.
 *   D4  A dead dentry (DREF_DEAD) is unhashed; the one who drops its last
 *       reference frees it and nobody else may touch it.  It becomes alive only
 *       in d_revive(), whose caller has a reference.
 *
 * D3 and D4 make dentry_put() one atomic instruction in the usual case.
 *
 * Locking: dcache_lock (RANK_VFS).  Inodes and parents are put without it.
 *
 * Not here: who looks names up (walk.c), who changes them (namei.c).
 */
#include <fs/internal.h>
#include <fs/notify.h>
#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SHRINK_BATCH 64u

struct spinlock dcache_lock = SPINLOCK_INIT("dcache", RANK_VFS);

static struct kmem_cache *dentry_cache;		   /* [I] */
static struct list_head *buckets;		   /* [dcache_lock] */
static u64 bucket_mask;				   /* [I] */
static struct list_head lru = LIST_HEAD_INIT(lru); /* [dcache_lock] old last */
static u64 nr_hashed;				   /* [dcache_lock] */
static u64 max_hashed;				   /* [I] */

static int dcache_init(void)
{
	struct pmem_info mem;
	u64 nr, i;

	pmem_info(&mem);
	nr = 1ull << log2_floor(clamp(mem.total / 32, (u64)1024, (u64)32768));
	buckets = alloc_pages_exact(nr * sizeof(*buckets), 0);
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 8);
	if (!buckets || !dentry_cache)
		panic("dcache: no memory for %llu buckets",
		      (unsigned long long)nr);
	for (i = 0; i < nr; i++)
		list_init(&buckets[i]);
	bucket_mask = nr - 1;
	/* 200 bytes each, the inode behind it 500: a sixth of memory. */
	max_hashed = max(mem.total, (u64)2048);
	return 0;
}
INITCALL(INIT_CORE, dcache_init);

u32 name_hash(const char *name, size_t len)
{
	u32 h = NAME_HASH_INIT;

	while (len--)
		h = name_hash_step(h, *name++);
	return h;
}

static struct list_head *bucket_of(const struct dentry *dir, u32 hash)
{
	u64 key = (u64)(uintptr_t)dir >> 6;

	key = (key ^ hash) * 0x9e3779b97f4a7c15ull;
	return &buckets[(key >> 32) & bucket_mask];
}

/* memcmp() would cost more than the few bytes of a usual name. */
static inline bool same_name(const char *a, const char *b, u32 len)
{
	while (len && *a == *b) {
		a++;
		b++;
		len--;
	}
	return !len;
}

struct dentry *d_find(struct dentry *dir, const char *name, u32 len, u32 hash)
{
	struct list_head *head = bucket_of(dir, hash), *at;
	struct dentry *d;

	for (at = head->next; at != head; at = at->next) {
		d = list_entry(at, struct dentry, hash_node);
		if (d->hash != hash || d->parent != dir || d->name_len != len)
			continue;
		if (unlikely(!same_name(d->name, name, len)))
			continue;
		if (!(d->flags & DENTRY_USED))
			d->flags |= DENTRY_USED;
		return d;
	}
	return NULL;
}

static struct dentry *new_dentry(struct super_block *sb)
{
	struct dentry *d = kmem_cache_alloc(dentry_cache);

	if (!d)
		return NULL;
	d->refs = 1;
	d->flags = 0;
	d->inode = NULL;
	d->sb = sb;
	d->name = d->inline_name;
	list_init(&d->hash_node);
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->alias);
	list_init(&d->lru);
	d->nr_mounted = 0;
	d->nr_pins = 0;
	d->priv = NULL;
	return d;
}

struct dentry *d_alloc(struct dentry *dir, const char *name, u32 len, u32 hash)
{
	struct dentry *d = new_dentry(dir->sb);

	if (!d)
		return NULL;
	if (len >= sizeof(d->inline_name)) {
		d->name = kmalloc(len + 1);
		if (!d->name) {
			kmem_cache_free(dentry_cache, d);
			return NULL;
		}
	}
	memcpy(d->name, name, len);
	d->name[len] = '\0';
	d->name_len = len;
	d->hash = hash;
	d->parent = dentry_get(dir);
	return d;
}

static u32 flags_for(const struct inode *i)
{
	const struct inode_ops *ops = i->ops;
	u32 flags = 0;

	if (S_ISDIR(i->mode))
		flags |= DENTRY_DIR;
	if (S_ISLNK(i->mode))
		flags |= DENTRY_LINK;
	if (ops->permission || ops->revalidate)
		flags |= DENTRY_SLOW_PERM;
	if (ops->no_dcache || ops->d_revalidate)
		flags |= DENTRY_SLOW_NAMES;
	return flags;
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
	assert_held(&dcache_lock);
	KASSERT(!d->inode);
	d->inode = inode;
	d->flags |= flags_for(inode);
	list_add(&d->alias, &inode->dentries);
}

static void d_hash(struct dentry *d)
{
	list_add(&d->hash_node, bucket_of(d->parent, d->hash));
	list_add(&d->lru, &lru);
	d->flags |= DENTRY_HASHED;
	nr_hashed++;
}

static void d_unhash(struct dentry *d)
{
	if (!(d->flags & DENTRY_HASHED))
		return;
	list_del(&d->hash_node);
	list_del(&d->lru);
	d->flags &= ~(u32)DENTRY_HASHED;
	nr_hashed--;
}

void d_add(struct dentry *d, struct inode *inode, bool cached)
{
	assert_held(&dcache_lock);
	if (inode)
		d_instantiate(d, inode);
	list_add(&d->sibling, &d->parent->children);
	if (cached)
		d_hash(d);
	else
		d->refs |= DREF_DEAD; /* nobody else has seen it */
}

struct dentry *dentry_alloc_root(struct inode *root)
{
	struct dentry *d = new_dentry(root->sb);

	if (!d) {
		inode_put(root);
		return NULL;
	}
	strscpy(d->inline_name, "/", sizeof(d->inline_name));
	d->name_len = 1;
	d->hash = 0;
	d->parent = d;
	spin_lock(&dcache_lock);
	d_instantiate(d, root);
	spin_unlock(&dcache_lock);
	return d;
}

struct dentry *dentry_get(struct dentry *d)
{
	atomic_inc(&d->refs);
	return d;
}

/* Out of every list; the lock is held and nobody has a reference. */
static void d_detach(struct dentry *d)
{
	KASSERT(list_empty(&d->children) && !d->nr_mounted);
	d_unhash(d);
	list_del(&d->sibling);
	list_del(&d->alias);
}

/* Returns the parent, whose reference is the caller's now, or NULL. */
static struct dentry *d_free(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;
	struct inode *inode = d->inode;

	if (d->name != d->inline_name)
		kfree(d->name);
	kmem_cache_free(dentry_cache, d);
	if (inode) {
		notify_dentry_gone(inode);
		inode_put(inode);
	}
	return parent;
}

void dentry_put(struct dentry *d)
{
	u32 old;

	while (d) {
		old = atomic_fetch_add(&d->refs, (u32)-1);
		KASSERT(old & ~(u32)DREF_DEAD);
		if (likely(old != (DREF_DEAD | 1)))
			return;
		spin_lock(&dcache_lock);
		d_detach(d);
		spin_unlock(&dcache_lock);
		d = d_free(d);
	}
}

void d_discard(struct dentry *d)
{
	KASSERT(d->refs == 1 && !d->inode);
	dentry_put(d_free(d));
}

/* The caller has a reference, or frees a live one at zero by itself. */
void d_drop(struct dentry *d)
{
	assert_held(&dcache_lock);
	d_unhash(d);
	atomic_fetch_or(&d->refs, (u32)DREF_DEAD);
}

void d_delete(struct dentry *d)
{
	d_drop(d);
	d->flags |= DENTRY_GONE;
}

void d_revive(struct dentry *d)
{
	assert_held(&dcache_lock);
	KASSERT(d->refs & ~(u32)DREF_DEAD);
	atomic_fetch_and(&d->refs, ~(u32)DREF_DEAD);
	if (!(d->flags & DENTRY_HASHED))
		d_hash(d);
}

static void free_list(struct list_head *doomed)
{
	struct dentry *d;

	while (!list_empty(doomed)) {
		d = list_first_entry(doomed, struct dentry, lru);
		list_del(&d->lru);
		dentry_put(d_free(d));
	}
}

/*
 * Make @d dead.  If nobody has a reference (D3) it goes to @doomed, else the
 * last dentry_put() frees it.
 */
static void d_drop_or_kill(struct dentry *d, struct list_head *doomed)
{
	d_unhash(d);
	if (atomic_fetch_or(&d->refs, (u32)DREF_DEAD))
		return;
	d_detach(d);
	list_add_tail(&d->lru, doomed);
}

u64 dcache_shrink(u64 nr)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	u64 freed = 0, look = 4 * nr;
	struct dentry *d;

	spin_lock(&dcache_lock);
	while (look-- && freed < nr && !list_empty(&lru)) {
		d = list_last_entry(&lru, struct dentry, lru);
		if (load_once(&d->refs) || (d->flags & DENTRY_USED)) {
			d->flags &= ~(u32)DENTRY_USED;
			list_move(&d->lru, &lru);
			continue;
		}
		d_drop_or_kill(d, &doomed);
		freed++;
	}
	spin_unlock(&dcache_lock);
	free_list(&doomed);
	return freed;
}

void dcache_balance(void)
{
	if (unlikely(load_once(&nr_hashed) > max_hashed))
		dcache_shrink(SHRINK_BATCH);
}

/*
 * Memory is short.  Some eight names, or their inodes, make a page.  At most an eighth
 * of all goes at a time, the oldest: to forget everything at each need would make
 * the need of one page a miss of every name.
 */
static u64 fs_shrink(u64 nr_pages)
{
	u64 nr = min(nr_pages * 8, load_once(&nr_hashed) / 8 + 1);
	u64 freed = dcache_shrink(nr), unused;

	(void)inode_cache_count(&unused);
	return (freed + icache_shrink(freed + unused / 8)) / 8;
}

static struct shrinker fs_shrinker = { .shrink = fs_shrink };

static int fs_shrinker_init(void)
{
	pmem_register_shrinker(&fs_shrinker);
	return 0;
}
INITCALL(INIT_VFS, fs_shrinker_init);

/* Forget every unused name of @sb.  Leaves first, as each holds its parent. */
void dcache_drop_sb(struct super_block *sb)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	struct dentry *d, *tmp;
	bool again;

	do {
		again = false;
		spin_lock(&dcache_lock);
		list_for_each_entry_safe(d, tmp, &lru, lru) {
			if (d->sb != sb || load_once(&d->refs))
				continue;
			d_drop_or_kill(d, &doomed);
			again = true;
		}
		spin_unlock(&dcache_lock);
		free_list(&doomed);
	} while (again);
}

/* Names of @dir: those in use become dead, the others go. */
void dentry_drop_children(struct dentry *dir)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	struct dentry *d, *tmp;

	spin_lock(&dcache_lock);
	list_for_each_entry_safe(d, tmp, &dir->children, sibling) {
		if (d->nr_mounted || !(d->flags & DENTRY_HASHED))
			continue;
		d_drop_or_kill(d, &doomed);
	}
	spin_unlock(&dcache_lock);
	free_list(&doomed);
}

void dentry_drop_inode(struct inode *inode)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	struct dentry *d, *tmp;

	spin_lock(&dcache_lock);
	list_for_each_entry_safe(d, tmp, &inode->dentries, alias) {
		if (d->nr_mounted || !(d->flags & DENTRY_HASHED))
			continue;
		d_drop_or_kill(d, &doomed);
	}
	spin_unlock(&dcache_lock);
	free_list(&doomed);
}

int dentry_forget(struct inode *dir, const char *name, u32 len,
		  const struct inode *only, bool expire)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	u32 hash = name_hash(name, len);
	struct dentry *p, *d;
	int err = -ENOENT;

	spin_lock(&dcache_lock);
	list_for_each_entry(p, &dir->dentries, alias) {
		d = d_find(p, name, len, hash);
		if (!d || (only && d->inode != only))
			continue;
		err = d->nr_mounted && !expire ? -EBUSY : 0;
		if (expire)
			store_once(&d->priv, NULL);
		else if (!err)
			d_drop_or_kill(d, &doomed);
		break;
	}
	spin_unlock(&dcache_lock);
	free_list(&doomed);
	return err;
}

bool d_is_ancestor(const struct dentry *a, const struct dentry *d)
{
	for (;;) {
		if (a == d)
			return true;
		if (d->parent == d)
			return false;
		d = d->parent;
	}
}

/* Short names lie in the dentry and are copied, long ones change hands. */
static void swap_names(struct dentry *a, struct dentry *b)
{
	char tmp[sizeof(a->inline_name)];
	char *a_name = a->name, *b_name = b->name;
	u32 len = a->name_len, hash = a->hash;

	memcpy(tmp, a->inline_name, sizeof(tmp));
	memcpy(a->inline_name, b->inline_name, sizeof(tmp));
	memcpy(b->inline_name, tmp, sizeof(tmp));
	a->name = b_name == b->inline_name ? a->inline_name : b_name;
	b->name = a_name == a->inline_name ? b->inline_name : a_name;
	a->name_len = b->name_len;
	a->hash = b->hash;
	b->name_len = len;
	b->hash = hash;
}

static void swap_places(struct dentry *a, struct dentry *b)
{
	struct dentry *parent = a->parent;

	a->parent = b->parent;
	b->parent = parent;
	list_move(&a->sibling, &a->parent->children);
	list_move(&b->sibling, &b->parent->children);
	swap_names(a, b);
}

/* @d moves to where @target is, by its name; @copy: of one that is long.  What
 * is to be freed: a long name of @d. */
static char *join(struct dentry *d, const struct dentry *target, char *copy)
{
	char *old = d->name == d->inline_name ? NULL : d->name;

	d->parent = dentry_get(target->parent);
	list_move(&d->sibling, &d->parent->children);
	d->name = copy ? copy : d->inline_name;
	memcpy(d->name, target->name, target->name_len + 1);
	d->name_len = target->name_len;
	d->hash = target->hash;
	return old;
}

/*
 * @target stays where it is, by its name, and dies there: who has it open sees
 * what it was called.  The directories' locks keep its name as it is.  Without
 * memory for a copy of that it goes where @d was.
 */
void d_move(struct dentry *d, struct dentry *target)
{
	bool is_long = target->name != target->inline_name, cached;
	char *copy = is_long ? kmalloc(target->name_len + 1) : NULL,
	     *old = NULL;
	struct dentry *parent = NULL;

	spin_lock(&dcache_lock);
	cached = d->flags & DENTRY_HASHED;
	d_unhash(d);
	d_delete(target);
	if (copy || !is_long) {
		parent = d->parent;
		old = join(d, target, copy);
	} else {
		swap_places(d, target);
	}
	if (cached)
		d_hash(d);
	spin_unlock(&dcache_lock);
	kfree(old);
	dentry_put(parent);
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	bool a_cached, b_cached;

	spin_lock(&dcache_lock);
	a_cached = a->flags & DENTRY_HASHED;
	b_cached = b->flags & DENTRY_HASHED;
	d_unhash(a);
	d_unhash(b);
	swap_places(a, b);
	if (a_cached)
		d_hash(a);
	if (b_cached)
		d_hash(b);
	spin_unlock(&dcache_lock);
}

u64 dentry_cache_count(u64 *unused, u64 *absent)
{
	struct dentry *d;
	u64 nr;

	*unused = *absent = 0;
	spin_lock(&dcache_lock);
	list_for_each_entry(d, &lru, lru) {
		if (load_once(&d->refs))
			continue;
		++*unused;
		*absent += !d->inode;
	}
	nr = nr_hashed;
	spin_unlock(&dcache_lock);
	return nr;
}
