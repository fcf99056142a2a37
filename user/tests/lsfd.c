/* SPDX-License-Identifier: MIT */
/*
 * user/tests/lsfd.c - what lsfd(1) and lsof(8) ask about the files of others.
 */
#include "utest.h"

#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define SIOCGSKNS_	0x894c
#define TUNGETDEVNETNS_ 0x54e3
#define NAME		"system.sockprotoname"

static const struct {
	int family, type, protocol;
	const char *name;
} kinds[] = {
	{ AF_UNIX, SOCK_STREAM, 0, "UNIX-STREAM" },
	{ AF_UNIX, SOCK_DGRAM, 0, "UNIX" },
	{ AF_UNIX, SOCK_SEQPACKET, 0, "UNIX" },
	{ AF_INET, SOCK_STREAM, 0, "TCP" },
	{ AF_INET6, SOCK_STREAM, 0, "TCPv6" },
	{ AF_INET, SOCK_DGRAM, 0, "UDP" },
	{ AF_INET6, SOCK_DGRAM, 0, "UDPv6" },
	{ AF_INET, SOCK_DGRAM, 136, "UDP-Lite" },
	{ AF_INET6, SOCK_DGRAM, 136, "UDPLITEv6" },
	{ AF_INET, SOCK_RAW, 1, "RAW" },
	{ AF_INET6, SOCK_RAW, 58, "RAWv6" },
	{ AF_NETLINK, SOCK_RAW, 0, "NETLINK" },
};

/* By descriptor and by /proc, whole or too short. */
static void has_name(int s, const char *want)
{
	char path[64], got[64];
	ssize_t n = (ssize_t)strlen(want) + 1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s);
	CHECK_EQ(fgetxattr(s, NAME, got, sizeof(got)), n);
	CHECK(!strcmp(got, want));
	memset(got, 0, sizeof(got));
	CHECK_EQ(getxattr(path, NAME, got, sizeof(got)), n);
	CHECK(!strcmp(got, want));
	CHECK_EQ(getxattr(path, NAME, NULL, 0), n);
	CHECK_ERR(getxattr(path, NAME, got, (size_t)n - 1), ERANGE);
}

TEST(lsfd, sockprotoname)
{
	char list[256];

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int s = socket(kinds[i].family, kinds[i].type,
			       kinds[i].protocol);

		CHECK(s >= 0);
		has_name(s, kinds[i].name);
		CHECK_EQ(flistxattr(s, list, sizeof(list)), sizeof(NAME));
		CHECK(!strcmp(list, NAME));
		CHECK_ERR(flistxattr(s, list, 3), ERANGE);
		CHECK_ERR(fsetxattr(s, NAME, "x", 2, 0), EOPNOTSUPP);
		CHECK_OK(close(s));
	}
}

/* A node of a file system that is a socket has no such attribute. */
TEST(lsfd, sockprotoname_of_node)
{
	char b[16];

	CHECK_OK(mknod("s", S_IFSOCK | 0600, 0));
	CHECK_ERR(getxattr("s", NAME, b, sizeof(b)), EOPNOTSUPP);
}

static ino_t ino_of(int fd)
{
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	return st.st_ino;
}

/* The namespace of a socket, which may not be that of who asks. */
TEST(lsfd, netns_of_socket)
{
	int home = open("/proc/self/ns/net", O_RDONLY), there, s, ns;

	CHECK(home >= 0);
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(there = open("/proc/self/ns/net", O_RDONLY));
	CHECK_OK(s = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(setns(home, 0));
	CHECK_OK(ns = ioctl(s, SIOCGSKNS_));
	CHECK_EQ(ino_of(ns), ino_of(there));
	CHECK_EQ(fcntl(ns, F_GETFD), FD_CLOEXEC);
	CHECK_OK(setns(ns, CLONE_NEWNET));
	CHECK_OK(setns(home, 0));
	CHECK_OK(setuid(1000));
	CHECK_ERR(ioctl(s, SIOCGSKNS_), EPERM);
}

/* The same of an interface's file, before and after it has one. */
TEST(lsfd, netns_of_tun)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int f = open("/dev/net/tun", O_RDWR), ns, self;

	if (f < 0)
		ut_skip("no /dev/net/tun");
	CHECK_OK(self = open("/proc/self/ns/net", O_RDONLY));
	CHECK_OK(ns = ioctl(f, SIOCGSKNS_));
	CHECK_EQ(ino_of(ns), ino_of(self));
	CHECK_ERR(ioctl(f, TUNGETDEVNETNS_), EBADFD);
	CHECK_OK(ioctl(f, TUNSETIFF, &r));
	CHECK_OK(ns = ioctl(f, TUNGETDEVNETNS_));
	CHECK_EQ(ino_of(ns), ino_of(self));
}

/* What has no inode of its own can be looked at by /proc, and not opened. */
TEST(lsfd, stat_of_nameless)
{
	int fds[] = { eventfd(0, 0), epoll_create1(0), inotify_init1(0),
		      timerfd_create(CLOCK_MONOTONIC, 0) };
	struct stat by_name, by_fd;
	struct statfs fs;
	char path[64];

	for (int i = 0; i < 4; i++) {
		CHECK(fds[i] >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		CHECK_OK(stat(path, &by_name));
		CHECK_OK(fstat(fds[i], &by_fd));
		CHECK_EQ(by_name.st_mode & S_IFMT, 0);
		CHECK_EQ(by_name.st_ino, by_fd.st_ino);
		CHECK_EQ(by_name.st_dev, by_fd.st_dev);
		CHECK_OK(statfs(path, &fs));
		CHECK_EQ(fs.f_type, 0x09041934); /* ANON_INODE_FS_MAGIC */
		CHECK_ERR(open(path, O_RDONLY), ENXIO);
		CHECK_OK(close(open(path, O_PATH)));
		CHECK_ERR(chdir(path), ENOTDIR);
	}
}

static void fdinfo_has(int fd, const char *line)
{
	char path[64], got[1024];
	ssize_t n;
	int f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK_OK(f = open(path, O_RDONLY));
	CHECK((n = read(f, got, sizeof(got) - 1)) > 0);
	got[n] = '\0';
	if (!strstr(got, line))
		ut_fail(__FILE__, __LINE__, "no %s in %s", line, got);
	CHECK_OK(close(f));
}

/* Which terminal a master is of, and which interface a file of /dev/net/tun. */
TEST(lsfd, fdinfo)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI,
			   .ifr_name = "lsfd0" };
	int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), t;
	char line[32];
	unsigned nr;

	CHECK(m >= 0);
	CHECK_OK(ioctl(m, TIOCGPTN, &nr));
	snprintf(line, sizeof(line), "\ntty-index:\t%u\n", nr);
	fdinfo_has(m, line);
	t = open("/dev/net/tun", O_RDWR);
	if (t < 0)
		return;
	fdinfo_has(t, "\niff:\t\n");
	CHECK_OK(ioctl(t, TUNSETIFF, &r));
	fdinfo_has(t, "\niff:\tlsfd0\n");
}

TEST(lsfd, epoll_of_random)
{
	struct epoll_event e = { .events = EPOLLIN }, got;
	int ep = epoll_create1(0), f = open("/dev/random", O_RDONLY);

	CHECK(ep >= 0 && f >= 0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, f, &e));
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 1);
	CHECK_EQ(got.events, EPOLLIN);
	CHECK_OK(f = open("/dev/urandom", O_RDONLY));
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, f, &e), EPERM);
}

static bool file_has(const char *path, const char *line)
{
	static char got[8192];
	int f = open(path, O_RDONLY);
	ssize_t n;

	CHECK(f >= 0);
	CHECK((n = read(f, got + 1, sizeof(got) - 2)) > 0);
	got[0] = '\n';
	got[n + 1] = '\0';
	CHECK_OK(close(f));
	return strstr(got, line);
}

/* Drivers by their majors, and what shares the one of "misc". */
TEST(lsfd, devices)
{
	CHECK(file_has("/proc/devices", "\n  1 mem\n"));
	CHECK(file_has("/proc/devices", "\n  5 /dev/ptmx\n"));
	CHECK(file_has("/proc/devices", "\n 10 misc\n"));
	CHECK(!file_has("/proc/devices", "\n 10 fuse\n"));
	CHECK(file_has("/proc/devices", "\nBlock devices:\n"));
	if (access("/dev/vda", F_OK) == 0)
		CHECK(file_has("/proc/devices", "\n254 virtblk\n"));
	if (access("/dev/net/tun", F_OK) == 0)
		CHECK(file_has("/proc/misc", "\n200 tun\n"));
}

/* Which names the numbers of terminals have: ps(1) asks, too. */
TEST(lsfd, tty_drivers)
{
	const char *f = "/proc/tty/drivers";

	CHECK(file_has(f, "\n/dev/ptmx            /dev/ptmx       5       2 "
			  "system\n"));
	CHECK(file_has(f, "\npty_slave            /dev/pts      136 0-"));
}

/* What the clock without power says, for who reads text. */
TEST(lsfd, driver_rtc)
{
	const char *f = "/proc/driver/rtc";

	if (access("/sys/class/rtc/rtc0", F_OK))
		ut_skip("no clock");
	CHECK(file_has(f, "rtc_time\t: "));
	CHECK(file_has(f, "\nrtc_date\t: 20"));
	CHECK(file_has(f, "\nperiodic IRQ frequency\t: 1\n"));
	CHECK(file_has(f, "\n24hr\t\t: yes\n"));
}

/* The watch that was added last comes first. */
TEST(lsfd, watches)
{
	int in = inotify_init1(0), a, b;
	char both[64], path[64], got[1024];
	const char *first, *second;

	CHECK(in >= 0);
	CHECK_OK(a = inotify_add_watch(in, "/", IN_CREATE));
	CHECK_OK(b = inotify_add_watch(in, "/proc", IN_CREATE));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", in);
	in = open(path, O_RDONLY);
	CHECK(in >= 0 && read(in, got, sizeof(got)) > 0);
	snprintf(both, sizeof(both), "wd:%x ", a);
	second = strstr(got, both);
	snprintf(both, sizeof(both), "wd:%x ", b);
	first = strstr(got, both);
	CHECK(first && second && first < second);
}

static uint32_t nl_port(int s)
{
	struct sockaddr_nl a;
	socklen_t len = sizeof(a);

	CHECK_OK(getsockname(s, (void *)&a, &len));
	return a.nl_pid;
}

/* The first socket of a process has its pid, and no two of a protocol have one. */
TEST(lsfd, netlink_ports)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int s[4];

	for (int i = 0; i < 4; i++) {
		CHECK_OK(s[i] = socket(AF_NETLINK, SOCK_RAW, i == 2 ? 4 : 0));
		if (i < 3)
			CHECK_OK(bind(s[i], (void *)&a, sizeof(a)));
	}
	CHECK_EQ(nl_port(s[0]), (uint32_t)getpid());
	CHECK(nl_port(s[1]) >= 0x80000000u);
	CHECK_EQ(nl_port(s[2]), (uint32_t)getpid());
	a.nl_pid = (uint32_t)getpid();
	CHECK_ERR(bind(s[3], (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_OK(close(s[0]));
	CHECK_OK(bind(s[3], (void *)&a, sizeof(a)));
	a.nl_pid = 0;
	CHECK_ERR(bind(s[3], (void *)&a, sizeof(a)), EINVAL);
	CHECK_EQ(nl_port(s[3]), (uint32_t)getpid());
}
