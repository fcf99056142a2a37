/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockcmsg.c - control messages of sendmsg(2) and recvmsg(2).
 */
#include <syscall/sockcmsg.h>
#include <syscall/uring/uring.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SOL_SOCKET	1
#define SCM_RIGHTS	1
#define SCM_CREDENTIALS 2
#define SCM_PIDFD	4
#define CONTROL_MAX	(64u * 1024u)

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
#define IP_PKTINFO    8
#define IPV6_TCLASS   67
#define UDP_SEGMENT   103

enum {
	IPV6_2292PKTINFO = 2,
	IPV6_2292HOPLIMIT = 8,
	IPV6_PKTINFO = 50,
	IPV6_DONTFRAG = 62,
};

/* From which address, over which interface: struct in_pktinfo, in6_pktinfo. */
static int take_pktinfo(const struct socket *s, struct sock_msg *m, uaddr_t at,
			u64 len, bool six)
{
	static const u8 none[16];
	u8 v[20];
	u32 index;

	if (len < (six ? 20 : 12) || (!six && len > 12))
		return -EINVAL;
	if (copy_from_user(v, at, six ? 20 : 12))
		return -EFAULT;
	memcpy(&index, six ? v + 16 : v, sizeof(index));
	if (index && !sock_dev_exists(s, index))
		return -ENODEV;
	m->tx.index = index;
	memset(m->tx.src, 0, sizeof(m->tx.src));
	if (six) {
		memcpy(m->tx.src, v, 16);
		m->tx.src_set = memcmp(v, none, 16) != 0;
		return 0;
	}
	memset(m->tx.src + 10, 0xff, 2);
	memcpy(m->tx.src + 12, v + 4, 4);
	m->tx.src_set = memcmp(v + 4, none, 4) != 0;
	return 0;
}

static int take_mark(const struct socket *s, struct sock_msg *m, uaddr_t at,
		     u64 len)
{
	if (s->family != AF_INET && s->family != AF_INET6 &&
	    s->family != AF_PACKET)
		return -EINVAL;
	if (!net_capable(s->net, CAP_NET_RAW) &&
	    !net_capable(s->net, CAP_NET_ADMIN))
		return -EPERM;
	if (len != sizeof(m->tx.mark))
		return -EINVAL;
	if (get_user_u32(&m->tx.mark, at))
		return -EFAULT;
	m->tx.mark_set = true;
	return 0;
}

/* Nothing is held back until a time, as on Linux's loopback. */
static int take_txtime(const struct socket *s, u64 len)
{
	return load_once(&s->txtime) && len == sizeof(u64) ? 0 : -EINVAL;
}

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

static int take_inet6(const struct socket *s, struct sock_msg *m,
		      const struct user_cmsghdr *c, uaddr_t at)
{
	u64 len = c->len - sizeof(*c);
	s16 ignored;

	switch (c->type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		return take_pktinfo(s, m, at, len, true);
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		return take_packet(&m->hops, at, len, -1);
	case IPV6_TCLASS:
		return take_packet(&m->class, at, len, -1);
	case IPV6_DONTFRAG: /* nothing is cut anyway */
		return take_packet(&ignored, at, len, 0) || ignored > 2
			       ? -EINVAL
			       : 0;
	default:
		return -EINVAL;
	}
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
		return c->type == IP_PKTINFO
			       ? take_pktinfo(s, m, at, len, false)
			       : -EINVAL;
	}
	if (s->family == AF_INET6 && c->level == IPPROTO_IPV6)
		return take_inet6(s, m, c, at);
	if (c->level == IPPROTO_UDP && c->type == UDP_SEGMENT &&
	    s->protocol == IPPROTO_UDP)
		return take_segment(m, at, len);
	return 0; /* for somebody else */
}

int sock_cmsg_read(const struct socket *s, const struct user_msghdr *h,
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
		else if (c.type == SO_MARK)
			err = take_mark(s, m, at + sizeof(c), len);
		else if (c.type == SO_TXTIME && s->family != AF_UNIX)
			err = take_txtime(s, len);
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

static int put_level(struct sock_cmsg_out *o, int level, int type,
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

static int put_control(struct sock_cmsg_out *o, int type, const void *data,
		       u64 len)
{
	return put_level(o, SOL_SOCKET, type, data, len);
}

/* Descriptors for as many of the files as there is room for. */
static int put_rights(struct sock_cmsg_out *o, struct sock_files *sf,
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
static int put_stamp(struct sock_cmsg_out *o, u8 stamp, u64 ns)
{
	bool nano = stamp == SO_TIMESTAMPNS || stamp == SO_TIMESTAMPNS_NEW;
	u64 t[2] = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	if (!nano)
		t[1] /= NSEC_PER_USEC;
	return put_control(o, stamp, t, sizeof(t));
}

/* struct scm_timestamping: of the packet, none of hardware. */
static int put_stamping(struct sock_cmsg_out *o, const struct socket *s,
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
static int put_pidfd(struct sock_cmsg_out *o, const struct sock_creds *c)
{
	s32 fd;

	if (o->left < sizeof(struct user_cmsghdr) + sizeof(fd)) {
		o->flags |= MSG_CTRUNC;
		return 0;
	}
	fd = sock_creds_pidfd(c);
	return put_control(o, SCM_PIDFD, &fd, sizeof(fd));
}

int sock_cmsg_write(struct sock_cmsg_out *o, const struct socket *s,
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
	for (const struct sock_cmsg_big *b = m->big; !err && b; b = b->next)
		err = put_level(o, b->level, b->type, b->data, b->len);
	if (!err && m->files)
		err = put_rights(o, m->files, m->flags);
	if (!err && s->passpidfd)
		err = put_pidfd(o, &m->creds);
	return err;
}
