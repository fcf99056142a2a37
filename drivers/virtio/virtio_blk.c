/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_blk.c - block device over virtqueues: set-up.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.2.  One queue for each service hart,
 * as many as the device has.
 *
 * Not here: requests (virtio_blk_io.c), resets (virtio_blk_watch.c).
 */
#include <drivers/virtio/virtio_blk_core.h>

#include <kernel/assert.h>
#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define VBLK_MAJOR	 254u
#define VBLK_MINORS	 16u /* of a disk, its partitions included */
#define VBLK_MAX_SECTORS 8192u

static u32 nr_disks;		      /* boot: probes run one after another */
static u32 boot_mode = BLK_WAIT_AUTO; /* [I after boot] */

static void parse_mode(const char *value)
{
	int mode = blk_wait_mode_parse(value);

	if (mode >= 0)
		boot_mode = (u32)mode;
}

BOOTPARAM(virtio_blk_mode, "virtio_blk.mode", parse_mode);

/* ---- /sys */

/* No line end, and empty when the disk has none: Linux's programs know it so. */
static s64 show_serial(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "%s", ((struct vblk *)obj)->serial);
}

static u64 sum_of(const struct vblk *vb, u64 which)
{
	u64 sum = 0;

	for (u32 i = 0; i < vb->bd.nr_hwq; i++) {
		const struct vblk_queue *q = &vb->queue[i];

		sum += which == 0   ? load_once(&q->vq->nr_notifies)
		       : which == 1 ? load_once(&q->vq->nr_interrupts)
				    : load_once(&q->nr_polled);
	}
	return sum;
}

static s64 show_sum(void *obj, const struct sys_attr *a, char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", sum_of(obj, a->arg));
}

static s64 show_lost(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%lu\n", ((struct vblk *)obj)->nr_lost);
}

static s64 show_resets(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "%lu\n", ((struct vblk *)obj)->nr_resets);
}

static s64 store_reset(void *obj, const struct sys_attr *a __unused,
		       const char *buf, size_t n)
{
	u64 v;
	int err = sys_parse_u64(buf, 1, 1, &v);

	if (err)
		return err;
	store_once(&((struct vblk *)obj)->reset_by_user, true);
	vblk_want_reset(obj, "somebody wants it");
	return (s64)n;
}

static const struct sys_attr serial_attr = {
	.name = "serial",
	.mode = 0444,
	.show = show_serial,
};

/* virtio_blk/ of the disk: counters, and a reset for those who test it. */
static const struct sys_attr own_attrs[] = {
	{ .name = "notifies", .mode = 0444, .show = show_sum, .arg = 0 },
	{ .name = "interrupts", .mode = 0444, .show = show_sum, .arg = 1 },
	{ .name = "polled", .mode = 0444, .show = show_sum, .arg = 2 },
	{ .name = "lost_interrupts", .mode = 0444, .show = show_lost },
	{ .name = "resets", .mode = 0444, .show = show_resets },
	{ .name = "reset", .mode = 0200, .store = store_reset },
};

static void add_sys(struct vblk *vb)
{
	struct sys_dir *own = sys_mkdir(vb->bd.sys, "virtio_blk", vb);

	(void)sys_add(own, own_attrs, ARRAY_SIZE(own_attrs));
	(void)sys_add_for(vb->bd.sys, &serial_attr, vb);
}

/* ---- configuration */

static void config_changed(struct virtio_dev *vd)
{
	struct vblk *vb = vd->priv;
	u64 capacity = virtio_config_read64(vd, VBC_CAPACITY);

	capacity -= capacity % (vb->bd.block_size >> SECTOR_SHIFT);
	if (virtio_needs_reset(vd))
		vblk_want_reset(vb, "asks for a reset");
	else if (capacity != load_once(&vb->bd.nr_sectors))
		blkdev_resize(&vb->bd, capacity);
}

static const struct blkdev_ops vblk_ops = {
	.submit = vblk_submit,
	.commit = vblk_commit,
	.poll = vblk_poll,
	.poll_begin = vblk_poll_begin,
	.poll_end = vblk_poll_end,
};

/* vda .. vdz, vdaa .. */
static void disk_name(u32 n, char *out, size_t size)
{
	char buf[8];
	u32 pos = sizeof(buf);

	buf[--pos] = '\0';
	for (u32 v = n + 1; v; v = (v - 1) / 26)
		buf[--pos] = (char)('a' + (v - 1) % 26);
	strscpy(out, "vd", size);
	strlcat(out, buf + pos, size);
}

static void read_ranges(struct vblk *vb)
{
	const struct virtio_dev *vd = vb->vd;
	struct blkdev *bd = &vb->bd;
	u32 spb = bd->block_size >> SECTOR_SHIFT;

	if (virtio_has(vd, VIRTIO_BLK_F_DISCARD)) {
		bd->max_discard_sectors =
			virtio_config_read32(vd, VBC_MAX_DISCARD);
		bd->has_discard = bd->max_discard_sectors >= spb &&
				  virtio_config_read32(vd, VBC_MAX_DISCARD_SEG);
		bd->discard_granularity =
			virtio_config_read32(vd, VBC_DISCARD_ALIGN)
			<< SECTOR_SHIFT;
	}
	if (virtio_has(vd, VIRTIO_BLK_F_WRITE_ZEROES)) {
		bd->max_zero_sectors = virtio_config_read32(vd, VBC_MAX_ZEROES);
		bd->has_write_zeroes =
			bd->max_zero_sectors >= spb &&
			virtio_config_read32(vd, VBC_MAX_ZEROES_SEG);
	}
}

/* Hints; nonsense counts as none. */
static void read_topology(struct vblk *vb)
{
	const struct virtio_dev *vd = vb->vd;
	struct blkdev *bd = &vb->bd;
	u32 exp, min_io, opt_io;

	if (!virtio_has(vd, VIRTIO_BLK_F_TOPOLOGY))
		return;
	exp = virtio_config_read8(vd, VBC_PHYSICAL_EXP);
	min_io = virtio_config_read16(vd, VBC_MIN_IO);
	opt_io = virtio_config_read32(vd, VBC_OPT_IO);
	if (exp < 16)
		bd->physical_block_size = bd->block_size << exp;
	bd->alignment_bytes =
		virtio_config_read8(vd, VBC_ALIGN_OFFSET) * bd->block_size;
	bd->min_io_bytes = min_io * bd->block_size;
	if (opt_io < 1u << 16)
		bd->opt_io_bytes = opt_io * bd->block_size;
}

static int read_config(struct vblk *vb)
{
	const struct virtio_dev *vd = vb->vd;
	struct blkdev *bd = &vb->bd;
	u32 spb;

	bd->block_size = SECTOR_SIZE;
	if (virtio_has(vd, VIRTIO_BLK_F_BLK_SIZE))
		bd->block_size = virtio_config_read32(vd, VBC_BLK_SIZE);
	if (bd->block_size < SECTOR_SIZE || bd->block_size > PAGE_SIZE ||
	    (bd->block_size & (bd->block_size - 1)))
		return -EINVAL;
	spb = bd->block_size >> SECTOR_SHIFT;
	bd->nr_sectors = virtio_config_read64(vd, VBC_CAPACITY);
	bd->nr_sectors -= bd->nr_sectors % spb;
	bd->max_sectors = VBLK_MAX_SECTORS;
	bd->max_segs = 1;
	if (virtio_has(vd, VIRTIO_BLK_F_SEG_MAX))
		bd->max_segs = virtio_config_read32(vd, VBC_SEG_MAX);
	bd->max_segs = clamp(bd->max_segs, 1u, BIO_MAX_SEGS);
	if (virtio_has(vd, VIRTIO_BLK_F_SIZE_MAX)) {
		bd->max_seg_bytes = virtio_config_read32(vd, VBC_SIZE_MAX);
		if (bd->max_seg_bytes < bd->block_size)
			return -EINVAL;
	}
	bd->read_only = virtio_has(vd, VIRTIO_BLK_F_RO);
	bd->has_flush = virtio_has(vd, VIRTIO_BLK_F_FLUSH);
	read_ranges(vb);
	read_topology(vb);
	return 0;
}

static int alloc_slots(struct vblk_queue *q)
{
	q->nr_slots = min_t(u32, q->vq->ring.size, VBLK_MAX_SLOTS);
	q->shared =
		alloc_pages_exact(q->nr_slots * sizeof(*q->shared), GFP_ZERO);
	q->slot = kcalloc(q->nr_slots, sizeof(*q->slot));
	if (!q->shared || !q->slot)
		return -ENOMEM;
	for (u32 i = 0; i < q->nr_slots; i++) {
		q->slot[i].index = (u16)i;
		q->slot[i].next_free = (u16)(i + 1);
	}
	return 0;
}

static int setup_queue(struct vblk *vb, u32 index)
{
	struct vblk_queue *q = &vb->queue[index];
	u32 size;
	int err;

	spin_init(&q->lock, "virtio-blk", RANK_DEV);
	q->vb = vb;
	err = virtio_vq_setup(vb->vd, (u16)index, VRING_MAX_SIZE,
			      (int)blk_hwq_cpu(index), vblk_interrupt, q,
			      &q->vq);
	if (err)
		return err;
	size = q->vq->ring.size;
	if (size < 3 && !vb->indirect)
		return -EINVAL; /* no request fits */
	/* a chain is not longer than the queue [2.7.5.3.1], if that can be */
	vb->bd.max_segs = min(vb->bd.max_segs, size > 3 ? size - 2 : 1);
	return alloc_slots(q);
}

static int setup_queues(struct vblk *vb)
{
	u32 nr = 1;
	int err = 0;

	if (virtio_has(vb->vd, VIRTIO_BLK_F_MQ))
		nr = virtio_config_read16(vb->vd, VBC_NUM_QUEUES);
	nr = clamp(nr, 1u, min(blk_max_hwq(), VIRTIO_MAX_QUEUES));
	vb->indirect = virtio_has(vb->vd, VIRTIO_F_INDIRECT_DESC);
	vb->queue = kcalloc(nr, sizeof(*vb->queue));
	if (!vb->queue)
		return -ENOMEM;
	for (u32 i = 0; i < nr && !err; i++) {
		err = setup_queue(vb, i);
		if (!err)
			vb->bd.nr_hwq = i + 1;
	}
	return vb->bd.nr_hwq ? 0 : err;
}

static void fill_blkdev(struct vblk *vb)
{
	u32 n = nr_disks++;

	disk_name(n, vb->bd.name, sizeof(vb->bd.name));
	vb->bd.dev = MKDEV(VBLK_MAJOR, n * VBLK_MINORS);
	vb->bd.nr_minors = VBLK_MINORS;
	vb->bd.ops = &vblk_ops;
	vb->bd.priv = vb;
	vb->bd.wait_mode = boot_mode;
	vb->bd.nr_requests = vb->queue[0].nr_slots;
	vb->bd.device = vb->vd->sys;
	vb->bd.sys_parent = sys_subdir(vb->vd->sys, "block");
}

static int bring_up(struct vblk *vb)
{
	int err;

	err = virtio_negotiate(
		vb->vd, VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX |
				VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE |
				VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_TOPOLOGY |
				VIRTIO_BLK_F_MQ | VIRTIO_BLK_F_DISCARD |
				VIRTIO_BLK_F_WRITE_ZEROES |
				VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX);
	if (!err)
		err = read_config(vb);
	if (!err)
		err = setup_queues(vb);
	return err;
}

static void start(struct vblk *vb)
{
	for (u32 i = 0; i < vb->bd.nr_hwq; i++) {
		spin_lock(&vb->queue[i].lock);
		(void)vring_arm(&vb->queue[i].vq->ring);
		spin_unlock(&vb->queue[i].lock);
	}
	virtio_ready(vb->vd);
}

static int vblk_probe(struct virtio_dev *vd)
{
	struct vblk *vb = kzalloc(sizeof(*vb));
	int err;

	if (!vb)
		return -ENOMEM;
	vb->vd = vd;
	err = bring_up(vb);
	if (err)
		return err; /* vb stays: an interrupt may still find it */
	fill_blkdev(vb);
	vblk_watch_init(vb);
	vd->priv = vb;
	start(vb);
	err = vblk_get_id(vb);
	if (err)
		return err;
	vd->config_changed = config_changed;
	pr_info("%s: %s, %u %s of %u%s, %s", vb->bd.name, vd->name,
		vb->bd.nr_hwq, vb->bd.nr_hwq > 1 ? "queues" : "queue",
		vb->queue[0].vq->ring.size, vb->indirect ? ", indirect" : "",
		vd->msix ? "MSI-X" : "INTx");
	err = blkdev_register(&vb->bd);
	if (!err)
		add_sys(vb);
	return err;
}

VIRTIO_DRIVER(blk) = {
	.name = "virtio_blk",
	.type = VIRTIO_ID_BLOCK,
	.probe = vblk_probe,
};
