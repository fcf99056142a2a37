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
	struct files *new_files = files ? files_dup(t->files) : NULL;
	struct fs_ctx *new_fs = fs ? fs_ctx_dup(t->fs) : NULL;
	struct files *old_files = t->files;
	struct fs_ctx *old_fs = t->fs;

	if ((files && !new_files) || (fs && !new_fs)) {
		if (new_files)
			files_put(new_files);
		if (new_fs)
			fs_ctx_put(new_fs);
		return -ENOMEM;
	}
	spin_lock(&task_lock);
	if (files)
		t->files = new_files;
	if (fs)
		t->fs = new_fs;
	spin_unlock(&task_lock);
	if (files)
		files_put(old_files);
	if (fs)
		fs_ctx_put(old_fs);
	return 0;
}
