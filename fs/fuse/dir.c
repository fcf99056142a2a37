/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/dir.c - names: found, made, removed, renamed; texts of links.
 *
 * How long a name holds is kept in its dentry (dentry->priv, CLOCK_MONOTONIC; 0: it
 * is asked for at once): d_fresh() puts there what lookup() left in the inode, or,
 * for a name that is not there, in the directory.
 *
 * Locking: the VFS's, as fs/vfs.h says at each operation.
 */
#include <fs/fuse/fuse.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

static bool is_child(const struct fuse_entry_out *e)
{
	return e->nodeid != FUSE_ROOT_ID && fuse_attr_valid(&e->attr);
}

static u64 entry_until(const struct fuse_entry_out *e)
{
	return fuse_until(e->entry_valid, e->entry_valid_nsec);
}

/* Names go over the wire with their NUL. */
static struct fuse_piece name_piece(char *buf, const char *name, size_t len)
{
	memcpy(buf, name, len);
	buf[len] = '\0';
	return (struct fuse_piece){ buf, (u32)len + 1 };
}

static s64 ask_lookup(struct inode *dir, const char *name, size_t len,
		      struct fuse_entry_out *e)
{
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = FUSE_LOOKUP,
			       .nodeid = fuse_i(dir)->nodeid,
			       .nr = 1,
			       .in = { name_piece(buf, name, len) },
			       .out = e,
			       .out_size = sizeof(*e) };

	if (load_once(&fuse_i(dir)->bad))
		return -EIO;
	return fuse_call(fuse_c(dir), &a);
}

/* The inode that @e tells of, or ERR_PTR. */
static struct inode *found(struct inode *dir, const struct fuse_entry_out *e,
			   u64 version)
{
	struct inode *i;

	if (!is_child(e)) {
		if (e->nodeid != FUSE_ROOT_ID)
			fuse_forget(fuse_c(dir), e->nodeid, 1);
		return ERR_PTR(-EIO);
	}
	i = fuse_iget(dir->sb, e, version);
	if (IS_ERR(i))
		return i;
	if (i == dir) {
		inode_put(i);
		return ERR_PTR(-ELOOP);
	}
	store_once(&fuse_i(i)->entry_until, entry_until(e));
	return i;
}

static int fuse_lookup(struct inode *dir, const char *name, size_t len,
		       struct inode **out)
{
	u64 version = fuse_version(fuse_c(dir));
	struct fuse_entry_out e;
	struct inode *i;
	s64 n = ask_lookup(dir, name, len, &e);

	store_once(&fuse_i(dir)->none_until, 0);
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return (int)n;
	if (!e.nodeid) {
		store_once(&fuse_i(dir)->none_until, entry_until(&e));
		return 0;
	}
	i = found(dir, &e, version);
	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	*out = i;
	return 0;
}

/* dcache_lock held: @d was just found or made. */
static void fuse_d_fresh(struct inode *dir, struct dentry *d)
{
	u64 until = load_once(d->inode ? &fuse_i(d->inode)->entry_until
				       : &fuse_i(dir)->none_until);

	d->priv = (void *)(uintptr_t)until;
}

static bool fuse_d_revalidate(struct inode *dir, struct dentry *d)
{
	u64 until = (u64)(uintptr_t)load_once(&d->priv), version;
	struct inode *i = d->inode;
	struct fuse_entry_out e;

	if (i && load_once(&fuse_i(i)->bad))
		return false;
	if (until > clock_mono_ns())
		return true;
	if (!i)
		return false;
	version = fuse_version(fuse_c(dir));
	if (ask_lookup(dir, d->name, d->name_len, &e) < 0 || !e.nodeid)
		return false;
	if (!is_child(&e) || e.nodeid != fuse_i(i)->nodeid ||
	    ((e.attr.mode ^ i->mode) & S_IFMT) ||
	    e.generation != fuse_i(i)->generation) {
		fuse_forget(fuse_c(dir), e.nodeid, 1);
		return false;
	}
	spin_lock(&fuse_c(dir)->lock);
	fuse_i(i)->nlookup++;
	spin_unlock(&fuse_c(dir)->lock);
	fuse_set_attr(i, &e.attr, fuse_until(e.attr_valid, e.attr_valid_nsec),
		      version);
	until = entry_until(&e);
	store_once(&fuse_i(i)->entry_until, until);
	store_once(&d->priv, (void *)(uintptr_t)until);
	return true;
}

/* --- making names */

/* The umask is the daemon's business if it has asked for it.  0 or -EINTR. */
static int take_umask(struct inode *dir, u32 *mode)
{
	struct fuse_conn *fc = fuse_c(dir);
	int err = fuse_wait_ready(fc);

	if (!fc->dont_mask)
		*mode &= ~current_umask();
	return err;
}

/* Something of type @mode is there now, as @given says: its inode. */
static int make(struct inode *dir, const struct fuse_args *given, u32 mode,
		struct inode **out)
{
	struct fuse_args a = *given;
	struct fuse_entry_out e;
	struct inode *i;
	s64 n;

	if (load_once(&fuse_i(dir)->bad))
		return -EIO;
	a.nodeid = fuse_i(dir)->nodeid;
	a.out = &e;
	a.out_size = sizeof(e);
	n = fuse_call(fuse_c(dir), &a);
	if (n < 0)
		return (int)n;
	fuse_inval_attr(dir);
	if (!e.nodeid || ((e.attr.mode ^ mode) & S_IFMT)) {
		fuse_forget(fuse_c(dir), e.nodeid, e.nodeid > FUSE_ROOT_ID);
		return -EIO;
	}
	i = found(dir, &e, 0);
	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	if (S_ISDIR(mode) && !list_empty(&i->dentries)) {
		inode_put(i); /* it has a place */
		return -EIO;
	}
	*out = i;
	return 0;
}

static int fuse_mknod(struct inode *dir, const char *name, size_t len, u32 mode,
		      kdev_t rdev, struct inode **out)
{
	struct fuse_mknod_in in = { .mode = mode,
				    .rdev = (u32)dev_encode(rdev),
				    .umask = current_umask() };
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = FUSE_MKNOD,
			       .nr = 2,
			       .in = { { &in, sizeof(in) },
				       name_piece(buf, name, len) } };
	int err = take_umask(dir, &in.mode);

	return err ? err : make(dir, &a, mode, out);
}

static int fuse_create(struct inode *dir, const char *name, size_t len,
		       u32 mode, struct inode **out)
{
	return fuse_mknod(dir, name, len, mode, 0, out);
}

/* The answer to CREATE or TMPFILE: an inode, and a file that open() will take. */
static int made_open(struct inode *dir, s64 n, u32 flags,
		     const struct fuse_entry_out *e, struct inode **out)
{
	const struct fuse_open_out *o = (const void *)(e + 1);
	struct fuse_conn *fc = fuse_c(dir);
	struct fuse_file *ff, *old;
	struct inode *i;

	if (n < 0)
		return (int)n;
	fuse_inval_attr(dir);
	ff = fuse_file_new(fc, e->nodeid, flags, false);
	if (!ff) {
		fuse_forget(fc, e->nodeid, 1);
		return -ENOMEM;
	}
	ff->fh = o->fh;
	ff->open_flags = o->open_flags;
	ff->maker = current;
	i = !e->nodeid || !S_ISREG(e->attr.mode) ? ERR_PTR(-EIO)
						 : found(dir, e, 0);
	if (IS_ERR(i)) {
		fuse_file_put(ff);
		return (int)PTR_ERR(i);
	}
	spin_lock(&fc->lock);
	old = fuse_i(i)->made;
	fuse_i(i)->made = ff;
	spin_unlock(&fc->lock);
	if (old)
		fuse_file_put(old);
	*out = i;
	return 0;
}

/* Make and open at once; daemons that cannot make a node and open that. */
static int fuse_create_open(struct inode *dir, const char *name, size_t len,
			    u32 mode, u32 flags, struct inode **out)
{
	struct fuse_conn *fc = fuse_c(dir);
	struct {
		struct fuse_entry_out e;
		struct fuse_open_out o;
	} r = { 0 };
	struct fuse_create_in in = { .flags = flags & ~(u32)O_NOCTTY,
				     .mode = mode,
				     .umask = current_umask() };
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = FUSE_CREATE,
			       .nodeid = fuse_i(dir)->nodeid,
			       .nr = 2,
			       .in = { { &in, sizeof(in) },
				       name_piece(buf, name, len) },
			       .out = &r,
			       .out_size = sizeof(r) };
	s64 n;

	if (load_once(&fuse_i(dir)->bad))
		return -EIO;
	n = take_umask(dir, &in.mode);
	if (!n)
		n = fuse_call_known(fc, &a, &fc->no_create, -ENOSYS);
	if (n == -ENOSYS)
		return fuse_create(dir, name, len, mode, out);
	return made_open(dir, n, flags, &r.e, out);
}

static int fuse_mkdir(struct inode *dir, const char *name, size_t len, u32 mode,
		      struct inode **out)
{
	struct fuse_mkdir_in in = { .mode = mode & 07777,
				    .umask = current_umask() };
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = FUSE_MKDIR,
			       .nr = 2,
			       .in = { { &in, sizeof(in) },
				       name_piece(buf, name, len) } };
	int err = take_umask(dir, &in.mode);

	return err ? err : make(dir, &a, S_IFDIR, out);
}

static int fuse_symlink(struct inode *dir, const char *name, size_t len,
			const char *target, struct inode **out)
{
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = FUSE_SYMLINK,
			       .nr = 2,
			       .in = { name_piece(buf, name, len),
				       { target, (u32)strlen(target) + 1 } } };

	return make(dir, &a, S_IFLNK, out);
}

static int fuse_link(struct inode *dir, const char *name, size_t len,
		     struct inode *target)
{
	struct fuse_link_in in = { .oldnodeid = fuse_i(target)->nodeid };
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = FUSE_LINK,
			       .nr = 2,
			       .in = { { &in, sizeof(in) },
				       name_piece(buf, name, len) } };
	struct inode *i = NULL;
	int err = make(dir, &a, target->mode, &i);

	fuse_inval_attr(target);
	if (err)
		return err;
	err = i == target ? 0
			  : 1; /* a daemon that goes by names: another one */
	inode_put(i);
	return err;
}

/* --- removing names */

static int ask_remove(struct inode *dir, u32 op, const char *name, size_t len)
{
	char buf[NAME_MAX + 1];
	struct fuse_args a = { .op = op,
			       .nodeid = fuse_i(dir)->nodeid,
			       .nr = 1,
			       .in = { name_piece(buf, name, len) } };
	s64 n;

	if (load_once(&fuse_i(dir)->bad))
		return -EIO;
	n = fuse_call(fuse_c(dir), &a);
	if (!n)
		fuse_inval_attr(dir);
	return (int)n;
}

static int fuse_unlink(struct inode *dir, const char *name, size_t len,
		       struct inode *victim)
{
	int err = ask_remove(dir, FUSE_UNLINK, name, len);

	if (err)
		return err;
	if (victim->nlink)
		victim->nlink--; /* until it is asked for */
	fuse_inval_attr(victim);
	return 0;
}

static int fuse_rmdir(struct inode *dir, const char *name, size_t len,
		      struct inode *victim)
{
	int err = ask_remove(dir, FUSE_RMDIR, name, len);

	if (!err) {
		victim->nlink = 0;
		store_once(&fuse_i(victim)->attr_until, ~0ull);
	}
	return err;
}

static int fuse_rename(struct inode *old_dir, const char *old_name,
		       size_t old_len, struct inode *inode,
		       struct inode *new_dir, const char *new_name,
		       size_t new_len, struct inode *victim, u32 flags)
{
	struct fuse_conn *fc = fuse_c(old_dir);
	struct fuse_rename2_in in = { .newdir = fuse_i(new_dir)->nodeid,
				      .flags = flags };
	char *names = kmalloc(2 * ((size_t)NAME_MAX + 1));
	struct fuse_args a = { .nodeid = fuse_i(old_dir)->nodeid, .nr = 3 };
	s64 n;

	if (!names)
		return -ENOMEM;
	a.op = flags ? FUSE_RENAME2 : FUSE_RENAME;
	a.in[0].p = &in;
	a.in[0].n = flags ? sizeof(in) : sizeof(struct fuse_rename_in);
	a.in[1] = name_piece(names, old_name, old_len);
	a.in[2] = name_piece(names + NAME_MAX + 1, new_name, new_len);
	if (flags && (load_once(&fc->no_rename2) || fc->minor < 23))
		n = -EINVAL;
	else
		n = fuse_call(fc, &a);
	kfree(names);
	if (n == -ENOSYS && flags) {
		store_once(&fc->no_rename2, true);
		n = -EINVAL;
	}
	if (n)
		return (int)n;
	fuse_inval_attr(old_dir);
	fuse_inval_attr(new_dir);
	fuse_inval_attr(inode);
	if (victim) {
		if (!(flags & RENAME_EXCHANGE) && victim->nlink)
			victim->nlink =
				S_ISDIR(victim->mode) ? 0 : victim->nlink - 1;
		fuse_inval_attr(victim);
	}
	return 0;
}

static int fuse_tmpfile(struct inode *dir, u32 mode, struct inode **out)
{
	struct fuse_conn *fc = fuse_c(dir);
	struct {
		struct fuse_entry_out e;
		struct fuse_open_out o;
	} r = { 0 };
	struct fuse_create_in in = { .flags = O_RDWR | O_EXCL | O_TMPFILE,
				     .mode = mode,
				     .umask = current_umask() };
	struct fuse_args a = { .op = FUSE_TMPFILE,
			       .nodeid = fuse_i(dir)->nodeid,
			       .nr = 2,
			       .in = { { &in, sizeof(in) }, { "/", 2 } },
			       .out = &r,
			       .out_size = sizeof(r) };
	s64 n;

	n = take_umask(dir, &in.mode);
	if (!n)
		n = fuse_call_known(fc, &a, &fc->no_tmpfile, -EOPNOTSUPP);
	return made_open(dir, n, O_RDWR, &r.e, out);
}

/* --- links */

static s64 fuse_readlink(struct inode *i, char *buf, size_t size)
{
	struct fuse_args a = { .op = FUSE_READLINK,
			       .nodeid = fuse_i(i)->nodeid,
			       .out_size = (u32)PAGE_SIZE - 1,
			       .short_ok = true };
	s64 n;

	if (load_once(&fuse_i(i)->bad))
		return -EIO;
	n = fuse_call(fuse_c(i), &a);
	if (n < 0)
		return n;
	n = (s64)strnlen(a.reply, (size_t)n);
	n = min(n, (s64)size - 1);
	memcpy(buf, a.reply, (size_t)n);
	buf[n] = '\0';
	kfree(a.reply);
	return n;
}

const struct inode_ops fuse_dir_ops = {
	FUSE_COMMON_OPS,
	.lookup = fuse_lookup,
	.d_revalidate = fuse_d_revalidate,
	.d_fresh = fuse_d_fresh,
	.create = fuse_create,
	.create_open = fuse_create_open,
	.mkdir = fuse_mkdir,
	.mknod = fuse_mknod,
	.symlink = fuse_symlink,
	.link = fuse_link,
	.unlink = fuse_unlink,
	.rmdir = fuse_rmdir,
	.rename = fuse_rename,
	.tmpfile = fuse_tmpfile,
	.open = fuse_open,
};

const struct inode_ops fuse_link_ops = {
	FUSE_COMMON_OPS,
	.readlink = fuse_readlink,
};

const struct inode_ops fuse_special_ops = { FUSE_COMMON_OPS };
