/* SPDX-License-Identifier: MIT */
/*
 * user/bench/lat.c - the latency table: nanoseconds of one of each.
 *
 *	lat [-r ROUNDS] [-q | -c] [NAME...]
 *
 * Prints `lat NAME NS` for each row, best of ROUNDS (5) rounds; each round
 * repeats the operation until it has run long enough to be timed (-q: a fifth
 * of that; -c: a fixed number of times, for a machine whose clock counts
 * instructions).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define FAULT_PAGES 64

static int zero_fd, null_fd, self_pipe[2];
static char *self_path;

static void op_null(long n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void op_read1(long n)
{
	char c;

	while (n--)
		if (read(zero_fd, &c, 1) != 1)
			die("read");
}

static void op_write1(long n)
{
	char c = 0;

	while (n--)
		if (write(null_fd, &c, 1) != 1)
			die("write");
}

static void op_stat(long n)
{
	struct stat st;

	while (n--)
		if (stat("/etc/passwd", &st))
			die("stat");
}

static void op_open(long n)
{
	while (n--) {
		int fd = open("/etc/passwd", O_RDONLY);

		if (fd < 0)
			die("open");
		close(fd);
	}
}

static void op_pipe_self(long n)
{
	char c = 0;

	while (n--)
		if (write(self_pipe[1], &c, 1) != 1 ||
		    read(self_pipe[0], &c, 1) != 1)
			die("pipe");
}

static void op_fork(long n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			_exit(0);
		if (waitpid(pid, NULL, 0) != pid)
			die("waitpid");
	}
}

static void op_exec(long n)
{
	while (n--) {
		pid_t pid = vfork();

		if (pid < 0)
			die("vfork");
		if (pid == 0) {
			execl(self_path, "lat", "-x", (char *)NULL);
			_exit(127);
		}
		if (waitpid(pid, NULL, 0) != pid)
			die("waitpid");
	}
}

static void op_yield(long n)
{
	while (n--)
		sched_yield();
}

static void op_nanosleep(long n)
{
	struct timespec t = { 0, 1 };

	while (n--)
		nanosleep(&t, NULL);
}

static void op_fault(long n)
{
	while (n--) {
		char *p = mmap(NULL, FAULT_PAGES * 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int i;

		if (p == MAP_FAILED)
			die("mmap");
		for (i = 0; i < FAULT_PAGES; i++)
			((volatile char *)p)[i * 4096] = 1;
		munmap(p, FAULT_PAGES * 4096);
	}
}

/* Two processes and two pipes; an operation is there and back. */
static void op_pipe_pong(long n)
{
	int there[2], back[2];
	char c = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	while (n--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("ping-pong");
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	waitpid(pid, NULL, 0);
}

static uint32_t ball;
static long pongs;

static void pass_ball(uint32_t mine, long n)
{
	while (n--) {
		while (__atomic_load_n(&ball, __ATOMIC_ACQUIRE) != mine)
			syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, !mine,
				NULL, NULL, 0);
		__atomic_store_n(&ball, !mine, __ATOMIC_RELEASE);
		syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void *futex_pong(void *arg)
{
	pass_ball(1, pongs);
	return NULL;
}

static void op_futex_pong(long n)
{
	pthread_t t;

	ball = 0;
	pongs = n;
	if (pthread_create(&t, NULL, futex_pong, NULL))
		die("pthread_create");
	pass_ball(0, n);
	pthread_join(t, NULL);
}

static const struct row {
	const char *name;
	void (*op)(long n);
	long first; /* operations of the first try */
} rows[] = {
	{ "null", op_null, 1000 },	   { "read1", op_read1, 1000 },
	{ "write1", op_write1, 1000 },	   { "stat", op_stat, 500 },
	{ "open_close", op_open, 500 },	   { "pipe_self", op_pipe_self, 500 },
	{ "yield", op_yield, 500 },	   { "mmap_fault64", op_fault, 20 },
	{ "fork_exit", op_fork, 5 },	   { "vfork_exec", op_exec, 5 },
	{ "pipe_pong", op_pipe_pong, 50 }, { "futex_pong", op_futex_pong, 50 },
	{ "nanosleep", op_nanosleep, 20 },
};

static void measure(const struct row *row, int rounds, uint64_t want_ns)
{
	long n = bench_calibrate(row->op, row->first, want_ns);

	bench_print("lat", row->name, bench_best(row->op, n, rounds));
}

/* A fixed number of operations, so that two runs execute the same. */
static void count(const struct row *row, int rounds)
{
	row->op(row->first);
	bench_print("lat", row->name, bench_best(row->op, row->first, rounds));
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static void prepare(void)
{
	static char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		die("/proc/self/exe");
	path[n] = 0;
	self_path = path;
	zero_fd = open("/dev/zero", O_RDONLY);
	null_fd = open("/dev/null", O_WRONLY);
	if (zero_fd < 0 || null_fd < 0 || pipe(self_pipe))
		die("prepare");
}

int main(int argc, char **argv)
{
	uint64_t want_ns = 100000000;
	bool fixed = false;
	int opt, rounds = 5;
	unsigned int i;

	while ((opt = getopt(argc, argv, "r:qcx")) != -1) {
		if (opt == 'x')
			_exit(0);
		else if (opt == 'r')
			rounds = atoi(optarg);
		else if (opt == 'q')
			want_ns /= 5;
		else if (opt == 'c')
			fixed = true;
		else
			return 2;
	}
	prepare();
	if (fixed)
		usleep(100000); /* whoever started us wants the hart no more */
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!wanted(rows[i].name, argv + optind))
			continue;
		if (fixed)
			count(&rows[i], rounds);
		else
			measure(&rows[i], rounds, want_ns);
	}
	return 0;
}
