/* SPDX-License-Identifier: MIT */
/*
 * net/uevent.c - sockets of NETLINK_KOBJECT_UEVENT: what happens to devices.
 *
 * The kernel speaks to group 1 (kernel/dev/uevent.h).  Programs with CAP_NET_ADMIN
 * speak to other groups and to single ports: udevd tells group 2 what it has made of
 * an event.  Each message comes with its sender's port, 0 for the kernel, and, if
 * SO_PASSCRED is on, with credentials.  What programs say stays in their network
 * namespace.
 *
 * Locking: all.lock (RANK_FILE) guards the list of sockets, their ports and groups; the
 * lock of a queue (nlsock.h) is taken inside.
 */
#include <net/nlsock.h>

#include <kernel/dev/uevent.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>

#define KERNEL_GROUP 1u

static struct nl_all all = NL_ALL_INIT(all, "uevent_all");

/* --- sending */

/* Does @u hear what is said in @net?  What the kernel says (NULL) all do whose namespace is
 * the first user namespace's, as devices are. */
static bool hears(const struct nl_sock *u, const struct net_ns *net)
{
	return net ? u->s.net == net : u->s.net->ns.owner == &init_user_ns;
}

struct audience {
	const struct net_ns *net;
	const struct nl_buf *m;
	u32 port;
};

/* To all in m->groups but the sender. */
static bool in_groups(const struct nl_sock *u, const void *arg)
{
	const struct audience *a = arg;

	return u->groups & a->m->groups && hears(u, a->net) &&
	       (!a->m->port || u->port != a->m->port);
}

static bool has_port(const struct nl_sock *u, const void *arg)
{
	const struct audience *a = arg;

	return u->port == a->port && hears(u, a->net);
}

static u32 tell(bool (*listens)(const struct nl_sock *u, const void *arg),
		const struct audience *a, struct nl_buf *m)
{
	struct list_head bufs = LIST_HEAD_INIT(bufs);
	u32 n;

	list_add(&m->node, &bufs);
	n = nl_tell_all(&all, listens, a, &bufs);
	list_del(&m->node);
	return n;
}

static void tell_groups(const struct net_ns *net, struct nl_buf *m)
{
	const struct audience a = { .net = net, .m = m };

	(void)tell(in_groups, &a, m);
}

static int tell_port(const struct net_ns *net, u32 port, struct nl_buf *m)
{
	const struct audience a = { .net = net, .port = port };

	return tell(has_port, &a, m) ? 0 : -ECONNREFUSED;
}

static void from_kernel(const char *text, size_t n)
{
	struct nl_buf *m = kzalloc(sizeof(*m) + n);

	if (!m)
		return;
	m->len = (u32)n;
	m->groups = 1u << (KERNEL_GROUP - 1);
	memcpy(m->data, text, n);
	tell_groups(NULL, m);
	kfree(m);
}

/* Has another socket of the namespace that port?  all.lock held. */
static bool taken(const struct nl_sock *u, u32 port)
{
	struct nl_sock *o;

	list_for_each_entry(o, &all.socks, node) {
		if (o != u && o->port == port && o->s.net == u->s.net)
			return true;
	}
	return false;
}

/* A port of its own for a socket without one: the pid, or something that nobody can
 * foresee, and have taken before. */
static u32 port_of(struct nl_sock *u, u32 wish)
{
	u32 port = wish ? wish : (u32)current->proc->pid;

	while (taken(u, port)) {
		if (wish)
			return 0;
		random_bytes(&port, sizeof(port));
		port |= 1u << 31;
	}
	return port;
}

static int deliver(struct nl_sock *u, const struct nl_addr *a, struct nl_buf *m)
{
	spin_lock(&all.lock);
	if (!u->port)
		u->port = port_of(u, 0);
	m->port = u->port;
	spin_unlock(&all.lock);
	if (a->groups)
		tell_groups(u->s.net, m);
	return a->port ? tell_port(u->s.net, a->port, m)
		       : 0; /* the kernel asks nothing */
}

static s64 uev_send(struct socket *s, struct sock_msg *sm)
{
	size_t len = iov_iter_count(sm->it);
	struct nl_buf *m;
	struct nl_addr a;
	int err;

	if (sm->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = nl_addr_to(s, sm->to, &a);
	if (err)
		return err;
	if (len > NL_SEND_MAX)
		return -EMSGSIZE;
	m = kzalloc(sizeof(*m) + len);
	if (!m)
		return -ENOBUFS;
	m->len = (u32)len;
	m->groups = a.groups;
	m->creds = sm->creds;
	err = copy_from_iter(m->data, len, sm->it) == len
		      ? deliver(to_nl(s), &a, m)
		      : -EFAULT;
	kfree(m);
	return err ? err : (s64)len;
}

/* --- names and the rest */

static int uev_bind(struct socket *s, struct sock_addr *addr)
{
	struct nl_sock *u = to_nl(s);
	struct nl_addr a;
	int err = nl_addr_get(&a, addr);
	u32 port;

	if (err)
		return err;
	spin_lock(&all.lock);
	port = u->port ? u->port : port_of(u, a.port);
	if (u->port && a.port != u->port)
		err = -EINVAL; /* it has another one */
	else if (!port)
		err = -EADDRINUSE;
	if (!err) {
		u->port = port;
		u->groups = a.groups;
	}
	spin_unlock(&all.lock);
	return err;
}

static int uev_connect(struct socket *s __unused, const struct sock_addr *addr,
		       bool nonblock __unused)
{
	return addr->family == AF_UNSPEC ? 0 : -EOPNOTSUPP;
}

static int uev_name(struct socket *s, bool peer, struct sock_addr *out)
{
	struct nl_sock *u = to_nl(s);
	u32 port = 0, groups = 0;

	if (!peer) {
		spin_lock(&all.lock);
		port = u->port;
		groups = (u32)u->groups;
		spin_unlock(&all.lock);
	}
	nl_addr_put(out, port, groups);
	return 0;
}

static int set_member(struct nl_sock *u, u32 group, bool in)
{
	if (group < 1 || group > 32)
		return -EINVAL;
	spin_lock(&all.lock);
	if (in)
		u->groups |= 1u << (group - 1);
	else
		u->groups &= ~(1u << (group - 1));
	spin_unlock(&all.lock);
	return 0;
}

static int uev_setopt(struct socket *s, int level, int opt, const void *val,
		      u32 len)
{
	struct nl_sock *u = to_nl(s);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (opt) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return set_member(u, v, opt == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_NO_ENOBUFS:
		store_once(&u->no_enobufs, v != 0);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static const struct socket_ops uevent_ops = {
	.bind = uev_bind,
	.connect = uev_connect,
	.listen = sock_no_listen,
	.accept = sock_no_accept,
	.send = uev_send,
	.recv = nl_recv,
	.shutdown = sock_no_shutdown,
	.name = uev_name,
	.peer_creds = nl_peer_creds,
	.poll = nl_poll,
	.inq = nl_inq,
	.outq = sock_no_outq,
	.release = nl_release,
	.setopt = uev_setopt,
	.queue_lock = nl_queue_lock,
	.ioctl = netdev_ioctl,
};

struct socket *uevent_create(int type)
{
	struct nl_sock *u =
		nl_sock_new(&all, &uevent_ops, type, NETLINK_KOBJECT_UEVENT);

	return u ? &u->s : ERR_PTR(-ENOMEM);
}

static int uevent_net_init(void)
{
	uevent_sink = from_kernel;
	return 0;
}
INITCALL(INIT_CORE, uevent_net_init);
