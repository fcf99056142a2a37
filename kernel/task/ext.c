/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/ext.c - the extension of a thread is made, inherited and freed.
 *
 * Locking: task_lock to give one to a thread.
 */
#include <kernel/task/ext.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>

struct thread_ext *ext_alloc(bool traced)
{
	struct thread_ext *x = kzalloc(sizeof(*x));

	if (!x || !traced)
		return x;
	x->trace = kzalloc(sizeof(*x->trace));
	if (!x->trace) {
		kfree(x);
		return NULL;
	}
	list_init(&x->trace->node);
	return x;
}

void ext_free(struct thread_ext *x)
{
	if (!x)
		return;
	kfree(x->trace);
	seccomp_filter_unuse(x->filter);
	kfree(x);
}

void thread_ext_free(struct thread *t)
{
	struct thread_ext *x = t->ext;

	t->ext = NULL;
	KASSERT(!x || !x->trace || !x->trace->tracer);
	ext_free(x);
}

/* Give @t what is in *@spare unless it has that. */
void ext_adopt_locked(struct thread *t, struct thread_ext **spare)
{
	struct thread_ext *x = t->ext;

	if (!x) {
		store_once(&t->ext, *spare);
		*spare = NULL;
	} else if (!x->trace) {
		store_once(&x->trace, (*spare)->trace);
		(*spare)->trace = NULL;
	}
}

struct thread_ext *thread_ext_make(void)
{
	struct thread *t = current;
	struct thread_ext *x = load_once(&t->ext), *spare;

	if (x)
		return x;
	spare = ext_alloc(false);
	if (!spare)
		return NULL;
	spin_lock(&task_lock);
	ext_adopt_locked(t, &spare);
	x = t->ext;
	spin_unlock(&task_lock);
	ext_free(spare);
	return x;
}

/* What is as it is for everybody needs no object to say so. */
static int change(int tid, bool special,
		  void (*set)(struct thread_ext *x, u16 v), u16 v)
{
	struct thread_ext *spare = special ? ext_alloc(false) : NULL;
	struct thread *t;
	int err = 0;

	if (special && !spare)
		return -ENOMEM;
	spin_lock(&task_lock);
	t = tid ? thread_find(pid_given(tid)) : current;
	if (!t)
		err = -ESRCH;
	else if (special)
		ext_adopt_locked(t, &spare);
	if (t && t->ext)
		set(t->ext, v);
	spin_unlock(&task_lock);
	ext_free(spare);
	return err;
}

static void put_ioprio(struct thread_ext *x, u16 v)
{
	x->ioprio = v;
}

int thread_set_ioprio(int tid, u16 prio)
{
	return change(tid, prio != 0, put_ioprio, prio);
}

u16 thread_ioprio_locked(const struct thread *t)
{
	const struct thread_ext *x = load_once(&t->ext);

	return x ? x->ioprio : 0;
}

int ext_inherit(struct thread *child)
{
	const struct thread_ext *mine = current->ext;
	struct thread_ext *x = child->ext;

	if (!mine || (!mine->seccomp_mode && !mine->ioprio))
		return 0;
	if (!x) {
		x = ext_alloc(false);
		if (!x)
			return -ENOMEM;
		child->ext = x;
	}
	x->ioprio = mine->ioprio;
	seccomp_inherit(x);
	return 0;
}
