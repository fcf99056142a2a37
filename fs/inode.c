/* SPDX-License-Identifier: MIT */
/*
 * fs/inode.c - the cache of inodes: found by number, kept until memory is
 * wanted.
 *
 *	inode_get_by_ino() --> I_NEW --inode_unlock_new()--> in use
 *	in use --last put--> on the LRU (hashed, linked) --get--> in use
 *	in use or LRU --> I_FREEING --> gone
 *
 * INVARIANTS
 *   N1  Two inodes of one (sb, ino) never live at the same time: who finds one
 *       that is being freed waits until it is gone.
 *   N2  Nobody takes a reference on an inode that is I_FREEING.
 *   N3  References go from 0 to 1 only under icache_lock.
 *
 * Locking: icache_lock (RANK_INODE).  Eviction sleeps and holds no lock.
 */
#include <fs/internal.h>
#include <fs/notify.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/hash.h>

/* inode->state */
#define I_NEW	  BIT(0) /* being filled by who allocated it */
#define I_FREEING BIT(1) /* being evicted */
#define I_HASHED  BIT(2)
#define I_FAILED  BIT(3) /* could not be read: dies at the last put */

struct spinlock icache_lock = SPINLOCK_INIT("icache", RANK_INODE);

static struct kmem_cache *inode_cache;		   /* [I] */
static struct list_head *buckets;		   /* [icache_lock] */
static u64 bucket_mask;				   /* [I] */
static struct list_head lru = LIST_HEAD_INIT(lru); /* [icache_lock] old last */
static u64 nr_inodes, nr_unused;		   /* [icache_lock] */
static u64 max_unused;				   /* [I] */
/* Woken when an inode stops being new or being freed. */
static struct waitq state_wq = WAITQ_INIT(state_wq);

static int icache_init(void)
{
	struct pmem_info mem;
	u64 nr, i;

	pmem_info(&mem);
	nr = 1ull << log2_floor(clamp(mem.total / 64, (u64)512, (u64)16384));
	buckets = alloc_pages_exact(nr * sizeof(*buckets), 0);
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 8);
	if (!buckets || !inode_cache)
		panic("icache: no memory for %llu buckets",
		      (unsigned long long)nr);
	for (i = 0; i < nr; i++)
		list_init(&buckets[i]);
	bucket_mask = nr - 1;
	max_unused = max(mem.total / 2, (u64)2048);
	return 0;
}
INITCALL(INIT_CORE, icache_init);

struct timespec64 inode_now(const struct inode *i)
{
	struct timespec64 ts = ns_to_timespec(clock_real_ns());
	u32 gran = i->sb->time_gran;

	if (gran == NSEC_PER_SEC)
		ts.tv_nsec = 0;
	else if (gran > 1)
		ts.tv_nsec -= ts.tv_nsec % gran;
	return ts;
}

void inode_touch(struct inode *i, bool m, bool c)
{
	struct timespec64 now = inode_now(i);

	if (m)
		i->mtime = now;
	if (c)
		i->ctime = now;
	inode_mark_dirty(i);
}

static const struct inode_ops no_ops;

static void inode_init(struct inode *i, struct super_block *sb)
{
	i->ino = 0;
	i->sb = sb;
	i->refs = 1;
	i->mode = 0;
	i->uid = i->gid = 0;
	i->nlink = 1;
	i->rdev = 0;
	i->blocks = 0;
	i->generation = 0;
	i->iflags = 0;
	i->linkable = false;
	i->ops = &no_ops;
	i->fops = NULL;
	rwsem_init(&i->lock);
	mapping_init(&i->mapping, NULL, i);
	if (sb->bdev)
		i->mapping.ra_pages = &sb->bdev->ra_pages;
	list_init(&i->hash.node);
	list_init(&i->sb_node);
	list_init(&i->lru_node);
	i->state = 0;
	i->dirty = 0;
	i->writecount = 0;
	i->readcount = 0;
	i->write_hint = 0;
	i->acl_state = i->acl_default = 0; /* ACL_UNKNOWN */
	i->filecaps = 0;		   /* FILECAPS_UNKNOWN */
	list_init(&i->flocks);
	list_init(&i->dentries);
	i->fifo = NULL;
	i->link = NULL;
	i->priv = NULL;
	i->atime = i->mtime = i->ctime = i->btime = inode_now(i);
}

/* Allocated, not yet on any list. */
static struct inode *inode_make(struct super_block *sb)
{
	struct inode *i;

	if (sb->ops->alloc_inode)
		i = sb->ops->alloc_inode(sb);
	else
		i = kmem_cache_alloc(inode_cache);
	if (i)
		inode_init(i, sb);
	return i;
}

static void inode_unmake(struct inode *i)
{
	if (i->sb->ops->free_inode)
		i->sb->ops->free_inode(i);
	else
		kmem_cache_free(inode_cache, i);
}

static void link_sb(struct inode *i)
{
	list_add_tail(&i->sb_node, &i->sb->inodes);
	nr_inodes++;
}

/* Keep the number of idle inodes within bounds. */
static void icache_balance(void)
{
	if (unlikely(load_once(&nr_unused) > max_unused))
		icache_shrink(32);
}

struct inode *inode_new(struct super_block *sb)
{
	struct inode *i;

	icache_balance();
	i = inode_make(sb);
	if (!i)
		return NULL;
	spin_lock(&icache_lock);
	link_sb(i);
	spin_unlock(&icache_lock);
	return i;
}

static struct list_head *bucket_of(const struct super_block *sb, u64 ino)
{
	return &buckets[hash64((u64)(uintptr_t)sb ^
			       ino * 0x9e3779b97f4a7c15ull) &
			bucket_mask];
}

static struct inode *find(const struct super_block *sb, u64 ino)
{
	struct list_head *head = bucket_of(sb, ino);
	struct inode *i;

	list_for_each_entry(i, head, hash.node) {
		if (i->ino == ino && i->sb == sb)
			return i;
	}
	return NULL;
}

static void hash_locked(struct inode *i)
{
	list_add(&i->hash.node, bucket_of(i->sb, i->ino));
	i->state |= I_HASHED;
}

static void unhash_locked(struct inode *i)
{
	list_del(&i->hash.node);
	i->state &= ~(u32)I_HASHED;
}

void inode_hash_insert(struct inode *i)
{
	spin_lock(&icache_lock);
	if (!(i->state & I_HASHED))
		hash_locked(i);
	spin_unlock(&icache_lock);
}

/* Off the LRU with one reference more; the lock is held (N3). */
static void ref_locked(struct inode *i)
{
	if (list_is_linked(&i->lru_node)) {
		list_del(&i->lru_node);
		nr_unused--;
	}
	atomic_inc(&i->refs);
}

static bool is_gone(struct super_block *sb, u64 ino)
{
	struct inode *i;
	bool gone;

	spin_lock(&icache_lock);
	i = find(sb, ino);
	gone = !i || !(i->state & I_FREEING);
	spin_unlock(&icache_lock);
	return gone;
}

/* One look: the inode, or NULL with @fresh hashed in its place (if given). */
static struct inode *find_or_insert(struct super_block *sb, u64 ino,
				    struct inode *fresh)
{
	struct inode *i;

	for (;;) {
		spin_lock(&icache_lock);
		i = find(sb, ino);
		if (!i || !(i->state & I_FREEING))
			break;
		spin_unlock(&icache_lock);
		wait_event(&state_wq, is_gone(sb, ino)); /* N1 */
	}
	if (i) {
		ref_locked(i);
	} else if (fresh) {
		fresh->ino = ino;
		fresh->state |= I_NEW;
		link_sb(fresh);
		hash_locked(fresh);
	}
	spin_unlock(&icache_lock);
	return i;
}

struct inode *inode_find(struct super_block *sb, u64 ino)
{
	struct inode *i = find_or_insert(sb, ino, NULL);

	if (!i)
		return NULL;
	wait_event(&state_wq, !(load_once(&i->state) & I_NEW));
	if (!(load_once(&i->state) & I_FAILED))
		return i;
	inode_put(i);
	return NULL;
}

struct inode *inode_get_by_ino(struct super_block *sb, u64 ino, bool *is_new)
{
	struct inode *i, *fresh = NULL;

	*is_new = false;
	icache_balance();
	for (;;) {
		i = find_or_insert(sb, ino, fresh);
		if (!i && !fresh) {
			fresh = inode_make(sb);
			if (!fresh)
				return NULL;
			continue;
		}
		if (!i) {
			*is_new = true;
			return fresh;
		}
		wait_event(&state_wq, !(load_once(&i->state) & I_NEW));
		if (likely(!(load_once(&i->state) & I_FAILED)))
			break;
		inode_put(i);
	}
	if (fresh)
		inode_unmake(fresh);
	return i;
}

void inode_unlock_new(struct inode *i)
{
	spin_lock(&icache_lock);
	KASSERT(i->state & I_NEW);
	i->state &= ~(u32)I_NEW;
	spin_unlock(&icache_lock);
	wake_up_all(&state_wq);
}

void inode_fail_new(struct inode *i)
{
	spin_lock(&icache_lock);
	KASSERT(i->state & I_NEW);
	i->state &= ~(u32)I_NEW;
	i->state |= I_FAILED;
	unhash_locked(i);
	spin_unlock(&icache_lock);
	wake_up_all(&state_wq);
	inode_put(i);
}

struct inode *inode_get(struct inode *i)
{
	atomic_inc(&i->refs);
	return i;
}

bool inode_try_get(struct inode *i)
{
	u32 refs = load_once(&i->refs), seen;

	while (refs) {
		seen = atomic_cmpxchg(&i->refs, refs, refs + 1);
		if (seen == refs)
			return true;
		refs = seen;
	}
	return false;
}

static void write_back(struct inode *i)
{
	if (i->mapping.ops && !i->mapping.ops->no_writeback)
		mapping_sync(&i->mapping, 0, ~0ull, true);
	if (load_once(&i->dirty) && i->sb->ops->write_inode)
		i->sb->ops->write_inode(i, false);
}

/* No references, I_FREEING set by us. */
static void evict(struct inode *i)
{
	bool hashed;

	KASSERT(!i->refs && list_empty(&i->dentries));
	notify_evicted(i);
	if (i->nlink && !(i->state & I_FAILED))
		write_back(i);
	mapping_destroy(&i->mapping);
	if (i->sb->ops->evict_inode && !(i->state & I_FAILED))
		i->sb->ops->evict_inode(i);
	kfree(i->link);
	spin_lock(&icache_lock);
	hashed = i->state & I_HASHED;
	if (hashed)
		unhash_locked(i);
	list_del(&i->sb_node);
	nr_inodes--;
	spin_unlock(&icache_lock);
	if (hashed)
		wake_up_all(&state_wq);
	inode_unmake(i);
}

/* Drop a reference that is not the last one.  False: it may be. */
static bool put_not_last(struct inode *i)
{
	u32 refs = load_once(&i->refs), seen;

	while (refs > 1) {
		seen = atomic_cmpxchg(&i->refs, refs, refs - 1);
		if (seen == refs)
			return true;
		refs = seen;
	}
	return false;
}

void inode_put(struct inode *i)
{
	if (!i || put_not_last(i))
		return;
	spin_lock(&icache_lock);
	KASSERT(i->refs);
	if (!atomic_dec_and_test(&i->refs)) {
		spin_unlock(&icache_lock);
		return;
	}
	if (i->nlink && (i->state & I_HASHED) && !i->sb->ops->no_icache) {
		list_add(&i->lru_node, &lru);
		nr_unused++;
		spin_unlock(&icache_lock);
		return;
	}
	i->state |= I_FREEING; /* N2: unhashed, or finders wait */
	spin_unlock(&icache_lock);
	evict(i);
}

/* @i is idle: nobody gets at it any more.  The lock is held (N2). */
static void doom(struct inode *i)
{
	list_del(&i->lru_node);
	nr_unused--;
	i->state |= I_FREEING;
}

static bool needs_writing(const struct inode *i)
{
	return load_once(&i->mapping.nr_dirty) ||
	       (load_once(&i->dirty) && i->sb->ops->write_inode);
}

/* The oldest that can go without I/O; looks at *@look inodes at most. */
static struct inode *doom_oldest(u64 *look)
{
	struct inode *i, *found = NULL;

	spin_lock(&icache_lock);
	while (!found && !list_empty(&lru) && *look) {
		i = list_last_entry(&lru, struct inode, lru_node);
		--*look;
		if (needs_writing(i))
			list_move(&i->lru_node, &lru);
		else
			found = i;
	}
	if (found)
		doom(found);
	spin_unlock(&icache_lock);
	return found;
}

u64 icache_shrink(u64 nr)
{
	u64 freed = 0, look = 4 * nr;
	struct inode *i;

	while (freed < nr && (i = doom_oldest(&look)) != NULL) {
		evict(i);
		freed++;
	}
	return freed;
}

static struct inode *doom_one_of(struct super_block *sb)
{
	struct inode *i, *found = NULL;

	spin_lock(&icache_lock);
	list_for_each_entry(i, &sb->inodes, sb_node) {
		if (!list_is_linked(&i->lru_node))
			continue;
		doom(i);
		found = i;
		break;
	}
	spin_unlock(&icache_lock);
	return found;
}

/* Evict what is idle in @sb; an unmount has made that everything. */
void inodes_drop_sb(struct super_block *sb)
{
	struct inode *i;

	while ((i = doom_one_of(sb)) != NULL) {
		evict(i);
		cond_resched();
	}
}

/* The inode behind @prev (put) in @sb's list that needs writing, referenced. */
struct inode *inode_next_dirty(struct super_block *sb, struct inode *prev)
{
	struct inode *i, *found = NULL;
	struct list_head *at;

	spin_lock(&icache_lock);
	at = prev ? prev->sb_node.next : sb->inodes.next;
	for (; at != &sb->inodes; at = at->next) {
		i = list_entry(at, struct inode, sb_node);
		if (i->state & (I_NEW | I_FREEING | I_FAILED))
			continue;
		/* on its way is not there yet: somebody may wait for us */
		if (!load_once(&i->dirty) && !mapping_unsettled(&i->mapping))
			continue;
		ref_locked(i);
		found = i;
		break;
	}
	spin_unlock(&icache_lock);
	inode_put(prev);
	return found;
}

bool sb_has_writers(struct super_block *sb)
{
	bool busy = false;
	struct inode *i;

	spin_lock(&icache_lock);
	list_for_each_entry(i, &sb->inodes, sb_node) {
		if (load_once(&i->writecount) > 0 ||
		    (i->nlink == 0 && i->refs && !(i->state & I_FREEING)))
			busy = true;
	}
	spin_unlock(&icache_lock);
	return busy;
}

void inode_mark_dirty(struct inode *i)
{
	if (likely(load_once(&i->dirty)))
		return;
	store_once(&i->dirty, 1);
	if (i->sb->ops->write_inode)
		iflush_wake();
}

u64 inode_cache_count(u64 *unused)
{
	*unused = load_once(&nr_unused);
	return load_once(&nr_inodes);
}
