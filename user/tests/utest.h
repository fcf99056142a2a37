/* SPDX-License-Identifier: MIT */
/*
 * user/tests/utest.h - what the conformance programs are written with.
 *
 * A test is a function that returns when all is as Linux has it.  Each runs
 * in a process of its own, in an empty directory, with a deadline; what it
 * leaves behind dies with its process group.  The same binary runs on Linux,
 * which is how an expectation is proved before Antler is measured by it.
 */
#ifndef USER_TESTS_UTEST_H
#define USER_TESTS_UTEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct utest {
	const char *name; /* suite.test */
	void (*run)(void);
};

/* Define and register a test; the linker gathers them. */
#define TEST(suite, test)                                                      \
	static void suite##_##test(void);                                      \
	static const struct utest ut_##suite##_##test = {                      \
		.name = #suite "." #test, .run = suite##_##test                \
	};                                                                     \
	__attribute__((                                                        \
		section("utests"),                                             \
		used)) static const struct utest *const utp_##suite##_##test = \
		&ut_##suite##_##test;                                          \
	static void suite##_##test(void)

/* End the test as failed (ut_fail) or as not possible here (ut_skip). */
__attribute__((noreturn, format(printf, 3, 4))) void ut_fail(const char *file,
							     int line,
							     const char *fmt,
							     ...);
__attribute__((noreturn)) void ut_skip(const char *why);

#define CHECK(cond)                                                         \
	do {                                                                \
		if (!(cond))                                                \
			ut_fail(__FILE__, __LINE__, "%s (errno %d)", #cond, \
				errno);                                     \
	} while (0)

#define CHECK_EQ(got, want)                                                 \
	do {                                                                \
		long got_ = (long)(got), want_ = (long)(want);              \
		if (got_ != want_)                                          \
			ut_fail(__FILE__, __LINE__,                         \
				"%s is %ld, not %s = %ld (errno %d)", #got, \
				got_, #want, want_, errno);                 \
	} while (0)

#define CHECK_OK(expr)                                               \
	do {                                                         \
		if ((long)(expr) == -1)                              \
			ut_fail(__FILE__, __LINE__, "%s: %s", #expr, \
				strerror(errno));                    \
	} while (0)

#define CHECK_ERR(expr, err)                                                  \
	do {                                                                  \
		long ret_;                                                    \
		errno = 0;                                                    \
		ret_ = (long)(expr);                                          \
		if (ret_ != -1 || errno != (err))                             \
			ut_fail(__FILE__, __LINE__,                           \
				"%s gave %ld, errno %d, not %s", #expr, ret_, \
				errno, #err);                                 \
	} while (0)

/* For calls which the kernel may leave out: ENOSYS skips the test. */
#define NEED(expr)                                                    \
	do {                                                          \
		if ((long)(expr) == -1) {                             \
			if (errno == ENOSYS)                          \
				ut_skip(#expr " is not implemented"); \
			ut_fail(__FILE__, __LINE__, "%s: %s", #expr,  \
				strerror(errno));                     \
		}                                                     \
	} while (0)

/* Fork a child that runs @fn(@arg) and leaves with its result. */
pid_t ut_fork(int (*fn)(void *), void *arg);
/* Wait for @pid: its exit status, or 1000 + the signal that ended it. */
int ut_wait(pid_t pid);
/* Both ends of a TCP connection over the loopback. */
void ut_tcp_pair(int s[2]);
void ut_sleep_ms(int ms);
long ut_now_ms(void);  /* CLOCK_MONOTONIC */
void ut_own_net(void); /* from here on a network namespace whose lo is up */
int ut_open(const char *path, const char *content); /* made, O_RDWR, at 0 */

#define UT_SIGNALLED(sig) (1000 + (sig))

#endif /* USER_TESTS_UTEST_H */
