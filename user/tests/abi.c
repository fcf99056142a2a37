/* SPDX-License-Identifier: MIT */
/*
 * user/tests/abi.c - clocks of CPU time, a clock that is set, O_ASYNC, futexes that
 * are moved, numbers that are asked for, memory policies, what /proc tells of I/O.
 */
#include "utest.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

static uint64_t now_ns(clockid_t c)
{
	struct timespec t;

	CHECK_OK(clock_gettime(c, &t));
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *burn(void *ms)
{
	uint64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + (long)ms * 1000000;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
	return NULL;
}

/* --- CPU time */

TEST(abi, cputime_timer)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1 };
	struct itimerspec it = { .it_value = { 0, 30000000 } };
	struct timespec none = { 0, 0 };
	uint64_t began;
	sigset_t set;
	timer_t t;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &t));
	began = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_OK(timer_settime(t, 0, &it, NULL));
	usleep(60000); /* no CPU time passes, unless the machine is very busy */
	r = sigtimedwait(&set, NULL, &none);
	if (now_ns(CLOCK_PROCESS_CPUTIME_ID) < began + 30000000)
		CHECK_EQ(r, -1);
	else
		ut_skip("busy");
	burn((void *)80L);
	CHECK_EQ(sigtimedwait(&set, NULL, &none), SIGUSR1);
	CHECK_OK(timer_delete(t));
	CHECK_OK(timer_create(CLOCK_THREAD_CPUTIME_ID, &ev, &t));
	CHECK_OK(timer_delete(t));
}

TEST(abi, cputime_sleep)
{
	struct timespec ts = { 0, 50000000 };
	uint64_t before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	clockid_t mine;
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, burn, (void *)200L), 0);
	CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL), 0);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) >= before + 50000000);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts,
			  NULL),
		  EOPNOTSUPP);
	CHECK_EQ(pthread_getcpuclockid(pthread_self(), &mine), 0);
	CHECK_ERR(syscall(SYS_clock_nanosleep, mine, 0, &ts, NULL), EINVAL);
	CHECK_ERR(clock_settime(mine, &ts), EPERM);
}

/* Absolute times move with the clock. */
TEST(abi, clock_is_set)
{
	struct itimerspec it = { .it_value = { 0, 0 } };
	struct timespec t, back;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int cancel = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	uint64_t n, began = now_ns(CLOCK_MONOTONIC);

	CHECK_OK(clock_gettime(CLOCK_REALTIME, &t));
	it.it_value.tv_sec = t.tv_sec + 50;
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	it.it_value.tv_sec = t.tv_sec + 5000;
	CHECK_OK(timerfd_settime(cancel,
				 TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
				 &it, NULL));
	CHECK_ERR(read(fd, &n, sizeof(n)), EAGAIN);
	back = t;
	t.tv_sec += 100;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &t));
	CHECK_EQ(read(fd, &n, sizeof(n)), sizeof(n));
	CHECK_ERR(read(cancel, &n, sizeof(n)), ECANCELED);
	CHECK_ERR(read(cancel, &n, sizeof(n)), EAGAIN);
	n = now_ns(CLOCK_MONOTONIC) - began;
	back.tv_sec += n / 1000000000;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &back));
}

/* --- SIGIO */

static int wait_for(int sig, siginfo_t *si)
{
	struct timespec limit = { 5, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, si, &limit);
}

TEST(abi, async)
{
	struct f_owner_ex own = { F_OWNER_TID, gettid() };
	siginfo_t si;
	sigset_t set;
	int p[2], s[2];

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGRTMIN);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(pipe(p));
	CHECK_OK(fcntl(p[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(p[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(wait_for(SIGIO, &si), SIGIO);
	CHECK_OK(fcntl(p[0], F_SETSIG, SIGRTMIN));
	CHECK_OK(fcntl(p[0], F_SETOWN_EX, &own));
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(wait_for(SIGRTMIN, &si), SIGRTMIN);
	CHECK_EQ(si.si_code, POLL_IN);
	CHECK_EQ(si.si_fd, p[0]);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(fcntl(s[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(s[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(s[1], "x", 1), 1);
	CHECK_EQ(wait_for(SIGIO, &si), SIGIO);
	close(s[0]); /* while it is observed */
	close(p[0]);
	p[0] = open("/dev/zero", O_RDWR);
	CHECK_OK(fcntl(p[0], F_SETFL, O_ASYNC));
	CHECK_EQ(fcntl(p[0], F_GETFL) & O_ASYNC, 0);
}

/* --- from one word to another */

static uint32_t cond, lock;

static long fx(uint32_t *a, int op, uint32_t v, const void *t, uint32_t *b,
	       uint32_t v3)
{
	return syscall(SYS_futex, a, op | FUTEX_PRIVATE_FLAG, v, t, b, v3);
}

static void *wait_then_own(void *arg)
{
	(void)arg;
	CHECK_OK(fx(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, (uint32_t)gettid());
	usleep(1000);
	CHECK_OK(fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	return NULL;
}

TEST(abi, futex_requeue_pi)
{
	pthread_t t[3];
	uint32_t other = 0;
	long moved = 0;

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, wait_then_own, NULL), 0);
	usleep(50000);
	CHECK_ERR(fx(&cond, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERR(fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, NULL, &other, 0), EINVAL);
	CHECK_ERR(fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, NULL, &lock, 7), EAGAIN);
	CHECK_OK(fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	moved = fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, NULL, &lock, 0);
	CHECK_EQ(moved, 1);
	CHECK_OK(fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	while (moved < 3)
		moved += fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)5L, &lock,
			    0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(lock, 0);
}

#define NR_FUTEX_WAKE	 454
#define NR_FUTEX_WAIT	 455
#define NR_FUTEX_REQUEUE 456
#define F2_PRIVATE_U32	 (2 | 128)

static void *wait2(void *arg)
{
	return (void *)syscall(NR_FUTEX_WAIT, arg, 0L, 2L, F2_PRIVATE_U32, NULL,
			       CLOCK_MONOTONIC);
}

TEST(abi, futex2)
{
	struct {
		uint64_t val, addr;
		uint32_t flags, pad;
	} w[2] = { { 0, (uintptr_t)&cond, F2_PRIVATE_U32, 0 },
		   { 0, (uintptr_t)&lock, F2_PRIVATE_U32, 0 } };
	pthread_t t;
	void *r;

	CHECK_EQ(pthread_create(&t, NULL, wait2, &cond), 0);
	usleep(50000);
	CHECK_OK(syscall(NR_FUTEX_WAKE, &cond, 1L, 1, F2_PRIVATE_U32));
	CHECK_EQ(syscall(NR_FUTEX_REQUEUE, w, 0, 0, 1), 1);
	CHECK_EQ(syscall(NR_FUTEX_WAKE, &lock, 2L, 1, F2_PRIVATE_U32), 1);
	CHECK_EQ(pthread_join(t, &r), 0);
	CHECK(!r);
	CHECK_ERR(syscall(NR_FUTEX_WAKE, &cond, 0L, 1, F2_PRIVATE_U32), EINVAL);
	CHECK_ERR(syscall(NR_FUTEX_WAIT, &cond, 1L << 32, 1L, 2, NULL, 0),
		  EINVAL);
}

/* --- a number of one's choice */

TEST(abi, set_tid)
{
	pid_t want = 30123;
	struct clone_args a = { .exit_signal = SIGCHLD,
				.set_tid = (uintptr_t)&want,
				.set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &a, sizeof(a));
	int status;

	if (!pid)
		_exit(getpid() == want ? 7 : 1);
	CHECK_EQ(pid, want);
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EEXIST);
	CHECK_EQ(waitpid(want, &status, 0), want);
	CHECK_EQ(status, 7 << 8);
	want = 0;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
}

TEST(abi, stack_is_memory)
{
	struct clone_args a = { .exit_signal = SIGCHLD,
				.stack = 1ull << 63,
				.stack_size = 4096 };

	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	a.stack = (uintptr_t)&a;
	a.stack_size = ~0ull;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
}

/* --- memory */

#define MPOL_BIND   2
#define MPOL_F_ADDR 2

TEST(abi, memory_policy)
{
	unsigned long node = 1, got = 0;
	char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int mode = -1;

	CHECK_OK(syscall(SYS_set_mempolicy, MPOL_BIND, &node, 64L));
	CHECK_OK(syscall(SYS_get_mempolicy, &mode, &got, 64L, NULL, 0L));
	CHECK(mode == MPOL_BIND && got == 1);
	CHECK_OK(syscall(SYS_set_mempolicy, 0, NULL, 0L));
	CHECK_OK(syscall(SYS_mbind, m + 4096, 4096L, MPOL_BIND, &node, 64L, 0));
	CHECK_OK(syscall(SYS_get_mempolicy, &mode, NULL, 0L, m, MPOL_F_ADDR));
	CHECK_EQ(mode, 0);
	CHECK_OK(syscall(SYS_get_mempolicy, &mode, NULL, 0L, m + 4096,
			 MPOL_F_ADDR));
	CHECK_EQ(mode, MPOL_BIND);
	CHECK_OK(munmap(m, 8192));
	CHECK_ERR(syscall(SYS_mbind, m, 4096L, MPOL_BIND, &node, 64L, 0),
		  EFAULT);
}

#define SET_MDWE 65

static int no_write_and_exec(void *arg)
{
	void *m;

	(void)arg;
	CHECK_OK(prctl(SET_MDWE, 1L, 0L, 0L, 0L));
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	CHECK_ERR(mprotect(m, 4096, PROT_READ | PROT_EXEC), EACCES);
	CHECK_ERR(prctl(SET_MDWE, 0L, 0L, 0L, 0L), EPERM);
	return 0;
}

TEST(abi, mdwe)
{
	int status;

	CHECK(ut_fork(no_write_and_exec, NULL) > 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_ERR(mprotect((void *)4096, -1ul, PROT_READ), ENOMEM);
}

static void io_of(unsigned long v[4])
{
	FILE *f = fopen("/proc/self/io", "r");

	CHECK(f);
	CHECK_EQ(fscanf(f, "rchar: %lu wchar: %lu syscr: %lu syscw: %lu", v,
			v + 1, v + 2, v + 3),
		 4);
	fclose(f);
}

TEST(abi, proc_io)
{
	unsigned long a[4], b[4];
	char buf[100];
	int fd = open("/dev/zero", O_RDWR);

	io_of(a);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(read(fd, buf, 100), 100);
		CHECK_EQ(write(fd, buf, 50), 50);
	}
	io_of(b);
	CHECK_EQ(b[1] - a[1], 500);
	CHECK_EQ(b[3] - a[3], 10);
	CHECK(b[0] - a[0] >= 1000 && b[2] - a[2] >= 10);
}

/* A page of a file is dirty, and clean when it has been written. */
TEST(abi, kpageflags)
{
	int maps = open("/proc/self/pagemap", O_RDONLY);
	int flags = open("/proc/kpageflags", O_RDONLY);
	uint64_t e, word;
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	CHECK(maps >= 0 && flags >= 0 && m != MAP_FAILED);
	CHECK_EQ(pread(maps, &e, 8, (uintptr_t)m / 4096 * 8), 8);
	CHECK(e >> 63);
	e &= (1ull << 55) - 1;
	CHECK_EQ(pread(flags, &word, 8, (off_t)e * 8), 8);
	CHECK(word >> 12 & 1); /* anonymous */
	CHECK_EQ(pread(flags, &word, 8, 1ll << 45), 0);
	CHECK_ERR(pread(flags, &word, 7, 0), EINVAL);
}

static int adjust(unsigned int modes, long value)
{
	struct timex t = { .modes = modes, .tick = value, .status = value };

	return adjtimex(&t);
}

/* A clock that is to be faster by a tenth is; and only who may, may. */
TEST(abi, clock_is_steered)
{
	int64_t before, gained = 0;

	CHECK_ERR(adjust(ADJ_TICK, 8999), EINVAL);
	before = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
	CHECK_OK(adjust(ADJ_TICK, 11000));
	for (int i = 0; i < 100 && gained < 20000000; i++) {
		usleep(50000);
		gained = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC) -
			 before;
	}
	CHECK_OK(adjust(ADJ_TICK, 10000));
	CHECK(gained >= 20000000 && gained <= 1000000000);
	CHECK_OK(seteuid(500));
	CHECK_OK(adjust(0, 0));
	CHECK_ERR(adjust(ADJ_TICK, 10000), EPERM);
}

/* Who says that the clock is right is believed, for a second at least. */
TEST(abi, clock_is_synchronised)
{
	struct timex t = { .modes = ADJ_STATUS, .status = STA_UNSYNC };

	CHECK_EQ(adjtimex(&t), TIME_ERROR);
	t = (struct timex){ .modes = ADJ_STATUS };
	CHECK_EQ(adjtimex(&t), TIME_OK);
	CHECK_EQ(t.status & STA_UNSYNC, 0);
	t = (struct timex){ .modes = ADJ_STATUS, .status = STA_UNSYNC };
	CHECK_EQ(adjtimex(&t), TIME_ERROR);
}

/* The line of /proc/self/numa_maps for the area at @p. */
static void numa_line(void *p, char *buf, size_t size)
{
	FILE *f = fopen("/proc/self/numa_maps", "r");
	unsigned long at = 0;

	CHECK(f);
	while (fgets(buf, (int)size, f) && sscanf(buf, "%lx", &at) == 1 &&
	       at != (unsigned long)p)
		;
	CHECK_EQ(at, (unsigned long)p);
	fclose(f);
}

TEST(abi, numa_maps)
{
	unsigned long node0 = 1;
	char line[400], path[300], want[400];
	char *p = mmap(NULL, 8 << 12, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	if (access("/proc/self/numa_maps", R_OK))
		ut_skip("no numa_maps");
	CHECK_OK(mprotect(p + (7 << 12), 4096, PROT_NONE)); /* on its own */
	CHECK_OK(syscall(SYS_mbind, p, 4 << 12, 2 | 1 << 15, &node0, 64, 0));
	p[0] = p[4096] = 1;
	numa_line(p, line, sizeof(line));
	CHECK(strstr(line, " bind=static:0 "));
	CHECK(strstr(line, " anon=2 dirty=2 "));
	CHECK(strstr(line, " N0=2 kernelpagesize_kB=4\n"));
	fd = ut_open("f", "x");
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(*p == 'x');
	CHECK(getcwd(path, sizeof(path)));
	snprintf(want, sizeof(want), " default file=%s/f ", path);
	numa_line(p, line, sizeof(line));
	CHECK(strstr(line, want));
	CHECK(strstr(line, " N0=1 "));
}

/* A figure of /proc/self/status. */
static unsigned long status_of(const char *name)
{
	char line[200];
	unsigned long n = 0;
	FILE *f = fopen("/proc/self/status", "r");
	size_t len = strlen(name);

	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && line[len] == ':')
			n = strtoul(line + len + 1, NULL, 10);
	}
	fclose(f);
	return n;
}

TEST(abi, status_figures)
{
	unsigned long size = status_of("VmSize"), slots = status_of("FDSize");
	void *p = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(status_of("VmSize") >= size + 65536);
	CHECK_OK(munmap(p, 64 << 20));
	CHECK(status_of("VmSize") < size + 4096);
	CHECK(status_of("VmPeak") >= size + 65536);
	CHECK(status_of("VmExe") > 0);
	CHECK(slots >= 3 && slots <= 256);
	CHECK_OK(dup2(0, 600));
	CHECK(status_of("FDSize") > 600);
	CHECK_EQ(status_of("CoreDumping"), 0);
}

TEST(abi, clear_refs)
{
	char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/clear_refs", O_WRONLY);
	unsigned long high;

	CHECK_OK(fd);
	memset(p, 1, 16 << 20);
	CHECK_OK(munmap(p, 16 << 20));
	high = status_of("VmHWM");
	CHECK_EQ(write(fd, "5", 1), 1);
	CHECK(status_of("VmHWM") + 15000 < high);
	CHECK_EQ(write(fd, "4\n", 2), 2);
	CHECK_ERR(write(fd, "0", 1), EINVAL);
	CHECK_ERR(write(fd, "6", 1), EINVAL);
	CHECK_ERR(read(fd, &high, 1), EBADF);
}
