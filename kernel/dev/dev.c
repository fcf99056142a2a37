/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/dev.c - the list of character devices.
 *
 * INVARIANTS
 *   I1  Names and numbers on the list are unique.
 *
 * Locking: dev_lock (RANK_VFS).  A struct chrdev found by chrdev_find() stays
 * valid as long as its driver keeps it registered: drivers of devices that can
 * go (ptys) answer an open() that comes too late with an error.
 */
#include <kernel/dev/dev.h>

#include <kernel/assert.h>
#include <kernel/spinlock.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct spinlock dev_lock = SPINLOCK_INIT("dev", RANK_VFS);
static struct list_head chrdevs = LIST_HEAD_INIT(chrdevs); /* [dev_lock] */

void (*chrdev_notify)(struct chrdev *cd, bool added);
struct chrdev *console_chrdev;

static struct chrdev *find_locked(kdev_t dev, const char *name)
{
	struct chrdev *cd;

	assert_held(&dev_lock);
	list_for_each_entry(cd, &chrdevs, node) {
		if (name ? !strcmp(cd->name, name) : cd->dev == dev)
			return cd;
	}
	return NULL;
}

int chrdev_register(struct chrdev *cd)
{
	int err = 0;

	KASSERT(cd->name && cd->fops);
	spin_lock(&dev_lock);
	if (find_locked(cd->dev, NULL) || find_locked(0, cd->name))
		err = -EEXIST;
	else
		list_add_tail(&cd->node, &chrdevs);
	spin_unlock(&dev_lock);
	if (err)
		return err;
	chrdev_sys_add(cd);
	if (chrdev_notify)
		chrdev_notify(cd, true);
	return 0;
}

void chrdev_unregister(struct chrdev *cd)
{
	spin_lock(&dev_lock);
	KASSERT(find_locked(cd->dev, NULL) == cd);
	list_del(&cd->node);
	spin_unlock(&dev_lock);
	if (chrdev_notify)
		chrdev_notify(cd, false);
	chrdev_sys_del(cd);
}

struct chrdev *chrdev_find(kdev_t dev)
{
	struct chrdev *cd;

	spin_lock(&dev_lock);
	cd = find_locked(dev, NULL);
	spin_unlock(&dev_lock);
	return cd;
}

struct chrdev *chrdev_by_name(const char *name)
{
	struct chrdev *cd;

	spin_lock(&dev_lock);
	cd = find_locked(0, name);
	spin_unlock(&dev_lock);
	return cd;
}

void chrdev_for_each(void (*fn)(struct chrdev *cd, void *ctx), void *ctx)
{
	struct chrdev *cd;

	spin_lock(&dev_lock);
	list_for_each_entry(cd, &chrdevs, node)
		fn(cd, ctx);
	spin_unlock(&dev_lock);
}
