/* SPDX-License-Identifier: MIT */
/* syscall/caps.c - capget(2), capset(2). */
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/task.h>

#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u

struct cap_header {
	u32 version;
	s32 pid;
};
struct cap_data {
	u32 effective, permitted, inheritable;
};

/* Words of 32 bits in the data, 0: @h has an unknown version (now corrected). */
static int read_header(uaddr_t uh, struct cap_header *h)
{
	if (copy_from_user(h, uh, sizeof(*h)))
		return -EFAULT;
	if (h->version == CAP_VERSION_1)
		return 1;
	if (h->version == CAP_VERSION_2 || h->version == CAP_VERSION_3)
		return 2;
	return put_user_u32(CAP_VERSION_3, uh) ? -EFAULT : 0;
}

SYSCALL2(90, capget, uaddr_t, uh, uaddr_t, ud)
{
	struct cap_header h;
	struct cap_data d[2];
	struct cred *c;
	struct thread *t;
	int words = read_header(uh, &h);

	if (words <= 0)
		return words ? words : ud ? -EINVAL : 0;
	if (h.pid < 0)
		return -EINVAL;
	spin_lock(&task_lock);
	t = h.pid ? thread_find(pid_given(h.pid)) : current;
	c = t ? cred_get(t->real_cred) : NULL;
	spin_unlock(&task_lock);
	if (!c)
		return -ESRCH;
	for (int i = 0; i < 2; i++) {
		d[i].effective = (u32)(c->cap_effective >> (32 * i));
		d[i].permitted = (u32)(c->cap_permitted >> (32 * i));
		d[i].inheritable = (u32)(c->cap_inheritable >> (32 * i));
	}
	cred_put(c);
	if (!ud)
		return 0;
	return copy_to_user(ud, d, (size_t)words * sizeof(d[0]));
}

static bool within(u64 set, u64 bounds)
{
	return !(set & ~bounds);
}

SYSCALL2(91, capset, uaddr_t, uh, uaddr_t, ud)
{
	const struct cred *o = current_cred();
	struct cap_header h;
	struct cap_data d[2] = { { 0 } };
	u64 e, p, i, all = (1ULL << (CAP_LAST + 1)) - 1;
	struct cred *n;
	int words = read_header(uh, &h);

	if (words <= 0)
		return words ? words : -EINVAL;
	if (h.pid && h.pid != current->ns_tid)
		return -EPERM;
	if (copy_from_user(d, ud, (size_t)words * sizeof(d[0])))
		return -EFAULT;
	e = (d[0].effective | (u64)d[1].effective << 32) & all;
	p = (d[0].permitted | (u64)d[1].permitted << 32) & all;
	i = (d[0].inheritable | (u64)d[1].inheritable << 32) & all;
	if (!within(p, o->cap_permitted) || !within(e, p) ||
	    !within(i, o->cap_inheritable | o->cap_bset) ||
	    (!capable_here(CAP_SETPCAP) &&
	     !within(i, o->cap_inheritable | o->cap_permitted)))
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	n->cap_effective = e;
	n->cap_permitted = p;
	n->cap_inheritable = i;
	n->cap_ambient &= p & i;
	cred_replace(n);
	return 0;
}
