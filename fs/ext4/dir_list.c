/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/dir_list.c - list a directory.
 *
 * Where directories are indexed, names come in the order of their hashes, and a
 * position is a hash: entries may move from block to block, and a block become an
 * index, while somebody lists, and he sees each name that was there all the time
 * once.  What has one leaf's hashes (several leaves', when equal ones go on in the
 * next) is sorted and told.  Of names whose hashes are quite the same the position
 * says nothing; how many of them were told the open file remembers.
 *
 * Without an index the blocks are gone through in order, and a position is an
 * offset in bytes: between two entries means the later one.  No entry ever moves.
 *
 * Positions below 2 are the VFS's, for "." and "..".
 *
 * Locking: dir->lock.
 */
#include <fs/ext4/htree.h>
#include <kernel/mm/kmalloc.h>
#include <lib/sort.h>

#define FIRST  2ull	    /* position of the lowest hash */
#define END    (~0ull >> 1) /* position behind all */
#define LEAVES 64u	    /* that are looked at together, at most */

/* A name, and where it belongs. */
struct item {
	u64 at;
	const struct ext4_dirent *de; /* in one of the leaves */
};

/* Some leaves' names, sorted. */
struct batch {
	struct ext4_buf *leaf[LEAVES];
	u32 nr_leaves, nr, room;
	u64 from, next;	   /* positions that it covers */
	struct item *item; /* room for so many */
};

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

static bool tell(struct inode *dir, struct dir_ctx *ctx,
		 const struct ext4_dirent *de, u64 next)
{
	return ctx->emit(ctx, de->name, de->name_len, de->inode,
			 dtype(inode_sbi(dir), de->file_type), next);
}

/* ---- in the order of blocks */

/* Entries at or behind @from: 1 the block is done, 0 the reader is full. */
static int list_block(struct inode *dir, struct ext4_buf *b, u64 base, u32 from,
		      struct dir_ctx *ctx)
{
	u32 off = 0;

	while (off < inode_sbi(dir)->block_size) {
		const struct ext4_dirent *de = ext4_dirent_at(dir, b, off);
		u32 next;

		if (!de)
			return -EFSCORRUPTED;
		next = off + de->rec_len;
		if (off >= from && de->inode && !is_dots(de) &&
		    !tell(dir, ctx, de, base + next))
			return 0;
		if (off >= from)
			ctx->pos = base + next;
		off = next;
	}
	return 1;
}

static int list_blocks(struct inode *dir, struct dir_ctx *ctx)
{
	const struct ext4_sb *sbi = inode_sbi(dir);
	int ret = 1;

	while (ctx->pos < dir->i_size && ret > 0) {
		u32 lblk = (u32)(ctx->pos >> sbi->block_bits);
		u64 base = (u64)lblk << sbi->block_bits;
		struct ext4_buf *b;

		ext4_dir_read_ahead(dir, lblk);
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

/* ---- in the order of hashes */

static u64 position(u32 hash, u32 minor)
{
	return ((u64)(hash >> 1) << 32 | minor) + FIRST;
}

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	/* in one leaf, or in two: any order that stays will do */
	return x->de < y->de ? -1 : x->de > y->de;
}

/* Room for the names of one more leaf. */
static int make_room(struct batch *t, u32 block_size)
{
	u32 room = t->nr + block_size / EXT4_DIRENT_LEN(1);
	struct item *more;

	if (room <= t->room)
		return 0;
	room += t->room;
	more = kmalloc(room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	if (t->nr)
		memcpy(more, t->item, t->nr * sizeof(*more));
	kfree(t->item);
	t->item = more;
	t->room = room;
	return 0;
}

/* Names of @b, whose reference it takes, that are not before b->from. */
static int add_leaf(struct inode *dir, struct batch *t, struct ext4_buf *b,
		    u32 version)
{
	const struct ext4_sb *sbi = inode_sbi(dir);
	u32 off = 0;
	int err;

	t->leaf[t->nr_leaves++] = b;
	err = make_room(t, sbi->block_size);
	if (err)
		return err;
	while (off < sbi->block_size) {
		const struct ext4_dirent *de = ext4_dirent_at(dir, b, off);
		u32 hash, minor;
		u64 at;

		if (!de)
			return -EFSCORRUPTED;
		off += de->rec_len;
		if (!de->inode || is_dots(de))
			continue;
		hash = ext4_name_hash2(sbi, version, de->name, de->name_len,
				       &minor);
		at = position(hash, minor);
		if (at >= t->from && t->nr < t->room)
			t->item[t->nr++] = (struct item){ at, de };
	}
	return 0;
}

/* The leaf that has t->from, and those in which its last hash goes on. */
static int gather_leaves(struct inode *dir, struct batch *t)
{
	u32 lblk, next = 0;
	struct ext4_dx_way w;
	bool more = false;
	int err =
		ext4_dx_walk_hash(dir, (u32)((t->from - FIRST) >> 32) << 1, &w);

	if (err)
		return err;
	do {
		struct ext4_buf *b = ext4_dx_leaf(dir, &w, &lblk);

		err = IS_ERR(b) ? (int)PTR_ERR(b)
				: add_leaf(dir, t, b, w.version);
		more = ext4_dx_next_hash(&w, &next);
		if (!err && more && (next & 1))
			err = t->nr_leaves < LEAVES ? ext4_dx_next(dir, &w)
						    : -EFSCORRUPTED;
		else
			break;
	} while (err > 0);
	ext4_dx_put(&w);
	/* an index that goes back would be listed for ever */
	t->next = more ? position(next & ~1u, 0) : END;
	if (err >= 0 && t->next <= t->from) {
		ext4_error_inode(dir, "bad directory index: hashes descend");
		err = -EFSCORRUPTED;
	}
	return err;
}

static int gather(struct inode *dir, struct batch *t)
{
	const struct ext4_sb *sbi = inode_sbi(dir);
	struct ext4_buf *b;

	if (EXT4_I(dir)->flags & EXT4_INDEX_FL)
		return gather_leaves(dir, t);
	t->next = END;
	b = ext4_bread(dir, 0);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	return add_leaf(dir, t, b, sbi->hash_version + sbi->hash_unsigned);
}

/* 1: all of @t was told, 0: the reader is full. */
static int tell_all(struct file *f, const struct batch *t, struct dir_ctx *ctx)
{
	u64 skip = f->version == t->from ? (uintptr_t)f->priv : 0, same = 0;

	for (u32 i = 0; i < t->nr; i++) {
		const struct item *it = &t->item[i];
		u64 next = i + 1 < t->nr ? it[1].at : t->next;

		same = i && it[-1].at == it->at ? same + 1 : 0;
		if (it->at == t->from && same < skip)
			continue;
		if (!tell(f->inode, ctx, it->de, next)) {
			ctx->pos = it->at;
			f->version = it->at;
			f->priv = (void *)(uintptr_t)same;
			return 0;
		}
	}
	f->version = 0;
	ctx->pos = t->next;
	return 1;
}

static int list_hashes(struct file *f, struct dir_ctx *ctx)
{
	struct batch *t;
	int ret = 1;

	if (ctx->pos >= END)
		return 0;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	while (ret > 0 && ctx->pos < END) {
		t->nr = t->nr_leaves = 0;
		t->from = ctx->pos;
		ret = gather(f->inode, t);
		if (!ret) {
			sort(t->item, t->nr, sizeof(t->item[0]), compare);
			ret = tell_all(f, t, ctx);
		}
		while (t->nr_leaves)
			ext4_buf_put(t->leaf[--t->nr_leaves]);
	}
	kfree(t->item);
	kfree(t);
	return min(ret, 0);
}

/* One block is not indexed yet, but may be before the list is read to its end. */
static bool has_hashes(struct inode *dir)
{
	return (EXT4_I(dir)->flags & EXT4_INDEX_FL) ||
	       (inode_sbi(dir)->has_dir_index && ext4_dir_blocks(dir) == 1);
}

int ext4_readdir(struct file *f, struct dir_ctx *ctx)
{
	if (!dir_emit_dots(f, ctx))
		return 0;
	return has_hashes(f->inode) ? list_hashes(f, ctx)
				    : list_blocks(f->inode, ctx);
}

/* Positions have nothing to do with the directory's size. */
s64 ext4_dir_llseek(struct file *f, s64 off, int whence)
{
	s64 end = has_hashes(f->inode) ? (s64)END : (s64)f->inode->i_size;

	if (whence == SEEK_END)
		return endless_llseek(f, off + end, SEEK_SET);
	return endless_llseek(f, off, whence);
}
