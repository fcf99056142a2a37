/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/sysfs.c - the tree behind /sys: directories, attributes, links.
 *
 * struct sys_dir is a node of kind SYS_DIR under another name, so that a driver
 * cannot take an attribute for a directory.
 *
 * INVARIANTS
 *   I1  A node that is in the tree has a reference of its parent's; a link has one
 *	 to its target.
 *   I2  A dead node is in no list; it is dead before anybody waits for `active`.
 *   I3  Numbers grow along the list of children: a reader who has seen n goes on
 *	 with the first one above n, whatever came or went meanwhile.
 *   I4  Every link is in the list `links` of its target, and goes with it.
 *
 * Locking: fill_mutex, then sys_lock for the tree, `dead` and `active`.
 * Not here: inodes and files (fs/sysfs.c), joining classes and buses
 * (sysfs_class.c).
 */
#include <kernel/dev/sysfs.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/list.h>
#include <lib/string.h>

#define MAX_DEPTH 16u

struct sys_node {
	enum sys_kind kind;	     /* [I] */
	u32 ino;		     /* [I] */
	u32 refs;		     /* [a] */
	u32 active;		     /* [sys_lock] calls under way */
	u32 nr_dirs;		     /* [sys_lock] children of kind SYS_DIR */
	bool dead;		     /* [sys_lock] */
	char *name;		     /* [I] owned; root: "" */
	struct sys_node *parent;     /* [sys_lock] NULL: root, or dead */
	struct list_head children;   /* [sys_lock] by ino (I3) */
	struct list_head sibling;    /* [sys_lock] */
	struct list_head links;	     /* [sys_lock] links that lead here */
	struct list_head link_node;  /* [sys_lock] of a link, in ->links */
	struct sys_node *target;     /* [I] of a link */
	const struct sys_attr *attr; /* [I] of an attribute */
	void *obj;	   /* [I] of a directory; its attributes have it too */
	sys_fill_fn *fill; /* [a; fill_mutex] of a directory; NULL: done */
};

static struct spinlock sys_lock = SPINLOCK_INIT("sysfs", RANK_VFS);
static struct waitq idle_wq = WAITQ_INIT(idle_wq);
static u32 next_ino = 3; /* [sys_lock] */
static struct mutex fill_mutex = MUTEX_INIT(fill_mutex);

#define ROOT(node, nr)                                       \
	{                                                    \
		.kind = SYS_DIR, .ino = (nr), .refs = 1,     \
		.name = (char[]){ "" },                      \
		.children = LIST_HEAD_INIT((node).children), \
		.links = LIST_HEAD_INIT((node).links),       \
	}

static struct sys_node root = ROOT(root, 1);
static struct sys_node proc = ROOT(proc, 2);

static struct sys_node *node_of(struct sys_dir *d)
{
	return (struct sys_node *)(void *)d;
}

static struct sys_dir *dir_of(struct sys_node *n)
{
	return (struct sys_dir *)(void *)n;
}

/* ---- nodes */

static struct sys_node *node_new(enum sys_kind kind, const char *name,
				 size_t len)
{
	struct sys_node *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	n->name = kmalloc(len + 1);
	if (!n->name) {
		kfree(n);
		return NULL;
	}
	memcpy(n->name, name, len);
	n->name[len] = '\0';
	n->kind = kind;
	n->refs = 1;
	list_init(&n->children);
	list_init(&n->links);
	list_init(&n->link_node);
	return n;
}

struct sys_node *sys_node_get(struct sys_node *n)
{
	atomic_add_relaxed(&n->refs, 1u);
	return n;
}

void sys_node_put(struct sys_node *n)
{
	while (n && atomic_dec_and_test(&n->refs)) {
		struct sys_node *target = n->target;

		KASSERT(list_empty(&n->children));
		kfree(n->name);
		kfree(n);
		n = target;
	}
}

static struct sys_node *child_locked(struct sys_node *d, const char *name,
				     size_t len)
{
	struct sys_node *n;

	assert_held(&sys_lock);
	list_for_each_entry(n, &d->children, sibling) {
		if (!strncmp(n->name, name, len) && !n->name[len])
			return n;
	}
	return NULL;
}

/* Takes @n's reference, also on failure. */
static int insert(struct sys_node *d, struct sys_node *n)
{
	int err = 0;

	spin_lock(&sys_lock);
	if (d->dead || (n->target && n->target->dead))
		err = -ENODEV;
	else if (child_locked(d, n->name, strlen(n->name)))
		err = -EEXIST;
	if (!err) {
		n->ino = next_ino++;
		n->parent = d;
		list_add_tail(&n->sibling, &d->children);
		d->nr_dirs += n->kind == SYS_DIR;
		if (n->target)
			list_add_tail(&n->link_node, &n->target->links);
	}
	spin_unlock(&sys_lock);
	if (err)
		sys_node_put(n);
	return err;
}

/* ---- removal */

/* Out of the tree, onto @dead, which has its reference now. */
static void unlink_one(struct sys_node *n, struct list_head *dead)
{
	assert_held(&sys_lock);
	list_del(&n->sibling);
	n->parent->nr_dirs -= n->kind == SYS_DIR;
	n->parent = NULL;
	n->dead = true;
	if (list_is_linked(&n->link_node))
		list_del(&n->link_node);
	list_add_tail(&n->sibling, dead);
}

static void unlink_links(struct sys_node *n, struct list_head *dead)
{
	while (!list_empty(&n->links))
		unlink_one(list_first_entry(&n->links, struct sys_node,
					    link_node),
			   dead);
}

/* @n and all below it, deepest first. */
static void unlink_tree(struct sys_node *n, struct list_head *dead)
{
	struct sys_node *at = n;

	for (;;) {
		struct sys_node *up = at->parent;

		if (!list_empty(&at->children)) {
			at = list_first_entry(&at->children, struct sys_node,
					      sibling);
			continue;
		}
		unlink_links(at, dead);
		unlink_one(at, dead);
		if (at == n)
			return;
		at = up;
	}
}

static bool is_idle(struct sys_node *n)
{
	bool idle;

	spin_lock(&sys_lock);
	idle = n->active == 0;
	spin_unlock(&sys_lock);
	return idle;
}

static void bury(struct list_head *dead)
{
	struct sys_node *n, *next;

	list_for_each_entry_safe(n, next, dead, sibling) {
		wait_event(&idle_wq, is_idle(n));
		list_del(&n->sibling);
		sys_node_put(n);
	}
}

void sys_rmdir(struct sys_dir *dir)
{
	struct sys_node *d = node_of(dir);
	struct list_head dead;

	if (!d)
		return;
	list_init(&dead);
	spin_lock(&sys_lock);
	KASSERT(d->parent || d->dead);
	if (!d->dead)
		unlink_tree(d, &dead);
	spin_unlock(&sys_lock);
	bury(&dead);
}

void sys_remove(struct sys_dir *dir, const char *name)
{
	struct sys_node *d = node_of(dir), *n;
	struct list_head dead;

	if (!d)
		return;
	list_init(&dead);
	spin_lock(&sys_lock);
	n = child_locked(d, name, strlen(name));
	if (n && n->kind != SYS_DIR)
		unlink_tree(n, &dead);
	spin_unlock(&sys_lock);
	bury(&dead);
}

/* ---- making */

struct sys_dir *sys_mkdir(struct sys_dir *parent, const char *name, void *obj)
{
	struct sys_node *n;

	if (!parent)
		return NULL;
	n = node_new(SYS_DIR, name, strlen(name));
	if (!n)
		return NULL;
	n->obj = obj;
	return insert(node_of(parent), n) ? NULL : dir_of(n);
}

int sys_add_for(struct sys_dir *d, const struct sys_attr *a, void *obj)
{
	struct sys_node *n;

	if (!d)
		return -ENOMEM;
	n = node_new(SYS_ATTR, a->name, strlen(a->name));
	if (!n)
		return -ENOMEM;
	n->attr = a;
	n->obj = obj;
	return insert(node_of(d), n);
}

int sys_add(struct sys_dir *d, const struct sys_attr *a, u32 nr)
{
	int err = d ? 0 : -ENOMEM;

	for (u32 i = 0; i < nr && !err; i++)
		err = sys_add_for(d, &a[i], node_of(d)->obj);
	return err;
}

int sys_link(struct sys_dir *d, const char *name, struct sys_dir *target)
{
	struct sys_node *n;

	if (!d || !target)
		return -ENOMEM;
	n = node_new(SYS_LINK, name, strlen(name));
	if (!n)
		return -ENOMEM;
	n->target = sys_node_get(node_of(target));
	return insert(node_of(d), n);
}

static struct sys_dir *make_path(struct sys_node *d, const char *path)
{
	struct sys_node *n;

	while (*path) {
		const char *end = strchr(path, '/');
		size_t len = end ? (size_t)(end - path) : strlen(path);
		int err;

		spin_lock(&sys_lock);
		n = child_locked(d, path, len);
		spin_unlock(&sys_lock);
		if (!n) {
			n = node_new(SYS_DIR, path, len);
			err = n ? insert(d, n) : -ENOMEM;
			if (err == -EEXIST)
				continue; /* somebody was faster */
			if (err)
				return NULL;
		}
		if (n->kind != SYS_DIR)
			return NULL;
		d = n;
		path += len + (end != NULL);
	}
	return dir_of(d);
}

struct sys_dir *sys_subdir(struct sys_dir *parent, const char *name)
{
	return parent ? make_path(node_of(parent), name) : NULL;
}

struct sys_dir *sys_path(const char *path)
{
	return make_path(&root, path);
}

struct sys_dir *sys_proc_path(const char *path)
{
	return make_path(&proc, path);
}

const char *sys_dir_name(const struct sys_dir *d)
{
	return ((const struct sys_node *)(const void *)d)->name;
}

/* ---- for the file system */

struct sys_node *sys_root_node(void)
{
	return &root;
}

struct sys_node *sys_dir_node(struct sys_dir *d)
{
	return node_of(d);
}

struct sys_node *sys_proc_node(void)
{
	return &proc;
}

enum sys_kind sys_node_kind(const struct sys_node *n)
{
	return n->kind;
}

u32 sys_node_ino(const struct sys_node *n)
{
	return n->ino;
}

u32 sys_node_nlink(const struct sys_node *n)
{
	/* racy: a number to look at; 1: so many that it is not known */
	if (load_once(&n->fill))
		return 1;
	return n->kind == SYS_DIR ? 2 + load_once(&n->nr_dirs) : 1;
}

const char *sys_node_name(const struct sys_node *n)
{
	return n->name;
}

const struct sys_attr *sys_node_attr(const struct sys_node *n)
{
	return n->attr;
}

void sys_fill_later(struct sys_dir *d, sys_fill_fn *fill)
{
	if (d)
		store_once(&node_of(d)->fill, fill);
}

/* What is not there before somebody looks. */
static void fill(struct sys_node *d)
{
	if (likely(!load_once(&d->fill)))
		return;
	mutex_lock(&fill_mutex);
	if (d->fill) {
		d->fill(dir_of(d), d->obj);
		store_once(&d->fill, NULL);
	}
	mutex_unlock(&fill_mutex);
}

struct sys_node *sys_node_lookup(struct sys_node *d, const char *name,
				 size_t len)
{
	struct sys_node *n;

	fill(d);
	spin_lock(&sys_lock);
	n = child_locked(d, name, len);
	if (n)
		(void)sys_node_get(n);
	spin_unlock(&sys_lock);
	return n;
}

struct sys_node *sys_node_next(struct sys_node *d, u32 ino)
{
	struct sys_node *n, *found = NULL;

	fill(d);
	spin_lock(&sys_lock);
	list_for_each_entry(n, &d->children, sibling) {
		if (n->ino >= ino) {
			found = sys_node_get(n);
			break;
		}
	}
	spin_unlock(&sys_lock);
	return found;
}

/* The way down from the root, @n last; its length, 0 when @n is dead. */
static u32 trail(struct sys_node *n, struct sys_node **out)
{
	u32 depth = 0, i;
	struct sys_node *at;

	for (at = n; at->parent; at = at->parent)
		depth++;
	if (at != &root || depth > MAX_DEPTH)
		return 0;
	for (i = depth, at = n; i > 0; at = at->parent)
		out[--i] = at;
	return depth;
}

/* As seen from the directory of the link, which is from[0 .. nr_from). */
static s64 relative(struct sys_node **from, u32 nr_from, struct sys_node **to,
		    u32 nr_to, char *buf, size_t size)
{
	u32 same = 0;
	size_t n = 0;

	/* the target is named even when it is above: programs want its name */
	while (same < nr_from && same + 1 < nr_to && from[same] == to[same])
		same++;
	for (u32 i = same; i < nr_from && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "../");
	for (u32 i = same; i < nr_to && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s/", to[i]->name);
	if (n > size || !n)
		return -ENAMETOOLONG;
	buf[--n] = '\0'; /* the last slash */
	return (s64)n;
}

s64 sys_node_target(struct sys_node *n, char *buf, size_t size)
{
	struct sys_node *from[MAX_DEPTH], *to[MAX_DEPTH];
	u32 nr_from, nr_to;
	s64 r = -ENOENT;

	spin_lock(&sys_lock);
	nr_from = trail(n, from);
	nr_to = trail(n->target, to);
	if (nr_from && nr_to)
		r = relative(from, nr_from - 1, to, nr_to, buf, size);
	spin_unlock(&sys_lock);
	return r;
}

s64 sys_dir_path(struct sys_dir *d, char *buf, size_t size)
{
	struct sys_node *way[MAX_DEPTH];
	size_t n = 0;
	u32 nr;

	spin_lock(&sys_lock);
	nr = node_of(d)->dead ? 0 : trail(node_of(d), way);
	for (u32 i = 0; i < nr && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "/%s", way[i]->name);
	spin_unlock(&sys_lock);
	if (!nr)
		return -ENOENT;
	return n < size ? (s64)n : -ENAMETOOLONG;
}

bool sys_node_enter(struct sys_node *n, void **obj)
{
	bool alive;

	spin_lock(&sys_lock);
	alive = !n->dead;
	if (alive) {
		*obj = n->obj;
		n->active++;
	}
	spin_unlock(&sys_lock);
	return alive;
}

void sys_node_leave(struct sys_node *n)
{
	bool wake;

	spin_lock(&sys_lock);
	KASSERT(n->active);
	wake = --n->active == 0 && n->dead;
	spin_unlock(&sys_lock);
	if (wake)
		wake_up_all(&idle_wq);
}
