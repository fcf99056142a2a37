/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uffd_edges.c - userfaultfd(2) in other hands: who else may answer, what is
 * left behind, ranges of any size.
 */
#include "utest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>

#define PAGE 4096ul
#define NR   64ul

static int instance(int flags, uint64_t features)
{
	struct uffdio_api a = { .api = UFFD_API, .features = features };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | flags);

	NEED(fd);
	if (ioctl(fd, UFFDIO_API, &a)) {
		CHECK_EQ(errno, EINVAL);
		ut_skip("no such feature");
	}
	return fd;
}

static char *room(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static int reg(int fd, char *at, size_t len, uint64_t mode)
{
	struct uffdio_register r = { .range = { (uintptr_t)at, len },
				     .mode = mode };

	return ioctl(fd, UFFDIO_REGISTER, &r);
}

static int unreg(int fd, char *at, size_t len)
{
	struct uffdio_range r = { (uintptr_t)at, len };

	return ioctl(fd, UFFDIO_UNREGISTER, &r);
}

static int protect(int fd, char *at, size_t len, uint64_t mode)
{
	struct uffdio_writeprotect w = { .range = { (uintptr_t)at, len },
					 .mode = mode };

	return ioctl(fd, UFFDIO_WRITEPROTECT, &w);
}

static int pending(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

static void *writes(void *arg)
{
	*(volatile char *)arg = 'W';
	return NULL;
}

struct other {
	int fd;
	char *area;
	volatile int *stop;
};

static int changes(void *arg)
{
	struct other *o = arg;

	for (unsigned int i = 0; !*o->stop; i++) {
		char *p = o->area + i % (NR / 2) * 2 * PAGE;

		if (reg(o->fd, p, PAGE, UFFDIO_REGISTER_MODE_MISSING) ||
		    unreg(o->fd, p, PAGE))
			return errno;
	}
	return 0;
}

/* A child has the parent's instance: it changes areas while the parent, which is alone
 * in its memory, touches others. */
TEST(uffd_edges, from_outside)
{
	struct other o = { .fd = instance(0, 0), .area = room(NR * PAGE) };
	char *mine = room(NR * PAGE);
	long t0 = ut_now_ms();
	pid_t pid;

	o.stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = ut_fork(changes, &o);
	while (ut_now_ms() - t0 < 700) {
		for (unsigned long i = 0; i < NR; i++)
			mine[i * PAGE] = (char)i;
		CHECK_OK(madvise(mine, NR * PAGE, MADV_DONTNEED));
	}
	*o.stop = 1;
	CHECK_EQ(ut_wait(pid), 0);
}

/* An instance that is closed leaves nothing protected for the next one. */
TEST(uffd_edges, nothing_left)
{
	int fd = instance(0, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *area = room(NR * PAGE), *moved;
	pthread_t t;

	memset(area, 'a', NR * PAGE);
	CHECK_OK(reg(fd, area, NR * PAGE, UFFDIO_REGISTER_MODE_WP));
	CHECK_OK(protect(fd, area, NR * PAGE, UFFDIO_WRITEPROTECT_MODE_WP));
	moved = mremap(area + 8 * PAGE, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	close(fd);
	fd = instance(0, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	CHECK_OK(reg(fd, area, 8 * PAGE, UFFDIO_REGISTER_MODE_WP));
	CHECK_OK(reg(fd, moved, 8 * PAGE, UFFDIO_REGISTER_MODE_WP));
	CHECK_EQ(pthread_create(&t, NULL, writes, area + PAGE), 0);
	CHECK_EQ(pending(fd, 50), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(pthread_create(&t, NULL, writes, moved + PAGE), 0);
	CHECK_EQ(pending(fd, 50), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(area[PAGE] == 'W' && moved[PAGE] == 'W');
}

/* All there is, and nothing in it: no time for that. */
TEST(uffd_edges, wide)
{
	int fd = instance(0, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	size_t len = 100ul << 30;
	char *area = room(len);
	long t0 = ut_now_ms();

	CHECK_OK(reg(fd, area, len, UFFDIO_REGISTER_MODE_WP));
	CHECK_OK(protect(fd, area, len, UFFDIO_WRITEPROTECT_MODE_WP));
	CHECK_OK(protect(fd, area, len, 0));
	CHECK_OK(unreg(fd, area, len));
	if (ut_now_ms() - t0 > 500)
		ut_fail(__FILE__, __LINE__, "%ld ms", ut_now_ms() - t0);
}

/* Who is killed fills no more, however much was asked for. */
TEST(uffd_edges, killed)
{
	size_t len = 64ul << 30;
	long t0;
	pid_t pid = fork();

	if (!pid) {
		int fd = instance(0, 0);
		char *area = room(len);
		struct uffdio_zeropage z = { .range = { (uintptr_t)area,
							len } };

		CHECK_OK(reg(fd, area, len, UFFDIO_REGISTER_MODE_MISSING));
		for (;;) {
			ioctl(fd, UFFDIO_ZEROPAGE, &z);
			madvise(area, len, MADV_DONTNEED);
		}
	}
	ut_sleep_ms(200);
	t0 = ut_now_ms();
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK(ut_now_ms() - t0 < 1500);
}

/* A call's fault is not told where only the program's own are. */
TEST(uffd_edges, user_only)
{
	int fd = instance(UFFD_USER_MODE_ONLY, 0), p[2];
	char *area = room(NR * PAGE);

	CHECK_OK(pipe(p));
	CHECK_OK(reg(fd, area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING));
	CHECK_ERR(write(p[1], area, 1), EFAULT);
	CHECK_EQ(pending(fd, 0), 0);
}

/* Who waits for one goes on when another has taken the area away. */
TEST(uffd_edges, taken_away)
{
	int a = instance(0, 0), b = instance(0, 0);
	char *area = room(NR * PAGE);
	pthread_t t;

	CHECK_OK(reg(a, area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING));
	CHECK_ERR(reg(b, area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING), EBUSY);
	CHECK_EQ(pthread_create(&t, NULL, writes, area), 0);
	CHECK_EQ(pending(a, 5000), 1);
	CHECK_OK(unreg(b, area, NR * PAGE));
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(area[0], 'W');
}

/* Who looks at the memory of others does not wait for what their program says. */
TEST(uffd_edges, looked_at)
{
	int fd = instance(0, 0), mem;
	char *area = room(NR * PAGE), path[32], c;
	pid_t parent = getpid(), pid;

	CHECK_OK(reg(fd, area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING));
	pid = fork();
	if (!pid) {
		snprintf(path, sizeof(path), "/proc/%d/mem", parent);
		mem = open(path, O_RDONLY);
		_exit(mem < 0 ||
		      pread(mem, &c, 1, (off_t)(uintptr_t)area) != -1 ||
		      errno != EIO);
	}
	CHECK_EQ(ut_wait(pid), 0);
}

/* The last mapping of a ring has the ring, and that an instance of the same memory,
 * which ends with it. */
TEST(uffd_edges, in_a_ring)
{
	struct io_uring_params p = { .flags = 0 };
	pid_t pid = fork();
	int fd, ring;

	if (!pid) {
		ring = (int)syscall(SYS_io_uring_setup, 4, &p);
		fd = instance(0, 0);
		if (ring < 0)
			_exit(2);
		if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ring,
			 IORING_OFF_SQ_RING) == MAP_FAILED ||
		    syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES,
			    &fd, 1))
			_exit(1);
		close(fd);
		close(ring);
		_exit(0);
	}
	pid = ut_wait(pid);
	if (pid == 2)
		ut_skip("no io_uring");
	CHECK_EQ(pid, 0);
}

/* Locked memory that moves to grow is counted as well. */
TEST(uffd_edges, mlock_moves)
{
	struct rlimit r = { 16 * PAGE, 16 * PAGE };
	char *p = room(32 * PAGE);

	CHECK_OK(munmap(p + 9 * PAGE, 23 * PAGE));
	CHECK(mmap(p + 8 * PAGE, PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) != MAP_FAILED);
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &r));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(mlock(p, 8 * PAGE));
	CHECK(mremap(p, 8 * PAGE, 24 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK_EQ(errno, EAGAIN);
}
