/* SPDX-License-Identifier: MIT */
/*
 * syscall/copy.c - from file to file: sendfile, splice, copy_file_range.
 *
 * A pipe is written to a file from its own pages, and loses only what the file has taken
 * (pipe_give()).  What is read into a pipe is read into pages that become the pipe's
 * (pipe_lend()): bytes are copied once for each call.  Of a source without a position no
 * more is read than the pipe behind has room for, and all of it is written before the call
 * returns.  sendfile and copy_file_range write the pages that the
 * source has in the cache; what is not there goes through a buffer.
 */
#include <syscall/rw.h>
#include <syscall/syscall.h>
#include <syscall/uiov.h>

#include <fs/pipe.h>
#include <fs/vfs.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>

#define CHUNK		  65536u
#define MESSAGE_MAX	  (PIPE_MAX_SIZE + 65536u)
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL	  15u

/* Bytes that are read from or written to @f at once. */
static size_t chunk_of(const struct file *f)
{
	return f->ops->messages ? MESSAGE_MAX : CHUNK;
}

struct end {
	struct file *f;
	u64 pos;
	bool own_pos; /* use and advance f->pos */
};

/* A file may have fetched more than it took (a socket without room): that is put back. */
static s64 write_iter(struct end *out, struct iov_iter *from)
{
	size_t left = iov_iter_count(from);
	s64 n, done = 0;

	while (left) {
		n = vfs_write(out->f, from, &out->pos);
		if (n <= 0)
			return done ? done : n;
		done += n;
		left -= (size_t)n;
		if (iov_iter_count(from) < left)
			iov_iter_revert(from, left - iov_iter_count(from));
		else
			iov_iter_advance(from, iov_iter_count(from) - left);
	}
	return done;
}

/* The next read of @in: into @buf, or by its pages, unless it reads what it writes. */
static void read_from(struct iov_iter *it, const struct end *in,
		      const struct end *out, char *buf, size_t len,
		      struct iov_taken *taken)
{
	taken->nr = 0;
	if (len > CHUNK || in->f->inode == out->f->inode)
		iov_iter_kernel(it, buf, len);
	else
		iov_iter_taking(it, buf, len, taken);
}

static s64 write_read(struct end *out, char *buf, size_t len,
		      const struct iov_taken *taken)
{
	struct iov_iter it;

	if (taken->nr)
		iov_iter_pieces(&it, taken->piece, taken->nr, len);
	else
		iov_iter_kernel(&it, buf, len);
	return write_iter(out, &it);
}

/* Copy up to @len; @once: return after the first piece. */
static s64 copy_ends(struct end *in, struct end *out, u64 len, bool once)
{
	size_t room = min_t(u64, len, chunk_of(in->f));
	char *buf = alloc_pages_exact(max_t(size_t, room, 1), 0);
	struct iov_taken taken;
	struct iov_iter it;
	u64 start;
	s64 n = 0, w, done = 0;

	if (!buf)
		return -ENOMEM;
	while ((u64)done < len) {
		start = in->pos;
		read_from(&it, in, out, buf, min_t(u64, len - (u64)done, room),
			  &taken);
		n = vfs_read(in->f, &it, &in->pos);
		w = n > 0 ? write_read(out, buf, (size_t)n, &taken) : 0;
		iov_taken_put(&taken);
		if (n <= 0)
			break;
		in->pos = start + (u64)(w > 0 ? w : 0);
		if (w > 0)
			done += w;
		if (w < n || once || signal_pending_current()) {
			n = w < 0 ? w : 0;
			break;
		}
		n = 0;
		cond_resched();
	}
	free_pages_exact(buf, max_t(size_t, room, 1));
	return done ? done : n;
}

/* Use the position in user memory at @where, or that of the file. */
static int end_init(struct end *e, struct file *f, uaddr_t where)
{
	s64 pos;
	int err;

	e->f = f;
	e->own_pos = !where;
	e->pos = f->pos;
	if (!where)
		return 0;
	if (!f->ops->llseek)
		return -ESPIPE;
	err = get_user_u64((u64 *)&pos, where);
	if (err)
		return err;
	e->pos = (u64)pos;
	return pos < 0 ? -EINVAL : 0;
}

static int end_done(struct end *e, uaddr_t where)
{
	if (!where) {
		e->f->pos = e->pos;
		return 0;
	}
	return put_user_u64(e->pos, where);
}

static s64 copy_checked(struct file *fin, uaddr_t in_pos, struct file *fout,
			uaddr_t out_pos, u64 len)
{
	struct end in, out;
	s64 n, err;

	if (!fin->can_read || !fout->can_write)
		return -EBADF;
	n = end_init(&in, fin, in_pos);
	if (!n)
		n = end_init(&out, fout, out_pos);
	if (n)
		return n;
	n = copy_ends(&in, &out, min_t(u64, len, 0x7ffff000), false);
	if (n < 0)
		return n;
	err = end_done(&in, in_pos);
	if (!err)
		err = end_done(&out, out_pos);
	return err ? err : n;
}

SYSCALL4(71, sendfile, int, out_fd, int, in_fd, uaddr_t, off, u64, count)
{
	struct fdref in, out;
	s64 n = -EBADF;
	u64 pos;

	if (off && get_user_u64(&pos, off))
		return -EFAULT; /* before anything is said of the files */
	in = fd_ref(in_fd);
	if (!in.f)
		return -EBADF;
	out = fd_ref(out_fd);
	if (!out.f)
		goto out_in;
	if (!in.f->can_read || !out.f->can_write)
		n = -EBADF;
	else if (off && !in.f->ops->llseek)
		n = -ESPIPE;
	else if ((s64)count < 0 || !in.f->ops->read ||
		 (out.f->flags & O_APPEND))
		n = -EINVAL;
	else if (!in.f->ops->llseek || in.f->no_splice)
		n = -EINVAL; /* else the end of a terminal's input is lost */
	else
		n = copy_checked(in.f, off, out.f, 0, count);
	fd_unref(out);
out_in:
	fd_unref(in);
	return n;
}

static bool is_pipe(const struct file *f)
{
	return f->inode && S_ISFIFO(f->inode->mode);
}

/* What has no inode (epoll, signalfd ...) moves messages, not bytes. */
static bool moves_bytes(const struct file *f)
{
	return f->inode && !S_ISDIR(f->inode->mode) && !f->no_splice;
}

static s64 splice_check(struct file *in, uaddr_t in_pos, struct file *out,
			uaddr_t out_pos)
{
	if ((is_pipe(in) && in_pos) || (is_pipe(out) && out_pos))
		return -ESPIPE;
	if (!in->can_read || !out->can_write)
		return -EBADF;
	if (!is_pipe(in) && !is_pipe(out))
		return -EINVAL;
	if ((in_pos && !in->ops->llseek) || (out_pos && !out->ops->llseek))
		return -EINVAL;
	if (!moves_bytes(in) || !moves_bytes(out))
		return -EINVAL;
	if (out->flags & O_APPEND)
		return -EINVAL;
	if (is_pipe(in) && is_pipe(out) && in->inode == out->inode)
		return -EINVAL;
	return 0;
}

/* Wait for one end: bytes that it gives or takes at once, 0 at the end of data,
 * or -errno.  What is no pipe waits in its own read or write, unless told. */
static s64 end_ready(struct file *f, bool is_in, bool nonblock)
{
	u32 bits = is_in ? POLLIN | POLLHUP : POLLOUT | POLLERR;

	if (is_pipe(f)) {
		nonblock = nonblock || (f->flags & O_NONBLOCK);
		return is_in ? pipe_wait_data(pipe_of(f), nonblock)
			     : pipe_wait_room(pipe_of(f), nonblock);
	}
	if (nonblock && f->ops->poll && !(f->ops->poll(f, NULL) & bits))
		return -EAGAIN;
	return (s64)chunk_of(f);
}

static s64 put_end(void *arg, struct iov_iter *from)
{
	s64 r = write_iter(arg, from);

	return r ? r : -EIO;
}

/* From a pipe to what is none. */
static s64 splice_out(struct pipe *p, struct end *out, u64 len)
{
	return pipe_give(p, min_t(u64, len, chunk_of(out->f)), put_end, out);
}

/* What is none into the pipe @out, where there is room for @len. */
static s64 splice_in(struct end *in, struct end *out, u64 len)
{
	struct pipe *p = pipe_of(out->f);
	u64 start = in->pos;
	struct pipe_loan l;
	struct iov_iter it;
	s64 n;

	if (in->f->ops->messages || (out->f->flags & O_DIRECT))
		return copy_ends(in, out, len, true);
	n = pipe_lend(p, &l, len);
	if (n < 0)
		return n;
	iov_iter_pieces(&it, l.piece, l.nr, (size_t)n);
	n = vfs_read(in->f, &it, &in->pos);
	if (n > 0 && !pipe_land(p, &l, (size_t)n)) {
		iov_iter_pieces(&it, l.piece, l.nr, (size_t)n);
		n = write_iter(out, &it);
		in->pos = start + (u64)max(n, (s64)0);
	}
	pipe_repay(p, &l);
	return n;
}

/* One piece of at most @len bytes, after splice_check(); 0: the end of data. */
static s64 splice_ends(struct end *in, struct end *out, u64 len, bool nonblock)
{
	s64 n, m;

	for (;;) {
		n = end_ready(in->f, true, nonblock);
		if (n <= 0)
			return n;
		m = end_ready(out->f, false, nonblock);
		if (m <= 0)
			return m;
		if (!is_pipe(in->f))
			return splice_in(in, out,
					 min(min(len, (u64)m),
					     (u64)chunk_of(in->f)));
		if (is_pipe(out->f))
			n = pipe_move(pipe_of(in->f), pipe_of(out->f),
				      min_t(u64, len, CHUNK));
		else
			n = splice_out(pipe_of(in->f), out, min(len, (u64)n));
		if (n) /* else somebody else was faster */
			return n;
	}
}

static s64 do_splice(struct file *fin, uaddr_t in_pos, struct file *fout,
		     uaddr_t out_pos, u64 len, u32 flags)
{
	s64 n = splice_check(fin, in_pos, fout, out_pos), err;
	struct end in, out;

	if (!n)
		n = end_init(&in, fin, in_pos);
	if (!n)
		n = end_init(&out, fout, out_pos);
	if (!n)
		n = splice_ends(&in, &out, len, flags & SPLICE_F_NONBLOCK);
	if (n <= 0)
		return n;
	err = end_done(&in, in_pos);
	if (!err)
		err = end_done(&out, out_pos);
	return err ? err : n;
}

static struct end end_at(struct file *f, s64 pos)
{
	return (struct end){ f, pos == -1 ? f->pos : (u64)pos, pos == -1 };
}

s64 splice_files(struct file *fin, s64 in_pos, struct file *fout, s64 out_pos,
		 u64 len, u32 flags)
{
	struct end in = end_at(fin, in_pos), out = end_at(fout, out_pos);
	s64 n;

	if (flags & ~SPLICE_F_ALL || in_pos < -1 || out_pos < -1)
		return -EINVAL;
	n = splice_check(fin, !in.own_pos, fout, !out.own_pos);
	if (n || !len)
		return n;
	n = splice_ends(&in, &out, len, flags & SPLICE_F_NONBLOCK);
	if (n >= 0 && in.own_pos)
		fin->pos = in.pos;
	if (n >= 0 && out.own_pos)
		fout->pos = out.pos;
	return n;
}

SYSCALL6(76, splice, int, in_fd, uaddr_t, in_pos, int, out_fd, uaddr_t, out_pos,
	 u64, len, u32, flags)
{
	struct fdref in, out;
	s64 n = -EBADF;

	if (!len)
		return 0;
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	in = fd_ref(in_fd);
	if (!in.f)
		return -EBADF;
	out = fd_ref(out_fd);
	if (out.f) {
		n = do_splice(in.f, in_pos, out.f, out_pos, len, flags);
		fd_unref(out);
	}
	fd_unref(in);
	return n;
}

static s64 range_check(struct file *in, struct file *out)
{
	if (!in->inode || !out->inode)
		return -EINVAL;
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!in->can_read || !out->can_write || (out->flags & O_APPEND))
		return -EBADF;
	if (out->inode->iflags & FS_IMMUTABLE_FL)
		return -EPERM;
	return in->inode->sb != out->inode->sb ? -EXDEV : 0;
}

static int range_pos(const struct file *f, uaddr_t where, u64 *pos)
{
	*pos = f->pos;
	return where ? get_user_u64(pos, where) : 0;
}

/*
 * What there is to copy of @len: up to the end of the source.  Within one file source
 * and destination must not touch.  (A destination that is too far is the write's.)
 */
static s64 range_len(struct file *in, uaddr_t in_pos, struct file *out,
		     uaddr_t out_pos, u64 *len)
{
	u64 size = load_once(&in->inode->i_size), a, b;

	if (range_pos(in, in_pos, &a) || range_pos(out, out_pos, &b))
		return -EFAULT;
	if (a + *len < a || b + *len < b)
		return -EOVERFLOW;
	*len = (s64)a < (s64)size ? min(*len, size - a) : 0;
	if (in->inode == out->inode && a < b + *len && b < a + *len)
		return -EINVAL;
	return 0;
}

/* As the file system can, else by reading and writing. */
static s64 range_copy(struct file *fin, uaddr_t in_pos, struct file *fout,
		      uaddr_t out_pos, u64 len)
{
	struct end in, out;
	s64 n = -EOPNOTSUPP, err;

	if (!fin->ops->copy_range ||
	    fin->ops->copy_range != fout->ops->copy_range)
		return copy_checked(fin, in_pos, fout, out_pos, len);
	err = end_init(&in, fin, in_pos);
	if (!err)
		err = end_init(&out, fout, out_pos);
	if (err)
		return err;
	n = fin->ops->copy_range(fin, in.pos, fout, out.pos, len);
	if (n == -EOPNOTSUPP)
		return copy_checked(fin, in_pos, fout, out_pos, len);
	if (n < 0)
		return n;
	in.pos += (u64)n;
	out.pos += (u64)n;
	err = end_done(&in, in_pos);
	if (!err)
		err = end_done(&out, out_pos);
	return err ? err : n;
}

SYSCALL6(285, copy_file_range, int, in_fd, uaddr_t, in_pos, int, out_fd,
	 uaddr_t, out_pos, u64, len, u32, flags)
{
	struct fdref in, out;
	s64 n = -EBADF;

	if (flags)
		return -EINVAL;
	in = fd_ref(in_fd);
	if (!in.f)
		return -EBADF;
	out = fd_ref(out_fd);
	if (out.f) {
		n = range_check(in.f, out.f);
		if (!n)
			n = range_len(in.f, in_pos, out.f, out_pos, &len);
		if (!n && len)
			n = range_copy(in.f, in_pos, out.f, out_pos, len);
		fd_unref(out);
	}
	fd_unref(in);
	return n;
}
