/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockmsg.c - sending and receiving on sockets, with control messages.
 */
#include <syscall/sock.h>
#include <syscall/syscall.h>
#include <syscall/timeout.h>
#include <syscall/uiov.h>
#include <syscall/uring/uring.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define SOL_SOCKET	1
#define SCM_RIGHTS	1
#define SCM_CREDENTIALS 2
#define SCM_PIDFD	4
#define MAX_RW_COUNT	0x7ffff000ul
#define CONTROL_MAX	(64u * 1024u)
#define MMSG_MAX	1024u

struct user_mmsghdr {
	struct user_msghdr hdr;
	u32 len, pad;
};

struct user_cmsghdr {
	u64 len; /* with this header */
	s32 level, type;
};
#define CMSG_ALIGN(n) (((n) + 7) & ~(u64)7)

/* --- control messages of a send */

static int take_rights(struct sock_msg *m, uaddr_t at, u64 len)
{
	u32 nr = (u32)(len / sizeof(s32));

	if (!nr)
		return 0;
	if (!m->files) {
		m->files = kzalloc(sizeof(*m->files));
		if (!m->files)
			return -ENOMEM;
	}
	if (nr > SCM_MAX_FD - m->files->nr)
		return -EINVAL;
	for (u32 i = 0; i < nr; i++) {
		struct file *f;
		u32 fd;

		if (get_user_u32(&fd, at + i * sizeof(fd)))
			return -EFAULT;
		f = fd_get_path((int)fd);
		if (!f)
			return -EBADF;
		if (uring_of(f)) { /* which may have the socket registered */
			file_put(f);
			return -EINVAL;
		}
		m->files->f[m->files->nr++] = f;
	}
	return 0;
}

static int take_credentials(struct sock_msg *m, uaddr_t at, u64 len)
{
	const struct cred *c = current_cred();
	struct sock_creds sc = { .born = current->proc->start_ns };
	struct process *p;

	if (len != SOCK_UCRED_SIZE)
		return -EINVAL;
	if (copy_from_user(&sc, at, SOCK_UCRED_SIZE))
		return -EFAULT;
	if (sc.pid != current->proc->ns_pid &&
	    !ns_capable(current_pid_ns()->ns.owner, CAP_SYS_ADMIN))
		return -EPERM;
	sc.pid = pid_given(sc.pid);
	sc.uid = uid_given(sc.uid);
	sc.gid = gid_given(sc.gid);
	if (sc.uid == INVALID_ID || sc.gid == INVALID_ID)
		return -EINVAL;
	if (sc.uid != c->uid && sc.uid != c->euid && sc.uid != c->suid &&
	    !capable_here(CAP_SETUID))
		return -EPERM;
	if (sc.gid != c->gid && sc.gid != c->egid && sc.gid != c->sgid &&
	    !capable_here(CAP_SETGID))
		return -EPERM;
	if (sc.pid != current->proc->pid) {
		p = process_find(sc.pid);
		if (!p)
			return -ESRCH;
		sc.born = p->start_ns;
		process_put(p);
	}
	m->creds = sc;
	return 0;
}

/*
 * Hop limit or traffic class of one packet.  @len bytes at @at hold a number from
 * @least to 255, -1 meaning that the socket decides.
 */
static int take_packet(s16 *out, uaddr_t at, u64 len, s32 least)
{
	s32 v;

	if (len != sizeof(v))
		return -EINVAL;
	if (copy_from_user(&v, at, sizeof(v)))
		return -EFAULT;
	if (v < least || v > 255)
		return -EINVAL;
	*out = (s16)(v + 1);
	return 0;
}

#define IPPROTO_IP    0
#define IPPROTO_UDP   17
#define IPPROTO_IPV6  41
#define IP_TOS	      1
#define IP_TTL	      2
#define IPV6_HOPLIMIT 52
#define IPV6_TCLASS   67
#define UDP_SEGMENT   103

/* How long the parts are that it is cut into. */
static int take_segment(struct sock_msg *m, uaddr_t at, u64 len)
{
	u16 v;

	if (len != sizeof(v))
		return -EINVAL;
	if (copy_from_user(&v, at, sizeof(v)))
		return -EFAULT;
	m->segment = v;
	return 0;
}

/* Which times of this message are to be told. */
static int take_stamps(struct sock_msg *m, uaddr_t at, u64 len)
{
	u32 v;

	if (len != sizeof(v))
		return -EINVAL;
	if (get_user_u32(&v, at))
		return -EFAULT;
	if (v & ~SOF_TIMESTAMPING_TX_RECORD)
		return -EINVAL;
	m->tx_stamps = TX_STAMPS_SET | v;
	return 0;
}

static int take_inet(const struct socket *s, struct sock_msg *m,
		     const struct user_cmsghdr *c, uaddr_t at)
{
	u64 len = c->len - sizeof(*c);

	if (s->type != SOCK_DGRAM && s->type != SOCK_RAW)
		return 0;
	if (s->family == AF_INET && c->level == IPPROTO_IP) {
		if (c->type == IP_TTL)
			return take_packet(&m->hops, at, len, 1);
		if (c->type == IP_TOS)
			return take_packet(&m->class, at, len, 0);
	}
	if (s->family == AF_INET6 && c->level == IPPROTO_IPV6) {
		if (c->type == IPV6_HOPLIMIT)
			return take_packet(&m->hops, at, len, -1);
		if (c->type == IPV6_TCLASS)
			return take_packet(&m->class, at, len, -1);
	}
	if (c->level == IPPROTO_UDP && c->type == UDP_SEGMENT &&
	    s->protocol == IPPROTO_UDP)
		return take_segment(m, at, len);
	return 0; /* for somebody else */
}

static int read_control(const struct socket *s, const struct user_msghdr *h,
			struct sock_msg *m)
{
	u64 left = h->controllen;
	uaddr_t at = h->control;
	int err = 0;

	if (left > CONTROL_MAX)
		return -ENOBUFS;
	while (!err && left >= sizeof(struct user_cmsghdr)) {
		struct user_cmsghdr c;
		u64 len;

		if (copy_from_user(&c, at, sizeof(c)))
			return -EFAULT;
		if (c.len < sizeof(c) || c.len > left)
			return -EINVAL;
		len = c.len - sizeof(c);
		if (c.level != SOL_SOCKET)
			err = take_inet(s, m, &c, at + sizeof(c));
		else if (c.type == SCM_RIGHTS)
			err = take_rights(m, at + sizeof(c), len);
		else if (c.type == SO_TIMESTAMPING ||
			 c.type == SO_TIMESTAMPING_NEW)
			err = take_stamps(m, at + sizeof(c), len);
		else if (c.type == SCM_CREDENTIALS)
			err = take_credentials(m, at + sizeof(c), len);
		else
			err = -EINVAL;
		len = min(CMSG_ALIGN(c.len), left);
		at += len;
		left -= len;
	}
	return err;
}

/* --- control messages of a receive */

struct control_out {
	uaddr_t at;
	u64 left, done;
	u32 flags; /* MSG_CTRUNC */
};

static int put_level(struct control_out *o, int level, int type,
		     const void *data, u64 len)
{
	struct user_cmsghdr c = {
		.len = sizeof(c) + len,
		.level = level,
		.type = type,
	};
	u64 whole;

	if (o->left < sizeof(c)) {
		o->flags |= MSG_CTRUNC;
		return 0;
	}
	if (c.len > o->left) {
		c.len = o->left;
		o->flags |= MSG_CTRUNC;
	}
	if (copy_to_user(o->at, &c, sizeof(c)) ||
	    copy_to_user(o->at + sizeof(c), data, c.len - sizeof(c)))
		return -EFAULT;
	whole = min(CMSG_ALIGN(c.len), o->left);
	o->at += whole;
	o->left -= whole;
	o->done += whole;
	return 0;
}

static int put_control(struct control_out *o, int type, const void *data,
		       u64 len)
{
	return put_level(o, SOL_SOCKET, type, data, len);
}

/* Descriptors for as many of the files as there is room for. */
static int put_rights(struct control_out *o, struct sock_files *sf,
		      u32 msg_flags)
{
	u64 room = o->left < sizeof(struct user_cmsghdr)
			   ? 0
			   : (o->left - sizeof(struct user_cmsghdr)) / 4;
	bool cloexec = msg_flags & MSG_CMSG_CLOEXEC;
	s32 *fds;
	u32 n = 0;
	int err;

	if (!room) {
		o->flags |= MSG_CTRUNC;
		return 0;
	}
	fds = kcalloc(SCM_MAX_FD, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	while (n < sf->nr && n < room) {
		fds[n] = fd_alloc(0, cloexec);
		if (fds[n] < 0)
			break;
		n++;
	}
	if (n < sf->nr)
		o->flags |= MSG_CTRUNC;
	err = n ? put_control(o, SCM_RIGHTS, fds, n * sizeof(*fds)) : 0;
	for (u32 i = 0; i < n; i++) {
		if (err)
			fd_unreserve(fds[i]);
		else
			fd_install(fds[i], file_get(sf->f[i]));
	}
	kfree(fds);
	return err;
}

/* When it came, as the option that asked for it says: its number is the type. */
static int put_stamp(struct control_out *o, u8 stamp, u64 ns)
{
	bool nano = stamp == SO_TIMESTAMPNS || stamp == SO_TIMESTAMPNS_NEW;
	u64 t[2] = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	if (!nano)
		t[1] /= NSEC_PER_USEC;
	return put_control(o, stamp, t, sizeof(t));
}

/* struct scm_timestamping: of the packet, none of hardware. */
static int put_stamping(struct control_out *o, const struct socket *s,
			const struct sock_msg *m)
{
	u32 f = load_once(&s->stamping), told = m->out_flags & MSG_ERRQUEUE;
	u64 t[6] = { m->stamp_ns / NSEC_PER_SEC, m->stamp_ns % NSEC_PER_SEC };

	if (!m->stamp_ns || !(f & SOF_TIMESTAMPING_SOFTWARE))
		return 0;
	if (!told && !(f & SOF_TIMESTAMPING_RX_SOFTWARE) &&
	    (f & SOF_TIMESTAMPING_OPT_RX_FILTER))
		return 0; /* for who asked for another kind of time */
	return put_control(
		o, s->stamping_new ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING, t,
		sizeof(t));
}

/* A descriptor of the sender, or why there is none. */
static int put_pidfd(struct control_out *o, const struct sock_creds *c)
{
	s32 fd;

	if (o->left < sizeof(struct user_cmsghdr) + sizeof(fd)) {
		o->flags |= MSG_CTRUNC;
		return 0;
	}
	fd = sock_creds_pidfd(c);
	return put_control(o, SCM_PIDFD, &fd, sizeof(fd));
}

static int write_control(struct control_out *o, const struct socket *s,
			 struct sock_msg *m)
{
	u8 stamp = load_once(&s->stamp);
	int err = 0;

	if (stamp && (m->stamp_ns || s->type != SOCK_STREAM))
		err = put_stamp(o, stamp, m->stamp_ns ?: clock_real_ns());
	if (!err && load_once(&s->stamping))
		err = put_stamping(o, s, m);
	if (!err && s->passcred) {
		struct sock_creds sc = sock_creds_shown(&m->creds);

		err = put_control(o, SCM_CREDENTIALS, &sc, SOCK_UCRED_SIZE);
	}
	for (u32 i = 0; !err && i < m->nr_cmsg; i++)
		err = put_level(o, m->cmsg[i].level, m->cmsg[i].type,
				m->cmsg[i].data, m->cmsg[i].len);
	if (!err && m->big)
		err = put_level(o, m->big->level, m->big->type, m->big->data,
				m->big->len);
	if (!err && m->files)
		err = put_rights(o, m->files, m->flags);
	if (!err && s->passpidfd)
		err = put_pidfd(o, &m->creds);
	return err;
}

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
		n = read_control(s, h, &m);
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
	struct control_out o = { .at = h->control, .left = h->controllen };
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
		err = write_control(&o, s, &m);
		if (!err && h->name && (from.len || from.abstract))
			err = sock_addr_copy(&from, h->name, h->namelen);
		h->namelen = err > 0 ? (u32)err : 0;
		h->controllen = o.done;
		h->flags = m.out_flags | o.flags | (flags & MSG_CMSG_CLOEXEC);
	}
	sock_files_put(m.files);
	kfree(m.big);
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

	if (n)
		return n;
	iov_iter_user(&it, &iov, 1, iov.len);
	m.it = &it;
	m.flags = msg_flags(r.f, flags);
	n = s->ops->recv(s, &m);
	sock_files_put(m.files);
	kfree(m.big);
	fd_unref(r);
	if (n < 0 || !uaddr)
		return n;
	if (from.len || from.abstract)
		err = sock_addr_write(&from, uaddr, ulen);
	else
		err = put_user_u32(0, ulen);
	return err ? err : n;
}
