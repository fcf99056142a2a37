/* SPDX-License-Identifier: MIT */
/*
 * net/route/fragment.c - a packet that is too long for the link goes in pieces [RFC 791
 * 3.2, RFC 8200 4.5].
 */
#include <net/route/route_int.h>

#include <kernel/random.h>
#include <lib/errno.h>

#define FRAG6_HEADER 8u
#define OPT_COPIED   0x80u
#define OPT_NOP	     1u

/* Later fragments have those options only that say so; NOPs stand for the others. */
static void blank_options(u8 *h, u32 head)
{
	u32 at = IP4_HEADER;

	while (at < head && h[at]) {
		u32 n = h[at] == OPT_NOP ? 1 : at + 1 < head ? h[at + 1] : 0;

		if (!n || n > head - at)
			return;
		if (!(h[at] & OPT_COPIED))
			memset(h + at, OPT_NOP, n);
		at += n;
	}
}

/* @n bytes of @b behind its header of @head from @at on, behind that header and @room. */
static struct netbuf *piece(const struct netbuf *b, u32 head, u32 room, u32 at,
			    u32 n)
{
	struct netbuf *f = netbuf_alloc(NETBUF_HEADROOM, head + room + n);

	if (!f)
		return NULL;
	memcpy(netbuf_put(f, head), b->data, head);
	(void)netbuf_put(f, room);
	memcpy(netbuf_put(f, n), b->data + head + at, n);
	f->proto = b->proto;
	return f;
}

static struct netbuf *piece4(const struct netbuf *b, u32 head, u32 at, u32 n)
{
	u32 was = get_be16(b->data + 6), off = (was & IP_OFFSET) + at / 8;
	bool more = (was & IP_MF) || at + n < b->len - head;
	struct netbuf *f = piece(b, head, 0, at, n);

	if (!f)
		return NULL;
	put_be16(f->data + 2, f->len);
	put_be16(f->data + 6, off | (more ? IP_MF : 0));
	if (at)
		blank_options(f->data, head);
	put_be16(f->data + 10, 0);
	put_be16(f->data + 10, (u16)~ip_sum(0, f->data, head));
	return f;
}

int ip4_fragment(struct net_ns *net, const struct route *r, struct netbuf *b,
		 u32 mtu)
{
	u32 head = (b->data[0] & 15u) * 4, len = b->len - head;
	u32 step = mtu > head ? (mtu - head) & ~7u : 0;
	int err = step ? 0 : -EMSGSIZE;

	for (u32 at = 0; !err && at < len; at += step) {
		struct netbuf *f = piece4(b, head, at, min(step, len - at));

		err = f ? ip_send(net, r, f) : -ENOBUFS;
		net_count(net, NET_FRAG_MADE, err == 0);
	}
	net_count(net, err ? NET_FRAG_FAILED : NET_FRAG_OK, 1);
	netbuf_free(b);
	return err;
}

static struct netbuf *piece6(const struct netbuf *b, u32 at, u32 n, u32 id)
{
	bool more = at + n < b->len - IP6_HEADER;
	struct netbuf *f = piece(b, IP6_HEADER, FRAG6_HEADER, at, n);
	u8 *h;

	if (!f)
		return NULL;
	h = f->data + IP6_HEADER;
	h[0] = f->data[6];
	h[1] = 0;
	put_be16(h + 2, at | more);
	put_be32(h + 4, id);
	f->data[6] = IPPROTO_FRAGMENT;
	put_be16(f->data + 4, f->len - IP6_HEADER);
	return f;
}

/* Our own packet: there is nothing between its header and the transport's. */
int ip6_fragment(struct net_ns *net, const struct route *r, struct netbuf *b,
		 u32 mtu)
{
	u32 head = IP6_HEADER + FRAG6_HEADER, len = b->len - IP6_HEADER;
	u32 step = mtu > head ? (mtu - head) & ~7u : 0, id = (u32)random_u64();
	int err = step ? 0 : -EMSGSIZE;

	for (u32 at = 0; !err && at < len; at += step) {
		struct netbuf *f = piece6(b, at, min(step, len - at), id);

		err = f ? ip_send(net, r, f) : -ENOBUFS;
		net_count(net, NET_FRAG6_MADE, err == 0);
	}
	net_count(net, err ? NET_FRAG6_FAILED : NET_FRAG6_OK, 1);
	netbuf_free(b);
	return err;
}
