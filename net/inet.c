/* SPDX-License-Identifier: MIT */
/*
 * net/inet.c - internet sockets: their life, names and readiness.
 *
 * Not here: streams (tcp.c, tcp_data.c), datagrams (udp.c), options (inet_opt.c).
 */
#include <net/inet.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/domain.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/ip.h>
#include <net/netdev.h>
#include <net/route/route_int.h>
#include <net/tcp/wire.h>

static const struct socket_ops tcp_ops, udp_ops;

struct inet_sock *inet_get(struct inet_sock *is)
{
	atomic_inc(&is->refs);
	return is;
}

void inet_put(struct inet_sock *is)
{
	if (!is || !atomic_dec_and_test(&is->refs))
		return;
	KASSERT(is->dead && !is->peer && !is->bound && !is->target);
	KASSERT(list_empty(&is->queue));
	if (unlikely(is->conn))
		tcp_wire_put(is->conn);
	socket_fini(&is->s);
	kfree(is);
}

struct inet_sock *inet_get_peer(struct inet_sock *is)
{
	struct inet_sock *peer;

	spin_lock(&inet_lock);
	peer = is->peer ? inet_get(is->peer) : NULL;
	spin_unlock(&inet_lock);
	return peer;
}

struct inet_sock *inet_alloc(struct net_ns *net, u16 family, u16 type, u8 proto)
{
	struct inet_sock *is = kzalloc(sizeof(*is));

	if (!is)
		return NULL;
	socket_init(&is->s,
		    type == SOCK_RAW	   ? &raw_ops
		    : proto == IPPROTO_TCP ? &tcp_ops
					   : &udp_ops,
		    family, type, net);
	is->s.protocol = proto;
	is->refs = 1;
	is->proto = proto;
	list_init(&is->backlog);
	list_init(&is->pending);
	list_init(&is->backlog_node);
	list_init(&is->port_node);
	spin_init(&is->lock, "inet_queue", RANK_PIPE);
	list_init(&is->queue);
	list_init(&is->errors);
	mutex_init(&is->rd_mutex);
	is->ttl = 64;
	is->mcast_ttl = is->mcast_hops = 1;
	is->keepidle = 7200;
	is->keepintvl = 75;
	is->keepcnt = 9;
	is->syncnt = 6;
	is->linger2 = 60;
	is->mtu_discover = is->mtu_discover6 = 1;
	if (family == AF_INET)
		is->local.ip[10] = is->local.ip[11] = 0xff;
	is->remote = is->local;
	is->s.txrehash = true;
	is->uid = current_cred()->euid;
	return is;
}

void inet_wake_all(struct inet_sock *is)
{
	wake_up_all(&is->s.rd_wq);
	wake_up_all(&is->s.wr_wq);
}

void inet_buf_free(struct inet_buf *b)
{
	if (b->frame)
		netbuf_free(b->frame);
	else
		kfree(b);
}

void inet_purge(struct inet_sock *is)
{
	struct list_head list;

	list_init(&list);
	spin_lock(&is->lock);
	list_splice_tail_init(&is->queue, &list);
	is->queued = is->bytes = 0;
	is->oob = OOB_NONE;
	spin_unlock(&is->lock);
	while (!list_empty(&list)) {
		struct inet_buf *b =
			list_first_entry(&list, struct inet_buf, node);

		list_del(&b->node);
		inet_buf_free(b);
	}
}

int inet_may(const struct socket *s, const struct inet_ep *ep, u32 what)
{
	return s->type == SOCK_STREAM ? domain_port(ep->port, what) : 0;
}

/* May a socket have that address?  Before there has been any, it may have all of IPv4, as
 * on Linux. */
bool inet_may_have(const struct net_ns *net, const struct inet_ep *ep)
{
	if (inet_is_any(ep))
		return true;
	if (inet_is_multicast(ep))
		return true;
	if (load_once(&net->wired) && !inet_is_loopback(ep))
		return inet_is_local(net, ep) || inet_is_broadcast(ep) ||
		       route_input_type(net, ep->ip) == ROUTE_BROADCAST;
	if (inet_is_v4(ep))
		return inet_is_loopback(ep) || inet_is_broadcast(ep) ||
		       !load_once(&net->lo_has_addr);
	return inet_is_loopback(ep) && load_once(&net->lo_up);
}

static int inet_bind(struct socket *s, struct sock_addr *addr)
{
	struct inet_sock *is = to_inet(s);
	bool unspec = addr->family == AF_UNSPEC && s->family == AF_INET;
	struct inet_ep ep;
	u32 dev = 0;
	int err;

	if (unspec)
		addr->family = AF_INET;
	err = inet_addr_own(is, addr, &ep);
	if (!err && unspec && !inet_is_any(&ep))
		err = -EAFNOSUPPORT;
	if (!err)
		err = inet_may(s, &ep, LANDLOCK_NET_BIND_TCP);
	if (err)
		return err;
	if (s->family == AF_INET6 && is->v6only && inet_is_v4(&ep))
		return -EINVAL;
	err = inet_check_bind(is, &ep, &dev);
	if (err)
		return err;
	if (dev)
		store_once(&s->bound_dev, dev);
	spin_lock(&inet_lock);
	err = is->state == INET_IDLE ? inet_bind_locked(is, &ep) : -EINVAL;
	spin_unlock(&inet_lock);
	return err;
}

int inet_name(struct socket *s, bool of_peer, struct sock_addr *out)
{
	struct inet_sock *is = to_inet(s);
	int err = 0;

	spin_lock(&inet_lock);
	if (of_peer && is->state != INET_CONNECTED)
		err = -ENOTCONN;
	else
		inet_addr_out(is, of_peer ? &is->remote : &is->local, out);
	spin_unlock(&inet_lock);
	return err;
}

int inet_peer_creds(struct socket *s __unused, struct sock_creds *out)
{
	*out = (struct sock_creds){ 0, ~0u, ~0u };
	return 0;
}

u32 inet_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct inet_sock *is = to_inet(s);

	poll_wait(pt, f, &s->rd_wq);
	poll_wait(pt, f, &s->wr_wq);
	return inet_is_stream(is) ? tcp_poll_bits(is) : udp_poll_bits(is);
}

u64 inet_inq(struct socket *s)
{
	struct inet_sock *is = to_inet(s);
	u64 n;

	spin_lock(&is->lock);
	n = is->bytes;
	if (!inet_is_stream(is) && !list_empty(&is->queue))
		n = list_first_entry(&is->queue, struct inet_buf, node)->len;
	spin_unlock(&is->lock);
	return n;
}

/* What was sent is at the receiver at once. */
void inet_release(struct socket *s)
{
	struct inet_sock *is = to_inet(s);

	if (inet_is_stream(is))
		tcp_close(is);
	else if (s->type == SOCK_RAW)
		raw_release(is);
	spin_lock(&inet_lock);
	store_once(&is->dead, true);
	if (!is->lingers)
		inet_unbind_locked(is);
	spin_unlock(&inet_lock);
	inet_purge(is);
	inet_drop_errors(is);
	if (!inet_is_stream(is)) {
		inet_leave_all(is);
		kfree(is->begun);
	}
	inet_wake_all(is);
	inet_put(is);
}

int udp_shutdown(struct socket *s, u32 how)
{
	struct inet_sock *is = to_inet(s);

	if (load_once(&is->state) != INET_CONNECTED)
		return -ENOTCONN;
	(void)atomic_fetch_or(&is->shut, how);
	inet_wake_all(is);
	return 0;
}

struct spinlock *inet_queue_lock(struct socket *s)
{
	return &to_inet(s)->lock;
}

static const struct socket_ops tcp_ops = {
	.bind = inet_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.send = tcp_send,
	.recv = tcp_recv,
	.shutdown = tcp_shutdown,
	.name = inet_name,
	.peer_creds = inet_peer_creds,
	.poll = inet_poll,
	.inq = inet_inq,
	.outq = tcp_outq,
	.release = inet_release,
	.setopt = inet_setopt,
	.getopt = inet_getopt,
	.ioctl = tcp_ioctl,
	.set_lowat = tcp_set_lowat,
	.changed = tcp_changed,
	.peek_off = true,
};

static const struct socket_ops udp_ops = {
	.bind = inet_bind,
	.connect = udp_connect,
	.listen = sock_no_listen,
	.accept = sock_no_accept,
	.send = udp_send,
	.recv = udp_recv,
	.shutdown = udp_shutdown,
	.name = inet_name,
	.peer_creds = inet_peer_creds,
	.poll = inet_poll,
	.inq = inet_inq,
	.outq = sock_no_outq,
	.release = inet_release,
	.queue_lock = inet_queue_lock,
	.setopt = inet_setopt,
	.getopt = inet_getopt,
	.ioctl = netdev_ioctl,
	.peek_off = true,
};

static int default_proto(int type)
{
	return type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

static bool known_proto(int family, int type, int protocol)
{
	if (protocol == default_proto(type))
		return true;
	return type == SOCK_DGRAM &&
	       (protocol == IPPROTO_UDPLITE ||
		protocol ==
			(family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6));
}

#define IPPROTO_MAX 263 /* behind IPPROTO_MPTCP */

static struct socket *create_raw(int family, int protocol)
{
	if (!protocol || protocol > IPPROTO_RAW)
		return ERR_PTR(-EPROTONOSUPPORT);
	if (!net_capable(current_net_ns(), CAP_NET_RAW))
		return ERR_PTR(-EPERM);
	return raw_create((u16)family, (u8)protocol);
}

static bool may_ping(void)
{
	const struct cred *c = current_cred();
	u32 low = load_once(&current_net_ns()->ctl.ping_low);
	u32 high = load_once(&current_net_ns()->ctl.ping_high);

	if (c->egid >= low && c->egid <= high)
		return true;
	for (u32 i = 0; i < c->nr_groups; i++) {
		if (c->groups[i] >= low && c->groups[i] <= high)
			return true;
	}
	return false;
}

struct socket *inet_create(int family, int type, int protocol)
{
	struct inet_sock *is;

	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return ERR_PTR(-EINVAL);
	if (type == SOCK_RAW)
		return create_raw(family, protocol);
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	if (!protocol)
		protocol = default_proto(type);
	if (!known_proto(family, type, protocol))
		return ERR_PTR(-EPROTONOSUPPORT);
	if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) &&
	    !may_ping())
		return ERR_PTR(-EACCES);
	is = inet_alloc(current_net_ns(), (u16)family, (u16)type, (u8)protocol);
	return is ? &is->s : ERR_PTR(-ENOMEM);
}
