/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/conn.c - the life of a connection over packets: its references, lock, timer, way.
 *
 * The timer owns a reference as long as c->armed is set: what fires queues the work, and
 * that gives it back.  Who gives up the lock arms the timer anew if it would be late; one
 * that is early finds nothing to do.
 */
#include <net/tcp/conn.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/chacha20.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ip.h>

u32 tcp_ip_head(const struct inet_ep *ep)
{
	return inet_is_v4(ep) ? IP4_HEADER : IP6_HEADER;
}

/* --- timer */

static void timer_fires(struct ktimer *k)
{
	struct tcp_conn *c = k->arg;

	net_work_queue(&c->work);
}

static void work(struct net_work *w)
{
	struct tcp_conn *c = container_of(w, struct tcp_conn, work);

	tcp_conn_lock(c);
	c->armed = 0;
	if (c->t.state != TCP_CLOSED)
		tcb_timer(&c->t);
	tcp_conn_unlock(c);
	tcp_conn_put(c); /* the timer's */
}

static void arm(struct tcp_conn *c)
{
	u64 next = tcb_next_deadline(&c->t);

	if (!next) {
		if (c->armed && ktimer_cancel(&c->timer)) {
			c->armed = 0;
			tcp_conn_put(c);
		}
		return;
	}
	if (!c->armed) {
		c->armed = next;
		tcp_conn_get(c);
		ktimer_arm(&c->timer, next);
	} else if (next < c->armed && ktimer_cancel(&c->timer)) {
		c->armed = next;
		ktimer_arm(&c->timer, next);
	}
}

void tcb_up_deadline(struct tcb *t __unused)
{
	/* tcp_conn_unlock() looks */
}

/* --- life */

struct tcp_conn *tcp_conn_new(struct net_ns *net, const struct inet_ep *local,
			      const struct inet_ep *remote)
{
	struct tcp_conn *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	list_init(&c->e.node);
	list_init(&c->syn_node);
	list_init(&c->t.txq);
	list_init(&c->t.ofo);
	c->t.state = TCP_CLOSED;
	c->e.net = net_ns_get(net);
	c->e.local = *local;
	c->e.remote = *remote;
	c->refs = 1;
	mutex_init(&c->lock);
	ktimer_init(&c->timer, timer_fires, c);
	net_work_init(&c->work, work);
	return c;
}

struct tcp_conn *tcp_conn_get(struct tcp_conn *c)
{
	atomic_inc(&c->refs);
	return c;
}

void tcp_conn_put(struct tcp_conn *c)
{
	if (!c || !atomic_dec_and_test(&c->refs))
		return;
	KASSERT(c->t.state == TCP_CLOSED && !c->is && !c->listener);
	KASSERT(!list_is_linked(&c->e.node) && !c->armed);
	if (c->routed)
		route_put(&c->route);
	net_ns_put(c->e.net);
	kfree(c);
}

void tcp_conn_lock_plain(struct tcp_conn *c)
{
	mutex_lock(&c->lock);
	netdev_batch_begin(&c->out);
}

void tcp_conn_lock(struct tcp_conn *c)
{
	tcp_conn_lock_plain(c);
	if (c->is)
		tcp_conn_configure(c, c->is);
}

/* The path has become narrow while somebody had the lock. */
static void take_path_mtu(struct tcp_conn *c)
{
	u32 mtu = atomic_xchg(&c->path_mtu, 0);

	if (mtu && c->t.state != TCP_CLOSED && mtu < c->t.mtu)
		tcb_set_mtu(&c->t, mtu);
}

void tcp_conn_unlock(struct tcp_conn *c)
{
	if (unlikely(load_once(&c->path_mtu)))
		take_path_mtu(c);
	if (unlikely(c->waits)) {
		c->waits = false;
		tcp_wait_begin(c);
	}
	if (c->news) {
		c->news = false;
		if (c->is)
			wake_up_all_key(&c->is->s.rd_wq, POLLIN | POLLRDNORM);
	}
	arm(c);
	netdev_batch_end(&c->out);
	mutex_unlock(&c->lock);
}

void tcp_conn_configure(struct tcp_conn *c, const struct inet_sock *is)
{
	struct tcp_conf *f = &c->t.conf;

	f->nodelay = is->nodelay;
	f->cork = is->cork;
	f->keepalive = is->s.keepalive;
	f->no_quickack = is->no_quickack;
	f->user_mss = is->user_mss;
	f->keepidle = is->keepidle;
	f->keepintvl = is->keepintvl;
	f->keepcnt = is->keepcnt;
	f->syncnt = is->syncnt;
	f->user_timeout = is->user_timeout;
	f->linger2 = is->linger2;
	f->window_clamp = is->window_clamp;
	f->sndbuf = load_once(&is->s.sndbuf);
	f->notsent_lowat = is->notsent_lowat;
	c->tos = inet_is_v4(&c->e.remote) ? is->tos : is->tclass;
	c->ttl = inet_is_v4(&c->e.remote) ? is->ttl
		 : is->hops		  ? (u8)(is->hops - 1)
					  : 64;
	if (c->mark != is->s.mark)
		c->route_gen--; /* another way, perhaps */
	c->mark = is->s.mark;
}

/* --- the way to the peer */

int tcp_conn_route(struct tcp_conn *c)
{
	struct route_query q = { .dst = c->e.remote.ip,
				 .src = c->e.local.ip,
				 .oif = c->oif,
				 .mark = c->mark };
	u32 gen = route_generation(c->e.net);
	struct route r;
	int err;

	if (c->routed && c->route_gen == gen)
		return 0;
	err = route_find(c->e.net, &q, &r);
	if (!err && r.type != ROUTE_UNICAST) { /* one of ours now; or a group */
		route_put(&r);
		err = -ENETUNREACH;
	}
	if (err)
		return err;
	if (c->routed)
		route_put(&c->route);
	c->route = r;
	c->routed = true;
	c->route_gen = gen;
	c->t.tso = (r.dev->features & NETDEV_TX_CSUM) &&
		   (r.dev->features &
		    (inet_is_v4(&c->e.remote) ? NETDEV_TSO4 : NETDEV_TSO6));
	return 0;
}

/* Numbers that nobody can guess, and that grow with time between the same addresses. */
static u64 secret_of(const struct inet_ep *local, const struct inet_ep *remote)
{
	static u32 key[8]; /* [tcp_lock] */
	u8 out[CHACHA20_BLOCK_SIZE];
	u32 k[8], nonce[3];
	u64 v;

	spin_lock(&tcp_lock);
	if (unlikely(!key[0] && !key[1]))
		random_bytes(key, sizeof(key));
	memcpy(k, key, sizeof(k));
	spin_unlock(&tcp_lock);
	for (u32 i = 0; i < 4; i++) {
		u32 a, b;

		memcpy(&a, local->ip + i * 4, 4);
		memcpy(&b, remote->ip + i * 4, 4);
		k[i] ^= a;
		k[4 + i] ^= b;
	}
	nonce[0] = (u32)local->port << 16 | remote->port;
	nonce[1] = nonce[2] = 0;
	chacha20_block(k, 0, nonce, out);
	memcpy(&v, out, sizeof(v));
	return v;
}

void tcp_conn_begin(struct tcp_conn *c, u32 at_least)
{
	u64 v = secret_of(&c->e.local, &c->e.remote);
	u32 iss = (u32)v + (u32)(clock_mono_ns() >> 6);

	if (at_least)
		iss = at_least;
	tcb_init(&c->t, iss, c->routed ? c->route.mtu : ETH_MTU,
		 tcp_ip_head(&c->e.remote), (u32)(v >> 32));
}

/* --- output */

int tcb_up_output(struct tcb *t, struct netbuf *b)
{
	struct tcp_conn *c = container_of(t, struct tcp_conn, t);
	struct ip_opts o = {
		.ttl = c->ttl,
		.tos = c->tos,
		.dont_fragment = true,
		.mark = c->mark,
	};
	int err = tcp_conn_route(c);
	u32 mtu;

	if (err) {
		t->soft_error = -err;
		netbuf_free(b);
		return err;
	}
	mtu = c->route.mtu;
	if (mtu < t->mtu && t->state != TCP_CLOSED)
		store_once(&c->path_mtu, mtu);
	err = tcp_transmit(c->e.net, &c->route, &c->e.local, &c->e.remote, &o,
			   b);
	if (err == -EMSGSIZE) {
		c->routed = false;
		route_put(&c->route);
		if (!tcp_conn_route(c))
			store_once(&c->path_mtu, c->route.mtu);
	} else if (err) {
		t->soft_error = err == -ENOBUFS || err == -ENOMEM ? 0 : -err;
	}
	return err == -ENOMEM ? 0 : err;
}
