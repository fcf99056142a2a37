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
static void report_missing(struct thread *t, u64 nr)
{
	static u64 reported[NR_SYSCALLS / 64];

	if (nr < NR_SYSCALLS &&
	    !(atomic_fetch_or(&reported[nr / 64], BIT(nr % 64)) & BIT(nr % 64)))
		pr_info("syscall: number %lu is not implemented (%s/%d asked)",
			nr, t->name, t->tid);
}

void syscall_dispatch(struct thread *t)
{
	u64 nr = t->tf.a7;

	/* The arguments are a0-a5 of the frame, in order. */
	STATIC_ASSERT(offsetof(struct trapframe, a5) ==
			      offsetof(struct trapframe, a0) + 5 * 8,
		      "arguments are consecutive");
	if (likely(nr < NR_SYSCALLS && handlers[nr])) {
		t->tf.a0 = (u64)handlers[nr](&t->tf.a0);
	} else {
		report_missing(t, nr);
		t->tf.a0 = (u64)-ENOSYS;
	}
}
