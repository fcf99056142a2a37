/* SPDX-License-Identifier: MIT */
/* fs/proc/net.h - files below /proc/<pid>/net, for the layer that knows the network. */
#ifndef FS_PROC_NET_H
#define FS_PROC_NET_H

#include <fs/pseudo.h>
#include <kernel/ns/net.h>

struct proc_net_entry {
	const char *name;
	/* Of that namespace: 0 or -errno. */
	int (*show)(struct text *t, struct net_ns *net, u64 arg);
	u64 arg;
};
/* Once, at boot; the table is borrowed. */
void proc_net_table(const struct proc_net_entry *t, u32 nr);

/* --- for pid.c */
const char *proc_net_name(u32 i); /* NULL: no more */
/* The @i-th file of @net, of which it takes the reference. */
int proc_net_open(struct file *f, struct net_ns *net, u32 i);

#endif /* FS_PROC_NET_H */
