/* SPDX-License-Identifier: MIT */
/* syscall/perf.c - perf_event_open(2). */
#include <syscall/syscall.h>

#include <kernel/file/file.h>
#include <kernel/pmu/event.h>

SYSCALL5(241, perf_event_open, uaddr_t, uattr, int, pid, int, cpu, int,
	 group_fd, u64, flags)
{
	struct perf_attr a;
	struct file *f;
	int err;

	if (flags >> 4)
		return -EINVAL;
	err = perf_read_attr(uattr, &a);
	if (err)
		return err;
	f = perf_open(&a, pid, cpu, group_fd, (u32)flags);
	if (IS_ERR(f))
		return PTR_ERR(f);
	if ((flags & PERF_FLAG_FD_OUTPUT) && group_fd != -1)
		err = (int)f->ops->ioctl(f, PERF_IOC_SET_OUTPUT,
					 (u64)(s64)group_fd);
	if (err) {
		file_put(f);
		return err;
	}
	return fd_open(f, flags & PERF_FLAG_FD_CLOEXEC ? O_CLOEXEC : 0);
}
