/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockopt.c - options of SOL_SOCKET that nothing depends on where packets are never
 * queued, paced or summed: they are kept; and facts about a socket.
 */
#include <syscall/sockopt.h>

#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

enum {
	SO_DEBUG = 1,
	SO_NO_CHECK = 11,
	SO_BSDCOMPAT = 14,
	SO_PASSSEC = 34,
	SO_SELECT_ERR_QUEUE = 45,
	SO_BPF_EXTENSIONS = 48,
	SO_INCOMING_CPU = 49,
	SO_MEMINFO = 55,
	SO_INCOMING_NAPI_ID = 56,
	SO_COOKIE = 57,
};
#define SKF_AD_MAX 64u

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
	default:
		return -ENOPROTOOPT;
	}
}

int sockopt_set(struct socket *s, int opt, u32 v)
{
	int bit = bit_of(opt);

	if (opt == SO_DEBUG && v && !net_capable(s->net, CAP_NET_ADMIN))
		return -EACCES;
	if (bit >= 0) {
		if (v)
			(void)atomic_fetch_or(&s->kept, 1u << bit);
		else
			(void)atomic_fetch_and(&s->kept, ~(1u << bit));
		return 0;
	}
	switch (opt) {
	case SO_BSDCOMPAT:
		return 0; /* as on Linux: it has done nothing for long */
	case SO_SELECT_ERR_QUEUE:
		store_once(&s->select_err, v != 0);
		return 0;
	case SO_INCOMING_CPU:
		store_once(&s->wanted_cpu, v);
		return 0;
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
	return 9 * sizeof(v[0]);
}

int sockopt_get(struct socket *s, int opt, void *val)
{
	int bit = bit_of(opt);
	u64 v64;
	u32 v;

	switch (opt) {
	case SO_MEMINFO:
		return meminfo(s, val);
	case SO_COOKIE:
	case SO_MAX_PACING_RATE:
		v64 = opt == SO_COOKIE ? cookie(s) : load_once(&s->pacing);
		memcpy(val, &v64, sizeof(v64));
		return sizeof(v64);
	case SO_BSDCOMPAT:
	case SO_INCOMING_NAPI_ID:
		v = 0;
		break;
	case SO_SELECT_ERR_QUEUE:
		v = load_once(&s->select_err);
		break;
	case SO_BPF_EXTENSIONS:
		v = SKF_AD_MAX;
		break;
	case SO_INCOMING_CPU:
		v = load_once(&s->wanted_cpu);
		break;
	default:
		if (bit < 0)
			return -ENOPROTOOPT;
		v = load_once(&s->kept) >> bit & 1;
	}
	memcpy(val, &v, sizeof(v));
	return sizeof(v);
}
