/* SPDX-License-Identifier: MIT */
/* syscall/rseq.c - restartable sequences: kernel/task/rseq.h does the work. */
#include <syscall/syscall.h>

#include <kernel/task/rseq.h>

#define RSEQ_FLAG_UNREGISTER 1u

SYSCALL4(293, rseq, uaddr_t, area, u32, len, u32, flags, u32, sig)
{
	if (flags == RSEQ_FLAG_UNREGISTER)
		return rseq_unregister(area, len, sig);
	return flags ? -EINVAL : rseq_register(area, len, sig);
}
