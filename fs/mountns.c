/* SPDX-License-Identifier: MIT */
/*
 * fs/mountns.c - mount namespaces are made, entered, and end.
 *
 * Locking: mount_mutex while a tree is copied; see fs/mount.c.
 */
#include <fs/mountns.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/clone.h>
#include <kernel/ns/user.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/list.h>

static u64 last_seq; /* [a] */

/*
 * The end of one may be that of others, whose files are mounted in it, and so on: the
 * thread that ends the first one ends them afterwards, not from within.
 */
struct ending {
	struct list_head node; /* [endings_lock] */
	struct thread *who;    /* [I] */
	struct list_head next; /* [endings_lock] of mnt_ns.ended */
};
static struct spinlock endings_lock = SPINLOCK_INIT("mnt_ns", RANK_FILE);
static struct list_head endings = LIST_HEAD_INIT(endings); /* [endings_lock] */

/* Current's, which @n joins; or false: it has none, and @fresh is its one now. */
static bool join_ending(struct mnt_ns *n, struct ending *fresh)
{
	struct ending *e, *mine = NULL;

	spin_lock(&endings_lock);
	list_for_each_entry(e, &endings, node)
		if (e->who == current)
			mine = e;
	if (mine)
		list_add_tail(&n->ended, &mine->next);
	else
		list_add(&fresh->node, &endings);
	spin_unlock(&endings_lock);
	return mine;
}

static struct mnt_ns *next_ending(struct ending *e)
{
	struct mnt_ns *n;

	spin_lock(&endings_lock);
	n = list_first_entry_or_null(&e->next, struct mnt_ns, ended);
	list_del(n ? &n->ended : &e->node);
	spin_unlock(&endings_lock);
	return n;
}

static void mnt_free(struct ns_common *ns)
{
	struct mnt_ns *n = container_of(ns, struct mnt_ns, ns);
	struct ending e = { .who = current };

	if (!n->top) { /* was not even made */
		kfree(n);
		return;
	}
	spin_lock(&dcache_lock); /* nobody's, and not found, from now on */
	store_once(&n->top->ns, NULL);
	spin_unlock(&dcache_lock);
	list_init(&e.next);
	if (join_ending(n, &e))
		return;
	for (; n; n = next_ending(&e)) {
		mount_ns_end(n->top);
		kfree(n);
	}
}

/* What is on top of the tree's root: where a process that enters is. */
static void root_of(struct mnt_ns *n, struct path *out)
{
	*out = (struct path){ .mnt = n->top, .dentry = n->top->root };
	spin_lock(&dcache_lock);
	path_cross_mounts(out);
	path_get(out);
	spin_unlock(&dcache_lock);
}

struct mnt_ns *mnt_ns_current(void)
{
	struct mnt_ns *n = load_once(&current->fs->ns);

	ns_get(&n->ns);
	return n;
}

void mnt_ns_root(struct mnt_ns *n, struct path *out)
{
	if (n == load_once(&current->fs->ns))
		fs_ctx_get_root(out);
	else
		root_of(n, out);
}

/* set->fs is a copy that nobody else sees. */
static int mnt_install(struct nsset *set, struct ns_common *ns)
{
	struct mnt_ns *n = container_of(ns, struct mnt_ns, ns);
	struct fs_ctx *c = set->fs;
	struct fs_ctx was = *c;

	if (!nsset_may_enter(set, ns) || !nsset_capable(set, CAP_SYS_CHROOT))
		return -EPERM;
	ns_get(ns);
	c->ns = n;
	root_of(n, &c->root);
	root_of(n, &c->cwd);
	path_put(&was.root);
	path_put(&was.cwd);
	ns_put(&was.ns->ns);
	return 0;
}

const struct ns_ops mnt_ns_ops = {
	.name = "mnt",
	.flag = CLONE_NEWNS,
	.count = &mnt_ns_count,
	.free = mnt_free,
	.install = mnt_install,
};

struct mnt_ns init_mnt_ns = { .ns = NS_INIT(mnt, NS_INO_MNT) };

bool fs_ctx_is_chrooted(void)
{
	struct path top, root;
	bool yes;

	root_of(current->fs->ns, &top);
	fs_ctx_get_root(&root);
	yes = !path_equal(&top, &root);
	path_put(&top);
	path_put(&root);
	return yes;
}

struct ns_common *fs_ctx_mnt_ns(struct fs_ctx *c)
{
	return &load_once(&c->ns)->ns;
}

/* --- a new one */

/* The same place in the tree that was copied; ->copy is valid.  A mount that was
 * not in it is kept. */
static void to_copy(struct path *p, struct path *was)
{
	struct mount *copy = mount_attached(p->mnt) ? p->mnt->copy : NULL;

	*was = (struct path){ NULL, NULL };
	if (!copy)
		return;
	*was = *p;
	p->mnt = copy;
	path_get(p);
}

/*
 * In a user namespace below, what its makers cannot undo outside they cannot undo
 * inside: flags stay, and a mount does not go away without the one that it lies on.
 * Nothing that is mounted there is seen outside.
 *
 * @n gets a copy of the tree of c->ns, and @c is in it.  mount_mutex held.
 */
static int copy_tree(struct fs_ctx *c, struct mnt_ns *n, struct path was[2])
{
	bool below = n->ns.owner != c->ns->ns.owner;
	struct mount *old = c->ns->top, *copy;
	int err = 0;

	copy = mount_copy_tree(old, old->root,
			       COPY_UNBINDABLE | COPY_NO_MNT_NS |
				       (below ? COPY_ENSLAVE : 0),
			       &err);
	if (!copy)
		return err;
	if (below)
		mount_lock_tree(copy);
	mount_ns_start(copy, n);
	spin_lock(&dcache_lock);
	spin_lock(&c->lock);
	to_copy(&c->root, &was[0]);
	to_copy(&c->cwd, &was[1]);
	c->ns = n;
	spin_unlock(&c->lock);
	spin_unlock(&dcache_lock);
	return 0;
}

int fs_ctx_new_mounts(struct fs_ctx *c, struct user_ns *owner)
{
	struct mnt_ns *old = c->ns, *n = kzalloc(sizeof(*n));
	struct path was[2];
	int err;

	if (!n)
		return -ENOMEM;
	err = ns_init(&n->ns, &mnt_ns_ops, owner);
	if (err) {
		kfree(n);
		return err;
	}
	n->seq = atomic_add_return(&last_seq, 1ul);
	mount_lock();
	err = copy_tree(c, n, was);
	mount_unlock();
	if (err) {
		ns_put(&n->ns);
		return err;
	}
	path_put(&was[0]);
	path_put(&was[1]);
	ns_put(&old->ns);
	return 0;
}
