/* SPDX-License-Identifier: MIT */
/*
 * net/packet_ring.c - rings of frames; see packet_ring.h.
 *
 * Locking: ps->lock for all that changes; the ring's timer takes it too.
 */
#include <net/packet_ring.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SLL_SIZE   20u /* struct sockaddr_ll */
#define ALIGN16(n) (((n) + 15) & ~15u)
#define ALIGN8(n)  (((n) + 7) & ~(typeof(n))7)
#define BLOCK_HEAD 48u /* struct tpacket_block_desc */
#define TMO_MS	   8u  /* of a block, if none is said */
#define PAGES_MAX  16384u

/* Where the status of a block of version 3 stands, and what follows it. */
#define BLOCK_STATUS 8u

struct packet_ring {
	u32 refs;		     /* [a] K1 */
	u32 mapped;		     /* [a] areas */
	struct packet_sock *ps;	     /* [ps->lock] NULL: it is gone */
	enum packet_version version; /* [I] */
	struct packet_ring_req req;  /* [I] */
	u32 per_block;		     /* [I] frames */
	u32 head;		     /* [lock] frame, or block, that is next */
	/* version 3, the block that is being filled [lock]: */
	bool open, frozen;
	u32 used, nr, last; /* bytes, frames, where the last one is */
	u64 seq, first_ns, last_ns;
	struct ktimer timer;
	u32 nr_pages; /* [I] */
	struct page *page[];
};

u32 packet_head_size(enum packet_version v)
{
	return v == TPACKET_V3 ? 48 : 32;
}

/* --- its memory */

static void *at(const struct packet_ring *r, u32 off)
{
	return (u8 *)page_addr(r->page[off / PAGE_SIZE]) + off % PAGE_SIZE;
}

static void put(const struct packet_ring *r, u32 off, const void *from, u32 n)
{
	while (n) {
		u32 part = min(n, (u32)PAGE_SIZE - off % (u32)PAGE_SIZE);

		memcpy(at(r, off), from, part);
		from = (const u8 *)from + part;
		off += part;
		n -= part;
	}
}

static void put32(const struct packet_ring *r, u32 off, u32 v)
{
	put(r, off, &v, sizeof(v));
}

static void ring_put(struct packet_ring *r)
{
	if (!atomic_dec_and_test(&r->refs))
		return;
	for (u32 i = 0; i < r->nr_pages; i++) {
		if (r->page[i])
			page_put(r->page[i]);
	}
	kfree(r);
}

/* --- blocks of version 3; lock held */

static u32 block_at(const struct packet_ring *r)
{
	return r->head * r->req.block_size;
}

static u32 first_frame(const struct packet_ring *r)
{
	return BLOCK_HEAD + ALIGN8(r->req.priv_size);
}

static void put_time(const struct packet_ring *r, u32 off, u64 ns)
{
	put32(r, off, (u32)(ns / NSEC_PER_SEC));
	put32(r, off + 4, (u32)(ns % NSEC_PER_SEC));
}

/* The program's now; the next one is filled. */
static void close_block(struct packet_ring *r, u32 flags)
{
	u32 b = block_at(r);

	put32(r, b + r->last, 0); /* the last frame has no next one */
	put32(r, b + 12, r->nr);
	put32(r, b + 16, first_frame(r));
	put32(r, b + 20, r->used);
	put(r, b + 24, &r->seq, sizeof(r->seq));
	put_time(r, b + 32, r->first_ns);
	put_time(r, b + 40, r->last_ns);
	r->seq++;
	r->open = false;
	r->head = (r->head + 1) % r->req.block_nr;
	/* PKRING (release) - pairs with the program. */
	store_release((u32 *)at(r, b + BLOCK_STATUS), TP_STATUS_USER | flags);
}

static void block_tmo(struct ktimer *t)
{
	struct packet_ring *r = t->arg;
	struct packet_sock *ps = r->ps;

	spin_lock(&ps->lock);
	if (r->open && r->nr)
		close_block(r, TP_STATUS_BLK_TMO);
	spin_unlock(&ps->lock);
	wake_up_all_key(&ps->s.rd_wq, POLLIN | POLLRDNORM);
}

static bool open_block(struct packet_ring *r)
{
	u32 b = block_at(r);

	/* PKRING (acquire) - pairs with the program, which gives it back. */
	if (load_acquire((u32 *)at(r, b + BLOCK_STATUS)) != TP_STATUS_KERNEL)
		return false;
	put32(r, b, TPACKET_V3);
	put32(r, b + 4, BLOCK_HEAD);
	r->used = first_frame(r);
	r->nr = 0;
	r->open = true;
	ktimer_arm(&r->timer,
		   clock_mono_ns() + (r->req.tmo_ms ?: TMO_MS) * NSEC_PER_MSEC);
	return true;
}

/* Where in memory a frame of @len bytes goes, or -1. */
static s64 block_room(struct packet_ring *r, u32 len)
{
	if (r->open && r->used + ALIGN8(len) > r->req.block_size)
		close_block(r, 0);
	if (!r->open && !open_block(r))
		return -1;
	return (s64)block_at(r) + r->used;
}

static void block_add(struct packet_ring *r, u32 len, u64 now)
{
	r->last = r->used;
	put32(r, block_at(r) + r->used, ALIGN8(len)); /* the next one */
	r->used += ALIGN8(len);
	r->last_ns = now;
	if (!r->nr++)
		r->first_ns = now;
}

/* --- frames; lock held */

static u32 frame_at(const struct packet_ring *r, u32 nr)
{
	return nr / r->per_block * r->req.block_size +
	       nr % r->per_block * r->req.frame_size;
}

static bool frame_is_free(const struct packet_ring *r)
{
	/* PKRING (acquire) - pairs with the program, which gives it back. */
	return load_acquire((u32 *)at(r, frame_at(r, r->head))) ==
	       TP_STATUS_KERNEL;
}

static void put_sender(const struct packet_ring *r, u32 off,
		       const struct packet_buf *b)
{
	u8 a[SLL_SIZE] = { AF_PACKET, 0, (u8)(b->proto >> 8), (u8)b->proto };

	memcpy(a + 4, &b->link.ifindex, 4);
	memcpy(a + 8, &b->link.hatype, 2);
	a[10] = b->link.pkttype;
	a[11] = b->link.halen;
	memcpy(a + 12, b->link.addr, sizeof(b->link.addr));
	put(r, off, a, sizeof(a));
}

struct shape {
	u32 mac, net, snap;
	u64 now;
};

/* The header of @b but for its status. */
static void put_head(const struct packet_ring *r, u32 off,
		     const struct packet_buf *b, const struct shape *sh)
{
	u32 sec = (u32)(sh->now / NSEC_PER_SEC);
	u32 nsec = (u32)(sh->now % NSEC_PER_SEC);
	u16 where[2] = { (u16)sh->mac, (u16)sh->net };

	if (r->version == TPACKET_V3) {
		u32 v[5] = { sec, nsec, sh->snap, b->whole,
			     TP_STATUS_USER | TP_STATUS_TS_SOFTWARE };
		u32 none[5] = { 0 };

		put(r, off + 4, v, sizeof(v));
		put(r, off + 24, where, sizeof(where));
		put(r, off + 28, none, sizeof(none));
		return;
	}
	if (r->version == TPACKET_V1) {
		u32 v[2] = { b->whole, sh->snap };

		put32(r, off + 4, 0); /* the status is a long */
		put(r, off + 8, v, sizeof(v));
		put(r, off + 16, where, sizeof(where));
		put32(r, off + 20, sec);
		put32(r, off + 24, nsec / 1000);
		return;
	}
	put32(r, off + 4, b->whole);
	put32(r, off + 8, sh->snap);
	put(r, off + 12, where, sizeof(where));
	put32(r, off + 16, sec);
	put32(r, off + 20, nsec);
	put(r, off + 24, (u32[2]){ 0 }, 8);
}

bool packet_ring_put(struct packet_sock *ps, const struct packet_buf *b,
		     const u8 *data, u32 mac_len)
{
	struct packet_ring *r = ps->ring;
	u32 head = packet_head_size(r->version);
	u32 room = r->version == TPACKET_V3 ? r->req.block_size - first_frame(r)
					    : r->req.frame_size;
	struct shape sh = { .now = clock_real_ns(), .snap = b->len };
	s64 off;

	sh.net = ALIGN16(head + SLL_SIZE + (mac_len ? max(mac_len, 16u) : 0)) +
		 (mac_len ? 0 : 16) + ps->reserve;
	sh.mac = sh.net - mac_len;
	if (sh.net > 0xffff)
		return false; /* it could not be said */
	sh.snap = sh.mac < room ? min(sh.snap, room - sh.mac) : 0;
	if (r->version == TPACKET_V3)
		off = block_room(r, sh.mac + sh.snap);
	else
		off = frame_is_free(r) ? (s64)frame_at(r, r->head) : -1;
	if (off < 0) {
		ps->frozen += r->version == TPACKET_V3 && !r->frozen;
		r->frozen = true;
		return false;
	}
	r->frozen = false;
	put_head(r, (u32)off, b, &sh);
	put_sender(r, (u32)off + head, b);
	put(r, (u32)off + sh.mac, data, sh.snap);
	if (r->version == TPACKET_V3) {
		block_add(r, sh.mac + sh.snap, sh.now);
		return true;
	}
	r->head = (r->head + 1) % r->req.frame_nr;
	/* PKRING (release) - pairs with the program. */
	store_release((u32 *)at(r, (u32)off),
		      TP_STATUS_USER | TP_STATUS_TS_SOFTWARE |
			      (ps->lost ? TP_STATUS_LOSING : 0));
	return true;
}

/* As on Linux: the one before that which is next is the program's. */
bool packet_ring_ready(struct packet_sock *ps)
{
	const struct packet_ring *r = ps->ring;
	u32 n = r->version == TPACKET_V3 ? r->req.block_nr : r->req.frame_nr;
	u32 before = (r->head + n - 1) % n;
	u32 off = r->version == TPACKET_V3
			  ? before * r->req.block_size + BLOCK_STATUS
			  : frame_at(r, before);

	return load_once((u32 *)at(r, off)) != TP_STATUS_KERNEL;
}

/* --- making one */

static int check(const struct packet_sock *ps, const struct packet_ring_req *q,
		 u32 *per_block)
{
	u64 least = (u64)packet_head_size(ps->version) + SLL_SIZE + ps->reserve;

	if ((s32)q->block_size <= 0 || q->block_size % PAGE_SIZE)
		return -EINVAL;
	if (ps->version == TPACKET_V3 &&
	    (q->priv_size >= q->block_size ||
	     q->block_size < BLOCK_HEAD + ALIGN8((u64)q->priv_size) + least))
		return -EINVAL;
	if (q->frame_size < least || q->frame_size % 16)
		return -EINVAL;
	*per_block = q->block_size / q->frame_size;
	if (!*per_block || q->block_size > ~0u / q->block_nr ||
	    *per_block * q->block_nr != q->frame_nr)
		return -EINVAL;
	return q->block_size / PAGE_SIZE * q->block_nr > PAGES_MAX ? -ENOMEM
								   : 0;
}

static struct packet_ring *ring_new(struct packet_sock *ps,
				    const struct packet_ring_req *q,
				    u32 per_block)
{
	u32 nr = q->block_size / (u32)PAGE_SIZE * q->block_nr;
	struct packet_ring *r = kzalloc(sizeof(*r) + nr * sizeof(r->page[0]));

	if (!r)
		return NULL;
	r->refs = 1;
	r->ps = ps;
	r->version = ps->version;
	r->req = *q;
	r->per_block = per_block;
	r->nr_pages = nr;
	r->seq = 1;
	ktimer_init(&r->timer, block_tmo, r);
	for (u32 i = 0; i < nr; i++) {
		r->page[i] = page_alloc(0, GFP_ZERO | GFP_USER);
		if (!r->page[i]) {
			ring_put(r);
			return NULL;
		}
	}
	return r;
}

/* rd_mutex held: nobody else sets one. */
static void take_away(struct packet_sock *ps)
{
	struct packet_ring *r = ps->ring;

	if (!r)
		return;
	spin_lock(&ps->lock);
	ps->ring = NULL;
	spin_unlock(&ps->lock);
	(void)ktimer_cancel(&r->timer);
	ring_put(r);
}

int packet_set_ring(struct packet_sock *ps, const struct packet_ring_req *req)
{
	struct packet_ring *r = NULL;
	u32 per_block = 0;
	int err = 0;

	mutex_lock(&ps->rd_mutex);
	if (ps->ring && (load_once(&ps->ring->mapped) || req->block_nr))
		err = -EBUSY;
	else if (!req->block_nr)
		err = req->frame_nr ? -EINVAL : 0;
	else
		err = check(ps, req, &per_block);
	if (!err && req->block_nr) {
		r = ring_new(ps, req, per_block);
		err = r ? 0 : -ENOMEM;
	}
	if (!err) {
		take_away(ps);
		spin_lock(&ps->lock);
		ps->ring = r;
		spin_unlock(&ps->lock);
	}
	mutex_unlock(&ps->rd_mutex);
	return err;
}

void packet_drop_ring(struct packet_sock *ps)
{
	take_away(ps);
}

/* --- the area that shows it */

static int ring_fault(struct vma *v, u64 pgoff, bool write __unused,
		      struct page **out)
{
	struct packet_ring *r = v->priv;

	if (pgoff >= r->nr_pages)
		return -EIO;
	*out = page_get(r->page[pgoff]);
	return 0;
}

static void ring_open(struct vma *v)
{
	struct packet_ring *r = v->priv;

	atomic_inc(&r->refs);
	atomic_inc(&r->mapped);
}

static void ring_close(struct vma *v)
{
	struct packet_ring *r = v->priv;

	atomic_dec(&r->mapped);
	ring_put(r);
}

static const struct vm_ops ring_vm_ops = {
	.fault = ring_fault,
	.open = ring_open,
	.close = ring_close,
};

int packet_mmap(struct socket *s, struct vma *v)
{
	struct packet_sock *ps = to_packet(s);
	struct packet_ring *r;
	int err = 0;

	mutex_lock(&ps->rd_mutex);
	r = ps->ring;
	if (!r || v->pgoff || v->end - v->start != r->nr_pages * PAGE_SIZE)
		err = -EINVAL;
	if (!err) {
		v->ops = &ring_vm_ops;
		v->priv = r;
		ring_open(v);
	}
	mutex_unlock(&ps->rd_mutex);
	return err;
}
