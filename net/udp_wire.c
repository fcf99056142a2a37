/* SPDX-License-Identifier: MIT */
/*
 * net/udp_wire.c - UDP and UDP-Lite over interfaces [RFC 768, RFC 3828].
 *
 * Between sockets of this machine there are no packets: udp.c.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet_opt.h>
#include <net/route/route_int.h>
#include <net/route/wire.h>

/* --- sending */

/* What a wire packet's header says besides addresses, and how long it may be: IP_TTL,
 * IP_TOS, IP_MTU_DISCOVER. */
void inet_wire_opts(const struct inet_sock *is, const struct inet_buf *b,
		    u32 len, struct route *r, struct ip_opts *o)
{
	bool v4 = inet_is_v4(&b->to);
	u32 how = !is ? PMTU_WANT : v4 ? is->mtu_discover : is->mtu_discover6;
	u32 head = v4 ? IP4_HEADER : IP6_HEADER;

	if (how >= PMTU_PROBE)
		r->mtu = load_once(&r->dev->mtu);
	*o = (struct ip_opts){
		.ttl = b->hops,
		.tos = b->class,
		.dont_fragment = how == PMTU_DO || how == PMTU_PROBE,
		.mark = b->mark,
	};
	if (how == PMTU_INTERFACE || (is && !v4 && inet_dontfrag(is)))
		o->dont_fragment = head + len > r->mtu; /* neither cut */
	if (v4 && how == PMTU_WANT)
		o->dont_fragment = head + len <= r->mtu;
}

/* The checksum: the device's to add, if it can and the packet stays whole. */
static void put_checksum(u8 proto, const struct inet_buf *b,
			 const struct route *r, struct netbuf *n, u32 covers)
{
	u32 head = inet_is_v4(&b->to) ? IP4_HEADER : IP6_HEADER;
	u16 sum = ip_pseudo_sum(proto, b->from.ip, b->to.ip, n->len);

	if ((r->dev->features & NETDEV_TX_CSUM) && proto == IPPROTO_UDP &&
	    n->len + head <= r->mtu) {
		put_be16(n->data + 6, sum);
		n->flags |= NETBUF_CSUM_PARTIAL;
		n->csum_start = (u16)netbuf_headroom(n);
		n->csum_offset = 6;
		return;
	}
	put_be16(n->data + 6, (u16)~ip_sum(sum, n->data, covers) ?: 0xffff);
}

static struct netbuf *packet_of(const struct inet_sock *is,
				const struct inet_buf *b, const struct route *r)
{
	u32 len = UDP_HEADER + b->len, covers = len;
	struct netbuf *n = ip_netbuf(len, inet_is_v4(&b->to));
	u8 *h;

	if (!n)
		return NULL;
	h = netbuf_put(n, UDP_HEADER);
	put_be16(h, b->from.port);
	put_be16(h + 2, b->to.port);
	put_be16(h + 4, len);
	put_be16(h + 6, 0);
	memcpy(netbuf_put(n, b->len), b->data, b->len);
	if (is->proto == IPPROTO_UDPLITE) {
		covers =
			is->cscov[0] && is->cscov[0] < len ? is->cscov[0] : len;
		put_be16(h + 4, covers == len ? 0 : covers);
	}
	if (inet_is_v4(&b->to) || !is->no_check6[0] ||
	    is->proto == IPPROTO_UDPLITE)
		put_checksum(is->proto, b, r, n, covers);
	return n;
}

/* Those of this machine who hear what goes to many. */
static void loop_back(struct inet_sock *is, struct inet_buf *b,
		      const struct route *r)
{
	bool v4 = inet_is_v4(&b->to);

	if (r->type == ROUTE_MULTICAST && !inet_mc_loops(is, v4))
		return;
	b->to.scope = (u32)r->dev->index;
	b->from.scope = ip_is_link_local(b->from.ip) ? b->to.scope : 0;
	inet_flood(is->s.net, is->proto, b);
}

/* It is too long: who wants to know is told how long it may be. */
static void too_long(struct inet_sock *is, const struct inet_buf *b,
		     const struct route *r)
{
	struct inet_fault f = {
		.err = EMSGSIZE,
		.origin = ORIGIN_LOCAL,
		.info = r->mtu,
		.from = b->from.ip,
	};

	if (load_once(&is->recverr))
		inet_post_fault(is, b, &f);
}

static int send(struct inet_sock *is, struct inet_buf *b, struct route *r)
{
	struct netbuf *n;
	struct ip_opts o;
	int err;

	inet_wire_opts(is, b, UDP_HEADER + b->len, r, &o);
	if (o.ttl == 0)
		o.ttl = 1;
	if (r->type != ROUTE_UNICAST)
		loop_back(is, b, r);
	if (r->type == ROUTE_MULTICAST && !b->hops)
		return 0; /* not beyond this machine */
	n = packet_of(is, b, r);
	if (!n)
		return -ENOBUFS;
	err = ip_output(is->s.net, r, is->proto, b->from.ip, b->to.ip, &o, n);
	if (err == -EMSGSIZE)
		too_long(is, b, r);
	if (err == -ENOBUFS && !load_once(&is->recverr))
		err = 0; /* lost on the way: as on Linux */
	return err;
}

int udp_wire_send(struct inet_sock *is, struct inet_buf *b)
{
	struct route r;
	int err = inet_way(is, b->to.ip, b->from.ip, b->to.scope, &r);

	if (!err && !r.dev)
		err = -ENETUNREACH; /* it has become our own just now */
	if (!err && inet_is_any(&b->from))
		memcpy(b->from.ip, r.src, 16);
	if (!err)
		err = send(is, b, &r);
	route_put(&r);
	kfree(b);
	return err;
}

/* --- receiving */

/* How many bytes the checksum covers; 0: it is broken. */
static u32 covered(const struct ip_packet *p, u32 *len)
{
	const struct netbuf *b = p->b;
	u32 said = b->len >= UDP_HEADER ? get_be16(b->data + 4) : 0;

	if (b->len < UDP_HEADER)
		return 0;
	*len = b->len;
	if (p->proto == IPPROTO_UDPLITE)
		return !said				    ? b->len
		       : said < UDP_HEADER || said > b->len ? 0
							    : said;
	if (said < UDP_HEADER || said > b->len)
		return 0;
	*len = said;
	return said;
}

static bool is_sound(const struct ip_packet *p, u32 covers, u32 len)
{
	const struct netbuf *b = p->b;
	u16 sum = (u16)get_be16(b->data + 6);

	if (!sum)
		return ip_is_v4(p->dst) && p->proto == IPPROTO_UDP;
	if ((b->flags & (NETBUF_CSUM_GOOD | NETBUF_CSUM_PARTIAL)) &&
	    p->proto == IPPROTO_UDP)
		return true;
	sum = ip_pseudo_sum(p->proto, p->src, p->dst, len);
	return ip_sum(sum, b->data, covers) == 0xffff;
}

static void bad(struct net_ns *net, const struct ip_packet *p)
{
	net_count(net, ip_is_v4(p->dst) ? NET_UDP_BAD : NET_UDP6_BAD, 1);
	netbuf_free(p->b);
}

/* Nobody is there. */
static void refused(struct net_ns *net, const struct ip_packet *p)
{
	bool v4 = ip_is_v4(p->dst);

	net_count(net, v4 ? NET_UDP_NO_PORT : NET_UDP6_NO_PORT, 1);
	ip_refuse(net, p, v4 ? ICMP_UNREACH : ICMP6_UNREACH,
		  v4 ? ICMP_UNREACH_PORT : ICMP6_UNREACH_PORT, 0);
}

void udp_wire_input(struct net_ns *net, struct ip_packet *p)
{
	u32 len = 0, covers = covered(p, &len);
	struct inet_buf *b;

	if (!covers || !is_sound(p, covers, len)) {
		bad(net, p);
		return;
	}
	b = ip_packet_buf(p, UDP_HEADER, len - UDP_HEADER);
	if (!b) {
		netbuf_free(p->b);
		return;
	}
	b->from.port = (u16)get_be16(p->b->data);
	b->to.port = (u16)get_be16(p->b->data + 2);
	if (p->to_many) {
		inet_flood(net, p->proto, b);
		kfree(b);
	} else if (!udp_take(net, p->proto, b)) {
		kfree(b);
		refused(net, p);
	}
	netbuf_free(p->b);
}

/* --- errors */

/* Who sent it, with a reference, or NULL. */
static struct inet_sock *sender(struct net_ns *net, u8 proto,
				const struct inet_ep *from,
				const struct inet_ep *to)
{
	struct inet_sock *is;

	spin_lock(&inet_lock);
	is = inet_find_locked(net, proto, from, to, NULL);
	if (is)
		inet_get(is);
	spin_unlock(&inet_lock);
	return is;
}

void inet_tell_sender(struct net_ns *net, const struct icmp_report *e, u8 proto,
		      struct inet_buf *b)
{
	bool v4 = inet_is_v4(&b->to);
	struct inet_fault f = {
		.err = e->err,
		.origin = v4 ? ORIGIN_ICMP : ORIGIN_ICMP6,
		.type = e->type,
		.code = e->code,
		.info = e->info,
		.from = e->from,
		.soft = !e->hard,
	};
	struct inet_sock *is = sender(net, proto, &b->from, &b->to);

	if (is && e->err)
		inet_post_fault(is, b, &f);
	inet_put(is);
	kfree(b);
}

struct inet_buf *inet_quote_buf(const u8 src[16], const u8 dst[16], const u8 *p,
				u32 n)
{
	struct inet_buf *b = ip_alloc(n);

	if (!b)
		return NULL;
	memcpy(b->from.ip, src, 16);
	memcpy(b->to.ip, dst, 16);
	memcpy(b->data, p, n);
	return b;
}

void udp_told(struct net_ns *net, const struct icmp_report *e, u8 proto,
	      const u8 src[16], const u8 dst[16], const u8 *p, u32 n)
{
	struct inet_buf *b =
		inet_quote_buf(src, dst, p + UDP_HEADER, n - UDP_HEADER);

	if (!b)
		return;
	b->from.port = (u16)get_be16(p);
	b->to.port = (u16)get_be16(p + 2);
	inet_tell_sender(net, e, proto, b);
}
