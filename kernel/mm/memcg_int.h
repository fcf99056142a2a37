/* SPDX-License-Identifier: MIT */
/* kernel/mm/memcg_int.h - what memcg.c and memcg_look.c share; see memcg.h. */
#ifndef KERNEL_MM_MEMCG_INT_H
#define KERNEL_MM_MEMCG_INT_H

#include <kernel/hart.h>
#include <kernel/mm/memcg.h>

#define NR_STOCKS 4u

/* Pages of a group that a hart may charge without a look at the group. */
struct memcg_stock {
	struct memcg *memcg;	  /* [memcg_lock; its hart reads without] */
	u32 nr;			  /* [a] pages */
	s64 stat[NR_MEMCG_STATS]; /* [H] not yet in the group's */
};

struct memcg_stocks {
	struct memcg_stock stock[NR_STOCKS];
} __aligned(64);

extern struct memcg_stocks memcg_stocks[MAX_HARTS];

/* Harts give back what they have in stock of @top and below.  memcg_lock held. */
void memcg_drain_locked(struct memcg *top);

#endif /* KERNEL_MM_MEMCG_INT_H */
