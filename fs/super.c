/* SPDX-License-Identifier: MIT */
/*
 * fs/super.c - file system types and their instances.
 *
 * INVARIANTS
 *   B1  A block device belongs to at most one super block; a second mount of it
 *       shares that, with the same read-only flag.
 *   B2  A super block lives while mounts refer to it (sb->refs).  At zero it is
 *       marked dying, written, emptied and destroyed; until it is off the list
 *       its device is busy.
 *
 * Locking: mount_mutex around creation; icache_lock for the list and refs.
 */
#include <fs/internal.h>
#include <fs/landlock.h>
#include <fs/notify.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

bool fs_root_ready; /* [I after boot] */

struct mutex mount_mutex = MUTEX_INIT(mount_mutex);

static struct list_head types = LIST_HEAD_INIT(types);	 /* [mount_mutex] */
static struct list_head supers = LIST_HEAD_INIT(supers); /* [icache_lock] */
static u32 next_anon_minor = 20;			 /* [mount_mutex] */

int fs_register(struct fs_type *t)
{
	int err = 0;

	KASSERT(t->name && t->mount);
	mutex_lock(&mount_mutex);
	if (fs_find_type(t->name))
		err = -EBUSY;
	else
		list_add_tail(&t->node, &types);
	mutex_unlock(&mount_mutex);
	return err;
}

struct fs_type *fs_find_type(const char *name)
{
	const char *dot = strchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : strlen(name);
	struct fs_type *t;

	list_for_each_entry(t, &types, node) {
		if (!strncmp(t->name, name, n) && !t->name[n] &&
		    (!dot || t->has_subtype))
			return t;
	}
	return NULL;
}

const char *sb_type_str(const struct super_block *sb, char *buf, size_t n)
{
	scnprintf(buf, n, "%s%s%s", sb->type->name, sb->subtype ? "." : "",
		  sb->subtype ? sb->subtype : "");
	return buf;
}

void fs_for_each_type(void (*fn)(struct fs_type *t, void *ctx), void *ctx)
{
	struct fs_type *t;

	mutex_lock(&mount_mutex);
	list_for_each_entry(t, &types, node)
		fn(t, ctx);
	mutex_unlock(&mount_mutex);
}

/* The block device that @dev names: a path, or in early boot only a name. */
static int find_bdev(const char *dev, struct blkdev **out)
{
	struct inode *i;
	struct path p;
	int err;

	*out = NULL;
	if (!dev || !*dev)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, dev, LOOKUP_FOLLOW, &p);
	if (err) {
		if (str_has_prefix(dev, "/dev/") && !fs_root_ready)
			*out = blkdev_by_name(dev + 5);
		return *out ? 0 : err;
	}
	i = p.dentry->inode;
	if (!S_ISBLK(i->mode))
		err = -ENOTBLK;
	else if ((p.mnt->flags & MS_NODEV) || i->sb->user_ns != &init_user_ns)
		err = -EACCES;
	else if (!(*out = blkdev_find(i->rdev)))
		err = -ENXIO;
	path_put(&p);
	return err;
}

/* B1: who has @bd?  With a reference, NULL, or ERR_PTR(-EBUSY). */
static struct super_block *sb_of_bdev(struct fs_type *t, struct blkdev *bd,
				      u64 flags)
{
	struct super_block *sb, *found = NULL;

	spin_lock(&icache_lock);
	list_for_each_entry(sb, &supers, node) {
		if (sb->bdev != bd)
			continue;
		found = sb;
		if (sb->type != t || !sb->refs ||
		    ((sb->flags ^ flags) & MS_RDONLY))
			found = ERR_PTR(-EBUSY);
		else
			sb->refs++;
		break;
	}
	spin_unlock(&icache_lock);
	return found;
}

/* The instance of @t for @key, with a reference, or NULL. */
static struct super_block *sb_of_key(struct fs_type *t, const void *key)
{
	struct super_block *sb, *found = NULL;

	spin_lock(&icache_lock);
	list_for_each_entry(sb, &supers, node) {
		if (sb->type == t && sb->priv == key && sb->refs) {
			sb->refs++;
			found = sb;
			break;
		}
	}
	spin_unlock(&icache_lock);
	return found;
}

struct user_ns *fs_owner(const struct fs_type *t)
{
	return t->owner ? t->owner() : &init_user_ns;
}

kdev_t sb_anon_dev(void)
{
	return MKDEV(0, next_anon_minor++);
}

static struct super_block *sb_alloc(struct fs_type *t, struct blkdev *bd,
				    u64 flags)
{
	struct super_block *sb = kzalloc(sizeof(*sb));

	if (!sb)
		return NULL;
	sb->type = t;
	sb->bdev = bd;
	sb->dev = bd ? bd->dev : sb_anon_dev();
	sb->flags = flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC |
			     MS_LAZYTIME | MS_SILENT);
	sb->block_size = PAGE_SIZE;
	sb->max_size = 0x7fffffffffffffffull;
	sb->time_gran = 1;
	sb->user_ns = fs_owner(t);
	ns_get(&sb->user_ns->ns);
	mutex_init(&sb->rename_lock);
	list_init(&sb->inodes);
	sb->refs = 1;
	return sb;
}

/* The device is the file system's alone while it is mounted. */
static int hold_bdev(struct super_block *sb, struct blkdev *bd)
{
	int err = blkdev_open(bd);

	if (err)
		return err;
	err = blkdev_claim(bd, sb);
	if (err)
		blkdev_close(bd);
	return err;
}

static void release_bdev(struct super_block *sb, struct blkdev *bd)
{
	blkdev_unclaim(bd, sb);
	blkdev_close(bd);
}

static struct super_block *sb_create(struct fs_type *t, struct blkdev *bd,
				     u64 flags, const char *data)
{
	struct super_block *sb = sb_alloc(t, bd, flags);
	int err;

	if (!sb)
		return ERR_PTR(-ENOMEM);
	err = bd ? hold_bdev(sb, bd) : 0;
	if (!err) {
		err = t->mount(sb, bd, flags, data);
		if (err && bd)
			release_bdev(sb, bd);
	}
	if (err) {
		ns_put(&sb->user_ns->ns);
		kfree(sb);
		return ERR_PTR(err);
	}
	KASSERT(sb->ops && sb->root);
	spin_lock(&icache_lock);
	list_add_tail(&sb->node, &supers);
	if (t->single) {
		sb->refs++;
		t->single_sb = sb;
	}
	spin_unlock(&icache_lock);
	return sb;
}

struct super_block *sb_find_or_create(struct fs_type *t, const char *dev,
				      u64 flags, const char *data)
{
	struct super_block *sb;
	struct blkdev *bd = NULL;
	int err;

	if (!fs_cred_capable(fs_owner(t), CAP_SYS_ADMIN))
		return ERR_PTR(-EPERM);
	if (t->shows_system && !mount_reveals_nothing(t))
		return ERR_PTR(-EPERM);
	if (t->single_sb) {
		err = t->again ? t->again(t->single_sb, data) : 0;
		if (err)
			return ERR_PTR(err);
		sb_get(t->single_sb);
		return t->single_sb;
	}
	sb = t->key ? sb_of_key(t, t->key()) : NULL;
	if (sb)
		return sb;
	if (t->needs_dev) {
		err = find_bdev(dev, &bd);
		if (err)
			return ERR_PTR(err);
		if (blkdev_read_only(bd) && !(flags & MS_RDONLY))
			return ERR_PTR(-EACCES);
		sb = sb_of_bdev(t, bd, flags);
		if (sb)
			return sb;
	}
	return sb_create(t, bd, flags, data);
}

void sb_get(struct super_block *sb)
{
	spin_lock(&icache_lock);
	KASSERT(sb->refs);
	sb->refs++;
	spin_unlock(&icache_lock);
}

/* B2: nobody refers to it any more. */
static void sb_destroy(struct super_block *sb)
{
	struct dentry *root = sb->root;
	bool leaked;

	notify_drop_sb(sb);
	landlock_drop_sb(sb);
	(void)sb_thaw(sb); /* nobody could any more */
	sb_sync(sb, true);
	dcache_drop_sb(sb);
	if (sb->ops->drop_names)
		sb->ops->drop_names(sb);
	spin_lock(&dcache_lock);
	d_drop(root);
	spin_unlock(&dcache_lock);
	dentry_put(root);
	inodes_drop_sb(sb);
	leaked = !list_empty(&sb->inodes);
	if (leaked)
		pr_err("%s: inodes in use after unmount", sb->type->name);
	else if (sb->ops->put_super)
		sb->ops->put_super(sb);
	spin_lock(&icache_lock);
	list_del(&sb->node);
	spin_unlock(&icache_lock);
	if (leaked)
		return;
	if (sb->bdev)
		release_bdev(sb, sb->bdev);
	ns_put(&sb->user_ns->ns);
	kfree(sb);
}

void sb_put(struct super_block *sb)
{
	bool last;

	spin_lock(&icache_lock);
	last = --sb->refs == 0;
	spin_unlock(&icache_lock);
	if (last)
		sb_destroy(sb);
}

int sb_remount(struct super_block *sb, u64 flags, const char *data)
{
	bool to_ro = (flags & MS_RDONLY) && !(sb->flags & MS_RDONLY);
	bool to_rw = !(flags & MS_RDONLY) && (sb->flags & MS_RDONLY);
	u64 mask = MS_RDONLY | MS_SYNCHRONOUS | MS_LAZYTIME;
	int err = 0;

	if (!fs_cred_capable(sb->user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (load_once(&sb->frozen) || (to_ro && sb_has_writers(sb)))
		return -EBUSY;
	if (to_rw && sb->bdev && blkdev_read_only(sb->bdev))
		return -EACCES;
	if (to_ro)
		sb_sync(sb, true);
	if (sb->ops->remount)
		err = sb->ops->remount(sb, flags, data);
	if (err)
		return err;
	if (!to_rw) /* it may have given up by itself: -o remount,abort */
		flags |= load_once(&sb->flags) & MS_RDONLY;
	store_once(&sb->flags, (sb->flags & ~mask) | (flags & mask));
	return 0;
}

/* The machine stops: written and read-only, whoever still has it open. */
void sb_remount_force(struct super_block *sb)
{
	(void)sb_thaw(sb);
	sb_sync(sb, true);
	if (sb->ops->remount)
		sb->ops->remount(sb, sb->flags | MS_RDONLY, "");
	store_once(&sb->flags, sb->flags | MS_RDONLY);
}

int sb_sync(struct super_block *sb, bool wait)
{
	struct inode *i = NULL;
	int err = 0, e;

	while ((i = inode_next_dirty(sb, i)) != NULL) {
		if (i->mapping.ops && !i->mapping.ops->no_writeback) {
			e = mapping_sync(&i->mapping, 0, ~0ull, wait);
			err = err ? err : e;
		}
		if (load_once(&i->dirty) && sb->ops->write_inode) {
			e = sb->ops->write_inode(i, wait);
			err = err ? err : e;
		} else {
			store_once(&i->dirty, 0);
		}
		cond_resched();
	}
	if (sb->ops->sync_fs) {
		e = sb->ops->sync_fs(sb, wait);
		err = err ? err : e;
	}
	return err;
}

/* The live super block behind @prev (put), referenced; NULL at the end. */
static struct super_block *next_super(struct super_block *prev)
{
	struct super_block *sb, *found = NULL;
	struct list_head *at;

	spin_lock(&icache_lock);
	at = prev ? prev->node.next : supers.next;
	for (; at != &supers; at = at->next) {
		sb = list_entry(at, struct super_block, node);
		if (!sb->refs)
			continue;
		sb->refs++;
		found = sb;
		break;
	}
	spin_unlock(&icache_lock);
	if (prev)
		sb_put(prev);
	return found;
}

void sb_for_each(void (*fn)(struct super_block *sb, void *ctx), void *ctx)
{
	struct super_block *sb = NULL;

	while ((sb = next_super(sb)) != NULL)
		fn(sb, ctx);
}

static bool is_written(const struct super_block *sb)
{
	return !(sb->flags & MS_RDONLY) && !load_once(&sb->dead);
}

static void sync_one(struct super_block *sb, void *ctx)
{
	if (is_written(sb))
		sb_sync(sb, *(bool *)ctx);
}

struct settling {
	struct blkdev *bd;
	int err;
};

static void settle_one(struct super_block *sb, void *ctx)
{
	struct settling *s = ctx;
	struct blkdev *bd = sb->bdev;
	int err;

	if (!bd || !sb->ops->settle || !is_written(sb) ||
	    (bd != s->bd && bd->whole != s->bd && bd != s->bd->whole))
		return;
	err = sb_sync(sb, true);
	if (!err)
		err = sb->ops->settle(sb);
	s->err = s->err ? s->err : err;
}

int sb_settle_bdev(struct blkdev *bd)
{
	struct settling s = { .bd = bd };

	sb_for_each(settle_one, &s);
	return s.err;
}

static void match_bdev(struct super_block *sb, void *ctx)
{
	struct blkdev **bd = ctx;

	if (sb->bdev == *bd)
		*bd = NULL;
}

int sb_is_mounted(const char *dev)
{
	struct blkdev *bd;
	int err = find_bdev(dev, &bd);

	if (err)
		return err;
	sb_for_each(match_bdev, &bd);
	return bd ? -ENODEV : 0;
}

struct written {
	struct blkdev *bd;
	u64 pos, len;
};

static void written_one(struct super_block *sb, void *ctx)
{
	struct written *w = ctx;

	if (sb->bdev == w->bd && sb->ops->device_written && is_written(sb))
		sb->ops->device_written(sb, w->pos, w->len);
}

void sb_bdev_written(struct blkdev *bd, u64 pos, u64 len)
{
	struct written w = { bd, pos, len };

	sb_for_each(written_one, &w);
}

void sync_all(bool wait)
{
	sb_for_each(sync_one, &wait);
	pagecache_sync_all(wait); /* block devices */
}
