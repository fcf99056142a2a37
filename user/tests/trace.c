/* SPDX-License-Identifier: MIT */
/*
 * user/tests/trace.c - ptrace(2): what strace and gdb live on.
 */
#include "utest.h"

#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define EVENT_OF(status) ((status) >> 16)

struct regs {
	unsigned long pc, ra, sp, gp, tp, t0, t1, t2, s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long rest[14];
};

static void get_regs(pid_t pid, struct regs *r)
{
	struct iovec iov = { r, sizeof(*r) };

	CHECK_OK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	CHECK_EQ(iov.iov_len, sizeof(*r));
}

static void set_regs(pid_t pid, struct regs *r)
{
	struct iovec iov = { r, sizeof(*r) };

	CHECK_OK(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov));
}

/* Wait for @pid to stop; its status. */
static int wait_stop(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK(WIFSTOPPED(status));
	return status;
}

static void wait_exit(pid_t pid, int code)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

/* A child that stops itself and then runs @fn. */
static pid_t traced(int (*fn)(void))
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(99);
		raise(SIGSTOP);
		_exit(fn());
	}
	CHECK_EQ(WSTOPSIG(wait_stop(pid)), SIGSTOP);
	return pid;
}

static int return_seven(void)
{
	return 7;
}

TEST(trace, traceme)
{
	pid_t pid = traced(return_seven);

	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	wait_exit(pid, 7);
	CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_ERR(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERR(ptrace(PTRACE_ATTACH, 0x3ffffff, 0, 0), ESRCH);
}

static int call_getppid(void)
{
	return syscall(SYS_getppid) == 4242 ? 1 : 0;
}

/* Each call stops twice; its result can be replaced. */
TEST(trace, syscalls)
{
	pid_t pid = traced(call_getppid);
	struct __ptrace_syscall_info si;
	bool replaced = false;
	struct regs r;

	CHECK_OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	for (int i = 0; i < 1000; i++) {
		int status;

		CHECK_OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			CHECK_EQ(WEXITSTATUS(status), 1);
			CHECK(replaced);
			return;
		}
		CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
		CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(si), &si) >
		      0);
		get_regs(pid, &r);
		if (si.op == PTRACE_SYSCALL_INFO_EXIT && r.a7 == SYS_getppid) {
			CHECK_EQ(si.exit.rval, getpid());
			CHECK_EQ(si.exit.is_error, 0);
			r.a0 = 4242;
			set_regs(pid, &r);
			replaced = true;
		}
	}
	ut_fail(__FILE__, __LINE__, "it never ends");
}

static int call_nothing(void)
{
	return syscall(SYS_getppid) == -1 && errno == ENOSYS ? 3 : 4;
}

/* A call whose number is taken away is not made. */
TEST(trace, skip_call)
{
	pid_t pid = traced(call_nothing);
	struct __ptrace_syscall_info si;
	struct regs r;
	int status;

	CHECK_OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	do {
		CHECK_OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		status = wait_stop(pid);
		CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
		CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(si), &si) >
		      0);
	} while (si.op != PTRACE_SYSCALL_INFO_ENTRY ||
		 si.entry.nr != SYS_getppid);
	get_regs(pid, &r);
	r.a7 = (unsigned long)-1;
	set_regs(pid, &r);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	wait_exit(pid, 3);
}

static volatile int word = 5;

static int return_word(void)
{
	return word;
}

TEST(trace, memory)
{
	pid_t pid = traced(return_word);
	struct iovec local = { NULL, sizeof(int) };
	struct iovec remote = { (void *)&word, sizeof(int) };
	long v;
	int got = 0;

	errno = 0;
	v = ptrace(PTRACE_PEEKDATA, pid, &word, 0);
	CHECK_EQ(errno, 0);
	CHECK_EQ((int)v, 5);
	CHECK_OK(ptrace(PTRACE_POKEDATA, pid, &word, (v & ~0xffffffffL) | 11));
	local.iov_base = &got;
	CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), sizeof(int));
	CHECK_EQ(got, 11);
	CHECK_EQ(word, 5);
	errno = 0;
	CHECK_ERR(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	wait_exit(pid, 11);
}

/* A breakpoint in program text, which the program itself may not write. */
TEST(trace, breakpoint)
{
	pid_t pid = traced(return_seven);
	unsigned long at = (unsigned long)return_seven & ~7UL;
	long old = ptrace(PTRACE_PEEKTEXT, pid, at, 0), v = old;
	unsigned int off = (unsigned long)return_seven & 7;
	struct regs r;

	memcpy((char *)&v + off, "\x02\x90", 2); /* c.ebreak */
	CHECK_OK(ptrace(PTRACE_POKETEXT, pid, at, v));
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EQ(WSTOPSIG(wait_stop(pid)), SIGTRAP);
	get_regs(pid, &r);
	CHECK_EQ(r.pc, (unsigned long)return_seven);
	CHECK_OK(ptrace(PTRACE_POKETEXT, pid, at, old));
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	wait_exit(pid, 7);
	CHECK_EQ(return_seven(), 7);
}

static int proc_mem_target(void)
{
	return word == 17 ? 0 : 1;
}

TEST(trace, proc_mem)
{
	pid_t pid = traced(proc_mem_target);
	char path[64];
	int fd, v = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	CHECK_OK(fd = open(path, O_RDWR));
	CHECK_EQ(pread(fd, &v, sizeof(v), (off_t)&word), sizeof(v));
	CHECK_EQ(v, 5);
	v = 17;
	CHECK_EQ(pwrite(fd, &v, sizeof(v), (off_t)&word), sizeof(v));
	CHECK_ERR(pread(fd, &v, sizeof(v), 8), EIO);
	CHECK_OK(ptrace(PTRACE_DETACH, pid, 0, 0));
	CHECK_EQ(ut_wait(pid), 0);
}

static int raise_usr1(void)
{
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1); /* ignored, but the tracer sees it */
	raise(SIGUSR1);
	return 0;
}

TEST(trace, signals)
{
	pid_t pid = traced(raise_usr1);
	siginfo_t si;
	int status;

	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EQ(WSTOPSIG(wait_stop(pid)), SIGUSR1);
	CHECK_OK(ptrace(PTRACE_GETSIGINFO, pid, 0, &si));
	CHECK_EQ(si.si_signo, SIGUSR1);
	CHECK_EQ(si.si_pid, pid);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, SIGUSR1));
	CHECK_EQ(WSTOPSIG(wait_stop(pid)), SIGUSR1);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, SIGTERM));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGTERM);
}

static int fork_and_exec(void)
{
	char *const argv[] = { "true", NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execv("/bin/true", argv);
		_exit(1);
	}
	return ut_wait(pid);
}

TEST(trace, events)
{
	pid_t pid = traced(fork_and_exec), child = 0;
	bool forked = false, execed = false, exiting = false;
	unsigned long msg;
	int left = 2;

	CHECK_OK(ptrace(PTRACE_SETOPTIONS, pid, 0,
			PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC |
				PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	while (left) {
		int status, sig = 0;
		pid_t p = waitpid(-1, &status, __WALL);

		CHECK(p > 0);
		if (WIFEXITED(status)) {
			CHECK_EQ(WEXITSTATUS(status), 0);
			left--;
			continue;
		}
		CHECK(WIFSTOPPED(status));
		switch (EVENT_OF(status)) {
		case PTRACE_EVENT_FORK:
			CHECK_OK(ptrace(PTRACE_GETEVENTMSG, p, 0, &msg));
			child = (pid_t)msg;
			forked = true;
			break;
		case PTRACE_EVENT_EXEC:
			CHECK(p != pid);
			execed = true;
			break;
		case PTRACE_EVENT_EXIT:
			exiting = true;
			break;
		default:
			sig = WSTOPSIG(status);
			if (sig == SIGSTOP)
				sig = 0;
		}
		CHECK_OK(ptrace(PTRACE_CONT, p, 0, sig));
	}
	CHECK(forked && execed && exiting && child > 0);
}

static void *thread_body(void *arg)
{
	return arg;
}

static int make_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread_body, NULL))
		return 1;
	return pthread_join(t, NULL);
}

/* Threads are tracees of their own, and are waited for. */
TEST(trace, threads)
{
	pid_t pid = traced(make_thread), tid = 0, gone = 0;

	CHECK_OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE));
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	for (;;) {
		int status;
		pid_t p = waitpid(-1, &status, __WALL);

		CHECK(p > 0);
		if (WIFEXITED(status)) {
			CHECK_EQ(WEXITSTATUS(status), 0);
			if (p == pid)
				break;
			/* Perhaps before its creator's event. */
			gone = p;
			continue;
		}
		if (EVENT_OF(status) == PTRACE_EVENT_CLONE) {
			unsigned long msg;

			CHECK_OK(ptrace(PTRACE_GETEVENTMSG, p, 0, &msg));
			tid = (pid_t)msg;
		}
		CHECK_OK(ptrace(PTRACE_CONT, p, 0, 0));
	}
	CHECK(gone && gone == tid);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		ut_sleep_ms(60000);
		_exit(1);
	}
	return pid;
}

TEST(trace, attach_detach)
{
	pid_t pid = sleeper();
	int status;

	CHECK_OK(ptrace(PTRACE_ATTACH, pid, 0, 0));
	CHECK_EQ(WSTOPSIG(wait_stop(pid)), SIGSTOP);
	CHECK_ERR(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
	CHECK_ERR(ptrace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
	CHECK_OK(ptrace(PTRACE_DETACH, pid, 0, 0));
	CHECK_ERR(ptrace(PTRACE_DETACH, pid, 0, 0), ESRCH);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

TEST(trace, seize_listen)
{
	pid_t pid = sleeper();
	int status;

	CHECK_OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	status = wait_stop(pid);
	CHECK_EQ(EVENT_OF(status), PTRACE_EVENT_STOP);
	CHECK_EQ(WSTOPSIG(status), SIGTRAP);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	/* A group stop, in which it stays until SIGCONT. */
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(wait_stop(pid) >> 8, SIGSTOP);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, SIGSTOP));
	status = wait_stop(pid);
	CHECK_EQ(status >> 8, SIGSTOP | PTRACE_EVENT_STOP << 8);
	CHECK_OK(ptrace(PTRACE_LISTEN, pid, 0, 0));
	CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_OK(kill(pid, SIGCONT));
	status = wait_stop(pid);
	CHECK_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EQ(wait_stop(pid) >> 8, SIGCONT);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

/* A stop does not hold up SIGKILL, and a tracer's death lets go or kills. */
TEST(trace, tracer_dies)
{
	pid_t target = sleeper(), tracer;
	int status;

	tracer = fork();
	CHECK(tracer >= 0);
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, target, 0, PTRACE_O_EXITKILL))
			_exit(errno);
		if (ptrace(PTRACE_INTERRUPT, target, 0, 0))
			_exit(errno);
		if (waitpid(target, &status, __WALL) != target)
			_exit(100);
		_exit(0);
	}
	CHECK_EQ(ut_wait(tracer), 0);
	CHECK_EQ(ut_wait(target), UT_SIGNALLED(SIGKILL));
}

/* A tracer that is not the parent sees the death first, then the parent does. */
TEST(trace, zombie_of_another)
{
	int go[2], status;
	char c;
	pid_t target, tracer;

	CHECK_OK(pipe(go));
	target = fork();
	CHECK(target >= 0);
	if (target == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) ? 1 : 9);
	}
	tracer = fork();
	CHECK(tracer >= 0);
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, target, 0, 0))
			_exit(errno);
		close(go[1]);
		if (waitpid(target, &status, __WALL) != target)
			_exit(100);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 101);
	}
	ut_sleep_ms(100);
	close(go[1]);
	CHECK_EQ(ut_wait(tracer), 9);
	CHECK_EQ(ut_wait(target), 9);
}

/* What a debugger does when it calls a function of a program that waits. */
TEST(trace, interrupted_call_restarts)
{
	int p[2], status;
	pid_t pid;
	char c = 0;

	CHECK_OK(pipe(p));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(read(p[0], &c, 1) == 1 ? c : 1);
	ut_sleep_ms(50);
	CHECK_OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
	for (int i = 0; i < 3; i++) {
		CHECK_OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		status = wait_stop(pid);
		CHECK_EQ(EVENT_OF(status), PTRACE_EVENT_STOP);
		CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	}
	CHECK_EQ(write(p[1], "*", 1), 1);
	wait_exit(pid, '*');
}
