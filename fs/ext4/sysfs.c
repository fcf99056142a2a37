/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/sysfs.c - /sys/fs/ext4: what the code can do, and a directory for each
 * mounted volume; /proc/fs/ext4/<disk>/options.
 *
 * Locking: words are read as they are.
 */
#include <fs/ext4/ext4.h>

#include <kernel/dev/sysfs.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/fmt.h>

#define ATTR(nm, fn)                                     \
	{                                                \
		.name = (nm), .mode = 0444, .show = (fn) \
	}

static s64 show_supported(void *obj __unused, const struct sys_attr *a __unused,
			  char *buf, size_t size)
{
	return scnprintf(buf, size, "supported\n");
}

static const struct sys_attr features[] = {
	ATTR("lazy_itable_init", show_supported),
	ATTR("batched_discard", show_supported),
	ATTR("metadata_csum_seed", show_supported),
};

static s64 show_options(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	struct ext4_sb *sbi = obj;
	size_t n = (size_t)scnprintf(buf, size, "%s",
				     sbi->vfs->flags & MS_RDONLY ? "ro" : "rw");

	n += ext4_options_str(sbi, buf + n, size - n, true);
	return (s64)n + scnprintf(buf + n, size - n, "\n");
}

static const struct sys_attr proc_attrs[] = { ATTR("options", show_options) };

static s64 show_delayed(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	struct ext4_sb *sbi = obj;

	return scnprintf(buf, size, "%llu\n",
			 (unsigned long long)load_once(&sbi->delayed));
}

/* Four bytes of the super block. */
static s64 show_super(void *obj, const struct sys_attr *a, char *buf,
		      size_t size)
{
	struct ext4_sb *sbi = obj;
	const u8 *es = (const void *)sbi->es;

	return scnprintf(buf, size, "%u\n",
			 *(const u32 *)(const void *)(es + a->arg));
}

static s64 show_readahead(void *obj, const struct sys_attr *a __unused,
			  char *buf, size_t size)
{
	struct ext4_sb *sbi = obj;

	return scnprintf(buf, size, "%u\n", load_once(&sbi->opt.readahead));
}

static s64 show_task(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	struct ext4_sb *sbi = obj;

	/* a thread of the kernel, which has no number here */
	return scnprintf(buf, size, sbi->journal ? "0\n" : "<none>\n");
}

static s64 trigger_error(void *obj, const struct sys_attr *a __unused,
			 const char *buf, size_t n)
{
	size_t len = strnlen(buf, n);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len && buf[len - 1] == '\n')
		len--;
	ext4_error(obj, 0, "%.*s", (int)min(len, (size_t)100), buf);
	return (s64)n;
}

#define SUPER(nm, field)                                        \
	{                                                       \
		.name = (nm), .mode = 0444, .show = show_super, \
		.arg = offsetof(struct ext4_super, field)       \
	}

static const struct sys_attr attrs[] = {
	ATTR("delayed_allocation_blocks", show_delayed),
	ATTR("inode_readahead_blks", show_readahead),
	ATTR("journal_task", show_task),
	SUPER("errors_count", error_count),
	SUPER("first_error_time", first_error_time),
	SUPER("first_error_ino", first_error_ino),
	SUPER("last_error_time", last_error_time),
	SUPER("last_error_ino", last_error_ino),
	{ .name = "trigger_fs_error", .mode = 0200, .store = trigger_error },
};

void ext4_sys_add(struct ext4_sb *sbi)
{
	sbi->sys = sys_mkdir(sys_path("fs/ext4"), sbi->bdev->name, sbi);
	(void)sys_add(sbi->sys, attrs, ARRAY_SIZE(attrs));
	sbi->proc = sys_mkdir(sys_proc_path("fs/ext4"), sbi->bdev->name, sbi);
	(void)sys_add(sbi->proc, proc_attrs, ARRAY_SIZE(proc_attrs));
}

void ext4_sys_del(struct ext4_sb *sbi)
{
	sys_rmdir(sbi->sys);
	sys_rmdir(sbi->proc);
	sbi->sys = sbi->proc = NULL;
}

int ext4_sys_init(void)
{
	return sys_add(sys_path("fs/ext4/features"), features,
		       ARRAY_SIZE(features));
}
