/* SPDX-License-Identifier: MIT */
/*
 * user/bench/cache.c - what calls do to the caches of the program that makes them.
 *
 *	cache [-m MILLISECONDS] KIB CALLS
 *
 * Sweeps a working set of KIB kibibytes, a load and a store in each line of 64
 * bytes, and makes CALLS system calls (a read of 4 KiB) between two sweeps.
 * Prints `cache KIB-CALLS NS SWEEPS - -`: the time of the sweep alone, best half
 * of the sweeps, which is the loop's own speed and not that of the calls.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include "bench.h"

#define LINE	   64
#define MAX_SWEEPS 100000

static float times[MAX_SWEEPS];

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static uint64_t sweep(volatile char *set, size_t bytes)
{
	uint64_t start = now_ns();

	for (size_t i = 0; i < bytes; i += LINE)
		set[i]++;
	return now_ns() - start;
}

static void calls(int fd, int n)
{
	char buf[4096];

	while (n--)
		if (pread(fd, buf, sizeof(buf), 0) != sizeof(buf))
			die("read");
}

int main(int argc, char **argv)
{
	unsigned int ms = 50, n = 0;
	uint64_t deadline;
	double sum = 0;
	size_t bytes;
	char *set;
	int opt, fd, nr_calls;

	while ((opt = getopt(argc, argv, "m:")) != -1) {
		if (opt != 'm')
			return 2;
		ms = (unsigned int)atoi(optarg);
	}
	if (argc - optind != 2)
		return 2;
	bytes = strtoul(argv[optind], NULL, 0) * 1024;
	nr_calls = atoi(argv[optind + 1]);
	set = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = open("/dev/zero", O_RDONLY);
	if (set == MAP_FAILED || fd < 0)
		die("cache");
	sweep(set, bytes);
	deadline = now_ns() + ms * 1000000ull;
	while (now_ns() < deadline && n < MAX_SWEEPS) {
		calls(fd, nr_calls);
		times[n++] = (float)sweep(set, bytes);
	}
	qsort(times, n, sizeof(times[0]), by_value);
	for (unsigned int i = 0; i < (n + 1) / 2; i++)
		sum += times[i];
	printf("cache %zu-%d %.1f %u - -\n", bytes / 1024, nr_calls,
	       sum / ((n + 1) / 2), n);
	return 0;
}
