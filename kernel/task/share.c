/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/share.c - current's tables become its own: unshare(2).
 */
#include <kernel/task/task.h>

#include <kernel/file/file.h>
#include <kernel/ipc/ipc.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/user.h>
#include <kernel/task/clone.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>

u64 suid_dumpable = DUMP_NOBODY;

void task_undumpable(void)
{
	if (current->mm)
		current->mm->dumpable = (u32)load_once(&suid_dumpable);
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

static void count_users(struct process *p, void *arg)
{
	struct thread *t;
	u32 *nr = arg;

	list_for_each_entry(t, &p->threads, proc_node)
		*nr += t->fs == current->fs;
}

/* By another thread: who looks at it in /proc does not count. */
bool task_shares_fs(void)
{
	u32 nr = 0;

	process_for_each(count_users, &nr);
	return nr > 1;
}

static void count_foreign(struct process *p, void *arg)
{
	if (p != current->proc)
		count_users(p, arg);
}

bool task_fs_is_foreign(void)
{
	u32 nr = 0;

	process_for_each(count_foreign, &nr);
	return nr > 0;
}

/* What unshare() makes, before anything changes. */
struct fresh {
	struct cred *cred; /* with CLONE_NEWUSER */
	struct nsproxy *ns;
	struct fs_ctx *fs; /* or NULL */
};

static int make_fresh(struct fresh *f, u64 flags)
{
	struct user_ns *owner = current->cred->user_ns;
	int err = 0;

	if (flags & CLONE_NEWUSER) {
		f->cred = cred_dup(current->cred);
		err = f->cred ? cred_new_user_ns(f->cred) : -ENOMEM;
		if (err)
			return err;
		owner = f->cred->user_ns;
	}
	err = nsproxy_clone(flags, owner, &f->ns);
	if (!err && (flags & (CLONE_FS | CLONE_NEWNS))) {
		f->fs = fs_ctx_dup(current->fs);
		err = f->fs ? 0 : -ENOMEM;
	}
	if (!err && (flags & CLONE_NEWNS))
		err = fs_ctx_new_mounts(f->fs, owner);
	return err;
}

int task_unshare(u64 flags)
{
	struct fresh f = { .cred = NULL };
	int err = make_fresh(&f, flags);

	if (!err && (flags & CLONE_FILES))
		err = files_unshare();
	if (err) {
		if (f.fs)
			fs_ctx_put(f.fs);
		nsproxy_put(f.ns);
		cred_put(f.cred);
		return err;
	}
	if (flags & CLONE_NEWIPC)
		sem_leave_ns();
	if (f.fs)
		task_set_fs(f.fs);
	nsproxy_switch(f.ns);
	if (f.cred)
		cred_replace(f.cred);
	return 0;
}
