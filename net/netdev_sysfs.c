/* SPDX-License-Identifier: MIT */
/*
 * net/netdev_sysfs.c - /sys/class/net/lo: the loopback, as the reader's network namespace
 * has it.
 */
#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <kernel/init.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <net/inet.h>
#include <net/netdev.h>

static s64 show_number(void *obj __unused, const struct sys_attr *a, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "%lu\n", a->arg);
}

static s64 show_hex(void *obj __unused, const struct sys_attr *a, char *buf,
		    size_t size)
{
	return scnprintf(buf, size, "0x%lx\n", a->arg);
}

static s64 show_address(void *obj __unused, const struct sys_attr *a __unused,
			char *buf, size_t size)
{
	return scnprintf(buf, size, "00:00:00:00:00:00\n");
}

/* There is no link whose speed one could ask for, no port, no switch. */
static s64 no_such(void *obj __unused, const struct sys_attr *a,
		   char *buf __unused, size_t size __unused)
{
	return -(s64)a->arg;
}

static s64 show_nothing(void *obj __unused, const struct sys_attr *a __unused,
			char *buf __unused, size_t size __unused)
{
	return 0;
}

static s64 show_flags(void *obj __unused, const struct sys_attr *a __unused,
		      char *buf, size_t size)
{
	u32 f = netdev_flags(current_net_ns());

	return scnprintf(buf, size, "0x%x\n", f & ~IFF_RUNNING);
}

static s64 store_flags(void *obj __unused, const struct sys_attr *a __unused,
		       const char *buf, size_t n)
{
	struct net_ns *net = current_net_ns();
	u64 v;
	int err = sys_parse_u64(buf, 0, ~0u, &v);

	if (!err)
		err = netdev_set_up(net, v & IFF_UP);
	return err ? err : (s64)n;
}

static s64 show_operstate(void *obj __unused, const struct sys_attr *a __unused,
			  char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n",
			 load_once(&current_net_ns()->lo_up) ? "unknown"
							     : "down");
}

/* Of what is up only. */
static s64 show_of_up(void *obj __unused, const struct sys_attr *a, char *buf,
		      size_t size)
{
	if (!load_once(&current_net_ns()->lo_up))
		return -EINVAL;
	return scnprintf(buf, size, "%lu\n", a->arg);
}

static s64 show_uevent(void *obj __unused, const struct sys_attr *a __unused,
		       char *buf, size_t size)
{
	return scnprintf(buf, size, "INTERFACE=lo\nIFINDEX=%u\n",
			 LOOPBACK_INDEX);
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n);

#define NUMBER(n, v)                                                   \
	{                                                              \
		.name = n, .mode = 0444, .show = show_number, .arg = v \
	}
#define NONE(n, err)                                                 \
	{                                                            \
		.name = n, .mode = 0444, .show = no_such, .arg = err \
	}
#define TEXT(n, fn)                                 \
	{                                           \
		.name = n, .mode = 0444, .show = fn \
	}

static const struct sys_attr attrs[] = {
	NUMBER("addr_assign_type", 0),
	NUMBER("addr_len", 6),
	TEXT("address", show_address),
	TEXT("broadcast", show_address),
	{ .name = "carrier", .mode = 0444, .show = show_of_up, .arg = 1 },
	NUMBER("carrier_changes", 0),
	NUMBER("carrier_down_count", 0),
	NUMBER("carrier_up_count", 0),
	TEXT("dev_id", show_hex),
	NUMBER("dev_port", 0),
	TEXT("dormant", show_of_up),
	NONE("duplex", EINVAL),
	{ .name = "flags",
	  .mode = 0644,
	  .show = show_flags,
	  .store = store_flags },
	NUMBER("gro_flush_timeout", 0),
	TEXT("ifalias", show_nothing),
	NUMBER("ifindex", LOOPBACK_INDEX),
	NUMBER("iflink", LOOPBACK_INDEX),
	NUMBER("link_mode", 0),
	NUMBER("mtu", LOOPBACK_MTU),
	NUMBER("name_assign_type", 2),
	NUMBER("napi_defer_hard_irqs", 0),
	NUMBER("netdev_group", 0),
	TEXT("operstate", show_operstate),
	NONE("phys_port_id", EOPNOTSUPP),
	NONE("phys_port_name", EOPNOTSUPP),
	NONE("phys_switch_id", EOPNOTSUPP),
	NUMBER("proto_down", 0),
	NONE("speed", EINVAL),
	TEXT("testing", show_of_up),
	NUMBER("threaded", 0),
	NUMBER("tx_queue_len", 1000),
	NUMBER("type", ARPHRD_LOOPBACK),
	{ .name = "uevent",
	  .mode = 0644,
	  .show = show_uevent,
	  .store = store_uevent },
};

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	return uevent_store(obj, "net", a, obj, buf, n);
}

/* What was sent has been received. */
static s64 show_packets(void *obj __unused, const struct sys_attr *a __unused,
			char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", netdev_packets(current_net_ns()));
}

static s64 show_bytes(void *obj __unused, const struct sys_attr *a __unused,
		      char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", netdev_bytes(current_net_ns()));
}

static const struct sys_attr statistics[] = {
	NUMBER("collisions", 0),	  NUMBER("multicast", 0),
	TEXT("rx_bytes", show_bytes),	  NUMBER("rx_compressed", 0),
	NUMBER("rx_crc_errors", 0),	  NUMBER("rx_dropped", 0),
	NUMBER("rx_errors", 0),		  NUMBER("rx_fifo_errors", 0),
	NUMBER("rx_frame_errors", 0),	  NUMBER("rx_length_errors", 0),
	NUMBER("rx_missed_errors", 0),	  NUMBER("rx_nohandler", 0),
	NUMBER("rx_over_errors", 0),	  TEXT("rx_packets", show_packets),
	NUMBER("tx_aborted_errors", 0),	  TEXT("tx_bytes", show_bytes),
	NUMBER("tx_carrier_errors", 0),	  NUMBER("tx_compressed", 0),
	NUMBER("tx_dropped", 0),	  NUMBER("tx_errors", 0),
	NUMBER("tx_fifo_errors", 0),	  NUMBER("tx_heartbeat_errors", 0),
	TEXT("tx_packets", show_packets), NUMBER("tx_window_errors", 0),
};

static int netdev_sysfs_init(void)
{
	struct sys_dir *d = sys_path("devices/virtual/net/lo");
	int err = 0;

	for (u32 i = 0; !err && i < ARRAY_SIZE(attrs); i++)
		err = sys_add_for(d, &attrs[i], d);
	if (!err)
		err = sys_add(sys_mkdir(d, "statistics", NULL), statistics,
			      ARRAY_SIZE(statistics));
	return err ? err : sys_join("class/net", d);
}
INITCALL(INIT_DRIVER, netdev_sysfs_init);
