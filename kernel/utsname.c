/* SPDX-License-Identifier: MIT */
/* kernel/utsname.c - names of the system; see utsname.h. */
#include <kernel/utsname.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/spinlock.h>
#include <kernel/task/clone.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

struct waitq utsname_wq = WAITQ_INIT(utsname_wq);
u32 utsname_events[NR_UTS_NAMES];

static struct spinlock uts_lock = SPINLOCK_INIT("uts", RANK_FILE);

/* Programs ask for a Linux new enough for them: the version whose ABI this is. */
#define UTS_SAME                                                             \
	.sysname = "Linux", .release = "6.12.0-antler", .version = "#1 SMP", \
	.machine = "riscv64"

const struct utsname utsname = { UTS_SAME };

static void uts_free(struct ns_common *ns)
{
	kfree(container_of(ns, struct uts_ns, ns));
}

static int uts_install(struct nsset *set, struct ns_common *ns)
{
	if (!nsset_may_enter(set, ns))
		return -EPERM;
	ns_get(ns);
	ns_replace(set->nsproxy->uts, container_of(ns, struct uts_ns, ns));
	return 0;
}

const struct ns_ops uts_ns_ops = {
	.name = "uts",
	.flag = CLONE_NEWUTS,
	.count = &uts_ns_count,
	.free = uts_free,
	.install = uts_install,
};

struct uts_ns init_uts_ns = {
	.ns = NS_INIT(uts, NS_INO_UTS),
	.u = { UTS_SAME, .nodename = "antler", .domainname = "(none)" },
};

struct uts_ns *uts_ns_new(struct uts_ns *old, struct user_ns *owner)
{
	struct uts_ns *n = kmalloc(sizeof(*n));
	int err;

	if (!n)
		return ERR_PTR(-ENOMEM);
	err = ns_init(&n->ns, &uts_ns_ops, owner);
	if (err) {
		kfree(n);
		return ERR_PTR(err);
	}
	spin_lock(&uts_lock);
	n->u = old->u;
	spin_unlock(&uts_lock);
	return n;
}

void utsname_get(struct utsname *out)
{
	const struct uts_ns *n = current_nsproxy()->uts;

	spin_lock(&uts_lock);
	*out = n->u;
	spin_unlock(&uts_lock);
}

static char *name_in(struct uts_ns *n, enum uts_name which)
{
	return which == UTS_NODENAME ? n->u.nodename : n->u.domainname;
}

void utsname_name(enum uts_name which, char *out)
{
	spin_lock(&uts_lock);
	memcpy(out, name_in(current_nsproxy()->uts, which), UTS_LEN + 1);
	spin_unlock(&uts_lock);
}

bool utsname_may_set(void)
{
	return ns_capable(current_nsproxy()->uts->ns.owner, CAP_SYS_ADMIN);
}

int utsname_set(enum uts_name which, const char *name, size_t len)
{
	char *to = name_in(current_nsproxy()->uts, which);

	KASSERT(len <= UTS_LEN);
	if (!utsname_may_set())
		return -EPERM;
	spin_lock(&uts_lock);
	memcpy(to, name, len);
	memset(to + len, 0, UTS_LEN + 1 - len);
	spin_unlock(&uts_lock);
	atomic_inc(&utsname_events[which]);
	wake_up_all_key(&utsname_wq, POLLPRI | POLLERR);
	return 0;
}
