/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/dir_change.c - add, change and remove entries of a directory.
 *
 * A removed entry is given to the one before it; an added one takes the slack
 * behind another.  Blocks never go away before the directory does.
 *
 * INVARIANT and locking: dir.h; dir->lock is held for writing.
 */
#include <fs/ext4/dir.h>

#include <fs/ext4/htree.h>

u8 ext4_file_type(const struct ext4_sb *sbi, u32 mode)
{
	static const u8 map[16] = {
		[DT_REG] = EXT4_FT_REG,	  [DT_DIR] = EXT4_FT_DIR,
		[DT_CHR] = EXT4_FT_CHR,	  [DT_BLK] = EXT4_FT_BLK,
		[DT_FIFO] = EXT4_FT_FIFO, [DT_SOCK] = EXT4_FT_SOCK,
		[DT_LNK] = EXT4_FT_LNK,
	};

	return sbi->has_filetype ? map[mode_to_dt(mode)] : 0;
}

void ext4_dir_init_block(struct ext4_sb *sbi, void *data)
{
	u32 room = ext4_dir_room(sbi);
	struct ext4_dirent *de = data;
	struct ext4_dir_tail *t = (void *)((u8 *)data + room);

	memset(data, 0, sbi->block_size);
	de->rec_len = (u16)room;
	if (!sbi->has_csum)
		return;
	t->rec_len = sizeof(*t);
	t->file_type = EXT4_FT_TAIL;
}

struct ext4_buf *ext4_dir_append(struct ext4_handle *h, struct inode *dir,
				 u32 *lblk)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	struct ext4_inode *ei = EXT4_I(dir);
	struct ext4_map m = { .lblk = ext4_dir_blocks(dir), .len = 1 };
	struct ext4_buf *b;
	int err;

	if (dir->i_size + sbi->block_size >= 1ull << 31 && !sbi->has_largedir)
		return ERR_PTR(-EFBIG);
	if (sbi->opt.max_dir_kb && dir->i_size >> 10 >= sbi->opt.max_dir_kb)
		return ERR_PTR(-ENOSPC);
	down_write(&ei->map_lock);
	err = ext4_map_write(h, dir, &m, false);
	up_write(&ei->map_lock);
	if (err)
		return ERR_PTR(err);
	b = ext4_buf_new(h, m.pblk, EXT4_KIND_DIR, ei->csum_seed);
	if (IS_ERR(b))
		return b; /* beyond the size: found again by the next one */
	ext4_dir_init_block(sbi, b->data);
	ext4_dirty(h, b);
	dir->i_size += sbi->block_size;
	inode_mark_dirty(dir);
	*lblk = m.lblk;
	return b;
}

static void fill(struct ext4_sb *sbi, struct ext4_dirent *de, const char *name,
		 size_t len, const struct inode *inode)
{
	de->inode = (u32)inode->ino;
	de->name_len = (u8)len;
	de->file_type = ext4_file_type(sbi, inode->mode);
	memcpy(de->name, name, len);
}

/* Blocks of the index have no tail and take no entries. */
static bool is_leaf(const struct ext4_sb *sbi, const struct ext4_buf *b)
{
	const struct ext4_dir_tail *t =
		(const void *)((const u8 *)b->data + ext4_dir_room(sbi));

	return !sbi->has_csum || (t->rec_len == sizeof(*t) && !t->zero1 &&
				  t->file_type == EXT4_FT_TAIL);
}

int ext4_dir_put(struct ext4_handle *h, struct inode *dir, struct ext4_buf *b,
		 const char *name, size_t len, const struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	u32 off = 0, room = ext4_dir_room(sbi), need = EXT4_DIRENT_LEN(len);
	struct ext4_dirent *de;
	int err;

	if (!is_leaf(sbi, b))
		return -ENOSPC;
	for (; off < room; off += de->rec_len) {
		u32 used;

		de = ext4_dirent_at(dir, b, off);
		if (!de)
			return -EFSCORRUPTED;
		used = de->inode ? EXT4_DIRENT_LEN(de->name_len) : 0;
		if (de->rec_len < used + need || off + de->rec_len > room)
			continue;
		err = ext4_write_access(h, b);
		if (err)
			return err;
		if (used) {
			u16 rest = (u16)(de->rec_len - used);

			de->rec_len = (u16)used;
			de = (void *)((u8 *)de + used);
			de->rec_len = rest;
		}
		fill(sbi, de, name, len, inode);
		ext4_dirty(h, b);
		return 0;
	}
	return -ENOSPC;
}

static int put_in(struct ext4_handle *h, struct inode *dir, u32 lblk,
		  const char *name, size_t len, const struct inode *inode)
{
	struct ext4_buf *b = ext4_bread(dir, lblk);
	int err;

	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	err = ext4_dir_put(h, dir, b, name, len, inode);
	ext4_buf_put(b);
	if (!err)
		EXT4_I(dir)->dir_hint = lblk;
	return err;
}

static int add_linear(struct ext4_handle *h, struct inode *dir,
		      const char *name, size_t len, const struct inode *inode)
{
	u32 n = ext4_dir_blocks(dir), lblk = EXT4_I(dir)->dir_hint, i;
	struct ext4_buf *b;
	int err;

	if (lblk >= n)
		lblk = 0;
	for (i = 0; i < n; i++) {
		err = put_in(h, dir, lblk, name, len, inode);
		if (err != -ENOSPC)
			return err;
		lblk = lblk + 1 < n ? lblk + 1 : 0;
	}
	if (n == 1 && inode_sbi(dir)->has_dir_index)
		return ext4_htree_make(h, dir, name, len, inode);
	b = ext4_dir_append(h, dir, &lblk);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	err = ext4_dir_put(h, dir, b, name, len, inode);
	ext4_buf_put(b);
	EXT4_I(dir)->dir_hint = lblk;
	return err;
}

int ext4_dir_add(struct ext4_handle *h, struct inode *dir, const char *name,
		 size_t len, const struct inode *inode)
{
	if (EXT4_I(dir)->flags & EXT4_INDEX_FL)
		return ext4_htree_add(h, dir, name, len, inode);
	return add_linear(h, dir, name, len, inode);
}

int ext4_dir_del(struct ext4_handle *h, struct inode *dir,
		 const struct ext4_dirpos *pos)
{
	struct ext4_dirent *de = ext4_dirent_at(dir, pos->buf, pos->off);
	struct ext4_dirent *prev = ext4_dirent_at(dir, pos->buf, pos->prev);
	int err = ext4_write_access(h, pos->buf);
	u16 rec_len;

	if (err)
		return err;
	if (!de || !prev)
		return -EFSCORRUPTED;
	/* Nor does the name stay on the disk. */
	rec_len = de->rec_len;
	memset(de, 0, rec_len);
	if (prev != de)
		prev->rec_len = (u16)(prev->rec_len + rec_len);
	else
		de->rec_len = rec_len;
	ext4_dirty(h, pos->buf);
	EXT4_I(dir)->dir_hint = pos->lblk;
	return 0;
}

int ext4_dir_set(struct ext4_handle *h, struct inode *dir,
		 const struct ext4_dirpos *pos, const struct inode *inode)
{
	struct ext4_dirent *de = ext4_dirent_at(dir, pos->buf, pos->off);
	int err = ext4_write_access(h, pos->buf);

	if (err)
		return err;
	if (!de)
		return -EFSCORRUPTED;
	de->inode = (u32)inode->ino;
	de->file_type = ext4_file_type(inode_sbi(dir), inode->mode);
	ext4_dirty(h, pos->buf);
	return 0;
}

/* The first block of a new directory: "." and "..". */
int ext4_dir_make_empty(struct ext4_handle *h, struct inode *dir, u64 parent)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	u8 type = ext4_file_type(sbi, S_IFDIR);
	struct ext4_dirent *de;
	struct ext4_buf *b;
	u32 lblk;

	b = ext4_dir_append(h, dir, &lblk);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	de = b->data;
	de->inode = (u32)dir->ino;
	de->rec_len = EXT4_DIRENT_MIN;
	de->name_len = 1;
	de->file_type = type;
	de->name[0] = '.';
	de = (void *)((u8 *)de + EXT4_DIRENT_MIN);
	de->inode = (u32)parent;
	de->rec_len = (u16)(ext4_dir_room(sbi) - EXT4_DIRENT_MIN);
	de->name_len = 2;
	de->file_type = type;
	de->name[0] = '.';
	de->name[1] = '.';
	ext4_buf_put(b);
	return 0;
}

int ext4_dir_set_parent(struct ext4_handle *h, struct inode *dir, u64 parent)
{
	struct ext4_dirpos pos;
	struct ext4_dirent *de;
	int err = ext4_dir_find(dir, "..", 2, &pos);

	if (err)
		return err == -ENOENT ? -EFSCORRUPTED : err;
	err = ext4_write_access(h, pos.buf);
	de = ext4_dirent_at(dir, pos.buf, pos.off);
	if (!err && !de)
		err = -EFSCORRUPTED;
	if (!err) {
		de->inode = (u32)parent;
		ext4_dirty(h, pos.buf);
	}
	ext4_buf_put(pos.buf);
	return err;
}

/* 1: no names in the block but dots. */
static int block_is_empty(struct inode *dir, struct ext4_buf *b)
{
	u32 off = 0, end = inode_sbi(dir)->block_size;

	while (off < end) {
		const struct ext4_dirent *de = ext4_dirent_at(dir, b, off);

		if (!de)
			return -EFSCORRUPTED;
		if (de->inode && !(de->name[0] == '.' &&
				   (de->name_len == 1 ||
				    (de->name_len == 2 && de->name[1] == '.'))))
			return 0;
		off += de->rec_len;
	}
	return 1;
}

int ext4_dir_is_empty(struct inode *dir)
{
	u32 n = ext4_dir_blocks(dir), lblk;
	int ret = 1;

	for (lblk = 0; lblk < n && ret > 0; lblk++) {
		struct ext4_buf *b = ext4_bread(dir, lblk);

		if (IS_ERR(b))
			return (int)PTR_ERR(b);
		ret = block_is_empty(dir, b);
		ext4_buf_put(b);
	}
	return ret;
}
