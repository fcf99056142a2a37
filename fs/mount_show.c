/* SPDX-License-Identifier: MIT */
/*
 * fs/mount_show.c - mounts as text: /proc/mounts, mountinfo, statmount(2).
 */
#include <fs/internal.h>
#include <lib/errno.h>
#include <lib/string.h>

struct option {
	u64 flag;
	const char *name;
};

static const struct option mnt_options[] = {
	{ MS_NOSUID, ",nosuid" },	    { MS_NODEV, ",nodev" },
	{ MS_NOEXEC, ",noexec" },	    { MS_NOATIME, ",noatime" },
	{ MS_NODIRATIME, ",nodiratime" },   { MS_RELATIME, ",relatime" },
	{ MS_NOSYMFOLLOW, ",nosymfollow" },
};
static const struct option sb_options[] = {
	{ MS_SYNCHRONOUS, ",sync" },
	{ MS_DIRSYNC, ",dirsync" },
	{ MS_LAZYTIME, ",lazytime" },
};

static void put_options(char *buf, size_t n, u64 flags, const struct option *o,
			size_t nr)
{
	for (; nr--; o++)
		if (flags & o->flag)
			strlcat(buf, o->name, n);
}

static u64 shown_flags(const struct mount *m)
{
	u64 flags = load_once(&m->flags);

	if (flags & (MS_NOATIME | MS_STRICTATIME))
		return flags & ~(u64)MS_RELATIME;
	return flags | MS_RELATIME;
}

size_t mount_flags_str(const struct mount *m, char *buf, size_t n)
{
	u64 flags = shown_flags(m);

	strscpy(buf, flags & MS_RDONLY ? "ro" : "rw", n);
	put_options(buf, n, flags, mnt_options, ARRAY_SIZE(mnt_options));
	return strlen(buf);
}

static void put_fs_options(struct super_block *sb, char *buf, size_t n)
{
	size_t len = strlen(buf);

	if (sb->ops->show_options)
		sb->ops->show_options(sb, buf + len, n - len);
}

size_t sb_options_str(struct super_block *sb, char *buf, size_t n)
{
	u64 flags = load_once(&sb->flags);

	strscpy(buf, flags & MS_RDONLY ? "ro" : "rw", n);
	put_options(buf, n, flags, sb_options, ARRAY_SIZE(sb_options));
	put_fs_options(sb, buf, n);
	return strlen(buf);
}

size_t mount_options_str(struct mount *m, char *buf, size_t n)
{
	u64 of_sb = load_once(&m->sb->flags), of_mnt = shown_flags(m);

	strscpy(buf, (of_sb | of_mnt) & MS_RDONLY ? "ro" : "rw", n);
	put_options(buf, n, of_sb, sb_options, ARRAY_SIZE(sb_options));
	put_options(buf, n, of_mnt, mnt_options, ARRAY_SIZE(mnt_options));
	put_fs_options(m->sb, buf, n);
	return strlen(buf);
}

s64 mount_root_str(struct mount *m, char *buf, size_t n)
{
	/* seen from a mount that is nowhere: up to the root of its names */
	struct mount nowhere = { .root = m->sb->root };
	struct path p = { &nowhere, m->root }, top = { &nowhere, m->sb->root };

	if (m->sb->ops->show_root)
		return m->sb->ops->show_root(m, buf, n);
	return path_to_str(&p, &top, buf, n);
}
