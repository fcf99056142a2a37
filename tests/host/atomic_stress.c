/* SPDX-License-Identifier: MIT */
/*
 * tests/host/atomic_stress.c - lib/atomic.h with two threads: no increment is
 * lost, and a flag taken by exchange guards plain memory.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <lib/atomic.h>

#define ROUNDS 200000u

static u32 taken, refs = 2 * ROUNDS, words;
static u64 guarded, counter, bits;

static void check(bool ok, const char *what)
{
	if (!ok) {
		puts(what);
		abort();
	}
}

static void *worker(void *arg)
{
	u64 mine = (uintptr_t)arg;

	for (u32 i = 0; i < ROUNDS; i++) {
		while (atomic_xchg(&taken, 1))
			sched_yield();
		guarded++;
		store_release(&taken, 0);
		while (atomic_cmpxchg(&taken, 0, 1) != 0)
			sched_yield();
		guarded++;
		store_release(&taken, 0);
		atomic_inc(&counter);
		atomic_add_relaxed(&words, 3);
		check(!(atomic_fetch_or(&bits, mine) & mine), "bit was set");
		check(atomic_fetch_and(&bits, ~mine) & mine, "bit was lost");
		if (atomic_dec_and_test(&refs))
			atomic_inc(&words);
	}
	return NULL;
}

int main(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, worker, (void *)1))
		abort();
	worker((void *)(uintptr_t)(1ull << 40));
	pthread_join(t, NULL);
	check(guarded == 4 * ROUNDS, "the flag does not exclude");
	check(counter == 2 * ROUNDS, "an increment is lost");
	check(refs == 0 && bits == 0, "a change is lost");
	check(words == 6 * ROUNDS + 1, "the last reference was not seen once");
	check(atomic_add_return(&words, 5) == 6 * ROUNDS + 6, "not the sum");
	return 0;
}
