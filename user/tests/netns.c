/* SPDX-License-Identifier: MIT */
/*
 * user/tests/netns.c - network namespaces.
 *
 * On Linux the loopback of the first one must be up.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SO_NETNS_COOKIE_ 71

static void lo_set(int up)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = { .ifr_name = "lo" };

	CHECK(s >= 0);
	CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	if (up)
		r.ifr_flags |= IFF_UP;
	else
		r.ifr_flags &= (short)~IFF_UP;
	CHECK_OK(ioctl(s, SIOCSIFFLAGS, &r));
	CHECK_OK(close(s));
}

static int lo_flags(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = { .ifr_name = "lo" };

	CHECK(s >= 0);
	CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	CHECK_OK(close(s));
	return r.ifr_flags;
}

static struct sockaddr_in addr4(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
}

static int bound_any(int type, int port)
{
	struct sockaddr_in a = addr4(port);
	int s = socket(AF_INET, type, 0);

	CHECK(s >= 0);
	a.sin_addr.s_addr = 0;
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

static int self_ns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static ino_t ino_of(int fd)
{
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	return st.st_ino;
}

static unsigned long long cookie_of(int s)
{
	unsigned long long c = 0;
	socklen_t len = sizeof(c);

	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_NETNS_COOKIE_, &c, &len));
	CHECK_EQ(len, 8);
	return c;
}

/* A new one has a loopback that is down, and nothing can be reached over it. */
TEST(netns, loopback_down)
{
	struct sockaddr_in a = addr4(4321);
	int s;

	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_EQ(lo_flags() & IFF_UP, 0);
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), ENETUNREACH);
	lo_set(1);
	CHECK_EQ(lo_flags() & (IFF_UP | IFF_RUNNING), IFF_UP | IFF_RUNNING);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), ECONNREFUSED);
	CHECK_OK(close(s));
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(close(s));
	lo_set(0);
	CHECK_EQ(lo_flags() & IFF_UP, 0);
}

/* Ports are each namespace's own; a socket stays where it was made. */
TEST(netns, ports)
{
	int outside = bound_any(SOCK_STREAM, 4322), home = self_ns(), s, c;
	struct sockaddr_in a = addr4(4322);
	unsigned long long there;

	CHECK_OK(listen(outside, 5));
	CHECK_OK(unshare(CLONE_NEWNET));
	lo_set(1);
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	CHECK_OK(close(c));
	s = bound_any(SOCK_STREAM, 4322); /* taken outside only */
	CHECK(cookie_of(s) != cookie_of(outside));
	there = cookie_of(s);
	CHECK_OK(listen(s, 5));
	CHECK_OK(setns(home, CLONE_NEWNET));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	CHECK_EQ(cookie_of(s), there);
	CHECK_OK(close(accept(outside, NULL, NULL)));
}

/* Who is accepted is where the listener is, whoever accepts. */
TEST(netns, accepted_elsewhere)
{
	int home = self_ns(), l, c, s;
	struct sockaddr_in a = addr4(4323);
	unsigned long long there;

	CHECK_OK(unshare(CLONE_NEWNET));
	lo_set(1);
	l = bound_any(SOCK_STREAM, 4323);
	there = cookie_of(l);
	CHECK_OK(listen(l, 5));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(setns(home, 0));
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	CHECK_OK(s = accept(l, NULL, NULL));
	CHECK_EQ(cookie_of(s), there);
	CHECK_EQ(cookie_of(c), there);
	CHECK_EQ(write(s, "x", 1), 1);
}

static struct sockaddr_un abstract(const char *name, socklen_t *len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path + 1, name);
	*len = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(name));
	return a;
}

/* Abstract names are a namespace's, path names everybody's. */
TEST(netns, unix_names)
{
	socklen_t len;
	struct sockaddr_un a = abstract("netns-test", &len);
	struct sockaddr_un p = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	int sp = socket(AF_UNIX, SOCK_DGRAM, 0), c;

	CHECK(s >= 0 && sp >= 0);
	CHECK_OK(bind(s, (void *)&a, len));
	CHECK_OK(bind(sp, (void *)&p, sizeof(p)));
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(c = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_ERR(connect(c, (void *)&a, len), ECONNREFUSED);
	CHECK_OK(connect(c, (void *)&p, sizeof(p)));
	CHECK_OK(close(c));
	CHECK_OK(c = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(bind(c, (void *)&a, len));
}

static int has_line(const char *path, const char *what)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n >= 0);
	buf[n] = 0;
	CHECK_OK(close(fd));
	return strstr(buf, what) != NULL;
}

static int rest(void *arg __attribute__((unused)))
{
	for (;;)
		pause();
	return 0;
}

/* /proc/net is that of who looks. */
TEST(netns, proc)
{
	char path[64], link[64] = "";
	pid_t child = ut_fork(rest, NULL);

	(void)bound_any(SOCK_STREAM, 0x10e3);
	CHECK_EQ(readlink("/proc/net", link, sizeof(link)), 8);
	CHECK(!strcmp(link, "self/net"));
	CHECK_OK(listen(bound_any(SOCK_STREAM, 0x10e4), 1));
	CHECK(has_line("/proc/net/tcp", ":10E4"));
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK(!has_line("/proc/net/tcp", ":10E4"));
	CHECK(!has_line("/proc/self/net/tcp", ":10E4"));
	snprintf(path, sizeof(path), "/proc/%d/net/tcp", child);
	CHECK(has_line(path, ":10E4"));
	CHECK_OK(kill(child, SIGKILL));
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), (long)strlen(text));
	CHECK_OK(close(fd));
}

/* Settings are a namespace's. */
TEST(netns, sysctl)
{
	const char *range = "/proc/sys/net/ipv4/ip_local_port_range";
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int home = self_ns(), s;

	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK(has_line(range, "32768\t60999"));
	put(range, "20000 20009");
	CHECK(has_line(range, "20000\t20009"));
	s = bound_any(SOCK_DGRAM, 0);
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK(ntohs(a.sin_port) >= 20000 && ntohs(a.sin_port) <= 20009);
	CHECK_OK(setns(home, CLONE_NEWNET));
	CHECK(has_line(range, "32768\t60999"));
}

/* A namespace lives as long as a socket, a file or a mount of it. */
TEST(netns, lives_on)
{
	int home = self_ns(), s, there;
	ino_t ino;
	int fd;

	CHECK_OK(unshare(CLONE_NEWNET | CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(fd = open("here", O_CREAT | O_RDONLY, 0));
	CHECK_OK(close(fd));
	CHECK_OK(mount("/proc/self/ns/net", "here", NULL, MS_BIND, NULL));
	there = self_ns();
	ino = ino_of(there);
	CHECK_OK(close(there));
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(setns(home, CLONE_NEWNET));
	CHECK_OK(fd = open("here", O_RDONLY));
	CHECK_EQ(ino_of(fd), ino);
	CHECK_OK(setns(fd, CLONE_NEWNET));
	CHECK_EQ(lo_flags() & IFF_UP, 0);
	CHECK_OK(setns(home, CLONE_NEWNET));
	CHECK_ERR(setns(home, CLONE_NEWUTS), EINVAL);
	CHECK_OK(close(fd));
	CHECK_OK(umount("here"));
}

static int clone_child(void)
{
	return (int)syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0);
}

TEST(netns, rights)
{
	pid_t pid = clone_child();

	CHECK(pid >= 0);
	if (!pid)
		_exit(lo_flags() & IFF_UP ? 1 : 7);
	CHECK_EQ(ut_wait(pid), 7);
	CHECK_OK(setuid(1000));
	CHECK_ERR(unshare(CLONE_NEWNET), EPERM);
	/* root of its own user namespace rules over its own network only */
	CHECK_OK(unshare(CLONE_NEWUSER));
	{
		int s = socket(AF_INET, SOCK_DGRAM, 0);
		struct ifreq r = { .ifr_name = "lo" };

		CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
		CHECK_ERR(ioctl(s, SIOCSIFFLAGS, &r), EPERM);
	}
	CHECK_OK(unshare(CLONE_NEWNET));
	lo_set(1);
	(void)bound_any(SOCK_STREAM, 80);
}

/* --- rtnetlink */

struct req {
	struct nlmsghdr h;
	union {
		struct ifinfomsg link;
		struct rtgenmsg gen;
		struct ifaddrmsg addr;
	};
	char attrs[64];
};

static void add_attr(struct req *r, unsigned fixed, int type, uint32_t v)
{
	struct rtattr *a;

	if (!r->h.nlmsg_len)
		r->h.nlmsg_len = NLMSG_ALIGN(NLMSG_LENGTH(fixed));
	a = (void *)((char *)r + NLMSG_ALIGN(r->h.nlmsg_len));
	a->rta_type = (unsigned short)type;
	a->rta_len = RTA_LENGTH(4);
	memcpy(RTA_DATA(a), &v, 4);
	r->h.nlmsg_len = NLMSG_ALIGN(r->h.nlmsg_len) + RTA_LENGTH(4);
}

/* Send it; 0 or the error of the answer. */
static int ask(int nl, struct req *r)
{
	char buf[4096];
	struct nlmsghdr *h = (void *)buf;

	r->h.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	CHECK_EQ(send(nl, r, r->h.nlmsg_len, 0), (long)r->h.nlmsg_len);
	CHECK(recv(nl, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

/* Going up is told to those who listen. */
TEST(netns, notified)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK };
	struct req r = { .h = { .nlmsg_type = RTM_NEWLINK,
				.nlmsg_len = NLMSG_LENGTH(
					sizeof(struct ifinfomsg)) } };
	struct sockaddr_nl from;
	socklen_t len = sizeof(from);
	char buf[4096];
	struct nlmsghdr *h = (void *)buf;
	struct ifinfomsg *i = NLMSG_DATA(h);
	int nl, mon, other;

	CHECK_OK(other = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(bind(other, (void *)&a, sizeof(a)));
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(mon = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(bind(mon, (void *)&a, sizeof(a)));
	CHECK_ERR(recv(mon, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	r.link.ifi_index = 1;
	r.link.ifi_change = r.link.ifi_flags = IFF_UP;
	CHECK_EQ(ask(nl, &r), 0);
	CHECK(lo_flags() & IFF_UP);
	CHECK(recvfrom(mon, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from,
		       &len) > 0);
	CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
	CHECK_EQ(i->ifi_index, 1);
	CHECK(i->ifi_flags & IFF_UP);
	CHECK_EQ(from.nl_groups, RTMGRP_LINK);
	CHECK_ERR(recv(other, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
}

/* The loopback can get its address before it goes up, as bubblewrap does it. */
TEST(netns, address_given)
{
	struct req r = { .h = { .nlmsg_type = RTM_NEWADDR,
				.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL } };
	struct ifreq q = { .ifr_name = "lo" };
	int nl, s;

	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_ERR(ioctl(s, SIOCGIFADDR, &q), EADDRNOTAVAIL);
	r.addr = (struct ifaddrmsg){ .ifa_family = AF_INET,
				     .ifa_prefixlen = 8,
				     .ifa_flags = IFA_F_PERMANENT,
				     .ifa_scope = RT_SCOPE_HOST,
				     .ifa_index = 1 };
	add_attr(&r, sizeof(r.addr), IFA_LOCAL, htonl(INADDR_LOOPBACK));
	add_attr(&r, 0, IFA_ADDRESS, htonl(INADDR_LOOPBACK));
	CHECK_EQ(ask(nl, &r), 0);
	CHECK(!(lo_flags() & IFF_UP));
	CHECK_OK(ioctl(s, SIOCGIFADDR, &q));
	/* as scripts do, though it has it */
	CHECK_OK(ioctl(s, SIOCSIFADDR, &q));
	CHECK_EQ(ask(nl, &r), -EEXIST);
	r.addr.ifa_index = 99;
	CHECK_EQ(ask(nl, &r), -ENODEV);
	CHECK_OK(setresuid(1000, 1000, 1000));
	r.addr.ifa_index = 1;
	CHECK_EQ(ask(nl, &r), -EPERM);
}

/* Namespaces have numbers for each other. */
TEST(netns, nsid)
{
	struct req r = { .h.nlmsg_type = RTM_NEWNSID };
	int nl, there, home = self_ns();
	char buf[4096];
	struct nlmsghdr *h = (void *)buf;
	struct rtattr *at =
		(void *)(buf + NLMSG_SPACE(sizeof(struct rtgenmsg)));

	CHECK_OK(unshare(CLONE_NEWNET));
	there = self_ns();
	CHECK_OK(setns(home, 0));
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_OK(nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	add_attr(&r, sizeof(struct rtgenmsg), NETNSA_NSID, 77);
	add_attr(&r, 0, NETNSA_FD, (uint32_t)there);
	CHECK_EQ(ask(nl, &r), 0);
	CHECK_EQ(ask(nl, &r), -EEXIST);
	memset(&r, 0, sizeof(r));
	r.h.nlmsg_type = RTM_GETNSID;
	r.h.nlmsg_flags = NLM_F_REQUEST;
	add_attr(&r, sizeof(struct rtgenmsg), NETNSA_FD, (uint32_t)there);
	CHECK(send(nl, &r, r.h.nlmsg_len, 0) > 0);
	CHECK(recv(nl, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, RTM_NEWNSID);
	CHECK_EQ(at->rta_type, NETNSA_NSID);
	CHECK_EQ(*(int *)RTA_DATA(at), 77);
}

/* IP_LOCAL_PORT_RANGE: a socket's own part of what the namespace gives. */
TEST(netns, port_range)
{
	const int opt = 51;
	unsigned range = 40000 | 40001u << 16, got = 0;
	struct sockaddr_in a = addr4(0), any = a;
	socklen_t len = sizeof(got), alen = sizeof(a);
	int s[3];

	CHECK_OK(unshare(CLONE_NEWNET));
	lo_set(1);
	for (int i = 0; i < 3; i++) {
		CHECK_OK(s[i] = socket(AF_INET, SOCK_DGRAM, 0));
		CHECK_OK(setsockopt(s[i], IPPROTO_IP, opt, &range,
				    sizeof(range)));
	}
	CHECK_OK(getsockopt(s[0], IPPROTO_IP, opt, &got, &len));
	CHECK_EQ(got, range);
	CHECK_OK(bind(s[0], (void *)&a, sizeof(a)));
	CHECK_OK(bind(s[1], (void *)&a, sizeof(a)));
	CHECK_ERR(bind(s[2], (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_OK(getsockname(s[1], (void *)&a, &alen));
	CHECK(ntohs(a.sin_port) == 40000 || ntohs(a.sin_port) == 40001);
	range = 40001 | 40000u << 16;
	CHECK_ERR(setsockopt(s[2], IPPROTO_IP, opt, &range, sizeof(range)),
		  EINVAL);
	range = 0;
	CHECK_OK(setsockopt(s[2], IPPROTO_IP, opt, &range, sizeof(range)));
	CHECK_OK(bind(s[2], (void *)&any, sizeof(any)));
}
