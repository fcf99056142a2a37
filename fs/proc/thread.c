/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/thread.c - /proc/<pid>/io, sched, schedstat, syscall, personality and
 * coredump_filter, and the same below task/.
 */
#include <fs/proc/proc.h>
#include <kernel/mm/vm.h>
#include <kernel/relay/observe.h>
#include <kernel/task/trace.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* Thread @tid of @p, its leader for 0, or NULL.  task_lock held. */
static struct thread *thread_of(struct process *p, int tid)
{
	struct thread *t = tid ? thread_find(tid) : p->leader;

	return t && t->proc == p ? t : NULL;
}

int proc_show_io(struct text *t, struct process *p, int tid)
{
	struct io_count io = { 0 };
	struct thread *th;

	if (tid) {
		spin_lock(&task_lock);
		th = thread_of(p, tid);
		if (th)
			io = th->io;
		spin_unlock(&task_lock);
	} else {
		process_io(p, &io);
	}
	text_printf(t, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n",
		    io.rchar, io.wchar, io.syscr, io.syscw);
	text_printf(t,
		    "read_bytes: %lu\nwrite_bytes: %lu\n"
		    "cancelled_write_bytes: 0\n",
		    io.read_bytes, io.write_bytes);
	return 0;
}

struct sched_state {
	char name[16];
	int tid;
	u32 nr_threads;
	u64 run, start, vcsw, ivcsw;
	u32 policy, prio;
};

/* Linux's numbers of priorities: real-time ones first. */
static u32 prio_of(const struct thread *t)
{
	u32 rt = load_once(&t->rt_prio);

	return rt ? 99 - rt : (u32)(120 + t->nice);
}

static bool sched_state(struct process *p, int tid, struct sched_state *s)
{
	struct thread *t;
	u64 ut, st;

	spin_lock(&task_lock);
	t = thread_of(p, tid);
	if (t) {
		relay_thread_times(t, &ut, &st);
		*s = (struct sched_state){
			.tid = t->tid,
			.nr_threads = p->nr_threads,
			.run = ut + st,
			.start = t->start_ns,
			.vcsw = t->nr_vcsw,
			.ivcsw = t->nr_ivcsw,
			.policy = load_once(&t->sched_policy) &
				  ~(u32)SCHED_POLICY_RESET,
			.prio = prio_of(t),
		};
		memcpy(s->name, t->name, sizeof(s->name));
	}
	spin_unlock(&task_lock);
	return t != NULL;
}

#define MS(ns) (ns) / NSEC_PER_MSEC, (ns) % NSEC_PER_MSEC

int proc_show_sched(struct text *t, struct process *p, int tid)
{
	struct sched_state s;

	if (!sched_state(p, tid, &s))
		return -ESRCH;
	text_printf(t, "%s (%d, #threads: %u)\n", s.name, s.tid, s.nr_threads);
	text_puts(t, "-----------------------------------------------------"
		     "--------------\n");
	text_printf(t,
		    "se.exec_start                                : "
		    "%10lu.%06lu\n"
		    "se.sum_exec_runtime                          : "
		    "%10lu.%06lu\n",
		    MS(s.start), MS(s.run));
	text_printf(t,
		    "nr_switches                                  : %17lu\n"
		    "nr_voluntary_switches                        : %17lu\n"
		    "nr_involuntary_switches                      : %17lu\n",
		    s.vcsw + s.ivcsw, s.vcsw, s.ivcsw);
	text_printf(t,
		    "policy                                       : %17u\n"
		    "prio                                         : %17u\n",
		    s.policy, s.prio);
	return 0;
}

/* Run, waited (not known: 0), how often. */
int proc_show_schedstat(struct text *t, struct process *p, int tid)
{
	struct sched_state s;

	if (!sched_state(p, tid, &s))
		return -ESRCH;
	text_printf(t, "%lu 0 %lu\n", s.run, s.vcsw + s.ivcsw + 1);
	return 0;
}

int proc_show_syscall(struct text *t, struct process *p, int tid)
{
	struct trapframe tf;
	struct thread *th;
	s32 nr = -1;
	bool waits = false;

	if (trace_may_attach(p, true))
		return -EPERM;
	spin_lock(&task_lock);
	th = thread_of(p, tid);
	if (th) {
		waits = th == current ||
			load_once(&th->state) == THREAD_WAITING;
		nr = load_once(&th->syscall_nr);
		tf = th->tf;
	}
	spin_unlock(&task_lock);
	if (!th)
		return -ESRCH;
	if (!waits)
		text_puts(t, "running\n");
	else if (nr < 0)
		text_printf(t, "-1 0x%lx 0x%lx\n", tf.sp, tf.pc);
	else
		text_printf(t,
			    "%d 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx "
			    "0x%lx\n",
			    nr, tf.orig_a0, tf.a1, tf.a2, tf.a3, tf.a4, tf.a5,
			    tf.sp, tf.pc);
	return 0;
}

int proc_show_personality(struct text *t, struct process *p, int tid)
{
	struct thread *th;
	u32 v = 0;

	if (trace_may_attach(p, true))
		return -EPERM;
	spin_lock(&task_lock);
	th = thread_of(p, tid);
	if (th)
		v = th->personality;
	spin_unlock(&task_lock);
	text_printf(t, "%08x\n", v);
	return 0;
}

int proc_show_coredump_filter(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);

	if (!mm)
		return 0;
	text_printf(t, "%08x\n", load_once(&mm->core_filter));
	mm_put(mm);
	return 0;
}

s64 proc_write_coredump_filter(struct process *p, char *buf, size_t n)
{
	bool hex = buf[0] == '0' && (buf[1] == 'x' || buf[1] == 'X');
	struct mm *mm;
	u64 v;

	buf[proc_line_len(buf)] = '\0';
	if (kstrtou64(hex ? buf + 2 : buf, hex ? 16 : 10, &v))
		return -EINVAL;
	mm = process_mm(p);
	if (!mm)
		return -ESRCH;
	store_once(&mm->core_filter, (u32)v & CORE_FILTER_ALL);
	mm_put(mm);
	return (s64)n;
}
