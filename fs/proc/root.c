/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/root.c - the proc file system: its root, self, and the machine's files.
 */
#include <fs/locks.h>
#include <fs/proc/proc.h>
#include <fs/sysnode.h>
#include <kernel/dev/blk.h>
#include <kernel/dev/dev.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/time.h>
#include <kernel/panic.h>
#include <kernel/pmu/event.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <kernel/time/loadavg.h>
#include <kernel/time/posix.h>
#include <kernel/utsname.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct pnode *proc_root;

#define KIB(pages) ((pages)*4)

static int show_meminfo(struct text *t, void *arg __unused)
{
	struct pmem_info m;

	pmem_info(&m);
	text_printf(t,
		    "MemTotal:       %8lu kB\nMemFree:        %8lu kB\n"
		    "MemAvailable:   %8lu kB\nBuffers:        %8lu kB\n"
		    "Cached:         %8lu kB\nSwapCached:     %8u kB\n",
		    KIB(m.total), KIB(m.free), KIB(m.free + m.cached),
		    KIB(m.buffers), KIB(m.cached), 0);
	text_printf(t,
		    "Active:         %8u kB\nInactive:       %8lu kB\n"
		    "SwapTotal:      %8u kB\nSwapFree:       %8u kB\n"
		    "Dirty:          %8lu kB\nWriteback:      %8lu kB\n",
		    0, KIB(m.cached), 0, 0, KIB(m.dirty), KIB(m.writeback));
	text_printf(t,
		    "AnonPages:      %8lu kB\nMapped:         %8lu kB\n"
		    "Shmem:          %8lu kB\nSlab:           %8lu kB\n"
		    "KernelStack:    %8lu kB\nPageTables:     %8lu kB\n",
		    KIB(m.anon), KIB(m.mapped), KIB(m.shmem), KIB(m.slab),
		    KIB(m.kstack), KIB(m.pagetables));
	text_printf(t,
		    "CommitLimit:    %8lu kB\nCommitted_AS:   %8lu kB\n"
		    "VmallocTotal:   %8lu kB\nVmallocUsed:    %8u kB\n",
		    KIB(mm_commit_limit()), KIB(m.committed), VMAP_SIZE >> 10,
		    0);
	return 0;
}

static int show_uptime(struct text *t, void *arg __unused)
{
	u64 up = clock_mono_ns() + (u64)time_ns_offset(CLOCK_BOOTTIME);
	u64 idle = 0, ns[NR_RELAY_TIMES];

	for (u32 i = 0; i < nr_harts; i++) {
		relay_times(harts[i], ns);
		idle += ns[TIME_IDLE];
	}
	text_printf(t, "%lu.%02lu %lu.%02lu\n", up / NSEC_PER_SEC,
		    up % NSEC_PER_SEC / 10000000, idle / NSEC_PER_SEC,
		    idle % NSEC_PER_SEC / 10000000);
	return 0;
}

static void show_cpu(struct text *t, const char *name, u64 user, u64 sys,
		     u64 idle)
{
	text_printf(t, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, user / 10000000,
		    sys / 10000000, idle / 10000000);
}

/* user: in user mode; system: handlers and polling; idle: asleep. */
static void hart_times(const struct hart *h, u64 *user, u64 *sys, u64 *idle)
{
	u64 up = clock_mono_ns(), ns[NR_RELAY_TIMES];

	relay_times(h, ns);
	*idle = min(ns[TIME_IDLE], up);
	*sys = min(ns[TIME_POLL] + ns[TIME_HANDLER] + ns[TIME_RELAY],
		   up - *idle);
	*user = h->role & ROLE_APP ? up - *idle - *sys : 0;
	if (!(h->role & ROLE_APP))
		*sys = up - *idle;
}

static int show_stat(struct text *t, void *arg __unused)
{
	u64 user = 0, sys = 0, idle = 0, intr = 0, ctxt = 0, u, s, i;
	char name[16];

	for (u32 n = 0; n < nr_harts; n++) {
		hart_times(harts[n], &u, &s, &i);
		user += u;
		sys += s;
		idle += i;
		intr += harts[n]->st.external_irqs + harts[n]->st.timer_irqs +
			harts[n]->st.ipis_received;
		ctxt += harts[n]->st.switches + harts[n]->st.requests;
	}
	show_cpu(t, "cpu ", user, sys, idle);
	for (u32 n = 0; n < nr_harts; n++) {
		hart_times(harts[n], &u, &s, &i);
		snprintf(name, sizeof(name), "cpu%u", n);
		show_cpu(t, name, u, s, i);
	}
	text_printf(
		t,
		"intr %lu\nctxt %lu\nbtime %lu\nprocesses %u\n"
		"procs_running %u\nprocs_blocked 0\n",
		intr, ctxt,
		(clock_boot_real_ns() - (u64)time_ns_offset(CLOCK_BOOTTIME)) /
			NSEC_PER_SEC,
		process_forks(), loadavg_running());
	return 0;
}

static int show_loadavg(struct text *t, void *arg __unused)
{
	u64 avg[3];

	loadavg_get(avg);
	for (u32 i = 0; i < 3; i++) {
		u64 v = avg[i] + LOAD_ONE / 200; /* rounded */

		text_printf(t, "%lu.%02lu ", v >> LOAD_FSHIFT,
			    (v & (LOAD_ONE - 1)) * 100 >> LOAD_FSHIFT);
	}
	text_printf(t, "%u/%u %d\n", loadavg_running(), thread_count(),
		    pid_last_shown());
	return 0;
}

static int show_cpuinfo(struct text *t, void *arg __unused)
{
	for (u32 i = 0; i < nr_harts; i++) {
		const char *isa =
			fdt_prop_str(boot_fdt, harts[i]->fdt_node, "riscv,isa");

		text_printf(
			t,
			"processor\t: %u\nhart\t\t: %u\nisa\t\t: %s\n"
			"mmu\t\t: sv39\nmvendorid\t: 0x0\nmarchid\t\t: 0x0\n"
			"mimpid\t\t: 0x0\nhart isa\t: %s\nrole\t\t: %s\n\n",
			i, harts[i]->hartid, isa ? isa : "rv64imafdc",
			isa ? isa : "rv64imafdc",
			harts[i]->role == ROLE_APP	 ? "application"
			: harts[i]->role == ROLE_SERVICE ? "service"
							 : "both");
	}
	return 0;
}

static int show_version(struct text *t, void *arg __unused)
{
	text_printf(t, "%s version %s (antler) %s\n", utsname.sysname,
		    utsname.release, utsname.version);
	return 0;
}

static int show_cmdline(struct text *t, void *arg __unused)
{
	text_printf(t, "%s\n", boot_cmdline);
	return 0;
}

static void type_line(struct fs_type *ft, void *ctx)
{
	text_printf(ctx, "%s\t%s\n", ft->needs_dev ? "" : "nodev", ft->name);
}

static int show_filesystems(struct text *t, void *arg __unused)
{
	fs_for_each_type(type_line, t);
	return 0;
}

static int show_consoles(struct text *t, void *arg __unused)
{
	char line[64];

	if (console_show(line, sizeof(line)))
		text_puts(t, line);
	return 0;
}

static void put_line(void *ctx, const char *line)
{
	text_puts(ctx, line);
}

static int show_interrupts(struct text *t, void *arg __unused)
{
	irq_show(put_line, t);
	text_puts(t, "IPI:");
	for (u32 i = 0; i < nr_harts; i++)
		text_printf(t, " %10lu", harts[i]->st.ipis_received);
	text_puts(t, "  inter-processor\nTMR:");
	for (u32 i = 0; i < nr_harts; i++)
		text_printf(t, " %10lu", harts[i]->st.timer_irqs);
	text_puts(t, "  timer\n");
	return 0;
}

static void diskstats_line(struct blkdev *bd, void *ctx)
{
	char buf[256];

	(void)blk_stat_text(bd, buf, sizeof(buf));
	text_printf(ctx, "%4u %7u %s %s\n", MAJOR(bd->dev), MINOR(bd->dev),
		    bd->name, buf);
}

static int show_diskstats(struct text *t, void *arg __unused)
{
	blkdev_for_each(diskstats_line, t);
	return 0;
}

extern char __text_start[];

static int show_kallsyms(struct text *t, void *arg __unused)
{
	/* As Linux: 0 shows them to whoever may profile the kernel. */
	u64 restrict_ = load_once(&kptr_restrict);
	bool hide = restrict_ == 2 ? true
		    : restrict_ == 1
			    ? !capable(CAP_SYSLOG)
			    : !capable(CAP_SYSLOG) &&
				      (s64)load_once(&perf_paranoid) > 1;
	const char *name;
	u64 addr;

	/* perf(1) wants to know where the kernel begins. */
	text_printf(t, "%016lx T _text\n%016lx T _stext\n",
		    hide ? 0 : (u64)__text_start, hide ? 0 : (u64)__text_start);
	for (u32 i = 0; symbol_nth(i, &name, &addr); i++)
		text_printf(t, "%016lx t %s\n", hide ? 0 : addr, name);
	return 0;
}

void proc_lock_line(const struct lock_info *l, void *ctx)
{
	static const char *const types[] = { "READ ", "WRITE", "UNLCK" };
	struct text *t = ctx;

	text_printf(t, "%u: %s %s %s %d %02x:%02x:%lu %lu ", l->nr, l->kind,
		    l->state, types[l->type],
		    l->pid > 0 ? proc_nr(t, l->pid) : l->pid, MAJOR(l->dev),
		    MINOR(l->dev), l->ino, l->start);
	if (l->end == FLOCK_EOF)
		text_puts(t, "EOF\n");
	else
		text_printf(t, "%lu\n", l->end);
}

static int show_locks(struct text *t, void *arg __unused)
{
	return locks_for_each(proc_lock_line, t);
}

static void slab_line(const struct kmem_info *k, void *ctx)
{
	text_printf(ctx,
		    "%-20s %6lu %6lu %6lu %4u %4u : tunables 0 0 0 : "
		    "slabdata %6lu %6lu 0\n",
		    k->name, k->inuse, k->slabs * k->nr_obj, k->size, k->nr_obj,
		    k->nr_pages, k->slabs, k->slabs);
}

static int show_slabinfo(struct text *t, void *arg __unused)
{
	text_puts(t, "slabinfo - version: 2.1\n"
		     "# name            <active_objs> <num_objs> <objsize> "
		     "<objperslab> <pagesperslab> : tunables <limit> "
		     "<batchcount> <sharedfactor> : slabdata <active_slabs> "
		     "<num_slabs> <sharedavail>\n");
	kmem_for_each(slab_line, t);
	return 0;
}

/* Whole disks, in KiB as the names of old say. */
static void add_paging(struct blkdev *bd, void *ctx)
{
	u64 *kib = ctx;

	for (u32 write = 0; write < 2 && bd->whole == bd; write++)
		kib[write] += bd->stat_sectors[write] / 2;
}

static int show_vmstat(struct text *t, void *arg __unused)
{
	u64 kib[2] = { 0, 0 };
	struct pmem_info m;

	blkdev_for_each(add_paging, kib);
	pmem_info(&m);
	text_printf(t,
		    "nr_free_pages %lu\nnr_anon_pages %lu\n"
		    "nr_file_pages %lu\nnr_dirty %lu\nnr_writeback %lu\n"
		    "pgpgin %lu\npgpgout %lu\npswpin 0\npswpout 0\n",
		    m.free, m.anon, m.cached, m.dirty, m.writeback, kib[0],
		    kib[1]);
	return 0;
}

static int show_swaps(struct text *t, void *arg __unused)
{
	text_puts(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

/* It can be watched, though there is never anything to see. */
static int open_swaps(struct inode *inode __unused, struct file *f)
{
	static struct waitq wq = WAITQ_INIT(wq);
	static const u32 changes;
	int err = text_open(f, show_swaps, NULL, NULL, NULL);

	if (!err)
		text_watch(f, &wq, &changes);
	return err;
}

static int show_self(struct text *t, void *arg __unused)
{
	int pid = proc_nr(t, current_process()->pid);

	text_printf(t, "%d", pid);
	return pid ? 0 : -ENOENT;
}

static int show_thread_self(struct text *t, void *arg __unused)
{
	int pid = proc_nr(t, current_process()->pid);

	text_printf(t, "%d/task/%d", pid, proc_nr(t, current->tid));
	return pid ? 0 : -ENOENT;
}

static struct pnode *link_node(const char *name, pseudo_show_fn *show)
{
	struct pnode *n = pseudo_link(proc_root, name, "");

	if (n)
		n->show = show;
	return n;
}

static const struct {
	const char *name;
	pseudo_show_fn *show;
	u32 perm;
} files[] = {
	{ "meminfo", show_meminfo, 0444 },
	{ "uptime", show_uptime, 0444 },
	{ "stat", show_stat, 0444 },
	{ "loadavg", show_loadavg, 0444 },
	{ "cpuinfo", show_cpuinfo, 0444 },
	{ "version", show_version, 0444 },
	{ "cmdline", show_cmdline, 0444 },
	{ "filesystems", show_filesystems, 0444 },
	{ "consoles", show_consoles, 0444 },
	{ "interrupts", show_interrupts, 0444 },
	{ "devices", proc_show_devices, 0444 },
	{ "misc", proc_show_misc, 0444 },
	{ "partitions", proc_show_partitions, 0444 },
	{ "diskstats", show_diskstats, 0444 },
	{ "kallsyms", show_kallsyms, 0444 },
	{ "locks", show_locks, 0444 },
	{ "slabinfo", show_slabinfo, 0400 },
	{ "vmstat", show_vmstat, 0444 },
};

/* Behind all processes in the listing: what drivers have made. */
#define DRIVERS_FIRST (1ull << 40)

static int root_lookup(struct inode *dir, const char *name, size_t len,
		       struct inode **out)
{
	int err = proc_pid_lookup(dir, name, len, out);

	if (err || *out || load_once(&proc_sb(dir->sb)->pids_only))
		return err;
	return sysnode_lookup(dir->sb, sys_proc_node(), name, len, out);
}

/* subset=pid leaves the links to who looks. */
static bool root_shows(const struct super_block *sb, const struct pnode *n)
{
	return !load_once(&proc_sb(sb)->pids_only) || n->show == show_self ||
	       n->show == show_thread_self;
}

static int root_readdir(struct file *f, struct dir_ctx *ctx, u64 first)
{
	if (ctx->pos < DRIVERS_FIRST) {
		int err = proc_pid_readdir(f, ctx, first);

		if (err || process_next_pid((int)(ctx->pos - first)) >= 0)
			return err; /* not all were taken */
		ctx->pos = DRIVERS_FIRST;
	}
	if (load_once(&proc_sb(f->inode->sb)->pids_only))
		return 0;
	return sysnode_readdir(sys_proc_node(), ctx, DRIVERS_FIRST);
}

static int proc_init(void)
{
	struct pnode *n;
	int r;

	proc_root = pseudo_root_new();
	if (!proc_root)
		return -ENOMEM;
	proc_root->lookup = root_lookup;
	proc_root->readdir = root_readdir;
	proc_root->shows = root_shows;
	link_node("self", show_self);
	link_node("thread-self", show_thread_self);
	pseudo_link(proc_root, "mounts", "self/mounts");
	if (boot_fdt)
		pseudo_link(proc_root, "device-tree",
			    "/sys/firmware/devicetree/base");
	for (u32 i = 0; i < ARRAY_SIZE(files); i++)
		pseudo_file(proc_root, files[i].name, files[i].perm,
			    files[i].show, NULL, NULL);
	n = pseudo_dir(proc_root, "tty");
	if (n)
		pseudo_file(n, "drivers", 0444, proc_show_tty_drivers, NULL,
			    NULL);
	n = pseudo_dir(proc_root, "driver");
	if (n)
		pseudo_file(n, "rtc", 0444, proc_show_rtc, NULL, NULL);
	n = pseudo_file(proc_root, "swaps", 0444, NULL, NULL, NULL);
	if (n)
		n->open = open_swaps;
	r = proc_keys_init(proc_root);
	if (!r)
		r = proc_sys_init(proc_root);
	if (!r)
		r = proc_relay_init(proc_root);
	if (!r)
		r = proc_sysrq_init(proc_root);
	return r ? r : proc_instance_init();
}
INITCALL(INIT_VFS, proc_init);
