/* SPDX-License-Identifier: MIT */
/*
 * syscall/pidfd.c - descriptors of processes, and looking at what processes have:
 * pidfd_open(2), pidfd_getfd(2), process_mrelease(2), process_madvise(2), kcmp(2).
 */
#include <syscall/syscall.h>
#include <syscall/uiov.h>

#include <fs/event.h>
#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/task/ext.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>

static bool thread_exists(int tid)
{
	bool yes;

	spin_lock(&task_lock);
	yes = thread_find(tid) != NULL;
	spin_unlock(&task_lock);
	return yes;
}

SYSCALL2(434, pidfd_open, int, pid, u32, flags)
{
	struct process *p;
	int fd;

	if (flags & ~(u32)(O_NONBLOCK | PIDFD_THREAD))
		return -EINVAL;
	if (pid <= 0)
		return -EINVAL;
	if (flags & PIDFD_THREAD)
		return pidfd_open_thread(pid_given(pid), flags);
	p = process_find(pid_given(pid));
	if (!p)
		return thread_exists(pid_given(pid)) ? -EINVAL : -ESRCH;
	fd = pidfd_create(p, flags);
	process_put(p);
	return fd;
}

SYSCALL3(438, pidfd_getfd, int, pidfd, int, fd, u32, flags)
{
	struct process *p;
	struct files *fs;
	struct file *f = NULL;
	s64 r;

	if (flags)
		return -EINVAL;
	p = pidfd_process(pidfd);
	if (IS_ERR(p))
		return PTR_ERR(p);
	r = p->zombie ? -ESRCH : trace_may_attach(p, false);
	fs = r ? NULL : process_files(p);
	if (!r)
		r = fs ? -EBADF : -ESRCH;
	if (fs) {
		f = files_lookup(fs, fd);
		files_put(fs);
	}
	process_put(p);
	return f ? fd_open(f, O_CLOEXEC) : r;
}

/* A process that dies gives its memory back without being asked. */
SYSCALL2(448, process_mrelease, int, pidfd, u32, flags)
{
	struct process *p;
	bool dying;

	if (flags)
		return -EINVAL;
	p = pidfd_process(pidfd);
	if (IS_ERR(p))
		return PTR_ERR(p);
	dying = load_once(&p->exiting);
	if (p->zombie) {
		process_put(p);
		return -ESRCH;
	}
	process_put(p);
	return dying ? 0 : -EINVAL;
}

#define MADV_WILLNEED 3
#define MADV_COLD     20
#define MADV_PAGEOUT  21
#define MADV_COLLAPSE 25

static s64 advise_all(struct mm *mm, struct iov_iter *it, int advice)
{
	s64 done = 0;

	for (; it->nr_iov; it->iov++, it->nr_iov--) {
		int err = it->iov->len ? mm_madvise(mm, it->iov->base,
						    it->iov->len, advice)
				       : 0;

		if (err)
			return done ? done : err;
		done += (s64)it->iov->len;
	}
	return done;
}

SYSCALL5(440, process_madvise, int, pidfd, uaddr_t, vec, u64, nr, int, advice,
	 u32, flags)
{
	struct iov_iter it;
	struct process *p;
	struct uiov u;
	struct mm *mm;
	s64 r;

	if (flags)
		return -EINVAL;
	r = uiov_get(&u, vec, nr, &it);
	if (r)
		return r;
	p = pidfd_process(pidfd);
	if (IS_ERR(p)) {
		uiov_put(&u);
		return PTR_ERR(p);
	}
	mm = trace_may_access(p, true) ? NULL : process_mm(p);
	if (!mm)
		r = p->zombie ? -ESRCH : -EACCES;
	else if (advice != MADV_WILLNEED && advice != MADV_COLD &&
		 advice != MADV_PAGEOUT && advice != MADV_COLLAPSE)
		r = -EINVAL;
	else
		r = advise_all(mm, &it, advice);
	if (mm)
		mm_put(mm);
	uiov_put(&u);
	process_put(p);
	return r;
}

/* --- kcmp */

enum {
	KCMP_FILE,
	KCMP_VM,
	KCMP_FILES,
	KCMP_FS,
	KCMP_SIGHAND,
	KCMP_IO,
	KCMP_SYSVSEM,
	KCMP_EPOLL_TFD,
};

/* linux/kcmp.h: which watched file of which epoll file */
struct kcmp_epoll_slot {
	u32 efd, tfd, toff;
};

/* An order of objects that says nothing about where they are. */
static s64 compare(u64 a, u64 b)
{
	const u64 odd = 0x9e3779b97f4a7c15ull;

	a *= odd;
	b *= odd;
	return a == b ? 0 : a < b ? 1 : 2;
}

static struct file *file_of(struct process *p, u64 fd)
{
	struct files *fs = process_files(p);
	struct file *f = fs ? files_lookup(fs, (int)fd) : NULL;

	if (fs)
		files_put(fs);
	return f;
}

static s64 compare_files(struct process *a, struct process *b, u64 x, u64 y)
{
	struct file *f = file_of(a, x), *g = file_of(b, y);
	s64 r = -EBADF;

	if (f && g)
		r = compare((u64)f, (u64)g);
	if (f)
		file_put(f);
	if (g)
		file_put(g);
	return r;
}

static s64 compare_watched(struct process *a, struct process *b, u64 fd,
			   uaddr_t uslot)
{
	struct kcmp_epoll_slot slot;
	struct file *f, *ep, *g;
	s64 r = -EBADF;

	if (copy_from_user(&slot, uslot, sizeof(slot)))
		return -EFAULT;
	f = file_of(a, fd);
	ep = file_of(b, slot.efd);
	if (f && ep) {
		g = epoll_watched(ep, (int)slot.tfd, slot.toff);
		r = IS_ERR(g) ? PTR_ERR(g) : compare((u64)f, (u64)g);
	}
	if (f)
		file_put(f);
	if (ep)
		file_put(ep);
	return r;
}

static u64 part_locked(const struct process *p, int type)
{
	const struct thread *t =
		list_first_entry_or_null(&p->threads, struct thread, proc_node);

	switch (type) {
	case KCMP_VM:
		return t ? (u64)t->mm : 0;
	case KCMP_FILES:
		return t ? (u64)t->files : 0;
	case KCMP_FS:
		return t ? (u64)t->fs : 0;
	case KCMP_SIGHAND:
		return (u64)p->sighand;
	case KCMP_IO: /* one that was never wanted is everybody's */
		return t && thread_ioprio_locked(t) ? (u64)p : 0;
	case KCMP_SYSVSEM:
		return list_empty(&p->sem_undos) ? 0 : (u64)p;
	default:
		return 0;
	}
}

static s64 do_kcmp(struct process *a, struct process *b, int type, u64 x, u64 y)
{
	u64 u, v;

	if (type < KCMP_FILE || type > KCMP_EPOLL_TFD)
		return -EINVAL;
	if (trace_may_access(a, false) || trace_may_access(b, false))
		return -EPERM;
	if (type == KCMP_FILE)
		return compare_files(a, b, x, y);
	if (type == KCMP_EPOLL_TFD)
		return compare_watched(a, b, x, y);
	spin_lock(&task_lock);
	u = part_locked(a, type);
	v = part_locked(b, type);
	spin_unlock(&task_lock);
	return compare(u, v);
}

SYSCALL5(272, kcmp, int, pid1, int, pid2, int, type, u64, x, u64, y)
{
	struct process *a = process_find(pid_given(pid1));
	struct process *b = process_find(pid_given(pid2));
	s64 r = a && b ? do_kcmp(a, b, type, x, y) : -ESRCH;

	process_put(a);
	process_put(b);
	return r;
}
