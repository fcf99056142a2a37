/* SPDX-License-Identifier: MIT */
/*
 * net/route/ndp.c - neighbour discovery of IPv6 [RFC 4861]: who has which link address?
 *
 * Not here: what routers say (ra.c), states of neighbours (neigh.c).  Redirects are ignored.
 */
#include <net/route/group.h>
#include <net/route/ip6.h>
#include <net/route/route_int.h>

#include <lib/errno.h>

#define OPT_SOURCE   1u
#define OPT_TARGET   2u
#define OPT_PREFIX   3u
#define OPT_MTU	     5u
#define NA_ROUTER    0x80u
#define NA_SOLICITED 0x40u
#define NA_OVERRIDE  0x20u
#define NS_SIZE	     24u
#define RS_SIZE	     8u
#define LL_OPT	     8u
#define PREFIX_SIZE  32u

static const u8 all_nodes[16] = { 0xff, 2, [15] = 1 };
static const u8 all_routers[16] = { 0xff, 2, [15] = 2 };

bool nd_parse(const u8 *p, u32 n, struct nd_opts *o,
	      void (*fn)(const u8 *prefix, void *arg), void *arg)
{
	memset(o, 0, sizeof(*o));
	while (n >= 8) {
		u32 len = p[1] * 8u;

		if (!len || len > n)
			return false;
		if (p[0] == OPT_SOURCE)
			o->source = p + 2;
		else if (p[0] == OPT_TARGET)
			o->target = p + 2;
		else if (p[0] == OPT_MTU)
			o->mtu = get_be32(p + 4);
		else if (p[0] == OPT_PREFIX && len == PREFIX_SIZE && fn)
			fn(p, arg);
		p += len;
		n -= len;
	}
	return !n;
}

/* --- sending */

/* A message of @type, whose @n bytes after the checksum are @body, and a link address as
 * option @opt (0: none). */
static void send(struct net_device *dev, u8 type, const u8 *src, const u8 *dst,
		 const u8 *body, u32 n, u8 opt)
{
	struct netbuf *b = ip_netbuf(4 + n + LL_OPT, false);
	struct ip_opts o = { .ttl = ND_HOPS };
	struct route r = { .dev = dev, .mtu = load_once(&dev->mtu) };
	u8 *h;

	if (!b)
		return;
	h = netbuf_put(b, 4 + n);
	memset(h, 0, 4);
	h[0] = type;
	memcpy(h + 4, body, n);
	if (opt) {
		u8 *at = netbuf_put(b, LL_OPT);

		at[0] = opt;
		at[1] = 1;
		memcpy(at + 2, dev->mac, ETH_ALEN);
	}
	put_be16(h + 2,
		 (u16)~ip_sum(ip_pseudo_sum(IPPROTO_ICMPV6, src, dst, b->len),
			      b->data, b->len));
	r.type = ip_is_multicast(dst) ? ROUTE_MULTICAST : ROUTE_UNICAST;
	memcpy(r.next, dst, 16);
	net_count(dev->net, NET_ICMP6_OUT, 1);
	(void)ip_output(dev->net, &r, IPPROTO_ICMPV6, src, dst, &o, b);
}

static bool source_for(const struct net_device *dev, const u8 dst[16],
		       u8 src[16])
{
	const struct route_ns *rn = route_ns(dev->net);
	bool have = false;

	memset(src, 0, 16);
	if (!rn)
		return false;
	spin_lock(&route_lock);
	have = source_select6(rn, dev, dst, src);
	spin_unlock(&route_lock);
	return have;
}

static void solicit(struct net_device *dev, const u8 target[16],
		    const u8 src[16], const u8 dst[16])
{
	u8 body[20] = { 0 };

	memcpy(body + 4, target, 16);
	send(dev, ND_NEIGHBOR_SOLICIT, src, dst, body, sizeof(body),
	     ip_is_any(src) ? 0 : OPT_SOURCE);
}

/* At @lladdr, which neigh.c has for it already, it is asked itself. */
void ndp_ask(struct net_device *dev, const u8 ip[16], const u8 *lladdr)
{
	u8 src[16], group[16];

	if (!source_for(dev, ip, src))
		return;
	ip6_solicited(ip, group);
	solicit(dev, ip, src, lladdr ? ip : group);
}

void ndp_probe(struct net_device *dev, const u8 ip[16])
{
	static const u8 any[16];
	u8 group[16];

	ip6_solicited(ip, group);
	solicit(dev, ip, any, group);
}

void ndp_ask_routers(struct net_device *dev)
{
	u8 src[16], body[4] = { 0 };
	bool have = source_for(dev, all_routers, src);

	send(dev, ND_ROUTER_SOLICIT, src, all_routers, body, sizeof(body),
	     have ? OPT_SOURCE : 0);
}

static void advertise(struct net_device *dev, const u8 target[16],
		      const u8 to[16])
{
	bool asked = !ip_is_any(to);
	u8 body[20] = { 0 };

	body[0] = NA_OVERRIDE | (asked ? NA_SOLICITED : 0);
	if (net_conf(dev, CONF6_FORWARDING))
		body[0] |= NA_ROUTER;
	memcpy(body + 4, target, 16);
	send(dev, ND_NEIGHBOR_ADVERT, target, asked ? to : all_nodes, body,
	     sizeof(body), OPT_TARGET);
}

/* --- hearing */

/* What is @ip of @dev to us? */
enum ours {
	NOT_OURS,
	OURS,
	WANTED
};

static enum ours look(const struct net_device *dev, const u8 ip[16])
{
	const struct if_addr *a;
	enum ours o = NOT_OURS;

	spin_lock(&route_lock);
	a = addr_find_locked(dev, ip);
	if (a)
		o = addr_is_usable(a) ? OURS : WANTED;
	spin_unlock(&route_lock);
	return o;
}

/* Somebody has what we wanted. */
static void lose(struct net_device *dev, const u8 ip[16])
{
	struct if_addr *a;

	spin_lock(&route_lock);
	a = addr_find_locked(dev, ip);
	if (a && (load_once(&a->flags) & IFA_F_TENTATIVE))
		(void)atomic_fetch_or(&a->flags, (u32)IFA_F_DADFAILED);
	spin_unlock(&route_lock);
}

static void hear_solicit(const struct ip_packet *p)
{
	struct net_device *dev = p->b->dev;
	const u8 *h = p->b->data, *target = h + 8;
	bool probe = ip_is_any(p->src);
	struct nd_opts o;
	enum ours mine;

	if (p->b->len < NS_SIZE || ip_is_multicast(target) ||
	    !nd_parse(h + NS_SIZE, p->b->len - NS_SIZE, &o, NULL, NULL) ||
	    (probe && (o.source || !ip_is_multicast(p->dst))))
		return;
	mine = look(dev, target);
	if (mine == WANTED && probe)
		lose(dev, target);
	if (mine != OURS)
		return;
	if (!probe && o.source)
		neigh_heard(dev, p->src, o.source, HEARD_PASSING, true, true);
	advertise(dev, target, p->src);
}

static void hear_advert(const struct ip_packet *p)
{
	struct net_device *dev = p->b->dev;
	const u8 *h = p->b->data, *target = h + 8;
	struct nd_opts o;
	enum ours mine;

	if (p->b->len < NS_SIZE || ip_is_multicast(target) ||
	    !nd_parse(h + NS_SIZE, p->b->len - NS_SIZE, &o, NULL, NULL) ||
	    (ip_is_multicast(p->dst) && (h[4] & NA_SOLICITED)))
		return;
	mine = look(dev, target);
	if (mine == WANTED)
		lose(dev, target);
	if (mine != NOT_OURS)
		return;
	neigh_heard(dev, target, o.target,
		    h[4] & NA_SOLICITED ? HEARD_ANSWER : HEARD_PASSING,
		    h[4] & NA_OVERRIDE, false);
}

void ndp_input(struct net_ns *net, const struct ip_packet *p)
{
	const u8 *h = p->b->data;

	if (p->ttl != ND_HOPS || p->b->len < RS_SIZE || h[1] ||
	    p->b->dev->type != ARPHRD_ETHER)
		return; /* from beyond the link, or broken */
	if (h[0] == ND_NEIGHBOR_SOLICIT)
		hear_solicit(p);
	else if (h[0] == ND_NEIGHBOR_ADVERT)
		hear_advert(p);
	else if (h[0] == ND_ROUTER_ADVERT)
		ra_input(net, p);
}
