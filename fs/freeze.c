/* SPDX-License-Identifier: MIT */
/*
 * fs/freeze.c - FIFREEZE and FITHAW: hold a file system still, and let it go.
 *
 * Who unmounts or remounts a frozen one thaws it, or gets -EBUSY.
 *
 * Locking: freeze_mutex over a change; it is not held while a volume is frozen.
 */
#include <fs/internal.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static struct mutex freeze_mutex = MUTEX_INIT(freeze_mutex);

int sb_freeze(struct super_block *sb)
{
	int err;

	if (!sb->ops->freeze)
		return -EOPNOTSUPP;
	mutex_lock(&freeze_mutex);
	err = sb->frozen ? -EBUSY : sb->ops->freeze(sb);
	if (!err)
		store_once(&sb->frozen, true);
	mutex_unlock(&freeze_mutex);
	return err;
}

int sb_thaw(struct super_block *sb)
{
	int err;

	if (!sb->ops->thaw)
		return -EINVAL;
	mutex_lock(&freeze_mutex);
	err = sb->frozen ? sb->ops->thaw(sb) : -EINVAL;
	if (!err)
		store_once(&sb->frozen, false);
	mutex_unlock(&freeze_mutex);
	return err;
}
