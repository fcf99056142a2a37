/* SPDX-License-Identifier: MIT */
/*
 * syscall/fsmount.c - fsopen, fsconfig, fsmount, fspick, move_mount, open_tree,
 * mount_setattr.
 */
#include <syscall/mountattr.h>
#include <syscall/syscall.h>
#include <syscall/upath.h>
#include <syscall/ustruct.h>

#include <fs/fsctx.h>
#include <fs/landlock.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define FSOPEN_CLOEXEC	1u
#define FSMOUNT_CLOEXEC 1u

#define FSPICK_CLOEXEC		1u
#define FSPICK_SYMLINK_NOFOLLOW 2u
#define FSPICK_NO_AUTOMOUNT	4u
#define FSPICK_EMPTY_PATH	8u

#define OPEN_TREE_CLONE	  1u
#define OPEN_TREE_CLOEXEC ((u32)O_CLOEXEC)
#define AT_RECURSIVE	  0x8000u

#define MOVE_F_SYMLINKS	  0x001u
#define MOVE_F_AUTOMOUNTS 0x002u
#define MOVE_F_EMPTY_PATH 0x004u
#define MOVE_T_SYMLINKS	  0x010u
#define MOVE_T_AUTOMOUNTS 0x020u
#define MOVE_T_EMPTY_PATH 0x040u
#define MOVE_SET_GROUP	  0x100u
#define MOVE_BENEATH	  0x200u
#define MOVE_KNOWN	  0x377u

#define PARAM_MAX 256u

/* fsconfig(2) */
enum {
	SET_FLAG,
	SET_STRING,
	SET_BINARY,
	SET_PATH,
	SET_PATH_EMPTY,
	SET_FD,
	CMD_CREATE,
	CMD_RECONFIGURE,
	CMD_CREATE_EXCL,
};

static s64 install(struct file *f, bool cloexec)
{
	return IS_ERR(f) ? PTR_ERR(f) : fd_open(f, cloexec ? O_CLOEXEC : 0);
}

SYSCALL2(430, fsopen, uaddr_t, utype, u32, flags)
{
	char type[32];
	s64 n;

	if (!vfs_may_mount())
		return -EPERM;
	if (flags & ~FSOPEN_CLOEXEC)
		return -EINVAL;
	n = strncpy_from_user(type, utype, sizeof(type));
	if (n < 0)
		return n == -ENAMETOOLONG ? -ENODEV : n;
	return install(fsctx_open(type), flags & FSOPEN_CLOEXEC);
}

/* Which of the three arguments each command must have. */
static int config_check(u32 cmd, bool key, bool value, int aux)
{
	bool ok;

	switch (cmd) {
	case SET_FLAG:
		ok = key && !value && !aux;
		break;
	case SET_STRING:
		ok = key && value && !aux;
		break;
	case SET_BINARY:
		ok = key && value && aux > 0 && aux <= 1 << 20;
		break;
	case SET_PATH:
	case SET_PATH_EMPTY:
		ok = key && value && (aux == AT_FDCWD || aux >= 0);
		break;
	case SET_FD:
		ok = key && !value && aux >= 0;
		break;
	case CMD_CREATE:
	case CMD_CREATE_EXCL:
	case CMD_RECONFIGURE:
		ok = !key && !value && !aux;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return ok ? 0 : -EINVAL;
}

/* What no file system here takes must be there all the same. */
static s64 check_other(u32 cmd, uaddr_t uvalue, int aux)
{
	struct upath path;
	struct fdref r;
	s64 n = 0;
	u8 byte;

	if (cmd == SET_FD) {
		r = fd_ref_path(aux);
		if (!r.f)
			return -EBADF;
		fd_unref(r);
	} else if (cmd == SET_BINARY) {
		n = get_user_u8(&byte, uvalue);
	} else {
		n = upath_get(&path, uvalue);
		if (n)
			return n;
		if (!*path.s && cmd == SET_PATH)
			n = -ENOENT;
		upath_put(&path);
	}
	return n;
}

static s64 config_param(struct file *f, u32 cmd, uaddr_t ukey, uaddr_t uvalue,
			int aux)
{
	char *buf = kmalloc(2 * (size_t)PARAM_MAX), *value;
	s64 r;

	if (!buf)
		return -ENOMEM;
	value = buf + PARAM_MAX;
	r = strncpy_from_user(buf, ukey, PARAM_MAX);
	if (r >= 0 && cmd == SET_STRING)
		r = strncpy_from_user(value, uvalue, PARAM_MAX);
	else if (r >= 0 && cmd != SET_FLAG)
		r = check_other(cmd, uvalue, aux);
	if (r == -ENAMETOOLONG)
		r = -EINVAL;
	if (r >= 0 && cmd == SET_FD && !strcmp(buf, "fd")) { /* of fuse */
		scnprintf(value, PARAM_MAX, "%d", aux);
		cmd = SET_STRING;
	}
	if (r >= 0)
		r = cmd == SET_FLAG	? fsctx_set(f, buf, NULL)
		    : cmd == SET_STRING ? fsctx_set(f, buf, value)
					: fsctx_refuse(f, buf);
	kfree(buf);
	return r;
}

SYSCALL5(431, fsconfig, int, fd, u32, cmd, uaddr_t, key, uaddr_t, value, int,
	 aux)
{
	struct fdref r;
	s64 n = fd < 0 ? -EINVAL : config_check(cmd, key, value, aux);

	if (n)
		return n;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	if (!fsctx_is(r.f))
		n = -EINVAL;
	else if (cmd < CMD_CREATE)
		n = config_param(r.f, cmd, key, value, aux);
	else if (!vfs_may_mount())
		n = -EPERM;
	else if (cmd == CMD_RECONFIGURE)
		n = fsctx_reconfigure(r.f);
	else
		n = fsctx_create(r.f, cmd == CMD_CREATE_EXCL);
	fd_unref(r);
	return n;
}

/* --- MOUNT_ATTR_* */

static const struct {
	u64 attr, ms;
} attrs[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY },
	{ MOUNT_ATTR_NOSUID, MS_NOSUID },
	{ MOUNT_ATTR_NODEV, MS_NODEV },
	{ MOUNT_ATTR_NOEXEC, MS_NOEXEC },
	{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },
	{ MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
};

/* But for how access times go. */
static u64 attr_to_ms(u64 attr)
{
	u64 ms = 0;

	for (u32 i = 0; i < ARRAY_SIZE(attrs); i++)
		if (attr & attrs[i].attr)
			ms |= attrs[i].ms;
	return ms;
}

u64 ms_to_mount_attr(u64 ms)
{
	u64 attr = 0;

	for (u32 i = 0; i < ARRAY_SIZE(attrs); i++)
		if (ms & attrs[i].ms)
			attr |= attrs[i].attr;
	if (ms & MS_NOATIME)
		attr |= MOUNT_ATTR_NOATIME;
	else if (ms & MS_STRICTATIME)
		attr |= MOUNT_ATTR_STRICTATIME;
	return attr;
}

/* MS_*; 0: no such way of access times. */
static u64 atime_to_ms(u64 attr)
{
	switch (attr & MOUNT_ATTR__ATIME) {
	case 0:
		return MS_RELATIME;
	case MOUNT_ATTR_NOATIME:
		return MS_NOATIME;
	case MOUNT_ATTR_STRICTATIME:
		return MS_STRICTATIME;
	default:
		return 0;
	}
}

SYSCALL3(432, fsmount, int, fd, u32, flags, u32, attr)
{
	struct fdref r;
	s64 n;

	if (!vfs_may_mount())
		return -EPERM;
	if ((flags & ~FSMOUNT_CLOEXEC) ||
	    (attr & ~(MOUNT_ATTR_KNOWN & ~MOUNT_ATTR_IDMAP)) ||
	    !atime_to_ms(attr))
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	n = fsctx_is(r.f) ? install(fsctx_mount(r.f, attr_to_ms(attr) |
							     atime_to_ms(attr)),
				    flags & FSMOUNT_CLOEXEC)
			  : -EINVAL;
	fd_unref(r);
	return n;
}

struct mount_attr {
	u64 set, clear, kind, userns;
};

static int attr_check(const struct mount_attr *a, struct mount_change *c)
{
	struct fdref r;

	if ((a->kind &
	     ~(u64)(MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)) ||
	    (a->kind & (a->kind - 1)))
		return -EINVAL;
	if ((a->set | a->clear) & ~MOUNT_ATTR_KNOWN)
		return -EINVAL;
	c->kind = a->kind;
	c->set = attr_to_ms(a->set);
	c->clear = attr_to_ms(a->clear);
	if (a->clear & MOUNT_ATTR__ATIME) {
		if ((a->clear & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME ||
		    !atime_to_ms(a->set))
			return -EINVAL;
		c->set |= atime_to_ms(a->set);
		c->clear |= MS_RELATIME | MS_NOATIME | MS_STRICTATIME;
	} else if (a->set & MOUNT_ATTR__ATIME) {
		return -EINVAL;
	}
	if (!((a->set | a->clear) & MOUNT_ATTR_IDMAP))
		return 0;
	if ((a->clear & MOUNT_ATTR_IDMAP) || a->userns > 0x7fffffff)
		return -EINVAL;
	r = fd_ref((int)a->userns);
	if (!r.f)
		return -EBADF;
	fd_unref(r);
	return -EINVAL; /* it is no user namespace: there are none */
}

SYSCALL5(442, mount_setattr, int, dirfd, uaddr_t, upath, u32, flags, uaddr_t,
	 uattr, u64, size)
{
	struct mount_change c = { .rec = flags & AT_RECURSIVE };
	struct mount_attr a;
	struct path p;
	s64 n;

	if (flags & ~(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
		      AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < sizeof(a))
		return -EINVAL;
	if (!vfs_may_mount())
		return -EPERM;
	n = ustruct_get(&a, sizeof(a), uattr, size);
	if (n || !(a.set | a.clear | a.kind))
		return n;
	n = attr_check(&a, &c);
	if (!n)
		n = upath_lookup(dirfd, upath, (int)flags, &p);
	if (n)
		return n;
	n = vfs_mount_setattr(&p, &c);
	path_put(&p);
	return n;
}

/* --- trees */

SYSCALL3(433, fspick, int, dirfd, uaddr_t, upath, u32, flags)
{
	int at = (flags & FSPICK_SYMLINK_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) |
		 (flags & FSPICK_EMPTY_PATH ? AT_EMPTY_PATH : 0);
	struct path p;
	s64 n;

	if (!vfs_may_mount())
		return -EPERM;
	if (flags & ~(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW |
		      FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	n = upath_lookup(dirfd, upath, at, &p);
	if (n)
		return n;
	n = install(fsctx_pick(&p), flags & FSPICK_CLOEXEC);
	path_put(&p);
	return n;
}

SYSCALL3(428, open_tree, int, dirfd, uaddr_t, upath, u32, flags)
{
	struct path p;
	s64 n;

	if (flags & ~(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
		      AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if ((flags & (AT_RECURSIVE | OPEN_TREE_CLONE)) == AT_RECURSIVE)
		return -EINVAL;
	if ((flags & OPEN_TREE_CLONE) && !vfs_may_mount())
		return -EPERM;
	n = upath_lookup(dirfd, upath, (int)flags, &p);
	if (n)
		return n;
	n = install(flags & OPEN_TREE_CLONE
			    ? vfs_open_tree(&p, flags & AT_RECURSIVE)
			    : vfs_open_path(&p, O_PATH, current->cred),
		    flags & OPEN_TREE_CLOEXEC);
	path_put(&p);
	return n;
}

/* MOVE_F_* as AT_*. */
static int move_at(u32 flags)
{
	return (flags & MOVE_F_SYMLINKS ? 0 : AT_SYMLINK_NOFOLLOW) |
	       (flags & MOVE_F_EMPTY_PATH ? AT_EMPTY_PATH : 0);
}

SYSCALL5(429, move_mount, int, fromfd, uaddr_t, ufrom, int, tofd, uaddr_t, uto,
	 u32, flags)
{
	struct path from, to;
	s64 n;

	if (!vfs_may_mount())
		return -EPERM;
	if ((flags & ~MOVE_KNOWN) ||
	    (flags & (MOVE_BENEATH | MOVE_SET_GROUP)) ==
		    (MOVE_BENEATH | MOVE_SET_GROUP))
		return -EINVAL;
	n = landlock_mounts();
	if (!n)
		n = upath_lookup(fromfd, ufrom, move_at(flags), &from);
	if (n)
		return n;
	n = upath_lookup(tofd, uto, move_at(flags >> 4), &to);
	if (!n) {
		n = flags & MOVE_SET_GROUP
			    ? vfs_mount_set_group(&from, &to)
			    : vfs_move_mount(&from, &to, flags & MOVE_BENEATH);
		path_put(&to);
	}
	path_put(&from);
	return n;
}
