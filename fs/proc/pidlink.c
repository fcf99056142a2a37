/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/pidlink.c - links of /proc/<pid>: to paths, open files and namespaces.
 *
 * A link leads to the object, whatever its text says, and only who may inspect the
 * process may follow or read it.
 */
#include <fs/anon.h>
#include <fs/nsfs.h>
#include <fs/proc/pid_int.h>
#include <fs/proc/proc.h>
#include <fs/procfd.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static int entry_get_link(struct inode *inode, struct path *out)
{
	struct pid_code c = pid_unpack(inode);
	struct process *p = pid_find(c);
	int r;

	if (!p)
		return -ENOENT;
	r = proc_may_inspect(p) ? pid_entries[c.sub].link(p, out) : -EACCES;
	process_put(p);
	return r;
}

static s64 path_text(const struct path *p, char *buf, size_t size)
{
	struct path root;
	s64 r;

	fs_ctx_get_root(&root);
	r = path_to_str(p, &root, buf, size);
	path_put(&root);
	return r;
}

static s64 entry_readlink(struct inode *inode, char *buf, size_t size)
{
	struct path p;
	s64 r = entry_get_link(inode, &p);

	if (r)
		return r;
	r = path_text(&p, buf, size);
	path_put(&p);
	return r;
}

static struct file *fd_file(struct inode *inode)
{
	struct pid_code c = pid_unpack(inode);
	struct process *p = pid_find(c);
	struct files *fs;
	struct file *f;

	if (!p)
		return NULL;
	fs = proc_may_inspect(p) ? process_files(p) : NULL;
	f = fs ? files_lookup(fs, (int)c.sub) : NULL;
	if (fs)
		files_put(fs);
	process_put(p);
	return f;
}

static int fdlink_get_link(struct inode *inode, struct path *out)
{
	struct file *f = fd_file(inode);
	int r;

	if (!f)
		return -ENOENT;
	if (f->dentry && f->mnt) {
		*out = (struct path){ .mnt = f->mnt, .dentry = f->dentry };
		path_get(out);
		r = 0;
	} else {
		r = anon_inode_path(anon_inode_of(f), out);
	}
	file_put(f);
	return r;
}

static s64 fdlink_readlink(struct inode *inode, char *buf, size_t size)
{
	struct file *f = fd_file(inode);
	s64 r;

	if (!f)
		return -ENOENT;
	if (f->dentry && f->mnt) {
		struct path p = { .mnt = f->mnt, .dentry = f->dentry };

		r = path_text(&p, buf, size);
	} else if (f->ops->anon_name) {
		r = strscpy(buf, f->ops->anon_name, size);
	} else {
		r = snprintf(buf, size, "%s:[%lu]",
			     f->inode && S_ISFIFO(f->inode->mode) ? "pipe"
			     : f->inode && S_ISSOCK(f->inode->mode)
				     ? "socket"
				     : "anon_inode",
			     f->inode ? f->inode->ino : 0);
	}
	file_put(f);
	return r;
}

/* The namespace, with a reference, or ERR_PTR. */
static struct ns_common *linked_ns(struct inode *inode)
{
	struct pid_code c = pid_unpack(inode);
	struct process *p = pid_find(c);
	struct ns_common *ns;

	if (!p)
		return ERR_PTR(-ENOENT);
	if (!proc_may_inspect(p))
		ns = ERR_PTR(-EACCES);
	else
		ns = ns_of_tid((int)c.pid, p, c.sub);
	process_put(p);
	return ns ? ns : ERR_PTR(-ENOENT);
}

static int nslink_get_link(struct inode *inode, struct path *out)
{
	struct ns_common *ns = linked_ns(inode);

	return IS_ERR(ns) ? (int)PTR_ERR(ns) : nsfs_path(ns, out);
}

static s64 nslink_readlink(struct inode *inode, char *buf, size_t size)
{
	struct ns_common *ns = linked_ns(inode);
	char name[NS_NAME_LEN];

	if (IS_ERR(ns))
		return PTR_ERR(ns);
	(void)nsfs_name(ns, name);
	ns_put(ns);
	return strscpy(buf, name, size);
}

const struct inode_ops pid_link_iops = {
	.readlink = entry_readlink,
	.get_link = entry_get_link,
};
const struct inode_ops pid_nslink_iops = {
	.readlink = nslink_readlink,
	.get_link = nslink_get_link,
};
const struct inode_ops pid_fdlink_iops = {
	.readlink = fdlink_readlink,
	.get_link = fdlink_get_link,
};
