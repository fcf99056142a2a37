/* SPDX-License-Identifier: MIT */
/*
 * fs/initramfs.h - unpack the initrd into the root tmpfs.
 */
#ifndef FS_INITRAMFS_H
#define FS_INITRAMFS_H

#include <lib/types.h>

/* 0, or the error that ended it, after a message; what was unpacked stays. */
int initramfs_unpack(const void *buf, size_t size);

#endif /* FS_INITRAMFS_H */
