/* SPDX-License-Identifier: MIT */
/*
 * lib/rbtree.h - red-black tree with the links in the element.
 *
 * The caller walks down and compares; the tree only balances:
 *
 *	while (*link) {
 *		parent = *link;
 *		link = less(e, parent) ? &parent->left : &parent->right;
 *	}
 *	rb_link_node(&e->node, parent, link);
 *	rb_insert_color(&e->node, &root);
 *
 * INVARIANTS
 *   I1  The root is black, and no red node has a red child.
 *   I2  Every path from a node down to NULL passes as many black nodes.
 *
 * Locking: the owner of the tree brings it.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include <lib/types.h>

struct rb_node {
	struct rb_node *parent;
	struct rb_node *left;
	struct rb_node *right;
	bool red;
};

struct rb_root {
	struct rb_node *node;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define RB_ROOT_INIT \
	{            \
		NULL \
	}
#define rb_entry(p, type, m) container_of(p, type, m)
#define rb_entry_or_null(p, type, m)                   \
	({                                             \
		struct rb_node *rb_p = (p);            \
		rb_p ? rb_entry(rb_p, type, m) : NULL; \
	})

static inline bool rb_empty(const struct rb_root *root)
{
	return !root->node;
}

/* Hang @node where the search ended; rb_insert_color() must follow. */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	*node = (struct rb_node){ .parent = parent, .red = true };
	*link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);

/* In order; NULL at the end. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

#endif /* LIB_RBTREE_H */
