/* SPDX-License-Identifier: MIT */
/* kernel/task/sud.c - system calls that become signals; see sud.h. */
#include <kernel/task/sud.h>

#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/task/ext.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/task.h>
#include <lib/errno.h>

#define SYS_USER_DISPATCH 2 /* si_code of SIGSYS */

enum {
	FILTER_ALLOW,
	FILTER_BLOCK
};

int sud_check(const struct sud_config *c)
{
	if (c->on > 1)
		return -EINVAL;
	if (!c->on && (c->offset || c->len || c->selector))
		return -EINVAL;
	if (c->on && c->offset && c->offset + c->len <= c->offset)
		return -EINVAL;
	return c->selector >= USER_TOP ? -EFAULT : 0;
}

void sud_get_locked(const struct thread *t, struct sud_config *c)
{
	*c = ((const struct thread_ext *)t->ext)->sud;
}

void sud_set_locked(struct thread *t, const struct sud_config *c)
{
	((struct thread_ext *)t->ext)->sud = *c;
}

int sud_set(const struct sud_config *c)
{
	int err = sud_check(c);

	if (err || (!c->on && !load_once(&current->ext)))
		return err;
	if (!thread_ext_make())
		return -ENOMEM;
	spin_lock(&task_lock);
	sud_set_locked(current, c);
	spin_unlock(&task_lock);
	return 0;
}

bool sud_blocks(struct thread *t)
{
	const struct thread_ext *x = t->ext;
	u8 state;

	if (!x->sud.on || t->tf.pc - x->sud.offset < x->sud.len)
		return false;
	if (x->sud.selector) {
		if (get_user_u8(&state, x->sud.selector))
			do_group_exit(SIGSEGV);
		if (state == FILTER_ALLOW)
			return false;
		if (state != FILTER_BLOCK)
			do_group_exit(SIGSYS);
	}
	seccomp_sigsys(t, SYS_USER_DISPATCH, 0);
	return true;
}
