/* SPDX-License-Identifier: MIT */
/*
 * net/inet_told.c - what a receiver is told with a datagram: where it came to, and with
 * what, as control messages.
 *
 * Not here: times (stamp.c), errors (errq.c).
 */
#include <net/inet_opt.h>

#include <lib/atomic.h>
#include <lib/errno.h>

#define SOL_SOCKET	 1
#define UDP_GRO		 104
#define IPV6_ORIGDSTADDR IPV6_RECVORIGDSTADDR
#define IP_ORIGDSTADDR	 IP_RECVORIGDSTADDR

static void put_word(struct sock_msg *m, int level, int type, u32 v)
{
	sock_put_cmsg(m, level, type, &v, sizeof(v));
}

/* The address that it was sent to, as a sockaddr of the packet's family. */
static void put_dst(const struct inet_buf *b, struct sock_msg *m)
{
	bool v4 = inet_is_v4(&b->to);
	u8 raw[28] = { v4 ? AF_INET : AF_INET6 };

	raw[2] = (u8)(b->to.port >> 8);
	raw[3] = (u8)b->to.port;
	memcpy(raw + (v4 ? 4 : 8), b->to.ip + (v4 ? 12 : 0), v4 ? 4 : 16);
	sock_put_cmsg(m, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		      v4 ? IP_ORIGDSTADDR : IPV6_ORIGDSTADDR, raw,
		      v4 ? 16 : 28);
}

static void put_pktinfo6(const struct inet_buf *b, int type, struct sock_msg *m)
{
	u32 index = b->to.scope ?: LOOPBACK_INDEX;
	u8 info[20];

	memcpy(info, b->to.ip, 16);
	memcpy(info + 16, &index, 4);
	sock_put_cmsg(m, IPPROTO_IPV6, type, info, sizeof(info));
}

static void put_pktinfo4(const struct inet_buf *b, struct sock_msg *m)
{
	u32 index = b->to.scope ?: LOOPBACK_INDEX;
	u8 info[12];

	memcpy(info, &index, 4);
	memcpy(info + 4, b->to.ip + 12, 4);
	memcpy(info + 8, b->to.ip + 12, 4);
	sock_put_cmsg(m, IPPROTO_IP, IP_PKTINFO, info, sizeof(info));
}

static void tell4(u32 told, const struct inet_buf *b, struct sock_msg *m)
{
	if (told & TELL_PKTINFO)
		put_pktinfo4(b, m);
	if (told & TELL_TTL)
		put_word(m, IPPROTO_IP, IP_TTL, b->hops);
	if (told & TELL_TOS)
		sock_put_cmsg(m, IPPROTO_IP, IP_TOS, &b->class, 1);
	if (told & TELL_DST)
		put_dst(b, m);
}

static void tell6(u32 told, const struct inet_buf *b, struct sock_msg *m)
{
	u8 flow[4] = { b->class >> 4, (u8)(b->class << 4) };

	if (told & TELL_TTL)
		put_word(m, IPPROTO_IPV6, IPV6_HOPLIMIT, b->hops);
	if (told & TELL_TOS)
		put_word(m, IPPROTO_IPV6, IPV6_TCLASS, b->class);
	if ((told & TELL_FLOWINFO) && b->class)
		sock_put_cmsg(m, IPPROTO_IPV6, IPV6_FLOWINFO, flow, 4);
	if (told & TELL_2292PKTINFO)
		put_pktinfo6(b, IPV6_2292PKTINFO, m);
	if (told & TELL_2292TTL)
		put_word(m, IPPROTO_IPV6, IPV6_2292HOPLIMIT, b->hops);
	if (told & TELL_DST)
		put_dst(b, m);
}

void inet_describe(const struct inet_sock *is, const struct inet_buf *b,
		   struct sock_msg *m)
{
	u32 kept = load_once(&is->s.kept);

	if ((kept & BIT(SOCK_KEPT_RXQ_OVFL)) && b->drops)
		put_word(m, SOL_SOCKET, SO_RXQ_OVFL, b->drops);
	if (kept & BIT(SOCK_KEPT_RCVMARK))
		put_word(m, SOL_SOCKET, SO_MARK, b->mark);
	if (is->gro && b->segment)
		put_word(m, IPPROTO_UDP, UDP_GRO, b->segment);
	if (is->s.family == AF_INET6 && (is->told[1] & TELL_PKTINFO))
		put_pktinfo6(b, IPV6_PKTINFO, m);
	if (inet_is_v4(&b->to))
		tell4(is->told[0], b, m);
	else
		tell6(is->told[1], b, m);
}
