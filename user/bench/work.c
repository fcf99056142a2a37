/* SPDX-License-Identifier: MIT */
/*
 * user/bench/work.c - one workload of the experiment for a given time.
 *
 *	work [-t THREADS] [-m MILLISECONDS] NAME [SIZE]
 *
 * Prints `work NAME NS OPERATIONS CYCLES INSTRUCTIONS`: wall time by operation,
 * all threads' operations counted together; the last two from perf_event_open,
 * by operation, or '-' where the kernel has none.  A tenth of the time is spent
 * before, as a warm-up; a quarter afterwards, counting: what is counted takes
 * longer (on Antler every call then goes the general way), so it is not timed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "bench.h"

#define MAX_THREADS 64
#define FAULT_PAGES 64
#define MANY	    400

static const char *self_path;
static size_t size = 1;
static unsigned int ms = 50, nr_threads = 1;
static uint64_t deadline; /* of the round, for all threads */

/* What one thread works with. */
struct worker {
	pthread_t thread;
	void (*op)(struct worker *w);
	int fd, back, nr;
	char *buf;
	long done;
};

static void op_null(struct worker *w)
{
	(void)w;
	syscall(SYS_getppid);
}

static void op_read(struct worker *w)
{
	if (pread(w->fd, w->buf, size, 0) != (ssize_t)size)
		die("read");
}

static void op_write(struct worker *w)
{
	if (pwrite(w->fd, w->buf, size, 0) != (ssize_t)size)
		die("write");
}

static void op_stat(struct worker *w)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/usr/share/many/file-%03d",
		 w->nr++ % MANY);
	if (stat(path, &st))
		die(path);
}

static void op_fault(struct worker *w)
{
	volatile char *p =
		mmap(NULL, FAULT_PAGES * 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)w;
	if (p == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < FAULT_PAGES; i++)
		p[i * 4096] = 1;
	munmap((void *)p, FAULT_PAGES * 4096);
}

static void reap(pid_t pid)
{
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("child");
}

static void op_fork(struct worker *w)
{
	pid_t pid = fork();

	(void)w;
	if (pid == 0)
		_exit(0);
	reap(pid);
}

static void op_exec(struct worker *w)
{
	pid_t pid = vfork();

	(void)w;
	if (pid == 0) {
		execl(self_path, "work", "-x", (char *)NULL);
		_exit(127);
	}
	reap(pid);
}

/* There and back; the other side is a process that echoes. */
static void op_pong(struct worker *w)
{
	char c = 0;

	if (write(w->fd, &c, 1) != 1 || read(w->back, &c, 1) != 1)
		die("ping-pong");
}

static void echo_process(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1)
		if (write(out, &c, 1) != 1)
			break;
	_exit(0);
}

static void prepare_pipe(struct worker *w)
{
	int there[2], back[2];
	pid_t pid;

	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(there[1]);
		echo_process(there[0], back[1]);
	}
	close(there[0]);
	w->fd = there[1];
	w->back = back[0];
}

static void prepare_unix(struct worker *w)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(pair[0]);
		echo_process(pair[1], pair[1]);
	}
	close(pair[1]);
	w->fd = w->back = pair[0];
}

static void prepare_file(struct worker *w)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/work.%d.%d", (int)getpid(), w->nr);
	w->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (w->fd < 0)
		die(path);
	unlink(path);
	op_write(w);
}

static uint32_t ball;

static void take_ball(uint32_t mine)
{
	while (__atomic_load_n(&ball, __ATOMIC_ACQUIRE) != mine)
		syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, !mine, NULL, NULL,
			0);
}

static void give_ball(uint32_t to)
{
	__atomic_store_n(&ball, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other_player(void *arg)
{
	for (;;) {
		take_ball(1);
		give_ball(0);
	}
	return arg;
}

static void prepare_futex(struct worker *w)
{
	if (pthread_create(&w->thread, NULL, other_player, NULL))
		die("pthread_create");
}

static void op_futex(struct worker *w)
{
	(void)w;
	give_ball(1);
	take_ball(0);
}

static const struct workload {
	const char *name;
	void (*op)(struct worker *w);
	void (*prepare)(struct worker *w);
} workloads[] = {
	{ "null", op_null, NULL },
	{ "read", op_read, prepare_file },
	{ "write", op_write, prepare_file },
	{ "stat", op_stat, NULL },
	{ "fault64", op_fault, NULL },
	{ "fork", op_fork, NULL },
	{ "exec", op_exec, NULL },
	{ "pipe_pong", op_pong, prepare_pipe },
	{ "unix_pong", op_pong, prepare_unix },
	{ "futex_pong", op_futex, prepare_futex },
};

/* Look at the clock every so often: about every 20 us once that is known. */
static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t last = now_ns(), t;
	long batch = 1;

	for (;;) {
		for (long i = 0; i < batch; i++)
			w->op(w);
		w->done += batch;
		t = now_ns();
		if (t >= deadline)
			return NULL;
		if (t - last < 20000 && batch < 1000)
			batch *= 2;
		else if (t - last > 200000 && batch > 1)
			batch /= 2;
		last = t;
	}
}

static int count_open(uint64_t config)
{
	struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE,
				     .size = sizeof(a),
				     .config = config,
				     .inherit = 1 };

	return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static void print_count(int fd, long operations)
{
	uint64_t n;

	if (fd < 0 || read(fd, &n, sizeof(n)) != sizeof(n))
		printf(" -");
	else
		printf(" %.1f", (double)n / operations);
}

/* All threads until @want_ms are over; operations done, the time in *@ns. */
static long round_of(struct worker *w, unsigned int want_ms, uint64_t *ns)
{
	uint64_t start = now_ns();
	long sum = 0;

	deadline = start + want_ms * 1000000ull;
	for (unsigned int i = 0; i < nr_threads; i++)
		w[i].done = 0;
	for (unsigned int i = 1; i < nr_threads; i++)
		if (pthread_create(&w[i].thread, NULL, work, &w[i]))
			die("pthread_create");
	work(&w[0]);
	for (unsigned int i = 1; i < nr_threads; i++)
		pthread_join(w[i].thread, NULL);
	*ns = now_ns() - start;
	for (unsigned int i = 0; i < nr_threads; i++)
		sum += w[i].done;
	return sum;
}

static void run(const struct workload *l)
{
	static struct worker w[MAX_THREADS];
	int cycles, instructions;
	uint64_t ns;
	long n;

	for (unsigned int i = 0; i < nr_threads; i++) {
		w[i].op = l->op;
		w[i].nr = (int)i;
		w[i].buf = calloc(1, size);
		if (!w[i].buf)
			die("memory");
		if (l->prepare)
			l->prepare(&w[i]);
	}
	round_of(w, ms / 10 + 1, &ns);
	n = round_of(w, ms, &ns);
	printf("work %s %.1f %ld", l->name, (double)ns / n, n);
	cycles = count_open(PERF_COUNT_HW_CPU_CYCLES);
	instructions = count_open(PERF_COUNT_HW_INSTRUCTIONS);
	n = round_of(w, ms / 4 + 1, &ns);
	print_count(cycles, n);
	print_count(instructions, n);
	printf("\n");
}

static void usage(void)
{
	fprintf(stderr, "work [-t THREADS] [-m MILLISECONDS] NAME [SIZE]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static char path[256];
	const char *name;
	int opt;

	while ((opt = getopt(argc, argv, "t:m:x")) != -1) {
		if (opt == 'x')
			_exit(0);
		else if (opt == 't')
			nr_threads = (unsigned int)atoi(optarg);
		else if (opt == 'm')
			ms = (unsigned int)atoi(optarg);
		else
			usage();
	}
	name = argv[optind];
	if (!name || nr_threads < 1 || nr_threads > MAX_THREADS || ms < 1)
		usage();
	if (argv[optind + 1])
		size = strtoul(argv[optind + 1], NULL, 0);
	if (size < 1 || readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		usage();
	self_path = path;
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (strcmp(workloads[i].name, name))
			continue;
		run(&workloads[i]);
		exit(0);
	}
	usage();
}
