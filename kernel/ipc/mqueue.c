/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/mqueue.c - POSIX message queues; see mqueue.h.
 *
 * Locking: mq_lock for names and queues.
 * Not here: the file system to see them in (fs/mqueuefs.c).
 */
#include <kernel/ipc/mqueue.h>

#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/ipc/ns.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/task/task.h>
#include <kernel/task/user_use.h>
#include <kernel/time/posix.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct mq_limits mq_limits = {
	.queues_max = MQ_QUEUES_MAX,
	.msg_max = MQ_MAXMSG_LIMIT,
	.msgsize_max = MQ_MSGSIZE_LIMIT,
	.msg_default = MQ_MAXMSG,
	.msgsize_default = MQ_MSGSIZE,
};

#define MSG_OVERHEAD \
	48u /* sizes of Linux's struct msg_msg and of its tree's nodes */
#define MQ_PRIOS 32768u

struct mqueue {
	u32 refs;	       /* [a] files, and the name */
	struct list_head node; /* in ns->mq_names or, unlinked, mq_open */
	struct ipc_ns *ns;     /* that counts it; NULL: not, or it ended */
	u64 id;		       /* [I] */
	u32 uid, gid, mode;
	u32 maxmsg, msgsize;	/* [I] */
	u32 payer;		/* [I] who is charged, for ... */
	u64 charged;		/* [I] bytes: RLIMIT_MSGQUEUE */
	struct timespec64 when; /* [I] */
	u32 nr;
	u64 bytes;
	struct list_head msgs;
	struct waitq rd_wq, wr_wq;
	/* Those who wait, of struct mq_waiter: by priority, oldest first.  No
	 * notification while there are readers. */
	struct list_head readers, writers;
	struct process *notify; /* owned, or NULL */
	struct mq_notify how;
	char name[MQ_NAME_MAX + 1]; /* [I] */
};

/* On the stack of the thread that waits. */
struct mq_waiter {
	struct list_head node; /* [mq_lock] */
	u32 prio;	       /* [I] real-time priority */
};

static struct spinlock mq_lock = SPINLOCK_INIT("mqueue", RANK_FILE);

static const struct file_ops mq_fops;

bool mq_is_queue(const struct file *f)
{
	return f->ops == &mq_fops;
}

size_t mq_msgsize(const struct file *f)
{
	return ((const struct mqueue *)f->priv)->msgsize;
}

struct mq_msg *mq_msg_new(size_t len)
{
	struct mq_msg *m = kmalloc(sizeof(*m) + len);

	if (m) {
		list_init(&m->node);
		m->len = len;
	}
	return m;
}

struct mqueue *mq_get(struct mqueue *q)
{
	atomic_inc(&q->refs);
	return q;
}

void mq_put(struct mqueue *q)
{
	if (!atomic_dec_and_test(&q->refs))
		return;
	spin_lock(&mq_lock);
	list_del(&q->node);
	if (q->ns)
		q->ns->nr_mqueues--;
	spin_unlock(&mq_lock);
	while (!list_empty(&q->msgs)) {
		struct mq_msg *m =
			list_first_entry(&q->msgs, struct mq_msg, node);

		list_del(&m->node);
		kfree(m);
	}
	process_put(q->notify);
	if (q->how.to)
		file_put(q->how.to);
	if (q->charged)
		user_uncharge(q->payer, USER_MQ, q->charged);
	kfree(q);
}

/* --- names */

static struct mqueue *find_locked(struct ipc_ns *ns, const char *name,
				  size_t len)
{
	struct mqueue *q;

	list_for_each_entry(q, &ns->mq_names, node) {
		if (!strncmp(q->name, name, len) && !q->name[len])
			return q;
	}
	return NULL;
}

static int permitted(const struct mqueue *q, u32 oflag)
{
	const struct cred *c = current_cred();
	u32 want = (oflag & O_ACCMODE) == O_RDONLY   ? 4
		   : (oflag & O_ACCMODE) == O_WRONLY ? 2
						     : 6;
	u32 mode = q->mode;

	if (c->fsuid == q->uid)
		mode >>= 6;
	else if (cred_in_group(c, q->gid))
		mode >>= 3;
	return (want & ~mode) && !capable(CAP_DAC_OVERRIDE) ? -EACCES : 0;
}

static int check_attr(const struct mq_attr *a)
{
	bool any = capable(CAP_SYS_RESOURCE);

	if (a->maxmsg <= 0 || a->msgsize <= 0 ||
	    a->maxmsg > (any ? MQ_MAXMSG_HARD
			     : (s64)load_once(&mq_limits.msg_max)) ||
	    a->msgsize > (any ? MQ_MSGSIZE_HARD
			      : (s64)load_once(&mq_limits.msgsize_max)))
		return -EINVAL;
	return 0;
}

static u64 last_id; /* [a] */

static struct mqueue *new_queue(const char *name, u32 mode,
				const struct mq_attr *a)
{
	struct mqueue *q = kzalloc(sizeof(*q));

	if (!q)
		return NULL;
	q->refs = 1;
	q->id = atomic_add_return(&last_id, 1ul);
	q->when = ns_to_timespec(clock_real_ns());
	q->uid = current_cred()->fsuid;
	q->gid = current_cred()->fsgid;
	q->mode = mode & 0777;
	q->maxmsg = a ? (u32)a->maxmsg
		      : (u32)min(load_once(&mq_limits.msg_default),
				 load_once(&mq_limits.msg_max));
	q->msgsize = a ? (u32)a->msgsize
		       : (u32)min(load_once(&mq_limits.msgsize_default),
				  load_once(&mq_limits.msgsize_max));
	list_init(&q->node);
	list_init(&q->msgs);
	list_init(&q->readers);
	list_init(&q->writers);
	waitq_init(&q->rd_wq);
	waitq_init(&q->wr_wq);
	(void)strscpy(q->name, name, sizeof(q->name));
	return q;
}

/* What a queue may hold, as Linux counts it, is on its maker's account. */
static int charge(struct mqueue *q)
{
	u64 bytes = (u64)q->maxmsg * (q->msgsize + MSG_OVERHEAD) +
		    min(q->maxmsg, MQ_PRIOS) * MSG_OVERHEAD;

	q->payer = current_cred()->uid;
	if (!user_charge(q->payer, USER_MQ, bytes, rlimit_cur(RLIMIT_MSGQUEUE)))
		return -EMFILE;
	q->charged = bytes;
	return 0;
}

/* The queue with a reference, or ERR_PTR; @fresh is taken or left. */
static struct mqueue *open_locked(struct ipc_ns *ns, const char *name,
				  u32 oflag, struct mqueue **fresh)
{
	struct mqueue *q = find_locked(ns, name, strlen(name));
	int err;

	if (q) {
		if ((oflag & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			return ERR_PTR(-EEXIST);
		err = permitted(q, oflag);
		if (err)
			return ERR_PTR(err);
	} else {
		if (!(oflag & O_CREAT))
			return ERR_PTR(-ENOENT);
		if (ns->nr_mqueues >= load_once(&mq_limits.queues_max) &&
		    !capable(CAP_SYS_RESOURCE))
			return ERR_PTR(-ENOSPC);
		err = charge(*fresh);
		if (err)
			return ERR_PTR(err);
		q = *fresh;
		*fresh = NULL;
		list_add_tail(&q->node, &ns->mq_names);
		q->ns = ns;
		ns->nr_mqueues++;
	}
	atomic_inc(&q->refs);
	return q;
}

s64 mq_open_name(const char *name, u32 oflag, u32 mode,
		 const struct mq_attr *attr)
{
	struct mqueue *fresh = NULL, *q;
	struct file *f;

	if (oflag & O_CREAT) {
		int err = attr ? check_attr(attr) : 0;

		if (err)
			return err;
		fresh = new_queue(name, mode, attr);
		if (!fresh)
			return -ENOMEM;
	}
	spin_lock(&mq_lock);
	q = open_locked(current_nsproxy()->ipc, name, oflag, &fresh);
	spin_unlock(&mq_lock);
	if (fresh)
		mq_put(fresh);
	if (IS_ERR(q))
		return PTR_ERR(q);
	f = file_alloc(&mq_fops, oflag & (O_ACCMODE | O_NONBLOCK), NULL);
	if (!f) {
		mq_put(q);
		return file_no_alloc();
	}
	mq_file_init(f, q);
	return fd_open(f, O_CLOEXEC);
}

s64 mq_unlink_name(struct ipc_ns *ns, const char *name)
{
	struct mqueue *q;
	s64 r = 0;

	spin_lock(&mq_lock);
	q = find_locked(ns, name, strlen(name));
	if (!q) {
		r = -ENOENT;
	} else if (current_cred()->fsuid != q->uid && !capable(CAP_FOWNER)) {
		r = -EACCES;
	} else {
		list_del(&q->node);
		list_add_tail(&q->node, &ns->mq_open);
	}
	spin_unlock(&mq_lock);
	if (!r)
		mq_put(q);
	return r;
}

/* --- messages */

/* The last byte of a cookie */
#define NOTIFY_WOKENUP 1
#define NOTIFY_REMOVED 2

/* Nobody is registered any more; what was, and with the references. */
static struct process *unregister_locked(struct mqueue *q,
					 struct mq_notify *how)
{
	struct process *p = q->notify;

	*how = q->how;
	q->notify = NULL;
	q->how.to = NULL;
	return p;
}

/* No lock held. */
static void tell(struct process *p, struct mq_notify *how, u8 why)
{
	struct siginfo si;

	if (how->to) {
		how->cookie[MQ_COOKIE_LEN - 1] = why;
		how->deliver(how->to, how->cookie, MQ_COOKIE_LEN);
		file_put(how->to);
	} else if (p && how->sig && why == NOTIFY_WOKENUP) {
		siginfo_user(&si, how->sig, SI_MESGQ);
		si.rt.value = how->value;
		(void)signal_process(p, how->sig, &si);
	}
	process_put(p);
}

/* --- whose turn it is; mq_lock held */

/* How many of @waiters come before @w, or (NULL) before a newcomer. */
static u32 ahead(const struct list_head *waiters, const struct mq_waiter *w)
{
	u32 prio = load_once(&current->rt_prio), nr = 0;
	struct mq_waiter *o;

	list_for_each_entry(o, waiters, node) {
		if (w ? o == w : o->prio < prio)
			break;
		nr++;
	}
	return nr;
}

static bool room_for(const struct mqueue *q, const struct mq_waiter *w)
{
	return q->nr + ahead(&q->writers, w) < q->maxmsg;
}

static bool message_for(const struct mqueue *q, const struct mq_waiter *w)
{
	return q->nr && q->nr > ahead(&q->readers, w);
}

static bool is_turn(const struct mqueue *q, const struct mq_waiter *w,
		    bool (*turn)(const struct mqueue *q,
				 const struct mq_waiter *w))
{
	bool r;

	spin_lock(&mq_lock);
	r = turn(q, w);
	spin_unlock(&mq_lock);
	return r;
}

static void join(struct mq_waiter *w, struct list_head *waiters)
{
	struct mq_waiter *o;

	w->prio = load_once(&current->rt_prio);
	spin_lock(&mq_lock);
	list_for_each_entry(o, waiters, node) {
		if (o->prio < w->prio)
			break;
	}
	list_add_tail(&w->node, &o->node);
	spin_unlock(&mq_lock);
}

/* Those behind @w may have their turn now. */
static void leave(struct mq_waiter *w, const struct list_head *waiters,
		  struct waitq *wq)
{
	bool others;

	spin_lock(&mq_lock);
	list_del(&w->node);
	others = !list_empty(waiters);
	spin_unlock(&mq_lock);
	if (others)
		wake_up_all(wq);
}

static int put(struct mqueue *q, struct mq_msg *m, const struct mq_waiter *w)
{
	struct process *p = NULL;
	struct mq_notify how = { .to = NULL };
	struct mq_msg *o;
	bool first;

	spin_lock(&mq_lock);
	if (!room_for(q, w)) {
		spin_unlock(&mq_lock);
		return -EAGAIN;
	}
	first = !q->nr;
	/* Behind the last one that is at least as urgent. */
	list_for_each_entry_reverse(o, &q->msgs, node) {
		if (o->prio >= m->prio)
			break;
	}
	list_add(&m->node, &o->node);
	q->nr++;
	q->bytes += m->len;
	if (first && list_empty(&q->readers))
		p = unregister_locked(q, &how);
	spin_unlock(&mq_lock);
	tell(p, &how, NOTIFY_WOKENUP);
	wake_up_all_key(&q->rd_wq, POLLIN | POLLRDNORM);
	return 0;
}

s64 mq_send(struct file *f, struct mq_msg *m, u64 deadline_ns)
{
	struct mqueue *q = f->priv;
	struct mq_waiter w;
	s64 r;

	if (m->len > q->msgsize)
		return -EMSGSIZE;
	r = put(q, m, NULL);
	if (r != -EAGAIN || (f->flags & O_NONBLOCK))
		return r;
	join(&w, &q->writers);
	do {
		r = wait_event_clock(&q->wr_wq, is_turn(q, &w, room_for),
				     deadline_ns);
		if (!r)
			r = put(q, m, &w);
	} while (r == -EAGAIN);
	leave(&w, &q->writers, &q->wr_wq);
	return r;
}

static struct mq_msg *take(struct mqueue *q, const struct mq_waiter *w)
{
	struct mq_msg *m = NULL;

	spin_lock(&mq_lock);
	if (message_for(q, w))
		m = list_first_entry(&q->msgs, struct mq_msg, node);
	if (m) {
		list_del(&m->node);
		q->nr--;
		q->bytes -= m->len;
	}
	spin_unlock(&mq_lock);
	if (m)
		wake_up_all_key(&q->wr_wq, POLLOUT | POLLWRNORM);
	return m;
}

struct mq_msg *mq_receive(struct file *f, size_t room, u64 deadline_ns)
{
	struct mqueue *q = f->priv;
	struct mq_waiter w;
	struct mq_msg *m;
	s64 r = 0;

	if (room < q->msgsize)
		return ERR_PTR(-EMSGSIZE);
	m = take(q, NULL);
	if (m)
		return m;
	if (f->flags & O_NONBLOCK)
		return ERR_PTR(-EAGAIN);
	join(&w, &q->readers);
	while (!m && !r) {
		r = wait_event_clock(&q->rd_wq, is_turn(q, &w, message_for),
				     deadline_ns);
		m = take(q, &w);
	}
	leave(&w, &q->readers, &q->rd_wq);
	return m ? m : ERR_PTR(r);
}

s64 mq_notify_set(struct file *f, const struct mq_notify *n)
{
	struct mqueue *q = f->priv;
	struct process *me = current->proc, *old = NULL;
	struct mq_notify how = { .to = NULL };
	s64 r = 0;

	spin_lock(&mq_lock);
	if (!n && q->notify == me) {
		old = unregister_locked(q, &how);
	} else if (n && q->notify) {
		r = -EBUSY;
	} else if (n) {
		q->notify = process_get(me);
		q->how = *n;
	}
	spin_unlock(&mq_lock);
	tell(old, &how, NOTIFY_REMOVED);
	return r;
}

s64 mq_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old)
{
	struct mqueue *q = f->priv;

	*old = (struct mq_attr){ .flags = f->flags & O_NONBLOCK,
				 .maxmsg = q->maxmsg,
				 .msgsize = q->msgsize,
				 .curmsgs = load_once(&q->nr) };
	if (!new)
		return 0;
	if (new->flags & ~(s64)O_NONBLOCK)
		return -EINVAL;
	store_once(&f->flags, (f->flags & ~(u32)O_NONBLOCK) | (u32) new->flags);
	return 0;
}

/* --- the file */

static u32 mq_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *q = f->priv;
	u32 ev = 0, nr;

	poll_wait(pt, f, &q->rd_wq);
	poll_wait(pt, f, &q->wr_wq);
	nr = load_once(&q->nr);
	if (nr)
		ev |= POLLIN | POLLRDNORM;
	if (nr < q->maxmsg)
		ev |= POLLOUT | POLLWRNORM;
	return ev;
}

static s64 mq_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct mqueue *q = f->priv;
	char buf[80];
	size_t len;
	s64 n;

	spin_lock(&mq_lock);
	len = (size_t)scnprintf(
		buf, sizeof(buf),
		"QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		q->bytes,
		!q->notify    ? 0
		: q->how.to   ? 2
		: !q->how.sig ? 1
			      : 0,
		q->notify ? q->how.sig : 0,
		q->notify ? pid_shown(q->notify->pid) : 0);
	spin_unlock(&mq_lock);
	if (*pos >= len)
		return 0;
	n = (s64)copy_to_iter(buf + *pos, len - *pos, to);
	*pos += (u64)n;
	return n ? n : -EFAULT;
}

/* A process that closes the queue is not told of messages any more. */
static int mq_flush(struct file *f)
{
	return (int)mq_notify_set(f, NULL);
}

static void mq_release(struct file *f)
{
	mq_put(f->priv);
}

static const struct file_ops mq_fops = {
	.read = mq_read,
	.poll = mq_poll,
	.flush = mq_flush,
	.release = mq_release,
	.anon_name = "anon_inode:[mqueue]",
};

/* --- names for a file system */

struct mqueue *mq_find(struct ipc_ns *ns, const char *name, size_t len)
{
	struct mqueue *q;

	spin_lock(&mq_lock);
	q = find_locked(ns, name, len);
	if (q)
		atomic_inc(&q->refs);
	spin_unlock(&mq_lock);
	return q;
}

void mq_get_info(const struct mqueue *q, struct mq_info *out)
{
	spin_lock(&mq_lock);
	*out = (struct mq_info){ .id = q->id,
				 .uid = q->uid,
				 .gid = q->gid,
				 .mode = q->mode,
				 .when = q->when };
	spin_unlock(&mq_lock);
}

void mq_chmod(struct mqueue *q, u32 mode, u32 uid, u32 gid)
{
	spin_lock(&mq_lock);
	if (mode != ~0u)
		q->mode = mode & 0777;
	if (uid != ~0u)
		q->uid = uid;
	if (gid != ~0u)
		q->gid = gid;
	spin_unlock(&mq_lock);
}

int mq_create(struct ipc_ns *ns, const char *name, u32 mode)
{
	struct mqueue *fresh = new_queue(name, mode, NULL), *q;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&mq_lock);
	q = open_locked(ns, name, O_CREAT | O_EXCL, &fresh);
	spin_unlock(&mq_lock);
	if (fresh)
		mq_put(fresh);
	if (IS_ERR(q))
		return (int)PTR_ERR(q);
	mq_put(q);
	return 0;
}

void mq_file_init(struct file *f, struct mqueue *q)
{
	f->ops = &mq_fops;
	f->priv = q;
	f->can_read = (f->flags & O_ACCMODE) != O_WRONLY;
	f->can_write = (f->flags & O_ACCMODE) != O_RDONLY;
}

bool mq_next(struct ipc_ns *ns, u64 id, char name[MQ_NAME_MAX + 1], u64 *found)
{
	struct mqueue *q;
	bool any = false;

	spin_lock(&mq_lock);
	list_for_each_entry(q, &ns->mq_names, node) {
		if (q->id <= id)
			continue;
		(void)strscpy(name, q->name, MQ_NAME_MAX + 1);
		*found = q->id;
		any = true;
		break;
	}
	spin_unlock(&mq_lock);
	return any;
}

/* The first that has a name loses it: it is put.  NULL: none has. */
static struct mqueue *drop_first(struct ipc_ns *ns)
{
	struct mqueue *q;

	spin_lock(&mq_lock);
	q = list_first_entry_or_null(&ns->mq_names, struct mqueue, node);
	if (q) {
		list_del(&q->node);
		list_add_tail(&q->node, &ns->mq_open);
	}
	spin_unlock(&mq_lock);
	return q;
}

void mq_drop_names(struct ipc_ns *ns)
{
	struct mqueue *named, *q, *tmp;

	while ((named = drop_first(ns)))
		mq_put(named);
	spin_lock(&mq_lock);
	list_for_each_entry_safe(q, tmp, &ns->mq_open, node) {
		list_del(&q->node);
		list_init(&q->node);
		q->ns = NULL;
	}
	spin_unlock(&mq_lock);
}
