/* SPDX-License-Identifier: MIT */
/* syscall/dir.c - directories: read them, stand in them, change their names. */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/notify.h>
#include <fs/vfs.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define DENTS_MAX 32768u /* bytes gathered in the kernel by one call */

struct user_dirent {
	u64 ino;
	s64 off;
	u16 reclen;
	u8 type;
	char name[];
} __packed;

struct gather {
	struct dir_ctx ctx;
	char *buf;
	size_t used, room;
	bool too_small; /* not even the first one fits */
};

static bool gather_one(struct dir_ctx *ctx, const char *name, size_t len,
		       u64 ino, unsigned int dtype, u64 next_off)
{
	struct gather *g = container_of(ctx, struct gather, ctx);
	struct user_dirent *d = (void *)(g->buf + g->used);
	size_t reclen =
		ALIGN_UP(offsetof(struct user_dirent, name) + len + 1, 8);

	if (reclen > g->room - g->used) {
		g->too_small = !g->used;
		return false;
	}
	d->ino = ino;
	d->off = (s64)next_off;
	d->reclen = (u16)reclen;
	d->type = (u8)dtype;
	memcpy(d->name, name, len);
	memset(d->name + len, 0,
	       reclen - offsetof(struct user_dirent, name) - len);
	g->used += reclen;
	return true;
}

static s64 read_entries(struct file *f, struct gather *g, uaddr_t to)
{
	struct inode *i = f->inode;
	int err;

	err = notify_perm(f, FS_ACCESS_PERM);
	if (err)
		return err;
	g->ctx.emit = gather_one;
	g->ctx.pos = f->pos;
	down_read(&i->lock);
	err = i->nlink ? f->ops->readdir(f, &g->ctx) : -ENOENT;
	up_read(&i->lock);
	if (!err)
		notify_file(f, IN_ACCESS);
	if (!g->used)
		return err ? err : g->too_small ? -EINVAL : 0;
	/* what was read before an error is worth having */
	err = copy_to_user(to, g->buf, g->used);
	if (err)
		return err;
	f->pos = g->ctx.pos;
	file_accessed(f);
	return (s64)g->used;
}

SYSCALL3(61, getdents64, int, fd, uaddr_t, to, u32, count)
{
	struct gather g = { .room = min_t(u32, count, DENTS_MAX) };
	struct fdref r = fd_ref(fd);
	s64 n = -ENOTDIR;

	if (!r.f)
		return -EBADF;
	if (!r.f->ops->readdir || !r.f->inode)
		goto out;
	g.buf = alloc_pages_exact(max_t(size_t, g.room, 1), 0);
	if (!g.buf) { /* memory is in pieces: one page does too */
		g.room = min_t(size_t, g.room, PAGE_SIZE);
		g.buf = alloc_pages_exact(PAGE_SIZE, 0);
	}
	n = -ENOMEM;
	if (!g.buf)
		goto out;
	mutex_lock(&r.f->pos_lock);
	n = read_entries(r.f, &g, to);
	mutex_unlock(&r.f->pos_lock);
	free_pages_exact(g.buf, max_t(size_t, g.room, 1));
out:
	fd_unref(r);
	return n;
}

SYSCALL2(17, getcwd, uaddr_t, to, u64, size)
{
	char *page = get_free_page(0);
	s64 n;

	if (!page)
		return -ENOMEM;
	n = path_cwd_str(page, PAGE_SIZE);
	if (n == -ERANGE)
		n = -ENAMETOOLONG;
	if (n >= 0) {
		n++; /* the NUL counts */
		if ((u64)n > size)
			n = -ERANGE;
		else if (copy_to_user(to, page, (size_t)n))
			n = -EFAULT;
	}
	free_page_addr(page);
	return n;
}

/* A directory that current may search: @set takes it. */
static int enter(struct path *p, void (*set)(const struct path *p))
{
	int err = S_ISDIR(p->dentry->inode->mode)
			  ? path_permission(p, MAY_EXEC | MAY_CHDIR)
			  : -ENOTDIR;

	if (err)
		path_put(p);
	else
		set(p);
	return err;
}

SYSCALL1(49, chdir, uaddr_t, path)
{
	struct path p;
	int err = upath_lookup(AT_FDCWD, path, 0, &p);

	return err ? err : enter(&p, fs_ctx_set_cwd);
}

SYSCALL1(50, fchdir, int, fd)
{
	struct fdref r = fd_ref_path(fd);
	struct path p;

	if (!r.f)
		return -EBADF;
	if (!r.f->dentry) {
		fd_unref(r);
		return -ENOTDIR;
	}
	p.mnt = r.f->mnt;
	p.dentry = r.f->dentry;
	path_get(&p);
	fd_unref(r);
	return enter(&p, fs_ctx_set_cwd);
}

SYSCALL1(51, chroot, uaddr_t, path)
{
	struct path p;
	int err = upath_lookup(AT_FDCWD, path, 0, &p);

	if (err)
		return err;
	if (!capable_here(CAP_SYS_CHROOT)) {
		err = path_permission(&p, MAY_EXEC);
		path_put(&p);
		return err ? err : -EPERM;
	}
	return enter(&p, fs_ctx_set_root);
}

SYSCALL1(166, umask, u32, mask)
{
	return atomic_xchg(&current->fs->umask, mask & 0777);
}

SYSCALL3(34, mkdirat, int, dirfd, uaddr_t, path, u32, mode)
{
	struct upath p;
	int err = upath_get(&p, path);

	if (err)
		return err;
	err = vfs_mkdir(dirfd, p.s, mode);
	upath_put(&p);
	return err;
}

SYSCALL4(33, mknodat, int, dirfd, uaddr_t, path, u32, mode, u32, dev)
{
	struct upath p;
	int err = upath_get(&p, path);

	if (err)
		return err;
	err = vfs_mknod(dirfd, p.s, mode & 0177777, dev_decode(dev));
	upath_put(&p);
	return err;
}

SYSCALL3(35, unlinkat, int, dirfd, uaddr_t, path, int, flags)
{
	struct upath p;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = upath_get(&p, path);
	if (err)
		return err;
	err = vfs_unlink(dirfd, p.s, flags & AT_REMOVEDIR);
	upath_put(&p);
	return err;
}

SYSCALL3(36, symlinkat, uaddr_t, target, int, dirfd, uaddr_t, path)
{
	struct upath t, p;
	int err = upath_get(&t, target);

	if (err)
		return err;
	err = upath_get(&p, path);
	if (!err) {
		err = vfs_symlink(t.s, dirfd, p.s);
		upath_put(&p);
	}
	upath_put(&t);
	return err;
}

/* A descriptor without a path: who opened it with the very rights of now may. */
static bool may_link_fd(int fd, uaddr_t path)
{
	struct fdref r;
	char first;
	bool same;

	if (capable(CAP_DAC_READ_SEARCH))
		return true;
	if (!copy_from_user(&first, path, 1) && first)
		return true;
	r = fd_ref_path(fd);
	same = !r.f || r.f->cred == current->cred; /* or EBADF */
	if (r.f)
		fd_unref(r);
	return same;
}

/* The file that is to get a name: by path, or a descriptor with "". */
static int link_source(int dirfd, uaddr_t path, int flags, struct path *out)
{
	int at = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;

	if ((flags & AT_EMPTY_PATH) && !may_link_fd(dirfd, path))
		return -ENOENT;
	return upath_lookup(dirfd, path, at | (flags & AT_EMPTY_PATH), out);
}

SYSCALL5(37, linkat, int, olddir, uaddr_t, oldpath, int, newdir, uaddr_t,
	 newpath, int, flags)
{
	struct path old;
	struct upath p;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = link_source(olddir, oldpath, flags, &old);
	if (err)
		return err;
	err = upath_get(&p, newpath);
	if (!err) {
		err = vfs_link_path(&old, newdir, p.s);
		upath_put(&p);
	}
	path_put(&old);
	return err;
}

SYSCALL5(276, renameat2, int, olddir, uaddr_t, oldpath, int, newdir, uaddr_t,
	 newpath, u32, flags)
{
	struct upath a, b;
	int err = upath_get(&a, oldpath);

	if (err)
		return err;
	err = upath_get(&b, newpath);
	if (!err) {
		err = vfs_rename(olddir, a.s, newdir, b.s, flags);
		upath_put(&b);
	}
	upath_put(&a);
	return err;
}

/* Text of the link @p in @page; a magic link says where it leads.  @by_fd: no
 * name was given. */
static s64 link_text(const struct path *p, char *page, bool by_fd)
{
	struct inode *i = p->dentry->inode;

	if (!S_ISLNK(i->mode) || !i->ops->readlink)
		return by_fd ? -ENOENT : -EINVAL;
	path_accessed(p);
	return i->ops->readlink(i, page, PAGE_SIZE);
}

SYSCALL4(78, readlinkat, int, dirfd, uaddr_t, path, uaddr_t, to, s32, size)
{
	struct path p;
	char *page;
	u8 first;
	s64 n;

	if (size <= 0)
		return -EINVAL;
	n = upath_lookup(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &p);
	if (n)
		return n;
	page = get_free_page(0);
	n = page ? link_text(&p, page, !get_user_u8(&first, path) && !first)
		 : -ENOMEM;
	if (n > size)
		n = size;
	if (n > 0 && copy_to_user(to, page, (size_t)n))
		n = -EFAULT;
	if (page)
		free_page_addr(page);
	path_put(&p);
	return n;
}
