/* SPDX-License-Identifier: MIT */
/*
 * fs/perm.c - who may do what with which file.
 *
 * Credentials are those of current (fsuid, fsgid, groups, capabilities); a
 * kernel thread without any may do everything.
 *
 * Context: coroutine; only a file system's own permission() sleeps.
 */
#include <fs/acl.h>
#include <fs/internal.h>
#include <kernel/cgroup/devprog.h>
#include <kernel/ns/user.h>
#include <lib/errno.h>

#define SIGXFSZ 25

const struct cred *fs_cred(void)
{
	return current && current->cred ? current->cred : &init_cred;
}

bool fs_capable(unsigned int cap)
{
	const struct cred *c = fs_cred();

	return (c->cap_effective & BIT(cap)) && c->user_ns == &init_user_ns;
}

bool fs_capable_over(const struct inode *i, unsigned int cap)
{
	const struct cred *c = fs_cred();

	return (c->cap_effective & BIT(cap)) &&
	       (likely(c->user_ns == &init_user_ns) ||
		ids_mapped(c->user_ns, i->uid, i->gid));
}

u64 fs_size_limit(void)
{
	return current->proc ? rlimit_cur(RLIMIT_FSIZE) : RLIM_INFINITY;
}

void fs_size_exceeded(void)
{
	if (current->proc)
		signal_thread(current, SIGXFSZ, SEND_KERNEL);
}

static int override(const struct inode *i, u32 mask)
{
	if (S_ISDIR(i->mode)) {
		if (fs_capable_over(i, CAP_DAC_OVERRIDE))
			return 0;
		if (!(mask & MAY_WRITE) &&
		    fs_capable_over(i, CAP_DAC_READ_SEARCH))
			return 0;
		return -EACCES;
	}
	if (mask == MAY_READ && fs_capable_over(i, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(mask & MAY_EXEC) || (i->mode & 0111)) &&
	    fs_capable_over(i, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int generic_permission(const struct inode *i, u32 mask)
{
	const struct cred *c = fs_cred();
	u32 mode = i->mode;

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (c->fsuid == i->uid)
		mode >>= 6;
	else if (cred_in_group(c, i->gid))
		mode >>= 3;
	if (likely(!(mask & ~mode)))
		return 0;
	return override(i, mask);
}

static bool is_data(u32 mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

/* What the programs of its groups let current do with a device. */
static int device_permission(const struct inode *i, u32 mask)
{
	u32 access = (mask & MAY_READ ? DEV_READ : 0) |
		     (mask & MAY_WRITE ? DEV_WRITE : 0);

	return access ? cgroup_dev_check(S_ISBLK(i->mode), i->rdev, access) : 0;
}

int inode_mode_permission(struct inode *i, u32 mask)
{
	if (unlikely(acl_may_matter(i)) && fs_cred()->fsuid != i->uid) {
		int err = acl_permission(i, mask & 7);

		if (err != -EAGAIN)
			return err == -EACCES ? override(i, mask & 7) : err;
	}
	return generic_permission(i, mask);
}

static int mode_permission(struct inode *i, u32 mask)
{
	if (mask & MAY_WRITE) {
		if ((i->sb->flags & MS_RDONLY) && is_data(i->mode))
			return -EROFS;
		if (i->iflags & FS_IMMUTABLE_FL)
			return -EPERM;
	}
	if (i->ops->permission)
		return i->ops->permission(i, mask);
	return inode_mode_permission(i, mask);
}

int inode_permission(struct inode *i, u32 mask)
{
	int err = mode_permission(i, mask);

	return likely(!S_ISCHR(i->mode) && !S_ISBLK(i->mode)) || err
		       ? err
		       : device_permission(i, mask);
}

bool path_readonly(const struct path *p)
{
	return (p->mnt->flags | p->dentry->sb->flags) & MS_RDONLY;
}

int path_permission(const struct path *p, u32 mask)
{
	struct inode *i = p->dentry->inode;
	int err = inode_permission(i, mask);

	if (err)
		return err;
	if ((mask & MAY_WRITE) && path_readonly(p) && is_data(i->mode))
		return -EROFS;
	if ((mask & MAY_EXEC) && S_ISREG(i->mode) &&
	    (p->mnt->flags & MS_NOEXEC))
		return -EACCES;
	return 0;
}

u32 setid_to_drop(const struct inode *i)
{
	u32 drop = i->mode & S_ISUID;

	if (likely(!(i->mode & (S_ISUID | S_ISGID))) || S_ISDIR(i->mode))
		return 0;
	/* without the right to execute it is a mark for mandatory locks */
	if ((i->mode & S_ISGID) &&
	    ((i->mode & 0010) || (!cred_in_group(fs_cred(), i->gid) &&
				  !fs_capable_over(i, CAP_FSETID))))
		drop |= S_ISGID;
	return drop;
}

bool fs_cred_capable(const struct user_ns *ns, unsigned int cap)
{
	return cred_capable(fs_cred(), ns, cap);
}

bool sb_knows(const struct super_block *sb, u32 uid, u32 gid)
{
	return likely(sb->user_ns == &init_user_ns) ||
	       ids_mapped(sb->user_ns, uid, gid);
}

bool inode_owner_or_capable(const struct inode *i)
{
	const struct cred *c = fs_cred();

	if (c->fsuid == i->uid)
		return true;
	return (c->cap_effective & BIT(CAP_FOWNER)) &&
	       id_from_global(c->user_ns, ID_UID, i->uid) != INVALID_ID;
}

int may_create(const struct path *dir)
{
	struct inode *i = dir->dentry->inode;

	if (i->sb->ops->fixed_names)
		return -ENOENT;
	if (!i->nlink)
		return -ENOENT; /* removed, and somebody's working directory */
	if (path_readonly(dir))
		return -EROFS;
	if (!sb_knows(i->sb, fs_cred()->fsuid, fs_cred()->fsgid))
		return -EOVERFLOW;
	return inode_permission(i, MAY_WRITE | MAY_EXEC);
}

static bool sticky_forbids(const struct inode *dir, const struct inode *i)
{
	u32 me = fs_cred()->fsuid;

	return (dir->mode & S_ISVTX) && i->uid != me && dir->uid != me &&
	       !fs_capable_over(i, CAP_FOWNER);
}

int may_delete(const struct path *dir, const struct dentry *victim, bool isdir)
{
	struct inode *d = dir->dentry->inode, *i = victim->inode;
	int err;

	if (path_readonly(dir))
		return -EROFS;
	err = inode_permission(d, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if ((d->iflags & FS_APPEND_FL) || sticky_forbids(d, i) ||
	    (i->iflags & (FS_APPEND_FL | FS_IMMUTABLE_FL)))
		return -EPERM;
	if (isdir && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (!isdir && S_ISDIR(i->mode))
		return -EISDIR;
	if (victim->nr_mounted || victim->parent == victim)
		return -EBUSY;
	return 0;
}

void inode_init_owner(struct inode *i, const struct inode *dir, u32 mode)
{
	const struct cred *c = fs_cred();

	i->uid = c->fsuid;
	i->gid = c->fsgid;
	if (dir && (dir->mode & S_ISGID)) {
		i->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	i->mode = mode;
}

u32 mode_strip_sgid(const struct inode *dir, u32 mode)
{
	if ((mode & (S_ISGID | 0010)) == (S_ISGID | 0010) && !S_ISDIR(mode) &&
	    (dir->mode & S_ISGID) && !cred_in_group(fs_cred(), dir->gid) &&
	    !fs_capable_over(dir, CAP_FSETID))
		mode &= ~(u32)S_ISGID;
	return mode;
}
