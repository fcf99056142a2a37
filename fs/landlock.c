/* SPDX-License-Identifier: MIT */
/*
 * fs/landlock.c - checks of paths against the layers of a domain.
 *
 * A layer allows what the rules of all directories on the way up allow together.
 * So a check begins with what each layer is asked for, walks to the root, through
 * mounts, and takes away what the rules met there grant; something left: refused.
 *
 * Rules compare numbers of inodes and do not look into them: one whose super block
 * went has none any more, and is met by nobody.
 *
 * Locking: dcache_lock for the walk.
 */
#include <fs/landlock.h>

#include <fs/internal.h>
#include <fs/landlock_rules.h>
#include <kernel/task/domain.h>
#include <lib/errno.h>

/* What each layer still refuses, by level - 1. */
struct refused {
	const struct domain *top;
	u32 bits[LANDLOCK_MAX_LAYERS];
};

/* Renames and links between directories need a word from every layer. */
static u32 about(const struct domain *l)
{
	return l->fs | LL_REFER;
}

/* False: there is nothing to check. */
static bool refused_init(struct refused *r, u32 access)
{
	const struct domain *l;
	u32 left = 0, any = 0;

	r->top = fs_cred()->domain;
	for (l = r->top; l; l = l->parent) {
		any |= l->fs;
		r->bits[l->level - 1] = about(l) & access;
		left |= r->bits[l->level - 1];
	}
	return any && left;
}

/* Take away what rules on @i grant; what is left of all layers. */
static u32 grant(struct refused *r, const struct inode *i)
{
	const struct domain *l;
	u32 left = 0;

	for (l = r->top; l; l = l->parent) {
		u32 *bits = &r->bits[l->level - 1];

		if (*bits)
			*bits &= ~rules_access(l->rules, i);
		left |= *bits;
	}
	return left;
}

/* From @p upwards; false: refused.  What no path leads to is free; a directory
 * that was moved out of what is mounted counts as lying in its root. */
static bool walk_up(struct refused *r, const struct path *p)
{
	struct dentry *d = p->dentry;
	struct mount *m = p->mnt;
	bool ok = false;

	spin_lock(&dcache_lock);
	for (;;) {
		if (d->inode && !grant(r, d->inode)) {
			ok = true;
			break;
		}
		while (d == m->root && m->parent) {
			d = m->mountpoint;
			m = m->parent;
		}
		if (d == m->root || (d->parent == d && m->internal)) {
			ok = m->internal;
			break;
		}
		d = d->parent == d ? m->root : d->parent;
	}
	spin_unlock(&dcache_lock);
	return ok;
}

int landlock_path_slow(const struct path *p, u32 access)
{
	struct refused r;

	return !refused_init(&r, access) || walk_up(&r, p) ? 0 : -EACCES;
}

u32 landlock_make(u32 mode, kdev_t dev)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return LL_MAKE_SYM;
	case S_IFDIR:
		return LL_MAKE_DIR;
	case S_IFCHR:
		return dev ? LL_MAKE_CHAR : LL_MAKE_REG;
	case S_IFBLK:
		return LL_MAKE_BLOCK;
	case S_IFIFO:
		return LL_MAKE_FIFO;
	case S_IFSOCK:
		return LL_MAKE_SOCK;
	default:
		return LL_MAKE_REG;
	}
}

static bool is_device(const struct file *f)
{
	return S_ISCHR(f->inode->mode) || S_ISBLK(f->inode->mode);
}

int landlock_open_slow(struct file *f, bool exec)
{
	const struct path p = { f->mnt, f->dentry };
	u32 need = exec ? LL_EXECUTE : 0;

	if (f->can_read)
		need |= S_ISDIR(f->inode->mode) ? LL_READ_DIR : LL_READ_FILE;
	if (f->can_write)
		need |= LL_WRITE_FILE;
	if (need && landlock_path_slow(&p, need))
		return -EACCES;
	f->landlock = landlock_path_slow(&p, LL_TRUNCATE) ? LL_NO_TRUNCATE : 0;
	if (is_device(f) && landlock_path_slow(&p, LL_IOCTL_DEV))
		f->landlock |= LL_NO_IOCTL;
	return 0;
}

#define FIOCLEX		      0x5451u
#define FIONCLEX	      0x5450u
#define FIONBIO		      0x5421u
#define FIOASYNC	      0x5452u
#define FIOQSIZE	      0x5460u
#define FIFREEZE	      0xc0045877u
#define FITHAW		      0xc0045878u
#define FIGETBSZ	      0x2u
#define FS_IOC_FIEMAP	      0xc020660bu
#define FICLONE		      0x40049409u
#define FICLONERANGE	      0x4020940du
#define FIDEDUPERANGE	      0xc0189436u
#define FS_IOC_GETFSUUID      0x80111500u
#define FS_IOC_GETFSSYSFSPATH 0x80811501u

bool landlock_ioctl_is_free(u32 cmd)
{
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
	case FIONBIO:
	case FIOASYNC:
	case FIOQSIZE:
	case FIFREEZE:
	case FITHAW:
	case FIGETBSZ:
	case FS_IOC_FIEMAP:
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
	case FS_IOC_GETFSUUID:
	case FS_IOC_GETFSSYSFSPATH:
		return true;
	default:
		return false;
	}
}

int landlock_mounts_slow(void)
{
	struct refused r;

	return refused_init(&r, LL_REFER) ? -EPERM : 0;
}

/* --- renames and links */

static u32 removal(const struct dentry *d)
{
	if (!d->inode)
		return 0;
	return S_ISDIR(d->inode->mode) ? LL_REMOVE_DIR : LL_REMOVE_FILE;
}

/* A place, and what all layers refuse there; @own: what they refuse to @d because
 * of no rule of its own. */
struct place {
	struct refused at, own;
	u32 request;
};

static void look_at(struct place *pl, const struct path *dir,
		    const struct dentry *d)
{
	(void)refused_init(&pl->at, LL_FS_ALL);
	(void)refused_init(&pl->own, LL_FS_ALL);
	(void)walk_up(&pl->at, dir);
	if (d && d->inode)
		(void)grant(&pl->own, d->inode);
}

/* Would what is moved from @src to @dst be less restricted there? */
static bool gains(const struct place *src, const struct place *dst, bool isdir)
{
	const struct domain *l;

	for (l = src->at.top; l; l = l->parent) {
		u32 k = l->level - 1;
		u32 was = src->at.bits[k] & src->own.bits[k];

		if (!isdir)
			was &= LL_OF_FILES;
		if (was & ~dst->at.bits[k])
			return true;
	}
	return false;
}

static bool is_refused(const struct place *pl, u32 mask)
{
	const struct domain *l;

	for (l = pl->at.top; l; l = l->parent)
		if (pl->at.bits[l->level - 1] & pl->request & mask)
			return true;
	return false;
}

static u32 making(const struct inode *i)
{
	return landlock_make(i->mode, i->rdev);
}

static bool is_dir(const struct dentry *d)
{
	return d->inode && S_ISDIR(d->inode->mode);
}

int landlock_refer_slow(const struct landlock_refer *r)
{
	bool same = r->old_dir->dentry == r->new_dir->dentry;
	struct place src, dst;

	src.request = r->exchange ? making(r->to->inode) : 0;
	dst.request = making(r->from->inode);
	if (r->rename) {
		src.request |=
			removal(r->from) | (r->whiteout ? LL_MAKE_REG : 0);
		dst.request |= removal(r->to);
	}
	if (same)
		return landlock_path_slow(r->new_dir,
					  src.request | dst.request);
	if (!landlock_mounts_slow())
		return 0;
	src.request |= LL_REFER;
	dst.request |= LL_REFER;
	look_at(&src, r->old_dir, r->from);
	look_at(&dst, r->new_dir, r->exchange ? r->to : NULL);
	if (!gains(&src, &dst, is_dir(r->from)) &&
	    !(r->exchange && gains(&dst, &src, is_dir(r->to))) &&
	    !is_refused(&src, ~0u) && !is_refused(&dst, ~0u))
		return 0;
	if (is_refused(&src, ~(u32)LL_REFER) ||
	    is_refused(&dst, ~(u32)LL_REFER))
		return -EACCES;
	return -EXDEV;
}
