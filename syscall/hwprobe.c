/* SPDX-License-Identifier: MIT */
/*
 * syscall/hwprobe.c - riscv_hwprobe(2): what the harts can do, or which harts can
 * do something (Documentation/arch/riscv/hwprobe.rst).
 *
 * All harts of a machine are alike here, so one value holds for any choice of them.
 */
#include <syscall/syscall.h>

#include <kernel/hart.h>
#include <kernel/mm/user.h>
#include <kernel/task/vdso.h>

#define WHICH_CPUS BIT(0)

/* Keys whose value is a set of bits */
enum {
	KEY_BASE_BEHAVIOR = 3,
	KEY_IMA_EXT_0 = 4,
	KEY_CPUPERF_0 = 5,
};

struct hwprobe {
	s64 key;
	u64 value;
};

static u64 online(void)
{
	return nr_harts < 64 ? BIT(nr_harts) - 1 : ~0ul;
}

/* A mask of @size bytes from user space, as far as there are harts. */
static int get_mask(u64 *mask, uaddr_t from, size_t size)
{
	*mask = 0;
	if (copy_from_user(mask, from, min(size, sizeof(*mask))))
		return -EFAULT;
	return 0;
}

static s64 get_values(uaddr_t pairs, size_t nr, size_t size, uaddr_t cpus)
{
	struct hwprobe p;
	u64 mask;

	if (size || cpus) {
		if (get_mask(&mask, cpus, size))
			return -EFAULT;
		if (!(mask & online()))
			return -EINVAL;
	}
	for (size_t i = 0; i < nr; i++) {
		if (copy_from_user(&p, pairs + i * sizeof(p), sizeof(p)))
			return -EFAULT;
		p.value = 0;
		if (!hwprobe_value(p.key, &p.value))
			p.key = -1;
		if (copy_to_user(pairs + i * sizeof(p), &p, sizeof(p)))
			return -EFAULT;
		if (load_once(&current->work) & WORK_EXIT)
			return -EINTR;
	}
	return 0;
}

/* Have the harts, which have @has, what @want asks for? */
static bool fits(const struct hwprobe *want, u64 has)
{
	switch (want->key) {
	case KEY_BASE_BEHAVIOR:
	case KEY_IMA_EXT_0:
	case KEY_CPUPERF_0:
		return (has & want->value) == want->value;
	default:
		return has == want->value;
	}
}

static s64 get_cpus(uaddr_t pairs, size_t nr, size_t size, uaddr_t cpus)
{
	struct hwprobe p;
	u64 mask, has;

	if (!size || !cpus)
		return -EINVAL;
	if (get_mask(&mask, cpus, size))
		return -EFAULT;
	mask = mask ? mask & online() : online();
	for (size_t i = 0; i < nr; i++) {
		if (copy_from_user(&p, pairs + i * sizeof(p), sizeof(p)))
			return -EFAULT;
		if (!hwprobe_value(p.key, &has)) {
			p = (struct hwprobe){ .key = -1 };
			if (copy_to_user(pairs + i * sizeof(p), &p, sizeof(p)))
				return -EFAULT;
			mask = 0;
		} else if (!fits(&p, has)) {
			mask = 0;
		}
		if (load_once(&current->work) & WORK_EXIT)
			return -EINTR;
	}
	return copy_to_user(cpus, &mask, min(size, sizeof(mask)));
}

SYSCALL5(258, riscv_hwprobe, uaddr_t, pairs, size_t, nr, size_t, size, uaddr_t,
	 cpus, u32, flags)
{
	if (flags & WHICH_CPUS)
		return flags == WHICH_CPUS ? get_cpus(pairs, nr, size, cpus)
					   : -EINVAL;
	return flags ? -EINVAL : get_values(pairs, nr, size, cpus);
}
