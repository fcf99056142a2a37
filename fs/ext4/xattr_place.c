/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/xattr_place.c - read and lay out one place of attributes.
 *
 * Pure code on memory.  A place is trusted after ext4_xattr_check().
 */
#include <fs/ext4/xattr.h>

static struct ext4_xattr_entry *at(const struct ext4_xattr_place *p, u32 off)
{
	return (void *)(p->base + off);
}

/* Four zero bytes: also what an unused place begins with. */
static bool is_end(const struct ext4_xattr_place *p, u32 off)
{
	const u8 *b = p->base + off;

	return off + 4 > p->size || !(b[0] | b[1] | b[2] | b[3]);
}

static bool value_ok(const struct ext4_xattr_place *p,
		     const struct ext4_xattr_entry *e, u32 names_end)
{
	if (e->value_inum)
		return false; /* ea_inode: a feature that we refuse */
	if (!e->value_size)
		return true;
	return e->value_size <= p->size && e->value_offs % 4 == 0 &&
	       e->value_offs >= names_end &&
	       e->value_offs <= p->size - ALIGN_UP(e->value_size, 4u);
}

bool ext4_xattr_check(const struct ext4_xattr_place *p)
{
	u32 off, end;

	for (off = p->first; !is_end(p, off);) {
		if (off + sizeof(struct ext4_xattr_entry) > p->size ||
		    off + EXT4_XATTR_LEN(at(p, off)->name_len) + 4 > p->size)
			return false;
		off += (u32)EXT4_XATTR_LEN(at(p, off)->name_len);
	}
	if (off + 4 > p->size)
		return false;
	end = off + 4;
	for (off = p->first; !is_end(p, off);
	     off += (u32)EXT4_XATTR_LEN(at(p, off)->name_len)) {
		if (!value_ok(p, at(p, off), end))
			return false;
	}
	return true;
}

struct ext4_xattr_entry *ext4_xattr_first(const struct ext4_xattr_place *p)
{
	return is_end(p, p->first) ? NULL : at(p, p->first);
}

struct ext4_xattr_entry *ext4_xattr_next(const struct ext4_xattr_place *p,
					 struct ext4_xattr_entry *e)
{
	u32 off = (u32)((u8 *)e - p->base) + (u32)EXT4_XATTR_LEN(e->name_len);

	return is_end(p, off) ? NULL : at(p, off);
}

static int compare(const struct ext4_xattr_name *n,
		   const struct ext4_xattr_entry *e)
{
	if (n->index != e->name_index)
		return n->index - e->name_index;
	if (n->len != e->name_len)
		return n->len - e->name_len;
	return memcmp(n->name, e->name, n->len);
}

struct ext4_xattr_entry *ext4_xattr_find(const struct ext4_xattr_place *p,
					 const struct ext4_xattr_name *n)
{
	struct ext4_xattr_entry *e;

	for (e = ext4_xattr_first(p); e; e = ext4_xattr_next(p, e)) {
		if (!compare(n, e))
			return e;
	}
	return NULL;
}

/* Of name and value, as e2fsck checks it. */
static u32 entry_hash(const struct ext4_xattr_entry *e, const u32 *value)
{
	u32 hash = 0, i;

	for (i = 0; i < e->name_len; i++)
		hash = (hash << 5) ^ (hash >> 27) ^ (u8)e->name[i];
	for (i = 0; i < DIV_ROUND_UP(e->value_size, 4u); i++)
		hash = (hash << 16) ^ (hash >> 16) ^ value[i];
	return hash;
}

u32 ext4_xattr_block_hash(const struct ext4_xattr_place *p)
{
	struct ext4_xattr_entry *e;
	u32 hash = 0;

	for (e = ext4_xattr_first(p); e; e = ext4_xattr_next(p, e)) {
		if (!e->hash)
			return 0; /* not to be shared */
		hash = (hash << 16) ^ (hash >> 16) ^ e->hash;
	}
	return hash;
}

/* Where the next entry and the next value (downwards) go. */
struct pen {
	const struct ext4_xattr_place *to;
	u32 entry, value;
};

static int put(struct pen *pen, const struct ext4_xattr_name *n,
	       const void *value, u32 size)
{
	u32 len = (u32)EXT4_XATTR_LEN(n->len);
	u32 room = (u32)EXT4_XATTR_SIZE(size);
	struct ext4_xattr_entry *e = at(pen->to, pen->entry);

	/* and the four zero bytes */
	if (pen->value < room || pen->entry + len + 4 > pen->value - room)
		return -ENOSPC;
	pen->value -= room;
	memset(e, 0, len);
	e->name_len = n->len;
	e->name_index = n->index;
	e->value_size = size;
	memcpy(e->name, n->name, n->len);
	if (size) {
		e->value_offs = (u16)pen->value;
		memset(pen->to->base + pen->value, 0, room);
		memcpy(pen->to->base + pen->value, value, size);
	}
	if (pen->to->block)
		e->hash = entry_hash(e,
				     (const u32 *)(const void *)(pen->to->base +
								 pen->value));
	pen->entry += len;
	return 0;
}

int ext4_xattr_rebuild(const struct ext4_xattr_place *from,
		       const struct ext4_xattr_place *to,
		       const struct ext4_xattr_name *n, const void *value,
		       size_t size)
{
	struct pen pen = { to, to->first, to->size };
	struct ext4_xattr_entry *e;
	bool todo = value != NULL;
	int err = 0;

	if (size > to->size)
		return -ENOSPC;
	memset(to->base + to->first, 0, to->size - to->first);
	for (e = ext4_xattr_first(from); e && !err;
	     e = ext4_xattr_next(from, e)) {
		struct ext4_xattr_name old = { e->name_index, e->name_len,
					       e->name };
		int order = compare(n, e);

		/* Blocks are sorted: put the new one before what follows. */
		if (todo && order <= 0) {
			err = put(&pen, n, value, (u32)size);
			todo = false;
		}
		if (!err && order)
			err = put(&pen, &old, from->base + e->value_offs,
				  e->value_size);
	}
	if (!err && todo)
		err = put(&pen, n, value, (u32)size);
	return err;
}
