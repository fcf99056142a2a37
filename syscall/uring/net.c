/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/net.c - sockets: send, receive, accept, connect.
 *
 * Headers and addresses are taken when the request is submitted.  Everything is tried
 * without waiting first; the wait is for the socket's file.
 */
#include <syscall/uring/ops.h>

#include <kernel/mm/user.h>

#define MAX_RW_COUNT 0x7ffff000ul

/* ---- send, receive */

static int one_segment(struct uring_req *q, u64 addr, u64 len)
{
	struct uiov *u = &q->msg.u;

	if (!user_range_ok(addr, len))
		return -EFAULT;
	u->iov = u->inl;
	u->inl[0] = (struct iovec_user){ addr, min_t(u64, len, MAX_RW_COUNT) };
	iov_iter_user(&q->msg.it, u->iov, 1, u->inl[0].len);
	return 0;
}

static bool is_zc(const struct uring_req *q)
{
	return q->sqe.opcode == OP_SEND_ZC || q->sqe.opcode == OP_SENDMSG_ZC;
}

static int check_io_flags(const struct uring_req *q)
{
	u32 known = RECVSEND_POLL_FIRST;

	if (is_zc(q))
		known |= RECVSEND_FIXED_BUF | SEND_ZC_REPORT_USAGE;
	else if (q->sqe.opcode == OP_RECV)
		known |= RECV_MULTISHOT;
	if (q->sqe.ioprio & ~known)
		return -EINVAL;
	if (!(q->sqe.ioprio & RECV_MULTISHOT) || is_zc(q))
		return 0;
	return (q->sqe.flags & SQE_BUFFER_SELECT) &&
			       !(q->sqe.op_flags & MSG_WAITALL) &&
			       !q->sqe.len
		       ? 0
		       : -EINVAL;
}

int uring_send_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	int err = check_io_flags(q);

	if (err)
		return err;
	if ((s->ioprio & RECVSEND_FIXED_BUF) && is_zc(q) &&
	    !uring_in_fixed_buf(q->ring, s->buf_index, s->addr, s->len))
		return -EFAULT;
	q->msg.h = (struct user_msghdr){
		.name = s->off,
		.namelen = min_t(u32, (u16)s->file_index, 128),
	};
	return one_segment(q, s->addr, s->len);
}

int uring_recv_prep(struct uring_req *q)
{
	int err = check_io_flags(q);

	if (err)
		return err;
	if (q->sqe.off || q->sqe.file_index)
		return -EINVAL;
	return one_segment(
		q, q->sqe.flags & SQE_BUFFER_SELECT ? 0 : q->sqe.addr,
		q->sqe.len);
}

int uring_msg_prep(struct uring_req *q)
{
	int err = check_io_flags(q);

	if (err)
		return err;
	if (q->sqe.off || q->sqe.file_index)
		return -EINVAL;
	err = msg_read_hdr(&q->msg.h, q->sqe.addr);
	if (err)
		return err;
	if ((q->sqe.flags & SQE_BUFFER_SELECT) && q->msg.h.iovlen > 1)
		return -EINVAL;
	return uiov_get(&q->msg.u, q->msg.h.iov, q->msg.h.iovlen, &q->msg.it);
}

void uring_msg_drop(struct uring_req *q)
{
	uiov_put(&q->msg.u);
}

/* The iterator for what is left of it. */
static struct iov_iter rest(const struct uring_req *q)
{
	struct iov_iter it = q->msg.it;

	iov_iter_advance(&it, (size_t)q->done);
	return it;
}

/* @n of one round: the whole result, or URING_AGAIN. */
static s64 add_up(struct uring_req *q, s64 n, bool all)
{
	if (q->sqe.op_flags & MSG_DONTWAIT)
		return n;
	if (n == -EAGAIN)
		return URING_AGAIN;
	if (n <= 0)
		return q->done ? q->done : n;
	q->done += n;
	if (all && (u64)q->done < iov_iter_count(&q->msg.it))
		return URING_AGAIN;
	return q->done;
}

/* Memory was copied: it may be used again as soon as the call has ended. */
static s64 tell_zc(struct uring_req *q, s64 n)
{
	if (n < 0 && n <= URING_AGAIN)
		return n;
	uring_post(q->ring, q->sqe.user_data, (s32)n, CQE_F_MORE);
	q->cqe_flags = CQE_F_NOTIF;
	return 0;
}

s64 uring_send_run(struct uring_req *q, bool wait __unused)
{
	struct socket *s = socket_of(q->file);
	struct iov_iter it = rest(q);
	s64 n;

	if (!s)
		return -ENOTSOCK;
	n = msg_send(q->file, s, &q->msg.h, &it,
		     q->sqe.op_flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	n = add_up(q, n, q->sqe.op_flags & MSG_WAITALL);
	return is_zc(q) ? tell_zc(q, n) : n;
}

static int select_buffer(struct uring_req *q)
{
	u64 addr, len = q->sqe.opcode == OP_RECVMSG
				? (q->msg.h.iovlen ? q->msg.u.iov[0].len : 0)
				: q->sqe.len;
	int err = uring_buf_select(q, &addr, &len);

	return err ? err : one_segment(q, addr, len);
}

static s64 receive(struct uring_req *q)
{
	struct socket *s = socket_of(q->file);
	struct iov_iter it;
	s64 n;

	if (!s)
		return -ENOTSOCK;
	if ((q->sqe.flags & SQE_BUFFER_SELECT) && !q->done) {
		n = select_buffer(q);
		if (n)
			return n;
	}
	it = rest(q);
	n = msg_recv(q->file, s, &q->msg.h, &it,
		     q->sqe.opcode == OP_RECVMSG ? q->sqe.addr : 0,
		     q->sqe.op_flags | MSG_DONTWAIT);
	n = add_up(q, n, q->sqe.op_flags & MSG_WAITALL);
	if (!(n == URING_AGAIN && q->done))
		uring_buf_keep(q, n > 0);
	return n;
}

s64 uring_recv_run(struct uring_req *q, bool wait __unused)
{
	bool many = q->sqe.opcode == OP_RECV &&
		    (q->sqe.ioprio & RECV_MULTISHOT);
	s64 n;

	for (;;) {
		n = receive(q);
		if (!many || n <= 0 || load_once(&q->cancelled))
			return n;
		uring_post(q->ring, q->sqe.user_data, (s32)n,
			   q->cqe_flags | CQE_F_MORE);
		q->cqe_flags = 0;
		q->done = 0;
	}
}

/* ---- accept, connect */

int uring_accept_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->len || s->buf_index ||
	    (s->ioprio & ~(u32)(ACCEPT_MULTISHOT | ACCEPT_DONTWAIT |
				ACCEPT_POLL_FIRST)))
		return -EINVAL;
	if (s->file_index && (s->op_flags & O_CLOEXEC))
		return -EINVAL;
	if ((s->ioprio & ACCEPT_MULTISHOT) && s->file_index &&
	    s->file_index != FILE_INDEX_ALLOC)
		return -EINVAL;
	return s->op_flags & ~(u32)(O_CLOEXEC | O_NONBLOCK) ? -EINVAL : 0;
}

static s64 accept_one(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	s64 fd = sock_accept(q->file, s->addr, s->off, s->op_flags, true);

	if (fd == -EAGAIN && !(q->file->flags & O_NONBLOCK) &&
	    !(s->ioprio & ACCEPT_DONTWAIT))
		return URING_AGAIN;
	if (fd == -EAGAIN && (s->ioprio & ACCEPT_MULTISHOT) &&
	    !(s->ioprio & ACCEPT_DONTWAIT))
		return URING_AGAIN;
	return fd < 0 ? fd : uring_install(q->ring, fd, s->file_index);
}

s64 uring_accept_run(struct uring_req *q, bool wait __unused)
{
	for (;;) {
		s64 fd = accept_one(q);

		if (fd < 0 || !(q->sqe.ioprio & ACCEPT_MULTISHOT) ||
		    load_once(&q->cancelled))
			return fd;
		uring_post(q->ring, q->sqe.user_data, (s32)fd, CQE_F_MORE);
	}
}

int uring_connect_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->len || s->buf_index || s->op_flags || s->file_index)
		return -EINVAL;
	return 0;
}

void uring_connect_drop(struct uring_req *q)
{
	if (q->done)
		sock_addr_put(&q->addr);
}

/* Waiting is a worker's, who finds the address here. */
s64 uring_connect_run(struct uring_req *q, bool wait)
{
	struct socket *s = socket_of(q->file);
	bool nonblock = q->file->flags & O_NONBLOCK;
	int err;

	if (!s)
		return -ENOTSOCK;
	if (!q->done) {
		err = sock_addr_read(s, q->sqe.addr, (u32)q->sqe.off, ADDR_FIND,
				     &q->addr);
		if (err)
			return err;
		q->done = 1;
	}
	err = s->ops->connect(s, &q->addr, !wait || nonblock);
	if (!wait && !nonblock &&
	    (err == -EAGAIN || err == -EINPROGRESS || err == -EALREADY))
		return URING_PUNT;
	return err;
}
