/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/sys.c - /proc/sys: the few knobs that programs read.
 */
#include <fs/aio.h>
#include <fs/proc/proc.h>
#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/ipc/mqueue.h>
#include <kernel/log.h>
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

static int show_aio_nr(struct text *t, void *arg __unused)
{
	text_printf(t, "%lu\n", aio_nr());
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

static void number(struct pnode *d, const char *name, u64 v)
{
	pseudo_file(d, name, 0444, show_number, NULL, (void *)(uintptr_t)v);
}

static char core_pattern[] = "core";
static char actions[] = "kill_process kill_thread trap errno trace log allow";

int proc_sys_init(struct pnode *root)
{
	struct pnode *sys = pseudo_dir(root, "sys"), *d;

	d = pseudo_dir(sys, "kernel");
	if (!d)
		return -ENOMEM;
	pseudo_file(d, "ostype", 0444, show_string, NULL, utsname.sysname);
	pseudo_file(d, "osrelease", 0444, show_string, NULL, utsname.release);
	pseudo_file(d, "version", 0444, show_string, NULL, utsname.version);
	pseudo_file(d, "hostname", 0644, show_string, write_name,
		    utsname.nodename);
	pseudo_file(d, "domainname", 0644, show_string, write_name,
		    utsname.domainname);
	number(d, "pid_max", 32768);
	number(d, "threads-max", 16384);
	number(d, "ngroups_max", NGROUPS_MAX);
	number(d, "cap_last_cap", CAP_LAST);
	number(d, "overflowuid", 65534);
	number(d, "overflowgid", 65534);
	number(d, "randomize_va_space", 2);
	number(d, "perf_event_paranoid", 2);
	number(d, "core_uses_pid", 0);
	pseudo_file(d, "core_pattern", 0444, show_string, NULL, core_pattern);
	number(d, "kptr_restrict", 1);
	number(d, "dmesg_restrict", 0);
	number(d, "tainted", 0);
	number(d, "sched_rr_timeslice_ms", 100);
	pseudo_file(d, "printk", 0444, show_printk, NULL, NULL);
	number(pseudo_dir(d, "pty"), "max", 1024);
	pseudo_file(pseudo_dir(d, "seccomp"), "actions_avail", 0444,
		    show_string, NULL, actions);
	d = pseudo_dir(d, "random");
	number(d, "entropy_avail", 256);
	number(d, "poolsize", 256);
	pseudo_file(d, "uuid", 0444, show_uuid, NULL, NULL);
	pseudo_file(d, "boot_id", 0444, show_boot_id, NULL, NULL);
	d = pseudo_dir(sys, "vm");
	number(d, "overcommit_memory", 0);
	number(d, "overcommit_ratio", 50);
	number(d, "overcommit_kbytes", 0);
	number(d, "nr_hugepages", 0);
	number(d, "panic_on_oom", 0);
	number(d, "page-cluster", 3);
	number(d, "max_map_count", 65530);
	number(d, "mmap_min_addr", 65536);
	number(d, "swappiness", 0);
	if (proc_vm_init(d))
		return -ENOMEM;
	d = pseudo_dir(sys, "fs");
	number(d, "file-max", 1u << 20);
	number(d, "nr_open", 1u << 20);
	number(d, "pipe-max-size", 1u << 20);
	number(d, "aio-max-nr", AIO_MAX_NR);
	pseudo_file(d, "aio-nr", 0444, show_aio_nr, NULL, NULL);
	number(d, "protected_symlinks", 0);
	number(d, "protected_hardlinks", 0);
	number(d, "suid_dumpable", 0);
	number(d, "mount-max", 100000);
	pseudo_file(d, "file-nr", 0444, show_file_nr, NULL, NULL);
	d = pseudo_dir(d, "mqueue");
	number(d, "queues_max", MQ_QUEUES_MAX);
	number(d, "msg_max", MQ_MAXMSG_LIMIT);
	number(d, "msgsize_max", MQ_MSGSIZE_LIMIT);
	number(d, "msg_default", MQ_MAXMSG);
	number(d, "msgsize_default", MQ_MSGSIZE);
	return 0;
}
