/* SPDX-License-Identifier: MIT */
/*
 * net/udp.c - datagrams: from one socket into the queue of another.
 *
 * What nobody takes is lost; a sender that is connected, or wants to know (IP_RECVERR),
 * learns of it by ECONNREFUSED at its next call.  A full queue loses datagrams too, without a word.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/filter.h>
#include <net/netdev.h>
#include <net/route/wire.h>

#define UDP_MAX4 65507u /* 65535 less the headers */
#define UDP_MAX6 65527u

static u32 cost_of(const struct inet_buf *b)
{
	return b->cap + (u32)sizeof(*b);
}

/* A group or a broadcast address?  Cheap for those that are not. */
static bool for_many(const struct inet_ep *ep)
{
	u8 net = ep->ip[12]; /* of IPv4; of ::1 it is 0 */

	if (likely(net == 127))
		return ep->ip[13] == 255 && inet_is_broadcast(ep);
	if (unlikely(ep->ip[0] == 0xff))
		return true;
	return net && (inet_is_multicast(ep) || inet_is_broadcast(ep));
}

int inet_target(struct inet_sock *is, const struct sock_addr *a,
		struct inet_ep *ep)
{
	int err = inet_addr_in(is, a, ep);

	if (err)
		return err;
	if (is->s.family == AF_INET6 && is->v6only && inet_is_v4(ep))
		return -ENETUNREACH;
	inet_any_to_loopback(ep);
	return 0;
}

/* As inet_reach(), and quick where it is this machine. */
static int reach(struct inet_sock *is, const struct sock_msg *m,
		 struct inet_ep *ep, u8 src[16])
{
	if (unlikely(!inet_is_loopback(ep) || for_many(ep) ||
		     load_once(&is->s.bound_dev) > LOOPBACK_INDEX))
		return inet_reach(is, m, ep, src);
	if (!load_once(&is->s.net->lo_up))
		return -ENETUNREACH;
	return 0;
}

int udp_connect(struct socket *s, const struct sock_addr *addr,
		bool nonblock __unused)
{
	struct inet_sock *is = to_inet(s);
	struct inet_ep ep, way;
	int err;

	if (addr->family == AF_UNSPEC) {
		spin_lock(&inet_lock);
		is->state = INET_IDLE;
		inet_forget_locked(is);
		spin_unlock(&inet_lock);
		return 0;
	}
	err = inet_target(is, addr, &ep);
	way = ep;
	if (!err)
		err = reach(is, NULL, &way, NULL);
	if (err)
		return err;
	inet_bind_scope(is, &ep);
	spin_lock(&inet_lock);
	err = inet_autobind_locked(is, &ep);
	if (!err) {
		is->remote = ep;
		is->state = INET_CONNECTED;
	}
	spin_unlock(&inet_lock);
	return err;
}

/* --- sending */

static struct inet_buf *new_buf(struct iov_iter *it, u32 len)
{
	struct inet_buf *b = kmalloc(sizeof(*b) + len);

	if (!b)
		return ERR_PTR(-ENOBUFS);
	list_init(&b->node);
	b->frame = NULL;
	b->off = 0;
	b->segment = 0;
	b->peeked = false;
	b->len = b->cap = len;
	if (copy_from_iter(b->data, len, it) == len)
		return b;
	kfree(b);
	return ERR_PTR(-EFAULT);
}

/* An address without a family is IPv4's to an IPv4 socket; to others, none at all. */
static int vague_target(struct inet_sock *is, const struct sock_addr *a,
			struct inet_ep *ep)
{
	struct sock_addr as = *a;

	as.family = AF_INET;
	return inet_target(is, &as, ep);
}

int inet_route(struct inet_sock *is, const struct sock_msg *m,
	       struct inet_ep *to, struct inet_ep *from)
{
	const struct sock_addr *dst = m->to;
	bool vague = dst && dst->family == AF_UNSPEC;
	u8 src[16] = { 0 };
	int err = 0;

	if (unlikely(vague) && is->s.family == AF_INET6)
		dst = NULL;
	else if (unlikely(vague))
		err = vague_target(is, dst, to);
	else if (dst)
		err = inet_target(is, dst, to);
	if (err)
		return err;
	spin_lock(&inet_lock);
	if (!dst && is->state != INET_CONNECTED)
		err = -EDESTADDRREQ;
	else if (!dst)
		*to = is->remote;
	if (!err && is->s.type != SOCK_RAW)
		err = inet_autobind_locked(is, NULL);
	*from = is->local;
	spin_unlock(&inet_lock);
	if (!err)
		err = reach(is, m, to, src);
	if (unlikely(m->tx.src_set) && !err) {
		memcpy(from->ip, m->tx.src, sizeof(from->ip));
		if (!inet_is_local(is->s.net, from) ||
		    inet_is_v4(from) != inet_is_v4(to))
			err = inet_is_v4(to) ? -ENETUNREACH : -EINVAL;
	}
	if (!err && inet_is_any(from)) {
		if (to->scope)
			memcpy(from->ip, src, sizeof(src));
		else
			inet_source(is, to, from);
		if (is->mcast_if == LOOPBACK_INDEX && for_many(to))
			inet_mc_source(is, from);
	}
	return err;
}

static int route(struct inet_sock *is, const struct sock_msg *m,
		 struct inet_ep *to, struct inet_ep *from)
{
	int err = inet_route(is, m, to, from);

	return err || to->port || is->proto == IPPROTO_ICMP ||
			       is->proto == IPPROTO_ICMPV6
		       ? err
		       : -EINVAL;
}

/* A filter sees the headers too, of UDP as its own, of IP in front of it. */
static bool filter(const struct inet_sock *to, struct inet_buf *b)
{
	bool raw = to->s.type == SOCK_RAW, v4 = inet_is_v4(&b->to);
	bool udp = !raw && to->proto != IPPROTO_ICMP &&
		   to->proto != IPPROTO_ICMPV6;
	u32 udp_len = udp ? UDP_HEADER : 0, keep;
	u8 ip[IP6_HEADER], head[UDP_HEADER] = { 0 };
	struct cbpf_packet p = { .protocol = v4 ? 0x800 : 0x86dd };

	if (!raw || !v4) /* else it is there already */
		p.start = ip_header(to->proto, b, ip, b->len + udp_len);
	put_be16(head, b->from.port);
	put_be16(head + 2, b->to.port);
	put_be16(head + 4, UDP_HEADER + b->len);
	p.part[0].p = ip;
	p.part[0].len = p.start;
	p.part[1].p = head;
	p.part[1].len = udp_len;
	p.part[2].p = b->data;
	p.part[2].len = b->len;
	if (!sock_filter_run(&to->s, &p, &keep))
		return false;
	b->len = max(keep, udp_len) - udp_len;
	return true;
}

bool udp_enqueue(struct inet_sock *to, struct inet_buf *b)
{
	bool ok;

	spin_lock(&to->lock);
	ok = !load_once(&to->dead) &&
	     (likely(!to->s.filter) || filter(to, b)) &&
	     (!to->queued ||
	      to->queued + cost_of(b) <= load_once(&to->s.rcvbuf));
	if (ok) {
		b->stamp_ns = socket_stamp(&to->s);
		b->drops = to->s.drops;
		list_add_tail(&b->node, &to->queue);
		store_once(&to->queued, to->queued + cost_of(b));
		store_once(&to->bytes, to->bytes + b->len);
	} else {
		store_once(&to->s.drops, to->s.drops + 1);
	}
	spin_unlock(&to->lock);
	if (ok)
		wake_up_all_key(&to->s.rd_wq, POLLIN | POLLRDNORM);
	return ok;
}

/* Who takes what comes for b->to, with a reference, or NULL. */
static struct inet_sock *receiver(const struct net_ns *net, u8 proto,
				  const struct inet_buf *b)
{
	struct inet_sock *to;

	spin_lock(&inet_lock);
	to = inet_find_locked(net, proto, &b->to, &b->from, b);
	if (to)
		inet_get(to);
	spin_unlock(&inet_lock);
	return to;
}

static void count(struct net_ns *net, enum net_stat of4,
		  const struct inet_buf *b)
{
	net_count(net, of4 + !inet_is_v4(&b->to), 1);
}

static void give(struct inet_sock *to, struct inet_buf *b)
{
	struct net_ns *net = to->s.net;
	bool six = !inet_is_v4(&b->to), ok = udp_enqueue(to, b);

	if (!ok)
		kfree(b);
	net_count(net, (ok ? NET_UDP_TAKEN : NET_UDP_FULL) + six, 1);
	inet_put(to);
}

void udp_deliver(struct net_ns *net, u8 proto, struct inet_buf *b)
{
	struct inet_sock *to = receiver(net, proto, b);

	if (to)
		give(to, b);
	else
		kfree(b);
}

static void refused(struct inet_sock *is, const struct inet_buf *b)
{
	bool v4 = inet_is_v4(&b->to);

	inet_post_error(is, b, ECONNREFUSED, v4 ? ICMP_UNREACH : ICMP6_UNREACH,
			v4 ? ICMP_UNREACH_PORT : ICMP6_UNREACH_PORT);
}

static void flood(struct inet_sock *is, struct inet_buf *b)
{
	if (ip_tapped(is->s.net))
		ip_tap_datagram(is->s.net, is->proto, b, false);
	inet_flood(is->s.net, is->proto, b);
	kfree(b);
}

bool udp_take(struct net_ns *net, u8 proto, struct inet_buf *b)
{
	struct inet_sock *to = receiver(net, proto, b);

	if (to)
		give(to, b);
	return to;
}

int udp_transmit(struct inet_sock *is, struct inet_buf *b)
{
	struct inet_sock *to;

	count(is->s.net, NET_UDP_SENT, b);
	if (b->to.scope)
		return udp_wire_send(is, b);
	netdev_count(is->s.net, inet_is_v4(&b->to), UDP_HEADER + b->len);
	if (unlikely(for_many(&b->to))) {
		flood(is, b);
		return 0;
	}
	to = receiver(is->s.net, is->proto, b);
	if (ip_tapped(is->s.net))
		ip_tap_datagram(is->s.net, is->proto, b, !to);
	if (to) {
		give(to, b);
		return 0;
	}
	count(is->s.net, NET_UDP_NO_PORT, b);
	refused(is, b);
	kfree(b);
	return 0;
}

bool udp_input(struct net_ns *net, u8 proto, const struct inet_buf *p)
{
	u32 len = p->len >= UDP_HEADER ? get_be16(p->data + 4) : 0;
	struct inet_sock *to;
	struct inet_buf *b;

	if (len < UDP_HEADER || len > p->len)
		return true; /* broken: nobody hears of it */
	b = ip_alloc(len - UDP_HEADER);
	if (!b)
		return true;
	b->from = p->from;
	b->to = p->to;
	b->from.port = (u16)get_be16(p->data);
	b->to.port = (u16)get_be16(p->data + 2);
	b->hops = p->hops;
	b->class = p->class;
	memcpy(b->data, p->data + UDP_HEADER, b->len);
	to = receiver(net, proto, b);
	if (to)
		give(to, b);
	else
		kfree(b);
	if (!to)
		count(net, NET_UDP_NO_PORT, p);
	return to;
}

void inet_mark(const struct inet_sock *is, const struct sock_msg *m,
	       struct inet_buf *b)
{
	bool six = !inet_is_v4(&b->to);

	if (m->hops)
		b->hops = (u8)(m->hops - 1);
	else if (unlikely(for_many(&b->to)) && inet_is_multicast(&b->to))
		b->hops = six ? is->mcast_hops : is->mcast_ttl;
	else
		b->hops = (u8)(six ? is->hops ? is->hops - 1 : 64 : is->ttl);
	b->mark = unlikely(m->tx.mark_set) ? m->tx.mark : is->s.mark;
	if (m->class)
		b->class = (u8)(m->class - 1);
	else
		b->class = six ? is->tclass : is->tos;
}

struct inet_buf *udp_read_datagram(struct inet_sock *is, struct sock_msg *m,
				   const struct inet_buf *before)
{
	size_t len = iov_iter_count(m->it), had = before ? before->len : 0;
	struct inet_ep to, from;
	struct inet_buf *b;
	int err = before ? 0 : route(is, m, &to, &from);

	if (err)
		return ERR_PTR(err);
	if (before) {
		to = before->to;
		from = before->from;
	}
	if (had + len > (inet_is_v4(&to) ? UDP_MAX4 : UDP_MAX6))
		return ERR_PTR(-EMSGSIZE);
	b = new_buf(m->it, (u32)len);
	if (IS_ERR(b))
		return b;
	b->from = from;
	b->to = to;
	inet_mark(is, m, b);
	return b;
}

bool udp_give_whole(struct inet_sock *is, struct inet_buf *b)
{
	struct inet_sock *to =
		b->to.scope ? NULL : receiver(is->s.net, is->proto, b);
	bool whole = to && load_once(&to->gro) && !ip_tapped(is->s.net);

	if (whole)
		give(to, b);
	else
		inet_put(to);
	return whole;
}

s64 udp_send(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = to_inet(s);
	size_t len = iov_iter_count(m->it);
	struct inet_ep to, from;
	struct inet_buf *b;
	s64 err = socket_take_error(s);

	if (err)
		return err;
	if (load_once(&is->shut) & SHUT_WR)
		return -EPIPE;
	if (unlikely((m->flags & (MSG_OOB | MSG_MORE | MSG_ZEROCOPY)) ||
		     m->segment || load_once(&is->slow_send))) {
		if (m->flags & MSG_ZEROCOPY)
			return inet_send_zerocopy(is, m, udp_send);
		if (m->flags & MSG_OOB)
			return -EOPNOTSUPP;
		if (is->proto == IPPROTO_UDP || is->proto == IPPROTO_UDPLITE)
			return udp_send_slow(is, m);
	}
	err = route(is, m, &to, &from);
	if (err)
		return err;
	if (len > (inet_is_v4(&to) ? UDP_MAX4 : UDP_MAX6))
		return -EMSGSIZE;
	b = new_buf(m->it, (u32)len);
	if (IS_ERR(b))
		return PTR_ERR(b);
	b->from = from;
	b->to = to;
	inet_mark(is, m, b);
	inet_stamp_sent(is, m, b);
	if (is->proto != IPPROTO_ICMP && is->proto != IPPROTO_ICMPV6) {
		err = udp_transmit(is, b);
		return err ? err : (s64)len;
	}
	err = icmp_prepare(is, b);
	if (!err)
		err = ip_transmit(s->net, is, is->proto, b);
	else
		kfree(b);
	return err ? err : (s64)len;
}

/* --- receiving; rd_mutex held */

static struct inet_buf *first(struct inet_sock *is)
{
	struct inet_buf *b;

	spin_lock(&is->lock);
	b = list_first_entry_or_null(&is->queue, struct inet_buf, node);
	spin_unlock(&is->lock);
	return b;
}

static void drop(struct inet_sock *is, struct inet_buf *b)
{
	spin_lock(&is->lock);
	list_del(&b->node);
	store_once(&is->queued, is->queued - cost_of(b));
	store_once(&is->bytes, is->bytes - b->len);
	spin_unlock(&is->lock);
	kfree(b);
}

/* What a peek with SO_PEEK_OFF looks at, from *@off on; or NULL. */
static struct inet_buf *peek_at(struct inet_sock *is, u32 *off)
{
	struct inet_buf *b, *found = NULL;

	*off = socket_peek_at(&is->s, MSG_PEEK);
	spin_lock(&is->lock);
	list_for_each_entry(b, &is->queue, node) {
		if (*off < b->len || (!*off && !b->peeked)) {
			found = b;
			break;
		}
		*off -= b->len;
	}
	spin_unlock(&is->lock);
	return found;
}

static bool peeks_off(const struct inet_sock *is, u32 flags)
{
	return unlikely((flags & MSG_PEEK) && load_once(&is->s.peek_off) >= 0);
}

/* What is read next, from *@off on. */
static struct inet_buf *next_at(struct inet_sock *is, u32 flags, u32 *off)
{
	struct inet_buf *b;

	*off = 0;
	if (!peeks_off(is, flags))
		return first(is);
	b = peek_at(is, off);
	if (b && !b->len)
		b->peeked = true;
	return b;
}

static bool has_input(struct inet_sock *is, u32 flags)
{
	u32 off;

	return (peeks_off(is, flags) ? peek_at(is, &off) != NULL
				     : !list_empty(&is->queue)) ||
	       (load_once(&is->shut) & SHUT_RD) || load_once(&is->s.error);
}

static struct inet_buf *wait_input(struct inet_sock *is,
				   const struct sock_msg *m, u32 *off)
{
	u64 timeout = is->s.rcv_timeout_ns, deadline = socket_deadline(timeout);
	struct inet_buf *b;
	s64 r;

	for (;;) {
		r = socket_take_error(&is->s);
		if (unlikely(r))
			return ERR_PTR(r);
		b = next_at(is, m->flags, off);
		if (b)
			return b;
		if (load_once(&is->shut) & SHUT_RD)
			return NULL;
		if (m->flags & MSG_DONTWAIT)
			return ERR_PTR(-EAGAIN);
		mutex_unlock(&is->rd_mutex);
		r = wait_event_interruptible_timeout(
			&is->s.rd_wq, has_input(is, m->flags), deadline);
		mutex_lock(&is->rd_mutex);
		if (r)
			return ERR_PTR(socket_interrupted(r, timeout));
	}
}

static s64 take(struct inet_sock *is, struct inet_buf *b, u32 off,
		struct sock_msg *m)
{
	s64 r = socket_put_packet(m, b->data + off, b->len - off);

	if (r < 0)
		return r;
	if (unlikely(off && (m->flags & MSG_TRUNC)))
		r = b->len;
	socket_peeked(&is->s, m->flags,
		      m->flags & MSG_PEEK ? (u64)r : (u64)b->len);
	if (m->from)
		inet_addr_out(is, &b->from, m->from);
	m->stamp_ns = b->stamp_ns;
	store_once(&is->s.last_stamp, (s64)b->stamp_ns);
	if (unlikely(is->describes || load_once(&is->s.kept)))
		inet_describe(is, b, m);
	if (!(m->flags & MSG_PEEK))
		drop(is, b);
	return r;
}

s64 udp_recv(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = to_inet(s);
	struct inet_buf *b;
	u32 off = 0;
	s64 n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (unlikely(m->flags & MSG_ERRQUEUE))
		return inet_recv_error(is, m);
	mutex_lock(&is->rd_mutex);
	b = wait_input(is, m, &off);
	n = IS_ERR(b) ? PTR_ERR(b) : b ? take(is, b, off, m) : 0;
	mutex_unlock(&is->rd_mutex);
	return n;
}

u32 udp_poll_bits(struct inet_sock *is)
{
	u32 shut = load_once(&is->shut), ev = POLLOUT | POLLWRNORM | POLLWRBAND;

	if (load_once(&is->s.error) || !list_empty(&is->errors))
		ev |= load_once(&is->s.select_err) ? POLLERR | POLLPRI
						   : POLLERR;
	if (!list_empty(&is->queue) || (shut & SHUT_RD))
		ev |= POLLIN | POLLRDNORM;
	if (shut & SHUT_RD)
		ev |= POLLRDHUP;
	if (shut == (SHUT_RD | SHUT_WR))
		ev |= POLLHUP;
	return ev;
}
