/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockmsg.c - sending and receiving on sockets.
 *
 * Not here: control messages (sockcmsg.c).
 */
#include <syscall/sock.h>
#include <syscall/sockcmsg.h>
#include <syscall/syscall.h>
#include <syscall/timeout.h>
#include <syscall/uiov.h>

#include <kernel/mm/user.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define MAX_RW_COUNT 0x7ffff000ul
#define MMSG_MAX     1024u

struct user_mmsghdr {
	struct user_msghdr hdr;
	u32 len, pad;
};

/* --- one message */

static u32 msg_flags(const struct file *f, u32 flags)
{
	return flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

s64 msg_send(struct file *f, struct socket *s, const struct user_msghdr *h,
	     const void *name, struct iov_iter *it, u32 flags)
{
	struct sock_msg m = {
		.it = it,
		.flags = msg_flags(f, flags),
		.creds = sock_creds_current(),
	};
	struct sock_addr to;
	s64 n = 0;

	iov_iter_truncate(it, MAX_RW_COUNT);
	to.node = NULL;
	if ((h->name || name) && h->namelen) {
		n = name ? sock_addr_decode(s, name, h->namelen, ADDR_FIND, &to)
			 : sock_addr_read(s, h->name, h->namelen, ADDR_FIND,
					  &to);
		m.to = &to;
	}
	if (!n && h->control && h->controllen)
		n = sock_cmsg_read(s, h, &m);
	if (!n)
		n = s->ops->send(s, &m);
	sock_addr_put(&to);
	sock_files_put(m.files);
	return n;
}

static s64 send_hdr(struct file *f, struct socket *s,
		    const struct user_msghdr *h, u32 flags)
{
	struct iov_iter it;
	struct uiov u;
	s64 n = uiov_get(&u, h->iov, h->iovlen, &it);

	if (n)
		return n;
	n = msg_send(f, s, h, NULL, &it, flags);
	uiov_put(&u);
	return n;
}

/* The header's output fields are updated in @h. */
static s64 recv_hdr(struct file *f, struct socket *s, struct user_msghdr *h,
		    struct iov_iter *it, u32 flags)
{
	struct sock_cmsg_out o = { .at = h->control, .left = h->controllen };
	struct sock_addr from;
	struct sock_msg m = {
		.it = it,
		.flags = msg_flags(f, flags),
		.from = h->name ? &from : NULL,
	};
	s64 n, err = 0;

	iov_iter_truncate(it, MAX_RW_COUNT);
	from = (struct sock_addr){ 0 };
	if (!h->control)
		o.left = 0;
	n = s->ops->recv(s, &m);
	if (n >= 0) {
		err = sock_cmsg_write(&o, s, &m);
		if (!err && h->name && (from.len || from.abstract))
			err = sock_addr_copy(&from, h->name, h->namelen);
		h->namelen = err > 0 ? (u32)err : 0;
		h->controllen = o.done;
		h->flags = m.out_flags | o.flags | (flags & MSG_CMSG_CLOEXEC);
	}
	sock_msg_end(&m);
	return err < 0 ? err : n;
}

int msg_read_hdr(struct user_msghdr *h, uaddr_t umsg)
{
	if (copy_from_user(h, umsg, sizeof(*h)))
		return -EFAULT;
	if ((s32)h->namelen < 0)
		return -EINVAL;
	h->namelen = min_t(u32, h->namelen, 128);
	return h->iovlen > UIO_MAXIOV ? -EMSGSIZE : 0;
}

s64 msg_recv(struct file *f, struct socket *s, struct user_msghdr *h,
	     struct iov_iter *it, uaddr_t umsg, u32 flags)
{
	s64 n = recv_hdr(f, s, h, it, flags);

	if (n < 0 || !umsg)
		return n;
	if (h->name &&
	    put_user_u32(h->namelen,
			 umsg + offsetof(struct user_msghdr, namelen)))
		return -EFAULT;
	if (put_user_u64(h->controllen,
			 umsg + offsetof(struct user_msghdr, controllen)) ||
	    put_user_u32(h->flags, umsg + offsetof(struct user_msghdr, flags)))
		return -EFAULT;
	return n;
}

SYSCALL3(211, sendmsg, int, fd, uaddr_t, umsg, u32, flags)
{
	struct user_msghdr h;
	struct socket *s;
	struct fdref r;
	s64 n = sock_ref(fd, &r, &s);

	if (n)
		return n;
	n = msg_read_hdr(&h, umsg);
	if (!n)
		n = send_hdr(r.f, s, &h, flags);
	fd_unref(r);
	return n;
}

static s64 recv_one(struct file *f, struct socket *s, uaddr_t umsg, u32 flags)
{
	struct user_msghdr h;
	struct iov_iter it;
	struct uiov u;
	s64 n = msg_read_hdr(&h, umsg);

	if (!n)
		n = uiov_get(&u, h.iov, h.iovlen, &it);
	if (n)
		return n;
	n = msg_recv(f, s, &h, &it, umsg, flags);
	uiov_put(&u);
	return n;
}

SYSCALL3(212, recvmsg, int, fd, uaddr_t, umsg, u32, flags)
{
	struct socket *s;
	struct fdref r;
	s64 n = sock_ref(fd, &r, &s);

	if (n)
		return n;
	n = recv_one(r.f, s, umsg, flags);
	fd_unref(r);
	return n;
}

SYSCALL4(269, sendmmsg, int, fd, uaddr_t, uvec, u32, nr, u32, flags)
{
	struct socket *s;
	struct fdref r;
	u32 done = 0;
	s64 n = sock_ref(fd, &r, &s);

	if (n)
		return n;
	nr = min(nr, MMSG_MAX);
	while (done < nr) {
		uaddr_t at = uvec + done * sizeof(struct user_mmsghdr);
		struct user_msghdr h;

		n = msg_read_hdr(&h, at);
		if (!n)
			n = send_hdr(r.f, s, &h, flags);
		if (n < 0)
			break;
		if (put_user_u32((u32)n,
				 at + offsetof(struct user_mmsghdr, len))) {
			n = -EFAULT;
			break;
		}
		done++;
		cond_resched();
	}
	fd_unref(r);
	return done ? (s64)done : n;
}

#define MSG_WAITFORONE 0x10000u

SYSCALL5(243, recvmmsg, int, fd, uaddr_t, uvec, u32, nr, u32, flags, uaddr_t,
	 uts)
{
	u64 deadline;
	struct socket *s;
	struct fdref r;
	u32 done = 0;
	s64 n = timeout_read(uts, &deadline);

	if (!n)
		n = sock_ref(fd, &r, &s);
	if (n)
		return n;
	nr = min(nr, MMSG_MAX);
	while (done < nr) {
		uaddr_t at = uvec + done * sizeof(struct user_mmsghdr);

		n = recv_one(r.f, s, at, flags & ~MSG_WAITFORONE);
		if (n < 0)
			break;
		if (put_user_u32((u32)n,
				 at + offsetof(struct user_mmsghdr, len))) {
			n = -EFAULT;
			break;
		}
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (uts && clock_mono_ns() >= deadline)
			break; /* looked at between messages, as on Linux */
		cond_resched();
	}
	fd_unref(r);
	return done ? (s64)done : n;
}

/* --- without a header */

SYSCALL6(206, sendto, int, fd, uaddr_t, buf, u64, len, u32, flags, uaddr_t,
	 uaddr, u32, alen)
{
	struct iovec_user iov = { .base = buf, .len = min(len, MAX_RW_COUNT) };
	struct sock_msg m = { .creds = sock_creds_current() };
	struct sock_addr to;
	struct iov_iter it;
	struct socket *s;
	struct fdref r;
	s64 n = sock_ref(fd, &r, &s);

	if (n)
		return n;
	iov_iter_user(&it, &iov, 1, iov.len);
	m.it = &it;
	m.flags = msg_flags(r.f, flags);
	to.node = NULL;
	if (uaddr && alen) {
		n = sock_addr_read(s, uaddr, alen, ADDR_FIND, &to);
		m.to = &to;
	}
	if (!n)
		n = s->ops->send(s, &m);
	sock_addr_put(&to);
	fd_unref(r);
	return n;
}

SYSCALL6(207, recvfrom, int, fd, uaddr_t, buf, u64, len, u32, flags, uaddr_t,
	 uaddr, uaddr_t, ulen)
{
	struct iovec_user iov = { .base = buf, .len = min(len, MAX_RW_COUNT) };
	struct sock_addr from = { 0 };
	struct sock_msg m = { .from = uaddr ? &from : NULL };
	struct iov_iter it;
	struct socket *s;
	struct fdref r;
	s64 n = sock_ref(fd, &r, &s);
	int err = 0;
	u32 room;

	if (n)
		return n;
	if (!user_range_ok(buf, iov.len)) {
		fd_unref(r);
		return -EFAULT;
	}
	iov_iter_user(&it, &iov, 1, iov.len);
	m.it = &it;
	m.flags = msg_flags(r.f, flags);
	n = s->ops->recv(s, &m);
	sock_msg_end(&m);
	fd_unref(r);
	if (n < 0 || !uaddr)
		return n;
	if (from.len || from.abstract)
		err = sock_addr_write(&from, uaddr, ulen);
	else if (get_user_u32(&room, ulen))
		err = -EFAULT;
	else
		err = (s32)room < 0 ? -EINVAL : put_user_u32(0, ulen);
	return err ? err : n;
}
