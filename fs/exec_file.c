/* SPDX-License-Identifier: MIT */
/*
 * fs/exec_file.c - the file behind an execve().
 *
 * As long as a program is executed (its file is open by exec_open(), or held as
 * mm->exe) nobody may open it for writing (ETXTBSY), and who writes keeps it
 * from being executed.
 */
#include <fs/internal.h>
#include <fs/filecaps.h>
#include <fs/fsctx.h>
#include <kernel/ns/user.h>
#include <fs/notify.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EMPTY_PATH	    0x1000u

static int check_executable(const struct path *p)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (S_ISLNK(i->mode))
		return -ELOOP;
	if (!S_ISREG(i->mode) || (p->mnt->flags & MS_NOEXEC))
		return -EACCES;
	if (i->ops->revalidate) {
		err = i->ops->revalidate(i);
		if (err)
			return err;
	}
	return path_permission(p, MAY_EXEC);
}

static int exec_lookup(int dirfd, const char *path, u32 at_flags,
		       struct path *out)
{
	u32 flags = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	int err;

	if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (at_flags & AT_EMPTY_PATH)
		flags |= LOOKUP_EMPTY;
	err = path_lookup(dirfd, path, flags, out);
	/* a socket, an event file: no path leads there, but it is a file */
	return err == -ENOTDIR && !*path ? -EACCES : err;
}

struct file *exec_open(int dirfd, const char *path, u32 at_flags)
{
	struct file *f;
	struct path p;
	int err = exec_lookup(dirfd, path, at_flags, &p);

	if (err)
		return ERR_PTR(err);
	err = check_executable(&p);
	if (!err)
		err = inode_deny_write(p.dentry->inode);
	if (err) {
		path_put(&p);
		return ERR_PTR(err);
	}
	f = vfs_open_exec(&p);
	if (IS_ERR(f))
		inode_allow_write(p.dentry->inode);
	else
		f->denies_write = true;
	path_put(&p);
	err = IS_ERR(f) ? 0 : notify_perm(f, FS_ACCESS_PERM);
	if (err) {
		file_put(f);
		return ERR_PTR(err);
	}
	if (!IS_ERR(f) && load_once(&f->inode->i_size))
		notify_file(f, IN_ACCESS); /* its head is about to be read */
	return f;
}

void exec_close(struct file *f)
{
	file_put(f);
}

s64 exec_read(struct file *f, void *buf, size_t n, u64 pos)
{
	return vfs_read_kernel(f, buf, n, pos);
}

/* Files do not count that somebody else has mounted: of another tree of mounts, or of
 * an instance made in a user namespace below. */
bool exec_honours(const struct file *f)
{
	return !(f->mnt->flags & MS_NOSUID) && vfs_mount_is_ours(f->mnt) &&
	       user_ns_below(current_user_ns(), f->inode->sb->user_ns);
}

bool exec_readable(const struct file *f)
{
	const struct path p = { f->mnt, f->dentry };

	return !path_permission(&p, MAY_READ);
}

void exec_attrs(struct file *f, u32 *mode, u32 *uid, u32 *gid)
{
	const struct inode *i = f->inode;

	*mode = 0;
	*uid = i->uid;
	*gid = i->gid;
	if (!exec_honours(f))
		return;
	*mode = i->mode & S_ISUID;
	/* set-group-id without group execute was mandatory locking */
	if ((i->mode & (S_ISGID | 0010)) == (S_ISGID | 0010))
		*mode |= S_ISGID;
}

void exec_file_id(struct file *f, u32 *dev, u64 *ino)
{
	*dev = f->inode->sb->dev;
	*ino = f->inode->ino;
}

struct page *exec_first_page(struct file *f)
{
	struct mapping *m = vfs_mapping(f);
	struct page *pg = m ? mapping_find(m, 0) : NULL;

	if (!pg || (load_once(&pg->flags) & PG_UPTODATE))
		return pg;
	page_put(pg);
	return NULL;
}

int exec_path_str(struct file *f, char *buf, size_t n)
{
	struct path p = { f->mnt, f->dentry }, root;
	s64 len;

	fs_ctx_get_root(&root);
	len = path_to_str(&p, &root, buf, n);
	path_put(&root);
	return (int)len;
}
