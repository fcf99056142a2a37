/* SPDX-License-Identifier: MIT */
/*
 * user/bench/pcount.c - what the counters say of something known.
 *
 *	pcount loop N [HARTS]	instructions:u of a loop of 2 * N instructions,
 *				between two calls; with HARTS it goes from hart to
 *				hart meanwhile, by sched_setaffinity()
 *	pcount calls N		and of N calls of getppid() in the same place, with
 *				what the kernel counted on either side
 *	pcount mux SECONDS	two events of hardware, when there is one counter
 *	pcount pinned 1		the same, both pinned: who has no counter reads nothing
 *	pcount groups SECONDS	two groups of two, when there are two counters
 *	pcount null N [on]	time of a null call, counted or not
 *	pcount self mapped	instructions of a loop, read by the program itself by
 *				way of the event's page; alone: cycle, without one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TYPE_RELAY 16

static int open_event(unsigned int type, unsigned long long config, int user)
{
	struct perf_event_attr a;
	int fd;

	memset(&a, 0, sizeof(a));
	a.size = sizeof(a);
	a.type = type;
	a.config = config;
	a.disabled = 1;
	a.exclude_kernel = user == 1;
	a.exclude_user = user == 2;
	fd = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static unsigned long long value(int fd)
{
	unsigned long long n = 0;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		exit(1);
	return n;
}

/* Nothing between the two calls but what is asked for, so that it can be counted
 * by hand: the loop, and per call two instructions. */
static unsigned long long between(int fd, unsigned long loops,
				  unsigned long calls)
{
	unsigned long long before = value(fd);
	long fd_copy = fd;
	register long a0 __asm__("a0") = fd;
	register long a1 __asm__("a1") = PERF_EVENT_IOC_ENABLE;
	register long a2 __asm__("a2") = 0;
	register long a7 __asm__("a7") = SYS_ioctl;

	__asm__ volatile(
		".option push\n"
		".option norvc\n"
		"	ecall\n"
		"	beqz %[n], 2f\n"
		"1:	addi %[n], %[n], -1\n"
		"	bnez %[n], 1b\n"
		"2:	li a7, %[ppid]\n"
		"	beqz %[c], 4f\n"
		"3:	ecall\n"
		"	addi %[c], %[c], -1\n"
		"	bnez %[c], 3b\n"
		"4:	mv a0, %[fd]\n"
		"	li a1, %[off]\n"
		"	li a7, %[ioctl]\n"
		"	ecall\n"
		".option pop\n"
		: "+r"(a0), "+r"(a1), "+r"(a7), [n] "+r"(loops), [c] "+r"(calls)
		: "r"(a2), [fd] "r"(fd_copy), [ppid] "i"(SYS_getppid),
		  [off] "i"(PERF_EVENT_IOC_DISABLE), [ioctl] "i"(SYS_ioctl)
		: "memory");
	return value(fd) - before;
}

static void moving(int fd, unsigned long n, int harts)
{
	unsigned long long empty, sum = 0;
	cpu_set_t set;

	empty = between(fd, 0, 0);
	for (int i = 0; i < 10; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % harts, &set);
		sched_setaffinity(0, sizeof(set), &set);
		sum += between(fd, n, 0) - empty;
	}
	printf("moving: %llu of %lu\n", sum, 10 * 2 * n);
}

/* Counted all the way while it goes from hart to hart. */
static void moving_counted(unsigned long n, int harts)
{
	int fd = open_event(PERF_TYPE_HARDWARE, 1, 1);
	unsigned long long v[2];
	cpu_set_t set[2];

	for (int i = 0; i < 2; i++) {
		CPU_ZERO(&set[i]);
		CPU_SET(i % harts, &set[i]);
	}
	for (int round = 0; round < 2; round++) {
		unsigned long loops = round ? n : 1;

		ioctl(fd, PERF_EVENT_IOC_RESET, 0);
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		for (int i = 0; i < 10; i++) {
			unsigned long k = loops;

			__asm__ volatile(".option push\n"
					 ".option norvc\n"
					 "1:	addi %0, %0, -1\n"
					 "	bnez %0, 1b\n"
					 ".option pop\n"
					 : "+r"(k));
			sched_setaffinity(0, sizeof(set[0]), &set[i % 2]);
		}
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		v[round] = value(fd);
	}
	printf("through: %llu of %lu\n", v[1] - v[0], 10 * 2 * (n - 1));
}

/* Up to two events that want a counter of hardware; how many. */
static unsigned int open_two(int pinned, int *fd)
{
	static const unsigned long long config[] = { 0x10003, 0x10203,
						     0x10004 };
	struct perf_event_attr a;
	unsigned int nr = 0;

	for (int i = 0; i < 3; i++) {
		memset(&a, 0, sizeof(a));
		a.size = sizeof(a);
		a.type = PERF_TYPE_HW_CACHE;
		a.config = config[i];
		a.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
				PERF_FORMAT_TOTAL_TIME_RUNNING;
		a.pinned = (unsigned int)pinned & 1;
		fd[nr] = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
		nr += fd[nr] >= 0;
		if (nr == 2)
			break;
	}
	return nr;
}

static void touch(unsigned int n)
{
	static volatile char p[1 << 22];

	while (n--) {
		for (int i = 0; i < 1 << 22; i += 4096)
			p[i]++;
	}
}

/* One counter, two who insist on it: the second one is told so, until it has it. */
static void pinned(void)
{
	unsigned long long r[3];
	int fd[3];

	if (open_two(1, fd) < 2)
		exit(1);
	touch(10);
	printf("pinned: %zd and %zd bytes\n", read(fd[0], r, sizeof(r)),
	       read(fd[1], r, sizeof(r)));
	close(fd[0]);
	ioctl(fd[1], PERF_EVENT_IOC_ENABLE, 0);
	touch(10);
	printf("pinned: then %zd bytes\n", read(fd[1], r, sizeof(r)));
}

/* More events than counters (pmu_counters=1): each ran for a part of the time. */
static void mux(unsigned long seconds)
{
	unsigned long long r[3], ran = 0, longest = 0;
	unsigned int part = 0, nr;
	volatile char *p;
	int fd[3];
	double end;

	nr = open_two(0, fd);
	p = malloc(1 << 22);
	for (end = 0; end < (double)seconds * 100; end++) {
		for (int i = 0; i < 1 << 22; i += 4096)
			p[i]++;
		usleep(1000);
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (read(fd[i], r, sizeof(r)) != sizeof(r))
			exit(1);
		printf("count %llu enabled %llu running %llu\n", r[0], r[1],
		       r[2]);
		part += r[2] > 0 && r[2] < r[1];
		ran += r[2];
		longest = r[1] > longest ? r[1] : longest;
	}
	printf("mux: %u events, %s, %s\n", nr, part == nr ? "both ran" : "?",
	       ran <= longest + longest / 20 ? "one at a time" : "together");
}

/*
 * What @n calls cost the kernel on either side.  Whatever else comes in between (the
 * console, whose port is emptied while this runs) is counted to whose call it falls
 * into, as it should be: so the least of three rounds, and nothing printed meanwhile.
 */
static unsigned long long kernel_part(int side, unsigned long n)
{
	int k = open_event(TYPE_RELAY, 1u | (unsigned int)side << 8, 2);
	unsigned long long none, v, least = ~0ULL;

	between(k, 0, 0);
	none = between(k, 0, 0);
	for (int i = 0; i < 3; i++) {
		v = between(k, 0, n) - none;
		if (v < least)
			least = v;
	}
	close(k);
	return least;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void null_call(unsigned long n, const char *on)
{
	int fd[2] = { -1, -1 };
	double best = 1e18;

	if (on) {
		fd[0] = open_event(PERF_TYPE_HARDWARE, 0, 0);
		fd[1] = open_event(PERF_TYPE_HARDWARE, 1, 0);
		ioctl(fd[0], PERF_EVENT_IOC_ENABLE, 0);
		ioctl(fd[1], PERF_EVENT_IOC_ENABLE, 0);
	}
	for (int round = 0; round < 10; round++) {
		double t = now();

		for (unsigned long i = 0; i < n; i++)
			syscall(SYS_getppid);
		t = now() - t;
		if (t < best)
			best = t;
	}
	printf("null call %s: %.0f ns\n", on ? "counted" : "not counted",
	       best / (double)n);
	if (on)
		printf("per call: %llu cycles, %llu instructions\n",
		       value(fd[0]) / 10 / n, value(fd[1]) / 10 / n);
}

static int open_cache(unsigned long long config, int leader)
{
	struct perf_event_attr a;

	memset(&a, 0, sizeof(a));
	a.size = sizeof(a);
	a.type = PERF_TYPE_HW_CACHE;
	a.config = config;
	a.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			PERF_FORMAT_TOTAL_TIME_RUNNING;
	return (int)syscall(SYS_perf_event_open, &a, 0, -1, leader, 0);
}

/* A data TLB's misses of reads and of writes; an instruction TLB's and the former. */
static void groups(unsigned long seconds)
{
	int a = open_cache(0x10003, -1), a2 = open_cache(0x10103, a);
	int b = open_cache(0x10004, -1), b2 = open_cache(0x10003, b);
	unsigned long long r[2][5];
	volatile char *p = malloc(1 << 22);

	printf("three: %s\n",
	       open_cache(0x10004, a) < 0 ? strerror(errno) : "opened");
	for (unsigned long end = 0; end < seconds * 100; end++) {
		for (int i = 0; i < 1 << 22; i += 4096)
			p[i]++;
		usleep(1000);
	}
	if (a2 < 0 || b2 < 0 || read(a, r[0], sizeof(r[0])) != sizeof(r[0]) ||
	    read(b, r[1], sizeof(r[1])) != sizeof(r[1]))
		exit(1);
	for (int i = 0; i < 2; i++)
		printf("group %d: %llu members, %llu %llu, enabled %llu "
		       "running %llu\n",
		       i, r[i][0], r[i][3], r[i][4], r[i][1], r[i][2]);
	printf("groups: %s, %s\n",
	       r[0][2] && r[1][2] && r[0][2] < r[0][1] && r[1][2] < r[1][1]
		       ? "both ran"
		       : "?",
	       r[0][2] + r[1][2] <= r[0][1] + r[0][1] / 20 ? "one at a time"
							   : "together");
}

static void on_sigill(int sig)
{
	printf("signal %d\n", sig);
	fflush(stdout);
	_exit(0);
}

/* instret as the page has it, around @n rounds of two instructions. */
static unsigned long long self_between(volatile struct perf_event_mmap_page *p,
				       unsigned long n)
{
	unsigned long long from, to;
	unsigned int seq;

	do {
		seq = p->lock;
		__asm__ volatile("csrr %0, instret\n"
				 ".option push\n"
				 ".option norvc\n"
				 "	beqz %2, 2f\n"
				 "1:	addi %2, %2, -1\n"
				 "	bnez %2, 1b\n"
				 "2:	csrr %1, instret\n"
				 ".option pop\n"
				 : "=&r"(from), "=&r"(to), "+r"(n));
	} while (seq != p->lock); /* interrupted: n is 0 then */
	return to - from;
}

static void self(const char *how)
{
	struct perf_event_mmap_page *p;
	unsigned long long cycle;
	int fd;

	signal(SIGILL, on_sigill);
	if (!strcmp(how, "alone")) {
		__asm__ volatile("csrr %0, cycle" : "=r"(cycle));
		printf("cycle %llu\n", cycle);
		return;
	}
	fd = open_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 1);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || !p->cap_user_rdpmc || p->index != 3) {
		printf("not allowed\n");
		return;
	}
	printf("self: %llu of 2000\n",
	       self_between(p, 1000) - self_between(p, 0));
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	unsigned long long empty;
	int fd;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "pinned")) {
		pinned();
		return 0;
	}
	if (!strcmp(argv[1], "null")) {
		null_call(n, argc > 3 ? argv[3] : NULL);
		return 0;
	}
	if (!strcmp(argv[1], "self")) {
		self(argv[2]);
		return 0;
	}
	if (!strcmp(argv[1], "groups")) {
		groups(n);
		return 0;
	}
	if (!strcmp(argv[1], "mux")) {
		mux(n);
		return 0;
	}
	fd = open_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 1);
	empty = between(fd, 0, 0);
	if (!strcmp(argv[1], "loop")) {
		printf("empty: %llu\n", empty);
		printf("loop: %llu of %lu\n", between(fd, n, 0) - empty, 2 * n);
		if (argc > 3) {
			moving(fd, n, atoi(argv[3]));
			moving_counted(n, atoi(argv[3]));
		}
	} else if (!strcmp(argv[1], "calls")) {
		static const char *const side[] = { "both", "own", "service" };
		unsigned long long v[3], user = between(fd, 0, n) - empty;

		for (int i = 0; i < 3; i++)
			v[i] = kernel_part(i, n);
		printf("user: %llu of %lu\n", user, 3 * n);
		for (int i = 0; i < 3; i++)
			printf("%s: %llu\n", side[i], v[i]);
	}
	return 0;
}
