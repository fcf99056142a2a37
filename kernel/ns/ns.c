/* SPDX-License-Identifier: MIT */
/* kernel/ns/ns.c - numbers and references of namespaces; see ns.h. */
#include <kernel/ns/ns.h>

/* Numbers of those that are made: never given again. */
static u32 last_ino = NS_INO_MNT; /* [a] */

void ns_init(struct ns_common *ns, const struct ns_ops *ops,
	     struct user_ns *owner)
{
	ns->refs = 1;
	ns->ino = atomic_add_return(&last_ino, 1);
	ns->ops = ops;
	ns->owner = owner;
	ns_get(&owner->ns);
}

void ns_put(struct ns_common *ns)
{
	/* The owner may end with it, and its owner. */
	while (ns && atomic_dec_and_test(&ns->refs)) {
		struct user_ns *owner = ns->owner;

		ns->ops->free(ns);
		ns = owner ? &owner->ns : NULL;
	}
}
