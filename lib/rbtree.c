/* SPDX-License-Identifier: MIT */
/*
 * lib/rbtree.c - balance and walk a red-black tree.
 *
 * Both repairs walk up from the place of the change.  They are written once
 * for both sides: child(p, side) is the left or the right link of p.
 *
 *   insert  the new node is red, so only "no red child of a red node" can
 *           be broken, and at one place.
 *   erase   a black node vanished from one path; @n is the place whose paths
 *           are one black short.
 */
#include <lib/rbtree.h>

enum side {
	LEFT,
	RIGHT
};

static inline struct rb_node **child(struct rb_node *p, enum side side)
{
	return side == LEFT ? &p->left : &p->right;
}

static inline enum side other(enum side side)
{
	return side == LEFT ? RIGHT : LEFT;
}

static inline enum side side_of(const struct rb_node *n,
				const struct rb_node *parent)
{
	return parent->left == n ? LEFT : RIGHT;
}

static inline bool is_red(const struct rb_node *n)
{
	return n && n->red;
}

/* Put @new (or nothing) where @old hangs. */
static void replace_child(struct rb_root *root, struct rb_node *parent,
			  const struct rb_node *old, struct rb_node *new)
{
	if (!parent)
		root->node = new;
	else
		*child(parent, side_of(old, parent)) = new;
	if (new)
		new->parent = parent;
}

/* @n sinks to @side; its child of the other side takes its place. */
static void rotate(struct rb_root *root, struct rb_node *n, enum side side)
{
	struct rb_node *up = *child(n, other(side));
	struct rb_node *mid = *child(up, side);

	replace_child(root, n->parent, n, up);
	*child(up, side) = n;
	n->parent = up;
	*child(n, other(side)) = mid;
	if (mid)
		mid->parent = n;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent;

	while (is_red(parent = node->parent)) {
		struct rb_node *grand = parent->parent; /* red is no root */
		enum side side = side_of(parent, grand);
		struct rb_node *uncle = *child(grand, other(side));

		if (is_red(uncle)) {
			parent->red = false;
			uncle->red = false;
			grand->red = true;
			node = grand;
			continue;
		}
		if (side_of(node, parent) != side) {
			rotate(root, parent, side);
			parent = node;
		}
		parent->red = false;
		grand->red = true;
		rotate(root, grand, other(side));
		break;
	}
	root->node->red = false;
}

/*
 * The sibling @sib of the short place is black.  True when the tree is whole
 * again, false when @parent is now the short place.
 */
static bool repair_at(struct rb_root *root, struct rb_node *parent,
		      struct rb_node *sib, enum side side)
{
	struct rb_node *near = *child(sib, side);
	struct rb_node *far = *child(sib, other(side));

	if (!is_red(near) && !is_red(far)) {
		sib->red = true;
		return false;
	}
	if (!is_red(far)) {
		rotate(root, sib, other(side));
		far = sib;
		sib = near;
	}
	sib->red = parent->red;
	parent->red = false;
	far->red = false;
	rotate(root, parent, side);
	return true;
}

/* The paths through @n (NULL perhaps), below @parent, are one black short. */
static void repair_erase(struct rb_root *root, struct rb_node *n,
			 struct rb_node *parent)
{
	while (parent && !is_red(n)) {
		enum side side = side_of(n, parent);
		struct rb_node *sib = *child(parent, other(side));

		/* Its paths have the black node that those of n lack. */
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		if (sib->red) {
			sib->red = false;
			parent->red = true;
			rotate(root, parent, side);
			sib = *child(parent, other(side));
		}
		if (repair_at(root, parent, sib, side))
			return;
		n = parent;
		parent = n->parent;
	}
	if (n)
		n->red = false;
}

/* @node has two children: its successor takes its place and colour. */
static void erase_inner(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next = rb_next(node);
	struct rb_node *below = next->right;
	struct rb_node *parent = next->parent;
	bool lost_black = !next->red;

	if (parent == node)
		parent = next;
	else
		replace_child(root, parent, next, below);
	if (parent != next) {
		next->right = node->right;
		next->right->parent = next;
	}
	next->left = node->left;
	next->left->parent = next;
	next->red = node->red;
	replace_child(root, node->parent, node, next);
	if (lost_black)
		repair_erase(root, below, parent);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *below = node->left ? node->left : node->right;

	if (node->left && node->right) {
		erase_inner(node, root);
		return;
	}
	replace_child(root, node->parent, node, below);
	if (!node->red)
		repair_erase(root, below, node->parent);
}

static struct rb_node *deepest(struct rb_node *n, enum side side)
{
	while (n && *child(n, side))
		n = *child(n, side);
	return n;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return deepest(root->node, LEFT);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return deepest(root->node, RIGHT);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *up = node->parent;

	if (node->right)
		return deepest(node->right, LEFT);
	for (; up && up->right == node; up = up->parent)
		node = up;
	return up;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *up = node->parent;

	if (node->left)
		return deepest(node->left, RIGHT);
	for (; up && up->left == node; up = up->parent)
		node = up;
	return up;
}
