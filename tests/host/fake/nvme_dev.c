/* SPDX-License-Identifier: MIT */
/* tests/host/fake/nvme_dev.c - see nvme_dev.h. */
#include <tests/host/cmocka.h>

#include <tests/host/fake/nvme_dev.h>

#define PAGE 4096u
#define GONE 0xffffffffu

static u32 reg(const struct fake_nvme *d, u32 at)
{
	u32 v;

	memcpy(&v, d->regs + at, 4);
	return v;
}

static void set_reg(struct fake_nvme *d, u32 at, u32 v)
{
	memcpy(d->regs + at, &v, 4);
}

static u64 reg64(const struct fake_nvme *d, u32 at)
{
	return reg(d, at) | (u64)reg(d, at + 4) << 32;
}

static u32 doorbell(const struct fake_nvme *d, u32 qid, bool cq)
{
	return reg(d, NVME_DB_BASE + 4 * (2 * qid + cq));
}

/* ---- memory */

/* The @n-th page of a transfer, and how much of it. */
static u8 *page_of(const struct fake_nvme *d, const struct nvme_sqe *e, u32 n,
		   u32 total)
{
	u32 first = PAGE - (u32)(e->prp[0] % PAGE);
	const u64 *list = (const u64 *)(uintptr_t)e->prp[1];
	u64 at;

	assert_true(d->master);
	assert_int_equal(e->prp[0] % 4, 0);
	if (n == 0)
		return (u8 *)(uintptr_t)e->prp[0];
	if (total <= first + PAGE) {
		at = e->prp[1];
	} else {
		/* the list is within one page */
		assert_int_equal(e->prp[1] % 8, 0);
		assert_true(e->prp[1] % PAGE + 8ull * n <= PAGE);
		at = list[n - 1];
	}
	assert_true(at);
	assert_int_equal(at % PAGE, 0);
	return (u8 *)(uintptr_t)at;
}

static void transfer(struct fake_nvme *d, const struct nvme_sqe *e, u8 *mine,
		     u32 total, bool to_host)
{
	u32 done = 0;

	for (u32 n = 0; done < total; n++) {
		u8 *p = page_of(d, e, n, total);
		u32 len = PAGE - (u32)((uintptr_t)p % PAGE);

		if (len > total - done)
			len = total - done;
		if (to_host)
			memcpy(p, mine + done, len);
		else
			memcpy(mine + done, p, len);
		done += len;
	}
}

/* ---- completions */

static void write_cqe(struct fake_nvme *d, u16 qid, u16 sq_id, u16 cid,
		      u16 head, u16 status, u64 result, bool flip)
{
	struct fake_queue *q = &d->q[qid];
	struct nvme_cqe *cqe = (struct nvme_cqe *)(uintptr_t)q->cq;
	u16 after = (u16)((q->cq_tail + 1) % q->cq_size);

	assert_true(d->master);
	assert_int_not_equal(after, doorbell(d, qid, true)); /* full */
	cqe[q->cq_tail] = (struct nvme_cqe){
		.result = result,
		.sq_head = head,
		.sq_id = sq_id,
		.cid_status =
			(u32)status << 17 | cid | (u32)(q->phase != flip) << 16,
	};
	q->cq_tail = after;
	if (!after)
		q->phase = !q->phase;
	if (q->irqs && !d->drop_irqs)
		q->pin = true;
}

static void complete(struct fake_nvme *d, struct fake_cmd *c, u16 status,
		     u64 result)
{
	struct fake_queue *q = &d->q[c->qid];
	enum fake_lie lie = d->lie_qid == c->qid ? d->lie : TRUTH;
	u16 cid = c->e.cid, head = q->head, sqid = c->qid;

	c->used = false;
	if (lie)
		d->lie = TRUTH;
	if (lie == LIE_CID)
		cid ^= 0x100;
	if (lie == LIE_CID_RANGE)
		cid |= 0xff;
	if (lie == LIE_SQID)
		sqid++;
	if (lie == LIE_HEAD_RANGE)
		head = q->sq_size;
	if (lie == LIE_HEAD_AHEAD)
		head = (u16)((doorbell(d, c->qid, false) + 1) % q->sq_size);
	if (lie == LIE_HEAD_BACK)
		head = (u16)((head + q->sq_size - 1) % q->sq_size);
	write_cqe(d, c->qid, sqid, cid, head, status, result, lie == LIE_PHASE);
	if (lie == LIE_TWICE)
		write_cqe(d, c->qid, sqid, cid, head, status, result, false);
}

/* ---- admin commands */

static void identify(struct fake_nvme *d, const struct nvme_sqe *e)
{
	u8 page[PAGE] = { 0 };
	u64 blocks = FAKE_BLOCKS;
	u32 format = d->block_shift << 16, nn = 8;

	switch (e->cdw10 & 0xff) {
	case NVME_CNS_CTRL:
		memcpy(page + NVME_IDC_SN, "serial  ", 8);
		memcpy(page + NVME_IDC_MN, "a \x01model   ", 11);
		page[NVME_IDC_MDTS] = d->mdts;
		page[NVME_IDC_VWC] = 1;
		page[NVME_IDC_ONCS] = NVME_ONCS_DSM | NVME_ONCS_ZEROES;
		page[NVME_IDC_AERL] = 3;
		memcpy(page + NVME_IDC_NN, &nn, 4);
		break;
	case NVME_CNS_ACTIVE_NS:
		memcpy(page, d->nsids, sizeof(d->nsids));
		break;
	case NVME_CNS_NS:
		memcpy(page + NVME_IDN_NSZE, &blocks, 8);
		memcpy(page + NVME_IDN_LBAF, &format, 4);
		break;
	default:
		break;
	}
	transfer(d, e, page, PAGE, true);
}

static u16 create_queue(struct fake_nvme *d, const struct nvme_sqe *e, bool cq)
{
	u32 qid = e->cdw10 & 0xffff, size = (e->cdw10 >> 16) + 1;
	struct fake_queue *q = &d->q[qid];

	if (!qid || qid >= FAKE_QUEUES || qid > d->grant)
		return NVME_SC(1, 1);
	assert_int_equal(e->prp[0] % PAGE, 0);
	assert_true(size >= 2 && size <= (reg(d, 0) & 0xffff) + 1);
	assert_true(e->cdw11 & 1);
	if (cq) {
		assert_int_equal(q->cq, 0);
		*q = (struct fake_queue){ .cq = e->prp[0],
					  .cq_size = (u16)size,
					  .phase = true,
					  .irqs = e->cdw11 & 2,
					  .vector = e->cdw11 >> 16 };
	} else {
		assert_true(q->cq && !q->sq);
		assert_int_equal(e->cdw11 >> 16, qid);
		q->sq = e->prp[0];
		q->sq_size = (u16)size;
	}
	set_reg(d, NVME_DB_BASE + 4 * (2 * qid + cq), 0);
	return 0;
}

static u16 delete_queue(struct fake_nvme *d, u32 qid, bool cq)
{
	if (!qid || qid >= FAKE_QUEUES)
		return NVME_SC(1, 1);
	assert_true(!cq || !d->q[qid].sq);
	for (u32 i = 0; i < FAKE_CMDS; i++) {
		if (d->cmd[i].used && d->cmd[i].qid == qid)
			/* QEMU 7.2 calls what it cancels a write fault */
			complete(d, &d->cmd[i], NVME_SC(2, 0x80), 0);
	}
	if (cq)
		d->q[qid].cq = 0;
	else
		d->q[qid].sq = 0;
	return 0;
}

static u64 abort_one(struct fake_nvme *d, u32 dword)
{
	d->nr_aborts++;
	for (u32 i = 0; i < FAKE_CMDS && !d->ignore_abort; i++) {
		struct fake_cmd *c = &d->cmd[i];

		if (c->used && c->qid == (dword & 0xffff) &&
		    c->e.cid == dword >> 16) {
			complete(d, c, NVME_SC_ABORTED, 0);
			return 0;
		}
	}
	return d->ignore_abort ? 0 : 1;
}

/* False: it stays. */
static bool do_admin(struct fake_nvme *d, struct fake_cmd *c)
{
	const struct nvme_sqe e = c->e;
	u8 page[PAGE] = { 0 };
	u64 result = 0;
	u16 status = 0;

	if (e.opcode == NVME_ADM_ASYNC_EVENT)
		return false;
	if (d->hold_admin) {
		c->e.flags = 1; /* never looked at again */
		return false;
	}
	switch (e.opcode) {
	case NVME_ADM_IDENTIFY:
		identify(d, &e);
		break;
	case NVME_ADM_SET_FEATURES:
		if ((e.cdw10 & 0xff) == NVME_FEAT_NR_QUEUES)
			result = (d->grant - 1) << 16 | (d->grant - 1);
		break;
	case NVME_ADM_CREATE_CQ:
	case NVME_ADM_CREATE_SQ:
		status = create_queue(d, &e, e.opcode == NVME_ADM_CREATE_CQ);
		break;
	case NVME_ADM_DELETE_CQ:
	case NVME_ADM_DELETE_SQ:
		status = delete_queue(d, e.cdw10,
				      e.opcode == NVME_ADM_DELETE_CQ);
		break;
	case NVME_ADM_ABORT:
		result = abort_one(d, e.cdw10);
		break;
	case NVME_ADM_GET_LOG:
		transfer(d, &e, page, 4 * ((e.cdw10 >> 16) + 1), true);
		break;
	default:
		status = NVME_SC_INVALID_OPCODE;
		break;
	}
	complete(d, c, status, result);
	return true;
}

/* ---- I/O commands */

static u16 do_rw(struct fake_nvme *d, const struct nvme_sqe *e)
{
	u64 first = e->cdw10 | (u64)e->cdw11 << 32;
	u32 nr = (e->cdw12 & 0xffff) + 1;
	u8 *at = d->data + (first << d->block_shift);

	if (first + nr > FAKE_BLOCKS)
		return NVME_SC_LBA_RANGE;
	if (e->opcode == NVME_CMD_WRITE_ZEROES) {
		memset(at, 0, nr << d->block_shift);
		return 0;
	}
	if (d->mdts)
		assert_true(nr << d->block_shift <= PAGE << d->mdts);
	d->nr_fua += (e->cdw12 & NVME_RW_FUA) != 0;
	d->nr_reads += e->opcode == NVME_CMD_READ;
	transfer(d, e, at, nr << d->block_shift, e->opcode == NVME_CMD_READ);
	return 0;
}

static bool do_io(struct fake_nvme *d, struct fake_cmd *c)
{
	struct nvme_dsm_range range;
	u16 status = 0;

	if (d->hold_io) {
		d->hold_io--;
		c->e.flags = 1; /* never looked at again */
		return false;
	}
	if (d->fail_io) {
		d->fail_io--;
		complete(d, c, d->fail_status, 0);
		return true;
	}
	switch (c->e.opcode) {
	case NVME_CMD_FLUSH:
		d->nr_flushes++;
		break;
	case NVME_CMD_DSM:
		transfer(d, &c->e, (u8 *)&range, sizeof(range), false);
		d->nr_discards++;
		d->discarded_first = range.first;
		d->discarded_nr = range.nr_blocks;
		break;
	case NVME_CMD_READ:
	case NVME_CMD_WRITE:
	case NVME_CMD_WRITE_ZEROES:
		status = do_rw(d, &c->e);
		break;
	default:
		status = NVME_SC_INVALID_OPCODE;
		break;
	}
	complete(d, c, status, 0);
	return true;
}

/* ---- running */

static void fetch(struct fake_nvme *d, u16 qid)
{
	struct fake_queue *q = &d->q[qid];
	const struct nvme_sqe *sq = (const struct nvme_sqe *)(uintptr_t)q->sq;
	u32 tail = doorbell(d, qid, false);

	assert_true(!q->sq || tail < q->sq_size);
	while (q->sq && q->head != tail) {
		u32 i = 0;

		assert_true(d->master);
		while (i < FAKE_CMDS && d->cmd[i].used)
			i++;
		assert_true(i < FAKE_CMDS);
		d->cmd[i] = (struct fake_cmd){ .used = true,
					       .qid = qid,
					       .e = sq[q->head] };
		assert_int_equal(d->cmd[i].e.flags, 0);
		q->head = (u16)((q->head + 1) % q->sq_size);
	}
}

static bool serve(struct fake_nvme *d)
{
	u32 start =
		d->random_order ? (u32)random_below(&d->seed, FAKE_CMDS) : 0;
	bool did = false;

	for (u32 i = 0; i < FAKE_CMDS; i++) {
		struct fake_cmd *c = &d->cmd[(i + start) % FAKE_CMDS];

		if (!c->used || c->e.flags ||
		    (d->random_order && random_below(&d->seed, 4) == 0))
			continue;
		did |= c->qid ? do_io(d, c) : do_admin(d, c);
	}
	return did;
}

static void enable(struct fake_nvme *d)
{
	u32 aqa = reg(d, NVME_AQA);

	d->nr_enables++;
	if (d->fatal_enables) {
		d->fatal_enables--;
		set_reg(d, NVME_CSTS, (u32)NVME_CSTS_CFS);
		return;
	}
	assert_int_equal(reg64(d, NVME_ASQ) % PAGE, 0);
	memset(d->cmd, 0, sizeof(d->cmd));
	memset(d->q, 0, sizeof(d->q));
	memset(d->regs + NVME_DB_BASE, 0, PAGE);
	d->q[0] = (struct fake_queue){
		.sq = reg64(d, NVME_ASQ),
		.cq = reg64(d, NVME_ACQ),
		.sq_size = (u16)((aqa & 0xfff) + 1),
		.cq_size = (u16)((aqa >> 16 & 0xfff) + 1),
		.phase = true,
		.irqs = true,
	};
	set_reg(d, NVME_CSTS, (u32)NVME_CSTS_RDY);
}

static bool config_changed(struct fake_nvme *d)
{
	u32 cc = reg(d, NVME_CC);
	bool on = cc & NVME_CC_EN;

	if (FIELD_GET(NVME_CC_SHN, cc) && !d->shut) {
		d->shut = true;
		set_reg(d, NVME_CSTS, reg(d, NVME_CSTS) | 2u << 2);
		return true;
	}
	if (on == d->enabled)
		return false;
	if (!on && d->stuck_on)
		return false;
	d->enabled = on;
	if (on)
		enable(d);
	else
		set_reg(d, NVME_CSTS, 0);
	return true;
}

bool fake_nvme_run(struct fake_nvme *d)
{
	bool did;

	if (reg(d, NVME_CSTS) == GONE)
		return false;
	did = config_changed(d);
	if (!d->enabled || !(reg(d, NVME_CSTS) & NVME_CSTS_RDY) || !d->master)
		return did;
	for (u16 qid = 0; qid < FAKE_QUEUES; qid++)
		fetch(d, qid);
	return serve(d) || did;
}

void fake_nvme_event(struct fake_nvme *d, u32 dword0)
{
	for (u32 i = 0; i < FAKE_CMDS; i++) {
		struct fake_cmd *c = &d->cmd[i];

		if (c->used && !c->qid && c->e.opcode == NVME_ADM_ASYNC_EVENT) {
			complete(d, c, 0, dword0);
			return;
		}
	}
	fail_msg("no request for an event is outstanding");
}

void fake_nvme_fatal(struct fake_nvme *d)
{
	set_reg(d, NVME_CSTS, reg(d, NVME_CSTS) | (u32)NVME_CSTS_CFS);
	for (u32 i = 0; i < FAKE_CMDS; i++)
		d->cmd[i].e.flags = 1;
}

void fake_nvme_remove(struct fake_nvme *d)
{
	memset(d->regs, 0xff, sizeof(d->regs));
}

void fake_nvme_init(struct fake_nvme *d, u32 block_shift)
{
	memset(d, 0, sizeof(*d));
	d->block_shift = block_shift;
	d->data = calloc(FAKE_BLOCKS, 1u << block_shift);
	d->grant = FAKE_QUEUES - 1;
	d->nsids[0] = 1;
	d->seed = 1;
	/* 1024 entries, a second to get ready, NVM commands */
	set_reg(d, NVME_CAP, 1023 | 2u << 24);
	set_reg(d, NVME_CAP + 4, 1u << 5);
	set_reg(d, NVME_VS, 0x00010200);
}

void fake_nvme_free(struct fake_nvme *d)
{
	free(d->data);
}
