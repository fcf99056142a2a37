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
	struct ll_rule *rule; /* owned; in the order of (ino, sb) */
};

static inline bool rule_is_before(const struct ll_rule *r,
				  const struct inode *i)
{
	return r->ino != i->ino ? r->ino < i->ino : r->sb < i->sb;
}

/* Where rules about @i are, or would be. */
static inline u32 rules_place(const struct ll_rules *t, const struct inode *i)
{
	u32 lo = 0, hi = t->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (rule_is_before(&t->rule[mid], i))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Those of a super block that is gone may have the same place. */
static inline u32 rules_access(const struct ll_rules *t, const struct inode *i)
{
	const struct ll_rule *r = &t->rule[rules_place(t, i)];

	for (; r < t->rule + t->nr && r->ino == i->ino && r->sb == i->sb; r++)
		if (load_once(&r->inode))
			return r->access;
	return 0;
}

#endif /* FS_LANDLOCK_RULES_H */
