/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/seccomp_notify.c - somebody else decides what comes of a call.
 *
 * A thread whose filter says SECCOMP_USER_NOTIF asks a question and waits.  Who holds
 * the listener, an open file, reads it and answers: with a result, with "go on", or
 * by giving the asker a descriptor.  A descriptor is put into the asker's table by
 * the asker itself.
 *
 * INVARIANTS
 *   I1  A question is on its asker's stack, and listed for as long as it is asked.
 *   I2  A gift is on its giver's stack; it is listed until the asker is done with
 *       it, or the giver takes it back, which they may until the asker begins.
 *
 * Locking: listener->lock for the list, the questions on it and their gifts.
 * Context: coroutines.
 */
#include <kernel/task/seccomp.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/random.h>
#include <kernel/task/task.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

/* linux/seccomp.h: the file's commands and what they take */
#define NOTIF_RECV	     0xc0502100u
#define NOTIF_SEND	     0xc0182101u
#define NOTIF_ID_VALID	     0x40082102u
#define NOTIF_ID_VALID_WRONG 0x80082102u /* as first published */
#define NOTIF_SET_FLAGS	     0x40082104u
#define NOTIF_ADDFD	     0x2103u /* whatever the size and direction */
#define IOC_SIZE(cmd)	     ((cmd) >> 16 & 0x3fff)
#define IOC_NR(cmd)	     ((cmd)&0xffff)

#define ANSWER_CONTINUE BIT(0)
#define ADDFD_SETFD	BIT(0)
#define ADDFD_SEND	BIT(1)
#define WAKE_SYNC	BIT(0) /* a hint where to run the asker: we have none */

struct notif {
	u64 id;
	u32 pid, flags;
	struct seccomp_data data;
};
STATIC_ASSERT(sizeof(struct notif) == 80, "Linux's struct seccomp_notif");

struct answer {
	u64 id;
	s64 val;
	s32 error;
	u32 flags;
};
STATIC_ASSERT(sizeof(struct answer) == 24, "Linux's struct seccomp_notif_resp");

struct addfd {
	u64 id;
	u32 flags, srcfd, newfd, newfd_flags;
};
STATIC_ASSERT(sizeof(struct addfd) == 24, "Linux's struct seccomp_notif_addfd");

struct seccomp_listener {
	struct spinlock lock;	    /* RANK_PIPE */
	struct list_head questions; /* [lock] oldest first */
	u64 next_id;		    /* [lock] */
	bool closed;		    /* [lock] nobody can answer any more */
	bool killable;		    /* [I] */
	struct waitq wq;	    /* readers, pollers, givers */
};

enum state {
	ASKED,
	READ,
	ANSWERED
};

struct question {
	struct list_head node; /* I1 */
	u64 id;		       /* [I] */
	enum state state;
	struct thread *thread;		 /* [I] */
	const struct seccomp_data *data; /* [I] */
	struct answer answer;
	struct list_head gifts;
};

struct gift {
	struct list_head node; /* I2 */
	struct file *file;     /* [I] the giver's reference */
	int at;		       /* [I] which descriptor; -1: any */
	bool cloexec, answers; /* [I] */
	bool taken, done;
	int result;
};

/* --- the asker */

static void wake_asker(const struct question *q)
{
	wake_up_all(&q->thread->proc->threads_wq);
}

static void gift_done_locked(struct seccomp_listener *l, struct gift *g,
			     int result)
{
	list_del(&g->node);
	g->result = result;
	g->done = true;
	wake_up_all(&l->wq);
}

/* Current takes the first gift; false: there is none. */
static bool take_gift(struct seccomp_listener *l, struct question *q)
{
	struct file *file = NULL;
	struct gift *g;
	bool cloexec = false;
	int at = -1, fd;

	spin_lock(&l->lock);
	g = list_first_entry_or_null(&q->gifts, struct gift, node);
	if (g) {
		g->taken = true; /* and stays where it is */
		file = file_get(g->file);
		cloexec = g->cloexec;
		at = g->at;
	}
	spin_unlock(&l->lock);
	if (!g)
		return false;
	fd = at < 0 ? fd_open(file_get(file), cloexec ? O_CLOEXEC : 0)
		    : fd_replace(at, file, cloexec);
	spin_lock(&l->lock);
	if (g->answers && fd < 0)
		q->state = READ;
	else if (g->answers)
		q->answer = (struct answer){ .val = fd };
	gift_done_locked(l, g, fd);
	spin_unlock(&l->lock);
	file_put(file);
	return true;
}

static bool is_answered(struct seccomp_listener *l, const struct question *q)
{
	bool yes;

	spin_lock(&l->lock);
	yes = q->state == ANSWERED && list_empty(&q->gifts);
	spin_unlock(&l->lock);
	return yes;
}

static bool news(struct seccomp_listener *l, const struct question *q)
{
	bool yes;

	spin_lock(&l->lock);
	yes = q->state == ANSWERED || !list_empty(&q->gifts);
	spin_unlock(&l->lock);
	return yes;
}

/* Do signals have to wait for the answer? */
static bool only_killable(struct seccomp_listener *l, const struct question *q)
{
	bool yes;

	spin_lock(&l->lock);
	yes = l->killable && q->state != ASKED;
	spin_unlock(&l->lock);
	return yes;
}

static int wait_answer(struct seccomp_listener *l, struct question *q)
{
	struct waitq *wq = &current->proc->threads_wq;
	const u64 *work = &current->work;
	int err;

	while (!is_answered(l, q)) {
		if (take_gift(l, q))
			continue;
		if (!only_killable(l, q)) {
			err = wait_event_interruptible(wq, news(l, q));
			if (err && !only_killable(l, q))
				return err;
		} else {
			wait_event(wq,
				   news(l, q) || (load_once(work) & WORK_EXIT));
		}
		if (load_once(work) & WORK_EXIT)
			return -ERESTARTSYS;
	}
	return 0;
}

static bool ask(struct seccomp_listener *l, struct question *q)
{
	bool closed;

	spin_lock(&l->lock);
	closed = l->closed;
	if (!closed) {
		q->id = l->next_id++;
		list_add_tail(&q->node, &l->questions);
	}
	spin_unlock(&l->lock);
	if (!closed)
		wake_up_all_key(&l->wq, POLLIN | POLLRDNORM);
	return !closed;
}

static void withdraw(struct seccomp_listener *l, struct question *q)
{
	struct gift *g;

	spin_lock(&l->lock);
	while ((g = list_first_entry_or_null(&q->gifts, struct gift, node)))
		gift_done_locked(l, g, -ESRCH);
	list_del(&q->node);
	spin_unlock(&l->lock);
}

bool seccomp_ask_listener(struct seccomp_filter *f, struct thread *t,
			  const struct seccomp_data *d)
{
	struct question q = { .state = ASKED, .thread = t, .data = d };
	int err;

	list_init(&q.node);
	list_init(&q.gifts);
	if (!f->listener || !ask(f->listener, &q)) {
		t->tf.a0 = (u64)-ENOSYS; /* nobody listens */
		return false;
	}
	err = wait_answer(f->listener, &q);
	withdraw(f->listener, &q);
	if (!err && (q.answer.flags & ANSWER_CONTINUE))
		return true;
	if (err)
		t->tf.a0 = (u64)(s64)err;
	else
		t->tf.a0 = q.answer.error ? (u64)(s64)q.answer.error
					  : (u64)q.answer.val;
	return false;
}

/* --- the listener */

static struct question *find_locked(struct seccomp_listener *l, u64 id)
{
	struct question *q;

	list_for_each_entry(q, &l->questions, node) {
		if (q->id == id)
			return q;
	}
	return NULL;
}

static struct question *first_locked(struct seccomp_listener *l, enum state s)
{
	struct question *q;

	list_for_each_entry(q, &l->questions, node) {
		if (q->state == s)
			return q;
	}
	return NULL;
}

static bool has(struct seccomp_listener *l, enum state s)
{
	bool yes;

	spin_lock(&l->lock);
	yes = first_locked(l, s) != NULL;
	spin_unlock(&l->lock);
	return yes;
}

/* The oldest question that nobody has read: into *@n. */
static bool read_question(struct seccomp_listener *l, struct notif *n)
{
	struct question *q;

	spin_lock(&l->lock);
	q = first_locked(l, ASKED);
	if (q) {
		*n = (struct notif){
			.id = q->id,
			.pid = (u32)pid_shown(q->thread->tid),
			.data = *q->data,
		};
		q->state = READ;
	}
	spin_unlock(&l->lock);
	return q != NULL;
}

static void unread(struct seccomp_listener *l, u64 id)
{
	struct question *q;

	spin_lock(&l->lock);
	q = find_locked(l, id);
	if (q && q->state == READ)
		q->state = ASKED;
	spin_unlock(&l->lock);
	wake_up_all_key(&l->wq, POLLIN | POLLRDNORM);
}

static s64 do_recv(struct seccomp_filter *f, uaddr_t to)
{
	static const struct notif none;
	struct seccomp_listener *l = f->listener;
	struct notif n;
	int err;

	if (copy_from_user(&n, to, sizeof(n)))
		return -EFAULT;
	if (memcmp(&n, &none, sizeof(n)))
		return -EINVAL; /* for what comes one day */
	while (!read_question(l, &n)) {
		if (!load_once(&f->users))
			return -ENOENT;
		err = wait_event_interruptible(
			&l->wq, has(l, ASKED) || !load_once(&f->users));
		if (err)
			return err;
	}
	wake_up_all_key(&l->wq, POLLOUT | POLLWRNORM);
	if (!copy_to_user(to, &n, sizeof(n)))
		return 0;
	unread(l, n.id);
	return -EFAULT;
}

/* @q: 0, or why it cannot be answered now. */
static int answerable(const struct question *q)
{
	if (!q)
		return -ENOENT;
	return q->state == READ ? 0 : -EINPROGRESS;
}

static s64 do_send(struct seccomp_listener *l, uaddr_t from)
{
	struct question *q;
	struct answer a;
	int err;

	if (copy_from_user(&a, from, sizeof(a)))
		return -EFAULT;
	if ((a.flags & ~(u32)ANSWER_CONTINUE) ||
	    ((a.flags & ANSWER_CONTINUE) && (a.error || a.val)))
		return -EINVAL;
	spin_lock(&l->lock);
	q = find_locked(l, a.id);
	err = answerable(q);
	if (!err) {
		q->state = ANSWERED;
		q->answer = a;
		wake_asker(q);
	}
	spin_unlock(&l->lock);
	return err;
}

static s64 do_id_valid(struct seccomp_listener *l, uaddr_t from)
{
	struct question *q;
	bool ok;
	u64 id;

	if (get_user_u64(&id, from))
		return -EFAULT;
	spin_lock(&l->lock);
	q = find_locked(l, id);
	ok = q && q->state == READ;
	spin_unlock(&l->lock);
	return ok ? 0 : -ENOENT;
}

static int offer(struct seccomp_listener *l, u64 id, struct gift *g)
{
	struct question *q;
	int err;

	spin_lock(&l->lock);
	q = find_locked(l, id);
	err = answerable(q);
	if (!err && g->answers && !list_empty(&q->gifts))
		err = -EBUSY;
	if (!err) {
		if (g->answers)
			q->state = ANSWERED;
		list_add_tail(&g->node, &q->gifts);
		wake_asker(q);
	}
	spin_unlock(&l->lock);
	return err;
}

static bool is_done(struct seccomp_listener *l, const struct gift *g)
{
	bool done;

	spin_lock(&l->lock);
	done = g->done;
	spin_unlock(&l->lock);
	return done;
}

/* Wait until the asker has it; a signal takes it back, and the answer too. */
static s64 give(struct seccomp_listener *l, u64 id, struct gift *g)
{
	int err = wait_event_interruptible(&l->wq, is_done(l, g));
	bool taken;

	spin_lock(&l->lock);
	taken = g->taken || g->done;
	if (!taken) {
		list_del(&g->node);
		if (g->answers)
			find_locked(l, id)->state = READ;
	}
	spin_unlock(&l->lock);
	if (!taken)
		return err;
	wait_event(&l->wq, is_done(l, g));
	return g->result;
}

static int read_addfd(struct addfd *a, uaddr_t from, u32 size)
{
	u8 more[8];

	if (size < sizeof(*a) || size >= PAGE_SIZE)
		return -EINVAL;
	if (copy_from_user(a, from, sizeof(*a)))
		return -EFAULT;
	for (u32 at = sizeof(*a); at < size; at += sizeof(more)) {
		u32 n = min(size - at, (u32)sizeof(more));

		if (copy_from_user(more, from + at, n))
			return -EFAULT;
		for (u32 i = 0; i < n; i++) {
			if (more[i])
				return -E2BIG;
		}
	}
	if (a->newfd_flags & ~(u32)O_CLOEXEC)
		return -EINVAL;
	if (a->flags & ~(u32)(ADDFD_SETFD | ADDFD_SEND))
		return -EINVAL;
	return a->newfd && !(a->flags & ADDFD_SETFD) ? -EINVAL : 0;
}

static s64 do_addfd(struct seccomp_listener *l, uaddr_t from, u32 size)
{
	struct addfd a;
	struct gift g;
	s64 r = read_addfd(&a, from, size);

	if (r)
		return r;
	g = (struct gift){
		.file = fd_get((int)a.srcfd),
		.at = a.flags & ADDFD_SETFD ? (int)a.newfd : -1,
		.cloexec = a.newfd_flags & O_CLOEXEC,
		.answers = a.flags & ADDFD_SEND,
	};
	if (!g.file)
		return -EBADF;
	list_init(&g.node);
	r = offer(l, a.id, &g);
	if (!r)
		r = give(l, a.id, &g);
	file_put(g.file);
	return r;
}

static s64 do_set_flags(u64 flags)
{
	return flags & ~(u64)WAKE_SYNC ? -EINVAL : 0;
}

static s64 listener_ioctl(struct file *file, unsigned int cmd, u64 arg)
{
	struct seccomp_filter *f = file->priv;

	switch (cmd) {
	case NOTIF_RECV:
		return do_recv(f, arg);
	case NOTIF_SEND:
		return do_send(f->listener, arg);
	case NOTIF_ID_VALID:
	case NOTIF_ID_VALID_WRONG:
		return do_id_valid(f->listener, arg);
	case NOTIF_SET_FLAGS:
		return do_set_flags(arg);
	default:
		if (IOC_NR(cmd) == NOTIF_ADDFD)
			return do_addfd(f->listener, arg, IOC_SIZE(cmd));
		return -EINVAL;
	}
}

static u32 listener_poll(struct file *file, struct poll_table *pt)
{
	struct seccomp_filter *f = file->priv;
	struct seccomp_listener *l = f->listener;
	u32 ev = 0;

	poll_wait(pt, file, &l->wq);
	if (has(l, ASKED))
		ev |= POLLIN | POLLRDNORM;
	if (has(l, READ))
		ev |= POLLOUT | POLLWRNORM;
	if (!load_once(&f->users))
		ev |= POLLHUP;
	return ev;
}

/* Whoever waits for an answer learns that there will be none. */
static void listener_release(struct file *file)
{
	struct seccomp_filter *f = file->priv;
	struct seccomp_listener *l = f->listener;
	struct question *q;

	spin_lock(&l->lock);
	l->closed = true;
	list_for_each_entry(q, &l->questions, node) {
		if (q->state == ANSWERED)
			continue;
		q->state = ANSWERED;
		q->answer = (struct answer){ .error = -ENOSYS };
		wake_asker(q);
	}
	spin_unlock(&l->lock);
	seccomp_filter_put(f);
}

static const struct file_ops listener_ops = {
	.ioctl = listener_ioctl,
	.poll = listener_poll,
	.release = listener_release,
	.anon_name = "anon_inode:seccomp notify",
};

void seccomp_listener_unused(struct seccomp_listener *l)
{
	wake_up_all_key(&l->wq, POLLHUP);
}

void seccomp_listener_free(struct seccomp_listener *l)
{
	kfree(l);
}

struct file *seccomp_listen(struct seccomp_filter *f, bool killable)
{
	struct seccomp_listener *l = kzalloc(sizeof(*l));
	struct file *file;

	if (!l)
		return NULL;
	spin_init(&l->lock, "seccomp listener", RANK_PIPE);
	list_init(&l->questions);
	waitq_init(&l->wq);
	l->killable = killable;
	l->next_id = random_u64();
	file = file_alloc(&listener_ops, O_RDWR, f);
	if (!file) {
		kfree(l);
		return NULL;
	}
	f->listener = l;
	seccomp_filter_get(f);
	return file;
}
