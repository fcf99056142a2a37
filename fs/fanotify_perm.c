/* SPDX-License-Identifier: MIT */
/*
 * fs/fanotify_perm.c - permission events: who opens or reads a file waits until
 * those who watch it have said yes.
 *
 * Groups are asked one after the other, pre-content ones first, and elder ones
 * before younger ones; the first that refuses ends it.  A group that ends says yes
 * to all; who is killed does not wait.
 *
 * Locking: notify_lock.
 */
#include <fs/fanotify.h>

#include <fs/internal.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct list_head perm_groups = LIST_HEAD_INIT(perm_groups);
static u64 next_order; /* [notify_lock] */

void fanotify_perm_start(struct fanotify *fa)
{
	struct list_head *at;

	spin_lock(&notify_lock);
	fa->order = next_order++;
	if (!(fa->flags & FAN_CLASS_PRE_CONTENT))
		fa->order |= BIT(63);
	for (at = perm_groups.next; at != &perm_groups; at = at->next)
		if (container_of(at, struct fanotify, perm_node)->order >
		    fa->order)
			break;
	list_add_tail(&fa->perm_node, at);
	spin_unlock(&notify_lock);
	atomic_inc(&notify_nr_perm);
}

void fanotify_answer(struct fanotify *fa, struct fan_event *e, u32 answer)
{
	if (e->state == ASK_QUEUED)
		fa->group.nr_events--;
	if (e->state == ASK_QUEUED || e->state == ASK_SHOWN)
		list_del(&e->node);
	e->state = ASK_ANSWERED;
	e->answer = answer;
	e->refs--;
	wake_up_all(e->asker);
}

void fanotify_perm_end(struct fanotify *fa)
{
	struct fan_event *e, *next;

	spin_lock(&notify_lock);
	fa->dead = true;
	if (list_is_linked(&fa->perm_node)) {
		list_del(&fa->perm_node);
		atomic_dec(&notify_nr_perm);
	}
	list_for_each_entry_safe(e, next, &fa->asked, node)
		fanotify_answer(fa, e, FAN_ALLOW);
	list_for_each_entry_safe(e, next, &fa->group.events, node)
		if (e->state == ASK_QUEUED)
			fanotify_answer(fa, e, FAN_ALLOW);
	spin_unlock(&notify_lock);
}

static void look_up_marks(struct notify_group *g, const struct happening *h)
{
	const void *objs[NR_ON];

	happening_objects(h, objs);
	for (u32 on = 0; on < NR_ON; on++)
		g->hit[on] = objs[on] ? mark_find(g, objs[on]) : NULL;
}

/* The next group behind *@order that wants to be asked, with a reference, and its
 * event queued; NULL: none. */
static struct fanotify *next_asked(const struct happening *h, u64 *order,
				   struct fan_event **out)
{
	struct fanotify *fa;
	u32 match, mask;

	list_for_each_entry(fa, &perm_groups, perm_node) {
		if (fa->order < *order)
			continue;
		look_up_marks(&fa->group, h);
		mask = fanotify_wants(fa, h, &match) & FAN_PERM_EVENTS;
		if (!mask)
			continue;
		*order = fa->order + 1;
		*out = fan_event_new(fa, h, mask, match);
		if (*out) {
			(*out)->state = ASK_QUEUED;
			(*out)->refs = 2;
			(*out)->asker = &current->proc->threads_wq;
			group_queue(&fa->group, &(*out)->node);
		}
		atomic_inc(&fa->refs);
		return fa;
	}
	return NULL;
}

static bool is_answered(const struct fan_event *e)
{
	return load_once(&e->state) == ASK_ANSWERED ||
	       (load_once(&current->work) & WORK_EXIT);
}

/* The answer to our event.  A reader who has it in hand frees it. */
static u32 end_asking(struct fanotify *fa, struct fan_event *e)
{
	bool last;
	u32 answer;

	spin_lock(&notify_lock);
	if (e->state == ASK_QUEUED || e->state == ASK_SHOWN)
		fanotify_answer(fa, e, FAN_DENY); /* we were killed */
	else if (e->state == ASK_TAKEN)
		e->answer = FAN_DENY;
	answer = e->answer;
	last = !--e->refs;
	spin_unlock(&notify_lock);
	if (last)
		fan_event_free(e);
	return answer;
}

int fanotify_ask(const struct happening *h)
{
	u32 answer = FAN_ALLOW;
	struct fanotify *fa;
	struct fan_event *e;
	u64 order = 0;

	while (answer == FAN_ALLOW) {
		spin_lock(&notify_lock);
		fa = next_asked(h, &order, &e);
		spin_unlock(&notify_lock);
		if (!fa)
			return 0;
		if (!e) {
			fanotify_put(fa);
			return -ENOMEM;
		}
		wait_event(e->asker, is_answered(e)); /* a kill wakes it */
		answer = end_asking(fa, e);
		fanotify_put(fa);
	}
	return -EPERM;
}
