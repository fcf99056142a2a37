/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/super_check.c - believe a super block, or say why not.
 *
 * After ext4_super_check() and ext4_super_geometry() every number in struct
 * ext4_sb is within what the code can handle, and consistent.
 */
#include <fs/ext4/ext4.h>
#include <lib/bitmap.h>
#include <lib/crc.h>

#define INCOMPAT_OK                                                            \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_RECOVER |                      \
	 EXT4_INCOMPAT_META_BG | EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT | \
	 EXT4_INCOMPAT_FLEX_BG | EXT4_INCOMPAT_CSUM_SEED |                     \
	 EXT4_INCOMPAT_LARGEDIR)
#define RO_COMPAT_OK                                               \
	(EXT4_RO_COMPAT_SPARSE_SUPER | EXT4_RO_COMPAT_LARGE_FILE | \
	 EXT4_RO_COMPAT_HUGE_FILE | EXT4_RO_COMPAT_GDT_CSUM |      \
	 EXT4_RO_COMPAT_DIR_NLINK | EXT4_RO_COMPAT_EXTRA_ISIZE |   \
	 EXT4_RO_COMPAT_METADATA_CSUM | EXT4_RO_COMPAT_ORPHAN_PRESENT)

struct feature {
	u32 bit;
	const char *name;
};

static const struct feature incompat_names[] = {
	{ EXT4_INCOMPAT_COMPRESSION, "compression" },
	{ EXT4_INCOMPAT_JOURNAL_DEV, "journal_dev" },
	{ EXT4_INCOMPAT_MMP, "mmp" },
	{ EXT4_INCOMPAT_EA_INODE, "ea_inode" },
	{ EXT4_INCOMPAT_DIRDATA, "dirdata" },
	{ EXT4_INCOMPAT_INLINE_DATA, "inline_data" },
	{ EXT4_INCOMPAT_ENCRYPT, "encrypt" },
	{ EXT4_INCOMPAT_CASEFOLD, "casefold" },
};

static const struct feature ro_names[] = {
	{ EXT4_RO_COMPAT_QUOTA, "quota" },
	{ EXT4_RO_COMPAT_READONLY, "read-only" },
	{ EXT4_RO_COMPAT_PROJECT, "project" },
	{ EXT4_RO_COMPAT_VERITY, "verity" },
};

static void complain(struct ext4_sb *sbi, const char *what, u32 bits,
		     const struct feature *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!(bits & f[i].bit))
			continue;
		pr_err("ext4: %s: %s: feature %s is not supported",
		       sbi->bdev->name, what, f[i].name);
		bits &= ~f[i].bit;
	}
	if (bits)
		pr_err("ext4: %s: %s: unknown features 0x%x", sbi->bdev->name,
		       what, bits);
}

static int bad(struct ext4_sb *sbi, const char *what, u64 value)
{
	pr_err("ext4: %s: bad super block: %s %llu", sbi->bdev->name, what,
	       (unsigned long long)value);
	return -EINVAL;
}

static int check_features(struct ext4_sb *sbi, const struct ext4_super *es,
			  bool ro)
{
	u32 incompat = es->feature_incompat & ~(u32)INCOMPAT_OK;
	u32 ro_compat = es->feature_ro_compat & ~(u32)RO_COMPAT_OK;

	if (es->rev_level == 0)
		return 0;
	if (incompat) {
		complain(sbi, "cannot mount", incompat, incompat_names,
			 ARRAY_SIZE(incompat_names));
		return -EINVAL;
	}
	if (es->feature_ro_compat & EXT4_RO_COMPAT_BIGALLOC) {
		pr_err("ext4: %s: cannot mount: feature bigalloc is not supported",
		       sbi->bdev->name);
		return -EINVAL;
	}
	if (ro_compat && !ro) {
		complain(sbi, "cannot mount read-write", ro_compat, ro_names,
			 ARRAY_SIZE(ro_names));
		return -EROFS;
	}
	return 0;
}

/* The journal must be a file of the volume, if we are to look at it. */
static int check_journal(struct ext4_sb *sbi, const struct ext4_super *es,
			 bool ro)
{
	bool noload = sbi->opt.flags & EXT4_OPT_NOLOAD;

	if (!(es->feature_compat & EXT4_COMPAT_HAS_JOURNAL)) {
		if (!(es->feature_incompat & EXT4_INCOMPAT_RECOVER))
			return 0;
		return bad(sbi, "to be recovered, but has no journal",
			   es->journal_inum);
	}
	if (!es->journal_inum && !noload) {
		pr_err("ext4: %s: cannot mount: external journals are not supported",
		       sbi->bdev->name);
		return -EINVAL;
	}
	if ((es->feature_incompat & EXT4_INCOMPAT_RECOVER) && noload) {
		if (!ro) {
			pr_err("ext4: %s: the journal needs recovery: not without it",
			       sbi->bdev->name);
			return -EROFS;
		}
		pr_warn("ext4: %s: mounted without the journal's recovery: may be inconsistent",
			sbi->bdev->name);
	}
	return 0;
}

/* Do we know all that it has? */
int ext4_super_supported(struct ext4_sb *sbi, const struct ext4_super *es,
			 bool ro)
{
	int err = check_features(sbi, es, ro);

	return err ? err : check_journal(sbi, es, ro);
}

static u64 nr_blocks(const struct ext4_super *es)
{
	u64 n = es->blocks_count_lo;

	if (es->feature_incompat & EXT4_INCOMPAT_64BIT)
		n |= (u64)es->blocks_count_hi << 32;
	return n;
}

static int check_sizes(struct ext4_sb *sbi, const struct ext4_super *es)
{
	u32 bs;

	if (es->log_block_size > 2)
		return bad(sbi, "block size 1024 <<", es->log_block_size);
	bs = 1024u << es->log_block_size;
	if (bs < sbi->bdev->block_size)
		return bad(sbi, "device's blocks are larger than", bs);
	if (es->log_cluster_size != es->log_block_size)
		return bad(sbi, "cluster size 1024 <<", es->log_cluster_size);
	if (es->rev_level > 1)
		return bad(sbi, "revision", es->rev_level);
	if (es->rev_level && (!is_pow2(es->inode_size) || es->inode_size > bs ||
			      es->inode_size < EXT4_GOOD_OLD_INODE_SIZE))
		return bad(sbi, "inode size", es->inode_size);
	if ((es->feature_incompat & EXT4_INCOMPAT_64BIT) &&
	    (!is_pow2(es->desc_size) || es->desc_size > bs ||
	     es->desc_size < sizeof(struct ext4_desc)))
		return bad(sbi, "descriptor size", es->desc_size);
	if (es->first_data_block != (bs == 1024))
		return bad(sbi, "first data block", es->first_data_block);
	if (es->blocks_per_group < 8 || es->blocks_per_group > bs * 8 ||
	    es->blocks_per_group % 8)
		return bad(sbi, "blocks per group", es->blocks_per_group);
	if (es->inodes_per_group < 8 || es->inodes_per_group > bs * 8 ||
	    es->inodes_per_group % 8)
		return bad(sbi, "inodes per group", es->inodes_per_group);
	if (es->reserved_gdt_blocks > bs / 4)
		return bad(sbi, "reserved descriptor blocks",
			   es->reserved_gdt_blocks);
	return 0;
}

static int check_counts(struct ext4_sb *sbi, const struct ext4_super *es)
{
	u64 blocks = nr_blocks(es), groups, have;
	u32 log = es->log_block_size + 10 - SECTOR_SHIFT;

	if (blocks <= es->first_data_block + 8ull || blocks >> 48)
		return bad(sbi, "number of blocks", blocks);
	have = sbi->bdev->nr_sectors >> log;
	if (blocks > have) {
		pr_err("ext4: %s: the volume has %llu blocks, but the device only %llu",
		       sbi->bdev->name, (unsigned long long)blocks,
		       (unsigned long long)have);
		return -EINVAL;
	}
	groups = DIV_ROUND_UP(blocks - es->first_data_block,
			      (u64)es->blocks_per_group);
	if (groups * es->inodes_per_group != es->inodes_count)
		return bad(sbi, "number of inodes", es->inodes_count);
	if (es->rev_level &&
	    (es->first_ino < 11 || es->first_ino > es->inodes_count))
		return bad(sbi, "first inode", es->first_ino);
	if ((es->feature_incompat & EXT4_INCOMPAT_META_BG) &&
	    es->first_meta_bg > groups)
		return bad(sbi, "first meta group", es->first_meta_bg);
	return 0;
}

int ext4_super_check(struct ext4_sb *sbi, const struct ext4_super *es, bool ro)
{
	int err;

	if ((es->feature_ro_compat & EXT4_RO_COMPAT_METADATA_CSUM) &&
	    (es->checksum_type != 1 || !ext4_super_csum_ok(es))) {
		pr_err("ext4: %s: super block: wrong checksum",
		       sbi->bdev->name);
		return -EFSBADCRC;
	}
	err = ext4_super_supported(sbi, es, ro);
	if (!err)
		err = check_sizes(sbi, es);
	if (!err)
		err = check_counts(sbi, es);
	return err;
}

static void set_features(struct ext4_sb *sbi, const struct ext4_super *es)
{
	u32 c = es->feature_compat, i = es->feature_incompat;
	u32 r = es->feature_ro_compat;

	sbi->has_csum = r & EXT4_RO_COMPAT_METADATA_CSUM;
	sbi->has_gdt_csum = (r & EXT4_RO_COMPAT_GDT_CSUM) && !sbi->has_csum;
	sbi->has_64bit = i & EXT4_INCOMPAT_64BIT;
	sbi->has_extents = i & EXT4_INCOMPAT_EXTENTS;
	sbi->has_filetype = i & EXT4_INCOMPAT_FILETYPE;
	sbi->has_meta_bg = i & EXT4_INCOMPAT_META_BG;
	sbi->has_largedir = i & EXT4_INCOMPAT_LARGEDIR;
	sbi->has_dir_index = c & EXT4_COMPAT_DIR_INDEX;
	sbi->has_xattr = c & EXT4_COMPAT_EXT_ATTR;
	sbi->has_sparse2 = c & EXT4_COMPAT_SPARSE_SUPER2;
	sbi->has_sparse = r & EXT4_RO_COMPAT_SPARSE_SUPER;
	sbi->has_huge_file = r & EXT4_RO_COMPAT_HUGE_FILE;
	sbi->has_extra_isize = r & EXT4_RO_COMPAT_EXTRA_ISIZE;
	sbi->has_dir_nlink = r & EXT4_RO_COMPAT_DIR_NLINK;
	sbi->csum_seed = i & EXT4_INCOMPAT_CSUM_SEED
				 ? es->checksum_seed
				 : crc32c(~0u, es->uuid, sizeof(es->uuid));
	memcpy(sbi->hash_seed, es->hash_seed, sizeof(sbi->hash_seed));
	sbi->hash_version = es->def_hash_version <= EXT4_HASH_TEA
				    ? es->def_hash_version
				    : EXT4_HASH_HALF_MD4;
	sbi->hash_unsigned = es->flags & EXT4_FLAGS_UNSIGNED_HASH
				     ? EXT4_HASH_LEGACY_UNSIGNED
				     : 0;
}

static void set_limits(struct ext4_sb *sbi)
{
	u64 n = sbi->block_size / 4;
	u64 ind = (EXT4_NDIR + n + n * n + n * n * n) << sbi->block_bits;

	sbi->max_file_ext = (u64)EXT4_MAX_LBLK << sbi->block_bits;
	/* Without extents i_blocks, in 512-byte units, has 32 bits. */
	sbi->max_file_ind = min(ind, (u64)2 << 40) - sbi->block_size;
}

static u32 extra_isize(const struct ext4_sb *sbi, const struct ext4_super *es)
{
	u32 room = sbi->inode_size - EXT4_GOOD_OLD_INODE_SIZE;
	u32 want =
		(u32)sizeof(struct ext4_raw_inode) - EXT4_GOOD_OLD_INODE_SIZE;

	if (!room)
		return 0;
	if (sbi->has_extra_isize)
		want = max_t(u32, want,
			     max(es->want_extra_isize, es->min_extra_isize));
	return ALIGN_DOWN(min(want, room), 4u);
}

void ext4_super_geometry(struct ext4_sb *sbi, const struct ext4_super *es)
{
	set_features(sbi, es);
	sbi->block_bits = es->log_block_size + 10;
	sbi->block_size = 1u << sbi->block_bits;
	sbi->inode_size =
		es->rev_level ? es->inode_size : EXT4_GOOD_OLD_INODE_SIZE;
	sbi->first_ino = es->rev_level ? es->first_ino : 11;
	sbi->desc_size = sbi->has_64bit ? es->desc_size : EXT4_DESC_MIN;
	sbi->first_block = es->first_data_block;
	sbi->nr_blocks = nr_blocks(es);
	sbi->blocks_per_group = es->blocks_per_group;
	sbi->inodes_per_group = es->inodes_per_group;
	sbi->nr_inodes = es->inodes_count;
	sbi->nr_groups = (u32)DIV_ROUND_UP(sbi->nr_blocks - sbi->first_block,
					   (u64)sbi->blocks_per_group);
	sbi->inodes_per_block = sbi->block_size / sbi->inode_size;
	sbi->itable_blocks =
		DIV_ROUND_UP(sbi->inodes_per_group, sbi->inodes_per_block);
	sbi->descs_per_block = sbi->block_size / sbi->desc_size;
	sbi->nr_desc_blocks =
		DIV_ROUND_UP(sbi->nr_groups, sbi->descs_per_block);
	sbi->flex_groups = es->feature_incompat & EXT4_INCOMPAT_FLEX_BG &&
					   es->log_groups_per_flex < 32
				   ? 1u << es->log_groups_per_flex
				   : 1;
	sbi->r_blocks = es->r_blocks_count_lo;
	if (sbi->has_64bit)
		sbi->r_blocks |= (u64)es->r_blocks_count_hi << 32;
	sbi->want_extra_isize = extra_isize(sbi, es);
	set_limits(sbi);
}
