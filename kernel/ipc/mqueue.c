/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/mqueue.c - POSIX message queues; see mqueue.h.
 *
 * Locking: mq_lock for names and queues.
 * Not here: a file system to see them in, SIGEV_THREAD.
 */
#include <kernel/ipc/mqueue.h>

#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
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

struct mqueue {
	u32 refs;	       /* [a] files, and the name */
	struct list_head node; /* in names; empty: unlinked */
	u32 uid, gid, mode;    /* [I] */
	u32 maxmsg, msgsize;   /* [I] */
	u32 nr;
	u64 bytes;
	struct list_head msgs;
	struct waitq rd_wq, wr_wq;
	u32 nr_readers;		/* that wait: no notification then */
	struct process *notify; /* owned, or NULL */
	int notify_sig;
	u64 notify_value;
	char name[MQ_NAME_MAX + 1]; /* [I] */
};

static struct spinlock mq_lock = SPINLOCK_INIT("mqueue", RANK_FILE);
static struct list_head names = LIST_HEAD_INIT(names);
static u32 nr_queues;

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

static void mq_put(struct mqueue *q)
{
	if (!atomic_dec_and_test(&q->refs))
		return;
	while (!list_empty(&q->msgs)) {
		struct mq_msg *m =
			list_first_entry(&q->msgs, struct mq_msg, node);

		list_del(&m->node);
		kfree(m);
	}
	process_put(q->notify);
	kfree(q);
}

/* --- names */

static struct mqueue *find_locked(const char *name)
{
	struct mqueue *q;

	list_for_each_entry(q, &names, node) {
		if (!strcmp(q->name, name))
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

static struct mqueue *new_queue(const char *name, u32 mode,
				const struct mq_attr *a)
{
	struct mqueue *q = kzalloc(sizeof(*q));

	if (!q)
		return NULL;
	q->refs = 1;
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
	waitq_init(&q->rd_wq);
	waitq_init(&q->wr_wq);
	(void)strscpy(q->name, name, sizeof(q->name));
	return q;
}

/* The queue with a reference, or ERR_PTR; @fresh is taken or left. */
static struct mqueue *open_locked(const char *name, u32 oflag,
				  struct mqueue **fresh)
{
	struct mqueue *q = find_locked(name);
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
		if (nr_queues >= load_once(&mq_limits.queues_max) &&
		    !capable(CAP_SYS_RESOURCE))
			return ERR_PTR(-ENOSPC);
		q = *fresh;
		*fresh = NULL;
		list_add_tail(&q->node, &names);
		nr_queues++;
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
	q = open_locked(name, oflag, &fresh);
	spin_unlock(&mq_lock);
	if (fresh)
		mq_put(fresh);
	if (IS_ERR(q))
		return PTR_ERR(q);
	f = file_alloc(&mq_fops, oflag & (O_ACCMODE | O_NONBLOCK), q);
	if (!f) {
		mq_put(q);
		return -ENOMEM;
	}
	f->can_read = (oflag & O_ACCMODE) != O_WRONLY;
	f->can_write = (oflag & O_ACCMODE) != O_RDONLY;
	return fd_open(f, O_CLOEXEC);
}

s64 mq_unlink_name(const char *name)
{
	struct mqueue *q;
	s64 r = 0;

	spin_lock(&mq_lock);
	q = find_locked(name);
	if (!q) {
		r = -ENOENT;
	} else if (current_cred()->fsuid != q->uid && !capable(CAP_FOWNER)) {
		r = -EACCES;
	} else {
		list_del(&q->node);
		nr_queues--;
	}
	spin_unlock(&mq_lock);
	if (!r)
		mq_put(q);
	return r;
}

/* --- messages */

static void notify_locked(struct mqueue *q)
{
	struct process *p = q->notify;
	struct siginfo si;

	q->notify = NULL;
	if (!p)
		return;
	if (q->notify_sig) {
		siginfo_user(&si, q->notify_sig, SI_MESGQ);
		si.rt.value = q->notify_value;
		spin_unlock(&mq_lock); /* the task lock is outside of ours */
		(void)signal_process(p, q->notify_sig, &si);
		spin_lock(&mq_lock);
	}
	process_put(p);
}

static int put(struct mqueue *q, struct mq_msg *m)
{
	struct mq_msg *o;
	bool first;

	spin_lock(&mq_lock);
	if (q->nr >= q->maxmsg) {
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
	if (first && !q->nr_readers)
		notify_locked(q);
	spin_unlock(&mq_lock);
	wake_up_all_key(&q->rd_wq, POLLIN | POLLRDNORM);
	return 0;
}

s64 mq_send(struct file *f, struct mq_msg *m, u64 deadline_ns)
{
	struct mqueue *q = f->priv;
	s64 r;

	if (m->len > q->msgsize)
		return -EMSGSIZE;
	while ((r = put(q, m)) == -EAGAIN) {
		if (f->flags & O_NONBLOCK)
			return r;
		r = wait_event_interruptible_timeout(
			&q->wr_wq, load_once(&q->nr) < q->maxmsg, deadline_ns);
		if (r)
			return r;
	}
	return r;
}

static struct mq_msg *take(struct mqueue *q, int waiting)
{
	struct mq_msg *m;

	spin_lock(&mq_lock);
	q->nr_readers += (u32)waiting;
	m = list_first_entry_or_null(&q->msgs, struct mq_msg, node);
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
	struct mq_msg *m;
	s64 r = 0;

	if (room < q->msgsize)
		return ERR_PTR(-EMSGSIZE);
	m = take(q, 0);
	if (m)
		return m;
	if (f->flags & O_NONBLOCK)
		return ERR_PTR(-EAGAIN);
	m = take(q, 1);
	while (!m && !r) {
		r = wait_event_interruptible_timeout(
			&q->rd_wq, load_once(&q->nr) != 0, deadline_ns);
		m = take(q, 0);
	}
	spin_lock(&mq_lock);
	q->nr_readers--;
	spin_unlock(&mq_lock);
	return m ? m : ERR_PTR(r);
}

s64 mq_notify_set(struct file *f, bool none, int sig, u64 value)
{
	struct mqueue *q = f->priv;
	struct process *me = current->proc, *old = NULL;
	s64 r = 0;

	spin_lock(&mq_lock);
	if (none && q->notify == me) {
		old = q->notify;
		q->notify = NULL;
	} else if (!none && q->notify) {
		r = -EBUSY;
	} else if (!none) {
		q->notify = process_get(me);
		q->notify_sig = sig;
		q->notify_value = value;
	}
	spin_unlock(&mq_lock);
	process_put(old);
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
		q->bytes, q->notify ? (q->notify_sig ? 0 : 1) : 0,
		q->notify ? q->notify_sig : 0, q->notify ? q->notify->pid : 0);
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
	return (int)mq_notify_set(f, true, 0, 0);
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
