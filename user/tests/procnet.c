/* SPDX-License-Identifier: MIT */
/*
 * user/tests/procnet.c - /sys/class/net/lo, and what /proc/net counts and lists.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

static char text[65536];

static const char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	long n, all = 0;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, text + all, sizeof(text) - 1 - (size_t)all)) > 0)
		all += n;
	text[all] = '\0';
	close(fd);
	return n < 0 ? NULL : text;
}

static void own_sys(void)
{
	CHECK_OK(unshare(CLONE_NEWNET | CLONE_NEWNS));
	CHECK_OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("sys", 0755));
	CHECK_OK(mount("sysfs", "sys", "sysfs", 0, NULL));
}

static void set_flags(short flags)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = flags };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_OK(ioctl(s, SIOCSIFFLAGS, &r));
	close(s);
}

static void is_text(const char *name, const char *want)
{
	char path[128];
	const char *got;

	snprintf(path, sizeof(path), "sys/class/net/lo/%s", name);
	got = slurp(path);
	if (!got || strcmp(got, want))
		ut_fail(__FILE__, __LINE__, "%s: %s", path, got ? got : "-");
}

static void is_error(const char *name, int err)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/class/net/lo/%s", name);
	errno = 0;
	CHECK(!slurp(path));
	CHECK_EQ(errno, err);
}

TEST(procnet, sys_lo)
{
	char link[128] = "";

	own_sys();
	CHECK(readlink("sys/class/net/lo", link, sizeof(link) - 1) > 0);
	CHECK(!strcmp(link, "../../devices/virtual/net/lo"));
	is_text("address", "00:00:00:00:00:00\n");
	is_text("addr_len", "6\n");
	is_text("dev_id", "0x0\n");
	is_text("ifindex", "1\n");
	is_text("iflink", "1\n");
	is_text("mtu", "65536\n");
	is_text("tx_queue_len", "1000\n");
	is_text("type", "772\n");
	is_text("uevent", "INTERFACE=lo\nIFINDEX=1\n");
	is_text("ifalias", "");
	is_text("statistics/rx_packets", "0\n");
	is_text("statistics/tx_errors", "0\n");
	is_error("speed", EINVAL);
	is_error("phys_port_id", EOPNOTSUPP);
}

/* Down at first; taken up by either way. */
TEST(procnet, sys_lo_up)
{
	int fd;

	own_sys();
	is_text("operstate", "down\n");
	is_text("flags", "0x8\n");
	is_error("carrier", EINVAL);
	is_error("dormant", EINVAL);
	set_flags(IFF_UP);
	is_text("operstate", "unknown\n");
	is_text("flags", "0x9\n");
	is_text("carrier", "1\n");
	is_text("dormant", "0\n");
	CHECK_OK(fd = open("sys/class/net/lo/flags", O_WRONLY));
	CHECK_EQ(write(fd, "0x8", 3), 3);
	is_text("operstate", "down\n");
}

/* Field @name of @group in a file of pairs of lines. */
static long field(const char *file, const char *group, const char *name)
{
	char *names, *values, *n, *v, *ns, *vs;

	CHECK(slurp(file));
	names = strstr(text, group);
	CHECK(names);
	values = strchr(names, '\n') + 1;
	*strchr(names, '\n') = '\0';
	*strchr(values, '\n') = '\0';
	n = strtok_r(names, " ", &ns);
	v = strtok_r(values, " ", &vs);
	CHECK(n && v && !strcmp(n, v));
	do {
		n = strtok_r(NULL, " ", &ns);
		v = strtok_r(NULL, " ", &vs);
		CHECK(n && v);
	} while (strcmp(n, name));
	return atol(v);
}

static long udp(const char *name)
{
	return field("/proc/net/snmp", "Udp:", name);
}

static long tcp(const char *name)
{
	return field("/proc/net/snmp", "Tcp:", name);
}

static long lo_packets(void)
{
	char *at;

	CHECK(slurp("/proc/net/dev"));
	at = strstr(text, "lo:");
	CHECK(at);
	strtol(at + 3, &at, 10);
	return strtol(at, NULL, 10);
}

/* What netlink says of that. */
static void check_link_stats(long packets)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} r = { .h = { .nlmsg_len = sizeof(r),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST },
		.i.ifi_index = 1 };
	int nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), seen = 0, left;
	static char buf[8192];
	struct nlmsghdr *h = (void *)buf;
	struct rtattr *a;

	CHECK_EQ(send(nl, &r, sizeof(r), 0), sizeof(r));
	CHECK(recv(nl, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
	left = (int)IFLA_PAYLOAD(h);
	for (a = IFLA_RTA(NLMSG_DATA(h)); RTA_OK(a, left);
	     a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_STATS64) {
			struct rtnl_link_stats64 st;

			CHECK(RTA_PAYLOAD(a) >= sizeof(st));
			memcpy(&st, RTA_DATA(a), sizeof(st));
			CHECK_EQ(st.rx_packets, packets);
			CHECK_EQ(st.tx_packets, packets);
			CHECK_EQ(st.rx_errors, 0);
			seen++;
		} else if (a->rta_type == IFLA_STATS) {
			CHECK_EQ(*(unsigned *)RTA_DATA(a), packets);
			seen++;
		}
	}
	CHECK_EQ(seen, 2);
	close(nl);
}

TEST(procnet, udp_counts)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	char b[16];
	int s, t;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(t = socket(AF_INET, SOCK_DGRAM, 0));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_EQ(lo_packets(), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(sendto(t, "hello", 5, 0, (void *)&a, len), 5);
		CHECK_EQ(recv(s, b, sizeof(b), 0), 5);
	}
	CHECK_EQ(udp("OutDatagrams"), 5);
	CHECK_EQ(udp("InDatagrams"), 5);
	CHECK_EQ(udp("NoPorts"), 0);
	CHECK_EQ(lo_packets(), 5);
	check_link_stats(5);
	CHECK_EQ(field("/proc/net/netstat", "IpExt:", "InOctets"), 5 * 33);
	close(s);
	CHECK_EQ(sendto(t, "hello", 5, 0, (void *)&a, len), 5);
	CHECK_EQ(udp("NoPorts"), 1);
	CHECK_EQ(udp("OutDatagrams"), 6);
}

TEST(procnet, tcp_counts)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int s, c;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_ERR(connect(c, (void *)&a, len), ECONNREFUSED);
	CHECK_EQ(tcp("AttemptFails"), 1);
	CHECK_EQ(tcp("PassiveOpens"), 0);
	CHECK_OK(listen(s, 1));
	CHECK_OK(connect(c, (void *)&a, len));
	CHECK_EQ(tcp("PassiveOpens"), 1);
	CHECK_EQ(tcp("CurrEstab"), 2);
	CHECK_EQ(tcp("RtoMax"), 120000);
	CHECK_EQ(tcp("MaxConn"), -1);
}

TEST(procnet, lists)
{
	struct ip_mreqn m = { .imr_ifindex = 1 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	char want[64];
	int s, r, nl;
	struct stat st;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	m.imr_multiaddr.s_addr = inet_addr("239.1.2.3");
	CHECK_OK(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	CHECK(slurp("/proc/net/igmp") && strstr(text, "lo "));
	CHECK(strstr(text, "\t\t\t\t010000E0     1 0:"));
	CHECK(strstr(text, "\t\t\t\t030201EF     1 0:"));
	CHECK(slurp("/proc/net/igmp6") &&
	      strstr(text, "lo              ff020000000000000000000000000001"));
	CHECK_OK(r = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	CHECK(slurp("/proc/net/raw") && strstr(text, "00000000:0001"));
	CHECK(slurp("/proc/net/sockstat") && strstr(text, "RAW: inuse 1\n"));
	CHECK_OK(nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	CHECK_OK(bind(nl,
		      (void *)&(struct sockaddr_nl){ .nl_family = AF_NETLINK },
		      sizeof(struct sockaddr_nl)));
	CHECK_OK(fstat(nl, &st));
	snprintf(want, sizeof(want), " %lu ", (unsigned long)st.st_ino);
	CHECK(slurp("/proc/net/netlink") && strstr(text, want));
	CHECK(slurp("/proc/net/fib_trie") && strstr(text, "|-- 127.0.0.1\n"));
	CHECK(slurp("/proc/net/ipv6_route") && strstr(text, "80200001 "));
	CHECK(slurp("/proc/net/arp") && strstr(text, "HW type"));
	CHECK(slurp("/proc/net/snmp6") && strstr(text, "Udp6InDatagrams "));
	CHECK(slurp("/proc/net/protocols") && strstr(text, "\nTCPv6 "));
}

/* Settings that programs ask for. */
TEST(procnet, settings)
{
	static const struct {
		const char *name, *value;
	} want[] = {
		{ "core/rmem_max", "212992\n" },
		{ "core/wmem_default", "212992\n" },
		{ "ipv4/tcp_fastopen", "1\n" },
		{ "ipv4/tcp_keepalive_time", "7200\n" },
		{ "ipv4/ip_default_ttl", "64\n" },
		{ "ipv4/conf/lo/forwarding", "0\n" },
		{ "ipv6/conf/all/disable_ipv6", "0\n" },
		{ "ipv6/bindv6only", "0\n" },
	};
	char path[128];
	int fd;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/%s", want[i].name);
		if (!slurp(path) || strcmp(text, want[i].value))
			ut_fail(__FILE__, __LINE__, "%s: %s", path, text);
	}
	CHECK_OK(fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY));
	CHECK_EQ(write(fd, "1\n", 2), 2);
	CHECK_ERR(pwrite(fd, "many\n", 5, 0), EINVAL);
}

/* A number of an interface that is kept, and is the namespace's own. */
TEST(procnet, tag)
{
	static const char lo[] = "/proc/sys/net/ipv4/conf/lo/tag";
	int fd;

	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_EQ(strcmp(slurp("/proc/sys/net/ipv4/conf/default/tag"), "0\n"),
		 0);
	CHECK_EQ(strcmp(slurp(lo), "0\n"), 0);
	CHECK_OK(fd = open(lo, O_WRONLY));
	CHECK_EQ(write(fd, "17\n", 3), 3);
	CHECK_ERR(write(fd, "x\n", 2), EINVAL);
	close(fd);
	CHECK_EQ(strcmp(slurp(lo), "17\n"), 0);
	CHECK_OK(unshare(CLONE_NEWNET));
	CHECK_EQ(strcmp(slurp(lo), "0\n"), 0);
}
