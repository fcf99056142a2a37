/* SPDX-License-Identifier: MIT */
/*
 * syscall/pipe.c - pipe2(2), tee(2), vmsplice(2).
 *
 * Not here: splice(2) (copy.c).
 */
#include <syscall/rw.h>
#include <syscall/syscall.h>
#include <syscall/uiov.h>

#include <fs/pipe.h>
#include <fs/vfs.h>
#include <fs/watchqueue.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>

#define NOTIFICATION O_EXCL /* O_NOTIFICATION_PIPE */

SYSCALL2(59, pipe2, uaddr_t, ufds, u32, flags)
{
	struct file *r, *w;
	int fds[2], err;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT | NOTIFICATION))
		return -EINVAL;
	err = flags & NOTIFICATION ? watch_pipe_create(flags, &r, &w)
				   : pipe_create(flags, &r, &w);
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

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL	  15u
#define MAX_AT_ONCE	  0x7ffff000ul

static s64 do_tee(struct file *fin, struct file *fout, u64 len, u32 flags)
{
	struct pipe *in = pipe_of(fin), *out = pipe_of(fout);
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	s64 n;

	if (!fin->can_read || !fout->can_write)
		return -EBADF;
	if (!in || !out || in == out)
		return -EINVAL;
	do {
		n = pipe_wait_data(in, nonblock || (fin->flags & O_NONBLOCK));
		if (n > 0)
			n = pipe_wait_room(out, nonblock || (fout->flags &
							     O_NONBLOCK));
		if (n <= 0)
			return n;
		n = pipe_tee(in, out, len);
	} while (!n); /* somebody else was faster */
	return n;
}

s64 tee_files(struct file *in, struct file *out, u64 len, u32 flags)
{
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	return len ? do_tee(in, out, min(len, MAX_AT_ONCE), flags) : 0;
}

SYSCALL4(77, tee, int, in_fd, int, out_fd, u64, len, u32, flags)
{
	struct fdref in, out;
	s64 n = -EBADF;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!len)
		return 0;
	in = fd_ref(in_fd);
	if (!in.f)
		return -EBADF;
	out = fd_ref(out_fd);
	if (out.f) {
		n = do_tee(in.f, out.f, min(len, MAX_AT_ONCE), flags);
		fd_unref(out);
	}
	fd_unref(in);
	return n;
}

/* Copies, whatever the flags promise: the caller cannot tell. */
static s64 do_vmsplice(struct file *f, struct iov_iter *it, u32 flags)
{
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	struct pipe *p = pipe_of(f);
	u64 pos = 0;
	s64 n;

	if (!p)
		return -EBADF;
	if (!iov_iter_count(it))
		return 0;
	if (f->can_write)
		n = pipe_wait_room(p, nonblock);
	else
		n = pipe_wait_data(p, nonblock);
	if (n <= 0)
		return n;
	if (!f->can_write)
		return vfs_read(f, it, &pos);
	if (nonblock)
		iov_iter_truncate(it, (size_t)n);
	return vfs_write(f, it, &pos);
}

SYSCALL4(75, vmsplice, int, fd, uaddr_t, vec, u64, nr, u32, flags)
{
	struct iov_iter it;
	struct fdref r;
	struct uiov u;
	s64 n;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	n = uiov_get(&u, vec, nr, &it);
	if (!n) {
		n = do_vmsplice(r.f, &it, flags);
		uiov_put(&u);
	}
	fd_unref(r);
	return n;
}
