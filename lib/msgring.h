/* SPDX-License-Identifier: MIT */
/*
 * lib/msgring.h - one-to-one ring of tagged words; the relay's wire.
 *
 * An element is one 64-bit word whose bit 0 is the phase tag, as in an NVMe
 * completion queue: the consumer knows from the word itself whether it is new, so
 * no producer index is shared and a message costs the passing of one cache line.
 *
 * Each side keeps the address of its next slot and the phase that belongs there, so a
 * look is two loads and a comparison.
 *
 * INVARIANTS
 *   M1  size is a power of two, 1 <= size, and never changes.
 *   M2  Indices are free-running u32.  A side's next slot is its index masked; it
 *       is private to the side.  prod - head (mod 2^32) <= size.
 *   M3  the word of index n carries phase(n) = !((n / size) & 1) in bit 0; a slot
 *       that is free for index n holds the other phase.
 *   M4  only the producer writes slots; only the consumer writes head.
 *   M5  room slots are free for sure: prod = seen_head + size - room.
 *
 * ORDERING (each name is used at both ends below)
 *   MSG   producer's release of the slot, to the consumer's acquire of it: all that
 *         the message stands for was written before.
 *   ROOM  consumer's store of head, to the producer's acquire of it: the slot has been
 *         read before it is written again.  No fence of its own: MSG's acquire orders
 *         the read before all that follows.  So head says nothing of anything else.
 */
#ifndef LIB_MSGRING_H
#define LIB_MSGRING_H

#include <lib/atomic.h>
#include <lib/types.h>

struct msgring {
	/* producer's line */
	u64 *put __aligned(64); /* private: the next slot to write */
	u64 put_phase;		/* private: its phase */
	u32 room;		/* private: M5 */
	u32 seen_head;		/* private: last head read */
	/* consumer's line */
	u64 *get __aligned(64); /* private: the next slot to read */
	u64 get_phase;		/* private: the phase that is new there */
	u32 head;		/* shared: all below are free, ROOM */
	/* never written after msgring_init() */
	u64 *slot __aligned(64);
	u64 *end;
	u32 size;
};

/* @slot: 2^@shift words, borrowed for ever.  Indices start at @start. */
static inline void msgring_init(struct msgring *r, u64 *slot, u32 shift,
				u32 start)
{
	u32 size = 1u << shift, at = start & (size - 1);
	u64 phase = !((start >> shift) & 1);

	*r = (struct msgring){ .slot = slot,
			       .end = slot + size,
			       .size = size,
			       .put = slot + at,
			       .put_phase = phase,
			       .room = size,
			       .seen_head = start,
			       .get = slot + at,
			       .get_phase = phase,
			       .head = start };
	/* those below @at get their first word in the next phase */
	for (u32 i = 0; i < size; i++)
		slot[i] = i < at ? phase : !phase;
}

/* Producer's index, for people: racy on any other hart. */
static inline u32 msgring_prod(const struct msgring *r)
{
	return r->seen_head + r->size - r->room;
}

/* Producer: there is room for a word, for sure. */
static inline bool msgring_has_room(const struct msgring *r)
{
	return r->room != 0;
}

/* Producer, who knows that there is room.  @word has bit 0 clear. */
static inline __attribute__((always_inline)) void msgring_put(struct msgring *r,
							      u64 word)
{
	u64 *p = r->put;

	/* MSG (release) - pairs with msgring_pop(). */
	store_release(p, word | r->put_phase);
	r->room--;
	if (unlikely(++p == r->end)) {
		p = r->slot;
		r->put_phase ^= 1;
	}
	r->put = p;
}

/* Producer.  @word has bit 0 clear.  False: full, nothing changed. */
static inline bool msgring_push(struct msgring *r, u64 word)
{
	if (unlikely(!r->room)) {
		/* ROOM (acquire) - pairs with msgring_pop(). */
		u32 head = load_acquire(&r->head);

		r->room = head - r->seen_head;
		r->seen_head = head;
		if (!r->room)
			return false;
	}
	msgring_put(r, word);
	return true;
}

/* Consumer: is there a message?  No ordering: only a reason to pop or to wake. */
static inline bool msgring_pending(const struct msgring *r)
{
	/* relaxed: msgring_pop() looks again with acquire */
	return !((load_once(r->get) ^ r->get_phase) & 1);
}

/* Consumer: the next word with bit 0 clear, or 0 when there is none. */
static inline __attribute__((always_inline)) u64 msgring_pop(struct msgring *r)
{
	u64 *p = r->get, word;

	if (!msgring_pending(r))
		return 0;
	/* MSG (acquire) - pairs with msgring_put(). */
	word = load_acquire(p);
	if (unlikely(++p == r->end)) {
		p = r->slot;
		r->get_phase ^= 1;
	}
	r->get = p;
	/* ROOM (release of that read) - pairs with msgring_push(). */
	store_once(&r->head, r->head + 1);
	return word & ~1ULL;
}

#endif /* LIB_MSGRING_H */
