/* SPDX-License-Identifier: MIT */
/*
 * net/netlink.c - netlink sockets: requests to the kernel, answers from it.
 *
 * Of NETLINK_ROUTE there is what ip(8) and getifaddrs(3) ask for: dumps and single
 * look-ups of links, addresses and routes, and taking the loopback up and down.  Other
 * requests are answered with -EOPNOTSUPP in an error message, as netlink does it.
 * Who has joined a group is told when an interface goes up or down, by anybody.
 * NETLINK_SOCK_DIAG: sock_diag.c.
 *
 * A request is answered within send(): the answers wait in the socket's queue.
 *
 * Locking: nl->lock (RANK_PIPE) guards the queue; all_lock (RANK_FILE) the list of all
 * sockets, and is taken first.
 */
#include <net/filter.h>
#include <net/netlink.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define REQUEST_MAX 32768u
#define TOLD_MAX    1024u /* messages to a group that nobody has read */

struct nl_sock {
	struct socket s;
	u32 port;		/* [lock] */
	u64 groups;		/* [a] bit n - 1: group n */
	bool no_enobufs;	/* [a] */
	u32 opts;		/* [a] bit n: option n is on */
	u32 nr_told;		/* [lock] of the queue, to groups */
	struct list_head node;	/* [all_lock] */
	struct spinlock lock;	/* RANK_PIPE */
	struct list_head queue; /* [lock] of struct nl_buf */
	u64 queued;		/* [lock] their bytes */
	struct mutex rd_mutex;
};

struct sockaddr_nl_rest {
	u16 pad;
	u32 port, groups;
} __packed;

#define SOL_NETLINK 270
enum {
	NETLINK_ADD_MEMBERSHIP = 1,
	NETLINK_DROP_MEMBERSHIP = 2,
	NETLINK_PKTINFO = 3,
	NETLINK_BROADCAST_ERROR = 4,
	NETLINK_NO_ENOBUFS = 5,
	NETLINK_LISTEN_ALL_NSID = 8,
	NETLINK_LIST_MEMBERSHIPS = 9,
	NETLINK_CAP_ACK = 10,
	NETLINK_EXT_ACK = 11,
	NETLINK_GET_STRICT_CHK = 12,
};

static struct spinlock all_lock = SPINLOCK_INIT("netlink_all", RANK_FILE);
static struct list_head all_socks = LIST_HEAD_INIT(all_socks); /* [all_lock] */

static struct nl_sock *to_nl(struct socket *s)
{
	return container_of(s, struct nl_sock, s);
}

/* --- answers */

static void answer_error(struct nl_out *o, const struct nlmsghdr *req, int err)
{
	struct nlmsghdr *h = nl_begin(o, req, NLMSG_ERROR, 0);
	struct {
		s32 error;
		struct nlmsghdr req;
	} *e = h ? nl_room(o, sizeof(*e)) : NULL;

	if (!e)
		return;
	e->error = err;
	e->req = *req;
	nl_end(o, h);
}

static void answer_done(struct nl_out *o, const struct nlmsghdr *req)
{
	struct nlmsghdr *h = nl_begin(o, req, NLMSG_DONE, NLM_F_MULTI);

	if (h && nl_room(o, 4))
		nl_end(o, h);
}

/* What was lost is told once; lock held. */
static void overrun(struct nl_sock *nl)
{
	if (!nl->no_enobufs)
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

/* Takes the buffers.  One answer may be longer than the queue, which loses the next. */
static void queue(struct nl_sock *nl, struct nl_out *o)
{
	struct nl_buf *b, *next;

	if (list_empty(&o->bufs))
		return;
	spin_lock(&nl->lock);
	if (nl->queued >= load_once(&nl->s.rcvbuf)) {
		overrun(nl);
	} else {
		list_for_each_entry_safe(b, next, &o->bufs, node) {
			b->len = wanted(nl, b);
			nl->queued += b->len;
			if (!b->len) {
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

/* A dump's end is a message of its own, as Linux sends it. */
static int handle_request(struct nl_sock *nl, const struct nlmsghdr *req,
			  u32 len)
{
	bool dump = (req->flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct net_ns *net = nl->s.net;
	struct nl_out o;
	int err;

	if (!(req->flags & NLM_F_REQUEST) || req->type < NLMSG_FIRST)
		return 0;
	nl_out_init(&o);
	err = nl->s.protocol == NETLINK_SOCK_DIAG
		      ? sock_diag_request(net, &o, req, len, dump)
		      : rtnl_request(net, &o, req, len, dump);
	if (err)
		nl_out_free(&o);
	if (err || dump || req->flags & NLM_F_ACK)
		(void)nl_next_buf(&o);
	if (err || (req->flags & NLM_F_ACK && !dump))
		answer_error(&o, req, err);
	else if (dump)
		answer_done(&o, req);
	if (o.failed) {
		nl_out_free(&o);
		return -ENOBUFS;
	}
	queue(nl, &o);
	return 0;
}

static int handle_all(struct nl_sock *nl, u8 *data, size_t len)
{
	int err = 0;

	while (!err && len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr *h = (void *)data;
		size_t n = h->len;

		if (n < sizeof(*h) || n > len)
			break;
		h->port = nl->port;
		err = handle_request(nl, h, (u32)n);
		n = min(ALIGN_UP(n, (size_t)4), len);
		data += n;
		len -= n;
	}
	return err;
}

/* --- groups */

static bool listens(const struct nl_sock *nl, const struct net_ns *net,
		    u32 group)
{
	return nl->s.net == net && nl->s.protocol == NETLINK_ROUTE &&
	       (load_once(&nl->groups) >> (group - 1) & 1);
}

/* A copy for one listener; who does not read loses it and is told once. */
static void tell_one(struct nl_sock *nl, u32 group, const struct nl_buf *b)
{
	struct nl_buf *c = kmalloc(sizeof(*c) + b->len);
	u32 len;

	spin_lock(&nl->lock);
	len = wanted(nl, b);
	if (!len) {
		kfree(c);
	} else if (!c || nl->nr_told >= TOLD_MAX) {
		kfree(c);
		overrun(nl);
	} else {
		list_init(&c->node);
		c->len = len;
		c->group = group;
		memcpy(c->data, b->data, len);
		list_add_tail(&c->node, &nl->queue);
		nl->nr_told++;
		nl->queued += c->len;
	}
	spin_unlock(&nl->lock);
	wake_up_all_key(&nl->s.rd_wq, POLLIN | POLLRDNORM);
}

void netlink_tell(const struct net_ns *net, u32 group, struct nl_out *o)
{
	struct nl_sock *nl;
	struct nl_buf *b;

	spin_lock(&all_lock);
	list_for_each_entry(nl, &all_socks, node) {
		if (!listens(nl, net, group))
			continue;
		list_for_each_entry(b, &o->bufs, node)
			tell_one(nl, group, b);
	}
	spin_unlock(&all_lock);
	nl_out_free(o);
}

/* A port of its own for a socket without one: the pid, or something high. */
static u32 choose_port(void)
{
	static u32 next; /* [a] */

	return (u32)current->proc->pid + (atomic_add_return(&next, 1u) << 20);
}

static s64 nl_send(struct socket *s, struct sock_msg *m)
{
	struct nl_sock *nl = to_nl(s);
	size_t len = iov_iter_count(m->it);
	u8 *data;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (len > REQUEST_MAX)
		return -EMSGSIZE;
	data = kmalloc(max(len, (size_t)16));
	if (!data)
		return -ENOBUFS;
	spin_lock(&nl->lock);
	if (!nl->port)
		nl->port = choose_port();
	spin_unlock(&nl->lock);
	err = copy_from_iter(data, len, m->it) == len ? 0 : -EFAULT;
	if (!err)
		err = handle_all(nl, data, len);
	kfree(data);
	return err ? err : (s64)len;
}

/* --- receiving */

static struct nl_buf *first(struct nl_sock *nl)
{
	struct nl_buf *b;

	spin_lock(&nl->lock);
	b = list_first_entry_or_null(&nl->queue, struct nl_buf, node);
	spin_unlock(&nl->lock);
	return b;
}

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
	size_t n = min_t(size_t, b->len, iov_iter_count(m->it)), len = b->len;

	if (copy_to_iter(b->data, n, m->it) < n)
		return -EFAULT;
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (m->from) {
		struct sockaddr_nl_rest a = { 0 };

		if (b->group && b->group <= 32)
			a.groups = 1u << (b->group - 1);
		*m->from = (struct sock_addr){ .family = AF_NETLINK,
					       .len = sizeof(a) };
		memcpy(m->from->name, &a, sizeof(a));
	}
	if (load_once(&nl->opts) >> NETLINK_PKTINFO & 1)
		tell_group(b, m);
	if (!(m->flags & MSG_PEEK)) {
		spin_lock(&nl->lock);
		list_del(&b->node);
		nl->nr_told -= b->group != 0;
		nl->queued -= b->len;
		spin_unlock(&nl->lock);
		kfree(b);
	}
	return (s64)(m->flags & MSG_TRUNC ? len : n);
}

static s64 nl_recv(struct socket *s, struct sock_msg *m)
{
	struct nl_sock *nl = to_nl(s);
	u64 deadline = socket_deadline(s->rcv_timeout_ns);
	struct nl_buf *b;
	s64 r = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&nl->rd_mutex);
	for (;;) {
		b = NULL;
		r = socket_take_error(s);
		if (r)
			break;
		b = first(nl);
		if (b)
			break;
		r = -EAGAIN;
		if (m->flags & MSG_DONTWAIT)
			break;
		mutex_unlock(&nl->rd_mutex);
		r = wait_event_interruptible_timeout(
			&s->rd_wq,
			!list_empty(&nl->queue) || load_once(&s->error),
			deadline);
		mutex_lock(&nl->rd_mutex);
		if (r)
			break;
	}
	r = b ? take(nl, b, m) : socket_interrupted(r, s->rcv_timeout_ns);
	mutex_unlock(&nl->rd_mutex);
	return r;
}

/* --- names and the rest */

static int nl_bind(struct socket *s, struct sock_addr *addr)
{
	struct nl_sock *nl = to_nl(s);
	struct sockaddr_nl_rest a;

	if (addr->family != AF_NETLINK || addr->len < sizeof(a))
		return -EINVAL;
	memcpy(&a, addr->name, sizeof(a));
	spin_lock(&nl->lock);
	nl->port = a.port ? a.port : nl->port ? nl->port : choose_port();
	store_once(&nl->groups, (nl->groups & ~0xfffffffful) | a.groups);
	spin_unlock(&nl->lock);
	return 0;
}

static int nl_connect(struct socket *s, const struct sock_addr *addr,
		      bool nonblock __unused)
{
	struct nl_sock *nl = to_nl(s);
	struct sockaddr_nl_rest a;

	if (addr->family == AF_UNSPEC)
		return 0;
	if (addr->family != AF_NETLINK || addr->len < sizeof(a))
		return -EINVAL;
	memcpy(&a, addr->name, sizeof(a));
	if (a.port)
		return -ECONNREFUSED; /* only the kernel listens */
	if (!nl->port)
		nl->port = choose_port();
	return 0;
}

static int nl_name(struct socket *s, bool peer, struct sock_addr *out)
{
	struct nl_sock *nl = to_nl(s);
	struct sockaddr_nl_rest a = { 0 };

	if (!peer) {
		a.port = nl->port;
		a.groups = (u32)nl->groups;
	}
	*out = (struct sock_addr){ .family = AF_NETLINK, .len = sizeof(a) };
	memcpy(out->name, &a, sizeof(a));
	return 0;
}

static int no_listen(struct socket *s __unused, int backlog __unused)
{
	return -EOPNOTSUPP;
}

static struct socket *no_accept(struct socket *s __unused, bool nb __unused)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int no_shutdown(struct socket *s __unused, u32 how __unused)
{
	return -EOPNOTSUPP;
}

static int nl_peer_creds(struct socket *s __unused, struct sock_creds *out)
{
	*out = (struct sock_creds){ 0 };
	return 0;
}

static u32 nl_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct nl_sock *nl = to_nl(s);

	poll_wait(pt, f, &s->rd_wq);
	return POLLOUT | POLLWRNORM | (load_once(&s->error) ? POLLERR : 0) |
	       (list_empty(&nl->queue) ? 0 : POLLIN | POLLRDNORM);
}

static u64 nl_inq(struct socket *s)
{
	struct nl_buf *b = first(to_nl(s));

	return b ? b->len : 0;
}

static u64 nl_outq(struct socket *s __unused)
{
	return 0;
}

static int set_member(struct nl_sock *nl, u32 group, bool in)
{
	u64 bit = group >= 1 && group <= 64 ? BIT(group - 1) : 0;

	if (!bit)
		return -EINVAL;
	if (in)
		(void)atomic_fetch_or(&nl->groups, bit);
	else
		(void)atomic_fetch_and(&nl->groups, ~bit);
	return 0;
}

static int nl_setopt(struct socket *s, int level, int opt, const void *val,
		     u32 len)
{
	struct nl_sock *nl = to_nl(s);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (opt) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return set_member(nl, v, opt == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_NO_ENOBUFS:
		store_once(&nl->no_enobufs, v != 0);
		break;
	case NETLINK_LISTEN_ALL_NSID:
		if (!net_capable(s->net, CAP_NET_BROADCAST))
			return -EPERM;
		return v ? -EOPNOTSUPP : 0;
	case NETLINK_PKTINFO:
	case NETLINK_BROADCAST_ERROR:
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (v)
		(void)atomic_fetch_or(&nl->opts, 1u << opt);
	else
		(void)atomic_fetch_and(&nl->opts, ~(1u << opt));
	return 0;
}

static int nl_getopt(struct socket *s, int level, int opt, void *val, u32 len)
{
	struct nl_sock *nl = to_nl(s);
	u64 groups = load_once(&nl->groups);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	switch (opt) {
	case NETLINK_LIST_MEMBERSHIPS:
		memcpy(val, &groups, min(len & ~3u, (u32)sizeof(groups)));
		return sizeof(groups);
	case NETLINK_NO_ENOBUFS:
	case NETLINK_PKTINFO:
	case NETLINK_BROADCAST_ERROR:
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		if (len < sizeof(v))
			return -EINVAL;
		v = load_once(&nl->opts) >> opt & 1;
		memcpy(val, &v, sizeof(v));
		return sizeof(v);
	default:
		return -ENOPROTOOPT;
	}
}

static void nl_release(struct socket *s)
{
	struct nl_sock *nl = to_nl(s);

	spin_lock(&all_lock);
	list_del(&nl->node);
	spin_unlock(&all_lock);
	while (!list_empty(&nl->queue)) {
		struct nl_buf *b = first(nl);

		list_del(&b->node);
		kfree(b);
	}
	socket_fini(s);
	kfree(nl);
}

static struct spinlock *nl_queue_lock(struct socket *s)
{
	return &to_nl(s)->lock;
}

static const struct socket_ops netlink_ops = {
	.bind = nl_bind,
	.connect = nl_connect,
	.listen = no_listen,
	.accept = no_accept,
	.send = nl_send,
	.recv = nl_recv,
	.shutdown = no_shutdown,
	.name = nl_name,
	.peer_creds = nl_peer_creds,
	.poll = nl_poll,
	.inq = nl_inq,
	.outq = nl_outq,
	.release = nl_release,
	.setopt = nl_setopt,
	.getopt = nl_getopt,
	.queue_lock = nl_queue_lock,
};

bool netlink_file(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->ops == &netlink_ops;
}

void netlink_deliver(struct file *f, const void *data, size_t n)
{
	struct nl_sock *nl = to_nl(socket_of(f));
	struct nl_out o;
	void *at;

	nl_out_init(&o);
	at = nl_next_buf(&o) ? nl_room(&o, (u32)n) : NULL;
	if (at)
		memcpy(at, data, n);
	if (at)
		queue(nl, &o);
	nl_out_free(&o);
}

struct socket *netlink_create(int type, int protocol)
{
	struct nl_sock *nl;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	if (protocol == NETLINK_KOBJECT_UEVENT)
		return uevent_create(type);
	if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG)
		return ERR_PTR(-EPROTONOSUPPORT);
	nl = kzalloc(sizeof(*nl));
	if (!nl)
		return ERR_PTR(-ENOMEM);
	socket_init(&nl->s, &netlink_ops, AF_NETLINK, (u16)type,
		    current_net_ns());
	nl->s.protocol = (u16)protocol;
	spin_init(&nl->lock, "netlink", RANK_PIPE);
	list_init(&nl->queue);
	mutex_init(&nl->rd_mutex);
	spin_lock(&all_lock);
	list_add_tail(&nl->node, &all_socks);
	spin_unlock(&all_lock);
	return &nl->s;
}
