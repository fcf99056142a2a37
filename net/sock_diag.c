/* SPDX-License-Identifier: MIT */
/*
 * net/sock_diag.c - NETLINK_SOCK_DIAG, sock_diag(7): the sockets of a network namespace,
 * for ss(8).
 *
 * Internet sockets of TCP, UDP and UDP-Lite, and Unix-domain ones; of other families
 * and protocols Linux says ENOENT when it has no module, and so do we.  Programs that
 * choose (INET_DIAG_REQ_BYTECODE) are not run: ss chooses for itself besides.
 */
#include <net/netlink.h>

#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>
#include <net/tcp/wire.h>
#include <net/unix.h>

#define TCPDIAG_GETSOCK	    18 /* before there were families */
#define DCCPDIAG_GETSOCK    19
#define SOCK_DIAG_BY_FAMILY 20
#define SOCK_DESTROY	    21
#define DIAG_TIMER_TIMEWAIT 3

struct diag_id {
	u8 sport[2], dport[2];
	u8 src[16], dst[16];
	u32 interface;
	u32 cookie[2];
};
struct inet_req {
	u8 family, proto, ext, pad;
	u32 states;
	struct diag_id id;
};
struct inet_msg {
	u8 family, state, timer, retrans;
	struct diag_id id;
	u32 expires, rqueue, wqueue, uid, inode;
};
STATIC_ASSERT(sizeof(struct inet_msg) == 72, "Linux's struct inet_diag_msg");

enum {
	INET_DIAG_MEMINFO = 1,
	INET_DIAG_INFO = 2,
	INET_DIAG_CONG = 4,
	INET_DIAG_SKMEMINFO = 7,
	INET_DIAG_SHUTDOWN = 8,
	INET_DIAG_SKV6ONLY = 11,
};

struct listing {
	struct nl_out *o;
	const struct nlmsghdr *req;
	u16 flags;
	u32 found;
};

static void put_ip(u8 *to, const struct inet_ep *ep, bool v4)
{
	memcpy(to, v4 ? ep->ip + 12 : ep->ip, v4 ? 4 : 16);
}

/* The addresses of a connection; @remote: NULL, it has none. */
static void put_ends(struct diag_id *id, const struct inet_ep *local,
		     const struct inet_ep *remote, bool v4)
{
	id->sport[0] = (u8)(local->port >> 8);
	id->sport[1] = (u8)local->port;
	put_ip(id->src, local, v4);
	if (!remote)
		return;
	id->dport[0] = (u8)(remote->port >> 8);
	id->dport[1] = (u8)remote->port;
	put_ip(id->dst, remote, v4);
}

static void fill_id(const struct inet_sock *is, struct diag_id *id)
{
	bool v4 = is->s.family == AF_INET;
	bool connected =
		is->state == INET_CONNECTED || is->state == INET_CONNECTING;

	put_ends(id, &is->local, connected ? &is->remote : NULL, v4);
	id->cookie[0] = (u32)is->s.ino;
	id->cookie[1] = (u32)(is->s.ino >> 32);
}

static u8 state_of(const struct inet_sock *is)
{
	if (is->proto == IPPROTO_TCP)
		return (u8)inet_tcp_state(is);
	return is->state == INET_CONNECTED ? 1 : 7;
}

/* What was asked for besides. */
static void put_more(struct nl_out *o, const struct inet_sock *is, u8 ext)
{
	u32 mem[9] = { (u32)load_once(&is->queued), load_once(&is->s.rcvbuf), 0,
		       load_once(&is->s.sndbuf) };
	u8 shut = (u8)load_once(&is->shut), v6only = is->v6only;
	u8 info[TCP_INFO_SIZE];

	nl_attr(o, INET_DIAG_SHUTDOWN, &shut, 1);
	if (is->s.family == AF_INET6)
		nl_attr(o, INET_DIAG_SKV6ONLY, &v6only, 1);
	if (ext & 1u << (INET_DIAG_SKMEMINFO - 1))
		nl_attr(o, INET_DIAG_SKMEMINFO, mem, sizeof(mem));
	if (is->proto != IPPROTO_TCP)
		return;
	if (ext & 1u << (INET_DIAG_INFO - 1)) {
		inet_tcp_info_locked(is, info);
		nl_attr(o, INET_DIAG_INFO, info, sizeof(info));
	}
	if (ext & 1u << (INET_DIAG_CONG - 1))
		nl_attr(o, INET_DIAG_CONG, "cubic", 6);
}

static bool same_ends(const struct diag_id *a, const struct diag_id *b)
{
	return !memcmp(a->sport, b->sport, 2) &&
	       !memcmp(a->dport, b->dport, 2) && !memcmp(a->src, b->src, 16) &&
	       !memcmp(a->dst, b->dst, 16);
}

static bool matches(const struct inet_sock *is, const struct inet_req *r,
		    bool one)
{
	struct diag_id id = { 0 };

	if (is->s.family != r->family || is->proto != r->proto)
		return false;
	if (!one)
		return r->states >> state_of(is) & 1;
	fill_id(is, &id);
	return same_ends(&id, &r->id);
}

static void put_inet(struct inet_sock *is, void *arg)
{
	struct listing *l = arg;
	const struct inet_req *r = (const void *)(l->req + 1);
	struct nlmsghdr *h;
	struct inet_msg *m;

	if (is->proto == IPPROTO_TCP && is->state == INET_IDLE)
		return; /* no connection, only a port */
	if (!matches(is, r, !l->flags) || (!l->flags && l->found))
		return;
	h = nl_begin(l->o, l->req, SOCK_DIAG_BY_FAMILY, l->flags);
	m = h ? nl_room(l->o, sizeof(*m)) : NULL;
	if (!m)
		return;
	m->family = r->family;
	m->state = state_of(is);
	fill_id(is, &m->id);
	m->rqueue = is->state == INET_LISTEN ? is->nr_backlog
					     : (u32)load_once(&is->bytes);
	m->wqueue = is->state == INET_LISTEN ? is->max_backlog
					     : tcp_wire_unacked(is);
	m->uid = uid_shown(is->uid);
	m->inode = is->dead ? 0 : (u32)is->s.ino;
	put_more(l->o, is, r->ext);
	nl_end(l->o, h);
	l->found++;
}

/* What is left of a connection is no socket any more. */
static void put_wait(const struct tcp_wait_info *i, void *arg)
{
	struct listing *l = arg;
	const struct inet_req *r = (const void *)(l->req + 1);
	struct diag_id id = { .cookie = { ~0u, ~0u } };
	struct nlmsghdr *h;
	struct inet_msg *m;

	put_ends(&id, &i->local, &i->remote, i->family == AF_INET);
	if (i->family != r->family ||
	    !(l->flags ? r->states >> TCP_TIME_WAIT_STATE & 1
		       : !l->found && same_ends(&id, &r->id)))
		return;
	h = nl_begin(l->o, l->req, SOCK_DIAG_BY_FAMILY, l->flags);
	m = h ? nl_room(l->o, sizeof(*m)) : NULL;
	if (!m)
		return;
	m->family = r->family;
	m->state = TCP_TIME_WAIT_STATE;
	m->timer = DIAG_TIMER_TIMEWAIT;
	m->expires = (u32)(i->left_ns / NSEC_PER_MSEC);
	m->id = id;
	nl_end(l->o, h);
	l->found++;
}

static int inet_request(struct net_ns *net, struct listing *l, u32 len)
{
	const struct inet_req *r = (const void *)(l->req + 1);

	if (len < sizeof(*l->req) + sizeof(*r))
		return -EINVAL;
	if (r->proto != IPPROTO_TCP && r->proto != IPPROTO_UDP &&
	    r->proto != IPPROTO_UDPLITE)
		return -ENOENT;
	inet_for_each(net, put_inet, l);
	if (r->proto == IPPROTO_TCP)
		tcp_wait_for_each(net, put_wait, l);
	return l->flags || l->found ? 0 : -ENOENT;
}

/* --- Unix-domain sockets */

struct unix_req {
	u8 family, proto;
	u16 pad;
	u32 states, ino, show, cookie[2];
};
struct unix_msg_out {
	u8 family, type, state, pad;
	u32 ino, cookie[2];
};

enum {
	UNIX_DIAG_NAME = 0,
	UNIX_DIAG_PEER = 2,
	UNIX_DIAG_RQLEN = 4,
	UNIX_DIAG_SHUTDOWN = 6,

	UDIAG_SHOW_NAME = 1,
	UDIAG_SHOW_PEER = 4,
	UDIAG_SHOW_RQLEN = 16,
};

static u8 unix_state(const struct unix_sock *us)
{
	if (us->s.listening)
		return 10;
	return us->state == UNIX_CONNECTED ? 1 : 7;
}

static void put_unix_name(struct nl_out *o, const struct unix_sock *us)
{
	const struct sock_addr *a = us->name ? &us->name->addr : NULL;
	char raw[UNIX_PATH_MAX + 1] = "";

	if (!a)
		return;
	memcpy(raw + a->abstract, a->name, a->len);
	nl_attr(o, UNIX_DIAG_NAME, raw, (u32)a->len + a->abstract);
}

static void put_unix(struct unix_sock *us, void *arg)
{
	struct listing *l = arg;
	const struct unix_req *r = (const void *)(l->req + 1);
	u32 len[2] = { us->s.listening ? us->nr_backlog
				       : (u32)load_once(&us->bytes),
		       us->s.listening ? us->max_backlog : 0 };
	u8 shut = (u8)load_once(&us->shut);
	struct unix_msg_out *m;
	struct nlmsghdr *h;

	if (l->flags ? !(r->states >> unix_state(us) & 1)
		     : (u32)us->s.ino != r->ino || l->found)
		return;
	h = nl_begin(l->o, l->req, SOCK_DIAG_BY_FAMILY, l->flags);
	m = h ? nl_room(l->o, sizeof(*m)) : NULL;
	if (!m)
		return;
	m->family = AF_UNIX;
	m->type = (u8)us->s.type;
	m->state = unix_state(us);
	m->ino = m->cookie[0] = (u32)us->s.ino;
	if (r->show & UDIAG_SHOW_NAME)
		put_unix_name(l->o, us);
	if (r->show & UDIAG_SHOW_PEER && us->peer)
		nl_attr32(l->o, UNIX_DIAG_PEER, (u32)us->peer->s.ino);
	if (r->show & UDIAG_SHOW_RQLEN)
		nl_attr(l->o, UNIX_DIAG_RQLEN, len, sizeof(len));
	nl_attr(l->o, UNIX_DIAG_SHUTDOWN, &shut, 1);
	nl_end(l->o, h);
	l->found++;
}

static int unix_request(struct net_ns *net, struct listing *l, u32 len)
{
	if (len < sizeof(*l->req) + sizeof(struct unix_req))
		return -EINVAL;
	unix_for_each(net, put_unix, l);
	return l->flags || l->found ? 0 : -ENOENT;
}

int sock_diag_request(struct net_ns *net, struct nl_out *o,
		      const struct nlmsghdr *req, u32 len, bool dump)
{
	struct listing l = { .o = o,
			     .req = req,
			     .flags = dump ? NLM_F_MULTI : 0 };
	u8 family;

	if (req->type == TCPDIAG_GETSOCK || req->type == DCCPDIAG_GETSOCK)
		return -EOPNOTSUPP;
	if (req->type != SOCK_DIAG_BY_FAMILY && req->type != SOCK_DESTROY)
		return -EINVAL;
	if (len < sizeof(*req) + 2)
		return -EINVAL;
	family = *(const u8 *)(req + 1);
	if (req->type == SOCK_DESTROY)
		return -EOPNOTSUPP;
	if (family == AF_INET || family == AF_INET6)
		return inet_request(net, &l, len);
	return family == AF_UNIX ? unix_request(net, &l, len) : -ENOENT;
}
