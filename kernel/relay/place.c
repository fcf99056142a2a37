/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/place.c - which hart: for a user thread, and for its requests.
 *
 * Everything here reads other harts' queue lengths and states without a lock: they
 * are hints, and a stale one costs a less good choice.
 */
#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/log.h>
#include <kernel/relay/relay.h>
#include <kernel/relay/work.h>
#include <kernel/sched/wait.h>
#include <kernel/task/rseq.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/string.h>

/* Threads other than @t that want the hart; one that is in a local call, or whose
 * answer is awaited, will be back. */
static u32 load_of(const struct hart *h, const struct thread *t)
{
	/* relaxed: hints */
	const struct thread *cur = load_once(&h->cur);

	return load_once(&h->nr_runq) +
	       (load_once(&h->user) || (cur && cur != t) ||
		(load_once(&h->state) == HART_AWAIT &&
		 load_once(&relay_of(h)->last_posted) != t));
}

static bool may_run(const struct thread *t, const struct hart *h)
{
	return (h->role & ROLE_APP) && load_once(&h->online) &&
	       (!t->cpus_allowed || (t->cpus_allowed & BIT(h->cpu)));
}

/* @self is not counted where it is; @prefer has @prefer_load more. */
static struct hart *pick(const struct thread *t, const struct thread *self,
			 struct hart *prefer, u32 prefer_load)
{
	struct hart *best = NULL;
	u32 best_load = ~0u;

	if (prefer && may_run(t, prefer) &&
	    !(load_of(prefer, self) + prefer_load))
		return prefer;
	for (u32 i = 0; i < nr_harts; i++) {
		struct hart *h = harts[i];
		u32 load;

		if (!may_run(t, h))
			continue;
		load = h == prefer ? 2 * (load_of(h, self) + prefer_load)
				   : 2 * load_of(h, self) + 1;
		if (load < best_load) {
			best_load = load;
			best = h;
		}
	}
	/* An affinity mask without any application hart: the mask gives way. */
	if (!best) {
		for (u32 i = 0; i < nr_harts; i++) {
			if (harts[i]->role & ROLE_APP)
				return harts[i];
		}
	}
	KASSERT(best);
	return best;
}

struct hart *relay_pick_app(const struct thread *t, struct hart *prefer)
{
	return pick(t, t, prefer, 0);
}

/* Service harts that execute calls: all, but for one that the block layer has for itself. */
static u64 calls_mask(void)
{
	u64 mask = service_mask();

	if (relay_block_hart && mask != BIT(relay_block_hart->cpu))
		mask &= ~BIT(relay_block_hart->cpu);
	return mask;
}

/* The n-th application hart belongs to the (n mod nr)-th of these. */
static struct hart *service_for(const struct hart *app)
{
	u64 mask = calls_mask();
	u32 nth = app->cpu % (u32)popcount64(mask);

	for (u32 i = 0; i < nr_harts; i++) {
		if ((mask & BIT(i)) && !nth--)
			return harts[i];
	}
	panic("relay: no service hart");
}

/* block=ID: the number that the firmware has for it. */
static void place_block_layer(void)
{
	u64 id;
	int cpu;

	if (!*relay_block_arg)
		return;
	cpu = kstrtou64(relay_block_arg, 0, &id) ? -1 : hart_by_hartid(id);
	if (cpu >= 0 && service_mask() & BIT(cpu))
		relay_block_hart = harts[cpu];
	else
		pr_warn("relay: block=%s is no service hart", relay_block_arg);
}

void relay_place_init(void)
{
	place_block_layer();
	for (u32 i = 0; i < nr_harts; i++) {
		struct relay_hart *r = relay_of(harts[i]);

		r->service = service_for(harts[i]);
		r->to_service = r->out[r->service->cpu];
	}
}

void relay_leave_home(struct thread *t)
{
	struct hart *home = t->home;

	if (!home || may_run(t, home))
		return;
	if (t->co_hart != home || t->suspended_once)
		atomic_add_relaxed(&relay_of(home)->left, 1);
	if (t->co_hart == home)
		relay_of(home)->here -= t->suspended_once;
	t->home = NULL;
	home->st.migrations++;
}

/* A thread that waits behind another moves to a hart that has nothing to do. */
void relay_push_away(struct hart *h)
{
	struct thread *t;
	struct hart *dst;

	if (!h->nr_runq)
		return;
	t = list_first_entry(&h->runq, struct thread, run_node);
	dst = relay_pick_app(t, NULL);
	if (dst == h || load_of(dst, t))
		return;
	list_del(&t->run_node);
	h->nr_runq--;
	relay_left_queue(t);
	t->home = dst;
	thread_moved(t);
	h->st.migrations++;
	relay_send_urgent(h, dst, t, MSG_PLACE);
}

void thread_start_user(struct thread *t)
{
	struct hart *h = this_hart();
	/* The creator will want its hart back, unless it waits for the child. */
	struct hart *dst =
		pick(t, current, current ? current->home : NULL, !t->vfork);

	t->home = dst;
	thread_moved(t);
	/* Its user time begins. */
	t->acct_hart = h;
	t->acct_start = rdcycle();
	store_once(&t->state, THREAD_USER);
	if (dst == h) {
		relay_late_forget(h, t);
		relay_user_ready(h, t, false);
	} else {
		relay_send_urgent(h, dst, t, MSG_PLACE);
	}
}
