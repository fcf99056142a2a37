/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/signal.h - signals: numbers, what is queued, how it is sent.
 *
 * A signal is pending for a thread or for a process: a bit in a mask and, with
 * details, an entry in a queue.  Sending sets both under sighand->lock and
 * WORK_SIGNAL in one thread that can take it; that thread delivers at the end of
 * its request (task_request_end()).  Only a thread itself clears its bit.
 *
 * Locking: task_lock, then sighand->lock.  task_lock keeps threads, processes
 * and their sighand in place while a signal is on its way.
 */
#ifndef KERNEL_TASK_SIGNAL_H
#define KERNEL_TASK_SIGNAL_H

#include <kernel/task/process.h>

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGSTKFLT 16
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXCPU	  24
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGIO	  29
#define SIGPWR	  30
#define SIGSYS	  31
#define SIGRTMIN  32

#define SIG_DFL	   0
#define SIG_IGN	   1
#define SIG_BIT(n) (1ULL << ((n)-1))

/* What SIG_DFL does; all others end the process, and SIGS_CORE do that too. */
#define SIGS_STOP                                                 \
	(SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | \
	 SIG_BIT(SIGTTOU))
#define SIGS_CORE                                                 \
	(SIG_BIT(SIGQUIT) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) |  \
	 SIG_BIT(SIGABRT) | SIG_BIT(SIGBUS) | SIG_BIT(SIGFPE) |   \
	 SIG_BIT(SIGSEGV) | SIG_BIT(SIGXCPU) | SIG_BIT(SIGXFSZ) | \
	 SIG_BIT(SIGSYS))
#define SIGS_IGNORED                                             \
	(SIG_BIT(SIGCHLD) | SIG_BIT(SIGCONT) | SIG_BIT(SIGURG) | \
	 SIG_BIT(SIGWINCH))

#define SA_NOCLDSTOP	  0x00000001
#define SA_NOCLDWAIT	  0x00000002
#define SA_SIGINFO	  0x00000004
#define SA_EXPOSE_TAGBITS 0x00000800 /* addresses have none */
#define SA_ONSTACK	  0x08000000
#define SA_RESTART	  0x10000000
#define SA_NODEFER	  0x40000000
#define SA_RESETHAND	  0x80000000u

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM (1u << 31)
#define MINSIGSTKSZ   2048

/* si_code */
#define SI_USER	    0
#define SI_KERNEL   0x80
#define SI_QUEUE    (-1)
#define SI_TIMER    (-2)
#define SI_MESGQ    (-3)
#define SI_ASYNCIO  (-4)
#define SI_SIGIO    (-5)
#define SI_TKILL    (-6)
#define ILL_ILLOPC  1
#define ILL_ILLTRP  4
#define FPE_INTDIV  1
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN  1
#define BUS_ADRERR  2
#define TRAP_BRKPT  1
#define CLD_EXITED  1
#define CLD_KILLED  2
#define CLD_DUMPED  3
/* Of a wait status word. */
#define cld_code(status)               \
	(!((status)&0x7f) ? CLD_EXITED \
	 : (status)&0x80  ? CLD_DUMPED \
			  : CLD_KILLED)
#define CLD_TRAPPED   4
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

struct siginfo {
	s32 signo, err, code, pad;
	union {
		u8 raw[112];
		struct {
			s32 pid;
			u32 uid;
			u64 value;
		} rt; /* kill, sigqueue */
		struct {
			s32 tid, overrun;
			u64 value;
			s32 sys_private;
		} timer;
		struct {
			s32 pid;
			u32 uid;
			s32 status, pad;
			s64 utime, stime;
		} chld;
		struct {
			u64 addr;
		} fault;
		struct {
			u64 call_addr;
			s32 nr;
			u32 arch;
		} sys;
		struct {
			s64 band;
			s32 fd;
		} poll;
	};
};
/* Does it say who (pid, uid: at the same place in rt and chld) has sent it? */
static inline bool siginfo_has_sender(const struct siginfo *si)
{
	return si->signo == SIGCHLD && si->code > 0
		       ? true
		       : si->code <= 0 && si->code != SI_TIMER &&
				 si->code != SI_SIGIO && si->code != SI_ASYNCIO;
}
STATIC_ASSERT(sizeof(struct siginfo) == 128, "Linux's siginfo_t");

/* Ids and numbers of the sender are global until a signal is queued, then the
 * receiver's. */
/* Sender's side of kill(2). */
void siginfo_user(struct siginfo *si, int sig, int code);

/* As signal_force(), with all details. */
void signal_force_info(int sig, const struct siginfo *si);

/* As signal_process() and signal_thread(), task_lock held. */
int signal_process_locked(struct process *p, int sig, const struct siginfo *si);
int signal_thread_locked(struct thread *t, int sig, const struct siginfo *si);
int signal_pgrp_locked(int pgid, int sig, const struct siginfo *si);
/* As kill(2) of a group, from current: 0, -EPERM, -ESRCH. */
int task_kill_pgrp(int pgid, int sig, const struct siginfo *si);
/* SIGCHLD (or what the child asked for) about @p, which changed. */
void notify_parent_locked(struct process *p, int sig, int code, int status);
/* Will the parent never wait for it?  (SIGCHLD ignored or SA_NOCLDWAIT) */
bool parent_ignores_child_locked(struct process *parent, int sig);

/* May current send @sig to @p?  0, -EPERM.  task_lock held. */
int signal_permission_locked(struct process *p, int sig);
int task_kill(int pid, int sig, const struct siginfo *si);
int task_tkill(int tgid, int tid, int sig, const struct siginfo *si);

/* --- for current only */
u64 signal_pending_set(void); /* thread's and process's */
/* Take the first pending signal outside of @blocked: its number or 0. */
int signal_dequeue(u64 blocked, struct siginfo *si);
void signal_set_blocked(u64 mask);
/* Current dies: from here on nothing but SIGKILL interrupts it, not even SIGSTOP. */
void signal_hold_all(void);
/* Delivered when the request ends: run with @mask until then (sigsuspend). */
void signal_set_saved_mask(u64 mask);
int signal_timedwait(u64 set, struct siginfo *si, u64 deadline_ns);
int signal_action(int sig, const struct ksigaction *act,
		  struct ksigaction *old);
/* A bad frame and the like: SIGSEGV that cannot be caught twice. */
void signal_force_segv(int sig);
void signal_flush_handlers(struct sighand *sh); /* exec */

/* --- job control: kernel/task/stop.c */
/* Effects of sending: SIGCONT continues, a stop signal cancels SIGCONT. */
void jobctl_prepare_locked(struct process *p, int sig);
/* Current dequeued @sig with the default action "stop"; @gen as it was then. */
void jobctl_start_stop(int sig, u32 gen);
void jobctl_do_stop(void);
/* Nobody stops any more; who has is woken. */
void jobctl_cancel_locked(struct process *p);
/* A thread that exits will not stop. */
void jobctl_thread_exit_locked(struct thread *t);

/* --- kernel/task/sigframe.c */
int sigframe_setup(struct thread *t, int sig, const struct ksigaction *ka,
		   const struct siginfo *si, u64 saved_mask);
s64 sigframe_return(struct thread *t); /* rt_sigreturn(2): new a0 */
struct user_stack_t {
	u64 sp;
	s32 flags;
	s32 pad;
	u64 size;
};
int signal_altstack(const struct user_stack_t *new, struct user_stack_t *old,
		    u64 sp);

#endif /* KERNEL_TASK_SIGNAL_H */
