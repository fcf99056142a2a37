/* SPDX-License-Identifier: MIT */
/* fs/cgroup/cpuset.c - the files cpuset.*: lists of numbers, "0-2,4". */
#include <fs/cgroup/cgroupfs.h>

#include <kernel/hart.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define BITS 64u

static void put_list(struct text *t, u64 mask)
{
	const char *sep = "";

	for (u32 i = 0; i < BITS; i++) {
		u32 last = i;

		if (!(mask & BIT(i)))
			continue;
		while (last + 1 < BITS && (mask & BIT(last + 1)))
			last++;
		text_printf(t, last > i ? "%s%u-%u" : "%s%u", sep, i, last);
		sep = ",";
		i = last;
	}
	text_puts(t, "\n");
}

int cgroupfs_show_cpus(struct text *t, struct cgroup *cg)
{
	put_list(t, load_once(&cg->cpus));
	return 0;
}

int cgroupfs_write_cpus(struct cgroupfs_open *o, char *buf)
{
	u64 mask;
	int err = parse_number_list(buf, nr_harts, &mask);

	return err ? err : cgroup_set_cpus(o->cg, mask);
}

int cgroupfs_show_cpus_effective(struct text *t, struct cgroup *cg)
{
	u64 mask;

	spin_lock(&task_lock);
	mask = cgroup_cpus_locked(cg);
	spin_unlock(&task_lock);
	put_list(t, mask);
	return 0;
}

int cgroupfs_show_mems(struct text *t, struct cgroup *cg)
{
	put_list(t, load_once(&cg->mems_set));
	return 0;
}

int cgroupfs_write_mems(struct cgroupfs_open *o, char *buf)
{
	u64 mask;
	int err = parse_number_list(buf, BITS, &mask);

	return err ? err : cgroup_set_mems(o->cg, mask);
}

int cgroupfs_show_mems_effective(struct text *t, struct cgroup *cg __unused)
{
	put_list(t, 1);
	return 0;
}
