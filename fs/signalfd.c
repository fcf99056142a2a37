/* SPDX-License-Identifier: MIT */
/*
 * fs/signalfd.c - take blocked signals by reading a file.
 *
 * Whoever reads or polls sees their own signals.  Waiting happens on the queue of
 * the reader's sighand, which may be another than the creator's: every one that was
 * waited on through this file is kept until the file goes, so that waiters (epoll's
 * stay for long) never hang on a queue that was freed.
 *
 * Locking: pending sets are looked at under sighand->lock, because senders look at
 * the queue under it.
 *
 * ORDERING
 *   KEPT  an element is complete before it is put in front of the list.
 */
#include <fs/event.h>

#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/task.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

struct kept {
	struct kept *next;
	struct sighand *sh; /* owned */
};

struct signalfd {
	u64 mask;	   /* [a] */
	struct kept *kept; /* [a] edge KEPT: only grows */
};

/* linux/signalfd.h */
struct signalfd_siginfo {
	u32 signo;
	s32 err, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value_int;
	u64 value_ptr, utime, stime, addr;
	u16 addr_lsb, pad2;
	s32 syscall;
	u64 call_addr;
	u32 arch;
	u8 pad[28];
};
STATIC_ASSERT(sizeof(struct signalfd_siginfo) == 128, "Linux's structure");

static bool is_kept(const struct signalfd *s, const struct sighand *sh)
{
	const struct kept *k;

	/* KEPT (acquire) - pairs with keep(). */
	for (k = load_acquire(&s->kept); k; k = k->next) {
		if (k->sh == sh)
			return true;
	}
	return false;
}

/* Keep current's sighand as long as the file.  0 or -ENOMEM. */
static int keep(struct signalfd *s)
{
	struct sighand *sh = current->proc->sighand;
	struct kept *k;

	if (likely(is_kept(s, sh)))
		return 0;
	k = kmalloc(sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->sh = sighand_get(sh);
	for (;;) {
		struct kept *first = load_once(&s->kept);

		k->next = first;
		/* KEPT (release) - pairs with is_kept(). */
		if (atomic_cmpxchg(&s->kept, first, k) == first)
			return 0;
	}
}

static u64 pending(const struct signalfd *s)
{
	struct sighand *sh = current->proc->sighand;
	u64 set;

	spin_lock(&sh->lock);
	set = signal_pending_set() & load_once(&s->mask);
	spin_unlock(&sh->lock);
	return set;
}

static void fill(struct signalfd_siginfo *out, const struct siginfo *si)
{
	memset(out, 0, sizeof(*out));
	out->signo = (u32)si->signo;
	out->err = si->err;
	out->code = si->code;
	if (si->signo == SIGCHLD && si->code > 0) {
		out->pid = (u32)si->chld.pid;
		out->uid = si->chld.uid;
		out->status = si->chld.status;
		out->utime = (u64)si->chld.utime;
		out->stime = (u64)si->chld.stime;
	} else if (si->code == SI_TIMER) {
		out->tid = (u32)si->timer.tid;
		out->overrun = (u32)si->timer.overrun;
		out->value_ptr = si->timer.value;
		out->value_int = (s32)si->timer.value;
	} else if (si->code <= 0) {
		out->pid = (u32)si->rt.pid;
		out->uid = si->rt.uid;
		out->value_ptr = si->rt.value;
		out->value_int = (s32)si->rt.value;
	} else if (si->code != SI_KERNEL) {
		out->addr = si->fault.addr;
	}
}

/* One signal into @si: 0 or -errno. */
static int take(struct file *f, struct signalfd *s, struct siginfo *si,
		bool wait)
{
	while (!signal_dequeue(~load_once(&s->mask), si)) {
		int err;

		if (!wait || (f->flags & O_NONBLOCK))
			return -EAGAIN;
		err = wait_event_interruptible(
			&current->proc->sighand->signalfd_wq, pending(s));
		if (err)
			return err;
	}
	return 0;
}

static s64 signalfd_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct signalfd *s = f->priv;
	struct signalfd_siginfo out;
	struct siginfo si;
	s64 done = 0;
	int err = 0;

	if (iov_iter_count(to) < sizeof(out))
		return -EINVAL;
	while (iov_iter_count(to) >= sizeof(out)) {
		err = take(f, s, &si, !done);
		if (err)
			break;
		fill(&out, &si);
		if (copy_to_iter(&out, sizeof(out), to) != sizeof(out)) {
			err = -EFAULT;
			break;
		}
		done += (s64)sizeof(out);
	}
	return done ? done : err;
}

static u32 signalfd_poll(struct file *f, struct poll_table *pt)
{
	struct signalfd *s = f->priv;

	if (pt && pt->queue) {
		if (keep(s))
			return POLLERR;
		poll_wait(pt, f, &current->proc->sighand->signalfd_wq);
	}
	return pending(s) ? POLLIN | POLLRDNORM : 0;
}

static void signalfd_release(struct file *f)
{
	struct signalfd *s = f->priv;
	struct kept *k, *next;

	for (k = s->kept; k; k = next) {
		next = k->next;
		sighand_put(k->sh);
		kfree(k);
	}
	kfree(s);
}

static size_t signalfd_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct signalfd *s = f->priv;

	return (size_t)scnprintf(buf, n, "sigmask:\t%016lx\n",
				 load_once(&s->mask));
}

static const struct file_ops signalfd_fops = {
	.stands = true,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.fdinfo = signalfd_fdinfo,
	.anon_name = "anon_inode:[signalfd]",
};

struct file *signalfd_create(u64 mask, bool nonblock)
{
	struct signalfd *s = kzalloc(sizeof(*s));
	struct file *f;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->mask = mask & ~UNBLOCKABLE;
	f = file_alloc(&signalfd_fops, O_RDWR | (nonblock ? O_NONBLOCK : 0), s);
	if (f)
		return f;
	kfree(s);
	return ERR_PTR(file_no_alloc());
}

int signalfd_set_mask(struct file *f, u64 mask)
{
	struct signalfd *s = f->priv;

	if (f->ops != &signalfd_fops)
		return -EINVAL;
	store_once(&s->mask, mask & ~UNBLOCKABLE);
	wake_up_all(&current->proc->sighand->signalfd_wq);
	return 0;
}
