/* SPDX-License-Identifier: MIT */
/* fs/procfd.h - what an open directory of /proc stands for. */
#ifndef FS_PROCFD_H
#define FS_PROCFD_H

struct file;
struct process;

/* The process whose /proc/<pid> @f is, with a reference; -EBADF when it is something
 * else, -ESRCH when that process is gone. */
struct process *proc_dir_process(struct file *f);

#endif /* FS_PROCFD_H */
