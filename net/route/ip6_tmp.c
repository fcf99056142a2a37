/* SPDX-License-Identifier: MIT */
#include <net/route/ip6.h>
#include <net/route/group.h>
#include <net/route/route_int.h>
void ip6_addr_begin(struct if_addr *a) {}
void ip6_addr_added(struct if_addr *a) {}
void ip6_addr_gone(struct if_addr *a) {}
void ip6_link_up(struct net_device *dev) {}
void ip6_link_down(struct net_device *dev) {}
void ndp_input(struct net_ns *net, const struct ip_packet *p) {}
void ndp_ask(struct net_device *dev, const u8 ip[16], const u8 *l) {}
void mld_report(struct net_device *dev, const u8 ip[16], bool joined) {}
void mld_input(struct net_ns *net, const struct ip_packet *p) {}
void ip6_input(struct net_ns *net, struct netbuf *b) { netbuf_free(b); }
