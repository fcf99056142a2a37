/* SPDX-License-Identifier: MIT */
/*
 * fs/path.c - paths as pairs of references, as text, and per process.
 *
 * Also struct fs_ctx: root directory, working directory and umask, shared by
 * CLONE_FS.
 *
 * Locking: the paths of an fs_ctx change under dcache_lock and fs_ctx->lock
 * (RANK_FILE) and are read under either; dcache_lock for text.
 */
#include <fs/internal.h>
#include <fs/mountns.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

void path_get(const struct path *p)
{
	mount_get(p->mnt);
	dentry_get(p->dentry);
}

void path_put(const struct path *p)
{
	if (!p->dentry)
		return;
	dentry_put(p->dentry);
	mount_put(p->mnt);
}

bool path_equal(const struct path *a, const struct path *b)
{
	return a->dentry == b->dentry && a->mnt == b->mnt;
}

/* Put @s[@len] in front of what is at @at; NULL: no room above @low. */
static char *prepend(char *at, const char *low, const char *s, size_t len)
{
	if (at == NULL || (size_t)(at - low) < len)
		return NULL;
	return memcpy(at - len, s, len);
}

/* Names from @p up to @root, written backwards from @end.  Lock held. */
static char *names_backwards(struct path p, const struct path *root,
			     const char *buf, char *end, bool *reached)
{
	char *at = end;

	*reached = true;
	while (!root || !path_equal(&p, root)) {
		if (p.dentry == p.mnt->root) {
			if (!p.mnt->parent) {
				*reached = !root;
				break;
			}
			p.dentry = p.mnt->mountpoint;
			p.mnt = p.mnt->parent;
			continue;
		}
		if (p.dentry->parent == p.dentry) {
			/* a file system's own root, not mounted here: "/", or in
			 * nsfs a name */
			if (at == end)
				at = prepend(at, buf, p.dentry->name,
					     p.dentry->name_len);
			break;
		}
		at = prepend(at, buf, p.dentry->name, p.dentry->name_len);
		at = prepend(at, buf, "/", 1);
		p.dentry = p.dentry->parent;
	}
	if (at == end)
		at = prepend(at, buf, "/", 1);
	return at;
}

static bool is_deleted(const struct dentry *d)
{
	return (d->flags & DENTRY_GONE) ||
	       (d_dead(d) && d->parent != d && d->inode && !d->inode->nlink);
}

static s64 to_str(const struct path *p, const struct path *root, char *buf,
		  size_t size, bool *reached)
{
	static const char deleted[] = " (deleted)";
	char *end = buf + size - 1, *at;
	size_t len;

	if (!size)
		return -ENAMETOOLONG;
	spin_lock(&dcache_lock);
	if (is_deleted(p->dentry))
		end = size < sizeof(deleted) ? buf
					     : end - (sizeof(deleted) - 1);
	at = names_backwards(*p, root, buf, end, reached);
	if (is_deleted(p->dentry) && at)
		memcpy(end, deleted, sizeof(deleted));
	else
		*end = '\0';
	spin_unlock(&dcache_lock);
	if (!at)
		return -ENAMETOOLONG;
	len = strlen(at);
	memmove(buf, at, len + 1);
	return (s64)len;
}

s64 path_to_str(const struct path *p, const struct path *root, char *buf,
		size_t size)
{
	bool reached = true;

	return to_str(p, root, buf, size, &reached);
}

s64 path_below_str(const struct path *p, const struct path *root, char *buf,
		   size_t size)
{
	bool reached = true;
	s64 n = to_str(p, root, buf, size, &reached);

	return n >= 0 && !reached ? -EXDEV : n;
}

/* getcwd(2): "(unreachable)" when outside of the root. */
s64 path_cwd_str(char *buf, size_t size)
{
	static const char unreach[] = "(unreachable)";
	struct path root, cwd;
	bool reached = false;
	char *at = NULL;
	s64 n = -ENOENT;

	if (!size)
		return -ERANGE;
	spin_lock(&dcache_lock);
	borrow_root(&root);
	borrow_cwd(&cwd);
	if (!d_dead(cwd.dentry) || cwd.dentry->inode->nlink) {
		buf[size - 1] = '\0';
		at = names_backwards(cwd, &root, buf, buf + size - 1, &reached);
		if (at && !reached)
			at = prepend(at, buf, unreach, sizeof(unreach) - 1);
		n = -ERANGE;
	}
	spin_unlock(&dcache_lock);
	if (!at)
		return n;
	n = buf + size - 1 - at;
	memmove(buf, at, (size_t)n + 1);
	return n;
}

struct fs_ctx *fs_ctx_get(struct fs_ctx *c)
{
	atomic_inc(&c->refs);
	return c;
}

void fs_ctx_put(struct fs_ctx *c)
{
	if (!c || !atomic_dec_and_test(&c->refs))
		return;
	path_put(&c->root);
	path_put(&c->cwd);
	ns_put(&c->ns->ns);
	kfree(c);
}

/* Takes the caller's count of @ns. */
static struct fs_ctx *fs_ctx_new(const struct path *root,
				 const struct path *cwd, u32 mask,
				 struct mnt_ns *ns)
{
	struct fs_ctx *c = kmalloc(sizeof(*c));

	if (!c) {
		ns_put(&ns->ns);
		return NULL;
	}
	c->refs = 1;
	c->ns = ns;
	spin_init(&c->lock, "fs_ctx", RANK_FILE);
	c->root = *root;
	c->cwd = *cwd;
	c->umask = mask;
	path_get(root);
	path_get(cwd);
	return c;
}

struct fs_ctx *fs_ctx_dup(struct fs_ctx *c)
{
	struct fs_ctx *copy;
	struct path root, cwd;
	struct mnt_ns *ns;
	u32 mask;

	spin_lock(&c->lock);
	root = c->root;
	cwd = c->cwd;
	mask = c->umask;
	ns = c->ns;
	ns_get(&ns->ns);
	path_get(&root);
	path_get(&cwd);
	spin_unlock(&c->lock);
	copy = fs_ctx_new(&root, &cwd, mask, ns);
	path_put(&root);
	path_put(&cwd);
	return copy;
}

struct fs_ctx *fs_ctx_new_root(void)
{
	struct path root;
	struct fs_ctx *c;

	root.mnt = mount_of_root();
	root.dentry = root.mnt->root;
	spin_lock(&dcache_lock);
	path_cross_mounts(&root);
	path_get(&root);
	spin_unlock(&dcache_lock);
	ns_get(&init_mnt_ns.ns);
	c = fs_ctx_new(&root, &root, 022, &init_mnt_ns);
	path_put(&root);
	return c;
}

void fs_ctx_get_root(struct path *out)
{
	spin_lock(&dcache_lock);
	borrow_root(out);
	path_get(out);
	spin_unlock(&dcache_lock);
}

void fs_ctx_get_cwd(struct path *out)
{
	spin_lock(&dcache_lock);
	borrow_cwd(out);
	path_get(out);
	spin_unlock(&dcache_lock);
}

/* Takes the references of @p. */
static void set_path(struct path *which, const struct path *p)
{
	struct fs_ctx *c = current->fs;
	struct path old;

	spin_lock(&dcache_lock); /* nobody borrows it (walk.c) */
	spin_lock(&c->lock);
	old = *which;
	*which = *p;
	spin_unlock(&c->lock);
	spin_unlock(&dcache_lock);
	path_put(&old);
}

void fs_ctx_set_root(const struct path *p)
{
	set_path(&current->fs->root, p);
}

void fs_ctx_set_cwd(const struct path *p)
{
	set_path(&current->fs->cwd, p);
}

struct replace {
	const struct path *from, *to;
	u32 nr; /* references on from that are to be put */
};

static void replace_path(struct path *p, struct replace *r)
{
	if (!path_equal(p, r->from))
		return;
	*p = *r->to;
	path_get(p);
	r->nr++;
}

static void replace_in(struct fs_ctx *c, void *ctx)
{
	spin_lock(&dcache_lock);
	spin_lock(&c->lock);
	replace_path(&c->root, ctx);
	replace_path(&c->cwd, ctx);
	spin_unlock(&c->lock);
	spin_unlock(&dcache_lock);
}

/* Threads may have their own, and outlive the leader's. */
static void replace_in_process(struct process *p, void *ctx)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node)
		if (t->fs)
			replace_in(t->fs, ctx);
}

void fs_ctx_replace_all(const struct path *from, const struct path *to)
{
	struct replace r = { .from = from, .to = to };

	process_for_each(replace_in_process, &r);
	while (r.nr--)
		path_put(from);
}

u32 current_umask(void)
{
	struct fs_ctx *c = current ? current->fs : NULL;

	return c ? load_once(&c->umask) : 0;
}
