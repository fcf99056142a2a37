/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/options.h - mount options of a volume, and what they are without.
 *
 * Changed under the mount's lock, one word after the other; readers take single
 * words.  Options of Linux that would change nothing here (how inode tables are
 * read ahead, how blocks are looked for) are kept, so that they are shown.
 */
#ifndef FS_EXT4_OPTIONS_H
#define FS_EXT4_OPTIONS_H

#include <lib/types.h>

#define EXT4_OPT_ERRORS_CONT  BIT(0)
#define EXT4_OPT_ERRORS_PANIC BIT(1)
#define EXT4_OPT_NOLOAD	      BIT(2)
#define EXT4_OPT_WRITEBACK    BIT(3) /* data=writeback */
#define EXT4_OPT_NOBARRIER    BIT(4)
#define EXT4_OPT_MINIXDF      BIT(5) /* statfs() counts all blocks */
#define EXT4_OPT_GRPID	      BIT(6) /* a new file is of its directory's group */
#define EXT4_OPT_DISCARD      BIT(7)
#define EXT4_OPT_XATTR	      BIT(8) /* user.* */
#define EXT4_OPT_ACL	      BIT(9)
#define EXT4_OPT_UID16	      BIT(10) /* nouid32 */
#define EXT4_OPT_NO_AUTO_DA   BIT(11)
#define EXT4_OPT_DATA_ABORT   BIT(12) /* data_err=abort */
#define EXT4_OPT_ABORT	      BIT(13) /* asked for, and done */
#define EXT4_OPT_DEBUG	      BIT(14)
/* kept only */
#define EXT4_OPT_VALIDITY   BIT(15)
#define EXT4_OPT_DIOREAD    BIT(16)
#define EXT4_OPT_DELALLOC   BIT(17)
#define EXT4_OPT_JCSUM	    BIT(18)
#define EXT4_OPT_JASYNC	    BIT(19)
#define EXT4_OPT_ITABLE	    BIT(20)
#define EXT4_OPT_NOMBCACHE  BIT(21)
#define EXT4_OPT_NOPREFETCH BIT(22)
#define EXT4_OPT_WARN	    BIT(23)
#define EXT4_OPT_DATA_GIVEN BIT(24) /* data= */
#define EXT4_OPT_DAX_NEVER  BIT(25)
#define EXT4_OPT_DAX_INODE  BIT(26)
#define EXT4_OPT_QUOTA	    BIT(27) /* never */

#define EXT4_OPTS_DAX	 (EXT4_OPT_DAX_NEVER | EXT4_OPT_DAX_INODE)
#define EXT4_OPTS_ERRORS (EXT4_OPT_ERRORS_CONT | EXT4_OPT_ERRORS_PANIC)

struct ext4_options {
	u32 flags;	    /* EXT4_OPT_* */
	u32 commit_s;	    /* a transaction is committed when it is so old */
	u32 resuid, resgid; /* who may use reserved blocks */
	u32 max_dir_kb;	    /* a directory is not made longer; 0: no limit */
	u32 sb;		    /* where the super block is, KiB */
	/* kept only */
	u32 min_batch_us, max_batch_us, stripe, readahead, itable_mult, scan;
	u32 extra_isize, ignored;
};

struct super_block;
struct ext4_sb;
struct ext4_super;

/* Those of the super block; flags that the volume or its type brings. */
void ext4_options_default(struct ext4_sb *sbi, const struct ext4_super *es);
/* -EINVAL, and nothing has changed, unless all of @data is understood. */
int ext4_options_parse(struct ext4_sb *sbi, const char *data, bool remount);
/* fs_type->check_option: -ENOENT when the name is not known, -EINVAL if its value
 * is wrong. */
int ext4_check_option(const char *opt);
/* With a comma before each, those that are not the default; @all: one a line. */
size_t ext4_options_str(struct ext4_sb *sbi, char *buf, size_t n, bool all);
void ext4_show_options(struct super_block *sb, char *buf, size_t n);

#endif /* FS_EXT4_OPTIONS_H */
