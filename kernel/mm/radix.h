/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/radix.h - sparse array of pointers by a 64-bit index, with tags.
 *
 * 64 slots a node.  A tag is a bit of an item; each node knows which of its slots
 * have the tag in or below them, so that tagged items are found without looking at
 * the others.  Items are not NULL.
 *
 * Pure: builds and is tested on the host.  Locking: the owner brings it.
 */
#ifndef KERNEL_MM_RADIX_H
#define KERNEL_MM_RADIX_H

#include <lib/types.h>

#define RADIX_BITS  6u
#define RADIX_SLOTS 64u

enum radix_tag {
	RADIX_DIRTY,
	RADIX_WRITEBACK,
	NR_RADIX_TAGS,
};

struct radix_node {
	u64 used; /* slots that are not NULL */
	u64 tags[NR_RADIX_TAGS];
	void *slot[RADIX_SLOTS]; /* nodes, or items at height 1 */
};

/* height 0: empty; else the root covers 64^height indices. */
struct radix {
	struct radix_node *root;
	u32 height;
};

/* -ENOMEM, -EEXIST or 0. */
int radix_insert(struct radix *r, u64 index, void *item) __must_check;
void *radix_find(const struct radix *r, u64 index);
/* The items at [index, index + nr), NULL where there is none; all in one node:
 * the range does not cross a multiple of RADIX_SLOTS. */
void radix_run(const struct radix *r, u64 index, u32 nr, void **out);
/* What was there, or NULL.  Its tags go too. */
void *radix_remove(struct radix *r, u64 index);

/* The item at @index exists. */
void radix_tag_set(struct radix *r, u64 index, enum radix_tag tag);
void radix_tag_clear(struct radix *r, u64 index, enum radix_tag tag);

/* The first item at or behind *@index, with @tag (-1: any); *@index becomes its
 * index.  NULL: none. */
void *radix_next(const struct radix *r, u64 *index, int tag);

/* Where nodes come from; radix_node_alloc() gives zeroes or NULL. */
struct radix_node *radix_node_alloc(void);
void radix_node_free(struct radix_node *n);

#endif /* KERNEL_MM_RADIX_H */
