/* SPDX-License-Identifier: MIT */
/*
 * user/tests/perf_records.c - perf_event_open(2): what is in records, where they go,
 * who is told, and what becomes of events at fork, exec and exit.
 */
#include "utest.h"

#include "perf_event.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>

#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

static struct perf_event_mmap_page *map_event(int fd, int pages)
{
	struct perf_event_mmap_page *p =
		mmap(NULL, (size_t)(1 + pages) * 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* Records of @type in a buffer of @pages that has not wrapped: how many; the last one. */
static int find(const struct perf_event_mmap_page *p, int pages,
		unsigned int type, const uint64_t **last)
{
	const char *d = (const char *)p + 4096;
	uint64_t head = head_of(p);
	int n = 0;

	CHECK(head <= (uint64_t)pages * 4096);
	for (uint64_t at = 0; at < head;) {
		const struct perf_event_header *h = (const void *)(d + at);

		if (h->type == type) {
			*last = (const uint64_t *)(h + 1);
			n++;
		}
		CHECK(h->size >= 8);
		at += h->size;
	}
	return n;
}

/* A buffer that is unmapped is the event's no more: it can have another one. */
TEST(perf, mapped_anew)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	struct perf_event_mmap_page *p, *q;
	struct pollfd pfd = { .events = POLLIN };
	int fd, fd2;

	a.sample_period = 1000000;
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	CHECK_OK(fd2 = open_event(&a, 0, -1, -1, 0));
	pfd.fd = fd;
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents, POLLHUP);
	p = map_event(fd, 2);
	CHECK_OK(ioctl(fd2, PERF_EVENT_IOC_SET_OUTPUT, fd));
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, fd2), EINVAL);
	CHECK_ERR(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, -1), EINVAL);
	loop(1000000);
	munmap(p, 3 * 4096);
	p = map_event(fd, 8);
	q = map_event(fd2, 4); /* the one it wrote to is gone */
	loop(10000000);
	munmap(p, 9 * 4096);
	munmap(q, 5 * 4096);
	a.use_clockid = 1;
	a.clockid = CLOCK_REALTIME;
	close(fd2);
	CHECK_OK(fd2 = open_event(&a, 0, -1, -1, 0));
	p = map_event(fd, 2);
	CHECK_ERR(ioctl(fd2, PERF_EVENT_IOC_SET_OUTPUT, fd), EINVAL);
	close(fd2);
	close(fd);
	a.type = PERF_TYPE_HARDWARE;
	a.sample_period = 0;
	CHECK_ERR(open_event(&a, 0, -1, -1, 0), EINVAL);
}

static volatile int nr_in, nr_hup, sig_fd;

static void overflowed(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	sig_fd = si->si_fd;
	if (si->si_code == POLL_HUP)
		nr_hup++;
	else
		nr_in++;
}

/* A signal for each sample, and another one for the last that was asked for. */
TEST(perf, signals)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	struct sigaction sa = { .sa_sigaction = overflowed,
				.sa_flags = SA_SIGINFO };
	struct f_owner_ex own = { F_OWNER_TID, (int)syscall(SYS_gettid) };
	unsigned long long n;
	int fd;

	a.sample_period = 2000000;
	a.disabled = 1;
	CHECK_OK(sigaction(SIGUSR2, &sa, NULL));
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	CHECK_OK(fcntl(fd, F_SETSIG, SIGUSR2));
	CHECK_OK(fcntl(fd, F_SETOWN_EX, &own));
	CHECK_OK(fcntl(fd, F_SETFL, O_ASYNC));
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_REFRESH, 3));
	for (long end = ut_now_ms() + 8000; !nr_hup; loop(1000000))
		CHECK(ut_now_ms() < end);
	CHECK_EQ(nr_in, 2);
	CHECK_EQ(sig_fd, fd);
	n = count_of(fd);
	CHECK(n >= 6000000);
	loop(20000000);
	CHECK_EQ(count_of(fd), n); /* it has stopped with the last one */
	CHECK_EQ(nr_in + nr_hup, 3);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_REFRESH, 1));
	for (long end = ut_now_ms() + 8000; nr_hup < 2; loop(1000000))
		CHECK(ut_now_ms() < end);
	CHECK(count_of(fd) > n);
	close(fd);
}

/* Registers and stack of user code, as a debugger unwinds them. */
TEST(perf, user_stack)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	struct perf_event_mmap_page *p;
	const uint64_t *w = NULL;
	volatile uint64_t mark[4] = { 0x1234567, 0x89abcdef, 0x1234567, 77 };
	uint64_t sp, dyn, seen = 0;
	int fd;

	a.sample_period = 1000000;
	a.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER |
			PERF_SAMPLE_WEIGHT | PERF_SAMPLE_REGS_INTR;
	a.sample_regs_user = 1 << 2 | 1; /* pc, sp */
	a.sample_regs_intr = 1;
	a.sample_stack_user = 4096;
	a.disabled = 1;
	NEED(fd = open_event(&a, 0, -1, -1, 0));
	p = map_event(fd, 16);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	for (long end = ut_now_ms() + 5000; !head_of(p); loop(1000000))
		CHECK(ut_now_ms() < end);
	CHECK_OK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
	CHECK(find(p, 16, PERF_RECORD_SAMPLE, &w) > 0);
	w = (const uint64_t *)((const char *)p + 4096 + 8); /* the first */
	CHECK_EQ(w[0], 2); /* 64-bit registers */
	sp = w[2];
	CHECK(sp < (uint64_t)mark && sp + 4096 > (uint64_t)mark);
	CHECK_EQ(w[3], 4096);
	dyn = w[4 + 512];
	CHECK(dyn >= (uint64_t)mark - sp + sizeof(mark) && dyn <= 4096);
	for (int i = 0; i < 508; i++)
		seen += w[4 + i] == mark[0] && w[5 + i] == mark[1] &&
			w[6 + i] == mark[2] && w[7 + i] == mark[3];
	CHECK_EQ(seen, 1);
	CHECK_EQ(w[4 + 513], 0); /* weight */
	CHECK_EQ(w[4 + 514], 2); /* where it was interrupted */
	close(fd);
}

static int spin_child(void *arg)
{
	(void)arg;
	loop(40000000);
	return 0;
}

/* A child's own counts: in samples with their group, and when it ends. */
TEST(perf, child_records)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	struct perf_event_mmap_page *p[64];
	const uint64_t *w = NULL;
	long nr = sysconf(_SC_NPROCESSORS_CONF);
	int fd, samples = 0, ends = 0;
	pid_t child;

	a.inherit = 1;
	a.inherit_stat = 1;
	a.sample_period = 4000000;
	a.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_READ;
	a.read_format = PERF_FORMAT_GROUP;
	for (int cpu = 0; cpu < nr && cpu < 64; cpu++) {
		struct perf_event_attr m = a;

		NEED(fd = open_event(&a, 0, cpu, -1, 0));
		m.config = PERF_COUNT_SW_PAGE_FAULTS;
		m.sample_period = 0;
		CHECK_OK(open_event(&m, 0, cpu, fd, 0));
		p[cpu] = map_event(fd, 8);
	}
	child = ut_fork(spin_child, NULL);
	CHECK_EQ(ut_wait(child), 0);
	for (int cpu = 0; cpu < nr && cpu < 64; cpu++) {
		ends += find(p[cpu], 8, PERF_RECORD_READ, &w);
		if (find(p[cpu], 8, PERF_RECORD_SAMPLE, &w) &&
		    (pid_t)w[0] == child) {
			samples++;
			CHECK_EQ(w[1], 2); /* itself and its member */
			CHECK(w[2] > 0 && w[2] < 10000000000);
		}
	}
	CHECK(samples > 0);
	/* Linux 6.12 forgets them. */
	if (!access("/proc/relay", F_OK))
		CHECK(ends >= 2); /* the leader of each hart, at the least */
}

/* Whose event sees the new program, and by which build id. */
TEST(perf, exec)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	const uint64_t *w = NULL;
	struct perf_event_mmap_page *p;
	int fd, gone, go[2];
	char c = 0;
	pid_t pid;

	CHECK_OK(pipe(go));
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		if (read(go[0], &c, 1) != 1)
			_exit(1);
		dup2(null, 1);
		execl("/proc/self/exe", "utest", "-l", NULL);
		_exit(2);
	}
	a.mmap = 1;
	a.mmap2 = 1;
	a.comm = 1;
	((uint64_t *)&a)[5] |= 1ull << 34; /* build_id */
	NEED(fd = open_event(&a, pid, -1, -1, 0));
	p = map_event(fd, 4);
	memset(&a, 0, sizeof(a));
	a = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	((uint64_t *)&a)[5] |= 1ull << 36; /* remove_on_exec */
	CHECK_OK(gone = open_event(&a, pid, -1, -1, 0));
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK(find(p, 4, PERF_RECORD_MMAP2, &w) > 0);
	w = (const uint64_t *)((const char *)p + 4096);
	for (; ((const struct perf_event_header *)w)->type != PERF_RECORD_MMAP2;
	     w += ((const struct perf_event_header *)w)->size / 8)
		;
	CHECK(((const struct perf_event_header *)w)->misc &
	      PERF_RECORD_MISC_MMAP_BUILD_ID);
	CHECK_EQ(((const unsigned char *)w)[40], 20);
	CHECK(count_of(gone) < count_of(fd));
}

/* prctl(2) stops what the thread has opened. */
TEST(perf, stopped_by_prctl)
{
	struct perf_event_attr a =
		attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	unsigned long long n;
	int fd;

	NEED(fd = open_event(&a, 0, -1, -1, 0));
	CHECK_OK(prctl(PR_TASK_PERF_EVENTS_DISABLE));
	n = count_of(fd);
	loop(1000000);
	CHECK_EQ(count_of(fd), n);
	CHECK_OK(prctl(PR_TASK_PERF_EVENTS_ENABLE));
	loop(1000000);
	CHECK(count_of(fd) > n);
}
