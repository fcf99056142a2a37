/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/attr.c - struct perf_event_attr of a program: read and looked at.
 *
 * The attributes have grown over the years: a program says how large its structure
 * is.  What is not in it is zero; what we do not know must be.
 */
#include <kernel/pmu/event.h>

#include <kernel/mm/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

static int too_big(uaddr_t uattr)
{
	u32 size = sizeof(struct perf_attr);

	return put_user_u32(size, uattr + offsetof(struct perf_attr, size))
		       ? -EFAULT
		       : -E2BIG;
}

int perf_read_attr(uaddr_t uattr, struct perf_attr *a)
{
	u32 size;
	u64 rest;

	if (get_user_u32(&size, uattr + offsetof(struct perf_attr, size)))
		return -EFAULT;
	if (!size)
		size = PERF_ATTR_SIZE_VER0;
	if (size < PERF_ATTR_SIZE_VER0 || size > 4096)
		return too_big(uattr);
	memset(a, 0, sizeof(*a));
	if (copy_from_user(a, uattr, min((size_t)size, sizeof(*a))))
		return -EFAULT;
	for (u32 at = sizeof(*a); at < size; at += sizeof(rest)) {
		u32 n = min(size - at, (u32)sizeof(rest));

		rest = 0;
		if (copy_from_user(&rest, uattr + at, n))
			return -EFAULT;
		if (rest)
			return too_big(uattr);
	}
	a->size = size;
	return 0;
}

/* What is wrong in any case. */
static int check_fields(const struct perf_attr *a)
{
	u64 st = a->sample_type;

	if ((a->flags & ATTR_RESERVED) || a->reserved2 || a->reserved3)
		return -EINVAL;
	if ((st & ~(PERF_SAMPLE_LAST - 1)) ||
	    (a->read_format & ~(u64)PERF_FORMAT_ALL))
		return -EINVAL;
	if ((st & PERF_SAMPLE_REGS_USER) &&
	    (!a->sample_regs_user || a->sample_regs_user >> 32))
		return -EINVAL;
	if ((st & PERF_SAMPLE_REGS_INTR) &&
	    (!a->sample_regs_intr || a->sample_regs_intr >> 32))
		return -EINVAL;
	if ((st & PERF_SAMPLE_STACK_USER) &&
	    (a->sample_stack_user >= 0xffff || a->sample_stack_user % 8))
		return -EINVAL;
	if (st & PERF_SAMPLE_CGROUP) /* Linux without cgroups */
		return -EINVAL;
	if ((st & PERF_SAMPLE_WEIGHT) && (st & PERF_SAMPLE_WEIGHT_STRUCT))
		return -EINVAL;
	if ((st & PERF_SAMPLE_BRANCH_STACK) &&
	    ((a->branch_sample_type & ~(u64)PERF_BRANCH_KNOWN) ||
	     !(a->branch_sample_type & ~(u64)PERF_BRANCH_PRIVILEGES)))
		return -EINVAL;
	if (a->aux_sample_size) /* nobody has that other buffer */
		return -EINVAL;
	if ((a->flags & ATTR_INHERIT_THREAD) && !(a->flags & ATTR_INHERIT))
		return -EINVAL;
	if ((a->flags & ATTR_REMOVE_ON_EXEC) &&
	    (a->flags & ATTR_ENABLE_ON_EXEC))
		return -EINVAL;
	if ((a->flags & ATTR_SIGTRAP) && !(a->flags & ATTR_REMOVE_ON_EXEC))
		return -EINVAL;
	return 0;
}

/*
 * Clocks other than the monotonic ones may not be asked from an interrupt on Linux, so
 * an event that is sampled there cannot have them.
 */
static bool clock_fits(const struct perf_attr *a)
{
	bool soft = a->type == PERF_TYPE_SOFTWARE ||
		    a->type == PERF_TYPE_TRACEPOINT;

	switch (a->clockid) {
	case PERF_CLOCK_MONOTONIC:
	case PERF_CLOCK_MONOTONIC_RAW:
		return true;
	case PERF_CLOCK_REALTIME:
	case PERF_CLOCK_BOOTTIME:
	case PERF_CLOCK_TAI:
		return soft;
	default:
		return false;
	}
}

/* What cannot be had, here or together. */
int perf_check_attr(const struct perf_attr *a)
{
	int err = check_fields(a);

	if (err)
		return err;
	/* A sample of one of many threads has to say of which. */
	if ((a->flags & ATTR_INHERIT) && (a->sample_type & PERF_SAMPLE_READ) &&
	    !(a->sample_type & PERF_SAMPLE_TID))
		return -EINVAL;
	if (a->sample_type & ~PERF_SAMPLE_KNOWN)
		return -EOPNOTSUPP;
	if (a->flags & (ATTR_AUX_OUTPUT | ATTR_SIGTRAP))
		return -EOPNOTSUPP;
	if ((a->sample_type & PERF_SAMPLE_CALLCHAIN) &&
	    a->sample_max_stack > load_once(&perf_max_stack))
		return -EOVERFLOW;
	if ((a->flags & ATTR_USE_CLOCKID) && !clock_fits(a))
		return -EINVAL;
	if (a->flags & ATTR_FREQ)
		return a->sample_period > load_once(&perf_max_rate) ? -EINVAL
								    : 0;
	return a->sample_period >> 63 ? -EINVAL : 0;
}
