/* SPDX-License-Identifier: MIT */
/* kernel/ns/user.c - user namespaces. */
#include <kernel/ns/ns.h>

#include <kernel/assert.h>
#include <kernel/task/clone.h>
#include <kernel/task/process.h>

static struct ns_common *user_parent(struct ns_common *ns)
{
	return ns->owner ? &ns->owner->ns : NULL;
}

const struct ns_ops user_ns_ops = {
	.name = "user",
	.flag = CLONE_NEWUSER,
	.parent = user_parent,
};

struct user_ns init_user_ns = {
	.ns = { .refs = 1, .ino = NS_INO_USER, .ops = &user_ns_ops },
};

bool ns_capable(const struct user_ns *ns, unsigned int cap)
{
	(void)ns;
	return capable(cap);
}
