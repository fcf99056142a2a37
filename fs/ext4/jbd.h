/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/jbd.h - what a journal looks like, byte by byte (JBD2's format).
 *
 * The log is a ring of blocks behind the journal's super block.  A transaction
 * in it is
 *
 *	revoke blocks, (descriptor block, the blocks that it describes)*,
 *	commit block
 *
 * and all of them but the described blocks begin with a struct jbd_head.  A
 * described block that happens to begin with the magic number has it replaced
 * by zero and its tag flagged.  All numbers are big-endian.
 *
 * Nothing that is read through these structures may be believed.
 */
#ifndef FS_EXT4_JBD_H
#define FS_EXT4_JBD_H

#include <lib/be.h>
#include <lib/types.h>

#define JBD_MAGIC 0xc03b3998u

enum jbd_type {
	JBD_DESCRIPTOR = 1,
	JBD_COMMIT = 2,
	JBD_SUPER_V1 = 3,
	JBD_SUPER_V2 = 4,
	JBD_REVOKE = 5,
};

struct jbd_head {
	struct be32 magic;
	struct be32 type;
	struct be32 seq; /* of the transaction */
};
STATIC_ASSERT(sizeof(struct jbd_head) == 12, "journal header");

#define JBD_COMPAT_CHECKSUM 0x1u

#define JBD_INCOMPAT_REVOKE	  0x01u
#define JBD_INCOMPAT_64BIT	  0x02u
#define JBD_INCOMPAT_ASYNC_COMMIT 0x04u
#define JBD_INCOMPAT_CSUM_V2	  0x08u
#define JBD_INCOMPAT_CSUM_V3	  0x10u
#define JBD_INCOMPAT_FAST_COMMIT  0x20u

#define JBD_CSUM_CRC32	1
#define JBD_CSUM_CRC32C 4

struct jbd_super {
	struct jbd_head head;
	struct be32 blocksize;
	struct be32 maxlen; /* blocks of the journal, this one included */
	struct be32 first;  /* first block of the log */
	struct be32 seq;    /* first transaction to be expected */
	struct be32 start;  /* where it begins; 0: the log is empty */
	struct be32 error;  /* negative errno that made somebody give up */
	/* Version 2 only. */
	struct be32 compat;
	struct be32 incompat;
	struct be32 ro_compat;
	u8 uuid[16];
	struct be32 nr_users;
	struct be32 dynsuper;
	struct be32 max_transaction;
	struct be32 max_trans_data;
	u8 csum_type;
	u8 pad[3];
	struct be32 nr_fc_blocks;
	struct be32 head_block;
	u8 pad2[160];
	struct be32 csum;
	u8 users[16 * 48];
};
STATIC_ASSERT(sizeof(struct jbd_super) == 1024, "journal super block");
STATIC_ASSERT(offsetof(struct jbd_super, csum) == 0xfc, "its checksum");

/*
 * Tags.  With CSUM_V3 all of struct jbd_tag3; else struct jbd_tag up to
 * blk_hi with 64BIT, up to flags without, and with CSUM_V2 two bytes more.
 * Behind a tag without JBD_SAME_UUID come 16 bytes of UUID.
 */
struct jbd_tag3 {
	struct be32 blk;
	struct be32 flags;
	struct be32 blk_hi;
	struct be32 csum;
};
struct jbd_tag {
	struct be32 blk;
	struct be16 csum;
	struct be16 flags;
	struct be32 blk_hi;
};
STATIC_ASSERT(sizeof(struct jbd_tag3) == 16, "tag of CSUM_V3");
STATIC_ASSERT(sizeof(struct jbd_tag) == 12, "tag");

#define JBD_ESCAPED   0x1u
#define JBD_SAME_UUID 0x2u
#define JBD_DELETED   0x4u
#define JBD_LAST_TAG  0x8u
#define JBD_UUID_SIZE 16u

/* With CSUM_V2 or V3 descriptor and revoke blocks end in this. */
struct jbd_tail {
	struct be32 csum;
};

struct jbd_revoke {
	struct jbd_head head;
	struct be32 bytes; /* used, this header included */
};
STATIC_ASSERT(sizeof(struct jbd_revoke) == 16, "revoke header");

struct jbd_commit {
	struct jbd_head head;
	u8 csum_type; /* COMPAT_CHECKSUM */
	u8 csum_size;
	u8 pad[2];
	struct be32 csum[8];
	struct be64 sec;
	struct be32 nsec;
};
STATIC_ASSERT(offsetof(struct jbd_commit, sec) == 0x30, "commit time");

/* Transaction numbers wrap. */
static inline bool tid_after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}
static inline bool tid_reached(u32 a, u32 b)
{
	return (s32)(a - b) >= 0;
}

#endif /* FS_EXT4_JBD_H */
