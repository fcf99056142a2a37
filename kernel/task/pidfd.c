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
#include <lib/errno.h>
#include <lib/fmt.h>

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

static void pidfd_release(struct file *f)
{
	process_put(f->priv);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
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
