/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec_cred.c - what execve(2) does to identity and capabilities.
 *
 * A program run by root has all of its bounding set, one whose file has capabilities
 * (fs/filecaps.c) these, any other one its ambient set.
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

/* What is made of the capabilities of the old program and of the file. */
struct gain {
	struct exec_caps file;
	bool effective; /* what is permitted is in effect as well */
};

/* [capabilities(7), "Transformation of capabilities during execve()"] 0, or -EPERM:
 * the file says that it cannot do without what it does not get. */
static int permit(struct cred *c, struct gain *g)
{
	const struct exec_caps *f = &g->file;
	u32 root = root_uid(c);

	c->cap_permitted = (c->cap_bset & f->permitted) |
			   (c->cap_inheritable & f->inheritable);
	g->effective = f->effective;
	if (f->effective && (f->permitted & ~c->cap_permitted))
		return -EPERM;
	if (c->securebits & SECBIT_NOROOT)
		return 0;
	/* A set-user-id-root program with capabilities has these only. */
	if (f->has && c->uid != root && c->euid == root)
		return 0;
	if (c->euid == root || c->uid == root)
		c->cap_permitted = c->cap_inheritable | c->cap_bset;
	g->effective |= c->euid == root;
	return 0;
}

static void set_ids(struct cred *c, u32 mode, u32 uid, u32 gid)
{
	/* Nobody becomes who has no name here. */
	if (!in_first_user_ns() && !ids_mapped(c->user_ns, uid, gid))
		mode = 0;
	if (mode & S_ISUID)
		c->euid = uid;
	if (mode & S_ISGID)
		c->egid = gid;
}

static bool no_new_privs(const struct cred *c)
{
	return c->no_new_privs || thread_no_new_privs(current);
}

/* A program that may get no more than @old had does not keep ids, either, that
 * were not its own. */
static void hold_down(struct cred *c, const struct cred *old)
{
	if ((c->euid != old->uid || c->egid != old->gid) &&
	    (no_new_privs(c) || !capable_here(CAP_SETUID))) {
		c->euid = c->uid;
		c->egid = c->gid;
	}
	c->cap_permitted &= old->cap_permitted;
}

/* Ids and capabilities of the new program in @c, which are still those of the old
 * one @old; whether it must not trust its environment. */
static int transform(struct exec *e, struct cred *c, const struct cred *old)
{
	u32 mode, uid, gid;
	struct gain g;
	bool other, held;
	int err;

	exec_attrs(e->file, &mode, &uid, &gid);
	err = exec_caps(e->file, &g.file);
	if (err)
		return err;
	held = no_new_privs(c) || trace_forbids_setid() ||
	       ((mode || g.file.has) && task_fs_is_foreign());
	set_ids(c, held ? 0 : mode, uid, gid);
	err = permit(c, &g);
	if (err)
		return err;
	other = c->euid != old->uid || c->egid != old->gid;
	if (held)
		hold_down(c, old);
	if (g.file.has || other)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = g.effective ? c->cap_permitted : c->cap_ambient;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	e->secure = other ||
		    (c->uid != root_uid(c) &&
		     (g.effective || (c->cap_permitted & ~c->cap_ambient)));
	return 0;
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

/* May @c do what @old could not, or does it act as somebody else? */
static bool is_other(const struct cred *c, const struct cred *old)
{
	return c->euid != old->euid || c->egid != old->egid ||
	       c->fsuid != old->fsuid || c->fsgid != old->fsgid ||
	       (c->cap_permitted & ~old->cap_permitted);
}

/* Leaves e->cred NULL when nothing changes, which is the common case. */
int exec_prepare_cred(struct exec *e)
{
	const struct cred *old = current_cred();
	struct cred c = *old;
	int err = transform(e, &c, old);

	if (err)
		return err;
	/* Nor is it read out of memory what may not be read. */
	e->unreadable = !exec_readable(e->file) ||
			(e->interp && !exec_readable(e->interp));
	e->gains = is_other(&c, old);
	e->hidden = e->unreadable || e->gains || old->euid != old->uid ||
		    old->egid != old->gid;
	c.securebits &= ~(u32)SECBIT_KEEP_CAPS;
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
