/* SPDX-License-Identifier: MIT */
/* kernel/file/owner.c - signals to who was named with F_SETOWN; see owner.h. */
#include <kernel/file/owner.h>

#include <kernel/task/domain.h>
#include <kernel/task/pid.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/task.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static struct spinlock owner_lock = SPINLOCK_INIT("owner", RANK_DEV);

/* @n's domain becomes @o's. */
static void replace(struct file_owner *o, const struct file_owner *n)
{
	struct domain *old;

	spin_lock(&owner_lock);
	old = o->domain;
	o->domain = n->domain;
	store_once(&o->by, n->by);
	store_once(&o->uid, n->uid);
	store_once(&o->euid, n->euid);
	store_once(&o->type, n->type);
	store_once(&o->pid, n->pid);
	spin_unlock(&owner_lock);
	domain_put(old);
}

static struct file_owner copy_of(struct file_owner *o)
{
	struct file_owner c;

	spin_lock(&owner_lock);
	c = *o;
	(void)domain_get(c.domain);
	spin_unlock(&owner_lock);
	return c;
}

void owner_set(struct file_owner *o, int type, s32 pid)
{
	const struct cred *c = current_cred();
	struct file_owner n = { .pid = pid,
				.type = (u8)type,
				.uid = c->uid,
				.euid = c->euid,
				.by = current->proc->pid,
				.domain = domain_get(c->domain) };

	replace(o, &n);
}

void owner_default(struct file_owner *o)
{
	if (!load_once(&o->pid))
		owner_set(o, OWNER_PID, current->proc->pid);
}

void owner_update(struct file_owner *to, struct file_owner *from)
{
	struct file_owner c = copy_of(from);

	replace(to, &c);
}

void owner_clear(struct file_owner *o)
{
	static const struct file_owner nobody;

	replace(o, &nobody);
}

/* May who named @o send signals to @p?  task_lock held. */
static bool may_tell(const struct file_owner *o, const struct process *p)
{
	const struct cred *c = p->leader->real_cred;

	if (o->euid && o->euid != c->suid && o->euid != c->uid &&
	    o->uid != c->suid && o->uid != c->uid)
		return false;
	return p->pid == o->by ||
	       !domain_confines(o->domain, c->domain, LANDLOCK_SCOPE_SIGNAL);
}

/* 0 when one of them may be told, else -EPERM or -ESRCH. */
static int tell_group(const struct file_owner *o, int sig,
		      const struct siginfo *si)
{
	struct pid_slot *s = pid_slot(-o->pid);
	struct process *p;
	int err = -ESRCH;

	if (!s)
		return err;
	list_for_each_entry(p, &s->pgrp, pgrp_node) {
		if (may_tell(o, p)) {
			(void)signal_process_locked(p, sig, si);
			err = 0;
		} else if (err) {
			err = -EPERM;
		}
	}
	return err;
}

/* task_lock held. */
static int tell(const struct file_owner *o, int sig, const struct siginfo *si)
{
	struct thread *t;
	struct process *p;

	if (o->pid < 0)
		return tell_group(o, sig, si);
	if (o->type == OWNER_TID) {
		t = thread_find(o->pid);
		if (!t || !t->proc)
			return -ESRCH;
		return may_tell(o, t->proc) ? signal_thread_locked(t, sig, si)
					    : -EPERM;
	}
	p = process_find_locked(o->pid);
	if (!p)
		return -ESRCH;
	return may_tell(o, p) ? signal_process_locked(p, sig, si) : -EPERM;
}

int owner_signal(struct file_owner *o, int sig, const struct siginfo *si)
{
	struct file_owner c;
	int err;

	if (!load_once(&o->pid))
		return -ESRCH;
	c = copy_of(o);
	spin_lock(&task_lock);
	err = tell(&c, sig, si);
	spin_unlock(&task_lock);
	domain_put(c.domain);
	return err;
}
