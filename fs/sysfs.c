/* SPDX-License-Identifier: MIT */
/*
 * fs/sysfs.c - a small /sys: cpus, block devices, character classes.
 *
 * Only what programs commonly look for (lscpu, lsblk, nproc, udev-less scripts).  What
 * is not here is listed in docs/caveats.md.
 */
#include <fs/pseudo.h>
#include <kernel/dev/blk.h>
#include <kernel/dev/dev.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define FIXED(s) ((void *)(uintptr_t)(s))

struct pnode *sys_root;
static struct pnode *dir_block, *dir_class, *dir_class_block, *dir_devices;

static int show_range(struct text *t, void *arg)
{
	u32 n = (u32)(uintptr_t)arg;

	text_printf(t, n > 1 ? "0-%u\n" : "0\n", n - 1);
	return 0;
}

static int show_text(struct text *t, void *arg)
{
	text_printf(t, "%s\n", (const char *)arg);
	return 0;
}

static int show_role(struct text *t, void *arg)
{
	const struct hart *h = arg;

	text_printf(t, "%s\n",
		    h->role == ROLE_APP	      ? "application"
		    : h->role == ROLE_SERVICE ? "service"
					      : "both");
	return 0;
}

static int show_hartid(struct text *t, void *arg)
{
	text_printf(t, "%u\n", ((const struct hart *)arg)->hartid);
	return 0;
}

static char *name_of(const char *fmt, u32 n)
{
	char b[32];

	snprintf(b, sizeof(b), fmt, n);
	return kstrdup(b);
}

static int add_cpus(struct pnode *system)
{
	struct pnode *cpu = pseudo_dir(system, "cpu");
	static const char *const files[] = { "online", "possible", "present" };

	for (u32 i = 0; i < ARRAY_SIZE(files); i++)
		pseudo_file(cpu, files[i], 0444, show_range, NULL,
			    (void *)(uintptr_t)nr_harts);
	for (u32 i = 0; i < nr_harts; i++) {
		char *name = name_of("cpu%u", i);
		struct pnode *d = name ? pseudo_dir(cpu, name) : NULL;

		if (!d)
			return -ENOMEM;
		pseudo_file(d, "role", 0444, show_role, NULL, harts[i]);
		pseudo_file(d, "hartid", 0444, show_hartid, NULL, harts[i]);
		pseudo_file(d, "online", 0444, show_text, NULL, FIXED("1"));
	}
	return 0;
}

static int show_dev(struct text *t, void *arg)
{
	const struct blkdev *bd = arg;

	text_printf(t, "%u:%u\n", MAJOR(bd->dev), MINOR(bd->dev));
	return 0;
}

static int show_size(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", ((const struct blkdev *)arg)->nr_sectors);
	return 0;
}

static int show_ro(struct text *t, void *arg)
{
	text_printf(t, "%d\n", ((const struct blkdev *)arg)->read_only);
	return 0;
}

static int show_block_size(struct text *t, void *arg)
{
	text_printf(t, "%u\n", ((const struct blkdev *)arg)->block_size);
	return 0;
}

static int show_start(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", ((const struct blkdev *)arg)->start_sector);
	return 0;
}

static int show_blk_uevent(struct text *t, void *arg)
{
	const struct blkdev *bd = arg;

	text_printf(t, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n",
		    MAJOR(bd->dev), MINOR(bd->dev), bd->name,
		    bd->whole == bd ? "disk" : "partition");
	return 0;
}

static int show_blk_stat(struct text *t, void *arg)
{
	const struct blkdev *bd = arg;

	text_printf(t, "%8lu %8u %8lu %8lu %8lu %8u %8lu %8lu %8u %8u %8lu\n",
		    bd->stat_ios[0], 0, bd->stat_sectors[0], bd->stat_ms[0],
		    bd->stat_ios[1], 0, bd->stat_sectors[1], bd->stat_ms[1],
		    bd->in_flight, 0, bd->stat_ms[0] + bd->stat_ms[1]);
	return 0;
}

static void add_block(struct blkdev *bd)
{
	struct pnode *parent = dir_block, *d, *q;
	char target[64];
	char *link;

	if (bd->whole != bd)
		parent = pseudo_find(dir_block, bd->whole->name);
	if (!parent || pseudo_find(parent, bd->name))
		return;
	d = pseudo_dir(parent, bd->name);
	pseudo_file(d, "dev", 0444, show_dev, NULL, bd);
	pseudo_file(d, "size", 0444, show_size, NULL, bd);
	pseudo_file(d, "ro", 0444, show_ro, NULL, bd);
	pseudo_file(d, "stat", 0444, show_blk_stat, NULL, bd);
	pseudo_file(d, "uevent", 0444, show_blk_uevent, NULL, bd);
	if (bd->whole == bd) {
		pseudo_file(d, "removable", 0444, show_text, NULL, FIXED("0"));
		q = pseudo_dir(d, "queue");
		pseudo_file(q, "logical_block_size", 0444, show_block_size,
			    NULL, bd);
		pseudo_file(q, "physical_block_size", 0444, show_block_size,
			    NULL, bd);
		pseudo_file(q, "rotational", 0444, show_text, NULL, FIXED("0"));
	} else {
		pseudo_file(d, "start", 0444, show_start, NULL, bd);
		pseudo_file(d, "partition", 0444, show_text, NULL, FIXED("1"));
	}
	if (bd->whole == bd)
		snprintf(target, sizeof(target), "../../block/%s", bd->name);
	else
		snprintf(target, sizeof(target), "../../block/%s/%s",
			 bd->whole->name, bd->name);
	link = kstrdup(target);
	if (link)
		pseudo_link(dir_class_block, bd->name, link);
}

static int show_chr_dev(struct text *t, void *arg)
{
	const struct chrdev *cd = arg;

	text_printf(t, "%u:%u\n", MAJOR(cd->dev), MINOR(cd->dev));
	return 0;
}

/* Devices are collected under their lock and added after it. */
struct dev_list {
	struct chrdev *cd[128];
	struct blkdev *bd[128];
	u32 nr_chr, nr_blk;
};

static void collect_blk(struct blkdev *bd, void *ctx)
{
	struct dev_list *l = ctx;

	if (l->nr_blk < ARRAY_SIZE(l->bd))
		l->bd[l->nr_blk++] = bd;
}

static void collect(struct chrdev *cd, void *ctx)
{
	struct dev_list *l = ctx;

	/* ptys come and go; the tree only grows. */
	if (cd->sys_class && !strchr(cd->name, '/') &&
	    l->nr_chr < ARRAY_SIZE(l->cd))
		l->cd[l->nr_chr++] = cd;
}

static void add_chr(struct chrdev *cd)
{
	struct pnode *class = pseudo_find(dir_class, cd->sys_class), *d;

	if (!class)
		class = pseudo_dir(dir_class, cd->sys_class);
	if (!class || pseudo_find(class, cd->name))
		return;
	d = pseudo_dir(class, cd->name);
	if (d)
		pseudo_file(d, "dev", 0444, show_chr_dev, NULL, cd);
}

/* Devices known by now: the tree is made once, after all drivers. */
static int sysfs_populate(void)
{
	struct dev_list *l = kzalloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	blkdev_for_each(collect_blk, l);
	chrdev_for_each(collect, l);
	/* Twice: disks before their partitions. */
	for (u32 i = 0; i < 2 * l->nr_blk; i++)
		add_block(l->bd[i % l->nr_blk]);
	for (u32 i = 0; i < l->nr_chr; i++)
		add_chr(l->cd[i]);
	kfree(l);
	return 0;
}
INITCALL(INIT_LATE, sysfs_populate);

static int sysfs_mount(struct super_block *sb, struct blkdev *bdev __unused,
		       u64 flags __unused, const char *data __unused)
{
	static const struct super_ops ops = { .no_icache = true };
	struct inode *i;

	sb->ops = &ops;
	sb->magic = 0x62656572;
	sb->block_size = 4096;
	sb->max_size = ~0UL >> 1;
	sb->time_gran = 1;
	i = pseudo_inode(sb, sys_root);
	if (!i)
		return -ENOMEM;
	sb->root = dentry_alloc_root(i);
	return sb->root ? 0 : -ENOMEM;
}

static struct fs_type sysfs_type = {
	.name = "sysfs",
	.mount = sysfs_mount,
	.single = true,
};

static int sysfs_init(void)
{
	static const char *const dirs[] = { "bus", "fs", "kernel", "module",
					    "firmware" };

	sys_root = pseudo_root_new();
	if (!sys_root)
		return -ENOMEM;
	dir_block = pseudo_dir(sys_root, "block");
	dir_class = pseudo_dir(sys_root, "class");
	dir_class_block = pseudo_dir(dir_class, "block");
	dir_devices = pseudo_dir(sys_root, "devices");
	for (u32 i = 0; i < ARRAY_SIZE(dirs); i++)
		pseudo_dir(sys_root, dirs[i]);
	if (add_cpus(pseudo_dir(dir_devices, "system")))
		return -ENOMEM;
	return fs_register(&sysfs_type);
}
INITCALL(INIT_VFS, sysfs_init);
