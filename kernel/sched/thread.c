/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/thread.c - thread objects, waking and kicking them, kernel threads.
 *
 * ORDERING
 *   WAKE   of kernel/relay/relay.h: thread_wake()'s exchange.
 *   ATTN   t->work is set (full) before the kicker looks at t->state and t->home;
 *          the hart that is about to run t looks at t->work after it has taken the
 *          message (acquire) or cleared SSIP (IPICLEAR).
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/pmu/hooks.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/hotmem.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/vmap.h>
#include <kernel/relay/relay.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct kmem_cache *thread_cache; /* [I after the first] */

void sched_init(void)
{
	thread_cache = kmem_cache_create("thread", sizeof(struct thread), 64);
	KASSERT(thread_cache);
	kmem_cache_place(thread_cache, PLACE_THREAD, NR_THREAD);
}

struct thread *thread_alloc(void)
{
	struct thread *t = kmem_cache_zalloc(thread_cache);
	u8 *stack;

	if (!t)
		return NULL;
	stack = kstack_alloc(KSTACK_SIZE);
	if (!stack) {
		kmem_cache_free(thread_cache, t);
		return NULL;
	}
	t->kstack_top = (u64)stack + KSTACK_SIZE;
	t->stack_memcg = memcg_charge_stack(KSTACK_SIZE / PAGE_SIZE);
	t->state = THREAD_NEW;
	t->syscall_nr = -1;
	t->tf.status = SSTATUS_SPIE;
	list_init(&t->run_node);
	list_init(&t->proc_node);
	list_init(&t->all_node);
	list_init(&t->sig_queue);
	list_init(&t->pi_waiters);
	return t;
}

void thread_free(struct thread *t)
{
	KASSERT(t->state == THREAD_DEAD || t->state == THREAD_NEW);
	KASSERT(!t->in_coroutine && this_hart()->cur != t);
	for (u32 i = 0; i < nr_harts; i++) {
		/* relaxed: only that hart could set it, and t runs nowhere */
		atomic_cmpxchg(&harts[i]->fp_owner, t, NULL);
	}
	memcg_uncharge_stack(t->stack_memcg, KSTACK_SIZE / PAGE_SIZE);
	kstack_free((void *)(t->kstack_top - KSTACK_SIZE), KSTACK_SIZE);
	kmem_cache_free(thread_cache, t);
}

bool thread_wake(struct thread *t)
{
	struct hart *h;

	/* WAKE (full) - pairs with wait_prepare(). */
	if (atomic_cmpxchg(&t->state, THREAD_WAITING, THREAD_READY) !=
	    THREAD_WAITING)
		return false;
	relay_observe(this_hart(), t, EV_WAKE, 0);
	pmu_woken(t);
	h = t->co_hart;
	if (h == this_hart())
		list_add_tail(&t->run_node, &h->ready);
	else
		relay_send(this_hart(), h, t, MSG_WAKE);
	return true;
}

void thread_kick(struct thread *t)
{
	struct hart *home;

	/* ATTN (full) - pairs with relay_run_user(). */
	smp_mb();
	if (t == current)
		return; /* looks at its work when the request ends */
	if (load_once(&t->state) == THREAD_WAITING) {
		if (load_once(&t->interruptible))
			thread_wake(t);
		return;
	}
	home = load_once(&t->home);
	if (home && home != this_hart())
		hart_ipi(home->cpu);
}

void thread_prio_changed(struct thread *t)
{
	struct hart *home;

	/* ATTN (full) - pairs with relay_run_user(). */
	smp_mb();
	home = load_once(&t->home);
	if (!home)
		return;
	if (home == this_hart())
		relay_sort_queue(home);
	else
		relay_ask_to_sort(home);
}

u64 sched_rr_ms = SCHED_RR_MS;
u64 sched_dl_period_min_us = 100, sched_dl_period_max_us = 1 << 22;

void thread_set_work(struct thread *t, u64 bits)
{
	atomic_fetch_or(&t->work, bits);
	thread_kick(t);
}

static void give_way(struct hart *h, struct thread *t)
{
	if (unlikely(h->plug))
		blk_plug_end();
	store_once(&t->state, THREAD_READY);
	/* A local call gives the hart up: completions now find others on it. */
	co_leave(t, CO_YIELDED);
	store_once(&t->state, THREAD_RUNNING);
}

void cond_resched(void)
{
	struct hart *h = this_hart();

	KASSERT(!h->lock_depth);
	if (!h->cur) /* boot, before the loop */
		return;
	if (!list_empty(&h->ready) || relay_pending(relay_of(h)) ||
	    (csr_read(sip) & h->sie))
		give_way(h, h->cur);
}

void cond_resched_lazy(void)
{
	struct hart *h = this_hart();

	if (!list_empty(&h->ready) || relay_pending(relay_of(h)))
		give_way(h, h->cur);
}

void thread_exit_final(void)
{
	struct thread *t = current;

	store_once(&t->state, THREAD_DEAD);
	co_leave(t, CO_EXITED);
	__builtin_unreachable();
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = thread_alloc();

	if (!t)
		return NULL;
	strscpy(t->name, name, sizeof(t->name));
	t->kfn = fn;
	t->karg = arg;
	t->cred = t->real_cred = cred_get(&init_cred);
	kthread_start(t);
	return t;
}

void kthread_start(struct thread *t)
{
	kthread_start_on(t, harts[service_cpu_default()]);
}

void kthread_start_on(struct thread *t, struct hart *h)
{
	t->co_hart = h;
	t->state = THREAD_READY;
	if (h == this_hart())
		list_add_tail(&t->run_node, &h->ready);
	else
		relay_send(this_hart(), h, t, MSG_WAKE);
}
