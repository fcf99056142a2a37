/* SPDX-License-Identifier: MIT */
/* user/tests/cgroup_cpuset.c - on which CPUs a group runs: cpuset.cpus. */
#include "cgroup.h"

static void enter_cpuset(void)
{
	enter_top();
	if (put("cg/cgroup.subtree_control", "+cpuset"))
		ut_skip("no cpuset controller");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpuset"), 0);
	group("a");
}

static unsigned long affinity(pid_t pid)
{
	unsigned long mask[16] = { 0 };

	CHECK_OK(syscall(SYS_sched_getaffinity, pid, sizeof(mask), mask));
	return mask[0];
}

static int set_affinity(pid_t pid, unsigned long mask)
{
	return syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask) ? errno
									: 0;
}

static const char *text(const char *file)
{
	return at("a", file);
}

TEST(cgroup_cpuset, files)
{
	char all[64];

	enter_cpuset();
	snprintf(all, sizeof(all), "%.63s", get("cg/cpuset.cpus.effective"));
	is(text("cpuset.cpus"), "\n");
	is(text("cpuset.mems"), "\n");
	is(text("cpuset.cpus.effective"), all);
	is(text("cpuset.mems.effective"), "0\n");
	CHECK_EQ(put(text("cpuset.cpus"), "0"), 0);
	is(text("cpuset.cpus"), "0\n");
	is(text("cpuset.cpus.effective"), "0\n");
	CHECK_EQ(put(text("cpuset.cpus"), "x"), EINVAL);
	CHECK_EQ(put(text("cpuset.cpus"), "1-0"), EINVAL);
	CHECK_EQ(put(text("cpuset.cpus"), "0-5000"), ERANGE);
	is(text("cpuset.cpus"), "0\n");
	CHECK_EQ(put(text("cpuset.cpus"), "\n"), 0);
	is(text("cpuset.cpus"), "\n");
	is(text("cpuset.cpus.effective"), all);
	CHECK_EQ(put(text("cpuset.mems"), "0"), 0);
	is(text("cpuset.mems"), "0\n");
	CHECK_EQ(put(text("cpuset.mems"), "1"), EINVAL);
	CHECK_ERR(open("cg/cpuset.cpus", O_RDONLY), ENOENT);
	drop("a");
	leave();
}

/* What was asked for comes back when the group may again. */
TEST(cgroup_cpuset, affinity)
{
	unsigned long all = affinity(0);
	pid_t pid;

	if ((all & 3) != 3)
		ut_skip("fewer than two CPUs");
	enter_cpuset();
	pid = child_in("a");
	CHECK_EQ(affinity(pid), all);
	CHECK_EQ(put(text("cpuset.cpus"), "0"), 0);
	CHECK_EQ(affinity(pid), 1);
	CHECK_EQ(set_affinity(pid, 2), EINVAL);
	CHECK_EQ(affinity(pid), 1);
	CHECK_EQ(set_affinity(pid, 3), 0);
	CHECK_EQ(affinity(pid), 1);
	CHECK_EQ(put(text("cpuset.cpus"), "0-1"), 0);
	CHECK_EQ(affinity(pid), 3);
	CHECK_EQ(set_affinity(pid, 2), 0);
	CHECK_EQ(put(text("cpuset.cpus"), "0"), 0);
	CHECK_EQ(affinity(pid), 1); /* there is nothing else */
	CHECK_EQ(put(text("cpuset.cpus"), "\n"),
		 ENOSPC); /* not while he is there */
	CHECK_EQ(put(text("cpuset.cpus"), "0-1"), 0);
	CHECK_EQ(affinity(pid), 2);
	/* out of the group, and into it */
	CHECK_EQ(set_affinity(pid, 3), 0);
	CHECK_EQ(put(text("cpuset.cpus"), "1"), 0);
	CHECK_EQ(affinity(pid), 2);
	group("b");
	put_pid("b", pid);
	CHECK_EQ(affinity(pid), 3);
	put_pid("a", pid);
	CHECK_EQ(affinity(pid), 2);
	reap(pid);
	drop("a");
	drop("b");
	leave();
}

/* A group below has no more than the one above. */
TEST(cgroup_cpuset, below)
{
	unsigned long all = affinity(0);
	pid_t pid;

	if ((all & 3) != 3)
		ut_skip("fewer than two CPUs");
	enter_cpuset();
	group("a/b");
	CHECK_EQ(put(text("cgroup.subtree_control"), "+cpuset"), 0);
	pid = child_in("a/b");
	CHECK_EQ(put(text("cpuset.cpus"), "1"), 0);
	is(at("a/b", "cpuset.cpus.effective"), "1\n");
	CHECK_EQ(put(at("a/b", "cpuset.cpus"), "0-1"), 0);
	is(at("a/b", "cpuset.cpus"), "0-1\n");
	is(at("a/b", "cpuset.cpus.effective"), "1\n");
	CHECK_EQ(put(at("a/b", "cpuset.cpus"), "0"), 0);
	is(at("a/b", "cpuset.cpus.effective"), "1\n");
	CHECK_EQ(affinity(pid), 2);
	CHECK_EQ(put(text("cpuset.cpus"), "0-1"), 0);
	is(at("a/b", "cpuset.cpus.effective"), "0\n");
	CHECK_EQ(affinity(pid), 1);
	CHECK_EQ(put(text("cgroup.subtree_control"), "-cpuset"), 0);
	CHECK_EQ(affinity(pid), 3);
	reap(pid);
	drop("a/b");
	drop("a");
	leave();
}

static int says_cpu(void *arg)
{
	(void)arg;
	for (;;)
		*counter = 1 + (unsigned long)sched_getcpu();
	return 0;
}

static void wait_cpu(unsigned long cpu)
{
	for (int i = 0; *counter != 1 + cpu; i++) {
		CHECK(i < 400);
		ut_sleep_ms(5);
	}
}

/* Who runs where it may not any more has to go. */
TEST(cgroup_cpuset, moves)
{
	unsigned long all = affinity(0);
	pid_t pid;

	if ((all & 3) != 3)
		ut_skip("fewer than two CPUs");
	enter_cpuset();
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = ut_fork(says_cpu, NULL);
	CHECK(pid > 0);
	put_pid("a", pid);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(put(text("cpuset.cpus"), "0"), 0);
		wait_cpu(0);
		CHECK_EQ(put(text("cpuset.cpus"), "1"), 0);
		wait_cpu(1);
	}
	reap(pid);
	drop("a");
	leave();
}
