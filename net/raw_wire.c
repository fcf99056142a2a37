/* SPDX-License-Identifier: MIT */
/*
 * net/raw_wire.c - raw sockets over interfaces: packets with a header of the program's own,
 * and errors about what they have sent.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>
#include <net/route/wire.h>

/* We fill in the length and the checksum, and what is 0: source, identification. */
static int complete(struct netbuf *n, const u8 src[16])
{
	static const u8 any[4];
	u8 *h = n->data;
	u32 head = n->len >= IP4_HEADER ? (h[0] & 15u) * 4 : 0;

	if (head < IP4_HEADER || head > n->len || h[0] >> 4 != 4)
		return -EINVAL;
	put_be16(h + 2, n->len);
	if (!memcmp(h + 12, any, 4))
		memcpy(h + 12, src + 12, 4);
	if (!get_be16(h + 4))
		put_be16(h + 4, (u32)random_u64() & 0xffff);
	put_be16(h + 10, 0);
	put_be16(h + 10, (u16)~ip_sum(0, h, head));
	return 0;
}

int raw_wire_send(const struct inet_sock *is, struct inet_buf *b)
{
	struct netbuf *n = NULL;
	struct route r;
	int err = inet_way(is, b->to.ip, NULL, b->to.scope, &r);

	if (!err && !r.dev)
		err = -ENETUNREACH;
	if (!err && b->len > r.mtu)
		err = -EMSGSIZE;
	if (!err) {
		n = ip_netbuf(b->len, true);
		err = n ? 0 : -ENOBUFS;
	}
	if (!err) {
		memcpy(netbuf_put(n, b->len), b->data, b->len);
		err = complete(n, inet_is_any(&b->from) ? r.src : b->from.ip);
	}
	if (!err) {
		net_count(is->s.net, NET_IP_OUT, 1);
		err = ip_send(is->s.net, &r, n);
	} else {
		netbuf_free(n);
	}
	route_put(&r);
	kfree(b);
	return err == -ENOBUFS && !load_once(&is->recverr) ? 0 : err;
}

/* --- errors */

struct about {
	const struct icmp_report *e;
	struct inet_hearers *h;
	struct net_ns *net;
	const u8 *src, *dst;
	u8 proto;
};

static void look(struct inet_sock *is, void *arg)
{
	struct about *a = arg;

	if (is->proto != a->proto ||
	    (is->s.family == AF_INET) != ip_is_v4(a->dst) ||
	    (!inet_is_any(&is->local) && !ip_same(is->local.ip, a->src)))
		return;
	if (is->state == INET_CONNECTED && !ip_same(is->remote.ip, a->dst))
		return;
	if (is->recverr || is->state == INET_CONNECTED)
		inet_hears(a->h, is);
}

static void find(struct inet_hearers *h, void *arg)
{
	struct about *a = arg;

	a->h = h;
	raw_each_locked(a->net, look, a);
}

static void tell(struct inet_sock *is, const struct icmp_report *e,
		 const struct inet_buf *b)
{
	struct inet_fault f = {
		.err = e->err,
		.origin = ip_is_v4(b->to.ip) ? ORIGIN_ICMP : ORIGIN_ICMP6,
		.type = e->type,
		.code = e->code,
		.info = e->info,
		.from = e->from,
		.soft = !e->hard,
	};

	inet_post_fault(is, b, &f);
}

void raw_told(struct net_ns *net, const struct icmp_report *e, u8 proto,
	      const u8 src[16], const u8 dst[16], const u8 *p, u32 n)
{
	struct about a = { e, NULL, net, src, dst, proto };
	struct inet_hearers h;
	struct inet_buf *b;

	if (!ip_tapped(net) || !e->err)
		return;
	b = inet_quote_buf(src, dst, p, n);
	if (b && inet_gather(&h, find, &a)) {
		for (u32 i = 0; i < h.nr; i++)
			tell(h.to[i], e, b);
		inet_drop_hearers(&h);
	}
	kfree(b);
}
