/* SPDX-License-Identifier: MIT */
/*
 * syscall/table.c - the one table: numbers to handlers.
 *
 * Rows come from the linker section that SYSCALLn() fills, so a family's file and
 * the table cannot disagree.  A number without a row answers -ENOSYS and is counted
 * (/proc/relay/syscalls).
 */
#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/sud.h>
#include <kernel/task/trace.h>
#include <syscall/syscall.h>

extern const struct syscall_row __syscalls_start[], __syscalls_end[];

static syscall_fn *handlers[NR_SYSCALLS]; /* [I after boot] */
static const char *names[NR_SYSCALLS];	  /* [I after boot] */

static int syscall_init(void)
{
	for (const struct syscall_row *r = __syscalls_start; r < __syscalls_end;
	     r++) {
		KASSERT(r->nr < NR_SYSCALLS && !handlers[r->nr]);
		handlers[r->nr] = r->fn;
		names[r->nr] = r->name;
	}
	return 0;
}
INITCALL(INIT_CORE, syscall_init);

const char *syscall_name(u64 nr)
{
	return nr < NR_SYSCALLS ? names[nr] : NULL;
}

/* Once per number, so nobody can flood the log with it. */
static s64 missing(const u64 *args __unused)
{
	static u64 reported[NR_SYSCALLS / 64];
	const struct thread *t = current;
	u64 nr = t->tf.a7;

	if (nr < NR_SYSCALLS &&
	    !(atomic_fetch_or(&reported[nr / 64], BIT(nr % 64)) & BIT(nr % 64)))
		pr_info_ratelimited(
			"syscall: number %lu is not implemented (%s/%d asked)",
			nr, t->name, t->tid);
	return -ENOSYS;
}

syscall_fn *syscall_handler(u64 nr)
{
	return nr < NR_SYSCALLS && handlers[nr] ? handlers[nr] : missing;
}

static inline void run_call(struct thread *t)
{
	/* The arguments are a0-a5 of the frame, in order. */
	STATIC_ASSERT(offsetof(struct trapframe, a5) ==
			      offsetof(struct trapframe, a0) + 5 * 8,
		      "arguments are consecutive");
	t->tf.a0 = (u64)syscall_handler(t->tf.a7)(&t->tf.a0);
}

/* Threads that somebody watches have an extension. */
void syscall_dispatch(struct thread *t)
{
	if (likely(!t->ext)) {
		run_call(t);
		return;
	}
	if (sud_blocks(t))
		return;
	if (trace_syscall_enter(t) && seccomp_enter(t))
		run_call(t);
	trace_syscall_exit(t);
}
