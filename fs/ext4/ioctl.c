/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/ioctl.c - ioctl(2) on files of a volume: its label and names, FITRIM.
 *
 * Locking: see the callees; a group's lock while its free blocks are discarded.
 * Not here: flags (flags.c), FIEMAP (fiemap.c).
 */
#include <fs/ext4/journal.h>
#include <kernel/mm/user.h>
#include <kernel/sched/thread.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/fmt.h>

#define FIBMAP		      1u
#define FS_IOC_GETFLAGS	      0x80086601u
#define FS_IOC_SETFLAGS	      0x40086602u
#define FS_IOC_FSGETXATTR     0x801c581fu
#define FS_IOC_FSSETXATTR     0x401c5820u
#define FS_IOC_GETVERSION     0x80087601u
#define EXT4_IOC_GETVERSION   0x80086603u
#define FS_IOC_GETFSLABEL     0x81009431u
#define FS_IOC_SETFSLABEL     0x41009432u
#define FS_IOC_GETFSUUID      0x80111500u
#define FS_IOC_GETFSSYSFSPATH 0x80811501u
#define FS_IOC_FIEMAP	      0xc020660bu
#define EXT4_IOC_SHUTDOWN     0x8004587du
#define FITRIM		      0xc0185879u
#define EXT4_IOC_RESIZE_FS    0x40086610u
#define FS_IOC_SETVERSION     0x40087602u
#define EXT4_IOC_SETVERSION   0x40086604u
#define EXT4_IOC_ALLOC_DA     0x660cu
#define EXT4_IOC_PRECACHE     0x6612u
#define EXT4_IOC_CLEAR_ES     0x6628u
#define EXT4_IOC_GETSTATE     0x40046629u
#define EXT4_IOC_CHECKPOINT   0x4004662bu
#define EXT4_IOC_GETFSUUID    0x8008662cu
#define EXT4_IOC_SETFSUUID    0x4008662cu
#define FS_ENCRYPTION_FIRST   0x13u /* 'f'; numbers of linux/fscrypt.h */
#define FS_ENCRYPTION_LAST    0x1bu

#define LABEL_BYTES 17u /* of the 256: as many as Linux looks at */

/* linux/fs.h; bytes */
struct fstrim_range {
	u64 start, len, minlen;
};

/* --- the label */

static int get_label(struct ext4_sb *sbi, uaddr_t to)
{
	char label[LABEL_BYTES] = { 0 };

	memcpy(label, sbi->es->volume_name, sizeof(sbi->es->volume_name));
	return copy_to_user(to, label, sizeof(label)) ? -EFAULT : 0;
}

/* Bytes of the super block. */
static int set_bytes(struct ext4_sb *sbi, void *to, const void *from, size_t n)
{
	struct ext4_handle h;
	int err = ext4_begin(sbi, &h, 1);

	if (err)
		return err;
	err = ext4_write_access(&h, sbi->super_buf);
	if (!err) {
		memcpy(to, from, n);
		ext4_dirty(&h, sbi->super_buf);
	}
	ext4_end(&h);
	return err ? err : ext4_sync_fs(sbi->vfs, true);
}

static int set_label(struct ext4_sb *sbi, uaddr_t from)
{
	char label[LABEL_BYTES], name[sizeof(sbi->es->volume_name)] = { 0 };

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(label, from, sizeof(label)))
		return -EFAULT;
	if (strnlen(label, sizeof(label)) > sizeof(sbi->es->volume_name))
		return -EINVAL;
	memcpy(name, label, strnlen(label, sizeof(name)));
	return set_bytes(sbi, sbi->es->volume_name, name, sizeof(name));
}

/* --- FITRIM */

/* Free blocks of @group within [from, to) bits, in runs of @min or more.  What
 * was freed and is not committed stays.  Nobody allocates meanwhile. */
static int trim_group(struct ext4_sb *sbi, u32 group, u32 from, u32 to, u32 min,
		      u64 *trimmed)
{
	u32 shift = sbi->block_bits - SECTOR_SHIFT, at = from, len;
	struct ext4_group *g;
	struct ext4_buf *b;
	int err = 0;

	mutex_lock(ext4_group_lock(sbi, group));
	g = &sbi->group[group];
	if (g->trimmed && g->trimmed <= min) {
		mutex_unlock(ext4_group_lock(sbi, group));
		return 0; /* nothing was freed since */
	}
	b = sbi->group[group].bad_blocks ? ERR_PTR(-EFSCORRUPTED)
					 : ext4_read_block_bitmap(sbi, group);
	if (IS_ERR(b)) {
		mutex_unlock(ext4_group_lock(sbi, group));
		return (int)PTR_ERR(b);
	}
	while (!err && (len = ext4_free_run(sbi, group, b->data, &at, to))) {
		u64 blk = ext4_group_start(sbi, group) + at;

		at += len;
		if (len < min || !ext4_blocks_ok(sbi, blk, len))
			continue;
		err = blk_range(sbi->bdev, BIO_DISCARD, blk << shift,
				len << shift);
		*trimmed += err ? 0 : len;
	}
	if (!err && !from && to == ext4_group_blocks(sbi, group) && !g->nr_busy)
		g->trimmed = min;
	ext4_buf_put(b);
	mutex_unlock(ext4_group_lock(sbi, group));
	return err;
}

/* Blocks [first, end) of the volume. */
static int trim(struct ext4_sb *sbi, u64 first, u64 end, u64 min, u64 *trimmed)
{
	u32 group = ext4_group_of(sbi, first), last;
	int err = 0;

	last = ext4_group_of(sbi, end - 1);
	for (; !err && group <= last; group++) {
		u64 start = ext4_group_start(sbi, group);
		u32 from = first > start ? (u32)(first - start) : 0;
		u32 to = (u32)min_t(u64, end - start,
				    ext4_group_blocks(sbi, group));

		err = trim_group(sbi, group, from, to,
				 (u32)min_t(u64, min, ~0u), trimmed);
		cond_resched();
	}
	return err;
}

static int fitrim(struct ext4_sb *sbi, uaddr_t arg)
{
	u64 first, end, min, done = 0;
	struct fstrim_range r;
	int err = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!sbi->bdev->whole->has_discard)
		return -EOPNOTSUPP;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	min = max(r.minlen >> sbi->block_bits, (u64)1);
	first = max(r.start >> sbi->block_bits, (u64)sbi->first_block);
	end = r.len >> sbi->block_bits;
	if (min > sbi->blocks_per_group || first >= sbi->nr_blocks || !end)
		return -EINVAL;
	end = min_t(u64, end, sbi->nr_blocks - (r.start >> sbi->block_bits)) +
	      (r.start >> sbi->block_bits);
	/* what is free is not known before the log is replayed */
	if (load_once(&sbi->opt.flags) & EXT4_OPT_NOLOAD)
		return -EROFS;
	if (first < end)
		err = trim(sbi, first, end, min, &done);
	r.len = done << sbi->block_bits;
	if (!err && copy_to_user(arg, &r, sizeof(r)))
		err = -EFAULT;
	return err;
}

/* --- what it is called */

static int get_uuid(struct ext4_sb *sbi, uaddr_t to)
{
	u8 out[17] = { sizeof(sbi->es->uuid) };

	memcpy(out + 1, sbi->es->uuid, sizeof(sbi->es->uuid));
	return copy_to_user(to, out, sizeof(out)) ? -EFAULT : 0;
}

/* struct fsuuid of Linux's ext4.h; the bytes follow. */
struct fsuuid {
	u32 len, flags;
};

static int get_fsuuid(struct ext4_sb *sbi, uaddr_t arg)
{
	struct fsuuid u;
	u32 room;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.flags)
		return -EINVAL;
	room = u.len;
	u.len = sizeof(sbi->es->uuid);
	if (room < u.len) {
		if (copy_to_user(arg, &u, sizeof(u)))
			return -EFAULT;
		return room ? -EINVAL : 0;
	}
	return copy_to_user(arg + sizeof(u), sbi->es->uuid, u.len) ||
			       copy_to_user(arg, &u, sizeof(u))
		       ? -EFAULT
		       : 0;
}

static int set_fsuuid(struct ext4_sb *sbi, uaddr_t arg)
{
	u8 uuid[sizeof(sbi->es->uuid)];
	struct fsuuid u;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* Checksums begin with it. */
	if ((sbi->has_csum || sbi->has_gdt_csum) &&
	    !(sbi->es->feature_incompat & EXT4_INCOMPAT_CSUM_SEED))
		return -EOPNOTSUPP;
	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.flags || u.len != sizeof(uuid))
		return -EINVAL;
	if (copy_from_user(uuid, arg + sizeof(u), sizeof(uuid)))
		return -EFAULT;
	return set_bytes(sbi, sbi->es->uuid, uuid, sizeof(uuid));
}

/* Below /sys/fs. */
static int get_sysfs_path(struct ext4_sb *sbi, uaddr_t to)
{
	char out[129] = { 0 };
	int n = snprintf(out + 1, sizeof(out) - 1, "ext4/%s", sbi->bdev->name);

	out[0] = (char)n;
	return copy_to_user(to, out, sizeof(out)) ? -EFAULT : 0;
}

/* As if the power went: FS_SHUTDOWN_DEFAULT (all is written before), LOGFLUSH (the
 * running transaction is), NOLOGFLUSH. */
static int shut_down(struct ext4_sb *sbi, uaddr_t arg)
{
	u32 how;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user_u32(&how, arg))
		return -EFAULT;
	if (how > 2)
		return -EINVAL;
	if (how == 0)
		(void)sb_sync(sbi->vfs, true);
	else if (how == 1)
		(void)ext4_sync_fs(sbi->vfs, true);
	ext4_shut_down(sbi);
	return 0;
}

static int resize(struct ext4_sb *sbi, uaddr_t arg)
{
	u64 blocks;

	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (get_user_u64(&blocks, arg))
		return -EFAULT;
	return ext4_resize(sbi, blocks);
}

static int get_version(const struct inode *inode, uaddr_t to)
{
	u32 v = inode->generation;

	return copy_to_user(to, &v, sizeof(v)) ? -EFAULT : 0;
}

static int set_version(struct file *f, uaddr_t arg)
{
	struct inode *inode = f->inode;
	struct ext4_handle h;
	u32 v;
	int err;

	if (!inode_owner_or_capable(inode))
		return -EPERM;
	if (inode_sbi(inode)->has_csum)
		return -ENOTTY; /* checksums begin with it */
	if (get_user_u32(&v, arg))
		return -EFAULT;
	if ((inode->sb->flags | f->mnt->flags) & MS_RDONLY)
		return -EROFS;
	down_write(&inode->lock);
	err = ext4_begin(inode_sbi(inode), &h, 1);
	if (!err) {
		inode->generation = v;
		inode->ctime = inode_now(inode);
		err = ext4_mark_dirty(&h, inode);
		ext4_end(&h);
	}
	up_write(&inode->lock);
	return err;
}

#define CHECKPOINT_DISCARD 1u /* the log, too */
#define CHECKPOINT_ZEROOUT 2u
#define CHECKPOINT_DRY	   4u

static int checkpoint(struct ext4_sb *sbi, uaddr_t arg)
{
	const u32 erase = CHECKPOINT_DISCARD | CHECKPOINT_ZEROOUT;
	u32 flags;

	if (get_user_u32(&flags, arg))
		return -EFAULT;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & ~(erase | CHECKPOINT_DRY)) || (flags & erase) == erase)
		return -EINVAL;
	if (!sbi->journal)
		return -ENODEV;
	if (flags & CHECKPOINT_DISCARD && !sbi->bdev->whole->has_discard)
		return -EOPNOTSUPP;
	if (flags & CHECKPOINT_DRY)
		return 0;
	if (!(flags & erase))
		return ext4_checkpoint_all(sbi->journal, true);
	if (sbi->vfs->flags & MS_RDONLY)
		return -EROFS;
	return ext4_checkpoint_erase(sbi->journal, flags & CHECKPOINT_DISCARD);
}

/* How blocks are found and kept in memory is ours; what is dirty gets its place. */
static s64 cache_ioctl(struct inode *inode, unsigned int cmd, uaddr_t arg)
{
	if (cmd == EXT4_IOC_PRECACHE)
		return 0;
	if (cmd == EXT4_IOC_GETSTATE)
		return put_user_u32(0, arg);
	if (!inode_owner_or_capable(inode))
		return -EACCES;
	if (cmd == EXT4_IOC_ALLOC_DA && S_ISREG(inode->mode))
		return mapping_sync(&inode->mapping, 0, ~0ull, false);
	return 0;
}

/* What this volume has not: encryption ('f'), fs-verity ('f', 133 to 135). */
static int without(unsigned int cmd)
{
	u32 type = cmd >> 8 & 0xff, nr = cmd & 0xff;

	if (type == 'f' &&
	    ((nr >= FS_ENCRYPTION_FIRST && nr <= FS_ENCRYPTION_LAST) ||
	     (nr >= 133 && nr <= 135)))
		return -EOPNOTSUPP;
	return -ENOTTY;
}

s64 ext4_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct inode *inode = f->inode;
	struct ext4_sb *sbi = inode_sbi(inode);

	switch (cmd) {
	case FS_IOC_GETFLAGS:
		return ext4_get_flags(inode, arg);
	case FS_IOC_SETFLAGS:
		return ext4_set_flags(f, arg);
	case FS_IOC_FSGETXATTR:
		return ext4_get_fsxattr(inode, arg);
	case FS_IOC_FSSETXATTR:
		return ext4_set_fsxattr(f, arg);
	case FS_IOC_FIEMAP:
		return ext4_fiemap(inode, arg);
	case FIBMAP:
		return ext4_fibmap(inode, arg);
	case FS_IOC_GETVERSION:
	case EXT4_IOC_GETVERSION:
		return get_version(inode, arg);
	case FS_IOC_GETFSLABEL:
		return get_label(sbi, arg);
	case FS_IOC_SETFSLABEL:
		return set_label(sbi, arg);
	case FS_IOC_GETFSUUID:
		return get_uuid(sbi, arg);
	case FS_IOC_GETFSSYSFSPATH:
		return get_sysfs_path(sbi, arg);
	case EXT4_IOC_SHUTDOWN:
		return shut_down(sbi, arg);
	case EXT4_IOC_RESIZE_FS:
		return resize(sbi, arg);
	case FS_IOC_SETVERSION:
	case EXT4_IOC_SETVERSION:
		return set_version(f, arg);
	case EXT4_IOC_PRECACHE:
	case EXT4_IOC_GETSTATE:
	case EXT4_IOC_ALLOC_DA:
	case EXT4_IOC_CLEAR_ES:
		return cache_ioctl(inode, cmd, arg);
	case EXT4_IOC_CHECKPOINT:
		return checkpoint(sbi, arg);
	case EXT4_IOC_GETFSUUID:
		return get_fsuuid(sbi, arg);
	case EXT4_IOC_SETFSUUID:
		return set_fsuuid(sbi, arg);
	case FITRIM:
		return fitrim(sbi, arg);
	default:
		return without(cmd);
	}
}
