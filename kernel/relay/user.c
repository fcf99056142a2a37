/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/user.c - entering user mode: which address space, whose floating-point
 * registers.  Which thread: choose.c.
 *
 * A hart keeps the page table of the last user thread in satp until it runs one of
 * another address space, or is asked to let go (hart_drop_mm()): a call and its
 * return change nothing there.
 *
 * ORDERING
 *   TLBGEN   of kernel/mm/vm.h: mm->active is set before satp is loaded (full), the
 *            flusher changes tables before it reads mm->active.
 *   ICACHE   of kernel/mm/fault.c: icache_gen is read after the completion's acquire,
 *            or the other side executes a remote fence.i.
 *   ATTN     of kernel/sched/thread.c: t->work is read after the completion's acquire,
 *            or after IPICLEAR; the kicker sends an IPI in any case.
 *   SLEEP    of relay.h: other threads of this hart are away, so their completions
 *            must interrupt the one that runs.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/jump.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/hooks.h>
#include <kernel/relay/relay.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>

__cold void relay_fp_save(struct hart *h, struct thread *t)
{
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	h->status_seen = 0;
	fp_save(&t->fp);
	t->tf.status = (t->tf.status & ~(u64)SSTATUS_FS) | SSTATUS_FS_CLEAN;
	t->fp_hart = h;
	h->fp_owner = t;
}

/*
 * A thread starts with floating point off: most system calls then need not look at
 * sstatus, and a switch need not load 33 registers.  The first instruction that
 * uses it is illegal and comes here; t->fp is what it shall see.
 */
bool relay_fp_first_use(struct thread *t)
{
	if (t->tf.status & SSTATUS_FS)
		return false;
	t->tf.status |= SSTATUS_FS_INITIAL;
	t->fp_hart = NULL;
	return true;
}

static __cold void fp_restore(struct hart *h, struct thread *t)
{
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	h->status_seen = 0;
	fp_load(&t->fp);
	t->tf.status = (t->tf.status & ~(u64)SSTATUS_FS) | SSTATUS_FS_CLEAN;
	t->fp_hart = h;
	h->fp_owner = t;
}

static struct waitq drop_wq = WAITQ_INIT(drop_wq);
static u32 nr_droppers; /* [a] in hart_drop_mm() */

/* h has left @mm: the last one wakes who waits for that.  @mm may be gone then. */
static void left_mm(struct hart *h, struct mm *mm)
{
	/* TLBGEN (full) - pairs with mm_flush(). */
	u64 was = atomic_fetch_and(&mm->active, ~BIT(h->cpu));

	if (unlikely(was == BIT(h->cpu)) && unlikely(load_once(&nr_droppers)))
		wake_up_all(&drop_wq);
}

void relay_drop_user_mm(struct hart *h)
{
	struct mm *old = h->user_mm;

	if (!old)
		return;
	mmu_switch(NULL);
	h->user_mm = NULL;
	left_mm(h, old);
}

static __cold void use_mm(struct hart *h, struct mm *mm)
{
	struct mm *old = h->user_mm;

	/* TLBGEN (full) - pairs with mm_flush(). */
	atomic_fetch_or(&mm->active, BIT(h->cpu));
	h->user_mm = mm;
	h->tlb_seen = load_once(&mm->tlb_gen);
	mmu_switch(mm->root);
	if (old)
		left_mm(h, old);
}

void hart_drop_mm(struct mm *mm)
{
	u64 mask;

	atomic_inc(&nr_droppers);
	mask = load_once(&mm->active);
	for (u32 cpu = 0; cpu < nr_harts; cpu++) {
		struct hart *h = harts[cpu];

		if (!(mask & BIT(cpu)))
			continue;
		if (h == this_hart()) {
			relay_drop_user_mm(h);
			continue;
		}
		store_once(&h->kick, 1);
		hart_ipi(cpu);
	}
	wait_event(&drop_wq, !load_once(&mm->active));
	atomic_dec(&nr_droppers);
}

/*
 * Others of this hart may come back while user code runs: let them interrupt.
 * The announcement holds until somebody answers it or the loop takes it back, so
 * a thread that makes one local call after the other announces once.
 */
static __cold bool announce_user(struct hart *h)
{
	store_once(&h->notify, 1);
	/* SLEEP (full) - pairs with relay_doorbell(). */
	smp_mb();
	if (!relay_pending(relay_of(h)))
		return true;
	store_once(&h->notify, 0); /* relaxed: late means one spurious IPI */
	return false;
}

static __cold void flush_tlb(struct hart *h, const struct thread *t)
{
	h->tlb_seen = load_once(&t->mm->tlb_gen);
	tlb_flush_local();
}

static __cold void flush_icache(struct hart *h)
{
	h->icache_seen = load_once(&h->icache_gen);
	icache_flush_local();
}

/* Who holds the hart when several want it, or one was asked to give way. */
static __cold void choose_user(struct hart *h)
{
	relay_choose(h);
	pmu_posted(h); /* whoever it was may go on elsewhere */
	relay_push_away(h);
}

/* Does somebody wait for what h->user has?  Who is ready comes first, but at the end of
 * a turn (loop.c). */
static inline bool is_wanted(const struct hart *h, bool over)
{
	return h->nr_runq || !list_empty(&relay_of(h)->later) ||
	       (over && !list_empty(&h->ready));
}

void relay_run_user(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	struct thread *t = h->user;
	bool over = r->preempt & PREEMPT_TURN;

	/* One IPI stands for all messages before it: IPICLEAR of relay.h. */
	if (unlikely(r->preempt & PREEMPT_LOOK)) {
		if (relay_pending(r))
			return;
		r->preempt &= (u8)~PREEMPT_LOOK;
	}
	if (unlikely(h->nr_runq) || unlikely(t && t->work) || unlikely(over)) {
		choose_user(h);
		t = h->user;
	}
	if (unlikely(!list_empty(&r->later)) && (over || !t)) {
		relay_coroutines_turn(h);
		return;
	}
	if (!t)
		return;
	/* ATTN (acquire) - pairs with thread_kick(); by the message or IPICLEAR. */
	if (unlikely(t->work & ~WORK_RESCHED)) {
		t->req_kind = REQ_WORK;
		t->syscall_nr = -1;
		relay_post(h, t);
		return;
	}
	if (unlikely(h->user_mm != t->mm))
		use_mm(h, t->mm);
	else if (unlikely(load_once(&t->mm->tlb_gen) != h->tlb_seen))
		flush_tlb(h, t);
	/* ICACHE (acquire) - pairs with mm_icache_changed(); by the message. */
	if (unlikely(load_once(&h->icache_gen) != h->icache_seen))
		flush_icache(h);
	if (unlikely(!relay_fp_is_here(h, t)))
		fp_restore(h, t);
	if (unlikely(is_wanted(h, over)))
		relay_slice_arm(h, t);
	else if (unlikely(ktimer_armed(&r->slice)))
		relay_slice_unwanted(h);
	if (unlikely(!list_empty(&h->backlog)))
		return;
	if (unlikely(!relay_will_interrupt(h)) && !announce_user(h))
		return;
	relay_observe(h, t, EV_USER, 0);
	h->state = HART_USER;
	if (unlikely(pmu_user_enter(h, t)))
		jump_user_return_counted(t, t->tf.status != h->status_seen);
	jump_user_return(t, t->tf.status != h->status_seen);
}
