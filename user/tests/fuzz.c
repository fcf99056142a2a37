/* SPDX-License-Identifier: MIT */
/*
 * user/tests/fuzz.c - system calls at random with arguments at the edge.
 *
 *	fuzz [-n] [-s SEED] [-t SECONDS] [-j PROCESSES]
 *
 * Children make calls with numbers and arguments drawn from boundary values,
 * good and bad pointers, live and dead descriptors; a child that dies is
 * replaced.  Nobody checks results: the kernel must live, the parent must see
 * every death, and memory that is not the child's must stay as it is.
 *
 * Children are unprivileged users in a directory of their own, in a session
 * of their own, so that they can neither reboot nor kill what is not theirs.
 * With -n each is root in namespaces of its own, has two threads, and descriptors of
 * what can be asked for there; calls about that are made more often.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_PROCS     16

struct shared {
	unsigned long calls, ok;
	unsigned long last_nr[MAX_PROCS];
	unsigned long canary;
};

static struct shared *shared;
static uint64_t seed;
static bool in_namespaces;
static char *good; /* 16 pages, the last one unmapped */

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static const uint64_t edges[] = {
	0,
	1,
	2,
	3,
	7,
	8,
	16,
	63,
	64,
	127,
	255,
	256,
	4095,
	4096,
	4097,
	65535,
	65536,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	-1UL,
	-2UL,
	-4095UL,
	-4096UL,
	-100UL,
	0x3ffffff000,
	0x4000000000,
	0x8000000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffffffc000000000,
	0xffffffd800000000,
	0xffffffff80000000,
	0x80000000,
	0x80200000,
	0x10000000,
	0xfffffffffffff000,
};

static const char *const paths[] = {
	"/",
	".",
	"..",
	"f",
	"d",
	"d/f",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/urandom",
	"/proc/self/maps",
	"/proc/self/stat",
	"/proc/meminfo",
	"/proc/self/fd",
	"/tmp",
	"/dev/ptmx",
	"",
	"f/f",
	"/proc/1/mem",
	"/proc/interrupts",
	"/bin/busybox",
	"/dev/tty",
	"/sys",
	"loop",
	"/proc/self/ns/mnt",
	"/proc/self/ns/user",
	"/proc/self/ns/pid",
	"/proc/self/uid_map",
	"tmpfs",
	"proc",
	"d/m",
	"keyring",
	"user",
};

static uint64_t pointer(void)
{
	unsigned int pick = rnd() % 8;

	if (pick == 0)
		return edges[rnd() % ARRAY_SIZE(edges)];
	if (pick == 1) /* runs into the hole */
		return (uint64_t)good + 15 * 4096 - rnd() % 64;
	if (pick == 2) {
		char *at = good + (rnd() % 8) * 4096;

		strcpy(at, paths[rnd() % ARRAY_SIZE(paths)]);
		return (uint64_t)at;
	}
	return (uint64_t)good + rnd() % (14 * 4096) / 8 * 8;
}

static uint64_t argument(void)
{
	switch (rnd() % 6) {
	case 0:
		return edges[rnd() % ARRAY_SIZE(edges)];
	case 1:
		return rnd() % 24; /* descriptors, small flags */
	case 2:
		return 1UL << rnd() % 64;
	case 3:
		return rnd() % 5 ? rnd() % 8192 : rnd();
	default:
		return pointer();
	}
}

/* What a stray call must not do to the fuzzer itself or to the machine. */
static bool forbidden(long nr, uint64_t arg0)
{
	switch (nr) {
	case SYS_reboot:
	case SYS_vhangup:
	case SYS_kexec_load:
		return true;
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
		return (int)arg0 <= 1;
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
		return true;
	}
	return false;
}

static void fill_memory(void)
{
	unsigned int i;

	for (i = 0; i < 200; i++)
		((uint64_t *)good)[rnd() % (14 * 512)] =
			rnd() % 3 ? argument() : (uint64_t)good + rnd() % 57344;
}

/* Of namespaces and mounts, rings, keys, filters, watches, tracers, messages. */
static const short favourites[] = {
	0,   1,	  2,   3,   4,	 26,  27,  28,	29,  39,  40,  41,  51,
	56,  57,  71,  76,  77,	 97,  101, 117, 167, 199, 203, 211, 212,
	217, 218, 219, 220, 221, 234, 260, 262, 263, 268, 269, 270, 277,
	278, 279, 285, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434,
	435, 438, 440, 442, 444, 445, 446, 449, 457, 458,
};

static long pick_number(void)
{
	if (in_namespaces && rnd() % 2)
		return favourites[rnd() % ARRAY_SIZE(favourites)];
	if (rnd() % 64 == 0)
		return edges[rnd() % ARRAY_SIZE(edges)];
	/* 0 to 293 are one block, 403 to 460 the newer ones. */
	return rnd() % 5 ? rnd() % 294 : 403 + rnd() % 58;
}

static void open_some(void)
{
	int p[2];

	mkdir("d", 0755);
	if (symlink("loop", "loop") < 0 && errno != EEXIST)
		return;
	open("f", O_RDWR | O_CREAT, 0644);
	open("d", O_RDONLY);
	open("/dev/zero", O_RDWR);
	open("/proc/self/stat", O_RDONLY);
	if (pipe2(p, O_NONBLOCK) < 0)
		return;
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(0, 1);
	dup2(0, 2);
}

static void become_harmless(void)
{
	struct rlimit as = { 256 << 20, 256 << 20 }, nproc = { 40, 40 };
	struct rlimit size = { 8 << 20, 8 << 20 };

	setsid();
	setrlimit(RLIMIT_AS, &as);
	setrlimit(RLIMIT_FSIZE, &size);
	setrlimit(RLIMIT_NPROC, &nproc);
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		_exit(9);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		errno = 0; /* as far as it goes */
	close(fd);
}

/* Root of new namespaces; what dies in them is the inner process. */
static void enter_namespaces(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
		    CLONE_NEWUTS))
		_exit(7);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 65534 1");
	write_file("/proc/self/gid_map", "0 65534 1");
	pid = fork();
	if (pid < 0)
		_exit(6);
	if (pid) { /* SIGALRM does not end the init of a namespace */
		for (int i = 0; i < 30; i++) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				_exit(0);
			usleep(100000);
		}
		kill(pid, SIGKILL);
		(void)!waitpid(pid, &status, 0);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("none", "/tmp", "tmpfs", 0, NULL) || chdir("/tmp") ||
	    mkdir("d", 0755) || mkdir("d/m", 0755))
		_exit(5);
}

static void open_namespaces(void)
{
	static uint64_t params[16];
	int s[2];

	open("/proc/self/ns/mnt", O_RDONLY);
	open("/proc/self/ns/user", O_RDONLY);
	(void)syscall(425 /* io_uring_setup */, 8, params);
	(void)syscall(434 /* pidfd_open */, getpid(), 0);
	(void)syscall(262 /* fanotify_init */, 0x200 | 2, 0);
	(void)syscall(26 /* inotify_init1 */, O_NONBLOCK);
	(void)syscall(444 /* landlock_create_ruleset */, params, 0, 1);
	open("/dev/ptmx", O_RDWR | O_NONBLOCK);
	(void)!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	(void)syscall(428 /* open_tree */, AT_FDCWD, "/tmp", 1);
	(void)syscall(430 /* fsopen */, "tmpfs", 0);
}

static void make_calls(unsigned int slot, unsigned int seconds);

static void *second_thread(void *slot)
{
	make_calls((unsigned int)(unsigned long)slot, 2);
	return NULL;
}

/* One child: calls until it dies or its time is up. */
static void child(unsigned int slot, uint64_t my_seed, unsigned int seconds)
{
	pthread_t t;

	seed = my_seed;
	become_harmless();
	if (in_namespaces)
		enter_namespaces();
	open_some();
	if (in_namespaces)
		open_namespaces();
	good = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (good == MAP_FAILED)
		_exit(8);
	munmap(good + 15 * 4096, 4096);
	if (in_namespaces)
		pthread_create(&t, NULL, second_thread,
			       (void *)(unsigned long)slot);
	make_calls(slot, seconds);
}

static void make_calls(unsigned int slot, unsigned int seconds)
{
	pid_t me = syscall(SYS_gettid);
	uint64_t a[6];
	unsigned int i;

	for (;;) {
		long nr = pick_number();

		for (i = 0; i < 6; i++)
			a[i] = argument();
		if (forbidden(nr, a[0]))
			continue;
		if (rnd() % 8 == 0)
			fill_memory();
		alarm(seconds < 2 ? seconds : 2);
		shared->last_nr[slot] = nr;
		__atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
		if (syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]) >= 0)
			__atomic_fetch_add(&shared->ok, 1, __ATOMIC_RELAXED);
		if (syscall(SYS_gettid) != me) /* a clone of it */
			_exit(0);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static pid_t spawn(unsigned int slot, uint64_t child_seed)
{
	pid_t pid = fork();

	if (pid == 0)
		child(slot, child_seed, 2);
	return pid;
}

static unsigned int run(double seconds, unsigned int procs)
{
	double end = now() + seconds, said = now();
	pid_t pid[MAX_PROCS] = { 0 };
	unsigned int deaths = 0, i;
	int status;

	while (now() < end) {
		for (i = 0; i < procs; i++)
			if (pid[i] <= 0)
				pid[i] = spawn(i, rnd() | 1);
		usleep(20000);
		for (i = 0; i < procs; i++) {
			if (pid[i] > 0 &&
			    waitpid(pid[i], &status, WNOHANG) == pid[i]) {
				kill(-pid[i], SIGKILL);
				pid[i] = 0;
				deaths++;
			}
		}
		if (now() - said > 10) {
			said = now();
			printf("# fuzz: %lu calls\n", shared->calls);
			fflush(stdout);
		}
	}
	for (i = 0; i < procs; i++) {
		if (pid[i] <= 0)
			continue;
		kill(-pid[i], SIGKILL);
		kill(pid[i], SIGKILL);
		if (waitpid(pid[i], &status, 0) != pid[i])
			printf("# fuzz: lost child %d\n", pid[i]);
	}
	return deaths;
}

int main(int argc, char **argv)
{
	unsigned int procs = 4, deaths;
	double seconds = 10;
	int opt;

	seed = 88172645463325252;
	while ((opt = getopt(argc, argv, "ns:t:j:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0) | 1;
		else if (opt == 'n')
			in_namespaces = true;
		else if (opt == 't')
			seconds = atof(optarg);
		else if (opt == 'j')
			procs = atoi(optarg);
		else
			return 2;
	}
	if (procs < 1 || procs > MAX_PROCS)
		return 2;
	if ((mkdir("/tmp/fuzz", 0777) < 0 && errno != EEXIST) ||
	    chmod("/tmp/fuzz", 0777) < 0 || chdir("/tmp/fuzz") < 0)
		return 2;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	printf("# fuzz: seed %#lx\n", (unsigned long)seed);
	fflush(stdout);
	deaths = run(seconds, procs);
	printf("fuzz: %lu calls, %lu returned no error, %u children died\n",
	       shared->calls, shared->ok, deaths);
	return shared->calls < 100;
}
