/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pidfd.c - a descriptor that names a process, or one thread, for good.
 *
 * It holds a reference to the process, so the number cannot come to mean somebody
 * else; it becomes readable when the process (the thread) has died, and hangs up when
 * it was waited for.  A thread is known by number and time of birth; who executes a
 * program becomes the one with the process's number.
 */
#include <kernel/task/task.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/task/trace.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct pidfd {
	struct process *p; /* [I] owned */
	int tid;	   /* [task_lock] 0: the process */
	u64 start_ns;	   /* [task_lock] the thread's */
};

static void pidfd_put(struct pidfd *pf)
{
	process_put(pf->p);
	kfree(pf);
}

struct thread *pidfd_thread_locked(const struct pidfd *pf)
{
	struct thread *t = pf->tid ? thread_find(pf->tid) : NULL;

	if (!t || t->proc != pf->p ||
	    (pf->tid != pf->p->pid && t->start_ns != pf->start_ns))
		return NULL;
	return t;
}

int pidfd_tid(const struct pidfd *pf)
{
	return load_once(&pf->tid);
}

static u32 events_locked(const struct pidfd *pf)
{
	const struct process *p = pf->p;
	bool thread = pf->tid && pf->tid != p->pid, gone;

	gone = thread ? !pidfd_thread_locked(pf) : process_reaped_locked(p);
	if (gone)
		return POLLIN | POLLRDNORM | POLLHUP;
	if (p->zombie || (pf->tid && !pidfd_thread_locked(pf)))
		return POLLIN | POLLRDNORM;
	return 0;
}

static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct pidfd *pf = f->priv;
	u32 ev;

	poll_wait(pt, f, &pf->p->threads_wq);
	spin_lock(&task_lock);
	ev = events_locked(pf);
	spin_unlock(&task_lock);
	return ev;
}

/* -1 when it was waited for. */
static size_t pidfd_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct pidfd *pf = f->priv;
	struct process *p = pf->p;
	const struct pid_ns *at[PID_NS_LEVELS + 1], *ns = p->pid_ns;
	u32 n_at = 0;
	size_t len;
	int pid, nr;

	spin_lock(&task_lock);
	if (pf->tid)
		nr = pidfd_thread_locked(pf) ? pf->tid : -1;
	else
		nr = process_reaped_locked(p) ? -1 : p->pid;
	pid = nr > 0 ? pid_shown(nr) : -1;
	spin_unlock(&task_lock);
	len = (size_t)scnprintf(buf, n, "Pid:\t%d\nNSpid:\t%d", pid, pid);
	for (; pid > 0 && ns != current_pid_ns(); ns = ns->parent)
		at[n_at++] = ns;
	while (n_at)
		len += (size_t)scnprintf(buf + len, n - len, "\t%d",
					 pid_nr_in(at[--n_at], nr));
	return len + (size_t)scnprintf(buf + len, n - len, "\n");
}

/* linux/pidfd.h: PIDFD_GET_CGROUP_NAMESPACE and those after it */
#define PIDFD_NS_FIRST 0xff01u
static const char *const pidfd_ns[] = {
	"cgroup", "ipc",
	"mnt",	  "net",
	"pid",	  "pid_for_children",
	"time",	  "time_for_children",
	"user",	  "uts",
};

/* A descriptor of the namespace of @p called @name. */
static s64 open_ns_called(struct process *p, const char *name)
{
	struct ns_common *ns;
	const char *link;
	u32 i = 0;

	while ((link = ns_link_name(i)) && strcmp(link, name))
		i++;
	if (!link)
		return -EOPNOTSUPP;
	ns = ns_of_tid(p->pid, p, i);
	return ns ? nsfs_open(ns) : -ESRCH;
}

static s64 pidfd_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct process *p = ((struct pidfd *)f->priv)->p;
	u32 i = cmd - PIDFD_NS_FIRST;

	if (arg)
		return -EINVAL;
	if (load_once(&p->zombie))
		return -ESRCH;
	if (trace_may_access(p, true))
		return -EACCES;
	return i < ARRAY_SIZE(pidfd_ns) ? open_ns_called(p, pidfd_ns[i])
					: -ENOTTY;
}

static void pidfd_release(struct file *f)
{
	pidfd_put(f->priv);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.ioctl = pidfd_ioctl,
	.release = pidfd_release,
	.fdinfo = pidfd_fdinfo,
	.anon_name = "anon_inode:[pidfd]",
};

struct file *pidfd_file(struct process *p, u32 flags)
{
	struct pidfd *pf = kzalloc(sizeof(*pf));
	struct file *f;

	if (!pf)
		return NULL;
	f = file_alloc(&pidfd_ops,
		       O_RDWR | (flags & (O_NONBLOCK | PIDFD_THREAD)), pf);
	if (!f) {
		kfree(pf);
		return NULL;
	}
	pf->p = process_get(p);
	store_once(&p->has_pidfd, true);
	return f;
}

int pidfd_create(struct process *p, u32 flags)
{
	struct file *f = pidfd_file(p, flags);

	return f ? fd_open(f, O_CLOEXEC) : file_no_alloc();
}

void pidfd_name_thread(struct file *f, int tid, u64 start_ns)
{
	struct pidfd *pf = f->priv;

	spin_lock(&task_lock);
	pf->start_ns = start_ns;
	store_once(&pf->tid, tid);
	spin_unlock(&task_lock);
}

int pidfd_open_thread(int tid, u32 flags)
{
	struct process *p = NULL;
	struct thread *t;
	struct file *f;
	u64 start = 0;

	spin_lock(&task_lock);
	t = thread_find(tid);
	if (t && t->proc) {
		p = process_get(t->proc);
		start = t->start_ns;
	}
	spin_unlock(&task_lock);
	if (!p) /* a leader that has ended can be had, too */
		p = process_find(tid);
	if (!p)
		return -ESRCH;
	f = pidfd_file(p, flags | PIDFD_THREAD);
	process_put(p);
	if (!f)
		return file_no_alloc();
	pidfd_name_thread(f, tid, start);
	return fd_open(f, O_CLOEXEC);
}

struct pidfd *pidfd_of(const struct file *f)
{
	return f->ops == &pidfd_ops ? f->priv : NULL;
}

struct process *pidfd_process(int fd)
{
	struct file *f = fd_get(fd);
	struct pidfd *pf;
	struct process *p;

	if (!f)
		return ERR_PTR(-EBADF);
	pf = pidfd_of(f);
	p = pf ? process_get(pf->p) : ERR_PTR(-EBADF);
	file_put(f);
	return p;
}
