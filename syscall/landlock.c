/* SPDX-License-Identifier: MIT */
/* syscall/landlock.c - landlock_create_ruleset(2), _add_rule(2), _restrict_self(2). */
#include <syscall/syscall.h>
#include <syscall/ustruct.h>

#include <fs/landlock.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/task/domain.h>

#define CREATE_VERSION BIT(0)
#define CREATE_ERRATA  BIT(1)
/* Of those that Linux has mended: TCP means TCP; signals within a process;
 * directories moved out of a mount. */
#define ERRATA 7
enum {
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT,
};

struct path_beneath {
	u64 access;
	s32 fd;
} __attribute__((packed));

struct net_port {
	u64 access, port;
};

#define ATTR_SIZE_MIN 8 /* the first version's */

static int get_attr(struct landlock_attr *a, uaddr_t uattr, u64 size)
{
	if (!uattr)
		return -EFAULT;
	if (size < ATTR_SIZE_MIN)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return ustruct_get(a, sizeof(*a), uattr, size);
}

SYSCALL3(444, landlock_create_ruleset, uaddr_t, uattr, u64, size, u32, flags)
{
	struct landlock_attr a = { 0 };
	struct file *f;
	int err;

	if (flags && (uattr || size))
		return -EINVAL;
	if (flags)
		return flags == CREATE_VERSION	? LANDLOCK_ABI
		       : flags == CREATE_ERRATA ? ERRATA
						: -EINVAL;
	err = get_attr(&a, uattr, size);
	if (err)
		return err;
	if ((a.fs & ~(u64)LL_FS_ALL) || (a.net & ~(u64)LANDLOCK_NET_ALL) ||
	    (a.scoped & ~(u64)LANDLOCK_SCOPE_ALL))
		return -EINVAL;
	if (!a.fs && !a.net && !a.scoped)
		return -ENOMSG;
	f = landlock_create(&a);
	return IS_ERR(f) ? PTR_ERR(f) : fd_open(f, O_CLOEXEC);
}

static int check_access(const struct file *f, u64 access, bool net)
{
	if (!access)
		return -ENOMSG;
	return access & ~landlock_handled(f, net) ? -EINVAL : 0;
}

/* What no mount shows has no rules. */
static bool may_have_rules(const struct file *f)
{
	return f->dentry && f->mnt && f->dentry->inode && !f->mnt->internal;
}

static int add_path(struct file *set, uaddr_t uattr)
{
	struct path_beneath a;
	struct path p;
	struct fdref r;
	int err;

	if (copy_from_user(&a, uattr, sizeof(a)))
		return -EFAULT;
	err = check_access(set, a.access, false);
	if (err)
		return err;
	r = fd_ref_path(a.fd);
	if (!r.f)
		return -EBADF;
	p = (struct path){ r.f->mnt, r.f->dentry };
	err = may_have_rules(r.f) ? landlock_add_path(set, &p, a.access)
				  : -EBADFD;
	fd_unref(r);
	return err;
}

static int add_port(struct file *set, uaddr_t uattr)
{
	struct net_port a;
	int err;

	if (copy_from_user(&a, uattr, sizeof(a)))
		return -EFAULT;
	err = check_access(set, a.access, true);
	if (err)
		return err;
	return a.port > 0xffff ? -EINVAL
			       : landlock_add_port(set, a.port, a.access);
}

SYSCALL4(445, landlock_add_rule, int, fd, u32, type, uaddr_t, uattr, u32, flags)
{
	struct fdref r;
	int err;

	if (flags)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	if (!landlock_is_ruleset(r.f))
		err = -EBADFD;
	else if (type == RULE_PATH_BENEATH)
		err = add_path(r.f, uattr);
	else if (type == RULE_NET_PORT)
		err = add_port(r.f, uattr);
	else
		err = -EINVAL;
	fd_unref(r);
	return err;
}

SYSCALL2(446, landlock_restrict_self, int, fd, u32, flags)
{
	struct fdref r;
	int err;

	if (!current_cred()->no_new_privs && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	err = landlock_is_ruleset(r.f) ? landlock_restrict(r.f) : -EBADFD;
	fd_unref(r);
	return err;
}
