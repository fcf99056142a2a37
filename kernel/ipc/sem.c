/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/sem.c - System V semaphores.
 *
 * A set is an array of values and one queue for all who wait for any of them: every
 * change wakes them all, and each tries its whole list of operations again.  So the
 * operations of a call happen together or not at all.
 *
 * What SEM_UNDO owes is kept per process and set; it is paid when the process ends.
 *
 * Locking: ipc_sems.lock for all of it.
 */
#include <kernel/ipc/ipc.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

struct sem {
	s32 val, pid;
};

struct sem_set {
	struct ipc_obj obj;
	s64 otime, ctime;
	struct waitq wq;
	struct list_head waits; /* of struct sem_wait */
	struct list_head undos; /* of struct sem_undo, by set_node */
	u32 nr;			/* [I] */
	struct sem sem[];
};

/* Somebody sleeps for semaphore @num: for it to be zero, or to grow. */
struct sem_wait {
	struct list_head node;
	u32 num;
	bool zero;
};

struct sem_undo {
	struct list_head proc_node; /* in process->sem_undos */
	struct list_head set_node;
	struct sem_set *set; /* NULL: removed */
	s16 adj[];
};

static void set_free(struct ipc_obj *o);
static void set_removed_locked(struct ipc_obj *o);
static u64 set_share(const struct ipc_obj *o);
struct ipc_kind ipc_sems = {
	IPC_KIND_INIT("ipc_sem", IPC_SEM, semmni, set_free, set_removed_locked),
	.share = set_share,
	.most = &ipc_limits.semmns,
};

static struct sem_set *to_set(struct ipc_obj *o)
{
	return container_of(o, struct sem_set, obj);
}

static u64 set_share(const struct ipc_obj *o)
{
	return container_of(o, struct sem_set, obj)->nr;
}

static void set_free(struct ipc_obj *o)
{
	kfree(to_set(o));
}

/* Nobody owes anything on it. */
static void set_removed_locked(struct ipc_obj *o)
{
	struct sem_set *s = to_set(o);
	struct sem_undo *u, *tmp;

	list_for_each_entry_safe(u, tmp, &s->undos, set_node) {
		list_del(&u->set_node);
		u->set = NULL;
	}
	wake_up_all(&s->wq);
}

static s64 now(void)
{
	return (s64)(clock_real_ns() / NSEC_PER_SEC);
}

/* --- sets */

static int check_nr(const struct ipc_obj *o, void *arg)
{
	const struct sem_set *s = container_of(o, struct sem_set, obj);

	return *(s32 *)arg > (s32)s->nr ? -EINVAL : 0;
}

static struct ipc_obj *set_alloc(u32 nr)
{
	struct sem_set *s = kzalloc(sizeof(*s) + nr * sizeof(s->sem[0]));

	if (!s)
		return NULL;
	s->nr = nr;
	s->ctime = now();
	waitq_init(&s->wq);
	list_init(&s->waits);
	list_init(&s->undos);
	return &s->obj;
}

s64 sem_get(s32 key, s32 nsems, u32 flags)
{
	struct ipc_obj *fresh = NULL;
	s64 r;

	if (nsems < 0 || (u64)nsems > load_once(&ipc_limits.semmsl))
		return -EINVAL;
	if (nsems)
		fresh = set_alloc((u32)nsems);
	r = ipc_get(&ipc_sems, key, flags, &fresh, check_nr, &nsems);
	if (r == -ENOMEM && !nsems)
		r = -EINVAL;
	if (fresh)
		set_free(fresh);
	return r;
}

/* --- undo */

static struct sem_undo *undo_find(struct sem_set *s)
{
	struct sem_undo *u;

	list_for_each_entry(u, &current->proc->sem_undos, proc_node) {
		if (u->set == s)
			return u;
	}
	return NULL;
}

/* *@spare is used when there is none yet. */
static struct sem_undo *undo_get(struct sem_set *s, struct sem_undo **spare)
{
	struct sem_undo *u = undo_find(s);

	if (u || !*spare)
		return u;
	u = *spare;
	*spare = NULL;
	u->set = s;
	list_add_tail(&u->proc_node, &current->proc->sem_undos);
	list_add_tail(&u->set_node, &s->undos);
	return u;
}

/* Pay what is owed; the value stays within its range, as on Linux. */
static void undo_pay(struct sem_undo *u, int pid)
{
	struct sem_set *s = u->set;

	for (u32 i = 0; i < s->nr; i++) {
		if (!u->adj[i])
			continue;
		s->sem[i].val = clamp(s->sem[i].val + u->adj[i], 0, SEM_VALUE);
		s->sem[i].pid = pid;
	}
	wake_up_all(&s->wq);
}

void sem_process_exit(struct process *p)
{
	struct sem_undo *u;

	for (;;) {
		spin_lock(&ipc_sems.lock);
		u = list_first_entry_or_null(&p->sem_undos, struct sem_undo,
					     proc_node);
		if (u) {
			list_del(&u->proc_node);
			if (u->set) {
				list_del(&u->set_node);
				undo_pay(u, p->pid);
			}
		}
		spin_unlock(&ipc_sems.lock);
		if (!u)
			return;
		kfree(u);
	}
}

/* Debts are paid in the namespace in which they were made. */
void sem_leave_ns(void)
{
	struct process *p = current->proc;

	if (load_once(&p->nr_threads) == 1)
		sem_process_exit(p);
}

/* A value was set: nobody owes anything on it. */
static void undo_forget(struct sem_set *s, u32 first, u32 nr)
{
	struct sem_undo *u;

	list_for_each_entry(u, &s->undos, set_node)
		memset(&u->adj[first], 0, nr * sizeof(u->adj[0]));
}

/* --- semop */

/* Take back the first @n operations. */
static void roll_back(struct sem_set *s, const struct sem_op *ops, u32 n)
{
	while (n--)
		s->sem[ops[n].num].val -= ops[n].op;
}

/*
 * All operations, or none.  0; -EAGAIN: *@blocked cannot be done now; -ERANGE.
 */
static int try_all(struct sem_set *s, const struct sem_op *ops, u32 nr,
		   const struct sem_op **blocked)
{
	for (u32 i = 0; i < nr; i++) {
		struct sem *m = &s->sem[ops[i].num];
		int err = 0;

		if ((!ops[i].op && m->val) || m->val + ops[i].op < 0)
			err = -EAGAIN;
		else if (m->val + ops[i].op > SEM_VALUE)
			err = -ERANGE;
		if (err) {
			roll_back(s, ops, i);
			*blocked = &ops[i];
			return err;
		}
		m->val += ops[i].op;
	}
	return 0;
}

static int note_undo(struct sem_undo *u, const struct sem_op *ops, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		s32 v;

		if (!(ops[i].flags & SEM_UNDO))
			continue;
		v = u->adj[ops[i].num] - ops[i].op;
		if (v < -SEM_VALUE - 1 || v > SEM_VALUE) {
			while (i--) {
				if (ops[i].flags & SEM_UNDO)
					u->adj[ops[i].num] += ops[i].op;
			}
			return -ERANGE;
		}
		u->adj[ops[i].num] = (s16)v;
	}
	return 0;
}

struct sem_call {
	const struct sem_op *ops;
	u32 nr;
	bool undo, alter;
	struct sem_undo *spare;
};

static int perform(struct sem_set *s, struct sem_call *c,
		   const struct sem_op **blocked)
{
	struct sem_undo *u = c->undo ? undo_get(s, &c->spare) : NULL;
	int err = try_all(s, c->ops, c->nr, blocked);

	if (!err && c->undo) {
		err = u ? note_undo(u, c->ops, c->nr) : -ENOMEM;
		if (err)
			roll_back(s, c->ops, c->nr);
	}
	if (err)
		return err;
	for (u32 i = 0; i < c->nr; i++)
		s->sem[c->ops[i].num].pid = current->proc->pid;
	s->otime = now();
	if (c->alter)
		wake_up_all(&s->wq);
	return 0;
}

static int check_ops(struct sem_set *s, const struct sem_call *c)
{
	for (u32 i = 0; i < c->nr; i++) {
		if (c->ops[i].num >= s->nr)
			return -EFBIG;
	}
	return ipc_permitted(&s->obj, c->alter ? 2 : 4);
}

/* One try; when it has to wait, @w is among the set's waits. */
static int attempt(struct sem_set *s, struct sem_call *c, struct sem_wait *w)
{
	const struct sem_op *blocked = NULL;
	int err;

	spin_lock(&ipc_sems.lock);
	if (list_is_linked(&w->node))
		list_del(&w->node);
	err = s->obj.removed ? -EIDRM : check_ops(s, c);
	if (!err)
		err = perform(s, c, &blocked);
	if (err == -EAGAIN && !(blocked->flags & IPC_NOWAIT)) {
		w->num = blocked->num;
		w->zero = !blocked->op;
		list_add_tail(&w->node, &s->waits);
		err = -EINPROGRESS;
	}
	spin_unlock(&ipc_sems.lock);
	return err;
}

static s64 operate(struct sem_set *s, struct sem_call *c, u64 deadline)
{
	struct sem_wait w;
	struct waiter wt;
	s64 r;

	list_init(&w.node);
	waiter_init(&wt);
	for (;;) {
		wait_prepare(&s->wq, &wt, true);
		r = attempt(s, c, &w);
		if (r != -EINPROGRESS)
			break;
		r = wait_suspend(deadline);
		if (r) {
			r = r == -ETIMEDOUT ? -EAGAIN : -EINTR;
			break;
		}
	}
	wait_finish(&s->wq, &wt);
	spin_lock(&ipc_sems.lock);
	if (list_is_linked(&w.node))
		list_del(&w.node);
	spin_unlock(&ipc_sems.lock);
	return r;
}

static struct sem_set *hold(s32 id)
{
	struct ipc_obj *o;

	spin_lock(&ipc_sems.lock);
	o = ipc_find_locked(&ipc_sems, id);
	if (!IS_ERR(o))
		ipc_hold(o);
	spin_unlock(&ipc_sems.lock);
	return IS_ERR(o) ? ERR_PTR(PTR_ERR(o)) : to_set(o);
}

s64 sem_operate(s32 id, const struct sem_op *ops, u32 nr, u64 deadline_ns)
{
	struct sem_call c = { .ops = ops, .nr = nr };
	struct sem_set *s = hold(id);
	s64 r = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	for (u32 i = 0; i < nr; i++) {
		c.alter |= ops[i].op != 0;
		c.undo |= (ops[i].flags & SEM_UNDO) && ops[i].op;
	}
	if (c.undo) {
		c.spare = kzalloc(sizeof(*c.spare) + s->nr * sizeof(s16));
		if (!c.spare)
			r = -ENOMEM;
	}
	if (!r)
		r = operate(s, &c, deadline_ns);
	kfree(c.spare);
	ipc_put(&ipc_sems, &s->obj);
	return r;
}

/* --- semctl */

static struct sem_set *lock_set(s32 id, u32 want)
{
	struct ipc_obj *o;
	int err;

	spin_lock(&ipc_sems.lock);
	o = ipc_find_locked(&ipc_sems, id);
	err = IS_ERR(o) ? (int)PTR_ERR(o) : want ? ipc_permitted(o, want) : 0;
	if (!err)
		return to_set(o);
	spin_unlock(&ipc_sems.lock);
	return ERR_PTR(err);
}

static void fill_ds(const struct sem_set *s, struct sem_ds *ds)
{
	*ds = (struct sem_ds){ .otime = s->otime,
			       .ctime = s->ctime,
			       .nsems = s->nr };
	ipc_show_perm(&ds->perm, &s->obj);
}

s64 sem_stat(s32 id, bool by_index, bool any, struct sem_ds *out)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_sems.lock);
	o = by_index ? ipc_slot_locked(&ipc_sems, id)
		     : ipc_find_locked(&ipc_sems, id);
	r = IS_ERR(o) ? PTR_ERR(o) : any ? 0 : ipc_permitted(o, 4);
	if (!r) {
		fill_ds(to_set(o), out);
		r = by_index ? o->id : 0;
	}
	spin_unlock(&ipc_sems.lock);
	return r;
}

s64 sem_set(s32 id, const struct ipc_perm *perm)
{
	struct sem_set *s = lock_set(id, 0);
	s64 r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = ipc_set_perm(&s->obj, perm);
	if (!r)
		s->ctime = now();
	spin_unlock(&ipc_sems.lock);
	return r;
}

s64 sem_remove(s32 id)
{
	struct sem_set *s = lock_set(id, 0);
	s64 r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = ipc_owner(&s->obj);
	if (!r)
		ipc_remove_locked(&ipc_sems, &s->obj);
	spin_unlock(&ipc_sems.lock);
	if (!r)
		ipc_put(&ipc_sems, &s->obj);
	return r;
}

static s64 count_waits(const struct sem_set *s, u32 num, bool zero)
{
	const struct sem_wait *w;
	s64 n = 0;

	list_for_each_entry(w, &s->waits, node)
		n += w->num == num && w->zero == zero;
	return n;
}

s64 sem_look(s32 id, s32 num, enum sem_what what)
{
	struct sem_set *s = lock_set(id, 4);
	s64 r = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (num >= 0 && (u32)num < s->nr) {
		switch (what) {
		case SEM_GETVAL:
			r = s->sem[num].val;
			break;
		case SEM_GETPID:
			r = pid_shown(s->sem[num].pid);
			break;
		case SEM_GETNCNT:
		case SEM_GETZCNT:
			r = count_waits(s, (u32)num, what == SEM_GETZCNT);
			break;
		}
	}
	spin_unlock(&ipc_sems.lock);
	return r;
}

s64 sem_setval(s32 id, s32 num, s32 val)
{
	struct sem_set *s;
	s64 r = -EINVAL;

	if (val < 0 || val > SEM_VALUE)
		return -ERANGE;
	s = lock_set(id, 2);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (num >= 0 && (u32)num < s->nr) {
		s->sem[num].val = val;
		s->sem[num].pid = current->proc->pid;
		s->ctime = now();
		undo_forget(s, (u32)num, 1);
		wake_up_all(&s->wq);
		r = 0;
	}
	spin_unlock(&ipc_sems.lock);
	return r;
}

s64 sem_count(s32 id)
{
	struct sem_set *s = lock_set(id, 0);
	s64 nr;

	if (IS_ERR(s))
		return PTR_ERR(s);
	nr = s->nr;
	spin_unlock(&ipc_sems.lock);
	return nr;
}

/* @nr is the set's: a set that changed its size meanwhile is another set. */
s64 sem_all(s32 id, u16 *vals, u32 nr, bool set)
{
	struct sem_set *s = lock_set(id, set ? 2 : 4);

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (s->nr != nr) {
		spin_unlock(&ipc_sems.lock);
		return -EIDRM;
	}
	for (u32 i = 0; i < nr; i++) {
		if (!set) {
			vals[i] = (u16)s->sem[i].val;
			continue;
		}
		s->sem[i].val = vals[i];
		s->sem[i].pid = current->proc->pid;
	}
	if (set) {
		undo_forget(s, 0, nr);
		s->ctime = now();
		wake_up_all(&s->wq);
	}
	spin_unlock(&ipc_sems.lock);
	return 0;
}

s32 sem_usage(u32 *sets, u32 *nr)
{
	struct ipc_obj *o;
	s32 r;

	*nr = 0;
	spin_lock(&ipc_sems.lock);
	*sets = ipc_count_locked(&ipc_sems);
	for (u64 i = 0; (o = ipc_next_locked(&ipc_sems, &i)); i++)
		*nr += to_set(o)->nr;
	r = ipc_highest_locked(&ipc_sems);
	spin_unlock(&ipc_sems.lock);
	return r;
}

void sem_for_each(void (*fn)(const struct sem_ds *ds, s32 id, void *arg),
		  void *arg)
{
	struct ipc_obj *o;
	struct sem_ds ds;

	spin_lock(&ipc_sems.lock);
	for (u64 i = 0; (o = ipc_next_locked(&ipc_sems, &i)); i++) {
		fill_ds(to_set(o), &ds);
		fn(&ds, o->id, arg);
	}
	spin_unlock(&ipc_sems.lock);
}
