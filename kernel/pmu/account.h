/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/account.h - whose the counts are.
 *
 * Time on a hart is cut into intervals: user code of a thread, kernel work for a
 * thread (its call), and neither (the loop, polling, sleep).  At each boundary the
 * counters that somebody wants are read, once, and what they counted since the last
 * boundary is added to the context of the thread whose interval ends, to the *side*
 * on which it was spent, and to the context of the hart as a whole.
 *
 * What a remote call costs the application hart beside the thread's own code (trap,
 * posting, polling, return) is nobody's; a local one runs from trap to return.
 *
 * Context: hooks.h, called by the relay on the hart that it is about, with
 * interrupts off.
 */
#ifndef KERNEL_PMU_ACCOUNT_H
#define KERNEL_PMU_ACCOUNT_H

#include <kernel/pmu/pmu.h>
#include <kernel/time/timer.h>

enum pmu_side {
	SIDE_USER,    /* user code, on an application hart */
	SIDE_OWN,     /* kernel, on the thread's own application hart */
	SIDE_SERVICE, /* kernel, on a service hart for it */
	NR_SIDES,
};
#define SIDES_ALL ((1u << NR_SIDES) - 1)

enum pmu_sw { /* PERF_COUNT_SW_* where there is one */
	SW_FAULTS = 2,
	SW_SWITCHES = 3,
	SW_MIGRATIONS = 4,
	SW_FAULTS_MIN = 5,
	SW_FAULTS_MAJ = 6,
	NR_SW = 7,
};

/* What one hart counted for a context.  Written by that hart only; others read. */
struct pmu_acc {
	u64 v[PMU_SLOTS][NR_SIDES];
	u64 run[PMU_SLOTS]; /* cycles while the slot had a counter */
	u64 sw[NR_SW];
};

struct perf_event;
/* Events that take samples: replaced as a whole, freed after pmu_sync_harts(). */
struct perf_set {
	u32 nr;
	struct perf_event *ev[];
};

/* A thread that is counted, or a hart. */
struct pmu_ctx {
	u64 want;	       /* [a] slots */
	bool whole;	       /* [a] no event tells SIDE_USER from SIDE_OWN */
	u64 nr_migrations;     /* [O] */
	const struct hart *on; /* [O] where it ran user code last */
	struct perf_set *set;  /* [a] or NULL */
	struct thread *thread; /* [I] NULL: a hart's */
	struct list_head events; /* [event.c's mutex] */
	u32 first, nr;		 /* [I] acc[i] is hart first + i */
	struct pmu_acc acc[];
};

/* Behind hart->pmu; all [H] unless marked. */
struct pmu_hart {
	/* slots (hw.c) */
	s8 ctr[PMU_SLOTS];	 /* counter of the slot, -1: none now */
	s8 alarm[FIRST_DYNAMIC]; /* likewise, that overflows for it (overflow.c) */
	u64 overflows;		 /* [a] interrupts taken */
	u32 counteren;		 /* scounteren (rdpmc.c) */
	bool lent; /* it has more than everybody's: rdpmc_enter() before user code */
	u64 mapped;	/* slots that have one */
	u64 slots_seen; /* generation of the table that is mapped */
	u32 turn;	/* who comes first when there are too few */
	u64 passed;	/* [a] of pmu_sync_harts() */
	struct ktimer mux;
	/* accounting (account.c) */
	struct pmu_ctx *ctx;  /* whose interval runs, or NULL */
	struct pmu_ctx *wide; /* [a] of the hart itself, or NULL */
	u8 side;	      /* of the interval */
	bool in_user;
	bool user_trap;	 /* in the loop, but straight from user code */
	bool whole;	 /* A3: the interval goes on through traps */
	bool plain_trap; /* stvec: traps do not read instret */
	bool sampling;	 /* interrupts are on in the call that runs */
	bool stolen;	 /* the comparator was set behind timer.c's back */
	bool wake;	 /* [a] somebody who polls is to be woken */
	u64 mask;	 /* slots that are in last[] */
	u64 last[PMU_SLOTS];
	struct perf_record *record; /* record.c */
	struct ktimer tick;	    /* sample.c */
	u64 tick_at;
	/* sched_trace.c: whose user half the hart has */
	s32 switched_tid; /* [a] 0: nobody's */
	char switched_comm[16];
	u64 switched_ns; /* [a] since when */
};

static inline struct pmu_hart *pmu_of(const struct hart *h)
{
	return h->pmu;
}

struct thread;
struct pmu_ctx *pmu_ctx_new(struct thread *t, u32 first, u32 nr);
static inline struct pmu_acc *pmu_acc_of(struct pmu_ctx *c,
					 const struct hart *h)
{
	return &c->acc[h->cpu - c->first];
}
/* What @c's events want has changed, or what is counted is to be read: the interval
 * that runs on this hart ends here and begins anew. */
void pmu_split(struct hart *h);
/* The same for one slot, whose counter is about to be set; and it has been. */
void pmu_split_slot(struct hart *h, u32 slot);
void pmu_slot_was_set(struct hart *h, u32 slot);
/* The same for current, whose context may be new. */
void pmu_split_current(void);
/* What traps are to do from the next user code on. */
void pmu_trap_vector(struct pmu_hart *p, bool plain);
/* This hart is not to know @c any more. */
void pmu_forget(struct hart *h, const struct pmu_ctx *c);
/* Interrupts off on the way of a call that takes samples, and back. */
bool pmu_irq_save(void);
void pmu_irq_restore(bool on);

#endif /* KERNEL_PMU_ACCOUNT_H */
