/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/signal_kill.c - who may send a signal to whom: kill(2) and kin.
 */
#include <kernel/task/task.h>
#include <kernel/ns/pid.h>

#include <kernel/ns/user.h>
#include <kernel/task/domain.h>
#include <kernel/task/pid.h>
#include <lib/errno.h>

int signal_permission_locked(struct process *p, int sig)
{
	const struct cred *me = current_cred();
	const struct cred *c = p->leader->real_cred;

	if (p == current->proc)
		return 0;
	if (domain_keeps(c->domain, LANDLOCK_SCOPE_SIGNAL))
		return -EPERM;
	if (ns_capable(c->user_ns, CAP_KILL))
		return 0;
	if (me->euid == c->suid || me->euid == c->uid || me->uid == c->suid ||
	    me->uid == c->uid)
		return 0;
	if (sig == SIGCONT && p->sid == current->proc->sid)
		return 0;
	return -EPERM;
}

static int kill_one_locked(struct process *p, int sig, const struct siginfo *si)
{
	int err = signal_permission_locked(p, sig);

	if (err || !sig)
		return err;
	return signal_process_locked(p, sig, si);
}

/* 0 when one was reached, else the last error, else -ESRCH. */
static int kill_group_locked(int pgid, int sig, const struct siginfo *si)
{
	struct pid_slot *s = pid_slot(pgid);
	struct process *p;
	int err = -ESRCH;
	bool reached = false;

	if (!s)
		return -ESRCH;
	list_for_each_entry(p, &s->pgrp, pgrp_node) {
		int e = kill_one_locked(p, sig, si);

		if (!e)
			reached = true;
		else
			err = e;
	}
	return reached ? 0 : err;
}

int task_kill_pgrp(int pgid, int sig, const struct siginfo *si)
{
	int err;

	spin_lock(&task_lock);
	err = kill_group_locked(pgid, sig, si);
	spin_unlock(&task_lock);
	return err;
}

/* kill(-1): everybody but init and ourselves.  Who may not be reached is no error. */
static int kill_all_locked(int sig, const struct siginfo *si)
{
	int err = -ESRCH;

	for (int pid = pid_next_process(2); pid > 0;
	     pid = pid_next_process(pid + 1)) {
		struct process *p = process_find_locked(pid);
		int e;

		if (p == current->proc ||
		    pid_shown(p->pid) <= 1) /* init, or not here */
			continue;
		e = kill_one_locked(p, sig, si);
		if (e != -EPERM)
			err = e;
		else if (err == -ESRCH)
			err = 0;
	}
	return err;
}

int task_kill(int pid, int sig, const struct siginfo *si)
{
	struct process *p;
	int err;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (pid == (int)0x80000000)
		return -ESRCH;
	spin_lock(&task_lock);
	pid = pid_or_group_given(pid);
	if (pid > 0) {
		p = process_find_locked(pid);
		if (!p) {
			struct thread *t = thread_find(pid);

			p = t ? t->proc : NULL;
		}
		err = p ? kill_one_locked(p, sig, si) : -ESRCH;
	} else if (pid == -1) {
		err = kill_all_locked(sig, si);
	} else {
		int pgid = pid ? -pid : current->proc->pgid;

		err = kill_group_locked(pgid, sig, si);
	}
	spin_unlock(&task_lock);
	return err;
}

int task_tkill(int tgid, int tid, int sig, const struct siginfo *si)
{
	struct thread *t;
	int err = -ESRCH;

	if (sig < 0 || sig > NSIG || tid <= 0)
		return -EINVAL;
	spin_lock(&task_lock);
	t = thread_find(pid_given(tid));
	if (t && (tgid <= 0 || t->proc->pid == pid_given(tgid))) {
		err = signal_permission_locked(t->proc, sig);
		if (!err && sig)
			err = signal_thread_locked(t, sig, si);
	}
	spin_unlock(&task_lock);
	return err;
}
