/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/pid.c - PID namespaces: numbers, and the end of a namespace; see pid.h.
 *
 * INVARIANTS
 *   I1  entry @nr of a namespace's table is the slot whose pid_nums have @nr at its
 *       level, or 0.
 *   I2  a slot that is free has no pid_nums once pid_settle_locked() has seen it.
 */
#include <kernel/ns/pid.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/clone.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Of all tables and pid_nums; changes are made under task_lock besides. */
static struct spinlock nums_lock = SPINLOCK_INIT("pid_nums", RANK_VMA);

static void pid_ns_free(struct ns_common *ns)
{
	struct pid_ns *n = container_of(ns, struct pid_ns, ns);
	struct pid_ns *parent = n->parent;

	for (u32 i = 0; i < ARRAY_SIZE(n->chunk); i++)
		kfree(n->chunk[i]);
	kfree(n);
	ns_put(&parent->ns);
}

static struct ns_common *pid_parent(struct ns_common *ns)
{
	struct pid_ns *p = container_of(ns, struct pid_ns, ns)->parent;

	return p && pid_ns_below(p, current_pid_ns()) ? &p->ns : NULL;
}

/* Only downwards: who has a number in a namespace keeps it. */
static int pid_install(struct nsset *set, struct ns_common *ns)
{
	struct pid_ns *n = container_of(ns, struct pid_ns, ns);

	if (!nsset_may_enter(set, ns))
		return -EPERM;
	if (!pid_ns_below(n, current_pid_ns()))
		return -EINVAL;
	ns_get(ns);
	ns_replace(set->nsproxy->pid, n);
	return 0;
}

const struct ns_ops pid_ns_ops = {
	.name = "pid",
	.flag = CLONE_NEWPID,
	.count = &pid_ns_count,
	.free = pid_ns_free,
	.install = pid_install,
	.parent = pid_parent,
};

struct pid_ns init_pid_ns = { .ns = NS_INIT(pid, NS_INO_PID) };

bool pid_ns_below(const struct pid_ns *ns, const struct pid_ns *top)
{
	while (ns->level > top->level)
		ns = ns->parent;
	return ns == top;
}

struct pid_ns *pid_ns_new(struct pid_ns *parent, struct user_ns *owner)
{
	struct pid_ns *n;
	int err;

	if (!user_ns_below(owner, parent->ns.owner) ||
	    current_pid_ns() != parent)
		return ERR_PTR(-EINVAL);
	if (parent->level >= PID_NS_LEVELS)
		return ERR_PTR(-ENOSPC);
	n = kzalloc(sizeof(*n));
	err = n ? ns_init(&n->ns, &pid_ns_ops, owner) : -ENOMEM;
	if (err) {
		kfree(n);
		return ERR_PTR(err);
	}
	waitq_init(&n->wq);
	n->level = parent->level + 1;
	n->parent = parent;
	ns_get(&parent->ns);
	return n;
}

/* --- numbers */

static u16 *entry_of(struct pid_ns *ns, int nr)
{
	u16 *c = ns->chunk[(u32)nr / PID_CHUNK];

	return c ? &c[(u32)nr % PID_CHUNK] : NULL;
}

static u16 *make_entry(struct pid_ns *ns, int nr)
{
	u16 **c = &ns->chunk[(u32)nr / PID_CHUNK];

	if (!*c)
		*c = kcalloc(PID_CHUNK, sizeof(u16));
	return entry_of(ns, nr);
}

static int nr_in_locked(const struct pid_ns *ns, int pid)
{
	const struct pid_slot *s = pid_slot(pid);
	const struct pid_nums *n = s ? s->nums : NULL;

	return n && pid_ns_below(n->ns, ns) ? n->nr[ns->level - 1] : 0;
}

static int global_locked(struct pid_ns *ns, int nr)
{
	u16 *e;

	e = nr < PID_MAX ? entry_of(ns, nr) : NULL;
	return e && *e ? *e : PID_NOBODY;
}

int pid_nr_in(const struct pid_ns *ns, int pid)
{
	int r;

	if (!ns->level)
		return pid;
	spin_lock(&nums_lock);
	r = nr_in_locked(ns, pid);
	spin_unlock(&nums_lock);
	return r;
}

int pid_global(struct pid_ns *ns, int nr)
{
	int r;

	if (!ns->level || nr <= 0)
		return nr;
	spin_lock(&nums_lock);
	r = global_locked(ns, nr);
	spin_unlock(&nums_lock);
	return r;
}

int pid_last_shown(void)
{
	struct pid_ns *ns = current_pid_ns();

	return ns == &init_pid_ns ? process_last_pid() : load_once(&ns->last);
}

int pid_cursor_shown(void)
{
	struct pid_ns *ns = current_pid_ns();

	return ns == &init_pid_ns ? pid_cursor() : load_once(&ns->last);
}

int pid_set_last(u64 nr)
{
	struct pid_ns *ns = current_pid_ns();

	if (!ns_capable(ns->ns.owner, CAP_CHECKPOINT_RESTORE) &&
	    !ns_capable(ns->ns.owner, CAP_SYS_ADMIN))
		return -EPERM;
	if (nr > load_once(&pid_max))
		return -EINVAL;
	spin_lock(&task_lock);
	if (ns == &init_pid_ns) {
		pid_set_cursor((int)nr);
	} else {
		spin_lock(&nums_lock);
		store_once(&ns->last, (int)nr);
		spin_unlock(&nums_lock);
	}
	spin_unlock(&task_lock);
	return 0;
}

/* A free number of @ns, or the one that is wanted, for slot @pid. */
static int take_number(struct pid_ns *ns, int want, int pid)
{
	int nr = want ? want : ns->last;
	u16 *e;

	for (int tries = 0; tries < PID_MAX; tries++) {
		if (!want && (u64)++nr >= pid_limit())
			nr = PID_RESERVED;
		e = make_entry(ns, nr);
		if (!e)
			return -ENOMEM;
		if (!*e) {
			*e = (u16)pid;
			if (!want)
				store_once(&ns->last, nr);
			return nr;
		}
		if (want)
			return -EEXIST;
	}
	return -EAGAIN;
}

/* Levels above @from give up what take_number() gave. */
static void give_back(struct pid_nums *n, const struct pid_ns *from)
{
	for (struct pid_ns *at = n->ns; at->level > from->level;
	     at = at->parent)
		*entry_of(at, n->nr[at->level - 1]) = 0;
}

static int fill_nums(struct pid_nums *n, const struct pid_wish *w, int pid)
{
	u32 i = 0;

	for (struct pid_ns *at = n->ns; at->level; at = at->parent, i++) {
		int nr = take_number(at, i < w->nr ? w->want[i] : 0, pid);

		if (nr < 0) {
			give_back(n, at);
			return nr;
		}
		n->nr[at->level - 1] = nr;
	}
	return 0;
}

static int check_wish(const struct pid_ns *ns, const struct pid_wish *w)
{
	for (u32 i = 0; i < w->nr; i++, ns = ns->parent) {
		/* Its first process is number 1. */
		if (ns->level && !ns->init && w->want[i] != 1)
			return -EINVAL;
	}
	return 0;
}

int pid_ns_alloc(struct pid_ns *ns, const struct pid_wish *w, int *inner)
{
	struct pid_nums *n;
	int pid, err = check_wish(ns, w);

	assert_held(&task_lock);
	if (err)
		return err;
	pid = w->nr > ns->level ? pid_take(w->want[ns->level]) : pid_alloc();
	*inner = pid;
	if (pid < 0 || likely(!ns->level))
		return pid;
	if (ns->dead)
		return -ENOMEM;
	n = kzalloc(sizeof(*n) + ns->level * sizeof(n->nr[0]));
	if (!n)
		return -ENOMEM;
	n->ns = ns;
	spin_lock(&nums_lock);
	err = fill_nums(n, w, pid);
	if (!err)
		pid_slot(pid)->nums = n;
	spin_unlock(&nums_lock);
	if (err) {
		kfree(n);
		return err;
	}
	ns_get(&ns->ns);
	*inner = n->nr[ns->level - 1];
	return pid;
}

void pid_settle_locked(int pid)
{
	struct pid_slot *s = pid_slot(pid);
	struct pid_nums *n = s->nums;

	if (likely(!n) || !pid_slot_free(s))
		return;
	spin_lock(&nums_lock);
	s->nums = NULL;
	give_back(n, &init_pid_ns);
	spin_unlock(&nums_lock);
	ns_put(&n->ns->ns);
	kfree(n);
}

/* --- life of a namespace */

void pid_ns_link_locked(struct process *p)
{
	struct pid_ns *ns = p->pid_ns;

	for (; unlikely(ns->level != 0); ns = ns->parent) {
		ns->nr_procs++;
		if (ns == p->pid_ns && !ns->init && !ns->dead) {
			ns->init = p;
			p->ns_init = true;
		}
	}
}

void pid_ns_unlink_locked(struct process *p)
{
	struct pid_ns *ns = p->pid_ns;

	for (; unlikely(ns->level != 0); ns = ns->parent) {
		ns->nr_procs--;
		if (ns->dead)
			wake_up_all(&ns->wq);
	}
}

bool pid_ns_from_outside(const struct process *p)
{
	const struct thread *t = current;

	return !t || !t->proc || !pid_ns_below(t->proc->pid_ns, p->pid_ns);
}

static void kill_inside(struct process *p, void *arg)
{
	struct process *init = arg;

	if (p != init && pid_ns_below(p->pid_ns, init->pid_ns))
		(void)signal_process_locked(p, SIGKILL, SEND_KERNEL);
}

/* Children that are dead already; others vanish, as SIGCHLD, which is what they all
 * send from now on, is ignored. */
static void reap_children_locked(struct process *p, struct list_head *dead)
{
	struct process *c, *tmp;

	list_for_each_entry_safe(c, tmp, &p->children, sibling) {
		c->exit_signal = SIGCHLD;
		if (!c->zombie || trace_reparented_locked(c))
			continue;
		process_unlink_locked(c);
		list_add_tail(&c->sibling, dead);
	}
}

void pid_ns_zap(struct process *p)
{
	struct pid_ns *ns = p->pid_ns;
	struct process *c, *tmp;
	struct list_head dead;

	list_init(&dead);
	spin_lock(&task_lock);
	ns->dead = true;
	spin_lock(&p->sighand->lock);
	p->sighand->action[SIGCHLD - 1].handler = 1; /* SIG_IGN */
	spin_unlock(&p->sighand->lock);
	spin_unlock(&task_lock);
	process_for_each(kill_inside, p);
	spin_lock(&task_lock);
	trace_tracer_exit_locked(p, &dead); /* nobody will ask for them */
	reap_children_locked(p, &dead);
	spin_unlock(&task_lock);
	list_for_each_entry_safe(c, tmp, &dead, sibling) {
		list_del(&c->sibling);
		process_put(c);
	}
	wait_event(&ns->wq, load_once(&ns->nr_procs) == 1);
	spin_lock(&task_lock);
	ns->init = NULL;
	if (ns->reboot_signal && p->exiting)
		p->exit_code = ns->reboot_signal;
	spin_unlock(&task_lock);
}

void pid_ns_reboot(int sig)
{
	struct pid_ns *ns = current_pid_ns();

	spin_lock(&task_lock);
	ns->reboot_signal = sig;
	if (ns->init)
		(void)signal_process_locked(ns->init, SIGKILL, SEND_KERNEL);
	spin_unlock(&task_lock);
	do_group_exit(0);
}
