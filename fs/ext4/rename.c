/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/rename.c - move a name, perhaps leaving a whiteout, or exchange two.
 *
 * The new name is made before the old one goes, and the old one is looked up
 * again then: making a name may move entries of the same directory.
 */
#include <fs/ext4/namei.h>

struct move {
	struct inode *old_dir, *new_dir;
	const char *old_name, *new_name;
	size_t old_len, new_len;
	struct inode *inode, *victim;
	struct inode *white; /* takes the old name's place, or NULL */
};

/* The entry that is called so in @dir leads to @to from now on. */
static int redirect(struct ext4_handle *h, struct inode *dir, const char *name,
		    size_t len, const struct inode *from,
		    const struct inode *to)
{
	struct ext4_dirpos pos;
	int err = ext4_find_entry(dir, name, len, from, &pos);

	if (err)
		return err;
	err = ext4_dir_set(h, dir, &pos, to);
	ext4_buf_put(pos.buf);
	return err;
}

static int exchange(struct ext4_handle *h, const struct move *m)
{
	bool a_dir = S_ISDIR(m->inode->mode);
	bool b_dir = S_ISDIR(m->victim->mode);
	bool apart = m->old_dir != m->new_dir;
	int err;

	err = redirect(h, m->new_dir, m->new_name, m->new_len, m->victim,
		       m->inode);
	if (!err)
		err = redirect(h, m->old_dir, m->old_name, m->old_len, m->inode,
			       m->victim);
	if (!err && apart && a_dir)
		err = ext4_dir_set_parent(h, m->inode, m->new_dir->ino);
	if (!err && apart && b_dir)
		err = ext4_dir_set_parent(h, m->victim, m->old_dir->ino);
	if (err)
		return err;
	if (a_dir != b_dir) {
		ext4_dir_link_add(m->old_dir, b_dir ? 1 : -1);
		ext4_dir_link_add(m->new_dir, a_dir ? 1 : -1);
	}
	inode_touch(m->victim, false, true);
	return ext4_mark_dirty(h, m->victim);
}

/* The old name goes, or leads to the whiteout. */
static int leave(struct ext4_handle *h, const struct move *m)
{
	struct ext4_dirpos pos;
	int err = ext4_find_entry(m->old_dir, m->old_name, m->old_len, m->inode,
				  &pos);

	if (err)
		return err;
	err = m->white ? ext4_dir_set(h, m->old_dir, &pos, m->white)
		       : ext4_dir_del(h, m->old_dir, &pos);
	ext4_buf_put(pos.buf);
	if (err || !m->white)
		return err;
	ext4_nlink_add(m->white, 1);
	return ext4_orphan_del(h, m->white) ?: ext4_mark_dirty(h, m->white);
}

static int replace(struct ext4_handle *h, const struct move *m)
{
	bool is_dir = S_ISDIR(m->inode->mode);
	int err;

	if (m->victim)
		err = redirect(h, m->new_dir, m->new_name, m->new_len,
			       m->victim, m->inode);
	else
		err = ext4_dir_add(h, m->new_dir, m->new_name, m->new_len,
				   m->inode);
	if (!err)
		err = leave(h, m);
	if (!err && is_dir && m->old_dir != m->new_dir)
		err = ext4_dir_set_parent(h, m->inode, m->new_dir->ino);
	if (err)
		return err;
	if (is_dir) {
		ext4_dir_link_add(m->old_dir, -1);
		if (!m->victim)
			ext4_dir_link_add(m->new_dir, 1);
	}
	return m->victim ? ext4_drop_link(h, m->victim) : 0;
}

/* What can fail for a reason of the user's, before anything is changed. */
static int check(const struct move *m, bool swap)
{
	bool is_dir = S_ISDIR(m->inode->mode);
	int empty;

	if (swap)
		return 0;
	if (is_dir && !m->victim && m->old_dir != m->new_dir &&
	    !ext4_dir_link_ok(m->new_dir))
		return -EMLINK;
	if (!m->victim || !S_ISDIR(m->victim->mode))
		return 0;
	empty = ext4_dir_is_empty(m->victim);
	if (empty <= 0)
		return empty ? empty : -ENOTEMPTY;
	return 0;
}

static int rename_once(const struct move *m, bool swap)
{
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(m->old_dir), &h, EXT4_ADD_CREDITS + 16);

	if (err)
		return err;
	err = swap ? exchange(&h, m) : replace(&h, m);
	if (!err) {
		inode_touch(m->inode, false, true);
		inode_touch(m->old_dir, true, true);
		inode_touch(m->new_dir, true, true);
		err = ext4_mark_dirty(&h, m->inode);
	}
	err = ext4_first_error(ext4_mark_dirty(&h, m->old_dir), err);
	if (m->new_dir != m->old_dir)
		err = ext4_first_error(ext4_mark_dirty(&h, m->new_dir), err);
	ext4_end(&h);
	return err;
}

int ext4_rename(struct inode *old_dir, const char *old_name, size_t old_len,
		struct inode *inode, struct inode *new_dir,
		const char *new_name, size_t new_len, struct inode *victim,
		u32 flags)
{
	struct move m = { .old_dir = old_dir,
			  .new_dir = new_dir,
			  .old_name = old_name,
			  .new_name = new_name,
			  .old_len = old_len,
			  .new_len = new_len,
			  .inode = inode,
			  .victim = victim };
	bool swap = flags & RENAME_EXCHANGE;
	u32 tries = 0;
	int err = check(&m, swap);

	if (err)
		return err;
	/* As on Linux: a file that takes another's place is there with its
	 * data, even if nobody called fsync(). */
	if (victim && S_ISREG(inode->mode))
		(void)mapping_sync(&inode->mapping, 0, ~0ull, false);
	/* An orphan until the rename is done. */
	if (flags & RENAME_WHITEOUT)
		err = ext4_make_nameless(old_dir, S_IFCHR, &m.white);
	if (err)
		return err;
	do {
		err = rename_once(&m, swap);
	} while (err == -ENOSPC &&
		 ext4_retry_nospc(inode_sbi(old_dir), &tries));
	inode_put(m.white);
	if (!err)
		ext4_dir_done(inode_is_dirsync(new_dir) ? new_dir : old_dir);
	return err;
}
