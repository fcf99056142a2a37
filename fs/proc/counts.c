/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/counts.c - /proc/sys: how many inodes, names and terminals there are.
 *
 * All is read without a lock: a number may be older than the one beside it.
 */
#include <fs/proc/proc.h>
#include <fs/vfs.h>
#include <kernel/dev/tty/pty.h>
#include <lib/errno.h>

static int show_inode_nr(struct text *t, void *arg __unused)
{
	u64 unused, nr = inode_cache_count(&unused);

	text_printf(t, "%lu\t%lu\n", nr, unused);
	return 0;
}

/* The rest is what older Linuxes had to say. */
static int show_inode_state(struct text *t, void *arg __unused)
{
	u64 unused, nr = inode_cache_count(&unused);

	text_printf(t, "%lu\t%lu\t0\t0\t0\t0\t0\n", nr, unused);
	return 0;
}

/* In between: how old they get and how many are wanted, which nobody looks at. */
static int show_dentry_state(struct text *t, void *arg __unused)
{
	u64 unused, absent, nr = dentry_cache_count(&unused, &absent);

	text_printf(t, "%lu\t%lu\t45\t0\t%lu\t0\n", nr, unused, absent);
	return 0;
}

static int show_pty_nr(struct text *t, void *arg __unused)
{
	text_printf(t, "%u\n", pty_count());
	return 0;
}

int proc_counts_init(struct pnode *fs, struct pnode *pty)
{
	if (!fs || !pty ||
	    !pseudo_file(fs, "inode-nr", 0444, show_inode_nr, NULL, NULL) ||
	    !pseudo_file(fs, "inode-state", 0444, show_inode_state, NULL,
			 NULL) ||
	    !pseudo_file(fs, "dentry-state", 0444, show_dentry_state, NULL,
			 NULL) ||
	    !pseudo_file(pty, "nr", 0444, show_pty_nr, NULL, NULL))
		return -ENOMEM;
	return 0;
}
