/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/sched.c - threads, locks and waiting for world.h.
 *
 * Threads are coroutines on stacks of their own; the test's main function is
 * the first.  One runs until it waits for something, or, where another hart
 * could come between, by chance.  What goes on then is chosen at random among
 * the threads that can run and the requests that can end; when there is
 * neither, time jumps to the first deadline.  A wake-up counts only for who is
 * on the queue: one that is missing in the code is missing here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/world.h>
#include <tests/host/fake/world_int.h>

#include <kernel/assert.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>

#define MAX_THREADS 16u
#define STACK_SIZE  (512u << 10)
#define MAX_HELD    48u

#ifdef __SANITIZE_ADDRESS__
void __sanitizer_start_switch_fiber(void **save, const void *bottom,
				    size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom,
				     size_t *size);
#else
static void __sanitizer_start_switch_fiber(void **save, const void *bottom,
					   size_t size)
{
}
static void __sanitizer_finish_switch_fiber(void *save, const void **bottom,
					    size_t *size)
{
}
#endif

enum state {
	FREE,
	CAN_RUN,
	WAITS, /* until woken, or its deadline */
	DEAD,  /* its stack is to be freed */
};

struct fiber {
	struct thread t;
	enum state state;
	bool woken;
	u64 deadline;
	ucontext_t ctx;
	void *stack, *fake; /* of main: known when it first leaves it */
	size_t stack_size;
	void (*fn)(void *arg);
	void *arg;
	const void *held[MAX_HELD]; /* sleeping locks */
	u32 nr_held;
};

bool world_threads;

static struct fiber fibers[MAX_THREADS] = { { .state = CAN_RUN } };
static struct fiber *cur = &fibers[0];
static u32 nr_fibers = 1; /* alive */

struct thread *current_thread(void)
{
	return &cur->t;
}

static struct fiber *fiber_of(struct thread *t)
{
	return container_of(t, struct fiber, t);
}

/* --- spinlocks: one thread at a time, so only the rules are checked */

static u8 ranks[32];
static u32 depth;

void spin_lock(struct spinlock *l)
{
	assert_int_equal(l->hart, 0);
	assert_true(!depth || l->rank > ranks[depth - 1] ||
		    l->rank == RANK_NONE);
	assert_true(depth < ARRAY_SIZE(ranks));
	ranks[depth++] = l->rank;
	l->hart = 1;
}

void spin_unlock(struct spinlock *l)
{
	assert_int_equal(l->hart, 1);
	l->hart = 0;
	depth--;
}

/* --- switching */

static void arrived(void)
{
	static const void *bottom;
	static size_t size;

	__sanitizer_finish_switch_fiber(cur->fake, &bottom, &size);
	if (!fibers[0].stack) { /* main was left for the first time */
		fibers[0].stack = (void *)(uintptr_t)bottom;
		fibers[0].stack_size = size;
	}
}

static void switch_to(struct fiber *next)
{
	struct fiber *prev = cur;

	if (next == prev)
		return;
	cur = next;
	__sanitizer_start_switch_fiber(prev->state == DEAD ? NULL : &prev->fake,
				       next->stack, next->stack_size);
	swapcontext(&prev->ctx, &next->ctx);
	arrived();
}

static void reap(void)
{
	u32 i;

	for (i = 1; i < MAX_THREADS; i++) {
		if (fibers[i].state != DEAD || &fibers[i] == cur)
			continue;
		free(fibers[i].stack);
		fibers[i].state = FREE;
	}
}

static bool runs(const struct fiber *f)
{
	return f->state == CAN_RUN || (f->state == WAITS && f->woken);
}

/* The threads that could go on. */
static u32 collect(struct fiber **list)
{
	u32 i, n = 0;

	for (i = 0; i < MAX_THREADS; i++) {
		if (runs(&fibers[i]))
			list[n++] = &fibers[i];
	}
	return n;
}

/* Time passes until somebody's deadline; false: nobody has one. */
static bool jump(void)
{
	struct fiber *first = NULL;
	u32 i;

	for (i = 0; i < MAX_THREADS; i++) {
		struct fiber *f = &fibers[i];

		if (f->state == WAITS && f->deadline != WAIT_FOREVER &&
		    (!first || f->deadline < first->deadline))
			first = f;
	}
	if (!first)
		return false;
	if (first->deadline > world_now_ns)
		world_now_ns = first->deadline;
	first->woken = true;
	return true;
}

/* Let something happen, until the present thread is to go on. */
static void schedule(void)
{
	struct fiber *list[MAX_THREADS];
	u32 n, pick;

	assert_int_equal(depth, 0);
	for (;;) {
		n = collect(list);
		/* A request ends about as often as a thread goes on. */
		pick = (u32)random_below(&world_seed, n + 1);
		if (pick == n && world_complete_one())
			continue;
		if (!n) {
			if (world_complete_one() || jump())
				continue;
			fprintf(stderr, "everybody waits for ever\n");
			abort();
		}
		switch_to(list[pick % n]);
		reap();
		return;
	}
}

/* Where another hart may come between. */
static void maybe_yield(void)
{
	if (nr_fibers > 1 && !depth && random_below(&world_seed, 4) == 0)
		schedule();
}

static void entry(void)
{
	arrived();
	cur->fn(cur->arg);
	assert_int_equal(cur->nr_held, 0);
	cur->state = DEAD;
	nr_fibers--;
	schedule();
	abort();
}

static struct fiber *free_fiber(void)
{
	for (u32 i = 1; i < MAX_THREADS; i++) {
		if (fibers[i].state == FREE)
			return &fibers[i];
	}
	fail_msg("more than %u threads", MAX_THREADS);
	return NULL;
}

struct thread *world_spawn(void (*fn)(void *), void *arg)
{
	struct fiber *f = free_fiber();

	memset(f, 0, sizeof(*f));
	f->t.cred = cur->t.cred;
	f->stack_size = STACK_SIZE;
	f->stack = malloc(STACK_SIZE);
	f->fn = fn;
	f->arg = arg;
	getcontext(&f->ctx);
	f->ctx.uc_stack.ss_sp = f->stack;
	f->ctx.uc_stack.ss_size = f->stack_size;
	makecontext(&f->ctx, entry, 0);
	f->state = CAN_RUN;
	nr_fibers++;
	return &f->t;
}

bool world_is_alive(struct thread *t)
{
	enum state s = fiber_of(t)->state;

	return s != FREE && s != DEAD;
}

void world_yield(void)
{
	schedule();
}

/* --- waiting */

void waitq_init(struct waitq *wq)
{
	memset(wq, 0, sizeof(*wq));
	list_init(&wq->list);
}

void wake_up_all_key(struct waitq *wq, u64 key)
{
	struct waiter *w, *tmp;

	list_for_each_entry_safe(w, tmp, &wq->list, node) {
		fiber_of(w->thread)->woken = true;
		list_del(&w->node);
	}
}

void waiter_init(struct waiter *w)
{
	memset(w, 0, sizeof(*w));
	list_init(&w->node);
	w->thread = &cur->t;
}

void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible)
{
	if (!list_is_linked(&w->node))
		list_add_tail(&w->node, &wq->list);
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
	list_del(&w->node);
	cur->woken = false;
}

int wait_suspend(u64 deadline_ns)
{
	bool late = deadline_ns <= world_now_ns;

	if (!cur->woken && !late) {
		cur->state = WAITS;
		cur->deadline = deadline_ns;
		schedule();
		cur->state = CAN_RUN;
		late = world_now_ns >= deadline_ns;
	}
	cur->woken = false;
	return late ? -110 : 0;
}

int sleep_until_ns(u64 deadline_ns, bool interruptible)
{
	(void)!wait_suspend(deadline_ns);
	return 0;
}

void cond_resched(void)
{
	assert_int_equal(depth, 0);
	if (random_below(&world_seed, 4) == 0)
		schedule();
}

/* The threads of the page cache are not missed; others only if wanted. */
struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	if (!strcmp(name, "flusher"))
		return &cur->t;
	return world_threads ? world_spawn(fn, arg) : NULL;
}

/* --- sleeping locks */

static void hold(const void *lock)
{
	u32 i;

	for (i = 0; i < cur->nr_held; i++)
		assert_ptr_not_equal(cur->held[i], lock);
	assert_true(cur->nr_held < MAX_HELD);
	cur->held[cur->nr_held++] = lock;
}

static void let_go(const void *lock)
{
	u32 i = cur->nr_held;

	do {
		assert_true(i > 0);
	} while (cur->held[--i] != lock);
	cur->held[i] = cur->held[--cur->nr_held];
	maybe_yield();
}

void mutex_init(struct mutex *m)
{
	memset(m, 0, sizeof(*m));
	waitq_init(&m->wq);
}

void mutex_lock(struct mutex *m)
{
	assert_int_equal(depth, 0);
	maybe_yield();
	hold(m);
	wait_event(&m->wq, !m->locked);
	m->locked = 1;
}

void mutex_unlock(struct mutex *m)
{
	assert_int_equal(m->locked, 1);
	m->locked = 0;
	wake_up_all(&m->wq);
	let_go(m);
}

void rwsem_init(struct rwsem *s)
{
	memset(s, 0, sizeof(*s));
	waitq_init(&s->wq);
}

/* Twice by one thread would wait for ever with a writer in between. */
void down_read(struct rwsem *s)
{
	assert_int_equal(depth, 0);
	maybe_yield();
	hold(s);
	wait_event(&s->wq, !s->writer && !s->writers_waiting);
	s->readers++;
}

void up_read(struct rwsem *s)
{
	assert_true(s->readers > 0);
	if (!--s->readers)
		wake_up_all(&s->wq);
	let_go(s);
}

void down_write(struct rwsem *s)
{
	assert_int_equal(depth, 0);
	maybe_yield();
	hold(s);
	s->writers_waiting++;
	wait_event(&s->wq, !s->writer && !s->readers);
	s->writers_waiting--;
	s->writer = &cur->t;
}

void up_write(struct rwsem *s)
{
	assert_ptr_equal(s->writer, &cur->t);
	s->writer = NULL;
	wake_up_all(&s->wq);
	let_go(s);
}
