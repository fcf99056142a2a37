/* SPDX-License-Identifier: MIT */
/*
 * user/tests/perf.c - perf_event_open(2): what it refuses, and that counts add up.
 */
#include "utest.h"

#include "perf_event.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

TEST(perf, attr_sizes)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	static const unsigned int sizes[] = { 64, 72, 80, 96, 104, 112, 120 };
	char big[512];
	int fd;

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		a.size = sizes[i];
		NEED(fd = open_event(&a, 0, -1, -1, 0));
		close(fd);
	}
	a.size = 0; /* version 0 */
	CHECK_OK(fd = open_event(&a, 0, -1, -1, 0));
	close(fd);
	a.size = 63;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), E2BIG);
	CHECK(a.size >= 64);
	a.size = 5000;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), E2BIG);
	memset(big, 0, sizeof(big));
	a.size = sizeof(big);
	memcpy(big, &a, sizeof(a));
	CHECK_OK(fd = open_event((void *)big, 0, -1, -1, 0));
	close(fd);
	big[400] = 1;
	CHECK_ERR(open_event((void *)big, 0, -1, -1, 0), E2BIG);
	CHECK_ERR(open_event(NULL, 0, -1, -1, 0), EFAULT);
}

TEST(perf, refuses)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);

	CHECK_ERR(open_event(&a, -1, -1, -1, 0), EINVAL);
	CHECK_ERR(open_event(&a, 0, 9999, -1, 0), EINVAL);
	CHECK_ERR(open_event(&a, 0, -1, 9999, 0), EBADF);
	CHECK_ERR(open_event(&a, 0, -1, 0, 0), EBADF);
	CHECK_ERR(open_event(&a, 0, -1, -1, 1 << 10), EINVAL);
	CHECK_ERR(open_event(&a, 0x3ffffff, -1, -1, 0), ESRCH);
	a.read_format = 1 << 20;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a.read_format = 0;
	a.sample_type = 1ull << 40;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a = attr_of(99, 0);
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), ENOENT);
	a = attr_of(PERF_TYPE_HW_CACHE, 0xffffff);
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	a.freq = 1;
	a.sample_freq = 1 << 30;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
}

TEST(perf, on_and_off)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	unsigned long long n, m;
	int fd;

	a.disabled = 1;
	a.exclude_kernel = 1;
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	loop(1000);
	CHECK_EQ(count_of(fd), 0);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	loop(100000);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
	n = count_of(fd);
	CHECK(n > 0);
	loop(100000);
	CHECK_EQ(count_of(fd), n);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	loop(100000);
	m = count_of(fd);
	CHECK(m > n);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_RESET, 0));
	CHECK_EQ(count_of(fd), 0);
	close(fd);
}

TEST(perf, groups)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	unsigned long long r[16], id;
	int lead, sib, other;

	a.disabled = 1;
	a.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID |
			PERF_FORMAT_TOTAL_TIME_ENABLED |
			PERF_FORMAT_TOTAL_TIME_RUNNING;
	NEED(lead = open_event(&a, 0, -1, -1, 0));
	a.config = PERF_COUNT_HW_CPU_CYCLES;
	a.disabled = 0;
	CHECK_OK(sib = open_event(&a, 0, -1, lead, 0));
	CHECK_ERR(open_event(&a, 0, -1, sib, 0), EINVAL);
	CHECK_ERR(open_event(&a, 0, 0, lead, 0), EINVAL);
	CHECK_OK(ioctl(lead, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP));
	loop(100000);
	CHECK_OK(ioctl(lead, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP));
	CHECK_ERR(read(lead, r, 8), ENOSPC);
	CHECK_EQ(read(lead, r, sizeof(r)), 7 * 8);
	CHECK_EQ(r[0], 2);
	CHECK(r[1] >= r[2] && r[2] > 0);
	CHECK(r[3] > 0 && r[5] > 0);
	CHECK_OK(ioctl(sib, PERF_EVENT_IOC_ID, &id));
	CHECK_EQ(r[6], id);
	/* The leader goes: the other stands alone. */
	close(lead);
	CHECK_EQ(read(sib, r, sizeof(r)), 5 * 8);
	CHECK_EQ(r[0], 1);
	other = open_event(&a, 0, -1, sib, 0);
	CHECK_OK(other);
}

/* A member counts while its leader does. */
TEST(perf, group_leads)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	unsigned long long n;
	int lead, sib;

	a.disabled = 1;
	NEED(lead = open_event(&a, 0, -1, -1, 0));
	a.disabled = 0;
	CHECK_OK(sib = open_event(&a, 0, -1, lead, 0));
	loop(10000);
	CHECK_EQ(count_of(sib), 0);
	CHECK_OK(ioctl(lead, PERF_EVENT_IOC_ENABLE, 0));
	loop(10000);
	CHECK_OK(ioctl(lead, PERF_EVENT_IOC_DISABLE, 0));
	n = count_of(sib);
	CHECK(n > 0);
	loop(10000);
	CHECK_EQ(count_of(sib), n);
}

TEST(perf, sampling)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	struct perf_event_mmap_page *p;
	struct perf_event_header *h;
	struct pollfd pfd;
	int fd;

	a.sample_period = 1000000;
	a.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
	a.wakeup_events = 1;
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	CHECK(mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	      MAP_FAILED); /* not 1 + 2^n pages */
	p = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(p->data_size, 4 * 4096);
	for (long end = ut_now_ms() + 5000; !head_of(p);) {
		CHECK(ut_now_ms() < end);
		loop(1000000);
	}
	h = (void *)((char *)p + 4096);
	CHECK_EQ(h->type, PERF_RECORD_SAMPLE);
	CHECK_EQ(h->size, sizeof(*h) + 24);
	CHECK_EQ(((unsigned int *)(h + 1))[2], getpid());
	pfd = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK(pfd.revents & POLLIN);
	/* A tail that makes no sense, then no buffer at all. */
	p->data_tail = 12345;
	loop(10000000);
	munmap(p, 5 * 4096);
	loop(10000000);
	close(fd);
}

TEST(perf, refuses_as_linux)
{
	static const struct {
		unsigned long long st, rf;
		unsigned int max_stack, user_stack;
		unsigned long long regs;
		int err;
	} bad[] = {
		{ .st = PERF_SAMPLE_REGS_USER, .err = EINVAL },
		{ .st = PERF_SAMPLE_REGS_USER,
		  .regs = 1ull << 32,
		  .err = EINVAL },
		{ .st = PERF_SAMPLE_STACK_USER,
		  .user_stack = 12,
		  .err = EINVAL },
		{ .st = PERF_SAMPLE_STACK_USER,
		  .user_stack = 0xffff,
		  .err = EINVAL },
		{ .st = 1ull << 25, .err = EINVAL },
		{ .rf = 1 << 5, .err = EINVAL },
		{ .st = PERF_SAMPLE_BRANCH_STACK, .err = EOPNOTSUPP },
		{ .st = PERF_SAMPLE_CALLCHAIN,
		  .max_stack = 1000,
		  .err = EOVERFLOW },
	};
	struct perf_event_attr a;
	int fd, fd2;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = attr_of(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
		a.sample_period = 1000000;
		a.sample_type = bad[i].st;
		a.read_format = bad[i].rf;
		a.sample_max_stack = (unsigned short)bad[i].max_stack;
		a.sample_stack_user = bad[i].user_stack;
		a.sample_regs_user = bad[i].regs;
		a.branch_sample_type =
			bad[i].st == PERF_SAMPLE_BRANCH_STACK ? 1 << 3 : 0;
		errno = 0;
		CHECK_EQ(open_event(&a, 0, -1, -1, 0), -1);
		if (errno != bad[i].err)
			CHECK_EQ(errno, bad[i].err + 1000 * (int)i);
	}
	a = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	a.sample_period = 1ull << 63;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a.sample_period = 0;
	a.inherit = 1;
	a.sample_type = PERF_SAMPLE_READ;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a.sample_type = 0;
	CHECK_ERR(open_event(&a, -2, -1, -1, 0), ESRCH);
	CHECK_ERR(open_event(&a, 0, -2, -1, 0), EINVAL);
	CHECK_ERR(open_event(&a, -1, 0, -1, PERF_FLAG_PID_CGROUP), EINVAL);
	/* A group's descriptor counts even where it is no group. */
	CHECK_ERR(open_event(&a, 0, -1, 9999, PERF_FLAG_FD_NO_GROUP), EBADF);
	a.remove_on_exec = 1;
	a.enable_on_exec = 1;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a.remove_on_exec = 0;
	a.inherit = 0;
	a.inherit_thread = 1;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	a = attr_of(PERF_TYPE_BREAKPOINT, 0);
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), ENOENT);
	/* inherit of a group is one thing */
	a = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	a.inherit = 1;
	CHECK_ERR(open_event(&a, 0, -1, fd, 0), EINVAL);
	a.inherit = 0;
	a.pinned = 1;
	CHECK_ERR(open_event(&a, 0, -1, fd, 0), EINVAL);
	a.pinned = 0;
	/* It has no buffer that could be shared; then it has. */
	CHECK_ERR(open_event(&a, 0, -1, fd,
			     PERF_FLAG_FD_NO_GROUP | PERF_FLAG_FD_OUTPUT),
		  EINVAL);
	CHECK(mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) !=
	      MAP_FAILED);
	CHECK_OK(fd2 = open_event(&a, 0, -1, fd,
				  PERF_FLAG_FD_NO_GROUP | PERF_FLAG_FD_OUTPUT));
	close(fd2);
	close(fd);
}

TEST(perf, configs_out_of_range)
{
	struct perf_event_attr a = attr_of(PERF_TYPE_TRACEPOINT, 100000);
	int fd, err;

	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
	/* of a cache three bytes count */
	a = attr_of(PERF_TYPE_HW_CACHE, 0);
	fd = open_event(&a, 0, -1, -1, 0);
	err = fd < 0 ? errno : 0;
	a = attr_of(PERF_TYPE_HW_CACHE, 1 << 24);
	fd = open_event(&a, 0, -1, -1, 0);
	CHECK_EQ(fd < 0 ? errno : 0, err);
}

TEST(perf, requests)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	unsigned long long n = 0, id[2];
	int fd, fd2;

	NEED(fd = open_event(&a, 0, -1, -1, 0));
	CHECK_OK(fd2 = open_event(&a, 0, -1, -1, 0));
	CHECK_ERR(ioctl(fd, _IO('$', 99), 0), ENOTTY);
	/* It does not sample. */
	n = 1000;
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_PERIOD, &n), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_REFRESH, 1), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_PAUSE_OUTPUT, 1), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, fd), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, 0), EBADF);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, fd2), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, 9999), EBADF);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, -1));
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_ID, &id[0]));
	CHECK_OK(ioctl(fd2, PERF_EVENT_IOC_ID, &id[1]));
	CHECK(id[0] != id[1]);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_ID, NULL), EFAULT);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "pid == 1"), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, NULL), EFAULT);
	close(fd2);
	a.config = PERF_COUNT_SW_PAGE_FAULTS;
	CHECK_OK(fd2 = open_event(&a, 0, -1, -1, 0));
	CHECK_ERR(ioctl(fd2, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &a), EOPNOTSUPP);
	a.type = PERF_TYPE_HARDWARE;
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &a), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_QUERY_BPF, &a), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_BPF, -1), EBADF);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_BPF, fd2), EINVAL);
	close(fd);
	close(fd2);
}

TEST(perf, filters)
{
	struct perf_event_attr a = attr_of(PERF_TYPE_TRACEPOINT, 1);
	static const char *const bad[] = {
		"id",	       "id ==", "id == x", "id = 1",
		"nosuch == 1", "",	"0",	   "comm == 1",
	};
	char s[64];
	int fd;

	/* raw_syscalls:sys_enter has number 1 here */
	if (access("/proc/relay", F_OK))
		ut_skip("not Antler");
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, bad[i]), EINVAL);
	snprintf(s, sizeof(s), "(id == %d || id == 0x%x) && !(common_pid < 1)",
		 SYS_getppid, SYS_getpgid);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "(id == 1"), ENOENT);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "id == 1)"), EPERM);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "comm == \"a"), ESRCH);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, s));
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, s), EEXIST);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_RESET, 0));
	for (int i = 0; i < 10; i++) {
		syscall(SYS_getppid);
		syscall(SYS_getpgid, 0);
		syscall(SYS_getuid);
	}
	CHECK_EQ(count_of(fd), 20);
	close(fd);
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	prctl(PR_SET_NAME, "perf name");
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_SET_FILTER,
		       "comm ~ \"*f n?me\" && CPU & CPUS{0-63}"));
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_RESET, 0));
	syscall(SYS_getuid);
	prctl(PR_SET_NAME, "other");
	syscall(SYS_getuid);
	syscall(SYS_getuid);
	/* the reset's own read, getuid, and prctl that ends it */
	CHECK(count_of(fd) >= 2 && count_of(fd) <= 4);
	close(fd);
}

/* More often than may be: a record says so, and samples know what they stand for. */
TEST(perf, throttled)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
	struct perf_event_mmap_page *p;
	struct perf_event_header *h;
	int fd, held = 0, several = 0;

	if (access("/proc/relay", F_OK))
		ut_skip("not Antler");
	a.sample_period = 1000;
	a.sample_type = PERF_SAMPLE_PERIOD;
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	p = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	for (long end = ut_now_ms() + 5000; head_of(p) < 2000;) {
		CHECK(ut_now_ms() < end);
		loop(1000000);
	}
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
	for (unsigned long long at = 0; at < head_of(p); at += h->size) {
		h = (void *)((char *)p + 4096 + at);
		held += h->type == PERF_RECORD_THROTTLE;
		several += h->type == PERF_RECORD_SAMPLE &&
			   *(unsigned long long *)(h + 1) > 2000;
		if (at > 3000)
			break;
	}
	CHECK(held > 0 && several > 0);
}

/* Every member of a group is in a sample, however large it is. */
TEST(perf, sampled_group)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	struct perf_event_mmap_page *p;
	unsigned long long *w, r[2];
	int fd, nr[2] = { 3, 60 };

	for (int k = 0; k < 2; k++) {
		int sib[60];

		a.sample_period = 1000000;
		a.sample_type = PERF_SAMPLE_READ;
		a.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID;
		a.disabled = 1;
		NEED(fd = open_event(&a, 0, -1, -1, 0));
		p = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 0);
		CHECK(p != MAP_FAILED);
		a.sample_period = 0;
		a.disabled = 0;
		for (int i = 0; i < nr[k]; i++)
			CHECK_OK(sib[i] = open_event(&a, 0, -1, fd, 0));
		CHECK_OK(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
		for (int i = 0; i < 60; i++)
			loop(1000000);
		CHECK_OK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
		w = (void *)((char *)p + 4096);
		CHECK(head_of(p) > 0);
		CHECK_EQ(w[0] >> 48, 8 + 8 * (1 + 2 * (nr[k] + 1)));
		CHECK_EQ(w[1], nr[k] + 1);
		CHECK_OK(ioctl(sib[nr[k] - 1], PERF_EVENT_IOC_ID, &r[0]));
		CHECK_EQ(w[3 + 2 * nr[k]], r[0]);
		for (int i = 0; i < nr[k]; i++)
			close(sib[i]);
		munmap(p, 5 * 4096);
		close(fd);
	}
}

/* What the program reads by itself, by the protocol of the mapped page. */
static unsigned long long read_self(const struct perf_event_mmap_page *p)
{
	unsigned long long n, pmc = 0;
	unsigned int seq, index;

	do {
		seq = __atomic_load_n(&p->lock, __ATOMIC_ACQUIRE);
		index = p->index;
		n = (unsigned long long)p->offset;
		if (index == 1)
			__asm__ volatile("csrr %0, cycle" : "=r"(pmc));
		else if (index == 3)
			__asm__ volatile("csrr %0, instret" : "=r"(pmc));
		n += pmc;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while ((seq & 1) ||
		 seq != __atomic_load_n(&p->lock, __ATOMIC_ACQUIRE));
	CHECK(index == 1 || index == 3);
	return n;
}

TEST(perf, read_by_itself)
{
	static const unsigned int what[] = { PERF_COUNT_HW_INSTRUCTIONS,
					     PERF_COUNT_HW_CPU_CYCLES };

	for (int i = 0; i < 2; i++) {
		struct perf_event_attr a = attr_of(PERF_TYPE_HARDWARE, what[i]);
		struct perf_event_mmap_page *p;
		unsigned long long n[4], m[4];
		int fd;

		a.exclude_kernel = i == 0;
		fd = open_event(&a, 0, -1, -1, 0);
		if (fd < 0 && a.exclude_kernel && errno == EINVAL)
			continue; /* Linux without Sscofpmf */
		NEED(fd);
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		CHECK(p != MAP_FAILED);
		if (!p->cap_user_rdpmc)
			ut_skip("perf_user_access is 0");
		CHECK(p->cap_user_time);
		CHECK_EQ(p->index, i ? 1 : 3);
		/* Ever more, and between two of the kernel's values; of instructions
		 * the reading is ahead by the way out of the kernel, which on QEMU
		 * is a time and may be long (pcount self is exact). */
		for (int k = 0; k < 200; k++) {
			m[0] = count_of(fd);
			n[0] = read_self(p);
			loop(1000);
			n[1] = read_self(p);
			if (k % 8 == 0)
				sched_yield();
			n[2] = read_self(p);
			m[1] = count_of(fd);
			CHECK(n[0] && m[0] < m[1]);
			if (what[i] == PERF_COUNT_HW_CPU_CYCLES)
				CHECK(m[0] <= n[0] && n[0] < n[1] &&
				      n[1] < n[2] && n[2] <= m[1]);
		}
		CHECK_OK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
		CHECK_EQ(p->index, 0);
		CHECK_EQ((unsigned long long)p->offset, count_of(fd));
		munmap(p, 4096);
		close(fd);
	}
}

static int child_loop(void *arg)
{
	loop(*(unsigned long *)arg);
	return 0;
}

TEST(perf, inherit)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS);
	unsigned long n = 1000;
	unsigned long long before, after;
	int fd, alone;

	NEED(alone = open_event(&a, 0, -1, -1, 0));
	a.inherit = 1;
	CHECK_OK(fd = open_event(&a, 0, -1, -1, 0));
	before = count_of(fd) - count_of(alone);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(ut_wait(ut_fork(child_loop, &n)), 0);
	after = count_of(fd) - count_of(alone);
	CHECK(after > before);
}

TEST(perf, dead_task)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	unsigned long n = 50000000;
	pid_t pid = ut_fork(child_loop, &n);
	unsigned long long t;
	int fd;

	NEED(fd = open_event(&a, pid, -1, -1, 0));
	CHECK_EQ(ut_wait(pid), 0);
	t = count_of(fd);
	CHECK(t > 0);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	CHECK_EQ(count_of(fd), t);
	CHECK_ERR(open_event(&a, pid, -1, -1, 0), ESRCH);
}

TEST(perf, permission)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	int fd;

	if (geteuid())
		ut_skip("not root");
	CHECK_OK(setresuid(1000, 1000, 1000));
	fd = open_event(&a, 0, -1, -1, 0);
	if (fd >= 0)
		ut_skip("perf_event_paranoid is below 2");
	CHECK(errno == EACCES || errno == ENOSYS);
	a.exclude_kernel = 1;
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	CHECK_ERR(open_event(&a, -1, 0, -1, 0), EACCES);
	CHECK_ERR(open_event(&a, 1, -1, -1, 0), EACCES);
}
