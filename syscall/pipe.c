/* SPDX-License-Identifier: MIT */
/*
 * syscall/pipe.c - pipe2(2).
 */
#include <syscall/syscall.h>

#include <fs/pipe.h>
#include <kernel/mm/user.h>

SYSCALL2(59, pipe2, uaddr_t, ufds, u32, flags)
{
	struct file *r, *w;
	int fds[2], err;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(flags, &r, &w);
	if (err)
		return err;
	fds[0] = fd_open(r, flags);
	if (fds[0] < 0) {
		file_put(w);
		return fds[0];
	}
	fds[1] = fd_open(w, flags);
	if (fds[1] < 0) {
		(void)fd_close(fds[0]);
		return fds[1];
	}
	if (copy_to_user(ufds, fds, sizeof(fds))) {
		(void)fd_close(fds[0]);
		(void)fd_close(fds[1]);
		return -EFAULT;
	}
	return 0;
}
