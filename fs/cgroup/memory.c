/* SPDX-License-Identifier: MIT */
/*
 * fs/cgroup/memory.c - the files memory.*; kernel/mm/memcg.h does what they say.
 *
 * Limits are bytes in whole pages, rounded down.  A limit below what is used has the
 * writer make room, as far as that can be.
 */
#include <fs/cgroup/cgroupfs.h>

#include <kernel/mm/memcg.h>
#include <lib/errno.h>
#include <lib/string.h>

/* "max", or bytes with a unit: pages.  0 or -EINVAL. */
static int parse_pages(const char *s, u64 *pages)
{
	static const char units[] = "kmgtpe";
	const char *end, *unit;
	u64 v;

	if (!strcmp(s, "max")) {
		*pages = MEMCG_NO_LIMIT;
		return 0;
	}
	v = parse_u64(s, &end, 0);
	if (end == s)
		return -EINVAL;
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		v <<= 10 * (unit - units + 1);
		end++;
	}
	if (*end)
		return -EINVAL;
	*pages = min(v >> PAGE_SHIFT, (u64)MEMCG_NO_LIMIT);
	return 0;
}

static void put_pages(struct text *t, u64 pages)
{
	if (pages == MEMCG_NO_LIMIT)
		text_puts(t, "max\n");
	else
		text_printf(t, "%lu\n", pages << PAGE_SHIFT);
}

int cgroupfs_show_memory_current(struct text *t, struct cgroup *cg)
{
	struct memcg *mc = cgroup_memcg_get(cg);

	if (!mc)
		return -ENODEV; /* it has just gone */
	put_pages(t, memcg_usage(mc));
	memcg_put(mc);
	return 0;
}

/* --- memory.peak: of always, or since this open file was written to */

int cgroupfs_show_memory_peak(struct text *t, struct cgroupfs_open *o)
{
	struct memcg *mc = cgroup_memcg_get(o->cg);

	if (!mc)
		return -ENODEV;
	put_pages(t, memcg_peak(mc, &o->peak));
	memcg_put(mc);
	return 0;
}

int cgroupfs_write_memory_peak(struct cgroupfs_open *o, char *buf)
{
	struct memcg *mc = cgroup_memcg_get(o->cg);

	if (!mc)
		return -ENODEV;
	if (*buf)
		memcg_peak_reset(mc, &o->peak);
	memcg_put(mc);
	return *buf ? 0 : -EINVAL;
}

/* --- limits */

enum limit {
	LIMIT_MIN,
	LIMIT_LOW,
	LIMIT_HIGH,
	LIMIT_MAX
};

static u64 *limit_of(struct memcg *mc, enum limit which)
{
	switch (which) {
	case LIMIT_MIN:
		return &mc->min;
	case LIMIT_LOW:
		return &mc->low;
	case LIMIT_HIGH:
		return &mc->high;
	case LIMIT_MAX:
		break;
	}
	return &mc->max;
}

static int show_limit(struct text *t, struct cgroup *cg, enum limit which)
{
	struct memcg *mc = cgroup_memcg_get(cg);

	if (!mc)
		return -ENODEV;
	put_pages(t, load_once(limit_of(mc, which)));
	memcg_put(mc);
	return 0;
}

static int write_limit(struct cgroupfs_open *o, char *buf, enum limit which)
{
	struct memcg *mc;
	u64 pages;
	int err = parse_pages(buf, &pages);

	if (err)
		return err;
	mc = cgroup_memcg_get(o->cg);
	if (!mc)
		return -ENODEV;
	store_once(limit_of(mc, which), pages);
	if (which == LIMIT_MAX)
		memcg_shrink_to_max(mc);
	else if (which == LIMIT_HIGH)
		memcg_shrink_to_high(mc);
	memcg_put(mc);
	return 0;
}

int cgroupfs_show_memory_min(struct text *t, struct cgroup *cg)
{
	return show_limit(t, cg, LIMIT_MIN);
}

int cgroupfs_write_memory_min(struct cgroupfs_open *o, char *buf)
{
	return write_limit(o, buf, LIMIT_MIN);
}

int cgroupfs_show_memory_low(struct text *t, struct cgroup *cg)
{
	return show_limit(t, cg, LIMIT_LOW);
}

int cgroupfs_write_memory_low(struct cgroupfs_open *o, char *buf)
{
	return write_limit(o, buf, LIMIT_LOW);
}

int cgroupfs_show_memory_high(struct text *t, struct cgroup *cg)
{
	return show_limit(t, cg, LIMIT_HIGH);
}

int cgroupfs_write_memory_high(struct cgroupfs_open *o, char *buf)
{
	return write_limit(o, buf, LIMIT_HIGH);
}

int cgroupfs_show_memory_max(struct text *t, struct cgroup *cg)
{
	return show_limit(t, cg, LIMIT_MAX);
}

int cgroupfs_write_memory_max(struct cgroupfs_open *o, char *buf)
{
	return write_limit(o, buf, LIMIT_MAX);
}

/* --- memory.events, memory.oom.group, memory.reclaim */

static int show_events(struct text *t, struct cgroup *cg, bool local)
{
	static const char *const name[NR_MEMCG_EVENTS] = {
		"low", "high", "max", "oom", "oom_kill", "oom_group_kill"
	};
	struct memcg *mc = cgroup_memcg_get(cg);

	if (!mc)
		return -ENODEV;
	for (u32 i = 0; i < NR_MEMCG_EVENTS; i++)
		text_printf(t, "%s %lu\n", name[i],
			    load_once(local ? &mc->event_local[i]
					    : &mc->event[i]));
	memcg_put(mc);
	return 0;
}

int cgroupfs_show_memory_events(struct text *t, struct cgroup *cg)
{
	return show_events(t, cg, load_once(&cgroupfs_memory_localevents));
}

int cgroupfs_show_memory_events_local(struct text *t, struct cgroup *cg)
{
	return show_events(t, cg, true);
}

int cgroupfs_show_memory_oom_group(struct text *t, struct cgroup *cg)
{
	struct memcg *mc = cgroup_memcg_get(cg);

	if (!mc)
		return -ENODEV;
	text_printf(t, "%d\n", load_once(&mc->oom_group));
	memcg_put(mc);
	return 0;
}

int cgroupfs_write_memory_oom_group(struct cgroupfs_open *o, char *buf)
{
	struct memcg *mc;
	u64 v;

	if (kstrtou64(buf, 0, &v) || v > 1)
		return -EINVAL;
	mc = cgroup_memcg_get(o->cg);
	if (!mc)
		return -ENODEV;
	store_once(&mc->oom_group, v != 0);
	memcg_put(mc);
	return 0;
}

int cgroupfs_write_memory_reclaim(struct cgroupfs_open *o, char *buf)
{
	char *more = str_cut(buf, ' ');
	struct memcg *mc;
	u64 pages, v;
	int err = parse_pages(buf, &pages);

	if (err)
		return err;
	/* there is no swap, so that how much to use of it means nothing */
	if (more && (strncmp(more, "swappiness=", 11) ||
		     kstrtou64(more + 11, 0, &v) || v > 200))
		return -EINVAL;
	mc = cgroup_memcg_get(o->cg);
	if (!mc && o->cg->parent)
		return -ENODEV;
	err = memcg_reclaim_exactly(mc, pages);
	memcg_put(mc);
	return err;
}

/* --- memory.stat */

/* Of the whole machine. */
static void root_stats(s64 s[NR_MEMCG_STATS])
{
	struct pmem_info i;

	pmem_info(&i);
	s[MEMCG_ANON] = (s64)i.anon;
	s[MEMCG_FILE] = (s64)i.cached;
	s[MEMCG_SHMEM] = (s64)i.shmem;
	s[MEMCG_PAGETABLE] = (s64)i.pagetables;
	s[MEMCG_KSTACK] = (s64)i.kstack;
	s[MEMCG_OBJECT] = (s64)i.slab;
	s[MEMCG_DIRTY] = (s64)i.dirty;
	s[MEMCG_WRITEBACK] = (s64)i.writeback;
}

/* There is one list of pages of files, which counts as the inactive one, and none of
 * anonymous ones, as there is nowhere to write them. */
static void put_stats(struct text *t, const s64 s[NR_MEMCG_STATS])
{
	s64 kernel = s[MEMCG_PAGETABLE] + s[MEMCG_KSTACK] + s[MEMCG_OBJECT];
	const struct {
		const char *name;
		s64 pages;
	} row[] = {
		{ "anon", s[MEMCG_ANON] },
		{ "file", s[MEMCG_FILE] + s[MEMCG_SHMEM] },
		{ "kernel", kernel },
		{ "kernel_stack", s[MEMCG_KSTACK] },
		{ "pagetables", s[MEMCG_PAGETABLE] },
		{ "shmem", s[MEMCG_SHMEM] },
		{ "file_dirty", s[MEMCG_DIRTY] },
		{ "file_writeback", s[MEMCG_WRITEBACK] },
		{ "inactive_anon", 0 },
		{ "active_anon", s[MEMCG_ANON] + s[MEMCG_SHMEM] },
		{ "inactive_file", s[MEMCG_FILE] },
		{ "active_file", 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(row); i++)
		text_printf(t, "%s %lu\n", row[i].name,
			    (u64)row[i].pages << PAGE_SHIFT);
}

int cgroupfs_show_memory_stat(struct text *t, struct cgroup *cg)
{
	struct memcg *mc = cgroup_memcg_get(cg);
	s64 s[NR_MEMCG_STATS] = { 0 };

	if (!mc && cg->parent)
		return -ENODEV;
	if (mc)
		memcg_stats(mc, s);
	else
		root_stats(s);
	memcg_put(mc);
	put_stats(t, s);
	if (mc)
		text_printf(t,
			    "pgscan %ld\npgsteal %ld\npgfault %ld\n"
			    "pgmajfault %ld\n",
			    s[MEMCG_PGSCAN], s[MEMCG_PGSTEAL], s[MEMCG_PGFAULT],
			    s[MEMCG_PGMAJFAULT]);
	return 0;
}
