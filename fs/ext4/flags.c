/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/flags.c - flags of files as lsattr, chattr and xfs_io know them.
 *
 * Immutable and append-only are enforced by the VFS, which has a copy of them in
 * inode->iflags.  Who takes the flag of extents from a short file (a program that sets
 * all flags to 0 does) gets one with block pointers.  What cannot be had is refused, not forgotten: data journalling,
 * casefolding, encryption, projects.
 *
 * Locking: inode->lock for writing.
 */
#include <fs/ext4/ext4.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>

#define IMMUTABLE_BITS (EXT4_IMMUTABLE_FL | EXT4_APPEND_FL)

/* linux/fs.h */
struct fsxattr {
	u32 xflags, extsize, nextents, projid, cowextsize;
	u8 pad[8];
};
STATIC_ASSERT(sizeof(struct fsxattr) == 28, "as in the ABI");

#define XFLAG_EXTSIZE	   0x0800u
#define XFLAG_EXTSZINHERIT 0x1000u

/* Flags that both interfaces have. */
static const struct {
	u32 flag, xflag;
} both[] = {
	{ EXT4_IMMUTABLE_FL, 0x08 }, { EXT4_APPEND_FL, 0x10 },
	{ EXT4_SYNC_FL, 0x20 },	     { EXT4_NOATIME_FL, 0x40 },
	{ EXT4_NODUMP_FL, 0x80 },    { EXT4_PROJINHERIT_FL, 0x200 },
	{ EXT4_DAX_FL, 0x8000 },
};

static u32 visible(const struct inode *inode)
{
	return inode->iflags &
	       (EXT4_USER_FLAGS | EXT4_FIXED_FLAGS | EXT4_JOURNAL_FL);
}

/* Can a file of this kind have @want? */
static bool supported(const struct inode *inode, u32 want)
{
	u32 old = inode->iflags;

	if (want & ~(u32)(EXT4_USER_FLAGS | EXT4_FIXED_FLAGS | EXT4_JOURNAL_FL))
		return false;
	if ((want ^ old) & EXT4_JOURNAL_FL || want & ~old & EXT4_EXTENTS_FL)
		return false;
	if (S_ISDIR(inode->mode))
		return true;
	return !(want &
		 (S_ISREG(inode->mode) ? EXT4_DIR_FLAGS
				       : EXT4_USER_FLAGS & ~EXT4_OTHER_FLAGS));
}

static int may_change(const struct inode *inode, u32 want)
{
	u32 old = inode->iflags;
	u32 change = (old ^ want) & (EXT4_USER_FLAGS | EXT4_EXTENTS_FL);

	if (!inode_owner_or_capable(inode))
		return -EPERM;
	if ((change & IMMUTABLE_BITS) && !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	/* it stays immutable: then nothing else changes */
	if ((old & want & EXT4_IMMUTABLE_FL) && change)
		return -EPERM;
	return supported(inode, want) ? 0 : -EOPNOTSUPP;
}

static int store(struct inode *inode, u32 want)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 change = (ei->flags ^ want) & EXT4_USER_FLAGS;
	bool sync = inode_is_sync(inode);
	struct ext4_handle h;
	int err;

	if (!change)
		return 0;
	/* What is dirty is written while that is allowed; a store through a
	 * mapping then asks again, and is refused. */
	if ((change & want & EXT4_IMMUTABLE_FL) && S_ISREG(inode->mode)) {
		err = mapping_sync(&inode->mapping, 0, ~0ull, true);
		if (err)
			return err;
	}
	err = ext4_begin(inode_sbi(inode), &h, 1);
	if (err)
		return err;
	ei->flags ^= change;
	ext4_iflags_to_vfs(inode);
	inode->ctime = inode_now(inode);
	err = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err || !sync ? err : ext4_commit_now(inode_sbi(inode));
}

static int set(struct file *f, u32 want, u32 mask)
{
	struct inode *inode = f->inode;
	int err;

	if ((inode->sb->flags | f->mnt->flags) & MS_RDONLY)
		return -EROFS;
	down_write(&inode->lock);
	want |= visible(inode) & ~mask;
	err = may_change(inode, want);
	if (!err)
		err = store(inode, want);
	/* as on Linux the other flags have changed, also when this fails */
	if (!err && inode->iflags & ~want & EXT4_EXTENTS_FL)
		err = ext4_ind_take_over(inode);
	up_write(&inode->lock);
	return err;
}

int ext4_get_flags(struct inode *inode, uaddr_t arg)
{
	return put_user_u32(visible(inode), arg);
}

int ext4_set_flags(struct file *f, uaddr_t arg)
{
	u32 want;

	return get_user_u32(&want, arg) ? -EFAULT : set(f, want, ~0u);
}

int ext4_get_fsxattr(struct inode *inode, uaddr_t arg)
{
	struct fsxattr x = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		if (inode->iflags & both[i].flag)
			x.xflags |= both[i].xflag;
	}
	return copy_to_user(arg, &x, sizeof(x)) ? -EFAULT : 0;
}

int ext4_set_fsxattr(struct file *f, uaddr_t arg)
{
	u32 want = 0, mask = 0;
	struct fsxattr x;

	if (copy_from_user(&x, arg, sizeof(x)))
		return -EFAULT;
	if (x.projid)
		return -EOPNOTSUPP; /* projects are */
	if ((x.xflags & XFLAG_EXTSIZE && !S_ISREG(f->inode->mode)) ||
	    (x.xflags & XFLAG_EXTSZINHERIT && !S_ISDIR(f->inode->mode)))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		mask |= both[i].flag;
		if (x.xflags & both[i].xflag)
			want |= both[i].flag;
	}
	return set(f, want, mask);
}
