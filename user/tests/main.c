/* SPDX-License-Identifier: MIT */
/*
 * user/tests/main.c - run the conformance tests and print TAP.
 *
 *	utest [-d DIR] [-t SECONDS] [-j N] [-l] [PREFIX...]
 *
 * Tests whose name begins with a PREFIX run (all without one), each as a
 * process group of its own in an empty directory below DIR (/tmp).  With -j each of N
 * processes runs every Nth: for those that wait rather than compute, and touch nothing
 * that others see.
 */
#include "utest.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define EXIT_SKIP 77

extern const struct utest *const __start_utests[];
extern const struct utest *const __stop_utests[];

static int report_fd = 1;

void ut_fail(const char *file, int line, const char *fmt, ...)
{
	char buf[400];
	int len = snprintf(buf, sizeof(buf), "# %s:%d: ", file, line);
	va_list ap;

	va_start(ap, fmt);
	len += vsnprintf(buf + len, sizeof(buf) - len - 2, fmt, ap);
	va_end(ap);
	if (len > (int)sizeof(buf) - 2)
		len = sizeof(buf) - 2;
	buf[len++] = '\n';
	if (write(report_fd, buf, len) < 0)
		_exit(2);
	_exit(1);
}

void ut_skip(const char *why)
{
	char buf[200];
	int len = snprintf(buf, sizeof(buf), "# skip: %s\n", why);

	if (write(report_fd, buf, len) < 0)
		_exit(2);
	_exit(EXIT_SKIP);
}

pid_t ut_fork(int (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(fn(arg));
	return pid;
}

int ut_wait(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	CHECK_EQ(got, pid);
	if (WIFSIGNALED(status))
		return UT_SIGNALLED(WTERMSIG(status));
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void ut_tcp_pair(int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	CHECK_OK(listen(l, 1));
	CHECK_OK(getsockname(l, (struct sockaddr *)&a, &len));
	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(connect(s[0], (struct sockaddr *)&a, sizeof(a)));
	s[1] = accept(l, NULL, NULL);
	CHECK_OK(s[1]);
	close(l);
}

void ut_sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

long ut_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

void ut_own_net(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s;

	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(ioctl(s, SIOCSIFFLAGS, &r));
	CHECK_OK(close(s));
}

int ut_open(const char *path, const char *content)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	size_t len = strlen(content);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, content, len), len);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* The child that is the test: its own group and directory, a deadline. */
static void run_child(const struct utest *test, const char *dir, int seconds)
{
	char path[256];

	setpgid(0, 0);
	report_fd = fcntl(1, F_DUPFD_CLOEXEC, 100);
	snprintf(path, sizeof(path), "%s/%s", dir, test->name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		ut_fail(__FILE__, __LINE__, "mkdir %s: %d", path, errno);
	if (chdir(path) < 0)
		ut_fail(__FILE__, __LINE__, "chdir %s: %d", path, errno);
	signal(SIGALRM, SIG_DFL);
	alarm(seconds);
	test->run();
	_exit(0);
}

/*
 * Wait for @pid, and end it when it takes longer than @seconds: not by alarm
 * alone, which the kernel under test may lack.  Returns true when it was late.
 */
static bool wait_deadline(pid_t pid, int *status, int seconds)
{
	long end = ut_now_ms() + seconds * 1000L + 500;
	int pause_ms = 1;

	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return false;
		if (ut_now_ms() > end)
			break;
		ut_sleep_ms(pause_ms);
		if (pause_ms < 10)
			pause_ms++;
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return true;
}

static void remove_tree(const char *dir, const char *name)
{
	pid_t pid = fork();
	char path[256];
	int status;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", path, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* Returns 0 when the test passed or was skipped. */
static int run_one(int nr, const struct utest *test, const char *dir,
		   int seconds)
{
	pid_t pid;
	int status;
	bool late;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_child(test, dir, seconds);
	if (pid < 0) {
		printf("not ok %d - %s # fork: %d\n", nr, test->name, errno);
		return 1;
	}
	late = wait_deadline(pid, &status, seconds);
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	remove_tree(dir, test->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		printf("ok %d - %s\n", nr, test->name);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
		printf("ok %d - %s # SKIP\n", nr, test->name);
	else if (WIFSIGNALED(status))
		printf("not ok %d - %s # signal %d%s\n", nr, test->name,
		       WTERMSIG(status),
		       late || WTERMSIG(status) == SIGALRM ? " (deadline)"
							   : "");
	else
		printf("not ok %d - %s\n", nr, test->name);
	return !(WIFEXITED(status) && (WEXITSTATUS(status) == 0 ||
				       WEXITSTATUS(status) == EXIT_SKIP));
}

static bool wanted(const struct utest *test, char **prefixes)
{
	if (!*prefixes)
		return true;
	for (; *prefixes; prefixes++)
		if (!strncmp(test->name, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

/* What the command line says. */
struct plan {
	const char *dir;
	char **prefixes;
	int seconds, jobs;
};

/* Every @p->jobs-th of the tests that are wanted, from number @first on: how many failed. */
static int run_share(const struct plan *p, int first)
{
	const struct utest *const *t;
	int nr = 0, failed = 0;

	/* Children of tests that died come to us, so that none are left. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (t = __start_utests; t < __stop_utests; t++)
		if (wanted(*t, p->prefixes) && nr++ % p->jobs == first)
			failed += run_one(nr, *t, p->dir, p->seconds);
	fflush(stdout);
	return failed;
}

static int run_jobs(const struct plan *p)
{
	int failed = 0, status;

	if (p->jobs == 1)
		return run_share(p, 0);
	for (int i = 0; i < p->jobs; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			failed = run_share(p, i);
			_exit(failed < 255 ? failed : 255);
		}
		failed += pid < 0; /* a share that nobody ran */
	}
	while (wait(&status) > 0)
		failed += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	return failed;
}

/* The number of those that are wanted. */
static int count(const struct plan *p, bool list)
{
	const struct utest *const *t;
	int nr = 0;

	for (t = __start_utests; t < __stop_utests; t++) {
		if (!wanted(*t, p->prefixes))
			continue;
		nr++;
		if (list)
			puts((*t)->name);
	}
	return nr;
}

int main(int argc, char **argv)
{
	struct plan p = { .dir = "/tmp", .seconds = 30, .jobs = 1 };
	bool list = false;
	int opt, failed;

	while ((opt = getopt(argc, argv, "d:t:j:l")) != -1) {
		if (opt == 'd')
			p.dir = optarg;
		else if (opt == 't')
			p.seconds = atoi(optarg);
		else if (opt == 'j')
			p.jobs = atoi(optarg);
		else if (opt == 'l')
			list = true;
		else
			return 2;
	}
	p.prefixes = argv + optind;
	if (p.jobs < 1)
		return 2;
	if (list)
		return !count(&p, true);
	failed = run_jobs(&p);
	printf("1..%d\n# %d failed\n", count(&p, false), failed);
	return failed != 0;
}
