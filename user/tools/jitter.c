/* SPDX-License-Identifier: MIT */
/*
 * user/tools/jitter.c - how long a loop in user mode is kept from running; see
 * usage[] and docs/observe.md.
 *
 * The loop reads the cycle counter all the time and makes no system call.  The
 * difference of two readings is what a turn of the loop takes, or, when it is much
 * more than that, an interruption: an interrupt, another thread, or (on an
 * emulator) the host.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: jitter [-t SECONDS] [-c HART] [-l LOADERS] [-d DIR] [--csv]\n"
	"Run a loop in user mode that does nothing but read the cycle counter, and\n"
	"show the times between two readings: how long it was kept from running.\n"
	"  -t SECONDS  how long (2)\n"
	"  -c HART     on this hart (wherever the kernel puts it)\n"
	"  -l LOADERS  meanwhile so many processes write, read and sync files (1)\n"
	"  -d DIR      there (/root)\n"
	"      --csv   lines of relay,p50_ns,p99_ns,p9999_ns,max_ns,turns and no\n"
	"              histogram\n"
	"Compare the policies: echo relay=local >/proc/relay/policy; jitter\n";

/* Classes of times, four for each power of two. */
#define NR_CLASSES 160

static unsigned int class_of(uint64_t v)
{
	unsigned int octave, i;

	if (v < 4)
		return (unsigned int)v;
	octave = 61 - (unsigned int)__builtin_clzll(v);
	i = octave * 4 + (unsigned int)(v >> octave);
	return i < NR_CLASSES ? i : NR_CLASSES - 1;
}

static uint64_t class_floor(unsigned int i)
{
	return i < 8 ? i : (uint64_t)(4 + i % 4) << (i / 4 - 1);
}

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

static double cycles_per_ns(void)
{
	double t = now_ns(), until = t + 2e7;
	uint64_t c = cycles();

	while (now_ns() < until)
		;
	return (cycles() - c) / (now_ns() - t);
}

/* Writes, syncs, reads and removes a file until it is killed. */
static void load(const char *dir, int nr)
{
	static char buf[65536];
	char path[256];
	int i, fd;

	snprintf(path, sizeof(path), "%s/jitter.%d.%d", dir, getpid(), nr);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0) {
			perror(path);
			_exit(1);
		}
		unlink(path);
		for (i = 0; i < 8; i++)
			if (write(fd, buf, sizeof(buf)) < 0)
				break;
		fsync(fd);
		for (i = 0; i < 8; i++)
			if (pread(fd, buf, sizeof(buf), i * sizeof(buf)) < 0)
				break;
		close(fd);
	}
}

/* 64-bit counts: a second has more turns than a u32 has room for in some. */
static uint64_t bucket[NR_CLASSES], turns, longest;

static void measure(double seconds, double per_ns)
{
	uint64_t start = cycles(), end = start + seconds * 1e9 * per_ns;
	uint64_t last = start, t, d;

	while (last < end) {
		t = cycles();
		d = t - last;
		last = t;
		bucket[class_of(d)]++;
		turns++;
		if (d > longest)
			longest = d;
	}
}

/* The largest value of the bucket where the @part of all turns ends, in cycles. */
static uint64_t percentile(double part)
{
	uint64_t seen = 0, top;
	unsigned int i;

	for (i = 0; i < NR_CLASSES - 1; i++) {
		seen += bucket[i];
		if (seen && seen >= part * turns) {
			top = class_floor(i + 1) - 1;
			return top < longest ? top : longest;
		}
	}
	return longest;
}

/* What /proc/relay/policy says, or "-". */
static void policy(char *buf, size_t n)
{
	FILE *f = fopen("/proc/relay/policy", "r");

	snprintf(buf, n, "-");
	if (f && fgets(buf, (int)n, f)) {
		char *eq = strchr(buf, '=');

		buf[strcspn(buf, "\n")] = 0;
		if (eq)
			memmove(buf, eq + 1, strlen(eq));
	}
	if (f)
		fclose(f);
}

static void histogram(double per_ns)
{
	unsigned int i;

	printf("%12s %12s\n", "from_ns", "turns");
	for (i = 0; i < NR_CLASSES; i++)
		if (bucket[i])
			printf("%12.0f %12lu\n", class_floor(i) / per_ns,
			       (unsigned long)bucket[i]);
}

static void report(double per_ns, bool csv)
{
	static const double parts[] = { 0.5, 0.99, 0.9999, 1 };
	char name[64];
	int i;

	policy(name, sizeof(name));
	if (!csv)
		histogram(per_ns);
	printf(csv ? "relay,p50_ns,p99_ns,p9999_ns,max_ns,turns\n"
		   : "relay p50_ns p99_ns p9999_ns max_ns turns\n");
	printf("%s", name);
	for (i = 0; i < 4; i++)
		printf("%c%.0f", csv ? ',' : ' ',
		       percentile(parts[i]) / per_ns);
	printf("%c%lu\n", csv ? ',' : ' ', (unsigned long)turns);
}

int main(int argc, char **argv)
{
	static const struct option opts[] = { { "csv", 0, NULL, 'v' },
					      { "help", 0, NULL, 'h' },
					      { NULL, 0, NULL, 0 } };
	const char *dir = "/root";
	int opt, loaders = 1, hart = -1, i;
	double seconds = 2, per_ns;
	bool csv = false;
	pid_t pid[64];

	while ((opt = getopt_long(argc, argv, "t:c:l:d:h", opts, NULL)) != -1) {
		if (opt == 't')
			seconds = atof(optarg);
		else if (opt == 'c')
			hart = atoi(optarg);
		else if (opt == 'l')
			loaders = atoi(optarg);
		else if (opt == 'd')
			dir = optarg;
		else if (opt == 'v')
			csv = true;
		else {
			fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 2;
		}
	}
	if (loaders < 0 || loaders > 64 || seconds <= 0) {
		fputs(usage, stderr);
		return 2;
	}
	for (i = 0; i < loaders; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			load(dir, i);
	}
	if (hart >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(hart, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			perror("jitter: sched_setaffinity");
	}
	per_ns = cycles_per_ns();
	measure(seconds, per_ns);
	for (i = 0; i < loaders; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	report(per_ns, csv);
	return 0;
}
