/* SPDX-License-Identifier: MIT */
/*
 * syscall/ptrace_seccomp.c - ptrace(2)'s look at the filters of a tracee, which are
 * numbered from the oldest on.
 */
#include <syscall/ptrace.h>
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/trace.h>

#define FILTER_LOG BIT(1) /* SECCOMP_FILTER_FLAG_LOG */

struct metadata { /* linux/ptrace.h */
	u64 filter_off, flags;
};

struct look {
	u64 n;
	struct seccomp_filter *f;
};

static int look_at(struct thread *t, struct tracee *tr __unused, void *arg)
{
	struct look *l = arg;

	l->f = seccomp_nth_locked(t, l->n);
	return IS_ERR(l->f) ? (int)PTR_ERR(l->f) : 0;
}

static s64 may_look(void)
{
	u32 mode, filters;

	seccomp_status(current, &mode, &filters);
	return mode || !capable(CAP_SYS_ADMIN) ? -EACCES : 0;
}

s64 ptrace_seccomp_filter(int tid, u64 n, uaddr_t to)
{
	struct look l = { .n = n };
	s64 r = may_look();

	if (!r)
		r = trace_with(tid, look_at, &l);
	if (r)
		return r;
	r = l.f->len;
	if (to &&
	    copy_to_user(to, l.f->insns, l.f->len * sizeof(l.f->insns[0])))
		r = -EFAULT;
	seccomp_filter_put(l.f);
	return r;
}

s64 ptrace_seccomp_metadata(int tid, u64 size, uaddr_t data)
{
	struct metadata md = { 0 };
	struct look l;
	s64 r = may_look();

	if (r)
		return r;
	size = min(size, (u64)sizeof(md));
	if (size < sizeof(md.filter_off))
		return -EINVAL;
	if (get_user_u64(&md.filter_off, data))
		return -EFAULT;
	l.n = md.filter_off;
	r = trace_with(tid, look_at, &l);
	if (r)
		return r;
	md.flags = l.f->log ? FILTER_LOG : 0;
	seccomp_filter_put(l.f);
	return copy_to_user(data, &md, size) ? -EFAULT : (s64)size;
}
