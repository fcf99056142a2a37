/* SPDX-License-Identifier: MIT */
/* user/tests/cgroup_weight.c - how groups share a CPU: cpu.weight, cpu.idle. */
#include "cgroup.h"

static void enter_cpu(void)
{
	enter_top();
	if (put("cg/cgroup.subtree_control", "+cpu"))
		ut_skip("no cpu controller");
	CHECK_EQ(put(at("", "cgroup.subtree_control"), "+cpu"), 0);
	group("a");
	group("b");
}

TEST(cgroup_weight, files)
{
	enter_cpu();
	is(at("a", "cpu.weight"), "100\n");
	is(at("a", "cpu.weight.nice"), "0\n");
	is(at("a", "cpu.idle"), "0\n");
	CHECK_EQ(put(at("a", "cpu.weight"), "0"), ERANGE);
	CHECK_EQ(put(at("a", "cpu.weight"), "10001"), ERANGE);
	CHECK_EQ(put(at("a", "cpu.weight"), "x"), EINVAL);
	CHECK_EQ(put(at("a", "cpu.weight"), "10000"), 0);
	is(at("a", "cpu.weight"), "10000\n");
	is(at("a", "cpu.weight.nice"), "-20\n");
	CHECK_EQ(put(at("a", "cpu.weight.nice"), "-21"), ERANGE);
	CHECK_EQ(put(at("a", "cpu.weight.nice"), "20"), ERANGE);
	CHECK_EQ(put(at("a", "cpu.weight.nice"), "5"), 0);
	is(at("a", "cpu.weight"), "33\n");
	is(at("a", "cpu.weight.nice"), "5\n");
	CHECK_EQ(put(at("a", "cpu.weight.nice"), "-20"), 0);
	is(at("a", "cpu.weight"), "8668\n");
	CHECK_EQ(put(at("a", "cpu.idle"), "2"), EINVAL);
	CHECK_EQ(put(at("a", "cpu.idle"), "1"), 0);
	CHECK_EQ(put(at("a", "cpu.weight"), "100"), EINVAL);
	CHECK_EQ(put(at("a", "cpu.idle"), "0"), 0);
	is(at("a", "cpu.weight"), "100\n");
	CHECK_ERR(open("cg/cpu.weight", O_RDONLY), ENOENT);
	drop("a");
	drop("b");
	leave();
}

/* On one CPU that all of them have to share. */
static int counts_pinned(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return 1;
	return counts(arg);
}

static pid_t burner(const char *name)
{
	pid_t pid = ut_fork(counts_pinned, NULL);

	CHECK(pid > 0);
	put_pid(name, pid);
	return pid;
}

static long used_us(const char *name)
{
	return value(at(name, "cpu.stat"), "usage_usec ");
}

/* What "b" gets when "a" gets 100, in some time. */
static long ratio(void)
{
	long a = used_us("a"), b = used_us("b");

	ut_sleep_ms(1500);
	a = used_us("a") - a;
	b = used_us("b") - b;
	return a > 0 ? 100 * b / a : 100000;
}

static void about(const char *what, long got, long want)
{
	if (got < want * 6 / 10 || got > want * 22 / 10)
		ut_fail(__FILE__, __LINE__, "%s: %ld, not %ld", what, got,
			want);
}

TEST(cgroup_weight, shares)
{
	pid_t pid[4];

	enter_cpu();
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid[0] = burner("a");
	pid[1] = burner("b");
	pid[2] = burner("b");
	pid[3] = burner("b");
	/* groups share, whoever is in them */
	about("equal", ratio(), 100);
	CHECK_EQ(put(at("b", "cpu.weight"), "400"), 0);
	about("more", ratio(), 400);
	CHECK_EQ(put(at("b", "cpu.weight"), "25"), 0);
	about("less", ratio(), 25);
	CHECK_EQ(put(at("b", "cpu.idle"), "1"), 0);
	CHECK(ratio() < 60);
	for (int i = 0; i < 4; i++)
		reap(pid[i]);
	drop("a");
	drop("b");
	leave();
}
