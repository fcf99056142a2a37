/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockopt.c - options of SOL_SOCKET that nothing depends on where packets are never
 * queued, paced or summed: they are kept; those about how a read goes; and facts about a
 * socket.
 */
#include <syscall/sockopt.h>

#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/time/posix.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

enum {
	SO_DEBUG = 1,
	SO_NO_CHECK = 11,
	SO_BSDCOMPAT = 14,
	SO_RCVLOWAT = 18,
	SO_SNDLOWAT = 19,
	SO_PASSSEC = 34,
	SO_WIFI_STATUS = 41,
	SO_PEEK_OFF = 42,
	SO_NOFCS = 43,
	SO_SELECT_ERR_QUEUE = 45,
	SO_BUSY_POLL = 46,
	SO_BPF_EXTENSIONS = 48,
	SO_INCOMING_CPU = 49,
	SO_ATTACH_BPF = 50,
	SO_ATTACH_REUSEPORT_EBPF = 52,
	SO_CNX_ADVICE = 53,
	SO_MEMINFO = 55,
	SO_INCOMING_NAPI_ID = 56,
	SO_COOKIE = 57,
	SO_ZEROCOPY = 60,
	SO_BINDTOIFINDEX = 62,
	SO_PREFER_BUSY_POLL = 69,
	SO_BUSY_POLL_BUDGET = 70,
	SO_BUF_LOCK = 72,
	SO_RESERVE_MEM = 73,
	SO_TXREHASH = 74,
	SO_DEVMEM_DONTNEED = 80,
};
#define SKF_AD_MAX   64u
#define TXTIME_FLAGS 3u
#define IPPROTO_TCP  6
#define IPPROTO_UDP  17

/* Bits of s->kept. */
static int bit_of(int opt)
{
	switch (opt) {
	case SO_DEBUG:
		return 0;
	case SO_NO_CHECK:
		return 1;
	case SO_PASSSEC:
		return 2;
	case SO_WIFI_STATUS:
		return 3;
	case SO_NOFCS:
		return 4;
	case SO_PREFER_BUSY_POLL:
		return 5;
	case SO_RXQ_OVFL:
		return SOCK_KEPT_RXQ_OVFL;
	case SO_RCVMARK:
		return SOCK_KEPT_RCVMARK;
	default:
		return -ENOPROTOOPT;
	}
}

static bool may_admin(const struct socket *s)
{
	return net_capable(s->net, CAP_NET_ADMIN);
}

static int set_bit(struct socket *s, int opt, bool on)
{
	u32 bit = 1u << bit_of(opt);

	if (opt == SO_DEBUG && on && !may_admin(s))
		return -EACCES;
	if (opt == SO_PREFER_BUSY_POLL && on && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (opt == SO_RCVMARK && !may_admin(s) &&
	    !net_capable(s->net, CAP_NET_RAW))
		return -EPERM;
	if (on)
		(void)atomic_fetch_or(&s->kept, bit);
	else
		(void)atomic_fetch_and(&s->kept, ~bit);
	return 0;
}

static bool is_inet(const struct socket *s)
{
	return s->family == AF_INET || s->family == AF_INET6;
}

static bool is_tcp(const struct socket *s)
{
	return is_inet(s) && s->type == SOCK_STREAM &&
	       s->protocol == IPPROTO_TCP;
}

/* There are no programs of eBPF, so that no descriptor is one; nor memory of devices. */
static int set_by_fd(const struct socket *s, int opt, u32 fd)
{
	struct file *f;

	if (opt == SO_ATTACH_BPF && s->filter_locked)
		return -EPERM;
	if (opt == SO_DEVMEM_DONTNEED)
		return is_tcp(s) ? -EINVAL : -EBADF;
	f = fd_get((int)fd);
	if (!f)
		return -EBADF;
	file_put(f);
	return -EINVAL;
}

static int set_zerocopy(struct socket *s, u32 v)
{
	bool udp = is_inet(s) && s->type == SOCK_DGRAM &&
		   s->protocol == IPPROTO_UDP;

	if (!is_tcp(s) && !udp)
		return -EOPNOTSUPP;
	if (v > 1)
		return -EINVAL;
	store_once(&s->zerocopy, v != 0);
	return 0;
}

static int set_lowat(struct socket *s, u32 v)
{
	u32 n = (s32)v < 0 ? INT32_MAX : max(v, 1u);

	if (s->ops->set_lowat)
		s->ops->set_lowat(s, n);
	else
		store_once(&s->lowat, n);
	return 0;
}

static int set_peek_off(struct socket *s, u32 v)
{
	if (!s->ops->peek_off)
		return -EOPNOTSUPP;
	store_once(&s->peek_off, (s32)v);
	return 0;
}

/* Nobody polls for the loopback: who may ask for it is asked, and that is all. */
static int set_busy_poll(struct socket *s, int opt, u32 v)
{
	u32 *to = opt == SO_BUSY_POLL ? &s->busy_poll : &s->busy_budget;

	if (opt == SO_BUSY_POLL_BUDGET && (s32)v > (s32)load_once(to) &&
	    !capable(CAP_NET_ADMIN))
		return -EPERM;
	if ((s32)v < 0 || (opt == SO_BUSY_POLL_BUDGET && v > 0xffff))
		return -EINVAL;
	store_once(to, v);
	return 0;
}

static int set_ifindex(struct socket *s, u32 v)
{
	if (load_once(&s->bound_dev) && !net_capable(s->net, CAP_NET_RAW))
		return -EPERM;
	if ((s32)v < 0)
		return -EINVAL;
	store_once(&s->bound_dev, v);
	return 0;
}

static int set_txrehash(struct socket *s, u32 v)
{
	if ((s32)v < -1 || (s32)v > 1)
		return -EINVAL;
	store_once(&s->txrehash, v != 0);
	return 0;
}

int sockopt_set(struct socket *s, int opt, u32 v)
{
	if (bit_of(opt) >= 0)
		return set_bit(s, opt, v);
	switch (opt) {
	case SO_BSDCOMPAT: /* as on Linux: it has done nothing for long */
	case SO_CNX_ADVICE:
		return 0;
	case SO_SELECT_ERR_QUEUE:
		store_once(&s->select_err, v != 0);
		return 0;
	case SO_INCOMING_CPU:
		store_once(&s->wanted_cpu, v);
		return 0;
	case SO_RCVLOWAT:
		return set_lowat(s, v);
	case SO_PEEK_OFF:
		return set_peek_off(s, v);
	case SO_BUSY_POLL:
	case SO_BUSY_POLL_BUDGET:
		return set_busy_poll(s, opt, v);
	case SO_ATTACH_BPF:
	case SO_ATTACH_REUSEPORT_EBPF:
	case SO_DEVMEM_DONTNEED:
		return set_by_fd(s, opt, v);
	case SO_ZEROCOPY:
		return set_zerocopy(s, v);
	case SO_BINDTOIFINDEX:
		return set_ifindex(s, v);
	case SO_BUF_LOCK:
		if (v & ~(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK))
			return -EINVAL;
		store_once(&s->buf_locks, v);
		return 0;
	case SO_RESERVE_MEM:
		return (s32)v < 0 ? -EINVAL : -EOPNOTSUPP;
	case SO_TXREHASH:
		return set_txrehash(s, v);
	default:
		return -ENOPROTOOPT;
	}
}

/* Bytes a second, in 4 bytes or 8; ~0: any. */
int sockopt_set_pacing(struct socket *s, uaddr_t uval, u32 len)
{
	u64 v = 0;

	if (len < sizeof(u32))
		return -EINVAL;
	if (copy_from_user(&v, uval,
			   len == sizeof(v) ? sizeof(v) : sizeof(u32)))
		return -EFAULT;
	if (len != sizeof(v) && v == ~0u)
		v = ~0ul;
	store_once(&s->pacing, v);
	return 0;
}

/* struct sock_txtime.  Nothing is ever held back: on Linux's loopback neither. */
int sockopt_set_txtime(struct socket *s, uaddr_t uval, u32 len)
{
	u32 v[2];

	if (len != sizeof(v))
		return -EINVAL;
	if (copy_from_user(v, uval, sizeof(v)))
		return -EFAULT;
	if (v[1] & ~TXTIME_FLAGS)
		return -EINVAL;
	if (v[0] != CLOCK_MONOTONIC && !may_admin(s))
		return -EPERM;
	store_once(&s->txtime, TXTIME_ON | v[1]);
	store_once(&s->txtime_clock, v[0]);
	return 0;
}

/* Numbers that no other socket has or will have. */
static u64 cookie(struct socket *s)
{
	static u64 last; /* [a] */
	u64 c = load_once(&s->cookie), none = 0;

	if (c)
		return c;
	c = atomic_add_return(&last, 1ul);
	return atomic_cmpxchg(&s->cookie, none, c) ?: c;
}

static int meminfo(struct socket *s, u32 v[9])
{
	memset(v, 0, 9 * sizeof(v[0]));
	v[0] = s->listening ? 0 : (u32)s->ops->inq(s);
	v[1] = load_once(&s->rcvbuf);
	v[3] = load_once(&s->sndbuf);
	v[8] = load_once(&s->drops);
	return 9 * sizeof(v[0]);
}

/* Options that are one word. */
static int get_word(const struct socket *s, int opt, u32 *v)
{
	int bit = bit_of(opt);

	switch (opt) {
	case SO_BSDCOMPAT:
	case SO_INCOMING_NAPI_ID:
	case SO_RESERVE_MEM:
		*v = 0;
		return 0;
	case SO_SELECT_ERR_QUEUE:
		*v = load_once(&s->select_err);
		return 0;
	case SO_BPF_EXTENSIONS:
		*v = SKF_AD_MAX;
		return 0;
	case SO_INCOMING_CPU:
		*v = load_once(&s->wanted_cpu);
		return 0;
	case SO_RCVLOWAT:
		*v = load_once(&s->lowat);
		return 0;
	case SO_SNDLOWAT:
		*v = 1;
		return 0;
	case SO_PEEK_OFF:
		*v = (u32)load_once(&s->peek_off);
		return s->ops->peek_off ? 0 : -EOPNOTSUPP;
	case SO_BUSY_POLL:
		*v = load_once(&s->busy_poll);
		return 0;
	case SO_ZEROCOPY:
		*v = load_once(&s->zerocopy);
		return 0;
	case SO_BINDTOIFINDEX:
		*v = load_once(&s->bound_dev);
		return 0;
	case SO_BUF_LOCK:
		*v = load_once(&s->buf_locks);
		return 0;
	case SO_TXREHASH:
		*v = load_once(&s->txrehash);
		return 0;
	default:
		if (bit < 0)
			return -ENOPROTOOPT;
		*v = load_once(&s->kept) >> bit & 1;
		return 0;
	}
}

int sockopt_get(struct socket *s, int opt, void *val)
{
	u32 v[2] = { 0 };
	u64 v64;
	int err;

	switch (opt) {
	case SO_MEMINFO:
		return meminfo(s, val);
	case SO_COOKIE:
	case SO_MAX_PACING_RATE:
		v64 = opt == SO_COOKIE ? cookie(s) : load_once(&s->pacing);
		memcpy(val, &v64, sizeof(v64));
		return sizeof(v64);
	case SO_TXTIME:
		v[0] = load_once(&s->txtime_clock);
		v[1] = load_once(&s->txtime) & TXTIME_FLAGS;
		memcpy(val, v, sizeof(v));
		return sizeof(v);
	default:
		err = get_word(s, opt, v);
		memcpy(val, v, sizeof(v[0]));
		return err ? err : (int)sizeof(v[0]);
	}
}

static int put_groups(const struct cred *c, uaddr_t uval, uaddr_t ulen,
		      u32 room)
{
	u32 len = c->nr_groups * (u32)sizeof(u32);

	if (room < len)
		return put_user_u32(len, ulen) ? -EFAULT : -ERANGE;
	for (u32 i = 0; i < c->nr_groups; i++) {
		if (put_user_u32(gid_shown(c->groups[i]),
				 uval + i * sizeof(u32)))
			return -EFAULT;
	}
	return put_user_u32(len, ulen);
}

int sockopt_peer_groups(struct socket *s, uaddr_t uval, uaddr_t ulen, u32 room)
{
	struct cred *c = s->family == AF_UNIX ? unix_peer_cred(s) : NULL;
	int err;

	if (!c)
		return -ENODATA;
	err = put_groups(c, uval, ulen, room);
	cred_put(c);
	return err;
}
