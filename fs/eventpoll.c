/* SPDX-License-Identifier: MIT */
/*
 * fs/eventpoll.c - epoll: a set of files, and which of them are ready.
 *
 *	epitem	a watched file: hangs in the files' wait queues by its entries
 *	ready	items whose file woke a queue since it was last found idle
 *
 * A wake-up puts the item on the ready list and wakes one who waits.  epoll_wait()
 * takes items off, asks their files what is true now, and reports that.  A
 * level-triggered item that was reported goes back on the list.
 *
 * INVARIANTS
 *   I1  A file that becomes ready after its item was taken off the list puts it on
 *       again: so the item is taken off first, then the file is asked.
 *   I2  Items are added and removed under ep->mutex; a watched file that is closed
 *       for good removes its items before its queues go away.
 *   I3  epoll files that watch epoll files form no cycle and no chain longer than
 *       MAX_NESTING.
 *
 * Locking: watch_mutex > ep->mutex > ep->lock (RANK_EVENT: wake-ups take it inside a
 * wait queue).  watch_mutex: epoll files and watched files that go away, and epoll
 * files that come to or leave epoll files.
 *
 * ORDERING: WAKE of kernel/relay/relay.h.
 */
#include <fs/event.h>
#include <fs/eventpoll.h>
#include <fs/vfs.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/rbtree.h>

#define MAX_NESTING 5
#define OPTIONS	    (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)

/* Busy polling of network devices: EPIOCSPARAMS. */
struct epoll_params {
	u32 usecs;
	u16 budget;
	u8 prefer, pad;
};
#define EPIOCSPARAMS  0x40088a01u
#define EPIOCGPARAMS  0x80088a02u
#define BUDGET_OF_ALL 64 /* more needs privilege */

struct eventpoll {
	struct mutex mutex;
	struct rb_root items;	   /* [mutex] by file, then fd */
	struct spinlock lock;	   /* RANK_EVENT */
	struct list_head ready;	   /* [lock] of epitem */
	struct list_head sleepers; /* [lock] of struct sleeper, oldest first */
	struct waitq poll_wq;	   /* who polls us */
	struct file *file;	   /* [I] us */
	struct epoll_user *user;   /* [I] owned: whose watches are counted */
	struct epoll_params busy;  /* [a] kept only: there is nothing to poll */
};

struct epentry {
	struct waiter w;
	struct waitq *wq;     /* [I] */
	struct epitem *item;  /* [I] */
	struct epentry *next; /* [ep->mutex] */
};

struct epitem {
	struct rb_node node;	    /* [ep->mutex] */
	struct list_head ready;	    /* [ep->lock] */
	struct list_head file_node; /* [epitems_lock] in file->epitems */
	struct eventpoll *ep;	    /* [I] */
	struct file *f;		    /* [I] not owned: see I2 */
	int fd;			    /* [I] */
	u32 events;		 /* [a] changed under ep->lock; 0: disarmed */
	u64 data;		 /* [ep->mutex] */
	struct epentry *entries; /* [ep->mutex] */
};

/* Somebody in epoll_wait(), on their stack. */
struct sleeper {
	struct list_head node; /* [ep->lock] */
	struct thread *thread; /* [I] */
	u32 woken;	       /* [a] set under ep->lock */
};

static struct mutex watch_mutex = MUTEX_INIT(watch_mutex);
static struct spinlock epitems_lock = SPINLOCK_INIT("epitems", RANK_POLL);

static const struct file_ops epoll_fops;

static bool is_epoll(const struct file *f)
{
	return f->ops == &epoll_fops;
}

/* --- waking */

static void wake_sleeper_locked(struct eventpoll *ep)
{
	struct sleeper *s;

	assert_held(&ep->lock);
	s = list_first_entry_or_null(&ep->sleepers, struct sleeper, node);
	if (!s)
		return;
	list_del(&s->node);
	store_once(&s->woken, 1);
	thread_wake(s->thread);
}

/* Put @it on the list if it is armed; true when it was not there before. */
static bool make_ready(struct epitem *it)
{
	struct eventpoll *ep = it->ep;
	bool fresh;

	spin_lock(&ep->lock);
	fresh = it->events && !list_is_linked(&it->ready);
	if (fresh)
		list_add_tail(&it->ready, &ep->ready);
	if (it->events)
		wake_sleeper_locked(ep);
	spin_unlock(&ep->lock);
	return fresh;
}

/* Under the lock of the file's queue, on the waker's hart. */
static bool file_woke(struct waiter *w, u64 key)
{
	struct epitem *it = container_of(w, struct epentry, w)->item;
	u32 events = load_once(&it->events);

	if (key && !(key & (events | POLLERR | POLLHUP)))
		return false;
	if (!events)
		return false;
	(void)make_ready(it);
	wake_up_nested_key(&it->ep->poll_wq,
			   POLLIN | POLLRDNORM | (key & POLL_URING_WAKE));
	return true;
}

/* --- items */

struct queue_ctx {
	struct poll_table pt;
	struct epitem *it;
	bool failed;
};

static void queue_entry(struct poll_table *pt, struct file *f __unused,
			struct waitq *wq)
{
	struct queue_ctx *c = container_of(pt, struct queue_ctx, pt);
	struct epentry *e = kmalloc(sizeof(*e));

	if (!e) {
		c->failed = true;
		return;
	}
	waiter_init(&e->w);
	e->w.fn = file_woke;
	e->w.exclusive = c->it->events & EPOLLEXCLUSIVE;
	e->wq = wq;
	e->item = c->it;
	e->next = c->it->entries;
	c->it->entries = e;
	waitq_add(wq, &e->w);
}

static u32 file_bits(struct epitem *it, struct poll_table *pt)
{
	u32 want = (load_once(&it->events) & ~OPTIONS) | POLLERR | POLLHUP;

	return it->f->ops->poll(it->f, pt) & want;
}

static int compare(const struct epitem *it, const struct file *f, int fd)
{
	if (it->f != f)
		return it->f < f ? 1 : -1;
	return it->fd < fd ? 1 : it->fd > fd ? -1 : 0;
}

static struct epitem *find(struct eventpoll *ep, const struct file *f, int fd)
{
	struct rb_node *n = ep->items.node;

	while (n) {
		struct epitem *it = rb_entry(n, struct epitem, node);
		int c = compare(it, f, fd);

		if (!c)
			return it;
		n = c > 0 ? n->right : n->left;
	}
	return NULL;
}

static void link_item(struct eventpoll *ep, struct epitem *it)
{
	struct rb_node **link = &ep->items.node, *parent = NULL;

	while (*link) {
		struct epitem *at = rb_entry(*link, struct epitem, node);

		parent = *link;
		link = compare(at, it->f, it->fd) > 0 ? &parent->right
						      : &parent->left;
	}
	rb_link_node(&it->node, parent, link);
	rb_insert_color(&it->node, &ep->items);
	spin_lock(&epitems_lock);
	list_add(&it->file_node, &it->f->epitems);
	spin_unlock(&epitems_lock);
}

/* ep->mutex held. */
static void remove_item(struct eventpoll *ep, struct epitem *it)
{
	struct epentry *e, *next;

	for (e = it->entries; e; e = next) {
		next = e->next;
		waitq_del(e->wq, &e->w);
		kfree(e);
	}
	spin_lock(&epitems_lock);
	list_del(&it->file_node);
	spin_unlock(&epitems_lock);
	rb_erase(&it->node, &ep->items);
	spin_lock(&ep->lock);
	list_del(&it->ready);
	spin_unlock(&ep->lock);
	epoll_user_give(ep->user);
	kfree(it);
}

static int add_item(struct eventpoll *ep, int fd, struct file *f,
		    const struct epoll_event *ev)
{
	struct queue_ctx c = { .pt.queue = queue_entry };
	struct epitem *it;

	if (!epoll_user_take(ep->user))
		return -ENOSPC;
	it = kzalloc(sizeof(*it));
	if (!it) {
		epoll_user_give(ep->user);
		return -ENOMEM;
	}
	list_init(&it->ready);
	list_init(&it->file_node);
	it->ep = ep;
	it->f = f;
	it->fd = fd;
	it->events = ev->events | POLLERR | POLLHUP;
	it->data = ev->data;
	link_item(ep, it);
	c.it = it;
	if (file_bits(it, &c.pt) && make_ready(it))
		wake_up_all_key(&ep->poll_wq, POLLIN | POLLRDNORM);
	if (!c.failed)
		return 0;
	remove_item(ep, it);
	return -ENOMEM;
}

static int change_item(struct eventpoll *ep, struct epitem *it,
		       const struct epoll_event *ev)
{
	if ((it->events | ev->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->data = ev->data;
	spin_lock(&ep->lock);
	store_once(&it->events, ev->events | POLLERR | POLLHUP);
	spin_unlock(&ep->lock);
	/* WAKE (full) - pairs with wake_up_nr_key(): events, then the file. */
	smp_mb();
	if (file_bits(it, NULL) && make_ready(it))
		wake_up_all_key(&ep->poll_wq, POLLIN | POLLRDNORM);
	return 0;
}

/* --- nesting */

/*
 * How many levels of epoll files hang below @f; -ELOOP when @top is among them or
 * they are too many.  watch_mutex held: nobody nests meanwhile.
 */
static int depth_below(struct file *f, const struct file *top, int level)
{
	struct eventpoll *ep = f->priv;
	struct rb_node *n;
	int deepest = 0;

	if (f == top || level > MAX_NESTING)
		return -ELOOP;
	mutex_lock(&ep->mutex);
	for (n = rb_first(&ep->items); n && deepest >= 0; n = rb_next(n)) {
		struct file *below = rb_entry(n, struct epitem, node)->f;
		int d;

		if (!is_epoll(below))
			continue;
		d = depth_below(below, top, level + 1);
		deepest = d < 0 ? d : max(deepest, d + 1);
	}
	mutex_unlock(&ep->mutex);
	return deepest;
}

/* Longest chain of epoll files that watch @f, an epoll file. */
static int depth_above(struct file *f, int level)
{
	struct epitem *it;
	int deepest = 0;

	if (level > MAX_NESTING)
		return level;
	list_for_each_entry(it, &f->epitems, file_node)
		deepest =
			max(deepest, 1 + depth_above(it->ep->file, level + 1));
	return deepest;
}

static int nesting_ok(struct file *epf, struct file *f)
{
	int below = depth_below(f, epf, 1);

	if (below < 0)
		return below;
	return below + 1 + depth_above(epf, 1) >= MAX_NESTING ? -ELOOP : 0;
}

static int ctl_locked(struct eventpoll *ep, int op, int fd, struct file *f,
		      const struct epoll_event *ev)
{
	struct epitem *it = find(ep, f, fd);

	switch (op) {
	case EPOLL_CTL_ADD:
		return it ? -EEXIST : add_item(ep, fd, f, ev);
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		remove_item(ep, it);
		return 0;
	case EPOLL_CTL_MOD:
		return it ? change_item(ep, it, ev) : -ENOENT;
	default:
		return -EINVAL;
	}
}

int epoll_ctl(struct file *epf, int op, int fd, struct file *f,
	      const struct epoll_event *ev)
{
	struct eventpoll *ep = epf->priv;
	bool nests = op != EPOLL_CTL_MOD && is_epoll(f);
	int err = 0;

	if (!is_epoll(epf) || f == epf)
		return -EINVAL;
	if (!f->ops->poll)
		return -EPERM;
	if (op != EPOLL_CTL_DEL && (ev->events & EPOLLEXCLUSIVE) &&
	    (op == EPOLL_CTL_MOD || is_epoll(f) ||
	     (ev->events & ~(OPTIONS | POLLIN | POLLOUT | POLLERR | POLLHUP)) ||
	     (ev->events & EPOLLONESHOT)))
		return -EINVAL;
	if (nests) {
		mutex_lock(&watch_mutex);
		err = op == EPOLL_CTL_ADD ? nesting_ok(epf, f) : 0;
	}
	if (!err) {
		mutex_lock(&ep->mutex);
		err = ctl_locked(ep, op, fd, f, ev);
		mutex_unlock(&ep->mutex);
	}
	if (nests)
		mutex_unlock(&watch_mutex);
	return err;
}

struct file *epoll_watched(struct file *epf, int fd, u32 nr)
{
	struct eventpoll *ep = epf->priv;
	struct file *f = ERR_PTR(-ENOENT);
	struct rb_node *n;

	if (!is_epoll(epf))
		return ERR_PTR(-EINVAL);
	mutex_lock(&ep->mutex);
	for (n = rb_first(&ep->items); n && IS_ERR(f); n = rb_next(n)) {
		struct epitem *it = rb_entry(n, struct epitem, node);

		if (it->fd == fd && !nr--)
			f = it->f;
	}
	mutex_unlock(&ep->mutex);
	return f;
}

/* --- waiting */

/* Take the first of the items that were ready when the scan began. */
static struct epitem *take(struct eventpoll *ep, struct list_head *batch)
{
	struct epitem *it;

	spin_lock(&ep->lock);
	it = list_first_entry_or_null(batch, struct epitem, ready);
	if (it)
		list_del(&it->ready); /* I1 */
	spin_unlock(&ep->lock);
	return it;
}

static void put_back(struct eventpoll *ep, struct epitem *it)
{
	spin_lock(&ep->lock);
	if (!list_is_linked(&it->ready))
		list_add_tail(&it->ready, &ep->ready);
	spin_unlock(&ep->lock);
}

/* Report @it if its file is ready: 1, 0 or -EFAULT. */
static int report(struct eventpoll *ep, struct epitem *it, uaddr_t to)
{
	struct epoll_event ev = { .data = it->data };
	u32 events = it->events;

	ev.events = file_bits(it, NULL);
	if (!events || !ev.events)
		return 0;
	if (copy_to_user(to, &ev, sizeof(ev))) {
		put_back(ep, it);
		return -EFAULT;
	}
	if (events & EPOLLONESHOT) {
		spin_lock(&ep->lock);
		store_once(&it->events, 0);
		list_del(&it->ready);
		spin_unlock(&ep->lock);
	} else if (!(events & EPOLLET)) {
		put_back(ep, it);
	}
	return 1;
}

/* What was not looked at goes back to the front; others may want it. */
static void end_batch(struct eventpoll *ep, struct list_head *batch)
{
	spin_lock(&ep->lock);
	list_splice_tail_init(&ep->ready, batch);
	list_splice_tail_init(batch, &ep->ready);
	if (!list_empty(&ep->ready))
		wake_sleeper_locked(ep);
	spin_unlock(&ep->lock);
}

static s64 send_events(struct eventpoll *ep, uaddr_t uevents, int max)
{
	struct list_head batch;
	struct epitem *it;
	s64 n = 0;

	list_init(&batch);
	mutex_lock(&ep->mutex);
	spin_lock(&ep->lock);
	list_splice_tail_init(&ep->ready, &batch);
	spin_unlock(&ep->lock);
	while (n < max && (it = take(ep, &batch))) {
		int r = report(ep, it,
			       uevents + (u64)n * sizeof(struct epoll_event));

		if (r < 0) {
			n = n ? n : r;
			break;
		}
		n += r;
	}
	end_batch(ep, &batch);
	mutex_unlock(&ep->mutex);
	return n;
}

static int sleep_for_events(struct eventpoll *ep, u64 deadline_ns)
{
	struct waitq nobody = WAITQ_INIT(nobody); /* woken by thread_wake() */
	struct sleeper s = { .thread = current };
	int r;

	list_init(&s.node);
	spin_lock(&ep->lock);
	list_add_tail(&s.node, &ep->sleepers);
	if (!list_empty(&ep->ready))
		s.woken = 1;
	spin_unlock(&ep->lock);
	r = wait_event_interruptible_timeout(&nobody, load_once(&s.woken),
					     deadline_ns);
	spin_lock(&ep->lock);
	list_del(&s.node);
	spin_unlock(&ep->lock);
	return r;
}

s64 epoll_wait(struct file *epf, uaddr_t uevents, int max, u64 deadline_ns)
{
	struct eventpoll *ep = epf->priv;
	s64 n;
	int r = 0;

	if (!is_epoll(epf))
		return -EINVAL;
	for (;;) {
		n = list_empty(&ep->ready) ? 0 : send_events(ep, uevents, max);
		if (n || !deadline_ns || r == -ETIMEDOUT)
			return n;
		if (r)
			return -EINTR;
		r = sleep_for_events(ep, deadline_ns);
	}
}

/* --- the file */

/* Is any item really ready?  Those that are not leave the list. */
static bool any_ready(struct eventpoll *ep)
{
	struct list_head batch;
	struct epitem *it;
	bool found = false;

	list_init(&batch);
	spin_lock(&ep->lock);
	list_splice_tail_init(&ep->ready, &batch);
	spin_unlock(&ep->lock);
	while (!found && (it = take(ep, &batch))) {
		found = it->events && file_bits(it, NULL);
		if (found)
			put_back(ep, it);
	}
	end_batch(ep, &batch);
	return found;
}

static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
	struct eventpoll *ep = f->priv;
	bool ready;

	poll_wait(pt, f, &ep->poll_wq);
	if (list_empty(&ep->ready))
		return 0;
	/* Must not sleep: when somebody else scans, they may well be. */
	if (!mutex_trylock(&ep->mutex))
		return POLLIN | POLLRDNORM;
	ready = any_ready(ep);
	mutex_unlock(&ep->mutex);
	return ready ? POLLIN | POLLRDNORM : 0;
}

void epoll_file_gone(struct file *f)
{
	struct epitem *it;

	mutex_lock(&watch_mutex);
	for (;;) {
		struct eventpoll *ep;

		spin_lock(&epitems_lock);
		it = list_first_entry_or_null(&f->epitems, struct epitem,
					      file_node);
		spin_unlock(&epitems_lock);
		if (!it)
			break;
		ep = it->ep; /* stays while we hold watch_mutex */
		mutex_lock(&ep->mutex);
		remove_item(ep, it);
		mutex_unlock(&ep->mutex);
	}
	mutex_unlock(&watch_mutex);
}

static void epoll_release(struct file *f)
{
	struct eventpoll *ep = f->priv;
	struct rb_node *n;

	mutex_lock(&watch_mutex);
	mutex_lock(&ep->mutex);
	while ((n = rb_first(&ep->items)))
		remove_item(ep, rb_entry(n, struct epitem, node));
	mutex_unlock(&ep->mutex);
	mutex_unlock(&watch_mutex);
	epoll_user_put(ep->user);
	kfree(ep);
}

/* A line for each watched file, as many as there is room for. */
static size_t epoll_fdinfo(struct file *f, char *buf, size_t n)
{
	struct eventpoll *ep = f->priv;
	struct rb_node *nd;
	size_t len = 0;

	mutex_lock(&ep->mutex);
	for (nd = rb_first(&ep->items); nd && len + 128 < n; nd = rb_next(nd)) {
		const struct epitem *it = rb_entry(nd, struct epitem, node);
		const struct inode *i = it->f->inode;

		len += (size_t)scnprintf(
			buf + len, n - len,
			"tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%x\n",
			it->fd, load_once(&it->events), it->data,
			(s64)it->f->pos, i ? i->ino : 0, i ? i->sb->dev : 0);
	}
	mutex_unlock(&ep->mutex);
	return len;
}

static int set_params(struct eventpoll *ep, uaddr_t arg)
{
	struct epoll_params p;

	if (copy_from_user(&p, arg, sizeof(p)))
		return -EFAULT;
	if (p.pad || p.usecs > 0x7fffffffu || p.prefer > 1)
		return -EINVAL;
	if (p.budget > BUDGET_OF_ALL && !capable(CAP_NET_ADMIN))
		return -EPERM;
	store_once(&ep->busy.usecs, p.usecs);
	store_once(&ep->busy.budget, p.budget);
	store_once(&ep->busy.prefer, p.prefer);
	return 0;
}

static s64 epoll_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct eventpoll *ep = f->priv;

	switch (cmd) {
	case EPIOCSPARAMS:
		return set_params(ep, arg);
	case EPIOCGPARAMS:
		return copy_to_user(arg, &ep->busy, sizeof(ep->busy));
	default:
		return -EINVAL; /* not ENOTTY: as Linux has it */
	}
}

static const struct file_ops epoll_fops = {
	.stands = true,
	.ioctl = epoll_ioctl,
	.fdinfo = epoll_fdinfo,
	.poll = epoll_poll,
	.release = epoll_release,
	.anon_name = "anon_inode:[eventpoll]",
};

struct file *epoll_create_file(void)
{
	struct eventpoll *ep = kzalloc(sizeof(*ep));
	struct file *f;

	if (!ep)
		return ERR_PTR(-ENOMEM);
	ep->user = epoll_user_get();
	if (!ep->user) {
		kfree(ep);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&ep->mutex);
	spin_init(&ep->lock, "epoll", RANK_EVENT);
	list_init(&ep->ready);
	list_init(&ep->sleepers);
	waitq_init(&ep->poll_wq);
	f = file_alloc(&epoll_fops, O_RDWR, ep);
	if (f) {
		ep->file = f;
		return f;
	}
	epoll_user_put(ep->user);
	kfree(ep);
	return ERR_PTR(file_no_alloc());
}

static int epoll_init(void)
{
	epoll_limit_init(sizeof(struct epitem) + sizeof(struct epentry));
	return 0;
}
INITCALL(INIT_CORE, epoll_init);
