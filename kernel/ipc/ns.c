/* SPDX-License-Identifier: MIT */
/* kernel/ipc/ns.c - IPC namespaces are made and end; see ns.h. */
#include <kernel/ipc/ipc.h>

#include <kernel/ipc/mqueue.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/clone.h>
#include <lib/errno.h>

static void drop_objects(struct ipc_kind *k, struct ipc_table *t)
{
	struct ipc_obj *o;

	do {
		u64 slot = 0;

		spin_lock(&k->lock);
		o = radix_next(&t->slots, &slot, -1);
		if (o)
			ipc_remove_locked(k, o);
		spin_unlock(&k->lock);
		if (o)
			ipc_put(k, o);
	} while (o);
}

static void ipc_free(struct ns_common *ns)
{
	struct ipc_ns *n = container_of(ns, struct ipc_ns, ns);

	drop_objects(&ipc_sems, &n->table[IPC_SEM]);
	drop_objects(&ipc_msqs, &n->table[IPC_MSG]);
	drop_objects(&ipc_shms, &n->table[IPC_SHM]);
	mq_drop_names(n);
	kfree(n);
}

static int ipc_install(struct nsset *set, struct ns_common *ns)
{
	if (!nsset_may_enter(set, ns))
		return -EPERM;
	ns_get(ns);
	ns_replace(set->nsproxy->ipc, container_of(ns, struct ipc_ns, ns));
	return 0;
}

const struct ns_ops ipc_ns_ops = {
	.name = "ipc",
	.flag = CLONE_NEWIPC,
	.count = &ipc_ns_count,
	.free = ipc_free,
	.install = ipc_install,
};

struct ipc_ns init_ipc_ns = {
	.ns = NS_INIT(ipc, NS_INO_IPC),
	.mq_names = LIST_HEAD_INIT(init_ipc_ns.mq_names),
	.mq_open = LIST_HEAD_INIT(init_ipc_ns.mq_open),
};

struct ipc_ns *ipc_ns_new(struct user_ns *owner)
{
	struct ipc_ns *n = kzalloc(sizeof(*n));
	int err;

	if (!n)
		return ERR_PTR(-ENOMEM);
	err = ns_init(&n->ns, &ipc_ns_ops, owner);
	if (err) {
		kfree(n);
		return ERR_PTR(err);
	}
	list_init(&n->mq_names);
	list_init(&n->mq_open);
	return n;
}
