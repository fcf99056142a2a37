/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/status.c - /proc/<pid>/stat, status, statm, limits, cmdline, environ, auxv.
 */
#include <fs/proc/proc.h>
#include <kernel/dev/dev.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pt.h>
#include <kernel/ns/time.h>
#include <kernel/ns/user.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/relay/observe.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>
#include <kernel/time/posix.h>
#include <kernel/upcalls.h>
#include <kernel/task/user_use.h>
#include <lib/errno.h>
#include <lib/string.h>

#define USER_HZ 100

struct sizes {
	u64 vsize, vpeak, rss, peak, anon, file, shmem;
	u64 data, stack, exe, text, pt, locked;
};

static void sum_vma(struct vma *v, void *ctx)
{
	struct sizes *z = ctx;
	u64 len = v->end - v->start;

	z->vsize += len;
	if (v->flags & VM_GROWSDOWN)
		z->stack += len;
	else if (v->flags & VM_EXEC)
		z->exe += len;
	else if ((v->flags & VM_WRITE) && !(v->flags & VM_SHARED))
		z->data += len;
}

static void sizes_of(struct mm *mm, struct sizes *z)
{
	*z = (struct sizes){ 0 };
	if (!mm)
		return;
	mm_for_each_vma(mm, sum_vma, z);
	z->anon = mm->rss_anon;
	z->file = mm->rss_file;
	z->shmem = mm->rss_shmem;
	z->rss = z->anon + z->file + z->shmem;
	z->peak = mm_rss_peak(mm);
	z->pt = mm->pt_pages;
	z->locked = mm->locked_pages;
	z->vpeak = max(mm->most_pages << PAGE_SHIFT, z->vsize);
	z->text = min(ALIGN_UP(mm->end_code, PAGE_SIZE) -
			      ALIGN_DOWN(mm->start_code, PAGE_SIZE),
		      z->exe);
}

static char thread_char(const struct thread *t)
{
	const struct tracee *tr = thread_tracee(t);

	if (tr && load_once(&tr->stopped))
		return 't';
	switch ((enum thread_state)load_once(&t->state)) {
	case THREAD_WAITING:
		return load_once(&t->interruptible) ? 'S' : 'D';
	case THREAD_DEAD:
		return 'X';
	default:
		return 'R';
	}
}

static struct thread *thread_of_locked(struct process *p, int tid)
{
	struct thread *t = tid ? thread_find(tid) : NULL;

	return t && t->proc == p ? t : p->leader;
}

char proc_state_char(struct process *p, int tid)
{
	struct thread *t;
	char c = 'Z';

	spin_lock(&task_lock);
	if (tid) {
		t = thread_of_locked(p, tid);
		c = t ? thread_char(t) : 'X';
		if (c != 't' && t && (t->jobctl & JOBCTL_STOPPED))
			c = 'T';
	} else if (!p->zombie) {
		c = p->stopped ? 'T' : 'S';
		list_for_each_entry(t, &p->threads, proc_node) {
			char of = thread_char(t);

			if (!p->stopped || of == 't')
				c = of;
			if (of == 'R' || of == 't')
				break;
		}
	}
	spin_unlock(&task_lock);
	return c;
}

static u64 signals_used(struct process *p)
{
	struct cred *c = process_cred(p);
	u64 n = c ? user_used(c->uid, USER_SIGNALS) : 0;

	if (c)
		cred_put(c);
	return n;
}

struct snapshot {
	char name[16];
	int tid, ppid, pgid, sid, tpgid, tracer;
	u64 tty_nr;
	u32 nr_threads;
	u64 utime, stime, start;
	s32 nice, rt_prio, own_prio, policy;
	u64 pending, shared_pending, blocked, ignored, caught;
	u64 minflt, majflt, vcsw, ivcsw, cpus;
	int cpu, exit_signal;
	u32 seccomp, filters;
};

static void signals_of(struct process *p, struct thread *t, struct snapshot *s)
{
	struct sighand *sh = p->sighand;

	if (!sh)
		return;
	spin_lock(&sh->lock);
	s->shared_pending = p->sig_pending;
	s->pending = t ? t->sig_pending : 0;
	s->blocked = t ? t->sig_blocked : 0;
	for (u32 i = 0; i < NSIG; i++) {
		if (sh->action[i].handler == 1)
			s->ignored |= BIT(i);
		else if (sh->action[i].handler)
			s->caught |= BIT(i);
	}
	spin_unlock(&sh->lock);
}

static void thread_part(struct thread *t, struct snapshot *s, bool only)
{
	const struct tracee *tr = thread_tracee(t);

	memcpy(s->name, t->name, sizeof(s->name));
	s->tid = t->tid;
	s->tracer = tr ? tr->tracer->pid : 0;
	s->nice = t->nice;
	s->rt_prio = load_once(&t->rt_prio);
	s->own_prio = load_once(&t->own_prio);
	s->policy = load_once(&t->sched_policy) & ~SCHED_POLICY_RESET;
	s->cpus = t->cpus_allowed;
	s->cpu = t->home ? (int)t->home->cpu : 0;
	s->start = t->start_ns;
	seccomp_status(t, &s->seccomp, &s->filters);
	s->minflt += t->minflt;
	s->majflt += t->majflt;
	s->vcsw += t->nr_vcsw;
	s->ivcsw += t->nr_ivcsw;
	if (!only)
		return;
	relay_thread_times(t, &s->utime, &s->stime);
}

static void snapshot(struct process *p, int tid, struct snapshot *s)
{
	struct thread *t;

	*s = (struct snapshot){ .tpgid = -1, .tid = p->pid };
	process_times(p, &s->utime, &s->stime);
	spin_lock(&task_lock);
	t = thread_of_locked(p, tid);
	s->ppid = p->real_parent ? p->real_parent->pid : 0;
	s->pgid = p->pgid;
	s->sid = p->sid;
	s->nr_threads = p->nr_threads;
	s->exit_signal = p->exit_signal;
	s->start = p->start_ns;
	if (p->ctty) {
		s->tty_nr = dev_encode(p->ctty->dev);
		s->tpgid = load_once(&p->ctty->pgid);
	}
	if (!tid) {
		s->minflt = p->minflt;
		s->majflt = p->majflt;
		s->vcsw = p->nvcsw;
		s->ivcsw = p->nivcsw;
	}
	if (t)
		thread_part(t, s, tid != 0);
	if (!p->zombie)
		signals_of(p, t, s);
	spin_unlock(&task_lock);
}

/* As the namespace of the instance has them. */
static void renumber(const struct text *t, struct snapshot *s)
{
	struct pid_ns *ns = proc_pids(t);
	int *nr[] = { &s->tid, &s->ppid, &s->pgid, &s->sid, &s->tracer };

	if (likely(ns == &init_pid_ns))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(nr); i++)
		*nr[i] = pid_nr_in(ns, *nr[i]);
	if (s->tpgid > 0)
		s->tpgid = pid_nr_in(ns, s->tpgid);
}

/* A number at each level from the instance's down to the process's own. */
static void show_levels(struct text *t, struct process *p, const char *name,
			int pid)
{
	const struct pid_ns *at[PID_NS_LEVELS + 1], *ns = p->pid_ns;
	u32 n = 0;

	for (; ns && ns->level >= proc_pids(t)->level; ns = ns->parent)
		at[n++] = ns;
	text_printf(t, "%s:", name);
	while (n) {
		int nr = pid_nr_in(at[--n], pid);

		if (nr || at[n] == p->pid_ns)
			text_printf(t, "\t%d", nr);
	}
	text_puts(t, "\n");
}

/* Below 0: real-time; what others lend counts. */
static s32 shown_prio(const struct snapshot *s)
{
	return s->rt_prio ? -1 - s->rt_prio : 20 + s->nice;
}

int proc_show_stat(struct text *t, struct process *p, int tid)
{
	bool see = !trace_may_access(p, true);
	struct mm *mm = process_mm(p), *m = see ? mm : NULL;
	struct snapshot s;
	struct sizes z;

	snapshot(p, tid, &s);
	renumber(t, &s);
	sizes_of(mm, &z);
	text_printf(t, "%d (%s) %c %d %d %d %lu %d 0 %lu %lu %lu %lu %lu %lu ",
		    s.tid, s.name, proc_state_char(p, tid), s.ppid, s.pgid,
		    s.sid, s.tty_nr, s.tpgid, s.minflt, tid ? 0 : p->cminflt,
		    s.majflt, tid ? 0 : p->cmajflt,
		    s.utime * USER_HZ / NSEC_PER_SEC,
		    s.stime * USER_HZ / NSEC_PER_SEC);
	text_printf(t, "%lu %lu %d %d %u 0 %lu %lu %lu %lu ",
		    p->cutime_ns * USER_HZ / NSEC_PER_SEC,
		    p->cstime_ns * USER_HZ / NSEC_PER_SEC, shown_prio(&s),
		    s.nice, s.nr_threads,
		    (s.start + (u64)time_ns_offset(CLOCK_BOOTTIME)) /
			    (NSEC_PER_SEC / USER_HZ),
		    z.vsize, z.rss, p->rlim[RLIMIT_RSS].cur);
	text_printf(t,
		    "%lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d %d %d %d 0 0 0 ",
		    m ? m->start_code : 0, m ? m->end_code : 0,
		    m ? m->start_stack : 0, s.pending & 0x7fffffff,
		    s.blocked & 0x7fffffff, s.ignored & 0x7fffffff,
		    s.caught & 0x7fffffff, s.exit_signal, s.cpu,
		    s.policy == SCHED_DEADLINE ? 0 : s.own_prio, s.policy);
	text_printf(t, "%lu %lu %lu %lu %lu %lu %lu %d\n",
		    m ? m->start_data : 0, m ? m->end_data : 0,
		    m ? m->start_brk : 0, m ? m->arg_start : 0,
		    m ? m->arg_end : 0, m ? m->env_start : 0,
		    m ? m->env_end : 0, see ? p->exit_code : 0);
	if (mm)
		mm_put(mm);
	return 0;
}

static u32 slots_of(struct process *p)
{
	struct files *files = process_files(p);
	u32 n = files ? files_size(files) : 0;

	if (files)
		files_put(files);
	return n;
}

static void show_ids(struct text *t, struct process *p)
{
	struct cred *c = process_cred(p);

	if (!c)
		return;
	text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n",
		    uid_shown(c->uid), uid_shown(c->euid), uid_shown(c->suid),
		    uid_shown(c->fsuid), gid_shown(c->gid), gid_shown(c->egid),
		    gid_shown(c->sgid), gid_shown(c->fsgid));
	text_printf(t, "FDSize:\t%u\nGroups:\t", slots_of(p));
	for (u32 i = 0; i < c->nr_groups; i++)
		text_printf(t, "%u ", gid_shown(c->groups[i]));
	text_puts(t, c->nr_groups ? "\n" : " \n");
	cred_put(c);
}

static void show_caps(struct text *t, struct process *p)
{
	struct cred *c = process_cred(p);

	if (!c)
		return;
	text_printf(t, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n",
		    c->cap_inheritable, c->cap_permitted, c->cap_effective);
	text_printf(t, "CapBnd:\t%016lx\nCapAmb:\t%016lx\nNoNewPrivs:\t%d\n",
		    c->cap_bset, c->cap_ambient, c->no_new_privs);
	cred_put(c);
}

static const char *state_name(char c)
{
	switch (c) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 't':
		return "tracing stop";
	case 'Z':
		return "zombie";
	default:
		return "dead";
	}
}

static void show_memory(struct text *t, const struct sizes *z, bool dumps)
{
	text_printf(t,
		    "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\n"
		    "VmPin:\t%8u kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n",
		    z->vpeak >> 10, z->vsize >> 10, z->locked * 4, 0,
		    z->peak * 4, z->rss * 4);
	text_printf(t,
		    "RssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n"
		    "RssShmem:\t%8lu kB\nVmData:\t%8lu kB\nVmStk:\t%8lu kB\n",
		    z->anon * 4, z->file * 4, z->shmem * 4, z->data >> 10,
		    z->stack >> 10);
	text_printf(t,
		    "VmExe:\t%8lu kB\nVmLib:\t%8lu kB\nVmPTE:\t%8lu kB\n"
		    "VmSwap:\t%8u kB\nHugetlbPages:\t%8u kB\n",
		    z->text >> 10, (z->exe - z->text) >> 10, z->pt * 4, 0, 0);
	text_printf(t,
		    "CoreDumping:\t%d\nTHP_enabled:\t0\n"
		    "untag_mask:\t0xffffffffffffffff\n",
		    dumps);
}

static void show_names(struct text *t, struct process *p, int tid,
		       const struct snapshot *s)
{
	struct fs_ctx *fs = process_fs(p);
	char c = proc_state_char(p, tid);

	text_printf(t, "Name:\t%s\n", s->name);
	if (fs) {
		text_printf(t, "Umask:\t%04o\n", fs->umask);
		fs_ctx_put(fs);
	}
	text_printf(t,
		    "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n"
		    "PPid:\t%d\nTracerPid:\t%d\n",
		    c, state_name(c), proc_nr(t, p->pid), proc_nr(t, s->tid),
		    proc_nr(t, s->ppid), proc_nr(t, s->tracer));
}

/* Bits of @mask as "0-2,5". */
static void put_list(struct text *t, u64 mask)
{
	bool first = true;

	for (u32 i = 0; i < 64; i++) {
		u32 from = i;

		if (!(mask & BIT(i)))
			continue;
		while (i < 63 && (mask & BIT(i + 1)))
			i++;
		text_printf(t, "%s%u", first ? "" : ",", from);
		if (i > from)
			text_printf(t, "-%u", i);
		first = false;
	}
}

int proc_show_status(struct text *t, struct process *p, int tid)
{
	struct mm *mm = process_mm(p);
	struct snapshot s;
	struct sizes z;
	u64 cpus;

	snapshot(p, tid, &s);
	show_names(t, p, tid, &s);
	show_ids(t, p);
	show_levels(t, p, "NStgid", p->pid);
	show_levels(t, p, "NSpid", s.tid);
	show_levels(t, p, "NSpgid", s.pgid);
	show_levels(t, p, "NSsid", s.sid);
	text_puts(t, "Kthread:\t0\n");
	if (mm) {
		sizes_of(mm, &z);
		show_memory(t, &z, load_once(&p->dumper) != NULL);
		mm_put(mm);
	}
	text_printf(t, "Threads:\t%u\nSigQ:\t%lu/%lu\n", s.nr_threads,
		    signals_used(p), p->rlim[RLIMIT_SIGPENDING].cur);
	text_printf(t,
		    "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
		    "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		    s.pending, s.shared_pending, s.blocked, s.ignored,
		    s.caught);
	show_caps(t, p);
	cpus = s.cpus & app_mask();
	text_printf(t,
		    "Seccomp:\t%u\nSeccomp_filters:\t%u\nCpus_allowed:\t%lx\n"
		    "Cpus_allowed_list:\t",
		    s.seccomp, s.filters, cpus);
	put_list(t, cpus);
	text_printf(t,
		    "\nMems_allowed:\t1\nMems_allowed_list:\t0\n"
		    "voluntary_ctxt_switches:\t%lu\n"
		    "nonvoluntary_ctxt_switches:\t%lu\n",
		    s.vcsw, s.ivcsw);
	return 0;
}

int proc_show_statm(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	struct sizes z;

	sizes_of(mm, &z);
	text_printf(t, "%lu %lu %lu %lu 0 %lu 0\n", z.vsize >> PAGE_SHIFT,
		    z.rss, z.file + z.shmem, z.text >> PAGE_SHIFT,
		    (z.data + z.stack) >> PAGE_SHIFT);
	if (mm)
		mm_put(mm);
	return 0;
}

/* Bytes [start, end) of p's memory. */
static int show_range(struct text *t, struct process *p, bool env)
{
	struct mm *mm = process_mm(p);
	u64 a, end;
	char *buf;

	if (!mm)
		return 0;
	a = env ? mm->env_start : mm->arg_start;
	end = env ? mm->env_end : mm->arg_end;
	if (end < a || end - a > 256 * 1024)
		end = a;
	buf = get_free_page(0);
	while (buf && a < end) {
		size_t n = min(end - a, PAGE_SIZE);
		size_t got = mm_copy_from(mm, buf, a, n);

		text_write(t, buf, got);
		if (got < n)
			break;
		a += n;
	}
	if (buf)
		free_page_addr(buf);
	mm_put(mm);
	return buf ? 0 : -ENOMEM;
}

/*
 * setproctitle(3): whoever wrote over the last NUL of the arguments means the string
 * that begins there, which may go on where the environment was; a page at most.  The
 * length of it, or 0.
 */
static size_t read_title(struct mm *mm, char *page)
{
	size_t n;
	char last;

	if (mm->arg_start >= mm->arg_end ||
	    mm_copy_from(mm, &last, mm->arg_end - 1, 1) != 1 || !last)
		return 0;
	n = mm_copy_from(mm, page, mm->arg_start, PAGE_SIZE);
	return min(strnlen(page, n) + 1, n);
}

int proc_show_cmdline(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	size_t n = 0;
	char *page;

	if (!mm)
		return 0;
	page = get_free_page(0);
	if (page)
		n = read_title(mm, page);
	text_write(t, page, n);
	if (page)
		free_page_addr(page);
	mm_put(mm);
	if (!page)
		return -ENOMEM;
	return n ? 0 : show_range(t, p, false);
}

int proc_show_environ(struct text *t, struct process *p)
{
	return show_range(t, p, true);
}

int proc_show_auxv(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);

	if (!mm)
		return 0;
	text_write(t, mm->auxv, mm->nr_auxv * sizeof(u64));
	mm_put(mm);
	return 0;
}

int proc_show_limits(struct text *t, struct process *p)
{
	static const struct {
		const char *name, *unit;
	} rows[NR_RLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", "" },
		[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};

	text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
		    "Hard Limit", "Units");
	for (u32 i = 0; i < NR_RLIMITS; i++) {
		u64 v[2] = { p->rlim[i].cur, p->rlim[i].max };

		text_printf(t, "%-25s ", rows[i].name);
		for (u32 k = 0; k < 2; k++) {
			if (v[k] == RLIM_INFINITY)
				text_printf(t, "%-20s ", "unlimited");
			else
				text_printf(t, "%-20lu ", v[k]);
		}
		text_printf(t, *rows[i].unit ? "%-10s\n" : "%s\n",
			    rows[i].unit);
	}
	return 0;
}
