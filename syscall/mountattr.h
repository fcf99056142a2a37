/* SPDX-License-Identifier: MIT */
/* syscall/mountattr.h - attributes of mounts as the newer calls number them. */
#ifndef SYSCALL_MOUNTATTR_H
#define SYSCALL_MOUNTATTR_H

#include <lib/types.h>

#define MOUNT_ATTR_RDONLY      0x01u
#define MOUNT_ATTR_NOSUID      0x02u
#define MOUNT_ATTR_NODEV       0x04u
#define MOUNT_ATTR_NOEXEC      0x08u
#define MOUNT_ATTR_NOATIME     0x10u
#define MOUNT_ATTR_STRICTATIME 0x20u
#define MOUNT_ATTR__ATIME      0x70u
#define MOUNT_ATTR_NODIRATIME  0x80u
#define MOUNT_ATTR_IDMAP       0x100000u
#define MOUNT_ATTR_NOSYMFOLLOW 0x200000u
#define MOUNT_ATTR_KNOWN       0x3000ffull

/* MS_* of struct mount as such. */
u64 ms_to_mount_attr(u64 ms);

#endif /* SYSCALL_MOUNTATTR_H */
