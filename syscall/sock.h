/* SPDX-License-Identifier: MIT */
/*
 * syscall/sock.h - socket addresses and descriptors, decoded.
 */
#ifndef SYSCALL_SOCK_H
#define SYSCALL_SOCK_H

#include <kernel/file/file.h>
#include <net/socket.h>

/* fd_ref() of a socket: 0, -EBADF or -ENOTSOCK; fd_unref() after 0. */
int sock_ref(int fd, struct fdref *r, struct socket **s);
enum addr_use {
	ADDR_BIND, /* make the node */
	ADDR_FIND, /* it must be there, and writable */
};
/* 0 or -errno; then sock_addr_put(). */
int sock_addr_read(const struct socket *s, uaddr_t uaddr, u32 len,
		   enum addr_use use, struct sock_addr *out);
void sock_addr_put(struct sock_addr *a);
/* Into [uaddr, uaddr + room): the address's whole length, or -EFAULT. */
int sock_addr_copy(const struct sock_addr *a, uaddr_t uaddr, u32 room);
/* The same with the length at @ulen, which is updated. */
int sock_addr_write(const struct sock_addr *a, uaddr_t uaddr, uaddr_t ulen);
/* A descriptor for @s, which it takes. */
int sock_install(struct socket *s, u32 flags);

#endif /* SYSCALL_SOCK_H */
