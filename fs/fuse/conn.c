/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/conn.c - connections, and requests from the side of who asks.
 *
 * INVARIANTS
 *   C1  A request is PENDING on conn->pending, SENT on a dev->sent, or on no list;
 *       it is on conn->interrupts only while it is SENT.
 *   C2  Who takes a request off its list under conn->lock ends it; so it ends once.
 *   C3  After connected has become false nothing is PENDING or SENT for long:
 *       fuse_abort() takes what there is, and nothing is added.
 *
 * ORDERING
 *   FUSEINIT  what was negotiated, then conn->ready_word; who asks reads it, then
 *             that.
 */
#include <fs/fuse/fuse.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define KILL_LOOK_NS (20 * NSEC_PER_MSEC)
#define BG_PID	     0

struct fuse_conn *fuse_conn_new(void)
{
	struct fuse_conn *fc = kzalloc(sizeof(*fc));

	if (!fc)
		return NULL;
	fc->refs = 1;
	spin_init(&fc->lock, "fuse", RANK_PIPE);
	waitq_init(&fc->wq);
	waitq_init(&fc->ready_wq);
	list_init(&fc->pending);
	list_init(&fc->interrupts);
	list_init(&fc->forgets);
	list_init(&fc->devs);
	list_init(&fc->polled);
	rwsem_init(&fc->super);
	fc->next_unique = 2;
	fc->connected = true;
	fc->attr_version = 1;
	fc->inodes = RB_ROOT;
	fc->max_read = ~0u;
	fc->max_write = PAGE_SIZE;
	fc->max_pages = FUSE_MAX_PAGES_DEF;
	fc->time_gran = 1;
	fc->max_background = 12;
	fc->congestion = 9;
	fc->user_ns = current_user_ns();
	ns_get(&fc->user_ns->ns);
	fc->pid_ns = current_pid_ns();
	ns_get(&fc->pid_ns->ns);
	return fc;
}

void fuse_conn_get(struct fuse_conn *fc)
{
	atomic_inc(&fc->refs);
}

void fuse_conn_put(struct fuse_conn *fc)
{
	struct fuse_forget *g;

	if (!fc || !atomic_dec_and_test(&fc->refs))
		return;
	KASSERT(list_empty(&fc->pending) && rb_empty(&fc->inodes));
	while (!list_empty(&fc->forgets)) {
		g = list_first_entry(&fc->forgets, struct fuse_forget, node);
		list_del(&g->node);
		kfree(g);
	}
	ns_put(&fc->user_ns->ns);
	ns_put(&fc->pid_ns->ns);
	kfree(fc);
}

/* --- requests */

static void fill_header(struct fuse_req *r, u32 op, u64 nodeid, u32 len)
{
	const struct thread *t = current;
	struct fuse_in_header *h = req_header(r);
	const struct cred *c = t->cred;

	*h = (struct fuse_in_header){ .len = len,
				      .opcode = op,
				      .nodeid = nodeid };
	if (!c || !t->proc)
		return; /* the kernel's */
	h->uid = id_from_global(r->fc->user_ns, ID_UID, c->fsuid);
	h->gid = id_from_global(r->fc->user_ns, ID_GID, c->fsgid);
	h->pid = (u32)pid_nr_in(r->fc->pid_ns, t->tid);
}

struct fuse_req *fuse_req_new(struct fuse_conn *fc, u32 op, u64 nodeid, u32 in,
			      u32 out)
{
	u32 len = (u32)sizeof(struct fuse_in_header) + in;
	struct fuse_req *r = kzalloc(sizeof(*r));

	if (!r)
		return ERR_PTR(-ENOMEM);
	r->in = kmalloc(len);
	r->out = out ? kmalloc(out) : NULL;
	if (!r->in || (out && !r->out)) {
		kfree(r->in);
		kfree(r->out);
		kfree(r);
		return ERR_PTR(-ENOMEM);
	}
	fuse_conn_get(fc);
	r->fc = fc;
	r->refs = 1;
	r->out_size = out;
	list_init(&r->node);
	list_init(&r->intr);
	waitq_init(&r->wq);
	fill_header(r, op, nodeid, len);
	return r;
}

void fuse_req_put(struct fuse_req *r)
{
	if (!atomic_dec_and_test(&r->refs))
		return;
	KASSERT(!list_is_linked(&r->node) && !list_is_linked(&r->intr));
	fuse_conn_put(r->fc);
	kfree(r->in);
	kfree(r->out);
	kfree(r);
}

/* On the list, with a reference for that; or why not. */
static int enqueue(struct fuse_req *r)
{
	struct fuse_conn *fc = r->fc;
	int err = 0;

	spin_lock(&fc->lock);
	if (!fc->connected) {
		err = fc->was_aborted && fc->abort_error ? -ECONNABORTED
							 : -ENOTCONN;
	} else if (fc->refused) {
		err = -ECONNREFUSED;
	} else {
		atomic_inc(&r->refs);
		if (!r->no_reply) /* else it has that of a notification */
			req_header(r)->unique = fc->next_unique;
		fc->next_unique += 2;
		r->state = REQ_PENDING;
		list_add_tail(&r->node, &fc->pending);
		atomic_inc(&fc->waiting);
	}
	spin_unlock(&fc->lock);
	if (!err)
		wake_up_all_key(&fc->wq, POLLIN | POLLRDNORM);
	return err;
}

void fuse_req_end(struct fuse_req *r, s32 error)
{
	struct fuse_conn *fc = r->fc;

	spin_lock(&fc->lock);
	KASSERT(!list_is_linked(&r->node));
	list_del(&r->intr);
	r->error = error;
	r->state = REQ_DONE;
	spin_unlock(&fc->lock);
	wake_up_all(&r->wq);
	if (r->end)
		r->end(r);
	if (atomic_dec_and_test(&fc->waiting) && !load_once(&fc->connected))
		wake_up_all(&fc->ready_wq);
	fuse_req_put(r);
}

static bool is_done(struct fuse_req *r)
{
	bool done;

	spin_lock(&r->fc->lock);
	done = r->state == REQ_DONE;
	spin_unlock(&r->fc->lock);
	return done;
}

static bool killed(void)
{
	return load_once(&current->work) & WORK_EXIT;
}

/* A signal has come: the daemon may end it early. */
static void interrupt(struct fuse_req *r)
{
	struct fuse_conn *fc = r->fc;
	bool tell;

	spin_lock(&fc->lock);
	r->interrupted = true;
	tell = r->state == REQ_SENT && !fc->no_interrupt &&
	       !list_is_linked(&r->intr);
	if (tell)
		list_add_tail(&r->intr, &fc->interrupts);
	spin_unlock(&fc->lock);
	if (tell)
		wake_up_all_key(&fc->wq, POLLIN | POLLRDNORM);
}

/* Nobody waits any more.  False: it is done after all. */
static bool leave(struct fuse_req *r)
{
	struct fuse_conn *fc = r->fc;
	bool unread, done;

	spin_lock(&fc->lock);
	done = r->state == REQ_DONE;
	unread = r->state == REQ_PENDING;
	if (unread) {
		list_del(&r->node);
		r->state = REQ_DONE;
	}
	r->left = !done;
	spin_unlock(&fc->lock);
	if (unread) {
		atomic_dec(&fc->waiting);
		fuse_req_put(r);
	}
	return !done;
}

static int wait_done(struct fuse_req *r)
{
	if (!wait_event_interruptible(&r->wq, is_done(r)))
		return 0;
	if (!killed())
		interrupt(r);
	/* Only SIGKILL ends it now, and does not wake who waits like this. */
	while (!killed()) {
		if (!wait_event_timeout(&r->wq, is_done(r),
					clock_mono_ns() + KILL_LOOK_NS))
			return 0;
	}
	interrupt(r);
	return leave(r) ? -EINTR : 0;
}

int fuse_wait_ready(struct fuse_conn *fc)
{
	int err;

	/* FUSEINIT (acquire) - pairs with init_done(). */
	if (likely(load_acquire(&fc->ready_word)))
		return 0;
	err = wait_event_interruptible(&fc->ready_wq,
				       atomic_fetch_or(&fc->ready_word, 0u) ||
					       !load_once(&fc->connected));
	return err ? -EINTR : 0;
}

s64 fuse_req_run(struct fuse_req *r)
{
	const struct fuse_in_header *h = req_header(r);
	int err = fuse_wait_ready(r->fc);

	if (h->uid == INVALID_ID || h->gid == INVALID_ID)
		err = -EOVERFLOW; /* the daemon has no name for who asks */
	if (!err)
		err = enqueue(r);
	if (!err)
		err = wait_done(r);
	if (err)
		return err;
	return r->error ? r->error : (s64)r->out_len;
}

void fuse_req_send(struct fuse_req *r)
{
	int err = enqueue(r);

	if (err) {
		r->error = err;
		r->state = REQ_DONE;
		if (r->end)
			r->end(r);
	}
	fuse_req_put(r);
}

s64 fuse_call(struct fuse_conn *fc, struct fuse_args *a)
{
	struct fuse_req *r;
	u32 len = 0, i;
	u8 *at;
	s64 n;

	for (i = 0; i < a->nr; i++)
		len += a->in[i].n;
	r = fuse_req_new(fc, a->op, a->nodeid, len, a->out_size);
	if (IS_ERR(r))
		return PTR_ERR(r);
	r->short_ok = a->short_ok;
	at = req_args(r);
	for (i = 0; i < a->nr; i++) {
		memcpy(at, a->in[i].p, a->in[i].n);
		at += a->in[i].n;
	}
	n = fuse_req_run(r);
	if (n >= 0 && a->out) {
		memcpy(a->out, r->out, (size_t)n);
	} else if (n >= 0 && a->out_size) {
		a->reply = r->out;
		r->out = NULL;
	}
	fuse_req_put(r);
	return n;
}

s64 fuse_call_known(struct fuse_conn *fc, struct fuse_args *a, bool *none,
		    s64 without)
{
	s64 n = load_once(none) ? -ENOSYS : fuse_call(fc, a);

	if (n != -ENOSYS)
		return n;
	store_once(none, true);
	return without;
}

/* --- forgetting */

void fuse_forget(struct fuse_conn *fc, u64 nodeid, u64 nlookup)
{
	struct fuse_forget *g = nlookup ? kmalloc(sizeof(*g)) : NULL;
	bool queued;

	if (!g)
		return; /* without memory the daemon keeps it longer */
	list_init(&g->node);
	g->one = (struct fuse_forget_one){ nodeid, nlookup };
	spin_lock(&fc->lock);
	queued = fc->connected;
	if (queued) {
		list_add_tail(&g->node, &fc->forgets);
		fc->nr_forgets++;
	}
	spin_unlock(&fc->lock);
	if (queued)
		wake_up_all_key(&fc->wq, POLLIN | POLLRDNORM);
	else
		kfree(g);
}

/* --- the end */

static void end_all(struct list_head *doomed)
{
	struct fuse_req *r;

	while (!list_empty(doomed)) {
		r = list_first_entry(doomed, struct fuse_req, node);
		list_del(&r->node);
		r->out_len = 0;
		fuse_req_end(r, -ECONNABORTED);
	}
}

void fuse_abort(struct fuse_conn *fc, bool by_user)
{
	struct list_head doomed = LIST_HEAD_INIT(doomed);
	struct fuse_file *ff;
	struct fuse_dev *d;
	struct fuse_req *r;

	spin_lock(&fc->lock);
	if (!fc->connected) {
		spin_unlock(&fc->lock);
		return;
	}
	store_once(&fc->connected, false);
	fc->was_aborted = by_user;
	list_splice_tail_init(&fc->pending, &doomed);
	list_for_each_entry(d, &fc->devs, node)
		list_splice_tail_init(&d->sent, &doomed);
	list_for_each_entry(r, &doomed, node) {
		r->state = REQ_COPYING;
		list_del(&r->intr);
	}
	list_for_each_entry(ff, &fc->polled, polled)
		wake_up_all(&ff->poll_wq);
	spin_unlock(&fc->lock);
	end_all(&doomed);
	wake_up_all(&fc->wq);
	wake_up_all(&fc->ready_wq);
}
