/* SPDX-License-Identifier: MIT */
/*
 * syscall/lsm.c - which security modules there are: lsm_list_modules(2),
 * lsm_get_self_attr(2), lsm_set_self_attr(2), and /sys/kernel/security/lsm.
 *
 * They are capabilities, Landlock and Yama (kernel/task/trace_scope.c); none has
 * attributes of a process.
 */
#include <syscall/syscall.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/fmt.h>

/* linux/lsm.h */
#define LSM_ID_CAPABILITY 100
#define LSM_ID_YAMA	  105
#define LSM_ID_LANDLOCK	  110
#define LSM_ATTR_UNDEF	  0
#define LSM_FLAG_SINGLE	  1u

struct lsm_ctx {
	u64 id, flags, len, ctx_len; /* bytes follow: ctx_len of len */
};

static const u64 modules[] = { LSM_ID_CAPABILITY, LSM_ID_LANDLOCK,
			       LSM_ID_YAMA };

SYSCALL3(461, lsm_list_modules, uaddr_t, uids, uaddr_t, usize, u32, flags)
{
	u32 size;

	if (flags)
		return -EINVAL;
	if (get_user_u32(&size, usize) || put_user_u32(sizeof(modules), usize))
		return -EFAULT;
	if (size < sizeof(modules))
		return -E2BIG;
	if (copy_to_user(uids, modules, sizeof(modules)))
		return -EFAULT;
	return ARRAY_SIZE(modules);
}

SYSCALL4(459, lsm_get_self_attr, u32, attr, uaddr_t, uctx, uaddr_t, usize, u32,
	 flags)
{
	struct lsm_ctx ctx;
	u32 size;

	if (attr == LSM_ATTR_UNDEF || !usize)
		return -EINVAL;
	if (get_user_u32(&size, usize))
		return -EFAULT;
	if (flags) {
		if (flags != LSM_FLAG_SINGLE || !uctx)
			return -EINVAL;
		if (copy_from_user(&ctx, uctx, sizeof(ctx)))
			return -EFAULT;
		if (!ctx.id)
			return -EINVAL;
	}
	return put_user_u32(0, usize) ? -EFAULT : -EOPNOTSUPP;
}

SYSCALL4(460, lsm_set_self_attr, u32, attr __unused, uaddr_t, uctx, u32, size,
	 u32, flags)
{
	struct lsm_ctx ctx;

	if (flags || size < sizeof(ctx))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(&ctx, uctx, sizeof(ctx)))
		return -EFAULT;
	if (ctx.len > size || ctx.len < sizeof(ctx) ||
	    ctx.len - sizeof(ctx) < ctx.ctx_len)
		return -EINVAL;
	return -EOPNOTSUPP;
}

static s64 show_lsm(void *obj __unused, const struct sys_attr *a __unused,
		    char *buf, size_t size)
{
	return scnprintf(buf, size, "capability,landlock,yama");
}

static const struct sys_attr attrs[] = {
	{ .name = "lsm", .mode = 0444, .show = show_lsm },
};

static int lsm_init(void)
{
	struct sys_dir *d = sys_path("kernel/security");

	return sys_add(d, attrs, ARRAY_SIZE(attrs));
}
INITCALL(INIT_VFS, lsm_init);
