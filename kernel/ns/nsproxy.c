/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/nsproxy.c - a thread's set of namespaces; see ns.h.
 *
 * Not here: mount namespaces, which hang on struct fs_ctx because a root and a
 * working directory only mean something in theirs.
 */
#include <kernel/ns/ns.h>

#include <kernel/cgroup/cgroup.h>
#include <kernel/ipc/ipc.h>
#include <kernel/ns/user.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/net.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/time.h>
#include <kernel/task/clone.h>
#include <kernel/task/task.h>
#include <kernel/upcalls.h>
#include <kernel/utsname.h>
#include <lib/errno.h>

struct nsproxy init_nsproxy = {
	.refs = 1,
	.uts = &init_uts_ns,
	.ipc = &init_ipc_ns,
	.net = &init_net_ns,
	.pid = &init_pid_ns,
	.cgroup = &init_cgroup_ns,
	.time = &init_time_ns,
	.time_children = &init_time_ns,
};

void nsproxy_put(struct nsproxy *n)
{
	if (!n || !atomic_dec_and_test(&n->refs))
		return;
	ns_put(&n->uts->ns);
	ns_put(&n->ipc->ns);
	ns_put(&n->net->ns);
	ns_put(&n->pid->ns);
	ns_put(&n->cgroup->ns);
	ns_put(&n->time->ns);
	ns_put(&n->time_children->ns);
	kfree(n);
}

static struct nsproxy *nsproxy_dup(const struct nsproxy *o)
{
	struct nsproxy *n = kmalloc(sizeof(*n));

	if (!n)
		return NULL;
	*n = *o;
	n->refs = 1;
	ns_get(&n->uts->ns);
	ns_get(&n->ipc->ns);
	ns_get(&n->net->ns);
	ns_get(&n->pid->ns);
	ns_get(&n->cgroup->ns);
	ns_get(&n->time->ns);
	ns_get(&n->time_children->ns);
	return n;
}

/* The one that was just made in the place of what @at owned; or why it was not. */
#define put_new(at, made)                                         \
	({                                                        \
		typeof(at) new_ = (made);                         \
		int err_ = IS_ERR(new_) ? (int)PTR_ERR(new_) : 0; \
                                                                  \
		if (!err_)                                        \
			ns_replace(at, new_);                     \
		err_;                                             \
	})

int nsproxy_clone(u64 flags, struct user_ns *owner, struct nsproxy **out)
{
	struct nsproxy *n;
	int err = 0;

	if (likely(!(flags & CLONE_NAMESPACES & ~(u64)CLONE_NEWUSER))) {
		*out = nsproxy_get((struct nsproxy *)current_nsproxy());
		return 0;
	}
	if (!ns_capable(owner, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & CLONE_NAMESPACES & ~(u64)NS_FLAGS)
		return -EINVAL;
	n = nsproxy_dup(current_nsproxy());
	if (!n)
		return -ENOMEM;
	if (flags & CLONE_NEWUTS)
		err = put_new(n->uts, uts_ns_new(n->uts, owner));
	if (!err && (flags & CLONE_NEWIPC))
		err = put_new(n->ipc, ipc_ns_new(owner));
	if (!err && (flags & CLONE_NEWPID))
		err = put_new(n->pid, pid_ns_new(n->pid, owner));
	if (!err && (flags & CLONE_NEWNET))
		err = put_new(n->net, net_ns_new(owner));
	if (!err && (flags & CLONE_NEWCGROUP))
		err = put_new(n->cgroup, cgroup_ns_new(owner));
	if (!err && (flags & CLONE_NEWTIME))
		err = put_new(n->time_children,
			      time_ns_new(n->time_children, owner));
	if (err) {
		nsproxy_put(n);
		return err;
	}
	*out = n;
	return 0;
}

void nsproxy_switch(struct nsproxy *n)
{
	struct thread *t = current;
	struct nsproxy *old;

	spin_lock(&task_lock);
	old = t->nsproxy;
	t->nsproxy = n;
	spin_unlock(&task_lock);
	nsproxy_put(old);
}

static struct nsproxy *with_time_of_children(const struct nsproxy *o)
{
	struct nsproxy *n = nsproxy_dup(o);

	if (!n)
		return NULL;
	ns_get(&n->time_children->ns);
	ns_replace(n->time, n->time_children);
	return n;
}

int nsproxy_fork_time(struct thread *t)
{
	struct nsproxy *old = t->nsproxy;

	if (likely(old->time == old->time_children))
		return 0;
	t->nsproxy = with_time_of_children(old);
	nsproxy_put(old);
	if (!t->nsproxy)
		return -ENOMEM;
	time_ns_enter(t->nsproxy->time, t->mm);
	return 0;
}

struct nsproxy *nsproxy_exec_time(void)
{
	const struct nsproxy *old = current_nsproxy();
	struct nsproxy *n;

	if (likely(old->time == old->time_children))
		return NULL;
	n = with_time_of_children(old);
	return n ? n : ERR_PTR(-ENOMEM);
}

/* --- setns(2) */

bool nsset_capable(const struct nsset *set, unsigned int cap)
{
	return cred_capable(set->cred, set->cred->user_ns, cap);
}

bool nsset_may_enter(const struct nsset *set, const struct ns_common *ns)
{
	return ns_capable(ns->owner, CAP_SYS_ADMIN) &&
	       nsset_capable(set, CAP_SYS_ADMIN);
}

static void nsset_drop(struct nsset *set)
{
	nsproxy_put(set->nsproxy);
	if (set->fs)
		fs_ctx_put(set->fs);
	cred_put(set->cred);
}

static int nsset_prepare(struct nsset *set, u64 flags)
{
	bool want_fs = flags & CLONE_NEWNS, own = flags & CLONE_NEWUSER;

	*set = (struct nsset){ .flags = flags };
	if (want_fs && task_shares_fs())
		return -EINVAL;
	set->nsproxy = nsproxy_dup(current_nsproxy());
	set->cred = own ? cred_dup(current->cred) : cred_get(current->cred);
	set->fs = want_fs ? fs_ctx_dup(current->fs) : NULL;
	if (set->nsproxy && set->cred && (set->fs || !want_fs))
		return 0;
	nsset_drop(set);
	return -ENOMEM;
}

/* Nothing can fail any more. */
static void nsset_commit(struct nsset *set)
{
	if (set->flags & CLONE_NEWIPC)
		sem_leave_ns();
	if (set->fs)
		task_set_fs(set->fs);
	nsproxy_switch(set->nsproxy);
	if (set->flags & CLONE_NEWTIME)
		time_ns_enter(set->nsproxy->time, current->mm);
	/* Somebody else's root is not to look into who visits. */
	if ((set->flags & CLONE_NEWUSER) &&
	    !user_ns_made_below(set->cred->user_ns, current_cred()))
		task_undumpable();
	if (set->flags & CLONE_NEWUSER)
		cred_replace(set->cred);
	else
		cred_put(set->cred);
}

int ns_enter(struct ns_common *ns)
{
	struct nsset set;
	int err =
		ns->ops->install ? nsset_prepare(&set, ns->ops->flag) : -EINVAL;

	if (err)
		return err;
	err = ns->ops->install(&set, ns);
	if (err)
		nsset_drop(&set);
	else
		nsset_commit(&set);
	return err;
}

/* Namespaces that setns() with a pidfd goes through, in Linux's order. */
static const u64 enter_order[] = { CLONE_NEWUSER, CLONE_NEWNS,	CLONE_NEWUTS,
				   CLONE_NEWIPC,  CLONE_NEWPID, CLONE_NEWCGROUP,
				   CLONE_NEWNET,  CLONE_NEWTIME };

static struct ns_common *ns_with_flag(struct process *p, u64 flag);

static int install_from(struct nsset *set, struct process *p, u64 flag)
{
	struct ns_common *ns = ns_with_flag(p, flag);
	int err;

	if (!ns)
		return -ESRCH;
	err = ns->ops->install(set, ns);
	ns_put(ns);
	return err;
}

int ns_enter_process(struct process *p, u64 flags)
{
	struct nsset set;
	int err = nsset_prepare(&set, flags);

	if (err)
		return err;
	for (u32 i = 0; !err && i < ARRAY_SIZE(enter_order); i++)
		if (flags & enter_order[i])
			err = install_from(&set, p, enter_order[i]);
	if (err)
		nsset_drop(&set);
	else
		nsset_commit(&set);
	return err;
}

/* --- links */

static struct ns_common *uts_of(struct thread *t)
{
	return t->nsproxy ? &t->nsproxy->uts->ns : NULL;
}

static struct ns_common *ipc_of(struct thread *t)
{
	return t->nsproxy ? &t->nsproxy->ipc->ns : NULL;
}

static struct ns_common *net_of(struct thread *t)
{
	return t->nsproxy ? &t->nsproxy->net->ns : NULL;
}

static struct ns_common *cgroup_of(struct thread *t)
{
	return t->nsproxy ? &t->nsproxy->cgroup->ns : NULL;
}

static struct ns_common *time_of(struct thread *t)
{
	return t->nsproxy ? &t->nsproxy->time->ns : NULL;
}

static struct ns_common *time_children_of(struct thread *t)
{
	return t->nsproxy ? &t->nsproxy->time_children->ns : NULL;
}

static struct ns_common *pid_of(struct thread *t)
{
	return &t->proc->pid_ns->ns;
}

/* Not before it has an init. */
static struct ns_common *pid_children_of(struct thread *t)
{
	struct pid_ns *ns = t->nsproxy ? t->nsproxy->pid : NULL;

	return ns && (!ns->level || ns->init || ns->dead) ? &ns->ns : NULL;
}

static struct ns_common *user_of(struct thread *t)
{
	return &t->real_cred->user_ns->ns;
}

static struct ns_common *mnt_of(struct thread *t)
{
	return t->fs ? fs_ctx_mnt_ns(t->fs) : NULL;
}

static const struct {
	const char *name;
	u64 flag;
	struct ns_common *(*of_locked)(struct thread *t); /* no reference */
} links[] = {
	{ "net", CLONE_NEWNET, net_of },
	{ "uts", CLONE_NEWUTS, uts_of },
	{ "ipc", CLONE_NEWIPC, ipc_of },
	{ "pid", CLONE_NEWPID, pid_of },
	{ "pid_for_children", 0, pid_children_of },
	{ "user", CLONE_NEWUSER, user_of },
	{ "mnt", CLONE_NEWNS, mnt_of },
	{ "cgroup", CLONE_NEWCGROUP, cgroup_of },
	{ "time", CLONE_NEWTIME, time_of },
	{ "time_for_children", 0, time_children_of },
};

const char *ns_link_name(unsigned int i)
{
	return i < ARRAY_SIZE(links) ? links[i].name : NULL;
}

static struct ns_common *hold_locked(struct thread *t, unsigned int i)
{
	struct ns_common *ns = links[i].of_locked(t);

	if (ns)
		ns_get(ns);
	return ns;
}

struct ns_common *ns_of_tid(int tid, struct process *p, unsigned int i)
{
	struct ns_common *ns;
	struct thread *t;

	spin_lock(&task_lock);
	t = thread_find(tid);
	ns = hold_locked(t && t->proc == p ? t : p->leader, i);
	spin_unlock(&task_lock);
	return ns;
}

struct net_ns *net_ns_of_tid(int tid, struct process *p)
{
	struct net_ns *n = NULL;
	struct thread *t;

	spin_lock(&task_lock);
	t = thread_find(tid);
	if (!t || t->proc != p)
		t = p->leader;
	if (t->nsproxy)
		n = net_ns_get(t->nsproxy->net);
	spin_unlock(&task_lock);
	return n;
}

struct time_ns *time_ns_of_children(struct process *p)
{
	struct ns_common *ns;

	spin_lock(&task_lock);
	ns = time_children_of(p->leader);
	if (ns)
		ns_get(ns);
	spin_unlock(&task_lock);
	return ns ? container_of(ns, struct time_ns, ns) : NULL;
}

static struct ns_common *ns_with_flag(struct process *p, u64 flag)
{
	struct ns_common *ns;
	unsigned int i = 0;

	while (links[i].flag != flag)
		i++;
	spin_lock(&task_lock);
	ns = hold_locked(p->leader, i);
	spin_unlock(&task_lock);
	return ns;
}
