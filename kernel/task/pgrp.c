/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pgrp.c - process groups and sessions.
 *
 * A group is the list of its members in the slot of its number; a session is a
 * count in the slot of its own.  Neither is an object: they exist while somebody
 * is in them.
 *
 * Locking: task_lock.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/ns/pid.h>
#include <kernel/task/pid.h>
#include <lib/errno.h>

void pgrp_join_locked(struct process *p, int pgid, int sid)
{
	assert_held(&task_lock);
	p->pgid = pgid;
	p->sid = sid;
	list_add_tail(&p->pgrp_node, &pid_slot(pgid)->pgrp);
	pid_slot(sid)->nr_session++;
}

void pgrp_leave_locked(struct process *p)
{
	assert_held(&task_lock);
	list_del(&p->pgrp_node);
	KASSERT(pid_slot(p->sid)->nr_session > 0);
	pid_slot(p->sid)->nr_session--;
}

bool pgrp_is_orphaned_locked(int pgid, const struct process *ignore)
{
	struct pid_slot *s = pid_slot(pgid);
	struct process *p;

	assert_held(&task_lock);
	if (!s)
		return true;
	list_for_each_entry(p, &s->pgrp, pgrp_node) {
		const struct process *parent = p->real_parent;

		if (p == ignore || p->zombie || parent == init_process ||
		    (parent && parent->ns_init))
			continue;
		if (parent && parent->pgid != pgid && parent->sid == p->sid)
			return false;
	}
	return true;
}

bool pgrp_is_orphaned(int pgid)
{
	bool orphaned;

	spin_lock(&task_lock);
	orphaned = pgrp_is_orphaned_locked(pgid, NULL);
	spin_unlock(&task_lock);
	return orphaned;
}

bool task_pgrp_exists(int pgid)
{
	struct pid_slot *s;
	bool found;

	spin_lock(&task_lock);
	s = pid_slot(pgid);
	found = s && !list_empty(&s->pgrp);
	spin_unlock(&task_lock);
	return found;
}

bool pgrp_has_stopped_locked(int pgid)
{
	struct pid_slot *s = pid_slot(pgid);
	struct process *p;

	if (!s)
		return false;
	list_for_each_entry(p, &s->pgrp, pgrp_node) {
		if (p->stopped)
			return true;
	}
	return false;
}

static bool group_in_session_locked(int pgid, int sid)
{
	struct pid_slot *s = pid_slot(pgid);

	if (!s || list_empty(&s->pgrp))
		return false;
	return list_first_entry(&s->pgrp, struct process, pgrp_node)->sid ==
	       sid;
}

bool pgrp_exists_in_session(int pgid, int sid)
{
	bool yes;

	spin_lock(&task_lock);
	yes = group_in_session_locked(pgid, sid);
	spin_unlock(&task_lock);
	return yes;
}

/* What setpgid(2) refuses; *@pp is the process that it names. */
static int setpgid_check_locked(int pid, int pgid, struct process **pp)
{
	struct process *me = current->proc;
	struct process *p = process_find_locked(pid);

	if (!p)
		return -ESRCH;
	if (p->real_parent == me) {
		if (p->sid != me->sid)
			return -EPERM;
		if (load_once(&p->did_exec))
			return -EACCES;
	} else if (p != me) {
		return -ESRCH;
	}
	if (p->session_leader)
		return -EPERM;
	if (pgid != p->pid && !group_in_session_locked(pgid, me->sid))
		return -EPERM;
	*pp = p;
	return 0;
}

int task_setpgid(int pid, int pgid)
{
	struct process *p = NULL;
	int err;

	if (pgid < 0)
		return -EINVAL;
	spin_lock(&task_lock);
	pid = pid ? pid_given(pid) : current->proc->pid;
	pgid = pgid ? pid_given(pgid) : pid;
	err = setpgid_check_locked(pid, pgid, &p);
	if (!err && p->pgid != pgid) {
		int sid = p->sid, old = p->pgid;

		pgrp_leave_locked(p);
		pgrp_join_locked(p, pgid, sid);
		pid_settle_locked(old);
	}
	spin_unlock(&task_lock);
	return err;
}

int task_getpgid(int pid)
{
	struct process *p;
	int r = -ESRCH;

	spin_lock(&task_lock);
	p = pid ? process_find_locked(pid_given(pid)) : current->proc;
	if (p)
		r = pid_shown(p->pgid);
	spin_unlock(&task_lock);
	return r;
}

int task_getsid(int pid)
{
	struct process *p;
	int r = -ESRCH;

	spin_lock(&task_lock);
	p = pid ? process_find_locked(pid_given(pid)) : current->proc;
	if (p)
		r = pid_shown(p->sid);
	spin_unlock(&task_lock);
	return r;
}

int task_setsid(void)
{
	struct process *p = current->proc;
	int r = -EPERM;

	spin_lock(&task_lock);
	if (!p->session_leader && list_empty(&pid_slot(p->pid)->pgrp)) {
		int pgid = p->pgid, sid = p->sid;

		pgrp_leave_locked(p);
		pgrp_join_locked(p, p->pid, p->pid);
		pid_settle_locked(pgid);
		pid_settle_locked(sid);
		p->session_leader = true;
		tty_forget(p);
		r = p->ns_pid;
	}
	spin_unlock(&task_lock);
	return r;
}
