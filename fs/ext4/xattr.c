/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/xattr.c - extended attributes: get, list, set, remove.
 *
 * An attribute goes into the inode's own slot if it fits there, else into the
 * attribute block.  A change is laid out in scratch memory first, so that one
 * that does not fit has changed nothing.  A block that is shared is copied
 * before it is changed.
 *
 * Values are not interpreted; ACLs pass through.
 *
 * Locking: ei->xattr_lock; sbi->xattr_lock for the counts of shared blocks.
 */
#include <fs/ext4/xattr.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>

#define XATTR_CREATE  1
#define XATTR_REPLACE 2

static const struct {
	u8 index;
	bool whole; /* the prefix is the name */
	const char *prefix;
} spaces[] = {
	{ 1, false, "user." },
	{ 2, true, "system.posix_acl_access" },
	{ 3, true, "system.posix_acl_default" },
	{ 4, false, "trusted." },
	{ 6, false, "security." },
};

static int parse_name(const char *full, struct ext4_xattr_name *n)
{
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(spaces); i++) {
		len = strlen(spaces[i].prefix);
		if (strncmp(full, spaces[i].prefix, len) != 0)
			continue;
		if (spaces[i].whole != (full[len] == '\0'))
			continue;
		if (strlen(full + len) > 255)
			return -ERANGE;
		n->index = spaces[i].index;
		n->name = full + len;
		n->len = (u8)strlen(full + len);
		return 0;
	}
	return -EOPNOTSUPP;
}

/* The slot's rest behind the fixed members; false: there is none. */
static bool body_place(struct inode *inode, struct ext4_raw_inode *raw,
		       struct ext4_xattr_place *p)
{
	u32 size = inode_sbi(inode)->inode_size;
	u32 off = EXT4_GOOD_OLD_INODE_SIZE + EXT4_I(inode)->extra_isize;

	if (size == EXT4_GOOD_OLD_INODE_SIZE || off + 8 > size)
		return false;
	p->base = (u8 *)raw + off + 4; /* behind the magic number */
	p->first = 0;
	p->size = size - off - 4;
	p->block = false;
	return true;
}

static u32 *body_magic(const struct ext4_xattr_place *p)
{
	return (u32 *)(void *)(p->base - 4);
}

static void block_place(struct ext4_buf *b, struct ext4_xattr_place *p)
{
	p->base = b->data;
	p->first = sizeof(struct ext4_xattr_head);
	p->size = b->sbi->block_size;
	p->block = true;
}

static int corrupt(struct inode *inode)
{
	ext4_error_inode(inode, "bad extended attributes");
	return -EFSCORRUPTED;
}

/* Both places of an inode, with references on what holds them. */
struct both {
	struct ext4_buf *slot, *block; /* block: NULL if there is none */
	struct ext4_raw_inode *raw;
	struct ext4_xattr_place in_body, in_block;
	bool has_body;	/* there is room in the slot */
	bool body_used; /* and it holds attributes */
};

static void both_put(struct both *b)
{
	ext4_buf_put(b->slot);
	ext4_buf_put(b->block);
}

static int open_block(struct inode *inode, struct both *b)
{
	struct ext4_xattr_head *head;

	if (!EXT4_I(inode)->file_acl)
		return 0;
	/* Its checksum must not be looked at while another inode that shares
	 * it changes the count. */
	mutex_lock(&inode_sbi(inode)->xattr_lock);
	b->block = ext4_buf_read(inode_sbi(inode), EXT4_I(inode)->file_acl,
				 EXT4_KIND_XATTR, 0);
	mutex_unlock(&inode_sbi(inode)->xattr_lock);
	if (IS_ERR(b->block))
		return (int)PTR_ERR(b->block);
	head = b->block->data;
	block_place(b->block, &b->in_block);
	if (head->magic != EXT4_XATTR_MAGIC || head->blocks != 1 ||
	    !head->refcount || head->refcount > EXT4_XATTR_REF_MAX ||
	    !ext4_xattr_check(&b->in_block))
		return corrupt(inode);
	return 0;
}

/* xattr_lock is held. */
static int both_open(struct inode *inode, struct both *b)
{
	int err;

	*b = (struct both){ 0 };
	err = ext4_raw_slot(inode_sbi(inode), inode->ino, &b->slot, &b->raw);
	if (err) {
		b->slot = NULL;
		return err;
	}
	b->has_body = body_place(inode, b->raw, &b->in_body);
	b->body_used =
		b->has_body && *body_magic(&b->in_body) == EXT4_XATTR_MAGIC;
	err = b->body_used && !ext4_xattr_check(&b->in_body)
		      ? corrupt(inode)
		      : open_block(inode, b);
	if (err)
		both_put(b);
	return err;
}

int ext4_xattr_where(struct inode *inode, u64 *at, u64 *len, bool *inside)
{
	u32 bits = inode_sbi(inode)->block_bits;
	struct ext4_inode *ei = EXT4_I(inode);
	struct both b;
	int err;

	mutex_lock(&ei->xattr_lock);
	err = both_open(inode, &b);
	if (!err) {
		*inside = b.body_used;
		*at = ei->file_acl << bits;
		*len = 1ull << bits;
		if (b.body_used) {
			const u8 *from = b.in_body.base - 4; /* the magic */

			*at = (b.slot->blk << bits) +
			      (u64)(from - (const u8 *)b.slot->data);
			*len = b.in_body.size + 4;
		} else if (!b.block) {
			err = -ENODATA;
		}
		both_put(&b);
	}
	mutex_unlock(&ei->xattr_lock);
	return err;
}

static struct ext4_xattr_entry *find(const struct both *b,
				     const struct ext4_xattr_name *n,
				     const struct ext4_xattr_place **where)
{
	struct ext4_xattr_entry *e = NULL;

	*where = &b->in_body;
	if (b->body_used)
		e = ext4_xattr_find(&b->in_body, n);
	if (!e && b->block) {
		*where = &b->in_block;
		e = ext4_xattr_find(&b->in_block, n);
	}
	return e;
}

s64 ext4_getxattr(struct inode *inode, const char *name, void *buf, size_t n)
{
	struct ext4_inode *ei = EXT4_I(inode);
	const struct ext4_xattr_place *p;
	struct ext4_xattr_entry *e;
	struct ext4_xattr_name key;
	struct both b;
	s64 ret = parse_name(name, &key);

	if (ret)
		return ret;
	mutex_lock(&ei->xattr_lock);
	ret = both_open(inode, &b);
	if (!ret) {
		e = find(&b, &key, &p);
		ret = e ? (s64)e->value_size : -ENODATA;
		if (e && n && n < e->value_size)
			ret = -ERANGE;
		else if (e && n)
			memcpy(buf, p->base + e->value_offs, e->value_size);
		both_put(&b);
	}
	mutex_unlock(&ei->xattr_lock);
	return ret;
}

/* Prefix of an index that is listed for current, or NULL. */
static const char *prefix_of(u8 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(spaces); i++) {
		if (spaces[i].index != index)
			continue;
		if (index == 4 && !capable(CAP_SYS_ADMIN))
			return NULL;
		return spaces[i].prefix;
	}
	return NULL;
}

/* Names of one place, each with its NUL: bytes, whether they fit or not. */
static size_t list_place(const struct ext4_xattr_place *p, char *buf, size_t n,
			 size_t done)
{
	struct ext4_xattr_entry *e;

	for (e = ext4_xattr_first(p); e; e = ext4_xattr_next(p, e)) {
		const char *prefix = prefix_of(e->name_index);
		size_t plen, len;

		if (!prefix)
			continue;
		plen = strlen(prefix);
		len = plen + e->name_len + 1;
		if (done + len <= n) {
			memcpy(buf + done, prefix, plen);
			memcpy(buf + done + plen, e->name, e->name_len);
			buf[done + len - 1] = '\0';
		}
		done += len;
	}
	return done;
}

s64 ext4_listxattr(struct inode *inode, char *buf, size_t n)
{
	struct ext4_inode *ei = EXT4_I(inode);
	size_t done = 0;
	struct both b;
	s64 ret;

	mutex_lock(&ei->xattr_lock);
	ret = both_open(inode, &b);
	if (!ret) {
		if (b.body_used)
			done = list_place(&b.in_body, buf, n, done);
		if (b.block)
			done = list_place(&b.in_block, buf, n, done);
		ret = n && done > n ? -ERANGE : (s64)done;
		both_put(&b);
	}
	mutex_unlock(&ei->xattr_lock);
	return ret;
}

/* Lay the body out anew; the slot's checksum is made with the inode. */
static int change_body(struct ext4_handle *h, struct inode *inode,
		       struct both *b, const struct ext4_xattr_name *n,
		       const void *value, size_t size, u8 *scratch)
{
	struct ext4_xattr_place to = b->in_body, none = b->in_body;
	u8 zero[4] = { 0 };
	int err;

	to.base = scratch;
	if (!b->body_used) {
		none.base = zero;
		none.size = 4;
	}
	err = ext4_xattr_rebuild(b->body_used ? &b->in_body : &none, &to, n,
				 value, size);
	if (!err)
		err = ext4_write_access(h, b->slot);
	if (err)
		return err;
	mutex_lock(&EXT4_I(inode)->raw_lock);
	memcpy(b->in_body.base, scratch, b->in_body.size);
	*body_magic(&b->in_body) = ext4_xattr_first(&to) ? EXT4_XATTR_MAGIC : 0;
	mutex_unlock(&EXT4_I(inode)->raw_lock);
	b->body_used = *body_magic(&b->in_body) != 0;
	return 0;
}

/* One inode less refers to the block. */
static void release_block(struct ext4_handle *h, struct inode *inode,
			  struct ext4_buf *block)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_xattr_head *head = block->data;

	mutex_lock(&sbi->xattr_lock);
	if (head->refcount > 1) {
		if (!ext4_write_access(h, block)) {
			head->refcount--;
			ext4_dirty(h, block);
		}
		block = NULL;
	}
	mutex_unlock(&sbi->xattr_lock);
	ext4_add_blocks(inode, -1);
	if (block)
		ext4_free_blocks(h, sbi, block->blk, 1, true);
}

static struct ext4_buf *new_block(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u32 group = (u32)((inode->ino - 1) / sbi->inodes_per_group), got;
	struct ext4_buf *b;
	u64 blk;
	int err;

	err = ext4_alloc_blocks(h, sbi, ext4_group_start(sbi, group), 1, false,
				&blk, &got);
	if (err)
		return ERR_PTR(err);
	b = ext4_buf_new(h, blk, EXT4_KIND_XATTR, 0);
	if (IS_ERR(b)) {
		ext4_free_blocks(h, sbi, blk, 1, true);
		return b;
	}
	ext4_add_blocks(inode, 1);
	return b;
}

/* Write the layout in @to (a block's worth) as the inode's own block. */
static int store_block(struct ext4_handle *h, struct inode *inode,
		       struct both *b, const struct ext4_xattr_place *to)
{
	struct ext4_xattr_head *head = (void *)to->base;
	struct ext4_buf *into = b->block, *old = NULL;
	int err = 0;

	if (into && ((struct ext4_xattr_head *)into->data)->refcount > 1) {
		old = into;
		into = NULL;
	}
	if (into)
		err = ext4_write_access(h, into);
	else
		into = new_block(h, inode);
	if (IS_ERR(into))
		return (int)PTR_ERR(into);
	if (err)
		return err;
	memset(head, 0, sizeof(*head));
	head->magic = EXT4_XATTR_MAGIC;
	head->refcount = 1;
	head->blocks = 1;
	head->hash = ext4_xattr_block_hash(to);
	memcpy(into->data, to->base, to->size);
	ext4_dirty(h, into);
	EXT4_I(inode)->file_acl = into->blk;
	if (old) {
		release_block(h, inode, old);
		ext4_buf_put(old);
	}
	b->block = into;
	return 0;
}

static int change_block(struct ext4_handle *h, struct inode *inode,
			struct both *b, const struct ext4_xattr_name *n,
			const void *value, size_t size, u8 *scratch)
{
	u8 zero[4] = { 0 };
	struct ext4_xattr_place none = { .base = zero, .size = 4 };
	struct ext4_xattr_place to = {
		.base = scratch,
		.first = sizeof(struct ext4_xattr_head),
		.size = inode_sbi(inode)->block_size,
		.block = true,
	};
	int err = ext4_xattr_rebuild(b->block ? &b->in_block : &none, &to, n,
				     value, size);

	if (err)
		return err;
	if (ext4_xattr_first(&to))
		return store_block(h, inode, b, &to);
	if (b->block) {
		EXT4_I(inode)->file_acl = 0;
		release_block(h, inode, b->block);
	}
	return 0;
}

/* Remove the name from where it is. */
static int drop(struct ext4_handle *h, struct inode *inode, struct both *b,
		const struct ext4_xattr_place *where,
		const struct ext4_xattr_name *n, u8 *scratch)
{
	if (where == &b->in_body)
		return change_body(h, inode, b, n, NULL, 0, scratch);
	return change_block(h, inode, b, n, NULL, 0, scratch);
}

/* The body first, then the block; the old one goes from the other place. */
static int set_value(struct ext4_handle *h, struct inode *inode, struct both *b,
		     const struct ext4_xattr_place *where,
		     const struct ext4_xattr_name *n, const void *value,
		     size_t size, u8 *scratch)
{
	int err = -ENOSPC;

	if (b->has_body)
		err = change_body(h, inode, b, n, value, size, scratch);
	if (!err && where == &b->in_block)
		return drop(h, inode, b, where, n, scratch);
	if (err != -ENOSPC)
		return err;
	err = change_block(h, inode, b, n, value, size, scratch);
	if (!err && where == &b->in_body)
		err = drop(h, inode, b, where, n, scratch);
	return err;
}

/* In a handle, with xattr_lock; @value NULL removes. */
static int change(struct ext4_handle *h, struct inode *inode,
		  const struct ext4_xattr_name *n, const void *value,
		  size_t size, int flags)
{
	const struct ext4_xattr_place *where;
	u8 *scratch = kmalloc(inode_sbi(inode)->block_size);
	struct both b;
	int err = scratch ? both_open(inode, &b) : -ENOMEM;

	if (err)
		goto out;
	if (!find(&b, n, &where)) {
		where = NULL;
		if (!value || (flags & XATTR_REPLACE))
			err = -ENODATA;
	} else if (value && (flags & XATTR_CREATE)) {
		err = -EEXIST;
	}
	if (!err)
		err = value ? set_value(h, inode, &b, where, n, value, size,
					scratch)
			    : drop(h, inode, &b, where, n, scratch);
	both_put(&b);
	if (!err) {
		inode->ctime = inode_now(inode);
		err = ext4_mark_dirty(h, inode);
	}
out:
	kfree(scratch);
	return err;
}

static int change_once(struct inode *inode, const struct ext4_xattr_name *key,
		       const void *value, size_t size, int flags)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(inode), &h, 16);

	if (err)
		return err;
	mutex_lock(&ei->xattr_lock);
	err = change(&h, inode, key, value, size, flags);
	mutex_unlock(&ei->xattr_lock);
	ext4_end(&h);
	return err;
}

static int change_named(struct inode *inode, const char *name,
			const void *value, size_t size, int flags)
{
	struct ext4_xattr_name key;
	u32 tries = 0;
	int err = parse_name(name, &key);

	if (err)
		return err;
	do {
		err = change_once(inode, &key, value, size, flags);
	} while (err == -ENOSPC && ext4_retry_nospc(inode_sbi(inode), &tries));
	if (!err)
		ext4_inode_done(inode);
	return err;
}

int ext4_setxattr(struct inode *inode, const char *name, const void *buf,
		  size_t n, int flags)
{
	if (n > 65536)
		return -E2BIG;
	return change_named(inode, name, buf ? buf : "", n, flags);
}

int ext4_removexattr(struct inode *inode, const char *name)
{
	return change_named(inode, name, NULL, 0, 0);
}

/* The inode is being deleted. */
void ext4_xattr_drop_all(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_buf *b;

	if (!ei->file_acl)
		return;
	b = ext4_buf_read(inode_sbi(inode), ei->file_acl, EXT4_KIND_XATTR, 0);
	ei->file_acl = 0;
	if (IS_ERR(b))
		return; /* reported; the block is lost until e2fsck */
	release_block(h, inode, b);
	ext4_buf_put(b);
}
