/* SPDX-License-Identifier: MIT */
/*
 * user/tests/family.c - processes that stop, kill, orphan and outlive each
 * other: what job control and supervisors build on.
 */
#include "utest.h"

#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

static volatile sig_atomic_t count;

static void counter(int sig)
{
	count++;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = counter, .sa_flags = flags };

	CHECK_OK(sigaction(sig, &sa, NULL));
}

static int wait_forever(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static void *thread_spin(void *arg)
{
	for (;;)
		sched_yield();
	return NULL;
}

static int spin_with_threads(void *arg)
{
	pthread_t t;

	for (int i = 0; i < 2; i++)
		pthread_create(&t, NULL, thread_spin, NULL);
	thread_spin(NULL);
	return 0;
}

TEST(family, odd_exit_signal)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, 200, 0, 0, 0, 0);

	if (!pid)
		_exit(3);
	CHECK(pid > 0);
	CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK_EQ(WEXITSTATUS(status), 3);
}

TEST(family, wclone)
{
	int status;
	pid_t plain = fork(), silent;

	if (!plain)
		_exit(1);
	silent = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!silent)
		_exit(2);
	CHECK_EQ(waitpid(-1, &status, __WCLONE), silent);
	CHECK_EQ(waitpid(-1, &status, 0), plain);
	CHECK_ERR(waitpid(-1, &status, __WALL), ECHILD);
}

TEST(family, stop_then_kill)
{
	for (int i = 0; i < 50; i++) {
		pid_t pid = ut_fork(spin_with_threads, NULL);

		if (i & 1)
			sched_yield();
		CHECK_OK(kill(pid, SIGSTOP));
		if (i & 2)
			CHECK_OK(kill(pid, SIGCONT));
		CHECK_OK(kill(pid, SIGKILL));
		CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	}
}

TEST(family, waitid_tells_why)
{
	pid_t pid = ut_fork(wait_forever, NULL);
	siginfo_t si;

	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_OK(waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT));
	CHECK_EQ(si.si_code, CLD_STOPPED);
	CHECK_EQ(si.si_status, SIGSTOP);
	CHECK_OK(waitid(P_PID, pid, &si, WSTOPPED));
	si.si_pid = 77;
	CHECK_OK(waitid(P_PID, pid, &si, WSTOPPED | WNOHANG));
	CHECK_EQ(si.si_pid, 0);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_OK(waitid(P_PID, pid, &si, WCONTINUED));
	CHECK_EQ(si.si_code, CLD_CONTINUED);
	CHECK_EQ(si.si_status, SIGCONT);
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_OK(waitid(P_ALL, 0, &si, WEXITED));
	CHECK_EQ(si.si_code, CLD_KILLED);
	CHECK_EQ(si.si_status, SIGTERM);
	CHECK_EQ(si.si_pid, pid);
	CHECK_ERR(waitid(P_PID, pid, &si, WEXITED), ECHILD);
}

TEST(family, stop_signals_are_optional)
{
	pid_t pid;

	handle(SIGCHLD, SA_NOCLDSTOP);
	pid = ut_fork(wait_forever, NULL);
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	CHECK_EQ(count, 0);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_EQ(count, 1);
}

TEST(family, nobody_waits)
{
	struct sigaction sa = { .sa_handler = counter,
				.sa_flags = SA_NOCLDWAIT };
	pid_t pid;

	CHECK_OK(sigaction(SIGCHLD, &sa, NULL));
	pid = fork();
	if (!pid)
		_exit(0);
	while (waitpid(pid, NULL, 0) != -1 || errno == EINTR)
		;
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(count, 1);
}

static int stops_itself(void *arg)
{
	int fd = *(int *)arg;
	char c = 'h';

	handle(SIGHUP, 0);
	setpgid(0, 0);
	if (write(fd, "s", 1) != 1)
		return 1;
	raise(SIGSTOP);
	while (!count)
		pause();
	return write(fd, &c, 1) != 1;
}

static int leaves_a_stopped_job(void *arg)
{
	pid_t pid;
	int status;

	setsid();
	pid = ut_fork(stops_itself, arg);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return 1;
	return 0;
}

TEST(family, orphaned_stopped_job)
{
	int p[2];
	char buf[2] = "";

	CHECK_OK(pipe(p));
	CHECK_EQ(ut_wait(ut_fork(leaves_a_stopped_job, &p[1])), 0);
	CHECK_EQ(read(p[0], buf, 1), 1);
	CHECK_EQ(buf[0], 's');
	CHECK_EQ(read(p[0], buf, 1), 1);
	CHECK_EQ(buf[0], 'h');
}

static int forks_and_leaves(void *arg)
{
	pid_t pid = fork();

	if (!pid) {
		ut_sleep_ms(50);
		_exit(9);
	}
	*(volatile pid_t *)arg = pid;
	return 0;
}

TEST(family, subreaper)
{
	pid_t *grandchild = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int on = 0;

	CHECK(grandchild != MAP_FAILED);
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &on));
	CHECK_EQ(on, 1);
	CHECK_EQ(ut_wait(ut_fork(forks_and_leaves, grandchild)), 0);
	CHECK_EQ(ut_wait(*grandchild), 9);
}

static int leaves_one_who_hears(void *arg)
{
	int fd = *(int *)arg;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (!pid) {
		int sig;

		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		if (write(fd, "r", 1) != 1 || sigwait(&set, &sig))
			_exit(1);
		_exit(write(fd, "d", 1) != 1);
	}
	ut_sleep_ms(100);
	return 0;
}

TEST(family, parent_death_signal)
{
	int p[2];
	char buf[3] = "";

	CHECK_OK(pipe(p));
	CHECK_EQ(ut_wait(ut_fork(leaves_one_who_hears, &p[1])), 0);
	CHECK_EQ(read(p[0], buf, 1), 1);
	CHECK_EQ(read(p[0], buf + 1, 1), 1);
	CHECK(!strcmp(buf, "rd"));
}

static int signal_then_write(void *arg)
{
	ut_sleep_ms(30);
	kill(getppid(), SIGUSR1);
	ut_sleep_ms(30);
	return write(*(int *)arg, "x", 1) != 1;
}

TEST(family, calls_restart)
{
	int p[2];
	char c;
	pid_t pid;

	CHECK_OK(pipe(p));
	handle(SIGUSR1, SA_RESTART);
	pid = ut_fork(signal_then_write, &p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(count, 1);
	CHECK_EQ(ut_wait(pid), 0);
	handle(SIGUSR1, 0);
	pid = ut_fork(signal_then_write, &p[1]);
	CHECK_ERR(read(p[0], &c, 1), EINTR);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	signal(SIGUSR1, SIG_IGN);
	pid = ut_fork(signal_then_write, &p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
}

static int stop_and_continue_parent(void *arg)
{
	pid_t parent = getppid();

	ut_sleep_ms(30);
	kill(parent, SIGSTOP);
	ut_sleep_ms(30);
	kill(parent, SIGCONT);
	ut_sleep_ms(30);
	return write(*(int *)arg, "x", 1) != 1;
}

static int reads_over_a_stop(void *arg)
{
	int p[2];
	char c;
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = ut_fork(stop_and_continue_parent, &p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	return 0;
}

TEST(family, a_stop_is_not_seen_by_a_read)
{
	CHECK_EQ(ut_wait(ut_fork(reads_over_a_stop, NULL)), 0);
}

static void *exits_late(void *arg)
{
	ut_sleep_ms(50);
	exit(7);
}

static int leader_leaves_first(void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, exits_late, NULL);
	syscall(SYS_exit, 4); /* this thread only */
	return 1;
}

TEST(family, leader_leaves_first)
{
	CHECK_EQ(ut_wait(ut_fork(leader_leaves_first, NULL)), 7);
}

TEST(family, queued_values)
{
	union sigval v = { .sival_int = 0 };
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 5; i++) {
		v.sival_int = i;
		CHECK_OK(sigqueue(getpid(), SIGRTMIN + 1, v));
	}
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(sigwaitinfo(&set, &si), SIGRTMIN + 1);
		CHECK_EQ(si.si_value.sival_int, i);
		CHECK_EQ(si.si_code, SI_QUEUE);
		CHECK_EQ(si.si_pid, getpid());
	}
	si.si_code = SI_USER;
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getppid(), SIGCONT, &si), EPERM);
}

TEST(family, group_signal)
{
	pid_t a, b;

	setpgid(0, 0);
	handle(SIGTERM, 0);
	a = ut_fork(wait_forever, NULL);
	b = ut_fork(wait_forever, NULL);
	CHECK_OK(setpgid(a, a));
	CHECK_OK(setpgid(b, a));
	CHECK_OK(kill(-a, 0));
	signal(SIGTERM, SIG_DFL);
	CHECK_OK(kill(-a, SIGKILL));
	CHECK_EQ(ut_wait(a), UT_SIGNALLED(SIGKILL));
	CHECK_EQ(ut_wait(b), UT_SIGNALLED(SIGKILL));
	CHECK_ERR(kill(-a, 0), ESRCH);
}

TEST(family, pidfd)
{
	pid_t pid = ut_fork(wait_forever, NULL);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	siginfo_t si;

	NEED(fd);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK_OK(waitid((idtype_t)3, (id_t)fd, &si, WEXITED));
	CHECK_EQ(si.si_pid, pid);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	CHECK_ERR(syscall(SYS_pidfd_open, 0, 0), EINVAL);
}

/* The number that fdinfo tells of descriptor @fd's process. */
static int fdinfo_pid(int fd)
{
	char path[64], line[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Pid: %d", &pid);
	fclose(f);
	return pid;
}

static int ends(void *arg)
{
	(void)arg;
	return 0;
}

/* A process that is dead and not waited for still has its number. */
TEST(family, pidfd_of_zombie)
{
	pid_t pid = ut_fork(ends, NULL);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	NEED(fd);
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK_EQ(fdinfo_pid(fd), pid);
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(fdinfo_pid(fd), -1);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}

TEST(family, clone3)
{
	int fd = -1;
	struct clone_args a = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				.exit_signal = SIGCHLD };
	pid_t tid = 0;
	long pid;

	a.pidfd = (uint64_t)(uintptr_t)&fd;
	a.parent_tid = (uint64_t)(uintptr_t)&tid;
	pid = syscall(SYS_clone3, &a, sizeof(a));
	NEED(pid);
	if (!pid)
		_exit(6);
	CHECK_EQ(tid, pid);
	CHECK(fd >= 0);
	CHECK_EQ(ut_wait((pid_t)pid), 6);
	a.exit_signal = 300;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	CHECK_ERR(syscall(SYS_clone3, &a, 8), EINVAL);
}

static char child_stack[65536] __attribute__((aligned(16)));

static int writes_tid(void *arg)
{
	return *(volatile pid_t *)arg == getpid() ? 11 : 12;
}

TEST(family, tid_words)
{
	pid_t parent_word = 0, child_word = 0;
	pid_t pid = clone(writes_tid, child_stack + sizeof(child_stack),
			  CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | SIGCHLD,
			  &child_word, &parent_word, NULL, &child_word);

	CHECK(pid > 0);
	CHECK_EQ(parent_word, pid);
	CHECK_EQ(child_word, 0); /* written in the child's memory only */
	CHECK_EQ(ut_wait(pid), 11);
}

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static struct {
	int tid, go[2];
	volatile int signalled;
} one;

static void on_usr2(int sig)
{
	(void)sig;
	one.signalled = (int)syscall(SYS_gettid);
}

static void *waits(void *arg)
{
	char c;

	(void)arg;
	__atomic_store_n(&one.tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (read(one.go[0], &c, 1) < 0)
		;
	return NULL;
}

TEST(family, pidfd_of_thread)
{
	struct sigaction sa = { .sa_handler = on_usr2 };
	struct pollfd p;
	siginfo_t si;
	pthread_t t;
	int fd;

	CHECK_OK(pipe(one.go));
	CHECK_OK(sigaction(SIGUSR2, &sa, NULL));
	CHECK_EQ(pthread_create(&t, NULL, waits, NULL), 0);
	while (!__atomic_load_n(&one.tid, __ATOMIC_ACQUIRE))
		ut_sleep_ms(1);
	CHECK_ERR(syscall(SYS_pidfd_open, one.tid, 0), EINVAL);
	fd = (int)syscall(SYS_pidfd_open, one.tid, PIDFD_THREAD | O_NONBLOCK);
	CHECK_OK(fd);
	CHECK_EQ(fcntl(fd, F_GETFL) & (PIDFD_THREAD | O_NONBLOCK),
		 PIDFD_THREAD | O_NONBLOCK);
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0));
	for (int i = 0; one.signalled != one.tid; i++) {
		CHECK(i < 1000);
		ut_sleep_ms(2);
	}
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 3), EINVAL);
	CHECK_ERR(waitid(P_PIDFD, fd, &si, WEXITED), ECHILD);
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(write(one.go[1], "x", 1), 1);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK(p.revents & POLLIN);
	ut_sleep_ms(20);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0), ESRCH);
}

TEST(family, pidfd_hangs_up)
{
	pid_t pid = fork();
	struct pollfd p;
	int fd;

	if (!pid)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK_OK(fd);
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
}
