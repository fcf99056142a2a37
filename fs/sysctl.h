/* SPDX-License-Identifier: MIT */
/* fs/sysctl.h - settings in /proc/sys that the system calls' layer acts on. */
#ifndef FS_SYSCTL_H
#define FS_SYSCTL_H

#include <lib/types.h>

/* [a] who may make an io_uring; 0: everybody, 1: that group and root, 2: nobody */
extern u64 io_uring_disabled;
extern u64
	io_uring_group; /* [a] a gid as the first namespace has it; -1: none */

#endif /* FS_SYSCTL_H */
