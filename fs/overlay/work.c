/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/work.c - workdir/work, where things are made before they are renamed to
 * their place, and from where they go when their place is taken from them.
 *
 * Context: mounter's credentials.
 */
#include <fs/overlay/overlay.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define WORK_DEPTH 3u /* of what we leave there */

void ovl_temp_name(struct ovl_fs *ofs, char name[OVL_NAME_LEN])
{
	snprintf(name, OVL_NAME_LEN, "#%x",
		 atomic_add_return(&ofs->next_temp, 1u));
}

void ovl_work_path(const struct ovl_fs *ofs, struct path *out)
{
	out->mnt = ovl_upper_mnt(ofs);
	out->dentry = ofs->work;
}

int ovl_work_new(struct ovl_fs *ofs, const struct under_node *node,
		 char name[OVL_NAME_LEN], struct dentry **out)
{
	struct path work;
	int err;

	ovl_work_path(ofs, &work);
	do {
		ovl_temp_name(ofs, name);
		err = under_make(&work, name, strlen(name), node, out);
	} while (err == -EEXIST);
	return err;
}

/* --- removed with all that is in it */

struct first {
	struct dir_ctx ctx;
	char name[NAME_MAX + 1];
	size_t len;
	bool is_dir;
};

static bool is_dot(const char *name, size_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static bool take_first(struct dir_ctx *ctx, const char *name, size_t len,
		       u64 ino __unused, unsigned int dtype, u64 next __unused)
{
	struct first *f = container_of(ctx, struct first, ctx);

	if (is_dot(name, len) || len > NAME_MAX)
		return true;
	memcpy(f->name, name, len);
	f->len = len;
	f->is_dir = dtype == DT_DIR;
	return false;
}

static int drop(const struct path *dir, const char *name, size_t len,
		bool is_dir, u32 depth);

/* What is in @dir. */
static int empty(const struct path *dir, u32 depth)
{
	struct first *f = kmalloc(sizeof(*f));
	int err = f ? 0 : -ENOMEM;

	while (!err) {
		f->len = 0;
		f->ctx.emit = take_first;
		err = under_each(dir, &f->ctx);
		if (err || !f->len)
			break;
		err = drop(dir, f->name, f->len, f->is_dir, depth);
	}
	kfree(f);
	return err;
}

static int drop(const struct path *dir, const char *name, size_t len,
		bool is_dir, u32 depth)
{
	struct path p = { dir->mnt, NULL };
	int err = 0;

	if (is_dir && depth >= WORK_DEPTH)
		return -ENOTEMPTY;
	if (is_dir) {
		p.dentry = under_lookup(dir, name, len);
		if (IS_ERR(p.dentry))
			return (int)PTR_ERR(p.dentry);
		if (p.dentry->inode)
			err = empty(&p, depth + 1);
		dentry_put(p.dentry);
	}
	return err ? err : under_remove(dir, name, len, is_dir);
}

void ovl_work_drop(struct ovl_fs *ofs, const char *name)
{
	size_t len = strlen(name);
	struct dentry *d;
	struct path work;
	int err;

	ovl_work_path(ofs, &work);
	d = under_lookup(&work, name, len);
	if (IS_ERR(d))
		return;
	err = d->inode ? drop(&work, name, len, S_ISDIR(d->inode->mode), 0) : 0;
	dentry_put(d);
	if (err)
		pr_warn_ratelimited(
			"overlay: %s stays in the work directory: %d", name,
			err);
}

/* --- made at mount */

static int make_dir(const struct path *dir, const char *name, u32 mode,
		    struct dentry **out)
{
	struct under_node node = { .mode = S_IFDIR | mode };

	return under_make(dir, name, strlen(name), &node, out);
}

/* An overlay that was volatile, and that nobody knows to be whole. */
static int check_incompat(const struct path *work)
{
	struct first *f = kmalloc(sizeof(*f));
	struct path p = { work->mnt, NULL };
	int err = f ? 0 : -ENOMEM;

	if (err)
		return err;
	p.dentry = under_lookup(work, "incompat", 8);
	f->len = 0;
	f->ctx.emit = take_first;
	if (!IS_ERR(p.dentry)) {
		if (p.dentry->inode && S_ISDIR(p.dentry->inode->mode) &&
		    !under_each(&p, &f->ctx) && f->len) {
			pr_warn_ratelimited(
				"overlay: workdir/work/incompat is not empty");
			err = -EINVAL;
		}
		dentry_put(p.dentry);
	}
	kfree(f);
	return err;
}

static int mark_volatile(const struct path *work)
{
	struct path p = { work->mnt, NULL }, q = { work->mnt, NULL };
	struct under_node dirty = { .mode = S_IFREG | 0600 };
	int err = make_dir(work, "incompat", 0700, &p.dentry);

	if (!err)
		err = make_dir(&p, "volatile", 0700, &q.dentry);
	if (!err)
		err = under_make(&q, "dirty", 5, &dirty, NULL);
	dentry_put(p.dentry);
	dentry_put(q.dentry);
	return err;
}

static int renew(const struct path *dir, struct dentry **out)
{
	struct path work = { dir->mnt, under_lookup(dir, "work", 4) };
	bool there;
	int err;

	if (IS_ERR(work.dentry))
		return (int)PTR_ERR(work.dentry);
	there = work.dentry->inode != NULL;
	err = there && S_ISDIR(work.dentry->inode->mode) ? check_incompat(&work)
							 : 0;
	if (!err && there)
		err = drop(dir, "work", 4, S_ISDIR(work.dentry->inode->mode),
			   0);
	dentry_put(work.dentry);
	return err ? err : make_dir(dir, "work", 0, out);
}

/* Without one the overlay is read-only; -EINVAL: it must not be mounted. */
int ovl_work_make(struct ovl_fs *ofs, const struct path *workdir)
{
	struct path work = { workdir->mnt, NULL };
	int err = renew(workdir, &work.dentry);

	if (!err && ofs->config.volatile_)
		err = mark_volatile(&work);
	if (err) {
		dentry_put(work.dentry);
		pr_warn_ratelimited("overlay: no work directory: %d", err);
		return err == -EINVAL ? err : 0;
	}
	ofs->work = work.dentry;
	err = ovl_mark_set(ofs, work.dentry, OVL_OPAQUE, "0", 1);
	if (err) {
		ofs->no_xattr = true;
		if (ofs->config.redirect == OVL_REDIRECT_ON)
			ofs->config.redirect = OVL_REDIRECT_NOFOLLOW;
		pr_warn_ratelimited(
			"overlay: no attributes can be set in upperdir");
	}
	return 0;
}

/* --- whiteouts */

int ovl_whiteout_at(struct ovl_fs *ofs, const struct path *dir,
		    const char *name, size_t len, bool is_dir, bool exists)
{
	struct under_node white = { .mode = S_IFCHR };
	struct under_name from, to = { dir, name, len };
	char temp[OVL_NAME_LEN];
	struct path work;
	int err;

	if (!exists)
		return under_make(dir, name, len, &white, NULL);
	err = ovl_work_new(ofs, &white, temp, NULL);
	if (err)
		return err;
	ovl_work_path(ofs, &work);
	from = (struct under_name){ &work, temp, strlen(temp) };
	err = under_rename(&from, &to, is_dir ? RENAME_EXCHANGE : 0);
	if (err || is_dir)
		ovl_work_drop(ofs, temp);
	return err;
}
