/* SPDX-License-Identifier: MIT */
/* syscall/ptrace_sud.c - ptrace(2): which calls of a tracee become signals. */
#include <syscall/ptrace.h>
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/task/sud.h>
#include <kernel/task/trace.h>

static int get(struct thread *t, struct tracee *tr __unused, void *arg)
{
	sud_get_locked(t, arg);
	return 0;
}

static int set(struct thread *t, struct tracee *tr __unused, void *arg)
{
	sud_set_locked(t, arg);
	return 0;
}

s64 ptrace_sud(int tid, u64 size, uaddr_t data, bool change)
{
	struct sud_config c;
	s64 r;

	if (size != sizeof(c))
		return -EINVAL;
	if (!change) {
		r = trace_with(tid, get, &c);
		return r ? r : copy_to_user(data, &c, sizeof(c));
	}
	if (copy_from_user(&c, data, sizeof(c)))
		return -EFAULT;
	r = sud_check(&c);
	return r ? r : trace_with(tid, set, &c);
}
