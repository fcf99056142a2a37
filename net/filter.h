/* SPDX-License-Identifier: MIT */
/*
 * net/filter.h - programs that choose what a socket hears: SO_ATTACH_FILTER of socket(7).
 *
 * Of sockets that hear whole packets: internet ones but streams, and Unix-domain ones
 * but streams.  A program is its socket's, and runs under the lock of its queue.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include <lib/cbpf.h>
#include <net/socket.h>

struct sock_filter {
	u32 len;
	struct cbpf_insn insns[];
};

/* @len instructions that are still to be copied in, or NULL. */
struct sock_filter *sock_filter_alloc(u32 len);
/* Take *@f, checked, in the place of what there was, which goes; NULL: none from now on.
 * 0, -EINVAL, -EPERM (locked), -ENOENT (there is none), -ENOPROTOOPT. */
int sock_filter_set(struct socket *s, struct sock_filter *f);
/* A copy of what is set, or NULL: nothing is (or no memory: -ENOMEM in *@err). */
struct sock_filter *sock_filter_get(struct socket *s, int *err);
void sock_filter_free(struct socket *s); /* its end */

/* Does @s, which has one, want the packet?  Then *@keep is how many bytes of those behind
 * p->start.  The queue's lock is held. */
bool sock_filter_run(const struct socket *s, struct cbpf_packet *p, u32 *keep);

/* What every packet of @s has besides its bytes. */
void sock_filter_fill(const struct socket *s, struct cbpf_packet *p);

#endif /* NET_FILTER_H */
