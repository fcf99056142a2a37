/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/vm.c - /proc/sys/vm: what can be said about the page cache.
 */
#include <fs/internal.h>
#include <fs/proc/proc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define DROP_PAGES   BIT(0)
#define DROP_ENTRIES BIT(1)

struct limit {
	const char *name;
	size_t offset; /* of a u32 in writeback_limits */
	u32 min, max;
};

#define LIMIT(member) offsetof(struct writeback_limits, member)

static const struct limit limits[] = {
	{ "dirty_ratio", LIMIT(dirty_ratio), 1, 100 },
	{ "dirty_background_ratio", LIMIT(dirty_background_ratio), 0, 100 },
	{ "dirty_expire_centisecs", LIMIT(dirty_expire_cs), 1, 8640000 },
};

static u32 *value_of(const struct limit *l)
{
	return (u32 *)(void *)((u8 *)&writeback_limits + l->offset);
}

static int parse(char *buf, u64 min, u64 max, u64 *v)
{
	int err;

	err = proc_number(buf, v);
	if (err)
		return err;
	return *v >= min && *v <= max ? 0 : -EINVAL;
}

static int show_limit(struct text *t, void *arg)
{
	const struct limit *l = arg;

	text_printf(t, "%u\n", load_once(value_of(l)));
	return 0;
}

static s64 write_limit(void *arg, char *buf, size_t n)
{
	const struct limit *l = arg;
	u64 v;
	int err = parse(buf, l->min, l->max, &v);

	if (err)
		return err;
	store_once(value_of(l), (u32)v);
	writeback_limits_changed();
	return (s64)n;
}

/* What was written last; reading it has no meaning. */
static int show_drop(struct text *t, void *arg __unused)
{
	text_puts(t, "0\n");
	return 0;
}

static s64 write_drop(void *arg __unused, char *buf, size_t n)
{
	u64 what, unused, absent;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = parse(buf, 1, 4, &what);
	if (err)
		return err;
	if (what & DROP_ENTRIES) { /* they hold inodes, and those pages */
		(void)dcache_shrink(dentry_cache_count(&unused, &absent));
		(void)icache_shrink(inode_cache_count(&unused));
	}
	if (what & DROP_PAGES)
		(void)pagecache_drop();
	return (s64)n;
}

int proc_vm_init(struct pnode *vm)
{
	bool ok = pseudo_file(vm, "drop_caches", 0200, show_drop, write_drop,
			      NULL) != NULL;

	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		ok = pseudo_file(vm, limits[i].name, 0644, show_limit,
				 write_limit, (void *)(uintptr_t)&limits[i]) &&
		     ok;
	return ok ? 0 : -ENOMEM;
}
