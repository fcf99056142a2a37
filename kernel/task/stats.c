/* SPDX-License-Identifier: MIT */
/* kernel/task/stats.c - what threads used; see stats.h. */
#include <kernel/task/stats.h>

#include <kernel/dev/dev.h>
#include <kernel/file/file.h>
#include <kernel/mm/page.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/relay/observe.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

/* flag */
#define AFORK  0x01u /* has not executed a program */
#define ACORE  0x08u
#define AXSIG  0x10u
#define AGROUP 0x20u /* the last thread of its process */

#define WHOLE_KIB(n) ((n) & ~1023ul)
#define KIB(pages)   ((pages) * (PAGE_SIZE / 1024))

u32 task_stats_heard;

/* --- times, of a thread or a sum of them */

struct used {
	u64 utime_ns, stime_ns, age_ns, nvcsw, nivcsw;
	u64 runs; /* how often they got a hart */
};

static void add_thread(struct used *u, struct thread *t, u64 now)
{
	u64 ut, st;

	relay_thread_times(t, &ut, &st);
	u->utime_ns += ut;
	u->stime_ns += st;
	u->age_ns += now - t->start_ns;
	u->nvcsw += t->nr_vcsw;
	u->nivcsw += t->nr_ivcsw;
	u->runs += t->nr_vcsw + t->nr_ivcsw + 1;
}

static void add_ended(struct used *u, const struct process *p)
{
	u->utime_ns += p->utime_ns;
	u->stime_ns += p->stime_ns;
	u->age_ns += p->ended_ns;
	u->nvcsw += p->nvcsw;
	u->nivcsw += p->nivcsw;
	u->runs += p->nvcsw + p->nivcsw + p->nr_ended;
}

static void put_used(struct task_stats *s, const struct used *u)
{
	s->version = TASK_STATS_VERSION;
	s->cpu_count = u->runs;
	s->cpu_run_real = u->utime_ns + u->stime_ns;
	s->cpu_run_virtual = s->cpu_scaled_run_real = s->cpu_run_real;
	s->etime = u->age_ns / NSEC_PER_USEC;
	s->utime = u->utime_ns / NSEC_PER_USEC;
	s->stime = u->stime_ns / NSEC_PER_USEC;
	s->nvcsw = u->nvcsw;
	s->nivcsw = u->nivcsw;
}

/* --- a thread */

static void put_names(struct task_stats *s, const struct thread *t,
		      const struct pid_ns *ns)
{
	const struct process *p = t->proc;

	memcpy(s->comm, t->name, sizeof(t->name));
	s->nice = (u8)load_once(&t->nice);
	s->sched =
		load_once(&t->sched_policy) & (u8)(0xff ^ SCHED_POLICY_RESET);
	s->pid = (u32)pid_nr_in(ns, t->tid);
	s->tgid = (u32)pid_nr_in(ns, p->pid);
	s->ppid = p->real_parent ? (u32)pid_nr_in(ns, p->real_parent->pid) : 0;
	s->uid = uid_shown(t->real_cred->uid);
	s->gid = gid_shown(t->real_cred->gid);
	if (t == p->leader && !load_once(&p->did_exec))
		s->flag |= AFORK;
}

static void put_counts(struct task_stats *s, const struct thread *t)
{
	s->minflt = t->minflt;
	s->majflt = t->majflt;
	s->read_char = WHOLE_KIB(t->io.rchar);
	s->write_char = WHOLE_KIB(t->io.wchar);
	s->read_syscalls = WHOLE_KIB(t->io.syscr); /* so Linux has it */
	s->write_syscalls = WHOLE_KIB(t->io.syscw);
	s->read_bytes = WHOLE_KIB(t->io.read_bytes);
	s->write_bytes = WHOLE_KIB(t->io.write_bytes);
}

static void put_thread_locked(struct task_stats *s, struct thread *t,
			      const struct pid_ns *ns)
{
	u64 now = clock_mono_ns();
	struct used u = { 0 };

	add_thread(&u, t, now);
	put_used(s, &u);
	s->utimescaled = s->utime;
	s->stimescaled = s->stime;
	s->tgetime = (now - t->proc->leader->start_ns) / NSEC_PER_USEC;
	s->btime64 = (clock_real_ns() - u.age_ns) / NSEC_PER_SEC;
	s->btime = (u32)s->btime64;
	put_names(s, t, ns);
	put_counts(s, t);
}

static void put_status(struct task_stats *s, int status)
{
	s->exitcode = (u32)status;
	s->flag |= (u8)((status & WCOREFLAG ? ACORE : 0) |
			(status & 0x7f ? AXSIG : 0));
}

static void put_memory(struct task_stats *s, struct mm *mm)
{
	u32 dev = 0;

	down_read(&mm->lock);
	s->hiwater_rss = KIB(mm_rss_peak(mm));
	s->hiwater_vm = KIB(mm->most_pages);
	if (mm->exe && mm->exe->inode)
		exec_file_id(mm->exe, &dev, &s->exe_inode);
	up_read(&mm->lock);
	s->exe_dev = dev_encode(dev);
}

/* A process that is not waited for yet has its leader, ended as it is. */
static struct thread *find_locked(int tid)
{
	int nr = pid_given(tid);
	struct thread *t = thread_find(nr);
	struct process *p = t ? t->proc : process_find_locked(nr);

	return !p ? NULL : t ? t : p->leader;
}

int task_stats_of(int tid, struct task_stats *s)
{
	struct mm *mm = NULL;
	struct thread *t;

	memset(s, 0, sizeof(*s));
	spin_lock(&task_lock);
	t = find_locked(tid);
	if (t) {
		put_thread_locked(s, t, current_pid_ns());
		if (t->proc->zombie)
			put_status(s, t->proc->exit_code);
		mm = t->mm ? mm_get(t->mm) : NULL;
	}
	spin_unlock(&task_lock);
	if (!t)
		return -ESRCH;
	if (mm) {
		put_memory(s, mm);
		mm_put(mm);
	}
	return 0;
}

void task_stats_end(int status, bool last, struct task_stats *s)
{
	struct thread *t = current;

	memset(s, 0, sizeof(*s));
	spin_lock(&task_lock);
	put_thread_locked(s, t, &init_pid_ns);
	spin_unlock(&task_lock);
	/* Those who hear of it are in the first namespaces. */
	s->uid = t->real_cred->uid;
	s->gid = t->real_cred->gid;
	put_status(s, status);
	s->flag |= last ? AGROUP : 0;
	if (t->mm)
		put_memory(s, t->mm);
}

/* --- a process */

static void put_group_locked(struct task_stats *s, struct process *p)
{
	u64 now = clock_mono_ns();
	struct used u = { 0 };
	struct thread *t;

	add_ended(&u, p);
	list_for_each_entry(t, &p->threads, proc_node)
		add_thread(&u, t, now);
	put_used(s, &u);
}

int task_stats_of_group(int tid, struct task_stats *s)
{
	struct process *p;
	struct thread *t;

	memset(s, 0, sizeof(*s));
	spin_lock(&task_lock);
	t = find_locked(tid);
	p = t ? t->proc : NULL;
	if (p)
		put_group_locked(s, p);
	spin_unlock(&task_lock);
	return p ? 0 : -ESRCH;
}

bool task_stats_end_group(struct task_stats *s)
{
	struct process *p = current->proc;
	bool many;

	memset(s, 0, sizeof(*s));
	spin_lock(&task_lock);
	many = p->nr_ended || p->nr_threads > 1;
	if (many)
		put_group_locked(s, p);
	spin_unlock(&task_lock);
	return many;
}
