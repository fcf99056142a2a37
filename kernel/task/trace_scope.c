/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trace_scope.c - whom a process may attach to, besides whom it might by
 * what it is: the Yama of Linux, with its kernel.yama.ptrace_scope.
 *
 *	0	everybody
 *	1	what descends from it, and who named it by PR_SET_PTRACER, or one that it
 *		descends from
 *	2	whoever has CAP_SYS_PTRACE
 *	3	nobody, nor may anybody be traced by its parent; that cannot be taken back
 *
 * Who only looks (PTRACE_MODE_READ) is not asked.  A tracer that was named is known by
 * its number and its birth, so that it is nobody any more when it has ended.
 *
 * Locking: task_lock.
 */
#include <kernel/task/trace.h>

#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <lib/errno.h>

enum {
	SCOPE_ALL,
	SCOPE_RELATED,
	SCOPE_PRIVILEGED,
	SCOPE_NOBODY,
};

static u32 scope; /* [a] SCOPE_* */

u32 trace_scope(void)
{
	return load_once(&scope);
}

int trace_set_scope(u64 v)
{
	int err = 0;

	if (!capable(CAP_SYS_PTRACE))
		return -EPERM;
	if (v > SCOPE_NOBODY)
		return -EINVAL;
	spin_lock(&task_lock);
	if (scope == SCOPE_NOBODY && v != SCOPE_NOBODY)
		err = -EINVAL;
	else
		store_once(&scope, (u32)v);
	spin_unlock(&task_lock);
	return err;
}

int trace_name_tracer(int pid)
{
	struct process *me = current->proc;
	struct thread *t;
	int err = 0;

	spin_lock(&task_lock);
	t = pid > 0 ? thread_find(pid_given(pid)) : NULL;
	if (t && t->proc) {
		me->tracer_pid = t->proc->pid;
		me->tracer_born = t->proc->start_ns;
	} else if (pid == TRACER_NONE || pid == TRACER_ANY) {
		me->tracer_pid = pid;
	} else {
		err = -EINVAL;
	}
	spin_unlock(&task_lock);
	return err;
}

/* Is current's process one that @p named, or does it descend from that? */
static bool is_named_locked(const struct process *p)
{
	const struct process *q = current->proc;

	if (p->tracer_pid == TRACER_NONE || p->tracer_pid == TRACER_ANY)
		return p->tracer_pid == TRACER_ANY;
	for (; q; q = q->real_parent) {
		if (q->pid == p->tracer_pid && q->start_ns == p->tracer_born)
			return true;
	}
	return false;
}

static bool descends_locked(const struct process *p)
{
	for (; p; p = p->real_parent) {
		if (p == current->proc)
			return true;
	}
	return false;
}

static bool traces_locked(const struct process *p)
{
	const struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		const struct tracee *tr = thread_tracee(t);

		if (tr && tr->tracer == current->proc)
			return true;
	}
	return false;
}

static bool in_scope_locked(const struct process *p)
{
	u32 now = load_once(&scope);

	if (now == SCOPE_ALL || p == current->proc)
		return true;
	if (now == SCOPE_NOBODY)
		return false;
	if (ns_capable(p->leader->real_cred->user_ns, CAP_SYS_PTRACE))
		return true;
	return now == SCOPE_RELATED &&
	       (descends_locked(p) || traces_locked(p) || is_named_locked(p));
}

int trace_may_attach_locked(struct process *p, bool fs)
{
	int err = trace_may_access_locked(p, fs);

	return !err && !in_scope_locked(p) ? -EPERM : err;
}

int trace_may_attach(struct process *p, bool fs)
{
	int err;

	spin_lock(&task_lock);
	err = trace_may_attach_locked(p, fs);
	spin_unlock(&task_lock);
	return err;
}

bool trace_parent_in_scope_locked(void)
{
	const struct process *parent = current->proc->real_parent;
	u32 now = load_once(&scope);

	if (now == SCOPE_PRIVILEGED)
		return cred_capable(parent->leader->real_cred,
				    current_user_ns(), CAP_SYS_PTRACE);
	return now != SCOPE_NOBODY;
}
