/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/pid_int.h - inodes of /proc/<pid>, for pid.c and pidlink.c.
 *
 * An inode is a code: process, thread, kind and descriptor.  It holds no reference:
 * every operation looks the process up anew, and a name whose process has gone
 * answers -ENOENT or -ESRCH.
 */
#ifndef FS_PROC_PID_INT_H
#define FS_PROC_PID_INT_H

#include <fs/vfs.h>
#include <lib/types.h>

enum pid_kind {
	PK_DIR,	    /* /proc/<pid> or task/<tid> */
	PK_TASK,    /* task/ */
	PK_FD,	    /* fd/ */
	PK_FDINFO,  /* fdinfo/ */
	PK_MAPS,    /* map_files/ */
	PK_FDLINK,  /* fd/<n> */
	PK_FDTEXT,  /* fdinfo/<n> */
	PK_ENTRY,   /* pid_entries[sub] */
	PK_NS,	    /* ns/ */
	PK_NSLINK,  /* ns/<name>: link number sub */
	PK_NET,	    /* net/ */
	PK_NETTEXT, /* net/<name>: file number sub */
};

/* Fields of the code in inode->priv. */
struct pid_code {
	u32 pid;
	u8 kind;
	bool task; /* below task/ */
	u32 sub;   /* entry index or descriptor, of 23 bits */
};
#define SUB_MASK 0x7fffffu

static inline u64 pid_pack(struct pid_code c)
{
	return (u64)c.pid << 32 | (u64)c.kind << 24 | (u64)c.task << 23 |
	       c.sub | 1ULL << 62;
}

static inline struct pid_code pid_unpack(const struct inode *i)
{
	u64 v = (u64)(uintptr_t)i->priv;

	return (struct pid_code){ .pid = (v >> 32) & 0x3fffffff,
				  .kind = (v >> 24) & 0x7f,
				  .task = (v >> 23) & 1,
				  .sub = v & SUB_MASK };
}

/* The process, with a reference; NULL: it, or the thread, has gone. */
struct process *pid_find(struct pid_code c);

/* pidlink.c: exe, cwd and root; fd/<n>; ns/<name> */
extern const struct inode_ops pid_link_iops, pid_fdlink_iops, pid_nslink_iops;

#endif /* FS_PROC_PID_INT_H */
