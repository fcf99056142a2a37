/* SPDX-License-Identifier: MIT */
/*
 * kernel/upcalls.h - what kernel/ needs from the layers above it.
 *
 * Declared here, defined there (named at each).  Nothing else points upwards.
 */
#ifndef KERNEL_UPCALLS_H
#define KERNEL_UPCALLS_H

#include <lib/types.h>

struct thread;
struct process;
struct file;
struct fs_ctx;
struct inode;

/* syscall/table.c: run the system call in t's registers; result in a0. */
void syscall_dispatch(struct thread *t);
/* What it calls for @nr, whatever that is, when nobody watches the thread: gets the
 * saved a0-a5, returns the result.  Valid after INIT_CORE. */
typedef s64 syscall_fn(const u64 *args);
syscall_fn *syscall_handler(u64 nr);
/* Name for traces and /proc; NULL if not implemented. */
const char *syscall_name(u64 nr);
#define NR_SYSCALLS 512

/* syscall/uring/pool.c: @p, which current is the last thread of, ends or executes
 * another program: its io_uring requests and their workers end first. */
void uring_process_exit(struct process *p);

/* syscall/acct.c: current, the last thread of @p, ends with that wait status. */
void acct_process_exit(struct process *p, int status);

/* net/taskstats.c: current, the @last thread of its process or not, ends with that wait
 * status, and still has its memory; somebody wants to hear of it (task_stats_heard). */
void taskstats_exit(int status, bool last);

/* fs/fs_ctx.c: root, cwd, umask. */
struct fs_ctx *fs_ctx_get(struct fs_ctx *c);
void fs_ctx_put(struct fs_ctx *c);
struct fs_ctx *fs_ctx_dup(struct fs_ctx *c); /* NULL: -ENOMEM */
struct fs_ctx *fs_ctx_new_root(void);	     /* at the root mount, for init */
bool fs_ctx_is_chrooted(void); /* current's root is not that of its mounts */
/* fs/mountns.c: the context @c, which nobody shares and which is or was made from
 * current's, gets a copy of all its mounts to itself: 0 or -errno. */
struct ns_common;
struct user_ns;
int fs_ctx_new_mounts(struct fs_ctx *c, struct user_ns *owner);
/* fs/nsfs.c: a descriptor of @ns, of which it takes the reference; or -errno. */
s64 nsfs_open(struct ns_common *ns);
/* net/netns.c: with a loopback that is down; ERR_PTR: -ENOMEM, -ENOSPC. */
struct net_ns;
struct net_ns *net_ns_new(struct user_ns *owner);
/* Its mount namespace.  task_lock held, or @c is current's; no reference. */
struct ns_common *fs_ctx_mnt_ns(struct fs_ctx *c);

/* fs/exec_file.c: open an executable (checks type, mode, noexec; denies writes);
 * ERR_PTR.  Path in kernel memory, relative to dirfd. */
struct file *exec_open(int dirfd, const char *path, u32 at_flags);
void exec_close(
	struct file *f); /* as file_put(): writing is denied till then */
s64 exec_read(struct file *f, void *buf, size_t n, u64 pos);
/* Capabilities of the file to honour; 0 or -errno: it cannot be executed. */
struct exec_caps {
	bool has;	/* there are some */
	bool effective; /* what is permitted is in effect as well */
	u64 permitted, inheritable;
};
int exec_caps(struct file *f, struct exec_caps *c);
bool exec_readable(const struct file *f); /* by current */
/* Owner and set-id bits to honour (0 if nosuid): mode, uid, gid. */
void exec_attrs(struct file *f, u32 *mode, u32 *uid, u32 *gid);
int exec_path_str(struct file *f, char *buf, size_t n);
/* Which file it is, as /proc/<pid>/maps says: device (MKDEV()), inode. */
void exec_file_id(struct file *f, u32 *dev, u64 *ino);
/* Its first page with a reference, if that is in memory, or NULL; takes no lock that
 * sleeps. */
struct page;
struct page *exec_first_page(struct file *f);

/* fs/coredump.c: write current's memory and registers; false: nothing was written. */
struct siginfo;
bool core_dump(const struct siginfo *si, int sig);

/* fs/rootmount.c: initramfs or root=; fills the init path. 0 or -errno. */
int root_mount_all(char *init_path, size_t n);
/* /dev/console, also when there is no node of it; ERR_PTR. */
struct file *fs_open_console(void);
/* Sync, remount read-only: before poweroff. */
void fs_shutdown(void);

/* fs/open.c: the last reference to a file with an inode is gone. */
void fs_file_release(struct file *f);
/* fs/eventpoll.c: the same, for a file that somebody watches; before release(). */
void epoll_file_gone(struct file *f);
/* fs/locks.c etc.: a process ends or closes. */
void posix_locks_release(struct file *f, void *owner);
void file_locks_release(struct file *f); /* the last reference is gone */

#endif /* KERNEL_UPCALLS_H */
