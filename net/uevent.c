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
 * Names, groups and options: nlname.c.
 */
#include <net/nlsock.h>

#include <kernel/dev/uevent.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
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

	return load_once(&u->groups) & a->m->groups && hears(u, a->net) &&
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
	m->group = KERNEL_GROUP;
	m->groups = 1u << (KERNEL_GROUP - 1);
	memcpy(m->data, text, n);
	tell_groups(NULL, m);
	kfree(m);
}

static int deliver(struct nl_sock *u, const struct nl_addr *a, struct nl_buf *m)
{
	nl_need_port(u);
	m->port = load_once(&u->port);
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
	/* of several the first */
	m->group = ffs64(a.groups);
	m->groups = a.groups & -a.groups;
	m->creds = sm->creds;
	err = copy_from_iter(m->data, len, sm->it) == len
		      ? deliver(to_nl(s), &a, m)
		      : -EFAULT;
	kfree(m);
	return err ? err : (s64)len;
}

static int uev_connect(struct socket *s __unused, const struct sock_addr *addr,
		       bool nonblock __unused)
{
	return addr->family == AF_UNSPEC ? 0 : -EOPNOTSUPP;
}

static const struct socket_ops uevent_ops = {
	.bind = nl_bind,
	.connect = uev_connect,
	.listen = sock_no_listen,
	.accept = sock_no_accept,
	.send = uev_send,
	.recv = nl_recv,
	.shutdown = sock_no_shutdown,
	.name = nl_name,
	.peer_creds = nl_peer_creds,
	.poll = nl_poll,
	.inq = nl_inq,
	.outq = sock_no_outq,
	.release = nl_release,
	.setopt = nl_setopt,
	.getopt = nl_getopt,
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
