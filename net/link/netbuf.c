/* SPDX-License-Identifier: MIT */
/* net/link/netbuf.c - frames in memory; see kernel/dev/netdev.h. */
#include <kernel/dev/netdev.h>

#include <kernel/mm/kmalloc.h>
#include <lib/string.h>

#define NETBUF_MAX (256u * 1024)

static struct netbuf *alloc(u32 cap)
{
	struct netbuf *b;

	if (cap > NETBUF_MAX)
		return NULL;
	b = kmalloc(sizeof(*b) + cap);
	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	list_init(&b->node);
	b->cap = cap;
	b->data = b->mem;
	return b;
}

struct netbuf *netbuf_alloc(u32 headroom, u32 len)
{
	struct netbuf *b =
		len <= NETBUF_MAX ? alloc(ALIGN_UP(headroom, 8u) + len) : NULL;

	if (b)
		b->data += ALIGN_UP(headroom, 8u);
	return b;
}

void netbuf_free(struct netbuf *b)
{
	struct netbuf *more;

	for (; b; b = more) {
		more = b->more;
		netdev_put(b->dev);
		kfree(b);
	}
}

/* All that describes @b, for a copy whose memory begins @more bytes earlier. */
static void describe(struct netbuf *c, const struct netbuf *b, u32 more)
{
	c->data = c->mem + netbuf_headroom(b) + more;
	c->len = b->len;
	c->proto = b->proto;
	c->pkttype = b->pkttype;
	c->flags = b->flags;
	c->csum_start = (u16)(b->csum_start + more);
	c->csum_offset = b->csum_offset;
	c->gso_size = b->gso_size;
	c->link = (u16)(b->link + more);
	c->net = (u16)(b->net + more);
	c->stamp_ns = b->stamp_ns;
	netbuf_set_dev(c, b->dev);
}

static struct netbuf *copy(const struct netbuf *b, u32 more)
{
	struct netbuf *c = alloc(more + netbuf_headroom(b) + b->len);
	u32 first = min(netbuf_headroom(b), (u32)NETBUF_HEADROOM);

	if (!c)
		return NULL;
	describe(c, b, more);
	memcpy(c->data - first, b->data - first, first + b->len);
	return c;
}

struct netbuf *netbuf_copy(const struct netbuf *b)
{
	return copy(b, 0);
}

struct netbuf *netbuf_expand(struct netbuf *b, u32 headroom)
{
	struct netbuf *c;

	if (netbuf_headroom(b) >= headroom)
		return b;
	c = copy(b, ALIGN_UP(headroom - netbuf_headroom(b), 8u));
	netbuf_free(b);
	return c;
}

void netbuf_set_dev(struct netbuf *b, struct net_device *dev)
{
	struct net_device *old = b->dev;

	b->dev = dev ? netdev_get(dev) : NULL;
	netdev_put(old);
}
