/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/dir.c - find names in a directory and list them.
 *
 * Listing goes through the blocks in order and is told by byte offsets, which
 * stay valid while entries come and go: a position between two entries means
 * the later one.  A block that is split while it is listed may show its later
 * half twice.
 *
 * INVARIANT and locking: dir.h.
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
	ext4_error(inode_sbi(dir), dir->ino,
		   "bad directory entry in block %llu at %u",
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

static void read_ahead(struct inode *dir, u32 lblk)
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

		read_ahead(dir, lblk);
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

static unsigned int dtype(const struct ext4_sb *sbi, u8 file_type)
{
	static const u8 map[EXT4_NR_FT] = {
		[EXT4_FT_UNKNOWN] = DT_UNKNOWN, [EXT4_FT_REG] = DT_REG,
		[EXT4_FT_DIR] = DT_DIR,		[EXT4_FT_CHR] = DT_CHR,
		[EXT4_FT_BLK] = DT_BLK,		[EXT4_FT_FIFO] = DT_FIFO,
		[EXT4_FT_SOCK] = DT_SOCK,	[EXT4_FT_LNK] = DT_LNK,
	};

	if (!sbi->has_filetype || file_type >= EXT4_NR_FT)
		return DT_UNKNOWN;
	return map[file_type];
}

static bool is_dots(const struct ext4_dirent *de)
{
	return de->name[0] == '.' &&
	       (de->name_len == 1 || (de->name_len == 2 && de->name[1] == '.'));
}

/* Entries at or behind @from: 1 the block is done, 0 the reader is full. */
static int list_block(struct inode *dir, struct ext4_buf *b, u64 base, u32 from,
		      struct dir_ctx *ctx)
{
	const struct ext4_sb *sbi = inode_sbi(dir);
	u32 off = 0;

	while (off < sbi->block_size) {
		const struct ext4_dirent *de = ext4_dirent_at(dir, b, off);
		u32 next;

		if (!de)
			return -EFSCORRUPTED;
		next = off + de->rec_len;
		if (off >= from && de->inode && !is_dots(de) &&
		    !ctx->emit(ctx, de->name, de->name_len, de->inode,
			       dtype(sbi, de->file_type), base + next))
			return 0;
		if (off >= from)
			ctx->pos = base + next;
		off = next;
	}
	return 1;
}

/* A directory's own first entry is "." at 0; positions below 2 are the VFS's. */
int ext4_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct inode *dir = f->inode;
	const struct ext4_sb *sbi = inode_sbi(dir);
	int ret = 1;

	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos < dir->i_size && ret > 0) {
		u32 lblk = (u32)(ctx->pos >> sbi->block_bits);
		u64 base = (u64)lblk << sbi->block_bits;
		struct ext4_buf *b;

		read_ahead(dir, lblk);
		b = ext4_bread(dir, lblk);
		if (IS_ERR(b))
			return (int)PTR_ERR(b);
		ret = list_block(dir, b, base, (u32)(ctx->pos - base), ctx);
		if (ret > 0)
			ctx->pos = base + sbi->block_size;
		ext4_buf_put(b);
	}
	return min(ret, 0);
}
