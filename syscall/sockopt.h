/* SPDX-License-Identifier: MIT */
/* syscall/sockopt.h - options of SOL_SOCKET that are kept, or tell something (sockopt.c). */
#ifndef SYSCALL_SOCKOPT_H
#define SYSCALL_SOCKOPT_H

#include <net/socket.h>

#define SO_MAX_PACING_RATE 47
#define SO_PEERGROUPS	   59

/* -ENOPROTOOPT: none of these. */
int sockopt_set(struct socket *s, int opt, u32 v);
/* Length of what is put into SOCK_OPT_MAX bytes at @val. */
int sockopt_get(struct socket *s, int opt, void *val);
int sockopt_set_pacing(struct socket *s, uaddr_t uval, u32 len);
int sockopt_set_txtime(struct socket *s, uaddr_t uval, u32 len);
/* SO_PEERGROUPS: 0 or -errno. */
int sockopt_peer_groups(struct socket *s, uaddr_t uval, uaddr_t ulen, u32 room);

#endif /* SYSCALL_SOCKOPT_H */
