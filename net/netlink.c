/* SPDX-License-Identifier: MIT */
/*
 * net/netlink.c - netlink sockets: requests to the kernel, answers from it.
 *
 * Of NETLINK_ROUTE there is what ip(8) and getifaddrs(3) ask for: dumps and single
 * look-ups of links, addresses and routes, and taking the loopback up and down.  Other
 * requests are answered with -EOPNOTSUPP in an error message, as netlink does it.
 * Nobody is ever notified, since nothing changes by itself.  NETLINK_SOCK_DIAG answers
 * as on a Linux that has a module for no family: ss then reads /proc/net.
 *
 * A request is answered within send(): the answers wait in the socket's queue.
 *
 * Locking: nl->lock (RANK_PIPE) guards the queue.
 */
#include <net/netlink.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define NETLINK_ROUTE	    0
#define NETLINK_SOCK_DIAG   4
#define TCPDIAG_GETSOCK	    18 /* before there were families */
#define DCCPDIAG_GETSOCK    19
#define SOCK_DIAG_BY_FAMILY 20
#define SOCK_DESTROY	    21
#define REQUEST_MAX	    32768u

struct nl_sock {
	struct socket s;
	u32 port;		/* [lock] */
	u32 groups;		/* [lock] */
	struct spinlock lock;	/* RANK_PIPE */
	struct list_head queue; /* [lock] of struct nl_buf */
	struct mutex rd_mutex;
};

struct sockaddr_nl_rest {
	u16 pad;
	u32 port, groups;
} __packed;

static struct nl_sock *to_nl(struct socket *s)
{
	return container_of(s, struct nl_sock, s);
}

/* --- building answers */

struct nl_buf *nl_buf_new(void)
{
	struct nl_buf *b = kmalloc(NL_BUF_SIZE);

	if (b) {
		list_init(&b->node);
		b->len = 0;
	}
	return b;
}

/* Room for @n more bytes, zeroed, or NULL. */
void *nl_room(struct nl_buf *b, u32 n)
{
	void *p;

	n = ALIGN_UP(n, 4u);
	if (b->len + n > NL_BUF_SIZE - sizeof(*b))
		return NULL;
	p = b->data + b->len;
	memset(p, 0, n);
	b->len += n;
	return p;
}

struct nlmsghdr *nl_begin(struct nl_buf *b, const struct nlmsghdr *req,
			  u16 type, u16 flags)
{
	struct nlmsghdr *h = nl_room(b, sizeof(*h));

	if (!h)
		return NULL;
	h->type = type;
	h->flags = flags;
	h->seq = req->seq;
	h->port = req->port;
	return h;
}

void nl_end(struct nl_buf *b, struct nlmsghdr *h)
{
	h->len = (u32)(b->data + b->len - (u8 *)h);
}

void nl_attr(struct nl_buf *b, u16 type, const void *data, u32 len)
{
	struct {
		u16 len, type;
	} *a = nl_room(b, 4 + len);

	if (!a)
		return;
	a->len = (u16)(4 + len);
	a->type = type;
	memcpy(a + 1, data, len);
}

/* --- requests */

static void answer_error(struct nl_buf *b, const struct nlmsghdr *req, int err)
{
	struct nlmsghdr *h = nl_begin(b, req, NLMSG_ERROR, 0);
	struct {
		s32 error;
		struct nlmsghdr req;
	} *e = h ? nl_room(b, sizeof(*e)) : NULL;

	if (!e)
		return;
	e->error = err;
	e->req = *req;
	nl_end(b, h);
}

static void answer_done(struct nl_buf *b, const struct nlmsghdr *req)
{
	struct nlmsghdr *h = nl_begin(b, req, NLMSG_DONE, NLM_F_MULTI);

	if (h && nl_room(b, 4))
		nl_end(b, h);
}

static void queue(struct nl_sock *nl, struct nl_buf *b)
{
	if (!b->len) {
		kfree(b);
		return;
	}
	spin_lock(&nl->lock);
	list_add_tail(&b->node, &nl->queue);
	spin_unlock(&nl->lock);
}

/* What sock_diag of Linux says when nobody knows the family. */
static int diag_request(const struct nlmsghdr *req, u32 len)
{
	if (req->type == TCPDIAG_GETSOCK || req->type == DCCPDIAG_GETSOCK)
		return -EOPNOTSUPP;
	if (req->type != SOCK_DIAG_BY_FAMILY && req->type != SOCK_DESTROY)
		return -EINVAL;
	return len < sizeof(*req) + 2 ? -EINVAL : -ENOENT;
}

/* A dump's end is a message of its own, as Linux sends it. */
static int handle_request(struct nl_sock *nl, const struct nlmsghdr *req,
			  u32 len)
{
	bool dump = (req->flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct nl_buf *b, *end;
	int err;

	if (!(req->flags & NLM_F_REQUEST) || req->type < NLMSG_FIRST)
		return 0;
	b = nl_buf_new();
	end = nl_buf_new();
	if (!b || !end) {
		kfree(b);
		kfree(end);
		return -ENOBUFS;
	}
	err = nl->s.protocol == NETLINK_SOCK_DIAG
		      ? diag_request(req, len)
		      : rtnl_request(b, req, len, dump);
	if (err)
		b->len = 0;
	if (err || (req->flags & NLM_F_ACK && !dump))
		answer_error(end, req, err);
	else if (dump)
		answer_done(end, req);
	queue(nl, b);
	queue(nl, end);
	wake_up_all_key(&nl->s.rd_wq, POLLIN | POLLRDNORM);
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

static s64 take(struct nl_sock *nl, struct nl_buf *b, struct sock_msg *m)
{
	size_t n = min_t(size_t, b->len, iov_iter_count(m->it)), len = b->len;

	if (copy_to_iter(b->data, n, m->it) < n)
		return -EFAULT;
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (m->from) {
		*m->from = (struct sock_addr){ .family = AF_NETLINK };
		m->from->len = sizeof(struct sockaddr_nl_rest);
	}
	if (!(m->flags & MSG_PEEK)) {
		spin_lock(&nl->lock);
		list_del(&b->node);
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
	while (!(b = first(nl))) {
		r = -EAGAIN;
		if (m->flags & MSG_DONTWAIT)
			break;
		mutex_unlock(&nl->rd_mutex);
		r = wait_event_interruptible_timeout(
			&s->rd_wq, !list_empty(&nl->queue), deadline);
		mutex_lock(&nl->rd_mutex);
		if (r)
			break;
	}
	r = b ? take(nl, b, m) : socket_interrupted(r, s->rcv_timeout_ns);
	mutex_unlock(&nl->rd_mutex);
	return r;
}

/* --- names and the rest */

/* A port of its own for a socket without one: the pid, or something high. */
static u32 choose_port(void)
{
	static u32 next; /* [a] */

	return (u32)current->proc->pid + (atomic_add_return(&next, 1u) << 20);
}

static int nl_bind(struct socket *s, struct sock_addr *addr)
{
	struct nl_sock *nl = to_nl(s);
	struct sockaddr_nl_rest a;

	if (addr->family != AF_NETLINK || addr->len < sizeof(a))
		return -EINVAL;
	memcpy(&a, addr->name, sizeof(a));
	spin_lock(&nl->lock);
	nl->port = a.port ? a.port : nl->port ? nl->port : choose_port();
	nl->groups = a.groups;
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
		a.groups = nl->groups;
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
	return POLLOUT | POLLWRNORM |
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

#define SOL_NETLINK 270
enum {
	NETLINK_ADD_MEMBERSHIP = 1,
	NETLINK_DROP_MEMBERSHIP = 2,
	NETLINK_EXT_ACK = 11,
	NETLINK_GET_STRICT_CHK = 12,
};

/* Groups may be joined: nothing is ever sent to them. */
static int nl_setopt(struct socket *s __unused, int level, int opt,
		     const void *val __unused, u32 len)
{
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < 4)
		return -EINVAL;
	switch (opt) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static void nl_release(struct socket *s)
{
	struct nl_sock *nl = to_nl(s);

	while (!list_empty(&nl->queue)) {
		struct nl_buf *b = first(nl);

		list_del(&b->node);
		kfree(b);
	}
	kfree(nl);
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
};

bool netlink_file(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->ops == &netlink_ops;
}

void netlink_deliver(struct file *f, const void *data, size_t n)
{
	struct nl_sock *nl = to_nl(socket_of(f));
	struct nl_buf *b = nl_buf_new();
	void *at = b ? nl_room(b, (u32)n) : NULL;

	if (!at) {
		kfree(b);
		return;
	}
	memcpy(at, data, n);
	queue(nl, b);
	wake_up_all_key(&nl->s.rd_wq, POLLIN | POLLRDNORM);
}

struct socket *netlink_create(int type, int protocol)
{
	struct nl_sock *nl;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG)
		return ERR_PTR(-EPROTONOSUPPORT);
	nl = kzalloc(sizeof(*nl));
	if (!nl)
		return ERR_PTR(-ENOMEM);
	socket_init(&nl->s, &netlink_ops, AF_NETLINK, (u16)type);
	nl->s.protocol = (u16)protocol;
	spin_init(&nl->lock, "netlink", RANK_PIPE);
	list_init(&nl->queue);
	mutex_init(&nl->rd_mutex);
	return &nl->s;
}
