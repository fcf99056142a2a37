/* SPDX-License-Identifier: MIT */
/*
 * fs/walk.c - from a path to a dentry.
 *
 * A walk holds dcache_lock while the names it meets are in the cache, and then
 * needs no references: `at' is borrowed from the lock.  When it must sleep (a
 * name that is not cached, a symbolic link, a file system that checks for
 * itself) walk_hold() turns `at' into the referenced `anchor' and lets the lock
 * go; walk_resume() takes it again.  So a cached path of any depth costs one
 * lock, and references only for its end.
 *
 *	walk_start()			lock taken, at = root, cwd or dirfd
 *	walk_run()			lock held on return, error or not
 *	walk_hold() / walk_resume()	as often as needed
 *	walk_end()			no lock; anchor and texts are put
 *
 * Symbolic links are not followed by recursion: the text of the link and what
 * followed it in the path become the new rest, in one page.
 *
 * With LOOKUP_PARENT the walk stops in front of the last component, which is
 * then in name, len, hash and type.
 *
 * ORDERING
 *   LINKTEXT  the text of a link, then inode->link; a walk reads the pointer,
 *             then the text.
 *
 * INVARIANTS
 *   W1  at.dentry is positive.
 *   W2  While the lock is not held, anchor is what `at' was.
 */
#include <fs/acl.h>
#include <fs/internal.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/sched/thread.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

void path_cross_mounts(struct path *p)
{
	struct mount *m;

	while (unlikely(p->dentry->nr_mounted)) {
		m = mount_find(p->mnt, p->dentry);
		if (!m)
			return;
		p->mnt = m;
		p->dentry = m->root;
	}
}

/* Root or working directory of current; alive while dcache_lock is held,
 * because they are replaced under it. */
static void borrow_fs(struct path *out, bool root)
{
	struct fs_ctx *c = current ? current->fs : NULL;

	if (likely(c)) {
		*out = root ? c->root : c->cwd;
		return;
	}
	out->mnt = mount_of_root();
	out->dentry = out->mnt->root;
	path_cross_mounts(out);
}

void borrow_root(struct path *out)
{
	borrow_fs(out, true);
}

void borrow_cwd(struct path *out)
{
	borrow_fs(out, false);
}

/* Where an absolute path begins. */
static void walk_root(struct walk *w, struct path *out)
{
	if (w->resolve & RESOLVE_IN_ROOT)
		*out = w->top;
	else
		borrow_fs(out, true);
}

/* Let dcache_lock go, keeping the place. */
void walk_hold(struct walk *w)
{
	struct path old = w->anchor;

	if (!path_equal(&old, &w->at)) {
		path_get(&w->at);
		w->anchor = w->at;
		spin_unlock(&dcache_lock);
		path_put(&old);
		return;
	}
	spin_unlock(&dcache_lock);
}

/*
 * Take the lock again, at anchor, or at the root when a link said so.  @d (if
 * given): child of anchor to step to, gives its reference.
 */
void walk_resume(struct walk *w, struct dentry *d)
{
	struct dentry *old = NULL;

	if (d) {
		old = w->anchor.dentry;
		w->anchor.dentry = d;
		dentry_put(old);
	}
	spin_lock(&dcache_lock);
	w->at = w->anchor;
	if (w->from_root)
		walk_root(w, &w->at);
	w->from_root = false;
}

static int start_at_file(struct walk *w, int dirfd)
{
	struct fdref r = fd_ref_path(dirfd);
	int err = 0;

	if (!r.f)
		return -EBADF;
	if (!r.f->dentry) {
		err = -ENOTDIR;
	} else {
		w->anchor.mnt = r.f->mnt;
		w->anchor.dentry = r.f->dentry;
		path_get(&w->anchor);
	}
	fd_unref(r);
	return err;
}

/* openat2(): remember the directory that must not be left. */
static void remember_top(struct walk *w)
{
	if (w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
		w->top = w->at;
		path_get(&w->top);
	}
}

int walk_start(struct walk *w, int dirfd, const char *path, u32 flags,
	       u32 resolve)
{
	bool absolute = *path == '/' && !(resolve & RESOLVE_IN_ROOT);
	int err;

	w->anchor = (struct path){ NULL, NULL };
	w->top = w->anchor;
	w->flags = flags;
	w->resolve = resolve;
	w->nr_links = 0;
	w->rest = path;
	w->page = NULL;
	w->slash = w->from_root = w->jumped = false;
	w->type = NAME_NONE;
	if (!*path && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (*path == '/' && (resolve & RESOLVE_BENEATH))
		return -EXDEV;
	if (!absolute && dirfd != AT_FDCWD) {
		err = start_at_file(w, dirfd);
		if (err)
			return err;
		spin_lock(&dcache_lock);
		w->at = w->anchor;
	} else {
		spin_lock(&dcache_lock);
		borrow_fs(&w->at, absolute);
	}
	remember_top(w);
	return 0;
}

void walk_end(struct walk *w)
{
	if (w->anchor.dentry)
		path_put(&w->anchor);
	if (w->top.dentry)
		path_put(&w->top);
	if (w->page)
		free_page_addr(w->page);
}

/* May current search the directory `at'?  Lock held on entry and return. */
static int search_slow(struct walk *w)
{
	struct inode *i = w->at.dentry->inode;
	int err = 0;

	walk_hold(w);
	if (i->ops->revalidate)
		err = i->ops->revalidate(i);
	/* Once it is known the next one need not come here. */
	if (load_once(&i->acl_state) == ACL_UNKNOWN && acl_may_matter(i))
		(void)acl_permission(i, MAY_EXEC);
	if (!err)
		err = inode_permission(i, MAY_EXEC);
	walk_resume(w, NULL);
	return err;
}

static inline int may_search(struct walk *w)
{
	const struct dentry *d = w->at.dentry;

	if (unlikely(!(d->flags & DENTRY_DIR)))
		return -ENOTDIR;
	if (unlikely(d->flags & DENTRY_SLOW_PERM))
		return search_slow(w);
	if (unlikely(d->inode->acl_state != ACL_NONE) &&
	    acl_may_matter(d->inode))
		return search_slow(w);
	if (likely((d->inode->mode & 0111) == 0111))
		return 0; /* whoever it is */
	return generic_permission(d->inode, MAY_EXEC);
}

/* Cut the next component off the rest.  False: there is none. */
static bool next_name(struct walk *w)
{
	const char *s = w->rest;
	u32 h = NAME_HASH_INIT;

	while (*s == '/')
		s++;
	w->name = s;
	while (*s && *s != '/')
		h = name_hash_step(h, *s++);
	w->len = (u32)(s - w->name);
	w->hash = h;
	w->slash = *s == '/';
	while (*s == '/')
		s++;
	w->rest = s;
	w->type = NAME_NORM;
	if (!w->len)
		w->type = NAME_NONE;
	else if (w->name[0] == '.' && w->len == 1)
		w->type = NAME_DOT;
	else if (w->name[0] == '.' && w->name[1] == '.' && w->len == 2)
		w->type = NAME_DOTDOT;
	return w->len != 0;
}

/* Is it still below what is mounted?  A directory may have been moved out. */
static bool is_connected(const struct path *p)
{
	const struct dentry *root = p->mnt->root;

	return likely(root->parent == root) || d_is_ancestor(root, p->dentry);
}

static int step_up(struct walk *w)
{
	struct path root, *at = &w->at;

	walk_root(w, &root);
	for (;;) {
		if (w->top.dentry && path_equal(at, &w->top))
			return w->resolve & RESOLVE_BENEATH ? -EXDEV : 0;
		if (path_equal(at, &root))
			break;
		if (at->dentry != at->mnt->root) {
			at->dentry = at->dentry->parent;
			if (!is_connected(at))
				return -ENOENT;
			break;
		}
		if (!at->mnt->parent)
			break;
		if (w->resolve & RESOLVE_NO_XDEV)
			return -EXDEV;
		at->dentry = at->mnt->mountpoint;
		at->mnt = at->mnt->parent;
	}
	path_cross_mounts(at);
	return 0;
}

/* Ask the file system for a name that is not cached. */
static int child_slow(struct walk *w)
{
	struct dentry *d;

	if (w->resolve & RESOLVE_CACHED)
		return -EAGAIN;
	walk_hold(w);
	d = lookup_child(w->anchor.dentry, w->name, w->len, w->hash);
	if (!IS_ERR(d) && !d->inode) {
		dentry_put(d);
		d = ERR_PTR(-ENOENT);
	}
	if (IS_ERR(d)) {
		walk_resume(w, NULL);
		return (int)PTR_ERR(d);
	}
	walk_resume(w, d);
	return 0;
}

/* `at' becomes its child of the name in hand (a link is not followed). */
static int step_down(struct walk *w)
{
	struct dentry *dir = w->at.dentry, *d = NULL;
	struct mount *mnt;
	int err;

	if (likely(!(dir->flags & DENTRY_SLOW_NAMES)))
		d = d_find(dir, w->name, w->len, w->hash);
	if (likely(d)) {
		if (!d->inode)
			return -ENOENT;
		w->at.dentry = d;
	} else {
		err = child_slow(w);
		if (err)
			return err;
	}
	mnt = w->at.mnt;
	path_cross_mounts(&w->at);
	if (unlikely(w->at.mnt != mnt && (w->resolve & RESOLVE_NO_XDEV)))
		return -EXDEV;
	return 0;
}

/* A link that leads to a place and not to a text. */
static int follow_magic(struct walk *w, struct inode *link)
{
	struct path to;
	int err;

	if (w->resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS))
		return -ELOOP;
	err = link->ops->get_link(link, &to);
	if (err)
		return err;
	if ((w->resolve & RESOLVE_NO_XDEV) && to.mnt != w->anchor.mnt) {
		path_put(&to);
		return -EXDEV;
	}
	path_put(&w->anchor);
	w->anchor = to;
	w->jumped = true;
	return 0;
}

/*
 * A link on a disk says the same as long as it lives: keep its text, so that
 * the next walk follows it without asking the file system.  No memory, no harm.
 */
static void remember_text(struct inode *link, const char *text)
{
	char *copy;

	if (!link->sb->bdev || link->link)
		return;
	copy = kstrdup(text);
	/* LINKTEXT (full) - pairs with follow_known(). */
	if (copy && atomic_cmpxchg(&link->link, NULL, copy))
		kfree(copy);
}

/* @page holds the text of a link, of length @n: with what follows the link
 * behind it, it becomes the rest of the path. */
static void replace_rest(struct walk *w, char *page, size_t n)
{
	if (w->slash)
		page[n++] = '/';
	memcpy(page + n, w->rest, strlen(w->rest) + 1);
	if (w->page)
		free_page_addr(w->page);
	w->page = page;
	w->rest = page;
}

/* Follow the link `at' whose text is known, without letting the lock go.
 * False: it takes the long way, which also finds what is wrong. */
static bool follow_known(struct walk *w)
{
	struct dentry *link = w->at.dentry;
	/* LINKTEXT (acquire) - pairs with remember_text(). */
	const char *text = load_acquire(&link->inode->link);
	size_t n;
	char *page;

	if (!text || w->resolve || w->nr_links >= MAX_SYMLINKS ||
	    (w->at.mnt->flags & MS_NOSYMFOLLOW))
		return false;
	n = strlen(text);
	if (!n || n + strlen(w->rest) + 2 > PAGE_SIZE)
		return false;
	page = get_free_page(0);
	if (!page)
		return false;
	memcpy(page, text, n);
	replace_rest(w, page, n);
	w->nr_links++;
	w->at.dentry = link->parent;
	if (*page == '/')
		walk_root(w, &w->at);
	return true;
}

/* The text of @link with the rest of the path behind it becomes the rest. */
static int read_link_text(struct walk *w, struct inode *link)
{
	size_t rest_len = strlen(w->rest);
	char *page = get_free_page(0);
	s64 n;

	if (!page)
		return -ENOMEM;
	n = link->ops->readlink ? link->ops->readlink(link, page, PAGE_SIZE)
				: -EINVAL;
	if (n == 0)
		n = -ENOENT;
	else if (n > 0 && (u64)n + rest_len + 2 > PAGE_SIZE)
		n = -ENAMETOOLONG;
	if (n < 0) {
		free_page_addr(page);
		return (int)n;
	}
	remember_text(link, page);
	replace_rest(w, page, (size_t)n);
	return 0;
}

/* A text that begins at the root: may @w go there? */
static int may_jump(const struct walk *w)
{
	struct path root;
	bool same;

	if (w->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if (!(w->resolve & RESOLVE_NO_XDEV))
		return 0;
	if (w->resolve & RESOLVE_IN_ROOT)
		return w->top.mnt == w->anchor.mnt ? 0 : -EXDEV;
	fs_ctx_get_root(&root);
	same = root.mnt == w->anchor.mnt;
	path_put(&root);
	return same ? 0 : -EXDEV;
}

/* The text of a link that is shorter lies in its inode: ext4's 15 words. */
#define IN_INODE 60u

/*
 * Turn to what @link says, from the directory `anchor'; walk_resume() goes
 * there.  The lock is not held.
 */
int walk_follow(struct walk *w, struct dentry *link)
{
	struct inode *i = link->inode;
	int err;

	if (w->nr_links++ >= MAX_SYMLINKS ||
	    (w->resolve & RESOLVE_NO_SYMLINKS) ||
	    (w->anchor.mnt->flags & MS_NOSYMFOLLOW))
		return -ELOOP;
	if ((w->resolve & RESOLVE_CACHED) &&
	    (i->ops->get_link ||
	     (i->sb->bdev && !load_once(&i->link) && i->i_size >= IN_INODE)))
		return -EAGAIN;
	if (i->ops->get_link)
		return follow_magic(w, i);
	err = read_link_text(w, i);
	if (err)
		return err;
	w->from_root = *w->rest == '/';
	return w->from_root ? may_jump(w) : 0;
}

/* `at' is a symbolic link. */
static int follow_here(struct walk *w)
{
	struct dentry *link = dentry_get(w->at.dentry);
	int err;

	w->at.dentry = link->parent;
	walk_hold(w);
	err = walk_follow(w, link);
	dentry_put(link);
	walk_resume(w, NULL);
	return err;
}

/* One component that is a name.  The lock is held on entry and return. */
static int step(struct walk *w)
{
	bool last = !*w->rest;
	int err;

	if (unlikely(w->len > NAME_MAX))
		return -ENAMETOOLONG;
	err = step_down(w);
	if (unlikely(err))
		return err;
	if (unlikely(w->at.dentry->flags & DENTRY_LINK) &&
	    (!last || w->slash || (w->flags & LOOKUP_FOLLOW))) {
		if (last)
			err = may_follow_last(w->at.dentry->parent->inode,
					      w->at.dentry->inode);
		if (!err && !follow_known(w))
			err = follow_here(w);
		if (err)
			return err;
	}
	if (w->slash && !*w->rest && !(w->at.dentry->flags & DENTRY_DIR))
		return -ENOTDIR;
	return 0;
}

int walk_run(struct walk *w)
{
	int err;

	while (next_name(w)) {
		err = may_search(w);
		if (unlikely(err))
			return err;
		if (!*w->rest && (w->flags & LOOKUP_PARENT))
			return 0;
		if (likely(w->type == NAME_NORM))
			err = step(w);
		else if (w->type == NAME_DOTDOT)
			err = step_up(w);
		if (unlikely(err))
			return err;
	}
	return 0;
}

/*
 * Look up and stat in one: while the lock is held nobody takes the inode away,
 * so that a cached path needs no references at all.
 */
int path_stat(int dirfd, const char *path, u32 flags, struct kstat *st)
{
	struct walk w;
	int err;

	err = walk_start(&w, dirfd, path, flags, 0);
	if (err)
		return err;
	err = walk_run(&w);
	if (likely(!err && !(w.at.dentry->flags & DENTRY_SLOW_PERM))) {
		stat_path(&w.at, st);
		spin_unlock(&dcache_lock);
	} else if (err) {
		spin_unlock(&dcache_lock);
	} else {
		walk_hold(&w);
		err = vfs_stat(&w.anchor, st);
	}
	walk_end(&w);
	return err;
}

int path_lookup_at(int dirfd, const char *path, u32 flags, u32 resolve,
		   struct path *out)
{
	struct walk w;
	int err;

	err = walk_start(&w, dirfd, path, flags, resolve);
	if (err)
		return err;
	err = walk_run(&w);
	if (!err && (flags & LOOKUP_DIRECTORY) &&
	    !(w.at.dentry->flags & DENTRY_DIR))
		err = -ENOTDIR;
	if (!err) {
		*out = w.at;
		path_get(out);
	}
	spin_unlock(&dcache_lock);
	walk_end(&w);
	return err;
}

int path_lookup(int dirfd, const char *path, u32 flags, struct path *out)
{
	return path_lookup_at(dirfd, path, flags, 0, out);
}

int walk_parent(struct walk *w, int dirfd, const char *path)
{
	int err = walk_start(w, dirfd, path, LOOKUP_PARENT, 0);

	if (err)
		return err;
	err = walk_run(w);
	if (err) {
		spin_unlock(&dcache_lock);
		walk_end(w);
		return err;
	}
	walk_hold(w);
	return 0;
}

void walk_given(struct walk *w, const struct path *dir, const char *name,
		u32 len)
{
	*w = (struct walk){ .rest = "",
			    .name = name,
			    .len = len,
			    .hash = name_hash(name, len),
			    .type = NAME_NORM,
			    .anchor = *dir };
	path_get(dir);
}
