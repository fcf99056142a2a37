/* SPDX-License-Identifier: MIT */
/*
 * net/nlname.c - ports, groups and options of netlink sockets; see nlsock.h.
 *
 * A port is one socket's of a namespace and protocol.  Who binds none, and speaks, gets one:
 * the number of his process, or when that is taken something that nobody can foresee, and
 * have taken before.
 *
 * Locking: nl->all->lock guards who has which port; groups and options are atomic.
 */
#include <net/nlsock.h>

#include <kernel/ns/pid.h>
#include <kernel/random.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>

#define NO_PIDS (1u << 31) /* set in ports that are none */

/* Has another socket of the namespace and protocol that port?  all->lock held. */
static bool port_taken(const struct nl_sock *nl, u32 port)
{
	const struct nl_sock *o;

	list_for_each_entry(o, &nl->all->socks, node) {
		if (o != nl && o->port == port && o->s.net == nl->s.net &&
		    o->s.protocol == nl->s.protocol)
			return true;
	}
	return false;
}

/* For who has none; @want: this one, 0: any.  0 or -EADDRINUSE.  all->lock held. */
static int take_port(struct nl_sock *nl, u32 want)
{
	u32 port = want ? want : (u32)pid_shown(current->proc->pid);

	while (port_taken(nl, port)) {
		if (want)
			return -EADDRINUSE;
		random_bytes(&port, sizeof(port));
		port |= NO_PIDS;
	}
	store_once(&nl->port, port);
	return 0;
}

void nl_need_port(struct nl_sock *nl)
{
	if (likely(load_once(&nl->port)))
		return;
	spin_lock(&nl->all->lock);
	if (!nl->port)
		(void)take_port(nl, 0);
	spin_unlock(&nl->all->lock);
}

int nl_bind(struct socket *s, struct sock_addr *addr)
{
	struct nl_sock *nl = to_nl(s);
	struct nl_addr a;
	int err = nl_addr_get(&a, addr);

	if (err)
		return err;
	spin_lock(&nl->all->lock);
	if (!nl->port)
		err = take_port(nl, a.port);
	else if (a.port != nl->port)
		err = -EINVAL; /* it has another one */
	if (!err)
		store_once(&nl->groups,
			   (nl->groups & ~0xfffffffful) | a.groups);
	spin_unlock(&nl->all->lock);
	return err;
}

int nl_name(struct socket *s, bool peer, struct sock_addr *out)
{
	struct nl_sock *nl = to_nl(s);

	nl_addr_put(out, peer ? 0 : load_once(&nl->port),
		    peer ? 0 : (u32)load_once(&nl->groups));
	return 0;
}

static int set_member(struct nl_sock *nl, u32 group, bool in)
{
	u32 most = nl->s.protocol == NETLINK_KOBJECT_UEVENT ? 32 : 64;

	if (group < 1 || group > most)
		return -EINVAL;
	if (in)
		(void)atomic_fetch_or(&nl->groups, BIT(group - 1));
	else
		(void)atomic_fetch_and(&nl->groups, ~BIT(group - 1));
	return 0;
}

int nl_setopt(struct socket *s, int level, int opt, const void *val, u32 len)
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

int nl_getopt(struct socket *s, int level, int opt, void *val, u32 len)
{
	struct nl_sock *nl = to_nl(s);
	u64 groups = load_once(&nl->groups);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	switch (opt) {
	case NETLINK_LIST_MEMBERSHIPS:
		len = min(len & ~3u, (u32)sizeof(groups));
		memcpy(val, &groups, len);
		return (int)len;
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
