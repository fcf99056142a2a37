/* SPDX-License-Identifier: MIT */
/*
 * user/tests/signals.c - delivery, masks, handlers, stacks, restart.
 */
#include "utest.h"

#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t count;
static volatile int last;
static volatile siginfo_t info;
static volatile uintptr_t handler_sp;

static void on_signal(int sig)
{
	count++;
	last = sig;
}

static void on_siginfo(int sig, siginfo_t *si, void *uc)
{
	int here;

	count++;
	last = sig;
	info = *si;
	handler_sp = (uintptr_t)&here;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_flags = flags };

	if (flags & SA_SIGINFO)
		sa.sa_sigaction = on_siginfo;
	else
		sa.sa_handler = on_signal;
	CHECK_OK(sigaction(sig, &sa, NULL));
}

TEST(signals, handler_runs)
{
	handle(SIGUSR1, 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(count, 1);
	CHECK_EQ(last, SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(count, 2);
}

TEST(signals, siginfo)
{
	union sigval v = { .sival_int = 4711 };

	handle(SIGUSR2, SA_SIGINFO);
	CHECK_OK(kill(getpid(), SIGUSR2));
	CHECK_EQ(info.si_signo, SIGUSR2);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_OK(sigqueue(getpid(), SIGUSR2, v));
	CHECK_EQ(info.si_code, SI_QUEUE);
	CHECK_EQ(info.si_value.sival_int, 4711);
}

TEST(signals, mask_and_pending)
{
	sigset_t set, old;

	handle(SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(count, 0);
	CHECK_OK(sigpending(&set));
	CHECK(sigismember(&set, SIGUSR1));
	CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
	CHECK_EQ(count, 1);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, &set, NULL, 4), EINVAL);
}

TEST(signals, realtime_queue)
{
	int rt = SIGRTMIN + 3, i;
	sigset_t set;

	handle(rt, SA_SIGINFO);
	sigemptyset(&set);
	sigaddset(&set, rt);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (i = 0; i < 5; i++)
		CHECK_OK(sigqueue(getpid(), rt, (union sigval){ i }));
	CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	CHECK_EQ(count, 5);
}

TEST(signals, nodefer_and_reset)
{
	struct sigaction sa;

	handle(SIGUSR1, SA_RESETHAND);
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(sigaction(SIGUSR1, NULL, &sa));
	CHECK(sa.sa_handler == SIG_DFL);
	CHECK_ERR(sigaction(SIGKILL, &(struct sigaction){ 0 }, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8), EINVAL);
}

TEST(signals, altstack)
{
	static char stack[32768];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;

	CHECK_OK(sigaltstack(&ss, NULL));
	handle(SIGUSR1, SA_SIGINFO | SA_ONSTACK);
	CHECK_OK(raise(SIGUSR1));
	CHECK(handler_sp > (uintptr_t)stack &&
	      handler_sp < (uintptr_t)stack + sizeof(stack));
	CHECK_OK(sigaltstack(NULL, &old));
	CHECK(old.ss_sp == stack);
	CHECK_EQ(old.ss_flags, 0);
	ss.ss_size = 100;
	CHECK_ERR(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_flags = 0x70;
	CHECK_ERR(sigaltstack(&ss, NULL), EINVAL);
}

static int overflow(int n)
{
	volatile char pad[4096];

	pad[0] = n;
	return overflow(n + 1) + pad[0];
}

static void on_overflow(int sig, siginfo_t *si, void *uc)
{
	_exit(sig == SIGSEGV ? 42 : 1);
}

static int overflow_child(void *arg)
{
	static char stack[32768];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = on_overflow,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	return overflow(0) & 1;
}

TEST(signals, stack_overflow_on_altstack)
{
	CHECK_EQ(ut_wait(ut_fork(overflow_child, NULL)), 42);
}

static int overflow_plain(void *arg)
{
	return overflow(0) & 1;
}

TEST(signals, stack_overflow_kills)
{
	CHECK_EQ(ut_wait(ut_fork(overflow_plain, NULL)), UT_SIGNALLED(SIGSEGV));
}

static void skip_fault(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;

	info = *si;
	count++;
#ifdef __riscv
	uc->uc_mcontext.__gregs[REG_PC] = uc->uc_mcontext.__gregs[1];
	uc->uc_mcontext.__gregs[10] = 99;
#else
	(void)uc;
	_exit(3);
#endif
}

#ifdef __riscv
/* Load from @p in a leaf, so that "return to ra" is a way out. */
__attribute__((naked, noinline)) static long load_leaf(volatile long *p)
{
	__asm__ volatile("ld a0, 0(a0)\n\tret");
}

__attribute__((naked, noinline)) static long illegal_leaf(void)
{
	__asm__ volatile(".word 0xffffffff\n\tret");
}

/* Fetches are faults of their own, with an address of their own (on the FU740 the
 * processor does not tell all of it). */
TEST(signals, segv_fetch)
{
	static const unsigned long where[] = {
		0x10,
		0x3fffffe000,
		0xffffffc000001000,
		0xffffffff80000000,
		0xffffffff80000ffc,
	};
	struct sigaction sa = { .sa_sigaction = skip_fault,
				.sa_flags = SA_SIGINFO };
	size_t i;

	CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
	for (i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		CHECK_EQ(((long (*)(void))where[i])(), 99);
		CHECK_EQ((long)info.si_addr, (long)where[i]);
		CHECK_EQ(info.si_code, SEGV_MAPERR);
	}
}

TEST(signals, segv_context)
{
	struct sigaction sa = { .sa_sigaction = skip_fault,
				.sa_flags = SA_SIGINFO };
	char *p;

	CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
	CHECK_EQ(load_leaf((long *)0x10), 99);
	CHECK_EQ(info.si_code, SEGV_MAPERR);
	CHECK_EQ((long)info.si_addr, 0x10);
	p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(load_leaf((long *)(p + 8)), 99);
	CHECK_EQ(info.si_code, SEGV_ACCERR);
	CHECK(info.si_addr == p + 8);
	CHECK_EQ(load_leaf((long *)0xffffffc000001000), 99);
	CHECK_EQ(load_leaf((long *)0x4000000000001000), 99);
	CHECK_EQ(count, 4);
}

TEST(signals, sigill)
{
	struct sigaction sa = { .sa_sigaction = skip_fault,
				.sa_flags = SA_SIGINFO };

	CHECK_OK(sigaction(SIGILL, &sa, NULL));
	CHECK_EQ(illegal_leaf(), 99);
	CHECK_EQ(info.si_signo, SIGILL);
	CHECK_EQ(count, 1);
}

TEST(signals, float_kept)
{
	double a = 1.5, b = 2.25;
	int i;

	handle(SIGUSR1, 0);
	for (i = 0; i < 100; i++) {
		__asm__ volatile("" : "+f"(a), "+f"(b));
		CHECK_OK(syscall(SYS_kill, getpid(), SIGUSR1));
		__asm__ volatile("" : "+f"(a), "+f"(b));
	}
	CHECK(a == 1.5 && b == 2.25);
	CHECK_EQ(count, 100);
}

static int break_child(void *arg)
{
	__asm__ volatile("ebreak");
	return 0;
}

TEST(signals, ebreak)
{
	CHECK_EQ(ut_wait(ut_fork(break_child, NULL)), UT_SIGNALLED(SIGTRAP));
}
#endif

static int kill_child(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static int spin_child(void *arg)
{
	for (;;)
		__asm__ volatile("");
	return 0;
}

TEST(signals, kill_waiting_and_spinning)
{
	pid_t pid = ut_fork(kill_child, NULL);

	ut_sleep_ms(30);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	pid = ut_fork(spin_child, NULL);
	ut_sleep_ms(30);
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGTERM));
	CHECK_ERR(kill(pid, 0), ESRCH);
	CHECK_ERR(kill(getpid(), 99), EINVAL);
	CHECK_OK(kill(getpid(), 0));
}

TEST(signals, stop_and_continue)
{
	int status;
	pid_t pid = ut_fork(spin_child, NULL);

	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGSTOP);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

TEST(signals, sigchld)
{
	handle(SIGCHLD, SA_SIGINFO);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(7);
	while (!count)
		ut_sleep_ms(5);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 7);
	CHECK_EQ(ut_wait(pid), 7);
}

TEST(signals, sigchld_ignored)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(0);
	CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
}

TEST(signals, sigsuspend)
{
	sigset_t block, none;

	handle(SIGALRM, 0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	CHECK_OK(sigprocmask(SIG_BLOCK, &block, NULL));
	alarm(1);
	CHECK_ERR(sigsuspend(&none), EINTR);
	CHECK_EQ(count, 1);
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &none));
	CHECK(sigismember(&none, SIGALRM));
}

TEST(signals, sigtimedwait)
{
	struct timespec ts = { 0, 30000000 };
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_ERR(sigtimedwait(&set, &si, &ts), EAGAIN);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(sigtimedwait(&set, &si, &ts), SIGUSR1);
	CHECK_EQ(si.si_pid, getpid());
}

TEST(signals, nanosleep_eintr)
{
	struct timespec ts = { 5, 0 }, rem = { 0, 0 };
	struct itimerval it = { .it_value = { 0, 50000 } };

	handle(SIGALRM, SA_RESTART);
	CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
	CHECK_ERR(nanosleep(&ts, &rem), EINTR);
	CHECK(rem.tv_sec == 4 && rem.tv_nsec > 0);
}

/* The interval of a timer that is switched off: gone, but not of CPU time. */
TEST(signals, interval_of_no_timer)
{
	struct itimerval it = { .it_interval = { 10, 20 } }, now;
	struct itimerspec its = { .it_interval = { 10, 20 } }, left;
	timer_t timer;

	CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
	CHECK_OK(getitimer(ITIMER_REAL, &now));
	CHECK_EQ(now.it_interval.tv_sec, 0);
	CHECK_EQ(now.it_interval.tv_usec, 0);
	CHECK_OK(setitimer(ITIMER_PROF, &it, NULL));
	CHECK_OK(getitimer(ITIMER_PROF, &now));
	CHECK_EQ(now.it_interval.tv_sec, 10);
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	CHECK_OK(timer_settime(timer, 0, &its, NULL));
	CHECK_OK(timer_gettime(timer, &left));
	CHECK_EQ(left.it_interval.tv_sec, 0);
	CHECK_EQ(left.it_interval.tv_nsec, 0);
}

TEST(signals, exec_resets)
{
	char *const argv[] = { "sh", "-c", "kill -USR1 $$; exit 5", NULL };
	pid_t pid;

	handle(SIGUSR1, 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(127);
	}
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGUSR1));
}

TEST(signals, storm)
{
	int i, p[2];
	char c = 0;
	pid_t pid;

	handle(SIGUSR1, SA_RESTART);
	CHECK_OK(pipe(p));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (i = 0; i < 2000; i++)
			kill(getppid(), SIGUSR1);
		_exit(write(p[1], "x", 1) != 1);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(c, 'x');
	CHECK_EQ(ut_wait(pid), 0);
	CHECK(count > 0);
}

static int asks_all(void *arg)
{
	(void)arg;
	if (setresuid(1234, 1234, 1234))
		return 1;
	return kill(-1, 0) ? errno : 0;
}

/* Whom one may not reach is passed over. */
TEST(signals, kill_all)
{
	if (geteuid())
		ut_skip("needs root");
	CHECK_EQ(ut_wait(ut_fork(asks_all, NULL)), 0);
}
