/* SPDX-License-Identifier: MIT */
/* user/tests/perf_event.h - what the tests of perf_event_open(2) share. */
#ifndef USER_TESTS_PERF_EVENT_H
#define USER_TESTS_PERF_EVENT_H

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static inline int open_event(struct perf_event_attr *a, pid_t pid, int cpu,
			     int group, unsigned long flags)
{
	return (int)syscall(SYS_perf_event_open, a, pid, cpu, group, flags);
}

static inline struct perf_event_attr attr_of(unsigned int type,
					     unsigned long long config)
{
	struct perf_event_attr a;

	memset(&a, 0, sizeof(a));
	a.type = type;
	a.size = sizeof(a);
	a.config = config;
	return a;
}

static inline unsigned long long count_of(int fd)
{
	unsigned long long n[16] = { 0 };

	CHECK(read(fd, n, sizeof(n)) >= 8);
	return n[0];
}

/* Exactly 2 * n instructions between two labels. */
static inline void loop(unsigned long n)
{
	__asm__ volatile(".option push\n"
			 ".option norvc\n"
			 "1:	addi %0, %0, -1\n"
			 "	bnez %0, 1b\n"
			 ".option pop\n"
			 : "+r"(n));
}

static inline unsigned long long head_of(const struct perf_event_mmap_page *p)
{
	return __atomic_load_n(&p->data_head, __ATOMIC_ACQUIRE);
}

#endif /* USER_TESTS_PERF_EVENT_H */
