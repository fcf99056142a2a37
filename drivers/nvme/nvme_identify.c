/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_identify.c - what the controller and its namespaces are.
 *
 * Namespaces that we can use become disks nvme<controller>n<number>, numbered in
 * the order in which they are found, as on Linux.  A namespace with metadata, or
 * with blocks that are not between 512 and 4096 bytes, is named and left alone.
 *
 * INVARIANTS
 *   I1  A number, size or string of the device is checked before it is used.
 *   I2  c->ns[] only grows; a namespace that went stays, its disk broken.
 *
 * ORDERING
 *   NSLIST  a namespace complete before nr_ns counts it.
 *
 * Context: coroutine of the probe or the worker; nvme_show_ns() not the worker.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MAX_LBA_SHIFT	12u /* a block fits into a page */
#define SHUTDOWN_MIN_MS 5000u
#define SHUTDOWN_MAX_MS 30000u

/* ---- a page of data */

static int identify(struct nvme_ctrl *c, u32 cns, u32 nsid,
		    struct nvme_sync **out)
{
	const struct nvme_sqe cmd = { .opcode = NVME_ADM_IDENTIFY,
				      .nsid = nsid,
				      .cdw10 = cns };

	return nvme_admin_read(c, &cmd, NVME_IDENTIFY_SIZE, out);
}

static u64 field(const struct nvme_sync *s, u32 offset, u32 bytes)
{
	u64 v = 0;

	memcpy(&v, (const u8 *)s->buf + offset, bytes);
	return v;
}

/* Padded with blanks, and ASCII if the device is right. */
static void copy_text(char *out, size_t size, const struct nvme_sync *s,
		      u32 offset, u32 len)
{
	const u8 *p = (const u8 *)s->buf + offset;
	size_t end = 0;

	for (u32 i = 0; i < len && i + 1 < size && p[i]; i++) {
		out[i] = (char)(p[i] < 0x20 || p[i] > 0x7e ? '?' : p[i]);
		if (out[i] != ' ')
			end = i + 1;
	}
	out[end] = '\0';
}

/* ---- controller */

static void set_max_bytes(struct nvme_ctrl *c)
{
	u32 page_log2 = 12 + (u32)FIELD_GET(NVME_CAP_MPSMIN, c->cap);

	c->max_bytes = NVME_MAX_TRANSFER;
	if (c->mdts && c->mdts + page_log2 < 31)
		c->max_bytes = min(c->max_bytes, 1u << (c->mdts + page_log2));
}

static void fill_ctrl(struct nvme_ctrl *c, const struct nvme_sync *s)
{
	u64 rtd3e = field(s, NVME_IDC_RTD3E, 4) / 1000;

	copy_text(c->serial, sizeof(c->serial), s, NVME_IDC_SN, 20);
	copy_text(c->model, sizeof(c->model), s, NVME_IDC_MN, 40);
	copy_text(c->firmware, sizeof(c->firmware), s, NVME_IDC_FR, 8);
	copy_text(c->nqn, sizeof(c->nqn), s, NVME_IDC_SUBNQN, 256);
	c->mdts = (u8)field(s, NVME_IDC_MDTS, 1);
	c->cntlid = (u16)field(s, NVME_IDC_CNTLID, 2);
	c->cntrltype = (u8)field(s, NVME_IDC_CNTRLTYPE, 1);
	c->oaes = (u32)field(s, NVME_IDC_OAES, 4);
	c->aerl = (u8)field(s, NVME_IDC_AERL, 1);
	c->nr_nsids = (u32)field(s, NVME_IDC_NN, 4);
	c->oncs = (u16)field(s, NVME_IDC_ONCS, 2);
	c->write_cache = field(s, NVME_IDC_VWC, 1) & NVME_VWC_PRESENT;
	c->shutdown_ms =
		(u32)clamp(rtd3e, (u64)SHUTDOWN_MIN_MS, (u64)SHUTDOWN_MAX_MS);
	if (!c->nqn[0])
		scnprintf(c->nqn, sizeof(c->nqn),
			  "nqn.2014.08.org.nvmexpress:%s", c->serial);
	set_max_bytes(c);
}

int nvme_identify_ctrl(struct nvme_ctrl *c)
{
	struct nvme_sync *s;
	int err = identify(c, NVME_CNS_CTRL, 0, &s);

	if (err)
		return err;
	fill_ctrl(c, s);
	nvme_sync_put(s);
	/* limits that came with 2.0; without them there are none */
	if (!identify(c, NVME_CNS_CS_CTRL, 0, &s)) {
		u32 wzsl = (u32)field(s, NVME_IDCS_WZSL, 1);

		if (wzsl)
			c->zeroes_bytes_log2 =
				wzsl + 12 +
				(u32)FIELD_GET(NVME_CAP_MPSMIN, c->cap);
		c->dsm_blocks = (u32)field(s, NVME_IDCS_DMRSL, 4);
		nvme_sync_put(s);
	}
	return 0;
}

/* ---- namespaces */

/* 0, or why it cannot be a disk. */
static const char *fill_format(struct nvme_ns *ns, const struct nvme_sync *s)
{
	u32 flbas = (u32)field(s, NVME_IDN_FLBAS, 1);
	u32 index = (u32)FIELD_GET(NVME_FLBAS_LOW, flbas) |
		    (u32)FIELD_GET(NVME_FLBAS_HIGH, flbas) << 4;
	u32 format = (u32)field(s, NVME_IDN_LBAF + 4 * index, 4);
	u64 blocks = field(s, NVME_IDN_NSZE, 8);

	ns->lba_shift = (u32)FIELD_GET(NVME_LBAF_LBADS, format);
	if (!blocks)
		return "is empty";
	if (FIELD_GET(NVME_LBAF_MS, format))
		return "has metadata";
	if (ns->lba_shift < SECTOR_SHIFT || ns->lba_shift > MAX_LBA_SHIFT)
		return "has blocks of a size that we do not know";
	if (blocks > ~0ull >> ns->lba_shift)
		return "is too large to be true";
	ns->bd.nr_sectors = blocks << (ns->lba_shift - SECTOR_SHIFT);
	return NULL;
}

static u32 zeroes_limit(const struct nvme_ctrl *c, u32 lba_shift)
{
	u64 bytes = (u64)NVME_RW_MAX_BLOCKS << lba_shift;

	if (c->zeroes_bytes_log2 && c->zeroes_bytes_log2 < 40)
		bytes = min(bytes, (u64)1 << c->zeroes_bytes_log2);
	return (u32)(bytes >> SECTOR_SHIFT);
}

static u32 discard_limit(const struct nvme_ctrl *c, u32 lba_shift)
{
	u64 blocks = c->dsm_blocks ? c->dsm_blocks : ~0u;
	u64 sectors = blocks << (lba_shift - SECTOR_SHIFT);
	u32 spb = 1u << (lba_shift - SECTOR_SHIFT);

	return (u32)min(sectors, (u64)(~0u - (spb - 1)));
}

static void fill_disk(struct nvme_ns *ns, const struct nvme_sync *s)
{
	const struct nvme_ctrl *c = ns->ctrl;
	struct blkdev *bd = &ns->bd;

	bd->ops = &nvme_blk_ops;
	bd->priv = ns;
	bd->nr_hwq = c->nr_ioq;
	bd->block_size = 1u << ns->lba_shift;
	bd->max_sectors = c->max_bytes >> SECTOR_SHIFT;
	bd->has_flush = c->write_cache;
	bd->has_fua = c->write_cache && !c->ignores_fua;
	bd->has_discard = c->oncs & NVME_ONCS_DSM;
	bd->max_discard_sectors = discard_limit(c, ns->lba_shift);
	bd->has_write_zeroes = (c->oncs & NVME_ONCS_ZEROES) != 0;
	bd->max_zero_sectors = zeroes_limit(c, ns->lba_shift);
	bd->read_only = field(s, NVME_IDN_NSATTR, 1) & NVME_NSATTR_WP;
	memcpy(ns->nguid, (const u8 *)s->buf + NVME_IDN_NGUID, 16);
	memcpy(ns->eui64, (const u8 *)s->buf + NVME_IDN_EUI64, 8);
}

/* The UUID is in a list of descriptors of its own. */
static void read_uuid(struct nvme_ns *ns)
{
	struct nvme_sync *s;
	u32 at = 0;

	if (identify(ns->ctrl, NVME_CNS_NS_DESC, ns->nsid, &s))
		return;
	while (at + NVME_NIDT_HEADER + 16 <= NVME_IDENTIFY_SIZE) {
		u32 type = (u32)field(s, at, 1);
		u32 len = (u32)field(s, at + 1, 1);

		if (!len)
			break;
		at += NVME_NIDT_HEADER;
		if (type == NVME_NIDT_UUID && len == 16)
			memcpy(ns->uuid, (const u8 *)s->buf + at, 16);
		at += len;
	}
	nvme_sync_put(s);
}

static void publish_ns(struct nvme_ctrl *c, struct nvme_ns *ns)
{
	u32 nr = c->nr_ns;

	scnprintf(ns->bd.name, sizeof(ns->bd.name), "%sn%u", c->name, nr + 1);
	c->ns[nr] = ns;
	/* NSLIST (release) - pairs with nvme_show_ns() and others. */
	store_release(&c->nr_ns, nr + 1);
}

static int add_ns(struct nvme_ctrl *c, u32 nsid)
{
	struct nvme_sync *s;
	struct nvme_ns *ns;
	const char *why;
	int err;

	if (c->nr_ns == NVME_MAX_NS)
		return -ENOSPC;
	err = identify(c, NVME_CNS_NS, nsid, &s);
	if (err)
		return err;
	ns = kzalloc(sizeof(*ns));
	if (!ns) {
		nvme_sync_put(s);
		return -ENOMEM;
	}
	ns->ctrl = c;
	ns->nsid = nsid;
	why = fill_format(ns, s);
	if (!why)
		fill_disk(ns, s);
	nvme_sync_put(s);
	if (why) {
		/* numbers without a namespace read as zeroes */
		if (ns->lba_shift)
			pr_info("%s: namespace %u %s, left alone", c->name,
				nsid, why);
		kfree(ns);
		return 0;
	}
	if (c->version >= NVME_VS_1_3)
		read_uuid(ns);
	publish_ns(c, ns);
	return 0;
}

/* The disk ends: its requests must not reach what is there now. */
static void drop(struct nvme_ns *ns, const char *why)
{
	pr_warn("%s: the namespace %s", ns->bd.name, why);
	store_once(&ns->gone, true);
	if (load_once(&ns->shown))
		blkdev_break(&ns->bd);
}

/* It is there still: is it the same? */
static int check_ns(struct nvme_ns *ns)
{
	struct nvme_ns *now = kzalloc(sizeof(*now));
	struct nvme_sync *s;
	const char *why;
	int err;

	if (!now)
		return -ENOMEM;
	err = identify(ns->ctrl, NVME_CNS_NS, ns->nsid, &s);
	if (!err) {
		why = fill_format(now, s);
		nvme_sync_put(s);
		if (why)
			drop(ns, why);
		else if (now->lba_shift != ns->lba_shift)
			drop(ns, "has blocks of another size now");
		else if (now->bd.nr_sectors != ns->bd.nr_sectors)
			blkdev_resize(&ns->bd, now->bd.nr_sectors);
	}
	kfree(now);
	return err;
}

static struct nvme_ns *find_ns(const struct nvme_ctrl *c, u32 nsid)
{
	for (u32 i = 0; i < c->nr_ns; i++) {
		if (c->ns[i]->nsid == nsid && !c->ns[i]->gone)
			return c->ns[i];
	}
	return NULL;
}

static int see_ns(struct nvme_ctrl *c, u32 nsid)
{
	struct nvme_ns *ns = find_ns(c, nsid);

	return ns ? check_ns(ns) : add_ns(c, nsid);
}

/* Those that are not in @list, which ends with 0 or is full, have gone. */
static void drop_missing(struct nvme_ctrl *c, const u32 *list)
{
	for (u32 i = 0; i < c->nr_ns; i++) {
		struct nvme_ns *ns = c->ns[i];
		u32 k = 0;

		while (k < NVME_NR_NS_LIST && list[k] && list[k] != ns->nsid)
			k++;
		if ((k < NVME_NR_NS_LIST && list[k]) || ns->gone)
			continue;
		drop(ns, "has gone");
	}
}

static int scan_list(struct nvme_ctrl *c)
{
	struct nvme_sync *s;
	const u32 *list;
	int err = identify(c, NVME_CNS_ACTIVE_NS, 0, &s);

	if (err)
		return err;
	list = s->buf;
	drop_missing(c, list);
	for (u32 i = 0; i < NVME_NR_NS_LIST && list[i] && !err; i++)
		err = see_ns(c, list[i]);
	nvme_sync_put(s);
	return err == -ENOSPC ? 0 : err;
}

/* Before 1.1, and where there is no list. */
static int scan_numbers(struct nvme_ctrl *c)
{
	int err = 0;

	for (u32 id = 1; id <= min(c->nr_nsids, NVME_MAX_NS) && !err; id++)
		err = see_ns(c, id);
	return err == -ENOSPC ? 0 : err;
}

int nvme_scan(struct nvme_ctrl *c)
{
	if (c->version >= NVME_VS_1_1 && scan_list(c) == 0)
		return 0;
	return scan_numbers(c);
}

void nvme_show_ns(struct nvme_ctrl *c)
{
	/* NSLIST (acquire) - pairs with publish_ns(). */
	u32 nr = load_acquire(&c->nr_ns);

	for (u32 i = 0; i < nr; i++) {
		struct nvme_ns *ns = c->ns[i];
		int err;

		if (atomic_xchg(&ns->claimed, 1u))
			continue;
		ns->bd.device = c->sys;
		err = blkdev_register(&ns->bd);
		if (err) {
			pr_err("%s: error %d", ns->bd.name, err);
			continue;
		}
		store_once(&ns->shown, true);
		nvme_sys_add_ns(ns);
	}
}
