/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/thread.h - a thread: user registers, a request, a coroutine.
 *
 * A user thread is, at any moment, in exactly one place:
 *	THREAD_USER	on an application hart, running or queued to run there;
 *			or in a ring (or backlog) to a service hart with its
 *			request, or back with its completion
 *	THREAD_RUNNING	its coroutine executes on co_hart
 *	THREAD_WAITING	its coroutine is suspended (or about to be) on co_hart
 *	THREAD_READY	its coroutine is woken: on co_hart's ready list, or in a
 *			ring to it
 *	THREAD_DEAD	the last request has ended; nobody will run it again
 * A kernel thread is a coroutine only: it starts READY and never is USER.
 *
 * Ownership: the hart on which a thread is (see above) owns every member marked
 * [O].  The ring's PUB edge hands it over.  So none of them needs a lock.
 *
 * Members marked [a] are atomic words, readable from any hart.
 */
#ifndef KERNEL_SCHED_THREAD_H
#define KERNEL_SCHED_THREAD_H

#include <arch/riscv/trapframe.h>
#include <kernel/hart.h>
#include <lib/list.h>
#include <lib/types.h>

struct hart;
struct process;
struct mm;
struct files;
struct fs_ctx;
struct cgroup;
struct memcg;
struct cred;
struct sigpending;
struct waiter;
struct pmu_ctx;
struct vfork_wait;
struct spinlock;

enum thread_state {
	THREAD_NEW,
	THREAD_USER,
	THREAD_RUNNING,
	THREAD_WAITING,
	THREAD_READY,
	THREAD_DEAD,
};

/* Why a user thread asks for its coroutine. */
enum request_kind {
	REQ_SYSCALL, /* number in a7, arguments in a0-a5 of tf */
	REQ_FAULT,   /* page fault: cause, badaddr of tf */
	REQ_TRAP,    /* any other exception of user code: a signal for it */
	REQ_WORK,    /* t->work only */
	NR_REQUEST_KINDS,
};

/* thread->work: looked at whenever a request ends; set from any hart. */
#define WORK_SIGNAL   BIT(0) /* maybe a deliverable signal */
#define WORK_EXIT     BIT(1) /* the process exits, or this thread was killed */
#define WORK_STOP     BIT(2) /* group stop in progress */
#define WORK_PTRACE   BIT(3)
#define WORK_RESCHED  BIT(4) /* give way when more threads want the hart */
#define WORK_RSEQ     BIT(5) /* kernel/task/rseq.h */
#define WORK_THROTTLE BIT(6) /* kernel/cgroup/cpu.c */
#define WORK_MOVE \
	BIT(8) /* it may not run where it does: kernel/cgroup/cpuset.c */
#define WORK_MEMCG BIT(7) /* kernel/mm/memcg.h: its group is too large */

/* thread->request of an ordinary system call: posted, and in its coroutine */
#define REQUEST_PLAIN	0u
#define REQUEST_RUNNING 1u

enum sched_policy {
	SCHED_OTHER,
	SCHED_FIFO,
	SCHED_RR,
	SCHED_BATCH,
	SCHED_IDLE = 5,
	SCHED_DEADLINE,
};
#define SCHED_POLICY_RESET 0x80 /* a child gets SCHED_OTHER */
#define SCHED_RR_MS	   100u
extern u64 sched_rr_ms; /* [a] a turn of SCHED_RR */
/* [a] What periods SCHED_DEADLINE may have. */
extern u64 sched_dl_period_min_us, sched_dl_period_max_us;

#define KSTACK_SIZE 16384u

/*
 * When what happened to a call that is observed: kernel/relay/legs.c.  Cycles as
 * relay_stamp() has them.  All [O].
 */
struct leg_stamps {
	u32 epoch; /* of the observation in which it was posted; 0: none */
	u16 row;   /* of the table */
	u64 leg;   /* when the leg under way began */
	u64 woken; /* 0: was not */
	u64 side_cycles, side_instr; /* when this hart began to work for it */
	u32 app_cycles, app_instr;   /* from trap to post */
} __aligned(64);

/* What a thread, or all of a process, has read and written. */
struct io_count {
	u64 rchar, wchar;	     /* bytes of calls that succeeded */
	u64 syscr, syscw;	     /* calls */
	u64 read_bytes, write_bytes; /* asked of a disk, made dirty */
};

struct futex_q;

struct thread {
	/*
	 * The first lines are laid out by who writes them when a plain call goes to
	 * another hart and back, which is what the call costs.
	 *
	 * --- Both harts read this one; neither writes it.
	 */
	struct hart *home; /* [O] application hart it last ran on */
	u64 work;	   /* [a] WORK_* */
	/* assembly knows the offset of this (arch/riscv/asm_offsets.c) */
	u64 kstack_top;	      /* [I] */
	struct process *proc; /* [I] NULL for kernel threads */
	struct mm *mm;	      /* as those under "shared resources" */
	void *ext;	      /* [O] kernel/task's private extension */
	int tid;	      /* [I] */
	u8 policy;	      /* [a] enum relay_policy or POLICY_DEFAULT */
	u8 fault_policy;      /* [a] likewise */
	u8 sched_policy;      /* [a] enum sched_policy, SCHED_POLICY_RESET */
	u8 rt_prio; /* [a] that counts, 0: none; written with pi_lock */
	s32 nice;   /* [a] */

	/* --- The application hart's, but for the line of a0 to a7, which goes to the
	 * service hart and back. */
	struct list_head run_node
		__aligned(64); /* [O] ready list, user run queue or backlog */
	struct hart *msg_dst;  /* [O] while in a backlog */
	/* [O] hart whose registers hold our floating-point state, or NULL */
	struct hart *fp_hart;
	u64 queued_at; /* [O] cycles when it had to wait for its hart, or 0 */
	u32 msg_kind;  /* [O] while in a backlog */
	struct trapframe tf; /* [O] user registers */

	/* --- The hart's that runs its coroutine (kernel/relay/). */
	u32 state __aligned(64); /* [a] enum thread_state */
	union {
		struct {
			u8 in_coroutine;   /* [O] a coroutine is on kstack */
			u8 suspended_once; /* [O] the request has suspended */
			u8 timed;	   /* [O] the request has req_begin */
			u8 req_kind;	   /* [O] enum request_kind */
		};
		u32 request; /* [O] all four: REQUEST_* */
	};
	struct hart *co_hart; /* [O] hart that runs its coroutine */
	s32 syscall_nr;	      /* [O] in flight, -1 outside (also for restart) */
	u32 untimed_ns;	      /* [O] system time not yet in stime_ns */
	u64 co_sp;	      /* [O] suspended coroutine's stack pointer */
	struct hart *acct_hart; /* [O] whose cycles the next two count */
	u64 acct_start;		/* [O] end of the last request */
	u64 req_begin;		/* [O] cycles; valid if timed */
	u64 acct_off;		/* [O] suspended during the present one */

	/* --- floating point state (arch/riscv/fpu.c) */
	struct fpstate fp; /* [O] valid unless dirty in fp_hart's registers */

	/* --- flags */
	u32 interruptible; /* [a] a wait_suspend() may be cut short by signals */
	bool gave_up; /* [O] its request, if it has suspended, did so for an event */
	u64 turn;      /* [O] of a real-time thread among its equals */
	bool computes; /* [O] a turn ended in its code, and no call since */
	u64 turn_debt; /* [O] ns that it had its hart for too long: turns.c */

	/* --- identity */
	int ns_tid;		    /* [I] in its own PID namespace */
	char name[16];		    /* [O] comm; read racily by /proc */
	struct list_head proc_node; /* [RANK_TASK lock] in proc->threads */
	struct list_head all_node;  /* [RANK_TASK lock] */
	void (*kfn)(void *arg);	    /* [I] kernel thread's body */
	void *karg;		    /* [I] */

	/* --- shared resources, each refcounted.  Own pointer: written by the
	 * thread itself only; readers on other harts use the task lock.  And mm. */
	struct files *files;
	struct fs_ctx *fs;
	struct cred *real_cred; /* what others see of it */
	struct cred *
		cred; /* what it acts with: the same, or borrowed for a while */
	struct nsproxy *nsproxy; /* kernel/ns/ns.h */

	/* --- kernel/cgroup: NULL is the root group */
	struct cgroup *cgroup; /* [task lock] owned */
	u64 cgroup_since[2];   /* [task lock] user, system time when it came */
	bool cgroup_frozen;    /* [task lock] */
	struct memcg *memcg;   /* [task lock + memcg_lock] owned: who pays */
	struct memcg *stack_memcg; /* [I] who pays for its stack */

	/* --- signals (kernel/task/signal.c) */
	u64 sig_blocked;	/* [signal lock; owner reads without] */
	u64 sig_saved;		/* [O] mask to restore after sigsuspend & co */
	bool sig_restore_saved; /* [O] sig_saved is valid */
	u64 sig_pending; /* [signal lock] bit n-1: signal n, this thread */
	struct list_head sig_queue; /* [signal lock] of struct sigqueue */
	u64 sig_wanted;	      /* [signal lock] sigtimedwait() waits for these */
	u64 sas_sp, sas_size; /* [O] sigaltstack */
	u32 sas_flags;	      /* [O] */
	struct {	      /* [O] restart_syscall(2) */
		s64 (*fn)(struct thread *t);
		u64 arg[4];
	} restart;

	/* --- task bookkeeping (kernel/task/) */
	uaddr_t clear_child_tid; /* [O] */
	uaddr_t robust_list;	 /* [O] */
	size_t robust_list_len;	 /* [O] */
	uaddr_t rseq;		 /* [O] registered area, or 0 */
	u32 rseq_len, rseq_sig;	 /* [O] */
	int exit_signal;	 /* [O] to the parent; leader only */
	int exit_code;		 /* [task lock] wait status word */
	struct vfork_wait
		*vfork;		/* [task lock] of who waits for exec or exit */
	u32 jobctl;		/* [task lock] JOBCTL_*: kernel/task/task.h */
	bool parked;		/* [a] kernel/task/core_stop.c */
	bool reaped;		/* [task lock] task_reap() has seen it */
	u64 utime_ns, stime_ns; /* [a] relaxed: statistics */
	u64 utime_shown, stime_shown; /* [task lock] the most a reader saw */
	u64 nr_vcsw, nr_ivcsw;	      /* [O] context switches */
	u64 rt_vcsw, rt_since;	      /* [task lock] kernel/time/rtlimit.c */
	u64 minflt, majflt;	      /* [O] */
	struct io_count io;	      /* [O] */
	u64 start_ns;		      /* [I] CLOCK_MONOTONIC */
	struct list_head pi_waiters;  /* [pi_lock] of struct futex_q */
	struct futex_q *pi_on;	      /* [pi_lock] it waits by this one */
	u8 own_prio; /* [a] rt_prio as its policy has it; written with pi_lock */
	bool pi_dead;	  /* [pi_lock] owns no PI futex any more */
	u64 cpus_allowed; /* [a] mask of dense application-hart indices */
	u64 cpus_asked;	  /* [task lock] by sched_setaffinity(); 0: never */
	u32 personality;  /* [O] */
	u8 mempolicy;	  /* [O] syscall/numa.c */
	u32 traced_on;	  /* [O] kernel/pmu/sched_trace.c: 1 + its hart, or 0 */
	struct file *fd_given; /* [O] what FD_GIVEN names; kernel/file/file.h */
	struct netdev_batch *tx_batch; /* [O] kernel/dev/netdev.h; or NULL */
	struct pmu_ctx
		*pmu; /* [a] what is counted of it, or NULL: kernel/pmu/ */
	struct leg_stamps legs;
} __aligned(64); /* messages keep their kind in the low bits */

STATIC_ASSERT(offsetof(struct thread, tf.a0) % 64 == 0, "a0 to a7 in one line");
STATIC_ASSERT(offsetof(struct thread, acct_off) ==
		      offsetof(struct thread, state) + 56,
	      "a coroutine's line is one");

/* The thread whose coroutine runs on this hart; NULL in the hart's loop. */
#ifdef __riscv
static inline struct thread *current_thread(void)
{
	return this_hart()->cur;
}
#else
struct thread *current_thread(void); /* host tests */
#endif
#define current (current_thread())

/*
 * Make a suspended coroutine (or one about to suspend) run again, on its hart.
 * Returns true when this call woke it.  Context: any hart, any lock below
 * RANK_TIMER held.
 */
bool thread_wake(struct thread *t);

/*
 * t->work changed: if t is suspended interruptibly it is woken, if it runs user
 * code its hart takes an IPI and posts REQ_WORK.  Context: as thread_wake().
 */
void thread_kick(struct thread *t);
/* t->rt_prio changed: its place among those that want its hart is another one.
 * Context: as thread_wake(). */
void thread_prio_changed(struct thread *t);
/* Set bits in t->work, then kick. */
void thread_set_work(struct thread *t, u64 bits);

/* True when an interruptible wait of current must end now. */
bool signal_pending_current(void);

/* Let other coroutines of this hart run.  Coroutine context, no spinlock. */
void cond_resched(void);
/* The same without a look at the hart's interrupts, which is dear: of 64 calls one
 * must be cond_resched(). */
void cond_resched_lazy(void);

/* A coroutine without a user part; runs on a service hart.  NULL: -ENOMEM. */
struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg);

/* Put a new thread whose kfn is set on a service hart: the default one, or @h. */
void kthread_start(struct thread *t);
void kthread_start_on(struct thread *t, struct hart *h);
void sched_init(void);

/*
 * Allocate and free the bare object with its kernel stack (kernel/sched/).
 * kernel/task/ fills in the rest.  thread_free() asserts THREAD_DEAD/NEW and
 * that no coroutine is on the stack.
 */
struct thread *thread_alloc(void);
void thread_free(struct thread *t);

/*
 * Hand a new user thread (tf complete, everything set) to an application hart.
 * Gives it to the relay.  Context: coroutine.
 */
void thread_start_user(struct thread *t);

/* Last act of a thread's coroutine, on its own kernel stack: the relay forgets
 * it and the hart's loop calls task_reap(t) (kernel/upcalls.h). */
void thread_exit_final(void) __noreturn;

#endif /* KERNEL_SCHED_THREAD_H */
