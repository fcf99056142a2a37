/* SPDX-License-Identifier: MIT */
/* fs/cgroup/files.c - what is in the files of a group; see cgroupfs.h. */
#include <fs/cgroup/cgroupfs.h>

#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define USEC(ns) ((ns) / NSEC_PER_USEC)

/* "max" or a number: 0, -EINVAL, -ERANGE. */
static int parse_max(const char *s, u64 *out)
{
	if (!strcmp(s, "max")) {
		*out = CGROUP_MAX;
		return 0;
	}
	return kstrtou64(s, 0, out);
}

static void put_max(struct text *t, u64 v)
{
	if (v == CGROUP_MAX)
		text_puts(t, "max\n");
	else
		text_printf(t, "%lu\n", v);
}

/* --- cgroup.* */

static int show_type(struct text *t, struct cgroup *cg)
{
	const char *s = "domain\n";

	spin_lock(&task_lock);
	if (cgroup_is_threaded(cg))
		s = "threaded\n";
	else if (!cgroup_is_valid_domain(cg))
		s = "domain invalid\n";
	else if (cgroup_is_thread_root(cg))
		s = "domain threaded\n";
	spin_unlock(&task_lock);
	text_puts(t, s);
	return 0;
}

static int write_type(struct cgroupfs_open *o, char *buf)
{
	return strcmp(buf, "threaded") ? -EINVAL : cgroup_set_threaded(o->cg);
}

static int show_controllers_of(struct text *t, u32 mask)
{
	const char *sep = "";

	for (u32 i = 0; i < NR_CGROUP_CTL; i++) {
		if (!(mask & BIT(i)))
			continue;
		text_puts(t, sep);
		text_puts(t, cgroup_ctl_name[i]);
		sep = " ";
	}
	if (*sep)
		text_puts(t, "\n");
	return 0;
}

static int show_controllers(struct text *t, struct cgroup *cg)
{
	return show_controllers_of(t, load_once(&cg->controllers));
}

static int show_subtree_control(struct text *t, struct cgroup *cg)
{
	return show_controllers_of(t, load_once(&cg->subtree_control));
}

static u32 ctl_bit(const char *s, size_t n)
{
	for (u32 i = 0; i < NR_CGROUP_CTL; i++)
		if (!strncmp(cgroup_ctl_name[i], s, n) &&
		    !cgroup_ctl_name[i][n])
			return (u32)BIT(i);
	return 0;
}

/* "+cpu -pids": of one controller the last word counts. */
static int write_subtree_control(struct cgroupfs_open *o, char *buf)
{
	u32 enable = 0, disable = 0, bit;
	const char *end;

	for (char *s = buf; *s; s = *end ? (char *)end + 1 : (char *)end) {
		end = strchr(s, ' ');
		if (!end)
			end = s + strlen(s);
		if (end == s)
			continue;
		if (*s != '+' && *s != '-')
			return -EINVAL;
		bit = ctl_bit(s + 1, (size_t)(end - s - 1));
		if (!bit)
			return -EINVAL;
		enable = *s == '+' ? enable | bit : enable & ~bit;
		disable = *s == '-' ? disable | bit : disable & ~bit;
	}
	return cgroup_set_subtree_control(o->cg, enable, disable);
}

static int show_events(struct text *t, struct cgroup *cg)
{
	bool populated, frozen;

	spin_lock(&task_lock);
	populated = cgroup_populated_locked(cg);
	frozen = cg->frozen;
	spin_unlock(&task_lock);
	text_printf(t, "populated %d\nfrozen %d\n", populated, frozen);
	return 0;
}

static int show_max_descendants(struct text *t, struct cgroup *cg)
{
	put_max(t, load_once(&cg->max_descendants));
	return 0;
}

static int show_max_depth(struct text *t, struct cgroup *cg)
{
	put_max(t, load_once(&cg->max_depth));
	return 0;
}

/* A number, which may be signed here: 0, -EINVAL, -ERANGE. */
static int parse_signed(const char *s, u64 *v)
{
	int err = kstrtou64(*s == '-' ? s + 1 : s, 0, v);

	return err ? err : *s == '-' && *v ? -ERANGE : 0;
}

static int write_limit(u64 *limit, const char *buf)
{
	u64 v;
	int err =
		strcmp(buf, "max") ? parse_signed(buf, &v) : parse_max(buf, &v);

	if (err)
		return err;
	if (v != CGROUP_MAX && v > 0x7fffffff)
		return -ERANGE;
	store_once(limit, v == 0x7fffffff ? CGROUP_MAX : v);
	return 0;
}

static int write_max_descendants(struct cgroupfs_open *o, char *buf)
{
	return write_limit(&o->cg->max_descendants, buf);
}

static int write_max_depth(struct cgroupfs_open *o, char *buf)
{
	return write_limit(&o->cg->max_depth, buf);
}

static int show_stat(struct text *t, struct cgroup *cg)
{
	text_printf(t, "nr_descendants %lu\nnr_dying_descendants %lu\n",
		    load_once(&cg->nr_descendants), load_once(&cg->nr_dying));
	return 0;
}

static int show_freeze(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%d\n", load_once(&cg->freeze));
	return 0;
}

/* 0 or 1: 0, -EINVAL or -ERANGE. */
static int parse_bit(const char *buf, u64 *v)
{
	int err = parse_signed(buf, v);

	return err ? err : *v > 1 ? -ERANGE : 0;
}

static int write_freeze(struct cgroupfs_open *o, char *buf)
{
	u64 v;
	int err = parse_bit(buf, &v);

	if (!err)
		cgroup_set_freeze(o->cg, v);
	return err;
}

static int write_kill(struct cgroupfs_open *o, char *buf)
{
	u64 v;
	int err = parse_bit(buf, &v);

	if (err || !v)
		return err ? err : -ERANGE;
	if (cgroup_is_threaded(o->cg))
		return -EOPNOTSUPP;
	cgroup_kill(o->cg);
	return 0;
}

/* --- pids.* */

static int show_pids_max(struct text *t, struct cgroup *cg)
{
	put_max(t, load_once(&cg->max_pids));
	return 0;
}

static int write_pids_max(struct cgroupfs_open *o, char *buf)
{
	u64 v;
	int err = parse_max(buf + (*buf == '+'), &v);

	if (err)
		return err;
	if (v != CGROUP_MAX && v > 4194304)
		return -EINVAL;
	store_once(&o->cg->max_pids, v);
	return 0;
}

static int show_pids_current(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%lu\n", load_once(&cg->nr_pids));
	return 0;
}

static int show_pids_peak(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%lu\n", load_once(&cg->peak_pids));
	return 0;
}

static int show_pids_events(struct text *t, struct cgroup *cg)
{
	/* as it was before Linux 6.12: what was refused to this group */
	text_printf(t, "max %lu\n",
		    load_once(&cgroupfs_pids_localevents)
			    ? load_once(&cg->pids_fail_local)
			    : load_once(&cg->pids_events));
	return 0;
}

static int show_pids_events_local(struct text *t, struct cgroup *cg)
{
	text_printf(t, "max %lu\n",
		    load_once(&cgroupfs_pids_localevents)
			    ? load_once(&cg->pids_fail_local)
			    : load_once(&cg->pids_max_local));
	return 0;
}

/* --- cpu.* */

static int show_cpu_stat(struct text *t, struct cgroup *cg)
{
	struct cgroup_bandwidth bw;
	struct cgroup_time used;

	cgroup_usage(cg, &used);
	text_printf(t, "usage_usec %lu\nuser_usec %lu\nsystem_usec %lu\n",
		    USEC(used.user + used.system), USEC(used.user),
		    USEC(used.system));
	if (!cg->parent || !(load_once(&cg->controllers) & BIT(CGROUP_CPU)))
		return 0;
	spin_lock(&task_lock);
	bw = cg->bw;
	spin_unlock(&task_lock);
	text_printf(t,
		    "nr_periods %lu\nnr_throttled %lu\nthrottled_usec %lu\n"
		    "nr_bursts %lu\nburst_usec %lu\n",
		    bw.nr_periods, bw.nr_throttled, USEC(bw.throttled_ns),
		    bw.nr_bursts, USEC(bw.burst_used_ns));
	return 0;
}

static int show_cpu_stat_local(struct text *t, struct cgroup *cg)
{
	text_printf(t, "throttled_usec %lu\n",
		    USEC(load_once(&cg->bw.throttled_ns)));
	return 0;
}

static int show_cpu_max(struct text *t, struct cgroup *cg)
{
	u64 quota, period;

	spin_lock(&task_lock);
	quota = cg->bw.quota_ns;
	period = cg->bw.period_ns;
	spin_unlock(&task_lock);
	if (quota == CGROUP_MAX)
		text_printf(t, "max %lu\n", USEC(period));
	else
		text_printf(t, "%lu %lu\n", USEC(quota), USEC(period));
	return 0;
}

static int usec_to_ns(u64 *v)
{
	if (*v > ~0ul / NSEC_PER_USEC / 1024)
		return -EINVAL;
	*v *= NSEC_PER_USEC;
	return 0;
}

static int write_cpu_max(struct cgroupfs_open *o, char *buf)
{
	u64 quota, period = USEC(load_once(&o->cg->bw.period_ns));
	char *second = str_cut(buf, ' ');
	const char *end;

	if (second) { /* what is behind it is not looked at */
		period = parse_u64(second, &end, 10);
		if (end == second)
			return -EINVAL;
	}
	if (parse_max(buf, &quota) || usec_to_ns(&period) ||
	    (quota != CGROUP_MAX && usec_to_ns(&quota)))
		return -EINVAL;
	return cgroup_set_bandwidth(o->cg, quota, period);
}

static int show_cpu_burst(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%lu\n", USEC(load_once(&cg->bw.burst_ns)));
	return 0;
}

static int write_cpu_burst(struct cgroupfs_open *o, char *buf)
{
	u64 v;

	if (kstrtou64(buf, 0, &v) || usec_to_ns(&v))
		return -EINVAL;
	return cgroup_set_burst(o->cg, v);
}

static int show_cpu_weight(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%u\n", cgroup_weight(cg));
	return 0;
}

static int write_cpu_weight(struct cgroupfs_open *o, char *buf)
{
	u64 v;
	int err = kstrtou64(buf, 0, &v);

	return err ? err : cgroup_set_weight(o->cg, v);
}

static int show_cpu_weight_nice(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%d\n", cgroup_weight_nice(cg));
	return 0;
}

static int write_cpu_weight_nice(struct cgroupfs_open *o, char *buf)
{
	u64 v;
	int err = kstrtou64(*buf == '-' ? buf + 1 : buf, 0, &v);

	if (err)
		return err;
	v = min(v, 100ul);
	return cgroup_set_weight_nice(o->cg, *buf == '-' ? -(s32)v : (s32)v);
}

static int show_cpu_idle(struct text *t, struct cgroup *cg)
{
	text_printf(t, "%d\n", load_once(&cg->cpu_idle));
	return 0;
}

static int write_cpu_idle(struct cgroupfs_open *o, char *buf)
{
	u64 v;
	int err = parse_signed(buf, &v);

	if (err)
		return err;
	return v > 1 ? -EINVAL : cgroup_set_idle(o->cg, v);
}

/* --- the table: a file's place is part of its inode number */

#define RO     0444
#define RW     0644
#define PIDS   BIT(CGROUP_PIDS)
#define CPU    BIT(CGROUP_CPU)
#define MEM    BIT(CGROUP_MEMORY)
#define CPUSET BIT(CGROUP_CPUSET)

const struct cgroup_file cgroup_files[] = {
	{ .name = "" }, /* the directory */
	[CGROUPFS_PROCS] = { "cgroup.procs", RW, .delegatable = true,
			     .show = cgroupfs_show_procs,
			     .write = cgroupfs_write_procs },
	{ "cgroup.threads", RW, .delegatable = true,
	  .show = cgroupfs_show_threads, .write = cgroupfs_write_threads },
	{ "cgroup.type", RW, .not_on_root = true, .show = show_type,
	  .write = write_type },
	{ "cgroup.controllers", RO, .show = show_controllers },
	{ "cgroup.subtree_control", RW, .delegatable = true,
	  .show = show_subtree_control, .write = write_subtree_control },
	{ "cgroup.events", RO, .not_on_root = true,
	  .event = 1 + CGROUP_EV_EVENTS, .show = show_events },
	{ "cgroup.max.descendants", RW, .show = show_max_descendants,
	  .write = write_max_descendants },
	{ "cgroup.max.depth", RW, .show = show_max_depth,
	  .write = write_max_depth },
	{ "cgroup.stat", RO, .show = show_stat },
	{ "cgroup.freeze", RW, .not_on_root = true, .show = show_freeze,
	  .write = write_freeze },
	{ "cgroup.kill", 0200, .not_on_root = true, .write = write_kill },
	{ "cpu.stat", RO, .show = show_cpu_stat },
	{ "cpu.stat.local", RO, .ctl = CPU, .show = show_cpu_stat_local },
	{ "cpu.max", RW, .ctl = CPU, .not_on_root = true, .show = show_cpu_max,
	  .write = write_cpu_max },
	{ "cpu.max.burst", RW, .ctl = CPU, .not_on_root = true,
	  .show = show_cpu_burst, .write = write_cpu_burst },
	{ "pids.max", RW, .ctl = PIDS, .not_on_root = true,
	  .show = show_pids_max, .write = write_pids_max },
	{ "pids.current", RO, .ctl = PIDS, .not_on_root = true,
	  .show = show_pids_current },
	{ "pids.peak", RO, .ctl = PIDS, .not_on_root = true,
	  .show = show_pids_peak },
	{ "pids.events", RO, .ctl = PIDS, .not_on_root = true,
	  .event = 1 + CGROUP_EV_PIDS, .show = show_pids_events },
	{ "pids.events.local", RO, .ctl = PIDS, .not_on_root = true,
	  .event = 1 + CGROUP_EV_PIDS_LOCAL, .show = show_pids_events_local },
	{ "cpu.weight", RW, .ctl = CPU, .not_on_root = true,
	  .show = show_cpu_weight, .write = write_cpu_weight },
	{ "cpu.weight.nice", RW, .ctl = CPU, .not_on_root = true,
	  .show = show_cpu_weight_nice, .write = write_cpu_weight_nice },
	{ "cpu.idle", RW, .ctl = CPU, .not_on_root = true,
	  .show = show_cpu_idle, .write = write_cpu_idle },
	{ "cpuset.cpus", RW, .ctl = CPUSET, .not_on_root = true,
	  .show = cgroupfs_show_cpus, .write = cgroupfs_write_cpus },
	{ "cpuset.cpus.effective", RO, .ctl = CPUSET,
	  .show = cgroupfs_show_cpus_effective },
	{ "cpuset.mems", RW, .ctl = CPUSET, .not_on_root = true,
	  .show = cgroupfs_show_mems, .write = cgroupfs_write_mems },
	{ "cpuset.mems.effective", RO, .ctl = CPUSET,
	  .show = cgroupfs_show_mems_effective },
	{ "memory.current", RO, .ctl = MEM, .not_on_root = true,
	  .show = cgroupfs_show_memory_current },
	{ "memory.peak", RW, .ctl = MEM, .not_on_root = true,
	  .show_open = cgroupfs_show_memory_peak,
	  .write = cgroupfs_write_memory_peak },
	{ "memory.min", RW, .ctl = MEM, .not_on_root = true,
	  .show = cgroupfs_show_memory_min,
	  .write = cgroupfs_write_memory_min },
	{ "memory.low", RW, .ctl = MEM, .not_on_root = true,
	  .show = cgroupfs_show_memory_low,
	  .write = cgroupfs_write_memory_low },
	{ "memory.high", RW, .ctl = MEM, .not_on_root = true,
	  .show = cgroupfs_show_memory_high,
	  .write = cgroupfs_write_memory_high },
	{ "memory.max", RW, .ctl = MEM, .not_on_root = true,
	  .show = cgroupfs_show_memory_max,
	  .write = cgroupfs_write_memory_max },
	{ "memory.events", RO, .ctl = MEM, .not_on_root = true,
	  .event = 1 + CGROUP_EV_MEMORY, .show = cgroupfs_show_memory_events },
	{ "memory.events.local", RO, .ctl = MEM, .not_on_root = true,
	  .event = 1 + CGROUP_EV_MEMORY_LOCAL,
	  .show = cgroupfs_show_memory_events_local },
	{ "memory.oom.group", RW, .ctl = MEM, .not_on_root = true,
	  .delegatable = true, .show = cgroupfs_show_memory_oom_group,
	  .write = cgroupfs_write_memory_oom_group },
	{ "memory.reclaim", 0200, .ctl = MEM, .delegatable = true,
	  .write = cgroupfs_write_memory_reclaim },
	{ "memory.stat", RO, .ctl = MEM, .show = cgroupfs_show_memory_stat },
};
const u32 nr_cgroup_files = ARRAY_SIZE(cgroup_files);
STATIC_ASSERT(ARRAY_SIZE(cgroup_files) <= CGROUPFS_FILES, "inode numbers");
