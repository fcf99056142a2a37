/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_blk.c - block device over a virtqueue.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.2.  A request is header, data and a
 * status byte; header, status and the descriptor table live in a slot of memory
 * that stays with the device, so starting a request allocates nothing.
 *
 * Completions come by interrupt.  While anything is in flight a timer looks too,
 * twice a second: a lost interrupt costs that much and is counted, and a request
 * that is not answered in VBLK_TIMEOUT_NS is the device's end.
 *
 * INVARIANTS
 *   I1  A slot is on the free list or in flight with a bio; a bio is in at most
 *	 one slot.
 *   I2  A dead device was reset, or may not master the bus any more, before its
 *	 bios end: it cannot write into memory that has a new owner.
 *   I3  The watch timer is armed while bios are in flight.
 *
 * Locking: vb->lock (RANK_DEV) for ring and slots; never held over bio_done().
 * Not here: the ring (vring.c), splitting of large bios (kernel/dev/).
 */
#include <drivers/virtio/virtio_blk.h>

#include <drivers/virtio/virtio.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/dev/sysfs.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define VBLK_MAJOR	 254u
#define VBLK_MINORS	 16u /* of a disk, its partitions included */
#define VBLK_MAX_SLOTS	 256u
#define VBLK_MAX_DESC	 (BIO_MAX_SEGS + 2u)
#define VBLK_MAX_SECTORS 8192u
#define VBLK_WATCH_NS	 (500 * NSEC_PER_MSEC)
#define VBLK_TIMEOUT_NS	 (30 * NSEC_PER_SEC)
#define STATUS_UNSET	 0xffu

/* What the device reads and writes of a request. */
struct vblk_shared {
	struct vblk_header header;
	struct vblk_range range;
	struct vring_desc table[VBLK_MAX_DESC];
	u8 status;
	u8 pad[63];
};

struct vblk_slot {
	struct bio *bio; /* [lock] NULL: free */
	u64 start_ns;	 /* [lock] */
	u16 index;	 /* [I] */
	u16 next_free;	 /* [lock] */
};

struct vblk {
	struct blkdev bd;
	struct virtio_dev *vd; /* [I] */
	struct virtqueue *vq;  /* [I] */
	struct spinlock lock;
	struct vblk_shared *shared; /* [I] nr_slots of them, in direct map */
	struct vblk_slot *slot;	    /* [I] nr_slots of them */
	u32 nr_slots;		    /* [I] */
	u16 free_head;		    /* [lock] nr_slots: none */
	u32 nr_in_flight;	    /* [lock] */
	bool indirect;		    /* [I] */
	bool dead;		    /* [lock] */
	bool watching;		    /* [lock] I3 */
	struct ktimer watch;
	u64 irqs_at_watch; /* [lock] when it was armed */
	u64 nr_lost;	   /* [a] interrupts that never came; relaxed */
};

static u32 nr_disks; /* boot: probes run one after another */

/* ---- start */

static const u8 type_of_op[] = {
	[BIO_READ] = VIRTIO_BLK_T_IN,
	[BIO_WRITE] = VIRTIO_BLK_T_OUT,
	[BIO_FLUSH] = VIRTIO_BLK_T_FLUSH,
	[BIO_DISCARD] = VIRTIO_BLK_T_DISCARD,
	[BIO_WRITE_ZEROES] = VIRTIO_BLK_T_WRITE_ZEROES,
};

static struct vring_seg seg_of(const void *p, u32 len)
{
	return (struct vring_seg){ .addr = virt_to_phys(p), .len = len };
}

static bool has_data(const struct bio *bio)
{
	return bio->op == BIO_READ || bio->op == BIO_WRITE;
}

/* Header, data or range, status.  The number of segments; @nr_in of them are
 * the device's to write. */
static u32 describe(struct vblk_shared *sh, const struct bio *bio,
		    struct vring_seg *seg, u32 *nr_in)
{
	u32 n = 0;

	sh->header.type = type_of_op[bio->op];
	sh->header.reserved = 0;
	sh->header.sector = has_data(bio) ? bio->sector : 0;
	sh->status = STATUS_UNSET;
	seg[n++] = seg_of(&sh->header, sizeof(sh->header));
	for (u32 i = 0; i < bio->nr_segs; i++)
		seg[n++] = seg_of(bio->seg[i].addr, bio->seg[i].len);
	if (bio->op == BIO_DISCARD || bio->op == BIO_WRITE_ZEROES) {
		sh->range = (struct vblk_range){
			.sector = bio->sector,
			.nr_sectors = bio->nr_sectors,
		};
		seg[n++] = seg_of(&sh->range, sizeof(sh->range));
	}
	seg[n++] = seg_of(&sh->status, 1);
	*nr_in = 1 + (bio->op == BIO_READ ? bio->nr_segs : 0);
	return n;
}

static int enqueue(struct vblk *vb, struct vblk_slot *s, struct bio *bio)
{
	struct vblk_shared *sh = &vb->shared[s->index];
	struct vring_seg seg[VBLK_MAX_DESC];
	u32 nr_in, nr = describe(sh, bio, seg, &nr_in);

	assert_held(&vb->lock);
	if (vb->indirect)
		return vring_add_indirect(&vb->vq->ring, sh->table,
					  virt_to_phys(sh->table), seg,
					  nr - nr_in, nr_in, s);
	return vring_add(&vb->vq->ring, seg, nr - nr_in, nr_in, s);
}

static void watch_begin(struct vblk *vb, u64 now)
{
	assert_held(&vb->lock);
	if (vb->watching)
		return;
	vb->watching = true;
	vb->irqs_at_watch = load_once(&vb->vq->nr_interrupts);
	ktimer_arm(&vb->watch, now + VBLK_WATCH_NS);
}

static int vblk_submit(struct blkdev *bd, struct bio *bio)
{
	struct vblk *vb = bd->priv;
	struct vblk_slot *s;
	int err;

	spin_lock(&vb->lock);
	err = vb->dead ? -EIO : vb->free_head == vb->nr_slots ? -EBUSY : 0;
	if (!err) {
		s = &vb->slot[vb->free_head];
		err = enqueue(vb, s, bio);
	}
	if (!err) {
		s->bio = bio;
		s->start_ns = clock_mono_ns();
		vb->free_head = s->next_free;
		vb->nr_in_flight++;
		watch_begin(vb, s->start_ns);
	}
	spin_unlock(&vb->lock);
	return err == -ENOSPC ? -EBUSY : err;
}

static void vblk_commit(struct blkdev *bd)
{
	struct vblk *vb = bd->priv;
	bool notify;

	spin_lock(&vb->lock);
	notify = vring_publish(&vb->vq->ring);
	spin_unlock(&vb->lock);
	if (notify)
		virtio_notify(vb->vq);
}

/* ---- end */

static struct bio *release(struct vblk *vb, struct vblk_slot *s)
{
	struct bio *bio = s->bio;

	assert_held(&vb->lock);
	KASSERT(bio);
	s->bio = NULL;
	s->next_free = vb->free_head;
	vb->free_head = s->index;
	vb->nr_in_flight--;
	return bio;
}

static void end_all(struct list_head *ended)
{
	struct bio *bio, *next;

	list_for_each_entry_safe(bio, next, ended, node) {
		list_del(&bio->node);
		bio_done(bio, bio->status);
	}
}

static void die(struct vblk *vb, const char *why)
{
	struct list_head ended;
	struct vblk_slot *s;

	spin_lock(&vb->lock);
	if (vb->dead) {
		spin_unlock(&vb->lock);
		return;
	}
	vb->dead = true;
	spin_unlock(&vb->lock);
	pr_err("%s: broken: %s", vb->bd.name, why);
	if (!virtio_kill(vb->vd))
		pr_err("%s: and does not reset", vb->bd.name);
	list_init(&ended);
	spin_lock(&vb->lock);
	while ((s = vring_abort(&vb->vq->ring))) {
		struct bio *bio = release(vb, s);

		bio->status = -EIO;
		list_add_tail(&bio->node, &ended);
	}
	spin_unlock(&vb->lock);
	end_all(&ended);
	blkdev_break(&vb->bd);
}

/* What the device says of a request; a positive value is a lie. */
static int result_of(struct vblk *vb, const struct vblk_slot *s, u32 len)
{
	const struct bio *bio = s->bio;
	u64 want = 1;

	if (bio->op == BIO_READ)
		want += (u64)bio->nr_sectors << SECTOR_SHIFT;
	switch (load_once(&vb->shared[s->index].status)) {
	case VIRTIO_BLK_S_OK:
		return len >= want ? 0 : 1;
	case VIRTIO_BLK_S_IOERR:
		return -EIO;
	case VIRTIO_BLK_S_UNSUPP:
		return -EOPNOTSUPP;
	default:
		return 1;
	}
}

/* Everything that the device has used; why it is broken, or NULL. */
static const char *reap(struct vblk *vb, struct list_head *ended)
{
	struct vring *ring = &vb->vq->ring;
	const char *why = NULL;
	struct vblk_slot *s;
	u32 len;

	spin_lock(&vb->lock);
	vring_disarm(ring);
	do {
		while (!why && (s = vring_take(ring, &len))) {
			int r = result_of(vb, s, len);
			struct bio *bio = release(vb, s);

			if (r > 0)
				why = "wrong length or status";
			bio->status = r > 0 ? -EIO : r;
			list_add_tail(&bio->node, ended);
		}
	} while (!why && !vring_arm(ring));
	if (ring->broken && !vb->dead)
		why = ring->why;
	spin_unlock(&vb->lock);
	return why;
}

static bool complete(struct vblk *vb)
{
	struct list_head ended;
	const char *why;
	bool found;

	list_init(&ended);
	why = reap(vb, &ended);
	found = !list_empty(&ended);
	if (why)
		die(vb, why); /* I2: before anybody gets his memory back */
	end_all(&ended);
	return found;
}

static bool vblk_interrupt(struct virtqueue *vq)
{
	return complete(vq->priv);
}

/* ---- watch */

/* When the oldest bio in flight was started, ~0 for none. */
static u64 oldest_start(struct vblk *vb)
{
	u64 oldest = ~0ull;

	assert_held(&vb->lock);
	for (u32 i = 0; i < vb->nr_slots; i++) {
		if (vb->slot[i].bio)
			oldest = min(oldest, vb->slot[i].start_ns);
	}
	return oldest;
}

/* Lost, not merely on its way: none came during the whole time of the watch. */
static void count_lost(struct vblk *vb)
{
	if (load_once(&vb->vq->nr_interrupts) != vb->irqs_at_watch)
		return;
	if (vb->nr_lost++ == 0)
		pr_warn("%s: an interrupt was lost; found by looking",
			vb->bd.name);
}

static void vblk_watch(struct ktimer *t)
{
	struct vblk *vb = t->arg;
	u64 now = clock_mono_ns(), oldest;

	spin_lock(&vb->lock);
	oldest = oldest_start(vb);
	spin_unlock(&vb->lock);
	if (complete(vb))
		count_lost(vb);
	else if (oldest < now && now - oldest > VBLK_TIMEOUT_NS)
		die(vb, "no answer for 30 seconds");
	else if (virtio_needs_reset(vb->vd))
		die(vb, "asks for a reset");
	spin_lock(&vb->lock);
	vb->watching = false;
	if (vb->nr_in_flight && !vb->dead)
		watch_begin(vb, now);
	spin_unlock(&vb->lock);
}

static void vblk_config_changed(struct virtio_dev *vd)
{
	struct vblk *vb = vd->priv;
	u64 capacity = virtio_config_read64(vd, VBC_CAPACITY);

	if (virtio_needs_reset(vd))
		die(vb, "asks for a reset");
	else if (capacity != vb->bd.nr_sectors)
		pr_warn_ratelimited(
			"%s: has %llu sectors now; that counts after the next boot",
			vb->bd.name, (unsigned long long)capacity);
}

/* ---- probe */

static const struct blkdev_ops vblk_ops = {
	.submit = vblk_submit,
	.commit = vblk_commit,
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
	}
	if (virtio_has(vd, VIRTIO_BLK_F_WRITE_ZEROES)) {
		bd->max_zero_sectors = virtio_config_read32(vd, VBC_MAX_ZEROES);
		bd->has_write_zeroes =
			bd->max_zero_sectors >= spb &&
			virtio_config_read32(vd, VBC_MAX_ZEROES_SEG);
	}
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
	return 0;
}

static int alloc_slots(struct vblk *vb)
{
	vb->nr_slots = min_t(u32, vb->vq->ring.size, VBLK_MAX_SLOTS);
	vb->shared =
		alloc_pages_exact(vb->nr_slots * sizeof(*vb->shared), GFP_ZERO);
	vb->slot = kcalloc(vb->nr_slots, sizeof(*vb->slot));
	if (!vb->shared || !vb->slot)
		return -ENOMEM;
	for (u32 i = 0; i < vb->nr_slots; i++) {
		vb->slot[i].index = (u16)i;
		vb->slot[i].next_free = (u16)(i + 1);
	}
	return 0;
}

static int setup_queue(struct vblk *vb)
{
	u32 size;
	int err;

	err = virtio_vq_setup(vb->vd, 0, VRING_MAX_SIZE, vblk_interrupt, vb,
			      &vb->vq);
	if (err)
		return err;
	size = vb->vq->ring.size;
	vb->indirect = virtio_has(vb->vd, VIRTIO_F_INDIRECT_DESC);
	if (!vb->indirect) {
		if (size < 3)
			return -EINVAL; /* no request fits */
		vb->bd.max_segs = min(vb->bd.max_segs, size - 2);
	}
	return alloc_slots(vb);
}

static void fill_blkdev(struct vblk *vb)
{
	u32 n = nr_disks++;

	disk_name(n, vb->bd.name, sizeof(vb->bd.name));
	vb->bd.dev = MKDEV(VBLK_MAJOR, n * VBLK_MINORS);
	vb->bd.nr_minors = VBLK_MINORS;
	vb->bd.ops = &vblk_ops;
	vb->bd.priv = vb;
	vb->bd.device = vb->vd->sys;
	vb->bd.sys_parent = sys_subdir(vb->vd->sys, "block");
}

static int bring_up(struct vblk *vb)
{
	int err;

	err = virtio_negotiate(
		vb->vd, VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX |
				VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE |
				VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_DISCARD |
				VIRTIO_BLK_F_WRITE_ZEROES |
				VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX);
	if (!err)
		err = read_config(vb);
	if (!err)
		err = setup_queue(vb);
	return err;
}

static int vblk_probe(struct virtio_dev *vd)
{
	struct vblk *vb = kzalloc(sizeof(*vb));
	int err;

	if (!vb)
		return -ENOMEM;
	vb->vd = vd;
	spin_init(&vb->lock, "virtio-blk", RANK_DEV);
	ktimer_init(&vb->watch, vblk_watch, vb);
	err = bring_up(vb);
	if (err)
		return err; /* vb stays: an interrupt may still find it */
	fill_blkdev(vb);
	vd->priv = vb;
	vd->config_changed = vblk_config_changed;
	spin_lock(&vb->lock);
	(void)vring_arm(&vb->vq->ring);
	spin_unlock(&vb->lock);
	virtio_ready(vd);
	pr_info("%s: %s, queue of %u%s, %s", vb->bd.name, vd->name,
		vb->vq->ring.size, vb->indirect ? ", indirect" : "",
		vd->msix ? "MSI-X" : "INTx");
	return blkdev_register(&vb->bd);
}

VIRTIO_DRIVER(blk) = {
	.name = "virtio_blk",
	.type = VIRTIO_ID_BLOCK,
	.probe = vblk_probe,
};
