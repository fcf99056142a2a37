/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/sys.c - /proc/sys: the few knobs that programs read.
 */
#include <fs/coredump.h>
#include <fs/locks.h>
#include <fs/aio.h>
#include <fs/proc/proc.h>
#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/ipc/mqueue.h>
#include <kernel/log.h>
#include <kernel/pmu/event.h>
#include <kernel/pmu/rdpmc.h>
#include <kernel/random.h>
#include <kernel/utsname.h>
#include <lib/errno.h>
#include <lib/string.h>

static int show_string(struct text *t, void *arg)
{
	text_printf(t, "%s\n", (const char *)arg);
	return 0;
}

static s64 write_name(void *arg, char *buf, size_t n)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	buf[proc_line_len(buf)] = '\0';
	(void)strscpy(arg, buf, 65);
	return (s64)n;
}

static int show_number(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", (u64)(uintptr_t)arg);
	return 0;
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
	text_printf(t, "%lu\t0\t%u\n", file_count(), 1u << 20);
	return 0;
}

static int show_printk(struct text *t, void *arg __unused)
{
	text_printf(t, "%d\t4\t1\t7\n", log_console_level);
	return 0;
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

	buf[proc_line_len(buf)] = '\0';
	if (kstrtou64(buf, 10, &v) || v > 0x7fffffff)
		return -EINVAL;
	store_once(&lease_break_time, (u32)v);
	return (s64)n;
}

/* No pipes to programs. */
static s64 write_core_pattern(void *arg __unused, char *buf, size_t n)
{
	buf[proc_line_len(buf)] = '\0';
	if (*buf == '|' || strlen(buf) >= CORE_PATTERN_MAX)
		return -EINVAL;
	(void)strscpy(core_pattern, buf, CORE_PATTERN_MAX);
	return (s64)n;
}

static char actions[] = "kill_process kill_thread trap errno trace log allow";

/* Knobs that are numbers, and cannot be turned. */
static const struct {
	const char *dir, *name;
	u64 v;
} numbers[] = {
	{ "kernel", "pid_max", 32768 },
	{ "kernel", "threads-max", 16384 },
	{ "kernel", "ngroups_max", NGROUPS_MAX },
	{ "kernel", "cap_last_cap", CAP_LAST },
	{ "kernel", "overflowuid", 65534 },
	{ "kernel", "overflowgid", 65534 },
	{ "kernel", "randomize_va_space", 2 },
	{ "kernel", "core_uses_pid", 0 },
	{ "kernel", "dmesg_restrict", 0 },
	{ "kernel", "tainted", 0 },
	{ "kernel", "sched_rr_timeslice_ms", 100 },
	{ "vm", "overcommit_memory", 0 },
	{ "vm", "overcommit_ratio", 50 },
	{ "vm", "overcommit_kbytes", 0 },
	{ "vm", "nr_hugepages", 0 },
	{ "vm", "panic_on_oom", 0 },
	{ "vm", "page-cluster", 3 },
	{ "vm", "max_map_count", 65530 },
	{ "vm", "mmap_min_addr", 65536 },
	{ "vm", "swappiness", 0 },
	{ "fs", "file-max", 1u << 20 },
	{ "fs", "nr_open", 1u << 20 },
	{ "fs", "pipe-max-size", 1u << 20 },
	{ "fs", "aio-max-nr", AIO_MAX_NR },
	{ "fs", "protected_symlinks", 0 },
	{ "fs", "protected_hardlinks", 0 },
	{ "fs", "suid_dumpable", 0 },
	{ "fs", "mount-max", 100000 },
	{ "fs/mqueue", "queues_max", MQ_QUEUES_MAX },
	{ "fs/mqueue", "msg_max", MQ_MAXMSG_LIMIT },
	{ "fs/mqueue", "msgsize_max", MQ_MSGSIZE_LIMIT },
	{ "fs/mqueue", "msg_default", MQ_MAXMSG },
	{ "fs/mqueue", "msgsize_default", MQ_MSGSIZE },
	{ "kernel/random", "entropy_avail", 256 },
	{ "kernel/random", "poolsize", 256 },
	{ "kernel/pty", "max", 1024 },
};

static const struct {
	const char *dir, *name;
	pseudo_show_fn *show;
	pseudo_write_fn *write;
	void *arg;
} texts[] = {
	{ "kernel", "ostype", show_string, NULL, utsname.sysname },
	{ "kernel", "osrelease", show_string, NULL, utsname.release },
	{ "kernel", "version", show_string, NULL, utsname.version },
	{ "kernel", "hostname", show_string, write_name, utsname.nodename },
	{ "kernel", "domainname", show_string, write_name, utsname.domainname },
	{ "kernel", "core_pattern", show_string, write_core_pattern,
	  core_pattern },
	{ "kernel", "printk", show_printk, NULL, NULL },
	{ "kernel/random", "uuid", show_uuid, NULL, NULL },
	{ "kernel/random", "boot_id", show_boot_id, NULL, NULL },
	{ "kernel/seccomp", "actions_avail", show_string, NULL, actions },
	{ "fs", "file-nr", show_file_nr, NULL, NULL },
	{ "fs", "aio-nr", show_aio_nr, NULL, NULL },
	{ "fs", "lease-break-time", show_lease_time, write_lease_time, NULL },
};

/* Signed numbers that root may set. */
static const struct knob {
	const char *name;
	u64 *v;
	s64 min, max;
	void (*changed)(void); /* or NULL */
} knobs[] = {
	{ "perf_event_paranoid", &perf_paranoid, -1, 4 },
	{ "perf_event_max_sample_rate", &perf_max_rate, 1, 1000000 },
	{ "perf_user_access", &perf_user_access, 0, 2, rdpmc_access_changed },
	{ "perf_event_mlock_kb", &perf_mlock_kb, 0, 1 << 20 },
	{ "perf_event_max_stack", &perf_max_stack, 1, 127 },
	{ "kptr_restrict", &kptr_restrict, 0, 2 },
};

static int show_knob(struct text *t, void *arg)
{
	const struct knob *k = arg;

	text_printf(t, "%ld\n", (s64)load_once(k->v));
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
	if (kstrtou64(buf + minus, 10, &u) || u >> 32)
		return -EINVAL;
	v = minus ? -(s64)u : (s64)u;
	if (v < k->min || v > k->max)
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

int proc_sys_init(struct pnode *root)
{
	struct pnode *sys = pseudo_dir(root, "sys"), *d;

	for (u32 i = 0; sys && i < ARRAY_SIZE(numbers); i++) {
		d = sub_dir(sys, numbers[i].dir);
		if (!d)
			return -ENOMEM;
		pseudo_file(d, numbers[i].name, 0444, show_number, NULL,
			    (void *)(uintptr_t)numbers[i].v);
	}
	for (u32 i = 0; sys && i < ARRAY_SIZE(texts); i++) {
		d = sub_dir(sys, texts[i].dir);
		if (!d)
			return -ENOMEM;
		pseudo_file(d, texts[i].name, texts[i].write ? 0644 : 0444,
			    texts[i].show, texts[i].write, texts[i].arg);
	}
	d = sys ? sub_dir(sys, "kernel") : NULL;
	for (u32 i = 0; d && i < ARRAY_SIZE(knobs); i++)
		pseudo_file(d, knobs[i].name, 0644, show_knob, write_knob,
			    (void *)(uintptr_t)&knobs[i]);
	d = sys ? sub_dir(sys, "vm") : NULL;
	return d ? proc_vm_init(d) : -ENOMEM;
}
