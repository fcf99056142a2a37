/* SPDX-License-Identifier: MIT */
/*
 * user/tests/netconf.c - settings of IP of interfaces: /proc/sys/net/ipv4/conf, ipv6/conf.
 */
#include "utest.h"
#include "wire.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

static struct wire w;

static FILE *conf(const char *name, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	return fopen(path, mode);
}

static int get(const char *name)
{
	FILE *f = conf(name, "r");
	int v = -1;

	CHECK(f);
	CHECK_EQ(fscanf(f, "%d", &v), 1);
	fclose(f);
	return v;
}

static void set(const char *name, int v)
{
	FILE *f = conf(name, "w");

	CHECK(f);
	CHECK(fprintf(f, "%d\n", v) > 0);
	CHECK_EQ(fclose(f), 0);
}

/* How often has the directory that name? */
static int listed(const char *dir, const char *name)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	CHECK(d);
	while ((e = readdir(d)))
		n += !strcmp(e->d_name, name);
	closedir(d);
	return n;
}

/* Each interface has a directory while it is there. */
TEST(netconf, directories)
{
	static const char v4[] = "/proc/sys/net/ipv4/conf";
	static const char v6[] = "/proc/sys/net/ipv6/conf";
	static const char *const names[] = { "all", "default", "lo", "wa" };

	wire_setup(&w);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(listed(v4, names[i]), 1);
		CHECK_EQ(listed(v6, names[i]), 1);
	}
	CHECK_EQ(listed(v4, "wb"), 0);
	CHECK_EQ(listed("/proc/sys/net/ipv4/conf/wa", "forwarding"), 1);
	CHECK_EQ(listed("/proc/sys/net/ipv4/conf/wa", "disable_ipv6"), 0);
	CHECK_EQ(listed("/proc/sys/net/ipv6/conf/wa", "disable_ipv6"), 1);
	CHECK_ERR(access("/proc/sys/net/ipv4/conf/wb/forwarding", R_OK),
		  ENOENT);
	wire_enter(&w, 1);
	CHECK_EQ(listed(v4, "wb"), 1);
	CHECK_EQ(listed(v4, "wa"), 0);
}

TEST(netconf, values)
{
	wire_setup(&w);
	CHECK_EQ(get("ipv6/conf/wa/accept_ra"), 1);
	set("ipv6/conf/wa/accept_ra", 2);
	CHECK_EQ(get("ipv6/conf/wa/accept_ra"), 2);
	CHECK_EQ(get("ipv6/conf/lo/accept_ra"), 1);
	CHECK_EQ(get("ipv6/conf/all/accept_ra"), 1);
	set("ipv6/conf/all/accept_ra", 0); /* means nothing to others */
	CHECK_EQ(get("ipv6/conf/lo/accept_ra"), 1);
	/* what comes begins with the default */
	set("ipv6/conf/default/autoconf", 0);
	CHECK_EQ(get("ipv6/conf/wa/autoconf"), 1);
	CHECK_EQ(wire_veth("wc", "wd", w.ns[1]), 0);
	CHECK_EQ(get("ipv6/conf/wc/autoconf"), 0);
}

/* All of them follow ip_forward, and each may differ. */
TEST(netconf, forwarding)
{
	wire_setup(&w);
	set("ipv4/ip_forward", 1);
	CHECK_EQ(get("ipv4/conf/all/forwarding"), 1);
	CHECK_EQ(get("ipv4/conf/default/forwarding"), 1);
	CHECK_EQ(get("ipv4/conf/wa/forwarding"), 1);
	set("ipv4/conf/wa/forwarding", 0);
	CHECK_EQ(get("ipv4/ip_forward"), 1);
	CHECK_EQ(get("ipv4/conf/lo/forwarding"), 1);
	CHECK_EQ(get("ipv4/conf/wa/forwarding"), 0);
	set("ipv4/conf/all/forwarding", 0);
	CHECK_EQ(get("ipv4/conf/lo/forwarding"), 0);
	set("ipv6/conf/all/forwarding", 1);
	CHECK_EQ(get("ipv6/conf/wa/forwarding"), 1);
	CHECK_EQ(get("ipv6/conf/default/forwarding"), 1);
}

static int addresses6(const char *dev)
{
	FILE *f = fopen("/proc/net/if_inet6", "r");
	char line[128], name[32];
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += sscanf(line, "%*s %*s %*s %*s %*s %31s", name) == 1 &&
		     !strcmp(name, dev);
	fclose(f);
	return n;
}

/* IPv6 ends on an interface, and begins anew. */
TEST(netconf, disable_ipv6)
{
	wire_setup(&w);
	for (int i = 0; i < 20 && !addresses6("wa"); i++)
		usleep(100000);
	CHECK_EQ(addresses6("wa"), 1);
	set("ipv6/conf/wa/disable_ipv6", 1);
	CHECK_EQ(addresses6("wa"), 0);
	CHECK_EQ(get("ipv6/conf/all/disable_ipv6"), 0);
	set("ipv6/conf/wa/disable_ipv6", 0);
	CHECK_EQ(addresses6("wa"), 1);
	set("ipv6/conf/all/disable_ipv6", 1);
	CHECK_EQ(get("ipv6/conf/wa/disable_ipv6"), 1);
	CHECK_EQ(get("ipv6/conf/default/disable_ipv6"), 1);
	CHECK_EQ(addresses6("wa"), 0);
	/* nor when it goes up */
	wire_up(&w, 0, 0);
	wire_up(&w, 0, 1);
	CHECK_EQ(addresses6("wa"), 0);
}

TEST(netconf, errors)
{
	int fd;

	wire_setup(&w);
	CHECK_OK(fd = open("/proc/sys/net/ipv4/conf/wa/forwarding", O_WRONLY));
	CHECK_ERR(write(fd, "x\n", 2), EINVAL);
	CHECK_ERR(open("/proc/sys/net/ipv4/conf/wa/nothing", O_RDONLY), ENOENT);
	CHECK_ERR(open("/proc/sys/net/ipv4/conf/none/tag", O_RDONLY), ENOENT);
	CHECK_OK(close(fd));
}
