/* SPDX-License-Identifier: MIT */
/*
 * net/packet_ring.h - PACKET_RX_RING: frames in memory that a program shares.
 *
 * A ring is blocks of frames.  Versions 1 and 2: a frame has its place, and its status says
 * whose it is.  Version 3: frames are put into a block one behind the other, and a block
 * is the program's when it is full or its time is over.
 *
 * The program may write anything into it: of what stands there only a status is read, to
 * see whether there is room.
 *
 * INVARIANTS
 *   K1  A ring lives while a socket or an area of memory has it.
 *   K2  It is neither made nor taken away while an area shows it.
 *
 * ORDERING
 *   PKRING  a frame, or a block, before the status that gives it to the program, or back.
 */
#ifndef NET_PACKET_RING_H
#define NET_PACKET_RING_H

#include <net/packet.h>

enum packet_version {
	TPACKET_V1,
	TPACKET_V2,
	TPACKET_V3
};

#define TP_STATUS_KERNEL       0u
#define TP_STATUS_USER	       1u
#define TP_STATUS_LOSING       4u
#define TP_STATUS_CSUMNOTREADY 8u
#define TP_STATUS_BLK_TMO      32u
#define TP_STATUS_TS_SOFTWARE  (1u << 29)

struct vma;

/* What a program asks for: struct tpacket_req3, of which others have four words. */
struct packet_ring_req {
	u32 block_size, block_nr, frame_size, frame_nr;
	u32 tmo_ms, priv_size, features;
};

/* The size of a frame's header as the program has it. */
u32 packet_head_size(enum packet_version v);
/* Made as @req says; block_nr is 0: taken away.  0, -EINVAL, -EBUSY, -ENOMEM. */
int packet_set_ring(struct packet_sock *ps, const struct packet_ring_req *req);
/* Its socket ends. */
void packet_drop_ring(struct packet_sock *ps);
int packet_mmap(struct socket *s, struct vma *v);

/* A frame, heard as @b says (its data are at @data); false: there is no room.
 * ps->lock is held. */
bool packet_ring_put(struct packet_sock *ps, const struct packet_buf *b,
		     const u8 *data, u32 mac_len);
/* Is there anything for the program?  ps->lock is held. */
bool packet_ring_ready(struct packet_sock *ps);

#endif /* NET_PACKET_RING_H */
