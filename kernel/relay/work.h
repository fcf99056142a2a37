/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/work.h - what a module of the kernel wants done on the hart where it lives.
 *
 * A module with a hart of its own (the block layer: block=) is an event loop there: others
 * put what they want into its queues and send it a message through the ring between the two
 * harts, as a system call is sent, and the hart's loop calls the module.  What it answers
 * goes back as any wake-up does.
 *
 * A work is in one ring at most: who sends it while it is on its way needs no second
 * message.
 *
 * Context: any hart, loop or coroutine; locks may be held that @fn does not take.
 */
#ifndef KERNEL_RELAY_WORK_H
#define KERNEL_RELAY_WORK_H

#include <lib/types.h>

struct hart;

struct hart_work {
	void (*fn)(struct hart_work
			   *w); /* [I] in the loop of its hart; may not sleep */
	u32 sent;		/* [a] on its way: edge WORKSENT */
} __aligned(64);		/* a message has its kind in the low bits */

static inline void hart_work_init(struct hart_work *w,
				  void (*fn)(struct hart_work *w))
{
	*w = (struct hart_work){ .fn = fn };
}

/* Always to the same @dst.  True: what was queued before this will be seen by @fn.  False:
 * the ring is full, or @dst is the caller's hart: the caller does it himself. */
bool hart_work_send(struct hart *dst, struct hart_work *w);

/* Where the block layer lives (block=), NULL: wherever it is called. */
extern struct hart *relay_block_hart; /* [I after boot] */

#endif /* KERNEL_RELAY_WORK_H */
