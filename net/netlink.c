/* SPDX-License-Identifier: MIT */
/*
 * net/netlink.c - netlink sockets: requests to the kernel, answers from it.
 *
 * Of NETLINK_ROUTE there is what ip(8) and getifaddrs(3) ask for: dumps and single
 * look-ups of links, addresses and routes, and taking the loopback up and down.  Other
 * requests are answered with -EOPNOTSUPP in an error message, as netlink does it.
 * Who has joined a group is told when an interface goes up or down, by anybody.
 * NETLINK_SOCK_DIAG: sock_diag.c; NETLINK_GENERIC: genetlink.c, taskstats.c.
 *
 * A request is answered within send(): the answers wait in the socket's queue.
 *
 * Names, groups and options: nlname.c.  The queue and the list of all sockets: nlsock.c.
 */
#include <net/genetlink.h>
#include <net/nlsock.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>

#define TOLD_MAX 1024u /* messages to a group that nobody has read */

static struct nl_all all = NL_ALL_INIT(all, "netlink_all");

/* --- answers */

#define NLM_F_CAPPED	  0x100u /* of a request only the header is there */
#define NLM_F_ACK_TLVS	  0x200u /* attributes follow */
#define NLMSGERR_ATTR_MSG 1u

static bool wants(const struct nl_sock *nl, u32 opt)
{
	return load_once(&nl->opts) >> opt & 1;
}

/* A request that is refused comes back whole, unless its sender does not want that, or it
 * is longer than any that makes sense. */
static void answer_error(struct nl_sock *nl, struct nl_out *o,
			 const struct nlmsghdr *req, u32 len, int err)
{
	const char *text = wants(nl, NETLINK_EXT_ACK) ? o->text : NULL;
	bool whole = err && !wants(nl, NETLINK_CAP_ACK) &&
		     len <= NL_BUF_SIZE - 2 * NL_MSG_ROOM;
	struct nlmsghdr *h = nl_begin(o, req, NLMSG_ERROR,
				      (u16)((whole ? 0 : NLM_F_CAPPED) |
					    (text ? NLM_F_ACK_TLVS : 0)));
	u32 n = whole ? len : (u32)sizeof(*req);
	s32 *error = h ? nl_room(o, (u32)sizeof(*error)) : NULL;
	void *copy = error ? nl_room(o, ALIGN_UP(n, 4u)) : NULL;

	if (!copy)
		return;
	*error = err;
	memcpy(copy, req, n);
	if (text)
		nl_attr(o, NLMSGERR_ATTR_MSG, text, (u32)strlen(text) + 1);
	nl_end(o, h);
}

static void answer_done(struct nl_out *o, const struct nlmsghdr *req)
{
	struct nlmsghdr *h = nl_begin(o, req, NLMSG_DONE, NLM_F_MULTI);

	if (h && nl_room(o, 4))
		nl_end(o, h);
}

#define RTM_KIND(type) ((type)&3)
#define RTM_KIND_GET   2

/* Then bits of NLM_F_DUMP say how. */
static bool is_change(const struct nl_sock *nl, const struct nlmsghdr *req)
{
	return nl->s.protocol == NETLINK_ROUTE &&
	       RTM_KIND(req->type) != RTM_KIND_GET;
}

/* What changes something is for those who administer the namespace: who opened the socket,
 * lest he have somebody else's words written to it, and who sends. */
static bool may_ask(const struct nl_sock *nl, const struct nlmsghdr *req)
{
	return !is_change(nl, req) ||
	       (nl->admin && net_capable(nl->s.net, CAP_NET_ADMIN));
}

/* The answer to @req itself. */
static int serve(struct nl_sock *nl, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool dump)
{
	if (!(req->flags & NLM_F_REQUEST) || req->type < NLMSG_FIRST)
		return 0;
	if (!may_ask(nl, req))
		return -EPERM;
	switch (nl->s.protocol) {
	case NETLINK_SOCK_DIAG:
		return sock_diag_request(nl->s.net, o, req, len, dump);
	case NETLINK_GENERIC:
		return genl_request(nl, o, req, len, dump);
	default:
		return rtnl_request(nl->s.net, o, req, len, dump);
	}
}

/* A dump's end is a message of its own, as Linux sends it. */
static int handle_request(struct nl_sock *nl, const struct nlmsghdr *req,
			  u32 len)
{
	bool dump = (req->flags & NLM_F_DUMP) == NLM_F_DUMP &&
		    req->flags & NLM_F_REQUEST && req->type >= NLMSG_FIRST &&
		    !is_change(nl, req);
	struct nl_out o;
	int err;

	nl_out_init(&o);
	err = serve(nl, &o, req, len, dump);
	if (err)
		nl_out_free(&o);
	if (err || dump || req->flags & NLM_F_ACK)
		(void)nl_next_buf(&o);
	if (err || (req->flags & NLM_F_ACK && !dump))
		answer_error(nl, &o, req, len, err);
	else if (dump)
		answer_done(&o, req);
	if (o.failed) {
		nl_out_free(&o);
		return -ENOBUFS;
	}
	nl_sock_queue(nl, &o);
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
		cond_resched();
		n = min(ALIGN_UP(n, (size_t)4), len);
		data += n;
		len -= n;
	}
	return err;
}

/* --- groups */

struct audience {
	const struct net_ns *net;
	u32 group;
};

static bool listens(const struct nl_sock *nl, const void *arg)
{
	const struct audience *a = arg;

	return nl->s.net == a->net && nl->s.protocol == NETLINK_ROUTE &&
	       (load_once(&nl->groups) >> (a->group - 1) & 1);
}

void netlink_tell(const struct net_ns *net, u32 group, struct nl_out *o)
{
	const struct audience a = { net, group };
	struct nl_buf *b;

	list_for_each_entry(b, &o->bufs, node) {
		b->group = group;
		b->groups = group <= 32 ? 1u << (group - 1) : 0;
	}
	(void)nl_tell_all(&all, listens, &a, &o->bufs);
	nl_out_free(o);
}

bool netlink_listened(bool (*hears)(const struct nl_sock *nl, const void *arg),
		      const void *arg)
{
	struct nl_sock *nl;
	bool any = false;

	spin_lock(&all.lock);
	list_for_each_entry(nl, &all.socks, node)
		any = any || hears(nl, arg);
	spin_unlock(&all.lock);
	return any;
}

void netlink_tell_those(bool (*hears)(const struct nl_sock *nl,
				      const void *arg),
			const void *arg, struct nl_out *o)
{
	if (!o->failed)
		(void)nl_tell_all(&all, hears, arg, &o->bufs);
	nl_out_free(o);
}

void netlink_for_each(const struct net_ns *net,
		      void (*fn)(struct nl_sock *nl, void *arg), void *arg)
{
	struct nl_sock *nl;

	spin_lock(&all.lock);
	list_for_each_entry(nl, &all.socks, node) {
		if (nl->s.net == net)
			fn(nl, arg);
	}
	spin_unlock(&all.lock);
}

static s64 nl_send(struct socket *s, struct sock_msg *m)
{
	struct nl_sock *nl = to_nl(s);
	size_t len = iov_iter_count(m->it);
	struct nl_addr a;
	u8 *data;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = nl_addr_to(s, m->to, &a);
	if (err || a.port)
		return err ? err : -ECONNREFUSED; /* only the kernel listens */
	if (len > NL_SEND_MAX)
		return -EMSGSIZE;
	data = kmalloc(max(len, (size_t)16));
	if (!data)
		return -ENOBUFS;
	nl_need_port(nl);
	err = copy_from_iter(data, len, m->it) == len ? 0 : -EFAULT;
	if (!err)
		err = handle_all(nl, data, len);
	kfree(data);
	return err ? err : (s64)len;
}

/* --- names and the rest */

static int nl_connect(struct socket *s, const struct sock_addr *addr,
		      bool nonblock __unused)
{
	struct nl_sock *nl = to_nl(s);
	struct nl_addr a;
	int err;

	if (addr->family == AF_UNSPEC)
		return 0;
	err = nl_addr_to(s, addr, &a);
	if (err || a.port)
		return err ? err : -ECONNREFUSED; /* as nl_send() */
	nl_need_port(nl);
	return 0;
}

static void netlink_release(struct socket *s)
{
	taskstats_release(to_nl(s));
	nl_release(s);
}

static const struct socket_ops netlink_ops = {
	.bind = nl_bind,
	.connect = nl_connect,
	.listen = sock_no_listen,
	.accept = sock_no_accept,
	.send = nl_send,
	.recv = nl_recv,
	.shutdown = sock_no_shutdown,
	.name = nl_name,
	.peer_creds = nl_peer_creds,
	.poll = nl_poll,
	.inq = nl_inq,
	.outq = sock_no_outq,
	.release = netlink_release,
	.setopt = nl_setopt,
	.getopt = nl_getopt,
	.queue_lock = nl_queue_lock,
	.ioctl = netdev_ioctl,
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
		nl_sock_queue(nl, &o);
	nl_out_free(&o);
}

struct socket *netlink_create(int type, int protocol)
{
	struct nl_sock *nl;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	if (protocol == NETLINK_KOBJECT_UEVENT)
		return uevent_create(type);
	if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG &&
	    protocol != NETLINK_GENERIC)
		return ERR_PTR(-EPROTONOSUPPORT);
	nl = nl_sock_new(&all, &netlink_ops, type, protocol);
	if (!nl)
		return ERR_PTR(-ENOMEM);
	/* Ends of threads are many, and bounded by memory. */
	nl->told_max = protocol == NETLINK_GENERIC ? 0 : TOLD_MAX;
	return &nl->s;
}
