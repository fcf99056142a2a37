/* SPDX-License-Identifier: MIT */
/* syscall/sockfilter.h - SO_ATTACH_FILTER and its kin, for setsockopt and getsockopt. */
#ifndef SYSCALL_SOCKFILTER_H
#define SYSCALL_SOCKFILTER_H

#include <net/socket.h>

#define SO_ATTACH_FILTER	 26 /* SO_GET_FILTER */
#define SO_DETACH_FILTER	 27
#define SO_LOCK_FILTER		 44
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_DETACH_REUSEPORT_BPF	 68

int sock_attach_filter(struct socket *s, uaddr_t uval, u32 len);
/* SO_ATTACH_REUSEPORT_CBPF */
int sock_attach_chooser(struct socket *s, uaddr_t uval, u32 len);
int sock_lock_filter(struct socket *s, u32 v);
/* How many instructions it has, which go to @uval if @room, in instructions, is not 0. */
int sock_get_filter(struct socket *s, uaddr_t uval, u32 room);

#endif /* SYSCALL_SOCKFILTER_H */
