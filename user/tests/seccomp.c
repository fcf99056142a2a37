/* SPDX-License-Identifier: MIT */
/*
 * user/tests/seccomp.c - system calls that a program gives up.
 */
#include "utest.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#define LOAD_NR \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, (v))

/* Answer @action to call @nr, allow all others. */
static int install(long nr, unsigned int action, unsigned int flags)
{
	struct sock_filter f[] = {
		LOAD_NR,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		RETURN(action),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };

	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int strict(void *arg)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return 1;
	if (write(-1, "", 0) != -1)
		return 2;
	syscall(SYS_getppid);
	return 3;
}

TEST(seccomp, strict)
{
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_EQ(ut_wait(ut_fork(strict, NULL)), UT_SIGNALLED(SIGKILL));
}

TEST(seccomp, returns_errno)
{
	CHECK_OK(install(SYS_getppid, SECCOMP_RET_ERRNO | 33, 0));
	CHECK_ERR(syscall(SYS_getppid), 33);
	CHECK(getpid() > 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	/* The strictest of all filters counts, and children have them too. */
	CHECK_OK(install(SYS_getppid, SECCOMP_RET_ALLOW, 0));
	CHECK_ERR(syscall(SYS_getppid), 33);
	CHECK_EQ(ut_wait(fork() ?: (_exit(syscall(SYS_getppid) == -1), 0)), 1);
	CHECK_ERR(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
}

TEST(seccomp, bad_filters)
{
	struct sock_filter f[] = { LOAD_NR };
	struct sock_fprog prog = { 1, f };

	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog),
		  EINVAL);
	prog.len = 0;
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog),
		  EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL),
		  EFAULT);
	CHECK_ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
}

static int kill_me(void *arg)
{
	if (install(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0))
		return 1;
	syscall(SYS_getppid);
	return 2;
}

TEST(seccomp, kills)
{
	CHECK_EQ(ut_wait(ut_fork(kill_me, NULL)), UT_SIGNALLED(SIGSYS));
}

static volatile int trapped_nr, trapped_data;

static void on_sys(int sig, siginfo_t *si, void *uc)
{
	trapped_nr = si->si_syscall;
	trapped_data = si->si_errno;
}

TEST(seccomp, trap)
{
	struct sigaction sa = { .sa_sigaction = on_sys,
				.sa_flags = SA_SIGINFO };

	CHECK_OK(sigaction(SIGSYS, &sa, NULL));
	CHECK_OK(install(SYS_getppid, SECCOMP_RET_TRAP | 5, 0));
	syscall(SYS_getppid);
	CHECK_EQ(trapped_nr, SYS_getppid);
	CHECK_EQ(trapped_data, 5);
}

static pthread_barrier_t barrier;

static void *sibling(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return (void *)(long)(syscall(SYS_getppid) == -1 ? errno : 0);
}

TEST(seccomp, threads_follow)
{
	pthread_t t;
	void *r;

	pthread_barrier_init(&barrier, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, sibling, NULL), 0);
	pthread_barrier_wait(&barrier);
	CHECK_OK(install(SYS_getppid, SECCOMP_RET_ERRNO | 44,
			 SECCOMP_FILTER_FLAG_TSYNC));
	pthread_barrier_wait(&barrier);
	CHECK_EQ(pthread_join(t, &r), 0);
	CHECK_EQ((long)r, 44);
}

TEST(seccomp, tracer_decides)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		if (install(SYS_getppid, SECCOMP_RET_TRACE | 9, 0))
			_exit(1);
		_exit(syscall(SYS_getppid) > 0 ? 0 : 2);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP));
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_EQ(ut_wait(pid), 0);
	/* Without a tracer the call is not there. */
	CHECK_OK(install(SYS_getppid, SECCOMP_RET_TRACE, 0));
	CHECK_ERR(syscall(SYS_getppid), ENOSYS);
}
