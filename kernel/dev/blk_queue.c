/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_queue.c - which bio the driver gets next, and when.
 *
 * A disk has a queue for each service hart (or one), so that a request shares no
 * lock with other harts.  On a queue the bios of each process wait in a flow of
 * their own; flows take turns of BLK_QUANTUM sectors, so a process that floods the
 * disk delays another one by what is in flight and one turn, no more.  What is in
 * flight is bounded by nr_requests.  Neighbours in a flow leave as one request
 * (blk_merge.c).
 *
 * One hart at a time moves bios of a queue to the driver; who comes meanwhile
 * leaves a note (rerun) and goes.  So neither a -EBUSY nor a bio_done() inside
 * ops->submit() recurses.
 *
 * With block= all of this is the business of one service hart: others queue the bio and
 * send that hart a message (kernel/relay/work.h); its loop moves it to the driver, whose
 * interrupts come there too.
 *
 * INVARIANTS
 *   I1  A bio waits only while the driver has others of its queue, a hart
 *	 dispatches, or a plug is open.
 *   I2  A flow is in `turns` exactly while it has bios.
 *   I3  nr_waiting counts a bio until the driver has taken it: whoever frees room
 *	 in the driver and then looks here cannot miss one that found none.
 *
 * Locking: blk_queue->lock (RANK_BLK), never held over driver or owner code.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/hash.h>

#define BLK_QUANTUM 256u /* sectors of a turn */
#define LEAST_COST  8u	 /* a small bio costs the device nearly as much */
#define PLUG_QUEUES 4u

/*
 * Queues that wait for the end of a plug.  A hart's plug is open only while the
 * coroutine that opened it runs, so it needs no owner and no lock.
 */
struct plug {
	u32 depth; /* own hart, like all of it */
	u32 nr;	   /* queues in q[] */
	struct blk_queue *q[PLUG_QUEUES];
};

static struct plug plugs[MAX_HARTS];

/* ---- queues and harts */

u32 blk_max_hwq(void)
{
	u64 mask = service_mask();
	u32 nr = 0;

	for (; mask; mask &= mask - 1)
		nr++;
	return nr ? nr : 1;
}

unsigned int blk_hwq_cpu(u32 hwq)
{
	u64 mask = service_mask();

	hwq %= blk_max_hwq();
	for (unsigned int cpu = 0; cpu < MAX_HARTS; cpu++) {
		if ((mask & BIT(cpu)) && hwq-- == 0)
			return cpu;
	}
	return 0;
}

/* A service hart has its own one; an application hart (local calls) uses that of
 * some service hart. */
u32 blk_this_hwq(const struct blkdev *disk)
{
	u64 mask = service_mask();
	unsigned int cpu = this_cpu();
	u32 k = 0;

	if (disk->nr_hwq <= 1)
		return 0;
	if (relay_block_hart)
		cpu = relay_block_hart->cpu;
	if (!(mask & BIT(cpu)))
		return cpu % disk->nr_hwq;
	for (mask &= BIT(cpu) - 1; mask; mask &= mask - 1)
		k++;
	return k % disk->nr_hwq;
}

static void run_work(struct hart_work *w);

int blk_queues_init(struct blkdev *disk)
{
	if (!disk->nr_hwq)
		disk->nr_hwq = 1;
	if (!disk->nr_requests)
		disk->nr_requests = BLK_NR_REQUESTS;
	if (disk->queue) /* registered again */
		return 0;
	disk->queue = kcalloc(disk->nr_hwq, sizeof(*disk->queue));
	if (!disk->queue)
		return -ENOMEM;
	for (u32 i = 0; i < disk->nr_hwq; i++) {
		struct blk_queue *q = &disk->queue[i];

		hart_work_init(&q->work, run_work);
		spin_init(&q->lock, disk->name, RANK_BLK);
		q->disk = disk;
		q->hwq = i;
		list_init(&q->turns);
		for (u32 f = 0; f < BLK_FLOWS; f++) {
			list_init(&q->flow[f].bios);
			list_init(&q->flow[f].node);
		}
	}
	return 0;
}

/* ---- turns */

static struct blk_flow *flow_of(struct blk_queue *q, const struct bio *bio)
{
	return &q->flow[hash64(bio->flow) % BLK_FLOWS];
}

static void charge(struct blk_queue *q, struct blk_flow *f, u32 sectors)
{
	u32 cost = max(sectors, LEAST_COST);

	assert_held(&q->lock);
	f->credit -= min(f->credit, cost);
	if (list_empty(&f->bios)) {
		list_del(&f->node);
		f->credit = 0;
	} else if (!f->credit) {
		list_move_tail(&f->node, &q->turns);
	}
}

/* The next request, off its flow; NULL when it is nobody's turn. */
static struct bio *take(struct blk_queue *q, u32 *nr)
{
	struct blk_flow *f;
	struct bio *bio;

	assert_held(&q->lock);
	if (list_empty(&q->turns) ||
	    q->in_flight >= load_once(&q->disk->nr_requests))
		return NULL;
	f = list_first_entry(&q->turns, struct blk_flow, node);
	if (!f->credit)
		f->credit = BLK_QUANTUM;
	bio = list_first_entry(&f->bios, struct bio, node);
	list_del(&bio->node);
	bio = blk_merge(q->disk, bio, &f->bios, nr);
	charge(q, f, bio->nr_sectors);
	return bio;
}

/* The driver had no room: it is the next one again. */
static void untake(struct blk_queue *q, struct bio *bio)
{
	struct blk_flow *f = flow_of(q, bio);

	assert_held(&q->lock);
	list_add(&bio->node, &f->bios);
	list_del(&f->node);
	list_add(&f->node, &q->turns);
	f->credit = max(f->credit, bio->nr_sectors);
}

/* ---- dispatch */

/* Called with the lock held, which it drops around the driver's code. */
static bool dispatch(struct blk_queue *q)
{
	struct blkdev *disk = q->disk;
	bool issued = false;
	struct bio *bio;
	u32 nr;

	while ((bio = take(q, &nr))) {
		int r;

		bio->flags |= BIO_ISSUED;
		q->in_flight++;
		spin_unlock(&q->lock);
		r = load_once(&disk->broken) ? -EIO
					     : disk->ops->submit(disk, bio);
		if (r && r != -EBUSY)
			bio_done(bio, r);
		issued |= r == 0;
		spin_lock(&q->lock);
		if (r == -EBUSY) {
			bio->flags &= ~(u32)BIO_ISSUED;
			q->in_flight--;
			q->nr_waiting -= nr - 1; /* one bio by now */
			untake(q, bio);
			break;
		}
		q->nr_waiting -= nr;
	}
	return issued;
}

static void run(struct blk_queue *q)
{
	struct blkdev *disk = q->disk;
	bool issued = false;

	spin_lock(&q->lock);
	q->rerun = true;
	if (q->dispatching) {
		spin_unlock(&q->lock);
		return;
	}
	q->dispatching = true;
	while (q->rerun) {
		q->rerun = false;
		issued |= dispatch(q);
	}
	q->dispatching = false;
	spin_unlock(&q->lock);
	if (issued && disk->ops->commit)
		disk->ops->commit(disk, q->hwq);
}

static void run_work(struct hart_work *w)
{
	run(container_of(w, struct blk_queue, work));
}

/* Somebody has queued a bio. */
static void kick(struct blk_queue *q)
{
	if (likely(!relay_block_hart) ||
	    !hart_work_send(relay_block_hart, &q->work))
		run(q);
}

void blk_queues_run(struct blkdev *disk)
{
	for (u32 i = 0; i < disk->nr_hwq; i++)
		kick(&disk->queue[i]);
}

void blk_queue_ended(struct blkdev *disk, u32 hwq)
{
	struct blk_queue *q = &disk->queue[hwq];
	bool more;

	spin_lock(&q->lock);
	KASSERT(q->in_flight);
	q->in_flight--;
	more = q->nr_waiting || q->dispatching;
	spin_unlock(&q->lock);
	if (more)
		run(q);
}

void bio_retry(struct bio *bio)
{
	struct blk_queue *q = &bio->dev->whole->queue[bio->hwq];
	struct blk_flow *f = flow_of(q, bio);

	spin_lock(&q->lock);
	KASSERT((bio->flags & BIO_ISSUED) && q->in_flight);
	bio->flags &= ~(u32)BIO_ISSUED;
	q->in_flight--;
	if (list_empty(&f->bios))
		list_add(&f->node, &q->turns);
	list_add(&bio->node, &f->bios);
	q->nr_waiting++;
	spin_unlock(&q->lock);
	kick(q);
}

/* ---- plugs */

static void plug_run(struct plug *p)
{
	while (p->nr)
		kick(p->q[--p->nr]);
}

static void plug_add(struct plug *p, struct blk_queue *q)
{
	for (u32 i = 0; i < p->nr; i++) {
		if (p->q[i] == q)
			return;
	}
	if (p->nr == PLUG_QUEUES)
		plug_run(p);
	p->q[p->nr++] = q;
}

void blk_plug(void)
{
	struct hart *h = this_hart();

	if (!h->plug)
		h->plug = &plugs[h->cpu];
	h->plug->depth++;
}

void blk_plug_end(void)
{
	struct hart *h = this_hart();
	struct plug *p = h->plug;

	h->plug = NULL;
	p->depth = 0;
	plug_run(p);
}

void blk_unplug(void)
{
	struct plug *p = this_hart()->plug;

	/* none: it ended early */
	if (p && --p->depth == 0)
		blk_plug_end();
}

void blk_queue(struct blkdev *disk, struct bio *bio)
{
	struct plug *p = this_hart()->plug;
	struct blk_queue *q;
	struct blk_flow *f;

	bio->hwq = (u16)blk_this_hwq(disk);
	q = &disk->queue[bio->hwq];
	f = flow_of(q, bio);
	spin_lock(&q->lock);
	if (list_empty(&f->bios))
		list_add_tail(&f->node, &q->turns);
	list_add_tail(&bio->node, &f->bios);
	q->nr_waiting++;
	spin_unlock(&q->lock);
	if (p)
		plug_add(p, q);
	else
		kick(q);
}
