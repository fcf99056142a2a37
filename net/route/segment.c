/* SPDX-License-Identifier: MIT */
/*
 * net/route/segment.c - what TCP sends in one piece (gso_size) goes in segments, where the
 * device does not cut it itself.
 */
#include <net/route/route_int.h>

#include <lib/errno.h>

#define TCP_HEADER 20u
#define TCP_FIN	   0x01u
#define TCP_PSH	   0x08u
#define TCP_CWR	   0x80u

static void set_checksum(struct netbuf *f, u32 at, bool v4)
{
	u8 src[16], dst[16], *h = f->data;
	u32 len = f->len - at, sum;

	ip_addresses(h, v4, src, dst);
	put_be16(h + at + 16, 0);
	sum = ip_pseudo_sum(IPPROTO_TCP, src, dst, len);
	put_be16(h + at + 16, (u16)~ip_sum(sum, h + at, len));
}

/* Segment @nr: @n bytes from @at on, behind the headers of @head bytes. */
static struct netbuf *segment(const struct netbuf *b, u32 tcp, u32 head, u32 at,
			      u32 n, u32 nr)
{
	struct netbuf *f = netbuf_alloc(NETBUF_HEADROOM, head + n);
	bool v4 = b->proto == ETH_P_IP, last = head + at + n == b->len;
	u8 *h;

	if (!f)
		return NULL;
	f->proto = b->proto;
	h = netbuf_put(f, head);
	memcpy(h, b->data, head);
	memcpy(netbuf_put(f, n), b->data + head + at, n);
	if (v4) {
		put_be16(h + 2, f->len);
		put_be16(h + 4, get_be16(h + 4) + nr);
		put_be16(h + 10, 0);
		put_be16(h + 10, (u16)~ip_sum(0, h, (h[0] & 15u) * 4));
	} else {
		put_be16(h + 4, f->len - IP6_HEADER);
	}
	put_be32(h + tcp + 4, get_be32(h + tcp + 4) + at);
	if (!last)
		h[tcp + 13] &= (u8) ~(TCP_FIN | TCP_PSH);
	if (nr)
		h[tcp + 13] &= 0xffu ^ TCP_CWR;
	set_checksum(f, tcp, v4);
	return f;
}

int ip_cut(struct netbuf *b, int (*send)(struct netbuf *f, void *arg),
	   void *arg)
{
	u32 size = b->gso_size;
	u32 tcp = b->proto == ETH_P_IP ? (b->data[0] & 15u) * 4 : IP6_HEADER;
	u32 head = b->len >= tcp + TCP_HEADER
			   ? tcp + (b->data[tcp + 12] >> 4) * 4u
			   : ~0u;
	int err = 0;
	u32 nr = 0;

	if (head > b->len || head < tcp + TCP_HEADER) {
		netbuf_free(b);
		return -EINVAL;
	}
	for (u32 at = 0; !err && at < b->len - head; at += size) {
		struct netbuf *f = segment(b, tcp, head, at,
					   min(size, b->len - head - at), nr++);

		err = f ? send(f, arg) : -ENOBUFS;
	}
	netbuf_free(b);
	return err;
}

struct way {
	struct net_ns *net;
	const struct route *r;
};

static int send_by(struct netbuf *f, void *arg)
{
	const struct way *w = arg;

	return ip_send(w->net, w->r, f);
}

int ip_segment(struct net_ns *net, const struct route *r, struct netbuf *b)
{
	struct way w = { net, r };

	return ip_cut(b, send_by, &w);
}
