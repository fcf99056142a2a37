/* SPDX-License-Identifier: MIT */
/*
 * net/route/arp.c - ARP over Ethernet [RFC 826], for IPv4.
 *
 * A request for an address of ours is answered, whichever interface has it, and says who
 * asks; other packets, gratuitous ones too, only bring what is known up to date.
 */
#include <net/route/route_int.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

#define ARP_REQUEST 1u
#define ARP_REPLY   2u

/* Bytes of a packet [RFC 826 "packet format"], of Ethernet and IPv4. */
struct arp {
	u8 hw[2], proto[2], hw_len, proto_len, op[2];
	u8 sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
};
STATIC_ASSERT(sizeof(struct arp) == 28, "ARP for Ethernet and IPv4");

static void send(struct net_device *dev, u32 op, const u8 *sender,
		 const u8 *target, const u8 *target_mac, const u8 *to)
{
	static const u8 ones[LINK_ADDR_MAX] = { 255, 255, 255, 255, 255, 255 };
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, sizeof(struct arp));
	u8 lladdr[LINK_ADDR_MAX] = { 0 };
	struct arp *a;

	if (!b)
		return;
	memcpy(lladdr, to ?: ones, ETH_ALEN);
	a = (void *)netbuf_put(b, sizeof(*a));
	memset(a, 0, sizeof(*a));
	put_be16(a->hw, ARPHRD_ETHER);
	put_be16(a->proto, ETH_P_IP);
	a->hw_len = ETH_ALEN;
	a->proto_len = 4;
	put_be16(a->op, op);
	memcpy(a->sender_mac, dev->mac, ETH_ALEN);
	memcpy(a->sender_ip, sender, 4);
	if (target_mac)
		memcpy(a->target_mac, target_mac, ETH_ALEN);
	memcpy(a->target_ip, target, 4);
	b->proto = ETH_P_ARP;
	(void)link_send(dev, b, lladdr);
}

void arp_ask(struct net_device *dev, const u8 ip[16], const u8 *lladdr)
{
	const struct route_ns *rn = route_ns(dev->net);
	u8 src[16];
	bool have = false;

	if (!rn)
		return;
	spin_lock(&route_lock);
	have = source_select4(rn, dev, ip, RT_SCOPE_LINK, src);
	spin_unlock(&route_lock);
	if (!have)
		memset(src, 0, 16);
	send(dev, ARP_REQUEST, src + 12, ip + 12, NULL, lladdr);
}

static bool is_sound(const struct net_device *dev, const struct netbuf *b)
{
	const struct arp *a = (const void *)b->data;

	return b->len >= sizeof(*a) && dev->type == ARPHRD_ETHER &&
	       !(load_once(&dev->flags) & (IFF_NOARP | IFF_LOOPBACK)) &&
	       (get_be16(a->hw) == ARPHRD_ETHER || get_be16(a->hw) == 6) &&
	       get_be16(a->proto) == ETH_P_IP && a->hw_len == ETH_ALEN &&
	       a->proto_len == 4 && !(a->sender_mac[0] & 1) &&
	       a->target_ip[0] != 127 && (a->target_ip[0] & 0xf0) != 0xe0 &&
	       a->sender_ip[0] != 127 && (a->sender_ip[0] & 0xf0) != 0xe0;
}

static void process(struct net_ns *net, struct net_device *dev,
		    const struct arp *a, bool to_us)
{
	u8 sender[16], target[16];
	u32 op = get_be16(a->op);
	bool mine;

	ip_set_v4(sender, a->sender_ip);
	ip_set_v4(target, a->target_ip);
	mine = route_input_type(net, target) == ROUTE_LOCAL;
	if (op == ARP_REQUEST && mine) {
		if (!ip_is_any(sender)) /* else he looks whether it is taken */
			neigh_heard(dev, sender, a->sender_mac, HEARD_PASSING,
				    true, true);
		send(dev, ARP_REPLY, target + 12, sender + 12, a->sender_mac,
		     a->sender_mac);
		return;
	}
	if (op != ARP_REQUEST && op != ARP_REPLY)
		return;
	if (ip_is_any(sender) || route_input_type(net, sender) == ROUTE_LOCAL)
		return;
	neigh_heard(dev, sender, a->sender_mac,
		    op == ARP_REPLY && to_us ? HEARD_ANSWER : HEARD_PASSING,
		    true, false);
}

void arp_input(struct net_ns *net, struct netbuf *b)
{
	struct net_device *dev = b->dev;

	if (b->pkttype != PACKET_OTHERHOST && is_sound(dev, b))
		process(net, dev, (const void *)b->data,
			b->pkttype == PACKET_HOST);
	netbuf_free(b);
}
