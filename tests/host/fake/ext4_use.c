/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/ext4_use.c - see tests/host/ext4_fuzz.h.
 */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/ext4_fuzz.h>

#include <fs/ext4/ext4.h>
#include <lib/errno.h>

static u8 buf[70000];

static u64 below(u64 n)
{
	return random_below(&world_seed, n);
}

struct names {
	char name[64][256];
	u32 nr;
};

static void keep_name(void *ctx, const char *name, size_t len, u64 ino,
		      unsigned int dtype)
{
	struct names *n = ctx;

	if (n->nr == ARRAY_SIZE(n->name))
		return;
	memcpy(n->name[n->nr], name, len);
	n->name[n->nr++][len] = '\0';
}

static void use_file(struct inode *i, bool change)
{
	s64 n = i->ops->listxattr(i, (char *)buf, 4096);

	(void)i->ops->getxattr(i, "user.small", buf, sizeof(buf));
	(void)i->ops->getxattr(i, "user.large", buf, sizeof(buf));
	(void)n;
	if (S_ISLNK(i->mode)) {
		(void)i->ops->readlink(i, (char *)buf, 4096);
	} else if (S_ISREG(i->mode)) {
		(void)rig_read(i, 0, buf, 20000);
		(void)rig_read(i, 8192 * 97, buf, 9000);
		if (!change)
			return;
		(void)rig_write(i, below(1 << 20), buf, 1 + below(9000));
		if (below(2))
			(void)rig_fallocate(i, below(2) ? 3 : 1, below(1 << 20),
					    1 + below(90000));
		if (below(2))
			(void)rig_fallocate(i, below(2) ? 0x08 : 0x20,
					    below(200) * 4096,
					    (1 + below(8)) * 4096);
		if (below(2))
			(void)rig_truncate(i, below(1 << 20));
		if (below(2))
			(void)mapping_sync(&i->mapping, 0, ~0ull, true);
		(void)i->ops->setxattr(i, "user.fuzz", buf, below(300), 0);
	}
}

static void use_dir(struct inode *dir, u32 depth, bool change)
{
	struct names *n = calloc(1, sizeof(*n));
	struct inode *out;
	u32 k;

	(void)rig_list(dir, keep_name, n);
	for (k = 0; k < n->nr; k++) {
		struct inode *i = rig_child(dir, n->name[k]);

		if (IS_ERR(i))
			continue;
		if (i == dir) { /* a loop; the VFS would refuse, too */
			inode_put(i);
			continue;
		}
		if (!S_ISDIR(i->mode))
			use_file(i, change);
		else if (depth)
			use_dir(i, depth - 1, change);
		inode_put(i);
		if (!change)
			continue;
		if (below(4) == 0)
			(void)(rig_unlink(dir, n->name[k]) == -EISDIR &&
			       rig_rmdir(dir, n->name[k]));
		else if (below(8) == 0)
			(void)rig_rename(dir, n->name[k], dir, "moved", 0);
	}
	for (k = 0; change && k < 20; k++) {
		char name[256];

		memset(name, 'a' + (int)(k % 26), sizeof(name));
		name[1 + below(200)] = '\0';
		if (below(3) ? !rig_create(dir, name, 0644, &out)
			     : !rig_mkdir(dir, name, &out))
			inode_put(out);
	}
	free(n);
}

static void walk_names(struct inode *dir, u32 depth)
{
	struct names *n = calloc(1, sizeof(*n));
	u32 k;

	(void)rig_list(dir, keep_name, n);
	for (k = 0; k < n->nr; k++) {
		struct inode *i = rig_child(dir, n->name[k]);
		struct ext4_map m = { .lblk = 0, .len = 1 };

		if (IS_ERR(i))
			continue;
		(void)i->ops->listxattr(i, (char *)buf, 4096);
		for (m.lblk = 0; S_ISREG(i->mode) && m.lblk < 700; m.lblk++)
			(void)ext4_map_read(i, &m);
		if (S_ISLNK(i->mode))
			(void)i->ops->readlink(i, (char *)buf, 4096);
		if (S_ISDIR(i->mode) && i != dir && depth)
			walk_names(i, depth - 1);
		inode_put(i);
	}
	free(n);
}

void fuzz_read_metadata(struct rig *r,
			void (*found)(void *ctx, u64 blk, u32 size, u32 kind),
			void *ctx)
{
	struct ext4_sb *sbi;
	struct inode *root;
	u64 blk;

	assert_int_equal(rig_mount(r, MS_RDONLY, NULL), 0);
	sbi = EXT4_SB(r->sb);
	root = rig_lookup(r, "");
	walk_names(root, 3);
	inode_put(root);
	for (blk = 0; blk < sbi->nr_blocks; blk++) {
		struct ext4_buf *b = ext4_buf_find(sbi, blk);

		if (b && (b->flags & BUF_UPTODATE))
			found(ctx, blk, sbi->block_size, b->kind);
		ext4_buf_put(b);
	}
	rig_umount(r);
}

/* Bound: what an iteration may take. */
void fuzz_use_volume(struct rig *r, bool change, const char *options)
{
	struct inode *root;

	if (rig_mount(r, change ? 0 : MS_RDONLY, options))
		return;
	root = rig_lookup(r, "");
	use_dir(root, 3, change);
	inode_put(root);
	(void)rig_sync(r);
	rig_umount(r);
}
