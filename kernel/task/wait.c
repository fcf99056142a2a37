/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/wait.c - waiting for children, and what they used.
 *
 * A child is reported once for each of: its death (which takes it off the table),
 * its stop, its continuation.  Children belong to the process: __WNOTHREAD makes
 * no difference.  So do tracees, which are threads: each is reported for each of
 * its stops, whatever the options, and for its end; a traced child of its own
 * tracer is reported for its death as a child.
 *
 * Locking: task_lock.  Context: coroutine, may suspend.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/mm/page.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/relay/observe.h>
#include <kernel/task/trace.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

static void set_time(s64 *sec, s64 *usec, u64 ns)
{
	*sec = (s64)(ns / NSEC_PER_SEC);
	*usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

#define DISK_BLOCK 512

static void set_blocks(struct rusage *ru, const struct io_count *io)
{
	ru->inblock += (s64)(io->read_bytes / DISK_BLOCK);
	ru->oublock += (s64)(io->write_bytes / DISK_BLOCK);
}

static void add_own(const struct process *p, struct rusage *ru, u64 *ut,
		    u64 *st)
{
	struct thread *t;
	u64 rss = p->maxrss_pages;

	*ut += p->utime_ns;
	*st += p->stime_ns;
	ru->minflt += (s64)p->minflt;
	ru->majflt += (s64)p->majflt;
	ru->nvcsw += (s64)p->nvcsw;
	ru->nivcsw += (s64)p->nivcsw;
	set_blocks(ru, &p->io);
	list_for_each_entry(t, &p->threads, proc_node) {
		u64 u, s;

		relay_thread_times(t, &u, &s);
		*ut += u;
		*st += s;
		ru->minflt += (s64)t->minflt;
		ru->majflt += (s64)t->majflt;
		ru->nvcsw += (s64)t->nr_vcsw;
		ru->nivcsw += (s64)t->nr_ivcsw;
		set_blocks(ru, &t->io);
		if (t->mm)
			rss = max(rss, mm_rss_peak(t->mm));
	}
	ru->maxrss = max(ru->maxrss, (s64)(rss * (PAGE_SIZE / 1024)));
}

static void add_children(const struct process *p, struct rusage *ru, u64 *ut,
			 u64 *st)
{
	s64 rss = (s64)(p->cmaxrss_pages * (PAGE_SIZE / 1024));

	*ut += p->cutime_ns;
	*st += p->cstime_ns;
	ru->minflt += (s64)p->cminflt;
	ru->majflt += (s64)p->cmajflt;
	ru->nvcsw += (s64)p->cnvcsw;
	ru->nivcsw += (s64)p->cnivcsw;
	set_blocks(ru, &p->cio);
	ru->maxrss = max(ru->maxrss, rss);
}

void rusage_of_locked(struct process *p, u32 whose, struct rusage *ru)
{
	u64 ut = 0, st = 0;

	assert_held(&task_lock);
	memset(ru, 0, sizeof(*ru));
	if (whose & RUSAGE_OF_ITSELF)
		add_own(p, ru, &ut, &st);
	if (whose & RUSAGE_OF_CHILDREN)
		add_children(p, ru, &ut, &st);
	set_time(&ru->utime.sec, &ru->utime.usec, ut);
	set_time(&ru->stime.sec, &ru->stime.usec, st);
}

/* What a reaped child and its own children used goes to the parent. */
static void inherit_usage_locked(struct process *p, const struct process *c)
{
	u64 rss = max(c->maxrss_pages, c->cmaxrss_pages);

	p->cutime_ns += c->utime_ns + c->cutime_ns;
	p->cstime_ns += c->stime_ns + c->cstime_ns;
	p->cminflt += c->minflt + c->cminflt;
	p->cmajflt += c->majflt + c->cmajflt;
	p->cnvcsw += c->nvcsw + c->cnvcsw;
	p->cnivcsw += c->nivcsw + c->cnivcsw;
	io_count_add(&p->cio, &c->io);
	io_count_add(&p->cio, &c->cio);
	p->cmaxrss_pages = max(p->cmaxrss_pages, rss);
}

static bool is_whom(int pid, int pgid, const struct wait_req *w)
{
	return (w->kind != WAIT_PID || pid == w->id) &&
	       (w->kind != WAIT_PGID || pgid == w->id);
}

static bool eligible(const struct process *c, const struct wait_req *w)
{
	bool clone_child = c->exit_signal != SIGCHLD;

	if (!is_whom(c->pid, c->pgid, w))
		return false;
	return (w->options & __WALL) ||
	       clone_child == !!(w->options & __WCLONE);
}

static int report(struct process *c, struct wait_req *w, int status, int code)
{
	w->status = status;
	w->code = code;
	w->uid = c->leader->real_cred->uid;
	rusage_of_locked(c, RUSAGE_OF_ITSELF | RUSAGE_OF_CHILDREN, &w->ru);
	return pid_shown(c->pid); /* it may have none when it is reaped */
}

/* Does @c have something to say?  Its pid, or 0. */
static int look_at_locked(struct process *c, struct wait_req *w,
			  struct process **reaped)
{
	bool keep = w->options & WNOWAIT;
	bool traced = thread_traced(c->leader);
	int pid;

	if (traced && trace_reparented_locked(c) && c->zombie)
		return 0;
	if (c->zombie) {
		if (!(w->options & WEXITED))
			return 0;
		pid = report(c, w, c->exit_code, cld_code(c->exit_code));
		if (!keep) {
			inherit_usage_locked(current->proc, c);
			process_unlink_locked(c);
			*reaped = c;
		}
		return pid;
	}
	if (traced && !trace_reparented_locked(c))
		return 0;
	if (c->stopped && !c->stop_reported && (w->options & WSTOPPED)) {
		c->stop_reported = !keep;
		return report(c, w, c->stop_sig << 8 | 0x7f, CLD_STOPPED);
	}
	if (c->continued && (w->options & WCONTINUED)) {
		c->continued = keep;
		return report(c, w, 0xffff, CLD_CONTINUED);
	}
	return 0;
}

/* A tracee that has ended, not as the last of its process. */
static int look_at_ghost_locked(struct tracee *tr, struct wait_req *w)
{
	int tid = tr->shown_tid;

	if (!(w->options & WEXITED))
		return 0;
	memset(&w->ru, 0, sizeof(w->ru));
	w->status = tr->status;
	w->code = cld_code(tr->status);
	w->uid = tr->uid;
	if (!(w->options & WNOWAIT))
		trace_ghost_free_locked(tr);
	return tid;
}

static int look_at_tracee_locked(struct tracee *tr, struct wait_req *w,
				 struct process **reaped)
{
	bool keep = w->options & WNOWAIT;
	struct process *p = tr->thread->proc;
	int pid;

	if (p->zombie) {
		if (!(w->options & WEXITED) || p->real_parent == current->proc)
			return 0;
		pid = report(p, w, p->exit_code, cld_code(p->exit_code));
		if (!keep && trace_zombie_release_locked(p))
			*reaped = p;
		return pid;
	}
	if (!tr->stopped || tr->reported || tr->listening)
		return 0;
	tr->reported = !keep;
	(void)report(p, w, tr->code << 8 | 0x7f, CLD_TRAPPED);
	return pid_shown(tr->thread->tid);
}

/* A tid, -ECHILD or 0: not yet. */
static int scan_tracees_locked(struct wait_req *w, struct process **reaped)
{
	struct tracee *tr, *tmp;
	int r = -ECHILD;

	list_for_each_entry_safe(tr, tmp, &current->proc->tracees, node) {
		struct thread *t = tr->thread;

		if (!is_whom(t ? t->tid : tr->tid, t ? t->proc->pgid : -1, w))
			continue;
		r = t ? look_at_tracee_locked(tr, w, reaped)
		      : look_at_ghost_locked(tr, w);
		if (r)
			break;
	}
	return r;
}

/* A pid, -ECHILD (nobody to wait for) or 0: not yet. */
static int scan(struct wait_req *w, struct process **reaped)
{
	struct process *me = current->proc, *c;
	int r = -ECHILD, tr = -ECHILD;

	spin_lock(&task_lock);
	/* First: a thread that was traced is heard of before its process is. */
	if (unlikely(!list_empty(&me->tracees)))
		tr = scan_tracees_locked(w, reaped);
	list_for_each_entry(c, &me->children, sibling) {
		if (tr > 0)
			break;
		if (!eligible(c, w))
			continue;
		r = look_at_locked(c, w, reaped);
		if (r)
			break;
	}
	spin_unlock(&task_lock);
	return max(r, tr);
}

int task_wait(struct wait_req *w)
{
	struct process *me = current->proc, *reaped = NULL;
	struct waiter wt;
	int r = scan(w, &reaped), err = 0;

	if (!r && !(w->options & WNOHANG)) {
		waiter_init(&wt);
		for (;;) {
			wait_prepare(&me->wait_chld, &wt, true);
			/* the child whose signal it is, or that was the last,
			 * is told of first */
			r = scan(w, &reaped);
			if (r || err)
				break;
			err = wait_suspend(WAIT_FOREVER);
		}
		r = r ? r : err;
		wait_finish(&me->wait_chld, &wt);
	}
	process_put(reaped);
	return r;
}
