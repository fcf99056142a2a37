/* SPDX-License-Identifier: MIT */
/*
 * syscall/netns.c - which network namespace a descriptor or a process names.
 *
 * Here, because only this layer knows both the files and the network.
 */
#include <net/netns.h>

#include <fs/nsfs.h>
#include <kernel/file/file.h>
#include <kernel/ns/pid.h>

struct net_ns *net_ns_by_fd(int fd)
{
	struct fdref r = fd_ref(fd);
	struct net_ns *n = NULL;
	struct ns_common *ns;

	if (!r.f)
		return NULL;
	ns = nsfs_file_ns(r.f);
	if (ns && ns->ops == &net_ns_ops)
		n = net_ns_get(container_of(ns, struct net_ns, ns));
	fd_unref(r);
	return n;
}

struct net_ns *net_ns_by_pid(int pid)
{
	struct process *p = process_find(pid_given(pid));
	struct net_ns *n = p ? net_ns_of_tid(0, p) : NULL;

	process_put(p);
	return n;
}
