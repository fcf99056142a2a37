/* SPDX-License-Identifier: MIT */
/*
 * syscall/seccomp.c - seccomp(2), and prctl(2)'s older form of it.
 */
#include <syscall/seccomp.h>
#include <syscall/fprog.h>
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/task/seccomp.h>

enum {
	SET_MODE_STRICT,
	SET_MODE_FILTER,
	GET_ACTION_AVAIL,
	GET_NOTIF_SIZES,
};
#define FLAG_TSYNC	 BIT(0)
#define FLAG_LOG	 BIT(1)
#define FLAG_SPEC_ALLOW	 BIT(2)
#define FLAG_LISTENER	 BIT(3)
#define FLAG_TSYNC_ESRCH BIT(4)
#define FLAG_KILLABLE	 BIT(5)
#define FLAGS_KNOWN                                                   \
	(FLAG_TSYNC | FLAG_LOG | FLAG_SPEC_ALLOW | FLAG_TSYNC_ESRCH | \
	 FLAG_LISTENER | FLAG_KILLABLE)

#define DATA_SIZE 64 /* of struct seccomp_data */

/* linux/seccomp.h: of struct seccomp_notif, seccomp_notif_resp, seccomp_data */
static const u16 notif_sizes[3] = { 80, 24, DATA_SIZE };

static struct seccomp_filter *read_filter(uaddr_t uprog)
{
	struct sock_fprog prog;
	struct seccomp_filter *f;
	int err;

	if (copy_from_user(&prog, uprog, sizeof(prog)))
		return ERR_PTR(-EFAULT);
	if (!prog.len || prog.len > CBPF_MAX_LEN)
		return ERR_PTR(-EINVAL);
	if (!thread_no_new_privs(current) && !capable_here(CAP_SYS_ADMIN))
		return ERR_PTR(-EACCES);
	f = seccomp_filter_new(prog.len);
	if (!f)
		return ERR_PTR(-ENOMEM);
	err = copy_from_user(f->insns, prog.filter,
			     prog.len * sizeof(f->insns[0]));
	if (!err)
		err = cbpf_check(f->insns, prog.len, DATA_SIZE);
	if (!err)
		return f;
	seccomp_filter_unuse(f);
	return ERR_PTR(err);
}

/* The filter is current's, and a new descriptor its listener. */
static s64 add_listened(struct seccomp_filter *f, u32 flags)
{
	struct file *file = NULL;
	int fd = fd_alloc(0, true), r = fd;

	if (fd >= 0) {
		file = seccomp_listen(f, flags & FLAG_KILLABLE);
		r = file ? 0 : -ENOMEM;
	}
	if (r)
		seccomp_filter_unuse(f);
	else
		r = seccomp_add(f, flags & FLAG_TSYNC);
	if (!r) {
		fd_install(fd, file);
		return fd;
	}
	if (file)
		file_put(file);
	if (fd >= 0)
		fd_unreserve(fd);
	return r > 0 ? -ESRCH : r;
}

static bool flags_valid(u32 flags)
{
	if (flags & ~(u32)FLAGS_KNOWN)
		return false;
	/* a descriptor, or the number of a thread: not both */
	if ((flags & FLAG_TSYNC) && (flags & FLAG_LISTENER) &&
	    !(flags & FLAG_TSYNC_ESRCH))
		return false;
	return !(flags & FLAG_KILLABLE) || (flags & FLAG_LISTENER);
}

static s64 set_filter(u32 flags, uaddr_t uprog)
{
	struct seccomp_filter *f;
	int r;

	if (!flags_valid(flags))
		return -EINVAL;
	f = read_filter(uprog);
	if (IS_ERR(f))
		return PTR_ERR(f);
	f->log = flags & FLAG_LOG;
	if (flags & FLAG_LISTENER)
		return add_listened(f, flags);
	r = seccomp_add(f, flags & FLAG_TSYNC);
	return r > 0 && (flags & FLAG_TSYNC_ESRCH) ? -ESRCH : r;
}

static s64 action_available(uaddr_t uaction)
{
	u32 action;

	if (get_user_u32(&action, uaction))
		return -EFAULT;
	switch (action) {
	case SECCOMP_KILL_PROCESS:
	case SECCOMP_KILL_THREAD:
	case SECCOMP_TRAP:
	case SECCOMP_ERRNO:
	case SECCOMP_USER_NOTIF:
	case SECCOMP_TRACE:
	case SECCOMP_LOG:
	case SECCOMP_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

SYSCALL3(277, seccomp, u32, op, u32, flags, uaddr_t, args)
{
	switch (op) {
	case SET_MODE_STRICT:
		return flags || args ? -EINVAL : seccomp_strict();
	case SET_MODE_FILTER:
		return set_filter(flags, args);
	case GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(args);
	case GET_NOTIF_SIZES:
		return flags ? -EINVAL
			     : copy_to_user(args, notif_sizes,
					    sizeof(notif_sizes));
	default:
		return -EINVAL;
	}
}

s64 seccomp_prctl_set(u64 mode, uaddr_t uprog)
{
	if (mode == SECCOMP_STRICT)
		return seccomp_strict();
	return mode == SECCOMP_FILTER ? set_filter(0, uprog) : -EINVAL;
}

s64 seccomp_prctl_get(void)
{
	u32 mode, filters;

	seccomp_status(current, &mode, &filters);
	return mode;
}
