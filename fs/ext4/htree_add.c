/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/htree_add.c - add a name to an indexed directory and keep the index.
 *
 * Room in the index is made first, one node at a time from the top, walking
 * again after each step; every step leaves a valid index.  Then the leaf is
 * packed or split by hash.  When equal hashes end up on both sides of a split,
 * the entry for the right one has its lowest bit set.
 *
 * INVARIANT and locking: htree.h; dir->lock is held for writing.
 */
#include <fs/ext4/htree.h>

#include <kernel/mm/kmalloc.h>
#include <lib/sort.h>

/* A live entry of a leaf. */
struct place {
	u32 hash;
	u16 off;
	u16 len; /* what it needs */
};

/* Scratch for one split. */
struct work {
	u8 *copy;	     /* the leaf as it was */
	struct place *place; /* its live entries */
	u32 nr;
	u32 bytes; /* sum of len */
};

static struct ext4_dx_frame *last_frame(struct ext4_dx_way *w)
{
	return &w->frame[w->levels - 1];
}

static bool is_full(const struct ext4_dx_frame *f)
{
	const struct ext4_dx_count *c = (const void *)f->entries;

	return c->count >= c->limit;
}

/* (hash, lblk) behind f->at, in a node that has room. */
static void insert_at(struct ext4_dx_frame *f, u32 hash, u32 lblk)
{
	struct ext4_dx_count *c = dx_count(f->entries);
	struct ext4_dx_entry *e = f->entries + f->at + 1;

	KASSERT(c->count < c->limit && f->at < c->count);
	memmove(e + 1, e, (c->count - f->at - 1) * sizeof(*e));
	e->hash = hash;
	e->block = lblk;
	c->count++;
}

static struct ext4_buf *new_node(struct ext4_handle *h, struct inode *dir,
				 u32 *lblk, struct ext4_dx_entry **entries)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	struct ext4_buf *b = ext4_dir_append(h, dir, lblk);
	struct ext4_dirent *de;

	if (IS_ERR(b))
		return b;
	memset(b->data, 0, sbi->block_size);
	de = b->data;
	de->rec_len = (u16)sbi->block_size;
	*entries = (void *)((u8 *)b->data + EXT4_DX_NODE_OFFSET);
	dx_count(*entries)->limit = (u16)ext4_dx_limit(sbi, false);
	return b;
}

/* All of the root moves into a node below it. */
static int grow(struct ext4_handle *h, struct inode *dir, struct ext4_dx_way *w)
{
	struct ext4_dx_frame *root = &w->frame[0];
	struct ext4_dx_info *info =
		(void *)((u8 *)root->buf->data + EXT4_DX_INFO_OFFSET);
	u32 max = EXT4_DX_MAX_LEVELS - (inode_sbi(dir)->has_largedir ? 0 : 1);
	struct ext4_dx_entry *e;
	struct ext4_buf *b;
	u32 lblk, n = dx_count(root->entries)->count;
	int err;

	if (w->levels >= max)
		return -ENOSPC;
	err = ext4_write_access(h, root->buf);
	if (err)
		return err;
	b = new_node(h, dir, &lblk, &e);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	memcpy(e + 1, root->entries + 1, (n - 1) * sizeof(*e));
	e->block = root->entries->block;
	dx_count(e)->count = (u16)n;
	dx_count(root->entries)->count = 1;
	root->entries->block = lblk;
	info->indirect_levels++;
	ext4_dirty(h, b);
	ext4_dirty(h, root->buf);
	ext4_buf_put(b);
	return 0;
}

/* The node at @level is full and the one above is not: halve it. */
static int split_node(struct ext4_handle *h, struct inode *dir,
		      struct ext4_dx_way *w, u32 level)
{
	struct ext4_dx_frame *f = &w->frame[level], *up = f - 1;
	u32 n = dx_count(f->entries)->count, keep = n / 2, lblk, hash;
	struct ext4_dx_entry *e;
	struct ext4_buf *b;
	int err = ext4_write_access(h, f->buf) ?: ext4_write_access(h, up->buf);

	if (err)
		return err;
	b = new_node(h, dir, &lblk, &e);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	hash = f->entries[keep].hash;
	memcpy(e + 1, f->entries + keep + 1, (n - keep - 1) * sizeof(*e));
	e->block = f->entries[keep].block;
	dx_count(e)->count = (u16)(n - keep);
	dx_count(f->entries)->count = (u16)keep;
	insert_at(up, hash, lblk);
	ext4_dirty(h, b);
	ext4_dirty(h, f->buf);
	ext4_dirty(h, up->buf);
	ext4_buf_put(b);
	return 0;
}

/* A way whose last node has a slot. */
static int walk_with_room(struct ext4_handle *h, struct inode *dir,
			  const char *name, size_t len, struct ext4_dx_way *w)
{
	u32 level;
	int err;

	for (;;) {
		err = ext4_dx_walk(dir, name, len, w);
		if (err || !is_full(last_frame(w)))
			return err;
		level = w->levels - 1;
		while (level > 0 && is_full(&w->frame[level - 1]))
			level--;
		err = level ? split_node(h, dir, w, level) : grow(h, dir, w);
		ext4_dx_put(w);
		if (err)
			return err;
	}
}

static int by_hash(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* Note every live entry and keep a copy of the block. */
static int take_stock(struct inode *dir, struct ext4_buf *b, u32 version,
		      struct work *k)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	u32 off = 0, room = ext4_dir_room(sbi);

	k->nr = 0;
	k->bytes = 0;
	while (off < room) {
		const struct ext4_dirent *de = ext4_dirent_at(dir, b, off);

		if (!de || off + de->rec_len > room)
			return -EFSCORRUPTED;
		if (de->inode && de->name_len) {
			struct place *p = &k->place[k->nr++];

			p->off = (u16)off;
			p->len = (u16)EXT4_DIRENT_LEN(de->name_len);
			p->hash = ext4_name_hash(sbi, version, de->name,
						 de->name_len);
			k->bytes += p->len;
		}
		off += de->rec_len;
	}
	memcpy(k->copy, b->data, sbi->block_size);
	sort(k->place, k->nr, sizeof(*k->place), by_hash);
	return 0;
}

/* Write entries [from, to) of the stock, close together, into @b. */
static void pack(struct inode *dir, struct ext4_buf *b, const struct work *k,
		 u32 from, u32 to)
{
	u32 room = ext4_dir_room(inode_sbi(dir)), off = 0, i;
	struct ext4_dirent *de = NULL;

	ext4_dir_init_block(inode_sbi(dir), b->data);
	for (i = from; i < to; i++) {
		de = (void *)((u8 *)b->data + off);
		memcpy(de, k->copy + k->place[i].off, k->place[i].len);
		de->rec_len = k->place[i].len;
		off += k->place[i].len;
	}
	if (de)
		de->rec_len = (u16)(de->rec_len + room - off);
}

/* Where the second half, by size, begins. */
static u32 middle(const struct work *k)
{
	u32 i, size = 0;

	for (i = k->nr; i > 1 && size < k->bytes / 2; i--)
		size += k->place[i - 1].len;
	return i < k->nr ? max(i, 1u) : k->nr - 1;
}

/* The leaf is full: its upper half moves to a new one.  The one that @w->hash
 * belongs to is returned referenced. */
static struct ext4_buf *split_leaf(struct ext4_handle *h, struct inode *dir,
				   struct ext4_dx_way *w, struct ext4_buf *b,
				   const struct work *k)
{
	struct ext4_dx_frame *f = last_frame(w);
	u32 half = middle(k), lblk, hash = k->place[half].hash;
	bool goes_on = k->place[half - 1].hash == hash;
	struct ext4_buf *new;
	int err = ext4_write_access(h, f->buf);

	if (err)
		return ERR_PTR(err);
	new = ext4_dir_append(h, dir, &lblk);
	if (IS_ERR(new))
		return new;
	pack(dir, new, k, half, k->nr);
	pack(dir, b, k, 0, half);
	insert_at(f, hash + goes_on, lblk);
	ext4_dirty(h, new);
	ext4_dirty(h, b);
	ext4_dirty(h, f->buf);
	if (w->hash >= hash)
		return new;
	ext4_buf_put(new);
	return ext4_buf_get(b);
}

static int add_to_full(struct ext4_handle *h, struct inode *dir,
		       struct ext4_dx_way *w, struct ext4_buf *b,
		       const char *name, size_t len, const struct inode *inode,
		       struct work *k)
{
	struct ext4_buf *into;
	int err = take_stock(dir, b, w->version, k) ?: ext4_write_access(h, b);

	if (err)
		return err;
	if (k->bytes + EXT4_DIRENT_LEN(len) <= ext4_dir_room(inode_sbi(dir))) {
		pack(dir, b, k, 0, k->nr);
		ext4_dirty(h, b);
		return ext4_dir_put(h, dir, b, name, len, inode);
	}
	if (k->nr < 2)
		return -EFSCORRUPTED;
	into = split_leaf(h, dir, w, b, k);
	if (IS_ERR(into))
		return (int)PTR_ERR(into);
	err = ext4_dir_put(h, dir, into, name, len, inode);
	ext4_buf_put(into);
	return err;
}

static int with_scratch(struct ext4_handle *h, struct inode *dir,
			struct ext4_dx_way *w, struct ext4_buf *b,
			const char *name, size_t len, const struct inode *inode)
{
	u32 bs = inode_sbi(dir)->block_size;
	struct work k = {
		.copy = kmalloc(bs),
		.place = kcalloc(bs / EXT4_DIRENT_MIN + 1, sizeof(*k.place)),
	};
	int err = -ENOMEM;

	if (k.copy && k.place)
		err = add_to_full(h, dir, w, b, name, len, inode, &k);
	kfree(k.copy);
	kfree(k.place);
	return err;
}

static struct ext4_buf *read_leaf(struct inode *dir, struct ext4_dx_way *w)
{
	struct ext4_dx_frame *f = last_frame(w);
	u32 lblk = dx_block(&f->entries[f->at]);

	if (!lblk || lblk >= ext4_dir_blocks(dir)) {
		ext4_error(inode_sbi(dir), dir->ino,
			   "bad directory index: leaf %u", lblk);
		return ERR_PTR(-EFSCORRUPTED);
	}
	return ext4_bread(dir, lblk);
}

int ext4_htree_add(struct ext4_handle *h, struct inode *dir, const char *name,
		   size_t len, const struct inode *inode)
{
	struct ext4_dx_way w;
	struct ext4_buf *b;
	int err = ext4_dx_walk(dir, name, len, &w);

	if (err)
		return err;
	b = read_leaf(dir, &w);
	err = IS_ERR(b) ? (int)PTR_ERR(b)
			: ext4_dir_put(h, dir, b, name, len, inode);
	ext4_buf_put(b);
	ext4_dx_put(&w);
	if (err != -ENOSPC)
		return err;
	err = walk_with_room(h, dir, name, len, &w);
	if (err)
		return err;
	b = read_leaf(dir, &w);
	err = IS_ERR(b) ? (int)PTR_ERR(b)
			: with_scratch(h, dir, &w, b, name, len, inode);
	ext4_buf_put(b);
	ext4_dx_put(&w);
	return err;
}

/* Is block 0 what a directory begins with?  Bytes up to the first name. */
static u32 dots_end(struct inode *dir, struct ext4_buf *b)
{
	const struct ext4_dirent *dot = ext4_dirent_at(dir, b, 0), *dotdot;

	if (!dot || dot->rec_len != EXT4_DIRENT_MIN || dot->name_len != 1)
		return 0;
	dotdot = ext4_dirent_at(dir, b, EXT4_DIRENT_MIN);
	if (!dotdot || dotdot->name_len != 2 || dotdot->name[0] != '.' ||
	    dotdot->name[1] != '.')
		return 0;
	return EXT4_DIRENT_MIN + dotdot->rec_len;
}

static void make_root(struct inode *dir, struct ext4_buf *b, u32 leaf)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	struct ext4_dirent *dotdot = (void *)((u8 *)b->data + EXT4_DIRENT_MIN);
	struct ext4_dx_info *info =
		(void *)((u8 *)b->data + EXT4_DX_INFO_OFFSET);
	struct ext4_dx_entry *e = (void *)((u8 *)b->data + EXT4_DX_ROOT_OFFSET);

	memset(info, 0, sbi->block_size - EXT4_DX_INFO_OFFSET);
	dotdot->rec_len = (u16)(sbi->block_size - EXT4_DIRENT_MIN);
	info->hash_version = sbi->hash_version;
	info->info_length = sizeof(*info);
	dx_count(e)->limit = (u16)ext4_dx_limit(sbi, true);
	dx_count(e)->count = 1;
	e->block = leaf;
}

int ext4_htree_make(struct ext4_handle *h, struct inode *dir, const char *name,
		    size_t len, const struct inode *inode)
{
	u32 room = ext4_dir_room(inode_sbi(dir)), from, off, lblk;
	struct ext4_buf *b = ext4_bread(dir, 0), *leaf;
	struct ext4_dirent *de = NULL;
	int err;

	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	from = dots_end(dir, b);
	err = from && from < room ? ext4_write_access(h, b) : -EFSCORRUPTED;
	if (err)
		goto out;
	leaf = ext4_dir_append(h, dir, &lblk);
	err = IS_ERR(leaf) ? (int)PTR_ERR(leaf) : 0;
	if (err)
		goto out;
	memcpy(leaf->data, (u8 *)b->data + from, room - from);
	for (off = 0; off < room - from; off += de->rec_len) {
		de = ext4_dirent_at(dir, leaf, off);
		if (!de)
			break;
	}
	if (de)
		de->rec_len = (u16)(de->rec_len + from);
	ext4_dirty(h, leaf);
	ext4_buf_put(leaf);
	make_root(dir, b, lblk);
	ext4_dirty(h, b);
	EXT4_I(dir)->flags |= EXT4_INDEX_FL;
	ext4_iflags_to_vfs(dir);
	inode_mark_dirty(dir);
	err = de ? ext4_htree_add(h, dir, name, len, inode) : -EFSCORRUPTED;
out:
	ext4_buf_put(b);
	return err;
}
