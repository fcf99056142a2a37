/* SPDX-License-Identifier: MIT */
/*
 * user/bench/calls.c - COUNT null system calls from each of THREADS threads.
 *
 *	calls [COUNT [THREADS]]
 *
 * Prints `calls COUNT THREADS NS_PER_CALL LONGEST_NS`.  The plain load under
 * which counters are read: interrupts, wake-ups, instructions.
 */
#define _GNU_SOURCE
#include <pthread.h>
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

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1, i;
	pthread_t t[64];
	uint64_t start;

	if (argc > 1)
		count = atol(argv[1]);
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
