/* SPDX-License-Identifier: MIT */
/*
 * user/tests/procs.c - fork, exec, wait, sessions, credentials, limits.
 */
#include "utest.h"

#include <dirent.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

TEST(procs, fork_wait)
{
	int status;
	pid_t pid = ut_fork(exit_with, (void *)42);

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 42);
	CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
	CHECK_ERR(waitpid(-1, &status, 0), ECHILD);
	CHECK_ERR(waitpid(-1, &status, 0x1000), EINVAL);
}

TEST(procs, wait_nohang)
{
	int status, p[2];
	char c;
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(p[1]);
		_exit(read(p[0], &c, 1) != 0);
	}
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	close(p[1]);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(procs, waitid)
{
	siginfo_t si;
	pid_t pid = ut_fork(exit_with, (void *)9);

	CHECK_OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, 9);
	CHECK_EQ(si.si_code, CLD_EXITED);
	CHECK_EQ(si.si_signo, SIGCHLD);
	CHECK_OK(waitid(P_ALL, 0, &si, WEXITED));
	CHECK_ERR(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	CHECK_ERR(waitid(P_ALL, 0, &si, 0), EINVAL);
}

TEST(procs, exec)
{
	char *const argv[] = { "sh", "-c", "test \"$A$0$1\" = bxy",
			       "x",  "y",  NULL };
	char *const envp[] = { "A=b", NULL };
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		execve("/bin/sh", argv, envp);
		_exit(127);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_ERR(execve("none", argv, envp), ENOENT);
	CHECK_ERR(execve("/tmp", argv, envp), EACCES);
	close(ut_open("f", "not a program"));
	CHECK_ERR(execve("f", argv, envp), EACCES);
	CHECK_OK(chmod("f", 0755));
	CHECK_ERR(execve("f", argv, envp), ENOEXEC);
}

TEST(procs, exec_script)
{
	char *const argv[] = { "s", "one", NULL };
	pid_t pid;

	close(ut_open("s", "#!/bin/sh -u\n[ $1 = one ] || exit 3\nexit 5\n"));
	CHECK_OK(chmod("s", 0755));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		execv("./s", argv);
		_exit(127);
	}
	CHECK_EQ(ut_wait(pid), 5);
	close(ut_open("t", "#!/no/such/interpreter\n"));
	CHECK_OK(chmod("t", 0755));
	CHECK_ERR(execv("./t", argv), ENOENT);
}

TEST(procs, exec_bad_elf)
{
	unsigned char head[256] = "\177ELF\2\1\1";
	char *const argv[] = { "e", NULL };
	int fd = ut_open("e", "");

	CHECK_EQ(write(fd, head, 7), 7);
	CHECK_OK(fchmod(fd, 0755));
	CHECK_OK(close(fd));
	CHECK_ERR(execv("./e", argv), ENOEXEC);
	CHECK_OK(fd = open("e", O_WRONLY));
	head[16] = 2; /* ET_EXEC, EM_386 */
	head[18] = 3;
	CHECK_EQ(write(fd, head, 64), 64);
	CHECK_OK(close(fd));
	CHECK_ERR(execv("./e", argv), ENOEXEC);
}

TEST(procs, cloexec)
{
	char *const argv[] = {
		"sh", "-c",
		"test -e /proc/self/fd/50 && ! test -e /proc/self/fd/51", NULL
	};
	pid_t pid;

	CHECK_EQ(dup2(0, 50), 50);
	CHECK_EQ(dup3(0, 51, O_CLOEXEC), 51);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(127);
	}
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(procs, big_arguments)
{
	static char big[100000];
	char *const argv[] = {
		"sh", "-c", "test ${#1} = 99999", "x", big, NULL
	};
	static char *huge[3000];
	pid_t pid = fork();
	int i;

	CHECK(pid >= 0);
	if (pid == 0) {
		memset(big, 'a', sizeof(big) - 1);
		execv("/bin/sh", argv);
		_exit(127);
	}
	CHECK_EQ(ut_wait(pid), 0);
	memset(big, 'a', sizeof(big) - 1);
	for (i = 0; i < 2999; i++)
		huge[i] = big;
	CHECK_ERR(execv("/bin/sh", huge), E2BIG);
}

TEST(procs, vfork)
{
	volatile int shared = 0;
	pid_t pid = vfork();

	CHECK(pid >= 0);
	if (pid == 0) {
		shared = 1;
		_exit(3);
	}
	CHECK_EQ(shared, 1);
	CHECK_EQ(ut_wait(pid), 3);
}

TEST(procs, orphan)
{
	int p[2];
	pid_t pid, ppid = -1;

	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
	CHECK_OK(pipe(p));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			while (getppid() == me)
				ut_sleep_ms(5);
			ppid = getppid();
			_exit(write(p[1], &ppid, sizeof(ppid)) < 0);
		}
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(read(p[0], &ppid, sizeof(ppid)), sizeof(ppid));
	CHECK(ppid != pid && ppid > 0);
}

TEST(procs, many_children)
{
	pid_t pids[60];
	int i;

	for (i = 0; i < 60; i++)
		pids[i] = ut_fork(exit_with, (void *)(long)i);
	for (i = 60; i-- > 0;)
		CHECK_EQ(ut_wait(pids[i]), i);
}

static int session_child(void *arg)
{
	pid_t me = getpid();

	if (setsid() != me || getsid(0) != me || getpgrp() != me)
		return 1;
	if (setsid() != -1 || errno != EPERM)
		return 2;
	if (setpgid(0, 0) != -1 || errno != EPERM)
		return 3;
	if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
		return 4;
	return 0;
}

TEST(procs, sessions)
{
	pid_t pid;

	CHECK_EQ(ut_wait(ut_fork(session_child, NULL)), 0);
	pid = ut_fork(exit_with, NULL);
	CHECK_EQ(getpgid(pid), getpgrp());
	CHECK_ERR(getpgid(99999), ESRCH);
	CHECK_ERR(setpgid(99999, 0), ESRCH);
	CHECK_ERR(setpgid(0, -1), EINVAL);
	CHECK_EQ(ut_wait(pid), 0);
}

static int creds_child(void *arg)
{
	gid_t groups[3] = { 5, 6, 7 }, got[8];
	uid_t r, e, s;

	if (setgroups(3, groups) || getgroups(8, got) != 3 || got[2] != 7)
		return 1;
	if (setresgid(100, 101, 102) || setresuid(200, 201, 202))
		return 2;
	if (getresuid(&r, &e, &s) || r != 200 || e != 201 || s != 202)
		return 3;
	if (getuid() != 200 || geteuid() != 201 || getegid() != 101)
		return 4;
	if (setuid(0) != -1 || errno != EPERM)
		return 5;
	if (seteuid(202) || geteuid() != 202)
		return 6;
	if (setgroups(0, NULL) != -1 || errno != EPERM)
		return 7;
	if (kill(1, 0) != -1 || errno != EPERM)
		return 8;
	return 0;
}

TEST(procs, credentials)
{
	CHECK_EQ(ut_wait(ut_fork(creds_child, NULL)), 0);
}

static int perm_child(void *arg)
{
	if (setgid(1000) || setuid(1000))
		return 1;
	if (open("secret", O_RDONLY) != -1 || errno != EACCES)
		return 2;
	if (open("public", O_RDONLY) < 0)
		return 3;
	if (open("public", O_RDWR) != -1 || errno != EACCES)
		return 4;
	if (open("new", O_CREAT | O_RDWR, 0600) != -1 || errno != EACCES)
		return 5;
	if (unlink("public") != -1 || errno != EACCES)
		return 6;
	if (chmod("public", 0777) != -1 || errno != EPERM)
		return 7;
	if (open("closed/f", O_RDONLY) != -1 || errno != EACCES)
		return 8;
	if (access("secret", R_OK) != -1 || errno != EACCES)
		return 9;
	if (mknod("n", S_IFCHR | 0666, 0x103) != -1)
		return 10;
	if (unlink("sticky/f") != -1 || errno != EPERM)
		return 11;
	return 0;
}

TEST(procs, permissions)
{
	close(ut_open("secret", "s"));
	close(ut_open("public", "p"));
	CHECK_OK(chmod("secret", 0600));
	CHECK_OK(chmod("public", 0644));
	CHECK_OK(mkdir("closed", 0700));
	close(ut_open("closed/f", ""));
	CHECK_OK(mkdir("sticky", 0755));
	CHECK_OK(chmod("sticky", 01777));
	close(ut_open("sticky/f", ""));
	CHECK_EQ(ut_wait(ut_fork(perm_child, NULL)), 0);
}

TEST(procs, rlimits)
{
	struct rlimit lim, old;
	int fd;

	CHECK_OK(getrlimit(RLIMIT_NOFILE, &old));
	lim = old;
	lim.rlim_cur = 10;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
	while ((fd = dup(0)) >= 0)
		CHECK(fd < 10);
	CHECK_EQ(errno, EMFILE);
	CHECK_ERR(fcntl(0, F_DUPFD, 10), EINVAL);
	lim.rlim_cur = lim.rlim_max + 1;
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &lim), EINVAL);
	CHECK_ERR(getrlimit(99, &lim), EINVAL);
	CHECK_OK(prlimit(0, RLIMIT_STACK, NULL, &lim));
	CHECK(lim.rlim_cur >= 1 << 20);
}

TEST(procs, priority)
{
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 5));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_OK(sched_yield());
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST(procs, affinity)
{
	cpu_set_t set;

	NEED(sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) >= 1);
	/* CPUs that may run programs are numbered from 0. */
	for (int i = 0; i < CPU_COUNT(&set); i++)
		CHECK(CPU_ISSET(i, &set));
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK_OK(sched_setaffinity(0, sizeof(set), &set));
	CHECK_EQ(sched_getcpu(), 0);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

TEST(procs, system_facts)
{
	struct utsname u;
	struct sysinfo si;

	CHECK_OK(uname(&u));
	CHECK(!strcmp(u.machine, "riscv64"));
	CHECK(u.sysname[0] && u.release[0]);
	CHECK_OK(sysinfo(&si));
	CHECK(si.totalram > 0 && si.freeram <= si.totalram);
	CHECK(si.procs >= 1);
}

TEST(procs, comm)
{
	char name[16] = "";

	CHECK_OK(prctl(PR_SET_NAME, "a-name-of-fifteen-and-more"));
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "a-name-of-fifte"));
	CHECK_ERR(prctl(123456, 0, 0, 0, 0), EINVAL);
}

static int name_ready[2];
static pid_t named_tid;

static void *be_named(void *arg)
{
	static char name[16];

	named_tid = (pid_t)syscall(SYS_gettid);
	(void)!write(name_ready[1], "x", 1);
	(void)!read(*(int *)arg, name, 1); /* the other one has written */
	prctl(PR_GET_NAME, name);
	return name;
}

static void read_line(const char *path, char buf[32])
{
	int fd;
	ssize_t n;

	NEED(fd = open(path, O_RDONLY));
	CHECK((n = read(fd, buf, 31)) > 0);
	buf[n > 0 ? n - 1 : 0] = '\0';
	close(fd);
}

TEST(procs, comm_of_another_thread)
{
	char path[64], buf[32];
	pthread_t t;
	void *name;
	int go[2], fd;

	CHECK_OK(prctl(PR_SET_NAME, "leader"));
	CHECK_OK(pipe(name_ready));
	CHECK_OK(pipe(go));
	CHECK_EQ(pthread_create(&t, NULL, be_named, &go[0]), 0);
	CHECK_EQ(read(name_ready[0], buf, 1), 1);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", named_tid);
	CHECK_OK(fd = open(path, O_WRONLY));
	CHECK_EQ(write(fd, "worker", 6), 6);
	close(fd);
	read_line(path, buf);
	CHECK(!strcmp(buf, "worker"));
	read_line("/proc/self/comm", buf);
	CHECK(!strcmp(buf, "leader"));
	CHECK_EQ(write(go[1], "x", 1), 1);
	pthread_join(t, &name);
	CHECK(!strcmp(name, "worker"));
	CHECK_OK(prctl(PR_GET_NAME, buf));
	CHECK(!strcmp(buf, "leader"));
}

TEST(procs, proc_self)
{
	char buf[4096];
	int fd, n;

	CHECK_OK(n = readlink("/proc/self", buf, sizeof(buf)));
	buf[n] = 0;
	CHECK_EQ(atoi(buf), getpid());
	CHECK_OK(n = readlink("/proc/self/exe", buf, sizeof(buf) - 1));
	buf[n] = 0;
	CHECK(strstr(buf, "utest"));
	CHECK_OK(fd = open("/proc/self/maps", O_RDONLY));
	CHECK_OK(n = read(fd, buf, sizeof(buf) - 1));
	buf[n] = 0;
	CHECK(strstr(buf, "[stack]") || n == (int)sizeof(buf) - 1);
	CHECK_OK(fd = open("/proc/self/stat", O_RDONLY));
	CHECK_OK(n = read(fd, buf, sizeof(buf) - 1));
	CHECK_EQ(atoi(buf), getpid());
}

static int clear_child(void *arg)
{
	return 0;
}

/* How many names there are in map_files that begin with @name. */
static int mapped(const char *name)
{
	struct dirent *e;
	DIR *d = opendir("/proc/self/map_files");
	int n = 0;

	CHECK(d != NULL);
	while (d && (e = readdir(d)))
		n += !strcmp(e->d_name, name);
	if (d)
		closedir(d);
	return n;
}

/* Field @nr, from 1, of /proc/self/stat. */
static unsigned long stat_field(int nr)
{
	char line[1024] = { 0 }, *p;
	int fd = open("/proc/self/stat", O_RDONLY);

	CHECK(read(fd, line, sizeof(line) - 1) > 0);
	close(fd);
	p = strrchr(line, ')');
	for (int i = 2; p && i < nr; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoul(p, NULL, 10) : 0;
}

/* setproctitle(3) writes over the arguments, and on where the environment is. */
TEST(procs, title)
{
	char *start = (char *)stat_field(48), *end = (char *)stat_field(49);
	char line[4096];
	size_t n = (size_t)(end - start);
	int fd;

	CHECK(start && n && n < sizeof(line) - 8);
	CHECK_OK(fd = open("/proc/self/cmdline", O_RDONLY));
	CHECK_EQ(pread(fd, line, sizeof(line), 0), n);
	memset(start, 'x', n + 3);
	start[n + 3] = 0;
	close(fd);
	CHECK_OK(fd = open("/proc/self/cmdline", O_RDONLY));
	CHECK_EQ(read(fd, line, sizeof(line)), n + 4);
	CHECK(line[n + 2] == 'x' && line[n + 3] == 0);
	close(fd);
	end[-1] = 0; /* as ever again */
	CHECK_OK(fd = open("/proc/self/cmdline", O_RDONLY));
	CHECK_EQ(read(fd, line, sizeof(line)), n);
	close(fd);
}

TEST(procs, map_files)
{
	char name[64], path[128], to[128];
	struct stat st, st2;
	int fd = ut_open("mapped", "x");
	char *p;
	ssize_t n;

	p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_OK(fstat(fd, &st));
	snprintf(name, sizeof(name), "%lx-%lx", (long)p, (long)p + 8192);
	snprintf(path, sizeof(path), "/proc/self/map_files/%s", name);
	CHECK_EQ(mapped(name), 1);
	CHECK_OK(n = readlink(path, to, sizeof(to) - 1));
	to[n > 0 ? n : 0] = '\0';
	CHECK(n > 7 && !strcmp(to + n - 7, "/mapped"));
	CHECK_OK(stat(path, &st2));
	CHECK_EQ(st2.st_ino, st.st_ino);
	snprintf(to, sizeof(to), "/proc/self/map_files/%lx-%lx", (long)p,
		 (long)p + 4096);
	CHECK_ERR(readlink(to, path, 1), ENOENT); /* the whole of it only */
	snprintf(path, sizeof(path), "/proc/self/map_files/%s", name);
	CHECK_OK(unlink("mapped"));
	CHECK_OK(fd = open(path, O_RDONLY));
	CHECK_OK(fstat(fd, &st2));
	CHECK_EQ(st2.st_ino, st.st_ino);
	CHECK_OK(munmap(p, 8192));
	CHECK_ERR(readlink(path, to, sizeof(to)), ENOENT);
	CHECK_EQ(mapped(name), 0);
}

TEST(procs, fd_link_modes)
{
	static const struct {
		int flags;
		unsigned mode;
	} how[] = { { O_RDONLY, 0500 },
		    { O_WRONLY, 0300 },
		    { O_RDWR, 0700 },
		    { O_PATH, 0 } };
	char path[64];
	struct stat st;

	close(ut_open("f", "x"));
	for (int i = 0; i < 4; i++) {
		int fd = open("f", how[i].flags);

		CHECK_OK(fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		CHECK_OK(lstat(path, &st));
		CHECK_EQ(st.st_mode, S_IFLNK | how[i].mode);
		close(fd);
	}
}

TEST(procs, clone_bad_flags)
{
	static char stack[8192];

	CHECK_ERR(clone(clear_child, stack + 8192, CLONE_THREAD | SIGCHLD,
			NULL),
		  EINVAL);
	CHECK_ERR(clone(clear_child, stack + 8192, CLONE_SIGHAND | SIGCHLD,
			NULL),
		  EINVAL);
}

TEST(procs, exit_signal_death)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		abort();
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGABRT);
}

TEST(procs, policies_and_io_priorities)
{
	struct sched_param sp = { 0 };

	CHECK_OK(sched_setscheduler(0, SCHED_BATCH, &sp));
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK_EQ(ut_wait(fork() ?: (_exit(sched_getscheduler(0)), 0)),
		 SCHED_BATCH);
	CHECK_OK(sched_setscheduler(0, SCHED_OTHER, &sp));
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_ERR(sched_setscheduler(0, 77, &sp), EINVAL);
	CHECK_OK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6));
	CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6);
	CHECK_ERR(syscall(SYS_ioprio_get, 1, 0x3ffffff), ESRCH);
	CHECK_ERR(syscall(SYS_ioprio_set, 9, 0, 0), EINVAL);
}

#define MM_ARG_START	8
#define MM_ARG_END	9
#define MM_ENV_START	10
#define MM_AUXV		12
#define MM_EXE		13
#define MM_MAP		14
#define MM_MAP_SIZE	15
#define set_mm(o, a, n) prctl(35, (unsigned long)(o), (unsigned long)(a), n, 0)

static int be_called(void *arg)
{
	static const char line[] = "another\0name";
	char *mem = arg, buf[32];
	int fd;

	memcpy(mem, line, sizeof(line));
	CHECK_OK(set_mm(MM_ARG_START, mem,
			0)); /* below the stack, so in order */
	CHECK_OK(set_mm(MM_ARG_END, mem + sizeof(line), 0));
	CHECK_OK(fd = open("/proc/self/cmdline", O_RDONLY));
	CHECK_EQ(read(fd, buf, sizeof(buf)), (long)sizeof(line));
	CHECK(!memcmp(buf, line, sizeof(line)));
	close(fd);
	CHECK_ERR(set_mm(MM_ARG_END, mem - 1, 0),
		  EINVAL); /* ends before it begins */
	CHECK_ERR(set_mm(MM_ARG_START, 0x1000, 0),
		  EINVAL); /* nobody may map that */
	CHECK_ERR(set_mm(MM_ENV_START, mem, 1), EINVAL);
	CHECK_ERR(set_mm(99, mem, 0), EINVAL);
	CHECK_ERR(set_mm(MM_EXE, -1, 0), EBADF);
	CHECK_ERR(set_mm(MM_AUXV, mem, 100000), EINVAL);
	return 0;
}

TEST(procs, where_the_arguments_are)
{
	unsigned long map[13] = { 0 };
	unsigned int size = 0;
	char *mem;

	CHECK_OK(set_mm(MM_MAP_SIZE, &size, 0));
	CHECK_EQ(size, sizeof(map));
	CHECK_ERR(set_mm(MM_MAP, map, sizeof(map) - 1), EINVAL);
	CHECK_ERR(set_mm(MM_MAP, map, sizeof(map)), EINVAL); /* all at 0 */
	if (getuid())
		ut_skip("not root");
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mem != MAP_FAILED);
	CHECK_EQ(ut_wait(ut_fork(be_called, mem)), 0);
	CHECK_OK(munmap(mem, 4096));
}

static int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), r, e;

	CHECK_OK(fd);
	r = (int)write(fd, text, strlen(text));
	e = errno;
	close(fd);
	errno = e;
	return r < 0 ? -1 : 0;
}

static int log_in(void *arg)
{
	char buf[32] = "", session[32] = "";
	int fd;

	(void)arg;
	CHECK_OK(put_text("/proc/self/loginuid", "1000"));
	CHECK_OK(fd = open("/proc/self/loginuid", O_RDONLY));
	CHECK_EQ(read(fd, buf, sizeof(buf)), 4); /* no newline */
	close(fd);
	CHECK(!memcmp(buf, "1000", 4));
	CHECK_OK(fd = open("/proc/self/sessionid", O_RDONLY));
	CHECK(read(fd, session, sizeof(session) - 1) > 0);
	close(fd);
	CHECK(strcmp(session, "4294967295"));
	CHECK_ERR(put_text("/proc/self/loginuid", "x"), EINVAL);
	CHECK_OK(put_text("/proc/self/loginuid", "4294967295")); /* root may */
	CHECK_OK(put_text("/proc/self/loginuid", "1001"));
	return 0;
}

/* As pam_loginuid does it, without which nobody gets in on Debian. */
TEST(procs, who_logged_in)
{
	char path[64];

	if (getuid())
		ut_skip("not root");
	CHECK_EQ(ut_wait(ut_fork(log_in, NULL)), 0);
	snprintf(path, sizeof(path), "/proc/%d/loginuid", getppid());
	CHECK_ERR(put_text(path, "0"), EPERM); /* not one's own */
}
