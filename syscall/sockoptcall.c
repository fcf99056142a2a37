/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockoptcall.c - setsockopt(2) and getsockopt(2), and the options of SOL_SOCKET that
 * something depends on.
 *
 * Not here: those that are kept (sockopt.c), filters (sockfilter.c), other levels (net/).
 */
#include <syscall/sock.h>
#include <syscall/sockfilter.h>
#include <syscall/sockopt.h>
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/cbpf.h>
#include <lib/string.h>
#include <net/filter.h>
#include <net/inet.h>

enum {
	SOL_SOCKET = 1,
	SO_REUSEADDR = 2,
	SO_TYPE = 3,
	SO_ERROR = 4,
	SO_DONTROUTE = 5,
	SO_BROADCAST = 6,
	SO_SNDBUF = 7,
	SO_RCVBUF = 8,
	SO_KEEPALIVE = 9,
	SO_OOBINLINE = 10,
	SO_PRIORITY = 12,
	SO_LINGER = 13,
	SO_REUSEPORT = 15,
	SO_PASSCRED = 16,
	SO_PEERCRED = 17,
	SO_PASSPIDFD = 76,
	SO_PEERPIDFD = 77,
	SO_RCVTIMEO = 20,
	SO_SNDTIMEO = 21,
	SO_BINDTODEVICE = 25,
	SO_PEERNAME = 28,
	SO_PEERSEC = 31,
	SO_ACCEPTCONN = 30,
	SO_SNDBUFFORCE = 32,
	SO_RCVBUFFORCE = 33,
	SO_PROTOCOL = 38,
	SO_DOMAIN = 39,
	SO_RCVTIMEO_NEW = 66,
	SO_SNDTIMEO_NEW = 67,
	SO_NETNS_COOKIE = 71,
};
#define BUF_MAX (SOCK_BUF_DEFAULT * 2)

static u32 buf_size(u32 asked, u32 least)
{
	return max(min(asked, BUF_MAX / 2) * 2, least);
}

static int set_buf(struct socket *s, bool snd, u32 v)
{
	if (snd)
		store_once(&s->sndbuf, buf_size(v, SOCK_BUF_MIN));
	else
		store_once(&s->rcvbuf, buf_size(v, SOCK_RCVBUF_MIN));
	(void)atomic_fetch_or(&s->buf_locks,
			      snd ? SOCK_SNDBUF_LOCK : SOCK_RCVBUF_LOCK);
	return 0;
}

static int set_timeout(u64 *ns, uaddr_t uval, u32 len)
{
	struct timeval64 tv;

	if (len < sizeof(tv))
		return -EINVAL;
	if (copy_from_user(&tv, uval, sizeof(tv)))
		return -EFAULT;
	if ((u64)tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0 || (u64)tv.tv_sec > ~0u)
		tv.tv_sec = 0;
	store_once(ns, (u64)tv.tv_sec * NSEC_PER_SEC +
			       (u64)tv.tv_usec * NSEC_PER_USEC);
	return 0;
}

/* What a message tells beside its bytes. */
static int set_told(struct socket *s, int opt, u32 v)
{
	switch (opt) {
	case SO_PASSCRED:
		s->passcred = v;
		return 0;
	case SO_PASSPIDFD:
		s->passpidfd = v;
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		socket_set_stamp(s, v ? (u8)opt : (u8)0);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* Options that are kept: sockopt.c; or told of. */
static int sock_set_kept(struct socket *s, int opt, u32 v)
{
	int err = sockopt_set(s, opt, v);

	return err == -ENOPROTOOPT ? set_told(s, opt, v) : err;
}

static int set_option(struct socket *s, int opt, u32 v)
{
	switch (opt) {
	case SO_REUSEADDR:
		s->reuseaddr = v;
		return 0;
	case SO_REUSEPORT:
		if (v && s->family != AF_INET && s->family != AF_INET6)
			return -EOPNOTSUPP;
		s->reuseport = v;
		return 0;
	case SO_KEEPALIVE:
		s->keepalive = v;
		if (s->ops->changed)
			s->ops->changed(s);
		return 0;
	case SO_OOBINLINE:
		s->oobinline = v;
		return 0;
	case SO_DONTROUTE:
		s->dontroute = v;
		return 0;
	case SO_PRIORITY:
		if (v > 6 && !net_capable(s->net, CAP_NET_RAW) &&
		    !net_capable(s->net, CAP_NET_ADMIN))
			return -EPERM;
		s->priority = v;
		return 0;
	case SO_MARK:
		if (!net_capable(s->net, CAP_NET_RAW) &&
		    !net_capable(s->net, CAP_NET_ADMIN))
			return -EPERM;
		s->mark = v;
		return 0;
	case SO_BROADCAST:
		s->broadcast = v;
		return 0;
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		return set_buf(s, opt == SO_SNDBUFFORCE, v);
	case SO_SNDBUF:
	case SO_RCVBUF:
		return set_buf(s, opt == SO_SNDBUF, v);
	case SO_DETACH_FILTER:
		return sock_filter_set(s, NULL);
	case SO_DETACH_REUSEPORT_BPF:
		return inet_set_chooser(s, NULL);
	case SO_LOCK_FILTER:
		return sock_lock_filter(s, v);
	default:
		return sock_set_kept(s, opt, v);
	}
}

/* Closing never waits; a time of zero makes it a reset (net/tcp.c). */
static int set_linger(struct socket *s, uaddr_t uval, u32 len)
{
	u32 v[2];

	if (len < sizeof(v))
		return -EINVAL;
	if (copy_from_user(v, uval, sizeof(v)))
		return -EFAULT;
	s->linger_on = v[0] != 0;
	s->linger_s = v[1];
	return 0;
}

#define IFNAMSIZ 16u

static int set_device(struct socket *s, uaddr_t uval, u32 len)
{
	char name[IFNAMSIZ] = "";
	s32 index = 0;

	if ((s32)len < 0)
		return -EINVAL;
	if (copy_from_user(name, uval, min(len, IFNAMSIZ - 1)))
		return -EFAULT;
	if (*name) {
		index = sock_dev_index(s, name);
		if (index < 0)
			return index;
	}
	if (load_once(&s->bound_dev) && !net_capable(s->net, CAP_NET_RAW))
		return -EPERM;
	store_once(&s->bound_dev, (u32)index);
	return 0;
}

/* struct so_timestamping, of which no clock can be chosen, or its first word. */
static int set_stamping(struct socket *s, int opt, uaddr_t uval, u32 len)
{
	u32 v[2] = { 0 };

	if (len < sizeof(v[0]))
		return -EINVAL;
	if (copy_from_user(v, uval,
			   len == sizeof(v) ? sizeof(v) : sizeof(v[0])))
		return -EFAULT;
	return socket_set_stamping(s, v[0], opt == SO_TIMESTAMPING_NEW);
}

static int get_device(const struct socket *s, u32 room, u8 *name)
{
	u32 dev = load_once(&s->bound_dev);

	if (!dev)
		return 0;
	if (room < IFNAMSIZ)
		return -EINVAL;
	return sock_dev_name(s, (s32)dev, name);
}

/* A level of the family's own. */
static int set_other(struct socket *s, int level, int opt, uaddr_t uval,
		     u32 len)
{
	u8 val[SOCK_OPT_MAX];

	if (!s->ops->setopt)
		return -EOPNOTSUPP;
	if ((s32)len < 0)
		return -EINVAL;
	len = min(len, (u32)sizeof(val));
	if (copy_from_user(val, uval, len))
		return -EFAULT;
	return s->ops->setopt(s, level, opt, val, len);
}

SYSCALL5(208, setsockopt, int, fd, int, level, int, opt, uaddr_t, uval, u32,
	 len)
{
	struct socket *s;
	struct fdref r;
	u32 v;
	int err = sock_ref(fd, &r, &s);

	if (err)
		return err;
	if (level != SOL_SOCKET)
		err = set_other(s, level, opt, uval, len);
	else if (opt == SO_BINDTODEVICE)
		err = set_device(s, uval, len);
	else if ((s32)len < (s32)sizeof(v))
		err = -EINVAL;
	else if (get_user_u32(&v, uval))
		err = -EFAULT;
	else if (opt == SO_LINGER)
		err = set_linger(s, uval, len);
	else if (opt == SO_ATTACH_FILTER)
		err = sock_attach_filter(s, uval, len);
	else if (opt == SO_TIMESTAMPING || opt == SO_TIMESTAMPING_NEW)
		err = set_stamping(s, opt, uval, len);
	else if (opt == SO_ATTACH_REUSEPORT_CBPF)
		err = sock_attach_chooser(s, uval, len);
	else if (opt == SO_MAX_PACING_RATE)
		err = sockopt_set_pacing(s, uval, len);
	else if (opt == SO_TXTIME)
		err = sockopt_set_txtime(s, uval, len);
	else if (opt == SO_RCVTIMEO || opt == SO_RCVTIMEO_NEW)
		err = set_timeout(&s->rcv_timeout_ns, uval, len);
	else if (opt == SO_SNDTIMEO || opt == SO_SNDTIMEO_NEW)
		err = set_timeout(&s->snd_timeout_ns, uval, len);
	else
		err = set_option(s, opt, v);
	fd_unref(r);
	return err;
}

static struct timeval64 get_timeout(u64 ns)
{
	return (struct timeval64){ (s64)(ns / NSEC_PER_SEC),
				   (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

union option_value {
	u32 word;
	u32 linger[2];
	u64 word64;
	struct timeval64 tv;
	struct sock_creds creds;
	u8 other[SOCK_OPT_MAX];
};

/* Options that are one word. */
static int get_word(struct socket *s, int opt, u32 *v)
{
	switch (opt) {
	case SO_REUSEADDR:
		*v = s->reuseaddr;
		return 0;
	case SO_REUSEPORT:
		*v = s->reuseport;
		return 0;
	case SO_KEEPALIVE:
		*v = s->keepalive;
		return 0;
	case SO_OOBINLINE:
		*v = s->oobinline;
		return 0;
	case SO_DONTROUTE:
		*v = s->dontroute;
		return 0;
	case SO_PRIORITY:
		*v = s->priority;
		return 0;
	case SO_MARK:
		*v = s->mark;
		return 0;
	case SO_BROADCAST:
		*v = s->broadcast;
		return 0;
	case SO_LOCK_FILTER:
		*v = s->filter_locked;
		return 0;
	case SO_PASSCRED:
		*v = s->passcred;
		return 0;
	case SO_PASSPIDFD:
		*v = s->passpidfd;
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		*v = s->stamp == opt;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* What is not an option to set, or has two forms. */
static int get_fact(struct socket *s, int opt, u32 *v)
{
	switch (opt) {
	case SO_TYPE:
		*v = s->type;
		return 0;
	case SO_DOMAIN:
		*v = s->family;
		return 0;
	case SO_PROTOCOL:
		*v = s->protocol;
		return 0;
	case SO_ERROR:
		*v = (u32)-socket_take_error(s);
		return 0;
	case SO_SNDBUF:
		*v = load_once(&s->sndbuf);
		return 0;
	case SO_RCVBUF:
		*v = load_once(&s->rcvbuf);
		return 0;
	case SO_ACCEPTCONN:
		*v = s->listening;
		return 0;
	default:
		return get_word(s, opt, v);
	}
}

/* Length of the value, or -errno. */
static int get_option(struct socket *s, int opt, union option_value *v)
{
	struct sock_addr peer;
	int err;

	switch (opt) {
	case SO_LINGER:
		v->linger[0] = s->linger_on;
		v->linger[1] = s->linger_s;
		return sizeof(v->linger);
	case SO_PEERCRED:
		(void)s->ops->peer_creds(s, &v->creds);
		v->creds = sock_creds_shown(&v->creds);
		return SOCK_UCRED_SIZE;
	case SO_PEERPIDFD:
		(void)s->ops->peer_creds(s, &v->creds);
		err = sock_creds_pidfd(&v->creds);
		v->word = (u32)err;
		return err < 0 ? err : (int)sizeof(v->word);
	case SO_PEERNAME:
		err = s->ops->name(s, true, &peer);
		return err ? -ENOTCONN : (int)sock_addr_encode(&peer, v->other);
	case SO_NETNS_COOKIE:
		v->word64 = s->net->cookie;
		return sizeof(v->word64);
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		v->word64 = opt == SO_TIMESTAMPING || s->stamping_new
				    ? s->stamping
				    : 0;
		return sizeof(v->word64);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		v->tv = get_timeout(s->rcv_timeout_ns);
		return sizeof(v->tv);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		v->tv = get_timeout(s->snd_timeout_ns);
		return sizeof(v->tv);
	default:
		err = sockopt_get(s, opt, v);
		if (err != -ENOPROTOOPT)
			return err;
		v->word = 0;
		err = get_fact(s, opt, &v->word);
		return err ? err : (int)sizeof(v->word);
	}
}

/* A level of the family's own; of packets a value may say what is asked for. */
static int get_other(struct socket *s, int level, int opt, uaddr_t uval,
		     u32 room, u8 *val)
{
	room = min(room, (u32)SOCK_OPT_MAX);
	if (!s->ops->getopt)
		return -EOPNOTSUPP;
	if (s->family == AF_PACKET && room >= sizeof(u32) &&
	    copy_from_user(val, uval, sizeof(u32)))
		return -EFAULT;
	return s->ops->getopt(s, level, opt, val, room);
}

int sock_get_option(struct socket *s, int opt, void *val)
{
	union option_value v;
	int n = get_option(s, opt, &v);

	STATIC_ASSERT(sizeof(v) <= SOCK_OPT_MAX, "room for any");
	if (n > 0)
		memcpy(val, &v, (size_t)n);
	return n;
}

SYSCALL5(209, getsockopt, int, fd, int, level, int, opt, uaddr_t, uval, uaddr_t,
	 ulen)
{
	union option_value v;
	struct socket *s;
	struct fdref r;
	u32 room;
	int n = sock_ref(fd, &r, &s);

	if (n)
		return n;
	if (get_user_u32(&room, ulen))
		n = -EFAULT;
	else if ((s32)room < 0)
		n = -EINVAL;
	else if (level == SOL_SOCKET && opt == SO_PEERGROUPS) {
		n = sockopt_peer_groups(s, uval, ulen, room);
		fd_unref(r);
		return n;
	} else if (level == SOL_SOCKET && opt == SO_BINDTODEVICE)
		n = get_device(s, room, v.other);
	else if (level == SOL_SOCKET && opt == SO_NETNS_COOKIE && room != 8)
		n = -EINVAL;
	else if (level == SOL_SOCKET && opt == SO_ATTACH_FILTER)
		n = sock_get_filter(s, uval, room);
	else if (level == SOL_SOCKET)
		n = get_option(s, opt, &v);
	else
		n = get_other(s, level, opt, uval, room, v.other);
	fd_unref(r);
	if (n < 0)
		return n;
	if (level == SOL_SOCKET && opt == SO_ATTACH_FILTER)
		return put_user_u32((u32)n, ulen); /* it is there already */
	if (level == SOL_SOCKET && opt == SO_PEERNAME && room > (u32)n)
		return -EINVAL;
	room = min(room, (u32)n);
	if (copy_to_user(uval, &v, room) || put_user_u32(room, ulen))
		return -EFAULT;
	return 0;
}
