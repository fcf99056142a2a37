/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/namei.c - make and remove names; inode_ops of directories.
 *
 * Every change is one handle: entry, inodes, link counts and orphan list reach
 * the disk together.  A new inode that cannot get its name is made an orphan
 * and dropped, so that eviction frees what it had.
 *
 * Locking: directories by the VFS; link counts of files, which names in
 * several directories share, by ei->stat_lock.
 * Not here: rename (rename.c).
 */
#include <fs/ext4/namei.h>

#include <fs/ext4/dir.h>

static int ext4_lookup(struct inode *dir, const char *name, size_t len,
		       struct inode **out)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	const struct ext4_dirent *de;
	struct ext4_dirpos pos;
	u32 ino = 0;
	int err = ext4_dir_find(dir, name, len, &pos);

	*out = NULL;
	if (err)
		return err == -ENOENT ? 0 : err;
	de = ext4_dirent_at(dir, pos.buf, pos.off);
	if (de)
		ino = de->inode;
	ext4_buf_put(pos.buf);
	if (!ino || ino == dir->ino)
		return -EFSCORRUPTED;
	if (ino != EXT4_ROOT_INO && ino < sbi->first_ino) {
		ext4_error_inode(dir, "reserved inode %u has a name", ino);
		return -EFSCORRUPTED;
	}
	return ext4_iget_linked(sbi, ino, out);
}

void ext4_nlink_add(struct inode *inode, int delta)
{
	struct ext4_inode *ei = EXT4_I(inode);

	spin_lock(&ei->stat_lock);
	if (delta > 0 || inode->nlink > 0)
		inode->nlink = (u32)((int)inode->nlink + delta);
	spin_unlock(&ei->stat_lock);
}

/* May @dir get one more subdirectory? */
bool ext4_dir_link_ok(const struct inode *dir)
{
	const struct ext4_sb *sbi = inode_sbi(dir);

	return dir->nlink < EXT4_LINK_MAX ||
	       (sbi->has_dir_nlink && (dir->iflags & EXT4_INDEX_FL));
}

/* A link count of 1 means "more than can be counted". */
void ext4_dir_link_add(struct inode *dir, int delta)
{
	if (dir->nlink == 1)
		return;
	if (delta > 0 && dir->nlink >= EXT4_LINK_MAX)
		dir->nlink = 1;
	else if (delta > 0 || dir->nlink > 2)
		dir->nlink = (u32)((int)dir->nlink + delta);
}

/* Blocks and content that a new inode of this kind begins with. */
static int fill_new(struct ext4_handle *h, struct inode *dir,
		    struct inode *inode, const char *target)
{
	struct ext4_inode *ei = EXT4_I(inode);
	size_t len = target ? strlen(target) : 0;
	struct ext4_buf *b;
	struct ext4_map m = { .lblk = 0, .len = 1 };
	int err;

	if (S_ISDIR(inode->mode))
		return ext4_dir_make_empty(h, inode, dir->ino);
	if (!target)
		return 0;
	inode->i_size = len;
	if (len < sizeof(ei->data)) {
		memcpy(ei->data, target, len);
		return 0;
	}
	ext4_symlink_block_init(inode);
	down_write(&ei->map_lock);
	err = ext4_map_write(h, inode, &m, false);
	up_write(&ei->map_lock);
	if (err)
		return err;
	b = ext4_buf_new(h, m.pblk, EXT4_KIND_NONE, 0);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	memcpy(b->data, target, len);
	ext4_dirty(h, b);
	ext4_buf_put(b);
	return 0;
}

/* In one handle: the inode and, unless it is a nameless one, its entry. */
static int make_in(struct ext4_handle *h, struct inode *dir, const char *name,
		   size_t len, struct inode *inode, const char *target)
{
	bool is_dir = S_ISDIR(inode->mode);
	int err = fill_new(h, dir, inode, target);

	if (!err)
		err = ext4_mark_dirty(h, inode);
	if (!err && name)
		err = ext4_dir_add(h, dir, name, len, inode);
	if (!err && name) {
		if (is_dir)
			ext4_dir_link_add(dir, 1);
		inode_touch(dir, true, true);
	}
	if (err || !name) {
		inode->nlink = 0;
		(void)ext4_orphan_add(h, inode);
	}
	/* The directory may have grown even if there was no room at last. */
	return ext4_mark_dirty(h, dir) ?: err;
}

static int make_once(struct inode *dir, const char *name, size_t len, u32 mode,
		     kdev_t rdev, const char *target, struct inode **out)
{
	struct inode *inode = inode_new(dir->sb);
	struct ext4_handle h;
	int err;

	if (!inode)
		return -ENOMEM;
	err = ext4_begin(inode_sbi(dir), &h, EXT4_ADD_CREDITS);
	if (err) {
		inode->nlink = 0;
		inode_put(inode);
		return err;
	}
	inode->rdev = rdev;
	err = ext4_new_inode(&h, dir, inode, mode);
	if (err)
		inode->nlink = 0;
	else
		err = make_in(&h, dir, name, len, inode, target);
	ext4_end(&h);
	if (err) {
		inode_put(inode); /* eviction frees what it got */
		return err;
	}
	inode_hash_insert(inode);
	*out = inode;
	return 0;
}

static int make(struct inode *dir, const char *name, size_t len, u32 mode,
		kdev_t rdev, const char *target, struct inode **out)
{
	u32 tries = 0;
	int err;

	do {
		err = make_once(dir, name, len, mode, rdev, target, out);
	} while (err == -ENOSPC && ext4_retry_nospc(inode_sbi(dir), &tries));
	if (!err && name)
		ext4_dir_done(dir);
	return err;
}

static int ext4_create(struct inode *dir, const char *name, size_t len,
		       u32 mode, struct inode **out)
{
	return make(dir, name, len, (mode & 07777) | S_IFREG, 0, NULL, out);
}

static int ext4_mkdir(struct inode *dir, const char *name, size_t len, u32 mode,
		      struct inode **out)
{
	if (!ext4_dir_link_ok(dir))
		return -EMLINK;
	return make(dir, name, len, (mode & 07777) | S_IFDIR, 0, NULL, out);
}

static int ext4_mknod(struct inode *dir, const char *name, size_t len, u32 mode,
		      kdev_t rdev, struct inode **out)
{
	return make(dir, name, len, mode, rdev, NULL, out);
}

static int ext4_symlink(struct inode *dir, const char *name, size_t len,
			const char *target, struct inode **out)
{
	/* The block holds it and a terminating NUL. */
	if (strlen(target) + 1 > inode_sbi(dir)->block_size)
		return -ENAMETOOLONG;
	return make(dir, name, len, S_IFLNK | 0777, 0, target, out);
}

static int ext4_tmpfile(struct inode *dir, u32 mode, struct inode **out)
{
	if (!dir->nlink)
		return -EPERM;
	return make(dir, NULL, 0, (mode & 07777) | S_IFREG, 0, NULL, out);
}

int ext4_make_nameless(struct inode *dir, u32 mode, struct inode **out)
{
	return make(dir, NULL, 0, mode, 0, NULL, out);
}

static int link_once(struct inode *dir, const char *name, size_t len,
		     struct inode *target)
{
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(dir), &h, EXT4_ADD_CREDITS);

	if (err)
		return err;
	err = ext4_dir_add(&h, dir, name, len, target);
	if (!err) {
		ext4_nlink_add(target, 1);
		inode_touch(target, false, true);
		inode_touch(dir, true, true);
		if (target->nlink == 1) /* O_TMPFILE gets a name */
			err = ext4_orphan_del(&h, target);
		err = ext4_first_error(ext4_mark_dirty(&h, target), err);
	}
	err = ext4_first_error(ext4_mark_dirty(&h, dir), err);
	ext4_end(&h);
	return err;
}

static int ext4_link(struct inode *dir, const char *name, size_t len,
		     struct inode *target)
{
	u32 tries = 0;
	int err;

	if (target->nlink >= EXT4_LINK_MAX)
		return -EMLINK;
	do {
		err = link_once(dir, name, len, target);
	} while (err == -ENOSPC && ext4_retry_nospc(inode_sbi(dir), &tries));
	if (!err)
		ext4_dir_done(dir);
	return err;
}

/* The entry that must be there, and lead to @inode. */
int ext4_find_entry(struct inode *dir, const char *name, size_t len,
		    const struct inode *inode, struct ext4_dirpos *pos)
{
	const struct ext4_dirent *de;
	int err = ext4_dir_find(dir, name, len, pos);

	if (err)
		return err;
	de = ext4_dirent_at(dir, pos->buf, pos->off);
	if (de && de->inode == inode->ino)
		return 0;
	ext4_buf_put(pos->buf);
	pos->buf = NULL;
	return de ? -ENOENT : -EFSCORRUPTED;
}

/* One name less; the last one makes it an orphan. */
int ext4_drop_link(struct ext4_handle *h, struct inode *inode)
{
	if (S_ISDIR(inode->mode))
		inode->nlink = 0;
	else
		ext4_nlink_add(inode, -1);
	inode_touch(inode, false, true);
	if (inode->nlink == 0)
		return ext4_orphan_add(h, inode);
	return ext4_mark_dirty(h, inode);
}

static int remove_name(struct inode *dir, const char *name, size_t len,
		       struct inode *victim)
{
	bool is_dir = S_ISDIR(victim->mode);
	struct ext4_dirpos pos;
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(dir), &h, 10);

	if (err)
		return err;
	err = ext4_find_entry(dir, name, len, victim, &pos);
	if (err)
		goto out;
	err = ext4_dir_del(&h, dir, &pos);
	ext4_buf_put(pos.buf);
	if (err)
		goto out;
	if (is_dir)
		ext4_dir_link_add(dir, -1);
	inode_touch(dir, true, true);
	err = ext4_drop_link(&h, victim);
	err = ext4_first_error(ext4_mark_dirty(&h, dir), err);
out:
	ext4_end(&h);
	if (!err)
		ext4_dir_done(dir);
	return err;
}

static int ext4_unlink(struct inode *dir, const char *name, size_t len,
		       struct inode *victim)
{
	return remove_name(dir, name, len, victim);
}

static int ext4_rmdir(struct inode *dir, const char *name, size_t len,
		      struct inode *victim)
{
	int empty = ext4_dir_is_empty(victim);

	if (empty <= 0)
		return empty ? empty : -ENOTEMPTY;
	return remove_name(dir, name, len, victim);
}

const struct inode_ops ext4_dir_inode_ops = {
	.lookup = ext4_lookup,
	.create = ext4_create,
	.mkdir = ext4_mkdir,
	.mknod = ext4_mknod,
	.symlink = ext4_symlink,
	.link = ext4_link,
	.unlink = ext4_unlink,
	.rmdir = ext4_rmdir,
	.rename = ext4_rename,
	.setattr = ext4_setattr,
	.tmpfile = ext4_tmpfile,
	.getxattr = ext4_getxattr,
	.setxattr = ext4_setxattr,
	.removexattr = ext4_removexattr,
	.listxattr = ext4_listxattr,
};
