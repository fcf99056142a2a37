/* SPDX-License-Identifier: MIT */
/*
 * net/link/work.h - the two coroutines of net/: "net" takes what arrives (link.h), "netcfg"
 * does what has to wait for rtnl_mutex, or for "net".
 *
 * Who holds rtnl_mutex waits for neither of them to end something.
 */
#ifndef NET_LINK_WORK_H
#define NET_LINK_WORK_H

#include <net/link/link.h>

/* As net_work_queue(), for "netcfg". */
void net_cfg_queue(struct net_work *w);
/* The same for an interface's own, whose function drops the reference that is taken. */
void net_work_queue_of(struct net_device *dev, struct net_work *w, bool is_cfg);
/* What was on its way up when this was called has arrived.  A coroutine that is not the
 * worker, rtnl_mutex not held. */
void net_work_barrier(void);
/* @b, whose device is @l's, waits for "net"; false: there are too many. */
struct link;
bool link_backlog_add(struct link *l, struct netbuf *b);

#endif /* NET_LINK_WORK_H */
