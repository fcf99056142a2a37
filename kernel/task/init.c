/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/init.c - the first process, made from nothing.
 */
#include <kernel/task/task.h>

#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/ns.h>
#include <kernel/task/pid.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/string.h>

/* sstatus of user code: 64 bits wide, floating point on. */
/* FS off: kernel/relay/user.c */
#define USER_STATUS (2ULL << 32 | SSTATUS_SPIE)

static void set_limit(struct process *p, unsigned int r, u64 cur, u64 max)
{
	p->rlim[r] = (struct rlimit64){ cur, max };
}

/* Linux's defaults; two of them grow with the memory. */
void rlimits_init(struct process *p)
{
	struct pmem_info mi;
	u64 nproc;

	pmem_info(&mi);
	/* A kernel stack and the objects of a thread: an eighth of the memory. */
	nproc = mi.total * PAGE_SIZE / 8 / (KSTACK_SIZE + 4096);
	nproc = nproc > PID_MAX ? PID_MAX / 2 : nproc / 2;
	for (unsigned int r = 0; r < NR_RLIMITS; r++)
		set_limit(p, r, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(p, RLIMIT_STACK, 8u << 20, RLIM_INFINITY);
	set_limit(p, RLIMIT_CORE, 0, RLIM_INFINITY);
	set_limit(p, RLIMIT_NPROC, nproc, nproc);
	set_limit(p, RLIMIT_NOFILE, 1024, 4096);
	set_limit(p, RLIMIT_MEMLOCK, 8u << 20, 8u << 20);
	set_limit(p, RLIMIT_SIGPENDING, nproc, nproc);
	set_limit(p, RLIMIT_MSGQUEUE, 819200, 819200);
	set_limit(p, RLIMIT_NICE, 0, 0);
	set_limit(p, RLIMIT_RTPRIO, 0, 0);
}

struct process *program_process(void)
{
	struct process *p = process_alloc();

	if (!p)
		return NULL;
	p->sighand = sighand_alloc();
	if (!p->sighand) {
		process_discard(p);
		return NULL;
	}
	memset(p->sighand->action, 0, sizeof(p->sighand->action));
	rlimits_init(p);
	p->exit_signal = SIGCHLD;
	return p;
}

struct thread *program_thread(struct fs_ctx *fs, const char *name)
{
	struct thread *t = thread_alloc();
	struct files *files = files_new();
	struct mm *mm = mm_new();

	if (!t || !files || !mm) {
		if (t)
			thread_free(t);
		if (files)
			files_put(files);
		if (mm)
			mm_put(mm);
		return NULL;
	}
	t->files = files;
	t->fs = fs;
	list_init(&t->proc_node);
	list_init(&t->all_node);
	list_init(&t->sig_queue);
	thread_set_mm(t, mm);
	thread_set_cred(t, cred_get(&init_cred));
	t->nsproxy = nsproxy_get(&init_nsproxy);
	t->syscall_nr = -1;
	t->tf.status = USER_STATUS;
	t->cpus_allowed = app_mask();
	t->start_ns = clock_mono_ns();
	(void)strscpy(t->name, name, sizeof(t->name));
	return t;
}

static void init_body(void *arg)
{
	void (**fn)(void) = arg;

	(*fn)();
}

static void init_link(struct thread *t, struct process *p)
{
	spin_lock(&task_lock);
	t->tid = t->ns_tid = pid_alloc();
	KASSERT(t->tid == 1);
	p->pid = p->ns_pid = t->tid;
	process_link_locked(p, t);
	pgrp_join_locked(p, p->pid, p->pid);
	p->session_leader = true;
	init_process = p;
	spin_unlock(&task_lock);
}

struct thread *init_thread_create(void (*fn)(void))
{
	static void (*body)(void);
	struct fs_ctx *fs;
	struct thread *t;
	struct process *p;

	task_caches_init();
	fs = fs_ctx_new_root();
	p = program_process();
	t = fs ? program_thread(fs, "init") : NULL;
	if (!t || !p)
		return NULL; /* boot ends; nothing to give back */
	t->proc = process_get(p);
	body = fn;
	t->kfn = init_body;
	t->karg = &body;
	init_link(t, p);
	return t;
}
