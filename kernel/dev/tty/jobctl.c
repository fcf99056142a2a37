/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/jobctl.c - sessions and their terminal: who may use it now,
 * who gets its signals, and what happens when either side goes.
 *
 * INVARIANTS
 *   I1  t->sid != 0 and p->sid == t->sid hold for every process p with
 *       p->ctty == t, whenever task_lock is free.
 *   I2  t->pgid is 0 when t->sid is.
 *
 * Locking: task_lock (RANK_TASK) guards every p->ctty and is outside of
 * t->lock, which guards t->sid and t->pgid; both are held to change the
 * association.
 * Signals are sent with neither.
 */
#include <kernel/dev/tty/tty_int.h>

#include <kernel/assert.h>
#include <kernel/dev/tty/ioctls.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/atomic.h>
#include <lib/errno.h>

/*
 * May current use @t now?  A background process of its session gets @sig
 * (SIGTTIN, SIGTTOU) instead: -ERESTARTSYS, or -EIO where the signal would do
 * nothing useful.
 */
int tty_check_change(struct tty *t, int sig)
{
	struct process *p = current_process();
	int pgid, fg;

	/* relaxed: our own process; a change by a sibling thread is a race of
	 * the program's */
	if (!p || load_once(&p->ctty) != t)
		return 0;
	pgid = load_once(&p->pgid);
	fg = load_once(&t->pgid);
	if (fg == 0 || fg == pgid)
		return 0;
	if (signal_blocked_or_ignored(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (pgrp_is_orphaned(pgid))
		return -EIO;
	(void)signal_pgrp(pgid, sig, SEND_KERNEL);
	return -ERESTARTSYS;
}

struct tty *tty_current(void)
{
	struct process *p = current_process();
	struct tty *t = NULL;

	if (!p)
		return NULL;
	spin_lock(&task_lock);
	if (p->ctty)
		t = tty_get(p->ctty);
	spin_unlock(&task_lock);
	return t;
}

struct tty *tty_inherit(struct process *parent)
{
	assert_held(&task_lock);
	return parent->ctty ? tty_get(parent->ctty) : NULL;
}

void tty_forget(struct process *p)
{
	struct tty *t = p->ctty;

	assert_held(&task_lock);
	p->ctty = NULL;
	tty_put(t);
}

/* --- getting a terminal */

static void acquire_locked(struct tty *t, struct process *p)
{
	assert_held(&task_lock);
	assert_held(&t->lock);
	t->sid = p->sid;
	t->pgid = p->pgid;
	p->ctty = tty_get(t);
}

void tty_maybe_acquire(struct tty *t)
{
	struct process *p = current_process();

	if (!p)
		return;
	spin_lock(&task_lock);
	tty_lock(t);
	if (p->session_leader && !p->ctty && t->sid == 0 && !t->gone)
		acquire_locked(t, p);
	spin_unlock(&t->lock);
	spin_unlock(&task_lock);
}

struct forget_ctx {
	struct tty *t;
	struct process *leader; /* out: reference or NULL */
};

static void forget_if_ctty(struct process *p, void *arg)
{
	struct forget_ctx *ctx = arg;

	if (p->ctty != ctx->t)
		return;
	if (p->session_leader && !ctx->leader)
		ctx->leader = process_get(p);
	tty_forget(p);
}

/*
 * Nobody has @t as controlling terminal any more.  Its old foreground group in
 * *@pgid; the session's leader with a reference, or NULL.
 */
static struct process *clear_session(struct tty *t, int *pgid)
{
	struct forget_ctx ctx = { .t = t };

	process_for_each(forget_if_ctty, &ctx);
	tty_lock(t);
	*pgid = t->pgid;
	t->sid = 0;
	t->pgid = 0;
	tty_unlock(t);
	return ctx.leader;
}

void tty_release_session(struct tty *t)
{
	struct process *leader;
	int pgid;

	if (load_once(&t->sid) == 0)
		return;
	leader = clear_session(t, &pgid);
	if (leader)
		process_put(leader);
}

/* TIOCSCTTY.  @arg 1: the administrator takes it from another session. */
static s64 set_ctty(struct tty *t, struct file *f, u64 arg)
{
	struct process *p = current_process();
	int err = 0;

	if (load_once(&t->sid) != 0 && load_once(&t->sid) != p->sid &&
	    arg == 1 && capable(CAP_SYS_ADMIN) && p->session_leader &&
	    !load_once(&p->ctty))
		tty_release_session(t);
	spin_lock(&task_lock);
	tty_lock(t);
	if (p->session_leader && p->ctty == t)
		err = 0;
	else if (!p->session_leader || p->ctty || t->sid != 0)
		err = -EPERM;
	else if (!f->can_read && !capable(CAP_SYS_ADMIN))
		err = -EPERM;
	else if (t->gone)
		err = -EIO;
	else
		acquire_locked(t, p);
	spin_unlock(&t->lock);
	spin_unlock(&task_lock);
	return err;
}

/* --- losing it */

static void hang_up_pgrp(int pgid)
{
	if (pgid <= 0)
		return;
	(void)signal_pgrp(pgid, SIGHUP, SEND_KERNEL);
	(void)signal_pgrp(pgid, SIGCONT, SEND_KERNEL);
}

static void mark_files_hung(struct tty *t)
{
	struct tty_file *tf;

	tty_lock(t);
	list_for_each_entry(tf, &t->files, node) {
		/* /dev/console outlives sessions: init talks through it. */
		if (!tf->console)
			store_once(&tf->hung, true);
	}
	ldisc_flush_input(&t->ld);
	ldisc_flush_output(&t->ld);
	ldisc_start(&t->ld, true);
	t->ld.events |= LD_READ;
	tty_unlock(t);
	/* Poll and claim()ing callers, whatever they wait for. */
	wake_up_all_key(&t->read_wq, POLLHUP | POLLIN | POLLERR);
	wake_up_all_key(&t->write_wq, POLLHUP | POLLOUT | POLLERR);
}

/* @with_pgrp: the foreground group gets SIGHUP too (the leader exits). */
static void hang_up(struct tty *t, bool with_pgrp)
{
	struct process *leader;
	int pgid;

	mark_files_hung(t);
	leader = clear_session(t, &pgid);
	if (leader) {
		/* For its exit: whom to tell then. */
		store_once(&leader->tty_old_pgid, pgid);
		(void)signal_process(leader, SIGHUP, SEND_KERNEL);
		(void)signal_process(leader, SIGCONT, SEND_KERNEL);
		process_put(leader);
	}
	if (with_pgrp && pgid > 0)
		(void)signal_pgrp(pgid, SIGHUP, SEND_KERNEL);
}

void tty_hangup(struct tty *t)
{
	hang_up(t, false);
}

void tty_vhangup_current(void)
{
	struct tty *t = tty_current();

	if (!t)
		return;
	hang_up(t, false);
	tty_put(t);
}

/* A session leader gives its terminal up, or exits with one. */
static void leader_leaves(struct process *p, bool exits)
{
	struct tty *t = tty_current();
	struct process *leader;
	int pgid;

	if (!t) {
		pgid = p->tty_old_pgid;
		p->tty_old_pgid = 0;
		if (exits)
			hang_up_pgrp(pgid);
		return;
	}
	if (exits && !t->is_pty) {
		hang_up(t, true);
	} else {
		leader = clear_session(t, &pgid);
		if (pgid > 0)
			(void)signal_pgrp(pgid, SIGHUP, SEND_KERNEL);
		if (pgid > 0 && !exits)
			(void)signal_pgrp(pgid, SIGCONT, SEND_KERNEL);
		if (leader)
			process_put(leader);
	}
	tty_put(t);
}

void tty_process_exit(struct process *p)
{
	if (p->session_leader)
		leader_leaves(p, true);
	spin_lock(&task_lock);
	tty_forget(p);
	spin_unlock(&task_lock);
}

/* TIOCNOTTY */
static s64 give_up(struct tty *t)
{
	struct process *p = current_process();

	if (load_once(&p->ctty) != t)
		return -ENOTTY;
	if (p->session_leader)
		leader_leaves(p, false);
	spin_lock(&task_lock);
	tty_forget(p);
	spin_unlock(&task_lock);
	return 0;
}

/* --- the foreground group */

/* A master asks about the session of its slave; others about their own. */
static bool is_ours(struct tty *t, bool master)
{
	return master || load_once(&current_process()->ctty) == t;
}

static s64 get_pgid(struct tty *t, uaddr_t arg, bool master)
{
	if (!is_ours(t, master))
		return -ENOTTY;
	return put_user_u32((u32)pid_shown(load_once(&t->pgid)), arg);
}

static s64 get_sid(struct tty *t, uaddr_t arg, bool master)
{
	int sid = load_once(&t->sid);

	if (!is_ours(t, master) || sid == 0)
		return -ENOTTY;
	return put_user_u32((u32)pid_shown(sid), arg);
}

static s64 set_pgid(struct tty *t, uaddr_t arg)
{
	struct process *p = current_process();
	u32 v;
	int pgid, err;

	err = tty_check_change(t, SIGTTOU);
	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (get_user_u32(&v, arg))
		return -EFAULT;
	if ((int)v < 0)
		return -EINVAL;
	if (load_once(&p->ctty) != t || load_once(&t->sid) != p->sid)
		return -ENOTTY;
	pgid = pid_given((int)v);
	if (!pgrp_exists_in_session(pgid, p->sid))
		return signal_pgrp(pgid, 0, SEND_KERNEL) ? -ESRCH : -EPERM;
	tty_lock(t);
	if (t->sid == p->sid)
		t->pgid = pgid;
	else
		err = -ENOTTY;
	tty_unlock(t);
	return err;
}

s64 tty_job_ioctl(struct tty *t, struct file *f, unsigned int cmd, u64 arg,
		  bool master)
{
	switch (cmd) {
	case TIOCSCTTY:
		return set_ctty(t, f, arg); /* a master: its slave */
	case TIOCNOTTY:
		return master ? -ENOTTY : give_up(t);
	case TIOCGPGRP:
		return get_pgid(t, arg, master);
	case TIOCSPGRP:
		return set_pgid(t, arg);
	case TIOCGSID:
		return get_sid(t, arg, master);
	default:
		return -ENOIOCTLCMD;
	}
}

int tty_foreground(const struct tty *t)
{
	int pgid = load_once(&t->pgid);

	assert_held(&task_lock);
	return pgid;
}
