/* SPDX-License-Identifier: MIT */
/*
 * syscall/process.c - life of processes: clone, exit, wait, names.
 *
 * The work is done in kernel/task/; here arguments are taken apart and checked
 * as Linux checks them.
 */
#include <syscall/syscall.h>

#include <arch/riscv/mmu.h>
#include <fs/cgroupfs.h>
#include <kernel/cgroup/cgroup.h>

#include <kernel/file/file.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/relay/relay.h>
#include <kernel/task/clone.h>
#include <kernel/task/pid.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>
#include <lib/string.h>

SYSCALL0(172, getpid)
{
	return current->proc->ns_pid;
}

SYSCALL0(173, getppid)
{
	return load_once(&current->proc->ppid);
}

SYSCALL0(178, gettid)
{
	return current->ns_tid;
}

SYSCALL1(96, set_tid_address, uaddr_t, a)
{
	current->clear_child_tid = a;
	return current->ns_tid;
}

SYSCALL2(99, set_robust_list, uaddr_t, head, size_t, len)
{
	if (len != 24)
		return -EINVAL;
	current->robust_list = head;
	current->robust_list_len = len;
	return 0;
}

SYSCALL3(100, get_robust_list, int, pid, uaddr_t, head, uaddr_t, len)
{
	uaddr_t list = 0;
	int err = 0;
	struct thread *t;

	spin_lock(&task_lock);
	t = pid ? thread_find(pid_given(pid)) : current;
	if (!t)
		err = -ESRCH;
	else
		err = trace_may_access_locked(t->proc, false);
	if (!err)
		list = t->robust_list;
	spin_unlock(&task_lock);
	if (err)
		return err;
	if (put_user_u64(24, len) || put_user_u64(list, head))
		return -EFAULT;
	return 0;
}

SYSCALL5(220, clone, u64, flags, u64, stack, uaddr_t, ptid, u64, tls, uaddr_t,
	 ctid)
{
	struct clone_args a = {
		.flags = (u32)flags & ~(u64)CSIGNAL,
		.exit_signal = flags & CSIGNAL,
		.stack = stack,
		.parent_tid = ptid,
		.child_tid = ctid,
		.pidfd = ptid,
		.tls = tls,
	};

	if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(&a, &(struct clone_wish){ .pid.nr = 0 });
}

/* linux/sched.h: struct clone_args. */
struct user_clone_args {
	struct clone_args a;
	u64 set_tid, set_tid_size, cgroup;
};
STATIC_ASSERT(sizeof(struct user_clone_args) == 88, "CLONE_ARGS_SIZE_VER2");
#define CLONE_ARGS_SIZE_VER0 64

static int clone3_check(const struct user_clone_args *u)
{
	const struct clone_args *a = &u->a;

	if (a->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if (a->flags >> 34)
		return -EINVAL;
	if (a->exit_signal & ~(u64)CSIGNAL || a->exit_signal > NSIG)
		return -EINVAL;
	if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
		return -EINVAL;
	if (!a->stack != !a->stack_size || a->stack >= USER_TOP ||
	    a->stack_size > USER_TOP - a->stack)
		return -EINVAL;
	if (u->set_tid_size > PID_NS_LEVELS || !u->set_tid != !u->set_tid_size)
		return -EINVAL;
	return 0;
}

/* The innermost namespace's comes first; each needs rights in its own. */
static int read_set_tid(const struct user_clone_args *u, struct pid_wish *w)
{
	const struct pid_ns *ns =
		u->a.flags & CLONE_NEWPID ? NULL : current_nsproxy()->pid;

	w->nr = (u32)u->set_tid_size;
	if (!w->nr)
		return 0;
	if (w->nr > (ns ? ns->level : current_nsproxy()->pid->level + 1) + 1)
		return -EINVAL;
	if (copy_from_user(w->want, u->set_tid, w->nr * sizeof(w->want[0])))
		return -EFAULT;
	for (u32 i = 0; i < w->nr; i++) {
		const struct user_ns *owner =
			ns ? ns->ns.owner : current_user_ns();

		if (w->want[i] < 1 || (u64)w->want[i] >= pid_limit())
			return -EINVAL;
		if (!ns_capable(owner, CAP_SYS_ADMIN) &&
		    !ns_capable(owner, CAP_CHECKPOINT_RESTORE))
			return -EPERM;
		ns = ns ? ns->parent : current_nsproxy()->pid;
	}
	return 0;
}

static int clone_place(const struct user_clone_args *u, struct clone_wish *w)
{
	struct cgroup *cg = cgroupfs_clone_into((int)u->cgroup);

	if (IS_ERR(cg))
		return (int)PTR_ERR(cg);
	w->cgroup = cg;
	return 0;
}

/* Bytes that we do not know must be zero. */
static int check_zero_tail(uaddr_t from, size_t n)
{
	while (n--) {
		u8 b;

		if (get_user_u8(&b, from++))
			return -EFAULT;
		if (b)
			return -E2BIG;
	}
	return 0;
}

SYSCALL2(435, clone3, uaddr_t, args, size_t, size)
{
	struct clone_wish wish = { .cgroup = NULL };
	struct user_clone_args u;
	s64 err;

	memset(&u, 0, sizeof(u));
	if (size > 4096)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > sizeof(u)) {
		err = check_zero_tail(args + sizeof(u), size - sizeof(u));
		if (err)
			return err;
	}
	if (copy_from_user(&u, args, min(size, sizeof(u))))
		return -EFAULT;
	err = clone3_check(&u);
	if (!err && (u.a.flags & CLONE_INTO_CGROUP) &&
	    (u.cgroup > 0x7fffffff || size < sizeof(u)))
		err = -EINVAL;
	if (!err)
		err = read_set_tid(&u, &wish.pid);
	if (!err && (u.a.flags & CLONE_INTO_CGROUP))
		err = clone_place(&u, &wish);
	if (!err)
		err = task_clone(&u.a, &wish);
	cgroup_put(wish.cgroup);
	return err;
}

SYSCALL1(93, exit, int, code)
{
	do_thread_exit((code & 0xff) << 8);
}

SYSCALL1(94, exit_group, int, code)
{
	do_group_exit((code & 0xff) << 8);
}

static int wait_target(struct wait_req *w, int pid)
{
	if (pid == (int)0x80000000)
		return -ESRCH;
	w->id = pid_given(pid);
	if (pid > 0) {
		w->kind = WAIT_PID;
	} else if (pid == -1) {
		w->kind = WAIT_ALL;
	} else {
		w->kind = WAIT_PGID;
		w->id = pid ? pid_given(-pid) : current->proc->pgid;
	}
	return 0;
}

SYSCALL4(260, wait4, int, pid, uaddr_t, status, u32, options, uaddr_t, ru)
{
	struct wait_req w;
	int r;

	if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD |
			     __WALL | __WCLONE))
		return -EINVAL;
	r = wait_target(&w, pid);
	if (r)
		return r;
	w.options = options | WEXITED;
	r = task_wait(&w);
	if (r <= 0)
		return r;
	if (status && put_user_u32((u32)w.status, status))
		return -EFAULT;
	if (ru && copy_to_user(ru, &w.ru, sizeof(w.ru)))
		return -EFAULT;
	return r;
}

enum {
	P_ALL,
	P_PID,
	P_PGID,
	P_PIDFD
};

/* *@nonblock: the descriptor says so. */
static int waitid_target(struct wait_req *w, int which, int id, bool *nonblock)
{
	struct process *p;
	struct fdref r;

	w->id = which == P_PIDFD ? id : pid_given(id);
	switch (which) {
	case P_ALL:
		w->kind = WAIT_ALL;
		return 0;
	case P_PID:
		w->kind = WAIT_PID;
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		w->kind = WAIT_PGID;
		if (!id)
			w->id = current->proc->pgid;
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		p = pidfd_process(id);
		if (IS_ERR(p))
			return (int)PTR_ERR(p);
		w->kind = WAIT_PID;
		w->id = p->pid;
		process_put(p);
		r = fd_ref(id);
		/* no thread but the leader is anybody's child */
		if (r.f && pidfd_of(r.f) && pidfd_tid(pidfd_of(r.f)))
			w->id = pidfd_tid(pidfd_of(r.f));
		*nonblock = r.f && (load_once(&r.f->flags) & O_NONBLOCK);
		if (r.f)
			fd_unref(r);
		return 0;
	default:
		return -EINVAL;
	}
}

static void waitid_info(struct siginfo *si, const struct wait_req *w, int pid)
{
	memset(si, 0, sizeof(*si));
	if (pid <= 0)
		return;
	si->signo = SIGCHLD;
	si->code = w->code;
	si->chld.pid = pid;
	si->chld.uid = uid_shown(w->uid);
	switch (w->code) {
	case CLD_EXITED:
	case CLD_STOPPED:
		si->chld.status = (w->status >> 8) & 0xff;
		break;
	case CLD_TRAPPED: /* with the event */
		si->chld.status = w->status >> 8;
		break;
	case CLD_CONTINUED:
		si->chld.status = SIGCONT;
		break;
	default:
		si->chld.status = w->status & 0x7f;
		break;
	}
}

SYSCALL5(95, waitid, int, which, int, id, uaddr_t, info, u32, options, uaddr_t,
	 ru)
{
	u32 events = WEXITED | WSTOPPED | WCONTINUED;
	bool nonblock = false;
	struct wait_req w;
	struct siginfo si;
	int r;

	if ((options & ~(u32)(WNOHANG | WNOWAIT | __WNOTHREAD | __WALL |
			      __WCLONE | events)) ||
	    !(options & events))
		return -EINVAL;
	r = waitid_target(&w, which, id, &nonblock);
	if (r)
		return r;
	w.options = options | (nonblock ? WNOHANG : 0);
	r = task_wait(&w);
	if (!r && nonblock && !(options & WNOHANG))
		return -EAGAIN;
	if (r < 0)
		return r;
	if (r > 0 && ru && copy_to_user(ru, &w.ru, sizeof(w.ru)))
		return -EFAULT;
	if (!info)
		return 0;
	waitid_info(&si, &w, r);
	/* Linux writes the fields, not the whole structure. */
	return copy_to_user(info, &si, 16 + 12);
}
