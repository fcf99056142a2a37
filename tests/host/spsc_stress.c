/* SPDX-License-Identifier: MIT */
/*
 * tests/host/spsc_stress.c - lib/spsc.h with two threads, under
 * ThreadSanitizer: the slots are plain memory, so a missing edge is a race.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/spsc.h>

#define MAX_SIZE 256u
#define START	 0xfffffff8u /* indices wrap early in the run */

struct run {
	struct spsc ring;
	struct spsc_cursor prod, cons;
	u64 slot[MAX_SIZE];
	u64 nr;
};

static struct run run;

static u32 checked(int n)
{
	if (n < 0) {
		puts("an honest peer is called a liar");
		abort();
	}
	if (n == 0)
		sched_yield(); /* two threads may share one CPU */
	return (u32)n;
}

static void *consumer(void *arg)
{
	u64 want = 0;

	(void)arg;
	while (want < run.nr) {
		u32 n = checked(spsc_ready(&run.ring, &run.cons));

		for (u32 i = 0; i < n; i++) {
			if (run.slot[spsc_slot(&run.cons, i)] != want++) {
				puts("an element is not what was put");
				abort();
			}
		}
		if (n)
			spsc_release(&run.ring, &run.cons, n);
	}
	return NULL;
}

static void produce(void)
{
	for (u64 v = 0; v < run.nr;) {
		u32 n = checked(spsc_space(&run.ring, &run.prod));

		n = (u32)min((u64)n, run.nr - v);
		for (u32 i = 0; i < n; i++)
			run.slot[spsc_slot(&run.prod, i)] = v++;
		if (n)
			spsc_publish(&run.ring, &run.prod, n);
	}
}

static void stress(u32 size, u64 nr)
{
	pthread_t t;

	memset(&run, 0, sizeof(run));
	run.ring.head.idx = run.ring.tail.idx = START;
	run.prod = run.cons = (struct spsc_cursor){ START, START, size };
	run.nr = nr;
	if (pthread_create(&t, NULL, consumer, NULL))
		abort();
	produce();
	pthread_join(t, NULL);
}

int main(void)
{
	stress(1, 50000);
	stress(4, 100000);
	stress(256, 1000000);
	return 0;
}
