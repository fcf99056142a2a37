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
#include <kernel/upcalls.h>
#include <syscall/syscall.h>

extern const struct syscall_row __syscalls_start[], __syscalls_end[];

static syscall_fn *handlers[NR_SYSCALLS];  /* [I after boot] */
static const char *names[NR_SYSCALLS];	   /* [I after boot] */

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

void syscall_dispatch(struct thread *t)
{
	u64 nr = t->tf.a7;

	/* The arguments are a0-a5 of the frame, in order. */
	STATIC_ASSERT(offsetof(struct trapframe, a5) ==
			      offsetof(struct trapframe, a0) + 5 * 8,
		      "arguments are consecutive");
	if (likely(nr < NR_SYSCALLS && handlers[nr]))
		t->tf.a0 = (u64)handlers[nr](&t->tf.a0);
	else
		t->tf.a0 = (u64)-ENOSYS;
}
