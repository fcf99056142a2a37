/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/sysfs.c - /sys/bus/event_source/devices: what perf(1) looks for, as
 * links to devices, and what these have.
 *
 * `cpu`, `software` and `tracepoint` as on Linux; `relay` is ours: generic events of
 * one side of the relay only (docs/counters.md).
 */
#include <kernel/dev/sysfs.h>

#include <kernel/dev/uevent.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/pmu/abi.h>
#include <lib/errno.h>
#include <lib/fmt.h>

static s64 show_type(void *obj __unused, const struct sys_attr *a, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%lu\n", a->arg);
}

static s64 show_harts(void *obj __unused, const struct sys_attr *a __unused,
		      char *buf, size_t size)
{
	return scnprintf(buf, size, nr_harts > 1 ? "0-%u\n" : "0\n",
			 nr_harts - 1);
}

/* The attribute's text is its argument. */
static s64 show_text(void *obj __unused, const struct sys_attr *a, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%s\n", (const char *)a->arg);
}

#define TYPE(n)                                                           \
	{                                                                 \
		.name = "type", .mode = 0444, .show = show_type, .arg = n \
	}
#define TEXT(nm, text)                                                        \
	{                                                                     \
		.name = nm, .mode = 0444, .show = show_text, .arg = (u64)text \
	}

/* How long a turn is when there are too few counters: hw.c. */
#define MUX_INTERVAL TEXT("perf_event_mux_interval_ms", "4")

static const struct sys_attr cpu_attrs[] = {
	TYPE(PERF_TYPE_RAW),
	{ .name = "cpus", .mode = 0444, .show = show_harts },
	MUX_INTERVAL,
};
static const struct sys_attr cpu_format[] = {
	TEXT("event", "config:0-47"),
	TEXT("firmware", "config:62-63"),
};
static const struct sys_attr software_attrs[] = { TYPE(PERF_TYPE_SOFTWARE),
						  MUX_INTERVAL };
static const struct sys_attr tracepoint_attrs[] = { TYPE(
	PERF_TYPE_TRACEPOINT) };
static const struct sys_attr relay_attrs[] = { TYPE(PERF_TYPE_RELAY) };
static const struct sys_attr relay_format[] = {
	TEXT("event", "config:0-7"),
	TEXT("side", "config:8-15"),
};
static const struct sys_attr relay_events[] = {
	TEXT("own-cycles", "event=0x00,side=1"),
	TEXT("own-instructions", "event=0x01,side=1"),
	TEXT("own-time", "event=0xff,side=1"),
	TEXT("own-time.scale", "1e-6"),
	TEXT("own-time.unit", "msec"),
	TEXT("service-cycles", "event=0x00,side=2"),
	TEXT("service-instructions", "event=0x01,side=2"),
	TEXT("service-time", "event=0xff,side=2"),
	TEXT("service-time.scale", "1e-6"),
	TEXT("service-time.unit", "msec"),
};

static int sub(struct sys_dir *d, const char *name, const struct sys_attr *a,
	       u32 n)
{
	return sys_add(sys_subdir(d, name), a, n);
}

static s64 show_uevent(void *obj __unused, const struct sys_attr *a __unused,
		       char *buf __unused, size_t size __unused)
{
	return 0;
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	return uevent_store(obj, "event_source", a, obj, buf, n);
}

static const struct sys_attr uevent_attr = { .name = "uevent",
					     .mode = 0644,
					     .show = show_uevent,
					     .store = store_uevent };

/* /sys/devices/@name, of the bus, with @nr attributes; NULL: no memory. */
static struct sys_dir *source(const char *name, const struct sys_attr *attrs,
			      u32 nr)
{
	struct sys_dir *d = sys_subdir(sys_path("devices"), name);
	int err = sys_add(d, attrs, nr);

	if (!err)
		err = sys_add_for(d, &uevent_attr, d);
	if (!err)
		err = sys_join("bus/event_source", d);
	return err ? NULL : d;
}

static int pmu_sysfs_init(void)
{
	struct sys_dir *cpu = source("cpu", cpu_attrs, ARRAY_SIZE(cpu_attrs));
	struct sys_dir *relay =
		source("relay", relay_attrs, ARRAY_SIZE(relay_attrs));
	int err = sub(cpu, "format", cpu_format, ARRAY_SIZE(cpu_format));

	if (!source("software", software_attrs, ARRAY_SIZE(software_attrs)) ||
	    !source("tracepoint", tracepoint_attrs,
		    ARRAY_SIZE(tracepoint_attrs)))
		err = -ENOMEM;
	if (!err)
		err = sub(relay, "format", relay_format,
			  ARRAY_SIZE(relay_format));
	return err ? err
		   : sub(relay, "events", relay_events,
			 ARRAY_SIZE(relay_events));
}
INITCALL(INIT_VFS, pmu_sysfs_init);
