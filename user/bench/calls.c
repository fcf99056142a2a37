/* SPDX-License-Identifier: MIT */
/*
 * user/bench/calls.c - COUNT null system calls from each of THREADS threads.
 *
 *	calls [COUNT [THREADS [SPINS]]]
 *
 * with SPINS rounds of an empty loop before each, as a program that also computes
 * has them: the time of the loops is taken off.
 *
 * Prints `calls COUNT THREADS NS_PER_CALL LONGEST_NS`.  The plain load under
 * which counters are read: interrupts, wake-ups, instructions.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include "bench.h"

static long count = 100000;
static long spins;
static uint64_t longest;

static void spin(void)
{
	for (long i = spins; i; i--)
		__asm__ volatile("" : "+r"(i));
}

static void *run(void *arg)
{
	pid_t ppid = syscall(SYS_getppid);
	long i;

	for (i = 0; i < count; i++) {
		spin();
		if (syscall(SYS_getppid) != ppid)
			abort();
	}
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
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	long i;
	pthread_t t[64];
	uint64_t start, alone;

	if (argc > 1)
		count = atol(argv[1]);
	if (argc > 3)
		spins = atol(argv[3]);
	if (count < 1 || threads < 1 || threads > 64)
		return 2;
	alone = now_ns();
	for (i = 0; i < count; i++)
		spin();
	start = now_ns();
	alone = start - alone;
	for (i = 1; i < threads; i++)
		if (pthread_create(&t[i], NULL, run, NULL))
			return 1;
	run(NULL);
	for (i = 1; i < threads; i++)
		pthread_join(t[i], NULL);
	start = now_ns() - start - alone;
	run_timed(NULL);
	printf("calls %ld %d %.0f %lu\n", count, threads, (double)start / count,
	       (unsigned long)longest);
	return 0;
}
