/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/tcp_wire.h - two ends of TCP's engine, a wire between them that does what
 * it likes, and programs that read and write.  Time stands still but for wire_step().
 *
 * The bytes of each direction are a pattern, so each one that comes is known.
 */
#ifndef TESTS_HOST_FAKE_TCP_WIRE_H
#define TESTS_HOST_FAKE_TCP_WIRE_H

#include <net/tcp/tcp.h>

#define WIRE_MS 1000000ul
#define WIRE_S	1000000000ul

struct wire_end {
	struct tcb t;
	bool exists, listens, refuses; /* refuses: the backlog is full */
	bool ended, fin, up, waits;
	int err;
	u32 rcvbuf;
	u64 to_write, written, to_read; /* bytes of the program */
	u64 got, taken;			/* in the queue ever, read of it */
	bool stalled;			/* the reader sleeps */
	bool no_close, no_shut;
	u32 urgents;
	u64 urgent_at;
	u32 sent_segs, sent_rst, sent_acks;
	u32 deadline_calls;
	u64 next_read, next_write;
	u32 chunk;
	u64 peak;
};

struct wire {
	struct wire_end end[2];
	u64 rng;
	/* in 1000ths */
	u32 loss, dup, reorder;
	u64 delay, jitter; /* ns */
	u32 mtu;    /* packets that are longer are dropped, and told of */
	u64 mtu_at; /* when it becomes mtu_later */
	u32 mtu_later;
	bool dirty;			  /* bytes may be any */
	bool down, no_sack, no_ts, no_ws; /* A does not offer it */
	/* NULL, or false: it is lost.  @from: which end sent it */
	bool (*filter)(struct wire *w, int from, const struct tcp_seg *s);
	u64 nth;
};

extern struct wire wire;
extern u64 wire_now;
extern u64 wire_allocs; /* alive */

void wire_init(u64 seed);
void wire_open(u32 mtu_a, u32 mtu_b); /* B listens, A connects */
void wire_make(int i, u32 mtu, u32 iss);
/* One event; false: nothing will happen any more. */
bool wire_step(void);
void wire_run(u64 until);	/* that time, or the end of events */
void wire_finish(void);		/* all of it is gone */
u8 wire_byte(int from, u64 at); /* of the pattern that @from sends */
/* A segment from nowhere. */
void wire_inject(int to, struct tcp_seg *s);
u32 wire_write(int i, u32 n, bool urgent, bool more);
u32 wire_in_flight(void);

#endif /* TESTS_HOST_FAKE_TCP_WIRE_H */
