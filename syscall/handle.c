/* SPDX-License-Identifier: MIT */
/* syscall/handle.c - name_to_handle_at, open_by_handle_at. */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/vfs.h>
#include <kernel/mm/user.h>
#include <lib/string.h>

#define AT_HANDLE_MNT_ID_UNIQUE 0x001
#define AT_HANDLE_FID		0x200
#define MAX_HANDLE_SZ		128u

#define HEAD_SIZE offsetof(struct fhandle, data)

static int put_mount_id(uaddr_t to, const struct mount *m, bool unique)
{
	return unique ? put_user_u64(m->unique_id, to)
		      : put_user_u32((u32)m->id, to);
}

static int put_handle(const struct path *p, uaddr_t to, uaddr_t mnt_id,
		      int flags)
{
	struct inode *i = p->dentry->inode;
	struct fhandle h, room;
	int err;

	if (!i->sb->ops->fh_to_inode && !(flags & AT_HANDLE_FID))
		return -EOPNOTSUPP;
	if (copy_from_user(&room, to, HEAD_SIZE))
		return -EFAULT;
	if (room.bytes > MAX_HANDLE_SZ)
		return -EINVAL;
	if (i->sb->ops->fh_prepare)
		i->sb->ops->fh_prepare(i);
	inode_handle(i, &h);
	err = put_mount_id(mnt_id, p->mnt, flags & AT_HANDLE_MNT_ID_UNIQUE);
	if (err)
		return -EFAULT;
	if (h.bytes > room.bytes) {
		h.type = FILEID_INVALID;
		err = copy_to_user(to, &h, HEAD_SIZE);
		return err ? -EFAULT : -EOVERFLOW;
	}
	return copy_to_user(to, &h, HEAD_SIZE + h.bytes) ? -EFAULT : 0;
}

SYSCALL5(264, name_to_handle_at, int, dirfd, uaddr_t, path, uaddr_t, handle,
	 uaddr_t, mnt_id, int, flags)
{
	int at = (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) |
		 (flags & AT_EMPTY_PATH);
	struct fdref r;
	struct path p;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID |
		      AT_HANDLE_MNT_ID_UNIQUE))
		return -EINVAL;
	if (upath_nameless(dirfd, path, flags, &r)) {
		fd_unref(r);
		return -EOPNOTSUPP; /* nor is there a mount to say */
	}
	err = upath_lookup(dirfd, path, at, &p);
	if (err)
		return err;
	err = put_handle(&p, handle, mnt_id, flags);
	path_put(&p);
	return err;
}

/* The mount that @fd lies on, referenced. */
static int mount_of_fd(int fd, struct mount **out)
{
	struct path cwd;
	struct fdref r;

	if (fd == AT_FDCWD) {
		fs_ctx_get_cwd(&cwd);
		*out = mount_get(cwd.mnt);
		path_put(&cwd);
		return 0;
	}
	r = fd_ref_path(fd);
	if (!r.f)
		return -EBADF;
	*out = r.f->mnt ? mount_get(r.f->mnt) : NULL;
	fd_unref(r);
	return *out ? 0 : -ESTALE;
}

static int get_handle(struct fhandle *h, uaddr_t from)
{
	u8 rest[MAX_HANDLE_SZ];

	if (copy_from_user(h, from, HEAD_SIZE))
		return -EFAULT;
	if (!h->bytes || h->bytes > MAX_HANDLE_SZ)
		return -EINVAL;
	if (copy_from_user(rest, from + HEAD_SIZE, h->bytes))
		return -EFAULT;
	if ((h->type != FILEID_INO32_GEN &&
	     h->type != FILEID_INO32_GEN_PARENT && h->type != FILEID_KERNFS) ||
	    h->bytes < 8)
		return -ESTALE;
	memcpy(h->data, rest, 8);
	return 0;
}

static int open_handle(struct mount *m, const struct fhandle *h,
		       struct path *out)
{
	u64 id = (u64)h->data[1] << 32 | h->data[0];

	if (!m->sb->ops->fh_id64 != (h->type != FILEID_KERNFS))
		return -ESTALE;
	return m->sb->ops->fh_id64
		       ? vfs_handle_open(m, id, 0, out)
		       : vfs_handle_open(m, h->data[0], h->data[1], out);
}

SYSCALL3(265, open_by_handle_at, int, fd, uaddr_t, handle, u32, flags)
{
	struct fhandle h;
	struct mount *m;
	struct file *f;
	struct path p;
	int err = mount_of_fd(fd, &m);

	if (err)
		return err;
	err = capable(CAP_DAC_READ_SEARCH) ? get_handle(&h, handle) : -EPERM;
	if (!err)
		err = open_handle(m, &h, &p);
	mount_put(m);
	if (err)
		return err;
	f = vfs_open_at_path(&p, flags); /* takes p */
	return IS_ERR(f) ? PTR_ERR(f)
			 : fd_open(f, flags & O_CLOEXEC ? O_CLOEXEC : 0);
}
