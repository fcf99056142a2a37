/* SPDX-License-Identifier: MIT */
/*
 * net/link/sysfs.c - /sys/class/net: the interfaces of the first network namespace, and the
 * loopback, which is the reader's own.  Others cannot be seen there.
 *
 * What is written waits for rtnl_mutex, but not for ever: an interface that goes is taken
 * out with that held, and waits for the writer.
 */
#include <net/link/dev.h>

#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <kernel/init.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static char loopback; /* stands for the reader's */
static struct sys_dir *lo_dir;

static struct net_device *dev_of(void *obj)
{
	return obj == &loopback ? current_net_ns()->lo : obj;
}

enum show {
	SHOW_ADDR_LEN,
	SHOW_ADDR_TYPE,
	SHOW_CARRIER_CHANGES,
	SHOW_CARRIER_DOWN,
	SHOW_CARRIER_UP,
	SHOW_GROUP,
	SHOW_IFINDEX,
	SHOW_IFLINK,
	SHOW_LINK_MODE,
	SHOW_MTU,
	SHOW_NAME_TYPE,
	SHOW_QUEUE_LEN,
	SHOW_TYPE,
};

static u64 number_of(const struct net_device *dev, enum show what)
{
	const struct link *l = link_of(dev);
	u32 up = load_once(&l->carrier_up), down = load_once(&l->carrier_down);
	struct net_ns *net;

	switch (what) {
	case SHOW_ADDR_LEN:
		return link_addr_len(dev);
	case SHOW_ADDR_TYPE:
		return l->addr_type;
	case SHOW_CARRIER_CHANGES:
		return up + down;
	case SHOW_CARRIER_DOWN:
		return down;
	case SHOW_CARRIER_UP:
		return up;
	case SHOW_GROUP:
		return l->group;
	case SHOW_IFINDEX:
		return (u64)dev->index;
	case SHOW_IFLINK:
		return (u64)link_iflink(dev, &net);
	case SHOW_LINK_MODE:
		return l->mode;
	case SHOW_MTU:
		return load_once(&dev->mtu);
	case SHOW_NAME_TYPE:
		return link_is_lo(dev) ? 2 : l->name_type;
	case SHOW_QUEUE_LEN:
		return load_once(&dev->tx_queue_len);
	default:
		return dev->type;
	}
}

static s64 show_number(void *obj, const struct sys_attr *a, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "%lu\n", number_of(dev_of(obj), a->arg));
}

static s64 show_fixed(void *obj __unused, const struct sys_attr *a, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "%lu\n", a->arg);
}

static s64 show_hex(void *obj __unused, const struct sys_attr *a, char *buf,
		    size_t size)
{
	return scnprintf(buf, size, "0x%lx\n", a->arg);
}

static s64 put_mac(const struct net_device *dev, const u8 *mac, char *buf,
		   size_t size)
{
	s64 n = 0;

	for (u32 i = 0; i < link_addr_len(dev); i++)
		n += scnprintf(buf + n, size - (size_t)n, "%s%02x",
			       i ? ":" : "", mac[i]);
	return n + scnprintf(buf + n, size - (size_t)n, "\n");
}

static s64 show_address(void *obj, const struct sys_attr *a, char *buf,
			size_t size)
{
	const struct net_device *dev = dev_of(obj);

	return put_mac(dev, a->arg ? link_of(dev)->broadcast : dev->mac, buf,
		       size);
}

/* There is no port, no switch. */
static s64 no_such(void *obj __unused, const struct sys_attr *a,
		   char *buf __unused, size_t size __unused)
{
	return -(s64)a->arg;
}

static s64 show_alias(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	const char *alias = link_of(dev_of(obj))->alias;

	return alias ? scnprintf(buf, size, "%s\n", alias) : 0;
}

static s64 show_flags(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "0x%x\n", load_once(&dev_of(obj)->flags));
}

static s64 show_operstate(void *obj, const struct sys_attr *a __unused,
			  char *buf, size_t size)
{
	static const char *const names[] = {
		"unknown", "notpresent", "down", "lowerlayerdown",
		"testing", "dormant",	 "up",
	};

	return scnprintf(buf, size, "%s\n", names[link_operstate(dev_of(obj))]);
}

/* Of what is up only. */
static s64 show_carrier(void *obj, const struct sys_attr *a, char *buf,
			size_t size)
{
	const struct net_device *dev = dev_of(obj);

	if (!link_is_up(dev))
		return -EINVAL;
	return scnprintf(buf, size, "%d\n", a->arg && load_once(&dev->carrier));
}

static s64 show_speed(void *obj, const struct sys_attr *a, char *buf,
		      size_t size)
{
	const struct net_device *dev = dev_of(obj);
	u32 speed = load_once(&dev->speed);

	if (!link_is_up(dev) || link_is_lo(dev))
		return -EINVAL;
	if (a->arg)
		return scnprintf(buf, size, "%s\n",
				 !speed				? "unknown"
				 : load_once(&dev->full_duplex) ? "full"
								: "half");
	return scnprintf(buf, size, "%d\n", speed ? (int)speed : -1);
}

static s64 show_uevent(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct net_device *dev = dev_of(obj);
	const struct link_kind *k = link_of(dev)->kind;

	return scnprintf(buf, size, "%s%s%sINTERFACE=%s\nIFINDEX=%d\n",
			 k && k->devtype ? "DEVTYPE=" : "",
			 k && k->devtype ? k->devtype : "",
			 k && k->devtype ? "\n" : "", dev->name, dev->index);
}

/* rtnl_mutex, or -ENODEV: it goes. */
static int lock_for(const struct net_device *dev)
{
	while (!mutex_trylock(&rtnl_mutex)) {
		if (!load_once(&dev->registered))
			return -ENODEV;
		(void)sleep_until_ns(clock_mono_ns() + NSEC_PER_MSEC, false);
	}
	if (dev->registered)
		return 0;
	mutex_unlock(&rtnl_mutex);
	return -ENODEV;
}

static int set_number(struct net_device *dev, u64 what, u32 v)
{
	u32 high = load_once(&dev->flags) & ~0xffffu;

	switch (what) {
	case SHOW_MTU:
		return link_set_mtu(dev, v);
	case SHOW_QUEUE_LEN:
		store_once(&dev->tx_queue_len, v);
		return 0;
	default:
		return link_change_flags(dev, high | v);
	}
}

static s64 store_number(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	struct net_device *dev = dev_of(obj);
	u64 v;
	int err = sys_parse_u64(buf, 0, ~0u, &v);

	if (!net_capable(dev->net, CAP_NET_ADMIN))
		return -EPERM;
	if (!err)
		err = lock_for(dev);
	if (err)
		return err;
	err = set_number(dev, a->arg, (u32)v);
	if (!err)
		rtnl_link_told(dev, 0);
	mutex_unlock(&rtnl_mutex);
	return err ? err : (s64)n;
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n);

#define ATTR(n, fn, v)                                        \
	{                                                     \
		.name = n, .mode = 0444, .show = fn, .arg = v \
	}
#define WRITABLE(n, fn, v)                                     \
	{                                                      \
		.name = n, .mode = 0644, .show = fn, .arg = v, \
		.store = store_number                          \
	}

static const struct sys_attr attrs[] = {
	ATTR("addr_assign_type", show_number, SHOW_ADDR_TYPE),
	ATTR("addr_len", show_number, SHOW_ADDR_LEN),
	ATTR("address", show_address, 0),
	ATTR("broadcast", show_address, 1),
	ATTR("carrier", show_carrier, 1),
	ATTR("carrier_changes", show_number, SHOW_CARRIER_CHANGES),
	ATTR("carrier_down_count", show_number, SHOW_CARRIER_DOWN),
	ATTR("carrier_up_count", show_number, SHOW_CARRIER_UP),
	ATTR("dev_id", show_hex, 0),
	ATTR("dev_port", show_fixed, 0),
	ATTR("dormant", show_carrier, 0),
	ATTR("duplex", show_speed, 1),
	WRITABLE("flags", show_flags, ~0u),
	ATTR("gro_flush_timeout", show_fixed, 0),
	ATTR("ifalias", show_alias, 0),
	ATTR("ifindex", show_number, SHOW_IFINDEX),
	ATTR("iflink", show_number, SHOW_IFLINK),
	ATTR("link_mode", show_number, SHOW_LINK_MODE),
	WRITABLE("mtu", show_number, SHOW_MTU),
	ATTR("name_assign_type", show_number, SHOW_NAME_TYPE),
	ATTR("napi_defer_hard_irqs", show_fixed, 0),
	ATTR("netdev_group", show_number, SHOW_GROUP),
	ATTR("operstate", show_operstate, 0),
	ATTR("phys_port_id", no_such, EOPNOTSUPP),
	ATTR("phys_port_name", no_such, EOPNOTSUPP),
	ATTR("phys_switch_id", no_such, EOPNOTSUPP),
	ATTR("proto_down", show_fixed, 0),
	ATTR("speed", show_speed, 0),
	ATTR("testing", show_carrier, 0),
	ATTR("threaded", show_fixed, 0),
	WRITABLE("tx_queue_len", show_number, SHOW_QUEUE_LEN),
	ATTR("type", show_number, SHOW_TYPE),
	{ .name = "uevent",
	  .mode = 0644,
	  .show = show_uevent,
	  .store = store_uevent },
};
#define UEVENT (&attrs[ARRAY_SIZE(attrs) - 1])

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	struct sys_dir *d = obj == &loopback ? lo_dir : link_of(obj)->sys;

	return uevent_store(d, "net", a, obj, buf, n);
}

/* --- statistics */

#define STAT(n, m) ATTR(n, show_stat, offsetof(struct net_stats, m))
#define NONE(n)	   ATTR(n, show_fixed, 0)

static s64 show_stat(void *obj, const struct sys_attr *a, char *buf,
		     size_t size)
{
	struct net_stats s;
	u64 v;

	link_stats(dev_of(obj), &s);
	memcpy(&v, (const u8 *)&s + a->arg, sizeof(v));
	return scnprintf(buf, size, "%lu\n", v);
}

static const struct sys_attr statistics[] = {
	NONE("collisions"),
	STAT("multicast", multicast),
	STAT("rx_bytes", rx_bytes),
	NONE("rx_compressed"),
	NONE("rx_crc_errors"),
	STAT("rx_dropped", rx_dropped),
	STAT("rx_errors", rx_errors),
	NONE("rx_fifo_errors"),
	NONE("rx_frame_errors"),
	NONE("rx_length_errors"),
	NONE("rx_missed_errors"),
	NONE("rx_nohandler"),
	NONE("rx_over_errors"),
	STAT("rx_packets", rx_packets),
	NONE("tx_aborted_errors"),
	STAT("tx_bytes", tx_bytes),
	NONE("tx_carrier_errors"),
	NONE("tx_compressed"),
	STAT("tx_dropped", tx_dropped),
	STAT("tx_errors", tx_errors),
	NONE("tx_fifo_errors"),
	NONE("tx_heartbeat_errors"),
	STAT("tx_packets", tx_packets),
	NONE("tx_window_errors"),
};

/* --- coming and going */

static int fill(struct sys_dir *d, void *obj)
{
	int err = 0;

	for (u32 i = 0; !err && i < ARRAY_SIZE(attrs); i++)
		err = sys_add_for(d, &attrs[i], obj);
	if (!err)
		err = sys_add(sys_mkdir(d, "statistics", obj), statistics,
			      ARRAY_SIZE(statistics));
	return err ? err : sys_join("class/net", d);
}

static void add(struct net_device *dev, const char *action)
{
	struct link *l = link_of(dev);
	struct sys_dir *up = dev->parent ? sys_subdir(dev->parent, "net")
					 : sys_path("devices/virtual/net");

	l->sys = sys_mkdir(up, dev->name, dev);
	if (!l->sys)
		return;
	if (l->kind && l->kind->attrs)
		(void)sys_add(l->sys, l->kind->attrs, l->kind->nr_attrs);
	if (dev->parent)
		(void)sys_link(l->sys, "device", dev->parent);
	if (!fill(l->sys, dev))
		uevent_send(l->sys, action, "net", UEVENT, dev);
}

void link_sysfs_add(struct net_device *dev)
{
	if (dev->net == &init_net_ns && !link_is_lo(dev))
		add(dev, "add");
}

void link_sysfs_remove(struct net_device *dev)
{
	struct link *l = link_of(dev);

	if (!l->sys)
		return;
	uevent_send(l->sys, "remove", "net", UEVENT, dev);
	sys_rmdir(l->sys);
	l->sys = NULL;
}

void link_sysfs_renamed(struct net_device *dev, const char *old __unused)
{
	struct link *l = link_of(dev);

	if (!l->sys)
		return;
	dev->registered = false; /* who waits for rtnl_mutex there gives up */
	sys_rmdir(l->sys);
	dev->registered = true;
	l->sys = NULL;
	add(dev, "move");
}

static int sysfs_init(void)
{
	lo_dir = sys_path("devices/virtual/net/lo");
	return fill(lo_dir, &loopback);
}
INITCALL(INIT_DRIVER, sysfs_init);
