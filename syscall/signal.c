/* SPDX-License-Identifier: MIT */
/* syscall/signal.c - signals: sending, actions, masks, waiting. */
#include <syscall/syscall.h>
#include <syscall/timeout.h>

#include <fs/procfd.h>
#include <kernel/file/file.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define SIGSET_SIZE 8
enum {
	SIG_BLOCK,
	SIG_UNBLOCK,
	SIG_SETMASK
};

SYSCALL2(129, kill, int, pid, int, sig)
{
	struct siginfo si;

	siginfo_user(&si, sig, SI_USER);
	return task_kill(pid, sig, &si);
}

SYSCALL2(130, tkill, int, tid, int, sig)
{
	struct siginfo si;

	siginfo_user(&si, sig, SI_TKILL);
	return task_tkill(0, tid, sig, &si);
}

SYSCALL3(131, tgkill, int, tgid, int, tid, int, sig)
{
	struct siginfo si;

	if (tgid <= 0)
		return -EINVAL;
	siginfo_user(&si, sig, SI_TKILL);
	return task_tkill(tgid, tid, sig, &si);
}

/* Nobody may pretend to be the kernel or kill(2) towards others. */
static int queued_info(struct siginfo *si, uaddr_t from, int sig, bool to_self)
{
	if (copy_from_user(si, from, sizeof(*si)))
		return -EFAULT;
	si->signo = sig;
	if ((si->code >= 0 || si->code == SI_TKILL) && !to_self)
		return -EPERM;
	if (siginfo_has_sender(si) && si->rt.pid > 0)
		si->rt.pid = pid_given(si->rt.pid) % PID_NOBODY;
	if (siginfo_has_sender(si) && !in_first_user_ns()) {
		si->rt.uid = uid_given(si->rt.uid);
		if (si->rt.uid == INVALID_ID)
			si->rt.uid = OVERFLOW_ID;
	}
	return 0;
}

SYSCALL3(138, rt_sigqueueinfo, int, pid, int, sig, uaddr_t, info)
{
	struct siginfo si;
	int err = queued_info(&si, info, sig, pid == current->proc->ns_pid);

	if (err)
		return err;
	return pid > 0 ? task_kill(pid, sig, &si) : -ESRCH;
}

SYSCALL4(240, rt_tgsigqueueinfo, int, tgid, int, tid, int, sig, uaddr_t, info)
{
	struct siginfo si;
	int err = queued_info(&si, info, sig, tid == current->ns_tid);

	if (err == -EFAULT)
		return err;
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	if (err)
		return err;
	return task_tkill(tgid, tid, sig, &si);
}

SYSCALL4(134, rt_sigaction, int, sig, uaddr_t, uact, uaddr_t, uold, size_t,
	 size)
{
	struct ksigaction act, old;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (uact && copy_from_user(&act, uact, sizeof(act)))
		return -EFAULT;
	err = signal_action(sig, uact ? &act : NULL, &old);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return err;
}

SYSCALL4(135, rt_sigprocmask, int, how, uaddr_t, uset, uaddr_t, uold, size_t,
	 size)
{
	u64 old = current->sig_blocked, set;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (uset) {
		if (get_user_u64(&set, uset))
			return -EFAULT;
		if (how == SIG_BLOCK)
			set |= old;
		else if (how == SIG_UNBLOCK)
			set = old & ~set;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		signal_set_blocked(set);
	}
	if (uold && put_user_u64(old, uold))
		return -EFAULT;
	return 0;
}

SYSCALL2(136, rt_sigpending, uaddr_t, uset, size_t, size)
{
	u64 set = signal_pending_set() & current->sig_blocked;

	if (size > SIGSET_SIZE)
		return -EINVAL;
	return copy_to_user(uset, &set, size);
}

SYSCALL4(137, rt_sigtimedwait, uaddr_t, uset, uaddr_t, info, uaddr_t, uts,
	 size_t, size)
{
	u64 deadline = WAIT_FOREVER, set;
	struct siginfo si;
	int sig;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (get_user_u64(&set, uset))
		return -EFAULT;
	if (uts) {
		u64 ns;
		int err = timespec_read(uts, &ns);

		if (err)
			return err;
		deadline = clock_mono_ns() + ns;
		if (deadline < ns)
			deadline = WAIT_FOREVER;
	}
	sig = signal_timedwait(set, &si, deadline);
	if (sig > 0 && info && copy_to_user(info, &si, sizeof(si)))
		return -EFAULT;
	return sig;
}

SYSCALL2(133, rt_sigsuspend, uaddr_t, uset, size_t, size)
{
	u64 set;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (get_user_u64(&set, uset))
		return -EFAULT;
	signal_set_saved_mask(set);
	while (!signal_pending_current()) {
		if (sleep_until_ns(WAIT_FOREVER, true))
			break;
	}
	return -ERESTARTNOHAND;
}

SYSCALL2(132, sigaltstack, uaddr_t, unew, uaddr_t, uold)
{
	struct user_stack_t new, old;
	int err;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	err = signal_altstack(unew ? &new : NULL, &old, current->tf.sp);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return err;
}

SYSCALL0(139, rt_sigreturn)
{
	return sigframe_return(current);
}

SYSCALL0(128, restart_syscall)
{
	struct thread *t = current;

	return t->restart.fn ? t->restart.fn(t) : -EINTR;
}

/* A descriptor of /proc/<pid> will do, too. */
static struct process *pidfd_or_dir(int fd)
{
	struct process *p = pidfd_process(fd), *q;
	struct file *f;

	if (!IS_ERR(p))
		return p;
	f = fd_get(fd);
	if (!f)
		return p;
	q = proc_dir_process(f);
	file_put(f);
	return q;
}

/* queued_info() puts the right number into its copy. */
static int user_signo(uaddr_t info)
{
	u32 signo;

	return get_user_u32(&signo, info) ? -1 : (int)signo;
}

#define PIDFD_SIGNAL_THREAD	   BIT(0)
#define PIDFD_SIGNAL_THREAD_GROUP  BIT(1)
#define PIDFD_SIGNAL_PROCESS_GROUP BIT(2)

/* What pidfd_send_signal() is for: without flags what @fd was opened for. */
static u32 signal_scope(int fd, u32 flags)
{
	struct fdref r = fd_ref(fd);
	struct pidfd *pf = r.f ? pidfd_of(r.f) : NULL;

	if (!flags)
		flags = pf && pidfd_tid(pf) ? PIDFD_SIGNAL_THREAD
					    : PIDFD_SIGNAL_THREAD_GROUP;
	if (r.f)
		fd_unref(r);
	return flags;
}

/* The thread that @fd names; of a process its leader.  task_lock held. */
static struct thread *named_thread_locked(int fd, struct process *p)
{
	struct fdref r = fd_ref(fd);
	struct pidfd *pf = r.f ? pidfd_of(r.f) : NULL;
	struct thread *t = pf && pidfd_tid(pf) ? pidfd_thread_locked(pf)
					       : thread_find(p->pid);

	if (r.f)
		fd_unref(r);
	return t;
}

static int send_locked(int fd, struct process *p, int sig,
		       const struct siginfo *si, u32 scope)
{
	struct thread *t = NULL;
	int err;

	if (process_reaped_locked(p))
		return -ESRCH;
	if (scope == PIDFD_SIGNAL_THREAD) {
		t = named_thread_locked(fd, p);
		if (!t)
			return p->zombie ? 0 : -ESRCH;
	}
	err = signal_permission_locked(p, sig);
	if (err || !sig)
		return err;
	if (t)
		return signal_thread_locked(t, sig, si);
	return signal_process_locked(p, sig, si);
}

SYSCALL4(424, pidfd_send_signal, int, fd, int, sig, uaddr_t, info, u32, flags)
{
	struct process *p;
	struct siginfo si;
	u32 scope;
	int err = 0;

	if (flags > PIDFD_SIGNAL_PROCESS_GROUP || (flags & (flags - 1)))
		return -EINVAL;
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	p = pidfd_or_dir(fd);
	if (IS_ERR(p))
		return PTR_ERR(p);
	scope = signal_scope(fd, flags);
	siginfo_user(&si, sig,
		     scope == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
	if (info)
		err = queued_info(&si, info, sig, p == current->proc);
	if (!err && info && user_signo(info) != sig)
		err = -EINVAL;
	if (!err && scope == PIDFD_SIGNAL_PROCESS_GROUP) {
		err = task_kill_pgrp(p->pid, sig, &si);
	} else if (!err) {
		spin_lock(&task_lock);
		err = send_locked(fd, p, sig, &si, scope);
		spin_unlock(&task_lock);
	}
	process_put(p);
	return err;
}
