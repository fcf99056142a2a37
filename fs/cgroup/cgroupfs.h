/* SPDX-License-Identifier: MIT */
/*
 * fs/cgroup/cgroupfs.h - the file system cgroup2, inside.
 *
 *	tree.c		instance, directories, inodes
 *	files.c		what is in the files of a group
 *	cpuset.c	those of the controller cpuset
 *	memory.c	those of the controller memory
 *	procs.c		who is in a group: cgroup.procs, cgroup.threads, clone3(2)
 *
 * There is one instance.  An inode is (group, number of file; 0: the directory) and
 * is found again by its number while somebody has it, so that inotify works; modes,
 * owners and attributes are kept with the group (struct cgroupfs_node).
 */
#ifndef FS_CGROUP_CGROUPFS_H
#define FS_CGROUP_CGROUPFS_H

#include <fs/pseudo.h>
#include <fs/vfs.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/mm/memcg.h>

#define CGROUPFS_FILES 64 /* numbers of files: 1 .. this - 1 */

/* Who opened it when: a file of text has this as its argument. */
struct cgroup_file;
struct cgroupfs_open {
	struct cgroup *cg;	      /* owned, like the others */
	const struct cgroup_file *cf; /* [I] static */
	struct cred *cred;
	struct cgroup_ns *ns;
	struct memcg_peak peak; /* memory.c: since it was written to */
};

struct cgroup_file {
	const char *name;
	u32 perm;
	u32 ctl; /* BIT(cgroup_ctl) that has it, or 0 */
	bool not_on_root;
	bool delegatable; /* who owns the top of a namespace may write it */
	s32 event;	  /* 1 + enum cgroup_event, or 0 */
	int (*show)(struct text *t, struct cgroup *cg);
	int (*show_open)(struct text *t, struct cgroupfs_open *o); /* or that */
	/* @buf without white space around it; 0 or -errno */
	int (*write)(struct cgroupfs_open *o, char *buf);
};
extern const struct cgroup_file cgroup_files[];
extern const u32 nr_cgroup_files;
static inline bool cgroup_has_file(const struct cgroup *cg,
				   const struct cgroup_file *cf)
{
	return (cg->parent || !cf->not_on_root) &&
	       (!cf->ctl || (load_once(&cg->controllers) & cf->ctl));
}

/* Of the directory (0) and each file: what is not as it was at first. */
struct cgroupfs_node {
	struct {
		u32 uid, gid;
		u32 mode;	/* 0: as the table says */
	} attr[CGROUPFS_FILES]; /* [lock of the inode] */
	struct timespec64 born; /* [I] */
	struct list_head xattrs;
	u64 xattr_bytes;
};

/* --- tree.c */
extern bool cgroupfs_nsdelegate, cgroupfs_pids_localevents,
	cgroupfs_memory_localevents; /* [a] options */
/* The inode of file @nr of @cg, referenced, or NULL: no memory. */
struct inode *cgroupfs_inode(struct cgroup *cg, u32 nr);

/* --- cpuset.c */
int cgroupfs_show_cpus(struct text *t, struct cgroup *cg);
int cgroupfs_write_cpus(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_cpus_effective(struct text *t, struct cgroup *cg);
int cgroupfs_show_mems(struct text *t, struct cgroup *cg);
int cgroupfs_write_mems(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_mems_effective(struct text *t, struct cgroup *cg);

/* --- memory.c */
int cgroupfs_show_memory_current(struct text *t, struct cgroup *cg);
int cgroupfs_show_memory_peak(struct text *t, struct cgroupfs_open *o);
int cgroupfs_write_memory_peak(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_memory_min(struct text *t, struct cgroup *cg);
int cgroupfs_write_memory_min(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_memory_low(struct text *t, struct cgroup *cg);
int cgroupfs_write_memory_low(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_memory_high(struct text *t, struct cgroup *cg);
int cgroupfs_write_memory_high(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_memory_max(struct text *t, struct cgroup *cg);
int cgroupfs_write_memory_max(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_memory_events(struct text *t, struct cgroup *cg);
int cgroupfs_show_memory_events_local(struct text *t, struct cgroup *cg);
int cgroupfs_show_memory_oom_group(struct text *t, struct cgroup *cg);
int cgroupfs_write_memory_oom_group(struct cgroupfs_open *o, char *buf);
int cgroupfs_write_memory_reclaim(struct cgroupfs_open *o, char *buf);
int cgroupfs_show_memory_stat(struct text *t, struct cgroup *cg);

/* --- procs.c */
int cgroupfs_show_procs(struct text *t, struct cgroup *cg);
int cgroupfs_show_threads(struct text *t, struct cgroup *cg);
int cgroupfs_write_procs(struct cgroupfs_open *o, char *buf);
int cgroupfs_write_threads(struct cgroupfs_open *o, char *buf);
#define CGROUPFS_PROCS 1 /* number of cgroup.procs */
/* Is @f a directory of ours?  Its group, no reference, or NULL.  tree.c */
struct cgroup *cgroupfs_dir(const struct file *f);

#endif /* FS_CGROUP_CGROUPFS_H */
