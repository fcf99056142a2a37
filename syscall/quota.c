/* SPDX-License-Identifier: MIT */
/*
 * syscall/quota.c - quotactl(2): no file system here has quotas.
 *
 * So the answers are those of Linux for a file system without: its checks of the
 * arguments in their order, then ENOSYS.
 */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/vfs.h>
#include <lib/errno.h>

#define NR_QUOTA_TYPES 3u
#define QUOTA_TYPE(c)  ((c)&0xff)
#define QUOTA_CMD(c)   ((c) >> 8)
#define Q_SYNC	       0x800001u

SYSCALL4(60, quotactl, u32, cmd, uaddr_t, special, u32, id __unused, uaddr_t,
	 addr __unused)
{
	struct upath dev;
	int err;

	if (QUOTA_TYPE(cmd) >= NR_QUOTA_TYPES)
		return -EINVAL;
	if (!special)
		return QUOTA_CMD(cmd) == Q_SYNC ? 0 : -ENODEV;
	err = upath_get(&dev, special);
	if (err)
		return err;
	err = sb_is_mounted(dev.s);
	upath_put(&dev);
	return err ? err : -ENOSYS;
}

SYSCALL4(443, quotactl_fd, int, fd, u32, cmd, u32, id __unused, uaddr_t,
	 addr __unused)
{
	struct fdref r = fd_ref(fd);

	if (!r.f)
		return -EBADF;
	fd_unref(r);
	return QUOTA_TYPE(cmd) >= NR_QUOTA_TYPES ? -EINVAL : -ENOSYS;
}
