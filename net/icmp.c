/* SPDX-License-Identifier: MIT */
/*
 * net/icmp.c - echo requests of "ping sockets" (SOCK_DGRAM of ICMP), which come back
 * as replies: every address that can be reached is this machine's.
 *
 * The socket's port is the identifier.  Not here: raw sockets.
 */
#include <net/inet.h>

#include <lib/errno.h>
#include <lib/string.h>

#define ECHO_REPLY    0
#define ECHO_REQUEST  8
#define ECHO_REQUEST6 128
#define ECHO_REPLY6   129

struct icmp_echo {
	u8 type, code, sum[2], id[2], seq[2];
};

/* The internet checksum of @n bytes [RFC 1071]. */
static u16 checksum(const u8 *p, size_t n)
{
	u32 sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (u32)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (u32)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

int icmp_answer(const struct inet_sock *is, struct inet_buf *b)
{
	struct icmp_echo *e = (void *)b->data;
	bool v4 = is->proto == IPPROTO_ICMP;
	struct inet_ep me = b->from;
	u16 sum;

	if (b->len < sizeof(*e))
		return -EINVAL;
	if (e->code || e->type != (v4 ? ECHO_REQUEST : ECHO_REQUEST6))
		return -EINVAL;
	e->type = v4 ? ECHO_REPLY : ECHO_REPLY6;
	e->id[0] = (u8)(me.port >> 8);
	e->id[1] = (u8)me.port;
	e->sum[0] = e->sum[1] = 0;
	if (v4) { /* of IPv6 nobody looks at it */
		sum = checksum(b->data, b->len);
		e->sum[0] = (u8)(sum >> 8);
		e->sum[1] = (u8)sum;
	}
	b->from = b->to;
	b->from.port = 0;
	b->to = me;
	b->hops = 64;
	return 0;
}
