/* SPDX-License-Identifier: MIT */
/* kernel/reset.c - the lists of ways to stop the machine; see reset.h. */
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/reset.h>

#define NR_HANDLERS 8u /* of each kind */

struct preparers {
	void (*fn[NR_HANDLERS])(void); /* [boot] */
	u32 nr;			       /* [boot] */
};

static struct {
	void (*fn[NR_HANDLERS])(enum reset_kind kind); /* [boot] */
	u32 nr;					       /* [boot] */
} ways[NR_RESET_RANKS];
static struct preparers devices, buses;

u64 ctrl_alt_del = 1;

void reset_register(enum reset_rank rank, void (*fn)(enum reset_kind kind))
{
	KASSERT(ways[rank].nr < NR_HANDLERS);
	ways[rank].fn[ways[rank].nr++] = fn;
}

static void add(struct preparers *p, void (*fn)(void))
{
	KASSERT(p->nr < NR_HANDLERS);
	p->fn[p->nr++] = fn;
}

void reset_prepare_register(void (*fn)(void))
{
	add(&devices, fn);
}

void reset_prepare_bus_register(void (*fn)(void))
{
	add(&buses, fn);
}

static void run_all(const struct preparers *p)
{
	for (u32 i = 0; i < p->nr; i++)
		p->fn[i]();
}

void machine_prepare_reset(void)
{
	run_all(&devices);
	run_all(&buses);
}

void machine_reset(enum reset_kind kind)
{
	for (u32 rank = 0; rank < NR_RESET_RANKS; rank++) {
		/* who is asked now may be silent for ever */
		if (rank == RESET_LAST)
			log_raw("reset: no way to %s this machine; it may be switched off now\n",
				kind == RESET_POWEROFF ? "power off"
						       : "restart");
		for (u32 i = 0; i < ways[rank].nr; i++)
			ways[rank].fn[i](kind);
	}
	for (;;)
		__asm__ volatile("wfi");
}
