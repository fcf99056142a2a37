/* SPDX-License-Identifier: MIT */
/* net/tcp/none.c - until there is TCP over interfaces: nobody hears a segment. */
#include <net/route/route.h>

void tcp_input(struct net_ns *net __unused, struct ip_packet *p)
{
	netbuf_free(p->b);
}

void tcp_path_error(struct net_ns *net __unused, const u8 src[16] __unused,
		    const u8 dst[16] __unused, const u8 *seg __unused,
		    u32 len __unused, int err __unused, u32 mtu __unused)
{
}
