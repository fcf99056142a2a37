/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/fork.c - new threads and processes: clone(2) in all its forms.
 *
 * The child is built completely before anybody can find it; then, under
 * task_lock, it gets its number and is linked, unless a signal or an exit of the
 * group came in between (the call is then run again, after that).
 *
 * Ownership: until it is linked the child belongs to us and child_undo() frees
 * it; thread_start_user() gives it to the relay.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/keys/keys.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/pmu/hooks.h>
#include <kernel/task/clone.h>
#include <kernel/task/pid.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/trace.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

static int check_flags(const struct clone_args *a)
{
	u64 f = a->flags;

	if ((f & CLONE_FS) && (f & (CLONE_NEWNS | CLONE_NEWUSER)))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_PARENT) &&
	    (current->proc == init_process || current->proc->ns_init))
		return -EINVAL;
	if ((f & CLONE_THREAD) && ((f & (CLONE_NEWUSER | CLONE_NEWPID)) ||
				   current_nsproxy()->pid != current_pid_ns()))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & CLONE_DETACHED))
		return -EINVAL;
	return 0;
}

struct nproc_count {
	u32 uid;
	u64 nr;
};

static void nproc_add(struct process *p, void *ctx)
{
	struct nproc_count *c = ctx;

	if (p->leader->real_cred->uid == c->uid)
		c->nr += p->nr_threads;
}

/* Counting is only needed when all threads together exceed the limit. */
static int check_nproc(void)
{
	u64 limit = rlimit_cur(RLIMIT_NPROC);
	struct nproc_count c = { .uid = current->cred->uid };

	if (thread_count() >= load_once(&threads_max))
		return -EAGAIN;
	if (thread_count() < limit || !c.uid || capable(CAP_SYS_RESOURCE) ||
	    capable(CAP_SYS_ADMIN))
		return 0;
	process_for_each(nproc_add, &c);
	return c.nr >= limit ? -EAGAIN : 0;
}

static void copy_registers(struct thread *t, const struct clone_args *a)
{
	const struct thread *me = current;

	t->tf = me->tf;
	t->tf.a0 = 0;
	if (a->stack)
		t->tf.sp = a->stack + a->stack_size;
	if (a->flags & CLONE_SETTLS)
		t->tf.tp = a->tls;
	t->fp = me->fp;
	t->fp_hart = NULL;
	t->syscall_nr = -1;
}

static void inherit_policy(struct thread *t, const struct thread *me)
{
	t->nice = me->nice;
	if (!(me->sched_policy & SCHED_POLICY_RESET)) {
		t->sched_policy = me->sched_policy;
		t->rt_prio = t->own_prio = me->own_prio;
	} else if (me->own_prio) {
		t->nice = 0;
	} else {
		t->nice = max(t->nice, 0);
	}
}

static void copy_thread_state(struct thread *t, const struct clone_args *a)
{
	const struct thread *me = current;

	copy_registers(t, a);
	memcpy(t->name, me->name, sizeof(t->name));
	list_init(&t->proc_node);
	list_init(&t->all_node);
	list_init(&t->sig_queue);
	t->sig_blocked = me->sig_blocked;
	if (!(a->flags & CLONE_VM) || (a->flags & CLONE_VFORK)) {
		t->sas_sp = me->sas_sp;
		t->sas_size = me->sas_size;
		t->sas_flags = me->sas_flags;
	}
	if (a->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = a->child_tid;
	t->policy = me->policy;
	t->fault_policy = me->fault_policy;
	t->cpus_allowed = me->cpus_allowed;
	t->cpus_asked = me->cpus_asked;
	inherit_policy(t, me);
	t->personality = me->personality;
	t->mempolicy = me->mempolicy;
	if (!(a->flags & CLONE_VM)) {
		t->rseq = me->rseq;
		t->rseq_len = me->rseq_len;
		t->rseq_sig = me->rseq_sig;
	}
	t->start_ns = clock_mono_ns();
	thread_set_cred(t, cred_get(me->real_cred));
}

/* @t has current's credentials: it gets some of its own. */
static int new_user_ns(struct thread *t)
{
	struct cred *c = cred_dup(t->cred);
	int err = c ? cred_new_user_ns(c) : -ENOMEM;

	if (err) {
		cred_put(c);
		return err;
	}
	cred_put(t->real_cred);
	thread_set_cred(t, c);
	return 0;
}

/* @p is new, and has no number yet. */
static void enter_pid_ns(struct process *p, struct pid_ns *ns)
{
	ns_get(&ns->ns);
	ns_put(&p->pid_ns->ns);
	p->pid_ns = ns;
}

static int copy_namespaces(struct thread *t, u64 flags)
{
	int err = 0;

	if (flags & CLONE_NEWUSER)
		err = new_user_ns(t);
	if (!err && (flags & CLONE_NEWIPC) && (flags & CLONE_SYSVSEM))
		err = ns_capable(t->cred->user_ns, CAP_SYS_ADMIN) ? -EINVAL
								  : -EPERM;
	if (!err)
		err = nsproxy_clone(flags, t->cred->user_ns, &t->nsproxy);
	if (!err && !(flags & CLONE_THREAD))
		enter_pid_ns(t->proc, t->nsproxy->pid);
	if (!err && (flags & CLONE_NEWNS))
		err = fs_ctx_new_mounts(t->fs, t->cred->user_ns);
	return err;
}

/* Keyrings of one thread, or of one process, are not inherited. */
static int copy_keys(struct thread *t, u64 flags)
{
	struct cred *c;

	if (likely(!keys_of_process(t->cred)))
		return 0;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	cred_put(t->real_cred);
	thread_set_cred(t, c);
	return keys_fork(c, flags & CLONE_THREAD);
}

/* What is shared or copied by flag; on error the caller undoes. */
static int copy_resources(struct thread *t, u64 flags)
{
	struct thread *me = current;
	struct files *files;
	struct mm *mm;
	int err = copy_keys(t, flags);

	if (err)
		return err;
	files = flags & CLONE_FILES ? files_get(me->files)
				    : files_dup(me->files);
	if (IS_ERR(files))
		return (int)PTR_ERR(files);
	t->files = files;
	t->fs = flags & CLONE_FS ? fs_ctx_get(me->fs) : fs_ctx_dup(me->fs);
	if (!t->fs)
		return -ENOMEM;
	err = copy_namespaces(t, flags);
	if (err)
		return err;
	mm = flags & CLONE_VM ? mm_get(me->mm) : mm_fork(me->mm);
	if (IS_ERR(mm))
		return (int)PTR_ERR(mm);
	thread_set_mm(t, mm);
	return flags & CLONE_VM ? 0 : nsproxy_fork_time(t);
}

static struct sighand *copy_sighand(struct process *me, u64 flags)
{
	struct sighand *sh;

	if (flags & CLONE_SIGHAND)
		return sighand_get(me->sighand);
	sh = sighand_alloc();
	if (!sh)
		return NULL;
	spin_lock(&me->sighand->lock);
	memcpy(sh->action, me->sighand->action, sizeof(sh->action));
	spin_unlock(&me->sighand->lock);
	if (flags & CLONE_CLEAR_SIGHAND)
		signal_flush_handlers(sh);
	return sh;
}

static struct process *copy_process(u64 flags)
{
	struct process *me = current->proc;
	struct process *p = process_alloc();

	if (!p)
		return NULL;
	memcpy(p->rlim, me->rlim, sizeof(p->rlim));
	p->relay_policy = me->relay_policy;
	p->fault_policy = me->fault_policy;
	p->poll_cap_us = me->poll_cap_us;
	p->oom_score_adj = me->oom_score_adj;
	p->mce_kill = me->mce_kill;
	p->io_flusher = me->io_flusher;
	p->timerslack_ns = me->timerslack_ns;
	p->login_uid = load_once(&me->login_uid);
	p->login_session = load_once(&me->login_session);
	p->sighand = copy_sighand(me, flags);
	if (!p->sighand) {
		process_discard(p);
		return NULL;
	}
	return p;
}

static void child_undo(struct thread *t, struct process *p, u64 flags)
{
	perf_exit(t);
	thread_drop_mm(t);
	if (t->files)
		files_put(t->files);
	if (t->fs)
		fs_ctx_put(t->fs);
	nsproxy_put(t->nsproxy);
	cred_put(t->cred);
	thread_ext_free(t);
	thread_free(t);
	if (p && !(flags & CLONE_THREAD))
		process_discard(p);
	else if (p)
		process_put(p);
}

/* Task_lock held: number, family, group. */
static void link_process_locked(struct process *p, struct thread *t,
				const struct clone_args *a)
{
	struct process *me = current->proc;
	struct process *parent = me;

	p->pid = t->tid;
	p->ns_pid = t->ns_tid;
	p->exit_signal = (int)a->exit_signal;
	if (a->flags & CLONE_PARENT) {
		parent = me->real_parent;
		p->exit_signal = me->exit_signal;
	}
	process_set_parent_locked(p, parent);
	pgrp_join_locked(p, me->pgid, me->sid);
	p->ctty = tty_inherit(me);
	process_link_locked(p, t);
}

/* Its number; 0: a sibling has given us filters that it has not inherited. */
static int link_child(struct thread *t, const struct clone_args *a,
		      const struct clone_wish *wish)
{
	u64 stop = WORK_SIGNAL | WORK_EXIT | WORK_STOP;
	int err = 0, tid = -1, inner = 0;

	spin_lock(&task_lock);
	if (load_once(&current->work) & stop)
		err = -ERESTARTNOINTR;
	else if ((a->flags & CLONE_THREAD) && current->proc->exec_thread)
		err = -EAGAIN;
	else if ((a->flags & CLONE_FS) && !(a->flags & CLONE_THREAD) &&
		 current->proc->exec_decides)
		err = -EAGAIN; /* what it may do rests on who shares that */
	else if (!seccomp_inherited_locked(t))
		tid = 0;
	else
		err = cgroup_fork_locked(t, wish->cgroup);
	if (!err && tid < 0) {
		tid = pid_ns_alloc(t->proc->pid_ns, &wish->pid, &inner);
		if (tid < 0)
			cgroup_cancel_locked(t);
	}
	if (err || tid <= 0) {
		spin_unlock(&task_lock);
		return err ? err : tid;
	}
	t->tid = tid;
	t->ns_tid = inner;
	if (a->flags & CLONE_THREAD)
		thread_link_locked(t);
	else
		link_process_locked(t->proc, t, a);
	trace_child_link_locked(t);
	spin_unlock(&task_lock);
	return tid;
}

static void write_tids(struct thread *t, int tid, const struct clone_args *a)
{
	u32 v = (u32)t->ns_tid;

	if (a->flags & CLONE_PARENT_SETTID)
		(void)!put_user_u32((u32)tid, a->parent_tid);
	if (a->flags & CLONE_CHILD_SETTID)
		(void)mm_copy_to(t->mm, a->child_tid, &v, sizeof(v), false);
}

static void wait_for_vfork(struct vfork_wait *vw, struct thread *child)
{
	struct thread *me = current;

	spin_lock(&task_lock);
	cgroup_stopped_locked(me, true);
	spin_unlock(&task_lock);
	wait_event(&me->proc->threads_wq,
		   load_once(&vw->done) || (load_once(&me->work) & WORK_EXIT));
	spin_lock(&task_lock);
	cgroup_stopped_locked(me, false);
	if (!vw->done)
		child->vfork = NULL;
	spin_unlock(&task_lock);
}

/* The child, built and unlinked, or ERR_PTR. */
static struct thread *build_child(const struct clone_args *a, int event)
{
	struct thread *t = thread_alloc();
	int err;

	if (!t)
		return ERR_PTR(-ENOMEM);
	copy_thread_state(t, a);
	t->proc = a->flags & CLONE_THREAD ? process_get(current->proc)
					  : copy_process(a->flags);
	err = t->proc ? copy_resources(t, a->flags) : -ENOMEM;
	if (!err)
		err = trace_child_prepare(t, event, a->flags);
	if (!err)
		err = ext_inherit(t);
	if (!err)
		err = perf_fork(t, a->flags);
	if (err) {
		child_undo(t, t->proc, a->flags);
		return ERR_PTR(err);
	}
	if (!(a->flags & CLONE_THREAD))
		process_get(t->proc); /* the thread's, beside the table's */
	return t;
}

/* A descriptor of the child, which nobody sees before the child is there. */
struct new_pidfd {
	int fd; /* reserved; < 0: none */
	struct file *file;
};

static void pidfd_drop(struct new_pidfd *n)
{
	if (n->file)
		file_put(n->file);
	if (n->fd >= 0)
		fd_unreserve(n->fd);
}

static int pidfd_prepare(struct new_pidfd *n, struct thread *t,
			 const struct clone_args *a)
{
	int err = 0;

	*n = (struct new_pidfd){ .fd = -1 };
	if (!(a->flags & CLONE_PIDFD))
		return 0;
	n->fd = fd_alloc(0, true);
	if (n->fd < 0)
		return n->fd;
	n->file =
		pidfd_file(t->proc, a->flags & CLONE_THREAD ? PIDFD_THREAD : 0);
	if (!n->file)
		err = file_no_alloc();
	else if (put_user_u32((u32)n->fd, a->pidfd))
		err = -EFAULT;
	if (err)
		pidfd_drop(n);
	return err;
}

s64 task_clone(const struct clone_args *a, const struct clone_wish *wish)
{
	struct vfork_wait vw = { .parent = current };
	struct new_pidfd pidfd;
	struct thread *t;
	int err, tid, global, event = trace_clone_event(a);

	err = check_flags(a);
	/* Bandwidth is not inherited. */
	if (!err && current->sched_policy == SCHED_DEADLINE)
		err = -EAGAIN;
	if (!err)
		err = check_nproc();
	if (err)
		return err;
	t = build_child(a, event);
	if (IS_ERR(t))
		return PTR_ERR(t);
	tid = pidfd_prepare(&pidfd, t, a);
	if (a->flags & CLONE_VFORK)
		t->vfork = &vw;
	if (!tid) {
		while (!(tid = link_child(t, a, wish)) &&
		       !(tid = ext_inherit(t)))
			;
		if (tid < 0)
			pidfd_drop(&pidfd);
		else if (pidfd.file && (a->flags & CLONE_THREAD))
			pidfd_name_thread(pidfd.file, t->tid, t->start_ns);
	}
	if (tid < 0) {
		if (!(a->flags & CLONE_THREAD))
			process_put(t->proc);
		child_undo(t, t->proc, a->flags);
		return tid;
	}
	if (pidfd.file)
		fd_install(pidfd.fd, pidfd.file);
	global = tid;
	tid = pid_shown(tid);
	write_tids(t, tid, a);
	perf_tell(PERF_SIDE_FORK, t);
	if (unlikely(rlimit_cur(RLIMIT_CPU) != RLIM_INFINITY) &&
	    !(a->flags & CLONE_THREAD))
		process_cpulimit_changed(t->proc);
	if (unlikely(load_once(&t->rt_prio)) && !(a->flags & CLONE_THREAD))
		process_rtlimit_changed(t->proc);
	thread_start_user(t);
	if (unlikely(event))
		trace_event(event, (u64)global);
	if (a->flags & CLONE_VFORK) {
		wait_for_vfork(&vw, t);
		trace_event(EVENT_VFORK_DONE, (u64)global);
	}
	return tid;
}
