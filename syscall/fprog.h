/* SPDX-License-Identifier: MIT */
/* syscall/fprog.h - a program of classic BPF as user space hands it over. */
#ifndef SYSCALL_FPROG_H
#define SYSCALL_FPROG_H

#include <lib/types.h>

struct sock_fprog {
	u16 len, pad[3];
	uaddr_t filter;
};
STATIC_ASSERT(sizeof(struct sock_fprog) == 16, "Linux's struct sock_fprog");

#endif /* SYSCALL_FPROG_H */
