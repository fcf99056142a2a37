/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/dir.c - find names in a directory.
 *
 * INVARIANT and locking: dir.h.
 * Not here: listing (dir_list.c).
 */
#include <fs/ext4/dir.h>

#include <fs/ext4/htree.h>

#define AHEAD 8u /* blocks read together */

static bool entry_ok(const struct ext4_sb *sbi, const struct ext4_dirent *de,
		     u32 off)
{
	u32 left = sbi->block_size - off;

	if (de->rec_len < EXT4_DIRENT_MIN || de->rec_len % 4 ||
	    de->rec_len > left)
		return false;
	/* The tail and nodes of the index are unused entries. */
	if (de->inode && (de->rec_len < EXT4_DIRENT_LEN(de->name_len) ||
			  de->inode > sbi->nr_inodes))
		return false;
	return left == de->rec_len || left - de->rec_len >= EXT4_DIRENT_MIN;
}

struct ext4_dirent *ext4_dirent_at(struct inode *dir, struct ext4_buf *b,
				   u32 off)
{
	struct ext4_dirent *de = (void *)((u8 *)b->data + off);

	if (off + EXT4_DIRENT_MIN <= inode_sbi(dir)->block_size &&
	    entry_ok(inode_sbi(dir), de, off))
		return de;
	ext4_error_inode(dir, "bad directory entry in block %llu at %u",
			 (unsigned long long)b->blk, off);
	return NULL;
}

int ext4_dir_search(struct inode *dir, struct ext4_buf *b, const char *name,
		    size_t len, struct ext4_dirpos *pos)
{
	u32 off = 0, prev = 0, end = inode_sbi(dir)->block_size;

	while (off < end) {
		struct ext4_dirent *de = ext4_dirent_at(dir, b, off);

		if (!de)
			return -EFSCORRUPTED;
		if (de->inode && de->name_len == len &&
		    !memcmp(de->name, name, len)) {
			pos->buf = b;
			pos->off = off;
			pos->prev = prev;
			return 1;
		}
		prev = off;
		off += de->rec_len;
	}
	return 0;
}

void ext4_dir_read_ahead(struct inode *dir, u32 lblk)
{
	struct ext4_map m = { .lblk = lblk,
			      .len = min(AHEAD, ext4_dir_blocks(dir) - lblk) };

	if (lblk % AHEAD || ext4_map_read(dir, &m) || m.state != EXT4_WRITTEN)
		return;
	ext4_buf_prefetch(inode_sbi(dir), m.pblk, m.len);
}

static int find_linear(struct inode *dir, const char *name, size_t len,
		       struct ext4_dirpos *pos)
{
	u32 n = ext4_dir_blocks(dir), lblk;
	int ret;

	for (lblk = 0; lblk < n; lblk++) {
		struct ext4_buf *b;

		ext4_dir_read_ahead(dir, lblk);
		b = ext4_bread(dir, lblk);
		if (IS_ERR(b))
			return (int)PTR_ERR(b);
		ret = ext4_dir_search(dir, b, name, len, pos);
		if (ret > 0) {
			pos->lblk = lblk;
			return 0;
		}
		ext4_buf_put(b);
		if (ret < 0)
			return ret;
	}
	return -ENOENT;
}

int ext4_dir_find(struct inode *dir, const char *name, size_t len,
		  struct ext4_dirpos *pos)
{
	bool dots =
		name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));

	if ((EXT4_I(dir)->flags & EXT4_INDEX_FL) && !dots)
		return ext4_htree_find(dir, name, len, pos);
	return find_linear(dir, name, len, pos);
}
