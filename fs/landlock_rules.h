/* SPDX-License-Identifier: MIT */
/* fs/landlock_rules.h - tables of rules about inodes, between landlock*.c. */
#ifndef FS_LANDLOCK_RULES_H
#define FS_LANDLOCK_RULES_H

#include <fs/vfs.h>
#include <lib/atomic.h>

struct ll_rule {
	struct inode *inode; /* [a] owned; NULL: its super block is gone */
	/* [I] these two are the inode, for those of which each look-up makes
	 * another */
	const struct super_block *sb;
	u64 ino;
	u32 access;
};

struct ll_rules {
	struct list_head node; /* [ll_lock] all tables */
	u32 nr, room;
	struct ll_rule *rule; /* owned */
};

static inline u32 rules_access(const struct ll_rules *t, const struct inode *i)
{
	for (u32 k = 0; k < t->nr; k++)
		if (t->rule[k].ino == i->ino && t->rule[k].sb == i->sb &&
		    load_once(&t->rule[k].inode))
			return t->rule[k].access;
	return 0;
}

#endif /* FS_LANDLOCK_RULES_H */
