/* SPDX-License-Identifier: MIT */
/*
 * user/tests/bad.c - hostile arguments: the errno of Linux and no harm done.
 */
#include "utest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

int main(int argc, char **argv);

/* Pointers that no call may follow. */
static const unsigned long bad_ptrs[] = {
	1,
	0x1000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffffffc000000000,
	0xffffffff80000000,
	0xffffffffffffffff,
	0xfffffffffffffff8,
	0x4000000000,
	0x3ffffff000,
	0x80200000,
	0xdeadbeefdeadbee8,
};

TEST(bad, pointers)
{
	unsigned int i;
	int p[2];

	CHECK_OK(pipe(p));
	CHECK_EQ(write(p[1], "0123456789", 10), 10);
	for (i = 0; i < ARRAY_SIZE(bad_ptrs); i++) {
		void *b = (void *)bad_ptrs[i];

		CHECK_ERR(read(p[0], b, 8), EFAULT);
		CHECK_ERR(write(p[1], b, 8), EFAULT);
		CHECK_ERR(syscall(SYS_openat, AT_FDCWD, b, 0), EFAULT);
		CHECK_ERR(syscall(SYS_fstat, 0, b), EFAULT);
		CHECK_ERR(syscall(SYS_pipe2, b, 0), EFAULT);
		CHECK_ERR(syscall(SYS_uname, b), EFAULT);
		CHECK_ERR(syscall(SYS_nanosleep, b, NULL), EFAULT);
		CHECK_ERR(syscall(SYS_getcwd, b, 4096), EFAULT);
		CHECK_ERR(syscall(SYS_rt_sigaction, 10, b, NULL, 8), EFAULT);
		CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, b, NULL, 8), EFAULT);
		CHECK_ERR(syscall(SYS_execve, b, NULL, NULL), EFAULT);
		CHECK_ERR(syscall(SYS_execve, "/bin/sh", b, NULL), EFAULT);
		CHECK_ERR(syscall(SYS_writev, 1, b, 1), EFAULT);
		CHECK_ERR(syscall(SYS_ppoll, b, 1, NULL, NULL, 8), EFAULT);
		CHECK_ERR(syscall(SYS_sysinfo, b), EFAULT);
		CHECK_ERR(syscall(SYS_getrusage, 0, b), EFAULT);
		CHECK_ERR(syscall(SYS_prlimit64, 0, 7, b, NULL), EFAULT);
		CHECK_ERR(syscall(SYS_gettimeofday, b, NULL), EFAULT);
		CHECK_ERR(syscall(SYS_getrandom, b, 8, 0), EFAULT);
		CHECK_ERR(syscall(SYS_statfs, "/", b), EFAULT);
	}
	CHECK_OK(ioctl(p[0], FIONREAD, &i));
	CHECK(i <= 10);
}

TEST(bad, read_only_target)
{
	char *p =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	CHECK(p != MAP_FAILED);
	CHECK_OK(fd = open("/dev/zero", O_RDONLY));
	CHECK_ERR(read(fd, p, 100), EFAULT);
	CHECK_ERR(read(fd, (void *)main, 4), EFAULT);
	CHECK_ERR(syscall(SYS_uname, p), EFAULT);
}

TEST(bad, path_at_page_end)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK_OK(munmap(p + 4096, 4096));
	memcpy(p + 4096 - 5, "/tmp", 5);
	CHECK_OK(access(p + 4096 - 5, F_OK));
	p[4095] = 'x';
	CHECK_ERR(access(p + 4096 - 5, F_OK), EFAULT);
}

TEST(bad, lengths)
{
	struct iovec iov = { (void *)0x10000, 1UL << 63 };
	char buf[8];
	int fd = ut_open("f", "x");

	CHECK_ERR(writev(fd, &iov, 1), EINVAL);
	CHECK_ERR(write(fd, (void *)0x10000, ~0UL), EFAULT);
	CHECK_EQ(read(fd, buf, 0), 0);
	CHECK_ERR(ftruncate(fd, INT64_MIN), EINVAL);
	CHECK_ERR(syscall(SYS_ppoll, buf, 0x7fffffff, NULL, NULL, 8), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, buf, NULL, 1000), EINVAL);
}

TEST(bad, descriptors)
{
	static const int fds[] = { -1,	    -100, 0x7fffffff,
				   1 << 20, 4321, -0x7fffffff - 1 };
	struct stat st;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		CHECK_ERR(syscall(SYS_read, fds[i], &st, 1), EBADF);
		CHECK_ERR(syscall(SYS_write, fds[i], &st, 1), EBADF);
		CHECK_ERR(syscall(SYS_close, fds[i]), EBADF);
		CHECK_ERR(syscall(SYS_lseek, fds[i], 0, 0), EBADF);
		CHECK_ERR(syscall(SYS_fstat, fds[i], &st), EBADF);
		CHECK_ERR(syscall(SYS_dup, fds[i]), EBADF);
		CHECK_ERR(syscall(SYS_fcntl, fds[i], F_GETFL, 0), EBADF);
		CHECK_ERR(syscall(SYS_ioctl, fds[i], 0x5401, &st), EBADF);
		CHECK_ERR(syscall(SYS_fsync, fds[i]), EBADF);
		CHECK_ERR(syscall(SYS_ftruncate, fds[i], 0), EBADF);
		CHECK_ERR(syscall(SYS_getdents64, fds[i], &st, 8), EBADF);
	}
}

TEST(bad, numbers)
{
	static const long nrs[] = { -1,	   244,	       600,	   1000,
				    65536, 0x7fffffff, 0x100000000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nrs); i++)
		CHECK_ERR(syscall(nrs[i], 1, 2, 3, 4, 5, 6), ENOSYS);
}

/* Exits with the call number still alive: the child of "every call". */
static int one_call(void *arg)
{
	long nr = (long)arg;
	pid_t me = gettid();
	unsigned int i;

	alarm(2);
	for (i = 0; i < 3 * ARRAY_SIZE(bad_ptrs) + 2; i++) {
		unsigned long b = i / 3 < ARRAY_SIZE(bad_ptrs) ? bad_ptrs[i / 3]
							       : -(i % 3UL);

		if (i % 3 == 0)
			syscall(nr, b, b, b, b, b, b);
		else if (i % 3 == 1)
			syscall(nr, 0, b, b, b, b, b);
		else
			syscall(nr, -100, b, 0, b, 0, b);
		if (gettid() != me) /* it was a clone */
			_exit(0);
	}
	return 0;
}

/* Calls that would end the machine, or that take away our terminal. */
static bool left_alone(long nr)
{
	switch (nr) {
	case SYS_reboot:
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_vhangup:
	case SYS_kexec_load:
	case SYS_umount2:
	case SYS_mount:
	case SYS_pivot_root:
	case SYS_chroot:
	case SYS_sethostname:
	case SYS_settimeofday:
	case SYS_clock_settime:
	case SYS_syslog:
		return true;
	}
	return false;
}

TEST(bad, every_call_with_bad_pointers)
{
	long nr;

	alarm(0);
	for (nr = 0; nr < 460; nr++) {
		if (left_alone(nr))
			continue;
		pid_t pid = ut_fork(one_call, (void *)nr);
		int status;

		CHECK_EQ(waitpid(pid, &status, 0), pid);
	}
}

TEST(bad, sigreturn_garbage)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
#ifdef __riscv
		__asm__ volatile("li sp, 0x1000\n\tli a7, 139\n\tecall");
#endif
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

#ifdef __riscv
static int privileged(void *arg)
{
	if (arg)
		__asm__ volatile("csrr t0, sstatus");
	else
		__asm__ volatile("sret");
	return 0;
}

TEST(bad, privileged_instructions)
{
	CHECK_EQ(ut_wait(ut_fork(privileged, NULL)), UT_SIGNALLED(SIGILL));
	CHECK_EQ(ut_wait(ut_fork(privileged, (void *)1)), UT_SIGNALLED(SIGILL));
}

static int wild_jump(void *arg)
{
	((void (*)(void))arg)();
	return 0;
}

TEST(bad, wild_jumps)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_ptrs); i++)
		CHECK_EQ(ut_wait(ut_fork(wild_jump,
					 (void *)(bad_ptrs[i] & ~1UL))),
			 UT_SIGNALLED(SIGSEGV));
}

static int bad_stack(void *arg)
{
	struct sigaction sa = { .sa_handler = (void (*)(int))main };

	sigaction(SIGSEGV, &sa, NULL);
	__asm__ volatile("mv sp, %0\n\tld t0, 0(zero)" : : "r"(arg));
	return 0;
}

TEST(bad, no_stack_for_signal)
{
	CHECK_EQ(ut_wait(ut_fork(bad_stack, (void *)0x1000)),
		 UT_SIGNALLED(SIGSEGV));
	CHECK_EQ(ut_wait(ut_fork(bad_stack, (void *)0xffffffc000001000)),
		 UT_SIGNALLED(SIGSEGV));
}
#endif
