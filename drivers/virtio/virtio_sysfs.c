/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_sysfs.c - virtio devices in /sys/bus/virtio.
 *
 * Context: threads.
 */
#include <drivers/virtio/virtio.h>

#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <lib/atomic.h>
#include <lib/fmt.h>

#define VIRTIO_VENDOR 0x1af4u
#define NR_FEATURES   64u

static u32 next_index; /* [a] */

static s64 show_device(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "0x%04x\n",
			 ((struct virtio_dev *)obj)->type);
}

static s64 show_vendor(void *obj __unused, const struct sys_attr *a __unused,
		       char *buf, size_t size)
{
	return scnprintf(buf, size, "0x%04x\n", VIRTIO_VENDOR);
}

static s64 show_status(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "0x%08x\n", virtio_status(obj));
}

/* A digit each, feature 0 first. */
static s64 show_features(void *obj, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	const struct virtio_dev *vd = obj;
	u32 i;

	for (i = 0; i < NR_FEATURES && i + 2 < size; i++)
		buf[i] = vd->features & BIT(i) ? '1' : '0';
	buf[i++] = '\n';
	buf[i] = '\0';
	return i;
}

static s64 show_modalias(void *obj, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	return scnprintf(buf, size, "virtio:d%08Xv%08X\n",
			 ((struct virtio_dev *)obj)->type, VIRTIO_VENDOR);
}

static s64 show_uevent(void *obj, const struct sys_attr *a, char *buf,
		       size_t size)
{
	const struct virtio_dev *vd = obj;
	int n = 0;

	if (vd->driver)
		n = scnprintf(buf, size, "DRIVER=%s\n", vd->driver);
	n += scnprintf(buf + n, size - (size_t)n, "MODALIAS=");
	return n + show_modalias(obj, a, buf + n, size - (size_t)n);
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	return uevent_store(((struct virtio_dev *)obj)->sys, "virtio", a, obj,
			    buf, n);
}

static const struct sys_attr attrs[] = {
	{ .name = "device", .mode = 0444, .show = show_device },
	{ .name = "vendor", .mode = 0444, .show = show_vendor },
	{ .name = "status", .mode = 0444, .show = show_status },
	{ .name = "features", .mode = 0444, .show = show_features },
	{ .name = "modalias", .mode = 0444, .show = show_modalias },
	{ .name = "uevent",
	  .mode = 0644,
	  .show = show_uevent,
	  .store = store_uevent },
};

void virtio_sys_add(struct virtio_dev *vd, struct sys_dir *parent)
{
	char name[24];

	scnprintf(name, sizeof(name), "virtio%u",
		  atomic_fetch_add(&next_index, 1u));
	vd->sys = sys_mkdir(parent, name, vd);
	(void)sys_add(vd->sys, attrs, ARRAY_SIZE(attrs));
	(void)sys_join("bus/virtio", vd->sys);
}

void virtio_sys_bind(struct virtio_dev *vd, const char *driver)
{
	vd->driver = driver;
	(void)sys_bind("bus/virtio", driver, vd->sys);
}

void virtio_sys_del(struct virtio_dev *vd)
{
	sys_rmdir(vd->sys);
	vd->sys = NULL;
}
