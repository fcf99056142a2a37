/* SPDX-License-Identifier: MIT */
/*
 * user/tests/cgroup.c - control groups of version 2: tree, members, freezer, pids, CPU
 * time, namespaces, delegation.
 */
#include "cgroup.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <pthread.h>

TEST(cgroup, tree)
{
	enter_top();
	group("a");
	group("a/b");
	CHECK_ERR(mkdir(at("", "a"), 0755), EEXIST);
	CHECK_ERR(mkdir(at("", "x\ny"), 0755), EINVAL);
	CHECK_ERR(rmdir(at("", "a")), EBUSY);
	CHECK_ERR(unlink(at("a", "cgroup.procs")), EPERM);
	is(at("a", "cgroup.type"), "domain\n");
	is(at("a", "cgroup.events"), "populated 0\nfrozen 0\n");
	CHECK_EQ(value(at("", "cgroup.stat"), "nr_descendants "), 2);
	is(at("a", "cgroup.max.depth"), "max\n");
	CHECK_EQ(put(at("", "cgroup.max.depth"), "2"), 0);
	CHECK_ERR(mkdir(at("", "a/b/c"), 0755), EAGAIN);
	CHECK_EQ(put(at("a", "cgroup.max.descendants"), "1"), 0);
	CHECK_ERR(mkdir(at("", "a/c"), 0755), EAGAIN);
	CHECK_EQ(put(at("a", "cgroup.max.descendants"), "-1"), ERANGE);
	CHECK_EQ(put(at("a", "cgroup.max.descendants"), "x"), EINVAL);
	drop("a/b");
	drop("a");
	CHECK_ERR(open(at("a", "cgroup.procs"), O_RDONLY), ENOENT);
	leave();
}

TEST(cgroup, members)
{
	char want[256], line[64];
	struct pollfd pf;
	pid_t pid;
	int fd, in;
	char buf[256];

	enter_top();
	group("a");
	fd = open(at("a", "cgroup.events"), O_RDONLY);
	CHECK_OK(fd);
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	in = inotify_init1(IN_NONBLOCK);
	CHECK_OK(inotify_add_watch(in, at("a", "cgroup.events"), IN_MODIFY));
	pf = (struct pollfd){ .fd = fd, .events = POLLPRI };
	CHECK_EQ(poll(&pf, 1, 0), 0);
	pid = child_in("a");
	CHECK_EQ(poll(&pf, 1, 3000), 1);
	CHECK(pf.revents & POLLPRI);
	pf = (struct pollfd){ .fd = in, .events = POLLIN };
	CHECK_EQ(poll(&pf, 1, 3000), 1);
	is(at("a", "cgroup.events"), "populated 1\nfrozen 0\n");
	is(at("", "cgroup.events"), "populated 1\nfrozen 0\n");
	snprintf(want, sizeof(want), "%d\n", pid);
	is(at("a", "cgroup.procs"), want);
	is(at("a", "cgroup.threads"), want);
	is(at("", "cgroup.procs"), "");
	snprintf(line, sizeof(line), "/proc/%d/cgroup", pid);
	CHECK(strstr(get(line), strchr(top, '/')));
	CHECK(strstr(get(line), "/a\n"));
	CHECK_ERR(rmdir(at("", "a")), EBUSY);
	CHECK_EQ(put(at("a", "cgroup.procs"), "999999999"), ESRCH);
	CHECK_EQ(put(at("a", "cgroup.procs"), "x"), EINVAL);
	reap(pid);
	pf = (struct pollfd){ .fd = fd, .events = POLLPRI };
	CHECK_EQ(poll(&pf, 1, 3000), 1);
	is(at("a", "cgroup.events"), "populated 0\nfrozen 0\n");
	drop("a");
	CHECK_EQ(read(fd, buf, 1) < 0 || pread(fd, buf, 1, 0) < 0, 1);
	CHECK_EQ(errno, ENODEV);
	leave();
}

static int forker(void *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (pid < 0)
		return errno;
	if (!pid)
		_exit(0);
	return ut_wait(pid);
}

/* The limit counts who lives below and who was not waited for. */
TEST(cgroup, pids)
{
	pid_t a, b;

	enter_top();
	if (put("cg/cgroup.subtree_control", "+pids"))
		ut_skip("no pids controller");
	group("p");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+pids"), 0);
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+none"), EINVAL);
	is(at("p", "pids.max"), "max\n");
	is(at("p", "cgroup.controllers"), "pids\n");
	a = child_in("p");
	is(at("p", "pids.current"), "1\n");
	is(at("", "pids.current"), "1\n");
	CHECK_EQ(put(at("p", "pids.max"), "2"), 0);
	CHECK_EQ(put(at("p", "pids.max"), "x"), EINVAL);
	put_pid("p", getpid());
	is(at("p", "pids.current"), "2\n");
	CHECK_ERR(fork(), EAGAIN);
	CHECK_EQ(value(at("p", "pids.events"), "max "), 1);
	CHECK_EQ(put(at("p", "pids.max"), "3"), 0);
	b = ut_fork(forker, NULL);
	CHECK(b > 0);
	CHECK_EQ(ut_wait(b), EAGAIN);
	is(at("p", "pids.peak"), "3\n");
	kill(a, SIGKILL);
	waitid(P_PID, a, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	is(at("p", "pids.current"), "2\n"); /* not waited for */
	reap(a);
	is(at("p", "pids.current"), "1\n");
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	drop("p");
	leave();
}

TEST(cgroup, freeze)
{
	unsigned long was;
	pid_t a, b;

	enter_top();
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	group("f");
	group("f/g");
	a = ut_fork(counts, NULL);
	CHECK(a > 0);
	put_pid("f/g", a);
	b = child_in("f");
	CHECK_EQ(put(at("f", "cgroup.freeze"), "2"), ERANGE);
	CHECK_EQ(put(at("f", "cgroup.freeze"), "x"), EINVAL);
	CHECK_EQ(put(at("f", "cgroup.freeze"), "1"), 0);
	wait_frozen("f", 1);
	wait_frozen("f/g", 1);
	is(at("f/g", "cgroup.freeze"), "0\n");
	was = *counter;
	ut_sleep_ms(50);
	CHECK_EQ(*counter, was);
	CHECK_EQ(put(at("f", "cgroup.freeze"), "0"), 0);
	wait_frozen("f", 0);
	for (int i = 0; *counter == was; i++) {
		CHECK(i < 400);
		ut_sleep_ms(5);
	}
	/* SIGKILL ends who is frozen. */
	CHECK_EQ(put(at("f", "cgroup.freeze"), "1"), 0);
	wait_frozen("f", 1);
	CHECK_OK(kill(b, SIGUSR1));
	reap(a);
	wait_frozen("f", 1);
	CHECK_EQ(waitpid(b, NULL, WNOHANG), 0);
	CHECK_EQ(put(at("f", "cgroup.freeze"), "0"), 0);
	reap(b);
	drop("f/g");
	drop("f");
	leave();
}

TEST(cgroup, kill)
{
	pid_t pid[3];

	enter_top();
	group("k");
	group("k/l");
	pid[0] = child_in("k");
	pid[1] = child_in("k/l");
	CHECK_EQ(put(at("k", "cgroup.freeze"), "1"), 0);
	pid[2] = child_in("k");
	CHECK_EQ(put(at("k", "cgroup.kill"), "0"), ERANGE);
	CHECK_EQ(put(at("k", "cgroup.kill"), "1"), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ut_wait(pid[i]), UT_SIGNALLED(SIGKILL));
	is(at("k", "cgroup.procs"), "");
	drop("k/l");
	drop("k");
	leave();
}

static void *thread_main(void *arg)
{
	char s[16];

	snprintf(s, sizeof(s), "%d", (int)syscall(SYS_gettid));
	*(int *)arg = put(at("t/1", "cgroup.threads"), s);
	if (!*(int *)arg &&
	    strcmp(get(at("t/1", "cgroup.threads")), strcat(s, "\n")))
		*(int *)arg = -1;
	return NULL;
}

TEST(cgroup, threaded)
{
	char want[32];
	pthread_t t;
	int r = -1;

	enter_top();
	group("t");
	group("t/1");
	group("t/2");
	CHECK_EQ(put(at("t/1", "cgroup.type"), "domain"), EINVAL);
	put_pid("t", getpid());
	snprintf(want, sizeof(want), "%d", getpid());
	CHECK_EQ(put(at("t/1", "cgroup.threads"), want), EOPNOTSUPP);
	CHECK_EQ(put(at("t/1", "cgroup.type"), "threaded"), 0);
	is(at("t", "cgroup.type"), "domain threaded\n");
	is(at("t/1", "cgroup.type"), "threaded\n");
	is(at("t/2", "cgroup.type"), "domain invalid\n");
	CHECK_EQ(put(at("t/2", "cgroup.procs"), "0"), EOPNOTSUPP);
	CHECK_EQ(put(at("t/1", "cgroup.kill"), "1"), EOPNOTSUPP);
	is(at("t/1", "cgroup.procs"), strerror(EOPNOTSUPP));
	CHECK_EQ(pthread_create(&t, NULL, thread_main, &r), 0);
	pthread_join(t, NULL);
	CHECK_EQ(r, 0);
	strcat(want, "\n");
	is(at("t", "cgroup.procs"), want);
	is(at("t", "cgroup.threads"), want);
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	drop("t/1");
	drop("t/2");
	drop("t");
	leave();
}

TEST(cgroup, clone_into)
{
	struct clone_args3 a = { .flags = INTO_CGROUP, .exit_signal = SIGCHLD };
	char path[64];
	int fd;
	long pid;

	enter_top();
	group("c");
	fd = open(at("", "c"), O_PATH | O_DIRECTORY);
	CHECK_OK(fd);
	a.cgroup = (uint64_t)fd;
	pid = syscall(SYS_clone3, &a, sizeof(a));
	CHECK_OK(pid);
	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%ld/cgroup", pid);
	CHECK(strstr(get(path), "/c\n"));
	reap((pid_t)pid);
	CHECK_ERR(syscall(SYS_clone3, &a, 64), EINVAL);
	a.cgroup = (uint64_t)open(".", O_RDONLY);
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EBADF);
	a.cgroup = 1000;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EBADF);
	drop("c");
	a.cgroup = (uint64_t)fd;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), ENOENT);
	leave();
}

static int in_namespace(void *arg)
{
	int fd = *(int *)arg;

	if (unshare(CLONE_NEWCGROUP))
		return 1;
	if (strcmp(get("/proc/self/cgroup"), "0::/\n"))
		return 2;
	if (mkdir("cg2", 0755) || mount("none", "cg2", "cgroup2", 0, NULL))
		return 3;
	if (access("cg2/cgroup.type", F_OK) || access("cg2/inner", F_OK))
		return 4;
	if (!strstr(get("/proc/self/mountinfo"), " / /") &&
	    !strstr(get("/proc/self/mountinfo"), "cg2"))
		return 5;
	if (put("cg2/inner/cgroup.procs", "0"))
		return 6;
	if (strcmp(get("/proc/self/cgroup"), "0::/inner\n"))
		return 7;
	if (setns(fd, CLONE_NEWCGROUP))
		return 8;
	if (!strstr(get("/proc/self/cgroup"), "/n/inner\n"))
		return 9;
	umount("cg2");
	return 0;
}

TEST(cgroup, namespace)
{
	char link[2][64] = { { 0 } };
	int fd = open("/proc/self/ns/cgroup", O_RDONLY), pid;

	CHECK_OK(fd);
	enter_top();
	group("n");
	group("n/inner");
	put_pid("n", getpid());
	pid = ut_fork(in_namespace, &fd);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_OK(readlink("/proc/self/ns/cgroup", link[0], 63));
	CHECK_OK(unshare(CLONE_NEWCGROUP));
	CHECK_OK(readlink("/proc/self/ns/cgroup", link[1], 63));
	CHECK(strcmp(link[0], link[1]));
	CHECK(!strncmp(link[1], "cgroup:[", 8));
	/* seen from below */
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	CHECK_EQ(strcmp(get("/proc/self/cgroup"), "0::/../..\n"), 0);
	drop("n/inner");
	drop("n");
	leave();
}

static int delegated(void *arg)
{
	(void)arg;
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return 1;
	if (mkdir(at("d", "mine"), 0755) || mkdir(at("d", "other"), 0755))
		return 2;
	if (put(at("d/mine", "cgroup.procs"), "0"))
		return 3;
	if (put(at("d/other", "cgroup.procs"), "0"))
		return 4;
	if (put(at("", "cgroup.procs"), "0") != EACCES)
		return 5;
	if (mkdir(at("", "no"), 0755) != -1 || errno != EACCES)
		return 6;
	if (put(at("d", "cgroup.freeze"), "1") != EACCES)
		return 7;
	if (put(at("d/other", "cgroup.freeze"), "0"))
		return 8;
	return put(at("d", "cgroup.procs"), "0") ? 9 : 0;
}

TEST(cgroup, delegation)
{
	pid_t pid;

	enter_top();
	group("d");
	CHECK_OK(chown(at("", "d"), 1000, 1000));
	CHECK_OK(chown(at("d", "cgroup.procs"), 1000, 1000));
	put_pid("d", getpid());
	pid = ut_fork(delegated, NULL);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	drop("d/mine");
	drop("d/other");
	drop("d");
	leave();
}

static int burns(void *arg)
{
	struct rusage ru;
	long ms = *(long *)arg;

	do
		getrusage(RUSAGE_SELF, &ru);
	while (ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000 +
		       ru.ru_stime.tv_sec * 1000 + ru.ru_stime.tv_usec / 1000 <
	       ms);
	return 0;
}

/* A group's time is what its threads used in it. */
TEST(cgroup, cpu_time)
{
	long ms = 100, used;
	pid_t pid;

	enter_top();
	group("u");
	put_pid("u", getpid());
	pid = ut_fork(burns, &ms);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	used = value(at("u", "cpu.stat"), "usage_usec ") / 1000;
	if (used < 90 || used > 300)
		ut_fail(__FILE__, __LINE__, "used %ld ms of 100", used);
	drop("u");
	leave();
}

/* What is used beyond a quota is taken from later periods: so it is kept in the long run,
 * also where a host did not let the hart run that should have looked. */
static void keeps_to(const char *name, long percent, long most_ms)
{
	long was = value(at(name, "cpu.stat"), "usage_usec "), used, t;
	long t0 = ut_now_ms();

	do {
		ut_sleep_ms(1000);
		used = (value(at(name, "cpu.stat"), "usage_usec ") - was) /
		       1000;
		t = ut_now_ms() - t0;
	} while (used * 100 > t * percent && t < most_ms);
	if (used * 100 > t * percent)
		ut_fail(__FILE__, __LINE__, "%ld of %ld ms", used, t);
}

TEST(cgroup, cpu_max)
{
	long was;
	pid_t pid;
	int i;

	enter_top();
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (put("cg/cgroup.subtree_control", "+cpu"))
		ut_skip("no cpu controller");
	group("m");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpu"), 0);
	is(at("m", "cpu.max"), "max 100000\n");
	CHECK_EQ(put(at("m", "cpu.max"), "10 100000"), EINVAL);
	CHECK_EQ(put(at("m", "cpu.max"), "10000 2000000"), EINVAL);
	CHECK_EQ(put(at("m", "cpu.max"), "x"), EINVAL);
	CHECK_EQ(put(at("m", "cpu.max"), "10000 50000"), 0);
	is(at("m", "cpu.max"), "10000 50000\n");
	pid = ut_fork(counts, NULL);
	CHECK(pid > 0);
	put_pid("m", pid);
	ut_sleep_ms(100);
	keeps_to("m", 30, 6000);
	/* A host that lets the counter run little has little to throttle. */
	for (i = 0; i < 60 && value(at("m", "cpu.stat"), "nr_throttled ") <= 5;
	     i++)
		ut_sleep_ms(100);
	was = value(at("m", "cpu.stat"), "nr_throttled ");
	if (was <= 5)
		ut_fail(__FILE__, __LINE__, "%ld of %ld periods", was,
			value(at("m", "cpu.stat"), "nr_periods "));
	CHECK(value(at("m", "cpu.stat"), "throttled_usec ") > 100000);
	CHECK_EQ(put(at("m", "cpu.max"), "max"), 0);
	was = value(at("m", "cpu.stat"), "nr_throttled ");
	ut_sleep_ms(100);
	CHECK_EQ(value(at("m", "cpu.stat"), "nr_throttled "), was);
	reap(pid);
	drop("m");
	leave();
}

/* The handle of a group is its number, and it opens the group. */
TEST(cgroup, handles)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} u = { .h.handle_bytes = 8 };
	struct stat st, back;
	int mnt, root, fd;

	enter_top();
	CHECK_OK(mkdir(at("", "a"), 0755));
	CHECK_OK(mkdir(at("a", "b"), 0755));
	CHECK_OK(name_to_handle_at(AT_FDCWD, at("a", "b"), &u.h, &mnt, 0));
	CHECK_EQ(u.h.handle_type, 0xfe);
	CHECK_OK(stat(at("a", "b"), &st));
	CHECK(u.id == st.st_ino);
	CHECK_OK(root = open("cg", O_RDONLY | O_DIRECTORY));
	CHECK_OK(fd = open_by_handle_at(root, &u.h, O_RDONLY | O_DIRECTORY));
	CHECK_OK(fstat(fd, &back));
	CHECK(back.st_ino == st.st_ino && S_ISDIR(back.st_mode));
	CHECK_OK(faccessat(fd, "cgroup.procs", F_OK, 0));
	close(fd);
	CHECK_OK(rmdir(at("a", "b")));
	CHECK_ERR(open_by_handle_at(root, &u.h, O_RDONLY), ESTALE);
	CHECK_OK(rmdir(at("", "a")));
	close(root);
	CHECK_OK(rmdir(top));
}
