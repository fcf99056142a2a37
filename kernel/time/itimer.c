/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/itimer.c - the three interval timers of a process.
 *
 * ITIMER_REAL is a ktimer.  The two CPU timers are ktimers too: CPU time cannot pass
 * faster than real time on every thread, so the timer is set for the earliest moment
 * at which it can be due, looks at the time used, fires or sets itself anew.  CPU
 * time is known as of the last time that each thread entered the kernel; so threads
 * that run user code are asked to come in, and a moment later the timer looks again.
 *
 * INVARIANTS
 *   I1  A callback that finds its timer off, or armed again, does nothing: it lost a
 *       race with a change.
 *   I2  After itimers_exit() no callback of the process runs or will run.
 *
 * Locking: ptimer_lock; signals are sent after it was released.
 */
#include <kernel/time/posix.h>

#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>

#define CPU_TIMER_MIN_NS NSEC_PER_MSEC

struct spinlock ptimer_lock = SPINLOCK_INIT("ptimer", RANK_POLL);

static void real_expired(struct ktimer *k)
{
	struct process *p = k->arg;
	bool fire;

	spin_lock(&ptimer_lock);
	fire = p->itimer_real_on && !ktimer_armed(k); /* I1 */
	if (fire && p->itimer_real_interval_ns) {
		u64 now = clock_mono_ns();
		u64 next = k->deadline_ns + p->itimer_real_interval_ns;

		ktimer_arm(k, max(next, now + PTIMER_MIN_GAP_NS));
	} else if (fire) {
		p->itimer_real_on = false;
	}
	spin_unlock(&ptimer_lock);
	if (fire)
		(void)signal_process(p, SIGALRM, SEND_KERNEL);
}

static void real_get(struct process *p, struct itimerval_ns *out)
{
	u64 now = clock_mono_ns(), at = p->itimer_real.deadline_ns;

	out->interval = p->itimer_real_interval_ns;
	out->value = 0;
	if (p->itimer_real_on)
		out->value = at > now ? at - now : 1;
}

static void real_set(struct process *p, const struct itimerval_ns *new)
{
	(void)ktimer_try_cancel(&p->itimer_real);
	/* one that is switched off has none, but those of CPU time do */
	p->itimer_real_interval_ns = new->value ? new->interval : 0;
	p->itimer_real_on = new->value != 0;
	if (!new->value)
		return;
	p->itimer_real.fn = real_expired;
	p->itimer_real.arg = p;
	ktimer_arm(&p->itimer_real,
		   posix_deadline(CLOCK_MONOTONIC, new->value, false));
}

/* --- CPU time: words[0] is the CPU time to fire at, words[1] the interval */

static u64 *cpu_words(struct process *p, u32 which)
{
	return which == ITIMER_VIRTUAL ? p->itimer_virt : p->itimer_prof;
}

static u64 cpu_time(struct process *p, u32 which)
{
	u64 ut, st;

	process_times(p, &ut, &st);
	return which == ITIMER_VIRTUAL ? ut : ut + st;
}

static void cpu_arm(struct process *p, u32 which, u64 used)
{
	u64 *words = cpu_words(p, which);
	u64 left = words[0] > used ? words[0] - used : 0;
	u32 nr = max(load_once(&p->nr_live), 1u);

	ktimer_arm(&p->itimer_cpu[which - ITIMER_VIRTUAL],
		   clock_mono_ns() + max(left / nr, CPU_TIMER_MIN_NS));
}

bool itimer_kick_running(struct process *p)
{
	struct thread *t;
	bool any = false;

	spin_lock(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		if (load_once(&t->state) != THREAD_USER)
			continue;
		/* Finds no signal, but is a request, and that is accounted. */
		thread_set_work(t, WORK_SIGNAL);
		any = true;
	}
	spin_unlock(&task_lock);
	return any;
}

/* True: it fired. */
static bool cpu_look(struct process *p, u32 which, u64 used, bool kicked)
{
	struct ktimer *k = &p->itimer_cpu[which - ITIMER_VIRTUAL];
	u64 *words = cpu_words(p, which);
	bool fire;

	if (!words[0] || ktimer_armed(k)) /* I1 */
		return false;
	fire = used >= words[0];
	if (fire)
		words[0] = words[1] ? used + words[1] : 0;
	p->itimer_cpu_kicked[which - ITIMER_VIRTUAL] = kicked && !fire;
	if (words[0])
		cpu_arm(p, which, kicked && !fire ? words[0] : used);
	return fire;
}

static void cpu_expired(struct ktimer *k)
{
	struct process *p = k->arg;
	u32 which = ITIMER_VIRTUAL + (u32)(k - p->itimer_cpu);
	u64 used = cpu_time(p, which);
	bool kicked = !p->itimer_cpu_kicked[k - p->itimer_cpu] &&
		      itimer_kick_running(p);
	bool fire;

	spin_lock(&ptimer_lock);
	fire = cpu_look(p, which, used, kicked);
	spin_unlock(&ptimer_lock);
	if (fire)
		(void)signal_process(
			p, which == ITIMER_VIRTUAL ? SIGVTALRM : SIGPROF,
			SEND_KERNEL);
}

static void cpu_get(struct process *p, u32 which, u64 used,
		    struct itimerval_ns *out)
{
	u64 *words = cpu_words(p, which);

	out->interval = words[1];
	out->value = 0;
	if (words[0])
		out->value = words[0] > used ? words[0] - used : 1;
}

static void cpu_set(struct process *p, u32 which, u64 used,
		    const struct itimerval_ns *new)
{
	struct ktimer *k = &p->itimer_cpu[which - ITIMER_VIRTUAL];
	u64 *words = cpu_words(p, which);

	(void)ktimer_try_cancel(k);
	words[0] = new->value ? used + new->value : 0;
	words[1] = new->interval;
	if (!new->value)
		return;
	k->fn = cpu_expired;
	k->arg = p;
	cpu_arm(p, which, used);
}

int itimer_change(u32 which, const struct itimerval_ns *new,
		  struct itimerval_ns *old)
{
	struct process *p = current->proc;
	u64 used = 0;

	if (which >= NR_ITIMERS)
		return -EINVAL;
	if (which != ITIMER_REAL)
		used = cpu_time(p, which);
	spin_lock(&ptimer_lock);
	if (old && which == ITIMER_REAL)
		real_get(p, old);
	else if (old)
		cpu_get(p, which, used, old);
	if (new &&which == ITIMER_REAL)
		real_set(p, new);
	else if (new)
		cpu_set(p, which, used, new);
	spin_unlock(&ptimer_lock);
	return 0;
}

void itimers_exit(struct process *p)
{
	spin_lock(&ptimer_lock);
	p->itimer_real_on = false;
	p->itimer_virt[0] = p->itimer_prof[0] = 0;
	spin_unlock(&ptimer_lock);
	(void)ktimer_cancel(&p->itimer_real);
	(void)ktimer_cancel(&p->itimer_cpu[0]);
	(void)ktimer_cancel(&p->itimer_cpu[1]);
}
