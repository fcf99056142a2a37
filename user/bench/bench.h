/* SPDX-License-Identifier: MIT */
/*
 * user/bench/bench.h - what the benchmark programs have in common: the clock,
 * failing, and how a sample is printed.
 *
 * Every program prints one line for each sample, `PROGRAM NAME VALUE...`, and
 * '#' before anything else; the scripts read only the former.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/*
 * Operations that last @want_ns together, found by trying from @first up:
 * op(n) does @n of them.
 */
static inline long bench_calibrate(void (*op)(long n), long first,
				   uint64_t want_ns)
{
	long n = first;

	for (;;) {
		uint64_t t = now_ns();

		op(n);
		t = now_ns() - t;
		if (t >= want_ns / 4)
			return t >= want_ns ? n : (long)(n * (want_ns / t + 1));
		n *= 4;
	}
}

/* ns of one operation, best of @rounds rounds of @n. */
static inline double bench_best(void (*op)(long n), long n, int rounds)
{
	double best = 1e18;

	while (rounds--) {
		uint64_t t = now_ns();
		double ns;

		op(n);
		ns = (double)(now_ns() - t) / n;
		if (ns < best)
			best = ns;
	}
	return best;
}

static inline void bench_print(const char *program, const char *name,
			       double value)
{
	printf("%s %s %.1f\n", program, name, value);
	fflush(stdout);
}

#endif /* BENCH_H */
