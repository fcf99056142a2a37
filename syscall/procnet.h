/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet.h - what stands in files of /proc/<pid>/net: of struct proc_net_entry.
 */
#ifndef SYSCALL_PROCNET_H
#define SYSCALL_PROCNET_H

#include <fs/proc/net.h>

/* --- procnet_stat.c */
int procnet_snmp(struct text *t, struct net_ns *net, u64 arg);
int procnet_netstat(struct text *t, struct net_ns *net, u64 arg);
int procnet_snmp6(struct text *t, struct net_ns *net, u64 arg);

/* --- procnet_list.c; @six: of IPv6 */
int procnet_raw(struct text *t, struct net_ns *net, u64 six);
int procnet_packet(struct text *t, struct net_ns *net, u64 arg);
int procnet_netlink(struct text *t, struct net_ns *net, u64 arg);
int procnet_igmp(struct text *t, struct net_ns *net, u64 six);
int procnet_fib(struct text *t, struct net_ns *net, u64 arg);
int procnet_protocols(struct text *t, struct net_ns *net, u64 arg);
u32 procnet_nr_raw(struct net_ns *net, bool six);
/* A heading alone: entry @nr of those that never have more. */
enum procnet_empty {
	PROCNET_MCFILTER,
	PROCNET_MCFILTER6,
	PROCNET_NOTHING,
};
int procnet_empty(struct text *t, struct net_ns *net, u64 nr);

/* --- procnet_link.c */
int procnet_dev(struct text *t, struct net_ns *net, u64 arg);
int procnet_dev_mcast(struct text *t, struct net_ns *net, u64 arg);
int procnet_if_inet6(struct text *t, struct net_ns *net, u64 arg);
int procnet_route(struct text *t, struct net_ns *net, u64 arg);
int procnet_route6(struct text *t, struct net_ns *net, u64 arg);
int procnet_arp(struct text *t, struct net_ns *net, u64 arg);

/* --- procnet_sysctl.c: below /proc/sys/net */
int procnet_sysctl(struct pnode *net);
/* Directory @path, made if need be, below @d; NULL: no memory.  At boot. */
struct pnode *procnet_sysctl_dir(struct pnode *d, const char *path);

/* --- procnet_conf.c: conf/ of IPv4 and IPv6, and ip_forward */
int procnet_conf(struct pnode *net);

/* --- procnet.c: a line for each socket, as in udp; @nr counts them */
struct inet_sock;
void procnet_put_inet(struct text *t, const struct inet_sock *is, u32 nr,
		      bool six);
void procnet_inet_head(struct text *t, bool six, bool datagrams);

#endif /* SYSCALL_PROCNET_H */
