/* SPDX-License-Identifier: MIT */
/*
 * fs/cgroup/procs.c - who is in a group, who may come: cgroup.procs, cgroup.threads,
 * clone3(2); see cgroupfs.h.
 *
 * Who moves a thread must be allowed to write cgroup.procs of the nearest group that
 * is above both places.  What counts is who opened the file.
 */
#include <fs/cgroup/cgroupfs.h>

#include <fs/cgroupfs.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/task/task.h>
#include <lib/errno.h>
#include <lib/string.h>

/* --- reading */

struct listing {
	struct text *t;
	const struct cgroup *cg;
	bool threads;
	int *pid; /* room for @room of them */
	u32 nr, room;
};

static void note(struct listing *l, int pid)
{
	if (l->nr < l->room)
		l->pid[l->nr] = pid;
	l->nr++;
}

static void list_process(struct process *p, void *arg)
{
	struct listing *l = arg;
	struct cgroup *cg = thread_cgroup(p->leader);
	struct thread *t;

	if (!p->nr_threads)
		return;
	if (!l->threads && cg->dom == l->cg)
		note(l, pid_shown(p->pid));
	if (!l->threads)
		return;
	list_for_each_entry(t, &p->threads, proc_node)
		if (thread_cgroup(t) == l->cg)
			note(l, pid_shown(t->tid));
}

static int show_members(struct text *t, struct cgroup *cg, bool threads)
{
	struct listing l = { .t = t, .cg = cg, .threads = threads };

	do {
		kfree(l.pid);
		l.room = l.nr + 64;
		l.nr = 0;
		l.pid = kcalloc(l.room, sizeof(*l.pid));
		if (!l.pid)
			return -ENOMEM;
		process_for_each(list_process, &l);
	} while (l.nr > l.room);
	for (u32 i = 0; i < l.nr; i++)
		text_printf(t, "%d\n", l.pid[i]);
	kfree(l.pid);
	return 0;
}

int cgroupfs_show_procs(struct text *t, struct cgroup *cg)
{
	if (cgroup_is_threaded(cg))
		return -EOPNOTSUPP;
	return show_members(t, cg, false);
}

int cgroupfs_show_threads(struct text *t, struct cgroup *cg)
{
	return show_members(t, cg, true);
}

/* --- moving */

/* @cred is current's for the time of the question. */
static int may_write(struct cgroup *cg, u32 nr, struct cred *cred)
{
	struct inode *i = cgroupfs_inode(cg, nr);
	struct cred *mine;
	int err;

	if (!i)
		return -ENOMEM;
	mine = cred_act(cred);
	err = inode_permission(i, MAY_WRITE);
	(void)cred_act(mine);
	inode_put(i);
	return err;
}

static int may_move(struct cgroup *from, struct cgroup *to, struct cred *cred,
		    const struct cgroup_ns *ns)
{
	int err = may_write(cgroup_common(from, to), CGROUPFS_PROCS, cred);

	if (!err && load_once(&cgroupfs_nsdelegate) &&
	    (!cgroup_is_below(from, ns->root) ||
	     !cgroup_is_below(to, ns->root)))
		err = -ENOENT;
	return err;
}

/* The group of thread @tid, or of its leader when the process is meant, with a
 * reference, and its process; or NULL. */
static struct cgroup *find_mover(int tid, bool whole, struct process **p)
{
	struct cgroup *cg = NULL;
	struct thread *t;

	spin_lock(&task_lock);
	t = thread_find(tid);
	*p = t ? t->proc
	       : process_find_locked(tid); /* also one that has ended */
	if (*p) {
		process_get(*p);
		cg = cgroup_get(thread_cgroup(whole || !t ? (*p)->leader : t));
	}
	spin_unlock(&task_lock);
	return cg;
}

static int move(struct cgroupfs_open *o, int tid, bool whole)
{
	struct process *p = NULL;
	struct cgroup *from;
	int err;

	mutex_lock(&cgroup_mutex);
	from = find_mover(tid, whole, &p);
	err = from ? 0 : -ESRCH;
	if (!err && o->cg->dead)
		err = -ENODEV;
	if (!err)
		err = may_move(from, o->cg, o->cred, o->ns);
	if (!err)
		err = cgroup_move(from, o->cg, p, whole ? 0 : tid);
	mutex_unlock(&cgroup_mutex);
	cgroup_put(from);
	process_put(p);
	return err;
}

static int write_members(struct cgroupfs_open *o, const char *buf, bool whole)
{
	u64 nr;
	int tid;

	if (kstrtou64(buf, 0, &nr) || nr > 0x7fffffff)
		return -EINVAL;
	tid = nr      ? pid_global(current_pid_ns(), (int)nr)
	      : whole ? current->proc->pid
		      : current->tid;
	return tid ? move(o, tid, whole) : -ESRCH;
}

int cgroupfs_write_procs(struct cgroupfs_open *o, char *buf)
{
	return write_members(o, buf, true);
}

int cgroupfs_write_threads(struct cgroupfs_open *o, char *buf)
{
	return write_members(o, buf, false);
}

/* --- clone3(2) */

/* What does not depend on the shape of the tree; that is looked at when the child is
 * linked: cgroup_fork_into(). */
static int clone_into(struct cgroup *to)
{
	int err = 0;

	mutex_lock(&cgroup_mutex); /* we are not moved meanwhile */
	if (to->dead)
		err = -ENOENT;
	if (!err)
		err = may_write(to, CGROUPFS_PROCS, current->cred);
	if (!err)
		err = may_move(thread_cgroup(current), to, current->cred,
			       current_nsproxy()->cgroup);
	mutex_unlock(&cgroup_mutex);
	return err;
}

struct cgroup *cgroupfs_clone_into(int fd)
{
	struct file *f = fd_get_path(fd);
	struct cgroup *cg;
	int err;

	if (!f)
		return ERR_PTR(-EBADF);
	cg = cgroupfs_dir(f);
	err = cg ? clone_into(cg) : -EBADF;
	if (!err)
		cgroup_get(cg);
	file_put(f);
	return err ? ERR_PTR(err) : cg;
}

struct cgroup *cgroupfs_of_fd(int fd)
{
	struct file *f = fd_get_path(fd);
	struct cgroup *cg;

	if (!f)
		return ERR_PTR(-EBADF);
	cg = cgroupfs_dir(f);
	if (cg)
		cgroup_get(cg);
	file_put(f);
	return cg ? cg : ERR_PTR(-EBADF);
}
