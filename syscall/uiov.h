/* SPDX-License-Identifier: MIT */
/*
 * syscall/uiov.h - a user's iovec array, checked and copied once.
 */
#ifndef SYSCALL_UIOV_H
#define SYSCALL_UIOV_H

#include <arch/riscv/mmu.h>
#include <kernel/file/iov.h>

#define UIO_FASTIOV 8
#define UIO_MAXIOV  1024

struct uiov {
	struct iovec_user *iov; /* inl, or heap */
	struct iovec_user inl[UIO_FASTIOV];
};

/* Does [base, base + len) lie in what user space may address? */
static inline bool user_range_ok(uaddr_t base, u64 len)
{
	return len <= USER_TOP && base <= USER_TOP - len;
}

/* 0 and @it over all of it, or -EINVAL, -EFAULT, -ENOMEM.  uiov_put() after
 * 0. */
int uiov_get(struct uiov *u, uaddr_t vec, u64 nr, struct iov_iter *it);
void uiov_put(struct uiov *u);

#endif /* SYSCALL_UIOV_H */
