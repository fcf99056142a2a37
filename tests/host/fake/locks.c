/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/locks.c - spinlocks of a test with one thread, and panic().
 *
 * A lock that is taken twice, or given back by who has not got it, fails the test.
 */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <kernel/assert.h>
#include <kernel/spinlock.h>

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

void spin_lock(struct spinlock *l)
{
	assert_int_equal(l->hart, 0);
	l->hart = 1;
}

void spin_unlock(struct spinlock *l)
{
	assert_int_equal(l->hart, 1);
	l->hart = 0;
}

bool spin_held(const struct spinlock *l)
{
	return l->hart == 1;
}
