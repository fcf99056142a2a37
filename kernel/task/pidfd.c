/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pidfd.c - a descriptor that names a process for good.
 *
 * It holds a reference, so the number cannot come to mean somebody else; it
 * becomes readable when the process has died.
 */
#include <kernel/task/task.h>

#include <kernel/file/file.h>
#include <kernel/ns/pid.h>
#include <kernel/task/trace.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* Parent's queue is woken at every change of a child; that is ours too. */
static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = f->priv;
	u32 ev;

	poll_wait(pt, f, &p->threads_wq);
	spin_lock(&task_lock);
	ev = p->zombie ? POLLIN | POLLRDNORM : 0;
	spin_unlock(&task_lock);
	return ev;
}

/* -1 when it was waited for. */
static size_t pidfd_fdinfo(struct file *f, char *buf, size_t n)
{
	struct process *p = f->priv;
	const struct pid_ns *at[PID_NS_LEVELS + 1], *ns = p->pid_ns;
	u32 nr = 0;
	size_t len;
	int pid;

	spin_lock(&task_lock);
	pid = process_reaped_locked(p) ? -1 : pid_shown(p->pid);
	spin_unlock(&task_lock);
	len = (size_t)scnprintf(buf, n, "Pid:\t%d\nNSpid:\t%d", pid, pid);
	for (; pid > 0 && ns != current_pid_ns(); ns = ns->parent)
		at[nr++] = ns;
	while (nr)
		len += (size_t)scnprintf(buf + len, n - len, "\t%d",
					 pid_nr_in(at[--nr], p->pid));
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
	ns = ns_of_tid(p->leader->tid, p, i);
	return ns ? nsfs_open(ns) : -ESRCH;
}

static s64 pidfd_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct process *p = f->priv;
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
	process_put(f->priv);
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
	struct file *f =
		file_alloc(&pidfd_ops, O_RDWR | (flags & O_NONBLOCK), p);

	if (f)
		process_get(p);
	return f;
}

int pidfd_create(struct process *p, u32 flags)
{
	struct file *f = pidfd_file(p, flags);

	return f ? fd_open(f, O_CLOEXEC) : -ENOMEM;
}

struct process *pidfd_process(int fd)
{
	struct file *f = fd_get(fd);
	struct process *p;

	if (!f)
		return ERR_PTR(-EBADF);
	p = f->ops == &pidfd_ops ? process_get(f->priv) : ERR_PTR(-EBADF);
	file_put(f);
	return p;
}
