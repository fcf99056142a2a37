/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/nvme_rig.h - the NVMe driver over a fake controller, with as much
 * kernel around it as it needs: memory, one hart, timers and time.
 *
 * Time passes only in rig_turn(): what the driver waits for, and what a test waits
 * for with rig_until(), happens there, in an order that is always the same.
 */
#ifndef TESTS_HOST_FAKE_NVME_RIG_H
#define TESTS_HOST_FAKE_NVME_RIG_H

#include <drivers/nvme/nvme.h>
#include <tests/host/fake/nvme_dev.h>

extern struct fake_nvme dev;
extern struct nvme_ctrl *ctrl;
extern u64 rig_now;
extern u32 rig_lost;   /* messages about lost interrupts */
extern u32 rig_broken; /* disks that blkdev_break() was called for */

/* Everything new; then the device may be changed, and rig_probe() follows. */
void rig_init(u32 block_shift);
/* As the probe does: 0 or -errno. */
int rig_probe(u32 nr_ioq, u16 depth);
void rig_free(void);
/* Something happens: the device, an interrupt, the worker, or a timer. */
void rig_turn(void);
/* Until *@flag is at least @want; false: not within @ns. */
bool rig_until(const u32 *flag, u32 want, u64 ns);
void rig_pass(u64 ns);
struct blkdev *rig_disk(u32 i);

/* A bio of a test. */
struct user {
	struct bio bio;
	u32 ended;
	u64 ended_at;
};
void user_init(struct user *u, enum bio_op op, u64 sector, u32 nr_sectors);
void user_seg(struct user *u, void *addr, u32 len);
/* As the core does, without its queue: 0, or -EBUSY and the like. */
int user_start(u32 disk, struct user *u);
/* And wait: its status. */
int user_run(u32 disk, struct user *u);

#endif /* TESTS_HOST_FAKE_NVME_RIG_H */
