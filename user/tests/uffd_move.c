/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uffd_move.c - userfaultfd(2): faults that are answered with a page from
 * elsewhere, or with SIGBUS.
 */
#include "utest.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/ioctl.h>
#include <linux/userfaultfd.h>

#define PAGE 4096ul
#define NR   4

#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)
#endif
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
#endif

/* linux/userfaultfd.h may be older */
struct move {
	uint64_t dst, src, len, mode;
	int64_t move;
};
#define MOVE	    _IOWR(UFFDIO, 0x05, struct move)
#define ALLOW_HOLES 2
struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define POISON _IOWR(UFFDIO, 0x08, struct poison)

static int uffd;
static char *area, *pool;

static char *memory(int prot)
{
	char *p =
		mmap(NULL, NR * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void start(uint64_t features)
{
	struct uffdio_api a = { .api = UFFD_API, .features = features };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	NEED(uffd);
	CHECK_OK(ioctl(uffd, UFFDIO_API, &a));
	area = memory(PROT_READ | PROT_WRITE);
	pool = memory(PROT_READ | PROT_WRITE);
	r.range = (struct uffdio_range){ (uintptr_t)area, NR * PAGE };
	CHECK_OK(ioctl(uffd, UFFDIO_REGISTER, &r));
	CHECK(r.ioctls >> 5 & 1);
	CHECK(r.ioctls >> 8 & 1);
}

/* 0, or the errno that is told with the range. */
static int move(char *to, char *from, size_t len, uint64_t mode)
{
	struct move m = { (uintptr_t)to, (uintptr_t)from, len, mode, 0 };

	if (!ioctl(uffd, MOVE, &m))
		return m.move == (int64_t)len ? 0 : 1000;
	return m.move < 0 ? (int)-m.move : errno;
}

static void *answer(void *arg)
{
	struct uffd_msg m;

	if (read(uffd, &m, sizeof(m)) != sizeof(m) ||
	    m.event != UFFD_EVENT_PAGEFAULT)
		return (void *)1;
	memset(pool, 'X', PAGE);
	return (void *)(long)move((char *)(uintptr_t)m.arg.pagefault.address,
				  pool, PAGE, 0);
}

TEST(uffd_move, answers)
{
	pthread_t t;
	void *r;

	start(UFFD_FEATURE_MOVE);
	CHECK_EQ(pthread_create(&t, NULL, answer, NULL), 0);
	CHECK_EQ(*(volatile char *)area, 'X');
	CHECK_EQ(pthread_join(t, &r), 0);
	CHECK_EQ((long)r, 0);
	CHECK_EQ(area[PAGE - 1], 'X');
	CHECK_EQ(*(volatile char *)pool, 0); /* it is gone from there */
	area[0] = 'Y';
	CHECK_EQ(area[0], 'Y');
}

TEST(uffd_move, errors)
{
	char *ro = memory(PROT_READ);
	struct move m = { 0 };

	start(UFFD_FEATURE_MOVE);
	CHECK_EQ(move(area, pool, PAGE, 0), ENOENT);
	CHECK_EQ(move(area, pool, PAGE, ALLOW_HOLES), 0);
	memset(pool, 'a', NR * PAGE);
	CHECK_EQ(move(area, pool + 1, PAGE, 0), EINVAL);
	CHECK_EQ(move(area + 5, pool, PAGE, 0), EINVAL);
	CHECK_EQ(move(area, pool, PAGE + 1, 0), EINVAL);
	CHECK_EQ(move(area, pool, 0, 0), EINVAL);
	CHECK_EQ(move(area, pool, PAGE, 4), EINVAL);
	CHECK_EQ(move(area, ro, PAGE, 0), EINVAL);
	CHECK_EQ(move(pool, pool + PAGE, PAGE, 0), EINVAL); /* not its */
	CHECK_EQ(move(area, pool, 2 * PAGE, 0), 0);
	CHECK_EQ(move(area, pool + 2 * PAGE, PAGE, 0), EEXIST);
	CHECK_EQ(area[PAGE], 'a');
	CHECK_EQ(pool[2 * PAGE], 'a');
	/* as far as it goes */
	m = (struct move){ (uintptr_t)area + 2 * PAGE,
			   (uintptr_t)pool + 3 * PAGE, PAGE, 0, 0 };
	CHECK_OK(ioctl(uffd, MOVE, &m));
	CHECK_EQ(m.move, PAGE);
	CHECK_ERR(ioctl(uffd, MOVE, (void *)-1l), EFAULT);
}

static int looks(void *arg)
{
	pause();
	return pool[0] == 'a' ? 0 : 1;
}

/* A page that another process has as well stays where it is. */
TEST(uffd_move, shared_with_a_child)
{
	pid_t pid;

	start(UFFD_FEATURE_MOVE);
	memset(pool, 'a', NR * PAGE);
	pid = ut_fork(looks, NULL);
	CHECK_EQ(move(area, pool + PAGE, PAGE, 0), EBUSY);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	pool[PAGE] = 'b'; /* it is ours alone again */
	CHECK_EQ(move(area, pool + PAGE, PAGE, 0), 0);
	CHECK_EQ(area[0], 'b');
}

static sigjmp_buf back;
static volatile sig_atomic_t code;

static void on_bus(int sig, siginfo_t *si, void *uc)
{
	code = si->si_code;
	siglongjmp(back, 1);
}

static int touch(char *p)
{
	code = 0;
	if (!sigsetjmp(back, 1))
		return *(volatile char *)p + 1000;
	return code;
}

static int child_touches(void *arg)
{
	return touch(area) == BUS_ADRERR ? 0 : 1;
}

TEST(uffd_move, poison)
{
	struct sigaction sa = { .sa_sigaction = on_bus,
				.sa_flags = SA_SIGINFO };
	struct poison p = { .mode = 0 };
	int fds[2];

	start(UFFD_FEATURE_POISON);
	CHECK_OK(sigaction(SIGBUS, &sa, NULL));
	p.range = (struct uffdio_range){ (uintptr_t)area, PAGE };
	CHECK_OK(ioctl(uffd, POISON, &p));
	CHECK_EQ(p.updated, PAGE);
	CHECK_EQ(touch(area), BUS_ADRERR);
	CHECK_ERR(ioctl(uffd, POISON, &p), EEXIST);
	p.mode = 8;
	CHECK_ERR(ioctl(uffd, POISON, &p), EINVAL);
	CHECK_OK(pipe(fds));
	CHECK_ERR(write(fds[1], area, 5), EFAULT);
	CHECK_OK(mprotect(area, PAGE, PROT_NONE));
	CHECK_OK(mprotect(area, PAGE, PROT_READ | PROT_WRITE));
	CHECK_EQ(touch(area), BUS_ADRERR);
	CHECK_EQ(ut_wait(ut_fork(child_touches, NULL)), 0);
	CHECK_OK(madvise(area, PAGE, MADV_DONTNEED));
	CHECK_EQ(move(area, pool, PAGE, ALLOW_HOLES), 0);
	CHECK_OK(close(uffd));
	CHECK_EQ(touch(area), 1000);
}

struct cont {
	struct uffdio_range range;
	uint64_t mode;
	int64_t mapped;
};
#define CONTINUE _IOWR(UFFDIO, 0x07, struct cont)

static int mem;

static int cont(char *at, size_t len)
{
	struct cont c = { .range = { (uintptr_t)at, len } };

	if (!ioctl(uffd, CONTINUE, &c))
		return c.mapped == (int64_t)len ? 0 : 1000;
	return c.mapped < 0 ? (int)-c.mapped : errno;
}

static void *answer_minor(void *arg)
{
	struct uffd_msg m;

	if (read(uffd, &m, sizeof(m)) != sizeof(m) ||
	    m.event != UFFD_EVENT_PAGEFAULT ||
	    m.arg.pagefault.flags != UFFD_PAGEFAULT_FLAG_MINOR ||
	    pwrite(mem, "Z", 1, 0) != 1)
		return (void *)-1l;
	return (void *)(long)cont((char *)(uintptr_t)m.arg.pagefault.address,
				  PAGE);
}

static void start_minor(void)
{
	struct uffdio_api a = { .api = UFFD_API,
				.features = UFFD_FEATURE_MINOR_SHMEM };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MINOR };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	NEED(uffd);
	if (ioctl(uffd, UFFDIO_API, &a))
		ut_skip("no minor mode"); /* Linux's riscv before 6.? */
	CHECK_OK(mem = memfd_create("minor", 0));
	CHECK_OK(ftruncate(mem, NR * PAGE));
	CHECK_EQ(pwrite(mem, "A", 1, 0), 1);
	CHECK_EQ(pwrite(mem, "B", 1, PAGE), 1);
	area = mmap(NULL, NR * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem,
		    0);
	CHECK(area != MAP_FAILED);
	pool = memory(PROT_READ | PROT_WRITE);
	r.range = (struct uffdio_range){ (uintptr_t)pool, PAGE };
	CHECK_ERR(ioctl(uffd, UFFDIO_REGISTER, &r), EINVAL);
	r.range = (struct uffdio_range){ (uintptr_t)area, NR * PAGE };
	CHECK_OK(ioctl(uffd, UFFDIO_REGISTER, &r));
	CHECK(r.ioctls >> 7 & 1);
}

/* What the file has, but this process has not touched. */
TEST(uffd_move, minor)
{
	pthread_t t;
	void *r;

	start_minor();
	CHECK_EQ(pthread_create(&t, NULL, answer_minor, NULL), 0);
	CHECK_EQ(*(volatile char *)area, 'Z');
	CHECK_EQ(pthread_join(t, &r), 0);
	CHECK_EQ((long)r, 0);
	CHECK_EQ(cont(area, PAGE), EEXIST);
	CHECK_EQ(cont(area + 2 * PAGE, PAGE), EFAULT); /* a hole */
	area[2 * PAGE] = 'h';			       /* nobody is asked */
	CHECK_EQ(cont(area + PAGE, 2 * PAGE), EAGAIN); /* the first of two */
	area[PAGE] = 'b';
	area[0] = 'z';
	CHECK_OK(madvise(area, PAGE, MADV_DONTNEED));
	CHECK_EQ(cont(area, PAGE), 0);
	CHECK_EQ(area[0], 'z');
	CHECK_ERR(ioctl(uffd, CONTINUE, (void *)-1l), EFAULT);
}
