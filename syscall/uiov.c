/* SPDX-License-Identifier: MIT */
/* syscall/uiov.c - take an iovec array from user space. */
#include <syscall/uiov.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>

#define MAX_RW_COUNT 0x7ffff000ul

/* Sum of the lengths, cut to what one call moves, or -errno. */
static s64 check(struct iovec_user *iov, u64 nr)
{
	u64 total = 0, i;

	for (i = 0; i < nr; i++) {
		if ((s64)iov[i].len < 0)
			return -EINVAL;
		if (!user_range_ok(iov[i].base, iov[i].len))
			return -EFAULT;
		if (iov[i].len > MAX_RW_COUNT - total)
			iov[i].len = MAX_RW_COUNT - total;
		total += iov[i].len;
	}
	return (s64)total;
}

int uiov_get(struct uiov *u, uaddr_t vec, u64 nr, struct iov_iter *it)
{
	s64 total;

	STATIC_ASSERT(sizeof(struct iovec_user) == 16, "as in the ABI");
	if (nr > UIO_MAXIOV)
		return -EINVAL;
	u->iov = u->inl;
	if (nr > UIO_FASTIOV) {
		u->iov = kmalloc(nr * sizeof(*u->iov));
		if (!u->iov)
			return -ENOMEM;
	}
	total = copy_from_user(u->iov, vec, nr * sizeof(*u->iov));
	if (!total)
		total = check(u->iov, nr);
	if (total < 0) {
		uiov_put(u);
		return (int)total;
	}
	iov_iter_user(it, u->iov, (unsigned int)nr, (size_t)total);
	return 0;
}

void uiov_put(struct uiov *u)
{
	if (u->iov != u->inl)
		kfree(u->iov);
}
