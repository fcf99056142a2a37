/* SPDX-License-Identifier: MIT */
/*
 * net/link/work.c - the coroutines "net" and "netcfg", and the backlog of what arrived; see
 * work.h and link.h.
 *
 * Locking: net_lock (RANK_IRQ: drivers may hold their own) guards the backlog, the queues of
 * work and who runs.
 */
#include <net/link/dev.h>
#include <net/link/work.h>

#include <kernel/init.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define BACKLOG_MAX   1000u /* frames of one interface */
#define BACKLOG_TOTAL 4000u

struct worker {
	struct waitq wq, idle;
	struct list_head work;	  /* [net_lock] of struct net_work */
	struct net_work *running; /* [net_lock] */
};

static struct spinlock net_lock = SPINLOCK_INIT("net_backlog", RANK_IRQ);
static struct list_head backlog = LIST_HEAD_INIT(backlog); /* [net_lock] */
static u32 nr_backlog;					   /* [net_lock] */
static struct worker net = {
	.wq = WAITQ_INIT(net.wq),
	.idle = WAITQ_INIT(net.idle),
	.work = LIST_HEAD_INIT(net.work),
};
static struct worker cfg = {
	.wq = WAITQ_INIT(cfg.wq),
	.idle = WAITQ_INIT(cfg.idle),
	.work = LIST_HEAD_INIT(cfg.work),
};

/* --- work */

void net_work_init(struct net_work *w, void (*fn)(struct net_work *w))
{
	list_init(&w->node);
	w->fn = fn;
}

static bool queue(struct worker *k, struct net_work *w)
{
	bool fresh;

	spin_lock(&net_lock);
	fresh = list_empty(&w->node);
	if (fresh)
		list_add_tail(&w->node, &k->work);
	spin_unlock(&net_lock);
	if (fresh)
		wake_up_all(&k->wq);
	return fresh;
}

void net_work_queue(struct net_work *w)
{
	(void)queue(&net, w);
}

void net_cfg_queue(struct net_work *w)
{
	(void)queue(&cfg, w);
}

void net_work_queue_of(struct net_device *dev, struct net_work *w, bool is_cfg)
{
	netdev_get(dev);
	if (!queue(is_cfg ? &cfg : &net, w))
		netdev_put(dev);
}

static bool is_idle(struct net_work *w)
{
	bool idle;

	spin_lock(&net_lock);
	if (!list_empty(&w->node)) {
		list_del(&w->node);
		list_init(&w->node);
	}
	idle = net.running != w && cfg.running != w;
	spin_unlock(&net_lock);
	return idle;
}

void net_work_cancel(struct net_work *w)
{
	while (!is_idle(w)) {
		wait_event(&net.idle, load_once(&net.running) != w);
		wait_event(&cfg.idle, load_once(&cfg.running) != w);
	}
}

/* @w may be freed by its own function. */
static bool run_one(struct worker *k)
{
	struct net_work *w;

	spin_lock(&net_lock);
	w = list_first_entry_or_null(&k->work, struct net_work, node);
	if (w) {
		list_del(&w->node);
		list_init(&w->node);
		store_once(&k->running, w);
	}
	spin_unlock(&net_lock);
	if (!w)
		return false;
	w->fn(w);
	spin_lock(&net_lock);
	store_once(&k->running, NULL);
	spin_unlock(&net_lock);
	wake_up_all(&k->idle);
	cond_resched();
	return true;
}

/* --- the backlog */

bool link_backlog_add(struct link *l, struct netbuf *b)
{
	bool first = false, ok;

	spin_lock(&net_lock);
	ok = l->nr_backlog < BACKLOG_MAX && nr_backlog < BACKLOG_TOTAL;
	if (ok) {
		first = list_empty(&backlog);
		list_add_tail(&b->node, &backlog);
		l->nr_backlog++;
		nr_backlog++;
	}
	spin_unlock(&net_lock);
	if (first)
		wake_up_all(&net.wq);
	return ok;
}

static struct netbuf *take_one(void)
{
	struct netbuf *b;

	spin_lock(&net_lock);
	b = list_first_entry_or_null(&backlog, struct netbuf, node);
	if (b) {
		list_del(&b->node);
		list_init(&b->node);
		nr_backlog--;
		link_of(b->dev)->nr_backlog--;
	}
	spin_unlock(&net_lock);
	return b;
}

/* A round takes what is there when it begins, so that work gets its turn.  Nothing waits in
 * gro.c between two. */
static void run_backlog(void)
{
	struct netdev_batch s;
	struct netbuf *b;

	netdev_batch_begin(&s);
	for (u32 n = load_once(&nr_backlog); n && (b = take_one()); n--) {
		link_arrived(b);
		if (n == 1)
			break; /* what was sent does not wait for others */
		if (n % 64)
			cond_resched_lazy();
		else
			cond_resched();
	}
	gro_flush();
	netdev_batch_end(&s);
}

static bool is_busy(const struct worker *k)
{
	return !list_empty(&k->work) || (k == &net && load_once(&nr_backlog));
}

static void work(void *arg)
{
	struct worker *k = arg;

	for (;;) {
		wait_event(&k->wq, is_busy(k));
		if (k == &net)
			run_backlog();
		for (u32 n = 0; n < 64 && run_one(k); n++)
			;
	}
}

struct barrier {
	struct net_work w;
	struct waitq wq;
	bool done; /* [a] */
};

static void pass(struct net_work *w)
{
	struct barrier *b = container_of(w, struct barrier, w);

	store_once(&b->done, true);
	wake_up_all(&b->wq);
}

/* Its work runs behind a whole round, which began before or after; two are enough. */
void net_work_barrier(void)
{
	for (u32 i = 0; i < 2; i++) {
		struct barrier b = { .done = false };

		waitq_init(&b.wq);
		net_work_init(&b.w, pass);
		net_work_queue(&b.w);
		wait_event(&b.wq, load_once(&b.done));
		net_work_cancel(&b.w); /* it no longer touches b */
	}
}

static int work_init(void)
{
	return kthread_create("net", work, &net) &&
			       kthread_create("netcfg", work, &cfg)
		       ? 0
		       : -ENOMEM;
}
INITCALL(INIT_VFS, work_init);
