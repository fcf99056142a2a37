/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/entries.c - the table of /proc/<pid>/, and its small files.
 */
#include <fs/proc/proc.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/pmu/hooks.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/user.h>
#include <kernel/relay/relay.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* Thread @tid of @p, or its leader for 0; NULL. */
static struct thread *thread_locked(struct process *p, int tid)
{
	struct thread *t = tid ? thread_find(tid) : p->leader;

	return t && t->proc == p ? t : NULL;
}

static int show_comm(struct text *t, struct process *p, int tid)
{
	struct thread *th;

	spin_lock(&task_lock);
	th = thread_locked(p, tid);
	text_printf(t, "%s\n", th ? th->name : "");
	spin_unlock(&task_lock);
	return 0;
}

/* pthread_setname_np() of another thread comes here. */
static s64 write_comm(struct process *p, int tid, char *buf, size_t n)
{
	struct thread *th;

	if (p != current_process())
		return -EINVAL;
	buf[proc_line_len(buf)] = '\0';
	spin_lock(&task_lock);
	th = thread_locked(p, tid);
	if (th)
		(void)strscpy(th->name, buf, sizeof(th->name));
	spin_unlock(&task_lock);
	if (!th)
		return -ESRCH;
	if (th == current)
		perf_tell(PERF_SIDE_COMM, th);
	return (s64)n;
}

static int show_relay(struct text *t, struct process *p)
{
	char b[64];

	relay_show_process(p, b, sizeof(b));
	text_puts(t, b);
	return 0;
}

static s64 write_relay(struct process *p, char *buf, size_t n)
{
	int r;

	if (!proc_may_inspect(p))
		return -EPERM;
	r = relay_write_process(p, buf);
	return r ? r : (s64)n;
}

/* What the OOM killer would weigh, from 0 to 2000: all memory and no adjustment is 1333. */
static int show_oom_score(struct text *t, struct process *p)
{
	struct mm *mm = process_mm(p);
	s64 score = 0;

	if (mm)
		score = oom_score(p, mm);
	if (mm)
		mm_put(mm);
	text_printf(t, "%ld\n", score);
	return 0;
}

static int show_oom_adj(struct text *t, struct process *p)
{
	text_printf(t, "%d\n", p->oom_score_adj);
	return 0;
}

static s64 write_oom_adj(struct process *p, char *buf, size_t n)
{
	bool neg = *buf == '-';
	u64 v;
	int adj;

	buf[proc_line_len(buf)] = '\0';
	if (kstrtou64(buf + neg, 10, &v) || v > 1000)
		return -EINVAL;
	adj = neg ? -(int)v : (int)v;
	if (adj < p->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	store_once(&p->oom_score_adj, adj);
	return (s64)n;
}

/* Another one's is for who may set priorities. */
static bool may_slack(const struct process *p)
{
	return p == current_process() || capable(CAP_SYS_NICE);
}

static int show_timerslack(struct text *t, struct process *p)
{
	if (!may_slack(p))
		return -EPERM;
	text_printf(t, "%lu\n", load_once(&p->timerslack_ns));
	return 0;
}

static s64 write_timerslack(struct process *p, char *buf, size_t n)
{
	u64 v;

	if (!may_slack(p))
		return -EPERM;
	if (proc_number(buf, &v))
		return -EINVAL;
	store_once(&p->timerslack_ns, v ? v : 50000);
	return (s64)n;
}

static int show_loginuid(struct text *t, struct process *p)
{
	u32 uid = load_once(&p->login_uid);

	text_printf(t, "%u", uid == ~0u ? uid : uid_shown(uid));
	return 0;
}

static int show_sessionid(struct text *t, struct process *p)
{
	text_printf(t, "%u", load_once(&p->login_session));
	return 0;
}

/* Once, by whoever lets somebody in (pam_loginuid); later only by root. */
static s64 write_loginuid(struct process *p, char *buf, size_t n)
{
	static u32 sessions; /* [a] */
	u64 v;
	u32 uid;

	if (p != current_process())
		return -EPERM;
	if (proc_number(buf, &v) || v > ~0u)
		return -EINVAL;
	uid = v == ~0u ? ~0u : uid_given((u32)v);
	if (uid == ~0u && v != ~0u)
		return -EINVAL;
	if (load_once(&p->login_uid) != ~0u && !capable(CAP_AUDIT_CONTROL))
		return -EPERM;
	store_once(&p->login_session,
		   uid == ~0u ? ~0u : atomic_add_return(&sessions, 1u));
	store_once(&p->login_uid, uid);
	return (s64)n;
}

static int show_cgroup(struct text *t, struct process *p, int tid)
{
	struct cgroup *cg = NULL;
	struct thread *th;
	char *buf;
	s64 n;

	spin_lock(&task_lock);
	th = tid ? thread_find(tid) : p->leader;
	if (th && th->proc == p)
		cg = cgroup_get(thread_cgroup(th));
	spin_unlock(&task_lock);
	buf = cg ? kmalloc(PATH_MAX) : NULL;
	n = !cg	   ? -ESRCH
	    : !buf ? -ENOMEM
		   : cgroup_path(cg, current_nsproxy()->cgroup->root, buf,
				 PATH_MAX);
	if (n > 0)
		text_printf(t, "0::%s%s\n", buf,
			    load_once(&cg->dead) ? " (deleted)" : "");
	kfree(buf);
	cgroup_put(cg);
	return n < 0 ? (int)n : 0;
}

static int show_wchan(struct text *t, struct process *p __unused)
{
	text_puts(t, "0");
	return 0;
}

static int link_exe(struct process *p, struct path *out)
{
	struct mm *mm = process_mm(p);
	struct file *f = NULL;
	int r = -ENOENT;

	if (!mm)
		return r;
	down_read(&mm->lock);
	if (mm->exe)
		f = file_get(mm->exe);
	up_read(&mm->lock);
	mm_put(mm);
	if (f && f->dentry) {
		*out = (struct path){ .mnt = f->mnt, .dentry = f->dentry };
		path_get(out);
		r = 0;
	}
	if (f)
		file_put(f);
	return r;
}

static int link_fs(struct process *p, struct path *out, bool root)
{
	struct fs_ctx *fs = process_fs(p);

	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);
	*out = root ? fs->root : fs->cwd;
	path_get(out);
	spin_unlock(&fs->lock);
	fs_ctx_put(fs);
	return 0;
}

static int link_cwd(struct process *p, struct path *out)
{
	return link_fs(p, out, false);
}

static int link_root(struct process *p, struct path *out)
{
	return link_fs(p, out, true);
}

static int show_children(struct text *t, struct process *p)
{
	struct process *c;

	spin_lock(&task_lock);
	list_for_each_entry(c, &p->children, sibling)
		text_printf(t, "%d ", proc_nr(t, c->pid));
	spin_unlock(&task_lock);
	return 0;
}

#define REG(nm, perm, sh, wr, own)                                             \
	{                                                                      \
		.name = nm, .mode = S_IFREG | (perm), .show = sh, .write = wr, \
		.owner_only = own                                              \
	}
#define RAW(nm, perm, sh, wr, own)                                             \
	{                                                                      \
		.name = nm, .mode = S_IFREG | (perm), .show = sh, .write = wr, \
		.owner_only = own, .sized = true                               \
	}
#define TID(nm, perm, sh)                                            \
	{                                                            \
		.name = nm, .mode = S_IFREG | (perm), .show_tid = sh \
	}
#define OWN(nm, perm, sh)                                             \
	{                                                             \
		.name = nm, .mode = S_IFREG | (perm), .show_tid = sh, \
		.owner_only = true                                    \
	}
#define OPEN(nm, perm, op)                                       \
	{                                                        \
		.name = nm, .mode = S_IFREG | (perm), .open = op \
	}
#define LNK(nm, ln)                                            \
	{                                                      \
		.name = nm, .mode = S_IFLNK | 0777, .link = ln \
	}

const struct pid_entry pid_entries[] = {
	TID("stat", 0444, proc_show_stat),
	TID("status", 0444, proc_show_status),
	REG("statm", 0444, proc_show_statm, NULL, false),
	RAW("cmdline", 0444, proc_show_cmdline, NULL, false),
	RAW("environ", 0400, proc_show_environ, NULL, true),
	RAW("auxv", 0400, proc_show_auxv, NULL, true),
	{ .name = "comm",
	  .mode = S_IFREG | 0644,
	  .show_tid = show_comm,
	  .write_tid = write_comm },
	{ .name = "maps",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_maps,
	  .owner_only = true,
	  .ioctl = proc_maps_ioctl },
	REG("smaps", 0444, proc_show_smaps, NULL, true),
	REG("smaps_rollup", 0444, proc_show_smaps_rollup, NULL, true),
	REG("numa_maps", 0444, proc_show_numa_maps, NULL, true),
	RAW("clear_refs", 0200, NULL, proc_write_clear_refs, false),
	OPEN("mem", 0600, proc_open_mem),
	OPEN("pagemap", 0400, proc_open_pagemap),
	OPEN("timens_offsets", 0644, proc_open_timens),
	OPEN("uid_map", 0644, proc_open_uid_map),
	OPEN("gid_map", 0644, proc_open_gid_map),
	OPEN("setgroups", 0644, proc_open_setgroups),
	REG("limits", 0444, proc_show_limits, NULL, false),
	REG("mounts", 0444, proc_show_mounts, NULL, false),
	REG("mountinfo", 0444, proc_show_mountinfo, NULL, false),
	REG("mountstats", 0400, proc_show_mountstats, NULL, false),
	REG("oom_score", 0444, show_oom_score, NULL, false),
	RAW("oom_score_adj", 0644, show_oom_adj, write_oom_adj, false),
	REG("timerslack_ns", 0666, show_timerslack, write_timerslack, false),
	RAW("loginuid", 0644, show_loginuid, write_loginuid, false),
	RAW("sessionid", 0444, show_sessionid, NULL, false),
	{ .name = "cgroup",
	  .mode = S_IFREG | 0444,
	  .show_tid = show_cgroup,
	  .in_task = true },
	OWN("io", 0400, proc_show_io),
	OWN("personality", 0400, proc_show_personality),
	OWN("syscall", 0400, proc_show_syscall),
	TID("sched", 0444, proc_show_sched),
	TID("schedstat", 0444, proc_show_schedstat),
	RAW("coredump_filter", 0644, proc_show_coredump_filter,
	    proc_write_coredump_filter, false),
	REG("wchan", 0444, show_wchan, NULL, false),
	REG("children", 0444, show_children, NULL, false),
	REG("relay", 0644, show_relay, write_relay, false),
	LNK("exe", link_exe),
	LNK("cwd", link_cwd),
	LNK("root", link_root),
};
const unsigned int nr_pid_entries = ARRAY_SIZE(pid_entries);
