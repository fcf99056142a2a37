/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/uring.h - io_uring: calls without traps, as the files of this
 * folder see it.
 *
 *	struct uring		an instance: two rings that the program has mapped, its
 *				tables of files and buffers
 *	struct uring_req	a submission under way, from its entry in the SQ ring
 *				to its event in the CQ ring
 *	struct uring_pool	a process: its requests, and the workers (coroutines of
 *				it on a service hart) that execute what has to wait
 *
 * A request is executed by the first of these that can:
 *	1. whoever takes it from the ring (io_uring_enter(), or the poller of a ring
 *	   with SQPOLL), if it need not wait;
 *	2. when its file cannot answer yet: nobody, until the file's wait queue has
 *	   told; then a worker tries again;
 *	3. a worker, which may sleep in it;
 *	4. for O_DIRECT: the device; its interrupt completes the request.
 *
 * WHO HAS A REQUEST is what its state says; it changes under pool->lock.
 *	HELD	 nobody yet: behind another one of its chain, or deferred
 *	RUNNING	 whoever made it so: it may complete it or pass it on
 *	QUEUED	 on pool->work: the worker that takes it
 *	ARMED	 the wait queues of its file
 *	TIMER	 its timer
 *	FLYING	 the device
 * claim (uring_claim_locked()) takes it from QUEUED, ARMED and TIMER to RUNNING: so
 * one of those that want to end it does.
 *
 * INVARIANTS
 *   U1  A request is in ring->reqs and pool->reqs while it is shown: from when
 *	 somebody else may get to know of it to its completion.  One that is done at
 *	 once, by whoever took it from the ring, never is.
 *   U2  After its completion its memory belongs to whoever completed it, in a
 *	 coroutine, or to pool->ended.
 *   U3  The pool of a process ends before its address space and files do: at exit
 *	 and at exec.
 *   U4  No operation is begun once pool->dying or ring->dead is set.
 *
 * Locking: ring->submit > ring->tables (mutexes) > ring->lock (RANK_PIPE) >
 * pool->lock (RANK_EVENT: wake-ups of files take it inside a wait queue).
 *
 * ORDERING
 *   URINGPOOL  a pool before the pointer to it in its process.
 *
 * Context: coroutine, unless "any" is said.
 */
#ifndef SYSCALL_URING_URING_H
#define SYSCALL_URING_URING_H

#include <syscall/sock.h>
#include <syscall/syscall.h>
#include <syscall/uiov.h>
#include <syscall/uring/abi.h>

#include <kernel/file/file.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>
#include <lib/hash.h>
#include <lib/list.h>

#define URING_MAX_ENTRIES 32768u
#define URING_MAX_FILES	  32768u
#define URING_MAX_BUFFERS 16384u
#define URING_RING_FDS	  16u
#define URING_PERSONS	  16u

/* What an operation says besides a result. */
#define URING_PENDING (-EIOCBQUEUED) /* somebody else completes it: gone */
#define URING_AGAIN   (-600)	     /* its file cannot answer yet */
#define URING_PUNT    (-601)	     /* only a worker may execute it */

/* The head of the rings, as struct uring_params tells the program. */
struct uring_shared {
	u32 sq_head; /* ours */
	u32 pad0[15];
	u32 sq_tail; /* the program's */
	u32 pad1[15];
	u32 cq_head; /* the program's */
	u32 pad2[15];
	u32 cq_tail; /* ours */
	u32 sq_mask, cq_mask, sq_entries, cq_entries;
	u32 sq_dropped, sq_flags, cq_flags, cq_overflow;
	u32 pad3[7];
	struct uring_cqe cqe[]; /* then the array of the SQ */
};

struct uring_region {
	u32 nr_pages;	    /* [I] */
	struct page **page; /* [I] */
	u8 *mem;	    /* [I] the same, in one piece */
};

struct uring_table { /* of files */
	u32 nr;
	struct file **file;
	u32 alloc_from, alloc_to; /* where slots are found by themselves */
};

struct uring_fixed_buf {
	u64 base, len; /* 0: none */
};

#define URING_BUCKETS 64u

struct uring {
	u32 refs;			 /* [a] file, areas, requests */
	u32 flags;			 /* [I] SETUP_* */
	u32 sq_entries, cq_entries;	 /* [I] powers of two */
	u32 sqe_shift, cqe_shift;	 /* [I] of the size of an entry */
	struct uring_region rings, sqes; /* [I] */
	struct uring_shared *sh;	 /* [I] */
	u32 *sq_array;			 /* [I] or NULL */
	struct cred *cred;		 /* [I] of who made it */

	struct mutex submit;
	u32 sq_head;		 /* [submit] */
	bool drain_next;	 /* [submit] the next chain is drained */
	struct uring_req *spare; /* [submit] for the next one, or NULL */
	u64 submitter; /* [a] SINGLE_ISSUER: thread_id(); 0: not yet */

	struct spinlock lock;
	u32 cq_tail;	  /* [lock] */
	u32 cq_head_seen; /* [lock] the program's is not before it */
	u32 cq_timeouts;  /* [lock] events of timeouts: are not counted */
	u32 wake_at;	  /* [lock] tail that somebody waits for */
	u32 nr_waiting;	  /* [lock] */
	u32 nr_active;	  /* [lock] requests started, not completed */
	bool counting;	  /* [lock] somebody ends those of counted */
	struct list_head reqs[URING_BUCKETS]; /* [lock] U1, by user_data */
	struct list_head deferred; /* [lock] HELD, oldest first: DRAIN */
	struct list_head counted;  /* [lock] timeouts that count events */
	struct list_head overflow; /* [lock] events that found the CQ full */
	u32 nr_overflow;	   /* [lock] */
	struct waitq wq;	   /* who waits for events */
	struct waitq poll_wq;	   /* who polls the file */
	bool dead;		   /* [a] the file is closed */
	bool disabled;		   /* [a] not enabled yet */
	struct file *eventfd;	   /* [a] owned; changed under tables */
	u32 signalling;		   /* [a] who is using it: EVFD of cq.c */

	struct mutex tables;
	struct uring_table files;	    /* [tables] */
	struct uring_fixed_buf *bufs;	    /* [tables] */
	u32 nr_bufs;			    /* [tables] */
	struct list_head groups;	    /* [tables] of uring_group */
	struct cred *person[URING_PERSONS]; /* [tables] owned */
	u32 max_workers[2];		    /* [tables] as the program set it */
	/* REG_RESTRICTIONS; 0: none are in force */
	bool restricted;		    /* [I once enabled] */
	u64 allowed_ops, allowed_registers; /* [I once enabled] */
	u8 allowed_flags, required_flags;   /* [I once enabled] */

	struct uring_pool *pool; /* [I] of the poller, referenced, or NULL */
	struct waitq sq_wq;	 /* the poller sleeps, or the SQ was full */
	u64 sq_idle_ns;		 /* [I] */
	bool sq_kick;		 /* [a] the poller is to look */
	bool sq_gone;		 /* [a] its process has ended */
};

struct uring_worker {
	struct list_head node, idle_node; /* [pool->lock] */
	struct uring_pool *pool;	  /* [I] referenced */
	struct thread *thread;		  /* [I] */
	const struct uring_req *req;	  /* [pool->lock] under way; compared */
	struct uring *ring;		  /* [I] the poller's, or NULL */
	struct waitq wq;
	bool called; /* [a] */
};

struct uring_pool {
	u32 refs;		  /* [a] process, workers, requests, rings */
	struct process *proc;	  /* [I] not referenced: U3 */
	struct spinlock lock;	  /* RANK_EVENT */
	struct list_head work;	  /* [lock] uring_req.node: QUEUED */
	struct list_head workers; /* [lock] */
	struct list_head idle;	  /* [lock] */
	struct list_head reqs;	  /* [lock] U1 */
	struct list_head held;	  /* [lock] deferred by some ring: DRAIN */
	struct list_head ended;	  /* [lock] U2 */
	u32 nr_workers, nr_idle;  /* [a] set under lock */
	bool dying;		  /* [a] set under lock */
	struct waitq gone;	  /* the last request or worker is */
	struct mutex fds_lock;
	struct file *fd[URING_RING_FDS]; /* [fds_lock] REG_RING_FDS */
};

enum uring_state {
	UR_HELD,
	UR_RUNNING,
	UR_QUEUED,
	UR_ARMED,
	UR_TIMER,
	UR_FLYING,
};

struct uring_op;

struct uring_chosen { /* a buffer out of a group */
	u64 addr;
	u32 len;
	u16 bid;
	u16 head; /* of the ring it came from, when it had been taken */
	bool have;
};

struct uring_wait { /* of an armed request in one wait queue */
	struct waiter w;
	struct waitq *wq;
	struct uring_req *q;
	struct uring_wait *next; /* beyond the inline ones */
};

struct uring_req {
	struct aio_req aio;
	struct uring *ring;	    /* [I] */
	struct uring_pool *pool;    /* [I] */
	const struct uring_op *op;  /* [I] */
	struct list_head node;	    /* by state, or ended */
	struct list_head ring_node; /* [ring->lock] */
	struct list_head pool_node; /* [pool->lock] in ->reqs or ->held */
	u8 state;		    /* [pool->lock] enum uring_state */
	bool fired;		    /* [pool->lock] while it is being armed */
	bool last_shot;		    /* [pool->lock] woken by an event of ours */
	bool was_armed;		    /* [pool->lock] QUEUED out of ARMED */
	bool prepared;		    /* what op->drop() undoes is there */
	bool owns;		    /* ring, pool and cred are referenced */
	bool shown;		    /* U1 */
	bool cancelled;		    /* [pool->lock] somebody wants it to end */
	u32 events;		    /* armed for */
	struct file *file;	    /* owned, or NULL until it is started */
	struct cred *cred;	    /* [I] */
	struct uring_req *next;	    /* HELD: started when this one has ended */
	struct uring_req *guard;    /* [pool->lock] LINK_TIMEOUT of this one */
	struct uring_req *guarded;  /* [pool->lock] of a LINK_TIMEOUT */
	u32 nr_wait;
	u32 cqe_flags; /* CQE_F_BUFFER and its number */
	struct uring_wait *more_wait;
	struct uring_chosen buf;
	s64 done; /* bytes of earlier rounds (MSG_WAITALL) */
	/* --- up to here cleared when it is made */
	struct uring_sqe sqe; /* [I] a copy */
	struct uring_wait wait[2];
	union {
		struct {
			struct uiov u;
			struct iov_iter it;
		} rw;
		struct {
			struct user_msghdr h;
			struct uiov u;
			struct iov_iter it;
			u8 name[SOCKADDR_MAX]; /* what h.name was */
		} msg;
		struct {
			struct ktimer timer;
			u64 deadline, period;
			u32 target, repeats; /* of cq_tail; left, 0: no end */
		} time;
	};
};

/* uring_op.flags */
#define OPF_FILE      BIT(0) /* fd is an open file */
#define OPF_POLL_IN   BIT(1) /* waits for POLLIN of it */
#define OPF_POLL_OUT  BIT(2)
#define OPF_BUFFER    BIT(3) /* may take a buffer of a group */
#define OPF_SHORT_BAD BIT(4) /* less than asked for breaks the chain */
#define OPF_PUNT      BIT(5) /* always a worker's */
#define OPF_PRIO      BIT(6) /* ioprio means something */
#define OPF_LEAVES_1  BIT(7) /* told to stop while it waits: 1, not -EALREADY */
#define OPF_QUICK     BIT(8) /* run() shows it before anybody else may have it */

struct uring_op {
	/* In the order of the ring: takes what the program may change once it was
	 * submitted.  0 or -errno.  Optional. */
	int (*prep)(struct uring_req *q);
	/* Result, or URING_*.  @wait: sleeping is fine. */
	s64 (*run)(struct uring_req *q, bool wait);
	void (*drop)(struct uring_req *q); /* undoes prep(); any.  Optional */
	u16 flags;
};
extern const struct uring_op uring_ops[NR_OPS]; /* ops.c */

/* Where requests named @user_data are. */
static inline struct list_head *uring_bucket(struct uring *r, u64 user_data)
{
	return &r->reqs[hash64(user_data) % URING_BUCKETS];
}

/* Names current for ever, which the address of a thread does not. */
static inline u64 uring_thread_id(void)
{
	return current->start_ns ^ (u64)current->tid << 40;
}

/* --- setup.c, enter.c */
struct file *uring_file(u32 fd, bool registered); /* ref or NULL */
void uring_put(struct uring *r); /* any but the last one, which may sleep */
static inline struct uring *uring_get(struct uring *r)
{
	atomic_inc(&r->refs);
	return r;
}
/* NULL: @f is no ring. */
struct uring *uring_of(const struct file *f);

/* --- cq.c: events.  Any context. */
/* An event that completes no request (of a multishot one, or another ring's). */
void uring_post(struct uring *r, u64 user_data, s32 res, u32 flags);
/* An event of a multishot request that goes on.  False: there is no room, and so it
 * should not. */
bool uring_post_more(struct uring_req *q, s32 res);
/* uring_post() with r->lock held; then uring_announce() without it. */
void uring_post_locked(struct uring *r, u64 user_data, s32 res, u32 flags);
void uring_announce(struct uring *r);
void uring_flush_overflow(struct uring *r);
u32 uring_ready(const struct uring *r); /* events, as the program says */
void uring_drop_overflow(struct uring *r);
/* Takes @f (NULL: none); lets go of the one before.  Coroutine; tables held. */
void uring_eventfd_set(struct uring *r, struct file *f);

/* --- submit.c */
/* Take up to @nr submissions: how many, or -errno if none. */
s64 uring_submit(struct uring *r, u32 nr);
/* The same by the only one who may now: the poller, or who has ->submit. */
s64 uring_submit_alone(struct uring *r, struct uring_pool *p, u32 nr);
u32 uring_sq_pending(const struct uring *r);

/* --- req.c */
/* NULL: no memory.  HELD; what it refers to is the submitter's until uring_own(). */
struct uring_req *uring_req_new(struct uring *r, struct uring_pool *p);
void uring_req_clear(struct uring_req *q); /* all but its memory */
void uring_req_free(struct uring_req *q);
/* What it borrows from its submitter becomes its own.  Idempotent. */
void uring_own(struct uring_req *q);
bool uring_start(struct uring_req *q); /* HELD to RUNNING; false: deferred */
/* Execute @q alone: its result, or URING_PENDING, URING_PUNT. */
s64 uring_issue(struct uring_req *q, bool wait);
/* Others may have it from now on; RUNNING.  Idempotent.  Any. */
void uring_show(struct uring_req *q);
/* Timeouts that counted the events up to now end.  Any. */
void uring_end_counted(struct uring *r);
/* Execute @q, RUNNING, and what follows it. */
void uring_run(struct uring_req *q, bool wait);
/* @q, RUNNING, has ended: its successor, to be run, or NULL. */
struct uring_req *uring_complete(struct uring_req *q, s64 res);
/* The same where nothing may be run: any context. */
void uring_end(struct uring_req *q, s64 res);
/* The same in a coroutine: the memory goes at once. */
void uring_end_here(struct uring_req *q, s64 res);
/* All of @p that are deferred end, with what follows them; false: there are none. */
bool uring_cancel_held(struct uring_pool *p);
void uring_reap(struct uring_pool *p);	/* pool->ended: U2 */
void uring_spare_free(struct uring *r); /* the ring ends */

/* --- pool.c */
/* Borrowed from the process, which current belongs to; NULL: there is none. */
static inline struct uring_pool *uring_pool_of(const struct process *proc)
{
	/* URINGPOOL (acquire) - pairs with uring_pool_of_current(). */
	return load_acquire(&proc->uring);
}
struct uring_pool *uring_pool_of_current(void); /* borrowed; ERR_PTR */
void uring_pool_put(struct uring_pool *p);
void uring_queue(struct uring_req *q); /* RUNNING or HELD: QUEUED.  Any. */
void uring_queue_locked(struct uring_req *q);
/* See above.  False: somebody has it.  pool->lock held, or not.  Any. */
bool uring_claim_locked(struct uring_req *q);
bool uring_claim(struct uring_req *q);
/* Whoever executes @q shall stop: pool->lock held.  Any. */
void uring_interrupt_locked(struct uring_req *q);
/* Current, a worker, executes @q now; NULL: nothing. */
void uring_working_on(const struct uring_req *q);
/* A worker of current's process; with @ring its poller.  -ENOMEM. */
int uring_worker_start(struct uring_pool *p, struct uring *ring);
void uring_poller(struct uring_worker *w); /* sqpoll.c */
void uring_poller_stop(struct uring *r);   /* r->dead is set */
/* Current does what files have made possible, if it need not wait for it. */
void uring_help(struct uring_pool *p);

/* --- poll.c */
/* Wait for q->events of q->file: true when there is no need to.  RUNNING before,
 * and after if true. */
bool uring_arm(struct uring_req *q);
void uring_disarm(struct uring_req *q);		   /* any */
bool uring_stays_armed(const struct uring_req *q); /* between its events */

/* --- time.c */
void uring_guard(struct uring_req *q); /* q->next is a LINK_TIMEOUT: start it */
void uring_unguard(struct uring_req *q);    /* @q has ended.  Any. */
void uring_timer_stop(struct uring_req *q); /* claimed out of TIMER.  Any. */
struct uring_req *uring_counted_locked(struct uring *r); /* one that is due */

/* --- cancel.c */
struct uring_match {
	u32 flags; /* CANCEL_*; 0: by user_data */
	u64 user_data;
	struct file *file; /* CANCEL_FD */
	u8 opcode;
};
/* Claimed: its end is near; the event of who wanted that comes before. */
void uring_end_soon(struct uring_req *q);
/* How many; -ENOENT, -EALREADY. */
void uring_end_claimed(struct uring_req *q); /* as cancelled.  Any. */
s64 uring_cancel(struct uring *r, const struct uring_match *m,
		 const struct uring_req *not_this, bool soon);
void uring_cancel_ring(struct uring *r);      /* all; waits for nobody */
void uring_cancel_pool(struct uring_pool *p); /* likewise */
/* One that cannot be told: it is taken, as RUNNING.  NULL.  r->lock held. */
struct uring_req *uring_find_locked(struct uring *r, u64 user_data, u8 op);

/* --- files.c, bufs.c, reg.c */
struct file *uring_fixed_file(struct uring *r, u32 slot); /* ref or NULL */
/* Put @fd, a descriptor that an operation made, into a slot.  As the operation. */
s64 uring_install(struct uring *r, s64 fd, u32 file_index);
s64 uring_slot_put(struct uring *r, struct file *f, u32 slot); /* takes @f */
int uring_slot_close(struct uring *r, u32 slot);
int uring_files_register(struct uring *r, u64 fds, u32 nr, bool sparse);
s64 uring_files_update(struct uring *r, u32 at, u64 fds, u32 nr);
/* Each of @nr into a slot that is free; the slots' numbers in place of them. */
s64 uring_files_add(struct uring *r, u64 fds, u32 nr);
int uring_files_drop(struct uring *r); /* -ENXIO: there are none */
int uring_files_range(struct uring *r, u64 arg);

bool uring_in_fixed_buf(struct uring *r, u32 index, u64 addr, u64 len);
int uring_bufs_register(struct uring *r, u64 vec, u32 nr, bool sparse);
s64 uring_bufs_update(struct uring *r, u32 at, u64 vec, u32 nr);
int uring_bufs_drop(struct uring *r);
/* A buffer of the request's group instead of its own: 0, -ENOBUFS, -EFAULT. */
int uring_buf_select(struct uring_req *q, u64 *addr, u64 *len);
/* It was used, or goes back if that can be. */
void uring_buf_keep(struct uring_req *q, bool used);
int uring_pbuf_register(struct uring *r, u64 arg);
int uring_pbuf_drop(struct uring *r, u64 arg);
int uring_pbuf_status(struct uring *r, u64 arg);
void uring_groups_free(struct uring *r);

#endif /* SYSCALL_URING_URING_H */
