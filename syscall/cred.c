/* SPDX-License-Identifier: MIT */
/*
 * syscall/cred.c - user and group ids.
 *
 * A change is made on a copy of the credentials, which then replaces current's;
 * a copy that is equal to the old one is dropped.
 */
#include <syscall/syscall.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/task.h>
#include <lib/sort.h>
#include <lib/string.h>

#define KEEP		       0xffffffffu
#define SECBIT_NO_SETUID_FIXUP BIT(2)
#define SECBIT_KEEP_CAPS       BIT(4)

SYSCALL0(174, getuid)
{
	return current_cred()->uid;
}

SYSCALL0(175, geteuid)
{
	return current_cred()->euid;
}

SYSCALL0(176, getgid)
{
	return current_cred()->gid;
}

SYSCALL0(177, getegid)
{
	return current_cred()->egid;
}

/* Capabilities follow user id 0 [capabilities(7)]. */
static void fix_caps(struct cred *n, const struct cred *o)
{
	bool was_root = !o->uid || !o->euid || !o->suid;
	bool is_root = !n->uid || !n->euid || !n->suid;

	if (n->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(n->securebits & SECBIT_KEEP_CAPS)) {
			n->cap_permitted = 0;
			n->cap_effective = 0;
		}
		n->cap_ambient = 0;
	}
	if (!o->euid && n->euid)
		n->cap_effective = 0;
	else if (o->euid && !n->euid)
		n->cap_effective = n->cap_permitted;
}

static void commit(struct cred *n)
{
	struct thread *t = current;
	const struct cred *o = t->cred;
	bool ids_changed = n->euid != o->euid || n->egid != o->egid ||
			   n->fsuid != o->fsuid || n->fsgid != o->fsgid;

	fix_caps(n, o);
	if (ids_changed)
		task_undumpable();
	cred_replace(n);
}

SYSCALL1(146, setuid, u32, uid)
{
	struct cred *n;
	const struct cred *o = current_cred();

	if (uid == KEEP)
		return -EINVAL;
	if (!capable(CAP_SETUID) && uid != o->uid && uid != o->suid)
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (capable(CAP_SETUID))
		n->uid = n->suid = uid;
	n->euid = n->fsuid = uid;
	commit(n);
	return 0;
}

SYSCALL1(144, setgid, u32, gid)
{
	struct cred *n;
	const struct cred *o = current_cred();

	if (gid == KEEP)
		return -EINVAL;
	if (!capable(CAP_SETGID) && gid != o->gid && gid != o->sgid)
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (capable(CAP_SETGID))
		n->gid = n->sgid = gid;
	n->egid = n->fsgid = gid;
	commit(n);
	return 0;
}

/* May an unprivileged caller take @id, having @a, @b and (if @use_c) @c? */
static bool among(u32 id, u32 a, u32 b, u32 c)
{
	return id == KEEP || id == a || id == b || id == c;
}

SYSCALL2(145, setreuid, u32, ruid, u32, euid)
{
	const struct cred *o = current_cred();
	struct cred *n;

	if (!capable(CAP_SETUID) && (!among(ruid, o->uid, o->euid, o->uid) ||
				     !among(euid, o->uid, o->euid, o->suid)))
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (ruid != KEEP)
		n->uid = ruid;
	if (euid != KEEP)
		n->euid = euid;
	if (ruid != KEEP || (euid != KEEP && euid != o->uid))
		n->suid = n->euid;
	n->fsuid = n->euid;
	commit(n);
	return 0;
}

SYSCALL2(143, setregid, u32, rgid, u32, egid)
{
	const struct cred *o = current_cred();
	struct cred *n;

	if (!capable(CAP_SETGID) && (!among(rgid, o->gid, o->egid, o->gid) ||
				     !among(egid, o->gid, o->egid, o->sgid)))
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (rgid != KEEP)
		n->gid = rgid;
	if (egid != KEEP)
		n->egid = egid;
	if (rgid != KEEP || (egid != KEEP && egid != o->gid))
		n->sgid = n->egid;
	n->fsgid = n->egid;
	commit(n);
	return 0;
}

SYSCALL3(147, setresuid, u32, ruid, u32, euid, u32, suid)
{
	const struct cred *o = current_cred();
	struct cred *n;

	if (!capable(CAP_SETUID) && (!among(ruid, o->uid, o->euid, o->suid) ||
				     !among(euid, o->uid, o->euid, o->suid) ||
				     !among(suid, o->uid, o->euid, o->suid)))
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	n->uid = ruid != KEEP ? ruid : n->uid;
	n->euid = euid != KEEP ? euid : n->euid;
	n->suid = suid != KEEP ? suid : n->suid;
	n->fsuid = n->euid;
	commit(n);
	return 0;
}

SYSCALL3(149, setresgid, u32, rgid, u32, egid, u32, sgid)
{
	const struct cred *o = current_cred();
	struct cred *n;

	if (!capable(CAP_SETGID) && (!among(rgid, o->gid, o->egid, o->sgid) ||
				     !among(egid, o->gid, o->egid, o->sgid) ||
				     !among(sgid, o->gid, o->egid, o->sgid)))
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	n->gid = rgid != KEEP ? rgid : n->gid;
	n->egid = egid != KEEP ? egid : n->egid;
	n->sgid = sgid != KEEP ? sgid : n->sgid;
	n->fsgid = n->egid;
	commit(n);
	return 0;
}

static int put_three(uaddr_t a, u32 va, uaddr_t b, u32 vb, uaddr_t c, u32 vc)
{
	if (put_user_u32(va, a) || put_user_u32(vb, b) || put_user_u32(vc, c))
		return -EFAULT;
	return 0;
}

SYSCALL3(148, getresuid, uaddr_t, r, uaddr_t, e, uaddr_t, s)
{
	const struct cred *c = current_cred();

	return put_three(r, c->uid, e, c->euid, s, c->suid);
}

SYSCALL3(150, getresgid, uaddr_t, r, uaddr_t, e, uaddr_t, s)
{
	const struct cred *c = current_cred();

	return put_three(r, c->gid, e, c->egid, s, c->sgid);
}

/* These two return the old id whatever happens. */
SYSCALL1(151, setfsuid, u32, uid)
{
	const struct cred *o = current_cred();
	u32 old = o->fsuid;
	struct cred *n;

	if (uid == KEEP || uid == old ||
	    (!capable(CAP_SETUID) && !among(uid, o->uid, o->euid, o->suid)))
		return old;
	n = cred_dup(o);
	if (n) {
		n->fsuid = uid;
		commit(n);
	}
	return old;
}

SYSCALL1(152, setfsgid, u32, gid)
{
	const struct cred *o = current_cred();
	u32 old = o->fsgid;
	struct cred *n;

	if (gid == KEEP || gid == old ||
	    (!capable(CAP_SETGID) && !among(gid, o->gid, o->egid, o->sgid)))
		return old;
	n = cred_dup(o);
	if (n) {
		n->fsgid = gid;
		commit(n);
	}
	return old;
}

SYSCALL2(158, getgroups, int, size, uaddr_t, list)
{
	const struct cred *c = current_cred();

	if (size < 0)
		return -EINVAL;
	if (!size)
		return c->nr_groups;
	if ((u32)size < c->nr_groups)
		return -EINVAL;
	if (copy_to_user(list, c->groups, c->nr_groups * sizeof(u32)))
		return -EFAULT;
	return c->nr_groups;
}

static int compare_gid(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

SYSCALL2(159, setgroups, int, size, uaddr_t, list)
{
	struct cred *n;
	u32 *g = NULL;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (size < 0 || size > NGROUPS_MAX)
		return -EINVAL;
	if (size) {
		g = kmalloc((size_t)size * sizeof(*g));
		if (!g)
			return -ENOMEM;
		if (copy_from_user(g, list, (size_t)size * sizeof(*g))) {
			kfree(g);
			return -EFAULT;
		}
		sort(g, (size_t)size, sizeof(*g), compare_gid);
	}
	n = cred_dup(current_cred());
	if (!n) {
		kfree(g);
		return -ENOMEM;
	}
	kfree(n->groups);
	n->groups = g;
	n->nr_groups = (u32)size;
	commit(n);
	return 0;
}
