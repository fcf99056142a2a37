/* SPDX-License-Identifier: MIT */
/*
 * lib/msgring.h - one-to-one ring of tagged words; the relay's wire.
 *
 * An element is one 64-bit word whose bit 0 is the phase tag, as in an NVMe
 * completion queue: the consumer knows from the word itself whether it is new, so
 * no producer index is shared and a message costs the passing of one cache line.
 *
 * INVARIANTS
 *   M1  size is a power of two, 1 <= size, and never changes.
 *   M2  prod and cons are free-running u32, masked only when used as a slot; each
 *       is private to its side.  prod - cons (mod 2^32) <= size.
 *   M3  the word of index n carries phase(n) = !((n / size) & 1) in bit 0; a slot
 *       that is free for index n holds the other phase.
 *   M4  only the producer writes slots; only the consumer writes head.
 *
 * ORDERING (each name is used at both ends below)
 *   MSG   producer's release of the slot, to the consumer's acquire of it: all that
 *         the message stands for was written before.
 *   ROOM  consumer's release of head, to the producer's acquire of it: the slot has
 *         been read before it is written again.
 */
#ifndef LIB_MSGRING_H
#define LIB_MSGRING_H

#include <lib/atomic.h>
#include <lib/types.h>

struct msgring {
	/* producer's line */
	u32 prod __aligned(64); /* private: next index to write */
	u32 seen_head;		/* private: last head read */
	/* consumer's line */
	u32 cons __aligned(64); /* private: next index to read */
	u32 head;		/* shared: all below are free, ROOM */
	/* never written after msgring_init() */
	u64 *slot __aligned(64);
	u32 mask;
	u32 shift; /* log2 of size */
};

static inline u64 msgring_phase(const struct msgring *r, u32 idx)
{
	return !((idx >> r->shift) & 1);
}

/* @slot: 2^@shift words, borrowed for ever.  Indices start at @start. */
static inline void msgring_init(struct msgring *r, u64 *slot, u32 shift,
				u32 start)
{
	*r = (struct msgring){ .slot = slot,
			       .mask = (1u << shift) - 1,
			       .shift = shift,
			       .prod = start,
			       .seen_head = start,
			       .cons = start,
			       .head = start };
	for (u32 i = 0; i <= r->mask; i++)
		slot[(start + i) & r->mask] = !msgring_phase(r, start + i);
}

/* Producer: there is room for a word, for sure. */
static inline bool msgring_has_room(const struct msgring *r)
{
	return r->prod - r->seen_head <= r->mask;
}

/* Producer, who knows that there is room.  @word has bit 0 clear. */
static inline __attribute__((always_inline)) void msgring_put(struct msgring *r,
							      u64 word)
{
	u32 idx = r->prod++;

	/* MSG (release) - pairs with msgring_pop(). */
	store_release(&r->slot[idx & r->mask], word | msgring_phase(r, idx));
}

/* Producer.  @word has bit 0 clear.  False: full, nothing changed. */
static inline bool msgring_push(struct msgring *r, u64 word)
{
	u32 idx = r->prod;

	if (unlikely(idx - r->seen_head > r->mask)) {
		/* ROOM (acquire) - pairs with msgring_pop(). */
		r->seen_head = load_acquire(&r->head);
		if (idx - r->seen_head > r->mask)
			return false;
	}
	msgring_put(r, word);
	return true;
}

/* Consumer: is there a message?  No ordering: only a reason to pop or to wake. */
static inline bool msgring_pending(const struct msgring *r)
{
	/* relaxed: msgring_pop() looks again with acquire */
	return (load_once(&r->slot[r->cons & r->mask]) & 1) ==
	       msgring_phase(r, r->cons);
}

/* Consumer: the next word with bit 0 clear, or 0 when there is none. */
static inline __attribute__((always_inline)) u64 msgring_pop(struct msgring *r)
{
	u32 idx = r->cons;
	/* MSG (acquire) - pairs with msgring_push(). */
	u64 word = load_acquire(&r->slot[idx & r->mask]);

	if ((word & 1) != msgring_phase(r, idx))
		return 0;
	r->cons = idx + 1;
	/* ROOM (release) - pairs with msgring_push(). */
	store_release(&r->head, idx + 1);
	return word & ~1ULL;
}

#endif /* LIB_MSGRING_H */
