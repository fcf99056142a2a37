/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/task.h - what the files of kernel/task/ share, and what only the
 * system calls of syscall/ use besides.
 *
 * Names that end in _locked want task_lock held.
 */
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include <kernel/file/file.h>
#include <kernel/ns/pid.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>

/* thread->jobctl */
#define JOBCTL_STOPPING	 BIT(0) /* counted in nr_stopping: has yet to stop */
#define JOBCTL_STOPPED	 BIT(1) /* sleeps in a group stop */
#define JOBCTL_SIG(j)	 (((j) >> 8) & 0x7f) /* what stops it, or did last */
#define JOBCTL_STOP(sig) (JOBCTL_STOPPING | (u32)(sig) << 8)

/* Lives on the stack of the thread that waits for its vfork()ed child. */
struct vfork_wait {
	struct thread *parent; /* [I] */
	bool done;	       /* [a] set under task_lock */
};

/* --- process.c */
void task_caches_init(void);
/* Never linked: free it. */
void process_discard(struct process *p);
struct process *process_alloc(void); /* refs 1, not linked; NULL: -ENOMEM */
void process_link_locked(struct process *p, struct thread *leader);
void thread_link_locked(struct thread *t);
void thread_unlink_locked(struct thread *t);
void process_set_parent_locked(struct process *p, struct process *parent);
/* Reaped: nobody finds it any more.  Drop the table's reference afterwards,
 * without the lock. */
void process_unlink_locked(struct process *p);
struct process *process_find_locked(int pid); /* no reference */
bool process_reaped_locked(const struct process *p);
struct sighand *sighand_alloc(void);
struct sighand *sighand_get(struct sighand *sh);
void sighand_put(struct sighand *sh);
void rlimits_init(struct process *p);
/* For init and for helpers: a process without threads, and a thread, root in the first
 * namespaces, with no memory and no descriptors, and @fs (owned) if it succeeds, which
 * lacks its process and kfn.  NULL: no memory. */
struct process *program_process(void);
struct thread *program_thread(struct fs_ctx *fs, const char *name);

/* Current, its only thread, becomes the leader (exec). */
void process_take_lead(void);

/* --- mmref.c: how many threads run on an address space */
void thread_set_mm(struct thread *t, struct mm *mm); /* takes the reference */
void thread_drop_mm(struct thread *t);
void thread_replace_mm(struct mm *mm); /* current's; takes the reference */
bool mm_is_shared(struct mm *mm);

/* --- pgrp.c */
void pgrp_join_locked(struct process *p, int pgid, int sid);
void pgrp_leave_locked(struct process *p);
bool pgrp_is_orphaned_locked(int pgid, const struct process *ignore);
bool pgrp_has_stopped_locked(int pgid);
bool task_pgrp_exists(int pgid);
int task_setpgid(int pid, int pgid);
int task_getpgid(int pid);
int task_getsid(int pid);
int task_setsid(void);

/* --- fork.c */
struct clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size,
		tls;
};
/* What else a child may be told. */
struct clone_wish {
	struct pid_wish pid;   /* numbers that it is to have */
	struct cgroup *cgroup; /* where it begins; NULL: where current is */
};
s64 task_clone(const struct clone_args *a, const struct clone_wish *wish);
void vfork_release(struct thread *t);

/* --- core_stop.c */
/* The others wait with their registers; false: somebody ends the process already. */
bool core_stop_threads(void);
void core_release_threads(void);
void core_park(struct thread *t); /* current, which exits: p->dumper is set */

/* --- exit.c */
#define WCOREFLAG 0x80 /* in a wait status word: there is a core file */
void mm_release(struct thread *t); /* robust futexes, clear_child_tid */
/* WORK_EXIT to every thread of @p but @except. */
void zap_threads_locked(struct process *p, const struct thread *except);
/* The process ends with @status as soon as its threads look. */
void group_exit_begin_locked(struct process *p, int status);

/* --- wait.c */
struct rusage {
	struct {
		s64 sec, usec;
	} utime, stime;
	s64 maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock,
		oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
STATIC_ASSERT(sizeof(struct rusage) == 144, "Linux's struct rusage");
#define WNOHANG	    0x00000001
#define WUNTRACED   0x00000002
#define WSTOPPED    WUNTRACED
#define WEXITED	    0x00000004
#define WCONTINUED  0x00000008
#define WNOWAIT	    0x01000000
#define __WNOTHREAD 0x20000000
#define __WALL	    0x40000000
#define __WCLONE    0x80000000u
enum wait_kind {
	WAIT_ALL,
	WAIT_PID,
	WAIT_PGID
};
struct wait_req {
	enum wait_kind kind;
	int id;
	u32 options;
	/* results, when task_wait() > 0 */
	int status; /* wait status word */
	int code;   /* CLD_* */
	u32 uid;
	struct rusage ru;
};
/* pid as current has it, 0 (WNOHANG) or -errno; w->id is global. */
int task_wait(struct wait_req *w);
#define RUSAGE_OF_ITSELF   1u
#define RUSAGE_OF_CHILDREN 2u /* those that it has waited for */
/* What those of @whose used together.  task_lock held. */
void rusage_of_locked(struct process *p, u32 whose, struct rusage *ru);

/* --- exec.c: strings of a new image, user or kernel pointers */
struct exec_strings {
	bool kernel;
	uaddr_t argv, envp;	  /* !kernel */
	const char *const *kargv; /* kernel */
	const char *const *kenvp;
};
int task_execve(int dirfd, const char *path, u32 at_flags,
		const struct exec_strings *s);

/* --- share.c */
void task_undumpable(void);    /* ids of current changed */
int task_unshare(u64 flags);   /* CLONE_*, checked */
bool task_fs_is_foreign(void); /* with one of another process */
bool task_shares_fs(void);     /* current's context, with another thread */
/* Takes @fs, which nobody shares, for current. */
void task_set_fs(struct fs_ctx *fs);

/* --- pidfd.c */
#define PIDFD_THREAD O_EXCL
struct pidfd;
int pidfd_create(struct process *p, u32 flags);	       /* descriptor */
struct file *pidfd_file(struct process *p, u32 flags); /* NULL: no memory */
/* @f, just made with PIDFD_THREAD, is of that thread of its process. */
void pidfd_name_thread(struct file *f, int tid, u64 start_ns);
int pidfd_open_thread(int tid, u32 flags);    /* descriptor, or -errno */
struct pidfd *pidfd_of(const struct file *f); /* NULL: it is none */
int pidfd_tid(const struct pidfd *pf);	      /* 0: a process's */
/* NULL: has ended. */
struct thread *pidfd_thread_locked(const struct pidfd *pf);
struct process *pidfd_process(int fd); /* ref or ERR_PTR(-EBADF) */

#endif /* KERNEL_TASK_TASK_H */
