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
 * Locking: u->lock (RANK_PIPE) for the list, inside of mm->lock.  Context: coroutine.
 */
#include <kernel/mm/uffd_int.h>

#include <kernel/dev/dev.h>
#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/init.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <kernel/ns/pid.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define USERFAULTFD_IOC_NEW 0xaa00u
#define EVENT_PAGEFAULT	    0x12
#define FLAG_WRITE	    BIT(0)
#define FLAG_WP		    BIT(1)
#define FLAG_MINOR	    BIT(2)
#define KILL_LOOK_NS	    (100 * NSEC_PER_MSEC)

u64 unprivileged_userfaultfd;

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

void uffd_put(struct uffd *u)
{
	if (!atomic_dec_and_test(&u->refs))
		return;
	atomic_dec(&u->mm->uffds);
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

bool uffd_has_page(const struct vma *v, u64 addr)
{
	struct page *pg = mapping_find(v->mapping, vma_pgoff(v, addr));
	bool has = pg && (load_once(&pg->flags) & PG_UPTODATE);

	if (pg)
		page_put(pg);
	return has;
}

/* Has the program to be asked about @addr?  Then with these flags besides. */
static bool wants(const struct vma *v, u64 addr, bool write, u64 *flags)
{
	pte_t *p = pt_find(v->mm, addr), e = p ? load_once(p) : 0;

	*flags = e ? FLAG_WP : v->flags & VM_UFFD_MINOR ? FLAG_MINOR : 0;
	return uffd_wants(v, addr, e, write) && !load_once(&v->uffd->closed);
}

/* Not who looks at the memory of others: that is not to hang, whatever they do. */
static bool may_wait(const struct uffd *u, const struct mm *mm)
{
	const struct thread *t = current;

	return t->mm == mm && (t->req_kind == REQ_FAULT || !u->user_only);
}

static struct uffd *begin(struct mm *mm, u64 addr, bool write, struct asker *a)
{
	struct vma *v = vma_at(mm, addr);
	struct uffd *u = v ? v->uffd : NULL;
	u64 flags, now;

	if (!u)
		return NULL;
	if (!wants(v, addr, write, &flags))
		return NULL;
	if ((u->features & FEATURE_SIGBUS) || !may_wait(u, mm))
		return ERR_PTR(-EIO);
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
	err = wait_answer(u, &a, user);
	unask(u, &a);
	uffd_put(u);
	return err;
}

void uffd_answer(struct uffd *u, u64 start, u64 end)
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

	if (!uffd_is_ready(u))
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
		if (v->uffd == u) {
			uffd_unprotect(v);
			uffd_drop(v);
		}
	up_write(&mm->lock);
	uffd_answer(u, 0, ~0ull);
	uffd_put(u);
}

/* --- instances */

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
	atomic_inc(&u->mm->uffds); /* by its own thread: mm_is_private() */
	u->user_only = user_only;
	spin_init(&u->lock, "uffd", RANK_PIPE);
	list_init(&u->waiting);
	waitq_init(&u->read_wq);
	waitq_init(&u->fault_wq);
	f = file_alloc(&uffd_fops, O_RDWR | (flags & O_NONBLOCK), u);
	if (!f) {
		uffd_put(u);
		return ERR_PTR(file_no_alloc());
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
