/* SPDX-License-Identifier: MIT */
/*
 * syscall/random.c - getrandom(2).
 *
 * The generator is seeded before the first program runs, so no flag makes a
 * difference; bad combinations are refused as on Linux.
 */
#include <syscall/syscall.h>

#include <kernel/file/iov.h>
#include <kernel/random.h>

#define GRND_NONBLOCK 1u
#define GRND_RANDOM   2u
#define GRND_INSECURE 4u
#define GRND_ALL      (GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)

#define MAX_RW_COUNT 0x7ffff000u

SYSCALL3(278, getrandom, uaddr_t, buf, u64, count, u32, flags)
{
	struct iovec_user iov = { .base = buf };
	struct iov_iter to;

	if (flags & ~GRND_ALL)
		return -EINVAL;
	if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
		return -EINVAL;
	iov.len = min_t(u64, count, MAX_RW_COUNT);
	iov_iter_user(&to, &iov, 1, iov.len);
	return random_read(&to);
}
