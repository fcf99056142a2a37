/* SPDX-License-Identifier: MIT */
/* sources: drivers/virtio/virtio_net_rx.c drivers/virtio/virtio_net_tx.c */
/* sources: drivers/virtio/virtio_net_ctrl.c drivers/virtio/virtio_net_watch.c */
/* sources: drivers/virtio/vring.c net/link/netbuf.c */
/* sources: tests/host/fake/locks.c lib/string.c */
/*
 * tests/host/virtio_net_test.c - the virtio network driver against a device that does
 * as it should, is silent, or lies.
 */
#include <tests/host/cmocka.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <drivers/virtio/virtio_net.c>

#include <kernel/time/clock.h>

/* ---- memory: what is alive is counted */

static u32 nr_alive, nr_until_none = ~0u;

void *kmalloc(size_t size)
{
	if (!nr_until_none)
		return NULL;
	nr_until_none -= nr_until_none != ~0u;
	nr_alive++;
	return malloc(size);
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void *kcalloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void kfree(const void *p)
{
	nr_alive -= p != NULL;
	free((void *)(uintptr_t)p);
}

void *alloc_pages_exact(size_t bytes, u32 gfp)
{
	void *p = aligned_alloc(4096, (bytes + 4095) & ~4095ul);

	(void)gfp;
	memset(p, 0, bytes);
	return p;
}

paddr_t virt_to_phys(const void *va)
{
	return (paddr_t)(uintptr_t)va;
}

/* ---- time, threads, locks */

static u64 now;
static char log_text_[4096];
static bool ctrl_answers;
static struct device *ctrl_dev;
static struct virtqueue *vqs[3];
static u64 timer_at;
static struct ktimer *the_timer;

u64 clock_mono_ns(void)
{
	return now;
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(log_text_);
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(log_text_ + len, sizeof(log_text_) - len, fmt, ap);
	va_end(ap);
}

bool log_may(struct log_ratelimit *rl)
{
	(void)rl;
	return true;
}

void spin_lock_nested(struct spinlock *l)
{
	spin_lock(l);
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *), void *arg)
{
	*t = (struct ktimer){ .fn = fn, .arg = arg };
	the_timer = t;
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns)
{
	timer_at = deadline_ns;
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	return (struct thread *)(uintptr_t)8;
}

void mutex_init(struct mutex *m)
{
	m->locked = 0;
}

void mutex_lock(struct mutex *m)
{
	assert_int_equal(m->locked++, 0);
}

void mutex_unlock(struct mutex *m)
{
	assert_int_equal(m->locked--, 1);
}

void waitq_init(struct waitq *wq)
{
}

void wake_up_all_key(struct waitq *wq, u64 key)
{
}

void waiter_init(struct waiter *w)
{
}

void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible)
{
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
}

/* ---- the device */

struct device {
	u16 size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 seen;
};

static struct device devs[3];
static u64 offered;
static u8 config[64];
static u32 nr_resets, nr_kills, nr_notifies;
static bool is_ready;

static void dev_reset(void)
{
	for (u32 i = 0; i < 3; i++)
		devs[i].seen = 0;
	is_ready = false;
}

/* Head of the next chain, its segments in @out; their number. */
static u32 dev_pop(struct device *d, u16 *head, struct vring_desc *out)
{
	u16 i;
	u32 n = 0;

	if (d->avail->idx == d->seen)
		return 0;
	i = *head = d->avail->ring[d->seen++ % d->size];
	*(u16 *)&d->used->ring[d->size] = d->seen;
	for (;; i = d->desc[i].next) {
		out[n++] = d->desc[i];
		if (!(d->desc[i].flags & VRING_DESC_NEXT))
			return n;
	}
}

static void dev_push(struct device *d, u32 id, u32 len)
{
	d->used->ring[d->used->idx % d->size].id = id;
	d->used->ring[d->used->idx % d->size].len = len;
	d->used->idx++;
}

/* Would this one raise an interrupt? */
static bool dev_is_armed(const struct device *d, u16 from)
{
	u16 event = d->avail->ring[d->size];

	return (u16)(d->used->idx - event - 1) < (u16)(d->used->idx - from);
}

int wait_suspend(u64 deadline_ns)
{
	struct vring_desc s[4];
	u16 head;

	if (!ctrl_answers || dev_pop(ctrl_dev, &head, s) != 3) {
		now = deadline_ns;
		return -ETIMEDOUT;
	}
	*(u8 *)(uintptr_t)s[2].addr = VNET_CTRL_OK;
	dev_push(ctrl_dev, head, 1);
	assert_true(vqs[VNET_VQ_CTRL]->handler(vqs[VNET_VQ_CTRL]));
	return 0;
}

u64 virtio_offers(const struct virtio_dev *vd)
{
	return offered;
}

int virtio_negotiate(struct virtio_dev *vd, u64 want)
{
	vd->features = offered & want;
	return 0;
}

u8 virtio_config_read8(const struct virtio_dev *vd, u32 offset)
{
	return config[offset];
}

u16 virtio_config_read16(const struct virtio_dev *vd, u32 offset)
{
	return (u16)(config[offset] | config[offset + 1] << 8);
}

u32 virtio_config_read32(const struct virtio_dev *vd, u32 offset)
{
	return virtio_config_read16(vd, offset) |
	       (u32)virtio_config_read16(vd, offset + 2) << 16;
}

int virtio_vq_setup(struct virtio_dev *vd, u16 index, u16 max_size, int cpu,
		    bool (*handler)(struct virtqueue *vq), void *priv,
		    struct virtqueue **out)
{
	struct virtqueue *vq = calloc(1, sizeof(*vq));
	u16 size = min_t(u16, max_size, 16);
	u8 *base = alloc_pages_exact(vring_bytes(size), 0);

	vq->vd = vd;
	vq->index = index;
	vq->handler = handler;
	vq->priv = priv;
	vq->mem = base;
	vring_init(&vq->ring, size, base,
		   calloc(size, sizeof(struct vring_slot)),
		   vd->features & VIRTIO_F_EVENT_IDX);
	devs[index] = (struct device){
		.size = size,
		.desc = vq->mem,
		.avail = (void *)(base + vring_avail_offset(size)),
		.used = (void *)(base + vring_used_offset(size)),
	};
	vqs[index] = *out = vq;
	return 0;
}

int virtio_reset(struct virtio_dev *vd)
{
	nr_resets++;
	dev_reset();
	return 0;
}

int virtio_restart(struct virtio_dev *vd)
{
	for (u32 i = 0; i < 3; i++) {
		if (vqs[i])
			vring_reset(&vqs[i]->ring);
	}
	return 0;
}

void virtio_ready(struct virtio_dev *vd)
{
	is_ready = true;
}

void virtio_notify(struct virtqueue *vq)
{
	assert_true(is_ready);
	nr_notifies++;
}

bool virtio_needs_reset(const struct virtio_dev *vd)
{
	return false;
}

bool virtio_kill(struct virtio_dev *vd)
{
	nr_kills++;
	dev_reset();
	return true;
}

void random_bytes(void *buf, size_t n)
{
	memset(buf, 0x55, n);
}

void vnet_sys_add(struct vnet *vn)
{
}

/* ---- net/ */

static struct net_device *nd;
static struct netbuf *got[64];
static u32 nr_got, nr_ready;

int netdev_register(struct net_device *dev, struct net_ns *net)
{
	nd = dev;
	return 0;
}

struct net_device *netdev_get(struct net_device *dev)
{
	return dev;
}

void netdev_put(struct net_device *dev)
{
}

void netdev_rx(struct net_device *dev, struct netbuf *b)
{
	assert_true(nr_got < ARRAY_SIZE(got));
	got[nr_got++] = b;
}

void netdev_tx_ready(struct net_device *dev)
{
	nr_ready++;
}

static bool kick_later; /* a batch is open */

bool netdev_kick_later(struct net_device *dev)
{
	return kick_later;
}

void netdev_carrier(struct net_device *dev, bool on)
{
	dev->carrier = on;
}

/* ---- rig */

#define USUAL                                                              \
	(VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MRG_RXBUF | \
	 VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM |                     \
	 VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |                 \
	 VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_F_EVENT_IDX)

static struct virtio_dev vdev;

static struct vnet *the(void)
{
	return nd->priv;
}

static void probe(u64 features)
{
	memset(&vdev, 0, sizeof(vdev));
	memset(vqs, 0, sizeof(vqs));
	memset(config, 0, sizeof(config));
	memcpy(config, "\x52\x54\0\1\2\3", ETH_ALEN);
	config[VNC_STATUS] = 1;
	vdev.name = "rig";
	offered = features;
	now = 0;
	nr_resets = nr_kills = nr_notifies = nr_got = nr_ready = 0;
	nr_until_none = ~0u;
	timer_at = 0;
	log_text_[0] = 0;
	ctrl_dev = &devs[VNET_VQ_CTRL];
	ctrl_answers = true;
	assert_int_equal(vnet_probe(&vdev), 0);
}

static void start(u64 features)
{
	probe(features);
	assert_int_equal(nd->ops->open(nd), 0);
}

static void forget_got(void)
{
	for (u32 i = 0; i < nr_got; i++)
		netbuf_free(got[i]);
	nr_got = 0;
}

static void end(void)
{
	struct vnet *vn = the();

	forget_got();
	nd->ops->stop(nd);
	assert_int_equal(nr_alive, 0);
	for (u32 i = 0; i < 3; i++) {
		if (!vqs[i])
			continue;
		free(vqs[i]->mem);
		free(vqs[i]->ring.slot);
		free(vqs[i]);
	}
	free(vn->tx.head);
	free(vn->ctrl.mem);
	list_del(&vn->all);
	free(vn);
}

static struct device *rxd(void)
{
	return &devs[VNET_VQ_RX];
}

/* The device writes @n bytes, of the value @fill and behind @h if that is not NULL,
 * into the next buffer; its id, not yet used. */
static u16 dev_write(const struct vnet_header *h, u8 fill, u32 n)
{
	struct vring_desc s[4];
	u32 skip = h ? sizeof(*h) : 0;
	u16 head;
	u8 *to;

	assert_int_equal(dev_pop(rxd(), &head, s), 1);
	assert_true(s[0].flags & VRING_DESC_WRITE);
	assert_true(s[0].len >= n + skip);
	to = (u8 *)(uintptr_t)s[0].addr;
	if (h)
		memcpy(to, h, sizeof(*h));
	memset(to + skip, fill, n);
	return head;
}

static void interrupt(u32 q)
{
	(void)vqs[q]->handler(vqs[q]);
}

static void receive(struct vnet_header h, u32 n)
{
	dev_push(rxd(), dev_write(&h, 7, n), n + (u32)sizeof(h));
	interrupt(VNET_VQ_RX);
}

static const struct vnet_header one = { .num_buffers = 1 };

/* ---- tests: receive */

static void goes_up_and_down(void **state)
{
	probe(USUAL);
	assert_int_equal(nr_alive, 0);
	assert_string_equal(nd->name, "eth%d");
	assert_memory_equal(nd->mac, "\x52\x54\0\1\2\3", ETH_ALEN);
	assert_int_equal(nd->features,
			 NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(nd->ops->open(nd), 0);
		assert_true(nd->carrier);
		assert_int_equal(nr_alive, 16);
		assert_true(is_ready);
		nd->ops->stop(nd);
		assert_false(nd->carrier);
		assert_false(is_ready);
		assert_int_equal(nr_alive, 0);
	}
	assert_int_equal(nd->ops->open(nd), 0);
	end();
}

static void receives(void **state)
{
	start(USUAL);
	for (u32 i = 0; i < 40; i++) {
		receive(one, 60 + i);
		assert_int_equal(nr_got, 1);
		assert_int_equal(got[0]->len, 60 + i);
		assert_int_equal(got[0]->data[0], 7);
		assert_int_equal(got[0]->data[59 + i], 7);
		assert_int_equal(got[0]->flags, 0);
		/* what is behind a header of Ethernet is aligned */
		assert_int_equal((uintptr_t)(got[0]->data + 14) % 4, 0);
		assert_true(netbuf_headroom(got[0]) >= NETBUF_HEADROOM);
		forget_got();
		assert_int_equal(nr_alive, 16);
	}
	end();
}

/* Three buffers, of which the last comes later. */
static void joins_buffers(void **state)
{
	struct vnet_header h = { .num_buffers = 3 };
	u32 buf, first;
	u16 a, b, c;

	start(USUAL);
	buf = the()->rx.buf_bytes;
	first = buf + (u32)sizeof(h);
	a = dev_write(&h, 1, buf);
	b = dev_write(NULL, 2, first);
	c = dev_write(NULL, 3, 10);
	dev_push(rxd(), a, first);
	dev_push(rxd(), b, first);
	interrupt(VNET_VQ_RX);
	assert_int_equal(nr_got, 0);
	dev_push(rxd(), c, 10);
	interrupt(VNET_VQ_RX);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0]->len, buf + first + 10);
	assert_int_equal(got[0]->data[buf - 1], 1);
	assert_int_equal(got[0]->data[buf], 2);
	assert_int_equal(got[0]->data[buf + first - 1], 2);
	assert_int_equal(got[0]->data[buf + first], 3);
	assert_int_equal((uintptr_t)(got[0]->data + 14) % 4, 0);
	receive(one, 60);
	assert_int_equal(nr_got, 2);
	/* and with a part outstanding it goes down */
	a = dev_write(&h, 1, buf);
	dev_push(rxd(), a, first);
	interrupt(VNET_VQ_RX);
	end();
}

static void tells_of_checksums(void **state)
{
	struct vnet_header h = one;

	start(USUAL);
	h.flags = VNET_HDR_F_DATA_VALID;
	receive(h, 60);
	assert_int_equal(got[0]->flags, NETBUF_CSUM_GOOD);
	h.flags = VNET_HDR_F_NEEDS_CSUM;
	h.csum_start = 34;
	h.csum_offset = 16;
	h.gso_type = VNET_GSO_TCPV4 | VNET_GSO_ECN;
	h.gso_size = 1400;
	receive(h, 60);
	assert_int_equal(got[1]->flags, NETBUF_CSUM_GOOD | NETBUF_CSUM_PARTIAL);
	assert_ptr_equal(got[1]->mem + got[1]->csum_start, got[1]->data + 34);
	assert_int_equal(got[1]->csum_offset, 16);
	assert_int_equal(got[1]->gso_size, 1400);
	assert_int_equal(nd->stats.rx_errors, 0);
	h.csum_start = 43; /* 43 + 16 + 2 > 60 */
	receive(h, 60);
	h.csum_start = 0xffff;
	h.csum_offset = 0xffff;
	receive(h, 60);
	h.flags = 0;
	h.gso_type = 3; /* UDP, which we did not want */
	receive(h, 60);
	h.gso_type = VNET_GSO_TCPV6;
	h.gso_size = 0;
	receive(h, 60);
	receive(one, 13); /* no header of Ethernet */
	assert_int_equal(nd->stats.rx_errors, 5);
	assert_int_equal(nr_got, 2);
	assert_int_equal(nr_kills, 0);
	end();
	/* a device that was not asked says nothing */
	start(VIRTIO_NET_F_MRG_RXBUF);
	h.flags = VNET_HDR_F_NEEDS_CSUM;
	receive(h, 60);
	assert_int_equal(got[0]->flags, 0);
	end();
}

static void without_mergeable(void **state)
{
	struct vnet_header h = { .num_buffers = 0xffff };

	start(USUAL & ~VIRTIO_NET_F_MRG_RXBUF);
	assert_int_equal(nd->mtu_max, ETH_MTU);
	assert_false(vdev.features & VIRTIO_NET_F_GUEST_TSO4);
	receive(h, ETH_HEADER + 4 + ETH_MTU);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0]->len, ETH_HEADER + 4 + ETH_MTU);
	end();
}

static void survives_no_memory(void **state)
{
	start(USUAL);
	nr_until_none = 0;
	for (u32 i = 0; i < 16; i++)
		receive(one, 60);
	assert_int_equal(nr_got, 16);
	assert_int_equal(the()->rx.vq->ring.in_flight, 0);
	assert_true(the()->rx.nr_no_buffer >= 16);
	forget_got();
	assert_true(timer_at > now);
	now = timer_at;
	the_timer->fn(the_timer);
	assert_true(timer_at > now); /* still none: later, then */
	nr_until_none = ~0u;
	now = timer_at;
	the_timer->fn(the_timer);
	assert_int_equal(the()->rx.vq->ring.in_flight, 16);
	receive(one, 60);
	assert_int_equal(nr_got, 1);
	forget_got();
	nd->ops->stop(nd);
	nr_until_none = 0;
	assert_int_equal(nd->ops->open(nd), -ENOMEM);
	nr_until_none = 3;
	assert_int_equal(nd->ops->open(nd), 0);
	end();
}

static void large_without_memory(void **state)
{
	struct vnet_header h = { .num_buffers = 2 };
	u16 a, b;

	start(USUAL);
	a = dev_write(&h, 1, 1000);
	b = dev_write(NULL, 2, 1000);
	dev_push(rxd(), a, 1000 + (u32)sizeof(h));
	dev_push(rxd(), b, 1000);
	nr_until_none = 0;
	interrupt(VNET_VQ_RX);
	assert_int_equal(nr_got, 0);
	assert_int_equal(nd->stats.rx_dropped, 1);
	nr_until_none = ~0u;
	end();
}

/* ---- tests: lies */

static void is_dead(const char *why)
{
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, 60);

	assert_int_equal(nr_kills, 1);
	assert_false(nd->carrier);
	assert_non_null(strstr(log_text_, why));
	(void)netbuf_put(b, 60);
	assert_true(nd->ops->xmit(nd, b)); /* it is gone */
	interrupt(VNET_VQ_RX);
	interrupt(VNET_VQ_TX);
	the_timer->fn(the_timer);
	assert_int_equal(nr_kills, 1);
	nd->ops->stop(nd);
	assert_int_equal(nd->ops->open(nd), -EIO);
	end();
}

static void lie_of_buffers(u16 nr)
{
	start(USUAL);
	receive((struct vnet_header){ .num_buffers = nr }, 60);
	is_dead("too many buffers");
}

static void lies(void **state)
{
	struct vnet_header h = { .num_buffers = 16 };

	lie_of_buffers(0);
	lie_of_buffers(17);
	lie_of_buffers(0xffff);
	start(USUAL);
	dev_push(rxd(), dev_write(&one, 0, 0), 11);
	interrupt(VNET_VQ_RX);
	is_dead("without a header");
	start(USUAL);
	dev_push(rxd(), dev_write(&one, 0, 0), 100000);
	interrupt(VNET_VQ_RX);
	is_dead("more than it was given");
	start(USUAL);
	dev_push(rxd(), 99, 60);
	interrupt(VNET_VQ_RX);
	is_dead("not in flight");
	start(USUAL);
	rxd()->used->idx = 1000;
	interrupt(VNET_VQ_RX);
	is_dead("more used than there were");
	start(USUAL);
	dev_push(&devs[VNET_VQ_TX], 0, 0);
	interrupt(VNET_VQ_TX);
	is_dead("more used than there were");
	/* buffers of which each is right, and together too long */
	start(USUAL);
	the()->rx.part_bytes = VNET_MAX_FRAME - 100;
	receive(h, 101);
	is_dead("too long");
}

/* ---- tests: send */

static struct device *txd(void)
{
	return &devs[VNET_VQ_TX];
}

static struct netbuf *frame(u32 headroom, u32 len)
{
	struct netbuf *b = netbuf_alloc(headroom, len);

	memset(netbuf_put(b, len), 9, len);
	return b;
}

static struct vnet_header sent_header(u32 headroom, u32 segs)
{
	struct vring_desc s[4];
	struct vnet_header h;
	u16 head;

	assert_int_equal(dev_pop(txd(), &head, s), segs);
	memcpy(&h, (void *)(uintptr_t)s[0].addr, sizeof(h));
	if (segs == 1) {
		assert_int_equal(s[0].len, sizeof(h) + 60);
		assert_int_equal(((u8 *)(uintptr_t)s[0].addr)[12], 9);
	} else {
		assert_int_equal(s[0].len, sizeof(h));
		assert_int_equal(s[1].len, 60);
		assert_int_equal(*(u8 *)(uintptr_t)s[1].addr, 9);
	}
	dev_push(txd(), head, 0);
	return h;
}

static void sends(void **state)
{
	struct vnet_header h;
	struct netbuf *b;

	start(USUAL);
	assert_true(nd->ops->xmit(nd, frame(NETBUF_HEADROOM, 60)));
	h = sent_header(NETBUF_HEADROOM, 1);
	assert_int_equal(h.flags | h.gso_type | h.num_buffers, 0);
	assert_true(nd->ops->xmit(nd, frame(8, 60)));
	(void)sent_header(8, 2);
	b = frame(NETBUF_HEADROOM, 60);
	b->flags = NETBUF_CSUM_PARTIAL | NETBUF_GSO_V6;
	b->csum_start = (u16)(netbuf_headroom(b) + 54);
	b->csum_offset = 16;
	assert_true(nd->ops->xmit(nd, b));
	h = sent_header(NETBUF_HEADROOM, 1);
	assert_int_equal(h.flags, VNET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h.csum_start, 54);
	assert_int_equal(h.csum_offset, 16);
	assert_int_equal(h.gso_type, VNET_GSO_NONE);
	b = frame(NETBUF_HEADROOM, 60);
	b->flags = NETBUF_CSUM_PARTIAL;
	b->csum_start = (u16)(netbuf_headroom(b) + 34);
	b->csum_offset = 16;
	b->gso_size = 1448;
	b->data[34 + 12] = 0x80; /* 32 bytes of TCP's header */
	assert_true(nd->ops->xmit(nd, b));
	h = sent_header(NETBUF_HEADROOM, 1);
	assert_int_equal(h.gso_type, VNET_GSO_TCPV4);
	assert_int_equal(h.gso_size, 1448);
	assert_int_equal(h.hdr_len, 66);
	end();
}

/* Of the next one that it has not taken. */
static void wants_telling(struct device *d)
{
	u16 next = d->avail->idx;

	memcpy(&d->used->ring[d->size], &next, sizeof(next));
}

/* In a batch the device is told once, at the end, or when the ring is full. */
static void tells_once(void **state)
{
	struct netbuf *b;
	u32 before;

	start(USUAL);
	before = nr_notifies;
	kick_later = true;
	for (u32 i = 0; i < 3; i++)
		assert_true(nd->ops->xmit(nd, frame(NETBUF_HEADROOM, 60)));
	assert_int_equal(nr_notifies, before);
	nd->ops->kick(nd);
	assert_int_equal(nr_notifies, before + 1);
	nd->ops->kick(nd); /* nothing more */
	assert_int_equal(nr_notifies, before + 1);
	for (u32 i = 0; i < 3; i++)
		(void)sent_header(NETBUF_HEADROOM, 1);
	/* it asks to be told of the next one, which is told by who is not in a batch */
	wants_telling(txd());
	assert_true(nd->ops->xmit(nd, frame(NETBUF_HEADROOM, 60)));
	kick_later = false;
	assert_true(nd->ops->xmit(nd, frame(NETBUF_HEADROOM, 60)));
	assert_int_equal(nr_notifies, before + 2);
	wants_telling(txd());
	kick_later = true;
	while (nd->ops->xmit(nd, b = frame(NETBUF_HEADROOM, 60)))
		;
	netbuf_free(b);
	assert_int_equal(nr_notifies, before + 3);
	kick_later = false;
	end();
}

static void waits_for_room(void **state)
{
	struct device *d = txd();
	struct netbuf *b = NULL;
	u32 nr = 0;
	u16 from;

	start(USUAL);
	nr_ready = 0;
	for (;;) {
		b = frame(NETBUF_HEADROOM, 60);
		if (!nd->ops->xmit(nd, b))
			break;
		nr++;
	}
	assert_true(nr >= 15);
	assert_true(timer_at > now);
	assert_false(nd->ops->xmit(nd, b));
	/* the first few are sent: nobody is told, nor the device asked to tell */
	from = d->used->idx;
	for (u32 i = 0; i < 3; i++)
		(void)sent_header(NETBUF_HEADROOM, 1);
	assert_false(dev_is_armed(d, from));
	from = d->used->idx;
	(void)sent_header(NETBUF_HEADROOM, 1);
	assert_true(dev_is_armed(d, from));
	interrupt(VNET_VQ_TX);
	assert_int_equal(nr_ready, 1);
	assert_true(nd->ops->xmit(nd, b));
	from = d->used->idx;
	(void)sent_header(NETBUF_HEADROOM, 1);
	assert_false(dev_is_armed(d, from));
	interrupt(VNET_VQ_TX);
	assert_int_equal(nr_ready, 1);
	end();
}

/* An interrupt that is lost; a device that sends nothing any more. */
static void looks_for_room(void **state)
{
	struct netbuf *b;

	start(USUAL);
	nr_ready = 0;
	while (nd->ops->xmit(nd, b = frame(NETBUF_HEADROOM, 60)))
		;
	for (u32 i = 0; i < 8; i++)
		(void)sent_header(NETBUF_HEADROOM, 1);
	now = timer_at;
	the_timer->fn(the_timer);
	assert_int_equal(nr_ready, 1);
	while (nd->ops->xmit(nd, b))
		b = frame(NETBUF_HEADROOM, 60);
	for (u32 i = 0; i < 10 && !the()->want_reset; i++) {
		now = timer_at;
		the_timer->fn(the_timer);
	}
	assert_int_equal(the()->want_reset, 0);
	for (u32 i = 0; i < 10 && !the()->want_reset; i++) {
		now = timer_at;
		the_timer->fn(the_timer);
	}
	assert_int_equal(the()->want_reset, 1);
	netbuf_free(b);
	end();
}

/* ---- tests: commands */

static void commands(void **state)
{
	u8 mac[ETH_ALEN] = { 2, 1, 1, 1, 1, 1 };

	start(USUAL | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX |
	      VIRTIO_NET_F_CTRL_MAC_ADDR);
	assert_int_equal(nd->ops->set_mac(nd, mac), 0);
	ctrl_answers = false;
	now = 0;
	assert_int_equal(nd->ops->set_mac(nd, mac), -ETIMEDOUT);
	assert_true(now > 0);
	/* nobody waits a second time for a device that is silent */
	now = 0;
	assert_int_equal(nd->ops->set_mac(nd, mac), -EBUSY);
	nd->ops->set_rx_mode(nd);
	assert_int_equal(now, 0);
	/* going down and up is a new beginning, also without an answer */
	nd->ops->stop(nd);
	assert_int_equal(nd->ops->open(nd), 0);
	nd->ops->stop(nd);
	ctrl_answers = true;
	assert_int_equal(nd->ops->open(nd), 0);
	assert_int_equal(nd->ops->set_mac(nd, mac), 0);
	end();
	start(USUAL);
	assert_int_equal(nd->ops->set_mac(nd, mac), -EOPNOTSUPP);
	nd->ops->set_rx_mode(nd);
	end();
}

static void without_an_address(void **state)
{
	start(USUAL & ~VIRTIO_NET_F_MAC);
	assert_int_equal(nd->mac[0] & 3, 2); /* local, of one station */
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_up_and_down),
		cmocka_unit_test(receives),
		cmocka_unit_test(joins_buffers),
		cmocka_unit_test(tells_of_checksums),
		cmocka_unit_test(without_mergeable),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(large_without_memory),
		cmocka_unit_test(lies),
		cmocka_unit_test(sends),
		cmocka_unit_test(tells_once),
		cmocka_unit_test(waits_for_room),
		cmocka_unit_test(looks_for_room),
		cmocka_unit_test(commands),
		cmocka_unit_test(without_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
