/* SPDX-License-Identifier: MIT */
/* sources: kernel/task/pid.c */
/* tests/host/pid_test.c - numbers of processes: order, wrap, what keeps one. */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/pid.h>
#include <lib/errno.h>

static bool no_memory;

void *kcalloc(size_t n, size_t size)
{
	return no_memory ? NULL : calloc(n, size);
}

#define SOMEBODY ((struct process *)16)

static int take(void)
{
	int pid = pid_alloc();

	if (pid > 0) {
		assert_null(pid_slot(pid)->proc);
		pid_slot(pid)->proc = SOMEBODY;
	}
	return pid;
}

static void test_order_and_wrap(void **state)
{
	(void)state;
	no_memory = true;
	assert_int_equal(take(), -ENOMEM);
	no_memory = false;
	for (int i = 1; i < PID_MAX; i++) {
		assert_int_equal(take(), i);
		if (i != 1 && i != 500)
			pid_slot(i)->proc = NULL;
	}
	assert_int_equal(pid_next_process(2), 500);
	assert_int_equal(pid_next_process(501), -1);
	for (int i = PID_RESERVED; i < 500; i++)
		assert_int_equal(take(), i);
	assert_int_equal(take(), 501);
}

static void test_groups_keep_numbers(void **state)
{
	struct list_head member;
	int pid = take();

	(void)state;
	list_init(&member);
	pid_slot(pid)->proc = NULL;
	list_add(&member, &pid_slot(pid)->pgrp);
	pid_slot(pid + 1)->nr_session = 1;
	for (int i = 0; i < 2 * PID_MAX; i++) {
		int p = take();

		assert_true(p > 0 && p != pid && p != pid + 1);
		pid_slot(p)->proc = NULL;
	}
	list_del(&member);
	pid_slot(pid + 1)->nr_session = 0;
}

static void test_exhausted(void **state)
{
	int n = 0;

	(void)state;
	while (take() > 0)
		n++;
	assert_int_equal(pid_alloc(), -EAGAIN);
	assert_true(n > PID_MAX - 1000);
	pid_slot(12345)->proc = NULL;
	assert_int_equal(take(), 12345);
}

static void test_range(void **state)
{
	(void)state;
	assert_null(pid_slot(0));
	assert_null(pid_slot(-1));
	assert_null(pid_slot(PID_MAX));
	assert_null(pid_slot(0x7fffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_wrap),
		cmocka_unit_test(test_groups_keep_numbers),
		cmocka_unit_test(test_exhausted),
		cmocka_unit_test(test_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
