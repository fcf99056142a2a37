/* SPDX-License-Identifier: MIT */
/* syscall/stat.c - stat, statx, statfs, access: what is known about a file. */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/vfs.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <lib/string.h>

#define STATX_BASIC_STATS     0x7ffu
#define STATX_BTIME	      0x800u
#define STATX_MNT_ID	      0x1000u
#define STATX_MNT_ID_UNIQUE   0x4000u
#define STATX_DIOALIGN	      0x2000u
#define STATX_RESERVED	      0x80000000u
#define STATX_ATTR_AUTOMOUNT  0x1000u
#define STATX_ATTR_MOUNT_ROOT 0x2000u
#define STATX_ATTR_DAX	      0x200000u

/* struct stat of asm-generic. */
struct user_stat {
	u64 dev, ino;
	u32 mode, nlink, uid, gid;
	u64 rdev, pad1;
	s64 size;
	s32 blksize, pad2;
	s64 blocks;
	struct timespec64 atime, mtime, ctime;
	u32 unused[2];
};
STATIC_ASSERT(sizeof(struct user_stat) == 128, "as in the ABI");

struct user_statx_time {
	s64 sec;
	u32 nsec;
	s32 pad;
};
struct user_statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, pad1;
	u64 ino, size, blocks, attributes_mask;
	struct user_statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 mnt_id;
	u32 dio_mem_align, dio_offset_align;
	u64 spare[12];
};
STATIC_ASSERT(sizeof(struct user_statx) == 256, "as in the ABI");

struct user_statfs {
	u64 type, bsize, blocks, bfree, bavail, files, ffree;
	s32 fsid[2];
	u64 namelen, frsize, flags, spare[4];
};
STATIC_ASSERT(sizeof(struct user_statfs) == 120, "as in the ABI");

static void ids_shown(u32 *uid, u32 *gid)
{
	if (in_first_user_ns())
		return;
	*uid = id_shown_slow(ID_UID, *uid);
	*gid = id_shown_slow(ID_GID, *gid);
}

static int put_stat(uaddr_t to, const struct kstat *st)
{
	struct user_stat u = {
		.dev = st->dev,
		.ino = st->ino,
		.mode = st->mode,
		.nlink = st->nlink,
		.uid = st->uid,
		.gid = st->gid,
		.rdev = st->rdev,
		.size = (s64)st->size,
		.blksize = (s32)st->blksize,
		.blocks = (s64)st->blocks,
		.atime = st->atime,
		.mtime = st->mtime,
		.ctime = st->ctime,
	};

	ids_shown(&u.uid, &u.gid);
	return copy_to_user(to, &u, sizeof(u));
}

static int stat_fd(int fd, struct kstat *st)
{
	struct fdref r = fd_ref_path(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = vfs_fstat(r.f, st);
	fd_unref(r);
	return err;
}

static int stat_at(int dirfd, uaddr_t path, int flags, struct kstat *st)
{
	u32 lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct upath p;
	int err;

	if (flags & AT_EMPTY_PATH) {
		if (dirfd != AT_FDCWD && (!path || upath_empty(path)))
			return stat_fd(dirfd, st);
		lookup |= LOOKUP_EMPTY;
	}
	err = upath_get(&p, path);
	if (err)
		return err;
	err = path_stat(dirfd, p.s, lookup, st);
	upath_put(&p);
	return err;
}

SYSCALL4(79, newfstatat, int, dirfd, uaddr_t, path, uaddr_t, to, int, flags)
{
	struct kstat st;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
		      AT_STATX_SYNC_TYPE))
		return -EINVAL;
	err = stat_at(dirfd, path, flags, &st);
	return err ? err : put_stat(to, &st);
}

SYSCALL2(80, fstat, int, fd, uaddr_t, to)
{
	struct kstat st;
	int err = stat_fd(fd, &st);

	return err ? err : put_stat(to, &st);
}

static struct user_statx_time statx_time(const struct timespec64 *t)
{
	return (struct user_statx_time){ t->tv_sec, (u32)t->tv_nsec, 0 };
}

static int put_statx(uaddr_t to, const struct kstat *st, u32 wanted)
{
	kdev_t dev = dev_decode(st->dev), rdev = dev_decode(st->rdev);
	struct user_statx u = {
		.mask = STATX_BASIC_STATS | (wanted & STATX_BTIME) |
			(wanted & STATX_MNT_ID_UNIQUE ? STATX_MNT_ID_UNIQUE
						      : STATX_MNT_ID) |
			(st->dio_align ? wanted & STATX_DIOALIGN : 0),
		.blksize = (u32)st->blksize,
		.attributes = st->attributes |
			      (st->is_mount_root ? STATX_ATTR_MOUNT_ROOT : 0),
		/* nothing is mounted by itself, or mapped without a cache */
		.attributes_mask = st->attributes_known |
				   STATX_ATTR_MOUNT_ROOT |
				   STATX_ATTR_AUTOMOUNT | STATX_ATTR_DAX,
		.dio_mem_align = st->dio_align,
		.dio_offset_align = st->dio_align,
		.nlink = st->nlink,
		.uid = st->uid,
		.gid = st->gid,
		.mode = (u16)st->mode,
		.ino = st->ino,
		.size = st->size,
		.blocks = st->blocks,
		.atime = statx_time(&st->atime),
		.btime = statx_time(&st->btime),
		.ctime = statx_time(&st->ctime),
		.mtime = statx_time(&st->mtime),
		.rdev_major = MAJOR(rdev),
		.rdev_minor = MINOR(rdev),
		.dev_major = MAJOR(dev),
		.dev_minor = MINOR(dev),
		.mnt_id = wanted & STATX_MNT_ID_UNIQUE ? st->mnt_unique_id
						       : st->mnt_id,
	};

	ids_shown(&u.uid, &u.gid);
	return copy_to_user(to, &u, sizeof(u));
}

SYSCALL5(291, statx, int, dirfd, uaddr_t, path, int, flags, u32, mask, uaddr_t,
	 to)
{
	struct kstat st;
	int err;

	if (mask & STATX_RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
		      AT_STATX_SYNC_TYPE))
		return -EINVAL;
	err = stat_at(dirfd, path, flags, &st);
	return err ? err : put_statx(to, &st, mask);
}

/* --- statfs */

#define ST_VALID	    0x20
#define SOCKFS_MAGIC	    0x534f434b
#define ANON_INODE_FS_MAGIC 0x09041934

/* Flags of a mount as statfs() shows them: the low ones have MS_* numbers. */
static u64 statfs_flags(const struct mount *m, const struct super_block *sb)
{
	u64 in = sb->flags | (m ? m->flags : 0);
	u64 out = ST_VALID;

	out |= in & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
		     MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME);
	if (!(in & (MS_NOATIME | MS_STRICTATIME)))
		out |= 0x1000; /* ST_RELATIME */
	if (in & MS_NOSYMFOLLOW)
		out |= 0x2000; /* ST_NOSYMFOLLOW */
	return out;
}

static int copy_statfs(const struct kstatfs *st, u64 flags, uaddr_t to)
{
	struct user_statfs u = {
		.type = st->type,
		.bsize = st->bsize,
		.blocks = st->blocks,
		.bfree = st->bfree,
		.bavail = st->bavail,
		.files = st->files,
		.ffree = st->ffree,
		.fsid = { (s32)st->fsid, (s32)(st->fsid >> 32) },
		.namelen = st->namelen,
		.frsize = st->frsize ? st->frsize : st->bsize,
		.flags = flags,
	};

	return copy_to_user(to, &u, sizeof(u));
}

static int put_statfs(const struct mount *m, struct super_block *sb, uaddr_t to)
{
	struct kstatfs st = { .type = sb->magic,
			      .bsize = sb->block_size,
			      .frsize = sb->block_size,
			      .fsid = sb->dev,
			      .namelen = NAME_MAX };
	int err = sb->ops->statfs ? sb->ops->statfs(sb, &st) : 0;

	return err ? err : copy_statfs(&st, statfs_flags(m, sb), to);
}

/* What lies in no file system has one of its own on Linux. */
static int put_statfs_anon(u64 magic, uaddr_t to)
{
	struct kstatfs st = { .type = magic,
			      .bsize = PAGE_SIZE,
			      .namelen = NAME_MAX };

	return copy_statfs(&st, ST_VALID, to);
}

SYSCALL2(43, statfs, uaddr_t, path, uaddr_t, to)
{
	struct path p;
	int err = upath_lookup(AT_FDCWD, path, 0, &p);

	if (err)
		return err;
	err = put_statfs(p.mnt, p.dentry->sb, to);
	path_put(&p);
	return err;
}

SYSCALL2(44, fstatfs, int, fd, uaddr_t, to)
{
	struct fdref r = fd_ref_path(fd);
	int err;

	if (!r.f)
		return -EBADF;
	if (!r.f->inode)
		err = put_statfs_anon(ANON_INODE_FS_MAGIC, to);
	else if (!r.f->mnt && S_ISSOCK(r.f->inode->mode))
		err = put_statfs_anon(SOCKFS_MAGIC, to);
	else
		err = put_statfs(r.f->mnt, r.f->inode->sb, to);
	fd_unref(r);
	return err;
}

/* --- access: with the real ids */

#define SECBIT_NO_SETUID_FIXUP BIT(2)

/* What would be in force if the effective ids were the real ones. */
static u64 real_caps(const struct cred *c)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return c->cap_effective;
	return c->uid != root_uid(c) ? 0 : c->cap_permitted;
}

/* Credentials as if the effective ids were the real ones; NULL: they are. */
static struct cred *real_cred(int *err)
{
	const struct cred *c = current_cred();
	struct cred *copy;

	*err = 0;
	if (c->uid == c->fsuid && c->gid == c->fsgid &&
	    c->cap_effective == real_caps(c))
		return NULL;
	copy = cred_dup(c);
	if (!copy) {
		*err = -ENOMEM;
		return NULL;
	}
	copy->fsuid = c->uid;
	copy->fsgid = c->gid;
	copy->cap_effective = real_caps(c);
	return copy;
}

/* A file without a name; without an inode it is the one that all such share:
 * root's, 0600. */
static int access_nameless(const struct file *f, int mode)
{
	if (f->inode)
		return mode ? inode_permission(f->inode, (u32)mode | MAY_ACCESS)
			    : 0;
	if (mode & MAY_EXEC)
		return -EACCES;
	return !mode || current_cred()->fsuid == 0 || capable(CAP_DAC_OVERRIDE)
		       ? 0
		       : -EACCES;
}

static int access_path(int dirfd, uaddr_t path, int mode, int flags)
{
	struct fdref r;
	struct path p;
	int err;

	if (upath_nameless(dirfd, path, flags, &r)) {
		err = access_nameless(r.f, mode);
		fd_unref(r);
		return err;
	}
	err = upath_lookup(dirfd, path, flags, &p);
	if (err)
		return err;
	if (mode)
		err = path_permission(&p, (u32)mode | MAY_ACCESS);
	else if (p.dentry->inode->ops->revalidate)
		err = p.dentry->inode->ops->revalidate(p.dentry->inode);
	path_put(&p);
	return err;
}

static int access_at(int dirfd, uaddr_t path, int mode, int flags)
{
	struct cred *mine, *real = NULL;
	int err = 0;

	if (mode & ~7)
		return -EINVAL;
	if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!(flags & AT_EACCESS))
		real = real_cred(&err);
	if (err)
		return err;
	if (!real)
		return access_path(dirfd, path, mode, flags & ~AT_EACCESS);
	mine = cred_act(real);
	err = access_path(dirfd, path, mode, flags & ~AT_EACCESS);
	(void)cred_act(mine);
	cred_put(real);
	return err;
}

SYSCALL3(48, faccessat, int, dirfd, uaddr_t, path, int, mode)
{
	return access_at(dirfd, path, mode, 0);
}

SYSCALL4(439, faccessat2, int, dirfd, uaddr_t, path, int, mode, int, flags)
{
	return access_at(dirfd, path, mode, flags);
}
