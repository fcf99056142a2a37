/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/mmref.c - how many threads run on an address space.
 *
 * References to a struct mm are also held by harts that have it loaded and by
 * readers of /proc; what is mapped is to go when the last thread has left, not
 * when the last reference is dropped.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/mm/vm.h>

void thread_set_mm(struct thread *t, struct mm *mm)
{
	KASSERT(!t->mm);
	atomic_inc(&mm->users);
	t->mm = mm;
}

static void leave_mm(struct thread *t, struct mm *next)
{
	struct mm *mm = t->mm;

	spin_lock(&task_lock);
	t->mm = next;
	spin_unlock(&task_lock);
	if (atomic_dec_and_test(&mm->users))
		mm_unmap_all(mm);
	mm_put(mm);
}

void thread_drop_mm(struct thread *t)
{
	if (t->mm)
		leave_mm(t, NULL);
}

void thread_replace_mm(struct mm *mm)
{
	atomic_inc(&mm->users);
	leave_mm(current, mm);
}

bool mm_is_shared(struct mm *mm)
{
	return load_once(&mm->users) > 1;
}
