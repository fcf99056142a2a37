/* SPDX-License-Identifier: MIT */
/*
 * syscall/perf.c - perf_event_open(2).
 *
 * The attributes have grown over the years: a program says how large its structure
 * is.  What is not in it is zero; what we do not know must be.
 */
#include <syscall/syscall.h>

#include <kernel/file/file.h>
#include <kernel/mm/user.h>
#include <kernel/pmu/event.h>
#include <lib/string.h>

static int too_big(uaddr_t uattr)
{
	u32 size = sizeof(struct perf_attr);

	return put_user_u32(size, uattr + offsetof(struct perf_attr, size))
		       ? -EFAULT
		       : -E2BIG;
}

static int read_attr(uaddr_t uattr, struct perf_attr *a)
{
	u32 size;
	u64 rest;

	if (get_user_u32(&size, uattr + offsetof(struct perf_attr, size)))
		return -EFAULT;
	if (!size)
		size = PERF_ATTR_SIZE_VER0;
	if (size < PERF_ATTR_SIZE_VER0 || size > 4096)
		return too_big(uattr);
	memset(a, 0, sizeof(*a));
	if (copy_from_user(a, uattr, min((size_t)size, sizeof(*a))))
		return -EFAULT;
	for (u32 at = sizeof(*a); at < size; at += sizeof(rest)) {
		u32 n = min(size - at, (u32)sizeof(rest));

		rest = 0;
		if (copy_from_user(&rest, uattr + at, n))
			return -EFAULT;
		if (rest)
			return too_big(uattr);
	}
	a->size = size;
	return 0;
}

SYSCALL5(241, perf_event_open, uaddr_t, uattr, int, pid, int, cpu, int,
	 group_fd, u64, flags)
{
	struct perf_attr a;
	struct file *f;
	int err;

	if (flags >> 4)
		return -EINVAL;
	err = read_attr(uattr, &a);
	if (err)
		return err;
	f = perf_open(&a, pid, cpu, group_fd, (u32)flags);
	if (IS_ERR(f))
		return PTR_ERR(f);
	if ((flags & PERF_FLAG_FD_OUTPUT) && group_fd != -1)
		(void)f->ops->ioctl(f, PERF_IOC_SET_OUTPUT, (u64)(s64)group_fd);
	return fd_open(f, flags & PERF_FLAG_FD_CLOEXEC ? O_CLOEXEC : 0);
}
