/* SPDX-License-Identifier: MIT */
/*
 * user/tools/harts_floor.c - what this machine's harts cost at least; see usage[]
 * and docs/observe.md.
 *
 * The kernel measures what only it can (/proc/relay/floor, kernel/relay/floor.c);
 * the ping-pong of two user threads and the null call are measured here.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: harts-floor [--csv]\n"
	"Print what the machine itself costs, in nanoseconds and cycles; '-': could\n"
	"not be measured (one hart only, or the other one never answered in time).\n";

#define ROUNDS	 20000u
#define LIMIT_NS 2e9

static inline uint64_t cycles(void)
{
	uint64_t v;

	__asm__ volatile("rdcycle %0" : "=r"(v));
	return v;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double per_ns; /* cycles */

static void calibrate(void)
{
	double t = now_ns(), until = t + 2e7;
	uint64_t c = cycles();

	while (now_ns() < until)
		;
	per_ns = (cycles() - c) / (now_ns() - t);
}

/* --- two threads, one line */

static uint32_t turn __attribute__((aligned(64)));
static int hart[2];
static uint64_t until;

static void pin(int to)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(to, &set);
	sched_setaffinity(0, sizeof(set), &set);
	sched_yield();
}

static uint32_t play(uint32_t mine)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * i + mine)
			if (cycles() > until)
				return i;
		__atomic_store_n(&turn, 2 * i + mine + 1, __ATOMIC_RELEASE);
	}
	return i;
}

static void *other(void *arg)
{
	pin(hart[1]);
	play(1);
	return arg;
}

/* Application harts, from /proc/relay/status: "hart hartid role ...". */
static int find_apps(void)
{
	FILE *f = fopen("/proc/relay/status", "r");
	char line[1024], role[16];
	int n = 0, nr;

	while (f && n < 2 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%d %*d %15s", &nr, role) == 2 &&
		    strcmp(role, "service"))
			hart[n++] = nr;
	if (f)
		fclose(f);
	return n;
}

/* Cycles of a round, 0: not measured. */
static uint64_t ping_pong(void)
{
	uint64_t start;
	uint32_t rounds;
	pthread_t t;

	if (find_apps() < 2)
		return 0;
	until = cycles() + (uint64_t)(LIMIT_NS * per_ns);
	if (pthread_create(&t, NULL, other, NULL))
		return 0;
	pin(hart[0]);
	/* Both are there when the first round is over. */
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 0)
		;
	start = cycles();
	rounds = play(0);
	start = cycles() - start;
	pthread_join(t, NULL);
	return rounds > ROUNDS / 100 ? start / rounds : 0;
}

static uint64_t null_call(void)
{
	uint64_t best = ~0ull, c;
	int i, j;

	for (i = 0; i < 50; i++) {
		c = cycles();
		for (j = 0; j < 100; j++)
			syscall(SYS_getppid);
		c = (cycles() - c) / 100;
		best = c < best ? c : best;
	}
	return best;
}

/* --- output */

static bool csv;

static void row(const char *name, uint64_t c, const char *what)
{
	char ns[24] = "-", cyc[24] = "-";

	if (c) {
		snprintf(ns, sizeof(ns), "%.0f", c / per_ns);
		snprintf(cyc, sizeof(cyc), "%lu", (unsigned long)c);
	}
	if (csv)
		printf("%s,%s,%s\n", name, c ? ns : "", c ? cyc : "");
	else
		printf("%-10s %10s %10s  %s\n", name, ns, cyc, what);
}

static const struct {
	const char *key, *name, *what;
} rows[] = {
	{ "h_cycles", "line",
	  "a cache line to another hart and back, in the kernel" },
	{ "ring_cycles", "ring",
	  "a message to a polling hart, its answer through memory; best" },
	{ "ipi_cycles", "ipi", "sending an IPI through the SBI; best" },
	{ "w_cycles", "wake",
	  "an IPI to a hart in wfi and its answer through memory; best row of ten" },
	{ "sbi_cycles", "sbi", "an SBI call that does nothing" },
};

static void kernel_rows(void)
{
	FILE *f = fopen("/proc/relay/floor", "r");
	uint64_t found[5] = { 0 };
	char key[32], value[32];
	unsigned int i;

	while (f && fscanf(f, "%31s %31s", key, value) == 2)
		for (i = 0; i < 5; i++)
			if (!strcmp(key, rows[i].key))
				found[i] = strtoull(value, NULL, 10);
	if (f)
		fclose(f);
	for (i = 0; i < 5; i++)
		row(rows[i].name, found[i], rows[i].what);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--csv"))
		csv = true;
	else if (argc > 1) {
		bool help = !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	calibrate();
	printf(csv ? "what,ns,cycles\n" : "%-10s %10s %10s\n", "what", "ns",
	       "cycles");
	row("user-line", ping_pong(),
	    "a cache line between user threads of two harts and back; mean");
	kernel_rows();
	row("null-call", null_call(),
	    "getppid(), as the policy has it; best of 50");
	return 0;
}
