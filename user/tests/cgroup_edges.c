/* SPDX-License-Identifier: MIT */
/*
 * user/tests/cgroup_edges.c - what may go wrong with groups: deep and wide trees, who
 * holds still already, processes that move while they fork.
 */
#include "cgroup.h"

#include <poll.h>
#include <pthread.h>

#define DEPTH 600

/* Down (@up: and up again) in @n groups, the last one the working directory. */
static void chain(int n)
{
	for (int i = 0; i < n; i++) {
		CHECK_OK(mkdir("deep", 0755));
		CHECK_OK(chdir("deep"));
	}
}

static void unchain(int n)
{
	while (n--) {
		CHECK_OK(chdir(".."));
		CHECK_OK(rmdir("deep"));
	}
}

/* A tree that is deeper than the kernel's stack. */
TEST(cgroup_edges, deep)
{
	int home, proc, fd;
	char want[8 + 3 * DEPTH + 16] = "0::", buf[4096];
	ssize_t n;

	enter_top();
	home = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_OK(chdir(top));
	chain(DEPTH);
	CHECK_EQ(put("cgroup.procs", "0"), 0);
	proc = open("/proc/self/cgroup", O_RDONLY);
	n = pread(proc, buf, sizeof(buf) - 1, 0);
	CHECK(n > 5 * DEPTH);
	buf[n] = 0;
	CHECK(!strncmp(buf + n - 16, "/deep/deep/deep\n", 16));
	CHECK_OK(unshare(CLONE_NEWCGROUP));
	CHECK_EQ(pread(proc, buf, sizeof(buf), 0), 5);
	CHECK_OK(mkdirat(home, "cg2", 0755));
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_OK(fchdir(home));
	CHECK_OK(mount("none", "cg2", "cgroup2", 0, NULL));
	CHECK_OK(access("cg2/cgroup.type", F_OK));
	CHECK_OK(umount("cg2"));
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	for (int i = 0; i < DEPTH + 1; i++)
		strcat(want, "/..");
	strcat(want, "\n");
	n = pread(proc, buf, sizeof(buf) - 1, 0);
	CHECK_EQ(n, strlen(want));
	CHECK(!memcmp(buf, want, (size_t)n));
	CHECK_OK(fchdir(fd));
	close(fd);
	/* held by who has the namespace alone, all at once */
	unchain(DEPTH);
	CHECK_OK(fchdir(home));
	drop("");
}

static int stops(void *arg)
{
	(void)arg;
	raise(SIGSTOP);
	for (;;)
		pause();
	return 0;
}

/* Who was stopped in the root group holds still wherever he is put. */
TEST(cgroup_edges, stopped_moves)
{
	pid_t pid;

	enter_top();
	group("f");
	group("g");
	pid = ut_fork(stops, NULL);
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	CHECK_EQ(put(at("f", "cgroup.freeze"), "1"), 0);
	CHECK_EQ(put(at("g", "cgroup.freeze"), "1"), 0);
	put_pid("f", pid);
	wait_frozen("f", 1);
	put_pid("g", pid);
	wait_frozen("g", 1);
	wait_frozen("f", 1);
	CHECK_EQ(put(at("g", "cgroup.freeze"), "0"), 0);
	wait_frozen("g", 0);
	CHECK_OK(kill(pid, SIGCONT));
	put_pid("f", pid);
	wait_frozen("f", 1);
	reap(pid);
	drop("f");
	drop("g");
	leave();
}

/* What holds still goes on holding still when more groups above are frozen. */
TEST(cgroup_edges, frozen_stays)
{
	struct pollfd pf;
	char buf[64];
	pid_t pid;
	int fd;

	enter_top();
	group("f");
	group("f/g");
	pid = child_in("f/g");
	CHECK_EQ(put(at("f/g", "cgroup.freeze"), "1"), 0);
	wait_frozen("f/g", 1);
	ut_sleep_ms(50); /* Linux tells of what follows closely 10 ms later */
	fd = open(at("f/g", "cgroup.events"), O_RDONLY);
	for (int i = 0; i < 50; i++) {
		CHECK(pread(fd, buf, sizeof(buf), 0) > 0);
		CHECK_EQ(put(at("f", "cgroup.freeze"), i & 1 ? "0" : "1"), 0);
		wait_frozen("f", !(i & 1));
		pf = (struct pollfd){ .fd = fd, .events = POLLPRI };
		CHECK_EQ(poll(&pf, 1, 0), 0);
	}
	reap(pid);
	drop("f/g");
	drop("f");
	leave();
}

/* What happened is told until it is read. */
TEST(cgroup_edges, events_till_read)
{
	struct pollfd pf;
	char buf[64];
	pid_t pid;

	enter_top();
	group("a");
	pf.fd = open(at("a", "cgroup.events"), O_RDONLY);
	pf.events = POLLPRI;
	CHECK(read(pf.fd, buf, sizeof(buf)) > 0);
	CHECK_EQ(poll(&pf, 1, 0), 0);
	pid = child_in("a");
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(poll(&pf, 1, 3000), 1);
		CHECK_EQ(pf.revents & POLLPRI, POLLPRI);
	}
	CHECK(pread(pf.fd, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(poll(&pf, 1, 0), 0);
	reap(pid);
	CHECK_EQ(poll(&pf, 1, 3000), 1);
	drop("a");
	leave();
}

/* A group does not hide the file of a controller, nor a file the group. */
TEST(cgroup_edges, names_clash)
{
	enter_top();
	group("a");
	group("a/cpu.max");
	group("a/pids.max");
	if (put("cg/cgroup.subtree_control", "+cpu +pids"))
		ut_skip("no controllers");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpu"), EEXIST);
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+pids"), EEXIST);
	is(at("", "cgroup.subtree_control"), "");
	drop("a/cpu.max");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpu"), 0);
	CHECK_ERR(mkdir(at("", "a/cpu.max"), 0755), EEXIST);
	drop("a/pids.max");
	drop("a");
	leave();
}

static void *lives(void *arg)
{
	*(volatile int *)arg = (int)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static void numbers(void)
{
	CHECK_EQ(put(at("a", "pids.max"), "+5"), 0);
	is(at("a", "pids.max"), "5\n");
	CHECK_EQ(put(at("a", "pids.max"), "99999999999999999999"), ERANGE);
	CHECK_EQ(put(at("a", "pids.max"), "-1"), EINVAL);
	CHECK_EQ(put(at("a", "pids.max"), "4194304"), 0);
	CHECK_EQ(put(at("a", "pids.max"), "4194305"), EINVAL);
	CHECK_EQ(put(at("a", "cgroup.max.depth"), "2147483647"), 0);
	is(at("a", "cgroup.max.depth"), "max\n");
	CHECK_EQ(put(at("a", "cpu.max"), "5000 100000 7"), 0);
	is(at("a", "cpu.max"), "5000 100000\n");
	CHECK_EQ(put(at("a", "cpu.max"), "max 7"), EINVAL);
	CHECK_EQ(put(at("a", "cpu.max"), "18446744073709551"), EINVAL);
}

/* Numbers as Linux takes them; one of a thread means its process. */
TEST(cgroup_edges, numbers)
{
	volatile int tid = 0;
	char want[32], s[32];
	pthread_t t;
	pid_t pid;

	enter_top();
	if (put("cg/cgroup.subtree_control", "+cpu +pids"))
		ut_skip("no controllers");
	group("a");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpu +pids"), 0);
	numbers();
	CHECK_EQ(pthread_create(&t, NULL, lives, (void *)&tid), 0);
	while (!tid)
		ut_sleep_ms(1);
	snprintf(s, sizeof(s), "%d", tid);
	CHECK_EQ(put(at("a", "cgroup.procs"), s), 0);
	snprintf(want, sizeof(want), "%d\n", getpid());
	is(at("a", "cgroup.procs"), want);
	is(at("a", "pids.current"), "2\n");
	/* one that has ended cannot be moved, which is no error */
	pid = fork();
	if (!pid)
		_exit(0);
	CHECK_OK(
		waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
	snprintf(s, sizeof(s), "%d", pid);
	CHECK_EQ(put("cg/cgroup.procs", s), 0);
	is(at("a", "pids.current"), "3\n");
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	drop("a");
	leave();
}

/* --- many things at once */

static volatile int *stop;

static int forks_into(void *arg)
{
	struct clone_args3 a = { .flags = INTO_CGROUP, .exit_signal = SIGCHLD };
	int n = *(int *)arg, fd;
	char name[8];
	long pid;

	for (unsigned int i = 0; !*stop; i++) {
		snprintf(name, sizeof(name), "%u", (i + (unsigned int)n) % 4);
		fd = open(at("", name), O_PATH | O_DIRECTORY);
		if (fd < 0)
			continue;
		a.cgroup = (uint64_t)fd;
		pid = syscall(SYS_clone3, &a, sizeof(a));
		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
		close(fd);
	}
	return 0;
}

static int moves(void *arg)
{
	pid_t *pid = arg;
	char name[8], s[16];

	for (unsigned int i = 0; !*stop; i++) {
		snprintf(name, sizeof(name), "%u", i % 4);
		snprintf(s, sizeof(s), "%d", pid[i % 2]);
		put(at(name, "cgroup.procs"), s);
		if (i % 7 == 0)
			put(at(name, "cgroup.freeze"), i & 8 ? "1" : "0");
		if (i % 13 == 0)
			put(at(name, "cgroup.type"), "threaded");
	}
	return 0;
}

static int makes(void *arg)
{
	char name[8];

	(void)arg;
	for (unsigned int i = 0; !*stop; i++) {
		snprintf(name, sizeof(name), "%u", i % 4);
		rmdir(at("", name));
		mkdir(at("", name), 0755);
		if (i % 5 == 0)
			put(at("", "cgroup.subtree_control"),
			    i & 1 ? "+pids +cpu" : "-pids -cpu");
		if (i % 11 == 0)
			put(at(name, "cpu.max"), "1000 2000");
	}
	return 0;
}

/* Groups come and go, and who forks into them is moved meanwhile. */
TEST(cgroup_edges, storm)
{
	int n[2] = { 0, 1 };
	pid_t pid[4];
	char name[8];

	enter_top();
	put("cg/cgroup.subtree_control", "+cpu +pids");
	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid[0] = ut_fork(forks_into, &n[0]);
	pid[1] = ut_fork(forks_into, &n[1]);
	pid[2] = ut_fork(moves, pid);
	pid[3] = ut_fork(makes, NULL);
	ut_sleep_ms(1500);
	*stop = 1;
	CHECK_EQ(ut_wait(pid[2]), 0);
	CHECK_EQ(ut_wait(pid[3]), 0);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%d", i);
		put(at(name, "cgroup.freeze"), "0");
	}
	CHECK_EQ(ut_wait(pid[0]), 0);
	CHECK_EQ(ut_wait(pid[1]), 0);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (!access(at("", name), F_OK))
			drop(name);
	}
	leave();
}

static long work_ms(void)
{
	long t0 = ut_now_ms();

	for (int i = 0; i < 3000; i++)
		syscall(SYS_getppid);
	return ut_now_ms() - t0;
}

/* Of several: the machine may be shared. */
static long best_work_ms(void)
{
	long best = work_ms();

	for (int i = 0; i < 7; i++) {
		long ms = work_ms();

		best = ms < best ? ms : best;
	}
	return best;
}

/* Many groups with a limit of CPU time do not take the machine from others: what is slow
 * with the limits is not when they are lifted. */
TEST(cgroup_edges, many_limits)
{
	long alone, beside, lifted;
	char name[16];
	pid_t pid;

	enter_top();
	if (put("cg/cgroup.subtree_control", "+cpu"))
		ut_skip("no cpu controller");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpu"), 0);
	pid = ut_fork(sleeper, NULL);
	alone = best_work_ms();
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "%d", i);
		group(name);
		CHECK_EQ(put(at(name, "cpu.max"), "1000 1000"), 0);
	}
	beside = best_work_ms();
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "%d", i);
		CHECK_EQ(put(at(name, "cpu.max"), "max"), 0);
	}
	lifted = best_work_ms();
	if (beside > 3 * alone + 50 && beside > 3 * lifted + 50)
		ut_fail(__FILE__, __LINE__, "%ld ms, %ld alone, %ld lifted",
			beside, alone, lifted);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "%d", i);
		drop(name);
	}
	reap(pid);
	leave();
}
