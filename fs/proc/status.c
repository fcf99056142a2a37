/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/status.c - /proc/<pid>/stat, status, statm, limits, cmdline, environ, auxv.
 */
#include <fs/proc/proc.h>
#include <kernel/dev/dev.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

#define USER_HZ 100

struct sizes {
	u64 vsize, rss, anon, file, shmem, data, stack, exe, peak, pt;
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
	z->peak = max(mm->rss_max, z->rss);
	z->pt = mm->pt_pages;
}

static char thread_char(const struct thread *t)
{
	switch ((enum thread_state)load_once(&t->state)) {
	case THREAD_WAITING:
		return load_once(&t->interruptible) ? 'S' : 'D';
	case THREAD_DEAD:
		return 'X';
	default:
		return 'R';
	}
}

char proc_state_char(struct process *p)
{
	struct thread *t;
	char c = 'Z';

	spin_lock(&task_lock);
	if (p->stopped) {
		c = 'T';
	} else if (!p->zombie) {
		c = 'S';
		list_for_each_entry(t, &p->threads, proc_node) {
			c = thread_char(t);
			if (c == 'R')
				break;
		}
	}
	spin_unlock(&task_lock);
	return c;
}

struct snapshot {
	char name[16];
	int ppid, pgid, sid, tpgid;
	u64 tty_nr;
	u32 nr_threads;
	u64 utime, stime;
	s32 nice;
	u64 pending, shared_pending, blocked, ignored, caught;
	u64 minflt, majflt, vcsw, ivcsw, cpus;
	int cpu;
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

static void snapshot(struct process *p, struct snapshot *s)
{
	struct thread *t;

	*s = (struct snapshot){ .tpgid = -1 };
	process_times(p, &s->utime, &s->stime);
	spin_lock(&task_lock);
	t = p->leader;
	if (t)
		memcpy(s->name, t->name, sizeof(s->name));
	s->ppid = p->real_parent ? p->real_parent->pid : 0;
	s->pgid = p->pgid;
	s->sid = p->sid;
	s->nr_threads = p->nr_threads;
	if (p->ctty) {
		s->tty_nr = dev_encode(p->ctty->dev);
		s->tpgid = load_once(&p->ctty->pgid);
	}
	s->nice = t ? t->nice : 0;
	s->cpus = t ? t->cpus_allowed : 0;
	s->cpu = t && t->home ? (int)t->home->cpu : 0;
	s->minflt = p->minflt + (t ? t->minflt : 0);
	s->majflt = p->majflt + (t ? t->majflt : 0);
	s->vcsw = p->nvcsw + (t ? t->nr_vcsw : 0);
	s->ivcsw = p->nivcsw + (t ? t->nr_ivcsw : 0);
	if (!p->zombie)
		signals_of(p, t, s);
	spin_unlock(&task_lock);
}

int proc_show_stat(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	struct snapshot s;
	struct sizes z;

	snapshot(p, &s);
	sizes_of(mm, &z);
	text_printf(t, "%d (%s) %c %d %d %d %lu %d 0 %lu 0 %lu 0 %lu %lu ",
		    p->pid, s.name, proc_state_char(p), s.ppid, s.pgid, s.sid,
		    s.tty_nr, s.tpgid, s.minflt, s.majflt,
		    s.utime * USER_HZ / NSEC_PER_SEC,
		    s.stime * USER_HZ / NSEC_PER_SEC);
	text_printf(t, "%lu %lu %d %d %u 0 %lu %lu %lu %lu ",
		    p->cutime_ns * USER_HZ / NSEC_PER_SEC,
		    p->cstime_ns * USER_HZ / NSEC_PER_SEC, 20 + s.nice, s.nice,
		    s.nr_threads, p->start_ns * USER_HZ / NSEC_PER_SEC, z.vsize,
		    z.rss, RLIM_INFINITY);
	text_printf(t, "%lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 17 %d 0 0 0 0 0 ",
		    mm ? mm->start_code : 0, mm ? mm->end_code : 0,
		    mm ? mm->start_stack : 0, s.pending, s.blocked, s.ignored,
		    s.caught, s.cpu);
	text_printf(t, "%lu %lu %lu %lu %lu %lu %lu %d\n",
		    mm ? mm->start_data : 0, mm ? mm->end_data : 0,
		    mm ? mm->start_brk : 0, mm ? mm->arg_start : 0,
		    mm ? mm->arg_end : 0, mm ? mm->env_start : 0,
		    mm ? mm->env_end : 0, p->exit_code);
	if (mm)
		mm_put(mm);
	return 0;
}

static void show_ids(struct text *t, struct process *p)
{
	struct cred *c = process_cred(p);
	struct fs_ctx *fs = process_fs(p);

	if (fs) {
		text_printf(t, "Umask:\t%04o\n", fs->umask);
		fs_ctx_put(fs);
	}
	if (!c)
		return;
	text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid,
		    c->euid, c->suid, c->fsuid, c->gid, c->egid, c->sgid,
		    c->fsgid);
	text_puts(t, "Groups:\t");
	for (u32 i = 0; i < c->nr_groups; i++)
		text_printf(t, "%u ", c->groups[i]);
	text_puts(t, "\n");
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
	case 'Z':
		return "zombie";
	default:
		return "dead";
	}
}

static void show_memory(struct text *t, const struct sizes *z)
{
	text_printf(t,
		    "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8u kB\n"
		    "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n",
		    z->vsize >> 10, z->vsize >> 10, 0, z->peak * 4, z->rss * 4);
	text_printf(t,
		    "RssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n"
		    "RssShmem:\t%8lu kB\nVmData:\t%8lu kB\nVmStk:\t%8lu kB\n",
		    z->anon * 4, z->file * 4, z->shmem * 4, z->data >> 10,
		    z->stack >> 10);
	text_printf(t, "VmExe:\t%8lu kB\nVmPTE:\t%8lu kB\nVmSwap:\t%8u kB\n",
		    z->exe >> 10, z->pt * 4, 0);
}

int proc_show_status(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	char c = proc_state_char(p);
	struct snapshot s;
	struct sizes z;

	snapshot(p, &s);
	text_printf(t, "Name:\t%s\n", s.name);
	text_printf(t,
		    "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n"
		    "PPid:\t%d\nTracerPid:\t0\n",
		    c, state_name(c), p->pid, p->pid, s.ppid);
	show_ids(t, p);
	text_printf(t, "NSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", p->pid, s.pgid,
		    s.sid);
	if (mm) {
		sizes_of(mm, &z);
		show_memory(t, &z);
		mm_put(mm);
	}
	text_printf(t, "Threads:\t%u\nSigQ:\t%u/%lu\n", s.nr_threads,
		    p->nr_sigqueued, p->rlim[RLIMIT_SIGPENDING].cur);
	text_printf(t,
		    "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
		    "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		    s.pending, s.shared_pending, s.blocked, s.ignored,
		    s.caught);
	show_caps(t, p);
	text_printf(t,
		    "Seccomp:\t0\nCpus_allowed:\t%lx\n"
		    "voluntary_ctxt_switches:\t%lu\n"
		    "nonvoluntary_ctxt_switches:\t%lu\n",
		    s.cpus & app_mask(), s.vcsw, s.ivcsw);
	return 0;
}

int proc_show_statm(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	struct sizes z;

	sizes_of(mm, &z);
	text_printf(t, "%lu %lu %lu %lu 0 %lu 0\n", z.vsize >> PAGE_SHIFT,
		    z.rss, z.file + z.shmem, z.exe >> PAGE_SHIFT,
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

int proc_show_cmdline(struct text *t, struct process *p)
{
	return show_range(t, p, false);
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
		text_printf(t, "%-10s\n", rows[i].unit);
	}
	return 0;
}
