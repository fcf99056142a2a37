/* SPDX-License-Identifier: MIT */
/*
 * net/route/reasm.h - fragments become packets again.
 */
#ifndef NET_ROUTE_REASM_H
#define NET_ROUTE_REASM_H

#include <net/route/route.h>

struct reasm_piece {
	struct netbuf *b; /* its data is the IP header */
	u8 src[16], dst[16];
	u32 id;
	u8 proto;   /* of IPv4: fragments of several are not mixed */
	u32 head;   /* bytes before the piece */
	u32 unfrag; /* of them, what the whole packet begins with */
	u32 off;    /* where it belongs */
	bool more;
};

/*
 * Takes p->b.  The whole packet when it is there: p->unfrag bytes of the first piece's, then
 * all others'; else NULL.  The worker.
 */
struct netbuf *reasm_add(const struct reasm_piece *p);

#endif /* NET_ROUTE_REASM_H */
