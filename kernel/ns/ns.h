/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/ns.h - namespaces: what of the system a thread sees.
 *
 *	ns.c		what all have in common: numbers, references
 *	nsproxy.c	a thread's set of them: clone(2), unshare(2), setns(2)
 *	user.c		user namespaces: whose ids and capabilities these are
 *	pid.c		PID namespaces: numbers of processes
 *	time.c		time namespaces: offsets of clocks
 *	kernel/utsname.c, kernel/ipc/ns.c, fs/mountns.c, net/netns.c: the namespaces
 *			themselves
 *	fs/nsfs.c	namespaces as files
 *
 * OWNERSHIP
 *   thread ---> struct nsproxy ---> uts, ipc, net, pid (of its children), cgroup,
 *     |  |                          time, time of its children
 *     |  `----> struct fs_ctx ----> mnt
 *     |-------> struct cred ------> user          each arrow owns a reference
 *     `-------> struct process ---> pid
 *   every namespace --------------> user (its owner; of a user namespace: its
 *                                   parent), so the tree of user namespaces lives
 *                                   as long as anything below it
 *   inode of nsfs ----------------> the one namespace that it is
 *
 *   A namespace ends with its last reference: ops->free(), which may sleep.  The
 *   first ones are static, begin with a reference and so never end.
 *
 * LOCKING
 *   struct nsproxy is immutable once a thread has it: a change makes a copy and
 *   puts it in the place of current's, under task_lock.  Current reads its own
 *   without a lock, others under task_lock.  thread->nsproxy is NULL in a kernel
 *   thread, which is where init began, and in a thread that has ended.
 *
 * Context: coroutine, without spinlocks, where not said otherwise.
 */
#ifndef KERNEL_NS_NS_H
#define KERNEL_NS_NS_H

#include <kernel/sched/thread.h>
#include <lib/atomic.h>
#include <lib/types.h>

struct cred;
struct fs_ctx;
struct ns_common;
struct nsset;
struct process;
struct user_ns;

/* How many there are, without the first, and may be: /proc/sys/user. */
struct ns_count {
	u64 max; /* [a] */
	u64 nr;	 /* [a] */
};

struct ns_ops {
	const char *name; /* "uts": of links, and what they say */
	u64 flag;	  /* CLONE_NEWUTS ... */
	struct ns_count *count;
	void (*free)(struct ns_common *ns); /* no reference is left */
	/* setns(2): @set gets @ns, or -errno.  What it is given in exchange it
	 * keeps till the set is committed or dropped. */
	int (*install)(struct nsset *set, struct ns_common *ns);
	/* The next one up, no reference; NULL: @ns is the first.  Optional: they
	 * are no tree. */
	struct ns_common *(*parent)(struct ns_common *ns);
};

struct ns_common {
	u32 refs;		  /* [a] */
	u32 ino;		  /* [I] of its file */
	const struct ns_ops *ops; /* [I] */
	struct user_ns *owner;	  /* [I] owned; NULL: the first user_ns */
};

/* Numbers of the first ones: linux/proc_ns.h */
#define NS_INO_IPC    0xefffffffu
#define NS_INO_UTS    0xeffffffeu
#define NS_INO_USER   0xeffffffdu
#define NS_INO_PID    0xeffffffcu
#define NS_INO_CGROUP 0xeffffffbu
#define NS_INO_TIME   0xeffffffau
#define NS_INO_MNT    0xf0000001u
#define NS_INO_NET    0xf0000000u

#define NS_INIT(nm, number)                                      \
	{                                                        \
		.refs = 1, .ino = (number), .ops = &nm##_ns_ops, \
		.owner = &init_user_ns                           \
	}

/* --- ns.c */
extern struct ns_count user_ns_count, mnt_ns_count, uts_ns_count, ipc_ns_count,
	pid_ns_count, net_ns_count, cgroup_ns_count, time_ns_count;
/* One reference, the caller's; takes one of @owner.  0 or -ENOSPC. */
int ns_init(struct ns_common *ns, const struct ns_ops *ops,
	    struct user_ns *owner);
void ns_put(struct ns_common *ns); /* NULL is fine */
static inline void ns_get(struct ns_common *ns)
{
	atomic_inc(&ns->refs);
}

/* False: it is ending.  The caller sees to it that the memory is there. */
static inline bool ns_try_get(struct ns_common *ns)
{
	u32 refs = load_once(&ns->refs);

	for (u32 seen; refs; refs = seen) {
		seen = atomic_cmpxchg(&ns->refs, refs, refs + 1);
		if (seen == refs)
			return true;
	}
	return false;
}

/* --- user.c; see user.h */
extern const struct ns_ops user_ns_ops;
extern struct user_ns init_user_ns;
/* Has current @cap towards what belongs to @ns?  Any context. */
bool ns_capable(const struct user_ns *ns, unsigned int cap);

/* --- nsproxy.c */
struct uts_ns;
struct ipc_ns;
struct pid_ns;
struct net_ns;
struct cgroup_ns;
struct time_ns;

struct nsproxy {
	u32 refs;	    /* [a] */
	struct uts_ns *uts; /* [I] owned, like all */
	struct ipc_ns *ipc;
	struct net_ns *net;
	struct pid_ns *pid; /* of children; its own is process->pid_ns */
	struct cgroup_ns *cgroup;
	struct time_ns *time, *time_children; /* the latter after fork, exec */
};
extern struct nsproxy init_nsproxy;

static inline const struct nsproxy *current_nsproxy(void)
{
	const struct nsproxy *n = current->nsproxy;

	return likely(n) ? n : &init_nsproxy;
}
static inline struct nsproxy *nsproxy_get(struct nsproxy *n)
{
	atomic_inc(&n->refs);
	return n;
}
void nsproxy_put(struct nsproxy *n); /* NULL is fine */

/* What pointer @at of a set owned goes, and it owns @fresh instead. */
#define ns_replace(at, fresh)           \
	do {                            \
		typeof(at) was_ = (at); \
                                        \
		(at) = (fresh);         \
		ns_put(&was_->ns);      \
	} while (0)

/* Namespace flags of clone(2) that are understood here; others are EINVAL. */
#define NS_FLAGS                                                     \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME)

/* For a new thread, which acts for @owner: those that @flags want made are new.
 * 0, -EPERM, -EINVAL, -ENOMEM, -ENOSPC. */
int nsproxy_clone(u64 flags, struct user_ns *owner, struct nsproxy **out);
/* Current's from now on; takes the reference. */
void nsproxy_switch(struct nsproxy *n);
/* The time namespace of children becomes one's own: @t's, which is new and has its
 * address space (0 or -ENOMEM), or current's at exec: a set to switch to (NULL: none
 * needed), or ERR_PTR. */
int nsproxy_fork_time(struct thread *t);
struct nsproxy *nsproxy_exec_time(void);

/* setns(2) in two steps: all or nothing. */
struct nsset {
	u64 flags;
	struct nsproxy *nsproxy; /* a copy of current's: ours alone */
	struct fs_ctx *fs;	 /* CLONE_NEWNS: a copy of current's */
	struct cred *cred; /* likewise with CLONE_NEWUSER, else current's */
};
/* Will current, once it has @set, have @cap in its user namespace? */
bool nsset_capable(const struct nsset *set, unsigned int cap);
/* Has current CAP_SYS_ADMIN over @ns, and will it where @set takes it? */
bool nsset_may_enter(const struct nsset *set, const struct ns_common *ns);
int ns_enter(struct ns_common *ns);		    /* current moves to @ns */
int ns_enter_process(struct process *p, u64 flags); /* to those of @p */

/* Links of /proc/<pid>/ns, in their order; NULL: no more. */
const char *ns_link_name(unsigned int i);
/* What link @i of thread @tid, or else of @p's leader, leads to, with a reference;
 * NULL: it has ended. */
struct ns_common *ns_of_tid(int tid, struct process *p, unsigned int i);

#endif /* KERNEL_NS_NS_H */
