/* SPDX-License-Identifier: MIT */
/*
 * net/nlsock.h - what sockets of netlink have in common, whatever the protocol: a queue
 * of messages that are told, or answered, and how it is read.
 *
 * netlink.c has those that ask the kernel, uevent.c those that hear of devices.
 *
 * Locking: nl->lock (RANK_PIPE) guards the queue and the filter (filter.h); nl->all->lock
 * (RANK_FILE) the list of all sockets of a protocol, and who holds one.
 */
#ifndef NET_NLSOCK_H
#define NET_NLSOCK_H

#include <kernel/sched/wait.h>
#include <net/netlink.h>
#include <net/socket.h>

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

#define NL_SEND_MAX 32768u /* bytes at once */

struct nl_sock;
struct nl_all {
	struct spinlock lock;
	struct list_head socks; /* [lock] */
};
#define NL_ALL_INIT(a, name)                            \
	{                                               \
		.lock = SPINLOCK_INIT(name, RANK_FILE), \
		.socks = LIST_HEAD_INIT((a).socks)      \
	}

struct nl_sock {
	struct socket s;
	struct nl_all *all; /* [I] */
	u32 refs;	    /* [all->lock] */
	u32 port;	    /* [all->lock] 0: none yet */
	u64 groups;	    /* [a] bit n - 1: group n */
	u64 exit_cpus; /* [a] harts of whose threads' ends it hears: taskstats.c */
	bool admin;    /* [I] who made it had CAP_NET_ADMIN */
	u32 told_max; /* [I] messages told, not yet read; 0: as many as fit rcvbuf */
	bool no_enobufs;	/* [a] */
	u32 opts;		/* [a] bit n: option n is on */
	struct list_head node;	/* [all->lock] */
	struct spinlock lock;	/* RANK_PIPE */
	struct list_head queue; /* [lock] of struct nl_buf */
	u32 nr_told;		/* [lock] of the queue, to groups */
	u64 queued;		/* [lock] what its messages take */
	struct mutex rd_mutex;
};

/* struct sockaddr_nl behind its family. */
struct nl_addr {
	u16 pad;
	u32 port, groups;
} __packed;

static inline struct nl_sock *to_nl(struct socket *s)
{
	return container_of(s, struct nl_sock, s);
}

/* Zeroed, in current's network namespace, one of @all; NULL: no memory. */
struct nl_sock *nl_sock_new(struct nl_all *all, const struct socket_ops *ops,
			    int type, int protocol);
void nl_release(struct socket *s); /* of socket_ops */

/* -EINVAL: it is no address of netlink. */
int nl_addr_get(struct nl_addr *a, const struct sock_addr *from);
/* Whom @s sends to, who is the kernel if nobody is named.  -EPERM: others are for those who
 * administer the namespace. */
int nl_addr_to(const struct socket *s, const struct sock_addr *to,
	       struct nl_addr *a);
void nl_addr_put(struct sock_addr *to, u32 port, u32 groups);

/* Takes the buffers.  One answer may be longer than the queue, which loses the next. */
void nl_sock_queue(struct nl_sock *nl, struct nl_out *o);
/* A copy of @b for one listener; who does not read loses it and is told once. */
void nl_sock_tell(struct nl_sock *nl, const struct nl_buf *b);
/* Copies of those of @bufs for each of @all that @listens, which the list's lock is held
 * around: how many these are.  No lock is held otherwise: there may be many. */
u32 nl_tell_all(struct nl_all *all,
		bool (*listens)(const struct nl_sock *nl, const void *arg),
		const void *arg, const struct list_head *bufs);

/* --- nlname.c */
/* Who speaks has a port from then on. */
void nl_need_port(struct nl_sock *nl);
/* Of socket_ops. */
int nl_bind(struct socket *s, struct sock_addr *addr);
int nl_name(struct socket *s, bool peer, struct sock_addr *out);
int nl_setopt(struct socket *s, int level, int opt, const void *val, u32 len);
int nl_getopt(struct socket *s, int level, int opt, void *val, u32 len);

/* Of socket_ops. */
s64 nl_recv(struct socket *s, struct sock_msg *m);
int nl_peer_creds(struct socket *s, struct sock_creds *out);
u32 nl_poll(struct socket *s, struct file *f, struct poll_table *pt);
u64 nl_inq(struct socket *s);
struct spinlock *nl_queue_lock(struct socket *s);

#endif /* NET_NLSOCK_H */
