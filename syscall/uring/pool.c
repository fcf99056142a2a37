/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/pool.c - what a process has under way, and its workers.
 *
 * A worker is a kernel thread that has the process's address space, descriptors and
 * working directory, so that any system call's handler can be executed on it.  It
 * is no thread of the process: signals do not reach it, wait() does not see it, and
 * the process's end waits for it (U3).
 *
 * INVARIANTS
 *   P1  Before a worker begins something it sees to it that another one is idle, up
 *	 to WORKERS_MAX: so what is queued in any context is taken.
 *   P2  Who calls a worker takes it off the list of the idle ones.
 *   P3  A worker of a dying pool ends when there are no requests.  What comes after a
 *	 request is among them before that one is not (post_result()).
 *
 * ORDERING
 *   WAKE  of kernel/relay/relay.h: `called` before thread_wake().
 *   URINGPOOL  of syscall/uring/uring.h
 */
#include <syscall/uring/uring.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/ns.h>
#include <kernel/task/ext.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define WORKERS_MAX 256u
#define IDLE_NS	    5000000000ull

/* ---- queues */

static void call_locked(struct uring_worker *w)
{
	list_del(&w->idle_node);
	w->pool->nr_idle--;
	store_once(&w->called, true);
	thread_wake(w->thread);
}

void uring_queue_locked(struct uring_req *q)
{
	struct uring_pool *p = q->pool;
	struct uring_worker *w;

	assert_held(&p->lock);
	KASSERT(q->state != UR_QUEUED);
	q->was_armed = q->state == UR_ARMED;
	q->state = UR_QUEUED;
	list_add_tail(&q->node, &p->work);
	w = list_first_entry_or_null(&p->idle, struct uring_worker, idle_node);
	if (w)
		call_locked(w);
}

void uring_queue(struct uring_req *q)
{
	struct uring_pool *p = q->pool;

	spin_lock(&p->lock);
	uring_queue_locked(q);
	spin_unlock(&p->lock);
}

bool uring_claim_locked(struct uring_req *q)
{
	assert_held(&q->pool->lock);
	switch (q->state) {
	case UR_QUEUED:
		list_del(&q->node);
		break;
	case UR_ARMED:
	case UR_TIMER:
		break;
	default:
		return false;
	}
	if (q->guarded) { /* a guard is no use any more */
		q->guarded->guard = NULL;
		q->guarded = NULL;
	}
	q->state = UR_RUNNING;
	return true;
}

bool uring_claim(struct uring_req *q)
{
	bool mine;

	spin_lock(&q->pool->lock);
	mine = uring_claim_locked(q);
	spin_unlock(&q->pool->lock);
	return mine;
}

void uring_interrupt_locked(struct uring_req *q)
{
	struct uring_worker *w;

	assert_held(&q->pool->lock);
	store_once(&q->cancelled, true);
	list_for_each_entry(w, &q->pool->workers, node) {
		if (w->req == q)
			thread_set_work(w->thread, WORK_EXIT);
	}
}

/* ---- a worker */

/* The next request, RUNNING; NULL: there is none. */
static struct uring_req *take_locked(struct uring_pool *p)
{
	struct uring_req *q =
		list_first_entry_or_null(&p->work, struct uring_req, node);

	if (q) {
		list_del(&q->node);
		q->state = UR_RUNNING;
	}
	return q;
}

void uring_working_on(const struct uring_req *q)
{
	struct uring_worker *w = current->karg;
	struct uring_pool *p = w->pool;

	spin_lock(&p->lock);
	/* What was meant for the one before is nobody's now. */
	(void)atomic_xchg(&w->thread->work, 0);
	w->req = q;
	spin_unlock(&p->lock);
}

/* Off the idle list by ourselves; false: somebody has called us meanwhile. */
static bool stop_waiting_locked(struct uring_worker *w)
{
	if (!list_is_linked(&w->idle_node))
		return false;
	list_del(&w->idle_node);
	w->pool->nr_idle--;
	return true;
}

/* Until there is something to do, or @w may end (NULL). */
static struct uring_req *next_req(struct uring_worker *w)
{
	struct uring_pool *p = w->pool;
	struct uring_req *q;

	for (;;) {
		int err;

		spin_lock(&p->lock);
		q = take_locked(p);
		if (q || (p->dying && list_empty(&p->reqs))) {
			spin_unlock(&p->lock);
			return q;
		}
		w->called = false;
		list_add(&w->idle_node, &p->idle);
		p->nr_idle++;
		spin_unlock(&p->lock);
		uring_reap(p);
		err = wait_event_timeout(&w->wq, load_once(&w->called),
					 clock_mono_ns() + IDLE_NS);
		spin_lock(&p->lock);
		if (stop_waiting_locked(w) && err && p->nr_idle) {
			spin_unlock(&p->lock);
			return NULL;
		}
		spin_unlock(&p->lock);
	}
}

/* Its file has something now: the program that made that so is about to return. */
static struct uring_req *take_retry(struct uring_pool *p)
{
	struct uring_req *q, *found = NULL;

	spin_lock(&p->lock);
	list_for_each_entry(q, &p->work, node) {
		if (q->was_armed) {
			found = q;
			list_del(&q->node);
			q->state = UR_RUNNING;
			break;
		}
	}
	spin_unlock(&p->lock);
	return found;
}

void uring_help(struct uring_pool *p)
{
	struct uring_req *q;

	while (!list_empty(&p->work) && (q = take_retry(p))) {
		if (q->nr_wait && !uring_stays_armed(q))
			uring_disarm(q);
		uring_run(q, false);
		cond_resched();
	}
}

static void keep_a_spare(struct uring_pool *p)
{
	bool want;

	spin_lock(&p->lock);
	want = !p->nr_idle && p->nr_workers < WORKERS_MAX && !p->dying;
	spin_unlock(&p->lock);
	if (want)
		(void)uring_worker_start(p, NULL); /* no memory: one by one */
}

static void work(struct uring_worker *w)
{
	struct uring_req *q;

	while ((q = next_req(w))) {
		keep_a_spare(w->pool); /* P1 */
		if (q->nr_wait && !uring_stays_armed(q))
			uring_disarm(q);
		uring_run(q, true);
		cond_resched();
	}
}

static void drop_process(struct thread *t)
{
	struct sighand *sh = t->proc->sighand;

	thread_drop_mm(t);
	files_put(t->files);
	fs_ctx_put(t->fs);
	nsproxy_put(t->nsproxy);
	t->files = NULL;
	t->fs = NULL;
	t->nsproxy = NULL;
	spin_lock(&sh->lock);
	sigqueue_drop(&t->sig_queue, &t->sig_pending, ~0ULL);
	spin_unlock(&sh->lock);
	thread_ext_free(t);
	spin_lock(&task_lock);
	memcg_attach(t, NULL);
	spin_unlock(&task_lock);
	cred_put(t->real_cred);
	thread_set_cred(t, NULL);
}

static void worker_main(void *arg)
{
	struct uring_worker *w = arg;
	struct uring_pool *p = w->pool;
	struct thread *t = current;
	struct process *proc = t->proc;

	if (w->ring)
		uring_poller(w);
	else
		work(w);
	drop_process(t);
	t->proc = NULL; /* from here on a kernel thread like others */
	spin_lock(&p->lock);
	list_del(&w->node);
	p->nr_workers -= !w->ring;
	spin_unlock(&p->lock);
	wake_up_all(&p->gone);
	process_put(proc);
	uring_pool_put(p);
	if (w->ring)
		uring_put(w->ring);
	kfree(w);
}

/* ---- making one */

static struct thread *thread_for(struct uring_pool *p, bool poller)
{
	struct thread *me = current, *t = thread_alloc();

	if (!t)
		return NULL;
	(void)snprintf(t->name, sizeof(t->name), "iou-%s-%d",
		       poller ? "sqp" : "wrk", p->proc->pid);
	t->tid = p->proc->pid;
	t->ns_tid = p->proc->ns_pid;
	t->proc = process_get(p->proc);
	thread_set_cred(t, cred_get(me->real_cred));
	thread_set_mm(t, mm_get(me->mm));
	t->files = files_get(me->files);
	t->fs = fs_ctx_get(me->fs);
	t->nsproxy = nsproxy_get(me->nsproxy);
	t->sig_blocked = ~0ULL;
	t->cpus_allowed = me->cpus_allowed;
	spin_lock(&task_lock);
	memcg_attach(t, me->memcg);
	spin_unlock(&task_lock);
	t->personality = me->personality;
	t->start_ns = clock_mono_ns();
	return t;
}

/* A service hart: the one that executes this already, if it is one. */
static struct hart *worker_hart(void)
{
	struct hart *h = this_hart();

	return h->role & ROLE_SERVICE ? h : harts[service_cpu_default()];
}

int uring_worker_start(struct uring_pool *p, struct uring *ring)
{
	struct uring_worker *w = kzalloc(sizeof(*w));
	struct thread *t;

	if (!w)
		return -ENOMEM;
	t = thread_for(p, ring != NULL);
	if (!t) {
		kfree(w);
		return -ENOMEM;
	}
	list_init(&w->node);
	list_init(&w->idle_node);
	waitq_init(&w->wq);
	w->pool = p;
	atomic_inc(&p->refs);
	w->thread = t;
	w->ring = ring ? uring_get(ring) : NULL;
	t->kfn = worker_main;
	t->karg = w;
	spin_lock(&p->lock);
	list_add_tail(&w->node, &p->workers);
	p->nr_workers += !ring;
	spin_unlock(&p->lock);
	kthread_start_on(t, worker_hart());
	return 0;
}

/* ---- life of a pool */

static struct uring_pool *pool_new(struct process *proc)
{
	struct uring_pool *p = kzalloc(sizeof(*p));

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->refs = 1;
	p->proc = proc;
	spin_init(&p->lock, "io_uring pool", RANK_EVENT);
	list_init(&p->work);
	list_init(&p->workers);
	list_init(&p->idle);
	list_init(&p->reqs);
	list_init(&p->held);
	list_init(&p->ended);
	waitq_init(&p->gone);
	mutex_init(&p->fds_lock);
	return p;
}

/* The process's, made if there is none yet. */
static struct uring_pool *pool_get(struct process *proc)
{
	struct uring_pool *p = uring_pool_of(proc), *old;

	if (likely(p != NULL))
		return p;
	p = pool_new(proc);
	if (IS_ERR(p))
		return p;
	/* URINGPOOL (release) - pairs with uring_pool_of(). */
	old = atomic_cmpxchg(&proc->uring, NULL, p);
	if (!old)
		return p;
	uring_pool_put(p);
	return old;
}

struct uring_pool *uring_pool_of_current(void)
{
	struct uring_pool *p = pool_get(current->proc);
	int err = 0;

	/* none: it is new, or there was no memory for one before */
	if (!IS_ERR(p) && unlikely(!load_once(&p->nr_workers)))
		err = uring_worker_start(p, NULL);
	return err ? ERR_PTR(err) : p;
}

void uring_pool_put(struct uring_pool *p)
{
	if (!atomic_dec_and_test(&p->refs))
		return;
	KASSERT(list_empty(&p->reqs) && list_empty(&p->held) &&
		list_empty(&p->workers));
	kfree(p);
}

/* No request, and nobody left who could make one. */
static bool is_quiet(struct uring_pool *p)
{
	struct uring_worker *w;
	bool quiet;

	spin_lock(&p->lock);
	quiet = list_empty(&p->reqs);
	list_for_each_entry(w, &p->workers, node)
		quiet &= !w->ring;
	spin_unlock(&p->lock);
	return quiet;
}

static bool has_no_workers(struct uring_pool *p)
{
	bool none;

	spin_lock(&p->lock);
	none = list_empty(&p->workers);
	spin_unlock(&p->lock);
	return none;
}

/* Also out of whatever it waits for: it opens files, and may be asked about that. */
static void stop_poller_locked(struct uring_worker *w)
{
	thread_set_work(w->thread, WORK_EXIT);
	thread_wake(w->thread);
}

void uring_poller_stop(struct uring *r)
{
	struct uring_pool *p = r->pool;
	struct uring_worker *w;

	if (!p)
		return;
	spin_lock(&p->lock);
	list_for_each_entry(w, &p->workers, node) {
		if (w->ring == r)
			stop_poller_locked(w);
	}
	spin_unlock(&p->lock);
}

static void begin_end(struct uring_pool *p)
{
	struct uring_worker *w;

	spin_lock(&p->lock);
	store_once(&p->dying, true);
	list_for_each_entry(w, &p->workers, node) {
		if (w->ring)
			stop_poller_locked(w);
	}
	spin_unlock(&p->lock);
}

static void dismiss_workers(struct uring_pool *p)
{
	struct uring_worker *w, *tmp;

	spin_lock(&p->lock);
	list_for_each_entry_safe(w, tmp, &p->idle, idle_node)
		call_locked(w);
	spin_unlock(&p->lock);
}

/* Workers stay until the last request has ended: its end may start another (P3). */
void uring_process_exit(struct process *proc)
{
	struct uring_pool *p = uring_pool_of(proc);

	if (likely(!p))
		return;
	begin_end(p);
	uring_cancel_pool(p);
	wait_event(&p->gone, is_quiet(p));
	while (uring_cancel_held(p)) /* others may have begun because of it */
		wait_event(&p->gone, is_quiet(p));
	dismiss_workers(p);
	wait_event(&p->gone, has_no_workers(p));
	uring_reap(p);
	for (u32 i = 0; i < URING_RING_FDS; i++) {
		if (p->fd[i])
			file_put(p->fd[i]);
	}
	store_once(&proc->uring, NULL);
	uring_pool_put(p);
}
