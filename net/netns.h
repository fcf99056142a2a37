/* SPDX-License-Identifier: MIT */
/* net/netns.h - what files of net/ ask of network namespaces; see kernel/ns/net.h. */
#ifndef NET_NETNS_H
#define NET_NETNS_H

#include <kernel/ns/net.h>

/* A descriptor of @n for who may administer it, or -errno.  SIOCGSKNS, of a socket,
 * and of an interface's file. */
#define SIOCGSKNS 0x894cu
s64 net_ns_open(struct net_ns *n);

/* --- numbers that namespace @n has for others */
#define NETNSID_NONE (-1)
s32 net_nsid_of(const struct net_ns *n, const struct net_ns *of);
/* A number below 0: any.  0, -EEXIST, -ENOSPC (the number is taken), -ENOMEM. */
int net_nsid_set(struct net_ns *n, const struct net_ns *of, s32 id);
/* For dumps: the @nth of them, or NETNSID_NONE. */
s32 net_nsid_nth(struct net_ns *n, u32 nth);

/* --- defined above (syscall/netns.c): the namespace that a descriptor, or a process
 * of current's PID namespace, names, with a reference; NULL: it names none */
struct net_ns *net_ns_by_fd(int fd);
struct net_ns *net_ns_by_pid(int pid);

#endif /* NET_NETNS_H */
