/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_blk_io.c - requests of a virtio block device.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.2.6.  A request is header, data and a
 * status byte; header, status and the descriptor table live in a slot of memory
 * that stays with the device, so starting a request allocates nothing.
 *
 * A queue belongs to one service hart, which fills it, takes its interrupt and ends
 * its bios; the lock is for local calls of other harts and for the watch.
 *
 * Locking: vblk_queue->lock for ring and slots; never held over bio_done().
 * Not here: the ring (vring.c), set-up (virtio_blk.c), lost interrupts, time-outs
 * and resets (virtio_blk_watch.c), splitting and merging (kernel/dev/).
 */
#include <drivers/virtio/virtio_blk_core.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define STATUS_UNSET 0xffu
#define ID_WAIT_NS   (2000 * NSEC_PER_MSEC)

static struct vblk *vblk_of(struct blkdev *bd)
{
	return bd->priv;
}

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

static int enqueue(struct vblk_queue *q, struct vblk_slot *s,
		   const struct vring_seg *seg, u32 nr, u32 nr_in)
{
	struct vblk_shared *sh = &q->shared[s->index];

	assert_held(&q->lock);
	if (q->vb->indirect)
		return vring_add_indirect(&q->vq->ring, sh->table,
					  virt_to_phys(sh->table), seg,
					  nr - nr_in, nr_in, s);
	return vring_add(&q->vq->ring, seg, nr - nr_in, nr_in, s);
}

static int may_submit(const struct vblk_queue *q)
{
	switch (q->vb->state) {
	case VBLK_DEAD:
		return -EIO;
	case VBLK_RESETTING:
		return -EBUSY; /* bios are started again afterwards */
	default:
		return q->free_head == q->nr_slots ? -EBUSY : 0;
	}
}

static int start(struct vblk_queue *q, struct bio *bio)
{
	struct vblk_slot *s = &q->slot[q->free_head];
	struct vring_seg seg[VBLK_MAX_DESC];
	u32 nr, nr_in;
	int err;

	nr = describe(&q->shared[s->index], bio, seg, &nr_in);
	err = enqueue(q, s, seg, nr, nr_in);
	if (err)
		return err;
	s->bio = bio;
	s->start_ns = clock_mono_ns();
	q->free_head = s->next_free;
	q->nr_in_flight++;
	vblk_watch_begin(q->vb, s->start_ns);
	return 0;
}

int vblk_submit(struct blkdev *bd, struct bio *bio)
{
	struct vblk_queue *q = &vblk_of(bd)->queue[bio->hwq];
	int err;

	spin_lock(&q->lock);
	err = may_submit(q);
	if (!err)
		err = start(q, bio);
	spin_unlock(&q->lock);
	return err == -ENOSPC ? -EBUSY : err;
}

void vblk_commit(struct blkdev *bd, u32 hwq)
{
	struct vblk_queue *q = &vblk_of(bd)->queue[hwq];
	bool notify;

	spin_lock(&q->lock);
	notify = q->vb->state == VBLK_LIVE && vring_publish(&q->vq->ring);
	spin_unlock(&q->lock);
	if (notify)
		virtio_notify(q->vq);
}

/* ---- end */

static struct bio *release(struct vblk_queue *q, struct vblk_slot *s)
{
	struct bio *bio = s->bio;

	assert_held(&q->lock);
	KASSERT(bio);
	s->bio = NULL;
	s->next_free = q->free_head;
	q->free_head = s->index;
	q->nr_in_flight--;
	return bio;
}

static u32 end_all(struct list_head *ended)
{
	struct bio *bio, *next;
	u32 nr = 0;

	list_for_each_entry_safe(bio, next, ended, node) {
		list_del(&bio->node);
		bio_done(bio, bio->status);
		nr++;
	}
	return nr;
}

void vblk_set_state(struct vblk *vb, enum vblk_state state)
{
	/* one by one: whoever holds a queue's lock sees it change only then */
	for (u32 i = 0; i < vb->bd.nr_hwq; i++) {
		spin_lock(&vb->queue[i].lock);
		if (vb->state != VBLK_DEAD)
			store_once(&vb->state, (u32)state);
		spin_unlock(&vb->queue[i].lock);
	}
}

void vblk_take_back(struct vblk *vb, struct list_head *bios)
{
	for (u32 i = 0; i < vb->bd.nr_hwq; i++) {
		struct vblk_queue *q = &vb->queue[i];
		struct vblk_slot *s;

		spin_lock(&q->lock);
		while ((s = vring_abort(&q->vq->ring)))
			list_add_tail(&release(q, s)->node, bios);
		spin_unlock(&q->lock);
	}
}

void vblk_die(struct vblk *vb, const char *why)
{
	struct list_head ended;
	struct bio *bio;

	if (atomic_xchg(&vb->state, (u32)VBLK_DEAD) == VBLK_DEAD)
		return;
	vblk_set_state(vb, VBLK_DEAD); /* nobody is in submit any more */
	pr_err("%s: broken: %s", vb->bd.name, why);
	if (!virtio_kill(vb->vd))
		pr_err("%s: and does not reset", vb->bd.name);
	list_init(&ended);
	vblk_take_back(vb, &ended);
	list_for_each_entry(bio, &ended, node)
		bio->status = -EIO;
	(void)end_all(&ended);
	blkdev_break(&vb->bd);
}

/* What the device says of a request; a positive value is a lie. */
static int result_of(const struct vblk_queue *q, const struct vblk_slot *s,
		     u32 len)
{
	const struct bio *bio = s->bio;
	u64 want = 1;

	if (bio->op == BIO_READ)
		want += (u64)bio->nr_sectors << SECTOR_SHIFT;
	switch (load_once(&q->shared[s->index].status)) {
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
static const char *reap(struct vblk_queue *q, struct list_head *ended)
{
	struct vring *ring = &q->vq->ring;
	const char *why = NULL;
	struct vblk_slot *s;
	u32 len;

	spin_lock(&q->lock);
	do {
		while (!why && (s = vring_take(ring, &len))) {
			int r = result_of(q, s, len);
			struct bio *bio = release(q, s);

			if (r > 0)
				why = "wrong length or status";
			bio->status = r > 0 ? -EIO : r;
			list_add_tail(&bio->node, ended);
		}
	} while (!why && !q->pollers && !vring_arm(ring));
	if (ring->broken && q->vb->state == VBLK_LIVE)
		why = ring->why;
	spin_unlock(&q->lock);
	return why;
}

u32 vblk_complete(struct vblk_queue *q)
{
	struct list_head ended;
	const char *why;

	list_init(&ended);
	why = reap(q, &ended);
	if (why)
		vblk_die(q->vb, why); /* I2: before anybody gets memory back */
	return end_all(&ended);
}

bool vblk_interrupt(struct virtqueue *vq)
{
	return vblk_complete(vq->priv) != 0;
}

/* ---- polling */

u32 vblk_poll(struct blkdev *bd, u32 hwq)
{
	struct vblk_queue *q = &vblk_of(bd)->queue[hwq];
	u32 nr;

	/* a look without the lock: what is missed is seen next time */
	if (!vring_has_used(&q->vq->ring))
		return 0;
	nr = vblk_complete(q);
	store_once(&q->nr_polled, q->nr_polled + nr);
	return nr;
}

void vblk_poll_begin(struct blkdev *bd, u32 hwq)
{
	struct vblk_queue *q = &vblk_of(bd)->queue[hwq];

	spin_lock(&q->lock);
	if (q->pollers++ == 0)
		vring_disarm(&q->vq->ring);
	spin_unlock(&q->lock);
}

void vblk_poll_end(struct blkdev *bd, u32 hwq)
{
	struct vblk_queue *q = &vblk_of(bd)->queue[hwq];
	bool more = false;

	spin_lock(&q->lock);
	KASSERT(q->pollers);
	if (--q->pollers == 0)
		more = !vring_arm(&q->vq->ring);
	spin_unlock(&q->lock);
	if (more)
		(void)vblk_complete(q);
}

/* ---- before the disk is there */

int vblk_get_id(struct vblk *vb)
{
	struct vblk_queue *q = &vb->queue[0];
	struct vblk_slot *s = &q->slot[q->free_head];
	struct vblk_shared *sh = &q->shared[s->index];
	u64 deadline = clock_mono_ns() + ID_WAIT_NS;
	struct vring_seg seg[3];
	u32 len;
	int err;

	/* the table of an indirect request lies before the answer's place */
	sh->header = (struct vblk_header){ .type = VIRTIO_BLK_T_GET_ID };
	sh->status = STATUS_UNSET;
	seg[0] = seg_of(&sh->header, sizeof(sh->header));
	seg[1] = seg_of(sh->pad, VIRTIO_BLK_ID_BYTES);
	seg[2] = seg_of(&sh->status, 1);
	spin_lock(&q->lock);
	err = enqueue(q, s, seg, 3, 2);
	if (!err && vring_publish(&q->vq->ring))
		virtio_notify(q->vq);
	spin_unlock(&q->lock);
	while (!err && !vring_has_used(&q->vq->ring)) {
		if (clock_mono_ns() > deadline)
			err = -ETIMEDOUT;
		udelay(10);
	}
	if (err)
		return err;
	spin_lock(&q->lock);
	if (vring_take(&q->vq->ring, &len) != s)
		err = -EIO;
	(void)vring_arm(&q->vq->ring);
	spin_unlock(&q->lock);
	if (!err && sh->status == VIRTIO_BLK_S_OK)
		memcpy(vb->serial, sh->pad, VIRTIO_BLK_ID_BYTES);
	return err;
}
