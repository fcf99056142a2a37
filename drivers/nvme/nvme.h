/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme.h - an NVMe controller, as the files of this driver share it.
 *
 *	nvme_pci.c	probe, interrupts, the list of controllers
 *	nvme_ctrl.c	registers: disable, enable, queues, shut down
 *	nvme_identify.c	what the controller and its namespaces are; disks
 *	nvme_blk.c	bio -> command -> bio
 *	nvme_cmd.c	slots, completions, commands that somebody waits for
 *	nvme_watch.c	lost interrupts, time-outs, polling
 *	nvme_recover.c	the worker: abort, reset, replay; the end of a device
 *	nvme_event.c	asynchronous events
 *	nvme_dev.c	/dev/nvme0 and its ioctls
 *	nvme_sysfs.c	/sys/class/nvme
 *
 * A controller is LIVE, or the worker is RESETTING it, or it is DEAD:
 *
 *	LIVE --nvme_request()--> RESETTING --replayed--> LIVE
 *	  |                          |
 *	  +------- nvme_die() -------+-----------------> DEAD
 *
 * There is a queue pair for each service hart, on which its completions are
 * handled; the block core says which one a bio goes to.  While that one is closed,
 * or full of other disks' bios, it waits on the queue's list.
 *
 * Locking: nvme_queue::lock (RANK_DEV), never two at a time and never held over
 * bio_done() or a wake-up's reader.
 */
#ifndef DRIVERS_NVME_NVME_H
#define DRIVERS_NVME_NVME_H

#include <arch/riscv/mmio.h>
#include <drivers/nvme/nvme_prp.h>
#include <drivers/nvme/nvme_queue.h>
#include <drivers/pci/pci.h>
#include <kernel/dev/blk.h>
#include <kernel/hart.h>
#include <kernel/mm/page.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>

#define NVME_MAX_IOQ	  MAX_HARTS
#define NVME_ADMIN_DEPTH  32u
#define NVME_IO_DEPTH	  128u
#define NVME_MAX_TRANSFER (2u << 20) /* a list is one page at most */
#define NVME_MAX_RETRIES  3u
#define NVME_MAX_NS	  64u
#define NVME_MAX_EVENTS	  4u

enum nvme_state {
	NVME_STARTING, /* probe */
	NVME_LIVE,
	NVME_RESETTING, /* the worker alone may use the queues */
	NVME_DEAD,	/* lied, died or went: all requests end with -EIO */
	NVME_SHUT,	/* the machine is about to stop */
};

enum nvme_mode {
	NVME_MODE_IRQ,
	NVME_MODE_POLL,	  /* look all the time while something is in flight */
	NVME_MODE_HYBRID, /* sleep for half of what it will take, then look */
	NR_NVME_MODES,
};

/* Work for the worker, nvme_request(). */
#define NVME_WORK_TIMEOUT BIT(0) /* a command ran out of time */
#define NVME_WORK_RESET	  BIT(1)
#define NVME_WORK_EVENT	  BIT(2) /* asynchronous events to look at */
#define NVME_WORK_MODE	  BIT(3) /* queues' modes shall change */
#define NVME_WORK_RESCAN  BIT(4)
#define NVME_WORK_USER	  BIT(5) /* the reset is a user's wish */
#define NVME_WORK_ALL	  GENMASK(15, 0)
#define NVME_WORK_TICKET  BIT(16) /* above: how many users have asked */

struct nvme_ctrl;

struct nvme_queue {
	struct spinlock lock;
	struct nvme_ring ring;	/* [lock] */
	struct nvme_ctrl *ctrl; /* [I] */
	u32 vector;		/* [I] */
	u32 irq_cpu;		/* [I] that takes its interrupts */
	bool running;  /* [lock] the device knows it, and we look at it */
	bool open;     /* [lock] takes new commands */
	bool deleting; /* [lock] what was to be pushed waits for a replay */
	u8 mode;       /* [lock] enum nvme_mode; changed while closed */
	struct list_head pending; /* [lock] bios without a slot */
	struct waitq room;	  /* who waits for a slot, or for `open` */
	u32 list_bytes;		  /* [I] of each slot's PRP list; 0: none */
	void *lists;		  /* [I] owned: nr_slots times list_bytes */
	/* nvme_watch.c */
	struct ktimer watch;
	struct ktimer poll;
	bool watching;	 /* [lock] watch is armed, or runs */
	bool polling;	 /* [lock] poll is armed, or runs */
	bool suspect;	 /* [lock] news were there at the last look */
	u64 suspect_at;	 /* [lock] completions taken by then */
	u32 lost_in_row; /* [a] relaxed: interrupts, since the last that came */
	u64 poll_since;	 /* [lock] last time that polling found something */
	u64 mean_ns;	 /* [lock] of a command; polling only */
	u64 nr_irqs;	 /* [a] relaxed, as the following: statistics */
	u64 nr_polls, nr_poll_hits, nr_lost;
};

/* A namespace that we show as a disk. */
struct nvme_ns {
	struct blkdev bd;	/* first */
	struct nvme_ctrl *ctrl; /* [I] */
	u32 nsid;		/* [I] */
	u32 lba_shift;		/* [I] */
	/* bios that we own, by queue */
	u32 nr_active[NVME_MAX_IOQ]; /* [that queue's lock] */
	bool gone;		     /* [a] the controller has it no more */
	u32 claimed; /* [a] somebody registers the disk, or has */
	bool shown;  /* [a] it is registered */
	u8 eui64[8], nguid[16], uuid[16]; /* [I] zeroes: none */
};

struct nvme_vector {
	struct nvme_ctrl *ctrl; /* [I] */
	u32 index;		/* [I] */
	u64 taken; /* [a] relaxed: completions of its queues, last time */
};

struct nvme_ctrl {
	struct pci_dev *pci; /* [I] */
	u8 __iomem *regs;    /* [I] */
	u32 nr;		     /* [I] */
	char name[16];	     /* [I] "nvme0" */
	u32 state;	     /* [a] enum nvme_state */
	const char *why;     /* [a] DEAD: the reason */
	/* registers and identify data, [I] after probe */
	u64 cap;
	u32 version;
	u32 ready_ms, shutdown_ms;
	char serial[24], model[48], firmware[12], nqn[260];
	u16 cntlid;
	u8 mdts, aerl, cntrltype;
	u32 oaes, nr_nsids;
	u16 oncs;
	bool write_cache;
	bool ignores_fua;      /* and writes to its cache all the same */
	u32 max_bytes;	       /* of a transfer */
	u32 dsm_blocks;	       /* of a deallocated range; 0: no limit */
	u32 zeroes_bytes_log2; /* of a write zeroes; 0: no limit */
	/* queues */
	struct nvme_queue *admin;	      /* [I] */
	struct nvme_queue *ioq[NVME_MAX_IOQ]; /* [I] */
	u32 nr_wanted;			      /* [I] I/O queues, asked for */
	u32 nr_granted;			      /* [worker] by the controller */
	u32 nr_ioq;			      /* [I] made */
	struct nvme_queue *of_cpu[MAX_HARTS]; /* [I] */
	struct nvme_vector vec[NVME_MAX_IOQ + 1]; /* [I] */
	u32 nr_vecs;				  /* [I] */
	/* namespaces */
	struct nvme_ns *ns[NVME_MAX_NS]; /* [I] below nr_ns */
	u32 nr_ns;			 /* [a] NSLIST; only grows */
	/* nvme_recover.c */
	struct waitq work_wq;
	u64 work;	      /* [a] NVME_WORK_* and tickets */
	struct waitq done_wq; /* who waits for the worker */
	u64 served;	      /* [a] the last ticket of which all is done */
	int mode_err;	      /* [a] of the last change of modes */
	u32 resets_in_row;    /* [a] without an I/O that ended well */
	u64 nr_resets, nr_timeouts, nr_aborts; /* [a] relaxed: statistics */
	u32 events_ready;	    /* [a] results in event[] that are new */
	u32 event[NVME_MAX_EVENTS]; /* [a] */
	u64 nr_events_seen;	    /* [a] relaxed: statistics */
	u8 want_mode;		    /* [a] of all queues, for NVME_WORK_MODE */
	struct chrdev chr;	    /* [I] nvme_dev.c */
	struct sys_dir *sys;	    /* [I] nvme_sysfs.c; or NULL */
	struct list_head node;	    /* [list] of all controllers */
};

/* A command that somebody waits for.  On the heap, counted: when the waiter
 * gives up, buffer and record stay until the device is done or stopped. */
struct nvme_sync {
	struct nvme_sqe cmd;
	void *buf; /* [I] owned, page-aligned, physically contiguous; or NULL */
	u64 *list; /* [I] owned page, when buf has more than two */
	u32 len;   /* [I] */
	u16 status; /* valid when done and err is 0 */
	u64 result;
	int err;  /* 0: status says; -EINTR: cancelled; -EIO: dead */
	u32 done; /* [a] SYNCEND */
	u32 refs; /* [a] */
	u64 timeout_ns;
	struct waitq wq;
	struct list_head node; /* completion's */
};

/* ---- registers: the only accesses */
static inline u32 nvme_rd32(const struct nvme_ctrl *c, u32 reg)
{
	return mmio_read32(c->regs + reg);
}
static inline void nvme_wr32(struct nvme_ctrl *c, u32 reg, u32 v)
{
	mmio_write32(v, c->regs + reg);
}
/* Two halves: not every controller takes 64 bits at once [3.1]. */
static inline u64 nvme_rd64(const struct nvme_ctrl *c, u32 reg)
{
	u64 lo = mmio_read32(c->regs + reg);

	return lo | (u64)mmio_read32(c->regs + reg + 4) << 32;
}
static inline void nvme_wr64(struct nvme_ctrl *c, u32 reg, u64 v)
{
	mmio_write32((u32)v, c->regs + reg);
	mmio_write32((u32)(v >> 32), c->regs + reg + 4);
}

/* ---- nvme_ctrl.c: coroutine; -ETIMEDOUT, -EIO (fatal), -ENODEV (gone) */
int nvme_disable(struct nvme_ctrl *c) __must_check;
/* Admin queue and CC.EN; the controller is disabled before. */
int nvme_enable(struct nvme_ctrl *c) __must_check;
/* Ask for the I/O queues and make them. */
int nvme_set_nr_queues(struct nvme_ctrl *c) __must_check;
int nvme_create_ioqs(struct nvme_ctrl *c) __must_check;
int nvme_delete_ioqs(struct nvme_ctrl *c, u64 timeout_ns) __must_check;
/* Tell it that the power goes; bounded. */
void nvme_notify_shutdown(struct nvme_ctrl *c);
/* Memory.  @list_bytes: of each slot's PRP list, 0: none. */
struct nvme_queue *nvme_queue_alloc(struct nvme_ctrl *c, u16 qid, u16 depth,
				    u32 list_bytes);
void nvme_queue_free(struct nvme_queue *q);

/* ---- nvme_cmd.c */
/* A record with a zeroed buffer of @len bytes (0: none); NULL. */
struct nvme_sync *nvme_sync_alloc(u32 len);
void nvme_sync_put(struct nvme_sync *s);
/*
 * Run s->cmd on @q.  0: s->status and s->result say what came of it; -errno: it
 * was not done, or nobody knows.  nvme_sync_run() waits as long as it takes: the
 * worker ends commands whose time is over.  nvme_sync_try() is for those on whom
 * the worker waits: -ETIMEDOUT after s->timeout_ns, and the slot stays in use.
 */
int nvme_sync_run(struct nvme_queue *q, struct nvme_sync *s) __must_check;
int nvme_sync_try(struct nvme_queue *q, struct nvme_sync *s) __must_check;
/* nvme_sync_try() of an admin command, of which @cmd has opcode, nsid and cdw10, that reads
 * @bytes: *@out has them, to be put.
 * 0 or -errno; -EIO: the controller refused. */
int nvme_admin_read(struct nvme_ctrl *c, const struct nvme_sqe *cmd, u32 bytes,
		    struct nvme_sync **out) __must_check;
/* Handle what has completed; true if there was anything.  Any hart. */
bool nvme_reap(struct nvme_queue *q);
/* Likewise, for who polls a queue whose interrupt will come behind it: that one tells
 * the device, and who waits does not wait for that. */
bool nvme_reap_early(struct nvme_queue *q);
/* Push or fail what waits for a slot; @q locked. */
void nvme_start_pending(struct nvme_queue *q);
/* End every command of @q with @err, syncs with -EINTR if @err is 0: then bios
 * stay in their slots. */
void nvme_cancel(struct nvme_queue *q, int err);
/* The bios in @q's slots once more, in the order of their first start, and then
 * those that wait: the queue is open.  Not locked. */
void nvme_replay(struct nvme_queue *q, bool count);
u16 nvme_sc(u16 status); /* type and code only */
/* Outstanding asynchronous event requests: have @nr of them. */
int nvme_event_submit(struct nvme_ctrl *c);

/* ---- nvme_blk.c: @q locked */
extern const struct blkdev_ops nvme_blk_ops;
/* Begin with @bio; there is a free slot. */
void nvme_bio_start(struct nvme_queue *q, struct nvme_ns *ns, struct bio *bio);
/* A piece has ended.  True: the bio is over, bio->status is set. */
bool nvme_bio_step(struct nvme_queue *q, struct nvme_slot *s, u16 status);
/* The controller has forgotten it: push it again.  False: too often; only what is
 * the device's fault counts. */
bool nvme_bio_replay(struct nvme_queue *q, struct nvme_slot *s, bool count);

/* ---- nvme_watch.c: @q locked */
void nvme_watch_begin(struct nvme_queue *q, u64 now);
void nvme_poll_begin(struct nvme_queue *q, u64 now);
void nvme_watch_init(struct nvme_queue *q);
void nvme_watch_stop(struct nvme_queue *q); /* not locked */

/* ---- nvme_recover.c */
void nvme_request(struct nvme_ctrl *c, u64 work); /* any context */
int nvme_worker_start(struct nvme_ctrl *c);
void nvme_work(struct nvme_ctrl *c); /* all that is requested; coroutine */
/* The end: no DMA from here on, all requests -EIO.  Any context, no lock. */
void nvme_die(struct nvme_ctrl *c, const char *why);
/* For users: have it done, and wait.  0 or -errno. */
int nvme_user_reset(struct nvme_ctrl *c);
int nvme_change_mode(struct nvme_ctrl *c, enum nvme_mode mode);
int nvme_user_rescan(struct nvme_ctrl *c);
/* The machine is about to stop. */
void nvme_shut(struct nvme_ctrl *c);

/* ---- nvme_event.c: worker */
void nvme_events_begin(struct nvme_ctrl *c);
void nvme_events_handle(struct nvme_ctrl *c);

/* ---- nvme_identify.c: coroutine */
int nvme_identify_ctrl(struct nvme_ctrl *c) __must_check;
/*
 * Look what namespaces there are, and break the disks of those that have gone.
 * New ones become disks by nvme_show_ns(): it reads partition tables, so it is not
 * for the worker.
 */
int nvme_scan(struct nvme_ctrl *c);
void nvme_show_ns(struct nvme_ctrl *c);

/* ---- nvme_dev.c */
int nvme_dev_register(struct nvme_ctrl *c);
s64 nvme_ns_ioctl(struct blkdev *bd, unsigned int cmd, u64 arg, bool can_write);

/* ---- nvme_sysfs.c: the controller's node is registered; the disk is */
void nvme_sys_add(struct nvme_ctrl *c);
void nvme_sys_add_ns(struct nvme_ns *ns);

/* ---- nvme_pci.c: parameters, and one place for all queues */
u32 nvme_nr_queues(const struct nvme_ctrl *c); /* admin included */
struct nvme_queue *nvme_queue_nr(const struct nvme_ctrl *c, u32 i);
extern u64 nvme_io_timeout_ns, nvme_admin_timeout_ns; /* [I after boot] */
extern const char *const nvme_mode_names[NR_NVME_MODES];

static inline enum nvme_state nvme_state(const struct nvme_ctrl *c)
{
	/* relaxed: who acts on it checks again under a queue's lock */
	return (enum nvme_state)load_once(&c->state);
}

#endif /* DRIVERS_NVME_NVME_H */
