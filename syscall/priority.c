/* SPDX-License-Identifier: MIT */
/*
 * syscall/priority.c - nice values: a thread's share of its hart's slices
 * (relay_slice_arm()).
 */
#include <syscall/sched.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>

#include <kernel/task/task.h>

enum {
	PRIO_PROCESS,
	PRIO_PGRP,
	PRIO_USER
};

struct prio_walk {
	int which, who;
	bool set;
	s32 nice; /* to set */
	s32 best; /* lowest found */
	int err;
};

bool may_nice(const struct thread *t, s32 nice)
{
	return nice >= t->nice ||
	       20 - nice <= (s32)min_t(u64, rlimit_cur(RLIMIT_NICE), 40) ||
	       capable(CAP_SYS_NICE);
}

static int set_nice(struct thread *t, s32 nice)
{
	if (!may_schedule(t))
		return -EPERM;
	if (!may_nice(t, nice))
		return -EACCES;
	store_once(&t->nice, nice);
	return 0;
}

static void visit_thread(struct thread *t, struct prio_walk *w)
{
	int err;

	if (!w->set) {
		w->best = min(w->best, load_once(&t->nice));
		w->err = 0;
		return;
	}
	err = set_nice(t, w->nice);
	if (err || w->err == -ESRCH)
		w->err = err;
}

static void visit_process(struct process *p, void *ctx)
{
	struct prio_walk *w = ctx;
	struct thread *t;

	if (w->which == PRIO_PGRP && p->pgid != w->who)
		return;
	if (w->which == PRIO_USER && p->leader->real_cred->uid != (u32)w->who)
		return;
	list_for_each_entry(t, &p->threads, proc_node)
		visit_thread(t, w);
}

static int prio_walk(struct prio_walk *w)
{
	struct thread *t;

	w->err = -ESRCH;
	w->best = 20;
	switch (w->which) {
	case PRIO_PROCESS:
		spin_lock(&task_lock);
		t = sched_find_locked(w->who);
		if (t)
			visit_thread(t, w);
		spin_unlock(&task_lock);
		return w->err;
	case PRIO_PGRP:
		if (!w->who)
			w->who = current->proc->pgid;
		else
			w->who = pid_given(w->who);
		break;
	case PRIO_USER:
		if (!w->who)
			w->who = (int)current_cred()->uid;
		else
			w->who = (int)uid_given((u32)w->who);
		break;
	default:
		return -EINVAL;
	}
	process_for_each(visit_process, w);
	return w->err;
}

SYSCALL2(141, getpriority, int, which, int, who)
{
	struct prio_walk w = { .which = which, .who = who };
	int err = prio_walk(&w);

	return err ? err : 20 - w.best;
}

SYSCALL3(140, setpriority, int, which, int, who, int, nice)
{
	struct prio_walk w = { .which = which, .who = who, .set = true };

	w.nice = clamp(nice, -20, 19);
	return prio_walk(&w);
}
