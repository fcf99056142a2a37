/* SPDX-License-Identifier: MIT */
/* kernel/ns/ns.c - numbers and references of namespaces; see ns.h. */
#include <kernel/ns/user.h>
#include <lib/errno.h>

/* Numbers of those that are made: never given again. */
static u32 last_ino = NS_INO_MNT; /* [a] */

#define COUNT_INIT           \
	{                    \
		.max = 4096, \
	}

struct ns_count user_ns_count = COUNT_INIT, mnt_ns_count = COUNT_INIT,
		uts_ns_count = COUNT_INIT, ipc_ns_count = COUNT_INIT,
		pid_ns_count = COUNT_INIT, net_ns_count = COUNT_INIT,
		cgroup_ns_count = COUNT_INIT, time_ns_count = COUNT_INIT;

int ns_init(struct ns_common *ns, const struct ns_ops *ops,
	    struct user_ns *owner)
{
	struct ns_count *c = ops->count;

	if (atomic_add_return(&c->nr, 1ul) > load_once(&c->max)) {
		atomic_dec(&c->nr);
		return -ENOSPC;
	}
	ns->refs = 1;
	ns->ino = atomic_add_return(&last_ino, 1);
	ns->ops = ops;
	ns->owner = owner;
	ns_get(&owner->ns);
	return 0;
}

void ns_put(struct ns_common *ns)
{
	/* The owner may end with it, and its owner. */
	while (ns && atomic_dec_and_test(&ns->refs)) {
		struct user_ns *owner = ns->owner;

		atomic_dec(&ns->ops->count->nr);
		ns->ops->free(ns);
		ns = owner ? &owner->ns : NULL;
	}
}
