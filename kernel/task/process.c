/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/process.c - processes as objects: found, counted, freed.
 *
 * References to a process: one of the pid table until it is reaped, one of each
 * thread until task_reap(), and those of whoever looked it up.  The leader's
 * thread object lives as long as the process, because it holds the name,
 * credentials and times that a zombie still shows; other threads are freed by
 * task_reap().
 *
 * Locking: task_lock (RANK_TASK) for links; references are atomic.
 * Context: process_put() never sleeps: what sleeps was given up at exit.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/file/file.h>
#include <kernel/init.h>
#include <kernel/hotmem.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/task/pid.h>
#include <kernel/relay/observe.h>
#include <kernel/task/trace.h>
#include <kernel/task/trap.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

struct spinlock task_lock = SPINLOCK_INIT("task", RANK_TASK);
struct process *init_process;

static struct kmem_cache *process_cache;
static struct kmem_cache *sighand_cache;
static struct list_head all_processes =
	LIST_HEAD_INIT(all_processes); /* [task_lock] by all_node */
static u32 nr_processes;	       /* [task_lock] */
static u32 nr_threads;		       /* [task_lock] */
static u32 nr_forks;		       /* [task_lock] since boot */
static int last_tid;		       /* [task_lock] */

void task_caches_init(void)
{
	sighand_cache =
		kmem_cache_create("sighand", sizeof(struct sighand), 64);
	process_cache =
		kmem_cache_create("process", sizeof(struct process), 64);
	KASSERT(sighand_cache && process_cache);
	kmem_cache_place(process_cache, PLACE_PROCESS, NR_PROCESS);
}

struct sighand *sighand_alloc(void)
{
	struct sighand *sh = kmem_cache_alloc(sighand_cache);

	if (!sh)
		return NULL;
	sh->refs = 1;
	spin_init(&sh->lock, "sighand", RANK_SIGNAL);
	waitq_init(&sh->signalfd_wq);
	return sh;
}

struct sighand *sighand_get(struct sighand *sh)
{
	atomic_inc(&sh->refs);
	return sh;
}

void sighand_put(struct sighand *sh)
{
	if (atomic_dec_and_test(&sh->refs))
		kmem_cache_free(sighand_cache, sh);
}

struct process *process_alloc(void)
{
	struct process *p = kmem_cache_zalloc(process_cache);

	if (!p)
		return NULL;
	p->refs = 1;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->threads);
	list_init(&p->all_node);
	list_init(&p->pgrp_node);
	list_init(&p->sig_queue);
	list_init(&p->tracees);
	list_init(&p->sem_undos);
	waitq_init(&p->wait_chld);
	waitq_init(&p->stop_wq);
	waitq_init(&p->threads_wq);
	p->start_ns = clock_mono_ns();
	p->timerslack_ns = 50000;
	p->login_uid = p->login_session = ~0u;
	p->pid_ns = &init_pid_ns;
	ns_get(&p->pid_ns->ns);
	return p;
}

void process_discard(struct process *p)
{
	KASSERT(p->refs == 1 && !p->leader);
	if (p->sighand)
		sighand_put(p->sighand);
	ns_put(&p->pid_ns->ns);
	kmem_cache_free(process_cache, p);
}

void process_link_locked(struct process *p, struct thread *leader)
{
	struct pid_slot *s = pid_slot(p->pid);

	assert_held(&task_lock);
	KASSERT(s && !s->proc);
	s->proc = p;
	p->leader = leader;
	list_add_tail(&p->all_node, &all_processes);
	nr_processes++;
	pid_ns_link_locked(p);
	thread_link_locked(leader);
}

void thread_link_locked(struct thread *t)
{
	assert_held(&task_lock);
	pid_slot(t->tid)->thread = t;
	list_add_tail(&t->proc_node, &t->proc->threads);
	t->proc->nr_threads++;
	atomic_inc(&t->proc->nr_live);
	nr_threads++;
	nr_forks++;
	last_tid = t->tid;
}

void thread_unlink_locked(struct thread *t)
{
	struct pid_slot *s = pid_slot(t->tid);

	assert_held(&task_lock);
	if (s->thread == t)
		s->thread = NULL;
	list_del(&t->proc_node);
	KASSERT(t->proc->nr_threads > 0);
	t->proc->nr_threads--;
	nr_threads--;
	pid_settle_locked(t->tid);
}

void process_set_parent_locked(struct process *p, struct process *parent)
{
	assert_held(&task_lock);
	list_del(&p->sibling);
	list_add_tail(&p->sibling, &parent->children);
	p->parent = parent;
	p->real_parent = parent;
	store_once(&p->ppid, (u32)pid_nr_in(p->pid_ns, parent->pid));
}

void process_unlink_locked(struct process *p)
{
	struct pid_slot *s = pid_slot(p->pid);

	assert_held(&task_lock);
	KASSERT(s->proc == p && p->zombie);
	s->proc = NULL;
	if (unlikely(load_once(&p->has_pidfd)))
		wake_up_all(&p->threads_wq);
	cgroup_release_locked(p->leader);
	trace_unlink_locked(p->leader);
	list_del(&p->sibling);
	list_del(&p->all_node);
	pgrp_leave_locked(p);
	nr_processes--;
	pid_ns_unlink_locked(p);
	pid_settle_locked(p->pgid);
	pid_settle_locked(p->sid);
	pid_settle_locked(p->pid);
}

struct process *process_find_locked(int pid)
{
	struct pid_slot *s = pid_slot(pid);

	assert_held(&task_lock);
	return s ? s->proc : NULL;
}

/* Was it waited for, so that its number is nobody's or somebody else's? */
bool process_reaped_locked(const struct process *p)
{
	return process_find_locked(p->pid) != p;
}

struct process *process_find(int pid)
{
	struct process *p;

	spin_lock(&task_lock);
	p = process_find_locked(pid);
	if (p)
		process_get(p);
	spin_unlock(&task_lock);
	return p;
}

struct process *process_get(struct process *p)
{
	atomic_inc(&p->refs);
	return p;
}

static void thread_destroy(struct thread *t)
{
	thread_ext_free(t);
	cred_put(t->real_cred);
	thread_set_cred(t, NULL);
	thread_free(t);
}

void process_put(struct process *p)
{
	if (!p || !atomic_dec_and_test(&p->refs))
		return;
	KASSERT(list_empty(&p->threads) && list_empty(&p->children));
	KASSERT(list_empty(&p->sig_queue));
	sighand_put(p->sighand);
	if (p->leader)
		thread_destroy(p->leader);
	ns_put(&p->pid_ns->ns);
	kmem_cache_free(process_cache, p);
}

/*
 * The leader's object stays with the process, unless exec has put another
 * thread in its place.
 */
void task_reap(struct thread *t)
{
	struct process *p = t->proc;
	bool free_now;

	if (!p) {
		thread_free(t);
		return;
	}
	spin_lock(&task_lock);
	t->reaped = true;
	free_now = p->leader != t;
	spin_unlock(&task_lock);
	if (free_now)
		thread_destroy(t);
	process_put(p);
}

void process_take_lead(void)
{
	struct thread *t = current, *old;
	struct process *p = t->proc;
	bool free_now;

	spin_lock(&task_lock);
	KASSERT(p->nr_threads == 1);
	old = p->leader;
	if (old == t) {
		spin_unlock(&task_lock);
		return;
	}
	cgroup_release_locked(old);
	trace_unlink_locked(old);
	pid_slot(t->tid)->thread = NULL;
	pid_settle_locked(t->tid);
	t->tid = p->pid;
	t->ns_tid = p->ns_pid;
	pid_slot(t->tid)->thread = t;
	p->leader = t;
	free_now = old->reaped;
	spin_unlock(&task_lock);
	if (free_now)
		thread_destroy(old);
}

struct thread *thread_find(int tid)
{
	struct pid_slot *s = pid_slot(tid);

	assert_held(&task_lock);
	return s ? s->thread : NULL;
}

int process_next_pid(int pid)
{
	spin_lock(&task_lock);
	pid = pid_next_process(pid);
	spin_unlock(&task_lock);
	return pid;
}

void process_for_each_locked(void (*fn)(struct process *p, void *ctx),
			     void *ctx)
{
	struct process *p;

	assert_held(&task_lock);
	list_for_each_entry(p, &all_processes, all_node)
		fn(p, ctx);
}

void process_for_each(void (*fn)(struct process *p, void *ctx), void *ctx)
{
	spin_lock(&task_lock);
	process_for_each_locked(fn, ctx);
	spin_unlock(&task_lock);
}

unsigned int process_count(void)
{
	return load_once(&nr_processes);
}

unsigned int process_forks(void)
{
	return load_once(&nr_forks);
}

int process_last_pid(void)
{
	return load_once(&last_tid);
}

unsigned int thread_count(void)
{
	return load_once(&nr_threads);
}

/* A thread that still has its resources, or NULL. */
static struct thread *live_thread_locked(struct process *p)
{
	return list_first_entry_or_null(&p->threads, struct thread, proc_node);
}

struct mm *process_mm(struct process *p)
{
	struct mm *mm = NULL;
	struct thread *t;

	spin_lock(&task_lock);
	t = live_thread_locked(p);
	if (t && t->mm)
		mm = mm_get(t->mm);
	spin_unlock(&task_lock);
	return mm;
}

struct files *process_files(struct process *p)
{
	struct files *files = NULL;
	struct thread *t;

	spin_lock(&task_lock);
	t = live_thread_locked(p);
	if (t && t->files)
		files = files_get(t->files);
	spin_unlock(&task_lock);
	return files;
}

struct fs_ctx *process_fs(struct process *p)
{
	struct fs_ctx *fs = NULL;
	struct thread *t;

	spin_lock(&task_lock);
	t = live_thread_locked(p);
	if (t && t->fs)
		fs = fs_ctx_get(t->fs);
	spin_unlock(&task_lock);
	return fs;
}

struct cred *process_cred(struct process *p)
{
	struct cred *c;

	spin_lock(&task_lock);
	c = cred_get(p->leader->real_cred);
	spin_unlock(&task_lock);
	return c;
}

void process_times(struct process *p, u64 *utime_ns, u64 *stime_ns)
{
	struct thread *t;
	u64 u, s;

	spin_lock(&task_lock);
	*utime_ns = p->utime_ns;
	*stime_ns = p->stime_ns;
	list_for_each_entry(t, &p->threads, proc_node) {
		relay_thread_times(t, &u, &s);
		*utime_ns += u;
		*stime_ns += s;
	}
	spin_unlock(&task_lock);
}

void io_count_add(struct io_count *to, const struct io_count *from)
{
	to->rchar += from->rchar;
	to->wchar += from->wchar;
	to->syscr += from->syscr;
	to->syscw += from->syscw;
	to->read_bytes += from->read_bytes;
	to->write_bytes += from->write_bytes;
}

void process_io(struct process *p, struct io_count *out)
{
	struct thread *t;

	spin_lock(&task_lock);
	*out = p->io;
	list_for_each_entry(t, &p->threads, proc_node)
		io_count_add(out, &t->io);
	spin_unlock(&task_lock);
}
