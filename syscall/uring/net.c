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
	else if (q->sqe.opcode == OP_RECV || q->sqe.opcode == OP_RECVMSG)
		known |= RECV_MULTISHOT;
	if (q->sqe.ioprio & ~known)
		return -EINVAL;
	if (!(q->sqe.ioprio & RECV_MULTISHOT) || is_zc(q))
		return 0;
	return (q->sqe.flags & SQE_BUFFER_SELECT) &&
			       !(q->sqe.op_flags & MSG_WAITALL) &&
			       (!q->sqe.len || q->sqe.opcode == OP_RECVMSG)
		       ? 0
		       : -EINVAL;
}

/* Where to: as it is now. */
static int copy_name(struct uring_req *q)
{
	struct user_msghdr *h = &q->msg.h;

	if (!h->name || !h->namelen)
		return 0;
	if (h->namelen > sizeof(q->msg.name))
		return -EINVAL;
	return copy_from_user(q->msg.name, h->name, h->namelen);
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
	q->msg.h = (struct user_msghdr){ .name = s->off,
					 .namelen = (u16)s->file_index };
	err = copy_name(q);
	return err ? err : one_segment(q, s->addr, s->len);
}

int uring_recv_prep(struct uring_req *q)
{
	int err = check_io_flags(q);

	if (err)
		return err;
	if (q->sqe.off || q->sqe.file_index)
		return -EINVAL;
	q->msg.h = (struct user_msghdr){ 0 }; /* nobody wants the name */
	return one_segment(q,
			   q->sqe.flags & SQE_BUFFER_SELECT ? 0 : q->sqe.addr,
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
	if (q->sqe.opcode != OP_RECVMSG)
		err = copy_name(q);
	if (err)
		return err;
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
static s64 add_up(struct uring_req *q, const struct socket *s, s64 n)
{
	bool all = (q->sqe.op_flags & MSG_WAITALL) && s->type != SOCK_DGRAM;

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
	n = msg_send(q->file, s, &q->msg.h, q->msg.h.name ? q->msg.name : NULL,
		     &it, q->sqe.op_flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		q->msg.h.controllen = 0; /* it is sent once */
	n = add_up(q, s, n);
	return is_zc(q) ? tell_zc(q, n) : n;
}

static bool many(const struct uring_req *q)
{
	return q->sqe.ioprio & RECV_MULTISHOT;
}

static int select_buffer(struct uring_req *q)
{
	u64 addr, len = q->sqe.len;
	int err;

	if (q->sqe.opcode == OP_RECVMSG)
		len = q->msg.h.iovlen && !many(q) ? q->msg.u.iov[0].len : 0;
	err = uring_buf_select(q, &addr, &len);
	return err ? err : one_segment(q, addr, len);
}

/* The head of a buffer of RECVMSG that goes on: then name, control, payload. */
struct recvmsg_out {
	u32 namelen, controllen, payloadlen, flags;
};

/* Into the buffer that one_segment() has in msg.it: bytes of all of it. */
static s64 receive_parts(struct uring_req *q, struct socket *s)
{
	struct user_msghdr h = q->msg.h;
	u64 base = q->msg.u.inl[0].base, len = q->msg.u.inl[0].len, head;
	struct recvmsg_out o;
	s64 n;
	int err;

	head = sizeof(o) + h.namelen + h.controllen;
	if (h.controllen > len || head > len)
		return -EFAULT;
	h.name = h.namelen ? base + sizeof(o) : 0;
	h.control = h.controllen ? base + sizeof(o) + h.namelen : 0;
	err = one_segment(q, base + head, len - head);
	if (err)
		return err;
	n = msg_recv(q->file, s, &h, &q->msg.it, 0,
		     q->sqe.op_flags | MSG_DONTWAIT);
	if (n < 0)
		return n;
	o = (struct recvmsg_out){ h.namelen, (u32)h.controllen, (u32)n,
				  h.flags };
	if (copy_to_user(base, &o, sizeof(o)))
		return -EFAULT;
	/* with MSG_TRUNC @n may be more than there is room for */
	return (s64)(head + min((u64)n, len - head));
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
	if (q->sqe.opcode == OP_RECVMSG && many(q)) {
		n = receive_parts(q, s);
	} else {
		struct user_msghdr h = q->msg.h;

		it = rest(q);
		n = msg_recv(q->file, s, &h, &it,
			     q->sqe.opcode == OP_RECVMSG ? q->sqe.addr : 0,
			     q->sqe.op_flags | MSG_DONTWAIT);
	}
	n = add_up(q, s, n);
	if (!(n == URING_AGAIN && q->done))
		uring_buf_keep(q, n > 0);
	return n;
}

s64 uring_recv_run(struct uring_req *q, bool wait __unused)
{
	s64 n;

	for (;;) {
		n = receive(q);
		if (!many(q) || n <= 0 || load_once(&q->cancelled))
			return n;
		if (!uring_post_more(q, (s32)n))
			return n;
		q->done = 0;
		cond_resched_lazy();
	}
}

/* ---- accept, connect */

int uring_accept_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->len || s->buf_index ||
	    (s->ioprio &
	     ~(u32)(ACCEPT_MULTISHOT | ACCEPT_DONTWAIT | ACCEPT_POLL_FIRST)))
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

	if (fd == -EAGAIN && !(s->ioprio & ACCEPT_DONTWAIT))
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
		if (!uring_post_more(q, (s32)fd))
			return fd;
		cond_resched_lazy();
	}
}

int uring_connect_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->len || s->buf_index || s->op_flags || s->file_index)
		return -EINVAL;
	if (s->off > sizeof(q->msg.name))
		return -EINVAL;
	q->msg.h =
		(struct user_msghdr){ .name = s->addr, .namelen = (u32)s->off };
	return copy_name(q);
}

/* Waiting is a worker's, whatever O_NONBLOCK says. */
s64 uring_connect_run(struct uring_req *q, bool wait)
{
	struct socket *s = socket_of(q->file);
	struct sock_addr to;
	int err;

	if (!s)
		return -ENOTSOCK;
	err = sock_addr_decode(s, q->msg.name, q->msg.h.namelen, ADDR_FIND,
			       &to);
	if (err)
		return err;
	err = s->ops->connect(s, &to, !wait);
	sock_addr_put(&to);
	if (!wait &&
	    (err == -EAGAIN || err == -EINPROGRESS || err == -EALREADY))
		return URING_PUNT;
	return err;
}

/* ---- URING_CMD on sockets */

enum {
	CMD_INQ,
	CMD_OUTQ,
	CMD_GETSOCKOPT,
	CMD_SETSOCKOPT,
};
#define SYS_SETSOCKOPT 208
#define SOL_SOCKET_    1

static s64 get_option(struct socket *s, const struct uring_sqe *e)
{
	int level = (int)e->addr, opt = (int)(e->addr >> 32), n;
	u8 val[SOCK_OPT_MAX];

	if (level != SOL_SOCKET_)
		return -EOPNOTSUPP;
	if ((s32)e->file_index < 0)
		return -EINVAL;
	n = sock_get_option(s, opt, val);
	if (n < 0)
		return n;
	n = (int)min((u32)n, e->file_index);
	return copy_to_user(e->addr3, val, (size_t)n) ? -EFAULT : n;
}

s64 uring_cmd_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *e = &q->sqe;
	struct socket *s = socket_of(q->file);
	u64 a[6] = { (u64)FD_GIVEN, (u32)e->addr, e->addr >> 32, e->addr3,
		     e->file_index };

	if (!s)
		return -EOPNOTSUPP;
	if (e->off >> 32)
		return -EINVAL;
	switch ((u32)e->off) {
	case CMD_INQ:
		return s->ops->inq ? (s64)s->ops->inq(s) : -EOPNOTSUPP;
	case CMD_OUTQ:
		return s->ops->outq ? (s64)s->ops->outq(s) : -EOPNOTSUPP;
	case CMD_GETSOCKOPT:
		return get_option(s, e);
	case CMD_SETSOCKOPT:
		return syscall_handler(SYS_SETSOCKOPT)(a);
	default:
		return -EOPNOTSUPP;
	}
}
