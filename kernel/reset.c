/* SPDX-License-Identifier: MIT */
/* kernel/reset.c - the list of ways to stop the machine; see reset.h. */
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/reset.h>

#define NR_HANDLERS 8u

static void (*handlers[NR_HANDLERS])(enum reset_kind kind); /* [boot] */
static u32 nr_handlers;
static void (*preparers[NR_HANDLERS])(void); /* [boot] */
static u32 nr_preparers;

void reset_register(void (*fn)(enum reset_kind kind))
{
	KASSERT(nr_handlers < NR_HANDLERS);
	handlers[nr_handlers++] = fn;
}

void reset_prepare_register(void (*fn)(void))
{
	KASSERT(nr_preparers < NR_HANDLERS);
	preparers[nr_preparers++] = fn;
}

void machine_prepare_reset(void)
{
	for (u32 i = 0; i < nr_preparers; i++)
		preparers[i]();
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
