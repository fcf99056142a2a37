/* SPDX-License-Identifier: MIT */
/*
 * user/tests/newer.c - calls that came to Linux after 5.15: futex_waitv, mseal,
 * cachestat.  An older kernel skips them.  And what became stricter.
 */
#include "utest.h"

#include <pthread.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

struct waitv {
	uint64_t val, addr;
	uint32_t flags, reserved;
};
#define FUTEX2_U32     2
#define FUTEX2_PRIVATE 128

static uint32_t word[3];

static long waitv(struct waitv *w, unsigned nr, unsigned flags,
		  struct timespec *t, int clock)
{
	return syscall(449, w, nr, flags, t, clock);
}

static void *wakes(void *arg)
{
	ut_sleep_ms(30);
	__atomic_store_n(&word[2], 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &word[2], 129 /* wake, private */, 1, NULL, NULL, 0);
	return NULL;
}

TEST(newer, futex_waitv)
{
	struct timespec past = { 0, 0 }, bad = { 0, -1 };
	struct waitv w[3];
	pthread_t t;

	for (int i = 0; i < 3; i++)
		w[i] = (struct waitv){ .addr = (uintptr_t)&word[i],
				       .flags = FUTEX2_U32 | FUTEX2_PRIVATE };
	if (waitv(NULL, 0, 0, NULL, 0) == -1 && errno == ENOSYS)
		ut_skip("no futex_waitv");
	CHECK_ERR(waitv(w, 3, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
	CHECK_ERR(waitv(w, 3, 0, &bad, CLOCK_MONOTONIC), EINVAL);
	CHECK_ERR(waitv(w, 3, 0, &past, CLOCK_TAI), EINVAL);
	CHECK_ERR(waitv(w, 0, 0, NULL, 0), EINVAL);
	CHECK_ERR(waitv(w, 129, 0, NULL, 0), EINVAL);
	CHECK_ERR(waitv(w, 3, 1, NULL, 0), EINVAL);
	CHECK_ERR(waitv(NULL, 3, 0, NULL, 0), EINVAL);
	w[1].val = 5;
	CHECK_ERR(waitv(w, 3, 0, NULL, 0), EAGAIN);
	w[1].val = 0;
	w[1].reserved = 1;
	CHECK_ERR(waitv(w, 3, 0, NULL, 0), EINVAL);
	w[1].reserved = 0;
	CHECK_OK(pthread_create(&t, NULL, wakes, NULL));
	CHECK_EQ(waitv(w, 3, 0, NULL, 0), 2);
	pthread_join(t, NULL);
}

static volatile int handled;

static void on_alarm(int sig)
{
	handled = 1;
}

TEST(newer, futex_waitv_interrupted)
{
	struct waitv w = { .addr = (uintptr_t)&word[0], .flags = FUTEX2_U32 };
	struct sigaction sa = { .sa_handler = on_alarm };

	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
	if (waitv(NULL, 0, 0, NULL, 0) == -1 && errno == ENOSYS)
		ut_skip("no futex_waitv");
	alarm(1);
	CHECK_ERR(waitv(&w, 1, 0, NULL, 0), EINTR);
	CHECK_EQ(handled, 1);
}

static long seal(void *p, size_t n, unsigned long flags)
{
	return syscall(462, p, n, flags);
}

TEST(newer, mseal)
{
	size_t ps = 4096;
	char *m = mmap(NULL, 4 * ps, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(seal(m + ps, ps, 0));
	CHECK_ERR(seal(m + 1, ps, 0), EINVAL);
	CHECK_ERR(seal(m, ps, 1), EINVAL);
	CHECK_ERR(seal(m, -ps, 0), EINVAL);
	CHECK_OK(seal(m, 0, 0));
	CHECK_OK(seal(m + ps, ps, 0)); /* again */
	CHECK_ERR(munmap(m, 4 * ps), EPERM);
	CHECK_ERR(munmap(m + ps, ps), EPERM);
	CHECK_ERR(mprotect(m + ps, ps, PROT_READ), EPERM);
	CHECK_ERR(mremap(m + ps, ps, 2 * ps, MREMAP_MAYMOVE), EPERM);
	CHECK_ERR(mremap(m + ps, 3 * ps, 4 * ps, MREMAP_MAYMOVE), EPERM);
	CHECK(mmap(m + ps, ps, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == MAP_FAILED &&
	      errno == EPERM);
	m[ps] = 1;
	CHECK_OK(madvise(m + ps, ps, MADV_DONTNEED));
	CHECK_EQ(m[ps], 0);
	CHECK_OK(mprotect(m + 2 * ps, ps, PROT_READ));
	CHECK_OK(seal(m + 2 * ps, ps, 0));
	CHECK_ERR(madvise(m + 2 * ps, ps, MADV_DONTNEED), EPERM);
	CHECK_OK(munmap(m, ps));
	CHECK_ERR(seal(m, 2 * ps, 0), ENOMEM);
}

struct cachestat {
	uint64_t cached, dirty, writeback, evicted, recently;
};

TEST(newer, cachestat)
{
	uint64_t range[2] = { 0, 0 }, part[2] = { 4096, 4096 };
	struct cachestat cs;
	char buf[4096 * 3] = "";
	int fd = ut_open("f", "");

	CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	NEED(syscall(451, fd, range, &cs, 0));
	CHECK_EQ(cs.cached, 3);
	CHECK_OK(syscall(451, fd, part, &cs, 0));
	CHECK_EQ(cs.cached, 1);
	CHECK_ERR(syscall(451, -1, range, &cs, 0), EBADF);
	CHECK_ERR(syscall(451, fd, range, &cs, 1), EINVAL);
	CHECK_ERR(syscall(451, fd, NULL, &cs, 0), EFAULT);
	CHECK_ERR(syscall(451, fd, range, NULL, 0), EFAULT);
}

static long open_cached(const char *path, unsigned long flags)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { flags, 0, 0x20 /* RESOLVE_CACHED */ };

	return syscall(437, AT_FDCWD, path, &how, sizeof(how));
}

/* What has just been there is found, but when memory got short in between. */
static long open_again_cached(const char *path)
{
	long fd = -1;

	for (int i = 0; i < 10 && fd < 0; i++) {
		close(open(path, O_RDONLY));
		fd = open_cached(path, O_RDONLY);
		if (fd < 0 && errno != EAGAIN)
			break;
	}
	return fd;
}

/* openat2() that does not ask the file system. */
TEST(newer, resolve_cached)
{
	int fd;

	close(ut_open("here", "x"));
	CHECK_OK(symlink("here", "link"));
	CHECK_OK(fd = (int)open_again_cached("here"));
	close(fd);
	CHECK_OK(fd = (int)open_again_cached("link"));
	close(fd);
	CHECK_ERR(open_cached("here", O_RDWR | O_TRUNC), EAGAIN);
	CHECK_ERR(open_cached("here", O_RDWR | O_CREAT), EAGAIN);
	CHECK_ERR(open_cached(".", O_RDWR | O_TMPFILE), EAGAIN);
	CHECK_ERR(open_cached("/proc/self/exe", O_RDONLY), EAGAIN);
	CHECK_ERR(open_cached("/usr/share/nobody/was/here", O_RDONLY), EAGAIN);
}

/* A read of events that faults behind the first one says so, and has lost them. */
TEST(newer, inotify_fault)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int in = inotify_init1(IN_NONBLOCK);

	CHECK_OK(munmap(page + 4096, 4096));
	CHECK_OK(inotify_add_watch(in, ".", IN_CREATE | IN_OPEN));
	close(ut_open("a", ""));
	CHECK_ERR(read(in, page + 4096 - 32, 200), EFAULT);
	CHECK_ERR(read(in, page, 200), EAGAIN);
}

#define QCMD(c, type) ((c) << 8 | (type))

/* A disk that is mounted without quotas, and what is none. */
TEST(newer, no_quotas)
{
	char buf[256] = "/proc/version";
	int root = open("/", O_RDONLY), proc = open("/proc", O_RDONLY);
	struct statfs sf;

	CHECK_OK(fstatfs(root, &sf));
	if (sf.f_type != 0xef53)
		ut_skip("the root is no ext4");
	CHECK_OK(syscall(443, root, QCMD(0x800001, 0), 0, NULL));
	CHECK_ERR(syscall(443, root, QCMD(0x800002, 0), 2, buf), EINVAL);
	CHECK_OK(syscall(443, root, QCMD(0x800003, 1), 0, NULL));
	CHECK_ERR(syscall(443, root, QCMD(0x800004, 0), 0, buf), ESRCH);
	CHECK_ERR(syscall(443, root, QCMD(0x800005, 0), 0, NULL), ESRCH);
	CHECK_ERR(syscall(443, root, QCMD(0x800006, 0), 0, NULL), EFAULT);
	CHECK_ERR(syscall(443, root, QCMD(0x800007, 2), 0, buf), ESRCH);
	CHECK_ERR(syscall(443, root, QCMD(0x800008, 0), 0, buf), ESRCH);
	CHECK_ERR(syscall(443, root, QCMD(0x5801, 0), 0, buf), ENOSYS);
	CHECK_ERR(syscall(443, root, QCMD(0x5808, 0), 0, NULL), EFAULT);
	CHECK_ERR(syscall(443, root, QCMD(0x777, 0), 0, buf), EINVAL);
	CHECK_ERR(syscall(443, root, QCMD(0x777, 3), 0, buf), EINVAL);
	CHECK_ERR(syscall(443, proc, QCMD(0x800007, 0), 0, buf), ENOSYS);
	CHECK_ERR(syscall(443, 99, QCMD(0x800007, 0), 0, buf), EBADF);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(syscall(443, root, QCMD(0x800002, 0), 2, buf), EPERM);
	CHECK_ERR(syscall(443, root, QCMD(0x800007, 0), 0, buf), EPERM);
	CHECK_ERR(syscall(443, root, QCMD(0x800007, 0), 1000, buf), ESRCH);
	CHECK_ERR(syscall(443, root, QCMD(0x800008, 0), 1000, buf), EPERM);
}

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

static __attribute__((noreturn)) int uses_up_memory(void *arg)
{
	(void)arg;
	for (;;) {
		char *p =
			mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (p == MAP_FAILED)
			pause();
		p[0] = 1;
	}
}

static int sees_zeros(void *arg)
{
	return *(char *)arg;
}

/* Memory that may go: not to children, not locked, and at last for who needs it. */
TEST(newer, droppable)
{
	const size_t size = 4 << 20;
	const int type = MAP_DROPPABLE | MAP_ANONYMOUS;
	unsigned char core;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, type, -1, 0);
	bool gone = false;
	int adj;
	pid_t pid;

	if (p == MAP_FAILED)
		ut_skip("no MAP_DROPPABLE");
	memset(p, 1, size);
	CHECK_EQ(ut_wait(ut_fork(sees_zeros, p)), 0);
	CHECK(p[0] == 1);
	CHECK_ERR(madvise(p, 4096, MADV_KEEPONFORK), EINVAL);
	CHECK_ERR(madvise(p, 4096, MADV_DODUMP), EINVAL);
	CHECK_OK(mlock(p, 4096));
	CHECK(mmap(NULL, 4096, PROT_READ, type | MAP_LOCKED, -1, 0) ==
	      MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_DROPPABLE,
		   open("/bin/sh", O_RDONLY), 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK_OK(mincore(p, 4096, &core));
	CHECK_EQ(core & 1, 1);
	if (getenv("UTEST_NO_OOM"))
		return;
	pid = ut_fork(uses_up_memory, NULL);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	adj = open(path, O_WRONLY);
	if (adj >= 0 && write(adj, "1000", 4) != 4)
		ut_skip("oom_score_adj");
	while (!gone && waitpid(pid, NULL, WNOHANG) == 0) {
		for (size_t i = 0; i < size; i += 4096)
			gone |= !p[i];
		ut_sleep_ms(5);
	}
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	for (size_t i = 0; i < size; i += 4096)
		gone |= !p[i];
	CHECK(gone);
}

/* It goes when it is asked to. */
TEST(newer, droppable_pageout)
{
	size_t len = 64 * 4096;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | 0x08,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 'a', len);
	for (int i = 0; i < 20 && memchr(p, 'a', len); i++) {
		CHECK_OK(madvise(p, len, 21));
		ut_sleep_ms(20);
	}
	CHECK(!memchr(p, 'a', len));
}

static int runs_memfd(void *arg)
{
	char *argv[] = { "m", NULL };

	syscall(SYS_execveat, *(int *)arg, "", argv, argv + 1, AT_EMPTY_PATH);
	return errno;
}

/* A file in memory is no busy text for who made it; who opened it again is a writer. */
TEST(newer, memfd_executed)
{
	static const char script[] = "#!/bin/sh\nexit 77\n";
	int fd = memfd_create("m", MFD_ALLOW_SEALING), again;
	char name[32];

	CHECK_EQ(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	CHECK_EQ(ut_wait(ut_fork(runs_memfd, &fd)), 77);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
	CHECK_EQ(ut_wait(ut_fork(runs_memfd, &fd)), 77);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK_OK(again = open(name, O_RDWR));
	CHECK_EQ(ut_wait(ut_fork(runs_memfd, &fd)), ETXTBSY);
	CHECK_OK(close(again));
	CHECK_EQ(ut_wait(ut_fork(runs_memfd, &fd)), 77);
}
