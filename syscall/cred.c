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
#include <kernel/ns/user.h>
#include <kernel/task/task.h>
#include <lib/sort.h>
#include <lib/string.h>

#define KEEP		       0xffffffffu
#define SECBIT_NO_SETUID_FIXUP BIT(2)
#define SECBIT_KEEP_CAPS       BIT(4)
#define CAP_MAC_OVERRIDE       32

SYSCALL0(174, getuid)
{
	return uid_shown(current_cred()->uid);
}

SYSCALL0(175, geteuid)
{
	return uid_shown(current_cred()->euid);
}

SYSCALL0(176, getgid)
{
	return gid_shown(current_cred()->gid);
}

SYSCALL0(177, getegid)
{
	return gid_shown(current_cred()->egid);
}

/* Capabilities follow user id 0 [capabilities(7)]. */
static void fix_caps(struct cred *n, const struct cred *o)
{
	u32 root = root_uid(n);
	bool was_root = o->uid == root || o->euid == root || o->suid == root;
	bool is_root = n->uid == root || n->euid == root || n->suid == root;

	if (n->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(n->securebits & SECBIT_KEEP_CAPS)) {
			n->cap_permitted = 0;
			n->cap_effective = 0;
		}
		n->cap_ambient = 0;
	}
	if (o->euid == root && n->euid != root)
		n->cap_effective = 0;
	else if (o->euid != root && n->euid == root)
		n->cap_effective = n->cap_permitted;
}

/* Those that are about files follow the id for files. */
static void fix_file_caps(struct cred *n, const struct cred *o)
{
	const u64 about = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) |
			  BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |
			  BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) |
			  BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE);
	u32 root = root_uid(n);

	if (n->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (o->fsuid == root && n->fsuid != root)
		n->cap_effective &= ~about;
	else if (o->fsuid != root && n->fsuid == root)
		n->cap_effective |= n->cap_permitted & about;
}

/* *@id as the kernel has it, KEEP as it is; false: it names nobody. */
static bool translate(enum id_kind k, u32 *id)
{
	if (in_first_user_ns() || *id == KEEP)
		return true;
	*id = id_to_global(current_user_ns(), k, *id);
	return *id != KEEP;
}

static void commit(struct cred *n)
{
	struct thread *t = current;
	const struct cred *o = t->cred;
	bool ids_changed = n->euid != o->euid || n->egid != o->egid ||
			   n->fsuid != o->fsuid || n->fsgid != o->fsgid;

	fix_caps(n, o);
	if (ids_changed) {
		task_undumpable();
		t->proc->pdeath_signal = 0;
	}
	cred_replace(n);
}

SYSCALL1(146, setuid, u32, uid)
{
	struct cred *n;
	const struct cred *o = current_cred();

	if (uid == KEEP || !translate(ID_UID, &uid))
		return -EINVAL;
	if (!capable_here(CAP_SETUID) && uid != o->uid && uid != o->suid)
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (capable_here(CAP_SETUID))
		n->uid = n->suid = uid;
	n->euid = n->fsuid = uid;
	commit(n);
	return 0;
}

SYSCALL1(144, setgid, u32, gid)
{
	struct cred *n;
	const struct cred *o = current_cred();

	if (gid == KEEP || !translate(ID_GID, &gid))
		return -EINVAL;
	if (!capable_here(CAP_SETGID) && gid != o->gid && gid != o->sgid)
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (capable_here(CAP_SETGID))
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

	if (!translate(ID_UID, &ruid) || !translate(ID_UID, &euid))
		return -EINVAL;
	if (!capable_here(CAP_SETUID) &&
	    (!among(ruid, o->uid, o->euid, o->uid) ||
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

	if (!translate(ID_GID, &rgid) || !translate(ID_GID, &egid))
		return -EINVAL;
	if (!capable_here(CAP_SETGID) &&
	    (!among(rgid, o->gid, o->egid, o->gid) ||
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

/* An id that is wanted, and is not what there is in both of these. */
static bool is_news(u32 id, u32 a, u32 b)
{
	return id != KEEP && (id != a || id != b);
}

SYSCALL3(147, setresuid, u32, ruid, u32, euid, u32, suid)
{
	const struct cred *o = current_cred();
	struct cred *n;

	if (!translate(ID_UID, &ruid) || !translate(ID_UID, &euid) ||
	    !translate(ID_UID, &suid))
		return -EINVAL;
	if (!is_news(ruid, o->uid, o->uid) &&
	    !is_news(euid, o->euid, o->fsuid) &&
	    !is_news(suid, o->suid, o->suid))
		return 0; /* fsuid stays as well */
	if (!capable_here(CAP_SETUID) &&
	    (!among(ruid, o->uid, o->euid, o->suid) ||
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

	if (!translate(ID_GID, &rgid) || !translate(ID_GID, &egid) ||
	    !translate(ID_GID, &sgid))
		return -EINVAL;
	if (!is_news(rgid, o->gid, o->gid) &&
	    !is_news(egid, o->egid, o->fsgid) &&
	    !is_news(sgid, o->sgid, o->sgid))
		return 0;
	if (!capable_here(CAP_SETGID) &&
	    (!among(rgid, o->gid, o->egid, o->sgid) ||
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

	return put_three(r, uid_shown(c->uid), e, uid_shown(c->euid), s,
			 uid_shown(c->suid));
}

SYSCALL3(150, getresgid, uaddr_t, r, uaddr_t, e, uaddr_t, s)
{
	const struct cred *c = current_cred();

	return put_three(r, gid_shown(c->gid), e, gid_shown(c->egid), s,
			 gid_shown(c->sgid));
}

/* These two return the old id whatever happens. */
SYSCALL1(151, setfsuid, u32, uid)
{
	const struct cred *o = current_cred();
	u32 old = o->fsuid, shown = uid_shown(old);
	struct cred *n;

	if (uid == KEEP || !translate(ID_UID, &uid) || uid == old ||
	    (!capable_here(CAP_SETUID) &&
	     !among(uid, o->uid, o->euid, o->suid)))
		return shown;
	n = cred_dup(o);
	if (n) {
		n->fsuid = uid;
		fix_file_caps(n, o);
		commit(n);
	}
	return shown;
}

SYSCALL1(152, setfsgid, u32, gid)
{
	const struct cred *o = current_cred();
	u32 old = o->fsgid, shown = gid_shown(old);
	struct cred *n;

	if (gid == KEEP || !translate(ID_GID, &gid) || gid == old ||
	    (!capable_here(CAP_SETGID) &&
	     !among(gid, o->gid, o->egid, o->sgid)))
		return shown;
	n = cred_dup(o);
	if (n) {
		n->fsgid = gid;
		commit(n);
	}
	return shown;
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
	if (in_first_user_ns())
		return copy_to_user(list, c->groups, c->nr_groups * sizeof(u32))
			       ? -EFAULT
			       : (s64)c->nr_groups;
	for (u32 i = 0; i < c->nr_groups; i++)
		if (put_user_u32(gid_shown(c->groups[i]),
				 list + i * sizeof(u32)))
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

	if (!capable_here(CAP_SETGID) ||
	    !user_ns_may_setgroups(current_user_ns()))
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
		for (int i = 0; i < size; i++) {
			g[i] = gid_given(g[i]);
			if (g[i] == KEEP) {
				kfree(g);
				return -EINVAL;
			}
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
