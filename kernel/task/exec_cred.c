/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec_cred.c - what execve(2) does to identity and capabilities.
 *
 * Files have no capabilities of their own here, only set-id bits: so a program
 * run by root has all of its bounding set, any other one its ambient set.
 */
#include <kernel/task/exec.h>

#include <kernel/keys/keys.h>
#include <kernel/ns/user.h>
#include <kernel/task/trace.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

#define S_ISUID		 04000u
#define S_ISGID		 02000u
#define SECBIT_NOROOT	 BIT(0)
#define SECBIT_KEEP_CAPS BIT(4)

/* The capabilities of a program that runs with the ids of @c. */
static void set_caps(struct cred *c)
{
	u32 root = root_uid(c);

	c->cap_permitted = c->cap_ambient;
	c->cap_effective = c->cap_ambient;
	if (c->securebits & SECBIT_NOROOT)
		return;
	if (c->euid == root || c->uid == root)
		c->cap_permitted |= c->cap_inheritable | c->cap_bset;
	if (c->euid == root)
		c->cap_effective = c->cap_permitted;
}

static void set_ids(struct cred *c, u32 mode, u32 uid, u32 gid)
{
	bool nnp = c->no_new_privs || thread_no_new_privs(current);

	/* Nobody becomes who has no name here. */
	if (!in_first_user_ns() && !ids_mapped(c->user_ns, uid, gid))
		mode = 0;
	if (!nnp && (mode & S_ISUID))
		c->euid = uid;
	if (!nnp && (mode & S_ISGID))
		c->egid = gid;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
}

static bool same(const struct cred *a, const struct cred *b)
{
	return a->euid == b->euid && a->egid == b->egid && a->suid == b->suid &&
	       a->sgid == b->sgid && a->fsuid == b->fsuid &&
	       a->fsgid == b->fsgid && a->cap_permitted == b->cap_permitted &&
	       a->cap_effective == b->cap_effective &&
	       a->cap_ambient == b->cap_ambient &&
	       a->securebits == b->securebits;
}

/* Leaves e->cred NULL when nothing changes, which is the common case. */
int exec_prepare_cred(struct exec *e)
{
	const struct cred *old = current_cred();
	struct cred c = *old;
	u32 mode, uid, gid;

	exec_attrs(e->file, &mode, &uid, &gid);
	if (trace_forbids_setid())
		mode = 0;
	set_ids(&c, mode, uid, gid);
	if (c.euid != old->euid || c.egid != old->egid)
		c.cap_ambient = 0;
	set_caps(&c);
	c.securebits &= ~(u32)SECBIT_KEEP_CAPS;
	e->secure = c.euid != c.uid || c.egid != c.gid;
	if (same(&c, old) && !keys_of_process(old))
		return 0;
	e->cred = cred_dup(old);
	if (!e->cred)
		return -ENOMEM;
	c.refs = 1;
	c.groups = e->cred->groups;
	*e->cred = c;
	keys_exec(e->cred);
	return 0;
}
