/* SPDX-License-Identifier: MIT */
/* kernel/time/cpuclock.c - clocks that show CPU time; see cpuclock.h. */
#include <kernel/time/cpuclock.h>
#include <kernel/ns/pid.h>

#include <kernel/relay/observe.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <kernel/time/posix.h>
#include <lib/errno.h>

/* Clocks of other processes and threads: ~pid << 3 | flags. */
#define CPUCLOCK_THREAD BIT(2)
#define CPUCLOCK_KIND	3u /* 0: user + system, 1: user, 2: as 0, 3: a file */
enum {
	CPUCLOCK_PROF,
	CPUCLOCK_VIRT,
	CPUCLOCK_SCHED,
	CPUCLOCK_FD
};

#define LOOK_MIN_NS  NSEC_PER_MSEC
#define LOOK_IDLE_NS (10 * NSEC_PER_MSEC) /* while none of its threads runs */

bool cpuclock_is(int id)
{
	if (id < 0)
		return ((u32)id & CPUCLOCK_KIND) != CPUCLOCK_FD;
	return id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID;
}

static int get_thread(int tid, struct cpuclock *c)
{
	struct thread *t;

	c->proc = process_get(current->proc);
	c->tid = tid ? pid_given(tid) : current->tid;
	spin_lock(&task_lock);
	t = thread_find(c->tid);
	if (t && t->proc != c->proc)
		t = NULL;
	spin_unlock(&task_lock);
	if (t)
		return 0;
	process_put(c->proc);
	return -EINVAL;
}

int cpuclock_get(int id, struct cpuclock *c)
{
	int pid = id < 0 ? ~id >> 3 : 0;
	bool thread = id < 0 ? (u32)id & CPUCLOCK_THREAD
			     : id == CLOCK_THREAD_CPUTIME_ID;

	if (!cpuclock_is(id))
		return -EINVAL;
	*c = (struct cpuclock){ .kind = CPUCLOCK_SCHED };
	if (id < 0)
		c->kind = (u32)id & CPUCLOCK_KIND;
	if (thread)
		return get_thread(pid, c);
	c->proc =
		pid ? process_find(pid_given(pid)) : process_get(current->proc);
	return c->proc ? 0 : -EINVAL;
}

void cpuclock_put(struct cpuclock *c)
{
	process_put(c->proc);
	c->proc = NULL;
}

int cpuclock_read(const struct cpuclock *c, u64 *ns)
{
	struct thread *t = NULL;
	u64 ut, st;

	if (!c->tid) {
		process_times(c->proc, &ut, &st);
	} else {
		spin_lock(&task_lock);
		t = thread_find(c->tid);
		if (t && t->proc == c->proc)
			relay_thread_times(t, &ut, &st);
		else
			t = NULL;
		spin_unlock(&task_lock);
		if (!t)
			return -EINVAL;
	}
	*ns = c->kind == CPUCLOCK_VIRT ? ut : ut + st;
	return 0;
}

u64 cpuclock_next_look(struct cpuclock *c, u64 used, u64 target)
{
	u64 left = target > used ? target - used : 0;
	u32 nr = c->tid ? 1 : max(load_once(&c->proc->nr_live), 1u);

	if (c->kicked) { /* so @used is true */
		c->kicked = false;
		return clock_mono_ns() + max(left / nr, LOOK_MIN_NS);
	}
	c->kicked = itimer_kick_running(c->proc);
	return clock_mono_ns() +
	       (c->kicked ? LOOK_MIN_NS : max(left / nr, LOOK_IDLE_NS));
}

int cpuclock_sleep(struct cpuclock *c, u64 target)
{
	u64 used;

	while (!cpuclock_read(c, &used) && used < target) {
		int err = sleep_until_ns(cpuclock_next_look(c, used, target),
					 true);

		if (err)
			return err;
	}
	return 0;
}
