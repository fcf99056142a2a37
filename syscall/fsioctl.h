/* SPDX-License-Identifier: MIT */
/*
 * syscall/fsioctl.h - ioctl(2) that the VFS of Linux answers for all file systems.
 */
#ifndef SYSCALL_FSIOCTL_H
#define SYSCALL_FSIOCTL_H

#include <fs/vfs.h>

/* As fallocate(2); attr.c. */
int file_fallocate(struct file *f, int mode, s64 off, s64 len);
/* What the file system of regular file or directory @f did not know: -ENOTTY. */
s64 fs_ioctl(struct file *f, u32 cmd, uaddr_t arg);

#endif /* SYSCALL_FSIOCTL_H */
