/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/uffd.c - userfaultfd(2); see uffd.h.
 *
 * Who faults puts itself on the instance's list and looks at the entry once more, both
 * with mm->lock held for reading; then it sleeps.  Who answers changes the entry first
 * and looks at the list afterwards: so nobody sleeps on what is there already.
 *
 * OWNERSHIP
 *   file, area ---> struct uffd ---> mm.  The file's end takes it from all areas; the
 *   end of the address space frees the areas.
 *
 * ORDERING
 *   UFFD  features, then ready; who asks for anything: ready, then features.
 *
 * Locking: u->lock (RANK_PIPE) for the list, inside of mm->lock.  Context: coroutine.
 */
#include <kernel/mm/uffd.h>

#include <kernel/dev/dev.h>
#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/init.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <kernel/ns/pid.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

/* linux/userfaultfd.h */
#define UFFD_API	    0xaaull
#define UFFDIO_API	    0xc018aa3fu
#define UFFDIO_REGISTER	    0xc020aa00u
#define UFFDIO_UNREGISTER   0x8010aa01u
#define UFFDIO_WAKE	    0x8010aa02u
#define UFFDIO_COPY	    0xc028aa03u
#define UFFDIO_ZEROPAGE	    0xc020aa04u
#define UFFDIO_WRITEPROTECT 0xc018aa06u
#define USERFAULTFD_IOC_NEW 0xaa00u
#define API_IOCTLS	    (BIT(0) | BIT(1) | BIT(0x3f))
#define RANGE_IOCTLS	    (BIT(2) | BIT(3) | BIT(4))
#define RANGE_IOCTL_WP	    BIT(6)
#define FEATURE_WP	    BIT(0)
#define FEATURE_SIGBUS	    BIT(7)
#define FEATURE_THREAD_ID   BIT(8)
#define FEATURE_EXACT	    BIT(11)
#define FEATURES \
	(FEATURE_WP | FEATURE_SIGBUS | FEATURE_THREAD_ID | FEATURE_EXACT)
#define MODE_MISSING	 BIT(0)
#define MODE_WP		 BIT(1)
#define MODE_MINOR	 BIT(2)
#define MODE_DONTWAKE	 BIT(0) /* COPY, ZEROPAGE */
#define COPY_MODE_WP	 BIT(1)
#define WP_MODE_WP	 BIT(0) /* WRITEPROTECT */
#define WP_MODE_DONTWAKE BIT(1)
#define EVENT_PAGEFAULT	 0x12
#define FLAG_WRITE	 BIT(0)
#define FLAG_WP		 BIT(1)
#define KILL_LOOK_NS	 (100 * NSEC_PER_MSEC)

u64 unprivileged_userfaultfd;

struct uffd {
	u32 refs;		  /* [a] */
	struct mm *mm;		  /* [I] owned */
	bool user_only;		  /* [I] */
	bool ready;		  /* [a] UFFDIO_API was here */
	bool closed;		  /* [a] */
	u64 features;		  /* [I once ready] */
	struct spinlock lock;	  /* RANK_PIPE */
	struct list_head waiting; /* [lock] struct asker, oldest first */
	struct waitq read_wq, fault_wq;
};

/* On the stack of who waits. */
struct asker {
	struct list_head node; /* [u->lock] */
	u64 addr, flags;
	u32 tid;
	bool told;   /* [u->lock] was read */
	bool answer; /* [a] off the list: look again */
};

struct uffd_msg {
	u8 event, pad[7];
	u64 flags, address;
	u32 ptid, pad2;
};
STATIC_ASSERT(sizeof(struct uffd_msg) == 32, "Linux's");

static bool is_ready(const struct uffd *u)
{
	/* UFFD (acquire) - pairs with do_api(). */
	return load_acquire(&u->ready);
}

static void uffd_put(struct uffd *u)
{
	if (!atomic_dec_and_test(&u->refs))
		return;
	mm_put(u->mm);
	kfree(u);
}

void uffd_hold_slow(struct vma *v)
{
	atomic_inc(&v->uffd->refs);
}

void uffd_drop_slow(struct vma *v)
{
	struct uffd *u = v->uffd;

	v->uffd = NULL;
	v->flags &= ~(u32)VM_UFFD;
	uffd_put(u);
}

/* --- who faults */

static void ask(struct uffd *u, struct asker *a)
{
	spin_lock(&u->lock);
	list_add_tail(&a->node, &u->waiting);
	spin_unlock(&u->lock);
	wake_up_all_key(&u->read_wq, POLLIN | POLLRDNORM);
}

static void unask(struct uffd *u, struct asker *a)
{
	spin_lock(&u->lock);
	if (!a->answer)
		list_del(&a->node);
	spin_unlock(&u->lock);
}

static int wait_answer(struct uffd *u, struct asker *a, bool user)
{
	struct thread *t = current;

	if (user)
		return wait_event_interruptible(&u->fault_wq,
						load_once(&a->answer));
	/* In a call: only SIGKILL ends that, and wakes nobody who waits so. */
	while (!load_once(&a->answer) && !(load_once(&t->work) & WORK_EXIT))
		(void)!wait_event_timeout(&u->fault_wq, load_once(&a->answer),
					  clock_mono_ns() + KILL_LOOK_NS);
	return load_once(&a->answer) ? 0 : -ERESTARTSYS;
}

/* Has the program to be asked about @addr?  Then with these flags besides. */
static bool wants(const struct vma *v, u64 addr, bool write, u64 *flags)
{
	pte_t *p = pt_find(v->mm, addr), e = p ? load_once(p) : 0;

	*flags = e ? FLAG_WP : 0;
	return uffd_wants(v, e, write) && !load_once(&v->uffd->closed);
}

static struct uffd *begin(struct mm *mm, u64 addr, bool write, struct asker *a)
{
	struct vma *v = vma_at(mm, addr);
	struct uffd *u = v ? v->uffd : NULL;
	u64 flags, now;

	if (!u)
		return NULL;
	if (u->features & FEATURE_SIGBUS)
		return ERR_PTR(-EIO);
	if (!wants(v, addr, write, &flags))
		return NULL;
	/* All of it before somebody can read it. */
	a->flags |= flags;
	if (!(u->features & FEATURE_EXACT))
		a->addr = ALIGN_DOWN(addr, PAGE_SIZE);
	atomic_inc(&u->refs);
	ask(u, a);
	/* An answer that came before that has woken nobody. */
	if (wants(v, addr, write, &now) && now == flags)
		return u;
	unask(u, a);
	uffd_put(u);
	return NULL;
}

int uffd_fault(struct mm *mm, u64 addr, bool write)
{
	struct asker a = { .addr = addr,
			   .flags = write ? FLAG_WRITE : 0,
			   .tid = (u32)current->tid };
	bool user = current->req_kind == REQ_FAULT;
	struct uffd *u;
	int err;

	list_init(&a.node);
	down_read(&mm->lock);
	u = begin(mm, addr, write, &a);
	up_read(&mm->lock);
	if (!u || IS_ERR(u))
		return u ? (int)PTR_ERR(u) : 0;
	err = !user && u->user_only ? -EIO : wait_answer(u, &a, user);
	unask(u, &a);
	uffd_put(u);
	return err;
}

/* Those who wait for what is in [start, end) look again. */
static void answer(struct uffd *u, u64 start, u64 end)
{
	struct asker *a, *tmp;

	spin_lock(&u->lock);
	list_for_each_entry_safe(a, tmp, &u->waiting, node) {
		if (a->addr < start || a->addr >= end)
			continue;
		list_del(&a->node);
		store_once(&a->answer, true);
	}
	wake_up_all(&u->fault_wq);
	spin_unlock(&u->lock);
}

/* --- the file */

static bool take_message(struct uffd *u, struct uffd_msg *m)
{
	struct asker *a, *found = NULL;

	spin_lock(&u->lock);
	list_for_each_entry(a, &u->waiting, node) {
		if (a->told)
			continue;
		a->told = true;
		found = a;
		*m = (struct uffd_msg){ .event = EVENT_PAGEFAULT,
					.flags = a->flags,
					.address = a->addr };
		if (u->features & FEATURE_THREAD_ID)
			m->ptid = a->tid;
		break;
	}
	spin_unlock(&u->lock);
	if (found && m->ptid)
		m->ptid = (u32)pid_shown((int)m->ptid);
	return found != NULL;
}

static bool has_message(struct uffd *u)
{
	struct asker *a;
	bool any = false;

	spin_lock(&u->lock);
	list_for_each_entry(a, &u->waiting, node)
		any |= !a->told;
	spin_unlock(&u->lock);
	return any;
}

static s64 uffd_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct uffd *u = f->priv;
	struct uffd_msg m;
	s64 done = 0;

	if (!is_ready(u))
		return -EINVAL;
	while (iov_iter_count(to) >= sizeof(m)) {
		int err;

		if (take_message(u, &m)) {
			if (copy_to_iter(&m, sizeof(m), to) != sizeof(m))
				return done ? done : -EFAULT;
			done += sizeof(m);
			continue;
		}
		if (done || (f->flags & O_NONBLOCK))
			return done ? done : -EAGAIN;
		err = wait_event_interruptible(&u->read_wq, has_message(u));
		if (err)
			return err;
	}
	return done ? done : -EINVAL;
}

static u32 uffd_poll(struct file *f, struct poll_table *pt)
{
	struct uffd *u = f->priv;

	poll_wait(pt, f, &u->read_wq);
	if (!load_once(&u->ready) || !(f->flags & O_NONBLOCK))
		return POLLERR;
	return has_message(u) ? POLLIN | POLLRDNORM : 0;
}

static void uffd_release(struct file *f)
{
	struct uffd *u = f->priv;
	struct mm *mm = u->mm;

	store_once(&u->closed, true);
	down_write(&mm->lock);
	for (struct vma *v = vma_first(mm); v; v = vma_next(v))
		if (v->uffd == u)
			uffd_drop(v);
	up_write(&mm->lock);
	answer(u, 0, ~0ull);
	uffd_put(u);
}

/* --- ranges */

struct range {
	u64 start, len;
};

static int check_range(u64 start, u64 len)
{
	if (start % PAGE_SIZE || len % PAGE_SIZE || !len || start >= USER_TOP ||
	    len > USER_TOP - start)
		return -EINVAL;
	return 0;
}

static int vet_area(const struct uffd *u, const struct vma *v)
{
	if (v->ops || (v->flags & (VM_IO | VM_SHARED)))
		return -EINVAL;
	if (!(v->flags & VM_MAYWRITE))
		return -EPERM;
	return v->uffd && v->uffd != u ? -EBUSY : 0;
}

/* Entries of [start, end) lose PTE_UFFD_WP, or get it and may not be written. */
static void write_protect(struct mm *mm, u64 start, u64 end, bool on)
{
	for (u64 va = start; va < end; va += PAGE_SIZE) {
		pte_t *p = pt_find(mm, va), e;

		if (!p)
			continue;
		spin_lock(&mm->pt_lock);
		e = *p;
		if (e && on)
			store_once(p, (e & ~PTE_W) | PTE_UFFD_WP);
		else if (e)
			store_once(p, e & ~PTE_UFFD_WP);
		spin_unlock(&mm->pt_lock);
	}
	if (on)
		mm_flush(mm);
}

/* mm->lock for writing; @u NULL: nobody's any more. */
static int assign(struct mm *mm, u64 start, u64 end, struct uffd *u, u32 flags)
{
	int err = vma_split_at(mm, start, end);
	struct vma *v;

	if (err)
		return err;
	for (v = vma_overlap(mm, start, end); v && v->start < end;
	     v = vma_next(v)) {
		if (v->uffd && !(flags & VM_UFFD_WP))
			write_protect(mm, v->start, v->end, false);
		uffd_drop(v);
		v->uffd = u;
		v->flags |= flags;
		uffd_hold(v);
	}
	return 0;
}

static int vet_range(const struct uffd *u, u64 start, u64 end, bool reg)
{
	struct vma *v = vma_overlap(u->mm, start, end);
	int err = v ? 0 : -EINVAL;

	for (; !err && v && v->start < end; v = vma_next(v)) {
		err = vet_area(u, v);
		if (!reg && (err == -EPERM || err == -EBUSY))
			err = 0;
	}
	return err;
}

static int set_range(struct uffd *u, u64 start, u64 len, bool reg, u32 flags)
{
	struct mm *mm = u->mm;
	int err = check_range(start, len);

	if (err)
		return err;
	down_write(&mm->lock);
	err = vet_range(u, start, start + len, reg);
	if (!err)
		err = assign(mm, start, start + len, reg ? u : NULL, flags);
	up_write(&mm->lock);
	if (!err && !reg)
		answer(u, start, start + len);
	return err;
}

static s64 do_register(struct uffd *u, uaddr_t arg)
{
	struct {
		struct range r;
		u64 mode, ioctls;
	} a;
	u32 flags = 0;
	int err;

	if (copy_from_user(&a, arg, 24))
		return -EFAULT;
	if (!a.mode || (a.mode & ~(MODE_MISSING | MODE_WP)))
		return -EINVAL;
	if (a.mode & MODE_MISSING)
		flags |= VM_UFFD_MISSING;
	if (a.mode & MODE_WP)
		flags |= VM_UFFD_WP;
	err = set_range(u, a.r.start, a.r.len, true, flags);
	if (err)
		return err;
	a.ioctls = RANGE_IOCTLS | (a.mode & MODE_WP ? RANGE_IOCTL_WP : 0);
	return put_user_u64(a.ioctls, arg + 24) ? -EFAULT : 0;
}

/* --- answers */

/* @pg (NULL: the frame of zeroes) at @va: 0, -ENOENT, -EEXIST, -ENOMEM. */
static int install(struct uffd *u, u64 va, struct page *pg, bool wp)
{
	struct vma *v = vma_at(u->mm, va);
	pte_t *p, e;

	if (!v || v->uffd != u || (wp && !(v->flags & VM_UFFD_WP)))
		return v && v->uffd == u ? -EINVAL : -ENOENT;
	p = pt_make(u->mm, va);
	if (!p)
		return -ENOMEM;
	e = pg ? page_pte(pg, pt_prot(v, !wp))
	       : pte_make(zero_page_phys, pt_prot(v, false) | PTE_SPECIAL);
	spin_lock(&u->mm->pt_lock);
	if (*p) {
		spin_unlock(&u->mm->pt_lock);
		return -EEXIST;
	}
	if (pg) {
		pg->flags = PG_ANON;
		store_once(&v->has_anon, true);
		u->mm->rss_anon++;
	}
	pt_set(p, e | (wp ? PTE_UFFD_WP : 0));
	spin_unlock(&u->mm->pt_lock);
	if (pg)
		pmem_account(PMEM_ANON, 1); /* page_put() takes it back */
	return 0;
}

static int install_locked(struct uffd *u, u64 va, struct page *pg, bool wp)
{
	int err = -ESRCH;

	down_read(&u->mm->lock);
	if (load_once(&u->mm->users))
		err = install(u, va, pg, wp);
	up_read(&u->mm->lock);
	return err;
}

static int copy_one(struct uffd *u, u64 dst, uaddr_t src, bool wp)
{
	struct page *pg = page_alloc(0, GFP_USER);
	int err;

	if (!pg)
		return -ENOMEM;
	err = copy_from_user(page_addr(pg), src, PAGE_SIZE)
		      ? -EFAULT
		      : install_locked(u, dst, pg, wp);
	if (err)
		page_put(pg);
	return err;
}

/* What is said of @done of @len bytes, with @err behind them. */
static s64 tell_done(struct uffd *u, u64 dst, u64 done, u64 len, int err,
		     bool wake, uaddr_t result)
{
	s64 r = done ? (s64)done : err;

	if (done && wake)
		answer(u, dst, dst + done);
	if (put_user_u64((u64)r, result))
		return -EFAULT;
	return r < 0 ? r : done == len ? 0 : -EAGAIN;
}

static s64 do_copy(struct uffd *u, uaddr_t arg)
{
	struct {
		u64 dst, src, len, mode;
	} a;
	u64 done = 0;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = check_range(a.dst, a.len);
	if (!err && (a.src + a.len <= a.src ||
		     (a.mode & ~(MODE_DONTWAKE | COPY_MODE_WP))))
		err = -EINVAL;
	if (err)
		return err;
	for (; !err && done < a.len; done += err ? 0 : PAGE_SIZE) {
		err = copy_one(u, a.dst + done, a.src + done,
			       a.mode & COPY_MODE_WP);
		cond_resched();
	}
	return tell_done(u, a.dst, done, a.len, err, !(a.mode & MODE_DONTWAKE),
			 arg + 32);
}

static s64 do_zeropage(struct uffd *u, uaddr_t arg)
{
	struct {
		struct range r;
		u64 mode;
	} a;
	u64 done = 0;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = check_range(a.r.start, a.r.len);
	if (!err && (a.mode & ~MODE_DONTWAKE))
		err = -EINVAL;
	if (err)
		return err;
	for (; !err && done < a.r.len; done += err ? 0 : PAGE_SIZE)
		err = install_locked(u, a.r.start + done, NULL, false);
	return tell_done(u, a.r.start, done, a.r.len, err,
			 !(a.mode & MODE_DONTWAKE), arg + 24);
}

static s64 do_writeprotect(struct uffd *u, uaddr_t arg)
{
	struct {
		struct range r;
		u64 mode;
	} a;
	struct vma *v;
	u64 end;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = check_range(a.r.start, a.r.len);
	if (!err && ((a.mode & ~(WP_MODE_WP | WP_MODE_DONTWAKE)) ||
		     a.mode == (WP_MODE_WP | WP_MODE_DONTWAKE)))
		err = -EINVAL;
	if (err)
		return err;
	end = a.r.start + a.r.len;
	/* for writing: no fault is half-way between its look and its entry */
	down_write(&u->mm->lock);
	v = vma_overlap(u->mm, a.r.start, end);
	err = -ENOENT;
	for (; v && v->start < end; v = vma_next(v)) {
		err = v->uffd == u && (v->flags & VM_UFFD_WP) ? 0 : -ENOENT;
		if (err)
			break;
		write_protect(u->mm, max(v->start, a.r.start), min(v->end, end),
			      a.mode & WP_MODE_WP);
	}
	up_write(&u->mm->lock);
	if (!err && !(a.mode & (WP_MODE_DONTWAKE | WP_MODE_WP)))
		answer(u, a.r.start, end);
	return err;
}

static s64 do_range(struct uffd *u, uaddr_t arg, bool wake)
{
	struct range r;
	int err;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (!wake)
		return set_range(u, r.start, r.len, false, 0);
	err = check_range(r.start, r.len);
	if (!err)
		answer(u, r.start, r.start + r.len);
	return err;
}

static s64 do_api(struct uffd *u, uaddr_t arg)
{
	u64 a[3];
	int err = 0;

	if (copy_from_user(a, arg, sizeof(a)))
		return -EFAULT;
	if (a[0] != UFFD_API || (a[1] & ~FEATURES) || load_once(&u->ready))
		err = -EINVAL;
	if (!err)
		u->features = a[1];
	a[0] = err ? 0 : UFFD_API;
	a[1] = err ? 0 : FEATURES;
	a[2] = err ? 0 : API_IOCTLS;
	if (copy_to_user(arg, a, sizeof(a)))
		return -EFAULT;
	/* UFFD (release) - pairs with is_ready(). */
	if (!err)
		store_release(&u->ready, true);
	return err;
}

static s64 uffd_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct uffd *u = f->priv;

	if (cmd != UFFDIO_API && !is_ready(u))
		return -EINVAL;
	switch (cmd) {
	case UFFDIO_API:
		return do_api(u, arg);
	case UFFDIO_REGISTER:
		return do_register(u, arg);
	case UFFDIO_UNREGISTER:
		return do_range(u, arg, false);
	case UFFDIO_WAKE:
		return do_range(u, arg, true);
	case UFFDIO_COPY:
		return do_copy(u, arg);
	case UFFDIO_ZEROPAGE:
		return do_zeropage(u, arg);
	case UFFDIO_WRITEPROTECT:
		return do_writeprotect(u, arg);
	default:
		return -EINVAL;
	}
}

static const struct file_ops uffd_fops = {
	.read = uffd_read,
	.poll = uffd_poll,
	.ioctl = uffd_ioctl,
	.release = uffd_release,
	.anon_name = "anon_inode:[userfaultfd]",
};

struct file *uffd_create(bool user_only, u32 flags)
{
	struct uffd *u = kzalloc(sizeof(*u));
	struct file *f;

	if (!u)
		return ERR_PTR(-ENOMEM);
	u->refs = 1;
	u->mm = mm_get(current->mm);
	u->user_only = user_only;
	spin_init(&u->lock, "uffd", RANK_PIPE);
	list_init(&u->waiting);
	waitq_init(&u->read_wq);
	waitq_init(&u->fault_wq);
	f = file_alloc(&uffd_fops, O_RDWR | (flags & O_NONBLOCK), u);
	if (!f) {
		uffd_put(u);
		return ERR_PTR(-ENOMEM);
	}
	return f;
}

/* --- /dev/userfaultfd: who may open it may have the kernel's faults too */

static s64 dev_ioctl(struct file *f __unused, unsigned int cmd, u64 arg)
{
	struct file *n;

	if (cmd != USERFAULTFD_IOC_NEW)
		return -EINVAL;
	if (arg & ~(u64)(O_CLOEXEC | O_NONBLOCK | 1))
		return -EINVAL;
	n = uffd_create(arg & 1, (u32)arg);
	return IS_ERR(n) ? PTR_ERR(n) : fd_open(n, (u32)arg & O_CLOEXEC);
}

static const struct file_ops dev_fops = { .ioctl = dev_ioctl };
static struct chrdev uffd_dev = {
	.name = "userfaultfd",
	.dev = MKDEV(10, 126),
	.mode = 0600,
	.fops = &dev_fops,
	.sys_class = "misc",
};

static int uffd_init(void)
{
	return chrdev_register(&uffd_dev);
}
INITCALL(INIT_DRIVER, uffd_init);
