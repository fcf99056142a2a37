/* SPDX-License-Identifier: MIT */
/*
 * user/tests/corners.c - what Linux's own self-tests ask for, and nobody else did.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/uio.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10
#endif
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif
#ifndef SYS_riscv_hwprobe
#define SYS_riscv_hwprobe 258
#endif

/* --- /proc/<pid>/fdinfo */

static bool fdinfo_has(int fd, const char *line)
{
	static char buf[4096];
	char name[64];
	ssize_t n;
	int f;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	f = open(name, O_RDONLY);
	CHECK_OK(f);
	n = read(f, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n] = '\0';
	close(f);
	return strstr(buf, line) != NULL;
}

TEST(corners, fdinfo_of_events)
{
	struct itimerspec its = { .it_interval = { 7, 5 },
				  .it_value = { 1000, 0 } };
	int e = eventfd(17, EFD_SEMAPHORE), ep = epoll_create1(EPOLL_CLOEXEC);
	int t = timerfd_create(CLOCK_MONOTONIC, 0);
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0xabcd };
	char line[80];
	sigset_t set;

	CHECK(fdinfo_has(e, "eventfd-count:               11\n"));
	CHECK(fdinfo_has(e, "eventfd-semaphore: 1\n"));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev));
	snprintf(line, sizeof(line), "tfd: %8d events: %8x data: %16x ", e,
		 EPOLLIN | EPOLLERR | EPOLLHUP, 0xabcd);
	CHECK(fdinfo_has(ep, line));
	CHECK(fdinfo_has(ep, "flags:\t02000002\n")); /* close-on-exec, too */
	CHECK_OK(timerfd_settime(t, 0, &its, NULL));
	CHECK(fdinfo_has(t, "clockid: 1\nticks: 0\nsettime flags: 00\n"
			    "it_value: (999, "));
	CHECK(fdinfo_has(t, "it_interval: (7, 5)\n"));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(fdinfo_has(signalfd(-1, &set, 0),
			 "sigmask:\t0000000000000200\n"));
}

TEST(corners, fdinfo_of_process)
{
	char line[40];
	pid_t pid = fork();
	int fd;

	if (!pid)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK_OK(fd);
	snprintf(line, sizeof(line), "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
	CHECK(fdinfo_has(fd, line));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK(fdinfo_has(fd, "Pid:\t-1\n"));
}

TEST(corners, high_descriptor_in_proc)
{
	struct rlimit r = { 100000, 100000 };
	struct stat st;

	if (setrlimit(RLIMIT_NOFILE, &r))
		ut_skip("root only");
	CHECK_EQ(dup2(0, 70000), 70000);
	CHECK_OK(lstat("/proc/self/fd/70000", &st));
	CHECK(fdinfo_has(70000, "flags:\t"));
}

/* --- processes */

TEST(corners, waitid_nonblocking_pidfd)
{
	pid_t pid = fork();
	siginfo_t si;
	int fd;

	if (!pid) {
		pause();
		_exit(1);
	}
	fd = (int)syscall(SYS_pidfd_open, pid, O_NONBLOCK);
	CHECK_OK(fd);
	CHECK_ERR(waitid(P_PIDFD, (id_t)fd, &si, WEXITED), EAGAIN);
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_OK(fcntl(fd, F_SETFL, 0));
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &si, WEXITED));
	CHECK_EQ(si.si_status, SIGKILL);
}

TEST(corners, signal_to_proc_directory_of_the_dead)
{
	char name[32];
	pid_t pid = fork();
	int fd;

	if (!pid) {
		pause();
		_exit(1);
	}
	snprintf(name, sizeof(name), "/proc/%d", pid);
	fd = open(name, O_DIRECTORY);
	CHECK_OK(fd);
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	fd = open("/proc", O_DIRECTORY);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), EBADF);
}

TEST(corners, modes_of_proc)
{
	CHECK_ERR(chmod("/proc/self", 0555), EPERM);
	CHECK_ERR(chmod("/proc/self/stat", 0666), EPERM);
}

TEST(corners, own_call_in_proc)
{
	char want[64], got[128] = { 0 };
	int fd = open("/proc/self/syscall", O_RDONLY);

	CHECK_OK(fd);
	snprintf(want, sizeof(want), "%d 0x%x 0x%lx 0x%x ", SYS_read, fd,
		 (unsigned long)got, 127);
	CHECK(syscall(SYS_read, fd, got, 127) > 0);
	if (strncmp(got, want, strlen(want)))
		ut_fail(__FILE__, __LINE__, "%s, not %s", got, want);
}

static int exec_at(int dirfd, const char *path, int flags)
{
	char *argv[] = { "x", NULL }, *envp[] = { NULL };
	pid_t pid = fork();

	if (!pid) {
		syscall(SYS_execveat, dirfd, path, argv, envp, flags);
		_exit(errno);
	}
	return ut_wait(pid);
}

TEST(corners, exec_by_directory)
{
	int dir, f;

	CHECK_EQ(exec_at(socket(AF_UNIX, SOCK_STREAM, 0), "", AT_EMPTY_PATH),
		 EACCES);
	if (access("/dev/fd/0", F_OK))
		CHECK_OK(symlink("/proc/self/fd", "/dev/fd"));
	CHECK_OK(mkdir("d", 0755));
	f = open("d/s", O_CREAT | O_WRONLY, 0755);
	/* the shell is told a name that leads there from elsewhere */
	CHECK_OK(dprintf(f, "#!/bin/sh\nexit 77\n"));
	close(f);
	dir = open("d", O_DIRECTORY);
	CHECK_EQ(exec_at(dir, "s", 0), 77);
	CHECK_EQ(exec_at(dir, "../d/s", 0), 77);
	CHECK_OK(fcntl(dir, F_SETFD, FD_CLOEXEC));
	CHECK_EQ(exec_at(dir, "s", 0), ENOENT);
}

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

static volatile char selector;
static volatile int nr_traps, trapped_nr, trap_code;

static void count_trap(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	selector = 0; /* allow, or sigreturn comes here again */
	nr_traps++;
	trapped_nr = si->si_syscall;
	trap_code = si->si_code;
}

static int wild_selector(void *arg)
{
	(void)arg;
	selector = 5;
	getppid();
	return 1;
}

TEST(corners, syscall_user_dispatch)
{
	struct sigaction sa = { .sa_sigaction = count_trap,
				.sa_flags = SA_SIGINFO };

	CHECK_ERR(prctl(PR_SET_SYSCALL_USER_DISPATCH, 2, 0, 0, 0), EINVAL);
	CHECK_ERR(prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 1, 0, 0), EINVAL);
	CHECK_ERR(prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 1, -1L, 0), EINVAL);
	CHECK_ERR(prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, -1L), EFAULT);
	CHECK_OK(sigaction(SIGSYS, &sa, NULL));
	CHECK_OK(prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector));
	CHECK_EQ(syscall(SYS_getuid), (long)getuid());
	CHECK_EQ(nr_traps, 0);
	selector = 1;
	syscall(SYS_getppid);
	CHECK_EQ(nr_traps, 1);
	CHECK_EQ(trapped_nr, SYS_getppid);
	CHECK_EQ(trap_code, 2);
	/* A child begins without. */
	CHECK_EQ(ut_wait(ut_fork(wild_selector, NULL)), 1);
	CHECK_OK(prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 1UL << 38,
		       &selector));
	selector = 1; /* all code is in the range */
	CHECK_OK(getppid());
	CHECK_EQ(nr_traps, 1);
	CHECK_OK(prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0));
	CHECK_OK(getppid());
	CHECK_EQ(nr_traps, 1);
}

/* --- sockets */

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/* The descriptor of the sender that came with a message, or -1. */
static int sender_of(int s)
{
	char byte, ctl[128];
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = ctl,
		.msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;
	int fd;

	CHECK_EQ(recvmsg(s, &m, 0), 1);
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == SCM_PIDFD) {
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
			return fd;
		}
	}
	return -1;
}

TEST(corners, pidfd_of_sender)
{
	int p[2], on = 1, fd;
	socklen_t len = sizeof(fd);
	char line[32];
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_OK(getsockopt(p[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &len));
	snprintf(line, sizeof(line), "Pid:\t%d\n", getpid());
	CHECK(fdinfo_has(fd, line));
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(sender_of(p[0]), -1);
	CHECK_OK(setsockopt(p[0], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)));
	pid = fork();
	if (!pid) {
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	fd = sender_of(p[0]);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	snprintf(line, sizeof(line), "Pid:\t%d\n", pid);
	CHECK(fdinfo_has(fd, line));
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	pid = fork();
	if (!pid)
		_exit(write(p[1], "x", 1) == 1 ? 0 : 1);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(sender_of(p[0]), -EINVAL); /* nobody any more */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &on, &len), ENODATA);
}

static bool at_mark(int s)
{
	int at = -1;

	CHECK_OK(ioctl(s, SIOCATMARK, &at));
	return at;
}

static bool urgent(int s)
{
	struct pollfd p = { s, POLLPRI, 0 };

	CHECK_OK(poll(&p, 1, 0));
	return p.revents & POLLPRI;
}

static void expect(int s, const char *want, int flags)
{
	char buf[16] = { 0 };

	CHECK_EQ(recv(s, buf, sizeof(buf), flags | MSG_DONTWAIT), strlen(want));
	CHECK(!strcmp(buf, want));
}

/* The same for both families. */
static void check_urgent(int to, int from)
{
	int on = 1;
	char c;

	CHECK_ERR(recv(from, &c, 1, MSG_OOB), EINVAL);
	CHECK_EQ(send(to, "hello!", 6, MSG_OOB), 6);
	CHECK(urgent(from) && !at_mark(from));
	expect(from, "!", MSG_OOB | MSG_PEEK);
	expect(from, "hello", MSG_PEEK);
	expect(from, "hello", 0);
	CHECK(at_mark(from));
	expect(from, "!", MSG_OOB);
	CHECK(!urgent(from) && at_mark(from));
	CHECK_ERR(recv(from, &c, 1, MSG_OOB), EINVAL);
	CHECK_ERR(recv(from, &c, 1, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
	CHECK_EQ(send(to, "world", 5, 0), 5);
	expect(from, "world", MSG_PEEK); /* behind the mark */
	expect(from, "world", 0);
	/* One that nobody asked for is passed over, and a read ends before it. */
	CHECK_EQ(send(to, "ab?", 3, MSG_OOB), 3);
	CHECK_EQ(send(to, "cd", 2, 0), 2);
	expect(from, "ab", MSG_PEEK);
	expect(from, "ab", 0);
	expect(from, "cd", MSG_PEEK);
	expect(from, "cd", 0);
	CHECK(!urgent(from));
	CHECK_OK(setsockopt(from, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	CHECK_EQ(send(to, "ab?", 3, MSG_OOB), 3);
	expect(from, "ab", 0);
	CHECK(at_mark(from));
	CHECK_ERR(recv(from, &c, 1, MSG_OOB), EINVAL);
	expect(from, "?", 0);
}

TEST(corners, urgent_byte_of_unix)
{
	int p[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	check_urgent(p[0], p[1]);
	CHECK_ERR(send(p[0], "", 0, MSG_OOB), EOPNOTSUPP);
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_ERR(send(p[0], "x", 1, MSG_OOB), EOPNOTSUPP);
}

TEST(corners, urgent_byte_of_tcp)
{
	int p[2];

	ut_tcp_pair(p);
	check_urgent(p[0], p[1]);
}

#ifndef TCP_INQ
#define TCP_INQ 36
#endif

TEST(corners, left_to_read)
{
	char buf[4], ctl[64];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = ctl,
		.msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;
	int p[2], on = 1, left;

	ut_tcp_pair(p);
	CHECK_EQ(send(p[0], "0123456789", 10, 0), 10);
	CHECK_OK(setsockopt(p[1], IPPROTO_TCP, TCP_INQ, &on, sizeof(on)));
	CHECK_EQ(recvmsg(p[1], &m, 0), 4);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_INQ);
	memcpy(&left, CMSG_DATA(c), sizeof(left));
	CHECK_EQ(left, 6);
}

/* --- files */

TEST(corners, own_ofd_locks)
{
	struct flock l = { .l_type = F_RDLCK, .l_start = 5, .l_len = 3 };
	int fd = ut_open("f", "0123456789"), other = open("f", O_RDWR);

	CHECK_OK(fcntl(fd, F_OFD_SETLK, &l));
	l = (struct flock){ .l_type = F_UNLCK };
	CHECK_OK(fcntl(fd, F_OFD_GETLK, &l));
	CHECK_EQ(l.l_type, F_RDLCK);
	CHECK_EQ(l.l_start, 5);
	CHECK_EQ(l.l_len, 3);
	CHECK_EQ(l.l_pid, -1);
	l = (struct flock){ .l_type = F_UNLCK };
	CHECK_OK(fcntl(other, F_OFD_GETLK, &l));
	CHECK_EQ(l.l_type, F_UNLCK);
}

static long resolve(int dir, const char *path, unsigned long how)
{
	struct open_how h = { .flags = O_PATH, .resolve = how };

	return syscall(SYS_openat2, dir, path, &h, sizeof(h));
}

TEST(corners, links_to_other_mounts)
{
	int proc = open("/proc", O_DIRECTORY);

	CHECK_ERR(resolve(proc, "self/root", RESOLVE_NO_XDEV), EXDEV);
	CHECK_ERR(resolve(proc, "self/cwd", RESOLVE_NO_XDEV), EXDEV);
	CHECK_OK(resolve(proc, "self/stat", RESOLVE_NO_XDEV));
	CHECK_OK(symlink("/", "absolute"));
	CHECK_OK(resolve(AT_FDCWD, "absolute", 0));
	if (access("/proc/self/exe", F_OK) == 0 && chdir("/dev/shm") == 0) {
		unlink("absolute");
		CHECK_OK(symlink("/", "absolute"));
		CHECK_ERR(resolve(AT_FDCWD, "absolute", RESOLVE_NO_XDEV),
			  EXDEV);
		unlink("absolute");
	}
}

TEST(corners, memfd_seals)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING);
	void *p;

	CHECK_OK(ftruncate(fd, 4096));
	/* Who has it for himself is not in the way, who shares it is. */
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_OK(munmap(p, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	/* What stays executable shall stay what it is. */
	fd = memfd_create("m", MFD_ALLOW_SEALING | MFD_EXEC);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0x3e);
}

TEST(corners, memfd_secret)
{
	char buf[8] = "";
	struct iovec in = { buf, 8 }, out;
	int fd = (int)syscall(447, O_CLOEXEC);
	struct stat st;
	char *p;

	if (fd < 0 && errno == ENOSYS && access("/proc/relay", F_OK))
		return; /* a Linux without it */
	CHECK_OK(fd);
	CHECK_ERR(syscall(447, 1), EINVAL);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_OK(ftruncate(fd, 8192));
	CHECK_ERR(ftruncate(fd, 16384), EINVAL);
	CHECK_ERR(read(fd, buf, 8), EINVAL);
	CHECK_ERR(write(fd, buf, 8), EINVAL);
	CHECK_ERR(lseek(fd, 0, SEEK_END), ESPIPE);
	CHECK_ERR(fcntl(fd, F_GET_SEALS), EINVAL);
	CHECK_ERR((long)mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0),
		  EINVAL);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	strcpy(p, "hidden");
	CHECK_OK(munlock(p, 8192)); /* stays locked */
	/* A system call of its owner reaches it, a look from outside does not. */
	CHECK_OK(stat("/", (struct stat *)(p + 1024)));
	out = (struct iovec){ p, 8 };
	CHECK_ERR(process_vm_readv(getpid(), &in, 1, &out, 1, 0), EFAULT);
	fd = open("/proc/self/mem", O_RDWR);
	CHECK_OK(fd);
	CHECK_ERR(pread(fd, buf, 8, (off_t)(size_t)p), EIO);
	CHECK_ERR(pwrite(fd, "x", 1, (off_t)(size_t)p), EIO);
	CHECK(!strcmp(p, "hidden"));
}

static void set_noexec(const char *v)
{
	int fd = open("/proc/sys/vm/memfd_noexec", O_WRONLY);

	CHECK_OK(fd);
	CHECK_EQ(write(fd, v, 1), 1);
	close(fd);
}

TEST(corners, memfd_noexec)
{
	struct stat st;

	if (geteuid())
		ut_skip("root only");
	set_noexec("1");
	CHECK_OK(fstat(memfd_create("m", 0), &st));
	CHECK_EQ(st.st_mode & 0777, 0666);
	CHECK_OK(memfd_create("m", MFD_EXEC));
	set_noexec("2");
	CHECK_ERR(memfd_create("m", MFD_EXEC), EACCES);
	CHECK_OK(memfd_create("m", 0));
	set_noexec("0");
	CHECK_OK(fstat(memfd_create("m", 0), &st));
	CHECK_EQ(st.st_mode & 0777, 0777);
}

/* --- memory */

TEST(corners, first_page)
{
	char *p;

	if (geteuid())
		ut_skip("root only");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_OK(munmap(p, 4096));
	CHECK_OK(setresuid(1, 1, 1));
	CHECK_ERR((long)mmap(NULL, 4096, PROT_READ,
			     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		  EPERM);
}

TEST(corners, remap_of_shared_memory)
{
	int fd = memfd_create("m", 0);
	char *p, *q;

	CHECK_OK(ftruncate(fd, 8192));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 'a';
	q = mremap(p, 8192, 8192, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	CHECK(q != MAP_FAILED && q != p);
	CHECK_EQ(q[0], 'a');
	CHECK_EQ(p[0], 'a'); /* of the file, again */
	/* What is cut off may be more than this area. */
	CHECK_OK(munmap(p + 4096, 4096));
	CHECK_EQ((long)mremap(p, 8192, 4096, 0), (long)p);
}

TEST(corners, seals_of_shared_memory)
{
	char *p =
		mmap(NULL, 16384, PROT_READ, MAP_ANONYMOUS | MAP_SHARED, -1, 0);

	CHECK(p != MAP_FAILED);
	if (syscall(SYS_mseal, p, 16384, 0) && errno == ENOSYS)
		ut_skip("no mseal");
	CHECK_OK(madvise(p, 16384, MADV_DONTNEED));
	CHECK_ERR(munmap(p, 16384), EPERM);
}

/* --- other things */

TEST(corners, wild_frequency)
{
	struct timex tx = { .modes = ADJ_FREQUENCY, .freq = INT64_MAX };

	if (geteuid())
		ut_skip("root only");
	CHECK_ERR(adjtimex(&tx), EINVAL);
	tx.freq = INT64_MIN;
	CHECK_ERR(adjtimex(&tx), EINVAL);
	tx.modes = 0;
	CHECK_OK(adjtimex(&tx));
	tx.modes = ADJ_FREQUENCY;
	CHECK_OK(adjtimex(&tx));
}

struct probe {
	int64_t key;
	uint64_t value;
};

static long probe(struct probe *p, long nr, size_t size, void *cpus, long flags)
{
	return syscall(SYS_riscv_hwprobe, p, nr, size, cpus, flags);
}

TEST(corners, hwprobe_harts)
{
	struct probe p[2] = { { .key = 3, .value = 1 }, { .key = 4 } };
	uint64_t cpus[2] = { 0 };

	CHECK_ERR(probe(p, 1, 0, cpus, 0), EINVAL);
	CHECK_ERR(probe(p, 1, 8, NULL, 0), EFAULT);
	CHECK_ERR(probe(p, 1, 0, NULL, 1), EINVAL);
	CHECK_OK(probe(p, 2, sizeof(cpus), cpus, 1));
	CHECK(cpus[0] & 1);
	p[1] = (struct probe){ .key = 0xbadc0de };
	cpus[0] = 1;
	CHECK_OK(probe(p, 2, sizeof(cpus), cpus, 1));
	CHECK_EQ(cpus[0], 0);
	CHECK_EQ(p[1].key, -1);
}
