/* SPDX-License-Identifier: MIT */
/*
 * net/route/neigh_int.h - neighbours: what neigh.c (packets, answers, times) and
 * neigh_conf.c (who looks at them and changes them) share.
 */
#ifndef NET_ROUTE_NEIGH_INT_H
#define NET_ROUTE_NEIGH_INT_H

#include <net/route/neigh.h>
#include <net/route/route_int.h>

#include <kernel/time/clock.h>

#define NEIGH_SLOTS  64u
#define RETRANS_NS   NSEC_PER_SEC
#define REACHABLE_NS (30 * NSEC_PER_SEC)
#define DELAY_NS     (5 * NSEC_PER_SEC)
#define UNUSED_NS \
	(60 * NSEC_PER_SEC) /* FAILED and STALE ones are kept so long */

struct neigh {
	struct list_head node;
	struct neigh_info i;	/* i.dev: owned reference */
	u32 probes;		/* questions asked in this state */
	u64 due;		/* when something is to be done */
	struct list_head queue; /* of netbuf */
	u32 nr_queue;
};

/* What is to be done when the lock is free again. */
struct neigh_todo {
	struct list_head send;	 /* to lladdr */
	struct list_head failed; /* netbufs that nobody can take */
	u8 lladdr[LINK_ADDR_MAX];
	bool ask, probe;
	bool tell;		/* whoever listens: */
	struct neigh_info news; /* its dev is the caller's */
};

extern struct list_head neigh_slots[NEIGH_SLOTS]; /* [route_lock] */

void neigh_todo_init(struct neigh_todo *t);

/* --- route_lock held */
struct neigh *neigh_find_locked(const struct net_device *dev, const u8 ip[16]);
/* @after: ns until something is to be done, or WAIT_FOREVER. */
void neigh_set_state(struct neigh *n, u16 state, u64 after);
void neigh_take_queue(struct neigh *n, struct list_head *to);
/* Off the tables; freed by neigh_free() without the lock. */
void neigh_unlink(struct neigh *n, struct neigh_todo *t);
/* Those who listen are told of what it is now. */
static inline void neigh_note(const struct neigh *n, struct neigh_todo *t)
{
	t->tell = true;
	t->news = n->i;
}

/* --- no lock held */
/*
 * The entry of @ip, with the lock held, made if there is none (then its state is 0); or
 * NULL: no memory.  *@old: to be freed later.
 */
struct neigh *neigh_lock_entry(struct net_device *dev, const u8 ip[16],
			       struct neigh **old, struct neigh_todo *t);
/* NULL is fine.  One that was known is said to be gone. */
void neigh_free(struct neigh *n);
void neigh_tell(const struct neigh_info *n, bool gone);
void neigh_do(struct net_device *dev, const u8 ip[16], struct neigh_todo *t);

#endif /* NET_ROUTE_NEIGH_INT_H */
