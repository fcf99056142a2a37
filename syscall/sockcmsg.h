/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockcmsg.h - control messages, decoded and encoded.
 *
 * Context: coroutine.  Errors: -errno.
 */
#ifndef SYSCALL_SOCKCMSG_H
#define SYSCALL_SOCKCMSG_H

#include <syscall/sock.h>

struct sock_cmsg_out {
	uaddr_t at;
	u64 left, done;
	u32 flags; /* MSG_CTRUNC */
};

/* What the messages of @h say, to @m; its files are the caller's then, also of an error. */
int sock_cmsg_read(const struct socket *s, const struct user_msghdr *h,
		   struct sock_msg *m);
/* What there is to say of @m, which was received. */
int sock_cmsg_write(struct sock_cmsg_out *o, const struct socket *s,
		    struct sock_msg *m);

#endif /* SYSCALL_SOCKCMSG_H */
