/* SPDX-License-Identifier: MIT */
/*
 * user/bench/calls.c - COUNT null system calls from each of THREADS threads.
 *
 *	calls [COUNT [THREADS [SPINS]]]
 *
 * With SPINS one thread has as many rounds of an empty loop before each call, as a
 * program that also computes; the best of ten parts, less the best of the loops alone.
 *
 * Prints `calls COUNT THREADS NS_PER_CALL LONGEST_NS`.  The plain load under
 * which counters are read: interrupts, wake-ups, instructions.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include "bench.h"

static long count = 100000;
static uint64_t longest;

static void *run(void *arg)
{
	pid_t ppid = syscall(SYS_getppid);
	long i;

	for (i = 0; i < count; i++)
		if (syscall(SYS_getppid) != ppid)
			abort();
	return arg;
}

static void *run_timed(void *arg)
{
	uint64_t last = now_ns(), t;
	long i;

	for (i = 0; i < count / 100; i++) {
		syscall(SYS_getppid);
		t = now_ns();
		if (t - last > longest)
			longest = t - last;
		last = t;
	}
	return arg;
}

static uint64_t part(long spins, bool calls)
{
	uint64_t start = now_ns();

	for (long n = count / 10; n; n--) {
		for (long i = spins; i; i--)
			__asm__ volatile("" : "+r"(i));
		if (calls)
			syscall(SYS_getppid);
	}
	return now_ns() - start;
}

static int spaced(long spins)
{
	uint64_t best[2] = { ~0ULL, ~0ULL };

	if (count < 10)
		return 2;
	for (int i = 0; i < 20; i++) {
		uint64_t t = part(spins, i & 1);

		if (t < best[i & 1])
			best[i & 1] = t;
	}
	printf("calls %ld 1 %.0f between %ld spins of %.0f\n", count,
	       (double)(best[1] - best[0]) / (count / 10), spins,
	       (double)best[0] / (count / 10));
	return 0;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	long i;
	pthread_t t[64];
	uint64_t start;

	if (argc > 1)
		count = atol(argv[1]);
	if (argc > 3)
		return spaced(atol(argv[3]));
	if (count < 1 || threads < 1 || threads > 64)
		return 2;
	start = now_ns();
	for (i = 1; i < threads; i++)
		if (pthread_create(&t[i], NULL, run, NULL))
			return 1;
	run(NULL);
	for (i = 1; i < threads; i++)
		pthread_join(t[i], NULL);
	start = now_ns() - start;
	run_timed(NULL);
	printf("calls %ld %d %.0f %lu\n", count, threads, (double)start / count,
	       (unsigned long)longest);
	return 0;
}
