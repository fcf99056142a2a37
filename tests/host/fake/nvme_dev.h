/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/nvme_dev.h - an NVMe controller in memory.
 *
 * It knows its registers, doorbells and what they lead to, and nothing of the
 * driver.  fake_nvme_run() is its time: it notices what was written to registers,
 * fetches and completes commands.  By default it does as the specification says;
 * members marked [test] make it slow, broken or a liar.
 */
#ifndef TESTS_HOST_FAKE_NVME_DEV_H
#define TESTS_HOST_FAKE_NVME_DEV_H

#include <drivers/nvme/nvme_regs.h>

#define FAKE_BLOCKS 4096u
#define FAKE_QUEUES 4u
#define FAKE_CMDS   1024u

enum fake_lie {
	TRUTH,
	LIE_CID,	/* a command id that nobody gave */
	LIE_CID_RANGE,	/* one beyond all slots */
	LIE_SQID,	/* of another queue */
	LIE_HEAD_RANGE, /* a head beyond the queue */
	LIE_HEAD_AHEAD, /* has read more than was shown */
	LIE_HEAD_BACK,	/* has not read the command that it completes */
	LIE_TWICE,	/* the same completion again */
	LIE_PHASE,	/* an entry that does not look new */
};

struct fake_queue {
	u64 sq, cq; /* addresses; 0: not created */
	u16 sq_size, cq_size;
	u16 head;    /* of the SQ */
	u16 cq_tail; /* next entry to write */
	bool phase;
	bool irqs;
	u32 vector;
	bool pin; /* an interrupt that the driver has not seen */
};

struct fake_cmd {
	bool used;
	u16 qid;
	struct nvme_sqe e;
};

struct fake_nvme {
	u8 regs[0x2000] __attribute__((aligned(4096)));
	struct fake_queue q[FAKE_QUEUES];
	struct fake_cmd cmd[FAKE_CMDS];
	u8 *data; /* FAKE_BLOCKS of block_size */
	u32 block_shift;
	bool enabled;
	/* [test] */
	bool drop_irqs;	   /* no interrupt is ever raised */
	bool stuck_on;	   /* does not get unready when disabled */
	u32 fatal_enables; /* so many times: CFS instead of RDY */
	u32 hold_io;	   /* so many I/O commands are never answered */
	bool hold_admin;   /* no admin command is ever answered */
	bool ignore_abort; /* says yes, does nothing */
	bool random_order; /* of completions */
	u32 fail_io;	   /* so many I/O commands end with fail_status */
	u16 fail_status;
	enum fake_lie lie; /* in the next completion of queue lie_qid */
	u16 lie_qid;
	u32 nsids[8]; /* active ones, up to the first 0 */
	u32 grant;    /* queues */
	u8 mdts;
	u64 seed;
	/* what it has seen */
	u32 nr_enables, nr_aborts, nr_flushes, nr_fua, nr_discards, nr_reads;
	u32 nr_events_waiting;
	u64 discarded_first, discarded_nr;
	bool shut;
	bool master; /* what the driver lets it do: no access to memory else */
};

void fake_nvme_init(struct fake_nvme *d, u32 block_shift);
void fake_nvme_free(struct fake_nvme *d);
/* True: something has changed. */
bool fake_nvme_run(struct fake_nvme *d);
/* Answer an asynchronous event request. */
void fake_nvme_event(struct fake_nvme *d, u32 dword0);
void fake_nvme_fatal(struct fake_nvme *d);
/* All reads give ones from here on. */
void fake_nvme_remove(struct fake_nvme *d);

#endif /* TESTS_HOST_FAKE_NVME_DEV_H */
