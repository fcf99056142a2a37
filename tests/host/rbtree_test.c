/* SPDX-License-Identifier: MIT */
/* sources: lib/rbtree.c */
/*
 * tests/host/rbtree_test.c - random inserts and erasures; after each, the tree
 * must be balanced and hold what a plain array of flags says.
 */
#include <tests/host/cmocka.h>

#include <lib/rbtree.h>

#define NR_KEYS 200
#define ROUNDS	20000

struct item {
	int key;
	struct rb_node node;
};

static struct item items[NR_KEYS];
static bool present[NR_KEYS];
static struct rb_root root;

static struct item *item_of(struct rb_node *n)
{
	return rb_entry_or_null(n, struct item, node);
}

static void insert(int key)
{
	struct rb_node *parent = NULL, **link = &root.node;

	while (*link) {
		parent = *link;
		link = key < item_of(parent)->key ? &parent->left
						  : &parent->right;
	}
	items[key].key = key;
	rb_link_node(&items[key].node, parent, link);
	rb_insert_color(&items[key].node, &root);
	present[key] = true;
}

static void erase(int key)
{
	rb_erase(&items[key].node, &root);
	memset(&items[key], 0xa5, sizeof(items[key]));
	present[key] = false;
}

/* The black height; the invariants hold on the way. */
static int check_node(const struct rb_node *n, const struct rb_node *parent)
{
	int left, right;

	if (!n)
		return 1;
	assert_ptr_equal(n->parent, parent);
	if (n->red)
		assert_false(!parent || parent->red);
	left = check_node(n->left, n);
	right = check_node(n->right, n);
	assert_int_equal(left, right);
	return left + !n->red;
}

static void check(void)
{
	struct rb_node *n = rb_first(&root);

	check_node(root.node, NULL);
	for (int key = 0; key < NR_KEYS; key++) {
		if (!present[key])
			continue;
		assert_non_null(n);
		assert_int_equal(item_of(n)->key, key);
		n = rb_next(n);
	}
	assert_null(n);
	n = rb_last(&root);
	for (int key = NR_KEYS - 1; key >= 0; key--) {
		if (!present[key])
			continue;
		assert_int_equal(item_of(n)->key, key);
		n = rb_prev(n);
	}
	assert_null(n);
}

static void empty(void)
{
	while (root.node)
		erase(item_of(root.node)->key);
	assert_true(rb_empty(&root));
}

static void test_random(void **state)
{
	u64 seed = 42;

	for (int i = 0; i < ROUNDS; i++) {
		int key = (int)random_below(&seed, NR_KEYS);

		if (present[key])
			erase(key);
		else
			insert(key);
		check();
	}
	empty();
}

static void test_in_order(void **state)
{
	for (int key = 0; key < NR_KEYS; key++) {
		insert(key);
		check();
	}
	for (int key = 0; key < NR_KEYS; key++) {
		erase(key);
		check();
	}
	for (int key = NR_KEYS - 1; key >= 0; key--)
		insert(key);
	check();
	for (int key = NR_KEYS - 1; key >= 0; key--) {
		erase(key);
		check();
	}
}

/* Every order of erasing every tree of up to seven elements. */
static void erase_all_ways(int left)
{
	for (int key = 0; key < 7; key++) {
		struct item saved[7];
		struct rb_root saved_root = root;

		if (!present[key])
			continue;
		memcpy(saved, items, sizeof(saved));
		erase(key);
		check();
		if (left > 1)
			erase_all_ways(left - 1);
		memcpy(items, saved, sizeof(saved));
		root = saved_root;
		present[key] = true;
	}
}

static void test_small(void **state)
{
	u64 seed = 7;

	for (int round = 0; round < 20; round++) {
		for (int n = 0; n < 7;) {
			int key = (int)random_below(&seed, 7);

			if (!present[key]) {
				insert(key);
				n++;
			}
		}
		if (round < 4)
			erase_all_ways(7);
		empty();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
