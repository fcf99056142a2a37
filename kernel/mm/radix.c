/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/radix.c - the tree behind kernel/mm/radix.h.
 *
 * INVARIANTS
 *   I1  A bit of node->used is set exactly when the slot is not NULL; no node but
 *       the root is without used slots, and an empty tree has no root.
 *   I2  A bit of node->tags[t] is set exactly when the item in the slot has tag t,
 *       or the node in it has any bit of tags[t].
 */
#include <kernel/mm/radix.h>

#include <lib/bitmap.h>
#include <lib/errno.h>

#define MAX_HEIGHT 11u /* 66 bits */

static inline u32 shift_of(u32 height)
{
	return (height - 1) * RADIX_BITS;
}

/* Slot of @index in a node of @height. */
static inline u32 slot_of(u64 index, u32 height)
{
	return (u32)(index >> shift_of(height)) & (RADIX_SLOTS - 1);
}

/* Is @index beyond what a tree of @height covers? */
static inline bool beyond(u64 index, u32 height)
{
	return height < MAX_HEIGHT && index >> (height * RADIX_BITS) != 0;
}

static int grow(struct radix *r, u64 index)
{
	if (r->height == 0) {
		r->root = radix_node_alloc();
		if (!r->root)
			return -ENOMEM;
		for (r->height = 1; beyond(index, r->height); r->height++)
			;
	}
	while (beyond(index, r->height)) {
		struct radix_node *n = radix_node_alloc();

		if (!n)
			return -ENOMEM;
		n->slot[0] = r->root;
		n->used = 1;
		for (u32 t = 0; t < NR_RADIX_TAGS; t++)
			n->tags[t] = r->root->tags[t] != 0;
		r->root = n;
		r->height++;
	}
	return 0;
}

/* Drop roots that a failed insertion or a removal left without need. */
static void trim(struct radix *r)
{
	if (r->root && r->root->used == 0) {
		radix_node_free(r->root);
		r->root = NULL;
		r->height = 0;
	}
	while (r->height > 1 && r->root->used == 1) {
		struct radix_node *old = r->root;

		r->root = old->slot[0];
		r->height--;
		radix_node_free(old);
	}
}

/* Take empty nodes on the way to @index away, from the bottom. */
static void prune(struct radix *r, u64 index)
{
	struct radix_node *path[MAX_HEIGHT + 1] = { NULL }, *n = r->root;
	u32 h;

	for (h = r->height; h > 0 && n; h--) {
		path[h] = n;
		n = h > 1 ? n->slot[slot_of(index, h)] : NULL;
	}
	for (h = h + 1; h < r->height && path[h]->used == 0; h++) {
		u32 s = slot_of(index, h + 1);

		path[h + 1]->slot[s] = NULL;
		path[h + 1]->used &= ~BIT(s);
		radix_node_free(path[h]);
	}
	trim(r);
}

int radix_insert(struct radix *r, u64 index, void *item)
{
	struct radix_node *n;
	u32 s;

	if (grow(r, index)) {
		trim(r);
		return -ENOMEM;
	}
	n = r->root;
	for (u32 h = r->height; h > 1; h--) {
		s = slot_of(index, h);
		if (!n->slot[s]) {
			n->slot[s] = radix_node_alloc();
			if (!n->slot[s]) {
				prune(r, index);
				return -ENOMEM;
			}
			n->used |= BIT(s);
		}
		n = n->slot[s];
	}
	s = slot_of(index, 1);
	if (n->slot[s])
		return -EEXIST;
	n->slot[s] = item;
	n->used |= BIT(s);
	return 0;
}

/* The lowest node on the way to @index, or NULL. */
static inline struct radix_node *leaf_of(const struct radix *r, u64 index)
{
	struct radix_node *n = r->root;

	if (r->height == 0 || beyond(index, r->height))
		return NULL;
	for (u32 h = r->height; h > 1 && n; h--)
		n = n->slot[slot_of(index, h)];
	return n;
}

void *radix_find(const struct radix *r, u64 index)
{
	struct radix_node *n = leaf_of(r, index);

	return n ? n->slot[slot_of(index, 1)] : NULL;
}

void radix_run(const struct radix *r, u64 index, u32 nr, void **out)
{
	struct radix_node *n = leaf_of(r, index);
	u32 s = slot_of(index, 1);

	for (u32 i = 0; i < nr; i++)
		out[i] = n ? n->slot[s + i] : NULL;
}

void radix_tag_set(struct radix *r, u64 index, enum radix_tag tag)
{
	struct radix_node *n = r->root;

	for (u32 h = r->height; h > 0; h--) {
		u32 s = slot_of(index, h);

		n->tags[tag] |= BIT(s);
		if (h > 1)
			n = n->slot[s];
	}
}

void radix_tag_clear(struct radix *r, u64 index, enum radix_tag tag)
{
	struct radix_node *path[MAX_HEIGHT + 1], *n = r->root;

	for (u32 h = r->height; h > 0; h--) {
		path[h] = n;
		if (h > 1)
			n = n->slot[slot_of(index, h)];
	}
	for (u32 h = 1; h <= r->height; h++) {
		path[h]->tags[tag] &= ~BIT(slot_of(index, h));
		if (path[h]->tags[tag])
			break;
	}
}

void *radix_remove(struct radix *r, u64 index)
{
	struct radix_node *n = leaf_of(r, index);
	u32 s = slot_of(index, 1);
	void *item = n ? n->slot[s] : NULL;

	if (!item)
		return NULL;
	for (u32 t = 0; t < NR_RADIX_TAGS; t++) {
		if (n->tags[t] & BIT(s))
			radix_tag_clear(r, index, (enum radix_tag)t);
	}
	n->slot[s] = NULL;
	n->used &= ~BIT(s);
	if (n->used == 0)
		prune(r, index);
	return item;
}

void *radix_next(const struct radix *r, u64 *index, int tag)
{
	u64 i = *index;

	/* from the root again for each slot that was tried in vain: few */
	while (r->height > 0 && !beyond(i, r->height)) {
		struct radix_node *n = r->root;
		u32 h = r->height;

		for (;;) {
			u64 have = tag < 0 ? n->used : n->tags[tag];
			u32 s = slot_of(i, h);

			have &= ~0ull << s;
			if (have == 0)
				break;
			if (ctz64(have) != s) {
				/* skip to the start of that slot */
				i &= ~(((u64)RADIX_SLOTS << shift_of(h)) - 1);
				i |= (u64)ctz64(have) << shift_of(h);
				s = ctz64(have);
			}
			if (h == 1) {
				*index = i;
				return n->slot[s];
			}
			n = n->slot[s];
			h--;
		}
		/* nothing more under this node: on behind it */
		if (h == r->height)
			return NULL;
		i |= ((u64)RADIX_SLOTS << shift_of(h)) - 1;
		if (++i == 0)
			return NULL;
	}
	return NULL;
}
