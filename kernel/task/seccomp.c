/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/seccomp.c - filters of system calls; see seccomp.h.
 *
 * Context: coroutine of the thread that is filtered.
 */
#include <kernel/task/seccomp.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>
#include <lib/string.h>

#define AUDIT_ARCH_RISCV64 0xc00000f3u
#define SYS_SECCOMP	   1
#define ECALL_LEN	   4
#define LISTS_MAX	   32768u /* instructions in all of a thread's filters */

/* --- lists */

struct seccomp_filter *seccomp_filter_new(u32 len)
{
	struct seccomp_filter *f =
		kmalloc(sizeof(*f) + len * sizeof(f->insns[0]));

	if (!f)
		return NULL;
	f->refs = f->users = 1;
	f->len = len;
	f->prev = NULL;
	f->listener = NULL;
	f->log = false;
	return f;
}

struct seccomp_filter *seccomp_filter_get(struct seccomp_filter *f)
{
	atomic_inc(&f->refs);
	return f;
}

/* One user more. */
static struct seccomp_filter *use(struct seccomp_filter *f)
{
	if (!f)
		return NULL;
	atomic_inc(&f->users);
	return seccomp_filter_get(f);
}

void seccomp_filter_put(struct seccomp_filter *f)
{
	while (f && atomic_dec_and_test(&f->refs)) {
		struct seccomp_filter *prev = f->prev;

		seccomp_listener_free(f->listener);
		kfree(f);
		f = prev;
	}
}

void seccomp_filter_unuse(struct seccomp_filter *f)
{
	struct seccomp_filter *u = f;

	for (; u && atomic_dec_and_test(&u->users); u = u->prev) {
		if (u->listener)
			seccomp_listener_unused(u->listener);
	}
	seccomp_filter_put(f);
}

static bool is_ancestor(const struct seccomp_filter *a,
			const struct seccomp_filter *f)
{
	for (; f; f = f->prev) {
		if (f == a)
			return true;
	}
	return !a;
}

/* --- becoming filtered */

int seccomp_strict(void)
{
	struct thread_ext *x = thread_ext_make();

	if (!x)
		return -ENOMEM;
	if (x->seccomp_mode == SECCOMP_FILTER)
		return -EINVAL;
	x->seccomp_mode = SECCOMP_STRICT;
	return 0;
}

/* A thread of current's process that cannot have current's filters: its tid. */
static int cannot_follow_locked(const struct seccomp_filter *mine)
{
	struct thread *t;

	list_for_each_entry(t, &current->proc->threads, proc_node) {
		const struct thread_ext *x = t->ext;

		if (t == current || !x || !x->seccomp_mode)
			continue;
		if (x->seccomp_mode == SECCOMP_STRICT ||
		    !is_ancestor(x->filter, mine))
			return pid_shown(t->tid);
	}
	return 0;
}

/* Every other thread gets @f; those without an extension take one of @spare. */
static void spread_locked(struct seccomp_filter *f, struct list_head *spare)
{
	struct thread *t;

	list_for_each_entry(t, &current->proc->threads, proc_node) {
		struct thread_ext *x = t->ext;
		struct seccomp_filter *old;

		if (t == current)
			continue;
		if (!x) {
			x = list_first_entry(spare, struct thread_ext, spare);
			list_del(&x->spare);
		}
		/* @f's list keeps the old one alive for who reads it now. */
		old = x->filter;
		x->filter = use(f);
		seccomp_filter_unuse(old);
		x->seccomp_mode = SECCOMP_FILTER;
		x->no_new_privs |= thread_no_new_privs(current);
		store_once(&t->ext, x);
	}
}

static u32 without_ext_locked(void)
{
	struct thread *t;
	u32 nr = 0;

	list_for_each_entry(t, &current->proc->threads, proc_node)
		nr += !t->ext;
	return nr;
}

static void free_spare(struct list_head *spare)
{
	while (!list_empty(spare)) {
		struct thread_ext *x =
			list_first_entry(spare, struct thread_ext, spare);

		list_del(&x->spare);
		kfree(x);
	}
}

/* Make *@have extensions into @want. */
static int add_spare(struct list_head *spare, u32 *have, u32 want)
{
	for (; *have < want; (*have)++) {
		struct thread_ext *x = ext_alloc(false);

		if (!x)
			return -ENOMEM;
		list_add_tail(&x->spare, spare);
	}
	return 0;
}

/* 0, or why @f cannot come on top of current's filters. */
static int may_add_locked(const struct seccomp_filter *f,
			  const struct thread_ext *x)
{
	u32 total = f->len;

	if (x->seccomp_mode == SECCOMP_STRICT)
		return -EINVAL;
	for (const struct seccomp_filter *p = x->filter; p; p = p->prev) {
		total += p->len + 4;
		if (f->listener && p->listener)
			return -EBUSY;
	}
	return total > LISTS_MAX ? -ENOMEM : 0;
}

/* On top of current's, and everybody's if @spare is given.  The filters are read
 * here: a sibling's tsync may have changed them until now. */
static void put_on_top_locked(struct seccomp_filter *f, struct thread_ext *x,
			      struct list_head *spare)
{
	struct seccomp_filter *old = x->filter;

	f->prev = use(old);
	if (spare)
		spread_locked(f, spare);
	x->filter = f;
	x->seccomp_mode = SECCOMP_FILTER;
	seccomp_filter_unuse(old);
}

/* With everybody of the process: 0, -errno, or the tid of who cannot follow. */
static int add_to_all(struct seccomp_filter *f, struct thread_ext *x)
{
	struct process *p = current->proc;
	struct list_head spare;
	u32 have = 0, want = 0;
	bool again;
	int r;

	list_init(&spare);
	do {
		/* A program's rights are decided without our filters. */
		wait_event(&p->threads_wq,
			   !load_once(&p->exec_decides) ||
				   (load_once(&current->work) & WORK_EXIT));
		if (load_once(&current->work) & WORK_EXIT) {
			r = -EINTR;
			break;
		}
		r = add_spare(&spare, &have, want);
		if (r)
			break;
		spin_lock(&task_lock);
		want = without_ext_locked();
		again = want > have || p->exec_decides;
		r = may_add_locked(f, x);
		if (!r)
			r = cannot_follow_locked(x->filter);
		if (!r && !again)
			put_on_top_locked(f, x, &spare);
		spin_unlock(&task_lock);
	} while (!r && again);
	free_spare(&spare);
	return r;
}

int seccomp_add(struct seccomp_filter *f, bool tsync)
{
	struct thread_ext *x = thread_ext_make();
	int r = -ENOMEM;

	if (x && tsync) {
		r = add_to_all(f, x);
	} else if (x) {
		spin_lock(&task_lock);
		r = may_add_locked(f, x);
		if (!r)
			put_on_top_locked(f, x, NULL);
		spin_unlock(&task_lock);
	}
	if (r)
		seccomp_filter_unuse(f);
	return r;
}

void seccomp_inherit(struct thread_ext *x)
{
	const struct thread_ext *mine = current->ext;
	struct seccomp_filter *old = x->filter;

	x->seccomp_mode = mine->seccomp_mode;
	x->filter = use(load_once(&mine->filter));
	seccomp_filter_unuse(old); /* once more, as @mine has changed */
	x->no_new_privs = mine->no_new_privs;
}

bool seccomp_inherited_locked(const struct thread *child)
{
	const struct thread_ext *mine = current->ext, *x = child->ext;

	assert_held(&task_lock);
	if (likely(!mine || !mine->seccomp_mode))
		return true;
	return x && x->seccomp_mode == mine->seccomp_mode &&
	       x->filter == mine->filter;
}

/* Filters that come later than this are ext_free()'s. */
void seccomp_thread_exit(struct thread *t)
{
	struct thread_ext *x = t->ext;
	struct seccomp_filter *f;

	if (!x || !x->filter)
		return;
	spin_lock(&task_lock);
	f = x->filter;
	x->filter = NULL;
	spin_unlock(&task_lock);
	seccomp_filter_unuse(f);
}

void seccomp_status(const struct thread *t, u32 *mode, u32 *filters)
{
	const struct thread_ext *x = load_once(&t->ext);

	*mode = *filters = 0;
	if (!x)
		return;
	*mode = x->seccomp_mode;
	for (const struct seccomp_filter *f = x->filter; f; f = f->prev)
		(*filters)++;
}

struct seccomp_filter *seccomp_nth_locked(const struct thread *t, u64 n)
{
	const struct thread_ext *x = load_once(&t->ext);
	struct seccomp_filter *f;
	u64 count = 0;

	if (!x || x->seccomp_mode != SECCOMP_FILTER)
		return ERR_PTR(-EINVAL);
	for (f = x->filter; f; f = f->prev)
		count++;
	if (n >= count)
		return ERR_PTR(-ENOENT);
	for (f = x->filter; --count > n;)
		f = f->prev;
	return seccomp_filter_get(f);
}

/* --- a call */

/* The strictest answer, and *@by whom: actions are ordered as signed numbers. */
static u32 ask(struct seccomp_filter *f, const struct seccomp_data *d,
	       struct seccomp_filter **by)
{
	u32 verdict = SECCOMP_ALLOW;

	*by = NULL;
	for (; f; f = f->prev) {
		u32 v = cbpf_run(f->insns, d, sizeof(*d));

		if ((s32)(v & SECCOMP_ACTION) <
		    (s32)(verdict & SECCOMP_ACTION)) {
			verdict = v;
			*by = f;
		}
	}
	return verdict;
}

void seccomp_sigsys(struct thread *t, int code, u32 data)
{
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.signo = SIGSYS;
	si.code = code;
	si.err = (s32)data;
	si.sys.call_addr = t->tf.pc;
	si.sys.nr = (s32)t->tf.a7;
	si.sys.arch = AUDIT_ARCH_RISCV64;
	t->tf.a0 = t->tf.orig_a0;
	t->syscall_nr = -1;
	signal_force_info(SIGSYS, &si);
}

static void kill(struct thread *t, bool process)
{
	pr_info_ratelimited("%s[%d]: killed by seccomp, call %ld", t->name,
			    t->tid, (s64)t->tf.a7);
	if (process || load_once(&t->proc->nr_live) == 1)
		do_group_exit(SIGSYS);
	do_thread_exit(SIGSYS);
}

static bool filter_call(struct thread *t, bool again);

/* A tracer decides; without one the call is not there. */
static bool ask_tracer(struct thread *t, u32 data)
{
	if (!trace_wants_event(t, EVENT_SECCOMP)) {
		t->tf.a0 = (u64)-ENOSYS;
		return false;
	}
	t->tf.a0 = (u64)-ENOSYS;
	trace_event(EVENT_SECCOMP, data);
	if ((load_once(&t->work) & WORK_EXIT) || (s64)t->tf.a7 < 0)
		return false;
	t->tf.a0 = t->tf.orig_a0;
	t->syscall_nr = (s64)t->tf.a7;
	/* What the tracer made of it is asked again, but for this answer. */
	return filter_call(t, true);
}

static bool strict_allows(const struct thread *t)
{
	enum {
		NR_READ = 63,
		NR_WRITE = 64,
		NR_EXIT = 93,
		NR_SIGRETURN = 139
	};

	return t->tf.a7 == NR_READ || t->tf.a7 == NR_WRITE ||
	       t->tf.a7 == NR_EXIT || t->tf.a7 == NR_SIGRETURN;
}

/* @again: a tracer has been asked already. */
static bool filter_call(struct thread *t, bool again)
{
	const struct thread_ext *x = t->ext;
	struct seccomp_data d = {
		.nr = (s32)t->tf.a7,
		.arch = AUDIT_ARCH_RISCV64,
		.pc = t->tf.pc,
	};
	struct seccomp_filter *by;
	u32 verdict, data;

	memcpy(d.args, &t->tf.a0, sizeof(d.args));
	verdict = ask(x->filter, &d, &by);
	data = verdict & 0xffff;
	switch (verdict & SECCOMP_ACTION) {
	case SECCOMP_ALLOW:
	case SECCOMP_LOG:
		return true;
	case SECCOMP_ERRNO:
		t->tf.a0 = (u64) - (s64)min(data, (u32)MAX_ERRNO);
		return false;
	case SECCOMP_TRAP:
		seccomp_sigsys(t, SYS_SECCOMP, data);
		return false;
	case SECCOMP_TRACE:
		return again || ask_tracer(t, data);
	case SECCOMP_USER_NOTIF:
		return seccomp_ask_listener(by, t, &d);
	case SECCOMP_KILL_THREAD:
		kill(t, false);
		return false;
	default:
		kill(t, true);
		return false;
	}
}

bool seccomp_enter(struct thread *t)
{
	const struct thread_ext *x = t->ext;
	const struct tracee *tr;

	if (!x->seccomp_mode)
		return true;
	tr = thread_tracee(t);
	if (tr && (load_once(&tr->options) & TRACE_O_NOSECCOMP))
		return true;
	if (x->seccomp_mode == SECCOMP_STRICT) {
		if (!strict_allows(t))
			do_group_exit(SIGKILL);
		return true;
	}
	return filter_call(t, false);
}
