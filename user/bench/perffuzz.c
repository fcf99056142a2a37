/* SPDX-License-Identifier: MIT */
/*
 * user/bench/perffuzz.c - perf_event_open(2) and all that hangs on it, at random.
 *
 *	perffuzz [-s SEED] [-t SECONDS] [-j PROCESSES]
 *
 * Children open events that are nearly right, of themselves, each other and all
 * harts, map, unmap and write into their buffers, switch them on and off, fork, and
 * die in the middle of it.  Nobody looks at results: the kernel must live.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_FDS	  24
#define MAX_PROCS 16

static uint64_t seed = 88172645463325252;
static int fds[NR_FDS];
static void *map[NR_FDS];
static size_t map_len[NR_FDS];
static volatile unsigned long *calls;
static pid_t peers[MAX_PROCS];

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static uint64_t few(uint64_t n)
{
	return rnd() % 16 ? rnd() % n : rnd();
}

static void random_attr(struct perf_event_attr *a)
{
	static const unsigned int types[] = { 0, 0, 1, 1, 1, 2, 3, 4, 16 };

	memset(a, 0, sizeof(*a));
	a->size = rnd() % 16 ? sizeof(*a) : (unsigned int)few(200);
	a->type = rnd() % 32 ? types[rnd() % 9] : (unsigned int)few(20);
	a->config = a->type == 3 ? (rnd() & 0x10207) : few(12);
	if (a->type == 16)
		a->config = few(2) | few(3) << 8;
	if (rnd() % 2)
		a->sample_period = few(100000) + 1;
	if (rnd() % 2)
		a->sample_type = rnd() & 0x165ff;
	if (rnd() % 2)
		a->read_format = rnd() & 0x1f;
	a->disabled = rnd() & 1;
	a->inherit = rnd() & 1;
	a->exclude_kernel = rnd() & 1;
	a->exclude_user = !(rnd() & 7);
	a->freq = !(rnd() & 3);
	if (a->freq)
		a->sample_freq = few(20000) + 1;
	a->mmap = rnd() & 1;
	a->comm = rnd() & 1;
	a->task = rnd() & 1;
	a->sample_id_all = rnd() & 1;
	a->enable_on_exec = !(rnd() & 7);
	a->watermark = rnd() & 1;
	a->wakeup_events = (unsigned int)few(4096);
	a->write_backward = !(rnd() & 15);
	if (rnd() % 64 == 0)
		((unsigned char *)a)[rnd() % sizeof(*a)] = (unsigned char)rnd();
}

static void do_open(void)
{
	unsigned int i = rnd() % NR_FDS;
	struct perf_event_attr a;
	int pid = 0, cpu = -1, group = -1;

	random_attr(&a);
	switch (rnd() % 8) {
	case 0:
		pid = -1;
		cpu = (int)few(4);
		break;
	case 1:
		pid = peers[rnd() % MAX_PROCS];
		break;
	case 2:
		cpu = (int)few(4);
		break;
	case 3:
		pid = (int)few(100);
		break;
	}
	if (rnd() % 4 == 0)
		group = fds[rnd() % NR_FDS];
	if (fds[i] >= 0)
		close(fds[i]);
	fds[i] = (int)syscall(SYS_perf_event_open, &a, pid, cpu, group,
			      rnd() % 8 ? 0 : few(16));
}

static void do_map(unsigned int i)
{
	size_t len = 4096 * ((1ul << rnd() % 5) + 1);

	if (map[i])
		munmap(map[i], map_len[i]);
	map[i] = mmap(NULL, len, rnd() % 4 ? PROT_READ | PROT_WRITE : PROT_READ,
		      MAP_SHARED, fds[i], 0);
	map_len[i] = len;
	if (map[i] == MAP_FAILED)
		map[i] = NULL;
}

static void spoil(unsigned int i)
{
	struct perf_event_mmap_page *p = map[i];
	int fd;

	if (!p)
		return;
	/* perhaps read-only: by a call that fails then */
	fd = open("/dev/urandom", O_RDONLY);
	if (fd >= 0) {
		(void)!read(fd, (char *)p + rnd() % map_len[i], 8);
		(void)!read(fd, &p->data_tail, 8);
		close(fd);
	}
}

static void do_ioctl(unsigned int i)
{
	static const unsigned long cmds[] = {
		PERF_EVENT_IOC_ENABLE,	    PERF_EVENT_IOC_DISABLE,
		PERF_EVENT_IOC_RESET,	    PERF_EVENT_IOC_REFRESH,
		PERF_EVENT_IOC_PERIOD,	    PERF_EVENT_IOC_SET_OUTPUT,
		PERF_EVENT_IOC_SET_FILTER,  PERF_EVENT_IOC_ID,
		PERF_EVENT_IOC_PAUSE_OUTPUT
	};
	uint64_t v = few(100000);
	unsigned long cmd = cmds[rnd() % 9];

	if (cmd == PERF_EVENT_IOC_PERIOD || cmd == PERF_EVENT_IOC_ID)
		ioctl(fds[i], cmd, rnd() % 8 ? (unsigned long)&v : rnd());
	else if (cmd == PERF_EVENT_IOC_SET_OUTPUT)
		ioctl(fds[i], cmd, fds[rnd() % NR_FDS]);
	else if (cmd == PERF_EVENT_IOC_SET_FILTER)
		ioctl(fds[i], cmd, "common_pid != 1 && common_pid != 77");
	else
		ioctl(fds[i], cmd, few(2));
}

static void storm(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (rnd() & 1)
			(void)!fork();
		if (rnd() & 1)
			do_open();
		if (rnd() % 4 == 0)
			execl("/bin/true", "true", NULL);
		_exit(0);
	}
	if (pid > 0 && rnd() % 4)
		waitpid(pid, NULL, 0);
}

static void step(void)
{
	unsigned int i = rnd() % NR_FDS;
	uint64_t buf[64];

	__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
	switch (rnd() % 12) {
	case 0:
	case 1:
	case 2:
		do_open();
		break;
	case 3:
	case 4:
		do_ioctl(i);
		break;
	case 5:
		do_map(i);
		break;
	case 6:
		spoil(i);
		break;
	case 7:
		(void)!read(fds[i], buf, rnd() % 4 ? sizeof(buf) : few(64));
		break;
	case 8:
		poll(&(struct pollfd){ fds[i], POLLIN, 0 }, 1,
		     (int)(rnd() % 3));
		break;
	case 9:
		if (rnd() % 8 == 0)
			storm();
		break;
	case 10:
		for (volatile int k = 0; k < 20000; k++)
			;
		break;
	default:
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static void child(uint64_t s)
{
	seed = s | 1;
	for (int i = 0; i < NR_FDS; i++)
		fds[i] = -1;
	alarm(1 + (unsigned int)(rnd() % 2));
	if (rnd() % 4 == 0 && setresuid(1000, 1000, 1000))
		_exit(1);
	for (;;)
		step();
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned int procs = 4;
	double seconds = 5, end;
	int opt;

	while ((opt = getopt(argc, argv, "s:t:j:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0) | 1;
		else if (opt == 't')
			seconds = atof(optarg);
		else if (opt == 'j')
			procs = (unsigned int)atoi(optarg);
		else
			return 2;
	}
	if (procs < 1 || procs > MAX_PROCS)
		return 2;
	calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("# perffuzz: seed %#lx\n", (unsigned long)seed);
	fflush(stdout);
	for (end = now() + seconds; now() < end; usleep(20000)) {
		for (unsigned int i = 0; i < procs; i++) {
			if (peers[i] > 0 && waitpid(peers[i], NULL, WNOHANG))
				peers[i] = 0;
			if (peers[i] <= 0) {
				peers[i] = fork();
				if (!peers[i])
					child(rnd());
			}
		}
	}
	for (unsigned int i = 0; i < procs; i++) {
		if (peers[i] > 0) {
			kill(peers[i], SIGKILL);
			waitpid(peers[i], NULL, 0);
		}
	}
	printf("perffuzz: %lu calls\n", *calls);
	return *calls < 100;
}
