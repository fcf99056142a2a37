/* SPDX-License-Identifier: MIT */
/* syscall/ustruct.c - see ustruct.h. */
#include <syscall/ustruct.h>

#include <kernel/mm/user.h>
#include <lib/errno.h>
#include <lib/string.h>

int ustruct_get(void *dst, size_t ksize, uaddr_t from, u64 usize)
{
	u64 at;
	u8 byte;

	for (at = ksize; at < usize; at++) {
		if (get_user_u8(&byte, from + at))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	memset(dst, 0, ksize);
	return copy_from_user(dst, from, usize < ksize ? usize : ksize);
}
