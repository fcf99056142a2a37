/* SPDX-License-Identifier: MIT */
/*
 * user/tests/cgroup_memory.c - the controller memory: what is charged to whom, and
 * what happens at its limits.
 */
#include "cgroup.h"

#include <linux/magic.h>
#include <poll.h>
#include <sys/vfs.h>

#define MB (1l << 20)

/* The group "m" with the controller, in an own group that has it, too. */
static void enter_memory(void)
{
	enter_top();
	if (put("cg/cgroup.subtree_control", "+memory"))
		ut_skip("no memory controller");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+memory"), 0);
	group("m");
}

static long bytes(const char *group, const char *file)
{
	return atol(get(at(group, file)));
}

static long stat_of(const char *group, const char *key)
{
	return value(at(group, "memory.stat"), key);
}

static void between(const char *what, long v, long from, long to)
{
	if (v < from || v > to)
		ut_fail(__FILE__, __LINE__, "%s: %ld, not %ld to %ld", what, v,
			from, to);
}

/* What a child does in group "m", after "go" was written; then it says so and waits. */
struct job {
	const char *group;
	long mb;
	int (*fn)(long mb);
	int go[2], done[2];
};

static int job_main(void *arg)
{
	struct job *j = arg;
	char c = 0;
	int r;

	if (read(j->go[0], &c, 1) != 1)
		return 99;
	r = j->fn(j->mb);
	if (r)
		return r;
	if (write(j->done[1], &c, 1) != 1)
		return 98;
	return read(j->go[0], &c, 1) == 1 ? 0 : 97;
}

static pid_t job_start(struct job *j)
{
	pid_t pid;

	CHECK_OK(pipe(j->go));
	CHECK_OK(pipe(j->done));
	pid = ut_fork(job_main, j);
	CHECK(pid > 0);
	put_pid(j->group, pid);
	CHECK_EQ(write(j->go[1], "", 1), 1);
	close(j->done[1]);
	return pid;
}

/* Did it come so far? */
static int job_done(struct job *j)
{
	char c;

	return read(j->done[0], &c, 1) == 1;
}

static int job_end(struct job *j, pid_t pid)
{
	CHECK_EQ(write(j->go[1], "", 1), 1);
	close(j->go[0]);
	close(j->go[1]);
	close(j->done[0]);
	return ut_wait(pid);
}

/* From its start to its end: what it did is charged. */
static void job_run(struct job *j)
{
	pid_t pid = job_start(j);

	CHECK(job_done(j));
	CHECK_EQ(job_end(j, pid), 0);
}

/* --- jobs */

static char *touched; /* last, and how much */
static size_t nr_touched;

static int munmap_all(void)
{
	int err = touched ? munmap(touched, nr_touched) : 0;

	touched = NULL;
	return err;
}

static int touch_anon(long mb)
{
	char *p = mmap(NULL, (size_t)(mb * MB), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	for (long i = 0; i < mb * MB; i += 4096)
		p[i] = 1;
	touched = p;
	nr_touched = (size_t)(mb * MB);
	return 0;
}

static int file_fd = -1;

/* A file without a name on a disk, which the memory here is not. */
static void open_file(void)
{
	static const char *const dir[] = { ".", "/", "/root" };
	struct statfs sf;

	for (int i = 0; i < 3; i++) {
		char path[64];

		if (statfs(dir[i], &sf) || sf.f_type == TMPFS_MAGIC)
			continue;
		snprintf(path, sizeof(path), "%s/utest.%d", dir[i], getpid());
		file_fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		unlink(path);
		if (file_fd >= 0)
			return;
	}
	ut_skip("no disk to write to");
}

static int write_file(long mb)
{
	static char buf[65536];

	for (long i = 0; i < mb * MB; i += (long)sizeof(buf))
		if (pwrite(file_fd, buf, sizeof(buf), i) !=
		    (ssize_t)sizeof(buf))
			return 2;
	return 0;
}

static int read_file(long mb)
{
	static char buf[65536];

	for (long i = 0; i < mb * MB; i += (long)sizeof(buf))
		if (pread(file_fd, buf, sizeof(buf), i) != (ssize_t)sizeof(buf))
			return 2;
	return 0;
}

static int fill_memfd_fd = -1;

static int fill_memfd(long mb)
{
	static char buf[65536];

	for (long i = 0; i < mb * MB; i += (long)sizeof(buf))
		if (write(fill_memfd_fd, buf, sizeof(buf)) !=
		    (ssize_t)sizeof(buf))
			return 2;
	return 0;
}

/* --- tests */

TEST(cgroup_memory, files)
{
	enter_memory();
	is(at("m", "memory.max"), "max\n");
	is(at("m", "memory.high"), "max\n");
	is(at("m", "memory.low"), "0\n");
	is(at("m", "memory.min"), "0\n");
	is(at("m", "memory.oom.group"), "0\n");
	is(at("m", "memory.current"), "0\n");
	CHECK(strstr(get(at("m", "memory.events")),
		     "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"
		     "oom_group_kill 0\n"));
	CHECK_EQ(put(at("m", "memory.max"), "16M"), 0);
	is(at("m", "memory.max"), "16777216\n");
	CHECK_EQ(put(at("m", "memory.max"), "1000000"), 0);
	is(at("m", "memory.max"), "999424\n");
	CHECK_EQ(put(at("m", "memory.max"), "x"), EINVAL);
	CHECK_EQ(put(at("m", "memory.max"), "1x"), EINVAL);
	CHECK_EQ(put(at("m", "memory.max"), "max"), 0);
	is(at("m", "memory.max"), "max\n");
	CHECK_EQ(put(at("m", "memory.low"), "1g"), 0);
	is(at("m", "memory.low"), "1073741824\n");
	CHECK_EQ(put(at("m", "memory.oom.group"), "2"), EINVAL);
	CHECK_EQ(put(at("m", "memory.oom.group"), "1"), 0);
	is(at("m", "memory.oom.group"), "1\n");
	CHECK_ERR(open("cg/memory.max", O_RDONLY), ENOENT);
	CHECK(value("cg/memory.stat", "anon ") > 0);
	/* the controller is taken away, and all that was set with it */
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "-memory"), 0);
	CHECK_ERR(open(at("m", "memory.max"), O_RDONLY), ENOENT);
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+memory"), 0);
	is(at("m", "memory.low"), "0\n");
	drop("m");
	leave();
}

/* Memory is a matter of domains: threaded groups have none. */
TEST(cgroup_memory, not_threaded)
{
	enter_memory();
	group("m/t");
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), 0);
	CHECK_EQ(put(at("m/t", "cgroup.type"), "threaded"), EOPNOTSUPP);
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "-memory"), 0);
	CHECK_EQ(put(at("m/t", "cgroup.type"), "threaded"), 0);
	is(at("m/t", "cgroup.controllers"), "");
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), EOPNOTSUPP);
	drop("m/t");
	/* nor may a group that has processes give it to others */
	group("m/s");
	put_pid("m", getpid());
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), EBUSY);
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), 0);
	CHECK_EQ(put(at("m", "cgroup.procs"), "0"), EBUSY);
	drop("m/s");
	drop("m");
	leave();
}

TEST(cgroup_memory, anonymous)
{
	struct job j = { .group = "m", .mb = 8, .fn = touch_anon };
	pid_t pid;

	enter_memory();
	pid = job_start(&j);
	CHECK(job_done(&j));
	between("current", bytes("m", "memory.current"), 8 * MB, 10 * MB);
	between("above", bytes("", "memory.current"), 8 * MB, 12 * MB);
	between("anon", stat_of("m", "anon "), 8 * MB, 10 * MB);
	between("tables", stat_of("m", "pagetables "), 4096, MB);
	CHECK(stat_of("m", "kernel_stack ") >= 0);
	/* a move moves no charge */
	CHECK_EQ(put("cg/cgroup.procs", "0"), 0);
	group("n");
	put_pid("n", pid);
	between("left", bytes("m", "memory.current"), 8 * MB, 10 * MB);
	between("moved", bytes("n", "memory.current"), 0, MB);
	CHECK_EQ(job_end(&j, pid), 0);
	for (int i = 0; bytes("m", "memory.current") > MB; i++) {
		CHECK(i < 200);
		ut_sleep_ms(10);
	}
	between("peak", bytes("m", "memory.peak"), 8 * MB, 10 * MB);
	between("faults", stat_of("m", "pgfault "), 1, 1000000);
	drop("n");
	drop("m");
	leave();
}

/* Pages of files in memory outlive who made them. */
TEST(cgroup_memory, shmem)
{
	struct job j = { .group = "m", .mb = 8, .fn = fill_memfd };

	enter_memory();
	fill_memfd_fd = memfd_create("x", 0);
	CHECK_OK(fill_memfd_fd);
	job_run(&j);
	between("current", bytes("m", "memory.current"), 8 * MB, 10 * MB);
	between("shmem", stat_of("m", "shmem "), 8 * MB, 10 * MB);
	between("file", stat_of("m", "file "), 8 * MB, 10 * MB);
	CHECK_OK(ftruncate(fill_memfd_fd, 0));
	for (int i = 0; bytes("m", "memory.current") > MB; i++) {
		CHECK(i < 200);
		ut_sleep_ms(10);
	}
	drop("m");
	leave();
}

TEST(cgroup_memory, max_kills)
{
	struct job j = { .group = "m", .mb = 40, .fn = touch_anon };
	struct pollfd pf = { .events = POLLPRI };
	char buf[256];
	pid_t pid;

	enter_memory();
	CHECK_EQ(put(at("m", "memory.max"), "16M"), 0);
	put(at("m", "memory.swap.max"), "0");
	pf.fd = open(at("m", "memory.events"), O_RDONLY);
	CHECK(read(pf.fd, buf, sizeof(buf)) > 0);
	pid = job_start(&j);
	CHECK(!job_done(&j));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_EQ(poll(&pf, 1, 3000), 1);
	CHECK_EQ(value(at("m", "memory.events"), "oom_kill "), 1);
	CHECK(value(at("m", "memory.events"), "max ") >= 1);
	CHECK(value(at("m", "memory.events"), "oom ") >= 1);
	CHECK_EQ(value(at("m", "memory.events"), "oom_group_kill "), 0);
	between("peak", bytes("m", "memory.peak"), 15 * MB, 17 * MB);
	drop("m");
	leave();
}

/* The limit of a group above; the victim is one of those below it. */
TEST(cgroup_memory, max_above)
{
	struct job j = { .group = "m/a", .mb = 40, .fn = touch_anon };
	struct job k = { .group = "m/b", .mb = 4, .fn = touch_anon };
	pid_t pid, other;

	enter_memory();
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), 0);
	group("m/a");
	group("m/b");
	CHECK_EQ(put(at("m", "memory.max"), "16M"), 0);
	put(at("m", "memory.swap.max"), "0");
	other = job_start(&k);
	CHECK(job_done(&k));
	pid = job_start(&j);
	CHECK(!job_done(&j));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_EQ(value(at("m", "memory.events"), "oom_kill "), 1);
	CHECK_EQ(value(at("m/a", "memory.events"), "oom_kill "), 1);
	CHECK_EQ(value(at("m/b", "memory.events"), "oom_kill "), 0);
	CHECK_EQ(value(at("m", "memory.events.local"), "oom_kill "), 0);
	CHECK_EQ(value(at("m/a", "memory.events.local"), "oom_kill "), 1);
	CHECK(value(at("m", "memory.events.local"), "oom ") >= 1);
	CHECK_EQ(value(at("m/a", "memory.events.local"), "oom "), 0);
	CHECK_EQ(job_end(&k, other), 0);
	drop("m/a");
	drop("m/b");
	drop("m");
	leave();
}

TEST(cgroup_memory, oom_group)
{
	struct job j = { .group = "m/a", .mb = 40, .fn = touch_anon };
	pid_t pid, other;

	enter_memory();
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), 0);
	group("m/a");
	CHECK_EQ(put(at("m/a", "memory.oom.group"), "1"), 0);
	CHECK_EQ(put(at("m", "memory.max"), "16M"), 0);
	put(at("m", "memory.swap.max"), "0");
	other = child_in("m/a");
	pid = job_start(&j);
	CHECK(!job_done(&j));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_EQ(ut_wait(other), UT_SIGNALLED(SIGKILL));
	/* Linux counts the one that it chose twice */
	CHECK(value(at("m/a", "memory.events"), "oom_kill ") >= 2);
	CHECK_EQ(value(at("m/a", "memory.events"), "oom_group_kill "), 1);
	CHECK_EQ(value(at("m", "memory.events"), "oom_group_kill "), 1);
	CHECK_EQ(value(at("m", "memory.events.local"), "oom_group_kill "), 0);
	drop("m/a");
	drop("m");
	leave();
}

/* Files are larger than what a group may have: nobody has to die. */
TEST(cgroup_memory, files_fit)
{
	struct job j = { .group = "m", .mb = 32, .fn = write_file };
	pid_t pid;

	open_file();
	enter_memory();
	CHECK_EQ(put(at("m", "memory.max"), "12M"), 0);
	put(at("m", "memory.swap.max"), "0");
	pid = job_start(&j);
	CHECK(job_done(&j));
	between("written", bytes("m", "memory.current"), MB, 12 * MB);
	CHECK_EQ(job_end(&j, pid), 0);
	j.fn = read_file;
	pid = job_start(&j);
	CHECK(job_done(&j));
	between("read", bytes("m", "memory.current"), MB, 12 * MB);
	between("file", stat_of("m", "file "), MB, 12 * MB);
	CHECK_EQ(job_end(&j, pid), 0);
	CHECK(value(at("m", "memory.events"), "max ") >= 1);
	CHECK_EQ(value(at("m", "memory.events"), "oom_kill "), 0);
	/* a lower limit takes from what is there */
	CHECK_EQ(put(at("m", "memory.max"), "4M"), 0);
	between("lowered", bytes("m", "memory.current"), 0, 4 * MB);
	drop("m");
	leave();
}

TEST(cgroup_memory, reclaim)
{
	struct job j = { .group = "m", .mb = 16, .fn = write_file };
	long was;
	pid_t pid;

	open_file();
	enter_memory();
	put(at("m", "memory.swap.max"), "0");
	job_run(&j);
	sync();
	was = bytes("m", "memory.current");
	between("written", was, 16 * MB, 20 * MB);
	CHECK_EQ(put(at("m", "memory.reclaim"), "x"), EINVAL);
	CHECK_EQ(put(at("m", "memory.reclaim"), "4M"), 0);
	between("less", bytes("m", "memory.current"), 8 * MB, was - 3 * MB);
	j.fn = touch_anon;
	pid = job_start(&j);
	CHECK(job_done(&j));
	CHECK_EQ(put(at("m", "memory.reclaim"), "32M"), EAGAIN);
	CHECK(bytes("m", "memory.current") >= 16 * MB);
	CHECK_EQ(job_end(&j, pid), 0);
	drop("m");
	leave();
}

/* Who has more than "high" is slowed down, and lives. */
TEST(cgroup_memory, high)
{
	struct job j = { .group = "m", .mb = 12, .fn = touch_anon };
	pid_t pid;

	open_file();
	enter_memory();
	CHECK_EQ(put(at("m", "memory.high"), "11M"), 0);
	put(at("m", "memory.swap.max"), "0");
	pid = job_start(&j);
	CHECK(job_done(&j));
	CHECK(value(at("m", "memory.events"), "high ") >= 1);
	CHECK_EQ(value(at("m", "memory.events"), "max "), 0);
	between("current", bytes("m", "memory.current"), 12 * MB, 14 * MB);
	CHECK_EQ(job_end(&j, pid), 0);
	/* pages of files are given back instead */
	CHECK_EQ(put(at("m", "memory.high"), "8M"), 0);
	j.fn = write_file;
	j.mb = 24;
	pid = job_start(&j);
	CHECK(job_done(&j));
	between("files", bytes("m", "memory.current"), MB, 12 * MB);
	CHECK_EQ(job_end(&j, pid), 0);
	drop("m");
	leave();
}

/* What is protected stays when others of the same limit give back. */
TEST(cgroup_memory, min)
{
	struct job j = { .group = "m/a", .mb = 8, .fn = write_file };
	pid_t pid;

	open_file();
	enter_memory();
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), 0);
	group("m/a");
	group("m/b");
	CHECK_EQ(put(at("m/a", "memory.min"), "20M"), 0);
	CHECK_EQ(put(at("m", "memory.min"), "20M"), 0);
	put(at("m", "memory.swap.max"), "0");
	job_run(&j);
	sync();
	CHECK_EQ(put(at("m", "memory.max"), "24M"), 0);
	j = (struct job){ .group = "m/b", .mb = 12, .fn = touch_anon };
	pid = job_start(&j);
	CHECK(job_done(&j));
	between("kept", stat_of("m/a", "file "), 7 * MB, 9 * MB);
	CHECK_EQ(put(at("m", "memory.reclaim"), "4M"), EAGAIN);
	between("kept", stat_of("m/a", "file "), 7 * MB, 9 * MB);
	CHECK_EQ(put(at("m/a", "memory.min"), "0"), 0);
	CHECK_EQ(put(at("m", "memory.reclaim"), "4M"), 0);
	between("taken", stat_of("m/a", "file "), 0, 5 * MB);
	CHECK_EQ(job_end(&j, pid), 0);
	drop("m/a");
	drop("m/b");
	drop("m");
	leave();
}

/* What is only meant to stay goes when nothing else is left, and is told. */
TEST(cgroup_memory, low)
{
	struct job j = { .group = "m/a", .mb = 8, .fn = write_file };

	open_file();
	enter_memory();
	CHECK_EQ(put(at("m", "cgroup.subtree_control"), "+memory"), 0);
	group("m/a");
	CHECK_EQ(put(at("m/a", "memory.low"), "20M"), 0);
	CHECK_EQ(put(at("m", "memory.low"), "20M"), 0);
	put(at("m", "memory.swap.max"), "0");
	job_run(&j);
	sync();
	CHECK_EQ(value(at("m/a", "memory.events"), "low "), 0);
	CHECK_EQ(put(at("m", "memory.reclaim"), "4M"), 0);
	CHECK(value(at("m/a", "memory.events"), "low ") >= 1);
	between("taken", stat_of("m/a", "file "), 0, 5 * MB);
	drop("m/a");
	drop("m");
	leave();
}

/* A peak of one's own begins when its file is written to. */
TEST(cgroup_memory, peak)
{
	struct job j = { .group = "m", .mb = 8, .fn = touch_anon };
	char buf[32] = "";
	int fd;

	enter_memory();
	job_run(&j);
	for (int i = 0; bytes("m", "memory.current") > MB; i++) {
		CHECK(i < 200);
		ut_sleep_ms(10);
	}
	fd = open(at("m", "memory.peak"), O_RDWR);
	if (fd < 0)
		ut_skip("memory.peak cannot be written");
	CHECK(pread(fd, buf, sizeof(buf) - 1, 0) > 0);
	between("peak", atol(buf), 8 * MB, 10 * MB);
	CHECK_EQ(write(fd, "r", 1), 1);
	memset(buf, 0, sizeof(buf));
	CHECK(pread(fd, buf, sizeof(buf) - 1, 0) > 0);
	between("since", atol(buf), 0, MB);
	between("always", bytes("m", "memory.peak"), 8 * MB, 10 * MB);
	j.mb = 4;
	job_run(&j);
	memset(buf, 0, sizeof(buf));
	CHECK(pread(fd, buf, sizeof(buf) - 1, 0) > 0);
	between("since", atol(buf), 4 * MB, 6 * MB);
	close(fd);
	drop("m");
	leave();
}

/* --- all at once */

static volatile int *stop;

static int lives(void *arg)
{
	(void)arg;
	while (!*stop) {
		pid_t pid;
		int fd = memfd_create("s", 0);

		if (touch_anon(1))
			return 1;
		if (fd >= 0 && !ftruncate(fd, MB))
			(void)!pwrite(fd, "x", 1, 4096);
		close(fd);
		pid = fork();
		if (!pid)
			_exit(touch_anon(1));
		if (pid > 0)
			waitpid(pid, NULL, 0);
		/* what touch_anon() mapped goes */
		if (munmap_all())
			return 2;
	}
	return 0;
}

static int changes(void *arg)
{
	static const char *const max[] = { "max", "3M", "max", "16M" };

	(void)arg;
	for (int i = 0; !*stop; i++) {
		put(at("", "cgroup.subtree_control"),
		    i % 3 == 2 ? "-memory" : "+memory");
		put(at("m", "memory.max"), max[i % 4]);
		put(at("n", "memory.high"), i % 2 ? "max" : "16M");
		put(at("n", "memory.reclaim"), "1M");
		ut_sleep_ms(3);
	}
	return 0;
}

static int removes(void *arg)
{
	(void)arg;
	while (!*stop) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", getpid());
		mkdir(at("", "gone"), 0755);
		put(at("gone", "cgroup.procs"), pid);
		touch_anon(1);
		munmap_all();
		put(at("m", "cgroup.procs"), pid);
		rmdir(at("", "gone"));
	}
	return 0;
}

/* Threads come, go and move, limits and groups change; nothing is left at the end. */
TEST(cgroup_memory, storm)
{
	pid_t pid[6];
	char s[16];
	long end;

	enter_memory();
	group("n");
	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 4; i++)
		pid[i] = ut_fork(lives, NULL);
	pid[4] = ut_fork(changes, NULL);
	pid[5] = ut_fork(removes, NULL);
	end = ut_now_ms() + 1500;
	for (int i = 0; ut_now_ms() < end; i++) {
		snprintf(s, sizeof(s), "%d", pid[i % 4]);
		put(at(i % 3 ? "m" : "n", "cgroup.procs"), s);
		ut_sleep_ms(3);
	}
	*stop = 1;
	for (int i = 0; i < 6; i++)
		ut_wait(pid[i]); /* some were killed */
	put(at("gone", "cgroup.procs"), "");
	rmdir(at("", "gone"));
	for (int i = 0; bytes("", "memory.current") > MB; i++) {
		CHECK(i < 300);
		ut_sleep_ms(10);
	}
	drop("m");
	drop("n");
	leave();
}
