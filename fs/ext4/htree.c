/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/htree.c - find a name by its hash.
 *
 * INVARIANT and locking: htree.h.
 */
#include <fs/ext4/htree.h>

/* Entries that a node has room for. */
u32 ext4_dx_limit(const struct ext4_sb *sbi, bool root)
{
	u32 room = sbi->block_size -
		   (root ? EXT4_DX_ROOT_OFFSET : EXT4_DX_NODE_OFFSET);

	if (sbi->has_csum)
		room -= (u32)sizeof(struct ext4_dx_tail);
	return room / (u32)sizeof(struct ext4_dx_entry);
}

void ext4_dx_put(struct ext4_dx_way *w)
{
	while (w->levels)
		ext4_buf_put(w->frame[--w->levels].buf);
}

static int bad(struct inode *dir, const char *what)
{
	ext4_error_inode(dir, "bad directory index: %s", what);
	return -EFSCORRUPTED;
}

/* The root's header; levels below it in *@depth. */
static int check_root(struct inode *dir, struct ext4_buf *b,
		      struct ext4_dx_way *w, u32 *depth)
{
	const struct ext4_sb *sbi = inode_sbi(dir);
	const struct ext4_dx_info *info =
		(void *)((u8 *)b->data + EXT4_DX_INFO_OFFSET);

	if (info->hash_version > EXT4_HASH_TEA)
		return bad(dir, "unknown hash");
	if (info->unused_flags & 1 || info->info_length != sizeof(*info))
		return bad(dir, "unknown root");
	if (info->indirect_levels >=
	    EXT4_DX_MAX_LEVELS - (sbi->has_largedir ? 0 : 1))
		return bad(dir, "too deep");
	w->version = info->hash_version + sbi->hash_unsigned;
	*depth = info->indirect_levels;
	return 0;
}

/* Binary search; entry 0 is below everything. */
static int choose(struct inode *dir, struct ext4_dx_frame *f, u32 hash,
		  bool root)
{
	u32 limit = ext4_dx_limit(inode_sbi(dir), root), lo = 1, hi;

	hi = dx_count(f->entries)->count;
	if (dx_count(f->entries)->limit != limit)
		return bad(dir, "limit");
	if (!hi || hi > limit)
		return bad(dir, "count");
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (f->entries[mid].hash > hash)
			hi = mid;
		else
			lo = mid + 1;
	}
	f->at = lo - 1;
	return 0;
}

static int load_frame(struct inode *dir, u32 lblk, struct ext4_dx_frame *f)
{
	u32 off = lblk ? EXT4_DX_NODE_OFFSET : EXT4_DX_ROOT_OFFSET;
	const struct ext4_dirent *de;
	struct ext4_buf *b;

	if (lblk >= ext4_dir_blocks(dir))
		return bad(dir, "block beyond the end");
	b = ext4_bread(dir, lblk);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	de = b->data;
	if (lblk && (de->inode || de->rec_len != inode_sbi(dir)->block_size)) {
		ext4_buf_put(b);
		return bad(dir, "not a node");
	}
	f->buf = b;
	f->entries = (void *)((u8 *)b->data + off);
	return 0;
}

/* From the root to the node above the leaf of @name, or, NULL, of w->hash. */
static int walk(struct inode *dir, const char *name, size_t len,
		struct ext4_dx_way *w)
{
	u32 depth = 0, lblk = 0, level;
	int err = 0;

	w->levels = 0;
	for (level = 0; level <= depth; level++) {
		struct ext4_dx_frame *f = &w->frame[level];

		err = level && !lblk ? bad(dir, "loop")
				     : load_frame(dir, lblk, f);
		if (err)
			break;
		w->levels++;
		if (!level) {
			err = check_root(dir, f->buf, w, &depth);
			if (err)
				break;
			if (name)
				w->hash = ext4_name_hash(inode_sbi(dir),
							 w->version, name, len);
		}
		err = choose(dir, f, w->hash, !level);
		if (err)
			break;
		lblk = dx_block(&f->entries[f->at]);
	}
	if (err)
		ext4_dx_put(w);
	return err;
}

int ext4_dx_walk(struct inode *dir, const char *name, size_t len,
		 struct ext4_dx_way *w)
{
	return walk(dir, name, len, w);
}

int ext4_dx_walk_hash(struct inode *dir, u32 hash, struct ext4_dx_way *w)
{
	w->hash = hash;
	return walk(dir, NULL, 0, w);
}

/* The lowest level at which the way can go on to the right; levels: none. */
static u32 turn(const struct ext4_dx_way *w)
{
	u32 level = w->levels;

	while (level) {
		const struct ext4_dx_frame *f = &w->frame[--level];

		if (f->at + 1 < dx_count(f->entries)->count)
			return level;
	}
	return w->levels;
}

bool ext4_dx_next_hash(const struct ext4_dx_way *w, u32 *hash)
{
	u32 level = turn(w);

	if (level == w->levels)
		return false;
	*hash = w->frame[level].entries[w->frame[level].at + 1].hash;
	return true;
}

int ext4_dx_next(struct inode *dir, struct ext4_dx_way *w)
{
	u32 level = turn(w), i;

	if (level == w->levels)
		return 0;
	w->frame[level].at++;
	for (i = level + 1; i < w->levels; i++) {
		u32 lblk =
			dx_block(&w->frame[i - 1].entries[w->frame[i - 1].at]);
		struct ext4_dx_frame fresh;
		int err =
			lblk ? load_frame(dir, lblk, &fresh) : bad(dir, "loop");

		if (!err) {
			err = choose(dir, &fresh, 0, false);
			if (err)
				ext4_buf_put(fresh.buf);
		}
		if (err)
			return err;
		fresh.at = 0;
		ext4_buf_put(w->frame[i].buf);
		w->frame[i] = fresh;
	}
	return 1;
}

/*
 * The name was not in the leaf: do equal hashes go on in the next one?  Moves
 * the way there: 1, or 0: no, or -errno.
 */
static int next_leaf(struct inode *dir, struct ext4_dx_way *w)
{
	u32 hash;

	if (!ext4_dx_next_hash(w, &hash) || !(hash & 1) ||
	    (hash & ~1u) != w->hash)
		return 0;
	return ext4_dx_next(dir, w);
}

struct ext4_buf *ext4_dx_leaf(struct inode *dir, const struct ext4_dx_way *w,
			      u32 *lblk)
{
	const struct ext4_dx_frame *f = &w->frame[w->levels - 1];

	*lblk = dx_block(&f->entries[f->at]);
	if (!*lblk || *lblk >= ext4_dir_blocks(dir))
		return ERR_PTR(bad(dir, "leaf beyond the end"));
	return ext4_bread(dir, *lblk);
}

int ext4_htree_find(struct inode *dir, const char *name, size_t len,
		    struct ext4_dirpos *pos)
{
	u32 tries = ext4_dir_blocks(dir); /* a corrupt index may go round */
	bool found = false;
	struct ext4_dx_way w;
	int ret = ext4_dx_walk(dir, name, len, &w);

	if (ret)
		return ret;
	do {
		struct ext4_buf *b = ext4_dx_leaf(dir, &w, &pos->lblk);

		if (IS_ERR(b)) {
			ret = (int)PTR_ERR(b);
			break;
		}
		ret = ext4_dir_search(dir, b, name, len, pos);
		found = ret > 0; /* then pos owns b */
		if (!found)
			ext4_buf_put(b);
		if (!ret)
			ret = next_leaf(dir, &w);
	} while (!found && ret > 0 && tries--);
	ext4_dx_put(&w);
	if (ret < 0)
		return ret;
	return found ? 0 : -ENOENT;
}
