/* SPDX-License-Identifier: MIT */
/* fs/filecaps.h - capabilities of files: see filecaps.c. */
#ifndef FS_FILECAPS_H
#define FS_FILECAPS_H

#include <fs/vfs.h>
#include <lib/atomic.h>

#define FILECAPS_NAME "security.capability"

enum filecaps_state {
	FILECAPS_UNKNOWN,
	FILECAPS_NONE,
};

/* Do set-id bits and capabilities of @f count?  fs/exec_file.c */
bool exec_honours(const struct file *f);
void filecaps_drop_slow(struct inode *i);

/* @i changes what it contains, or its owner.  Its lock is held for writing; no
 * transaction of its file system is open. */
static inline void filecaps_drop(struct inode *i)
{
	if (unlikely(load_once(&i->filecaps) != FILECAPS_NONE))
		filecaps_drop_slow(i);
}

#endif /* FS_FILECAPS_H */
