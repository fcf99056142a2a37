/* SPDX-License-Identifier: MIT */
/* kernel/task/helper.c - programs that the kernel starts; see helper.h. */
#include <kernel/task/helper.h>

#include <kernel/file/file.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/sched/wait.h>
#include <kernel/task/task.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

/* On the stack of who waits for `done', and goes on when it gets task_lock. */
struct start {
	const char *const *argv; /* [I] */
	struct file *in;	 /* the new thread's */
	bool begun;		 /* the starter's: there is a thread */
	struct waitq wq;
	int err;   /* [task_lock] of the exec */
	bool done; /* [a] set with task_lock held */
};

static void started(struct start *s, int err)
{
	spin_lock(&task_lock);
	s->err = err;
	store_once(&s->done, true);
	wake_up_all(&s->wq);
	spin_unlock(&task_lock);
}

/* The new thread, in the kernel until it has its program. */
static void helper_body(void *arg)
{
	static const char *const env[] = { "HOME=/",
					   "PATH=/sbin:/bin:/usr/sbin:/usr/bin",
					   NULL };
	struct start *s = arg;
	int err = fd_open(s->in, 0);

	if (err >= 0)
		err = kernel_execve(s->argv[0], s->argv, env);
	started(s, err);
	if (err)
		do_group_exit(0);
}

/* Init may give itself other directories: not while we look. */
static struct fs_ctx *fs_of_init(void)
{
	struct fs_ctx *fs = NULL, *copy;

	spin_lock(&task_lock);
	if (init_process->leader->fs)
		fs = fs_ctx_get(init_process->leader->fs);
	spin_unlock(&task_lock);
	if (!fs)
		return NULL;
	copy = fs_ctx_dup(fs);
	fs_ctx_put(fs);
	return copy;
}

static void undo(struct thread *t)
{
	thread_drop_mm(t);
	files_put(t->files);
	fs_ctx_put(t->fs);
	nsproxy_put(t->nsproxy);
	cred_put(t->cred);
	thread_free(t);
}

/* Its number, and its place: a session of its own. */
static int link_helper(struct thread *t, struct process *p)
{
	static const struct pid_wish any;
	int inner, tid;

	spin_lock(&task_lock);
	tid = pid_ns_alloc(p->pid_ns, &any, &inner);
	if (tid > 0) {
		t->tid = p->pid = tid;
		t->ns_tid = p->ns_pid = inner;
		process_set_parent_locked(p, init_process);
		pgrp_join_locked(p, tid, tid);
		p->session_leader = true;
		process_link_locked(p, t);
	}
	spin_unlock(&task_lock);
	return tid > 0 ? 0 : -EAGAIN;
}

/* Takes @p, if it succeeds. */
static int launch(struct process *p, struct start *s)
{
	struct fs_ctx *fs = fs_of_init();
	struct thread *t = fs ? program_thread(fs, "helper") : NULL;
	int err;

	if (!t) {
		if (fs)
			fs_ctx_put(fs);
		return -ENOMEM;
	}
	t->proc = process_get(p); /* beside the table's */
	t->kfn = helper_body;
	t->karg = s;
	err = link_helper(t, p);
	if (err) {
		undo(t);
		process_put(p);
		return err;
	}
	process_get(p); /* the caller's */
	kthread_start(t);
	wait_event(&s->wq, load_once(&s->done));
	spin_lock(&task_lock);
	err = s->err;
	spin_unlock(&task_lock);
	if (err)
		process_put(p);
	s->begun = true;
	return err;
}

struct process *helper_start(const char *const argv[], struct file *in,
			     u64 core_limit)
{
	struct start s = { .argv = argv, .in = in };
	struct process *p = program_process();
	int err = -ENOMEM;

	waitq_init(&s.wq);
	if (p) {
		p->rlim[RLIMIT_CORE] = (struct rlimit64){ .cur = core_limit,
							  .max = core_limit };
		p->unwaited = true;
		err = launch(p, &s);
	}
	if (!s.begun) {
		if (p)
			process_discard(p);
		file_put(in);
	}
	return err ? ERR_PTR(err) : p;
}

void helper_wait(struct process *p)
{
	wait_event(&p->threads_wq,
		   load_once(&p->zombie) ||
			   (load_once(&current->work) & WORK_EXIT));
}
