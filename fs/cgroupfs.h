/* SPDX-License-Identifier: MIT */
/*
 * fs/cgroupfs.h - what system calls want of cgroup2.  Context: coroutine.
 */
#ifndef FS_CGROUPFS_H
#define FS_CGROUPFS_H

#include <lib/types.h>

struct cgroup;

/* clone3(CLONE_INTO_CGROUP): the group whose directory @fd is, with a reference, when
 * current may put children there; or ERR_PTR. */
struct cgroup *cgroupfs_clone_into(int fd);
/* The group whose directory @fd is, with a reference; ERR_PTR(-EBADF): no such. */
struct cgroup *cgroupfs_of_fd(int fd);

#endif /* FS_CGROUPFS_H */
