/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/wait.c - TIME_WAIT: what is left of a connection for a minute, so that the last
 * acknowledgement can be given again, and old segments do no harm [RFC 9293 3.10.7.4, 6191].
 *
 * There are so many at most; one more than that ends at once, as on Linux.  All wait equally
 * long, so that one timer, for the first of a list, is enough.
 *
 * Locking: tcp_lock.
 */
#include <net/tcp/conn.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <net/tcp/wire.h>

#define WAIT_NS	   (60 * NSEC_PER_SEC)
#define WAITS_MAX  8192u
#define NR_BY_PORT 256u

struct tcp_wait {
	struct tcp_entry e;
	struct list_head all;	  /* [tcp_lock] by deadline */
	struct list_head port;	  /* [tcp_lock] those of its port */
	u32 snd_nxt, rcv_nxt;	  /* [I] */
	u32 rcv_wnd;		  /* [I] */
	u32 ts_recent, ts_offset; /* [tcp_lock], [I] */
	bool ts_on;		  /* [I] */
	u16 family;		  /* [I] */
	u64 recent_at;		  /* [tcp_lock] */
	u64 deadline;		  /* [tcp_lock] */
};

static struct list_head waits = LIST_HEAD_INIT(waits); /* [tcp_lock] */
static struct list_head by_port[NR_BY_PORT];	       /* [tcp_lock] */
static u32 nr_waits;				       /* [tcp_lock, a] */
static struct ktimer timer;			       /* [tcp_lock] */
static struct net_work work;

static struct list_head *port_list(u16 port)
{
	struct list_head *l = &by_port[port % NR_BY_PORT];

	if (!l->next)
		list_init(l);
	return l;
}

static void unlink_locked(struct tcp_wait *w)
{
	list_del(&w->e.node);
	list_del(&w->all);
	list_del(&w->port);
	store_once(&nr_waits, nr_waits - 1);
}

static void expire(struct net_work *nw __unused)
{
	u64 now = clock_mono_ns();
	struct tcp_wait *w, *next;
	struct list_head gone = LIST_HEAD_INIT(gone);

	spin_lock(&tcp_lock);
	list_for_each_entry_safe(w, next, &waits, all) {
		if (w->deadline > now) {
			ktimer_arm(&timer, w->deadline);
			break;
		}
		unlink_locked(w);
		list_add_tail(&w->all, &gone);
	}
	spin_unlock(&tcp_lock);
	list_for_each_entry_safe(w, next, &gone, all)
		kfree(w);
}

static void timer_fires(struct ktimer *t __unused)
{
	net_work_queue(&work);
}

static void start_locked(struct tcp_wait *w)
{
	static bool ready; /* [tcp_lock] */

	if (!ready) {
		ktimer_init(&timer, timer_fires, NULL);
		net_work_init(&work, expire);
		ready = true;
	}
	w->deadline = clock_mono_ns() + WAIT_NS;
	if (list_empty(&waits))
		ktimer_arm(&timer, w->deadline);
	list_add_tail(&w->all, &waits);
}

static struct tcp_wait *new_wait(const struct tcp_conn *c)
{
	const struct tcb *t = &c->t;
	struct tcp_wait *w;

	if (load_once(&nr_waits) >= WAITS_MAX)
		return NULL;
	w = kzalloc(sizeof(*w));
	if (!w)
		return NULL;
	list_init(&w->e.node);
	list_init(&w->all);
	w->e.net = c->e.net;
	w->e.local = c->e.local;
	w->e.remote = c->e.remote;
	w->e.waits = true;
	w->family = c->is		      ? c->is->s.family
		    : inet_is_v4(&c->e.local) ? AF_INET
					      : AF_INET6;
	w->snd_nxt = t->snd_max;
	w->rcv_nxt = t->rcv_nxt;
	w->rcv_wnd = (t->rcv_adv - t->rcv_nxt) >> t->rcv_ws;
	w->ts_on = t->ts_on;
	w->ts_recent = t->ts_recent;
	w->ts_offset = t->ts_offset;
	w->recent_at = t->ts_recent_at;
	return w;
}

void tcp_wait_begin(struct tcp_conn *c)
{
	struct tcp_wait *w = new_wait(c);
	bool listed;

	spin_lock(&tcp_lock);
	listed = list_is_linked(&c->e.node);
	list_del(&c->e.node);
	if (w) {
		tcp_table_put_locked(&w->e);
		list_add(&w->port, port_list(w->e.local.port));
		store_once(&nr_waits, nr_waits + 1);
		start_locked(w);
	}
	spin_unlock(&tcp_lock);
	if (listed)
		tcp_conn_put(c);
	tcb_end(&c->t, 0);
}

/* A SYN that cannot be an old one. */
static bool is_new_syn(const struct tcp_wait *w, const struct tcp_seg *s)
{
	if ((s->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
		return false;
	return seq_lt(w->rcv_nxt, s->seq) ||
	       (w->ts_on && s->has_ts && (s32)(s->tsval - w->ts_recent) > 0);
}

static bool take_locked(struct tcp_wait *w, const struct tcp_seg *s,
			struct tcp_reply *r)
{
	bool old = w->ts_on && s->has_ts && (s32)(s->tsval - w->ts_recent) < 0;

	if ((s->flags & TCP_RST) || (s->flags & TCP_SYN && s->flags & TCP_ACK))
		return false;
	if (!old && s->len == 0 && s->seq == w->rcv_nxt &&
	    !(s->flags & (TCP_FIN | TCP_SYN)))
		return false; /* the peer knows */
	if (!old && s->has_ts && w->ts_on)
		w->ts_recent = s->tsval;
	if (s->flags & TCP_FIN) {
		list_del(&w->all);
		start_locked(w);
	}
	*r = (struct tcp_reply){
		.seq = w->snd_nxt,
		.ack = w->rcv_nxt,
		.wnd = (u16)min(w->rcv_wnd, 0xffffu),
		.flags = TCP_ACK,
		.has_ts = w->ts_on,
		.tsval = (u32)(clock_mono_ns() / NSEC_PER_MSEC) + w->ts_offset,
		.tsecr = w->ts_recent,
	};
	return true;
}

static struct tcp_wait *find_locked(const struct net_ns *net,
				    const struct inet_ep *local,
				    const struct inet_ep *remote)
{
	struct tcp_entry *e = tcp_table_look_locked(net, local, remote);

	return e && e->waits ? container_of(e, struct tcp_wait, e) : NULL;
}

bool tcp_wait_input(struct net_ns *net, const struct inet_ep *local,
		    const struct inet_ep *remote, const struct tcp_seg *s,
		    u32 *iss)
{
	struct tcp_wait *w, *gone = NULL;
	struct tcp_reply r;
	bool answer = false;

	spin_lock(&tcp_lock);
	w = find_locked(net, local, remote);
	if (w && is_new_syn(w, s)) {
		*iss = (w->snd_nxt + 65535 + 2) | 1;
		unlink_locked(w);
		gone = w;
	} else if (w && (s->flags & TCP_RST) && s->seq == w->rcv_nxt) {
		unlink_locked(w);
		kfree(w);
	} else if (w) {
		answer = take_locked(w, s, &r);
	}
	spin_unlock(&tcp_lock);
	if (answer)
		tcp_reply(net, local, remote, &r);
	kfree(gone);
	return gone;
}

bool tcp_wait_reuse(const struct net_ns *net, const struct inet_ep *local,
		    const struct inet_ep *remote, u32 *iss)
{
	struct tcp_wait *w;
	bool ok = false;

	spin_lock(&tcp_lock);
	w = find_locked(net, local, remote);
	if (w && w->ts_on && clock_mono_ns() - w->recent_at > NSEC_PER_SEC) {
		*iss = (w->snd_nxt + 65535 + 2) | 1;
		unlink_locked(w);
		kfree(w);
		ok = true;
	}
	spin_unlock(&tcp_lock);
	return ok;
}

bool tcp_port_waits(const struct net_ns *net, const struct inet_ep *ep)
{
	const struct tcp_wait *w;
	bool yes = false;

	if (likely(!load_once(&nr_waits)))
		return false;
	spin_lock(&tcp_lock);
	list_for_each_entry(w, port_list(ep->port), port) {
		yes = w->e.net == net && w->e.local.port == ep->port &&
		      (inet_is_any(ep) || inet_same_ip(&w->e.local, ep));
		if (yes)
			break;
	}
	spin_unlock(&tcp_lock);
	return yes;
}

void tcp_wait_for_each(const struct net_ns *net,
		       void (*fn)(const struct tcp_wait_info *i, void *arg),
		       void *arg)
{
	u64 now = clock_mono_ns();
	const struct tcp_wait *w;

	spin_lock(&tcp_lock);
	list_for_each_entry(w, &waits, all) {
		struct tcp_wait_info i = {
			.family = w->family,
			.local = w->e.local,
			.remote = w->e.remote,
			.left_ns = w->deadline > now ? w->deadline - now : 0,
		};

		if (w->e.net == net)
			fn(&i, arg);
	}
	spin_unlock(&tcp_lock);
}

void tcp_net_end(struct net_ns *net)
{
	struct tcp_wait *w, *next;

	spin_lock(&tcp_lock);
	list_for_each_entry_safe(w, next, &waits, all) {
		if (w->e.net == net) {
			unlink_locked(w);
			kfree(w);
		}
	}
	spin_unlock(&tcp_lock);
}
