/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/rseq.c - restartable sequences: see rseq.h.
 *
 * Current's own registration is [O] to the thread.  The area is user memory that
 * other threads may write to at any time: each word is read once and checked.
 */
#include <kernel/task/rseq.h>

#include <kernel/mm/user.h>
#include <kernel/mm/user_walk.h>
#include <kernel/mm/vm.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define RSEQ_MIN_LEN 32u
#define CPU_NONE     (~0u)
#define LOOK_NS	     (50 * NSEC_PER_USEC)

/* linux/rseq.h */
struct rseq_area {
	u32 cpu_id_start, cpu_id;
	u64 cs;
	u32 flags, node_id, mm_cid, end;
};
struct rseq_cs {
	u32 version, flags;
	u64 start, len, abort;
};
STATIC_ASSERT(offsetof(struct rseq_area, end) == RSEQ_FEATURE_SIZE, "the ABI");
STATIC_ASSERT(sizeof(struct rseq_cs) == 32, "the ABI");

/* Memory nodes: one.  A hart's number will do as the concurrency id. */
static int write_ids(uaddr_t area, u32 start, u32 cpu, u32 cid)
{
	if (put_user_u32(start,
			 area + offsetof(struct rseq_area, cpu_id_start)) ||
	    put_user_u32(cpu, area + offsetof(struct rseq_area, cpu_id)) ||
	    put_user_u32(0, area + offsetof(struct rseq_area, node_id)) ||
	    put_user_u32(cid, area + offsetof(struct rseq_area, mm_cid)))
		return -EFAULT;
	return 0;
}

int rseq_register(uaddr_t area, u32 len, u32 sig)
{
	struct thread *t = current;

	if (t->rseq) {
		if (t->rseq != area || t->rseq_len != len)
			return -EINVAL;
		return t->rseq_sig == sig ? -EBUSY : -EPERM;
	}
	if (len < RSEQ_MIN_LEN || (area & (RSEQ_ALIGN - 1)))
		return -EINVAL;
	if (!area || area + len < area || area + len > USER_TOP)
		return -EFAULT;
	t->rseq = area;
	t->rseq_len = len;
	t->rseq_sig = sig;
	atomic_fetch_or(&t->work, WORK_RSEQ);
	return 0;
}

int rseq_unregister(uaddr_t area, u32 len, u32 sig)
{
	struct thread *t = current;

	if (!t->rseq || t->rseq != area || t->rseq_len != len)
		return -EINVAL;
	if (t->rseq_sig != sig)
		return -EPERM;
	if (write_ids(area, 0, CPU_NONE, 0))
		return -EFAULT;
	t->rseq = 0;
	return 0;
}

/* What the descriptor at @at says of @t, which is about to go on at tf.pc. */
static int read_cs(struct thread *t, uaddr_t at, struct rseq_cs *cs)
{
	u32 sig;

	if (at >= USER_TOP || copy_from_user(cs, at, sizeof(*cs)))
		return -EFAULT;
	if (cs->version || cs->start >= USER_TOP ||
	    cs->start + cs->len >= USER_TOP ||
	    cs->start + cs->len < cs->start || cs->abort >= USER_TOP ||
	    cs->abort - cs->start < cs->len)
		return -EINVAL;
	if (get_user_u32(&sig, cs->abort - sizeof(sig)))
		return -EFAULT;
	return sig == t->rseq_sig ? 0 : -EINVAL;
}

/* Out of the critical section that it was in, if it was. */
static int leave_cs(struct thread *t)
{
	uaddr_t at = t->rseq + offsetof(struct rseq_area, cs);
	struct rseq_cs cs;
	u32 flags;
	u64 desc;
	int err;

	if (get_user_u64(&desc, at))
		return -EFAULT;
	if (!desc)
		return 0;
	err = read_cs(t, desc, &cs);
	if (err)
		return err;
	if (t->tf.pc - cs.start >= cs.len)
		return put_user_u64(0, at);
	if (get_user_u32(&flags, t->rseq + offsetof(struct rseq_area, flags)))
		return -EFAULT;
	if (flags | cs.flags)
		return -EINVAL;
	err = put_user_u64(0, at);
	if (!err)
		t->tf.pc = cs.abort;
	return err;
}

/* finish() may still choose another hart: it calls thread_moved(). */
static int update_ids(struct thread *t)
{
	u32 cpu = t->home ? t->home->cpu : 0, seen;

	if (get_user_u32(&seen, t->rseq + offsetof(struct rseq_area, cpu_id)))
		return -EFAULT;
	return seen == cpu ? 0 : write_ids(t->rseq, cpu, cpu, cpu);
}

void rseq_resume(struct thread *t)
{
	(void)atomic_fetch_and(&t->work, ~WORK_RSEQ);
	if (t->rseq && (leave_cs(t) || update_ids(t)))
		signal_force_segv(SIGSEGV);
}

/*
 * The area, if it is there and may be written to; then until user_end().  Alignment
 * keeps it in one page.
 */
static struct rseq_area *begin(struct hart *h, const struct thread *t, u64 need)
{
	return user_begin(h, t->mm, t->rseq, need);
}

static void leave_it(struct thread *t)
{
	atomic_fetch_or(&t->work, WORK_RSEQ);
}

void rseq_lost_hart(struct thread *t)
{
	struct hart *h = this_hart();
	struct rseq_area *a = begin(h, t, USER_READ);
	bool outside = a && !load_once(&a->cs);

	if (a)
		user_end(h);
	if (!outside)
		leave_it(t);
}

void rseq_moved(struct thread *t)
{
	struct hart *h = this_hart();
	struct rseq_area *a = begin(h, t, USER_WRITE);
	bool outside = false;

	if (a) {
		outside = !load_once(&a->cs);
		/* relaxed: the thread reads them on its new hart, after the message */
		store_once(&a->cpu_id_start, t->home->cpu);
		store_once(&a->cpu_id, t->home->cpu);
		store_once(&a->mm_cid, t->home->cpu);
		user_end(h);
	}
	if (!outside)
		leave_it(t);
}

/* How many other threads of @p have @cpu (-1: any hart) and are yet to look at their
 * area; @ask: all shall.  Who waits for a hart looks when it has one again
 * (thread_lost_hart()). */
static u32 others(struct process *p, int cpu, bool ask)
{
	struct thread *t;
	u32 nr = 0;

	spin_lock(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		const struct hart *h = load_once(&t->home);

		if (t == current || load_once(&t->state) != THREAD_USER ||
		    !load_once(&t->rseq) || !h || load_once(&h->user) != t ||
		    (cpu >= 0 && h->cpu != (u32)cpu))
			continue;
		if (ask)
			thread_set_work(t, WORK_RSEQ);
		else if (!(load_once(&t->work) & WORK_RSEQ))
			continue;
		nr++;
	}
	spin_unlock(&task_lock);
	return nr;
}

void rseq_restart_others(int cpu)
{
	bool ask = true;

	while (others(current->proc, cpu, ask)) {
		ask = false;
		(void)sleep_until_ns(clock_mono_ns() + LOOK_NS, false);
	}
}
