/* SPDX-License-Identifier: MIT */
/*
 * fs/nsfs.c - namespaces as files, and what may be asked of them: ioctl_ns(2).
 *
 * An inode is made for each look at a link of /proc/<pid>/ns; all of one namespace
 * have its number, and that is what programs compare.  It keeps the namespace, and
 * so do an open file and a mount of it.
 */
#include <fs/nsfs.h>

#include <fs/internal.h>
#include <fs/mountns.h>
#include <kernel/init.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/task/clone.h>
#include <kernel/ns/user.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define NSFS_MAGIC 0x6e736673

/* linux/nsfs.h */
#define NS_GET_USERNS	 0xb701u
#define NS_GET_PARENT	 0xb702u
#define NS_GET_NSTYPE	 0xb703u
#define NS_GET_OWNER_UID 0xb704u
#define NS_GET_MNTNS_ID	 0x8008b705u
#define NS_GET_PID_FROM	 0x8004b706u /* of that namespace, in mine */
#define NS_GET_TGID_FROM 0x8004b707u
#define NS_GET_PID_IN	 0x8004b708u /* of mine, in that */
#define NS_GET_TGID_IN	 0x8004b709u

static struct mount *nsfs_mnt; /* [I] */

static const struct file_ops ns_fops;

size_t nsfs_name(const struct ns_common *ns, char *buf)
{
	return (size_t)snprintf(buf, NS_NAME_LEN, "%s:[%u]", ns->ops->name,
				ns->ino);
}

struct ns_common *nsfs_file_ns(const struct file *f)
{
	return f->ops == &ns_fops ? f->inode->priv : NULL;
}

bool nsfs_is(const struct dentry *d)
{
	return d->sb == nsfs_mnt->sb;
}

struct mnt_ns *nsfs_mnt_ns(const struct dentry *d)
{
	struct ns_common *ns = nsfs_is(d) && d->inode ? d->inode->priv : NULL;

	return ns && ns->ops == &mnt_ns_ops
		       ? container_of(ns, struct mnt_ns, ns)
		       : NULL;
}

int nsfs_path(struct ns_common *ns, struct path *out)
{
	struct inode *i = inode_new(nsfs_mnt->sb);
	struct dentry *d;

	if (!i) {
		ns_put(ns);
		return -ENOMEM;
	}
	i->ino = ns->ino;
	i->mode = S_IFREG | 0444;
	i->nlink = 1;
	i->iflags = FS_IMMUTABLE_FL; /* EPERM to who would write */
	i->fops = &ns_fops;
	i->priv = ns;
	d = dentry_alloc_root(i);
	if (!d)
		return -ENOMEM;
	d->name_len = (u32)nsfs_name(ns, d->inline_name);
	spin_lock(&dcache_lock);
	d_drop(d); /* goes with its last user */
	spin_unlock(&dcache_lock);
	*out = (struct path){ .mnt = mount_get(nsfs_mnt), .dentry = d };
	return 0;
}

/* --- ioctl_ns(2) */

s64 nsfs_open(struct ns_common *ns)
{
	struct path p;
	struct file *f;
	int err = nsfs_path(ns, &p);

	if (err)
		return err;
	f = vfs_open_path(&p, O_RDONLY, NULL);
	return IS_ERR(f) ? PTR_ERR(f) : fd_open(f, O_CLOEXEC);
}

/* Only what belongs to current's user namespace, or is below it, is shown. */
static s64 open_user_ns(struct user_ns *ns)
{
	const struct user_ns *mine = current_user_ns(), *at;

	for (at = ns; at != mine; at = user_ns_parent(at))
		if (!at)
			return -EPERM;
	ns_get(&ns->ns);
	return nsfs_open(&ns->ns);
}

static s64 get_parent(struct ns_common *ns)
{
	if (!ns->ops->parent)
		return -EINVAL;
	ns = ns->ops->parent(ns);
	if (!ns)
		return -EPERM;
	if (ns->ops == &user_ns_ops)
		return open_user_ns(container_of(ns, struct user_ns, ns));
	ns_get(ns);
	return nsfs_open(ns);
}

static s64 get_owner(struct ns_common *ns)
{
	return ns->owner ? open_user_ns(ns->owner) : -EPERM;
}

static s64 number_of(struct ns_common *ns, unsigned int cmd, int nr)
{
	bool in = cmd == NS_GET_PID_IN || cmd == NS_GET_TGID_IN;
	bool leader = cmd == NS_GET_TGID_FROM || cmd == NS_GET_TGID_IN;
	struct pid_ns *that, *mine = current_pid_ns();
	struct thread *t;
	int r = 0;

	if (ns->ops != &pid_ns_ops)
		return -EINVAL;
	that = container_of(ns, struct pid_ns, ns);
	spin_lock(&task_lock);
	t = nr > 0 ? thread_find(pid_global(in ? mine : that, nr)) : NULL;
	if (t)
		r = pid_nr_in(in ? that : mine, leader ? t->proc->pid : t->tid);
	spin_unlock(&task_lock);
	return r ? r : -ESRCH;
}

static s64 ns_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct ns_common *ns = f->inode->priv;

	switch (cmd) {
	case NS_GET_USERNS:
		return get_owner(ns);
	case NS_GET_PARENT:
		return get_parent(ns);
	case NS_GET_NSTYPE:
		return (s64)ns->ops->flag;
	case NS_GET_OWNER_UID:
		if (ns->ops != &user_ns_ops)
			return -EINVAL;
		return put_user_u32(
			uid_shown(container_of(ns, struct user_ns, ns)
					  ->owner_uid),
			arg);
	case NS_GET_MNTNS_ID:
		if (ns->ops != &mnt_ns_ops)
			return -EINVAL;
		return put_user_u64(
			mnt_ns_number(container_of(ns, struct mnt_ns, ns)),
			arg);
	case NS_GET_PID_FROM:
	case NS_GET_TGID_FROM:
	case NS_GET_PID_IN:
	case NS_GET_TGID_IN:
		return number_of(ns, cmd, (int)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_ops ns_fops = { .ioctl = ns_ioctl };

/* --- the file system */

static void nsfs_evict(struct inode *i)
{
	ns_put(i->priv);
}

static const struct super_ops nsfs_sops = {
	.evict_inode = nsfs_evict,
	.no_icache = true,
};
static const struct file_ops no_fops;

static int nsfs_mount(struct super_block *sb, struct blkdev *bdev __unused,
		      u64 flags __unused, const char *data __unused)
{
	struct inode *root;

	sb->ops = &nsfs_sops;
	sb->magic = NSFS_MAGIC;
	root = inode_new(sb);
	if (!root)
		return -ENOMEM;
	root->ino = 1;
	root->mode = S_IFDIR | 0555;
	root->nlink = 2;
	root->fops = &no_fops;
	sb->root = dentry_alloc_root(root);
	return sb->root ? 0 : -ENOMEM;
}

/* Not registered: nobody mounts it by name, as on Linux. */
static struct fs_type nsfs_type = {
	.name = "nsfs",
	.single = true,
	.mount = nsfs_mount,
};

static int nsfs_init(void)
{
	struct mount *m = mount_internal(&nsfs_type);

	if (IS_ERR(m))
		return (int)PTR_ERR(m);
	nsfs_mnt = m;
	return 0;
}
INITCALL(INIT_VFS, nsfs_init);
