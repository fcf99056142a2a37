/* SPDX-License-Identifier: MIT */
/*
 * user/tests/events.c - epoll in its modes, event files, timers, and futexes that
 * outlive or belong to their owners.
 */
#include "utest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/statfs.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/time.h>
#include <sys/uio.h>

static int watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, op, fd, &ev);
}

static int ready(int ep, int ms)
{
	struct epoll_event got[8];

	return epoll_wait(ep, got, 8, ms);
}

TEST(events, level_edge_oneshot)
{
	int ep = epoll_create1(0), p[2];
	char c;

	CHECK_OK(ep);
	CHECK_OK(pipe(p));
	CHECK_OK(watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN));
	CHECK_EQ(write(p[1], "ab", 2), 2);
	CHECK_EQ(ready(ep, 0), 1);
	CHECK_EQ(ready(ep, 0), 1);
	CHECK_OK(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET));
	CHECK_EQ(ready(ep, 0), 1);
	CHECK_EQ(ready(ep, 0), 0);
	CHECK_EQ(write(p[1], "c", 1), 1);
	CHECK_EQ(ready(ep, 0), 1);
	CHECK_EQ(ready(ep, 0), 0);
	CHECK_OK(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT));
	CHECK_EQ(ready(ep, 0), 1);
	CHECK_EQ(write(p[1], "d", 1), 1);
	CHECK_EQ(ready(ep, 0), 0);
	CHECK_OK(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN));
	CHECK_EQ(ready(ep, 0), 1);
	while (poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 0) == 1)
		CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(ready(ep, 0), 0);
	CHECK_OK(close(p[1]));
	CHECK_EQ(ready(ep, 0), 1); /* EPOLLHUP needs no asking */
	CHECK_OK(close(p[0]));
	CHECK_EQ(ready(ep, 0), 0);
}

TEST(events, epoll_errors)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), fd = ut_open("f", "x"), p[2];

	CHECK_OK(pipe(p));
	CHECK_ERR(epoll_create1(123), EINVAL);
	CHECK_ERR(watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN), EPERM);
	CHECK_ERR(watch(ep, EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
	CHECK_ERR(watch(ep, EPOLL_CTL_ADD, 999, EPOLLIN), EBADF);
	CHECK_ERR(watch(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN), EINVAL);
	CHECK_ERR(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN), ENOENT);
	CHECK_ERR(watch(ep, EPOLL_CTL_DEL, p[0], EPOLLIN), ENOENT);
	CHECK_ERR(epoll_wait(ep, NULL, 0, 0), EINVAL);
}

struct slot {
	uint32_t efd, tfd, toff;
};

static long compare_watched(int fd, struct slot *slot)
{
	return syscall(SYS_kcmp, getpid(), getpid(), 7, fd, slot);
}

TEST(events, compare_watched)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), p[2], q[2], other;
	struct slot slot = { (uint32_t)ep, 0, 0 };

	CHECK_OK(pipe(p));
	CHECK_OK(pipe(q));
	slot.tfd = (uint32_t)p[0];
	CHECK_ERR(compare_watched(p[0], &slot), ENOENT);
	CHECK_OK(watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN));
	CHECK_EQ(compare_watched(p[0], &slot), 0);
	CHECK(compare_watched(q[0], &slot) > 0);
	CHECK_ERR(compare_watched(999, &slot), EBADF);
	CHECK_ERR(compare_watched(p[0], NULL), EFAULT);
	/* The same number for a second file while the first one lives on. */
	CHECK_OK(other = dup(p[0]));
	CHECK_OK(dup2(q[0], p[0]));
	CHECK_OK(watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN));
	slot.toff = 2;
	CHECK_ERR(compare_watched(other, &slot), ENOENT);
	slot.toff = 0; /* in either order */
	if (compare_watched(other, &slot))
		slot.toff = 1;
	CHECK_EQ(compare_watched(other, &slot), 0);
	slot.toff = !slot.toff;
	CHECK_EQ(compare_watched(q[0], &slot), 0);
	slot.efd = (uint32_t)p[0];
	CHECK_ERR(compare_watched(p[0], &slot), EINVAL);
	/* KCMP_SYSVSEM: who owes nothing is like the others. */
	CHECK_EQ(syscall(SYS_kcmp, getpid(), getppid(), 6, 0, 0), 0);
}

TEST(events, nested)
{
	int in = epoll_create1(0), out = epoll_create1(0), s[2];
	pid_t pid;
	char c;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(watch(in, EPOLL_CTL_ADD, s[1], EPOLLIN | EPOLLET));
	CHECK_OK(watch(out, EPOLL_CTL_ADD, in, EPOLLIN));
	CHECK_ERR(watch(in, EPOLL_CTL_ADD, out, EPOLLIN), ELOOP);
	CHECK_EQ(ready(out, 0), 0);
	CHECK_EQ(write(s[0], "q", 1), 1);
	CHECK_EQ(ready(out, 0), 1);
	CHECK_EQ(ready(in, 0), 1);
	CHECK_EQ(ready(in, 0), 0);
	CHECK_EQ(ready(out, 0), 0);
	CHECK_EQ(read(s[1], &c, 1), 1);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		ut_sleep_ms(30);
		_exit(write(s[0], "r", 1) != 1);
	}
	CHECK_EQ(ready(out, 5000), 1);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(events, eventfd_modes)
{
	int fd = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	uint64_t v;

	CHECK_OK(fd);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	v = UINT64_MAX - 1;
	CHECK_ERR(write(fd, &v, 8), EAGAIN);
	v = UINT64_MAX;
	CHECK_ERR(write(fd, &v, 8), EINVAL);
	CHECK_ERR(read(fd, &v, 4), EINVAL);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
}

TEST(events, signalfd)
{
	struct signalfd_siginfo si;
	struct pollfd p = { .events = POLLIN };
	sigset_t set;
	pid_t pid;
	int ep;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	p.fd = signalfd(-1, &set, 0);
	CHECK_OK(p.fd);
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		ut_sleep_ms(30);
		_exit(kill(getppid(), SIGUSR1));
	}
	CHECK_EQ(read(p.fd, &si, sizeof(si)), sizeof(si));
	CHECK_EQ(si.ssi_signo, SIGUSR1);
	CHECK_EQ(si.ssi_pid, pid);
	CHECK_EQ(ut_wait(pid), 0);
	ep = epoll_create1(0);
	CHECK_OK(watch(ep, EPOLL_CTL_ADD, p.fd, EPOLLIN));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(ready(ep, 0), 1);
	CHECK_EQ(read(p.fd, &si, sizeof(si)), sizeof(si));
	CHECK_EQ(poll(&p, 1, 0), 0);
}

TEST(events, timerfd_periodic)
{
	struct itimerspec its = { { 0, 5000000 }, { 0, 5000000 } }, left;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t n, total = 0;

	CHECK_OK(fd);
	CHECK_OK(timerfd_settime(fd, 0, &its, NULL));
	ut_sleep_ms(60);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 10);
	while (total < 3) {
		CHECK_EQ(read(fd, &n, 8), 8);
		total += n;
	}
	CHECK_OK(timerfd_gettime(fd, &left));
	CHECK_EQ(left.it_interval.tv_nsec, 5000000);
	CHECK(left.it_value.tv_nsec <= 5000000);
	memset(&its, 0, sizeof(its));
	CHECK_OK(timerfd_settime(fd, 0, &its, NULL));
	CHECK_EQ(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 20), 0);
}

static volatile int nr_signals;

static void count_signal(int sig)
{
	(void)sig;
	nr_signals++;
}

TEST(events, timer_overrun)
{
	struct itimerspec its = { { 0, 1000000 }, { 0, 1000000 } };
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGRTMIN,
			       .sigev_value.sival_int = 77 };
	siginfo_t si;
	sigset_t set;
	timer_t id;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &se, &id));
	CHECK_OK(timer_settime(id, 0, &its, NULL));
	ut_sleep_ms(50);
	CHECK_EQ(sigwaitinfo(&set, &si), SIGRTMIN);
	CHECK_EQ(si.si_code, SI_TIMER);
	CHECK_EQ(si.si_value.sival_int, 77);
	CHECK(si.si_overrun >= 30);
	CHECK(timer_getoverrun(id) >= 30);
	CHECK_OK(timer_delete(id));
}

TEST(events, itimer_prof)
{
	struct itimerval it = { { 0, 10000 }, { 0, 10000 } };
	volatile long n = 0;
	long end;

	signal(SIGPROF, count_signal);
	CHECK_OK(setitimer(ITIMER_PROF, &it, NULL));
	ut_sleep_ms(100);
	CHECK(nr_signals <= 2);
	for (end = 0; nr_signals < 5 && end < 4000000000l; end++)
		n++; /* not one call */
	CHECK(nr_signals >= 5);
}

static pthread_mutex_t *shared_mutex(bool pi)
{
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t a;

	CHECK(m != MAP_FAILED);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (pi)
		pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	CHECK_EQ(pthread_mutex_init(m, &a), 0);
	return m;
}

static void owner_dies(bool pi)
{
	pthread_mutex_t *m = shared_mutex(pi);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		pthread_mutex_lock(m);
		ut_sleep_ms(100);
		kill(getpid(), SIGKILL);
	}
	ut_sleep_ms(40);
	CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(m), 0);
	CHECK_EQ(pthread_mutex_unlock(m), 0);
	CHECK_EQ(pthread_mutex_trylock(m), 0);
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

TEST(events, robust)
{
	owner_dies(false);
}

TEST(events, robust_pi)
{
	owner_dies(true);
}

static pthread_mutex_t pi_mutex;
static long pi_count;

static void *pi_worker(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 200; i++) {
		pthread_mutex_lock(&pi_mutex);
		pi_count++;
		pthread_mutex_unlock(&pi_mutex);
	}
	return NULL;
}

TEST(events, pi_mutex)
{
	struct timespec ts;
	pthread_mutexattr_t a;
	pthread_t t[4];
	int i;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	CHECK_EQ(pthread_mutex_init(&pi_mutex, &a), 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, pi_worker, NULL), 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(pi_count, 800);
	clock_gettime(CLOCK_REALTIME, &ts);
	CHECK_EQ(pthread_mutex_timedlock(&pi_mutex, &ts), 0);
}

TEST(events, pipe_size)
{
	static char block[65536];
	int p[2];

	CHECK_OK(pipe(p));
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(write(p[1], block, 65536), 65536);
	CHECK_ERR(fcntl(p[0], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 100000), 131072);
	CHECK_EQ(write(p[1], block, 65536), 65536);
	CHECK_EQ(read(p[0], block, 65536), 65536);
	CHECK_EQ(read(p[0], block, 65536), 65536);
	CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 1), 4096);
	CHECK_OK(fcntl(p[1], F_SETFL, O_NONBLOCK));
	CHECK_EQ(write(p[1], block, 65536), 4096);
}

TEST(events, tee_and_vmsplice)
{
	struct iovec v = { (char[]){ "hello" }, 5 };
	int a[2], b[2];
	char buf[16];

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	CHECK_EQ(vmsplice(a[1], &v, 1, 0), 5);
	CHECK_EQ(tee(a[0], b[1], 100, 0), 5);
	CHECK_EQ(read(a[0], buf, 16), 5);
	CHECK_EQ(read(b[0], buf, 16), 5);
	CHECK(!memcmp(buf, "hello", 5));
	CHECK_ERR(tee(a[0], b[1], 100, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERR(tee(a[0], a[1], 100, 0), EINVAL);
}

TEST(events, pipe_by_proc)
{
	char name[32], buf[8];
	int p[2], fd;

	CHECK_OK(pipe(p));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_OK(close(p[1]));
	fd = open(name, O_RDONLY); /* waits for no writer */
	CHECK_OK(fd);
	CHECK_EQ(read(fd, buf, 8), 1);
	CHECK_EQ(read(fd, buf, 8), 0);
}

static int next_event(int fd, struct inotify_event *out, char *name)
{
	static char buf[4096] __attribute__((aligned(8)));
	static int have, at;
	struct inotify_event *e;

	if (at == have) {
		have = read(fd, buf, sizeof(buf));
		at = 0;
		if (have <= 0) {
			have = 0;
			return -1;
		}
	}
	e = (void *)(buf + at);
	*out = *e;
	strcpy(name, e->len ? e->name : "");
	at += sizeof(*e) + e->len;
	return 0;
}

TEST(events, inotify)
{
	static const struct {
		uint32_t mask;
		const char *name;
	} want[] = {
		{ IN_CREATE, "f" },	{ IN_OPEN, "f" },
		{ IN_MODIFY, "f" },	{ IN_CLOSE_WRITE, "f" },
		{ IN_ATTRIB, "f" },	{ IN_CREATE | IN_ISDIR, "d" },
		{ IN_MOVED_FROM, "f" }, { IN_MOVED_TO, "g" },
		{ IN_DELETE, "g" },	{ IN_DELETE | IN_ISDIR, "d" },
		{ IN_IGNORED, "" },
	};
	struct inotify_event e;
	uint32_t cookie = 0;
	char name[256];
	int in, wd, fd;
	unsigned i;

	NEED(in = inotify_init1(IN_NONBLOCK));
	CHECK_ERR(inotify_add_watch(in, "none", IN_ALL_EVENTS), ENOENT);
	CHECK_ERR(inotify_add_watch(in, ".", 0), EINVAL);
	wd = inotify_add_watch(in, ".",
			       IN_CREATE | IN_OPEN | IN_MODIFY |
				       IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE |
				       IN_DELETE);
	CHECK_OK(wd);
	CHECK_ERR(next_event(in, &e, name), EAGAIN);
	fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(write(fd, "y", 1), 1); /* the same as before: one event */
	CHECK_OK(close(fd));
	CHECK_OK(chmod("f", 0644));
	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(rename("f", "g"));
	CHECK_OK(unlink("g"));
	CHECK_OK(rmdir("d"));
	CHECK_OK(inotify_rm_watch(in, wd));
	CHECK_ERR(inotify_rm_watch(in, wd), EINVAL);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		CHECK_OK(next_event(in, &e, name));
		CHECK_EQ(e.mask, want[i].mask);
		CHECK_EQ(strcmp(name, want[i].name), 0);
		CHECK_EQ(e.wd, wd);
		if (e.mask & IN_MOVED_FROM)
			cookie = e.cookie;
		if (e.mask & IN_MOVED_TO)
			CHECK_EQ(e.cookie, cookie);
	}
	CHECK_ERR(next_event(in, &e, name), EAGAIN);
}

TEST(events, inotify_self)
{
	struct inotify_event e;
	char name[256];
	int in = inotify_init1(IN_NONBLOCK), fd;

	CHECK_OK(in);
	fd = ut_open("f", "x");
	CHECK_OK(inotify_add_watch(in, "f", IN_CLOSE | IN_DELETE_SELF));
	CHECK_OK(close(fd));
	CHECK_OK(next_event(in, &e, name));
	CHECK_EQ(e.mask, IN_CLOSE_WRITE);
	CHECK_OK(unlink("f"));
	CHECK_OK(next_event(in, &e, name));
	CHECK_EQ(e.mask, IN_DELETE_SELF);
	CHECK_OK(next_event(in, &e, name));
	CHECK_EQ(e.mask, IN_IGNORED);
	/* who has it open keeps it */
	fd = ut_open("f", "x");
	CHECK_OK(inotify_add_watch(in, "f", IN_ATTRIB | IN_DELETE_SELF));
	CHECK_OK(unlink("f"));
	CHECK_OK(next_event(in, &e, name));
	CHECK_EQ(e.mask, IN_ATTRIB);
	CHECK_ERR(next_event(in, &e, name), EAGAIN);
	CHECK_OK(close(fd));
	CHECK_OK(next_event(in, &e, name));
	CHECK_EQ(e.mask, IN_DELETE_SELF);
	CHECK_OK(next_event(in, &e, name));
	CHECK_EQ(e.mask, IN_IGNORED);
}

static volatile int dn_fd;
static volatile long dn_band;
static volatile int dn_count;

static void on_dnotify(int sig, siginfo_t *si, void *ctx)
{
	(void)sig;
	(void)ctx;
	dn_fd = si->si_fd;
	dn_band = si->si_band;
	dn_count++;
}

TEST(events, dnotify)
{
	struct sigaction sa = { .sa_sigaction = on_dnotify,
				.sa_flags = SA_SIGINFO };
	int d, e;

	CHECK_OK(sigaction(SIGRTMIN + 1, &sa, NULL));
	CHECK_OK(mkdir("sub", 0700));
	CHECK_OK(d = open(".", O_RDONLY));
	CHECK_OK(e = open("sub", O_RDONLY));
	CHECK_ERR(fcntl(ut_open("f", "x"), F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_OK(fcntl(d, F_SETSIG, SIGRTMIN + 1));
	CHECK_OK(fcntl(e, F_SETSIG, SIGRTMIN + 1));
	CHECK_OK(fcntl(d, F_NOTIFY, DN_CREATE));
	close(ut_open("g", "x"));
	CHECK_EQ(dn_count, 1);
	CHECK_EQ(dn_fd, d);
	CHECK_EQ(dn_band, 0x441); /* POLLIN, POLLRDNORM, POLLMSG */
	close(ut_open("h", "x")); /* once only */
	CHECK_EQ(dn_count, 1);
	CHECK_OK(fcntl(d, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT));
	CHECK_OK(fcntl(e, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT));
	CHECK_OK(chmod("sub", 0755)); /* the directory, and in its parent */
	CHECK_EQ(dn_count, 3);
	CHECK_OK(fcntl(e, F_NOTIFY, 0));
	CHECK_OK(chmod("sub", 0700));
	CHECK_EQ(dn_count, 4);
	close(d);
	CHECK_OK(chmod("sub", 0755));
	CHECK_EQ(dn_count, 4);
}

static int load_word(const int *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void *dies_owning(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&pi_mutex);
	/* until FUTEX_WAITERS is set: who comes after the death gets ESRCH */
	while (!(load_word(&pi_mutex.__data.__lock) & 0x80000000u))
		ut_sleep_ms(1);
	ut_sleep_ms(20);
	return NULL;
}

/* Not robust: the next owner is not told, but it gets the lock. */
TEST(events, pi_owner_dies)
{
	pthread_mutexattr_t a;
	struct timespec ts;
	pthread_t t;
	uint32_t *word = (uint32_t *)&pi_mutex.__data.__lock;
	long tid = syscall(SYS_gettid);

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	CHECK_EQ(pthread_mutex_init(&pi_mutex, &a), 0);
	CHECK_EQ(pthread_create(&t, NULL, dies_owning, NULL), 0);
	while (!load_word(&pi_mutex.__data.__lock))
		ut_sleep_ms(1);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 5;
	CHECK_OK(syscall(SYS_futex, word, 6 | 128, 0, &ts)); /* LOCK_PI */
	CHECK_EQ(*word & 0x3fffffff, tid);
	CHECK_EQ(pthread_join(t, NULL), 0);
}

/* Files that lie nowhere are of a file system all the same. */
TEST(events, statfs)
{
	struct statfs st;
	int fd = epoll_create1(0);

	CHECK_OK(fd);
	CHECK_OK(fstatfs(fd, &st));
	CHECK_EQ(st.f_type, 0x09041934);
	CHECK_EQ(st.f_bsize, 4096);
}

/* What is asked of a descriptor of events besides. */
TEST(events, asked_oddly)
{
	int ep = epoll_create1(0), e = eventfd(0, EFD_NONBLOCK);
	uint64_t two[2] = { 1, 1 };

	CHECK_ERR(epoll_wait(ep, (void *)-1L, 1, 0), EFAULT);
	CHECK_ERR(write(e, two, 9), EINVAL);
	CHECK_ERR(write(e, two, 7), EINVAL);
	CHECK_EQ(write(e, two, 8), 8);
	CHECK_EQ(lseek(e, 5, SEEK_SET), 0);
	CHECK_EQ(lseek(ep, 0, SEEK_CUR), 0);
	CHECK_ERR(pread(e, two, 8, 0), ESPIPE);
}

/* What an epoll file keeps about busy polling. */
TEST(events, epoll_params)
{
	struct {
		uint32_t usecs;
		uint16_t budget;
		uint8_t prefer, pad;
	} p = { 1, 1, 1, 1 }, q = { 40, 8, 1, 0 };
	int e = epoll_create1(0), on = 1;

	CHECK_OK(ioctl(e, 0x80088a02u, &p));
	CHECK(!p.usecs && !p.budget && !p.prefer && !p.pad);
	CHECK_OK(ioctl(e, 0x40088a01u, &q));
	CHECK_OK(ioctl(e, 0x80088a02u, &p));
	CHECK(p.usecs == 40 && p.budget == 8 && p.prefer == 1 && !p.pad);
	q.pad = 1;
	CHECK_ERR(ioctl(e, 0x40088a01u, &q), EINVAL);
	q.pad = 0;
	q.prefer = 2;
	CHECK_ERR(ioctl(e, 0x40088a01u, &q), EINVAL);
	q.prefer = 0;
	q.usecs = 0x80000000u;
	CHECK_ERR(ioctl(e, 0x40088a01u, &q), EINVAL);
	CHECK_ERR(ioctl(e, FIONREAD, &on), EINVAL);
	q.usecs = 1;
	q.budget = 65;
	CHECK_OK(ioctl(e, 0x40088a01u, &q));
	CHECK_OK(setuid(1234));
	CHECK_ERR(ioctl(e, 0x40088a01u, &q), EPERM);
}

/* Generated text is ready for epoll; that of /sys was not read yet. */
TEST(events, epoll_of_text)
{
	static const char *const name[] = { "/sys/kernel/uevent_seqnum",
					    "/proc/uptime",
					    "/proc/sys/kernel/osrelease" };
	struct epoll_event e = { .events = EPOLLIN | EPOLLPRI };
	char b[64];

	for (int i = 0; i < 3; i++) {
		int f = open(name[i], O_RDONLY), ep = epoll_create1(0);

		CHECK_OK(f);
		CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, f, &e));
		CHECK_EQ(epoll_wait(ep, &e, 1, 0), 1);
		CHECK_EQ(e.events, i ? EPOLLIN : EPOLLIN | EPOLLPRI | EPOLLERR);
		CHECK(read(f, b, sizeof(b)) > 0);
		CHECK_EQ(epoll_wait(ep, &e, 1, 0), 1);
		CHECK_EQ(e.events, EPOLLIN);
		e.events = EPOLLIN | EPOLLPRI;
		CHECK_OK(close(f));
		CHECK_OK(close(ep));
	}
	int f = open("/proc/self/stat", O_RDONLY), ep = epoll_create1(0);

	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, f, &e), EPERM);
}
