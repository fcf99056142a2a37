/* SPDX-License-Identifier: MIT */
/*
 * user/tests/knobs.c - /proc/sys: what is written there is acted on; and
 * /proc/config.gz.  Every test puts back what it found.
 */
#include "utest.h"

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

static char *get(const char *name, char *buf, size_t n)
{
	int fd = open(name, O_RDONLY);
	ssize_t got = read(fd, buf, n - 1);

	CHECK(got > 0);
	buf[got] = '\0';
	close(fd);
	return buf;
}

static int put(const char *name, const char *val)
{
	int fd = open(name, O_WRONLY), r, e;

	CHECK(fd >= 0);
	r = (int)write(fd, val, strlen(val));
	e = errno;
	close(fd);
	errno = e;
	return r < 0 ? -1 : 0;
}

static int has_a_small_number(void *arg)
{
	(void)arg;
	return getpid() >= 4194304;
}

TEST(knobs, written_back)
{
	static const char *const names[] = {
		"/proc/sys/kernel/pid_max",
		"/proc/sys/kernel/shmmax",
		"/proc/sys/kernel/shmall",
		"/proc/sys/kernel/shmmni",
		"/proc/sys/kernel/msgmni",
		"/proc/sys/kernel/msgmax",
		"/proc/sys/kernel/sem",
		"/proc/sys/kernel/threads-max",
		"/proc/sys/kernel/printk",
		"/proc/sys/fs/nr_open",
		"/proc/sys/fs/pipe-max-size",
		"/proc/sys/fs/file-max",
		"/proc/sys/vm/overcommit_memory",
		"/proc/sys/vm/max_map_count",
		"/proc/sys/user/max_user_namespaces",
	};
	char buf[200];

	if (geteuid())
		ut_skip("root only");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (put(names[i], get(names[i], buf, sizeof(buf))))
			ut_fail(__FILE__, __LINE__, "%s: %s", names[i],
				strerror(errno));
	get(names[0], buf, sizeof(buf));
	CHECK_OK(put(names[0], "4194304"));
	CHECK(ut_wait(ut_fork(has_a_small_number, NULL)) == 0);
	CHECK_OK(put(names[0], buf));
	CHECK_ERR(put("/proc/sys/kernel/pid_max", "4194305\n"), EINVAL);
	CHECK_ERR(put("/proc/sys/kernel/pid_max", "5\n"), EINVAL);
	CHECK_ERR(put("/proc/sys/kernel/pid_max", "x\n"), EINVAL);
}

TEST(knobs, sysv_limits)
{
	char max[64], mni[64], sem[200];
	int a, b;

	if (geteuid())
		ut_skip("root only");
	get("/proc/sys/kernel/shmmax", max, sizeof(max));
	CHECK_OK(put("/proc/sys/kernel/shmmax", "8192"));
	CHECK_ERR(shmget(IPC_PRIVATE, 8193, IPC_CREAT | 0600), EINVAL);
	CHECK_OK(a = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600));
	CHECK_OK(shmctl(a, IPC_RMID, NULL));
	CHECK_OK(put("/proc/sys/kernel/shmmax", max));

	get("/proc/sys/kernel/msgmni", mni, sizeof(mni));
	CHECK_OK(a = msgget(IPC_PRIVATE, IPC_CREAT | 0600));
	CHECK_OK(put("/proc/sys/kernel/msgmni", "1"));
	CHECK_ERR(msgget(IPC_PRIVATE, IPC_CREAT | 0600), ENOSPC);
	CHECK_OK(put("/proc/sys/kernel/msgmni", mni));
	CHECK_OK(b = msgget(IPC_PRIVATE, IPC_CREAT | 0600));
	CHECK_OK(msgctl(a, IPC_RMID, NULL));
	CHECK_OK(msgctl(b, IPC_RMID, NULL));

	get("/proc/sys/kernel/sem", sem, sizeof(sem));
	CHECK_OK(put("/proc/sys/kernel/sem", "10"));
	CHECK_ERR(semget(IPC_PRIVATE, 11, IPC_CREAT | 0600), EINVAL);
	CHECK_OK(a = semget(IPC_PRIVATE, 10, IPC_CREAT | 0600));
	CHECK_OK(semctl(a, 0, IPC_RMID));
	CHECK_OK(put("/proc/sys/kernel/sem", sem));
}

TEST(knobs, huge_segment)
{
	CHECK_ERR(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 04000 | 0600), ENOMEM);
}

TEST(knobs, nr_open)
{
	struct rlimit r = { 64, (1 << 19) + 1 };
	char was[64];

	if (geteuid())
		ut_skip("root only");
	get("/proc/sys/fs/nr_open", was, sizeof(was));
	CHECK_OK(put("/proc/sys/fs/nr_open", "524288"));
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &r), EPERM);
	CHECK_OK(put("/proc/sys/fs/nr_open", was));
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &r));
}

TEST(knobs, pipe_max_size)
{
	int p[2];

	CHECK_OK(pipe(p));
	if (!geteuid())
		CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 1 << 21), 1 << 21);
	CHECK_OK(setresuid(1, 1, 1));
	CHECK_ERR(fcntl(p[0], F_SETPIPE_SZ, 1 << 22), EPERM);
}

/* One stored block of lines. */
TEST(knobs, config_gz)
{
	static char buf[65536];
	ssize_t n;
	int fd = open("/proc/config.gz", O_RDONLY);

	if (fd < 0)
		ut_skip("no config.gz");
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 18);
	CHECK(!memcmp(buf, "\x1f\x8b\x08", 3));
	if (buf[10] != 1)
		ut_skip("packed");
	buf[n] = '\0';
	CHECK(strstr(buf + 15, "CONFIG_SYSVIPC=y\n"));
	CHECK(strstr(buf + 15, "CONFIG_TIME_NS=y\n"));
	CHECK(strstr(buf + 15, "CONFIG_USERFAULTFD=y\n"));
	CHECK_EQ((unsigned char)buf[11] | (unsigned char)buf[12] << 8, n - 23);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	CHECK_OK(stat(name, &st));
	return st.st_mode;
}

TEST(knobs, only_shown)
{
	struct pollfd p = { .events = POLLIN | POLLPRI };
	int fd, ep;

	if (getuid())
		ut_skip("not root");
	CHECK_OK(fd = open("/proc/version", O_WRONLY));
	CHECK_ERR(write(fd, "x", 1), EIO);
	close(fd);
	CHECK_EQ(mode_of("/proc/sys/kernel/ngroups_max"), 0100444);
	CHECK_EQ(mode_of("/proc/sys/kernel/cap_last_cap"), 0100444);
	CHECK_EQ(mode_of("/proc/sys/kernel/random/entropy_avail"), 0100444);
	CHECK_EQ(mode_of("/proc/sys/kernel/random/poolsize"), 0100444);
	/* /proc/swaps can be watched */
	CHECK_OK(p.fd = open("/proc/swaps", O_RDONLY));
	CHECK_OK(ep = epoll_create1(0));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, p.fd,
			   &(struct epoll_event){ .events = EPOLLPRI }));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	close(ep);
	close(p.fd);
}

/* Who looks for a terminal to log in on finds the same in both. */
TEST(knobs, console)
{
	char name[32] = "", line[80] = "", modes[80], path[48];
	FILE *f = fopen("/sys/class/tty/console/active", "r");
	unsigned int major, minor;
	struct stat st;

	CHECK(f && fscanf(f, "%31s", name) == 1);
	fclose(f);
	f = fopen("/proc/consoles", "r");
	CHECK(f && fscanf(f, "%79s %79[^)]) %u:%u", line, modes, &major,
			  &minor) == 4);
	fclose(f);
	CHECK(!strcmp(line, name));
	snprintf(path, sizeof(path), "/dev/%s", name);
	CHECK_OK(stat(path, &st));
	CHECK(st.st_rdev == makedev(major, minor));
}

static int opens_too_many(void *arg)
{
	int p[2];

	(void)arg;
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(open("/dev/null", O_RDONLY), ENFILE);
	CHECK_ERR(pipe(p), ENFILE);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 0), ENFILE);
	CHECK_ERR(epoll_create1(0), ENFILE);
	CHECK_ERR(syscall(SYS_eventfd2, 0, 0), ENFILE);
	CHECK_ERR(syscall(SYS_pidfd_open, getpid(), 0), ENFILE);
	return 0;
}

/* Of all files together; root may have more. */
TEST(knobs, file_max)
{
	char was[64], nr[64];
	unsigned long used, unused, max;
	int fd, bad;

	if (geteuid())
		ut_skip("root only");
	get("/proc/sys/fs/file-max", was, sizeof(was));
	get("/proc/sys/fs/file-nr", nr, sizeof(nr));
	CHECK(sscanf(nr, "%lu %lu %lu", &used, &unused, &max) == 3);
	CHECK(!unused && max == strtoul(was, NULL, 10));
	for (int i = 0; i < 400; i++) /* Linux counts roughly */
		CHECK_OK(open("/dev/null", O_RDONLY));
	CHECK_OK(put("/proc/sys/fs/file-max", "1"));
	fd = open("/dev/null", O_RDONLY); /* root */
	bad = ut_wait(ut_fork(opens_too_many, NULL));
	CHECK_OK(put("/proc/sys/fs/file-max", was));
	CHECK(fd >= 0);
	CHECK_EQ(bad, 0);
	CHECK_ERR(put("/proc/sys/fs/file-max", "x"), EINVAL);
}

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
static int makes_ring(void *arg)
{
	char params[120] = { 0 };

	if (arg)
		CHECK_OK(setresuid(1000, 1000, 1000));
	return syscall(SYS_io_uring_setup, 2, params) < 0 ? errno : 0;
}

/* Who may have an io_uring. */
TEST(knobs, uring_disabled)
{
	const char *name = "/proc/sys/kernel/io_uring_disabled";
	char was[32], *user = "";
	int r[5];

	if (geteuid())
		ut_skip("root only");
	get(name, was, sizeof(was));
	CHECK_OK(put(name, "0"));
	r[0] = ut_wait(ut_fork(makes_ring, user));
	CHECK_OK(put(name, "1"));
	r[1] = ut_wait(ut_fork(makes_ring, user));
	r[2] = ut_wait(ut_fork(makes_ring, NULL));
	CHECK_OK(put("/proc/sys/kernel/io_uring_group", "0"));
	r[3] = ut_wait(ut_fork(makes_ring, user)); /* its group still is 0 */
	CHECK_OK(put("/proc/sys/kernel/io_uring_group", "-1"));
	CHECK_OK(put(name, "2"));
	r[4] = ut_wait(ut_fork(makes_ring, NULL));
	CHECK_OK(put(name, was));
	CHECK_EQ(r[0], 0);
	CHECK_EQ(r[1], EPERM);
	CHECK_EQ(r[2], 0);
	CHECK_EQ(r[3], 0);
	CHECK_EQ(r[4], EPERM);
	CHECK_ERR(put(name, "3"), EINVAL);
}

/* Who polls a name of the machine hears that it was set; another one does not. */
TEST(knobs, names_polled)
{
	struct pollfd p[2] = {
		{ .events = POLLPRI,
		  .fd = open("/proc/sys/kernel/hostname", O_RDONLY) },
		{ .events = POLLPRI,
		  .fd = open("/proc/sys/kernel/domainname", O_RDONLY) },
	};
	struct epoll_event ev = { .events = EPOLLERR }, got;
	int ep = epoll_create1(0);

	NEED(unshare(CLONE_NEWUTS));
	CHECK_OK(p[0].fd);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0].fd, &ev));
	CHECK_EQ(poll(p, 2, 0), 0);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	CHECK_OK(sethostname("other", 5));
	CHECK_EQ(epoll_wait(ep, &got, 1, 1000), 1);
	CHECK_OK(sethostname("another", 7));
	CHECK_EQ(poll(p, 2, 1000), 1);
	CHECK_EQ(p[0].revents, POLLPRI | POLLERR);
	CHECK_EQ(poll(p, 2, 0), 0);
}

/* A disk without a serial number has an empty one. */
TEST(knobs, serial_of_a_disk)
{
	char s[64];
	ssize_t n;
	int fd;

	if (access("/sys/block/vda", F_OK))
		ut_skip("no virtio disk");
	CHECK_OK(fd = open("/sys/block/vda/serial", O_RDONLY));
	CHECK_OK(n = read(fd, s, sizeof(s)));
	CHECK(n <= 20);
	CHECK(!memchr(s, '\n', (size_t)n));
}

/* What lsblk(8) -z tells of a disk without zones. */
TEST(knobs, no_zones)
{
	static const char *const names[] = { "nr_zones", "chunk_sectors",
					     "zone_append_max_bytes",
					     "zone_write_granularity" };
	char path[80], s[16];

	if (access("/sys/block/vda", F_OK))
		ut_skip("no virtio disk");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/sys/block/vda/queue/%s",
			 names[i]);
		CHECK(!strcmp(get(path, s, sizeof(s)), "0\n"));
	}
}

static ssize_t prop(const char *name, char *buf, size_t n)
{
	char path[128];
	struct stat st;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/device-tree/%s", name);
	CHECK_OK(fd = open(path, O_RDONLY));
	CHECK_OK(fstat(fd, &st));
	CHECK_OK(got = read(fd, buf, n));
	CHECK_EQ(st.st_size, got);
	close(fd);
	return got;
}

/* The device tree as files: cells as they are in the blob, names without addresses. */
TEST(knobs, device_tree)
{
	char buf[4096];
	int fd;

	if (access("/proc/device-tree", F_OK))
		ut_skip("no device tree");
	CHECK_EQ(prop("#address-cells", buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "\0\0\0\2", 4));
	CHECK_EQ(prop("cpus/name", buf, sizeof(buf)), 5);
	CHECK(!strcmp(buf, "cpus"));
	CHECK_EQ(prop("cpus/cpu@0/name", buf, sizeof(buf)), 4);
	CHECK(!strcmp(buf, "cpu"));
	CHECK(prop("cpus/cpu@0/compatible", buf, sizeof(buf)) > 5);
	CHECK_ERR(open("/proc/device-tree/cpus/none", O_RDONLY), ENOENT);
	CHECK_ERR(open("/proc/device-tree/model", O_WRONLY | O_TRUNC), EACCES);
	if (geteuid())
		return;
	CHECK_OK(fd = open("/sys/firmware/fdt", O_RDONLY));
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	CHECK(!memcmp(buf, "\xd0\x0d\xfe\xed", 4));
}

static off_t end_of(const char *name)
{
	int fd = open(name, O_RDONLY);
	off_t end;

	CHECK_OK(fd);
	end = lseek(fd, 0, SEEK_END);
	close(fd);
	return end;
}

/* Settings and attributes have an end, as fopen("a") wants; tables have none. */
TEST(knobs, seek_to_the_end)
{
	FILE *f = fopen("/proc/sys/kernel/hostname", "a");

	CHECK(f);
	fclose(f);
	CHECK_EQ(end_of("/proc/sys/kernel/ostype"), 0);
	CHECK_EQ(end_of("/proc/self/cmdline"), 0);
	CHECK_EQ(end_of("/proc/self/oom_score_adj"), 0);
	CHECK_EQ(end_of("/sys/devices/system/cpu/online"), 4096);
	CHECK_ERR(end_of("/proc/self/maps"), EINVAL);
	CHECK_ERR(end_of("/proc/self/timerslack_ns"), EINVAL);
}

TEST(knobs, fsync_of_attributes)
{
	int fd = open("/sys/devices/system/cpu/online", O_RDONLY);
	int sys = open("/proc/sys/kernel/ostype", O_RDONLY);

	CHECK_OK(fd);
	CHECK_OK(sys);
	CHECK_OK(fsync(fd));
	CHECK_OK(fdatasync(fd));
	CHECK_ERR(fsync(sys), EINVAL);
}

/* The modes of settings and attributes bind root too; those of tables do not. */
TEST(knobs, modes_bind_root)
{
	CHECK_ERR(open("/proc/sys/kernel/ostype", O_WRONLY), EACCES);
	CHECK_ERR(open("/proc/sys/vm/drop_caches", O_RDONLY), EACCES);
	CHECK_ERR(open("/sys/devices/system/cpu/online", O_RDWR), EACCES);
}

static int slack_of_another(void *arg)
{
	int fd;

	(void)arg;
	CHECK_OK(setresuid(65534, 65534, 65534));
	CHECK_OK(fd = open("/proc/1/timerslack_ns", O_RDWR));
	CHECK_ERR(read(fd, &(char){ 0 }, 1), EPERM);
	CHECK_ERR(write(fd, "1", 1), EPERM);
	return 0;
}

TEST(knobs, timer_slack_of_another)
{
	CHECK_EQ(ut_wait(ut_fork(slack_of_another, NULL)), 0);
}

/* Sources of events are devices, and the bus links to them. */
TEST(knobs, event_sources_are_devices)
{
	char to[64];

	CHECK_EQ(readlink("/sys/bus/event_source/devices/software", to,
			  sizeof(to)),
		 (long)strlen("../../../devices/software"));
	CHECK(!memcmp(to, "../../../devices/software", 25));
	CHECK_EQ(readlink("/sys/devices/software/subsystem", to, sizeof(to)),
		 (long)strlen("../../bus/event_source"));
	CHECK_OK(access("/sys/devices/software/uevent", R_OK | W_OK));
	CHECK_OK(access("/sys/devices/software/type", R_OK));
}

static long number(const char *name)
{
	char buf[100];

	return atol(get(name, buf, sizeof(buf)));
}

/* What Ctrl-Alt-Del does is one thing, said in two ways. */
TEST(knobs, ctrl_alt_del)
{
	const char *name = "/proc/sys/kernel/ctrl-alt-del";
	long was;
	int first;

	if (geteuid())
		ut_skip("root only");
	was = number(name);
	CHECK_OK(reboot(was ? RB_DISABLE_CAD : RB_ENABLE_CAD));
	first = number(name) == !was;
	CHECK_OK(reboot(was ? RB_ENABLE_CAD : RB_DISABLE_CAD));
	CHECK(first);
	CHECK_EQ(number(name), was);
}

TEST(knobs, counts)
{
	const char *ptys = "/proc/sys/kernel/pty/nr";
	unsigned long nr, unused, five[5];
	struct utsname u;
	char buf[100];
	long was;
	int pty;

	CHECK_OK(uname(&u));
	get("/proc/sys/kernel/arch", buf, sizeof(buf));
	CHECK(!strncmp(buf, u.machine, strlen(u.machine)));
	get("/proc/sys/fs/inode-nr", buf, sizeof(buf));
	CHECK_EQ(sscanf(buf, "%lu\t%lu\n", &nr, &unused), 2);
	CHECK(nr > 0 && unused < nr);
	get("/proc/sys/fs/inode-state", buf, sizeof(buf));
	CHECK_EQ(sscanf(buf, "%lu\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\n", &nr,
			&unused, five, five + 1, five + 2, five + 3, five + 4),
		 7);
	was = number(ptys);
	pty = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(pty >= 0);
	CHECK(number(ptys) > 0 && was >= 0);
}

static long score(const char *adj)
{
	CHECK_OK(put("/proc/self/oom_score_adj", adj));
	return number("/proc/self/oom_score");
}

/* Two thirds of a thousand, and of what was asked for and is used. */
TEST(knobs, oom_score)
{
	long v;

	if (geteuid())
		ut_skip("root only");
	v = score("0");
	CHECK(v >= 666 && v < 720);
	v = score("1000");
	CHECK(v >= 1320 && v < 1390);
	v = score("-500");
	CHECK(v >= 333 && v < 390);
	CHECK_EQ(score("-1000"), 0);
	CHECK_EQ(number("/proc/1/oom_score"), 0);
}

/* Limits without a unit end with the space behind the second number. */
TEST(knobs, limits_of_a_process)
{
	char buf[4096];
	char *p =
		strstr(get("/proc/self/limits", buf, sizeof(buf)), "Max nice");

	CHECK(p);
	CHECK_EQ(strchr(p, '\n') - p, 26 + 21 + 21);
	p = strstr(buf, "Max realtime timeout");
	CHECK(p);
	CHECK_EQ(strchr(p, '\n') - p, 26 + 21 + 21 + 10);
}

/* In a PID namespace of its own. */
static int forks_behind(void *arg)
{
	char buf[32];
	pid_t pid;

	(void)arg;
	CHECK_EQ(getpid(), 1);
	CHECK_OK(put("/proc/sys/kernel/ns_last_pid", "1000"));
	pid = ut_fork(has_a_small_number, NULL);
	CHECK_EQ(pid, 1001);
	CHECK_EQ(ut_wait(pid), 0);
	get("/proc/sys/kernel/ns_last_pid", buf, sizeof(buf));
	CHECK(!strcmp(buf, "1001\n"));
	CHECK_ERR(put("/proc/sys/kernel/ns_last_pid", "x"), EINVAL);
	CHECK_ERR(put("/proc/sys/kernel/ns_last_pid", "4194305"), EINVAL);
	CHECK_OK(setuid(1000));
	CHECK_ERR(put("/proc/sys/kernel/ns_last_pid", "2000"), EPERM);
	return 0;
}

TEST(knobs, ns_last_pid)
{
	struct stat st;

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(stat("/proc/sys/kernel/ns_last_pid", &st));
	CHECK_EQ(st.st_mode & 0777, 0666);
	CHECK_OK(unshare(CLONE_NEWPID));
	CHECK_EQ(ut_wait(ut_fork(forks_behind, NULL)), 0);
}

TEST(knobs, dentry_state)
{
	long n[6];
	char buf[128];

	get("/proc/sys/fs/dentry-state", buf, sizeof(buf));
	CHECK_EQ(sscanf(buf, "%ld%ld%ld%ld%ld%ld", n, n + 1, n + 2, n + 3,
			n + 4, n + 5),
		 6);
	CHECK(n[0] > 0 && n[1] >= 0 && n[1] <= n[0] && n[4] <= n[1]);
	CHECK_EQ(n[2], 45);
	CHECK_EQ(n[3], 0);
	CHECK_EQ(n[5], 0);
}

static int watches_two(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep, fd[3][2];

	(void)arg;
	/* Nobody else's number. */
	CHECK_OK(setresuid(4711, 4711, 4711));
	CHECK_OK(ep = epoll_create1(0));
	for (int i = 0; i < 3; i++)
		CHECK_OK(pipe(fd[i]));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0][0], &ev));
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0][0], &ev), EEXIST);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1][0], &ev));
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, fd[2][0], &ev), ENOSPC);
	CHECK_ERR(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd[2][0], &ev),
		  ENOSPC);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fd[0][0], &ev));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[2][0], &ev));
	close(fd[2][0]); /* is watched no more */
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0][0], &ev));
	close(ep);
	ep = epoll_create1(0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0][0], &ev));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1][0], &ev));
	return 0;
}

/* Those of other users, who may have more already, stay. */
TEST(knobs, epoll_watches)
{
	static const char name[] = "/proc/sys/fs/epoll/max_user_watches";
	char was[64];
	int status;

	if (geteuid())
		ut_skip("root only");
	get(name, was, sizeof(was));
	CHECK(atol(was) > 1000);
	CHECK_OK(put(name, "2"));
	status = ut_wait(ut_fork(watches_two, NULL));
	CHECK_OK(put(name, was));
	CHECK_EQ(status, 0);
}

/* --- /dev/cpu_dma_latency: the least of all requests counts, while its file is open */

#define LATENCY "/dev/cpu_dma_latency"

static int latency(int fd)
{
	int us = 0;

	CHECK_EQ(pread(fd, &us, sizeof(us), 0), (long)sizeof(us));
	return us;
}

TEST(knobs, cpu_dma_latency)
{
	int a, b, none, us;
	struct stat st;

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(stat(LATENCY, &st));
	CHECK_EQ(st.st_mode, S_IFCHR | 0600);
	CHECK_EQ(major(st.st_rdev), 10);
	CHECK_OK(a = open(LATENCY, O_RDWR));
	CHECK_OK(b = open(LATENCY, O_RDWR));
	none = latency(a);
	us = 50;
	CHECK_EQ(write(a, &us, sizeof(us)), (long)sizeof(us));
	CHECK_EQ(latency(b), 50);
	CHECK_EQ(write(b, "0x14\n", 5), 5);
	CHECK_EQ(latency(a), 0x14);
	CHECK_EQ(write(b, "00000003c", 9), 9); /* instead */
	CHECK_EQ(latency(a), 50);
	CHECK_ERR(write(b, "zz", 2), EINVAL);
	CHECK_EQ(write(b, "1", 1), 1);
	CHECK_EQ(latency(a), 1);
	close(b);
	CHECK_EQ(latency(a), 50);
	us = -1; /* none */
	CHECK_EQ(write(a, &us, sizeof(us)), (long)sizeof(us));
	CHECK_EQ(latency(a), none);
	CHECK_EQ(pread(a, &us, sizeof(us), 4), 0);
	close(a);
}

TEST(knobs, vulnerabilities)
{
	static const char *const foreign[] = { "l1tf", "mds", "retbleed",
					       "tsx_async_abort" };
	char path[96], buf[64];
	int fd = open("/sys/devices/system/cpu/vulnerabilities", O_RDONLY);

	CHECK(fd >= 0);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/vulnerabilities/%s",
			 foreign[i]);
		get(path, buf, sizeof(buf));
		CHECK(!strcmp(buf, "Not affected\n"));
	}
	CHECK_OK(faccessat(fd, "spectre_v2", R_OK, 0));
	CHECK_OK(faccessat(fd, "meltdown", R_OK, 0));
	close(fd);
}
