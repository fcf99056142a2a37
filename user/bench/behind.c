/* SPDX-License-Identifier: MIT */
/*
 * user/bench/behind.c - how long a short system call takes while other threads make long
 * ones, and how much these get done; see usage[] and docs/relay.md.
 *
 * On a service hart that all share the short call waits for the handlers that were posted
 * before it.  `favour=1' in /proc/relay/policy lets it go first.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: behind [SECONDS [THREADS [BYTES]]]\n"
	"Wake nobody's futex every 200 us while THREADS (2) others read BYTES (1048576) of\n"
	"/dev/zero at a time, for SECONDS (2).  Prints the wake-up's p50, p99 and longest time\n"
	"in ns, and the MB/s of the others.\n";

#define MAX_SAMPLES 1000000

static size_t bytes = 1 << 20;
static volatile int stop;
static uint64_t moved; /* atomic */
static uint32_t took[MAX_SAMPLES];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void *reader(void *arg)
{
	int fd = open("/dev/zero", O_RDONLY);
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (p != MAP_FAILED && !stop) {
		ssize_t n = read(fd, p, bytes);

		if (n > 0)
			__atomic_fetch_add(&moved, (uint64_t)n,
					   __ATOMIC_RELAXED);
	}
	return arg;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Times a wake-up now and then until @end; how many. */
static size_t sample(uint64_t end)
{
	static uint32_t word;
	size_t nr = 0;

	while (now_ns() < end && nr < MAX_SAMPLES) {
		uint64_t start = now_ns();

		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		took[nr++] = (uint32_t)(now_ns() - start);
		while (now_ns() < start + 200000)
			;
	}
	return nr;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 2;
	int threads = argc > 2 ? atoi(argv[2]) : 2;
	pthread_t t[64];
	uint64_t start;
	size_t nr;

	if (argc > 3)
		bytes = strtoul(argv[3], NULL, 0);
	if (seconds <= 0 || threads < 0 || threads > 64 || !bytes) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, reader, NULL);
	usleep(100000);
	moved = 0;
	start = now_ns();
	nr = sample(start + (uint64_t)(seconds * 1e9));
	seconds = (double)(now_ns() - start) / 1e9;
	stop = 1;
	qsort(took, nr, sizeof(took[0]), by_size);
	printf("wake p50 %u p99 %u max %u ns, %zu samples; others %.0f MB/s\n",
	       took[nr / 2], took[nr * 99 / 100], took[nr - 1], nr,
	       (double)moved / seconds / 1e6);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	return 0;
}
