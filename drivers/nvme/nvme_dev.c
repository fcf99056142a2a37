/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_dev.c - commands of programs: /dev/nvme0 and ioctls of disks.
 *
 * Numbers and structures are Linux's, so that nvme-cli works.  The caller needs
 * CAP_SYS_ADMIN.  Data go through pages of the kernel's: what the device reads or
 * writes is never user memory, whose pages may be given away meanwhile.
 *
 * A command that says itself how much it moves is checked against the length of the
 * caller's buffer.  Of others the caller has to know it, as on Linux.  Commands
 * that would take the queues away from under this driver are refused, and after
 * one that may change namespaces they are looked at again.
 *
 * Errors: -EACCES, -EINVAL (length, flags, refused), -EFAULT, -EINTR (a reset came
 * in between), -EIO (dead); else the status of the device, as a positive number.
 *
 * Context: coroutine of the caller.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/dev/dev.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define NVME_CHR_MAJOR 241u

/* <linux/nvme_ioctl.h>: _IO, _IOW, _IOWR of 'N' and a size */
#define NVME_IOCTL_ID		0x4e40u
#define NVME_IOCTL_ADMIN_CMD	0xc0484e41u
#define NVME_IOCTL_SUBMIT_IO	0x40304e42u
#define NVME_IOCTL_IO_CMD	0xc0484e43u
#define NVME_IOCTL_RESET	0x4e44u
#define NVME_IOCTL_SUBSYS_RESET 0x4e45u
#define NVME_IOCTL_RESCAN	0x4e46u
#define NVME_IOCTL_ADMIN64_CMD	0xc0504e47u
#define NVME_IOCTL_IO64_CMD	0xc0504e48u

/* As user space lays it out; the 64-bit form has a word more, see below. */
struct user_cmd {
	u8 opcode, flags;
	u16 rsvd1;
	u32 nsid;
	u32 cdw2, cdw3;
	u64 metadata, addr;
	u32 metadata_len, data_len;
	u32 cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
	u32 timeout_ms;
};
#define RESULT32_OFFSET 68u
#define RESULT64_OFFSET 72u
STATIC_ASSERT(offsetof(struct user_cmd, timeout_ms) == 64, "Linux's ABI");

struct user_io {
	u8 opcode, flags;
	u16 control, nblocks, rsvd;
	u64 metadata, addr, slba;
	u32 dsmgmt, reftag;
	u16 apptag, appmask;
};
STATIC_ASSERT(sizeof(struct user_io) == 48, "Linux's ABI");

/* A command on its way, and what came of it. */
struct request {
	struct nvme_sqe sqe;
	uaddr_t addr;
	u32 len;
	u64 timeout_ns;
	u64 result;
};

/* ---- what we let through */

enum {
	ADM_NS_MANAGEMENT = 0x0d,
	ADM_NS_ATTACHMENT = 0x15,
	ADM_DOORBELL_BUFFER = 0x7c,
	ADM_FORMAT = 0x80,
	ADM_SANITIZE = 0x84,
	CMD_COMPARE = 0x05,
};

static bool is_ours(u8 opcode)
{
	return opcode == NVME_ADM_DELETE_SQ || opcode == NVME_ADM_CREATE_SQ ||
	       opcode == NVME_ADM_DELETE_CQ || opcode == NVME_ADM_CREATE_CQ ||
	       opcode == NVME_ADM_ASYNC_EVENT || opcode == ADM_DOORBELL_BUFFER;
}

static bool changes_namespaces(u8 opcode)
{
	return opcode == ADM_NS_MANAGEMENT || opcode == ADM_NS_ATTACHMENT ||
	       opcode == ADM_FORMAT || opcode == ADM_SANITIZE;
}

/* What the command will move at least, 0: unknown. */
static u64 admin_bytes(const struct nvme_sqe *e)
{
	u64 dwords;

	if (e->opcode == NVME_ADM_IDENTIFY)
		return NVME_IDENTIFY_SIZE;
	if (e->opcode != NVME_ADM_GET_LOG)
		return 0;
	dwords = (u64)(e->cdw11 & 0xffff) << 16 | e->cdw10 >> 16;
	return 4 * (dwords + 1);
}

static u64 io_bytes(const struct nvme_ns *ns, const struct nvme_sqe *e)
{
	if (e->opcode != NVME_CMD_READ && e->opcode != NVME_CMD_WRITE &&
	    e->opcode != CMD_COMPARE)
		return 0;
	return ((e->cdw12 & 0xffff) + 1ull) << ns->lba_shift;
}

/* ---- run it */

static int check_len(const struct nvme_ctrl *c, const struct request *rq,
		     u64 need)
{
	if (rq->len < need || rq->len > c->max_bytes)
		return -EINVAL;
	return 0;
}

static s64 run(struct nvme_queue *q, struct request *rq)
{
	bool to_device = rq->sqe.opcode & NVME_OPCODE_TO_DEVICE;
	struct nvme_sync *s = nvme_sync_alloc(rq->len);
	s64 r;

	if (!s)
		return -ENOMEM;
	s->cmd = rq->sqe;
	if (rq->timeout_ns)
		s->timeout_ns = rq->timeout_ns;
	r = 0;
	if (rq->len && to_device)
		r = copy_from_user(s->buf, rq->addr, rq->len);
	if (!r)
		r = nvme_sync_run(q, s);
	if (!r && rq->len && !to_device)
		r = copy_to_user(rq->addr, s->buf, rq->len);
	if (!r)
		r = s->status;
	rq->result = s->result;
	nvme_sync_put(s);
	return r;
}

static s64 run_admin(struct nvme_ctrl *c, struct request *rq)
{
	int err = check_len(c, rq, admin_bytes(&rq->sqe));
	s64 r;

	if (!err && is_ours(rq->sqe.opcode))
		err = -EINVAL;
	if (err)
		return err;
	r = run(c->admin, rq);
	if (r == 0 && changes_namespaces(rq->sqe.opcode))
		(void)nvme_user_rescan(c);
	return r;
}

static s64 run_io(struct nvme_ns *ns, struct request *rq)
{
	struct nvme_ctrl *c = ns->ctrl;
	int err = check_len(c, rq, io_bytes(ns, &rq->sqe));

	if (!err && rq->sqe.nsid != ns->nsid)
		err = -EINVAL;
	if (!err && load_once(&ns->gone))
		err = -EIO;
	if (err)
		return err;
	if (!rq->timeout_ns)
		rq->timeout_ns = nvme_io_timeout_ns;
	return run(c->of_cpu[this_cpu()], rq);
}

/* ---- from user space */

static int get_command(uaddr_t arg, struct request *rq)
{
	struct user_cmd u;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.flags || u.metadata_len)
		return -EINVAL;
	*rq = (struct request){
		.sqe = { .opcode = u.opcode,
			 .nsid = u.nsid,
			 .cdw2 = u.cdw2,
			 .cdw3 = u.cdw3,
			 .cdw10 = u.cdw10,
			 .cdw11 = u.cdw11,
			 .cdw12 = u.cdw12,
			 .cdw13 = u.cdw13,
			 .cdw14 = u.cdw14,
			 .cdw15 = u.cdw15 },
		.addr = u.addr,
		.len = u.data_len,
		.timeout_ns = u.timeout_ms * NSEC_PER_MSEC,
	};
	return 0;
}

static s64 put_result(uaddr_t arg, bool wide, const struct request *rq, s64 r)
{
	int err;

	if (r < 0)
		return r;
	err = wide ? put_user_u64(rq->result, arg + RESULT64_OFFSET)
		   : put_user_u32((u32)rq->result, arg + RESULT32_OFFSET);
	return err ? err : r;
}

static s64 user_admin(struct nvme_ctrl *c, uaddr_t arg, bool wide)
{
	struct request rq;
	int err = get_command(arg, &rq);

	return err ? err : put_result(arg, wide, &rq, run_admin(c, &rq));
}

static s64 user_io_cmd(struct nvme_ns *ns, uaddr_t arg, bool wide)
{
	struct request rq;
	int err = get_command(arg, &rq);

	return err ? err : put_result(arg, wide, &rq, run_io(ns, &rq));
}

static s64 submit_io(struct nvme_ns *ns, uaddr_t arg)
{
	struct request rq;
	struct user_io u;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.flags || u.metadata ||
	    (u.opcode != NVME_CMD_READ && u.opcode != NVME_CMD_WRITE &&
	     u.opcode != CMD_COMPARE))
		return -EINVAL;
	rq = (struct request){
		.sqe = { .opcode = u.opcode,
			 .nsid = ns->nsid,
			 .cdw10 = (u32)u.slba,
			 .cdw11 = (u32)(u.slba >> 32),
			 .cdw12 = u.nblocks | (u32)u.control << 16,
			 .cdw13 = u.dsmgmt,
			 .cdw14 = u.reftag,
			 .cdw15 = u.apptag | (u32)u.appmask << 16 },
		.addr = u.addr,
		.len = (u.nblocks + 1u) << ns->lba_shift,
	};
	return run_io(ns, &rq);
}

/* What is the same on the controller's node and on a disk's.  -ENOTTY: other. */
static s64 common_ioctl(struct nvme_ctrl *c, unsigned int cmd, uaddr_t arg)
{
	switch (cmd) {
	case NVME_IOCTL_ADMIN_CMD:
		return user_admin(c, arg, false);
	case NVME_IOCTL_ADMIN64_CMD:
		return user_admin(c, arg, true);
	default:
		return -ENOTTY;
	}
}

s64 nvme_ns_ioctl(struct blkdev *bd, unsigned int cmd, u64 arg,
		  bool can_write __unused)
{
	struct nvme_ns *ns = bd->whole->priv;

	switch (cmd) {
	case NVME_IOCTL_ID:
		return ns->nsid;
	case NVME_IOCTL_IO_CMD:
		return user_io_cmd(ns, arg, false);
	case NVME_IOCTL_IO64_CMD:
		return user_io_cmd(ns, arg, true);
	case NVME_IOCTL_SUBMIT_IO:
		return submit_io(ns, arg);
	default:
		return common_ioctl(ns->ctrl, cmd, arg);
	}
}

/* The controller's node takes I/O when it is clear for which namespace. */
static s64 only_ns_ioctl(struct nvme_ctrl *c, uaddr_t arg, bool wide)
{
	/* NSLIST (acquire) - pairs with publish_ns(). */
	if (load_acquire(&c->nr_ns) != 1)
		return -EINVAL;
	return user_io_cmd(c->ns[0], arg, wide);
}

static s64 nvme_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct nvme_ctrl *c = f->priv;
	bool admin = capable(CAP_SYS_ADMIN);

	switch (cmd) {
	case NVME_IOCTL_IO_CMD:
		return only_ns_ioctl(c, arg, false);
	case NVME_IOCTL_IO64_CMD:
		return only_ns_ioctl(c, arg, true);
	case NVME_IOCTL_RESET:
		return admin ? nvme_user_reset(c) : -EACCES;
	case NVME_IOCTL_RESCAN:
		return admin ? nvme_user_rescan(c) : -EACCES;
	case NVME_IOCTL_SUBSYS_RESET:
		/* would reset controllers that other drivers may have */
		return admin ? -ENOTTY : -EACCES;
	default:
		return common_ioctl(c, cmd, arg);
	}
}

static const struct file_ops nvme_fops = {
	.ioctl = nvme_ioctl,
};

static int nvme_open(struct chrdev *cd, struct file *f)
{
	f->priv = cd->priv;
	return 0;
}

int nvme_dev_register(struct nvme_ctrl *c)
{
	c->chr = (struct chrdev){
		.name = c->name,
		.dev = MKDEV(NVME_CHR_MAJOR, c->nr),
		.mode = 0600,
		.fops = &nvme_fops,
		.open = nvme_open,
		.priv = c,
	};
	return chrdev_register(&c->chr);
}
