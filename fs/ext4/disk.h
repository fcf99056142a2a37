/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/disk.h - what an ext4 volume looks like, byte by byte.
 *
 * All numbers on disk are little-endian, and so is every machine that this
 * kernel and its host tests run on; the members are read as they stand.
 *
 * Nothing that is read through these structures may be believed: whoever reads
 * checks ranges first.
 *
 * Not here: what is kept in memory (ext4.h), the journal's own format.
 */
#ifndef FS_EXT4_DISK_H
#define FS_EXT4_DISK_H

#include <lib/types.h>

STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "disk byte order");

#define EXT4_MAGIC	  0xef53
#define EXT4_SUPER_OFFSET 1024u
#define EXT4_SUPER_SIZE	  1024u

/* Reserved inodes */
#define EXT4_ROOT_INO	 2u
#define EXT4_RESIZE_INO	 7u
#define EXT4_JOURNAL_INO 8u

/* s_state */
#define EXT4_VALID_FS  0x0001
#define EXT4_ERROR_FS  0x0002
#define EXT4_ORPHAN_FS 0x0004

/* s_errors */
#define EXT4_ERRORS_CONTINUE 1
#define EXT4_ERRORS_RO	     2
#define EXT4_ERRORS_PANIC    3

/* s_flags */
#define EXT4_FLAGS_SIGNED_HASH	 0x0001
#define EXT4_FLAGS_UNSIGNED_HASH 0x0002

#define EXT4_COMPAT_HAS_JOURNAL	  0x0004
#define EXT4_COMPAT_EXT_ATTR	  0x0008
#define EXT4_COMPAT_RESIZE_INODE  0x0010
#define EXT4_COMPAT_DIR_INDEX	  0x0020
#define EXT4_COMPAT_SPARSE_SUPER2 0x0200
#define EXT4_COMPAT_FAST_COMMIT	  0x0400
#define EXT4_COMPAT_ORPHAN_FILE	  0x1000

#define EXT4_INCOMPAT_COMPRESSION 0x00001
#define EXT4_INCOMPAT_FILETYPE	  0x00002
#define EXT4_INCOMPAT_RECOVER	  0x00004
#define EXT4_INCOMPAT_JOURNAL_DEV 0x00008
#define EXT4_INCOMPAT_META_BG	  0x00010
#define EXT4_INCOMPAT_EXTENTS	  0x00040
#define EXT4_INCOMPAT_64BIT	  0x00080
#define EXT4_INCOMPAT_MMP	  0x00100
#define EXT4_INCOMPAT_FLEX_BG	  0x00200
#define EXT4_INCOMPAT_EA_INODE	  0x00400
#define EXT4_INCOMPAT_DIRDATA	  0x01000
#define EXT4_INCOMPAT_CSUM_SEED	  0x02000
#define EXT4_INCOMPAT_LARGEDIR	  0x04000
#define EXT4_INCOMPAT_INLINE_DATA 0x08000
#define EXT4_INCOMPAT_ENCRYPT	  0x10000
#define EXT4_INCOMPAT_CASEFOLD	  0x20000

#define EXT4_RO_COMPAT_SPARSE_SUPER   0x00001
#define EXT4_RO_COMPAT_LARGE_FILE     0x00002
#define EXT4_RO_COMPAT_HUGE_FILE      0x00008
#define EXT4_RO_COMPAT_GDT_CSUM	      0x00010
#define EXT4_RO_COMPAT_DIR_NLINK      0x00020
#define EXT4_RO_COMPAT_EXTRA_ISIZE    0x00040
#define EXT4_RO_COMPAT_QUOTA	      0x00100
#define EXT4_RO_COMPAT_BIGALLOC	      0x00200
#define EXT4_RO_COMPAT_METADATA_CSUM  0x00400
#define EXT4_RO_COMPAT_READONLY	      0x01000
#define EXT4_RO_COMPAT_PROJECT	      0x02000
#define EXT4_RO_COMPAT_VERITY	      0x08000
#define EXT4_RO_COMPAT_ORPHAN_PRESENT 0x10000

struct ext4_super {
	u32 inodes_count;
	u32 blocks_count_lo;
	u32 r_blocks_count_lo;
	u32 free_blocks_count_lo;
	u32 free_inodes_count;
	u32 first_data_block;
	u32 log_block_size;
	u32 log_cluster_size;
	u32 blocks_per_group;
	u32 clusters_per_group;
	u32 inodes_per_group;
	u32 mtime;
	u32 wtime;
	u16 mnt_count;
	u16 max_mnt_count;
	u16 magic;
	u16 state;
	u16 errors;
	u16 minor_rev_level;
	u32 lastcheck;
	u32 checkinterval;
	u32 creator_os;
	u32 rev_level;
	u16 def_resuid;
	u16 def_resgid;
	u32 first_ino;
	u16 inode_size;
	u16 block_group_nr;
	u32 feature_compat;
	u32 feature_incompat;
	u32 feature_ro_compat;
	u8 uuid[16];
	char volume_name[16];
	char last_mounted[64];
	u32 algorithm_usage_bitmap;
	u8 prealloc_blocks;
	u8 prealloc_dir_blocks;
	u16 reserved_gdt_blocks;
	u8 journal_uuid[16];
	u32 journal_inum;
	u32 journal_dev;
	u32 last_orphan;
	u32 hash_seed[4];
	u8 def_hash_version;
	u8 jnl_backup_type;
	u16 desc_size;
	u32 default_mount_opts;
	u32 first_meta_bg;
	u32 mkfs_time;
	u32 jnl_blocks[17];
	u32 blocks_count_hi;
	u32 r_blocks_count_hi;
	u32 free_blocks_count_hi;
	u16 min_extra_isize;
	u16 want_extra_isize;
	u32 flags;
	u16 raid_stride;
	u16 mmp_update_interval;
	u64 mmp_block;
	u32 raid_stripe_width;
	u8 log_groups_per_flex;
	u8 checksum_type;
	u16 reserved_pad;
	u64 kbytes_written;
	u32 snapshot_inum;
	u32 snapshot_id;
	u64 snapshot_r_blocks_count;
	u32 snapshot_list;
	u32 error_count;
	u32 first_error_time;
	u32 first_error_ino;
	u64 first_error_block;
	u8 first_error_func[32];
	u32 first_error_line;
	u32 last_error_time;
	u32 last_error_ino;
	u32 last_error_line;
	u64 last_error_block;
	u8 last_error_func[32];
	u8 mount_opts[64];
	u32 usr_quota_inum;
	u32 grp_quota_inum;
	u32 overhead_clusters;
	u32 backup_bgs[2];
	u8 encrypt_algos[4];
	u8 encrypt_pw_salt[16];
	u32 lpf_ino;
	u32 prj_quota_inum;
	u32 checksum_seed;
	u8 time_hi[8]; /* w, m, mkfs, lastcheck, first and last error */
	u16 encoding;
	u16 encoding_flags;
	u32 orphan_file_inum;
	u32 reserved[94];
	u32 checksum;
};
STATIC_ASSERT(sizeof(struct ext4_super) == EXT4_SUPER_SIZE, "super block");
STATIC_ASSERT(offsetof(struct ext4_super, uuid) == 0x68, "uuid");
STATIC_ASSERT(offsetof(struct ext4_super, checksum_seed) == 0x270, "seed");

/* Group descriptor; 32-byte ones end before block_bitmap_hi. */
struct ext4_desc {
	u32 block_bitmap_lo;
	u32 inode_bitmap_lo;
	u32 inode_table_lo;
	u16 free_blocks_lo;
	u16 free_inodes_lo;
	u16 used_dirs_lo;
	u16 flags;
	u32 exclude_bitmap_lo;
	u16 block_bitmap_csum_lo;
	u16 inode_bitmap_csum_lo;
	u16 itable_unused_lo;
	u16 checksum;
	u32 block_bitmap_hi;
	u32 inode_bitmap_hi;
	u32 inode_table_hi;
	u16 free_blocks_hi;
	u16 free_inodes_hi;
	u16 used_dirs_hi;
	u16 itable_unused_hi;
	u32 exclude_bitmap_hi;
	u16 block_bitmap_csum_hi;
	u16 inode_bitmap_csum_hi;
	u32 reserved;
};
STATIC_ASSERT(sizeof(struct ext4_desc) == 64, "group descriptor");
#define EXT4_DESC_MIN 32u

#define EXT4_BG_INODE_UNINIT 0x0001
#define EXT4_BG_BLOCK_UNINIT 0x0002
#define EXT4_BG_INODE_ZEROED 0x0004

#define EXT4_N_BLOCKS 15
#define EXT4_NDIR     12
#define EXT4_IND      12

struct ext4_raw_inode {
	u16 mode;
	u16 uid_lo;
	u32 size_lo;
	u32 atime;
	u32 ctime;
	u32 mtime;
	u32 dtime;
	u16 gid_lo;
	u16 links;
	u32 blocks_lo;
	u32 flags;
	u32 version_lo;
	u32 block[EXT4_N_BLOCKS];
	u32 generation;
	u32 file_acl_lo;
	u32 size_hi;
	u32 obso_faddr;
	u16 blocks_hi;
	u16 file_acl_hi;
	u16 uid_hi;
	u16 gid_hi;
	u16 checksum_lo;
	u16 reserved;
	/* --- the first 128 bytes end here */
	u16 extra_isize;
	u16 checksum_hi;
	u32 ctime_extra;
	u32 mtime_extra;
	u32 atime_extra;
	u32 crtime;
	u32 crtime_extra;
	u32 version_hi;
	u32 projid;
};
STATIC_ASSERT(sizeof(struct ext4_raw_inode) == 160, "inode");
#define EXT4_GOOD_OLD_INODE_SIZE 128u

/* Inode flags */
#define EXT4_SECRM_FL	    0x00000001
#define EXT4_UNRM_FL	    0x00000002
#define EXT4_COMPR_FL	    0x00000004
#define EXT4_SYNC_FL	    0x00000008
#define EXT4_IMMUTABLE_FL   0x00000010
#define EXT4_APPEND_FL	    0x00000020
#define EXT4_NODUMP_FL	    0x00000040
#define EXT4_NOATIME_FL	    0x00000080
#define EXT4_ENCRYPT_FL	    0x00000800
#define EXT4_INDEX_FL	    0x00001000
#define EXT4_JOURNAL_FL	    0x00004000
#define EXT4_NOTAIL_FL	    0x00008000
#define EXT4_DIRSYNC_FL	    0x00010000
#define EXT4_TOPDIR_FL	    0x00020000
#define EXT4_HUGE_FILE_FL   0x00040000
#define EXT4_EXTENTS_FL	    0x00080000
#define EXT4_VERITY_FL	    0x00100000
#define EXT4_EA_INODE_FL    0x00200000
#define EXT4_DAX_FL	    0x02000000
#define EXT4_INLINE_DATA_FL 0x10000000
#define EXT4_PROJINHERIT_FL 0x20000000
#define EXT4_CASEFOLD_FL    0x40000000
/* What FS_IOC_SETFLAGS may change (the first three, NOTAIL and DAX mean nothing, as on
 * Linux with disks); of these, what other things than directories and files may have; what
 * may be named beside them, and does not change; what a child takes from its
 * directory. */
#define EXT4_USER_FLAGS                                                       \
	(EXT4_SECRM_FL | EXT4_UNRM_FL | EXT4_COMPR_FL | EXT4_NOTAIL_FL |      \
	 EXT4_SYNC_FL | EXT4_IMMUTABLE_FL | EXT4_APPEND_FL | EXT4_NODUMP_FL | \
	 EXT4_NOATIME_FL | EXT4_DAX_FL | EXT4_DIR_FLAGS)
#define EXT4_DIR_FLAGS	 (EXT4_DIRSYNC_FL | EXT4_TOPDIR_FL | EXT4_PROJINHERIT_FL)
#define EXT4_OTHER_FLAGS (EXT4_NODUMP_FL | EXT4_NOATIME_FL)
#define EXT4_FIXED_FLAGS 0x105b1f00u
#define EXT4_INHERIT_FLAGS                                                     \
	(EXT4_SECRM_FL | EXT4_UNRM_FL | EXT4_COMPR_FL | EXT4_SYNC_FL |         \
	 EXT4_NODUMP_FL | EXT4_NOATIME_FL | EXT4_NOTAIL_FL | EXT4_DIRSYNC_FL | \
	 EXT4_PROJINHERIT_FL | EXT4_DAX_FL)

/* Extent trees: a header, then extents (depth 0) or indexes. */
#define EXT4_EXT_MAGIC	   0xf30a
#define EXT4_EXT_MAX_DEPTH 5
#define EXT4_EXT_INIT_MAX  32768u /* longest written extent */
#define EXT4_EXT_UNW_MAX   32767u /* longest unwritten one */

struct ext4_ext_head {
	u16 magic;
	u16 entries;
	u16 max;
	u16 depth;
	u32 generation;
};

struct ext4_extent {
	u32 block;
	u16 len; /* above EXT4_EXT_INIT_MAX: unwritten, less that number */
	u16 start_hi;
	u32 start_lo;
};

struct ext4_ext_idx {
	u32 block;
	u32 leaf_lo;
	u16 leaf_hi;
	u16 unused;
};
STATIC_ASSERT(sizeof(struct ext4_ext_head) == 12, "extent header");
STATIC_ASSERT(sizeof(struct ext4_extent) == 12, "extent");
STATIC_ASSERT(sizeof(struct ext4_ext_idx) == 12, "extent index");

/* Directories */
struct ext4_dirent {
	u32 inode; /* 0: unused */
	u16 rec_len;
	u8 name_len;
	u8 file_type;
	char name[];
};
#define EXT4_DIRENT_HEAD   8u
#define EXT4_DIRENT_LEN(n) ALIGN_UP((n) + EXT4_DIRENT_HEAD, 4u)
#define EXT4_DIRENT_MIN	   12u

struct ext4_dir_tail {
	u32 zero1;
	u16 rec_len; /* 12 */
	u8 zero2;
	u8 file_type; /* EXT4_FT_TAIL */
	u32 checksum;
};
STATIC_ASSERT(sizeof(struct ext4_dir_tail) == 12, "directory tail");
#define EXT4_FT_TAIL 0xde

enum ext4_file_type {
	EXT4_FT_UNKNOWN,
	EXT4_FT_REG,
	EXT4_FT_DIR,
	EXT4_FT_CHR,
	EXT4_FT_BLK,
	EXT4_FT_FIFO,
	EXT4_FT_SOCK,
	EXT4_FT_LNK,
	EXT4_NR_FT,
};

#define EXT4_LINK_MAX 65000u

/* Hash-tree directories: block 0 looks like "." and ".." and holds the root. */
struct ext4_dx_info {
	u32 reserved_zero;
	u8 hash_version;
	u8 info_length; /* 8 */
	u8 indirect_levels;
	u8 unused_flags;
};
struct ext4_dx_entry {
	u32 hash; /* entry 0: struct ext4_dx_count instead */
	u32 block;
};
struct ext4_dx_count {
	u16 limit;
	u16 count;
};
struct ext4_dx_tail {
	u32 reserved;
	u32 checksum;
};
#define EXT4_DX_INFO_OFFSET 24u /* in block 0 */
#define EXT4_DX_ROOT_OFFSET 32u /* of the entries in block 0 */
#define EXT4_DX_NODE_OFFSET 8u	/* of the entries in an inner node */
#define EXT4_DX_BLOCK_MASK  0x0fffffffu
#define EXT4_DX_MAX_LEVELS  3u /* root, and two below; three with LARGEDIR */

enum ext4_hash {
	EXT4_HASH_LEGACY,
	EXT4_HASH_HALF_MD4,
	EXT4_HASH_TEA,
	EXT4_HASH_LEGACY_UNSIGNED,
	EXT4_HASH_HALF_MD4_UNSIGNED,
	EXT4_HASH_TEA_UNSIGNED,
	EXT4_NR_HASHES,
};

/* Extended attributes */
#define EXT4_XATTR_MAGIC 0xea020000u

struct ext4_xattr_head { /* of a block; in an inode only the magic */
	u32 magic;
	u32 refcount;
	u32 blocks;
	u32 hash;
	u32 checksum;
	u32 reserved[3];
};
struct ext4_xattr_entry {
	u8 name_len;
	u8 name_index;
	u16 value_offs;
	u32 value_inum;
	u32 value_size;
	u32 hash;
	char name[];
};
STATIC_ASSERT(sizeof(struct ext4_xattr_head) == 32, "xattr header");
STATIC_ASSERT(sizeof(struct ext4_xattr_entry) == 16, "xattr entry");
#define EXT4_XATTR_LEN(n)  ALIGN_UP((n) + 16u, 4u)
#define EXT4_XATTR_SIZE(n) ALIGN_UP((n), 4u)
#define EXT4_XATTR_REF_MAX 1024u

/* Orphan file blocks: inode numbers, then this. */
struct ext4_orphan_tail {
	u32 magic;
	u32 checksum;
};
#define EXT4_ORPHAN_MAGIC 0x0b10ca04u

#endif /* FS_EXT4_DISK_H */
