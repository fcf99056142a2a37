/* SPDX-License-Identifier: MIT */
/*
 * syscall/ns.c - unshare(2) and setns(2).  What they do: kernel/task/share.c,
 * kernel/ns/nsproxy.c.
 */
#include <syscall/syscall.h>

#include <fs/nsfs.h>
#include <kernel/file/file.h>
#include <kernel/task/clone.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>

/* Some mean others: what a namespace is made of must not be shared. */
static u64 implied(u64 flags)
{
	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	if (flags & CLONE_VM)
		flags |= CLONE_SIGHAND;
	if (flags & CLONE_SIGHAND)
		flags |= CLONE_THREAD;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	return flags;
}

SYSCALL1(97, unshare, u64, flags)
{
	flags = implied(flags);
	if (flags & ~(u64)(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM |
			   CLONE_FILES | CLONE_SYSVSEM | CLONE_NAMESPACES))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && load_once(&current->proc->nr_threads) > 1)
		return -EINVAL;
	return task_unshare(flags);
}

static s64 setns_pidfd(int fd, u64 flags)
{
	struct process *p = pidfd_process(fd);
	s64 r;

	if (IS_ERR(p))
		return -EINVAL;
	if (!flags || (flags & ~(u64)NS_FLAGS))
		r = -EINVAL;
	else if (load_once(&p->zombie))
		r = -ESRCH;
	else
		r = trace_may_access(p, false);
	if (!r)
		r = ns_enter_process(p, flags);
	process_put(p);
	return r;
}

SYSCALL2(268, setns, int, fd, u32, type)
{
	struct fdref r = fd_ref(fd);
	struct ns_common *ns;
	s64 err;

	if (!r.f)
		return -EBADF;
	ns = nsfs_file_ns(r.f);
	if (!ns)
		err = setns_pidfd(fd, type);
	else if (type && type != ns->ops->flag)
		err = -EINVAL;
	else
		err = ns_enter(ns);
	fd_unref(r);
	return err;
}
