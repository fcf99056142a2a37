/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/revoke.c - which copies in the log must not be replayed.
 *
 * A block that was freed may hold something else by now: its freer left a
 * record in the log, and copies in that transaction and older ones are void.
 * The table knows the newest record of each block.
 */
#include <fs/ext4/journal.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/bitmap.h>
#include <lib/hash.h>

struct revoke {
	struct revoke *next;
	u64 blk;
	u32 tid;
};

struct ext4_revoke_table {
	u32 nr_buckets; /* a power of two */
	struct revoke **bucket;
};

/* For about @nr records. */
struct ext4_revoke_table *ext4_revoke_table_new(u32 nr)
{
	struct ext4_revoke_table *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->nr_buckets = 1u << log2_floor(clamp(nr, 64u, 65536u));
	t->bucket =
		alloc_pages_exact(t->nr_buckets * sizeof(*t->bucket), GFP_ZERO);
	if (!t->bucket) {
		kfree(t);
		return NULL;
	}
	return t;
}

void ext4_revoke_table_free(struct ext4_revoke_table *t)
{
	struct revoke *r, *next;
	u32 i;

	if (!t)
		return;
	for (i = 0; i < t->nr_buckets; i++) {
		for (r = t->bucket[i]; r; r = next) {
			next = r->next;
			kfree(r);
		}
	}
	free_pages_exact(t->bucket, t->nr_buckets * sizeof(*t->bucket));
	kfree(t);
}

static struct revoke *find(const struct ext4_revoke_table *t, u64 blk)
{
	struct revoke *r = t->bucket[hash64(blk) & (t->nr_buckets - 1)];

	while (r && r->blk != blk)
		r = r->next;
	return r;
}

int ext4_revoke_add(struct ext4_revoke_table *t, u64 blk, u32 tid)
{
	struct revoke *r = find(t, blk), **head;

	if (r) {
		if (tid_after(tid, r->tid))
			r->tid = tid;
		return 0;
	}
	r = kmalloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	head = &t->bucket[hash64(blk) & (t->nr_buckets - 1)];
	*r = (struct revoke){ .next = *head, .blk = blk, .tid = tid };
	*head = r;
	return 0;
}

bool ext4_is_revoked(const struct ext4_revoke_table *t, u64 blk, u32 tid)
{
	const struct revoke *r = find(t, blk);

	return r && !tid_after(tid, r->tid);
}
