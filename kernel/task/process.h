/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/process.h - processes, groups, sessions, credentials, limits.
 *
 * A process is a thread group: what getpid() names.  Its tree, group, session and
 * thread list are guarded by task_lock (RANK_TASK), one lock for all; it is taken
 * at fork, exit, wait and by job control, never by an ordinary call.
 */
#ifndef KERNEL_TASK_PROCESS_H
#define KERNEL_TASK_PROCESS_H

#include <kernel/sched/thread.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <kernel/time/timer.h>
#include <lib/list.h>
#include <lib/atomic.h>
#include <lib/types.h>

struct tty;
struct mm;
struct files;
struct fs_ctx;
struct user_ns;
struct pid_ns;

#define NGROUPS_MAX 65536
#define NR_RLIMITS  16
enum {
	RLIMIT_CPU,
	RLIMIT_FSIZE,
	RLIMIT_DATA,
	RLIMIT_STACK,
	RLIMIT_CORE,
	RLIMIT_RSS,
	RLIMIT_NPROC,
	RLIMIT_NOFILE,
	RLIMIT_MEMLOCK,
	RLIMIT_AS,
	RLIMIT_LOCKS,
	RLIMIT_SIGPENDING,
	RLIMIT_MSGQUEUE,
	RLIMIT_NICE,
	RLIMIT_RTPRIO,
	RLIMIT_RTTIME,
};
#define RLIM_INFINITY (~0UL)
struct rlimit64 {
	u64 cur, max;
};

/* Immutable once shared: change = copy, then replace current->cred. */
struct cred {
	u32 refs; /* [a] */
	u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	u64 cap_permitted, cap_effective, cap_inheritable, cap_bset,
		cap_ambient;
	u32 securebits;
	bool no_new_privs;
	u32 nr_groups;
	u32 *groups;		 /* sorted, owned */
	struct user_ns *user_ns; /* owned: kernel/ns/user.h */
	/* kernel/keys: owned, or NULL */
	struct key *thread_ring, *process_ring, *session_ring;
	u8 reqkey_dest;	       /* enum reqkey_dest */
	struct domain *domain; /* domain.h: owned, or NULL */
};
#define CAP_CHOWN	       0
#define CAP_DAC_OVERRIDE       1
#define CAP_DAC_READ_SEARCH    2
#define CAP_FOWNER	       3
#define CAP_FSETID	       4
#define CAP_KILL	       5
#define CAP_SETGID	       6
#define CAP_SETUID	       7
#define CAP_SETPCAP	       8
#define CAP_LINUX_IMMUTABLE    9
#define CAP_NET_BIND_SERVICE   10
#define CAP_NET_BROADCAST      11
#define CAP_NET_ADMIN	       12
#define CAP_NET_RAW	       13
#define CAP_IPC_LOCK	       14
#define CAP_IPC_OWNER	       15
#define CAP_SYS_RAWIO	       17
#define CAP_SYS_CHROOT	       18
#define CAP_SYS_PTRACE	       19
#define CAP_SYS_PACCT	       20
#define CAP_SYS_ADMIN	       21
#define CAP_SYS_BOOT	       22
#define CAP_SYS_NICE	       23
#define CAP_SYS_RESOURCE       24
#define CAP_SYS_TIME	       25
#define CAP_SYS_TTY_CONFIG     26
#define CAP_MKNOD	       27
#define CAP_LEASE	       28
#define CAP_SETFCAP	       31
#define CAP_SYSLOG	       34
#define CAP_WAKE_ALARM	       35
#define CAP_AUDIT_CONTROL      30
#define CAP_CHECKPOINT_RESTORE 40
#define CAP_LAST	       40

static inline const struct cred *current_cred(void)
{
	return current->cred;
}
/* Of current, towards the first user namespace: kernel/ns/user.h. */
bool capable(unsigned int cap);
bool cred_in_group(const struct cred *c, u32 gid); /* fsgid or supplementary */
/* Is @c this user's and group's in every respect but for file systems? */
static inline bool cred_is_of(const struct cred *c, u32 uid, u32 gid)
{
	return uid == c->uid && uid == c->euid && uid == c->suid &&
	       gid == c->gid && gid == c->egid && gid == c->sgid;
}
struct cred *cred_get(struct cred *c);
void cred_put(struct cred *c);
struct cred *cred_dup(const struct cred *c); /* private copy, refs 1, or NULL */
void cred_replace(struct cred *new_cred);    /* takes it, for current */
/* Takes @c, for a thread that does not run yet, or NULL for one that has ended. */
static inline void thread_set_cred(struct thread *t, struct cred *c)
{
	t->cred = t->real_cred = c;
}
/* What current does from here on, @c does, which stays meanwhile: what it did it with
 * before, for the reverse.  Others go on to see real_cred. */
static inline struct cred *cred_act(struct cred *c)
{
	struct cred *mine = current->cred;

	current->cred = c;
	return mine;
}
extern struct cred init_cred;

#define NSIG 64
struct ksigaction {
	u64 handler; /* SIG_DFL 0, SIG_IGN 1, else address */
	u64 flags;
	u64 mask;
};
struct sighand {
	u32 refs; /* [a] shared by CLONE_SIGHAND */
	struct spinlock
		lock; /* RANK_SIGNAL: action[], and the pending sets of the
				 * process and all of its threads */
	struct ksigaction action[NSIG]; /* [lock] index signo-1 */
	struct waitq signalfd_wq;	/* woken for every queued signal */
};

struct process {
	int pid;		     /* [I] == leader's tid */
	int ns_pid;		     /* [I] the same in its own namespace */
	struct pid_ns *pid_ns;	     /* [I] owned: kernel/ns/pid.h */
	bool ns_init;		     /* [I] the first of its namespace */
	u32 refs;		     /* [a] */
	struct process *parent;	     /* [task_lock] */
	struct process *real_parent; /* [task_lock] the same */
	struct list_head children;   /* [task_lock] */
	struct list_head sibling;    /* [task_lock] */
	struct list_head threads;    /* [task_lock] of thread.proc_node */
	u32 nr_threads;		     /* [task_lock] */
	u32 nr_live;		   /* [a] threads that have not begun to exit */
	struct thread *leader;	   /* [task_lock] */
	struct list_head all_node; /* [task_lock] */

	int pgid, sid;		    /* [task_lock] */
	struct list_head pgrp_node; /* [task_lock] hash of process groups */
	struct tty *ctty;    /* [task_lock] controlling terminal; owned */
	int tty_old_pgid;    /* [task_lock] leader: whom its exit hangs up */
	bool did_exec;	     /* [a] setpgid(): EACCES */
	bool session_leader; /* [task_lock] */

	struct sighand *sighand;    /* [I until exec] owned reference */
	u64 sig_pending;	    /* [sighand->lock] for the process */
	struct list_head sig_queue; /* [sighand->lock] of struct sigqueue */

	bool exiting;		       /* [a] group exit in progress */
	bool killed;		       /* [a] by SIGKILL */
	int exit_code;		       /* [task_lock] wait status word */
	bool zombie;		       /* [task_lock] */
	bool stopped;		       /* [task_lock] group stop */
	bool stop_reported, continued; /* [task_lock] for wait */
	int stop_sig;		       /* [task_lock] */
	struct waitq wait_chld;	       /* parent waits here for its children */
	struct waitq stop_wq;	       /* stopped threads wait here */
	struct waitq threads_wq; /* exec/exit wait for the other threads */
	bool is_subreaper;	 /* [task_lock] */
	bool unwaited; /* [I] the kernel's: reaped when it ends, init is not told */
	bool has_pidfd; /* [a] somebody may poll for ends: threads_wq */
	struct list_head tracees; /* [task_lock] struct tracee: ext.h */
	int tracer_pid;	 /* [task_lock] whom PR_SET_PTRACER named: trace.h */
	u64 tracer_born; /* [task_lock] its start_ns */
	struct list_head sem_undos; /* [sem.c] owed by SEM_UNDO */
	u32 ppid;		    /* [a] real_parent's number in its own
				     * namespace: getppid() */
	int exit_signal;	    /* [task_lock] to the parent, 0: none */
	int pdeath_signal;	    /* [a] when the parent dies, 0: none */
	u32 nr_stopping;	    /* [task_lock] threads yet to stop */
	u32 cont_gen;		    /* [task_lock + sighand] SIGCONTs seen */
	struct thread *exec_thread; /* [task_lock] kills its siblings */
	/* [task_lock] that one decides what the new program may do: who would
	 * change what that depends on waits at threads_wq */
	struct thread *exec_decides;
	struct thread *dumper;	      /* [task_lock; a] writes a core file */
	u32 nr_parked;		      /* [a] wait for it: core_stop.c */
	u32 login_uid, login_session; /* [a] who logged in; ~0: nobody */
	u64 timerslack_ns;	      /* [a] prctl */

	struct rlimit64 rlim[NR_RLIMITS]; /* [a per word] */
	u64 utime_ns, stime_ns;		  /* [task_lock] of dead threads */
	u64 ended_ns; /* [task_lock] how long they lived, together */
	u32 nr_ended; /* [task_lock] of them */
	u64 cutime_ns, cstime_ns; /* [task_lock] of reaped children */
	u64 minflt, majflt, cminflt, cmajflt; /* [task_lock] likewise */
	u64 nvcsw, nivcsw, cnvcsw, cnivcsw;   /* [task_lock] */
	struct io_count io, cio;	      /* [task_lock] */
	u64 maxrss_pages, cmaxrss_pages;
	u64 start_ns; /* [I] */

	struct ktimer itimer_real;   /* [ptimer_lock] kernel/time/itimer.c */
	u64 itimer_real_interval_ns; /* [ptimer_lock] */
	bool itimer_real_on;	     /* [ptimer_lock] */
	struct ktimer itimer_cpu[2]; /* [ptimer_lock] virtual, prof */
	bool itimer_cpu_kicked[2];   /* [ptimer_lock] */
	u64 itimer_virt[2], itimer_prof[2]; /* [ptimer_lock] CPU time to fire
					     * at (0: off), interval */
	struct ktimer cpulimit; /* [ptimer_lock] kernel/time/cpulimit.c */
	u64 cpulimit_at;	/* [ptimer_lock] CPU time; 0: none */
	bool cpulimit_kicked, cpulimit_ended; /* [ptimer_lock] */
	struct ktimer rtlimit;		      /* [ptimer_lock] rtlimit.c */
	bool rtlimit_ended;		      /* [ptimer_lock] */
	struct rb_root posix_timers; /* [ptimer_lock] kernel/time/ptimer.c */
	int next_timer_id;	     /* [ptimer_lock] */

	u8 relay_policy;   /* [a] for new threads too; /proc/pid/relay */
	u8 fault_policy;   /* [a] */
	u64 poll_cap_us;   /* [a] */
	int oom_score_adj; /* [a] */
	u8 mce_kill;	   /* [a] prctl: kept only */
	bool io_flusher;   /* [a] prctl: kept only */

	struct uring_pool *uring; /* [a] its io_uring requests, or NULL */
};

extern struct spinlock task_lock;
extern struct process *init_process;

static inline struct process *current_process(void)
{
	return current->proc;
}
static inline u64 rlimit_cur(unsigned int r)
{
	return load_once(&current->proc->rlim[r].cur);
}

/* --- look-ups; results carry a reference where "ref" is said */
struct process *process_find(int pid); /* ref, or NULL */
struct process *process_get(struct process *p);
void process_put(struct process *p);
struct thread *thread_find(int tid); /* [task_lock held] no ref */
/* For /proc: pids in ascending order; next pid >= @pid, or -1. */
int process_next_pid(int pid);
void process_for_each(void (*fn)(struct process *p, void *ctx), void *ctx);
void process_for_each_locked(void (*fn)(struct process *p, void *ctx),
			     void *ctx);
unsigned int process_count(void);
unsigned int thread_count(void);
unsigned int process_forks(void); /* threads made since boot */
int process_last_pid(void);	  /* the latest of them */
/* The process's own, with a reference, or NULL when it has exited. */
struct mm *process_mm(struct process *p);
struct files *process_files(struct process *p);
struct fs_ctx *process_fs(struct process *p);
struct cred *process_cred(struct process *p);
void io_count_add(struct io_count *to, const struct io_count *from);
/* Of all threads, living and dead.  Takes task_lock. */
void process_io(struct process *p, struct io_count *out);
/* CPU time of all threads, living and dead.  Takes task_lock. */
void process_times(struct process *p, u64 *utime_ns, u64 *stime_ns);

/* --- signals (kernel/task/signal.h has the details) */
#define SEND_KERNEL ((struct siginfo *)1)
struct siginfo;
/* @sig is 0 (only: is there anybody?) to NSIG: callers check. */
/* The two below: task_lock may be held or not; @t stays (task_lock, or current). */
int signal_thread(struct thread *t, int sig, const struct siginfo *si);
int signal_process(struct process *p, int sig, const struct siginfo *si);
/* To every process of the group; 0 or -ESRCH. task_lock NOT held. */
int signal_pgrp(int pgid, int sig, const struct siginfo *si);
/* A fault of current: cannot be blocked. */
void signal_force(int sig, int code, u64 addr);
bool signal_ignored(struct process *p, int sig);
bool signal_blocked_or_ignored(int sig); /* current: for tty SIGTTOU rules */
/* True if no process of the group has a parent in the same session but another
 * group. */
bool pgrp_is_orphaned(int pgid);
bool pgrp_exists_in_session(int pgid, int sid);

/* End of a request: work, signals, exits.  Called by the relay. */
void task_request_end(struct thread *t);

/* --- life */
/* The last thread of @p ends: kernel/time/ stops its timers. */
void process_timers_exit(struct process *p);
/* RLIMIT_CPU of @p was set, also by being inherited.  No lock held. */
void process_cpulimit_changed(struct process *p);
/* RLIMIT_RTTIME is another one, or a thread is a real-time one now. */
void process_rtlimit_changed(struct process *p);
void process_timers_exec(struct process *p); /* POSIX timers go, itimers stay */
/*
 * Thread 1 of process 1, not started: its coroutine is to run t->kfn(t->karg),
 * which calls @fn; that returns after a successful kernel_execve(), and then the
 * thread is in user mode like any other.  NULL: out of memory.
 */
struct thread *init_thread_create(void (*fn)(void));
int kernel_execve(const char *path, const char *const argv[],
		  const char *const envp[]);
void do_group_exit(int wait_status) __noreturn;
void do_thread_exit(int wait_status) __noreturn;

#endif /* KERNEL_TASK_PROCESS_H */
