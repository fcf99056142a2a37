/* SPDX-License-Identifier: MIT */
/*
 * syscall/ioprio.c - priorities of disk transfers: kept, and not acted on, as with
 * Linux's "none" scheduler.
 */
#include <syscall/syscall.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>

#include <kernel/task/ext.h>
#include <kernel/task/task.h>

enum {
	WHO_PROCESS = 1,
	WHO_PGRP,
	WHO_USER
};
enum {
	CLASS_NONE,
	CLASS_RT,
	CLASS_BE,
	CLASS_IDLE
};
#define CLASS(p)     ((p) >> 13 & 7) /* of 16 bits, whatever is above them */
#define LEVEL(p)     ((p)&7)
#define MAX_TO_VISIT 64u

static int check(u32 prio)
{
	switch (CLASS(prio)) {
	case CLASS_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0
								       : -EPERM;
	case CLASS_BE:
	case CLASS_IDLE:
		return 0;
	case CLASS_NONE:
		return LEVEL(prio) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* Leaders of the processes that are meant. */
struct visit {
	u32 which;
	int who;
	u32 uid, nr;
	int tid[MAX_TO_VISIT];
	u16 best;
};

static void see(struct process *p, void *arg)
{
	struct visit *v = arg;
	u16 prio;

	if (!p->leader || p->zombie ||
	    (v->which == WHO_PGRP && p->pgid != v->who) ||
	    (v->which == WHO_USER && p->leader->real_cred->uid != v->uid))
		return;
	prio = thread_ioprio_locked(p->leader);
	/* The lowest class and level are the most urgent; none is best effort 4. */
	if (!v->nr || (prio ? prio : 0x4004) < (v->best ? v->best : 0x4004))
		v->best = prio;
	if (v->nr < MAX_TO_VISIT)
		v->tid[v->nr++] = p->pid;
}

static int find(struct visit *v, u32 which, int who)
{
	v->which = which;
	v->who = which == WHO_PGRP && !who ? current->proc->pgid
					   : pid_given(who);
	v->uid = who ? uid_given((u32)who) : current->real_cred->uid;
	v->nr = 0;
	v->best = 0;
	process_for_each(see, v);
	return v->nr ? 0 : -ESRCH;
}

/* May current change @tid's?  As setpriority(2) has it. */
static int may_set(int tid)
{
	const struct cred *me = current_cred();
	struct thread *t;
	int err = -ESRCH;

	spin_lock(&task_lock);
	t = tid ? thread_find(pid_given(tid)) : current;
	if (t)
		err = t->real_cred->uid == me->euid ||
				      t->real_cred->uid == me->uid ||
				      ns_capable(t->real_cred->user_ns,
						 CAP_SYS_NICE)
			      ? 0
			      : -EPERM;
	spin_unlock(&task_lock);
	return err;
}

static int set_one(int tid, u16 prio)
{
	int err = may_set(tid);

	return err ? err : thread_set_ioprio(tid, prio);
}

SYSCALL3(30, ioprio_set, u32, which, int, who, u32, prio)
{
	struct visit v;
	int err = check(prio);

	if (err)
		return err;
	if (which == WHO_PROCESS)
		return set_one(who, (u16)prio);
	if (which != WHO_PGRP && which != WHO_USER)
		return -EINVAL;
	err = find(&v, which, who);
	for (u32 i = 0; !err && i < v.nr; i++)
		err = set_one(v.tid[i], (u16)prio);
	return err;
}

SYSCALL2(31, ioprio_get, u32, which, int, who)
{
	struct thread *t;
	struct visit v;
	int r;

	if (which == WHO_PGRP || which == WHO_USER) {
		r = find(&v, which, who);
		return r ? r : v.best;
	}
	if (which != WHO_PROCESS)
		return -EINVAL;
	spin_lock(&task_lock);
	t = who ? thread_find(pid_given(who)) : current;
	r = t ? thread_ioprio_locked(t) : -ESRCH;
	spin_unlock(&task_lock);
	return r;
}
