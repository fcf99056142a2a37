/* SPDX-License-Identifier: MIT */
/* kernel/reset.c - the list of ways to stop the machine; see reset.h. */
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/reset.h>

#define NR_HANDLERS 8u

static void (*handlers[NR_HANDLERS])(enum reset_kind kind); /* [boot] */
static u32 nr_handlers;

void reset_register(void (*fn)(enum reset_kind kind))
{
	KASSERT(nr_handlers < NR_HANDLERS);
	handlers[nr_handlers++] = fn;
}

void machine_reset(enum reset_kind kind)
{
	for (u32 i = 0; i < nr_handlers; i++)
		handlers[i](kind);
	log_raw("reset: no way to %s this machine; it may be switched off now\n",
		kind == RESET_POWEROFF ? "power off" : "restart");
	for (;;)
		__asm__ volatile("wfi");
}
