/* SPDX-License-Identifier: MIT */
/*
 * kernel/hart.h - one object per hart, found through tp.
 *
 * `hartid` is the firmware's number (sparse); `cpu` is our dense index, that of
 * harts which run user code before those which do not, and the number of Linux's
 * CPU in every file and call.  Never one for the other.  In the kernel tp always holds the
 * hart's struct, so this_hart() is a register read: no CSR and no SBI call.
 *
 * Who writes what: members marked [H] are written by the hart itself only, in
 * kernel mode, where nothing interrupts it; others may read them racily for
 * statistics.  [a] are atomic words of a protocol named at the member.
 */
#ifndef KERNEL_HART_H
#define KERNEL_HART_H

#include <kernel/spinlock.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/types.h>

#define MAX_HARTS 16

struct thread;
struct mm;
struct pcp;
struct plug;

enum hart_role {
	ROLE_NONE = 0,
	ROLE_APP = 1,	  /* runs user code */
	ROLE_SERVICE = 2, /* executes requests, takes external interrupts */
};

enum hart_state {
	HART_ABSENT,
	HART_STARTING,
	HART_LOOP,  /* in the loop, looking for work */
	HART_USER,  /* in user mode */
	HART_CALL,  /* running a coroutine */
	HART_POLL,  /* nothing to do: polling its rings */
	HART_AWAIT, /* polling for the answer to its thread's call */
	HART_SLEEP, /* announced, in wfi */
	HART_DEAD,  /* did not come up, or stopped by panic */
};

/* Counters of /proc/relay/status.  All [H]. */
struct hart_stats {
	u64 requests;	 /* requests executed here */
	u64 posted;	 /* requests posted from here */
	u64 completions; /* completions received here */
	u64 poll_hits;	 /* waits that ended while polling */
	u64 poll_misses; /* waits that went on to sleep */
	u64 sleeps;	 /* wfi executed */
	u64 wakeups;	 /* wfi ended by an IPI */
	u64 ipis_sent;
	u64 ipis_received;
	u64 timer_irqs;
	u64 external_irqs;
	u64 batches;	/* non-empty drains of the rings */
	u64 batch_msgs; /* messages taken in them */
	u64 ring_full;	/* back-pressure: a message had to wait */
	u64 put_off; /* long requests that others went before: relay/favour.c */
	u64 sbi_calls;
	u64 switches; /* user threads changed */
	u64 migrations;
	u64 rfences;
	u64 faults;
};

struct hart {
	/* --- assembly knows the offsets of these (arch/riscv/asm_offsets.c) */
	u64 stack_top; /* [I] of the loop's own stack */
	struct thread
		*user;	 /* [H] who runs or is about to run user code here */
	u64 scratch[4];	 /* [H] trap entry */
	u64 estack_top;	 /* [I] stack for traps taken in the kernel */
	u64 status_seen; /* [H] what sstatus holds as the user's, 0: unknown */
	u64 pmu_trap;	 /* [H] instret when user code trapped: counted entry */
	u64 pmu_enter;	 /* [H] instret on the way to user code */

	/*
	 * --- identity.  Other harts read it on the way of every call, so nothing
	 * that this hart writes shares its line.  It also has this hart's copy of
	 * what the machine rarely changes and each call looks at: one page less
	 * that a call touches.
	 */
	u32 cpu __aligned(64); /* [I] dense index */
	u32 hartid;	       /* [I] */
	u32 role;	       /* [I] enum hart_role bits */
	u8 policy;	       /* [a] of relay_policy, enum relay_policy */
	union { /* WATCH_*, why not to take the unwatched short way */
		u16 watched; /* both */
		struct {
			u8 watched_by;	/* [a] who looks on from outside */
			u8 watched_pmu; /* [H] what runs here is counted */
		};
	};
	u64 icache_gen;	 /* [a] edge ICACHE, kernel/mm/fault.c */
	void *relay;	 /* [I] kernel/relay/ private */
	struct pcp *pcp; /* [I] kernel/mm/pmem.c */
	void *pmu;	 /* [I] kernel/pmu/ private */

	/*
	 * Edge SLEEP: 1 = "send me an IPI when you put something in one of my
	 * rings": asleep, or in user mode while threads of mine are away.  Senders
	 * read it with each message: nothing else that changes often is here.
	 */
	u32 notify __aligned(64); /* [a] kernel/relay/ */
	u32 kick;     /* [a] somebody wants the current user thread to trap */
	u32 pmu_kick; /* [a] pmu_sync_harts() */
	bool pmu_on; /* [H] something is counted; the counted trap entry is set */
	u64 sie;     /* [H] interrupts that this hart takes in its loop */

	/* --- what it does now */
	struct mm *ucopy __aligned(64); /* [a] UCOPY: whose memory it copies */
	struct thread *cur;		/* [H] whose coroutine runs, or NULL */
	u32 state;     /* [H] enum hart_state, read by others */
	u8 lock_depth; /* [H] spinlocks held */
	u8 lock_rank;  /* [H] rank of the innermost */

	/* --- running user code */
	struct mm *user_mm; /* [H] owner of satp, or NULL; hart_drop_mm() */
	u64 icache_seen;    /* [H] icache_gen at the last fence.i */
	u64 tlb_seen;	    /* [H] user_mm->tlb_gen at the last flush */
	struct thread *fp_owner; /* [H] whose FP state the registers hold */

	/* --- queues, all [H] */
	struct list_head runq; /* user threads that want this hart */
	u32 nr_runq;
	struct list_head ready;	  /* coroutines to resume */
	struct list_head backlog; /* messages that found a full ring */

	/* --- polling */
	u64 poll_budget;  /* [H] cycles */
	u32 poll_backoff; /* [H] log2 of the waits between two long polls */
	u32 poll_rest;	  /* [H] waits until the next of them */

	/* --- timers */
	struct spinlock timer_lock;   /* RANK_TIMER */
	struct rb_root timers;	      /* [timer_lock] */
	struct ktimer *timer_running; /* [timer_lock] */
	u64 timer_next;		      /* [timer_lock] earliest deadline or ~0 */
	u64 timer_set; /* [H] what the comparator holds (ns), ~0 none */

	struct plug *plug; /* [H] kernel/dev/blk.c: open, or NULL */

	int fdt_node;	      /* [I] cpu node */
	u32 intc_phandle;     /* [I] of its interrupt-controller node */
	u32 capacity;	      /* [I] capacity-dmips-mhz or 0 */
	bool online;	      /* [a] edge BOOT */
	bool go;	      /* [a] edge BOOT */
	u32 panic_depth;      /* [H] */
	u64 stale_tlb_va;     /* [a] last kernel fault answered by a flush */
	u64 idle_ns, poll_ns; /* [H] cycles asleep, and polling */
	struct hart_stats st;
} __aligned(64);

static inline struct hart *this_hart(void)
{
#ifdef __riscv
	struct hart *h;

	__asm__("mv %0, tp" : "=r"(h));
	return h;
#else
	extern struct hart *host_this_hart;

	return host_this_hart;
#endif
}

/* Boot only: from here on the hart's object is @h.  Not in a function, nor called from
 * one, that has looked at this_hart() and does so again. */
static inline void hart_become(struct hart *h)
{
#ifdef __riscv
	__asm__ volatile("mv tp, %0\n\tcsrw sscratch, %0"
			 :
			 : "r"(h)
			 : "memory");
#else
	extern struct hart *host_this_hart;

	host_this_hart = h;
#endif
}

static inline unsigned int this_cpu(void)
{
	return this_hart()->cpu;
}

extern struct hart *harts[MAX_HARTS]; /* [I after boot] dense; NULL beyond */
extern unsigned int nr_harts;	      /* [I after boot] started or to be */

/* Dense index by firmware's number / by phandle of the interrupt controller
 * node in the cpu node; -1 if that hart is not ours. */
int hart_by_hartid(u64 hartid);
int hart_cpu_by_intc_phandle(u32 phandle);
/* Where external interrupts go unless asked otherwise. */
int service_cpu_default(void);
u64 service_mask(void);
u64 app_mask(void);

/* IPI to one hart, unconditionally. */
void hart_ipi(unsigned int cpu);
/* Make the harts in @mask flush their TLBs before this returns (SBI RFENCE). */
void hart_rfence(u64 mask);
/* No hart has @mm's table in satp when this returns, and no thread of it is left to
 * load it again.  Coroutine; kernel/relay/user.c. */
void hart_drop_mm(struct mm *mm);
/* fence.i on every online hart, this one included. */
void hart_fence_i_all(void);
/* The others of @mask, but for those that sleep: the caller has advanced their
 * icache_gen, and they will look at it (edge ICACHE). */
void hart_fence_i_awake(u64 mask);

/* Filled by sbi/. */
struct hart_ops {
	int (*start)(u32 hartid, paddr_t entry, u64 opaque);
	void (*ipi_mask)(u64 hartid_mask, u64 base);
	void (*rfence)(u64 hartid_mask, u64 base);
	void (*fence_i)(u64 hartid_mask, u64 base);
	void (*null_call)(void);
};
void hart_ops_set(const struct hart_ops *ops);
void hart_null_call(void); /* the cheapest firmware call: floor.c */

#endif /* KERNEL_HART_H */
