/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/droppable.c - memory that may go when there is need: MAP_DROPPABLE.
 *
 * It is private anonymous memory of a cache, or of random numbers, that its owner can
 * make again.  It is not locked, copied by fork or written to a core file; and when no
 * page can be had, before anybody is killed, one address space after the other loses
 * all it has of it.  Its owner finds zeros.  MADV_PAGEOUT (madvise.c) takes it at once.
 *
 * Locking: drop_mutex, then an mm's lock for reading.
 */
#include <kernel/mm/fault.h>

#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>

static struct mutex drop_mutex = MUTEX_INIT(drop_mutex);
static u32 this_round = 1; /* [drop_mutex] each mm is looked at once in it */
static bool round_got;	   /* [drop_mutex] something, in this round */

/* task_lock held. */
static void choose(struct process *p, void *ctx)
{
	struct mm **found = ctx, *mm;
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		mm = t->mm;
		if (*found || !mm)
			return;
		if (load_once(&mm->droppable) && mm->dropped != this_round)
			*found = mm_get(mm);
	}
}

static u64 rss(struct mm *mm)
{
	u64 n;

	spin_lock(&mm->pt_lock);
	n = mm->rss_anon;
	spin_unlock(&mm->pt_lock);
	return n;
}

/* Pages that @mm lost. */
static u64 drop_from(struct mm *mm)
{
	struct gather g;
	u64 before, after;

	down_read(&mm->lock);
	before = rss(mm);
	gather_init(&g, mm);
	for (struct vma *v = vma_first(mm); v; v = vma_next(v))
		if (v->flags & VM_DROPPABLE)
			pt_zap(&g, v->start, v->end, false);
	gather_finish(&g);
	after = rss(mm);
	up_read(&mm->lock);
	return before > after ? before - after : 0;
}

bool droppable_reclaim(void)
{
	u64 got = 0;

	mutex_lock(&drop_mutex);
	while (!got) {
		struct mm *mm = NULL;

		process_for_each(choose, &mm);
		if (mm) {
			mm->dropped = this_round;
			got = drop_from(mm);
			round_got |= got > 0;
			mm_put(mm);
			continue;
		}
		this_round++; /* again, if that may bring more */
		if (!round_got)
			break;
		round_got = false;
	}
	mutex_unlock(&drop_mutex);
	return got > 0;
}
