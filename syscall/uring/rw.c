/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/rw.c - reads and writes.
 *
 *	stream		asked without waiting; waits in its file's queues
 *	O_DIRECT	the device completes it
 *	file, disk	what the page cache has is read at once, the rest is a worker's;
 *			writes go to the page cache at once, unless they are to be on
 *			the device when they end
 */
#include <syscall/rw.h>
#include <syscall/uring/ops.h>

#include <fs/notify.h>
#include <fs/vfs.h>
#include <kernel/file/poll.h>

#define MAX_RW_COUNT 0x7ffff000ul

static bool is_write(const struct uring_req *q)
{
	u8 op = q->sqe.opcode;

	return op == OP_WRITE || op == OP_WRITEV || op == OP_WRITE_FIXED;
}

static int one_segment(struct uring_req *q, u64 addr, u64 len)
{
	struct uiov *u = &q->rw.u;

	if (!user_range_ok(addr, len))
		return -EFAULT;
	u->iov = u->inl;
	u->inl[0] = (struct iovec_user){ addr, min_t(u64, len, MAX_RW_COUNT) };
	iov_iter_user(&q->rw.it, u->iov, 1, u->inl[0].len);
	return 0;
}

int uring_rw_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->op_flags & ~(u32)RWF_KNOWN)
		return -EOPNOTSUPP;
	if (s->ioprio >> 13 > 3) /* no such class */
		return -EINVAL;
	switch (s->opcode) {
	case OP_READV:
		if ((s->flags & SQE_BUFFER_SELECT) && s->len != 1)
			return -EINVAL;
		return uiov_get(&q->rw.u, s->addr, s->len, &q->rw.it);
	case OP_WRITEV:
		return uiov_get(&q->rw.u, s->addr, s->len, &q->rw.it);
	case OP_READ_FIXED:
	case OP_WRITE_FIXED:
		if (!uring_in_fixed_buf(q->ring, s->buf_index, s->addr, s->len))
			return -EFAULT;
		return one_segment(q, s->addr, s->len);
	case OP_READ_MULTISHOT:
		if (!(s->flags & SQE_BUFFER_SELECT) || s->addr ||
		    (s->flags & SQE_CQE_SKIP))
			return -EINVAL;
		return one_segment(q, 0, s->len);
	default:
		return one_segment(
			q, s->flags & SQE_BUFFER_SELECT ? 0 : s->addr, s->len);
	}
}

void uring_rw_drop(struct uring_req *q)
{
	uiov_put(&q->rw.u);
}

/* Ready, or to be asked again when it is. */
static bool ready(const struct uring_req *q, bool write)
{
	u32 want = write ? POLLOUT | POLLWRNORM : POLLIN | POLLRDNORM;

	return file_poll(q->file, NULL) & (want | POLLERR | POLLHUP);
}

static s64 stream(struct uring_req *q, struct iov_iter *it, bool write,
		  bool wait)
{
	struct file *f = q->file;
	/* O_NONBLOCK is no reason not to wait: the program does not. */
	bool as_it_is = q->sqe.op_flags & RWF_NOWAIT;
	u64 pos = 0;
	s64 n;

	if ((q->sqe.op_flags & RWF_NOWAIT) && !f->ops->nowait)
		return -EOPNOTSUPP;
	if (!as_it_is && !f->ops->nowait) {
		if (f->ops->poll && !ready(q, write))
			return URING_AGAIN;
		if (!wait) /* somebody else may be faster: then it waits */
			return URING_PUNT;
	}
	if (f->ops->nowait)
		it->rwf |= IOV_NOWAIT;
	n = write ? vfs_write(f, it, &pos) : vfs_read(f, it, &pos);
	return n == -EAGAIN && !as_it_is ? URING_AGAIN : n;
}

static void direct_end(struct aio_req *aio, s64 res)
{
	struct uring_req *q = container_of(aio, struct uring_req, aio);

	spin_lock(&q->pool->lock);
	q->state = UR_RUNNING;
	spin_unlock(&q->pool->lock);
	uring_end(q, res);
}

static void set_state(struct uring_req *q, u8 state)
{
	spin_lock(&q->pool->lock);
	q->state = state;
	spin_unlock(&q->pool->lock);
}

/* -ENOTBLK: by the page cache. */
static s64 direct(struct uring_req *q, struct iov_iter *it, bool write)
{
	struct file *f = q->file;
	s64 n;

	if (!(f->flags & O_DIRECT) || !f->ops->direct ||
	    (f->flags & O_APPEND) || (s64)q->sqe.off < 0 ||
	    (q->sqe.op_flags & ~(u32)RWF_HIPRI))
		return -ENOTBLK;
	n = notify_direct(f, write);
	if (unlikely(n))
		return n;
	q->aio.end = direct_end;
	uring_show(q);
	set_state(q, UR_FLYING);
	n = f->ops->direct(f, it, q->sqe.off, write, &q->aio);
	if (n != URING_PENDING) /* else it is gone */
		set_state(q, UR_RUNNING);
	return n;
}

/* Can it be done without waiting for a device? */
static bool at_once(const struct uring_req *q, bool write)
{
	struct file *f = q->file;
	u64 pos = (s64)q->sqe.off == -1 ? f->pos : q->sqe.off;
	u64 len = iov_iter_count(&q->rw.it);

	if (!vfs_mapping(f))
		return !f->inode || !S_ISBLK(f->inode->mode);
	if (write)
		return !(f->flags & (O_DSYNC | O_DIRECT)) &&
		       !(q->sqe.op_flags & (RWF_DSYNC | RWF_SYNC));
	return !(f->flags & O_DIRECT) && rw_cached(f, pos, len) == len;
}

static s64 positioned(struct uring_req *q, struct iov_iter *it, bool write,
		      bool wait)
{
	s64 n;

	if ((s64)q->sqe.off < -1)
		return -EINVAL;
	n = direct(q, it, write);
	if (n != -ENOTBLK)
		return n;
	if (!wait && !(q->sqe.op_flags & RWF_NOWAIT) && !at_once(q, write))
		return URING_PUNT;
	return rw_transfer(q->file, it, (s64)q->sqe.off, (int)q->sqe.op_flags,
			   write);
}

static s64 transfer(struct uring_req *q, bool wait)
{
	bool write = is_write(q);
	struct file *f = q->file;
	struct iov_iter it;

	if (!(write ? f->can_write : f->can_read))
		return -EBADF;
	if (q->sqe.flags & SQE_BUFFER_SELECT) {
		u64 addr, len = q->sqe.opcode == OP_READV ? q->rw.u.iov[0].len
							  : q->sqe.len;
		int err = uring_buf_select(q, &addr, &len);

		if (!err)
			err = one_segment(q, addr, len);
		if (err)
			return err;
	}
	it = q->rw.it;
	return f->ops->llseek ? positioned(q, &it, write, wait)
			      : stream(q, &it, write, wait);
}

s64 uring_rw_run(struct uring_req *q, bool wait)
{
	s64 n = transfer(q, wait);

	if (n != URING_PENDING)
		uring_buf_keep(q, n > 0);
	return n;
}

s64 uring_read_multishot_run(struct uring_req *q, bool wait)
{
	struct file *f = q->file;
	s64 n;

	if (f->ops->llseek || !f->ops->poll)
		return -EBADFD;
	for (;;) {
		n = uring_rw_run(q, wait);
		if (n <= 0)
			return n;
		if (load_once(&q->cancelled))
			return n;
		if (!uring_post_more(q, (s32)n))
			return n;
		cond_resched_lazy();
	}
}
