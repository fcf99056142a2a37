/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/inode.c - inodes between the inode table and memory.
 *
 * INVARIANTS
 *   V1  An inode in the cache passed all checks of load(): type, sizes and
 *       addresses can be used without asking again.
 *   V2  What ext4 itself changes is copied to the table within the handle
 *       that changes it (ext4_mark_dirty()); what the VFS changes (times,
 *       size) sets inode->dirty and is copied by write_inode.
 *
 * Locking: ei->raw_lock around the copy; see ext4.h.
 * Not here: giving inodes out and back (ialloc.c).
 */
#include <fs/ext4/ext4.h>
#include <lib/atomic.h>

#define ITABLE_AHEAD 16u /* blocks */

/* Who wants one inode of a directory will want others: they lie together. */
static void read_ahead(struct ext4_sb *sbi, u64 table, u32 i)
{
	u32 first = ALIGN_DOWN(i, ITABLE_AHEAD);

	ext4_buf_prefetch(sbi, table + first,
			  min(ITABLE_AHEAD, sbi->itable_blocks - first));
}

/* The inode's place in the table. */
int ext4_raw_slot(struct ext4_sb *sbi, u64 ino, struct ext4_buf **buf,
		  struct ext4_raw_inode **raw)
{
	u64 table, blk;
	u32 group, at;

	if (ino == 0 || ino > sbi->nr_inodes)
		return -EFSCORRUPTED;
	group = (u32)((ino - 1) / sbi->inodes_per_group);
	at = (u32)((ino - 1) % sbi->inodes_per_group);
	table = ext4_inode_table(sbi, ext4_desc(sbi, group, NULL));
	blk = table + at / sbi->inodes_per_block;
	if (!ext4_buf_cached(sbi, blk))
		read_ahead(sbi, table, at / sbi->inodes_per_block);
	*buf = ext4_buf_read(sbi, blk, EXT4_KIND_NONE, 0);
	if (IS_ERR(*buf))
		return (int)PTR_ERR(*buf);
	*raw = (void *)((u8 *)(*buf)->data +
			at % sbi->inodes_per_block * sbi->inode_size);
	return 0;
}

static bool raw_fits(const struct ext4_sb *sbi,
		     const struct ext4_raw_inode *raw, size_t end)
{
	return sbi->inode_size > EXT4_GOOD_OLD_INODE_SIZE &&
	       end <= EXT4_GOOD_OLD_INODE_SIZE + (size_t)raw->extra_isize;
}
#define RAW_HAS(sbi, raw, m) \
	raw_fits(sbi, raw,   \
		 offsetof(struct ext4_raw_inode, m) + sizeof((raw)->m))

static struct timespec64 time_decode(u32 sec, u32 extra)
{
	return (struct timespec64){
		.tv_sec = (s64)(s32)sec + ((s64)(extra & 3) << 32),
		.tv_nsec = (s64)min(extra >> 2, 999999999u),
	};
}

static u32 time_extra(struct timespec64 t)
{
	u32 epoch = (u32)((t.tv_sec - (s32)t.tv_sec) >> 32) & 3;

	return (u32)t.tv_nsec << 2 | epoch;
}

static void load_times(struct ext4_sb *sbi, struct inode *inode,
		       const struct ext4_raw_inode *raw)
{
	bool c = RAW_HAS(sbi, raw, ctime_extra);
	bool m = RAW_HAS(sbi, raw, mtime_extra);
	bool a = RAW_HAS(sbi, raw, atime_extra);

	inode->ctime = time_decode(raw->ctime, c ? raw->ctime_extra : 0);
	inode->mtime = time_decode(raw->mtime, m ? raw->mtime_extra : 0);
	inode->atime = time_decode(raw->atime, a ? raw->atime_extra : 0);
	if (RAW_HAS(sbi, raw, crtime))
		inode->btime =
			time_decode(raw->crtime, RAW_HAS(sbi, raw, crtime_extra)
							 ? raw->crtime_extra
							 : 0);
	else
		inode->btime = (struct timespec64){ 0, 0 };
}

static void store_times(struct ext4_sb *sbi, const struct inode *inode,
			struct ext4_raw_inode *raw)
{
	raw->ctime = (u32)inode->ctime.tv_sec;
	raw->mtime = (u32)inode->mtime.tv_sec;
	raw->atime = (u32)inode->atime.tv_sec;
	if (RAW_HAS(sbi, raw, ctime_extra))
		raw->ctime_extra = time_extra(inode->ctime);
	if (RAW_HAS(sbi, raw, mtime_extra))
		raw->mtime_extra = time_extra(inode->mtime);
	if (RAW_HAS(sbi, raw, atime_extra))
		raw->atime_extra = time_extra(inode->atime);
	if (RAW_HAS(sbi, raw, crtime))
		raw->crtime = (u32)inode->btime.tv_sec;
	if (RAW_HAS(sbi, raw, crtime_extra))
		raw->crtime_extra = time_extra(inode->btime);
}

static u64 load_blocks(struct ext4_sb *sbi, const struct ext4_raw_inode *raw)
{
	u64 n = raw->blocks_lo;

	if (!sbi->has_huge_file)
		return n;
	n |= (u64)raw->blocks_hi << 32;
	if (raw->flags & EXT4_HUGE_FILE_FL)
		n <<= sbi->block_bits - SECTOR_SHIFT;
	return n;
}

static void store_blocks(struct ext4_sb *sbi, struct ext4_inode *ei,
			 struct ext4_raw_inode *raw)
{
	u64 n = ei->disk_blocks;

	ei->flags &= ~(u32)EXT4_HUGE_FILE_FL;
	if (n >> 48) {
		n >>= sbi->block_bits - SECTOR_SHIFT;
		ei->flags |= EXT4_HUGE_FILE_FL;
	}
	raw->blocks_lo = (u32)n;
	if (sbi->has_huge_file)
		raw->blocks_hi = (u16)(n >> 32);
}

static void load_rdev(struct inode *inode, const struct ext4_raw_inode *raw)
{
	u32 old = raw->block[0];

	if (old)
		inode->rdev = MKDEV((old >> 8) & 0xff, old & 0xff);
	else
		inode->rdev = dev_decode(raw->block[1]);
}

static void store_rdev(struct ext4_inode *ei)
{
	kdev_t d = ei->vfs.rdev;

	if (MAJOR(d) < 256 && MINOR(d) < 256) {
		ei->data[0] = MAJOR(d) << 8 | MINOR(d);
		ei->data[1] = 0;
	} else {
		ei->data[0] = 0;
		ei->data[1] = (u32)dev_encode(d);
	}
}

void ext4_iflags_to_vfs(struct inode *inode)
{
	inode->iflags = EXT4_I(inode)->flags;
}

u64 ext4_max_size(const struct inode *inode)
{
	const struct ext4_sb *sbi = inode_sbi(inode);

	if (container_of(inode, const struct ext4_inode, vfs)->flags &
	    EXT4_EXTENTS_FL)
		return sbi->max_file_ext;
	return sbi->max_file_ind;
}

static bool is_device(u32 mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

static int check(struct ext4_sb *sbi, struct ext4_inode *ei,
		 const struct ext4_raw_inode *raw)
{
	u32 mode = raw->mode;
	u64 size = ei->vfs.i_size;

	if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode) &&
	    !is_device(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EFSCORRUPTED;
	if (raw->flags & (EXT4_INLINE_DATA_FL | EXT4_EA_INODE_FL))
		return -EFSCORRUPTED; /* features that we refuse */
	if (sbi->inode_size > EXT4_GOOD_OLD_INODE_SIZE &&
	    (raw->extra_isize % 4 ||
	     raw->extra_isize > sbi->inode_size - EXT4_GOOD_OLD_INODE_SIZE))
		return -EFSCORRUPTED;
	if (size > ext4_max_size(&ei->vfs) ||
	    (S_ISDIR(mode) && (size % sbi->block_size || !size)) ||
	    (S_ISLNK(mode) && (size >= sbi->block_size || !size)))
		return -EFSCORRUPTED;
	if (S_ISDIR(mode) && size >> 31 && !sbi->has_largedir)
		return -EFSCORRUPTED;
	if (ei->file_acl && !ext4_blocks_ok(sbi, ei->file_acl, 1))
		return -EFSCORRUPTED;
	return 0;
}

static int load(struct ext4_sb *sbi, struct inode *inode,
		const struct ext4_raw_inode *raw)
{
	struct ext4_inode *ei = EXT4_I(inode);

	ei->csum_seed = ext4_inode_seed(sbi, (u32)inode->ino, raw->generation);
	if (sbi->inode_size > EXT4_GOOD_OLD_INODE_SIZE &&
	    raw->extra_isize > sbi->inode_size - EXT4_GOOD_OLD_INODE_SIZE)
		return -EFSCORRUPTED;
	if (sbi->has_csum && !ext4_raw_csum_ok(sbi, ei->csum_seed, raw))
		return -EFSBADCRC;
	inode->mode = raw->mode;
	inode->uid = raw->uid_lo | (u32)raw->uid_hi << 16;
	inode->gid = raw->gid_lo | (u32)raw->gid_hi << 16;
	inode->nlink = raw->links;
	inode->generation = raw->generation;
	inode->i_size = raw->size_lo;
	if (S_ISREG(raw->mode) || S_ISDIR(raw->mode))
		inode->i_size |= (u64)raw->size_hi << 32;
	load_times(sbi, inode, raw);
	ei->flags = raw->flags;
	ei->dtime = raw->dtime;
	ei->extra_isize = sbi->inode_size > EXT4_GOOD_OLD_INODE_SIZE
				  ? raw->extra_isize
				  : 0;
	ei->disk_blocks = load_blocks(sbi, raw);
	inode->blocks = ei->disk_blocks;
	ei->file_acl = raw->file_acl_lo;
	if (sbi->has_64bit)
		ei->file_acl |= (u64)raw->file_acl_hi << 32;
	memcpy(ei->data, raw->block, sizeof(ei->data));
	if (is_device(raw->mode))
		load_rdev(inode, raw);
	ei->disk_size = inode->i_size;
	/* Who changed it before it left the cache may not be committed. */
	ei->sync_tid = ei->datasync_tid = ext4_newest_tid(sbi);
	return check(sbi, ei, raw);
}

void ext4_set_ops(struct inode *inode)
{
	ext4_iflags_to_vfs(inode);
	if (S_ISREG(inode->mode)) {
		inode->ops = &ext4_file_inode_ops;
		inode->fops = &ext4_file_ops;
		inode->mapping.ops = &ext4_mapping_ops;
	} else if (S_ISDIR(inode->mode)) {
		inode->ops = &ext4_dir_inode_ops;
		inode->fops = &ext4_dir_file_ops;
	} else if (S_ISLNK(inode->mode)) {
		inode->ops = &ext4_symlink_inode_ops;
	} else {
		inode->ops = &ext4_special_inode_ops;
	}
}

/* @gen: only if that is its generation, and it is in use (-ESTALE). */
static int iget(struct ext4_sb *sbi, u64 ino, const u32 *gen,
		struct inode **out)
{
	struct ext4_raw_inode *raw;
	struct ext4_buf *b;
	struct inode *inode;
	bool is_new;
	int err;

	if (ino == 0 || ino > sbi->nr_inodes)
		return -EFSCORRUPTED;
	inode = inode_get_by_ino(sbi->vfs, ino, &is_new);
	if (!inode)
		return -ENOMEM;
	*out = inode;
	if (!is_new)
		return 0;
	err = ext4_raw_slot(sbi, ino, &b, &raw);
	if (!err) {
		if (gen &&
		    (!raw->links || !raw->mode || raw->generation != *gen))
			err = -ESTALE;
		else
			err = load(sbi, inode, raw);
		ext4_buf_put(b);
	}
	if (err) {
		if (err != -ENOMEM && err != -ESTALE)
			ext4_error_inode(inode, "cannot be used: %d", err);
		inode_fail_new(inode);
		*out = NULL;
		return err;
	}
	ext4_set_ops(inode);
	inode_unlock_new(inode);
	return 0;
}

/* For names: what a directory says must be an ordinary, living inode. */
int ext4_iget(struct ext4_sb *sbi, u64 ino, struct inode **out)
{
	return iget(sbi, ino, NULL, out);
}

struct inode *ext4_fh_to_inode(struct super_block *sb, u64 ino, u32 gen)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	struct inode *i;
	int err;

	if ((ino != EXT4_ROOT_INO && ino < sbi->first_ino) ||
	    ino > sbi->nr_inodes)
		return ERR_PTR(-ESTALE);
	err = iget(sbi, ino, &gen, &i);
	if (err)
		return ERR_PTR(err);
	if (i->generation == gen)
		return i;
	inode_put(i);
	return ERR_PTR(-ESTALE);
}

int ext4_iget_linked(struct ext4_sb *sbi, u64 ino, struct inode **out)
{
	int err = ext4_iget(sbi, ino, out);

	if (err)
		return err;
	if ((*out)->nlink == 0) {
		ext4_error_inode(*out, "deleted inode has a name");
		inode_put(*out);
		*out = NULL;
		return -EFSCORRUPTED;
	}
	return 0;
}

/* nouid32: what does not fit becomes the overflow id. */
static void store_owner(const struct ext4_sb *sbi, const struct inode *inode,
			struct ext4_raw_inode *raw)
{
	u32 uid = inode->uid, gid = inode->gid;

	if (load_once(&sbi->opt.flags) & EXT4_OPT_UID16) {
		uid = uid > 0xffff ? 65534 : uid;
		gid = gid > 0xffff ? 65534 : gid;
	}
	raw->uid_lo = (u16)uid;
	raw->uid_hi = (u16)(uid >> 16);
	raw->gid_lo = (u16)gid;
	raw->gid_hi = (u16)(gid >> 16);
}

static void store(struct ext4_sb *sbi, struct ext4_inode *ei,
		  struct ext4_raw_inode *raw)
{
	struct inode *inode = &ei->vfs;
	u64 size = S_ISREG(inode->mode) ? ei->disk_size : inode->i_size;

	raw->mode = (u16)inode->mode;
	store_owner(sbi, inode, raw);
	raw->links = (u16)inode->nlink;
	raw->generation = inode->generation;
	raw->size_lo = (u32)size;
	if (S_ISREG(inode->mode) || S_ISDIR(inode->mode))
		raw->size_hi = (u32)(size >> 32);
	store_times(sbi, inode, raw);
	store_blocks(sbi, ei, raw);
	raw->flags = ei->flags;
	raw->dtime = ei->dtime;
	raw->file_acl_lo = (u32)ei->file_acl;
	if (sbi->has_64bit)
		raw->file_acl_hi = (u16)(ei->file_acl >> 32);
	if (is_device(inode->mode))
		store_rdev(ei);
	memcpy(raw->block, ei->data, sizeof(raw->block));
	if (sbi->has_csum)
		ext4_raw_csum_set(sbi, ei->csum_seed, raw);
}

/* Does a reader of the data need what has changed from @a to @b? */
static bool differs_for_data(const struct ext4_raw_inode *a,
			     const struct ext4_raw_inode *b)
{
	return a->size_lo != b->size_lo || a->size_hi != b->size_hi ||
	       a->blocks_lo != b->blocks_lo || a->flags != b->flags ||
	       memcmp(a->block, b->block, sizeof(a->block)) != 0;
}

/* raw_lock is held. */
static void store_tracked(struct ext4_handle *h, struct ext4_inode *ei,
			  struct ext4_raw_inode *raw)
{
	struct ext4_raw_inode old;

	memcpy(&old, raw, EXT4_GOOD_OLD_INODE_SIZE);
	store(h->sbi, ei, raw);
	store_once(&ei->sync_tid, ext4_handle_tid(h));
	if (differs_for_data(&old, raw))
		store_once(&ei->datasync_tid, ext4_handle_tid(h));
}

int ext4_mark_dirty(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_raw_inode *raw;
	struct ext4_buf *b;
	int err;

	err = ext4_raw_slot(sbi, inode->ino, &b, &raw);
	if (err)
		return err;
	err = ext4_write_access(h, b);
	if (err)
		goto out;
	mutex_lock(&ei->raw_lock);
	store_once(&inode->dirty, 0);
	if (ei->fresh) {
		memset(raw, 0, sbi->inode_size);
		if (sbi->inode_size > EXT4_GOOD_OLD_INODE_SIZE)
			raw->extra_isize = ei->extra_isize;
		ei->fresh = false;
	}
	store_tracked(h, ei, raw);
	mutex_unlock(&ei->raw_lock);
	ext4_dirty(h, b);
out:
	ext4_buf_put(b);
	return err;
}

/* The size of a regular file, in memory and on the disk: in a handle. */
void ext4_set_size(struct inode *inode, u64 size)
{
	struct ext4_inode *ei = EXT4_I(inode);

	spin_lock(&ei->stat_lock);
	store_once(&inode->i_size, size);
	ei->disk_size = size;
	spin_unlock(&ei->stat_lock);
}

/* Into the table; what waits for the disk calls sync_fs afterwards. */
int ext4_write_inode(struct inode *inode, bool wait __unused)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_handle h;
	int err;

	/* Nobody is made to wait for times that reading has changed. */
	if (load_once(&sbi->frozen) == EXT4_FROZEN && !load_once(&sbi->resizer))
		return 0;
	err = ext4_begin(sbi, &h, 1);
	/* What a read-only volume shows in memory stays there. */
	if (err) {
		store_once(&inode->dirty, 0);
		return load_once(&sbi->aborted) ? err : 0;
	}
	err = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err;
}

/* Blocks of the volume come to or leave the file. */
void ext4_add_blocks(struct inode *inode, s64 nr)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 shift = inode_sbi(inode)->block_bits - SECTOR_SHIFT;
	s64 units = nr * (s64)(1u << shift);

	spin_lock(&ei->stat_lock);
	if (units < 0 && ei->disk_blocks < (u64)-units)
		ei->disk_blocks = 0; /* a corrupt count */
	else
		ei->disk_blocks += (u64)units;
	inode->blocks = ei->disk_blocks + (ei->delayed << shift);
	spin_unlock(&ei->stat_lock);
}

/* Nobody refers to it: nlink is 0. */
static void erase(struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_handle h;

	if (S_ISREG(inode->mode) || S_ISDIR(inode->mode) ||
	    (S_ISLNK(inode->mode) && inode->i_size >= sizeof(ei->data))) {
		if (ext4_remove_blocks(inode, 0, ~0ull))
			return; /* stays an orphan */
	}
	if (ext4_begin(sbi, &h, 16))
		return;
	ext4_xattr_drop_all(&h, inode);
	if (!ext4_orphan_del(&h, inode)) {
		ei->dtime = (u32)max_t(u64, 1, clock_real_ns() / NSEC_PER_SEC);
		ext4_set_size(inode, 0);
		ext4_free_inode(&h, inode);
	}
	ext4_end(&h);
}

void ext4_evict_inode(struct inode *inode)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_sb *sbi = inode_sbi(inode);

	/* A mount that failed, or a new inode that got no number. */
	if (!sbi || !inode->ino)
		return;
	if (inode->nlink == 0 && inode->ino >= sbi->first_ino)
		erase(inode);
	mutex_lock(&sbi->orphan_lock); /* if the volume is read-only by now */
	list_del(&ei->orphan_node);
	mutex_unlock(&sbi->orphan_lock);
	ext4_delay_change(sbi, -(s64)(ei->delayed + ext4_promised_tables(ei)));
	ei->delayed = ei->tables = 0;
}
