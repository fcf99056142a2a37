/* SPDX-License-Identifier: MIT */
/* net/nlsock.c - the queue of a netlink socket; see nlsock.h. */
#include <net/filter.h>
#include <net/nlsock.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

struct nl_sock *nl_sock_new(struct nl_all *all, const struct socket_ops *ops,
			    int type, int protocol)
{
	struct nl_sock *nl = kzalloc(sizeof(*nl));

	if (!nl)
		return NULL;
	socket_init(&nl->s, ops, AF_NETLINK, (u16)type, current_net_ns());
	nl->s.protocol = (u16)protocol;
	nl->admin = net_capable(nl->s.net, CAP_NET_ADMIN);
	spin_init(&nl->lock, "netlink", RANK_PIPE);
	list_init(&nl->queue);
	mutex_init(&nl->rd_mutex);
	nl->all = all;
	nl->refs = 1;
	spin_lock(&all->lock);
	list_add_tail(&nl->node, &all->socks);
	spin_unlock(&all->lock);
	return nl;
}

static struct nl_buf *first(struct nl_sock *nl)
{
	struct nl_buf *b;

	spin_lock(&nl->lock);
	b = list_first_entry_or_null(&nl->queue, struct nl_buf, node);
	spin_unlock(&nl->lock);
	return b;
}

/* Lock of the list held; true: it was the last one, and nl_free() is to be called. */
static bool drop_locked(struct nl_sock *nl)
{
	if (--nl->refs)
		return false;
	list_del(&nl->node);
	return true;
}

static void nl_free(struct nl_sock *nl)
{
	struct nl_buf *b;

	while ((b = first(nl))) {
		list_del(&b->node);
		kfree(b);
	}
	socket_fini(&nl->s);
	kfree(nl);
}

/* Who speaks to it just now keeps it. */
void nl_release(struct socket *s)
{
	struct nl_sock *nl = to_nl(s);
	bool last;

	spin_lock(&nl->all->lock);
	nl->port = 0;
	store_once(&nl->groups, 0);
	last = drop_locked(nl);
	spin_unlock(&nl->all->lock);
	if (last)
		nl_free(nl);
}

int nl_addr_get(struct nl_addr *a, const struct sock_addr *from)
{
	if (from->family != AF_NETLINK || from->len < sizeof(*a))
		return -EINVAL;
	memcpy(a, from->name, sizeof(*a));
	return 0;
}

int nl_addr_to(const struct socket *s, const struct sock_addr *to,
	       struct nl_addr *a)
{
	int err;

	*a = (struct nl_addr){ 0 };
	if (!to)
		return 0;
	err = nl_addr_get(a, to);
	if (err)
		return err;
	return (a->port || a->groups) && !net_capable(s->net, CAP_NET_ADMIN)
		       ? -EPERM
		       : 0;
}

void nl_addr_put(struct sock_addr *to, u32 port, u32 groups)
{
	struct nl_addr a = { .port = port, .groups = groups };

	*to = (struct sock_addr){ .family = AF_NETLINK, .len = sizeof(a) };
	memcpy(to->name, &a, sizeof(a));
}

/* --- sending */

/* What was lost is told once; lock held. */
static void overrun(struct nl_sock *nl)
{
	if (!load_once(&nl->no_enobufs))
		store_once(&nl->s.error, ENOBUFS);
}

/* Does the filter of @nl, if it has one, want the message, or the beginning of it: how many
 * bytes; lock held. */
static u32 wanted(const struct nl_sock *nl, const struct nl_buf *b)
{
	struct cbpf_packet p = { .part[2] = { b->data, b->len } };
	u32 keep;

	if (likely(!nl->s.filter))
		return b->len;
	return sock_filter_run(&nl->s, &p, &keep) ? keep : 0;
}

void nl_sock_queue(struct nl_sock *nl, struct nl_out *o)
{
	struct nl_buf *b, *next;

	if (list_empty(&o->bufs))
		return;
	nl_out_shrink(o);
	spin_lock(&nl->lock);
	if (nl->queued >= load_once(&nl->s.rcvbuf)) {
		overrun(nl);
	} else {
		list_for_each_entry_safe(b, next, &o->bufs, node) {
			b->len = wanted(nl, b);
			if (b->len) {
				nl->queued += b->cost;
			} else {
				list_del(&b->node);
				kfree(b);
			}
		}
		list_splice_tail_init(&o->bufs, &nl->queue);
	}
	spin_unlock(&nl->lock);
	nl_out_free(o);
	wake_up_all_key(&nl->s.rd_wq, POLLIN | POLLRDNORM);
}

static bool is_full(const struct nl_sock *nl, u32 cost)
{
	return nl->told_max ? nl->nr_told >= nl->told_max
			    : nl->queued + cost > load_once(&nl->s.rcvbuf);
}

void nl_sock_tell(struct nl_sock *nl, const struct nl_buf *b)
{
	u32 cost = (u32)sizeof(*b) + b->len, len;
	struct nl_buf *c = kmalloc(cost);

	spin_lock(&nl->lock);
	len = wanted(nl, b);
	if (!len) {
		kfree(c);
	} else if (!c || is_full(nl, cost)) {
		kfree(c);
		overrun(nl);
	} else {
		memcpy(c, b, sizeof(*c) + len);
		c->len = len;
		c->cost = cost;
		list_init(&c->node);
		list_add_tail(&c->node, &nl->queue);
		nl->nr_told += c->group != 0;
		nl->queued += cost;
	}
	spin_unlock(&nl->lock);
	if (len)
		wake_up_all_key(&nl->s.rd_wq, POLLIN | POLLRDNORM);
}

/* The next one behind @was, which is given up, with a reference; NULL: the first one. */
static struct nl_sock *next_listener(struct nl_all *all, struct nl_sock *was,
				     bool (*listens)(const struct nl_sock *nl,
						     const void *arg),
				     const void *arg)
{
	struct list_head *at;
	bool last;

	spin_lock(&all->lock);
	at = was ? was->node.next : all->socks.next;
	while (at != &all->socks &&
	       !listens(list_entry(at, struct nl_sock, node), arg))
		at = at->next;
	if (at != &all->socks)
		list_entry(at, struct nl_sock, node)->refs++;
	last = was && drop_locked(was);
	spin_unlock(&all->lock);
	if (last)
		nl_free(was);
	return at == &all->socks ? NULL : list_entry(at, struct nl_sock, node);
}

u32 nl_tell_all(struct nl_all *all,
		bool (*listens)(const struct nl_sock *nl, const void *arg),
		const void *arg, const struct list_head *bufs)
{
	struct nl_sock *nl = NULL;
	struct nl_buf *b;
	u32 n = 0;

	while ((nl = next_listener(all, nl, listens, arg))) {
		list_for_each_entry(b, bufs, node)
			nl_sock_tell(nl, b);
		n++;
		cond_resched();
	}
	return n;
}

/* --- receiving */

/* NETLINK_PKTINFO: to which group it was said. */
static void tell_group(const struct nl_buf *b, struct sock_msg *m)
{
	struct sock_cmsg *c = &m->cmsg[m->nr_cmsg++];

	c->level = SOL_NETLINK;
	c->type = NETLINK_PKTINFO;
	c->len = sizeof(b->group);
	memcpy(c->data, &b->group, sizeof(b->group));
}

static s64 take(struct nl_sock *nl, struct nl_buf *b, struct sock_msg *m)
{
	s64 r = socket_put_packet(m, b->data, b->len);

	if (r < 0)
		return r;
	if (m->from)
		nl_addr_put(m->from, b->port, b->groups);
	m->creds = b->creds;
	if (load_once(&nl->opts) >> NETLINK_PKTINFO & 1)
		tell_group(b, m);
	if (!(m->flags & MSG_PEEK)) {
		spin_lock(&nl->lock);
		list_del(&b->node);
		nl->nr_told -= b->group != 0;
		nl->queued -= b->cost;
		spin_unlock(&nl->lock);
		kfree(b);
	}
	return r;
}

s64 nl_recv(struct socket *s, struct sock_msg *m)
{
	struct nl_sock *nl = to_nl(s);
	u64 deadline = socket_deadline(s->rcv_timeout_ns);
	struct nl_buf *b = NULL;
	s64 r = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&nl->rd_mutex);
	while (!r) {
		r = socket_take_error(s);
		b = r ? NULL : first(nl);
		if (r || b)
			break;
		r = socket_await_packet(s, &nl->rd_mutex, &nl->queue, m,
					deadline);
	}
	if (b)
		r = take(nl, b, m);
	mutex_unlock(&nl->rd_mutex);
	return r;
}

int nl_peer_creds(struct socket *s __unused, struct sock_creds *out)
{
	*out = (struct sock_creds){ 0, ~0u, ~0u };
	return 0;
}

u32 nl_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct nl_sock *nl = to_nl(s);

	poll_wait(pt, f, &s->rd_wq);
	return POLLOUT | POLLWRNORM | (load_once(&s->error) ? POLLERR : 0) |
	       (list_empty(&nl->queue) ? 0 : POLLIN | POLLRDNORM);
}

u64 nl_inq(struct socket *s)
{
	struct nl_buf *b = first(to_nl(s));

	return b ? b->len : 0;
}

struct spinlock *nl_queue_lock(struct socket *s)
{
	return &to_nl(s)->lock;
}
