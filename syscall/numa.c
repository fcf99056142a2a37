/* SPDX-License-Identifier: MIT */
/*
 * syscall/numa.c - memory policies of a machine with one memory node.
 *
 * Every policy that names node 0, or none, is what happens anyway; so it is accepted
 * and given back, and a node that is not there is refused, as on Linux.
 */
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/task/task.h>
#include <lib/errno.h>

enum {
	MPOL_DEFAULT,
	MPOL_PREFERRED,
	MPOL_BIND,
	MPOL_INTERLEAVE,
	MPOL_LOCAL,
	NR_POLICIES = 7,
};
#define MPOL_MODE_FLAGS	    0xe000u
#define MPOL_F_NODE	    BIT(0)
#define MPOL_F_ADDR	    BIT(1)
#define MPOL_F_MEMS_ALLOWED BIT(2)
#define NODES_MAX	    4096u

/* The nodes of a mask: *@any when there is one; -EINVAL beyond node 0. */
static int read_nodes(uaddr_t umask, u64 maxnode, bool *any)
{
	*any = false;
	if (!umask || maxnode <= 1)
		return 0;
	if (maxnode > NODES_MAX)
		return -EINVAL;
	maxnode--; /* it counts one more than there are */
	for (u64 i = 0; i < DIV_ROUND_UP(maxnode, 64ul); i++) {
		u64 w;

		if (get_user_u64(&w, umask + i * 8))
			return -EFAULT;
		if (maxnode - i * 64 < 64)
			w &= BIT(maxnode - i * 64) - 1;
		if (i ? w : w & ~1ul)
			return -EINVAL;
		*any |= w != 0;
	}
	return 0;
}

static int check_policy(u32 mode, uaddr_t umask, u64 maxnode)
{
	bool any;
	int err;

	mode &= ~MPOL_MODE_FLAGS;
	if (mode >= NR_POLICIES)
		return -EINVAL;
	err = read_nodes(umask, maxnode, &any);
	if (err)
		return err;
	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL)
		return any ? -EINVAL : 0;
	return any || mode == MPOL_PREFERRED ? 0 : -EINVAL;
}

SYSCALL6(235, mbind, u64, start, u64, len, u32, mode, uaddr_t, umask, u64,
	 maxnode, u32, flags)
{
	if (flags & ~7u || start & (PAGE_SIZE - 1))
		return -EINVAL;
	if (start + len < start)
		return -EINVAL;
	return check_policy(mode, umask, maxnode);
}

SYSCALL3(237, set_mempolicy, u32, mode, uaddr_t, umask, u64, maxnode)
{
	return check_policy(mode, umask, maxnode);
}

SYSCALL5(236, get_mempolicy, uaddr_t, umode, uaddr_t, umask, u64, maxnode, u64,
	 addr, u32, flags)
{
	u64 nodes = flags & MPOL_F_MEMS_ALLOWED ? 1 : 0;

	if (flags & ~(u32)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if ((flags & MPOL_F_MEMS_ALLOWED) &&
	    (flags & (MPOL_F_NODE | MPOL_F_ADDR)))
		return -EINVAL;
	if (addr && !(flags & MPOL_F_ADDR))
		return -EINVAL;
	if (umask && !maxnode)
		return -EINVAL;
	if (umode && put_user_u32(MPOL_DEFAULT, umode)) /* or node 0 */
		return -EFAULT;
	if (!umask)
		return 0;
	for (u64 i = 0; i < DIV_ROUND_UP(min(maxnode, (u64)NODES_MAX), 64ul);
	     i++) {
		if (put_user_u64(i ? 0 : nodes, umask + i * 8))
			return -EFAULT;
	}
	return 0;
}

/* Everything is on node 0 already. */
SYSCALL4(238, migrate_pages, int, pid, u64, maxnode, uaddr_t, ufrom, uaddr_t,
	 uto)
{
	bool any;
	int err = read_nodes(ufrom, maxnode, &any);
	struct process *p;

	if (!err)
		err = read_nodes(uto, maxnode, &any);
	if (err)
		return err;
	p = pid ? process_find(pid) : process_get(current->proc);
	if (!p)
		return -ESRCH;
	process_put(p);
	return 0;
}

SYSCALL6(239, move_pages, int, pid, u64, nr, uaddr_t, pages, uaddr_t, nodes,
	 uaddr_t, ustatus, u32, flags)
{
	u32 node;
	u64 a;

	if (flags & ~6u)
		return -EINVAL;
	if (pid && pid != current->proc->pid)
		return capable(CAP_SYS_NICE) ? -ESRCH : -EPERM;
	for (u64 i = 0; i < nr; i++) {
		u8 b;

		if (get_user_u64(&a, pages + i * 8) ||
		    (nodes && get_user_u32(&node, nodes + i * 4)))
			return -EFAULT;
		if (nodes && node)
			return -ENODEV;
		if (put_user_u32(get_user_u8(&b, a) ? (u32)-EFAULT : 0,
				 ustatus + i * 4))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}
