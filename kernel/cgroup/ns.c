/* SPDX-License-Identifier: MIT */
/* kernel/cgroup/ns.c - cgroup namespaces: where the tree begins; see cgroup.h. */
#include <kernel/cgroup/cgroup.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/clone.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

static void cgroup_ns_free(struct ns_common *ns)
{
	struct cgroup_ns *n = container_of(ns, struct cgroup_ns, ns);

	cgroup_put(n->root);
	kfree(n);
}

static int cgroup_ns_install(struct nsset *set, struct ns_common *ns)
{
	if (!nsset_may_enter(set, ns))
		return -EPERM;
	ns_get(ns);
	ns_replace(set->nsproxy->cgroup,
		   container_of(ns, struct cgroup_ns, ns));
	return 0;
}

const struct ns_ops cgroup_ns_ops = {
	.name = "cgroup",
	.flag = CLONE_NEWCGROUP,
	.count = &cgroup_ns_count,
	.free = cgroup_ns_free,
	.install = cgroup_ns_install,
};

struct cgroup_ns init_cgroup_ns = {
	.ns = NS_INIT(cgroup, NS_INO_CGROUP),
	.root = &cgroup_root,
};

struct cgroup_ns *cgroup_ns_new(struct user_ns *owner)
{
	struct cgroup_ns *n = kzalloc(sizeof(*n));
	int err;

	if (!n)
		return ERR_PTR(-ENOMEM);
	err = ns_init(&n->ns, &cgroup_ns_ops, owner);
	if (err) {
		kfree(n);
		return ERR_PTR(err);
	}
	spin_lock(&task_lock);
	n->root = cgroup_get(thread_cgroup(current));
	spin_unlock(&task_lock);
	return n;
}
