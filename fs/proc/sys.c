/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/sys.c - /proc/sys: the few knobs that programs read.
 */
#include <fs/eventpoll.h>
#include <fs/coredump.h>
#include <fs/locks.h>
#include <fs/aio.h>
#include <fs/fanotify.h>
#include <fs/notify.h>
#include <fs/pipe.h>
#include <fs/proc/proc.h>
#include <fs/sysctl.h>
#include <fs/tmpfs.h>
#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/ipc/ipc.h>
#include <kernel/ipc/mqueue.h>
#include <kernel/keys/keys.h>
#include <kernel/log.h>
#include <kernel/mm/uffd.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vma.h>
#include <kernel/panic.h>
#include <kernel/pmu/event.h>
#include <kernel/pmu/rdpmc.h>
#include <kernel/random.h>
#include <kernel/reset.h>
#include <kernel/task/pid.h>
#include <kernel/task/trace.h>
#include <kernel/utsname.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

static int show_string(struct text *t, void *arg)
{
	text_printf(t, "%s\n", (const char *)arg);
	return 0;
}

/* A name of the reader's, or writer's, UTS namespace. */
static int show_name(struct text *t, void *arg)
{
	char name[UTS_LEN + 1];

	utsname_name((enum uts_name)(uintptr_t)arg, name);
	text_printf(t, "%s\n", name);
	return 0;
}

static s64 write_name(void *arg, char *buf, size_t n)
{
	size_t len = min(proc_line_len(buf), (size_t)UTS_LEN);
	int err = utsname_set((enum uts_name)(uintptr_t)arg, buf, len);

	return err ? err : (s64)n;
}

/* Who watches one hears when it is set. */
static int open_name(struct inode *inode, struct file *f)
{
	void *which = ((struct pnode *)inode->priv)->arg;
	int err = text_open(f, show_name, write_name, which, NULL);

	if (err)
		return err;
	text_sized(f, false);
	text_watch(f, &utsname_wq, &utsname_events[(uintptr_t)which]);
	return 0;
}

static int show_number(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", (u64)(uintptr_t)arg);
	return 0;
}

static s64 same_number(void *arg, char *buf, size_t n)
{
	u64 v;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (proc_number(buf, &v) || v != (u64)(uintptr_t)arg)
		return -EINVAL;
	return (s64)n;
}

static void put_uuid(struct text *t, const u8 *b)
{
	text_printf(t, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-", b[0],
		    b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9]);
	text_printf(t, "%02x%02x%02x%02x%02x%02x\n", b[10], b[11], b[12], b[13],
		    b[14], b[15]);
}

static void make_uuid(u8 *b)
{
	random_bytes(b, 16);
	b[6] = (b[6] & 0x0f) | 0x40; /* version 4 [RFC 4122, 4.4] */
	b[8] = (b[8] & 0x3f) | 0x80;
}

static int show_uuid(struct text *t, void *arg __unused)
{
	u8 b[16];

	make_uuid(b);
	put_uuid(t, b);
	return 0;
}

static int show_boot_id(struct text *t, void *arg __unused)
{
	static u8 id[16];
	static bool made;

	if (!made)
		make_uuid(id);
	made = true;
	put_uuid(t, id);
	return 0;
}

static int show_file_nr(struct text *t, void *arg __unused)
{
	text_printf(t, "%lu\t0\t%lu\n", file_count(), load_once(&files_max));
	return 0;
}

static int show_printk(struct text *t, void *arg __unused)
{
	text_printf(t, "%d\t4\t1\t7\n", log_console_level);
	return 0;
}

/* The first of the four is the one that something is done with. */
static s64 write_printk(void *arg __unused, char *buf, size_t n)
{
	u64 v;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	for (u32 i = 0; buf[i]; i++)
		if (buf[i] == ' ' || buf[i] == '\t' || buf[i] == '\n')
			buf[i] = '\0';
	if (kstrtou64(buf, 10, &v) || v > 15)
		return -EINVAL;
	log_console_level = (int)v;
	return (s64)n;
}

static int show_aio_nr(struct text *t, void *arg __unused)
{
	text_printf(t, "%lu\n", aio_nr());
	return 0;
}

static int show_lease_time(struct text *t, void *arg __unused)
{
	text_printf(t, "%u\n", load_once(&lease_break_time));
	return 0;
}

static s64 write_lease_time(void *arg __unused, char *buf, size_t n)
{
	u64 v;

	if (proc_number(buf, &v) || v > 0x7fffffff)
		return -EINVAL;
	store_once(&lease_break_time, (u32)v);
	return (s64)n;
}

/* Too long: the beginning of it. */
static s64 write_core_pattern(void *arg __unused, char *buf, size_t n)
{
	buf[proc_line_len(buf)] = '\0';
	(void)strscpy(core_pattern, buf, CORE_PATTERN_MAX);
	return (s64)n;
}

static int show_next_id(struct text *t, void *arg)
{
	text_printf(t, "%ld\n", ipc_next_id(arg));
	return 0;
}

static s64 write_next_id(void *arg, char *buf, size_t n)
{
	u64 v;

	if (!ns_capable(current_nsproxy()->ipc->ns.owner, CAP_SYS_ADMIN))
		return -EPERM;
	if (proc_number(buf, &v) || v > 0x7fffffff)
		return -EINVAL;
	ipc_set_next_id(arg, (s32)v);
	return (s64)n;
}

static int show_last_pid(struct text *t, void *arg __unused)
{
	text_printf(t, "%d\n", pid_cursor_shown());
	return 0;
}

static s64 write_last_pid(void *arg __unused, char *buf, size_t n)
{
	u64 v;
	int err;

	err = proc_number(buf, &v) ? -EINVAL : pid_set_last(v);
	return err ? err : (s64)n;
}

static int show_scope(struct text *t, void *arg __unused)
{
	text_printf(t, "%u\n", trace_scope());
	return 0;
}

static s64 write_scope(void *arg __unused, char *buf, size_t n)
{
	u64 v;
	int err;

	err = proc_number(buf, &v) ? -EINVAL : trace_set_scope(v);
	return err ? err : (s64)n;
}

/* Nothing is taken from real-time threads. */
static int show_rt_runtime(struct text *t, void *arg __unused)
{
	text_puts(t, "-1\n");
	return 0;
}

static s64 write_rt_runtime(void *arg __unused, char *buf, size_t n)
{
	buf[proc_line_len(buf)] = '\0';
	return strcmp(buf, "-1") ? -EINVAL : (s64)n;
}

static char actions[] = "kill_process kill_thread trap errno "
			"user_notif trace log allow";

/*
 * Numbers that are as they are: root may write what is there already, which is
 * what a program does that saves a setting and restores it.
 */
static const struct {
	const char *dir, *name;
	u64 v;
	bool fixed; /* not even that */
} numbers[] = {
	{ "kernel", "ngroups_max", NGROUPS_MAX, true },
	{ "kernel", "cap_last_cap", CAP_LAST, true },
	{ "kernel", "overflowuid", 65534 },
	{ "kernel", "overflowgid", 65534 },
	{ "kernel", "randomize_va_space", 2 },
	{ "kernel", "dmesg_restrict", 0 },
	{ "kernel", "tainted", 0 },
	{ "vm", "nr_hugepages", 0 },
	{ "vm", "panic_on_oom", 0 },
	{ "vm", "page-cluster", 3 },
	{ "vm", "mmap_min_addr", 65536 },
	{ "vm", "swappiness", 0 },
	{ "fs", "aio-max-nr", AIO_MAX_NR },
	{ "fs", "mount-max", 100000 },
	{ "fs", "overflowuid", 65534 },
	{ "fs", "overflowgid", 65534 },
	{ "fs", "leases-enable", 1 },
	{ "fs", "dir-notify-enable", 1 },
	{ "kernel", "panic_on_oops", 1 },
	{ "kernel", "auto_msgmni", 0 },
	{ "kernel", "modules_disabled", 1 },
	{ "kernel", "sched_rt_period_us", 1000000 },
	{ "kernel", "shm_rmid_forced", 0 },
	{ "vm", "oom_kill_allocating_task", 0 },
	{ "vm", "nr_overcommit_hugepages", 0 },
	{ "vm", "legacy_va_layout", 0 },
	{ "fs/inotify", "max_queued_events", INOTIFY_MAX_EVENTS },
	{ "fs/inotify", "max_user_watches", INOTIFY_MAX_WATCHES },
	{ "user", "max_inotify_watches", INOTIFY_MAX_WATCHES },
	{ "kernel/random", "entropy_avail", 256, true },
	{ "kernel/random", "poolsize", 256, true },
	{ "kernel/random", "urandom_min_reseed_secs", 60 },
	{ "kernel/random", "write_wakeup_threshold", 256 },
	{ "kernel/pty", "max", 1024 },
};

static const struct {
	const char *dir, *name;
	pseudo_show_fn *show;
	pseudo_write_fn *write;
	void *arg;
	u32 mode; /* 0: root may write, if there is a write */
} texts[] = {
	{ "kernel", "ostype", show_string, NULL, (void *)utsname.sysname },
	{ "kernel", "osrelease", show_string, NULL, (void *)utsname.release },
	{ "kernel", "version", show_string, NULL, (void *)utsname.version },
	{ "kernel", "arch", show_string, NULL, (void *)utsname.machine },
	{ "kernel", "core_pattern", show_string, write_core_pattern,
	  core_pattern },
	{ "kernel", "printk", show_printk, write_printk, NULL },
	{ "kernel/random", "uuid", show_uuid, NULL, NULL },
	{ "kernel/random", "boot_id", show_boot_id, NULL, NULL },
	{ "kernel/seccomp", "actions_avail", show_string, NULL, actions },
	{ "kernel", "sched_rt_runtime_us", show_rt_runtime, write_rt_runtime,
	  NULL },
	{ "kernel", "msg_next_id", show_next_id, write_next_id, &ipc_msqs,
	  0444 },
	{ "kernel", "sem_next_id", show_next_id, write_next_id, &ipc_sems,
	  0444 },
	{ "kernel", "shm_next_id", show_next_id, write_next_id, &ipc_shms,
	  0444 },
	{ "kernel", "ns_last_pid", show_last_pid, write_last_pid, NULL, 0666 },
	{ "kernel/yama", "ptrace_scope", show_scope, write_scope, NULL },
	{ "fs", "file-nr", show_file_nr, NULL, NULL },
	{ "fs", "aio-nr", show_aio_nr, NULL, NULL },
	{ "fs", "lease-break-time", show_lease_time, write_lease_time, NULL },
};

/* One of the two counts: who sets the ratio means it. */
static void ratio_set(void)
{
	store_once(&overcommit_kbytes, 0ul);
}

/* Pages, a power of two of them. */
static void pipe_max_set(void)
{
	u64 v = max(load_once(&pipe_max_size), PAGE_SIZE);

	if (v & (v - 1))
		v = 1ul << (log2_floor(v) + 1);
	store_once(&pipe_max_size, v);
}

/* What keys may do; no console has any, and /proc/sysrq-trigger may do all. */
static u64 sysrq_keys = 1;

static u64 min_free_kbytes;

static void min_free_set(void)
{
	pmem_set_min_free(min(min_free_kbytes / (PAGE_SIZE / 1024),
			      pmem_total_pages() / 4));
}

/* 0 or less: as it was. */
static void rr_set(void)
{
	if ((s64)load_once(&sched_rr_ms) <= 0)
		store_once(&sched_rr_ms, (u64)SCHED_RR_MS);
}

u64 io_uring_disabled, io_uring_group = ~0ul;

#define KNOB_ANY ((s64)(~0ul >> 1)) /* as max: unsigned, without bounds */

/* Signed numbers that root may set. */
static const struct knob {
	const char *dir, *name;
	u64 *v;
	s64 min, max;
	void (*changed)(void); /* or NULL */
} knobs[] = {
	{ "kernel", "core_uses_pid", &core_uses_pid, 0, 0x7fffffff },
	{ "kernel", "core_pipe_limit", &core_pipe_limit, 0, 0xffffffff },
	{ "kernel", "sched_rr_timeslice_ms", &sched_rr_ms, -1, 1000000,
	  rr_set },
	{ "kernel", "sched_deadline_period_min_us", &sched_dl_period_min_us, 0,
	  0xffffffff },
	{ "kernel", "sched_deadline_period_max_us", &sched_dl_period_max_us, 0,
	  0xffffffff },
	{ "user", "max_user_namespaces", &user_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_mnt_namespaces", &mnt_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_uts_namespaces", &uts_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_cgroup_namespaces", &cgroup_ns_count.max, 0,
	  0x7fffffff },
	{ "user", "max_pid_namespaces", &pid_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_net_namespaces", &net_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_ipc_namespaces", &ipc_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_time_namespaces", &time_ns_count.max, 0, 0x7fffffff },
	{ "user", "max_inotify_instances", &inotify_max_instances, 0,
	  0x7fffffff },
	{ "user", "max_fanotify_groups", &fanotify_max_groups, 0, 0x7fffffff },
	{ "user", "max_fanotify_marks", &fanotify_max_marks, 0, 0x7fffffff },
	{ "kernel", "io_uring_disabled", &io_uring_disabled, 0, 2 },
	{ "kernel", "io_uring_group", &io_uring_group, -1, 0x7fffffff },
	{ "kernel", "panic", (u64 *)&panic_timeout, -0x80000000l, 0x7fffffff },
	{ "kernel", "threads-max", &threads_max, 20, 0x3fffffff },
	{ "kernel", "sysrq", &sysrq_keys, 0, 0x7fffffff },
	{ "kernel", "ctrl-alt-del", &ctrl_alt_del, -0x80000000l, 0x7fffffff },
	{ "kernel", "pid_max", &pid_max, PID_RESERVED + 1, PID_MAX_SET },
	{ "kernel", "shmmax", &ipc_limits.shmmax, 0, KNOB_ANY },
	{ "kernel", "shmall", &ipc_limits.shmall, 0, KNOB_ANY },
	{ "kernel", "shmmni", &ipc_limits.shmmni, 0, IPC_SLOTS },
	{ "kernel", "msgmni", &ipc_limits.msgmni, 0, IPC_SLOTS },
	{ "kernel", "msgmax", &ipc_limits.msgmax, 0, MSG_MAX_HARD },
	{ "kernel", "msgmnb", &ipc_limits.msgmnb, 0, 0x7fffffff },
	{ "vm", "unprivileged_userfaultfd", &unprivileged_userfaultfd, 0, 1 },
	{ "vm", "overcommit_memory", &overcommit_memory, 0, OVERCOMMIT_NEVER },
	{ "vm", "overcommit_ratio", &overcommit_ratio, 0, 0x7fffffff,
	  ratio_set },
	{ "vm", "overcommit_kbytes", &overcommit_kbytes, 0, 1l << 40 },
	{ "vm", "min_free_kbytes", &min_free_kbytes, 0, 1 << 30, min_free_set },
	{ "vm", "memfd_noexec", &memfd_noexec, 0, MEMFD_NEVER_EXEC },
	{ "vm", "max_map_count", &max_map_count, 0, 1 << 20 },
	{ "fs", "pipe-max-size", &pipe_max_size, 0, 1l << 31, pipe_max_set },
	{ "fs", "pipe-user-pages-soft", &pipe_user_pages_soft, 0, 1l << 40 },
	{ "fs", "pipe-user-pages-hard", &pipe_user_pages_hard, 0, 1l << 40 },
	{ "fs/epoll", "max_user_watches", &epoll_max_user_watches, 0,
	  KNOB_ANY - 1 },
	{ "fs/inotify", "max_user_instances", &inotify_max_instances, 0,
	  0x7fffffff },
	{ "fs/fanotify", "max_queued_events", &fanotify_max_queued, 0,
	  0x7fffffff },
	{ "fs/fanotify", "max_user_groups", &fanotify_max_groups, 0,
	  0x7fffffff },
	{ "fs/fanotify", "max_user_marks", &fanotify_max_marks, 0, 0x7fffffff },
	{ "fs", "protected_symlinks", &protected_symlinks, 0, 1 },
	{ "fs", "protected_hardlinks", &protected_hardlinks, 0, 1 },
	{ "fs", "protected_fifos", &protected_fifos, 0, 2 },
	{ "fs", "protected_regular", &protected_regular, 0, 2 },
	{ "fs", "nr_open", &nr_open, 64, NR_OPEN_MAX },
	{ "fs", "suid_dumpable", &suid_dumpable, DUMP_NOBODY, DUMP_ROOT },
	{ "fs", "file-max", &files_max, 0, KNOB_ANY - 1 },
	{ "fs/mqueue", "queues_max", &mq_limits.queues_max, 0, 0x7fffffff },
	{ "fs/mqueue", "msg_max", &mq_limits.msg_max, 1, MQ_MAXMSG_HARD },
	{ "fs/mqueue", "msgsize_max", &mq_limits.msgsize_max, 128,
	  MQ_MSGSIZE_HARD },
	{ "fs/mqueue", "msg_default", &mq_limits.msg_default, 1,
	  MQ_MAXMSG_HARD },
	{ "fs/mqueue", "msgsize_default", &mq_limits.msgsize_default, 128,
	  MQ_MSGSIZE_HARD },
	{ "kernel", "perf_event_paranoid", &perf_paranoid, -0x80000000l,
	  0x7fffffff },
	{ "kernel", "perf_cpu_time_max_percent", &perf_cpu_percent, 0, 100 },
	{ "kernel", "perf_event_max_contexts_per_stack", &perf_max_contexts, 0,
	  1000 },
	{ "kernel", "perf_event_max_sample_rate", &perf_max_rate, 1, 1000000 },
	{ "kernel", "perf_user_access", &perf_user_access, 0, 2,
	  rdpmc_access_changed },
	{ "kernel", "perf_event_mlock_kb", &perf_mlock_kb, 0, 1 << 20 },
	{ "kernel", "perf_event_max_stack", &perf_max_stack, 0, 127 },
	{ "kernel/keys", "maxkeys", &key_limits.maxkeys, 1, 0x7fffffff },
	{ "kernel/keys", "maxbytes", &key_limits.maxbytes, 1, 0x7fffffff },
	{ "kernel/keys", "root_maxkeys", &key_limits.root_maxkeys, 1,
	  0x7fffffff },
	{ "kernel/keys", "root_maxbytes", &key_limits.root_maxbytes, 1,
	  0x7fffffff },
	{ "kernel/keys", "gc_delay", &key_limits.gc_delay, 0, 0x7fffffff },
	{ "kernel/keys", "persistent_keyring_expiry",
	  &key_limits.persistent_expiry, 0, 0x7fffffff },
	{ "kernel", "kptr_restrict", &kptr_restrict, 0, 2 },
};

static int show_knob(struct text *t, void *arg)
{
	const struct knob *k = arg;

	/* shmmax and shmall are unsigned, and more than the rest can be */
	text_printf(t, k->max == KNOB_ANY ? "%lu\n" : "%ld\n", load_once(k->v));
	return 0;
}

static s64 write_knob(void *arg, char *buf, size_t n)
{
	const struct knob *k = arg;
	bool minus = *buf == '-';
	s64 v;
	u64 u;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	buf[proc_line_len(buf)] = '\0';
	if (kstrtou64(buf + minus, 10, &u))
		return -EINVAL;
	v = minus ? -(s64)u : (s64)u;
	if (k->max != KNOB_ANY && (v < k->min || v > k->max))
		return -EINVAL;
	store_once(k->v, (u64)v);
	if (k->changed)
		k->changed();
	return (s64)n;
}

/* Directory "a" or "a/b" below @sys, made when it is not there. */
static struct pnode *sub_dir(struct pnode *sys, const char *path)
{
	const char *slash = strchr(path, '/');
	char first[16];
	struct pnode *d;

	if (!slash) {
		d = pseudo_find(sys, path);
		return d ? d : pseudo_dir(sys, path);
	}
	(void)strscpy(first, path,
		      min(sizeof(first), (size_t)(slash - path) + 1));
	d = pseudo_find(sys, first); /* listed before what is in it */
	return d ? sub_dir(d, slash + 1) : NULL;
}

static bool names_init(struct pnode *dir)
{
	static const char *const names[] = {
		[UTS_NODENAME] = "hostname", [UTS_DOMAINNAME] = "domainname"
	};
	struct pnode *n = dir;

	for (u32 i = 0; n && i < ARRAY_SIZE(names); i++) {
		n = pseudo_file(dir, names[i], 0644, NULL, NULL,
				(void *)(uintptr_t)i);
		if (n)
			n->open = open_name;
	}
	return n != NULL;
}

int proc_sys_init(struct pnode *root)
{
	struct pnode *sys = pseudo_dir(root, "sys"), *d;
	struct pmem_info mem;

	if (!sys)
		return -ENOMEM;
	sys->setting = true;
	pmem_info(&mem);
	min_free_kbytes = mem.reserved * (PAGE_SIZE / 1024);
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		d = sub_dir(sys, numbers[i].dir);
		if (!d)
			return -ENOMEM;
		pseudo_file(d, numbers[i].name, numbers[i].fixed ? 0444 : 0644,
			    show_number, numbers[i].fixed ? NULL : same_number,
			    (void *)(uintptr_t)numbers[i].v);
	}
	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		d = sub_dir(sys, texts[i].dir);
		if (!d)
			return -ENOMEM;
		pseudo_file(d, texts[i].name,
			    texts[i].mode    ? texts[i].mode
			    : texts[i].write ? 0644
					     : 0444,
			    texts[i].show, texts[i].write, texts[i].arg);
	}
	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++) {
		d = sub_dir(sys, knobs[i].dir);
		if (!d)
			return -ENOMEM;
		pseudo_file(d, knobs[i].name, 0644, show_knob, write_knob,
			    (void *)(uintptr_t)&knobs[i]);
	}
	if (!names_init(sys ? sub_dir(sys, "kernel") : NULL))
		return -ENOMEM;
	if (proc_counts_init(sub_dir(sys, "fs"), sub_dir(sys, "kernel/pty")))
		return -ENOMEM;
	d = sys ? sub_dir(sys, "vm") : NULL;
	return d ? proc_vm_init(d) : -ENOMEM;
}
