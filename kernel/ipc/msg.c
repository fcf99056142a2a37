/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/msg.c - System V message queues.
 *
 * Locking: ipc_msqs.lock; messages are allocated and freed outside of it.
 */
#include <kernel/ipc/ipc.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

struct msq {
	struct ipc_obj obj;
	struct msq_ds ds; /* all but perm */
	struct list_head msgs;
	struct waitq rd_wq, wr_wq;
};

static void msq_free(struct ipc_obj *o);
static void msq_removed_locked(struct ipc_obj *o);
struct ipc_kind ipc_msqs = {
	IPC_KIND_INIT("ipc_msg", IPC_MSG, msgmni, msq_free, msq_removed_locked),
};

static struct msq *to_msq(struct ipc_obj *o)
{
	return container_of(o, struct msq, obj);
}

static void msq_free(struct ipc_obj *o)
{
	struct msq *q = to_msq(o);

	while (!list_empty(&q->msgs)) {
		struct msq_msg *m =
			list_first_entry(&q->msgs, struct msq_msg, node);

		list_del(&m->node);
		kfree(m);
	}
	kfree(q);
}

static void msq_removed_locked(struct ipc_obj *o)
{
	wake_up_all(&to_msq(o)->rd_wq);
	wake_up_all(&to_msq(o)->wr_wq);
}

static s64 now(void)
{
	return (s64)(clock_real_ns() / NSEC_PER_SEC);
}

static int check_nothing(const struct ipc_obj *o __unused, void *arg __unused)
{
	return 0;
}

s64 msq_get(s32 key, u32 flags)
{
	struct msq *q = kzalloc(sizeof(*q));
	struct ipc_obj *fresh = NULL;
	s64 r;

	if (q) {
		q->ds.ctime = now();
		q->ds.qbytes = load_once(&ipc_limits.msgmnb);
		list_init(&q->msgs);
		waitq_init(&q->rd_wq);
		waitq_init(&q->wr_wq);
		fresh = &q->obj;
	}
	r = ipc_get(&ipc_msqs, key, flags, &fresh, check_nothing, NULL);
	if (fresh)
		msq_free(fresh);
	return r;
}

struct msq_msg *msq_msg_new(size_t len)
{
	struct msq_msg *m = kmalloc(sizeof(*m) + len);

	if (m) {
		list_init(&m->node);
		m->len = len;
	}
	return m;
}

static struct msq *hold(s32 id, u32 want)
{
	struct ipc_obj *o;
	int err;

	spin_lock(&ipc_msqs.lock);
	o = ipc_find_locked(&ipc_msqs, id);
	err = IS_ERR(o) ? (int)PTR_ERR(o) : ipc_permitted(o, want);
	if (!err)
		ipc_hold(o);
	spin_unlock(&ipc_msqs.lock);
	return err ? ERR_PTR(err) : to_msq(o);
}

/* --- sending */

/* 0, or -EAGAIN: no room. */
static int put(struct msq *q, struct msq_msg *m)
{
	struct msq_ds *ds = &q->ds;
	int err = 0;

	spin_lock(&ipc_msqs.lock);
	if (q->obj.removed)
		err = -EIDRM;
	else if (m->len + ds->cbytes > ds->qbytes || 1 + ds->qnum > ds->qbytes)
		err = -EAGAIN;
	if (!err) {
		list_add_tail(&m->node, &q->msgs);
		ds->cbytes += m->len;
		ds->qnum++;
		ds->stime = now();
		ds->lspid = current->proc->pid;
		wake_up_all(&q->rd_wq);
	}
	spin_unlock(&ipc_msqs.lock);
	return err;
}

s64 msq_send(s32 id, struct msq_msg *m, u32 flags)
{
	struct msq *q = hold(id, 2);
	struct waiter w;
	s64 r;

	if (IS_ERR(q))
		return PTR_ERR(q);
	waiter_init(&w);
	for (;;) {
		wait_prepare(&q->wr_wq, &w, true);
		r = put(q, m);
		if (r != -EAGAIN || (flags & IPC_NOWAIT))
			break;
		r = wait_suspend(WAIT_FOREVER);
		if (r) {
			r = -ERESTARTNOHAND;
			break;
		}
	}
	wait_finish(&q->wr_wq, &w);
	ipc_put(&ipc_msqs, &q->obj);
	return r;
}

/* --- receiving */

static bool suits(const struct msq_msg *m, s64 type, u32 flags)
{
	if (!type)
		return true;
	if (type < 0)
		return m->type <= -max(type, -INT64_MAX);
	return (flags & MSG_EXCEPT) ? m->type != type : m->type == type;
}

static struct msq_msg *choose(struct msq *q, s64 type, u32 flags)
{
	struct msq_msg *m, *best = NULL;

	if (flags & MSG_COPY) { /* @type counts them */
		list_for_each_entry(m, &q->msgs, node) {
			if (!type--)
				return m;
		}
		return NULL;
	}
	list_for_each_entry(m, &q->msgs, node) {
		if (!suits(m, type, flags))
			continue;
		if (type >= 0)
			return m;
		if (!best || m->type < best->type)
			best = m;
	}
	return best;
}

static void taken(struct msq *q, struct msq_msg *m)
{
	list_del(&m->node);
	q->ds.cbytes -= m->len;
	q->ds.qnum--;
	q->ds.rtime = now();
	q->ds.lrpid = current->proc->pid;
	wake_up_all(&q->wr_wq);
}

static struct msq_msg *copy_of(const struct msq_msg *m)
{
	struct msq_msg *c = msq_msg_new(m->len);

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->type = m->type;
	memcpy(c->data, m->data, m->len);
	return c;
}

/* A message, or ERR_PTR; -EAGAIN: none yet. */
static struct msq_msg *get(struct msq *q, s64 type, size_t room, u32 flags)
{
	struct msq_msg *m;

	spin_lock(&ipc_msqs.lock);
	if (q->obj.removed) {
		m = ERR_PTR(-EIDRM);
	} else {
		m = choose(q, type, flags);
		if (!m)
			m = ERR_PTR(flags & MSG_COPY ? -ENOMSG : -EAGAIN);
		else if (m->len > room && !(flags & MSG_NOERROR))
			m = ERR_PTR(-E2BIG);
		else if (flags & MSG_COPY)
			m = copy_of(m);
		else
			taken(q, m);
	}
	spin_unlock(&ipc_msqs.lock);
	return m;
}

struct msq_msg *msq_receive(s32 id, s64 type, size_t room, u32 flags)
{
	struct msq *q = hold(id, 4);
	struct msq_msg *m;
	struct waiter w;

	if (IS_ERR(q))
		return ERR_PTR(PTR_ERR(q));
	waiter_init(&w);
	for (;;) {
		wait_prepare(&q->rd_wq, &w, true);
		m = get(q, type, room, flags);
		if (!IS_ERR(m) || PTR_ERR(m) != -EAGAIN)
			break;
		if (flags & IPC_NOWAIT) {
			m = ERR_PTR(-ENOMSG);
			break;
		}
		if (wait_suspend(WAIT_FOREVER)) {
			m = ERR_PTR(-ERESTARTNOHAND);
			break;
		}
	}
	wait_finish(&q->rd_wq, &w);
	ipc_put(&ipc_msqs, &q->obj);
	return m;
}

/* --- msgctl */

static void fill_ds(const struct msq *q, struct msq_ds *ds)
{
	*ds = q->ds;
	ds->lspid = pid_shown(ds->lspid);
	ds->lrpid = pid_shown(ds->lrpid);
	ipc_show_perm(&ds->perm, &q->obj);
}

s64 msq_stat(s32 id, bool by_index, bool any, struct msq_ds *out)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_msqs.lock);
	o = by_index ? ipc_slot_locked(&ipc_msqs, id)
		     : ipc_find_locked(&ipc_msqs, id);
	r = IS_ERR(o) ? PTR_ERR(o) : any ? 0 : ipc_permitted(o, 4);
	if (!r) {
		fill_ds(to_msq(o), out);
		r = by_index ? o->id : 0;
	}
	spin_unlock(&ipc_msqs.lock);
	return r;
}

s64 msq_set(s32 id, const struct msq_ds *from)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_msqs.lock);
	o = ipc_find_locked(&ipc_msqs, id);
	r = IS_ERR(o) ? PTR_ERR(o) : ipc_owner(o);
	if (!r && from->qbytes > load_once(&ipc_limits.msgmnb) &&
	    !ns_capable(current_nsproxy()->ipc->ns.owner, CAP_SYS_RESOURCE))
		r = -EPERM;
	if (!r)
		r = ipc_set_perm(o, &from->perm);
	if (!r) {
		to_msq(o)->ds.qbytes = from->qbytes;
		to_msq(o)->ds.ctime = now();
		wake_up_all(&to_msq(o)->wr_wq);
	}
	spin_unlock(&ipc_msqs.lock);
	return r;
}

s64 msq_remove(s32 id)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_msqs.lock);
	o = ipc_find_locked(&ipc_msqs, id);
	r = IS_ERR(o) ? PTR_ERR(o) : ipc_owner(o);
	if (!r)
		ipc_remove_locked(&ipc_msqs, o);
	spin_unlock(&ipc_msqs.lock);
	if (!r)
		ipc_put(&ipc_msqs, o);
	return r;
}

s32 msq_usage(u32 *queues, u32 *msgs, u64 *bytes)
{
	struct ipc_obj *o;
	s32 r;

	*msgs = 0;
	*bytes = 0;
	spin_lock(&ipc_msqs.lock);
	*queues = ipc_count_locked(&ipc_msqs);
	for (u64 i = 0; (o = ipc_next_locked(&ipc_msqs, &i)); i++) {
		*msgs += (u32)to_msq(o)->ds.qnum;
		*bytes += to_msq(o)->ds.cbytes;
	}
	r = ipc_highest_locked(&ipc_msqs);
	spin_unlock(&ipc_msqs.lock);
	return r;
}

void msq_for_each(void (*fn)(const struct msq_ds *ds, s32 id, void *arg),
		  void *arg)
{
	struct ipc_obj *o;
	struct msq_ds ds;

	spin_lock(&ipc_msqs.lock);
	for (u64 i = 0; (o = ipc_next_locked(&ipc_msqs, &i)); i++) {
		fill_ds(to_msq(o), &ds);
		fn(&ds, o->id, arg);
	}
	spin_unlock(&ipc_msqs.lock);
}
