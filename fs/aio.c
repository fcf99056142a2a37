/* SPDX-License-Identifier: MIT */
/*
 * fs/aio.c - contexts of asynchronous I/O; see aio.h.
 *
 * The ring is made of pages of ours that the program sees through an area of its
 * own.  It may write anything into them: we keep our own tail, and take of theirs
 * only `head`, checked.
 *
 * INVARIANTS
 *   I1  Requests in flight and events in the ring together fit into the ring, so an
 *	 event always finds room.
 *   I2  A context lives while it is on the list, somebody uses it or a request is in
 *	 flight.
 *   I3  Files are let go of in a coroutine (closing may sleep): requests that have
 *	 ended wait on `ended` for the next one who comes by.
 *
 * ORDERING
 *   AIORING  an event in the ring before the tail that counts it.
 *
 * Locking: list_lock (RANK_FILE) for the list; ctx->lock (RANK_PIPE) for the ring.
 */
#include <fs/aio.h>

#include <fs/event.h>
#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/list.h>

#define RING_MAGIC	0xa10a10a1u
#define RING_PAGES_MAX	512u
#define EVENTS_LIMIT	0x400000u /* beyond which the number is nonsense */
#define EVENTS_PER_PAGE (PAGE_SIZE / sizeof(struct io_event))

/* The head of the ring as programs (libaio) know it. */
struct aio_ring {
	u32 id;
	u32 nr;
	u32 head; /* [program's] */
	u32 tail;
	u32 magic;
	u32 compat_features;
	u32 incompat_features;
	u32 header_length;
};
STATIC_ASSERT(sizeof(struct aio_ring) == sizeof(struct io_event),
	      "the header has the place of the first event");

struct aio_ctx {
	u32 refs;	       /* [a] I2 */
	struct mm *mm;	       /* [I] not referenced: only compared */
	uaddr_t id;	       /* [I after setup] */
	bool unmapped;	       /* [list_lock] even before that */
	struct list_head node; /* [list_lock] */
	struct spinlock lock;
	u32 nr;			/* [I] events that the ring has */
	u32 tail;		/* [lock] */
	u32 in_flight;		/* [lock] */
	bool dead;		/* [lock] */
	struct list_head ended; /* [lock] I3 */
	struct waitq wq;
	struct mutex reap; /* one takes events at a time */
	u32 nr_pages;	   /* [I] */
	struct page *page[];
};

struct aio_kiocb {
	struct aio_req req;
	struct aio_ctx *ctx; /* referenced */
	u64 obj, data;
	struct file *file, *eventfd; /* owned, or NULL */
	struct list_head node;	     /* [ctx->lock] in ->ended */
};

static struct spinlock list_lock = SPINLOCK_INIT("aio", RANK_FILE);
static struct list_head contexts = LIST_HEAD_INIT(contexts); /* [list_lock] */
static u64 total_nr;					     /* [list_lock] */
static struct kmem_cache *kiocb_cache;			     /* [I] */

/* ---- the ring */

static struct aio_ring *ring_of(struct aio_ctx *c)
{
	return page_addr(c->page[0]);
}

/* Event @i, below c->nr; the header stands before the first one. */
static struct io_event *event_at(struct aio_ctx *c, u32 i)
{
	struct io_event *e = page_addr(c->page[(i + 1) / EVENTS_PER_PAGE]);

	return e + (i + 1) % EVENTS_PER_PAGE;
}

/* Events in the ring by the program's head, whatever it says. */
static u32 nr_ready(struct aio_ctx *c)
{
	u32 head = load_once(&ring_of(c)->head) % c->nr;

	return (c->tail + c->nr - head) % c->nr;
}

static void ring_init(struct aio_ctx *c)
{
	*ring_of(c) = (struct aio_ring){
		.nr = c->nr,
		.magic = RING_MAGIC,
		.compat_features = 1,
		.header_length = sizeof(struct aio_ring),
	};
}

/* ---- life of a context */

static void ctx_free(struct aio_ctx *c)
{
	for (u32 i = 0; i < c->nr_pages; i++) {
		if (c->page[i])
			page_put(c->page[i]);
	}
	kfree(c);
}

void aio_put(struct aio_ctx *c)
{
	if (atomic_dec_and_test(&c->refs))
		ctx_free(c);
}

static struct aio_ctx *ctx_new(u32 nr)
{
	u32 nr_pages = (u32)DIV_ROUND_UP(nr + 2ul, EVENTS_PER_PAGE);
	struct aio_ctx *c;

	c = kzalloc(sizeof(*c) + nr_pages * sizeof(c->page[0]));
	if (!c)
		return NULL;
	c->refs = 1;
	c->nr_pages = nr_pages;
	c->nr = (u32)(nr_pages * EVENTS_PER_PAGE) - 1;
	c->mm = current->mm;
	spin_init(&c->lock, "aio ring", RANK_PIPE);
	waitq_init(&c->wq);
	mutex_init(&c->reap);
	list_init(&c->node);
	list_init(&c->ended);
	for (u32 i = 0; i < nr_pages; i++) {
		c->page[i] = page_alloc(0, GFP_ZERO | GFP_OBJECT);
		if (!c->page[i]) {
			ctx_free(c);
			return NULL;
		}
	}
	ring_init(c);
	return c;
}

/* Off the list, once: its name means nothing any more. */
static bool ctx_kill(struct aio_ctx *c)
{
	bool was;

	spin_lock(&list_lock);
	was = list_is_linked(&c->node);
	if (was) {
		list_del(&c->node);
		total_nr -= c->nr;
	}
	spin_unlock(&list_lock);
	spin_lock(&c->lock);
	store_once(&c->dead, true);
	spin_unlock(&c->lock);
	wake_up_all(&c->wq);
	return was;
}

bool aio_is_dead(const struct aio_ctx *c)
{
	return load_once(&c->dead);
}

/* ---- requests */

static void let_go(struct aio_kiocb *k)
{
	if (k->file)
		file_put(k->file);
	if (k->eventfd)
		file_put(k->eventfd);
	kmem_cache_free(kiocb_cache, k);
}

static void let_go_of_ended(struct aio_ctx *c)
{
	struct aio_kiocb *k;

	for (;;) {
		spin_lock(&c->lock);
		k = list_first_entry_or_null(&c->ended, struct aio_kiocb, node);
		if (k)
			list_del(&k->node);
		spin_unlock(&c->lock);
		if (!k)
			return;
		let_go(k);
		aio_put(c); /* the request's; we have one of our own */
	}
}

static void req_end(struct aio_req *req, s64 res)
{
	aio_complete(container_of(req, struct aio_kiocb, req), res);
}

struct aio_kiocb *aio_begin(struct aio_ctx *c, uaddr_t obj, u64 data)
{
	struct aio_kiocb *k = kmem_cache_alloc(kiocb_cache);
	bool room;

	if (!k)
		return NULL;
	spin_lock(&c->lock);
	/* I1; a ring of n slots tells full from empty with n - 1 */
	room = !c->dead && c->in_flight + nr_ready(c) < c->nr - 1;
	c->in_flight += room;
	spin_unlock(&c->lock);
	if (!room) {
		kmem_cache_free(kiocb_cache, k);
		return NULL;
	}
	atomic_inc(&c->refs);
	*k = (struct aio_kiocb){
		.req = { .end = req_end }, .ctx = c, .obj = obj, .data = data
	};
	list_init(&k->node);
	return k;
}

void aio_hold(struct aio_kiocb *k, struct file *f, struct file *eventfd)
{
	k->file = f;
	k->eventfd = eventfd;
}

struct aio_req *aio_req_of(struct aio_kiocb *k)
{
	return &k->req;
}

void aio_abandon(struct aio_kiocb *k)
{
	struct aio_ctx *c = k->ctx;

	spin_lock(&c->lock);
	c->in_flight--;
	spin_unlock(&c->lock);
	let_go(k);
	aio_put(c);
}

void aio_complete(struct aio_kiocb *k, s64 res)
{
	struct aio_ctx *c = k->ctx;
	struct file *eventfd = k->eventfd;

	spin_lock(&c->lock);
	*event_at(c, c->tail) = (struct io_event){ k->data, k->obj, res, 0 };
	c->tail = (c->tail + 1) % c->nr;
	/* AIORING (release) - pairs with the program, and copy_events(). */
	store_release(&ring_of(c)->tail, c->tail);
	spin_unlock(&c->lock);
	if (eventfd)
		eventfd_signal(eventfd, 0);
	/* From here on others may let go of it, and of the context. */
	spin_lock(&c->lock);
	c->in_flight--;
	list_add_tail(&k->node, &c->ended);
	wake_up_all(&c->wq);
	spin_unlock(&c->lock);
}

static bool is_quiet(struct aio_ctx *c)
{
	bool quiet;

	spin_lock(&c->lock);
	quiet = c->in_flight == 0;
	spin_unlock(&c->lock);
	return quiet;
}

/* What waits for files is over; until nothing is in flight any more. */
static bool is_over(struct aio_ctx *c)
{
	aio_poll_cancel_all(c); /* one may have been armed just now */
	return is_quiet(c);
}

static void drain(struct aio_ctx *c)
{
	wait_event(&c->wq, is_over(c));
	let_go_of_ended(c);
}

/* ---- the area that shows the ring */

static int ring_fault(struct vma *v, u64 pgoff, bool write __unused,
		      struct page **out)
{
	struct aio_ctx *c = v->priv;

	if (pgoff >= c->nr_pages)
		return -EIO;
	*out = page_get(c->page[pgoff]);
	return 0;
}

static void ring_open(struct vma *v)
{
	struct aio_ctx *c = v->priv;

	atomic_inc(&c->refs);
}

static void ring_close(struct vma *v)
{
	struct aio_ctx *c = v->priv;
	uaddr_t id;

	spin_lock(&list_lock);
	id = c->id;
	c->unmapped |= !id; /* before it has a name: map_ring() sees it */
	spin_unlock(&list_lock);
	/* when the program, or its end, takes it away: the list's as well */
	if (v->mm == c->mm && v->start == id && ctx_kill(c)) {
		drain(c);
		aio_put(c);
	}
	aio_put(c);
}

static const char *ring_name(struct vma *v __unused)
{
	return "/[aio] (deleted)";
}

static const struct vm_ops ring_vm_ops = {
	.fault = ring_fault,
	.open = ring_open,
	.close = ring_close,
	.name = ring_name,
};

static int ring_mmap(struct file *f, struct vma *v)
{
	struct aio_ctx *c = f->priv;

	atomic_inc(&c->refs);
	v->flags |= VM_DONTFORK;
	v->flags &= ~VM_MAYEXEC;
	v->ops = &ring_vm_ops;
	v->priv = c;
	return 0;
}

static const struct file_ops ring_fops = {
	.mmap = ring_mmap,
	.anon_name = "/[aio]",
};

static int map_ring(struct aio_ctx *c)
{
	struct file *f = file_alloc(&ring_fops, O_RDWR, c);
	bool gone;
	s64 at;

	if (!f)
		return file_no_alloc();
	f->can_read = f->can_write = true;
	at = mm_mmap(current->mm, 0, c->nr_pages * PAGE_SIZE,
		     PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	file_put(f);
	if (at < 0)
		return (int)at;
	spin_lock(&list_lock);
	c->id = (uaddr_t)at;
	gone = c->unmapped;
	spin_unlock(&list_lock);
	return gone ? -EINVAL : 0;
}

static int enlist(struct aio_ctx *c)
{
	bool fits;

	spin_lock(&list_lock);
	fits = total_nr + c->nr <= AIO_MAX_NR;
	if (fits) {
		total_nr += c->nr;
		list_add_tail(&c->node, &contexts);
	}
	spin_unlock(&list_lock);
	return fits ? 0 : -EAGAIN;
}

int aio_setup(u32 nr, uaddr_t *id)
{
	struct aio_ctx *c;
	int err;

	if (!nr || nr > EVENTS_LIMIT)
		return -EINVAL;
	if (nr > RING_PAGES_MAX * EVENTS_PER_PAGE - 2)
		return -EAGAIN;
	c = ctx_new(nr);
	if (!c)
		return -ENOMEM;
	err = enlist(c);
	if (!err)
		err = map_ring(c);
	if (err) {
		(void)ctx_kill(c);
		aio_put(c);
		return err;
	}
	*id = c->id;
	return 0; /* our reference is the list's now */
}

struct aio_ctx *aio_get(uaddr_t id)
{
	struct aio_ctx *c, *found = NULL;

	spin_lock(&list_lock);
	list_for_each_entry(c, &contexts, node) {
		if (c->id == id && c->mm == current->mm) {
			atomic_inc(&c->refs);
			found = c;
			break;
		}
	}
	spin_unlock(&list_lock);
	return found;
}

u64 aio_nr(void)
{
	return load_once(&total_nr);
}

/* ---- events */

/* Up to @nr events to the program, now.  Called with ->reap held. */
static s64 copy_events(struct aio_ctx *c, u64 nr, uaddr_t uevents)
{
	struct aio_ring *ring = ring_of(c);
	u32 head = load_once(&ring->head) % c->nr, tail;
	u64 done = 0;

	/* AIORING (acquire) - pairs with aio_complete(). */
	tail = load_acquire(&c->tail);
	while (done < nr && head != tail) {
		struct io_event e = *event_at(c, head);

		if (copy_to_user(uevents + done * sizeof(e), &e, sizeof(e)))
			return done ? (s64)done : -EFAULT;
		head = (head + 1) % c->nr;
		store_once(&ring->head, head);
		done++;
	}
	return (s64)done;
}

static bool something_to_do(struct aio_ctx *c)
{
	bool yes;

	spin_lock(&c->lock);
	yes = nr_ready(c) || c->dead;
	spin_unlock(&c->lock);
	return yes;
}

s64 aio_getevents(struct aio_ctx *c, u64 min, u64 nr, uaddr_t uevents,
		  u64 deadline_ns)
{
	u64 got = 0;
	s64 n;
	int err = 0;

	for (;;) {
		mutex_lock(&c->reap);
		n = copy_events(c, nr - got,
				uevents + got * sizeof(struct io_event));
		mutex_unlock(&c->reap);
		if (n < 0)
			break;
		got += (u64)n;
		if (got >= min || load_once(&c->dead) || err)
			break;
		/* once more after a signal or the end of the time */
		err = wait_event_interruptible_timeout(
			&c->wq, something_to_do(c), deadline_ns);
	}
	let_go_of_ended(c);
	if (got)
		return (s64)got;
	if (n < 0)
		return n;
	return err == -ERESTARTSYS ? -EINTR : 0;
}

int aio_destroy(uaddr_t id)
{
	struct aio_ctx *c = aio_get(id);

	if (!c)
		return -EINVAL;
	if (!ctx_kill(c)) { /* somebody else was faster */
		aio_put(c);
		return -EINVAL;
	}
	aio_put(c); /* the list's */
	drain(c);
	(void)mm_munmap(current->mm, id, c->nr_pages * PAGE_SIZE);
	aio_put(c);
	return 0;
}

static int aio_init(void)
{
	kiocb_cache = kmem_cache_create("kiocb", sizeof(struct aio_kiocb), 8);
	return kiocb_cache ? 0 : -ENOMEM;
}

INITCALL(INIT_CORE, aio_init);
