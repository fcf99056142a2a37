/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uffd.c - userfaultfd(2): missing pages, write protection, errors.
 */
#include "utest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

#define PAGE 4096ul
#define NR   8

static int uffd;
static char *area;

static int api(uint64_t features)
{
	struct uffdio_api a = { .api = UFFD_API, .features = features };

	return ioctl(uffd, UFFDIO_API, &a);
}

static void start(uint64_t features)
{
	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	NEED(uffd);
	if (api(features)) {
		/* Linux's riscv has no write protection. */
		CHECK_EQ(errno, EINVAL);
		ut_skip("no such feature");
	}
	area = mmap(NULL, NR * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
}

static int reg(void *at, size_t len, uint64_t mode, uint64_t *ioctls)
{
	struct uffdio_register r = { .range = { (uintptr_t)at, len },
				     .mode = mode };
	int err = ioctl(uffd, UFFDIO_REGISTER, &r);

	if (ioctls)
		*ioctls = r.ioctls;
	return err;
}

static int copy(unsigned int page, char fill, uint64_t mode)
{
	static char buf[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy c = { .dst = (uintptr_t)area + page * PAGE,
				 .src = (uintptr_t)buf,
				 .len = PAGE,
				 .mode = mode };

	memset(buf, fill, PAGE);
	if (ioctl(uffd, UFFDIO_COPY, &c))
		return c.copy < 0 ? (int)-c.copy : 1000;
	return c.copy == PAGE ? 0 : 1001;
}

static void next(struct uffd_msg *m)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };

	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(read(uffd, m, sizeof(*m)), sizeof(*m));
	CHECK_EQ(m->event, UFFD_EVENT_PAGEFAULT);
}

static void *reads(void *arg)
{
	return (void *)(uintptr_t) * (volatile unsigned char *)arg;
}

static void *writes(void *arg)
{
	*(volatile char *)arg = 'W';
	return NULL;
}

static void *calls(void *arg)
{
	int p[2];

	if (pipe(p))
		return (void *)1;
	return (void *)(write(p[1], arg, 10) - 10);
}

static void *join(pthread_t t)
{
	void *r;

	CHECK_EQ(pthread_join(t, &r), 0);
	return r;
}

TEST(uffd, errors)
{
	uint64_t ioctls = 0;
	struct uffdio_range r;
	struct uffd_msg m;
	char *shared;

	CHECK_ERR(syscall(SYS_userfaultfd, 0x1000000), EINVAL);
	uffd = (int)syscall(SYS_userfaultfd, O_NONBLOCK);
	NEED(uffd);
	CHECK_ERR(read(uffd, &m, sizeof(m)), EINVAL);
	CHECK_ERR(api(1ull << 63), EINVAL);
	CHECK_OK(api(0));
	CHECK_ERR(api(0), EINVAL);
	CHECK_ERR(read(uffd, &m, sizeof(m)), EAGAIN);
	CHECK_ERR(read(uffd, &m, sizeof(m) - 1), EINVAL);
	area = mmap(NULL, NR * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERR(reg(area, NR * PAGE, 0, NULL), EINVAL);
	CHECK_ERR(reg(area + 1, PAGE, UFFDIO_REGISTER_MODE_MISSING, NULL),
		  EINVAL);
	CHECK_ERR(reg(area, 0, UFFDIO_REGISTER_MODE_MISSING, NULL), EINVAL);
	CHECK_EQ(copy(0, 'x', 0), ENOENT);
	CHECK_OK(reg(area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING, &ioctls));
	CHECK((ioctls >> _UFFDIO_COPY & 1) && (ioctls >> _UFFDIO_WAKE & 1));
	CHECK_EQ(copy(0, 'x', 0), 0);
	CHECK_EQ(copy(0, 'y', 0), EEXIST);
	CHECK_EQ(area[5], 'x');
	r = (struct uffdio_range){ (uintptr_t)area, NR * PAGE };
	CHECK_OK(ioctl(uffd, UFFDIO_UNREGISTER, &r));
	CHECK_EQ(area[PAGE], 0);
	shared = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE,
		      open("/proc/self/exe", O_RDONLY), 0);
	CHECK_ERR(reg(shared, PAGE, UFFDIO_REGISTER_MODE_MISSING, NULL),
		  EINVAL);
	CHECK_ERR(ioctl(uffd, 0xaa55, 0), EINVAL);
}

TEST(uffd, missing)
{
	struct uffdio_zeropage z;
	struct uffd_msg m;
	pthread_t t;

	start(UFFD_FEATURE_THREAD_ID);
	CHECK_OK(reg(area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING, NULL));
	CHECK_EQ(pthread_create(&t, NULL, reads, area + PAGE + 123), 0);
	next(&m);
	CHECK_EQ(m.arg.pagefault.address, (uintptr_t)area + PAGE);
	CHECK_EQ(m.arg.pagefault.flags, 0);
	CHECK(m.arg.pagefault.feat.ptid != (uint32_t)getpid());
	CHECK_EQ(copy(1, 'c', 0), 0);
	CHECK_EQ((uintptr_t)join(t), 'c');
	CHECK_EQ(pthread_create(&t, NULL, writes, area + 2 * PAGE), 0);
	next(&m);
	CHECK_EQ(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WRITE);
	CHECK_EQ(copy(2, 'd', UFFDIO_COPY_MODE_DONTWAKE), 0);
	CHECK_OK(ioctl(uffd, UFFDIO_WAKE,
		       &((struct uffdio_range){ (uintptr_t)area, NR * PAGE })));
	join(t);
	CHECK(area[2 * PAGE] == 'W' && area[2 * PAGE + 1] == 'd');
	/* a call's own fault waits just so */
	CHECK_EQ(pthread_create(&t, NULL, calls, area + 3 * PAGE), 0);
	next(&m);
	CHECK_EQ(m.arg.pagefault.address, (uintptr_t)area + 3 * PAGE);
	z = (struct uffdio_zeropage){ .range = { (uintptr_t)area + 3 * PAGE,
						 PAGE } };
	CHECK_OK(ioctl(uffd, UFFDIO_ZEROPAGE, &z));
	CHECK_EQ(z.zeropage, PAGE);
	CHECK_EQ((uintptr_t)join(t), 0);
	area[3 * PAGE] = 1;
	CHECK_EQ(area[3 * PAGE], 1);
	/* what is thrown away is missing again */
	CHECK_OK(madvise(area + PAGE, PAGE, MADV_DONTNEED));
	CHECK_EQ(pthread_create(&t, NULL, reads, area + PAGE), 0);
	next(&m);
	/* who waits goes on when nobody answers any more */
	close(uffd);
	CHECK_EQ((uintptr_t)join(t), 0);
}

static int protect(unsigned int page, uint64_t mode)
{
	struct uffdio_writeprotect w = {
		.range = { (uintptr_t)area + page * PAGE, PAGE }, .mode = mode
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &w);
}

TEST(uffd, write_protect)
{
	uint64_t ioctls = 0;
	struct uffd_msg m;
	pthread_t t;
	pid_t pid;

	start(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	memset(area, 'a', NR * PAGE);
	CHECK_OK(reg(area, NR * PAGE, UFFDIO_REGISTER_MODE_WP, &ioctls));
	CHECK(ioctls >> _UFFDIO_WRITEPROTECT & 1);
	CHECK_OK(protect(1, UFFDIO_WRITEPROTECT_MODE_WP));
	area[0] = 'b';
	CHECK_EQ(area[PAGE], 'a');
	CHECK_EQ(pthread_create(&t, NULL, writes, area + PAGE), 0);
	next(&m);
	CHECK_EQ(m.arg.pagefault.flags,
		 UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP);
	CHECK_EQ(area[PAGE], 'a');
	/* a change of protection does not lift it */
	CHECK_OK(mprotect(area, NR * PAGE, PROT_READ));
	CHECK_OK(mprotect(area, NR * PAGE, PROT_READ | PROT_WRITE));
	CHECK_EQ(area[PAGE], 'a');
	CHECK_OK(protect(1, 0));
	join(t);
	CHECK_EQ(area[PAGE], 'W');
	/* a child is not watched */
	CHECK_OK(protect(2, UFFDIO_WRITEPROTECT_MODE_WP));
	pid = fork();
	if (!pid) {
		area[2 * PAGE] = 'c';
		_exit(area[2 * PAGE] != 'c');
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(pthread_create(&t, NULL, writes, area + 2 * PAGE), 0);
	next(&m);
	CHECK_OK(protect(2, 0));
	join(t);
	CHECK_ERR(protect(1, UFFDIO_WRITEPROTECT_MODE_WP |
				     UFFDIO_WRITEPROTECT_MODE_DONTWAKE),
		  EINVAL);
}

static volatile sig_atomic_t got;

static void on_bus(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	got = sig == SIGBUS && si->si_code == BUS_ADRERR ? 1 : -1;
	if (copy((unsigned int)(((char *)si->si_addr - area) / PAGE), 's', 0))
		got = -2;
}

TEST(uffd, sigbus)
{
	struct sigaction sa = { .sa_sigaction = on_bus,
				.sa_flags = SA_SIGINFO };

	start(UFFD_FEATURE_SIGBUS);
	CHECK_OK(sigaction(SIGBUS, &sa, NULL));
	CHECK_OK(reg(area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING, NULL));
	CHECK_EQ(((volatile char *)area)[3 * PAGE + 7], 's');
	CHECK_EQ(got, 1);
	CHECK_ERR(write(1, area, 1), EFAULT);
}

static void on_usr1(int sig)
{
	(void)sig;
	got = 1;
}

/* A signal is taken while a thread waits; SIGKILL ends one that waits in a call. */
TEST(uffd, signals)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct uffd_msg m;
	pthread_t t;
	pid_t pid;

	start(0);
	CHECK_OK(reg(area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING, NULL));
	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	CHECK_EQ(pthread_create(&t, NULL, reads, area), 0);
	next(&m);
	CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
	for (int i = 0; !got; i++) {
		CHECK(i < 1000);
		ut_sleep_ms(5);
	}
	CHECK_EQ(copy(0, 'k', 0), 0);
	CHECK_EQ((uintptr_t)join(t), 'k');
	pid = fork();
	if (!pid) {
		close(uffd);
		start(0);
		CHECK_OK(reg(area, NR * PAGE, UFFDIO_REGISTER_MODE_MISSING,
			     NULL));
		write(1, area, 1);
		_exit(1);
	}
	ut_sleep_ms(100);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}
