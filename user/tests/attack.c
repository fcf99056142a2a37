/* SPDX-License-Identifier: MIT */
/*
 * user/tests/attack.c - two threads, or two processes, against one check: what was
 * decided must still be so when it is done.
 */
#include "utest.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
		stack_size, tls;
};

/* --- mount namespaces that only mounts hold */

static void bind_ns(const char *dir, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	CHECK_OK(mount(path, dir, NULL, MS_BIND, NULL));
}

/* A child in a mount namespace of its own. */
static pid_t stray(void)
{
	pid_t pid =
		(pid_t)syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		for (;;)
			pause();
	CHECK_OK(pid);
	return pid;
}

static void end(pid_t pid)
{
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

/* Each one's file is mounted in the one before it. */
static int chain(void *arg)
{
	const char *f = arg;
	char path[64];

	for (int i = 0; i < 100; i++) {
		pid_t pid = stray();
		int fd;

		bind_ns(f, pid);
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		CHECK_OK(fd = open(path, O_RDONLY));
		end(pid);
		CHECK_OK(setns(fd, CLONE_NEWNS));
		close(fd);
	}
	return 0;
}

TEST(attack, mount_ns_last)
{
	char f[200];
	pid_t pid;
	int fd;

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	close(ut_open("f", ""));
	CHECK(getcwd(f, sizeof(f) - 2));
	strcat(f, "/f");
	pid = stray();
	bind_ns(f, pid);
	end(pid);
	CHECK_OK(umount(f));
	pid = stray();
	bind_ns(f, pid);
	end(pid);
	CHECK_OK(umount2(f, MNT_DETACH));
	/* ... and with the namespaces that it holds */
	CHECK_OK(fd = open("/proc/self/ns/mnt", O_RDONLY));
	for (int i = 0; i < 2; i++) {
		pid = stray();
		bind_ns(f, pid);
		end(pid);
		CHECK_OK(fd = open(f, O_RDONLY));
		pid = fork();
		if (!pid) {
			CHECK_OK(setns(fd, CLONE_NEWNS));
			_exit(chain(f));
		}
		CHECK_EQ(ut_wait(pid), 0);
		close(fd);
		CHECK_OK(umount(f));
	}
}

/* --- a descriptor of a process that is not there yet */

static volatile bool stop;
static volatile int guess;

static void *use_pidfd(void *arg)
{
	(void)arg;
	while (!stop) {
		int fd = guess;

		(void)syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
		(void)syscall(SYS_setns, fd, CLONE_NEWUTS);
		(void)syscall(SYS_pidfd_getfd, fd, 1000, 0);
	}
	return NULL;
}

TEST(attack, pidfd_of_clone)
{
	long until = ut_now_ms() + 700;
	pthread_t t;

	CHECK_OK(guess = open("/dev/null", O_RDONLY));
	close(guess);
	CHECK_EQ(pthread_create(&t, NULL, use_pidfd, NULL), 0);
	while (ut_now_ms() < until) {
		int fd = -1;
		struct clone3_args a = { .flags = CLONE_PIDFD | CLONE_VM |
						  CLONE_VFORK,
					 .pidfd = (uint64_t)(uintptr_t)&fd,
					 .exit_signal = SIGCHLD };
		pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));

		if (!pid)
			syscall(SYS_exit, 0);
		NEED(pid);
		CHECK_EQ(fd, guess);
		CHECK_EQ(ut_wait(pid), 0);
		close(fd);
		/* one that fails leaves nothing behind */
		a.pidfd = 8;
		CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EFAULT);
		CHECK_ERR(fcntl(guess, F_GETFD), EBADF);
	}
	stop = true;
	pthread_join(t, NULL);
}

/* --- who attaches while a program gets more rights */

static void copy_program(const char *to, mode_t mode)
{
	char buf[65536];
	int in = open("/bin/busybox", O_RDONLY), out;
	ssize_t n;

	if (in < 0)
		ut_skip("no busybox");
	CHECK_OK(out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(out, buf, (size_t)n), n);
	CHECK_EQ(n, 0);
	close(in);
	CHECK_OK(fchmod(out, mode));
	close(out);
}

static void become(uid_t uid)
{
	CHECK_OK(setresgid(uid, uid, uid));
	CHECK_OK(setresuid(uid, uid, uid));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void run_set_uid(void)
{
	pthread_t t;

	for (int i = 0; i < 4; i++)
		pthread_create(&t, NULL, idle, NULL);
	execl("./suid", "sleep", "0.02", (char *)NULL);
	_exit(3);
}

static long uid_of(pid_t pid)
{
	char path[64], line[128];
	unsigned int r = 0, e = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %u %u", &r, &e) == 2)
			break;
	fclose(f);
	return e;
}

static int attack_exec(void *arg)
{
	long until = ut_now_ms() + 1500;
	int attached = 0;

	(void)arg;
	become(1000);
	for (int i = 0; ut_now_ms() < until; i++) {
		pid_t pid = fork();
		int st;

		CHECK_OK(pid);
		if (!pid)
			run_set_uid();
		for (volatile int k = 0; k < i * 97 % 60000; k++)
			;
		if (ptrace(PTRACE_ATTACH, pid, 0, 0)) {
			CHECK(errno == EPERM || errno == ESRCH);
			CHECK_EQ(waitpid(pid, &st, 0), pid);
			continue;
		}
		attached++;
		CHECK_EQ(waitpid(pid, &st, __WALL), pid);
		if (WIFSTOPPED(st) && uid_of(pid) != 1000)
			ut_fail(__FILE__, __LINE__, "attached to root's, %#x",
				st);
		if (!WIFEXITED(st)) {
			kill(pid, SIGKILL);
			CHECK_EQ(waitpid(pid, &st, __WALL), pid);
		}
	}
	CHECK(attached);
	return 0;
}

TEST(attack, exec_attach)
{
	CHECK_OK(chmod(".", 0755));
	copy_program("suid", 04755);
	CHECK_EQ(ut_wait(ut_fork(attack_exec, NULL)), 0);
}

/* A program that one may run but not read is not read out of memory either. */
static void await_program(pid_t pid, const char *name)
{
	char path[64], comm[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	for (int i = 0; i < 500 && strncmp(comm, name, strlen(name)); i++) {
		int fd = open(path, O_RDONLY);

		CHECK(fd >= 0);
		CHECK(read(fd, comm, sizeof(comm) - 1) > 0);
		close(fd);
		ut_sleep_ms(10);
	}
}

static int attack_unreadable(void *arg)
{
	const char *name = arg;
	int st, want = !strcmp(name, "./open") ? 0 : EPERM;
	pid_t pid;

	become(1000);
	pid = fork();
	if (!pid) {
		execl(name, "sleep", "5", (char *)NULL);
		_exit(3);
	}
	await_program(pid, name + 2);
	errno = 0;
	st = (int)ptrace(PTRACE_ATTACH, pid, 0, 0);
	CHECK_EQ(st ? errno : 0, want);
	kill(pid, SIGKILL);
	(void)waitpid(pid, &st, __WALL);
	return 0;
}

TEST(attack, exec_unreadable)
{
	CHECK_OK(chmod(".", 0755));
	copy_program("open", 0755);
	copy_program("shut", 0711);
	CHECK_EQ(ut_wait(ut_fork(attack_unreadable, "./open")), 0);
	CHECK_EQ(ut_wait(ut_fork(attack_unreadable, "./shut")), 0);
}

/* With directories that another process can change, nobody becomes root. */
static int share_and_exec(void *arg)
{
	char path[64];
	pid_t pid;
	int st;

	become(1000);
	pid = (pid_t)syscall(SYS_clone, (arg ? CLONE_FS : 0) | SIGCHLD, 0, 0, 0,
			     0);
	if (!pid) {
		execl("./suid", "sleep", "5", (char *)NULL);
		_exit(3);
	}
	await_program(pid, "suid");
	/* what became root, if only for a moment, is not looked into */
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	CHECK_EQ(open(path, O_RDONLY) >= 0, arg != NULL);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &st, 0), pid);
	return 0;
}

TEST(attack, exec_shared_fs)
{
	CHECK_OK(chmod(".", 0755));
	copy_program("suid", 04755);
	CHECK_EQ(ut_wait(ut_fork(share_and_exec, NULL)), 0);
	CHECK_EQ(ut_wait(ut_fork(share_and_exec, "")), 0);
}

/* --- who visits a user namespace that somebody else has made */

/* @fd: which path to read, and whether that could be done. */
static pid_t user_ns_of(uid_t uid, int fd[2])
{
	int ask[2], tell[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(ask));
	CHECK_OK(pipe(tell));
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		char path[64], to[64];

		if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
		    unshare(CLONE_NEWUSER) || write(tell[1], "", 1) != 1)
			_exit(1);
		if (read(ask[0], path, sizeof(path)) != sizeof(path))
			_exit(2);
		c = readlink(path, to, sizeof(to)) > 0 ? 'y' : 'n';
		if (write(tell[1], &c, 1) != 1)
			_exit(3);
		for (;;)
			pause();
	}
	CHECK_EQ(read(tell[0], &c, 1), 1);
	fd[0] = ask[1];
	fd[1] = tell[0];
	return pid;
}

static int visit(void *arg)
{
	char path[64];
	int fd, *p = arg;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", p[0]);
	CHECK_OK(fd = open(path, O_RDONLY));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	CHECK_OK(setns(fd, CLONE_NEWUSER));
	CHECK_EQ(prctl(PR_GET_DUMPABLE) == 1, p[1]);
	/* does its root see our root directory? */
	snprintf(path, sizeof(path), "/proc/%d/root", getpid());
	CHECK_EQ(write(p[2], path, sizeof(path)), sizeof(path));
	CHECK_EQ(read(p[3], path, 1), 1);
	CHECK_EQ(path[0] == 'y', p[1]);
	return 0;
}

TEST(attack, visit_user_ns)
{
	int own[4] = { 0, 1 }, other[4] = { 0, 0 };

	own[0] = user_ns_of(0, own + 2);
	other[0] = user_ns_of(1000, other + 2);
	CHECK_EQ(ut_wait(ut_fork(visit, own)), 0);
	CHECK_EQ(ut_wait(ut_fork(visit, other)), 0);
	end(own[0]);
	end(other[0]);
}

/* --- who looks into a program of the same user that does not want it */

static char secret[8] = "secret";

static int keeps_a_secret(void *arg)
{
	int *fd = arg;

	memcpy(secret, "SECRET", 6);
	become(1000);
	CHECK_OK(prctl(PR_SET_DUMPABLE, fd[0]));
	CHECK_EQ(write(fd[2], "", 1), 1);
	for (;;)
		pause();
	return 0;
}

static int looks(void *arg)
{
	int *a = arg, pid = a[0], err = a[1] ? 0 : EPERM;
	char got[8] = "";
	struct iovec to = { got, 6 }, from = { secret, 6 };
	size_t len;
	void *head;

	become(1000);
	errno = 0;
	CHECK_EQ(process_vm_readv(pid, &to, 1, &from, 1, 0), err ? -1 : 6);
	CHECK_EQ(errno, err);
	CHECK_EQ(strcmp(got, err ? "" : "SECRET"), 0);
	errno = 0;
	CHECK_EQ(process_vm_writev(pid, &to, 1, &from, 1, 0), err ? -1 : 6);
	CHECK_EQ(errno, err);
	errno = 0;
	CHECK_EQ(syscall(SYS_get_robust_list, pid, &head, &len), err ? -1 : 0);
	CHECK_EQ(errno, err);
	return 0;
}

static int exits(void *arg)
{
	return arg != NULL;
}

TEST(attack, undumpable)
{
	for (int dumpable = 0; dumpable < 2; dumpable++) {
		int fd[3] = { dumpable }, a[2] = { 0, dumpable };
		char c;

		CHECK_OK(pipe(fd + 1));
		a[0] = ut_fork(keeps_a_secret, fd);
		CHECK_EQ(read(fd[1], &c, 1), 1);
		CHECK_EQ(ut_wait(ut_fork(looks, a)), 0);
		end(a[0]);
		close(fd[1]);
		close(fd[2]);
	}
	/* who has ended has no memory */
	struct iovec to = { secret, 6 };
	pid_t pid = ut_fork(exits, NULL);
	siginfo_t si;

	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	CHECK_ERR(process_vm_readv(pid, &to, 1, &to, 1, 0), ESRCH);
	CHECK_EQ(ut_wait(pid), 0);
}

/* --- filters that all threads get while threads come and go */

/* SYS_getppid fails with @err. */
static int filter_add(unsigned int flags, int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | (unsigned int)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 4, code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

static volatile int synced; /* 1: done, -1: could not be */
static volatile int go;

static void *sync_all(void *arg)
{
	long r;

	(void)arg;
	while (!go)
		;
	r = filter_add(SECCOMP_FILTER_FLAG_TSYNC, 77);
	synced = r ? -1 : 1;
	return NULL;
}

static bool is_filtered(int err)
{
	errno = 0;
	return syscall(SYS_getppid) == -1 && errno == err;
}

static int add_meanwhile(void *arg)
{
	pthread_t t;

	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(pthread_create(&t, NULL, sync_all, NULL), 0);
	go = 1;
	for (volatile int k = 0; k < *(int *)arg; k++)
		;
	CHECK_OK(filter_add(0, 66));
	pthread_join(t, NULL);
	/* the later one's answer counts: ours, unless theirs came on top */
	if (synced == 1)
		CHECK(is_filtered(66) || is_filtered(77));
	else
		CHECK(is_filtered(66));
	if (synced == 1) { /* both are there */
		char line[128];
		FILE *f = fopen("/proc/thread-self/status", "r");
		unsigned int nr = 0;

		CHECK(f);
		while (fgets(line, sizeof(line), f))
			if (sscanf(line, "Seccomp_filters: %u", &nr) == 1)
				break;
		fclose(f);
		CHECK_EQ(nr, 2);
	}
	return 0;
}

TEST(attack, tsync_and_add)
{
	long until = ut_now_ms() + 1000;

	if (filter_add(0xffffffff, 0) == -1 && errno == ENOSYS)
		ut_skip("no seccomp");
	for (int i = 0; ut_now_ms() < until; i++) {
		int delay = i * 37 % 3000;

		CHECK_EQ(ut_wait(ut_fork(add_meanwhile, &delay)), 0);
	}
}

static void *born(void *arg)
{
	while (!synced)
		sched_yield();
	return (void *)(long)(synced == 1 && !is_filtered(77) && !arg);
}

static int clone_meanwhile(void *arg)
{
	pthread_t t, child[12];
	void *bad;
	int nr = 0;

	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(pthread_create(&t, NULL, sync_all, NULL), 0);
	for (; nr < 12; nr++) {
		if (nr == *(int *)arg)
			go = 1;
		CHECK_EQ(pthread_create(&child[nr], NULL, born, NULL), 0);
	}
	go = 1;
	pthread_join(t, NULL);
	CHECK_EQ(synced, 1);
	while (nr--) {
		pthread_join(child[nr], &bad);
		CHECK(!bad);
	}
	return 0;
}

TEST(attack, tsync_and_clone)
{
	long until = ut_now_ms() + 1000;

	for (int i = 0; ut_now_ms() < until; i++) {
		int when = i % 10;

		CHECK_EQ(ut_wait(ut_fork(clone_meanwhile, &when)), 0);
	}
}

/* --- trees of mounts that are deep, and that many see */

static int stack_mounts(void *arg)
{
	long start = ut_now_ms();
	char buf[4096];
	int fd;

	(void)arg;
	CHECK_OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	CHECK_OK(fd = open("/proc/self/uid_map", O_WRONLY));
	CHECK_EQ(write(fd, "0 0 1", 5), 5);
	close(fd);
	CHECK_OK(fd = open("/proc/self/setgroups", O_WRONLY));
	CHECK_EQ(write(fd, "deny", 4), 4);
	close(fd);
	CHECK_OK(fd = open("/proc/self/gid_map", O_WRONLY));
	CHECK_EQ(write(fd, "0 0 1", 5), 5);
	close(fd);
	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(mount("none", "d", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("d/a", 0700));
	CHECK_OK(mkdir("d/b", 0700));
	for (int i = 0; i < 1000; i++)
		CHECK_OK(mount("d/a", "d/b", NULL, MS_BIND, NULL));
	/* each of these is seen in all that are there, and doubles them */
	CHECK_OK(mkdir("d/s", 0700));
	CHECK_OK(mount("d/s", "d/s", NULL, MS_BIND, NULL));
	CHECK_OK(mount(NULL, "d/s", NULL, MS_SHARED, NULL));
	for (int i = 0; i < 10; i++) {
		snprintf(buf, sizeof(buf), "d/s/%d", i);
		CHECK_OK(mkdir(buf, 0700));
		CHECK_OK(mount("d/s", buf, NULL, MS_BIND, NULL));
	}
	CHECK_OK(fd = open("/proc/self/mountinfo", O_RDONLY));
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	CHECK_OK(umount2("d", MNT_DETACH));
	return ut_now_ms() - start > 20000;
}

TEST(attack, stacked_mounts)
{
	CHECK_EQ(ut_wait(ut_fork(stack_mounts, NULL)), 0);
}

/* --- files in messages that nobody receives */

static ssize_t send_files(int s, int fd, int nr)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(64 * sizeof(int))];
	} c;
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen =
				    CMSG_SPACE((size_t)nr * sizeof(int)) };

	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	c.h.cmsg_len = CMSG_LEN((size_t)nr * sizeof(int));
	for (int i = 0; i < nr; i++)
		memcpy(CMSG_DATA(&c.h) + (size_t)i * sizeof(int), &fd,
		       sizeof(int));
	return sendmsg(s, &m, MSG_DONTWAIT);
}

static int fly(void *arg)
{
	struct rlimit lim = { 64, 64 };
	char buf[16];
	int s[2], n;

	(void)arg;
	become(4711);
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (int round = 0; round < 2; round++) {
		for (n = 0; send_files(s[0], s[n & 1], 20) == 1; n++)
			CHECK(n < 5);
		CHECK_EQ(errno, ETOOMANYREFS);
		CHECK_EQ(n, 4); /* one that begins below it is let through */
		CHECK_EQ(send(s[0], "y", 1, 0), 1);
		for (int i = 0; i < n + 1; i++)
			CHECK_EQ(recv(s[1], buf, sizeof(buf), 0), 1);
	}
	return 0;
}

TEST(attack, flights)
{
	CHECK_EQ(ut_wait(ut_fork(fly, NULL)), 0);
}

/* --- the end of a PID namespace whose init has odd children */

static int odd_children(void *arg)
{
	pid_t pid =
		(pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	int how = *(int *)arg;

	CHECK_OK(pid);
	if (pid)
		return ut_wait(pid);
	for (int i = 0; i < 3; i++) {
		int sig = how == 0 ? SIGUSR1 : how == 1 ? 0 : SIGCHLD;

		pid = (pid_t)syscall(SYS_clone, sig, 0, 0, 0, 0);
		CHECK_OK(pid);
		if (!pid)
			for (;;)
				pause();
		if (how == 2)
			CHECK_OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
	}
	_exit(7);
}

TEST(attack, pid_ns_with_odd_children)
{
	for (int how = 0; how < 3; how++)
		CHECK_EQ(ut_wait(ut_fork(odd_children, &how)), 7);
}
