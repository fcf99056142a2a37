/* SPDX-License-Identifier: MIT */
/* fs/proc/proc.h - what the files of /proc share. */
#ifndef FS_PROC_PROC_H
#define FS_PROC_PROC_H

#include <fs/pseudo.h>
#include <kernel/ns/pid.h>
#include <lib/string.h>

/* proc/instance.c: from which level on what is done to foreign processes */
enum {
	HIDEPID_OFF = 0,
	HIDEPID_NO_ACCESS = 1,	/* their directories are closed */
	HIDEPID_INVISIBLE = 2,	/* and not there */
	HIDEPID_PTRACEABLE = 4, /* and members of gid are foreign, too */
};

/* An instance shows the numbers of one PID namespace. */
struct proc_sb {
	struct pid_ns *pids; /* [I] owned */
	u32 hidepid;	     /* [a] HIDEPID_* */
	u32 gid;	     /* [a] who sees all nevertheless */
	bool pids_only;	     /* [a] nothing else is there */
};
static inline struct proc_sb *proc_sb(const struct super_block *sb)
{
	return sb->priv;
}
static inline struct pid_ns *proc_sb_pids(const struct super_block *sb)
{
	return proc_sb(sb)->pids;
}
/* Does @sb, with hidepid= of at least @least, keep @p from current? */
bool proc_hides(const struct super_block *sb, struct process *p, u32 least);
int proc_instance_init(void);

static inline struct pid_ns *proc_pids(const struct text *t)
{
	return t->sb ? proc_sb_pids(t->sb) : &init_pid_ns;
}
static inline int proc_nr(const struct text *t, int pid)
{
	return pid_nr_in(proc_pids(t), pid);
}

/* devices.c */
int proc_show_devices(struct text *t, void *arg);
int proc_show_misc(struct text *t, void *arg);
int proc_show_partitions(struct text *t, void *arg);
int proc_show_tty_drivers(struct text *t, void *arg);
int proc_show_rtc(struct text *t, void *arg);

struct lock_info;
/* A lock as /proc/locks has it; @ctx: struct text. */
void proc_lock_line(const struct lock_info *l, void *ctx);

/* A file below /proc/<pid>: works on a process that is referenced meanwhile. */
struct pid_entry {
	const char *name;
	u32 mode; /* with type */
	int (*show)(struct text *t, struct process *p);
	/* About a thread: the leader, or below task/ the one named. */
	int (*show_tid)(struct text *t, struct process *p, int tid);
	int (*open)(struct process *p, struct file *f); /* not a text */
	s64 (*write)(struct process *p, char *buf, size_t n);
	s64 (*write_tid)(struct process *p, int tid, char *buf, size_t n);
	int (*link)(struct process *p, struct path *out);
	s64 (*ioctl)(struct process *p, u32 cmd, uaddr_t arg); /* of a text */
	bool owner_only; /* needs ptrace-like rights */
	bool sized;	 /* text_sized() */
	bool in_task;	 /* also below task/<tid> */
};

extern const struct pid_entry pid_entries[];
extern const unsigned int nr_pid_entries;

/* proc/maps.c: what an area is called, perhaps in @buf (a page), or NULL; mm->lock. */
struct vma;
const char *proc_vma_name(struct vma *v, char *buf);
/* Each page that an area has in the table; mm->lock, and @fn under mm->pt_lock. */
struct page;
void proc_vma_pages(struct vma *v, void (*fn)(const struct page *, void *),
		    void *ctx);
/* Who maps @pg: each entry has a reference, and so has the file's cache.  One who
 * looks at the page at this moment counts too. */
u64 proc_page_mappers(const struct page *pg);
bool proc_page_is_dirty(
	const struct page *pg); /* what has no disk is, always */
/* proc/mapquery.c */
s64 proc_maps_ioctl(struct process *p, u32 cmd, uaddr_t arg);

/* proc/pid.c */
int proc_pid_lookup(struct inode *dir, const char *name, size_t len,
		    struct inode **out);
/* proc/sys.c, proc/relay.c, proc/sysrq.c */
int proc_sys_init(struct pnode *root);
int proc_keys_init(struct pnode *root); /* keys.c */
int proc_vm_init(struct pnode *vm);	/* vm.c: /proc/sys/vm */
int proc_counts_init(struct pnode *fs, struct pnode *pty); /* counts.c */
int proc_relay_init(struct pnode *root);
int proc_sysrq_init(struct pnode *root);
int proc_pid_readdir(struct file *f, struct dir_ctx *ctx, u64 first);
/* proc/status.c, proc/maps.c, proc/limits.c: rows of pid_entries */
int proc_show_stat(struct text *t, struct process *p, int tid);
int proc_show_status(struct text *t, struct process *p, int tid);
int proc_open_mem(struct process *p, struct file *f);
int proc_open_pagemap(struct process *p, struct file *f);
/* proc/usermap.c */
int proc_open_uid_map(struct process *p, struct file *f);
int proc_open_gid_map(struct process *p, struct file *f);
int proc_open_setgroups(struct process *p, struct file *f);
int proc_show_smaps_rollup(struct text *t, struct process *p);
/* proc/numamaps.c */
int proc_show_numa_maps(struct text *t, struct process *p);
s64 proc_write_clear_refs(struct process *p, char *buf, size_t n);
/* proc/timens.c */
int proc_open_timens(struct process *p, struct file *f);
/* proc/thread.c */
int proc_show_io(struct text *t, struct process *p, int tid);
int proc_show_sched(struct text *t, struct process *p, int tid);
int proc_show_schedstat(struct text *t, struct process *p, int tid);
int proc_show_syscall(struct text *t, struct process *p, int tid);
int proc_show_personality(struct text *t, struct process *p, int tid);
int proc_show_coredump_filter(struct text *t, struct process *p);
s64 proc_write_coredump_filter(struct process *p, char *buf, size_t n);
int proc_show_statm(struct text *t, struct process *p);
int proc_show_maps(struct text *t, struct process *p);
int proc_show_smaps(struct text *t, struct process *p);
int proc_show_cmdline(struct text *t, struct process *p);
int proc_show_environ(struct text *t, struct process *p);
int proc_show_auxv(struct text *t, struct process *p);
int proc_show_limits(struct text *t, struct process *p);
int proc_show_mounts(struct text *t, struct process *p);
int proc_show_mountinfo(struct text *t, struct process *p);
int proc_show_mountstats(struct text *t, struct process *p);
/* Mode of a link to @f: @rd and @wr by what it was opened for. */
static inline u32 proc_link_mode(const struct file *f, u32 rd, u32 wr)
{
	u32 how = f->flags & (O_ACCMODE | O_PATH);

	if (how & O_PATH)
		return S_IFLNK;
	return S_IFLNK | (how != O_WRONLY ? rd : 0) |
	       (how != O_RDONLY ? wr : 0);
}
/* proc/mapfiles.c */
int proc_map_lookup(struct inode *dir, struct process *p, const char *name,
		    size_t len, struct inode **out);
void proc_map_readdir(struct dir_ctx *ctx, struct process *p);
/* pid.c: an inode is owned as the process is. */
void proc_set_owner(struct inode *i, struct process *p);
/* May current look into @p (memory, links, environment)? */
bool proc_may_inspect(struct process *p);
/* Of thread @tid, or of the whole process: 0. */
char proc_state_char(struct process *p, int tid);
/* Length up to the first newline. */
static inline size_t proc_line_len(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != 0x0a)
		n++;
	return n;
}
/* The number, of base 10, that the first line of @buf is, or -errno; cuts @buf there. */
static inline int proc_number(char *buf, u64 *v)
{
	buf[proc_line_len(buf)] = 0;
	return kstrtou64(buf, 10, v);
}

#endif /* FS_PROC_PROC_H */
