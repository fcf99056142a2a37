/* SPDX-License-Identifier: MIT */
/*
 * kernel/random.h - unpredictable bytes.
 *
 * Each hart has a ChaCha20 generator of its own, keyed from a common one that
 * collects entropy: the device tree's rng-seed, the jitter of the cycle counter
 * at boot, times of interrupts, and what programs write to /dev/random.  A hart
 * takes a new key whenever the common one has got something new.
 *
 * Context: any, any lock but those of RANK_LOG.  Before INIT_CORE the bytes are
 * predictable.
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <lib/types.h>

struct iov_iter;

void random_bytes(void *buf, size_t n);
u64 random_u64(void);

/* Mix @n bytes into the common generator; they need not be random. */
void random_add(const void *data, size_t n);
/* Something happened now that nobody could have timed: an interrupt of @tag. */
void random_event(u64 tag);

/*
 * Fill @to: bytes moved, or -EFAULT, or -EINTR when a signal came before the
 * first one.  Coroutine context.
 */
s64 random_read(struct iov_iter *to);

#endif /* KERNEL_RANDOM_H */
