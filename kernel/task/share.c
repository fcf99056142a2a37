/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/share.c - current's tables become its own: unshare(2).
 */
#include <kernel/task/task.h>

#include <kernel/file/file.h>
#include <kernel/mm/vm.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

void task_undumpable(void)
{
	if (current->mm)
		current->mm->dumpable = 0;
}

int task_unshare(bool files, bool fs)
{
	struct thread *t = current;
	struct fs_ctx *old = t->fs, *own = NULL;
	int err;

	if (fs) {
		own = fs_ctx_dup(old);
		if (!own)
			return -ENOMEM;
	}
	err = files ? files_unshare() : 0;
	if (err || !fs) {
		if (own)
			fs_ctx_put(own);
		return err;
	}
	spin_lock(&task_lock);
	t->fs = own;
	spin_unlock(&task_lock);
	fs_ctx_put(old);
	return 0;
}
