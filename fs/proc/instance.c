/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/instance.c - instances of the proc file system, and what each hides.
 *
 * Every mount(2) makes one, of the PID namespace of who mounts.  Its options:
 *
 *	hidepid=off|noaccess|invisible|ptraceable (0, 1, 2, 4)
 *	gid=N		whose members hidepid= (but not ptraceable) does not hold for
 *	subset=pid	processes only
 */
#include <fs/proc/proc.h>
#include <fs/sysnode.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/task/trace.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static const struct {
	const char *name;
	u32 level;
} levels[] = { { "off", HIDEPID_OFF },
	       { "noaccess", HIDEPID_NO_ACCESS },
	       { "invisible", HIDEPID_INVISIBLE },
	       { "ptraceable", HIDEPID_PTRACEABLE } };

bool proc_hides(const struct super_block *sb, struct process *p, u32 least)
{
	u32 level = load_once(&proc_sb(sb)->hidepid);

	if (level < least)
		return false;
	if (level != HIDEPID_PTRACEABLE &&
	    cred_in_group(current_cred(), load_once(&proc_sb(sb)->gid)))
		return false;
	return trace_may_access(p, true) != 0;
}

/* --- options */

static int parse_hidepid(struct proc_sb *ps, const char *value)
{
	char nr[4];

	for (u32 i = 0; i < ARRAY_SIZE(levels); i++) {
		snprintf(nr, sizeof(nr), "%u", levels[i].level);
		if (strcmp(value, levels[i].name) != 0 && strcmp(value, nr))
			continue;
		ps->hidepid = levels[i].level;
		return 0;
	}
	return -EINVAL;
}

static int parse_gid(struct proc_sb *ps, const char *value)
{
	u64 gid;

	if (kstrtou64(value, 10, &gid) || gid >= ~0u)
		return -EINVAL;
	gid = gid_given((u32)gid);
	if (gid == INVALID_ID)
		return -EINVAL;
	ps->gid = (u32)gid;
	return 0;
}

/* -ENOENT: nobody knows it. */
static int parse_option(void *to, const char *key, const char *val)
{
	struct proc_sb *ps = to;

	if (!val)
		return -ENOENT;
	if (!strcmp(key, "hidepid"))
		return parse_hidepid(ps, val);
	if (!strcmp(key, "gid"))
		return parse_gid(ps, val);
	if (strcmp(key, "subset") != 0)
		return -ENOENT;
	if (strcmp(val, "pid") != 0)
		return -EINVAL;
	ps->pids_only = true;
	return 0;
}

static int check_option(const char *opt)
{
	struct proc_sb scratch = { 0 };

	return fs_option(opt, parse_option, &scratch);
}

/* A set is taken over as a whole or not at all. */
static int remount(struct super_block *sb, u64 flags __unused, const char *data)
{
	struct proc_sb *ps = proc_sb(sb), want = *ps;
	int err = fs_options(data, parse_option, &want);

	if (err)
		return err;
	store_once(&ps->hidepid, want.hidepid);
	store_once(&ps->gid, want.gid);
	store_once(&ps->pids_only, want.pids_only);
	return 0;
}

static void show_options(struct super_block *sb, char *buf, size_t n)
{
	const struct proc_sb *ps = proc_sb(sb);
	size_t len = 0;

	buf[0] = '\0';
	if (ps->gid)
		len += (size_t)scnprintf(buf, n, ",gid=%u", gid_shown(ps->gid));
	for (u32 i = 1; i < ARRAY_SIZE(levels); i++)
		if (ps->hidepid == levels[i].level)
			len += (size_t)scnprintf(buf + len, n - len,
						 ",hidepid=%s", levels[i].name);
	if (ps->pids_only)
		scnprintf(buf + len, n - len, ",subset=pid");
}

/* --- instances */

static void put_super(struct super_block *sb)
{
	ns_put(&proc_sb_pids(sb)->ns);
	kfree(sb->priv);
}

static const struct super_ops ops = {
	.evict_inode = sysnode_evict,
	.put_super = put_super,
	.remount = remount,
	.show_options = show_options,
	.no_icache = true,
	.fixed_names = true,
};

static int make_root(struct super_block *sb)
{
	struct inode *i = pseudo_inode(sb, proc_root);

	if (!i)
		return -ENOMEM;
	i->ino = 1;
	sb->root = dentry_alloc_root(i);
	return sb->root ? 0 : -ENOMEM;
}

static int proc_mount(struct super_block *sb, struct blkdev *bdev __unused,
		      u64 flags __unused, const char *data)
{
	struct proc_sb *ps = kzalloc(sizeof(*ps));
	int err = ps ? fs_options(data, parse_option, ps) : -ENOMEM;

	sb->ops = &ops;
	sb->magic = 0x9fa0;
	sb->block_size = PAGE_SIZE;
	sb->max_size = ~0UL >> 1;
	sb->time_gran = 1;
	sb->priv = ps;
	if (!err)
		err = make_root(sb);
	if (err) {
		kfree(ps);
		return err;
	}
	ps->pids = current_pid_ns();
	ns_get(&ps->pids->ns);
	return 0;
}

static struct user_ns *pids_owner(void)
{
	return current_pid_ns()->ns.owner;
}

static struct fs_type proc_type = {
	.name = "proc",
	.mount = proc_mount,
	.owner = pids_owner,
	.check_option = check_option,
	.shows_system = true,
};

int proc_instance_init(void)
{
	return fs_register(&proc_type);
}
