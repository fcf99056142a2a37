/* SPDX-License-Identifier: MIT */
/* syscall/mount.c - mount, umount2, pivot_root. */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/landlock.h>
#include <fs/vfs.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>

struct mount_args {
	struct upath dev, dir, type;
	char *data;
};

/* NULL stays NULL; @u->s is the string else. */
static int optional(struct upath *u, uaddr_t from)
{
	int err;

	u->s = NULL;
	err = from ? upath_get(u, from) : 0;
	return err == -ENAMETOOLONG ? -EINVAL : err; /* it is no path */
}

static void optional_put(struct upath *u)
{
	if (u->s)
		upath_put(u);
}

/* Options: up to a page, which may end where user memory does. */
static int get_data(struct mount_args *a, uaddr_t from)
{
	size_t n;

	a->data = NULL;
	if (!from)
		return 0;
	a->data = get_free_page(GFP_ZERO);
	if (!a->data)
		return -ENOMEM;
	n = copy_from_user_partial(a->data, from, PAGE_SIZE - 1);
	if (n)
		return 0;
	free_page_addr(a->data);
	a->data = NULL;
	return -EFAULT;
}

static int get_args(struct mount_args *a, uaddr_t dev, uaddr_t dir,
		    uaddr_t type, uaddr_t data)
{
	int err = optional(&a->type, type);

	if (err)
		return err;
	err = optional(&a->dev, dev);
	if (err)
		goto put_type;
	err = upath_get(&a->dir, dir);
	if (err)
		goto put_dev;
	err = get_data(a, data);
	if (!err)
		return 0;
	upath_put(&a->dir);
put_dev:
	optional_put(&a->dev);
put_type:
	optional_put(&a->type);
	return err;
}

static void put_args(struct mount_args *a)
{
	optional_put(&a->type);
	optional_put(&a->dev);
	upath_put(&a->dir);
	if (a->data)
		free_page_addr(a->data);
}

SYSCALL5(40, mount, uaddr_t, dev, uaddr_t, dir, uaddr_t, type, u64, flags,
	 uaddr_t, data)
{
	struct mount_args a;
	int err = get_args(&a, dev, dir, type, data);

	if (err)
		return err;
	err = landlock_mounts();
	if (!err)
		err = vfs_mount(a.dev.s, a.dir.s, a.type.s, flags, a.data);
	put_args(&a);
	return err;
}

SYSCALL2(39, umount2, uaddr_t, dir, u32, flags)
{
	struct upath p;
	int err = upath_get(&p, dir);

	if (err)
		return err;
	err = landlock_mounts();
	if (!err)
		err = vfs_umount(p.s, flags);
	upath_put(&p);
	return err;
}

SYSCALL2(41, pivot_root, uaddr_t, new_root, uaddr_t, put_old)
{
	struct upath a, b;
	int err;

	if (!vfs_may_mount() || landlock_mounts())
		return -EPERM;
	err = upath_get(&a, new_root);
	if (err)
		return err;
	err = upath_get(&b, put_old);
	if (!err) {
		err = vfs_pivot_root(a.s, b.s);
		upath_put(&b);
	}
	upath_put(&a);
	return err;
}
