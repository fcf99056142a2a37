/* SPDX-License-Identifier: MIT */
/*
 * syscall/quota.c - quotactl(2): file systems on a disk could have quotas, and none
 * has any; others know of none.
 *
 * So the answers are those of Linux for an ext4 that was mounted without: its checks
 * in their order, and then that nothing is on.
 */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/vfs.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <lib/errno.h>

#define NR_QUOTA_TYPES 3u
#define QUOTA_TYPE(c)  ((c)&0xff)
#define QUOTA_CMD(c)   ((c) >> 8)

/* linux/quota.h, linux/dqblk_xfs.h */
enum {
	Q_SYNC = 0x800001,
	Q_QUOTAON,
	Q_QUOTAOFF,
	Q_GETFMT,
	Q_GETINFO,
	Q_SETINFO,
	Q_GETQUOTA,
	Q_SETQUOTA,
	Q_GETNEXTQUOTA,
	Q_XQUOTAON = 'X' << 8 | 1,
	Q_XQUOTAOFF,
	Q_XGETQUOTA,
	Q_XSETQLIM,
	Q_XGETQSTAT,
	Q_XQUOTARM,
	Q_XQUOTASYNC,
	Q_XGETQSTATV,
	Q_XGETNEXTQUOTA,
};
/* What a program gives with them. */
#define SIZEOF_DQINFO	24u
#define SIZEOF_DQBLK	72u
#define SIZEOF_FS_DQBLK 112u
#define QSTATV_VERSION1 1

static bool may(u32 cmd, u32 id)
{
	u32 mine = QUOTA_TYPE(cmd) ? current->cred->egid : current->cred->euid;

	switch (QUOTA_CMD(cmd)) {
	case Q_SYNC:
	case Q_GETFMT:
	case Q_GETINFO:
	case Q_XGETQSTAT:
	case Q_XGETQSTATV:
	case Q_XQUOTASYNC:
		return true;
	case Q_GETQUOTA:
	case Q_XGETQUOTA:
		if (QUOTA_TYPE(cmd) < 2 &&
		    (QUOTA_TYPE(cmd) ? gid_given(id) : uid_given(id)) == mine)
			return true;
		break;
	default:
		break;
	}
	return capable(CAP_SYS_ADMIN);
}

/* @err, if the @n bytes that the program gives are there. */
static int given(uaddr_t addr, size_t n, int err)
{
	u8 buf[SIZEOF_FS_DQBLK];

	return copy_from_user(buf, addr, n) ? -EFAULT : err;
}

/* Of a file system that could have quotas. */
static int nothing_is_on(u32 cmd, u32 id, uaddr_t addr)
{
	s8 version;

	if (!may(cmd, id))
		return -EPERM;
	switch (QUOTA_CMD(cmd)) {
	case Q_SYNC:
	case Q_QUOTAOFF:
	case Q_XQUOTASYNC:
		return 0; /* there is nothing to be done */
	case Q_GETFMT:
	case Q_GETINFO:
	case Q_GETQUOTA:
	case Q_GETNEXTQUOTA:
	case Q_XGETQUOTA:
	case Q_XGETNEXTQUOTA:
		return -ESRCH;
	case Q_SETINFO:
		return given(addr, SIZEOF_DQINFO, -ESRCH);
	case Q_SETQUOTA:
		return given(addr, SIZEOF_DQBLK, -ESRCH);
	case Q_XSETQLIM:
		return given(addr, SIZEOF_FS_DQBLK, -ESRCH);
	case Q_XQUOTAON:
	case Q_XQUOTAOFF:
	case Q_XQUOTARM:
		return given(addr, sizeof(u32), -ENOSYS);
	case Q_XGETQSTAT:
		return -ENOSYS;
	case Q_XGETQSTATV:
		if (copy_from_user(&version, addr, sizeof(version)))
			return -EFAULT;
		return version == QSTATV_VERSION1 ? -ENOSYS : -EINVAL;
	default:
		return -EINVAL; /* Q_QUOTAON: was not asked for at mount */
	}
}

/* Q_QUOTAON names a file. */
static int check_quota_file(uaddr_t addr)
{
	struct upath name;
	struct path p;
	int err = upath_get(&name, addr);

	if (err)
		return err;
	err = path_lookup(AT_FDCWD, name.s, LOOKUP_FOLLOW, &p);
	upath_put(&name);
	if (!err)
		path_put(&p);
	return err;
}

SYSCALL4(60, quotactl, u32, cmd, uaddr_t, special, u32, id, uaddr_t, addr)
{
	struct upath dev;
	int err, file = 0;

	if (QUOTA_TYPE(cmd) >= NR_QUOTA_TYPES)
		return -EINVAL;
	if (!special)
		return QUOTA_CMD(cmd) == Q_SYNC ? 0 : -ENODEV;
	if (QUOTA_CMD(cmd) == Q_QUOTAON)
		file = check_quota_file(addr);
	err = upath_get(&dev, special);
	if (err)
		return err;
	err = sb_is_mounted(dev.s);
	upath_put(&dev);
	if (err)
		return err;
	err = nothing_is_on(cmd, id, addr);
	return err != -EPERM && file ? file : err;
}

SYSCALL4(443, quotactl_fd, int, fd, u32, cmd, u32, id, uaddr_t, addr)
{
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	if (QUOTA_TYPE(cmd) >= NR_QUOTA_TYPES)
		err = -EINVAL;
	else if (!r.f->mnt || !r.f->mnt->sb->type->needs_dev)
		err = -ENOSYS;
	else
		err = nothing_is_on(cmd, id, addr);
	fd_unref(r);
	return err;
}
