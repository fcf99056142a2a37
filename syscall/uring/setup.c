/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/setup.c - io_uring_setup(2), and the file that is an instance.
 *
 * The rings are frames of ours: the kernel has them in one piece (vmap), the program
 * maps them.  The file and each mapping hold a reference on the instance; requests do
 * too, so what is under way when the file is closed ends in memory that is there.
 */
#include <syscall/uring/uring.h>

#include <fs/sysctl.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/mm/vmap.h>

#define SQ_IDLE_MS 1000u

/* ---- memory */

static void region_free(struct uring_region *g)
{
	if (g->mem && g->nr_pages > 1)
		vfree(g->mem);
	for (u32 i = 0; g->page && i < g->nr_pages; i++) {
		if (g->page[i])
			page_put(g->page[i]);
	}
	kfree(g->page);
}

static int region_alloc(struct uring_region *g, u64 bytes)
{
	g->nr_pages = (u32)DIV_ROUND_UP(bytes, PAGE_SIZE);
	g->page = kcalloc(g->nr_pages, sizeof(struct page *));
	if (!g->page)
		return -ENOMEM;
	for (u32 i = 0; i < g->nr_pages; i++) {
		g->page[i] = page_alloc(0, GFP_ZERO | GFP_OBJECT);
		if (!g->page[i])
			return -ENOMEM;
	}
	g->mem = g->nr_pages == 1 ? page_addr(g->page[0])
				  : vmap_pages(g->page, g->nr_pages);
	return g->mem ? 0 : -ENOMEM;
}

static void uring_free(struct uring *r)
{
	for (u32 i = 0; i < URING_BUCKETS; i++)
		KASSERT(list_empty(&r->reqs[i]));
	KASSERT(list_empty(&r->deferred));
	uring_drop_overflow(r);
	uring_spare_free(r);
	uring_groups_free(r);
	(void)uring_files_drop(r);
	(void)uring_bufs_drop(r);
	if (r->eventfd)
		file_put(r->eventfd);
	for (u32 i = 0; i < URING_PERSONS; i++) {
		if (r->person[i])
			cred_put(r->person[i]);
	}
	if (r->pool)
		uring_pool_put(r->pool);
	cred_put(r->cred);
	region_free(&r->rings);
	region_free(&r->sqes);
	kfree(r);
}

void uring_put(struct uring *r)
{
	if (atomic_dec_and_test(&r->refs))
		uring_free(r);
}

/* ---- mappings */

static struct uring_region *region_at(struct uring *r, u64 off)
{
	switch (off) {
	case OFF_SQ_RING:
	case OFF_CQ_RING:
		return &r->rings;
	case OFF_SQES:
		return &r->sqes;
	default:
		return NULL;
	}
}

#define OFF_MASK 0xf8000000ull

static int area_fault(struct vma *v, u64 pgoff, bool write __unused,
		      struct page **out)
{
	u64 off = pgoff * PAGE_SIZE;
	struct uring_region *g = region_at(v->priv, off & OFF_MASK);

	if (!g || (off & ~OFF_MASK) / PAGE_SIZE >= g->nr_pages)
		return -EIO;
	*out = page_get(g->page[(off & ~OFF_MASK) / PAGE_SIZE]);
	return 0;
}

static void area_open(struct vma *v)
{
	(void)uring_get(v->priv);
}

static void area_close(struct vma *v)
{
	uring_put(v->priv);
}

static const char *area_name(struct vma *v __unused)
{
	return "anon_inode:[io_uring]";
}

static const struct vm_ops area_ops = {
	.fault = area_fault,
	.open = area_open,
	.close = area_close,
	.name = area_name,
};

static int ring_mmap(struct file *f, struct vma *v)
{
	struct uring *r = f->priv;
	struct uring_region *g = region_at(r, v->pgoff * PAGE_SIZE);

	if (!g || v->end - v->start > g->nr_pages * PAGE_SIZE)
		return -EINVAL;
	v->ops = &area_ops;
	v->priv = uring_get(r);
	return 0;
}

/* ---- the file */

static u32 ring_poll(struct file *f, struct poll_table *pt)
{
	struct uring *r = f->priv;
	u32 bits = 0;

	poll_wait(pt, f, &r->poll_wq);
	if (uring_sq_pending(r) < r->sq_entries)
		bits |= POLLOUT | POLLWRNORM;
	if (uring_ready(r) || !list_empty(&r->overflow))
		bits |= POLLIN | POLLRDNORM;
	return bits;
}

static void ring_release(struct file *f)
{
	struct uring *r = f->priv;
	struct uring_pool *p;

	store_once(&r->dead, true);
	store_once(&r->sq_kick, true);
	uring_poller_stop(r);
	wake_up_all(&r->sq_wq);
	uring_cancel_ring(r);
	(void)uring_files_drop(r);
	p = current->proc ? uring_pool_of(current->proc) : NULL;
	if (p)
		uring_reap(p);
	uring_put(r);
}

static const struct file_ops ring_fops = {
	.poll = ring_poll,
	.mmap = ring_mmap,
	.release = ring_release,
	.anon_name = "anon_inode:[io_uring]",
};

struct uring *uring_of(const struct file *f)
{
	return f->ops == &ring_fops ? f->priv : NULL;
}

/* ---- setup */

static int check_params(struct uring_params *p, u32 entries)
{
	u32 f = p->flags;

	for (u32 i = 0; i < ARRAY_SIZE(p->resv); i++) {
		if (p->resv[i])
			return -EINVAL;
	}
	if (!entries || (f & ~SETUP_KNOWN))
		return -EINVAL;
	if (entries > URING_MAX_ENTRIES && !(f & SETUP_CLAMP))
		return -EINVAL;
	if ((f & SETUP_SQ_AFF) &&
	    (!(f & SETUP_SQPOLL) || p->sq_thread_cpu >= nr_harts))
		return -EINVAL;
	if ((f & SETUP_SQPOLL) &&
	    (f &
	     (SETUP_COOP_TASKRUN | SETUP_TASKRUN_FLAG | SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if ((f & SETUP_TASKRUN_FLAG) &&
	    !(f & (SETUP_COOP_TASKRUN | SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if ((f & SETUP_DEFER_TASKRUN) && !(f & SETUP_SINGLE_ISSUER))
		return -EINVAL;
	return 0;
}

static u32 power_of_two(u32 n)
{
	u32 p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static int set_sizes(struct uring_params *p, u32 entries)
{
	u32 cq = 0;

	p->sq_entries = power_of_two(min(entries, URING_MAX_ENTRIES));
	if (p->flags & SETUP_CQSIZE) {
		if (!p->cq_entries)
			return -EINVAL;
		if (p->cq_entries > 2 * URING_MAX_ENTRIES &&
		    !(p->flags & SETUP_CLAMP))
			return -EINVAL;
		cq = power_of_two(min(p->cq_entries, 2 * URING_MAX_ENTRIES));
		if (cq < p->sq_entries)
			return -EINVAL;
	}
	p->cq_entries = cq ? cq : 2 * p->sq_entries;
	return 0;
}

static void init_uring(struct uring *r, const struct uring_params *p)
{
	r->refs = 1;
	r->flags = p->flags;
	r->sq_entries = p->sq_entries;
	r->cq_entries = p->cq_entries;
	r->sqe_shift = p->flags & SETUP_SQE128 ? 7 : 6;
	r->cqe_shift = p->flags & SETUP_CQE32 ? 5 : 4;
	r->disabled = p->flags & SETUP_R_DISABLED;
	r->cred = cred_get(current->cred);
	r->submitter = uring_thread_id();
	r->max_workers[0] = min(r->sq_entries, 4 * nr_harts);
	r->max_workers[1] =
		(u32)min_t(u64, rlimit_cur(RLIMIT_NPROC), INT32_MAX);
	mutex_init(&r->submit);
	mutex_init(&r->tables);
	spin_init(&r->lock, "io_uring", RANK_PIPE);
	for (u32 i = 0; i < URING_BUCKETS; i++)
		list_init(&r->reqs[i]);
	list_init(&r->deferred);
	list_init(&r->counted);
	list_init(&r->overflow);
	list_init(&r->groups);
	waitq_init(&r->wq);
	waitq_init(&r->poll_wq);
	waitq_init(&r->sq_wq);
	r->sq_idle_ns = (p->sq_thread_idle ? p->sq_thread_idle : SQ_IDLE_MS) *
			1000000ull;
}

static u32 array_off(const struct uring *r)
{
	return (u32)(sizeof(struct uring_shared) +
		     ((size_t)r->cq_entries << r->cqe_shift));
}

static int alloc_rings(struct uring *r)
{
	u64 bytes = array_off(r);
	int err;

	if (!(r->flags & SETUP_NO_SQARRAY))
		bytes += r->sq_entries * sizeof(u32);
	err = region_alloc(&r->rings, bytes);
	if (!err)
		err = region_alloc(&r->sqes,
				   (u64)r->sq_entries << r->sqe_shift);
	if (err)
		return err;
	r->sh = (void *)r->rings.mem;
	if (!(r->flags & SETUP_NO_SQARRAY))
		r->sq_array = (void *)(r->rings.mem + array_off(r));
	r->sh->sq_mask = r->sq_entries - 1;
	r->sh->cq_mask = r->cq_entries - 1;
	r->sh->sq_entries = r->sq_entries;
	r->sh->cq_entries = r->cq_entries;
	return 0;
}

#define AT(m) ((u32)offsetof(struct uring_shared, m))

static void tell_offsets(const struct uring *r, struct uring_params *p)
{
	p->sq_off = (struct uring_sq_off){
		.head = AT(sq_head),
		.tail = AT(sq_tail),
		.ring_mask = AT(sq_mask),
		.ring_entries = AT(sq_entries),
		.flags = AT(sq_flags),
		.dropped = AT(sq_dropped),
		.array = r->sq_array ? array_off(r) : 0,
	};
	p->cq_off = (struct uring_cq_off){
		.head = AT(cq_head),
		.tail = AT(cq_tail),
		.ring_mask = AT(cq_mask),
		.ring_entries = AT(cq_entries),
		.overflow = AT(cq_overflow),
		.cqes = AT(cqe),
		.flags = AT(cq_flags),
	};
	p->features = FEATURES;
}

/* An instance with its poller, if it has one; ERR_PTR. */
static struct uring *uring_new(struct uring_params *p)
{
	struct uring_pool *pool = uring_pool_of_current();
	struct uring *r;
	int err;

	if (IS_ERR(pool))
		return ERR_PTR(PTR_ERR(pool));
	r = kzalloc(sizeof(*r));
	if (!r)
		return ERR_PTR(-ENOMEM);
	init_uring(r, p);
	err = alloc_rings(r);
	if (!err && (p->flags & SETUP_SQPOLL)) {
		r->pool = pool;
		atomic_inc(&pool->refs);
		err = uring_worker_start(pool, r);
	}
	if (!err)
		return r;
	uring_put(r);
	return ERR_PTR(err);
}

static s64 make_file(struct uring *r)
{
	struct file *f = file_alloc(&ring_fops, O_RDWR, r);

	if (!f) {
		store_once(&r->dead, true); /* the poller sees it */
		uring_put(r);
		return file_no_alloc();
	}
	f->can_read = f->can_write = true;
	return fd_open(f, O_CLOEXEC);
}

static int check_wq_fd(u32 fd)
{
	struct file *f = fd_get((int)fd);
	int err = !f ? -ENXIO : uring_of(f) ? 0 : -EINVAL;

	if (f)
		file_put(f);
	return err;
}

static bool may_make(void)
{
	u64 off = load_once(&io_uring_disabled);
	u32 gid = (u32)load_once(&io_uring_group);

	if (!off)
		return true;
	return off == 1 && (capable(CAP_SYS_ADMIN) ||
			    (gid != ~0u && cred_in_group(current_cred(), gid)));
}

SYSCALL2(425, io_uring_setup, u32, entries, uaddr_t, uparams)
{
	struct uring_params p;
	struct uring *r;
	s64 fd;
	int err;

	if (!may_make())
		return -EPERM;
	if (copy_from_user(&p, uparams, sizeof(p)))
		return -EFAULT;
	err = check_params(&p, entries);
	if (!err)
		err = set_sizes(&p, entries);
	if (!err && (p.flags & SETUP_ATTACH_WQ))
		err = check_wq_fd(p.wq_fd);
	if (err)
		return err;
	r = uring_new(&p);
	if (IS_ERR(r))
		return PTR_ERR(r);
	tell_offsets(r, &p);
	fd = make_file(r);
	if (fd >= 0 && copy_to_user(uparams, &p, sizeof(p))) {
		(void)fd_close((int)fd);
		return -EFAULT;
	}
	return fd;
}
