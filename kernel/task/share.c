/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/share.c - current's tables become its own: unshare(2).
 */
#include <kernel/task/task.h>

#include <kernel/file/file.h>
#include <kernel/ipc/ipc.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/ns.h>
#include <kernel/task/clone.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

void task_undumpable(void)
{
	if (current->mm)
		current->mm->dumpable = 0;
}

void task_set_fs(struct fs_ctx *fs)
{
	struct thread *t = current;
	struct fs_ctx *old;

	spin_lock(&task_lock);
	old = t->fs;
	t->fs = fs;
	spin_unlock(&task_lock);
	fs_ctx_put(old);
}

/* Everything that can fail is made before anything changes. */
int task_unshare(u64 flags)
{
	struct fs_ctx *fs = NULL;
	struct nsproxy *ns = NULL;
	int err = nsproxy_clone(flags, &init_user_ns, &ns);

	if (!err && (flags & (CLONE_FS | CLONE_NEWNS))) {
		fs = fs_ctx_dup(current->fs);
		err = fs ? 0 : -ENOMEM;
	}
	if (!err && (flags & CLONE_NEWNS))
		err = fs_ctx_new_mounts(fs, &init_user_ns);
	if (!err && (flags & CLONE_FILES))
		err = files_unshare();
	if (err) {
		if (fs)
			fs_ctx_put(fs);
		nsproxy_put(ns);
		return err;
	}
	if (flags & CLONE_NEWIPC)
		sem_leave_ns();
	if (fs)
		task_set_fs(fs);
	nsproxy_switch(ns);
	return 0;
}
