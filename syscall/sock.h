/* SPDX-License-Identifier: MIT */
/*
 * syscall/sock.h - socket addresses and descriptors, decoded.
 */
#ifndef SYSCALL_SOCK_H
#define SYSCALL_SOCK_H

#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <net/socket.h>

struct user_msghdr {
	uaddr_t name;
	u32 namelen, pad0;
	uaddr_t iov;
	u64 iovlen;
	uaddr_t control;
	u64 controllen;
	u32 flags, pad1;
};
STATIC_ASSERT(sizeof(struct user_msghdr) == 56, "Linux's struct user_msghdr");

/* --- sockmsg.c: sendmsg(2) and recvmsg(2) of a header that has been read */
int msg_read_hdr(struct user_msghdr *h, uaddr_t umsg);
/* To the @h->namelen bytes at @name, or if that is NULL at @h->name. */
s64 msg_send(struct file *f, struct socket *s, const struct user_msghdr *h,
	     const void *name, struct iov_iter *it, u32 flags);
/* The output fields are updated in @h, and at @umsg unless that is 0. */
s64 msg_recv(struct file *f, struct socket *s, struct user_msghdr *h,
	     struct iov_iter *it, uaddr_t umsg, u32 flags);

/* --- socket.c: accept4(2) on a file that is known */
/* Length, or -errno: what getsockopt(SOL_SOCKET) gives; @val has SOCK_OPT_MAX. */
int sock_get_option(struct socket *s, int opt, void *val);
s64 sock_accept(struct file *f, uaddr_t uaddr, uaddr_t ulen, u32 flags,
		bool nonblock);

/* fd_ref() of a socket: 0, -EBADF or -ENOTSOCK; fd_unref() after 0. */
int sock_ref(int fd, struct fdref *r, struct socket **s);
enum addr_use {
	ADDR_BIND, /* make the node */
	ADDR_FIND, /* it must be there, and writable */
};
/* 0 or -errno; then sock_addr_put(). */
int sock_addr_read(const struct socket *s, uaddr_t uaddr, u32 len,
		   enum addr_use use, struct sock_addr *out);
/* The same of an address that has been copied. */
#define SOCKADDR_MAX 128u
int sock_addr_decode(const struct socket *s, const void *raw, u32 len,
		     enum addr_use use, struct sock_addr *out);
void sock_addr_put(struct sock_addr *a);
/* Remove the node that ADDR_BIND made. */
void sock_addr_unmake(const struct sock_addr *a);
/* Into SOCKADDR_MAX bytes at @raw: its length. */
u32 sock_addr_encode(const struct sock_addr *a, void *raw);
/* Into [uaddr, uaddr + room): the address's whole length, or -EFAULT. */
int sock_addr_copy(const struct sock_addr *a, uaddr_t uaddr, u32 room);
/* The same with the length at @ulen, which is updated. */
int sock_addr_write(const struct sock_addr *a, uaddr_t uaddr, uaddr_t ulen);
/* A descriptor for @s, which it takes. */
int sock_install(struct socket *s, u32 flags);
/* Its file; NULL: no memory, and the socket is gone. */
struct file *sock_file(struct socket *s, u32 flags);
/* Is @name the attribute that the inode of a socket's file has? */
#define SOCK_XATTR_NAME "system.sockprotoname"
bool sock_has_xattr(const struct inode *i, const char *name);

#endif /* SYSCALL_SOCK_H */
