/* SPDX-License-Identifier: MIT */
/*
 * syscall/numa.c - memory policies of a machine with one memory node.
 *
 * Every policy that names node 0, or none, is what happens anyway; so it is accepted,
 * kept and given back, and a node that is not there is refused, as on Linux.
 *
 * It is kept as one byte: mode, BIT(3) when node 0 was named, and the flags of the mode.
 */
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>

enum {
	MPOL_DEFAULT,
	MPOL_PREFERRED,
	MPOL_BIND,
	MPOL_INTERLEAVE,
	MPOL_LOCAL,
	MPOL_PREFERRED_MANY,
	NR_POLICIES = 7,
};
#define MPOL_F_NUMA_BALANCING BIT(13)
#define MPOL_F_RELATIVE	      BIT(14)
#define MPOL_F_STATIC	      BIT(15)
#define MPOL_MODE_FLAGS	      0xe000u
#define HAS_NODE	      BIT(3)
#define FLAGS_SHIFT	      9 /* from bit 13 to bit 4 */
#define MPOL_F_NODE	      BIT(0)
#define MPOL_F_ADDR	      BIT(1)
#define MPOL_F_MEMS_ALLOWED   BIT(2)
#define NODES_MAX	      4096u

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

static u32 mode_of(u32 policy)
{
	return policy & 7;
}

/* The policy's byte, or -errno. */
static int read_policy(u32 mode, uaddr_t umask, u64 maxnode)
{
	u32 flags = mode & MPOL_MODE_FLAGS;
	bool any;
	int err;

	mode &= ~MPOL_MODE_FLAGS;
	if (mode >= NR_POLICIES ||
	    ((flags & MPOL_F_STATIC) && (flags & MPOL_F_RELATIVE)) ||
	    ((flags & MPOL_F_NUMA_BALANCING) && mode != MPOL_BIND &&
	     mode != MPOL_PREFERRED_MANY))
		return -EINVAL;
	err = read_nodes(umask, maxnode, &any);
	if (err)
		return err;
	if ((mode == MPOL_DEFAULT || mode == MPOL_LOCAL)
		    ? any
		    : !any && mode != MPOL_PREFERRED)
		return -EINVAL;
	if (mode == MPOL_PREFERRED && !any) {
		if (flags)
			return -EINVAL;
		mode = MPOL_LOCAL;
	}
	if (mode == MPOL_DEFAULT)
		return 0;
	return (int)(mode | (any ? HAS_NODE : 0) | flags >> FLAGS_SHIFT);
}

#define MPOL_MF_STRICT	 BIT(0)
#define MPOL_MF_MOVE	 BIT(1)
#define MPOL_MF_MOVE_ALL BIT(2)

SYSCALL6(235, mbind, u64, start, u64, len, u32, mode, uaddr_t, umask, u64,
	 maxnode, u32, flags)
{
	u64 end = start + ALIGN_UP(len, PAGE_SIZE);
	int policy;

	if (flags & ~(u32)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	policy = read_policy(mode, umask, maxnode);
	if (policy < 0)
		return policy;
	if (start & (PAGE_SIZE - 1) || end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	return mm_set_policy(current->mm, start, min(end, USER_TOP),
			     (u32)policy);
}

SYSCALL3(237, set_mempolicy, u32, mode, uaddr_t, umask, u64, maxnode)
{
	int policy = read_policy(mode, umask, maxnode);

	if (policy < 0)
		return policy;
	current->mempolicy = (u8)policy;
	return 0;
}

static int may_have_home(u32 policy)
{
	u32 mode = mode_of(policy);

	return mode == MPOL_BIND || mode == MPOL_PREFERRED_MANY ? 0
								: -EOPNOTSUPP;
}

SYSCALL4(450, set_mempolicy_home_node, u64, start, u64, len, u64, node, u64,
	 flags)
{
	u64 end = start + ALIGN_UP(len, PAGE_SIZE);

	if (start & (PAGE_SIZE - 1) || flags || node || end < start)
		return -EINVAL;
	return end == start
		       ? 0
		       : mm_each_policy(current->mm, start, end, may_have_home);
}

static int write_nodes(uaddr_t umask, u64 maxnode, u64 nodes)
{
	if (!umask)
		return 0;
	for (u64 i = 0; i < DIV_ROUND_UP(min(maxnode, (u64)NODES_MAX), 64ul);
	     i++) {
		if (put_user_u64(i ? 0 : nodes, umask + i * 8))
			return -EFAULT;
	}
	return 0;
}

/* The policy in question, or -errno. */
static int policy_for(u64 addr, u32 flags)
{
	u8 b;

	if (!(flags & MPOL_F_ADDR))
		return current->mempolicy;
	/* where a page is can be told when there is one */
	if ((flags & MPOL_F_NODE) && get_user_u8(&b, addr))
		return -EFAULT;
	return mm_get_policy(current->mm, addr);
}

SYSCALL5(236, get_mempolicy, uaddr_t, umode, uaddr_t, umask, u64, maxnode, u64,
	 addr, u32, flags)
{
	int policy;
	u32 mode;

	if (flags & ~(u32)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (umask && !maxnode)
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
		if (umode && put_user_u32(MPOL_DEFAULT, umode))
			return -EFAULT;
		return write_nodes(umask, maxnode, 1);
	}
	if (addr && !(flags & MPOL_F_ADDR))
		return -EINVAL;
	policy = policy_for(addr, flags);
	if (policy < 0)
		return policy;
	mode = mode_of((u32)policy);
	if ((flags & (MPOL_F_NODE | MPOL_F_ADDR)) == MPOL_F_NODE &&
	    mode != MPOL_INTERLEAVE)
		return -EINVAL;
	mode |= ((u32)policy << FLAGS_SHIFT) & MPOL_MODE_FLAGS;
	if (flags & MPOL_F_NODE)
		mode = 0; /* the node */
	if (umode && put_user_u32(mode, umode))
		return -EFAULT;
	return write_nodes(umask, maxnode, policy & HAS_NODE ? 1 : 0);
}

/*
 * Whose pages these calls are about; 0 is current.  Who may trace it may move its
 * pages: -ESRCH, -EPERM.
 */
static struct process *owner_of(int pid)
{
	struct process *p =
		pid ? process_find(pid_given(pid)) : process_get(current->proc);
	int err;

	if (!p)
		return ERR_PTR(-ESRCH);
	err = trace_may_access(p, false);
	if (!err)
		return p;
	process_put(p);
	return ERR_PTR(err);
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
	if (err && err != -EINVAL)
		return err;
	p = owner_of(pid);
	if (IS_ERR(p))
		return PTR_ERR(p);
	process_put(p);
	return any ? err : -EINVAL;
}

/* Says where @nr pages are; all that are there are where they shall be. */
static int tell_pages(struct mm *mm, u64 nr, uaddr_t pages, uaddr_t nodes,
		      uaddr_t ustatus)
{
	u32 node;
	u64 a;

	for (u64 i = 0; i < nr; i++) {
		if (get_user_u64(&a, pages + i * 8) ||
		    (nodes && get_user_u32(&node, nodes + i * 4)))
			return -EFAULT;
		if (nodes && node)
			return -ENODEV;
		if (put_user_u32((u32)mm_page_there(mm, a), ustatus + i * 4))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

SYSCALL6(239, move_pages, int, pid, u64, nr, uaddr_t, pages, uaddr_t, nodes,
	 uaddr_t, ustatus, u32, flags)
{
	struct process *p;
	struct mm *mm;
	int err;

	if (flags & ~(u32)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	p = owner_of(pid);
	if (IS_ERR(p))
		return PTR_ERR(p);
	mm = process_mm(p);
	process_put(p);
	if (!mm)
		return -EINVAL;
	err = tell_pages(mm, nr, pages, nodes, ustatus);
	mm_put(mm);
	return err;
}
