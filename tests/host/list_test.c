/* SPDX-License-Identifier: MIT */
/* tests/host/list_test.c - lib/list.h. */
#include <tests/host/cmocka.h>

#include <lib/list.h>

struct item {
	int v;
	struct list_head link;
};

static struct item items[6];
static struct list_head head = LIST_HEAD_INIT(head);

static int setup(void **state)
{
	list_init(&head);
	for (int i = 0; i < 6; i++) {
		items[i].v = i;
		list_init(&items[i].link);
	}
	return 0;
}

/* The list holds just these, forwards and backwards. */
static void expect(struct list_head *h, int n, const int *want)
{
	struct item *it;
	int i = 0;

	list_for_each_entry(it, h, link)
		assert_int_equal(it->v, want[i++]);
	assert_int_equal(i, n);
	list_for_each_entry_reverse(it, h, link)
		assert_int_equal(it->v, want[--i]);
	assert_int_equal(i, 0);
}

#define EXPECT(h, ...)                                       \
	expect(h, (int)ARRAY_SIZE(((int[]){ __VA_ARGS__ })), \
	       (int[]){ __VA_ARGS__ })

static void test_add(void **state)
{
	assert_true(list_empty(&head));
	assert_null(list_first_entry_or_null(&head, struct item, link));
	list_add_tail(&items[0].link, &head);
	list_add_tail(&items[1].link, &head);
	list_add(&items[2].link, &head);
	EXPECT(&head, 2, 0, 1);
	list_add(&items[3].link, &items[0].link);
	list_add_tail(&items[4].link, &items[0].link);
	EXPECT(&head, 2, 4, 0, 3, 1);
	assert_int_equal(list_first_entry(&head, struct item, link)->v, 2);
	assert_int_equal(list_last_entry(&head, struct item, link)->v, 1);
	assert_false(list_empty(&head));
}

static void test_del(void **state)
{
	for (int i = 0; i < 4; i++)
		list_add_tail(&items[i].link, &head);
	assert_true(list_is_linked(&items[1].link));
	list_del(&items[1].link);
	assert_false(list_is_linked(&items[1].link));
	list_del(&items[1].link); /* harmless */
	EXPECT(&head, 0, 2, 3);
	list_move_tail(&items[0].link, &head);
	list_move(&items[3].link, &head);
	EXPECT(&head, 3, 2, 0);
}

static void test_safe(void **state)
{
	struct item *it, *tmp;

	for (int i = 0; i < 6; i++)
		list_add_tail(&items[i].link, &head);
	list_for_each_entry_safe(it, tmp, &head, link) {
		if (it->v % 2 == 0)
			list_del(&it->link);
	}
	EXPECT(&head, 1, 3, 5);
	list_for_each_entry_safe(it, tmp, &head, link)
		list_del(&it->link);
	assert_true(list_empty(&head));
}

static void test_splice(void **state)
{
	struct list_head from = LIST_HEAD_INIT(from);

	list_splice_tail_init(&from, &head);
	assert_true(list_empty(&head));
	list_add_tail(&items[0].link, &from);
	list_add_tail(&items[1].link, &from);
	list_splice_tail_init(&from, &head);
	EXPECT(&head, 0, 1);
	assert_true(list_empty(&from));
	list_add_tail(&items[2].link, &from);
	list_splice_tail_init(&from, &head);
	EXPECT(&head, 0, 1, 2);
	assert_true(list_empty(&from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_add, setup),
		cmocka_unit_test_setup(test_del, setup),
		cmocka_unit_test_setup(test_safe, setup),
		cmocka_unit_test_setup(test_splice, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
